"""CommonRoad files: the others as recorded, our car along the lanelets; what cannot be driven is one line."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.scenario.commonroad import CommonRoad
from adas_runtime.vehicle import load_vehicle

VEHICLE = load_vehicle("reference")
FRONT_M = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
HALF_M = 0.5 * VEHICLE.dimensions.length_m


def point(x_m: float, y_m: float) -> str:
    return f"<point><x>{x_m}</x><y>{y_m}</y></point>"


def lanelet(name: int, middle: list[tuple[float, float]], *successors: int, kind: str = "urban") -> str:
    """A lanelet of 3.5 m, eastward."""
    left = "".join(point(x, y + 1.75) for x, y in middle)
    right = "".join(point(x, y - 1.75) for x, y in middle)
    after = "".join(f'<successor ref="{ref}"/>' for ref in successors)
    return (
        f'<lanelet id="{name}"><leftBound>{left}</leftBound><rightBound>{right}</rightBound>{after}'
        f"<laneletType>{kind}</laneletType></lanelet>"
    )


def state(tag: str, step: int, x_m: float, y_m: float, speed_mps: float, heading_rad: float = 0.0) -> str:
    return (
        f"<{tag}><position>{point(x_m, y_m)}</position><orientation><exact>{heading_rad}</exact></orientation>"
        f"<time><exact>{step}</exact></time><velocity><exact>{speed_mps}</exact></velocity></{tag}>"
    )


def car(name: int, x_m: float, y_m: float, speed_mps: float, steps: int = 80, first: int = 0) -> str:
    later = "".join(
        state("state", first + step, x_m + 0.1 * step * speed_mps, y_m, speed_mps) for step in range(1, steps + 1)
    )
    return (
        f'<dynamicObstacle id="{name}"><type>car</type><shape><rectangle><length>4.0</length><width>1.8</width>'
        f"</rectangle></shape>{state('initialState', first, x_m, y_m, speed_mps)}<trajectory>{later}</trajectory>"
        "</dynamicObstacle>"
    )


def problem(
    speed_mps: float = 15.0, x_m: float = 20.0, y_m: float = 0.0, heading_rad: float = 0.0, goal: str = ""
) -> str:
    goal = goal or "<time><intervalStart>0</intervalStart><intervalEnd>80</intervalEnd></time>"
    return (
        f'<planningProblem id="9">{state("initialState", 0, x_m, y_m, speed_mps, heading_rad)}'
        f"<goalState>{goal}</goalState></planningProblem>"
    )


def write(folder: Path, *parts: str, version: str = "2020a", lanes: str = "") -> Path:
    path = folder / "mine.xml"
    lanes = lanes or lanelet(1, [(0.0, 0.0), (400.0, 0.0)])
    path.write_text(
        f'<commonRoad commonRoadVersion="{version}" benchmarkID="mine" timeStepSize="0.1">{lanes}{"".join(parts)}'
        "</commonRoad>",
        encoding="utf-8",
    )
    return path


def driven(path: Path, capsys: pytest.CaptureFixture[str], *more: str) -> dict[str, object]:
    assert main(["scenario", "run", str(path), "--json", *more]) in (0, 1)
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def test_a_slower_car_ahead_is_braked_for(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = driven(write(tmp_path, problem(), car(2, 60.0, 0.0, 5.0)), capsys)
    assert (
        found["verdict"] == "pass" and found["demand_mps2"] == pytest.approx(7.8) and 0.0 < float(str(found["gap_m"]))
    )


def test_who_runs_into_us_from_behind_is_not_our_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Recorded traffic does not react; the reason is told."""
    path = write(tmp_path, problem(10.0, x_m=60.0), car(2, 40.0, 0.0, 20.0))
    found = driven(path, capsys)
    assert found["verdict"] == "not_applicable" and found["impact_kmh"] == 0.0
    assert main(["scenario", "run", str(path)]) == 0
    assert "runs into us" in capsys.readouterr().out


