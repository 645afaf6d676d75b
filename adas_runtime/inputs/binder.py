"""From the topics of any recording to the signals of the graph: what feeds what, and why the rest feeds nothing.

The meaning of a topic is guessed from type and name; the guess is shown and checked against the first messages
(`Survey`): which axis of an odometry carries the speed, which way an IMU's z axis points, and whether a header's stamp
and the recording speak of one clock. What a recording lacks stays absent.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Final

from adas_runtime.converter import check
from adas_runtime.errors import SignalError
from adas_runtime.graph import SOURCES
from adas_runtime.replay.cdr import decoder as own_decoder
from adas_runtime.signals import (
    BY_NAME,
    CameraFrame,
    CameraId,
    FixStatus,
    PoseFix,
    RadarObjects,
    RadarTrack,
    Signal,
    VehicleState,
)

SOURCE_TOPIC: Final = {source.signal.__name__: source.topic for source in SOURCES}
OWN: Final = "adas_interfaces/msg/"
CLOCK_OFFSET_MAX_S: Final = 1.0  # more between stamp and log time is another clock, not latency
FILL_MAX_AGE_S: Final = 0.2  # a value of another topic is put into a vehicle state this long
GRAVITY_MPS2: Final = 9.81
SPEED_TYPES: Final = (
    "geometry_msgs/msg/TwistStamped",
    "geometry_msgs/msg/TwistWithCovarianceStamped",
    "nav_msgs/msg/Odometry",
)
_FIELD_CODES: Final = {1: "b", 2: "B", 3: "h", 4: "H", 5: "i", 6: "I", 7: "f", 8: "d"}

Converted = list[tuple[str, Signal]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one topic is used for; `feeds` empty: nothing, and `note` says why."""

    topic: str
    type: str
    feeds: tuple[str, ...] = ()
    is_guessed: bool = True
    note: str = ""


@dataclass(slots=True)
class Survey:
    """The first messages of a topic: log times [s] and decoded messages."""

    times_s: list[float] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)


def _rank(name: str, liked: Sequence[str], disliked: Sequence[str]) -> tuple[int, str]:
    low = name.lower()
    return (
        sum(4 for word in disliked if word in low) - sum(1 for word in liked if word in low),
        name,
    )


def guess(topics: Mapping[str, str]) -> tuple[Feed, ...]:
    """What each topic feeds, by type and name; topics of our own decisions and of the truth feed nothing."""
    feeds: dict[str, Feed] = {
        name: Feed(topic=name, type=kind, note="feeds no function of the graph") for name, kind in topics.items()
    }
    free: dict[str, str] = {}
    for name, kind in topics.items():
        if name.startswith(("/adas/", "/truth/", "/viz/")):
            # a recorded decision must never pass for a live one
            feeds[name] = replace(feeds[name], note="an output or truth in the recording; not an input")
        else:
            free[name] = kind

    def use(name: str, *targets: str) -> None:
        feeds[name] = Feed(topic=name, type=topics[name], feeds=(*feeds[name].feeds, *targets))

    def best(kinds: Sequence[str], liked: Sequence[str], disliked: Sequence[str] = ()) -> str | None:
        found = sorted((n for n, k in free.items() if k in kinds), key=lambda n: _rank(n, liked, disliked))
        return found[0] if found else None

    direct: set[str] = set()
    for source in SOURCES:
        own = best([OWN + source.signal.__name__], [source.topic])
        if own is not None:
            direct.add(source.signal.__name__)
            feeds[own] = Feed(topic=own, type=topics[own], feeds=(source.name,), is_guessed=own != source.topic)
    if "CameraFrame" not in direct:
        images = ["sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image"]
        shut = ["driver", "cabin", "rear", "back", "depth", "left_", "right_", "seg", "mask"]
        picture = best([images[0]], ["front", "image", "camera"], shut) or best([images[1]], ["front", "image"], shut)
        if picture is not None and not any(word in picture.lower() for word in shut[:4]):
            use(picture, "camera_front")
    if "PoseFix" not in direct:
        fix = best(["sensor_msgs/msg/NavSatFix"], ["gps", "gnss", "fix"])
        if fix is not None:
            use(fix, "pose_fix")
    if "RadarObjects" not in direct:
        radar = next(
            (n for n, k in sorted(free.items()) if k == "sensor_msgs/msg/PointCloud2" and "radar" in n.lower()), None
        )
        if radar is not None:
            use(radar, "radar")
    if "VehicleState" not in direct:
        pace = None
        for kind in SPEED_TYPES:
            pace = best([kind], ["vehicle", "twist", "kinematic", "odom"], ["truth", "reference"])
            if pace is not None:
                break
        if pace is not None:
            use(pace, "vehicle_state.speed_mps", "vehicle_state.yaw_rate_rps")
            imu = best(["sensor_msgs/msg/Imu"], ["imu", "data"])
            if imu is not None:
                use(imu, "vehicle_state.accel_mps2", "vehicle_state.lateral_accel_mps2", "vehicle_state.yaw_rate_rps")
            wheel = next(
                (
                    n
                    for n, k in sorted(free.items())
                    if "steering_wheel" in n.lower()
                    and k.endswith(("JointState", "Float64", "Float32", "Float64Stamped", "Float32Stamped"))
                ),
                None,
            )
            if wheel is not None:
                use(wheel, "vehicle_state.steering_wheel_angle_rad")
    return tuple(feeds[name] for name in sorted(feeds))


