"""OpenSCENARIO files: the ALKS suite loads and runs; what is not understood is refused by its name."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.market import load_market
from adas_runtime.scenario.braking import Actor, Drive, Sensor, drive, loop_graph
from adas_runtime.scenario.openscenario import OpenScenario, _Road
from adas_runtime.scenario.suite import Order, build
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle import load_vehicle

VEHICLE = load_vehicle("reference")
FRONT_M = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m

OSC = Path(__file__).parent / "osc"
ACT = 'value="{}" rule="greaterOrEqual"/></ByValueCondition></Condition></ConditionGroup></StartTrigger></Act>'


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    (folder / "road.xodr").write_text((OSC / "road.xodr").read_text(encoding="utf-8"), encoding="utf-8")
    text = (OSC / "cut.xosc").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "cut.xosc"
    path.write_text(text, encoding="utf-8")
    return path


def order(path: Path) -> Order:
    return Order(suite=str(path), market="de", vehicle="reference", seed=1, whole=False)


def test_the_others_follow_their_script(tmp_path: Path) -> None:
    """The lane change begins 30 m before our bumper, and its greatest speed across is the one that the file says."""
    case = OpenScenario(write(tmp_path), VEHICLE).cases[0]
    assert case.drive.speed_mps == 20.0 and case.drive.long_s == 30.0 and case.drive.movers is not None
    (other,) = case.drive.movers()
    assert other.kind is ObjectClass.CAR and other.size_m == (4.5, 1.8)
    # our rear axle is at 10 m, its reference point 60 m farther on, its middle 1.5 m ahead of that
    assert other.x_m == pytest.approx(61.5 - FRONT_M) and other.y_m == pytest.approx(-1.5 - 1.75)
    begun_m = fastest = 0.0
    way_m = 0.0
    for step in range(1500):
        way_m += 0.2
        other.move(step * 0.01, way_m, 20.0)
        gap_m = other.x_m - 2.25 - way_m
        if other.across_mps and not begun_m:
            begun_m = gap_m
        fastest = max(fastest, other.across_mps)
    assert other.speed_mps == 15.0
    assert begun_m == pytest.approx(30.0, abs=0.1)
    assert fastest == pytest.approx(1.5, abs=0.01)
    assert other.y_m == pytest.approx(0.0, abs=1e-6)


def test_a_drive_is_judged_and_repeats_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    assert main(["scenario", "run", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scenario"] == "cut" and found["verdict"] == "pass" and found["impact_kmh"] == 0.0
    suite = build(order(path))
    assert suite.run(0, 1, is_traced=False) == suite.run(0, 1, is_traced=False)


def test_a_variation_is_spread_and_its_constraints_discard(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "varied.xosc"
    path.write_text((OSC / "varied.xosc").read_text(encoding="utf-8"), encoding="utf-8")
    found = OpenScenario(path, VEHICLE)
    assert [case.parameters for case in found.cases] == [
        {"speed": 10.0, "slower": 5.0},
        *({"speed": 20.0, "slower": slower} for slower in (5.0, 10.0, 15.0)),
    ]
    assert found.discarded == 2, "no slower than standing"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(("LaneChangeAction>", "LaneJumpAction>"), "LaneJumpAction", id="action"),
        pytest.param(("RelativeDistanceCondition", "SpeedCondition"), "SpeedCondition", id="condition"),
        pytest.param(('laneId="-1"', 'laneId="-7"'), "lane -7 is not on the road", id="lane"),
        pytest.param(("$slower}", "$slow}"), "$slow", id="parameter"),
        pytest.param(("${-$slower}", "${__import__($slower)}"), "expression", id="expression"),
        pytest.param(('name="Ego"', 'name="Hero"'), "no entity", id="no-ego"),
        pytest.param(("road.xodr", "none.xodr"), "none.xodr", id="road"),
        pytest.param(('"sinusoidal"', '"step"'), "shape", id="shape"),
        pytest.param((ACT.format(0), ACT.format(9)), "an act that begins later", id="act"),
        pytest.param(("<OpenSCENARIO>", "<!DOCTYPE x []><OpenSCENARIO>"), "declares entities", id="entities"),
        pytest.param(("</Storyboard>", ""), "cannot be read", id="no-xml"),
    ],
)
def test_what_is_not_understood_is_one_line_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], told: str
) -> None:
    assert main(["scenario", "run", str(write(tmp_path, change))]) == 2
    err = capsys.readouterr().err
    assert told in err and "Traceback" not in err and err.count("\n") == 1


def test_a_road_is_where_lines_arcs_and_spirals_lead() -> None:
    road = _Road([(100.0, 0.0, 0.0), (50.0, 0.0, 0.01), (100.0, 0.01, 0.01)], {})
    assert road.place(60.0, 2.0) == pytest.approx((60.0, 2.0, 0.0))
    x_m, y_m, turned = road.place(150.0, 0.0)
    assert turned == pytest.approx(0.25) and y_m == pytest.approx(50.0 * 0.25 / 3.0, rel=0.02) and x_m < 150.0
    far_x, far_y, far_turned = road.place(250.0, 0.0)
    assert far_turned == pytest.approx(1.25)
    # the arc of 100 m radius, from its own begin
    arc_x, arc_y = 100.0 * (math.sin(1.25) - math.sin(0.25)), 100.0 * (math.cos(0.25) - math.cos(1.25))
    assert (far_x - x_m, far_y - y_m) == pytest.approx((arc_x, arc_y), abs=0.01)


# --- the suites -------------------------------------------------------------------------------------------------------


def files(shared_data: Path, part: str) -> list[Path]:
    folder = shared_data / "scenarios" / part
    if not folder.is_dir():
        pytest.skip(f"the folder scenarios/{part} of the shared data is missing")
    return [path for path in sorted(folder.rglob("*.xosc")) if "atalog" not in str(path)]


def test_all_files_of_the_alks_suite_load(shared_data: Path) -> None:
    found = {path.stem: OpenScenario(path, VEHICLE) for path in files(shared_data, "alks") if "4_5_2" not in path.stem
             and "4_4_1_cut_in_no_collision_variation" not in path.stem}  # fmt: skip
    assert len(found) >= 20
    assert all(scenario.cases for scenario in found.values())
    walk = found["alks_scenario_4_2_3_crossing_pedestrian_variation"]
    assert walk.discarded == len(walk.cases), "the lanes against the road's direction"


def test_every_template_of_the_alks_suite_hits_nobody(shared_data: Path) -> None:
    """By emergency braking alone; also the cut-in that the suite calls unavoidable."""
    templates = [path for path in files(shared_data, "alks") if path.stem.endswith("_template")]
    assert len(templates) == 15
    for path in templates:
        found = build(order(path)).run(0, 1, is_traced=False)
        assert found["verdict"] == "pass", path.stem


def test_the_ncap_files_that_are_read_hit_nobody_they_see_in_time_and_the_others_are_refused_by_name(
    shared_data: Path,
) -> None:
    read, refused = 0, {}
    for path in files(shared_data, "ncap"):
        try:
            suite = build(order(path))
        except AdasError as error:
            refused[path.stem] = error.what
            continue
        read += 1
        for number in range(0, len(suite.drives), max(len(suite.drives) // 5, 1)):
            found = suite.run(number, 1, is_traced=False)
            is_late = "CPNCO" in path.stem and float(found["parameters"].get("Ego_speed_kph", 50.0)) > 50.0
            assert found["verdict"] == "pass" or is_late, (path.stem, number)
    assert read >= 27
    assert all("is not understood" in what for what in refused.values())


@pytest.mark.parametrize("name", ["CPNA-25_50kph", "CPFA-50_50kph", "CPNCO-50_50kph", "CPLA-50_50kph"])
def test_who_is_not_braked_for_is_hit(shared_data: Path, name: str) -> None:
    """The scripts meet us: a car that sees nothing hits at full speed."""
    (path,) = [path for path in files(shared_data, "ncap") if name in path.stem]
    suite = build(order(path))
    outcome = drive(suite.drives[0], suite.market, suite.vehicle, suite.graph, Sensor(miss_share=1.0))
    assert outcome.impact_mps == pytest.approx(suite.drives[0].speed_mps)


def test_who_stands_behind_another_is_not_seen() -> None:
    """A child behind a parked car is told of only as it comes out."""
    car = Actor(kind=ObjectClass.CAR, x_m=30.0, y_m=-2.5)
    child = Actor(kind=ObjectClass.PEDESTRIAN, x_m=34.0, y_m=-3.0)
    graph, market = loop_graph(), load_market("de")
    free = drive(Drive(name="free", speed_mps=5.0, actors=(replace(child, y_m=0.0),)), market, VEHICLE, graph)
    assert free.braked_s is not None
    crossing = replace(child, y_m=-6.0, heading_rad=math.pi / 2.0, speed_mps=1.0)
    alone = drive(Drive(name="alone", speed_mps=6.0, actors=(crossing,)), market, VEHICLE, graph)
    hidden = drive(Drive(name="hidden", speed_mps=6.0, actors=(crossing, car)), market, VEHICLE, graph)
    assert alone.warned_s is not None and hidden.warned_s is not None
    assert hidden.warned_s >= alone.warned_s
