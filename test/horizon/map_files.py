"""Small OpenStreetMap files for the tests: streets drawn in metres around a place."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from xml.sax.saxutils import quoteattr

from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.geo import Point, moved
from adas_runtime.horizon.store import MapStore

HOME: Point = (50.0, 11.5)

DATA_DATE = "2026-11-01T00:00:00Z"
Metres = tuple[float, float]  # east, north


def at(east_m: float, north_m: float) -> Point:
    return moved(HOME, east_m, north_m)


class Town:
    """Collects streets; nodes at the same metres are the same junction."""

    def __init__(self) -> None:
        self._nodes: dict[Metres, int] = {}
        self._ways: list[str] = []

    def street(self, points: Sequence[Metres], **tags: str) -> int:
        """Add a street; `maxspeed__forward` is written for `maxspeed:forward`."""
        return self.way(points, {"highway": "secondary", **{k.replace("__", ":"): v for k, v in tags.items()}})

    def way(self, points: Sequence[Metres], tags: Mapping[str, str]) -> int:
        number = len(self._ways) + 1
        refs = "".join(f'<nd ref="{self._nodes.setdefault(p, len(self._nodes) + 1)}"/>' for p in points)
        marks = "".join(f"<tag k={quoteattr(k)} v={quoteattr(v)}/>" for k, v in tags.items())
        self._ways.append(f'<way id="{number}" version="1" timestamp="{DATA_DATE}">{refs}{marks}</way>')
        return number

    def write(self, path: Path) -> Path:
        nodes = "".join(
            f'<node id="{number}" version="1" lat="{at(*place)[0]:.7f}" lon="{at(*place)[1]:.7f}"/>'
            for place, number in sorted(self._nodes.items(), key=lambda item: item[1])
        )
        text = f'<?xml version="1.0"?><osm version="0.6" generator="test">{nodes}{"".join(self._ways)}</osm>'
        path.write_text(text, encoding="utf-8")
        return path

    def build(self, folder: Path, country: str = "DE") -> MapStore:
        out = folder / "town.map"
        build_map([self.write(folder / "town.osm")], out, country=country)
        return MapStore(out)


def line(*corners: Metres, step_m: float = 50.0) -> list[Metres]:
    """Corners with points between them."""
    found: list[Metres] = []
    for (ax, ay), (bx, by) in pairwise(corners):
        count = max(1, round(math.hypot(bx - ax, by - ay) / step_m))
        shares = [k / count for k in range(1 if found else 0, count + 1)]
        found += [(round(ax + (bx - ax) * share, 3), round(ay + (by - ay) * share, 3)) for share in shares]
    return found
