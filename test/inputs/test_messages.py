"""Messages that no sensor should send: each is refused in words or says nothing; none ends a drive."""

from __future__ import annotations

import array
import math
import struct
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from foreign_drives import make
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.errors import SignalError
from adas_runtime.inputs.binder import Binder, Feed
from adas_runtime.inputs.cloud import radar_tracks
from adas_runtime.inputs.feed import CONVERTERS, Link
from adas_runtime.inputs.pictures import compressed_frame, raw_frame

NUMBERS = st.floats(width=64) | st.sampled_from([0.0, -0.0, math.nan, math.inf, -math.inf, 1e308, -1e-320])
CODES = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 8: "d"}


def offered(feed: Feed, message: Any) -> list[Any]:
    """What the binder of a car makes of one message; a refusal is one line that names the topic."""
    binder = Binder([feed], {}, trust_stamps=True)
    try:
        return binder.convert(feed.topic, message, 100.0)
    except SignalError as error:
        told = error.line()
    assert told.startswith(feed.topic) and "\n" not in told
    return []


def feed_of(name: str) -> Feed:
    converter = CONVERTERS[name]
    return Feed(
        topic="/x",
        type=converter.types[0],
        feeds=converter.targets,
        is_guessed=False,
        converter=name,
        axes=("forward", "left", "up") if name == "imu" else None,
    )


# --- numbers ----------------------------------------------------------------------------------------------------------


@given(st.lists(NUMBERS, min_size=9, max_size=9), st.integers(-(2**31), 2**31 - 1), st.integers(0, 2**32 - 1))
def test_any_numbers_make_a_state_within_bounds_or_none(values: list[float], sec: int, nanosec: int) -> None:
    v, w = dict(zip("xyz", values[:3], strict=True)), dict(zip("xyz", values[3:6], strict=True))
    head = {"stamp": {"sec": sec, "nanosec": nanosec}, "frame_id": ""}
    messages = {
        "twist": make("geometry_msgs/msg/TwistStamped", header=head, twist={"linear": v, "angular": w}),
        "odometry": make("nav_msgs/msg/Odometry", header=head, twist={"twist": {"linear": v, "angular": w}}),
        "imu": make("sensor_msgs/msg/Imu", header=head, linear_acceleration=v, angular_velocity=w),
        "joint_state": make("sensor_msgs/msg/JointState", header=head, position=values[6:7]),
        "navsatfix": make(
            "sensor_msgs/msg/NavSatFix",
            header=head,
            latitude=values[6],
            longitude=values[7],
            altitude=values[8],
            position_covariance=values,
            position_covariance_type=2,
        ),
    }
    for name, message in messages.items():
        for _, signal in offered(feed_of(name), message):
            for field in ("speed_mps", "yaw_rate_rps", "latitude_deg", "position_std_m", "altitude_m", "stamp_s"):
                value = getattr(signal, field, None)
                assert value is None or math.isfinite(value)


@given(
    st.one_of(
        NUMBERS,
        st.integers(-(2**70), 2**70),
        st.text(max_size=4),
        st.none(),
        st.binary(max_size=2),
        st.lists(NUMBERS, max_size=2),
    )
)
def test_a_field_of_any_kind_of_value_is_taken_or_refused(value: Any) -> None:
    for target in ("vehicle_state.speed_mps", "driver_input.indicator", "vehicle_state.is_braking"):
        values = (("1", 1),) if "indicator" in target else ()
        links = (Link(target=target, path="a.b[1]", values=values),)
        feed = Feed(topic="/x", type="acme/msg/X", feeds=(target,), is_guessed=False, converter="fields", links=links)
        for message in (
            SimpleNamespace(a=SimpleNamespace(b=[0, value])),
            SimpleNamespace(a=value),
            SimpleNamespace(a=SimpleNamespace(b=[])),
            value,
        ):
            offered(feed, message)


def test_a_state_is_not_made_of_a_speed_that_is_none() -> None:
    feed = feed_of("twist")
    message = make("geometry_msgs/msg/TwistStamped", twist={"linear": {"x": math.nan}})
    binder = Binder([feed], {}, trust_stamps=True)
    with pytest.raises(SignalError, match=r"speed_mps = nan"):
        binder.convert("/x", message, 1.0)


