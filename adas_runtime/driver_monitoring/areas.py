"""The areas of (EU) 2023/2590 that a gaze falls into; another classifier than the relevant areas of UN R171."""

from __future__ import annotations

from enum import Enum
from math import cos, isfinite, radians, tan
from typing import Final

from adas_runtime.driver_monitoring.params import (
    AREA_1_DEG,
    AREA_2_MARGIN_DEG,
    AREA_3_DOWN_DEG,
    CameraParams,
    DistractionParams,
)
from adas_runtime.signals import DriverState, GazeZone
from adas_runtime.units import deg_to_rad

MIRRORS: Final = (GazeZone.MIRROR_LEFT, GazeZone.MIRROR_RIGHT, GazeZone.MIRROR_CENTRE)
_PLANE: Final = tan(radians(AREA_3_DOWN_DEG))
_AREA_1_RAD: Final = deg_to_rad(AREA_1_DEG)
_STEEP_RAD: Final = deg_to_rad(89.0)  # beyond it the tangent tells nothing: straight down


class Area(Enum):
    """Where a gaze falls."""

    AREA_1 = "area_1"
    AREA_2 = "area_2"
    AREA_3 = "area_3"
    BETWEEN = "between"
    UNKNOWN = "unknown"
    NO_FACE = "no_face"


class AreaReader:
    """Reads the area of a gaze, by the best that the camera tells: angles, then the zone, then the head.

    Angles count from the eye point, yaw left and pitch down positive. Area 1 lies beyond 55 degrees of straight ahead,
    area 2 are the windows with 10 degrees around them, area 3 is what lies below the plane through the eyes that falls
    by 30 degrees to the front, less areas 1 and 2 (1-3.3.1). The plane is taken as one: at 50 degrees to the side it
    lies 20 degrees below the horizon. That counts more as area 3 than a cone of 30 degrees would.
    """

    def __init__(self, camera: CameraParams, params: DistractionParams) -> None:
        self._confidence_min = camera.confidence_min
        margin = AREA_2_MARGIN_DEG
        self._windows = tuple(
            (
                deg_to_rad(item.from_deg - margin),
                deg_to_rad(item.to_deg + margin),
                deg_to_rad(item.down_deg + margin),
            )
            for item in params.windows
        )
        self._zones = frozenset(GazeZone[name.upper()] for name in params.zones)
        self._head_down_rad = deg_to_rad(params.head_down_deg)

    def of_angles(self, yaw_rad: float, pitch_rad: float) -> Area:
        """Area of a direction."""
        if abs(yaw_rad) > _AREA_1_RAD:
            return Area.AREA_1
        for from_rad, to_rad, down_rad in self._windows:
            if from_rad <= yaw_rad <= to_rad and pitch_rad <= down_rad:
                return Area.AREA_2
        if pitch_rad >= _STEEP_RAD or (pitch_rad > 0.0 and tan(pitch_rad) > cos(yaw_rad) * _PLANE):
            return Area.AREA_3
        return Area.BETWEEN

    def read(self, driver: DriverState, yaw_0_rad: float, pitch_0_rad: float) -> tuple[Area, str]:
        """Area of the driver's gaze, and what it was told by.

        Args:
            yaw_0_rad, pitch_0_rad: What the camera calls straight ahead, as learned in this drive.
        """
        if not driver.is_face_visible:
            return Area.NO_FACE, "face"
        if not driver.confidence >= self._confidence_min:
            return Area.UNKNOWN, "confidence"
        zone = driver.gaze_zone
        if zone in MIRRORS:
            return Area.AREA_2, "zone"
        yaw_rad, pitch_rad = driver.gaze_yaw_rad, driver.gaze_pitch_rad
        if yaw_rad is not None and pitch_rad is not None and isfinite(yaw_rad + pitch_rad):
            return self.of_angles(yaw_rad - yaw_0_rad, pitch_rad - pitch_0_rad), "gaze"
        if zone is not GazeZone.UNKNOWN:
            return Area.AREA_3 if zone in self._zones else Area.AREA_2, "zone"
        yaw_rad, pitch_rad = driver.head_yaw_rad, driver.head_pitch_rad
        if yaw_rad is not None and pitch_rad is not None and isfinite(yaw_rad + pitch_rad):
            if abs(yaw_rad) > _AREA_1_RAD:
                return Area.AREA_1, "head"
            return Area.AREA_3 if pitch_rad >= self._head_down_rad else Area.BETWEEN, "head"
        return Area.UNKNOWN, "eyes"
