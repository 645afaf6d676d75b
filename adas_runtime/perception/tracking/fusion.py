"""Two sensors, one list: which of the radar's bodies is which of the supplier's objects, and what is told of each.

A body and an object that fit in place and speed are one road user. Its numbers are then, each for itself, those of the
sensor that knows better, by covariance intersection: a supplier may have used this very radar, so that the two may
share their errors. Several bodies may be one object, as many reflections are one truck.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Final

from adas_runtime.perception.tracking.motion import surer
from adas_runtime.perception.tracking.params import TrackingParams
from adas_runtime.perception.tracking.radar import ALONE, IN_LINE_M, NOBODY, Echo, Tie, make_echo, tie_with
from adas_runtime.perception.tracking.supplier import Told, bounded, coasted, make_told, with_changes
from adas_runtime.records import maker
from adas_runtime.signals import MAX_OBJECTS, RADAR_ALONE, SPEED_MAX_MPS, ObjectClass, TrackedObject

SEEN_S: Final = 0.5  # of `TrackedObject.sources`
SURE_LISTS: Final = 3  # so many lists in which both sensors agree, and the object carries both [D]
KEEP: Final = 2.0  # of the gate: what belonged together stays together a little longer [D]
CORNER_M: Final = 1.0  # a reflection may lie this far outside of a body's corners [D]
FACE_M: Final = 2.0  # a reflection this near is the face that is told of [D]
LENGTH_M: Final = 4.5  # of a body whose size nobody tells
WIDTH_M: Final = 1.8
SMALL_M: Final = {  # length and width of who is smaller than a car
    ObjectClass.PEDESTRIAN: (0.5, 0.5),
    ObjectClass.ANIMAL: (1.0, 0.5),
    ObjectClass.CYCLIST: (1.8, 0.6),
    ObjectClass.MOTORCYCLE: (2.1, 0.8),
}
MIDDLE: Final = 0.5  # of several bodies that a return may lie in, the one whose middle is nearest [D]
REACH_X_M: Final = 40.0  # farther off, no fit is looked for
REACH_Y_M: Final = 5.0
ONE_VEHICLE_MPS: Final = 0.6  # so do their speeds differ at most [D]
SPEED_FLOOR_MPS: Final = 0.5  # a told speed is no surer than that when it is held against the radar's [D]
PLACE_FLOOR_M: Final = 0.5
ACCEL_FRAMES: Final = 10  # after so many frames an acceleration is known well enough to be told [D]
MOVED_CONFIDENCE: Final = 0.6  # of what radar alone saw moving, when it is told of first [D]
MOVED_CONFIDENCE_MAX: Final = 0.9
SURER_PER_FRAME: Final = 0.02

Heads = list[tuple[float, float, float, bool, int]]  # place ahead and to the left, speed, whether it has moved; number
make_object = maker(TrackedObject)


class Fusion:
    """Ties bodies to objects, and makes the list; keeps nothing."""

    def __init__(self, params: TrackingParams) -> None:
        self._params = params
        self._side_var = params.side_std_m**2

    def tied(
        self,
        echoes: tuple[Echo, ...],
        told: Mapping[int, Told],
        stamp_s: float,
        dt_s: float,
        own_mps: float,
        next_number: int,
    ) -> tuple[tuple[Echo, ...], Mapping[int, Told], int]:
        """Bodies with whom they belong to, nearest first, the supplier's objects, and the next free number.

        Args:
            stamp_s: Of the list.
            dt_s: From the bodies' time to it.
            own_mps: Our speed.
        """
        params = self._params
        renamed: dict[int, Told] = {}
        numbers: set[int] = set()
        heads: Heads = []
        found: list[Echo] = []
        for echo in sorted(echoes, key=_ahead_m):
            tie, number, along = echo.tie, echo.number, echo.along
            x_m, y_m = along[0] + dt_s * (along[1] - own_mps), echo.across[0] + dt_s * echo.across[1]
            is_shown, is_proven = echo.frames >= params.radar_frames, echo.is_proven
            mate = told.get(tie.told) if tie.told != NOBODY else None
            if mate is not None and _apart(echo, x_m, y_m, mate, stamp_s, own_mps) <= KEEP * params.gate:
                if tie.lists < SURE_LISTS or tie.kind is not mate.kind:
                    tie = tie_with(tie, lists=tie.lists + 1, kind=mate.kind)
                    is_proven = is_proven or tie.lists >= SURE_LISTS
            else:
                if tie.told != NOBODY:
                    if mate is not None or number in numbers:  # another thing after all
                        tie, number, next_number = ALONE, next_number, next_number + 1
                    else:  # the other sensor lost it: it goes on under its number
                        tie = tie_with(tie, told=NOBODY, lists=0, told_s=stamp_s - params.coast_s)
                at = self._mate(echo, x_m, y_m, told, stamp_s, own_mps) if told else NOBODY
                if at != NOBODY:
                    mate = renamed.get(at) or told[at]
                    if mate.frames == 1 and at not in renamed and is_shown and number not in numbers:
                        # new to the supplier alone: the others know it under the radar's number
                        mate = renamed[at] = make_told(
                            number, mate.item, mate.stamp_s, 1, True, mate.kind, mate.rival, mate.rival_frames
                        )
                    item = mate.item
                    number = mate.number
                    tie = Tie(
                        told=at, lists=1, told_by=item.sources, kind=mate.kind, length_m=item.length_m,
                        width_m=item.width_m,
                    )  # fmt: skip
                else:
                    tie = self._part(tie, x_m, y_m, along[1], is_proven, heads, stamp_s)
                    if is_shown and tie.head == NOBODY:
                        heads.append((x_m, y_m, along[1], is_proven, number))
            numbers.add(number)
            if tie is not echo.tie:
                echo = make_echo(
                    number, echo.radar_id, echo.born_s, echo.seen_s, echo.frames, along, echo.across,
                    echo.fast_frames, is_proven, tie,
                )  # fmt: skip
            found.append(echo)
        return tuple(found), ({**told, **renamed} if renamed else told), next_number

    def listed(
        self,
        echoes: Iterable[Echo],
        told: Mapping[int, Told],
        stamp_s: float,
        radar_s: float | None,
        own_mps: float | None,
        yaw_rate_rps: float,
    ) -> tuple[tuple[TrackedObject, ...], tuple[float | None, ...]]:
        """What is told at `stamp_s`, and its figures: all, of both sensors, of radar alone, standing, carried on."""
        params = self._params
        speed_mps = own_mps or 0.0
        dt_s = 0.0 if radar_s is None else stamp_s - radar_s
        turn_rad = yaw_rate_rps * dt_s
        of_told: dict[int, Echo] = {}
        reach: dict[int, float] = {}
        alone: list[Echo] = []
        for echo in echoes:
            tie = echo.tie
            if tie.told != NOBODY:
                of_told.setdefault(tie.told, echo)  # nearest first
            elif echo.frames >= params.radar_frames:
                if tie.head != NOBODY and stamp_s >= tie.head_s:
                    reach[tie.head] = max(reach.get(tie.head, 0.0), echo.along[0])
                else:
                    alone.append(echo)
        found: list[TrackedObject] = []
        both = standing = unseen = 0
        for at, one in told.items():
            if not one.is_shown:
                continue
            item = one.item
            unseen_s = stamp_s - one.stamp_s
            if unseen_s > 0.0:
                if own_mps is None or one.frames < params.coast_frames or unseen_s > params.coast_s:
                    continue
                item = coasted(one, unseen_s, speed_mps, yaw_rate_rps * unseen_s, params.coast_s)
                unseen += 1
            elif item.object_id != one.number or item.object_class is not one.kind:
                item = with_changes(item, object_id=one.number, object_class=one.kind)
            if of_told:
                mate = of_told.get(at)
                if mate is not None:
                    # what one of two sensors misses is as sure as before
                    is_kept = mate.tie.lists >= SURE_LISTS and mate.seen_s == radar_s
                    confidence = one.item.confidence if is_kept else item.confidence
                    item = self._both(item, mate, dt_s, speed_mps, turn_rad, confidence)
                    both += 1
            found.append(item)
        for echo in alone:
            unseen += radar_s is not None and echo.seen_s < radar_s
            standing += not echo.is_proven
            found.append(self._alone(echo, stamp_s, radar_s or 0.0, dt_s, speed_mps, turn_rad, reach.get(echo.number)))
        figures = (float(len(found)), float(both), float(len(alone)), float(standing), float(unseen))
        return tuple(found[:MAX_OBJECTS]), figures

    # --- who is who ---------------------------------------------------------------------------------------------------

    def _mate(
        self, echo: Echo, x_m: float, y_m: float, told: Mapping[int, Told], stamp_s: float, own_mps: float
    ) -> int:
        """Supplier's number of the object that fits best, `NOBODY`: none does."""
        best, best_at = self._params.gate, NOBODY
        for at, one in told.items():
            item = one.item
            if -REACH_Y_M < item.y_m - y_m < REACH_Y_M and -REACH_X_M < item.x_m - x_m < REACH_X_M:
                apart = _apart(echo, x_m, y_m, one, stamp_s, own_mps)
                if apart <= best:
                    best, best_at = apart, at
        return best_at

    def _part(
        self, tie: Tie, x_m: float, y_m: float, speed_mps: float, is_proven: bool, heads: Heads, stamp_s: float
    ) -> Tie:
        """The tie to a nearer body of the same vehicle: a second reflection at once, a long vehicle after a while."""
        params = self._params
        for head_x_m, head_y_m, head_mps, head_proven, number in reversed(heads):  # the nearest first
            gap_m = x_m - head_x_m
            if gap_m > params.long_vehicle_m:
                break
            if abs(y_m - head_y_m) > IN_LINE_M or abs(speed_mps - head_mps) > ONE_VEHICLE_MPS:
                continue
            is_near = gap_m <= params.cluster_m
            if not is_near and not (is_proven and head_proven):
                continue
            if number == tie.head:
                return tie
            return tie_with(tie, head=number, head_s=stamp_s if is_near else stamp_s + params.long_vehicle_s)
        return tie if tie.head == NOBODY else tie_with(tie, head=NOBODY)

    # --- what is told -------------------------------------------------------------------------------------------------

    def _both(
        self, item: TrackedObject, echo: Echo, dt_s: float, own_mps: float, turn_rad: float, confidence: float
    ) -> TrackedObject:
        """An object that the radar sees too."""
        along, across, tie = echo.along, echo.across, echo.tie
        x_m, y_m = _place(echo, dt_s, own_mps, turn_rad)
        x_var, y_var, speed_var = item.x_std_m**2, item.y_std_m**2, item.speed_x_std_mps**2
        new_x_m, new_y_m = item.x_m, item.y_m
        if abs(x_m - item.x_m) <= FACE_M:
            new_x_m, x_var = surer(item.x_m, max(x_var, 1e-6), x_m, along[3] + 1e-6)
            # the reflection wanders across the body, which no filter takes out
            new_y_m, y_var = surer(item.y_m, max(y_var, 1e-6), y_m, across[3] + self._side_var)
        speed_mps, speed_var = surer(item.speed_x_mps, max(speed_var, 1e-6), along[1], along[6] + 1e-6)
        accel_mps2 = item.accel_x_mps2
        if accel_mps2 is None and echo.frames >= ACCEL_FRAMES:
            accel_mps2 = bounded(along[2], 30.0)
        sources = item.sources
        if tie.lists >= SURE_LISTS and RADAR_ALONE[0] not in sources:
            sources = (*sources, *RADAR_ALONE)[:8]
        return with_changes(
            item,
            x_m=bounded(new_x_m, 500.0),
            y_m=bounded(new_y_m, 500.0),
            speed_x_mps=bounded(speed_mps, SPEED_MAX_MPS),
            accel_x_mps2=accel_mps2,
            x_std_m=min(math.sqrt(x_var), 500.0),
            y_std_m=min(math.sqrt(y_var), 500.0),
            speed_x_std_mps=min(math.sqrt(speed_var), 100.0),
            confidence=confidence,
            sources=sources,
        )

    def _alone(
        self,
        echo: Echo,
        stamp_s: float,
        radar_s: float,
        dt_s: float,
        own_mps: float,
        turn_rad: float,
        far_m: float | None,
    ) -> TrackedObject:
        """A body that the radar alone sees. What it never saw moving stands, and is believed by no emergency."""
        params, along, across, tie = self._params, echo.along, echo.across, echo.tie
        x_m, y_m = _place(echo, dt_s, own_mps, turn_rad)
        speed_mps = aside_mps = 0.0
        accel_mps2: float | None = None
        if echo.is_proven:
            speed_mps, aside_mps = along[1], across[1]
            if echo.frames >= ACCEL_FRAMES:
                accel_mps2 = bounded(along[2], 30.0)
            confidence = MOVED_CONFIDENCE + SURER_PER_FRAME * (echo.frames - params.radar_frames)
            confidence = min(confidence, MOVED_CONFIDENCE_MAX)
        else:
            confidence = params.standing_confidence
        if echo.seen_s < radar_s:
            confidence *= 1.0 - 0.5 * min((radar_s - echo.seen_s) / params.coast_s, 1.0)
        length_m = tie.length_m
        if length_m is None and far_m is not None and far_m - along[0] > params.cluster_m:
            length_m = min(far_m - along[0], 60.0)
        sources = RADAR_ALONE
        if tie.told_by and stamp_s - tie.told_s <= SEEN_S and RADAR_ALONE[0] not in tie.told_by:
            sources = (*tie.told_by, *RADAR_ALONE)[:8]
        dt_s = abs(dt_s)
        return make_object(
            object_id=echo.number,
            object_class=tie.kind,
            x_m=bounded(x_m, 500.0),
            y_m=bounded(y_m, 500.0),
            speed_x_mps=bounded(speed_mps, SPEED_MAX_MPS),
            speed_y_mps=bounded(aside_mps, SPEED_MAX_MPS),
            accel_x_mps2=accel_mps2,
            length_m=length_m,
            width_m=tie.width_m,
            x_std_m=min(math.sqrt(along[3] + dt_s * dt_s * along[6]), 500.0),
            y_std_m=min(math.sqrt(across[3] + dt_s * dt_s * across[6]), 500.0),
            speed_x_std_mps=min(math.sqrt(along[6]), 100.0),
            confidence=confidence,
            age_s=min(max(stamp_s - echo.born_s, 0.0), 1e6),
            sources=sources,
        )


