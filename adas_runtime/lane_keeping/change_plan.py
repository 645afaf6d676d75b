"""Plan of one automatic lane change: its times, and where the car should be meanwhile."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.function import EPS_S
from adas_runtime.lane_keeping.change_params import START_AFTER_CONFIRM_S, AutomaticLaneChangeParams
from adas_runtime.lane_keeping.change_states import MOVING, STEERING, State
from adas_runtime.lateral.change_judge import Judge
from adas_runtime.lateral.control import CENTRE, PathControl, Pose, Target
from adas_runtime.lateral.way import NO_WAY, Way, eased_back, line_speed_mps, line_time_s, made_way
from adas_runtime.records import maker, replacer
from adas_runtime.signals import EgoLane

TOUCH_TOLERANCE_S: Final = 0.02  # one step
BACK_M: Final = 0.15  # from there lane centring leads on
BACK_MPS: Final = 0.1
BACK_LATEST_S: Final = 8.0


@dataclass(frozen=True, slots=True)
class Plan:
    """One lane change.

    Args:
        side: 1 to the left, -1 to the right, 0 none.
        began_s: The indicator (t = 0 of R79 5.6.4.6).
        confirmed_s: The second action; `None` before.
        moved_s: Start of the movement to the side, or of the way back.
        line_s: Planned from there to the marking [s].
        way: Way to the side.
        base_m: How far the lane's centre has jumped since: 0, or the way when the new lane is the car's own.
        former_m: The lane's offset in the former step, to see that jump.
        back_m, back_mps, back_mps2: Way back: place, speed and acceleration to the left, as planned.
        curvature_1pm: Last seen of the lane, to steer on by where it is lost.
        hands_off_s: Hands off since then before the manoeuvre [s].
        manoeuvre_s: Length of the manoeuvre until now, or of the last one [s].
        is_failed: It took too long, or lane centring did not resume.
    """

    side: int = 0
    began_s: float = 0.0
    confirmed_s: float | None = None
    moved_s: float = 0.0
    line_s: float = 0.0
    way: Way = NO_WAY
    base_m: float = 0.0
    former_m: float | None = None
    back_m: float = 0.0
    back_mps: float = 0.0
    back_mps2: float = 0.0
    curvature_1pm: float = 0.0
    hands_off_s: float = 0.0
    manoeuvre_s: float = 0.0
    is_failed: bool = False


make_plan = maker(Plan)
make_target = maker(Target)
with_plan = replacer(Plan)
NO_PLAN: Final = Plan()


class Planner:
    """Makes and reads plans; `Plan` is the memory, kept by the core."""

    def __init__(self, params: AutomaticLaneChangeParams, judge: Judge, control: PathControl) -> None:
        self._params = params
        self._judge = judge
        self._control = control

    def followed(self, plan: Plan, state: State, lane: EgoLane | None, pose: Pose | None) -> Plan:
        """The plan with what the lane shows: whether another lane is the car's own now."""
        if lane is None or state not in STEERING:
            return plan
        base_m, former_m = plan.base_m, plan.former_m
        if former_m is not None and state in MOVING:
            jump_m = plan.side * (lane.offset_m - former_m)
            if jump_m > 0.5 * plan.way.width_m and base_m == 0.0:
                base_m = plan.way.width_m
            elif jump_m < -0.5 * plan.way.width_m and base_m > 0.0:
                base_m = 0.0
        if base_m == plan.base_m and lane.offset_m == former_m:
            return plan
        curvature_1pm = plan.curvature_1pm if pose is None else pose.curvature_1pm
        return with_plan(plan, base_m=base_m, former_m=lane.offset_m, curvature_1pm=curvature_1pm)

    def line_s(self, plan: Plan, lane: EgoLane, now_s: float, speed_mps: float) -> float:
        """Time to the marking, if it moved to the side from now on [s]."""
        judge, line_m = self._judge, self._judge.to_line_m(lane, plan.side, now_s)
        line_mps = self._line_mps(plan, line_m, now_s, speed_mps)
        return line_time_s(line_m, line_mps, judge.way_mps2, judge.way_mps3) + self._control.lead_s(speed_mps)

    def _line_mps(self, plan: Plan, line_m: float, now_s: float, speed_mps: float) -> float:
        """How fast to move to the marking, from now on: as slowly as the time allows [m/s]."""
        params = self._params
        in_s = params.latest_s - (now_s - plan.began_s)
        if params.method == "confirmed":
            since_s = 0.0 if plan.confirmed_s is None else now_s - plan.confirmed_s
            in_s = min(in_s, params.start_after_confirm_s - since_s)
        return line_speed_mps(
            line_m,
            in_s - self._control.lead_s(speed_mps),
            least_mps=params.line_mps,
            most_mps=params.line_most_mps,
            accel_mps2=self._judge.way_mps2,
            jerk_mps3=self._judge.way_mps3,
        )

    def is_late(self, plan: Plan, state: State, begun_s: float, in_s: float) -> bool:
        """Whether a window of R79 5.6.4.6.4 is missed, or sure to be."""
        params = self._params
        if state is State.APPROACH:
            if begun_s > params.law_latest_s - TOUCH_TOLERANCE_S:
                return True
            since_s = 0.0 if plan.confirmed_s is None else begun_s + plan.began_s - plan.confirmed_s
            return since_s > START_AFTER_CONFIRM_S - TOUCH_TOLERANCE_S  # R79 5.6.4.6.4.2
        if begun_s + in_s > params.latest_s + 2.0 * EPS_S:
            return True
        if params.method == "automatic":
            return False
        if plan.confirmed_s is None:
            return begun_s > params.confirm_latest_s + 2.0 * EPS_S
        return begun_s + plan.began_s - plan.confirmed_s + in_s > params.start_after_confirm_s + 2.0 * EPS_S

    def entered(self, plan: Plan, target: State, lane: EgoLane | None, now_s: float, speed_mps: float) -> Plan:
        """The plan on entry of a state."""
        if target is State.PROCEDURE:
            return with_plan(plan, former_m=None if lane is None else lane.offset_m)
        if target is State.APPROACH and lane is not None:
            judge, line_m = self._judge, self._judge.to_line_m(lane, plan.side, now_s)
            line_mps = self._line_mps(plan, line_m, now_s, speed_mps)
            way = made_way(judge.way_m(lane, plan.side), line_m, line_mps, judge.way_mps2, judge.way_mps3)
            line_s = way.line_s + self._control.lead_s(speed_mps)
            return with_plan(plan, moved_s=now_s, line_s=line_s, way=way, base_m=0.0)
        if target is State.RETURN:
            place_m, rate_mps, accel_mps2 = plan.way.at(now_s - plan.moved_s)
            return with_plan(
                plan,
                moved_s=now_s,
                back_m=plan.side * place_m,
                back_mps=plan.side * rate_mps,
                back_mps2=plan.side * accel_mps2,
            )
        return plan

    def back(self, plan: Plan, dt_s: float) -> Plan:
        """The plan one step later on the way back."""
        place_m, rate_mps, accel_mps2 = eased_back(
            plan.back_m,
            plan.back_mps,
            plan.back_mps2,
            dt_s,
            accel_max_mps2=self._judge.back_mps2,
            jerk_max_mps3=self._judge.back_mps3,
        )
        return with_plan(plan, back_m=place_m, back_mps=rate_mps, back_mps2=accel_mps2)

    @staticmethod
    def is_back(plan: Plan, now_s: float) -> bool:
        """Whether the way back has led to the middle of the lane."""
        is_there = abs(plan.back_m) <= BACK_M and abs(plan.back_mps) <= BACK_MPS
        return is_there or now_s - plan.moved_s > BACK_LATEST_S

    def target(self, plan: Plan, state: State, now_s: float, speed_mps: float) -> Target:
        """Where the car should be, left of the middle of the lane that is its own."""
        if state not in MOVING:
            return CENTRE
        # the way begins when the first command acts, a lead after it was sent. The controller judges the error of that
        # time by going on from here in a straight line: place and rate are given so that this line meets the way there
        if state is State.RETURN:
            place_m, rate_mps, accel_mps2 = plan.back_m, plan.back_mps, plan.back_mps2
        else:
            place_m, rate_mps, accel_mps2 = (plan.side * value for value in plan.way.at(now_s - plan.moved_s))
        place_m -= plan.side * plan.base_m + self._control.lead_s(speed_mps) * rate_mps
        return make_target(place_m, rate_mps, accel_mps2)
