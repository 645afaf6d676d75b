"""Parameters of the drowsiness and distraction warnings; every value stands in the market file, none here."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

# --- bounds of the law; what we ship lies inside ---
DISTRACTION_FROM_KMH: Final = 20.0  # 2023/2590 1-3.1.1
FAST_FROM_KMH: Final = 50.0  # 2023/2590 1-3.3.2.1
FAST_LATEST_S: Final = 3.5  # 2023/2590 1-3.3.2.1
SLOW_LATEST_S: Final = 6.0  # 2023/2590 1-3.3.2.2
NON_NOMINAL_MOST_S: Final = 1.5  # 2023/2590 1-3.3.2.1, 1-3.3.2.2
TOLERANCE_LEAST_S: Final = 0.05  # 2023/2590 1-3.3.2.4
CALIBRATION_MOST_S: Final = 60.0  # 2023/2590 1-3.1.1
AREA_1_DEG: Final = 55.0  # 2023/2590 1-3.3.1
AREA_2_MARGIN_DEG: Final = 10.0  # 2023/2590 1-3.3.1
AREA_3_DOWN_DEG: Final = 30.0  # 2023/2590 1-3.3.1
DROWSINESS_FROM_KMH: Final = 70.0  # 2021/1341 1-3.1.4
DROWSINESS_UNTIL_KMH: Final = 65.0  # 2021/1341 1-3.1.5
LEARNING_MOST_S: Final = 300.0  # 2021/1341 1-3.1.6
WARN_LEAST_SCORE: Final = 7.0  # 2021/1341 1-3.3.1: it may warn at 7
WARN_LATEST_SCORE: Final = 8.0  # 2021/1341 1-3.3.1
PAUSE_MOST_S: Final = 900.0  # 2021/1341 1-3.1.3

DISTRACTION_BUTTON: Final = "distraction"  # names among `DriverInput.pressed`
DROWSINESS_BUTTON: Final = "drowsiness"

Zone = Literal[
    "road", "mirror_left", "mirror_right", "mirror_centre", "instruments", "centre_stack", "lap", "passenger"
]
Grade = Annotated[float, Field(ge=0.0, le=1e4)]


class Window(Strict):
    """A windscreen or side window as the driver sees it from the eye point: a box in angles."""

    from_deg: float = Field(ge=-180.0, le=180.0, description="Its right edge, left positive [deg].")
    to_deg: float = Field(ge=-180.0, le=180.0, description="Its left edge [deg].")
    down_deg: float = Field(
        ge=-30.0, le=45.0, description="Its lower edge below the horizon; the law's margin of 10 comes on top [deg]."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.from_deg >= self.to_deg:
            raise ValueError("from_deg must be below to_deg: right edge first, left positive")
        return self


class CameraParams(Strict):
    """When the driver camera's word counts."""

    confidence_min: float = Field(ge=0.0, le=1.0, description="A word with less confidence is none.")
    frozen_s: float = Field(
        gt=0.0, le=3.0, description="A picture number that stands still for longer is a frozen camera [s]."
    )
    blind_s: float = Field(
        gt=1.0, le=120.0, description="Nothing to judge for so long while driving is a failure: no light, no view [s]."
    )
    fault_after_s: float = Field(
        gt=0.0, le=10.0, description="A missing or covered camera is a failure after this [s]."
    )


class DistractionParams(Strict):
    """Distraction warning (EU 2023/2590)."""

    from_kmh: float = Field(gt=0.0, le=DISTRACTION_FROM_KMH, description="It warns from this speed on [km/h].")
    until_kmh: float = Field(
        gt=0.0, le=DISTRACTION_FROM_KMH, description="A warning goes on down to this speed [km/h]."
    )
    warn_fast_s: float = Field(
        gt=0.5, le=FAST_LATEST_S, description="It warns after this time in area 3, from 50 km/h on [s]."
    )
    warn_slow_s: float = Field(gt=0.5, le=SLOW_LATEST_S, description="The same below 50 km/h [s].")
    non_nominal_s: float = Field(
        ge=0.0,
        le=NON_NOMINAL_MOST_S,
        description="So much later where the camera says that the eyes are hard to see [s].",
    )
    tolerance_s: float = Field(
        ge=TOLERANCE_LEAST_S, le=1.0, description="A look out of area 3 that is shorter resets nothing [s]."
    )
    unknown_hold_s: float = Field(
        ge=TOLERANCE_LEAST_S, le=3.0, description="The timer runs on through so much time that cannot be judged [s]."
    )
    calibration_s: float = Field(
        ge=0.0, le=CALIBRATION_MOST_S, description="It learns straight ahead for this long, from 20 km/h on [s]."
    )
    calibration_max_deg: float = Field(
        ge=0.0, le=15.0, description="A gaze farther from straight ahead teaches nothing, nor moves it farther [deg]."
    )
    road_down_deg: float = Field(
        ge=0.0, le=5.0, description="Drivers who look at the road look this far below the horizon [deg]."
    )
    windows: tuple[Window, ...] = Field(max_length=8, description="Windscreen and side windows: area 2.")
    zones: tuple[Zone, ...] = Field(description="Area 3 where the camera tells a zone and no angles.")
    head_down_deg: float = Field(
        ge=5.0, le=45.0, description="Area 3 for a head that is so far down, where no gaze is known [deg]."
    )
    escalate_s: float = Field(gt=0.0, le=10.0, description="The warning becomes more urgent after this time [s].")
    warn_min_s: float = Field(ge=0.0, le=3.0, description="A warning lasts at least this long [s].")
    is_acoustic: bool = Field(description="The warning sounds.")
    is_haptic: bool = Field(description="The warning is felt.")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.until_kmh > self.from_kmh:
            raise ValueError("until_kmh must not be above from_kmh (hysteresis)")
        if self.warn_fast_s > self.warn_slow_s:
            raise ValueError("warn_fast_s must not be above warn_slow_s")
        if not (self.is_acoustic or self.is_haptic):
            raise ValueError("is_acoustic or is_haptic must be true (2023/2590 1-3.4.1.1)")
        return self


