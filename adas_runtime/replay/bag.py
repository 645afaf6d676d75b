"""Reading recordings: rosbag2 in MCAP or SQLite3, whole or damaged, with or without `metadata.yaml`.

A bag is one file or a folder of them. Messages come strictly by log time, ties by topic and sequence, so that the same
recording gives the same replay however it was split, compressed or indexed. What is broken is told in `warnings` and
the good part is still read; what cannot be a bag at all raises one `BagError`.

Own record loops instead of `rosbags.rosbag2.Reader`: that one refuses a file without footer, has no place where
recording order, and with it a clock that ran back, could be seen, and needs metadata for a split bag.
"""

from __future__ import annotations

import os
import re
import shutil
import sqlite3
import struct
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Final, Protocol

from typing_extensions import Self

from adas_runtime.errors import BagError

MCAP_MAGIC: Final = b"\x89MCAP0\r\n"
SQLITE_MAGIC: Final = b"SQLite format 3\x00"
ZSTD_MAGIC: Final = b"\x28\xb5\x2f\xfd"
BACKWARD_NS: Final = 100_000_000  # less is jitter between writers, as in the executor
INDEX_PASS_MAX: Final = 256 * 1024 * 1024  # larger files are only searched for clock jumps where their chunks overlap
LOOK_AHEAD: Final = 10_000  # messages that are searched for the other topics' clocks
ROWS: Final = 4096  # rows of a SQLite bag that are held at a time
ROWS_BYTES: Final = 64 * 1024 * 1024  # or fewer, where they are pictures
MESSAGE_MAX: Final = 128 * 1024 * 1024  # no sensor's message is longer; what says so is damaged or a trap
CHUNK_MAX: Final = 256 * 1024 * 1024  # of one MCAP record, packed and unpacked: recorders write 1 to 16 MiB
UNPACKED_MIN: Final = 64 * 1024 * 1024  # a packed file may always become that large
UNPACKED_RATIO: Final = 200  # and beyond it this many times its own size; recordings pack 2 to 30 times
DEFINITION_BYTES_MAX: Final = 512 * 1024
DEFINITION_LINES_MAX: Final = 2000  # of all types that it embeds, comments aside; Autoware's have under 400
NAME_MAX: Final = 255  # of a file, on all file systems
_RECORD: Final = struct.Struct("<BQ")
_MESSAGE: Final = struct.Struct("<HIQQ")
_CHUNK: Final = struct.Struct("<QQQII")

_INDEX: Final = struct.Struct("<BQHI")  # message index: opcode, length, channel, bytes of its entries

Row = tuple[int, str, int, int, int, bytes]  # log time [ns], topic, sequence, file, place in it, data


@dataclass(frozen=True, slots=True, kw_only=True)
class BagTopic:
    """One topic of a recording.

    `definition` is the text that the recording embeds, empty where it embeds none; `encoding` the schema's, such as
    `ros2msg`; `serialization` the messages', `cdr` for all that can be read.
    """

    name: str
    type: str
    definition: str = ""
    encoding: str = ""
    serialization: str = "cdr"
    count: int | None = None


@dataclass(frozen=True, slots=True)
class _Chunk:
    """A stretch of a file that is loaded at once."""

    start_ns: int
    end_ns: int
    place: int
    length: int


class _File(Protocol):
    path: Path
    number: int
    topics: dict[str, BagTopic]
    chunks: list[_Chunk]
    warnings: list[str]

    def load(self, chunk: _Chunk, wanted: Collection[str] | None, with_data: bool = True) -> list[Row]: ...

    def times(self) -> list[list[tuple[str, Any]]] | None: ...

    def close(self) -> None: ...