class Binder:
    """Turns messages into signals; pure but for what it remembers of the last messages.

    Args:
        feeds: What each topic is used for.
        surveys: First messages of the topics that are used, for the checks.
        trust_stamps: Take the headers' stamps as they are, as in the car where all share one clock and a wrong stamp
            is a fault that the ages must show; else the surveys decide.
    """

    def __init__(self, feeds: Sequence[Feed], surveys: Mapping[str, Survey], *, trust_stamps: bool = False) -> None:
        self._trust_stamps = trust_stamps
        self.warnings: list[str] = []
        self._use_log_time: dict[str, bool] = {}
        self._convert: dict[str, Callable[[Any, float], Converted]] = {}
        self._fill: dict[str, tuple[float, float]] = {}
        self._notes: dict[str, str] = {}
        self.feeds: dict[str, Feed] = {}
        for feed in feeds:
            if feed.feeds:
                survey = surveys.get(feed.topic, Survey())
                self._choose_clock(feed, survey)
                self._convert[feed.topic] = self._make(feed, survey)
            note = "; ".join(text for text in (feed.note, self._notes.get(feed.topic, "")) if text)
            self.feeds[feed.topic] = replace(feed, note=note)

    @property
    def topics(self) -> frozenset[str]:
        """Topics that feed something."""
        return frozenset(self._convert)

    def convert(self, topic: str, message: Any, log_s: float) -> Converted:
        """The signals that one message brings, by topic of the graph.

        Raises:
            SignalError: A value is refused at the border.
        """
        found = self._convert[topic](message, log_s)
        for _, signal in found:
            check(signal)
        return found

    # --- checks ---

    def _choose_clock(self, feed: Feed, survey: Survey) -> None:
        if self._trust_stamps:
            self._use_log_time[feed.topic] = False
            return
        offsets = [
            stamp - log_s
            for log_s, message in zip(survey.times_s, survey.messages, strict=True)
            if (stamp := _stamp(message)) is not None
        ]
        if not offsets:
            self._use_log_time[feed.topic] = True
            return
        offset = median(offsets)
        far = abs(offset) > CLOCK_OFFSET_MAX_S
        self._use_log_time[feed.topic] = far
        if far:
            what = "unset" if all(_stamp(m) == 0.0 for m in survey.messages) else f"{offset:+.3f} s off"
            self._notes[feed.topic] = f"stamps are {what} against the recording's clock: log times are used"
            self.warnings.append(f"{feed.topic}: {self._notes[feed.topic]}")

    def _time(self, topic: str, message: Any, log_s: float) -> float:
        if self._use_log_time[topic]:
            return log_s
        stamp = _stamp(message)
        return log_s if stamp is None else stamp

    def _note(self, topic: str, text: str) -> None:
        self._notes[topic] = "; ".join(part for part in (self._notes.get(topic, ""), text) if part)

    # --- converters ---

    def _make(self, feed: Feed, survey: Survey) -> Callable[[Any, float], Converted]:
        topic, kind = feed.topic, feed.type
        if kind.startswith(OWN):
            signal = BY_NAME[kind.removeprefix(OWN)]
            return self._own(topic, signal)
        if kind == "sensor_msgs/msg/CompressedImage":
            return lambda m, log_s: [
                (SOURCE_TOPIC["CameraFrame"], self._frame(topic, m, log_s, _image_format(m), bytes(m.data), 1, 1))
            ]
        if kind == "sensor_msgs/msg/Image":
            return lambda m, log_s: [
                (
                    SOURCE_TOPIC["CameraFrame"],
                    self._frame(topic, m, log_s, str(m.encoding), _rows(m), int(m.width), int(m.height)),
                )
            ]
        if kind == "sensor_msgs/msg/NavSatFix":
            return lambda m, log_s: self._fix(topic, m, log_s)
        if kind == "sensor_msgs/msg/PointCloud2":
            return lambda m, log_s: self._radar(topic, m, log_s)
        if kind in SPEED_TYPES:
            return self._pace(topic, kind, survey)
        if kind == "sensor_msgs/msg/Imu":
            return self._imu(topic, survey)
        return self._steering(topic)

    def _own(self, topic: str, signal: type[Signal]) -> Callable[[Any, float], Converted]:
        target = SOURCE_TOPIC[signal.__name__]

        def convert(value: Any, log_s: float) -> Converted:
            # the reader decodes our own messages straight into signals
            return [(target, replace(value, stamp_s=log_s) if self._use_log_time[topic] else value)]

        return convert

    def _frame(
        self, topic: str, message: Any, log_s: float, encoding: str, data: bytes, width: int, height: int
    ) -> CameraFrame:
        return CameraFrame(
            stamp_s=self._time(topic, message, log_s),
            camera=CameraId.FRONT,
            width_px=width,
            height_px=height,
            encoding=encoding[:32],
            data=data,
        )

    def _fix(self, topic: str, m: Any, log_s: float) -> Converted:
        if m.status.status < 0:
            return []  # NavSatStatus.STATUS_NO_FIX: the numbers beside it mean nothing
        variance = max(float(m.position_covariance[0]), float(m.position_covariance[4]))
        is_known = m.position_covariance_type > 0 and 0.0 <= variance < 1e12
        altitude = float(m.altitude)
        fix = PoseFix(
            stamp_s=self._time(topic, m, log_s),
            latitude_deg=float(m.latitude),
            longitude_deg=float(m.longitude),
            altitude_m=altitude if math.isfinite(altitude) else None,
            position_std_m=math.sqrt(variance) if is_known else None,
            status=FixStatus.AUGMENTED if m.status.status > 0 else FixStatus.FIX,
        )
        return [(SOURCE_TOPIC["PoseFix"], fix)]

    def _pace(self, topic: str, kind: str, survey: Survey) -> Callable[[Any, float], Converted]:
        axis = "x"
        if kind == "nav_msgs/msg/Odometry":
            axis, text = speed_axis(survey)
            if text:
                self._note(topic, text)
                self.warnings.append(f"{topic}: {text}")

        def twist(m: Any) -> Any:
            return m.twist if kind == "geometry_msgs/msg/TwistStamped" else m.twist.twist

        def convert(m: Any, log_s: float) -> Converted:
            now_s = self._time(topic, m, log_s)
            moved = twist(m)
            yaw = float(moved.angular.z) if axis == "x" else None
            return [(SOURCE_TOPIC["VehicleState"], self._vehicle(now_s, float(getattr(moved.linear, axis)), yaw))]

        return convert

    def _vehicle(self, now_s: float, speed_mps: float, yaw_rate_rps: float | None) -> VehicleState:
        def filled(name: str) -> float | None:
            at_s, value = self._fill.get(name, (-math.inf, 0.0))
            return value if abs(now_s - at_s) <= FILL_MAX_AGE_S else None

        measured = filled("yaw_rate_rps")
        return VehicleState(
            stamp_s=now_s,
            speed_mps=speed_mps,
            accel_mps2=filled("accel_mps2"),
            lateral_accel_mps2=filled("lateral_accel_mps2"),
            # a gyroscope measures the yaw rate; in a twist it is often left at zero
            yaw_rate_rps=measured if measured is not None else yaw_rate_rps,
            steering_wheel_angle_rad=filled("steering_wheel_angle_rad"),
        )

    def _imu(self, topic: str, survey: Survey) -> Callable[[Any, float], Converted]:
        down = [float(m.linear_acceleration.z) for m in survey.messages]
        z = median(down) if down else 0.0
        if abs(abs(z) - GRAVITY_MPS2) > 2.0:
            self._note(topic, f"its z axis does not carry gravity ({z:.1f} m/s^2): mounting unknown, not used")
            return lambda m, log_s: []
        flip = 1.0 if z > 0.0 else -1.0
        self._note(topic, "axes forward, left, up" if flip > 0 else "axes forward, right, down (gravity negative)")

        def convert(m: Any, log_s: float) -> Converted:
            now_s = self._time(topic, m, log_s)
            self._fill["accel_mps2"] = (now_s, float(m.linear_acceleration.x))
            self._fill["lateral_accel_mps2"] = (now_s, flip * float(m.linear_acceleration.y))
            self._fill["yaw_rate_rps"] = (now_s, flip * float(m.angular_velocity.z))
            return []

        return convert

    def _steering(self, topic: str) -> Callable[[Any, float], Converted]:
        def convert(m: Any, log_s: float) -> Converted:
            value = m.position[0] if hasattr(m, "position") and len(m.position) else getattr(m, "data", None)
            if value is not None:
                self._fill["steering_wheel_angle_rad"] = (self._time(topic, m, log_s), float(value))
            return []

        return convert

    def _radar(self, topic: str, m: Any, log_s: float) -> Converted:
        fields = {f.name: f for f in m.fields}
        if "x" not in fields or "y" not in fields:
            raise SignalError(f"{topic}: a radar cloud without x and y")
        order = ">" if m.is_bigendian else "<"
        data = bytes(m.data)

        def column(name: str, index: int) -> float | None:
            item = fields.get(name)
            if item is None:
                return None
            value = float(
                struct.unpack_from(order + _FIELD_CODES[item.datatype], data, index * m.point_step + item.offset)[0]
            )
            return value if math.isfinite(value) else None

        tracks = []
        for index in range(min(int(m.width) * int(m.height), 256)):
            x, y = column("x", index), column("y", index)
            if x is None or y is None:
                continue
            speed = column("relative_speed", index)
            if speed is None:
                speed = column("range_rate", index)
            number = column("track_address", index)
            tracks.append(
                RadarTrack(track_id=int(number) if number is not None else index, x_m=x, y_m=y, range_rate_mps=speed)
            )
        return [(SOURCE_TOPIC["RadarObjects"], RadarObjects(stamp_s=self._time(topic, m, log_s), tracks=tuple(tracks)))]


