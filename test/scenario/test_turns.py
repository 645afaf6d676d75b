"""Turns at junctions and on bends in the closed loop: who is braked for, and who is not."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from adas_runtime.errors import AdasError
from adas_runtime.scenario.family import Family
from adas_runtime.scenario.road import Line, Turn, winding
from adas_runtime.scenario.suite import Order, build


def failed(name: str, step: int = 1) -> list[dict[str, Any]]:
    suite = build(Order(suite=name, market="de", vehicle="reference", seed=1, whole=False))
    results = [suite.run(number, 1, is_traced=False) for number in range(0, len(suite.drives), step)]
    assert len(results) >= 40
    return [item for item in results if item["verdict"] == "fail"]


@pytest.mark.parametrize(("name", "step"), [("turn_gap", 3), ("turn_roundabout", 3), ("turn_pedestrian", 1)])
def test_nobody_is_hit_and_nothing_is_braked_for_without_a_risk(name: str, step: int) -> None:
    assert failed(name, step) == []


def test_a_turn_across_an_oncoming_car_hits_it_only_beyond_the_standard_range() -> None:
    found = [item["parameters"] for item in failed("turn_across")]
    assert len(found) <= 8 and all(item["speed_kmh"] > 15.0 for item in found)
    assert all(item["later_s"] > 0.0 for item in found if item["speed_kmh"] <= 20.0)


def test_oncoming_traffic_on_a_bend_is_not_braked_for() -> None:
    """Warned of it is, where we and they are fast and no lane is seen."""
    found = failed("turn_bend", 4)
    assert Counter(item["failures"][0] for item in found).keys() <= {"warned without a risk"}
    assert len(found) <= 22, "of 108: 21 when it was written, half as many again before turns were judged"


def test_a_winding_road_turns_as_far_as_it_says_and_who_follows_it_keeps_his_distance() -> None:
    road = winding((Turn(10.0, 12.0, math.pi / 2.0, 6.0), Turn(5.0, 12.0, -math.pi / 2.0, 6.0)))
    line = Line(road.curvature_1pm, 90.0)
    assert line.pose(40.0)[2] == pytest.approx(math.pi / 2.0, abs=0.01)
    assert line.pose(85.0)[2] == pytest.approx(0.0, abs=0.01)
    course = line.course(60.0, 3.0, is_back=True)
    for way_m in (0.0, 7.0, 25.0):
        x_m, y_m, _ = course(way_m)
        nearest_m = min(math.hypot(x_m - line.pose(s)[0], y_m - line.pose(s)[1]) for s in range(91))
        assert nearest_m == pytest.approx(3.0, abs=0.1)
        ahead = course(way_m + 0.5)
        assert math.hypot(ahead[0] - x_m, ahead[1] - y_m) == pytest.approx(0.5, abs=0.06)


FAMILY = """format: 1
name: mine
title: A turn
grid: {{speed_kmh: [20]}}
speed_kmh: $speed_kmh
way: [{{after_m: 10, radius_m: {radius}, turn_deg: 90, ramp_m: 4}}]
actors: [{{kind: car, {place}, heading_deg: 180, speed_kmh: 30}}]
judge: {{impact_max_kmh: 0}}
"""


@pytest.mark.parametrize(
    ("radius", "place", "told"),
    [
        (2, "later_s: 0", "a ramp shorter than radius times turn"),
        (12, "later_s: 0, rear_m: 10", "give one of them"),
        (12, "on_our_way: {ahead_m: 20}", "leave out heading_deg"),
    ],
)
def test_what_is_wrong_with_a_way_is_one_line(tmp_path: Any, radius: float, place: str, told: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(FAMILY.format(radius=radius, place=place), encoding="utf-8")
    with pytest.raises(AdasError, match=told):
        Family(path)


def test_who_is_never_met_is_one_line(tmp_path: Any) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(FAMILY.format(radius=12, place="later_s: 0, y_m: -30"), encoding="utf-8")
    suite = build(Order(suite=str(path), market="de", vehicle="reference", seed=1, whole=False))
    with pytest.raises(AdasError, match="never crosses"):
        suite.run(0, 1, is_traced=False)
