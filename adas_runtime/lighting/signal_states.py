"""States of the signal lamps and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the signal lamps do by themselves; the status carries the value."""

    IDLE = "idle"
    REAR_ALERT = "rear_alert"
    EMERGENCY_STOP = "emergency_stop"
    HAZARD = "hazard"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        hazard: Who asks for hazard lamps: `driver_hazard`, `requested`, `crash`, `after_emergency_stop`; `""` nobody.
        is_emergency: The emergency braking logic signal holds.
        is_fast: Speed above that of the emergency stop signal.
        is_rear_danger: A vehicle behind is about to hit the car.
        is_indicating: The driver indicates.
        is_alert_over: The rear-end alert lasted its longest.
    """

    hazard: str
    is_emergency: bool
    is_fast: bool
    is_rear_danger: bool
    is_indicating: bool
    is_alert_over: bool


_HAZARD, _ESS, _ALERT = (State.HAZARD,), (State.EMERGENCY_STOP,), (State.REAR_ALERT,)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: hazard before emergency stop before rear-end alert
        Transition(
            ANY,
            State.HAZARD,
            lambda v: bool(v.hazard),
            "driver_hazard, requested, crash, after_emergency_stop",
            "R48 6.6.7, 6.23.7.3.2; R157 5.5.1",
            lambda v: v.hazard,
        ),
        Transition(_ESS, State.IDLE, lambda v: not v.is_emergency, "emergency_over", "R48 6.23.7.3.2"),
        Transition(
            (State.IDLE, State.HAZARD, State.REAR_ALERT),
            State.EMERGENCY_STOP,
            lambda v: v.is_emergency and v.is_fast,
            "emergency_braking",
            "R48 6.23.7.3.1",
        ),
        Transition(_HAZARD, State.IDLE, lambda v: True, "hazard_over", "R48 6.6.7"),
        Transition(_ALERT, State.IDLE, lambda v: v.is_indicating, "indicator", "R48 6.25"),
        Transition(_ALERT, State.IDLE, lambda v: v.is_alert_over, "alert_spent", "R48 6.25"),
        Transition(_ALERT, State.IDLE, lambda v: not v.is_rear_danger, "alert_over", "R48 6.25"),
        Transition(
            (State.IDLE,),
            State.REAR_ALERT,
            lambda v: v.is_rear_danger and not v.is_indicating and not v.is_alert_over,
            "rear_danger",
            "R48 6.25",
        ),
    ),
)

REASONS: Final = {
    "driver_hazard": "The driver's hazard switch is on.",
    "requested": "A function asks for hazard lamps, such as a minimum-risk manoeuvre.",
    "crash": "A collision was detected.",
    "after_emergency_stop": "The car stands after an emergency stop.",
    "emergency_braking": "Emergency braking above 50 km/h.",
    "emergency_over": "The emergency braking is over.",
    "hazard_over": "Nobody asks for hazard lamps any more.",
    "rear_danger": "A vehicle behind comes too close too fast.",
    "alert_over": "The vehicle behind is no danger any more.",
    "alert_spent": "The rear-end alert lasted its longest.",
    "indicator": "The driver indicates.",
    "nothing": "No signal is asked for.",
    "vehicle_absent": "The vehicle's state is missing: no emergency stop signal, no rear-end alert.",
    "driver_controls_absent": "Neither body nor stalks are known: the driver cannot switch hazard lamps off.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
