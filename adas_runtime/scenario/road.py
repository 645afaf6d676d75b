"""A road as its curvature over the way: straights, clothoids, arcs."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence


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
