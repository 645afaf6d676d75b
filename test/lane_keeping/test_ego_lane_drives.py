"""The ego lane over whole drives: lateral error by market, with noise on the drive's truth, through the executor.

Seen by real lane perception, the same drives stand in `benchmark/ego_lane.py`; here the noise is ours, so that a
finding is the function's own.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from functools import cache

import pytest
from synth_drives import drive

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph, live_topic
from adas_runtime.lane_keeping.line import Line, follow, measure
from adas_runtime.signals import EgoLane, LaneBoundary, LaneModel, LaneSide, MarkingType, Signal
from adas_runtime.synth.drive import Drive, Scenario

LANES = live_topic("lane_perception", "lanes")
LANE = live_topic("ego_lane", "lane")
PICTURE_AGE_S = 0.05
NOISE_M, NOISE_SLOPE, NOISE_BEND_1PM = 0.03, 0.002, 2e-4
SIDES = (LaneSide.LEFT, LaneSide.RIGHT)


def noisy(model: LaneModel, chance: random.Random, *, as_studs: bool = False) -> LaneModel:
    """As an honest camera tells the truth: each line a little off, each by itself."""
    return replace(
        model,
        boundaries=tuple(
            replace(
                line,
                c0_m=line.c0_m + chance.gauss(0.0, NOISE_M),
                c1=line.c1 + chance.gauss(0.0, NOISE_SLOPE),
                c2_1pm=line.c2_1pm + chance.gauss(0.0, NOISE_BEND_1PM),
                confidence=0.9,
                type=MarkingType.STUDS if as_studs and line.type is MarkingType.DASHED else line.type,
            )
            for line in model.boundaries
        ),
    )


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture: what is true, what perception told, what the ego lane makes of it."""

    truth: LaneModel
    told: LaneModel
    lane: EgoLane


@cache
def played(chosen: Drive, *, as_studs: bool = False) -> list[Picture]:
    """The drive through the executor; the ego lane needs nothing of the other functions."""
    chance = random.Random(7)
    executor = Executor(
        default_graph(),
        BuildContext(market=chosen.market, vehicle=chosen.vehicle),
        chosen.market.stages(),
        without=frozenset(spec.name for spec in default_graph().functions if spec.name != "ego_lane"),
    )
    arrivals: list[tuple[float, int, str, Signal]] = [
        (item.stamp_s, -1, "/vehicle/state", item) for item in chosen.vehicle_states()
    ]
    truth = [chosen.lanes(index) for index in range(chosen.frame_count)]
    told = [noisy(item, chance, as_studs=as_studs) for item in truth]
    arrivals += [(item.stamp_s + PICTURE_AGE_S, index, LANES, item) for index, item in enumerate(told)]
    found = []
    for now_s, index, topic, signal in sorted(arrivals, key=lambda item: item[:2]):
        for emission in executor.offer(topic, signal, now_s):
            if emission.topic == LANE and isinstance(emission.signal, EgoLane) and index >= 0:
                found.append(Picture(truth=truth[index], told=told[index], lane=emission.signal))
    assert len(found) == chosen.frame_count, "one lane with each picture"
    return found


def inner_m(line: LaneBoundary, x_m: float) -> float:
    half = 0.5 * (line.width_m or 0.0)
    return line.offset_m(x_m) + (-half if line.side is LaneSide.LEFT else half)


def centre_m(model: LaneModel, x_m: float) -> float:
    left, right = model.side(LaneSide.LEFT), model.side(LaneSide.RIGHT)
    assert left is not None and right is not None
    return 0.5 * (inner_m(left, x_m) + inner_m(right, x_m))


def rms(values: list[float]) -> float:
    return math.sqrt(sum(value * value for value in values) / len(values))


def same_lane(pictures: list[Picture], axle_m: float) -> list[Picture]:
    """Without the pictures around a line's crossing, where truth and estimate may stand in neighbouring lanes."""
    return [item for item in pictures if abs(item.lane.centre_m(axle_m) - centre_m(item.truth, axle_m)) < 1.0]


