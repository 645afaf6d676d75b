"""Modes of driver control assistance: off, inactive, passive, active, and the ways out (UN R171 2.17, 5.5)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.signals import AssistanceMode
from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the system does; the status carries the value."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    OFF = "off"
    INACTIVE = "inactive"
    PASSIVE = "passive"
    ACTIVE = "active"
    EXITING = "exiting"
    RISK_MITIGATION = "risk_mitigation"
    HELD = "held"
    LOCKOUT = "lockout"


MODES: Final = {  # what the driver is told, in the words of R171 2.18
    State.OFF: AssistanceMode.OFF,
    State.INACTIVE: AssistanceMode.INACTIVE,
    State.PASSIVE: AssistanceMode.PASSIVE,
    State.ACTIVE: AssistanceMode.ACTIVE,
    State.EXITING: AssistanceMode.ACTIVE,
    State.RISK_MITIGATION: AssistanceMode.ACTIVE,
    State.HELD: AssistanceMode.ACTIVE,
    State.LOCKOUT: AssistanceMode.LOCKOUT,
}
CONTROLLING: Final = frozenset({State.ACTIVE, State.EXITING})  # assists the driver
WORKING: Final = frozenset({State.ACTIVE, State.EXITING, State.RISK_MITIGATION, State.HELD})  # has a hand on the car


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_new_cycle: A run cycle ends or begins.
        is_switch_pressed: The driver presses the system's own switch.
        is_activation: The driver asks for assistance: set or resume.
        is_cancel: The driver ends assistance.
        failure: Failure of the whole system, `""` without.
        unmet: First precondition or boundary that is not met, failures included; `""` when all are.
        is_hard: It leaves nothing to assist with: assistance ends at once.
        is_ready: The driver is engaged and does not override.
        is_unavailable: The driver unavailability response is due.
        is_taken_over: The driver overrides in a clear way.
        is_answered: In the way out, a hand has been on the wheel for long enough.
        is_exit_over: The way out lasted its longest.
        is_standing: The car stands.
        is_locked: More unavailability responses in this run cycle than may be.
    """

    is_new_cycle: bool
    is_switch_pressed: bool
    is_activation: bool
    is_cancel: bool
    failure: str
    unmet: str
    is_hard: bool
    is_ready: bool
    is_unavailable: bool
    is_taken_over: bool
    is_answered: bool
    is_exit_over: bool
    is_standing: bool
    is_locked: bool


_OFF, _INACTIVE, _PASSIVE, _ACTIVE = (State.OFF,), (State.INACTIVE,), (State.PASSIVE,), (State.ACTIVE,)
_EXITING = (State.EXITING,)
_ASSISTING = (State.ACTIVE, State.EXITING)
_RISK = (State.RISK_MITIGATION, State.HELD)
_ON = tuple(state for state in State if state is not State.OFF)

