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
FINE: Final = 4  # subpixels a side near the horizon
COARSE: Final = 2
DASH_POINTS: Final = 5  # stations along a dash: 1.5 m apart on the longest one
STUDS_SIGHT_M: Final = 60.0  # a 10 cm button is half a pixel wide there
SHIFT: Final = 4  # fractional bits of polygon corners
SIGHT_M: Final = 220.0
PAINT_BGR: Final[dict[MarkingColour, tuple[int, int, int]]] = {
    MarkingColour.WHITE: (214, 220, 220),
    MarkingColour.YELLOW: (40, 178, 226),
    MarkingColour.ORANGE: (40, 120, 232),
    MarkingColour.BLUE: (190, 110, 40),
}


STEPS_M: Final = ((0.0, 25.0, 0.5), (25.0, 70.0, 1.5), (70.0, 450.0, 5.0))


class Course:
    """The reference line ahead as seen from one pose: points in the vehicle frame and the direction to their left.

    Stations are dense near the camera and sparse far away. Between them the line is taken as straight; at a radius of
    300 m that is wrong by 0.1 mm near the camera, 1 mm from 25 m, and 1 cm beyond 70 m, where a pixel is 7 cm wide.
    """

    def __init__(self, road: Road, pose: Pose, s_ego_m: float, near_m: float) -> None:
        begin, end = s_ego_m + near_m, s_ego_m + STEPS_M[-1][1]
        parts = [np.array([begin, end])]
        for near, far, step in STEPS_M:
            low, high = max(begin, s_ego_m + near), s_ego_m + far
            parts.append(np.arange(np.ceil(low / step), np.floor(high / step) + 1.0) * step)
        s = np.unique(np.concatenate(parts))
        self.s_m: Floats = s[(s >= begin) & (s <= end)]
        self.begin_m, self.end_m = begin, end
        x, y = pose.to_vehicle(*road.line.point(self.s_m, 0.0))
        heading = road.line.heading_at(self.s_m) - pose.heading_rad
        self._columns = (x, y, -np.sin(heading), np.cos(heading))

    def points(self, s_m: Floats, d_m: Floats | float) -> Floats:
        """Ground points (s, d) in the vehicle frame, (n, 3) [m]."""
        x, y, left_x, left_y = (np.interp(s_m, self.s_m, column) for column in self._columns)
        return np.stack((x + d_m * left_x, y + d_m * left_y, np.zeros_like(x)), axis=1)

    def band(self, left_m: float, right_m: float, begin_m: float, end_m: float) -> Floats | None:
        """A strip of road between two offsets as a closed polygon, (n, 3) in the vehicle frame; `None` out of reach."""
        begin, end = max(begin_m, self.begin_m), min(end_m, self.end_m)
        if begin >= end:
            return None
        inside = self.s_m[(self.s_m > begin) & (self.s_m < end)]
        s = np.concatenate(([begin], inside, [end]))
        return self.points(np.concatenate((s, s[::-1])), np.repeat((left_m, right_m), len(s)))


def corners(camera: Camera, polygons_m: list[Floats], top_px: int, scale: int) -> list[NDArray[np.int32]]:
    """Polygon corners as OpenCV wants them with `SHIFT`, in a picture from row `top_px` on, `scale` times as large."""
    if not polygons_m:
        return []
    pixels = camera.project(np.concatenate(polygons_m))
    pixels[:, 1] -= top_px
    enlarged = np.clip((pixels + 0.5) * scale - 0.5, -6e4, 6e4) * (1 << SHIFT)
    fixed = np.round(enlarged).astype(np.int32)
    return np.split(fixed, np.cumsum([len(each) for each in polygons_m])[:-1])


