"""Parameters of tracking; every value stands in the market file under `tracking`, none here."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict


class TrackingParams(Strict):
    """What a radar measures how well, when a road user is believed, and for how long it is carried on unseen."""

    is_radar_used: bool = Field(
        description="Radar makes and sharpens road users here; false: the supplier's objects pass through alone."
    )
    # the radar, in the vehicle frame
    range_std_m: float = Field(gt=0.0, le=5.0, description="Noise of the distance [m].")
    side_std_m: float = Field(
        gt=0.0, le=5.0, description="Noise to the side that distance does not change: where on a body it reflects [m]."
    )
    angle_std_rad: float = Field(gt=0.0, le=0.2, description="Noise of the direction [rad].")
    rate_std_mps: float = Field(gt=0.0, le=5.0, description="Noise of the relative speed [m/s].")
    # how road users move
    accel_std_mps2: float = Field(gt=0.0, le=10.0, description="Usual acceleration along the road [m/s^2].")
    side_accel_std_mps2: float = Field(
        gt=0.0, le=10.0, description="Usual acceleration across it, in bends too [m/s^2]."
    )
    accel_s: float = Field(gt=0.1, le=10.0, description="An acceleration fades with this time constant [s].")
    # who belongs to whom
    gate: float = Field(
        ge=4.0,
        le=30.0,
        description="Greatest squared Mahalanobis distance of what belongs together (chi-square, three measures).",
    )
    cluster_m: float = Field(gt=0.0, le=5.0, description="Returns this near, as fast as each other, are one body [m].")
    long_vehicle_m: float = Field(
        ge=0.0, le=30.0, description="Returns in line and as fast as each other are one long vehicle up to here [m]."
    )
    long_vehicle_s: float = Field(ge=0.0, le=5.0, description="After they were so for this long [s].")
    # birth, coasting, death
    radar_frames: int = Field(ge=2, le=20, description="A radar return is told of after so many frames with it.")
    coast_s: float = Field(gt=0.0, le=1.0, description="Who is not seen is carried on for this long [s].")
    coast_frames: int = Field(
        ge=2, le=20, description="Only who was seen in so many frames is: a ghost is not made to last."
    )
    class_frames: int = Field(ge=1, le=40, description="Another class is taken after so many frames with it.")
    # what stands
    moving_mps: float = Field(ge=0.5, le=5.0, description="A road user has moved from this speed on [m/s].")
    moving_share: float = Field(
        ge=0.0, le=0.3, description="And this share of our own speed: that is how well what stands is told from it."
    )
    standing_confidence: float = Field(
        ge=0.0, le=1.0, description="Confidence of what only radar saw and never saw moving: a rail, a bridge, a sign."
    )
    # sensors that fail
    fault_hold_s: float = Field(gt=0.0, le=5.0, description="What is wrong with a message is told for this long [s].")
    flood: int = Field(
        ge=16, le=256, description="More objects than this in one message: the first, or nearest, count."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.long_vehicle_m < self.cluster_m:
            raise ValueError("long_vehicle_m must not be below cluster_m")
        return self
