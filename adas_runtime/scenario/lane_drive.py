"""A drive of the simulated car in its lane, with the real functions, arbiter and envelope in the loop.

The functions run in the same executor as on the car. What the envelope commands steers the car, by its share of the
authority; the rest is the driver's. Time is a count of steps of 10 ms: nothing waits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, FunctionSpec
from adas_runtime.graph import SOURCES, Graph, Source, live_topic
from adas_runtime.market.schema import Market
from adas_runtime.scenario.lane_camera import LaneCamera
from adas_runtime.scenario.single_track import STEP_S, SingleTrack
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    BodyState,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Gear,
    Indicator,
    LateralRequest,
    Signal,
    Stage,
    VehicleState,
)

LANE_TOPIC: Final = "/simulation/lane"
START_S: Final = 100.0  # of the clock; stamps are never zero
COMMAND: Final = live_topic("envelope", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What the driver does in one step.

    Args:
        curvature_1pm: Where the driver steers with what the system leaves; `None`: holds the car's present heading
            against the road.
        torque_nm: Torque on the wheel, as the car measures it.
        is_hands_on: What the hands sensor tells.
        indicator, pressed: Stalk and buttons.
        accelerator, accel_mps2: Pedal, and how the speed changes.
    """

    curvature_1pm: float | None = None
    torque_nm: float | None = 0.0
    is_hands_on: bool | None = True
    indicator: Indicator = Indicator.OFF
    pressed: tuple[str, ...] = ()
    accelerator: float = 0.0
    accel_mps2: float = 0.0


