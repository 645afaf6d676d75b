"""The way from one lane to the next: one continuous movement, shared by every function that changes lanes.

Slowly to the marking, since until there the change may be called off, and what moves to the side needs room to stop;
from there on to the middle of the other lane. Both parts are polynomials in time and meet with the same place, speed
and acceleration (none); the lateral controller follows them. Lengths count along the way, times from its start.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import Final

from adas_runtime.records import maker

RAMP_PEAK: Final = 1.5  # acceleration while the speed grows, times speed over time
RAMP_JERK: Final = 6.0  # jerk at its ends, times speed over time squared
LINE_LEAST_M: Final = 0.05
LINE_MOST: Final = 0.6  # of the whole way
REST_MOST: Final = 2.5  # speed times time over the way: slower, and the second part would swing beyond its end
REST_MOST_S: Final = 20.0
BACK_RPS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the side.

    Args:
        width_m: All of it.
        line_m: As far as the marking, where the change cannot be called off any more.
        line_mps: Speed there.
        ramp_s: Time until it moves that fast.
        line_s: Time until it is at the marking.
        whole_s: Time of all of it.
    """

    width_m: float = 0.0
    line_m: float = 0.0
    line_mps: float = 0.0
    ramp_s: float = 1.0
    line_s: float = 1.0
    whole_s: float = 1.0

    def at(self, t_s: float) -> tuple[float, float, float]:
        """Place, speed and acceleration after this time: rest to rest [m, m/s, m/s^2]."""
        if t_s <= 0.0:
            return 0.0, 0.0, 0.0
        if t_s >= self.whole_s:
            return self.width_m, 0.0, 0.0
        if t_s < self.ramp_s:
            s = t_s / self.ramp_s  # the speed grows as 3 s^2 - 2 s^3
            square = s * s
            return (
                self.line_mps * self.ramp_s * square * s * (1.0 - 0.5 * s),
                self.line_mps * square * (3.0 - 2.0 * s),
                6.0 * self.line_mps / self.ramp_s * s * (1.0 - s),
            )
        if t_s <= self.line_s:
            return self.line_m - self.line_mps * (self.line_s - t_s), self.line_mps, 0.0
        rest_s, rest_m = self.whole_s - self.line_s, self.width_m - self.line_m
        s, speed = (t_s - self.line_s) / rest_s, self.line_mps * rest_s
        c3, c4, c5 = _rest(rest_m, speed)
        return (
            self.line_m + s * (speed + s * s * (c3 + s * (c4 + s * c5))),
            (speed + s * s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5))) / rest_s,
            s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5)) / (rest_s * rest_s),
        )


make_way = maker(Way)
NO_WAY: Final = Way()


def _rest(rest_m: float, speed_m: float) -> tuple[float, float, float]:
    """Coefficients of the polynomial of fifth order from this speed, without acceleration, to rest after `rest_m`."""
    return 10.0 * rest_m - 6.0 * speed_m, 8.0 * speed_m - 15.0 * rest_m, 6.0 * rest_m - 3.0 * speed_m


def _rest_peaks(rest_m: float, line_mps: float, rest_s: float) -> tuple[float, float]:
    """Greatest acceleration and jerk of the second part."""
    c3, c4, c5 = _rest(rest_m, line_mps * rest_s)
    # the jerk, 6 c3 + 24 c4 s + 60 c5 s^2, is greatest at an end or at its own vertex; the acceleration where it is 0
    ends = [abs(6.0 * c3 + s * (24.0 * c4 + s * 60.0 * c5)) for s in (0.0, 1.0)]
    accels = [0.0]
    if abs(c5) > 1e-9:
        vertex = -0.2 * c4 / c5
        if 0.0 < vertex < 1.0:
            ends.append(abs(6.0 * c3 + vertex * (24.0 * c4 + vertex * 60.0 * c5)))
        root = sqrt(max(vertex * vertex - 0.1 * c3 / c5, 0.0))
        shares: tuple[float, ...] = (vertex - root, vertex + root)
    else:
        shares = (-0.25 * c3 / c4,) if c4 else ()
    accels += [abs(s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5))) for s in shares if 0.0 < s < 1.0]
    return max(accels) / (rest_s * rest_s), max(ends) / (rest_s * rest_s * rest_s)


