"""Distance warning: tells a driver who stays nearer to the car ahead than traffic in this country takes for usual."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.dcas.headway_params import SWITCH_BUTTON, HeadwayParams
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.longitudinal.following import Lead
from adas_runtime.longitudinal.lead import LeadChooser
from adas_runtime.longitudinal.lead import Memory as LeadMemory
from adas_runtime.market.facts import Following as FollowingFacts
from adas_runtime.records import maker
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    AssistanceMode,
    AssistanceState,
    BodyState,
    DriverInput,
    EgoLane,
    Health,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.transitions import ANY, Table, Transition
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "headway"
NO_LEAD: Final = LeadMemory()
CODE: Final = "headway_short"
LEAD_AGE_MAX_S: Final = 0.4
FAULT_AFTER_S: Final = 2.0  # without a vehicle state
STEP_MAX_S: Final = 1.0
SPEED_MIN_MPS: Final = 1.0  # below it a time gap is no number


class State(Enum):
    """What the warning does; the status carries the value."""

    FAULT = "fault"
    STANDBY = "standby"
    OFF_DRIVER = "off_driver"
    OFF_SPEED = "off_speed"
    ASSISTED = "assisted"
    WATCHING = "watching"
    CLOSE = "close"
    WARN = "warn"
    SPENT = "spent"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_failure: The vehicle's state is missing for longer than a short dropout.
        missing: Input that is absent, `""`: none.
        is_off: The driver switched it off.
        is_fast: Speed in its range, with hysteresis.
        is_assisted: Driver control assistance keeps the gap.
        is_close: The time gap is below the threshold.
        is_mended: No car ahead, or the gap is above the threshold again.
        is_opening: The gap grows.
        is_due: It was too short for as long as may be.
        is_max_over: The present warning lasted its longest time.
        may_repeat: Who stays too near is told again.
    """

    is_failure: bool
    missing: str
    is_off: bool
    is_fast: bool
    is_assisted: bool
    is_close: bool
    is_mended: bool
    is_opening: bool
    is_due: bool
    is_max_over: bool
    may_repeat: bool


