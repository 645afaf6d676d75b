"""Conditions of a speed limit, as plates beneath a sign and maps say them: read once, judged each time.

The words are those of OpenStreetMap's conditional limits, joined by ` AND `: `wet`, `snow`, `fog`; `22:00-06:00`,
`Mo-Fr 07:00-17:00`, `Nov-Mar`; `trailer`, `hgv`, `bus`, `weight>7.5` (tonnes). Plates beneath a sign also say where:
`exit`, `left`, `right`, `for 800 m`, `in 500 m`. A truth that nobody can tell is `None`, and so is that of a word not
known here: the limit is then shown as present and not applied.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from adas_runtime.calendar_hours import is_open

DAY_S: Final = 86400.0
DAYS: Final = ("mo", "tu", "we", "th", "fr", "sa", "su")
MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
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
MASS_T: Final[dict[str, tuple[float, float]]] = {  # R.E.3: permissible mass; M1 by car licence
    "M1": (0.0, 3.5),
    "N1": (0.0, 3.5),
    "M2": (0.0, 5.0),
    "N2": (3.5, 12.0),
    "M3": (5.0, 100.0),
    "N3": (12.0, 100.0),
}
WHERE: Final = ("exit", "left", "right")
_AND: Final = re.compile(r"\s+and\s+|\s*;\s*", re.IGNORECASE)
_HOURS: Final = re.compile(r"(?:([a-z]{2})(?:-([a-z]{2}))?\s+)?(\d{1,2}):(\d{2})\s*-\s*(\d{1,2}):(\d{2})")
_SPAN: Final = re.compile(r"([a-z]{2,3})\s*-\s*([a-z]{2,3})")
_MASS: Final = re.compile(r"(?:weight|weightrating|maxweight|maxweightrating)\s*(>=|>|<=|<)\s*(\d+(?:\.\d+)?)\s*t?")
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
    return _time(atom, now.local_s)


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


def _time(atom: str, local_s: float | None) -> bool | None:
    hours = _HOURS.fullmatch(atom)
    span = _SPAN.fullmatch(atom) if hours is None else None
    if local_s is None:
        return None
    if hours is None and span is None:
        return is_open(atom, local_s)  # the whole grammar of opening hours; the forms above need no library
    day = int(local_s // DAY_S)
    weekday = (day + 3) % 7  # the first of January 1970 was a Thursday
    if hours is not None:
        begin_s = 3600.0 * int(hours[3]) + 60.0 * int(hours[4])
        end_s = 3600.0 * int(hours[5]) + 60.0 * int(hours[6])
        at_s = local_s - day * DAY_S
        is_past_midnight = end_s <= begin_s and at_s < end_s  # 22:00-06:00 at 03:00 belongs to the evening before
        if is_past_midnight:
            weekday = (weekday - 1) % 7
        if hours[1] is not None:
            is_day = _in_span(hours[1], hours[2] or hours[1], weekday, DAYS)
            if is_day is not True:
                return is_day
        if end_s <= begin_s:
            return at_s >= begin_s or is_past_midnight
        return begin_s <= at_s < end_s
    assert span is not None
    if span[1] in DAYS:
        return _in_span(span[1], span[2], weekday, DAYS)
    return _in_span(span[1], span[2], _month(day) - 1, MONTHS)


def _in_span(first: str, last: str, at: int, names: tuple[str, ...]) -> bool | None:
    if first not in names or last not in names:
        return None
    begin, end = names.index(first), names.index(last)
    return begin <= at <= end if begin <= end else at >= begin or at <= end


def _month(day: int) -> int:
    """Month of a day since 1970, Gregorian (Hinnant's algorithm)."""
    of_era = (day + 719468) % 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    return month + 3 if month < 10 else month - 9
