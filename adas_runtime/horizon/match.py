"""Map matching: a hidden Markov model over pieces of road, fed by fixes, odometry and course; honest about doubt.

Each hypothesis is a place on a road with a share of the belief; one share belongs to "on no road of this map". A fix
moves belief by distance and course; between fixes, and in tunnels, the hypotheses drive on along the roads. Fixes ten
times a second err together, so evidence counts by the time and distance that it brings, not by its number.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from adas_runtime.horizon.geo import Point, turn_rad
from adas_runtime.horizon.place import Spot, prior, project, spots
from adas_runtime.horizon.roads import Edge, RoadMap
from adas_runtime.signals import RoadClass

LEAST_RADIUS_M: Final = 25.0
MOST_RADIUS_M: Final = 200.0
MOST: Final = 10  # hypotheses that are kept
FIX_STD_M: Final = 5.0  # of a fix that does not tell its own
ROAD_STD_M: Final = 4.0  # half a carriageway, and the mapper's hand
COURSE_STD_RAD: Final = 0.25
COURSE_FROM_MPS: Final = 2.0  # a standing car's course is noise
OFF_ROAD_SIGMA: Final = 3.5  # as likely off the map as on a road so many standard deviations away
LEAVES: Final = 0.02  # share of belief that leaves the roads per second or 15 m, and comes back
JUMPS: Final = 1e-4  # a road that cannot be reached from the former place
ROUTE_STD_M: Final = 3.0  # of driven distance against the map's
MOST_JUMP_M: Final = 30.0  # a fix that jumps farther along the road counts against every place
EVIDENCE_S: Final = 1.0
EVIDENCE_M: Final = 15.0
SLACK_M: Final = 40.0
HEADING_STD_RAD: Final = 0.35  # integrated yaw rate against the road's course, without a fix
CANDIDATES: Final = 12


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A place on a road and its share of the belief.

    Args:
        edge_id, is_forward: The road and the direction.
        along_m: From the edge's start along its points.
        belief: Share, all shares with the one off the map sum to 1.
    """

    edge_id: int
    is_forward: bool
    along_m: float
    belief: float


@dataclass(frozen=True, slots=True)
class Belief:
    """All hypotheses, the greatest first, and the share that is on no road of the map."""

    hypotheses: tuple[Hypothesis, ...] = ()
    off_road: float = 1.0


NO_BELIEF: Final = Belief()


def exits(roads: RoadMap, edge: Edge, is_forward: bool) -> list[tuple[Edge, bool]]:
    """Roads onto which one may drive at the end of an edge; turning back only where nothing else is left."""
    node = edge.end if is_forward else edge.start
    found: list[tuple[Edge, bool]] = []
    for other in roads.at_node(node):
        if other.edge_id == edge.edge_id:
            if edge.start == edge.end:
                found.append((edge, is_forward))  # a ring that begins and ends here
            continue
        if other.start == node:
            found.append((other, True))
        if other.end == node and not other.way.is_oneway:
            found.append((other, False))
    return found


def entry_course(edge: Edge, is_forward: bool) -> float:
    """Course at the beginning of an edge in driving direction [rad]."""
    return _end_course(edge, is_forward, True)


def exit_course(edge: Edge, is_forward: bool) -> float:
    """Course at the end of an edge in driving direction [rad]."""
    return _end_course(edge, is_forward, False)


def _end_course(edge: Edge, is_forward: bool, is_entry: bool) -> float:
    points = edge.points
    is_start = is_forward == is_entry
    a, b = (points[0], points[1]) if is_start else (points[-2], points[-1])
    middle = math.cos(math.radians(a[0]))
    course = math.atan2(b[0] - a[0], (b[1] - a[1]) * middle)
    return course if is_forward else turn_rad(course + math.pi, 0.0)


