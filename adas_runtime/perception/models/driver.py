"""The three networks of the driver camera: one finds faces, one reads a face, one reads an eye."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.driver.seen import POINTS, FoundFace, ReadEye, ReadFace
from adas_runtime.perception.models.model import Model, load_model
from adas_runtime.perception.models.results import Boxes, Verdict
from adas_runtime.perception.signs import CUT_PX, Picture, cut_out

FINDER: Final = "driver_finder"
FACE: Final = "driver_face"
EYE: Final = "driver_eye"
FACE_AROUND: Final = 1.45  # side of a face's cut-out, as a share of its height: what the reader was trained with
EYE_WIDE: Final = 0.40  # width of an eye's cut-out, as a share of the face's height; it is two thirds as high
NEAR_DEG: Final = 15.0  # `yaw_sure` and `pitch_sure` count what lies so near
EYE_COLUMNS, EYE_ROWS = 48, 32
BLURRED: Final = (
    0.09  # second differences over contrast of an eye out of focus [D]; recorded sharp ones have 0.17 to 0.33
)
SHARP: Final = 0.17
CONTRAST_LEAST: Final = 2.0  # grey levels
LOOKS: Final = 2  # at a face
SHRINK_MOST: Final = 0.7  # of a box from one look to the next
HEIGHT_MIN_PX: Final = 24.0  # of a face; a smaller one shows no lids


class DriverNetworks:
    """Loads and asks the networks; their buffers are used again for each picture, so one thread at a time.

    Raises:
        ConfigError: A model is not what its manifest says, or may not run in this market.
        ProviderError: The machine does not run it as told.
    """

    def __init__(self, market: str | Sequence[str]) -> None:
        self._finder: Model = load_model(FINDER, market=market)
        self._face: Model = load_model(FACE, market=market)
        self._eye: Model = load_model(EYE, market=market)
        self._yaws, yaws_deg = _places(self._face.manifest.classes, "yaw_")
        self._pitches, pitches_deg = _places(self._face.manifest.classes, "pitch_")
        self._open, percent = _places(self._eye.manifest.classes, "open_")
        self._yaws_deg, self._pitches_deg, self._openness = yaws_deg, pitches_deg, percent / 100.0
        names = {name: index for index, name in enumerate(self._face.manifest.classes)}
        self._flags = tuple(names[name] for name in ("sunglasses", "mouth_covered", "eyes_covered", "face"))
        points = [names[f"{axis}_{name}"] for name in POINTS for axis in "xy"]
        self._places = np.array(points + [names[name] for name in ("left", "top", "right", "bottom")], np.intp)
        self._visible = self._eye.manifest.classes.index("visible")

    def find(self, picture: Picture) -> tuple[FoundFace, ...]:
        """The faces of a picture, the surest first.

        Args:
            picture: (rows, columns) uint8 grey.
        """
        seen = self._finder.look(picture)
        assert isinstance(seen, Boxes)
        found = []
        for (left, top, right, bottom), score in zip(seen.boxes_px.tolist(), seen.scores.tolist(), strict=True):
            face = FoundFace(box_px=(left, top, right, bottom), score=min(score, 1.0))
            if face.height_px >= HEIGHT_MIN_PX:
                found.append(face)
        return tuple(found)

    def read_face(self, picture: Picture, face: FoundFace) -> tuple[FoundFace, ReadFace]:
        """A face of a grey picture with its points and a better box, its pose and its covers.

        It is looked at twice: the finder's box is coarse, and the second look is at the box that the first one tells.
        """
        scores = np.zeros(0, np.float32)
        for _ in range(LOOKS):
            left, top, right, bottom = face.box_px
            middle_x, middle_y, half = (left + right) / 2.0, (top + bottom) / 2.0, (bottom - top) / 2.0
            around = (middle_x - half, middle_y - half, middle_x + half, middle_y + half)
            said = self._face.look(cut_out(picture, around, FACE_AROUND))
            assert isinstance(said, Verdict)
            scores = said.scores
            # shares of the cut-out back to the picture
            places = scores[self._places].reshape(-1, 2).clip(-0.5, 1.5)
            side = 2.0 * half * FACE_AROUND
            at = (places - 0.5) * side + (middle_x, middle_y)
            box = at[len(POINTS) :].ravel().tolist()
            high = min(max(box[3] - box[1], SHRINK_MOST * 2.0 * half), 2.0 * half / SHRINK_MOST)
            row = (box[1] + box[3]) / 2.0
            face = FoundFace(
                box_px=(min(box[0], box[2]), row - high / 2.0, max(box[0], box[2]), row + high / 2.0),
                score=face.score,
                points_px=tuple((float(x), float(y)) for x, y in at[: len(POINTS)]),
            )
        yaw_deg, yaw_sure = _told(scores[self._yaws], self._yaws_deg)
        pitch_deg, pitch_sure = _told(scores[self._pitches], self._pitches_deg)
        flags = [min(max(float(scores[index]), 0.0), 1.0) for index in self._flags]
        return face, ReadFace(
            yaw_rad=math.radians(yaw_deg),
            yaw_sure=yaw_sure,
            pitch_rad=math.radians(pitch_deg),
            pitch_sure=pitch_sure,
            sunglasses=flags[0],
            mouth_covered=flags[1],
            eyes_covered=flags[2],
            face=flags[3],
        )

    def read_eyes(self, picture: Picture, face: FoundFace) -> tuple[ReadEye, ReadEye]:
        """The eye at the picture's left, and the one at its right."""
        half = EYE_WIDE * face.height_px / 2.0
        found = []
        for index in (0, 1):
            x, y = face.points_px[index]
            square = cut_out(picture, (x - half, y - half, x + half, y + half), 1.0)
            cut = square[CUT_PX // 6 : CUT_PX - CUT_PX // 6]
            # the network knows eyes at the picture's left; the other one is turned over
            said = self._eye.look(np.ascontiguousarray(cut if index == 0 else cut[:, ::-1]))
            assert isinstance(said, Verdict)
            shares = said.scores[self._open]
            visible = min(max(float(said.scores[self._visible]), 0.0), 1.0)
            total = max(float(shares.sum()), 1e-6)
            found.append(
                ReadEye(
                    openness=float(shares @ self._openness) / total,
                    closed=float(shares[0] + 0.5 * shares[1]) / total,
                    visible=visible * _focus(cut),
                )
            )
        return found[0], found[1]


def _focus(cut: Picture) -> float:
    """Whether a cut-out shows things as fine as a lid, 0 to 1: of a blurred eye nobody knows whether it is open."""
    small = cv2.resize(cut, (EYE_COLUMNS, EYE_ROWS), interpolation=cv2.INTER_AREA).astype(np.float32)
    fine = float(cv2.Laplacian(small, cv2.CV_32F).std()) / (float(small.std()) + CONTRAST_LEAST)
    return min(max((fine - BLURRED) / (SHARP - BLURRED), 0.0), 1.0)


def _places(classes: Sequence[str], stem: str) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float64]]:
    """Where the values of a distribution stand among the classes, and what each means."""
    found = [(index, float(name.removeprefix(stem))) for index, name in enumerate(classes) if name.startswith(stem)]
    return np.array([index for index, _ in found], np.intp), np.array([value for _, value in found])


def _told(shares: npt.NDArray[np.float32], places_deg: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Mean of a distribution [deg], and its share near that mean."""
    total = max(float(shares.sum()), 1e-6)
    mean_deg = float(shares @ places_deg) / total
    return mean_deg, float(shares[np.abs(places_deg - mean_deg) <= NEAR_DEG].sum()) / total