PRECONDITIONS: Final = {  # code: (whole-system failure, leaves nothing to assist with, why)
    "vehicle_absent": (True, True, "The vehicle's state is missing or too old."),
    "body_absent": (True, False, "Seat and belt are not known: the body's messages are missing."),
    "driver_input_absent": (True, False, "Buttons and stalks are not known: nobody could switch it off."),
    "lane_absent": (True, False, "No lane estimate comes: camera or perception is gone."),
    "objects_absent": (True, False, "Nothing tells of the traffic ahead."),
    "hands_unknown": (True, False, "Neither hands nor torque on the wheel are known."),
    "driver_monitoring_lost": (True, False, "The driver camera is absent, covered or frozen."),
    "safety_system_fault": (True, False, "Lane departure warning is at fault; assistance may not run without it."),
    "brakes_not_fitted": (True, True, "The vehicle file names no emergency braking, without which R171 permits none."),
    "automation_at_work": (False, False, "Automated lane keeping drives; assistance is the driver's to switch on."),
    "gear": (False, True, "The gear is not drive."),
    "parking_brake": (False, True, "The parking brake is on, or not known."),
    "driver_seat": (False, False, "Nobody sits on the driver's seat, or nobody knows."),
    "driver_belt": (False, False, "The driver's belt is not fastened, or nobody knows."),
    "driver_door": (False, False, "The driver's door is open."),
    "stability_control": (False, False, "Stability control or anti-lock brakes intervene."),
    "speed_high": (False, False, "Faster than assistance is designed for."),
    "speed_low": (False, False, "Slower than assistance may be switched on at."),
    "lane_lost": (False, False, "The lane is not seen, or not surely enough."),
    "lane_narrow": (False, False, "The lane is too narrow for this car."),
    "settling": (False, False, "A boundary has just ended: assistance waits, so that it does not come and go."),
    "road_outside": (False, False, "The map says that this road is not one that assistance is designed for."),
}

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: the run cycle and the driver's switch, then failures and the driver's state, then the rest
        Transition(ANY, State.OFF, lambda v: v.is_new_cycle, "run_cycle", "R171 5.5.3.1, 5.5.4.2.8.1"),
        Transition(
            _OFF,
            State.LOCKOUT,
            lambda v: v.is_switch_pressed and v.is_locked,
            "locked_out",
            "R171 5.5.4.2.8.1",
        ),
        Transition(
            _OFF,
            State.OFF,
            lambda v: v.is_switch_pressed and bool(v.failure),
            "unavailable: the failure's code",
            "R171 5.4.5",
            lambda v: v.failure,
        ),
        Transition(_OFF, State.INACTIVE, lambda v: v.is_switch_pressed, "switched_on", "R171 5.5.3.2.1"),
        Transition(_ON, State.OFF, lambda v: v.is_switch_pressed, "switched_off", "R171 5.5.3.3.1"),
        Transition(
            _RISK,
            State.LOCKOUT,
            lambda v: v.is_taken_over and v.is_locked,
            "locked_out",
            "R171 5.5.4.2.8.1",
        ),
        Transition(
            _RISK,
            State.INACTIVE,
            lambda v: v.is_taken_over,
            "driver_took_over",
            "R171 5.5.4.2.6.4.1; R79 5.1.6.3.7",
        ),
        Transition(
            (State.RISK_MITIGATION,), State.HELD, lambda v: v.is_standing, "stopped", "R171 5.3.7.3.1; R79 5.1.6.3.7"
        ),
        Transition(
            (State.INACTIVE, State.PASSIVE),
            State.OFF,
            lambda v: bool(v.failure),
            "the failure's code",
            "R171 5.4.3",
            lambda v: v.failure,
        ),
        Transition(
            _ASSISTING,
            State.RISK_MITIGATION,
            lambda v: v.is_unavailable,
            "driver_unavailable",
            "R171 5.5.4.2.6.4.1, 5.3.7.3.1",
        ),
        Transition(
            _ASSISTING,
            State.OFF,
            lambda v: bool(v.failure) and v.is_hard,
            "the failure's code",
            "R171 5.4.3",
            lambda v: v.failure,
        ),
        Transition(
            _ASSISTING,
            State.INACTIVE,
            lambda v: bool(v.unmet) and v.is_hard,
            "the precondition's code",
            "R171 5.5.3.3.3",
            lambda v: v.unmet,
        ),
        Transition(
            _ASSISTING,
            State.PASSIVE,
            lambda v: v.is_cancel and not v.unmet,
            "cancelled",
            "R171 5.5.3.3.1",
        ),
        Transition(_ASSISTING, State.INACTIVE, lambda v: v.is_cancel, "cancelled", "R171 5.5.3.3.1"),
        Transition(
            _ACTIVE,
            State.EXITING,
            lambda v: bool(v.unmet),
            "the precondition's code",
            "R171 5.3.5.1.1, 5.5.3.3.3",
            lambda v: v.unmet,
        ),
        Transition(
            _EXITING,
            State.OFF,
            lambda v: v.is_answered and bool(v.failure),
            "the failure's code",
            "R171 5.4.3",
            lambda v: v.failure,
        ),
        Transition(_EXITING, State.INACTIVE, lambda v: v.is_answered, "handed_back", "R171 5.3.5.1.1, 5.5.3.3.3"),
        Transition(
            _EXITING,
            State.RISK_MITIGATION,
            lambda v: v.is_exit_over,
            "exit_unanswered",
            "[D] nobody answers the way out: R79 5.1.6.3",
        ),
        Transition(_INACTIVE, State.PASSIVE, lambda v: not v.unmet, "available", "R171 2.18, 5.5.3.2.2"),
        Transition(
            _PASSIVE,
            State.INACTIVE,
            lambda v: bool(v.unmet),
            "the precondition's code",
            "R171 2.18, 5.5.3.2.2",
            lambda v: v.unmet,
        ),
        Transition(
            _PASSIVE,
            State.ACTIVE,
            lambda v: v.is_activation and v.is_ready,
            "activated",
            "R171 5.5.3.2.2",
        ),
    ),
)

REASONS: Final = {
    "run_cycle": "A run cycle begins or ends: everything starts off.",
    "switched_on": "The driver switched it on.",
    "switched_off": "The driver switched it off; nothing else goes on in its place.",
    "locked_out": "The driver was unavailable more than once: no more assistance in this run cycle.",
    "available": "All preconditions are met: the driver may activate it.",
    "activated": "The driver activated it.",
    "cancelled": "The driver ended assistance.",
    "handed_back": "A hand is on the wheel: assistance has ended.",
    "exit_unanswered": "Assistance has to end and no hand came to the wheel: the car is brought to a stop.",
    "driver_unavailable": "The driver answers no warning: the car is brought to a stop.",
    "driver_took_over": "The driver has taken over.",
    "stopped": "The car stands and is held; only the driver moves it off.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
    **{code: text for code, (_, _, text) in PRECONDITIONS.items()},
}
