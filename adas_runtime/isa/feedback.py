"""What the driver is told of a limit that is exceeded: states, their table, and what each state puts out.

Forms (2021/1958 3.5.2): visual then cascaded acoustic or vibrating, haptic through the pedal, or speed control instead;
and information alone. The driver wins in every state: nothing here can keep the car below a limit that the driver
wants to exceed (GSR2 6(2)(d)).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the feedback does; the status carries the value."""

    OFF_KEY = "off_key"
    INIT = "init"
    MONITOR = "monitor"
    STAGE1 = "stage1"
    STAGE2 = "stage2"
    TIMEOUT = "timeout"
    HOLD = "hold"
    LIMIT = "limit"
    LIMIT_OVERRIDDEN = "limit_overridden"
    INFO_ONLY = "info_only"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_key_on: Vehicle master control switch.
        fault: What is at fault, `""` when nothing is.
        is_off: The driver switched the feedback off.
        is_information: This market has information only.
        is_speed_control: The form is speed control; otherwise one of the three warnings.
        is_haptic: The form is the pedal's force: one stage only.
        has_number: There is a limit with a number.
        is_over: There is one, and the indicated speed is above it.
        is_near: There is one, and the speed is near enough for speed control to begin.
        is_rearmed: So far below the limit that a spent warning may come again.
        is_changed: The limit is another than in the step before.
        is_first_over, is_second_over: The first or second stage lasted its time.
        is_urgent: A more urgent warning runs.
        is_overridden: The driver presses the accelerator against pedal force or speed control.
    """

    is_key_on: bool
    fault: str
    is_off: bool
    is_information: bool
    is_speed_control: bool
    is_haptic: bool
    has_number: bool
    is_over: bool
    is_near: bool
    is_rearmed: bool
    is_changed: bool
    is_first_over: bool
    is_second_over: bool
    is_urgent: bool
    is_overridden: bool


WARNING: Final = (State.STAGE1, State.STAGE2)
CONTROL: Final = (State.LIMIT, State.LIMIT_OVERRIDDEN)
WORKING: Final = frozenset((*WARNING, *CONTROL, State.MONITOR, State.TIMEOUT, State.HOLD))

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority
        Transition(ANY, State.OFF_KEY, lambda v: not v.is_key_on, "key_off", "GSR2 6(2)(b)"),
        Transition((State.OFF_KEY,), State.INIT, lambda v: True, "key_on", "GSR2 6(2)(b): on at every start"),
        Transition(ANY, State.FAULT, lambda v: bool(v.fault), "vehicle_absent", "[U] L11, D6", lambda v: v.fault),
        Transition(ANY, State.INFO_ONLY, lambda v: v.is_off, "switched_off", "GSR2 6(2)(b)"),
        Transition(ANY, State.INFO_ONLY, lambda v: v.is_information, "information_only", "market"),
        Transition((State.FAULT,), State.MONITOR, lambda v: True, "fault_cleared", "[U] D6"),
        Transition((State.INIT,), State.MONITOR, lambda v: True, "self_test_passed", "[D]"),
        Transition((State.INFO_ONLY,), State.MONITOR, lambda v: True, "switched_on", "GSR2 6(2)(b)"),
        # --- a warning ends before anything else about it is asked ---
        Transition(
            (*WARNING, State.TIMEOUT, *CONTROL), State.MONITOR, lambda v: not v.has_number, "no_limit", "isa.md 4.1"
        ),
        Transition((*WARNING, *CONTROL), State.HOLD, lambda v: v.is_urgent, "urgent_warning", "[D] F7"),
        Transition(WARNING, State.MONITOR, lambda v: not v.is_over, "within_limit", "2021/1958 1.4"),
        Transition(WARNING, State.STAGE1, lambda v: v.is_changed, "limit_changed", "[D]"),
        Transition(
            (State.STAGE1,),
            State.TIMEOUT,
            lambda v: v.is_haptic and v.is_overridden,
            "driver_overrides",
            "GSR2 6(2)(d)",
        ),
        Transition(
            (State.STAGE1,), State.TIMEOUT, lambda v: v.is_haptic and v.is_first_over, "warning_spent", "[NF] F4"
        ),
        Transition(
            (State.STAGE1,),
            State.STAGE2,
            lambda v: not v.is_haptic and v.is_first_over,
            "driver_does_not_react",
            "2021/1958 3.5.2, time [NF]",
        ),
        Transition((State.STAGE2,), State.TIMEOUT, lambda v: v.is_second_over, "warning_spent", "[NF] F1"),
        Transition((State.TIMEOUT,), State.MONITOR, lambda v: v.is_rearmed, "rearmed", "[D]"),
        Transition((State.TIMEOUT,), State.STAGE1, lambda v: v.is_changed and v.is_over, "limit_changed", "[D]"),
        Transition((State.TIMEOUT,), State.MONITOR, lambda v: v.is_changed, "limit_changed", "[D]"),
        Transition(
            (State.HOLD,),
            State.STAGE1,
            lambda v: not v.is_urgent and v.is_over and not v.is_speed_control,
            "over_limit",
            "[D] F7",
        ),
        Transition((State.HOLD,), State.MONITOR, lambda v: not v.is_urgent, "urgent_warning_over", "[D] F7"),
        # --- speed control ---
        Transition(
            (State.LIMIT,), State.LIMIT_OVERRIDDEN, lambda v: v.is_overridden, "driver_overrides", "GSR2 6(2)(d)"
        ),
        Transition((State.LIMIT,), State.MONITOR, lambda v: not v.is_near, "within_limit", "2021/1958 1.5"),
        Transition(
            (State.LIMIT_OVERRIDDEN,),
            State.MONITOR,
            lambda v: not v.is_over and not v.is_overridden,
            "within_limit",
            "2021/1958 1.5",
        ),
        Transition(
            (State.MONITOR,),
            State.LIMIT_OVERRIDDEN,
            lambda v: v.is_speed_control and v.is_over and v.is_overridden,
            "driver_overrides",
            "GSR2 6(2)(d)",
        ),
        Transition(
            (State.MONITOR,),
            State.LIMIT,
            lambda v: v.is_speed_control and v.is_near and not v.is_overridden and not v.is_urgent,
            "near_limit",
            "2021/1958 1.5",
        ),
        # --- warning ---
        Transition(
            (State.MONITOR,),
            State.HOLD,
            lambda v: v.is_over and v.is_urgent,
            "urgent_warning",
            "[D] F7",
        ),
        Transition(
            (State.MONITOR,),
            State.STAGE1,
            lambda v: not v.is_speed_control and v.is_over,
            "over_limit",
            "2021/1958 1.4",
        ),
        Transition((State.MONITOR,), State.MONITOR, lambda v: not v.has_number, "no_limit", "isa.md 4.1"),
        Transition((State.MONITOR,), State.MONITOR, lambda v: not v.is_over, "within_limit", "2021/1958 1.4"),
    ),
)

REASONS: Final = {
    "key_off": "The vehicle's master switch is off.",
    "key_on": "The vehicle's master switch was turned on.",
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "fault_cleared": "What was at fault is there again.",
    "switched_off": "The driver switched it off; the next start switches it on.",
    "switched_on": "The driver switched it on.",
    "information_only": "This market shows the limit and warns of nothing.",
    "self_test_passed": "It works since the start.",
    "no_limit": "No limit is known, or there is none.",
    "within_limit": "The speed shown is not above the limit.",
    "over_limit": "The speed shown is above the limit.",
    "limit_changed": "The limit changed.",
    "driver_does_not_react": "The driver was shown the limit and does not react.",
    "driver_overrides": "The driver presses the accelerator against it: the driver wins.",
    "warning_spent": "The driver was warned for long enough.",
    "rearmed": "The car was below the limit again.",
    "near_limit": "The car is near the limit: speed control holds it.",
    "urgent_warning": "A more urgent warning goes first.",
    "urgent_warning_over": "The more urgent warning is over.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
