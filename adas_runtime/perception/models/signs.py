"""Speed signs in a picture: one network finds round signs and plates, another reads each cut-out.

What is told of a sign is what it says, and how sure the reading is; what it means for us (lane, direction, country)
others decide. What cannot be read with confidence is not told: a wrong limit is worse than none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np

from adas_runtime.perception.models.model import Model, load_model
from adas_runtime.perception.models.results import Boxes, Verdict
from adas_runtime.perception.signs import Box, Picture, SeenSign, cut_out, meaning, side_px

FINDER: Final = "sign_finder"
READER: Final = "sign_reader"
READ_MIN: Final = 0.6  # 99 of 100 readings above it are right (docs/signs.md)
FOUND_MIN: Final = 0.7  # of a sign without a number, which a hoarding or a gap between trees resembles more easily
AROUND: Final = (1.05, 1.2, 1.35)  # cut-outs so much larger than the box are read, and the mean counts
SIDE_MIN_PX: Final = 9.0  # below, no digit has three pixels
LARGE: Final = 0.25  # a second look, so much smaller, finds what fills a good part of the picture
PICTURE_LARGE: Final = 100.0  # boxes of the second look count from this side on [px]


class SignReader:
    """Finds and reads speed signs; its buffers are used again for each picture, so one thread at a time.

    Raises:
        ConfigError: A model is not what its manifest says, or may not run in this market.
        ProviderError: The machine does not run it as told.
    """

    def __init__(self, market: str | Sequence[str]) -> None:
        self._finder: Model = load_model(FINDER, market=market)
        self._reader: Model = load_model(READER, market=market)
        self._meanings = [meaning(name) for name in self._reader.manifest.classes]

    def look(self, picture: Picture, *, is_near: bool = False) -> tuple[SeenSign, ...]:
        """The signs of a picture, the surest first.

        Args:
            picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey.
            is_near: Look for signs that fill a good part of the picture, too, as in a photograph; takes twice as long.
        """
        colour = picture if picture.ndim == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
        boxes = self._find(colour)
        if is_near:
            boxes += [item for item in self._find(_smaller(colour), LARGE) if side_px(item[0]) >= PICTURE_LARGE]
        found = [sign for box, score in boxes if (sign := self.read(colour, box, score)) is not None]
        found.sort(key=lambda sign: (-_area(sign.box_px), -sign.confidence, sign.box_px))
        kept: list[SeenSign] = []
        for sign in found:  # the larger ones first: the ring on a zone's plate is no limit
            if not any(_share_inside(sign.box_px, other.box_px) > 0.6 for other in kept):
                kept.append(sign)
        return tuple(sorted(kept, key=lambda sign: -sign.confidence))

    def read(self, picture: Picture, box: Box, finding: float = 1.0) -> SeenSign | None:
        """What the sign in a box says, `None` where that is not sure enough.

        Args:
            picture: (rows, columns, 3) uint8 BGR.
            box: Where it is.
            finding: Score of the finder, 0 to 1.
        """
        total = np.zeros(len(self._meanings))
        for around in AROUND:
            seen = self._reader.look(cut_out(picture, box, around))
            assert isinstance(seen, Verdict)
            total += seen.scores
        best = int(np.argmax(total))
        confidence = float(total[best]) / len(AROUND)
        said = self._meanings[best]
        if said is None or confidence < READ_MIN or (said[1] is None and finding < FOUND_MIN):
            return None
        return SeenSign(kind=said[0], value=said[1], box_px=box, confidence=confidence, finding=finding)

    def _find(self, picture: Picture, scale: float = 1.0) -> list[tuple[Box, float]]:
        seen = self._finder.look(picture)
        assert isinstance(seen, Boxes)
        found = []
        for (left, top, right, bottom), score in zip(seen.boxes_px.tolist(), seen.scores.tolist(), strict=True):
            if side_px((left, top, right, bottom)) >= SIDE_MIN_PX:
                found.append(((left / scale, top / scale, right / scale, bottom / scale), score))
        return found


def _smaller(picture: Picture) -> Picture:
    """The picture in a corner of an empty one of its size, so that the finder sees it smaller."""
    small = cv2.resize(picture, None, fx=LARGE, fy=LARGE, interpolation=cv2.INTER_AREA)
    canvas = np.full_like(picture, 114)
    canvas[: small.shape[0], : small.shape[1]] = small
    return canvas


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _share_inside(box: Box, other: Box) -> float:
    """How much of a box lies in another."""
    wide = min(box[2], other[2]) - max(box[0], other[0])
    high = min(box[3], other[3]) - max(box[1], other[1])
    return max(wide, 0.0) * max(high, 0.0) / max(_area(box), 1e-9)
