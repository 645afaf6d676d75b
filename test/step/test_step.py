"""`adas step`: one core on a file of timed inputs; what is wrong with the file is one line with its number."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.graph import default_graph
from adas_runtime.step.feed import read_lines
from adas_runtime.step.run import function_of

SPEC = function_of("lane_departure")


def line(side: str, c0_m: float) -> dict[str, Any]:
    return {
        "side": side,
        "c0_m": c0_m,
        "c1": 0,
        "c2_1pm": 0,
        "c3_1pm2": 0,
        "x_min_m": 3,
        "x_max_m": 50,
        "type": "solid",
        "confidence": 0.9,
        "offset_std_m": 0.02,
    }


def drift(indicator: str = "off") -> list[dict[str, Any]]:
    """Centred for a second, then 0.5 m/s to the left, over the line at 3.7 s."""
    rows: list[dict[str, Any]] = []
    for index in range(100):
        t_s = round(index * 0.05, 3)
        y_m = 1.8 - max(0.0, t_s - 1.0) * 0.5
        lanes = {
            "stamp_s": t_s,
            "is_calibrated": True,
            "boundaries": [line("left", y_m), line("right", y_m - 3.6)],
        }
        rows.append({"t_s": t_s, "lanes": lanes})
    rows[0] |= {"vehicle": {"speed_mps": 25.0}, "driver": {"indicator": indicator}}
    return rows


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def steps(capsys: pytest.CaptureFixture[str], path: Path, function: str = "lane_departure") -> list[dict[str, Any]]:
    assert main(["step", function, "--market", "de", "--inputs", str(path), "--json"]) == 0
    return [json.loads(row) for row in capsys.readouterr().out.splitlines()]


def test_a_drift_is_warned_of_and_every_step_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    said = steps(capsys, write(tmp_path / "a.jsonl", drift()))
    warned = [row for row in said if row["state"] == "warn_left"]
    assert warned and warned[0]["reason"] == "departing_left"
    assert warned[0]["outputs"]["alert"]["code"] == "lane_departure_left"
    assert -0.3 < warned[0]["kpis"]["dtlm_m"] < 0.3
    assert not [row for row in steps(capsys, write(tmp_path / "b.jsonl", drift("left"))) if row["state"] == "warn_left"]


def test_the_list_for_people_shows_what_changes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(["step", "lane_departure", "--market", "de", "--inputs", str(write(tmp_path / "a.jsonl", drift()))]) == 0
    )
    text = capsys.readouterr().out
    assert "market de (its stage there: warn), vehicle reference" in text
    assert text.count("warn_left") == 1 and "lane_departure_left" in text


def test_a_value_without_stamp_is_held_and_one_with_stamp_ages(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = [{"t_s": 0.0, "vehicle": {"speed_mps": 5.0}}, {"t_s": 1.0}]
    assert all(row["absent"] == ["lanes", "driver"] for row in steps(capsys, write(tmp_path / "a.jsonl", held)))
    once = [{"t_s": 0.0, "vehicle": {"speed_mps": 5.0, "stamp_s": 0.0}}, {"t_s": 1.0}]
    said = steps(capsys, write(tmp_path / "b.jsonl", once))
    for row in said:
        assert ("vehicle" in row["absent"]) == (row["t_s"] > 0.1), "0.1 s is the declared age"
    ended = [*held[:1], {"t_s": 0.5, "vehicle": None}, {"t_s": 1.0}]
    for row in steps(capsys, write(tmp_path / "c.jsonl", ended)):
        assert ("vehicle" in row["absent"]) == (row["t_s"] >= 0.5)


def test_a_sender_that_repeats_counts_and_one_with_a_given_counter_is_stuck(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [{"t_s": 0.0, "vehicle": {"speed_mps": 20.0}, "demand": {"author": "arbiter"}}, {"t_s": 2.0}]
    assert steps(capsys, write(tmp_path / "a.jsonl", rows), "envelope")[-1]["state"] == "idle"
    rows[0]["demand"] = {"author": "arbiter", "counter": 7}
    assert steps(capsys, write(tmp_path / "b.jsonl", rows), "envelope")[-1]["reason"] == "demand_frozen"


def test_an_input_of_many_senders_is_a_list(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    asks = {"author": "acc", "cause": "follow", "is_active": True, "accel_mps2": -2.0, "priority": 4}
    urgent = {"author": "aeb", "cause": "car", "is_active": True, "accel_mps2": -8.0, "priority": 2}
    rows = [{"t_s": 0.0, "vehicle": {"speed_mps": 20.0}, "longitudinal": [asks, urgent]}]
    rows.append({"t_s": 0.5, "longitudinal": [asks]})
    rows.append({"t_s": 1.0, "longitudinal": None})
    rows.append({"t_s": 1.5})
    said = steps(capsys, write(tmp_path / "a.jsonl", rows), "arbiter")
    by_time = {row["t_s"]: row["outputs"]["demand"]["accel_mps2"] for row in said}
    assert (by_time[0.4], by_time[0.9], by_time[1.4]) == (-8.0, -2.0, 0.0)


def test_of_many_senders_a_named_one_reaches_its_function_and_one_alone_needs_no_list(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    road = {"offset_m": 0, "length_m": 900, "probability": 1, "road_class": "motorway", "lanes": 3}
    rows = [{"t_s": 0.0, "horizon": {"is_matched": True, "segments": [road]}}]
    rows.append({"t_s": 0.0, "lanes": {"is_calibrated": True, "boundaries": [line("left", 1.8), line("right", -1.8)]}})
    rows.append({"t_s": 1.0})
    assert steps(capsys, write(tmp_path / "a.jsonl", rows), "ego_lane")[-1]["outputs"]["lane"]["lanes"] == 3


@pytest.mark.parametrize("name", [spec.name for spec in default_graph().functions])
def test_every_function_can_be_stepped_with_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = steps(capsys, write(tmp_path / "a.jsonl", [{"t_s": 0.0}, {"t_s": 1.0}]), name)
    assert said and all(row["health"] for row in said)


def test_a_picture_comes_from_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "grey").write_bytes(b"\x80" * 320 * 200)
    frame = {"width_px": 320, "height_px": 200, "encoding": "mono8", "data": "@grey"}
    said = steps(capsys, write(tmp_path / "a.jsonl", [{"t_s": 0.0, "frame": frame}, {"t_s": 0.2}]), "lane_perception")
    assert said[0]["state"] == "covered" and said[0]["outputs"]["lanes"]["boundaries"] == []


def test_the_example_of_the_docs_runs(repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (repository / "docs" / "functions.md").read_text(encoding="utf-8")
    example = text.split("```json\n")[1].split("```")[0]
    (tmp_path / "a.jsonl").write_text(example, encoding="utf-8")
    said = steps(capsys, tmp_path / "a.jsonl")
    assert said[0]["t_s"] == 0.0 and said[-1]["t_s"] > 5.9
    assert {row["state"] for row in said} >= {"armed", "warn_left", "suppressed_left", "standby"}
    assert main(["step", "lane_departure", "--market", "de", "--inputs", str(tmp_path / "a.jsonl")]) == 0
    assert capsys.readouterr().out in text  # what the docs say it prints


WRONG = {
    "no JSON": ("{", r"a\.jsonl:2: is no JSON"),
    "a list": ("[]", "is no JSON object"),
    "no time": ('{"vehicle": null}', "t_s = null: must be a number"),
    "time is a text": ('{"t_s": "0"}', 't_s = "0"'),
    "time is true": ('{"t_s": true}', "t_s = true"),
    "time runs back": ('{"t_s": 0.5}', "t_s = 0.5 runs back, the line before has 1"),
    "NaN": ('{"t_s": 1, "vehicle": {"speed_mps": NaN}}', "NaN is no number in JSON"),
    "a key twice": ('{"t_s": 1, "vehicle": null, "vehicle": null}', "key 'vehicle' stands twice"),
    "unknown input": ('{"t_s": 1, "vehicel": null}', "has no input 'vehicel'; did you mean 'vehicle'"),
    "unknown field": ('{"t_s": 1, "vehicle": {"speed_kmh": 3}}', "vehicle has no field 'speed_kmh'"),
    "missing field": ('{"t_s": 1, "vehicle": {}}', r"vehicle.speed_mps is missing; add it: speed along x"),
    "a text for a number": ('{"t_s": 1, "vehicle": {"speed_mps": "3"}}', "must be a number in m/s"),
    "out of bounds": (
        '{"t_s": 1, "vehicle": {"speed_mps": 900}}',
        "vehicle.speed_mps = 900.0: must be finite and from",
    ),
    "huge": ('{"t_s": 1, "vehicle": {"speed_mps": 1e999}}', "vehicle.speed_mps"),
    "unknown name": ('{"t_s": 1, "driver": {"indicator": "lft"}}', "must be one of off, left, right, hazard; did you"),
    "a number for a name": ('{"t_s": 1, "driver": {"indicator": 1}}', "driver.indicator = 1: must be one of"),
    "null where needed": ('{"t_s": 1, "vehicle": {"speed_mps": null}}', "vehicle.speed_mps = null: must be given"),
    "true for a number": ('{"t_s": 1, "vehicle": {"speed_mps": true}}', "vehicle.speed_mps = true"),
    "a list for one": ('{"t_s": 1, "vehicle": []}', r"vehicle = \[\]: must be an object"),
    "half a character": (r'{"t_s": 1, "driver": {"pressed": ["\ud800"]}}', "must be a list of texts"),
    "inside a list": ('{"t_s": 1, "lanes": {"boundaries": [{"side": "up"}]}}', r"lanes.boundaries\[0\].side"),
}


@pytest.mark.parametrize(("row", "told"), WRONG.values(), ids=WRONG)
def test_a_wrong_line_is_told_with_its_number(row: str, told: str, tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"t_s": 1.0}\n' + row + "\n", encoding="utf-8")
    with pytest.raises(AdasError, match=told) as found:
        read_lines(path, SPEC)
    assert found.value.line().startswith(f"{path}:2: ") and "\n" not in found.value.line()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["no_such", "--market", "de", "--inputs", "a.jsonl"], "no function 'no_such'; take one of lane_perception"),
        (["envelope", "--market", "xx", "--inputs", "a.jsonl"], "no market 'xx'"),
        (["envelope", "--market", "de", "--inputs", "missing.jsonl"], "missing.jsonl: cannot be read"),
        (["envelope", "--market", "de", "--inputs", "empty.jsonl"], "empty.jsonl: holds no line"),
    ],
)
def test_wrong_usage_is_one_line_and_exit_2(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.jsonl").write_text('{"t_s": 0}\n', encoding="utf-8")
    Path("empty.jsonl").write_text("# nothing\n\n", encoding="utf-8")
    assert main(["step", *arguments]) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err and err.count("\n") == 1


def test_a_vehicle_that_the_market_was_not_judged_for_is_refused(
    tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "config" / "vehicles" / "reference.yaml").read_text(encoding="utf-8")
    truck = tmp_path / "truck.yaml"
    truck.write_text(text.replace("category: M1", "category: N3").replace("name: reference", "name: truck"), "utf-8")
    path = write(tmp_path / "a.jsonl", [{"t_s": 0}])
    assert main(["step", "dcas", "--market", "de", "--vehicle", str(truck), "--inputs", str(path)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and "category N3" in err and err.count("\n") == 1


json_values = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["side", "speed_mps", "indicator", "boundaries", "x"]), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["t_s", "vehicle", "lanes", "driver", "x"]), json_values))
def test_any_json_is_taken_or_refused_never_a_traceback(row: dict[str, Any]) -> None:
    path = Path(__file__).parent  # only for the message; the text is given below

    class Text:
        parent = path

        def read_text(self, encoding: str) -> str:
            return json.dumps(row)

        def __str__(self) -> str:
            return "a.jsonl"

    with contextlib.suppress(AdasError):
        read_lines(Text(), SPEC)  # type: ignore[arg-type]
