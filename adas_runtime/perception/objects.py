"""Road users in one picture: a box on the ground is a place in metres, and how far it can be trusted.

The foot of a box is where its road user stands; the flat ground below the camera says how far that is. A picture unlike
those that the network learnt from, and a body that would be too low or too tall where it stands, lower the confidence.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.camera import Camera
from adas_runtime.signals import ObjectClass

Picture = npt.NDArray[np.uint8]
Box = tuple[float, float, float, float]  # left, top, right, bottom, edges of the picture [px]

CLASSES: Final = {
    "vehicle": ObjectClass.CAR,  # car, van, lorry, bus: the network does not tell them apart
    "pedestrian": ObjectClass.PEDESTRIAN,
    "cyclist": ObjectClass.CYCLIST,  # motorcycles too
}
TALL_M: Final = {  # lowest and tallest body of each class  [D]
    ObjectClass.CAR: (1.1, 4.2),
    ObjectClass.PEDESTRIAN: (0.8, 2.1),
    ObjectClass.CYCLIST: (1.1, 2.2),
}
FOOT_STD_PX: Final = 1.5  # a foot is found this well in the largest of boxes ...
FOOT_STD_SHARE: Final = 0.04  # ... and this share of its box's height worse; measured, docs/objects.md
PITCH_STD_RAD: Final = math.radians(0.4)  # a body nods on its springs, and the road is not flat  [D]
GUESSED_PITCH_STD_RAD: Final = math.radians(1.5)  # of a camera that nobody measured  [D]
EDGE_PX: Final = 2.0  # a box that comes this near to the picture's edge goes on beyond it
RANGE_MAX_M: Final = 150.0  # beyond, flat ground is an assumption about the next hill
OVERHANG_M: Final = {  # a car touches the ground behind its nearest point: a wheel is a foot, a bumper is not  [D]
    ObjectClass.CAR: 0.6,
    ObjectClass.PEDESTRIAN: 0.0,
    ObjectClass.CYCLIST: 0.0,
}
CUT_STD_M: Final = 2.0  # the foot of who is cut off below is not seen: nearer than it seems, by so much  [D]

DARK_LEVEL: Final = 22.0  # mean grey level below which a picture is darker than those that were learnt
FLAT_LEVEL: Final = 16.0  # standard deviation of grey levels below which it is fog, dirt or a covered lens
SOFT, SHARP = (
    0.25,
    0.30,
)  # step over one column beside that over four: 0.25 is a slope, real pictures have 0.36 and more
BLACK_LEVEL: Final = 10  # a lens that is covered in part, a frame that came in half
BLACK_SHARE: Final = 0.1  # of a picture is as dark in real ones; all black at 0.6
LEAST: Final = 0.2  # of the confidence is left at worst


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A box as the network found it.

    Args:
        object_class: Class.
        box_px: Where.
        score: Share of such boxes that are right, 0 to 1, in pictures like those it learnt from.
    """

    object_class: ObjectClass
    box_px: Box
    score: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenObject:
    """A road user in one picture; places in the vehicle frame.

    Args:
        object_class: Class.
        box_px: Where it is in the picture.
        confidence: 0 to 1; the score, less where picture or place are unlikely.
        score: As the network found it.
        x_m, y_m: Nearest point ahead and the middle to the left [m]; `None`: its foot is not seen on the ground.
        range_m: Along the ground from below the camera to its foot [m].
        range_std_m, y_std_m: Standard deviations [m].
        width_m, height_m: Of the box, where it stands [m].
        is_cut: The picture ends before it does.
    """

    object_class: ObjectClass
    box_px: Box
    confidence: float
    score: float
    x_m: float | None = None
    y_m: float | None = None
    range_m: float | None = None
    range_std_m: float | None = None
    y_std_m: float | None = None
    width_m: float | None = None
    height_m: float | None = None
    is_cut: bool = False


