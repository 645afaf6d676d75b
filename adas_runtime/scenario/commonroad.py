"""CommonRoad files (2018b, 2020a): recorded or simulated traffic around one planning problem.

The others follow their recorded trajectories and do not react; our car starts as the planning problem says and follows
the lanelets, and who drives it is chosen as anywhere. Nobody may be hit; whether the goal is reached is told, and no
verdict hangs on it: no function of ours plans a route or changes lanes to reach one.

The reader is our own: `commonroad-io` demands protobuf 3.20, which the rest of the project cannot have, and of its
format no more is needed here than lanelets, rectangles and states. What else a file holds that would change a drive is
refused by its name.
"""

from __future__ import annotations

import itertools
import math
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adas_runtime.errors import AdasError
from adas_runtime.scenario.braking import STOPPED_MPS, Drive, Mover, Outcome, boxes_touch, nobody_hit
from adas_runtime.scenario.plain_xml import parsed
from adas_runtime.signals import ObjectClass, RoadClass
from adas_runtime.vehicle.schema import Vehicle

VERSIONS: Final = ("2018b", "2020a")
LONG_MAX_S: Final = 120.0
PATH_STEP_M: Final = 0.25
BEYOND_M: Final = 100.0  # of the path, beyond what is driven: the camera sees on
# Our driver's steering, design choices: it aims at the middle of the lane 1 s ahead, and cannot turn within 5 m.
AIM_S: Final = 1.0
AIM_LEAST_M: Final = 5.0
BEND_MAX_1PM: Final = 0.2
KINDS: Final = {
    "car": ObjectClass.CAR,
    "parkedVehicle": ObjectClass.CAR,
    "taxi": ObjectClass.CAR,
    "priorityVehicle": ObjectClass.CAR,
    "truck": ObjectClass.TRUCK,
    "bus": ObjectClass.BUS,
    "motorcycle": ObjectClass.MOTORCYCLE,
    "bicycle": ObjectClass.CYCLIST,
    "pedestrian": ObjectClass.PEDESTRIAN,
}
MOTORWAYS: Final = frozenset({"interstate", "highway"})
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class _Lanelet:
    """A piece of a lane: its bounds and their middle in the driving direction, and where it leads."""

    left: tuple[Point, ...]
    right: tuple[Point, ...]
    successors: tuple[str, ...]
    is_motorway: bool

    @property
    def middle(self) -> list[Point]:
        """The middle line."""
        return [(0.5 * (a[0] + b[0]), 0.5 * (a[1] + b[1])) for a, b in zip(self.left, self.right, strict=True)]

    def holds(self, x_m: float, y_m: float) -> bool:
        """Whether a place is in it."""
        return _is_inside((*self.left, *reversed(self.right)), x_m, y_m)


@dataclass(frozen=True, slots=True)
class _State:
    """Where an obstacle is at a time."""

    t_s: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float