class Scale(Strict):
    """How a figure tells of sleepiness, on the Karolinska scale: steps between which it is straight."""

    at: tuple[Grade, ...] = Field(min_length=2, max_length=6, description="Values of the figure, rising.")
    score: tuple[Annotated[float, Field(ge=1.0, le=9.0)], ...] = Field(
        min_length=2, max_length=6, description="What each tells, 1 alert to 9 fighting sleep; never falling."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(self.at) != len(self.score):
            raise ValueError("at and score must have as many items")
        if any(b <= a for a, b in zip(self.at, self.at[1:], strict=False)):
            raise ValueError("at must rise")
        if any(b < a for a, b in zip(self.score, self.score[1:], strict=False)):
            raise ValueError("score must not fall")
        return self


class EyeParams(Strict):
    """What the eyes tell."""

    closed_below: float = Field(gt=0.0, lt=0.5, description="Eyes count as closed below this openness.")
    open_above: float = Field(gt=0.0, lt=1.0, description="And as open again above this one.")
    down_deg: float = Field(
        ge=5.0, le=45.0, description="Lids hang over a gaze that is farther down: they tell nothing then [deg]."
    )
    window_s: float = Field(ge=20.0, le=300.0, description="PERCLOS and blinks are counted over this time [s].")
    known_min: float = Field(gt=0.0, le=1.0, description="Least part of it in which the eyes must be seen.")
    long_closure_s: float = Field(ge=0.3, le=1.5, description="A closure from this length on is no blink [s].")
    microsleep_s: float = Field(ge=0.8, le=3.0, description="A closure of this length is warned of at once [s].")
    gap_s: float = Field(gt=0.0, le=1.0, description="Openness is not carried over a longer gap [s].")
    perclos: Scale = Field(description="Part of the time with closed eyes.")
    closures_per_min: Scale = Field(description="Long closures a minute.")
    blink_s: Scale = Field(description="Mean length of blinks [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.closed_below >= self.open_above:
            raise ValueError("closed_below must be below open_above (hysteresis)")
        if self.long_closure_s >= self.microsleep_s:
            raise ValueError("long_closure_s must be below microsleep_s")
        return self


class DrivingParams(Strict):
    """What steering and lane keeping tell, beside the driver's own normal in this drive."""

    sample_s: float = Field(ge=0.05, le=0.5, description="Steering is sampled in this period [s].")
    window_s: float = Field(ge=30.0, le=600.0, description="Time constant of the present figures [s].")
    still_rate_rps: float = Field(gt=0.0, le=0.5, description="A wheel slower than this stands still [rad/s].")
    still_s: float = Field(
        ge=0.2, le=5.0, description="A correction follows a wheel that stood still for this long [s]."
    )
    jerk_rate_rps: float = Field(gt=0.0, le=5.0, description="And is faster than this [rad/s].")
    reversal_rad: float = Field(gt=0.0, le=0.5, description="A reversal turns the wheel by at least this [rad].")
    bend_accel_mps2: float = Field(
        gt=0.0, le=5.0, description="Steering in a bend tells nothing: faster lateral acceleration [m/s^2]."
    )
    manoeuvre_s: float = Field(
        ge=0.0, le=60.0, description="Nor do indicators and strong steering, and this long after them [s]."
    )
    manoeuvre_rad: float = Field(gt=0.0, le=3.0, description="Strong: the wheel turned from straight by this [rad].")
    corrections: Scale = Field(description="Corrections after a still wheel a minute, over the driver's normal.")
    entropy: Scale = Field(description="Steering entropy, over the driver's normal.")
    reversals: Scale = Field(description="Reversals a minute, over the driver's normal.")
    wander: Scale = Field(description="Standard deviation of the place in the lane, over the driver's normal.")


class PriorParams(Strict):
    """What hour and time on task add; never enough for a warning by itself."""

    night_from_h: float = Field(ge=0.0, lt=24.0, description="Night begins, local time [h].")
    night_until_h: float = Field(ge=0.0, lt=24.0, description="Night ends [h].")
    night: float = Field(ge=0.0, le=1.0, description="Added to the score by night.")
    task_from_s: float = Field(ge=0.0, le=36000.0, description="Driving without a pause adds from here on [s].")
    task_full_s: float = Field(ge=60.0, le=72000.0, description="And all of it after this [s].")
    task: float = Field(ge=0.0, le=1.0, description="Added to the score then.")
    pause_s: float = Field(ge=60.0, le=7200.0, description="Standing for so long is a pause [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.task_from_s >= self.task_full_s:
            raise ValueError("task_from_s must be below task_full_s")
        return self


class RestoreParams(Strict):
    """When warnings that the driver switched off come back (2021/1341 1-3.1.3)."""

    rule: Literal["each_start", "door", "pause"] = Field(
        description="each_start: at every start; door: where the driver's door was opened meanwhile; pause: where it "
        "was off for longer than `pause_s`."
    )
    pause_s: float = Field(gt=0.0, le=PAUSE_MOST_S, description="See `rule` [s].")
    legal_confirmed: bool = Field(
        description="A person has read how the two exceptions are meant in the official text."
    )


class DrowsinessParams(Strict):
    """Drowsiness warning (EU 2021/1341)."""

    from_kmh: float = Field(
        ge=30.0, le=DROWSINESS_FROM_KMH, description="It works from this speed on, when getting faster [km/h]."
    )
    until_kmh: float = Field(ge=20.0, le=DROWSINESS_UNTIL_KMH, description="And until below this speed [km/h].")
    learning_s: float = Field(
        ge=30.0, lt=LEARNING_MOST_S, description="It learns how this driver steers for this long at least [s]."
    )
    eyes: EyeParams = Field(description="Eyes.")
    driving: DrivingParams = Field(description="Steering and lane.")
    prior: PriorParams = Field(description="Hour and time on task.")
    rise_s: float = Field(gt=0.0, le=120.0, description="Time constant of a rising score [s].")
    fall_s: float = Field(gt=0.0, le=600.0, description="Time constant of a falling score [s].")
    inform_score: float = Field(ge=5.0, le=WARN_LATEST_SCORE, description="It informs from this score on.")
    warn_score: float = Field(ge=WARN_LEAST_SCORE, le=WARN_LATEST_SCORE, description="It warns from this score on.")
    clear_score: float = Field(ge=1.0, le=7.5, description="Below this score driving has improved: the warning ends.")
    escalate_s: float = Field(
        gt=0.0, le=120.0, description="A warning that is not acknowledged becomes more urgent after this [s]."
    )
    urgent_max_s: float = Field(gt=0.0, le=300.0, description="And sounds for this long at most [s].")
    repeat_s: float = Field(ge=30.0, le=3600.0, description="Who stays drowsy is warned again after this time [s].")
    is_acoustic: bool = Field(description="The warning sounds.")
    is_haptic: bool = Field(description="The warning is felt.")
    alert_period_s: float = Field(gt=0.0, le=1.0, description="A warning is sent again in this period [s].")
    fault_after_s: float = Field(gt=0.0, le=10.0, description="A missing vehicle state is a failure after this [s].")
    no_cue_s: float = Field(
        ge=10.0, lt=LEARNING_MOST_S, description="Neither eyes nor steering nor lane for so long is a failure [s]."
    )
    restore: RestoreParams = Field(description="After being switched off.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.until_kmh > self.from_kmh:
            raise ValueError("until_kmh must not be above from_kmh (hysteresis)")
        if not self.clear_score < self.inform_score <= self.warn_score:
            raise ValueError("clear_score must be below inform_score, and that not above warn_score")
        if not (self.is_acoustic or self.is_haptic):
            raise ValueError("is_acoustic or is_haptic must be true (2021/1341 1-3.4)")
        return self


class DriverMonitoringParams(Strict):
    """Drowsiness and distraction."""

    camera: CameraParams = Field(description="The driver camera, for both.")
    distraction: DistractionParams = Field(description="Distraction.")
    drowsiness: DrowsinessParams = Field(description="Drowsiness.")
