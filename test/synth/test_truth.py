"""The departures that a drive contains, and what a warning system owes them."""

from __future__ import annotations

import numpy as np
import pytest
from synth_drives import drive

from adas_runtime.errors import AdasError
from adas_runtime.signals import AlertSide, Indicator, MarkingColour, MarkingType
from adas_runtime.synth import truth
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive

MARKETS = ("de", "jp", "ae", "cn", "eu")


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("seed", [0, 7])
def test_the_demo_holds_what_a_first_look_needs(market: str, seed: int) -> None:
    made = drive(market, seed=seed)
    codes = [item.code for item in made.departures]
    assert "lane_departure_left" in codes
    assert "lane_departure_right" in codes
    assert sum(item.must_not_warn for item in made.departures) == 1
    assert any(not actor.is_opposing for actor in made.plan.actors)
    assert any(actor.is_opposing for actor in made.plan.actors)
    assert any(made.signs(index).signs for index in range(0, made.frame_count, 20))
    light = made.plan.ambient.value(np.array([0.0, 30.0]))
    assert light[0] > 2.0 * light[1]
    curvature = np.abs(made.plan.road.line.curvature_at(made.motion.s_m))
    assert (curvature < 1e-5).sum() > 200 and (curvature > 1e-3).sum() > 300


@pytest.mark.clause("R130 6.5")
@pytest.mark.parametrize("market", MARKETS)
def test_departures_reach_beyond_the_latest_point_of_a_warning(market: str) -> None:
    made = drive(market)
    for item in made.departures:
        assert item.outer_s is not None
        if item.must_warn:
            assert item.limit_s is not None and not item.is_indicated
            assert item.inner_s < item.outer_s < item.limit_s < item.end_s


@pytest.mark.clause("R130 6.5")
def test_the_regulations_rates_occur_on_both_sides() -> None:
    made = drive("de", 150.0, 0, Scenario.R130)
    warned = [item for item in made.departures if item.must_warn]
    for side in (1, -1):
        rates = [item.rate_mps for item in warned if item.side == side]
        assert any(rate < 0.25 for rate in rates) and any(rate > 0.7 for rate in rates)
    assert any(item.must_not_warn for item in made.departures)
    assert all(0.09 <= item.rate_mps <= 0.85 for item in made.departures)
    speed = made.motion.speed_mps * 3.6
    assert speed.min() > 62.0 and speed.max() < 68.0


@pytest.mark.parametrize("scenario", [Scenario.CALM, Scenario.WORKS])
def test_a_calm_drive_touches_no_line(scenario: Scenario) -> None:
    for seed in range(3):
        assert drive("de", 40.0, seed, scenario).departures == ()


@pytest.mark.parametrize("seed", range(6))
def test_event_times_follow_from_the_tyres(seed: int) -> None:
    made = drive("de", 60.0, seed, Scenario.MOTORWAY)
    motion = made.motion
    for item in made.departures:
        tyre = motion.left_tyre_m if item.side > 0 else motion.right_tyre_m
        half = item.marking.overall_width_m / 2.0
        for when, level in ((item.inner_s, -half), (item.outer_s, half), (item.limit_s, half + 0.3)):
            if when is not None and when > motion.t_s[0]:
                reached = np.interp(when, motion.t_s, item.side * (tyre - item.marking.d_m))
                assert reached == pytest.approx(level, abs=0.01)
        assert item.is_indicated == (made.plan.indicator_at(item.inner_s) is not Indicator.OFF)


def test_truth_alerts_come_in_pairs() -> None:
    made = drive("de")
    said = truth.alerts(made.departures, 1000.0)
    assert [alert.is_active for alert in said if alert.side is AlertSide.LEFT][:2] == [True, False]
    assert len(said) == 2 * len(made.departures)
    pairs = dict(part.split("=") for part in said[0].cause.split())
    assert float(pairs["inner_s"]) == pytest.approx(said[0].since_s - 1000.0, abs=1e-3)


