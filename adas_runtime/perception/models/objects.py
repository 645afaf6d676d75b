"""Vehicles, pedestrians and cyclists in a picture, by one small network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from adas_runtime.perception.camera import Camera
from adas_runtime.perception.models.manifest import market_lineage
from adas_runtime.perception.models.model import Model, load_model
from adas_runtime.perception.models.results import Boxes
from adas_runtime.perception.objects import CLASSES, Found, Picture, SeenObject, likeness, placed

FINDER: Final = "object_finder"
ABROAD: Final = 0.85  # as like as this at most are pictures of a market where no real one was learnt from  [D]
TOLD_MIN: Final = 0.3  # what is less sure is not told: docs/objects.md has the false ones a picture


class ObjectFinder:
    """Finds road users; its buffers are used again for each picture, so one thread at a time.

    Args:
        market: Where it runs.
        name: Model, or the file of a manifest of the same classes.
    Raises:
        ConfigError: The model is not what its manifest says, or may not run in this market.
        ProviderError: The machine does not run it as told.
    """

    def __init__(self, market: str | Sequence[str], name: str | Path = FINDER) -> None:
        lineage = market_lineage(market) if isinstance(market, str) else tuple(market)
        self._model: Model = load_model(name, market=lineage)
        regions = {region.lower() for region in self._model.manifest.training.regions}
        self._home = 1.0 if regions & set(lineage) else ABROAD
        self._classes = tuple(CLASSES[kind] for kind in self._model.manifest.classes)

    def find(self, picture: Picture) -> tuple[Found, ...]:
        """All boxes of a picture, the surest first, the unsure ones too.

        Args:
            picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey.
        """
        colour = picture if picture.ndim == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
        seen = self._model.look(colour)
        assert isinstance(seen, Boxes)
        return tuple(
            Found(object_class=self._classes[label], box_px=(box[0], box[1], box[2], box[3]), score=score)
            for box, score, label in zip(
                seen.boxes_px.tolist(), seen.scores.tolist(), seen.labels.tolist(), strict=True
            )
        )

    def look(
        self, picture: Picture, camera: Camera, *, is_measured: bool, least: float = TOLD_MIN
    ) -> tuple[SeenObject, ...]:
        """The road users of a picture in metres, the surest first.

        Args:
            picture: As for `find`.
            camera: For pictures of this size.
            is_measured: Its mounting was measured or learnt.
            least: Whoever is less sure is left out.
        """
        like = likeness(picture) * self._home
        seen = (placed(one, camera, like=like, is_measured=is_measured) for one in self.find(picture))
        return tuple(sorted((one for one in seen if one.confidence >= least), key=lambda one: -one.confidence))
