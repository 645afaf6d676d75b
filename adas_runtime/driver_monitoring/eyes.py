"""What the eyes tell of sleepiness: time closed (PERCLOS), long closures, length of blinks."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite
from typing import Final

from adas_runtime.driver_monitoring.params import CameraParams, EyeParams
from adas_runtime.driver_monitoring.scales import grader
from adas_runtime.records import maker
from adas_runtime.signals import DriverState
from adas_runtime.units import deg_to_rad

BLINKS_MIN: Final = 6.0  # fewer blinks have no mean length worth a word
BLINK_LEAST_S: Final = 0.05  # one picture with closed eyes may be a slip of the camera
BLINK_SHARE: Final = 0.12  # of a new blink in the running mean
FRESH_S: Final = 1.0  # a microsleep is told for at least so long after the eyes opened


@dataclass(frozen=True, slots=True)
class Eyes:
    """What is kept of the eyes.

    Args:
        stamp_s: Of the last word that counted.
        is_closed: In that word; `None`: not known.
        closed_s: Since when they are closed.
        is_hanging: Lids hung over a gaze that went down first: this closure tells nothing.
        is_long: This closure was counted as a long one.
        closed, known: Running means: eyes closed, eyes known.
        long_rate_ps: Running rate of long closures [1/s].
        blink_s: Running mean length of blinks.
        blinks, closures: How many there were.
        slept_s: When the last microsleep was going on.
    """

    stamp_s: float | None = None
    is_closed: bool | None = None
    closed_s: float | None = None
    is_hanging: bool = False
    is_long: bool = False
    closed: float = 0.0
    known: float = 0.0
    long_rate_ps: float = 0.0
    blink_s: float = 0.0
    blinks: int = 0
    closures: int = 0
    slept_s: float | None = None


make_eyes = maker(Eyes)
FRESH: Final = Eyes()


class EyeReader:
    """Follows the eyes; the window is an exponential one, so that nothing but running means has to be kept.

    Lids hang over a gaze that is down, at a phone as at the instruments: a closure that begins while gaze or head are
    down tells nothing. One that began before counts on when the head sinks after it.
    """

    def __init__(self, camera: CameraParams, params: EyeParams) -> None:
        self._confidence_min = camera.confidence_min
        self._params = params
        self._tau_s = 0.5 * params.window_s
        self._down_rad = deg_to_rad(params.down_deg)
        self._perclos = grader(params.perclos)
        self._long = grader(params.closures_per_min)
        self._blink = grader(params.blink_s)

    def step(self, old: Eyes, driver: DriverState | None, now_s: float) -> Eyes:
        """The eyes with what the camera says now; the same word twice changes nothing."""
        params = self._params
        if driver is None:
            return self._gap(old, now_s)
        stamp_s = driver.stamp_s
        if old.stamp_s is not None and stamp_s <= old.stamp_s:
            return old if stamp_s == old.stamp_s else FRESH
        openness = driver.eye_openness
        if (
            openness is None
            or not driver.is_face_visible
            or not driver.confidence >= self._confidence_min
            or not isfinite(openness)
        ):
            return self._gap(old, now_s)
        dt_s = 0.0 if old.stamp_s is None else stamp_s - old.stamp_s
        if dt_s > params.gap_s:
            old, dt_s = self._faded(old, dt_s), 0.0
        was_closed = old.is_closed is True
        is_closed = openness < (params.open_above if was_closed else params.closed_below)
        closed_s, is_hanging, is_long = old.closed_s, old.is_hanging, old.is_long
        long_rate_ps, blink_s, blinks, closures, slept_s = (
            old.long_rate_ps,
            old.blink_s,
            old.blinks,
            old.closures,
            old.slept_s,
        )
        if is_closed and not was_closed:
            closed_s, is_hanging, is_long = stamp_s, self._is_down(driver), False
        elif was_closed and not is_closed:
            length_s = stamp_s - closed_s if closed_s is not None else 0.0
            if not is_hanging and BLINK_LEAST_S <= length_s < params.long_closure_s:
                blinks += 1
                share = max(BLINK_SHARE, 1.0 / blinks)
                blink_s += share * (length_s - blink_s)
            closed_s, is_hanging, is_long = None, False, False
        keep = exp(-dt_s / self._tau_s)
        counts = 0.0 if (is_closed and is_hanging) else 1.0
        known = old.known * keep + counts * (1.0 - keep)
        closed = old.closed * keep + (counts if was_closed else 0.0) * (1.0 - keep)
        long_rate_ps *= keep
        if is_closed and not is_hanging and closed_s is not None:
            if not is_long and stamp_s - closed_s >= params.long_closure_s:
                is_long, closures = True, closures + 1
                long_rate_ps += 1.0 / self._tau_s
            if stamp_s - closed_s >= params.microsleep_s:
                slept_s = stamp_s
        return make_eyes(
            stamp_s,
            is_closed,
            closed_s,
            is_hanging,
            is_long,
            closed,
            known,
            long_rate_ps,
            blink_s,
            blinks,
            closures,
            slept_s,
        )

    def perclos(self, eyes: Eyes) -> float | None:
        """Part of the known time with closed eyes; `None` where they were not seen for enough of it."""
        if eyes.known < self._params.known_min:
            return None
        return min(eyes.closed / eyes.known, 1.0)

    def score(self, eyes: Eyes) -> float | None:
        """Sleepiness by the eyes; `None`: not known."""
        perclos = self.perclos(eyes)
        if perclos is None:
            return None
        score = max(self._perclos(perclos), self._long(eyes.long_rate_ps * 60.0))
        if eyes.blinks >= BLINKS_MIN:
            score = max(score, self._blink(eyes.blink_s))
        return score

    def is_asleep(self, eyes: Eyes, now_s: float) -> bool:
        """Whether the eyes are, or were just now, closed for as long as a microsleep."""
        return eyes.slept_s is not None and now_s - eyes.slept_s <= FRESH_S

    def _gap(self, old: Eyes, now_s: float) -> Eyes:
        """No word: after a short gap nothing is known of the eyes."""
        if old.stamp_s is None or now_s - old.stamp_s <= self._params.gap_s:
            return old
        return self._faded(old, now_s - old.stamp_s, now_s)

    def _faded(self, old: Eyes, dt_s: float, stamp_s: float | None = None) -> Eyes:
        keep = exp(-max(dt_s, 0.0) / self._tau_s)
        return make_eyes(
            old.stamp_s if stamp_s is None else stamp_s,
            None,
            None,
            False,
            False,
            old.closed * keep,
            old.known * keep,
            old.long_rate_ps * keep,
            old.blink_s,
            old.blinks,
            old.closures,
            old.slept_s,
        )

    def _is_down(self, driver: DriverState) -> bool:
        for pitch_rad in (driver.gaze_pitch_rad, driver.head_pitch_rad):
            if pitch_rad is not None and pitch_rad > self._down_rad:
                return True
        return False
