"""OpenDRIVE roads as far as scenarios need them: courses of lines, arcs and spirals, lanes of one width, routes.

A course is a line with a direction: the reference line of a road, a route over several of them, or a trajectory. Places
on it are `s_m` along and `t_m` left of it. What a road holds beyond that is refused by its name where the road is used.
"""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from adas_runtime.errors import AdasError
from adas_runtime.scenario.plain_xml import parsed

TABLE_M: Final = 0.5
Pose = tuple[float, float, float]  # x, y, heading


@dataclass(frozen=True, slots=True)
class Piece:
    """A line, arc or spiral: its length, its curvature at both ends, and the pose that it begins in."""

    long_m: float
    first_1pm: float
    last_1pm: float
    begin: Pose

    @property
    def rate_1pm2(self) -> float:
        """Change of the curvature along it."""
        return (self.last_1pm - self.first_1pm) / self.long_m

    def end(self) -> Pose:
        """The pose that it ends in."""
        pose, steps = self.begin, self.steps
        for index in range(steps):
            pose = _gone(pose, self.long_m / steps, self.first_1pm + index * self.long_m / steps * self.rate_1pm2,
                         self.rate_1pm2)  # fmt: skip
        return pose

    @property
    def steps(self) -> int:
        """In how many it is tabled."""
        return math.ceil(self.long_m / TABLE_M) if self.first_1pm or self.last_1pm else 1


def chained(shapes: Sequence[tuple[float, float, float]], begin: Pose = (0.0, 0.0, 0.0)) -> list[Piece]:
    """Pieces of length [m] and curvature at begin and end [1/m], each from where the one before ends."""
    found: list[Piece] = []
    for long_m, first, last in shapes:
        found.append(Piece(long_m, first, last, begin))
        begin = found[-1].end()
    return found


def straights(points: Sequence[tuple[float, float]]) -> list[Piece]:
    """Straight pieces from point to point; two at one place are one."""
    return [
        Piece(math.dist(a, b), 0.0, 0.0, (*a, math.atan2(b[1] - a[1], b[0] - a[0])))
        for a, b in itertools.pairwise(points)
        if math.dist(a, b) > 1e-9
    ]


def _gone(pose: Pose, long_m: float, bend_1pm: float, rate_1pm2: float) -> Pose:
    """The pose after a short way, or any way on an arc."""
    x_m, y_m, heading = pose
    turned = bend_1pm * long_m + 0.5 * rate_1pm2 * long_m * long_m
    middle = heading + 0.5 * bend_1pm * long_m + rate_1pm2 * long_m * long_m / 6.0
    half = 0.5 * turned
    chord_m = long_m * (math.sin(half) / half if abs(half) > 1e-9 else 1.0)
    return x_m + chord_m * math.cos(middle), y_m + chord_m * math.sin(middle), heading + turned


