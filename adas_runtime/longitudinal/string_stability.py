"""String stability: does a column of cars with this controller swing up, for this market's gap and this vehicle's lag?

Speed of the car over the speed of the car ahead, with the gap law a = (dv + k (gap - h v)) / g and an actuator that
answers with a delay and a first-order lag, G = exp(-s delay) / (1 + s lag):

    H(s) = G (s + k) / (g s^2 + G (s + k + k h s))

No swing of any length grows from car to car where |H(jw)| <= 1 for all w. `h` is the slope of the wanted gap over the
speed, `g` the time gap that the gain rests on: the same for a time gap, less where a distance in metres rules.

Source: R. Rajamani, Vehicle Dynamics and Control, ch. 6 (constant time gap, sliding law), with lag and delay added.
"""

from __future__ import annotations

import cmath
import math
from typing import Final

POINTS: Final = 240
FROM_RPS: Final = 1e-3
TO_RPS: Final = 30.0
TOLERANCE: Final = 1e-6
_FREQUENCIES: Final = tuple(
    FROM_RPS * math.exp(math.log(TO_RPS / FROM_RPS) * index / (POINTS - 1)) for index in range(POINTS)
)


def gain(
    frequency_rps: float, *, slope_s: float, gain_s: float, gap_gain_1ps: float, lag_s: float, delay_s: float
) -> float:
    """|H| at one frequency: how much of a swing of the car ahead is handed on to the car behind."""
    s = 1j * frequency_rps
    actuator = cmath.exp(-s * delay_s) / (1.0 + s * lag_s)
    below = gain_s * s * s + actuator * (s + gap_gain_1ps + gap_gain_1ps * slope_s * s)
    return abs(actuator * (s + gap_gain_1ps) / below)


def worst_gain(*, slope_s: float, gain_s: float, gap_gain_1ps: float, lag_s: float, delay_s: float) -> float:
    """Greatest |H| over all frequencies; not above 1: no swing grows."""
    return max(
        gain(w, slope_s=slope_s, gain_s=gain_s, gap_gain_1ps=gap_gain_1ps, lag_s=lag_s, delay_s=delay_s)
        for w in _FREQUENCIES
    )


def is_string_stable(*, slope_s: float, gain_s: float, gap_gain_1ps: float, lag_s: float, delay_s: float) -> bool:
    """No swing grows from car to car."""
    worst = worst_gain(slope_s=slope_s, gain_s=gain_s, gap_gain_1ps=gap_gain_1ps, lag_s=lag_s, delay_s=delay_s)
    return worst <= 1.0 + TOLERANCE


def shortest_time_gap_s(*, gap_gain_1ps: float, lag_s: float, delay_s: float) -> float:
    """Shortest time gap at which no swing grows [s], to 0.01 s; `inf`: none up to 10 s."""
    low, high = 0.0, 10.0
    if not is_string_stable(slope_s=high, gain_s=high, gap_gain_1ps=gap_gain_1ps, lag_s=lag_s, delay_s=delay_s):
        return math.inf
    while high - low > 0.01:
        middle = (low + high) / 2.0
        if middle > 0.0 and is_string_stable(
            slope_s=middle, gain_s=middle, gap_gain_1ps=gap_gain_1ps, lag_s=lag_s, delay_s=delay_s
        ):
            high = middle
        else:
            low = middle
    return high
