"""Parameters of the correcting half of emergency lane keeping (EU 2021/646); every value stands in a market file."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

BUTTON: Final = "elks"  # among `DriverInput.pressed`
ACTIVE_FROM_LATEST_KMH: Final = 70.0  # ELKS K7
ACTIVE_TO_LEAST_KMH: Final = 130.0  # ELKS K7
RATE_LEAST_MPS: Final = 0.2  # ELKS K12 [U]: departures from this rate on
RATE_MOST_MPS: Final = 0.5  # ELKS K12 [U], below 100 km/h; 0.3 above


class EmergencyLaneKeepingParams(Strict):
    """Correcting half of emergency lane keeping (CDCF); the warning half is lane_departure.

    Distances to the line are DTLM: from the inner edge of the marking to the outermost edge of the front tyre, positive
    inside the lane, negative beyond the line.
    """

    # --- figures of 2021/646 Annex I that nobody here has read (K8, K10 to K13, K16 to K19) ---
    from_kmh: float = Field(
        ge=0.0, le=ACTIVE_FROM_LATEST_KMH, description="It corrects from this speed on, when getting faster [km/h]."
    )
    until_kmh: float = Field(ge=0.0, le=65.0, description="And until below this speed, when getting slower [km/h].")
    to_kmh: float = Field(ge=ACTIVE_TO_LEAST_KMH, le=250.0, description="And up to this speed [km/h].")
    correct_at_dtlm_m: float = Field(
        ge=-0.1, le=0.5, description="It corrects once the tyre is this near to the line and drifts towards it [m]."
    )
    correct_at_tlc_s: float = Field(
        ge=0.0, le=1.5, description="Or when the tyre reaches the line within this time [s]."
    )
    rate_min_mps: float = Field(
        gt=0.0, le=RATE_LEAST_MPS, description="Slowest drift towards the line that it corrects [m/s]."
    )
    rate_max_mps: float = Field(
        ge=RATE_MOST_MPS, le=2.0, description="A faster drift is no lapse: it leaves that to the driver [m/s]."
    )
    legal_confirmed: bool = Field(
        description="A person has read these figures in the Official Journal; false keeps an EU market from a release."
    )
    # --- which lines ---
    is_oncoming_guarded: bool = Field(
        description="It also corrects at a broken line where oncoming traffic is known to be beyond it."
    )
    is_road_edge_guarded: bool = Field(description="It also corrects at the edge of the road where no line is painted.")
    confidence_min: float = Field(ge=0.0, le=1.0, description="Lines with less confidence are warned of only.")
    confirm_s: float = Field(ge=0.0, le=0.3, description="A departure must hold this long before it corrects [s].")
    # --- how it corrects ---
    frequency_rps: float = Field(
        gt=0.0, le=3.0, description="Instead of the lateral controller's: a correction is in a hurry [rad/s]."
    )
    accel_max_mps2: float = Field(gt=0.0, le=3.0, description="Most lateral acceleration that it asks for [m/s^2].")
    jerk_max_mps3: float = Field(gt=0.0, lt=5.0, description="Most lateral jerk that it asks for [m/s^3].")
    back_to_dtlm_m: float = Field(
        gt=0.0, le=1.0, description="It leads the tyre back to this far inside the line, or to the lane's centre [m]."
    )
    settled_dtlm_m: float = Field(
        ge=0.05, le=0.8, description="Inside by this much, and not drifting out, it ends [m]."
    )
    settled_rate_mps: float = Field(ge=0.0, le=0.3, description="Drift to either side at which it ends [m/s].")
    min_s: float = Field(ge=0.0, le=2.0, description="It lasts at least this long [s].")
    max_s: float = Field(
        gt=1.0, le=30.0, description="It ends after this time: it is no lane centring (R79 2.3.4.2) [s]."
    )
    # --- the driver ---
    override_torque_nm: float = Field(gt=0.0, le=9.0, description="Driver's torque that takes the steering over [Nm].")
    intent_torque_nm: float = Field(
        gt=0.0, le=9.0, description="Torque towards the line that shows the wish to cross it [Nm]."
    )
    kick_down: float = Field(gt=0.0, le=1.0, description="Accelerator from which the driver acts on purpose.")
    brake_decel_mps2: float = Field(gt=0.0, le=10.0, description="Braking harder than this is on purpose [m/s^2].")
    resume_after_indicator_s: float = Field(
        ge=0.0, le=10.0, description="It is silent for this long after the indicator went off [s]."
    )
    resume_s: float = Field(ge=0.0, le=5.0, description="And for this long after any other action [s].")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing input is a failure after this time [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.until_kmh > self.from_kmh:
            raise ValueError("until_kmh must not be above from_kmh (hysteresis)")
        if self.settled_dtlm_m > self.back_to_dtlm_m:
            raise ValueError("settled_dtlm_m lies farther inside than back_to_dtlm_m leads; it would never end")
        if self.settled_dtlm_m <= self.correct_at_dtlm_m:
            raise ValueError("settled_dtlm_m must be above correct_at_dtlm_m (hysteresis)")
        if self.intent_torque_nm > self.override_torque_nm:
            raise ValueError("intent_torque_nm must not be above override_torque_nm")
        return self
