"""OpenSCENARIO 1.x files as far as the ALKS and Euro NCAP suites use them: roads, positions, scripts, variations.

Our car drives its lane, route or trajectory at its first speed, and the functions brake it; the others follow their
script. Read are: roads of lines, arcs and spirals with their junctions (OpenDRIVE), catalogs, parameters with
expressions and constraints, deterministic variations; positions on roads, in lanes, on routes and trajectories and
beside others; speeds, changes of speed, lane and lane offset, trajectories of lines and clothoids, meetings with us;
triggers by time, by distance, by time headway and by the end of another action. Whatever else a file holds is refused
by its name: none is driven in part.
"""

from __future__ import annotations

import itertools
import math
import re
import xml.etree.ElementTree as ET
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from adas_runtime.errors import AdasError
from adas_runtime.scenario.braking import STEP_S, Drive, Mover, Outcome, nobody_hit
from adas_runtime.scenario.family import CASES_MAX, reckoned, spread
from adas_runtime.scenario.opendrive import Course, Network, Pose, Road, Route, chained, straights
from adas_runtime.scenario.plain_xml import parsed
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle.schema import Vehicle

LONG_MAX_S: Final = 120.0
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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an entity's reference point is: on a course, and turned against it; the lane where one is named."""

    course: Course
    s_m: float
    t_m: float
    turned_rad: float = 0.0
    lane: int | None = None

    def world(self) -> Pose:
        """Its place and direction."""
        x_m, y_m, heading = self.course.place(self.s_m, self.t_m)
        return x_m, y_m, heading + self.turned_rad


