"""Where the road is in a picture: the paved part before the car, row by row, of a network's classes.

Pure: what the network said in, columns of the picture out. Information for people and for checks; nothing steers by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

ROAD, MARKING = "road", "marking"
BEFORE: Final = (0.3, 0.7)  # the car stands on the road: of the picture's columns, in its lowest part
BONNET_SHARE: Final = 0.12  # the lowest part of a picture may show the own bonnet
ROWS_MIN: Final = 6  # cells; lower is no road
ROW_STEP: Final = 2  # cells from one told row to the next


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Grid:
    """A class for each cell, and how the picture lies in the cells.

    Args:
        labels: (rows, columns) uint8, places in `classes`; another number: not certain enough.
        scores: (rows, columns) float32, probability of the label [1].
        classes: Names, `road` and `marking` among them.
        box: Left, top, right, bottom of the picture [cells]; the rest is padding.
        size_px: Columns and rows of the picture.
    """

    labels: npt.NDArray[np.uint8]
    scores: npt.NDArray[np.float32]
    classes: tuple[str, ...]
    box: tuple[float, float, float, float]
    size_px: tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenRoad:
    """The paved surface that the car stands on.

    Args:
        share: Of the picture [1].
        confidence: Mean probability of its cells, lowered where the picture is unlike what was learnt from [1].
        marking_share: Share of paint in it [1].
        rows: Row, first and last column of it [px], from the top down.
    """

    share: float
    confidence: float
    marking_share: float
    rows: tuple[tuple[float, float, float], ...]


def road_of(seen: Grid, *, like: float = 1.0) -> SeenRoad | None:
    """The road before the car; `None` where there is none.

    Args:
        seen: What the network said.
        like: How far the picture is like those that were learnt from, 0 to 1.
    """
    places = [seen.classes.index(name) for name in (ROAD, MARKING)]
    paved: npt.NDArray[np.uint8] = np.isin(seen.labels, places).astype(np.uint8)
    count, parts = cv2.connectedComponents(paved, connectivity=4)
    if count < 2:
        return None
    left, top, right, bottom = seen.box
    width_px, height_px = seen.size_px
    cell_x_px, cell_y_px = width_px / (right - left), height_px / (bottom - top)
    last = max(round(bottom - BONNET_SHARE * (bottom - top)), 1)
    first_column, last_column = (round(left + share * (right - left)) for share in BEFORE)
    before = parts[max(last - ROWS_MIN, 0) : last, first_column:last_column]
    sizes = np.bincount(before.ravel(), minlength=count)
    sizes[0] = 0
    if not sizes.any():
        return None
    part = parts == int(sizes.argmax())
    filled = np.flatnonzero(part.any(axis=1))
    filled = filled[(filled + 0.5 >= top) & (filled + 0.5 <= bottom)]
    if len(filled) < ROWS_MIN:
        return None
    told = []
    for row in filled[::-ROW_STEP][::-1].tolist():
        cells = np.flatnonzero(part[row])
        begin, end = np.clip((np.array([cells[0], cells[-1] + 1]) - left) * cell_x_px, 0.0, width_px)
        told.append(((row + 0.5 - top) * cell_y_px, float(begin), float(end)))
    inside = (bottom - top) * (right - left)
    return SeenRoad(
        share=min(float(part.sum()) / inside, 1.0),
        confidence=float(seen.scores[part].mean()) * like,
        marking_share=float((seen.labels[part] == seen.classes.index(MARKING)).mean()),
        rows=tuple(told),
    )
