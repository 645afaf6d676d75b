"""Parameters of arbiter, envelope and health monitor; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from adas_runtime.config import Strict

LATERAL_ACCEL_LAW_MPS2: Final = 3.0  # R79 5.6.2.1.3 table 1 (M1, N1), R171 5.3.7.1.2
LATERAL_ACCEL_LAW_HEAVY_MPS2: Final = 2.5  # the same, M2, M3, N2, N3
LATERAL_JERK_LAW_MPS3: Final = 5.0  # R79 5.6.2.1.3(c), R171 5.3.7.1.1.1: mean over 0.5 s
CAP_LEAST_MPS2: Final = -2.0  # engine braking in a low gear; more would be a brake  [D]
OVERRIDE_LAW_NM: Final = 9.0  # R79 5.6.2.1.3(a): 50 N at the rim; at a wheel radius of 0.18 m [D]


class EnvelopeParams(Strict):
    """The market's part of the safety envelope, and the driver's override that arbiter and envelope both apply.

    The envelope takes the tighter of these and the vehicle's limits.
    """

    accel_max_mps2: float = Field(ge=0.0, le=5.0, description="Strongest acceleration [m/s^2].")
    accel_min_mps2: float = Field(ge=-12.0, le=-5.0, description="Strongest braking, negative [m/s^2].")
    jerk_max_mps3: float = Field(gt=0.0, le=50.0, description="Rate at which acceleration rises [m/s^3].")
    jerk_min_mps3: float = Field(
        ge=-80.0,
        lt=0.0,
        description="Rate at which braking builds up, negative [m/s^3].",
    )
    lateral_accel_max_mps2: float = Field(
        gt=0.0,
        le=LATERAL_ACCEL_LAW_MPS2,
        description="Lateral acceleration, speed squared times curvature [m/s^2].",
    )
    lateral_jerk_max_mps3: float = Field(
        gt=0.0,
        le=LATERAL_JERK_LAW_MPS3,
        description="Lateral jerk, speed squared times curvature rate [m/s^3].",
    )
    friction: float = Field(
        gt=0.0,
        le=1.2,
        description="Tyre friction that braking and steering share; braking goes first.",
    )
    ramp_in_s: float = Field(
        gt=0.0,
        le=5.0,
        description="Steering authority grows from 0 to 1 in this time [s].",
    )
    hand_back_s: float = Field(
        gt=0.0,
        le=5.0,
        description="Steering authority falls from 1 to 0 in this time [s].",
    )
    override_hand_back_s: float = Field(
        gt=0.0,
        le=5.0,
        description="The same when the driver steers against or with the system [s].",
    )
    override_torque_nm: float = Field(
        gt=0.0,
        le=OVERRIDE_LAW_NM,
        description="Driver's torque that overrides steering [Nm].",
    )
    override_resume_s: float = Field(
        ge=0.0,
        le=10.0,
        description="Steering is handed out again this long after the driver's torque ended [s].",
    )
    kick_down: float = Field(gt=0.0, le=1.0, description="Accelerator that interrupts emergency braking.")
    cap_min_mps2: float = Field(
        ge=CAP_LEAST_MPS2,
        le=0.0,
        description="A cap on what the driver's pedal may ask for slows the car no harder; it is no brake [m/s^2].",
    )
    cap_jerk_min_mps3: float = Field(ge=-10.0, lt=0.0, description="Rate at which such a cap falls, negative [m/s^3].")
    cap_jerk_max_mps3: float = Field(
        gt=0.0, le=10.0, description="Rate at which it rises, and is lifted when nobody asks for it any more [m/s^3]."
    )
    cap_override_accelerator: float = Field(
        gt=0.0, le=1.0, description="Accelerator from which the driver lifts it at once."
    )
    cap_override_rise: float = Field(
        gt=0.0, le=1.0, description="The same for a pedal pressed down by this much since it began."
    )
    information_max_age_s: float = Field(
        gt=0.0,
        le=2.0,
        description="A demand whose oldest information is older is refused [s].",
    )
    demand_frozen_s: float = Field(
        gt=0.0,
        le=0.15,
        description="A demand whose counter stands still this long is a stuck sender [s].",
    )
    time_gap_s: float = Field(
        gt=0.0,
        le=1.0,
        description="A longer pause between two steps (a frozen process) is a fault [s].",
    )
    rearm_s: float = Field(
        gt=0.0,
        le=10.0,
        description="After a fault: clean time without request before a new request is let in [s].",
    )
    excess_factor: float = Field(
        gt=1.0,
        le=4.0,
        description="Measured motion beyond this many times the limits is excessive.",
    )
    excess_s: float = Field(
        gt=0.0,
        le=1.0,
        description="Excessive motion for this long locks actuation out [s].",
    )
    excess_after_s: float = Field(ge=0.0, le=5.0, description="Engagement time before that watch begins [s].")
    speed_slew_mps2: float = Field(
        gt=0.0,
        le=50.0,
        description="A speed signal that changes faster is not believed [m/s^2].",
    )

    @model_validator(mode="after")
    def _check(self) -> EnvelopeParams:
        if self.override_hand_back_s > self.hand_back_s:
            raise ValueError("override_hand_back_s must not be above hand_back_s: the driver comes first")
        if self.cap_override_accelerator > self.kick_down:
            raise ValueError("cap_override_accelerator must not be above kick_down: a floored pedal always wins")
        return self


class HealthParams(Strict):
    """Health monitor: when a failure is told to the driver."""

    startup_grace_s: float = Field(
        ge=0.0,
        le=60.0,
        description="Nothing is missed this long after the start, but faults told are told on [s].",
    )
    silent_after_s: float = Field(
        ge=1.5,
        le=10.0,
        description="A function without a status for this long is silent (one a second is due) [s].",
    )
    fault_after_s: float = Field(ge=0.0, le=5.0, description="A fault must hold this long before it is told [s].")
    degraded_after_s: float = Field(
        ge=0.0,
        le=30.0,
        description="A missing input or reduced function must hold this long before it is told [s].",
    )
    clear_after_s: float = Field(
        ge=0.0,
        le=30.0,
        description="A cause must be gone this long before its alert ends [s].",
    )
    repeat_s: float = Field(
        gt=0.0,
        le=5.0,
        description="Alerts that hold are sent again in this period [s].",
    )
