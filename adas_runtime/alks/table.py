"""Tables of UN R157 as data: the gap to the car ahead, and how far ahead the car has to see."""

from __future__ import annotations

from typing import Final

from adas_runtime.units import kmh_to_mps

# R157 5.2.3.3: speed [km/h] and time gap [s]; between them straight lines, outside them the last value
FOLLOWING: Final = ((7.2, 1.0), (10.0, 1.1), (20.0, 1.2), (30.0, 1.3), (40.0, 1.4), (50.0, 1.5), (60.0, 1.6))
FOLLOWING_HEAVY: Final = ((7.2, 1.2), (10.0, 1.4), (20.0, 1.6), (30.0, 1.8), (40.0, 2.0), (50.0, 2.2), (60.0, 2.4))
FLOOR_M: Final = 2.0  # R157 5.2.3.3, below 2 m/s
FLOOR_HEAVY_M: Final = 2.4
# R157 7.1.1: speed [km/h] and least range ahead [m]
FORWARD_RANGE: Final = (
    (60.0, 46.0), (70.0, 50.0), (80.0, 60.0), (90.0, 75.0),
    (100.0, 90.0), (110.0, 110.0), (120.0, 130.0), (130.0, 150.0),
)  # fmt: skip


def _between(table: tuple[tuple[float, float], ...], at: float) -> float:
    """The table's value, straight between its rows, the outer ones outside."""
    low = table[0]
    if at <= low[0]:
        return low[1]
    for row in table[1:]:
        if at <= row[0]:
            return low[1] + (at - low[0]) / (row[0] - low[0]) * (row[1] - low[1])
        low = row
    return low[1]


_GAPS = {
    is_heavy: tuple((kmh_to_mps(speed_kmh), gap_s) for speed_kmh, gap_s in table)
    for is_heavy, table in ((False, FOLLOWING), (True, FOLLOWING_HEAVY))
}
_SPEEDS = tuple((range_m, kmh_to_mps(speed_kmh)) for speed_kmh, range_m in FORWARD_RANGE)


def following_gap_s(speed_mps: float, *, is_heavy: bool = False) -> float:
    """Least time gap at this speed; above 60 km/h the law of the country gives one (R157 5.2.3.3) [s]."""
    return _between(_GAPS[is_heavy], speed_mps)


def following_gap_m(speed_mps: float, *, is_heavy: bool = False) -> float:
    """Least distance at this speed (R157 5.2.3.3) [m]."""
    floor_m = FLOOR_HEAVY_M if is_heavy else FLOOR_M
    return max(speed_mps * following_gap_s(speed_mps, is_heavy=is_heavy), floor_m)


def speed_of_range_mps(range_m: float) -> float:
    """The highest speed for which this range ahead is enough, 0 below the least one (R157 7.1.1) [m/s]."""
    return _between(_SPEEDS, range_m) if range_m >= _SPEEDS[0][0] else 0.0
