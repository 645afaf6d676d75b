"""Parking bays in a picture from above: painted separators in pairs, a market's bay apart, and whether one is empty.

Looked for are thin bright lines; two neighbours that run side by side, as far apart as a bay is wide and for most of
its length, bound one. How a bay lies to the road follows from its separators against the car's own direction. Bays
without any line (brick, gravel) are not found: that takes the cars beside them, which a picture of lines does not show.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.market.facts import Bay
from adas_runtime.signals import Corner, ParkingSlot, SlotKind

LINE_MAX_M: Final = 0.25  # painted width: 0.10 to 0.15 m as laid, smeared more [D]
CONTRAST_MIN: Final = 10.0  # grey levels above what lies beside it
CONTRAST_NOISE: Final = 4.0  # and times the spread of the ground
SEGMENT_M: Final = 0.5  # shorter strokes are no part of a separator
MERGE_ANGLE_RAD: Final = math.radians(5.0)
MERGE_BESIDE_M: Final = 0.2
MERGE_GAP_M: Final = 1.0  # worn through, or under a leaf
SEPARATOR_M: Final = 1.4  # shorter ones bound nothing
PARALLEL_RAD: Final = math.radians(6.0)
WIDTH_SPARE: Final = (0.88, 1.22)  # of the market's least and greatest width: older and wider bays [D]
DEPTH_SHARE: Final = 0.55  # of the usual length, that two separators must share
DEPTH_MAX_SHARE: Final = 1.5
KERB_DEPTH_M: Final = (1.6, 3.0)  # of a bay along the kerb
KERB_LENGTH_SHARE: Final = (0.9, 1.5)  # of the usual length, between its separators
ALONG_RAD: Final = math.radians(25.0)  # a separator that leads so little aside bounds no bay beside the road
ACROSS_RAD: Final = math.radians(72.0)  # steeper than that against the road, and the bay is perpendicular
OCCUPIED: Final = 0.16  # share of a bay's inside that is unlike the ground
UNLIKE: Final = 3.5  # spreads of the ground
SLOTS_MAX: Final = 64  # of the signal
EDGES: Final = 0.045  # share of its inside where brightness changes as at a rim
STEEP_MIN: Final = 25.0  # of a Sobel operator
STEEP_NOISE: Final = 4.0
BORDER_M: Final = 0.1
UNEVEN_M: Final = 0.7  # two separators differ by no more in length, else one is the side of a car
INSIDE: Final = 0.8  # of a bay: paint and its shadow stay out
BLUE: Final = (100, 130)  # hue of OpenCV, 0 to 179: bays for the disabled in most of Europe, Japan and the Americas [D]

Picture = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """Where a picture from above lies in the vehicle frame, forward up in the picture.

    Args:
        m_per_px: Size of a pixel on the ground [m].
        x_m, y_m: Place of the middle of the upper left pixel [m].
    """

    m_per_px: float
    x_m: float
    y_m: float

    @classmethod
    def around(cls, rows: int, columns: int, m_per_px: float) -> Ground:
        """The car stands in the middle of the picture."""
        return cls(m_per_px=m_per_px, x_m=0.5 * (rows - 1) * m_per_px, y_m=0.5 * (columns - 1) * m_per_px)

    def place(self, pixels: Array) -> Array:
        """Vehicle frame of pixels (column, row), (n, 2) [m]."""
        return np.stack([self.x_m - pixels[:, 1] * self.m_per_px, self.y_m - pixels[:, 0] * self.m_per_px], axis=1)

    def pixels(self, places: Array) -> Array:
        """Column and row of places in the vehicle frame, (n, 2) [px]."""
        return np.stack([(self.y_m - places[:, 1]) / self.m_per_px, (self.x_m - places[:, 0]) / self.m_per_px], axis=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A painted line: middle, direction (0 to pi), and its ends along the direction from the middle [m]."""

    x_m: float
    y_m: float
    angle_rad: float
    low_m: float
    high_m: float
    contrast: float
    is_blue: bool

    @property
    def length_m(self) -> float:
        """From end to end."""
        return self.high_m - self.low_m

    def at(self, along_m: float) -> tuple[float, float]:
        """A point on it."""
        return self.x_m + along_m * math.cos(self.angle_rad), self.y_m + along_m * math.sin(self.angle_rad)


