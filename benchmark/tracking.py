"""What one step of tracking costs, by the sensors that it hears.

    python benchmark/tracking.py

Processor time of the thread; the core alone, as the executor's part is in `benchmark/decision.py`. Twenty road users,
half of them ahead, each where its speed brought it; the radar's returns carry the noise that the market file names. Of
what radar alone sees, half stands.
"""

from __future__ import annotations

import random
import statistics
import time
from typing import Final

from rows import Row, machine, table

from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.perception.tracking.core import Inputs, build
from adas_runtime.signals import ObjectClass, RadarObjects, RadarTrack, TrackedObject, TrackedObjects, VehicleState
from adas_runtime.vehicle import load_vehicle

MARKET: Final = "de"
STEPS: Final = 2000
OBJECTS: Final = 20
SPEED_MPS: Final = 20.0
PERIOD_S: Final = 0.05
LOOP: Final = 200  # steps after which the scene begins again


def _scene(number: int) -> list[tuple[float, float, float]]:
    """Place ahead, to the left, and speed of each."""
    t_s = PERIOD_S * (number % LOOP)
    found = []
    for index in range(OBJECTS):
        speed_mps = 15.0 + index * 0.5 if index % 2 == 0 else 0.0
        found.append((10.0 + 12.0 * index + (speed_mps - SPEED_MPS) * t_s, (0.0, 3.5, -3.5, 7.0)[index % 4], speed_mps))
    return found


def _inputs(number: int, noise: random.Random, *, has_supplier: bool, has_radar: bool) -> tuple[float, Inputs]:
    now_s = 100.0 + PERIOD_S * number
    scene = _scene(number)
    objects = TrackedObjects(
        stamp_s=now_s,
        objects=tuple(
            TrackedObject(
                object_id=index + OBJECTS * (number // LOOP), object_class=ObjectClass.CAR, x_m=x_m, y_m=y_m,
                speed_x_mps=speed_mps, speed_y_mps=0.0, x_std_m=0.3, y_std_m=0.2, speed_x_std_mps=0.3,
                confidence=0.9, age_s=5.0, sources=("camera",),
            )
            for index, (x_m, y_m, speed_mps) in enumerate(scene)
        ),
    )  # fmt: skip
    radar = RadarObjects(
        stamp_s=now_s,
        tracks=tuple(
            RadarTrack(
                track_id=index, x_m=x_m + noise.gauss(0.0, 0.4), y_m=y_m + noise.gauss(0.0, 0.4),
                speed_x_mps=speed_mps - SPEED_MPS + noise.gauss(0.0, 0.25),
            )
            for index, (x_m, y_m, speed_mps) in enumerate(scene)
        ),
    )  # fmt: skip
    vehicle = VehicleState(stamp_s=now_s, speed_mps=SPEED_MPS, yaw_rate_rps=0.01, accel_mps2=0.0)
    return now_s, Inputs(objects=objects if has_supplier else None, radar=radar if has_radar else None, vehicle=vehicle)


def step_us(*, has_supplier: bool, has_radar: bool) -> tuple[float, float]:
    """Median and 99th percentile of a step [us]."""
    core = build(BuildContext(market=load_market(MARKET), vehicle=load_vehicle("reference")))
    noise = random.Random(1)
    sequence = [_inputs(number, noise, has_supplier=has_supplier, has_radar=has_radar) for number in range(STEPS)]
    times = []
    for now_s, item in sequence:
        begin = time.thread_time_ns()
        core.step(item, now_s)
        times.append((time.thread_time_ns() - begin) * 1e-3)
    times.sort()
    return statistics.median(times), times[int(0.99 * len(times))]


def rows() -> list[Row]:
    """The table's lines."""
    found = []
    for what, has_supplier, has_radar in (
        (f"tracking, one step, a supplier with {OBJECTS} road users, median / p99", True, False),
        (f"tracking, one step, a radar with {OBJECTS} returns, median / p99", False, True),
        ("tracking, one step, both, median / p99", True, True),
        ("tracking, one step, no sensor, median / p99", False, False),
    ):
        median, p99 = step_us(has_supplier=has_supplier, has_radar=has_radar)
        found.append(Row(what=what, measured=f"{median:.0f} / {p99:.0f} us", value=median, unit="us"))
    return found


if __name__ == "__main__":
    print(machine())
    print(table(rows()))
