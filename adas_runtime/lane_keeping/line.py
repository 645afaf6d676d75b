"""Where the front tyre stands against a painted line, and how fast it drifts towards it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.lane_keeping.params import LaneDepartureParams
from adas_runtime.records import maker
from adas_runtime.signals import LaneBoundary, LaneSide, MarkingType

RATE_MAX_MPS: Final = 5.0  # lateral speed of a car in its lane never is; bounds the filter against absurd input


@dataclass(frozen=True, slots=True)
class Line:
    """One line, followed over pictures.

    Args:
        distance_m: DTLM at `stamp_s`: inner edge of the marking to the outer tyre edge, positive inside [m].
        rate_mps: Its change; negative towards the line [m/s].
        stamp_s: Stamp of the last measurement that was taken [s].
        since_s: Stamp of the first one [s].
        outlier_since_s: First of the outliers since then, `None` without.
        was_inside: The tyre was inside the lane since the line is followed; without it nothing was departed from.
        width_m: Painted width [m].
        curvature_1pm: Curvature of the line, left positive [1/m].
    """

    distance_m: float
    rate_mps: float
    stamp_s: float
    since_s: float
    outlier_since_s: float | None
    was_inside: bool
    width_m: float
    curvature_1pm: float

    def distance_at(self, now_s: float) -> float:
        """DTLM now, so that the age of the picture costs no warning time [m]."""
        age_s = now_s - self.stamp_s
        return self.distance_m + self.rate_mps * (0.0 if age_s < 0.0 else age_s)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One line in one picture."""

    distance_m: float
    width_m: float
    curvature_1pm: float


make_line = maker(Line)
make_measurement = maker(Measurement)


def measure(
    boundary: LaneBoundary,
    wheelbase_m: float,
    tyre_outer_width_m: float,
    params: LaneDepartureParams,
) -> Measurement | None:
    """Perpendicular distance from the outer front tyre edge to the inner edge of the marking (ELKS K3).

    Returns:
        `None` where the line was not seen near enough to the front axle, or its numbers are not finite.
    """
    if boundary.x_min_m - wheelbase_m > params.extrapolation_max_m or boundary.x_max_m <= wheelbase_m:
        return None
    slope = boundary.slope(wheelbase_m)
    offset_m = boundary.offset_m(wheelbase_m)
    if boundary.side is LaneSide.RIGHT:
        offset_m = -offset_m
    if boundary.type is MarkingType.ROAD_EDGE:
        width_m = 0.0
    elif boundary.width_m is None:
        width_m = params.line_width_m
    else:
        width_m = boundary.width_m
    distance_m = (offset_m - 0.5 * tyre_outer_width_m) / math.sqrt(1.0 + slope * slope) - 0.5 * width_m
    curvature_1pm = 2.0 * boundary.c2_1pm
    if not math.isfinite(distance_m + width_m + curvature_1pm):
        return None
    return make_measurement(distance_m, width_m, curvature_1pm)


def follow(
    line: Line | None,
    measured: Measurement,
    stamp_s: float,
    params: LaneDepartureParams,
) -> Line:
    """The line after one more picture: a critically damped g-h filter, so a steady drift has no lag.

    A jump is held back until it lasts: one bad picture must not warn, a lane change must be followed.
    `stamp_s` is later than `line.stamp_s`; the caller drops what is repeated or out of order.
    """
    is_inside = measured.distance_m >= params.warn_at_dtlm_m
    if line is None or stamp_s - line.stamp_s > params.track_gap_s:
        return make_line(
            measured.distance_m,
            0.0,
            stamp_s,
            stamp_s,
            None,
            is_inside,
            measured.width_m,
            measured.curvature_1pm,
        )
    dt_s = stamp_s - line.stamp_s
    predicted_m = line.distance_m + line.rate_mps * dt_s
    residual_m = measured.distance_m - predicted_m
    if abs(residual_m) > params.jump_m:
        outlier_since_s = stamp_s if line.outlier_since_s is None else line.outlier_since_s
        if stamp_s - outlier_since_s >= params.jump_confirm_s:
            return make_line(
                measured.distance_m,
                0.0,
                stamp_s,
                stamp_s,
                None,
                is_inside,
                measured.width_m,
                measured.curvature_1pm,
            )
        return make_line(
            line.distance_m,
            line.rate_mps,
            line.stamp_s,
            line.since_s,
            outlier_since_s,
            line.was_inside,
            line.width_m,
            line.curvature_1pm,
        )
    fade = math.exp(-dt_s / params.filter_s)
    distance_m = predicted_m + (1.0 - fade * fade) * residual_m
    rate_mps = line.rate_mps + (1.0 - fade) * (1.0 - fade) * residual_m / dt_s
    return make_line(
        distance_m,
        min(max(rate_mps, -RATE_MAX_MPS), RATE_MAX_MPS),
        stamp_s,
        line.since_s,
        None,
        line.was_inside or distance_m >= params.warn_at_dtlm_m,
        measured.width_m,
        measured.curvature_1pm,
    )
