"""States of the correcting half of emergency lane keeping, and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the correction does; the status carries the value."""

    FAULT = "fault"
    STANDBY = "standby"
    OFF_DRIVER = "off_driver"
    READY = "ready"
    ARMED = "armed"
    SUPPRESSED = "suppressed"
    CORRECT_LEFT = "correct_left"
    CORRECT_RIGHT = "correct_right"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        missing: Input that is absent, `""` when all are there.
        is_failure: It is absent for longer than a short dropout.
        is_off: The driver switched it off.
        is_in_range: Speed in its range, with hysteresis.
        lane_fault: Why no line can be steered by, `""` when one can.
        priority: Another system that has priority, `""` without.
        is_override: The driver steers, or did shortly before.
        intent: The driver's action that shows the wish to leave the lane on either side, `""` without.
        intent_left, intent_right: The same, on one side.
        departs_left, departs_right: A departure over a line of that side that may not be crossed is confirmed.
        is_settled: The tyre is well inside again and drifts no more; the least time has passed.
        is_spent: The correction has lasted as long as it may.
    """

    missing: str
    is_failure: bool
    is_off: bool
    is_in_range: bool
    lane_fault: str
    priority: str
    is_override: bool
    intent: str
    intent_left: str
    intent_right: str
    departs_left: bool
    departs_right: bool
    is_settled: bool
    is_spent: bool


CORRECTING: Final = (State.CORRECT_LEFT, State.CORRECT_RIGHT)
WATCHING: Final = tuple(state for state in State if state not in CORRECTING)
ACTIVE: Final = (State.ARMED, State.SUPPRESSED, *CORRECTING)

_L, _R = (State.CORRECT_LEFT,), (State.CORRECT_RIGHT,)
TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority, faults first
        Transition(
            ANY,
            State.FAULT,
            lambda v: bool(v.missing) and v.is_failure,
            "vehicle_absent, lane_absent",
            "ELKS K15",
            lambda v: v.missing,
        ),
        Transition(
            ANY,
            State.STANDBY,
            lambda v: bool(v.missing),
            "vehicle_absent, lane_absent",
            "[D]",
            lambda v: v.missing,
        ),
        Transition(ANY, State.OFF_DRIVER, lambda v: v.is_off, "switched_off", "GSR2 7(4)(a), ELKS K16"),
        Transition(ANY, State.READY, lambda v: not v.is_in_range, "speed_outside_range", "ELKS K7, K8"),
        Transition(
            ANY,
            State.SUPPRESSED,
            lambda v: bool(v.priority),
            "emergency_braking, stability_control, lane_change",
            "R171 5.2.1, [D]",
            lambda v: v.priority,
        ),
        Transition(ANY, State.SUPPRESSED, lambda v: v.is_override, "driver_steers", "GSR2 7(4)(d), R79 5.1.6.1.3"),
        Transition(
            ANY,
            State.SUPPRESSED,
            lambda v: bool(v.intent),
            "hazard, braking, kick_down",
            "ELKS K14",
            lambda v: v.intent,
        ),
        Transition(
            _L,
            State.SUPPRESSED,
            lambda v: bool(v.intent_left),
            "indicator, steering",
            "ELKS K14",
            lambda v: v.intent_left,
        ),
        Transition(
            _R,
            State.SUPPRESSED,
            lambda v: bool(v.intent_right),
            "indicator, steering",
            "ELKS K14",
            lambda v: v.intent_right,
        ),
        Transition(ANY, State.READY, lambda v: bool(v.lane_fault), "lane_unfit", "ELKS K13", lambda v: v.lane_fault),
        Transition(CORRECTING, State.SUPPRESSED, lambda v: v.is_spent, "correction_spent", "R79 2.3.4.2"),
        Transition(CORRECTING, State.ARMED, lambda v: v.is_settled, "back_in_lane", "[D]"),
        Transition(
            CORRECTING,
            State.CORRECT_LEFT,
            lambda v: v.departs_left and not v.departs_right and not v.intent_left,
            "departing_left",
            "ELKS K10, K12",
        ),
        Transition(
            CORRECTING,
            State.CORRECT_RIGHT,
            lambda v: v.departs_right and not v.departs_left and not v.intent_right,
            "departing_right",
            "ELKS K10, K12",
        ),
        Transition(
            WATCHING,
            State.CORRECT_LEFT,
            lambda v: v.departs_left and not v.intent_left,
            "departing_left",
            "ELKS K10, K12",
        ),
        Transition(
            WATCHING,
            State.CORRECT_RIGHT,
            lambda v: v.departs_right and not v.intent_right,
            "departing_right",
            "ELKS K10, K12",
        ),
        Transition(
            WATCHING,
            State.SUPPRESSED,
            lambda v: bool(v.intent_left or v.intent_right),
            "indicator, steering",
            "ELKS K14",
            lambda v: v.intent_left or v.intent_right,
        ),
        Transition(WATCHING, State.ARMED, lambda v: True, "following_lines", ""),
    ),
)

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "lane_absent": "There is no lane estimate: camera or perception is gone.",
    "switched_off": "The driver switched it off; the next start switches it on.",
    "speed_outside_range": "Slower or faster than the range in which it corrects.",
    "lane_unfit": "No line is seen well enough to steer by; the warning may still work.",
    "emergency_braking": "Emergency braking has priority.",
    "stability_control": "Stability control or ABS has priority.",
    "lane_change": "An automatic lane change crosses the line on purpose.",
    "driver_steers": "The driver steers.",
    "hazard": "Hazard lights are on.",
    "indicator": "The driver indicates, or did shortly before.",
    "steering": "The driver steers towards the line.",
    "braking": "The driver brakes hard.",
    "kick_down": "The driver presses the accelerator down.",
    "correction_spent": "The correction has lasted as long as a short correction may.",
    "back_in_lane": "The tyre is well inside the lane again.",
    "departing_left": "The car leaves its lane to the left over a line that may not be crossed.",
    "departing_right": "The car leaves its lane to the right over a line that may not be crossed.",
    "following_lines": "It watches the lines and corrects when the car departs.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
