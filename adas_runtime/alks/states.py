"""States of automated lane keeping, and the tables of their transitions (sheet alks.md, section 3)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import Table, Transition


class State(Enum):
    """What it does; the status carries the value."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    OFF = "off"
    READY = "ready"
    ACTIVE = "active"
    DEMAND = "transition_demand"
    DEMAND_ESCALATED = "transition_demand_escalated"
    STOPPING = "minimum_risk_manoeuvre"
    STOPPED = "stopped"
    LOCKED = "locked"


class Emergency(Enum):
    """Emergency manoeuvre, beside what else goes on: a transition demand stays armed under it."""

    __hash__ = object.__hash__  # as above

    NONE = "none"
    BRAKING = "emergency_manoeuvre"
    STANDING = "emergency_standing"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_new_cycle: The vehicle was started anew.
        unmet: What speaks against working, `""` nothing; where several do, the first.
        is_severe: It cannot go on at all: blind to the lane or to others, or the vehicle's state is gone.
        demand: What the driver has to take over for, `""` nothing.
        is_switched: The driver pressed the button.
        override: How the driver overrides with a hand on the wheel, `""` not.
        is_answered: Hand on the wheel and eyes on the road, for long enough.
        is_held_back: An emergency manoeuvre runs, which only steering ends.
        is_escalation_due, is_stop_due: The demand is that old.
        is_standing: The car stands.
        is_released: After the stop the driver acts on a pedal or the gear.
    """

    is_new_cycle: bool
    unmet: str
    is_severe: bool
    demand: str
    is_switched: bool
    override: str
    is_answered: bool
    is_held_back: bool
    is_escalation_due: bool
    is_stop_due: bool
    is_standing: bool
    is_released: bool


@dataclass(frozen=True, slots=True)
class EmergencyView:
    """What the guards of the emergency manoeuvre see.

    Args:
        is_controlling: The system drives.
        is_risk: A collision is imminent: less than 5 m/s^2 does not avoid it (R157 2.6).
        is_over: The risk has been gone for long enough.
        is_standing: The car stands.
    """

    is_controlling: bool
    is_risk: bool
    is_over: bool
    is_standing: bool


_DEMANDED: Final = (State.DEMAND, State.DEMAND_ESCALATED)
DRIVING: Final = (State.ACTIVE, *_DEMANDED)
CONTROLLING: Final = (*DRIVING, State.STOPPING)
IDLE: Final = (State.OFF, State.READY)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: the driver, then the law's clocks, then what speaks against going on
        Transition((*IDLE, State.STOPPED, State.LOCKED), State.OFF, lambda v: v.is_new_cycle, "run_cycle",
                   "R157 6.2.1, 5.5.5"),
        Transition(
            CONTROLLING,
            State.OFF,
            lambda v: v.override == "driver_steers",
            "driver_steers",
            "R157 6.2.5.1, 6.3.1",
        ),
        Transition(
            CONTROLLING,
            State.OFF,
            lambda v: v.is_switched and not v.is_held_back,
            "switched_off",
            "R157 6.2.5.1, 6.2.5.3",
        ),
        Transition(
            CONTROLLING,
            State.OFF,
            lambda v: bool(v.override) and not v.is_held_back,
            "driver_brakes, driver_accelerates",
            "R157 6.2.5.1, 6.3.2, 6.2.5.3",
            lambda v: v.override,
        ),
        Transition(
            (*_DEMANDED, State.STOPPING),
            State.OFF,
            lambda v: v.is_answered and not v.is_held_back,
            "driver_took_over",
            "R157 6.2.5.2, 6.2.5.3",
        ),
        Transition((State.STOPPED,), State.LOCKED, lambda v: v.is_released, "driver_acts", "R157 5.5.4, 5.5.5"),
        Transition((State.STOPPING,), State.STOPPED, lambda v: v.is_standing, "stopped", "R157 5.5.3"),
        Transition(DRIVING, State.STOPPING, lambda v: v.is_severe, "a severe failure's code", "R157 5.4.4.1.1",
                   lambda v: v.unmet),
        Transition(_DEMANDED, State.STOPPING, lambda v: v.is_stop_due, "no_answer", "R157 5.4.4.1"),
        Transition((State.DEMAND,), State.DEMAND_ESCALATED, lambda v: v.is_escalation_due, "no_answer_yet",
                   "R157 5.4.3.2"),
        Transition((State.ACTIVE,), State.DEMAND, lambda v: bool(v.demand), "what has to be taken over for",
                   "R157 5.4.2, 6.1.2, 6.1.3.1, 6.3.3", lambda v: v.demand),
        Transition(IDLE, State.ACTIVE, lambda v: v.is_switched and not v.unmet, "switched_on",
                   "R157 6.2.2, 6.2.3"),
        Transition((State.READY,), State.OFF, lambda v: bool(v.unmet), "what speaks against it", "R157 6.2.3",
                   lambda v: v.unmet),
        Transition((State.OFF,), State.READY, lambda v: not v.unmet, "available", "R157 6.2.3"),
        Transition((State.OFF,), State.OFF, lambda v: True, "what speaks against it", "R157 6.2.3",
                   lambda v: v.unmet),
    ),
)  # fmt: skip

EMERGENCIES: Final[Table[Emergency, EmergencyView]] = Table(
    Emergency,
    (
        Transition(
            (Emergency.BRAKING, Emergency.STANDING),
            Emergency.NONE,
            lambda v: not v.is_controlling,
            "driver_took_over",
            "R157 5.3.3",
        ),
        Transition((Emergency.NONE, Emergency.STANDING), Emergency.BRAKING, lambda v: v.is_controlling and v.is_risk
                   and not v.is_standing, "collision_imminent", "R157 2.6, 5.3.1.1"),
        Transition((Emergency.BRAKING,), Emergency.STANDING, lambda v: v.is_standing, "stopped", "R157 5.3.3"),
        Transition((Emergency.BRAKING,), Emergency.NONE, lambda v: v.is_over, "risk_over", "R157 5.3.3"),
        Transition((Emergency.STANDING,), Emergency.NONE, lambda v: not v.is_standing, "drives_on", "R157 5.3.3"),
    ),
)  # fmt: skip

SEVERE: Final = {  # what leaves nothing to drive by (R157 5.4.4.1.1)
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "objects_absent": "Nobody tells of other road users.",
    "lane_lost": "The lane is not seen, or not surely enough.",
    "steering_unavailable": "The vehicle says that its steering does not follow.",
    "brakes_unavailable": "The vehicle says that its brakes do not follow.",
}
VEHICLE_FAILURES: Final = ("vehicle_absent", "steering_unavailable", "brakes_unavailable")
UNMET: Final = {  # while it drives, each of these is a transition demand
    "body_absent": "Seat and belt are not known: the body's messages are missing.",
    "driver_input_absent": "Buttons and stalks are not known: nobody could switch it off.",
    "driver_monitoring_lost": "The driver camera is absent, covered or frozen.",
    "map_lost": "The map does not say where the car is.",
    "sensor_lost": "One of the sensors that see road users is gone.",
    "gear": "The gear is not drive.",
    "driver_seat": "Nobody sits on the driver's seat, or nobody knows.",
    "driver_belt": "The driver's belt is not fastened, or nobody knows.",
    "driver_door": "The driver's door is open.",
    "trailer": "A trailer is coupled.",
    "stability_control": "Stability control or anti-lock brakes intervene.",
    "heavy_rain": "The wipers run fast: its sensors were not proven in such rain.",
    "road_outside": "The map does not say that this is a motorway with separated directions.",
    "road_ends": "The motorway ends ahead, or the map does.",
    "speed_high": "Faster than it may drive.",
}
REFUSALS: Final = {  # before it works
    "not_equipped": "The vehicle file names no range ahead that is enough, no brakes, or no data storage.",
    "assistance_at_work": "Another assistance steers or controls the speed.",
    "driver_unavailable": "The driver shows too few signs of being there.",
}
DEMANDS: Final = {
    "driver_unavailable": REFUSALS["driver_unavailable"],
    "driver_left": "The driver left the seat.",
    "driver_accelerates": "The driver accelerates.",
    "driver_brakes": "The driver brakes.",
    "driver_indicates": "The driver indicates.",
    "time_jumped": "The clock jumped, or nothing came for long.",
}
REASONS: Final = {
    "run_cycle": "A new start of the vehicle: off until switched on.",
    "available": "It can be switched on here.",
    "switched_on": "The driver switched it on.",
    "switched_off": "The driver switched it off.",
    "driver_steers": "The driver steers, with a hand on the wheel.",
    "driver_took_over": "The driver has taken over.",
    "driver_acts": "After the stop the driver acts; it stays off until the next start of the vehicle.",
    "no_answer_yet": "The transition demand stays without an answer.",
    "no_answer": "The driver did not take over: the car stops.",
    "stopped": "The car stands.",
    "collision_imminent": "Less than 5 m/s2 does not avoid the collision.",
    "risk_over": "The risk is gone.",
    "drives_on": "The car drives on.",
    **SEVERE,
    **UNMET,
    **REFUSALS,
    **DEMANDS,
}
