"""States of the headlamps and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the headlamps do; the status carries the value."""

    PARKED = "parked"
    HELD_OFF = "held_off"
    DAY = "day"
    NIGHT = "night"
    MAIN = "main"
    MANUAL_OFF = "manual_off"
    FAULT = "fault"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_on: The car can move, or moves.
        is_held: In park, parking brake on or not moved yet, and the driver wants it dark, and may.
        is_manual_off: The driver switched dipped beam off by two actions, which holds until he is faster or farther.
        is_failed: Light values are missing or no numbers for longer than a dropout.
        is_back: They are there again for long enough.
        is_dipped_wanted: The driver's switch stands at dipped beam.
        cause: What asks for dipped beam without delay, `""` nothing.
        is_start_dark: Too dark to start without, or not known.
        is_bright: Bright for so long, with nothing that asks for light, that dipped beam goes off.
        no_main: What keeps main beam off, `""` nothing.
        is_clear: Nobody was in the beam for long enough to switch it on.
    """

    is_on: bool
    is_held: bool
    is_manual_off: bool
    is_failed: bool
    is_back: bool
    is_dipped_wanted: bool
    cause: str
    is_start_dark: bool
    is_bright: bool
    no_main: str
    is_clear: bool


FRESH: Final = (State.PARKED, State.HELD_OFF, State.MANUAL_OFF)  # no former light to keep: what is measured now decides
DIPPED: Final = frozenset({State.NIGHT, State.MAIN, State.FAULT})
ACTIVE: Final = frozenset({State.DAY, State.NIGHT, State.MAIN})
_DAY, _NIGHT, _MAIN = (State.DAY,), (State.NIGHT,), (State.MAIN,)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority
        Transition(ANY, State.PARKED, lambda v: not v.is_on, "propulsion_off", "R48 6.19.7.3"),
        Transition(ANY, State.HELD_OFF, lambda v: v.is_held, "held_dark", "R48 6.2.7.5.1 (a) to (c)"),
        Transition(ANY, State.MANUAL_OFF, lambda v: v.is_manual_off, "two_actions", "R48 6.2.7.5.1 (d)"),
        Transition(ANY, State.FAULT, lambda v: v.is_failed, "light_unknown", "[D] V10"),
        Transition((State.FAULT,), State.FAULT, lambda v: not v.is_back, "light_unknown", "[D]"),
        Transition((State.FAULT,), State.NIGHT, lambda v: True, "light_known_again", "[D]"),
        Transition(
            (*FRESH, State.DAY, State.NIGHT, State.MAIN),
            State.NIGHT,
            lambda v: v.is_dipped_wanted,
            "driver_wants_dipped",
            "[D] the driver's switch wins",
        ),
        Transition(
            (*FRESH, State.DAY),
            State.NIGHT,
            lambda v: bool(v.cause),
            "dark, rain, front_fog, tunnel, dipped_by_day",
            "R48 6.2.7.5",
            lambda v: v.cause,
        ),
        Transition(FRESH, State.NIGHT, lambda v: v.is_start_dark, "dim_at_start", "R48 6.2.7.5"),
        Transition(FRESH, State.DAY, lambda v: True, "bright_at_start", "R48 6.19.7.1"),
        Transition(
            _MAIN,
            State.NIGHT,
            lambda v: bool(v.no_main),
            "driver_off, perception_absent, vehicle_absent, weather, lit_road, slow, oncoming, preceding, cyclist",
            "R48 6.1.9.3",
            lambda v: v.no_main,
        ),
        Transition(_NIGHT, State.DAY, lambda v: v.is_bright and not v.cause, "bright", "R48 6.2.7.5"),
        Transition(_NIGHT, State.MAIN, lambda v: not v.no_main and v.is_clear, "road_clear", "R48 6.1.9.3"),
    ),
)

REASONS: Final = {
    "propulsion_off": "The propulsion is off; lamps follow the driver's switch alone.",
    "held_dark": "The driver wants it dark in park, with the parking brake on or before moving off.",
    "two_actions": "The driver switched dipped beam off by two actions; faster than 10 km/h or after 100 m it is back.",
    "light_unknown": "No light sensor value: dipped beam is on.",
    "light_known_again": "The light sensor is back.",
    "driver_wants_dipped": "The light switch stands at dipped beam.",
    "dark": "It is dark.",
    "rain": "Rain, or the wiper runs quickly.",
    "front_fog": "Front fog lamps are on.",
    "tunnel": "The map tells of a tunnel.",
    "dipped_by_day": "Dipped beam by day is the law here.",
    "dim_at_start": "It was too dark at the start to go without.",
    "bright_at_start": "It was bright at the start.",
    "bright": "It was bright for long enough.",
    "driver_off": "The driver's stalk does not ask for main beam.",
    "perception_absent": "Who is ahead is not known.",
    "lit_road": "A lit road or a built-up area.",
    "weather": "Rain or fog.",
    "slow": "Slower than main beam's range.",
    "oncoming": "An oncoming vehicle is in the beam.",
    "preceding": "A vehicle ahead is in the beam.",
    "cyclist": "A cyclist or somebody on foot is in the beam.",
    "road_clear": "Nobody is in the beam.",
    "vehicle_absent": "The speed is not known: no main beam, no manual off.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
