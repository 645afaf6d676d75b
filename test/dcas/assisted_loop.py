"""Closed loop: a motorway with lanes and traffic, the single-track car, assistance with arbiter and envelope."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from assisted_drives import MARKET, VEHICLE, road

from adas_runtime.arbitration.arbiter import SPEC as ARBITER
from adas_runtime.arbitration.envelope import SPEC as ENVELOPE
from adas_runtime.dcas.core import SPEC as DCAS
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, FunctionSpec
from adas_runtime.graph import SOURCES, Graph, Source, live_topic
from adas_runtime.lane_keeping.ego_lane import SPEC as EGO_LANE
from adas_runtime.market.schema import Market
from adas_runtime.perception.tracking.core import SPEC as TRACKING
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import STEP_S, SingleTrack
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    AssistanceState,
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    FunctionStatus,
    GazeZone,
    Gear,
    Horizon,
    Indicator,
    LampRequest,
    LaneBeyond,
    LaneBoundary,
    LaneEdge,
    LaneModel,
    LaneSide,
    LimitKind,
    MarkingColour,
    MarkingType,
    ObjectClass,
    SpeedLimitState,
    Stage,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps

WIDTH_M: Final = 3.5
START_S: Final = 1000.0
LATENCY_S: Final = 0.05
EXTRA: Final = (
    Source(name="lane_sim", signal=EgoLane, topic="/sim/lane", rate_hz=20.0),
    Source(name="limit_sim", signal=SpeedLimitState, topic="/sim/limit", rate_hz=10.0),
    Source(name="lane_departure", signal=FunctionStatus, topic="/sim/departure", rate_hz=1.0),
)
REAL: Final = (
    Source(name="lane_perception", signal=LaneModel, topic="/sim/lanes", rate_hz=20.0),
    Source(name="horizon", signal=Horizon, topic="/sim/horizon", rate_hz=5.0),
    *EXTRA[1:],
)
WANTED: Final = ("vehicle_state", "driver_input", "body", "driver_camera", "object_supplier", "map_supplier")


@dataclass(frozen=True, slots=True, kw_only=True)
class Does:
    """What the driver does."""

    hands: bool = True
    zone: GazeZone = GazeZone.ROAD
    pressed: tuple[str, ...] = ()
    indicator: Indicator = Indicator.OFF
    torque_nm: float = 0.0
    brake: bool = False


@dataclass(slots=True)
class Other:
    """Another car: lane from the left, way, speed."""

    lane: int
    s_m: float
    speed_mps: float
    accel_mps2: float = 0.0


@dataclass(frozen=True, slots=True)
class Tick:
    """One step of the car."""

    t_s: float
    lane: int
    error_m: float  # rear axle, left of its lane's centre
    place_m: float  # rear axle, left of the leftmost lane's centre
    speed_mps: float
    lateral_accel_mps2: float
    accel_mps2: float
    state: AssistanceState | None
    status: FunctionStatus | None
    command: ActuationCommand | None
    alerts: tuple[Alert, ...]
    lamps: LampRequest | None


@dataclass(slots=True)
class Loop:
    """The motorway; lane 0 is the leftmost."""

    lanes: int = 2
    lane: int = 1
    speed_kmh: float = 100.0
    market: Market = MARKET
    function: FunctionSpec = DCAS
    besides: tuple[FunctionSpec, ...] = ()  # at work as well
    way: Road = field(default_factory=Road)
    others: list[Other] = field(default_factory=list)
    limit_kmh: float | None = 130.0
    horizon: Horizon | None = field(default_factory=road)
    solid: bool = False
    wind_mps: float = 0.0  # from the right: it pushes left
    gyro_bias_rps: float = 0.0  # what the yaw rate is told too far to the left
    real_lane: bool = False  # lines go through the ego lane's own estimate
    start_s: float = START_S
    blind: bool = False  # with `real_lane`: the camera sees no line any more
    ticks: list[Tick] = field(default_factory=list)
    car: SingleTrack = field(init=False)
    executor: Executor = field(init=False)
    _first: int = field(init=False)
    _heard: dict[str, Any] = field(init=False, default_factory=dict)
    _pictures: list[EgoLane | LaneModel] = field(init=False, default_factory=list)
    _accel_mps2: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.car = SingleTrack(VEHICLE, self.way, speed_mps=kmh_to_mps(self.speed_kmh))
        self._first = self.lane
        sources = tuple(source for source in SOURCES if source.name in WANTED)
        if self.real_lane:
            sources = tuple(source for source in sources if source.name != "map_supplier")
            graph = Graph((EGO_LANE, TRACKING, self.function, *self.besides, ARBITER, ENVELOPE), (*sources, *REAL))
        else:
            graph = Graph((TRACKING, self.function, *self.besides, ARBITER, ENVELOPE), (*sources, *EXTRA))
        self.executor = Executor(
            graph,
            BuildContext(market=self.market, vehicle=VEHICLE),
            {spec.name: Stage.ON for spec in (self.function, *self.besides)},
        )

    def run(self, seconds: float, does: Does | Callable[[float], Does] = Does()) -> list[Tick]:
        """Drive on; times of a callable count from the start of this part."""
        begin = len(self.ticks)
        for number in range(round(seconds / STEP_S)):
            self._step(does(number * STEP_S) if callable(does) else does)
        return self.ticks[begin:]

    def set_back(self, seconds: float) -> None:
        """The clock is set back."""
        self.start_s -= seconds
        self._pictures.clear()

    def activate(self) -> None:
        """Switch on, set the present speed; then let the controller settle."""
        self.run(1.0)
        for button in ("dcas", "set_speed"):
            self.run(0.2, Does(pressed=(button,)))
            self.run(0.3)
        self.run(3.0)

    def _centre_m(self, lane: int) -> float:
        """Centre of a lane, left of the one that the car began in."""
        return (self._first - lane) * WIDTH_M

    def _step(self, does: Does) -> None:
        car, now_s = self.car, self.start_s + len(self.ticks) * STEP_S
        offer = self.executor.offer
        said = []
        number = len(self.ticks)
        front_m = car.front_offset_m
        lane = min(range(self.lanes), key=lambda index: abs(front_m - self._centre_m(index)))
        if number % 5 == 0:
            said += offer(
                "/vehicle/driver_input",
                DriverInput(stamp_s=now_s, pressed=does.pressed, indicator=does.indicator),
                now_s,
            )
            said += offer(
                "/driver/state",
                DriverState(
                    stamp_s=now_s,
                    is_face_visible=True,
                    gaze_zone=does.zone,
                    frame=number,
                    confidence=0.9,
                    eye_openness=0.9,
                    head_yaw_rad=0.15 * math.sin(0.01 * number),
                    head_pitch_rad=0.0,
                ),
                now_s,
            )
            said += offer("/objects/tracked", self._objects(now_s), now_s)
            self._pictures.append(self._lines(now_s) if self.real_lane else self._lane(lane, now_s))
            if self.horizon is not None:
                topic = "/sim/horizon" if self.real_lane else "/map/horizon"
                said += offer(topic, replace(self.horizon, stamp_s=now_s), now_s)
            if self.limit_kmh is not None:
                limit = SpeedLimitState(
                    stamp_s=now_s, limit_mps=kmh_to_mps(self.limit_kmh), kind=LimitKind.EXPLICIT, confidence=0.9
                )
                said += offer("/sim/limit", limit, now_s)
            said += offer(
                "/vehicle/body",
                BodyState(
                    stamp_s=now_s,
                    is_master_switch_on=True,
                    is_driver_seated=True,
                    is_driver_belt_fastened=True,
                    is_parking_brake_on=False,
                ),
                now_s,
            )
            status = FunctionStatus(stamp_s=now_s, author="lane_departure", stage=Stage.WARN, state="armed")
            said += offer("/sim/departure", status, now_s)
        while self._pictures and now_s - self._pictures[0].stamp_s >= LATENCY_S - 1e-9:
            said += offer("/sim/lanes" if self.real_lane else "/sim/lane", self._pictures.pop(0), now_s)
        said += offer(
            "/vehicle/state",
            VehicleState(
                stamp_s=now_s,
                speed_mps=car.speed_mps,
                accel_mps2=self._accel_mps2,
                yaw_rate_rps=car.motion.yaw_rate_rps + self.gyro_bias_rps,
                driver_torque_nm=does.torque_nm,
                is_hands_on=does.hands,
                is_braking=does.brake,
                accelerator=0.0,
                brake=0.3 if does.brake else 0.0,
                gear=Gear.DRIVE,
            ),
            now_s,
        )
        said += self.executor.advance(now_s)
        alerts = []
        for emission in said:
            if isinstance(emission.signal, Alert):
                alerts.append(emission.signal)
            self._heard[emission.topic] = emission.signal
        command = self._heard.get(live_topic("envelope", "command"))
        self.ticks.append(
            Tick(
                number * STEP_S,
                lane,
                car.motion.d_m - self._centre_m(lane),
                car.motion.d_m,
                car.speed_mps,
                car.lateral_accel_mps2,
                self._accel_mps2,
                self._heard.get(live_topic("dcas", "state")),
                self._heard.get(live_topic(self.function.name, "status")),
                command,
                tuple(alerts),
                self._heard.get(live_topic(self.function.name, "lamps")),
            )
        )
        wheel_rad, accel_mps2 = car.wheel_for(car.road.curvature_1pm(car.motion.s_m)), 0.0
        if command is not None and command.is_lateral_active:
            share = command.lateral_authority
            wheel_rad = share * car.wheel_for(command.curvature_1pm) + (1.0 - share) * wheel_rad
        if command is not None and command.is_longitudinal_active:
            accel_mps2 = command.accel_mps2
        drive = VEHICLE.drive
        self._accel_mps2 += (accel_mps2 - self._accel_mps2) * STEP_S / (drive.lag_s + STEP_S)
        if car.speed_mps <= 0.5 and self._accel_mps2 < 0.0:
            car.speed_mps = 0.0
        car.step(wheel_rad, wind_mps=self.wind_mps, accel_mps2=self._accel_mps2) if car.speed_mps > 0.0 else None
        for item in self.others:
            item.speed_mps = max(item.speed_mps + item.accel_mps2 * STEP_S, 0.0)
            item.s_m += item.speed_mps * STEP_S

    def _lane(self, lane: int, now_s: float) -> EgoLane:
        car = self.car
        motion = car.motion
        error_m = motion.d_m - self._centre_m(lane)
        half_m = 0.5 * WIDTH_M - 0.5 * VEHICLE.dimensions.tyre_outer_width_m
        front_m = car.front_offset_m - self._centre_m(lane)
        is_left, is_right = lane == 0, lane == self.lanes - 1

        def edge(side: LaneSide, distance_m: float, is_last: bool) -> LaneEdge:
            beyond = LaneBeyond.SAME_DIRECTION
            if is_last:
                beyond = LaneBeyond.OFF_ROAD if side is LaneSide.LEFT else LaneBeyond.SHOULDER
            return LaneEdge(
                side=side,
                distance_m=distance_m,
                width_m=0.15,
                may_cross=not is_last and not self.solid,
                beyond=beyond,
                confidence=0.9,
            )

        return EgoLane(
            stamp_s=now_s,
            edges=(edge(LaneSide.LEFT, half_m - front_m, is_left), edge(LaneSide.RIGHT, half_m + front_m, is_right)),
            offset_m=-error_m / math.cos(motion.heading_rad),
            heading_rad=-motion.heading_rad,
            curvature_1pm=car.road.curvature_1pm(motion.s_m),
            curvature_rate_1pm2=car.road.rate_1pm2(motion.s_m),
            width_m=WIDTH_M,
            x_max_m=50.0,
            is_calibrated=True,
            is_fit_to_steer=True,
            confidence=0.9,
            reason="following_lines",
        )

    def _lines(self, now_s: float) -> LaneModel:
        """The lines as a camera tells them: two on either side of the car."""
        if self.blind:
            return LaneModel(stamp_s=now_s, is_calibrated=True)
        car = self.car
        motion = car.motion
        kappa, rate = car.road.curvature_1pm(motion.s_m), car.road.rate_1pm2(motion.s_m)
        places = [self._centre_m(0) + (0.5 - number) * WIDTH_M for number in range(self.lanes + 1)]
        left = [place for place in places if place >= car.front_offset_m]
        right = [place for place in places if place < car.front_offset_m]
        sides = {
            LaneSide.LEFT: left[-1:],
            LaneSide.NEXT_LEFT: left[-2:-1],
            LaneSide.RIGHT: right[:1],
            LaneSide.NEXT_RIGHT: right[1:2],
        }
        found = []
        for side, at in sides.items():
            for place in at:
                is_outer = place in (places[0], places[-1])
                found.append(
                    LaneBoundary(
                        side=side,
                        c0_m=(place - motion.d_m) / math.cos(motion.heading_rad),
                        c1=-motion.heading_rad,
                        c2_1pm=0.5 * kappa,
                        c3_1pm2=rate / 6.0,
                        x_min_m=4.0,
                        x_max_m=50.0,
                        type=MarkingType.SOLID if is_outer or self.solid else MarkingType.DASHED,
                        colour=MarkingColour.WHITE,
                        confidence=0.95,
                        offset_std_m=0.03,
                        width_m=0.15,
                    )
                )
        return LaneModel(stamp_s=now_s, boundaries=tuple(found), is_calibrated=True)

    def _objects(self, now_s: float) -> TrackedObjects:
        found = []
        for number, item in enumerate(self.others):
            ahead_m = item.s_m - self.car.motion.s_m
            # a car ahead is told by its rear end, one behind by its front
            found.append(
                TrackedObject(
                    object_id=number,
                    object_class=ObjectClass.CAR,
                    x_m=ahead_m,
                    y_m=self._centre_m(item.lane) - self.car.motion.d_m,
                    speed_x_mps=item.speed_mps,
                    speed_y_mps=0.0,
                    length_m=4.5,
                    width_m=1.8,
                    x_std_m=0.1,
                    y_std_m=0.1,
                    speed_x_std_mps=0.1,
                    confidence=0.9,
                    age_s=min(now_s - self.start_s + 5.0, 1e5),
                    sources=("radar", "camera"),
                )
            )
        return TrackedObjects(stamp_s=now_s, objects=tuple(found))

    def codes(self) -> list[str]:
        """Alerts in the order of their beginning."""
        found: list[str] = []
        for tick in self.ticks:
            for alert in tick.alerts:
                if alert.is_active and (not found or alert.code not in found):
                    found.append(alert.code)
        return found
