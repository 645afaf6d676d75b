"""Road and paint in a picture, by one small network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from adas_runtime.perception.models.model import Model, load_model
from adas_runtime.perception.models.results import Segments
from adas_runtime.perception.objects import Picture, likeness
from adas_runtime.perception.road import Grid, SeenRoad, road_of

READER: Final = "road_reader"


def grid_of(seen: Segments) -> Grid:
    """The cells with where the picture lies in them."""
    rows, columns = seen.labels.shape
    fit = seen.fit
    x, y = columns / seen.input_px[0], rows / seen.input_px[1]
    right, bottom = fit.offset_x + fit.scale_x * fit.width_px, fit.offset_y + fit.scale_y * fit.height_px
    return Grid(
        labels=seen.labels,
        scores=seen.scores,
        classes=seen.classes,
        box=(fit.offset_x * x, fit.offset_y * y, right * x, bottom * y),
        size_px=(fit.width_px, fit.height_px),
    )


class RoadReader:
    """Its buffers are used again for each picture, so one thread at a time.

    Raises:
        ConfigError: The model is not what its manifest says, or may not run in this market.
        ProviderError: The machine does not run it as told.
    """

    def __init__(self, market: str | Sequence[str]) -> None:
        self._model: Model = load_model(READER, market=market)

    def segments(self, picture: Picture) -> Segments:
        """A class for each cell; it holds until the next picture.

        Args:
            picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey.
        """
        colour = picture if picture.ndim == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
        seen = self._model.look(colour)
        assert isinstance(seen, Segments)
        return seen

    def look(self, picture: Picture) -> SeenRoad | None:
        """The road that the car stands on; `None`: none is seen."""
        return road_of(grid_of(self.segments(picture)), like=likeness(picture))
