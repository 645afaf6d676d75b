"""`adas replay` as people and scripts call it: exit codes, one line per error, many bags, repeatable command."""

from __future__ import annotations

import json
import shlex
import shutil
from pathlib import Path

import pytest
from replay_bags import drive, storage_file, write

from adas_runtime.cli import main
from adas_runtime.replay.schema import read_summary


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short drive."""
    return write(tmp_path_factory.mktemp("cli") / "bag", drive(2.0))


def test_one_bad_bag_does_not_lose_the_others(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = write(tmp_path / "good", drive(2.0))
    bad = tmp_path / "bad.mcap"
    bad.write_bytes(storage_file(good).read_bytes()[:40])
    out = tmp_path / "out"
    markets = ["--market", "de", "--market", "jp"]
    assert main(["replay", str(bag), str(bad), str(good), *markets, "--out", str(out)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"adas: {bad}: "), "told once, not once a market"
    names = {f"{name}__{market}" for name in ("bag", "good") for market in ("de", "jp")}
    assert {item.name for item in out.iterdir()} == names | {"index.html"}
    assert read_summary(out / "bag__de").digest == read_summary(out / "good__de").digest
    index = (out / "index.html").read_text(encoding="utf-8")
    assert "2 could not be replayed" in index
    assert index.count("report.html") == 4


def test_json_is_one_document(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", str(bag), "--market", "de", "--out", str(tmp_path / "out"), "--json"]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == json.loads((tmp_path / "out" / "summary.json").read_text())
    assert captured.err == "", "silent in a pipe"


def test_the_told_command_repeats_the_replay(bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    spaced = shutil.copytree(bag, tmp_path / "my drive")
    assert main(["replay", str(spaced), "--market", "de", "--out", str(tmp_path / "out")]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if "again:" in line)
    words = shlex.split(line.split("again:")[1].replace(" DIR", f" {tmp_path / 'again'}"))
    assert words[0] == "adas"
    assert main(words[1:]) == 0
    assert read_summary(tmp_path / "again").digest == read_summary(tmp_path / "out").digest


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--market", "zz"], "zz"),
        (["--market", "de", "--from", "lunch"], "take bag or decision"),
        (["--market", "de", "--vehicle", "nosuch"], "nosuch"),
        (["--market", "de", "--jobs", "0"], "--jobs"),
        ([], "--market"),
    ],
)
def test_wrong_use_is_one_line(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    assert main(["replay", str(bag), "--out", str(tmp_path / "out"), *options]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and error.startswith("adas: ")
    assert words in error
    assert not (tmp_path / "out").exists()


def test_a_vehicle_that_the_market_was_not_judged_for_is_refused(
    bag: Path, tmp_path: Path, repository: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "config" / "vehicles" / "reference.yaml").read_text(encoding="utf-8")
    truck = tmp_path / "truck.yaml"
    truck.write_text(text.replace("category: M1", "category: N3").replace("name: reference", "name: truck"), "utf-8")
    options = ["--market", "de", "--vehicle", str(truck), "--out", str(tmp_path / "out")]
    assert main(["replay", str(bag), *options]) == 2
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1 and "category N3" in error
    assert not (tmp_path / "out").exists()


def test_two_bags_of_one_name_are_refused_before_the_work(
    bag: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = write(tmp_path / "bag", drive(1.0))
    assert main(["replay", str(bag), str(other), "--market", "de", "--out", str(tmp_path / "out")]) == 2
    assert "the same name" in capsys.readouterr().err
