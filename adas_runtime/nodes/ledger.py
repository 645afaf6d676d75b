"""What a process knows of its own work: readers, writers, functions, times. No ROS; the diagnostics tell it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from adas_runtime.signals import FunctionStatus, Health, Stage

WINDOW: Final = 1024  # steps whose times are kept
SILENT_PERIODS: Final = 10.0
SILENT_MIN_S: Final = 1.0
CLOCK_OFF_S: Final = 1.0  # more between a stamp and its arrival is another clock, not a slow way
LOG_PERIOD_S: Final = 5.0  # a refusal is logged once in this time; all are counted


class Level(IntEnum):
    """Of `diagnostic_msgs/DiagnosticStatus`."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the diagnostics."""

    name: str
    level: Level
    message: str
    values: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Reader:
    """One topic that is read.

    Args:
        topic: Its name.
        period_s: Of its values; `None` for events [s].
        has_peer: Its writer is a process of this graph, so a missing one is an error.
    """

    topic: str
    period_s: float | None
    has_peer: bool
    received: int = 0
    refused: int = 0
    refusal: str = ""
    logged_s: float | None = None
    dropped: int = 0
    late: int = 0
    lost: int = 0
    is_alive: bool | None = None
    senders: int = 0
    clock_off_s: float = 0.0
    incompatible: str = ""
    last_s: float | None = None
    told: tuple[int, int, int, int, float] = (0, 0, 0, 0, 0.0)

    def refuse(self, reason: str, now_s: float) -> bool:
        """Count a refused message; True where it is time to log again."""
        self.refused += 1
        self.refusal = reason
        if self.logged_s is not None and now_s - self.logged_s < LOG_PERIOD_S:
            return False
        self.logged_s = now_s
        return True

    def ambiguity(self) -> str:
        """More than one process sends what only one may send."""
        return f"{self.senders} senders live, of which one is not this graph's"

    def entry(self, now_s: float) -> Entry:
        """The line since the former one."""
        received, refused, late, dropped, told_s = self.told
        self.told = (self.received, self.refused, self.late, self.dropped, now_s)
        rate_hz = (self.received - received) / (now_s - told_s) if now_s > told_s > 0.0 else 0.0
        silent_s = None if self.last_s is None else now_s - self.last_s
        found: list[tuple[Level, str]] = []
        if self.has_peer and self.is_alive is False:
            found.append((Level.ERROR, "its process does not live"))
        if self.has_peer and self.senders > 1:
            found.append((Level.ERROR, self.ambiguity()))
        if self.incompatible:
            found.append((Level.ERROR, f"a sender is not heard: its {self.incompatible} does not fit"))
        if self.refused > refused:
            found.append((Level.WARN, f"refused: {self.refusal}"))
        if self.late > late:
            found.append((Level.WARN, "late: a deadline passed without a value"))
        if abs(self.clock_off_s) > CLOCK_OFF_S:
            side = "ahead of" if self.clock_off_s > 0.0 else "behind"
            text = f"stamps are {abs(self.clock_off_s):.1f} s {side} this clock: set one by the other (PTP, chrony)"
            found.append((Level.WARN, text))
        if not found and self.period_s is not None:
            if silent_s is None:
                found.append((Level.STALE, "nothing received yet"))
            elif silent_s > max(SILENT_PERIODS * self.period_s, SILENT_MIN_S):
                found.append((Level.WARN, "silent"))
        level = max((level for level, _ in found), default=Level.OK)
        message = "; ".join(text for _, text in found)
        if not message:
            message = "newest taken, older ones dropped" if self.dropped > dropped else "ok"
        values = [("received", str(self.received)), ("rate_hz", f"{rate_hz:.1f}"), ("refused", str(self.refused))]
        if self.refusal:
            values.append(("last_refusal", self.refusal))
        values += [("dropped", str(self.dropped)), ("deadlines_missed", str(self.late))]
        if self.has_peer:
            values += [("liveliness_lost", str(self.lost)), ("is_alive", str(self.is_alive is True).lower())]
        if silent_s is not None:
            values.append(("silent_s", f"{silent_s:.2f}"))
        return Entry(name=f"reads {self.topic}", level=level, message=message, values=tuple(values))