def fork(edge: Edge, is_forward: bool, choices: list[tuple[Edge, bool]]) -> list[float]:
    """How likely each road is taken: straight on, the same road and class before turns and lesser roads."""
    course = exit_course(edge, is_forward)
    weights = []
    for other, direction in choices:
        turn = turn_rad(entry_course(other, direction), course)
        weight = 0.02 + math.exp(-0.5 * (turn / 0.5) ** 2)
        way, own = other.way, edge.way
        if way.way_id == own.way_id or (way.ref and way.ref == own.ref) or (way.name and way.name == own.name):
            weight *= 4.0
        if way.road_class is not RoadClass.UNKNOWN and own.road_class is not RoadClass.UNKNOWN:
            weight *= math.exp(-0.4 * max(0, way.road_class - own.road_class))
        if way.is_link and not own.is_link:
            weight *= 0.3
        weights.append(weight * prior(other))
    total = sum(weights)
    return [weight / total for weight in weights] if total > 0.0 else [1.0 / max(1, len(weights))] * len(weights)


def drive_on(roads: RoadMap, belief: Belief, distance_m: float, course_rad: float | None, evidence: float) -> Belief:
    """Every hypothesis drives so far along the roads and divides at forks; a course favours what lies along it."""
    found: dict[tuple[int, bool], tuple[float, float]] = {}
    off_road = belief.off_road
    for item in belief.hypotheses:
        edge = roads.edge(item.edge_id)
        if edge is None:
            continue
        left = [(edge, item.is_forward, item.along_m, distance_m, item.belief)]
        steps = 0
        while left:
            edge, direction, along, rest, share = left.pop()
            steps += 1
            room = edge.length_m - along if direction else along
            if rest <= room or steps > 64:
                rest = min(rest, room)
                place = along + rest if direction else along - rest
                if course_rad is not None and evidence > 0.0:
                    turn = turn_rad(course_rad, course_at(edge, direction, place))
                    share *= math.exp(-0.5 * evidence * min((turn / HEADING_STD_RAD) ** 2, 40.0))
                key = (edge.edge_id, direction)
                former = found.get(key)
                if former is None or former[1] < share:
                    found[key] = (place, share + (former[1] if former else 0.0))
                else:
                    found[key] = (former[0], former[1] + share)
                continue
            choices = exits(roads, edge, direction)
            if not choices:  # the road ends: the car has left it, or stands there
                off_road += share
                continue
            for (other, onward), likely in zip(choices, fork(edge, direction, choices), strict=True):
                if share * likely > 1e-5:
                    left.append((other, onward, 0.0 if onward else other.length_m, rest - room, share * likely))
    if course_rad is not None and evidence > 0.0:
        off_road *= math.exp(-0.5 * evidence * 4.0)
    return _normal(((*key, *value) for key, value in found.items()), off_road)


