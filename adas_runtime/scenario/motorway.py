"""A motorway with several lanes and traffic: the simulated car, its camera, what a supplier tells of road users.

The functions run in the same executor as on the car, arbiter and envelope included. Lanes count from the left, 0
leftmost; between two of them lies one marking. Time is a count of steps of 10 ms: nothing waits.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, FunctionSpec
from adas_runtime.graph import SOURCES, Graph, Source, live_topic
from adas_runtime.market.schema import Market
from adas_runtime.scenario.lane_camera import CameraModel
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import STEP_S, SingleTrack
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    BodyState,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Gear,
    Horizon,
    HorizonSegment,
    Indicator,
    LampRequest,
    LaneBeyond,
    LaneBoundary,
    LaneEdge,
    LaneModel,
    LaneSide,
    LateralRequest,
    MarkingColour,
    MarkingType,
    ObjectClass,
    RoadClass,
    Stage,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

LANE_TOPIC: Final = "/simulation/lane"
MAP_TOPIC: Final = "/simulation/map"
OBJECTS_TOPIC: Final = "/simulation/objects"
START_S: Final = 1000.0  # of the clock; stamps are never zero
LINE_M: Final = 0.15
CAR_LENGTH_M: Final = 4.5
COMMAND: Final = live_topic("envelope", "command")
QUIET: Final = CameraModel()


@dataclass(frozen=True, slots=True, kw_only=True)
class Does:
    """What the driver does in one step; without steering of their own they hold the road's curvature."""

    indicator: Indicator = Indicator.OFF
    pressed: tuple[str, ...] = ()
    is_hands_on: bool | None = True
    torque_nm: float = 0.0


@dataclass(slots=True)
class Other:
    """Another road user: its lane, the way of its rear end (ahead) or front (behind), its speed."""

    lane: float
    s_m: float
    speed_mps: float
    kind: ObjectClass = ObjectClass.CAR
    lane_rate: float = 0.0  # lanes a second, to the right
    born_s: float = -10.0
    sees_from_s: float = -math.inf  # the supplier tells of it from then on


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """One step: what the car did, and what was said in it.

    Args:
        t_s: Since the drive's start.
        lane: The lane that the car is in.
        error_m: Rear axle, left of that lane's centre.
        place_m: Rear axle, left of the centre of the lane that the drive began in.
        left_m, right_m: Front tyres to the inner edges of the markings of that first lane, inside positive.
        states: Of the functions.
        requests: Lateral requests of this step by author; an entry of one that hands back is not active.
    """

    t_s: float
    lane: int
    error_m: float
    place_m: float
    front_m: float
    left_m: float
    right_m: float
    speed_mps: float
    lateral_accel_mps2: float
    command: ActuationCommand | None
    states: dict[str, str]
    requests: dict[str, LateralRequest]
    alerts: tuple[Alert, ...]
    lamps: LampRequest | None


