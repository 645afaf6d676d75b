"""The recorder process: takes every message of the graph as bytes and hands it to the drive writer.

Its subscriptions belong to a node that no executor spins; a timer empties them. That costs less than a callback per
message, and it is the only way in rclpy to get raw bytes with the middleware's own receive time and sequence number
(the EventsExecutor calls no callback that asks for them). The sequence numbers show what was lost before it came here.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from adas_runtime.cabin import MEND, PICTURES, WHAT, is_cabin_message, is_cabin_topic
from adas_runtime.errors import AdasError
from adas_runtime.function import Process
from adas_runtime.graph import STATUS_OUTPUT, shadow_topic
from adas_runtime.interfaces import type_name
from adas_runtime.nodes.base import DIAGNOSTICS, ProcessNode, Stop, versions
from adas_runtime.nodes.ledger import Entry, Ledger, Level
from adas_runtime.nodes.qos import MARKET_STATUS
from adas_runtime.nodes.settings import Loaded, Settings, message_type
from adas_runtime.recorder.params import load_recorder_params
from adas_runtime.recorder.writer import Attachment, DriveWriter, Recorded, Report

DRAIN_S: Final = 0.02
DEPTH: Final = 200  # ten periods of the fastest topic wait at most; the writer's own queue takes the rest
PICTURE_DEPTH: Final = 30
OTHERS: Final = ((DIAGNOSTICS, "diagnostic_msgs/msg/DiagnosticArray"), ("/rosout", "rcl_interfaces/msg/Log"))
LATCHED: Final = (("/tf_static", "tf2_msgs/msg/TFMessage"),)


@dataclass(slots=True)
class Wanted:
    """One topic to record."""

    name: str
    type: str
    is_reliable: bool = True
    is_latched: bool = False


@dataclass(slots=True)
class Tap:
    """One open subscription."""

    wanted: Wanted
    subscription: Any
    last: dict[bytes, int] = field(default_factory=dict)
    sequence: int | None = None


class RecorderLedger(Ledger):
    """The process's report with a line about the recording."""

    recording: Report | None = None
    lost_told = 0

    def report(self, now_s: float) -> list[Entry]:
        """All lines."""
        found = Ledger.report(self, now_s)
        report = self.recording
        if report is None:
            return [*found, Entry(name="recording", level=Level.OK, message="nothing is recorded (no --record)")]
        lost = {name: counts.lost for name, counts in sorted(report.topics.items()) if counts.lost}
        total = sum(lost.values())
        level, message = Level.OK, "recording"
        if report.fault:
            level, message = Level.ERROR, report.fault
        elif total > self.lost_told:
            level, message = Level.WARN, f"{total} messages lost: {', '.join(lost)}"[:256]
        self.lost_told = total
        values = (
            ("folder", report.folder),
            ("files", str(report.files)),
            ("megabytes", f"{report.bytes / 1e6:.1f}"),
            ("queue_bytes", str(report.queue_bytes)),
            ("written", str(report.written)),
            ("lost", str(total)),
            *((f"lost {name}", str(number)) for name, number in lost.items()),
        )
        return [*found, Entry(name="recording", level=level, message=message, values=values)]


def wanted_topics(loaded: Loaded) -> list[Wanted]:
    """Every topic of the graph, of the inputs and of the runtime itself, each once."""
    found: dict[str, Wanted] = {}

    def add(name: str, kind: str, *, is_reliable: bool = True, is_latched: bool = False) -> None:
        if is_cabin_topic(name, kind):
            return
        found.setdefault(name, Wanted(name=name, type=kind, is_reliable=is_reliable, is_latched=is_latched))

    for topic in loaded.graph.topics():
        kind = type_name(topic.signal)
        add(topic.name, kind, is_reliable=topic.process is not None)
        if topic.process is not None and topic.output != STATUS_OUTPUT:
            add(shadow_topic(topic.producer, topic.output), kind)
    add(MARKET_STATUS.name, type_name(MARKET_STATUS.signal), is_latched=True)
    for feed in loaded.feeds:
        add(feed.topic, feed.type, is_reliable=False)
        if feed.type in PICTURES[:2]:
            # image_transport puts the camera's calibration beside its pictures
            base = feed.topic.removesuffix("/compressed").rpartition("/")[0]
            add(f"{base}/camera_info", "sensor_msgs/msg/CameraInfo", is_reliable=False)
    for name, kind in OTHERS:
        add(name, kind)
    for name, kind in LATCHED:
        add(name, kind, is_latched=True)
    return list(found.values())


@cache
def _store() -> Any:
    from rosbags.typesys import Stores, get_typestore

    from adas_runtime.interfaces import register

    store = get_typestore(Stores.ROS2_JAZZY)
    register(store)
    return store


def definition(name: str) -> str:
    """The text of a type's definition as a recording embeds it; empty for a type that is not known here."""
    store = _store()
    return str(store.generate_msgdef(name, ros_version=2)[0]) if name in store.types else ""


