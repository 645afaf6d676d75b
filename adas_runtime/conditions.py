"""Conditions of a speed limit, as plates beneath a sign and maps say them: one grammar, read once, judged each time.

The words are those of OpenStreetMap's conditional limits, joined by ` AND `: `wet`, `snow`, `fog`; `22:00-06:00`,
`Mo-Fr 07:00-17:00`, `Nov-Mar` and whatever else the opening-hours grammar holds, judged by the library made for it;
`trailer`, `hgv`, `bus`, `weight>7.5` (tonnes). Plates beneath a sign also say where: `exit`, `left`, `right`,
`for 800 m`, `in 500 m`. A truth that nobody can tell is `None`, and so is that of a word not known here: the limit is
then shown as present and not applied. A map leaves such words out when it is built (`split`, `is_known`).

Pure: the moment is handed in as seconds of the place's own calendar, never read from a clock.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

MAX_BYTES: Final = 64  # of `ConditionalLimit.condition`
WET: Final = ("wet", "rain")
SNOW: Final = ("snow", "ice", "winter")
TRAILER: Final = ("trailer", "caravan")
CLASSES: Final[dict[str, tuple[str, ...]]] = {
    "car": ("M1",),
    "motorcar": ("M1",),
    "bus": ("M2", "M3"),
    "coach": ("M2", "M3"),
    "hgv": ("N2", "N3"),
    "goods": ("N1", "N2", "N3"),
    "motorcycle": (),
}
UNTOLD: Final = ("motorhome",)  # kinds of vehicle that no UN category tells
MASS_T: Final[dict[str, tuple[float, float]]] = {  # R.E.3: permissible mass; M1 by car licence
    "M1": (0.0, 3.5),
    "N1": (0.0, 3.5),
    "M2": (0.0, 5.0),
    "N2": (3.5, 12.0),
    "M3": (5.0, 100.0),
    "N3": (12.0, 100.0),
}
WHERE: Final = ("exit", "left", "right")
_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local time of the place, as the sign means it
_ELSEWHERE: Final = re.compile(r"sun|dawn|dusk|\b[ps]h\b", re.IGNORECASE)  # needs a place's sky, or its holidays
_AND: Final = re.compile(r"\s+and\s+", re.IGNORECASE)
_PART: Final = re.compile(r"\s*([^@]+?)\s*@\s*(\((?:[^()]|\([^()]*\))*\)|[^;]+)\s*(?:;|$)")
_MASS: Final = re.compile(r"(?:max)?weight(?:rating)?\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?)\s*t?")
_COUNT: Final = re.compile(r"(?:trailers|axles)\s*(?:>=|<=|>|<|=)\s*\d+")  # known, and nothing in the car tells it
_LENGTH: Final = re.compile(r"(for|in)\s+(\d+(?:\.\d+)?)\s*(km|m|yd|mi)")
_METRES: Final = {"m": 1.0, "km": 1000.0, "yd": 0.9144, "mi": 1609.344}


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What is known of the moment and the car; `None`: not known.

    Args:
        local_s: Local time since 1970, a calendar's time: never compared with a stamp [s].
        is_wet, is_snow, is_fog: Weather on the road.
        has_trailer: A trailer is coupled.
        category: UN vehicle category.
    """

    local_s: float | None = None
    is_wet: bool | None = None
    is_snow: bool | None = None
    is_fog: bool | None = None
    has_trailer: bool | None = None
    category: str = "M1"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition, read.

    Args:
        atoms: Words that must all be true.
        where: `exit`, `left` or `right`, `""` for the whole road.
        after_m, length_m: It begins this far behind the sign, and holds for this long; `None`: to its end.
    """

    atoms: tuple[str, ...] = ()
    where: str = ""
    after_m: float = 0.0
    length_m: float | None = None


@lru_cache(maxsize=1024)
def read(text: str) -> Condition:
    """A condition from its text; what is not known stays as a word whose truth nobody can tell."""
    atoms: list[str] = []
    where, after_m, length_m = "", 0.0, None
    for part in _AND.split(text.strip().lower()):
        atom = " ".join(part.strip(" ()").split())
        window = _LENGTH.fullmatch(atom)
        if window is not None:
            metres = float(window[2]) * _METRES[window[3]]
            if window[1] == "in":
                after_m = metres
            else:
                length_m = metres
        elif atom in WHERE:
            where = atom
        elif atom:
            atoms.append(atom)
    return Condition(tuple(atoms), where, after_m, length_m)


def split(text: str) -> list[tuple[str, str]] | None:
    """(value, condition) of each part of a map's `80 @ (wet); 60 @ (22:00-06:00)`; `None`: not understood."""
    found = []
    place = 0
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:
            return None
        condition = match[2].strip()
        if condition.startswith("(") and condition.endswith(")"):
            condition = condition[1:-1].strip()
        if not is_known(condition):
            return None
        found.append((match[1], condition))
        place = match.end()
    return found or None


