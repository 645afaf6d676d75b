"""OpenSCENARIO 1.x files as far as the ALKS suite of BMW and ASAM uses them: roads, positions, scripts, variations.

Our car drives its lane at its first speed, and the functions brake it; the others follow their script. Read are: one
road of lines, arcs and spirals (OpenDRIVE), catalogs, parameters with expressions and constraints, deterministic
variations; positions in lanes; speeds, changes of speed, lane and lane offset, walks across; triggers by time, by
distance, by time headway and by the end of another action. Whatever else a file holds is refused by its name: none is
driven in part.
"""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adas_runtime.errors import AdasError
from adas_runtime.scenario.braking import STEP_S, Drive, Mover, Outcome
from adas_runtime.scenario.family import CASES_MAX, reckoned, spread
from adas_runtime.scenario.plain_xml import parsed
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle.schema import Vehicle

LONG_MAX_S: Final = 120.0
TABLE_M: Final = 0.5
EGO: Final = "Ego"
KINDS: Final = {
    "car": ObjectClass.CAR,
    "van": ObjectClass.VAN,
    "truck": ObjectClass.TRUCK,
    "semitrailer": ObjectClass.TRUCK,
    "trailer": ObjectClass.TRAILER,
    "bus": ObjectClass.BUS,
    "motorbike": ObjectClass.MOTORCYCLE,
    "bicycle": ObjectClass.CYCLIST,
    "pedestrian": ObjectClass.PEDESTRIAN,
    "wheelchair": ObjectClass.PEDESTRIAN,
}
IGNORED: Final = frozenset({"ControllerAction", "ActivateControllerAction", "EnvironmentAction", "VisibilityAction"})
RULES: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "lessThan": lambda a, b: a < b,
    "lessOrEqual": lambda a, b: a <= b,
    "greaterThan": lambda a, b: a > b,
    "greaterOrEqual": lambda a, b: a >= b,
    "equalTo": lambda a, b: abs(a - b) < 1e-9,
    "notEqualTo": lambda a, b: abs(a - b) >= 1e-9,
}
Values = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drive of a file, with the parameters that vary."""

    parameters: Mapping[str, float | str]
    drive: Drive


class _Road:
    """A road of lines, arcs and spirals, and the middles of its lanes by number, left positive."""

    def __init__(self, pieces: Sequence[tuple[float, float, float]], lanes_m: Mapping[int, float]) -> None:
        """`pieces`: length [m], curvature at begin and end [1/m]."""
        self.lanes_m = lanes_m
        self._pieces = pieces
        ends = list(itertools.accumulate(piece[0] for piece in pieces))
        self._begins = [0.0, *ends[:-1]]
        self.length_m = ends[-1]
        self._table = [(0.0, 0.0, 0.0)]
        x_m = y_m = turned = 0.0
        for index in range(math.ceil(self.length_m / TABLE_M)):
            bend = self.curvature_1pm((index + 0.5) * TABLE_M)
            middle = turned + 0.5 * bend * TABLE_M
            x_m, y_m = x_m + TABLE_M * math.cos(middle), y_m + TABLE_M * math.sin(middle)
            turned += bend * TABLE_M
            self._table.append((x_m, y_m, turned))

    def curvature_1pm(self, s_m: float) -> float:
        """Of the reference line; beyond its ends as there."""
        index = max(bisect_right(self._begins, s_m) - 1, 0)
        long_m, first, last = self._pieces[index]
        share = min(max((s_m - self._begins[index]) / long_m, 0.0), 1.0)
        return first + share * (last - first)

    def place(self, s_m: float, t_m: float) -> tuple[float, float, float]:
        """World place and direction."""
        index = min(max(int(s_m / TABLE_M), 0), len(self._table) - 1)
        x_m, y_m, turned = self._table[index]
        rest_m, bend = s_m - index * TABLE_M, self.curvature_1pm(s_m)
        middle = turned + 0.5 * bend * rest_m
        x_m, y_m, turned = x_m + rest_m * math.cos(middle), y_m + rest_m * math.sin(middle), turned + bend * rest_m
        return x_m - t_m * math.sin(turned), y_m + t_m * math.cos(turned), turned


@dataclass(frozen=True, slots=True)
class _Kind:
    """What an entity is: class, size, and from its reference point to its middle."""

    kind: ObjectClass
    size_m: tuple[float, float]
    middle_m: float


@dataclass(slots=True)
class _Event:
    """A trigger and what it starts; times are of the run."""

    actor: str
    actions: list[tuple[str, Callable[[_Actor, float], float]]]  # name, and the start: returns when it ends
    is_met: Callable[[_Script, float], bool]
    delay_s: float
    met_s: float | None = None
    is_started: bool = False
    names: tuple[str, ...] = ()  # of the event and its maneuver, which end with the last action


@dataclass(slots=True)
class _Actor:
    """One entity in road coordinates, as it moves; the middle is at `s_m`, `t_m`."""

    kind: ObjectClass
    size_m: tuple[float, float]
    s_m: float
    t_m: float
    turned_rad: float  # against the road
    speed_mps: float
    script: _Script
    is_first: bool = False
    seen_from_s: float = -math.inf
    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    accel_mps2: float = 0.0
    across_mps: float = 0.0
    is_there: bool = True
    speed_to: tuple[float, float] | None = None  # target, rate
    shift: tuple[float, float, float, float] | None = None  # begun at, from, to, lasts
    stops_s: float = math.inf
    walk: tuple[float, float, float] | None = None  # begins at, speed, to where across

    def move(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """One step; the first one steps the script for all."""
        if self.is_first:
            self.script.step(t_s, way_m, speed_mps)
        self.accel_mps2 = 0.0
        if self.walk is not None and t_s >= self.walk[0]:
            begun_s, speed, to_m = self.walk
            side = math.copysign(1.0, to_m - self.t_m)
            self.t_m += side * speed * (t_s - begun_s)  # what it would have walked already
            self.turned_rad, self.speed_mps, self.walk = side * math.pi / 2.0, speed, None
            self.stops_s = t_s + max(abs(to_m - self.t_m) / speed, STEP_S)
        if t_s >= self.stops_s:
            self.speed_mps = 0.0
        if self.speed_to is not None:
            target, rate = self.speed_to
            left = target - self.speed_mps
            self.accel_mps2 = math.copysign(min(abs(rate), abs(left) / STEP_S), left)
            self.speed_mps += self.accel_mps2 * STEP_S
            if abs(target - self.speed_mps) < 1e-9:
                self.speed_to = None
        former_m = self.t_m
        if self.shift is not None:
            begun_s, from_m, to_m, lasts_s = self.shift
            share = min((t_s - begun_s) / lasts_s, 1.0) if lasts_s > 0.0 else 1.0
            self.t_m = from_m + (to_m - from_m) * 0.5 * (1.0 - math.cos(math.pi * share))
            if share >= 1.0:
                self.shift = None
        self.across_mps = (self.t_m - former_m) / STEP_S
        bend = self.script.road.curvature_1pm(self.s_m)
        self.s_m += self.speed_mps * math.cos(self.turned_rad) * STEP_S / (1.0 - bend * self.t_m)
        self.t_m += self.speed_mps * math.sin(self.turned_rad) * STEP_S
        self.place()

    def place(self) -> None:
        """Road coordinates to our frame."""
        self.x_m, self.y_m, self.heading_rad = self.script.seen(self.s_m, self.t_m)
        self.heading_rad += self.turned_rad


@dataclass(slots=True)
class _Script:
    """All entities of one drive and what is still to happen."""

    road: _Road
    ego_s_m: float
    ego_t_m: float
    front_m: float
    long_m: float
    events: list[_Event] = field(default_factory=list)
    actors: dict[str, _Actor] = field(default_factory=dict)
    ended_s: dict[str, float] = field(default_factory=dict)
    way_m: float = 0.0
    driven_m: float = 0.0  # along the reference line
    ego_mps: float = 0.0

    def seen(self, s_m: float, t_m: float) -> tuple[float, float, float]:
        """A place of the road in the frame of our front bumper at the start."""
        x_m, y_m, turned = self.road.place(s_m, t_m)
        x0_m, y0_m, turned0 = self.road.place(self.ego_s_m, self.ego_t_m)
        east, north = x_m - x0_m, y_m - y0_m
        cosine, sine = math.cos(turned0), math.sin(turned0)
        return east * cosine + north * sine - self.front_m, north * cosine - east * sine, turned - turned0

    def gap_m(self, one: str, other: str) -> float:
        """Along the road, bumper to bumper, from the one behind to the one ahead."""
        rear, front = sorted((self._ends(one), self._ends(other)), key=lambda ends: ends[1])
        return front[0] - rear[1]

    def _ends(self, name: str) -> tuple[float, float]:
        if name == EGO:
            rear_m = self.ego_s_m + self.driven_m  # the axle
            return rear_m + self.front_m - self.long_m, rear_m + self.front_m
        actor = self.actors[name]
        half = 0.5 * actor.size_m[0]
        return actor.s_m - half, actor.s_m + half

    def step(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """Start what is due."""
        bend = self.road.curvature_1pm(self.ego_s_m + self.driven_m)
        self.driven_m += (way_m - self.way_m) / (1.0 - bend * self.ego_t_m)
        self.way_m, self.ego_mps = way_m, speed_mps
        for event in self.events:
            if event.is_started:
                continue
            if event.met_s is None and event.is_met(self, t_s):
                event.met_s = t_s
            if event.met_s is not None and t_s >= event.met_s + event.delay_s - 1e-9:
                event.is_started = True
                for name, start in event.actions:
                    self.ended_s[name] = start(self.actors[event.actor], t_s)
                last_s = max(self.ended_s[name] for name, _ in event.actions)
                self.ended_s.update(dict.fromkeys(event.names, last_s))


class _AgainstRoad(AdasError):
    """A place in a lane that leads against the road's direction."""


