"""The whole way: real processes, real topics, a recording, a replay of the same drive, and a kill in between."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.graph import MARKET_STATUS_TOPIC, live_topic
from adas_runtime.replay.bag import Bag

ADAS = "from adas_runtime.cli import run; run()"
ACTIVE_S = 90.0  # a CI machine with other work

pytestmark = [pytest.mark.ros, pytest.mark.slow]


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, ros: int) -> tuple[int, dict, Path]:
    """One demo of a short drive with a departure; its exit code, its result and its folder."""
    out = tmp_path_factory.mktemp("demo") / "out"
    done = subprocess.run(
        [sys.executable, "-c", ADAS, "demo", "--seconds", "10", "--out", str(out), "--json"],
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, json.loads(done.stdout), out


def test_live_graph_and_replay_say_the_same(demo: tuple[int, dict, Path]) -> None:
    code, result, out = demo
    if result["verdict"] == "not_comparable":
        pytest.skip(f"this machine is too busy to drive in real time: {result['live']}")
    assert code == 0 and result["verdict"] == "agree"
    assert len(result["replay"]["alerts"]) == len(result["live"]["alerts"]) >= 1  # the drive leaves its lane once
    assert (out / "replay" / "report.html").is_file()


def test_the_live_recording_holds_inputs_decisions_and_market(demo: tuple[int, dict, Path]) -> None:
    _, result, _ = demo
    recording = Path(result["live"]["recording"])
    with Bag(recording) as bag:
        assert not bag.warnings
        counts = {name: topic.count for name, topic in bag.topics.items()}
    for name in ("/vehicle/state", "/camera/front/image/compressed", live_topic("envelope", "command"), "/diagnostics"):
        assert (counts.get(name) or 0) > 5, name
    assert counts[MARKET_STATUS_TOPIC] == 1
    metadata = (recording / "metadata.yaml").read_text()
    assert "market_digest" in metadata
    assert result["live"]["restarts"] == 0


def test_the_live_recording_replays_to_the_same_alerts(demo: tuple[int, dict, Path], tmp_path: Path) -> None:
    """From what perception said and when it came, the replay decides as the live graph did, however busy it was."""
    recording = demo[1]["live"]["recording"]
    assert main(["replay", recording, "--market", "de", "--out", str(tmp_path / "r"), "--from", "decision"]) == 0
    summary = json.loads((tmp_path / "r" / "summary.json").read_text())
    assert summary["inputs"]["/vehicle/state"]["count"] > 500
    live = [alert["code"] for alert in demo[1]["live"]["alerts"]]
    events = [json.loads(line) for line in (tmp_path / "r" / "events.jsonl").read_text().splitlines()]
    played = json.loads((demo[2] / "played.json").read_text())
    start_s = played["start_s"] - summary["start_s"]  # before and after the drive, inputs are missing
    begun = [
        e["code"]
        for e in events
        if e["kind"] == "alert_start"
        and e["function"] != "health"
        and start_s <= e["t_s"] <= start_s + played["seconds"]
    ]
    assert begun == live and live


class Up:
    """`adas up` in a process, with its event lines."""

    def __init__(self, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", ADAS, "up", "--market", "de", "--json", *arguments],
            stdout=subprocess.PIPE,
            text=True,
        )

    def events(self) -> Iterator[dict]:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            yield json.loads(line)

    def until(self, kind: str, text: str = "") -> dict:
        for event in self.events():
            if event["event"] == kind and text in event.get("text", ""):
                return event
        raise AssertionError(f"ended without {kind} {text}")

    def children(self) -> dict[str, int]:
        found = {}
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
                command = (path.parent / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if int(fields[1]) == self.process.pid and b"adas_runtime.nodes" in command:
                found[command[command.index(b"adas_runtime.nodes") + 1].decode()] = int(path.parent.name)
        return found


def test_a_killed_recorder_comes_back_and_its_file_is_still_read(tmp_path: Path, ros: int) -> None:
    up = Up("--record", str(tmp_path))
    try:
        up.until("active")
        end_s = time.monotonic() + ACTIVE_S
        while not any(path.stat().st_size > 30_000 for path in tmp_path.rglob("*.mcap")):
            assert time.monotonic() < end_s, "nothing is recorded"
            time.sleep(0.2)
        killed = next(tmp_path.iterdir())
        os.kill(up.children()["recorder"], signal.SIGKILL)
        up.until("text", "recorder: killed by SIGKILL")
        up.until("text", "all processes up again")
        while len(list(tmp_path.glob("*/*.mcap"))) < 2:
            assert time.monotonic() < end_s + ACTIVE_S, "the new recorder records nothing"
            time.sleep(0.2)
        held = list(up.children().values())
        assert len(held) == 4
        up.process.send_signal(signal.SIGTERM)
        assert up.until("end")["processes"]["recorder"]["restarts"] == 1
        assert up.process.wait(timeout=60) == 0
        assert not any(Path(f"/proc/{pid}").exists() for pid in held)
    finally:
        up.process.kill()
    with Bag(killed) as bag:
        assert any("cut short" in text for text in bag.warnings)
        assert sum(1 for _ in bag.messages([live_topic("envelope", "command")])) > 50


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda folder: folder / "nowhere.mp4", "no such file"),
        (lambda folder: _written(folder / "text.mp4", b"no video at all"), "text.mp4"),
        (lambda folder: _written(folder / "empty.mcap", b""), "empty.mcap"),
        (lambda folder: _written(folder / "void" / "metadata.yaml", b"").parent, "void"),
    ],
)
def test_what_is_no_drive_is_told_in_one_line(
    make, told: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", str(make(tmp_path)), "--out", str(tmp_path / "out")]) == 2
    captured = capfd.readouterr()
    assert told in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_other_peoples_folders_are_left_alone(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["demo", "--out", str(tmp_path)]) == 2
    assert "holds other things" in capfd.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def _written(path: Path, data: bytes) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(data)
    return path


def test_a_refused_drive_costs_no_former_demo(demo: tuple[int, dict, Path], tmp_path: Path) -> None:
    out, recording = demo[2], Path(demo[1]["live"]["recording"])
    (tmp_path / "note.txt").write_text("no drive")
    for path in (tmp_path / "note.txt", tmp_path / "none.mcap", recording):
        assert main(["demo", str(path), "--out", str(out)]) == 2
        assert (out / "replay" / "report.html").is_file() and recording.is_dir()
    assert main(["demo", str(tmp_path / "note.txt"), "--out", str(tmp_path / "new")]) == 2
    assert not (tmp_path / "new").exists()
