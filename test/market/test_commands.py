"""`adas market` and `adas vehicle` as people and scripts use them: output, JSON, exit codes."""

from __future__ import annotations

import json
import typing
from pathlib import Path
from typing import Any

import pytest
from market_files import HEAD, whole_file, write

from adas_runtime.cli import main
from adas_runtime.config import Key, field_at, fields_of, model_of
from adas_runtime.market import load_market, market_names
from adas_runtime.market.schema import Market


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(list(arguments))
    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    return code, said.out, said.err


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    code, out, _ = run(capsys, *arguments, "--json")
    assert code in (0, 1)
    return json.loads(out)


def test_list_names_every_market_with_side_and_stage(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "market", "list")
    assert code == 0 and not err
    lines = {line.split()[0]: line for line in out.splitlines()[1:]}
    assert set(lines) == set(market_names())
    assert "left" in lines["jp"] and "Japan" in lines["jp"] and "lane_departure shadow" in lines["jp"]
    assert "eu > base" in lines["de"] and "lane_departure warn" in lines["de"]
    found = {item["name"]: item for item in run_json(capsys, "market", "list")}
    assert found["de"]["digest"] == load_market("de").digest
    assert found["jp"]["stages"]["lane_departure"] == "shadow"
    assert set(found["jp"]["stages"]) == set(load_market("jp").stages())


def test_list_shows_the_others_beside_a_broken_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    from adas_runtime.resources import config_dir

    folder = tmp_path / "config"
    shutil.copytree(config_dir(), folder)
    write(folder / "markets", "road: [\n", HEAD.replace('"DE"', '"XX"'), name="xx.yaml")
    monkeypatch.setenv("ADAS_CONFIG_DIR", str(folder))
    code, out, err = run(capsys, "market", "list")
    assert code == 1 and "Germany" in out and "refused" in out
    assert err.startswith("adas: markets/xx.yaml:7: not YAML")


def test_show_tells_the_law_and_what_the_file_sets(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "market", "show", "de")
    assert code == 0
    assert "Germany (DE), revision" in out and load_market("de").digest in out
    assert "lane_departure warn: mandatory from warn up for M1 (conf p: (EU) 2019/2144 7(3)" in out
    assert "lanes.dash.gap_m" in out and "envelope.friction" not in out
    assert "envelope.friction" in run(capsys, "market", "show", "de", "--effective")[1]


def test_show_gives_each_value_its_line_confidence_and_source(capsys: pytest.CaptureFixture[str]) -> None:
    _, out, _ = run(capsys, "market", "show", "de", "--effective", "--origins")
    gap = next(line for line in out.splitlines() if line.startswith("lanes.dash.gap_m"))
    assert gap.split()[1:5] == ["12.0", "m", gap.split()[3], "p"] and "R130 Annex 3" in gap
    file, line = gap.split()[3].split(":")
    from adas_runtime.resources import config_dir

    assert "gap_m" in (config_dir() / file).read_text(encoding="utf-8").splitlines()[int(line) - 1]
    friction = next(line for line in out.splitlines() if line.startswith("envelope.friction"))
    assert "markets/base.yaml:" in friction and friction.endswith(" e")


def test_show_effective_as_json_is_the_whole_market(capsys: pytest.CaptureFixture[str]) -> None:
    found = run_json(capsys, "market", "show", "jp", "--effective")
    assert found["effective"] == load_market("jp").model_dump(mode="json")
    assert {item["key"] for item in found["values"]} >= {"lanes.dash.gap_m", "envelope.friction", "health.repeat_s"}
    assert all(item["file"] and item["line"] >= 1 and item["conf"] in "psue" for item in found["values"])
    own = run_json(capsys, "market", "show", "jp")
    assert "effective" not in own and all(item["own"] for item in own["values"])


def test_check_all_accepts_what_ships(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "market", "check", "all")
    assert code == 0 and not err and len(out.splitlines()) == len(market_names())
    assert all(item["ok"] and len(item["digest"]) == 64 for item in run_json(capsys, "market", "check", "all"))


def test_check_tells_every_mistake_and_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = write(tmp_path, "lane_departure:\n  confirm_s: 9\n  is_haptic: 1\n")
    code, out, err = run(capsys, "market", "check", "de", str(path))
    assert code == 1 and not err
    lines = out.splitlines()
    assert lines[0].startswith("de: may be used on ")
    assert lines[1].endswith(
        "test.yaml:7: lane_departure.confirm_s = 9: must be <= 0.3 s; give a value inside the range [out-of-range]"
    )
    assert "test.yaml:8: lane_departure.is_haptic = 1: must be true or false" in lines[2]
    good, bad = run_json(capsys, "market", "check", "de", str(path))
    assert good["ok"] and not good["findings"]
    assert not bad["ok"] and not bad["digest"]
    assert [(item["line"], item["rule"]) for item in bad["findings"]] == [(7, "out-of-range"), (8, "wrong-type")]


