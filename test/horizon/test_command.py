"""The horizon from the command line: a map, a drive, the road ahead; and every wrong map told before anything runs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from map_files import Town, at, line

from adas_runtime.cli import main

STEP = ["step", "horizon", "--market", "de"]


def drive_file(folder: Path) -> Path:
    lines = []
    for step in range(60):
        latitude, longitude = at(2.0 * step, 0.0)
        fix = {"latitude_deg": latitude, "longitude_deg": longitude, "heading_rad": 0.0, "status": "FIX"}
        lines.append(json.dumps({"t_s": 0.1 * step, "fix": fix, "vehicle": {"speed_mps": 20.0, "yaw_rate_rps": 0.0}}))
    path = folder / "drive.jsonl"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_a_drive_over_a_map_tells_the_limit_ahead(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    town = Town()
    town.street(line((-100, 0), (500, 0)), maxspeed="70", ref="B 1")
    town.street(line((500, 0), (3000, 0)), maxspeed="100", ref="B 1")
    store = town.build(tmp_path)
    drive = str(drive_file(tmp_path))

    def last() -> tuple[float, dict[str, Any]]:
        told = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
        return [(item["t_s"], item["outputs"]["horizon"]) for item in told if "horizon" in item["outputs"]][-1]

    assert main([*STEP, "--map", str(store.path), "--inputs", drive, "--json"]) == 0
    t_s, by_option = last()
    assert by_option["is_matched"] is True
    segments = by_option["segments"]
    assert [round(item["limit_mps"] * 3.6) for item in segments][:2] == [70, 100]
    assert segments[1]["offset_m"] == pytest.approx(500.0 - 20.0 * t_s, abs=3.0)
    monkeypatch.setenv("ADAS_MAP", str(store.path))
    assert main([*STEP, "--inputs", drive, "--json"]) == 0
    assert last() == (t_s, by_option)


def test_without_a_map_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*STEP, "--inputs", str(drive_file(tmp_path)), "--json"]) == 0
    assert {json.loads(text)["state"] for text in capsys.readouterr().out.splitlines()} == {"no_map"}


@pytest.mark.parametrize(
    "command",
    [
        [*STEP, "--inputs", "drive.jsonl"],
        ["replay", "bag", "--market", "de", "--out", "out"],
        ["up", "--market", "de"],
    ],
    ids=lambda command: command[0],
)
def test_a_map_that_is_none_is_refused_before_anything_runs(
    command: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "not.map").write_text("text", encoding="utf-8")
    for name in ("not.map", "nowhere.map"):
        assert main([*command, "--map", name]) == 2
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and name in error
    assert sorted(path.name for path in tmp_path.iterdir()) == ["not.map"]
