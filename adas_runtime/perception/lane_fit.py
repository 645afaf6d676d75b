"""Lane boundaries from marks on the ground: one family of parallel curves first, then each line by itself.

Markings of one road are parallel. So the search is for the heading and the curvature under which the lateral offsets
of all marks fall together most sharply; the peaks of that profile are the lines. Each line is then fitted by itself,
robustly (iteratively reweighted least squares), and held to the family only as far as it lacks marks of its own.
A line without enough paint is not told: nothing is filled in from the other side.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.markings import Marks
from adas_runtime.signals import MarkingColour, MarkingType

Array = npt.NDArray[np.float64]

BIN_M: Final = 0.08
SPAN_M: Final = 7.2
HEADING_MAX: Final = 0.14
HEADING_STEP: Final = 0.01
BEND_MAX_1PM: Final = 0.0040  # half the curvature: radius 125 m, tighter than any road above 60 km/h
BEND_STEP_1PM: Final = 0.0004
NEAR_M: Final = 0.45  # marks this near to a hypothesis take part in its fit
SCALE_M: Final = 0.07  # what an honest mark is off by: half a line's width
LINE_APART_M: Final = 0.38  # peaks nearer than this are one marking, double lines included
LINES_MAX: Final = 8
ITERATIONS: Final = 6
CUBIC_RANGE_M: Final = 30.0
FAR_M: Final = 25.0  # scale on which a mark counts less: a pixel covers more ground, and bends hide there
OWN_HALF_M: Final = 2.2  # the own lane's lines lie within this of the car's middle
OUTER_M: Final = 2.0  # scale on which marks farther out count less for the family
REACH_M: Final = 1.2  # marks this near to where a line is looked for may join it
UNIT_M: Final = 20.0
UNITS: Final = UNIT_M ** np.arange(4)
HANKEL: Final = np.arange(4)[:, None] + np.arange(4)[None, :]
HOLD: Final = np.array([1e-6, 0.6, 1.5, 8.0])  # weight of the family, per coefficient, in marks' weights
HOLD_BESIDE: Final = np.array([1e-6, 0.6, 12.0, 24.0])  # weight of the best line's shape
GAP_DASH_M: Final = 2.2  # shortest gap of the R130 Annex 3 table is 3 m; perspective fills some of it
GAPS_MIN: Final = 2  # one gap is as well a worn stretch, or a car on the line
BESIDE_M: Final = 1.0
OUTSIDE_MAX_M: Final = 0.5
CANCELS_M: Final = 1.2  # a works line this near takes the place of a permanent one; half a narrow lane
WORKS_CONFIDENCE_MIN: Final = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One marking: y = c0 + c1 x + c2 x^2 + c3 x^3 in the frame of the marks, valid from x_min_m to x_max_m.

    Args:
        support_m: Length of road on which its paint was seen.
        residual_m: Weighted root mean square of its marks.
        coverage: Share of the road between its ends on which paint was seen.
        gap_m: Longest stretch between its ends without paint.
        gaps: Stretches without paint that are as long as a gap between dashes.
        width_m: Median width of the paint.
        yellow: Share of its marks that are yellow.
        strength: Mean strength of its marks.
        balance: Median balance of its marks.
        clutter: Share of the marks in its neighbourhood, up to a metre beside it, that are not on it.
    """

    c0: float
    c1: float
    c2: float
    c3: float
    x_min_m: float
    x_max_m: float
    support_m: float
    residual_m: float
    coverage: float
    gap_m: float
    gaps: int
    width_m: float
    yellow: float
    strength: float
    balance: float
    clutter: float

    def at(self, x_m: float) -> float:
        """Lateral position [m]."""
        return self.c0 + x_m * (self.c1 + x_m * (self.c2 + x_m * self.c3))

    def slope(self, x_m: float) -> float:
        """dy/dx."""
        return self.c1 + x_m * (2.0 * self.c2 + 3.0 * self.c3 * x_m)

    @property
    def type(self) -> MarkingType:
        """Form of the line, unknown where too little of it was seen."""
        length = self.x_max_m - self.x_min_m
        if self.gaps >= GAPS_MIN and self.coverage < 0.8:
            return MarkingType.DASHED
        if length >= 10.0 and self.coverage > 0.7 and self.gap_m < GAP_DASH_M:
            return MarkingType.SOLID
        return MarkingType.UNKNOWN

    @property
    def colour(self) -> MarkingColour:
        """Colour of the line."""
        return MarkingColour.YELLOW if self.yellow > 0.5 else MarkingColour.WHITE


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Heading and bend that all lines share, and how sharply the marks agree with it."""

    heading: float
    bend_1pm: float
    score: float


def find_family(marks: Marks, prior: Family | None = None) -> Family:
    """The heading and bend under which the offsets of all marks fall together most sharply.

    Around `prior` only its neighbourhood is searched.
    """
    if len(marks) == 0:
        return Family(heading=0.0, bend_1pm=0.0, score=0.0)
    if prior is None:
        coarse = _search(marks, 0.0, 0.0, HEADING_MAX, BEND_MAX_1PM, HEADING_STEP * 2, BEND_STEP_1PM * 2)
    else:
        coarse = _search(marks, prior.heading, prior.bend_1pm, 0.03, 0.0012, HEADING_STEP, BEND_STEP_1PM)
    fine = _search(marks, coarse.heading, coarse.bend_1pm, 0.01, 0.0004, 0.0025, 0.0001)
    return fine if fine.score >= coarse.score else coarse


def _search(
    marks: Marks,
    heading: float,
    bend: float,
    heading_span: float,
    bend_span: float,
    heading_step: float,
    bend_step: float,
) -> Family:
    headings = heading + np.arange(-heading_span, heading_span + 1e-9, heading_step)
    bends = bend + np.arange(-bend_span, bend_span + 1e-12, bend_step)
    bends = bends[np.abs(bends) <= BEND_MAX_1PM + 1e-9]
    grid_h, grid_b = (a.ravel() for a in np.meshgrid(headings, bends, indexing="ij"))
    x, y = marks.x_m, marks.y_m
    # a long edge line beside another slope, or the cars of the next lane, must not outvote the own lane's short dashes
    weight = _weights(marks) / (1.0 + (np.maximum(np.abs(y) - OWN_HALF_M, 0.0) / OUTER_M) ** 2)
    bins = int(2 * SPAN_M / BIN_M)
    offset = y[None, :] - grid_h[:, None] * x[None, :] - grid_b[:, None] * (x * x)[None, :]
    index = np.floor((offset + SPAN_M) / BIN_M).astype(np.int32)
    inside = (index >= 0) & (index < bins)
    flat = index + (np.arange(len(grid_h), dtype=np.int32) * bins)[:, None]
    profile = np.bincount(
        flat[inside], weights=np.broadcast_to(weight, offset.shape)[inside], minlength=len(grid_h) * bins
    ).reshape(len(grid_h), bins)
    smooth = profile[:, :-1] + profile[:, 1:]
    # a sharp profile has a large sum of squares; straight and level wins where the marks do not care
    score = (smooth * smooth).sum(axis=1)
    score = score * (1.0 - 0.15 * np.abs(grid_b) / BEND_MAX_1PM - 0.1 * np.abs(grid_h) / HEADING_MAX)
    best = int(np.argmax(score))
    return Family(heading=float(grid_h[best]), bend_1pm=float(grid_b[best]), score=float(score[best]))


def _weights(marks: Marks) -> Array:
    """Length of road per mark, capped: a far row stands for metres but is one noisy pixel."""
    return np.asarray(np.minimum(marks.step_m, 0.6) * np.minimum(marks.strength, 2.5))


def find_lines(marks: Marks, family: Family, support_min_m: float) -> tuple[Line, ...]:
    """Every line of the family with enough paint, from left to right."""
    if len(marks) == 0:
        return ()
    offset = marks.y_m - family.heading * marks.x_m - family.bend_1pm * marks.x_m**2
    bins = int(2 * SPAN_M / BIN_M)
    index = np.floor((offset + SPAN_M) / BIN_M).astype(np.int64)
    inside = (index >= 0) & (index < bins)
    profile = np.bincount(index[inside], weights=_weights(marks)[inside], minlength=bins)
    smooth = np.asarray(cv2.GaussianBlur(profile.reshape(1, -1), (7, 1), 1.2), dtype=np.float64).ravel()
    lines: list[Line] = []
    reach = round(LINE_APART_M / BIN_M)
    for _ in range(LINES_MAX):
        peak = int(np.argmax(smooth))
        if smooth[peak] <= 0.0:
            break
        centre = (peak + 0.5) * BIN_M - SPAN_M
        line = _fit(marks, family, centre)
        smooth[max(0, peak - reach) : peak + reach + 1] = 0.0
        if line is None or line.support_m < support_min_m:
            continue
        if all(abs(line.at(12.0) - other.at(12.0)) > LINE_APART_M for other in lines):
            lines.append(line)
    return tuple(sorted((_decluttered(marks, line, lines) for line in lines), key=lambda line: -line.at(8.0)))


def in_force(lines: tuple[Line, ...]) -> tuple[Line, ...]:
    """Lines that hold where yellow markings of road works cancel the white ones beside them (StVO 39(5))."""
    works = [line for line in lines if line.yellow > 0.7 and confidence(line) > WORKS_CONFIDENCE_MIN]
    return tuple(
        line
        for line in lines
        if line.yellow > 0.3 or all(abs(line.at(12.0) - other.at(12.0)) > CANCELS_M for other in works)
    )


def _decluttered(marks: Marks, line: Line, lines: list[Line]) -> Line:
    """The line with its clutter: how much of what lies beside it is neither its paint nor another good line's."""
    x = marks.x_m
    here = (x >= line.x_min_m) & (x <= line.x_max_m)
    offset = np.abs(marks.y_m - _along(line, x))
    on = here & (offset < 0.2 * (1.0 + x / 60.0))
    beside = here & (offset < BESIDE_M) & ~on
    for other in lines:
        if other is not line and other.residual_m < 0.06 and other.strength > 1.8:
            beside &= np.abs(marks.y_m - _along(other, x)) > 0.25
    weight = np.minimum(marks.step_m, 0.6) * np.minimum(marks.strength - 0.5, 3.0) * (0.3 + 0.7 * marks.balance)
    weight = weight / (1.0 + x / 20.0) ** 2  # far away cars and hedges crowd every line
    own, alien = float(weight[on].sum()), float(weight[beside].sum())
    return replace(line, clutter=alien / max(own + alien, 1e-9))


