"""A family of encounters as a file: road users, a grid of parameters, and what is a pass.

    format: 1
    name: cut_in
    title: A car cuts in before us
    grid: {speed_kmh: [60, 80], other_kmh: {first: 20, last: 60, step: 20}, gap_m: [10, 30]}
    speed_kmh: $speed_kmh
    lane: straight
    actors:
      - {kind: car, rear_m: $gap_m, y_m: 3.5, speed_kmh: $other_kmh, shifts: {at_s: 0.0, speed_mps: 1.0, to_y_m: 0.0}}
    judge: {event: cut_in, other_kmh: $other_kmh, gap_m: $gap_m, lateral_mps: 1.0}

A value is a number, or a text of numbers, `$` and the name of a parameter, + - * / and brackets. With `event`, the
models of UN R157 say which collisions a careful driver would have avoided: those are failures, the others are not
applicable. Without, nobody may be hit harder than `impact_max_kmh`; with `is_quiet`, nothing may be warned of or braked
for.
"""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Discriminator, Field, Tag, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict, load, named_file
from adas_runtime.errors import AdasError
from adas_runtime.scenario.braking import SIZES_M, Actor, Drive, Ego, Outcome
from adas_runtime.scenario.opendrive import Course, chained
from adas_runtime.scenario.road import Line, Turn, winding
from adas_runtime.scenario.traffic import Reacting
from adas_runtime.signals import ObjectClass
from adas_runtime.units import kmh_to_mps

CASES_MAX: Final = 100_000
RADIUS_MIN_M: Final = 15.0  # a tighter bend is a junction
BEYOND_M: Final = 300.0  # the road goes on beyond our way: the sensor sees 150 m
KINDS: Final = {
    "car": ObjectClass.CAR,
    "motorcycle": ObjectClass.MOTORCYCLE,
    "cyclist": ObjectClass.CYCLIST,
    "pedestrian": ObjectClass.PEDESTRIAN,
    "obstacle": ObjectClass.UNKNOWN,
}
Value = float | Annotated[str, Field(pattern=r"^[$a-z0-9_.()+*/ -]+$", max_length=120)]
OPERATIONS: Final[Mapping[type, Callable[[float, float], float]]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}
# of OpenSCENARIO's expressions; the files of 2026 use the trigonometric ones
FUNCTIONS: Final[Mapping[str, Callable[..., float]]] = {
    "abs": abs,
    "acos": math.acos,
    "asin": math.asin,
    "atan": math.atan,
    "ceil": math.ceil,
    "cos": math.cos,
    "floor": math.floor,
    "max": max,
    "min": min,
    "pow": math.pow,
    "round": round,
    "sign": lambda value: math.copysign(1.0, value) if value else 0.0,
    "sin": math.sin,
    "sqrt": math.sqrt,
    "tan": math.tan,
}


def spread(first: float, last: float, step: float, at_most: int = CASES_MAX) -> list[float]:
    """Evenly spaced values, the last included.

    Raises:
        ValueError: The last is before the first, a step leads nowhere, or there are more than `at_most`.
    """
    if not (step > 0.0 and last >= first and (last - first) / step <= at_most):
        raise ValueError("last is before first, or step is too small; correct the range")
    return [first + index * step for index in range(math.floor((last - first) / step + 1e-9) + 1)]