def test_components_that_nobody_measures_may_be_nan() -> None:
    message = make("geometry_msgs/msg/TwistStamped", twist={"linear": {"x": 7.0, "y": math.nan, "z": math.nan}})
    message.twist.angular.z = math.nan
    [(_, state)] = Binder([feed_of("twist")], {}, trust_stamps=True).convert("/x", message, 1.0)
    assert (state.speed_mps, state.yaw_rate_rps) == (7.0, None)


def test_in_the_car_an_inertial_sensor_needs_stated_axes() -> None:
    feed = Feed(topic="/imu", type="sensor_msgs/msg/Imu", feeds=CONVERTERS["imu"].targets, is_guessed=False)
    binder = Binder([feed], {}, trust_stamps=True)
    assert binder.feeds["/imu"].feeds == ()
    assert any("state its axes in the input map" in text for text in binder.warnings)


def test_messages_of_rclpy_are_read_like_those_of_a_recording() -> None:
    """There lists are `array.array`, and pictures too."""
    jpeg = cv2.imencode(".jpg", np.zeros((8, 16, 3), np.uint8))[1].tobytes()
    message = SimpleNamespace(
        header=SimpleNamespace(stamp=SimpleNamespace(sec=5, nanosec=0)), format="jpeg", data=array.array("B", jpeg)
    )
    [(topic, frame)] = offered(feed_of("compressed_image"), message)
    assert (topic, frame.width_px, frame.height_px, frame.data, frame.stamp_s) == (
        "/camera/front/frame",
        16,
        8,
        jpeg,
        5.0,
    )


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["jpg", "png", "webp", "bmp"])
def test_a_picture_is_what_its_bytes_are(kind: str) -> None:
    data = cv2.imencode(f".{kind}", np.full((24, 40, 3), 90, np.uint8))[1].tobytes()
    frame = compressed_frame(SimpleNamespace(format="anything at all", data=data), 1.0)
    assert (frame.width_px, frame.height_px) == (40, 24)
    assert frame.encoding == ("jpeg" if kind == "jpg" else kind)


@pytest.mark.parametrize(
    ("data", "word"), [(b"", "is empty"), (b"\xff\xd8\xff", "cut short"), (b"\0\0\0\1gBh264", "format says 'h264'")]
)
def test_what_is_no_picture_is_refused_in_words(data: bytes, word: str) -> None:
    with pytest.raises(SignalError, match=word):
        compressed_frame(SimpleNamespace(format="h264", data=data), 1.0)


@pytest.mark.parametrize("kind", ["jpg", "png"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.99])
def test_a_picture_that_is_cut_short_is_refused_and_not_decoded_grey(kind: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (64, 96, 3), np.uint8)
    data = cv2.imencode(f".{kind}", noise)[1].tobytes()
    with pytest.raises(SignalError, match="cut short"):
        compressed_frame(SimpleNamespace(format=kind, data=data[: int(len(data) * share)]), 1.0)


@pytest.mark.parametrize("padding", [b"", b"\0" * 700, b"\xff\xd9trailer of the camera"])
def test_what_a_camera_pads_its_picture_with_is_no_harm(padding: bytes) -> None:
    data = cv2.imencode(".jpg", np.full((24, 40, 3), 90, np.uint8))[1].tobytes()
    assert compressed_frame(SimpleNamespace(format="jpeg", data=data + padding), 1.0).width_px == 40


