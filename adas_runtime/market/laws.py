"""What the law of each country says where no sign stands: the market files are the one source of it.

A run carries the rules of its own market and of those that `isa.abroad` names, read when its cores are built. A command
that asks a map of any country reads each country's shipped market when it is first asked for. A country without a
market has no rules here: what only the law could say there is unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from adas_runtime.market.facts import DefaultLimit, Place, SpeedDefaults
from adas_runtime.market.schema import Market
from adas_runtime.signals import SpeedUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class CountryRules:
    """What one country's law says where no sign stands, and the unit of its signs."""

    unit: SpeedUnit
    defaults: SpeedDefaults
    _asked: dict[tuple[tuple[Place, ...], str], DefaultLimit] = field(default_factory=dict, repr=False, compare=False)

    def limit_for(self, kinds: tuple[Place, ...], region: str) -> DefaultLimit:
        """The law's limit for a road that is one of these kinds; an answer is found once and kept."""
        region = region if region in self.defaults.regions else ""
        found = self._asked.get((kinds, region))
        if found is None:
            found = self._asked[kinds, region] = self.defaults.limit_for(kinds, self.unit, region)
        return found

    def value_for(self, kinds: tuple[Place, ...]) -> float | str:
        """The same as it is written: a number in `unit`, `none`, `walk`; `unknown` where the kinds do not agree."""
        found = {self.defaults.resolve(kind)[1] for kind in kinds}
        return found.pop() if len(found) == 1 else "unknown"


Laws = Mapping[str, CountryRules]


def country_of(market: Market) -> str:
    """The country of a market, ISO 3166-1, by which maps name it."""
    return market.market[:2]


def rules_of(market: Market) -> CountryRules:
    """A market's own rules."""
    return CountryRules(unit=market.speed_unit, defaults=market.speed_defaults)


def carried_laws(market: Market) -> dict[str, CountryRules]:
    """The rules that a run carries, by country: its market's and those of the markets abroad that it names."""
    found = {country_of(other): rules_of(other) for other in abroad(market.isa.abroad)}
    return {**found, country_of(market): rules_of(market)}


@lru_cache(maxsize=8)
def abroad(names: tuple[str, ...]) -> tuple[Market, ...]:
    """The markets that a run carries for the day it crosses a border, read once."""
    from adas_runtime.market.load import load_market

    return tuple(load_market(name, is_dated=False) for name in names)


class ShippedLaws(Mapping[str, CountryRules]):
    """The rules of every shipped market, each read when it is first asked for."""

    def __init__(self) -> None:
        from adas_runtime.market.load import market_names

        self._names = {name.upper(): name for name in market_names() if len(name) == 2}
        self._read: dict[str, CountryRules] = {}

    def __getitem__(self, country: str) -> CountryRules:
        """Rules of a country; KeyError where no market is shipped for it."""
        from adas_runtime.market.load import load_market

        if country not in self._read:
            self._read[country] = rules_of(load_market(self._names[country], is_dated=False))
        return self._read[country]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
