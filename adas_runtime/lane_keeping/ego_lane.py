"""The ego lane: the one lane estimate that every lane function steers and warns by."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.lane_keeping import corridor
from adas_runtime.lane_keeping.lane_params import EgoLaneParams
from adas_runtime.lane_keeping.lane_states import ACTIVE, TRANSITIONS, State, View
from adas_runtime.lane_keeping.meaning import LaneRules, Road
from adas_runtime.lane_keeping.track import PUSH_MAX_MPS2, Seen, Track, begun, carried, corrected, look
from adas_runtime.market.facts import Corridor
from adas_runtime.market.schema import LaneFacts
from adas_runtime.records import maker
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    AlertSide,
    BodyState,
    DriverInput,
    EgoLane,
    Horizon,
    Indicator,
    LaneEdge,
    LaneModel,
    LaneSide,
    MarkingType,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "ego_lane"
LANES_MAX_AGE_S: Final = 0.2
OTHER_LINE_M: Final = 0.1  # a works marking this far from the permanent line is another line
UNDER_M: Final = 0.3  # an unseen line this far beyond the car's middle is the other side's
STEADY_MAX_MPS: Final = 3.0
GAP_S: Final = 1.0  # after so long without a picture nothing is carried on: too much may have happened
STEADY_S: Final = 1.5  # time constant of the car's own drift in the lane, which tells a diverging line from it
CALM_MPS: Final = 0.15  # a lane whose width changes slower than this has found its width
ALERT_PERIOD_S: Final = 1.0
CODES: Final = {
    corridor.State.KEEP_LEFT: ("emergency_corridor_left", AlertSide.LEFT),
    corridor.State.KEEP_RIGHT: ("emergency_corridor_right", AlertSide.RIGHT),
    corridor.State.LANE_UNKNOWN: ("emergency_corridor", AlertSide.NONE),
}
NO_ROAD: Final = Road()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the lane estimate reads; empty is absent or too old. What lacks something says so by itself: perception
    when it is blind, a lane function when it may not warn or steer. So nothing is missed a second time here.
    """

    lanes: tuple[LaneModel, ...] = ()
    vehicle: tuple[VehicleState, ...] = ()
    driver: tuple[DriverInput, ...] = ()
    horizon: tuple[Horizon, ...] = ()
    body: tuple[BodyState, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says: a lane with each picture, and what it asks of the driver."""

    lane: EgoLane | None
    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Jam:
    """The emergency corridor.

    Args:
        state: See `corridor.TRANSITIONS`.
        is_on: Traffic is slow.
        since_s: Since when the speed says otherwise than `is_on`, `None` when it does not.
        shift_m: Wanted place now, on its way to the side.
        alert: Code of the alert that runs, `""` without.
        alert_since_s, alert_sent_s: Its beginning, and when it was last sent.
    """

    state: corridor.State = corridor.State.NOT_ASKED
    is_on: bool = False
    since_s: float | None = None
    shift_m: float = 0.0
    alert: str = ""
    alert_since_s: float = 0.0
    alert_sent_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        now_s: Of the former step.
        stamp_s: Stamp of the last picture.
        speed_mps, yaw_rate_rps: At the last picture; yaw rate `None` unknown.
        left, right: Both lines.
        width_m: The lane's width as it was over the last seconds, `None` unknown.
        steady_mps: The car's own drift in its lane, slowly followed, as the lines' rate.
        bend_1pm: The lane's curvature at the front axle.
        fork: Side that is followed while the lane forks or merges.
        fork_s, fork_calm_s: Since when it does, and since when the width is as before.
        one_s, one_m: Time and way with one side alone.
        works_s, is_works: Stamp of the last works marking; works hold.
        share: Share of both lines that the last pictures showed.
        number: Lane from the left, with the number that the markings tell now and since when.
        hint, hint_s: See above.
        road_s, road: What the map said at that stamp.
        is_calibrated: Of the last picture.
        figures: Of the last lane, for the status.
        jam: Emergency corridor.
        state, reason: See `TRANSITIONS`.
    """

    now_s: float | None = None
    stamp_s: float | None = None
    speed_mps: float = 0.0
    yaw_rate_rps: float | None = None
    left: Track | None = None
    right: Track | None = None
    width_m: float | None = None
    steady_mps: float = 0.0
    bend_1pm: float = 0.0
    fork: LaneSide | None = None
    fork_s: float = 0.0
    fork_calm_s: float | None = None
    one_s: float = 0.0
    one_m: float = 0.0
    works_s: float | None = None
    is_works: bool = False
    share: float = 1.0
    number: int | None = None
    hint: int | None = None
    hint_s: float = 0.0
    road_s: float | None = None
    road: Road = NO_ROAD
    is_calibrated: bool = False
    figures: tuple[float | None, ...] = ()
    jam: Jam = Jam()
    state: State = State.STANDBY
    reason: str = "lanes_absent"


make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_status = maker(Status)
make_view = maker(View)
make_lane = maker(EgoLane)
make_edge = maker(LaneEdge)
make_jam = maker(Jam)
make_jam_view = maker(corridor.View)


@dataclass(frozen=True, slots=True)
class Lines:
    """Both lines after a picture.

    Args:
        left, right: The lines; `None`: not followed.
        left_weight, right_weight: See `Choice`.
        moved: 1: the car crossed into the lane to the right, -1: to the left.
        is_works: Works markings hold.
        works_s: See `Memory`.
        fault: Why there are none.
        has_next_left, has_next_right: Another line is seen beyond.
    """

    left: Track | None
    right: Track | None
    left_weight: float
    right_weight: float
    moved: int
    is_works: bool
    works_s: float | None
    fault: str
    has_next_left: bool
    has_next_right: bool


@dataclass(frozen=True, slots=True)
class Motion:
    """What the car did between two pictures.

    Args:
        speed_mps, yaw_rate_rps: Now; yaw rate `None` unknown.
        way_m, turn_rad: Driven, and turned left.
        push_mps2: Lateral acceleration of the lane's lines in the car's frame.
    """

    speed_mps: float
    yaw_rate_rps: float | None
    way_m: float
    turn_rad: float
    push_mps2: float


@dataclass(frozen=True, slots=True)
class Span:
    """The lane's width.

    Args:
        width_m: As remembered, `None` unknown.
        span_m: Between both lines now, `None` where one is missing.
        follows: The one side that the lane rests on, `None`: both.
        fork, fork_s, calm_s: See `Memory`.
        fault: Why the two lines make no lane.
    """

    width_m: float | None
    span_m: float | None
    follows: LaneSide | None
    fork: LaneSide | None
    fork_s: float
    calm_s: float | None
    fault: str


make_lines = maker(Lines)
make_motion = maker(Motion)
make_span = maker(Span)


def _bounded(value: float, most: float) -> float:
    return most if value > most else -most if value < -most else value


def _fits(seen: Seen, track: Track | None, jump_m: float) -> bool:
    return track is not None and abs(seen.y_m - track.y_m) <= jump_m


class EgoLaneEstimate:
    """One lane out of what perception sees, as the market's rules read it; see `TRANSITIONS`.

    Both lines are carried from picture to picture by speed and yaw rate, corrected by what is seen, and change hands
    when the car crosses one. The lane holds at its stamp, the picture's; whoever needs it later carries it on
    (`EgoLane.moved`). One side alone is followed at the width from before; so is the side that goes on at a fork.

    Absent inputs. No lane model: a lane without edges, standby. No vehicle state: lines are followed without the car's
    motion, with more lag in manoeuvres. No driver input: no indicator tells the side at a fork.
    No map: lane number and what lies beyond follow from markings alone, no emergency corridor. No body state: cold is
    not told from warm. Time running back starts everything afresh.
    """

    def __init__(
        self, params: EgoLaneParams, facts: LaneFacts, corridor_facts: Corridor, vehicle: Vehicle, *, is_left_hand: bool
    ) -> None:
        self.state = Memory()
        self._params = params
        self._rules = LaneRules(facts, corridor_facts, is_left_hand=is_left_hand)
        self._axle_m = vehicle.dimensions.wheelbase_m
        self._half_m = 0.5 * vehicle.dimensions.tyre_outer_width_m
        self._mirrors_m = vehicle.dimensions.width_with_mirrors_m
        width = facts.width
        self._nominal_m, self._min_m = width.nominal_m, width.min_m
        self._works_min_m, self._max_m = width.works_min_m, width.max_m
        self._line_m = facts.line_width.lane_m
        self._covering = facts.covering
        self._uncalibrated_min = max(params.confidence_min, params.uncalibrated_confidence_min)
        self._corridor_from_mps = kmh_to_mps(params.corridor_from_kmh)
        self._corridor_until_mps = kmh_to_mps(params.corridor_until_kmh)
        self._has_corridor = corridor_facts.is_required

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        end: Alert | None = None
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                end = self._ended(old.jam, now_s, "time_ran_back")
                old = Memory(now_s=now_s)
        lanes = inputs.lanes[0] if inputs.lanes else None
        vehicle = inputs.vehicle[0] if inputs.vehicle else None
        if lanes is not None and not math.isfinite(lanes.stamp_s):
            lanes = None
        if vehicle is not None and not math.isfinite(vehicle.speed_mps):
            vehicle = None
        if lanes is None:
            return self._without(old, now_s, end)
        if old.stamp_s is not None and lanes.stamp_s <= old.stamp_s:
            self.state = replace(old, now_s=now_s)  # the same picture once more
            return make_outputs(lane=None, alert=end, status=self._status())
        return self._with(old, inputs, lanes, vehicle, now_s, end)

    # --- with and without a picture -----------------------------------------------------------------------------------

    def _without(self, old: Memory, now_s: float, end: Alert | None) -> Outputs:
        """No lane model: a lane without edges says so."""
        state, reason = old.state, old.reason
        row = TRANSITIONS.fire(state, make_view(True, "", False, False, False))
        if row is not None:
            state, reason = row.target, row.reason
        self.state = replace(old, now_s=now_s, jam=Jam(), figures=(), state=state, reason=reason)
        return make_outputs(
            lane=make_lane(stamp_s=max(now_s, 0.0), reason=reason),
            alert=end or self._ended(old.jam, now_s, reason),
            status=self._status(),
        )

    def _with(
        self,
        old: Memory,
        inputs: Inputs,
        lanes: LaneModel,
        vehicle: VehicleState | None,
        now_s: float,
        end: Alert | None,
    ) -> Outputs:
        """A new picture."""
        params = self._params
        stamp_s = lanes.stamp_s
        dt_s = 0.0 if old.stamp_s is None else stamp_s - old.stamp_s
        if dt_s > GAP_S or old.stamp_s is None:
            old, dt_s = self._afresh(old), 0.0
        motion = self._motion(old, vehicle, dt_s)
        lines = self._look(old, lanes, motion, dt_s)
        road_s, road = self._road(old, inputs.horizon)
        span = self._span(old, lines, inputs.driver[0] if inputs.driver else None, road, motion, stamp_s, dt_s)
        left = None if span.follows is LaneSide.RIGHT else lines.left
        right = None if span.follows is LaneSide.LEFT else lines.right
        fault = lines.fault or span.fault
        if fault:
            left = right = None
        state, reason = old.state, old.reason
        row = TRANSITIONS.fire(
            state, make_view(False, fault, left is not None, right is not None, span.fork is not None)
        )
        if row is not None:
            state, reason = row.target, row.reason_for(make_view(False, fault, False, False, False))

        has_both = left is not None and right is not None
        one_s, one_m = (0.0, 0.0) if has_both or fault else (old.one_s + dt_s, old.one_m + abs(motion.way_m))
        fade = math.exp(-dt_s / params.worn_s)
        share = old.share * fade + (1.0 - fade) * self._seen(lines, stamp_s)
        number, hint, hint_s = self._number(old, lines, road, stamp_s)
        jam = self._jam(old.jam, vehicle, road, number, stamp_s, dt_s)
        lane: EgoLane
        figures: tuple[float | None, ...] = ()
        if left is None and right is None:
            number = hint = None
            jam = replace(jam, shift_m=0.0) if jam.shift_m else jam
            lane = make_lane(stamp_s=stamp_s, is_calibrated=lanes.is_calibrated, reason=reason)
            bend_1pm, steady_mps = 0.0, 0.0
        else:
            lane, jam, bend_1pm, rate_mps = self._lane(
                lanes, lines, left, right, span, road, number, jam, inputs.body, share, one_s, one_m, dt_s
            )
            steady_mps = _bounded(old.steady_mps + motion.push_mps2 * dt_s, STEADY_MAX_MPS)
            if span.fork is None:
                steady_mps += (1.0 - math.exp(-dt_s / STEADY_S)) * (rate_mps - steady_mps)
            reason = lane.reason or reason
            figures = (
                lane.offset_m,
                lane.width_m,
                lane.confidence,
                lane.shift_m,
                1.0 if lane.is_works else 0.0,
                None if number is None else float(number),
            )
        alert, jam = self._alert(old.jam, jam, stamp_s, now_s)
        self.state = make_memory(
            now_s=now_s,
            stamp_s=stamp_s,
            speed_mps=motion.speed_mps,
            yaw_rate_rps=motion.yaw_rate_rps,
            left=lines.left,
            right=lines.right,
            width_m=span.width_m,
            steady_mps=steady_mps,
            bend_1pm=bend_1pm,
            fork=span.fork,
            fork_s=span.fork_s,
            fork_calm_s=span.calm_s,
            one_s=one_s,
            one_m=one_m,
            works_s=lines.works_s,
            is_works=lines.is_works,
            share=share,
            number=number,
            hint=hint,
            hint_s=hint_s,
            road_s=road_s,
            road=road,
            is_calibrated=lanes.is_calibrated,
            figures=figures,
            jam=jam,
            state=state,
            reason=reason,
        )
        return make_outputs(lane=lane, alert=end or alert, status=self._status())

    @staticmethod
    def _afresh(old: Memory) -> Memory:
        """What outlives a long gap between pictures: the emergency corridor alone."""
        return Memory(now_s=old.now_s, jam=old.jam, state=old.state, reason=old.reason)

    def _motion(self, old: Memory, vehicle: VehicleState | None, dt_s: float) -> Motion:
        """The car's motion between both pictures; without yaw rate it is taken to follow the lane."""
        speed_mps, yaw_rate_rps = old.speed_mps, None
        if vehicle is not None:
            speed_mps, yaw_rate_rps = vehicle.speed_mps, vehicle.yaw_rate_rps
        along_rps = speed_mps * old.bend_1pm
        turn_rps = along_rps if yaw_rate_rps is None else yaw_rate_rps
        if old.yaw_rate_rps is not None and yaw_rate_rps is not None:
            turn_rps = 0.5 * (old.yaw_rate_rps + yaw_rate_rps)
        return make_motion(
            speed_mps,
            yaw_rate_rps,
            0.5 * (old.speed_mps + speed_mps) * dt_s,
            turn_rps * dt_s,
            _bounded(speed_mps * (along_rps - turn_rps), PUSH_MAX_MPS2),
        )

    def _road(self, old: Memory, horizons: tuple[Horizon, ...]) -> tuple[float | None, Road]:
        if not horizons:
            return None, NO_ROAD
        horizon = horizons[0]
        if old.road_s == horizon.stamp_s:
            return old.road_s, old.road
        return horizon.stamp_s, self._rules.road(horizon)

    # --- lines --------------------------------------------------------------------------------------------------------

    def _look(self, old: Memory, lanes: LaneModel, motion: Motion, dt_s: float) -> Lines:
        """Both lines after this picture."""
        params, rules = self._params, self._rules
        stamp_s = lanes.stamp_s
        confidence_min = params.confidence_min if lanes.is_calibrated else self._uncalibrated_min
        found: list[Seen] = []
        for boundary in lanes.boundaries:
            if boundary.confidence >= confidence_min and boundary.offset_std_m <= params.offset_std_max_m:
                seen = look(boundary, self._axle_m, self._line_m, params.extrapolation_max_m)
                if seen is not None and rules.believes(seen):
                    found.append(seen)
        works_s = old.works_s
        is_held = works_s is not None and stamp_s - works_s <= params.works_hold_s
        choice = rules.choose(found, params.works_white_weight, is_works=is_held)
        if choice.is_works:
            works_s = stamp_s
        elif is_held and works_s is not None and choice.left is not None and choice.right is not None:
            # both permanent lines, and no works marking for as long as another line needs: the works have ended
            is_held = stamp_s - works_s < params.jump_confirm_s
            if not is_held:
                works_s = None
                choice = rules.choose(found, params.works_white_weight, is_works=False)

        left, right, moved = old.left, old.right, 0
        way_m, turn_rad, push_mps2 = motion.way_m, motion.turn_rad, motion.push_mps2
        if left is not None:
            left = carried(left, way_m, turn_rad, push_mps2, dt_s) if stamp_s - left.seen_s <= params.coast_s else None
        if right is not None:
            right = (
                carried(right, way_m, turn_rad, push_mps2, dt_s) if stamp_s - right.seen_s <= params.coast_s else None
            )
        new_left, new_right = choice.left, choice.right
        jump_m = params.jump_m
        if left is not None and (
            (new_right is not None and abs(new_right.y_m - left.y_m) <= jump_m and not _fits(new_right, right, jump_m))
            or (new_left is None and left.y_m < -UNDER_M)
        ):
            left, right, moved = None, left, -1
        elif right is not None and (
            (new_left is not None and abs(new_left.y_m - right.y_m) <= jump_m and not _fits(new_left, left, jump_m))
            or (new_right is None and right.y_m > UNDER_M)
        ):
            left, right, moved = right, None, 1
        if new_left is not None or new_right is not None:
            keep = math.exp(-dt_s / params.filter_s)
            keep_slope, keep_bend = math.exp(-dt_s / params.slope_s), math.exp(-dt_s / params.bend_s)
            rate_mps = left.rate_mps if left is not None else right.rate_mps if right is not None else 0.0
            if new_left is not None:
                left = self._followed(left, new_left, stamp_s, dt_s, rate_mps, keep, keep_slope, keep_bend)
            if new_right is not None:
                right = self._followed(right, new_right, stamp_s, dt_s, rate_mps, keep, keep_slope, keep_bend)
        fault = ""
        if left is None and right is None:
            fault = "low_confidence" if lanes.boundaries else "no_marking"
        return make_lines(
            left,
            right,
            choice.left_weight,
            choice.right_weight,
            moved,
            choice.is_works or is_held,
            works_s,
            fault,
            choice.has_next_left,
            choice.has_next_right,
        )

    def _followed(
        self,
        track: Track | None,
        seen: Seen,
        stamp_s: float,
        dt_s: float,
        rate_mps: float,
        keep: float,
        keep_slope: float,
        keep_bend: float,
    ) -> Track:
        """The line after it was seen. A jump is held back until it lasts: one bad picture must move nothing."""
        if track is None or dt_s <= 0.0:
            return begun(seen, stamp_s, rate_mps)
        apart_m = abs(seen.y_m - track.y_m)
        works = self._rules.works
        if apart_m > OTHER_LINE_M and (seen.colour in works) is not (track.colour in works):
            return begun(seen, stamp_s, rate_mps)  # its colour says that it is another line, not a bad picture
        if apart_m <= self._params.jump_m:
            return corrected(track, seen, stamp_s, dt_s, keep, keep_slope, keep_bend)
        if track.odd_since_s is None:
            return replace(track, odd_since_s=stamp_s)
        if stamp_s - track.odd_since_s >= self._params.jump_confirm_s:
            return begun(seen, stamp_s, rate_mps)
        return track

    # --- width and forks ----------------------------------------------------------------------------------------------

    def _span(
        self,
        old: Memory,
        lines: Lines,
        driver: DriverInput | None,
        road: Road,
        motion: Motion,
        stamp_s: float,
        dt_s: float,
    ) -> Span:
        """The lane's width, and which side is followed where both do not make a lane."""
        params = self._params
        left, right, width_m = lines.left, lines.right, old.width_m
        if left is None or right is None:
            follows = LaneSide.LEFT if left is not None else LaneSide.RIGHT
            return make_span(width_m, None, follows, None, stamp_s, None, "")
        slope = 0.5 * (left.slope + right.slope)
        span_m = (left.y_m - right.y_m) / math.sqrt(1.0 + slope * slope) - 0.5 * (left.paint_m + right.paint_m)
        is_lane = self._works_min_m <= span_m <= self._max_m
        if width_m is None or lines.is_works is not old.is_works:
            if not is_lane:
                return make_span(None, span_m, None, None, stamp_s, None, "lane_width")
            return make_span(span_m, span_m, None, None, stamp_s, None, "")
        fork, fork_s, calm_s = old.fork, old.fork_s, old.fork_calm_s
        is_odd = not is_lane or abs(span_m - width_m) > params.fork_grow_m
        if fork is None:
            if not is_odd:
                width_m += (1.0 - math.exp(-dt_s / params.width_s)) * (span_m - width_m)
                return make_span(width_m, span_m, None, None, stamp_s, None, "")
            steady_mps = old.steady_mps + motion.push_mps2 * dt_s
            fork, fork_s, calm_s = self._side(driver, road, left, right, steady_mps), stamp_s, None
        if abs(span_m - width_m) > 0.5 * params.fork_grow_m or not is_lane:
            calm_s = None
        elif calm_s is None:
            calm_s = stamp_s
        is_new = (
            is_lane and stamp_s - fork_s >= params.fork_accept_s and abs(left.rate_mps - right.rate_mps) <= CALM_MPS
        )
        if is_new or (calm_s is not None and stamp_s - calm_s >= params.fork_end_s):
            return make_span(span_m, span_m, None, None, stamp_s, None, "")
        return make_span(width_m, span_m, fork, fork, fork_s, calm_s, "")

    def _side(self, driver: DriverInput | None, road: Road, left: Track, right: Track, steady_mps: float) -> LaneSide:
        """The side that is followed: the driver's, the map's, else the one that goes on as the car did before."""
        if driver is not None and driver.indicator is Indicator.LEFT:
            return LaneSide.LEFT
        if driver is not None and driver.indicator is Indicator.RIGHT:
            return LaneSide.RIGHT
        if road.exit_m is not None and road.exit_m <= self._params.exit_ahead_m:
            return LaneSide.LEFT if self._rules.is_left_hand else LaneSide.RIGHT
        is_left = abs(left.rate_mps - steady_mps) <= abs(right.rate_mps - steady_mps)
        return LaneSide.LEFT if is_left else LaneSide.RIGHT

    # --- lane number --------------------------------------------------------------------------------------------------

    def _number(self, old: Memory, lines: Lines, road: Road, stamp_s: float) -> tuple[int | None, int | None, float]:
        """The lane's number from the left, and what the markings say of it now and since when."""
        number, left, right = old.number, lines.left, lines.right
        if road.lanes != old.road.lanes:
            number = None
        if number is not None and lines.moved:
            number += lines.moved
            if number < 0 or (road.lanes is not None and number >= road.lanes):
                number = None
        hint = None
        if left is not None and right is not None and not lines.is_works:
            hint = self._rules.number_hint(left.type, right.type, left.colour, right.colour, road)
        hint_s = stamp_s if hint != old.hint or lines.moved else old.hint_s
        if hint is not None and hint != number and stamp_s - hint_s >= self._params.lane_number_s:
            number = hint
        return number, hint, hint_s

    # --- emergency corridor -------------------------------------------------------------------------------------------

    def _jam(
        self, old: Jam, vehicle: VehicleState | None, road: Road, number: int | None, stamp_s: float, dt_s: float
    ) -> Jam:
        """Whether traffic stands, and on which side the car then keeps; the shift is limited with the lane."""
        if not self._has_corridor:
            return old
        is_on, since_s = old.is_on, old.since_s
        if vehicle is not None:
            params = self._params
            if is_on:
                is_other, after_s = vehicle.speed_mps > self._corridor_until_mps, params.corridor_release_s
            else:
                is_other, after_s = abs(vehicle.speed_mps) < self._corridor_from_mps, params.corridor_after_s
            if not is_other:
                since_s = None
            elif since_s is None:
                since_s = stamp_s
            if since_s is not None and stamp_s - since_s >= after_s:
                is_on, since_s = not is_on, None
        row = corridor.TRANSITIONS.fire(old.state, make_jam_view(road.asks_corridor, is_on, number))
        state = old.state if row is None else row.target
        return make_jam(state, is_on, since_s, old.shift_m, old.alert, old.alert_since_s, old.alert_sent_s)

    def _alert(self, old: Jam, jam: Jam, stamp_s: float, now_s: float) -> tuple[Alert | None, Jam]:
        """What the driver is told of the corridor: at its beginning, again and again, and at its end."""
        if jam.state is corridor.State.NOT_ASKED and not old.alert:
            return None, jam  # most of a drive
        code, side = CODES.get(jam.state, ("", AlertSide.NONE))
        if code == old.alert:
            if not code or now_s - old.alert_sent_s < ALERT_PERIOD_S:
                return None, jam
            jam = replace(jam, alert_sent_s=now_s)
        elif old.alert:  # the end of the one first, the other with the next picture
            return self._ended(old, now_s, jam.state.value), replace(jam, alert="")
        else:
            jam = replace(jam, alert=code, alert_since_s=now_s, alert_sent_s=now_s)
        alert = Alert(
            stamp_s=stamp_s,
            author=NAME,
            code=CODES[jam.state][0],
            is_active=True,
            level=AlertLevel.INFO,
            side=side,
            since_s=jam.alert_since_s,
            cause=f"emergency_corridor: {jam.state.value}",
        )
        return alert, jam

    def _ended(self, jam: Jam, now_s: float, cause: str) -> Alert | None:
        """The last message of an alert that ran, `None` when none did."""
        if not jam.alert:
            return None
        stamp_s = max(now_s, 0.0)
        return Alert(
            stamp_s=stamp_s,
            author=NAME,
            code=jam.alert,
            is_active=False,
            level=AlertLevel.INFO,
            side=next(side for code, side in CODES.values() if code == jam.alert),
            since_s=jam.alert_since_s,
            cause=cause,
        )

    # --- the lane -----------------------------------------------------------------------------------------------------

    def _lane(
        self,
        lanes: LaneModel,
        lines: Lines,
        left: Track | None,
        right: Track | None,
        span: Span,
        road: Road,
        number: int | None,
        jam: Jam,
        body: tuple[BodyState, ...],
        share: float,
        one_s: float,
        one_m: float,
        dt_s: float,
    ) -> tuple[EgoLane, Jam, float, float]:
        """The lane of these lines; besides, the corridor after its shift, curvature and drift at the front axle."""
        params = self._params
        stamp_s, axle_m, half_m = lanes.stamp_s, self._axle_m, self._half_m
        width_m = self._nominal_m if span.width_m is None else span.width_m
        left_weight = right_weight = 0.0
        if left is not None:
            left_weight = self._weight(left, lines.left_weight, stamp_s)
        if right is not None:
            right_weight = self._weight(right, lines.right_weight, stamp_s)
        if left is not None and right is not None and span.span_m is not None:
            total = max(left_weight + right_weight, 1e-6)
            part = right_weight / total
            slope = left.slope + part * (right.slope - left.slope)
            lean = math.sqrt(1.0 + slope * slope)
            bend_1pm = left.bend_1pm + part * (right.bend_1pm - left.bend_1pm)
            bend_rate = left.bend_rate_1pm2 + part * (right.bend_rate_1pm2 - left.bend_rate_1pm2)
            rate_mps = left.rate_mps + part * (right.rate_mps - left.rate_mps)
            if min(lines.left_weight, lines.right_weight) >= 1.0:
                width_m = span.span_m
            reach_m = 0.5 * width_m * lean
            centre_m = (
                left_weight * (left.y_m - 0.5 * left.paint_m * lean - reach_m)
                + right_weight * (right.y_m + 0.5 * right.paint_m * lean + reach_m)
            ) / total
            far_m = max(left.far_m, right.far_m)
            # a second, weaker line never makes the lane less sure than the better one alone
            confidence = max(min(left_weight, right_weight), params.one_side_factor * max(left_weight, right_weight))
        else:
            track = left if left is not None else right
            assert track is not None
            slope, bend_1pm, bend_rate = track.slope, track.bend_1pm, track.bend_rate_1pm2
            lean = math.sqrt(1.0 + slope * slope)
            reach_m = 0.5 * (width_m + track.paint_m) * lean
            centre_m = track.y_m - reach_m if left is not None else track.y_m + reach_m
            rate_mps, far_m = track.rate_mps, track.far_m
            confidence = params.one_side_factor * max(left_weight, right_weight)
        edges = (
            self._edge(LaneSide.LEFT, left, left_weight, centre_m, rate_mps, width_m, lean, road, number, lines),
            self._edge(LaneSide.RIGHT, right, right_weight, centre_m, rate_mps, width_m, lean, road, number, lines),
        )

        # how far it may be believed, and whether anybody may steer by it
        blocked = ""
        is_narrow = width_m < self._min_m and not lines.is_works
        if is_narrow:
            confidence = min(confidence, params.narrow_confidence)
        if self._is_raised(left) and self._is_raised(right):
            confidence = min(confidence, params.raised_confidence)
        if not lanes.is_calibrated:
            blocked = "camera_not_calibrated"
        elif width_m < self._mirrors_m + 2.0 * params.side_clearance_m:
            blocked = "lane_too_narrow"
        elif is_narrow:
            blocked = "narrow_lane"
        elif share < params.worn_share:
            blocked = self._covered(body)
        elif one_s > params.one_side_s or one_m > params.one_side_m:
            blocked = "one_side_long"
        elif confidence < params.steer_confidence_min:
            blocked = "low_lane_confidence"
        reason = blocked or ("fork" if span.fork is not None else "works" if lines.is_works else "")

        # where inside the lane the car should keep
        wish_m = 0.0
        if jam.state is not corridor.State.NOT_ASKED:
            wish_m = corridor.SIDE.get(jam.state, 0.0) * params.corridor_shift_m
        room_m = max(0.5 * width_m - half_m - params.corridor_room_m, 0.0)
        room_left_m = room_m if left is not None else 0.0
        room_right_m = room_m if right is not None else 0.0
        step_m = params.shift_rate_mps * dt_s
        shift_m = jam.shift_m + _bounded(wish_m - jam.shift_m, step_m)
        shift_m = min(max(shift_m, -room_right_m), room_left_m) + 0.0
        if shift_m != jam.shift_m:
            jam = replace(jam, shift_m=shift_m)

        at_m = axle_m
        lane = make_lane(
            stamp_s=stamp_s,
            edges=edges,
            offset_m=_bounded(centre_m - at_m * (slope - at_m * (0.5 * bend_1pm - at_m * bend_rate / 6.0)), 20.0),
            heading_rad=_bounded(slope - at_m * (bend_1pm - 0.5 * at_m * bend_rate), 1.6),
            curvature_1pm=_bounded(bend_1pm - at_m * bend_rate, 0.5),
            curvature_rate_1pm2=bend_rate,
            width_m=min(max(width_m, 0.0), 20.0),
            x_max_m=min(max(far_m, 0.0), 300.0),
            shift_m=shift_m,
            shift_reason="emergency_corridor" if shift_m != 0.0 or wish_m != 0.0 else "",
            lanes=road.lanes,
            lane_from_left=number,
            is_works=lines.is_works,
            is_calibrated=lanes.is_calibrated,
            is_fit_to_steer=not blocked,
            confidence=confidence,
            reason=reason,
        )
        return lane, jam, bend_1pm, rate_mps

    @staticmethod
    def _seen(lines: Lines, stamp_s: float) -> float:
        """Share of the own lane's lines that this picture shows."""
        left, right = lines.left, lines.right
        return 0.5 * ((left is not None and left.seen_s == stamp_s) + (right is not None and right.seen_s == stamp_s))

    def _weight(self, track: Track, weight: float, stamp_s: float) -> float:
        """How far a line is believed now: less while it is carried on unseen."""
        unseen_s = stamp_s - track.seen_s
        if unseen_s > 0.0:
            weight *= 1.0 - 0.5 * unseen_s / self._params.coast_s
        return min(max(track.confidence * weight, 0.0), 1.0)

    def _edge(
        self,
        side: LaneSide,
        track: Track | None,
        weight: float,
        centre_m: float,
        rate_mps: float,
        width_m: float,
        lean: float,
        road: Road,
        number: int | None,
        lines: Lines,
    ) -> LaneEdge:
        rules = self._rules
        is_left = side is LaneSide.LEFT
        if track is None:
            y_m = centre_m if is_left else -centre_m
            return make_edge(
                side=side,
                distance_m=_bounded((y_m - self._half_m) / lean + 0.5 * width_m, 20.0),
                rate_mps=(rate_mps / lean if is_left else -rate_mps / lean) + 0.0,
                is_seen=False,
                confidence=0.0,
            )
        y_m = track.y_m if is_left else -track.y_m
        lean = math.sqrt(1.0 + track.slope * track.slope)
        return make_edge(
            side=side,
            distance_m=_bounded((y_m - self._half_m) / lean - 0.5 * track.paint_m, 20.0),
            rate_mps=(track.rate_mps / lean if is_left else -track.rate_mps / lean) + 0.0,
            type=track.type,
            colour=track.colour,
            width_m=track.paint_m,
            may_cross=rules.may_cross(track.type),
            beyond=rules.beyond(
                side,
                track.type,
                track.colour,
                road,
                number,
                has_next=lines.has_next_left if is_left else lines.has_next_right,
                is_works=lines.is_works,
            ),
            confidence=weight,
        )

    @staticmethod
    def _is_raised(track: Track | None) -> bool:
        return track is None or track.type is MarkingType.STUDS

    def _covered(self, body: tuple[BodyState, ...]) -> str:
        """What may hide the markings in this country, in this cold."""
        warmth_k = body[0].outside_temperature_k if body else None
        if "snow" in self._covering and (warmth_k is None or warmth_k <= self._params.cold_k):
            return "markings_under_snow"
        if "sand" in self._covering and (warmth_k is None or warmth_k > self._params.cold_k):
            return "markings_under_sand"
        return "markings_worn"

    def _status(self) -> Status:
        memory = self.state
        is_active = memory.state in ACTIVE
        return make_status(
            state=memory.state._value_,
            is_active=is_active,
            reason=memory.reason,
            kpis=memory.figures if is_active else (),
        )


def build(context: BuildContext) -> EgoLaneEstimate:
    """The core for this market and vehicle."""
    market = context.market
    return EgoLaneEstimate(
        market.ego_lane,
        market.lanes,
        market.corridor,
        context.vehicle,
        is_left_hand=market.road.traffic_side == "left",
    )


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="The one lane that all lane functions share: place, shape, width, edges and what they mean here.",
    process=Process.DECISION,
    inputs=(
        # many: see `Inputs`; the driver need not be told of one missing camera by everyone behind it
        Input(name="lanes", signal=LaneModel, max_age_s=LANES_MAX_AGE_S, many=True),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2, many=True),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, many=True),
        Input(name="horizon", signal=Horizon, max_age_s=2.0, many=True, source="horizon"),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
    ),
    outputs=(
        Output(name="lane", signal=EgoLane),
        Output(name="alert", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.2,
    trigger="lanes",
    min_period_s=0.01,
    has_stage=False,
    kpis=("offset_m", "width_m", "confidence", "shift_m", "is_works", "lane_from_left"),
    alerts=("emergency_corridor_left", "emergency_corridor_right", "emergency_corridor"),
    build=build,
)
