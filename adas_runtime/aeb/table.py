"""How fast a car may still hit what stands or crosses ahead: the tables of UN R152 (02 series) and R131, as data."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final, Literal

Category = Literal["M1", "N1"]
Braking = Literal["pneumatic", "hydraulic", "car_derived"]  # R131: footnotes of the three tables are not read [U]


class Target(Enum):
    """What is hit."""

    CAR = "car"
    PEDESTRIAN = "pedestrian"
    BICYCLE = "bicycle"


class Load(Enum):
    """Mass of the car."""

    RUNNING_ORDER = "running_order"
    MAXIMUM = "maximum"


Steps = tuple[tuple[float, float, float], ...]  # speed, limit at maximum mass, limit in running order [km/h]
_ZERO: Final[Steps] = tuple((speed, 0.0, 0.0) for speed in (20.0, 25.0, 30.0, 35.0))
_CAR_ZERO: Final[Steps] = ((10.0, 0.0, 0.0), (15.0, 0.0, 0.0), *_ZERO)
_M1_HIGH: Final[Steps] = ((45.0, 15.0, 15.0), (50.0, 25.0, 25.0), (55.0, 30.0, 30.0), (60.0, 35.0, 35.0))
_N1_HIGH: Final[Steps] = ((45.0, 20.0, 15.0), (50.0, 30.0, 25.0), (55.0, 35.0, 30.0), (60.0, 40.0, 35.0))
_M1_BIKE: Final[Steps] = ((45.0, 25.0, 25.0), (50.0, 30.0, 30.0), (55.0, 35.0, 35.0), (60.0, 40.0, 40.0))
_N1_BIKE: Final[Steps] = ((45.0, 30.0, 25.0), (50.0, 35.0, 30.0), (55.0, 40.0, 35.0), (60.0, 45.0, 40.0))
# R152.02 5.2.1.4, 5.2.2.4, 5.2.3.4
R152: Final[Mapping[tuple[Category, Target], Steps]] = {
    ("M1", Target.CAR): (*_CAR_ZERO, (40.0, 0.0, 0.0), (42.0, 10.0, 0.0), *_M1_HIGH),
    ("N1", Target.CAR): (
        *sorted((*_CAR_ZERO, (32.0, 0.0, 0.0))),
        (38.0, 0.0, 0.0),
        (40.0, 10.0, 0.0),
        (42.0, 15.0, 0.0),
        *_N1_HIGH,
    ),
    ("M1", Target.PEDESTRIAN): (*_ZERO, (40.0, 0.0, 0.0), (42.0, 10.0, 0.0), *_M1_HIGH),
    ("N1", Target.PEDESTRIAN): (*_ZERO, (38.0, 0.0, 0.0), (40.0, 10.0, 0.0), (42.0, 15.0, 0.0), *_N1_HIGH),
    ("M1", Target.BICYCLE): (*_ZERO, (38.0, 0.0, 0.0), (40.0, 10.0, 0.0), *_M1_BIKE),
    ("N1", Target.BICYCLE): (*_ZERO, (36.0, 0.0, 0.0), (38.0, 15.0, 0.0), (40.0, 25.0, 0.0), *_N1_BIKE),
}
# R131.02, relative speeds of the car scenario, both loads
R131_CAR: Final[Mapping[Braking, tuple[tuple[float, float], ...]]] = {
    "pneumatic": ((10.0, 0.0), (70.0, 0.0), (80.0, 28.0), (90.0, 42.0), (100.0, 54.0)),
    "hydraulic": (
        *((10.0, 0.0), (35.0, 0.0), (40.0, 15.0), (50.0, 28.0), (60.0, 40.0), (70.0, 50.0)),
        *((80.0, 61.0), (90.0, 71.0), (100.0, 82.0)),
    ),
    "car_derived": ((10.0, 0.0), (50.0, 0.0), (60.0, 25.0), (70.0, 37.0), (80.0, 49.0), (90.0, 60.0), (100.0, 71.0)),
}
EPS_KMH: Final = 1e-6  # a speed that came from m/s and back is the row it was


def max_impact_kmh(category: Category, target: Target, load: Load, speed_kmh: float) -> float | None:
    """The greatest impact speed that R152 permits [km/h]; `None` outside its speeds.

    Between two rows the next higher one holds (B13 [U]).

    Args:
        category: Of the car.
        target: What is hit. Of a car both speeds are relative to it, of the others they are the car's own.
        load: B13: a mass above running order counts as the maximum.
        speed_kmh: Before braking.
    """
    steps = R152[category, target]
    if speed_kmh < steps[0][0] - EPS_KMH:
        return None
    for row_kmh, laden, running in steps:
        if speed_kmh <= row_kmh + EPS_KMH:
            return laden if load is Load.MAXIMUM else running
    return None


def max_impact_heavy_kmh(braking: Braking, speed_kmh: float) -> float | None:
    """The same by R131 for buses and trucks, a car as the target [km/h]; `None` outside its speeds."""
    steps = R131_CAR[braking]
    if speed_kmh < steps[0][0] - EPS_KMH:
        return None
    return next((limit for row_kmh, limit in steps if speed_kmh <= row_kmh + EPS_KMH), None)


def is_robust(target: Target, failed: int, runs: int) -> bool:
    """Whether so many failed runs of a category are still a pass (R152 6.10; shares [S])."""
    share = 0.2 if target is Target.BICYCLE else 0.1
    return failed <= share * runs + 1e-9
