"""What a viewer draws: lanes, road users, radar targets and the camera's mount, as standard ROS 2 messages.

    /viz/lanes           visualization_msgs/MarkerArray   lane boundaries on the ground, frame base_link
    /viz/lanes_image     visualization_msgs/ImageMarker   the same lines in the picture's pixels
    /viz/objects         visualization_msgs/MarkerArray   road users as boxes
    /viz/radar           visualization_msgs/MarkerArray   radar targets as points
    /viz/vehicle_state   adas_interfaces/VehicleState     what the graph took as the car's motion, 10 times a second
    /viz/ego             visualization_msgs/MarkerArray   the car's outline, once
    /viz/camera/front    as recorded                      the picture of each event
    /viz/camera/info     sensor_msgs/CameraInfo           the camera of the vehicle file, once
    /tf_static           tf2_msgs/TFMessage               base_link to camera_front (optical axes), once

Definitions that ship with ROS 2 itself were taken, so that RViz, `ros2 topic echo`, Foxglove and Lichtblick all read
them. What is drawn on the ground comes at most 10 times a second. The bytes of markers are written by one `struct` call
per message, since a replay at 100 times real time writes 1000 of them a second. A test holds them against `rosbags`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from adas_runtime.records import maker
from adas_runtime.signals import LaneBoundary, LaneModel, MarkingColour, ObjectClass, RadarObjects, TrackedObjects

if TYPE_CHECKING:
    from adas_runtime.perception.camera import Camera
    from adas_runtime.vehicle import Vehicle

LANES: Final = "/viz/lanes"
LANES_IMAGE: Final = "/viz/lanes_image"
OBJECTS: Final = "/viz/objects"
RADAR: Final = "/viz/radar"
VEHICLE: Final = "/viz/vehicle_state"
PERIOD_NS: Final = 95_000_000  # of what is drawn: 10 times a second, jitter of a sender at 20 Hz allowed for
EGO: Final = "/viz/ego"
PICTURES: Final = "/viz/camera/front"
CAMERA_INFO: Final = "/viz/camera/info"
TF_STATIC: Final = "/tf_static"
MARKERS_TYPE: Final = "visualization_msgs/msg/MarkerArray"
IMAGE_MARKER_TYPE: Final = "visualization_msgs/msg/ImageMarker"
BASE_FRAME: Final = "base_link"
CAMERA_FRAME: Final = "camera_front"

LINE_POINTS: Final = 16  # a third-order polynomial over 60 m is off by under 2 cm between two of them
LIFETIME_NS: Final = 300_000_000  # what perception no longer tells disappears
CUBE, LINE_STRIP, SPHERE_LIST = 1, 4, 7  # visualization_msgs/Marker
LINE_LIST: Final = 2  # visualization_msgs/ImageMarker
HEADER: Final = b"\x00\x01\x00\x00"

Colour = tuple[float, float, float, float]
COLOURS: Final[dict[MarkingColour, tuple[float, float, float]]] = {
    MarkingColour.UNKNOWN: (0.7, 0.7, 0.7),
    MarkingColour.WHITE: (1.0, 1.0, 1.0),
    MarkingColour.YELLOW: (1.0, 0.8, 0.0),
    MarkingColour.ORANGE: (1.0, 0.5, 0.0),
    MarkingColour.BLUE: (0.2, 0.4, 1.0),
}
SIZES_M: Final = {  # length, width, height of a road user whose size is not known
    ObjectClass.TRUCK: (12.0, 2.5, 3.5),
    ObjectClass.BUS: (12.0, 2.5, 3.2),
    ObjectClass.VAN: (5.5, 2.0, 2.4),
    ObjectClass.MOTORCYCLE: (2.2, 0.8, 1.5),
    ObjectClass.CYCLIST: (1.8, 0.6, 1.7),
    ObjectClass.PEDESTRIAN: (0.5, 0.6, 1.7),
}
CAR_M: Final = (4.5, 1.8, 1.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One marker.

    Args:
        name: Namespace in the viewer.
        number: Number within the namespace; the next message of the same number replaces it.
        kind: Type constant of `visualization_msgs/Marker`.
        position_m: Centre, for a cube [m].
        yaw_rad: Heading.
        scale_m: Size; of a line only its width [m].
        colour: Red, green, blue, opacity, 0 to 1.
        points: x, y, z one after the other [m].
        lifetime_ns: It disappears after this long; 0: never.
    """

    name: str
    number: int
    kind: int
    colour: Colour
    scale_m: tuple[float, float, float]
    position_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    yaw_rad: float = 0.0
    points: tuple[float, ...] = ()
    lifetime_ns: int = LIFETIME_NS


