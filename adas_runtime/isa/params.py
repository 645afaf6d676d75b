"""Parameters of intelligent speed assistance; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

SHOW_WITHIN_S: Final = 2.0  # 2021/1958 Annex I, by a secondary source: a new limit is shown this long after its sign
SWITCH_BUTTON: Final = "isa"  # among `DriverInput.pressed`
MUTED_BY: Final = ("health",)  # whose critical alerts are no warning of the traffic

Feedback = Literal["acoustic", "vibration", "haptic", "speed_control", "information"]


class LegalFigure(Strict):
    """A figure that the law sets in a text that nobody here has read: provisional until a person has."""

    figure: float = Field(ge=0.0, le=120.0, description="The value in use, in the unit that the key's name gives.")
    legal_confirmed: bool = Field(
        description="A person has read the figure in the Official Journal; false keeps an EU market from a release."
    )


class IsaParams(Strict):
    """Intelligent speed assistance (EU 2021/1958) and, elsewhere, information on the speed limit."""

    feedback: Feedback = Field(
        description="acoustic, vibration: visual, then cascaded (3.5.2 a, b); haptic: through the accelerator pedal "
        "(3.5.2 c); speed_control: holds the car's propulsion (SCF); information: shows the limit and warns of nothing."
    )
    # --- figures of Annex I (isa.md: NF and U) ---
    cascade_after_s: LegalFigure = Field(description="The second stage follows the visual one after this time [s].")
    second_stage_max_s: LegalFigure = Field(description="The second stage ends after this time [s].")
    haptic_max_s: LegalFigure = Field(description="The pedal pushes back for this long [s].")
    rearm_below_kmh: LegalFigure = Field(description="A spent warning may come again this far below the limit [km/h].")
    speed_control_decel_max_mps2: LegalFigure = Field(description="Speed control slows no harder than this [m/s^2].")
    off_presses: LegalFigure = Field(description="Presses of the button that switch it off [1].")
    door_rule: bool = Field(
        description="Switched off it may stay off at the next start where the driver's door was not opened meanwhile."
    )
    door_rule_confirmed: bool = Field(description="A person has read that rule in the Official Journal.")
    # --- what it believes ---
    confidence_min: float = Field(ge=0.0, le=1.0, description="Signs with less confidence are not read.")
    map_confidence_min: float = Field(ge=0.0, le=1.0, description="Horizons with less confidence are not used.")
    map_age_max_days: float = Field(gt=0.0, le=3650.0, description="Older maps give no limits [days].")
    sightings_min: int = Field(ge=1, le=10, description="A sign is believed when it was seen this often.")
    hold_distance_m: float = Field(
        ge=100.0, le=50000.0, description="A sign that nothing confirms is dropped after this distance [m]."
    )
    hold_s: float = Field(ge=10.0, le=36000.0, description="The same, after this time [s].")
    variable_hold_distance_m: float = Field(
        ge=100.0, le=50000.0, description="A variable sign is dropped after this distance [m]."
    )
    variable_hold_s: float = Field(ge=10.0, le=36000.0, description="The same, after this time [s].")
    turn_deg: float = Field(ge=20.0, le=120.0, description="A change of heading that means another road [deg].")
    turn_within_m: float = Field(ge=10.0, le=200.0, description="Within this distance [m].")
    gather_m: float = Field(ge=5.0, le=100.0, description="Signs this near to each other stand together [m].")
    # --- the driver ---
    override_accelerator: float = Field(
        gt=0.0, le=1.0, description="Accelerator from which the driver overrides pedal force and speed control [1]."
    )
    override_rise: float = Field(
        gt=0.0, le=1.0, description="The same for a pedal pressed down by this much since the intervention began [1]."
    )
    speed_control_onset_kmh: float = Field(
        ge=0.0, le=10.0, description="Speed control begins this far below the limit [km/h]."
    )
    speed_control_gain_1ps: float = Field(gt=0.0, le=2.0, description="Acceleration asked for per speed error [1/s].")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing vehicle state is a failure after this [s].")
    abroad: tuple[str, ...] = Field(
        max_length=40, description="Markets whose rules it carries for the day it crosses a border, by file name."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.off_presses.figure not in (1.0, 2.0):
            raise ValueError("off_presses.figure must be 1 or 2; nobody finds a switch that wants more")
        return self
