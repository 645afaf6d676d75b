"""A car on a straight motorway with every function at work, in which one thing fails; what each function then says.

The whole graph of the product in the executor that nodes and replay share, a process each. Lines come as perception
tells them; where the camera is what fails, perception itself runs on a rendered picture.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Final

from adas_runtime.arbitration.modes import Mode
from adas_runtime.executor import Emission, Executor, Snapshot
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import SOURCES, default_graph, live_topic
from adas_runtime.market import load_market
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    BodyState,
    CameraFrame,
    DriverInput,
    DriverState,
    FixStatus,
    FunctionStatus,
    GazeZone,
    Gear,
    Health,
    Horizon,
    HorizonSegment,
    LaneBoundary,
    LaneModel,
    LaneSide,
    LateralRequest,
    LightSwitch,
    LimitKind,
    LongitudinalRequest,
    MarkingColour,
    MarkingType,
    ObjectClass,
    PoseFix,
    RadarObjects,
    RoadClass,
    Signal,
    SignKind,
    SignObservation,
    SignObservations,
    Stage,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle

START_S: Final = 1000.0
FAILS_S: Final = 8.0  # after the start; all functions have settled
END_S: Final = 14.0
STEP_S: Final = 0.01
GERMANY: Final = load_market("de", is_dated=False)
FAST: Final = {"series": "01", "speed_max_kmh": 130.0}  # automated lane keeping at the drives' speed
MARKET: Final = GERMANY.model_copy(update={"alks": GERMANY.alks.model_copy(update=FAST)})
VEHICLE: Final = load_vehicle("reference")
GRAPH: Final = default_graph()
LANES: Final = live_topic("lane_perception", "lanes")
TOPIC: Final = {source.name: source.topic for source in SOURCES}
PERIOD_S: Final = {source.name: 1.0 / source.rate_hz for source in SOURCES}
SPEED_MPS: Final = 27.0
SLOW_MPS: Final = 16.0  # where something stands in the lane; emergency braking works up to 60 km/h there
STANDS_S: Final = 11.0
STANDS_AT_M: Final = SLOW_MPS * (END_S - STANDS_S) + 6.0


def _boundary(side: LaneSide, offset_m: float, kind: MarkingType) -> LaneBoundary:
    return LaneBoundary(
        side=side,
        c0_m=offset_m,
        c1=0.0,
        c2_1pm=0.0,
        c3_1pm2=0.0,
        x_min_m=4.0,
        x_max_m=60.0,
        type=kind,
        colour=MarkingColour.WHITE,
        confidence=0.95,
        offset_std_m=0.02,
        width_m=0.15,
    )


LINES: Final = (
    _boundary(LaneSide.LEFT, 1.75, MarkingType.DASHED),
    _boundary(LaneSide.RIGHT, -1.75, MarkingType.SOLID),
    _boundary(LaneSide.NEXT_LEFT, 5.25, MarkingType.SOLID),
)


def _car(x_m: float, y_m: float, number: int) -> TrackedObject:
    return TrackedObject(
        object_id=number,
        object_class=ObjectClass.CAR,
        x_m=x_m,
        y_m=y_m,
        speed_x_mps=SPEED_MPS,
        speed_y_mps=0.0,
        length_m=4.5,
        width_m=1.8,
        x_std_m=0.2,
        y_std_m=0.1,
        speed_x_std_mps=0.2,
        confidence=0.95,
        age_s=20.0,
        sources=("camera", "radar"),
    )


@cache
def pictures() -> tuple[tuple[int, int, bytes], ...]:
    """A rendered straight road with the noise of a sensor, none like the one before: width, height, JPEG."""
    import cv2
    import numpy as np

    from adas_runtime.synth.drive import DriveSpec, make_drive

    image = make_drive(DriveSpec(market="de", seconds=1.0)).frame(0)
    made = []
    for number in range(3):
        noise = np.random.default_rng(number).normal(0.0, 1.5, image.shape)
        data = cv2.imencode(".jpg", np.clip(image + noise, 0, 255).astype(np.uint8))[1].tobytes()
        made.append((image.shape[1], image.shape[0], data))
    return tuple(made)


def value(source: str, now_s: float, t_s: float, buttons: dict[float, str]) -> Signal:
    """What a sound source sends at `now_s`."""
    number = round(t_s * 100)
    speed_mps = SPEED_MPS if buttons else SLOW_MPS
    is_automated = "alks" in buttons.values()
    if source == "vehicle_state":
        return VehicleState(
            stamp_s=now_s,
            speed_mps=speed_mps,
            accel_mps2=0.0,
            lateral_accel_mps2=0.0,
            yaw_rate_rps=0.0,
            steering_wheel_angle_rad=0.01 * math.sin(t_s),
            steering_wheel_rate_rps=0.01 * math.cos(t_s),
            driver_torque_nm=0.0 if is_automated else 0.6 + 0.2 * math.sin(3.0 * t_s),
            is_hands_on=not is_automated,
            accelerator=0.0,
            brake=0.0,
            is_braking=False,
            gear=Gear.DRIVE,
            is_stability_control_active=False,
            is_steering_available=True,
            is_braking_available=True,
        )
    if source == "driver_input":
        pressed = tuple(name for at_s, name in buttons.items() if at_s <= t_s < at_s + 0.2)
        return DriverInput(stamp_s=now_s, pressed=pressed)
    if source == "body":
        return BodyState(
            stamp_s=now_s,
            is_master_switch_on=True,
            is_propulsion_on=True,
            indicated_speed_mps=speed_mps + 0.5,
            ambient_lux=20.0,
            light_switch=LightSwitch.AUTO,
            is_parking_brake_on=False,
            is_driver_door_open=False,
            is_driver_seated=True,
            is_driver_belt_fastened=True,
            is_hazard_on=False,
            is_trailer_coupled=False,
            is_main_beam_wanted=False,
        )
    if source == "radar":
        return RadarObjects(stamp_s=now_s)
    if source == "pose_fix":
        return PoseFix(stamp_s=now_s, latitude_deg=48.0, longitude_deg=11.0, status=FixStatus.FIX)
    if source == "sign_camera":
        sign = SignObservation(kind=SignKind.SPEED_LIMIT, value_mps=33.333333, x_m=30.0, y_m=-4.0, confidence=0.95)
        return SignObservations(stamp_s=now_s, signs=(sign,) if 2.0 < t_s < 3.0 else ())
    if source == "map_supplier":
        segment = HorizonSegment(
            offset_m=-10.0,
            length_m=5000.0,
            probability=1.0,
            road_class=RoadClass.MOTORWAY,
            country="DE",
            limit_mps=33.333333,
            limit_kind=LimitKind.EXPLICIT,
            limit_confidence=0.9,
            is_built_up=False,
            is_dual_carriageway=True,
            lanes=2,
            curvature_1pm=0.0,
        )
        return Horizon(stamp_s=now_s, is_matched=True, provider="supplier", confidence=0.9, segments=(segment,))
    if source == "object_supplier":
        if not buttons and t_s >= STANDS_S:
            x_m = STANDS_AT_M - SLOW_MPS * (t_s - STANDS_S)
            standing = replace(_car(x_m, 0.0, 3), speed_x_mps=0.0, age_s=t_s - STANDS_S)
            return TrackedObjects(stamp_s=now_s, objects=(standing,))
        return TrackedObjects(stamp_s=now_s, objects=(_car(60.0, 0.0, 1), _car(-60.0, 3.5, 2)))
    if source == "driver_camera":
        return DriverState(
            stamp_s=now_s,
            is_face_visible=True,
            gaze_zone=GazeZone.ROAD,
            gaze_yaw_rad=0.0,
            gaze_pitch_rad=0.05,
            head_yaw_rad=0.0,
            head_pitch_rad=0.0,
            eye_openness=0.9,
            is_hard_to_see=False,
            frame=number,
            confidence=0.95,
        )
    assert source == "camera_front"
    width_px, height_px, data = pictures()[round(now_s / PERIOD_S[source]) % 3]
    return CameraFrame(stamp_s=now_s, width_px=width_px, height_px=height_px, encoding="jpeg", data=data)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What goes wrong at `FAILS_S`.

    Args:
        source: Whose values `change` gets; it returns what arrives instead, `None`: nothing.
        change: See there.
        breaks: Function whose core raises from then on.
        gone: Processes that stop.
        jump_s: How far the clock of the whole car jumps.
        counter: The arbiter's counter stands still.
    """

    source: str = ""
    change: Callable[[Any], Signal | None] | None = None
    breaks: str = ""
    gone: Process | None = None
    jump_s: float = 0.0
    counter: bool = False