make_mark = maker(Mark)


def _layout(codes: Sequence[str]) -> struct.Struct:
    """Little-endian CDR of these fields: each aligned to its own size, counted from behind the header."""
    text, at = "<4s", 0
    for code in codes:
        count, kind = (int(code[:-1]), code[-1]) if len(code) > 1 else (1, code)
        if kind == "s":
            text += code
            at += count
            continue
        size = {"i": 4, "I": 4, "f": 4, "d": 8, "?": 1, "B": 1}[kind]
        pad = -at % size if count else 0
        text += f"{pad}x" * bool(pad) + (code if count else "")
        at += pad + size * count
    return struct.Struct(text)


@cache
def _markers_layout(shapes: tuple[tuple[int, int], ...]) -> struct.Struct:
    codes: list[str] = ["I"]
    for name, floats in shapes:
        codes += ["i", "I", "I", f"{len(BASE_FRAME) + 1}s", "I", f"{name}s", "3i", "7d", "3d", "4f", "i", "I", "?"]
        codes += ["I", f"{floats}d", "I", "I", "1s"]  # points, colours, texture's name
        codes += ["i", "I", "I", "1s", "I", "1s", "I", "I"]  # texture: header, format, data; its coordinates
        codes += ["I", "1s", "I", "1s", "I", "1s", "I", "?"]  # text, mesh's name, mesh file: name, data; materials
    return _layout(codes)


def _stamp(now_s: float) -> tuple[int, int]:
    sec, nanosec = divmod(round(now_s * 1e9), 1_000_000_000)
    return min(sec, 2**31 - 1), nanosec  # a recording's clock may claim a time that builtin_interfaces/Time cannot hold


