"""Drives of other people's systems: one exact motion, told in whatever axes, units and clocks a test asks for."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from adas_runtime.inputs.recording import Bound, feeds_of, open_recording
from adas_runtime.interfaces import register
from adas_runtime.replay.bag import Bag
from adas_runtime.signals import VehicleState

EPOCH_S: Final = 1_700_000_000.0
RATE_HZ: Final = 25.0
LATITUDE_DEG: Final = 48.1
LONGITUDE_DEG: Final = 11.6
METRES_PER_DEG: Final = 6_371_000.0 * math.pi / 180.0
GRAVITY: Final = 9.80665

STORE = get_typestore(Stores.ROS2_JAZZY)
register(STORE)
VEHICLE_REPORT: Final = "acme_msgs/msg/VehicleReport"
Stamp = Callable[[float], tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Moment:
    """The car at one time: what every test holds the signals against."""

    t_s: float
    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    accel_mps2: float
    yaw_rate_rps: float

    @property
    def lateral_accel_mps2(self) -> float:
        return self.speed_mps * self.yaw_rate_rps


def motion(seconds: float = 40.0, *, stand_s: float = 0.0, is_straight: bool = False) -> list[Moment]:
    """A drive with bends to both sides, changing speed, after a time of standing."""
    found = []
    x = y = heading = 0.0
    step = 1.0 / RATE_HZ
    for index in range(round(seconds * RATE_HZ)):
        t = index * step
        u = t - stand_s
        if u < 0.0:
            speed = accel = yaw = 0.0
        else:
            rise = min(1.0, u / 4.0)
            speed = rise * (9.0 + 3.0 * math.sin(0.5 * u))
            accel = rise * 1.5 * math.cos(0.5 * u) + (0.25 * (9.0 + 3.0 * math.sin(0.5 * u)) if u < 4.0 else 0.0)
            yaw = 0.0 if is_straight else rise * 0.18 * math.sin(0.37 * u)
        found.append(Moment(t, x, y, heading, speed, accel, yaw))
        middle = heading + 0.5 * yaw * step
        x += (speed + 0.5 * accel * step) * step * math.cos(middle)
        y += (speed + 0.5 * accel * step) * step * math.sin(middle)
        heading += yaw * step
    return found


def rotations() -> list[tuple[str, str, str]]:
    """All right-handed ways in which a sensor's x, y, z may point on a car, as input maps name them."""
    names = {"forward": (1, 0, 0), "back": (-1, 0, 0), "left": (0, 1, 0), "right": (0, -1, 0)} | {
        "up": (0, 0, 1),
        "down": (0, 0, -1),
    }
    found = []
    for x, a in names.items():
        for y, b in names.items():
            for z, c in names.items():
                if np.array_equal(np.cross(a, b), c):
                    found.append((x, y, z))
    return found


def to_sensor(axes: tuple[str, str, str], forward: float, left: float, up: float) -> list[float]:
    """A vector of the car in a sensor's own axes."""
    parts = {"forward": forward, "back": -forward, "left": left, "right": -left, "up": up, "down": -up}
    return [parts[name] for name in axes]


def quaternion(axes: tuple[str, str, str], heading: float) -> tuple[float, float, float, float]:
    """Orientation of a sensor with these axes on a level car of this heading, x y z w."""
    cos, sin = math.cos(heading), math.sin(heading)
    world = {"forward": (cos, sin, 0.0), "left": (-sin, cos, 0.0), "up": (0.0, 0.0, 1.0)}
    world |= {"back": (-cos, -sin, 0.0), "right": (sin, -cos, 0.0), "down": (0.0, 0.0, -1.0)}
    m = np.array([world[name] for name in axes]).T
    w = math.sqrt(max(0.0, 1.0 + m[0, 0] + m[1, 1] + m[2, 2])) / 2.0
    if w > 1e-3:
        return (m[2, 1] - m[1, 2]) / (4 * w), (m[0, 2] - m[2, 0]) / (4 * w), (m[1, 0] - m[0, 1]) / (4 * w), w
    values, vectors = np.linalg.eigh(m + m.T)
    axis = vectors[:, int(np.argmax(values))]
    return float(axis[0]), float(axis[1]), float(axis[2]), 0.0


