"""Pitch and vanishing point from the footage itself, for cameras whose mounting nobody measured."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

WORK_WIDTH_PX: Final = 640  # line segments are looked for at this width; enough for the coarse point, refined later
BIN_PX: Final = 6.0
SEGMENTS_MAX: Final = 220
ANGLE_BETWEEN_MIN_RAD: Final = 0.12  # nearly parallel segments meet nowhere in particular
FLAT_MAX_RAD: Final = 0.12  # nearer to level: horizon, bridges, bonnet
CONVERGED_STD_RAD: Final = 0.004  # 0.23 deg: 0.13 m at 20 m for a line 1.8 m beside a camera at 1.3 m
CONVERGED_UPDATES: Final = 15


@dataclass(frozen=True, slots=True)
class VanishingPoint:
    """Where parallel lines of the road meet, in pixels of the picture, with the weight of its votes."""

    column_px: float
    row_px: float
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PitchEstimate:
    """Camera pitch, tracked over frames.

    Args:
        pitch_rad: Nose down positive.
        yaw_rad: Camera yaw; left positive.
        std_rad: Standard deviation of the pitch.
        updates: Frames that took part.
    """

    pitch_rad: float
    yaw_rad: float
    std_rad: float
    updates: int

    @property
    def has_converged(self) -> bool:
        """Enough frames agreed for metres to be trusted, where height and intrinsics are known."""
        return self.updates >= CONVERGED_UPDATES and self.std_rad <= CONVERGED_STD_RAD


def vanishing_points(gray: npt.NDArray[np.uint8], limit: int = 4) -> tuple[VanishingPoint, ...]:
    """Candidates for the road's vanishing point, strongest first.

    Pairs of line segments vote where they meet. Only meetings above both segments count: lines on the ground
    converge upwards, which roofs, wires and tree tops do not.
    """
    _height, width = gray.shape[:2]
    scale = min(1.0, WORK_WIDTH_PX / width)
    small = cv2.resize(gray, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1.0 else gray
    found: Any = cv2.createLineSegmentDetector(cv2.LSD_REFINE_STD).detect(small)[0]
    if found is None:
        return ()
    segments = np.asarray(found, dtype=np.float64).reshape(-1, 4)
    rows, columns = small.shape[:2]
    upper = segments[:, 1] > segments[:, 3]
    segments[upper] = segments[upper][:, [2, 3, 0, 1]]  # first end is the upper one
    delta = segments[:, 2:] - segments[:, :2]
    length = np.hypot(delta[:, 0], delta[:, 1])
    angle = np.arctan2(delta[:, 1], delta[:, 0])
    low = segments[:, 3] > 0.4 * rows
    keep = (length > 0.02 * columns) & (angle > FLAT_MAX_RAD) & (angle < np.pi - FLAT_MAX_RAD) & low
    # poles and house corners stand upright and meet the road's lines everywhere
    upright = np.abs(angle - 0.5 * np.pi) < 0.1
    weight = np.minimum(length, 0.2 * columns) * np.where(upright, 0.3, 1.0)
    segments, angle, weight, delta = segments[keep], angle[keep], weight[keep], delta[keep]
    if len(segments) < 2:
        return ()
    strongest = np.argsort(-weight, kind="stable")[:SEGMENTS_MAX]
    segments, angle, weight, delta = segments[strongest], angle[strongest], weight[strongest], delta[strongest]
    first, second = np.triu_indices(len(segments), 1)
    apart = np.abs(angle[first] - angle[second]) > ANGLE_BETWEEN_MIN_RAD
    first, second = first[apart], second[apart]
    cross = delta[first, 0] * delta[second, 1] - delta[first, 1] * delta[second, 0]
    gap = segments[second, :2] - segments[first, :2]
    along = (gap[:, 0] * delta[second, 1] - gap[:, 1] * delta[second, 0]) / np.where(np.abs(cross) > 1e-9, cross, 1e-9)
    u = segments[first, 0] + along * delta[first, 0]
    v = segments[first, 1] + along * delta[first, 1]
    top = np.minimum(segments[first, 1], segments[second, 1])
    inside = (v < top + 4.0) & (v > 0.05 * rows) & (v < 0.85 * rows) & (u > -0.2 * columns) & (u < 1.2 * columns)
    if not inside.any():
        return ()
    u, v = u[inside], v[inside]
    vote = np.sqrt(weight[first[inside]] * weight[second[inside]])
    bins_u, bins_v = int(1.4 * columns / BIN_PX) + 1, int(rows / BIN_PX) + 1
    index = (v / BIN_PX).astype(np.int64) * bins_u + ((u + 0.2 * columns) / BIN_PX).astype(np.int64)
    raw = np.bincount(index, weights=vote, minlength=bins_u * bins_v).reshape(bins_v, bins_u)
    votes: npt.NDArray[np.float64] = np.asarray(cv2.GaussianBlur(raw, (5, 5), 1.0), dtype=np.float64)
    points = []
    for _ in range(limit):
        peak = int(np.argmax(votes))
        row, column = divmod(peak, bins_u)
        if votes[row, column] <= 0.0:
            break
        centre_u = (column + 0.5) * BIN_PX - 0.2 * columns
        centre_v = (row + 0.5) * BIN_PX
        for _ in range(3):  # mean shift to the middle of the votes
            near = vote * np.exp(-0.5 * ((u - centre_u) ** 2 + (v - centre_v) ** 2) / BIN_PX**2)
            total = float(near.sum())
            if total <= 0.0:
                break
            centre_u, centre_v = float((near * u).sum() / total), float((near * v).sum() / total)
        points.append(
            VanishingPoint((centre_u + 0.5) / scale - 0.5, (centre_v + 0.5) / scale - 0.5, float(votes[row, column]))
        )
        votes[max(0, row - 4) : row + 5, max(0, column - 4) : column + 5] = 0.0
    return tuple(points)