def marker_array(marks: Sequence[Mark], now_s: float) -> bytes:
    """CDR of a `visualization_msgs/MarkerArray` in frame base_link."""
    stamp = _stamp(now_s)
    frame = BASE_FRAME.encode() + b"\0"
    values: list[Any] = [HEADER, len(marks)]
    shapes = []
    for mark in marks:
        name = mark.name.encode() + b"\0"
        shapes.append((len(name), len(mark.points)))
        half = 0.5 * mark.yaw_rad
        values += (*stamp, len(frame), frame, len(name), name, mark.number, mark.kind, 0)
        values += (*mark.position_m, 0.0, 0.0, math.sin(half), math.cos(half), *mark.scale_m, *mark.colour)
        values += (0, mark.lifetime_ns, False, len(mark.points) // 3, *mark.points, 0, 1, b"\0")
        values += (0, 0, 1, b"\0", 1, b"\0", 0, 0, 1, b"\0", 1, b"\0", 1, b"\0", 0, False)
    return _markers_layout(tuple(shapes)).pack(*values)


@cache
def _image_layout(floats: int, colours: int) -> struct.Struct:
    codes = ["i", "I", "I", f"{len(CAMERA_FRAME) + 1}s", "I", "6s", "3i", "3d", "f", "4f", "B", "4f", "i", "I"]
    return _layout([*codes, "I", f"{floats}d", "I", f"{4 * colours}f"])


def image_lines(lines: Sequence[tuple[Colour, Sequence[tuple[float, float]]]], stamp_s: float) -> bytes:
    """CDR of a `visualization_msgs/ImageMarker`: polylines, each of one colour, in pixels."""
    points: list[float] = []
    colours: list[float] = []
    for colour, line in lines:
        for (x0, y0), (x1, y1) in pairwise(line):
            points += (x0, y0, 0.0, x1, y1, 0.0)
            colours += colour
    frame = CAMERA_FRAME.encode() + b"\0"
    white = (1.0, 1.0, 1.0, 1.0)
    return _image_layout(len(points), len(colours) // 4).pack(
        HEADER,
        *_stamp(stamp_s),
        *(len(frame), frame, 6, b"lanes\0", 0, LINE_LIST, 0, 0.0, 0.0, 0.0, 3.0, *white, 0, *white, 0, LIFETIME_NS),
        *(len(points) // 3, *points, len(colours) // 4, *colours),
    )


def boundary_xs(boundary: LaneBoundary, count: int = LINE_POINTS) -> list[float]:
    """Evenly spaced x of the stretch of a boundary that was seen [m]."""
    first = boundary.x_min_m
    step = (boundary.x_max_m - first) / (count - 1)
    return [first + index * step for index in range(count)]


def _colour(boundary: LaneBoundary) -> Colour:
    red, green, blue = COLOURS[boundary.colour]
    return red, green, blue, max(0.25, boundary.confidence)


def lane_markers(model: LaneModel, now_s: float) -> bytes:
    """The lane model as lines on the ground."""
    marks = []
    for boundary in model.boundaries:
        points = [0.0] * (3 * LINE_POINTS)
        c0, c1, c2, c3 = boundary.c0_m, boundary.c1, boundary.c2_1pm, boundary.c3_1pm2
        points[::3] = xs = boundary_xs(boundary)
        points[1::3] = [c0 + x * (c1 + x * (c2 + x * c3)) for x in xs]  # its `offset_m`, at half the price
        marks.append(
            make_mark(
                name="lanes",
                number=int(boundary.side),
                kind=LINE_STRIP,
                colour=_colour(boundary),
                scale_m=(boundary.width_m or 0.15, 0.0, 0.0),
                points=tuple(points),
            )
        )
    return marker_array(marks, now_s)


def lane_pixels(model: LaneModel, camera: Camera) -> list[tuple[Colour, list[tuple[float, float]]]]:
    """The boundaries in the picture: colour and column, row [px], nearest first."""
    import numpy as np

    if model.camera_pitch_rad is not None:
        camera = camera.with_angles(pitch_rad=model.camera_pitch_rad, yaw_rad=camera.yaw_rad)
    lines = []
    for boundary in model.boundaries:
        near = max(boundary.x_min_m, camera.x_m + 1.0)
        if near >= boundary.x_max_m:
            continue
        xs = [near + index * (boundary.x_max_m - near) / (LINE_POINTS - 1) for index in range(LINE_POINTS)]
        pixels = camera.project_ground(np.array(xs), np.array([boundary.offset_m(x) for x in xs]))
        limit = 4.0 * max(camera.width_px, camera.height_px)  # far outside the picture nothing is drawn
        shown = [(float(u), float(v)) for u, v in pixels if abs(u) < limit and abs(v) < limit]
        lines.append((_colour(boundary), shown))
    return lines


def lane_image_marker(model: LaneModel, camera: Camera) -> bytes:
    """The lane model as lines in the picture, stamped as the picture, so that a viewer lays them on the right one."""
    return image_lines(lane_pixels(model, camera), model.stamp_s)


def object_markers(value: TrackedObjects, now_s: float) -> bytes:
    """Road users as boxes that stand on the ground."""
    marks = []
    for item in value.objects:
        length, width, height = SIZES_M.get(item.object_class, CAR_M)
        length, width = item.length_m or length, item.width_m or width
        is_vulnerable = item.object_class in (ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST, ObjectClass.MOTORCYCLE)
        colour = (1.0, 0.45, 0.2) if is_vulnerable else (0.3, 0.7, 1.0)
        marks.append(
            make_mark(
                name="objects",
                number=item.object_id,
                kind=CUBE,
                colour=(*colour, max(0.3, item.confidence)),
                scale_m=(length, width, height),
                position_m=(item.x_m + 0.5 * length, item.y_m, 0.5 * height),  # x_m is the nearest point
                yaw_rad=item.yaw_rad or 0.0,
            )
        )
    return marker_array(marks, now_s)


def radar_markers(value: RadarObjects, now_s: float) -> bytes:
    """Radar targets as points half a metre above the ground."""
    points: list[float] = []
    for track in value.tracks:
        points += (track.x_m, track.y_m, 0.5)
    mark = Mark(
        name="radar",
        number=0,
        kind=SPHERE_LIST,
        colour=(1.0, 0.3, 0.8, 0.9),
        scale_m=(0.6, 0.6, 0.6),
        points=tuple(points),
    )
    return marker_array([mark] if points else [], now_s)


def ego_marker(vehicle: Vehicle, now_s: float) -> bytes:
    """The car's outline; it stays."""
    size = vehicle.dimensions
    rear_m = size.length_m - size.wheelbase_m - size.front_overhang_m
    mark = Mark(
        name="ego",
        number=0,
        kind=CUBE,
        colour=(0.4, 0.5, 0.6, 0.6),
        scale_m=(size.length_m, size.width_m, 1.45),
        position_m=(0.5 * size.length_m - rear_m, 0.0, 0.725),
        lifetime_ns=0,
    )
    return marker_array([mark], now_s)


def camera_messages(store: Any, camera: Camera, now_s: float) -> list[tuple[str, str, bytes]]:
    """Topic, type and bytes of the camera's mount and lens, through a `rosbags` typestore."""
    import numpy as np

    types: Any = store.types
    sec, nanosec = _stamp(now_s)
    stamp = types["builtin_interfaces/msg/Time"](sec=sec, nanosec=nanosec)
    header = types["std_msgs/msg/Header"]
    # optical axes: x right, y down, z along the view
    body = camera.rotation
    x, y, z, w = quaternion(np.stack([-body[:, 1], -body[:, 2], body[:, 0]], axis=1))
    transform = types["geometry_msgs/msg/TransformStamped"](
        header=header(stamp=stamp, frame_id=BASE_FRAME),
        child_frame_id=CAMERA_FRAME,
        transform=types["geometry_msgs/msg/Transform"](
            translation=types["geometry_msgs/msg/Vector3"](x=camera.x_m, y=camera.y_m, z=camera.z_m),
            rotation=types["geometry_msgs/msg/Quaternion"](x=x, y=y, z=z, w=w),
        ),
    )
    fx, fy, cx, cy = camera.fx_px, camera.fy_px, camera.cx_px, camera.cy_px
    info = types["sensor_msgs/msg/CameraInfo"](
        header=header(stamp=stamp, frame_id=CAMERA_FRAME),
        height=camera.height_px,
        width=camera.width_px,
        distortion_model=camera.lens,
        d=np.array(camera.distortion[: 4 if camera.is_fisheye else 5], dtype=np.float64),
        k=np.array([fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]),
        r=np.eye(3).reshape(9),
        p=np.array([fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]),
        binning_x=0,
        binning_y=0,
        roi=types["sensor_msgs/msg/RegionOfInterest"](x_offset=0, y_offset=0, height=0, width=0, do_rectify=False),
    )
    tree = types["tf2_msgs/msg/TFMessage"](transforms=[transform])
    return [
        (topic, kind, bytes(store.serialize_cdr(value, kind)))
        for topic, kind, value in (
            (TF_STATIC, "tf2_msgs/msg/TFMessage", tree),
            (CAMERA_INFO, "sensor_msgs/msg/CameraInfo", info),
        )
    ]


def quaternion(rotation: Any) -> tuple[float, float, float, float]:
    """x, y, z, w of a rotation matrix, by its largest component (Shepperd 1978)."""
    m = [[float(value) for value in row] for row in rotation]
    trace = m[0][0] + m[1][1] + m[2][2]
    candidates = [trace, m[0][0], m[1][1], m[2][2]]
    best = candidates.index(max(candidates))
    if best == 0:
        w = 0.5 * math.sqrt(1.0 + trace)
        scale = 0.25 / w
        return (m[2][1] - m[1][2]) * scale, (m[0][2] - m[2][0]) * scale, (m[1][0] - m[0][1]) * scale, w
    i = best - 1
    j, k = (i + 1) % 3, (i + 2) % 3
    first = 0.5 * math.sqrt(1.0 + m[i][i] - m[j][j] - m[k][k])
    scale = 0.25 / first
    values = [0.0, 0.0, 0.0]
    values[i], values[j], values[k] = first, (m[j][i] + m[i][j]) * scale, (m[k][i] + m[i][k]) * scale
    return values[0], values[1], values[2], (m[k][j] - m[j][k]) * scale
