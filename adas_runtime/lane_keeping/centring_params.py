"""Parameters of lane centring (UN R79 ACSF category B1); every value stands in the market file, none here."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

BUTTON: Final = "lane_centring"  # among `DriverInput.pressed`

# R79 5.6.2.1.3 table 1: least and greatest declared aysmax per speed range [m/s^2]
TABLE: Final = {
    "to_60_mps2": (0.0, 3.0),
    "to_100_mps2": (0.5, 3.0),
    "to_130_mps2": (0.8, 3.0),
    "above_130_mps2": (0.3, 3.0),
}
TABLE_HEAVY: Final = {"to_30_mps2": (0.0, 2.5), "to_60_mps2": (0.3, 2.5), "above_60_mps2": (0.5, 2.5)}
SUSTAINED_EXCESS_MPS2: Final = 0.3  # R79 5.6.2.1.1: over aysmax for long
SHORT_S: Final = 2.0
HANDS_PICTURE_LATEST_S: Final = 15.0  # R79 5.6.2.2.5
HANDS_RED_LATEST_S: Final = 30.0
HANDS_OFF_LATEST_S: Final = 30.0  # from the sound to the end of assistance
EMERGENCY_MIN_S: Final = 5.0
HANDS_FROM_KMH: Final = 10.0  # R79 5.6.2.2.5: hands have to be watched from here on


class LateralTable(Strict):
    """Declared lateral acceleration of cars and vans by speed (R79 5.6.2.1.3 table 1)."""

    to_60_mps2: float = Field(ge=0.0, le=3.0, description="10 to 60 km/h [m/s^2].")
    to_100_mps2: float = Field(ge=0.5, le=3.0, description="Above 60 to 100 km/h [m/s^2].")
    to_130_mps2: float = Field(ge=0.8, le=3.0, description="Above 100 to 130 km/h [m/s^2].")
    above_130_mps2: float = Field(ge=0.3, le=3.0, description="Above 130 km/h [m/s^2].")

    def steps(self) -> tuple[tuple[float, float], ...]:
        """Upper end of each range [km/h] and its value."""
        return (
            (60.0, self.to_60_mps2),
            (100.0, self.to_100_mps2),
            (130.0, self.to_130_mps2),
            (1e9, self.above_130_mps2),
        )


class HeavyLateralTable(Strict):
    """Declared lateral acceleration of buses and trucks by speed (R79 5.6.2.1.3 table 1)."""

    to_30_mps2: float = Field(ge=0.0, le=2.5, description="10 to 30 km/h [m/s^2].")
    to_60_mps2: float = Field(ge=0.3, le=2.5, description="Above 30 to 60 km/h [m/s^2].")
    above_60_mps2: float = Field(ge=0.5, le=2.5, description="Above 60 km/h [m/s^2].")

    def steps(self) -> tuple[tuple[float, float], ...]:
        """Upper end of each range [km/h] and its value."""
        return ((30.0, self.to_30_mps2), (60.0, self.to_60_mps2), (1e9, self.above_60_mps2))


class LaneCentringParams(Strict):
    """Lane centring: keeps the car in the middle of its lane, with the driver's hands on the wheel (ACSF B1)."""

    from_kmh: float = Field(ge=10.0, le=60.0, description="It steers from this speed on, when getting faster [km/h].")
    until_kmh: float = Field(ge=5.0, le=60.0, description="And until below this speed, when getting slower [km/h].")
    to_kmh: float = Field(ge=60.0, le=180.0, description="And up to this speed [km/h].")
    aysmax: LateralTable = Field(description="Declared lateral acceleration, cars and vans.")
    aysmax_heavy: HeavyLateralTable = Field(description="Declared lateral acceleration, buses and trucks.")
    excess_mps2: float = Field(
        ge=0.0,
        le=SUSTAINED_EXCESS_MPS2,
        description="So much more it may use to hold the lane where aysmax does not suffice [m/s^2].",
    )
    hands_torque_nm: float = Field(
        gt=0.0, le=3.0, description="Where no sensor tells: torque on the wheel that shows hands [Nm]."
    )
    hands_hold_s: float = Field(
        ge=0.0, le=3.0, description="And for how long: a hand at rest turns the wheel now and then only [s]."
    )
    hands_picture_s: float = Field(
        gt=0.0, lt=HANDS_PICTURE_LATEST_S, description="Hands off for this long: hands and wheel are shown [s]."
    )
    hands_red_s: float = Field(
        gt=0.0, lt=HANDS_RED_LATEST_S, description="For this long: shown in red, with a sound [s]."
    )
    hands_off_s: float = Field(
        gt=0.0, lt=HANDS_OFF_LATEST_S, description="After the sound has lasted this long, it ends [s]."
    )
    emergency_s: float = Field(
        ge=EMERGENCY_MIN_S, le=60.0, description="The emergency sound then lasts until hands are on, or this long [s]."
    )
    override_torque_nm: float = Field(gt=0.0, le=9.0, description="Driver's torque that takes the steering over [Nm].")
    resume_s: float = Field(ge=0.0, le=10.0, description="It steers again this long after the driver's action [s].")
    settle_s: float = Field(
        ge=0.0, le=10.0, description="Everything it needs must have been there for this long before it steers [s]."
    )
    start_offset_max_m: float = Field(
        gt=0.0, le=2.0, description="It begins to steer only when the car is this near to the lane's centre [m]."
    )
    crossing_dtlm_m: float = Field(
        ge=-0.15,
        le=0.3,
        description="A front tyre this near to the inner edge of the line starts to cross it [m].",
    )
    coast_s: float = Field(
        ge=0.0, le=3.0, description="Where the lane is lost, it steers on by what it last saw for this long [s]."
    )
    told_s: float = Field(ge=1.0, le=10.0, description="That it ended by itself is told for this long [s].")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing input is a failure after this time [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.until_kmh >= self.from_kmh:
            raise ValueError("until_kmh must be below from_kmh (hysteresis)")
        if self.hands_picture_s >= self.hands_red_s:
            raise ValueError("hands_picture_s must be below hands_red_s: the picture comes first (R79 5.6.2.2.5)")
        for name, latest_s in (("hands_picture_s", HANDS_PICTURE_LATEST_S), ("hands_red_s", HANDS_RED_LATEST_S)):
            if getattr(self, name) + self.hands_hold_s >= latest_s:
                raise ValueError(
                    f"{name} and hands_hold_s together reach {latest_s:.0f} s (R79 5.6.2.2.5): hands may have been off "
                    "for that long; lower one of the two"
                )
        return self

    def table(self, category: str) -> tuple[tuple[float, float], ...]:
        """Upper end of each speed range [km/h] and the declared acceleration there."""
        return self.aysmax.steps() if category in ("M1", "N1") else self.aysmax_heavy.steps()
