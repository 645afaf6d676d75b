"""Where on the map a position may be: the pieces of road near it, with distance and course."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.horizon.geo import METRES_PER_DEG, Point, longitude_scale, turn_rad
from adas_runtime.horizon.roads import Edge, RoadMap
from adas_runtime.signals import RoadClass

WRONG_WAY_RAD: Final = 1.2  # a course farther from the road's is that of another road


@dataclass(frozen=True, slots=True, kw_only=True)
class Spot:
    """A place on a road.

    Args:
        edge: The piece of road.
        is_forward: Driven along its points.
        along_m: From the edge's start to the place, along its points.
        distance_m: From the position to the place.
        course_rad: The road's course there in driving direction, from east, left positive.
    """

    edge: Edge
    is_forward: bool
    along_m: float
    distance_m: float
    course_rad: float


def project(edge: Edge, point: Point, is_forward: bool) -> Spot:
    """The place on an edge that is nearest to a point."""
    scale = longitude_scale(point[0])
    x0, y0 = point[1], point[0]
    best, best_along, best_course = math.inf, 0.0, 0.0
    points, along = edge.points, edge.along_m
    by, bx = (points[0][0] - y0) * METRES_PER_DEG, (points[0][1] - x0) * scale
    for index in range(1, len(points)):
        ay, ax = by, bx
        by, bx = (points[index][0] - y0) * METRES_PER_DEG, (points[index][1] - x0) * scale
        dy, dx = by - ay, bx - ax
        square = dx * dx + dy * dy
        share = 0.0 if square <= 0.0 else min(1.0, max(0.0, -(ax * dx + ay * dy) / square))
        ex, ey = ax + share * dx, ay + share * dy
        distance = ex * ex + ey * ey
        if distance < best:
            best = distance
            best_along = along[index - 1] + share * (along[index] - along[index - 1])
            best_course = math.atan2(dy, dx)
    if not is_forward:
        best_course = turn_rad(best_course + math.pi, 0.0)
    return Spot(
        edge=edge,
        is_forward=is_forward,
        along_m=best_along,
        distance_m=math.sqrt(best),
        course_rad=best_course,
    )


def spots(roads: RoadMap, point: Point, radius_m: float, course_rad: float | None = None) -> list[Spot]:
    """Every place that a car at this point, on this course, may be at; both directions where no course is known."""
    found = []
    for edge in roads.near(point, radius_m):
        forward = project(edge, point, True)
        if forward.distance_m > radius_m:
            continue
        if course_rad is None or abs(turn_rad(course_rad, forward.course_rad)) <= WRONG_WAY_RAD:
            found.append(forward)
        if edge.way.is_oneway:
            continue
        course = turn_rad(forward.course_rad + math.pi, 0.0)
        if course_rad is None or abs(turn_rad(course_rad, course)) <= WRONG_WAY_RAD:
            found.append(
                Spot(
                    edge=edge,
                    is_forward=False,
                    along_m=forward.along_m,
                    distance_m=forward.distance_m,
                    course_rad=course,
                )
            )
    return found


def prior(edge: Edge) -> float:
    """How much rather a car is on this road than on another at the same distance."""
    road_class = edge.way.road_class
    if road_class is RoadClass.TRACK:
        return 0.1
    if road_class is RoadClass.SERVICE:
        return 0.3
    return 1.0
