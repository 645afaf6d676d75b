"""Which country a place lies in: one code for a whole extract, or borders from a GeoJSON file."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from adas_runtime.horizon.geo import Point
from adas_runtime.horizon.store import SCALE, MapError

_CODE: Final = re.compile(r"[A-Z]{2}")
_READ_AS: Final = {"FX": "FR"}  # reserved for metropolitan France, and not a country of its own on the road
_KEYS: Final = ("iso1A2", "ISO_A2", "iso_a2", "ISO3166-1:alpha2", "country", "code")


def country_code(text: str) -> str:
    """A country's code, in capitals.

    Raises:
        MapError: Not two letters.
    """
    code = text.strip().upper()
    if not _CODE.fullmatch(code):
        raise MapError(
            f"country {text!r} is no ISO 3166-1 code", where="--country", mend="write two letters, such as DE"
        )
    return code


class Borders:
    """Countries as polygons.

    Args:
        path: GeoJSON FeatureCollection whose features carry a two-letter code (`iso1A2`, `ISO_A2`, `country`, `code`).
    """

    def __init__(self, path: Path) -> None:
        from shapely import STRtree
        from shapely.geometry import shape

        try:
            features = json.loads(path.read_text(encoding="utf-8"))["features"]
            found: list[tuple[str, Any]] = []
            for feature in features:
                properties = feature.get("properties") or {}
                codes = [str(properties.get(key, "")) for key in _KEYS]
                code = next((code for code in codes if _CODE.fullmatch(code)), "")
                if code and feature.get("geometry"):
                    found.append((_READ_AS.get(code, code), shape(feature["geometry"])))
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as err:
            raise MapError(
                f"is no GeoJSON of borders: {err}", where=str(path), mend="give a FeatureCollection with iso1A2 codes"
            ) from err
        if not found:
            raise MapError("holds no country with a code", where=str(path), mend="give features a property iso1A2")
        self._codes = [code for code, _ in found]
        self._tree = STRtree([polygon for _, polygon in found])

    def country(self, point: Point) -> str:
        """Code of the country that holds a point; empty: none, or several claim it."""
        from shapely import Point as ShapelyPoint

        codes = {self._codes[index] for index in self._tree.query(ShapelyPoint(point[1], point[0]), "intersects")}
        return codes.pop() if len(codes) == 1 else ""

    def split(self, points: Sequence[tuple[int, int]]) -> list[tuple[str, list[tuple[int, int]]]]:
        """A line cut where it crosses a border: (code, points) of each stretch; neighbours share the crossing.

        Args:
            points: Latitude and longitude in 1e-7 degrees, at least two.
        """
        from shapely import LineString

        line = LineString([(longitude / SCALE, latitude / SCALE) for latitude, longitude in points])
        touched = {self._codes[index] for index in self._tree.query(line, "intersects")}
        if len(touched) < 2:
            return [(touched.pop() if touched else "", list(points))]
        codes = [self.country((point[0] / SCALE, point[1] / SCALE)) for point in points]
        known = next((code for code in codes if code), "")
        stretches: list[tuple[str, list[tuple[int, int]]]] = [(codes[0] or known, [points[0]])]
        for index in range(1, len(points)):
            code = codes[index] or stretches[-1][0]  # on the line itself both claim it
            if code != stretches[-1][0]:
                place = self._crossing(points[index - 1], points[index], stretches[-1][0])
                stretches[-1][1].append(place)
                stretches.append((code, [place]))
            stretches[-1][1].append(points[index])
        return [(code, _without_repeats(found)) for code, found in stretches]

    def _crossing(self, one: tuple[int, int], two: tuple[int, int], code: str) -> tuple[int, int]:
        """Where a straight line that begins in a country leaves it."""
        inside, outside = one, two
        for _ in range(32):  # halves 1e-7 degrees, whatever the length
            middle = ((inside[0] + outside[0]) // 2, (inside[1] + outside[1]) // 2)
            if middle in (inside, outside):
                break
            if self.country((middle[0] / SCALE, middle[1] / SCALE)) == code:
                inside = middle
            else:
                outside = middle
        return outside


def _without_repeats(points: list[tuple[int, int]]) -> list[tuple[int, int]]:
    return [point for index, point in enumerate(points) if index == 0 or point != points[index - 1]]
