"""Thresholds of the lane model; every value comes from a market file. Lane widths come from the market's lane facts."""

from __future__ import annotations

from pydantic import Field

from adas_runtime.config import Strict


class LanePerceptionParams(Strict):
    """Lane boundaries from the front camera."""

    range_max_m: float = Field(ge=20.0, le=120.0, description="Markings farther ahead are not looked for [m].")
    contrast_min: float = Field(
        ge=0.01, le=0.5, description="Least brightness of paint above the road beside it, as a share of the road's [1]."
    )
    support_min_m: float = Field(
        ge=0.5, le=20.0, description="Least length of paint that has to be seen before a boundary is told [m]."
    )
    confidence_min: float = Field(ge=0.0, le=1.0, description="A boundary below this confidence is not told [1].")
    coast_max_s: float = Field(
        ge=0.0, le=1.0, description="A tracked boundary without paint in the picture is told this long at most [s]."
    )
    unknown_camera_hfov_deg: float = Field(
        ge=20.0, le=120.0, description="Horizontal field of view assumed for a camera nothing is known of [deg]."
    )
    unknown_camera_height_m: float = Field(
        ge=0.8, le=3.0, description="Height above the road assumed for a camera nothing is known of [m]."
    )
