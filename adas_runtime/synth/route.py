"""A route over a map: stretches of road with their limits, a turn into another road, and a driver who follows them.

What is true of a stretch, what stands on a sign and what the map says are three things here: a stretch may be signed
and mapped, mapped alone, signed alone, mapped wrongly, or neither; and a limit may hold at some hours or in the wet.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from adas_runtime.signals import SpeedUnit

TURN_RADIUS_M: Final = 15.0
TURN_EASE_M: Final = 4.0  # clothoid at either end of the turn's arc
TURN_MPS: Final = 5.5  # 2 m/s^2 across
RAMP_MPS2: Final = 1.3
HURRY_MPS2: Final = 2.2  # a pedal that overrides speed control
START_HOUR_UTC: Final = 12  # every made drive begins at noon UTC


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A piece of the road from `s_m` to the next one.

    Args:
        s_m: Where it begins, along the reference line [m].
        limit: True limit in the market's unit; `None`: nobody can tell, and nothing is judged.
        is_signed: A sign at its begin shows the limit.
        condition: What makes it hold, of a limit that holds under a condition only.
        area: Type of road as type approval counts it.
        highway: Class of the road in OpenStreetMap's word.
        mapped: Limit that the map says; `None`: it has no tag.
        conditional: The map's limits under a condition, in OpenStreetMap's form.
        name: Name of the road; another one is another road.
    """

    s_m: float
    limit: int | None
    is_signed: bool = False
    condition: str = ""
    area: str = "rural"
    highway: str = "secondary"
    mapped: int | None = None
    conditional: str = ""
    name: str = "Old Road"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What a route is made of.

    Args:
        stretches: In driving order; the first begins before the drive.
        curvature: Knots of the reference line: arc length [m], curvature [1/m].
        speed: Knots of the speed over time: time [s], speed [m/s].
        turn_m: Arc lengths between which the car turns into the other road.
        indicator_s: When the indicator shows the turn.
    """

    stretches: tuple[Stretch, ...]
    curvature: tuple[tuple[float, float], ...]
    speed: tuple[tuple[float, float], ...]
    turn_m: tuple[float, float]
    indicator_s: tuple[float, float]


def make_route(limit: int, unit: SpeedUnit, kerb: int, longitude_deg: float, is_raining: bool) -> Route:
    """The route, with figures around a market's limit on country roads.

    Args:
        limit: That limit, in `unit`.
        unit: Unit of the signs.
        kerb: +1 where traffic keeps to the left, -1 to the right: the car turns to that side, across nobody.
        longitude_deg: Where it is, for the local hour.
        is_raining: The road is wet.
    """

    def share(part: float) -> int:
        return max(10, round(limit * part / 10.0) * 10)

    full, less, half, wet, slow = limit, share(0.7), share(0.5), share(0.8), share(0.3)
    suffix = "" if unit is SpeedUnit.KMH else " mph"
    hour = START_HOUR_UTC + round(longitude_deg / 15.0)
    hours = f"{(hour - 1) % 24:02d}:00-{(hour + 3) % 24:02d}:00"
    turn_from = 1500.0
    turn_to = turn_from + 0.5 * math.pi * TURN_RADIUS_M + TURN_EASE_M
    lane, street, home = "Mill Lane", "Mill Street", "Mill Road"
    stretches = (
        Stretch(s_m=-1e9, limit=full, mapped=full),
        Stretch(s_m=60.0, limit=full, mapped=full, is_signed=True),
        Stretch(s_m=400.0, limit=less, mapped=less),
        Stretch(s_m=800.0, limit=half, mapped=less, condition=hours, conditional=f"{half}{suffix} @ ({hours})"),
        Stretch(
            s_m=1150.0,
            limit=wet if is_raining else full,
            mapped=full,
            condition="wet" if is_raining else "",
            conditional=f"{wet}{suffix} @ wet",
        ),
        # the law alone holds here, and which of its cases is not the map's to say: assumed, never judged
        Stretch(s_m=turn_from, limit=None, area="urban", highway="residential", name=lane),
        Stretch(s_m=turn_to + 270.0, limit=slow, is_signed=True, area="urban", highway="residential", name=lane),
        Stretch(s_m=turn_to + 430.0, limit=half, mapped=less, is_signed=True, highway="tertiary", name=street),
        Stretch(s_m=turn_to + 800.0, limit=less, mapped=less, is_signed=True, highway="tertiary", name=home),
    )
    fast, calm, low, creep = (0.88 * unit.mps(value) for value in (full, less, half, slow))
    speed, passed = _speed(
        (
            (0.0, fast, RAMP_MPS2),
            (400.0 + 6.0 * fast, fast, RAMP_MPS2),  # on into the lower limit, for six seconds
            (400.0 + 6.0 * fast + 90.0, calm, RAMP_MPS2),
            (800.0, low, RAMP_MPS2),
            (1150.0, low, RAMP_MPS2),
            (1350.0, calm, RAMP_MPS2),
            (turn_from - 20.0, TURN_MPS, RAMP_MPS2),
            (turn_to + 5.0, TURN_MPS, RAMP_MPS2),
            (turn_to + 120.0, unit.mps(half) * 1.1, RAMP_MPS2),  # above what the law may ask for: nobody is warned
            (turn_to + 200.0, unit.mps(half) * 1.1, RAMP_MPS2),
            (turn_to + 268.0, creep, RAMP_MPS2),
            (turn_to + 432.0, creep, RAMP_MPS2),
            (turn_to + 520.0, low, RAMP_MPS2),
            (turn_to + 802.0, low, RAMP_MPS2),
            (turn_to + 880.0, unit.mps(less) * 0.97, RAMP_MPS2),  # by the speedometer just above the limit
            (turn_to + 980.0, unit.mps(less) * 0.97, RAMP_MPS2),
            (turn_to + 1080.0, unit.mps(less) * 1.15, HURRY_MPS2),  # overtakes: the driver wins
            (turn_to + 1180.0, unit.mps(less) * 1.15, RAMP_MPS2),
            (turn_to + 1280.0, calm, RAMP_MPS2),
        )
    )
    bend = kerb / TURN_RADIUS_M
    return Route(
        stretches=stretches,
        curvature=(
            (0.0, 0.0),
            (450.0, 0.0),
            (550.0, -kerb / 500.0),
            (650.0, -kerb / 500.0),
            (750.0, 0.0),
            (turn_from, 0.0),
            (turn_from + TURN_EASE_M, bend),
            (turn_to - TURN_EASE_M, bend),
            (turn_to, 0.0),
            (turn_to + 540.0, 0.0),
            (turn_to + 590.0, kerb / 300.0),
            (turn_to + 690.0, kerb / 300.0),
            (turn_to + 740.0, 0.0),
        ),
        speed=speed,
        turn_m=(turn_from, turn_to),
        indicator_s=(passed[6] - 3.0, passed[7]),
    )


def _speed(points: Sequence[tuple[float, float, float]]) -> tuple[tuple[tuple[float, float], ...], tuple[float, ...]]:
    """Knots of the speed over time, and when each point is passed.

    Args:
        points: Where a speed is reached [m], the speed [m/s], and the mean acceleration of the ramp that ends there.
    """
    now_s = 0.0
    knots = [(0.0, points[0][1])]
    passed = [0.0]
    for (from_m, from_mps, _), (to_m, to_mps, rate_mps2) in pairwise(points):
        least_mps2 = abs(to_mps**2 - from_mps**2) / (2.0 * (to_m - from_m))  # where there is less room than it takes
        ramp_s = abs(to_mps - from_mps) / max(rate_mps2, least_mps2)
        now_s += (to_m - from_m - 0.5 * (from_mps + to_mps) * ramp_s) / from_mps
        if ramp_s > 0.0:
            if now_s > knots[-1][0] + 1e-6:
                knots.append((now_s, from_mps))
            now_s += ramp_s
            knots.append((now_s, to_mps))
        passed.append(now_s)
    return (*knots, (now_s + 1.0, points[-1][1])), tuple(passed)
