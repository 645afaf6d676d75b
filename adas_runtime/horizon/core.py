"""The electronic horizon: where the car is on the map, and what the road brings."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final, Protocol

from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.horizon.ahead import Ahead
from adas_runtime.horizon.geo import Point, course_rad, distance_m, turn_rad
from adas_runtime.horizon.match import (
    COURSE_FROM_MPS,
    NO_BELIEF,
    Belief,
    Hypothesis,
    course_at,
    drive_on,
    evidence_of,
    observe,
)
from adas_runtime.horizon.roads import Edge, RoadMap
from adas_runtime.market.laws import Laws, carried_laws
from adas_runtime.signals import BodyState, FixStatus, Health, Horizon, PoseFix, VehicleState

NAME: Final = "horizon"
SUPPLIER: Final = "map_supplier"  # source of a horizon that a map supplier's own unit sends
MATCHED_FROM: Final = 0.6  # belief in one road from which the car counts as matched
MATCHED_UNTIL: Final = 0.45
RESEND_S: Final = 0.5  # and at once on another road; the offsets hold at the stamp
ANCHOR_M: Final = 8.0  # a course from two fixes needs this distance between them
BLIND_MOST_M: Final = 5000.0  # dead reckoning ends here: the longest road tunnels but a few are shorter
ODOMETRY_SHARE: Final = 0.02  # error of the driven distance
FIX_STD_M: Final = 5.0
AT_END_M: Final = 0.5
GOES_ON: Final = 0.02
LANE: Final = "lanelet"  # each lane of a Lanelet2 map is a road of its own
SAME_PLACE_M: Final = 40.0
FIX_PERIOD_S: Final = 0.095  # fixes at more than 10 Hz bring no news, only work
GAP_S: Final = 2.0  # a longer step is no driving that anyone has seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the horizon reads; `None` is absent or too old. Few cars have a supplier, so none is missed."""

    fix: PoseFix | None = None
    vehicle: VehicleState | None = None
    supplied: Horizon | None = None
    body: BodyState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the horizon says."""

    horizon: Horizon | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All that is kept from step to step.

    Args:
        belief: Where the car may be.
        now_s, speed_mps: Of the former step.
        fix_s: Stamp of the last fix that was used; `None` before the first.
        since_fix_m: Driven since then.
        heading_rad: Course, by fixes and yaw rate.
        anchor: Fix that the next course is measured from.
        last_point: Last fix that was used.
        is_matched: The car counts as on a road.
        pending_m: Driven since the belief was last moved.
        sent_s, sent_edge: When the last horizon was sent, and on which road the car then was.
    """

    belief: Belief = NO_BELIEF
    now_s: float | None = None
    speed_mps: float = 0.0
    fix_s: float | None = None
    since_fix_m: float = 0.0
    pending_m: float = 0.0
    heading_rad: float | None = None
    anchor: Point | None = None
    last_point: Point | None = None
    is_matched: bool = False
    sent_s: float | None = None
    sent_edge: int = -1


