"""`out.mcap`: the inputs that were used, every output and what a viewer draws, each with its embedded definition.

Foxglove, Lichtblick and `ros2 bag` open it. Pictures stay in the recording unless a copy is asked for: the file names
the recording and the topic in its metadata (`adas_pictures`), and holds the picture of each event beside the markers.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adas_runtime.interfaces import own_typestore, type_name
from adas_runtime.replay import viz
from adas_runtime.replay.bag import BagTopic
from adas_runtime.replay.cdr import encoder
from adas_runtime.replay.mcap_writer import McapWriter
from adas_runtime.signals import LaneModel, RadarObjects, Signal, TrackedObjects, VehicleState

if TYPE_CHECKING:
    from adas_runtime.perception.camera import Camera
    from adas_runtime.vehicle import Vehicle

METADATA_FILE: Final = "metadata.yaml"
Write = Callable[[Signal, int], bytes]  # appends a signal at a log time [ns]; returns its bytes
DRAWN: Final[frozenset[type]] = frozenset({LaneModel, TrackedObjects, RadarObjects, VehicleState})
DRAWN_INPUTS: Final = DRAWN - {TrackedObjects}  # road users as tracking tells them, not twice
# what a late reader of /tf_static needs: numbers, as rosbag2 up to Iron wrote them and every later one still reads
LATCHED: Final = """- history: 1
  depth: 1
  reliability: 1
  durability: 1
  deadline: {sec: 9223372036, nsec: 854775807}
  lifespan: {sec: 9223372036, nsec: 854775807}
  liveliness: 1
  liveliness_lease_duration: {sec: 9223372036, nsec: 854775807}
  avoid_ros_namespace_conventions: false
