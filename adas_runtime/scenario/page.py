"""The page of a suite: each scenario's grid as a heat map, and a plot of each failed drive. One file, no script."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final

from adas_runtime.errors import AdasError
from adas_runtime.scenario.suite import Result, by_scenario, read_results, read_suite
from adas_runtime.units import mps_to_kmh

PAGE_FILE: Final = "report.html"
MAPS_MAX: Final = 48  # of one scenario
PLOTS_MAX: Final = 60
SIGNS: Final = {"pass": "✓", "fail": "✕", "not_applicable": "–"}
WORDS: Final = {"pass": "passed", "fail": "failed", "not_applicable": "nobody could have avoided it"}
UNITS: Final = {"kmh": "km/h", "mps": "m/s", "mps2": "m/s²", "m": "m", "s": "s", "deg": "°"}
STYLE: Final = """
:root { color-scheme: light dark; --ink: #1d2430; --quiet: #5b6675; --ground: #fff; --line: #d5dae1;
  --pass: #2f855a; --fail: #c53030; --na: #718096; --speed: #2b6cb0; --gap: #b7791f; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --quiet: #9aa5b4; --ground: #14181f; --line: #323a46;
  --pass: #2f855a; --fail: #c53030; --na: #4a5568; --speed: #63b3ed; --gap: #ecc94b; } }
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: var(--ink); background: var(--ground);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.quiet { color: var(--quiet); }
.maps, .plots { display: flex; flex-wrap: wrap; gap: 1.25rem; }
figure { margin: 0; max-width: 24rem; }
figcaption { font-size: .85rem; color: var(--quiet); overflow-wrap: anywhere; }
table { border-collapse: collapse; }
th { font-weight: 500; font-size: .8rem; color: var(--quiet); padding: .1rem .35rem; }
td { width: 2.1rem; height: 1.7rem; text-align: center; color: #fff; border: 1px solid var(--ground); }
.pass { background: var(--pass); } .fail { background: var(--fail); } .not_applicable { background: var(--na); }
.key span { padding: .1rem .5rem; color: #fff; margin-right: .25rem; }
svg { background: var(--ground); border: 1px solid var(--line); max-width: 100%; }
svg text { font: 11px system-ui, sans-serif; fill: var(--quiet); }
"""
POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def write_page(folder: Path) -> Path:
    """Write `report.html` of a folder's results.

    Raises:
        AdasError: It is no folder of a suite, has no results yet, or cannot be written.
    """
    about, results = read_suite(folder), read_results(folder)
    if not results:
        raise AdasError("holds no result yet", where=str(folder), mend="run adas scenario run first")
    path = folder / PAGE_FILE
    try:
        path.write_text(page(about, results), encoding="utf-8")
    except OSError as error:
        raise AdasError(f"cannot be written ({error.strerror})", where=str(path), mend="free space") from error
    return path


def page(about: Mapping[str, Any], results: Sequence[Result]) -> str:
    """The page's text."""
    counts = Counter(item["verdict"] for item in results)
    missing = about["drives"] - len(results)
    head = " · ".join(f"{counts[name]} {WORDS[name]}" for name in SIGNS if counts[name])
    if missing:
        head += f" · {missing} not driven yet"
    parts = [
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'>",
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
        "<meta name='viewport' content='width=device-width, initial-scale=1'><link rel='icon' href='data:,'>",
        f"<title>{_text(about['suite'])} · scenario report</title><style>{STYLE}</style></head><body>",
        f"<header><h1>{_text(about['title'])}</h1><p><strong>{head}</strong></p>",
        f"<p class='quiet'>suite {_text(Path(str(about['suite'])).name)} · market {_text(about['market'])} · vehicle "
        f"{_text(Path(str(about['vehicle'])).name)} · seed {_text(about['seed'])} · "
        f"{'the whole graph' if about['whole'] else 'what brakes'} in the loop</p>",
        "<p class='key'>"
        + "".join(f"<span class='{name}'>{sign}</span>{WORDS[name]} &nbsp; " for name, sign in SIGNS.items())
        + "</p></header><main>",
    ]
    for name, items in by_scenario(results).items():
        parts.append(_family(name, items))
    failed = [item for item in results if item["verdict"] == "fail"]
    if failed:
        parts.append(f"<h2 id='failed'>Failed drives ({len(failed)})</h2>")
        if len(failed) > PLOTS_MAX:
            parts.append(f"<p class='quiet'>The first {PLOTS_MAX} of them.</p>")
        parts.append("<div class='plots'>" + "".join(_plot(item) for item in failed[:PLOTS_MAX]) + "</div>")
    parts.append("</main></body></html>\n")
    return "\n".join(parts)


def _text(value: object) -> str:
    return escape(str(value))


def _shown(value: object) -> str:
    return f"{value:g}" if isinstance(value, int | float) else str(value).replace("_", " ")


def _label(name: str) -> str:
    """`speed_kmh` as `speed [km/h]`."""
    stem, _, unit = name.rpartition("_")
    return f"{stem.replace('_', ' ')} [{UNITS[unit]}]" if stem and unit in UNITS else name.replace("_", " ")


def _family(name: str, items: Sequence[Result]) -> str:
    """One scenario: a map for each value of what the two longest axes leave over."""
    values: dict[str, list[Any]] = {}
    for item in items:
        for key, value in item["parameters"].items():
            seen = values.setdefault(key, [])
            if value not in seen:
                seen.append(value)
    for seen in values.values():
        if all(isinstance(value, int | float) for value in seen):
            seen.sort()
    axes = sorted((key for key, seen in values.items() if len(seen) > 1), key=lambda key: -len(values[key]))
    across, down, others = (axes[0] if axes else None), (axes[1] if len(axes) > 1 else None), axes[2:]
    hardest = max(items, key=lambda item: item["impact_kmh"])
    counts = Counter(item["verdict"] for item in items)
    told = ", ".join(f"{counts[key]} {WORDS[key]}" for key in SIGNS if counts[key])
    told += f"; hardest impact {hardest['impact_kmh']:.0f} km/h" if hardest["impact_kmh"] else "; nobody hit"
    parts = [f"<h2>{_text(name.replace('_', ' '))}</h2><p class='quiet'>{_text(told)}</p><div class='maps'>"]
    facets = list(itertools.product(*(values[key] for key in others)))
    for facet in facets[:MAPS_MAX]:
        fixed = dict(zip(others, facet, strict=True))
        chosen = [item for item in items if all(item["parameters"].get(key) == value for key, value in fixed.items())]
        parts.append(_map(chosen, values, across, down, fixed))
    parts.append("</div>")
    if len(facets) > MAPS_MAX:
        parts.append(f"<p class='quiet'>{len(facets) - MAPS_MAX} more maps are left out; results.jsonl holds all.</p>")
    return "".join(parts)


def _map(
    items: Sequence[Result],
    values: Mapping[str, Sequence[Any]],
    across: str | None,
    down: str | None,
    fixed: Mapping[str, Any],
) -> str:
    columns: Sequence[Any] = [None] if across is None else values[across]
    lines: Sequence[Any] = [None] if down is None else values[down]
    cells = {(item["parameters"].get(across), item["parameters"].get(down)): item for item in items}
    head = "".join(f"<th scope='col'>{_text(_shown(value))}</th>" for value in columns if value is not None)
    rows = [f"<tr><th>{_text(_label(down)) if down else ''}</th>{head}</tr>"]
    for line in lines:
        row = f"<tr><th scope='row'>{_text(_shown(line)) if line is not None else ''}</th>"
        for column in columns:
            item = cells.get((column, line))
            if item is None:
                row += "<td></td>"
                continue
            about = ", ".join(f"{_label(key)} {_shown(value)}" for key, value in item["parameters"].items())
            about += f": {WORDS[item['verdict']]}"
            about += f", impact {item['impact_kmh']:.0f} km/h" if item["impact_kmh"] else ""
            about += "".join(f"; {text}" for text in item.get("failures", ()))
            row += f"<td class='{_text(item['verdict'])}' title='{_text(about)}'>{SIGNS[item['verdict']]}</td>"
        rows.append(row + "</tr>")
    caption = ", ".join(f"{_label(key)} {_shown(value)}" for key, value in fixed.items())
    along = f"across: {_label(across)}" if across else ""
    text = " · ".join(part for part in (caption, along) if part)
    return f"<figure><table>{''.join(rows)}</table><figcaption>{_text(text)}</figcaption></figure>"


def _plot(item: Result) -> str:
    """Speed and gap over time, with the warning and the braking."""
    caption = f"{item['drive']}: {'; '.join(item.get('failures', ()))}"
    points = [point for point in item.get("trace", ()) if len(point) == 4]
    if len(points) < 2:
        return f"<figure><figcaption>{_text(caption)}</figcaption></figure>"
    width, height, left, low = 380.0, 190.0, 34.0, 166.0
    begin_s, end_s = points[0][0], max(points[-1][0], points[0][0] + 0.1)
    top_kmh = max(mps_to_kmh(max(point[1] for point in points)), 1.0)
    gaps = [(point[0], point[3]) for point in points if point[3] is not None]
    top_m = max((gap for _, gap in gaps), default=1.0) or 1.0

    def x(t_s: float) -> float:
        share: float = (t_s - begin_s) / (end_s - begin_s)
        return left + share * (width - left - 34.0)

    def line(pairs: Sequence[tuple[float, float]], top: float, colour: str) -> str:
        path = " ".join(f"{x(t):.1f},{low - value / top * (low - 14.0):.1f}" for t, value in pairs)
        return f"<polyline fill='none' stroke='var(--{colour})' stroke-width='1.8' points='{path}'/>"

    parts = [f"<svg role='img' width='{width:.0f}' height='{height:.0f}' aria-label='{_text(caption)}'>"]
    parts.append(f"<line x1='{left}' x2='{width - 34.0}' y1='{low}' y2='{low}' stroke='var(--line)'/>")
    for word, at_s in (("warning", item.get("warned_s")), ("braking", item.get("braked_s"))):
        if at_s is not None and begin_s <= at_s <= end_s:
            place = f"x1='{x(at_s):.1f}' x2='{x(at_s):.1f}' y1='14' y2='{low}'"
            parts.append(f"<line {place} stroke='var(--na)' stroke-dasharray='4 3'/>")
            parts.append(f"<text x='{x(at_s) + 3.0:.1f}' y='{24 if word == 'warning' else 36}'>{word}</text>")
    parts.append(line([(point[0], mps_to_kmh(point[1])) for point in points], top_kmh, "speed"))
    if len(gaps) > 1:
        parts.append(line(gaps, top_m, "gap"))
    parts.append(f"<text x='2' y='18'>{top_kmh:.0f}</text><text x='{width - 32.0}' y='18'>{top_m:.0f} m</text>")
    parts.append(f"<text x='{left}' y='{height - 8.0}'>{begin_s:.0f} s</text>")
    parts.append(f"<text x='{width - 60.0}' y='{height - 8.0}'>{end_s:.1f} s</text>")
    parts.append(f"<text x='{width / 2.0 - 70.0}' y='{height - 8.0}'>blue speed [km/h], ochre gap [m]</text></svg>")
    return f"<figure>{''.join(parts)}<figcaption>{_text(caption)}</figcaption></figure>"
