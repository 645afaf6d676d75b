"""Where the road is in a picture: the paved part before the car, row by row, of a network's classes.

Pure: what the network said in, columns of the picture out. Information for people and for checks; nothing steers by it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.results import Segments

ROAD, MARKING = "road", "marking"
BEFORE: Final = (0.3, 0.7)  # the car stands on the road: of the picture's columns, in its lowest part
BONNET_SHARE: Final = 0.12  # the lowest part of a picture may show the own bonnet
ROWS_MIN: Final = 6  # cells; lower is no road
ROW_STEP: Final = 2  # cells from one told row to the next


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


def road_of(seen: Segments, *, like: float = 1.0) -> SeenRoad | None:
    """The road before the car; `None` where there is none.

    Args:
        seen: Classes, `road` and `marking` among them.
        like: How far the picture is like those that were learnt from, 0 to 1.
    """
    places = [seen.classes.index(name) for name in (ROAD, MARKING)]
    paved: npt.NDArray[np.uint8] = np.isin(seen.labels, places).astype(np.uint8)
    count, parts = cv2.connectedComponents(paved, connectivity=4)
    if count < 2:
        return None
    rows, columns = paved.shape
    fit = seen.fit
    step_x, step_y = seen.input_px[0] / columns, seen.input_px[1] / rows
    # the part of the grid that holds the picture: the rest is padding
    top, bottom = fit.offset_y / step_y, (fit.offset_y + fit.scale_y * fit.height_px) / step_y
    left, right = fit.offset_x / step_x, (fit.offset_x + fit.scale_x * fit.width_px) / step_x
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
        edges = (np.array([cells[0], cells[-1] + 1]) * step_x - fit.offset_x) / fit.scale_x
        y = ((row + 0.5) * step_y - fit.offset_y) / fit.scale_y
        begin, end = np.clip(edges, 0.0, fit.width_px)
        told.append((float(y), float(begin), float(end)))
    inside = (bottom - top) * (right - left)
    return SeenRoad(
        share=min(float(part.sum()) / inside, 1.0),
        confidence=float(seen.scores[part].mean()) * like,
        marking_share=float((seen.labels[part] == seen.classes.index(MARKING)).mean()),
        rows=tuple(told),
    )