"""


class OutBag:
    """Writes the file; `close` makes it complete and describes it in `metadata.yaml`, so that its folder is a bag."""

    def __init__(self, path: Path, notes: dict[str, str], vehicle: Vehicle) -> None:
        self._path = path
        self._vehicle = vehicle
        self._store = own_typestore()
        self._file = path.open("wb")
        self._writer = McapWriter(self._file, profile="ros2", library="adas_runtime")
        self._writer.add_metadata("adas_replay", notes)
        self._channels: dict[str, int] = {}
        self._kinds: dict[str, str] = {}
        self._schemas: dict[tuple[str, str], int] = {}
        self._camera: Camera | None = None
        self._is_described = False
        self._add = self._writer.add_message
        self._drawn_ns: dict[str, int] = {}  # when each picture of the scene was drawn last

    def close(self) -> None:
        """Finish the file."""
        self._writer.finish()
        self._file.close()
        self._describe()

    def note(self, name: str, notes: dict[str, str]) -> None:
        """Add a metadata record."""
        self._writer.add_metadata(name, notes)

    def signal(self, topic: str, signal: Signal, log_ns: int, *, is_shown: bool = True) -> bytes:
        """Append a signal, and what a viewer draws of it; returns the signal's bytes."""
        return self.writer(topic, type(signal), is_shown=is_shown)(signal, log_ns)

    def writer(self, topic: str, kind: type, *, is_shown: bool = True) -> Write:
        """Who appends the signals of a topic, all of one kind, as `signal` does."""
        encode, add = encoder(kind), self._add
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channel(topic, type_name(kind), "", "ros2msg")
        is_drawn = is_shown and kind in DRAWN

        def write(signal: Signal, log_ns: int) -> bytes:
            data = encode(signal)
            add(channel, log_ns, data)
            if is_drawn:
                self.show(signal, log_ns)
            return data

        return write

    def raw(self, topic: str, described: BagTopic, data: bytes, log_ns: int) -> None:
        """Append a message of the recording as it is."""
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channel(topic, described.type, described.definition, described.encoding or "ros2msg")
        self._add(channel, log_ns, data)

    def picture(self, described: BagTopic, data: bytes, log_ns: int) -> None:
        """Append the picture of an event, as recorded, for the viewer's image panel."""
        self.raw(viz.PICTURES, described, data, log_ns)

    def camera(self, width_px: int, height_px: int, log_ns: int) -> None:
        """Say how large the pictures are: mount and lens are written, and lanes are drawn into pictures from now on."""
        from adas_runtime.perception.camera import camera_of

        mount = self._vehicle.cameras.get("front")
        self._camera = None if mount is None else camera_of(mount, width_px, height_px)
        if self._camera is not None:
            for topic, kind, data in viz.camera_messages(self._store, self._camera, log_ns * 1e-9):
                self._write(topic, kind, data, log_ns)

    def show(self, signal: Signal, log_ns: int) -> None:
        """Append what a viewer draws of a signal."""
        if isinstance(signal, VehicleState):
            if self._is_due(viz.VEHICLE, log_ns):
                self.signal(viz.VEHICLE, signal, log_ns, is_shown=False)
            return
        now_s = log_ns * 1e-9
        if not self._is_described:
            self._is_described = True
            self._write(viz.EGO, viz.MARKERS_TYPE, viz.ego_marker(self._vehicle, now_s), log_ns)
        if isinstance(signal, LaneModel):
            if self._is_due(viz.LANES, log_ns):
                self._write(viz.LANES, viz.MARKERS_TYPE, viz.lane_markers(signal, now_s), log_ns)
            if self._camera is not None:  # each picture has its own lines
                data = viz.lane_image_marker(signal, self._camera)
                self._write(viz.LANES_IMAGE, viz.IMAGE_MARKER_TYPE, data, log_ns)
        elif isinstance(signal, TrackedObjects):
            if self._is_due(viz.OBJECTS, log_ns):
                self._write(viz.OBJECTS, viz.MARKERS_TYPE, viz.object_markers(signal, now_s), log_ns)
        elif isinstance(signal, RadarObjects) and self._is_due(viz.RADAR, log_ns):
            self._write(viz.RADAR, viz.MARKERS_TYPE, viz.radar_markers(signal, now_s), log_ns)

    def _is_due(self, topic: str, log_ns: int) -> bool:
        """Whether what is drawn there is drawn again: no more often than an eye follows, and after a jump at once."""
        drawn_ns = self._drawn_ns.get(topic)
        if drawn_ns is not None and 0 <= log_ns - drawn_ns < viz.PERIOD_NS:
            return False
        self._drawn_ns[topic] = log_ns
        return True

    def _write(self, topic: str, kind: str, data: bytes, log_ns: int) -> None:
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channel(topic, kind, "", "ros2msg")
        self._add(channel, log_ns, data)

    def _channel(self, topic: str, kind: str, definition: str, encoding: str) -> int:
        if not definition:
            encoding = "ros2msg"
            if kind in self._store.types:
                definition = str(self._store.generate_msgdef(kind, ros_version=2)[0])
        schema = self._schemas.get((kind, definition))
        if schema is None:
            schema = self._writer.add_schema(kind, encoding if definition else "", definition.encode())
            self._schemas[kind, definition] = schema
        quality = LATCHED if topic == viz.TF_STATIC else ""
        channel = self._writer.add_channel(topic, "cdr", schema, {"offered_qos_profiles": quality})
        self._channels[topic], self._kinds[topic] = channel, kind
        return channel

    def _describe(self) -> None:
        import yaml

        first, last = self._writer.span_ns
        counts = self._writer.counts
        span = {"nanoseconds": last - first}
        start = {"nanoseconds_since_epoch": first}
        total = sum(counts.values())
        topics = [
            {
                "topic_metadata": {
                    "name": topic,
                    "type": kind,
                    "serialization_format": "cdr",
                    "offered_qos_profiles": LATCHED if topic == viz.TF_STATIC else "",
                },
                "message_count": counts[self._channels[topic]],
            }
            for topic, kind in sorted(self._kinds.items())
        ]
        information = {
            "version": 5,
            "storage_identifier": "mcap",
            "relative_file_paths": [self._path.name],
            "duration": span,
            "starting_time": start,
            "message_count": total,
            "topics_with_message_count": topics,
            "compression_format": "",
            "compression_mode": "",
            "files": [
                {"path": self._path.name, "starting_time": start, "duration": span, "message_count": total},
            ],
        }
        # libyaml's writer is ten times as fast, where it is there
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        text = yaml.dump({"rosbag2_bagfile_information": information}, Dumper=dumper, sort_keys=False)
        (self._path.parent / METADATA_FILE).write_text(text, encoding="utf-8")
