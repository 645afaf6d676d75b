"""From a picture to the model's input: fit, colours and normalisation, written into a buffer that stays."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.manifest import ModelInput

Picture = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Fit:
    """How a picture lies in the model's input: `input = picture * scale + offset`, edge to edge.

    Coordinates are of edges, as of boxes: the picture reaches from 0 to its width. `adas_runtime.perception.camera`
    counts pixel centres instead: subtract a half.
    """

    width_px: int
    height_px: int
    scale_x: float
    scale_y: float
    offset_x: float
    offset_y: float
    cut_px: int = 0
    """Rows of the picture above what the model sees."""

    def to_picture(self, points: Floats) -> Floats:
        """Points of the input as points of the picture, changed in place.

        Args:
            points: (..., 2 k) float32, columns and rows in turn [px].
        """
        points[..., 0::2] -= self.offset_x
        points[..., 0::2] /= self.scale_x
        points[..., 1::2] -= self.offset_y
        points[..., 1::2] /= self.scale_y
        return points

    def clip(self, points: Floats) -> Floats:
        """Moves points into the picture, in place."""
        np.clip(points[..., 0::2], 0.0, self.width_px, out=points[..., 0::2])
        np.clip(points[..., 1::2], 0.0, self.height_px, out=points[..., 1::2])
        return points


def fit_of(given: ModelInput, width_px: int, height_px: int) -> tuple[Fit, tuple[int, int, int, int]]:
    """How a picture of this size lies in the input, and the part of the input that it fills (x, y, columns, rows)."""
    cut = min(round(given.crop_top * height_px), height_px - 1)
    seen_px = height_px - cut
    if given.fit == "stretch":
        part = (0, 0, given.width_px, given.height_px)
    else:
        scale = min(given.width_px / width_px, given.height_px / seen_px)
        columns = min(max(round(width_px * scale), 1), given.width_px)
        rows = min(max(round(seen_px * scale), 1), given.height_px)
        part = ((given.width_px - columns) // 2, (given.height_px - rows) // 2, columns, rows)
    x, y, columns, rows = part
    # the scale that rounding to whole pixels made, not the wanted one
    scale_x, scale_y = columns / width_px, rows / seen_px
    return Fit(width_px, height_px, scale_x, scale_y, float(x), y - cut * scale_y, cut), part


class Preprocessor:
    """Writes pictures into one input buffer; nothing of a picture's size is allocated after the first of that size."""

    def __init__(self, given: ModelInput, out: npt.NDArray[Any]) -> None:
        """Prepare.

        Args:
            given: What the model takes.
            out: The input buffer, of the manifest's shape and type; filled in place.
        """
        self._given = given
        self._out = out
        self._canvas: Picture = np.full((given.height_px, given.width_px, 3), given.pad, dtype=np.uint8)
        plane = (given.height_px, given.width_px)
        self._grey: Picture = np.empty(plane, dtype=np.uint8)
        self._ordered: Picture = np.empty_like(self._canvas)
        self._floats: Floats = np.empty(given.shape[1:], dtype=np.float32)
        self._fit: Fit | None = None
        self._part = (0, 0, 0, 0)
        self._is_plain = all(value == 0.0 for value in given.mean) and all(value == 1.0 for value in given.std)
        levels = np.arange(256, dtype=np.float64)
        # one table a colour: normalising is one look-up a pixel
        tables = [(levels - mean) / std for mean, std in zip(given.mean, given.std, strict=True)]
        self._tables = [table.astype(np.float32) for table in tables]
        self._table = np.ascontiguousarray(np.stack(self._tables, axis=1)[None])  # (1, 256, colours)

    def fill(self, picture: Picture) -> Fit:
        """Writes a picture into the buffer.

        Args:
            picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey.
        Returns:
            How it lies there.
        """
        given = self._given
        rows, columns = picture.shape[:2]
        if self._fit is None or (self._fit.width_px, self._fit.height_px) != (columns, rows):
            self._fit, self._part = fit_of(given, columns, rows)
            self._canvas[:] = given.pad
            self._grey[:] = given.pad
        x, y, width, height = self._part
        picture = picture[self._fit.cut_px :]
        # averaging when it shrinks much: a far sign must not fall between the samples
        shrinks = columns >= 2 * width and picture.shape[0] >= 2 * height
        way = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        is_grey = picture.ndim == 2
        canvas = self._grey if is_grey else self._canvas
        cv2.resize(picture, (width, height), dst=canvas[y : y + height, x : x + width], interpolation=way)
        if given.colour == "grey":
            if not is_grey:
                cv2.cvtColor(self._canvas, cv2.COLOR_BGR2GRAY, dst=self._grey)
            self._planes_grey()
        else:
            if is_grey:
                cv2.cvtColor(self._grey, cv2.COLOR_GRAY2BGR, dst=self._canvas)
            self._planes_colour()
        return self._fit

    def _planes_grey(self) -> None:
        given, out = self._given, self._out
        flat = out.reshape(given.height_px, given.width_px)
        if self._is_plain and given.dtype == "uint8":
            np.copyto(flat, self._grey)
        elif given.dtype == "float32":
            cv2.LUT(self._grey, self._tables[0], dst=flat)
        else:
            floats = self._floats.reshape(given.height_px, given.width_px)
            cv2.LUT(self._grey, self._tables[0], dst=floats)
            np.copyto(flat, floats, casting="same_kind")

    def _planes_colour(self) -> None:
        given, out = self._given, self._out
        target = out if given.dtype == "float32" else self._floats[None]
        if given.layout == "nhwc":
            source = self._canvas
            if given.colour == "rgb":
                cv2.cvtColor(self._canvas, cv2.COLOR_BGR2RGB, dst=self._ordered)
                source = self._ordered
            if given.dtype == "uint8":
                np.copyto(out[0], source)
                return
            cv2.LUT(source, self._table, dst=target[0])
        else:
            for channel in range(3):
                source_channel = 2 - channel if given.colour == "rgb" else channel
                if given.dtype == "uint8":
                    cv2.extractChannel(self._canvas, source_channel, dst=out[0, channel])
                    continue
                cv2.extractChannel(self._canvas, source_channel, dst=self._grey)
                cv2.LUT(self._grey, self._tables[channel], dst=target[0, channel])
        if given.dtype == "float16":
            np.copyto(out, target, casting="same_kind")
