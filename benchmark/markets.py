"""What reading and judging every shipped market costs, and one of them.

    python benchmark/markets.py

Processor time of this thread, so that what else the machine does does not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import date
from typing import Final

from rows import Row, machine, table

from adas_runtime.market.load import market_names, market_path, merge
from adas_runtime.market.rules import check

DAY: Final = date(2026, 11, 26)
ALL_S: Final = 2.0


def _cost_s(work: Callable[[], object], passes: int) -> float:
    """The least of several passes [s]; the first, which reads rules and texts, is left out."""
    work()
    found = []
    for _ in range(passes):
        start_s = time.thread_time()
        work()
        found.append(time.thread_time() - start_s)
    return min(found)


def _judge(names: tuple[str, ...]) -> None:
    for name in names:
        merged = merge(market_path(name))
        assert not merged.findings and not check(merged, on=DAY), name


def rows() -> list[Row]:
    """The lines of the benchmark's table."""
    names = market_names()
    whole_s, one_s = _cost_s(lambda: _judge(names), 3), _cost_s(lambda: _judge(("de",)), 10)
    return [
        Row(
            what=f"read and judge all {len(names)} markets",
            measured=f"{whole_s:.2f} s",
            value=whole_s,
            budget=ALL_S,
            unit="s",
        ),
        Row(what="read and judge one market", measured=f"{one_s * 1e3:.0f} ms", value=one_s * 1e3, unit="ms"),
    ]


if __name__ == "__main__":
    print(machine())
    print(table(rows()), end="")