def _reached(line_m: float, line_mps: float, accel_mps2: float, jerk_mps3: float) -> tuple[float, float]:
    """Speed at the marking and the time that its growth takes, within both bounds: less where the marking is near."""
    # half the speed times the time of its growth is the way meanwhile: as fast as it may be at the marking
    accel_bound_mps = sqrt(2.0 * line_m * accel_mps2 / RAMP_PEAK)
    jerk_bound_mps = (4.0 * line_m * line_m * jerk_mps3 / RAMP_JERK) ** (1.0 / 3.0)
    speed_mps = min(line_mps, accel_bound_mps, jerk_bound_mps)
    return speed_mps, max(RAMP_PEAK * speed_mps / accel_mps2, sqrt(RAMP_JERK * speed_mps / jerk_mps3))


def line_time_s(line_m: float, line_mps: float, accel_mps2: float, jerk_mps3: float) -> float:
    """Time to the marking, `line_m` away, at `line_mps` [s]."""
    line_m = max(line_m, LINE_LEAST_M)
    speed_mps, ramp_s = _reached(line_m, line_mps, accel_mps2, jerk_mps3)
    return line_m / speed_mps + 0.5 * ramp_s


def line_speed_mps(
    line_m: float, in_s: float, *, least_mps: float, most_mps: float, accel_mps2: float, jerk_mps3: float
) -> float:
    """Slowest speed, of those allowed, at which the marking is reached in time; the most where none does [m/s]."""
    if line_time_s(line_m, least_mps, accel_mps2, jerk_mps3) <= in_s:
        return least_mps
    low, high = least_mps, most_mps
    for _ in range(12):
        middle = 0.5 * (low + high)
        if line_time_s(line_m, middle, accel_mps2, jerk_mps3) <= in_s:
            high = middle
        else:
            low = middle
    return high


def made_way(width_m: float, line_m: float, line_mps: float, accel_mps2: float, jerk_mps3: float) -> Way:
    """The way whose acceleration and jerk stay within their bounds.

    Args:
        width_m: All of it, > 0 [m].
        line_m: As far as the marking [m].
        line_mps: Speed there; less where the marking is too near for it [m/s].
        accel_mps2, jerk_mps3: Bounds [m/s^2, m/s^3].
    """
    line_m = min(max(line_m, LINE_LEAST_M), LINE_MOST * width_m)
    speed_mps, ramp_s = _reached(line_m, line_mps, accel_mps2, jerk_mps3)
    line_s = line_m / speed_mps + 0.5 * ramp_s
    low, high = 0.0, min(REST_MOST_S, REST_MOST * (width_m - line_m) / speed_mps)
    for _ in range(30):
        middle = 0.5 * (low + high)
        accel, jerk = _rest_peaks(width_m - line_m, speed_mps, middle)
        if accel <= accel_mps2 and jerk <= jerk_mps3:
            high = middle
        else:
            low = middle
    return make_way(width_m, line_m, speed_mps, ramp_s, line_s, line_s + high)


def eased_back(
    place_m: float, rate_mps: float, accel_mps2: float, dt_s: float, *, accel_max_mps2: float, jerk_max_mps3: float
) -> tuple[float, float, float]:
    """Place, speed and acceleration `dt_s` later on the way back to 0 from any motion, within both bounds.

    A critically damped spring whose acceleration is bounded: what still moves outwards is stopped as soon as the bounds
    allow. A polynomial in time would have to be slow to keep them, and swing out farther meanwhile.
    """
    wanted = -BACK_RPS * (BACK_RPS * place_m + 2.0 * rate_mps)
    wanted = min(max(wanted, -accel_max_mps2), accel_max_mps2)
    step = jerk_max_mps3 * dt_s
    accel = min(max(wanted, accel_mps2 - step), accel_mps2 + step)
    rate = rate_mps + 0.5 * (accel_mps2 + accel) * dt_s
    return place_m + 0.5 * (rate_mps + rate) * dt_s, rate, accel
