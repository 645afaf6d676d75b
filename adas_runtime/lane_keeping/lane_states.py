"""States of the ego lane and the table of their transitions."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the lane rests on; the status carries the value."""

    STANDBY = "standby"
    NO_LANE = "no_lane"
    FORK = "fork"
    BOTH = "both"
    LEFT_ONLY = "left_only"
    RIGHT_ONLY = "right_only"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_missing: The lane model is absent.
        fault: Why there is no lane although a lane model is there, `""` when there is one.
        has_left, has_right: The lane rests on that side's line.
        is_fork: One side leads elsewhere; the other is followed.
    """

    is_missing: bool
    fault: str
    has_left: bool
    has_right: bool
    is_fork: bool


ACTIVE: Final = frozenset({State.FORK, State.BOTH, State.LEFT_ONLY, State.RIGHT_ONLY})
TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority
        Transition(ANY, State.STANDBY, lambda v: v.is_missing, "lanes_absent", "[D]"),
        Transition(
            ANY,
            State.NO_LANE,
            lambda v: bool(v.fault),
            "no_marking, low_confidence, lane_width",
            "[D]",
            lambda v: v.fault,
        ),
        Transition(ANY, State.FORK, lambda v: v.is_fork, "fork", "[D]"),
        Transition(ANY, State.BOTH, lambda v: v.has_left and v.has_right, "following_lines", ""),
        Transition(ANY, State.LEFT_ONLY, lambda v: v.has_left, "one_side", "[D]"),
        Transition(ANY, State.RIGHT_ONLY, lambda v: True, "one_side", "[D]"),
    ),
)

REASONS: Final = {
    "lanes_absent": "The lane model is missing or too old: camera or perception is gone.",
    "no_marking": "No lane marking is seen.",
    "low_confidence": "Lane markings are seen, but not surely or not precisely enough.",
    "lane_width": "The two lines are too near to each other or too far apart to be a lane.",
    "fork": "The lane forks or merges: the side that goes on is followed, at the width from before.",
    "following_lines": "Both lines are followed.",
    "one_side": "One line is followed; the other side is set at the usual width.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
    "camera_not_calibrated": "Nobody may steer: the camera's geometry is an estimate.",
    "lane_too_narrow": "Nobody may steer: too little room beside the mirrors.",
    "narrow_lane": "Nobody may steer: as narrow as a works lane, but nothing tells of works.",
    "markings_worn": "Nobody may steer: markings are seen in too few pictures.",
    "markings_under_snow": "Nobody may steer: markings are seen in too few pictures; snow may cover them.",
    "markings_under_sand": "Nobody may steer: markings are seen in too few pictures; sand may cover them.",
    "one_side_long": "Nobody may steer: one side alone for too long.",
    "low_lane_confidence": "Nobody may steer: the lane is not sure enough.",
    "works": "Works markings hold.",
}
