"""Emergency braking in live decision and guard processes: road users in, warning and braking out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]
pytest.importorskip("rclpy")

from live_graph import Probe, child, until  # noqa: E402

from adas_runtime.signals import (  # noqa: E402
    BodyState,
    DriverInput,
    Gear,
    ObjectClass,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)

COMMAND, ALERT, LAMPS = "/adas/envelope/command", "/adas/aeb/alert", "/adas/aeb/lamps"
SPEED_MPS = 13.9
AHEAD_M = 70.0
FRONT_M = 3.5


@pytest.fixture
def probe(ros: int) -> Iterator[Probe]:
    made = Probe()
    yield made
    made.close()


def test_a_car_that_stands_on_the_wire_is_warned_of_and_braked_for(probe: Probe) -> None:
    """The car drives 50 km/h; the other one waits until the guard lets requests in, then comes nearer."""
    probe.listen(COMMAND, ALERT, LAMPS)
    stop, go = threading.Event(), threading.Event()

    def send() -> None:
        step, begun_s = 0, 0.0
        while not stop.wait(0.01):
            now_s = time.time()
            begun_s = now_s if not go.is_set() else begun_s
            gap_m = max(AHEAD_M - SPEED_MPS * (now_s - begun_s), 4.0)
            is_near = go.is_set()
            probe.send(
                "/vehicle/state",
                VehicleState(
                    stamp_s=now_s, speed_mps=SPEED_MPS, yaw_rate_rps=0.0, accel_mps2=0.0, accelerator=0.0, brake=0.0,
                    is_braking=False, gear=Gear.DRIVE,
                ),
            )  # fmt: skip
            if step % 5 == 0:
                car = TrackedObject(
                    object_id=1, object_class=ObjectClass.CAR, x_m=FRONT_M + gap_m, y_m=0.0,
                    speed_x_mps=0.0 if is_near else SPEED_MPS, speed_y_mps=0.0, x_std_m=0.1, y_std_m=0.1,
                    speed_x_std_mps=0.1, confidence=0.9, age_s=5.0, sources=("camera", "radar"),
                )  # fmt: skip
                probe.send("/objects/tracked", TrackedObjects(stamp_s=now_s, objects=(car,)))
                probe.send("/vehicle/driver_input", DriverInput(stamp_s=now_s))
                probe.send("/vehicle/body", BodyState(stamp_s=now_s, is_master_switch_on=True))
            step += 1

    sender = threading.Thread(target=send, daemon=True)
    with child("decision") as decision, child("guard") as guard:
        sender.start()
        try:
            quiet = until(lambda: (c := probe.last(COMMAND)) and not c.is_safe_stop and c, "the guard lets requests in")
            assert not quiet.is_longitudinal_active
            go.set()
            alert = until(
                lambda: (a := probe.last(ALERT)) and a.is_active and a.code == "aeb_collision" and a,
                "the driver is warned",
            )
            assert alert.is_optical and alert.is_acoustic and alert.is_haptic
            braked = until(
                lambda: (c := probe.last(COMMAND)) and c.is_longitudinal_active and c.accel_mps2 <= -5.0 and c,
                "the brakes are told",
            )
            assert braked.longitudinal_author == "aeb" and braked.longitudinal_cause == "collision_imminent"
            assert probe.last(LAMPS) is not None, "stop lamps"
        finally:
            stop.set()
            sender.join(5.0)
        for process in (decision, guard):
            process.process.terminate()
        for process in (decision, guard):
            assert process.process.wait(20.0) == 0