class _McapFile:
    """One MCAP file; with a sound summary by its index, else by a walk through its records."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.topics: dict[str, BagTopic] = {}
        self.chunks: list[_Chunk] = []
        self.warnings: list[str] = []
        self._schemas: dict[int, Any] = {}
        self._channels: dict[int, str] = {}
        self._skipped: set[int] = set()
        self._indexes: list[tuple[int, int]] = []  # of each chunk: its end, and bytes of the message indexes behind it
        self._counts: dict[int, int] = {}
        self._stream: IO[bytes] = path.open("rb")
        self._size = path.stat().st_size
        if not self._read_summary():
            self._walk()

    def close(self) -> None:
        self._stream.close()

    def _read_summary(self) -> bool:
        """Whether the file's own index could be used."""
        from mcap.exceptions import McapError
        from mcap.reader import SeekingReader
        from mcap.stream_reader import CRCValidationError

        try:
            summary = SeekingReader(self._stream, validate_crcs=False).get_summary()
        except (
            McapError,
            CRCValidationError,
            ValueError,
            struct.error,
            EOFError,
            OSError,
            KeyError,
            OverflowError,
            MemoryError,
        ):
            return False
        if summary is None or summary.statistics is None:
            return False
        messages = summary.statistics.message_count
        if messages and (not summary.chunk_indexes or len(summary.channels) < summary.statistics.channel_count):
            return False
        if any(index.chunk_start_offset + index.chunk_length > self._size for index in summary.chunk_indexes):
            return False
        if any(index.chunk_length > CHUNK_MAX for index in summary.chunk_indexes):
            return False  # the walk tells it
        for index in summary.chunk_indexes:  # one that points beside its chunk would cost the chunk: the walk finds it
            self._stream.seek(index.chunk_start_offset)
            head = self._stream.read(_RECORD.size)
            if len(head) < _RECORD.size or _RECORD.unpack(head) != (6, index.chunk_length - _RECORD.size):
                return False
        for schema in summary.schemas.values():
            self._schemas[schema.id] = schema
        for channel in summary.channels.values():
            self._add_channel(channel, summary.statistics.channel_message_counts.get(channel.id, 0))
        self._counts = dict(summary.statistics.channel_message_counts)
        ordered = sorted(summary.chunk_indexes, key=lambda index: index.chunk_start_offset)
        self._indexes = [(i.chunk_start_offset + i.chunk_length, i.message_index_length) for i in ordered]
        self.chunks = [
            _Chunk(
                index.message_start_time,
                index.message_end_time,
                index.chunk_start_offset,
                index.chunk_length,
            )
            for index in ordered
        ]
        return True

    def times(self) -> list[list[tuple[str, Any]]] | None:
        """Log times of each chunk by topic, in the order of recording, by the file's own index; `None` without it.

        Eight times as fast as unpacking the chunks. An index that does not hold every message of the summary's counts
        is not believed.
        """
        import numpy as np

        if len(self._indexes) != len(self.chunks):
            return None  # found by a walk through the records
        counts: dict[int, int] = {}
        found: list[list[tuple[str, Any]]] = []
        for place, length in self._indexes:
            if length <= 0 or place + length > self._size:
                return None
            self._stream.seek(place)
            data = self._stream.read(length)
            at, topics = 0, []
            while at < length:
                if at + _INDEX.size > length:
                    return None
                opcode, size, channel, count = _INDEX.unpack_from(data, at)
                if opcode != 0x07 or size != count + 6 or count % 16 or at + 9 + size > length:
                    return None
                entries = np.frombuffer(data, dtype="<i8", count=count // 8, offset=at + _INDEX.size).reshape(-1, 2)
                at += 9 + size
                if len(entries) and (entries.min() < 0 or (np.diff(entries[:, 1]) <= 0).any()):
                    return None
                counts[channel] = counts.get(channel, 0) + len(entries)
                topic = self._channels.get(channel)
                if topic is not None and channel not in self._skipped and len(entries):
                    topics.append((topic, entries[:, 0]))
            found.append(topics)
        if any(counts.get(channel, 0) != count for channel, count in self._counts.items()):
            return None
        return found

    def _walk(self) -> None:
        """Find chunks, channels and loose messages record by record, as far as the file goes."""
        at = len(MCAP_MAGIC)
        loose: list[int] = []
        loose_at = at
        is_ended = False
        while at + _RECORD.size <= self._size:
            self._stream.seek(at)
            opcode, length = _RECORD.unpack(self._stream.read(_RECORD.size))
            end = at + _RECORD.size + length
            if opcode in (0x0F, 0x02):  # data end, footer
                is_ended = True
                break
            if opcode == 0 or opcode > 0x7F or (end > self._size and opcode not in (0x05, 0x06)):
                break
            if end - at > CHUNK_MAX and opcode in (0x03, 0x04, 0x05, 0x06) and end <= self._size:
                self._warn(
                    f"a record of {length} bytes at byte {at} is left out: more than {CHUNK_MAX} is no recording"
                )
            elif opcode == 0x06:
                times = [row[0] for row in self.load(_Chunk(0, 0, at, end - at), None, with_data=False)]
                if times:
                    self.chunks.append(_Chunk(min(times), max(times), at, end - at))
                if end > self._size:
                    break
            elif opcode == 0x05 and end <= self._size:
                if not loose:
                    loose_at = at
                loose.append(_MESSAGE.unpack(self._stream.read(_MESSAGE.size))[2])
                if end - loose_at > 1 << 20:
                    self.chunks.append(_Chunk(min(loose), max(loose), loose_at, end - loose_at))
                    loose = []
            elif opcode in (0x03, 0x04):
                self._records(
                    _RECORD.pack(opcode, length) + self._stream.read(length),
                    None,
                    [],
                    at,
                    False,
                )
            elif opcode == 0x05:
                break
            if loose and opcode != 0x05:
                self.chunks.append(_Chunk(min(loose), max(loose), loose_at, at - loose_at))
                loose = []
            at = end
        if loose:
            self.chunks.append(_Chunk(min(loose), max(loose), loose_at, at - loose_at))
        if not is_ended:
            last = max((chunk.end_ns for chunk in self.chunks), default=None)
            told = "nothing in it can be read" if last is None else f"read up to log time {last * 1e-9:.3f} s"
            self._warn(f"cut short or damaged at byte {min(at, self._size)} of {self._size}: {told}")

    def _warn(self, text: str) -> None:
        line = f"{self.path}: {text}"
        if line not in self.warnings:
            self.warnings.append(line)

    def _add_channel(self, channel: Any, count: int | None) -> None:
        schema = self._schemas.get(channel.schema_id)
        found = BagTopic(
            name=channel.topic,
            type=_full_name(schema.name) if schema else "",
            definition=schema.data.decode("utf-8", errors="replace") if schema else "",
            encoding=schema.encoding if schema else "",
            serialization=channel.message_encoding,
            count=count,
        )
        known = self.topics.get(channel.topic)
        if known is None:
            self.topics[channel.topic] = found
        elif known.type != found.type:
            self._skipped.add(channel.id)
            self._warn(f"topic {channel.topic} is recorded as {known.type} and as {found.type}; only the first is read")
        elif count is not None and channel.id not in self._channels:
            self.topics[channel.topic] = replace(known, count=(known.count or 0) + count)
        self._channels[channel.id] = channel.topic

    def load(self, chunk: _Chunk, wanted: Collection[str] | None, with_data: bool = True) -> list[Row]:
        self._stream.seek(chunk.place)
        data = self._stream.read(min(chunk.length, CHUNK_MAX))
        rows: list[Row] = []
        if data[:1] != b"\x06":
            self._records(data, wanted, rows, chunk.place, with_data)
            return rows
        try:
            *_, size, _, name_length = _CHUNK.unpack_from(data, _RECORD.size)
            at = _RECORD.size + _CHUNK.size
            compression = data[at : at + name_length].decode("ascii", errors="replace")
            at += name_length + 8
        except struct.error:
            return rows
        body = self._decompress(data[at:], compression, size, chunk.place)
        self._records(body, wanted, rows, chunk.place << 24, with_data)
        return rows

    def _decompress(self, body: bytes, compression: str, size: int, place: int) -> bytes:
        """The records of a chunk; of a damaged one, what still comes out."""
        if compression == "":
            return body
        import zstandard

        out = bytearray()
        if size > CHUNK_MAX:
            self._warn(f"chunk at byte {place} says it unpacks to {size} bytes, more than {CHUNK_MAX}; left out")
            return b""
        try:
            if compression == "zstd":
                if zstandard.frame_content_size(body) in (-1, size):  # it says nothing, or the same as the chunk
                    try:
                        return zstandard.ZstdDecompressor().decompress(body, max_output_size=size)
                    except zstandard.ZstdError:
                        pass
                stream = zstandard.ZstdDecompressor().decompressobj()
                for at in range(0, len(body), 4096):
                    out += stream.decompress(body[at : at + 4096])
                    if len(out) > size:
                        raise ValueError("longer than it says")
            elif compression == "lz4":
                import lz4.frame  # type: ignore[import-untyped]

                lz4_stream = lz4.frame.LZ4FrameDecompressor()
                for at in range(0, len(body), 65536):
                    out += lz4_stream.decompress(body[at : at + 65536], max_length=size + 1 - len(out))
                    if len(out) > size:
                        raise ValueError("longer than it says")
                    if lz4_stream.eof:
                        break
            else:
                self._warn(f"chunk at byte {place} is compressed as {compression!r}, which is not known; left out")
        except (
            zstandard.ZstdError,
            RuntimeError,
            ValueError,
            MemoryError,
        ) as error:  # lz4 raises RuntimeError
            del out[size:]
            what = type(error).__name__ if type(error) is not ValueError else str(error)
            self._warn(f"chunk at byte {place} is damaged ({what}); its first {len(out)} bytes are used")
        return bytes(out)

    def _records(
        self,
        data: bytes,
        wanted: Collection[str] | None,
        rows: list[Row],
        place: int,
        with_data: bool,
    ) -> None:
        """Messages of a run of records, in their order; learns the schemas and channels it meets."""
        at, end = 0, len(data)
        head, message = _RECORD.unpack_from, _MESSAGE.unpack_from
        channels, skipped = self._channels, self._skipped
        append, number = rows.append, self.number
        while at + 9 <= end:
            opcode, length = head(data, at)
            body = at + 9
            after = body + length
            if after > end or opcode == 0:
                self._warn(f"a record is cut short or damaged in the chunk at byte {place >> 24 or place}")
                if after > end or length == 0:
                    at = _next_message(data, at + 1)
                    continue
            if opcode == 5 and length >= 22:
                channel, sequence, log_ns, _ = message(data, body)
                topic = channels.get(channel)
                if topic is not None and (wanted is None or topic in wanted) and channel not in skipped:
                    append(
                        (
                            log_ns,
                            topic,
                            sequence,
                            number,
                            place + at,
                            data[body + 22 : after] if with_data else b"",
                        )
                    )
            elif opcode in (3, 4):
                self._learn(opcode, data[body:after])
            at = after

    def _learn(self, opcode: int, body: bytes) -> None:
        from mcap.data_stream import ReadDataStream
        from mcap.exceptions import McapError
        from mcap.records import Channel, Schema

        try:
            stream = ReadDataStream(BytesIO(body))
            if opcode == 3:
                schema = Schema.read(stream)
                self._schemas.setdefault(schema.id, schema)
            else:
                channel = Channel.read(stream)
                if channel.id not in self._channels:
                    self._add_channel(channel, None)
        except (McapError, EOFError, ValueError, struct.error):
            self._warn("a schema or channel record is damaged; its topic is left out")


def _next_message(data: bytes, start: int) -> int:
    """Where messages go on behind a damaged record: the first place from which three records in a row make sense."""
    end = len(data)
    at = data.find(5, start)
    while at >= 0:
        place, sound = at, 0
        while sound < 3 and place + 9 <= end:
            opcode, length = _RECORD.unpack_from(data, place)
            if not 3 <= opcode <= 15 or place + 9 + length > end or (opcode == 5 and length < 22):
                break
            place, sound = place + 9 + length, sound + 1
        if sound == 3 or (sound and place == end):
            return at
        at = data.find(5, at + 1)
    return end


# sqlite names what is malformed in an error whose text may be malformed as well
DAMAGE: Final = (sqlite3.DatabaseError, UnicodeDecodeError)


class _SqliteFile:
    """One SQLite3 file, in the order of its rows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.number = 0
        self.topics: dict[str, BagTopic] = {}
        self.chunks: list[_Chunk] = []
        self.warnings: list[str] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        source = path
        wal = path.with_name(path.name + "-wal")
        if wal.exists() and wal.stat().st_size:
            # what a crash left in the write-ahead log is part of the recording; reading it writes, so read a copy
            self._folder = tempfile.TemporaryDirectory(prefix="adas-bag-")
            source = Path(self._folder.name) / path.name
            shutil.copyfile(path, source)
            shutil.copyfile(wal, source.with_name(source.name + "-wal"))
            mode = "rw"
        else:
            source = self._whole_pages(path)
            mode = "ro&immutable=1"
        self._base = sqlite3.connect(f"{source.resolve().as_uri()}?mode={mode}", uri=True)
        self._base.text_factory = lambda text: text.decode("utf-8", "replace")  # a damaged page may hold anything
        self._names: dict[int, str] = {}
        try:
            self._read_topics()
        except DAMAGE as error:
            raise BagError(
                f"the database cannot be read ({error})",
                where=str(path),
                mend="record it again, or try sqlite3 .recover",
            ) from error
        self._index()

    def close(self) -> None:
        self._base.close()
        if self._folder is not None:
            self._folder.cleanup()

    def _whole_pages(self, path: Path) -> Path:
        """The file, or of one that was cut short a copy whose header counts the pages that are left.

        SQLite refuses a file with fewer pages than its header says, and takes what lacks of the last page for zeros.
        """
        size = path.stat().st_size
        with path.open("rb") as stream:
            head = stream.read(32)
        if len(head) < 32:
            return path
        page = int.from_bytes(head[16:18], "big")
        page = 65536 if page == 1 else page
        expected = int.from_bytes(head[28:32], "big") * page
        pages = size // page if page else 0
        if not pages or (expected <= size and not size % page):
            return path
        self._warn(f"cut short or damaged at byte {size} of {max(expected, size)}: whole pages are read")
        self._folder = tempfile.TemporaryDirectory(prefix="adas-bag-")
        copy = Path(self._folder.name) / path.name
        shutil.copyfile(path, copy)
        with copy.open("r+b") as stream:
            stream.truncate(pages * page)
            stream.seek(28)
            stream.write(pages.to_bytes(4, "big"))
        return copy

    def _read_topics(self) -> None:
        tables = {row[0] for row in self._base.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        if not {"topics", "messages"} <= tables:
            raise BagError(
                "a SQLite database without the tables of rosbag2",
                where=str(self.path),
                mend="give a rosbag2 recording",
            )
        texts: dict[str, tuple[str, str]] = {}
        if "message_definitions" in tables:
            for name, encoding, text in self._base.execute(
                "SELECT topic_type, encoding, encoded_message_definition FROM message_definitions"
            ):
                if isinstance(encoding, str) and isinstance(text, str):
                    texts[name] = (encoding, text)
        for number, name, kind, serialization in self._base.execute(
            "SELECT id, name, type, serialization_format FROM topics ORDER BY id"
        ):
            if not (isinstance(name, str) and isinstance(kind, str) and isinstance(serialization, str)):
                self._warn(f"topic {number} has no name, type or serialisation; it is left out")
                continue
            encoding, text = texts.get(kind, ("", ""))
            self._names[number] = name
            self.topics.setdefault(
                name,
                BagTopic(
                    name=name,
                    type=_full_name(kind),
                    definition=text,
                    encoding=encoding,
                    serialization=serialization,
                    count=0,
                ),
            )

    def _index(self) -> None:
        counts: dict[int, int] = {}
        times: list[int] = []
        first = 0
        last_ns: int | None = None
        former = 0
        number = lost = held = 0
        try:
            for number, topic, stamp_ns, size in self._base.execute(
                "SELECT id, topic_id, timestamp, length(data) FROM messages ORDER BY id"
            ):
                if not (isinstance(number, int) and isinstance(stamp_ns, int)) or topic not in self._names:
                    lost += 1  # a damaged page
                    continue
                if stamp_ns < 0 or (size or 0) > MESSAGE_MAX:
                    lost += 1
                    continue
                held += size or 0
                if times and held > ROWS_BYTES:
                    self.chunks.append(_Chunk(min(times), max(times), first, former))
                    times, held = [], size or 0
                former = number
                if not times:
                    first = number
                times.append(stamp_ns)
                last_ns = stamp_ns
                counts[topic] = counts.get(topic, 0) + 1
                if len(times) == ROWS:
                    self.chunks.append(_Chunk(min(times), max(times), first, number))
                    times, held = [], 0
        except DAMAGE as error:
            told = "nothing in it can be read" if last_ns is None else f"read up to log time {last_ns * 1e-9:.3f} s"
            self._warn(f"cut short or damaged after row {number} ({error}): {told}")
        if lost:
            self._warn(
                f"cut short or damaged: {lost} rows without a topic or a time, before 1970, or of more than "
                f"{MESSAGE_MAX} bytes are left out"
            )
        if times:
            self.chunks.append(_Chunk(min(times), max(times), first, former))
        for topic, count in counts.items():
            name = self._names.get(topic)
            if name is not None:
                self.topics[name] = replace(self.topics[name], count=(self.topics[name].count or 0) + count)

    def _warn(self, text: str) -> None:
        line = f"{self.path}: {text}"
        if line not in self.warnings:
            self.warnings.append(line)

    def times(self) -> list[list[tuple[str, Any]]] | None:
        """A database has no index by chunk."""
        return None

    def load(self, chunk: _Chunk, wanted: Collection[str] | None, with_data: bool = True) -> list[Row]:
        numbers = [n for n, name in self._names.items() if wanted is None or name in wanted]
        marks = ",".join("?" * len(numbers))
        rows: list[Row] = []
        try:
            for number, topic, stamp_ns, data in self._base.execute(
                f"SELECT id, topic_id, timestamp, {'data' if with_data else 'NULL'} FROM messages "
                f"WHERE id BETWEEN ? AND ? AND topic_id IN ({marks}) AND ifnull(length(data), 0) <= ? ORDER BY id",
                (chunk.place, chunk.length, *numbers, MESSAGE_MAX),
            ):
                if isinstance(number, int) and isinstance(stamp_ns, int) and stamp_ns >= 0:
                    content = data if type(data) is bytes else b""
                    rows.append((stamp_ns, self._names[topic], number, self.number, number, content))
        except DAMAGE as error:
            last = f"read up to log time {rows[-1][0] * 1e-9:.3f} s" if rows else f"rows from {chunk.place} are lost"
            self._warn(f"cut short or damaged ({error}): {last}")
        return rows


@dataclass(frozen=True, slots=True, order=True)
class _Piece:
    """A part of a chunk that belongs to one time line."""

    line: int
    start_ns: int
    file: int
    chunk: int
    first: int
    stop: int | None = field(compare=False)


class Bag:
    """A recording, open for reading.

    Raises:
        BagError: Missing, empty, no bag at all, or nothing in it can be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warnings: list[str] = []
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._files: list[_File] = []
        self.serializations: dict[str, str] = {}
        self.distro = ""
        try:
            for file in self._find_files():
                self._open(file)
            self._arrange()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give files and temporary copies back."""
        for file in self._files:
            file.close()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    @property
    def topics(self) -> dict[str, BagTopic]:
        """Topics by name, in alphabetical order."""
        return self._topics

    @property
    def start_s(self) -> float:
        """Earliest log time."""
        return self._start_ns * 1e-9

    @property
    def end_s(self) -> float:
        """Latest log time."""
        return self._end_ns * 1e-9

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that are read."""
        return tuple(file.path for file in self._files)

    def messages(self, topics: Collection[str] | None = None) -> Iterator[tuple[int, str, bytes]]:
        """Log time [ns], topic and data, by log time within each time line, ties by topic and sequence.

        A clock that ran back begins a new time line: its messages follow, with their own times.
        """
        wanted = None if topics is None else frozenset(topics)
        pending: list[Row] = []
        line = 0
        for piece in self._pieces:
            cut = 0
            if piece.line != line:
                cut, line = len(pending), piece.line
            elif pending and pending[0][0] < piece.start_ns:
                cut = bisect_left(pending, (piece.start_ns,))
            for log_ns, topic, _, _, _, data in pending[:cut]:
                yield log_ns, topic, _plain(data) if data.startswith(ZSTD_MAGIC) else data
            del pending[:cut]
            file = self._files[piece.file]
            rows = file.load(
                file.chunks[piece.chunk],
                None if piece.first or piece.stop is not None else wanted,
            )
            if piece.first or piece.stop is not None:
                rows = [row for row in rows[piece.first : piece.stop] if wanted is None or row[1] in wanted]
            pending += rows
            pending.sort()
            self._collect_warnings()
        for log_ns, topic, _, _, _, data in pending:
            yield log_ns, topic, _plain(data) if data.startswith(ZSTD_MAGIC) else data

    def _find_files(self) -> list[Path]:
        path = self.path
        where = str(path)
        try:
            where.encode()
        except UnicodeEncodeError:
            raise BagError(
                "its name is not valid UTF-8, so no report could name it",
                where=os.fsencode(path).decode("utf-8", errors="backslashreplace"),
                mend="rename it",
            ) from None
        if not path.exists():
            raise BagError(
                "there is no such file or folder",
                where=where,
                mend="give the path of a rosbag2 recording",
            )
        if path.is_file():
            if path.name == "metadata.yaml":
                raise BagError(
                    "this is the description of a bag",
                    where=where,
                    mend=f"give its folder {path.parent} instead",
                )
            beside = path.with_name("metadata.yaml")
            if beside.is_file():
                self._read_metadata(beside)
            return [path]
        if not path.is_dir():
            raise BagError("is a device or a pipe, no recording", where=where, mend="give a file or a folder")
        found = sorted(
            (item for item in path.iterdir() if re.search(r"\.(mcap|db3)(\.zstd)?$", item.name) and item.is_file()),
            key=lambda item: [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", item.name)],
        )
        listed: list[Path] = []
        if (path / "metadata.yaml").is_file():
            for name in self._read_metadata(path / "metadata.yaml"):
                # rosbag2 once wrote paths relative to the folder above; only the name is certain
                item = path / Path(name).name
                if len(os.fsencode(item.name)) <= NAME_MAX and item.is_file():
                    listed.append(item)
                else:
                    self.warnings.append(f"{item}: named in metadata.yaml, but missing; the other files are read")
        files = listed or found
        if not files:
            inner = sorted({item.parent.name for item in path.glob("*/*") if item.suffix in (".mcap", ".db3")})
            mend = f"give one of its folders: {', '.join(inner[:6])}" if inner else "give the folder of a recording"
            raise BagError("no .mcap or .db3 file is in it", where=where, mend=mend)
        return files

    def _read_metadata(self, path: Path) -> list[str]:
        import yaml

        try:
            # not libyaml, ten times as fast: a file nested deep enough ends its process
            document = yaml.safe_load(path.read_text(encoding="utf-8"))
            info = document["rosbag2_bagfile_information"]
            names = [name for name in info.get("relative_file_paths") or () if isinstance(name, str)]
            self.distro = str(info.get("ros_distro") or "")
            for item in info.get("topics_with_message_count") or ():
                about = item["topic_metadata"]
                self.serializations[str(about["name"])] = str(about.get("serialization_format") or "cdr")
        except (
            OSError,
            yaml.YAMLError,
            UnicodeDecodeError,
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            RecursionError,
        ) as error:
            self.warnings.append(
                f"{path}: not a bag's metadata ({type(error).__name__}); the files are read without it"
            )
            return []
        return names

    def _open(self, path: Path) -> None:
        if path.suffix == ".zstd":
            path = self._unpacked(path)
        with path.open("rb") as stream:
            magic = stream.read(16)
        if not magic:
            self._broken(path, "the file is empty (0 bytes)")
        elif magic.startswith(MCAP_MAGIC):
            self._files.append(_McapFile(path))
        elif magic == SQLITE_MAGIC:
            self._files.append(_SqliteFile(path))
        elif MCAP_MAGIC.startswith(magic) or SQLITE_MAGIC.startswith(magic):
            self._broken(path, f"only {len(magic)} bytes are left of it")
        elif magic.startswith(b"#ROSBAG V"):
            self._broken(path, "a ROS 1 bag", "convert it with `rosbags-convert`")
        else:
            self._broken(
                path,
                "neither MCAP nor SQLite3",
                "give a rosbag2 recording, or turn a video into one: adas ingest",
            )

    def _broken(self, path: Path, what: str, mend: str = "give a whole recording") -> None:
        error = BagError(what, where=str(path), mend=mend)
        if self.path.is_file():
            raise error
        self.warnings.append(error.line())

    def _unpacked(self, path: Path) -> Path:
        import zstandard

        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="adas-bag-")
        target = Path(self._folder.name) / path.stem
        left = max(UNPACKED_MIN, UNPACKED_RATIO * path.stat().st_size)
        with path.open("rb") as packed, target.open("wb") as plain:
            try:
                for part in zstandard.ZstdDecompressor().read_to_iter(packed):
                    left -= len(part)
                    if left < 0:
                        raise BagError(
                            f"unpacks to more than {UNPACKED_RATIO} times its size, which no recording does",
                            where=str(path),
                            mend="unpack it with `zstd -d` and look at what it is",
                        )
                    plain.write(part)
            except zstandard.ZstdError as error:
                self.warnings.append(f"{path}: its compression is damaged ({error}); the part before is read")
            except OSError as error:
                raise BagError(
                    f"cannot be unpacked into {target.parent} ({error.strerror})", where=str(path), mend="set TMPDIR"
                ) from error
        return target

    def _arrange(self) -> None:
        """Join the files' topics, find clocks that ran back, and put the chunks in order."""
        topics: dict[str, BagTopic] = {}
        for file in self._files:
            for name, topic in file.topics.items():
                known = topics.get(name)
                if known is None:
                    topics[name] = topic
                elif known.count is not None and topic.count is not None:
                    topics[name] = replace(known, count=known.count + topic.count)
        for name, serialization in self.serializations.items():
            if name in topics and serialization != "cdr":
                topics[name] = replace(topics[name], serialization=serialization)
        self._topics = dict(sorted(topics.items()))
        self._collect_warnings()
        if all(not file.chunks for file in self._files):
            reason = "; ".join(self.warnings)
            raise BagError(
                f"no message can be read from it{f' ({reason})' if reason else ''}",
                where=str(self.path),
                mend="the recording is empty: record again and look at `ros2 bag info`",
            )
        bad = {topic.serialization for topic in topics.values()} - {"cdr"}
        if bad and all(topic.serialization != "cdr" for topic in topics.values()):
            raise BagError(
                f"its messages are serialised as {', '.join(sorted(bad))}",
                where=str(self.path),
                mend="only cdr can be read: record with a DDS middleware, or convert with `ros2 bag convert`",
            )
        spans = [
            (min(c.start_ns for c in file.chunks), max(c.end_ns for c in file.chunks))
            for file in self._files
            if file.chunks
        ]
        by_time = sorted(spans)
        if all(first[1] <= second[0] + BACKWARD_NS for first, second in pairwise(by_time)):
            # the parts of a split bag, named in any order, do not overlap: no clock ran back between them
            self._files.sort(key=lambda file: min((c.start_ns for c in file.chunks), default=0))
        self._start_ns = min(span[0] for span in spans)
        self._end_ns = max(span[1] for span in spans)
        self._pieces = self._cut_time_lines()

    def _whole_chunks(self) -> list[_Piece] | None:
        """The chunks as they are, where the files' own indexes show that no clock ran back; `None`: look closer."""
        import numpy as np

        latest: dict[str, int] = {}
        pieces: list[_Piece] = []
        for number, file in enumerate(self._files):
            times = file.times()
            if times is None:
                return None
            for index, topics in enumerate(times):
                for topic, stamps in topics:
                    known = np.maximum.accumulate(np.maximum(stamps, latest.get(topic, 0)))
                    if (known - stamps > BACKWARD_NS).any():
                        return None
                    latest[topic] = int(known[-1])
                if topics:
                    start_ns = min(int(stamps.min()) for _, stamps in topics)
                    pieces.append(_Piece(0, start_ns, number, index, 0, None))
        return sorted(pieces)

    def _cut_time_lines(self) -> list[_Piece]:
        for number, file in enumerate(self._files):
            file.number = number
        chunks = [
            (number, index, chunk) for number, file in enumerate(self._files) for index, chunk in enumerate(file.chunks)
        ]
        is_ordered = all(first[2].end_ns <= second[2].start_ns + BACKWARD_NS for first, second in pairwise(chunks))
        size = sum(file.path.stat().st_size for file in self._files)
        if is_ordered and size > INDEX_PASS_MAX:
            return sorted(_Piece(0, chunk.start_ns, number, index, 0, None) for number, index, chunk in chunks)
        whole = self._whole_chunks()
        if whole is not None:
            return whole
        order: list[tuple[int, str, int, int]] = []  # log time, topic, chunk, place in the chunk
        for serial, (number, _, chunk) in enumerate(chunks):
            rows = self._files[number].load(chunk, None, with_data=False)
            order.extend((row[0], row[1], serial, place) for place, row in enumerate(rows))
        self._collect_warnings()
        cuts: dict[int, list[tuple[int, int]]] = {}
        jumps, late = _backward_jumps(order)
        for topic, late_ns in sorted(late.items()):
            self.warnings.append(
                f"{self.path}: topic {topic}: log times run back by up to {late_ns * 1e-9:.3f} s; its messages are "
                "taken in the order of their log times"
            )
        for at in jumps:
            _, _, serial, place = order[at]
            line = sum(len(found) for found in cuts.values()) + 1
            cuts.setdefault(serial, []).append((place, line))
            self.warnings.append(
                f"{self.path}: the recording's clock runs back by {(order[at - 1][0] - order[at][0]) * 1e-9:.3f} s "
                f"at log time {order[at - 1][0] * 1e-9:.3f} s; what follows is replayed as a new time line"
            )
        starts: dict[tuple[int, int], int] = {}
        pieces: list[_Piece] = []
        line = 0
        for log_ns, _, serial, place in order:
            first = max((cut for cut, _ in cuts.get(serial, ()) if cut <= place), default=0)
            key = (serial, first)
            starts[key] = min(starts.get(key, log_ns), log_ns)
        for serial, (number, index, _) in enumerate(chunks):
            edges = [(0, line), *cuts.get(serial, ())]
            for (first, of_line), after in zip(edges, [*edges[1:], None], strict=True):
                stop = after[0] if after is not None else None
                if (serial, first) in starts:
                    pieces.append(_Piece(of_line, starts[serial, first], number, index, first, stop))
                line = of_line
        return sorted(pieces)

    def _collect_warnings(self) -> None:
        for file in self._files:
            for line in file.warnings:
                if line not in self.warnings:
                    self.warnings.append(line)


def _backward_jumps(
    order: list[tuple[int, str, int, int]],
) -> tuple[list[int], dict[str, int]]:
    """Places in recording order at which the recorder's clock ran back; and topics out of order, by how much [ns].

    A bag that was written topic by topic goes back in file order too, and one sender may lag behind; a clock that ran
    back shows in most topics, each against its own last message.
    """
    jumps: list[int] = []
    late: dict[str, int] = {}
    last: dict[str, int] = {}
    for at, (log_ns, topic, _, _) in enumerate(order):
        known = last.get(topic)
        if known is not None and known - log_ns > BACKWARD_NS:
            if order[at - 1][0] - log_ns > BACKWARD_NS:
                following: dict[str, int] = {}
                for ahead in range(at, min(len(order), at + LOOK_AHEAD)):
                    if order[ahead][1] in last:
                        following.setdefault(order[ahead][1], order[ahead][0])
                        if len(following) == len(last):
                            break
                back = sum(1 for name, value in following.items() if last[name] - value > 0)
                if 2 * back > len(following):
                    jumps.append(at)
                    last = {topic: log_ns}
                    continue
            late[topic] = max(late.get(topic, 0), known - log_ns)
        last[topic] = max(log_ns, last.get(topic, log_ns))
    return jumps, late


def _full_name(name: str) -> str:
    """`pkg/msg/Type`, also where an old tool wrote `pkg/Type`."""
    parts = name.split("/")
    return f"{parts[0]}/msg/{parts[1]}" if len(parts) == 2 else name


def _plain(data: bytes) -> bytes:
    """A message's bytes, unpacked where rosbag2 compressed message by message; CDR never starts with zstd's magic."""
    if data[:4] != ZSTD_MAGIC:
        return data
    import zstandard

    try:
        out = zstandard.ZstdDecompressor().stream_reader(data).read(MESSAGE_MAX + 1)
        return b"" if len(out) > MESSAGE_MAX else out
    except zstandard.ZstdError:
        return b""  # refused, and counted, where it is decoded


Decode = Callable[[bytes], Any]


def oversize(definition: str) -> str:
    """Why a message definition is not read, `""` where it is: compiling one of 60,000 fields takes a quarter minute."""
    if len(definition) > DEFINITION_BYTES_MAX:
        return f"{len(definition)} bytes long, more than {DEFINITION_BYTES_MAX}"
    lines = sum(
        1 for line in definition.splitlines() if line.strip() and not line.lstrip().startswith(("#", "=", "//"))
    )
    return "" if lines <= DEFINITION_LINES_MAX else f"{lines} lines long, more than {DEFINITION_LINES_MAX}"


@lru_cache(maxsize=128)
def _embedded(kind: str, definition: str, encoding: str) -> Any:
    """The types of an embedded definition, compiled once however many recordings and topics have it."""
    from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore

    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_idl(definition) if encoding == "ros2idl" else get_types_from_msg(definition, kind))
    return store


