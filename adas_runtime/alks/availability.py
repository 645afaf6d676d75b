"""Is the driver there: acts, eyes, head; two of them within the last half minute (UN R157 6.1.3.1).

It is a weaker question than attention: who reads a newspaper is available, who sleeps is not.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.alks.params import AlksParams
from adas_runtime.records import maker
from adas_runtime.signals import DriverState
from adas_runtime.units import deg_to_rad

NEVER: Final = -math.inf


@dataclass(frozen=True, slots=True)
class Availability:
    """What is kept.

    Args:
        acted_s, eyes_s, head_s: When the driver last acted, had the eyes open or blinked, moved the head.
        yaw_rad, pitch_rad: Head when it last moved, `None` before the first look.
        since_s: Since when the driver is not available, `None` while available.
    """

    acted_s: float = NEVER
    eyes_s: float = NEVER
    head_s: float = NEVER
    yaw_rad: float | None = None
    pitch_rad: float | None = None
    since_s: float | None = None


make_availability = maker(Availability)


class AvailabilityMonitor:
    """Counts the signs. A camera that stands still, is covered or sees no face adds none."""

    def __init__(self, params: AlksParams, *, eyes_closed: float, confidence_min: float) -> None:
        """`eyes_closed`: eyes less open than this are closed; `confidence_min`: of the driver camera."""
        self._eyes_closed, self._confidence_min = eyes_closed, confidence_min
        self._least = params.criteria_min
        self._lasts_s = params.criterion_s
        self._move_rad = deg_to_rad(params.head_move_deg)

    def step(
        self, old: Availability, driver: DriverState | None, now_s: float, *, is_acting: bool, is_seen: bool
    ) -> Availability:
        """One step.

        Args:
            driver: The driver camera's word, `None`: absent.
            is_acting: The driver works a control: button, stalk, pedal, wheel.
            is_seen: The camera works: it is neither covered nor frozen.
        """
        acted_s = now_s if is_acting else old.acted_s
        eyes_s, head_s, yaw_rad, pitch_rad = old.eyes_s, old.head_s, old.yaw_rad, old.pitch_rad
        if driver is not None and is_seen and driver.is_face_visible and driver.confidence >= self._confidence_min:
            if driver.eye_openness is not None and driver.eye_openness >= self._eyes_closed:
                eyes_s = now_s
            turned, nodded = driver.head_yaw_rad, driver.head_pitch_rad
            if turned is not None and nodded is not None and math.isfinite(turned + nodded):
                if yaw_rad is None or pitch_rad is None:
                    yaw_rad, pitch_rad = turned, nodded
                elif abs(turned - yaw_rad) >= self._move_rad or abs(nodded - pitch_rad) >= self._move_rad:
                    yaw_rad, pitch_rad, head_s = turned, nodded, now_s
        from_s = now_s - self._lasts_s
        signs = (acted_s >= from_s) + (eyes_s >= from_s) + (head_s >= from_s)
        since_s = None
        if signs < self._least:
            since_s = now_s if old.since_s is None else old.since_s
        return make_availability(acted_s, eyes_s, head_s, yaw_rad, pitch_rad, since_s)
