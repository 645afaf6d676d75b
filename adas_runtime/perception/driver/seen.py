"""What networks find in a picture of the cabin, and the interface through which the core asks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from adas_runtime.perception.signs import Box, Picture

POINTS = ("eye_image_left", "eye_image_right", "nose", "mouth_image_left", "mouth_image_right")


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundFace:
    """A face in the picture.

    Args:
        box_px: From the middle of the forehead to the chin, left, top, right, bottom [px].
        score: Of the finder, 0 to 1.
        points_px: Column and row [px], in the order of `POINTS`; empty until the face is read.
    """

    box_px: Box
    score: float
    points_px: tuple[tuple[float, float], ...] = ()

    @property
    def height_px(self) -> float:
        """Of the box [px]."""
        return self.box_px[3] - self.box_px[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadFace:
    """What a face shows.

    Args:
        yaw_rad, pitch_rad: Of the head, from the camera's line of sight to it: to the driver's left (the picture's
            right) and down positive.
        yaw_sure, pitch_sure: Calibrated probability that it is right within 15 degrees.
        sunglasses, mouth_covered, eyes_covered, face: Probabilities.
    """

    yaw_rad: float
    yaw_sure: float
    pitch_rad: float
    pitch_sure: float
    sunglasses: float
    mouth_covered: float
    eyes_covered: float
    face: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadEye:
    """What an eye shows.

    Args:
        openness: 0 closed to 1 wide open.
        closed: Calibrated probability that the lids are closed.
        visible: Probability that there is an eye to see.
    """

    openness: float
    closed: float
    visible: float


class Reader(Protocol):
    """Networks that find and read faces; `models.driver.DriverNetworks`."""

    def find(self, picture: Picture) -> tuple[FoundFace, ...]:
        """The faces of a grey picture, the surest first."""
        ...

    def read_face(self, picture: Picture, face: FoundFace) -> tuple[FoundFace, ReadFace]:
        """The face with its points and a better box, its pose and its covers."""
        ...

    def read_eyes(self, picture: Picture, face: FoundFace) -> tuple[ReadEye, ReadEye]:
        """The eye at the picture's left, and the one at its right."""
        ...
