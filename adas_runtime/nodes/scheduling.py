"""The place of each process in the order of who waits for whom. Nothing here is required: what is refused is told.

Guard and decision run for a fraction of a millisecond, a hundred times a second, and must not wait for a picture that
perception works on. Two things see to that, each where it is permitted:

- nice: what starts is before everything else that the computer does, and the recorder's disk is after it. Linux shares
  a busy processor among sessions first and looks at nice only within one, so the session's weight is set as well.
- real time: guard and decision, once they are active. Weight alone is not enough: who wakes up still waits for up to
  a tick or two of whoever runs. Beside one busy core of other work the 99th percentile from vehicle state to command
  was 7-11 ms with nice alone and is 2.2-2.7 ms with real time. The kernel keeps a share of the processor for all others
  (sched_rt_runtime_us), and ends a process that computes for `RUNAWAY_S` without waiting once, which no healthy step
  does; the supervisor then starts a fresh one.
"""

from __future__ import annotations

import os
import resource
from contextlib import suppress
from pathlib import Path
from typing import Final

NICE: Final = {"guard": -15, "decision": -10, "perception": -5, "recorder": 5}
REAL_TIME: Final = {"guard": 20, "decision": 10}  # below the kernel's interrupt threads (50)
RUNAWAY_S: Final = 2
AUTOGROUP: Final = Path("/proc/self/autogroup")
THREADS: Final = Path("/proc/self/task")


def place(process: str) -> str:
    """Take the process's place, before any other thread exists so that all inherit it; what became of it."""
    said = f"nice {NICE[process]}"
    try:
        os.setpriority(os.PRIO_PROCESS, 0, NICE[process])
        if os.getsid(0) == os.getpid():  # else it would speak for a whole terminal
            with suppress(FileNotFoundError):
                AUTOGROUP.write_text(str(NICE[process]), encoding="ascii")
    except OSError:
        said = f"nice {os.getpriority(os.PRIO_PROCESS, 0)}: {NICE[process]} is not permitted (LimitNICE=, RLIMIT_NICE)"
    return said


def go_real_time(process: str) -> str:
    """Real time for all threads of a process that steers, from now on; what became of it, empty for the others."""
    if process not in REAL_TIME:
        return ""
    priority = REAL_TIME[process]
    try:
        _, most_s = resource.getrlimit(resource.RLIMIT_RTTIME)
        most_us = RUNAWAY_S * 1_000_000
        if most_s == resource.RLIM_INFINITY or most_s > most_us:
            resource.setrlimit(resource.RLIMIT_RTTIME, (most_us, most_s))
        for thread in sorted(THREADS.iterdir()):
            with suppress(ProcessLookupError):
                os.sched_setscheduler(int(thread.name), os.SCHED_FIFO, os.sched_param(priority))
    except OSError:
        return f"no real time: not permitted (LimitRTPRIO={priority}, RLIMIT_RTPRIO)"
    return f"real time {priority}"
