"""The emergency corridor: when it is asked for, and to which side the car then keeps (StVO 11(2))."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """Whether a corridor is asked for."""

    NOT_ASKED = "not_asked"
    FREE = "free"
    LANE_UNKNOWN = "lane_unknown"
    KEEP_LEFT = "keep_left"
    KEEP_RIGHT = "keep_right"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see.

    Args:
        is_asked: The law asks for a corridor on this road.
        is_jam: Traffic is slow, with hysteresis in speed and time.
        number: The lane's number from the left, `None` unknown.
    """

    is_asked: bool
    is_jam: bool
    number: int | None


TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins
        Transition(ANY, State.NOT_ASKED, lambda v: not v.is_asked, "not_asked", "StVO 11(2)"),
        Transition(ANY, State.FREE, lambda v: not v.is_jam, "traffic_flows", "StVO 11(2)"),
        Transition(ANY, State.LANE_UNKNOWN, lambda v: v.number is None, "lane_unknown", "[D] no shift"),
        Transition(ANY, State.KEEP_LEFT, lambda v: v.number == 0, "leftmost_lane", "StVO 11(2)"),
        Transition(ANY, State.KEEP_RIGHT, lambda v: True, "other_lane", "StVO 11(2)"),
    ),
)

REASONS: Final = {
    "not_asked": "The law asks for no corridor on this road, or the map does not say which road it is.",
    "traffic_flows": "Traffic is not slow enough.",
    "lane_unknown": "Which lane the car is in is not known: the driver is told, nothing moves.",
    "leftmost_lane": "The car is in the leftmost lane and keeps left inside it.",
    "other_lane": "The car is in another lane and keeps right inside it.",
}
SIDE: Final = {State.KEEP_LEFT: 1.0, State.KEEP_RIGHT: -1.0}