def _along(line: Line, x: Array) -> Array:
    return np.asarray(line.c0 + x * (line.c1 + x * (line.c2 + x * line.c3)))


def _fit(marks: Marks, family: Family, centre_m: float) -> Line | None:
    """The line that starts as the family's curve through `centre_m`; `None` where too few marks agree."""
    start = np.array([centre_m, family.heading, family.bend_1pm, 0.0])
    close = np.abs(marks.y_m - _value(start, marks.x_m)) < REACH_M * (1.0 + marks.x_m / 60.0)
    marks = marks.chosen(close)  # what is farther away can never join, and small arrays are fast
    if len(marks) < 4:
        return None
    x, y = marks.x_m, marks.y_m
    powers = _powers(x)
    # far marks are coarser: a pixel covers more ground there
    scale = SCALE_M * (1.0 + x / 40.0)
    gate = 1.0 + x / 60.0
    base = _weights(marks) / (1.0 + x / FAR_M) ** 2
    coefficients, weight, near = start, base, NEAR_M
    for _ in range(ITERATIONS):
        residual = y - _value(coefficients, x)
        inlier = np.abs(residual) < near * gate
        if np.count_nonzero(inlier) < 4:
            return None
        weight = np.where(inlier, base / (1.0 + (residual / scale) ** 2), 0.0)
        seen = x[inlier]
        former = coefficients
        prior = np.array([former[0], family.heading, family.bend_1pm, 0.0])
        coefficients = _solve(powers, y, weight, prior, HOLD, float(seen.max() - seen.min()))
        if near <= 0.28 and np.abs(coefficients - former).max() < 1e-5:
            break
        near = max(0.28, near * 0.75)
    return _described(marks, coefficients, weight)


