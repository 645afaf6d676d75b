"""The roads of a made drive as a map: an OpenStreetMap extract and the map file that it builds to."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import quoteattr

import numpy as np

from adas_runtime.errors import AdasError
from adas_runtime.signals import SpeedUnit
from adas_runtime.synth.plan import ROAD_BEHIND_M, Plan
from adas_runtime.synth.route import Stretch

if TYPE_CHECKING:
    from adas_runtime.synth.drive import Drive

STEP_M: Final = 15.0  # between two points of a bend
SIDE_M: Final = 300.0  # of a road that the drive does not take

Metres = tuple[float, float]


def map_paths(bag: Path) -> tuple[Path, Path]:
    """The extract and the map file that lie beside a bag."""
    return bag.with_name(f"{bag.name}.osm"), bag.with_name(f"{bag.name}.map")


def refuse_existing_map(bag: Path, force: bool) -> None:
    """Refuse to replace what lies there, before any work is done.

    Raises:
        AdasError: A map lies beside the bag already.
    """
    for path in map_paths(bag):
        if path.exists() and not (force and path.is_file()):
            raise AdasError("exists already", where=str(path), mend="take another --out, or --force to replace it")


def write_map(drive: Drive, bag: Path) -> Path:
    """Write the drive's roads beside its bag.

    Returns:
        The map file; the extract that it was built from has the same name and ends in `.osm`.
    """
    from adas_runtime.horizon.build import build_map

    extract, out = map_paths(bag)
    extract.write_text(extract_of(drive), encoding="utf-8")
    build_map([extract], out, country=drive.market.market[:2].upper())
    return out


def extract_of(drive: Drive) -> str:
    """The roads as an OpenStreetMap document."""
    plan = drive.plan
    paper = _Paper()
    for tags, points in _ways(plan):
        paper.way(tags, points)
    return paper.text(drive.place_of, drive.date)


def _ways(plan: Plan) -> Iterator[tuple[Mapping[str, str], Sequence[Metres]]]:
    """Tags and points of every road, in metres from the drive's start."""
    line = plan.road.line
    own = [lane for lane in plan.road.lanes if not lane.is_opposing]
    opposing = len(plan.road.lanes) - len(own)
    offsets = [lane.d_m for lane in plan.road.lanes]
    d_m = 0.5 * (min(offsets) + max(offsets))  # a mapper draws a road's middle
    lanes = {"lanes": str(len(plan.road.lanes)), "oneway": "yes" if opposing == 0 else "no"}
    if opposing:
        lanes |= {"lanes:forward": str(len(own)), "lanes:backward": str(opposing)}
    suffix = "" if plan.unit is SpeedUnit.KMH else " mph"
    end_m = float(line.s_m[-1]) - 10.0

    def at(s_m: float) -> Metres:
        x, y = line.point(np.array([s_m]), d_m)
        return round(float(x[0]), 2), round(float(y[0]), 2)

    def tags_of(stretch: Stretch) -> dict[str, str]:
        tags = {"highway": stretch.highway, "name": stretch.name, **lanes}
        if stretch.mapped is not None:
            tags["maxspeed"] = f"{stretch.mapped}{suffix}"
        if stretch.conditional:
            tags["maxspeed:conditional"] = stretch.conditional
        return tags

    turn = plan.turn_m
    corner = None
    if turn is not None:
        corner = _crossing(at(turn[0] - 1.0), at(turn[0]), at(turn[1]), at(turn[1] + 1.0))
    begins = [*(max(stretch.s_m, -ROAD_BEHIND_M) for stretch in plan.stretches), end_m]
    for stretch, (begin_m, stop_m) in zip(plan.stretches, pairwise(begins), strict=True):
        if stop_m - begin_m < 1.0:
            continue
        count = max(1, math.ceil((stop_m - begin_m) / STEP_M))
        places = [begin_m + (stop_m - begin_m) * number / count for number in range(count + 1)]
        points = [at(s_m) for s_m in places]
        if turn is not None and corner is not None:  # two roads cross there; the car cuts the corner
            if begin_m == turn[0]:
                points = [corner, *(at(s_m) for s_m in places if s_m > turn[1])]
            elif stop_m == turn[0]:
                points[-1] = corner
        yield tags_of(stretch), points
    if turn is not None and corner is not None:
        before, after = at(turn[0] - 100.0), at(turn[1] + 100.0)
        first = next(stretch for stretch in reversed(plan.stretches) if stretch.s_m < turn[0])
        second = next(stretch for stretch in plan.stretches if stretch.s_m >= turn[0])
        yield tags_of(first), [corner, _beyond(before, corner)]
        yield {**tags_of(second), "highway": "tertiary", "maxspeed": f"50{suffix}"}, [_beyond(after, corner), corner]
        yield {"highway": "service", "name": "Yard"}, [at(60.0), _aside(at(60.0), at(70.0), plan.road.kerb)]


def _crossing(a: Metres, b: Metres, c: Metres, d: Metres) -> Metres:
    """Where the line through a and b meets the one through c and d."""
    ux, uy, vx, vy = b[0] - a[0], b[1] - a[1], d[0] - c[0], d[1] - c[1]
    t = ((c[0] - a[0]) * vy - (c[1] - a[1]) * vx) / (ux * vy - uy * vx)
    return round(a[0] + t * ux, 2), round(a[1] + t * uy, 2)


def _beyond(near: Metres, corner: Metres) -> Metres:
    """A place on the other side of a corner."""
    dx, dy = corner[0] - near[0], corner[1] - near[1]
    scale = SIDE_M / math.hypot(dx, dy)
    return round(corner[0] + scale * dx, 2), round(corner[1] + scale * dy, 2)


def _aside(place: Metres, following: Metres, side: int) -> Metres:
    """A place beside the road, on its kerb's side."""
    dx, dy = following[0] - place[0], following[1] - place[1]
    scale = 60.0 * side / math.hypot(dx, dy)
    return round(place[0] - scale * dy, 2), round(place[1] + scale * dx, 2)


class _Paper:
    """Collects roads; the same place is the same node."""

    def __init__(self) -> None:
        self._nodes: dict[Metres, int] = {}
        self._ways: list[tuple[Mapping[str, str], list[int]]] = []

    def way(self, tags: Mapping[str, str], points: Sequence[Metres]) -> None:
        numbers = [self._nodes.setdefault(point, len(self._nodes) + 1) for point in points]
        self._ways.append((tags, numbers))

    def text(self, place_of: object, date: str) -> str:
        assert callable(place_of)
        lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="adas synth">']
        for (x_m, y_m), number in self._nodes.items():
            latitude, longitude = place_of(x_m, y_m)
            lines.append(f'<node id="{number}" version="1" lat="{latitude:.7f}" lon="{longitude:.7f}"/>')
        for number, (tags, nodes) in enumerate(self._ways, start=1):
            refs = "".join(f'<nd ref="{node}"/>' for node in nodes)
            marks = "".join(f"<tag k={quoteattr(key)} v={quoteattr(value)}/>" for key, value in tags.items())
            lines.append(f'<way id="{number}" version="1" timestamp="{date}T00:00:00Z">{refs}{marks}</way>')
        return "\n".join([*lines, "</osm>", ""])
