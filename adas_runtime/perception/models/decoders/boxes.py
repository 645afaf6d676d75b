"""Boxes: the YOLO families and RT-DETR."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.decoders.common import activate, one_output, option
from adas_runtime.perception.models.manifest import Manifest
from adas_runtime.perception.models.preprocess import Fit
from adas_runtime.perception.models.results import Boxes, Floats, Labels

CANDIDATES_MAX = 2000  # boxes that suppression looks at, the best ones: bounds the time of a frame full of noise


def corners(centred: Floats) -> Floats:
    """(n, 4) centre and size to left top right bottom."""
    boxes = np.empty((len(centred), 4), dtype=np.float32)
    half = centred[:, 2:4] * np.float32(0.5)
    np.subtract(centred[:, 0:2], half, out=boxes[:, 0:2])
    np.add(centred[:, 0:2], half, out=boxes[:, 2:4])
    return boxes


def suppress(boxes: Floats, scores: Floats, labels: Labels, *, iou_max: float, boxes_max: int) -> npt.NDArray[np.intp]:
    """Places of the boxes that stay, the best first: none overlaps a better one of its class by more than `iou_max`."""
    if len(scores) == 0:
        return np.zeros(0, dtype=np.intp)
    sized = boxes.astype(np.float64)
    sized[:, 2:] -= sized[:, :2]
    kept = cv2.dnn.NMSBoxesBatched(sized.tolist(), scores.tolist(), labels.tolist(), 0.0, iou_max)
    places = np.asarray(kept, dtype=np.intp).reshape(-1)
    places = places[np.argsort(-scores[places], kind="stable")]
    return places[:boxes_max]


def finish(
    manifest: Manifest,
    boxes: Floats,
    scores: Floats,
    labels: Labels,
    fit: Fit,
    *,
    iou_max: float | None,
    points: Floats | None = None,
) -> Boxes:
    """Drops what is no box, suppresses, and goes back to the picture.

    Args:
        manifest: Classes and limits.
        boxes: (n, 4) corners in the model's input [px].
        scores: (n,).
        labels: (n,).
        fit: How the picture lies in the input.
        iou_max: `None` where the model has suppressed doubles itself.
        points: (n, k, 3) keypoints in the model's input.
    """
    boxes_max = option(manifest, "boxes_max")
    fine = np.isfinite(boxes).all(axis=1) & (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])
    order = np.flatnonzero(fine & np.isfinite(scores) & (labels >= 0) & (labels < len(manifest.classes)))
    order = order[np.argsort(-scores[order], kind="stable")][: max(CANDIDATES_MAX, boxes_max)]
    if iou_max is not None:
        order = order[suppress(boxes[order], scores[order], labels[order], iou_max=iou_max, boxes_max=boxes_max)]
    chosen = fit.clip(fit.to_picture(boxes[order].astype(np.float32)))
    # what lay wholly in the padding is nowhere in the picture
    inside = np.flatnonzero((chosen[:, 2] > chosen[:, 0]) & (chosen[:, 3] > chosen[:, 1]))[:boxes_max]
    order = order[inside]
    at: Floats | None = None
    if points is not None:
        at = points[order].astype(np.float32)
        at[..., :2] = fit.to_picture(np.ascontiguousarray(at[..., :2]))
    return Boxes(
        boxes_px=chosen[inside],
        scores=scores[order].astype(np.float32),
        labels=labels[order].astype(np.int32),
        classes=manifest.classes,
        points_px=at,
    )


class YoloFree:
    """YOLOv8 and v11: one output (1, 4 + classes, places), no objectness; with keypoints three rows a point follow.

    Exports that put the places first, (1, places, 4 + classes), are read as well; the size of the axes tells.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        self._points = len(manifest.decoder.keypoints or ())
        rows = 4 + len(manifest.classes) + 3 * self._points
        output = one_output(manifest, 3)
        self._name = output.name
        self._is_turned = output.shape[1] != rows
        if rows not in output.shape[1:]:
            raise ValueError(
                f"output {output.name} has no axis of {rows} = 4 + {len(manifest.classes)} classes"
                f"{f' + 3 * {self._points} keypoints' if self._points else ''}; "
                "correct classes, or take another decoder"
            )
        places = output.shape[2] if not self._is_turned else output.shape[1]
        self._best = np.empty(places, dtype=np.float32)
        self._mask = np.empty(places, dtype=np.bool_)
        self._min = np.float32(option(manifest, "confidence_min"))
        self._iou = float(option(manifest, "iou_max"))

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Boxes:
        """Boxes in the picture."""
        raw = outputs[self._name][0]
        table = raw.T if self._is_turned else raw  # (rows, places), a view
        classes = len(self._manifest.classes)
        np.max(table[4 : 4 + classes], axis=0, out=self._best)
        np.greater_equal(self._best, self._min, out=self._mask)
        places = np.flatnonzero(self._mask)
        some = table[:, places].astype(np.float32)
        labels = np.argmax(some[4 : 4 + classes], axis=0).astype(np.int32)
        points = some[4 + classes :].T.reshape(len(places), self._points, 3) if self._points else None
        return finish(
            self._manifest, corners(some[:4].T), self._best[places], labels, fit, iou_max=self._iou, points=points
        )


