"""Gaps in the lane that the car wants to change to, shared by every function that changes lanes.

Two laws, two formulas. Both let the vehicle behind brake with 3 m/s^2 after a reaction time, and keep it the way of one
second away; R79 counts 0.4 s of reaction, R171 0.4 or 1.4 s, whether the movement to the side was seen before or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import inf, sqrt
from typing import Final

from adas_runtime.records import maker
from adas_runtime.signals import EgoLane, TrackedObject, TrackedObjects
from adas_runtime.units import kmh_to_mps

REAR_DECEL_MPS2: Final = 3.0  # R79 5.6.4.7 a, R171 6.2.4.1
REAR_REACTION_S: Final = 0.4  # R79 5.6.4.7 tB
REAR_GAP_S: Final = 1.0  # R79 5.6.4.7 tG, R171 6.2.4.1
REAR_SPEED_MAX_MPS: Final = kmh_to_mps(130.0)  # R79 5.6.4.7: a faster one counts as this fast
REAR_RANGE_LEAST_M: Final = 55.0  # R79 5.6.4.8.1
BACK_M: Final = -150.0  # farther behind the lane's cubic is not carried on
WIDTH_USUAL_M: Final = 3.5


def least_gap_m(
    ego_mps: float,
    rear_mps: float,
    reaction_s: float,
    decel_mps2: float = REAR_DECEL_MPS2,
    gap_s: float = REAR_GAP_S,
) -> float:
    """Least distance to a vehicle behind at the start of the manoeuvre (R171 6.2.4.1) [m].

    It brakes with `decel_mps2` from `reaction_s` after the start on, and never comes nearer than the way that the ego
    vehicle drives in `gap_s`.
    """
    closing_mps = rear_mps - ego_mps
    least = ego_mps * gap_s
    if closing_mps <= 0.0:
        return least
    return closing_mps * reaction_s + closing_mps * closing_mps / (2.0 * decel_mps2) + least


def critical_gap_m(ego_mps: float, rear_mps: float) -> float:
    """S_critical of R79 5.6.4.7: with less behind at the start of the manoeuvre the situation is critical [m].

    `rear_mps` above 130 km/h counts as 130. For a slower vehicle behind the law's formula would grow again with the
    square of the difference; the way of one second remains [D].
    """
    return least_gap_m(ego_mps, min(rear_mps, REAR_SPEED_MAX_MPS), REAR_REACTION_S)


def is_critical(ego_mps: float, rear_mps: float, gap_m: float) -> bool:
    """Whether the situation is critical with this gap at the start of the manoeuvre (R79 5.6.4.7)."""
    return gap_m < critical_gap_m(ego_mps, rear_mps)


def least_speed_mps(range_m: float, approach_mps: float = REAR_SPEED_MAX_MPS) -> float:
    """V_smin of R79 5.6.4.8.1.4: slower, a vehicle as fast as `approach_mps` may come before it was seen [m/s].

    The speed at which S_critical equals the range of rear sensing; `inf` where no speed suffices.
    """
    waiting_mps = REAR_DECEL_MPS2 * (REAR_REACTION_S - REAR_GAP_S)
    under = waiting_mps * waiting_mps - 2.0 * REAR_DECEL_MPS2 * (approach_mps * REAR_GAP_S - range_m)
    if under < 0.0:
        return inf  # a range of less than the way of one second at that speed: no root
    return max(waiting_mps + approach_mps - sqrt(under), 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What stands in the other lane.

    Args:
        beside: Somebody is beside the car, or so near that there is no room.
        rear_gap_m: To the vehicle behind, bumper to bumper; `None`: none seen.
        rear_mps: Its speed; with several, the one that needs most.
        rear_age_s: For how long it has been seen.
        front_gap_m, front_mps: The vehicle ahead; `None`: none seen.
    """

    beside: bool = False
    rear_gap_m: float | None = None
    rear_mps: float = 0.0
    rear_age_s: float = 0.0
    front_gap_m: float | None = None
    front_mps: float = 0.0


make_around = maker(Around)


def around(
    objects: TrackedObjects,
    lane: EgoLane,
    side: int,
    ego_mps: float,
    *,
    need_m: Callable[[float, float], float],
    beside_m: float,
    front_m: float,
    rear_m: float,
    drift_s: float = 0.0,
) -> Around:
    """What stands in the lane on this side: 1 left, -1 right.

    Args:
        objects: Road users.
        lane: The car's own lane.
        side: Which side.
        ego_mps: Speed of the car.
        need_m: Gap that a vehicle behind needs, from the car's speed and its own.
        beside_m: Room kept free ahead of and behind the car; who is within it is beside.
        front_m, rear_m: From the rear axle to the car's front, and to its rear, both positive.
        drift_s: Somebody on the far side of the other lane counts when the way to it in this time reaches into it.
    """
    width_m = lane.width_m or WIDTH_USUAL_M
    near_m, far_m = 0.5 * width_m + 0.3, 1.5 * width_m - 0.2
    beside = False
    rear: TrackedObject | None = None
    front: TrackedObject | None = None
    worst_m, rear_gap_m, front_gap_m = -inf, 0.0, inf
    for item in objects.objects:
        x_m = item.x_m
        at_m = min(max(x_m, BACK_M), lane.x_max_m)
        away_m = side * (item.y_m - lane.centre_m(at_m))
        half_m = 0.5 * (item.width_m or 1.8)
        # reaches into the other lane; what stands two lanes away and what follows in ours do not
        if away_m + half_m < near_m:
            continue
        if away_m - half_m > far_m:
            if not drift_s or away_m > 2.5 * width_m:
                continue
            slope = lane.heading_rad + at_m * (lane.curvature_1pm + 0.5 * at_m * lane.curvature_rate_1pm2)
            drift_mps = side * (item.speed_y_mps - item.speed_x_mps * slope)
            if away_m - half_m + min(drift_mps, 0.0) * drift_s > far_m:
                continue
        length_m = item.length_m or 4.5
        ahead_m = x_m - front_m
        # nearest point: of a vehicle behind that is its front
        behind_m = -x_m - rear_m
        if x_m < 0.0 and behind_m > beside_m:
            lack_m = need_m(ego_mps, item.speed_x_mps) - behind_m
            if lack_m > worst_m:
                rear, worst_m, rear_gap_m = item, lack_m, behind_m
        elif ahead_m > beside_m:
            if ahead_m < front_gap_m:
                front, front_gap_m = item, ahead_m
        elif x_m + length_m > -rear_m - beside_m:
            beside = True
    return make_around(
        beside=beside,
        rear_gap_m=None if rear is None else rear_gap_m,
        rear_mps=0.0 if rear is None else rear.speed_x_mps,
        rear_age_s=0.0 if rear is None else rear.age_s,
        front_gap_m=None if front is None else front_gap_m,
        front_mps=0.0 if front is None else front.speed_x_mps,
    )