class OpenScenario:
    """A scenario or a variation, spread over its parameters."""

    def __init__(self, path: Path, vehicle: Vehicle) -> None:
        """Read it.

        Raises:
            AdasError: It cannot be read, or holds what is not understood, by its name.
        """
        root = parsed(path)
        size = vehicle.dimensions
        self._front_m = size.wheelbase_m + size.front_overhang_m
        self._long_m = size.length_m
        varied: list[dict[str, str]] = [{}]
        if root.find("ParameterValueDistribution") is not None:
            path, varied = _variation(root, path)
            root = parsed(path)
        if root.find("Storyboard") is None:
            raise AdasError("holds no storyboard", where=str(path), mend="name a scenario or a variation, no catalog")
        self._path, self._root = path, root
        head = root.find("FileHeader")
        self.title = (head.get("description") if head is not None else None) or path.stem
        self._catalogs: dict[str, dict[str, ET.Element]] | None = None
        self._roads: dict[str, _Road] = {}
        self.cases: list[Case] = []
        self.discarded = 0
        for changes in varied:
            values = self._parameters(changes)
            if values is None:
                self.discarded += 1
                continue
            try:
                drive = self._drive(values)
            except _AgainstRoad:
                if len(varied) == 1:
                    raise
                self.discarded += 1  # the suites spread over both sides of a road that is for one side
                continue
            self.cases.append(Case(parameters={k: _number_or_text(v) for k, v in changes.items()}, drive=drive))
        if not self.cases:
            raise AdasError("has no drive within its own constraints", where=str(path), mend="correct its parameters")

    @property
    def text(self) -> str:
        """What decides the drives beside the parameters."""
        return ET.tostring(self._root, encoding="unicode") + repr([dict(case.parameters) for case in self.cases])

    def judged(self, number: int, outcome: Outcome) -> dict[str, Any]:
        """What `adas scenario run --json` prints of a drive: nobody may be hit."""
        case = self.cases[number]
        failures = [] if outcome.impact_mps is None else [f"hits at {outcome.impact_kmh:.0f} km/h"]
        return outcome.result(self._path.stem, case.parameters, "fail" if failures else "pass", failures)

    # --- values -------------------------------------------------------------------------------------------------------

    def _fail(self, what: str) -> AdasError:
        return AdasError(f"{what} is not understood", where=str(self._path), mend="run it in esmini, or simplify it")

    def _text(self, element: ET.Element, name: str, values: Values) -> str:
        raw = element.get(name)
        if raw is None:
            raise AdasError(f"{element.tag} has no {name}", where=str(self._path), mend="correct the file")
        return self._resolved(raw, values)

    def _resolved(self, raw: str, values: Values) -> str:
        if raw.startswith("${") and raw.endswith("}"):
            return repr(self._reckon(raw[2:-1], values))
        if raw.startswith("$"):
            if raw[1:] not in values:
                raise AdasError(f"{raw} is no parameter", where=str(self._path), mend="declare it")
            return values[raw[1:]]
        return raw

    def _reckon(self, text: str, values: Values) -> float:
        numbers: dict[str, float] = {}
        for name in re.findall(r"\$(\w+)", text):
            try:
                numbers[name] = float(values[name])
            except (KeyError, ValueError) as error:
                raise AdasError(f"${name} is no number", where=str(self._path), mend="declare it") from error
        try:
            return reckoned(text, numbers)
        except (KeyError, ValueError, TypeError, ArithmeticError, SyntaxError, RecursionError) as error:
            raise self._fail(f"the expression {text!r}") from error

    def _number(self, element: ET.Element, name: str, values: Values, default: float | None = None) -> float:
        if default is not None and element.get(name) is None:
            return default
        text = self._text(element, name, values)
        try:
            found = float(text)
        except ValueError as error:
            raise AdasError(
                f"{element.tag} {name} = {text!r} is no number", where=str(self._path), mend="correct it"
            ) from error
        if not math.isfinite(found):
            raise AdasError(f"{element.tag} {name} is not finite", where=str(self._path), mend="correct it")
        return found

    def _parameters(self, changes: Mapping[str, str]) -> Values | None:
        """All parameters; `None` where they break a constraint."""
        values: Values = {}
        declared = self._root.findall("ParameterDeclarations/ParameterDeclaration")
        for item in declared:
            name = item.get("name", "")
            values[name] = self._resolved(changes.get(name, item.get("value", "")), values)
        unknown = changes.keys() - values.keys()
        if unknown:
            raise AdasError(
                f"varies {sorted(unknown)[0]}, which is not declared", where=str(self._path), mend="declare it"
            )
        for item in declared:
            groups = item.findall("ConstraintGroup")
            value = values[item.get("name", "")]
            if groups and not any(all(self._holds(rule, value, values) for rule in group) for group in groups):
                return None
        return values

    def _holds(self, rule: ET.Element, value: str, values: Values) -> bool:
        name = rule.get("rule", "")
        if rule.tag != "ValueConstraint" or name not in RULES:
            raise self._fail(f"the constraint {name or rule.tag}")
        limit = self._text(rule, "value", values)
        try:
            return RULES[name](float(value), float(limit))
        except ValueError:
            return (value == limit) == (name == "equalTo")

    # --- what stands where --------------------------------------------------------------------------------------------

    def _drive(self, values: Values) -> Drive:
        root = self._root
        logic = root.find("RoadNetwork/LogicFile")
        if logic is None:
            raise AdasError("names no road", where=str(self._path), mend="add RoadNetwork/LogicFile")
        road = self._road(self._text(logic, "filepath", values))
        kinds = {item.get("name", ""): self._kind(item, values) for item in root.findall("Entities/ScenarioObject")}
        if EGO not in kinds:
            raise AdasError(f"has no entity {EGO}", where=str(self._path), mend="name our car so")
        places: dict[str, tuple[float, float, float]] = {}
        lanes: dict[str, int] = {}
        speeds: dict[str, float] = dict.fromkeys(kinds, 0.0)
        gaps: dict[str, float] = {}
        self._walks: dict[str, tuple[float, float]] = {}  # of this drive: from and to, across
        privates = root.findall("Storyboard/Init/Actions/Private")
        for private in sorted(privates, key=lambda item: item.get("entityRef") != EGO):
            name = private.get("entityRef", "")
            if name not in kinds:
                raise AdasError(f"Init names {name!r}, which is no entity", where=str(self._path), mend="correct it")
            for action in private.findall("PrivateAction/*"):
                self._start(action, name, kinds, road, values, places, lanes, speeds, gaps)
        if EGO not in places:
            raise AdasError(f"does not place {EGO}", where=str(self._path), mend="add a TeleportAction")
        ego_s, ego_t, _ = places[EGO]
        speed_mps = speeds[EGO]
        events = self._events(kinds, road, lanes, values)
        if any(name not in places for name in kinds):
            raise self._fail("an entity without a place")
        front_m, long_m = self._front_m, self._long_m

        def movers() -> Sequence[Mover]:
            script = _Script(road, ego_s, ego_t, front_m, long_m, ego_mps=speed_mps)
            for name, (s_m, t_m, turned) in places.items():
                if name == EGO:
                    continue
                kind = kinds[name]
                if name in gaps:
                    s_m = ego_s + front_m + gaps[name] + 0.5 * kind.size_m[0]
                else:
                    s_m += kind.middle_m * math.cos(turned)
                actor = _Actor(kind.kind, kind.size_m, s_m, t_m, turned, speeds[name], script, not script.actors)
                actor.place()
                script.actors[name] = actor
            script.events = [_Event(e.actor, e.actions, e.is_met, e.delay_s, names=e.names) for e in events]
            return list(script.actors.values())

        def curvature(way_m: float) -> float:
            bend = road.curvature_1pm(ego_s + way_m)
            return bend / (1.0 - bend * ego_t)

        return Drive(
            name=self._path.stem,
            speed_mps=speed_mps,
            actors=(),
            movers=movers,
            curvature=curvature,
            lane="path",
            long_s=self._long_s(values),
        )

    def _long_s(self, values: Values) -> float:
        found = self._root.find("Storyboard/StopTrigger//SimulationTimeCondition")
        return min(LONG_MAX_S, self._number(found, "value", values) if found is not None else 40.0)

    def _start(
        self,
        action: ET.Element,
        name: str,
        kinds: Mapping[str, _Kind],
        road: _Road,
        values: Values,
        places: dict[str, tuple[float, float, float]],
        lanes: dict[str, int],
        speeds: dict[str, float],
        gaps: dict[str, float],
    ) -> None:
        """One action of Init."""
        inner = action[0] if len(action) else action
        if action.tag in IGNORED or inner.tag in IGNORED:
            return
        if action.tag == "TeleportAction":
            places[name], lanes[name] = self._position(action, road, values, places, lanes)
        elif inner.tag == "SpeedAction":
            speeds[name] = self._speed(inner, values, speeds)
        elif inner.tag == "LongitudinalDistanceAction":
            gaps[name] = self._ahead_m(inner, values, speeds[EGO])
        elif inner.tag == "FollowTrajectoryAction":
            line, local = self._trajectory(inner, values)
            (s_m, from_m, _), lanes[name] = self._position(line[0], road, local, places, lanes)
            (to_s, to_m, _), _ = self._position(line[1], road, local, places, lanes)
            if abs(to_s - s_m) > 0.5 or from_m == to_m:
                raise self._fail("a trajectory but straight across the road")
            places[name] = s_m, from_m, math.copysign(math.pi / 2.0, to_m - from_m)
            self._walks[name] = from_m, to_m
        else:
            raise self._fail(f"{inner.tag} in Init")

    def _trajectory(self, action: ET.Element, values: Values) -> tuple[list[ET.Element], Values]:
        """The two vertices of a line, and the parameters that hold for it."""
        found, local = action.find("TrajectoryRef/Trajectory"), dict(values)
        reference = action.find("TrajectoryRef/CatalogReference")
        if found is None and reference is not None:
            entries = self._entries().get(self._text(reference, "catalogName", values), {})
            found = entries.get(self._text(reference, "entryName", values))
            given = {
                item.get("parameterRef", ""): self._text(item, "value", values)
                for item in reference.findall("ParameterAssignments/ParameterAssignment")
            }
            for item in found.findall("ParameterDeclarations/ParameterDeclaration") if found is not None else ():
                local[item.get("name", "")] = self._resolved(item.get("value", ""), local)
            local |= given
        vertices = [] if found is None else found.findall("Shape/Polyline/Vertex")
        if len(vertices) != 2:
            raise self._fail("a trajectory but a line of two vertices")
        return vertices, local

    def _speed(self, action: ET.Element, values: Values, speeds: Mapping[str, float]) -> float:
        absolute, relative = action.find(".//AbsoluteTargetSpeed"), action.find(".//RelativeTargetSpeed")
        if absolute is not None:
            return self._number(absolute, "value", values)
        if relative is None or relative.get("speedTargetValueType") != "delta":
            raise self._fail("a speed that is neither absolute nor a difference")
        other = relative.get("entityRef", "")
        return speeds.get(other, 0.0) + self._number(relative, "value", values)

    def _position(
        self,
        element: ET.Element,
        road: _Road,
        values: Values,
        places: Mapping[str, tuple[float, float, float]],
        lanes: Mapping[str, int],
    ) -> tuple[tuple[float, float, float], int]:
        """Road coordinates with direction against the road, and the lane."""
        found = element.find(".//Position/*")
        if found is None:
            raise AdasError(f"{element.tag} has no position", where=str(self._path), mend="add one")
        turned = 0.0
        orientation = found.find("Orientation")
        if orientation is not None:
            turned = self._number(orientation, "h", values, 0.0)
        if found.tag == "LanePosition":
            lane = round(self._number(found, "laneId", values))
            s_m = self._number(found, "s", values)
        elif found.tag == "RelativeLanePosition":
            other = found.get("entityRef", "")
            if other not in places:
                raise AdasError(
                    f"a place beside {other!r}, which has none yet", where=str(self._path), mend="place it first"
                )
            steps = round(self._number(found, "dLane", values))
            lane = lanes[other] + steps
            if lane == 0 or (lane > 0) != (lanes[other] > 0):
                raise self._fail("a lane across the middle of the road")
            s_m = places[other][0] + self._number(found, "ds", values)
        else:
            raise self._fail(found.tag)
        if lane not in road.lanes_m:
            raise AdasError(f"lane {lane} is not on the road", where=str(self._path), mend="correct it")
        if lane > 0:
            what = "a lane against the road's direction is not understood"
            raise _AgainstRoad(what, where=str(self._path), mend="take a lane with a negative number")
        return (s_m, road.lanes_m[lane] + self._number(found, "offset", values, 0.0), turned), lane

    # --- what happens -------------------------------------------------------------------------------------------------

    def _events(
        self, kinds: Mapping[str, _Kind], road: _Road, lanes: Mapping[str, int], values: Values
    ) -> list[_Event]:
        found: list[_Event] = []
        for act in self._root.findall("Storyboard/Story/Act"):
            if not self._is_played(act, values):
                continue
            for group in act.findall("ManeuverGroup"):
                for reference in group.findall("CatalogReference"):
                    self._check_quiet(reference, values)
                names = [item.get("entityRef", "") for item in group.findall("Actors/EntityRef")]
                for maneuver in group.findall("Maneuver"):
                    events = maneuver.findall("Event")
                    for event in events:
                        made = self._event(event, names, kinds, road, lanes, values)
                        if made is not None:
                            made.names = (
                                event.get("name", ""),
                                *((maneuver.get("name", ""),) if len(events) == 1 else ()),
                            )
                            found.append(made)
        return found

    def _is_played(self, act: ET.Element, values: Values) -> bool:
        """Whether an act begins: with the drive, or never by its parameters."""
        for condition in act.findall("StartTrigger/ConditionGroup/Condition"):
            inner = condition.find("./ByValueCondition/*")
            if inner is not None and inner.tag == "ParameterCondition":
                name, rule = inner.get("parameterRef", ""), inner.get("rule", "")
                if rule != "equalTo":
                    raise self._fail(f"an act that begins by {rule}")
                if values.get(name) != self._text(inner, "value", values):
                    return False
            elif inner is None or inner.tag != "SimulationTimeCondition" or self._number(inner, "value", values) > 0.0:
                raise self._fail("an act that begins later")
        return True

    def _check_quiet(self, reference: ET.Element, values: Values) -> None:
        """Refuse a maneuver of a catalog that moves anybody: those that log and set variables may be left out."""
        entry = (
            self._entries().get(self._text(reference, "catalogName", values), {}).get(reference.get("entryName", ""))
        )
        if entry is None or any(item.find("PrivateAction") is not None for item in entry.iter("Action")):
            raise self._fail(f"the maneuver {reference.get('entryName')} of a catalog")

    def _event(
        self,
        event: ET.Element,
        names: Sequence[str],
        kinds: Mapping[str, _Kind],
        road: _Road,
        lanes: Mapping[str, int],
        values: Values,
    ) -> _Event | None:
        """`None` for one that moves nobody."""
        actions = [item for item in event.findall("Action") if not any(part.tag in IGNORED for part in item.iter())]
        if not actions:
            return None
        if len(names) != 1 or names[0] not in kinds:
            raise self._fail("an event of none or several actors")
        if names[0] == EGO:
            raise self._fail(f"an action of {EGO}, who is driven by our functions,")
        is_met, delay_s = self._trigger(event, kinds, values)
        return _Event(names[0], [self._action(item, road, lanes, values) for item in actions], is_met, delay_s)

    def _trigger(
        self, event: ET.Element, kinds: Mapping[str, _Kind], values: Values
    ) -> tuple[Callable[[_Script, float], bool], float]:
        if event.find("StartTrigger") is None:
            return (lambda script, t_s: True), 0.0
        conditions = event.findall("StartTrigger/ConditionGroup/Condition")
        if len(conditions) != 1:
            raise self._fail(f"a trigger of {len(conditions)} conditions")
        delay_s = self._number(conditions[0], "delay", values, 0.0)
        inner = conditions[0].find("./ByValueCondition/*")
        if inner is None:
            inner = conditions[0].find("./ByEntityCondition/EntityCondition/*")
        if inner is None:
            raise self._fail("a condition of another kind")
        if inner.tag == "SimulationTimeCondition":
            at_s = self._number(inner, "value", values)
            return (lambda script, t_s: t_s >= at_s - 1e-9), delay_s
        if inner.tag == "StoryboardElementStateCondition":
            name = inner.get("storyboardElementRef", "")
            if inner.get("state") not in ("endTransition", "completeState", "stopTransition"):
                raise self._fail(f"the state {inner.get('state')}")
            return (lambda script, t_s: t_s >= script.ended_s.get(name, math.inf) - 1e-9), delay_s
        if inner.tag not in ("RelativeDistanceCondition", "TimeHeadwayCondition", "DistanceCondition"):
            raise self._fail(inner.tag)
        references = conditions[0].findall("./ByEntityCondition/TriggeringEntities/EntityRef")
        one, other = references[0].get("entityRef", "") if len(references) == 1 else "", inner.get("entityRef", "")
        if one not in kinds or other not in kinds:
            raise self._fail(f"a {inner.tag} between others than two entities")
        limit, rule = self._number(inner, "value", values), RULES.get(inner.get("rule", ""))
        if rule is None:
            raise self._fail(f"the rule {inner.get('rule')}")
        if inner.tag == "RelativeDistanceCondition":
            if inner.get("relativeDistanceType") != "longitudinal" or inner.get("freespace") != "true":
                raise self._fail("a distance but along the road and bumper to bumper")
            return (lambda script, t_s: rule(script.gap_m(one, other), limit)), delay_s
        if inner.tag == "TimeHeadwayCondition" and one == EGO:
            return (
                lambda script, t_s: script.ego_mps > 0.0 and rule(script.gap_m(one, other) / script.ego_mps, limit)
            ), delay_s
        raise self._fail(inner.tag)

    def _action(
        self, action: ET.Element, road: _Road, lanes: Mapping[str, int], values: Values
    ) -> tuple[str, Callable[[_Actor, float], float]]:
        """Name and start of an action."""
        inner, name = action.find("./PrivateAction/SynchronizeAction"), action.get("name", "")
        if inner is None:
            inner = action.find("./PrivateAction/*/*")
        if inner is None:
            raise self._fail(f"the action {name}")
        if inner.tag == "SpeedAction":
            return name, self._speed_action(inner, values)
        if inner.tag == "LaneChangeAction":
            return name, self._lane_change(inner, road, lanes, values)
        if inner.tag == "LaneOffsetAction":
            return name, self._lane_offset(inner, road, lanes, values)
        if inner.tag == "FollowTrajectoryAction":
            return name, self._walk(inner, road, values)
        if inner.tag == "LongitudinalDistanceAction":
            return name, self._distance(inner, values)
        if inner.tag == "SynchronizeAction":
            return name, self._synchronized(inner, values)
        raise self._fail(inner.tag)

    def _ahead_m(self, action: ET.Element, values: Values, ego_mps: float) -> float:
        """The gap to our front that a LongitudinalDistanceAction makes at once."""
        if action.get("entityRef") != EGO or action.get("displacement") != "leadingReferencedEntity":
            raise self._fail("a LongitudinalDistanceAction but ahead of Ego")
        if self._text(action, "freespace", values) != "true" or self._text(action, "continuous", values) != "false":
            raise self._fail("a LongitudinalDistanceAction that goes on, or without freespace,")
        if action.get("timeGap") is not None:
            return self._number(action, "timeGap", values) * ego_mps
        return self._number(action, "distance", values)

    def _distance(self, action: ET.Element, values: Values) -> Callable[[_Actor, float], float]:
        self._ahead_m(action, values, 0.0)

        def start(actor: _Actor, t_s: float) -> float:
            script = actor.script
            front_m = script.ego_s_m + script.driven_m + script.front_m
            actor.s_m = front_m + self._ahead_m(action, values, script.ego_mps) + 0.5 * actor.size_m[0]
            return t_s

        return start

    def _speed_action(self, action: ET.Element, values: Values) -> Callable[[_Actor, float], float]:
        dynamics, relative = action.find("SpeedActionDynamics"), action.find(".//RelativeTargetSpeed")
        if dynamics is None:
            raise self._fail("a change of speed without dynamics")
        if relative is None:
            fixed, change_mps, factor = self._speed(action, values, {}), 0.0, 1.0
        else:
            kind, fixed = relative.get("speedTargetValueType"), math.nan
            if kind not in ("delta", "factor") or relative.get("continuous") == "true":
                raise self._fail("a speed that follows another one")
            value = self._number(relative, "value", values)
            change_mps, factor = (value, 1.0) if kind == "delta" else (0.0, value)
        other = "" if relative is None else relative.get("entityRef", "")
        shape, dimension = dynamics.get("dynamicsShape"), dynamics.get("dynamicsDimension")
        value = abs(self._number(dynamics, "value", values))

        def start(actor: _Actor, t_s: float) -> float:
            target = fixed
            if relative is not None:
                of_mps = actor.script.ego_mps if other == EGO else actor.script.actors[other].speed_mps
                target = max(factor * of_mps + change_mps, 0.0)
            change = abs(target - actor.speed_mps)
            if shape == "step" or (dimension == "time" and value == 0.0):
                actor.speed_mps = target
                return t_s
            rate = change / value if dimension == "time" else value
            if rate == 0.0:
                return math.inf if change else t_s  # it never gets there
            actor.speed_to = (target, rate)
            return t_s + change / rate

        if shape not in ("step", "linear") or dimension not in ("rate", "time"):
            raise self._fail(f"a {shape} change of speed by {dimension}")
        return start

    def _lane_change(
        self, action: ET.Element, road: _Road, lanes: Mapping[str, int], values: Values
    ) -> Callable[[_Actor, float], float]:
        relative, absolute = action.find(".//RelativeTargetLane"), action.find(".//AbsoluteTargetLane")
        if relative is not None:
            lane = lanes.get(relative.get("entityRef", ""), 0) + round(self._number(relative, "value", values))
        elif absolute is not None:
            lane = round(self._number(absolute, "value", values))
        else:
            raise self._fail("a lane change to no lane")
        if lane not in road.lanes_m:
            raise AdasError(f"lane {lane} is not on the road", where=str(self._path), mend="correct it")
        to_m = road.lanes_m[lane] + self._number(action, "targetLaneOffset", values, 0.0)
        dynamics = action.find("LaneChangeActionDynamics")
        if dynamics is None or dynamics.get("dynamicsShape") not in ("sinusoidal", "cubic", "linear"):
            raise self._fail("a lane change of another shape")
        dimension, value = dynamics.get("dynamicsDimension"), self._number(dynamics, "value", values)
        if dimension not in ("rate", "time") or value <= 0.0:
            raise self._fail(f"a lane change by {dimension}")

        def start(actor: _Actor, t_s: float) -> float:
            # the greatest speed of half a cosine is pi/2 of its mean
            lasts_s = value if dimension == "time" else math.pi / 2.0 * abs(to_m - actor.t_m) / value
            actor.shift = (t_s, actor.t_m, to_m, lasts_s)
            return t_s + lasts_s

        return start

    def _lane_offset(
        self, action: ET.Element, road: _Road, lanes: Mapping[str, int], values: Values
    ) -> Callable[[_Actor, float], float]:
        dynamics = action.find("LaneOffsetActionDynamics")
        absolute, relative = action.find(".//AbsoluteTargetLaneOffset"), action.find(".//RelativeTargetLaneOffset")
        if dynamics is None or dynamics.get("maxLateralAcc") is None:
            raise self._fail("a lane offset without maxLateralAcc")
        accel = self._number(dynamics, "maxLateralAcc", values)
        if accel <= 0.0:
            raise self._fail("a lane offset without acceleration")
        if relative is not None and relative.get("entityRef") == EGO:
            offset, is_ego = self._number(relative, "value", values), True
        elif absolute is not None:
            offset, is_ego = self._number(absolute, "value", values), False
        else:
            raise self._fail("a lane offset against another one")

        def start(actor: _Actor, t_s: float) -> float:
            middle = min(road.lanes_m.values(), key=lambda lane_m: abs(lane_m - actor.t_m))
            to_m = actor.script.ego_t_m + offset if is_ego else middle + offset
            # the greatest acceleration of half a cosine of height h in time T is h pi^2 / (2 T^2)
            lasts_s = math.pi * math.sqrt(abs(to_m - actor.t_m) / (2.0 * accel))
            actor.shift = (t_s, actor.t_m, to_m, lasts_s)
            return t_s + lasts_s

        return start

    def _synchronized(self, action: ET.Element, values: Values) -> Callable[[_Actor, float], float]:
        """A walk that is at its target as we, unbraked, are at ours; at its last speed from the start."""
        ours = action.find("TargetPositionMaster/LanePosition")
        theirs, last = action.find("TargetPosition/TrajectoryPosition"), action.find("FinalSpeed/AbsoluteSpeed")
        if action.get("masterEntityRef") != EGO or ours is None or theirs is None or last is None:
            raise self._fail("a SynchronizeAction but along a line, with our place in a lane,")
        at_m, way_m, speed = (
            self._number(ours, "s", values),
            self._number(theirs, "s", values),
            self._number(last, "value", values),
        )
        walks = self._walks
        if speed <= 0.0:
            raise self._fail("a SynchronizeAction that ends in a stop")

        def start(actor: _Actor, t_s: float) -> float:
            script = actor.script
            name = next(name for name, item in script.actors.items() if item is actor)
            meets_s = t_s + (at_m - script.ego_s_m - script.driven_m) / max(script.ego_mps, 0.1)
            actor.walk = meets_s - way_m / speed, speed, walks[name][1]
            return meets_s

        return start

    def _walk(self, action: ET.Element, road: _Road, values: Values) -> Callable[[_Actor, float], float]:
        """A straight walk across, from one vertex to the next in a given time."""
        vertices = action.findall(".//Polyline/Vertex")
        if len(vertices) != 2:
            raise self._fail("a trajectory but a line of two vertices")
        (from_s, from_t, _), _ = self._position(vertices[0], road, values, {}, {})
        (to_s, to_t, _), _ = self._position(vertices[1], road, values, {}, {})
        lasts_s = self._number(vertices[1], "time", values) - self._number(vertices[0], "time", values)
        if lasts_s <= 0.0 or abs(to_s - from_s) > 0.5:
            raise self._fail("a trajectory but straight across the road")

        def start(actor: _Actor, t_s: float) -> float:
            actor.turned_rad = math.copysign(math.pi / 2.0, to_t - from_t)
            actor.speed_mps = abs(to_t - from_t) / lasts_s
            actor.stops_s = t_s + lasts_s
            return actor.stops_s

        return start

    # --- catalogs and roads -------------------------------------------------------------------------------------------

    def _kind(self, item: ET.Element, values: Values) -> _Kind:
        found = next(
            (item.find(tag) for tag in ("Vehicle", "Pedestrian", "MiscObject") if item.find(tag) is not None), None
        )
        reference = item.find("CatalogReference")
        if found is None and reference is not None:
            name, entry = self._text(reference, "catalogName", values), self._text(reference, "entryName", values)
            found = self._entries().get(name, {}).get(entry)
            if found is None:
                raise AdasError(
                    f"{entry!r} is in no catalog {name!r}", where=str(self._path), mend="lay the catalogs beside it"
                )
        if found is None:
            raise self._fail(f"the entity {item.get('name')}")
        box, middle = found.find("BoundingBox/Dimensions"), found.find("BoundingBox/Center")
        if box is None or middle is None:
            raise AdasError(f"{item.get('name')} has no size", where=str(self._path), mend="give its BoundingBox")
        category = found.get("vehicleCategory") or found.get("pedestrianCategory") or "obstacle"
        size = self._number(box, "length", values), self._number(box, "width", values)
        return _Kind(KINDS.get(category, ObjectClass.UNKNOWN), size, self._number(middle, "x", values))

    def _entries(self) -> dict[str, dict[str, ET.Element]]:
        """Entries by catalog, of every file in the catalogs' folders."""
        if self._catalogs is None:
            self._catalogs = {}
            for place in self._root.findall("CatalogLocations/*/Directory"):
                folder = self._path.parent / place.get("path", "")
                for file in sorted(folder.glob("*.xosc")) if folder.is_dir() else ():
                    catalog = parsed(file).find("Catalog")
                    if catalog is not None:
                        known = self._catalogs.setdefault(catalog.get("name", ""), {})
                        known.update({item.get("name", ""): item for item in catalog})
        return self._catalogs

    def _road(self, name: str) -> _Road:
        if name not in self._roads:
            self._roads[name] = _read_road(self._path.parent / name)
        return self._roads[name]


