"""The only place that knows km/h, mph, degrees and feet; everything else is SI."""

from __future__ import annotations

import math
from typing import Final

KMH_PER_MPS: Final = 3.6
GRAVITY_MPS2: Final = 9.80665  # standard gravity, exact
MPS_PER_MPH: Final = 0.44704  # international mile (1609.344 m) per hour, exact


def kmh_to_mps(speed_kmh: float) -> float:
    """Speed in metres per second."""
    return speed_kmh / KMH_PER_MPS


def mps_to_kmh(speed_mps: float) -> float:
    """Speed in kilometres per hour."""
    return speed_mps * KMH_PER_MPS


def mph_to_mps(speed_mph: float) -> float:
    """Speed in metres per second."""
    return speed_mph * MPS_PER_MPH


def deg_to_rad(angle_deg: float) -> float:
    """Angle in radians."""
    return math.radians(angle_deg)


def rad_to_deg(angle_rad: float) -> float:
    """Angle in degrees."""
    return math.degrees(angle_rad)


# unit -> (SI unit or the one that a signal declares, factor)
_UNITS: Final[dict[str, tuple[str, float]]] = {
    "km/h": ("m/s", 1.0 / KMH_PER_MPS),
    "mph": ("m/s", MPS_PER_MPH),
    "kn": ("m/s", 1852.0 / 3600.0),
    "cm/s": ("m/s", 0.01),
    "deg": ("rad", math.pi / 180.0),
    "deg/s": ("rad/s", math.pi / 180.0),
    "rpm": ("rad/s", math.pi / 30.0),
    "g": ("m/s^2", GRAVITY_MPS2),
    "%": ("1", 0.01),
    "cm": ("m", 0.01),
    "mm": ("m", 0.001),
    "km": ("m", 1000.0),
    "ft": ("m", 0.3048),
}
UNITS: Final = tuple(_UNITS)


def factor_to(target: str, unit: str) -> float | None:
    """What a value in `unit` is multiplied by to be in the unit `target`; `None` where the two do not fit."""
    if unit == target:
        return 1.0
    if unit == "rad" and target == "deg":
        return 180.0 / math.pi
    base, factor = _UNITS.get(unit, ("", 0.0))
    return factor if base == target else None
