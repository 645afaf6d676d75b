"""Parameters of following and set speed; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

IMMINENT_DECEL_MPS2: Final = 5.0  # R171 2.19: what needs more is an imminent collision, AEB's work and not comfort's
DECEL_BOUND_MPS2: Final = 3.5  # ISO 15622 for adaptive cruise control above 20 m/s [S]


class FollowingParams(Strict):
    """Following the car ahead and holding the set speed: R171 5.3.6.3 and 5.3.7.4 ask that it stays controllable.

    The distances themselves are facts of the country and stand in `following`.
    """

    gap_gain_1ps: float = Field(
        gt=0.0, le=0.5, description="Rate at which a gap that differs from the wanted one is corrected [1/s]."
    )
    cut_in_gain_1ps: float = Field(
        gt=0.0, le=1.0, description="The same after somebody cut in, so that the gap is soon there again [1/s]."
    )
    speed_gain_1ps: float = Field(gt=0.0, le=1.0, description="Acceleration asked for per error of the speed [1/s].")
    accel_max_mps2: float = Field(gt=0.0, le=2.0, description="Strongest acceleration, from standstill [m/s^2].")
    accel_fast_mps2: float = Field(gt=0.0, le=2.0, description="Strongest acceleration at 30 m/s and above [m/s^2].")
    decel_speed_mps2: float = Field(
        gt=0.0, le=3.0, description="Strongest braking for a lower set speed or limit [m/s^2]."
    )
    decel_comfort_mps2: float = Field(
        gt=0.0, le=DECEL_BOUND_MPS2, description="Strongest braking for the sake of the gap alone [m/s^2]."
    )
    decel_max_mps2: float = Field(
        gt=0.0,
        le=IMMINENT_DECEL_MPS2,
        description="Strongest braking where the gap would close; more is emergency braking's work [m/s^2].",
    )
    avoid_from_mps2: float = Field(
        gt=0.0, le=3.0, description="It brakes for a slower car at the latest when this braking is needed [m/s^2]."
    )
    jerk_up_mps3: float = Field(gt=0.0, le=5.0, description="Rate at which acceleration rises [m/s^3].")
    jerk_down_mps3: float = Field(gt=0.0, le=5.0, description="Rate at which braking builds up in comfort [m/s^3].")
    jerk_avoid_mps3: float = Field(
        gt=0.0, le=20.0, description="The same where more than comfortable braking is needed [m/s^3]."
    )
    curve_lateral_accel_mps2: float = Field(
        gt=0.5, le=3.0, description="Curves are driven no faster than this lateral acceleration [m/s^2]."
    )
    curve_from_mps2: float = Field(
        gt=0.0, le=2.0, description="It brakes for a curve ahead when this braking is needed [m/s^2]."
    )
    floor_slope_s: float = Field(
        ge=1.0,
        le=3.0,
        description="Least growth of the wanted gap with speed where a distance in metres rules; a gap that does not "
        "grow with speed lets a column of cars swing up [s].",
    )
    floor_full_kmh: float = Field(
        ge=20.0, le=120.0, description="Distances in metres are kept in full from this speed on [km/h]."
    )
    floor_from_kmh: float = Field(
        ge=0.0, le=100.0, description="In a queue, below this speed, they no longer count [km/h]."
    )
    gap_slew: float = Field(gt=0.0, le=1.0, description="Rate at which a change of the time gap is taken over [s/s].")
    lead_hold_s: float = Field(
        ge=0.0, le=3.0, description="A car ahead that is lost is believed in for this long before it speeds up [s]."
    )
    hold_decel_mps2: float = Field(gt=0.0, le=3.0, description="Braking that holds the car at standstill [m/s^2].")
    standstill_mps: float = Field(gt=0.0, le=1.0, description="Below this speed it comes to a stop and holds [m/s].")
    move_off_within_s: float = Field(
        ge=0.0,
        le=10.0,
        description="After a longer stop it moves off only at the driver's action (resume, accelerator) [s].",
    )

    # --- set speed ---
    set_min_kmh: float = Field(ge=0.0, le=60.0, description="Lowest speed that can be set [km/h].")
    set_max_kmh: float = Field(ge=30.0, le=250.0, description="Highest speed of the designed range [km/h].")
    set_max_unknown_kmh: float = Field(
        ge=20.0,
        le=130.0,
        description="Highest speed that can be set where neither the country's highest limit nor the limit in force is "
        "known [km/h].",
    )
    over_limit_tolerance_kmh: float = Field(
        ge=0.0, le=5.0, description="Speed above the limit from which that is shown: tolerance of the speed [km/h]."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.decel_max_mps2 < self.decel_comfort_mps2:
            raise ValueError("decel_max_mps2 must be >= decel_comfort_mps2; comfort never brakes harder than need")
        if self.jerk_avoid_mps3 < self.jerk_down_mps3:
            raise ValueError("jerk_avoid_mps3 must be >= jerk_down_mps3; need never brakes later than comfort")
        if self.floor_from_kmh >= self.floor_full_kmh:
            raise ValueError("floor_from_kmh must be < floor_full_kmh; distances fade out below the latter")
        return self
