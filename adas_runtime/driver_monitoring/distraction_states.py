"""States of the distraction warning, and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the warning does; the status carries the value."""

    FAULT = "fault"
    STANDBY = "standby"
    WAITING = "waiting"
    ASSISTED = "assisted"
    LEARNING = "learning"
    OFF_DRIVER = "off_driver"
    PAUSED = "paused"
    WATCHING = "watching"
    EYES_DOWN = "eyes_down"
    WARN = "warn"
    ESCALATED = "escalated"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        missing: What is absent, `""` when all is there.
        is_failure: It is absent for longer than a short dropout, or the camera sees nothing for long.
        is_started: The car has once been fast enough since the start.
        is_assisted: Driver control assistance works and watches the driver itself.
        is_learning: Straight ahead is not learned yet.
        is_off: The driver switched the warning off.
        is_danger: Another system warns of an imminent danger.
        is_in_range: Fast enough to warn, or to go on warning.
        is_down: The gaze is in area 3, or was within what is tolerated.
        is_due: For as long as may be.
        is_min_over: The warning has lasted its least time.
        is_escalation: It has lasted so long that it becomes more urgent.
        is_unknown: Nobody can tell where the driver looks.
    """

    missing: str
    is_failure: bool
    is_started: bool
    is_assisted: bool
    is_learning: bool
    is_off: bool
    is_danger: bool
    is_in_range: bool
    is_down: bool
    is_due: bool
    is_min_over: bool
    is_escalation: bool
    is_unknown: bool


WARNING: Final = (State.WARN, State.ESCALATED)
ACTIVE: Final = (State.PAUSED, State.WATCHING, State.EYES_DOWN, *WARNING)
_QUIET: Final = tuple(state for state in State if state not in WARNING)
_MISSING: Final = "driver_camera_absent, driver_camera_covered, driver_camera_frozen, driver_not_seen, vehicle_absent"

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority, faults first
        Transition(ANY, State.FAULT, lambda v: v.is_failure, _MISSING, "2023/2590 1-3.5.1", lambda v: v.missing),
        Transition(ANY, State.STANDBY, lambda v: bool(v.missing), _MISSING, "[D]", lambda v: v.missing),
        Transition(ANY, State.WAITING, lambda v: not v.is_started, "speed_below_range", "2023/2590 1-3.1.1"),
        Transition(ANY, State.ASSISTED, lambda v: v.is_assisted, "assistance_watches", "2023/2590 1-3.1.3"),
        Transition(ANY, State.LEARNING, lambda v: v.is_learning, "learning_straight_ahead", "2023/2590 1-3.1.1"),
        Transition(ANY, State.OFF_DRIVER, lambda v: v.is_off, "switched_off", "2023/2590 1-3.1.2"),
        Transition(ANY, State.PAUSED, lambda v: v.is_danger, "other_warning", "2023/2590 1-3.1.5"),
        Transition(
            WARNING, State.WATCHING, lambda v: not v.is_down and v.is_min_over, "eyes_back", "2023/2590 1-3.4.1.1"
        ),
        Transition(WARNING, State.EYES_DOWN, lambda v: not v.is_in_range, "too_slow_to_warn", "2023/2590 1-3.3.2.2"),
        Transition((State.WARN,), State.ESCALATED, lambda v: v.is_escalation, "eyes_stay_down", "2023/2590 1-3.4.1.1"),
        Transition(
            _QUIET, State.WARN, lambda v: v.is_due and v.is_in_range, "eyes_down", "2023/2590 1-3.3.2.1, 1-3.3.2.2"
        ),
        Transition(_QUIET, State.EYES_DOWN, lambda v: v.is_down, "eyes_down_for_now", "2023/2590 1-3.3.2.3"),
        Transition(_QUIET, State.WATCHING, lambda v: v.is_unknown, "gaze_unknown", "[D]"),
        Transition(_QUIET, State.WATCHING, lambda v: True, "watching", ""),
    ),
)

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "driver_camera_absent": "The driver camera tells nothing.",
    "driver_camera_covered": "The driver camera is covered, or says that it sees nothing.",
    "driver_camera_frozen": "The driver camera's picture stands still.",
    "driver_not_seen": "The driver camera has not seen the driver's face or eyes for long: no light, or turned away.",
    "speed_below_range": "The car has not yet been fast enough since the start.",
    "assistance_watches": "Driver control assistance works and watches the driver itself.",
    "learning_straight_ahead": "It learns what the camera calls straight ahead for this driver.",
    "switched_off": "The driver switched it off; the next start switches it on.",
    "other_warning": "Another system warns of an imminent danger: one warning at a time.",
    "watching": "It watches where the driver looks.",
    "gaze_unknown": "Nobody can tell where the driver looks just now.",
    "eyes_down_for_now": "The driver looks down, not for long enough yet, or the car is too slow.",
    "eyes_down": "The driver looks down for too long.",
    "eyes_stay_down": "And still does after the warning.",
    "eyes_back": "The driver looks up again.",
    "too_slow_to_warn": "The car has become too slow for a warning.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