def is_known(text: str) -> bool:
    """Whether every part of a map's condition is of the grammar, and it fits a signal."""
    if not 0 < len(text.encode()) <= MAX_BYTES:
        return False
    return all(_is_word(atom.strip().lower()) or _hours(atom.strip().lower()) is not None for atom in _AND.split(text))


def _is_word(atom: str) -> bool:
    return (
        atom in (*WET, *SNOW, "fog", *TRAILER, *CLASSES, *UNTOLD)
        or _MASS.fullmatch(atom) is not None
        or _COUNT.fullmatch(atom) is not None
    )


def holds(condition: Condition, now: Circumstances) -> bool | None:
    """Whether all its words are true; `None` where that cannot be told. One false word settles it."""
    is_known = True
    for atom in condition.atoms:
        truth = _holds(atom, now)
        if truth is False:
            return False
        is_known = is_known and truth is True
    return True if is_known else None


def is_for_others(condition: Condition, now: Circumstances) -> bool:
    """Whether it speaks of another kind of vehicle, whatever weather, hour and trailer."""
    return any(
        (atom in CLASSES or _MASS.fullmatch(atom) is not None) and _holds(atom, now) is False
        for atom in condition.atoms
    )


def _holds(atom: str, now: Circumstances) -> bool | None:
    if atom in WET:
        return now.is_wet
    if atom in SNOW:
        return now.is_snow
    if atom == "fog":
        return now.is_fog
    if atom in TRAILER:
        return now.has_trailer
    if atom in CLASSES:
        return now.category in CLASSES[atom]
    mass = _MASS.fullmatch(atom)
    if mass is not None:
        return _mass(mass[1], float(mass[2]), now.category)
    return None if _is_word(atom) else is_open(atom, now.local_s)


def _mass(sign: str, bound_t: float, category: str) -> bool | None:
    """Judged by the category's range of permissible masses: `None` where the bound lies within it."""
    low, high = MASS_T.get(category, (0.0, 100.0))
    if sign in (">", ">="):
        if high < bound_t or (high == bound_t and sign == ">"):
            return False
        return True if low >= bound_t else None
    if high < bound_t or (high == bound_t and sign == "<="):
        return True
    return False if low >= bound_t else None


def is_open(text: str, local_s: float | None) -> bool | None:
    """Whether a time lies within hours; `None` where that cannot be told.

    Args:
        text: Such as `22:00-06:00`, `Mo-Fr 07:00-17:00`, `Nov-Mar`.
        local_s: Local time since 1970, a calendar's time [s].
    """
    hours = _hours(text)
    if hours is None or local_s is None or not math.isfinite(local_s) or _ELSEWHERE.search(text):
        return None
    try:
        return bool(hours.is_open(_EPOCH + timedelta(seconds=local_s)))
    except (ValueError, OverflowError):
        return None


@lru_cache(maxsize=4096)
def _hours(text: str) -> Any:
    from opening_hours import OpeningHours, ParserError  # type: ignore[attr-defined]

    try:
        return OpeningHours(text.strip())
    except (ParserError, SyntaxError, ValueError):
        return None
