"""Suites and families: any number of jobs, again from where a run stopped, one line for what is wrong."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.scenario.family import Family, family_names, family_path, reckoned
from adas_runtime.scenario.page import page
from adas_runtime.scenario.suite import RESULTS_FILE, Order, _several, read_results, run

SMALL = """\
format: 1
name: mine
title: A car <stands> & waits
grid:
  speed_kmh: {first: 30, last: 50, step: 20}
  offset_m: [-0.5, 0, 3]
speed_kmh: $speed_kmh
actors:
  - {kind: car, rear_m: "$speed_kmh / 3.6 * 4", y_m: $offset_m}
judge: {impact_max_kmh: 0}
"""


def write(folder: Path, text: str = SMALL) -> Path:
    path = folder / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def order(path: Path, **changes: object) -> Order:
    return Order(**{"suite": str(path), "market": "de", "vehicle": "reference", "seed": 1, "whole": False, **changes})  # type: ignore[arg-type]


def test_a_family_of_ones_own_is_spread_over_its_grid_and_judged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["scenario", "run", str(write(tmp_path)), "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["parameters"] for line in lines] == [
        {"speed_kmh": speed, "offset_m": offset} for speed in (30.0, 50.0) for offset in (-0.5, 0.0, 3.0)
    ]
    assert {line["verdict"] for line in lines} == {"pass"}
    assert [line["demand_mps2"] > 0.0 for line in lines] == [True, True, False] * 2, "beside our way it is nothing"


def test_any_number_of_jobs_gives_the_same_results(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert list(run(order(path), 1)) == list(run(order(path), 2))


def test_ray_gives_the_same_results_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="Ray is an extra: pip install ray")
    path, out = write(tmp_path), tmp_path / "out"
    one = list(run(order(path), 1, out))
    results = out / RESULTS_FILE
    results.write_text("".join(results.read_text(encoding="utf-8").splitlines(keepends=True)[:2]), encoding="utf-8")
    assert list(run(order(path), 2, out, with_ray=True)) == one


def test_a_cluster_that_does_not_answer_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray", reason="Ray is an extra: pip install ray")
    with socket.socket() as held:  # bound, and nobody listens
        held.bind(("127.0.0.1", 0))
        monkeypatch.setenv("RAY_ADDRESS", f"127.0.0.1:{held.getsockname()[1]}")
        assert main(["scenario", "run", str(write(tmp_path)), "--ray"]) == 2
    err = capsys.readouterr().err
    assert "nobody answers" in err and err.count("\n") == 1


def test_a_machine_that_reads_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AdasError, match="reads another suite"):
        _several(order(write(tmp_path)), "of another file", False, [0])


def test_without_ray_one_line_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)  # as where it is not installed
    assert main(["scenario", "run", str(write(tmp_path)), "--ray"]) == 2
    err = capsys.readouterr().err
    assert "Ray is not installed" in err and err.count("\n") == 1


def test_a_run_that_was_killed_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, out = write(tmp_path), tmp_path / "out"
    whole = list(run(order(path), out=out))
    file = out / RESULTS_FILE
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    marked = json.loads(lines[1]) | {"marked": True}
    file.write_text(lines[0] + json.dumps(marked) + "\n" + lines[2][: len(lines[2]) // 2], encoding="utf-8")
    again = list(run(order(path), out=out))
    assert again[1].pop("marked"), "what was there is not driven again"
    assert again == whole
    assert [item["number"] for item in read_results(out)] == list(range(6))


def test_results_of_another_suite_market_or_seed_are_not_mixed(tmp_path: Path) -> None:
    path, out = write(tmp_path), tmp_path / "out"
    list(run(order(path), out=out))
    for other in (order(path, seed=2), order(path, market="jp"), order(path, whole=True)):
        with pytest.raises(AdasError, match="another suite, market, vehicle or seed"):
            next(iter(run(other, out=out)))
    path.write_text(SMALL.replace("-0.5", "-0.6"), encoding="utf-8")
    with pytest.raises(AdasError, match="another suite"):
        next(iter(run(order(path), out=out)))


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine", encoding="utf-8")
    with pytest.raises(AdasError, match="is not empty"):
        next(iter(run(order(write(tmp_path)), out=tmp_path)))


def test_a_damaged_line_in_the_middle_is_told(tmp_path: Path) -> None:
    path, out = write(tmp_path), tmp_path / "out"
    list(run(order(path), out=out))
    file = out / RESULTS_FILE
    file.write_text("{}\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    with pytest.raises(AdasError, match=r"results.jsonl:1.*is damaged"):
        read_results(out)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(("$speed_kmh\nactors", "$speed\nactors"), "$speed is no parameter of the grid", id="unknown"),
        pytest.param(("/ 3.6", "/ 0"), "cannot be reckoned", id="divided-by-nothing"),
        pytest.param(("/ 3.6 * 4", "( 3.6"), "cannot be reckoned", id="no-expression"),
        pytest.param(("kind: car", "kind: cow"), "kind", id="kind"),
        pytest.param(("step: 20", "step: 0.00001"), "step is too small", id="steps"),
        pytest.param(("[-0.5, 0, 3]", "[]"), "an axis without a value", id="no-value"),
        pytest.param(
            ("judge: {impact_max_kmh: 0}", "judge: {is_quiet: true, event: braking}"), "contradict", id="judge"
        ),
        pytest.param(("judge: {impact_max_kmh: 0}", "judge: {event: cut_in}"), "lateral speed above 0", id="event"),
        pytest.param(("title:", "titel:"), "title: is missing", id="key"),
    ],
)
def test_what_is_wrong_with_a_family_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], told: str
) -> None:
    assert change[0] in SMALL
    assert main(["scenario", "run", str(write(tmp_path, SMALL.replace(*change)))]) == 2
    err = capsys.readouterr().err
    assert told in err and "Traceback" not in err and err.count("\n") == 1


@given(st.text("$abp_()+-*/. 0123456789", max_size=40))
def test_no_text_is_more_than_reckoned(text: str) -> None:
    try:
        reckoned(text, {"a": 2.0, "b": 3.0})
    except (KeyError, ValueError, TypeError, ArithmeticError, SyntaxError, RecursionError, MemoryError):
        return


@pytest.mark.parametrize(
    ("text", "value"),
    [("$a * $b + 1", 7.0), ("-( $b - $a ) / 4", -0.25), ("12", 12.0), ("sign(-$a) * max($a, abs(-5))", -5.0)],
)
def test_values_are_reckoned(text: str, value: float) -> None:
    assert reckoned(text, {"a": 2.0, "b": 3.0}) == value


@pytest.mark.parametrize("name", family_names())
def test_shipped_families_hold_together(name: str) -> None:
    family = Family(family_path(name))
    assert family.file.name == name and len(family.cases) >= 10


def test_a_lead_that_brakes_is_hit_in_none_of_what_a_careful_driver_avoids_but_the_last() -> None:
    """130 km/h one second behind a car that brakes with 6 m/s2 is what is left."""
    results = list(run(Order(suite="lead_brakes", market="de", vehicle="reference", seed=1, whole=False), 2))
    failed = [item["parameters"] for item in results if item["verdict"] == "fail"]
    assert len(failed) <= 2 and all(item["speed_kmh"] >= 110.0 for item in failed)
    for item in results:
        if item["verdict"] == "not_applicable":
            assert item["preventable_by"] == [] and item["impact_kmh"] > 0.0


def test_the_page_shows_the_grid_and_each_failed_drive(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path, SMALL.replace("last: 50", "last: 130"))
    out = tmp_path / "out"
    assert main(["scenario", "run", str(path), "--out", str(out)]) == 1, "130 km/h is too fast"
    assert main(["scenario", "report", str(out)]) == 0
    text = Path(capsys.readouterr().out.splitlines()[-1]).read_text(encoding="utf-8")
    assert "A car &lt;stands&gt; &amp; waits" in text and "<stands>" not in text
    failed = [item for item in read_results(out) if item["verdict"] == "fail"]
    assert failed and text.count("<svg") == len(failed) and text.count("class='fail' title") == len(failed)
    assert text.count("braking</text>") == len(failed)
    assert "http://" not in text and "https://" not in text and "<script" not in text


def test_the_page_of_a_run_that_goes_on_says_what_is_missing(tmp_path: Path) -> None:
    path, out = write(tmp_path), tmp_path / "out"
    results = list(run(order(path), out=out))
    about = {"suite": "x", "title": "t", "market": "de", "vehicle": "v", "seed": 1, "whole": False, "drives": 9}
    assert "3 not driven yet" in page(about, results)


def test_no_folder_of_a_suite_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "report", str(tmp_path)]) == 2
    assert "is no folder of adas scenario run --out" in capsys.readouterr().err


def test_the_list_names_every_suite(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("r152", "ncap", *family_names()))