def observe(
    roads: RoadMap,
    belief: Belief,
    point: Point,
    std_m: float | None,
    course_rad: float | None,
    distance_m: float,
    evidence: float,
) -> Belief:
    """The belief after a fix.

    Args:
        roads: The map.
        belief: Before, at the former fix.
        point: The fix.
        std_m: Its standard deviation, where it tells it.
        course_rad: Course, `None` where it is not known.
        distance_m: Driven since the former fix.
        evidence: How much news the fix brings, 0 to 1 (`evidence_of`).
    """
    sigma = math.hypot(FIX_STD_M if std_m is None else max(std_m, 2.0), ROAD_STD_M)
    candidates = spots(roads, point, min(max(LEAST_RADIUS_M, 5.0 * sigma), MOST_RADIUS_M), course_rad)
    if len(candidates) > CANDIDATES:
        candidates = sorted(candidates, key=lambda spot: (spot.distance_m, spot.edge.edge_id))[:CANDIDATES]
    leaves = LEAVES * evidence
    arriving = belief.off_road * leaves + JUMPS * evidence * (1.0 - belief.off_road)
    routes = [(item.belief, route_lengths(roads, item, distance_m + SLACK_M)) for item in belief.hypotheses]
    is_lost = not belief.hypotheses or belief.off_road > 0.999
    share_of_prior = sum(prior(spot.edge) for spot in candidates) or 1.0
    reached = []  # per candidate: share of each hypothesis that reaches it, and driven distance against the map's
    for spot in candidates:
        key = (spot.edge.edge_id, spot.is_forward)
        place = spot.along_m if spot.is_forward else spot.edge.length_m - spot.along_m
        reached.append([(share, abs(lengths[key] + place - distance_m)) for share, lengths in routes if key in lengths])
    # what all have in common is the fix's own jump along the road, no news of which road it is
    jump = min((mismatch for pairs in reached for _, mismatch in pairs), default=0.0)
    jump = min(jump, MOST_JUMP_M)
    found = []
    for spot, pairs in zip(candidates, reached, strict=True):
        key = (spot.edge.edge_id, spot.is_forward)
        weight = (0.5 if is_lost else arriving) * prior(spot.edge) / share_of_prior
        for share, mismatch in pairs:
            excess = (mismatch - jump) / ROUTE_STD_M
            weight += share * (1.0 - leaves) * math.exp(-0.5 * min(excess * excess, 80.0))
        likely = (spot.distance_m / sigma) ** 2
        if course_rad is not None:
            likely += (turn_rad(course_rad, spot.course_rad) / COURSE_STD_RAD) ** 2
        found.append((*key, spot.along_m, weight * math.exp(-0.5 * evidence * min(likely, 80.0))))
    off_road = (0.5 if is_lost else belief.off_road * (1.0 - leaves) + leaves * (1.0 - belief.off_road)) * math.exp(
        -0.5 * evidence * (OFF_ROAD_SIGMA**2)
    )
    if not candidates:
        return Belief((), 1.0)
    return _normal(found, off_road)


def evidence_of(elapsed_s: float, distance_m: float, is_first: bool) -> float:
    """How much news a fix brings after this time and distance: errors of near fixes are the same error."""
    if is_first:
        return 1.0
    return min(1.0, max(elapsed_s / (4.0 * EVIDENCE_S), distance_m / EVIDENCE_M))


def route_lengths(roads: RoadMap, item: Hypothesis, reach_m: float) -> dict[tuple[int, bool], float]:
    """Driving distance from a hypothesis to the beginning of each road in reach; negative for the road it is on."""
    edge = roads.edge(item.edge_id)
    if edge is None:
        return {}
    driven = item.along_m if item.is_forward else edge.length_m - item.along_m
    found = {(edge.edge_id, item.is_forward): -driven}
    open_edges: list[tuple[Edge, bool]] = [(edge, item.is_forward)]
    while open_edges and len(found) < 64:
        here, direction = open_edges.pop(0)
        end = found[(here.edge_id, direction)] + here.length_m
        if end > reach_m:
            continue
        for other, onward in exits(roads, here, direction):
            key = (other.edge_id, onward)
            former = found.get(key)
            if former is None or end < former - 1e-9:
                found[key] = end
                open_edges.append((other, onward))
    return found


def course_at(edge: Edge, is_forward: bool, along_m: float) -> float:
    """Course of an edge at a place, in driving direction [rad]."""
    along = edge.along_m
    index = 1
    while index < len(along) - 1 and along[index] < along_m:
        index += 1
    a, b = edge.points[index - 1], edge.points[index]
    course = math.atan2(b[0] - a[0], (b[1] - a[1]) * math.cos(math.radians(a[0])))
    return course if is_forward else turn_rad(course + math.pi, 0.0)


def _normal(found: Iterable[tuple[int, bool, float, float]], off_road: float) -> Belief:
    items = sorted(found, key=lambda item: (-item[3], item[0], item[1]))[:MOST]
    total = sum(item[3] for item in items) + off_road
    if not math.isfinite(total) or total <= 0.0:
        return Belief((), 1.0)
    kept = tuple(
        Hypothesis(edge_id, is_forward, along, share / total)
        for edge_id, is_forward, along, share in items
        if share / total > 1e-6
    )
    return Belief(kept, off_road / total)


__all__ = ["Belief", "Hypothesis", "Spot", "drive_on", "evidence_of", "observe", "project"]
