"""Lane changes in the core: when one begins, what holds it back, where the car should be meanwhile."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adas_runtime.dcas import change, mrm
from adas_runtime.dcas.change import LaneChange, LaneChangeParams, Manoeuvre
from adas_runtime.dcas.change import State as Change
from adas_runtime.dcas.memory import Judged, Memory, Now
from adas_runtime.dcas.modes import State
from adas_runtime.dcas.params import CONFIRM_BUTTON, LATERAL_JERK_LAW_MPS3
from adas_runtime.function import EPS_S
from adas_runtime.gaze import Sight
from adas_runtime.lateral.control import PathControl, Target
from adas_runtime.lateral.gap import Around
from adas_runtime.lateral.way import eased_back, line_time_s, made_way
from adas_runtime.market.schema import Market
from adas_runtime.records import maker
from adas_runtime.signals import EgoLane, EngagementStage, Indicator, LaneBeyond, LaneSide, RoadClass
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

INDICATED: Final = {Indicator.LEFT: 1, Indicator.RIGHT: -1}
BEFORE: Final = (Change.NONE, Change.PROPOSED, Change.PROCEDURE)
AT_LINE_M: Final = 0.05
LINE_MARGIN_S: Final = 0.3  # the controller may be a little ahead of the plan
DRIFT_FROM_S: Final = 1.0  # R79 5.6.4.6.4 asks it of ACSF C: no movement to the side before
OVERTIME_S: Final = 4.0  # a manoeuvre that lasts so much longer than planned has ended somehow
SIM_NOTICE_S: Final = 3.0  # R171 5.5.4.1.9.1
SETTLED_M: Final = 0.4
JERK_SHARE: Final = 0.8  # of the vehicle's and of the law's jerk: the controller adds to what is planned
BACK_M: Final = 0.1  # back in the middle of the lane
BACK_MPS: Final = 0.1
BESIDE_LINE_M: Final = 0.2  # between the line and the tyre on the shoulder
NOT_ENGAGED: Final = "driver_not_engaged"

make_target = maker(Target)
make_view = maker(change.View)


class Changing:
    """Steps the manoeuvre; `change` holds its table, its gap formula and its parameters."""

    def __init__(self, market: Market, vehicle: Vehicle, control: PathControl) -> None:
        self._params = market.dcas.change
        self._risk = market.dcas.risk
        self._has_sim = market.dcas.sim_enabled
        self._notice_s = market.dcas.notice_s
        self._jerk_mps3 = JERK_SHARE * min(LATERAL_JERK_LAW_MPS3, vehicle.limits.lateral_jerk_max_mps3)
        self._tyres_m = vehicle.dimensions.tyre_outer_width_m
        self._nominal_m = market.lanes.width.nominal_m
        self._change = LaneChange(market.dcas.change, vehicle, market.lanes.width.nominal_m)
        self._control = control
        self._slow_side = -1 if market.road.traffic_side == "right" else 1

    def step(self, old: Memory, judged: Judged, now: Now, *, is_steering: bool, is_stopping: bool) -> Manoeuvre:
        """How far a lane change has come."""
        manoeuvre, params, now_s = old.manoeuvre, self._params, now.now_s
        stalk = manoeuvre.stalk
        if now.driver is not None:
            stalk = INDICATED.get(now.driver.indicator, 0)
        lane = now.lane
        is_steering = is_steering and lane is not None
        is_command = stalk != 0 and manoeuvre.stalk == 0
        behind_s, is_slow = self._behind(old, manoeuvre, now)
        state = manoeuvre.state
        is_risk = is_stopping and (
            manoeuvre.is_risk
            or (
                state is Change.NONE
                and judged.state is State.RISK_MITIGATION
                and now_s - judged.entered_s >= self._risk.change_after_s
                and self.can_reach_side(now, manoeuvre)
            )
        )
        if state is Change.NONE and not is_command and not is_risk and not is_slow:
            if stalk == manoeuvre.stalk and behind_s == manoeuvre.behind_s:
                return manoeuvre
            return replace(manoeuvre, stalk=stalk, behind_s=behind_s)
        side = manoeuvre.side
        if state in (Change.NONE, Change.PROPOSED):
            if is_risk:
                is_command, side = True, self._slow_side
            elif is_command:
                side = stalk
            elif state is Change.NONE:
                side = -self._slow_side
            elif CONFIRM_BUTTON in now.new:
                is_command = True
            elif self._has_sim and now_s - manoeuvre.entered_s >= SIM_NOTICE_S:
                is_command = True  # R171 5.5.4.1.9.1 (01 series): told 3 s before
        return self._fire(
            manoeuvre,
            old,
            judged,
            now,
            side=side,
            stalk=stalk,
            behind_s=behind_s,
            is_steering=is_steering,
            is_command=is_command,
            is_slow=is_slow,
            is_risk=is_risk,
            params=params,
        )

    def target(self, lane: EgoLane, manoeuvre: Manoeuvre, now: Now) -> Target:
        """Where the car should be: the lane's wanted place, and on the way to another lane."""
        if manoeuvre.state not in change.MOVING:
            return make_target(lane.shift_m, 0.0, 0.0)
        # The controller judges the error at the time when a command of now acts, carrying place and rate on. So it is
        # told the place and rate of that time, carried back: a target that speeds up is then met and not trailed.
        lead_s, side = self._control.lead_s(now.speed_mps), manoeuvre.side
        if manoeuvre.state is Change.RETURNING:
            place_m, rate_mps, accel_mps2 = manoeuvre.back_m, manoeuvre.back_mps, manoeuvre.back_mps2
        else:
            place_m, rate_mps, accel_mps2 = (
                side * value for value in manoeuvre.way.at(now.now_s - manoeuvre.moved_s + lead_s)
            )
        return make_target(place_m - lead_s * rate_mps - side * manoeuvre.base_m, rate_mps, accel_mps2)

    def can_reach_side(self, now: Now, manoeuvre: Manoeuvre) -> bool:
        """Whether risk mitigation may still head for a lane or shoulder at the side (R171 5.3.7.3.2)."""
        if manoeuvre.state in (Change.PROCEDURE, Change.DRIFT, Change.MANOEUVRE):
            return True
        if manoeuvre.state is Change.RESUMING:
            return False
        return mrm.can_reach_side(
            self._risk,
            now.lane,
            self._slow_side,
            speed_mps=now.speed_mps,
            is_motorway=now.segment is not None and now.segment.road_class is RoadClass.MOTORWAY,
            has_change=self._params.is_proposed or self._has_sim,
        )

    def _behind(self, old: Memory, manoeuvre: Manoeuvre, now: Now) -> tuple[float | None, bool]:
        """Since when a slower car is ahead, and whether that is long enough to propose a lane change."""
        params = self._params
        lead, max_mps = old.driven.lead.lead, old.driven.speeds.max_mps
        if not params.is_proposed or lead is None or max_mps is None or old.state is not State.ACTIVE:
            return None, False
        is_slow = lead.speed_mps < max_mps - kmh_to_mps(params.propose_slower_kmh) and lead.gap_m < 4.0 * now.speed_mps
        if not is_slow:
            return None, False
        behind_s = now.now_s if manoeuvre.behind_s is None else manoeuvre.behind_s
        if manoeuvre.state is Change.PROPOSED:
            return behind_s, now.now_s - manoeuvre.entered_s < params.propose_for_s
        return behind_s, now.now_s - behind_s >= params.propose_after_s

    def _fire(
        self,
        manoeuvre: Manoeuvre,
        old: Memory,
        judged: Judged,
        now: Now,
        *,
        side: int,
        stalk: int,
        behind_s: float | None,
        is_steering: bool,
        is_command: bool,
        is_slow: bool,
        is_risk: bool,
        params: LaneChangeParams,
    ) -> Manoeuvre:
        now_s, lane, state = now.now_s, now.lane, manoeuvre.state
        way, base_m = manoeuvre.way, manoeuvre.base_m
        accel_mps2, line_mps = params.lateral_accel_mps2, params.line_mps
        if is_risk:
            accel_mps2, line_mps = self._risk.change_lateral_mps2, self._risk.change_line_mps
        line_s, lead_s = 0.0, self._control.lead_s(now.speed_mps)  # what is asked now acts later
        around: Around | None = None
        blocked, is_gap, is_at_line, is_across, is_settled = "", False, False, False, False
        if lane is not None and (state in BEFORE or state is Change.DRIFT):
            if now.objects is not None:
                around = self._change.around(now.objects, lane, side, now.speed_mps)
            line_m = self._change.line_m(lane, side)
            part_s = line_time_s(line_m, line_mps, accel_mps2, self._jerk_mps3)
            moved_s = max(now_s - manoeuvre.moved_s, 0.0) if state is Change.DRIFT else 0.0
            line_s = lead_s + part_s if state is not Change.DRIFT else self._rest_s(manoeuvre, lane, side, now)
            blocked = self._blocked(judged, now, around, side, state, is_risk=is_risk)
            if state is Change.NONE and blocked in change.UNAVAILABLE:
                is_command = False  # nothing is fitted here that could be suppressed: who indicates steers
            if around is not None:
                edge = lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
                is_gap = self._change.is_gap(
                    around,
                    now.speed_mps,
                    old.driven.speeds.limit_mps,
                    in_s=line_s,
                    seen_s=moved_s + line_s,
                    decel_mps2=self._risk.change_rear_decel_mps2 if is_risk else None,
                    is_shoulder=edge is not None and edge.beyond is LaneBeyond.SHOULDER,
                )
        if lane is not None and state in change.MOVING:
            former_m = manoeuvre.former_m
            if former_m is not None and base_m == 0.0 and (lane.offset_m - former_m) * side > 0.5 * way.width_m:
                base_m = way.width_m  # the lane that the car is in is the other one now
            edge = lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
            is_at_line = base_m > 0.0 or (edge is not None and edge.distance_m + edge.width_m <= AT_LINE_M)
            is_inside = all(item.distance_m >= 0.0 for item in lane.edges)
            is_over_time = now_s - manoeuvre.moved_s > way.whole_s + OVERTIME_S
            is_across = (base_m > 0.0 and is_inside) or is_over_time
            is_settled = (abs(lane.offset_m) <= SETTLED_M and now_s - manoeuvre.moved_s >= way.whole_s) or is_over_time
            if manoeuvre.is_risk and base_m == 0.0:  # on a shoulder no lane becomes the car's own: it stays there
                is_across, is_settled = now_s - manoeuvre.moved_s >= way.whole_s, False
        begun_s = now_s - manoeuvre.began_s + EPS_S
        view = make_view(
            is_steering=is_steering,
            is_command=is_command,
            is_proposal=is_slow,
            is_cancelled=not is_risk and stalk != side and manoeuvre.by_stalk,
            blocked=blocked,
            is_late=begun_s + (0.0 if state is Change.DRIFT else line_s) > params.wait_max_s,
            is_due=begun_s + line_s >= params.indicator_s + LINE_MARGIN_S and begun_s >= DRIFT_FROM_S,
            is_gap=is_gap,
            is_at_line=is_at_line,
            is_soon=is_at_line and begun_s < params.indicator_s,  # a car that drifted there by itself: R171 6.2.6
            is_across=is_across,
            is_settled=is_settled,
            is_back=abs(manoeuvre.back_m) <= BACK_M and abs(manoeuvre.back_mps) <= BACK_MPS,
            is_told=now_s - manoeuvre.entered_s >= self._notice_s,
            is_risk=is_risk,
        )
        row = change.TRANSITIONS.fire(state, view)
        entered_s, reason = manoeuvre.entered_s, manoeuvre.reason
        began_s, moved_s, by_stalk = manoeuvre.began_s, manoeuvre.moved_s, manoeuvre.by_stalk
        back = manoeuvre.back_m, manoeuvre.back_mps, manoeuvre.back_mps2
        if state is Change.RETURNING:
            most_mps2 = accel_mps2 if is_risk else params.return_accel_mps2
            back = eased_back(*back, now.dt_s, accel_max_mps2=most_mps2, jerk_max_mps3=self._jerk_mps3)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                entered_s = now_s
                if row.target is Change.PROCEDURE:
                    began_s, base_m, by_stalk = now_s, 0.0, stalk == side and not is_risk and state is Change.NONE
                elif row.target is Change.DRIFT:
                    assert lane is not None  # no gap was judged free without one
                    moved_s = now_s + lead_s
                    line_m = self._change.line_m(lane, side)
                    way = made_way(self._way_m(lane, side), line_m, line_mps, accel_mps2, self._jerk_mps3)
                elif row.target is Change.RETURNING:
                    place_m, rate_mps, accel_mps2 = way.at(now_s + lead_s - moved_s)
                    back = (side * place_m, side * rate_mps, side * accel_mps2)
                elif row.target is Change.NONE:
                    side, base_m, is_risk = 0, 0.0, False
                state = row.target
        return change.make_manoeuvre(
            state,
            side,
            reason,
            entered_s,
            began_s,
            moved_s,
            way,
            base_m,
            None if lane is None else lane.offset_m,
            *back,
            stalk,
            behind_s,
            is_risk,
            by_stalk,
        )

    def _way_m(self, lane: EgoLane, side: int) -> float:
        """How far to the side: a lane width; onto a shoulder, whose width nobody tells, just past the line."""
        edge = lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
        if edge is not None and edge.beyond is LaneBeyond.SHOULDER:
            return max(edge.distance_m, 0.0) + edge.width_m + self._tyres_m + BESIDE_LINE_M
        return lane.width_m or self._nominal_m

    def _rest_s(self, manoeuvre: Manoeuvre, lane: EgoLane, side: int, now: Now) -> float:
        """Time until the tyre is at the line, on the way there [s]."""
        edge = lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
        if edge is None:
            return 0.0
        rest_m = max(edge.distance_m + edge.width_m, 0.0)
        rate_mps = manoeuvre.way.at(now.now_s - manoeuvre.moved_s)[1]
        return min(rest_m / max(rate_mps, 0.3), 3.0)

    def _blocked(
        self, judged: Judged, now: Now, around: Around | None, side: int, state: Change, *, is_risk: bool
    ) -> str:
        """What speaks against the change, `""` nothing."""
        if is_risk:
            if state is Change.DRIFT:
                return "beside" if around is None or around.beside else ""
            return "" if around is not None and not around.beside else "beside"
        engagement, sight = judged.engagement, judged.gaze.sight
        if state is Change.DRIFT:
            not_engaged = "" if engagement.stage is EngagementStage.NONE else NOT_ENGAGED
        elif sight is Sight.UNKNOWN:
            not_engaged = "gaze_unknown"
        else:
            not_engaged = "" if engagement.is_engaged and sight is Sight.RELEVANT else NOT_ENGAGED
        segment = now.segment
        return self._change.blocked(
            now.lane,
            now.objects,
            around,
            side,
            speed_mps=now.speed_mps,
            is_divided=segment is not None
            and (
                segment.road_class is RoadClass.MOTORWAY
                or (segment.road_class is RoadClass.TRUNK and segment.is_dual_carriageway is True)
            ),
            has_trailer=now.body is not None and now.body.is_trailer_coupled is True,
            not_engaged=not_engaged,
        )
