"""The market file reference from the schema, and what the shipped markets hold."""

from __future__ import annotations

from adas_runtime.config import Key, printable, shown
from adas_runtime.market import market_names
from adas_runtime.market.load import BASE, CONFIDENCE, OWN, Merged, market_path, markets_dir, merge
from adas_runtime.market.report import Value, values
from adas_runtime.market.rules import SILENT, load_rules
from adas_runtime.market.schema import STAGES, Market
from adas_runtime.reference.fields import sections
from adas_runtime.reference.text import code, generated, table

FILE_HEAD = """# Market file

Every key that a market file may hold, with its type, range and unit. [How to write one](../markets.md) tells how files
inherit and how sources are given; `adas market schema` prints the same as JSON Schema, for editors. The column *base*
is the value of `config/markets/base.yaml`, which holds where a market says nothing else.

*Cautious* says which way a value may move while nobody has checked it (`conf: u`): higher or lower, only to `false`,
or only to fewer entries. Without that note, an unchecked value may not differ from what it replaces.
"""

SHIPPED_HEAD = """# Shipped markets

What each market changes, from where, and how sure it is. `adas market show MARKET --effective --origins` prints every
value, `adas market diff A B` what two markets hold differently. The law is that of the rule files in `config/rules/`;
it names the state, not advice.
"""


def file_page() -> str:
    """The reference of keys."""
    base = merge(markets_dir() / f"{BASE}.yaml").document

    def value_of(key: Key) -> str:
        return "" if key[0] in OWN else shown(base.value(key))

    return "\n".join(
        [
            generated("adas_runtime/market/schema.py and config/markets/base.yaml"),
            FILE_HEAD,
            "`extends` names the market that the file changes: `base`, or another one.\n",
            sections(Market, value_of, "base"),
        ]
    )


def shipped_page() -> str:
    """The markets that ship."""
    found = {name: merge(market_path(name)) for name in market_names()}
    parts = [generated("config/markets and config/rules"), SHIPPED_HEAD, _overview(found)]
    letters = ", ".join(f"`{letter}` {text}" for letter, text in CONFIDENCE.items())
    parts.append(f"Confidence: {letters}.\n")
    parts += [_market(name, merged) for name, merged in found.items()]
    return "\n".join(parts)


def _overview(found: dict[str, Merged]) -> str:
    rows = []
    for name, merged in found.items():
        market = merged.market
        assert market is not None, merged.findings
        stages = ", ".join(f"{function} **{stage.name.lower()}**" for function, stage in market.stages().items())
        extends = " > ".join(layer.name for layer in merged.layers[1:])
        rows.append(
            (
                f"[{name}](#{name})",
                market.title,
                extends,
                market.road.traffic_side,
                ", ".join(market.categories),
                stages,
            )
        )
    return table(("market", "country", "extends", "traffic", "categories", "stages"), rows)


def _market(name: str, merged: Merged) -> str:
    market = merged.market
    assert market is not None
    head = f"## {name}\n\n{market.title}, revision {market.revision}.\n"
    own = [item for item in values(merged) if item.is_own]
    return "\n".join(
        [
            head,
            _law(market),
            table(("key", "value", "unit", "confidence", "source"), [_row(item) for item in own]) if own else "",
        ]
    )


def _row(item: Value) -> tuple[str, str, str, str, str]:
    text = printable(item.value, 200) if isinstance(item.value, str) else shown(item.value)
    return code(item.key), text or "nothing", item.unit, item.provenance.conf, item.provenance.src


def _law(market: Market) -> str:
    book = load_rules()
    rows = []
    for function, stage in market.stages().items():
        for category in ("M1", "N1", "M2", "M3", "N2", "N3"):
            rule, _ = book.rule(function, market.market, category, None)
            if rule is None:
                rows.append((function, stage.name.lower(), category, "unknown", _may("unknown", ""), "", "", ""))
                continue
            rows.append(
                (
                    function,
                    stage.name.lower() if category in market.categories else "",
                    category,
                    rule.state,
                    _may(rule.effective, rule.minimum_stage or ""),
                    str(rule.since or ""),
                    rule.conf,
                    rule.src,
                )
            )
    merged_rows: dict[tuple[str, ...], list[str]] = {}
    for row in rows:
        merged_rows.setdefault((*row[:1], *row[3:]), []).append(row[2])
    return table(
        ("function", "categories", "the law", "highest stage", "since", "confidence", "source"),
        [
            (key[0], ", ".join(categories), key[1], key[2], key[3], key[4], key[5])
            for key, categories in merged_rows.items()
        ],
    )


def _may(state: str, minimum: str) -> str:
    silent = max(SILENT).name.lower()
    highest = max(STAGES, key=lambda name: STAGES[name])
    return {
        "mandatory": f"{highest}, at least {minimum}",
        "approval": f"{highest} with an approval, else {silent}",
        "none": "warn",
        "unchecked": silent,
    }.get(state, min(STAGES, key=lambda name: STAGES[name]))