class Course:
    """Pieces one after another."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        """`pieces`: at least one, each of a length above 0."""
        self.pieces = tuple(pieces)
        ends = list(itertools.accumulate(piece.long_m for piece in pieces))
        self.length_m = ends[-1]
        self._begins = [0.0, *ends[:-1]]
        self._s: list[float] = []
        self._poses: list[Pose] = []
        self._bends: list[tuple[float, float]] = []
        for begin_m, piece in zip(self._begins, pieces, strict=True):
            pose, step_m = piece.begin, piece.long_m / piece.steps
            for index in range(piece.steps):
                bend = piece.first_1pm + index * step_m * piece.rate_1pm2
                self._s.append(begin_m + index * step_m)
                self._poses.append(pose)
                self._bends.append((bend, piece.rate_1pm2))
                pose = _gone(pose, step_m, bend, piece.rate_1pm2)
        self._s.append(self.length_m)
        self._poses.append(pieces[-1].end())
        self._bends.append((pieces[-1].last_1pm, 0.0))

    def curvature_1pm(self, s_m: float) -> float:
        """Left positive; beyond its ends as there."""
        index = max(bisect_right(self._begins, s_m) - 1, 0)
        piece = self.pieces[index]
        share = min(max((s_m - self._begins[index]) / piece.long_m, 0.0), 1.0)
        return piece.first_1pm + share * (piece.last_1pm - piece.first_1pm)

    def place(self, s_m: float, t_m: float) -> Pose:
        """World place and direction."""
        index = max(bisect_right(self._s, s_m) - 1, 0)
        bend, rate = self._bends[index]
        x_m, y_m, heading = _gone(self._poses[index], s_m - self._s[index], bend, 0.0 if s_m < 0.0 else rate)
        return x_m - t_m * math.sin(heading), y_m + t_m * math.cos(heading), heading

    def project(self, x_m: float, y_m: float) -> tuple[float, float]:
        """The nearest place on it, or beyond its ends, and how far left of it a place is."""
        best = (math.inf, 0.0)
        last = len(self._s) - 2
        for index in range(last + 1):
            (ax, ay, _), (bx, by, _) = self._poses[index], self._poses[index + 1]
            long_m = self._s[index + 1] - self._s[index]
            square = (bx - ax) ** 2 + (by - ay) ** 2
            share = ((x_m - ax) * (bx - ax) + (y_m - ay) * (by - ay)) / square
            share = max(share, -math.inf if index == 0 else 0.0)
            share = min(share, math.inf if index == last else 1.0)
            far_m = math.hypot(ax + share * (bx - ax) - x_m, ay + share * (by - ay) - y_m)
            best = min(best, (far_m, self._s[index] + share * long_m))
        at_x, at_y, heading = self.place(best[1], 0.0)
        return best[1], (y_m - at_y) * math.cos(heading) - (x_m - at_x) * math.sin(heading)

    def reversed_pieces(self) -> list[Piece]:
        """The way back."""
        return [
            Piece(piece.long_m, -piece.last_1pm, -piece.first_1pm, _turned(piece.end()))
            for piece in reversed(self.pieces)
        ]

    @property
    def has_corners(self) -> bool:
        """Whether its direction jumps: nobody could drive along it."""
        return any(
            abs(math.remainder(after.begin[2] - before.end()[2], math.tau)) > 0.02
            for before, after in itertools.pairwise(self.pieces)
        )


def _turned(pose: Pose) -> Pose:
    return pose[0], pose[1], pose[2] + math.pi


@dataclass(frozen=True, slots=True)
class Link:
    """What a road's end is joined to: a road at its start or end, or a junction."""

    is_junction: bool
    name: str
    is_at_end: bool


class Road(Course):
    """A road's reference line and the middles of its lanes by number, left positive."""

    def __init__(
        self,
        name: str,
        pieces: Sequence[Piece],
        lanes_m: Mapping[int, float],
        ends: tuple[Link | None, Link | None] = (None, None),
        junction: str = "-1",
    ) -> None:
        """`ends`: what its start and its end are joined to."""
        super().__init__(pieces)
        self.name, self.lanes_m, self.ends, self.junction = name, lanes_m, ends, junction


@dataclass(frozen=True, slots=True)
class _Leg:
    """A road as a route takes it, from a place of the route on."""

    road: Road
    is_forward: bool
    begin_m: float


class Route(Course):
    """A way over roads; lanes count as one sees them who drives it: the right ones are negative."""

    def __init__(self, legs: Sequence[tuple[Road, bool]], from_m: float) -> None:
        """`legs`: roads, and whether each is taken in its direction; it begins `from_m` along the first."""
        pieces: list[Piece] = []
        self._legs: list[_Leg] = []
        at_m = -from_m
        for road, is_forward in legs:
            self._legs.append(_Leg(road, is_forward, at_m))
            pieces += road.pieces if is_forward else road.reversed_pieces()
            at_m += road.length_m
        self._from_m = from_m
        super().__init__(pieces)

    def along(self, path_m: float) -> float:
        """`s_m` of a distance from the route's first waypoint."""
        return path_m + self._from_m

    def lane_m(self, path_m: float, lane: int) -> float | None:
        """The middle of a lane there, or `None` where there is none."""
        leg = next((leg for leg in reversed(self._legs) if path_m >= leg.begin_m), self._legs[0])
        found = leg.road.lanes_m.get(lane if leg.is_forward else -lane)
        return found if found is None or leg.is_forward else -found


