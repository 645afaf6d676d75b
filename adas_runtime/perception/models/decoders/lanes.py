"""Row-anchor lanes, as Ultra-Fast-Lane-Detection puts them out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.decoders.common import activate, one_output, option
from adas_runtime.perception.models.manifest import Manifest
from adas_runtime.perception.models.preprocess import Fit
from adas_runtime.perception.models.results import Lines


class RowAnchors:
    """One output (1, cells + 1, rows, lines): in each row a line lies in a cell, or nowhere (the last one).

    The place between the cells is the mean of their positions by probability. The cells reach from the first to the
    last column of the input; the first and last of them lie on the outermost pixels' centres.
    """

    def __init__(self, manifest: Manifest) -> None:
        output = one_output(manifest, 4)
        _, cells, rows, lines = output.shape
        anchors = option(manifest, "row_anchors_px")
        if cells < 3 or rows != len(anchors) or lines != len(manifest.classes):
            raise ValueError(
                f"output {output.name} has {rows} rows and {lines} lines, the manifest {len(anchors)} row_anchors_px "
                f"and {len(manifest.classes)} classes; correct them"
            )
        given = manifest.input
        if not all(0.0 <= row < given.height_px for row in anchors):
            raise ValueError(f"row_anchors_px must lie inside the input's {given.height_px} rows; correct them")
        self._manifest = manifest
        self._name = output.name
        self._min = np.float32(option(manifest, "confidence_min"))
        self._scratch = np.empty((cells, rows, lines), dtype=np.float32)
        self._columns = (np.linspace(0.0, given.width_px - 1, cells - 1) + 0.5).astype(np.float32)
        self._rows = np.asarray(anchors, dtype=np.float32) + np.float32(0.5)

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Lines:
        """Lines in the picture."""
        share = self._scratch
        np.copyto(share, outputs[self._name][0], casting="same_kind")
        activate(share, "softmax", axis=0)
        absent = share[-1]
        seen_share = 1.0 - absent  # that the line passes this row at all
        with np.errstate(divide="ignore", invalid="ignore"):
            columns = np.einsum("c,crl->rl", self._columns, share[:-1]) / seen_share
        best = np.max(share[:-1], axis=0)
        is_seen = (best > absent) & (seen_share >= self._min) & np.isfinite(columns)
        points = np.empty((share.shape[2], share.shape[1], 2), dtype=np.float32)
        points[..., 0] = np.where(is_seen, columns, np.nan).T
        points[..., 1] = self._rows
        fit.to_picture(points)
        _forget_outside(points, fit)
        told = ~np.isnan(points[..., 0])
        counts = told.sum(axis=1)
        scores = np.where(told, seen_share.T, 0.0).sum(axis=1) / np.maximum(counts, 1)
        return Lines(points_px=points, scores=scores.astype(np.float32), classes=self._manifest.classes)


class HybridAnchors:
    """UFLD v2: loc_row (1, cells, rows, lines), exist_row (1, 2, rows, lines), and the same by columns for flat lines.

    The outermost two of four lines lie flat in the picture, so they are told at columns; all others at rows. The place
    is the mean of the likeliest cell and its two neighbours.
    """

    def __init__(self, manifest: Manifest) -> None:
        shapes = {item.name: item.shape for item in manifest.outputs}
        rows, columns = option(manifest, "row_anchors_px"), option(manifest, "column_anchors_px")
        lines = len(manifest.classes)
        for name, size in (("loc_row", None), ("loc_col", None), ("exist_row", 2), ("exist_col", 2)):
            anchors = rows if name.endswith("row") else columns
            shape = shapes.get(name, ())
            if len(shape) != 4 or shape[2:] != (len(anchors), lines) or shape[0] != 1 or shape[1] < 2:
                raise ValueError(
                    f"output {name} is not (1, cells, {len(anchors)} anchors, {lines} classes); name the four outputs "
                    "loc_row, loc_col, exist_row, exist_col and correct anchors and classes"
                )
            if size is not None and shape[1] != size:
                raise ValueError(f"output {name} has {shape[1]} layers, not 2; export the model anew")
        given = manifest.input
        if not all(0.0 <= row <= given.height_px for row in rows) or not all(
            0.0 <= column <= given.width_px for column in columns
        ):
            raise ValueError("row_anchors_px and column_anchors_px must lie inside the input; correct them")
        self._manifest = manifest
        self._min = np.float32(option(manifest, "confidence_min"))
        self._rows = np.asarray(rows, dtype=np.float32)
        self._columns = np.asarray(columns, dtype=np.float32)
        flat = {0, 3} if lines == 4 else set()
        self._flat = tuple(sorted(flat))
        self._steep = tuple(index for index in range(lines) if index not in flat)

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Lines:
        """Lines in the picture."""
        lines = len(self._manifest.classes)
        given = self._manifest.input
        points = np.full((lines, max(len(self._rows), len(self._columns)), 2), np.nan, dtype=np.float32)
        sure = np.zeros(points.shape[:2], dtype=np.float32)
        for kind, chosen, anchors, length, axis in (
            ("row", self._steep, self._rows, given.width_px, 0),
            ("col", self._flat, self._columns, given.height_px, 1),
        ):
            if not chosen:
                continue
            place, exists = _places(outputs[f"loc_{kind}"][0], outputs[f"exist_{kind}"][0], list(chosen), length)
            place[~(exists >= self._min)] = np.nan  # so that NaN is unsure as well
            for index, line in enumerate(chosen):
                points[line, : len(anchors), axis] = place[:, index]
                points[line, : len(anchors), 1 - axis] = anchors
                sure[line, : len(anchors)] = exists[:, index]
        points[np.isnan(points).any(axis=2)] = np.nan
        fit.to_picture(points)
        _forget_outside(points, fit)
        told = ~np.isnan(points[..., 0])
        scores = np.where(told, sure, 0.0).sum(axis=1) / np.maximum(told.sum(axis=1), 1)
        return Lines(points_px=points, scores=scores.astype(np.float32), classes=self._manifest.classes)


def _places(
    where: npt.NDArray[Any], exists: npt.NDArray[Any], lines: list[int], length_px: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Place along an anchor [px] and probability that the line passes it, both (anchors, lines)."""
    raw = where[:, :, lines].astype(np.float32)
    cells = raw.shape[0]
    best = np.argmax(raw, axis=0)
    around = np.clip(best[None] + np.array([-1, 0, 1])[:, None, None], 0, cells - 1)
    share = np.take_along_axis(raw, around, axis=0)
    share[0][best == 0] = -np.inf  # the rim has one neighbour: not the best cell twice
    share[2][best == cells - 1] = -np.inf
    with np.errstate(invalid="ignore", over="ignore"):
        activate(share, "softmax", axis=0)
        place = ((share * around).sum(axis=0) + np.float32(0.5)) / np.float32(cells - 1) * np.float32(length_px)
        passes = activate(exists[:, :, lines].astype(np.float32), "softmax", axis=0)[1]
    return place.astype(np.float32), passes


def _forget_outside(points: npt.NDArray[np.float32], fit: Fit) -> None:
    """The column becomes NaN where a point is not in the picture."""
    outside = (points[..., 0] < 0.0) | (points[..., 0] > fit.width_px)
    outside |= (points[..., 1] < 0.0) | (points[..., 1] > fit.height_px)
    points[..., 0][outside] = np.nan
