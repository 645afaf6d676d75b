"""`out.mcap`: inputs that were used and every output, each with its embedded definition, for Foxglove and `ros2 bag`.

Lanes are drawn twice for a viewer: as `visualization_msgs/MarkerArray` on the ground and, where pictures are in the
file, by the image panel's own projection of those markers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from adas_runtime.interfaces import register, type_name
from adas_runtime.replay.bag import BagTopic
from adas_runtime.replay.cdr import encoder
from adas_runtime.signals import LaneModel, MarkingColour, Signal

COLOURS: Final = {
    MarkingColour.UNKNOWN: (0.7, 0.7, 0.7),
    MarkingColour.WHITE: (1.0, 1.0, 1.0),
    MarkingColour.YELLOW: (1.0, 0.8, 0.0),
    MarkingColour.ORANGE: (1.0, 0.5, 0.0),
    MarkingColour.BLUE: (0.2, 0.4, 1.0),
}
MARKER_TOPIC: Final = "/viz/lanes"
MARKER_STEP_M: Final = 2.0


class OutBag:
    """Writes the file; `close` makes it complete."""

    def __init__(self, path: Path, notes: dict[str, str]) -> None:
        from mcap.writer import CompressionType, Writer
        from rosbags.typesys import Stores, get_typestore

        self._store = get_typestore(Stores.ROS2_JAZZY)
        register(self._store)
        self._file = path.open("wb")
        self._writer = Writer(self._file, chunk_size=1 << 20, compression=CompressionType.ZSTD)
        self._writer.start(profile="ros2", library="adas_runtime")
        self._writer.add_metadata("adas_replay", notes)
        self._channels: dict[str, int] = {}
        self._schemas: dict[str, int] = {}
        self._encoders: dict[type, Callable[[Signal], bytes]] = {}
        self._sequence: dict[str, int] = {}

    def close(self) -> None:
        """Finish the file."""
        self._writer.finish()  # type: ignore[no-untyped-call]
        self._file.close()

    def signal(self, topic: str, signal: Signal, now_s: float) -> None:
        """Append a signal, and for a lane model its markers."""
        kind: type = type(signal)
        encode = self._encoders.get(kind)
        if encode is None:
            encode = self._encoders[kind] = encoder(kind)
        self._write(topic, type_name(kind), encode(signal), now_s)
        if isinstance(signal, LaneModel):
            self._write(MARKER_TOPIC, "visualization_msgs/msg/MarkerArray", self._markers(signal, now_s), now_s)

    def raw(self, topic: str, described: BagTopic, data: bytes, now_s: float) -> None:
        """Append a message of the recording as it is."""
        self._write(topic, described.type, data, now_s, described.definition if described.encoding == "ros2msg" else "")

    def _write(self, topic: str, kind: str, data: bytes, now_s: float, definition: str = "") -> None:
        channel = self._channels.get(topic)
        if channel is None:
            schema = self._schemas.get(kind)
            if schema is None:
                if not definition:
                    definition = str(self._store.generate_msgdef(kind, ros_version=2)[0])
                schema = self._writer.register_schema(kind, "ros2msg", definition.encode())
                self._schemas[kind] = schema
            channel = self._writer.register_channel(topic, "cdr", schema, metadata={"offered_qos_profiles": ""})
            self._channels[topic] = channel
        sequence = self._sequence[topic] = self._sequence.get(topic, 0) + 1
        log_ns = round(now_s * 1e9)
        self._writer.add_message(channel, log_ns, data, log_ns, sequence)

    def _markers(self, model: LaneModel, now_s: float) -> bytes:
        types: Any = self._store.types
        point, vector = types["geometry_msgs/msg/Point"], types["geometry_msgs/msg/Vector3"]
        colour = types["std_msgs/msg/ColorRGBA"]
        stamp = types["builtin_interfaces/msg/Time"](sec=int(now_s), nanosec=int((now_s % 1.0) * 1e9))
        header = types["std_msgs/msg/Header"](stamp=stamp, frame_id="base_link")
        pose = types["geometry_msgs/msg/Pose"](
            position=point(x=0.0, y=0.0, z=0.0),
            orientation=types["geometry_msgs/msg/Quaternion"](x=0.0, y=0.0, z=0.0, w=1.0),
        )
        marker = types["visualization_msgs/msg/Marker"]
        duration = types["builtin_interfaces/msg/Duration"](sec=0, nanosec=300_000_000)
        fields = {name: field for name, field in marker.__dataclass_fields__.items() if not name.isupper()}
        markers = []
        for boundary in model.boundaries:
            red, green, blue = COLOURS[boundary.colour]
            count = max(2, int((boundary.x_max_m - boundary.x_min_m) / MARKER_STEP_M) + 1)
            xs = [
                boundary.x_min_m + index * (boundary.x_max_m - boundary.x_min_m) / (count - 1) for index in range(count)
            ]
            values: dict[str, Any] = {
                "header": header,
                "ns": "lanes",
                "id": int(boundary.side),
                "type": marker.LINE_STRIP,
                "action": marker.ADD,
                "pose": pose,
                "scale": vector(x=0.15, y=0.0, z=0.0),
                "color": colour(r=red, g=green, b=blue, a=max(0.2, boundary.confidence)),
                "lifetime": duration,
                "frame_locked": False,
                "points": [point(x=x, y=boundary.offset_m(x), z=0.0) for x in xs],
                "colors": [],
                "text": "",
                "mesh_resource": "",
                "mesh_use_embedded_materials": False,
            }
            for name in fields:
                if name not in values and name != "__msgtype__":
                    values[name] = self._blank(name)
            markers.append(marker(**values))
        array = types["visualization_msgs/msg/MarkerArray"](markers=markers)
        return bytes(self._store.serialize_cdr(array, "visualization_msgs/msg/MarkerArray"))

    def _blank(self, name: str) -> Any:
        import numpy as np

        types: Any = self._store.types
        if name == "texture":
            stamp = types["builtin_interfaces/msg/Time"](sec=0, nanosec=0)
            return types["sensor_msgs/msg/CompressedImage"](
                header=types["std_msgs/msg/Header"](stamp=stamp, frame_id=""), format="", data=np.zeros(0, np.uint8)
            )
        if name == "mesh_file":
            return types["visualization_msgs/msg/MeshFile"](filename="", data=np.zeros(0, np.uint8))
        if name == "uv_coordinates":
            return []
        return ""
