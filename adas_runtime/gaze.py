"""Where the driver looks, in the three words that R171 needs: at the task, away, not known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import isfinite
from typing import TYPE_CHECKING, Final

from adas_runtime.records import maker
from adas_runtime.signals import DriverState, GazeZone
from adas_runtime.units import deg_to_rad

if TYPE_CHECKING:
    from adas_runtime.dcas.params import GazeParams

MIRRORS: Final = (GazeZone.MIRROR_LEFT, GazeZone.MIRROR_RIGHT, GazeZone.MIRROR_CENTRE)


class Sight(Enum):
    """Where the driver looks."""

    RELEVANT = "relevant"
    AWAY = "away"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Gaze:
    """What is kept of the driver camera.

    Args:
        sight: Where the driver looks.
        reason: Why it says so.
        frame: Number of the last picture, `None` where the camera does not count.
        frame_s: When that number was new.
        mirror_s: Since when the driver looks at a mirror.
        missing_s: Since when no picture can be judged at all, `None` while one can.
        unsure_s: Since when nobody knows where the driver looks, for whatever reason, `None` while somebody does.
    """

    sight: Sight = Sight.UNKNOWN
    reason: str = "driver_camera_absent"
    frame: int | None = None
    frame_s: float | None = None
    mirror_s: float | None = None
    missing_s: float | None = None
    unsure_s: float | None = None


make_gaze = maker(Gaze)


class GazeReader:
    """Judges the driver camera's word.

    Conservative both ways: what cannot be judged is `UNKNOWN`, which never counts as looking at the road and never
    starts an eyes-on request by itself; a picture in which no face is seen is `AWAY`, since a driver who has sunk down
    looks just like that.
    """

    def __init__(self, params: GazeParams) -> None:
        self._params = params
        self._relevant = frozenset(GazeZone[name.upper()] for name in params.relevant)
        self._yaw_rad = deg_to_rad(params.yaw_deg)
        self._up_rad = deg_to_rad(params.up_deg)
        self._down_rad = deg_to_rad(params.down_deg)
        self._head_yaw_rad = deg_to_rad(params.head_yaw_deg)
        self._head_down_rad = deg_to_rad(params.head_down_deg)

    def step(self, old: Gaze, driver: DriverState | None, now_s: float) -> Gaze:
        """The gaze at `now_s`."""
        if driver is None:
            return self._missing(old, "driver_camera_absent", old.frame, old.frame_s, now_s)
        frame, frame_s = old.frame, old.frame_s
        if driver.frame is None:
            frame, frame_s = None, None
        elif driver.frame != frame or frame_s is None:
            frame, frame_s = driver.frame, now_s
        if driver.is_camera_covered:
            return self._missing(old, "driver_camera_covered", frame, frame_s, now_s)
        if frame_s is not None and now_s - frame_s >= self._params.frozen_s:
            return self._missing(old, "driver_camera_frozen", frame, frame_s, now_s)
        sight, reason = self._judge(driver)
        mirror_s = None
        if sight is Sight.RELEVANT and driver.gaze_zone in MIRRORS:
            mirror_s = now_s if old.mirror_s is None else old.mirror_s
            if now_s - mirror_s > self._params.mirror_s:
                sight, reason = Sight.AWAY, "mirror_too_long"
        unsure_s = None
        if sight is Sight.UNKNOWN:
            unsure_s = now_s if old.unsure_s is None else old.unsure_s
        return make_gaze(sight, reason, frame, frame_s, mirror_s, None, unsure_s)

    def is_lost(self, gaze: Gaze, now_s: float) -> bool:
        """Whether monitoring has been missing, or has not known the gaze, for so long that assistance ends."""
        params = self._params
        if gaze.missing_s is not None and now_s - gaze.missing_s >= params.lost_s:
            return True
        return gaze.unsure_s is not None and now_s - gaze.unsure_s >= params.unsure_s

    def _missing(self, old: Gaze, reason: str, frame: int | None, frame_s: float | None, now_s: float) -> Gaze:
        missing_s = now_s if old.missing_s is None else old.missing_s
        unsure_s = now_s if old.unsure_s is None else old.unsure_s
        return make_gaze(Sight.UNKNOWN, reason, frame, frame_s, None, missing_s, unsure_s)

    def _judge(self, driver: DriverState) -> tuple[Sight, str]:
        params = self._params
        if not driver.is_face_visible:  # whatever the confidence: a camera that sees no face has none to be sure of
            return Sight.AWAY, "no_face"
        if not driver.confidence >= params.confidence_min:
            return Sight.UNKNOWN, "gaze_unsure"
        if driver.eye_openness is not None and driver.eye_openness < params.eyes_closed:
            return Sight.AWAY, "eyes_closed"
        zone = driver.gaze_zone
        if zone is not GazeZone.UNKNOWN:
            return (Sight.RELEVANT, "gaze_relevant") if zone in self._relevant else (Sight.AWAY, "gaze_away")
        yaw_rad, pitch_rad = driver.gaze_yaw_rad, driver.gaze_pitch_rad
        if yaw_rad is not None and pitch_rad is not None and isfinite(yaw_rad + pitch_rad):
            is_ahead = abs(yaw_rad) <= self._yaw_rad and -self._up_rad <= pitch_rad <= self._down_rad
            return (Sight.RELEVANT, "gaze_relevant") if is_ahead else (Sight.AWAY, "gaze_away")
        yaw_rad, pitch_rad = (
            driver.head_yaw_rad,
            driver.head_pitch_rad,
        )  # R171 5.5.4.2.5.1: where gaze is not determined
        if yaw_rad is not None and pitch_rad is not None and isfinite(yaw_rad + pitch_rad):
            is_ahead = abs(yaw_rad) <= self._head_yaw_rad and pitch_rad <= self._head_down_rad
            return (Sight.RELEVANT, "head_relevant") if is_ahead else (Sight.AWAY, "head_away")
        return Sight.UNKNOWN, "gaze_unsure"
