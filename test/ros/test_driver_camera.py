"""The driver camera's own process over real DDS: it sends a state, gives way to a supplier; no picture leaves it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import cv2
import driver_pictures as pictures
import pytest
import yaml
from live_graph import Child, Probe, child, until, values

from adas_runtime.cli import main
from adas_runtime.resources import config_dir
from adas_runtime.signals import DriverState

pytestmark = pytest.mark.ros

TOPIC = "/driver/state"
NODE = "adas_driver_camera"


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A minute of a driver who looks ahead."""
    path = tmp_path_factory.mktemp("film") / "cabin.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, pictures.SIZE)
    shots = [cv2.cvtColor(pictures.driver(0, noise=step), cv2.COLOR_GRAY2BGR) for step in range(20)]
    for step in range(1200):
        writer.write(shots[step % 20])
    writer.release()
    return path


@pytest.fixture(scope="module")
def vehicle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The reference vehicle with a driver camera in the middle of its dashboard."""
    car = yaml.safe_load((config_dir() / "vehicles" / "reference.yaml").read_text(encoding="utf-8"))
    mount = dict(
        car["cameras"]["front"],
        distortion=[0.0] * 5,
        width_px=640,
        height_px=400,
        fx_px=600.0,
        fy_px=600.0,
        cx_px=320.0,
    )
    car["cameras"]["driver"] = dict(mount, cy_px=200.0, x_m=1.3, z_m=1.0, pitch_deg=-5.0, yaw_deg=180.0)
    path = tmp_path_factory.mktemp("vehicle") / "with_camera.yaml"
    path.write_text(yaml.safe_dump(dict(car, name="with_camera")), encoding="utf-8")
    return path


@contextmanager
def watching(film: Path, vehicle: Path) -> Iterator[Child]:
    """`adas driver-camera` as a user starts it, killed at the end."""
    code = "import sys; from adas_runtime.cli import main; sys.exit(main(sys.argv[1:]))"
    started = Child(["-c", code, "driver-camera", str(film), "--market", "de", "--vehicle", str(vehicle)])
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.kill()
        started.process.communicate()


def test_the_state_is_sent_and_recorded_and_no_picture_is(
    probe: Probe, film: Path, vehicle: Path, tmp_path: Path
) -> None:
    from rosbags.highlevel import AnyReader

    probe.listen(TOPIC)
    with child("recorder", "--record", str(tmp_path / "drive")) as recorder, watching(film, vehicle) as camera:
        until(lambda: len(probe.heard[TOPIC]) > 40, "the driver's state is sent")
        told: Any = until(lambda: probe.told(f"{NODE}: driver camera"), "the process tells how it is")
        assert values(told)["sends"] == "true" and "model_driver_eye" in values(told)
        sent = {name for name, _ in probe.node.get_publisher_names_and_types_by_node(NODE, "/")}
        assert sent <= {TOPIC, "/diagnostics", "/rosout", "/parameter_events"}, "a topic more may carry a picture"
        camera.send(signal.SIGINT)
        assert camera.end()[0] == 0
        recorder.send(signal.SIGINT)
        assert recorder.end()[0] == 0
    seen: list[DriverState] = [item for _, item in probe.heard[TOPIC]]
    assert sum(item.is_face_visible for item in seen) > 0.9 * len(seen)
    assert all(later.stamp_s > earlier.stamp_s for earlier, later in itertools.pairwise(seen))
    with AnyReader(sorted({path.parent for path in tmp_path.rglob("*.mcap")})) as reader:
        kinds = {connection.topic: connection.msgtype for connection, _, _ in reader.messages()}
        sizes = [len(data) for connection, _, data in reader.messages() if connection.topic == TOPIC]
    assert TOPIC in kinds and max(sizes) < 200, "a state of some numbers"
    assert not [kind for kind in kinds.values() if kind.endswith(("Image", "CompressedImage", "CameraFrame"))]


def test_up_starts_it_and_starts_it_again(probe: Probe, film: Path, vehicle: Path) -> None:
    probe.listen(TOPIC)
    code = "import sys; from adas_runtime.cli import main; sys.exit(main(sys.argv[1:]))"
    given = ["up", "--market", "de", "--vehicle", str(vehicle), "--driver-camera", str(film), "--json"]
    up = Child(["-c", code, *given])
    try:
        until(lambda: len(probe.heard[TOPIC]) > 10, "the driver's state is sent")
        ours = f"/proc/{up.process.pid}/task/{up.process.pid}/children"
        pids = [int(pid) for pid in Path(ours).read_text().split()]
        camera = next(pid for pid in pids if b"driver-camera" in Path(f"/proc/{pid}/cmdline").read_bytes())
        os.kill(camera, signal.SIGKILL)
        at_s = time.time() + 0.5  # what it sent before is on its way no longer
        until(lambda: len(probe.since(TOPIC, at_s)) > 10, "a new one sends")
        up.send(signal.SIGINT)
        code_, out = up.end()[:2]
        assert code_ == 0
        ended = json.loads(out.strip().splitlines()[-1])
        assert ended["processes"]["driver_camera"]["restarts"] == 1
        assert not Path(f"/proc/{camera}").exists()
    finally:
        if up.process.poll() is None:
            up.process.kill()
        up.process.communicate()


def test_it_is_silent_while_a_supplier_s_camera_sends(probe: Probe, film: Path, vehicle: Path) -> None:
    probe.listen(TOPIC)
    mine = 0.123

    def send() -> None:
        probe.send(TOPIC, DriverState(stamp_s=time.time(), confidence=mine))
        time.sleep(0.05)

    send()
    with watching(film, vehicle):

        def is_silent() -> bool:
            send()
            told = probe.told(f"{NODE}: driver camera")
            return told is not None and values(told)["sends"] == "false"

        until(is_silent, "it watches and says nothing")
        at_s = time.time() + 0.5  # what it said before it heard of the other one is on its way no longer
        until(lambda: (send(), len(probe.since(TOPIC, at_s)) > 20)[1], "the supplier is heard on")
        assert {round(item.confidence, 3) for item in probe.since(TOPIC, at_s)} == {mine}


@pytest.mark.parametrize(
    ("device", "car", "said"),
    [("film", "reference", "has no driver camera"), ("/dev/none", "with", "cannot be opened")],
    ids=["no_camera_in_the_vehicle_file", "no_device"],
)
def test_what_cannot_be_used_is_refused_in_one_line(
    film: Path, vehicle: Path, capfd: pytest.CaptureFixture[str], device: str, car: str, said: str
) -> None:
    named = str(vehicle) if car == "with" else car
    arguments = ["driver-camera", str(film) if device == "film" else device, "--market", "de", "--vehicle", named]
    assert main(arguments) == 2
    err = capfd.readouterr().err
    assert said in err and err.count("\n") == 1
