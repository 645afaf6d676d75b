"""One line of the benchmark's table, and the table."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure.

    Args:
        what: What was measured, in a few words.
        measured: The figure as people read it, with its unit.
        value: The figure.
        budget: What the design allows (section 7), in the same unit; `None` where it sets none.
        unit: Unit of value and budget.
        is_lower_better: False where more is better, as for a speed.
    """

    what: str
    measured: str
    value: float
    budget: float | None = None
    unit: str
    is_lower_better: bool = True

    @property
    def ratio(self) -> float | None:
        """How many times better than the budget: 2 is twice as good, below 1 misses it; `None` without a budget."""
        if self.budget is None:
            return None
        above, below = (self.budget, self.value) if self.is_lower_better else (self.value, self.budget)
        return above / below if below > 0.0 else float("inf")

    @property
    def is_met(self) -> bool:
        """Whether the budget holds; a row without one always does."""
        return self.ratio is None or self.ratio >= 1.0


def machine() -> str:
    """The machine's name for the table's head: processor, cores that we may use, memory, Python."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() in ("model name", "Model") and value.strip():
                model = " ".join(value.split())
                break
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = ""
    meminfo = Path("/proc/meminfo")
    if meminfo.is_file():
        kilobytes = int(meminfo.read_text(encoding="ascii").split()[1])
        memory = f", {kilobytes / 2**20:.0f} GiB"
    return f"{model}, {cores} core{'' if cores == 1 else 's'}{memory}, Python {platform.python_version()}"


def table(rows: Sequence[Row]) -> str:
    """The rows as a Markdown table that also reads well in a terminal."""
    head = ("what", "measured", "budget", "ratio", "")
    cells = [head]
    for row in rows:
        sign = "<=" if row.is_lower_better else ">="
        cells.append(
            (
                row.what,
                row.measured,
                "" if row.budget is None else f"{sign} {row.budget:g} {row.unit}".rstrip(),
                "" if row.ratio is None else f"{row.ratio:.3g}x",
                "" if row.ratio is None else "ok" if row.is_met else "MISSED",
            )
        )
    widths = [max(len(cell[column]) for cell in cells) for column in range(len(head))]
    lines = [
        "| " + " | ".join(text.ljust(width) for text, width in zip(cell, widths, strict=True)) + " |" for cell in cells
    ]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"
