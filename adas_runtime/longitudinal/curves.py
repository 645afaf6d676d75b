"""Curves ahead as points that want a lower speed: from the lane that is seen, and from the map beyond it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from adas_runtime.signals import EgoLane, Horizon

STRAIGHT_1PM: Final = 1e-4  # flatter than this nobody slows down: 10 km radius
SLOW_MPS: Final = 1.0  # at walking pace no curve wants less
LANE_CONFIDENCE_MIN: Final = 0.5
MAP_CONFIDENCE_MIN: Final = 0.6
PROBABILITY_MIN: Final = 0.7  # of the way ahead: a curve of a slip road that is not taken slows nobody
LOOK_AHEAD_M: Final = 300.0
POINTS_MAX: Final = 8
LANE_SHARES: Final = (0.0, 0.5, 1.0)  # of the range in which the lane is seen


def sure_map(candidates: Iterable[Horizon]) -> Horizon | None:
    """The first map that knows where the car is, and surely enough to drive by; `None` without one."""
    for candidate in candidates:
        if candidate.is_matched and candidate.confidence >= MAP_CONFIDENCE_MIN and candidate.segments:
            return candidate
    return None


def slower_ahead(
    lane: EgoLane | None, horizon: Horizon | None, speed_mps: float, lateral_accel_mps2: float
) -> tuple[tuple[float, float], ...]:
    """Points that want less than the present speed: (distance [m], speed [m/s]), the lane's first (R171 5.3.7.1.1.1).

    Args:
        lane: The lane; one that is not sure enough says nothing of curves.
        horizon: The map ahead, where there is one.
        speed_mps: Present speed; what lets the car pass at it is left out [m/s].
        lateral_accel_mps2: Lateral acceleration that curves are driven with at most [m/s^2].
    """
    if not speed_mps > SLOW_MPS:
        return ()
    bend_max = max(lateral_accel_mps2 / (speed_mps * speed_mps), STRAIGHT_1PM)  # sharper ones want a lower speed
    found: list[tuple[float, float]] = []
    if lane is not None and lane.confidence >= LANE_CONFIDENCE_MIN:
        for share in LANE_SHARES:
            x_m = share * lane.x_max_m
            bend = abs(lane.curvature_1pm + x_m * lane.curvature_rate_1pm2)
            if bend > bend_max:
                found.append((x_m, math.sqrt(lateral_accel_mps2 / bend)))
    if horizon is not None and horizon.is_matched and horizon.confidence >= MAP_CONFIDENCE_MIN:
        for segment in horizon.segments:
            if segment.offset_m > LOOK_AHEAD_M or segment.probability < PROBABILITY_MIN or len(found) >= POINTS_MAX:
                break
            if segment.curvature_1pm is None or segment.offset_m + segment.length_m < 0.0:
                continue
            bend = abs(segment.curvature_1pm)
            if bend > bend_max:
                found.append((max(segment.offset_m, 0.0), math.sqrt(lateral_accel_mps2 / bend)))
    return tuple(found)
