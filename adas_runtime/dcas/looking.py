"""What is there in a step: inputs and their last times, what the driver does, which precondition is not met."""

from __future__ import annotations

from typing import Final

from adas_runtime.dcas.memory import NAME, NEVER, Inputs, Memory, Now, Seen, make_now, make_seen
from adas_runtime.dcas.modes import WORKING, State
from adas_runtime.dcas.params import CANCEL_BUTTON
from adas_runtime.lateral.control import turning_rps
from adas_runtime.longitudinal.curves import sure_map
from adas_runtime.market.schema import Market
from adas_runtime.signals import (
    AlertLevel,
    BodyState,
    DriverInput,
    Gear,
    Health,
    RoadClass,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

EMERGENCY_RANK: Final = 2  # `arbitration.arbiter.LongitudinalRank`; a test holds them together
DT_MAX_S: Final = 0.2  # a late step may not be used to jump
SPEED_HYSTERESIS: Final = 1.03
UNKNOWN_GEAR_FROM_MPS: Final = 1.0  # where the car tells no gear, it has to roll
DROWSINESS: Final = "drowsiness"
EMERGENCY_SYSTEMS: Final = ("aeb", "elks")  # whose warnings come before ours (R171 5.5.4.2.2.2)
NARROW: Final = ("lane_too_narrow", "narrow_lane")  # reasons of the ego lane


class Looking:
    """Reads the inputs of a step and judges the preconditions of R171 5.5.3.2.2 and the boundaries of 5.3.5."""

    def __init__(self, market: Market, vehicle: Vehicle) -> None:
        params = self._params = market.dcas
        self._override_nm = market.envelope.override_torque_nm
        self._from_mps = kmh_to_mps(params.activate_from_kmh)
        self._max_mps = kmh_to_mps(params.speed_max_kmh)
        self._roads = frozenset(RoadClass[name.upper()] for name in params.roads)
        self._has_brakes = vehicle.equipment.has_emergency_braking

    def look(
        self,
        old: Memory,
        inputs: Inputs,
        vehicle: VehicleState | None,
        driver: DriverInput | None,
        body: BodyState | None,
        new: tuple[str, ...],
        now_s: float,
    ) -> tuple[Now, Seen]:
        """What this step works on, and when each input was last there."""
        params, seen = self._params, old.seen
        was_off = old.state is State.OFF or old.state is State.LOCKOUT
        if was_off and not old.failed:  # who was off did not look: what is missing now is missing from now on
            seen = make_seen(now_s, now_s, now_s, now_s, now_s, now_s, NEVER, driver_s=now_s)
        lane = inputs.lane[0] if inputs.lane else None
        objects = inputs.objects[0] if inputs.objects else None
        is_fit = lane is not None and lane.is_fit_to_steer
        fit_s = now_s if is_fit else seen.fit_s
        horizon = sure_map(inputs.horizon)
        segment = None if horizon is None else horizon.segments[0]
        speed_mps, yaw_rate_rps = 0.0, 0.0
        is_on = is_steering = is_braking = is_accelerating = False
        torque_s, hands_s = seen.torque_s, seen.hands_s
        if vehicle is not None:
            speed_mps = max(vehicle.speed_mps, 0.0)
            yaw_rate_rps = turning_rps(vehicle, old.driven.control.curvature_1pm)
            if vehicle.yaw_rate_rps is not None:
                yaw_rate_rps -= old.driven.gyro.bias_rps
            torque_nm = vehicle.driver_torque_nm
            if torque_nm is not None:
                torque_nm = abs(torque_nm)
                is_steering = torque_nm > self._override_nm
                if torque_nm >= params.engagement.hands_torque_nm:
                    torque_s = now_s
            if is_steering:
                is_on = True  # nobody else turns the wheel like that, whatever the sensor says
            elif vehicle.is_hands_on is not None:
                is_on = vehicle.is_hands_on
            elif torque_nm is not None:
                is_on = now_s - torque_s <= params.engagement.hands_torque_hold_s
            if torque_nm is not None or vehicle.is_hands_on is not None:
                hands_s = now_s
            is_braking = vehicle.is_braking is True or (vehicle.brake is not None and vehicle.brake > 0.0)
            is_accelerating = vehicle.accelerator is not None and vehicle.accelerator >= params.accelerator_override
        steer_s = None
        if is_steering:
            steer_s = now_s if seen.steer_s is None else seen.steer_s
        is_emergency = body is not None and body.is_emergency_brake_signal is True
        for request in inputs.requests:
            if request.is_active and request.priority <= EMERGENCY_RANK and request.author != NAME:
                is_emergency = True
        is_urgent, is_drowsy = is_emergency, False
        for alert in inputs.alerts:
            if not alert.is_active or alert.level is AlertLevel.INFO:
                continue
            if alert.level is AlertLevel.CRITICAL and alert.author in EMERGENCY_SYSTEMS:
                is_urgent = True
            elif alert.author == DROWSINESS:
                is_drowsy = True
        now = make_now(
            now_s,
            min(now_s - (old.now_s or now_s), DT_MAX_S),
            vehicle,
            speed_mps,
            yaw_rate_rps,
            driver,
            body,
            lane,
            objects,
            horizon,
            segment,
            new,
            is_fit or now_s - fit_s <= params.lane_lost_s,
            # without a hand on the wheel it is never let go: not even the car's own motion would lead it then
            is_fit or not is_on or now_s - fit_s <= params.lane_lost_s + params.lane_hold_s,
            is_on,
            is_steering,
            steer_s is not None and now_s - steer_s + 1e-6 >= params.take_over_hold_s,
            is_braking,
            is_accelerating,
            is_braking and not seen.is_braking and not was_off,
            is_accelerating and not seen.is_accelerating and not was_off,
            is_emergency,
            is_urgent,
            is_drowsy,
        )
        seen = make_seen(
            seen.vehicle_s if vehicle is None else now_s,
            seen.body_s if body is None else now_s,
            seen.objects_s if objects is None else now_s,
            seen.lane_s if lane is None else now_s,
            seen.departure_s if not inputs.departure or inputs.departure[0].health is Health.FAULT else now_s,
            hands_s,
            fit_s,
            torque_s,
            (now_s if seen.on_s is None else seen.on_s) if is_on else None,
            steer_s,
            now_s if is_steering else seen.steered_s,
            is_braking if vehicle is not None else seen.is_braking,  # a gap in the messages is no foot that came off
            is_accelerating if vehicle is not None else seen.is_accelerating,
            seen.driver_s if driver is None else now_s,
        )
        return now, seen

    def took_over(self, old: Memory, now: Now) -> bool:
        """A clear override: by steering after a direct control alert, by any clear action while the car is stopped.

        A foot that sank onto the accelerator is no answer; a hand has to be on the wheel with it.
        """
        if old.state is State.RISK_MITIGATION or old.state is State.HELD:
            return (
                now.is_sustained
                or now.is_new_brake
                or (now.is_new_accelerator and now.is_hands_on)
                or CANCEL_BUTTON in now.new
            )
        return now.is_sustained

    def unmet(
        self, old: Memory, now: Now, seen: Seen, *, is_monitoring_lost: bool, is_automated: bool
    ) -> tuple[str, str]:
        """Failure of the whole system, and the first precondition that is not met; each `""` without."""
        params, now_s = self._params, now.now_s
        failure, lost_s = "", params.input_lost_s
        if now_s - seen.vehicle_s >= lost_s:
            failure = "vehicle_absent"
        elif not self._has_brakes:
            failure = "brakes_not_fitted"
        elif now.body is None and now_s - seen.body_s >= lost_s:
            failure = "body_absent"
        elif now_s - seen.driver_s >= lost_s:
            failure = "driver_input_absent"  # R171 5.5.3.3.1: nobody could switch it off
        elif now_s - seen.hands_s >= lost_s:
            failure = "hands_unknown"
        elif is_monitoring_lost:
            failure = "driver_monitoring_lost"
        elif now_s - seen.objects_s >= lost_s:
            failure = "objects_absent"
        elif now_s - seen.lane_s >= lost_s:
            failure = "lane_absent"
        elif now_s - seen.departure_s >= lost_s:
            failure = "safety_system_fault"
        vehicle, body, lane = now.vehicle, now.body, now.lane
        if failure == "vehicle_absent" or failure == "brakes_not_fitted":
            return failure, failure
        if vehicle is not None:
            gear = vehicle.gear
            if gear is not Gear.DRIVE and (gear is not Gear.UNKNOWN or vehicle.speed_mps < UNKNOWN_GEAR_FROM_MPS):
                return failure, "gear"
        if body is not None:
            if body.is_parking_brake_on is True:
                return failure, "parking_brake"
            if body.is_driver_seated is not True:
                return failure, "driver_seat"
            if body.is_driver_belt_fastened is not True:
                return failure, "driver_belt"
            if body.is_driver_door_open is True:
                return failure, "driver_door"
        if failure:
            return failure, failure
        if is_automated:
            return "", "automation_at_work"
        if body is None or vehicle is None:
            return "", old.unmet  # missing for less than `input_lost_s`: nothing new
        if lane is None and not now.is_lane:
            return "lane_absent", "lane_absent"
        if not now.is_lane:
            is_narrow = lane is not None and lane.reason in NARROW
            return "", "lane_narrow" if is_narrow else "lane_lost"
        if vehicle.is_stability_control_active is True:
            return "", "stability_control"
        is_working = old.state in WORKING
        if now.speed_mps > (self._max_mps * SPEED_HYSTERESIS if is_working else self._max_mps):
            return "", "speed_high"
        if now.segment is not None:
            road_class = now.segment.road_class
            if road_class is not RoadClass.UNKNOWN and road_class not in self._roads:
                return "", "road_outside"
        elif params.needs_map:
            return "", "road_outside"
        if not is_working:
            if now.speed_mps < self._from_mps:
                return "", "speed_low"
            if now_s - old.boundary_s < params.boundary_clear_s:
                return "", "settling"
        return "", ""
