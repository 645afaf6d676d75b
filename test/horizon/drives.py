"""Drives over a map: fixes with noise, odometry, and what the horizon says of them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from map_files import Metres, at

from adas_runtime.horizon.core import Inputs, MapHorizon, Outputs
from adas_runtime.horizon.store import MapStore
from adas_runtime.market.laws import ShippedLaws
from adas_runtime.signals import FixStatus, Horizon, PoseFix, VehicleState

START_S = 1000.0
PERIOD_S = 0.1


@dataclass(frozen=True)
class Seen:
    """One step of a drive: how far the car has driven, what was said, and the way it is matched to."""

    driven_m: float
    said: Outputs
    core: MapHorizon
    way: int | None


def matched_way(core: MapHorizon, store: MapStore) -> int | None:
    """Way of the best hypothesis, where the car counts as matched."""
    if not core.state.is_matched:
        return None
    edge = store.edge(core.state.belief.hypotheses[0].edge_id)
    assert edge is not None
    return edge.way.way_id


def along(path: Sequence[Metres], driven_m: float) -> tuple[Metres, float]:
    """Place and course after so many metres of a path."""
    rest = driven_m
    for (ax, ay), (bx, by) in pairwise(path):
        length = math.hypot(bx - ax, by - ay)
        if rest <= length or (bx, by) == path[-1]:
            share = min(1.0, rest / length)
            return (ax + share * (bx - ax), ay + share * (by - ay)), math.atan2(by - ay, bx - ax)
        rest -= length
    raise AssertionError("empty path")


def drive(
    store: MapStore,
    path: Sequence[Metres],
    speed_mps: float = 20.0,
    *,
    noise_m: float = 0.0,
    blind: tuple[float, float] | None = None,
    has_heading: bool = True,
    has_vehicle: bool = True,
    seed: int = 1,
) -> Iterator[Seen]:
    """Drive a path at 10 Hz; noise wanders like a receiver's; `blind` is the stretch without a fix [m]."""
    core = MapHorizon(store, ShippedLaws())
    generator = np.random.default_rng(seed)
    length = sum(math.hypot(bx - ax, by - ay) for (ax, ay), (bx, by) in pairwise(path))
    error = np.zeros(2)
    driven, now_s, former = 0.0, START_S, None
    while driven < length:
        place, course = along(path, driven)
        error = 0.98 * error + math.sqrt(1 - 0.98**2) * noise_m * generator.standard_normal(2)
        fix = None
        if blind is None or not blind[0] <= driven < blind[1]:
            point = at(place[0] + error[0], place[1] + error[1])
            fix = PoseFix(
                stamp_s=now_s,
                latitude_deg=point[0],
                longitude_deg=point[1],
                heading_rad=course if has_heading else None,
                position_std_m=max(2.0, noise_m),
                status=FixStatus.FIX,
            )
        yaw_rate = 0.0 if former is None else math.remainder(course - former, math.tau) / PERIOD_S
        former = course
        vehicle = VehicleState(stamp_s=now_s, speed_mps=speed_mps, yaw_rate_rps=max(-4.0, min(4.0, yaw_rate)))
        said = core.step(Inputs(fix=fix, vehicle=vehicle if has_vehicle else None), now_s)
        yield Seen(driven, said, core, matched_way(core, store))
        driven += speed_mps * PERIOD_S
        now_s += PERIOD_S


def horizons(seen: Sequence[Seen]) -> list[tuple[float, Horizon]]:
    return [(item.driven_m, item.said.horizon) for item in seen if item.said.horizon is not None]
