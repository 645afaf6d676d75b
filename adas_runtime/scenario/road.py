"""A road as its curvature over the way: straights, clothoids, arcs."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

LINE_STEP_M: Final = 0.1


class Road:
    """Curvature by way, linear between knots and constant outside of them; left positive."""

    def __init__(self, knots: Sequence[tuple[float, float]] = ((0.0, 0.0),)) -> None:
        """`knots`: way [m] and curvature [1/m], in ascending order; two at one place would be a kink."""
        self._s = [s for s, _ in knots]
        self._kappa = [kappa for _, kappa in knots]
        if not knots or any(a >= b for a, b in zip(self._s, self._s[1:], strict=False)):
            raise ValueError("knots of a road must stand in ascending order")

    def curvature_1pm(self, s_m: float) -> float:
        """Curvature at a place [1/m]."""
        index = bisect_right(self._s, s_m) - 1
        if index < 0:
            return self._kappa[0]
        if index + 1 == len(self._s):
            return self._kappa[-1]
        share = (s_m - self._s[index]) / (self._s[index + 1] - self._s[index])
        return self._kappa[index] + share * (self._kappa[index + 1] - self._kappa[index])

    def rate_1pm2(self, s_m: float) -> float:
        """Change of the curvature along the road at a place [1/m^2]."""
        index = bisect_right(self._s, s_m) - 1
        if index < 0 or index + 1 == len(self._s):
            return 0.0
        return (self._kappa[index + 1] - self._kappa[index]) / (self._s[index + 1] - self._s[index])


def bend(curvature_1pm: float, *, straight_m: float, clothoid_m: float, arc_m: float) -> Road:
    """A straight, a clothoid into a bend, the bend, the clothoid out of it, a straight again."""
    begin_m = straight_m + clothoid_m
    return Road(
        (
            (0.0, 0.0),
            (straight_m, 0.0),
            (begin_m, curvature_1pm),
            (begin_m + arc_m, curvature_1pm),
            (begin_m + arc_m + clothoid_m, 0.0),
        )
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn after a straight: a clothoid into it, an arc, a clothoid out.

    Args:
        after_m: Straight before it.
        radius_m: Of the arc, positive.
        turn_rad: Left positive.
        ramp_m: Each clothoid; above 0, and no longer than the turn has room for.
    """

    after_m: float
    radius_m: float
    turn_rad: float
    ramp_m: float


def winding(bends: Sequence[Turn]) -> Road:
    """A road of turns one after another, from the start on.

    Raises:
        ValueError: A turn that its clothoids do not fit in, or one without a straight or clothoid before it.
    """
    knots = [(0.0, 0.0)]
    at_m = 0.0
    for item in bends:
        arc_m = abs(item.turn_rad) * item.radius_m - item.ramp_m
        if not (item.radius_m > 0.0 and item.ramp_m > 0.0 and arc_m > 0.0 and item.after_m >= 0.0):
            raise ValueError("a turn needs a radius and a ramp above 0, and a ramp shorter than radius times turn")
        curvature = math.copysign(1.0 / item.radius_m, item.turn_rad)
        begin_m = at_m + item.after_m
        for s_m, kappa in (
            (begin_m, 0.0),
            (begin_m + item.ramp_m, curvature),
            (begin_m + item.ramp_m + arc_m, curvature),
            (begin_m + 2.0 * item.ramp_m + arc_m, 0.0),
        ):
            if s_m > knots[-1][0]:
                knots.append((s_m, kappa))
        at_m = knots[-1][0]
    return Road(knots)


class Line:
    """The places of a road: where it leads from the origin on, along x at first; straight before and beyond."""

    def __init__(self, curvature_1pm: Callable[[float], float], length_m: float) -> None:
        """`length_m`: as far as it bends."""
        x_m = y_m = turned = 0.0
        self._poses = [(0.0, 0.0, 0.0)]
        for step in range(math.ceil(length_m / LINE_STEP_M)):
            turn = curvature_1pm((step + 0.5) * LINE_STEP_M) * LINE_STEP_M
            x_m += LINE_STEP_M * math.cos(turned + 0.5 * turn)
            y_m += LINE_STEP_M * math.sin(turned + 0.5 * turn)
            turned += turn
            self._poses.append((x_m, y_m, turned))

    def pose(self, s_m: float, left_m: float = 0.0) -> tuple[float, float, float]:
        """Place and direction at a way along it, so far to its left [m, m, rad]."""
        index = min(max(int(s_m / LINE_STEP_M), 0), len(self._poses) - 1)
        x_m, y_m, turned = self._poses[index]
        on_m = s_m - index * LINE_STEP_M
        cosine, sine = math.cos(turned), math.sin(turned)
        return x_m + on_m * cosine - left_m * sine, y_m + on_m * sine + left_m * cosine, turned

    def course(self, from_m: float, left_m: float, *, is_back: bool) -> Callable[[float], tuple[float, float, float]]:
        """Place and direction of somebody beside the line by his own way: along it from there on, or back."""
        step_m = -LINE_STEP_M if is_back else LINE_STEP_M
        ends = (min(0.0, from_m), max(len(self._poses) * LINE_STEP_M, from_m))
        places, ways = [self.pose(from_m, left_m)], [0.0]
        s_m = from_m
        while ends[0] < s_m + step_m < ends[1]:
            s_m += step_m
            places.append(self.pose(s_m, left_m))
            ways.append(ways[-1] + math.dist(places[-1][:2], places[-2][:2]))

        def pose(way_m: float) -> tuple[float, float, float]:
            index = max(bisect_right(ways, way_m) - 1, 0)
            x_m, y_m, turned = places[index]
            turned += math.pi if is_back else 0.0
            on_m = way_m - ways[index]  # less than a step, but beyond the last place: straight on
            return x_m + on_m * math.cos(turned), y_m + on_m * math.sin(turned), turned

        return pose