@dataclass(slots=True)
class _Recorded:
    """A road user that follows what was recorded, whatever we do."""

    kind: ObjectClass
    size_m: tuple[float, float]
    states: tuple[_State, ...]  # in our frame, by time; one alone stands for ever
    seen_from_s: float = -math.inf
    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    speed_mps: float = 0.0
    accel_mps2: float = 0.0
    across_mps: float = 0.0
    is_there: bool = True

    def move(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """One step."""
        states = self.states
        last = len(states) - 1
        self.is_there = last == 0 or states[0].t_s - 1e-9 <= t_s <= states[last].t_s + 1e-9
        index = min(max(bisect_right([state.t_s for state in states], t_s) - 1, 0), max(last - 1, 0))
        one, other = states[index], states[min(index + 1, last)]
        span_s = other.t_s - one.t_s
        share = min(max((t_s - one.t_s) / span_s, 0.0), 1.0) if span_s > 0.0 else 0.0
        self.x_m, self.y_m = one.x_m + share * (other.x_m - one.x_m), one.y_m + share * (other.y_m - one.y_m)
        self.heading_rad = one.heading_rad + share * math.remainder(other.heading_rad - one.heading_rad, math.tau)
        self.speed_mps = one.speed_mps + share * (other.speed_mps - one.speed_mps)
        self.accel_mps2 = (other.speed_mps - one.speed_mps) / span_s if span_s > 0.0 else 0.0


@dataclass(frozen=True, slots=True)
class _Frame:
    """The frame of our front bumper at the start."""

    x_m: float  # of our middle, in the file's frame
    y_m: float
    heading_rad: float
    half_m: float  # from our middle to our bumper

    def local(self, x_m: float, y_m: float) -> Point:
        """A place of the file in our frame."""
        cosine, sine = math.cos(self.heading_rad), math.sin(self.heading_rad)
        east, north = x_m - self.x_m, y_m - self.y_m
        return east * cosine + north * sine - self.half_m, north * cosine - east * sine

    def world(self, x_m: float, y_m: float) -> Point:
        """A place of our frame in the file's."""
        cosine, sine = math.cos(self.heading_rad), math.sin(self.heading_rad)
        x_m += self.half_m
        return self.x_m + x_m * cosine - y_m * sine, self.y_m + x_m * sine + y_m * cosine


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The drive of one planning problem."""

    parameters: Mapping[str, float | str]
    drive: Drive


@dataclass(slots=True)
class _Goal:
    """One goal state: any of its regions, within its intervals."""

    t_s: tuple[float, float]
    regions: list[Callable[[float, float], bool]] = field(default_factory=list)
    heading_rad: tuple[float, float] | None = None
    speed_mps: tuple[float, float] | None = None
    centres: list[Point] = field(default_factory=list)
    lanelets: set[str] = field(default_factory=set)

    def is_met(self, t_s: float, x_m: float, y_m: float, heading_rad: float, speed_mps: float) -> bool:
        """In the file's frame."""
        if not self.t_s[0] - 1e-9 <= t_s <= self.t_s[1] + 1e-9:
            return False
        if self.regions and not any(holds(x_m, y_m) for holds in self.regions):
            return False
        if self.speed_mps is not None and not self.speed_mps[0] <= speed_mps <= self.speed_mps[1]:
            return False
        if self.heading_rad is None:
            return True
        low, high = self.heading_rad
        return math.remainder(heading_rad - 0.5 * (low + high), math.tau) ** 2 <= (0.5 * (high - low)) ** 2


class CommonRoad:
    """A file's planning problems, each a drive."""

    def __init__(self, path: Path, vehicle: Vehicle) -> None:
        """Read it.

        Raises:
            AdasError: It cannot be read, holds what is not understood, by its name, or our car cannot be driven in it.
        """
        self._path = path
        root = parsed(path, "a CommonRoad file")
        if root.tag != "commonRoad" or root.get("commonRoadVersion") not in VERSIONS:
            what = f"is no CommonRoad file of version {' or '.join(VERSIONS)}"
            raise AdasError(what, where=str(path), mend="convert it with commonroad-io")
        size = vehicle.dimensions
        self._front_m = size.wheelbase_m + size.front_overhang_m
        self._half_m, self._size_m = 0.5 * size.length_m, (size.length_m, size.width_m)
        try:
            self._step_s = float(root.get("timeStepSize", ""))
            self._lanelets = {item.get("id", ""): self._lanelet(item) for item in root.findall("lanelet")}
            self._others = [self._obstacle(item) for item in root if item.tag.lower().endswith("obstacle")]
            tags = {item.tag for item in root.findall("scenarioTags/*")} | set((root.get("tags") or "").split())
            self._is_motorway = bool(tags & MOTORWAYS)
            problems = root.findall("planningProblem")
            if not problems:
                raise self._undriven("it holds no planning problem")
            self.cases = [self._case(item, len(problems) > 1) for item in problems]
        except (ValueError, KeyError, ArithmeticError) as error:
            raise AdasError(f"a value is no number: {error}", where=str(path), mend="correct the file") from error
        self.title = root.get("benchmarkID") or path.stem
        self.text = ET.tostring(root, encoding="unicode")

    def judged(self, number: int, outcome: Outcome) -> dict[str, Any]:
        """What `adas scenario run --json` prints of a drive: nobody may be hit."""
        return outcome.result(self._path.stem, self.cases[number].parameters, *nobody_hit(outcome))

    # --- what the file holds ------------------------------------------------------------------------------------------

    def _fail(self, what: str) -> AdasError:
        return AdasError(f"{what} is not understood", where=str(self._path), mend="take a file without")

    def _undriven(self, why: str) -> AdasError:
        return AdasError(f"our car cannot be driven here: {why}", where=str(self._path), mend="take another scenario")

    def _points(self, element: ET.Element | None) -> tuple[Point, ...]:
        found = () if element is None else tuple(_point(item) for item in element.findall("point"))
        if len(found) < 2:
            raise self._fail("a bound of fewer than two points")
        return found

    def _lanelet(self, item: ET.Element) -> _Lanelet:
        left, right = self._points(item.find("leftBound")), self._points(item.find("rightBound"))
        if len(left) != len(right):
            raise self._fail(f"lanelet {item.get('id')}, whose bounds have unlike numbers of points,")
        successors = tuple(part.get("ref", "") for part in item.findall("successor"))
        kinds = {(part.text or "").strip() for part in item.findall("laneletType")}
        return _Lanelet(left, right, successors, bool(kinds & MOTORWAYS))

    def _obstacle(self, item: ET.Element) -> tuple[ObjectClass, tuple[float, float], tuple[_State, ...]]:
        name = f"obstacle {item.get('id')}"
        shapes = list(item.findall("shape/*"))
        if len(shapes) != 1 or shapes[0].tag not in ("rectangle", "circle"):
            raise self._fail(f"the shape of {name}, no rectangle and no circle,")
        shape = shapes[0]
        if any(part.tag in ("center", "orientation") and any(_floats(part)) for part in shape):
            raise self._fail(f"the shape of {name}, which is off its place,")
        if shape.tag == "circle":
            size_m = (2.0 * float(shape.findtext("radius", "")), 2.0 * float(shape.findtext("radius", "")))
        else:
            size_m = (float(shape.findtext("length", "")), float(shape.findtext("width", "")))
        if item.find("occupancySet") is not None:
            raise self._fail(f"{name}, which has an occupancy set and no trajectory,")
        first = item.find("initialState")
        if first is None:
            raise self._fail(f"{name} without an initial state")
        states = [self._state(part, name) for part in (first, *item.findall("trajectory/state"))]
        states.sort(key=lambda state: state.t_s)
        return KINDS.get((item.findtext("type") or "").strip(), ObjectClass.UNKNOWN), size_m, tuple(states)

    def _state(self, item: ET.Element, name: str) -> _State:
        place = item.find("position/*")
        if place is None or place.tag not in ("point", "rectangle", "circle"):
            raise self._fail(f"a place of {name} that is no point, rectangle or circle")
        x_m, y_m = _point(place) if place.tag == "point" else _region(place)[1]
        t_s, heading_rad = self._middle(item, "time", name) * self._step_s, self._middle(item, "orientation", name)
        speed_mps = self._middle(item, "velocity", name) if item.find("velocity") is not None else 0.0
        return _State(t_s, x_m, y_m, heading_rad, speed_mps)

    def _middle(self, item: ET.Element, tag: str, name: str) -> float:
        """A value, or the middle of what a sensor left open."""
        limits = _interval(item.find(tag))
        if limits is None:
            raise self._fail(f"{name} without {tag}")
        if not all(math.isfinite(limit) for limit in limits):
            raise ValueError(f"{tag} of {name}")
        return 0.5 * (limits[0] + limits[1])

    def _goal(self, item: ET.Element) -> _Goal:
        low, high = _interval(item.find("time")) or (0.0, LONG_MAX_S / self._step_s)
        found = _Goal((low * self._step_s, high * self._step_s))
        found.heading_rad = _interval(item.find("orientation"))
        found.speed_mps = _interval(item.find("velocity"))
        for part in item.findall("position/*"):
            if part.tag == "lanelet":
                lanelet = self._lanelets[part.get("ref", "")]
                found.regions.append(lanelet.holds)
                found.lanelets.add(part.get("ref", ""))
            elif part.tag == "point":
                raise self._fail("a goal that is one point")
            else:
                holds, centre = _region(part)
                found.regions.append(holds)
                found.centres.append(centre)
        return found

    # --- our drive ----------------------------------------------------------------------------------------------------

    def _case(self, problem: ET.Element, is_one_of_many: bool) -> Case:
        first = problem.find("initialState")
        name = f"planning problem {problem.get('id')}"
        if first is None:
            raise self._undriven(f"{name} has no initial state")
        state = self._state(first, name)
        goals = [self._goal(item) for item in problem.findall("goalState")]
        if state.speed_mps < STOPPED_MPS:
            raise self._undriven("it stands at the start, and nobody here pulls away")
        frame = _Frame(state.x_m, state.y_m, state.heading_rad, self._half_m)
        begin = self._begin(state)
        last_s = max((other[2][-1].t_s for other in self._others), default=state.t_s)
        end_s = max((goal.t_s[1] for goal in goals), default=last_s)
        long_s = min(end_s - state.t_s, LONG_MAX_S)
        if long_s <= 0.0:
            raise self._undriven(f"{name} ends as it begins")
        far_m = state.speed_mps * long_s + BEYOND_M
        bends = self._bends(state, self._route(begin, goals, far_m), far_m)
        others = [
            (kind, size_m, tuple(_moved(item, frame, state.t_s) for item in states))
            for kind, size_m, states in self._others
            if not _is_same(states[0], state)  # our own car as it was recorded
        ]

        def movers() -> Sequence[Mover]:
            found = [_Recorded(kind, size_m, states) for kind, size_m, states in others]
            for body in found:
                body.move(0.0, 0.0, state.speed_mps)
            return found

        for body in movers():
            middle = body.x_m + self._half_m, body.y_m
            if body.is_there and boxes_touch(*middle, body.heading_rad, body.size_m, self._size_m):
                raise self._undriven(f"another one stands where {name} begins")

        def curvature(way_m: float) -> float:
            return bends[min(max(int(way_m / PATH_STEP_M), 0), len(bends) - 1)]

        def goal(t_s: float, x_m: float, y_m: float, heading_rad: float, speed_mps: float) -> bool:
            world = frame.world(x_m, y_m)
            turned = heading_rad + state.heading_rad
            return any(item.is_met(t_s + state.t_s, *world, turned, speed_mps) for item in goals)

        is_motorway = self._is_motorway or self._lanelets[begin].is_motorway
        drive = Drive(
            name=f"{self._path.stem}_{problem.get('id')}" if is_one_of_many else self._path.stem,
            speed_mps=state.speed_mps,
            actors=(),
            movers=movers,
            curvature=curvature,
            lane="path",
            long_s=long_s,
            road_class=RoadClass.MOTORWAY if is_motorway else RoadClass.UNKNOWN,
            goal=goal if goals else None,
        )
        return Case(parameters={"problem": problem.get("id", "")} if is_one_of_many else {}, drive=drive)

    def _begin(self, state: _State) -> str:
        """The lanelet that we start in: of those that hold our middle the one that leads most as we do."""
        turns = {
            name: abs(math.remainder(_direction(lanelet.middle, state.x_m, state.y_m) - state.heading_rad, math.tau))
            for name, lanelet in self._lanelets.items()
            if lanelet.holds(state.x_m, state.y_m)
        }
        name = min(turns, key=lambda item: turns[item], default=None)
        if name is None:
            raise self._undriven("it starts beside every lanelet")
        if turns[name] > 0.5 * math.pi:
            raise self._undriven("it starts against the direction of its lanelet")
        return name

    def _route(self, begin: str, goals: Sequence[_Goal], far_m: float) -> list[Point]:
        """Middles of the lanelets to a goal, where one is ahead without a lane change, then as straight as it goes."""
        wanted = {name for goal in goals for name in goal.lanelets}
        wanted |= {
            name
            for name, lanelet in self._lanelets.items()
            if any(lanelet.holds(*centre) for goal in goals for centre in goal.centres)
        }
        before: dict[str, str | None] = {begin: None}
        queue, end = deque([begin]), begin
        while queue:
            name = queue.popleft()
            if name in wanted:
                end = name
                break
            for after in self._lanelets[name].successors:
                if after in self._lanelets and after not in before:
                    before[after] = name
                    queue.append(after)
        names: list[str] = []
        back: str | None = end
        while back is not None:
            names.insert(0, back)
            back = before[back]
        line = [point for name in names for point in self._lanelets[name].middle]
        seen = set(names)
        while _length_m(line) < far_m + _length_m(self._lanelets[begin].middle):
            ahead = _direction(line, *line[-1])
            onward = [
                item for item in self._lanelets[names[-1]].successors if item in self._lanelets and item not in seen
            ]
            if not onward:
                line.append((line[-1][0] + far_m * math.cos(ahead), line[-1][1] + far_m * math.sin(ahead)))
                break
            straightest = min(onward, key=lambda item: self._turn_rad(item, ahead))
            names.append(straightest)
            seen.add(straightest)
            line += self._lanelets[straightest].middle
        return line

    def _turn_rad(self, name: str, ahead_rad: float) -> float:
        """How far the end of a lanelet leads away from a direction."""
        middle = self._lanelets[name].middle
        return abs(math.remainder(_direction(middle, *middle[-1]) - ahead_rad, math.tau))

    def _bends(self, state: _State, line: Sequence[Point], far_m: float) -> list[float]:
        """Curvature of our rear axle's way along a line: it aims at a place on it ahead (pure pursuit).

        Source: R. C. Coulter, Implementation of the Pure Pursuit Path Tracking Algorithm, CMU-RI-TR-92-01, eq. 3.
        """
        places = _spaced(line)
        aim = max(round(max(AIM_S * state.speed_mps, AIM_LEAST_M) / PATH_STEP_M), 1)
        back_m = self._front_m - self._half_m
        heading = state.heading_rad
        x_m, y_m = state.x_m - back_m * math.cos(heading), state.y_m - back_m * math.sin(heading)
        at = min(range(len(places)), key=lambda index: math.dist(places[index], (x_m, y_m)))
        found = []
        for _ in range(math.ceil(far_m / PATH_STEP_M)):
            near = range(at, min(at + 8, len(places)))  # it never goes back
            at = min(near, key=lambda index: math.dist(places[index], (x_m, y_m)))
            to_x, to_y = places[min(at + aim, len(places) - 1)]
            reach_m = max(math.hypot(to_x - x_m, to_y - y_m), AIM_LEAST_M)
            left_m = (to_y - y_m) * math.cos(heading) - (to_x - x_m) * math.sin(heading)
            bend = min(max(2.0 * left_m / (reach_m * reach_m), -BEND_MAX_1PM), BEND_MAX_1PM)
            middle = heading + 0.5 * bend * PATH_STEP_M
            x_m, y_m = x_m + PATH_STEP_M * math.cos(middle), y_m + PATH_STEP_M * math.sin(middle)
            heading += bend * PATH_STEP_M
            found.append(bend)
        return found


def _point(item: ET.Element) -> Point:
    found = float(item.findtext("x", "")), float(item.findtext("y", ""))
    if not (math.isfinite(found[0]) and math.isfinite(found[1])):
        raise ValueError(f"{found}")
    return found


def _floats(item: ET.Element) -> list[float]:
    """The numbers of an element, wherever in it."""
    return [float(part.text) for part in item.iter() if part.text is not None and part.text.strip()]


def _interval(item: ET.Element | None) -> tuple[float, float] | None:
    """An interval, or an exact value as one."""
    if item is None:
        return None
    exact = item.findtext("exact")
    if exact is not None:
        return float(exact), float(exact)
    return float(item.findtext("intervalStart", "")), float(item.findtext("intervalEnd", ""))


def _region(item: ET.Element) -> tuple[Callable[[float, float], bool], Point]:
    """A rectangle, circle or polygon of a goal: whether it holds a place, and a place in it."""
    if item.tag == "polygon":
        corners = tuple(_point(part) for part in item.findall("point"))
        middle = sum(x for x, _ in corners) / len(corners), sum(y for _, y in corners) / len(corners)
        return lambda x_m, y_m: _is_inside(corners, x_m, y_m), middle
    found = item.find("center")
    centre = (0.0, 0.0) if found is None else _point(found)
    if item.tag == "circle":
        radius_m = float(item.findtext("radius", ""))
        return lambda x_m, y_m: math.dist((x_m, y_m), centre) <= radius_m, centre
    turned = float(item.findtext("orientation") or 0.0)
    half_x, half_y = 0.5 * float(item.findtext("length", "")), 0.5 * float(item.findtext("width", ""))

    def holds(x_m: float, y_m: float) -> bool:
        east, north = x_m - centre[0], y_m - centre[1]
        along = east * math.cos(turned) + north * math.sin(turned)
        return abs(along) <= half_x and abs(north * math.cos(turned) - east * math.sin(turned)) <= half_y

    return holds, centre


def _is_inside(corners: Sequence[Point], x_m: float, y_m: float) -> bool:
    """Whether a polygon holds a place, by the edges that a ray crosses."""
    found = False
    for (ax, ay), (bx, by) in zip(corners, (*corners[1:], corners[0]), strict=True):
        if (ay > y_m) != (by > y_m) and x_m < ax + (y_m - ay) / (by - ay) * (bx - ax):
            found = not found
    return found


def _moved(state: _State, frame: _Frame, from_s: float) -> _State:
    """A state in our frame and time."""
    x_m, y_m = frame.local(state.x_m, state.y_m)
    return _State(state.t_s - from_s, x_m, y_m, state.heading_rad - frame.heading_rad, state.speed_mps)


def _is_same(one: _State, other: _State) -> bool:
    """Whether two states are one, as far as the files' digits tell."""
    return math.dist((one.x_m, one.y_m), (other.x_m, other.y_m)) < 0.01 and abs(one.t_s - other.t_s) < 1e-9


def _direction(line: Sequence[Point], x_m: float, y_m: float) -> float:
    """Of the piece of a line that is nearest to a place."""
    pieces = [(a, b) for a, b in itertools.pairwise(line) if a != b]

    def far_m(piece: tuple[Point, Point]) -> float:
        (ax, ay), (bx, by) = piece
        share = ((x_m - ax) * (bx - ax) + (y_m - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)
        share = min(max(share, 0.0), 1.0)
        return math.hypot(ax + share * (bx - ax) - x_m, ay + share * (by - ay) - y_m)

    (ax, ay), (bx, by) = min(reversed(pieces), key=far_m)
    return math.atan2(by - ay, bx - ax)


def _length_m(line: Sequence[Point]) -> float:
    return sum(math.dist(a, b) for a, b in itertools.pairwise(line))


def _spaced(line: Sequence[Point]) -> list[Point]:
    """Places of a line, `PATH_STEP_M` apart."""
    found, left_m = [line[0]], PATH_STEP_M
    for a, b in itertools.pairwise(line):
        long_m = math.dist(a, b)
        while long_m > 0.0 and left_m <= long_m:
            share = left_m / long_m
            found.append((a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1])))
            left_m += PATH_STEP_M
        left_m -= long_m
    return found
