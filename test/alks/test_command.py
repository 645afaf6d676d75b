"""Automated lane keeping from the command line: the example of its page, and who drives in the closed loop."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adas_runtime.cli import main


def test_the_example_of_the_page_does_what_the_page_says(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "docs" / "alks.md").read_text(encoding="utf-8")
    path = tmp_path / "motorway.jsonl"
    path.write_text(text.split("```json\n")[1].split("```")[0], encoding="utf-8")
    assert main(["step", "alks", "--market", "de", "--inputs", str(path), "--json"]) == 0
    begun: dict[str, float] = {}
    for step in map(json.loads, capsys.readouterr().out.splitlines()):
        alert = step["outputs"].get("alert")
        if alert is not None and alert["is_active"]:
            begun.setdefault(alert["code"], step["t_s"])
    told = {"alks_take_over": 4.8, "alks_take_over_now": 8.6, "alks_stopping": 14.8}
    for code, at_s in told.items():
        assert begun[code] == pytest.approx(at_s, abs=0.05) and f"{at_s:g} s" in text, code


FAMILY = """
format: 1
name: near_cut_in
title: A slower car cuts in
grid: {speed_kmh: [50, 80]}
speed_kmh: $speed_kmh
actors:
  - {kind: car, rear_m: 15.0, y_m: 3.5, speed_kmh: $speed_kmh - 20, shifts: {at_s: 0.0, speed_mps: 0.5, to_y_m: 0.0}}
judge: {event: cut_in, other_kmh: $speed_kmh - 20, gap_m: 15.0, lateral_mps: 0.5}
"""


def test_a_family_is_driven_by_automation_and_what_it_may_not_drive_is_not_applicable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "near_cut_in.yaml"
    path.write_text(FAMILY, encoding="utf-8")
    assert main(["scenario", "run", str(path), "--ego", "alks", "--json"]) == 0
    slow, fast = map(json.loads, capsys.readouterr().out.splitlines())
    assert slow["verdict"] == "pass" and slow["gap_m"] > 0.5
    assert fast["verdict"] == "not_applicable" and "speed_high" in fast["failures"][0], "60 km/h in the 00 series"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [(["cut_in", "--ego", "robot"], "driver or alks"), (["r152", "--ego", "alks"], "a driver who does nothing")],
)
def test_a_wrong_driver_is_one_line(arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", *arguments]) == 2
    line = capsys.readouterr().err
    assert told in line and line.count("\n") == 1
