"""Autonomous emergency braking: UN R152 for cars, bicycles and pedestrians ahead, and beyond its speeds."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.aeb.params import INIT_SHOWN_AFTER_S, OFF_UNTIL_KMH, EmergencyBrakingParams
from adas_runtime.aeb.states import ACTING, TRANSITIONS, State, View
from adas_runtime.collision.brakes import Brakes
from adas_runtime.collision.bundle import brakes_of
from adas_runtime.collision.threat import NO_TRACKS, Threat, ThreatFinder, Track
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, oldest_input
from adas_runtime.records import maker
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Gear,
    Health,
    LampDemand,
    LampRequest,
    LongitudinalRequest,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.switch import FRESH, Switch
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "aeb"
BUTTON: Final = "aeb"
SUPPLIER_LOST: Final = "supplier_lost"  # of the tracker: radar alone is left
RANK: Final = 2  # `arbitration.arbiter.LongitudinalRank.EMERGENCY_BRAKING`; a test holds them together
NEVER_S: Final = -math.inf
STEP_MAX_S: Final = 0.2
STANDING_MPS: Final = 0.1
WARN_KEPT_S: Final = 0.5  # a warning goes on until braking is this much later than where it began [D]
NEAR_S: Final = 0.6  # so near, a sensor may lose what we are about to hit [D]
EPS_MPS: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; `None` is absent or too old."""

    vehicle: VehicleState | None = None
    objects: TrackedObjects | None = None
    lane: EgoLane | None = None
    driver: DriverInput | None = None
    body: BodyState | None = None
    ads: tuple[FunctionStatus, ...] = ()
    tracking: tuple[FunctionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it asks for, and what it tells the driver."""

    request: LongitudinalRequest | None
    lamps: LampRequest | None
    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        objects_s: When objects were there last.
        rolled_s: Driven above 10 km/h before every input was there once [s].
        over_s: Since when there is no threat, `None` with one.
        warned_s: When the present warning began.
        lead_s: From the warning to the braking of the last braking [s].
        is_full: Full braking was asked for in this braking.
        acted_s: When the driver last did what interrupts.
        spared: The object that the interruption was meant for.
        half_s: Since when radar alone is left to see others, `None` while it is not.
    """

    state: State = State.INIT
    reason: str = "starting"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    objects_s: float = 0.0
    has_vehicle: bool = False
    has_objects: bool = False
    rolled_s: float = 0.0
    stamp_s: float = NEVER_S
    tracks: tuple[Track, ...] = NO_TRACKS
    threat: Threat | None = None
    over_s: float | None = None
    warned_s: float | None = None
    lead_s: float | None = None
    is_full: bool = False
    acted_s: float = NEVER_S
    spared: int | None = None
    is_key_on: bool = True
    switch: Switch = FRESH
    was_asking: bool = False
    ring: Ring = SILENT
    warnings: int = 0
    brakings: int = 0
    half_s: float | None = None


make_lamps = maker(LampRequest)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LongitudinalRequest)
make_status = maker(Status)
make_view = maker(View)


