"""Arbiter and envelope: every line and every branch is run by their own tests, not by chance of another's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).resolve().parents[2]
GATES: Final = ("adas_runtime/arbitration/arbiter.py", "adas_runtime/arbitration/envelope.py")
TESTS: Final = (
    "test_arbiter",
    "test_chains",
    "test_envelope",
    "test_envelope_bounds",
    "test_envelope_depth",
    "test_envelope_short_way",
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_no_line_and_no_branch_of_the_two_gates_is_left_out(tmp_path: Path) -> None:
    environment = {**os.environ, "COVERAGE_FILE": str(tmp_path / "coverage"), "CI": "1"}
    tests = [f"test/arbitration/{name}.py" for name in TESTS]
    quiet = ["-q", "-x", "-p", "no:cacheprovider", "--durations=0", "--no-header"]
    run = [sys.executable, "-m", "coverage", "run", "--branch", f"--include={','.join(GATES)}", "-m", "pytest"]
    ended = subprocess.run(
        [*run, *quiet, *tests], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=800, check=False
    )
    assert ended.returncode == 0, ended.stdout[-4000:] + ended.stderr[-2000:]
    report = [sys.executable, "-m", "coverage", "report", "--show-missing", "--fail-under=100"]
    told = subprocess.run(
        [*report, f"--include={','.join(GATES)}"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    assert all(gate in told.stdout for gate in GATES), told.stdout