def make(kind: str, store: Any = STORE, **values: Any) -> Any:
    """A message of a type; nested ones as dictionaries, what is not given is zero or empty."""
    fields = store.fielddefs[kind][1]
    found: dict[str, Any] = {}
    for name, (node, about) in fields:
        value = values.pop(name, None)
        if int(node) == 2:
            found[name] = (
                value if value is not None and not isinstance(value, dict) else make(about, store, **(value or {}))
            )
        elif int(node) == 1:
            found[name] = value if value is not None else "" if about[0] == "string" else 0
        else:
            inner, size = about
            if int(inner[0]) == 1 and inner[1][0] != "string":
                found[name] = np.array(
                    value if value is not None else [0] * (size if int(node) == 3 else 0), dtype=np.dtype(inner[1][0])
                )
            else:
                found[name] = value if value is not None else []
    assert not values, values
    return store.types[kind](**found)


def header(t_s: float, stamp: Stamp | None = None, frame: str = "base_link") -> dict[str, Any]:
    """A header; `stamp` tells seconds and nanoseconds of another clock."""
    sec, nanosec = stamp(t_s) if stamp is not None else divmod(round((EPOCH_S + t_s) * 1e9), 10**9)
    return {"stamp": {"sec": sec, "nanosec": nanosec}, "frame_id": frame}


def odometry(
    moment: Moment,
    *,
    axes: tuple[str, str, str] = ("forward", "left", "up"),
    rate_scale: float = 1.0,
    in_map: bool = False,
    stamp: Stamp | None = None,
) -> Any:
    """`nav_msgs/Odometry` of a sensor with these axes."""
    linear = to_sensor(axes, moment.speed_mps, 0.0, 0.0)
    if in_map:
        linear = [
            moment.speed_mps * math.cos(moment.heading_rad + 0.7),
            moment.speed_mps * math.sin(moment.heading_rad + 0.7),
            0.0,
        ]
    heading = moment.heading_rad + 0.7
    place = (
        moment.x_m * math.cos(0.7) - moment.y_m * math.sin(0.7) + 100.0,
        moment.x_m * math.sin(0.7) + moment.y_m * math.cos(0.7) - 50.0,
    )
    angular = [rate_scale * value for value in to_sensor(axes, 0.0, 0.0, moment.yaw_rate_rps)]
    xyz = ("x", "y", "z")
    return make(
        "nav_msgs/msg/Odometry",
        header=header(moment.t_s, stamp, "map"),
        child_frame_id="sensor",
        pose={
            "pose": {
                "position": {"x": place[0], "y": place[1], "z": 0.0},
                "orientation": dict(zip((*xyz, "w"), quaternion(axes, heading), strict=True)),
            }
        },
        twist={
            "twist": {
                "linear": dict(zip(xyz, map(float, linear), strict=True)),
                "angular": dict(zip(xyz, map(float, angular), strict=True)),
            }
        },
    )


def twist(
    moment: Moment, *, linear: Iterable[float] | None = None, yaw: float | None = None, stamp: Stamp | None = None
) -> Any:
    """`geometry_msgs/TwistStamped`."""
    x, y, z = linear if linear is not None else (moment.speed_mps, 0.0, 0.0)
    return make(
        "geometry_msgs/msg/TwistStamped",
        header=header(moment.t_s, stamp),
        twist={
            "linear": {"x": x, "y": y, "z": z},
            "angular": {"x": 0.0, "y": 0.0, "z": moment.yaw_rate_rps if yaw is None else yaw},
        },
    )


def imu(
    moment: Moment,
    *,
    axes: tuple[str, str, str] = ("forward", "left", "up"),
    accel_scale: float = 1.0,
    rate_scale: float = 1.0,
    gravity: float = GRAVITY,
) -> Any:
    """`sensor_msgs/Imu` of a sensor with these axes; at rest it feels gravity upwards."""
    a = to_sensor(axes, moment.accel_mps2, moment.lateral_accel_mps2, gravity)
    w = to_sensor(axes, 0.0, 0.0, moment.yaw_rate_rps)
    xyz = ("x", "y", "z")
    return make(
        "sensor_msgs/msg/Imu",
        header=header(moment.t_s),
        linear_acceleration=dict(zip(xyz, (accel_scale * value for value in a), strict=True)),
        angular_velocity=dict(zip(xyz, (rate_scale * value for value in w), strict=True)),
    )


