"""What one step of emergency braking costs among twenty road users, and how fast a suite drives.

    python benchmark/braking.py

Processor time of the thread; the core alone, as the executor's part is in `benchmark/decision.py`. Half of the twenty
stands or drives ahead of the car within four seconds, the other half is beside and behind it.
"""

from __future__ import annotations

import statistics
import time
from typing import Final

from rows import Row, machine, table

from adas_runtime.aeb.core import Inputs, build
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.scenario.suite import Order
from adas_runtime.scenario.suite import build as build_suite
from adas_runtime.signals import ObjectClass, TrackedObject, TrackedObjects, VehicleState
from adas_runtime.vehicle import load_vehicle

MARKET: Final = "de"
STEPS: Final = 4000
OBJECTS: Final = 20
SPEED_MPS: Final = 20.0
DRIVES: Final = 60


def _objects(now_s: float, number: int) -> TrackedObjects:
    """Twenty of them, each where its speed brought it."""
    found = []
    for index in range(OBJECTS):
        is_ahead = index % 2 == 0
        own_mps = 15.0 + index * 0.5
        gap_m = 8.0 + 4.0 * index + (own_mps - SPEED_MPS) * 0.05 * (number % 40)
        found.append(
            TrackedObject(
                object_id=index, object_class=ObjectClass.CAR, x_m=3.5 + gap_m if is_ahead else -gap_m,
                y_m=(0.0, 3.5, -3.5)[index % 3], speed_x_mps=own_mps, speed_y_mps=0.0, x_std_m=0.2, y_std_m=0.2,
                speed_x_std_mps=0.2, confidence=0.9, age_s=5.0, sources=("camera", "radar"),
            )
        )  # fmt: skip
    return TrackedObjects(stamp_s=now_s, objects=tuple(found))


def step_ms() -> tuple[float, float]:
    """Median and 99th percentile of a step that a message of objects makes [ms]."""
    core = build(BuildContext(market=load_market(MARKET), vehicle=load_vehicle("reference")))
    inputs = []
    for number in range(STEPS):
        now_s = 100.0 + 0.05 * number
        vehicle = VehicleState(stamp_s=now_s, speed_mps=SPEED_MPS, yaw_rate_rps=0.0, accel_mps2=0.0)
        inputs.append((now_s, Inputs(vehicle=vehicle, objects=_objects(now_s, number))))
    times = []
    for now_s, item in inputs:
        begin = time.thread_time_ns()
        core.step(item, now_s)
        times.append((time.thread_time_ns() - begin) * 1e-6)
    times.sort()
    return statistics.median(times), times[int(0.99 * len(times))]


def times_real(*, whole: bool) -> float:
    """How many times faster than real the drives of UN R152 are, on one core."""
    suite = build_suite(Order(suite="r152", market=MARKET, vehicle="reference", seed=1, whole=whole))
    driven_s, begin_s = 0.0, time.process_time()
    for number in range(DRIVES):
        found = suite.run(number * (len(suite.drives) // DRIVES), 1, is_traced=False)
        driven_s += found["driven_s"]
    return driven_s / (time.process_time() - begin_s)


def rows() -> list[Row]:
    """The table's lines."""
    median, p99 = step_ms()
    fast, whole = times_real(whole=False), times_real(whole=True)
    return [
        Row(
            what=f"emergency braking, one step among {OBJECTS} road users, median / p99",
            measured=f"{median:.3f} / {p99:.3f} ms",
            value=median,
            unit="ms",
        ),
        Row(
            what="closed loop of UN R152: what brakes / the whole graph",
            measured=f"{fast:.0f}x / {whole:.0f}x real time",
            value=whole,
            unit="x",
            is_lower_better=False,
        ),
    ]


if __name__ == "__main__":
    print(machine())
    print(table(rows()))
