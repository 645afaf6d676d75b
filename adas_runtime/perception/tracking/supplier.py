"""What a supplier's tracker tells, followed by its own numbers and passed on as it is.

A supplier's list comes out of a filter already. A second one would add its lag, and count the same noise twice as if it
were news; so its numbers reach the others untouched, in the very record that came. Followed are identity (a number that
jumps is another object), class (held against flicker) and what a message misses (carried on for a short while).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from adas_runtime.perception.tracking.params import TrackingParams
from adas_runtime.records import maker, replacer
from adas_runtime.signals import ObjectClass, TrackedObject, TrackedObjects

OWN_NUMBERS: Final = 2**30  # from here on numbers are ours; below, a supplier's object keeps its own
JUMP_STD_M: Final = 0.5  # what a nearest point wanders from message to message, beside its noise [D]
JUMP_SPEED_MPS: Final = 3.0  # what its speed may change between two messages, beside its noise [D]
JUMP_GATE: Final = 16.0  # four standard deviations
CLOSE: Final = (ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST, ObjectClass.ANIMAL)
TWIN_X_M: Final = 1.0  # two numbers at one place, of one class, as fast as each other: one object told twice [D]
TWIN_Y_M: Final = 0.5
TWIN_MPS: Final = 1.0


@dataclass(frozen=True, slots=True)
class Told:
    """An object of the supplier.

    Args:
        number: Under which the others know it.
        item: As it was told last.
        stamp_s: When.
        frames: Messages with it.
        is_shown: Others are told of it.
        kind: Class that is held.
        rival, rival_frames: Another class that was told since, and in how many messages more than not.
    """

    number: int
    item: TrackedObject
    stamp_s: float
    frames: int
    is_shown: bool
    kind: ObjectClass
    rival: ObjectClass
    rival_frames: int


make_told = maker(Told)
with_changes = replacer(TrackedObject)
ByNumber = Mapping[int, Told]


def is_finite(item: TrackedObject) -> bool:
    """Whether every number of it is one; the border refuses others already."""
    return math.isfinite(
        item.x_m + item.y_m + item.speed_x_mps + item.speed_y_mps + item.x_std_m + item.y_std_m + item.speed_x_std_mps
    )


class Supplier:
    """Follows the supplier's objects; keeps nothing: what was is handed in, what is comes out."""

    def __init__(self, params: TrackingParams) -> None:
        self._params = params

    def followed(
        self, old: ByNumber, objects: TrackedObjects, own_mps: float | None, taken: Iterable[int], next_number: int
    ) -> tuple[ByNumber, int, str]:
        """What is followed after a message; by the supplier's number.

        Args:
            old: Before; of the supplier's number.
            objects: The message.
            own_mps: Our own speed, `None` unknown: then no number is found to jump.
            taken: Numbers that others have.
            next_number: First of our own that is free.
        Returns:
            Objects, the next free number, and what is wrong with the message, `""`: nothing.
        """
        params, stamp_s, items, fault = self._params, objects.stamp_s, objects.objects, ""
        if len(items) > params.flood:
            items = tuple(sorted(items, key=lambda item: item.x_m * item.x_m + item.y_m * item.y_m)[: params.flood])
            fault = "supplier_flood"
        found: dict[int, Told] = {}
        fresh: list[TrackedObject] = []
        for item in items:
            told_number = item.object_id
            if told_number in found or not is_finite(item):
                fault = "supplier_invalid"
                continue
            former = old.get(told_number)
            if former is not None and (
                own_mps is None or not _jumps(former.item, item, stamp_s - former.stamp_s, own_mps)
            ):
                kind, rival, rival_frames = former.kind, former.rival, former.rival_frames
                if item.object_class is not kind:
                    kind, rival, rival_frames = self._class(item.object_class, kind, rival, rival_frames)
                elif rival_frames:
                    rival_frames -= 1
                found[told_number] = make_told(
                    former.number, item, stamp_s, former.frames + 1, True, kind, rival, rival_frames
                )
            else:
                fresh.append(item)
        if fresh:
            used = {other.number for other in old.values()} | set(taken)
            for item in fresh:  # after all that are followed, since it may be one of them under another number
                told_number = item.object_id
                if told_number in found:
                    fault = "supplier_invalid"
                    continue
                if _is_twin(item, found):
                    continue
                is_jump = told_number in old
                number = told_number
                if number >= OWN_NUMBERS or number in used or is_jump:
                    number, next_number = next_number, next_number + 1
                used.add(number)
                # one frame of one sensor makes nobody: the supplier followed it, or a second sensor saw it too
                is_shown = len(item.sources) >= 2 or (not is_jump and item.age_s > 0.0)
                found[told_number] = make_told(
                    number, item, stamp_s, 1, is_shown, item.object_class, ObjectClass.UNKNOWN, 0
                )
        for told_number, former in old.items():
            if (
                told_number not in found
                and former.frames >= params.coast_frames
                and 0.0 <= stamp_s - former.stamp_s <= params.coast_s
            ):
                found[told_number] = former
        return found, next_number, fault

    def _class(
        self, told: ObjectClass, kind: ObjectClass, rival: ObjectClass, rival_frames: int
    ) -> tuple[ObjectClass, ObjectClass, int]:
        """Another class than the one that is held: taken when it was told often enough."""
        if kind is ObjectClass.UNKNOWN:
            return told, ObjectClass.UNKNOWN, 0
        rival_frames = rival_frames + 1 if told is rival else 1
        if rival_frames >= self._params.class_frames:
            return told, ObjectClass.UNKNOWN, 0
        return kind, told, rival_frames


