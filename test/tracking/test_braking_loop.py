"""Tracking between the sensors and emergency braking: the drives of UN R152 as a radar sees them, and ghosts."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from tracking_world import MARKET, VEHICLE, make_item, make_return

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.graph import SOURCES, Graph
from adas_runtime.perception.tracking.core import SPEC as TRACKING
from adas_runtime.scenario import r152
from adas_runtime.scenario.braking import REAL_SENSOR, drive, loop_graph
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    Gear,
    LongitudinalRequest,
    RadarObjects,
    RadarTrack,
    Stage,
    TrackedObjects,
    VehicleState,
)

CASES = tuple(r152.cases("M1"))
FAMILIES = sorted({case.family for case in CASES})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a radar model reads."""

    objects: TrackedObjects | None = None
    vehicle: VehicleState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """And returns."""

    radar: RadarObjects | None
    status: Status


class RadarModel:
    """The simulated sensor's objects as returns: place and relative speed, no class, no number that lasts."""

    def __init__(self) -> None:
        self.state: Any = None

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        radar = None
        if inputs.objects is not None and inputs.vehicle is not None and inputs.objects.stamp_s != self.state:
            self.state = inputs.objects.stamp_s
            tracks = tuple(
                RadarTrack(
                    track_id=index,
                    x_m=item.x_m,
                    y_m=item.y_m,
                    speed_x_mps=item.speed_x_mps - inputs.vehicle.speed_mps,
                )
                for index, item in enumerate(inputs.objects.objects)
            )
            radar = RadarObjects(stamp_s=inputs.objects.stamp_s, tracks=tracks)
        return Outputs(radar=radar, status=Status(state="on"))


MODEL = FunctionSpec(
    name="radar_model",
    summary="A radar of the test.",
    process=Process.DECISION,
    inputs=(
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, source="object_supplier"),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2),
    ),
    outputs=(Output(name="radar", signal=RadarObjects, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.1,
    trigger="objects",
    has_stage=False,
    build=lambda context: RadarModel(),
)


def radar_graph(*, is_alone: bool) -> Graph:
    """What brakes, with the radar of the test, and with the supplier beside it or without."""
    inputs = tuple(
        replace(item, source="nobody") if item.name == "objects" and is_alone else item for item in TRACKING.inputs
    )
    others = [spec for spec in loop_graph().functions if spec.name != "tracking"]
    sources = tuple(source for source in SOURCES if source.name != "radar")
    return Graph((MODEL, replace(TRACKING, inputs=inputs), *others), sources)


@pytest.mark.clause("R152 5.2.1.4")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.family == "car_moving"][::3], ids=lambda case: case.drive.name
)
def test_a_car_that_drives_is_braked_for_by_radar_alone(case: r152.Case) -> None:
    judged = r152.judge(case, drive(case.drive, MARKET, VEHICLE, radar_graph(is_alone=True)))
    assert judged.verdict == "pass", judged.failures


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.family == "car_stationary"][::6], ids=lambda case: case.drive.name
)
def test_what_stands_is_braked_for_with_both_sensors_and_never_by_radar_alone(case: r152.Case) -> None:
    """A car that stood before it was seen looks to a radar as a bridge does: that is the price of no false braking."""
    alone = drive(case.drive, MARKET, VEHICLE, radar_graph(is_alone=True))
    assert alone.warned_s is None and alone.braked_s is None
    camera = replace(REAL_SENSOR, sources=("camera",))
    judged = r152.judge(case, drive(case.drive, MARKET, VEHICLE, radar_graph(is_alone=False), camera))
    assert judged.verdict == "pass", judged.failures


@pytest.mark.clause("R152 5.1.6")
@pytest.mark.parametrize(
    "case", [case for case in CASES if case.limit_kmh is None], ids=lambda case: f"{case.drive.name}"
)
@pytest.mark.parametrize("is_alone", [True, False], ids=["radar", "both"])
def test_what_must_not_be_braked_for_is_not(case: r152.Case, is_alone: bool) -> None:
    judged = r152.judge(case, drive(case.drive, MARKET, VEHICLE, radar_graph(is_alone=is_alone)))
    assert judged.verdict == "pass", judged.failures


def test_every_family_is_there() -> None:
    counts = Counter(case.family for case in CASES)
    assert counts["car_moving"] >= 40 and counts["car_stationary"] >= 40 and len(FAMILIES) > 5


def reaction(sensor: str, frames: int, ttc_s: float) -> tuple[int, int]:
    """Requests to brake, and warnings, at 20 m/s before something that stands and is seen for so many frames."""
    own_mps = 20.0
    graph = loop_graph()
    executor = Executor(
        graph,
        BuildContext(market=MARKET, vehicle=VEHICLE),
        dict.fromkeys([spec.name for spec in graph.functions], Stage.ON),
        without=frozenset({"lane_perception"}),
    )
    asked, warned = 0, 0
    front_m = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
    for count in range(600):
        now_s = 1000.0 + 0.01 * count
        said = []
        if count % 10 == 0:
            said += executor.offer("/vehicle/body", BodyState(stamp_s=now_s, is_master_switch_on=True), now_s)
            said += executor.offer("/vehicle/driver_input", DriverInput(stamp_s=now_s), now_s)
        if count % 5 == 0:
            number = count // 5 - 80
            is_there = 0 <= number < frames
            x_m = front_m + own_mps * (ttc_s - 0.05 * number)
            if sensor != "radar":
                item = make_item(4, x_m=x_m, speed_x_mps=0.0, age_s=0.05 * max(number, 0), sources=("camera",))
                said += executor.offer(
                    "/objects/tracked", TrackedObjects(stamp_s=now_s, objects=(item,) if is_there else ()), now_s
                )
            if sensor != "camera":
                is_seen = is_there and (sensor == "radar" or number == 0 or frames > 3)
                track = make_return(3, x_m, 0.0, -own_mps)
                said += executor.offer(
                    "/radar/objects", RadarObjects(stamp_s=now_s, tracks=(track,) if is_seen else ()), now_s
                )
        state = VehicleState(
            stamp_s=now_s, speed_mps=own_mps, accel_mps2=0.0, yaw_rate_rps=0.0, steering_wheel_rate_rps=0.0,
            accelerator=0.0, brake=0.0, is_braking=False, gear=Gear.DRIVE,
        )  # fmt: skip
        said += executor.offer("/vehicle/state", state, now_s)
        said += executor.advance(now_s)
        for emission in said:
            signal = emission.signal
            asked += isinstance(signal, LongitudinalRequest) and signal.is_active and signal.author == "aeb"
            warned += isinstance(signal, Alert) and signal.is_active and signal.code == "aeb_collision"
    return asked, warned


@pytest.mark.parametrize("sensor", ["camera", "radar", "both"])
@pytest.mark.parametrize("frames", [1, 2, 3])
@pytest.mark.parametrize("ttc_s", [0.4, 0.8, 1.5])
def test_a_ghost_of_a_few_frames_of_one_sensor_brakes_nobody(sensor: str, frames: int, ttc_s: float) -> None:
    """One object seen by one sensor for one frame never brakes; neither do three, nor what tracking makes of them."""
    asked, warned = reaction(sensor, frames, ttc_s)
    assert asked == 0
    assert frames == 3 or warned == 0


def test_what_stays_there_is_braked_for() -> None:
    """So that the test above could fail."""
    asked, warned = reaction("both", 30, 1.5)
    assert asked > 0 and warned > 0
