"""Every budget of the design that exists by now, as one table with this machine's name.

    python benchmark/run.py                     all of them
    python benchmark/run.py --only decision     some, by module name
    python benchmark/run.py --setup             also a first set-up in a fresh environment (minutes, needs the index)
    python benchmark/run.py --json

Each module of this folder with a function `rows()` is one benchmark. Exit 0: every budget is met; 1: one is missed,
or a benchmark could not run (a line says why).
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).resolve().parent
ROOT: Final = FOLDER.parent
for place in (str(ROOT), str(FOLDER)):
    if place not in sys.path:
        sys.path.insert(0, place)

from rows import Row, machine, table  # noqa: E402

ORDER: Final = (
    "decision",
    "isa",
    "following",
    "braking",
    "tracking",
    "lateral",
    "replay",
    "live",
    "lanes",
    "horizon",
    "roads",
    "markets",
)
SETUP_BUDGET_S: Final = 180.0


def benchmarks() -> tuple[str, ...]:
    """Names of the modules with a `rows()`, in the order of the design's table."""
    there = [(name, FOLDER / f"{name}.py") for name in ORDER]
    return tuple(name for name, path in there if path.is_file() and "\ndef rows(" in path.read_text(encoding="utf-8"))


def measure(name: str) -> tuple[list[Row], str]:
    """The rows of one benchmark, or why there are none."""
    try:
        return list(importlib.import_module(name).rows()), ""
    except (Exception, SystemExit) as error:  # one that fails must not hide the others' figures
        return [], f"{type(error).__name__}: {' '.join(str(error).split())}"


def setup_rows() -> list[Row]:
    """How long script/bootstrap takes in a fresh environment, and when all is there."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "ADAS_VENV": str(Path(folder) / "venv")}
        for what, budget_s in (("first set-up, fresh environment", SETUP_BUDGET_S), ("second start of set-up", 3.0)):
            begin_s = time.monotonic()
            subprocess.run([str(ROOT / "script" / "bootstrap")], env=environment, check=True, stdout=sys.stderr)
            took_s = time.monotonic() - begin_s
            found.append(Row(what=what, measured=f"{took_s:.1f} s", value=took_s, budget=budget_s, unit="s"))
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", help=f"names, separated by commas: {', '.join(benchmarks())}")
    parser.add_argument("--setup", action="store_true", help="measure the first set-up as well")
    parser.add_argument("--json", action="store_true", help="print the rows for machines")
    options = parser.parse_args()
    names = tuple(options.only.split(",")) if options.only else benchmarks()
    unknown = [name for name in names if name not in benchmarks()]
    if unknown:
        print(f"benchmark: no {unknown[0]!r}; take some of {', '.join(benchmarks())}", file=sys.stderr)
        return 2
    rows: list[Row] = []
    failures: list[str] = []
    for name in names:
        print(f"measuring {name}", file=sys.stderr)
        found, reason = measure(name)
        rows += found
        if reason:
            failures.append(f"{name} could not be measured: {reason}")
    if options.setup:
        try:
            rows += setup_rows()
        except (subprocess.CalledProcessError, OSError) as error:
            failures.append(f"set-up could not be measured: {error}")
    if options.json:
        found_rows = [{**dataclasses.asdict(row), "ratio": row.ratio, "is_met": row.is_met} for row in rows]
        print(json.dumps({"machine": machine(), "rows": found_rows, "failures": failures}, indent=2))
    else:
        print(machine())
        print(table(rows), end="")
        for text in failures:
            print(text)
    return 1 if failures or not all(row.is_met for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
