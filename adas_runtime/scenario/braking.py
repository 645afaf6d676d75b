"""A car that drives towards others: the functions of the product, the car's brakes and a sensor, in a closed loop.

The functions run in the same executor as on the car, arbiter and envelope included; what the envelope commands reaches
the brakes of the vehicle file, later and along their ramp. The sensor is late, noisy and misses; all by the seed.
Either a driver drives, who never brakes, and the car follows the given path; or automated lane keeping, which is
switched on before the drive begins, may go as fast as the car is then, and steers a single-track car behind the
steering actuator of the vehicle file. Time is a count of steps of 10 ms: nothing waits.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Protocol

from adas_runtime.alks.params import EMERGENCY_MPS2
from adas_runtime.alks.states import Emergency, State
from adas_runtime.errors import AdasError
from adas_runtime.executor import Emission, Executor
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import SOURCES, Graph, Source, default_graph, live_topic
from adas_runtime.market.schema import Market
from adas_runtime.scenario.opendrive import Course
from adas_runtime.scenario.our_car import OnCourse, OurCar, Steered
from adas_runtime.scenario.traffic import Reacting, Seen, looked, reaction_mps2
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    BodyState,
    DriverInput,
    DriverState,
    FunctionStatus,
    GazeZone,
    Gear,
    Horizon,
    HorizonSegment,
    LaneBoundary,
    LaneModel,
    LaneSide,
    LimitKind,
    LongitudinalRequest,
    MarkingType,
    ObjectClass,
    RoadClass,
    SpeedLimitState,
    Stage,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.units import mps_to_kmh
from adas_runtime.vehicle.schema import BrakeModel, Vehicle

Ego = Literal["driver", "alks"]  # who drives

STEP_S: Final = 0.01
START_S: Final = 1000.0  # of the clock; stamps are never zero
LANE_TOPIC: Final = live_topic("lane_perception", "lanes")
KEEPING: Final = (State.ACTIVE.value, Emergency.BRAKING.value)  # where it may not leave the lane
COMMAND: Final = live_topic("envelope", "command")
SETTLE_S: Final = 2.0  # before the drive begins: the envelope lets nothing in before
LIMIT: Final = Source(name="limit_simulation", signal=SpeedLimitState, topic="/simulation/limit", rate_hz=10.0)
SWITCHED_S: Final = (-0.6, -0.3)  # when the button of automated lane keeping is down
LANE_HALF_M: Final = 1.75
LINE_M: Final = 0.15  # width of a marking
LANE_SEEN_M: Final = 60.0
LANE_STEP_M: Final = 3.0
LANE_TURN_RAD: Final = 0.6  # beyond it the lane leaves the picture
STOPPED_MPS: Final = 0.02
WAIT_S: Final = 1.0  # after the stop
BEGIN: Final = round(SETTLE_S / STEP_S)
SIZES_M: Final = {  # length, width
    ObjectClass.CAR: (4.3, 1.8),
    ObjectClass.MOTORCYCLE: (2.1, 0.8),
    ObjectClass.CYCLIST: (1.8, 0.5),
    ObjectClass.PEDESTRIAN: (0.5, 0.5),
    ObjectClass.UNKNOWN: (1.0, 0.3),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Another road user, by its centre in the frame of our front bumper at the start: x ahead, y left.

    Args:
        heading_rad, speed_mps: At the start.
        brakes_at_s, decel_mps2: From then on it brakes, to a stop at most.
        turns_at_s, yaw_rate_rps: From then on it turns.
        shifts_at_s, shift_mps, shift_to_y_m: From then on it moves across, to there.
        seen_from_s: The sensor sees it from then on: what stands behind a parked car.
        is_behind: `x_m` counts from our rear bumper.
        later_s: Instead of `x_m`: its front is where our front, unbraked, crosses its line, so much later than we.
        own_course: Instead of `x_m`, `y_m` and heading: its middle and direction by its way, from where our rear axle
            is at the start.
        reacts: It follows who drives before it, us included, and makes room; it drives as we do, on a straight road.
    """

    kind: ObjectClass
    x_m: float
    y_m: float
    heading_rad: float = 0.0
    speed_mps: float = 0.0
    brakes_at_s: float = math.inf
    decel_mps2: float = 0.0
    turns_at_s: float = math.inf
    yaw_rate_rps: float = 0.0
    shifts_at_s: float = math.inf
    shift_mps: float = 0.0
    shift_to_y_m: float = 0.0
    seen_from_s: float = -math.inf
    is_behind: bool = False
    reacts: Reacting | None = None
    later_s: float | None = None
    own_course: Callable[[float], tuple[float, float, float]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """What tells of others: 20 messages a second, each of a moment ago.

    Args:
        latency_s: Age of a message when it comes, a multiple of 10 ms [s].
        place_std_m, speed_std_mps: Noise of each coordinate.
        miss_share: Share of the messages that an object is missing from.
        range_m, view_rad: As far and as wide (to each side) it sees.
        sources: Sensors that see what it tells of.
    """

    latency_s: float = 0.06
    place_std_m: float = 0.0
    speed_std_mps: float = 0.0
    miss_share: float = 0.0
    range_m: float = 150.0
    view_rad: float = 0.9
    sources: tuple[str, ...] = ("camera", "radar")


REAL_SENSOR: Final = Sensor(place_std_m=0.15, speed_std_mps=0.25, miss_share=0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """One drive.

    Args:
        speed_mps: Ours, kept until something brakes.
        curvature: Of our path by the way driven [m]; the driver steers along it.
        course: Instead: of our lane, from our front bumper at the start on; the places of actors are along it.
        wind_mps: From the right, from the start on; it moves a car that functions steer.
        lane: What the camera tells of the lane: none, the course of our path, or a straight one.
        movers: Makes road users with a script of their own, for one drive.
        long_s: It ends then at the latest.
        is_laden: The car weighs its maximum.
        road_class: What the map says of the road, where automated lane keeping drives.
        goal: Whether our middle, in the frame of our front bumper at the start, is where the drive shall lead: of time
            [s], x, y [m], heading [rad] and speed [m/s].
    """

    name: str
    speed_mps: float
    actors: tuple[Actor, ...]
    curvature: Callable[[float], float] | None = None
    course: Course | None = None
    wind_mps: float = 0.0
    lane: Literal["none", "path", "straight"] = "none"
    movers: Callable[[], Sequence[Mover]] | None = None
    long_s: float = 12.0
    is_laden: bool = False
    road_class: RoadClass = RoadClass.MOTORWAY
    goal: Callable[[float, float, float, float, float], bool] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of it.

    Args:
        impact_mps: Our speed at the collision, `None` without one.
        relative_mps: Ours less the other one's along our way, `None` without a collision.
        warned_s, braked_s: When the warning and the demand for braking began; `None`: never.
        demand_mps2: Strongest braking that was asked for, positive.
        modes: Ways in which the driver was warned at once.
        gap_m: Smallest distance to anybody ahead in our way.
        driven_s: Length of the drive, what settles before it included.
        refused: Why automated lane keeping may not drive here; nothing is judged then.
        is_from_behind: Who was hit came from behind and was faster than we: no brakes of ours help.
        is_goal_reached: Where the drive has a goal.
        behind_m, behind_mps2: Smallest distance to anybody behind in our way, and how hard such a one braked.
        tyre_m, lateral_mps2: While automated lane keeping held the lane: how far the outer edge of a front tyre came
            from the middle of the lane, and the greatest lateral acceleration; `None`: it did not steer.
    """

    impact_mps: float | None
    relative_mps: float | None
    warned_s: float | None
    braked_s: float | None
    demand_mps2: float
    modes: int
    gap_m: float
    driven_s: float = 0.0
    refused: str = ""
    is_from_behind: bool = False
    is_goal_reached: bool | None = None
    behind_m: float = math.inf
    behind_mps2: float = 0.0
    tyre_m: float | None = None
    lateral_mps2: float | None = None

    @property
    def is_out_of_lane(self) -> bool:
        """Whether a front tyre crossed the outer edge of the marking (R157 5.2.1)."""
        return self.tyre_m is not None and self.tyre_m > LANE_HALF_M + 0.5 * LINE_M

    @property
    def lead_s(self) -> float | None:
        """From warning to braking; `None` where one of them never came."""
        if self.warned_s is None or self.braked_s is None:
            return None
        return self.braked_s - self.warned_s

    @property
    def impact_kmh(self) -> float:
        """Speed of the collision, 0 without one."""
        return 0.0 if self.relative_mps is None else mps_to_kmh(self.relative_mps)

    def result(
        self,
        scenario: str,
        parameters: Mapping[str, object],
        verdict: str,
        failures: Sequence[str],
        *,
        limit_kmh: float | None = None,
    ) -> dict[str, Any]:
        """One drive, as `adas scenario run --json` prints it; figures that are told are rounded."""
        if self.refused:
            verdict, failures = "not_applicable", [f"automated lane keeping may not drive here: {self.refused}"]
        elif self.is_out_of_lane:
            verdict, failures = "fail", [*failures, f"a tyre leaves the lane, {self.tyre_m:.2f} m from its middle"]
        found = {
            "scenario": scenario,
            "parameters": dict(parameters),
            "verdict": verdict,
            "impact_kmh": round(self.impact_kmh, 2),
            "impact_limit_kmh": limit_kmh,
            "warning_lead_s": None if self.lead_s is None else round(self.lead_s, 3),
            "demand_mps2": round(self.demand_mps2, 2),
            "gap_m": None if math.isinf(self.gap_m) else round(self.gap_m, 2),
            "failures": list(failures),
        }
        if self.is_goal_reached is not None:
            found["is_goal_reached"] = self.is_goal_reached
        if self.tyre_m is not None and self.lateral_mps2 is not None:
            found["tyre_m"], found["lateral_mps2"] = round(self.tyre_m, 3), round(self.lateral_mps2, 2)
        if math.isfinite(self.behind_m):
            found["behind_m"], found["behind_mps2"] = round(self.behind_m, 2), round(self.behind_mps2, 2)
        return found


def nobody_hit(outcome: Outcome) -> tuple[str, list[str]]:
    """Verdict and failures where the others follow a script or a recording: nobody may be hit by us.

    Whoever follows one does not react: being run into from behind is not our failure.
    """
    if outcome.impact_mps is None:
        return "pass", []
    if outcome.is_from_behind:
        return "not_applicable", ["traffic that does not react runs into us"]
    return "fail", [f"hits at {outcome.impact_kmh:.0f} km/h"]


class Mover(Protocol):
    """A road user as it moves: its middle in the frame of our front bumper at the start."""

    kind: ObjectClass
    size_m: tuple[float, float]
    seen_from_s: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    across_mps: float
    is_there: bool  # a recorded one comes and goes

    def move(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """One step, in the knowledge of how far we drove and how fast we are."""
        ...


@dataclass(slots=True)
class _Ours:
    """Our car as those see it who react; it drives straight on."""

    size_m: tuple[float, float]
    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    speed_mps: float = 0.0
    across_mps: float = 0.0
    is_there: bool = True

    def at(self, way_m: float, speed_mps: float) -> None:
        """Where it is after so long a way."""
        self.x_m, self.speed_mps = way_m - 0.5 * self.size_m[0], speed_mps


@dataclass(slots=True)
class _Body:
    """An actor as it moves."""

    actor: Actor
    kind: ObjectClass
    size_m: tuple[float, float]
    seen_from_s: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float = 0.0
    across_mps: float = 0.0
    is_there: bool = True
    around: tuple[Mover | _Ours, ...] = ()  # whom it reacts to
    ours: _Ours | None = None
    saw: deque[Seen] = field(default_factory=deque)
    way_m: float = 0.0
    axle_m: float = 0.0  # from our rear axle to our front, where its course counts from
    course: Course | None = None  # `along`, against which its script goes
    along: tuple[float, float, float] = (0.0, 0.0, 0.0)  # way, left of the course, direction against it

    @staticmethod
    def of(actor: Actor, ours: _Ours, course: Course | None) -> _Body:
        """As it starts."""
        made = _Body(
            actor,
            actor.kind,
            SIZES_M[actor.kind],
            actor.seen_from_s,
            actor.x_m - (ours.size_m[0] if actor.is_behind else 0.0),
            actor.y_m,
            actor.heading_rad,
            actor.speed_mps,
            ours=ours,
            course=course,
        )
        made.along = made.x_m, made.y_m, made.heading_rad
        made._place()
        return made

    def _place(self) -> None:
        """From its place along the course to that in the plane."""
        way_m, left_m, turned = self.along
        if self.course is None:
            self.x_m, self.y_m, self.heading_rad = self.along
        else:
            self.x_m, self.y_m, heading = self.course.place(way_m, left_m)
            self.heading_rad = heading + turned

    def follow(self, course: Callable[[float], tuple[float, float, float]]) -> None:
        """Be where its way brought it."""
        x_m, self.y_m, self.heading_rad = course(self.way_m)
        self.x_m = x_m - self.axle_m

    def _react(self, driver: Reacting, way_m: float, speed_mps: float) -> float:
        """Acceleration, by what it saw its reaction time ago."""
        if self.ours is not None:
            self.ours.at(way_m, speed_mps)
        self.saw.append(looked(self, self.around))
        late = round(driver.reaction_s / STEP_S)
        return reaction_mps2(driver, self.speed_mps, self.saw.popleft() if len(self.saw) > late else self.saw[0])

    def move(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """One step."""
        actor = self.actor
        if actor.reacts is not None:
            self.accel_mps2 = self._react(actor.reacts, way_m, speed_mps)
        else:
            self.accel_mps2 = -actor.decel_mps2 if t_s >= actor.brakes_at_s and self.speed_mps > 0.0 else 0.0
        self.speed_mps = max(self.speed_mps + self.accel_mps2 * STEP_S, 0.0)
        if actor.own_course is not None:
            self.way_m += self.speed_mps * STEP_S
            self.follow(actor.own_course)
            return
        way, left, turned = self.along
        if t_s >= actor.turns_at_s and self.speed_mps > 0.0:
            turned += actor.yaw_rate_rps * STEP_S
        bend = 0.0 if self.course is None else self.course.curvature_1pm(way)
        way += self.speed_mps * math.cos(turned) * STEP_S / (1.0 - bend * left)
        left += self.speed_mps * math.sin(turned) * STEP_S
        left_m = actor.shift_to_y_m - left
        is_shifting = t_s >= actor.shifts_at_s and abs(left_m) > 1e-9
        step_m = math.copysign(min(actor.shift_mps * STEP_S, abs(left_m)), left_m) if is_shifting else 0.0
        self.along = way, left + step_m, turned
        self.across_mps = step_m / STEP_S
        self._place()


def loop_graph(ego: Ego = "driver", *, whole: bool = False) -> Graph:
    """What runs in the loop: every function, or those that brake and who drives; a drive takes a tenth of the time."""
    functions = default_graph().functions
    if not whole:
        wanted = ("lane_perception", "ego_lane", "tracking", "aeb", "arbiter", "envelope", ego)
        functions = tuple(spec for spec in functions if spec.name in wanted)
    return Graph(functions, SOURCES if ego == "driver" else (*SOURCES, LIMIT))


def brakes_of(vehicle: Vehicle) -> BrakeModel:
    """What the vehicle's file says of its brakes.

    Raises:
        AdasError: Nothing.
    """
    if vehicle.brakes is None:
        raise AdasError("says nothing of its brakes", where=f"vehicle {vehicle.name}", mend="give brakes in its file")
    return vehicle.brakes


@dataclass(frozen=True, slots=True)
class _Place:
    """Where we are: the middle of our rear axle and our heading."""

    x_m: float
    y_m: float
    heading_rad: float

    def local(self, body: Mover) -> tuple[float, float]:
        """A body's middle in our frame: ahead, left."""
        cosine, sine = math.cos(self.heading_rad), math.sin(self.heading_rad)
        east, north = body.x_m - self.x_m, body.y_m - self.y_m
        return east * cosine + north * sine, north * cosine - east * sine


def _half(size_m: tuple[float, float], turned_rad: float) -> tuple[float, float]:
    """Half of the room that a turned box takes, along and across."""
    cosine, sine = abs(math.cos(turned_rad)), abs(math.sin(turned_rad))
    return 0.5 * (size_m[0] * cosine + size_m[1] * sine), 0.5 * (size_m[0] * sine + size_m[1] * cosine)


class _Actuator:
    """The brakes: delay, then a ramp, no more than the load lets them."""

    def __init__(self, model: BrakeModel, *, is_laden: bool) -> None:
        self._asked = deque([0.0] * round(model.delay_s / STEP_S))
        self._step_mps2 = model.jerk_mps3 * STEP_S
        self._least_mps2 = -(model.decel_laden_mps2 if is_laden else model.decel_mps2)
        self.accel_mps2 = 0.0

    def step(self, asked_mps2: float) -> float:
        self._asked.append(asked_mps2)
        target = max(self._asked.popleft(), self._least_mps2)
        move = min(max(target - self.accel_mps2, -self._step_mps2), self._step_mps2)
        self.accel_mps2 += move
        return self.accel_mps2


def drive(
    case: Drive,
    market: Market,
    vehicle: Vehicle,
    graph: Graph,
    sensor: Sensor = REAL_SENSOR,
    seed: int = 1,
    ego: Ego = "driver",
    trace: list[tuple[float, float, float, float | None]] | None = None,
) -> Outcome:
    """Drive it to its end: a collision, a stop, or the end of its time.

    Args:
        graph: What runs, every function at stage `on`; see `loop_graph`.
        ego: Who drives; automated lane keeping has to be in the graph.
        trace: Gets time [s], speed [m/s], acceleration [m/s^2] and gap to the nearest in our way [m], at 10 Hz.
    """
    perception = {spec.name for spec in graph.in_process(Process.PERCEPTION)}  # the sensor stands in for it
    stages = dict.fromkeys([spec.name for spec in graph.functions], Stage.ON)
    context = BuildContext(market=market, vehicle=vehicle)
    executor = Executor(graph, context, stages, without=frozenset(perception))
    if ego != "driver" and case.lane == "none":
        case = replace(case, lane="path")  # it drives in a lane or not at all
    noise = random.Random(seed)
    size = vehicle.dimensions
    rear_m = size.length_m - size.wheelbase_m - size.front_overhang_m
    front_m = size.wheelbase_m + size.front_overhang_m
    ours = _Ours((size.length_m, size.width_m))
    acting = [_Body.of(actor, ours, case.course) for actor in case.actors]
    for one in acting:
        one.around = (ours, *acting)
    curvature, course = case.curvature, case.course
    if course is not None:
        lane = course

        def curvature(way_m: float) -> float:
            return lane.curvature_1pm(way_m - front_m)  # ways are those of the rear axle

    for one in acting:
        if one.actor.later_s is not None:
            one.x_m, one.y_m = _meeting_at(one, one.actor.later_s, curvature, case, front_m)
            one.along = one.x_m, one.y_m, one.heading_rad
        elif one.actor.own_course is not None:
            one.axle_m = front_m
            one.follow(one.actor.own_course)
    if curvature is not None and any(actor.reacts for actor in case.actors):
        raise ValueError("those who react drive on a straight road")
    bodies: list[Mover] = [*acting]
    if case.movers is not None:
        bodies += case.movers()
    brakes = _Actuator(brakes_of(vehicle), is_laden=case.is_laden)
    steered = Steered(vehicle, front_m, case.speed_mps, curvature) if ego == "alks" else None
    car: OurCar = steered or OnCourse(front_m, case.speed_mps, curvature, vehicle)
    tyre_m = lateral_mps2 = 0.0
    is_keeping = False  # automated lane keeping holds the lane
    command: ActuationCommand | None = None
    stopped_s = None
    warned_s: float | None = None
    braked_s: float | None = None
    demand_mps2, modes, gap_m = 0.0, 0, math.inf
    behind_m, behind_mps2 = math.inf, 0.0
    is_driving, refused = ego == "driver", "it never said why"
    is_goal_reached = None if case.goal is None else False
    place = _Place(car.x_m, car.y_m, car.heading_rad)
    seen: deque[tuple[float, tuple[TrackedObject, ...]]] = deque(maxlen=round(sensor.latency_s / STEP_S) + 1)

    def heard(emissions: list[Emission], t_s: float) -> None:
        nonlocal command, warned_s, braked_s, demand_mps2, modes, is_driving, refused, is_keeping
        for emission in emissions:
            signal = emission.signal
            if isinstance(signal, ActuationCommand) and emission.topic == COMMAND:
                command = signal
            elif isinstance(signal, Alert) and signal.is_active and signal.code == "aeb_collision":
                warned_s = t_s if warned_s is None else warned_s
                modes = max(modes, signal.is_optical + signal.is_acoustic + signal.is_haptic)
            elif isinstance(signal, LongitudinalRequest) and signal.is_active and signal.author in ("aeb", "alks"):
                if signal.author == "aeb" or signal.accel_mps2 < -EMERGENCY_MPS2:
                    braked_s = t_s if braked_s is None else braked_s
                demand_mps2 = max(demand_mps2, -signal.accel_mps2)
            elif isinstance(signal, FunctionStatus) and signal.author == ego:
                is_keeping = signal.state in KEEPING
                if t_s < 0.0:
                    is_driving, refused = signal.is_active, signal.reason

    def outcome(struck: Mover | None, t_s: float) -> Outcome:
        speed_mps = car.speed_mps
        along_mps = 0.0 if struck is None else struck.speed_mps * math.cos(struck.heading_rad - car.heading_rad)
        is_behind = struck is not None and place.local(struck)[0] < 0.5 * (front_m - rear_m)
        return Outcome(
            impact_mps=None if struck is None else speed_mps,
            relative_mps=None if struck is None else max(speed_mps - along_mps, 0.0),
            warned_s=warned_s, braked_s=braked_s, demand_mps2=demand_mps2, modes=modes,
            gap_m=gap_m if struck is None else 0.0, driven_s=t_s + SETTLE_S,
            is_from_behind=is_behind and along_mps > speed_mps, is_goal_reached=is_goal_reached,
            behind_m=behind_m, behind_mps2=behind_mps2,
            tyre_m=None if steered is None else tyre_m, lateral_mps2=None if steered is None else lateral_mps2,
        )  # fmt: skip

    t_s = -SETTLE_S
    for count in range(round((SETTLE_S + case.long_s) / STEP_S)):
        t_s = count * STEP_S - SETTLE_S
        now_s = START_S + count * STEP_S
        is_begun = t_s >= 0.0
        if count == BEGIN and not is_driving:
            return replace(outcome(None, t_s), refused=refused)
        if is_begun:
            asked_mps2 = command.accel_mps2 if command is not None and command.is_longitudinal_active else 0.0
            car.step(brakes.step(asked_mps2), command, case.wind_mps)
            for body in bodies:
                body.move(t_s, car.way_m, car.speed_mps)
            if steered is not None and is_keeping:
                tyre_m = max(tyre_m, abs(steered.front_offset_m) + 0.5 * size.tyre_outer_width_m)
                lateral_mps2 = max(lateral_mps2, abs(car.lateral_accel_mps2))
        heading, speed_mps = car.heading_rad, car.speed_mps
        place = _Place(car.x_m, car.y_m, heading)
        near_m: float | None = None
        if case.goal is not None and is_begun and not is_goal_reached:
            middle_m = 0.5 * (front_m - rear_m)
            mid_x, mid_y = car.x_m + middle_m * math.cos(heading), car.y_m + middle_m * math.sin(heading)
            is_goal_reached = case.goal(t_s, mid_x, mid_y, heading, speed_mps)
        for body in bodies if is_begun else ():
            if not body.is_there:
                continue
            ahead, left = place.local(body)
            turned = body.heading_rad - heading
            if _overlap(ahead, left, turned, body.size_m, (-rear_m, front_m), size.width_m):
                return outcome(body, t_s)
            half_x, half_y = _half(body.size_m, turned)
            is_in_way = abs(left) < 0.5 * size.width_m + half_y
            if is_in_way and ahead < -rear_m:
                behind_m = min(behind_m, max(-rear_m - ahead - half_x, 0.0))
                behind_mps2 = max(behind_mps2, -body.accel_mps2)
            if is_in_way and ahead > front_m:
                # a turned one reaches past us before its corner touches
                near_m = min(max(ahead - half_x - front_m, 0.0), math.inf if near_m is None else near_m)
                gap_m = min(gap_m, near_m)
        if trace is not None and is_begun and count % 10 == 0:
            trace.append((t_s, speed_mps, brakes.accel_mps2, near_m))
        seen.append((now_s, _seen(bodies, place, front_m, sensor, t_s)))
        state = VehicleState(
            stamp_s=now_s, speed_mps=speed_mps, accel_mps2=brakes.accel_mps2 if speed_mps > 0.0 else 0.0,
            yaw_rate_rps=car.yaw_rate_rps, lateral_accel_mps2=car.lateral_accel_mps2,
            steering_wheel_angle_rad=car.wheel_angle_rad, steering_wheel_rate_rps=car.wheel_rate_rps,
            driver_torque_nm=0.0, is_hands_on=ego == "driver", accelerator=0.0, brake=0.0, is_braking=False,
            gear=Gear.DRIVE,
        )  # fmt: skip
        if count % 10 == 0:
            body_state = BodyState(
                stamp_s=now_s, is_master_switch_on=True, is_driver_seated=True, is_driver_belt_fastened=True
            )
            heard(executor.offer("/vehicle/body", body_state, now_s), t_s)
            if ego != "driver":
                heard(executor.offer("/map/horizon", _map(now_s, case.road_class), now_s), t_s)
                limit = SpeedLimitState(
                    stamp_s=now_s, limit_mps=case.speed_mps, kind=LimitKind.EXPLICIT, confidence=1.0
                )
                heard(executor.offer(LIMIT.topic, limit, now_s), t_s)
        if count % 5 == 0:
            if case.lane != "none":
                heard(executor.offer(LANE_TOPIC, _lane(case, now_s, car, curvature), now_s), t_s)
            if ego != "driver":
                heard(executor.offer("/driver/state", _driver(now_s, count), now_s), t_s)
            pressed = (ego,) if SWITCHED_S[0] <= t_s <= SWITCHED_S[1] else ()
            heard(executor.offer("/vehicle/driver_input", DriverInput(stamp_s=now_s, pressed=pressed), now_s), t_s)
            heard(executor.offer("/objects/tracked", _told(*seen[0], sensor, noise), now_s), t_s)
        heard(executor.offer("/vehicle/state", state, now_s), t_s)
        due_s = executor.next_due_s()
        if due_s is not None and due_s <= now_s:
            heard(executor.advance(now_s), t_s)
        if is_begun and speed_mps < STOPPED_MPS:
            stopped_s = t_s if stopped_s is None else stopped_s
            if t_s - stopped_s > WAIT_S:
                break
    return outcome(None, t_s)


def _meeting_at(
    body: _Body, later_s: float, curvature: Callable[[float], float] | None, case: Drive, front_m: float
) -> tuple[float, float]:
    """Where its middle is at the start, so that it meets us where our front crosses its line.

    Raises:
        AdasError: We never cross it.
    """
    cosine, sine = math.cos(body.heading_rad), math.sin(body.heading_rad)
    x_m, y_m, turned, way_m = -front_m, 0.0, 0.0, 0.0
    step_m = 0.5 * STEP_S * case.speed_mps
    former: float | None = None
    while way_m < case.speed_mps * case.long_s:
        at_x, at_y = x_m + front_m * math.cos(turned), y_m + front_m * math.sin(turned)
        beside_m = (at_y - body.y_m) * cosine - (at_x - body.x_m) * sine
        if former is not None and former * beside_m <= 0.0:
            left_m = body.speed_mps * (way_m / case.speed_mps + later_s) + 0.5 * body.size_m[0]
            return at_x - left_m * cosine, at_y - left_m * sine
        former = beside_m
        turned += (0.0 if curvature is None else curvature(way_m)) * step_m
        x_m += step_m * math.cos(turned)
        y_m += step_m * math.sin(turned)
        way_m += step_m
    what = "our way never crosses the line of the actor that is to meet us"
    raise AdasError(what, where=case.name, mend="correct y_m, heading_deg or way, or let it last longer")


def _driver(now_s: float, count: int) -> DriverState:
    """Somebody who looks at the road and turns the head now and then."""
    return DriverState(
        stamp_s=now_s, is_face_visible=True, gaze_zone=GazeZone.ROAD, frame=count, confidence=0.9, eye_openness=0.8,
        head_yaw_rad=0.15 * math.sin(0.01 * count), head_pitch_rad=0.0,
    )  # fmt: skip


def _map(now_s: float, road_class: RoadClass) -> Horizon:
    """What the map says."""
    segment = HorizonSegment(
        offset_m=-10.0,
        length_m=10000.0,
        probability=1.0,
        road_class=road_class,
        is_dual_carriageway=road_class is RoadClass.MOTORWAY,
    )
    return Horizon(stamp_s=now_s, is_matched=True, confidence=0.9, segments=(segment,))


def _lane(case: Drive, now_s: float, car: OurCar, course: Callable[[float], float] | None) -> LaneModel:
    """The lane as a camera tells it: the cubic that fits its course best as far as it is seen."""
    offset_m, turned, curvature, rate, seen_m = -car.y_m, -car.heading_rad, 0.0, 0.0, LANE_SEEN_M
    if case.lane == "path":
        offset_m, turned = -car.offset_m, -car.turned_rad
        if course is not None:
            curvature, rate, seen_m = _fitted(course, car.way_m)
    lines = tuple(
        LaneBoundary(
            side=side,
            c0_m=offset_m + sign * LANE_HALF_M,
            c1=turned,
            c2_1pm=0.5 * curvature,
            c3_1pm2=rate / 6.0,
            x_min_m=3.0,
            x_max_m=max(seen_m, 10.0),
            type=MarkingType.DASHED,
            confidence=0.95,
            offset_std_m=0.03,
            width_m=LINE_M,
        )
        for side, sign in ((LaneSide.LEFT, 1.0), (LaneSide.RIGHT, -1.0))
    )
    return LaneModel(stamp_s=now_s, boundaries=lines, is_calibrated=True)


def _fitted(curvature: Callable[[float], float], way_m: float) -> tuple[float, float, float]:
    """Curvature, its rate and the reach of the cubic through our place that fits the course ahead, by least squares."""
    x = y = turned = 0.0
    squares = cross = cubes = to_square = to_cube = 0.0
    while x < LANE_SEEN_M and abs(turned) < LANE_TURN_RAD:
        turned += curvature(way_m + x) * LANE_STEP_M
        y += turned * LANE_STEP_M
        x += LANE_STEP_M
        a, b = x * x / 2.0, x * x * x / 6.0
        squares, cross, cubes = squares + a * a, cross + a * b, cubes + b * b
        to_square, to_cube = to_square + a * y, to_cube + b * y
    scale = squares * cubes - cross * cross
    if scale <= 0.0:  # it turns away at once: one place, through which an arc leads
        return to_square / squares, 0.0, x
    return (to_square * cubes - to_cube * cross) / scale, (to_cube * squares - to_square * cross) / scale, x


def boxes_touch(
    x_m: float, y_m: float, turned_rad: float, other: tuple[float, float], ours: tuple[float, float]
) -> bool:
    """Whether a box, by its middle and direction in the frame of our middle, touches ours; sizes are length, width."""
    return _overlap(x_m, y_m, turned_rad, other, (-0.5 * ours[0], 0.5 * ours[0]), ours[1])


def _overlap(
    ahead_m: float,
    left_m: float,
    turned_rad: float,
    other: tuple[float, float],
    ours: tuple[float, float],
    width_m: float,
) -> bool:
    """Whether two boxes touch, by their separating axes; the other one's centre and heading in our frame."""
    centre_x = 0.5 * (ours[0] + ours[1])
    half = (0.5 * (ours[1] - ours[0]), 0.5 * width_m)
    half_other = (0.5 * other[0], 0.5 * other[1])
    dx, dy = ahead_m - centre_x, left_m
    cosine, sine = math.cos(turned_rad), math.sin(turned_rad)
    reach_x, reach_y = _half(other, turned_rad)
    if abs(dx) > half[0] + reach_x or abs(dy) > half[1] + reach_y:
        return False
    along, across = dx * cosine + dy * sine, dy * cosine - dx * sine
    return (
        abs(along) <= half_other[0] + half[0] * abs(cosine) + half[1] * abs(sine)
        and abs(across) <= half_other[1] + half[0] * abs(sine) + half[1] * abs(cosine)
    )  # fmt: skip


def _seen(
    bodies: Sequence[Mover], place: _Place, front_m: float, sensor: Sensor, t_s: float
) -> tuple[TrackedObject, ...]:
    """What stands in the field of view now, without noise."""
    found = []
    for number, body in enumerate(bodies):
        ahead, left = place.local(body)
        turned = body.heading_rad - place.heading_rad
        long_m, wide_m = body.size_m
        half_x, _ = _half(body.size_m, turned)
        near_m = ahead - half_x
        is_behind = ahead + half_x < front_m
        if not body.is_there or t_s < body.seen_from_s or is_behind or ahead > sensor.range_m:
            continue
        if abs(math.atan2(left, max(ahead, 0.1))) > sensor.view_rad:
            continue
        if any(_hides(other, ahead, left, place, front_m) for other in bodies if other.is_there and other is not body):
            continue
        found.append(
            TrackedObject(
                object_id=number, object_class=body.kind, x_m=near_m, y_m=left,
                speed_x_mps=body.speed_mps * math.cos(turned),
                speed_y_mps=body.speed_mps * math.sin(turned) + body.across_mps,
                accel_x_mps2=body.accel_mps2 * math.cos(turned), yaw_rad=math.remainder(turned, math.tau),
                length_m=long_m, width_m=wide_m, x_std_m=max(sensor.place_std_m, 0.05),
                y_std_m=max(sensor.place_std_m, 0.05), speed_x_std_mps=max(sensor.speed_std_mps, 0.05),
                confidence=0.95, age_s=max(t_s - max(body.seen_from_s, -SETTLE_S), 0.0), sources=sensor.sources,
            )
        )  # fmt: skip
    return tuple(found)


def _hides(other: Mover, ahead_m: float, left_m: float, place: _Place, front_m: float) -> bool:
    """Whether another body stands in the line from our front to a place in our frame."""
    mid_x, mid_y = place.local(other)
    if mid_x >= ahead_m or mid_x <= front_m:
        return False
    turned = other.heading_rad - place.heading_rad
    half_x, half_y = 0.5 * other.size_m[0], 0.5 * other.size_m[1]
    across, along = math.cos(turned), math.sin(turned)

    def local(px: float, py: float) -> tuple[float, float]:
        dx, dy = px - mid_x, py - mid_y
        return dx * across + dy * along, dy * across - dx * along

    (ax, ay), (bx, by) = local(front_m, 0.0), local(ahead_m, left_m)
    first, last = 0.0, 1.0  # of the line, inside the box by its slabs
    for start, end, half in ((ax, bx, half_x), (ay, by, half_y)):
        span = end - start
        if abs(span) < 1e-9:
            if abs(start) > half:
                return False
            continue
        low, high = sorted(((-half - start) / span, (half - start) / span))
        first, last = max(first, low), min(last, high)
    return first < last


def _told(stamp_s: float, objects: tuple[TrackedObject, ...], sensor: Sensor, noise: random.Random) -> TrackedObjects:
    """The message: some of it missing, all of it noisy."""
    kept = [item for item in objects if noise.random() >= sensor.miss_share]
    told = tuple(
        replace(
            item,
            x_m=item.x_m + noise.gauss(0.0, sensor.place_std_m),
            y_m=item.y_m + noise.gauss(0.0, sensor.place_std_m),
            speed_x_mps=item.speed_x_mps + noise.gauss(0.0, sensor.speed_std_mps),
            speed_y_mps=item.speed_y_mps + noise.gauss(0.0, sensor.speed_std_mps),
        )
        for item in kept
    )
    return TrackedObjects(stamp_s=stamp_s, objects=told)
