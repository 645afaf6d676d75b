"""No picture of the cabin is read, stored or passed on: names, maps, recordings, and the live graph over real DDS."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rosbags.rosbag2 import Writer
from rosbags.typesys import Stores, get_typestore

from adas_runtime.cabin import is_cabin_message, is_cabin_name, is_cabin_topic
from adas_runtime.cli import main
from adas_runtime.graph import SOURCES, default_graph
from adas_runtime.inputs import guess
from adas_runtime.inputs.schema import MapFile
from adas_runtime.interfaces import Kind, register, shape
from adas_runtime.replay.cdr import encoder
from adas_runtime.signals import CameraFrame, CameraId, DriverState, VehicleState

COMPRESSED, IMAGE, OWN = (
    "sensor_msgs/msg/CompressedImage",
    "sensor_msgs/msg/Image",
    "adas_interfaces/msg/CameraFrame",
)
SECRET = b"FACE-OF-THE-DRIVER-" * 40  # what no file and no message of ours may hold
JPEG = (
    b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00"
    b"\xff\xfe" + (len(SECRET) + 2).to_bytes(2, "big") + SECRET + b"\xff\xd9"
)
START_NS = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    "name",
    [
        "/camera/driver/image/compressed",
        "/driver_camera/image_raw",
        "/driverCamera/image_raw",
        "/sensing/camera/cabin/image_raw",
        "/interior/image",
        "/dms/image_rect",
        "/DMSCamera/image",
        "in_cabin_face",
    ],
)
def test_a_name_of_the_cabin_is_known(name: str) -> None:
    assert is_cabin_name(name)
    assert is_cabin_topic(name, COMPRESSED) and not is_cabin_topic(name, "adas_interfaces/msg/DriverState")


@pytest.mark.parametrize("name", ["/camera/front/image/compressed", "/zed/left/image_rect_color", "/surface/image"])
def test_a_view_of_the_road_is_none(name: str) -> None:
    assert not is_cabin_name(name)


def test_the_graph_carries_no_picture_but_the_front_cameras() -> None:
    pictures = [topic.name for topic in default_graph().topics() if topic.signal is CameraFrame]
    assert pictures == [source.topic for source in SOURCES if source.name == "camera_front"]


def test_what_a_driver_camera_says_holds_neither_a_picture_nor_an_identity() -> None:
    """2021/1341 1-2.3.1, 2023/2590 1-2.3.1: numbers, flags and a zone; the only whole number counts pictures."""
    kinds = {field.name: field.kind for field in shape(DriverState)}
    assert set(kinds.values()) <= {Kind.FLOAT, Kind.BOOL, Kind.ENUM, Kind.INT}
    assert [name for name, kind in kinds.items() if kind is Kind.INT] == ["frame"]


@pytest.mark.parametrize("kind", [COMPRESSED, IMAGE, OWN])
def test_a_map_that_routes_the_cabin_out_is_refused(kind: str) -> None:
    entry = {"topic": "/camera/driver/image", "type": kind}
    with pytest.raises(ValueError, match="picture of the cabin"):
        MapFile.model_validate({"format": 1, "name": "x", "inputs": [entry]})
    state = {"topic": "/camera/driver/state", "type": "adas_interfaces/msg/DriverState"}
    MapFile.model_validate({"format": 1, "name": "x", "inputs": [state]})


@pytest.mark.parametrize("kind", [COMPRESSED, IMAGE, OWN])
def test_no_guess_takes_it_for_the_front_camera(kind: str) -> None:
    (feed,) = guess.guess({"/camera/driver/image": kind})
    assert not feed.feeds and "cabin" in feed.note


# --- recordings -------------------------------------------------------------------------------------------------------


def _messages(store: Any) -> Iterator[tuple[str, str, Any]]:
    types = store.types
    stamp = types["builtin_interfaces/msg/Time"](sec=START_NS // 10**9, nanosec=0)
    data = np.frombuffer(JPEG, dtype=np.uint8)

    def head(frame: str) -> Any:
        return types["std_msgs/msg/Header"](stamp=stamp, frame_id=frame)

    def compressed(frame: str) -> Any:
        return types[COMPRESSED](header=head(frame), format="jpeg", data=data)

    yield "/camera/driver/image/compressed", COMPRESSED, compressed("camera")
    yield "/camera/front/image/compressed", COMPRESSED, compressed("driver_camera_optical")
    yield (
        "/camera/front/frame",
        OWN,
        types[OWN](
            stamp_s=START_NS * 1e-9,
            camera=int(CameraId.DRIVER),
            width_px=8,
            height_px=8,
            encoding="jpeg",
            data=data,
        ),
    )


def bag_of(path: Path) -> Path:
    """A recording that somebody else made: the cabin on three topics, and a car that drives."""
    store = get_typestore(Stores.ROS2_JAZZY)
    register(store)
    with Writer(path, version=9) as writer:
        connections: dict[str, Any] = {}
        for step in range(200):
            ns = START_NS + step * 20_000_000
            name, kind = "/vehicle/state", "adas_interfaces/msg/VehicleState"
            if name not in connections:
                connections[name] = writer.add_connection(name, kind, typestore=store)
            writer.write(connections[name], ns, encoder(VehicleState)(VehicleState(stamp_s=ns * 1e-9, speed_mps=20.0)))
            for name, kind, message in _messages(store):
                if name not in connections:
                    connections[name] = writer.add_connection(name, kind, typestore=store)
                writer.write(connections[name], ns, store.serialize_cdr(message, kind))
    return path


def test_bytes_of_a_message_tell_the_cabin() -> None:
    store = get_typestore(Stores.ROS2_JAZZY)
    register(store)
    told = {name: is_cabin_message(kind, store.serialize_cdr(m, kind)) for name, kind, m in _messages(store)}
    assert told == {
        "/camera/driver/image/compressed": False,  # its name tells
        "/camera/front/image/compressed": True,
        "/camera/front/frame": True,
    }


def test_a_replay_of_such_a_recording_keeps_none_of_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Outputs, report and stills: the bytes of the face are nowhere, even where the camera is to be copied."""
    bag, out = bag_of(tmp_path / "bag"), tmp_path / "out"
    assert main(["replay", str(bag), "--market", "de", "--out", str(out), "--copy-camera"]) in (0, 1)
    capsys.readouterr()
    from rosbags.highlevel import AnyReader

    assert not [path for path in out.rglob("*") if path.is_file() and SECRET[:19] in path.read_bytes()]
    with AnyReader([out / "out.mcap"]) as reader:
        for connection, _, data in reader.messages():
            assert SECRET[:19] not in data, connection.topic