def fix(moment: Moment, status: int = 0) -> Any:
    """`sensor_msgs/NavSatFix` on the sphere that the checks use."""
    return make(
        "sensor_msgs/msg/NavSatFix",
        header=header(moment.t_s),
        status={"status": status, "service": 1},
        latitude=LATITUDE_DEG + moment.y_m / METRES_PER_DEG,
        longitude=LONGITUDE_DEG + moment.x_m / METRES_PER_DEG / math.cos(math.radians(LATITUDE_DEG)),
        altitude=500.0,
    )


Sent = tuple[float, Any]  # log time since the start [s], message


def write(path: Path, topics: Mapping[str, Iterable[Sent]], store: Any = STORE, *, storage: str = "mcap") -> Path:
    """A bag with these messages; their definitions are embedded."""
    plugin = StoragePlugin.MCAP if storage == "mcap" else StoragePlugin.SQLITE3
    with Writer(path, version=9, storage_plugin=plugin) as writer:
        rows = []
        for topic, sent in topics.items():
            messages = list(sent)
            kind = messages[0][1].__msgtype__
            connection = writer.add_connection(topic, kind, typestore=store)
            rows += [(t_s, connection, store.serialize_cdr(message, kind)) for t_s, message in messages]
        for t_s, connection, data in sorted(rows, key=lambda row: row[0]):
            writer.write(connection, round((EPOCH_S + t_s) * 1e9), data)
    return path


def each(moments: Iterable[Moment], tell: Callable[[Moment], Any], every: int = 1) -> list[Sent]:
    """One message a moment, logged at its time."""
    return [(moment.t_s, tell(moment)) for index, moment in enumerate(moments) if index % every == 0]


def custom(definitions: Mapping[str, str]) -> Any:
    """A typestore with types of some other project."""
    store = get_typestore(Stores.ROS2_JAZZY)
    for name, text in definitions.items():
        store.register(get_types_from_msg(text, name))
    return store


def bound(path: Path, input_map: Any = None) -> tuple[Bound, dict[str, list[tuple[float, Any]]], list[str]]:
    """A bag read to its end: how it was bound, its signals by topic of the graph with log times, its refusals."""
    with Bag(path) as bag:
        found = open_recording(bag, input_map)
        signals: dict[str, list[tuple[float, Any]]] = {}
        refusals = []
        for log_s, _, result in found.messages(bag):
            if isinstance(result, str):
                refusals.append(result)
                continue
            for topic, signal in result:
                signals.setdefault(topic, []).append((log_s - EPOCH_S, signal))
    return found, signals, refusals


def guessed(path: Path) -> dict[str, Any]:
    """Feeds of the bare guess, by topic."""
    with Bag(path) as bag:
        return {feed.topic: feed for feed in feeds_of(bag)}


def states(signals: Mapping[str, list[tuple[float, Any]]]) -> list[tuple[float, VehicleState]]:
    """Vehicle states with the time of the drive that they speak of."""
    return [(signal.stamp_s - EPOCH_S, signal) for _, signal in signals.get("/vehicle/state", [])]


def worst(
    signals: Mapping[str, list[tuple[float, Any]]], moments: list[Moment], name: str, *, from_s: float = 1.0
) -> float:
    """Greatest difference of a field from the truth; inf where it is missing in between."""
    by_time = {round(moment.t_s * RATE_HZ): moment for moment in moments}
    differences = [0.0]
    count = 0
    for t_s, state in states(signals):
        if t_s < from_s:
            continue
        value = getattr(state, name)
        count += 1
        differences.append(math.inf if value is None else abs(value - getattr(by_time[round(t_s * RATE_HZ)], name)))
    return max(differences) if count else math.inf
