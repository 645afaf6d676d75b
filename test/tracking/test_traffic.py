"""Dense traffic with misses and clutter: numbers that last, nobody twice, nobody invented; errors as told."""

from __future__ import annotations

import math
import random
from collections import Counter
from dataclasses import dataclass

import numpy as np
import pytest
from scipy.stats import chi2
from tracking_world import MARKET, PARAMS, STEP_S, Truth, World, make_item, make_return, radar_noise

from adas_runtime.signals import TrackedObject

OWN_MPS = 25.0
SECONDS = 20.0
WARM_S = 1.0


@dataclass
class Score:
    """What became of a drive.

    Args:
        seen, due: Road users that were told, of those that could be.
        switches: Changes of a road user's number.
        twice: Road users told under two numbers at once.
        invented: Objects told that are none, and believed by an emergency.
    """

    seen: int = 0
    due: int = 0
    switches: int = 0
    twice: int = 0
    invented: int = 0


def traffic() -> list[Truth]:
    """Twelve cars in three lanes, 14 m from one to the next, which breathes by 4 m on either side."""
    return [
        Truth(x_m=15.0 + 14.0 * (index // 3) + 3.0 * (index % 3), y_m=3.5 * (index % 3 - 1), speed_mps=OWN_MPS)
        for index in range(12)
    ]


def driven(seed: int, *, has_radar: bool, has_supplier: bool, miss: float = 0.05, clutter: int = 3) -> Score:
    """A drive of 20 s; each road user is missed by each sensor now and then, and the radar sees what is not there."""
    noise = random.Random(seed)
    world, cars, score = World(own_mps=OWN_MPS), traffic(), Score()
    former: dict[int, int] = {}
    for count in range(round(SECONDS / STEP_S)):
        t_s = count * STEP_S
        for index, one in enumerate(cars):
            one.speed_mps = OWN_MPS + 1.4 * math.sin(0.7 * t_s + index)
            one.accel_mps2 = 1.4 * 0.7 * math.cos(0.7 * t_s + index)
            one.side_mps = 0.2 * math.sin(0.5 * t_s + index)  # they weave by more than half a metre
            one.move(STEP_S)
            one.x_m -= OWN_MPS * STEP_S
        items = [
            make_item(
                index,
                x_m=one.x_m + noise.gauss(0.0, 0.3),
                y_m=one.y_m + noise.gauss(0.0, 0.15),
                speed_x_mps=one.speed_mps + noise.gauss(0.0, 0.3),
                speed_y_mps=one.side_mps,
                age_s=t_s,
            )
            for index, one in enumerate(cars)
            if noise.random() >= miss
        ]
        returns = []
        for index, one in enumerate(cars):
            if noise.random() >= miss:
                seen = radar_noise(one.x_m, one.y_m, one.speed_mps - OWN_MPS, noise)
                # a radar's numbers wander: now and then another one
                returns.append(make_return((index + count // 60) % 16, seen.x_m, seen.y_m, seen.speed_x_mps))
        for _ in range(clutter):
            returns.append(
                make_return(noise.randrange(16, 32), noise.uniform(5.0, 120.0), noise.uniform(-12.0, 12.0), -OWN_MPS)
            )
        told = world.step(items if has_supplier else None, returns if has_radar else None) or ()
        if t_s < WARM_S:
            continue
        judge(score, told, cars, former)
    return score


def judge(score: Score, told: tuple[TrackedObject, ...], cars: list[Truth], former: dict[int, int]) -> None:
    taken: Counter[int] = Counter()
    for item in told:
        near = [
            (math.hypot(one.x_m - item.x_m, one.y_m - item.y_m), index)
            for index, one in enumerate(cars)
            if abs(one.x_m - item.x_m) < 3.0 and abs(one.y_m - item.y_m) < 1.7
        ]
        if not near:
            score.invented += item.confidence >= MARKET.aeb.confidence_min
            continue
        if item.confidence < MARKET.aeb.confidence_min:
            continue
        index = min(near)[1]
        taken[index] += 1
        score.switches += former.get(index, item.object_id) != item.object_id
        former[index] = item.object_id
    score.due += len(cars)
    score.seen += len(taken)
    score.twice += sum(count - 1 for count in taken.values())


@pytest.mark.parametrize(
    ("has_radar", "has_supplier"), [(True, False), (False, True), (True, True)], ids=["radar", "supplier", "both"]
)
def test_in_dense_traffic_everyone_is_told_once_under_one_number(has_radar: bool, has_supplier: bool) -> None:
    total = Score()
    for seed in range(4):
        score = driven(seed, has_radar=has_radar, has_supplier=has_supplier)
        for name in ("seen", "due", "switches", "twice", "invented"):
            setattr(total, name, getattr(total, name) + getattr(score, name))
    assert total.twice == 0 and total.invented == 0, total
    assert total.seen / total.due > (0.97 if has_supplier else 0.9), total
    assert total.switches <= (0 if has_supplier else 4), total


def test_what_both_tell_together_is_no_surer_than_it_is_right() -> None:
    """Errors of the fused place and speed in units of what is told of them: covariance intersection is never bold."""
    squares: list[tuple[float, float]] = []
    for seed in range(120):
        noise = random.Random(seed)
        world = World()
        truth = Truth(x_m=50.0, y_m=0.5, speed_mps=20.0)
        told: tuple[TrackedObject, ...] | None = None
        for count in range(60):
            truth.move(STEP_S, noise)
            truth.x_m -= 20.0 * STEP_S
            item = make_item(
                1,
                x_m=truth.x_m + noise.gauss(0.0, 0.3),
                y_m=truth.y_m + noise.gauss(0.0, 0.15),
                speed_x_mps=truth.speed_mps + noise.gauss(0.0, 0.3),
                speed_y_mps=truth.side_mps,
                age_s=STEP_S * count,
            )
            told = world.step([item], [radar_noise(truth.x_m, truth.y_m, truth.speed_mps - 20.0, noise)])
        assert told is not None
        (one,) = told
        assert len(one.sources) == 2
        squares.append(
            (
                ((one.x_m - truth.x_m) / one.x_std_m) ** 2,
                ((one.speed_x_mps - truth.speed_mps) / one.speed_x_std_mps) ** 2,
            )
        )
    high = chi2.ppf(0.9995, len(squares))
    for name, total in zip(("place", "speed"), np.array(squares).sum(axis=0), strict=True):
        assert total < high, f"{name}: {total / len(squares):.2f} of 1"
    assert PARAMS.range_std_m > 0.3, "the supplier of this test is the surer one in place"
