"""What a topic of a recording, or of a car, is used for: the one vocabulary of maps, guesses and the binder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from adas_runtime.graph import SOURCES, Source
from adas_runtime.interfaces import FieldShape, Kind, shape
from adas_runtime.signals import RadarTrack

OWN: Final = "adas_interfaces/msg/"
OUTPUTS: Final = ("/adas/", "/truth/", "/viz/")  # a recorded decision must never pass for an input
FILL_MAX_AGE_S: Final = 0.2  # a value of another topic is put into a signal this long

SOURCE_OF: Final[Mapping[str, Source]] = {source.name: source for source in SOURCES}
# the field without which a signal cannot be made: its message makes the signal, the others fill it in
ANCHOR: Final[Mapping[str, str]] = {
    "vehicle_state": "speed_mps",
    "pose_fix": "latitude_deg",
    "driver_input": "indicator",
    "radar": "x_m",
}
_SCALARS: Final = (Kind.FLOAT, Kind.INT, Kind.BOOL, Kind.ENUM)

Axes = tuple[str, str, str]
DIRECTIONS: Final = ("forward", "back", "left", "right", "up", "down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One value of a message that becomes one field of a signal.

    Args:
        target: `source.field`, such as `vehicle_state.speed_mps`.
        path: Where the value stands in the message, such as `twist.twist.linear.x` or `position[0]`.
        scale: The message's number times this ...
        offset: ... plus this, times `factor`, is the signal's.
        factor: From the unit of the map to the signal's.
        values: For enumerations and truth values: the message's value as text -> the signal's; `None` says nothing.
        max_age_s: How long it may fill in a signal that another topic makes [s].
        is_unit_told: The value's name tells its unit, so that a guess needs no other evidence of it.
    """

    target: str
    path: str
    scale: float = 1.0
    offset: float = 0.0
    factor: float = 1.0
    values: tuple[tuple[str, int | bool | None], ...] = ()
    max_age_s: float = FILL_MAX_AGE_S
    is_unit_told: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Feed:
    """What one topic is used for; `feeds` empty: nothing, and `note` says why.

    Args:
        topic: Name in the recording or the car.
        type: Message type; empty where only the topic is told.
        feeds: Sources (`camera_front`) or their fields (`vehicle_state.speed_mps`).
        is_guessed: Nobody said so; it follows from type, name and the first messages.
        note: What people should know of it.
        converter: Name of the converter, empty: by type.
        links: Fields by path, for the converter `fields`.
        each: Path of the list whose items `links` read (radar targets).
        axes: Where the message's x, y and z point on the car; `None`: judged by the first messages.
        rate_unit: Unit of angular rates, `None`: judged.
        accel_unit: Unit of accelerations, `None`: judged.
        item: Name of the joint, for `joint_state`.
        clock: `stamp`, `recording`, or empty: judged.
        max_age_s: How long values fill in a signal that another topic makes [s].
        definition: Text of the message definition, where neither the recording nor ROS 2 has it.
        is_checked: The guess needs evidence in the first messages, else it is dropped.
        rank: Of several guesses for one field the lowest that stands its checks is used.
        is_of_map: An input map says it, though nobody named the map: several topics may give one field.
    """

    topic: str
    type: str
    feeds: tuple[str, ...] = ()
    is_guessed: bool = True
    note: str = ""
    converter: str = ""
    links: tuple[Link, ...] = ()
    each: str = ""
    axes: Axes | None = None
    rate_unit: str | None = None
    accel_unit: str | None = None
    item: str = ""
    clock: str = ""
    max_age_s: float = FILL_MAX_AGE_S
    definition: str = ""
    is_checked: bool = False
    rank: int = 0
    is_of_map: bool = False


@dataclass(slots=True)
class Survey:
    """The first messages of a topic: log times [s] and decoded messages."""

    times_s: list[float] = field(default_factory=list)
    messages: list[Any] = field(default_factory=list)


def target_shape(target: str) -> FieldShape | None:
    """The field that a target names; `None` where there is none that one value of a message can fill."""
    name, _, part = target.partition(".")
    source = SOURCE_OF.get(name)
    if source is None or part == "stamp_s":
        return None
    return next((item for item in shape(_record(name)) if item.name == part and item.kind in _SCALARS), None)


def _record(source: str) -> type:
    """What the values of a source fill in: its signal, or a target of the radar."""
    return RadarTrack if source == "radar" else SOURCE_OF[source].signal


def target_names() -> tuple[str, ...]:
    """Every target that one value of a message can fill."""
    return tuple(
        f"{name}.{item.name}"
        for name, source in SOURCE_OF.items()
        if name != "camera_front"
        for item in shape(_record(name))
        if item.kind in _SCALARS and item.name != "stamp_s"
    )


# --- converters -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Converter:
    """A way to read one kind of message: the types it reads, and what it can feed."""

    name: str
    types: tuple[str, ...]
    targets: tuple[str, ...]
    summary: str


_PACE: Final = ("vehicle_state.speed_mps", "vehicle_state.yaw_rate_rps")
WHEEL_ANGLE: Final = "vehicle_state.steering_wheel_angle_rad"
CONVERTERS: Final[Mapping[str, Converter]] = {
    item.name: item
    for item in (
        Converter(
            name="own",
            types=tuple(OWN + source.signal.__name__ for source in SOURCES),
            targets=tuple(SOURCE_OF),
            summary="a message of adas_interfaces, taken as it is",
        ),
        Converter(
            name="odometry",
            types=("nav_msgs/msg/Odometry",),
            targets=_PACE,
            summary="speed and yaw rate from the twist, in the axes of its child frame",
        ),
        Converter(
            name="twist",
            types=("geometry_msgs/msg/TwistStamped", "geometry_msgs/msg/TwistWithCovarianceStamped"),
            targets=_PACE,
            summary="speed and yaw rate",
        ),
        Converter(
            name="imu",
            types=("sensor_msgs/msg/Imu",),
            targets=(
                "vehicle_state.accel_mps2",
                "vehicle_state.lateral_accel_mps2",
                "vehicle_state.yaw_rate_rps",
            ),
            summary="accelerations and yaw rate, in the axes of its mounting",
        ),
        Converter(
            name="joint_state",
            types=("sensor_msgs/msg/JointState",),
            targets=(WHEEL_ANGLE,),
            summary="steering wheel angle: the position of a joint, left positive [rad]",
        ),
        Converter(
            name="navsatfix",
            types=("sensor_msgs/msg/NavSatFix",),
            targets=("pose_fix",),
            summary="satellite fix; without a fix nothing",
        ),
        Converter(
            name="compressed_image",
            types=("sensor_msgs/msg/CompressedImage",),
            targets=("camera_front",),
            summary="JPEG or PNG picture",
        ),
        Converter(
            name="image",
            types=("sensor_msgs/msg/Image",),
            targets=("camera_front",),
            summary="raw picture: 8 bit colour, grey, Bayer or YUV 4:2:2",
        ),
        Converter(
            name="point_cloud2_radar",
            types=("sensor_msgs/msg/PointCloud2",),
            targets=("radar",),
            summary="radar targets: fields x, y and where there range rate, number and cross section",
        ),
    )
}
CONVERTER_OF_TYPE: Final[Mapping[str, str]] = {kind: item.name for item in CONVERTERS.values() for kind in item.types}
FIELDS: Final = "fields"