def coasted(told: Told, dt_s: float, own_mps: float, turn_rad: float, coast_s: float) -> TrackedObject:
    """An unseen object where its motion brought it since: less sure by the time, and at the end not believed.

    Args:
        dt_s: Since it was told last; our own speed and our turn in that time.
    """
    item = told.item
    accel_mps2 = item.accel_x_mps2 or 0.0
    x_m = item.x_m + dt_s * (item.speed_x_mps - own_mps + 0.5 * dt_s * accel_mps2)
    y_m = item.y_m + dt_s * item.speed_y_mps
    grown_m = dt_s * item.speed_x_std_mps
    speed_mps = item.speed_x_mps + dt_s * accel_mps2
    if speed_mps * item.speed_x_mps < 0.0:
        speed_mps = 0.0  # who brakes stands in the end
    return with_changes(
        item,
        object_id=told.number,
        object_class=told.kind,
        x_m=bounded(x_m + turn_rad * y_m, 500.0),
        y_m=bounded(y_m - turn_rad * x_m, 500.0),
        speed_x_mps=bounded(speed_mps, 150.0),
        x_std_m=min(math.hypot(item.x_std_m, grown_m), 500.0),
        y_std_m=min(math.hypot(item.y_std_m, grown_m), 500.0),
        confidence=item.confidence * (1.0 - 0.5 * min(dt_s / coast_s, 1.0)),
        age_s=min(item.age_s + dt_s, 1e6),
    )


def bounded(value: float, most: float) -> float:
    """The value, not beyond `most` on either side."""
    return most if value > most else -most if value < -most else value


def _jumps(last: TrackedObject, item: TrackedObject, dt_s: float, own_mps: float) -> bool:
    """Whether it stands elsewhere, or moves otherwise, than its motion could have brought it."""
    speed_mps = 0.5 * (last.speed_x_mps + item.speed_x_mps) - own_mps
    off_x_m = item.x_m - last.x_m - speed_mps * dt_s
    off_y_m = item.y_m - last.y_m - 0.5 * (last.speed_y_mps + item.speed_y_mps) * dt_s
    off_mps = item.speed_x_mps - last.speed_x_mps
    # our own turn moves what is far away to the side: 0.5 rad/s at most that matter
    room_m = JUMP_STD_M + 0.3 * abs(speed_mps) * dt_s
    var_x = room_m * room_m + last.x_std_m * last.x_std_m + item.x_std_m * item.x_std_m
    side_m = JUMP_STD_M + 0.5 * dt_s * abs(item.x_m)
    var_y = side_m * side_m + last.y_std_m * last.y_std_m + item.y_std_m * item.y_std_m
    std_mps = JUMP_SPEED_MPS + 10.0 * dt_s
    var_v = std_mps * std_mps + last.speed_x_std_mps * last.speed_x_std_mps + item.speed_x_std_mps**2
    return off_x_m * off_x_m / var_x + off_y_m * off_y_m / var_y + off_mps * off_mps / var_v > JUMP_GATE


def _is_twin(item: TrackedObject, found: ByNumber) -> bool:
    """Whether this message told of it already, under another number; people do walk as near to each other."""
    if item.object_class in CLOSE:
        return False
    for other in found.values():
        if (
            other.item.object_class is item.object_class
            and abs(other.item.x_m - item.x_m) < TWIN_X_M
            and abs(other.item.y_m - item.y_m) < TWIN_Y_M
            and abs(other.item.speed_x_mps - item.speed_x_mps) < TWIN_MPS
        ):
            return True
    return False
