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
        outside = (points[..., 0] < 0.0) | (points[..., 0] > fit.width_px)
        outside |= (points[..., 1] < 0.0) | (points[..., 1] > fit.height_px)
        points[..., 0][outside] = np.nan
        told = ~np.isnan(points[..., 0])
        counts = told.sum(axis=1)
        scores = np.where(told, seen_share.T, 0.0).sum(axis=1) / np.maximum(counts, 1)
        return Lines(points_px=points, scores=scores.astype(np.float32), classes=self._manifest.classes)