def decoder(topic: BagTopic, definitions: Mapping[str, str], distro: str = "") -> Decode | str:
    """The function that turns a topic's bytes into a message object, or one clause that says why there is none.

    The definition that the recording embeds decides; else the one given in `definitions` (an input map's, or shipped);
    else the type as ROS 2 itself defines it.
    """
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore
    from rosbags.typesys.base import TypesysError

    if topic.serialization != "cdr":
        return f"serialised as {topic.serialization}, only cdr can be read"
    if not re.fullmatch(r"[A-Za-z]\w*/msg/\w+", topic.type):
        return f"unknown type {topic.type or '(none)'}"
    for definition in (topic.definition, definitions.get(topic.type, "")):
        if too_large := oversize(definition):
            return f"the definition of {topic.type} is {too_large}: no sensor's message is"
    stores = {"humble": Stores.ROS2_HUMBLE, "iron": Stores.ROS2_IRON}
    store = get_typestore(stores.get(distro, Stores.ROS2_JAZZY))
    try:
        if topic.definition and topic.encoding in ("ros2msg", "ros2idl", ""):
            store = _embedded(topic.type, topic.definition, topic.encoding)
        elif topic.type not in store.types:
            for name in sorted(definitions):
                if name not in store.types:
                    store.register(get_types_from_msg(definitions[name], name))
        if topic.type not in store.types:
            return f"unknown type {topic.type}: the bag embeds no definition of it"
        store.get_msgdef(topic.type)
    except (TypesysError, KeyError, ValueError) as error:
        return f"the definition of {topic.type} cannot be used ({type(error).__name__}: {error})"

    def decode(data: bytes) -> Any:
        return store.deserialize_cdr(data, topic.type)

    return decode
