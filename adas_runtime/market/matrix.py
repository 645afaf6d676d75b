"""Systems by markets, for a person who decides on a launch: how the law stands, and what this release does there."""

from __future__ import annotations

import html
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any, Final, Literal

from adas_runtime.market.load import Merged
from adas_runtime.market.rules import Effective, Rule, RuleBook, State, load_rules
from adas_runtime.market.schema import Category
from adas_runtime.market.texts import direction, text_files

LETTERS: Final[dict[State, str]] = {
    "mandatory": "M",
    "approval": "A",
    "none": "-",
    "forbidden": "N",
    "unknown": "?",
}
NAMES: Final = {  # heads of columns, in the order of a type approval rather than of the alphabet
    "isa": "Speed assistance (ISA)",
    "lane_departure": "Lane departure warning",
    "elks": "Emergency lane keeping",
    "lane_centring": "Lane centring (ACSF B1)",
    "lane_change": "Lane change (ACSF C)",
    "side_wind": "Side wind help (CSF)",
    "headway": "Distance warning",
    "aeb": "Emergency braking (AEB)",
    "headlamps": "Automatic dipped beam",
    "main_beam": "Automatic main beam",
    "signal_lamps": "Emergency stop signal",
    "drowsiness": "Drowsiness warning",
    "distraction": "Distraction warning",
    "dcas": "Hands-on assistance (DCAS)",
    "dcas_hands_off": "Hands-off assistance",
    "alks": "Automated lane keeping",
    "edr": "Event data recorder",
    "dssad": "Automation data storage",
    "cybersecurity": "Cyber security, updates",
}
Verdict = Literal["works", "silent", "approval", "locked", "missing", "refused", "elsewhere"]
VERDICTS: Final[dict[Verdict, tuple[str, str]]] = {  # sign and meaning; the sign alone must tell, without the colour
    "works": ("●", "works: reaches the driver or the car"),
    "silent": ("○", "could be raised, kept silent by the market file"),
    "approval": ("△", "needs an approval or sign-off that is not named"),
    "locked": ("✕", "locked: forbidden, unknown, or known by hearsay only"),
    "refused": ("!", "refused: the market file does not meet the law"),
    "missing": ("■", "mandatory, and not part of this release: another system of the car must do it"),
    "elsewhere": ("·", "not part of this release, and not surely mandatory"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One system in one market.

    Args:
        state: How the law stands, as the rule says it.
        effective: What that is worth: an unchecked word opens nothing and forces nothing.
        conf: Confidence of the rule.
        stage: Stage in the market file; empty where the release does not hold the system.
        minimum_stage: Lowest stage of a mandatory function, else empty.
        new_types_since: First day for new types, empty where none is known.
        since: First day for all new vehicles, empty where none is known.
        src: Instrument and clause.
        verdict: What it comes to.
        why: The first thing that the check finds, empty where it finds nothing.
    """

    state: State
    effective: Effective
    conf: str
    stage: str
    minimum_stage: str
    new_types_since: str
    since: str
    src: str
    verdict: Verdict
    why: str

    @property
    def letter(self) -> str:
        """The survey's notation: letter of the state and of the confidence, such as `Mp`."""
        return LETTERS[self.state] + self.conf


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One market."""

    name: str
    market: str
    title: str
    revision: str
    traffic_side: str
    speed_unit: str
    languages: tuple[str, ...]
    unchecked_languages: tuple[str, ...]
    cells: dict[str, Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """All markets and systems on one day for one category of vehicle."""

    on: str
    category: Category
    systems: tuple[str, ...]
    rows: tuple[Row, ...]

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def matrix(found: Sequence[tuple[str, Merged]], category: Category, on: date, book: RuleBook | None = None) -> Matrix:
    """The matrix of valid markets.

    Args:
        found: Name and merged market; those that are no market are left out.
        category: Category of vehicle.
        on: Day of use.
        book: The rules; the shipped ones where none are given.
    """
    rules = book or load_rules()
    known = set(rules.functions)
    systems = tuple([name for name in NAMES if name in known] + sorted(known - set(NAMES)))
    rows = [_row(name, merged, systems, category, on, rules) for name, merged in found if merged.market is not None]
    return Matrix(on=on.isoformat(), category=category, systems=systems, rows=tuple(rows))


def _row(name: str, merged: Merged, systems: tuple[str, ...], category: Category, on: date, rules: RuleBook) -> Row:
    from adas_runtime.market.rules import check

    market = merged.market
    assert market is not None
    stages = {function: stage.name.lower() for function, stage in market.stages().items()}
    faults: dict[str, str] = {}
    for finding in check(merged, on=on, rules=rules):
        function = finding.key.split(".")[1]
        faults.setdefault(function, finding.line())
    cells = {}
    for system in systems:
        rule, _ = rules.rule(system, market.market, category, on)
        cells[system] = _cell(rule, stages.get(system, ""), faults.get(system, ""))
    files = text_files()
    return Row(
        name=name,
        market=market.market,
        title=market.title,
        revision=market.revision,
        traffic_side=market.road.traffic_side,
        speed_unit=market.road.speed_unit,
        languages=market.alerts.languages,
        unchecked_languages=tuple(item for item in market.alerts.languages if files[item].conf == "u"),
        cells=cells,
    )


def _cell(rule: Rule | None, stage: str, why: str) -> Cell:
    state: State = rule.state if rule else "unknown"
    effective: Effective = rule.effective if rule else "unknown"
    return Cell(
        state=state,
        effective=effective,
        conf=rule.conf if rule else "u",
        stage=stage,
        minimum_stage=(rule.minimum_stage or "") if rule else "",
        new_types_since=str(rule.new_types_since or "") if rule else "",
        since=str(rule.since or "") if rule else "",
        src=rule.src if rule else "no rule in config/rules",
        verdict=_verdict(effective, stage, why),
        why=why,
    )


def _verdict(effective: Effective, stage: str, why: str) -> Verdict:
    if not stage:
        return "missing" if effective == "mandatory" else "elsewhere"
    if why:
        return "refused"
    if stage in ("warn", "on"):
        return "works"
    if effective in ("forbidden", "unknown", "unchecked"):
        return "locked"
    return "approval" if effective == "approval" else "silent"


# --- as a page --------------------------------------------------------------------------------------------------------

_STYLE: Final = """
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #57606a; --page: #ffffff; --line: #d0d7de; --head: #f6f8fa;
  --works: #cfe8f7; --silent: #ffffff; --approval: #fdf0c4; --locked: #e4e6e9; --refused: #f6c9a8; --missing: #ead1e3; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9da7b1; --page: #0d1117; --line: #30363d;
  --head: #161b22; --works: #0b3a57; --silent: #0d1117; --approval: #4a3d08; --locked: #2b3036; --refused: #5e2f0d;
  --missing: #4a2340; } }
* { box-sizing: border-box; }
body { margin: 0; padding: 24px; background: var(--page); color: var(--ink); font: 15px/1.45 system-ui, sans-serif; }
h1 { margin: 0 0 4px; font-size: 22px; } h2 { margin: 32px 0 8px; font-size: 17px; }
p { margin: 4px 0 12px; max-width: 90ch; }
.soft { color: var(--soft); }
.scroll { overflow: auto; max-height: 85vh; border: 1px solid var(--line); border-radius: 6px; }
table { border-collapse: separate; border-spacing: 0; }
th, td { padding: 5px 8px; border-right: 1px solid var(--line); border-bottom: 1px solid var(--line); text-align: start;
  vertical-align: top; }
thead th { position: sticky; top: 0; background: var(--head); font-size: 13px; z-index: 2; min-width: 92px; }
tbody th { position: sticky; left: 0; background: var(--head); z-index: 1; white-space: nowrap; font-weight: 600; }
thead th:first-child { left: 0; z-index: 3; }
tbody th small { display: block; font-weight: 400; color: var(--soft); }
td b { font-weight: 600; } td small { display: block; color: var(--soft); font-size: 12px; white-space: nowrap; }
td small.min { color: inherit; }
.sign { display: inline-block; width: 1.2em; text-align: center; }
.works { background: var(--works); } .silent { background: var(--silent); } .approval { background: var(--approval); }
.locked { background: var(--locked); } .refused { background: var(--refused); font-weight: 600; }
.missing { background: var(--missing); }
.legend { display: flex; flex-wrap: wrap; gap: 6px 16px; margin: 0 0 12px; padding: 0; list-style: none; }
.legend li { font-size: 13px; }
.legend span { padding: 1px 6px; border: 1px solid var(--line); border-radius: 4px; }
details { border-bottom: 1px solid var(--line); padding: 6px 0; } summary { cursor: pointer; }
details td { font-size: 13px; } details thead th { position: static; }
"""


def page(found: Matrix) -> str:
    """The matrix as one HTML page that needs nothing else."""
    legend = "".join(
        f'<li><span class="{name}">{sign}</span> {html.escape(text)}</li>' for name, (sign, text) in VERDICTS.items()
    )
    heads = "".join(f'<th scope="col">{html.escape(NAMES.get(name, name))}</th>' for name in found.systems)
    rows = "".join(_html_row(row, found.systems) for row in found.rows)
    details = "".join(_details(row, found.systems) for row in found.rows)
    blocked = sum(cell.verdict == "refused" for row in found.rows for cell in row.cells.values())
    lacking = sum(cell.verdict == "missing" for row in found.rows for cell in row.cells.values())
    working = sum(cell.verdict == "works" for row in found.rows for cell in row.cells.values())
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Markets and systems on {found.on}</title><style>{_STYLE}</style></head><body>
<h1>Markets and systems</h1>
<p class="soft">Vehicles of category {found.category}, as the law stands on {found.on} by the rule files of this
release. Not legal advice.</p>
<p>{working} functions work, {blocked} are refused by the check, {lacking} mandatory systems are not part of this
release. In each cell: what it comes to and the stage in the market file; below it how the law stands
(<b>M</b> mandatory, <b>A</b> with an approval, <b>-</b> no rule found, <b>N</b> not allowed, <b>?</b> unknown) and how
sure that is (<b>p</b> primary text read, <b>s</b> secondary source, <b>u</b> uncertain). An uncertain word opens
nothing and forces nothing.</p>
<ul class="legend">{legend}</ul>
<div class="scroll"><table><thead><tr><th scope="col">Market</th>{heads}</tr></thead><tbody>{rows}</tbody></table></div>
<h2>Sources, dates and what the check says</h2>
{details}
</body></html>
"""


def _html_row(row: Row, systems: tuple[str, ...]) -> str:
    cells = []
    for system in systems:
        cell = row.cells[system]
        sign, meaning = VERDICTS[cell.verdict]
        tip = html.escape(f"{NAMES.get(system, system)} in {row.title}: {meaning}. {cell.src}", quote=True)
        least = f" ≥ {cell.minimum_stage}" if cell.effective == "mandatory" and cell.stage else ""
        cells.append(
            f'<td class="{cell.verdict}" title="{tip}"><span class="sign">{sign}</span>'
            f"<b>{cell.stage}</b><small class=min>{html.escape(cell.letter)}{least}</small></td>"
        )
    unit = "mph" if row.speed_unit == "mph" else "km/h"
    return (
        f'<tr><th scope="row">{html.escape(row.title)}<small>{html.escape(row.market)} · {row.traffic_side} · {unit}'
        f"</small></th>{''.join(cells)}</tr>"
    )


def _details(row: Row, systems: tuple[str, ...]) -> str:
    lines = []
    for system in systems:
        cell = row.cells[system]
        dates = [f"new types {cell.new_types_since}"] if cell.new_types_since else []
        dates += [f"all new vehicles {cell.since}"] if cell.since else []
        lines.append(
            f"<tr><td>{html.escape(NAMES.get(system, system))}</td><td>{VERDICTS[cell.verdict][0]} "
            f"{html.escape(VERDICTS[cell.verdict][1])}</td><td>{cell.state} ({cell.conf})</td>"
            f"<td>{html.escape(', '.join(dates))}</td><td>{html.escape(cell.src)}</td>"
            f"<td>{html.escape(cell.why)}</td></tr>"
        )
    return (
        f"<details><summary>{html.escape(row.title)} "
        f"<span class=soft>revision {html.escape(row.revision)}</span></summary>"
        f"<p>The driver reads {_samples(row)}.</p>"
        "<table><thead><tr><th>System</th><th>Comes to</th><th>Law</th><th>Dates</th><th>Source</th><th>Check</th></tr>"
        f"</thead><tbody>{''.join(lines)}</tbody></table></details>"
    )


def _samples(row: Row) -> str:
    """One text in each language, in its direction of writing, and whether anybody has checked it."""
    files = text_files()
    parts = []
    for language in row.languages:
        text = html.escape(files[language].texts["lane_departure_left"])
        title = html.escape(files[language].title) + (" (unchecked)" if language in row.unchecked_languages else "")
        parts.append(f'{title}: <q lang="{language}" dir="{direction(language)}">{text}</q>')
    return "; ".join(parts)
