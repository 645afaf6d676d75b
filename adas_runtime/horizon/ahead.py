"""The road ahead of a place along the likeliest path: pieces with limit, class, lanes, curvature and country."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.horizon.geo import course_rad, turn_rad
from adas_runtime.horizon.limits import UNIT_OF, RoadLimit, lane_condition, limit_on
from adas_runtime.horizon.match import entry_course, exit_course, exits, fork
from adas_runtime.horizon.roads import Edge, RoadMap, Way
from adas_runtime.horizon.tags import Form
from adas_runtime.market.laws import Laws
from adas_runtime.signals import ConditionalLimit, HorizonSegment, LimitKind

LEAST_M: Final = 2000.0
LEAST_S: Final = 60.0
MOST_M: Final = 19000.0
MOST_SEGMENTS: Final = 512
PART_M: Final = 50.0  # curvature is the mean over at most so much road
SAME_CURVATURE_1PM: Final = 0.0005  # a radius of 2 km: straight for every use of it
JUNCTION_TURN_RAD: Final = 0.6  # a road that bends more at a junction turns off; it does not curve
CURVATURE_MAX_1PM: Final = 0.2
CACHED: Final = 50_000


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of an edge with one curvature, in driving direction."""

    length_m: float
    curvature_1pm: float


def parts_of(edge: Edge, is_forward: bool) -> tuple[Part, ...]:
    """An edge cut into stretches of at most `PART_M`, each with its mean curvature."""
    points = edge.points if is_forward else edge.points[::-1]
    found: list[Part] = []
    length = turned = 0.0
    former: float | None = None
    along = edge.along_m if is_forward else tuple(edge.length_m - value for value in reversed(edge.along_m))
    for index in range(1, len(points)):
        course = course_rad(points[index - 1], points[index])
        if former is not None:
            turned += turn_rad(course, former)
        former = course
        length += along[index] - along[index - 1]
        if length >= PART_M or index == len(points) - 1:
            if length > 0.0:
                curvature = max(-CURVATURE_MAX_1PM, min(CURVATURE_MAX_1PM, turned / length))
                found.append(Part(length, curvature))
            length = turned = 0.0
    return tuple(found) or (Part(edge.length_m, 0.0),)


class Ahead:
    """Walks the map from a place.

    Args:
        roads: The map.
        laws: The law's limits.
    """

    def __init__(self, roads: RoadMap, laws: Laws) -> None:
        self._roads = roads
        self._laws = laws
        self._pieces: dict[tuple[int, bool], tuple[HorizonSegment, ...]] = {}
        self._next: dict[tuple[int, bool], tuple[Edge, bool, float, float] | None] = {}

    def walk(self, edge: Edge, is_forward: bool, along_m: float, speed_mps_: float) -> tuple[HorizonSegment, ...]:
        """The road from a place on: at least 2 km or 60 s, where the map goes so far."""
        reach = min(MOST_M, max(LEAST_M, LEAST_S * abs(speed_mps_)))
        offset = -(along_m if is_forward else edge.length_m - along_m)
        probability = 1.0
        found: list[HorizonSegment] = []
        visited: set[tuple[int, bool]] = set()
        turn = 0.0
        while True:
            visited.add((edge.edge_id, is_forward))
            for piece in self._pieces_of(edge, is_forward):
                if offset + piece.length_m > 0.0 and offset < reach:
                    curvature = piece.curvature_1pm
                    if turn and curvature is not None:
                        curvature += turn / max(piece.length_m, 10.0)
                        turn = 0.0
                    _append(found, piece, offset, probability, curvature)
                offset += piece.length_m
            if offset >= reach or len(found) >= MOST_SEGMENTS:
                break
            onward = self._onward(edge, is_forward)
            if onward is None:
                break
            following, direction, likely, turn = onward
            if (following.edge_id, direction) in visited:  # round and round: no more of the road ahead is known
                break
            probability *= likely
            edge, is_forward = following, direction
        return tuple(found[:MOST_SEGMENTS])

    def _onward(self, edge: Edge, is_forward: bool) -> tuple[Edge, bool, float, float] | None:
        """The likeliest road behind an edge, its direction, how likely it is, and the bend where it begins."""
        key = (edge.edge_id, is_forward)
        if key in self._next:
            return self._next[key]
        if len(self._next) >= CACHED:
            self._next.clear()
        choices = exits(self._roads, edge, is_forward)
        found = None
        if choices:
            likely = fork(edge, is_forward, choices)
            best = max(range(len(choices)), key=lambda index: likely[index])
            following, direction = choices[best]
            bend = turn_rad(entry_course(following, direction), exit_course(edge, is_forward))
            found = (following, direction, likely[best], bend if abs(bend) < JUNCTION_TURN_RAD else 0.0)
        self._next[key] = found
        return found

    def _pieces_of(self, edge: Edge, is_forward: bool) -> tuple[HorizonSegment, ...]:
        key = (edge.edge_id, is_forward)
        found = self._pieces.get(key)
        if found is None:
            if len(self._pieces) >= CACHED:
                self._pieces.clear()
            limit = limit_on(edge.way, is_forward, self._laws)
            found = self._pieces[key] = tuple(
                _segment(edge, edge.way, is_forward, limit, part) for part in parts_of(edge, is_forward)
            )
        return found


