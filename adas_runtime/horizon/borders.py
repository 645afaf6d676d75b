"""Which country a place lies in: one code for a whole extract, or borders from a GeoJSON file."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from adas_runtime.horizon.geo import Point
from adas_runtime.horizon.store import MapError

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