def find_slots(picture: Picture, ground: Ground, bay: Bay) -> tuple[ParkingSlot, ...]:
    """The marked bays of a picture from above, the surest first.

    Args:
        picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey; forward is up.
        ground: Where it lies.
        bay: The market's usual bay, for what to look for; each bay is measured.
    """
    # the brightest channel: blue and yellow paint are as bright in it as white
    grey = picture if picture.ndim == 2 else np.ascontiguousarray(picture.max(axis=2))
    if min(grey.shape) * ground.m_per_px < SEPARATOR_M:
        return ()
    lines = find_lines(grey, picture, ground)
    separators = _distinct([line for line in lines if line.length_m >= SEPARATOR_M])
    level, spread = _surface(grey)
    steep, border = _steep(grey, ground), max(2.0, BORDER_M / ground.m_per_px)
    found = []
    for first, second in _neighbours(separators, bay):
        slot = _slot(first, second, bay)
        if slot is None:
            continue
        corners, kind, evenness = slot
        pixels = ground.pixels(np.array(corners))
        if (pixels < border).any() or (pixels >= np.array([grey.shape[1], grey.shape[0]]) - border).any():
            continue  # its lines go on beyond the picture: how far is not seen
        is_free, clearness = _is_free(grey, steep, ground, corners, level, spread)
        contrast = min(1.0, min(first.contrast, second.contrast) / (3.0 * CONTRAST_MIN))
        found.append(
            ParkingSlot(
                kind=kind,
                corners=tuple(Corner(x_m=float(x), y_m=float(y)) for x, y in corners),
                is_free=is_free,
                is_reserved=first.is_blue and second.is_blue,
                confidence=float(round(0.95 * math.sqrt(contrast) * evenness * clearness, 4)),
            )
        )
    found.sort(key=lambda slot: (-slot.confidence, slot.corners[0].x_m, slot.corners[0].y_m))
    return tuple(found[:SLOTS_MAX])


def find_lines(grey: Picture, picture: Picture, ground: Ground) -> list[Line]:
    """Painted lines, broken ones mended."""
    size = ground.m_per_px
    wide = max(3, round(2.0 * LINE_MAX_M / size) | 1)
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.6, 0.03 / size))
    thin = cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, cv2.getStructuringElement(cv2.MORPH_RECT, (wide, wide)))
    noise = float(np.median(thin)) + 1.0
    least = max(CONTRAST_MIN, CONTRAST_NOISE * noise)
    mask = np.asarray((thin >= least) * 255, np.uint8)
    shortest = max(8, round(SEGMENT_M / size))
    strokes: Any = cv2.HoughLinesP(
        mask, 1.0, math.pi / 360.0, threshold=shortest, minLineLength=shortest, maxLineGap=max(2, round(0.15 / size))
    )
    if strokes is None:
        return []
    ends = np.asarray(strokes, np.float64).reshape(-1, 4)
    hue = None
    if picture.ndim == 3:
        hue = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV), np.uint8)
    return _merged(ends, ground, np.asarray(thin, np.float64), hue, least)


def _merged(ends: Array, ground: Ground, thin: Array, hue: Picture | None, least: float) -> list[Line]:
    """Strokes of one line as one, longest first."""
    from_m, to_m = ground.place(ends[:, :2]), ground.place(ends[:, 2:])
    delta = to_m - from_m
    length = np.hypot(delta[:, 0], delta[:, 1])
    angle = np.arctan2(delta[:, 1], delta[:, 0]) % math.pi
    middle = 0.5 * (from_m + to_m)
    taken = np.zeros(len(ends), bool)
    lines = []
    for index in np.argsort(-length, kind="stable"):
        if taken[index]:
            continue
        unit = np.array([math.cos(angle[index]), math.sin(angle[index])])
        normal = np.array([-unit[1], unit[0]])
        base = middle[index]
        low, high = -0.5 * length[index], 0.5 * length[index]
        members = [index]
        taken[index] = True
        is_beside = np.abs((middle - base) @ normal) <= MERGE_BESIDE_M
        could = is_beside & (_between_rad(angle, angle[index]) <= MERGE_ANGLE_RAD)
        has_grown = True
        while has_grown:
            has_grown = False
            for other in np.flatnonzero(could & ~taken):
                spots = sorted((float((from_m[other] - base) @ unit), float((to_m[other] - base) @ unit)))
                if spots[0] <= high + MERGE_GAP_M and spots[1] >= low - MERGE_GAP_M:
                    low, high = min(low, spots[0]), max(high, spots[1])
                    members.append(int(other))
                    taken[other] = has_grown = True
        line = _fitted(from_m[members], to_m[members], length[members], ground, thin, hue)
        if line.contrast >= 0.5 * least:
            lines.append(line)
    return lines


