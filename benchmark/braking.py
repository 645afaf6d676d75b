"""What a step of emergency braking and of automated lane keeping costs among twenty road users, and a suite's speed.

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
from adas_runtime.alks import core as alks
from adas_runtime.errors import AdasError
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.scenario.suite import Order
from adas_runtime.scenario.suite import build as build_suite
from adas_runtime.signals import (
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    GazeZone,
    Gear,
    Horizon,
    HorizonSegment,
    LaneEdge,
    LaneSide,
    ObjectClass,
    RoadClass,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
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


def alks_step_ms() -> tuple[float, float]:
    """Median and 99th percentile of a step of automated lane keeping, by a vehicle's state, while it drives [ms]."""
    market = load_market(MARKET)
    fast = market.alks.model_copy(update={"series": "01", "speed_max_kmh": 130.0})  # no market file holds it yet
    market = market.model_copy(update={"alks": fast})
    core = alks.build(BuildContext(market=market, vehicle=load_vehicle("reference")))
    edges = tuple(LaneEdge(side=side, distance_m=0.9, width_m=0.15, confidence=0.9) for side in LaneSide if side < 2)
    segment = HorizonSegment(offset_m=-10.0, length_m=5000.0, probability=1.0, road_class=RoadClass.MOTORWAY)
    steps = []
    for number in range(STEPS):
        now_s = 100.0 + 0.01 * number
        seen_s = now_s - 0.01 * (number % 5)
        vehicle = VehicleState(stamp_s=now_s, speed_mps=SPEED_MPS, yaw_rate_rps=0.0, accel_mps2=0.0, is_hands_on=False,
                               driver_torque_nm=0.0, gear=Gear.DRIVE)  # fmt: skip
        inputs = alks.Inputs(
            vehicle=vehicle,
            driver=(DriverInput(stamp_s=seen_s, pressed=("alks",) if 200 <= number < 230 else ()),),
            body=(BodyState(stamp_s=seen_s, is_driver_seated=True, is_driver_belt_fastened=True),),
            lane=(EgoLane(stamp_s=seen_s, edges=edges, width_m=3.55, x_max_m=60.0, is_fit_to_steer=True,
                          confidence=0.9),),
            gaze=(DriverState(stamp_s=seen_s, is_face_visible=True, gaze_zone=GazeZone.ROAD, eye_openness=0.8,
                              head_yaw_rad=0.1 * (number // 100 % 2), head_pitch_rad=0.0, confidence=0.9),),
            objects=(_objects(seen_s, number // 5),),
            horizon=(Horizon(stamp_s=seen_s, is_matched=True, confidence=0.9, segments=(segment,)),),
        )  # fmt: skip
        steps.append((now_s, inputs))
    times = []
    for now_s, item in steps:
        begin = time.thread_time_ns()
        core.step(item, now_s)
        times.append((time.thread_time_ns() - begin) * 1e-6)
    if core.state.state is not alks.State.ACTIVE:
        raise AdasError(
            f"it does not drive: {core.state.reason}", where="benchmark/braking.py", mend="correct its inputs"
        )
    times = sorted(times[300:])
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
    alks_median, alks_p99 = alks_step_ms()
    return [
        Row(
            what=f"emergency braking, one step among {OBJECTS} road users, median / p99",
            measured=f"{median:.3f} / {p99:.3f} ms",
            value=median,
            unit="ms",
        ),
        Row(
            what=f"automated lane keeping at work, one step among {OBJECTS} road users, median / p99",
            measured=f"{alks_median:.3f} / {alks_p99:.3f} ms",
            value=alks_median,
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
