"""Parameters of the lateral controller, shared by every function that steers; every value stands in the market file."""

from __future__ import annotations

from typing import Final

from pydantic import Field

from adas_runtime.config import Strict

JERK_LAW_MPS3: Final = 5.0  # R79 5.6.2.1.3(c), R171 5.3.7.1.1.1: mean over 0.5 s


class LateralControlParams(Strict):
    """How the car is led along a path: the same for lane centring, lane change, correction and assistance."""

    frequency_rps: float = Field(
        gt=0.0, le=3.0, description="How firmly it goes back to the path: natural frequency of the error [rad/s]."
    )
    damping: float = Field(ge=0.5, le=2.0, description="Damping of that motion [1].")
    approach_max_mps: float = Field(
        gt=0.0, le=2.0, description="It goes back to the path no faster than this, to the side [m/s]."
    )
    jerk_max_mps3: float = Field(
        gt=0.0,
        lt=JERK_LAW_MPS3,
        description="Lateral jerk that it asks for, speed squared times curvature rate [m/s^3].",
    )
    disturbance_s: float = Field(
        gt=0.0, le=10.0, description="Time in which it learns that the car turns otherwise than told: wind, slope [s]."
    )
    disturbance_max_mps2: float = Field(
        ge=0.0, le=2.0, description="Most lateral acceleration that it makes up for this way [m/s^2]."
    )
    crab_frequency_rps: float = Field(
        gt=0.0,
        le=2.0,
        description="How fast it learns that the car moves along another direction than its nose [rad/s].",
    )
    crab_max_deg: float = Field(ge=0.0, le=5.0, description="Most that it makes up for this way [deg].")
