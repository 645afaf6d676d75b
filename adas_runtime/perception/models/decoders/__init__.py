"""From the raw outputs of a model to pixels of the picture, one decoder for each layout that exporters write."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

import numpy.typing as npt

from adas_runtime.errors import ConfigError
from adas_runtime.perception.models.decoders.boxes import RtDetr, YoloAnchors, YoloFree, YoloTop
from adas_runtime.perception.models.decoders.dense import Heatmaps, Segmentation
from adas_runtime.perception.models.decoders.lanes import HybridAnchors, RowAnchors
from adas_runtime.perception.models.decoders.whole import Classification, Values
from adas_runtime.perception.models.manifest import Manifest
from adas_runtime.perception.models.preprocess import Fit
from adas_runtime.perception.models.results import Result

Outputs = Mapping[str, npt.NDArray[Any]]


class DecoderCore(Protocol):
    """What a decoder is."""

    def decode(self, outputs: Outputs, fit: Fit) -> Result:
        """The outputs in pixels of the picture; every value of the outputs, also NaN, gives a result."""
        ...


DECODERS: Final[dict[str, Callable[[Manifest], DecoderCore]]] = {
    "yolov5": YoloAnchors,
    "yolov8": YoloFree,
    "yolov11": YoloFree,
    "yolov10": YoloTop,
    "yolo_pose": YoloFree,
    "rtdetr": RtDetr,
    "ufld": RowAnchors,
    "ufld_v2": HybridAnchors,
    "segmentation": Segmentation,
    "heatmaps": Heatmaps,
    "classification": Classification,
    "values": Values,
}


def make_decoder(manifest: Manifest, where: str) -> DecoderCore:
    """The decoder of a manifest.

    Raises:
        ConfigError: Its outputs do not have the layout that the decoder reads.
    """
    try:
        return DECODERS[manifest.decoder.name](manifest)
    except ValueError as err:
        what, _, mend = str(err).partition("; ")
        raise ConfigError(f"decoder {manifest.decoder.name}: {what}", where=where, mend=mend) from err