class Recorder(ProcessNode):
    """Records while active, in a new folder for each activation."""

    def __init__(self, settings: Settings, loaded: Loaded, stop: Stop) -> None:
        super().__init__(settings, loaded, stop)
        assert settings.process is Process.RECORDER
        self.ledger = RecorderLedger(facts=self.ledger.facts)
        self._files_behind: Loaded | None = None
        self._tap: Any = None
        self._taps: list[Tap] = []
        self._writer: DriveWriter | None = None
        self._drain_timer: Any = None

    def prepare(self, loaded: Loaded) -> None:
        """Read how to record."""
        self._params = load_recorder_params()
        self._files_behind = loaded

    def start(self) -> None:
        """Open the recording, then every topic."""
        import rclpy

        parent, loaded = self.settings.record, self._files_behind
        assert loaded is not None
        if parent is None:
            return
        topics = wanted_topics(loaded)
        self._tap = rclpy.create_node(f"{self.settings.node_name}_tap", use_global_arguments=False)
        left_out = []
        for topic in topics:
            try:
                kind = message_type(topic.type, topic.name)
            except AdasError:  # a type that is not installed here has no sender here either
                left_out.append(topic.name)
                continue
            self._taps.append(
                Tap(
                    wanted=topic,
                    subscription=self._tap.create_subscription(kind, topic.name, _unused, _qos(topic), raw=True),
                )
            )
        if left_out:
            self.ledger.facts["not_recorded"] = ", ".join(left_out)
        market = loaded.market
        notes = {
            "market": market.name,
            "market_revision": str(market.revision),
            "market_digest": market.digest,
            "vehicle": loaded.vehicle.name,
            "inputs": self.settings.inputs,
            "clock": "/clock" if self._is_sim_time else "system",
            "versions": json.dumps(versions(), sort_keys=True),
        }
        attachments = [
            Attachment(name="market.json", media_type="application/json", data=_json(market)),
            Attachment(name="vehicle.json", media_type="application/json", data=_json(loaded.vehicle)),
        ]
        self._writer = DriveWriter(
            parent,
            [Recorded(name=tap.wanted.name, type=tap.wanted.type) for tap in self._taps],
            self._params,
            notes,
            definition,
            attachments,
        )
        assert isinstance(self.ledger, RecorderLedger)
        self.ledger.recording = self._writer.report
        self._drain_timer = self.create_timer(DRAIN_S, self.guarded(self._drain), clock=self._steady)

    def finish(self) -> None:
        """Take what still waits, then complete the files."""
        if self._drain_timer is not None:
            self.destroy_timer(self._drain_timer)
            self._drain_timer = None
        if self._writer is not None:
            self._drain()
            self._writer.close()
            self._writer = None
        if self._tap is not None:
            self._tap.destroy_node()
            self._tap = None
        self._taps.clear()

    def forget(self) -> None:
        """Drop the configuration."""
        self._files_behind = None

    def _drain(self) -> None:
        """Everything that waits, in the order of the topics; the log times order it in the file."""
        writer = self._writer
        assert writer is not None
        for tap in self._taps:
            handle, kind, name = tap.subscription.handle, tap.subscription.msg_type, tap.wanted.name
            is_picture = tap.wanted.type in PICTURES
            while (found := handle.take_message(kind, True)) is not None:
                data, info = found
                if is_picture and is_cabin_message(tap.wanted.type, data):
                    self._refuse_cabin(name)
                    continue
                # with /clock the log time is that clock's, as everything in the recording; else the receipt itself
                log_ns = self.get_clock().now().nanoseconds if self._is_sim_time else info["received_timestamp"]
                sequence = info["publication_sequence_number"] or 0
                self._count_lost(tap, sequence)
                writer.offer(name, log_ns, info["source_timestamp"], sequence & 0xFFFFFFFF, data)

    def _refuse_cabin(self, name: str) -> None:
        """A picture of the cabin on a topic that should hold none: dropped, and told once."""
        key = f"cabin pictures refused on {name}"
        self.ledger.facts[key] = str(int(self.ledger.facts.get(key, "0")) + 1)
        if self.ledger.facts[key] == "1":
            self.get_logger().error(f"{name}: {WHAT}; {MEND}")

    def _count_lost(self, tap: Tap, sequence: int) -> None:
        """A gap in a sender's numbers is a loss on the way. Two senders share no numbers; their mix counts as none."""
        former, tap.sequence = tap.sequence, sequence
        if former is None or not 0 < sequence - former - 1 < 100_000:
            return
        if tap.wanted.is_latched or self._tap.count_publishers(tap.wanted.name) != 1:
            return
        assert self._writer is not None
        self._writer.lose(tap.wanted.name, sequence - former - 1)


def _unused(message: Any) -> None:
    raise AssertionError("the recorder takes its messages itself")


def _qos(topic: Wanted) -> Any:
    from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

    # it asks for nothing that a sender might not offer: a recorder that hears nothing of a topic is worthless
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=PICTURE_DEPTH if topic.type in PICTURES else DEPTH,
        reliability=ReliabilityPolicy.RELIABLE if topic.is_reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if topic.is_latched else DurabilityPolicy.VOLATILE,
    )


def _json(model: Any) -> bytes:
    return bytes(model.model_dump_json(indent=2).encode())
