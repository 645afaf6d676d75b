"""Figures of use outlive the drive (2021/1958 Article 4), hold no place and no time, and never stop the car."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.isa.core import SPEC
from adas_runtime.usage.store import COUNTERS, FILE, STATE_DIR, Keeper, added, grown, read, state_dir

DRIVE = {"on_s": 600.0, "on_m": 9000.0, "off_s": 60.0, "off_m": 1000.0, "switch_offs": 1.0, "to_switch_off_s": 300.0}
counters = st.fixed_dictionaries({name: st.integers(0, 10**9).map(float) for name in COUNTERS})


@pytest.mark.clause("2021/1958 4")
def test_it_keeps_what_the_function_counts_and_nothing_else() -> None:
    assert COUNTERS == SPEC.kpis
    assert all(name.endswith(("_s", "_m")) or name in ("switch_offs", "warnings") for name in COUNTERS)


@pytest.mark.clause("2021/1958 4")
def test_drives_add_up_by_form_of_feedback(tmp_path: Path) -> None:
    path = tmp_path / "state" / FILE
    for _ in range(2):
        keeper = Keeper("acoustic", path, pytest.fail)
        for share in (0.25, 0.5, 1.0):
            keeper.heard({name: value * share for name, value in DRIVE.items()})
            keeper.save()
    keeper = Keeper("haptic", path, pytest.fail)
    keeper.heard(DRIVE)
    keeper.save()
    found = read(path)
    assert found["acoustic"]["on_m"] == 18000.0 and found["acoustic"]["switch_offs"] == 2.0
    assert found["haptic"]["on_s"] == 600.0
    text = path.read_text(encoding="utf-8")
    assert set(json.loads(text)) == {"format", "feedback"}, "no date, no place"
    assert [item.name for item in path.parent.iterdir() if item.suffix not in (".json", ".lock")] == []


def test_a_function_that_began_anew_in_the_drive_loses_nothing(tmp_path: Path) -> None:
    keeper = Keeper("acoustic", tmp_path / FILE, pytest.fail)
    for on_s in (100.0, 200.0, 5.0, 30.0):  # time ran back after 200 s
        keeper.heard({"on_s": on_s})
    keeper.save()
    keeper.save()
    assert read(tmp_path / FILE)["acoustic"]["on_s"] == 230.0


@given(counters, counters)
def test_growth_and_sum_are_each_other_s_reverse(one: dict[str, float], two: dict[str, float]) -> None:
    assert grown(one, added(one, two)) == two
    assert all(value >= 0.0 for value in grown(one, two).values())


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        '{"format": 9, "feedback": {}}',
        '{"format": 1, "feedback": {"acoustic": {"on_s": -1}}}',
        '{"format": 1, "feedback": {"acoustic": {"latitude": 50}}}',
        '{"format": 1, "feedback": {"acoustic": {"on_s": NaN}}}',
    ],
)
def test_a_damaged_file_is_kept_aside_and_told_once(
    tmp_path: Path, content: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / FILE
    path.write_text(content, encoding="utf-8")
    monkeypatch.setenv(STATE_DIR, str(tmp_path))
    assert main(["usage"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and FILE in error and "counting then starts anew" in error
    told: list[str] = []
    keeper = Keeper("acoustic", path, told.append)
    keeper.heard({"on_s": 7.0})
    keeper.save()
    assert read(path)["acoustic"]["on_s"] == 7.0
    assert len(told) == 1 and "kept as isa_usage.bad1" in told[0]
    assert (tmp_path / "isa_usage.bad1").read_text(encoding="utf-8") == content


def test_a_place_that_cannot_be_written_is_told_once_and_the_figures_wait(tmp_path: Path) -> None:
    blocked = tmp_path / "state"
    blocked.write_text("a file where the folder should be", encoding="utf-8")
    told: list[str] = []
    keeper = Keeper("acoustic", blocked / FILE, told.append)
    for on_s in (1.0, 2.0):
        keeper.heard({"on_s": on_s})
        keeper.save()
    assert len(told) == 1 and STATE_DIR in told[0]
    blocked.unlink()
    keeper.save()
    assert read(blocked / FILE)["acoustic"]["on_s"] == 2.0


def test_two_graphs_at_once_lose_nothing(tmp_path: Path) -> None:
    def write() -> None:
        keeper = Keeper("acoustic", tmp_path / FILE, pytest.fail)
        for on_s in range(1, 21):
            keeper.heard({"on_s": float(on_s)})
            keeper.save()

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert read(tmp_path / FILE)["acoustic"]["on_s"] == 80.0


def test_the_command_tells_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(STATE_DIR, str(tmp_path))
    assert main(["usage"]) == 0 and "nothing counted yet" in capsys.readouterr().out
    keeper = Keeper("acoustic", tmp_path / FILE, pytest.fail)
    keeper.heard(DRIVE)
    keeper.save()
    assert main(["usage"]) == 0
    assert "on for 90 % of 10.0 km, switched off once, on average 300 s" in capsys.readouterr().out
    assert main(["usage", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["feedback"]["acoustic"]["on_m"] == 9000.0


def test_where_it_lies() -> None:
    assert state_dir({STATE_DIR: "/var/lib/adas"}) == Path("/var/lib/adas")
    assert state_dir({"XDG_STATE_HOME": "/var/state", "HOME": "/root"}) == Path("/var/state/adas")
    assert state_dir({"HOME": "/home/car"}) == Path("/home/car/.local/state/adas")
