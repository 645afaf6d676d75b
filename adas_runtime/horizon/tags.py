"""Speed-limit tags of OpenStreetMap in all their forms, read once when a map is built.

What is not understood is `None` and counted by the builder; no text is ever turned into a number that it does not say
(a reader that takes `DE:urban` for 0 is the mistake to avoid).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from adas_runtime.conditions import split

MOST_LANES: Final = 16
SLOWEST: Final = 1.0  # a posted 0 is a mapping error, not a limit
FASTEST: Final = {"kmh": 200.0, "mph": 125.0}  # no country posts more
_NUMBER: Final = re.compile(r"(\d{1,3}(?:\.\d+)?) ?(km/?h|kph|mph)?", re.IGNORECASE)
_AREA: Final = re.compile(r"([A-Z]{2})(?:-[A-Z0-9]{1,3})?:(.+)", re.IGNORECASE)
_ZONE: Final = re.compile(r"(?:zone:?)?(\d{1,3})( ?mph)?", re.IGNORECASE)
AREAS: Final = {
    "urban": "urban",
    "city": "urban",
    "built-up": "urban",
    "nsl_restricted": "urban",
    "rural": "rural",
    "nsl_single": "rural",
    "nsl_dual": "rural_dual",
    "trunk": "expressway",
    "expressway": "expressway",
    "motorroad": "expressway",
    "motorway": "motorway",
    "living_street": "living_street",
    "bicycle_road": "",
    "school": "",
    "sign": "",
}
CLASSES: Final = ("hgv", "bus", "coach", "trailer", "caravan", "motorhome", "goods", "motorcycle")
TYPE_TAGS: Final = ("maxspeed:type", "source:maxspeed", "zone:maxspeed", "zone:traffic")


class Form(Enum):
    """What a tag says."""

    NUMBER = "number"
    NO_LIMIT = "none"
    WALK = "walk"  # walking pace: a limit without a number
    VARIABLE = "variable"  # a lit sign decides
    IMPLICIT = "implicit"  # the law's number for `area`


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as the map says it.

    Args:
        form: Which of the forms.
        value: Number in `unit`, only for `NUMBER`.
        unit: `kmh` or `mph`.
        country, area: For `IMPLICIT`: where and on which kind of road the law is asked; empty: the road's own.
    """

    form: Form
    value: float = 0.0
    unit: str = "kmh"
    country: str = ""
    area: str = ""


@dataclass(frozen=True, slots=True)
class Conditional:
    """A limit that holds while `condition` does (OpenStreetMap's text, checked)."""

    limit: Limit
    condition: str


@dataclass(frozen=True, slots=True)
class Rule:
    """All that a road's tags say of the speed in one direction.

    Args:
        limit: For a car, without a condition; `None`: the tags say nothing.
        source: Tag it comes from, with what the mapper gave as its ground.
        conditionals: Limits under a condition, in the order in which they were written: later ones go before.
        lanes: Limit per lane, left to right in driving direction; empty: the same on all.
        advisory: Advised speed, never a limit.
        area: What the tags say of the road's surroundings: `urban`, `rural`, `motorway`, or nothing.
        country: Country that the tags name.
    """

    limit: Limit | None = None
    source: str = ""
    conditionals: tuple[Conditional, ...] = ()
    lanes: tuple[Limit | None, ...] = ()
    advisory: Limit | None = None
    area: str = ""
    country: str = ""

    def text(self) -> str:
        """Compact JSON for the store; equal rules give equal texts."""
        data = [
            _plain(self.limit),
            self.source,
            [[_plain(item.limit), item.condition] for item in self.conditionals],
            [_plain(item) for item in self.lanes],
            _plain(self.advisory),
            self.area,
            self.country,
        ]
        return json.dumps(data, separators=(",", ":"), ensure_ascii=False)

    @staticmethod
    def from_text(text: str) -> Rule:
        """The rule of a text that `text` made."""
        limit, source, conditionals, lanes, advisory, area, country = json.loads(text)
        return Rule(
            limit=_limit(limit),
            source=source,
            conditionals=tuple(
                Conditional(found, condition) for item, condition in conditionals if (found := _limit(item)) is not None
            ),
            lanes=tuple(_limit(item) for item in lanes),
            advisory=_limit(advisory),
            area=area,
            country=country,
        )


NO_RULE: Final = Rule()


def _plain(limit: Limit | None) -> list[Any] | None:
    return None if limit is None else [limit.form.value, limit.value, limit.unit, limit.country, limit.area]


def _limit(data: list[Any] | None) -> Limit | None:
    return None if data is None else Limit(Form(data[0]), data[1], data[2], data[3], data[4])