@given(st.binary(max_size=60), st.sampled_from([b"", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF....WEBP", b"BM"]))
def test_any_bytes_are_a_picture_or_refused(data: bytes, start: bytes) -> None:
    offered(
        feed_of("compressed_image"), make("sensor_msgs/msg/CompressedImage", data=np.frombuffer(start + data, np.uint8))
    )


def test_rows_without_their_padding() -> None:
    rows = [bytes([row] * 6) + b"pad" for row in range(3)]
    message = SimpleNamespace(encoding="rgb8", width=2, height=3, step=9, data=b"".join(rows)[:-3])
    frame = raw_frame(message, 1.0)
    assert frame.data == b"".join(bytes([row] * 6) for row in range(3))


@pytest.mark.parametrize(("pattern", "place"), [("rggb", (0, 0)), ("bggr", (1, 1)), ("gbrg", (1, 0)), ("grbg", (0, 1))])
def test_a_bayer_pattern_keeps_its_red(pattern: str, place: tuple[int, int]) -> None:
    """A red road sign must stay red: ROS and OpenCV name the patterns differently."""
    mosaic = np.zeros((16, 16), np.uint8)
    mosaic[place[0] :: 2, place[1] :: 2] = 200
    message = SimpleNamespace(encoding=f"bayer_{pattern}8", width=16, height=16, step=16, data=mosaic.tobytes())
    frame = raw_frame(message, 1.0)
    blue, green, red = np.frombuffer(frame.data, np.uint8).reshape(16, 16, 3)[8, 8]
    assert frame.encoding == "bgr8" and red > 150 and max(blue, green) < 60


@given(
    st.sampled_from(["rgb8", "mono8", "bayer_rggb8", "16UC1", "yuyv", ""]),
    st.integers(-3, 70000),
    st.integers(-3, 70000),
    st.integers(0, 9000),
    st.binary(max_size=64),
)
def test_any_raw_picture_is_taken_or_refused(encoding: str, width: int, height: int, step: int, data: bytes) -> None:
    message = SimpleNamespace(header=None, encoding=encoding, width=width, height=height, step=step, data=data)
    for _, frame in offered(feed_of("image"), message):
        assert frame.width_px == width and len(frame.data) >= width * height


# --- radar ------------------------------------------------------------------------------------------------------------


def cloud(
    fields: list[tuple[str, int, int]], step: int, points: list[list[float]], *, big: bool, rows: int, gap: int
) -> Any:
    """A cloud of any layout: fields as name, offset and type; `gap` bytes lie between the rows."""
    order = ">" if big else "<"
    data = b""
    width = len(points) // rows
    for index, point in enumerate(points):
        piece = bytearray(step)
        for (_, offset, code), value in zip(fields, point, strict=True):
            packed = struct.pack(order + CODES[code], value if code > 6 else int(value))
            piece[offset : offset + len(packed)] = packed
        data += bytes(piece) + (bytes(gap) if (index + 1) % width == 0 else b"")
    return SimpleNamespace(
        header=None,
        fields=[SimpleNamespace(name=n, offset=o, datatype=c, count=1) for n, o, c in fields],
        width=width,
        height=rows,
        point_step=step,
        row_step=width * step + gap,
        is_bigendian=big,
        data=data,
    )


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("rows", [1, 2])
def test_a_cloud_of_any_layout_is_read(big: bool, rows: int) -> None:
    fields = [("id", 1, 3), ("y", 3, 8), ("rcs", 11, 1), ("x", 13, 7), ("Range_Rate", 19, 3), ("z", 21, 7)]
    points = [[7, 1.5, -12, 40.25, -9, 0.0], [8, -2.5, 3, 80.5, 4, 0.0]]
    tracks = radar_tracks(cloud(fields, 29, points, big=big, rows=rows, gap=5))
    assert [(t.track_id, t.x_m, t.y_m, t.range_rate_mps, t.rcs_dbsm) for t in tracks] == [
        (7, 40.25, 1.5, -9.0, -12.0),
        (8, 80.5, -2.5, 4.0, 3.0),
    ]


def test_of_many_targets_the_nearest_are_kept_and_fillers_are_none() -> None:
    fields = [("x", 0, 7), ("y", 4, 7)]
    points = [[float(400 - index), 0.0] for index in range(300)] + [[math.nan, 1.0], [1e9, 0.0], [5.0, math.inf]]
    tracks = radar_tracks(cloud(fields, 8, points, big=False, rows=1, gap=0))
    assert len(tracks) == 256
    assert max(track.x_m for track in tracks) == 356.0 and min(track.x_m for track in tracks) == 101.0


FIELD = st.tuples(st.sampled_from(["x", "y", "z", "range_rate", "id", ""]), st.integers(-2, 40), st.integers(0, 9))


@given(
    st.lists(FIELD, max_size=5),
    st.integers(-1, 2**32 - 1) | st.integers(0, 6),
    st.integers(-1, 2**32 - 1) | st.integers(0, 3),
    st.integers(0, 40),
    st.integers(0, 200),
    st.booleans(),
    st.binary(max_size=200),
)
def test_any_cloud_is_read_or_refused(
    fields: list[tuple[str, int, int]], width: int, height: int, step: int, row: int, big: bool, data: bytes
) -> None:
    message = SimpleNamespace(
        header=None,
        fields=[SimpleNamespace(name=n, offset=o, datatype=c, count=1) for n, o, c in fields],
        width=width,
        height=height,
        point_step=step,
        row_step=row,
        is_bigendian=big,
        data=data,
    )
    for _, radar in offered(feed_of("point_cloud2_radar"), message):
        for track in radar.tracks:
            assert abs(track.x_m) <= 500.0 and abs(track.y_m) <= 500.0
