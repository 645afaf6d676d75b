"""Positions on the map: WGS 84 degrees, and metres in a plane that touches the earth where they are wanted."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

EARTH_RADIUS_M: Final = 6371008.8  # mean radius (IUGG); the plane's error over 2 km is below a metre
METRES_PER_DEG: Final = EARTH_RADIUS_M * math.pi / 180.0

Point = tuple[float, float]  # latitude, longitude [deg]


def longitude_scale(latitude_deg: float) -> float:
    """Metres per degree of longitude."""
    return METRES_PER_DEG * math.cos(math.radians(latitude_deg))


def distance_m(a: Point, b: Point) -> float:
    """Distance of two near points [m]."""
    scale = longitude_scale((a[0] + b[0]) / 2.0)
    return math.hypot((b[0] - a[0]) * METRES_PER_DEG, (b[1] - a[1]) * scale)


def course_rad(a: Point, b: Point) -> float:
    """Course from a to b, from east, left positive (as `PoseFix.heading_rad`) [rad]."""
    scale = longitude_scale((a[0] + b[0]) / 2.0)
    return math.atan2((b[0] - a[0]) * METRES_PER_DEG, (b[1] - a[1]) * scale)


def turn_rad(to: float, fro: float) -> float:
    """How far `to` lies left of `fro`, within -pi to pi [rad]."""
    return math.remainder(to - fro, math.tau)


def moved(point: Point, east_m: float, north_m: float) -> Point:
    """A point so far away."""
    return point[0] + north_m / METRES_PER_DEG, point[1] + east_m / max(longitude_scale(point[0]), 1.0)


def lengths_m(points: Sequence[Point]) -> tuple[float, ...]:
    """Distance along a line from its start to each of its points [m]."""
    found = [0.0]
    for a, b in pairwise(points):
        found.append(found[-1] + distance_m(a, b))
    return tuple(found)
