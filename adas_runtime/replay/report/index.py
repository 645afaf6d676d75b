"""The index over many replays: bags down, markets across, one link each."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from adas_runtime.replay.report.page import REPORT_FILE, environment, page_parts
from adas_runtime.replay.schema import Summary, read_summary

INDEX_FILE: Final = "index.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A bag that could not be replayed under a market, and the one line that says why."""

    bag: str
    market: str
    reason: str


def write_index(out_dir: Path, results: Iterable[Path | Refused]) -> Path:
    """Write `index.html` with a matrix of all replays.

    Args:
        out_dir: Folder of the page; links are relative to it, so that the whole folder can be moved.
        results: A replay's folder, or why there is none.
    Returns:
        The path of the page.
    Raises:
        BagError: A folder holds no readable summary.
    """
    cells: dict[tuple[str, str], dict[str, Any]] = {}
    for result in results:
        if isinstance(result, Refused):
            cells[result.bag, result.market] = {
                "refused": result.reason.removeprefix(f"{result.bag}: "),
                "summary": None,
            }
            continue
        summary = read_summary(result)
        link = os.path.relpath(result / REPORT_FILE, out_dir).replace(os.sep, "/")
        cells[summary.bag, summary.market] = {
            "refused": "",
            "summary": summary,
            **_cell(summary),
            "link": quote(link),
        }
    bags = sorted({bag for bag, _ in cells})
    markets = sorted({market for _, market in cells})
    summaries = [cell["summary"] for cell in cells.values() if cell["summary"] is not None]
    page = (
        environment()
        .get_template("index.html.j2")
        .render(
            bags=[(bag, [(market, cells.get((bag, market))) for market in markets]) for bag in bags],
            names={bag: Path(bag).name or bag for bag in bags},
            markets=markets,
            replay_count=len(summaries),
            refused_count=len(cells) - len(summaries),
            duration_s=sum(summary.duration_s for summary in summaries),
            **page_parts(),
        )
    )
    path = out_dir / INDEX_FILE
    path.write_text(page, encoding="utf-8")
    return path


def _cell(summary: Summary) -> dict[str, Any]:
    functions = summary.functions.values()
    faults = sum(1 for item in functions if item.time_fault_s > 0.0)
    alerts = sum(item.alerts for item in functions)
    shadow = sum(item.alerts for item in functions if item.stage == "shadow")
    interventions = sum(item.interventions for item in functions)
    dropped = sum(item.dropped for item in summary.inputs.values())
    level = "fault" if faults else "degraded" if summary.warnings or dropped else "good"
    return {
        "alerts": alerts,
        "shadow": shadow,
        "interventions": interventions,
        "faults": faults,
        "dropped": dropped,
        "level": level,
    }