@dataclass(slots=True)
class Seen:
    """What came out."""

    statuses: dict[str, list[tuple[float, FunctionStatus]]] = field(default_factory=dict)
    alerts: list[tuple[float, Alert]] = field(default_factory=list)
    commands: list[tuple[float, ActuationCommand]] = field(default_factory=list)
    asked: dict[str, list[float]] = field(default_factory=dict)

    def status(self, function: str, t_s: float) -> FunctionStatus | None:
        """The last word of a function by then."""
        found = [status for at_s, status in self.statuses.get(function, ()) if at_s <= t_s]
        return found[-1] if found else None

    def is_asking(self, function: str, t_s: float) -> bool:
        """Whether it asked the car for something in the quarter of a second before."""
        return any(t_s - 0.25 < at_s <= t_s for at_s in self.asked.get(function, ()))


BUTTONS: Final = {  # by drive: what the driver presses, and when
    "assistance": {1.0: "dcas", 2.0: "set_speed"},
    "keeping": {1.0: "lane_centring"},
    "automation": {3.0: "alks"},
    "collision": {},  # nobody assists, and then something stands in the lane
}


HOME: Final = {
    live_topic(spec.name, output): spec.process
    for spec in GRAPH.functions
    for output in (*(item.name for item in spec.outputs), "status")
}
PROCESSES: Final = (Process.DECISION, Process.GUARD, Process.PERCEPTION)


