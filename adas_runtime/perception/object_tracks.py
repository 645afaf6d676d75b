"""One camera's road users over several pictures: who is who, how far, how fast, and whether to believe it.

A box follows the one that it overlaps; its metres are filtered along and across, over ground where our own speed is
known. The result is what a supplier's tracker tells, and goes into `perception.tracking` as such.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adas_runtime.perception.objects import Box, SeenObject
from adas_runtime.perception.tracking.assignment import assigned
from adas_runtime.perception.tracking.motion import Axis, begun, carried, placed
from adas_runtime.records import replacer
from adas_runtime.signals import ObjectClass, TrackedObject, TrackedObjects

FORGET_S: Final = 0.5  # who was not seen for so long is gone  [D]
GAP_MAX_S: Final = 1.0  # after a gap, or a clock that ran back, everything begins afresh  [D]
OVERLAP_MIN: Final = 0.2  # of two boxes of the same body in pictures that follow one another
NEAR_SIDES: Final = 0.6  # small boxes jump: middles no farther than this share of the longer side apart do as well
GROWTH_MAX: Final = 1.6  # of a side between two sightings
FRAMES_MIN: Final = 3  # before it is believed: what is found by mistake seldom comes back at its place
BELIEF: Final = 0.35  # share of the newest picture in a track's confidence
ACCEL_STD_MPS2: Final = 2.0  # usual acceleration of a road user  [D]
ACCEL_S: Final = 1.0  # it fades with this time constant  [D]
SPEED_STD_MPS: Final = (20.0, 5.0)  # along and across, before anything is known of it  [D]
SHARED: Final = (
    0.7  # of a range's error is the camera's and the road's, the same in each picture: no filter averages it
)
WIDTH_M: Final = {ObjectClass.CAR: (1.4, 2.6), ObjectClass.PEDESTRIAN: (0.3, 1.0), ObjectClass.CYCLIST: (0.4, 1.0)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """One road user over some pictures.

    Args:
        number: Its own, not used again.
        object_class: What most pictures say, the newest counting most.
        shares: Weight of each class.
        box_px: Where it was seen last.
        seen_s, born_s: When last and first.
        frames: Pictures with it.
        confidence: Mean of its pictures, the newest counting most; a picture without it counts as 0.
        ahead, across: Place, speed, acceleration; `None`: its foot was never seen on the ground.
        stamp_s: Time of `ahead` and `across`.
        range_std_m: Of its last range.
        width_m: Of its last box.
    """

    number: int
    object_class: ObjectClass
    shares: tuple[tuple[ObjectClass, float], ...]
    box_px: Box
    seen_s: float
    born_s: float
    frames: int
    confidence: float
    ahead: Axis | None
    across: Axis | None
    stamp_s: float
    range_std_m: float
    width_m: float

    @property
    def is_confirmed(self) -> bool:
        """Seen in enough pictures to be believed."""
        return self.frames >= FRAMES_MIN


with_changes = replacer(Track)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracks:
    """All memory: the tracks at a time, and the next number."""

    items: tuple[Track, ...] = ()
    stamp_s: float | None = None
    next_number: int = 1


def followed(
    old: Tracks, seen: Sequence[SeenObject], stamp_s: float, *, own_mps: float = 0.0, yaw_rate_rps: float = 0.0
) -> tuple[Tracks, tuple[Track, ...]]:
    """One picture more.

    Args:
        old: Before.
        seen: What is in it.
        stamp_s: Its time.
        own_mps, yaw_rate_rps: Our own motion; 0 where nobody knows it: speeds are then relative to us.
    Returns:
        The tracks, and for each of `seen` its track.
    """
    items, number = old.items, old.next_number
    dt_s = 0.0 if old.stamp_s is None else stamp_s - old.stamp_s
    if not 0.0 <= dt_s <= GAP_MAX_S:
        items, dt_s = (), 0.0
    items = tuple(_moved(track, stamp_s, own_mps, yaw_rate_rps) for track in items)
    pairs = {}
    for row, track in enumerate(items):
        for column, one in enumerate(seen):
            cost = _unlike(track, one)
            if cost is not None:
                pairs[row, column] = cost
    mine = {column: row for row, column in assigned(pairs, 1.0)}
    told: list[Track] = []
    for column, one in enumerate(seen):
        if column in mine:
            told.append(_updated(items[mine[column]], one, stamp_s))
        else:
            told.append(_born(number, one, stamp_s))
            number += 1
    taken = set(mine.values())
    unseen = [
        _missed(track) for row, track in enumerate(items) if row not in taken and stamp_s - track.seen_s <= FORGET_S
    ]
    return Tracks(items=(*told, *unseen), stamp_s=stamp_s, next_number=number), tuple(told)


def as_objects(tracks: Tracks, stamp_s: float) -> TrackedObjects:
    """The confirmed ones as a supplier tells them; only for tracks that were made with our own speed.

    A body's length is not seen, nor is its heading. What the camera's mounting gets wrong is wrong in each picture, so
    the distance is never surer than a good part of a single picture's.
    """
    found = []
    for track in tracks.items:
        if not track.is_confirmed or track.ahead is None or track.across is None or track.seen_s < stamp_s:
            continue
        low_m, high_m = WIDTH_M[track.object_class]
        found.append(
            TrackedObject(
                object_id=track.number,
                object_class=track.object_class,
                x_m=track.ahead[0],
                y_m=track.across[0],
                speed_x_mps=track.ahead[1],
                speed_y_mps=track.across[1],
                width_m=min(max(track.width_m, low_m), high_m),
                x_std_m=min(max(math.sqrt(max(track.ahead[3], 0.0)), SHARED * track.range_std_m), 500.0),
                y_std_m=min(math.sqrt(max(track.across[3], 0.0)) + 0.1, 500.0),
                speed_x_std_mps=min(math.sqrt(max(track.ahead[6], 0.0)), 100.0),
                confidence=track.confidence,
                age_s=stamp_s - track.born_s,
                sources=("camera",),
            )
        )
    return TrackedObjects(stamp_s=stamp_s, objects=tuple(found))


def _moved(track: Track, stamp_s: float, own_mps: float, yaw_rate_rps: float) -> Track:
    """A track at another time."""
    if track.ahead is None or track.across is None:
        return track
    dt_s = stamp_s - track.stamp_s
    fade = math.exp(-dt_s / ACCEL_S)
    noise = ACCEL_STD_MPS2 * ACCEL_STD_MPS2 * (1.0 - fade * fade)
    x_m, y_m = track.ahead[0], track.across[0]
    # turning left carries what is ahead to the right, and what is on the left ahead
    ahead = carried(track.ahead, dt_s, own_mps - yaw_rate_rps * y_m, fade, noise, 0.0, 0.0)
    across = carried(track.across, dt_s, yaw_rate_rps * x_m, fade, noise, 0.0, 0.0)
    return with_changes(track, ahead=ahead, across=across, stamp_s=stamp_s)


def _unlike(track: Track, one: SeenObject) -> float | None:
    """Cost of a pair, 0 to 1; `None`: they are not the same body."""
    a, b = track.box_px, one.box_px
    wide = max(min(a[2], b[2]) - max(a[0], b[0]), 0.0)
    high = max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)
    size_a = max((a[2] - a[0]) * (a[3] - a[1]), 1e-6)
    size_b = max((b[2] - b[0]) * (b[3] - b[1]), 1e-6)
    share = wide * high / (size_a + size_b - wide * high)
    cost = 1.0 - share
    if one.object_class is not track.object_class:
        cost = 0.5 + 0.5 * cost  # a class may flicker, a body may not
    if share >= OVERLAP_MIN:
        return cost
    side = max(a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1])
    apart = max(abs(a[0] + a[2] - b[0] - b[2]), abs(a[1] + a[3] - b[1] - b[3])) / 2.0
    growth = math.sqrt(max(size_a, size_b) / min(size_a, size_b))
    return cost if apart <= NEAR_SIDES * side and growth <= GROWTH_MAX else None


def _born(number: int, one: SeenObject, stamp_s: float) -> Track:
    ahead, across = _axes(one)
    return Track(
        number=number,
        object_class=one.object_class,
        shares=((one.object_class, one.confidence),),
        box_px=one.box_px,
        seen_s=stamp_s,
        born_s=stamp_s,
        frames=1,
        confidence=one.confidence,
        ahead=ahead,
        across=across,
        stamp_s=stamp_s,
        range_std_m=one.range_std_m or 0.0,
        width_m=one.width_m or 0.0,
    )


def _axes(one: SeenObject) -> tuple[Axis | None, Axis | None]:
    if one.x_m is None or one.y_m is None or one.range_std_m is None or one.y_std_m is None:
        return None, None
    along, aside = SPEED_STD_MPS
    accel_var = ACCEL_STD_MPS2 * ACCEL_STD_MPS2
    return (
        begun(one.x_m, one.range_std_m * one.range_std_m, 0.0, along * along, accel_var),
        begun(one.y_m, one.y_std_m * one.y_std_m, 0.0, aside * aside, accel_var),
    )


def _updated(track: Track, one: SeenObject, stamp_s: float) -> Track:
    ahead, across = track.ahead, track.across
    if ahead is None or across is None:
        ahead, across = _axes(one)
    elif one.x_m is not None and one.y_m is not None and one.range_std_m is not None and one.y_std_m is not None:
        ahead = placed(ahead, one.x_m, one.range_std_m * one.range_std_m)
        across = placed(across, one.y_m, one.y_std_m * one.y_std_m)
    shares = {kind: weight * (1.0 - BELIEF) for kind, weight in track.shares}
    shares[one.object_class] = shares.get(one.object_class, 0.0) + BELIEF * one.confidence
    return Track(
        number=track.number,
        object_class=max(shares, key=lambda kind: (shares[kind], kind is track.object_class)),
        shares=tuple(shares.items()),
        box_px=one.box_px,
        seen_s=stamp_s,
        born_s=track.born_s,
        frames=track.frames + 1,
        confidence=track.confidence + BELIEF * (one.confidence - track.confidence),
        ahead=ahead,
        across=across,
        stamp_s=stamp_s,
        range_std_m=one.range_std_m if one.range_std_m is not None else track.range_std_m,
        width_m=one.width_m if one.width_m is not None else track.width_m,
    )


def _missed(track: Track) -> Track:
    return with_changes(track, confidence=track.confidence * (1.0 - BELIEF))
