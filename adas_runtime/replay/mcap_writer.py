"""Writing MCAP: chunks with their indexes, a summary, sums over both; the subset of the format that a recording needs.

`mcap.writer` packs a message field by field through a stream, 10 us each; a replay at 100 times real time writes 40,000
a second. Here a message is one `struct` call and two appends. All records that are rare are the library's own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Mapping
from typing import IO, TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mcap.records import Channel, ChunkIndex, MetadataIndex, Schema

MAGIC: Final = b"\x89MCAP0\r\n"
CHUNK_BYTES: Final = 1 << 20
MESSAGE, CHUNK, MESSAGE_INDEX, FOOTER = 0x05, 0x06, 0x07, 0x02
_MESSAGE_HEAD: Final = struct.Struct("<BQHIQQ")  # opcode, length, channel, sequence, log time, publish time
_MESSAGE_FIELDS: Final = 22  # bytes ahead of the data
_CHUNK_HEAD: Final = struct.Struct(
    "<BQQQQII4sQ"
)  # opcode, length, times, size, sum, compression, length of the records
_INDEX_HEAD: Final = struct.Struct("<BQHI")  # opcode, length, channel, bytes of the entries
_FOOTER_HEAD: Final = struct.Struct("<BQQQ")  # what the summary's sum covers of the footer


class McapWriter:
    """Writes one file; `finish` makes it complete and leaves the stream open."""

    def __init__(self, stream: IO[bytes], profile: str, library: str) -> None:
        import zstandard
        from mcap.records import Header

        self._stream = stream
        self._compress: Callable[[Any], bytes] = zstandard.ZstdCompressor().compress
        self._schemas: list[Schema] = []
        self._channels: list[Channel] = []
        self._chunks: list[ChunkIndex] = []
        self._metadata: list[MetadataIndex] = []
        self.counts: dict[int, int] = {}  # messages by channel; each is numbered by it, from 1
        self._chunk = bytearray()
        self._places: dict[int, list[int]] = {}  # channel -> log time, place in the chunk, log time, ...
        stream.write(MAGIC + _bytes(Header(profile=profile, library=library)))

    def add_metadata(self, name: str, entries: Mapping[str, str]) -> None:
        """Append named texts."""
        from mcap.records import Metadata, MetadataIndex

        data = _bytes(Metadata(name=name, metadata=dict(entries)))
        self._metadata.append(MetadataIndex(offset=self._stream.tell(), length=len(data), name=name))
        self._stream.write(data)

    def add_schema(self, name: str, encoding: str, data: bytes) -> int:
        """Describe a type; returns its number."""
        from mcap.records import Schema

        schema = Schema(id=len(self._schemas) + 1, data=data, encoding=encoding, name=name)
        self._schemas.append(schema)
        self._chunk += _bytes(schema)
        return schema.id

    def add_channel(self, topic: str, encoding: str, schema: int, metadata: Mapping[str, str]) -> int:
        """Describe a topic; returns its number."""
        from mcap.records import Channel

        number = len(self._channels) + 1
        channel = Channel(id=number, topic=topic, message_encoding=encoding, schema_id=schema, metadata=dict(metadata))
        self._channels.append(channel)
        self.counts[number] = 0
        self._chunk += _bytes(channel)
        return number

    @property
    def span_ns(self) -> tuple[int, int]:
        """First and last log time; complete once the file is finished."""
        first = min((chunk.message_start_time for chunk in self._chunks), default=0)
        return first, max((chunk.message_end_time for chunk in self._chunks), default=0)

    def add_message(self, channel: int, log_ns: int, data: bytes) -> None:
        """Append a message of a channel."""
        chunk = self._chunk
        sequence = self.counts[channel] = self.counts[channel] + 1
        places = self._places.get(channel)
        if places is None:
            places = self._places[channel] = []
        places += (log_ns, len(chunk))
        chunk += _MESSAGE_HEAD.pack(MESSAGE, _MESSAGE_FIELDS + len(data), channel, sequence, log_ns, log_ns)
        chunk += data
        if len(chunk) > CHUNK_BYTES:
            self._end_chunk()

    def finish(self) -> None:
        """Write what is left, and the summary."""
        from mcap.opcode import Opcode
        from mcap.records import DataEnd, Footer, Statistics, SummaryOffset

        self._end_chunk()
        self._stream.write(_bytes(DataEnd(0)))
        start = self._stream.tell()
        first_ns, last_ns = self.span_ns
        statistics = Statistics(
            attachment_count=0,
            channel_count=len(self._channels),
            channel_message_counts={number: count for number, count in self.counts.items() if count},
            chunk_count=len(self._chunks),
            message_count=sum(self.counts.values()),
            metadata_count=len(self._metadata),
            message_start_time=first_ns,
            message_end_time=last_ns,
            schema_count=len(self._schemas),
        )
        summary, offsets = b"", b""
        for opcode, records in (
            (Opcode.SCHEMA, self._schemas),
            (Opcode.CHANNEL, self._channels),
            (Opcode.STATISTICS, [statistics]),
            (Opcode.CHUNK_INDEX, self._chunks),
            (Opcode.METADATA_INDEX, self._metadata),
        ):
            group = b"".join([_bytes(record) for record in records])
            if group:
                at = start + len(summary)
                offsets += _bytes(SummaryOffset(group_opcode=opcode, group_start=at, group_length=len(group)))
            summary += group
        offsets_start = start + len(summary)
        summary += offsets
        footer = _FOOTER_HEAD.pack(FOOTER, 20, start, offsets_start)
        crc = zlib.crc32(footer, zlib.crc32(summary))
        self._stream.write(
            summary + _bytes(Footer(summary_start=start, summary_offset_start=offsets_start, summary_crc=crc)) + MAGIC
        )

    def _end_chunk(self) -> None:
        from mcap.records import ChunkIndex

        if not self._places:
            return  # descriptions alone wait for the first message, or are in the summary
        records = bytes(self._chunk)
        times = [time for places in self._places.values() for time in places[::2]]
        first, last = min(times), max(times)
        packed = self._compress(records)
        start = self._stream.tell()
        # times 16, size 8, sum 4, compression 4 + 4, length of the records 8
        length = 44 + len(packed)
        crc = zlib.crc32(records)
        self._stream.write(
            _CHUNK_HEAD.pack(CHUNK, length, first, last, len(records), crc, 4, b"zstd", len(packed)) + packed
        )
        indexes_start = self._stream.tell()
        indexes = bytearray()
        offsets: dict[int, int] = {}
        for channel, places in self._places.items():
            offsets[channel] = indexes_start + len(indexes)
            size = 8 * len(places)
            indexes += _INDEX_HEAD.pack(MESSAGE_INDEX, 6 + size, channel, size)
            indexes += struct.pack(f"<{len(places)}Q", *places)
        self._stream.write(indexes)
        self._chunks.append(
            ChunkIndex(
                message_start_time=first,
                message_end_time=last,
                chunk_start_offset=start,
                chunk_length=9 + length,
                message_index_offsets=offsets,
                message_index_length=len(indexes),
                compression="zstd",
                compressed_size=len(packed),
                uncompressed_size=len(records),
            )
        )
        self._chunk.clear()
        self._places.clear()


def _bytes(record: Any) -> bytes:
    """A record as the library writes it."""
    from mcap.data_stream import RecordBuilder

    builder = RecordBuilder()
    record.write(builder)
    return bytes(builder.end())  # type: ignore[no-untyped-call]
