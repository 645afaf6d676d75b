"""States of the drowsiness warning, and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the warning does; the status carries the value."""

    FAULT = "fault"
    STANDBY = "standby"
    OFF_SPEED = "off_speed"
    SILENCED = "silenced"
    LEARNING = "learning"
    WATCHING = "watching"
    TIRED = "tired"
    WARN = "warn"
    URGENT = "urgent"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        missing: What is absent, `""` when enough is there.
        is_failure: It is absent for longer than a short dropout.
        is_in_range: Speed in its range, with hysteresis.
        is_silenced: The driver switched the warnings off; the system works on.
        is_learning: It does not know this driver's normal yet, nor have the eyes told anything.
        is_asleep: The eyes have just been closed for as long as a microsleep.
        is_due: The score asks for a warning.
        is_tired: It asks for an information.
        is_improved: It tells of an alert driver again.
        is_acknowledged: The driver pressed the button.
        is_escalation: The warning was not acknowledged for long.
        is_spent: It has sounded for as long as it may.
        may_repeat: The last warning is long enough ago.
    """

    missing: str
    is_failure: bool
    is_in_range: bool
    is_silenced: bool
    is_learning: bool
    is_asleep: bool
    is_due: bool
    is_tired: bool
    is_improved: bool
    is_acknowledged: bool
    is_escalation: bool
    is_spent: bool
    may_repeat: bool


WARNING: Final = (State.WARN, State.URGENT)
ACTIVE: Final = (State.SILENCED, State.LEARNING, State.WATCHING, State.TIRED, *WARNING, State.ACKNOWLEDGED)
_ACK: Final = (State.ACKNOWLEDGED,)
_TIRED: Final = (State.TIRED,)
_QUIET: Final = tuple(state for state in State if state not in (*WARNING, State.ACKNOWLEDGED))
_CALM: Final = tuple(state for state in _QUIET if state is not State.TIRED)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority, faults first
        Transition(
            ANY, State.FAULT, lambda v: v.is_failure, "vehicle_absent, no_cue", "2021/1341 1-3.5", lambda v: v.missing
        ),
        Transition(ANY, State.STANDBY, lambda v: bool(v.missing), "vehicle_absent", "[D]", lambda v: v.missing),
        Transition(
            ANY, State.OFF_SPEED, lambda v: not v.is_in_range, "speed_below_range", "2021/1341 1-3.1.4, 1-3.1.5"
        ),
        Transition(ANY, State.SILENCED, lambda v: v.is_silenced, "warnings_off", "2021/1341 1-3.1.1"),
        Transition(WARNING, State.ACKNOWLEDGED, lambda v: v.is_acknowledged, "acknowledged", "2021/1341 1-3.4"),
        Transition(
            WARNING, State.WATCHING, lambda v: v.is_improved and not v.is_asleep, "driving_improved", "2021/1341 1-3.4"
        ),
        Transition((State.WARN,), State.URGENT, lambda v: v.is_escalation, "not_acknowledged", "2021/1341 1-3.4"),
        Transition((State.URGENT,), State.ACKNOWLEDGED, lambda v: v.is_spent, "told_for_long", "[D]"),
        Transition(_ACK, State.WARN, lambda v: v.is_asleep, "microsleep", "2021/1341 1-3.3.1, [D]"),
        Transition(_ACK, State.WATCHING, lambda v: v.is_improved, "driving_improved", "2021/1341 1-3.4"),
        Transition(_ACK, State.WARN, lambda v: v.is_due and v.may_repeat, "still_drowsy", "[D]"),
        Transition(_QUIET, State.WARN, lambda v: v.is_asleep, "microsleep", "2021/1341 1-3.3.1, [D]"),
        Transition(_QUIET, State.WARN, lambda v: v.is_due, "drowsy", "2021/1341 1-3.3.1"),
        Transition(_TIRED, State.WATCHING, lambda v: v.is_improved, "watching", "[D]"),
        Transition(_CALM, State.TIRED, lambda v: v.is_tired, "tired", "2021/1341 1-3.3.1"),
        Transition(_CALM, State.LEARNING, lambda v: v.is_learning, "learning_the_driver", "2021/1341 1-3.1.6"),
        Transition(_CALM, State.WATCHING, lambda v: True, "watching", ""),
    ),
)

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "no_cue": "Neither eyes nor steering nor the lane are told.",
    "speed_below_range": "Slower than the range in which it works.",
    "warnings_off": "The driver switched its warnings off; it works on, and the next start switches them on.",
    "learning_the_driver": "It learns how this driver steers; closed eyes are warned of already.",
    "watching": "It judges steering, lane and eyes.",
    "tired": "The driver seems to get tired.",
    "drowsy": "The driver seems to be drowsy.",
    "microsleep": "The driver's eyes were closed for long.",
    "still_drowsy": "The driver was warned and still seems to be drowsy.",
    "not_acknowledged": "The driver has not answered the warning.",
    "told_for_long": "The warning has sounded for as long as it may.",
    "acknowledged": "The driver has acknowledged the warning.",
    "driving_improved": "Steering, lane and eyes tell of an alert driver again.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
