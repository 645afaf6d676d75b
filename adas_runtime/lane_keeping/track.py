"""One lane line, followed over pictures: carried on by the car's own motion, corrected by what is seen."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.records import maker
from adas_runtime.signals import LaneBoundary, LaneSide, MarkingColour, MarkingType

RATE_MAX_MPS: Final = 5.0  # lateral speed of a car in its lane never is; bounds the filter against absurd input
PUSH_MAX_MPS2: Final = 4.0  # lateral acceleration against the lane, likewise
SLOPE_MAX: Final = 1.0
BEND_MAX_1PM: Final = 0.1
BEND_RATE_MAX_1PM2: Final = 0.01


@dataclass(frozen=True, slots=True)
class Seen:
    """One boundary in one picture, at the front axle.

    Args:
        side: Side that perception gives it.
        y_m: Its centre, left positive [m].
        slope, bend_1pm, bend_rate_1pm2: Direction, curvature and its change along the line.
        paint_m: Painted width, 0 for an edge without paint [m].
        far_m: Farthest x that was seen, from the rear axle [m].
    """

    side: LaneSide
    y_m: float
    slope: float
    bend_1pm: float
    bend_rate_1pm2: float
    paint_m: float
    type: MarkingType
    colour: MarkingColour
    confidence: float
    far_m: float


@dataclass(frozen=True, slots=True)
class Track:
    """A line at the time of the last picture.

    Args:
        y_m, slope, bend_1pm, bend_rate_1pm2: Place and shape at the front axle.
        rate_mps: Change of `y_m`, left positive [m/s].
        seen_s: Stamp of the last picture that showed it.
        odd_since_s: First of the outliers since then, `None` without.
        paint_m, type, colour, confidence, far_m: As seen; confidence smoothed.
    """

    y_m: float
    rate_mps: float
    slope: float
    bend_1pm: float
    bend_rate_1pm2: float
    seen_s: float
    odd_since_s: float | None
    paint_m: float
    type: MarkingType
    colour: MarkingColour
    confidence: float
    far_m: float


make_seen = maker(Seen)
make_track = maker(Track)


def _within(value: float, most: float) -> float:
    return most if value > most else -most if value < -most else value


def look(boundary: LaneBoundary, axle_m: float, paint_m: float, extrapolation_max_m: float) -> Seen | None:
    """The boundary at the front axle; `None` where it was seen too far away, or its numbers are not finite.

    Args:
        boundary: From perception, in the vehicle frame.
        axle_m: Front axle ahead of the rear axle [m].
        paint_m: Width of a painted line where perception does not tell it [m].
        extrapolation_max_m: A line may be extended this far back [m].
    """
    if boundary.x_min_m - axle_m > extrapolation_max_m or boundary.x_max_m <= axle_m:
        return None
    c2, c3 = boundary.c2_1pm, boundary.c3_1pm2
    y_m = boundary.c0_m + axle_m * (boundary.c1 + axle_m * (c2 + axle_m * c3))
    slope = boundary.c1 + axle_m * (2.0 * c2 + 3.0 * axle_m * c3)
    bend_1pm = 2.0 * c2 + 6.0 * axle_m * c3
    if not math.isfinite(y_m + slope + bend_1pm + boundary.confidence):
        return None
    width_m = boundary.width_m
    form = boundary.type
    return make_seen(
        boundary.side,
        y_m,
        _within(slope, SLOPE_MAX),
        _within(bend_1pm, BEND_MAX_1PM),
        _within(6.0 * c3, BEND_RATE_MAX_1PM2),
        0.0 if form is MarkingType.ROAD_EDGE else paint_m if width_m is None else width_m,
        form,
        boundary.colour,
        boundary.confidence,
        boundary.x_max_m,
    )


def carried(track: Track, distance_m: float, turn_rad: float, push_mps2: float, dt_s: float) -> Track:
    """The line as it must look after the car's own motion, before anything is seen.

    Args:
        track: At the former picture.
        distance_m, turn_rad: Driven since then, and turned left.
        push_mps2: Lateral acceleration of the line in the car's frame: v^2 curvature - v yaw rate [m/s^2].
        dt_s: Time since then [s].
    """
    return make_track(
        _within(track.y_m + dt_s * (track.rate_mps + 0.5 * push_mps2 * dt_s), 50.0),
        _within(track.rate_mps + push_mps2 * dt_s, RATE_MAX_MPS),
        _within(track.slope + track.bend_1pm * distance_m - turn_rad, SLOPE_MAX),
        _within(track.bend_1pm + track.bend_rate_1pm2 * distance_m, BEND_MAX_1PM),
        track.bend_rate_1pm2,
        track.seen_s,
        track.odd_since_s,
        track.paint_m,
        track.type,
        track.colour,
        track.confidence,
        track.far_m,
    )


def begun(seen: Seen, stamp_s: float, rate_mps: float) -> Track:
    """A line that is followed from now on; lines of one road share their drift, so it starts with a neighbour's."""
    return make_track(
        seen.y_m,
        rate_mps,
        seen.slope,
        seen.bend_1pm,
        seen.bend_rate_1pm2,
        stamp_s,
        None,
        seen.paint_m,
        seen.type,
        seen.colour,
        seen.confidence,
        seen.far_m,
    )


def corrected(
    track: Track, seen: Seen, stamp_s: float, dt_s: float, keep: float, keep_slope: float, keep_bend: float
) -> Track:
    """The carried line after it was seen: a critically damped g-h filter for place and drift.

    Args:
        track: Carried to this picture.
        seen: What the picture shows.
        stamp_s: Its stamp.
        dt_s: Time since the former picture [s].
        keep, keep_slope, keep_bend: exp(-dt / time constant) of place, direction and curvature.
    """
    residual_m = seen.y_m - track.y_m
    new, new_slope, new_bend = 1.0 - keep, 1.0 - keep_slope, 1.0 - keep_bend
    return make_track(
        track.y_m + (1.0 - keep * keep) * residual_m,
        _within(track.rate_mps + new * new * residual_m / dt_s, RATE_MAX_MPS),
        track.slope + new_slope * (seen.slope - track.slope),
        track.bend_1pm + new_bend * (seen.bend_1pm - track.bend_1pm),
        track.bend_rate_1pm2 + new_bend * (seen.bend_rate_1pm2 - track.bend_rate_1pm2),
        stamp_s,
        None,
        seen.paint_m,
        seen.type,
        seen.colour,
        track.confidence + new_slope * (seen.confidence - track.confidence),
        seen.far_m,
    )
