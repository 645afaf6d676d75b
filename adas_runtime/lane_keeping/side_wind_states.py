"""States of the help in side wind, and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the help does; the status carries the value."""

    FAULT = "fault"
    STANDBY = "standby"
    READY = "ready"
    ARMED = "armed"
    HELPING = "helping"
    FADING = "fading"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        missing: What is absent, `""` when all is there.
        is_failure: The vehicle state is absent for longer than a short dropout.
        is_stuck: Help was spent several times in a row to the same side: yaw rate or wheel angle is stuck.
        is_in_range: Speed in its range, with hysteresis.
        other: Function or system that steers or has priority, `""` without.
        intent: The driver's action that leaves the steering to the driver, `""` without.
        is_pushed: A sudden side force is confirmed, and the pause since the last help is over.
        is_over: The push is over.
        is_spent: It has helped for as long as it may.
        is_faded: It has faded out.
    """

    missing: str
    is_failure: bool
    is_stuck: bool
    is_in_range: bool
    other: str
    intent: str
    is_pushed: bool
    is_over: bool
    is_spent: bool
    is_faded: bool


STEERING: Final = (State.HELPING, State.FADING)
ACTIVE: Final = (State.ARMED, *STEERING)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority, faults first
        Transition(
            ANY,
            State.FAULT,
            lambda v: bool(v.missing) and v.is_failure,
            "vehicle_absent, motion_unknown",
            "R79 5.1.6.1",
            lambda v: v.missing,
        ),
        Transition(
            ANY,
            State.STANDBY,
            lambda v: bool(v.missing),
            "vehicle_absent, motion_unknown",
            "[D]",
            lambda v: v.missing,
        ),
        Transition(ANY, State.FAULT, lambda v: v.is_stuck, "push_without_end", "[D] until the next start"),
        Transition(ANY, State.READY, lambda v: not v.is_in_range, "speed_below_range", "[D]"),
        Transition(
            ANY,
            State.READY,
            lambda v: bool(v.other),
            "other_function_steers, stability_control",
            "[D]",
            lambda v: v.other,
        ),
        Transition(
            ANY, State.READY, lambda v: bool(v.intent), "driver_steers, steering", "R79 5.1.6", lambda v: v.intent
        ),
        Transition((State.HELPING,), State.FADING, lambda v: v.is_spent, "help_spent", "R79 2.3.4.2"),
        Transition((State.HELPING,), State.FADING, lambda v: v.is_over, "push_over", "R79 2.3.4.2"),
        Transition((State.HELPING,), State.HELPING, lambda v: True, "pushed", "R79 2.3.4.2 (a)"),
        Transition((State.FADING,), State.ARMED, lambda v: v.is_faded, "watching", "[D]"),
        Transition((State.FADING,), State.FADING, lambda v: True, "fading", "[D]"),
        Transition(ANY, State.HELPING, lambda v: v.is_pushed, "pushed", "R79 2.3.4.2 (a)"),
        Transition(ANY, State.ARMED, lambda v: True, "watching", "[D]"),
    ),
)

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "motion_unknown": "The car does not tell its yaw rate or its steering wheel's angle.",
    "push_without_end": "Help to one side was spent three times in a row: yaw rate or wheel angle is stuck.",
    "speed_below_range": "Slower than the range in which it helps.",
    "other_function_steers": "Lane centring, a correction or driver control assistance steers.",
    "stability_control": "Stability control or ABS has priority.",
    "driver_steers": "The driver steers.",
    "steering": "The driver turns the wheel quickly.",
    "help_spent": "It has helped for as long as it may.",
    "push_over": "The push is over.",
    "pushed": "A sudden side force turns the car; it steers part of it away.",
    "fading": "It fades out.",
    "watching": "It watches for a sudden side force.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
