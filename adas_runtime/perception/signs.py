"""A speed sign as it was read in one picture, what the classes of a reader mean, and the cut-out that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.signals import SignKind

CUT_PX: Final = 96  # of a cut-out before the reader shrinks it
NOT_OURS: Final = ("other", "nothing")
Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]  # left, top, right, bottom, edges of the picture [px]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenSign:
    """One sign in one picture.

    Args:
        kind: What it means.
        value: The number on it, in the unit of the country; `None` where it has none.
        box_px: Where it is.
        confidence: Probability of this reading, 0 to 1.
        finding: Score of the finder, 0 to 1.
    """

    kind: SignKind
    value: int | None
    box_px: Box
    confidence: float
    finding: float


def meaning(name: str) -> tuple[SignKind, int | None] | None:
    """What a class of the reader says, `None` for what is no speed sign.

    Raises:
        ValueError: No class of ours.
    """
    if name in NOT_OURS:
        return None
    stem, _, last = name.rpartition("_")
    kind, value = (stem, int(last)) if last.isdigit() else (name, None)
    try:
        return KINDS[kind], value
    except KeyError:
        raise ValueError(f"class {name!r} of the sign reader is unknown") from None


KINDS: Final = {
    "speed_limit": SignKind.SPEED_LIMIT,
    "variable_speed_limit": SignKind.VARIABLE_SPEED_LIMIT,
    "end_of_speed_limit": SignKind.END_OF_SPEED_LIMIT,
    "end_of_all_limits": SignKind.END_OF_ALL_LIMITS,
    "minimum_speed": SignKind.MINIMUM_SPEED,
    "end_of_minimum_speed": SignKind.END_OF_MINIMUM_SPEED,
    "advisory_speed": SignKind.ADVISORY_SPEED,
    "zone_entry": SignKind.ZONE_ENTRY,
    "zone_exit": SignKind.ZONE_EXIT,
    "city_entry": SignKind.CITY_ENTRY,
    "city_exit": SignKind.CITY_EXIT,
    "motorway_entry": SignKind.MOTORWAY_ENTRY,
    "motorway_exit": SignKind.MOTORWAY_EXIT,
    "expressway_entry": SignKind.EXPRESSWAY_ENTRY,
    "expressway_exit": SignKind.EXPRESSWAY_EXIT,
    "living_street_entry": SignKind.LIVING_STREET_ENTRY,
    "living_street_exit": SignKind.LIVING_STREET_EXIT,
}


def side_px(box: Box) -> float:
    """The longer side of a box [px]."""
    return max(box[2] - box[0], box[3] - box[1])


def cut_out(picture: Picture, box: Box, around: float) -> Picture:
    """The square around a box, `CUT_PX` a side, its border repeated beyond the picture's.

    Args:
        picture: (rows, columns, 3) uint8 BGR.
        box: Where the sign is.
        around: Side, as a share of the box's longer side.
    """
    left, top, right, bottom = box
    side = max(side_px(box), 1.0) * around
    x, y = (left + right) / 2.0 - side / 2.0, (top + bottom) / 2.0 - side / 2.0
    if side > 2.0 * CUT_PX:  # shrink first, else sampling aliases
        x0, y0 = max(int(x), 0), max(int(y), 0)
        part = picture[y0 : int(y + side) + 2, x0 : int(x + side) + 2]
        if part.size == 0:
            part, x0, y0 = picture, 0, 0
        scale = 2.0 * CUT_PX / side
        picture = np.asarray(cv2.resize(part, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
        x, y, side = (x - x0) * scale, (y - y0) * scale, side * scale
    scale = CUT_PX / side
    move = np.array([[scale, 0.0, 0.5 * scale - 0.5 - x * scale], [0.0, scale, 0.5 * scale - 0.5 - y * scale]])
    cut: Any = cv2.warpAffine(picture, move, (CUT_PX, CUT_PX), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(cut, np.uint8)
