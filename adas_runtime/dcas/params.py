"""Parameters of driver control assistance; every value stands in the market file, none here. Bounds are the law's."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

HANDS_OFF_LATEST_S: Final = 5.0  # R171 5.5.4.2.3.1, 5.5.4.2.6.1.1
HANDS_OFF_EYES_ON_LATEST_S: Final = 10.0  # the same: delayed by up to 5 s while the eyes are confirmed
HANDS_ESCALATE_LATEST_S: Final = 10.0  # R171 5.5.4.2.6.1.2, after the initial request
EYES_OFF_LATEST_S: Final = 5.0  # R171 5.5.4.2.3.2, 5.5.4.2.6.2.1
EYES_ESCALATE_LATEST_S: Final = 3.0  # R171 5.5.4.2.6.2.2, after the initial request
TAKE_OVER_LATEST_S: Final = 5.0  # R171 5.5.4.2.3.3, 5.5.4.2.6.3.1, after the escalated eyes-on request
UNAVAILABLE_LATEST_S: Final = 10.0  # R171 5.5.4.2.6.4.1, after the first escalation
REENGAGE_LEAST_S: Final = 0.2  # R171 5.5.4.2.5.2.1
GATE_KMH: Final = 10.0  # R171 5.5.4.2.6: hands-on and eyes-on requests begin above it
LOCKOUT_ABOVE: Final = 1  # R171 5.5.4.2.8.1: more than one unavailability response in a run cycle
LATERAL_ACCEL_LAW_MPS2: Final = 3.0  # R171 5.3.7.1.2, M1 and N1
LATERAL_ACCEL_LAW_HEAVY_MPS2: Final = 2.5  # the same, M2, M3, N2, N3
RISK_DECEL_LAW_MPS2: Final = 4.0  # R79 5.1.6.3.5
RISK_WARNING_LEAST_S: Final = 5.0  # R79 5.1.6.3.2
RISK_CHANGE_LATERAL_LAW_MPS2: Final = 1.0  # R79 5.1.6.3.9, added lateral acceleration
RISK_CHANGE_REAR_DECEL_LAW_MPS2: Final = 3.7  # the same, of the vehicle behind
BRAKE_RESUME_KMH: Final = 30.0  # R171 5.5.3.4.1.1.1 (Supplement 2): may resume by itself up to this cut of speed
BRAKE_RESUME_WITHIN_S: Final = 2.0  # within this time
INDICATOR_LEAST_S: Final = 3.0  # R171 6.2.6, before the manoeuvre starts
CHANGE_START_LATEST_S: Final = 7.0  # R171 6.2.7, from the start of the procedure
CHANGE_LATERAL_LAW_MPS2: Final = 1.5  # R171 6.2.3, added to the curve's
LATERAL_JERK_LAW_MPS3: Final = 5.0  # R171 6.2.3, mean over 0.5 s
CHANGE_REAR_DECEL_LAW_MPS2: Final = 3.0  # R171 6.2.4.1
CHANGE_REAR_GAP_LEAST_S: Final = 1.0  # R171 6.2.4.1: never nearer than the ego travels in this time
CHANGE_REACTION_SEEN_S: Final = 0.4  # R171 6.2.4.1: braking begins this long after the start of the manoeuvre
CHANGE_REACTION_UNSEEN_S: Final = 1.4  # the same, where the vehicle behind saw less than SEEN_LEAST_S of the movement
CHANGE_SEEN_LEAST_S: Final = 1.0
CHANGE_ASSUMED_KMH: Final = 130.0  # R171 6.2.4.2, fastest vehicle assumed at the rear detection range
CHANGE_DECEL_LAW_MPS2: Final = 2.0  # R171 6.2.4.3, of the ego vehicle
CHANGE_DECEL_HOLD_S: Final = 2.0  # R171 6.2.4.4: no stronger deceleration after it for this long
HEADWAY_NOTICE_S: Final = 2.0  # R171 5.3.7.5

DCAS_BUTTON: Final = "dcas"  # names among `DriverInput.pressed`
SET_BUTTON: Final = "set_speed"
RESUME_BUTTON: Final = "resume"
CANCEL_BUTTON: Final = "cancel"
FASTER_BUTTON: Final = "speed_up"
SLOWER_BUTTON: Final = "speed_down"
GAP_BUTTON: Final = "time_gap"
CONFIRM_BUTTON: Final = "lane_change_confirm"

Zone = Literal["road", "mirror_left", "mirror_right", "mirror_centre"]


class EngagementParams(Strict):
    """How long the driver may be without hands on the wheel or eyes on the road (UN R171 5.5.4.2)."""

    hands_request_s: float = Field(
        gt=0.0, le=HANDS_OFF_LATEST_S, description="Hands off for this long: hands-on request [s]."
    )
    hands_request_eyes_on_s: float = Field(
        gt=0.0,
        le=HANDS_OFF_EYES_ON_LATEST_S,
        description="The same while the eyes are confirmed on the road; counted from hands off [s].",
    )
    hands_escalate_s: float = Field(
        gt=0.0, le=HANDS_ESCALATE_LATEST_S, description="The request is escalated after this time [s]."
    )
    eyes_request_s: float = Field(
        gt=0.0, le=EYES_OFF_LATEST_S, description="Eyes off for this long: eyes-on request [s]."
    )
    eyes_escalate_s: float = Field(
        gt=0.0, le=EYES_ESCALATE_LATEST_S, description="The request is escalated after this time [s]."
    )
    take_over_s: float = Field(
        gt=0.0, le=TAKE_OVER_LATEST_S, description="From the first escalation to the direct control alert [s]."
    )
    unavailable_s: float = Field(
        gt=0.0,
        le=UNAVAILABLE_LATEST_S,
        description="From the first escalation to the driver unavailability response [s].",
    )
    reengage_s: float = Field(
        ge=REENGAGE_LEAST_S, le=2.0, description="The gaze has to be back for this long to count as back [s]."
    )
    aversion_min_s: float = Field(ge=0.0, le=4.0, description="A look away from this long on is counted [s].")
    aversions_max: int = Field(ge=1, le=10, description="Looks away within the window before the strategy holds.")
    aversion_window_s: float = Field(gt=0.0, le=300.0, description="That window [s].")
    repeated_request_s: float = Field(
        gt=0.0, le=EYES_OFF_LATEST_S, description="After repeated looks away: eyes-on request after this time [s]."
    )
    repeated_reengage_s: float = Field(
        ge=REENGAGE_LEAST_S, le=5.0, description="After repeated looks away: the gaze has to be back for this long [s]."
    )
    gate_kmh: float = Field(
        ge=0.0, le=GATE_KMH, description="Requests begin above this speed; running ones go on below it [km/h]."
    )
    hands_torque_nm: float = Field(
        gt=0.0, le=5.0, description="Without a hands sensor, a torque from here on tells of a hand [Nm]."
    )
    hands_torque_hold_s: float = Field(
        ge=0.0, le=2.0, description="Without a hands sensor, that hand counts for this long [s]."
    )
    has_haptic: bool = Field(description="Escalated requests also shake wheel or seat.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.hands_request_eyes_on_s < self.hands_request_s:
            raise ValueError("hands_request_eyes_on_s must not be below hands_request_s: it is a delay of it")
        if self.hands_request_eyes_on_s > self.hands_request_s + 5.0:
            raise ValueError("hands_request_eyes_on_s may lie at most 5 s above hands_request_s (R171 5.5.4.2.6.1.1)")
        if self.take_over_s > self.unavailable_s - RISK_WARNING_LEAST_S:
            raise ValueError("unavailable_s must lie 5 s or more above take_over_s: warning before it (R79 5.1.6.3.2)")
        if self.repeated_request_s > self.eyes_request_s or self.repeated_reengage_s < self.reengage_s:
            raise ValueError("after repeated looks away the request must not come later, nor end sooner (5.5.4.2.5.3)")
        return self


class GazeParams(Strict):
    """Which way of looking counts as looking at what the task needs (UN R171 5.5.4.2.5)."""

    relevant: tuple[Zone, ...] = Field(
        min_length=1, max_length=4, description="Declared areas; instruments and displays never count."
    )
    mirror_s: float = Field(gt=0.0, le=10.0, description="A mirror counts for this long at a time [s].")
    yaw_deg: float = Field(
        gt=0.0, le=60.0, description="Without a zone: gaze within this of straight ahead, each side [deg]."
    )
    up_deg: float = Field(gt=0.0, le=45.0, description="The same upwards from the horizon [deg].")
    down_deg: float = Field(gt=0.0, le=30.0, description="The same downwards [deg].")
    head_yaw_deg: float = Field(gt=0.0, le=60.0, description="Where only the head is known, the same for it [deg].")
    head_down_deg: float = Field(gt=0.0, le=45.0, description="The same downwards [deg].")
    eyes_closed: float = Field(ge=0.0, le=1.0, description="Eyes less open than this look at nothing [1].")
    confidence_min: float = Field(ge=0.0, le=1.0, description="What the camera says with less counts as unknown.")
    frozen_s: float = Field(
        gt=0.0, le=1.0, description="A picture number that stands still for this long: frozen camera [s]."
    )
    lost_s: float = Field(
        gt=0.0, le=10.0, description="Monitoring that is missing for this long is lost: assistance ends [s]."
    )
    unsure_s: float = Field(
        gt=0.0, le=60.0, description="The same for a camera that works and does not know the gaze [s]."
    )
