"""What functions that look at a camera begin with: the next picture, or the status that says why there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adas_runtime.function import Status
from adas_runtime.signals import CameraFrame, Health

if TYPE_CHECKING:
    # at run time only where a picture is looked at: every process reads the declarations of these functions
    from adas_runtime.perception import camera_health
    from adas_runtime.perception.lane_model import Image

SIDE_MIN_PX: Final = 32
BLIND: Final = Status(state="blind", health=Health.DEGRADED, reason="no camera picture")
WAITING: Final = Status(state="waiting", is_active=True)


def opened(frame: CameraFrame | None, looked_s: float | None) -> Image | Status:
    """The picture of a frame, blue green red; a status where there is none, none since `looked_s`, or a broken one."""
    from adas_runtime.perception.lane_model import decode

    if frame is None:
        return BLIND
    if frame.stamp_s == looked_s:
        return WAITING
    picture = decode(frame.encoding, frame.data, frame.width_px, frame.height_px)
    if picture is not None and min(picture.shape[:2]) >= SIDE_MIN_PX:
        return picture
    reason = f"picture cannot be decoded as {frame.encoding}" if picture is None else "picture is too small"
    return Status(state="broken_picture", health=Health.DEGRADED, reason=reason)


def troubled(health: camera_health.Health) -> Status:
    """What a function says whose camera shows it nothing."""
    return Status(state=health.trouble.name.lower(), health=Health.DEGRADED, reason=health.trouble.value)