def _ahead_m(echo: Echo) -> float:
    return echo.along[0]


def _place(echo: Echo, dt_s: float, own_mps: float, turn_rad: float) -> tuple[float, float]:
    """Where a body is a moment after, or before, the last radar message."""
    x_m = echo.along[0] + dt_s * (echo.along[1] - own_mps)
    y_m = echo.across[0] + dt_s * echo.across[1]
    return x_m + turn_rad * y_m, y_m - turn_rad * x_m


def _apart(echo: Echo, x_m: float, y_m: float, one: Told, stamp_s: float, own_mps: float) -> float:
    """Squared Mahalanobis distance of a body from an object's: within its corners next to none."""
    item, along = one.item, echo.along
    length_m, width_m = item.length_m, item.width_m
    if length_m is None or width_m is None:
        usual_m = SMALL_M.get(item.object_class, (LENGTH_M, WIDTH_M))
        length_m, width_m = length_m or usual_m[0], width_m or usual_m[1]
    unseen_s = stamp_s - one.stamp_s
    near_m = item.x_m + unseen_s * (item.speed_x_mps - own_mps)
    off_x_m = near_m - CORNER_M - x_m
    if off_x_m < 0.0:
        off_x_m = max(x_m - near_m - length_m - CORNER_M, 0.0)
    aside_m = abs(y_m - item.y_m - unseen_s * item.speed_y_mps)
    off_y_m = max(aside_m - 0.5 * width_m, 0.0)
    off_mps = along[1] - item.speed_x_mps
    y_var = echo.across[3] + item.y_std_m**2 + PLACE_FLOOR_M**2
    return (
        off_x_m * off_x_m / (along[3] + item.x_std_m**2 + PLACE_FLOOR_M**2)
        + (off_y_m * off_y_m + MIDDLE * min(aside_m, 0.5 * width_m) ** 2) / y_var
        + off_mps * off_mps / (along[6] + item.speed_x_std_mps**2 + SPEED_FLOOR_MPS**2)
    )