def _fitted(from_m: Array, to_m: Array, weight: Array, ground: Ground, thin: Array, hue: Picture | None) -> Line:
    """The middle of strokes, by their length: both rims of the paint count alike; and how it looks along there."""
    points = np.concatenate([from_m, to_m])
    weights = np.concatenate([weight, weight])
    centre = (points * weights[:, None]).sum(axis=0) / weights.sum()
    spread = points - centre
    values, vectors = np.linalg.eigh((spread * weights[:, None]).T @ spread)
    along = vectors[:, int(np.argmax(values))]
    if along[1] < 0.0 or (along[1] == 0.0 and along[0] < 0.0):
        along = -along  # a line has no front: directions from 0 to pi
    spots_m = spread @ along
    low_m, high_m = float(spots_m.min()), float(spots_m.max())
    cells = np.round(ground.pixels(centre + np.outer(np.linspace(low_m, high_m, 24), along))).astype(int)
    rows, columns = np.clip(cells[:, 1], 0, thin.shape[0] - 1), np.clip(cells[:, 0], 0, thin.shape[1] - 1)
    is_blue = False
    if hue is not None:
        colour = hue[rows, columns]
        is_blue = bool(((colour[:, 0] >= BLUE[0]) & (colour[:, 0] <= BLUE[1]) & (colour[:, 1] > 90)).mean() > 0.6)
    return Line(
        x_m=float(centre[0]), y_m=float(centre[1]), angle_rad=math.atan2(along[1], along[0]), low_m=low_m,
        high_m=high_m, contrast=float(np.median(thin[rows, columns])), is_blue=is_blue,
    )  # fmt: skip


def _distinct(lines: list[Line]) -> list[Line]:
    """Without strokes that are left over beside a longer line: rims and smears of the same paint."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda item: -item.length_m):
        if not any(
            _turned(other, line) <= 2.0 * MERGE_ANGLE_RAD
            and abs(_beside(other, line)) <= 2.0 * MERGE_BESIDE_M
            and _along(other, line)
            for other in kept
        ):
            kept.append(line)
    return kept


def _along(line: Line, other: Line) -> bool:
    """Whether the middle of the other lies beside the line, not beyond its ends."""
    spot = (other.x_m - line.x_m) * math.cos(line.angle_rad) + (other.y_m - line.y_m) * math.sin(line.angle_rad)
    return line.low_m <= spot <= line.high_m


def _neighbours(lines: list[Line], bay: Bay) -> list[tuple[Line, Line]]:
    """Pairs that run side by side with no other of their kind between them."""
    widest = max(WIDTH_SPARE[1] * bay.width_max_m, KERB_LENGTH_SHARE[1] * bay.length_m)
    pairs = []
    for index, line in enumerate(lines):
        nearest: dict[bool, tuple[float, Line]] = {}
        for other_index, other in enumerate(lines):
            if other_index == index or _turned(line, other) > PARALLEL_RAD:
                continue
            beside_m = _beside(line, other)
            low_m, high_m = _shared(line, other)
            if high_m - low_m < 0.5 * SEPARATOR_M or abs(beside_m) < 4.0 * MERGE_BESIDE_M or abs(beside_m) > widest:
                continue
            side = beside_m > 0.0
            if side not in nearest or abs(beside_m) < abs(nearest[side][0]):
                nearest[side] = (beside_m, other)
        pairs += [(line, other) for beside_m, other in nearest.values() if beside_m > 0.0]
    return pairs


def _slot(first: Line, second: Line, bay: Bay) -> tuple[list[tuple[float, float]], SlotKind, float] | None:
    """Corners, kind and evenness of the bay between two separators; `None`: they bound none."""
    if abs(first.length_m - second.length_m) > UNEVEN_M:
        return None
    apart_m = abs(_beside(first, second))
    low_m, high_m = _shared(first, second)
    depth_m = high_m - low_m
    tilt = min(first.angle_rad, math.pi - first.angle_rad)  # against the car's own direction
    is_wide = WIDTH_SPARE[0] * bay.width_min_m <= apart_m <= WIDTH_SPARE[1] * bay.width_max_m
    is_deep = DEPTH_SHARE * bay.length_m <= depth_m <= DEPTH_MAX_SHARE * bay.length_m
    is_kerb = (
        KERB_LENGTH_SHARE[0] * bay.length_m <= apart_m <= KERB_LENGTH_SHARE[1] * bay.length_m
        and KERB_DEPTH_M[0] <= depth_m <= KERB_DEPTH_M[1]
    )
    if is_wide and is_deep:
        if tilt < ALONG_RAD:
            return None
        kind = SlotKind.PERPENDICULAR if tilt >= ACROSS_RAD else SlotKind.ANGLED
    elif is_kerb and tilt >= ACROSS_RAD:
        kind = SlotKind.PARALLEL
    else:
        return None
    ends = []
    for line in (first, second):
        one, two = line.at(line.low_m), line.at(line.high_m)
        ends.append((one, two) if math.hypot(*one) <= math.hypot(*two) else (two, one))
    # the entrance is the side of the car; both separators agree on it, or they are ends of two rows
    (near_1, far_1), (near_2, far_2) = ends
    if (far_1[0] - near_1[0]) * (far_2[0] - near_2[0]) + (far_1[1] - near_1[1]) * (far_2[1] - near_2[1]) <= 0.0:
        return None
    evenness = math.exp(-((_turned(first, second) / PARALLEL_RAD) ** 2))
    evenness *= min(1.0, depth_m / max(min(first.length_m, second.length_m), 1e-6) + 0.15)
    return [near_1, near_2, far_2, far_1], kind, min(evenness, 1.0)


def _turned(first: Line, second: Line) -> float:
    return float(_between_rad(first.angle_rad, second.angle_rad))


def _between_rad(first: Array | float, second: Array | float) -> Any:
    """Between directions of lines, which have no front."""
    return np.abs((first - second + 0.5 * math.pi) % math.pi - 0.5 * math.pi)


def _beside(first: Line, second: Line) -> float:
    """How far the second lies to the left of the first [m]."""
    return (second.y_m - first.y_m) * math.cos(first.angle_rad) - (second.x_m - first.x_m) * math.sin(first.angle_rad)


def _shared(first: Line, second: Line) -> tuple[float, float]:
    """From where to where the second runs beside the first, along their bay: an angled row's separators are offset."""
    cosine, sine = math.cos(first.angle_rad), math.sin(first.angle_rad)
    spots = [
        (x_m - first.x_m) * cosine + (y_m - first.y_m) * sine
        for x_m, y_m in (second.at(second.low_m), second.at(second.high_m))
    ]
    offset_m = 0.5 * sum(spots) - 0.5 * (first.low_m + first.high_m)
    if abs(offset_m) <= 0.85 * abs(_beside(first, second)) / math.tan(ALONG_RAD):
        spots = [spot - offset_m for spot in spots]
    return max(first.low_m, min(spots)), min(first.high_m, max(spots))


