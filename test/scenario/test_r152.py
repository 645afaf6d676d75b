"""UN R152 in the closed loop: every row at both loads, warning leads, and the scenarios in which nothing may happen."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from adas_runtime.aeb.core import Inputs, build
from adas_runtime.aeb.table import R152, Load, Target
from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.scenario import r152
from adas_runtime.scenario.braking import Actor, Drive, Sensor, drive, loop_graph
from adas_runtime.scenario.openacc import read
from adas_runtime.signals import ObjectClass, TrackedObject, TrackedObjects, VehicleState
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

MARKET, VEHICLE = load_market("de"), load_vehicle("reference")
GRAPH = loop_graph()
CASES = list(r152.cases("M1"))


@pytest.mark.parametrize("case", CASES, ids=[f"{case.clause} {case.drive.name}" for case in CASES])
def test_every_row_and_every_false_reaction_scenario(case: r152.Case) -> None:
    """At running order and maximum mass, with and without a lane, with a noisy sensor that is late and misses."""
    judged = r152.judge(case, drive(case.drive, MARKET, VEHICLE, GRAPH, seed=7))
    assert judged.verdict == "pass", judged.failures


def test_the_suite_holds_every_row_of_the_tables_at_both_loads() -> None:
    for target, families in r152.TABLES.items():
        for family, _, faster_kmh, _ in families:
            for load in Load:
                driven = {c.speed_kmh - faster_kmh for c in CASES if c.family == family and c.load is load}
                assert driven == {row[0] for row in R152["M1", target]}


@pytest.mark.parametrize("name", ["car_stationary_42_maximum_none", "pedestrian_near_40_running_order_straight"])
def test_the_whole_graph_does_the_same(name: str) -> None:
    case = next(case for case in CASES if case.drive.name == name)
    judged = r152.judge(case, drive(case.drive, MARKET, VEHICLE, default_graph(), seed=7))
    assert judged.verdict == "pass", judged.failures


def test_a_van_is_judged_by_its_own_table() -> None:
    van = VEHICLE.model_copy(update={"category": "N1"})
    case = next(case for case in r152.cases("N1") if case.drive.name == "bicycle_38_maximum_none")
    assert case.limit_kmh == 15.0
    assert r152.judge(case, drive(case.drive, MARKET, van, GRAPH)).verdict == "pass"


def test_a_judge_that_could_not_fail_would_be_none() -> None:
    """A car with weak brakes hits, at a speed that the table forbids; one that never brakes fails by every clause."""
    case = next(case for case in CASES if case.drive.name == "car_stationary_40_running_order_none")
    weak = VEHICLE.model_copy(update={"brakes": VEHICLE.brakes.model_copy(update={"decel_mps2": 4.0})})  # type: ignore[union-attr]
    judged = r152.judge(case, drive(case.drive, MARKET, weak, GRAPH))
    assert judged.verdict == "fail" and any("5.2.1.4" in text for text in judged.failures)
    blind = drive(case.drive, MARKET, VEHICLE, GRAPH, Sensor(miss_share=1.0))
    judged = r152.judge(case, blind)
    assert blind.impact_kmh == pytest.approx(40.0)
    assert {text.split(":")[0] for text in judged.failures} >= {"R152 5.2.1.4", "R152 5.2.1.2", "R152 5.5.1"}


def test_same_seed_same_outcome() -> None:
    case = CASES[20].drive
    assert drive(case, MARKET, VEHICLE, GRAPH, seed=3) == drive(case, MARKET, VEHICLE, GRAPH, seed=3)


def test_who_steps_out_late_is_braked_for_with_the_warning() -> None:
    """B04: a collision that could not be anticipated 0.8 s ahead is warned of with the braking."""
    speed_mps = kmh_to_mps(40.0)
    child = Actor(
        kind=ObjectClass.PEDESTRIAN, x_m=5.0 * speed_mps, y_m=-7.0, heading_rad=math.pi / 2.0, speed_mps=1.4,
        seen_from_s=4.0,
    )  # fmt: skip
    outcome = drive(Drive(name="late", speed_mps=speed_mps, actors=(child,)), MARKET, VEHICLE, GRAPH)
    assert outcome.lead_s is not None and outcome.lead_s >= 0.0
    assert outcome.impact_mps is None or outcome.impact_mps < 0.7 * speed_mps


def test_the_command_prints_a_table_and_one_object_a_drive(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", "r152", "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == len(CASES)
    first = lines[0]
    assert first["verdict"] == "pass" and first["parameters"]["speed_kmh"] == 10.0
    assert first["impact_kmh"] == 0.0 and first["warning_lead_s"] >= 0.8
    assert main(["scenario", "run", "r131"]) == 2
    assert "take one of ncap, r152, bend_beside" in capsys.readouterr().err


def test_a_car_whose_brakes_nobody_knows_is_not_driven(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", "r152", "--vehicle", "unknown_camera"]) == 2
    assert "brakes" in capsys.readouterr().err


def test_no_reaction_in_two_hours_of_people_and_acc_cars_that_follow_each_other(shared_data: Path) -> None:
    """The recordings of OpenACC; a recorded gap that falls to nothing says that the pair's gap is not true."""
    folder = shared_data / "car_following"
    if not folder.is_dir():
        pytest.skip("the folder car_following of the shared data is missing")
    driven_s = 0.0
    for path in sorted(folder.rglob("*.csv")):
        try:
            recording = read(path)
        except AdasError:  # tables of another kind stand beside them
            continue
        for pair in recording.pairs:
            if min((gap for gap in pair.gap_m if math.isfinite(gap)), default=0.0) < 0.5:
                continue
            core = build(BuildContext(market=MARKET, vehicle=VEHICLE))
            former: tuple[float, float] | None = None
            for t_s, speed, lead, gap in zip(pair.t_s, pair.speed_mps, pair.lead_mps, pair.gap_m, strict=True):
                if not math.isfinite(speed + lead + gap):
                    former = None
                    continue
                accel, lead_accel = (
                    (0.0, 0.0) if former is None else ((speed - former[0]) / 0.1, (lead - former[1]) / 0.1)
                )
                former, now_s = (speed, lead), 1000.0 + t_s
                item = TrackedObject(
                    object_id=1, object_class=ObjectClass.CAR, x_m=3.5 + gap, y_m=0.0, speed_x_mps=lead,
                    speed_y_mps=0.0, accel_x_mps2=lead_accel, x_std_m=0.1, y_std_m=0.1, speed_x_std_mps=0.1,
                    confidence=0.95, age_s=10.0, sources=("camera", "radar"),
                )  # fmt: skip
                vehicle = VehicleState(stamp_s=now_s, speed_mps=speed, accel_mps2=accel, is_braking=accel < -0.5)
                core.step(Inputs(vehicle=vehicle, objects=TrackedObjects(stamp_s=now_s, objects=(item,))), now_s)
                driven_s += 0.1
            assert core.state.warnings == core.state.brakings == 0, (path.name, pair.lead_name, pair.name)
    assert driven_s > 3600.0


def test_targets_are_all_driven() -> None:
    assert {case.target for case in CASES} == {*Target, None}
