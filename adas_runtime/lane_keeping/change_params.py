"""Parameters of the automatic lane change (UN R79 ACSF category C); every value stands in the market file."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

BUTTON: Final = "lane_change"  # among `DriverInput.pressed`: on and off
CONFIRM_BUTTON: Final = "lane_change_confirm"  # the second action, where the market chooses it

LATERAL_FROM_S: Final = 1.0  # R79 5.6.4.6.4: no movement to the side before, from the indicator on
START_FROM_S: Final = 3.0  # R79 5.6.4.6.4.1, 5.6.4.6.4.2: the manoeuvre starts
START_LATEST_S: Final = 5.0  # R79 5.6.4.6.4.1: by itself
START_CONFIRMED_LATEST_S: Final = 7.0  # R79 5.6.4.6.4.2: after the second action
CONFIRM_LATEST_S: Final = 5.0  # R79 5.6.4.6.4.2, 5.6.4.6.8.1(g)
START_AFTER_CONFIRM_S: Final = 3.0
MANOEUVRE_LATEST_S: Final = 5.0  # R79 5.6.4.6.5: M1, N1
MANOEUVRE_LATEST_HEAVY_S: Final = 10.0
INDICATOR_OFF_LATEST_S: Final = 0.5  # R79 5.6.4.6.7: after lane centring resumed
HANDS_PICTURE_LATEST_S: Final = 3.0  # R79 5.6.4.5.6
LATERAL_ACCEL_LAW_MPS2: Final = 1.0  # R79 5.6.4.4: on top of the curve's
APPROACH_LAW_KMH: Final = 130.0  # R79 5.6.4.8.1.4


class AutomaticLaneChangeParams(Strict):
    """Automatic lane change: one lane to the side, begun by the driver's indicator (ACSF C)."""

    method: Literal["automatic", "confirmed"] = Field(
        description="automatic: the indicator alone begins it; confirmed: the button `lane_change_confirm` has to "
        "follow (R79 5.6.4.6.4.1, 5.6.4.6.4.2). A car has one of the two."
    )
    lateral_from_s: float = Field(
        ge=LATERAL_FROM_S, le=3.0, description="No movement to the side before, from the indicator on [s]."
    )
    start_from_s: float = Field(
        ge=START_FROM_S,
        lt=START_LATEST_S,
        description="The front tyre is to reach the marking no sooner than this, from the indicator on [s].",
    )
    start_latest_s: float = Field(
        gt=START_FROM_S,
        lt=START_LATEST_S,
        description="And no later than this, without a second action; else it is suppressed [s].",
    )
    start_confirmed_latest_s: float = Field(
        gt=START_FROM_S, lt=START_CONFIRMED_LATEST_S, description="And no later than this, with a second action [s]."
    )
    confirm_latest_s: float = Field(
        gt=0.0, le=CONFIRM_LATEST_S, description="The second action counts until this time [s]."
    )
    start_after_confirm_s: float = Field(
        gt=0.0,
        lt=START_AFTER_CONFIRM_S,
        description="The front tyre is to reach the marking within this time of the second action [s].",
    )
    lateral_accel_mps2: float = Field(
        ge=0.4, le=LATERAL_ACCEL_LAW_MPS2, description="Lateral acceleration of the movement, on top of the curve's."
    )
    line_mps: float = Field(
        ge=0.2,
        le=1.0,
        description="Speed to the side with which the tyre comes to the marking: called off there, the car needs room "
        "to stop, and the less the slower it is [m/s].",
    )
    line_most_mps: float = Field(
        ge=0.2, le=1.0, description="The same where a late gap or a wide lane leaves no time for that [m/s]."
    )
    return_accel_mps2: float = Field(
        ge=0.5,
        le=2.0,
        description="Lateral acceleration on the way back into the own lane, before the manoeuvre: firmer, so that "
        "less of the car gets over the line; the total stays within lane centring's [m/s^2].",
    )
    approach_kmh: float = Field(
        ge=80.0,
        le=APPROACH_LAW_KMH,
        description="Who is not seen yet may come this fast: 130, or the country's general limit below it [km/h].",
    )
    rear_margin_m: float = Field(ge=0.0, le=20.0, description="Room behind beyond the critical gap [m].")
    front_gap_s: float = Field(ge=0.5, le=5.0, description="Gap to the vehicle ahead in the other lane [s].")
    beside_m: float = Field(ge=0.5, le=10.0, description="Room kept free beside, ahead of and behind the car [m].")
    hands_picture_s: float = Field(
        ge=0.0,
        lt=HANDS_PICTURE_LATEST_S,
        description="Hands off for this long before the manoeuvre: hands and wheel are shown [s].",
    )
    indicator_off_s: float = Field(
        ge=0.0,
        lt=INDICATOR_OFF_LATEST_S,
        description="The indicator goes off this long after lane centring resumed [s].",
    )
    # the road (R79 5.6.4.2.3)
    camera_confirm_s: float = Field(
        gt=0.0, le=120.0, description="The camera has to see a broken line to another lane for this long [s]."
    )
    clear_s: float = Field(
        gt=0.0, le=120.0, description="And nobody on foot or a cycle, and no oncoming traffic near, for this long [s]."
    )
    sign_hold_m: float = Field(
        gt=0.0, le=1e6, description="A motorway's or expressway's sign counts for this way, or until its end [m]."
    )
    road_lost_s: float = Field(
        ge=0.0, le=30.0, description="Where the road is not proven any more for this long, it switches off [s]."
    )
    # rear sensing (R79 5.6.4.8.3, 5.6.4.8.4)
    blind_after: int = Field(
        ge=1,
        le=20,
        description="So many vehicles came up from behind unseen: the sensors are blind until one is seen far away.",
    )
    # the rest
    coast_s: float = Field(
        ge=0.0, le=3.0, description="Where the lane is lost on the way, it steers on by its plan for this long [s]."
    )
    told_s: float = Field(ge=1.0, le=10.0, description="That it was suppressed is told for this long [s].")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing input is a failure after this time [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.start_latest_s <= self.start_from_s or self.start_confirmed_latest_s <= self.start_from_s:
            raise ValueError("start_latest_s and start_confirmed_latest_s must be above start_from_s")
        if self.line_most_mps < self.line_mps:
            raise ValueError("line_most_mps must be line_mps or more")
        return self

    @property
    def latest_s(self) -> float:
        """Latest start of the manoeuvre, from the indicator on [s]."""
        return self.start_latest_s if self.method == "automatic" else self.start_confirmed_latest_s

    @property
    def law_latest_s(self) -> float:
        """The same, as the law says it [s]."""
        return START_LATEST_S if self.method == "automatic" else START_CONFIRMED_LATEST_S


def manoeuvre_latest_s(category: str) -> float:
    """Longest manoeuvre of a vehicle (R79 5.6.4.6.5) [s]."""
    return MANOEUVRE_LATEST_S if category in ("M1", "N1") else MANOEUVRE_LATEST_HEAVY_S