def _segment(edge: Edge, way: Way, is_forward: bool, limit: RoadLimit, part: Part) -> HorizonSegment:
    return HorizonSegment(
        offset_m=0.0,
        length_m=min(part.length_m, 20000.0),
        probability=1.0,
        road_class=way.road_class,
        limit_mps=limit.limit_mps,
        # the signal's NO_LIMIT is the map's word; that the law sets none is for the functions that know the law
        limit_kind=LimitKind.UNKNOWN if limit.is_by_law and limit.kind is LimitKind.NO_LIMIT else limit.kind,
        limit_confidence=limit.confidence,
        unit=limit.unit,
        advisory_mps=limit.advisory_mps,
        conditional=_conditional(limit),
        road_id=edge.edge_id,
        is_built_up=way.built_up,
        is_dual_carriageway=way.is_dual_carriageway,
        is_link=way.is_link,
        is_lit=way.is_lit,
        curvature_1pm=part.curvature_1pm,
        lanes=way.lanes(is_forward) or None,
        is_tunnel=way.is_tunnel,
        country=way.country,
    )


def _conditional(limit: RoadLimit) -> tuple[ConditionalLimit, ...]:
    """Limits under a condition; of lanes that differ, each with its lane, counted from the left."""
    count = len(limit.lanes)
    cases = [(item, lane_condition(number, count)) for number, item in enumerate(limit.lanes, 1) if item is not None]
    cases += [(item.limit, item.condition) for item in limit.conditional]
    found = []
    for said, condition in cases:
        if said.form is Form.NUMBER:
            speed = UNIT_OF[said.unit].mps(said.value)
            found.append(ConditionalLimit(limit_mps=speed, kind=LimitKind.EXPLICIT, condition=condition))
        elif said.form is Form.NO_LIMIT:
            found.append(ConditionalLimit(kind=LimitKind.NO_LIMIT, condition=condition))
    return tuple(found[-8:])  # the later ones go before


def _append(
    found: list[HorizonSegment], piece: HorizonSegment, offset_m: float, probability: float, curvature: float | None
) -> None:
    """Add a piece, to the last one where nothing differs that anyone would see."""
    if curvature is not None:
        curvature = max(-CURVATURE_MAX_1PM, min(CURVATURE_MAX_1PM, curvature))
    last = found[-1] if found else None
    if last is not None and _is_same(last, piece, probability, curvature):
        length = last.length_m + piece.length_m
        mean = None
        if last.curvature_1pm is not None and curvature is not None:
            mean = (last.curvature_1pm * last.length_m + curvature * piece.length_m) / length
        found[-1] = _placed(last, last.offset_m, length, last.probability, mean)
        return
    found.append(_placed(piece, max(-1000.0, offset_m), piece.length_m, probability, curvature))


def _placed(
    piece: HorizonSegment, offset_m: float, length_m: float, probability: float, curvature_1pm: float | None
) -> HorizonSegment:
    """A piece at its place; written out, since `dataclasses.replace` takes five times as long."""
    return HorizonSegment(
        offset_m=offset_m,
        length_m=length_m,
        probability=probability,
        road_class=piece.road_class,
        limit_mps=piece.limit_mps,
        limit_kind=piece.limit_kind,
        limit_confidence=piece.limit_confidence,
        unit=piece.unit,
        advisory_mps=piece.advisory_mps,
        conditional=piece.conditional,
        road_id=piece.road_id,
        is_built_up=piece.is_built_up,
        is_dual_carriageway=piece.is_dual_carriageway,
        is_link=piece.is_link,
        is_lit=piece.is_lit,
        slope=piece.slope,
        curvature_1pm=curvature_1pm,
        lanes=piece.lanes,
        is_tunnel=piece.is_tunnel,
        country=piece.country,
        region=piece.region,
    )


def _is_same(last: HorizonSegment, piece: HorizonSegment, probability: float, curvature: float | None) -> bool:
    if last.curvature_1pm is None or curvature is None or last.length_m > 15000.0:
        return False
    return (
        abs(last.curvature_1pm - curvature) < SAME_CURVATURE_1PM
        and abs(last.probability - probability) < 0.02
        and last.limit_mps == piece.limit_mps
        and last.limit_kind is piece.limit_kind
        and last.limit_confidence == piece.limit_confidence
        and last.conditional == piece.conditional
        and last.advisory_mps == piece.advisory_mps
        and last.unit is piece.unit
        and last.road_class is piece.road_class
        and last.lanes == piece.lanes
        and last.is_tunnel is piece.is_tunnel
        and last.is_link is piece.is_link
        and last.is_built_up is piece.is_built_up
        and last.is_lit is piece.is_lit
        and last.is_dual_carriageway is piece.is_dual_carriageway
        and last.country == piece.country
    )