def test_perceive_does_not_look_at_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bag = bag_of(tmp_path / "bag")
    code = main(["perceive", str(bag), "--camera", "/camera/driver/image/compressed"])
    assert code == 2
    assert "picture of the cabin" in capsys.readouterr().err


# --- the live graph ---------------------------------------------------------------------------------------------------


@pytest.mark.ros
def test_live_no_recording_and_no_topic_of_ours_carries_it(ros: int, tmp_path: Path) -> None:
    """Real DDS: the cabin is sent on a topic of its own and on both of the front camera's, and a driver's state.

    The recorder and perception run. What is recorded holds the state, and of the pictures nothing; no topic of ours
    carries a byte of them.
    """
    pytest.importorskip("rclpy")
    import sys

    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "ros"))
    from live_graph import PATIENCE_S, Probe, child, until
    from rosbags.highlevel import AnyReader

    from adas_runtime.nodes.settings import message_type

    probe = Probe()
    heard: dict[str, int] = {}
    leaks: list[str] = []
    try:
        own = {topic.name for topic in default_graph().topics() if topic.process is not None}
        for topic in default_graph().topics():
            if topic.process is None:
                continue

            def on_bytes(data: bytes, name: str = topic.name) -> None:
                heard[name] = heard.get(name, 0) + 1
                if SECRET[:19] in data:
                    leaks.append(name)

            from adas_runtime.interfaces import type_name
            from adas_runtime.nodes.qos import profile, requested

            kind = message_type(type_name(topic.signal), topic.name)
            probe.node.create_subscription(kind, topic.name, on_bytes, profile(requested(topic)), raw=True)
        compressed = message_type(COMPRESSED, "/x")
        frame = message_type(OWN, "/x")
        senders = []
        for name, frame_id in (
            ("/camera/driver/image/compressed", "camera"),
            ("/camera/front/image/compressed", "driver_camera"),
        ):
            message = compressed()
            message.header.frame_id, message.format, message.data = frame_id, "jpeg", JPEG
            senders.append((probe.node.create_publisher(compressed, name, 5), message))
        message = frame()
        message.camera, message.width_px, message.height_px = int(CameraId.DRIVER), 8, 8
        message.encoding, message.data = "jpeg", JPEG
        senders.append((probe.node.create_publisher(frame, "/camera/front/frame", 5), message))
        from rclpy.clock import Clock

        clock = Clock()
        with child("perception"), child("recorder", "--record", str(tmp_path / "drive")) as recorder:

            def send() -> bool:
                now = clock.now()
                for publisher, item in senders:
                    if hasattr(item, "header"):
                        item.header.stamp = now.to_msg()
                    else:
                        item.stamp_s = now.nanoseconds * 1e-9
                    publisher.publish(item)
                probe.send("/driver/state", DriverState(stamp_s=now.nanoseconds * 1e-9, is_face_visible=True))
                time.sleep(0.05)
                counts = [publisher.get_subscription_count() for publisher, _ in senders[1:]]
                return min(counts) >= 2 and bool(heard.get("/adas/lane_perception/status"))

            until(send, "recorder and perception listen to the front camera's topics", PATIENCE_S)
            assert senders[0][0].get_subscription_count() == 0, "somebody of us subscribes to a picture of the cabin"
            for _ in range(60):
                send()
            import signal

            recorder.send(signal.SIGINT)
            code, _, err = recorder.end()
        assert code == 0, err
    finally:
        probe.close()
    assert set(heard) & own and not leaks
    files = sorted(tmp_path.rglob("*.mcap"))
    assert files
    count = 0
    with AnyReader(sorted({path.parent for path in files})) as reader:
        for connection, _, data in reader.messages():
            assert SECRET[:19] not in bytes(data), connection.topic
            count += connection.topic == "/driver/state"
    assert count > 20, "the recording works, it only leaves out the pictures"