class YoloAnchors:
    """YOLOv5 (and v7): one output (1, places, 5 + classes), centre, size, objectness, class scores."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        columns = 5 + len(manifest.classes)
        output = one_output(manifest, 3)
        self._name = output.name
        if output.shape[2] != columns:
            raise ValueError(
                f"output {output.name} has {output.shape[2]} columns, not {columns} = 5 + {len(manifest.classes)} "
                "classes; correct classes, or take another decoder"
            )
        self._mask = np.empty(output.shape[1], dtype=np.bool_)
        self._min = np.float32(option(manifest, "confidence_min"))
        self._iou = float(option(manifest, "iou_max"))

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Boxes:
        """Boxes in the picture."""
        table = outputs[self._name][0]
        np.greater_equal(table[:, 4], self._min, out=self._mask)  # a score is never above the objectness
        some = table[np.flatnonzero(self._mask)].astype(np.float32)
        labels = np.argmax(some[:, 5:], axis=1).astype(np.int32)
        scores = some[:, 4] * some[np.arange(len(some)), 5 + labels]
        keep = np.flatnonzero(scores >= self._min)
        return finish(self._manifest, corners(some[keep, :4]), scores[keep], labels[keep], fit, iou_max=self._iou)


class YoloTop:
    """YOLOv10: one output (1, places, 6), left top right bottom, score, class; no doubles to suppress."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        output = one_output(manifest, 3)
        self._name = output.name
        if output.shape[2] != 6:
            raise ValueError(f"output {output.name} has {output.shape[2]} columns, not 6; take another decoder")
        self._min = np.float32(option(manifest, "confidence_min"))

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Boxes:
        """Boxes in the picture."""
        table = outputs[self._name][0]
        some = table[np.flatnonzero(table[:, 4] >= self._min)].astype(np.float32)
        labels = np.where(np.isfinite(some[:, 5]), some[:, 5], -1.0).clip(-1.0, 1e6).astype(np.int32)
        return finish(self._manifest, some[:, :4], some[:, 4], labels, fit, iou_max=None)


class RtDetr:
    """RT-DETR: boxes as shares of the input, centre and size, no doubles to suppress.

    Either two outputs, boxes (1, queries, 4) and class scores (1, queries, classes), or one with both side by side.
    """

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest
        classes = len(manifest.classes)
        shapes = {item.name: item.shape for item in manifest.outputs}
        self._joined = self._boxes = self._scores = ""
        if len(shapes) == 1:
            self._joined = one_output(manifest, 3).name
            fine = shapes[self._joined][2] == 4 + classes
        else:
            by_columns = {shape[2]: name for name, shape in shapes.items() if len(shape) == 3}
            fine = len(shapes) == 2 and len(by_columns) == 2 and {4, classes} == set(by_columns)
            if fine:
                self._boxes, self._scores = by_columns[4], by_columns[classes]
                fine = shapes[self._boxes][1] == shapes[self._scores][1]
            elif classes == 4 and len(shapes) == 2:  # the columns do not tell them apart: the names must
                self._boxes = next((name for name in shapes if "box" in name), "")
                self._scores = next((name for name in shapes if name != self._boxes), "")
                fine = bool(self._boxes) and all(len(s) == 3 and s[2] == 4 for s in shapes.values())
        if not fine:
            raise ValueError(
                f"outputs {', '.join(shapes)} are not boxes (1, n, 4) and scores (1, n, {classes}), nor both in one; "
                "correct classes or outputs"
            )
        self._min = float(option(manifest, "confidence_min"))
        self._activation = str(option(manifest, "activation"))
        given = manifest.input
        self._size = np.array([given.width_px, given.height_px] * 2, dtype=np.float32)

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Boxes:
        """Boxes in the picture."""
        if self._joined:
            table = outputs[self._joined][0]
            shares, raw = table[:, :4], table[:, 4:]
        else:
            shares, raw = outputs[self._boxes][0], outputs[self._scores][0]
        scores = activate(raw.astype(np.float32), self._activation, axis=1)
        labels = np.argmax(scores, axis=1).astype(np.int32)
        best = scores[np.arange(len(labels)), labels]
        keep = np.flatnonzero(best >= self._min)
        boxes = corners(shares[keep].astype(np.float32) * self._size)
        return finish(self._manifest, boxes, best[keep], labels[keep], fit, iou_max=None)
