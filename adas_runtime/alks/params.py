"""Parameters of automated lane keeping; every value stands in the market file, none here. Bounds are the law's."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

SPEED_MAX_00_KMH: Final = 60.0  # R157-00 5.2.3.1
SPEED_MAX_01_KMH: Final = 130.0  # R157-01 5.2.3.1
EMERGENCY_MPS2: Final = 5.0  # R157 2.6, 5.3.1.1: a demand above it is an emergency manoeuvre
ESCALATE_LATEST_S: Final = 4.0  # R157 5.4.3.2
STOP_EARLIEST_S: Final = 10.0  # R157 5.4.4.1
STOP_DECEL_MPS2: Final = 4.0  # R157-00 5.5.1, R157-01 5.5.2: what the stop aims at
UNSEATED_LATEST_S: Final = 1.0  # R157 6.1.2
CRITERION_AGE_S: Final = 30.0  # R157 6.1.3.1: how long a criterion stands after it was seen
CRITERIA_LEAST: Final = 2  # the same [U]
UNAVAILABLE_LATEST_S: Final = 15.0  # R157 6.1.3.1 [U]
HAZARD_LATEST_S: Final = 5.0  # R157 5.4.3.1 [U]: at a standstill under a transition demand
LATERAL_ACCEL_MPS2: Final = 3.0  # R79 5.6.2.1.3 table 1, as for the other steering functions: R157 names none [D]

ALKS_BUTTON: Final = "alks"


class AlksParams(Strict):
    """Automated lane keeping (UN R157): where it works, when it asks the driver, how it stops."""

    # --- the text in force ---
    series: Literal["00", "01"] = Field(description="Series of amendments of UN R157 that the approval is for.")
    legal_confirmed: bool = Field(
        description="A person has read every figure below in the text in force; false keeps a market from a release."
    )
    # --- where it works ---
    speed_max_kmh: float = Field(
        gt=0.0,
        le=SPEED_MAX_01_KMH,
        description="Highest speed: 60 in the 00 series; in the 01 series 130, where the stop may change lanes [km/h].",
    )
    limit_share: float = Field(
        gt=0.0, le=1.0, description="Share of the speed limit that it drives at most; it never drives above it."
    )
    speed_unknown_kmh: float = Field(
        gt=0.0, le=SPEED_MAX_01_KMH, description="Highest speed where no limit is known [km/h]."
    )
    is_heavy_rain_excluded: bool = Field(
        description="It hands over where the wipers run fast: its sensors were not proven in such rain."
    )
    lane_lost_s: float = Field(
        ge=0.0, le=1.0, description="A lane that is lost for this long is lost; until then it holds the last one [s]."
    )
    input_lost_s: float = Field(gt=0.0, le=2.0, description="Another input that is missing for this long is lost [s].")
    lateral_accel_max_mps2: float = Field(
        gt=0.5, le=LATERAL_ACCEL_MPS2, description="Greatest lateral acceleration in the lane [m/s^2]."
    )
    beside_m: float = Field(
        ge=0.0, le=2.0, description="Room that it keeps to who drives beside it, as far as the lane lets it [m]."
    )
    beside_shift_max_m: float = Field(ge=0.0, le=0.5, description="But no farther from the middle of the lane [m].")
    # --- the driver ---
    criteria_min: int = Field(
        ge=CRITERIA_LEAST, le=3, description="Signs that the driver is there, of three: acts, eyes, head (6.1.3.1)."
    )
    criterion_s: float = Field(
        gt=0.0, le=CRITERION_AGE_S, description="A sign counts for this long after it was seen [s]."
    )
    head_move_deg: float = Field(gt=0.0, le=30.0, description="A head that turned this far has moved [deg].")
    unavailable_s: float = Field(
        gt=0.0,
        le=UNAVAILABLE_LATEST_S,
        description="A driver who is not available is warned at once and asked to take over after this time [s].",
    )
    unseated_s: float = Field(
        ge=0.0, le=UNSEATED_LATEST_S, description="Out of the seat for this long: transition demand [s]."
    )
    override_torque_nm: float = Field(
        gt=0.0, le=10.0, description="Torque on the wheel that takes over, with a hand on it (6.3.1) [Nm]."
    )
    override_s: float = Field(ge=0.05, le=1.0, description="And for this long, so that no touch does [s].")
    accelerator_override: float = Field(
        gt=0.0, le=0.5, description="Accelerator from which the driver's demand counts (6.3.3)."
    )
    answer_s: float = Field(
        ge=0.1, le=2.0, description="A hand on the wheel and the eyes on the road for this long: taken over [s]."
    )
    # --- transition demand ---
    escalate_s: float = Field(
        gt=0.0, le=ESCALATE_LATEST_S, description="A transition demand is escalated after this time [s]."
    )
    stop_after_s: float = Field(
        ge=STOP_EARLIEST_S,
        le=30.0,
        description="Without an answer the minimum-risk manoeuvre begins this long after the demand, never sooner [s].",
    )
    planned_margin_s: float = Field(
        ge=0.0, le=60.0, description="A planned demand comes this much earlier than the stop before the end needs [s]."
    )
    hazard_standing_s: float = Field(
        ge=0.0, le=HAZARD_LATEST_S, description="Hazard lamps at a standstill under a demand after this time [s]."
    )
    # --- braking ---
    emergency_decel_mps2: float = Field(
        gt=EMERGENCY_MPS2, le=12.0, description="Full braking of an emergency manoeuvre (5.3.2) [m/s^2]."
    )
    emergency_release_s: float = Field(ge=0.0, le=1.0, description="The risk must be over for this long [s].")
    avoid_from_mps2: float = Field(
        gt=0.0, le=EMERGENCY_MPS2, description="It brakes at the latest where this much is needed [m/s^2]."
    )
    stop_decel_mps2: float = Field(
        gt=0.0, le=STOP_DECEL_MPS2, description="Deceleration of the minimum-risk manoeuvre [m/s^2]."
    )
    stop_jerk_mps3: float = Field(gt=0.0, le=10.0, description="Rate at which it builds up [m/s^3].")
    hold_decel_mps2: float = Field(gt=0.0, le=3.0, description="Braking that holds the car at standstill [m/s^2].")
    # --- messages ---
    notice_s: float = Field(ge=1.0, le=10.0, description="A notice of something past is shown for this long [s].")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning that holds is sent again in this period [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.series == "00" and self.speed_max_kmh > SPEED_MAX_00_KMH:
            raise ValueError("speed_max_kmh is above 60, which the 00 series does not permit (R157-00 5.2.3.1)")
        return self
