"""What is known without looking at the driver: the hour, and how long the driver has driven without a pause."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.driver_monitoring.params import PriorParams
from adas_runtime.records import maker
from adas_runtime.signals import BodyState, VehicleState

STANDING_MPS: Final = 0.5
DAY_S: Final = 86400.0


@dataclass(frozen=True, slots=True)
class Task:
    """Since when the driver drives without a pause, and since when the car stands; `None`: not known, does not."""

    from_s: float | None = None
    standing_s: float | None = None


FRESH: Final = Task()
make_task = maker(Task)


def tasked(old: Task, vehicle: VehicleState | None, params: PriorParams, now_s: float) -> Task:
    """The time on task, with what the car does now."""
    if vehicle is None:
        return old
    if vehicle.speed_mps > STANDING_MPS:
        if old.from_s is not None and old.standing_s is None:
            return old
        return make_task(now_s if old.from_s is None else old.from_s, None)
    standing_s = now_s if old.standing_s is None else old.standing_s
    if now_s - standing_s >= params.pause_s:
        return make_task(None, standing_s)
    return old if old.standing_s is not None else make_task(old.from_s, standing_s)


def added(task: Task, body: BodyState | None, params: PriorParams, now_s: float) -> float:
    """What hour and time on task add to the score."""
    more = 0.0
    if task.from_s is not None:
        share = (now_s - task.from_s - params.task_from_s) / (params.task_full_s - params.task_from_s)
        more = params.task * min(max(share, 0.0), 1.0)
    if body is not None and body.utc_s is not None and body.utc_offset_s is not None:
        hour = (body.utc_s + body.utc_offset_s) % DAY_S / 3600.0
        start, end = params.night_from_h, params.night_until_h
        if (start <= hour < end) if start <= end else (hour >= start or hour < end):
            more += params.night
    return more
