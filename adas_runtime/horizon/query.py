"""One position, one answer: the road and its limit there, without any memory of where the car was before."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.horizon.geo import Point, turn_rad
from adas_runtime.horizon.limits import RoadLimit, limit_on
from adas_runtime.horizon.place import Spot, prior, spots
from adas_runtime.horizon.roads import RoadMap
from adas_runtime.market.laws import Laws
from adas_runtime.signals import LimitKind

RADIUS_M: Final = 40.0
DISTANCE_STD_M: Final = 7.0  # of a fix and of a mapper's line together
COURSE_STD_RAD: Final = 0.3
SURE_ENOUGH: Final = 0.6  # below this share the position does not tell which of several limits holds


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the map says of one position.

    Args:
        spot: The most probable place; `None`: no road near.
        limit: The limit there.
        confidence: That this limit holds at this position: matching and map together.
    """

    spot: Spot | None
    limit: RoadLimit
    confidence: float


def ask(roads: RoadMap, laws: Laws, point: Point, course_rad: float | None) -> Answer:
    """The limit at a position.

    Args:
        roads: The map.
        laws: The law's limits.
        point: Latitude and longitude [deg].
        course_rad: Course from east, left positive; `None` where it is not known.
    """
    found = spots(roads, point, RADIUS_M, course_rad)
    if not found:
        return Answer(
            spot=None, limit=RoadLimit(reason=f"no road within {RADIUS_M:g} m on this course"), confidence=0.0
        )
    weights = [_weight(spot, course_rad) for spot in found]
    total = sum(weights)
    best = max(range(len(found)), key=lambda index: weights[index])
    limits = [limit_on(spot.edge.way, spot.is_forward, laws) for spot in found]
    limit = limits[best]
    if total <= 0.0:
        return Answer(spot=found[best], limit=replace(limit, kind=LimitKind.UNKNOWN, value=None), confidence=0.0)
    key = (limit.kind, limit.limit_mps, limit.is_walk)
    share = (
        sum(
            weight
            for weight, other in zip(weights, limits, strict=True)
            if (other.kind, other.limit_mps, other.is_walk) == key
        )
        / total
    )
    if share < SURE_ENOUGH:
        reason = "roads with different limits lie equally near"
        limit = RoadLimit(unit=limit.unit, source=limit.source, reason=reason)
    near = math.exp(-0.5 * (max(0.0, found[best].distance_m - DISTANCE_STD_M) / (2.0 * DISTANCE_STD_M)) ** 2)
    return Answer(spot=found[best], limit=limit, confidence=round(share * near * limit.confidence, 3))


def _weight(spot: Spot, course_rad: float | None) -> float:
    exponent = (spot.distance_m / DISTANCE_STD_M) ** 2
    if course_rad is not None:
        exponent += (turn_rad(course_rad, spot.course_rad) / COURSE_STD_RAD) ** 2
    return math.exp(-0.5 * exponent) * prior(spot.edge)
