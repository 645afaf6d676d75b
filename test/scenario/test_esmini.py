"""OpenSCENARIO files played by esmini: with the real library where `ESMINI_LIB` names it, and one line where not."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.scenario.esmini import VARIABLE, Esmini
from adas_runtime.scenario.openscenario import OpenScenario
from adas_runtime.scenario.suite import Order, build, run
from adas_runtime.vehicle import load_vehicle

VEHICLE = load_vehicle("reference")
OSC = Path(__file__).parent / "osc"
needs_esmini = pytest.mark.skipif(not os.environ.get(VARIABLE), reason=f"{VARIABLE} names no libesminiLib")


def shared_file(shared_data: Path, *parts: str) -> Path:
    path = shared_data.joinpath("scenarios", *parts)
    if not path.exists():
        pytest.skip(f"{'/'.join(parts)} of the shared data is missing")
    return path


def write(folder: Path) -> Path:
    for name in ("road.xodr", "cut.xosc"):
        (folder / name).write_text((OSC / name).read_text(encoding="utf-8"), encoding="utf-8")
    return folder / "cut.xosc"


def order(path: Path, engine: str = "esmini") -> Order:
    return Order(suite=str(path), market="de", vehicle="reference", seed=1, whole=False, engine=engine)  # type: ignore[arg-type]


def told(capsys: pytest.CaptureFixture[str], path: Path, *more: str) -> str:
    assert main(["scenario", "run", str(path), "--engine", *(more or ("esmini",))]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and "Traceback" not in err
    return err


def test_without_a_library_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert "ESMINI_LIB: names no library" in told(capsys, write(tmp_path))
    monkeypatch.setenv(VARIABLE, str(tmp_path / "cut.xosc"))
    assert "is no esminiLib" in told(capsys, write(tmp_path))


def test_what_esmini_does_not_play_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "OpenSCENARIO files alone" in told(capsys, Path("cut_in"))
    assert "'carla' is unknown" in told(capsys, write(tmp_path), "carla")


@needs_esmini
def test_esmini_and_our_own_reader_play_the_same(shared_data: Path) -> None:
    """Head-on after a lane change by clothoids, a meeting, a lead: the two tell the same impact and the same gap."""
    folder = shared_file(shared_data, "ncap", "OpenSCENARIO", "NCAP", "AEB_C2C_2023")
    for name in ("CCFhol", "CCFhos", "CCR"):
        path = folder / f"NCAP_AEB_C2C_{name}_2023.xosc"
        ours, theirs = (next(iter(run(order(path, engine)))) for engine in ("own", "esmini"))
        assert theirs["verdict"] == ours["verdict"], name
        assert theirs["impact_kmh"] == pytest.approx(ours["impact_kmh"], abs=0.5), name
        assert theirs["gap_m"] == pytest.approx(ours["gap_m"], abs=0.1), name


@needs_esmini
def test_the_others_see_where_our_car_is(shared_data: Path) -> None:
    """A cut-in that our distance sets off never comes where our car stands; a drive is the same each time."""
    folder = shared_file(shared_data, "alks", "concrete_scenarios")
    suite = build(order(folder / "alks_scenario_4_4_1_cut_in_no_collision_template.xosc"))
    case = suite.drives[0]
    movers = case.movers
    assert movers is not None

    def moved_m(speed_mps: float) -> float:
        (other,) = movers()
        first_m = other.y_m
        for step in range(2500):
            other.move(step * 0.01, step * 0.01 * speed_mps, speed_mps)
        return abs(other.y_m - first_m)

    assert moved_m(case.speed_mps) > 2.0, "it cut in"
    assert moved_m(0.0) < 0.2, "it stayed"
    assert suite.run(0, 1, is_traced=False) == suite.run(0, 1, is_traced=False)


@needs_esmini
def test_a_variation_is_played_with_its_parameters(shared_data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared_file(shared_data, "ncap", "OpenSCENARIO", "NCAP", "AEB_C2C_2023", "Variations")
    path = folder / "NCAP_AEB_C2C_CCFhos_Variation_2023.xosc"
    found = Esmini(path, VEHICLE)
    assert [case.parameters for case in found.cases] == [case.parameters for case in OpenScenario(path, VEHICLE).cases]
    assert [drive.speed_mps * 3.6 for drive in found.drives] == pytest.approx([50.0, 70.0])
    main(["scenario", "run", str(path), "--engine", "esmini", "--json"])
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(lines) == 2, "nothing of esmini's own words is among them"


@needs_esmini
def test_what_esmini_refuses_is_one_line(shared_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = shared_file(shared_data, "esmini", "xosc")
    alone = tmp_path / "alone.xosc"
    alone.write_bytes((folder / "cut-in.xosc").read_bytes())
    assert "esmini cannot play it" in told(capsys, alone), "its roads are not beside it"
    assert "no entity Ego" in told(capsys, folder / "bicycle_fall_over.xosc")
    assert "stands at the start" in told(capsys, folder / "follow_ghost.xosc")


@needs_esmini
def test_esminis_examples_are_driven_or_refused_in_one_line(shared_data: Path) -> None:
    folder = shared_file(shared_data, "esmini", "xosc")
    verdicts, refused = {}, {}
    for name in ("cut-in", "cut-in_simple", "lane_change", "synchronize", "pedestrian_collision", "alks_cut-out",
                 "highway_merge", "follow_ghost", "long_dist_action_with_jerk", "routing-test"):  # fmt: skip
        try:
            (found,) = run(order(folder / f"{name}.xosc"))
            verdicts[name] = found["verdict"]
        except AdasError as error:
            refused[name] = error.what
    assert set(refused) == {"follow_ghost", "long_dist_action_with_jerk"}
    assert all("our car cannot be driven here" in what for what in refused.values())
    assert all(verdict == "pass" for name, verdict in verdicts.items() if name != "routing-test"), verdicts
