"""Cars one behind the other: the longitudinal plant, our controller in it, and what a column of them does.

A car answers a wanted acceleration by the delay and the lag of its vehicle file. What it knows of the car ahead is as
old as a sensor's picture, and as noisy where a seed is given. Nothing here is random without a seed.
"""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from adas_runtime.longitudinal.following import Drive, Following, GapLaw, Lead, Wanted, fitted
from adas_runtime.market.schema import Market
from adas_runtime.vehicle.schema import Vehicle

STEP_S: Final = 0.05  # of controller and sensor; the plant takes smaller ones
INNER: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """What a radar-like sensor adds to the truth.

    Args:
        delay_s: Age of what it tells [s].
        gap_std_m: Noise of the gap [m].
        speed_std_mps: Noise of the speed [m/s].
        seed: `None`: no noise.
    """

    delay_s: float = 0.1
    gap_std_m: float = 0.15
    speed_std_mps: float = 0.1
    seed: int | None = None


@dataclass(slots=True)
class Plant:
    """A car's motion along its lane."""

    delay_s: float
    lag_s: float
    speed_mps: float
    x_m: float = 0.0
    accel_mps2: float = 0.0
    _pending: deque[float] = field(default_factory=deque)

    def __post_init__(self) -> None:
        inner_s = STEP_S / INNER
        self._pending.extend([self.accel_mps2] * round(self.delay_s / inner_s))

    def step(self, wanted_mps2: float) -> None:
        """One controller step with this wanted acceleration."""
        dt_s = STEP_S / INNER
        share = 1.0 - math.exp(-dt_s / self.lag_s) if self.lag_s > 0.0 else 1.0
        for _ in range(INNER):
            self._pending.append(wanted_mps2)
            self.accel_mps2 += (self._pending.popleft() - self.accel_mps2) * share
            accel = self.accel_mps2
            speed = max(self.speed_mps + accel * dt_s, 0.0)
            self.x_m += 0.5 * (self.speed_mps + speed) * dt_s
            self.speed_mps = speed


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """What one car did, sample by sample."""

    t_s: tuple[float, ...]
    speed_mps: tuple[float, ...]
    accel_mps2: tuple[float, ...]
    gap_m: tuple[float, ...]
    wanted: tuple[Wanted, ...] = ()


LeadMotion = Callable[[float], tuple[float, float, int]]  # time -> place of the rear bumper [m], speed [m/s], track


def follow(
    lead: LeadMotion | None,
    *,
    market: Market,
    vehicle: Vehicle,
    seconds: float,
    speed_mps: float,
    time_gap_s: float | None = None,
    max_speed_mps: float = 130.0 / 3.6,
    sensor: Sensor | None = None,
    is_visible: Callable[[float], bool] = lambda t_s: True,
    drive: Callable[[float, Drive], Drive] = lambda t_s, drive: drive,
) -> Trace:
    """Drive behind a car whose motion is known, from x = 0 at `speed_mps`.

    Args:
        lead: Motion of the car ahead, `None`: a free road.
        market: Its gaps and gains.
        vehicle: Its delay and lag.
        seconds: How long [s].
        speed_mps: Speed at the start [m/s].
        time_gap_s: The gap to keep; by default the market's least [s].
        max_speed_mps: Current maximum speed [m/s].
        sensor: What is known of the car ahead; by default exactly what is, `delay_s` late.
        is_visible: Whether the car ahead is told of at a time.
        drive: Changes what a step rests on.
    """
    sensor = sensor or Sensor()
    noise = None if sensor.seed is None else random.Random(sensor.seed)
    core = Following(fitted(market.longitudinal, market.envelope, vehicle.limits), market.following)
    core.reset(0.0, is_standing=speed_mps < market.longitudinal.standstill_mps)
    plant = Plant(vehicle.drive.delay_s, vehicle.drive.lag_s, speed_mps)
    gap_s = market.following.time_gap_s() if time_gap_s is None else time_gap_s
    seen: deque[tuple[float, float, int]] = deque()  # gap, speed and track of the car ahead, oldest first
    late = round(sensor.delay_s / STEP_S)
    t, speed, accel, gap, wanted = [], [], [], [], []
    for index in range(round(seconds / STEP_S)):
        now_s = index * STEP_S
        told: Lead | None = None
        gap_m = math.inf
        if lead is not None:
            lead_x_m, lead_mps, track = lead(now_s)
            gap_m = lead_x_m - plant.x_m
            seen.append((gap_m, lead_mps, track))
            old_gap_m, old_mps, old_track = seen[max(len(seen) - 1 - late, 0)]
            if len(seen) > late + 1:
                seen.popleft()
            if noise is not None:
                old_gap_m += noise.gauss(0.0, sensor.gap_std_m)
                old_mps += noise.gauss(0.0, sensor.speed_std_mps)
            if is_visible(now_s):
                told = Lead(object_id=old_track, gap_m=max(old_gap_m, 0.0), speed_mps=old_mps, age_s=late * STEP_S)
        request = drive(
            now_s,
            Drive(
                dt_s=STEP_S,
                speed_mps=plant.speed_mps,
                max_speed_mps=max_speed_mps,
                time_gap_s=gap_s,
                queue_gap_m=market.following.queue_gap_m,
                lead=told,
            ),
        )
        want = core.step(request)
        t.append(now_s)
        speed.append(plant.speed_mps)
        accel.append(plant.accel_mps2)
        gap.append(gap_m)
        wanted.append(want)
        plant.step(want.accel_mps2)
    return Trace(t_s=tuple(t), speed_mps=tuple(speed), accel_mps2=tuple(accel), gap_m=tuple(gap), wanted=tuple(wanted))


