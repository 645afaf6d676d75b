"""Cars ahead for the tests of following, as motions over time."""

from __future__ import annotations

import math
from collections.abc import Sequence

from adas_runtime.scenario.platoon import LeadMotion


def steady(speed_mps: float, gap_m: float, track: int = 1) -> LeadMotion:
    """A car at constant speed, `gap_m` ahead at the start of whoever drives as fast."""
    return lambda t_s: (gap_m + speed_mps * t_s, speed_mps, track)


def speeds(points: Sequence[tuple[float, float]], gap_m: float, track: int = 1) -> LeadMotion:
    """A car whose speed is straight between points (time [s], speed [m/s]), and stays as the last."""
    ends = [points[0]]
    places = [gap_m]
    for t_s, speed in points[1:]:
        places.append(places[-1] + 0.5 * (speed + ends[-1][1]) * (t_s - ends[-1][0]))
        ends.append((t_s, speed))

    def at(t_s: float) -> tuple[float, float, int]:
        index = max(i for i, (begin_s, _) in enumerate(ends) if begin_s <= max(t_s, ends[0][0]))
        begin_s, begin = ends[index]
        if index + 1 == len(ends):
            return places[index] + begin * (t_s - begin_s), begin, track
        end_s, end = ends[index + 1]
        speed = begin + (end - begin) * (t_s - begin_s) / (end_s - begin_s)
        return places[index] + 0.5 * (begin + speed) * (t_s - begin_s), speed, track

    return at


def wave(speed_mps: float, swing_mps: float, rate_rps: float, gap_m: float) -> LeadMotion:
    """A car whose speed swings about a mean, from the mean on."""

    def at(t_s: float) -> tuple[float, float, int]:
        swing = swing_mps * math.sin(rate_rps * t_s)
        x_m = gap_m + speed_mps * t_s + swing_mps / rate_rps * (1.0 - math.cos(rate_rps * t_s))
        return x_m, speed_mps + swing, 1

    return at


def then(first: LeadMotion, second: LeadMotion, at_s: float) -> LeadMotion:
    """One car until a time, another one from then on: somebody cuts in, or leaves."""
    return lambda t_s: first(t_s) if t_s < at_s else second(t_s)
