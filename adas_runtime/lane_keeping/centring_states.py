"""States of lane centring and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What lane centring does; the status carries the value, and the instrument shows it (R79 5.6.2.2.1)."""

    OFF = "off"
    FAULT = "fault"
    STANDBY = "standby"
    ACTIVE = "active"
    OVERRIDE = "override"
    HANDS1 = "hands1"
    HANDS2 = "hands2"
    EMERGENCY = "emergency"
    BOUNDARY = "boundary"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_on: The driver switched it on, and it was not ended since.
        is_emergency_over: The emergency sound lasted long enough, or hands are on again.
        missing: Input that is absent, `""` when all are there.
        is_failure: It is absent for longer than a short dropout.
        other: Function that steers the car in its place, `""` without.
        is_in_range: Speed in its range, with hysteresis.
        is_hands_known: The car tells whether hands are on the wheel.
        intent: The driver's action that shows the wish to leave the lane, `""` without.
        lane_fault: Why the lane cannot be steered by, `""` when it can.
        is_coasting: It cannot for a moment only.
        is_override: The driver steers, or did shortly before.
        is_ready: All conditions held for long enough, hands are on, the car is near the lane's centre.
        is_hands_late, is_hands_red, is_hands_over: Hands off for as long as the first, second and last step of the
            chain.
        is_crossing: A front tyre starts to cross a line without the driver's doing.
    """

    is_on: bool
    is_emergency_over: bool
    missing: str
    is_failure: bool
    other: str
    is_in_range: bool
    is_hands_known: bool
    intent: str
    lane_fault: str
    is_coasting: bool
    is_override: bool
    is_ready: bool
    is_hands_late: bool
    is_hands_red: bool
    is_hands_over: bool
    is_crossing: bool


STEERING: Final = (State.ACTIVE, State.HANDS1, State.HANDS2, State.BOUNDARY)
RUNNING: Final = (*STEERING, State.OVERRIDE)
NOT_EMERGENCY: Final = tuple(state for state in State if state is not State.EMERGENCY)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority
        Transition((State.EMERGENCY,), State.OFF, lambda v: v.is_emergency_over, "emergency_over", "R79 5.6.2.2.5"),
        Transition((State.EMERGENCY,), State.EMERGENCY, lambda v: True, "hands_off_for_too_long", "R79 5.6.2.2.5"),
        Transition(ANY, State.OFF, lambda v: not v.is_on, "switched_off", "R79 5.6.2.1.2"),
        Transition(
            ANY,
            State.FAULT,
            lambda v: bool(v.missing) and v.is_failure,
            "vehicle_absent, driver_input_absent, lane_absent",
            "R79 5.6.2.2.4",
            lambda v: v.missing,
        ),
        Transition(
            ANY,
            State.STANDBY,
            lambda v: bool(v.missing) and v.missing != "lane_absent",
            "vehicle_absent, driver_input_absent",
            "R79 5.6.2.1.1",
            lambda v: v.missing,
        ),
        Transition(ANY, State.STANDBY, lambda v: bool(v.other), "other_function_steers", "R171 5.5.2.3"),
        Transition(ANY, State.STANDBY, lambda v: not v.is_in_range, "speed_outside_range", "R79 5.6.2.2.5"),
        Transition(ANY, State.STANDBY, lambda v: not v.is_hands_known, "hands_unknown", "R79 5.6.2.2.5"),
        Transition(ANY, State.STANDBY, lambda v: bool(v.intent), "hazard, indicator", "[D]", lambda v: v.intent),
        Transition(
            ANY,
            State.STANDBY,
            lambda v: bool(v.lane_fault) and not v.is_coasting,
            "lane_absent, lane_unfit",
            "R79 5.6.2.1.1",
            lambda v: v.lane_fault,
        ),
        Transition(STEERING, State.EMERGENCY, lambda v: v.is_hands_over, "hands_off_for_too_long", "R79 5.6.2.2.5"),
        Transition(RUNNING, State.OVERRIDE, lambda v: v.is_override, "driver_steers", "R79 5.6.2.1.3(a)"),
        Transition(STEERING, State.HANDS2, lambda v: v.is_hands_red, "hands_off", "R79 5.6.2.2.5"),
        Transition(STEERING, State.HANDS1, lambda v: v.is_hands_late, "hands_off", "R79 5.6.2.2.5"),
        Transition(STEERING, State.BOUNDARY, lambda v: v.is_crossing, "crossing_line", "R79 5.6.2.2.3"),
        Transition(STEERING, State.BOUNDARY, lambda v: v.is_coasting, "lane_lost", "R79 5.6.2.2.3"),
        Transition((State.OVERRIDE,), State.STANDBY, lambda v: v.is_coasting, "lane_lost", "[D]"),
        Transition(RUNNING, State.ACTIVE, lambda v: True, "centring", "R79 5.6.2.1.1"),
        Transition(NOT_EMERGENCY, State.ACTIVE, lambda v: v.is_ready, "centring", "R79 5.6.2.1.1"),
        Transition(ANY, State.STANDBY, lambda v: True, "waiting", "R79 5.6.2.2.1"),
    ),
)

REASONS: Final = {
    "emergency_over": "Hands are on again, or the emergency sound has lasted; the button puts it on again.",
    "hands_off_for_too_long": "Hands were off through both warnings: it stopped steering and sounds the emergency.",
    "switched_off": "The driver has it off; so it is at every start.",
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "driver_input_absent": "Buttons and stalks are not known: it could not be switched off.",
    "lane_absent": "There is no lane estimate: camera or perception is gone.",
    "other_function_steers": "Driver control assistance or automated lane keeping steers the car.",
    "speed_outside_range": "Slower or faster than the range in which it steers.",
    "hands_unknown": "The car does not tell whether hands are on the wheel.",
    "hazard": "Hazard lights are on.",
    "indicator": "The driver indicates.",
    "lane_unfit": "The lane is not seen well enough to steer by; the lane estimate says why.",
    "driver_steers": "The driver steers; it follows again a little later.",
    "hands_off": "Hands are off the wheel.",
    "crossing_line": "A front tyre starts to cross the line; it steers on as far as it may.",
    "lane_lost": "The lane is lost; it steers on for a moment by what it saw last.",
    "centring": "It keeps the car in the middle of the lane.",
    "waiting": "On, and waiting until all it needs has been there for a moment, with hands on the wheel.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