class PaintLayer:
    """Coverage of the picture's ground rows by paint, and the paint's colour.

    Args:
        camera: Ideal camera (no distortion).
        top_px: First row of the layer.
        road: The road.
    """

    def __init__(self, camera: Camera, top_px: int, road: Road) -> None:
        self._camera = camera
        self._road = road
        # near the horizon lines are thin and need the finer grid; below, half of it does
        rows = camera.height_px - top_px
        split = min(max(rows // 4, 1), rows)
        self._bands = ((top_px, split, FINE), (top_px + split, rows - split, COARSE))
        self._top = top_px
        self._rows = rows

    def coverage(self, course: Course) -> Bytes:
        """Share of each pixel that is painted, 0 to 255."""
        polygons = [each for item in self._road.markings for each in self._polygons(item, course, 0.0)]
        result = np.empty((self._rows, self._camera.width_px), dtype=np.uint8)
        for top, rows, scale in self._bands:
            large = np.zeros((rows * scale, self._camera.width_px * scale), dtype=np.uint8)
            for each in corners(self._camera, polygons, top, scale):
                cv2.fillPoly(large, [each], 255, shift=SHIFT)
            cv2.resize(
                large,
                (self._camera.width_px, rows),
                dst=result[top - self._top : top - self._top + rows],
                interpolation=cv2.INTER_AREA,
            )
        return result

    def colour(self, course: Course, tint: Floats) -> Bytes:
        """Colour of the paint at each pixel; only meaningful where there is coverage."""
        picture = np.empty((self._rows, self._camera.width_px, 3), dtype=np.uint8)
        flood(picture, tinted(PAINT_BGR[MarkingColour.WHITE], tint))
        for item in self._road.markings:
            if item.colour is MarkingColour.WHITE:
                continue
            colour = tinted(PAINT_BGR[item.colour], tint)
            # some more on either side, so that no edge pixel mixes with white
            for points in corners(self._camera, self._polygons(item, course, 0.06), self._top, 1):
                cv2.fillPoly(picture, [points], colour, shift=SHIFT)
                cv2.polylines(picture, [points], True, colour, thickness=2, shift=SHIFT)
        return picture

    def _polygons(self, item: Marking, course: Course, grow_m: float) -> list[Floats]:
        near, far = course.begin_m, min(course.begin_m + SIGHT_M, course.end_m)
        if item.type is MarkingType.STUDS:
            angle = np.arange(8) * (np.pi / 4.0)
            radius = (item.width_m + grow_m) / 2.0
            return [
                course.points(begin + item.width_m / 2.0 + radius * np.cos(angle), item.d_m + radius * np.sin(angle))
                for begin, end in item.pieces(near, min(far, near + STUDS_SIGHT_M))
                if end - begin > 0.9 * item.width_m
            ]
        half = item.width_m / 2.0 + grow_m
        if item.type is MarkingType.DASHED:
            pieces = np.array(item.pieces(near, far)).reshape(-1, 2)
            along = pieces[:, :1] + (pieces[:, 1:] - pieces[:, :1]) * np.linspace(0.0, 1.0, DASH_POINTS)
            s = np.concatenate((along, along[:, ::-1]), axis=1)
            d = item.d_m + np.repeat((half, -half), DASH_POINTS)
            points = course.points(s.ravel(), np.tile(d, len(pieces)))
            return list(points.reshape(len(pieces), 2 * DASH_POINTS, 3))
        bands = (
            course.band(d + half, d - half, begin, end)
            for d in item.stripes_m()
            for begin, end in item.pieces(near, far)
        )
        return [each for each in bands if each is not None]

    @property
    def is_white_only(self) -> bool:
        """No colour but white is used."""
        return all(item.colour is MarkingColour.WHITE for item in self._road.markings)


def tinted(colour: tuple[float, float, float], tint: Floats) -> tuple[float, float, float]:
    """A colour in coloured light."""
    return (
        min(colour[0] * float(tint[0]), 255.0),
        min(colour[1] * float(tint[1]), 255.0),
        min(colour[2] * float(tint[2]), 255.0),
    )


def flood(picture: Bytes, colour: tuple[float, float, float]) -> None:
    """Give every pixel one colour; ten times as fast as a NumPy broadcast over three channels."""
    cv2.rectangle(picture, (0, 0), (picture.shape[1] - 1, picture.shape[0] - 1), colour, -1)
