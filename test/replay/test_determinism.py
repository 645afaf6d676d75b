"""The same recording gives the same decisions: run after run, however it is stored, wherever it lies."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_bags import DRIVER, LANES, STATE, drive, replay, write
from rosbags.rosbag2 import StoragePlugin

from adas_runtime.replay.schema import EventKind, read_events, read_summary


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive with one departure."""
    return write(tmp_path_factory.mktemp("drive") / "bag", drive())


@pytest.fixture(scope="module")
def reference(bag: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its replay."""
    return replay(bag, tmp_path_factory.mktemp("reference") / "out")


def _starts(folder: Path) -> list[tuple[str, float]]:
    found = [e for e in read_events(folder) if e.kind is EventKind.ALERT_START and e.function == "lane_departure"]
    return [(e.code, e.t_s) for e in found]


def test_the_departure_is_warned_of_once(reference: Path) -> None:
    ((code, t_s),) = _starts(reference)
    assert "left" in code
    # the tyre's edge is 0.875 m left of the middle of 3.5 m: it would cross 1.75 s after the drift begins
    assert 5.0 < t_s < 5.0 + 1.75


def test_two_runs_and_two_places_agree(
    bag: Path, reference: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moved = tmp_path / "ein anderer Ort" / "drive.renamed"
    shutil.copytree(bag, moved)
    monkeypatch.chdir(moved.parent)
    again = replay(Path("drive.renamed"), tmp_path / "out")
    first, second = read_summary(reference), read_summary(again)
    assert (first.digest, first.decisions) == (second.digest, second.decisions)
    assert (reference / "events.jsonl").read_bytes() == (again / "events.jsonl").read_bytes()
    assert (reference / "series.json").read_bytes() == (again / "series.json").read_bytes()


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3])
@pytest.mark.parametrize("has_metadata", [True, False])
def test_storage_and_metadata_do_not_matter(
    reference: Path, tmp_path: Path, storage: StoragePlugin, has_metadata: bool
) -> None:
    bag = write(tmp_path / "bag", drive(), storage)
    if not has_metadata:
        (bag / "metadata.yaml").unlink()
    assert read_summary(replay(bag, tmp_path / "out")).digest == read_summary(reference).digest


def test_a_split_bag_is_one_drive(reference: Path, tmp_path: Path) -> None:
    rows = drive()
    folder = tmp_path / "split"
    folder.mkdir()
    for number, part in enumerate((rows[:700], rows[700:1100], rows[1100:])):
        piece = write(tmp_path / f"part{number}", part)
        shutil.copy(next(piece.glob("*.mcap")), folder / f"split_{number}.mcap")
    assert read_summary(replay(folder, tmp_path / "out")).digest == read_summary(reference).digest


@settings(max_examples=3)
@given(st.randoms(use_true_random=False))
def test_the_order_in_the_file_does_not_matter(
    reference: Path, tmp_path_factory: pytest.TempPathFactory, random: object
) -> None:
    """Writers run side by side: within some milliseconds, topics reach the file in any order."""
    rows = drive()
    for start in range(0, len(rows) - 6, 6):
        part = rows[start : start + 6]
        random.shuffle(part)  # type: ignore[attr-defined]
        rows[start : start + 6] = part
    folder = tmp_path_factory.mktemp("shuffled")
    assert read_summary(replay(write(folder / "bag", rows), folder / "out")).digest == read_summary(reference).digest


def test_what_a_former_run_decided_feeds_nothing(bag: Path, reference: Path, tmp_path: Path) -> None:
    """Recorded decisions must not pass for live ones (Apollo 10965, 14303)."""
    again = replay(reference, tmp_path / "out", from_decision=True)
    assert read_summary(again).digest == read_summary(reference).digest
    used = {topic for topic, item in read_summary(again).inputs.items() if item.feeds}
    assert used == {STATE, DRIVER, LANES}


@pytest.mark.slow
def test_jobs_and_hash_seeds_agree(bag: Path, reference: Path, tmp_path: Path) -> None:
    """Other processes, another seed of Python's hashes, two at a time: the same digests and the same files."""
    outs = []
    for jobs, seed in ((1, "1"), (2, "4711")):
        out = tmp_path / f"out{jobs}"
        command = [sys.executable, "-c", "from adas_runtime.cli import run; run()", "replay", str(bag)]
        command += ["--market", "de", "--market", "jp", "--out", str(out), "--jobs", str(jobs), "--json"]
        done = subprocess.run(
            command, env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        outs.append([(s["market"], s["digest"]) for s in json.loads(done.stdout)])
    assert outs[0] == outs[1]
    assert dict(outs[0])["de"] == read_summary(reference).digest
    for name in ("events.jsonl", "series.json"):
        assert (tmp_path / "out1/bag__jp" / name).read_bytes() == (tmp_path / "out2/bag__jp" / name).read_bytes()
    assert (tmp_path / "out2" / "index.html").is_file()
