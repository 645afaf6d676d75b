"""`adas compare`: identical, changed or a regression; drives that differ are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from replay_bags import LANES, STATE, drive, replay, write

from adas_runtime.cli import main
from adas_runtime.errors import BagError
from adas_runtime.replay.compare import Comparison, Tolerances, as_json, compare, match, worst
from adas_runtime.replay.schema import EVENTS_FILE, SERIES_FILE, SUMMARY_FILE, read_summary


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One drive."""
    return write(tmp_path_factory.mktemp("compare") / "bag", drive())


@pytest.fixture(scope="module")
def base(bag: Path) -> Path:
    """Its replay, the reference."""
    return replay(bag, bag.parent / "base")


Change = Callable[[dict[str, Any], list[dict[str, Any]], dict[str, Any]], None]


def altered(base: Path, folder: Path, change: Change) -> Path:
    """A copy of a replay with summary, events and series changed, as another version of the program would leave it."""
    shutil.copytree(base, folder)
    summary = json.loads((folder / SUMMARY_FILE).read_text())
    events = [json.loads(line) for line in (folder / EVENTS_FILE).read_text().splitlines()]
    series = json.loads((folder / SERIES_FILE).read_text())
    summary["digest"] = "0" * 64
    change(summary, events, series)
    (folder / SUMMARY_FILE).write_text(json.dumps(summary))
    (folder / EVENTS_FILE).write_text("".join(json.dumps(event) + "\n" for event in events))
    (folder / SERIES_FILE).write_text(json.dumps(series))
    return folder


def departure(events: list[dict[str, Any]], kind: str = "alert_start") -> dict[str, Any]:
    """The one lane-departure alert."""
    return next(e for e in events if e["kind"] == kind and e["function"] == "lane_departure")


def one(found: tuple[Comparison, ...]) -> Comparison:
    """The only comparison."""
    (only,) = found
    return only


def test_two_runs_are_identical(bag: Path, base: Path, tmp_path: Path) -> None:
    found = one(compare(base, replay(bag, tmp_path / "again")))
    assert (found.verdict, found.findings, found.first_difference) == ("identical", (), None)


