"""Parameters of driver control assistance as a whole; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict
from adas_runtime.dcas.change import LaneChangeParams
from adas_runtime.dcas.mrm import RiskParams
from adas_runtime.dcas.params import LATERAL_ACCEL_LAW_MPS2, RISK_WARNING_LEAST_S, EngagementParams, GazeParams

RoadKind = Literal["motorway", "trunk", "primary", "secondary", "tertiary", "residential"]


class DcasParams(Strict):
    """Driver control assistance (UN R171), hands on."""

    # --- the text in force ---
    series: Literal["00", "01", "02"] = Field(description="Series of amendments of UN R171 that the approval is for.")
    has_supplement_2: bool = Field(
        description="Supplement 2: speed control may come back by itself after a short brake input (5.5.3.4.1.1.1)."
    )
    supplement_2_read: bool = Field(description="A person has read the adopted text of Supplement 2.")
    later_series_read: bool = Field(description="A person has read the texts of the 01 and 02 series.")
    sim_enabled: bool = Field(description="Manoeuvres that the system starts by itself, on motorways (01 series).")
    hands_off_enabled: bool = Field(description="No hands-on request while the eyes are on the road (01, 02 series).")
    hands_off_approval_ref: str = Field(max_length=128, description="Approval for hands off; empty: there is none.")
    # --- where it works ---
    roads: tuple[RoadKind, ...] = Field(
        min_length=1, description="Kinds of road it is designed for; where the map says another, it stands by."
    )
    needs_map: bool = Field(description="Without a map it stands by; false: an unknown road counts as one of `roads`.")
    activate_from_kmh: float = Field(ge=0.0, le=80.0, description="It can be activated from this speed on [km/h].")
    speed_max_kmh: float = Field(
        ge=60.0, le=150.0, description="Faster than this it stands by; the designed range ends here [km/h]."
    )
    lateral_accel_max_mps2: float = Field(
        gt=0.5,
        le=LATERAL_ACCEL_LAW_MPS2,
        description="Declared greatest lateral acceleration (5.3.7.1.2); heavy vehicles take 2.5 at most [m/s^2].",
    )
    boundary_lead_s: float = Field(gt=0.0, le=60.0, description="A boundary ahead is told of this long before [s].")
    boundary_clear_s: float = Field(
        ge=0.5, le=30.0, description="After the end of a boundary it stays inactive for this long (hysteresis) [s]."
    )
    lane_lost_s: float = Field(
        ge=0.0, le=1.0, description="A lane that is lost for this long is lost; until then it holds the last one [s]."
    )
    lane_hold_s: float = Field(
        ge=0.0,
        le=2.0,
        description="Then, on the way out with a hand on the wheel, it holds the lane for this long by the car's own "
        "motion; without a hand it does so until one comes or the car stands (5.3.5.1.1) [s].",
    )
    input_lost_s: float = Field(gt=0.0, le=2.0, description="Another input that is missing for this long is lost [s].")
    # --- the driver ---
    engagement: EngagementParams = Field(description="Hands and eyes.")
    gaze: GazeParams = Field(description="Where the driver looks.")
    take_over_hold_s: float = Field(
        ge=0.0, le=1.0, description="Steering for this long is taking over, after a direct control alert [s]."
    )
    accelerator_override: float = Field(
        gt=0.0, le=0.5, description="Accelerator from which the driver's demand counts [1]."
    )
    exit_lead_s: float = Field(
        ge=RISK_WARNING_LEAST_S,
        le=10.0,
        description="Where assistance has to end, it goes on for this long until a hand is on the wheel; then the car "
        "is brought to a stop [s].",
    )
    exit_hands_s: float = Field(
        ge=0.0, le=2.0, description="A hand on the wheel for this long ends assistance that has to end [s]."
    )
    is_gap_shown: bool = Field(
        description="The car shows the chosen gap all the time; false: a notice below 2 s (5.3.7.5)."
    )
    # --- manoeuvres ---
    change: LaneChangeParams = Field(description="Lane changes.")
    risk: RiskParams = Field(description="Risk mitigation.")
    # --- messages ---
    notice_s: float = Field(ge=1.0, le=10.0, description="A notice of something past is shown for this long [s].")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning that holds is sent again in this period [s].")
    legal_confirmed: bool = Field(
        description="A person has read every figure above in the text in force; false keeps a market from a release."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.has_supplement_2 and not self.supplement_2_read:
            raise ValueError("has_supplement_2 is true, yet nobody has confirmed its text; set it false")
        if self.series != "00" and not self.later_series_read:
            raise ValueError('series is above "00", yet nobody has confirmed its text; write "00"')
        if (self.sim_enabled or self.hands_off_enabled) and (self.series == "00" or not self.later_series_read):
            name = "hands_off_enabled" if self.hands_off_enabled else "sim_enabled"
            raise ValueError(
                f'{name} is true, which series "00" reserves, and nobody has confirmed the later text; set it false'
            )
        if self.hands_off_enabled and not self.hands_off_approval_ref.strip():
            raise ValueError("hands_off_enabled is true without an approval; name it in hands_off_approval_ref")
        if self.activate_from_kmh >= self.speed_max_kmh:
            raise ValueError("activate_from_kmh must be below speed_max_kmh")
        if self.gaze.lost_s < self.gaze.frozen_s:
            raise ValueError("gaze.lost_s must not be below gaze.frozen_s")
        return self
