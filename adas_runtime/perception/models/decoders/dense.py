"""A value for each cell: segmentation, and keypoints as heat maps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.decoders.common import activate, one_output, option
from adas_runtime.perception.models.manifest import Manifest
from adas_runtime.perception.models.preprocess import Fit
from adas_runtime.perception.models.results import UNSURE, Points, Segments


class Segmentation:
    """One output (1, classes, rows, columns); or labels (1, rows, columns) of whole numbers, which have no confidence.

    With `softmax` a cell belongs to one class. With `sigmoid` the likeliest wins and must be certain enough by itself,
    so a model of one class tells that class from all else.
    """

    def __init__(self, manifest: Manifest) -> None:
        output = manifest.outputs[0]
        self._is_labels = output.dtype in ("int32", "int64", "uint8") and len(output.shape) == 3
        if self._is_labels:
            output = one_output(manifest, 3)
            rows, columns = output.shape[1:]
        else:
            output = one_output(manifest, 4)
            rows, columns = output.shape[2:]
            if output.shape[1] != len(manifest.classes):
                raise ValueError(
                    f"output {output.name} has {output.shape[1]} layers for {len(manifest.classes)} classes; "
                    "correct classes"
                )
        if len(manifest.classes) >= UNSURE:
            raise ValueError(f"at most {UNSURE - 1} classes can be told; take fewer")
        self._manifest = manifest
        self._name = output.name
        self._activation = str(option(manifest, "activation"))
        self._min = np.float32(option(manifest, "confidence_min"))
        self._layer = np.empty((rows, columns), dtype=np.float32)
        self._sum = np.empty((rows, columns), dtype=np.float32)
        self._unsure = np.empty((rows, columns), dtype=np.bool_)
        self._labels = np.empty((rows, columns), dtype=np.uint8)
        self._scores = np.ones((rows, columns), dtype=np.float32)

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Segments:
        """Labels; the arrays are the decoder's own and hold until the next picture."""
        raw = outputs[self._name][0]
        if self._is_labels:
            np.copyto(self._labels, raw, casting="unsafe")
            np.greater_equal(raw, len(self._manifest.classes), out=self._unsure)
            np.logical_or(self._unsure, raw < 0, out=self._unsure)
        else:
            self._winners(raw)
            self._certainty(raw)
            np.greater_equal(self._scores, self._min, out=self._unsure)
            np.logical_not(self._unsure, out=self._unsure)  # so that NaN is unsure as well
        self._labels[self._unsure] = UNSURE
        given = self._manifest.input
        return Segments(self._labels, self._scores, self._manifest.classes, fit, (given.width_px, given.height_px))

    def _winners(self, raw: npt.NDArray[Any]) -> None:
        """Label and raw value of the greatest layer of each cell. `np.argmax` over the first axis would copy it all."""
        self._scores.fill(-np.inf)
        self._labels.fill(0)
        for index in range(raw.shape[0]):
            np.greater(raw[index], self._scores, out=self._unsure)
            np.copyto(self._scores, raw[index], where=self._unsure, casting="same_kind")
            np.copyto(self._labels, index, where=self._unsure, casting="unsafe")

    def _certainty(self, raw: npt.NDArray[Any]) -> None:
        """The winners' raw values become probabilities; of the other layers only their sum is needed."""
        if self._activation == "sigmoid":
            activate(self._scores, "sigmoid", axis=0)
        elif self._activation == "softmax":
            self._sum.fill(0.0)
            with np.errstate(invalid="ignore"):  # infinity less infinity: unsure
                for index in range(raw.shape[0]):
                    np.subtract(raw[index], self._scores, out=self._layer)
                    np.exp(self._layer, out=self._layer)
                    self._sum += self._layer
            np.reciprocal(self._sum, out=self._scores)


class Heatmaps:
    """One output (1, points, rows, columns): each point lies at the peak of its map, refined by its neighbours."""

    def __init__(self, manifest: Manifest) -> None:
        output = one_output(manifest, 4)
        names = option(manifest, "keypoints")
        if output.shape[1] != len(names):
            raise ValueError(
                f"output {output.name} has {output.shape[1]} maps for {len(names)} keypoints; correct them"
            )
        self._name = output.name
        self._names = tuple(names)
        self._rows, self._columns = output.shape[2:]
        self._min = float(option(manifest, "confidence_min"))
        given = manifest.input
        self._step_x = given.width_px / self._columns
        self._step_y = given.height_px / self._rows

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Points:
        """Points in the picture."""
        maps = outputs[self._name][0]
        count = len(self._names)
        index = np.arange(count)
        flat = maps.reshape(count, -1)
        rows, columns = np.unravel_index(np.argmax(flat, axis=1), (self._rows, self._columns))
        peaks = maps[index, rows, columns].astype(np.float32)
        found = np.empty((count, 3), dtype=np.float32)
        found[:, 0] = (columns + 0.5 + self._shift(maps, index, rows, columns, 0, 1)) * self._step_x
        found[:, 1] = (rows + 0.5 + self._shift(maps, index, rows, columns, 1, 0)) * self._step_y
        fit.to_picture(found[:, :2])
        found[:, 2] = peaks
        is_seen = peaks >= self._min
        is_seen &= (found[:, 0] >= 0.0) & (found[:, 0] <= fit.width_px)
        is_seen &= (found[:, 1] >= 0.0) & (found[:, 1] <= fit.height_px)
        found[~is_seen] = np.nan
        return Points(points_px=found, names=self._names)

    def _shift(
        self,
        maps: npt.NDArray[Any],
        index: npt.NDArray[np.intp],
        rows: npt.NDArray[np.intp],
        columns: npt.NDArray[np.intp],
        down: int,
        right: int,
    ) -> npt.NDArray[np.float32]:
        """Peak of the parabola through a cell and its two neighbours, within half a cell; 0 at the rim."""
        low = maps[index, np.maximum(rows - down, 0), np.maximum(columns - right, 0)].astype(np.float32)
        high_rows = np.minimum(rows + down, self._rows - 1)
        high_columns = np.minimum(columns + right, self._columns - 1)
        high = maps[index, high_rows, high_columns].astype(np.float32)
        middle = maps[index, rows, columns].astype(np.float32)
        bend = 2.0 * middle - low - high
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = np.where(bend > 1e-12, 0.5 * (high - low) / bend, 0.0)
        at_rim = (rows - down < 0) | (rows + down >= self._rows)
        at_rim |= (columns - right < 0) | (columns + right >= self._columns)
        return np.asarray(np.where(at_rim, 0.0, np.clip(shift, -0.5, 0.5)), dtype=np.float32)
