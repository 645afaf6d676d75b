"""Euro NCAP 2026's frontal scenarios in the closed loop: nobody is hit, but for what the docs name."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from adas_runtime.cli import main
from adas_runtime.market import load_market
from adas_runtime.scenario import ncap
from adas_runtime.scenario.braking import REAL_SENSOR, drive, loop_graph
from adas_runtime.vehicle import load_vehicle

MARKET, VEHICLE, GRAPH = load_market("de"), load_vehicle("reference"), loop_graph()
CASES = list(ncap.cases(VEHICLE.dimensions.width_m))
FAMILIES = tuple(dict.fromkeys(case.family for case in CASES))
HIT = {"CCCscp", "CBNAO"}  # from outside the sensor's view; seen too late behind parked cars


@pytest.mark.parametrize("family", [family for family in FAMILIES if family not in HIT])
def test_nobody_is_hit(family: str) -> None:
    for case in CASES:
        if case.family == family:
            outcome = drive(case.drive, MARKET, VEHICLE, GRAPH, seed=11)
            assert outcome.impact_mps is None, case.drive.name
            assert outcome.warned_s is not None and outcome.modes >= 2, case.drive.name


@pytest.mark.parametrize("family", ["CCFtap", "CMFtap"])
def test_a_turn_across_oncoming_traffic_hits_somebody_where_nothing_brakes(family: str) -> None:
    """The meeting is one: a car whose sensor sees nobody is hit, or hits, every time."""
    blind = replace(REAL_SENSOR, range_m=0.0)
    for case in CASES:
        if case.family == family:
            outcome = drive(case.drive, MARKET, VEHICLE, GRAPH, blind, seed=11)
            assert outcome.impact_mps == pytest.approx(case.drive.speed_mps), case.drive.name


def test_a_car_that_crosses_is_avoided_wherever_the_sensor_sees_it_come() -> None:
    wide = replace(REAL_SENSOR, view_rad=1.4)
    for case in CASES:
        if case.family == "CCCscp":
            outcome = drive(case.drive, MARKET, VEHICLE, GRAPH, wide, seed=11)
            assert outcome.impact_mps is None, case.drive.name


def test_who_comes_out_from_behind_parked_cars_is_hit_slower() -> None:
    for case in CASES:
        if case.family == "CBNAO":
            outcome = drive(case.drive, MARKET, VEHICLE, GRAPH, seed=11)
            assert outcome.impact_mps is None or outcome.impact_mps < 0.85 * case.drive.speed_mps, case.drive.name


def test_every_name_of_the_sheet_that_is_driven_has_its_range() -> None:
    speeds = {family: {c.speed_kmh for c in CASES if c.family == family} for family in FAMILIES}
    assert speeds["CCRs"] == {10.0, 20.0, 30.0, 40.0, 50.0}
    assert speeds["CCRm"] == {30.0, 40.0, 50.0, 60.0, 70.0, 80.0, 90.0, 100.0, 110.0, 120.0, 130.0}
    assert speeds["CCRb"] == {30.0, 40.0, 50.0, 60.0, 70.0, 80.0}
    assert speeds["CPNA"] == speeds["CPFA"] == speeds["CBNA"] == {10.0, 20.0, 30.0, 40.0, 50.0, 60.0}
    assert speeds["CBLA"] == {20.0, 30.0, 40.0, 50.0, 60.0}
    for family in ("CCFtap", "CMFtap"):
        assert {(c.speed_kmh, c.other_kmh) for c in CASES if c.family == family} == {
            (own, other) for own in (10.0, 15.0, 20.0) for other in (30.0, 45.0, 60.0)
        }
    assert {(c.speed_kmh, c.other_kmh) for c in CASES if c.family == "CCCscp"} == {
        (float(own), float(other)) for own in range(20, 70, 10) for other in range(20, 70, 10)
    }


def test_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", "ncap"]) == 1, "somebody is hit"
    assert f"of {len(CASES)} drives fail" in capsys.readouterr().out
    main(["scenario", "run", "ncap", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {line["scenario"] for line in lines} == set(FAMILIES)
    assert all((line["verdict"] == "pass") == (line["impact_kmh"] == 0.0) for line in lines)
