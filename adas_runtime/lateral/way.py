"""The way from one lane to the next: one continuous movement, shared by every function that changes lanes.

A polynomial of fifth order, rest to rest, in time: place, speed and acceleration to the side follow from it, and the
lateral controller follows them. Lengths count along the way, times from its start.
"""

from __future__ import annotations

from math import sqrt
from typing import Final

PEAK_ACCEL: Final = 10.0 / sqrt(3.0)  # of the way over its duration, times width over duration squared
PEAK_JERK: Final = 60.0  # at its ends, times width over duration cubed
DURATION_LEAST_S: Final = 2.0  # short ways too have a bounded jerk, 60 width / duration^3
PARTS: Final = 50
BACK_RPS: Final = 0.8


def way(share: float) -> tuple[float, float, float]:
    """Place, speed and acceleration along the way, each per width and its power of the duration: rest to rest.

    10 s^3 - 15 s^4 + 6 s^5: the jerk at its ends is bounded, 60 width / duration^3.
    """
    s = 0.0 if share <= 0.0 else 1.0 if share >= 1.0 else share
    square = s * s
    return (
        square * s * (10.0 + s * (6.0 * s - 15.0)),
        30.0 * square * (1.0 + s * (s - 2.0)),
        60.0 * s * (1.0 + s * (2.0 * s - 3.0)),
    )


def way_back(
    share: float, whole_s: float, place_m: float, rate_mps: float, accel_mps2: float
) -> tuple[float, float, float]:
    """Place, speed and acceleration on the way back to the lane's centre, from any motion to rest.

    The polynomial of fifth order that begins with the given place, speed and acceleration and ends at rest at 0.
    """
    s = 0.0 if share <= 0.0 else 1.0 if share >= 1.0 else share
    speed, accel = rate_mps * whole_s, 0.5 * accel_mps2 * whole_s * whole_s
    c3 = -10.0 * place_m - 6.0 * speed - 3.0 * accel
    c4 = 15.0 * place_m + 8.0 * speed + 3.0 * accel
    c5 = -6.0 * place_m - 3.0 * speed - accel
    return (
        place_m + s * (speed + s * (accel + s * (c3 + s * (c4 + s * c5)))),
        (speed + s * (2.0 * accel + s * (3.0 * c3 + s * (4.0 * c4 + s * 5.0 * c5)))) / whole_s,
        (2.0 * accel + s * (6.0 * c3 + s * (12.0 * c4 + s * 20.0 * c5))) / (whole_s * whole_s),
    )


def eased_back(
    place_m: float, rate_mps: float, accel_mps2: float, dt_s: float, *, accel_max_mps2: float, jerk_max_mps3: float
) -> tuple[float, float, float]:
    """Place, speed and acceleration `dt_s` later on the way back to 0 from any motion, within both bounds.

    A critically damped spring whose acceleration is bounded: what still moves outwards is stopped as soon as the bounds
    allow. A polynomial in time (`way_back`) would have to be slow to keep them, and swing out farther meanwhile.
    """
    wanted = -BACK_RPS * (BACK_RPS * place_m + 2.0 * rate_mps)
    wanted = min(max(wanted, -accel_max_mps2), accel_max_mps2)
    step = jerk_max_mps3 * dt_s
    accel = min(max(wanted, accel_mps2 - step), accel_mps2 + step)
    rate = rate_mps + 0.5 * (accel_mps2 + accel) * dt_s
    return place_m + 0.5 * (rate_mps + rate) * dt_s, rate, accel


def duration_s(width_m: float, accel_mps2: float) -> float:
    """Time that the way takes where its acceleration to the side stays within `accel_mps2` [s]."""
    return max(sqrt(PEAK_ACCEL * width_m / accel_mps2), DURATION_LEAST_S)


def _share_of(part: float) -> float:
    low, high = 0.0, 1.0
    for _ in range(40):
        middle = 0.5 * (low + high)
        if way(middle)[0] < part:
            low = middle
        else:
            high = middle
    return high


SHARES: Final = tuple(_share_of(number / PARTS) for number in range(PARTS + 1))  # time, as a share, by part of the way


def time_to_s(part: float, whole_s: float) -> float:
    """Time after which this part of the way is done, to 1 % of the whole [s]."""
    place = min(max(part, 0.0), 1.0) * PARTS
    index = min(int(place), PARTS - 1)
    return whole_s * (SHARES[index] + (place - index) * (SHARES[index + 1] - SHARES[index]))
