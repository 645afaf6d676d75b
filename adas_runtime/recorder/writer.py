"""A drive to disk: rosbag2 in MCAP, in files of bounded size, written by a thread of its own. No ROS.

Whoever offers a message never waits. What a slow or full disk does not take is lost, counted by topic and told. After
a kill the files hold all but the last `flush_s`; after the recorder's own end they are complete and indexed.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Final, cast

from adas_runtime.errors import BagError
from adas_runtime.recorder.params import RecorderParams

MB: Final = 1_000_000
IDLE_S: Final = 0.2
CHUNK_BYTES: Final = 1 << 20
STEM: Final = "drive"


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """One topic that is recorded: name, type, offered QoS as rosbag2 writes it."""

    name: str
    type: str
    qos: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """A file that goes into every file of the recording, such as the merged market."""

    name: str
    media_type: str
    data: bytes


@dataclass(slots=True)
class FileFacts:
    """One file of the recording, for metadata.yaml."""

    name: str
    start_ns: int = 0
    end_ns: int = 0
    count: int = 0


@dataclass(slots=True)
class Counts:
    """What became of the messages of a topic."""

    written: int = 0
    lost: int = 0


@dataclass(slots=True)
class Report:
    """How the recording fares; read by the node for its diagnostics."""

    folder: str = ""
    fault: str = ""
    files: int = 0
    bytes: int = 0
    queue_bytes: int = 0
    topics: dict[str, Counts] = field(default_factory=dict)

    @property
    def written(self) -> int:
        """Messages on disk or on their way to it."""
        return sum(item.written for item in self.topics.values())

    @property
    def lost(self) -> int:
        """Messages lost, whatever the cause."""
        return sum(item.lost for item in self.topics.values())


class Sink:
    """An unbuffered file for the MCAP writer: what `write` returned from is the kernel's, nothing is held back."""

    def __init__(self, path: Path) -> None:
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        self._size = 0

    def write(self, data: bytes) -> int:
        """Write all of it."""
        view = memoryview(data)
        while view:
            number = os.write(self._descriptor, view)
            self._size += number
            view = view[number:]
        return len(data)

    def tell(self) -> int:
        """Bytes written."""
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def sync(self) -> None:
        """Wait for the disk."""
        os.fsync(self._descriptor)

    def cut(self, size: int) -> None:
        """Drop what lies behind `size`."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)


Item = tuple[str, int, int, int, bytes]  # topic, log time [ns], publish time [ns], sequence, CDR bytes


def new_folder(parent: Path, now: datetime | None = None) -> Path:
    """A folder that is not there yet, named by the time; a recording never replaces another.

    Raises:
        BagError: The parent cannot be made or written to.
    """
    stem = (now or datetime.now(timezone.utc)).strftime("drive_%Y%m%dT%H%M%SZ")
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for number in range(1, 1000):
            path = parent / (stem if number == 1 else f"{stem}_{number}")
            try:
                path.mkdir()
            except FileExistsError:
                continue
            return path
    except OSError as error:
        raise BagError(
            f"cannot be written to ({error.strerror})", where=str(parent), mend="take another --record"
        ) from error
    raise BagError("holds a thousand recordings of this second", where=str(parent), mend="take another --record")


class DriveWriter:
    """Records until closed.

    Args:
        parent: Folder that the recording's folder is made in.
        topics: All that may come.
        params: Files, patience, memory.
        notes: Key and value for the metadata of every file.
        define: Text of a type's definition with those of its parts, empty where it is not known. Called by the thread
            that writes, since looking definitions up takes longer than a node may take to start.
        attachments: What goes into every file.
    """

    def __init__(
        self,
        parent: Path,
        topics: Sequence[Recorded],
        params: RecorderParams,
        notes: Mapping[str, str],
        define: Callable[[str], str],
        attachments: Sequence[Attachment] = (),
    ) -> None:
        self.folder = new_folder(parent)
        self.report = Report(folder=str(self.folder))
        self._topics = {topic.name: topic for topic in topics}
        self._params = params
        self._notes = dict(notes)
        self._define = define
        self._attachments = tuple(attachments)
        self._queue: deque[Item] = deque()
        self._queue_bytes = 0
        self._wake = threading.Condition()
        self._is_closing = False
        self._files: list[FileFacts] = []
        self._file: Sink | None = None
        self._mcap: Any = None
        self._channels: dict[str, int] = {}
        self._good_bytes = self._told_bytes = 0
        self._unflushed: dict[str, int] = {}
        self._opened_s = self._flushed_s = self._synced_s = 0.0
        self._retry_s = 0.0
        self._thread = threading.Thread(target=self._work, name="recorder-disk", daemon=True)
        self._thread.start()

    # --- the side that must not wait ---

    def offer(self, topic: str, log_ns: int, publish_ns: int, sequence: int, data: bytes) -> None:
        """Hand over one message; lost and counted where the queue is full."""
        with self._wake:
            if self._is_closing or self._queue_bytes + len(data) > self._params.queue_mb * MB:
                self._counts(topic).lost += 1
                return
            self._queue.append((topic, log_ns, publish_ns, sequence, data))
            self._queue_bytes += len(data)
            self._wake.notify()

    def lose(self, topic: str, number: int) -> None:
        """Count messages that never arrived here."""
        self._counts(topic).lost += number

    def close(self, timeout_s: float = 10.0) -> None:
        """Write what waits and finish the files; a disk that hangs is left behind after `timeout_s`."""
        with self._wake:
            self._is_closing = True
            self._wake.notify()
        self._thread.join(timeout_s)

    def _counts(self, topic: str) -> Counts:
        return self.report.topics.setdefault(topic, Counts())

    # --- the side that may wait ---

    def _work(self) -> None:
        while True:
            with self._wake:
                if not self._queue and not self._is_closing:
                    self._wake.wait(IDLE_S)
                batch = list(self._queue)
                self._queue.clear()
                self._queue_bytes = 0
                is_last = self._is_closing
            now_s = time.monotonic()
            self.report.queue_bytes = sum(len(item[4]) for item in batch)
            try:
                self._write_all(batch, now_s)
                if is_last:
                    self._finish()
            except OSError as error:
                self._fail(f"the disk does not take it ({error.strerror or error})", now_s)
            if is_last:
                return

    def _write_all(self, batch: list[Item], now_s: float) -> None:
        for index, item in enumerate(batch):
            if self._mcap is None and not self._open(now_s):
                for lost in batch[index:]:
                    self._counts(lost[0]).lost += 1
                return
            try:
                self._write(item)
            except OSError:
                for lost in batch[index:]:
                    self._counts(lost[0]).lost += 1
                raise
        if self._mcap is None:
            return
        if now_s - self._flushed_s >= self._params.flush_s:
            self._flush(now_s)
        assert self._file is not None
        if self._file.tell() >= self._params.split_mb * MB or now_s - self._opened_s >= self._params.split_s:
            self._finish()

    def _write(self, item: Item) -> None:
        topic, log_ns, publish_ns, sequence, data = item
        channel = self._channels.get(topic)
        if channel is None:
            channel = self._channel(topic)
        self._mcap.add_message(channel, log_ns, data, publish_ns, sequence)
        facts = self._files[-1]
        facts.start_ns = min(facts.start_ns or log_ns, log_ns)
        facts.end_ns = max(facts.end_ns, log_ns)
        facts.count += 1
        self._counts(topic).written += 1
        self._unflushed[topic] = self._unflushed.get(topic, 0) + 1

    def _channel(self, topic: str) -> int:
        about = self._topics[topic]
        schema = self._mcap.register_schema(about.type, "ros2msg", self._define(about.type).encode())
        channel = self._channels[topic] = self._mcap.register_channel(
            topic, "cdr", schema, metadata={"offered_qos_profiles": about.qos}
        )
        return int(channel)

    def _open(self, now_s: float) -> bool:
        """Begin a file, where there is room; False: not now."""
        from mcap.writer import CompressionType, Writer

        if now_s < self._retry_s:
            return False
        free_mb = shutil.disk_usage(self.folder).free / MB
        if free_mb < self._params.keep_free_mb:
            self._pause(f"paused: {free_mb:.0f} MB free, {self._params.keep_free_mb:.0f} MB are kept", now_s)
            return False
        name = f"{STEM}_{len(self._files)}.mcap"
        self._file = Sink(self.folder / name)
        self._files.append(FileFacts(name=name))
        self._mcap = Writer(cast(Any, self._file), chunk_size=CHUNK_BYTES, compression=CompressionType.ZSTD)
        self._channels = {}
        self._mcap.start(profile="ros2", library="adas_runtime")
        self._mcap.add_metadata("adas_recording", self._notes)
        for item in self._attachments:
            self._mcap.add_attachment(0, 0, item.name, item.media_type, item.data)
        self._opened_s = self._synced_s = now_s
        self._flush(now_s)
        self.report.files = len(self._files)
        self.report.fault = ""
        return True

    def _flush(self, now_s: float) -> None:
        """What came so far survives a kill; every `fsync_s`, a power failure, too."""
        assert self._file is not None
        self._flushed_s = now_s
        self._mcap.flush()
        self._good_bytes = self._file.tell()
        self.report.bytes += self._good_bytes - self._told_bytes
        self._told_bytes = self._good_bytes
        self._unflushed.clear()
        if now_s - self._synced_s >= self._params.fsync_s:
            self._synced_s = now_s
            self._file.sync()
            free_mb = shutil.disk_usage(self.folder).free / MB
            if free_mb < self._params.keep_free_mb:
                self._finish()
                self._pause(f"paused: {free_mb:.0f} MB free, {self._params.keep_free_mb:.0f} MB are kept", now_s)

    def _finish(self) -> None:
        """Complete the file with its index, and the folder with its metadata."""
        if self._mcap is None:
            return
        assert self._file is not None
        self._mcap.finish()
        self._file.sync()
        self.report.bytes += self._file.tell() - self._told_bytes
        self._file.close()
        self._forget()
        write_metadata(self.folder, self._files, self._topics, self.report.topics, self._notes)

    def _forget(self) -> None:
        self._file = self._mcap = None
        self._channels = {}
        self._unflushed.clear()
        self._told_bytes = self._good_bytes = 0

    def _fail(self, why: str, now_s: float) -> None:
        """The disk refused: keep the part that is good, count the rest as lost, try a new file later."""
        for topic, number in self._unflushed.items():
            counts = self._counts(topic)
            counts.written -= number
            counts.lost += number
        if self._file is not None:
            self._files[-1].count -= sum(self._unflushed.values())
            with suppress(OSError):
                self._file.cut(self._good_bytes)
            with suppress(OSError):
                self._file.close()
        self._forget()
        self._pause(why, now_s)

    def _pause(self, why: str, now_s: float) -> None:
        self.report.fault = why
        self._retry_s = now_s + self._params.retry_s


def write_metadata(
    folder: Path,
    files: Sequence[FileFacts],
    topics: Mapping[str, Recorded],
    counts: Mapping[str, Counts],
    notes: Mapping[str, str],
) -> None:
    """The `metadata.yaml` of rosbag2, version 9; replaced as a whole."""
    import yaml

    full = [item for item in files if item.count > 0]
    start_ns = min((item.start_ns for item in full), default=0)
    end_ns = max((item.end_ns for item in full), default=0)
    data = {
        "rosbag2_bagfile_information": {
            "version": 9,
            "storage_identifier": "mcap",
            "duration": {"nanoseconds": end_ns - start_ns},
            "starting_time": {"nanoseconds_since_epoch": start_ns},
            "message_count": sum(item.count for item in full),
            "topics_with_message_count": [
                {
                    "topic_metadata": {
                        "name": topic.name,
                        "type": topic.type,
                        "serialization_format": "cdr",
                        "offered_qos_profiles": [],
                        "type_description_hash": "",
                    },
                    "message_count": counts[topic.name].written,
                }
                for topic in topics.values()
                if topic.name in counts and counts[topic.name].written
            ],
            "compression_format": "",
            "compression_mode": "",
            "relative_file_paths": [item.name for item in full],
            "files": [
                {
                    "path": item.name,
                    "starting_time": {"nanoseconds_since_epoch": item.start_ns},
                    "duration": {"nanoseconds": item.end_ns - item.start_ns},
                    "message_count": item.count,
                }
                for item in full
            ],
            "custom_data": dict(notes),
            "ros_distro": os.environ.get("ROS_DISTRO", "jazzy"),
        }
    }
    temporary = folder / "metadata.yaml.new"
    temporary.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    os.replace(temporary, folder / "metadata.yaml")
