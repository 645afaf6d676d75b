"""What keeps a market out of a release: figures of the law that no person has read in the text in force.

A value that follows from a legal text carries `legal_confirmed`, alone or for its group. While it is false the value is
provisional: it serves simulation and test drives. A release of a market whose law demands the function, as that of the
European Union does for speed assistance, is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

from adas_runtime.config import Finding, Key, dotted
from adas_runtime.market.load import Merged
from adas_runtime.market.rules import SILENT, RuleBook, load_rules
from adas_runtime.market.texts import text_files

SECTIONS: Final[dict[Key, tuple[str, ...]]] = {  # part of the market file, and the functions that it serves
    ("isa",): ("isa",),
    ("lighting", "headlamps"): ("headlamps",),
    ("lighting", "main_beam"): ("headlamps",),
    ("lighting", "signals"): ("signal_lamps",),
    ("dcas",): ("dcas",),
    ("elks",): ("elks",),
    ("driver_monitoring", "drowsiness"): ("drowsiness",),
}
SWITCH: Final = "is_enabled"  # of a part that a market may leave off while its function works
MARK: Final = "_confirmed"
UNION: Final = "EU"


def release_findings(merged: Merged, *, on: date | None, rules: RuleBook | None = None) -> list[Finding]:
    """Every unread figure of the law in a market that demands its function, or belongs to the Union.

    Args:
        merged: A market without findings of its own.
        on: Day of the release.
        rules: The rules; the shipped ones where none are given.
    """
    market = merged.market
    if market is None:
        return []
    book = rules or load_rules()
    stages = market.stages()
    found = []
    for part, functions in SECTIONS.items():
        working = [name for name in functions if stages.get(name) is not None and stages[name] not in SILENT]
        demanded = [name for name in working if _is_demanded(book, name, market.market, market.categories, on)]
        data: Any = merged.document.data
        values: Any = market
        for name in part:
            data, values = data.get(name, {}), getattr(values, str(name))
        if not demanded or not getattr(values, SWITCH, True):
            continue
        for key in _unconfirmed(data, part):
            found.append(
                Finding(
                    where=merged.document.origin(key),
                    key=dotted(key),
                    value="false",
                    what=f"no release of {market.market}: nobody has read this figure of the law in the text in force "
                    f"({', '.join(demanded)} is {stages[demanded[0]].name.lower()})",
                    mend="read it in the official text, correct the value, and set the mark to true",
                    rule="legal-unconfirmed",
                )
            )
    return found


def _is_demanded(book: RuleBook, function: str, code: str, categories: tuple[str, ...], on: date | None) -> bool:
    if UNION in book.codes(code):
        return True
    rules = (book.rule(function, code, category, on)[0] for category in categories)
    return any(rule is not None and rule.effective == "mandatory" for rule in rules)


def _unconfirmed(data: Any, key: Key) -> Iterator[Key]:
    """Keys of marks that are false."""
    if not isinstance(data, dict):
        return
    for name, value in data.items():
        if str(name).endswith(MARK):
            if value is False:
                yield (*key, name)
        else:
            yield from _unconfirmed(value, (*key, name))


def bundle_findings(merged: Merged, *, rules: RuleBook | None = None) -> list[Finding]:
    """What a release that reaches a driver lacks besides: a software identification, texts that someone has read.

    Args:
        merged: A market without findings of its own.
        rules: The rules; the shipped ones where none are given.
    """
    market = merged.market
    if market is None or all(stage in SILENT for stage in market.stages().values()):
        return []
    found = []
    if not market.software_id.strip():
        found.append(
            Finding(
                where=merged.document.origin(("software_id",)),
                key="software_id",
                what="is empty: the car reports no software identification for these functions (R156)",
                mend="write the RXSWIN that the approval covers",
                rule="software-id",
            )
        )
    if market.market in (rules or load_rules()).unions:
        found.append(
            Finding(
                where=merged.document.origin(("market",)),
                key="market",
                value=market.market,
                what="is no country: no default speed limit, no language and no road of its own",
                mend="release its members' markets, which extend it",
                rule="union",
            )
        )
    for index, language in enumerate(market.alerts.wanted):
        found.append(
            Finding(
                where=merged.document.origin(("alerts", "wanted", index)),
                key="alerts.wanted",
                value=language,
                what="has no texts: the driver would read another language",
                mend=f"write config/texts/{language}.yaml after en.yaml, and move it to alerts.languages",
                rule="missing-text",
            )
        )
    files = text_files()
    for index, language in enumerate(market.alerts.languages):
        if files[language].conf == "u":
            found.append(
                Finding(
                    where=merged.document.origin(("alerts", "languages", index)),
                    key="alerts.languages",
                    value=language,
                    what="no native speaker has checked what the driver reads in it",
                    mend=f"have config/texts/{language}.yaml checked and write conf: s there, or take the language out",
                    rule="text-unchecked",
                )
            )
    return found
