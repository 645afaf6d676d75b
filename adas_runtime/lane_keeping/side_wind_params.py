"""Parameters of the help in side wind (UN R79 corrective steering, type (a)); every value stands in the market file."""

from __future__ import annotations

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict


class SideWindParams(Strict):
    """Help against a sudden side force: it takes part of the push away for a short time, and no more."""

    from_kmh: float = Field(ge=30.0, le=120.0, description="It helps from this speed on, when getting faster [km/h].")
    until_kmh: float = Field(ge=20.0, le=120.0, description="And until below this speed [km/h].")
    onset_mps2: float = Field(
        gt=0.0, le=2.0, description="A push that turns the car by this much more than steered is sudden [m/s^2]."
    )
    onset_s: float = Field(ge=0.0, le=0.5, description="For this long [s].")
    release_mps2: float = Field(ge=0.0, le=2.0, description="Below this the push is over [m/s^2].")
    slow_s: float = Field(
        gt=0.5, le=60.0, description="What lasts longer is no push: camber, steady wind, a wrong understeer [s]."
    )
    share: float = Field(gt=0.0, le=1.0, description="Share of the push that it takes away.")
    accel_max_mps2: float = Field(gt=0.0, le=1.0, description="Most lateral acceleration that it adds [m/s^2].")
    jerk_max_mps3: float = Field(gt=0.0, lt=5.0, description="Most lateral jerk that it asks for [m/s^3].")
    max_s: float = Field(gt=0.0, le=5.0, description="It helps for this long at most (R79 2.3.4.2) [s].")
    fade_s: float = Field(gt=0.0, le=3.0, description="Then it fades out in this time [s].")
    pause_s: float = Field(ge=0.0, le=60.0, description="And pauses for this long [s].")
    intent_torque_nm: float = Field(
        gt=0.0, le=9.0, description="Driver's torque that leaves the steering to the driver [Nm]."
    )
    intent_rate_rps: float = Field(
        gt=0.0, le=20.0, description="Wheel rate before a push that shows the driver's own steering [rad/s]."
    )
    alert_period_s: float = Field(gt=0.0, le=1.0, description="The sign is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing input is a failure after this time [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.until_kmh > self.from_kmh:
            raise ValueError("until_kmh must not be above from_kmh (hysteresis)")
        if self.release_mps2 >= self.onset_mps2:
            raise ValueError("release_mps2 must be below onset_mps2 (hysteresis)")
        return self