def test_the_driver_steers_on_purpose_only() -> None:
    made = drive("de")
    torque = np.array([state.driver_torque_nm for state in made.vehicle_states()], dtype=float)
    drift = next(item for item in made.plan.manoeuvres if item.kind == "departure")
    change = next(item for item in made.plan.manoeuvres if item.kind == "lane_change")
    curve = 0.9 * (made.plan.road.line.curvature_at(made.motion.s_m) * made.motion.speed_mps**2)[: len(torque)]
    own = np.abs(torque - curve)
    event = next(item for item in made.departures if item.must_warn)
    assert own[int(drift.begin_s * 100) : int(event.inner_s * 100)].max() < 0.3
    assert own[int(change.begin_s * 100) : int(change.end_s * 100)].max() > 1.0


def test_left_hand_traffic_is_the_mirror() -> None:
    right, left = drive("de"), drive("jp")
    assert right.plan.road.kerb == -1 and left.plan.road.kerb == 1
    opposing = {
        name: next(lane for lane in made.plan.road.lanes if lane.is_opposing).d_m
        for name, made in (("de", right), ("jp", left))
    }
    assert opposing["de"] > 0.0 > opposing["jp"]
    assert all(sign.d_m < 0.0 for sign in right.plan.signs) and all(sign.d_m > 0.0 for sign in left.plan.signs)
    assert next(item for item in right.departures if item.must_not_warn).side == 1
    assert next(item for item in left.departures if item.must_not_warn).side == -1


def test_markings_are_the_markets() -> None:
    emirates, germany = drive("ae"), drive("de")
    edges = [item for item in emirates.plan.road.markings if item.type is MarkingType.SOLID]
    assert {item.colour for item in edges} == {MarkingColour.YELLOW}
    opposing = next(item for item in emirates.plan.road.markings if item.type is MarkingType.DOUBLE_SOLID)
    assert opposing.colour is MarkingColour.YELLOW
    assert any(item.type is MarkingType.STUDS for item in emirates.plan.road.markings)
    dashes = next(item for item in germany.plan.road.markings if item.type is MarkingType.DASHED)
    facts = germany.market.lanes
    assert (dashes.dash_m, dashes.gap_m, dashes.width_m) == (
        facts.dash.paint_m,
        facts.dash.gap_m,
        facts.line_width.lane_m,
    )


def test_works_lines_replace_the_permanent_ones_in_truth_only() -> None:
    made = drive("de", 40.0, 0, Scenario.WORKS)
    inside = [made.lanes(index) for index in range(300, 600, 50)]
    assert all(b.colour is MarkingColour.YELLOW for model in inside for b in model.boundaries)
    assert {item.colour for item in made.plan.road.markings} == {MarkingColour.YELLOW, MarkingColour.WHITE}
    assert all(b.colour is MarkingColour.WHITE for b in made.lanes(0).boundaries)


@pytest.mark.parametrize("scenario", list(Scenario))
def test_no_car_is_driven_into(scenario: Scenario) -> None:
    for seed in range(3):
        made = drive("de", 120.0, seed, scenario)
        for index in range(0, made.frame_count, 10):
            for item in made.objects(index).objects:
                assert item.length_m is not None and item.width_m is not None
                inside = -item.length_m < item.x_m < made.vehicle.dimensions.length_m
                assert not (inside and abs(item.y_m) < 0.5 * (item.width_m + made.vehicle.dimensions.width_m)), index


def test_objects_say_where_the_cars_are() -> None:
    made = drive("de")
    objects = made.objects(20).objects
    lead = next(item for item in objects if item.object_id == 1)
    assert 30.0 < lead.x_m < 60.0 and abs(lead.y_m) < 2.5 and abs(lead.speed_x_mps - 25.0) < 3.0
    oncoming = [item for item in objects if item.speed_x_mps < 0.0]
    assert oncoming and all(item.y_m > 3.0 for item in oncoming)


@pytest.mark.parametrize(
    ("spec", "word"),
    [
        (DriveSpec(seconds=0.0), "--seconds"),
        (DriveSpec(seconds=float("nan")), "--seconds"),
        (DriveSpec(fps=0.0), "--fps"),
        (DriveSpec(seed=-1), "--seed"),
        (DriveSpec(width_px=640, height_px=640), "--width"),
        (DriveSpec(width_px=10), "--width"),
        (DriveSpec(market="nowhere"), "nowhere"),
        (DriveSpec(vehicle="nothing"), "nothing"),
    ],
)
def test_a_wrong_specification_is_refused_in_one_line(spec: DriveSpec, word: str) -> None:
    with pytest.raises(AdasError) as caught:
        make_drive(spec)
    assert word in caught.value.line() and "\n" not in caught.value.line()