def _read_road(path: Path) -> _Road:
    """A road of lines, arcs and spirals with lanes of one width each."""

    def fail(what: str) -> AdasError:
        return AdasError(f"{what} is not understood", where=str(path), mend="take a road of lines, arcs and spirals")

    roads = parsed(path).findall("road")
    if len(roads) != 1:
        raise fail(f"a network of {len(roads)} roads")
    pieces, sections = roads[0].findall("planView/geometry"), roads[0].findall("lanes/laneSection")
    shapes: list[tuple[float, float, float]] = []
    for piece in pieces:
        shape = piece[0] if len(piece) == 1 else None
        if shape is None or shape.tag not in ("line", "arc", "spiral"):
            raise fail("a road of another shape than lines, arcs and spirals")
        both = shape.get("curvature", "0")
        bends = float(shape.get("curvStart", both)), float(shape.get("curvEnd", both))
        shapes.append((float(piece.get("length", "0")), *bends))
    if not shapes or min(shape[0] for shape in shapes) <= 0.0:
        raise fail("a road without length")
    if len(sections) != 1 or roads[0].find("lanes/laneOffset") is not None:
        raise fail("a road whose lanes change")
    if roads[0].get("rule", "RHT") != "RHT":
        raise fail("left-hand traffic")
    lanes: dict[int, float] = {}
    for side, sign in (("left", 1.0), ("right", -1.0)):
        edge_m = 0.0
        for lane in sorted(sections[0].findall(f"{side}/lane"), key=lambda item: abs(int(item.get("id", "0")))):
            widths = lane.findall("width")
            if len(widths) != 1 or any(float(widths[0].get(name, "0")) for name in "bcd"):
                raise fail("a lane whose width changes")
            wide_m = float(widths[0].get("a", "0"))
            lanes[int(lane.get("id", "0"))] = sign * (edge_m + 0.5 * wide_m)
            edge_m += wide_m
    return _Road(shapes, lanes)


