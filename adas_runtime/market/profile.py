"""Which market's rules hold in a country: its own file, that of what it is a part of, that of its union.

A country without any of them, a border zone and the sea get the most restrictive of what lies around: the lowest stage
of every function, and a default speed limit only where all neighbours agree. Where nothing lies around, every function
is off.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from adas_runtime.market.facts import DefaultLimit, Place
from adas_runtime.market.load import market_names
from adas_runtime.market.rules import RuleBook, load_rules
from adas_runtime.market.schema import Market
from adas_runtime.signals import Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What holds in a place.

    Args:
        code: Country that was asked for, empty where none is known.
        markets: Names of the markets that it comes from; several: the most restrictive of them; none: all is off.
        is_exact: The country has rules of its own, its parent's or its union's.
    """

    code: str
    markets: tuple[str, ...]
    is_exact: bool


def profile(
    code: str, near: Iterable[str] = (), *, names: Iterable[str] | None = None, book: RuleBook | None = None
) -> Profile:
    """Which markets hold in a country.

    Args:
        code: ISO 3166-1 or 3166-2 code; empty where the place is in no country, or in several.
        near: Codes of the countries around.
        names: Names of the markets there are; the shipped ones where none are given.
        book: Rules that say which unions a country is a member of; the shipped ones where none are given.
    """
    known = set(names if names is not None else market_names())
    rules = book or load_rules()

    def own(country: str) -> str | None:
        return next((item.lower() for item in rules.codes(country) if item.lower() in known), None) if country else None

    found = own(code.upper())
    if found is not None:
        return Profile(code=code.upper(), markets=(found,), is_exact=True)
    around = sorted({name for country in near if (name := own(country.upper())) is not None})
    return Profile(code=code.upper(), markets=tuple(around), is_exact=False)


def stages(markets: Iterable[Market]) -> dict[str, Stage]:
    """The lowest stage of every function among markets; nothing where there are none."""
    found: dict[str, Stage] = {}
    for market in markets:
        for function, stage in market.stages().items():
            found[function] = min(stage, found.get(function, stage))
    return found


def profile_stages(chosen: Profile, markets: Mapping[str, Market], functions: Iterable[str]) -> dict[str, Stage]:
    """Stage of every function in a place: off where no market is known."""
    found = stages(markets[name] for name in chosen.markets)
    return {name: found.get(name, Stage.OFF) for name in functions}


def default_limit(markets: Iterable[Market], *kinds: Place, region: str = "") -> DefaultLimit:
    """The limit where no sign stands, in a place under one of several markets: known only where all agree."""
    found = {market.default_limit(*kinds, region=region) for market in markets}
    return found.pop() if len(found) == 1 else DefaultLimit()