def _described(marks: Marks, coefficients: Array, weight: Array) -> Line | None:
    residual = marks.y_m - _value(coefficients, marks.x_m)
    inlier = np.abs(residual) < 0.25 * (1.0 + marks.x_m / 60.0)
    if np.count_nonzero(inlier) < 4:
        return None
    return _describe(marks, inlier, residual, weight, coefficients)


def held_to(marks: Marks, line: Line, anchor: Line) -> Line:
    """The line fitted once more, held to the bend of a better one: lines of one road bend alike.

    The heading is held less, since it also takes up what the pitch is off by. Without this, one dash near the car and
    one far away bend freely between.
    """
    own = np.array([line.c0, line.c1, line.c2, line.c3])
    close = np.abs(marks.y_m - _value(own, marks.x_m)) < 0.28 * (1.0 + marks.x_m / 60.0)
    marks = marks.chosen(close)
    x = marks.x_m
    residual = marks.y_m - _value(own, x)
    weight = _weights(marks) / (1.0 + x / FAR_M) ** 2 / (1.0 + (residual / (SCALE_M * (1.0 + x / 40.0))) ** 2)
    prior = np.array([line.c0, anchor.c1, anchor.c2, anchor.c3])
    held = _described(marks, _solve(_powers(x), marks.y_m, weight, prior, HOLD_BESIDE, CUBIC_RANGE_M), weight)
    if held is None or held.support_m < 0.9 * line.support_m or held.residual_m > 1.2 * line.residual_m + 0.003:
        return line  # its marks say that it runs another way: a ramp, a works lane
    return held


