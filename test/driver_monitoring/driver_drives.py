"""Drives of a driver who looks and drives as told; time as data."""

from __future__ import annotations

import functools
import math
import random
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from adas_runtime.driver_monitoring import distraction, drowsiness
from adas_runtime.driver_monitoring.distraction_states import State
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    FunctionStatus,
    Indicator,
    LaneEdge,
    LaneSide,
    Stage,
    VehicleState,
)
from adas_runtime.units import deg_to_rad, kmh_to_mps
from adas_runtime.vehicle import load_vehicle

CAR = load_vehicle("reference")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "driver_monitoring.md"
FRAME_S = 0.05


@functools.cache
def context(market: str = "de") -> BuildContext:
    return BuildContext(market=load_market(market), vehicle=CAR)


def look(yaw_deg: float = 0.0, pitch_deg: float = 2.0, **changes: Any) -> DriverState:
    """A word of the driver camera; the stamp and the number of the picture are set as it is sent."""
    values: dict[str, Any] = {
        "stamp_s": 0.0,
        "is_face_visible": True,
        "gaze_yaw_rad": deg_to_rad(yaw_deg),
        "gaze_pitch_rad": deg_to_rad(pitch_deg),
        "head_yaw_rad": deg_to_rad(0.5 * yaw_deg),
        "head_pitch_rad": deg_to_rad(0.4 * pitch_deg),
        "eye_openness": 0.9,
        "is_hard_to_see": False,
        "confidence": 0.9,
    }
    return DriverState(**(values | changes))