def test_a_stopped_car_too_near_is_hit_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = driven(write(tmp_path, problem(25.0), car(2, 40.0, 0.0, 0.0)), capsys)
    assert found["verdict"] == "fail" and float(str(found["impact_kmh"])) > 30.0


@pytest.mark.parametrize(
    ("goal", "is_reached"),
    [
        pytest.param((100.0, 0.0, 0, 80), True, id="on-our-way"),
        pytest.param((100.0, 20.0, 0, 80), False, id="beside"),
        pytest.param((100.0, 0.0, 0, 20), False, id="too-late"),
        pytest.param((395.0, 0.0, 0, 80), False, id="too-far"),
    ],
)
def test_a_goal_is_a_place_at_a_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], goal: tuple[float, float, int, int], is_reached: bool
) -> None:
    x_m, y_m, first, last = goal
    text = (
        f"<position><rectangle><length>4</length><width>3</width><center><x>{x_m}</x><y>{y_m}</y></center></rectangle>"
        f"</position><time><intervalStart>{first}</intervalStart><intervalEnd>{last}</intervalEnd></time>"
    )
    path = write(tmp_path, problem(goal=text))
    assert driven(path, capsys)["is_goal_reached"] is is_reached
    assert main(["scenario", "run", str(path)]) == 0, "no verdict hangs on it"
    assert f"goal reached in {int(is_reached)} of 1" in capsys.readouterr().out


def test_the_others_come_and_go_as_recorded(tmp_path: Path) -> None:
    """Between two states they are in between; before the first and after the last they are nowhere."""
    path = write(tmp_path, problem(), car(2, 60.0, 3.5, 10.0, steps=20, first=10))
    drive = CommonRoad(path, VEHICLE).cases[0].drive
    assert drive.movers is not None
    (other,) = drive.movers()
    assert not other.is_there
    other.move(1.55, 0.0, 15.0)
    assert other.is_there and other.speed_mps == 10.0
    # our middle is at 20 m, our front half a length on; recorded from 1.0 s on
    assert other.x_m == pytest.approx(60.0 + 5.5 - 20.0 - HALF_M) and other.y_m == pytest.approx(3.5)
    other.move(3.1, 0.0, 15.0)
    assert not other.is_there


def test_our_car_follows_the_lanelets_to_the_goal(tmp_path: Path) -> None:
    """At the fork it takes the branch of the goal, not the straight one, and comes to its middle from an offset."""
    arc = [
        (100.0 + 60.0 * math.sin(a), 60.0 - 60.0 * math.cos(a)) for a in [index * math.pi / 20 for index in range(11)]
    ]
    left, right = [], []
    for index, (x, y) in enumerate(arc):
        a = index * math.pi / 20
        left.append(point(x - 1.75 * math.sin(a), y + 1.75 * math.cos(a)))
        right.append(point(x + 1.75 * math.sin(a), y - 1.75 * math.cos(a)))
    bend = (
        f'<lanelet id="3"><leftBound>{"".join(left)}</leftBound><rightBound>{"".join(right)}</rightBound>'
        "<laneletType>urban</laneletType></lanelet>"
    )
    lanes = lanelet(1, [(0.0, 0.0), (100.0, 0.0)], 2, 3) + lanelet(2, [(100.0, 0.0), (400.0, 0.0)]) + bend
    time = "<time><intervalStart>0</intervalStart><intervalEnd>200</intervalEnd></time>"
    path = write(tmp_path, problem(10.0, y_m=1.0, goal=f'<position><lanelet ref="3"/></position>{time}'), lanes=lanes)
    drive = CommonRoad(path, VEHICLE).cases[0].drive
    assert drive.curvature is not None
    back_m = FRONT_M - HALF_M
    x_m, y_m, heading = 20.0 - back_m, 1.0, 0.0
    worst_m = 0.0
    for step in range(3500):
        heading += drive.curvature(step * 0.05) * 0.05
        x_m, y_m = x_m + 0.05 * math.cos(heading), y_m + 0.05 * math.sin(heading)
        if 60.0 < x_m < 100.0:
            worst_m = max(worst_m, abs(y_m))
        elif x_m >= 100.0 and heading < math.pi / 2 - 0.05:
            worst_m = max(worst_m, abs(math.dist((x_m, y_m), (100.0, 60.0)) - 60.0))
    assert worst_m < 0.6, "the middle of the lane"
    assert heading == pytest.approx(math.pi / 2, abs=0.1)