@dataclass(slots=True, kw_only=True)
class Motorway:
    """The drive; `run` goes on from where the former one ended.

    Args:
        market, vehicle: As anywhere; every function is at stage `on`.
        functions: What runs, arbiter and envelope included; no function that makes the lane.
        lanes, lane: How many there are, and where the car begins.
        speed_kmh: Of the car, and it stays.
        road: Its course.
        others: Road users.
        camera: Noise and latency of the lane.
        is_solid: Markings between lanes may not be crossed.
        is_oncoming: Left of the leftmost lane come others, behind a broken line.
        horizon: The map; `None` is none.
        has_lines: The camera tells lines, and the ego lane's own estimate (among `functions`) makes the lane.
        delay_s, lag_s: The real actuator; `None`: as the vehicle file says.
    """

    market: Market
    vehicle: Vehicle
    functions: Sequence[FunctionSpec]
    lanes: int = 3
    lane: int = 1
    width_m: float = 3.5
    speed_kmh: float = 100.0
    road: Road = field(default_factory=Road)
    others: list[Other] = field(default_factory=list)
    camera: CameraModel = QUIET
    is_solid: bool = False
    is_oncoming: bool = False
    is_blind: bool = False
    has_objects: bool = True
    has_lines: bool = False
    wind_mps: float = 0.0
    horizon: Horizon | None = None
    delay_s: float | None = None
    lag_s: float | None = None
    ticks: list[Tick] = field(default_factory=list)
    car: SingleTrack = field(init=False)
    executor: Executor = field(init=False)
    _first: int = field(init=False)
    _random: random.Random = field(init=False)
    _pictures: list[EgoLane | LaneModel] = field(init=False, default_factory=list)
    _states: dict[str, str] = field(init=False, default_factory=dict)
    _command: ActuationCommand | None = field(init=False, default=None)
    _lamps: LampRequest | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Build car and executor."""
        self.car = SingleTrack(
            self.vehicle, self.road, speed_mps=kmh_to_mps(self.speed_kmh), delay_s=self.delay_s, lag_s=self.lag_s
        )
        self._first, self._random = self.lane, random.Random(self.camera.seed)
        if self.horizon is None:
            self.horizon = motorway_map(self.lanes)
        used = {item.signal for spec in self.functions for item in spec.inputs}
        stood_in = ("map_supplier", "object_supplier")
        sources = tuple(source for source in SOURCES if source.signal in used and source.name not in stood_in)
        extra = [Source(name="horizon", signal=Horizon, topic=MAP_TOPIC, rate_hz=5.0)]
        extra.append(Source(name="tracking", signal=TrackedObjects, topic=OBJECTS_TOPIC, rate_hz=20.0))
        if self.has_lines:
            extra.append(Source(name="lane_perception", signal=LaneModel, topic=LANE_TOPIC, rate_hz=20.0))
        else:
            extra.append(Source(name="lane_simulation", signal=EgoLane, topic=LANE_TOPIC, rate_hz=20.0))
        context = BuildContext(market=self.market, vehicle=self.vehicle)
        stages = {spec.name: Stage.ON for spec in self.functions}
        self.executor = Executor(Graph(self.functions, (*sources, *extra)), context, stages)

    def run(self, seconds: float, does: Does | Callable[[float], Does] = Does()) -> list[Tick]:
        """Drive on; times of a callable count from the start of this part."""
        begin = len(self.ticks)
        for number in range(round(seconds / STEP_S)):
            self._step(does(number * STEP_S) if callable(does) else does)
        return self.ticks[begin:]

    @property
    def t_s(self) -> float:
        """Time since the drive's start [s]."""
        return len(self.ticks) * STEP_S

    def centre_m(self, lane: float) -> float:
        """Centre of a lane, left of the one that the drive began in [m]."""
        return (self._first - lane) * (self.width_m + LINE_M)

    def place(self, lane: float, ahead_m: float, speed_kmh: float) -> Other:
        """Another car, so far ahead of the car's rear axle now (behind: negative)."""
        other = Other(lane=lane, s_m=self.car.motion.s_m + ahead_m, speed_mps=kmh_to_mps(speed_kmh))
        self.others.append(other)
        return other

    def _step(self, does: Does) -> None:
        car, t_s = self.car, self.t_s
        now_s, number = START_S + t_s, len(self.ticks)
        offer, said = self.executor.offer, []
        place_m = car.motion.d_m
        middle_m = 0.5 * (place_m + car.front_offset_m)
        lane = min(range(self.lanes), key=lambda index: abs(middle_m - self.centre_m(index)))
        if number % 5 == 0:
            pressed = DriverInput(stamp_s=now_s, pressed=does.pressed, indicator=does.indicator)
            said += offer("/vehicle/driver_input", pressed, now_s)
            said += offer("/vehicle/body", BodyState(stamp_s=now_s, is_master_switch_on=True), now_s)
            if self.has_objects:
                said += offer(OBJECTS_TOPIC, self._objects(now_s), now_s)
            if self.horizon is not None and number % 20 == 0:
                said += offer(MAP_TOPIC, _stamped(self.horizon, now_s), now_s)
            if not self.is_blind:
                self._pictures.append(self._lines(now_s) if self.has_lines else self._picture(lane, now_s))
        while self._pictures and now_s - self._pictures[0].stamp_s >= self.camera.latency_s - 1e-9:
            said += offer(LANE_TOPIC, self._pictures.pop(0), now_s)
        state = VehicleState(
            stamp_s=now_s,
            speed_mps=car.speed_mps,
            accel_mps2=0.0,
            lateral_accel_mps2=car.lateral_accel_mps2,
            yaw_rate_rps=car.motion.yaw_rate_rps,
            steering_wheel_angle_rad=car.motion.wheel_rad * self.vehicle.steering.ratio,
            driver_torque_nm=does.torque_nm,
            is_hands_on=does.is_hands_on,
            is_braking=False,
            accelerator=0.1,
            gear=Gear.DRIVE,
        )
        said += offer("/vehicle/state", state, now_s)
        said += self.executor.advance(now_s)
        alerts, requests = [], {}
        for emission in said:
            signal = emission.signal
            if emission.topic == COMMAND and isinstance(signal, ActuationCommand):
                self._command = signal
            elif isinstance(signal, Alert):
                alerts.append(signal)
            elif isinstance(signal, LateralRequest):
                requests[signal.author] = signal
            elif isinstance(signal, LampRequest):
                self._lamps = signal
            elif isinstance(signal, FunctionStatus):
                self._states[signal.author] = signal.state
        free_m = 0.5 * self.width_m - 0.5 * self.vehicle.dimensions.tyre_outer_width_m
        self.ticks.append(
            Tick(
                t_s=t_s,
                lane=lane,
                error_m=place_m - self.centre_m(lane),
                place_m=place_m,
                front_m=car.front_offset_m,
                left_m=free_m - car.front_offset_m,
                right_m=free_m + car.front_offset_m,
                speed_mps=car.speed_mps,
                lateral_accel_mps2=car.lateral_accel_mps2,
                command=self._command,
                states=dict(self._states),
                requests=requests,
                alerts=tuple(alerts),
                lamps=self._lamps,
            )
        )
        car.step(self._wheel_rad(does), wind_mps=self.wind_mps)
        for item in self.others:
            item.s_m += item.speed_mps * STEP_S
            item.lane += item.lane_rate * STEP_S

    def _wheel_rad(self, does: Does) -> float:
        car, command = self.car, self._command
        own_rad = car.wheel_for(car.road.curvature_1pm(car.motion.s_m))
        if command is None or not command.is_lateral_active:
            return own_rad
        share = command.lateral_authority
        return share * car.wheel_for(command.curvature_1pm) + (1.0 - share) * own_rad

    def _picture(self, lane: int, now_s: float) -> EgoLane:
        car, motion, model = self.car, self.car.motion, self.camera
        noise_m = self._random.gauss(0.0, model.offset_std_m) if model.offset_std_m else 0.0
        turn_rad = self._random.gauss(0.0, model.heading_std_rad) if model.heading_std_rad else 0.0
        error_m = motion.d_m - self.centre_m(lane)
        free_m = 0.5 * self.width_m - 0.5 * self.vehicle.dimensions.tyre_outer_width_m
        front_m = car.front_offset_m - self.centre_m(lane) - noise_m
        out_mps = car.speed_mps * math.sin(motion.heading_rad) + car.rear_lateral_mps
        out_mps += car.base_m * (motion.yaw_rate_rps - car.speed_mps * car.road.curvature_1pm(motion.s_m))
        return EgoLane(
            stamp_s=now_s,
            edges=(
                self._edge(LaneSide.LEFT, free_m - front_m, -out_mps, lane == 0),
                self._edge(LaneSide.RIGHT, free_m + front_m, out_mps, lane == self.lanes - 1),
            ),
            offset_m=-error_m / math.cos(motion.heading_rad) + noise_m,
            heading_rad=-motion.heading_rad + model.heading_bias_rad + turn_rad,
            curvature_1pm=car.road.curvature_1pm(motion.s_m),
            curvature_rate_1pm2=car.road.rate_1pm2(motion.s_m),
            width_m=self.width_m,
            x_max_m=model.x_max_m,
            lanes=self.lanes,
            lane_from_left=lane,
            is_calibrated=True,
            is_fit_to_steer=True,
            confidence=0.9,
            reason="following_lines",
        )

    def _lines(self, now_s: float) -> LaneModel:
        """The lines as a camera tells them: two on either side of the car."""
        car, motion, model = self.car, self.car.motion, self.camera
        kappa, rate = car.road.curvature_1pm(motion.s_m), car.road.rate_1pm2(motion.s_m)
        noise_m = self._random.gauss(0.0, model.offset_std_m) if model.offset_std_m else 0.0
        places = [self.centre_m(number - 0.5) for number in range(self.lanes + 1)]
        left = [place for place in places if place >= car.front_offset_m]
        right = [place for place in places if place < car.front_offset_m]
        sides = {
            LaneSide.LEFT: left[-1:],
            LaneSide.NEXT_LEFT: left[-2:-1],
            LaneSide.RIGHT: right[:1],
            LaneSide.NEXT_RIGHT: right[1:2],
        }
        boundaries = tuple(
            LaneBoundary(
                side=side,
                c0_m=(place - motion.d_m) / math.cos(motion.heading_rad) + noise_m,
                c1=-motion.heading_rad,
                c2_1pm=0.5 * kappa,
                c3_1pm2=rate / 6.0,
                x_min_m=4.0,
                x_max_m=model.x_max_m,
                type=MarkingType.SOLID if place in (places[0], places[-1]) or self.is_solid else MarkingType.DASHED,
                colour=MarkingColour.WHITE,
                confidence=0.95,
                offset_std_m=0.03,
                width_m=LINE_M,
            )
            for side, at in sides.items()
            for place in at
        )
        return LaneModel(stamp_s=now_s, boundaries=boundaries, is_calibrated=True)

    def _edge(self, side: LaneSide, distance_m: float, rate_mps: float, is_last: bool) -> LaneEdge:
        is_open = not is_last and not self.is_solid
        beyond = LaneBeyond.SAME_DIRECTION
        if is_last:
            is_foe = self.is_oncoming and side is LaneSide.LEFT
            is_open = is_foe
            beyond = LaneBeyond.ONCOMING if is_foe else LaneBeyond.SHOULDER
        return LaneEdge(
            side=side,
            distance_m=distance_m,
            rate_mps=rate_mps,
            type=MarkingType.DASHED if is_open else MarkingType.SOLID,
            colour=MarkingColour.WHITE,
            width_m=LINE_M,
            may_cross=is_open,
            beyond=beyond,
            confidence=0.9,
        )

    def _objects(self, now_s: float) -> TrackedObjects:
        motion, t_s = self.car.motion, now_s - START_S
        found = []
        for number, item in enumerate(self.others):
            if t_s < item.sees_from_s:
                continue
            ahead_m = item.s_m - motion.s_m
            kappa = self.road.curvature_1pm(motion.s_m)
            found.append(
                TrackedObject(
                    object_id=number,
                    object_class=item.kind,
                    x_m=min(max(ahead_m, -500.0), 500.0),
                    y_m=self.centre_m(item.lane)
                    - motion.d_m
                    - motion.heading_rad * ahead_m
                    + 0.5 * kappa * ahead_m * ahead_m,
                    speed_x_mps=item.speed_mps,
                    speed_y_mps=item.speed_mps * (kappa * ahead_m - motion.heading_rad)
                    - item.lane_rate * (self.width_m + LINE_M),
                    length_m=CAR_LENGTH_M,
                    width_m=1.8,
                    x_std_m=0.2,
                    y_std_m=0.1,
                    speed_x_std_mps=0.2,
                    confidence=0.9,
                    age_s=min(max(t_s - max(item.born_s, item.sees_from_s), 0.0), 1e5),
                    sources=("radar",),
                )
            )
        return TrackedObjects(stamp_s=now_s, objects=tuple(found))


def motorway_map(lanes: int = 3) -> Horizon:
    """What a map says of a motorway."""
    segment = HorizonSegment(
        offset_m=0.0,
        length_m=5000.0,
        probability=1.0,
        road_class=RoadClass.MOTORWAY,
        is_dual_carriageway=True,
        is_built_up=False,
        lanes=lanes,
    )
    return Horizon(stamp_s=START_S, is_matched=True, confidence=0.9, segments=(segment,))


def _stamped(horizon: Horizon, now_s: float) -> Horizon:
    return Horizon(
        stamp_s=now_s,
        is_matched=horizon.is_matched,
        provider=horizon.provider,
        confidence=horizon.confidence,
        segments=horizon.segments,
    )
