"""The only place that knows km/h, mph, degrees and feet; everything else is SI."""

from __future__ import annotations

import math
from typing import Final

KMH_PER_MPS: Final = 3.6
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
