"""One lane towards the side of the road while the car stops for a driver who does not answer (UN R157-01 5.5.3).

R157 gives no confirmed number for it (sheet A38), so that those of a category C lane change hold: the indicator 3 to
5 s before the tyre is at the marking, and a gap in which nobody behind has to brake harder than 3 m/s^2.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from math import inf
from typing import TYPE_CHECKING, Final

from adas_runtime.lateral.change_judge import Judge
from adas_runtime.lateral.control import CENTRE, Target
from adas_runtime.lateral.gap import Around
from adas_runtime.lateral.way import NO_WAY, Way, eased_back, line_speed_mps, made_way
from adas_runtime.records import maker
from adas_runtime.signals import EgoLane, TrackedObjects
from adas_runtime.transitions import Table, Transition

if TYPE_CHECKING:
    from adas_runtime.lane_keeping.change_params import AutomaticLaneChangeParams

INDICATOR_S: Final = 3.0  # R79 5.6.4.6.4, least time of the indicator before the tyre is at the marking
INDICATOR_LATEST_S: Final = 5.0  # the same, M1 and N1
MARGIN_S: Final = 0.3  # the controller may be a little ahead of the plan
RETRY_S: Final = 1.0  # after one that was called off
BACK_M: Final = 0.15
OVERTIME_S: Final = 4.0  # a manoeuvre that lasts so much longer than planned has ended somehow


class State(Enum):
    """How far it has come."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    STAY = "stay"
    INDICATE = "indicate"
    MOVE = "move"
    RETURN = "return"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see.

    Args:
        is_wanted: The car stops, fast enough for a lane change, and may make one.
        blocked: What speaks against it, `""` nothing.
        is_gap: The gap is free.
        is_due, is_late: The indicator was on for long enough to move; for too long to be at the marking in time.
        is_at_line: The tyre is at the marking: from here on it goes on.
        is_done, is_back: The new lane is kept; the car is back in the middle of its own.
    """

    is_wanted: bool
    blocked: str
    is_gap: bool
    is_due: bool
    is_late: bool
    is_at_line: bool
    is_done: bool
    is_back: bool


TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (
        Transition((State.STAY,), State.INDICATE, lambda v: v.is_wanted and not v.blocked, "to_the_side",
                   "R157-01 5.5.3"),
        Transition((State.INDICATE,), State.STAY, lambda v: not v.is_wanted or bool(v.blocked) or v.is_late,
                   "no_gap_in_time", "R79 5.6.4.6.4"),
        Transition((State.INDICATE,), State.MOVE, lambda v: v.is_due and v.is_gap, "gap_free",
                   "R79 5.6.4.6.4, 5.6.4.7"),
        Transition((State.MOVE,), State.RETURN, lambda v: not v.is_at_line and (bool(v.blocked) or not v.is_gap),
                   "gap_closed", "R79 5.6.4.7"),
        Transition((State.MOVE,), State.STAY, lambda v: v.is_done, "lane_changed", "R157-01 5.5.3"),
        Transition((State.RETURN,), State.STAY, lambda v: v.is_back, "back_in_lane", "R79 5.6.4.6"),
    ),
)  # fmt: skip
REASONS: Final = {
    "to_the_side": "Another lane lies nearer to the side of the road: the car indicates.",
    "no_gap_in_time": "No gap came free in the time that the law allows.",
    "gap_free": "The gap is free and the indicator was on for long enough: the car moves.",
    "gap_closed": "The gap closed before the tyre was at the marking: back into the lane.",
    "lane_changed": "The car keeps the new lane.",
    "back_in_lane": "The car is back in the middle of its lane.",
}


@dataclass(frozen=True, slots=True)
class SideStep:
    """All that is kept of it.

    Args:
        reason, entered_s: Of the state.
        side: 1 to the left, -1 to the right.
        moved_s: Start of the movement to the side, or of the way back.
        way: Way to the side.
        base_m: How far the lane's centre has jumped since: 0, or the way when the new lane is the car's own.
        former_m: The lane's offset in the former step, to see that jump.
        back_m, back_mps, back_mps2: On the way back: place, speed and acceleration to the side.
        changed: Lanes changed since the process began.
    """

    state: State = State.STAY
    reason: str = ""
    entered_s: float = -inf
    side: int = 0
    moved_s: float = 0.0
    way: Way = NO_WAY
    base_m: float = 0.0
    former_m: float | None = None
    back_m: float = 0.0
    back_mps: float = 0.0
    back_mps2: float = 0.0
    changed: int = 0


STAY: Final = SideStep()
make_view = maker(View)


class SideStepper:
    """Steps it."""

    def __init__(self, judge: Judge, params: AutomaticLaneChangeParams, side: int) -> None:
        """`side`: where the slow lane lies, 1 left, -1 right."""
        self._judge = judge
        self._line_mps, self._line_most_mps = params.line_mps, params.line_most_mps
        self._side = side

    def can(self, lane: EgoLane | None, objects: TrackedObjects | None, speed_mps: float, *, has_esc: bool) -> str:
        """What speaks against a lane change now, `""` nothing."""
        found = None if lane is None or objects is None else self._around(lane, objects, speed_mps, 0.0)
        return self._judge.blocked(lane, found, self._side, speed_mps, has_trailer=False, has_esc=has_esc)

    def step(
        self,
        old: SideStep,
        lane: EgoLane | None,
        objects: TrackedObjects | None,
        *,
        is_wanted: bool,
        speed_mps: float,
        lead_s: float,
        has_esc: bool,
        dt_s: float,
        now_s: float,
    ) -> SideStep:
        """One step.

        Args:
            lane, objects: As seen, `None` absent.
            is_wanted: The car stops, and may change lanes for it.
            speed_mps: Speed of the car.
            lead_s: From a command to its curvature on the path.
            has_esc: Stability control intervenes.
            dt_s, now_s: Since the former step, and time.
        """
        judge, side, state = self._judge, self._side, old.state
        if state is State.STAY and (not is_wanted or now_s - old.entered_s < RETRY_S):
            return old
        blocked = self.can(lane, objects, speed_mps, has_esc=has_esc)
        way, line_s, is_gap, base_m, is_at_line = old.way, 0.0, False, old.base_m, old.base_m > 0.0
        indicated_s, moved_s = now_s - old.entered_s, now_s - old.moved_s
        if lane is not None:
            if state is State.MOVE or state is State.RETURN:
                if old.former_m is not None and side * (lane.offset_m - old.former_m) > 0.5 * way.width_m:
                    base_m = way.width_m
                is_at_line = base_m > 0.0 or judge.to_line_m(lane, side, now_s) <= 0.0
            else:
                way = self._way(lane, INDICATOR_LATEST_S - indicated_s - lead_s, now_s)
                line_s = lead_s + way.line_s
            if objects is not None:
                found = self._around(lane, objects, speed_mps, line_s)
                is_gap = judge.is_gap(found, speed_mps, line_s, is_moving=state is State.MOVE)
        is_over = moved_s > old.way.whole_s + OVERTIME_S
        row = TRANSITIONS.fire(
            state,
            make_view(
                is_wanted=is_wanted,
                blocked=blocked,
                is_gap=is_gap,
                is_due=indicated_s + line_s >= INDICATOR_S + MARGIN_S,
                is_late=indicated_s + line_s > INDICATOR_LATEST_S,
                is_at_line=is_at_line,
                is_done=moved_s >= old.way.whole_s and (base_m > 0.0 or is_over),
                is_back=is_over or abs(old.back_m) <= BACK_M,
            ),
        )
        found_step = replace(
            old,
            way=way,
            base_m=base_m,
            former_m=old.former_m if lane is None else lane.offset_m,
        )
        if row is not None:
            found_step = replace(found_step, state=row.target, reason=row.reason, entered_s=now_s)
            if row.target is State.INDICATE:
                found_step = replace(found_step, side=side, base_m=0.0)
            elif row.target is State.MOVE:
                found_step = replace(found_step, moved_s=now_s)
            elif row.target is State.RETURN:
                place_m, rate_mps, accel_mps2 = (side * value for value in old.way.at(moved_s))
                found_step = replace(found_step, moved_s=now_s, back_m=place_m, back_mps=rate_mps, back_mps2=accel_mps2)
            elif row.reason == "lane_changed":
                found_step = replace(found_step, changed=old.changed + 1, base_m=0.0)
        elif state is State.RETURN:
            back = eased_back(
                old.back_m,
                old.back_mps,
                old.back_mps2,
                dt_s,
                accel_max_mps2=judge.back_mps2,
                jerk_max_mps3=judge.back_mps3,
            )
            found_step = replace(found_step, back_m=back[0], back_mps=back[1], back_mps2=back[2])
        return found_step

    @staticmethod
    def target(step: SideStep, lead_s: float, now_s: float) -> Target:
        """Where the car should be, left of the middle of the lane that is its own."""
        if step.state is State.MOVE:
            place_m, rate_mps, accel_mps2 = (step.side * value for value in step.way.at(now_s - step.moved_s))
        elif step.state is State.RETURN:
            place_m, rate_mps, accel_mps2 = step.back_m, step.back_mps, step.back_mps2
        else:
            return CENTRE
        # the controller carries an error on in a straight line to when a command of now acts: it meets the way there
        return Target(place_m - step.side * step.base_m - lead_s * rate_mps, rate_mps, accel_mps2)

    def _way(self, lane: EgoLane, in_s: float, now_s: float) -> Way:
        """The way to the side, to the marking in time."""
        judge, line_m = self._judge, self._judge.to_line_m(lane, self._side, now_s)
        accel_mps2, jerk_mps3 = judge.way_mps2, judge.way_mps3
        line_mps = line_speed_mps(
            line_m, in_s, least_mps=self._line_mps, most_mps=self._line_most_mps, accel_mps2=accel_mps2,
            jerk_mps3=jerk_mps3,
        )  # fmt: skip
        return made_way(judge.way_m(lane, self._side), line_m, line_mps, accel_mps2, jerk_mps3)

    def _around(self, lane: EgoLane, objects: TrackedObjects, speed_mps: float, in_s: float) -> Around:
        return self._judge.around(objects, lane, self._side, speed_mps, in_s)