class EmergencyBraking:
    """Warns of a collision and brakes when nothing else avoids it any more; see `TRANSITIONS`.

    Absent inputs. No road users: unavailable, which the driver is shown for as long as it lasts. No vehicle state: the
    same, after a while a fault. No lane: it looks along the path that the yaw rate draws, and brakes later for what
    stands beside a bend. No stalks, no body: it cannot be switched off, no new start is seen. After a stop it holds the
    car until the driver moves a pedal. In a car whose brakes nobody knows it only warns. Time running back starts
    everything afresh; what was told or asked for is ended.
    """

    def __init__(self, params: EmergencyBrakingParams, vehicle: Vehicle, brakes: Brakes, kick_down: float) -> None:
        self.state = Memory()
        self._params = params
        self._kick_down = kick_down
        self._may_brake = vehicle.brakes is not None
        self._finder = ThreatFinder(params, vehicle, brakes)
        self._from_mps = kmh_to_mps(params.from_kmh) - EPS_MPS
        self._to_mps = kmh_to_mps(params.to_kmh) + EPS_MPS
        self._off_mps = kmh_to_mps(OFF_UNTIL_KMH) + EPS_MPS

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = Memory(
                    reason="starting" if old.now_s is None else "time_ran_back",
                    now_s=now_s,
                    entered_s=now_s,
                    vehicle_s=now_s,
                    objects_s=now_s,
                    switch=old.switch,
                    was_asking=old.was_asking,
                    ring=old.ring,
                    warnings=old.warnings,
                    brakings=old.brakings,
                )
        assert old.now_s is not None
        dt_s = min(now_s - old.now_s, STEP_MAX_S)
        vehicle, objects = inputs.vehicle, inputs.objects
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        if objects is not None and not math.isfinite(objects.stamp_s):
            objects = None
        has_vehicle, has_objects = old.has_vehicle or vehicle is not None, old.has_objects or objects is not None
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        objects_s = old.objects_s if objects is None else now_s
        speed_mps = 0.0 if vehicle is None else max(vehicle.speed_mps, 0.0)
        rolled_s = old.rolled_s
        if not (has_vehicle and has_objects) and speed_mps > self._off_mps:
            rolled_s += dt_s
        is_key_on, switch = self._switched(old, inputs, speed_mps if vehicle is not None else None, now_s)
        tracks, threat, stamp_s = self._seen(old, inputs.lane, objects, vehicle, speed_mps, now_s)
        acted_s = old.acted_s
        interruption = "" if vehicle is None else self._interruption(vehicle, old.threat)
        if interruption:
            acted_s = now_s

        missing = "vehicle_absent" if vehicle is None else "objects_absent" if objects is None else ""
        over_s = None if threat is not None else now_s if old.over_s is None else old.over_s
        release_s = params.release_s
        if old.threat is not None and threat is None and old.threat.ttc_s < NEAR_S:
            release_s = max(release_s, NEAR_S)
        is_in_range = (
            vehicle is not None and self._from_mps <= vehicle.speed_mps <= self._to_mps and vehicle.gear != Gear.REVERSE
        )
        is_warned_of = is_braked_for = False
        is_over = over_s is not None and now_s - over_s >= release_s - EPS_S
        if threat is not None and (is_in_range or old.state in ACTING):
            ahead_s = params.warn_ahead_vulnerable_s if threat.is_vulnerable else params.warn_ahead_s
            if threat.is_contrary:
                ahead_s = 0.0  # nobody could anticipate that we leave the lane, or turn (R152 5.2.1.1)
            is_braked_for = self._may_brake and threat.may_brake and threat.brake_in_s <= 0.0
            is_warned_of = threat.brake_in_s <= ahead_s and not self._is_mastered(threat, vehicle)
            is_over = old.state is State.WARN and threat.brake_in_s > ahead_s + WARN_KEPT_S
        view = make_view(
            missing,
            vehicle is None and now_s - vehicle_s > params.fault_after_s,
            (vehicle is None or objects is None) and now_s - min(vehicle_s, objects_s) > params.fault_after_s,
            has_vehicle and has_objects,
            switch.is_off,
            params.is_suspended_by_ads and any(status.is_at_work for status in inputs.ads),
            is_in_range,
            interruption,
            threat is None or threat.object_id == old.spared,
            now_s - acted_s <= params.interrupted_s,
            is_warned_of,
            is_braked_for,
            is_over,
            vehicle is not None and vehicle.speed_mps <= STANDING_MPS,
            vehicle is not None and vehicle.is_pedal_pressed,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                state, entered_s = row.target, now_s
        spared = old.spared
        if state is State.INTERRUPTED and old.state is not State.INTERRUPTED:
            spared = None if old.threat is None else old.threat.object_id
        warned_s, lead_s = old.warned_s, old.lead_s
        if state is State.WARN and old.state is not State.WARN:
            warned_s = now_s
        elif state is State.BRAKE and old.state is not State.BRAKE:
            lead_s = 0.0 if old.state is not State.WARN or warned_s is None else now_s - warned_s
        is_full = state is State.BRAKE and (old.is_full or (threat is not None and threat.is_certain))
        seen_s = None if objects is None else stamp_s  # without objects it holds for `release_s` what it began
        request, lamps = self._asked(state, reason, is_full, old.was_asking, vehicle, seen_s, now_s)
        # what is over for a moment is kept, so that the release can tell how near it was
        kept = threat if threat is not None or state not in ACTING else old.threat
        bell, alert = old.ring, None
        half_s = None
        if any(status.reason == SUPPLIER_LOST for status in inputs.tracking):
            half_s = now_s if old.half_s is None else old.half_s
        is_half_blind = half_s is not None and now_s - half_s >= params.fault_after_s
        call = self._call(state, reason, threat, missing, rolled_s, is_half_blind=is_half_blind)
        if call is not None or bell.call is not None:
            bell, alert = ring(bell, call, now_s, NAME, params.alert_period_s)
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            objects_s,
            has_vehicle,
            has_objects,
            rolled_s,
            stamp_s,
            tracks,
            kept,
            over_s,
            warned_s,
            lead_s,
            is_full,
            acted_s,
            spared,
            is_key_on,
            switch,
            request is not None and request.is_active,
            bell,
            old.warnings + (state is State.WARN and old.state not in ACTING),
            old.brakings + (state is State.BRAKE and old.state is not State.BRAKE),
            half_s,
        )
        return make_outputs(
            request=request, lamps=lamps, alert=alert, status=self._status(threat, is_half_blind=is_half_blind)
        )

    # --- the driver ---------------------------------------------------------------------------------------------------

    def _switched(self, old: Memory, inputs: Inputs, speed_mps: float | None, now_s: float) -> tuple[bool, Switch]:
        """Key and button: off by two presses at walking pace alone, on by one or a new start (R152 5.4.1)."""
        is_key_on, switch = old.is_key_on, old.switch
        if inputs.body is not None and inputs.body.is_master_switch_on is not None:
            is_on = inputs.body.is_master_switch_on
            if is_on and not is_key_on:
                switch = switch.started()
            is_key_on = is_on
        if inputs.driver is not None and inputs.driver.pressed != switch.pressed:
            if switch.is_off or (speed_mps is not None and speed_mps <= self._off_mps):
                switch = switch.after(inputs.driver.pressed, now_s, BUTTON)
            else:  # a press while driving is none, and no first half of two either
                switch = replace(switch, pressed=inputs.driver.pressed, pressed_s=None)
        return is_key_on, switch

    def _interruption(self, vehicle: VehicleState, threat: Threat | None) -> str:
        """The driver's action that shows awareness (R152 5.3), `""` without one; to turn on is none."""
        if vehicle.accelerator is not None and vehicle.accelerator >= self._kick_down:
            return "kick_down"
        rate_rps = vehicle.steering_wheel_rate_rps
        if rate_rps is not None and abs(rate_rps) >= self._params.evade_rate_rps:
            is_turning_on = rate_rps * (vehicle.yaw_rate_rps or 0.0) > 0.0
            if threat is None or not (threat.is_in_turn and is_turning_on):
                return "evasive_steering"
        return ""

    @staticmethod
    def _is_mastered(threat: Threat, vehicle: VehicleState | None) -> bool:
        """The driver brakes already, and hard enough: no warning helps."""
        if vehicle is None or vehicle.accel_mps2 is None or not vehicle.is_braking:
            return False
        return -vehicle.accel_mps2 >= threat.needed_mps2

    # --- the road -----------------------------------------------------------------------------------------------------

    def _seen(
        self,
        old: Memory,
        lane: EgoLane | None,
        objects: TrackedObjects | None,
        vehicle: VehicleState | None,
        speed_mps: float,
        now_s: float,
    ) -> tuple[tuple[Track, ...], Threat | None, float]:
        """Tracks, threat, and the stamp of the objects that they come from."""
        if objects is None or vehicle is None:
            return old.tracks, None, old.stamp_s
        return self._finder.step(
            old.tracks,
            old.stamp_s,
            objects,
            lane,
            speed_mps,
            vehicle.accel_mps2,
            vehicle.yaw_rate_rps,
            now_s,
            wheel_rate_rps=vehicle.steering_wheel_rate_rps,
            target=old.threat.object_id if old.state is State.BRAKE and old.threat is not None else None,
        )

    # --- what it says -------------------------------------------------------------------------------------------------

    def _asked(
        self,
        state: State,
        reason: str,
        is_full: bool,
        was_asking: bool,
        vehicle: VehicleState | None,
        seen_s: float | None,
        now_s: float,
    ) -> tuple[LongitudinalRequest | None, LampRequest | None]:
        """Braking and stop lamps."""
        params = self._params
        if state is State.BRAKE or state is State.HOLD:
            decel_mps2 = params.hold_mps2
            if state is State.BRAKE:
                decel_mps2 = params.decel_mps2 if is_full else params.partial_mps2  # R152 5.2.1.2
            stamp_s = now_s if vehicle is None else min(max(vehicle.stamp_s, 0.0), now_s)
            oldest, oldest_s = oldest_input(vehicle=stamp_s, objects=seen_s if state is State.BRAKE else None)
            return (
                make_request(
                    stamp_s=oldest_s,
                    oldest_input=oldest,
                    author=NAME,
                    cause=reason,
                    is_active=True,
                    accel_mps2=-decel_mps2,
                    priority=RANK,
                ),
                make_lamps(stamp_s=stamp_s, author=NAME, cause=reason, stop_lamps=LampDemand.ON),
            )
        if was_asking:
            return (
                make_request(stamp_s=now_s, author=NAME, cause=reason, priority=RANK),
                make_lamps(stamp_s=now_s, author=NAME, cause=reason),
            )
        return None, None

    def _call(
        self, state: State, reason: str, threat: Threat | None, missing: str, rolled_s: float, *, is_half_blind: bool
    ) -> Call | None:
        """What the driver is told: a collision first, then that it does not work (R152 5.1.4, 5.4.3, 5.5)."""
        if state in ACTING:
            cause = reason
            if threat is not None:
                kind = threat.object_class.name.lower()
                cause = f"{reason}: {kind} in {max(threat.gap_m, 0.0):.1f} m, {threat.ttc_s:.1f} s"
            # R152 5.5.1: in two modes at least; all three
            return Call("aeb_collision", cause, AlertLevel.CRITICAL, is_acoustic=True, is_haptic=True)
        if state is State.FAULT or state is State.UNAVAILABLE:
            return Call("aeb_unavailable", missing or reason, AlertLevel.WARNING)
        if is_half_blind:  # radar alone tells neither of people nor of what stands (R152 5.5.7)
            return Call("aeb_unavailable", SUPPLIER_LOST, AlertLevel.WARNING)
        if state is State.OFF_DRIVER:
            return Call("aeb_off", reason, AlertLevel.INFO)
        if state is State.INIT and rolled_s > INIT_SHOWN_AFTER_S:
            return Call("aeb_starting", reason, AlertLevel.INFO)
        return None

    def _status(self, threat: Threat | None, *, is_half_blind: bool) -> Status:
        memory = self.state
        state = memory.state
        health = Health.OK
        if state is State.FAULT:
            health = Health.FAULT
        elif state is State.UNAVAILABLE or is_half_blind:
            health = Health.DEGRADED
        return make_status(
            state=state._value_,
            is_active=state in (State.READY, State.WARN, State.BRAKE, State.HOLD),
            health=health,
            reason=SUPPLIER_LOST if is_half_blind and state is State.READY else memory.reason,
            kpis=(
                None if threat is None else threat.ttc_s,
                None if threat is None else threat.gap_m,
                None if threat is None else min(threat.needed_mps2, 99.0),
                memory.lead_s,
                float(memory.warnings),
                float(memory.brakings),
            ),
        )