def test_check_judges_the_day_that_is_asked(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    feature = 'features: {lane_departure: {stage: warn, approval_ref: "J-1", valid_from: 2027-01-01}}\n'
    path = write(tmp_path, feature, HEAD.replace('"DE"', '"JP"').replace("extends: de", "extends: jp"))
    assert run(capsys, "market", "check", str(path), "--on", "2026-12-31")[0] == 1
    assert run(capsys, "market", "check", str(path), "--on", "2027-01-01")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["market", "check", "xx"], "no market 'xx'; take one of ae, at, au, be, bg, br,"),
        (["market", "check", "gone.yaml"], "gone.yaml: no such file"),
        (["market", "check", "./"], "not a file"),
        (["market", "check", "de", "--on", "tomorrow"], "--on: 'tomorrow' is no day; write it as 2026-12-01"),
        (["market", "check"], "Missing argument"),
        (["market", "show", "xx"], "no market 'xx'"),
        (["market", "diff", "de", "xx"], "no market 'xx'"),
        (["market", "diff", "de"], "Missing argument"),
        (["vehicle", "show", "xx"], "no vehicle 'xx'"),
        (["vehicle", "check", "gone.yaml"], "gone.yaml: no such file"),
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    code, out, err = run(capsys, *arguments)
    assert code == 2 and not out
    assert len(err.splitlines()) == 1 and err.startswith("adas: ") and words in err


def test_show_and_diff_refuse_a_broken_file_in_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = str(write(tmp_path, "lane_departure: {confirm_s: 9}\n"))
    for arguments in (["show", path], ["diff", "de", path]):
        code, out, err = run(capsys, "market", *arguments)
        assert code == 2 and not out and "test.yaml:6: lane_departure.confirm_s" in err


def test_diff_shows_both_values_and_where_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "market", "diff", "de", "jp")
    assert code == 0
    side = next(line for line in out.splitlines() if line.startswith("road.traffic_side"))
    assert side.split()[1:3] == ["right", "left"]
    assert "markets/de.yaml:" in side and "markets/jp.yaml:" in side
    assert "envelope" not in out
    found = {item["key"]: item for item in run_json(capsys, "market", "diff", "de", "jp")["differences"]}
    assert found["lanes.works.colours"]["a"]["value"] == ["yellow"] and found["lanes.works.colours"]["b"]["value"] == []
    assert found["lanes.works.colours"]["b"]["file"] == "markets/base.yaml"


def test_diff_of_a_market_with_itself_is_empty_and_does_not_depend_on_the_chain(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "hold the same values" in run(capsys, "market", "diff", "de", "de")[1]
    one = write(tmp_path, whole_file(), head="", name="one.yaml")
    two = write(tmp_path, head=HEAD.replace("extends: de", "extends: one"), name="two.yaml")
    assert run_json(capsys, "market", "diff", str(one), str(two))["differences"] == []


def test_a_text_without_a_value_in_one_language_is_a_difference(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    path = write(tmp_path, "alerts: {texts: {fault: {fr: Panne}}}\n")
    found = run_json(capsys, "market", "diff", "de", str(path))["differences"]
    assert [(item["key"], item["a"], item["b"]["value"]) for item in found] == [
        ("alerts.texts.fault.fr", None, "Panne")
    ]


def test_a_reader_that_leaves_early_is_no_finding() -> None:
    import subprocess
    import sys

    program = [sys.executable, "-c", "import sys; from adas_runtime.cli import run; run()", "market", "schema"]
    with subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline() == "{\n"
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


# --- the schema for editors -------------------------------------------------------------------------------------------


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> dict[str, Any]:
    return dict(schema["$defs"][part["$ref"].rsplit("/", 1)[1]]) if "$ref" in part else part


def is_list(key: Key) -> bool:
    info = field_at(Market, key)
    return info is not None and typing.get_origin(info.annotation) is tuple


def test_the_schema_knows_every_key_and_asks_only_for_the_head(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "market", "schema")
    schema = json.loads(out)
    assert code == 0 and set(schema["required"]) == {"format", "market", "title", "revision", "extends"}
    for key, info in fields_of(Market):
        lists = [item for item in range(1, len(key)) if is_list(key[:item])]
        if "*" in key or lists:
            continue
        part = schema
        for name in key:
            assert part["additionalProperties"] is False
            part = resolved(schema, part["properties"][name])
        assert "required" not in part or model_of(info.annotation) is None
    gap = schema["$defs"]["Dash"]["properties"]["gap_m"]["anyOf"]
    assert gap[0]["maximum"] == 20.0 and gap[1]["required"] == ["value", "conf"]
    assert json.loads(run(capsys, "market", "schema", "--merged")[1])["required"]


# --- vehicles ---------------------------------------------------------------------------------------------------------


def test_vehicles_are_listed_shown_and_checked(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "vehicle", "list")
    assert code == 0 and "front not calibrated" in next(line for line in out.splitlines() if "unknown_camera" in line)
    assert run_json(capsys, "vehicle", "list")[0]["category"] == "M1"
    code, out, _ = run(capsys, "vehicle", "show", "reference")
    assert code == 0 and "steering.wheel_rate_max_rps" in out and "rad/s" in out and "vehicles/reference.yaml:" in out
    assert run_json(capsys, "vehicle", "show", "reference")["dimensions"]["width_m"] == 1.8
    assert run(capsys, "vehicle", "check", "all")[0] == 0
