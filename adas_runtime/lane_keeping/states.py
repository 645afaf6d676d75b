"""States of the lane departure warning and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the warning does; the status carries the value."""

    FAULT = "fault"
    STANDBY = "standby"
    OFF_DRIVER = "off_driver"
    OFF_SPEED = "off_speed"
    NO_LANE = "no_lane"
    ARMED = "armed"
    SUPPRESSED_LEFT = "suppressed_left"
    SUPPRESSED_RIGHT = "suppressed_right"
    SUPPRESSED = "suppressed"
    WARN_LEFT = "warn_left"
    WARN_RIGHT = "warn_right"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        missing: Input that is absent, `""` when both are there.
        is_failure: It is absent for longer than a short dropout.
        is_off: The driver switched it off.
        is_fast: Speed in the warning's range, with hysteresis.
        line_fault: Why neither line can be used, `""` when one can.
        has_left, has_right: The line can be used.
        intent_left, intent_right: The driver's action that shows the wish to go there, `""` without.
        departs_left, departs_right: A departure is confirmed and was not warned of before.
        is_back_left, is_back_right: The tyre is inside again and not about to leave.
        is_min_over, is_max_over: The present warning lasted its least or its greatest time.
    """

    missing: str
    is_failure: bool
    is_off: bool
    is_fast: bool
    line_fault: str
    has_left: bool
    has_right: bool
    intent_left: str
    intent_right: str
    departs_left: bool
    departs_right: bool
    is_back_left: bool
    is_back_right: bool
    is_min_over: bool
    is_max_over: bool


WARNING: Final = (State.WARN_LEFT, State.WARN_RIGHT)
QUIET: Final = tuple(state for state in State if state not in WARNING)
ACTIVE: Final = (  # the most frequent first
    State.ARMED,
    State.SUPPRESSED,
    State.SUPPRESSED_LEFT,
    State.SUPPRESSED_RIGHT,
    State.WARN_LEFT,
    State.WARN_RIGHT,
)

_L, _R = (State.WARN_LEFT,), (State.WARN_RIGHT,)
TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority, faults first
        Transition(
            ANY,
            State.FAULT,
            lambda v: bool(v.missing) and v.is_failure,
            "vehicle_absent, lanes_absent",
            "R130 5.2.2, ELKS K15",
            lambda v: v.missing,
        ),
        Transition(
            ANY,
            State.STANDBY,
            lambda v: bool(v.missing),
            "vehicle_absent, lanes_absent",
            "R130 5.4.5",
            lambda v: v.missing,
        ),
        Transition(
            ANY,
            State.OFF_DRIVER,
            lambda v: v.is_off,
            "switched_off",
            "GSR2 7(4)(a), R130 5.3, ELKS K16",
        ),
        Transition(
            ANY,
            State.OFF_SPEED,
            lambda v: not v.is_fast,
            "speed_below_range",
            "R130 5.2.3, ELKS K6, K8",
        ),
        Transition(
            ANY,
            State.NO_LANE,
            lambda v: bool(v.line_fault),
            "no_marking, low_confidence, camera_not_calibrated, lane_width",
            "ELKS K9",
            lambda v: v.line_fault,
        ),
        Transition(
            WARNING,
            State.SUPPRESSED,
            lambda v: bool(v.intent_left) and bool(v.intent_right),
            "hazard, indicator, steering, braking, kick_down",
            "R130 5.2.1.2, ELKS K14",
            lambda v: v.intent_left,
        ),
        Transition(
            _L,
            State.SUPPRESSED_LEFT,
            lambda v: bool(v.intent_left),
            "indicator, steering",
            "R130 5.2.1.2, ELKS K14",
            lambda v: v.intent_left,
        ),
        Transition(
            _R,
            State.SUPPRESSED_RIGHT,
            lambda v: bool(v.intent_right),
            "indicator, steering",
            "R130 5.2.1.2, ELKS K14",
            lambda v: v.intent_right,
        ),
        Transition(_L, State.ARMED, lambda v: not v.has_left, "line_lost", "[D]"),
        Transition(_R, State.ARMED, lambda v: not v.has_right, "line_lost", "[D]"),
        Transition(
            WARNING,
            State.ARMED,
            lambda v: v.is_max_over,
            "warning_spent",
            "[D] car stays on the line",
        ),
        Transition(  # a narrow lane: the other line is reached before this warning has lasted its least time
            _L,
            State.WARN_RIGHT,
            lambda v: v.departs_right and not v.departs_left and not v.intent_right,
            "departing_right",
            "R130 5.2.1, ELKS K10",
        ),
        Transition(
            _R,
            State.WARN_LEFT,
            lambda v: v.departs_left and not v.departs_right and not v.intent_left,
            "departing_left",
            "R130 5.2.1, ELKS K10",
        ),
        Transition(
            _L,
            State.ARMED,
            lambda v: v.is_back_left and v.is_min_over,
            "back_in_lane",
            "[D]",
        ),
        Transition(
            _R,
            State.ARMED,
            lambda v: v.is_back_right and v.is_min_over,
            "back_in_lane",
            "[D]",
        ),
        Transition(
            QUIET,
            State.WARN_LEFT,
            lambda v: v.departs_left and not v.intent_left,
            "departing_left",
            "R130 5.2.1, ELKS K10",
        ),
        Transition(
            QUIET,
            State.WARN_RIGHT,
            lambda v: v.departs_right and not v.intent_right,
            "departing_right",
            "R130 5.2.1, ELKS K10",
        ),
        Transition(
            QUIET,
            State.SUPPRESSED,
            lambda v: bool(v.intent_left) and bool(v.intent_right),
            "hazard, indicator, steering, braking, kick_down",
            "R130 5.2.1.2, ELKS K14",
            lambda v: v.intent_left,
        ),
        Transition(
            QUIET,
            State.SUPPRESSED_LEFT,
            lambda v: bool(v.intent_left),
            "indicator, steering",
            "R130 5.2.1.2, ELKS K14",
            lambda v: v.intent_left,
        ),
        Transition(
            QUIET,
            State.SUPPRESSED_RIGHT,
            lambda v: bool(v.intent_right),
            "indicator, steering",
            "R130 5.2.1.2, ELKS K14",
            lambda v: v.intent_right,
        ),
        Transition(QUIET, State.ARMED, lambda v: True, "following_lines", ""),
    ),
)

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "lanes_absent": "The lane model is missing or too old: camera or perception is gone.",
    "driver_input_absent": "Stalks are not known: a wanted lane change may be warned of.",
    "switched_off": "The driver switched it off; the next start switches it on.",
    "speed_below_range": "Slower than the range in which it warns.",
    "no_marking": "No lane marking is seen.",
    "low_confidence": "Lane markings are seen, but not surely or not precisely enough.",
    "camera_not_calibrated": "The camera's geometry is an estimate: distances are less certain.",
    "lane_width": "The two lines are too near to each other or too far apart to be a lane.",
    "hazard": "Hazard lights are on.",
    "indicator": "The driver indicates, or did shortly before.",
    "steering": "The driver steers that way.",
    "braking": "The driver brakes hard.",
    "kick_down": "The driver presses the accelerator down.",
    "line_lost": "The line that was departed from is no longer seen.",
    "warning_spent": "The car stays on the line; the driver was warned for long enough.",
    "back_in_lane": "The tyre is back inside the lane.",
    "departing_left": "The car leaves its lane to the left.",
    "departing_right": "The car leaves its lane to the right.",
    "following_lines": "At least one line is followed; it warns when the car departs.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
