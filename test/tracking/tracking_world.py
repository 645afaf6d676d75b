"""A straight world for tracking: our car, others by their truth, a radar and a supplier with honest noise."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.perception.tracking.core import Inputs, Outputs, Tracking, build
from adas_runtime.signals import (
    ObjectClass,
    RadarObjects,
    RadarTrack,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de")
PARAMS = MARKET.tracking
VEHICLE = load_vehicle("reference")
STEP_S = 0.05
START_S = 1000.0


def make_core(**changes: Any) -> Tracking:
    """The core for Germany, with other parameters where given."""
    params = type(PARAMS).model_validate({**PARAMS.model_dump(), **changes})
    return build(BuildContext(market=MARKET.model_copy(update={"tracking": params}), vehicle=VEHICLE))


def make_item(number: int = 1, **changes: Any) -> TrackedObject:
    """An object of the supplier: a car 40 m ahead at 20 m/s."""
    values: dict[str, Any] = {
        "object_id": number,
        "object_class": ObjectClass.CAR,
        "x_m": 40.0,
        "y_m": 0.0,
        "speed_x_mps": 20.0,
        "speed_y_mps": 0.0,
        "length_m": 4.5,
        "width_m": 1.8,
        "x_std_m": 0.3,
        "y_std_m": 0.15,
        "speed_x_std_mps": 0.3,
        "confidence": 0.9,
        "age_s": 1.0,
        "sources": ("camera",),
    }
    return TrackedObject(**{**values, **changes})


def make_return(number: int = 1, x_m: float = 40.0, y_m: float = 0.0, rate_mps: float | None = 0.0) -> RadarTrack:
    """A return of the radar, its speed along x relative to ours."""
    return RadarTrack(track_id=number, x_m=x_m, y_m=y_m, speed_x_mps=rate_mps)


@dataclass
class World:
    """Steps a core, 20 times a second unless told otherwise.

    `own_mps`, `yaw_rate_rps`: how we drive; `None`: no vehicle state.
    """

    own_mps: float | None = 20.0
    yaw_rate_rps: float = 0.0
    core: Tracking = field(default_factory=make_core)
    now_s: float = START_S
    last: Outputs | None = None

    def step(
        self,
        items: Sequence[TrackedObject] | None = None,
        returns: Sequence[RadarTrack] | None = None,
        dt_s: float = STEP_S,
    ) -> tuple[TrackedObject, ...] | None:
        """One step, each sensor with a message of now where given; what is told, `None`: nothing."""
        self.now_s += dt_s
        now_s = self.now_s
        vehicle = None
        if self.own_mps is not None:
            vehicle = VehicleState(stamp_s=now_s, speed_mps=self.own_mps, yaw_rate_rps=self.yaw_rate_rps)
        self.last = self.core.step(
            Inputs(
                objects=None if items is None else TrackedObjects(stamp_s=now_s, objects=tuple(items)),
                radar=None if returns is None else RadarObjects(stamp_s=now_s, tracks=tuple(returns)),
                vehicle=vehicle,
            ),
            now_s,
        )
        return None if self.last.objects is None else self.last.objects.objects

    def hold(
        self,
        seconds: float,
        items: Callable[[float], Sequence[TrackedObject]] | None = None,
        returns: Callable[[float], Sequence[RadarTrack]] | None = None,
    ) -> list[tuple[TrackedObject, ...] | None]:
        """Steps for a while; what is seen depends on the time since the beginning of it."""
        return [
            self.step(
                None if items is None else items(number * STEP_S),
                None if returns is None else returns(number * STEP_S),
            )
            for number in range(round(seconds / STEP_S))
        ]


@dataclass
class Truth:
    """A road user over ground, and our car: both in one frame on the ground, our start at its origin."""

    x_m: float
    y_m: float
    speed_mps: float
    side_mps: float = 0.0
    accel_mps2: float = 0.0
    side_accel_mps2: float = 0.0

    def move(self, dt_s: float, noise: random.Random | None = None) -> None:
        """On by a step; with noise its accelerations wander as the filter believes that they do."""
        self.x_m += dt_s * (self.speed_mps + 0.5 * dt_s * self.accel_mps2)
        self.y_m += dt_s * (self.side_mps + 0.5 * dt_s * self.side_accel_mps2)
        self.speed_mps += dt_s * self.accel_mps2
        self.side_mps += dt_s * self.side_accel_mps2
        if noise is not None:
            fade = math.exp(-dt_s / PARAMS.accel_s)
            rest = math.sqrt(1.0 - fade * fade)
            self.accel_mps2 = fade * self.accel_mps2 + noise.gauss(0.0, rest * PARAMS.accel_std_mps2)
            self.side_accel_mps2 = fade * self.side_accel_mps2 + noise.gauss(0.0, rest * PARAMS.side_accel_std_mps2)


def radar_noise(truth_x_m: float, truth_y_m: float, rate_mps: float, noise: random.Random) -> RadarTrack:
    """A return with the noise that the parameters name."""
    angle = PARAMS.angle_std_rad
    x_std = math.hypot(PARAMS.range_std_m, angle * truth_y_m)
    y_std = math.hypot(PARAMS.side_std_m, angle * truth_x_m)
    return make_return(
        1,
        truth_x_m + noise.gauss(0.0, x_std),
        truth_y_m + noise.gauss(0.0, y_std),
        rate_mps + noise.gauss(0.0, PARAMS.rate_std_mps),
    )
