"""What a picture tells of the camera itself: frozen, covered, dark. No network is asked."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from enum import Enum
from typing import Final

import cv2
import numpy as np

from adas_runtime.perception.signs import Picture

# All of these are design choices [D], set on the shared recordings and on pictures that tests make of them.
COLUMNS, ROWS = 64, 48  # of the small picture that is judged: noise of a sensor is gone in it, a face is not
FROZEN_S: Final = 0.5  # the very same picture for so long: a sensor that works never repeats its noise
FLAT_LEVELS: Final = 2.0  # grey levels from place to place in a picture that shows nothing
PLAIN_LEVELS: Final = 5.0  # and in one that shows enough; between the two confidence falls
BLACK_LEVELS: Final = 10.0  # without edges and darker than this: no light, rather than a lens that is covered
DIM_LEVELS: Final = 40.0  # and below this, confidence falls
LOST_LEVELS: Final = 3.0  # nothing comes from there: a sensor's own black is brighter
LOST_FROM: Final = 0.3  # share of the picture that is so black from which on confidence falls, for half a face is ...
LOST_TO: Final = 0.6  # ... easily taken for another one; here it is 0
BRIGHT_LEVELS: Final = 235.0  # blinded: a picture brighter than this shows nothing
EDGE_SHARE: Final = 98.0  # of the places have less of an edge than what is told as `detail` [%]
COARSE: Final = 4  # the small picture is made in two steps: the first keeps eight bits, the second does not


class Sight(Enum):
    """What the camera can see."""

    CLEAR = "clear"
    DIM = "dim"  # little light or little to see: what is told is less sure
    DARK = "dark"  # there is no light in the cabin; a covered lens that light shines through looks otherwise
    COVERED = "covered"
    BLINDED = "blinded"
    FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A picture by itself.

    Args:
        level: Mean grey level, 0 to 255.
        detail: Grey levels from place to place where there are edges.
        lost: Share of the picture from which no light comes.
        digest: Of every pixel's value.
    """

    level: float
    detail: float
    lost: float
    digest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Stillness:
    """Since when the picture is the very same.

    Args:
        digest: Of the last picture; `None` before the first.
        since_s: When it was new.
        frame: Number of the last picture that was another one.
    """

    digest: int | None = None
    since_s: float = 0.0
    frame: int = 0


def measured(picture: Picture) -> View:
    """Light and detail of a grey picture, (rows, columns) uint8."""
    coarse = cv2.resize(picture, (COARSE * COLUMNS, COARSE * ROWS), interpolation=cv2.INTER_AREA)
    small = cv2.resize(coarse.astype(np.float32), (COLUMNS, ROWS), interpolation=cv2.INTER_AREA)
    across, down = np.abs(np.diff(small, axis=1)), np.abs(np.diff(small, axis=0))
    edges = np.maximum(across[:-1], down[:, :-1])
    return View(
        level=float(small.mean()),
        detail=float(np.percentile(edges, EDGE_SHARE)),
        lost=float(np.mean(small < LOST_LEVELS)),
        digest=zlib.crc32(np.ascontiguousarray(picture).data),
    )


def stilled(old: Stillness, view: View, stamp_s: float) -> Stillness:
    """Whether this picture is a new one."""
    if view.digest == old.digest and stamp_s >= old.since_s:
        return old
    return Stillness(digest=view.digest, since_s=stamp_s, frame=(old.frame + 1) % 2**31)


def judged(view: View, still: Stillness, stamp_s: float) -> tuple[Sight, float]:
    """What can be seen, and by which factor what is told is less sure, 0 to 1."""
    same_s = stamp_s - still.since_s
    if same_s >= FROZEN_S:
        return Sight.FROZEN, 0.0
    if view.level >= BRIGHT_LEVELS and view.detail < PLAIN_LEVELS:
        return Sight.BLINDED, 0.0
    if view.detail < FLAT_LEVELS:
        return (Sight.DARK if view.level < BLACK_LEVELS else Sight.COVERED), 0.0
    factor = 1.0 - same_s / FROZEN_S
    factor *= _rising(view.detail, FLAT_LEVELS, PLAIN_LEVELS)
    factor *= 0.3 + 0.7 * _rising(view.level, BLACK_LEVELS, DIM_LEVELS)
    factor *= 1.0 - _rising(view.lost, LOST_FROM, LOST_TO)
    is_dim = view.detail < PLAIN_LEVELS or view.level < DIM_LEVELS
    return (Sight.DIM if is_dim else Sight.CLEAR), factor


def _rising(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