def _value(c: Array, x: Array) -> Array:
    return np.asarray(c[0] + x * (c[1] + x * (c[2] + x * c[3])))


def _powers(x: Array) -> Array:
    """(x / 20 m)^0 to ^6, (7, n): the sums of the normal equations; scaled, so that these are well conditioned."""
    out = np.empty((7, len(x)))
    out[0] = 1.0
    np.divide(x, UNIT_M, out=out[1])
    for power in range(2, 7):
        np.multiply(out[power - 1], out[1], out=out[power])
    return out


def _solve(powers: Array, y: Array, weight: Array, prior: Array, hold: Array, span_m: float) -> Array:
    """Weighted least squares, held to a prior that fades as the line has marks of its own."""
    size = 4 if span_m >= CUBIC_RANGE_M else 3
    sums = powers @ weight
    right = powers[:size] @ (weight * y)
    normal = sums[HANKEL[:size, :size]]
    normal.flat[:: size + 1] += hold[:size]
    right += hold[:size] * prior[:size] * UNITS[:size]
    c = np.zeros(4)
    c[:size] = np.linalg.solve(normal, right) / UNITS[:size]
    return c


def _describe(marks: Marks, inlier: npt.NDArray[np.bool_], residual: Array, weight: Array, c: Array) -> Line:
    _row, first = np.unique(marks.row[inlier], return_index=True)
    x = marks.x_m[inlier][first]
    step = marks.step_m[inlier][first]
    order = np.argsort(x, kind="stable")
    x, step = x[order], step[order]
    holes = np.diff(x) - 0.5 * (step[1:] + step[:-1])
    # a row or two without a peak is noise, also far away, where one row stands for metres
    holes = np.where(holes > 2.2 * step[1:], holes, 0.0) if len(x) > 1 else np.zeros(0)
    length = float(x[-1] - x[0]) + float(step[0])
    total = float(weight[inlier].sum())
    ratio = marks.ratio[inlier]
    warm = 0.5 * (ratio[:, 1] + ratio[:, 2])
    is_yellow = ratio[:, 0] < 0.8 * warm
    mean = float(np.average(residual[inlier] ** 2, weights=np.maximum(weight[inlier], 1e-9)))
    return Line(
        c0=float(c[0]),
        c1=float(c[1]),
        c2=float(c[2]),
        c3=float(c[3]),
        x_min_m=float(x[0]),
        x_max_m=float(x[-1]),
        support_m=float(np.minimum(step, 1.0).sum()),
        residual_m=math.sqrt(mean),
        coverage=max(0.0, 1.0 - float(holes.sum()) / max(length, 1e-6)),
        gap_m=float(holes.max()) if len(holes) else 0.0,
        gaps=int(np.count_nonzero(holes >= GAP_DASH_M)),
        width_m=float(np.median(marks.width_m[inlier])),
        yellow=float(np.average(is_yellow, weights=np.maximum(weight[inlier], 1e-9))) if total > 0.0 else 0.0,
        strength=float(np.mean(marks.strength[inlier])),
        balance=float(np.median(marks.balance[inlier])),
        clutter=0.0,  # known once all lines are
    )


def pitch_error_rad(left: Line, right: Line, height_m: float) -> float | None:
    """How much lower the camera looks than thought, from two lines that ought to be parallel; `None`: too short.

    Seen with the nose thought e too low, a width w at x shows as w (1 - e x / h): the lane narrows ahead.
    """
    near = max(left.x_min_m, right.x_min_m, 5.0)
    far = min(left.x_max_m, right.x_max_m, 30.0)
    if far - near < 8.0 or min(quality(left), quality(right)) < 0.35:
        return None
    ratio = (left.at(far) - right.at(far)) / max(left.at(near) - right.at(near), 0.5)
    return (ratio - 1.0) * height_m / max(far - near * ratio, 4.0)