def build(context: BuildContext) -> EmergencyBraking:
    """The core for this market and vehicle."""
    market = context.market
    brakes = brakes_of(market, context.vehicle)
    return EmergencyBraking(market.aeb, context.vehicle, brakes, market.envelope.kick_down)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Warns of a collision ahead, and brakes when nothing else avoids it any more.",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, source="tracking"),
        Input(name="lane", signal=EgoLane, max_age_s=0.3, is_optional=True),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, is_optional=True),
        Input(name="body", signal=BodyState, max_age_s=1.0, is_optional=True),
        Input(name="tracking", signal=FunctionStatus, max_age_s=2.5, many=True, source="tracking"),
        Input(name="ads", signal=FunctionStatus, max_age_s=2.0, many=True, source="alks"),
    ),
    outputs=(
        Output(name="request", signal=LongitudinalRequest, is_periodic=False, rests_on=("vehicle", "objects")),
        Output(name="lamps", signal=LampRequest, is_periodic=False),
        Output(name="alert", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.05,
    trigger="objects",
    min_period_s=0.02,
    kpis=("ttc_s", "gap_m", "needed_mps2", "lead_s", "warnings", "brakings"),
    alerts=("aeb_collision", "aeb_off", "aeb_unavailable", "aeb_starting"),
    build=build,
)
