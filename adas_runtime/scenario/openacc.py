"""Reads OpenACC recordings: columns of production cars with adaptive cruise control, their speeds and true gaps.

File format of the ZalaZone campaign: five lines of heading (date, order of the vehicles, their number, whether ACC was
on, distance setting), then a table at 10 Hz: `Speed<n>` of car n, `IVS<n>` from car n to car n + 1, bumper to bumper,
from RTK satellite positions. Source: Makridis et al., Transportation Research C 125 (2021) 103047; JRC open data.
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adas_runtime.errors import AdasError

HEADING_LINES: Final = 5
SETTINGS: Final = {"S": "short", "M": "medium", "L": "long"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One car behind another; samples in which one of the two or the gap is missing are NaN."""

    lead_name: str
    name: str
    t_s: tuple[float, ...]
    lead_mps: tuple[float, ...]
    speed_mps: tuple[float, ...]
    gap_m: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """One file.

    Args:
        setting: `short`, `medium`, `long`, or empty.
        is_acc: The cars drove with adaptive cruise control; false: by hand.
        cars: Names, first to last.
        pairs: Those whose speeds and gap were recorded.
    """

    name: str
    setting: str
    is_acc: bool
    cars: tuple[str, ...]
    pairs: tuple[Pair, ...]


def read(path: Path) -> Recording:
    """Read one file.

    Raises:
        AdasError: It is no such file.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.reader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise AdasError(f"cannot be read: {err}", where=str(path), mend="name an OpenACC table (.csv)") from err
    if len(lines) < HEADING_LINES + 3 or not lines[1] or lines[1][0] != "Vehicle_order":
        raise AdasError("is no OpenACC table", where=str(path), mend="name a file of the ZalaZone campaign")
    cars = tuple(name for name in lines[1][1:] if name)
    names = lines[HEADING_LINES]
    columns: dict[str, tuple[float, ...]] = {}
    try:
        for index, name in enumerate(names):
            columns[name] = tuple(float(row[index]) if row[index] else math.nan for row in lines[HEADING_LINES + 1 :])
    except (ValueError, IndexError) as err:
        raise AdasError(f"column {name} holds no numbers: {err}", where=str(path), mend="fetch it again") from err
    pairs = []
    for number in range(1, len(cars)):
        gap, ahead, behind = (columns.get(key) for key in (f"IVS{number}", f"Speed{number}", f"Speed{number + 1}"))
        if gap is not None and ahead is not None and behind is not None:
            pairs.append(
                Pair(
                    lead_name=cars[number - 1],
                    name=cars[number],
                    t_s=columns["Time"],
                    lead_mps=ahead,
                    speed_mps=behind,
                    gap_m=gap,
                )
            )
    return Recording(
        name=path.stem,
        setting=SETTINGS.get(lines[4][1] if len(lines[4]) > 1 else "", ""),
        is_acc=lines[3][1:2] == ["1"],
        cars=cars,
        pairs=tuple(pairs),
    )
