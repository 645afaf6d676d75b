"""The benchmark's table: figures beside budgets, and what misses one is told."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from benchmark_modules import load


def row(module: ModuleType, **fields: Any) -> Any:
    return module.Row(**{"what": "a step", "measured": "0.10 ms", "value": 0.1, "unit": "ms", **fields})


def test_a_budget_that_is_missed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = load("rows", monkeypatch)
    text = rows.table(
        [
            row(rows, budget=0.15),
            row(rows, budget=0.05),
            row(rows, value=50.0, budget=100.0, unit="x", is_lower_better=False),
            row(rows),
        ]
    )
    lines = text.splitlines()
    assert ["ok" in line for line in lines[2:]] == [True, False, False, False]
    assert ["MISSED" in line for line in lines[2:]] == [False, True, True, False]
    assert "<= 0.15 ms" in lines[2] and "1.5x" in lines[2] and ">= 100 x" in lines[4] and "0.5x" in lines[4]
    assert len({len(line) for line in lines}) == 1, "columns line up in a terminal"
    assert rows.machine().count("core") == 1


def test_one_benchmark_that_fails_hides_no_other(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = load("rows", monkeypatch)
    run = load("run", monkeypatch)

    def broken() -> list[Any]:
        raise ZeroDivisionError("no figures")

    for name, made in (("decision", broken), ("replay", lambda: [row(rows, budget=0.2)])):
        module = ModuleType(name)
        module.rows = made  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(run, "benchmarks", lambda: ("decision", "replay"))
    monkeypatch.setattr(sys, "argv", ["run.py"])
    assert run.main() == 1
    out = capsys.readouterr().out
    assert "a step" in out and "decision could not be measured: ZeroDivisionError: no figures" in out
    monkeypatch.setattr(sys, "argv", ["run.py", "--only", "nothing"])
    assert run.main() == 2