class Steps(Strict):
    """Evenly spaced values, the last included."""

    first: float = Field(description="First value.")
    last: float = Field(description="Last value.")
    step: float = Field(gt=0.0, description="From one to the next.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        self.values()
        return self

    def values(self) -> list[float]:
        """All of them."""
        return spread(self.first, self.last, self.step)


Axis = Annotated[
    Annotated[list[float], Tag("values")] | Annotated[Steps, Tag("steps")],
    Discriminator(lambda axis: "steps" if isinstance(axis, dict | Steps) else "values"),
]


class Shift(Strict):
    """A movement across the road."""

    at_s: Value = Field(description="When it begins [s].")
    speed_mps: Value = Field(description="Speed across, above 0 [m/s].")
    to_y_m: Value = Field(description="Where it ends, left of our path [m].")


class Braking(Strict):
    """A braking to a stop at most."""

    at_s: Value = Field(description="When it begins [s].")
    decel_mps2: Value = Field(description="Deceleration, positive [m/s^2].")


class Reaction(Strict):
    """A driver who follows whom it drives behind, us included; what is left out is of the cited model."""

    wants_kmh: Value | None = Field(default=None, description="Its speed on a free road [km/h].")
    headway_s: Value | None = Field(default=None, description="Time gap that it keeps [s].")
    accel_mps2: Value | None = Field(default=None, description="Greatest acceleration [m/s^2].")
    brakes_mps2: Value | None = Field(default=None, description="Comfortable braking, positive [m/s^2].")
    standstill_m: Value | None = Field(default=None, description="Gap that it stops at [m].")
    reaction_s: Value | None = Field(default=None, description="Age of what it acts on [s].")
    makes_room: bool = Field(default=True, description="It eases off for who comes in before it.")


class Turning(Strict):
    """A turn of our way: a straight, then the wheel turns in, stays, and goes back."""

    after_m: Value = Field(description="Straight before it, from our rear axle or from the former turn on [m].")
    radius_m: Value = Field(description="Of the way of our rear axle [m].")
    turn_deg: Value = Field(description="How far it turns, left positive [deg].")
    ramp_m: Value = Field(description="Way in which the wheel turns in, and as much in which it goes back [m].")


class OnOurWay(Strict):
    """A place along our way, which its course follows in the bends as well."""

    ahead_m: Value = Field(description="From our rear axle along our way to its middle at the start [m].")
    is_oncoming: bool = Field(default=False, description="It drives towards us.")


class ActorFile(Strict):
    """One road user."""

    kind: Literal["car", "motorcycle", "cyclist", "pedestrian", "obstacle"] = Field(description="What it is.")
    rear_m: Value | None = Field(default=None, description="From our front to its rear at the start [m].")
    behind_m: Value | None = Field(default=None, description="Instead: from its front to our rear, behind us [m].")
    later_s: Value | None = Field(
        default=None,
        description="Instead: its front is where our front crosses its line, so much later than we are there [s].",
    )
    on_our_way: OnOurWay | None = Field(default=None, description="Instead: it follows our way, y_m to its left.")
    y_m: Value = Field(default=0.0, description="Its middle, left of our path at the start [m].")
    heading_deg: Value = Field(default=0.0, description="Its direction, 0 as ours, left positive [deg].")
    speed_kmh: Value = Field(default=0.0, description="Its speed [km/h].")
    shifts: Shift | None = Field(default=None, description="A movement across the road.")
    brakes: Braking | None = Field(default=None, description="A braking.")
    seen_from_s: Value | None = Field(default=None, description="The sensor sees it from then on [s].")
    reacts: Reaction | None = Field(default=None, description="It reacts to who drives before it.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        places = (self.rear_m, self.behind_m, self.later_s, self.on_our_way)
        if sum(place is not None for place in places) != 1:
            raise ValueError("rear_m, behind_m, later_s or on_our_way says where it is; give one of them")
        if self.on_our_way is not None and (self.heading_deg != 0.0 or self.shifts is not None):
            raise ValueError("who follows our way has its direction from there; leave out heading_deg and shifts")
        if self.reacts is not None and (self.brakes is not None or self.heading_deg != 0.0):
            raise ValueError("who reacts drives as we do and brakes by itself; leave out brakes and heading_deg")
        return self


class Bend(Strict):
    """Where the road goes: straight, a transition, then a bend without end. Places of actors are along it."""

    radius_m: Value = Field(description="Of the middle of our lane; left positive, right negative [m].")
    from_m: Value = Field(default=20.0, description="Where the transition begins, from our front at the start [m].")
    transition_m: Value = Field(default=60.0, description="Over which the curvature grows, above 0 [m].")


class Judge(Strict):
    """What is a pass."""

    event: Literal["cut_in", "cut_out", "braking"] | None = Field(
        default=None, description="A collision that a careful driver or the fuzzy model of UN R157 avoids is a failure."
    )
    other_kmh: Value = Field(default=0.0, description="Speed of the car that cuts in [km/h].")
    gap_m: Value = Field(default=0.0, description="Gap as it begins [m].")
    lateral_mps: Value = Field(default=0.0, description="Its lateral speed [m/s].")
    decel_mps2: Value = Field(default=0.0, description="Its braking [m/s^2].")
    ahead_m: Value = Field(default=0.0, description="Cut-out: from its front to what it uncovers [m].")
    impact_max_kmh: Value = Field(default=0.0, description="Without an event: hardest impact that passes [km/h].")
    is_quiet: bool = Field(default=False, description="Nothing may be warned of or braked for.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.is_quiet and self.event is not None:
            raise ValueError("is_quiet and event contradict each other; keep one of them")
        return self


class FamilyFile(Strict):
    """A family of encounters."""

    format: Literal[1] = Field(description="Format of the file.")
    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$", description="Lower case, digits and underscores.")
    title: str = Field(min_length=1, max_length=200, description="What happens, in words.")
    grid: dict[str, Axis] = Field(description="Parameters and their values.")
    speed_kmh: Value = Field(description="Our speed [km/h].")
    way: list[Turning] = Field(default=[], max_length=16, description="Turns of our way; without: straight on.")
    lane: Literal["none", "path", "straight"] = Field(
        default="straight",
        description="Whether a camera tells a lane: that of the road, straight or with its bend; path: along our way.",
    )
    bend: Bend | None = Field(default=None, description="The road bends; without it, it is straight.")
    wind_mps: Value = Field(default=0.0, description="Side wind from the right; moves a car that is steered [m/s].")
    long_s: Value = Field(default=12.0, description="It ends then at the latest [s].")
    is_laden: bool = Field(default=False, description="The car weighs its maximum.")
    actors: list[ActorFile] = Field(min_length=1, max_length=32, description="Road users.")
    judge: Judge = Field(description="What is a pass.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.way and self.bend is not None:
            raise ValueError("way and bend both say where we drive; keep one of them")
        if any(actor.later_s is not None for actor in self.actors) and self.bend is not None:
            raise ValueError("later_s is of somebody who goes straight on; leave out bend")
        if (self.bend is not None or self.way) and any(actor.reacts is not None for actor in self.actors):
            raise ValueError("who reacts drives on a straight road; leave out bend, way or reacts")
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drive of a family, with its parameters and who would have avoided a collision."""

    parameters: Mapping[str, float]
    drive: Drive
    preventable_by: tuple[str, ...]


class Family:
    """A file, read and spread over its grid."""

    def __init__(self, path: Path, ego: Ego = "driver") -> None:
        """Read it; `ego` is who drives: automated lane keeping must also avoid what R157 itself names.

        Raises:
            ConfigError: The first thing that is wrong with it.
            AdasError: A parameter that the grid does not have, a grid without end, or numbers that make no encounter.
        """
        self.file = file = load(FamilyFile, path)
        self._path, self._ego = path, ego
        axes = {name: axis.values() if isinstance(axis, Steps) else axis for name, axis in file.grid.items()}
        if math.prod(len(axis) for axis in axes.values()) > CASES_MAX:
            raise AdasError(f"spreads over more than {CASES_MAX} drives", where=str(path), mend="take wider steps")
        if not all(axes.values()):
            raise AdasError("has an axis without a value", where=f"{path}: grid", mend="give it one")
        self._grid = [dict(zip(axes, values, strict=True)) for values in itertools.product(*axes.values())]
        judged = self._preventable()
        self.cases = [
            Case(parameters=values, drive=self._drive(values), preventable_by=judged[index])
            for index, values in enumerate(self._grid)
        ]

    def _value(self, value: Value, values: Mapping[str, float]) -> float:
        if isinstance(value, float | int):
            return float(value)
        try:
            found = reckoned(value, values)
        except KeyError as error:
            known = ", ".join(values) or "none"
            what = f"${error.args[0]} is no parameter of the grid"
            raise AdasError(what, where=str(self._path), mend=f"there are: {known}") from error
        except (ValueError, TypeError, ArithmeticError, SyntaxError, RecursionError) as error:
            mend = "write such as $speed_kmh - 20"
            raise AdasError(f"{value!r} cannot be reckoned", where=str(self._path), mend=mend) from error
        return found

    def _drive(self, values: Mapping[str, float]) -> Drive:
        file = self.file

        def get(value: Value) -> float:
            return self._value(value, values)

        turns = [
            Turn(get(item.after_m), get(item.radius_m), math.radians(get(item.turn_deg)), get(item.ramp_m))
            for item in file.way
        ]
        try:
            road = winding(turns)
        except ValueError as error:
            raise AdasError(str(error), where=f"{self._path}: way", mend="correct the numbers") from error
        line = Line(road.curvature_1pm, sum(item.after_m + abs(item.turn_rad) * item.radius_m + item.ramp_m
                                            for item in turns))  # fmt: skip
        actors = []
        for item in file.actors:
            kind = KINDS[item.kind]
            long_m = SIZES_M[kind][0]
            x_m = 0.0
            if item.rear_m is not None:
                x_m = 0.5 * long_m + get(item.rear_m)
            elif item.behind_m is not None:
                x_m = -get(item.behind_m) - 0.5 * long_m
            course = None
            if item.on_our_way is not None:
                ours = item.on_our_way
                course = line.course(get(ours.ahead_m), get(item.y_m), is_back=ours.is_oncoming)
            actors.append(
                Actor(
                    kind=kind,
                    x_m=x_m,
                    is_behind=item.behind_m is not None,
                    later_s=None if item.later_s is None else get(item.later_s),
                    own_course=course,
                    y_m=get(item.y_m),
                    heading_rad=math.radians(get(item.heading_deg)),
                    speed_mps=kmh_to_mps(get(item.speed_kmh)),
                    brakes_at_s=math.inf if item.brakes is None else get(item.brakes.at_s),
                    decel_mps2=0.0 if item.brakes is None else get(item.brakes.decel_mps2),
                    shifts_at_s=math.inf if item.shifts is None else get(item.shifts.at_s),
                    shift_mps=0.0 if item.shifts is None else get(item.shifts.speed_mps),
                    shift_to_y_m=0.0 if item.shifts is None else get(item.shifts.to_y_m),
                    seen_from_s=-math.inf if item.seen_from_s is None else get(item.seen_from_s),
                    reacts=None if item.reacts is None else self._driver(item.reacts, get),
                )
            )
        speed_mps, long_s = kmh_to_mps(get(file.speed_kmh)), min(max(get(file.long_s), 1.0), 120.0)
        label = "_".join(f"{name}{value:g}" for name, value in values.items())
        return Drive(
            name=f"{file.name}_{label}",
            speed_mps=speed_mps,
            actors=tuple(actors),
            curvature=road.curvature_1pm if turns else None,
            course=None if file.bend is None else self._course(file.bend, get, speed_mps * long_s + BEYOND_M),
            wind_mps=get(file.wind_mps),
            lane="path" if file.bend is not None and file.lane == "straight" else file.lane,
            long_s=long_s,
            is_laden=file.is_laden,
        )

    def _course(self, bend: Bend, get: Callable[[Value], float], far_m: float) -> Course:
        """The road's middle, far enough for the drive and whom it meets."""
        radius_m, from_m, transition_m = get(bend.radius_m), get(bend.from_m), get(bend.transition_m)
        if not (abs(radius_m) >= RADIUS_MIN_M and 0.0 <= from_m and 0.0 < transition_m):
            what = f"a bend of {radius_m:g} m from {from_m:g} m on with a transition of {transition_m:g} m is none"
            mend = f"a radius of {RADIUS_MIN_M:g} m at least, from_m from 0, transition_m above 0"
            raise AdasError(what, where=f"{self._path}: bend", mend=mend)
        shapes = [(transition_m, 0.0, 1.0 / radius_m), (far_m, 1.0 / radius_m, 1.0 / radius_m)]
        return Course(chained([(from_m, 0.0, 0.0), *shapes] if from_m > 0.0 else shapes))

    def _driver(self, found: Reaction, get: Callable[[Value], float]) -> Reacting:
        """The driver of an actor that reacts."""
        given = {name: get(value) for name, value in found if name != "makes_room" and value is not None}
        if "wants_kmh" in given:
            given["wants_mps"] = kmh_to_mps(given.pop("wants_kmh"))
        try:
            return Reacting(makes_room=found.makes_room, **given)
        except ValueError as error:
            raise AdasError(str(error), where=f"{self._path}: reacts", mend="correct the numbers") from error

    def _preventable(self) -> list[tuple[str, ...]]:
        """By which models each case's collision was preventable; nobody's where no event is judged."""
        judge = self.file.judge
        if judge.event is None:
            return [()] * len(self._grid)
        import numpy as np

        from adas_runtime.alks.reference import Event, Model, Verdict, assess, must_avoid

        def axis(value: Value, scale: float = 1.0) -> Any:
            return np.array([self._value(value, values) * scale for values in self._grid])

        kmh = kmh_to_mps(1.0)
        facts = {
            "ego_mps": axis(self.file.speed_kmh, kmh),
            "other_mps": axis(judge.other_kmh, kmh),
            "distance_m": axis(judge.gap_m),
            "lateral_mps": axis(judge.lateral_mps),
            "decel_mps2": axis(judge.decel_mps2),
            "ahead_m": axis(judge.ahead_m),
        }
        found: list[list[str]] = [[] for _ in self._grid]
        for model in (Model.CCD, Model.FSM):
            try:
                verdicts = assess(model, Event(judge.event), **facts).verdict
            except ValueError as error:
                raise AdasError(str(error), where=f"{self._path}: judge", mend="correct the numbers") from error
            for index, verdict in enumerate(verdicts):
                if verdict != Verdict.UNPREVENTABLE:
                    found[index].append(model.value)
        if self._ego == "alks" and judge.event == "cut_in":
            demanded = must_avoid(facts["ego_mps"] - facts["other_mps"], facts["distance_m"], facts["lateral_mps"])
            for names, is_demanded in zip(found, demanded, strict=True):
                if is_demanded:
                    names.append("R157 5.2.5.2")
        return [tuple(names) for names in found]

    def judged(self, case: Case, outcome: Outcome) -> dict[str, Any]:
        """What `adas scenario run --json` prints of a drive."""
        judge = self.file.judge
        impact_kmh = outcome.impact_kmh
        is_hit = outcome.impact_mps is not None
        verdict, failures = "pass", []
        limit_kmh: float | None = None
        if outcome.is_from_behind and not judge.is_quiet:
            # whoever brakes for a risk is not to blame for who cannot stop behind
            verdict, failures = "not_applicable", ["run into from behind"]
            found = outcome.result(self.file.name, case.parameters, verdict, failures)
            return found if judge.event is None else {**found, "preventable_by": list(case.preventable_by)}
        if judge.is_quiet:
            if outcome.braked_s is not None or outcome.warned_s is not None:
                failures.append("braked without a risk" if outcome.braked_s is not None else "warned without a risk")
            if is_hit:
                failures.append("the drive itself hits somebody")
        elif judge.event is not None:
            if is_hit and case.preventable_by:
                failures.append(f"hit at {impact_kmh:.0f} km/h what {' and '.join(case.preventable_by)} avoid")
            elif is_hit:
                verdict = "not_applicable"
        else:
            limit_kmh = self._value(judge.impact_max_kmh, case.parameters)
            if is_hit and not 0.0 < impact_kmh <= limit_kmh:
                failures.append(f"hit at {impact_kmh:.0f} km/h, {limit_kmh:g} at most")
        verdict = "fail" if failures else verdict
        found = outcome.result(self.file.name, case.parameters, verdict, failures, limit_kmh=limit_kmh)
        if judge.event is not None:
            found["preventable_by"] = list(case.preventable_by)
        return found


def reckoned(text: str, values: Mapping[str, float]) -> float:
    """The value of `$speed_kmh * 0.5 - 3`.

    Raises:
        KeyError: A parameter that is not among the values.
        ValueError, TypeError, ArithmeticError, SyntaxError: No such text, or no finite number.
    """

    def of(node: ast.expr) -> float:
        if isinstance(node, ast.BinOp) and type(node.op) in OPERATIONS:
            return OPERATIONS[type(node.op)](of(node.left), of(node.right))
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -of(node.operand)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS:
            return float(FUNCTIONS[node.func.id](*[of(item) for item in node.args]))
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float):
            return float(node.value)
        if isinstance(node, ast.Name) and node.id.startswith("p_"):
            return values[node.id[2:]]
        if isinstance(node, ast.Name) and node.id == "pi":
            return math.pi
        raise ValueError(text)

    found = of(ast.parse(text.strip().replace("$", "p_"), mode="eval").body)
    if not math.isfinite(found):
        raise ValueError(text)
    return found


def families_dir() -> Path:
    """Where the shipped families are."""
    from adas_runtime.resources import config_dir

    return config_dir() / "scenarios"


def family_names() -> tuple[str, ...]:
    """Names of the shipped families."""
    return tuple(sorted(path.stem for path in families_dir().glob("*.yaml")))


def family_path(name_or_path: str) -> Path:
    """The file of a family: a name stands for a shipped one, what has a suffix or a folder is a path.

    Raises:
        ConfigError: No such family.
    """
    return named_file(name_or_path, families_dir(), lambda: ("ncap", "r152", *family_names()), "suite")


def labels(cases: Sequence[Case]) -> tuple[str, ...]:
    """Names of the grid's axes that have more than one value, in the file's order."""
    names = cases[0].parameters.keys() if cases else ()
    return tuple(name for name in names if len({case.parameters[name] for case in cases}) > 1)
