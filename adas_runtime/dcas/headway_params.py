"""Parameters of the distance warning; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

SWITCH_BUTTON: Final = "headway"  # among `DriverInput.pressed`


class HeadwayParams(Strict):
    """Distance warning. Its threshold is a fact of the country: `following.cut_in_expected_gap_s`."""

    active_from_kmh: float = Field(
        ge=0.0, le=80.0, description="Speed from which it warns, when getting faster [km/h]."
    )
    active_until_kmh: float = Field(
        ge=0.0, le=80.0, description="Speed below which it stops, when getting slower [km/h]."
    )
    warn_after_s: float = Field(
        ge=0.5, le=20.0, description="It warns of a gap that stays too short for this long, closing or not [s]."
    )
    closing_after_s: float = Field(
        ge=0.1, le=5.0, description="The same while the car comes nearer to the one ahead [s]."
    )
    closing_mps: float = Field(gt=0.0, le=5.0, description="Speed of coming nearer that counts as closing [m/s].")
    opening_mps: float = Field(
        gt=0.0, le=5.0, description="A gap that grows this fast is being mended: nothing is said [m/s]."
    )
    clear_above_s: float = Field(
        ge=0.0, le=1.0, description="Above the threshold by this much the gap counts as mended [s]."
    )
    warn_max_s: float = Field(ge=1.0, le=10.0, description="A warning lasts this long at most [s].")
    repeat_after_s: float = Field(
        ge=10.0, le=600.0, description="Who stays too near is told again after this time [s]."
    )
    is_acoustic: bool = Field(description="It sounds; else it is shown alone.")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.active_until_kmh > self.active_from_kmh:
            raise ValueError("active_until_kmh must be <= active_from_kmh; the two make the hysteresis")
        if self.closing_after_s > self.warn_after_s:
            raise ValueError("closing_after_s must be <= warn_after_s; who comes nearer is warned first")
        return self
