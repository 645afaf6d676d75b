"""Parameters of the ego lane: every number with unit, range and text, set in a market file under `ego_lane`."""

from __future__ import annotations

from pydantic import Field, model_validator

from adas_runtime.config import Strict


class EgoLaneParams(Strict):
    """The one lane estimate. Widths, colours and what they mean are the market's facts, under `lanes`."""

    # which lines it believes
    confidence_min: float = Field(ge=0.0, le=1.0, description="Lines with less confidence are not used.")
    uncalibrated_confidence_min: float = Field(
        ge=0.0,
        le=1.0,
        description="Confidence that a line needs while the camera's geometry is an estimate (the greater holds).",
    )
    offset_std_max_m: float = Field(
        gt=0.0, le=2.0, description="Lines with a greater standard deviation of the offset are not used [m]."
    )
    extrapolation_max_m: float = Field(
        ge=0.0, le=30.0, description="A line may be extended this far back to the front axle [m]."
    )
    # how it follows them
    filter_s: float = Field(gt=0.0, le=1.0, description="Time constant of a line's place and drift [s].")
    slope_s: float = Field(gt=0.0, le=2.0, description="Time constant of a line's direction [s].")
    bend_s: float = Field(gt=0.0, le=5.0, description="Time constant of a line's curvature [s].")
    width_s: float = Field(gt=0.0, le=20.0, description="Time constant of the remembered lane width [s].")
    coast_s: float = Field(gt=0.0, le=2.0, description="A line that is not seen is carried on this long [s].")
    jump_m: float = Field(
        gt=0.05, le=2.0, description="A line that moves farther from one picture to the next is an outlier [m]."
    )
    jump_confirm_s: float = Field(
        gt=0.0, le=0.5, description="Outliers for this long mean that it is another line [s]."
    )
    # when one side is missing, or leads elsewhere
    one_side_s: float = Field(
        gt=0.0, le=60.0, description="Beside one line alone a function may steer for this long [s]."
    )
    one_side_m: float = Field(gt=0.0, le=2000.0, description="And this far; warnings go on [m].")
    one_side_factor: float = Field(ge=0.0, le=1.0, description="Share of a line's confidence that it has alone.")
    fork_grow_m: float = Field(
        gt=0.1, le=2.0, description="A lane that gets this much wider than it was forks or merges [m]."
    )
    fork_end_s: float = Field(
        gt=0.0, le=5.0, description="Both sides hold again after the width was as before for this long [s]."
    )
    fork_accept_s: float = Field(
        gt=0.0, le=20.0, description="Another width that stays for this long is the lane's from then on [s]."
    )
    exit_ahead_m: float = Field(
        ge=0.0, le=500.0, description="A slip road on the map's path this near tells the side at a fork [m]."
    )
    # what it may be used for
    steer_confidence_min: float = Field(
        ge=0.0, le=1.0, description="Confidence below which no function may steer by it."
    )
    narrow_confidence: float = Field(
        ge=0.0,
        le=1.0,
        description="Most that a lane as narrow as in works is believed where nothing tells of works.",
    )
    raised_confidence: float = Field(
        ge=0.0,
        le=1.0,
        description="Most that raised markers are believed where no painted line agrees with them.",
    )
    side_clearance_m: float = Field(
        ge=0.0,
        le=1.0,
        description="A lane with less room beside the mirrors, on each side, is too narrow to steer in [m].",
    )
    worn_share: float = Field(
        ge=0.0, le=1.0, description="Markings seen in less than this share of the pictures are worn or covered."
    )
    worn_s: float = Field(gt=0.0, le=60.0, description="Time constant of that share [s].")
    cold_k: float = Field(
        ge=250.0, le=290.0, description="Outside temperature up to which snow may be what covers them [K]."
    )
    # works and lane number
    works_hold_s: float = Field(
        ge=0.0, le=0.9, description="Works last this long after their last marking; white holds within 1 s [s]."
    )
    works_white_weight: float = Field(
        ge=0.0,
        le=1.0,
        description="Weight of a permanent line on the side where no works marking is seen, 0 where both are.",
    )
    lane_number_s: float = Field(
        ge=0.0, le=10.0, description="The lane's number must follow from the markings for this long [s]."
    )
    # emergency corridor (StVO 11(2)); the law names no number but walking pace
    corridor_from_kmh: float = Field(ge=1.0, le=30.0, description="Traffic slower than this is a jam [km/h].")
    corridor_after_s: float = Field(ge=0.0, le=10.0, description="For this long [s].")
    corridor_until_kmh: float = Field(ge=5.0, le=60.0, description="Faster than this the jam is over [km/h].")
    corridor_release_s: float = Field(ge=0.0, le=60.0, description="After this time [s].")
    corridor_shift_m: float = Field(ge=0.0, le=1.0, description="Wanted place beside the lane's centre [m].")
    corridor_room_m: float = Field(
        ge=0.1, le=1.0, description="The outer tyre edge stays this far inside the marking [m]."
    )
    shift_rate_mps: float = Field(gt=0.0, le=1.0, description="How fast the wanted place moves sideways [m/s].")

    @model_validator(mode="after")
    def _check(self) -> EgoLaneParams:
        if self.corridor_until_kmh <= self.corridor_from_kmh:
            raise ValueError("corridor_until_kmh must be above corridor_from_kmh (hysteresis)")
        if self.narrow_confidence >= self.steer_confidence_min:
            raise ValueError("narrow_confidence must be below steer_confidence_min: nobody steers in a doubtful lane")
        if self.jump_confirm_s >= self.coast_s:
            raise ValueError("jump_confirm_s must be below coast_s: a line is given up for another while it is carried")
        return self
