"""What steering and lane keeping tell of sleepiness, beside the driver's own normal in this drive.

Sleepy drivers leave the wheel alone and then correct in jerks: more corrections after a still wheel, more errors of a
driver's own prediction (steering entropy), wider and rarer reversals, more wander in the lane. All of that differs more
between people and roads than between an alert and a sleepy driver: only the change within one drive tells something.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, isfinite, log, sqrt
from typing import Final

from adas_runtime.driver_monitoring.params import DrivingParams
from adas_runtime.driver_monitoring.scales import grader
from adas_runtime.records import maker, replacer
from adas_runtime.signals import EgoLane, Indicator, VehicleState

BINS: Final = (-5.0, -2.5, -1.0, -0.5, 0.5, 1.0, 2.5, 5.0)  # of prediction errors, in units of their 90th percentile
BIN_COUNT: Final = len(BINS) + 1
ALPHA_LEAST_RAD: Final = 2e-4  # below the sensor's step
QUANTILE: Final = 0.9
QUANTILE_STEP: Final = 0.02  # relative, of the running quantile
MOVE_S: Final = 0.4  # a correction reaches its rate within this time after the wheel began to move
LANE_STEP_M: Final = 1.0  # more from one lane to the next is another lane
FULL: Final = 0.6  # weight that a running mean needs before it is read
# A driver who was sleepy from the start must not become the measure: no normal is calmer or wilder than these.
NORMAL: Final = {
    "corrections": (2.0, 8.0),  # 1/min
    "reversals": (4.0, 40.0),  # 1/min
    "entropy": (0.40, 0.75),
    "wander": (0.12, 0.25),  # m
}


@dataclass(frozen=True, slots=True)
class Figures:
    """The present figures, or the driver's normal.

    Args:
        corrections_ps, reversals_ps: Running rates [1/s].
        entropy: Steering entropy, 0 to 1.
        wander_m: Standard deviation of the place in the lane.
    """

    corrections_ps: float = 0.0
    reversals_ps: float = 0.0
    entropy: float = 0.0
    wander_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Driving:
    """What is kept of steering and lane.

    Args:
        sampled_s: When steering was sampled last.
        angles_rad: The last three wheel angles, the newest first.
        still_s: How long the wheel has stood still.
        moved_s: Time since a still wheel began to move, until it is a correction or not; `None`: nothing pending.
        extreme_rad: Angle from which a reversal is counted.
        turning: 1 to the left, -1 to the right, 0 not known.
        quiet_s: When the last manoeuvre was: nothing tells anything until `manoeuvre_s` later.
        alpha_rad: Running 90th percentile of the prediction error.
        bins: Running shares of the errors' bins.
        corrections_ps, reversals_ps: Running rates.
        weight: How much of the window steering fills.
        lane_m, lane_var_m2, lane_weight: Running mean and variance of the place in the lane.
        lane_stamp_s: Stamp of the last lane.
        steered_s: Time that steering has been judged for.
        lane_s: Time that the lane has been judged for.
        normal: The driver's own, once learned.
        has_lane: The normal holds the lane too.
        corrections, reversals: How many there were.
    """

    sampled_s: float | None = None
    angles_rad: tuple[float, ...] = ()
    still_s: float = 0.0
    moved_s: float | None = None
    extreme_rad: float = 0.0
    turning: int = 0
    quiet_s: float = -1e9
    alpha_rad: float = 0.01
    bins: tuple[float, ...] = (0.0,) * BIN_COUNT
    corrections_ps: float = 0.0
    reversals_ps: float = 0.0
    weight: float = 0.0
    lane_m: float = 0.0
    lane_var_m2: float = 0.0
    lane_weight: float = 0.0
    lane_stamp_s: float | None = None
    steered_s: float = 0.0
    lane_s: float = 0.0
    normal: Figures | None = None
    has_lane: bool = False
    corrections: int = 0
    reversals: int = 0


make_driving = maker(Driving)
driving_with = replacer(Driving)
make_figures = maker(Figures)
FRESH: Final = Driving()


class DrivingReader:
    """Follows steering and lane keeping while the driver, and nobody else, does both."""

    def __init__(self, params: DrivingParams, learning_s: float) -> None:
        self._params = params
        self._learning_s = learning_s
        self._corrections = grader(params.corrections)
        self._reversals = grader(params.reversals)
        self._entropy = grader(params.entropy)
        self._wander = grader(params.wander)

    def step(
        self,
        old: Driving,
        vehicle: VehicleState,
        lane: EgoLane | None,
        indicator: Indicator,
        now_s: float,
        *,
        is_counting: bool,
    ) -> Driving:
        """With what is known now.

        Args:
            is_counting: The car is in its range of speed and nobody else steers.
        """
        params = self._params
        if old.sampled_s is not None and 0.0 <= now_s - old.sampled_s < params.sample_s - 1e-6:
            return old
        angle_rad = vehicle.steering_wheel_angle_rad
        quiet_s = old.quiet_s
        if not is_counting:
            return self._pause(old, now_s, quiet_s)
        yaw_rate_rps = vehicle.yaw_rate_rps
        if (
            indicator is not Indicator.OFF
            or (angle_rad is not None and not abs(angle_rad) < params.manoeuvre_rad)
            or (yaw_rate_rps is not None and not abs(yaw_rate_rps * vehicle.speed_mps) < params.bend_accel_mps2)
        ):
            quiet_s = now_s
        if now_s - quiet_s < params.manoeuvre_s or old.sampled_s is None or now_s - old.sampled_s > 5 * params.sample_s:
            return self._pause(old, now_s, quiet_s)
        dt_s = now_s - old.sampled_s
        keep = exp(-dt_s / params.window_s)
        lane_m, lane_var_m2, lane_weight, lane_stamp_s, lane_s = self._placed(old, lane, keep, dt_s)
        if angle_rad is None or not isfinite(angle_rad):
            return driving_with(
                old,
                sampled_s=now_s,
                angles_rad=(),
                still_s=0.0,
                moved_s=None,
                turning=0,
                quiet_s=quiet_s,
                corrections_ps=old.corrections_ps * keep,
                reversals_ps=old.reversals_ps * keep,
                weight=old.weight * keep,
                lane_m=lane_m,
                lane_var_m2=lane_var_m2,
                lane_weight=lane_weight,
                lane_stamp_s=lane_stamp_s,
                lane_s=lane_s,
            )
        angles = old.angles_rad
        rate_rps = (angle_rad - angles[0]) / dt_s if angles else 0.0
        speed = abs(rate_rps)
        still_s, moved_s, is_correction = old.still_s, old.moved_s, False
        if speed < params.still_rate_rps:
            still_s, moved_s = still_s + dt_s, None
        else:
            if still_s >= params.still_s:
                moved_s = 0.0
            elif moved_s is not None:
                moved_s = moved_s + dt_s if moved_s + dt_s <= MOVE_S else None
            still_s = 0.0
            if moved_s is not None and speed >= params.jerk_rate_rps:
                is_correction, moved_s = True, None
        extreme_rad, turning, is_reversal = old.extreme_rad, old.turning, False
        if turning == 0:
            if not angles:
                extreme_rad = angle_rad
            elif abs(angle_rad - extreme_rad) >= params.reversal_rad:
                turning = 1 if angle_rad > extreme_rad else -1
                extreme_rad = angle_rad
        elif (angle_rad - extreme_rad) * turning >= 0.0:
            extreme_rad = angle_rad
        elif abs(angle_rad - extreme_rad) >= params.reversal_rad:
            turning, extreme_rad, is_reversal = -turning, angle_rad, True
        alpha_rad, bins = old.alpha_rad, old.bins
        if len(angles) == 3:
            one, two, three = angles
            error = angle_rad - (2.5 * one - 2.0 * two + 0.5 * three)  # second-order Taylor of the last three
            if old.normal is None:
                step = QUANTILE_STEP * (QUANTILE if abs(error) > alpha_rad else QUANTILE - 1.0)
                alpha_rad = max(alpha_rad * (1.0 + step), ALPHA_LEAST_RAD)
            place, scaled = 0, error / alpha_rad
            for edge in BINS:
                if scaled < edge:
                    break
                place += 1
            bins = tuple([share * keep + (1.0 - keep if index == place else 0.0) for index, share in enumerate(bins)])
        rate = (1.0 - keep) / dt_s
        corrections_ps = old.corrections_ps * keep + (rate if is_correction else 0.0)
        reversals_ps = old.reversals_ps * keep + (rate if is_reversal else 0.0)
        weight = old.weight * keep + 1.0 - keep
        steered_s = old.steered_s + dt_s
        normal, has_lane = old.normal, old.has_lane
        if (normal is None and steered_s >= self._learning_s) or (
            normal is not None and not has_lane and lane_s >= self._learning_s
        ):
            has_lane = lane_s >= 0.8 * self._learning_s
            if normal is None:
                normal = make_figures(
                    _within("corrections", corrections_ps / weight * 60.0) / 60.0,
                    _within("reversals", reversals_ps / weight * 60.0) / 60.0,
                    _within("entropy", _entropy(bins)),
                    _within("wander", sqrt(lane_var_m2)) if has_lane else 0.0,
                )
            elif has_lane:
                normal = make_figures(
                    normal.corrections_ps, normal.reversals_ps, normal.entropy, _within("wander", sqrt(lane_var_m2))
                )
        return make_driving(
            now_s,
            (angle_rad, *angles[:2]),
            still_s,
            moved_s,
            extreme_rad,
            turning,
            quiet_s,
            alpha_rad,
            bins,
            corrections_ps,
            reversals_ps,
            weight,
            lane_m,
            lane_var_m2,
            lane_weight,
            lane_stamp_s,
            steered_s,
            lane_s,
            normal,
            has_lane,
            old.corrections + is_correction,
            old.reversals + is_reversal,
        )

    def figures(self, driving: Driving) -> Figures | None:
        """The present figures; `None`: steering has not been seen for long enough."""
        if driving.weight < FULL:
            return None
        return make_figures(
            driving.corrections_ps / driving.weight,
            driving.reversals_ps / driving.weight,
            _entropy(driving.bins),
            sqrt(driving.lane_var_m2) if driving.lane_weight >= FULL else 0.0,
        )

    def score(self, driving: Driving, figures: Figures | None) -> float | None:
        """Sleepiness by steering and lane; `None`: not known.

        Of the three figures of steering the middle one counts, so that no single one warns; the lane is as good as all
        of steering. Without a lane steering alone says no more than 8.
        """
        normal = driving.normal
        if normal is None or figures is None:
            return None
        scores = sorted(
            (
                self._corrections(figures.corrections_ps / normal.corrections_ps),
                self._entropy(figures.entropy / normal.entropy),
                self._reversals(figures.reversals_ps / normal.reversals_ps),
            )
        )
        if driving.has_lane and driving.lane_weight >= FULL:
            return 0.5 * (scores[1] + self._wander(figures.wander_m / normal.wander_m))
        return min(scores[1], 8.0)

    def _pause(self, old: Driving, now_s: float, quiet_s: float) -> Driving:
        """Nothing is judged now; what was learned stays."""
        return driving_with(
            old,
            sampled_s=now_s,
            angles_rad=(),
            still_s=0.0,
            moved_s=None,
            turning=0,
            quiet_s=quiet_s,
            lane_stamp_s=None,
        )

    def _placed(
        self, old: Driving, lane: EgoLane | None, keep: float, dt_s: float
    ) -> tuple[float, float, float, float | None, float]:
        """Running mean, variance and weight of the place in the lane, stamp, time."""
        mean, variance, weight, stamp_s, lane_s = (
            old.lane_m,
            old.lane_var_m2,
            old.lane_weight,
            old.lane_stamp_s,
            old.lane_s,
        )
        if lane is None or not lane.edges or not isfinite(lane.offset_m) or lane.stamp_s == stamp_s:
            return mean, variance, weight * keep, stamp_s, lane_s
        offset_m = lane.offset_m
        if weight == 0.0:
            return offset_m, 0.0, 1.0 - keep, lane.stamp_s, dt_s
        if abs(offset_m - mean) > LANE_STEP_M:  # another lane, or a slip: the mean goes there, the spread stays
            return offset_m, variance, weight * keep, lane.stamp_s, lane_s
        share = (1.0 - keep) / (weight * keep + 1.0 - keep)
        step = offset_m - mean
        variance = (1.0 - share) * (variance + share * step * step)
        return mean + share * step, variance, weight * keep + 1.0 - keep, lane.stamp_s, lane_s + dt_s


def _within(name: str, value: float) -> float:
    low, high = NORMAL[name]
    return min(max(value, low), high)


def _entropy(bins: tuple[float, ...]) -> float:
    """Entropy of the shares, 1 for even ones."""
    total = sum(bins)
    if total <= 0.0:
        return 0.0
    found = 0.0
    for share in bins:
        if share > 1e-9:
            found -= share / total * log(share / total)
    return found / log(BIN_COUNT)