@pytest.mark.parametrize(
    ("market", "scenario", "as_studs"),
    [
        pytest.param("de", Scenario.DEMO, False, id="de-demo-with-lane-changes"),
        pytest.param("jp", Scenario.RURAL, False, id="jp-left-hand"),
        pytest.param("us", Scenario.RURAL, False, id="us-yellow-centre-line"),
        pytest.param("ae", Scenario.MOTORWAY, True, id="ae-studs"),
    ],
)
def test_the_lane_is_steadier_than_what_the_camera_tells(market: str, scenario: Scenario, as_studs: bool) -> None:
    chosen = drive(market=market, seconds=20.0, seed=3, scenario=scenario)
    axle_m = chosen.vehicle.dimensions.wheelbase_m
    pictures = played(chosen, as_studs=as_studs)[20:]
    here = same_lane(pictures, axle_m)
    assert len(here) >= 0.98 * len(pictures)
    told = rms([centre_m(item.told, axle_m) - centre_m(item.truth, axle_m) for item in here])
    error = rms([item.lane.centre_m(axle_m) - centre_m(item.truth, axle_m) for item in here])
    assert error < 0.8 * told and error < 0.020, f"{1e3 * error:.0f} mm, of the camera's {1e3 * told:.0f} mm"
    ahead = rms([item.lane.centre_m(20.0) - centre_m(item.truth, 20.0) for item in here])
    assert ahead < 0.060
    assert all(item.lane.edges and item.lane.is_fit_to_steer for item in here)


def test_it_is_at_least_as_good_as_the_departure_warnings_own_lines() -> None:
    """The same pictures through the filter of lane departure warning: distance and drift of both lines."""
    chosen = drive(market="de", seconds=20.0, seed=3, scenario=Scenario.DEMO)
    sizes, params = chosen.vehicle.dimensions, chosen.market.lane_departure
    pictures = played(chosen)
    lines: dict[LaneSide, Line | None] = dict.fromkeys(SIDES)
    mine: dict[str, list[float]] = {"distance": [], "rate": []}
    theirs: dict[str, list[float]] = {"distance": [], "rate": []}
    for index, item in enumerate(pictures):
        for side, sign in zip(SIDES, (1.0, -1.0), strict=True):
            told = item.told.side(side)
            assert told is not None
            measured = measure(told, sizes.wheelbase_m, sizes.tyre_outer_width_m, params)
            assert measured is not None
            line = lines[side] = follow(lines[side], measured, item.told.stamp_s, params)
            if not 20 <= index < len(pictures) - 2:
                continue
            around = [pictures[index + step].truth.side(side) for step in (-2, 0, 2)]
            before_m, here_m, after_m = (sign * inner_m(each, sizes.wheelbase_m) for each in around if each is not None)
            edge = item.lane.edge(side)
            assert edge is not None
            if abs(after_m - before_m) > 1.0 or abs(edge.distance_m - line.distance_m) > 0.5:
                continue  # the line that is crossed just now
            dtlm_m = here_m - 0.5 * sizes.tyre_outer_width_m
            rate_mps = (after_m - before_m) / (pictures[index + 2].truth.stamp_s - pictures[index - 2].truth.stamp_s)
            mine["distance"].append(edge.distance_m - dtlm_m)
            mine["rate"].append(edge.rate_mps - rate_mps)
            theirs["distance"].append(line.distance_m - dtlm_m)
            theirs["rate"].append(line.rate_mps - rate_mps)
    assert len(mine["rate"]) > 500
    assert rms(mine["distance"]) <= rms(theirs["distance"]) and rms(mine["rate"]) <= rms(theirs["rate"])


def test_german_works_are_followed_by_their_yellow_lines_and_no_longer() -> None:
    chosen = drive(market="de", seconds=20.0, seed=3, scenario=Scenario.WORKS)
    axle_m = chosen.vehicle.dimensions.wheelbase_m
    pictures = played(chosen)

    def is_yellow(item: Picture) -> bool:
        return all((line := item.truth.side(side)) is not None and line.colour.name == "YELLOW" for side in SIDES)

    begins = next(index for index, item in enumerate(pictures) if is_yellow(item))
    ends = next(index for index, item in enumerate(pictures) if index > begins and not is_yellow(item))
    assert all(item.lane.is_works for item in pictures[begins:ends])
    assert not any(item.lane.is_works for item in pictures[:begins] + pictures[ends + 8 :])
    settled = pictures[begins + 5 : ends] + pictures[20:begins] + pictures[ends + 10 :]
    error = rms([item.lane.centre_m(axle_m) - centre_m(item.truth, axle_m) for item in settled])
    assert error < 0.020, f"{1e3 * error:.0f} mm"
    in_works = pictures[begins + 5 : ends]
    assert all(item.lane.width_m is not None and item.lane.width_m < 2.75 for item in in_works)
    assert {item.lane.reason for item in in_works} <= {"works", "lane_too_narrow"}


def test_a_yellow_centre_line_means_oncoming_traffic_all_along() -> None:
    pictures = played(drive(market="us", seconds=20.0, seed=3, scenario=Scenario.RURAL))
    assert not any(item.lane.is_works for item in pictures)
    left = [edge for item in pictures[20:] if (edge := item.lane.edge(LaneSide.LEFT)) is not None]
    assert len(left) == len(pictures) - 20 and {edge.beyond.name for edge in left} == {"ONCOMING"}