def read_limit(text: str) -> Limit | None:
    """The limit that one value says; `None` where it cannot be understood without guessing."""
    text = text.strip()
    lower = text.lower()
    if lower == "none":
        return Limit(Form.NO_LIMIT)
    if lower == "walk":
        return Limit(Form.WALK)
    if lower in ("signals", "variable"):
        return Limit(Form.VARIABLE)
    if lower == "implicit":
        return Limit(Form.IMPLICIT)
    number = _NUMBER.fullmatch(text)
    if number is not None:
        return _number(number[1], "mph" if (number[2] or "").lower() == "mph" else "kmh")
    place = _AREA.fullmatch(text)
    if place is None:
        return None
    country, kind = place[1].upper(), place[2].lower()
    zone = _ZONE.fullmatch(kind)
    if zone is not None:
        return _number(zone[1], "mph" if zone[2] or country == "GB" else "kmh")
    if kind == "walk":
        return Limit(Form.WALK)
    area = AREAS.get(kind)
    return Limit(Form.IMPLICIT, country=country, area=area) if area else None


def _number(text: str, unit: str) -> Limit | None:
    value = float(text)
    return Limit(Form.NUMBER, value, unit) if SLOWEST <= value <= FASTEST[unit] else None


def read_area(text: str) -> tuple[str, str] | None:
    """(country, area) of a value such as `AT:rural` that says on which ground a limit stands; `None`: says nothing."""
    place = _AREA.fullmatch(text.strip())
    if place is None:
        return None
    kind = place[2].lower()
    if kind.startswith("zone") or kind.isdigit():
        return place[1].upper(), "urban" if kind.startswith("zone") else ""
    return place[1].upper(), AREAS.get(kind, "")


def read_rule(tags: Mapping[str, str], direction: str, malformed: list[tuple[str, str]]) -> Rule:
    """What the tags say of one direction.

    Args:
        tags: All tags of the road.
        direction: `forward` or `backward`, along or against the road's points.
        malformed: Gets every (key, value) that was not understood.
    """

    def value(key: str) -> tuple[str, str] | None:
        for name in (f"{key}:{direction}", key):
            if name in tags:
                return name, tags[name]
        return None

    def limit(key: str) -> tuple[str, Limit] | None:
        found = value(key)
        if found is None:
            return None
        read = read_limit(found[1])
        if read is None:
            malformed.append(found)
            return None
        return found[0], read

    area = country = ground = ""
    for key in TYPE_TAGS:
        read = read_area(tags[key]) if key in tags else None
        if read is not None:
            country, ground = read[0], tags[key].strip()
            area = read[1]
            if area:
                break
    base, source = limit("maxspeed"), ""
    if base is not None:
        source = f"{base[0]} ({ground})" if ground else base[0]
        if base[1].form is Form.IMPLICIT:
            area, country = base[1].area or area, base[1].country or country
    elif value("maxspeed") is None:
        for key in TYPE_TAGS:  # a zone's number, or the law's
            read_type = read_limit(tags[key]) if key in tags and key != "zone:traffic" else None
            if read_type is not None and read_type.form in (Form.NUMBER, Form.IMPLICIT) and ":" in tags[key]:
                base, source = (key, read_type), f"{key} ({tags[key].strip()})"
                break
        else:
            if tags.get("zone:maxspeed", "").strip().isdigit():
                zone = read_limit(tags["zone:maxspeed"])
                if zone is not None:
                    base, source = ("zone:maxspeed", zone), "zone:maxspeed"
    if "maxspeed:variable" in tags and tags["maxspeed:variable"] not in ("no",) and base is not None:
        source += " (variable signs)"
    return Rule(
        limit=None if base is None else base[1],
        source=source,
        conditionals=tuple(_conditionals(value, malformed)),
        lanes=tuple(_lanes(value("maxspeed:lanes"), malformed)),
        advisory=found[1] if (found := limit("maxspeed:advisory")) is not None else None,
        area=area,
        country=country,
    )


def _conditionals(value: Any, malformed: list[tuple[str, str]]) -> Iterator[Conditional]:
    for vehicle in CLASSES:
        found = value(f"maxspeed:{vehicle}")
        if found is not None:
            limit = read_limit(found[1])
            if limit is None:
                malformed.append(found)
            else:
                yield Conditional(limit, vehicle)
    for key, weather in (("maxspeed:wet", "wet"), ("maxspeed:rain", "wet"), ("maxspeed:snow", "snow")):
        found = value(key)
        if found is not None and (limit := read_limit(found[1])) is not None:
            yield Conditional(limit, weather)
    found = value("maxspeed:conditional")
    if found is None:
        return
    parts = split(found[1])
    if parts is None:
        malformed.append(found)
        return
    for text, condition in parts:
        limit = read_limit(text)
        if limit is None:
            malformed.append((found[0], f"{text} @ ({condition})"))
        else:
            yield Conditional(limit, condition)


def _lanes(found: tuple[str, str] | None, malformed: list[tuple[str, str]]) -> list[Limit | None]:
    if found is None:
        return []
    texts = [text.strip() for text in found[1].split("|")]
    lanes = [read_limit(text) if text else None for text in texts]
    if len(lanes) > MOST_LANES or any(lane is None and text for lane, text in zip(lanes, texts, strict=True)):
        malformed.append(found)
        return []
    return lanes
