"""Ctrl-C and SIGTERM: a command ends at once, says so, and leaves nothing half made."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ADAS = "from adas_runtime.cli import run; run()"


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A drive that takes a replay some seconds."""
    bag = tmp_path_factory.mktemp("drive") / "drive"
    make = ["synth", "--market", "de", "--seconds", "240", "--no-camera", "--out", str(bag)]
    subprocess.run([sys.executable, "-c", ADAS, *make], check=True, capture_output=True)
    return bag


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_stopped_replay_leaves_nothing(number: signal.Signals, jobs: str, drive: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    markets = ["--market", "de", "--market", "jp", "--market", "ae"]
    process = subprocess.Popen(
        [sys.executable, "-c", ADAS, "replay", str(drive), *markets, "--jobs", jobs, "--out", str(out)],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    )
    end_s = time.monotonic() + 60.0
    while not (out.is_dir() and any(out.iterdir())):
        assert process.poll() is None and time.monotonic() < end_s
        time.sleep(0.02)
    if number is signal.SIGINT:
        os.killpg(process.pid, number)  # as a terminal does
    else:
        process.send_signal(number)  # as systemd does, to the one process it knows
    told = process.communicate(timeout=30)[1]
    assert process.returncode == 130 and told == "adas: stopped\n"
    assert [item for item in out.iterdir() if item.name.startswith(".")] == []