@dataclass(slots=True)
class Network:
    """The roads of a file; one that is not understood is refused as it is used."""

    path: Path
    _elements: dict[str, ET.Element] = field(default_factory=dict)
    _roads: dict[str, Road] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path) -> Network:
        """Read it.

        Raises:
            AdasError: It cannot be read, or holds no road.
        """
        found = cls(path)
        found._elements = {item.get("id", ""): item for item in parsed(path, "an OpenDRIVE file").findall("road")}
        if not found._elements:
            raise found._fail("a network without roads")
        return found

    @property
    def has_one_road(self) -> bool:
        """Whether there is nothing to choose."""
        return len(self._elements) == 1

    def _fail(self, what: str) -> AdasError:
        return AdasError(
            f"{what} is not understood", where=str(self.path), mend="take roads of lines, arcs and spirals"
        )

    def road(self, name: str) -> Road:
        """A road by its name; the only one by any.

        Raises:
            AdasError: There is none, or it holds what is not understood, by its name.
        """
        if self.has_one_road:
            name = next(iter(self._elements))
        if name not in self._elements:
            raise AdasError(f"has no road {name!r}", where=str(self.path), mend="correct the scenario")
        if name not in self._roads:
            try:
                self._roads[name] = self._read(name, self._elements[name])
            except ValueError as error:
                raise AdasError(f"road {name}: {error}", where=str(self.path), mend="correct the file") from error
        return self._roads[name]

    def _read(self, name: str, road: ET.Element) -> Road:
        """A road of lines, arcs and spirals with lanes of one width each."""
        sections = road.findall("lanes/laneSection")
        pieces: list[Piece] = []
        for piece in road.findall("planView/geometry"):
            shape = piece[0] if len(piece) == 1 else None
            if shape is None or shape.tag not in ("line", "arc", "spiral"):
                raise self._fail("a road of another shape than lines, arcs and spirals")
            both = shape.get("curvature", "0")
            bends = float(shape.get("curvStart", both)), float(shape.get("curvEnd", both))
            begin = float(piece.get("x", "0")), float(piece.get("y", "0")), float(piece.get("hdg", "0"))
            pieces.append(Piece(float(piece.get("length", "0")), *bends, begin))
        if not pieces or min(piece.long_m for piece in pieces) <= 0.0:
            raise self._fail("a road without length")
        if len(sections) != 1 or road.find("lanes/laneOffset") is not None:
            raise self._fail("a road whose lanes change")
        if road.get("rule", "RHT") != "RHT":
            raise self._fail("left-hand traffic")
        lanes: dict[int, float] = {}
        for side, sign in (("left", 1.0), ("right", -1.0)):
            edge_m = 0.0
            for lane in sorted(sections[0].findall(f"{side}/lane"), key=lambda item: abs(int(item.get("id", "0")))):
                widths = lane.findall("width")
                if len(widths) != 1 or any(float(widths[0].get(key, "0")) for key in "bcd"):
                    raise self._fail("a lane whose width changes")
                wide_m = float(widths[0].get("a", "0"))
                lanes[int(lane.get("id", "0"))] = sign * (edge_m + 0.5 * wide_m)
                edge_m += wide_m
        ends = _link(road.find("link/predecessor")), _link(road.find("link/successor"))
        return Road(name, pieces, lanes, ends, road.get("junction", "-1"))

    def _next(self, name: str, is_forward: bool) -> list[tuple[str, bool]]:
        """Roads that follow one that is taken in or against its direction, each with how it is then taken."""
        link = _link(self._elements[name].find("link/successor" if is_forward else "link/predecessor"))
        if link is None:
            return []
        if not link.is_junction:
            return [(link.name, not link.is_at_end)]
        found = []
        for other, element in self._elements.items():
            if element.get("junction") != link.name:
                continue
            for tag, is_onward in (("link/predecessor", True), ("link/successor", False)):
                begin = _link(element.find(tag))
                if begin is not None and begin.name == name and begin.is_at_end == is_forward:
                    found.append((other, is_onward))
        return found

    def route(self, waypoints: Sequence[tuple[str, float]]) -> Route:
        """The way of the fewest roads over waypoints of road and place on it.

        Raises:
            AdasError: There is no way, or a road on it is not understood.
        """
        first, from_m = waypoints[0]
        legs: list[tuple[str, bool]] = []
        for name, _ in waypoints[1:]:
            starts = [legs[-1]] if legs else [(first, True), (first, False)]
            legs = [*legs[:-1], *self._way(starts, name)]
        roads = [(self.road(name), is_forward) for name, is_forward in legs]
        return Route(roads, from_m if roads[0][1] else roads[0][0].length_m - from_m)

    def _way(self, starts: Sequence[tuple[str, bool]], end: str) -> list[tuple[str, bool]]:
        before: dict[tuple[str, bool], tuple[str, bool] | None] = dict.fromkeys(starts)
        queue = deque(starts)
        while queue:
            leg = queue.popleft()
            if leg[0] == end:
                way = [leg]
                while (back := before[way[0]]) is not None:
                    way.insert(0, back)
                return way
            for after in self._next(*leg) if leg[0] in self._elements else ():
                if after not in before:
                    before[after] = leg
                    queue.append(after)
        raise AdasError(f"no way leads to road {end!r}", where=str(self.path), mend="correct the route")


def _link(item: ET.Element | None) -> Link | None:
    if item is None:
        return None
    is_junction = item.get("elementType") == "junction"
    return Link(is_junction, item.get("elementId", ""), item.get("contactPoint") == "end")