def example(number: int) -> tuple[str, list[str]]:
    """Sequence and listing of an example of the page, the first is 0."""
    blocks = re.findall(r"```(json)?\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    at = [index for index, (kind, _) in enumerate(blocks) if kind][number]
    return blocks[at][1], blocks[at + 1][1].splitlines()


ROAD = look()
LAP = look(-5.0, 45.0, eye_openness=0.35)


class Gazing:
    """The distraction warning behind a driver camera of 20 Hz."""

    def __init__(self, kmh: float = 60.0, *, market: str = "de", is_ready: bool = True, **changes: Any) -> None:
        params = context(market).market.driver_monitoring
        if changes:
            params = params.model_copy(update={"distraction": params.distraction.model_copy(update=changes)})
        self.core = distraction.Distraction(params)
        self.now_s = 1000.0
        self.frame = 0
        self.kmh = kmh
        self.pressed: tuple[str, ...] = ()
        self.is_key_on: bool | None = True
        self.dcas: FunctionStatus | None = None
        self.others: tuple[Alert, ...] = ()
        self.alerts: list[Alert] = []
        self.begin_s = self.now_s
        if is_ready:  # 2023/2590 2-1.3: a minute of attentive driving before a test
            kmh, self.kmh = self.kmh, max(self.kmh, 60.0)
            self.hold(60.0, ROAD)
            self.kmh = kmh
            self.mark()

    def mark(self) -> None:
        """From now on times count."""
        self.hold(0.1, ROAD)
        self.alerts.clear()
        self.begin_s = self.now_s + FRAME_S

    def step(self, driver: DriverState | None, **changes: Any) -> State:
        self.now_s = round(self.now_s + FRAME_S, 6)
        self.frame += 1
        gaze = None if driver is None else replace(driver, stamp_s=self.now_s, frame=driver.frame or self.frame)
        inputs = distraction.Inputs(
            vehicle=VehicleState(stamp_s=self.now_s, speed_mps=kmh_to_mps(self.kmh)),
            gaze=gaze,
            driver=(DriverInput(stamp_s=self.now_s, pressed=self.pressed),),
            body=(BodyState(stamp_s=self.now_s, is_master_switch_on=self.is_key_on),),
            dcas=() if self.dcas is None else (self.dcas,),
            alerts=self.others,
        )
        said = self.core.step(replace(inputs, **changes), self.now_s)
        if said.alert is not None:
            self.alerts.append(said.alert)
        return self.core.state.state

    def hold(self, seconds: float, driver: DriverState | None, **changes: Any) -> list[State]:
        return [self.step(driver, **changes) for _ in range(round(seconds / FRAME_S))]

    def press(self, button: str, times: int) -> None:
        for _ in range(times):
            self.pressed = (button,)
            self.hold(0.2, ROAD)
            self.pressed = ()
            self.hold(0.4, ROAD)

    @property
    def active(self) -> list[Alert]:
        return [alert for alert in self.alerts if alert.is_active]

    @property
    def warned_after_s(self) -> float | None:
        """Start of the first warning after `mark` [s]."""
        return self.active[0].since_s - self.begin_s if self.active else None


def assistance(state: str, stage: Stage = Stage.ON) -> FunctionStatus:
    return FunctionStatus(stamp_s=0.0, author="dcas", stage=stage, state=state, is_active=state == "active")


def danger(author: str = "aeb") -> Alert:
    return Alert(
        stamp_s=0.0, author=author, code="collision", is_active=True, level=AlertLevel.CRITICAL, since_s=0.0, cause="x"
    )


Wheel = Callable[[float], float]


def attentive_wheel(seed: int = 1) -> Wheel:
    """Steering of an alert driver: small, smooth, all the time [rad]."""
    rng = random.Random(seed)
    waves = [(rng.uniform(0.05, 0.5), rng.uniform(0.0, 6.28), rng.uniform(0.3, 1.0)) for _ in range(12)]
    return lambda t_s: sum(0.012 * size * math.sin(2 * math.pi * rate * t_s + phase) for rate, phase, size in waves)


def drowsy_wheel(seed: int = 1) -> Wheel:
    """Steering of a sleepy driver: nothing for seconds, then a jerk and back [rad]."""
    rng = random.Random(seed)
    starts: list[tuple[float, float]] = []
    at_s = 0.0
    while at_s < 4000.0:
        at_s += rng.uniform(3.0, 6.0)
        starts.append((at_s, rng.choice((-1.0, 1.0)) * rng.uniform(0.10, 0.18)))

    def angle(t_s: float) -> float:
        low, high = 0, len(starts)
        while low < high:
            middle = (low + high) // 2
            if starts[middle][0] <= t_s:
                low = middle + 1
            else:
                high = middle
        if low == 0:
            return 0.0
        start_s, size = starts[low - 1]
        return size * math.sin(min((t_s - start_s) / 1.2, 1.0) * 2 * math.pi)

    return angle


class Driving:
    """The drowsiness warning in a drive; cues may be left out."""

    def __init__(self, kmh: float = 100.0, *, market: str = "de", **changes: Any) -> None:
        params = context(market).market.driver_monitoring
        if changes:
            params = params.model_copy(update={"drowsiness": params.drowsiness.model_copy(update=changes)})
        self.core = drowsiness.Drowsiness(params)
        self.now_s = 1000.0
        self.t_s = 0.0
        self.kmh = kmh
        self.pressed: tuple[str, ...] = ()
        self.indicator = Indicator.OFF
        self.body = BodyState(stamp_s=0.0, is_master_switch_on=True)
        self.others: dict[str, tuple[FunctionStatus, ...]] = {}
        self.alerts: list[Alert] = []
        self.frame = 0

    def step(
        self,
        *,
        wheel_rad: float | None = None,
        openness: float | None = None,
        place_m: float | None = None,
        driver: DriverState | None = None,
    ) -> Any:
        self.now_s = round(self.now_s + FRAME_S, 6)
        self.t_s += FRAME_S
        self.frame += 1
        if driver is None and openness is not None:
            driver = look(eye_openness=openness)
        gaze = () if driver is None else (replace(driver, stamp_s=self.now_s, frame=self.frame),)
        edges = tuple(LaneEdge(side=side, distance_m=0.8, confidence=0.9) for side in (LaneSide.LEFT, LaneSide.RIGHT))
        lane = () if place_m is None else (EgoLane(stamp_s=self.now_s, offset_m=place_m, edges=edges, confidence=0.9),)
        said = self.core.step(
            drowsiness.Inputs(
                vehicle=VehicleState(
                    stamp_s=self.now_s,
                    speed_mps=kmh_to_mps(self.kmh),
                    steering_wheel_angle_rad=wheel_rad,
                    yaw_rate_rps=0.0,
                ),
                gaze=gaze,
                lane=lane,
                driver=(DriverInput(stamp_s=self.now_s, pressed=self.pressed, indicator=self.indicator),),
                body=(replace(self.body, stamp_s=self.now_s),),
                **self.others,
            ),
            self.now_s,
        )
        if said.alert is not None:
            self.alerts.append(said.alert)
        return said

    def hold(
        self,
        seconds: float,
        *,
        wheel: Wheel | None = None,
        lids: Callable[[float], float] | None = None,
        place: Callable[[float], float] | None = None,
    ) -> set[str]:
        states = set()
        for _ in range(round(seconds / FRAME_S)):
            self.step(
                wheel_rad=None if wheel is None else wheel(self.t_s),
                openness=None if lids is None else lids(self.t_s),
                place_m=None if place is None else place(self.t_s),
            )
            states.add(self.core.state.state.value)
        return states

    def press(self, times: int = 1) -> None:
        for _ in range(times):
            self.pressed = ("drowsiness",)
            self.hold(0.2)
            self.pressed = ()
            self.hold(0.4)

    @property
    def state(self) -> str:
        return str(self.core.state.state.value)

    @property
    def score(self) -> float:
        return float(self.core.state.score)


def blinking(every_s: float = 4.0, length_s: float = 0.15) -> Callable[[float], float]:
    """Lids that close for `length_s` every `every_s`."""
    return lambda t_s: 0.05 if t_s % every_s < length_s else 0.9