@dataclass(frozen=True, slots=True)
class _Way:
    """A trajectory: its course, `None` where it begins as its follower stands, and when to be where, if it says so."""

    course: Course | None
    shapes: tuple[tuple[float, float, float], ...] = ()
    times: tuple[tuple[float, float], ...] = ()  # time [s] and distance [m]
    from_m: float = 0.0


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
    """One entity on its course, as it moves; the middle is at `s_m`, `t_m`."""

    kind: ObjectClass
    size_m: tuple[float, float]
    middle_m: float  # ahead of its reference point
    course: Course
    s_m: float
    t_m: float
    turned_rad: float  # against the course
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
    pace: tuple[tuple[float, float], ...] = ()  # from then on, so fast
    times: tuple[tuple[float, float], ...] = ()  # when to be where on the course
    ends_m: float = math.inf  # who walks stops at the end of the way
    leads: tuple[str, float] | None = None  # so far ahead of that one

    def move(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """One step; the first one steps the script for all."""
        if self.is_first:
            self.script.step(t_s, way_m, speed_mps)
        if self.leads is not None:
            self._lead()
        elif self.times:
            self._keep_time(t_s)
        else:
            self._drive(t_s)
        self.place()

    def _lead(self) -> None:
        name, gap_m = self.leads or ("", 0.0)
        other = self.script.actors[name]
        side = math.copysign(1.0, math.cos(other.turned_rad))
        self.s_m = other.s_m + side * (gap_m + 0.5 * (self.size_m[0] + other.size_m[0]))
        self.speed_mps, self.accel_mps2 = other.speed_mps, other.accel_mps2

    def _keep_time(self, t_s: float) -> None:
        former_m = self.s_m
        index = bisect_right(self.times, t_s, key=lambda point: point[0])
        if index >= len(self.times):
            self.s_m, self.times, self.speed_mps = self.times[-1][1] + self.middle_m, (), 0.0
            return
        (one_s, one_m), (other_s, other_m) = self.times[max(index - 1, 0)], self.times[index]
        share = min(max((t_s - one_s) / (other_s - one_s), 0.0), 1.0) if other_s > one_s else 1.0
        self.s_m = one_m + share * (other_m - one_m) + self.middle_m
        self.speed_mps = max(self.s_m - former_m, 0.0) / STEP_S

    def _drive(self, t_s: float) -> None:
        self.accel_mps2 = 0.0
        turned = math.cos(self.turned_rad)
        while self.pace and t_s >= self.pace[0][0]:
            from_s, self.speed_mps = self.pace[0]
            self.s_m += turned * self.speed_mps * min(t_s - from_s, STEP_S)  # what it would have gone already
            self.pace = self.pace[1:]
        if self.s_m >= self.ends_m:
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
        bend = self.course.curvature_1pm(self.s_m)
        self.s_m += self.speed_mps * turned * STEP_S / (1.0 - bend * self.t_m)
        self.t_m += self.speed_mps * math.sin(self.turned_rad) * STEP_S

    def begin(self) -> None:
        """Take the place of the start."""
        if self.leads is not None:
            self._lead()
        self.place()

    def follow(self, way: _Way, t_s: float) -> float:
        """Go on along a trajectory; returns when it ends."""
        if way.course is None:
            x_m, y_m, heading = self.course.place(self.s_m, self.t_m)
            self.course, self.s_m = Course(chained(way.shapes, (x_m, y_m, heading + self.turned_rad))), 0.0
        else:
            self.course, self.s_m = way.course, way.from_m + self.middle_m
        self.t_m = self.turned_rad = 0.0
        self.shift = self.leads = None
        self.ends_m = self.course.length_m if self.kind is ObjectClass.PEDESTRIAN else math.inf
        self.times = tuple((t_s + at_s, at_m) for at_s, at_m in way.times)
        if self.times:
            return self.times[-1][0]
        left_m = self.course.length_m - self.s_m
        return t_s + left_m / self.speed_mps if self.speed_mps > 0.0 else math.inf

    def place(self) -> None:
        """The course's coordinates to our frame."""
        self.x_m, self.y_m, self.heading_rad = self.script.seen(self.course.place(self.s_m, self.t_m))
        self.heading_rad += self.turned_rad


@dataclass(slots=True)
class _Script:
    """All entities of one drive and what is still to happen."""

    course: Course  # ours
    ego_s_m: float
    ego_t_m: float
    front_m: float
    long_m: float
    events: list[_Event] = field(default_factory=list)
    actors: dict[str, _Actor] = field(default_factory=dict)
    ended_s: dict[str, float] = field(default_factory=dict)
    way_m: float = 0.0
    driven_m: float = 0.0  # along our course
    ego_mps: float = 0.0

    def seen(self, pose: Pose) -> Pose:
        """A place of the world in the frame of our front bumper at the start."""
        x_m, y_m, turned = pose
        x0_m, y0_m, turned0 = self.course.place(self.ego_s_m, self.ego_t_m)
        east, north = x_m - x0_m, y_m - y0_m
        cosine, sine = math.cos(turned0), math.sin(turned0)
        return east * cosine + north * sine - self.front_m, north * cosine - east * sine, turned - turned0

    def gap_m(self, one: str, other: str) -> float:
        """Along our course, bumper to bumper, from the one behind to the one ahead."""
        rear, front = sorted((self._ends(one), self._ends(other)), key=lambda ends: ends[1])
        return front[0] - rear[1]

    def _ends(self, name: str) -> tuple[float, float]:
        if name == EGO:
            rear_m = self.ego_s_m + self.driven_m  # the axle
            return rear_m + self.front_m - self.long_m, rear_m + self.front_m
        actor = self.actors[name]
        half = 0.5 * actor.size_m[0]
        s_m = actor.s_m
        if actor.course is not self.course:
            s_m, _ = self.course.project(*actor.course.place(actor.s_m, actor.t_m)[:2])
        return s_m - half, s_m + half

    def step(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """Start what is due."""
        bend = self.course.curvature_1pm(self.ego_s_m + self.driven_m)
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
            path, varied = variation(root, path)
            root = parsed(path)
        if root.find("Storyboard") is None:
            raise AdasError("holds no storyboard", where=str(path), mend="name a scenario or a variation, no catalog")
        self._path, self._root = path, root
        head = root.find("FileHeader")
        self.title = (head.get("description") if head is not None else None) or path.stem
        self._catalogs: dict[str, dict[str, ET.Element]] | None = None
        self._networks: dict[str, Network] = {}
        self._routes: dict[tuple[object, ...], Route] = {}
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
            self.cases.append(Case(parameters={k: number_or_text(v) for k, v in changes.items()}, drive=drive))
        if not self.cases:
            raise AdasError("has no drive within its own constraints", where=str(path), mend="correct its parameters")

    @property
    def text(self) -> str:
        """What decides the drives beside the parameters."""
        return ET.tostring(self._root, encoding="unicode") + repr([dict(case.parameters) for case in self.cases])

    def judged(self, number: int, outcome: Outcome) -> dict[str, Any]:
        """What `adas scenario run --json` prints of a drive: nobody may be hit."""
        return outcome.result(self._path.stem, self.cases[number].parameters, *nobody_hit(outcome))

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
        self._network = self._roads(self._text(logic, "filepath", values))
        kinds = {item.get("name", ""): self._kind(item, values) for item in root.findall("Entities/ScenarioObject")}
        if EGO not in kinds:
            raise AdasError(f"has no entity {EGO}", where=str(self._path), mend="name our car so")
        places: dict[str, _Place] = {}
        speeds: dict[str, float] = dict.fromkeys(kinds, 0.0)
        gaps: dict[str, float] = {}
        ways: dict[str, _Way] = {}
        leads: dict[str, tuple[str, float]] = {}
        privates = root.findall("Storyboard/Init/Actions/Private")
        for private in sorted(privates, key=lambda item: item.get("entityRef") != EGO):
            name = private.get("entityRef", "")
            if name not in kinds:
                raise AdasError(f"Init names {name!r}, which is no entity", where=str(self._path), mend="correct it")
            for action in private.findall("PrivateAction/*"):
                self._start(action, name, values, places, speeds, gaps, ways, leads)
        if EGO not in places:
            raise AdasError(f"does not place {EGO}", where=str(self._path), mend="add a TeleportAction")
        ours, speed_mps = places[EGO], speeds[EGO]
        if speed_mps < 0.0:
            what = "our car drives backwards, and no function of ours looks there"
            raise AdasError(what, where=str(self._path), mend="take another scenario")
        if abs(math.remainder(ours.turned_rad, math.tau)) > 1e-6 or ours.course.has_corners:
            raise self._fail(f"a way of {EGO} that is turned or has corners")
        course, ego_s, ego_t = ours.course, ours.s_m, ours.t_m
        if EGO in ways and ways[EGO].times:
            raise self._fail(f"a trajectory of {EGO} by the clock")
        events = self._events(kinds, places, values)
        if any(name not in places for name in kinds):
            raise self._fail("an entity without a place")
        for name, (other, _) in leads.items():
            if other not in places or places[other].course is not places[name].course:
                raise self._fail(f"a distance of {name} to {other or 'nobody'}, who is on another course,")
        front_m, long_m = self._front_m, self._long_m

        def movers() -> Sequence[Mover]:
            script = _Script(course, ego_s, ego_t, front_m, long_m, ego_mps=speed_mps)
            for name, place in places.items():
                if name == EGO:
                    continue
                kind, s_m = kinds[name], place.s_m + kinds[name].middle_m * math.cos(place.turned_rad)
                t_m = place.t_m + kind.middle_m * math.sin(place.turned_rad)
                if name in gaps:
                    s_m = ego_s + front_m + gaps[name] + 0.5 * kind.size_m[0]
                actor = _Actor(
                    kind.kind, kind.size_m, kind.middle_m, place.course, s_m, t_m, place.turned_rad, speeds[name],
                    script, not script.actors, leads=leads.get(name),
                )  # fmt: skip
                script.actors[name] = actor
                if name in ways:
                    actor.follow(ways[name], 0.0)
            for actor in script.actors.values():
                actor.begin()
            script.events = [_Event(e.actor, e.actions, e.is_met, e.delay_s, names=e.names) for e in events]
            return list(script.actors.values())

        def curvature(way_m: float) -> float:
            bend = course.curvature_1pm(ego_s + way_m)
            return bend / (1.0 - bend * ego_t)

        return Drive(
            name=self._path.stem,
            speed_mps=speed_mps,
            actors=(),
            movers=movers,
            curvature=curvature,
            # nobody paints lanes across a junction: there the camera tells none
            lane="path" if self._network.has_one_road else "none",
            long_s=self._long_s(values),
        )

    def _long_s(self, values: Values) -> float:
        found = self._root.find("Storyboard/StopTrigger//SimulationTimeCondition")
        return min(LONG_MAX_S, self._number(found, "value", values) if found is not None else 40.0)

    def _start(
        self,
        action: ET.Element,
        name: str,
        values: Values,
        places: dict[str, _Place],
        speeds: dict[str, float],
        gaps: dict[str, float],
        ways: dict[str, _Way],
        leads: dict[str, tuple[str, float]],
    ) -> None:
        """One action of Init."""
        inner = action[0] if len(action) else action
        if action.tag in IGNORED or inner.tag in IGNORED:
            return
        if action.tag == "TeleportAction":
            if name not in ways:  # who follows a trajectory begins where that begins
                places[name] = self._pose(action, values, places)
        elif inner.tag == "SpeedAction":
            speeds[name] = self._speed(inner, values, speeds)
        elif inner.tag == "LongitudinalDistanceAction" and inner.get("entityRef") != EGO:
            leads[name] = self._lead(inner, values)
        elif inner.tag == "LongitudinalDistanceAction":
            gaps[name] = self._ahead_m(inner, values, speeds[EGO])
        elif inner.tag == "FollowTrajectoryAction":
            ways[name] = self._way(inner, values, places)
            course = ways[name].course
            if course is None:
                raise self._fail("a trajectory in Init that begins nowhere")
            places[name] = _Place(course, ways[name].from_m, 0.0)
        elif inner.tag == "AssignRouteAction":
            route = self._route(inner, values, places)
            if name not in places:
                raise self._fail("a route of an entity without a place")
            if places[name].course is not route:
                x_m, y_m, heading = places[name].world()
                s_m, t_m = route.project(x_m, y_m)
                places[name] = _Place(route, s_m, t_m, heading - route.place(s_m, 0.0)[2])
        else:
            raise self._fail(f"{inner.tag} in Init")

    def _lead(self, action: ET.Element, values: Values) -> tuple[str, float]:
        """Who is led in a distance that goes on, and the distance."""
        if action.get("displacement") != "leadingReferencedEntity" or action.get("timeGap") is not None:
            raise self._fail("a LongitudinalDistanceAction but ahead, and in metres,")
        if self._text(action, "freespace", values) != "true":
            raise self._fail("a LongitudinalDistanceAction without freespace")
        return action.get("entityRef", ""), self._number(action, "distance", values)

    def _entry(self, holder: ET.Element, kind: str, values: Values) -> tuple[ET.Element | None, Values]:
        """A trajectory or route, written out or of a catalog, and the parameters that hold in it."""
        found, local, reference = holder.find(kind), dict(values), holder.find("CatalogReference")
        given: Values = {}
        if found is None and reference is not None:
            entries = self._entries().get(self._text(reference, "catalogName", values), {})
            found = entries.get(self._text(reference, "entryName", values))
            given = {
                item.get("parameterRef", ""): self._text(item, "value", values)
                for item in reference.findall("ParameterAssignments/ParameterAssignment")
            }
        for item in found.findall("ParameterDeclarations/ParameterDeclaration") if found is not None else ():
            name = item.get("name", "")
            local[name] = given.get(name) or self._resolved(item.get("value", ""), local)
        return found, local

    def _way(self, action: ET.Element, values: Values, places: Mapping[str, _Place]) -> _Way:
        """The trajectory of a FollowTrajectoryAction."""
        holder = action.find("TrajectoryRef")
        if holder is None:
            holder = action  # as until version 1.0
        is_timed = action.find("TimeReference/None") is None
        timing = action.find("TimeReference/Timing")
        if timing is not None and (
            self._number(timing, "scale", values, 1.0) != 1.0 or self._number(timing, "offset", values, 0.0) != 0.0
        ):
            raise self._fail("a trajectory whose time is scaled or shifted")
        return self._trajectory(
            holder, values, places, self._number(action, "initialDistanceOffset", values, 0.0), is_timed=is_timed
        )

    def _trajectory(
        self, holder: ET.Element, values: Values, places: Mapping[str, _Place], from_m: float, *, is_timed: bool
    ) -> _Way:
        found, local = self._entry(holder, "Trajectory", values)
        shape = None if found is None else found.find("Shape/*")
        if shape is None:
            raise self._fail("a trajectory that is in no catalog")
        if shape.tag == "ClothoidSpline":
            segments = shape.findall("ClothoidSplineSegment")
            shapes = tuple(
                (
                    self._number(item, "length", local),
                    self._number(item, "curvatureStart", local),
                    self._number(item, "curvatureEnd", local),
                )
                for item in segments
            )
            if not shapes or min(item[0] for item in shapes) <= 0.0:
                raise self._fail("a clothoid without length")
            if any(item.find("PositionStart") is not None for item in segments[1:]):
                raise self._fail("a spline of clothoids that is not in one piece")
            begin = segments[0].find("PositionStart")
            if begin is None:
                return _Way(None, shapes, (), from_m)
            return _Way(Course(chained(shapes, self._position(begin, local, places).world())), from_m=from_m)
        if shape.tag != "Polyline":
            raise self._fail(f"a trajectory as {shape.tag}")
        vertices = shape.findall("Vertex")
        points = [self._position(item, local, places).world()[:2] for item in vertices]
        pieces = straights(points)
        if not pieces:
            raise self._fail("a trajectory without length")
        times: tuple[tuple[float, float], ...] = ()
        if is_timed and all(item.get("time") is not None for item in vertices):
            lengths = itertools.accumulate((math.dist(a, b) for a, b in itertools.pairwise(points)), initial=0.0)
            clock = [self._number(item, "time", local) for item in vertices]
            if any(one >= other for one, other in itertools.pairwise(clock)):
                raise self._fail("a trajectory whose time does not go on")
            times = tuple((at_s - clock[0], at_m) for at_s, at_m in zip(clock, lengths, strict=True))
        return _Way(Course(pieces), (), times, from_m)

    def _route(self, holder: ET.Element, values: Values, places: Mapping[str, _Place]) -> Route:
        """The route of a reference or an assignment; one of a name is one, for all who take it."""
        found, local = self._entry(holder, "Route", values)
        if found is None:
            raise self._fail("a route that is in no catalog")
        waypoints = []
        for item in found.findall("Waypoint"):
            place = self._position(item, local, places)
            if not isinstance(place.course, Road):
                raise self._fail("a waypoint that is on no road")
            waypoints.append((place.course.name, place.s_m))
        if len(waypoints) < 2:
            raise self._fail("a route of fewer than two waypoints")
        key = (str(self._network.path), *waypoints)
        if key not in self._routes:
            self._routes[key] = self._network.route(waypoints)
        return self._routes[key]

    def _speed(self, action: ET.Element, values: Values, speeds: Mapping[str, float]) -> float:
        absolute, relative = action.find(".//AbsoluteTargetSpeed"), action.find(".//RelativeTargetSpeed")
        if absolute is not None:
            return self._number(absolute, "value", values)
        if relative is None or relative.get("speedTargetValueType") != "delta":
            raise self._fail("a speed that is neither absolute nor a difference")
        other = relative.get("entityRef", "")
        return speeds.get(other, 0.0) + self._number(relative, "value", values)

    def _pose(self, element: ET.Element, values: Values, places: Mapping[str, _Place]) -> _Place:
        """Where somebody stands; a lane alone tells the direction of the road, not of those who drive in it."""
        place = self._position(element, values, places)
        is_turned = element.find(".//Orientation") is not None
        if place.lane is not None and place.lane > 0 and isinstance(place.course, Road) and not is_turned:
            what = "a lane against the road's direction is not understood"
            raise _AgainstRoad(what, where=str(self._path), mend="take a lane with a negative number")
        return place

    def _position(self, element: ET.Element, values: Values, places: Mapping[str, _Place]) -> _Place:
        """The position in an element: on a road, a route or a trajectory."""
        found = next((item for item in element.iter("*") if item.tag.endswith("Position") and item is not element
                      and item.tag != "Position"), None)  # fmt: skip
        if found is None:
            raise AdasError(f"{element.tag} has no position", where=str(self._path), mend="add one")
        orientation = found.find("Orientation")
        if orientation is None:
            return self._place_of(found, values, places, 0.0)
        turned = self._number(orientation, "h", values, 0.0)
        place = self._place_of(found, values, places, turned)
        # the suites leave the type out and mean the road's direction, where the standard's default is absolute
        if orientation.get("type") != "absolute":
            return place
        return replace(place, turned_rad=turned - place.course.place(place.s_m, place.t_m)[2])

    def _place_of(self, found: ET.Element, values: Values, places: Mapping[str, _Place], turned: float) -> _Place:
        """One kind of position, turned against what it lies on or beside."""
        kind = found.tag
        if kind == "LanePosition":
            lane = round(self._number(found, "laneId", values))
            return self._in_lane(
                self._network.road(self._text(found, "roadId", values)), self._number(found, "s", values), lane,
                self._number(found, "offset", values, 0.0), turned,
            )  # fmt: skip
        if kind == "RoadPosition":
            road = self._network.road(self._text(found, "roadId", values))
            return _Place(road, self._number(found, "s", values), self._number(found, "t", values, 0.0), turned)
        if kind == "RoutePosition":
            return self._in_route(found, values, places, turned)
        if kind == "TrajectoryPosition":
            holder = found.find("TrajectoryRef")
            way = None if holder is None else self._trajectory(holder, values, places, 0.0, is_timed=False)
            if way is None or way.course is None:
                raise self._fail("a TrajectoryPosition without a trajectory that begins somewhere")
            s_m, t_m = self._number(found, "s", values), self._number(found, "t", values, 0.0)
            return _Place(way.course, s_m, t_m, turned)
        if kind not in ("RelativeLanePosition", "RelativeRoadPosition", "RelativeObjectPosition"):
            raise self._fail(kind)
        name = found.get("entityRef", "")
        if name not in places:
            raise AdasError(
                f"a place beside {name!r}, which has none yet", where=str(self._path), mend="place it first"
            )
        other = places[name]
        if kind == "RelativeLanePosition":
            steps = round(self._number(found, "dLane", values))
            if other.lane is None or not isinstance(other.course, Road):
                raise self._fail(f"a lane beside {name}, who is in none,")
            lane = other.lane + steps
            if lane == 0 or (lane > 0) != (other.lane > 0):
                raise self._fail("a lane across the middle of the road")
            return self._in_lane(
                other.course, other.s_m + self._number(found, "ds", values), lane,
                self._number(found, "offset", values, 0.0), turned,
            )  # fmt: skip
        if kind == "RelativeRoadPosition":
            s_m, t_m = other.s_m + self._number(found, "ds", values), other.t_m + self._number(found, "dt", values)
            return _Place(other.course, s_m, t_m, turned)
        x_m, y_m, heading = other.world()
        ahead_m, left_m = self._number(found, "dx", values), self._number(found, "dy", values)
        x_m += ahead_m * math.cos(heading) - left_m * math.sin(heading)
        y_m += ahead_m * math.sin(heading) + left_m * math.cos(heading)
        s_m, t_m = other.course.project(x_m, y_m)
        return _Place(other.course, s_m, t_m, heading + turned - other.course.place(s_m, 0.0)[2])

    def _in_lane(self, road: Road, s_m: float, lane: int, offset_m: float, turned_rad: float) -> _Place:
        if lane not in road.lanes_m:
            raise AdasError(f"lane {lane} is not on the road", where=str(self._path), mend="correct it")
        return _Place(road, s_m, road.lanes_m[lane] + offset_m, turned_rad, lane)

    def _in_route(self, found: ET.Element, values: Values, places: Mapping[str, _Place], turned_rad: float) -> _Place:
        holder = found.find("RouteRef")
        if holder is None:
            raise self._fail("a RoutePosition without RouteRef")
        route = self._route(holder, values, places)
        in_lane, on_road = found.find(".//FromLaneCoordinates"), found.find(".//FromRoadCoordinates")
        if in_lane is not None:
            path_m, lane = self._number(in_lane, "pathS", values), round(self._number(in_lane, "laneId", values))
            middle_m = route.lane_m(path_m, lane)
            if middle_m is None:
                raise AdasError(f"lane {lane} is not on the route", where=str(self._path), mend="correct it")
            t_m = middle_m + self._number(in_lane, "laneOffset", values, 0.0)
            return _Place(route, route.along(path_m), t_m, turned_rad)
        if on_road is None:
            raise self._fail("a RoutePosition but in a lane or on the road")
        t_m = self._number(on_road, "t", values, 0.0)
        return _Place(route, route.along(self._number(on_road, "pathS", values)), t_m, turned_rad)

    # --- what happens -------------------------------------------------------------------------------------------------

    def _events(self, kinds: Mapping[str, _Kind], places: Mapping[str, _Place], values: Values) -> list[_Event]:
        found: list[_Event] = []
        for act in self._root.findall("Storyboard/Story/Act"):
            begins_s = self._begins_s(act, values)
            if begins_s is None:
                continue
            for group in act.findall("ManeuverGroup"):
                for reference in group.findall("CatalogReference"):
                    self._check_quiet(reference, values)
                names = [item.get("entityRef", "") for item in group.findall("Actors/EntityRef")]
                for maneuver in group.findall("Maneuver"):
                    events = maneuver.findall("Event")
                    for event in events:
                        made = self._event(event, names, kinds, places, begins_s, values)
                        if made is not None:
                            made.names = (
                                event.get("name", ""),
                                *((maneuver.get("name", ""),) if len(events) == 1 else ()),
                            )
                            found.append(made)
        return found

    def _begins_s(self, act: ET.Element, values: Values) -> float | None:
        """When an act begins; `None`: never, by its parameters."""
        begins_s = 0.0
        for condition in act.findall("StartTrigger/ConditionGroup/Condition"):
            inner = condition.find("./ByValueCondition/*")
            if inner is not None and inner.tag == "ParameterCondition":
                name, rule = inner.get("parameterRef", ""), inner.get("rule", "")
                if rule != "equalTo":
                    raise self._fail(f"an act that begins by {rule}")
                if values.get(name) != self._text(inner, "value", values):
                    return None
            elif inner is not None and inner.tag == "SimulationTimeCondition":
                delay_s = self._number(condition, "delay", values, 0.0)
                begins_s = max(begins_s, self._number(inner, "value", values) + delay_s)
            else:
                what = condition.find("./ByEntityCondition/EntityCondition/*") if inner is None else inner
                raise self._fail(f"an act that begins by {'nothing' if what is None else what.tag}")
        return begins_s

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
        places: Mapping[str, _Place],
        begins_s: float,
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
        is_due, delay_s = self._trigger(event, kinds, values)
        made = [self._action(item, names[0], places, values) for item in actions]
        return _Event(names[0], made, lambda script, t_s: t_s >= begins_s - 1e-9 and is_due(script, t_s), delay_s)

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
        self, action: ET.Element, actor: str, places: Mapping[str, _Place], values: Values
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
            return name, self._lane_change(inner, self._lanes_of(actor, places), places, values)
        if inner.tag == "LaneOffsetAction":
            return name, self._lane_offset(inner, self._lanes_of(actor, places), values)
        if inner.tag == "FollowTrajectoryAction":
            way = self._way(inner, values, places)
            return name, lambda actor, t_s: actor.follow(way, t_s)
        if inner.tag == "LongitudinalDistanceAction":
            return name, self._distance(inner, values)
        if inner.tag == "SynchronizeAction":
            return name, self._synchronized(inner, places, values)
        raise self._fail(inner.tag)

    def _lanes_of(self, actor: str, places: Mapping[str, _Place]) -> Road:
        """The road whose lanes an actor changes."""
        course = places[actor].course if actor in places else None
        if not isinstance(course, Road):
            raise self._fail(f"a change of lane of {actor}, who is on no road,")
        return course

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
            target, actor.pace, actor.leads = fixed, (), None
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
        self, action: ET.Element, road: Road, places: Mapping[str, _Place], values: Values
    ) -> Callable[[_Actor, float], float]:
        relative, absolute = action.find(".//RelativeTargetLane"), action.find(".//AbsoluteTargetLane")
        if relative is not None:
            other = places.get(relative.get("entityRef", ""))
            if other is None or other.lane is None:
                raise self._fail("a lane change beside somebody who is in no lane")
            lane = other.lane + round(self._number(relative, "value", values))
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

    def _lane_offset(self, action: ET.Element, road: Road, values: Values) -> Callable[[_Actor, float], float]:
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

    def _synchronized(
        self, action: ET.Element, places: Mapping[str, _Place], values: Values
    ) -> Callable[[_Actor, float], float]:
        """It is at its target as we, unbraked, are at ours, and at its last speed by then.

        Who stands waits and then goes at that speed; who moves keeps the mean that is left until the steady state.
        """
        ours, theirs = action.find("TargetPositionMaster"), action.find("TargetPosition")
        last, relative = action.find("FinalSpeed/AbsoluteSpeed"), action.find("FinalSpeed/RelativeSpeedToMaster")
        speed = last if last is not None else relative
        if action.get("masterEntityRef") != EGO or ours is None or theirs is None or speed is None:
            raise self._fail("a SynchronizeAction but with us and a last speed")
        if relative is not None and relative.get("speedTargetValueType", "delta") not in ("delta", "factor"):
            raise self._fail("a last speed that is neither a difference nor a factor")
        value = self._number(speed, "value", values)
        if last is not None and value <= 0.0:
            raise self._fail("a SynchronizeAction that ends in a stop")
        at, to = (self._position(item, values, places).world()[:2] for item in (ours, theirs))
        steady, timed = speed.find("TargetDistanceSteadyState"), speed.find("TargetTimeSteadyState")
        steady_m = 0.0 if steady is None else self._number(steady, "distance", values)
        steady_s = 0.0 if timed is None else self._number(timed, "time", values)

        def start(actor: _Actor, t_s: float) -> float:
            script = actor.script
            ours_m = script.course.project(*at)[0] - script.ego_s_m - script.driven_m
            turned = math.cos(actor.turned_rad)
            theirs_m = (actor.course.project(*to)[0] - actor.s_m) * turned + actor.middle_m
            lasts_s = max(ours_m, 0.0) / max(script.ego_mps, 0.1)
            final = value
            if relative is not None:
                is_factor = relative.get("speedTargetValueType") == "factor"
                final = max(value * script.ego_mps if is_factor else value + script.ego_mps, 0.1)
            wait_s = lasts_s - theirs_m / final
            if actor.speed_mps < 0.1 and wait_s >= 0.0:
                actor.pace = ((t_s + wait_s, final),)
                return t_s + lasts_s
            left_m = min(max(steady_m, steady_s * final), theirs_m)
            first_s = lasts_s - left_m / final
            if first_s > STEP_S:
                actor.pace = ((t_s, (theirs_m - left_m) / first_s), (t_s + first_s, final))
            else:  # too late for a steady state
                actor.pace = ((t_s, theirs_m / max(lasts_s, STEP_S)), (t_s + lasts_s, final))
            return t_s + lasts_s

        return start

    # --- catalogs and roads -------------------------------------------------------------------------------------------

    def _kind(self, item: ET.Element, values: Values) -> _Kind:
        tag = next((tag for tag in ("Vehicle", "Pedestrian", "MiscObject") if item.find(tag) is not None), "Vehicle")
        found, values = self._entry(item, tag, values)
        reference = item.find("CatalogReference")
        if found is None and reference is not None:
            name, entry = self._text(reference, "catalogName", values), self._text(reference, "entryName", values)
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

    def _roads(self, name: str) -> Network:
        if name not in self._networks:
            self._networks[name] = Network.read(self._path.parent / name)
        return self._networks[name]


def variation(root: ET.Element, path: Path) -> tuple[Path, list[dict[str, str]]]:
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


def number_or_text(text: str) -> float | str:
    """A parameter's value, as the results tell it."""
    try:
        return float(text)
    except ValueError:
        return text