_QUIET = (State.FAULT, State.STANDBY, State.OFF_DRIVER, State.OFF_SPEED, State.ASSISTED)
TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (
        Transition(ANY, State.FAULT, lambda v: v.is_failure, "vehicle_absent", "[D]"),
        Transition(
            ANY, State.STANDBY, lambda v: bool(v.missing), "vehicle_absent, objects_absent", "[D]", lambda v: v.missing
        ),
        Transition(ANY, State.OFF_DRIVER, lambda v: v.is_off, "switched_off", "[D]"),
        Transition(ANY, State.OFF_SPEED, lambda v: not v.is_fast, "speed_below_range", "[D]"),
        Transition(ANY, State.ASSISTED, lambda v: v.is_assisted, "assistance_keeps_gap", "R171 5.3.7.5, [D]"),
        Transition((State.WARN,), State.WATCHING, lambda v: v.is_mended, "gap_mended", "[D]"),
        Transition((State.WARN,), State.SPENT, lambda v: v.is_opening or v.is_max_over, "warning_spent", "[D]"),
        Transition((State.SPENT,), State.WATCHING, lambda v: v.is_mended, "gap_mended", "[D]"),
        Transition((State.SPENT,), State.CLOSE, lambda v: v.may_repeat, "still_short", "[D]"),
        Transition((State.CLOSE,), State.WATCHING, lambda v: v.is_mended, "gap_mended", "[D]"),
        Transition(
            (State.CLOSE,), State.WARN, lambda v: v.is_close and v.is_due and not v.is_opening, "gap_short", "[D]"
        ),
        Transition((State.WATCHING, *_QUIET), State.CLOSE, lambda v: v.is_close, "gap_short_for_now", "[D]"),
        Transition(_QUIET, State.WATCHING, lambda v: True, "watching", "[D]"),
    ),
)

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "objects_absent": "Nobody tells of other road users.",
    "switched_off": "The driver switched it off; the next start switches it on.",
    "speed_below_range": "Slower than the range in which it warns.",
    "assistance_keeps_gap": "Driver control assistance keeps the gap.",
    "watching": "It watches the gap to the car ahead.",
    "gap_short_for_now": "The gap is shorter than usual here, not for long enough yet.",
    "gap_short": "The gap is shorter than usual here, and stays so.",
    "still_short": "The driver was told and is still as near.",
    "warning_spent": "The driver was told for long enough, or lets the gap grow.",
    "gap_mended": "The gap is long enough again.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; all but the vehicle's state may be missing in a car for good, so they come as none or several."""

    vehicle: VehicleState | None = None
    objects: tuple[TrackedObjects, ...] = ()
    lanes: tuple[EgoLane, ...] = ()
    body: tuple[BodyState, ...] = ()
    driver: tuple[DriverInput, ...] = ()
    assistance: tuple[AssistanceState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says."""

    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.STANDBY
    reason: str = "vehicle_absent"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    is_fast: bool = False
    is_off: bool = False
    is_key_on: bool = True
    pressed: tuple[str, ...] = ()
    close_s: float | None = None  # since when the gap is too short
    lead: LeadMemory = NO_LEAD
    gap_m: float | None = None
    gap_s: float | None = None
    shortest_s: float | None = None
    watched_s: float = 0.0
    short_s: float = 0.0
    warnings: int = 0
    is_told: bool = False
    since_s: float = 0.0
    sent_s: float = 0.0


make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_status = maker(Status)
make_view = maker(View)


class Headway:
    """Warns of a time gap below what is usual in this country; see `TRANSITIONS`.

    It speaks late and seldom: not of a gap that grows again, not of one that lasts a moment (somebody cut in, and the
    driver lets him go ahead), at once where a short gap still closes, and then not again for a while. It says nothing
    of a collision: that is emergency braking's work.

    Absent inputs. No vehicle state: standby, after a while a fault. No road users: standby, which is no failure in a
    car that has no such sensor. No lane: it looks along the car's path. No stalks: it cannot be switched off.
    """

    def __init__(self, params: HeadwayParams, facts: FollowingFacts, vehicle: Vehicle) -> None:
        self.state = Memory()
        self._params = params
        self._threshold_s = facts.cut_in_expected_gap_s
        self._from_mps = kmh_to_mps(params.active_from_kmh)
        self._until_mps = kmh_to_mps(params.active_until_kmh)
        self._chooser = LeadChooser(vehicle)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        end: Alert | None = None
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                end = self._alert(old, now_s, now_s, "time_ran_back", is_active=False) if old.is_told else None
                old = Memory(now_s=now_s, entered_s=now_s, vehicle_s=now_s)
        assert old.now_s is not None
        dt_s = min(now_s - old.now_s, STEP_MAX_S)
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        speed_mps = 0.0 if vehicle is None else max(vehicle.speed_mps, 0.0)
        is_fast = old.is_fast if vehicle is None else speed_mps >= (self._until_mps if old.is_fast else self._from_mps)
        is_off, is_key_on, pressed = self._switched(old, inputs)

        lead, memory = self._lead(old, inputs, vehicle, speed_mps, now_s)
        gap_m = gap_s = None
        closing_mps = 0.0
        if lead is not None and speed_mps >= SPEED_MIN_MPS:
            closing_mps = speed_mps - lead.speed_mps
            gap_m = max(lead.gap_m - closing_mps * lead.age_s, 0.0)
            gap_s = gap_m / speed_mps
        is_close = gap_s is not None and gap_s < self._threshold_s
        is_mended = gap_s is None or gap_s > self._threshold_s + params.clear_above_s
        close_s = now_s if is_close and old.close_s is None else None if is_mended else old.close_s
        short_for_s = 0.0 if close_s is None else now_s - close_s + EPS_S
        limit_s = params.closing_after_s if closing_mps > params.closing_mps else params.warn_after_s
        in_state_s = now_s - old.entered_s + EPS_S
        view = make_view(
            is_failure=now_s - vehicle_s > FAULT_AFTER_S,
            missing="vehicle_absent" if vehicle is None else "" if inputs.objects else "objects_absent",
            is_off=is_off,
            is_fast=is_fast,
            is_assisted=any(item.longitudinal is AssistanceMode.ACTIVE for item in inputs.assistance),
            is_close=is_close,
            is_mended=is_mended,
            is_opening=closing_mps < -params.opening_mps,
            is_due=short_for_s >= limit_s,
            is_max_over=in_state_s >= params.warn_max_s,
            may_repeat=in_state_s >= params.repeat_after_s,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                state, entered_s = row.target, now_s

        alert, is_told, since_s, sent_s = end, old.is_told, old.since_s, old.sent_s
        if state is State.WARN:
            if not is_told or now_s - sent_s >= params.alert_period_s - EPS_S:
                since_s = since_s if is_told else now_s
                is_told, sent_s = True, now_s
                stamp_s = now_s if vehicle is None else min(max(vehicle.stamp_s, 0.0), now_s)
                text = f"{reason}: {gap_s or 0.0:.2f} s, {gap_m or 0.0:.1f} m; usual here {self._threshold_s:.1f} s"
                alert = self._alert(old, stamp_s, since_s, text, is_active=True)
        elif is_told:
            alert = self._alert(old, now_s, since_s, reason, is_active=False)
            is_told = False
        watched = state in (State.WATCHING, State.CLOSE, State.WARN, State.SPENT) and gap_s is not None
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            is_fast,
            is_off,
            is_key_on,
            pressed,
            close_s,
            memory,
            gap_m,
            gap_s,
            gap_s if watched and (old.shortest_s is None or (gap_s or 0.0) < old.shortest_s) else old.shortest_s,
            old.watched_s + (dt_s if watched else 0.0),
            old.short_s + (dt_s if watched and is_close else 0.0),
            old.warnings + (state is State.WARN and old.state is not State.WARN),
            is_told,
            since_s,
            sent_s,
        )
        return make_outputs(alert=alert, status=self._status())

    def _switched(self, old: Memory, inputs: Inputs) -> tuple[bool, bool, tuple[str, ...]]:
        """Off, key, buttons: one press of the switch changes it, every start puts it on."""
        is_off, is_key_on, pressed = old.is_off, old.is_key_on, old.pressed
        if inputs.body and inputs.body[0].is_master_switch_on is not None:
            is_on = inputs.body[0].is_master_switch_on
            if is_on and not is_key_on:
                is_off = False
            is_key_on = is_on
        if inputs.driver and inputs.driver[0].pressed != pressed:
            if SWITCH_BUTTON in inputs.driver[0].pressed and SWITCH_BUTTON not in pressed:
                is_off = not is_off
            pressed = inputs.driver[0].pressed
        return is_off, is_key_on, pressed

    def _lead(
        self, old: Memory, inputs: Inputs, vehicle: VehicleState | None, speed_mps: float, now_s: float
    ) -> tuple[Lead | None, LeadMemory]:
        chooser = self._chooser
        chooser.state = old.lead
        lead = chooser.step(
            inputs.objects[0] if inputs.objects else None,
            inputs.lanes[0] if inputs.lanes else None,
            speed_mps,
            None if vehicle is None else vehicle.yaw_rate_rps,
            now_s,
        )
        return (lead if lead is not None and lead.age_s <= LEAD_AGE_MAX_S else None), chooser.state

    def _alert(self, old: Memory, stamp_s: float, since_s: float, cause: str, *, is_active: bool) -> Alert:
        return Alert(
            stamp_s=stamp_s,
            author=NAME,
            code=CODE,
            is_active=is_active,
            level=AlertLevel.WARNING,
            is_optical=True,
            is_acoustic=self._params.is_acoustic,
            since_s=since_s if is_active else old.since_s,
            cause=cause,
        )

    def _status(self) -> Status:
        memory = self.state
        health = Health.OK
        if memory.state is State.FAULT:
            health = Health.FAULT
        elif memory.state is State.STANDBY and memory.reason == "vehicle_absent":
            health = Health.DEGRADED
        return make_status(
            state=memory.state.value,
            is_active=memory.state in (State.WATCHING, State.CLOSE, State.WARN, State.SPENT),
            health=health,
            reason=memory.reason,
            kpis=(
                memory.gap_s,
                memory.gap_m,
                memory.shortest_s,
                memory.watched_s,
                memory.short_s,
                float(memory.warnings),
            ),
        )


def build(context: BuildContext) -> Headway:
    """The core for this market and vehicle."""
    return Headway(context.market.headway, context.market.following, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Warns of a distance to the car ahead that is shorter than usual in this country.",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2),
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, many=True, source="tracking"),
        Input(name="lanes", signal=EgoLane, max_age_s=0.3, many=True),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, many=True),
        Input(name="assistance", signal=AssistanceState, max_age_s=0.5, many=True),
    ),
    outputs=(Output(name="alert", signal=Alert, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.1,
    kpis=("gap_s", "gap_m", "shortest_gap_s", "watched_s", "short_s", "warnings"),
    alerts=("headway_short",),
    build=build,
)
