"""Times of day, weekdays and seasons in OpenStreetMap's opening-hours grammar, judged by the library made for it.

Pure: the moment is handed in as seconds of the place's own calendar, never read from a clock.
"""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Final

_EPOCH: Final = datetime(1970, 1, 1)  # noqa: DTZ001 - local time of the place, as the sign means it
_ELSEWHERE: Final = re.compile(r"sun|dawn|dusk|\b[ps]h\b", re.IGNORECASE)  # needs a place's sky, or its holidays


def is_well_formed(text: str) -> bool:
    """Whether a text is of the grammar."""
    return _hours(text) is not None


def is_open(text: str, local_s: float | None) -> bool | None:
    """Whether a time lies within the hours; `None` where that cannot be told.

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
