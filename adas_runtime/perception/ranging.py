"""From the box of a road user to metres: where it stands on the ground, and how large it looks.

Two estimates that err in different ways. The box's lower edge seen on a flat road is exact near by, and beyond 30 m
hangs on the camera's pitch and the road's slope. The box's height against the height of its class errs by the same
share at every distance, and needs neither. Each is weighed by what it is worth at its distance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.camera import Camera
from adas_runtime.signals import ObjectClass

Array = npt.NDArray[np.float64]

HEIGHTS_M: Final[dict[ObjectClass, tuple[float, float]]] = {  # mean and spread on the world's roads [D]
    ObjectClass.CAR: (1.55, 0.13),
    ObjectClass.VAN: (2.05, 0.25),
    ObjectClass.TRUCK: (3.3, 0.5),
    ObjectClass.BUS: (3.1, 0.3),
    ObjectClass.MOTORCYCLE: (1.6, 0.2),
    ObjectClass.CYCLIST: (1.75, 0.15),
    ObjectClass.PEDESTRIAN: (1.7, 0.13),
    ObjectClass.TRAILER: (2.6, 0.8),
}
UNKNOWN_M: Final = (1.6, 0.6)
EDGE_STD_PX: Final = 2.0  # of an edge of a box at 1280 columns; of a network, not of a hand [D]
EDGE_SHARE: Final = 0.02  # and this share of its height
PITCH_STD_RAD: Final = 0.0087  # half a degree: the car's own pitching, and what is left of the mounting's error [D]
SLOPE_STD: Final = 0.008  # of the road there against the ground under the car; half of it on the way [D]
CUT_PX: Final = 2.0  # so near the picture's border, an edge of a box is the border
RANGE_MIN_M: Final = 0.5
RANGE_MAX_M: Final = 250.0
SIDE_SHARE: Final = 0.05  # of the distance: how well the middle of a box is the middle of who is in it


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ranges:
    """Places of road users, nearest point, in the vehicle frame; one row per box, NaN where nothing can be told.

    Args:
        x_m, y_m: Forward and left of the middle of the side that is seen, (n,) [m].
        x_std_m, y_std_m: Standard deviations, (n,) [m].
        ground_m, size_m: Distance ahead of the camera by the ground and by the height, each alone, (n,) [m].
    """

    x_m: Array
    y_m: Array
    x_std_m: Array
    y_std_m: Array
    ground_m: Array
    size_m: Array


def range_of_boxes(
    camera: Camera, boxes_px: Array, classes: Sequence[ObjectClass], *, pitch_std_rad: float = PITCH_STD_RAD
) -> Ranges:
    """Where the road users in boxes are.

    Args:
        camera: As aimed now: with the pitch that the lanes or the horizon tell.
        boxes_px: (n, 4) left, top, right, bottom [px].
        classes: One per box.
        pitch_std_rad: How well the pitch is known [rad].
    Raises:
        ValueError: Another number of classes than of boxes.
    """
    boxes = np.asarray(boxes_px, dtype=np.float64).reshape(-1, 4)
    if len(classes) != len(boxes):
        raise ValueError(f"{len(boxes)} boxes and {len(classes)} classes")
    left, top, right, bottom = boxes.T
    height_px = bottom - top
    middle = 0.5 * (left + right)
    edge_px = EDGE_STD_PX * camera.width_px / 1280.0
    edge_std_px = np.hypot(edge_px, EDGE_SHARE * np.maximum(height_px, 0.0))
    is_top_cut, is_bottom_cut = top <= CUT_PX, bottom >= camera.height_px - 1 - CUT_PX

    # by the ground, from the camera's foot on
    rays = camera.rays(np.stack([middle, bottom], axis=1))
    down = np.where(rays[:, 2] < -1e-6, -rays[:, 2] / rays[:, 0], np.nan)
    ground_m = camera.z_m / down
    # d(range) by an angle: range^2 / height; a pixel's angle is 1 / fy; a slope s lifts the ground by s * range
    angle_std = np.sqrt(pitch_std_rad**2 + (edge_std_px / camera.fy_px) ** 2 + (0.5 * SLOPE_STD) ** 2)
    ground_std_m = ground_m**2 / camera.z_m * angle_std
    is_ground = np.isfinite(ground_m) & ~is_bottom_cut & (ground_m > RANGE_MIN_M)

    # by the height
    known = np.array([HEIGHTS_M.get(kind, UNKNOWN_M) for kind in classes], dtype=np.float64).reshape(-1, 2)
    size_m = camera.fy_px * known[:, 0] / np.maximum(height_px, 1.0)
    size_std_m = size_m * np.hypot(known[:, 1] / known[:, 0], 1.4 * edge_std_px / np.maximum(height_px, 1.0))
    is_size = ~(is_top_cut | is_bottom_cut) & (height_px > 1.0)

    weight_ground = np.where(is_ground, 1.0 / np.maximum(ground_std_m, 1e-3) ** 2, 0.0)
    weight_size = np.where(is_size, 1.0 / np.maximum(size_std_m, 1e-3) ** 2, 0.0)
    total = weight_ground + weight_size
    has_any = total > 0.0
    ahead = (
        np.where(is_ground, np.nan_to_num(ground_m) * weight_ground, 0.0) + np.where(is_size, size_m * weight_size, 0.0)
    ) / np.where(has_any, total, 1.0)
    std = 1.0 / np.sqrt(np.where(has_any, total, 1.0))
    # both wrong in ways of their own: where they disagree by more than they may, neither is as sure as it says
    both = is_ground & is_size
    apart = np.where(both, np.abs(np.nan_to_num(ground_m) - size_m), 0.0)
    std = np.hypot(std, 0.25 * np.maximum(apart - 2.0 * np.hypot(np.nan_to_num(ground_std_m), size_std_m), 0.0))
    is_told = (
        has_any & (ahead >= RANGE_MIN_M) & (ahead <= RANGE_MAX_M) & (right > left) & np.isfinite(boxes).all(axis=1)
    )
    ahead = np.where(is_told, ahead, np.nan)
    std = np.where(is_told, std, np.nan)
    across = ahead * rays[:, 1] / rays[:, 0]
    return Ranges(
        x_m=camera.x_m + ahead,
        y_m=camera.y_m + across,
        x_std_m=std,
        y_std_m=np.hypot(np.abs(rays[:, 1] / rays[:, 0]) * std, SIDE_SHARE * ahead),
        ground_m=np.where(is_ground, ground_m, np.nan),
        size_m=np.where(is_size, size_m, np.nan),
    )
