"""Who waits for whom: guard and decision before all else, where it is permitted, and told where it is not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adas_runtime.nodes import scheduling

THREADED = """
import os, sys, threading, time
from adas_runtime.nodes import scheduling
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
print(scheduling.go_real_time(sys.argv[1]))
threading.Thread(target=time.sleep, args=(30,), daemon=True).start()
print(*(os.sched_getscheduler(int(tid)) for tid in os.listdir("/proc/self/task")))
print(*(os.sched_getparam(int(tid)).sched_priority for tid in os.listdir("/proc/self/task")))
"""
RUNAWAY = """
from adas_runtime.nodes import scheduling
print(scheduling.go_real_time("decision"), flush=True)
while True: pass
"""


def may_be_real_time() -> bool:
    done = subprocess.run(
        [sys.executable, "-c", "import os; os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))"],
        capture_output=True,
        check=False,
    )
    return done.returncode == 0


def python(text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", text, *arguments], capture_output=True, text=True, check=False, timeout=60.0
    )


@pytest.mark.skipif(not may_be_real_time(), reason="real time is not permitted here")
class TestRealTime:
    @pytest.mark.parametrize("process", ["guard", "decision"])
    def test_every_thread_of_a_process_that_steers_is_real_time(self, process: str) -> None:
        told, policies, priorities = python(THREADED, process).stdout.splitlines()
        assert told == f"real time {scheduling.REAL_TIME[process]}"
        assert set(policies.split()) == {str(os.SCHED_FIFO)}
        assert set(priorities.split()) == {str(scheduling.REAL_TIME[process])}

    def test_the_guard_is_before_the_decision(self) -> None:
        assert scheduling.REAL_TIME["guard"] > scheduling.REAL_TIME["decision"]

    def test_what_computes_without_end_is_ended(self) -> None:
        # else a defect in a loop would keep a core from everybody else for as long as the car drives
        done = python(RUNAWAY)
        assert done.stdout.startswith("real time")
        assert done.returncode == -signal.SIGXCPU


@pytest.mark.parametrize("process", ["perception", "recorder"])
def test_what_reads_pictures_or_writes_files_stays_an_ordinary_process(process: str) -> None:
    assert scheduling.go_real_time(process) == ""
    assert os.sched_getscheduler(0) == os.SCHED_OTHER


def test_what_is_not_permitted_is_told_and_no_error(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(scheduling.resource, "setrlimit", lambda *arguments: None)
    monkeypatch.setattr(scheduling.os, "sched_setscheduler", refuse)
    monkeypatch.setattr(scheduling.os, "setpriority", refuse)
    assert "not permitted (LimitRTPRIO=20" in scheduling.go_real_time("guard")
    assert "-15 is not permitted (LimitNICE=" in scheduling.place("guard")
