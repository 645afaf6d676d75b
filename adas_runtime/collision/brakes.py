"""What braking can still do: one model of the brakes for trigger, check of the bundle and judges."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STANDS_MPS: Final = 0.05


@dataclass(frozen=True, slots=True)
class Brakes:
    """From the demand to the deceleration: nothing for `delay_s`, then a ramp, then the full deceleration.

    Args:
        delay_s: From the demand to the first deceleration [s].
        jerk_mps3: Slope of the ramp, positive [m/s^3].
        decel_mps2: Full deceleration, positive [m/s^2].
    """

    delay_s: float
    jerk_mps3: float
    decel_mps2: float

    def needed_gap_m(self, speed_mps: float, accel_mps2: float, other_mps: float, other_accel_mps2: float) -> float:
        """The gap that full braking from now on uses up before the gap grows again [m].

        Args:
            speed_mps: Ours, 0 at least.
            accel_mps2: Ours now: what the driver does goes on until the brakes answer, and counts towards them.
            other_mps: Along our way, 0 at least.
            other_accel_mps2: Its own; it does not speed up, and once it stands it stays.
        """
        decel, delay = self.decel_mps2, self.delay_s
        start = -decel if accel_mps2 < -decel else accel_mps2
        before_mps = speed_mps + start * delay
        if before_mps <= STANDS_MPS:
            used_m = speed_mps * speed_mps / (-2.0 * start) if start < 0.0 else 0.0
            return max(used_m - _driven_m(other_mps, other_accel_mps2, speed_mps / max(-start, 1e-6)), 0.0)
        ramp_s = (decel + start) / self.jerk_mps3
        full_s = delay + ramp_s
        full_mps = before_mps + (start - 0.5 * self.jerk_mps3 * ramp_s) * ramp_s
        delay_m = (speed_mps + 0.5 * start * delay) * delay
        if full_mps <= 0.0:  # it stands before the brakes are full; by a ramp from nothing
            stop_s = math.sqrt(2.0 * before_mps / self.jerk_mps3)
            end_m = delay_m + before_mps * stop_s * 2.0 / 3.0
            return max(end_m - _driven_m(other_mps, other_accel_mps2, delay + stop_s), 0.0)
        full_m = delay_m + (before_mps + (0.5 * start - self.jerk_mps3 * ramp_s / 6.0) * ramp_s) * ramp_s
        braking = -other_accel_mps2 if other_accel_mps2 < 0.0 else 0.0
        other_stop_s = other_mps / braking if braking > 0.0 else math.inf if other_mps > STANDS_MPS else 0.0
        loss_m = max(full_m - _driven_m(other_mps, other_accel_mps2, full_s), 0.0)
        gained = full_mps - max(other_mps - braking * full_s, 0.0)
        if gained > 0.0 or braking > decel:  # who brakes harder than we can is nearest when both stand
            equal_s = math.inf
            if decel > braking and full_s < other_stop_s:
                equal_s = full_s + gained / (decel - braking)
            if equal_s <= other_stop_s:  # both still drive as the gap is smallest
                after_s = equal_s - full_s
            else:
                after_s = full_mps / decel
            own_m = full_m + (full_mps - 0.5 * decel * after_s) * after_s
            loss_m = max(loss_m, own_m - _driven_m(other_mps, other_accel_mps2, full_s + after_s))
        return loss_m

    def stop_m(self, speed_mps: float) -> float:
        """The way to a standstill [m]."""
        return self.needed_gap_m(speed_mps, 0.0, 0.0, 0.0)


def _driven_m(speed_mps: float, accel_mps2: float, time_s: float) -> float:
    """Way of somebody who keeps speed or brakes to a standstill."""
    if accel_mps2 >= 0.0:
        return speed_mps * time_s
    stop_s = speed_mps / -accel_mps2
    if time_s >= stop_s:
        return 0.5 * speed_mps * stop_s
    return (speed_mps + 0.5 * accel_mps2 * time_s) * time_s


def latest_ttc_s(speed_mps: float, impact_mps: float, decel_mps2: float, ramp_s: float) -> float | None:
    """Time to collision at which braking must begin to hit a standing thing no faster than `impact_mps` [s].

    The formula of the sheet's 7.2, for a ramp of `ramp_s` to the full deceleration; `None` where braking would not be
    full by then, which the formula does not cover.
    """
    if speed_mps - impact_mps < decel_mps2 * ramp_s / 2.0 or speed_mps <= 0.0:
        return None
    full_mps = speed_mps - decel_mps2 * ramp_s / 2.0
    way_m = speed_mps * ramp_s - decel_mps2 * ramp_s**2 / 6.0
    return (way_m + (full_mps**2 - impact_mps**2) / (2.0 * decel_mps2)) / speed_mps


def residual_mps(speed_mps: float, decel_mps2: float, ttc_s: float, ramp_s: float) -> tuple[float, float]:
    """Impact speed [m/s] and the gap that is left [m] where braking begins at `ttc_s` before a standing thing."""
    gap_m = speed_mps * ttc_s
    full_mps = speed_mps - decel_mps2 * ramp_s / 2.0
    way_m = speed_mps * ramp_s - decel_mps2 * ramp_s**2 / 6.0
    square = full_mps**2 - 2.0 * decel_mps2 * (gap_m - way_m)
    if square > 0.0:
        return math.sqrt(square), 0.0
    return 0.0, gap_m - way_m - full_mps**2 / (2.0 * decel_mps2)
