"""`adas scenario reference` as an examiner uses it."""

from __future__ import annotations

import json

import pytest

from adas_runtime.cli import main

CUT_IN = ["scenario", "reference", "cut-in", "--ego", "60", "--other", "20", "--gap", "30", "--lateral", "1.0"]


def test_one_case_says_what_the_sheet_says(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*CUT_IN, "--json"]) == 0
    case = json.loads(capsys.readouterr().out)  # CI11 of the vectors
    assert case["ccd"] == {"verdict": "preventable", "gap_m": pytest.approx(1.8, abs=0.2)}
    assert case["fsm"]["gap_m"] == pytest.approx(4.6, abs=0.2) and case["rss"]["gap_m"] == pytest.approx(7.6, abs=0.2)
    assert case["is_demanded"] and case["must_avoid"] and case["ego_kmh"] == 60.0


def test_a_grid_is_counted_and_each_case_told(capsys: pytest.CaptureFixture[str]) -> None:
    grid = ["scenario", "reference", "braking", "--ego", "60:120:60", "--decel", "6,9.81"]
    assert main(grid) == 0
    assert "4 cases of braking; an ALKS must avoid" in capsys.readouterr().out
    assert main([*grid, "--json"]) == 0
    cases = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(case["ego_kmh"], case["decel_mps2"]) for case in cases] == [
        (60.0, 6.0), (60.0, 9.81), (120.0, 6.0), (120.0, 9.81),
    ]  # fmt: skip
    assert cases[0]["gap_m"] == pytest.approx(33.333, abs=1e-3), "2.0 s behind, where no gap is given"
    assert cases[3]["fsm"]["verdict"] == "unpreventable" and cases[3]["ccd"]["verdict"] == "preventable"  # DE06
    assert cases[3]["must_avoid"], "one of the adopted models is enough"


def test_cars_that_never_meet_have_no_smallest_gap(capsys: pytest.CaptureFixture[str]) -> None:
    slow = ["--ego", "20", "--other", "60", "--gap", "30", "--lateral", "0.3", "--json"]
    assert main(["scenario", "reference", "cut-in", *slow]) == 0
    case = json.loads(capsys.readouterr().out)
    assert case["ccd"]["verdict"] == "not_critical" and not case["is_demanded"]
    assert case["rss"]["gap_m"] is None or case["rss"]["gap_m"] > 30.0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["overtaking", "--ego", "60"], "'overtaking' is unknown"),
        (["cut-in", "--ego", "60", "--other", "20", "--gap", "30"], "--lateral: cut-in needs it"),
        (["cut-in", "--ego", "60", "--other", "20", "--gap", "30", "--lateral", "0"], "lateral speed above 0"),
        (["braking", "--ego", "60:20:5", "--decel", "6"], "--ego: '60:20:5' is no number"),
        (["braking", "--ego", "nan", "--decel", "6"], "--ego: 'nan' is no number"),
        (["braking", "--ego", "60", "--decel", "6", "--other", "5"], "--other: means nothing for braking"),
        (["braking", "--ego", "0:100:0.001", "--decel", "0:10:0.1"], "more than 2000000 cases"),
    ],
)
def test_a_mistake_is_one_line(capsys: pytest.CaptureFixture[str], arguments: list[str], told: str) -> None:
    assert main(["scenario", "reference", *arguments]) == 2
    err = capsys.readouterr().err
    assert told in err and err.count("\n") == 1
