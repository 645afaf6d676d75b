"""Road users that react: they follow whom they drive behind, us included, and make room for who comes in before them.

The model is the intelligent driver model (IDM) with a reaction time and the anticipation that drivers make up for it
with: they act on what they saw that long ago, and on how the gap will have changed since at the speeds of then.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from adas_runtime.alks.reference import DELAY_S, FULL_MPS2
from adas_runtime.units import kmh_to_mps

SPEED_EXPONENT: Final = 4  # delta of the IDM
LOOKS_S: Final = 2.0  # a design choice: who will be in its way by then is made room for
LEAST_GAP_M: Final = 0.1  # the model divides by the gap


@dataclass(frozen=True, slots=True, kw_only=True)
class Reacting:
    """A driver.

    The defaults are those of M. Treiber, A. Hennecke and D. Helbing, Congested traffic states in empirical observations
    and microscopic simulations, Phys. Rev. E 62 (2000) 1805, table I; the reaction time, which that model does not
    have, and the hardest braking are those of the careful driver of UN R157 Annex 3.

    Args:
        wants_mps: Speed on a free road.
        headway_s: Time gap that it keeps.
        accel_mps2, brakes_mps2: Greatest acceleration, and comfortable braking, both above 0.
        standstill_m: Gap that it stops at.
        reaction_s: Age of what it acts on.
        makes_room: Who comes into its way is followed before being in it, with comfortable braking at most.
    Raises:
        ValueError: A number that makes no driver.
    """

    wants_mps: float = kmh_to_mps(120.0)
    headway_s: float = 1.6
    accel_mps2: float = 0.73
    brakes_mps2: float = 1.67
    standstill_m: float = 2.0
    reaction_s: float = DELAY_S
    makes_room: bool = True

    def __post_init__(self) -> None:
        if min(self.wants_mps, self.accel_mps2, self.brakes_mps2) <= 0.0:
            raise ValueError("wants_kmh, accel_mps2 and brakes_mps2 must be above 0")
        if min(self.headway_s, self.standstill_m, self.reaction_s) < 0.0 or self.reaction_s > 5.0:
            raise ValueError("headway_s and standstill_m must be 0 at least, reaction_s 0 to 5")


def accel_mps2(driver: Reacting, speed_mps: float, gap_m: float = math.inf, lead_mps: float = 0.0) -> float:
    """What the driver does: acceleration within what it wants and what brakes give.

    Args:
        gap_m: To whom it follows, bumper to bumper; `inf` where there is nobody.
        lead_mps: That one's speed.
    Source: Treiber et al. 2000, equations 3 and 4.
    """
    free = 1.0 - (speed_mps / driver.wants_mps) ** SPEED_EXPONENT
    if math.isfinite(gap_m):
        closing = speed_mps * (speed_mps - lead_mps) / (2.0 * math.sqrt(driver.accel_mps2 * driver.brakes_mps2))
        wanted_m = driver.standstill_m + max(speed_mps * driver.headway_s + closing, 0.0)
        free -= (wanted_m / max(gap_m, LEAST_GAP_M)) ** 2
    return min(max(driver.accel_mps2 * free, -FULL_MPS2), driver.accel_mps2)


class Box(Protocol):
    """A road user as another one sees it."""

    size_m: tuple[float, float]
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    across_mps: float
    is_there: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """Who is followed, and who comes in: gap [m] and speed along the road [m/s] of each; and one's own speed then."""

    own_mps: float = 0.0
    lead: tuple[float, float] = (math.inf, 0.0)
    coming: tuple[float, float] = (math.inf, 0.0)


def looked(me: Box, others: Iterable[Box]) -> Seen:
    """Who is nearest ahead in its way, and nearest of those who will be; it drives along x."""
    found: dict[bool, tuple[float, float]] = {True: (math.inf, 0.0), False: (math.inf, 0.0)}
    front_m = me.x_m + 0.5 * me.size_m[0]
    for other in others:
        if other is me or not other.is_there:
            continue
        cosine, sine = math.cos(other.heading_rad), math.sin(other.heading_rad)
        half_x = 0.5 * (other.size_m[0] * abs(cosine) + other.size_m[1] * abs(sine))
        half_y = 0.5 * (other.size_m[0] * abs(sine) + other.size_m[1] * abs(cosine))
        gap_m = other.x_m - half_x - front_m
        if other.x_m <= me.x_m:
            continue
        reach_m = half_y + 0.5 * me.size_m[1]
        beside_m = other.y_m - me.y_m
        later_m = beside_m + (other.speed_mps * sine + other.across_mps - me.across_mps) * LOOKS_S
        is_in_way = abs(beside_m) < reach_m
        is_coming = abs(later_m) < reach_m or later_m * beside_m < 0.0
        if not is_in_way and (not is_coming or gap_m < 0.0):  # who is beside it is behind it, or passes first
            continue
        found[is_in_way] = min(found[is_in_way], (gap_m, other.speed_mps * cosine))
    return Seen(me.speed_mps, found[True], found[False])


def reaction_mps2(driver: Reacting, speed_mps: float, seen: Seen) -> float:
    """What the driver does about what it saw its reaction time ago.

    Source: M. Treiber, A. Kesting and D. Helbing, Delays, inaccuracies and anticipation in microscopic traffic models,
    Physica A 360 (2006) 71: temporal anticipation of the gap at constant speeds.
    """

    def about(gap_m: float, lead_mps: float) -> float:
        return accel_mps2(driver, speed_mps, gap_m - driver.reaction_s * (seen.own_mps - lead_mps), lead_mps)

    follows = about(*seen.lead)
    if not driver.makes_room:
        return follows
    return min(follows, max(about(*seen.coming), -driver.brakes_mps2))