def speed_axis(survey: Survey) -> tuple[str, str]:
    """The axis of an odometry's twist that carries the forward speed, judged by the way covered, and what is odd."""
    ways: list[tuple[float, float, float, float]] = []
    former: tuple[float, Any] | None = None
    for log_s, m in zip(survey.times_s, survey.messages, strict=True):
        if former is not None and log_s - former[0] >= 0.2:
            a, b = former[1].pose.pose.position, m.pose.pose.position
            speed = math.hypot(b.x - a.x, b.y - a.y) / (log_s - former[0])
            t = m.twist.twist.linear
            if speed > 0.5:
                ways.append((speed, abs(t.x), abs(t.y), abs(t.z)))
            former = (log_s, m)
        elif former is None:
            former = (log_s, m)
    if len(ways) < 5:
        return "x", ""
    errors = {axis: median(abs(way[0] - way[1 + i]) for way in ways) for i, axis in enumerate("xyz")}
    best = min(errors, key=lambda axis: (errors[axis], axis))
    if best == "x" or errors["x"] <= 2.0 * errors[best] + 0.2:
        return "x", ""
    return best, f"the way covered agrees with twist.linear.{best}, not with x: the speed is taken from {best}"


def _stamp(message: Any) -> float | None:
    if isinstance(message, Signal):
        return message.stamp_s
    header = getattr(message, "header", None)
    stamp = header.stamp if header is not None else getattr(message, "stamp", None)
    if stamp is None or not hasattr(stamp, "nanosec"):
        return None
    return float(stamp.sec) + float(stamp.nanosec) * 1e-9


def _image_format(message: Any) -> str:
    text = str(message.format).lower()
    return "png" if "png" in text else "jpeg"


def _rows(message: Any) -> bytes:
    """The rows of a raw picture without the padding of `step`."""
    data = bytes(message.data)
    height, step = int(message.height), int(message.step)
    if height == 0 or len(data) < height * step:
        return b""
    channels = {"mono8": 1, "8uc1": 1, "bgra8": 4, "rgba8": 4, "8uc4": 4}.get(str(message.encoding).lower())
    if channels is None:
        channels = 2 if "yu" in str(message.encoding).lower() or "uyvy" in str(message.encoding).lower() else 3
    width = int(message.width) * channels
    if width == step:
        return data
    return b"".join(data[row * step : row * step + width] for row in range(height))


def own_reader(kind: str) -> Callable[[bytes], Signal] | None:
    """The fast decoder of one of our own messages, `None` for every other type."""
    name = kind.removeprefix(OWN)
    kind_of: type = BY_NAME.get(name, Signal)
    return own_decoder(kind_of) if kind.startswith(OWN) and name in BY_NAME else None