def likeness(picture: Picture) -> float:
    """How far a picture is like those that the network learnt from, 0 to 1: light, contrast, focus, whole.

    Args:
        picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey.
    """
    rows, columns = picture.shape[:2]
    size = (640, max(8, round(640 * rows / columns)))
    small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    grey = (cv2.cvtColor(small, cv2.COLOR_BGR2GRAY) if small.ndim == 3 else small).astype(np.int16)
    near, far = (float(np.abs(grey[:, lag:] - grey[:, :-lag]).mean()) for lag in (1, 4))
    focus = (near / far - SOFT) / (SHARP - SOFT) if far > 0.0 else 0.0
    black = float((grey < BLACK_LEVEL).mean())
    covered = 1.0 - 2.0 * (black - BLACK_SHARE)
    return max(0.0, min(1.0, float(grey.mean()) / DARK_LEVEL, float(grey.std()) / FLAT_LEVEL, focus, covered))


def placed(found: Found, camera: Camera, *, like: float, is_measured: bool) -> SeenObject:
    """The road user of a box, in metres.

    Args:
        found: The box.
        camera: For pictures of this size.
        like: `likeness` of the picture.
        is_measured: The camera's mounting was measured, or has been learnt: its pitch can be trusted.
    """
    left, top, right, bottom = found.box_px
    trust = LEAST + (1.0 - LEAST) * min(max(like, 0.0), 1.0)
    is_below = bottom >= camera.height_px - EDGE_PX
    is_aside = left <= EDGE_PX or right >= camera.width_px - EDGE_PX
    is_cut = is_below or is_aside or top <= EDGE_PX
    feet = np.array([[left, bottom], [0.5 * (left + right), bottom], [right, bottom]]) - 0.5  # centres of pixels
    ground = camera.to_ground(feet)
    place = ground[1] - (camera.x_m, camera.y_m)
    range_m = float(np.hypot(*place))
    if not math.isfinite(range_m) or range_m > RANGE_MAX_M:
        # no foot on the ground ahead: a box in the sky, or beyond the next crest
        return SeenObject(
            object_class=found.object_class,
            box_px=found.box_px,
            confidence=found.score * trust * 0.5,
            score=found.score,
            is_cut=is_cut,
        )
    foot_px = FOOT_STD_PX + FOOT_STD_SHARE * (bottom - top)
    pitch_rad = PITCH_STD_RAD if is_measured else GUESSED_PITCH_STD_RAD
    angle_std_rad = math.hypot(foot_px / camera.fy_px, pitch_rad)
    # range = height / tan(angle below the horizon)
    range_std_m = (range_m * range_m + camera.z_m * camera.z_m) / camera.z_m * angle_std_rad
    if is_below:
        range_std_m = math.hypot(range_std_m, CUT_STD_M)
    metres_per_px = math.hypot(range_m, camera.z_m) / camera.fx_px
    width_m, height_m = (right - left) * metres_per_px, (bottom - top) * metres_per_px
    y_std_m = math.hypot(foot_px * metres_per_px, abs(float(place[1])) * range_std_m / max(range_m, 1.0))
    if is_aside:
        y_std_m = math.hypot(y_std_m, 0.5 * width_m)
    confidence = found.score * trust
    if not (is_below or top <= EDGE_PX):
        low_m, high_m = TALL_M[found.object_class]
        std_m = height_m * range_std_m / max(range_m, 1.0) + 0.1
        off = max(low_m - height_m, height_m - high_m, 0.0) / std_m
        confidence *= LEAST + (1.0 - LEAST) * math.exp(-0.5 * off * off)
    return SeenObject(
        object_class=found.object_class,
        box_px=found.box_px,
        confidence=confidence,
        score=found.score,
        x_m=float(ground[1, 0]) - OVERHANG_M[found.object_class],
        y_m=float(ground[1, 1]),
        range_m=range_m,
        range_std_m=range_std_m,
        y_std_m=y_std_m,
        width_m=width_m,
        height_m=height_m,
        is_cut=is_cut,
    )