def _raises(inputs: Any, now_s: float) -> Any:
    raise ValueError("a defect")


class Run:
    """The three processes with functions on their executors, and what came out of them so far."""

    def __init__(self, name: str, failure: Failure) -> None:
        self.name, self.failure = name, failure
        self.is_picture = failure.source == "camera_front" or failure.breaks == "lane_perception"
        context = BuildContext(market=MARKET, vehicle=VEHICLE)
        without = frozenset() if self.is_picture else frozenset({"lane_perception"})
        stages = {spec.name: Stage.ON for spec in GRAPH.functions if spec.has_stage}
        self.executors = {
            process: Executor(GRAPH, context, stages, process=process, without=without) for process in PROCESSES
        }
        self.seen = Seen()
        self.t_s = 0.0
        self.has_failed = False

    def until(self, begin_s: float, end_s: float) -> Run:
        """Drive on."""
        for step in range(round(begin_s / STEP_S), round(end_s / STEP_S)):
            self.t_s = t_s = round(step * STEP_S, 4)
            now_s = START_S + t_s + (self.failure.jump_s if self.has_failed else 0.0)
            for source in TOPIC:
                is_due = step % round(PERIOD_S[source] / STEP_S) == 0 and source != "vehicle_state"
                if is_due and (source != "camera_front" or self.is_picture):
                    self._send(source, now_s)
            if not self.is_picture and step % 5 == 0 and Process.PERCEPTION is not self._gone:
                lanes = LaneModel(stamp_s=now_s - 0.05, boundaries=LINES, is_calibrated=True)
                status = FunctionStatus(stamp_s=now_s, author="lane_perception", stage=Stage.ON, state="following")
                self.seen.statuses.setdefault("lane_perception", []).append((t_s, status))
                self._deliver(LANES, lanes, now_s)
                self._deliver(live_topic("lane_perception", "status"), status, now_s)
            self._send("vehicle_state", now_s)
            for process, executor in self.executors.items():
                if process is not self._gone:
                    for topic, signal in self._heard(executor.advance(now_s)):
                        self._deliver(topic, signal, now_s)
        return self

    def fail(self) -> None:
        """From now on."""
        self.has_failed = True
        for executor in self.executors.values():
            if self.failure.breaks in {spec.name for spec in executor.functions}:
                executor.core(self.failure.breaks).step = _raises  # type: ignore[method-assign]

    @property
    def _gone(self) -> Process | None:
        return self.failure.gone if self.has_failed else None

    def _send(self, source: str, now_s: float) -> None:
        signal: Signal | None = value(source, now_s, self.t_s, BUTTONS[self.name])
        if self.has_failed and source == self.failure.source and self.failure.change is not None:
            signal = self.failure.change(signal)
        if signal is not None:
            self._deliver(TOPIC[source], signal, now_s)

    def _deliver(self, topic: str, signal: Signal, now_s: float) -> None:
        """To every process but the one that it comes from, and what they say of it as well."""
        waiting = [(topic, signal)]
        for topic, signal in waiting:
            for process, executor in self.executors.items():
                if process is not self._gone and HOME.get(topic) is not process:
                    waiting += self._heard(executor.offer(topic, signal, now_s))

    def _heard(self, emissions: list[Emission]) -> list[tuple[str, Signal]]:
        seen, t_s, said = self.seen, self.t_s, []
        for item in emissions:
            signal = item.signal
            if isinstance(signal, FunctionStatus):
                seen.statuses.setdefault(item.function, []).append((t_s, signal))
            elif isinstance(signal, Alert) and signal.is_active:
                seen.alerts.append((t_s, signal))
            elif isinstance(signal, ActuationCommand) and item.function == "envelope":
                seen.commands.append((t_s, signal))
            elif isinstance(signal, ActuationCommand) and self.failure.counter and self.has_failed:
                signal = replace(signal, counter=7)
            elif isinstance(signal, (LateralRequest, LongitudinalRequest)) and signal.is_active:
                seen.asked.setdefault(item.function, []).append(t_s)
            said.append((item.topic, signal))
        return said


