"""What models see, in pixels of the original picture: edges, 0 to width; subtract a half for pixel centres."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.preprocess import Fit

Floats = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
UNSURE: Final = 255


@dataclass(frozen=True, slots=True, eq=False)
class Boxes:
    """Detected things, the most certain first.

    Args:
        boxes_px: (n, 4) float32, left top right bottom [px].
        scores: (n,) float32 [1].
        labels: (n,) int32, places in `classes`.
        classes: Names.
        points_px: (n, k, 3) float32, column, row [px], confidence [1]; `None` without keypoints.
    """

    boxes_px: Floats
    scores: Floats
    labels: Labels
    classes: tuple[str, ...]
    points_px: Floats | None = None

    def as_json(self) -> list[dict[str, Any]]:
        """One mapping a box."""
        found: list[dict[str, Any]] = []
        for index in range(len(self.scores)):
            item: dict[str, Any] = {
                "class": self.classes[int(self.labels[index])],
                "score": round(float(self.scores[index]), 4),
                "box_px": [round(float(value), 2) for value in self.boxes_px[index]],
            }
            if self.points_px is not None:
                item["points_px"] = [[round(float(value), 3) for value in row] for row in self.points_px[index]]
            found.append(item)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Lane lines by rows.

    Args:
        points_px: (lines, rows, 2) float32, column and row [px]; the column is NaN where the line is not seen.
        scores: (lines,) float32, mean confidence of the rows where it is seen [1]; 0 where it is nowhere.
        classes: Names of the lines.
    """

    points_px: Floats
    scores: Floats
    classes: tuple[str, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """One mapping a line that is seen."""
        return [
            {
                "class": name,
                "score": round(float(score), 4),
                "points_px": [[round(float(x), 2), round(float(y), 2)] for x, y in points if not np.isnan(x)],
            }
            for name, score, points in zip(self.classes, self.scores, self.points_px, strict=True)
            if score > 0.0
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """A class for each cell of the model's grid.

    Args:
        labels: (rows, columns) uint8, places in `classes`; 255 where nothing is certain enough.
        scores: (rows, columns) float32, confidence of the label [1].
        classes: Names.
        fit: How the picture lies in the model's input.
        input_px: Columns and rows of the model's input.
    """

    labels: npt.NDArray[np.uint8]
    scores: Floats
    classes: tuple[str, ...]
    fit: Fit
    input_px: tuple[int, int]

    def at_picture(self) -> npt.NDArray[np.uint8]:
        """The labels for each pixel of the picture, (rows, columns) uint8."""
        rows, columns = self.labels.shape
        step_x, step_y = columns / self.input_px[0], rows / self.input_px[1]
        fit = self.fit
        # pixel centre of the picture -> input -> cell, as an affine map that warpAffine reads backwards
        matrix = np.array(
            [
                [fit.scale_x * step_x, 0.0, (0.5 * fit.scale_x + fit.offset_x) * step_x - 0.5],
                [0.0, fit.scale_y * step_y, (0.5 * fit.scale_y + fit.offset_y) * step_y - 0.5],
            ]
        )
        flags = cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP
        size = (fit.width_px, fit.height_px)
        picture = cv2.warpAffine(self.labels, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        picture[: fit.cut_px] = UNSURE  # the model has not seen it
        return np.asarray(picture, dtype=np.uint8)

    def as_json(self) -> list[dict[str, Any]]:
        """The share of the picture that each class takes."""
        at_picture = self.at_picture()
        return [
            {"class": name, "share": round(float(np.mean(at_picture == index)), 4)}
            for index, name in enumerate(self.classes)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """Named points.

    Args:
        points_px: (k, 3) float32, column, row [px], confidence [1]; NaN where one is not seen.
        names: Names.
    """

    points_px: Floats
    names: tuple[str, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """One mapping a point that is seen."""
        return [
            {"point": name, "score": round(float(score), 4), "at_px": [round(float(x), 2), round(float(y), 2)]}
            for name, (x, y, score) in zip(self.names, self.points_px, strict=True)
            if not np.isnan(x)
        ]


@dataclass(frozen=True, slots=True, eq=False)
class Verdict:
    """What the picture as a whole shows.

    Args:
        scores: (classes,) float32 [1].
        classes: Names.
    """

    scores: Floats
    classes: tuple[str, ...]

    def as_json(self) -> list[dict[str, Any]]:
        """All classes, the most certain first."""
        order = np.argsort(-self.scores, kind="stable")
        return [{"class": self.classes[index], "score": round(float(self.scores[index]), 4)} for index in order]


Result = Boxes | Lines | Segments | Points | Verdict
