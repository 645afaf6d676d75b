"""Parameters of emergency braking; every value stands in the market file, none here. Bounds are the law's."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

DEMAND_LEAST_MPS2: Final = 5.0  # R152 5.2.1.2, 5.2.2.2, 5.2.3.2
WARN_LEAST_S: Final = 0.8  # R152 5.2.1.1, a car as the target
ACTIVE_FROM_KMH: Final = 10.0  # R152 5.2.1.3
ACTIVE_TO_KMH: Final = 60.0
OFF_UNTIL_KMH: Final = 10.0  # R152 5.4.1: the driver cannot switch it off above
INIT_SHOWN_AFTER_S: Final = 15.0  # R152 5.1.4.2, as in R131.02 [U]


class EmergencyBrakingParams(Strict):
    """When it warns and brakes. What the brakes can do stands in the vehicle file and in `envelope`."""

    from_kmh: float = Field(
        gt=0.0, le=ACTIVE_FROM_KMH, description="It works from this speed on (R152 5.2.1.3: 10 at the latest) [km/h]."
    )
    to_kmh: float = Field(ge=ACTIVE_TO_KMH, le=300.0, description="And up to this one (R152: 60 at least) [km/h].")
    decel_mps2: float = Field(
        ge=DEMAND_LEAST_MPS2, le=12.0, description="Full braking that it asks for (R152 5.2.1.2: 5 at least) [m/s^2]."
    )
    partial_mps2: float = Field(
        ge=DEMAND_LEAST_MPS2,
        le=12.0,
        description="What it asks for while the way of the other one is not sure yet [m/s^2].",
    )
    hold_mps2: float = Field(gt=0.0, le=5.0, description="What holds the car after the stop [m/s^2].")
    standoff_m: float = Field(ge=0.0, le=3.0, description="Room that is left when the car stands [m].")
    warn_ahead_s: float = Field(
        ge=WARN_LEAST_S,
        le=3.0,
        description="The driver is warned this long before braking would begin (R152 5.2.1.1: 0.8 at least) [s].",
    )
    warn_ahead_vulnerable_s: float = Field(
        ge=0.0, le=3.0, description="The same for a pedestrian or a bicycle (R152 5.2.2.1: with the braking) [s]."
    )
    warn_ttc_max_s: float = Field(gt=0.8, le=6.0, description="But not earlier than this before a collision [s].")
    sure_ttc_max_s: float = Field(
        gt=0.5, le=4.0, description="It brakes no earlier than this before a collision that the road makes sure [s]."
    )
    unsure_ttc_max_s: float = Field(
        gt=0.3,
        le=2.0,
        description="The same where only the car's present path leads there: a driver may still steer by [s].",
    )
    contrary_ttc_max_s: float = Field(
        ge=0.0,
        le=1.5,
        description="The same where the lane leads past it: the driver would have to leave the lane [s].",
    )
    turn_radius_max_m: float = Field(
        gt=5.0,
        le=100.0,
        description="Whoever moves across our turn is judged where we turn within this radius: a junction [m].",
    )
    certain_std: float = Field(
        ge=0.0, le=3.0, description="Full braking: in the way by so many standard deviations of its place."
    )
    confirm_s: float = Field(
        ge=0.1, le=1.0, description="It is warned of after it was followed for this long without a jump [s]."
    )
    confirm_pictures: int = Field(ge=3, le=20, description="It is braked for after so many messages with it.")
    confirm_single: int = Field(ge=3, le=40, description="The same where a single sensor sees it.")
    confidence_min: float = Field(ge=0.0, le=1.0, description="Least confidence of what is warned of and braked for.")
    release_s: float = Field(ge=0.0, le=1.0, description="The risk must be over for this long [s].")
    evade_rate_rps: float = Field(
        gt=0.0, le=20.0, description="A steering wheel turned this fast is the driver's evasion (R152 5.3) [rad/s]."
    )
    interrupted_s: float = Field(ge=0.0, le=5.0, description="An interruption holds this long after the action [s].")
    is_suspended_by_ads: bool = Field(
        description="It rests while automated lane keeping drives (R152 5.4.4); only where that was argued."
    )
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning that holds is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing input is told after this time [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.partial_mps2 > self.decel_mps2:
            raise ValueError("partial_mps2 must not be above decel_mps2")
        if self.unsure_ttc_max_s > self.sure_ttc_max_s:
            raise ValueError("unsure_ttc_max_s must not be above sure_ttc_max_s")
        if self.contrary_ttc_max_s > self.unsure_ttc_max_s:
            raise ValueError("contrary_ttc_max_s must not be above unsure_ttc_max_s")
        if self.warn_ttc_max_s < self.sure_ttc_max_s + WARN_LEAST_S:
            raise ValueError("warn_ttc_max_s leaves less than 0.8 s before braking at sure_ttc_max_s (R152 5.2.1.1)")
        if self.confirm_single < self.confirm_pictures:
            raise ValueError("confirm_single must not be below confirm_pictures: one sensor proves less than two")
        return self
