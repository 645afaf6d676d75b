"""Which road user is the car ahead: the nearest one whose body reaches into the way of ours, along the lane's curve.

Each object that could matter carries a share between 0 and 1 that says how surely it is in the way. It rises while the
object's side is inside the corridor that our car needs, and falls while it is outside; enough of it makes a lead, and
much less ends one. So a ghost of one picture never brakes the car, a car that changes lanes is let go at one time and
not at five, and the nearer a thing is, the sooner it counts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.longitudinal.following import Lead
from adas_runtime.records import maker
from adas_runtime.signals import RADAR_ALONE, EgoLane, ObjectClass, TrackedObject, TrackedObjects
from adas_runtime.vehicle.schema import Vehicle

BESIDE_M: Final = 0.15  # room beside our car that another one takes from us when it comes nearer [D]
LEAVE_M: Final = 0.35  # beyond it before it counts as gone [D]
NEAR_M: Final = 40.0
RISE_NEAR_S: Final = 0.25  # until a thing in the way counts, at up to NEAR_M
RISE_FAR_S: Final = 0.6  # at twice the range of the lane and more: a curve that is not seen yet turns there
FALL_S: Final = 0.5
ENTER: Final = 0.9
EXIT: Final = 0.25
CONFIDENCE_MIN: Final = 0.3
STALE_S: Final = 0.5  # an object that was not told of for this long begins anew
RANGE_MAX_M: Final = 250.0
SIDE_MAX_M: Final = 12.0  # farther from the straight line ahead nothing is looked at, curves aside
ONCOMING_MPS: Final = -2.0  # faster towards us than this is oncoming traffic, no car ahead
MOVING_MPS: Final = 2.0  # whatever was once as fast is a road user, no bridge and no manhole cover
RADAR_ALONE_M: Final = 40.0  # farther away, what only a radar saw and never moved is not braked for in comfort
CUT_IN_AHEAD_S: Final = 1.0  # a car that comes into our way within this time counts already
CUT_IN_SPEED_MPS: Final = 0.35  # of its side movement along the lane
CUT_IN_WITHIN_M: Final = 80.0
SLOW_MPS: Final = 3.0  # below this speed a yaw rate says nothing of the way ahead
WIDTHS_M: Final = {
    ObjectClass.CAR: 1.8,
    ObjectClass.VAN: 2.0,
    ObjectClass.TRUCK: 2.5,
    ObjectClass.BUS: 2.5,
    ObjectClass.MOTORCYCLE: 0.8,
    ObjectClass.CYCLIST: 0.7,
    ObjectClass.PEDESTRIAN: 0.6,
    ObjectClass.TRAILER: 2.5,
}
WIDTH_M: Final = 1.6  # of what is not known
TOUCH_M: Final = 1.0  # behind our front: what touches us is ahead still


@dataclass(frozen=True, slots=True)
class Track:
    """What is kept of one object.

    Args:
        share: 0 to 1: how surely it is in the way.
        is_lead: It counts as in the way.
        has_moved: It was once faster than `MOVING_MPS`, while a track of it was kept.
    """

    object_id: int
    stamp_s: float
    share: float
    is_lead: bool
    has_moved: bool


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    stamp_s: float = -math.inf
    tracks: tuple[Track, ...] = ()
    lead: Lead | None = None
    is_cutting_in: bool = False


make_lead = maker(Lead)
make_track = maker(Track)
make_memory = maker(Memory)


class LeadChooser:
    """Chooses the car ahead. Its distance is bumper to bumper: to the nearest point, a boat's stern and not its lamps.

    Without a lane it looks along the path that the yaw rate draws, and no farther than `NEAR_M` at low speed.
    """

    def __init__(self, vehicle: Vehicle) -> None:
        self.state = Memory()
        size = vehicle.dimensions
        self._front_m = size.wheelbase_m + size.front_overhang_m
        self._half_m = size.width_m / 2.0

    def step(
        self,
        objects: TrackedObjects | None,
        lane: EgoLane | None,
        speed_mps: float,
        yaw_rate_rps: float | None,
        now_s: float,
    ) -> Lead | None:
        """The car ahead, `None`: none. Total over all inputs; the same objects twice change nothing but their age."""
        old = self.state
        if objects is None or not math.isfinite(objects.stamp_s):
            return self._aged(old.lead, old.stamp_s, now_s)
        if objects.stamp_s == old.stamp_s:
            return self._aged(old.lead, old.stamp_s, now_s)
        dt_s = objects.stamp_s - old.stamp_s
        former = {track.object_id: track for track in old.tracks} if 0.0 < dt_s < STALE_S else {}
        dt_s = min(max(dt_s, 0.0), 0.2)
        if lane is not None and lane.confidence > 0.0 and lane.x_max_m > 0.0:
            way = (lane.offset_m, lane.heading_rad, lane.curvature_1pm, lane.curvature_rate_1pm2, lane.x_max_m)
        else:
            bend = 0.0
            if yaw_rate_rps is not None and math.isfinite(yaw_rate_rps) and speed_mps > SLOW_MPS:
                bend = yaw_rate_rps / speed_mps
            way = (0.0, 0.0, bend, 0.0, NEAR_M)
        offset_m, heading, bend, rate, range_m = way
        half_bend, sixth_rate = 0.5 * bend, rate / 6.0
        front_m, half_m = self._front_m - TOUCH_M, self._half_m
        tracks: list[Track] = []
        best: TrackedObject | None = None
        best_x_m, best_slope, is_cutting_in = RANGE_MAX_M, 0.0, False
        for item in objects.objects:
            x_m = item.x_m
            if x_m <= front_m or x_m > RANGE_MAX_M or item.speed_x_mps < ONCOMING_MPS:
                continue
            if x_m <= range_m:
                slope = heading + x_m * (bend + 0.5 * x_m * rate)  # `middle_of`, of most of them
                away_m = item.y_m - offset_m - x_m * (heading + x_m * (half_bend + x_m * sixth_rate))
            else:
                centre_m, slope = middle_of(way, x_m)
                away_m = item.y_m - centre_m
            aside_mps = item.speed_y_mps - slope * item.speed_x_mps
            if away_m < 0.0:
                beside_m, towards_mps = -away_m, aside_mps
            else:
                beside_m, towards_mps = away_m, -aside_mps
            if not beside_m <= SIDE_MAX_M or not item.confidence >= CONFIDENCE_MIN:
                continue
            # between its side and ours
            free_m = beside_m - (item.width_m or WIDTHS_M.get(item.object_class, WIDTH_M)) / 2.0 - half_m
            comes_in = (
                towards_mps > CUT_IN_SPEED_MPS
                and x_m < CUT_IN_WITHIN_M
                and free_m - towards_mps * CUT_IN_AHEAD_S < BESIDE_M
            )
            track = former.get(item.object_id) if former else None
            is_in = free_m < BESIDE_M or comes_in
            is_radar_alone = item.sources == RADAR_ALONE
            if track is None and not is_in and not is_radar_alone:
                continue  # most of all: somebody in another lane
            moved = item.speed_x_mps > MOVING_MPS or (track is not None and track.has_moved)
            is_lead = track is not None and track.is_lead
            share = 0.0 if track is None else track.share
            if is_in or (is_lead and free_m < LEAVE_M):
                far = min(max((x_m - NEAR_M) / max(2.0 * range_m - NEAR_M, 1.0), 0.0), 1.0)
                share = min(share + dt_s / (RISE_NEAR_S + (RISE_FAR_S - RISE_NEAR_S) * far), 1.0)
            else:
                share = max(share - dt_s / FALL_S, 0.0)
            is_lead = share >= ENTER - 1e-9 or (is_lead and share > EXIT)
            if is_lead and is_radar_alone and not moved and x_m - self._front_m > RADAR_ALONE_M:
                is_lead = False
            if share > 0.0 or (moved and is_radar_alone):
                tracks.append(make_track(item.object_id, objects.stamp_s, share, is_lead, moved))
            if is_lead and x_m < best_x_m:
                best, best_x_m, best_slope = item, x_m, slope
                is_cutting_in = comes_in and free_m >= BESIDE_M
        lead = None
        if best is not None:
            # along the lane; the square of its slope bends the speed by less than a percent up to 8 degrees
            speed = best.speed_x_mps + best_slope * best.speed_y_mps
            lead = make_lead(
                object_id=best.object_id,
                gap_m=max(best.x_m - self._front_m, 0.0),
                speed_mps=speed,
                accel_mps2=best.accel_x_mps2,
                age_s=max(now_s - objects.stamp_s, 0.0),
            )
        self.state = make_memory(objects.stamp_s, tuple(tracks), lead, is_cutting_in)
        return lead

    def _aged(self, lead: Lead | None, stamp_s: float, now_s: float) -> Lead | None:
        if lead is None:
            return None
        return make_lead(
            object_id=lead.object_id,
            gap_m=lead.gap_m,
            speed_mps=lead.speed_mps,
            accel_mps2=lead.accel_mps2,
            age_s=max(now_s - stamp_s, 0.0),
        )


def middle_of(way: tuple[float, float, float, float, float], x_m: float) -> tuple[float, float]:
    """Lateral place of a way's centre [m] and its slope at `x_m`; beyond its range the curvature there is carried on.

    `way`: offset, heading, curvature, its rate, and the range that these hold for.
    """
    offset_m, heading, bend, rate, range_m = way
    range_m = min(range_m, x_m)
    slope = heading + range_m * (bend + 0.5 * range_m * rate)
    centre_m = offset_m + range_m * (heading + range_m * (0.5 * bend + range_m * rate / 6.0))
    bend += range_m * rate
    rest_m = x_m - range_m
    return centre_m + rest_m * (slope + 0.5 * bend * rest_m), slope + bend * rest_m