def drop_alert(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    events[:] = [e for e in events if e["function"] != "lane_departure" or not e["kind"].startswith("alert")]


def add_alert(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    events.append(departure(events) | {"t_s": 1.0})
    events.sort(key=lambda e: e["t_s"])


def later(by_s: float) -> Change:
    def change(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
        departure(events)["t_s"] += by_s

    return change


def into_shadow(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    departure(events)["is_shadow"] = True


def less_urgent(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    departure(events)["level"] = "info"


def other_cause(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    departure(events)["cause"] = "said in other words"


def fault(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    new = {"t_s": 3.0, "kind": "status", "function": "arbiter", "code": "fault", "health": "fault", "cause": "KeyError"}
    events.append(new)
    events.sort(key=lambda e: e["t_s"])


def less_active(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    summary["functions"]["lane_departure"]["time_active_s"] -= 1.0


def without_input(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    summary["functions"]["lane_departure"]["absent_s"]["driver"] = 4.0


def lower_stage(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    summary["functions"]["lane_departure"]["stage"] = "shadow"


def limited(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    for t_s, code in ((4.0, "lateral_jerk"), (4.5, "")):
        events.append({"t_s": t_s, "kind": "envelope", "function": "envelope", "code": code})
    events.sort(key=lambda e: e["t_s"])


def gain(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    track = series["tracks"]["command_accel_mps2"]
    assert set(track["values"]) == {0.0}
    track["t_s"], track["values"] = [0.0, 1.99, 2.0, 3.0, 3.01, track["t_s"][-1]], [0.0, 0.0, -0.2, -0.2, 0.0, 0.0]


def refused(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    summary["inputs"][STATE]["dropped"] += 5


def kpi(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    summary["functions"]["lane_departure"]["kpis"]["warnings_per_hour"] *= 1.5


def nothing(summary: dict[str, Any], events: list[dict[str, Any]], series: dict[str, Any]) -> None:
    pass


@pytest.mark.parametrize(
    ("change", "verdict", "kind", "words"),
    [
        (drop_alert, "regression", "alert", "is missing"),
        (add_alert, "regression", "alert", "is new"),
        (later(0.06), "regression", "alert", "0.060 s later"),
        (later(-0.3), "changed", "alert", "0.300 s earlier"),
        (later(0.04), "equal", "", ""),
        (into_shadow, "regression", "alert", "reaches nobody now"),
        (less_urgent, "regression", "alert", "is info, was warning"),
        (other_cause, "changed", "alert", "said in other words"),
        (fault, "regression", "status", "new fault: KeyError"),
        (less_active, "regression", "status", "active"),
        (without_input, "regression", "status", "without driver"),
        (lower_stage, "regression", "stage", "stage warn, now shadow"),
        (limited, "regression", "envelope", "lateral_jerk limits now for 0.50 s"),
        (gain, "regression", "command", "differs by up to 0.2 m/s^2"),
        (refused, "regression", "input", "now 5"),
        (kpi, "changed", "kpi", "warnings_per_hour"),
        (nothing, "equal", "", ""),
    ],
)
def test_verdict(base: Path, tmp_path: Path, change: Change, verdict: str, kind: str, words: str) -> None:
    other = altered(base, tmp_path / "other", change)
    found = one(compare(base, other))
    assert found.verdict == verdict
    assert not kind or any(item.kind == kind and words in item.text for item in found.findings), found.findings
    assert {item.is_regression for item in found.findings if item.kind == kind} <= {verdict == "regression"}
    expected = 1 if verdict == "regression" else 0
    assert main(["compare", str(base), str(other)]) == expected
    strict = one(compare(base, other, is_strict=True)).verdict
    assert strict == ("regression" if found.findings else verdict)


def test_an_improvement_is_no_regression(base: Path, tmp_path: Path) -> None:
    """Each of these is worse one way round and better the other."""
    for number, change in enumerate((fault, less_active, lower_stage, refused, later(0.5))):
        worse = altered(base, tmp_path / str(number), change)
        assert one(compare(worse, base)).verdict == "changed"


def test_tolerances_are_the_users(base: Path, tmp_path: Path) -> None:
    other = altered(base, tmp_path / "other", later(0.2))
    assert one(compare(base, other, Tolerances(time_s=0.25))).verdict == "equal"
    assert main(["compare", str(base), str(other), "--time-s", "0.25"]) == 0


def test_another_market_is_told(bag: Path, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", str(base), str(replay(bag, tmp_path / "jp", market="jp"))]) == 1
    text = capsys.readouterr().out
    assert "market: de, now jp" in text
    assert "stage warn, now shadow" in text
    assert "first difference: /adas/" in text


def test_other_drives_are_refused(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = replay(write(tmp_path / "bag", drive(drift_mps=0.6, speed_mps=26.0)), tmp_path / "other")
    assert main(["compare", str(base), str(other)]) == 2
    error = capsys.readouterr().err
    assert "not the same drive" in error and STATE in error
    assert len(error.splitlines()) == 1


def test_a_new_perception_of_the_same_drive_is_compared(base: Path, tmp_path: Path) -> None:
    """Recorded perception differs, the sensors do not: what it changes is a finding, not another drive."""
    blind = [item for item in drive() if item[1] != LANES] + [i for i in drive(4.0) if i[1] == LANES]
    other = replay(write(tmp_path / "bag", sorted(blind, key=lambda item: item[0])), tmp_path / "other")
    found = one(compare(base, other))
    assert found.verdict == "regression"
    assert any(item.kind == "alert" and "is missing" in item.text for item in found.findings)


def test_what_is_no_replay_is_refused(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / SUMMARY_FILE).write_text("{}")
    for path in (tmp_path / "nowhere", tmp_path, broken):
        with pytest.raises(BagError):
            compare(base, path)
        assert main(["compare", str(path), str(base)]) == 2
    assert "Traceback" not in capsys.readouterr().err


def test_many_replays_are_compared_name_by_name(base: Path, tmp_path: Path) -> None:
    for name in ("x__de", "y__de"):
        shutil.copytree(base, tmp_path / "a" / name)
    shutil.copytree(base, tmp_path / "b" / "x__de")
    altered(base, tmp_path / "b" / "z__de", nothing)
    found = {item.name: item.verdict for item in compare(tmp_path / "a", tmp_path / "b")}
    assert found == {"x__de": "identical", "y__de": "regression", "z__de": "changed"}
    with pytest.raises(BagError, match="holds many replays"):
        compare(tmp_path / "a", base)


def test_json_says_the_same(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = altered(base, tmp_path / "other", drop_alert)
    assert main(["compare", str(base), str(other), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    found = compare(base, other)
    assert told == json.loads(json.dumps(as_json(found, Tolerances())))
    assert told["verdict"] == worst(found) == "regression"
    assert told["comparisons"][0]["digests"] == [read_summary(base).digest, "0" * 64]


times = st.lists(st.floats(0.0, 100.0), max_size=12).map(sorted)


@given(times, times, st.floats(0.0, 5.0))
def test_matching_uses_each_alert_once_and_nothing_too_far(a: list[float], b: list[float], limit: float) -> None:
    pairs = match(a, b, limit)
    assert sorted(i for i, _ in pairs if i is not None) == list(range(len(a)))
    assert sorted(j for _, j in pairs if j is not None) == list(range(len(b)))
    assert all(abs(a[i] - b[j]) <= limit for i, j in pairs if i is not None and j is not None)
    # nobody is left alone who has a partner left
    lone_a = [a[i] for i, j in pairs if i is not None and j is None]
    lone_b = [b[j] for i, j in pairs if j is not None and i is None]
    assert not any(abs(x - y) <= limit for x in lone_a for y in lone_b)
    assert match(a, a, limit) == [(i, i) for i in range(len(a))] or len(set(a)) < len(a)