def wanted_gap_m(market: Market, speed_mps: float, time_gap_s: float | None = None) -> float:
    """The gap at which our car follows at rest [m]."""
    gap_s = market.following.time_gap_s() if time_gap_s is None else time_gap_s
    law = GapLaw(market.longitudinal, market.following)
    return law.wanted(speed_mps, gap_s, market.following.queue_gap_m)[0]


def recorded(t_s: Sequence[float], speed_mps: Sequence[float], first_gap_m: float) -> LeadMotion:
    """Motion of a recorded car by its speed, its rear bumper `first_gap_m` ahead of x = 0 at the first sample."""
    places = [first_gap_m]
    for index in range(1, len(t_s)):
        mean = 0.5 * (speed_mps[index] + speed_mps[index - 1])
        places.append(places[-1] + mean * (t_s[index] - t_s[index - 1]))
    step_s = (t_s[-1] - t_s[0]) / (len(t_s) - 1)

    def at(now_s: float) -> tuple[float, float, int]:
        place = min(max(now_s / step_s, 0.0), len(t_s) - 1.000001)
        index = int(place)
        share = place - index
        x_m = places[index] + share * (places[index + 1] - places[index])
        v_mps = speed_mps[index] + share * (speed_mps[index + 1] - speed_mps[index])
        return x_m, v_mps, 1

    return at


def platoon(
    lead: LeadMotion,
    *,
    cars: int,
    market: Market,
    vehicle: Vehicle,
    seconds: float,
    speed_mps: float,
    time_gap_s: float | None = None,
    sensor: Sensor | None = None,
) -> list[Trace]:
    """A column of `cars` cars of ours behind a car whose motion is known, each at its wanted gap when it starts."""
    gap_s = market.following.time_gap_s() if time_gap_s is None else time_gap_s
    first_m = wanted_gap_m(market, speed_mps, gap_s)
    traces: list[Trace] = []
    for index in range(cars):
        own = (
            sensor
            if sensor is None or sensor.seed is None
            else Sensor(
                delay_s=sensor.delay_s,
                gap_std_m=sensor.gap_std_m,
                speed_std_mps=sensor.speed_std_mps,
                seed=sensor.seed + index,
            )
        )
        trace = follow(
            lead, market=market, vehicle=vehicle, seconds=seconds, speed_mps=speed_mps, time_gap_s=gap_s, sensor=own
        )
        traces.append(trace)
        lead = recorded(trace.t_s, trace.speed_mps, first_m)
    return traces
