"""Whether the driver camera's word counts: there, not covered, not frozen."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

from adas_runtime.driver_monitoring.params import CameraParams
from adas_runtime.records import maker
from adas_runtime.signals import DriverState

ABSENT: Final = "driver_camera_absent"
COVERED: Final = "driver_camera_covered"
FROZEN: Final = "driver_camera_frozen"


@dataclass(frozen=True, slots=True)
class Watch:
    """What is kept of the camera.

    Args:
        reason: Why its word does not count, `""` where it does.
        frame: Number of the last picture, `None` where the camera does not count.
        frame_s: When that number was new.
        missing_s: Since when its word does not count.
    """

    reason: str = ""
    frame: int | None = None
    frame_s: float | None = None
    missing_s: float | None = None


FRESH: Final = Watch()
make_watch = maker(Watch)


def watched(old: Watch, driver: DriverState | None, params: CameraParams, now_s: float) -> Watch:
    """The camera at `now_s`."""
    frame, frame_s, reason = old.frame, old.frame_s, ""
    if driver is None or not isfinite(driver.stamp_s):
        reason = ABSENT
    else:
        if driver.frame is None:
            frame, frame_s = None, None
        elif driver.frame != frame or frame_s is None:
            frame, frame_s = driver.frame, now_s
        if driver.is_camera_covered:
            reason = COVERED
        elif frame_s is not None and now_s - frame_s >= params.frozen_s:
            reason = FROZEN
    if not reason:
        return make_watch("", frame, frame_s, None)
    return make_watch(reason, frame, frame_s, now_s if old.missing_s is None else old.missing_s)


def is_lost(watch: Watch, params: CameraParams, now_s: float) -> bool:
    """Whether its word is missing for so long that it is a failure."""
    return watch.missing_s is not None and now_s - watch.missing_s >= params.fault_after_s