@pytest.mark.parametrize(
    ("kind", "is_driven"), [pytest.param("interstate", True, id="motorway"), pytest.param("urban", False, id="town")]
)
def test_automated_lane_keeping_drives_where_the_map_says_motorway(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, is_driven: bool
) -> None:
    path = write(tmp_path, problem(14.0), lanes=lanelet(1, [(0.0, 0.0), (400.0, 0.0)], kind=kind))
    found = driven(path, capsys, "--ego", "alks")
    assert (found["verdict"] == "pass") is is_driven


TWICE = car(2, 60.0, 0.0, 5.0)


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param((TWICE,), "no planning problem", id="no-problem"),
        pytest.param((problem(0.0),), "stands at the start", id="standing"),
        pytest.param((problem(y_m=9.0),), "beside every lanelet", id="off-road"),
        pytest.param((problem(heading_rad=3.1),), "against the direction", id="wrong-way"),
        pytest.param((problem(), car(2, 21.0, 0.0, 5.0)), "another one stands where", id="occupied"),
        pytest.param((problem(), TWICE.replace("rectangle>", "polygon>")), "shape of obstacle 2", id="shape"),
        pytest.param((problem(), TWICE.replace("trajectory>", "occupancySet>")), "occupancy set", id="occupancy"),
        pytest.param((problem(), TWICE.replace("<exact>5.0", "<exact>fast")), "is no number", id="no-number"),
        pytest.param((problem(), "<!-- <!DOCTYPE x> -->"), "declares entities", id="entities"),
    ],
)
def test_where_our_car_cannot_be_driven_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], parts: tuple[str, ...], told: str
) -> None:
    assert main(["scenario", "run", str(write(tmp_path, *parts))]) == 2
    err = capsys.readouterr().err
    assert told in err and "mine.xml" in err and "Traceback" not in err and err.count("\n") == 1


def test_another_version_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", str(write(tmp_path, problem(), version="2017a"))]) == 2
    assert "2018b or 2020a" in capsys.readouterr().err


def test_our_own_recorded_car_is_not_met(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert driven(write(tmp_path, problem(), car(9, 20.0, 0.0, 15.0)), capsys)["verdict"] == "pass"


VERDICTS = {  # with emergency braking alone; None: one line
    "DEU_A9-3_1_T-1": "pass",
    "USA_US101-3_3_T-1": "pass",
    "USA_Lanker-1_3_T-1": "pass",
    "FRA_Anglet-1_1_T-1": "pass",
    "BEL_Putte-8_2_T-1": "not_applicable",
    "DEU_Moelln-4_4_T-1": "fail",
    "OSC_CutIn-1_2_T-1": "fail",
    "OSC_PedestrianCollision-1_1_T-1": "pass",
    "USA_Peach-4_8_T-1": None,
    "DEU_Starnberg-1_1_T-1": None,
}


@pytest.mark.parametrize("name", VERDICTS)
def test_the_shared_files(shared_data: Path, capsys: pytest.CaptureFixture[str], name: str) -> None:
    path = shared_data / "scenarios" / "commonroad" / f"{name}.xml"
    if not path.exists():
        pytest.skip("the folder scenarios/commonroad of the shared data is missing")
    if VERDICTS[name] is None:
        assert main(["scenario", "run", str(path)]) == 2
        assert "our car cannot be driven here" in capsys.readouterr().err
    else:
        assert driven(path, capsys)["verdict"] == VERDICTS[name]