@cache
def _begun(name: str, is_picture: bool) -> tuple[dict[Process, Snapshot], Seen]:
    """All memory at the moment in which something fails: the same for every failure."""
    run = Run(name, Failure(source="camera_front") if is_picture else Failure()).until(0.0, FAILS_S)
    return {process: executor.save() for process, executor in run.executors.items()}, run.seen


def drive(name: str, failure: Failure = Failure()) -> Seen:
    """The whole drive."""
    run = Run(name, failure)
    snapshots, seen = _begun(name, run.is_picture)
    for process, snapshot in snapshots.items():
        run.executors[process].restore(snapshot)
    run.seen = Seen(
        statuses={function: list(found) for function, found in seen.statuses.items()},
        alerts=list(seen.alerts),
        commands=list(seen.commands),
        asked={function: list(found) for function, found in seen.asked.items()},
    )
    run.fail()
    return run.until(FAILS_S, END_S).seen


def _frozen(signal: Any) -> Signal:
    """The last value again and again, with its old stamp."""
    return replace(signal, stamp_s=START_S + FAILS_S)


NAN: Final = math.nan
IMPLAUSIBLE: Final[dict[str, Callable[[Any], Signal | None]]] = {
    "vehicle_state": lambda s: replace(s, speed_mps=90.0),
    "driver_input": lambda s: replace(s, pressed=("dcas", "set_speed", "lane_centring", "mute", "lane_departure")),
    "body": lambda s: BodyState(stamp_s=s.stamp_s),
    "camera_front": lambda s: replace(s, data=s.data[: len(s.data) // 3]),
    "radar": lambda s: s,
    "pose_fix": lambda s: replace(s, latitude_deg=0.0, longitude_deg=0.0, status=FixStatus.NO_FIX),
    "sign_camera": lambda s: replace(
        s, signs=(SignObservation(kind=SignKind.SPEED_LIMIT, value_mps=1.0, x_m=30.0, y_m=-4.0, confidence=0.3),)
    ),
    "map_supplier": lambda s: replace(s, is_matched=False, confidence=0.0),
    "object_supplier": lambda s: replace(
        s, objects=tuple(replace(o, x_std_m=400.0, y_std_m=400.0, confidence=0.0) for o in s.objects)
    ),
    "driver_camera": lambda s: replace(s, is_face_visible=False, is_camera_covered=True, confidence=0.0),
}
FAILURES: Final[dict[str, Failure]] = {
    **{f"{source} lost": Failure(source=source, change=lambda s: None) for source in TOPIC},
    **{f"{source} stale": Failure(source=source, change=_frozen) for source in TOPIC},
    **{f"{source} implausible": Failure(source=source, change=change) for source, change in IMPLAUSIBLE.items()},
    "vehicle_state not a number": Failure(source="vehicle_state", change=lambda s: replace(s, speed_mps=NAN)),
    "steering unavailable": Failure(source="vehicle_state", change=lambda s: replace(s, is_steering_available=False)),
    "brakes unavailable": Failure(source="vehicle_state", change=lambda s: replace(s, is_braking_available=False)),
    "perception lost": Failure(gone=Process.PERCEPTION),
    "decision lost": Failure(gone=Process.DECISION),
    "guard lost": Failure(gone=Process.GUARD),
    "clock ahead": Failure(jump_s=3600.0),
    "clock back": Failure(jump_s=-3600.0),
    "counter frozen": Failure(counter=True),
    **{f"{spec.name} breaks": Failure(breaks=spec.name) for spec in GRAPH.functions},
}


def left_of(function: str, sound: Mapping[str, Seen], failed: Mapping[str, Seen]) -> tuple[Mode, str, str]:
    """What is left of a function in the worst of the drives: mode, reason, and how the health monitor tells of it."""
    found = [_left(function, sound[name], failed[name]) for name in failed]
    return max(found, key=lambda left: list(Mode).index(left[0]))


def _left(function: str, sound: Seen, failed: Seen) -> tuple[Mode, str, str]:
    at_s = END_S - 0.05
    before, after = sound.status(function, at_s), failed.status(function, at_s)
    told = [t_s for t_s, _ in failed.statuses.get(function, ())]
    assert before is not None and after is not None
    if told[-1] < at_s - 1.5:
        return Mode.GONE, "", "silent"
    tells = (
        "fault"
        if after.health is Health.FAULT
        else "degraded"
        if after.health is Health.DEGRADED or after.absent
        else ""
    )
    why = f"lacks {', '.join(after.absent)}" if after.absent and after.health is Health.OK else after.reason
    if function == "envelope" and failed.commands[-1][1].is_safe_stop:
        return Mode.RAMP, why, tells
    if after.state.startswith("transition_demand"):
        return Mode.DEMANDS, why, tells
    if after.state == "minimum_risk_manoeuvre":
        return Mode.STOPS, why, tells
    is_asked = sound.is_asking(function, at_s)
    is_gone = is_asked and not failed.is_asking(function, at_s)
    if function == "health" and not after.reason.startswith("ValueError"):
        return Mode.FULL, "", ""  # that it tells of others is its work
    follows = function in ("arbiter", "envelope", "signal_lamps", "side_wind")
    is_lost = before.is_active and not after.is_active and not follows
    if after.health is Health.FAULT or is_gone or is_lost:
        return Mode.ABSENT, why, tells
    command = failed.commands[-1][1]
    author = command.lateral_author if command.lateral_cause == "steering_unavailable" else ""
    other = command.longitudinal_author if command.longitudinal_cause == "brakes_unavailable" else ""
    if function in (author, other):
        is_half = command.is_lateral_active or command.is_longitudinal_active
        return (Mode.DEGRADED if is_half else Mode.WARNS), why, tells
    if tells:
        return Mode.DEGRADED, why, tells
    return Mode.FULL, "", ""
