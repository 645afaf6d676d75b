"""What is there in a step: inputs, what the driver does, what speaks against driving (R157 6.2.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.alks.memory import STANDING_MPS, Inputs, Memory, Seen, make_seen
from adas_runtime.alks.params import ALKS_BUTTON, SPEED_MAX_00_KMH
from adas_runtime.alks.states import CONTROLLING
from adas_runtime.alks.table import speed_of_range_mps
from adas_runtime.gaze import Gaze, Sight
from adas_runtime.lateral.control import turning_rps
from adas_runtime.longitudinal.curves import sure_map
from adas_runtime.market.schema import Market
from adas_runtime.records import maker
from adas_runtime.signals import (
    BodyState,
    EgoLane,
    Gear,
    Health,
    Horizon,
    HorizonSegment,
    Indicator,
    LimitKind,
    RoadClass,
    SpeedLimitState,
    TrackedObjects,
    VehicleState,
    Wiper,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

DT_MAX_S: Final = 0.2  # a late step may not be used to jump
LIMIT_CONFIDENCE_MIN: Final = 0.5
PROBABILITY_MIN: Final = 0.5  # of the way ahead
SPEED_HYSTERESIS: Final = 1.03
BRAKE_MARGIN_MPS2: Final = 0.3  # the driver asks for more than the system, surely
REDUCED_NM: Final = 0.5  # a torque from here on is an input that does not take over: kept in the data storage [D]
MAP_LOST_S: Final = 0.5  # beyond the age of the last word


@dataclass(frozen=True, slots=True)
class Now:
    """What one step works on, read once.

    Args:
        speed_mps: Speed, 0 without a vehicle.
        yaw_rate_rps: Yaw rate; where the car does not tell it, from the last request.
        lane: As seen, fit to steer by or not.
        horizon: The map ahead, `None` where it does not know the car.
        is_lane: There is a lane to steer by, or it was there a moment ago.
        is_acting: The driver works a control.
        is_hands_on: A hand is on the wheel, for sure.
        is_switched: The button went down with this step.
        override: How the driver overrides with a hand on the wheel, `""` not.
        input: Control that the driver works without a hand on the wheel, as a demand's code, `""` none.
        is_reduced: The driver works a control too weakly to take over.
        limit_mps: How fast it may drive here.
        has_esc: Stability control intervenes.
    """

    now_s: float
    dt_s: float
    vehicle: VehicleState | None
    speed_mps: float
    yaw_rate_rps: float
    body: BodyState | None
    lane: EgoLane | None
    objects: TrackedObjects | None
    horizon: Horizon | None
    is_lane: bool
    is_acting: bool
    is_hands_on: bool
    is_switched: bool
    override: str
    input: str
    is_reduced: bool
    limit_mps: float
    has_esc: bool


make_now = maker(Now)


def is_motorway(segment: HorizonSegment) -> bool:
    """A motorway whose directions are separated, and no slip road (R157 1): surely, by the map."""
    return segment.road_class is RoadClass.MOTORWAY and not segment.is_link and segment.is_dual_carriageway is not False


class Looking:
    """Reads the inputs of a step, and judges what speaks against driving."""

    def __init__(self, market: Market, vehicle: Vehicle) -> None:
        params = self._params = market.alks
        self._hands_nm = market.dcas.engagement.hands_torque_nm
        brakes, equipment = vehicle.brakes, vehicle.equipment
        range_mps = 0.0 if equipment.front_sensing_m is None else speed_of_range_mps(equipment.front_sensing_m)
        self.is_equipped = brakes is not None and range_mps > 0.0 and equipment.has_data_storage
        self.may_change_lane = params.series == "01" and equipment.rear_sensing_m is not None
        top_kmh = params.speed_max_kmh if self.may_change_lane else min(params.speed_max_kmh, SPEED_MAX_00_KMH)
        self.max_mps = min(kmh_to_mps(top_kmh), range_mps)  # R157 5.2.3.1, 7.1.1
        self._decel_mps2 = 0.0 if brakes is None else brakes.decel_mps2
        self._unknown_mps = kmh_to_mps(params.speed_unknown_kmh)

    def look(self, old: Memory, inputs: Inputs, now_s: float) -> tuple[Now, Seen]:
        """What this step works on, and when each input was last there."""
        seen, params = old.seen, self._params
        vehicle = inputs.vehicle
        driver = inputs.driver[0] if inputs.driver else None
        body = inputs.body[0] if inputs.body else None
        lane = inputs.lane[0] if inputs.lane else None
        objects = inputs.objects[0] if inputs.objects else None
        horizon = sure_map(inputs.horizon)
        speed_mps, yaw_rate_rps, torque_nm = 0.0, 0.0, 0.0
        is_on = is_braking = is_accelerating = has_esc = False
        if vehicle is not None:
            speed_mps = max(vehicle.speed_mps, 0.0)
            yaw_rate_rps = turning_rps(vehicle, old.driven.control.curvature_1pm)
            torque_nm = abs(vehicle.driver_torque_nm or 0.0)
            is_on = torque_nm > self._hands_nm if vehicle.is_hands_on is None else vehicle.is_hands_on
            is_braking = vehicle.is_braking is True or (vehicle.brake is not None and vehicle.brake > 0.0)
            is_accelerating = vehicle.accelerator is not None and vehicle.accelerator >= params.accelerator_override
            has_esc = vehicle.is_stability_control_active is True
        steer_s = None
        if torque_nm > params.override_torque_nm:
            steer_s = now_s if seen.steer_s is None else seen.steer_s
        pressed, indicator = seen.pressed, seen.indicator
        is_acting = is_braking or is_accelerating or torque_nm >= REDUCED_NM
        is_switched = False
        if driver is not None:
            if driver.pressed != pressed:
                is_acting = True
                is_switched = ALKS_BUTTON in driver.pressed and ALKS_BUTTON not in pressed
            is_acting = is_acting or driver.indicator is not indicator
            pressed, indicator = driver.pressed, driver.indicator
        is_new_brake = is_braking and not seen.is_braking  # one that was down before is no answer to the switch
        is_stronger = is_braking and self._is_stronger(vehicle, old.driven.accel_mps2)
        override, control = "", ""
        if old.state in CONTROLLING:
            if steer_s is not None and now_s - steer_s >= params.override_s and is_on:
                override = "driver_steers"  # R157 6.3.1
            elif is_on and is_stronger:
                override = "driver_brakes"  # R157 6.3.2
            elif is_on and is_accelerating:
                override = "driver_accelerates"  # R157 6.3.3
            elif is_accelerating:
                control = "driver_accelerates"
            elif is_new_brake:
                control = "driver_brakes"
            elif indicator is not Indicator.OFF and indicator is not Indicator.HAZARD:
                control = "driver_indicates"
        is_reduced = not override and (torque_nm >= REDUCED_NM or (is_braking and not is_stronger))
        is_fit = lane is not None and lane.is_fit_to_steer
        lane_s = now_s if is_fit else seen.lane_s
        seated_s = seen.seated_s
        if body is None or body.is_driver_seated is not False:
            seated_s = now_s
        now = make_now(
            now_s,
            min(now_s - (old.now_s or now_s), DT_MAX_S),
            vehicle,
            speed_mps,
            yaw_rate_rps,
            body,
            lane,
            objects,
            horizon,
            now_s - lane_s <= params.lane_lost_s,
            is_acting,
            is_on,
            is_switched,
            override,
            control,
            is_reduced,
            self._limit_mps(inputs.limit[0] if inputs.limit else None),
            has_esc,
        )
        return now, make_seen(
            seen.vehicle_s if vehicle is None else now_s,
            seen.body_s if body is None else now_s,
            seen.objects_s if objects is None else now_s,
            lane_s,
            seen.driver_s if driver is None else now_s,
            seen.map_s if horizon is None else now_s,
            seated_s,
            steer_s,
            seen.answer_s,
            pressed,
            indicator,
            is_braking if vehicle is not None else seen.is_braking,
            seen.sensors_s if any(status.health is not Health.OK for status in inputs.tracking) else now_s,
        )

    def answered(self, seen: Seen, now: Now, gaze: Gaze) -> float | None:
        """Since when hands and eyes are both there (R157 6.2.5.2), `None` while they are not."""
        if not now.is_hands_on or gaze.sight is not Sight.RELEVANT:
            return None
        return now.now_s if seen.answer_s is None else seen.answer_s

    def unmet(self, now: Now, seen: Seen, *, is_working: bool, is_monitoring_lost: bool) -> tuple[str, bool]:
        """What speaks against driving, `""` nothing; and whether it leaves nothing to drive by."""
        now_s, lost_s, body, vehicle = now.now_s, self._params.input_lost_s, now.body, now.vehicle
        if now_s - seen.vehicle_s >= lost_s:
            return "vehicle_absent", True
        if now_s - seen.objects_s >= lost_s:
            return "objects_absent", True
        if not now.is_lane:
            return "lane_lost", True
        if vehicle is not None and vehicle.is_steering_available is False:
            return "steering_unavailable", True
        if vehicle is not None and vehicle.is_braking_available is False:
            return "brakes_unavailable", True
        if not self.is_equipped:
            return "not_equipped", False
        if now_s - seen.body_s >= lost_s:
            return "body_absent", False
        if now_s - seen.driver_s >= lost_s:
            return "driver_input_absent", False
        if is_monitoring_lost:
            return "driver_monitoring_lost", False
        if now_s - seen.sensors_s >= lost_s:
            return "sensor_lost", False
        if vehicle is not None and vehicle.gear is not Gear.DRIVE and (
            vehicle.gear is not Gear.UNKNOWN or vehicle.speed_mps < STANDING_MPS
        ):  # fmt: skip
            return "gear", False
        if body is not None:
            if body.is_driver_seated is not True and (
                not is_working or body.is_driver_seated is None or now_s - seen.seated_s > self._params.unseated_s
            ):
                return "driver_seat", False  # R157 6.1.2
            if body.is_driver_belt_fastened is not True:
                return "driver_belt", False  # R157 6.1.2
            if body.is_driver_door_open is True:
                return "driver_door", False
            if body.is_trailer_coupled is True:
                return "trailer", False
            if self._params.is_heavy_rain_excluded and body.wiper is Wiper.FAST:
                return "heavy_rain", False
        if now.has_esc:
            return "stability_control", False
        if now_s - seen.map_s >= MAP_LOST_S:
            return "map_lost", False
        if now.horizon is not None:
            if not is_motorway(now.horizon.segments[0]):
                return "road_outside", False
            if self._ends_in_m(now.horizon, now.speed_mps, now_s) <= self.needed_m(now.speed_mps):
                return "road_ends", False
        if now.speed_mps > self.max_mps * (SPEED_HYSTERESIS if is_working else 1.0):
            return "speed_high", False
        return "", False

    def refusal(self, inputs: Inputs, *, is_available: bool) -> str:
        """What speaks against being switched on besides, `""` nothing (R157 6.2.3)."""
        if any(status.is_at_work for status in (*inputs.dcas, *inputs.centring, *inputs.change)):
            return "assistance_at_work"
        return "" if is_available else "driver_unavailable"

    def needed_m(self, speed_mps: float) -> float:
        """Way from a transition demand to the stop, without an answer (R157 5.4.2) [m]."""
        params = self._params
        ramp_s = 0.5 * params.stop_decel_mps2 / params.stop_jerk_mps3  # full braking comes on so much later
        wait_s = params.stop_after_s + params.planned_margin_s + ramp_s
        return speed_mps * wait_s + speed_mps * speed_mps / (2.0 * params.stop_decel_mps2)

    @staticmethod
    def _ends_in_m(horizon: Horizon, speed_mps: float, now_s: float) -> float:
        """How far the motorway goes on, by the most probable way of the map [m]."""
        end_m = 0.0
        for segment in horizon.segments:
            if segment.probability < PROBABILITY_MIN or not is_motorway(segment):
                break
            end_m = segment.offset_m + segment.length_m
        return end_m - speed_mps * max(now_s - horizon.stamp_s, 0.0)

    def _limit_mps(self, limit: SpeedLimitState | None) -> float:
        """How fast it may drive: the limit as far as it is sure enough, and its own highest speed."""
        top_mps = self.max_mps
        if limit is None or limit.confidence < LIMIT_CONFIDENCE_MIN:
            return min(top_mps, self._unknown_mps)
        if limit.limit_mps is None:
            return top_mps if limit.kind is LimitKind.NO_LIMIT else min(top_mps, self._unknown_mps)
        return min(top_mps, limit.limit_mps * self._params.limit_share)

    def _is_stronger(self, vehicle: VehicleState | None, asked_mps2: float) -> bool:
        """The driver's brake asks for more than the system does (R157 6.3.2)."""
        if vehicle is None:
            return False
        if vehicle.brake is not None:  # a pedal's share of full braking [D]
            return vehicle.brake * self._decel_mps2 > -asked_mps2 + BRAKE_MARGIN_MPS2
        if vehicle.accel_mps2 is None:
            return True
        return vehicle.accel_mps2 < min(asked_mps2, 0.0) - BRAKE_MARGIN_MPS2