def _surface(grey: Picture) -> tuple[float, float]:
    """Usual brightness of the ground, and its spread."""
    level = float(np.median(grey))
    return level, max(4.0, 1.4826 * float(np.median(np.abs(grey.astype(np.float64) - level))))


def _is_free(
    grey: Picture, steep: Picture, ground: Ground, corners: list[tuple[float, float]], level: float, spread: float
) -> tuple[bool | None, float]:
    """Whether nothing stands in a bay, `None` where it cannot be told; and how clear that is.

    In doubt something does: a shadow across a bay makes it taken, no car makes it free.
    """
    points = np.array(corners)
    centre = points.mean(axis=0)
    inner = np.round(ground.pixels(centre + INSIDE * (points - centre))).astype(np.int32)
    mask = np.zeros_like(grey)
    cv2.fillConvexPoly(mask, inner, 255)
    is_inside = mask > 0
    inside = grey[is_inside].astype(np.float64)
    if len(inside) < 20:
        return None, 0.7
    here = float(np.median(inside))
    unlike = float((np.abs(inside - here) > UNLIKE * spread).mean())
    edges = float((steep[is_inside] > 0).mean())
    is_other = abs(here - level) > 2.0 * UNLIKE * spread and edges > 0.25 * EDGES
    worst = max(unlike / OCCUPIED, edges / EDGES, 1.5 if is_other else 0.0)
    return worst < 1.0, min(1.0, 0.6 + abs(worst - 1.0))


def _steep(grey: Picture, ground: Ground) -> Picture:
    """Where brightness changes as at the rim of a body, not as grain does; 255 there."""
    smooth = cv2.GaussianBlur(grey, (0, 0), max(0.8, 0.04 / ground.m_per_px))
    along: Any = cv2.Sobel(smooth, cv2.CV_32F, 1, 0)
    across: Any = cv2.Sobel(smooth, cv2.CV_32F, 0, 1)
    slope = np.hypot(np.asarray(along), np.asarray(across))
    return np.asarray((slope > max(STEEP_MIN, STEEP_NOISE * float(np.median(slope)))) * 255, np.uint8)