def _variation(root: ET.Element, path: Path) -> tuple[Path, list[dict[str, str]]]:
    """The scenario of a variation, and every combination of its parameters."""
    file = root.find("ParameterValueDistribution/ScenarioFile")
    spread = root.find("ParameterValueDistribution/Deterministic")
    if file is None or spread is None:
        raise AdasError(
            "a variation that is not deterministic is not understood", where=str(path), mend="spread it out"
        )
    axes: list[list[dict[str, str]]] = []
    for item in spread:
        name = item.get("parameterName", "")
        if item.tag == "DeterministicSingleParameterDistribution":
            elements = item.findall("DistributionSet/Element")
            step = item.find("DistributionRange")
            if elements:
                axes.append([{name: element.get("value", "")} for element in elements])
            elif step is not None and (limits := step.find("Range")) is not None:
                axes.append([{name: value} for value in _range(step, limits, path)])
            else:
                raise AdasError(
                    f"the distribution of {name} is not understood", where=str(path), mend="give a set or a range"
                )
        elif item.tag == "DeterministicMultiParameterDistribution":
            sets = item.findall("ValueSetDistribution/ParameterValueSet")
            axes.append(
                [
                    {a.get("parameterRef", ""): a.get("value", "") for a in one.findall("ParameterAssignment")}
                    for one in sets
                ]
            )
        else:
            raise AdasError(f"{item.tag} is not understood", where=str(path), mend="spread it out")
    if math.prod(len(axis) for axis in axes) > CASES_MAX:
        raise AdasError(f"spreads over more than {CASES_MAX} drives", where=str(path), mend="take wider steps")
    varied = [{key: value for part in parts for key, value in part.items()} for parts in itertools.product(*axes)]
    return path.parent / (file.get("filepath") or ""), varied


def _range(step: ET.Element, limits: ET.Element, path: Path) -> list[str]:
    try:
        low, high = float(limits.get("lowerLimit", "")), float(limits.get("upperLimit", ""))
        values = spread(low, high, float(step.get("stepWidth", "")))
    except ValueError as error:
        raise AdasError("a range without an end", where=str(path), mend="correct its limits and step") from error
    return [repr(value) for value in values]


def _number_or_text(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text
