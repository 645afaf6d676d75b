"""Lane lines as anti-aliased coverage: polygons through the camera, filled at four times the picture's resolution."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.perception.camera import Camera
from adas_runtime.signals import MarkingColour, MarkingType
from adas_runtime.synth.motion import Pose
from adas_runtime.synth.road import Marking, Road

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
OVERSAMPLING: Final = 4
SHIFT: Final = 4  # fractional bits of polygon corners
SIGHT_M: Final = 220.0
PAINT_BGR: Final[dict[MarkingColour, tuple[int, int, int]]] = {
    MarkingColour.WHITE: (214, 220, 220),
    MarkingColour.YELLOW: (40, 178, 226),
    MarkingColour.ORANGE: (40, 120, 232),
    MarkingColour.BLUE: (190, 110, 40),
}


def stations(begin_m: float, end_m: float, s_near_m: float) -> Floats:
    """Arc lengths at which a curved edge is sampled: dense near the camera, sparse far away, both ends included.

    A chord departs from an arc of 300 m radius by 0.1 mm on 0.5 m and by 1 cm on 5 m, less than a tenth of a pixel
    where each is used.
    """
    parts = [np.array([begin_m, end_m])]
    for near, far, step in ((0.0, 25.0, 0.5), (25.0, 70.0, 1.5), (70.0, SIGHT_M + 50.0, 5.0)):
        low, high = max(begin_m, s_near_m + near), min(end_m, s_near_m + far)
        if high > low:
            parts.append(np.arange(np.ceil(low / step), np.floor(high / step) + 1.0) * step)
    merged = np.unique(np.concatenate(parts))
    return np.asarray(merged[(merged >= begin_m) & (merged <= end_m)])


def strip(
    road: Road, pose: Pose, begin_m: float, end_m: float, s_near_m: float, left_m: float, right_m: float
) -> Floats:
    """A strip of road between two offsets as a closed polygon on the ground, (n, 3) in the vehicle frame [m]."""
    s = stations(begin_m, end_m, s_near_m)
    x1, y1 = pose.to_vehicle(*road.line.point(s, left_m))
    x2, y2 = pose.to_vehicle(*road.line.point(s[::-1], right_m))
    x, y = np.concatenate((x1, x2)), np.concatenate((y1, y2))
    return np.stack((x, y, np.zeros_like(x)), axis=1)


def corners(camera: Camera, polygon_m: Floats, top_px: int, scale: int) -> NDArray[np.int32]:
    """Polygon corners as OpenCV wants them with `SHIFT`, in a picture that begins at row `top_px`, `scale` times larger."""
    pixels = camera.project(polygon_m)
    pixels[:, 1] -= top_px
    enlarged = (pixels + 0.5) * scale - 0.5
    return np.asarray(np.round(np.clip(enlarged, -6e4, 6e4) * (1 << SHIFT)), dtype=np.int32)


def stud(road: Road, pose: Pose, s_m: float, d_m: float, diameter_m: float) -> Floats:
    """A round button as an octagon on the ground."""
    angle = np.arange(8) * (np.pi / 4.0)
    s, d = s_m + diameter_m / 2.0 * (1.0 + np.cos(angle)), d_m + diameter_m / 2.0 * np.sin(angle)
    x, y = pose.to_vehicle(*road.line.point(s, d))
    return np.stack((x, y, np.zeros_like(x)), axis=1)


class PaintLayer:
    """Coverage of the picture's ground rows by paint, and the paint's colour.

    Args:
        camera: Ideal camera (no distortion).
        top_px: First row of the layer.
        road: The road.
        near_m: Distance ahead of the vehicle's origin at which polygons begin, just below the picture [m].
    """

    def __init__(self, camera: Camera, top_px: int, road: Road, near_m: float) -> None:
        self._camera = camera
        self._top = top_px
        self._road = road
        self._near = near_m
        self._colours = {item.colour for item in road.markings}

    def coverage(self, pose: Pose, s_ego_m: float) -> Bytes:
        """Share of each pixel that is painted, 0 to 255."""
        rows, columns = self._camera.height_px - self._top, self._camera.width_px
        large = np.zeros((rows * OVERSAMPLING, columns * OVERSAMPLING), dtype=np.uint8)
        for item in self._road.markings:
            polygons = self._polygons(item, pose, s_ego_m, 0.0)
            if polygons:
                cv2.fillPoly(
                    large, [corners(self._camera, each, self._top, OVERSAMPLING) for each in polygons], 255, shift=SHIFT
                )
        return np.asarray(cv2.resize(large, (columns, rows), interpolation=cv2.INTER_AREA), dtype=np.uint8)

    def colour(self, pose: Pose, s_ego_m: float) -> Bytes:
        """Colour of the paint at each pixel; only meaningful where there is coverage."""
        rows, columns = self._camera.height_px - self._top, self._camera.width_px
        picture = np.empty((rows, columns, 3), dtype=np.uint8)
        picture[:] = PAINT_BGR[MarkingColour.WHITE]
        for item in self._road.markings:
            if item.colour is MarkingColour.WHITE:
                continue
            # one pixel more on either side, so that no edge pixel mixes with white
            for each in self._polygons(item, pose, s_ego_m, 0.06):
                points = corners(self._camera, each, self._top, 1)
                cv2.fillPoly(picture, [points], PAINT_BGR[item.colour], shift=SHIFT)
                cv2.polylines(picture, [points], True, PAINT_BGR[item.colour], thickness=2, shift=SHIFT)
        return picture

    def _polygons(self, item: Marking, pose: Pose, s_ego_m: float, grow_m: float) -> list[Floats]:
        near, far = s_ego_m + self._near, s_ego_m + SIGHT_M
        if item.type is MarkingType.STUDS:
            return [
                stud(self._road, pose, begin, item.d_m, item.width_m + grow_m)
                for begin, _ in item.pieces(near, min(far, near + 60.0))
            ]
        half = item.width_m / 2.0 + grow_m
        return [
            strip(self._road, pose, begin, end, s_ego_m, d + half, d - half)
            for d in item.stripes_m()
            for begin, end in item.pieces(near, far)
        ]

    @property
    def is_white_only(self) -> bool:
        """No colour but white is used."""
        return self._colours <= {MarkingColour.WHITE}
