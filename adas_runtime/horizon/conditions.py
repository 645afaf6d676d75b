"""Conditions of speed limits as OpenStreetMap writes them: taken apart and checked when a map is built.

They are judged where the limit is used (`adas_runtime/conditions.py`); here what nobody could judge is sorted out.
"""

from __future__ import annotations

import re
from typing import Final

from adas_runtime.calendar_hours import is_well_formed as is_hours

WORDS: Final = frozenset(
    "wet rain snow ice winter fog car motorcar hgv bus coach trailer caravan motorhome goods motorcycle".split()
)
MAX_BYTES: Final = 64  # of `ConditionalLimit.condition`
_PART: Final = re.compile(r"\s*([^@]+?)\s*@\s*(\((?:[^()]|\([^()]*\))*\)|[^;]+)\s*(?:;|$)")
_COMPARE: Final = re.compile(r"((?:max)?weight(?:rating)?|trailers|axles)\s*(>=|<=|>|<|=)\s*(\d+(?:\.\d+)?)(?:\s*t)?")
_AND: Final = re.compile(r"\s+and\s+", re.IGNORECASE)


def split_conditions(text: str) -> list[tuple[str, str]] | None:
    """(value, condition) of each part of `80 @ (wet); 60 @ (22:00-06:00)`; `None` where it is not well formed."""
    found = []
    place = 0
    while place < len(text):
        match = _PART.match(text, place)
        if match is None:
            return None
        condition = match[2].strip()
        if condition.startswith("(") and condition.endswith(")"):
            condition = condition[1:-1].strip()
        if not is_well_formed(condition):
            return None
        found.append((match[1], condition))
        place = match.end()
    return found or None


def is_well_formed(condition: str) -> bool:
    """Whether every part of a condition is a word, a comparison or a time that is known."""
    if not 0 < len(condition.encode()) <= MAX_BYTES:
        return False
    return all(
        atom.strip().lower() in WORDS or _COMPARE.fullmatch(atom.strip().lower()) is not None or is_hours(atom)
        for atom in _AND.split(condition)
    )