@dataclass(slots=True)
class Writer:
    """One topic that is written."""

    topic: str
    sent: int = 0
    late: int = 0
    incompatible: str = ""
    told: tuple[int, int] = (0, 0)

    def entry(self) -> Entry:
        """The line since the former one."""
        _, late = self.told
        self.told = (self.sent, self.late)
        level, message = Level.OK, "ok"
        if self.incompatible:
            level, message = Level.WARN, f"a reader gets no data: it asks for more {self.incompatible} than is promised"
        elif self.late > late:
            level, message = Level.WARN, "late: the promised deadline was missed"
        return Entry(
            name=f"writes {self.topic}",
            level=level,
            message=message,
            values=(("sent", str(self.sent)), ("deadlines_missed", str(self.late))),
        )


@dataclass(slots=True)
class Times:
    """The last durations of one kind of work [s]."""

    values: deque[float] = field(default_factory=lambda: deque(maxlen=WINDOW))

    def add(self, value_s: float) -> None:
        """One more."""
        self.values.append(value_s)

    def quantile_ms(self, share: float) -> float | None:
        """The value that `share` of them does not exceed [ms]; `None` without any."""
        if not self.values:
            return None
        ordered = sorted(self.values)
        return 1e3 * ordered[min(len(ordered) - 1, int(share * len(ordered)))]

    def told(self, name: str) -> tuple[tuple[str, str], ...]:
        """Median and 99th percentile as values of an entry."""
        found = []
        for label, share in (("p50", 0.5), ("p99", 0.99)):
            value = self.quantile_ms(share)
            if value is not None:
                found.append((f"{name}_{label}_ms", f"{value:.3f}"))
        return tuple(found)


HEALTH_LEVEL: Final = {Health.OK: Level.OK, Health.DEGRADED: Level.WARN, Health.FAULT: Level.ERROR}


def function_entry(status: FunctionStatus) -> Entry:
    """The line of a function, with the core's own reason."""
    level = HEALTH_LEVEL[status.health]
    if status.absent and status.stage is not Stage.OFF:
        level = max(level, Level.WARN)
    parts = [status.state]
    if status.reason:
        parts.append(status.reason)
    if status.absent:
        parts.append(f"lacks {', '.join(status.absent)}")
    values = [
        ("stage", status.stage.name.lower()),
        ("health", status.health.name.lower()),
        ("is_active", str(status.is_active).lower()),
        ("absent", ", ".join(status.absent)),
        *((kpi.name, f"{kpi.value:g}") for kpi in status.kpis),
    ]
    return Entry(name=status.author, level=level, message=": ".join(parts), values=tuple(values))


@dataclass(slots=True)
class Ledger:
    """Everything that one process tells of itself."""

    readers: dict[str, Reader] = field(default_factory=dict)
    writers: dict[str, Writer] = field(default_factory=dict)
    functions: dict[str, FunctionStatus] = field(default_factory=dict)
    step: Times = field(default_factory=Times)
    lag: Times = field(default_factory=Times)
    faults: int = 0
    fault: str = ""
    told_faults: int = 0
    state: str = "unconfigured"
    facts: dict[str, str] = field(default_factory=dict)

    def report(self, now_s: float) -> list[Entry]:
        """All lines, the process's own first; the worst line beside it is its message."""
        lines = [function_entry(self.functions[name]) for name in self.functions]
        lines += [reader.entry(now_s) for reader in self.readers.values()]
        lines += [writer.entry() for writer in self.writers.values()]
        level, message = Level.OK, self.state
        if self.faults > self.told_faults:
            level, message = Level.ERROR, f"{self.state}; a defect was caught: {self.fault}"
        self.told_faults = self.faults
        values = [("state", self.state), *self.step.told("step"), *self.lag.told("queue_lag")]
        values += [("defects_caught", str(self.faults)), *((name, text) for name, text in self.facts.items() if text)]
        return [Entry(name="process", level=level, message=message, values=tuple(values)), *lines]


def shape(entries: list[Entry]) -> tuple[tuple[str, Level, str], ...]:
    """What of a report is a change when it differs: not the figures."""
    return tuple((entry.name, entry.level, entry.message) for entry in entries)
