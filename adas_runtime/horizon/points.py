"""Points from a CSV file: latitude, longitude and the heading as people write it, clockwise from north."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adas_runtime.horizon.geo import Point
from adas_runtime.horizon.store import MapError
from adas_runtime.units import deg_to_rad

NAMES: Final = {
    "latitude": ("lat", "latitude", "latitude_deg", "lat_deg"),
    "longitude": ("lon", "lng", "longitude", "longitude_deg", "lon_deg"),
    "heading": ("heading", "heading_deg", "bearing", "bearing_deg", "course_deg"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One row: its line in the file, the point, and the course from east (`None`: not given)."""

    line: int
    point: Point
    course_rad: float | None


def read_points(path: Path) -> list[Asked]:
    """The points of a file with the columns lat, lon and, where known, heading in degrees clockwise from north.

    Raises:
        MapError: No such file, a column is missing, a value is no number or out of range.
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            heads = [name.strip().lower() for name in next(reader, [])]
            columns = {
                what: next((heads.index(name) for name in names if name in heads), None)
                for what, names in NAMES.items()
            }
            for what in ("latitude", "longitude"):
                if columns[what] is None:
                    raise MapError(
                        f"has no column {NAMES[what][0]}",
                        where=f"{path}:1",
                        mend="write a head such as lat,lon,heading",
                    )
            return [_row(path, reader.line_num, row, columns) for row in reader if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as err:
        raise MapError(
            f"cannot be read as CSV: {err}", where=str(path), mend="give a text file with lat,lon,heading"
        ) from err


def _row(path: Path, line: int, row: list[str], columns: dict[str, int | None]) -> Asked:
    def number(what: str, low: float, high: float) -> float | None:
        column = columns[what]
        text = row[column].strip() if column is not None and column < len(row) else ""
        if not text and what == "heading":
            return None
        try:
            value = float(text)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            raise MapError(
                f"{what} = {text[:32]!r}: must be a number from {low:g} to {high:g}",
                where=f"{path}:{line}",
                mend="mend the row",
            )
        return value

    latitude, longitude = number("latitude", -90.0, 90.0), number("longitude", -180.0, 180.0)
    heading = number("heading", -360.0, 360.0)
    assert latitude is not None and longitude is not None
    course = None if heading is None else math.remainder(math.pi / 2.0 - deg_to_rad(heading), math.tau)
    return Asked(line=line, point=(latitude, longitude), course_rad=course)