HANDS_ON: Final = Driver()
HANDS_OFF: Final = Driver(is_hands_on=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One step: what the car did, and what was said in it."""

    t_s: float
    s_m: float
    error_m: float  # rear axle, left of the lane's centre
    left_dtlm_m: float
    right_dtlm_m: float
    speed_mps: float
    lateral_accel_mps2: float
    curvature_1pm: float
    command: ActuationCommand | None
    states: dict[str, str]
    requests: dict[str, LateralRequest]
    alerts: tuple[Alert, ...]

    @property
    def dtlm_m(self) -> float:
        """Distance to the nearer line [m]."""
        return min(self.left_dtlm_m, self.right_dtlm_m)


@dataclass(slots=True, kw_only=True)
class Drive:
    """The car, its camera and its functions; `run` goes on from where the former one ended.

    Args:
        market: Whose parameters hold; every function is at stage `on`.
        car: The simulated car.
        camera: Its lane camera.
        functions: What runs, arbiter and envelope included; no function that makes the lane.
    """

    market: Market
    car: SingleTrack
    camera: LaneCamera
    functions: Sequence[FunctionSpec]
    moments: list[Moment] = field(default_factory=list)
    executor: Executor = field(init=False)
    _lane: EgoLane | None = field(init=False, default=None)
    _command: ActuationCommand | None = field(init=False, default=None)
    _states: dict[str, str] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Build the executor."""
        used = {item.signal for spec in self.functions for item in spec.inputs}
        sources = tuple(source for source in SOURCES if source.signal in used)
        lane = Source(name="lane_simulation", signal=EgoLane, topic=LANE_TOPIC, rate_hz=20.0)
        context = BuildContext(market=self.market, vehicle=self.car.vehicle)
        stages = {spec.name: Stage.ON for spec in self.functions}
        self.executor = Executor(Graph(self.functions, (*sources, lane)), context, stages)

    def run(
        self,
        seconds: float,
        driver: Driver | Callable[[float], Driver] = HANDS_ON,
        *,
        wind_mps: Callable[[float], float] | float = 0.0,
        is_blind: bool = False,
        shift_m: float = 0.0,
        other: Sequence[tuple[str, Signal]] = (),
    ) -> list[Moment]:
        """Drive on for some time; gives back the moments of it. Times of the callables count from the drive's start."""
        begin = len(self.moments)
        for _ in range(round(seconds / STEP_S)):
            t_s = self.car.t_s
            acts = driver(t_s) if callable(driver) else driver
            wind = wind_mps(t_s) if callable(wind_mps) else wind_mps
            self._step(t_s, acts, wind, is_blind, shift_m, other)
        return self.moments[begin:]

    def _step(
        self,
        t_s: float,
        acts: Driver,
        wind_mps: float,
        is_blind: bool,
        shift_m: float,
        other: Sequence[tuple[str, Signal]],
    ) -> None:
        now_s, car = START_S + t_s, self.car
        emissions = []
        if round(t_s / STEP_S) % 5 == 0:
            pressed = DriverInput(stamp_s=now_s, indicator=acts.indicator, pressed=acts.pressed)
            emissions += self.executor.offer("/vehicle/driver_input", pressed, now_s)
            body = BodyState(stamp_s=now_s, is_master_switch_on=True)
            emissions += self.executor.offer("/vehicle/body", body, now_s)
        for topic, signal in other:
            emissions += self.executor.offer(topic, signal, now_s)
        lane = self.camera.look(car, now_s, is_blind=is_blind, shift_m=shift_m)
        if lane is not None and lane is not self._lane:
            self._lane = lane
            emissions += self.executor.offer(LANE_TOPIC, lane, now_s)
        emissions += self.executor.offer("/vehicle/state", self._vehicle(now_s, acts), now_s)
        emissions += self.executor.advance(now_s)
        alerts, requests = [], {}
        for emission in emissions:
            signal = emission.signal
            if emission.topic == COMMAND and isinstance(signal, ActuationCommand):
                self._command = signal
            elif isinstance(signal, Alert):
                alerts.append(signal)
            elif isinstance(signal, LateralRequest):
                requests[signal.author] = signal
            elif isinstance(signal, FunctionStatus):
                self._states[signal.author] = signal.state
        left_m, right_m = car.dtlm_m(self.camera.lane_width_m)
        self.moments.append(
            Moment(
                t_s=t_s,
                s_m=car.motion.s_m,
                error_m=car.motion.d_m,
                left_dtlm_m=left_m,
                right_dtlm_m=right_m,
                speed_mps=car.speed_mps,
                lateral_accel_mps2=car.lateral_accel_mps2,
                curvature_1pm=car.motion.yaw_rate_rps / car.speed_mps,
                command=self._command,
                states=dict(self._states),
                requests=requests,
                alerts=tuple(alerts),
            )
        )
        car.step(self._wheel_rad(acts), wind_mps=wind_mps, accel_mps2=acts.accel_mps2)

    def _wheel_rad(self, acts: Driver) -> float:
        """The command's share and the driver's."""
        car, command = self.car, self._command
        wanted_1pm = acts.curvature_1pm
        driver_rad = car.wheel_for(car.road.curvature_1pm(car.motion.s_m) if wanted_1pm is None else wanted_1pm)
        share = command.lateral_authority if command is not None and command.is_lateral_active else 0.0
        if not share:
            return driver_rad
        assert command is not None
        return share * car.wheel_for(command.curvature_1pm) + (1.0 - share) * driver_rad

    def _vehicle(self, now_s: float, acts: Driver) -> VehicleState:
        car, former = self.car, self.moments[-1] if self.moments else None
        ratio = car.vehicle.steering.ratio
        before_rad = car.motion.wheel_rad if former is None else self._former_rad
        rate_rps = (car.motion.wheel_rad - before_rad) * ratio / STEP_S
        self._former_rad = car.motion.wheel_rad
        return VehicleState(
            stamp_s=now_s,
            speed_mps=car.speed_mps,
            accel_mps2=acts.accel_mps2,
            lateral_accel_mps2=car.lateral_accel_mps2,
            yaw_rate_rps=car.motion.yaw_rate_rps,
            steering_wheel_angle_rad=car.motion.wheel_rad * ratio,
            steering_wheel_rate_rps=min(max(rate_rps, -60.0), 60.0),
            driver_torque_nm=acts.torque_nm,
            is_hands_on=acts.is_hands_on,
            accelerator=acts.accelerator,
            brake=0.0,
            is_braking=False,
            gear=Gear.DRIVE,
        )

    _former_rad: float = field(init=False, default=0.0)


def jerk_mps3(moments: Sequence[Moment], window_s: float = 0.5) -> float:
    """Greatest lateral jerk as the law measures it: mean over 0.5 s of the change of acceleration (R79 Annex 8 2.5).

    The acceleration is that of the path at the centre of gravity, filtered with 0.5 Hz as the law asks.
    """
    filtered = butterworth([moment.lateral_accel_mps2 for moment in moments])
    steps = round(window_s / STEP_S)
    return max(
        (abs(b - a) / window_s for a, b in zip(filtered, filtered[steps:], strict=False)),
        default=0.0,
    )


def butterworth(values: Sequence[float], cut_hz: float = 0.5) -> list[float]:
    """The law's filter of the lateral acceleration: Butterworth of the fourth order, as two biquads (Annex 8 2.3)."""
    found = list(values)
    warped = math.tan(math.pi * cut_hz * STEP_S)
    for angle in (math.pi / 8.0, 3.0 * math.pi / 8.0):
        quality = 1.0 / (2.0 * math.cos(angle))
        norm = 1.0 / (1.0 + warped / quality + warped * warped)
        b0 = warped * warped * norm
        a1, a2 = 2.0 * (warped * warped - 1.0) * norm, (1.0 - warped / quality + warped * warped) * norm
        x1 = x2 = y1 = y2 = found[0] if found else 0.0
        out = []
        for x in found:
            y = b0 * (x + 2.0 * x1 + x2) - a1 * y1 - a2 * y2
            x2, x1, y2, y1 = x1, x, y1, y
            out.append(y)
        found = out
    return found