def confidence(line: Line) -> float:
    """How far a line by itself can be believed, 0 to 1.

    A logistic of what tells paint from kerbs, rims of shadow, car sides, paving and hedges, all of which make ridges
    too. Fitted on the lines found in labelled pictures and rendered drives against those found in city pictures
    without lane markings; the command in docs/lanes.md prints how often each confidence is right.
    """
    evidence = (
        -8.2
        + 0.4 * math.log1p(line.support_m)
        + 2.3 * min(line.strength, 3.0)
        + 5.6 * line.balance
        - 9.0 * line.clutter
        - 17.0 * line.residual_m
        - 0.12 * min(line.x_min_m, 20.0)
    )
    paint = 1.0 - math.exp(-line.support_m / 4.0)
    reach = min(1.0, (line.x_max_m - line.x_min_m) / 8.0)
    near = 1.0 if line.x_min_m < 12.0 else max(0.3, 1.0 - (line.x_min_m - 12.0) / 20.0)
    return paint * reach * near / (1.0 + math.exp(-evidence))


def quality(line: Line) -> float:
    """How far a line by itself can be believed, 0 to 1: length of paint, straightness of its marks, contrast."""
    paint = 1.0 - math.exp(-line.support_m / 4.0)
    tight = math.exp(-((line.residual_m / 0.12) ** 2))
    reach = min(1.0, (line.x_max_m - line.x_min_m) / 8.0)
    near = 1.0 if line.x_min_m < 12.0 else max(0.3, 1.0 - (line.x_min_m - 12.0) / 20.0)
    return paint * tight * reach * near * min(1.0, 0.6 + 0.4 * (line.strength - 1.0))


def ego_pair(
    lines: tuple[Line, ...],
    width_range_m: tuple[float, float],
    nominal_m: float,
    expected: tuple[float | None, float | None],
) -> tuple[Line | None, Line | None]:
    """The boundaries of the own lane: the pair that fits best, or the one line that stands alone.

    Args:
        lines: All lines.
        width_range_m: Lane widths that are believed.
        nominal_m: The market's usual width.
        expected: Offsets of both boundaries in the former picture.
    """
    here_m = 8.0
    best: tuple[float, Line | None, Line | None] = (0.15, None, None)
    # the own lane is the one that the car's middle is in; a little beyond, for the moment of crossing a line
    left_lines = [line for line in lines if line.at(here_m) > -OUTSIDE_MAX_M]
    right_lines = [line for line in lines if line.at(here_m) < OUTSIDE_MAX_M]
    for left in [None, *left_lines]:
        for right in [None, *right_lines]:
            if left is right:
                continue
            score = 0.0
            for line, former in ((left, expected[0]), (right, expected[1])):
                if line is None:
                    continue
                gain = quality(line)
                if former is not None:
                    gain *= 0.75 + 0.5 * math.exp(-(((line.c0 - former) / 0.35) ** 2))
                score += gain
            if left is not None and right is not None:
                width = left.at(here_m) - right.at(here_m)
                if not width_range_m[0] <= width <= width_range_m[1]:
                    continue
                if left.at(here_m) < 0.0 or right.at(here_m) > 0.0:
                    score *= 0.4
                score *= math.exp(-(((width - nominal_m) / 1.6) ** 2))
                spread = abs((left.at(25.0) - right.at(25.0)) - width)
                score *= math.exp(-((spread / 1.5) ** 2))
                # a line between both would be the nearer boundary
                for line in lines:
                    if (
                        line is not left
                        and line is not right
                        and right.at(here_m) + 0.8 < line.at(here_m) < left.at(here_m) - 0.8
                    ):
                        score *= 1.0 - 0.7 * quality(line)
            else:
                alone = left or right
                if alone is None:
                    continue
                side = alone.at(here_m)
                if (left is not None and side < 0.0) or (right is not None and side > 0.0):
                    continue
                if abs(side) > width_range_m[1] * 0.75:
                    continue  # as likely the next lane's
                score *= 0.7
            if score > best[0]:
                best = (score, left, right)
    return best[1], best[2]
