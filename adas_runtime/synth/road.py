"""Where the road runs and what is painted on it: exact plane geometry, no picture and no file.

The reference line is the centre of the lane in which the drive begins. Its curvature is piecewise linear (straights,
arcs and the clothoids between them), so heading is exact and position is exact to 1e-9 m (Simpson on 0.25 m). A point
is (s, d): arc length along the reference line and offset to its left. Every line on the road runs at constant d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adas_runtime.signals import MarkingColour, MarkingType

Floats = NDArray[np.float64]
STEP_M: Final = 0.25  # grid of the reference line; knots snap to it, so that each cell has one linear curvature


class ReferenceLine:
    """A plane curve from (arc length, curvature) knots, straight before the first and after the last.

    Args:
        knots: Arc length [m] and curvature, left positive [1/m]; ascending arc length.
        start_m: Arc length where the grid begins, <= 0 [m].
        end_m: Arc length where it ends [m].
    """

    def __init__(self, knots: tuple[tuple[float, float], ...], start_m: float, end_m: float) -> None:
        snapped = [(round(s / STEP_M) * STEP_M, kappa) for s, kappa in knots]
        first = int(np.floor(start_m / STEP_M))
        last = int(np.ceil(end_m / STEP_M))
        self.s_m: Floats = np.arange(first, last + 1, dtype=np.float64) * STEP_M
        self.curvature_1pm: Floats = np.interp(self.s_m, [s for s, _ in snapped], [k for _, k in snapped])
        self._slope: Floats = np.append(np.diff(self.curvature_1pm) / STEP_M, 0.0)
        turn = STEP_M * (self.curvature_1pm[:-1] + self.curvature_1pm[1:]) / 2.0
        self.heading_rad: Floats = np.concatenate(([0.0], np.cumsum(turn)))
        k = self.curvature_1pm[:-1]
        middle = self.heading_rad[:-1] + k * STEP_M / 2.0 + self._slope[:-1] * STEP_M**2 / 8.0
        h = STEP_M / 6.0
        dx = h * (np.cos(self.heading_rad[:-1]) + 4.0 * np.cos(middle) + np.cos(self.heading_rad[1:]))
        dy = h * (np.sin(self.heading_rad[:-1]) + 4.0 * np.sin(middle) + np.sin(self.heading_rad[1:]))
        self.x_m: Floats = np.concatenate(([0.0], np.cumsum(dx)))
        self.y_m: Floats = np.concatenate(([0.0], np.cumsum(dy)))
        zero = -first  # the drive begins at the origin, heading east: shift the grid's start there
        turn_back = self.heading_rad[zero]
        cos, sin = np.cos(-turn_back), np.sin(-turn_back)
        x, y = self.x_m - self.x_m[zero], self.y_m - self.y_m[zero]
        self.x_m, self.y_m = cos * x - sin * y, sin * x + cos * y
        self.heading_rad = self.heading_rad - turn_back

    def _cell(self, s_m: Floats) -> tuple[NDArray[np.intp], Floats]:
        index = np.clip(((s_m - self.s_m[0]) / STEP_M).astype(np.intp), 0, len(self.s_m) - 1)
        return index, s_m - self.s_m[index]

    def curvature_at(self, s_m: Floats) -> Floats:
        """Curvature [1/m]."""
        index, u = self._cell(np.asarray(s_m, dtype=np.float64))
        return np.asarray(self.curvature_1pm[index] + self._slope[index] * u)

    def heading_at(self, s_m: Floats) -> Floats:
        """Heading from east, left positive [rad]."""
        index, u = self._cell(np.asarray(s_m, dtype=np.float64))
        return np.asarray(self.heading_rad[index] + u * (self.curvature_1pm[index] + self._slope[index] * u / 2.0))

    def point(self, s_m: Floats, d_m: Floats | float) -> tuple[Floats, Floats]:
        """World x and y of (s, d) [m]."""
        index, u = self._cell(np.asarray(s_m, dtype=np.float64))
        k, slope, begin = (
            self.curvature_1pm[index],
            self._slope[index],
            self.heading_rad[index],
        )
        end = begin + u * (k + slope * u / 2.0)
        half = u / 2.0
        middle = begin + half * (k + slope * half / 2.0)
        x = self.x_m[index] + u / 6.0 * (np.cos(begin) + 4.0 * np.cos(middle) + np.cos(end))
        y = self.y_m[index] + u / 6.0 * (np.sin(begin) + 4.0 * np.sin(middle) + np.sin(end))
        return np.asarray(x - d_m * np.sin(end)), np.asarray(y + d_m * np.cos(end))

    def project(self, x_m: Floats, y_m: Floats, s_guess_m: Floats) -> tuple[Floats, Floats]:
        """(s, d) of world points, from a guess of s within some metres (Newton, quadratic)."""
        s = np.array(s_guess_m, dtype=np.float64)
        for _ in range(6):
            x, y = self.point(s, 0.0)
            heading = self.heading_at(s)
            ahead = (x_m - x) * np.cos(heading) + (y_m - y) * np.sin(heading)
            left = -(x_m - x) * np.sin(heading) + (y_m - y) * np.cos(heading)
            s = s + ahead / np.maximum(1.0 - self.curvature_at(s) * left, 0.1)
        x, y = self.point(s, 0.0)
        heading = self.heading_at(s)
        return s, np.asarray(-(x_m - x) * np.sin(heading) + (y_m - y) * np.cos(heading))


@dataclass(frozen=True, slots=True, kw_only=True)
class Marking:
    """One line on the road, at constant offset, from `s_begin_m` to `s_end_m`.

    Args:
        d_m: Offset of its centre, left positive [m].
        type: Solid, dashed, double solid or studs.
        colour: Its colour.
        width_m: Width of one painted stripe, or of one stud [m].
        dash_m: Painted length of a dash [m].
        gap_m: Gap after it; the studs' spacing where the type is studs [m].
        between_m: Centre to centre of a double line's stripes [m].
        phase_m: Arc length at which a dash begins [m].
        is_temporary: Road works: it overrides the permanent lines.
    """

    d_m: float
    type: MarkingType
    colour: MarkingColour
    width_m: float
    dash_m: float = 0.0
    gap_m: float = 0.0
    between_m: float = 0.0
    phase_m: float = 0.0
    s_begin_m: float = -1e9
    s_end_m: float = 1e9
    is_temporary: bool = False

    @property
    def overall_width_m(self) -> float:
        """Outer edge to outer edge, both stripes of a double line [m]."""
        return self.width_m + self.between_m

    def stripes_m(self) -> tuple[float, ...]:
        """Offsets of the painted stripes' centres [m]."""
        if self.type is MarkingType.DOUBLE_SOLID:
            return (self.d_m + self.between_m / 2.0, self.d_m - self.between_m / 2.0)
        return (self.d_m,)

    def pieces(self, s_from_m: float, s_to_m: float) -> list[tuple[float, float]]:
        """Painted intervals of arc length in a range."""
        begin, end = max(s_from_m, self.s_begin_m), min(s_to_m, self.s_end_m)
        if end <= begin:
            return []
        if self.type not in (MarkingType.DASHED, MarkingType.STUDS):
            return [(begin, end)]
        painted = self.dash_m if self.type is MarkingType.DASHED else self.width_m
        cycle = painted + self.gap_m
        found: list[tuple[float, float]] = []
        dash = self.phase_m + math.floor((begin - self.phase_m) / cycle) * cycle
        while dash < end:
            low, high = max(begin, dash), min(end, dash + painted)
            if high > low:
                found.append((low, high))
            dash += cycle
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Lane:
    """One lane: its centre, width and whether it runs against the ego's direction."""

    d_m: float
    width_m: float
    is_opposing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """A reference line with its lanes, lines and edges of the asphalt.

    Args:
        line: The reference line.
        lanes: From the traffic side (kerb) to the middle, opposing lanes last.
        markings: Every line.
        edge_left_m: Left edge of the asphalt [m].
        edge_right_m: Right edge of the asphalt, negative [m].
        kerb: +1 where the kerb of our lane is on the left (left-hand traffic), -1 where it is on the right.
    """

    line: ReferenceLine
    lanes: tuple[Lane, ...]
    markings: tuple[Marking, ...]
    edge_left_m: float
    edge_right_m: float
    kerb: int

    def lines_at(self, s_m: float) -> tuple[Marking, ...]:
        """The lines in force at an arc length, from left to right; temporary ones replace the permanent ones."""
        here = [item for item in self.markings if item.s_begin_m <= s_m < item.s_end_m]
        if any(item.is_temporary for item in here):
            here = [item for item in here if item.is_temporary]
        return tuple(sorted(here, key=lambda item: -item.d_m))