class HorizonProvider(Protocol):
    """Whoever tells the road ahead: the map on board, or a supplier's unit by its topic."""

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step."""
        ...


class SuppliedHorizon:
    """The horizon of a map supplier's own unit, as its topic brings it: taken as it is, with its own stamp."""

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; nothing is sent where nothing came."""
        supplied = inputs.supplied
        if supplied is None or not supplied.is_matched or not supplied.segments:
            return Outputs(horizon=None, status=Status(state="no_supply", reason="the supplier tells no road"))
        if not supplied.provider:
            supplied = replace(supplied, provider=SUPPLIER)
        return Outputs(
            horizon=supplied,
            status=Status(
                state="supplied",
                is_active=True,
                kpis=(supplied.confidence, _length_m(supplied), supplied.position_std_m),
            ),
        )


class MapHorizon:
    """The road ahead from the map on board.

    Absent inputs. No fix: the car drives on along the roads by its speed and yaw rate (tunnels); what is believed of
    the place grows weaker at each fork, and ends after `BLIND_MOST_M`. No vehicle state: the distance between the fixes
    counts. Neither: nothing moves, and the match ends once the last fix is old. Time running back starts afresh.
    """

    def __init__(self, roads: RoadMap, laws: Laws) -> None:
        self.state = Memory()
        self._roads = roads
        self._ahead = Ahead(roads, laws)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        if not math.isfinite(now_s):
            now_s = old.now_s if old.now_s is not None else 0.0
        if old.now_s is None or now_s < old.now_s:
            old = Memory(now_s=now_s)
        elapsed_s = now_s - (old.now_s or 0.0)
        fix = inputs.fix
        if fix is not None and (
            fix.status is FixStatus.NO_FIX
            or not math.isfinite(fix.latitude_deg + fix.longitude_deg)
            or abs(fix.latitude_deg) > 89.0
        ):
            fix = None
        is_new = fix is not None and (old.fix_s is None or fix.stamp_s >= old.fix_s + FIX_PERIOD_S)
        vehicle = inputs.vehicle
        speed_mps = old.speed_mps if vehicle is None or not math.isfinite(vehicle.speed_mps) else vehicle.speed_mps
        if vehicle is None and elapsed_s > 0.0 and not is_new:
            speed_mps = 0.0 if old.fix_s is None or now_s - old.fix_s > GAP_S else speed_mps
        moved_m = 0.5 * (speed_mps + old.speed_mps) * elapsed_s if elapsed_s <= GAP_S else 0.0
        heading = old.heading_rad
        if heading is not None and vehicle is not None and vehicle.yaw_rate_rps is not None and elapsed_s <= GAP_S:
            heading = turn_rad(heading + vehicle.yaw_rate_rps * elapsed_s, 0.0)
        memory = replace(
            old,
            now_s=now_s,
            speed_mps=speed_mps,
            heading_rad=heading,
            since_fix_m=old.since_fix_m + abs(moved_m),
            pending_m=old.pending_m + moved_m,
        )
        if is_new and fix is not None:
            memory = self._with_fix(memory, fix, now_s, vehicle is not None)
        elif memory.belief.hypotheses and (fix is None or now_s - (memory.fix_s or now_s) > 0.5):
            memory = self._without_fix(memory)
        best = memory.belief.hypotheses[0] if memory.belief.hypotheses else None
        sure = 0.0 if best is None else self._sure(memory)
        is_matched = best is not None and sure >= (MATCHED_UNTIL if memory.is_matched else MATCHED_FROM)
        is_lost = vehicle is None and fix is None and (memory.fix_s is None or now_s - memory.fix_s > GAP_S)
        if is_lost or memory.since_fix_m > BLIND_MOST_M:  # nothing tells where the car is by now
            is_matched = False
            memory = replace(memory, belief=NO_BELIEF)
        memory = replace(memory, is_matched=is_matched)
        self.state = memory
        is_blind = memory.fix_s is None or memory.since_fix_m > 30.0 or now_s - memory.fix_s > 1.0
        std_m = math.hypot(_std(fix), ODOMETRY_SHARE * memory.since_fix_m)
        if not is_matched or best is None:
            if best is None and memory.fix_s is None:
                state, reason, health = "searching", "no fix", Health.OK
            else:
                state, reason, health = "off_map", "on no road that the map knows for sure", Health.OK
            return Outputs(
                horizon=self._unmatched(memory, now_s, reason, sure),
                status=Status(state=state, health=health, reason=reason, kpis=(sure, 0.0, None)),
            )
        sending = self._is_due(memory, now_s, best.edge_id)
        horizon = self._horizon(memory, now_s, sure, std_m, inputs.body) if sending else None
        length = _length_m(horizon) if horizon is not None else None
        return Outputs(
            horizon=horizon,
            status=Status(
                state="dead_reckoning" if is_blind else "matched",
                is_active=True,
                health=Health.DEGRADED if is_blind else Health.OK,
                reason="no fix" if is_blind else "",
                kpis=(sure, length, std_m),
            ),
        )

    def _with_fix(self, memory: Memory, fix: PoseFix, now_s: float, has_vehicle: bool) -> Memory:
        point = (fix.latitude_deg, fix.longitude_deg)
        gone_m = 0.0 if memory.last_point is None else distance_m(memory.last_point, point)
        since_m = (
            memory.speed_mps * min(max(0.0, now_s - fix.stamp_s), 1.0) if has_vehicle else 0.0
        )  # since it was taken
        driven_m = abs(memory.pending_m - since_m) if has_vehicle else gone_m
        if gone_m > 200.0 + 3.0 * driven_m:  # another place: a ferry, a new recording, a broken receiver
            memory = replace(memory, belief=NO_BELIEF, anchor=None, heading_rad=None)
        elapsed_s = 0.0 if memory.fix_s is None else max(0.0, fix.stamp_s - memory.fix_s)
        speed = abs(memory.speed_mps) if has_vehicle else (gone_m / elapsed_s if elapsed_s > 0.0 else 0.0)
        heading, anchor = memory.heading_rad, memory.anchor
        is_reversing = has_vehicle and memory.speed_mps < -0.1
        if speed >= COURSE_FROM_MPS and not is_reversing:
            if fix.heading_rad is not None:
                heading = fix.heading_rad
            elif anchor is not None and distance_m(anchor, point) >= ANCHOR_M:
                heading = course_rad(anchor, point)
        if anchor is None or distance_m(anchor, point) >= ANCHOR_M:
            anchor = point
        is_first = not memory.belief.hypotheses
        belief = observe(
            self._roads,
            memory.belief,
            point,
            fix.position_std_m,
            heading if speed >= COURSE_FROM_MPS and not is_reversing else None,
            driven_m,
            evidence_of(elapsed_s, driven_m, is_first),
        )
        return replace(
            memory,
            belief=belief,
            fix_s=fix.stamp_s,
            since_fix_m=0.0,
            pending_m=since_m,
            heading_rad=heading,
            anchor=anchor,
            last_point=point,
            speed_mps=memory.speed_mps if has_vehicle else speed,
        )

    def _without_fix(self, memory: Memory) -> Memory:
        if memory.pending_m < 1.0:
            return memory
        evidence = min(1.0, memory.pending_m / 30.0)
        belief = drive_on(self._roads, memory.belief, memory.pending_m, memory.heading_rad, evidence)
        return replace(memory, belief=belief, pending_m=0.0, anchor=None)

    def _sure(self, memory: Memory) -> float:
        """Belief in the road: other pieces of it, and the ones just before and behind, speak for the same place."""
        first = memory.belief.hypotheses[0]
        edge = self._roads.edge(first.edge_id)
        if edge is None:
            return 0.0
        total = 0.0
        for item in memory.belief.hypotheses:
            other = self._roads.edge(item.edge_id)
            if other is None:
                continue
            is_same = other.way.way_id == edge.way.way_id and item.is_forward == first.is_forward
            is_same = is_same or (
                other.way.highway == edge.way.highway == LANE and _is_beside(first, edge, item, other)
            )
            if is_same or _follows(first, edge, item, other) or _follows(item, other, first, edge):
                total += item.belief
        return min(1.0, total)

    def _place(self, hypotheses: tuple[Hypothesis, ...]) -> Hypothesis:
        """The likeliest place; at the very end of a piece of road the car is on the one behind it already."""
        first = hypotheses[0]
        edge = self._roads.edge(first.edge_id)
        if edge is None or (edge.length_m - first.along_m if first.is_forward else first.along_m) > AT_END_M:
            return first
        for item in hypotheses[1:]:
            other = self._roads.edge(item.edge_id)
            if other is not None and item.belief > GOES_ON and _follows(first, edge, item, other):
                return item
        return first

    def _is_due(self, memory: Memory, now_s: float, edge_id: int) -> bool:
        if memory.sent_s is None or now_s - memory.sent_s >= RESEND_S - 1e-6 or memory.sent_edge != edge_id:
            self.state = replace(memory, sent_s=now_s, sent_edge=edge_id)
            return True
        return False

    def _horizon(
        self, memory: Memory, now_s: float, sure: float, std_m: float, body: BodyState | None
    ) -> Horizon | None:
        best = self._place(memory.belief.hypotheses)
        edge = self._roads.edge(best.edge_id)
        if edge is None:
            return None
        driven_m = memory.pending_m if best.is_forward else -memory.pending_m
        along_m = min(edge.length_m, max(0.0, best.along_m + driven_m))
        return Horizon(
            stamp_s=max(0.0, now_s),
            is_matched=True,
            provider="map",
            map_age_s=self._map_age_s(body),
            position_std_m=min(std_m, 1e6),
            confidence=sure,
            segments=self._ahead.walk(edge, best.is_forward, along_m, memory.speed_mps),
        )

    def _map_age_s(self, body: BodyState | None) -> float | None:
        """Age of the map's data by the car's calendar; stamps are another clock and never take part."""
        data_utc_s = self._roads.data_utc_s
        utc_s = None if body is None else body.utc_s
        if data_utc_s is None or utc_s is None:
            return None
        return min(max(0.0, utc_s - data_utc_s), 1e10)

    def _unmatched(self, memory: Memory, now_s: float, reason: str, sure: float) -> Horizon | None:
        if not self._is_due(memory, now_s, -2):
            return None
        return Horizon(stamp_s=max(0.0, now_s), provider="map", reason=reason, confidence=min(sure, 1.0))


class ElectronicHorizon:
    """The providers in order: a supplier's unit that knows the road goes before the map on board."""

    def __init__(self, roads: RoadMap | None, laws: Laws) -> None:
        self._map = MapHorizon(roads, laws) if roads is not None else None
        own: tuple[HorizonProvider, ...] = () if self._map is None else (self._map,)
        self._providers: tuple[HorizonProvider, ...] = (SuppliedHorizon(), *own)
        self._none = Memory()

    @property
    def state(self) -> Memory:
        """What the map's provider remembers; the supplier's remembers nothing."""
        return self._none if self._map is None else self._map.state

    @state.setter
    def state(self, value: Memory) -> None:
        if self._map is not None:
            self._map.state = value

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs. The map goes on matching while the supplier is heard."""
        said = [provider.step(inputs, now_s) for provider in self._providers]
        if said[0].horizon is not None:
            return said[0]
        if self._map is None:
            return Outputs(horizon=None, status=Status(state="no_map", reason="no map is given and none supplied"))
        return said[-1]


def _follows(one: Hypothesis, edge: Edge, two: Hypothesis, other: Edge) -> bool:
    """Whether the second place lies shortly behind the first, on a road that goes on from it."""
    leaves_at, enters_at = (edge.end if one.is_forward else edge.start), (other.start if two.is_forward else other.end)
    rest_m = edge.length_m - one.along_m if one.is_forward else one.along_m
    driven_m = two.along_m if two.is_forward else other.length_m - two.along_m
    return leaves_at == enters_at and edge is not other and rest_m + driven_m <= SAME_PLACE_M


def _is_beside(one: Hypothesis, edge: Edge, two: Hypothesis, other: Edge) -> bool:
    """Whether the second place is on another lane of the same carriageway: beside, the same way, the same rule."""
    if edge.way.rule(one.is_forward) != other.way.rule(two.is_forward):
        return False
    turn = turn_rad(course_at(edge, one.is_forward, one.along_m), course_at(other, two.is_forward, two.along_m))
    return abs(turn) < 0.3


def _std(fix: PoseFix | None) -> float:
    return FIX_STD_M if fix is None or fix.position_std_m is None else fix.position_std_m


def _length_m(horizon: Horizon) -> float:
    last = horizon.segments[-1] if horizon.segments else None
    return 0.0 if last is None else last.offset_m + last.length_m


def build(context: BuildContext) -> ElectronicHorizon:
    """The core for the map of this run."""
    return ElectronicHorizon(context.roads, carried_laws(context.market))


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Matches the car to the map and tells the road ahead.",
    process=Process.DECISION,
    inputs=(
        Input(name="fix", signal=PoseFix, max_age_s=0.5),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.3),
        Input(name="body", signal=BodyState, max_age_s=2.0, is_optional=True),
        Input(name="supplied", signal=Horizon, max_age_s=1.0, source=SUPPLIER, is_optional=True),
    ),
    outputs=(Output(name="horizon", signal=Horizon, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.1,
    trigger="fix",
    min_period_s=0.05,
    has_stage=False,
    kpis=("confidence", "distance_ahead_m", "position_std_m"),
    build=build,
)
