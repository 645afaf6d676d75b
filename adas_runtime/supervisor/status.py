"""What `adas up` shows: one line that is rewritten on a terminal, plain event lines in a pipe."""

from __future__ import annotations

import os
import shutil
import sys
import time
from contextlib import suppress
from typing import IO, Any, Final

from adas_runtime.signals import Stage
from adas_runtime.supervisor.supervisor import MONITOR, Life, Supervisor

PERIOD_S: Final = 1.0
MARKS: Final = {Life.RUNNING: "up", Life.WAITING: "restarting", Life.GIVEN_UP: "DOWN", Life.ENDED: "ended"}


def stage_summary(statuses: dict[str, dict[str, Any]]) -> str:
    """Functions by stage, faults first: `1 fault (envelope), 3 on, 1 warn`."""
    faults = sorted(name for name, told in statuses.items() if told.get("health") == "FAULT")
    counts = {stage: sum(told.get("stage") == stage.name for told in statuses.values()) for stage in Stage}
    parts = [f"{counts[stage]} {stage.name.lower()}" for stage in sorted(Stage, reverse=True) if counts[stage]]
    if faults:
        parts.insert(0, f"{len(faults)} fault ({', '.join(faults)})")
    return ", ".join(parts)


def status_line(supervisor: Supervisor, cores: float) -> str:
    """Processes, stages, load and restarts, in one line.

    Args:
        supervisor: What to show.
        cores: Processor load of all processes over the last period [cores].
    """
    slots = [slot for slot in supervisor.slots.values() if slot.name != MONITOR]
    up = sum(slot.life is Life.RUNNING for slot in slots)
    parts = [f"{up}/{len(slots)} up"]
    parts += [f"{slot.name} {MARKS[slot.life]}" for slot in slots if slot.life is not Life.RUNNING]
    if supervisor.view.market:
        parts.append(supervisor.view.market)
    parts.append(stage_summary(supervisor.view.statuses) or "starting")
    if supervisor.view.alerts:
        parts.append(f"{supervisor.view.alerts} alerts")
    resident = sum(slot.resident_bytes for slot in supervisor.slots.values()) / 1e6
    parts.append(f"{cores:.2f} cores, {resident:.0f} MB")
    parts.append(f"{sum(slot.restart.restarts for slot in slots)} restarts")
    return " · ".join(parts)


def put(stream: IO[str] | None, text: str) -> None:
    """Write what can be written: a reader that left, or a log on a full disk, must not end a graph that drives."""
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except BrokenPipeError:
        with suppress(OSError, ValueError):  # for good: nothing may fail again at the end of the program
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    except (OSError, ValueError):
        return


class Screen:
    """Writes event lines and, on a terminal, the live line under them."""

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stderr  # None where the program was started with it closed
        self._is_terminal = self._stream is not None and self._stream.isatty()
        self._shown = ""
        self._at_s = 0.0
        self._cpu: tuple[float, float] | None = None

    def say(self, text: str) -> None:
        """One event."""
        self._clear()
        put(self._stream, text + "\n")
        self._draw()

    def show(self, supervisor: Supervisor) -> None:
        """Renew the live line; nothing in a pipe."""
        now_s = time.monotonic()
        if not self._is_terminal or now_s - self._at_s < PERIOD_S:
            return
        self._at_s = now_s
        spent_s = sum(slot.cpu_s for slot in supervisor.slots.values())
        cores = 0.0
        if self._cpu is not None and now_s > self._cpu[0]:
            cores = max(0.0, (spent_s - self._cpu[1]) / (now_s - self._cpu[0]))
        self._cpu = (now_s, spent_s)
        self._clear()
        self._shown = status_line(supervisor, cores)
        self._draw()

    def close(self) -> None:
        """Leave the terminal clean."""
        self._clear()
        self._shown = ""
        put(self._stream, "")

    def _clear(self) -> None:
        if self._is_terminal and self._shown:
            put(self._stream, "\r\x1b[2K")

    def _draw(self) -> None:
        if self._is_terminal and self._shown:
            width = shutil.get_terminal_size().columns
            put(self._stream, self._shown[: max(10, width - 1)])
