"""Parameters of the lane departure warning; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from adas_runtime.config import Strict

LATEST_BEYOND_INNER_EDGE_M: Final = 0.3  # ELKS K10: M1, N1, from the inner edge of the marking
LATEST_BEYOND_OUTER_EDGE_M: Final = 0.3  # R130 6.5: M2, M3, N2, N3, from the outside edge of the marking
ACTIVE_FROM_LATEST_KMH: Final = 65.0  # ELKS K6; R130 5.2.3 asks for 60

SWITCH_BUTTON: Final = "lane_departure"  # among `DriverInput.pressed`


class LaneDepartureParams(Strict):
    """Lane departure warning (UN R130, LDWS part of EU ELKS).

    Distances to the line are DTLM: from the inner edge of the marking to the outermost edge of the front tyre,
    positive inside the lane, negative beyond the line.
    """

    active_from_kmh: float = Field(
        ge=0.0,
        le=ACTIVE_FROM_LATEST_KMH,
        description="Speed from which it warns, when getting faster [km/h].",
    )
    active_until_kmh: float = Field(
        ge=0.0,
        le=ACTIVE_FROM_LATEST_KMH,
        description="Speed below which it stops, when getting slower [km/h].",
    )
    warn_at_dtlm_m: float = Field(
        ge=-0.2,
        le=0.5,
        description="It warns once the tyre is this near to the line and drifts towards it [m].",
    )
    rearm_at_dtlm_m: float = Field(
        ge=-0.1,
        le=1.0,
        description="A warning ends, and the next may come, this far inside the lane [m].",
    )
    latest_margin_m: float = Field(
        ge=0.0,
        le=0.3,
        description="It warns without waiting for a confirmed drift this far before the law's latest line [m].",
    )
    warn_at_tlc_s: float = Field(
        ge=0.0,
        le=2.0,
        description="It also warns when the tyre reaches the line within this time; 0 = never [s].",
    )
    tlc_rate_min_mps: float = Field(
        gt=0.0,
        le=1.0,
        description="Slowest drift for which the time to the line counts [m/s].",
    )
    drift_rate_min_mps: float = Field(
        gt=0.0,
        le=0.1,
        description="Slowest drift towards the line that counts as a departure [m/s].",
    )
    confirm_s: float = Field(
        ge=0.0,
        le=0.3,
        description="A departure must hold this long before it warns [s].",
    )
    settle_s: float = Field(
        ge=0.0,
        le=1.0,
        description="A line must be followed this long before it may cause a warning [s].",
    )
    filter_s: float = Field(
        gt=0.0,
        le=1.0,
        description="Time constant of the distance and drift-rate filter [s].",
    )
    track_gap_s: float = Field(
        gt=0.0,
        le=2.0,
        description="A line that was not seen for longer starts as a new one [s].",
    )
    jump_m: float = Field(
        gt=0.05,
        le=2.0,
        description="A line that moves farther from one picture to the next is an outlier [m].",
    )
    jump_confirm_s: float = Field(
        gt=0.0,
        le=0.5,
        description="Outliers for this long mean that it is another line [s].",
    )
    warn_min_s: float = Field(ge=0.0, le=5.0, description="A warning lasts at least this long [s].")
    warn_max_s: float = Field(
        gt=0.0,
        le=60.0,
        description="A warning while the car stays on the line ends after this time [s].",
    )
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")
    is_optical: bool = Field(description="The warning is shown.")
    is_acoustic: bool = Field(description="The warning is sounded, on its side.")
    is_haptic: bool = Field(description="The warning is felt, on its side.")
    curve_cut_radius_m: float = Field(
        ge=0.0,
        le=250.0,
        description="In curves tighter than this, inner side, the driver may cut a little [m].",
    )
    curve_cut_allowance_m: float = Field(
        ge=0.0,
        le=0.3,
        description="How much later it warns there; never later than the latest line [m].",
    )
    confidence_min: float = Field(ge=0.0, le=1.0, description="Lines with less confidence are not used.")
    offset_std_max_m: float = Field(
        gt=0.0,
        le=2.0,
        description="Lines with a greater standard deviation of the offset are not used [m].",
    )
    extrapolation_max_m: float = Field(
        ge=0.0,
        le=30.0,
        description="A line may be extended this far back to the front axle [m].",
    )
    line_width_m: float = Field(
        gt=0.0,
        le=1.0,
        description="Width of a painted line where perception does not tell it [m].",
    )
    lane_width_min_m: float = Field(
        gt=0.0,
        le=4.0,
        description="Two lines nearer to each other are not a lane; it stands by [m].",
    )
    lane_width_max_m: float = Field(
        gt=0.0,
        le=20.0,
        description="Two lines farther apart are not a lane; it stands by [m].",
    )
    accept_uncalibrated: bool = Field(
        description="Warn also while the camera's geometry is an estimate; the status then says degraded."
    )
    uncalibrated_confidence_min: float = Field(
        ge=0.0,
        le=1.0,
        description="Confidence that a line then needs (the greater of the two holds).",
    )
    resume_after_indicator_s: float = Field(
        ge=0.0,
        le=10.0,
        description="Suppression lasts this long after the indicator went off [s].",
    )
    steer_torque_nm: float = Field(
        gt=0.0,
        le=20.0,
        description="Driver's torque towards a line that shows the wish to cross it [Nm].",
    )
    steer_rate_rps: float = Field(
        gt=0.0,
        le=20.0,
        description="Steering wheel rate towards a line that shows the wish to cross it [rad/s].",
    )
    brake_decel_mps2: float = Field(
        gt=0.0,
        le=10.0,
        description="Braking harder than this shows an attentive driver: no warning [m/s^2].",
    )
    kick_down: float = Field(
        gt=0.0,
        le=1.0,
        description="Accelerator from which the driver is taken as acting on purpose: no warning.",
    )
    resume_after_action_s: float = Field(
        ge=0.0,
        le=5.0,
        description="Suppression lasts this long after steering or pedal action [s].",
    )
    fault_after_s: float = Field(
        gt=0.0,
        le=10.0,
        description="A missing input is a failure after this time; until then standby [s].",
    )

    @model_validator(mode="after")
    def _check(self) -> LaneDepartureParams:
        if self.active_until_kmh > self.active_from_kmh:
            raise ValueError("active_until_kmh must not be above active_from_kmh (hysteresis)")
        if self.rearm_at_dtlm_m <= self.warn_at_dtlm_m:
            raise ValueError("rearm_at_dtlm_m must be above warn_at_dtlm_m (hysteresis)")
        if self.warn_at_dtlm_m < self.latest_margin_m - LATEST_BEYOND_INNER_EDGE_M:
            raise ValueError("warn_at_dtlm_m lies beyond the latest line (ELKS K10) less latest_margin_m")
        if self.lane_width_min_m >= self.lane_width_max_m:
            raise ValueError("lane_width_min_m must be below lane_width_max_m")
        if self.warn_min_s >= self.warn_max_s:
            raise ValueError("warn_min_s must be below warn_max_s")
        if not (self.is_acoustic or self.is_haptic):
            raise ValueError("a warning must be acoustic or haptic with its side, or two of three (R130 5.4.1)")
        return self
