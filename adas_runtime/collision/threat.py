"""Which road user we are about to hit, how soon, and when braking has to begin: one judgement per message of objects.

Each object is carried on at its speed to the moment when our front reaches it. Two ways of ours are looked at: the one
that the yaw rate draws, and the one along the lane. Where both lead into it, the collision is sure early; where only
the yaw rate does, a driver may still steer by, as at the entry of a bend with a wall behind it, so that only the last
second counts. Who comes towards us is judged by the lane alone: in a bend the straight line ahead points at everyone.
While we turn as tightly as at a junction, whoever moves is judged by the turn as well: see `turning`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adas_runtime.collision import turning
from adas_runtime.collision.brakes import Brakes
from adas_runtime.records import maker
from adas_runtime.signals import RADAR_ALONE, EgoLane, ObjectClass, TrackedObject, TrackedObjects
from adas_runtime.vehicle.schema import Vehicle

if TYPE_CHECKING:
    from adas_runtime.aeb.params import EmergencyBrakingParams

VULNERABLE: Final = (ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST)
WIDTHS_M: Final = {  # across the way that it goes, where nobody tells [D]
    ObjectClass.CAR: 1.8,
    ObjectClass.VAN: 2.0,
    ObjectClass.TRUCK: 2.5,
    ObjectClass.BUS: 2.5,
    ObjectClass.MOTORCYCLE: 0.8,
    ObjectClass.CYCLIST: 0.6,
    ObjectClass.PEDESTRIAN: 0.5,
    ObjectClass.TRAILER: 2.5,
}
LENGTHS_M: Final = {
    ObjectClass.CAR: 4.3,
    ObjectClass.VAN: 5.5,
    ObjectClass.TRUCK: 9.0,
    ObjectClass.BUS: 11.0,
    ObjectClass.MOTORCYCLE: 2.1,
    ObjectClass.CYCLIST: 1.8,
    ObjectClass.PEDESTRIAN: 0.5,
    ObjectClass.TRAILER: 8.0,
}
WIDTH_M: Final = 1.0  # of what is not known
STALE_S: Final = 0.35  # a track that was not told of for this long begins anew
JUMP_M: Final = 1.5  # from where its speed would have brought it: a jump, and it begins anew [D]
JUMP_SHARE: Final = 0.3  # and this share of the way that it went relative to us [D]
MOVING_MPS: Final = 1.5
ONCOMING_MPS: Final = -2.0
TURNING_MPS: Final = 3.0  # below this speed a yaw rate says nothing of the way ahead
ALONG_MPS: Final = 2.0  # drives our way: nobody who would meet us by our turning
HARD_MPS2: Final = -2.0
HARDEST_MPS2: Final = 9.0  # no road user brakes harder
CLOSING_MIN_MPS: Final = 0.3
LANE_CONFIDENCE: Final = 0.5
STD_MAX_M: Final = 1.0
FOLLOWED_S: Final = 4.7  # nobody is followed who is farther away in time than that, and 10 m
APPROACH_MPS: Final = 6.0  # at this speed of approach at least
COUNTED_MAX: Final = 1000
SMOOTH_S: Final = 0.15  # of speeds
PLACE_GAIN: Final = 0.35
STANDOFF_S: Final = 0.2
UNSURE: Final = 1.03  # brakes and speeds are known no better than that [D]
DECIDED_S: Final = 0.05  # messages come 20 times a second: the next one may be too late
STANDING_MPS: Final = 0.8  # slower is standing: noise of its speed would carry it into our way [D]
MISSED_S: Final = 0.15  # three messages
KEEP_M: Final = 0.5  # room beside our way that who is braked for has to leave [D]
LANE_REACH: Final = 1.1  # the lane's course goes on that many times as far as it was seen
WARN_PICTURES: Final = 2  # in the way in so many messages more than not
BRAKE_PICTURES: Final = 3
IN_TURN_MPS: Final = 1.5  # below this speed a turn is not told from noise of the yaw rate
IN_TURN_RPS: Final = 0.08  # who turns less is not at a junction [D]
CROSSING_MPS: Final = 2.0  # a vehicle that is slower may stop any moment
WALKING_MPS: Final = 0.7
COURSE_KNOWN_S: Final = 0.5  # before, nobody can say whether it follows a bend
COURSE_S: Final = 0.3  # of the rate of a course
ALONG_BEND: Final = 0.25  # of its speed across the lane's course: it follows the lane [D]
ALONG_LANE_M: Final = 0.8  # so near to the lane's course, our way follows the lane [D]
IN_WAY_MAX: Final = 5  # so many messages out of the way and it is no threat any more


@dataclass(frozen=True, slots=True)
class Track:
    """What is kept of one object.

    Args:
        item: As it was told last.
        stamp_s: When.
        x_m, along_mps, aside_mps, accel_mps2: Its place ahead, its speed along and across, its own acceleration along;
            smoothed, so that a spike of one message stops nobody.
        pictures: Messages in a row that it stood where its speed brought it.
        since_s: Since when.
        in_way: Messages with it in our way, less those without; at most IN_WAY_MAX.
        turn_rps: How fast its course over ground turns; 0 where it is slow, or we go straight on.
        y_m: Its place across, smoothed as well.
    """

    item: TrackedObject
    stamp_s: float
    x_m: float
    along_mps: float
    aside_mps: float
    accel_mps2: float
    pictures: int
    since_s: float
    has_moved: bool
    in_way: int
    turn_rps: float = 0.0
    y_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Threat:
    """Somebody whom we would hit.

    Args:
        gap_m: From our front [m].
        closing_mps: Speed of approach [m/s].
        ttc_s: Time to the collision as both go on [s].
        needed_mps2: Even braking that just avoids it, brakes' delay included [m/s^2].
        brake_in_s: Until full braking has to begin; negative: it is late [s].
        is_vulnerable: A pedestrian or a cyclist.
        is_contrary: The lane leads past it: the car would have to leave the lane.
        is_certain: It is in the way by more than its place is uncertain.
        may_brake: It was followed for long enough and by enough sensors.
        is_in_turn: We turn into its way; `gap_m` is our way until there.
    """

    object_id: int
    object_class: ObjectClass
    gap_m: float
    closing_mps: float
    ttc_s: float
    needed_mps2: float
    brake_in_s: float
    is_vulnerable: bool
    is_contrary: bool
    is_certain: bool
    may_brake: bool
    is_in_turn: bool = False


make_track = maker(Track)
make_threat = maker(Threat)
NO_TRACKS: Final[tuple[Track, ...]] = ()


class ThreatFinder:
    """Finds the gravest threat; keeps nothing: the tracks are handed in and out."""

    def __init__(self, params: EmergencyBrakingParams, vehicle: Vehicle, brakes: Brakes) -> None:
        size = vehicle.dimensions
        self._params = params
        self._brakes = brakes
        self._front_m = size.wheelbase_m + size.front_overhang_m
        self._half_m = 0.5 * size.width_m
        self._box = turning.Box(0.5 * size.length_m, self._half_m)
        self._bend_min_1pm = 1.0 / params.turn_radius_max_m
        self._steering, self._wheelbase_m = vehicle.steering, size.wheelbase_m

    def step(
        self,
        tracks: tuple[Track, ...],
        stamp_s: float,
        objects: TrackedObjects,
        lane: EgoLane | None,
        speed_mps: float,
        accel_mps2: float | None,
        yaw_rate_rps: float | None,
        now_s: float,
        *,
        wheel_rate_rps: float | None = None,
        target: int | None = None,
    ) -> tuple[tuple[Track, ...], Threat | None, float]:
        """The tracks after this moment, the gravest threat, and the stamp of the message that the tracks hold.

        Args:
            stamp_s: Of the message that `tracks` hold; one that comes out of order changes nothing.
            wheel_rate_rps: Of the steering wheel, left positive.
            target: The object that is braked for.
        """
        if yaw_rate_rps is None or not math.isfinite(yaw_rate_rps):
            yaw_rate_rps = 0.0
        is_new = objects.stamp_s > stamp_s or stamp_s > now_s
        if is_new:
            tracks, stamp_s = self.followed(tracks, objects, speed_mps, yaw_rate_rps), objects.stamp_s
        if not tracks:
            return tracks, None, stamp_s
        if lane is not None and not math.isfinite(lane.stamp_s + lane.heading_rad + lane.curvature_1pm):
            lane = None
        if accel_mps2 is None or not math.isfinite(accel_mps2):
            accel_mps2 = 0.0
        turn = None
        if abs(yaw_rate_rps) >= IN_TURN_RPS and speed_mps >= IN_TURN_MPS:
            # our own braking must not end what it is for
            turn = self.turn(speed_mps, accel_mps2 if target is None else 0.0, yaw_rate_rps, wheel_rate_rps)
        threat, tracks = self.find(
            tracks,
            lane,
            speed_mps,
            min(accel_mps2, 0.0),
            yaw_rate_rps,
            now_s,
            target,
            turn,
            is_new=is_new,
        )
        return tracks, threat, stamp_s

    def turn(
        self, speed_mps: float, accel_mps2: float, yaw_rate_rps: float, wheel_rate_rps: float | None
    ) -> turning.Turn | None:
        """Our way ahead where we turn as tightly as at a junction, else `None`."""
        curvature, rate = yaw_rate_rps / speed_mps, 0.0
        if wheel_rate_rps is not None and math.isfinite(wheel_rate_rps):
            steering = self._steering
            flat = self._wheelbase_m * (1.0 + steering.understeer_s2pm2 * speed_mps * speed_mps)
            rate = wheel_rate_rps / steering.ratio / flat
        if abs(curvature + turning.GROWS_S * rate) < self._bend_min_1pm:
            return None
        middle_m = self._front_m - self._box.along_m
        return turning.drawn(speed_mps, accel_mps2, curvature, rate, middle_m)

    def followed(
        self, old: tuple[Track, ...], objects: TrackedObjects, speed_mps: float, yaw_rate_rps: float = 0.0
    ) -> tuple[Track, ...]:
        """The tracks with a new message of objects in them; only of what is ahead.

        Args:
            yaw_rate_rps: Ours: places and speeds are told in a frame that turns with us.
        """
        former = {track.item.object_id: track for track in old}
        stamp_s, confidence_min = objects.stamp_s, self._params.confidence_min
        nearest_m, beyond_m = self._front_m - 1.0, self._front_m + 10.0
        found = []
        for item in objects.objects:
            x_m, along_mps, aside_mps = item.x_m, item.speed_x_mps, item.speed_y_mps
            if x_m < nearest_m or item.confidence < confidence_min:
                continue
            if x_m > beyond_m + FOLLOWED_S * max(speed_mps - along_mps, APPROACH_MPS) and (
                item.accel_x_mps2 is None or item.accel_x_mps2 > -1.0
            ):
                continue  # most of all: too far to matter for seconds
            track = former.pop(item.object_id, None)
            accel_mps2 = max(item.accel_x_mps2 or 0.0, -HARDEST_MPS2)
            moves = abs(along_mps) + abs(aside_mps) > MOVING_MPS
            pictures, since_s, has_moved, in_way, turn_rps, y_m = 1, stamp_s, moves, 0, 0.0, item.y_m
            if track is not None and 0.0 < stamp_s - track.stamp_s <= STALE_S:
                dt_s, last = stamp_s - track.stamp_s, track.item
                has_moved = moves or track.has_moved
                last_x_m, last_y_m, old_x_m, old_y_m = last.x_m, last.y_m, track.x_m, track.y_m
                old_along_mps, old_aside_mps = track.along_mps, track.aside_mps
                turned = yaw_rate_rps * dt_s
                if turned:  # to the axes of now
                    last_x_m, last_y_m = last_x_m + turned * last_y_m, last_y_m - turned * last_x_m
                    old_x_m, old_y_m = old_x_m + turned * old_y_m, old_y_m - turned * old_x_m
                    old_along_mps, old_aside_mps = (
                        old_along_mps + turned * old_aside_mps,
                        old_aside_mps - turned * old_along_mps,
                    )
                went_m = (0.5 * (along_mps + last.speed_x_mps) - speed_mps) * dt_s
                off_m = abs(x_m - last_x_m - went_m) + abs(item.y_m - last_y_m - aside_mps * dt_s)
                if off_m <= JUMP_M + JUMP_SHARE * abs(went_m):
                    pictures, since_s = min(track.pictures + 1, COUNTED_MAX), track.since_s
                    in_way = track.in_way
                    gain = dt_s / (SMOOTH_S + dt_s)
                    aside_mps = old_aside_mps + gain * (aside_mps - old_aside_mps)
                    accel_mps2 = track.accel_mps2 + gain * (accel_mps2 - track.accel_mps2)
                    expected_mps = old_along_mps + accel_mps2 * dt_s
                    along_mps = expected_mps + gain * (along_mps - expected_mps)
                    expected_m = old_x_m + (along_mps - speed_mps) * dt_s
                    x_m = expected_m + PLACE_GAIN * (x_m - expected_m)
                    expected_m = old_y_m + aside_mps * dt_s
                    y_m = expected_m + PLACE_GAIN * (y_m - expected_m)
                    if moves and (
                        turned or abs(aside_mps) > CROSSING_MPS
                    ):  # between two speeds, by their cross product
                        square = max(along_mps * along_mps + aside_mps * aside_mps, MOVING_MPS)
                        swung = (old_along_mps * aside_mps - old_aside_mps * along_mps) / square
                        turn_rps = track.turn_rps + dt_s / (COURSE_S + dt_s) * (swung / dt_s - track.turn_rps)
            else:
                accel_mps2 = 0.0
            found.append(
                make_track(
                    item,
                    stamp_s,
                    x_m,
                    along_mps,
                    aside_mps,
                    accel_mps2,
                    pictures,
                    since_s,
                    has_moved,
                    in_way,
                    turn_rps,
                    y_m,
                )
            )
        # a message without an object is no proof that it is gone
        found += [track for track in former.values() if 0.0 <= stamp_s - track.stamp_s <= MISSED_S]
        return tuple(found)

    def find(
        self,
        tracks: tuple[Track, ...],
        lane: EgoLane | None,
        speed_mps: float,
        accel_mps2: float,
        yaw_rate_rps: float,
        now_s: float,
        target: int | None,
        turn: turning.Turn | None,
        *,
        is_new: bool,
    ) -> tuple[Threat | None, tuple[Track, ...]]:
        """The threat that needs braking first, `None`: nobody is in the way; and the tracks, with who is in it.

        Args:
            turn: Our way ahead where we turn.
            target: The object that is braked for: it counts until it is clear of our way by a margin.
            is_new: A message of objects came since the last call.
        """
        params = self._params
        bend_1pm = yaw_rate_rps / speed_mps if speed_mps > TURNING_MPS else 0.0
        if lane is not None and not (lane.confidence >= LANE_CONFIDENCE and lane.edges):
            lane = None
        worst: Threat | None = None
        newest_s = max(track.stamp_s for track in tracks) if tracks else 0.0
        kept = []
        for track in tracks:
            item = track.item
            age_s = min(max(now_s - track.stamp_s, 0.0), STALE_S)
            closing_mps = speed_mps - track.along_mps
            gap_m = track.x_m - self._front_m - closing_mps * age_s
            braking_mps2 = track.accel_mps2 if track.accel_mps2 < -1.0 else 0.0
            ttc_s = max(gap_m, 0.0) / max(closing_mps, CLOSING_MIN_MPS)
            found = None
            if turn is not None and _crosses(track):
                found = self._met(
                    track, turn, lane, speed_mps, accel_mps2, age_s, is_target=item.object_id == target
                )  # fmt: skip
            elif (closing_mps >= CLOSING_MIN_MPS and ttc_s <= params.warn_ttc_max_s) or braking_mps2 < 0.0:
                found = self._judged(
                    track, lane, speed_mps, accel_mps2, bend_1pm, gap_m, ttc_s, braking_mps2,
                    age_s,
                    KEEP_M if item.object_id == target else 0.0,
                )  # fmt: skip
            in_way = track.in_way
            if is_new and track.stamp_s == newest_s:  # what a message misses it tells nothing of
                in_way = max(in_way - 1, 0) if found is None else min(in_way + 1, IN_WAY_MAX)
            if in_way != track.in_way:
                track = make_track(
                    item,
                    track.stamp_s,
                    track.x_m,
                    track.along_mps,
                    track.aside_mps,
                    track.accel_mps2,
                    track.pictures,
                    track.since_s,
                    track.has_moved,
                    in_way,
                    track.turn_rps,
                    track.y_m,
                )
            kept.append(track)
            if found is None or in_way < WARN_PICTURES or track.stamp_s - track.since_s < params.confirm_s:
                continue
            if worst is None or found.brake_in_s < worst.brake_in_s:
                worst = found
        return worst, tuple(kept)

    def _judged(
        self,
        track: Track,
        lane: EgoLane | None,
        speed_mps: float,
        accel_mps2: float,
        bend_1pm: float,
        gap_m: float,
        ttc_s: float,
        braking_mps2: float,
        age_s: float,
        keep_m: float,
    ) -> Threat | None:
        params, item = self._params, track.item
        x_m, along_mps, aside_mps = track.x_m, track.along_mps, track.aside_mps
        if abs(along_mps) + abs(aside_mps) < STANDING_MPS:
            aside_mps = 0.0
        then_s = min(ttc_s, params.warn_ttc_max_s)
        is_along = along_mps > ALONG_MPS and along_mps > abs(aside_mps)
        is_crossing = abs(aside_mps) > abs(along_mps)
        size_m = item.length_m if is_crossing else item.width_m
        if size_m is None:
            size_m = (LENGTHS_M if is_crossing else WIDTHS_M).get(item.object_class, WIDTH_M)
        room_m = self._half_m + 0.5 * size_m + keep_m
        std_m = min(math.hypot(item.y_std_m, item.speed_x_std_mps * then_s), STD_MAX_M)
        # its place across our way when we reach it; of who drives our way, from where it is now
        at_m = x_m if is_along else self._front_m + speed_mps * then_s
        then_m = item.y_m + aside_mps * (then_s + age_s)
        slope_mps = along_mps * then_s if is_along else 0.0
        bend_m = bend_1pm * at_m * (0.5 * at_m + slope_mps)
        by_path_m = room_m - abs(then_m - bend_m)
        is_oncoming = along_mps < ONCOMING_MPS and -along_mps > abs(aside_mps)
        by_lane_m = None
        if lane is not None and x_m <= LANE_REACH * lane.x_max_m:
            heading, curvature, rate = lane.heading_rad, lane.curvature_1pm, lane.curvature_rate_1pm2
            if along_mps < ONCOMING_MPS and item.object_class not in VULNERABLE:
                slope = heading + x_m * (curvature + 0.5 * x_m * rate)
                drift_mps = (aside_mps - slope * along_mps) / math.sqrt(1.0 + slope * slope)
                if abs(drift_mps) < -ALONG_BEND * along_mps:  # it follows the bend towards us, as far beside us
                    beside_m = item.y_m - x_m * (heading + x_m * (0.5 * curvature + x_m * rate / 6.0))
                    if abs(beside_m + drift_mps * then_s) > room_m:
                        return None
            way_m = at_m * (heading + at_m * (0.5 * curvature + at_m * rate / 6.0))
            way_m += (heading + at_m * (curvature + 0.5 * at_m * rate)) * slope_mps
            by_lane_m = room_m - abs(then_m - way_m)
        elif not is_along:  # the wheel may go back, as at the end of a lane change
            by_path_m = min(by_path_m, room_m - abs(then_m - 0.5 * bend_m))
        if by_path_m <= 0.0 or (is_oncoming and (by_lane_m is None or by_lane_m <= 0.0)):
            return None
        is_oblique = is_crossing and along_mps < ONCOMING_MPS and item.object_class not in VULNERABLE
        if is_oblique and track.stamp_s - track.since_s < COURSE_KNOWN_S:
            return None
        if not is_along and abs(track.turn_rps) >= turning.TURNING_RPS and item.object_class not in VULNERABLE:
            # across our way as far as it goes straight on, but it follows a bend
            way = turning.drawn(speed_mps, 0.0, bend_1pm, 0.0, self._front_m - self._box.along_m).ways
            other = self._other(track, math.hypot(along_mps, aside_mps), 0.0)
            if turning.touch_s(way, self._box, other, track.turn_rps) is None:
                return None
        # past it, or not seen as far as that yet
        is_contrary = by_lane_m <= 0.0 if by_lane_m is not None else lane is not None and not is_along
        if by_lane_m is None:
            ttc_max_s = params.sure_ttc_max_s if is_along else params.unsure_ttc_max_s
        else:
            ttc_max_s = params.contrary_ttc_max_s if is_contrary else params.sure_ttc_max_s
        closing_mps = speed_mps - along_mps
        reach_mps = max(closing_mps, CLOSING_MIN_MPS)
        needed_m = self._brakes.needed_gap_m(speed_mps, accel_mps2, max(along_mps, 0.0), braking_mps2)
        if is_oncoming:  # we can take away our own speed alone
            needed_m += -along_mps * (speed_mps / self._brakes.decel_mps2 + self._brakes.delay_s)
        standoff_m = min(params.standoff_m, STANDOFF_S * reach_mps)  # in a queue people close up to less
        if braking_mps2 < 0.0:  # where it will stand is as sure as its speed is
            standoff_m += 0.5 * item.speed_x_std_mps * max(along_mps, 0.0) / -braking_mps2
        brake_in_s = (gap_m - standoff_m - UNSURE * needed_m) / reach_mps - DECIDED_S
        if not is_along or braking_mps2 > HARD_MPS2:
            # who brakes hard ahead of us is no matter of time to collision: at one speed there is none to reckon
            brake_in_s = max(brake_in_s, ttc_s - ttc_max_s)
        left_m = max(gap_m - 0.5 * standoff_m - reach_mps * self._brakes.delay_s, 0.1)
        return make_threat(
            object_id=item.object_id,
            object_class=item.object_class,
            gap_m=gap_m,
            closing_mps=closing_mps,
            ttc_s=ttc_s,
            needed_mps2=reach_mps * reach_mps / (2.0 * left_m) - braking_mps2,
            brake_in_s=brake_in_s,
            is_vulnerable=item.object_class in VULNERABLE,
            is_contrary=is_contrary,
            is_certain=by_path_m > params.certain_std * std_m,
            may_brake=self._may_brake(track),
        )

    def _may_brake(self, track: Track) -> bool:
        """It was followed for long enough and by enough sensors."""
        sources = track.item.sources
        enough = self._params.confirm_pictures if len(sources) >= 2 else self._params.confirm_single
        is_radar_alone = sources == RADAR_ALONE and not track.has_moved  # a bridge, a manhole cover
        return track.pictures >= enough and track.in_way >= BRAKE_PICTURES - 1 and not is_radar_alone

    def _met(
        self,
        track: Track,
        turn: turning.Turn,
        lane: EgoLane | None,
        speed_mps: float,
        accel_mps2: float,
        age_s: float,
        *,
        is_target: bool,
    ) -> Threat | None:
        """Whoever moves and whom our turn leads into; braked for at the last moment that leaves him his way."""
        item, params = track.item, self._params
        along_mps, aside_mps = track.along_mps, track.aside_mps
        own_mps = math.hypot(along_mps, aside_mps)
        is_walking = item.object_class is ObjectClass.PEDESTRIAN
        other = self._other(track, own_mps, 0.0)
        found = turning.meeting(turn, self._box, other, is_walking=is_walking, is_braked_for=is_target)
        if found is None or (lane is not None and self._follows(turn, lane, found)):
            return None
        gap_m = found.entry_m - speed_mps * age_s
        standoff_m = min(params.standoff_m, STANDOFF_S * speed_mps)
        needed_m = self._brakes.needed_gap_m(speed_mps, accel_mps2, 0.0, 0.0)
        left_m = gap_m - standoff_m - UNSURE * needed_m
        if gap_m < needed_m and not found.is_ahead and not is_target:
            return None  # too late to leave it its way, and it would hit our flank: the sooner we are past, the better
        brake_in_s = max(left_m / speed_mps - DECIDED_S, gap_m / speed_mps - params.unsure_ttc_max_s)
        if found.is_from_inside and not is_target:
            brake_in_s = max(brake_in_s, found.touch_s - age_s - params.contrary_ttc_max_s)
        slim = self._other(track, own_mps, params.certain_std * math.hypot(item.x_std_m, item.y_std_m))
        return make_threat(
            object_id=item.object_id,
            object_class=item.object_class,
            gap_m=gap_m,
            closing_mps=speed_mps,
            ttc_s=min(max(found.touch_s - age_s, 0.0), params.warn_ttc_max_s),
            needed_mps2=speed_mps
            * speed_mps
            / (2.0 * max(gap_m - 0.5 * standoff_m - speed_mps * self._brakes.delay_s, 0.1)),
            brake_in_s=brake_in_s,
            is_vulnerable=item.object_class in VULNERABLE,
            is_contrary=True,
            is_certain=turning.entry_m(turn.ways, self._box, slim) is not None,
            may_brake=found.is_sure
            and self._may_brake(track)
            and (is_walking or track.stamp_s - track.since_s >= COURSE_KNOWN_S),
            is_in_turn=True,
        )

    def _other(self, track: Track, own_mps: float, less_m: float) -> turning.Other:
        """A track as one that moves, smaller by so much on each side."""
        item = track.item
        along_mps, aside_mps = track.along_mps, track.aside_mps
        long_m = item.length_m if item.length_m is not None else LENGTHS_M.get(item.object_class, WIDTH_M)
        wide_m = item.width_m if item.width_m is not None else WIDTHS_M.get(item.object_class, WIDTH_M)
        # `x_m` is the nearest point of the box
        middle_m = track.x_m + 0.5 * (long_m * abs(along_mps) + wide_m * abs(aside_mps)) / own_mps
        accel_mps2 = track.accel_mps2 * along_mps / own_mps
        box = turning.Box(max(0.5 * long_m - less_m, 0.05), max(0.5 * wide_m - less_m, 0.05))
        return turning.Other(
            middle_m, track.y_m, math.atan2(aside_mps, along_mps), own_mps,
            accel_mps2 if accel_mps2 < -1.0 else 0.0, track.turn_rps, box,
        )  # fmt: skip

    def _follows(self, turn: turning.Turn, lane: EgoLane, found: turning.Meeting) -> bool:
        """Whether the lane bends as we do, past the other one."""
        pose = min(turn.ways, key=lambda pose: abs(pose[4] - found.entry_m))
        x_m = min(pose[0], LANE_REACH * lane.x_max_m)
        at = min(turn.ways, key=lambda pose: abs(pose[0] - x_m))
        way_m = x_m * (lane.heading_rad + x_m * (0.5 * lane.curvature_1pm + x_m * lane.curvature_rate_1pm2 / 6.0))
        return abs(at[1] - way_m) < ALONG_LANE_M


def _crosses(track: Track) -> bool:
    """Whether it moves, and not our way: nobody who stands or drives ahead of us is judged by our turn."""
    along_mps, aside_mps = abs(track.along_mps), abs(track.aside_mps)
    least_mps = WALKING_MPS if track.item.object_class is ObjectClass.PEDESTRIAN else CROSSING_MPS
    return along_mps + aside_mps >= least_mps and not (track.along_mps > ALONG_MPS and along_mps > aside_mps)
