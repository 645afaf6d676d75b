"""States of emergency braking, and the table of their transitions (sheet aeb.md, section 6)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What it does; the status carries the value."""

    INIT = "init"
    FAULT = "fault"
    UNAVAILABLE = "unavailable"
    OFF_DRIVER = "off_driver"
    SUSPENDED_ADS = "suspended_ads"
    READY = "ready"
    WARN = "warn"
    BRAKE = "brake"
    HOLD = "hold"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        missing: Input that is absent, `""` without.
        is_failure: The vehicle's state is absent for longer than a short dropout.
        is_blind: The road users are.
        is_checked: Every input was there once.
        is_off: The driver switched it off.
        is_suspended: Automated lane keeping drives, and the market has it rest then.
        is_in_range: Speed in its range, forward.
        interruption: The driver's action that interrupts, `""` without.
        is_same_target: The threat is the one that the interruption was meant for, or there is none.
        is_interrupted: The action holds, or ended a moment ago.
        is_warned_of: A threat is near enough for the warning.
        is_braked_for: Braking has to begin.
        is_over: No threat for long enough.
        is_standing: The car stands.
        is_taken_over: The driver moves a pedal.
    """

    missing: str
    is_failure: bool
    is_blind: bool
    is_checked: bool
    is_off: bool
    is_suspended: bool
    is_in_range: bool
    interruption: str
    is_same_target: bool
    is_interrupted: bool
    is_warned_of: bool
    is_braked_for: bool
    is_over: bool
    is_standing: bool
    is_taken_over: bool


ACTING: Final = (State.WARN, State.BRAKE)
_WATCHING: Final = (State.READY, State.WARN, State.BRAKE, State.INTERRUPTED)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority, faults first
        Transition(ANY, State.FAULT, lambda v: v.is_failure, "vehicle_absent", "R152 5.1.4.1"),
        Transition((State.HOLD,), State.READY, lambda v: v.is_taken_over, "driver_takes_over", "R8 [D]"),
        Transition((State.HOLD,), State.HOLD, lambda v: True, "held", "R8 [D]"),
        Transition((State.BRAKE,), State.HOLD, lambda v: v.is_standing, "stopped", "R8 [D]"),
        Transition((State.INIT,), State.INIT, lambda v: not v.is_checked, "starting", "R152 5.1.4.2"),
        Transition(
            ACTING,
            State.INTERRUPTED,
            lambda v: bool(v.interruption),
            "kick_down, evasive_steering",
            "R152 5.3",
            lambda v: v.interruption,
        ),
        Transition(ANY, State.OFF_DRIVER, lambda v: v.is_off, "switched_off", "R152 5.4.1"),
        Transition(ANY, State.SUSPENDED_ADS, lambda v: v.is_suspended, "automation_drives", "R152 5.4.4"),
        Transition(
            ANY,
            State.UNAVAILABLE,
            lambda v: v.is_blind,
            "objects_absent, vehicle_absent",
            "R152 5.5.7",
            lambda v: v.missing,
        ),
        Transition((State.INTERRUPTED,), State.INTERRUPTED, lambda v: v.is_interrupted and v.is_same_target,
                   "driver_acts", "R152 5.3"),
        Transition(_WATCHING, State.BRAKE, lambda v: v.is_braked_for, "collision_imminent", "R152 5.2.1.2"),
        Transition((State.BRAKE,), State.BRAKE, lambda v: not v.is_over, "collision_imminent", "R152 5.2.1.2"),
        Transition(
            (State.READY, State.WARN, State.INTERRUPTED),
            State.WARN,
            lambda v: v.is_warned_of,
            "collision_ahead",
            "R152 5.2.1.1",
        ),
        Transition((State.WARN,), State.WARN, lambda v: not v.is_over, "collision_ahead", "R152 5.2.1.1"),
        Transition(ANY, State.READY, lambda v: not v.is_in_range, "speed_out_of_range", "R152 5.2.1.3"),
        Transition(ANY, State.READY, lambda v: True, "watching", "R152 5.2.1.3"),
    ),
)  # fmt: skip

REASONS: Final = {
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "objects_absent": "Nobody tells of other road users.",
    "driver_takes_over": "After the stop the driver moved a pedal.",
    "held": "The car is held after the stop, until the driver moves a pedal.",
    "stopped": "It braked to a standstill.",
    "starting": "Not every input has come yet.",
    "kick_down": "The driver floored the accelerator.",
    "evasive_steering": "The driver steers away.",
    "driver_acts": "The driver deals with this road user.",
    "switched_off": "The driver switched it off; the next start switches it on.",
    "automation_drives": "Automated lane keeping drives and avoids collisions itself.",
    "collision_imminent": "Only braking now avoids or softens the collision.",
    "collision_ahead": "A collision is near: the driver has to act.",
    "speed_out_of_range": "Slower or faster than the range in which it works, or in reverse.",
    "watching": "It watches the way ahead.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
