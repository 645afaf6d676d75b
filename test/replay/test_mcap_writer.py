"""The file that a replay writes is what the MCAP library itself would read and write."""

from __future__ import annotations

from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import NonSeekingReader, SeekingReader
from mcap.writer import CompressionType, Writer

from adas_runtime.replay import mcap_writer
from adas_runtime.replay.mcap_writer import McapWriter

TOPICS = ("/vehicle/state", "/adas/envelope/command", "/überholt")
Row = tuple[int, int, bytes]  # topic, log time [ns], data

ROWS = st.lists(st.tuples(st.integers(0, len(TOPICS) - 1), st.integers(0, 2**63), st.binary(max_size=300)), max_size=40)


def write(rows: list[Row]) -> bytes:
    """A file of ours."""
    stream = BytesIO()
    writer = McapWriter(stream, profile="ros2", library="test")
    writer.add_metadata("notes", {"market": "de", "vehicle": "größer"})
    channels: dict[int, int] = {}
    for topic, log_ns, data in rows:
        if topic not in channels:
            schema = writer.add_schema(f"pkg/msg/Type{topic}", "ros2msg", b"float64 x")
            channels[topic] = writer.add_channel(TOPICS[topic], "cdr", schema, {"offered_qos_profiles": ""})
        writer.add_message(channels[topic], log_ns, data)
    writer.finish()
    return stream.getvalue()


def write_theirs(rows: list[Row]) -> bytes:
    """The same by the library."""
    stream = BytesIO()
    writer = Writer(stream, chunk_size=mcap_writer.CHUNK_BYTES, compression=CompressionType.ZSTD)
    writer.start(profile="ros2", library="test")
    writer.add_metadata("notes", {"market": "de", "vehicle": "größer"})
    channels: dict[int, int] = {}
    numbers: dict[int, int] = {}
    for topic, log_ns, data in rows:
        if topic not in channels:
            schema = writer.register_schema(f"pkg/msg/Type{topic}", "ros2msg", b"float64 x")
            channels[topic] = writer.register_channel(TOPICS[topic], "cdr", schema, {"offered_qos_profiles": ""})
        numbers[topic] = numbers.get(topic, 0) + 1
        writer.add_message(channels[topic], log_ns, data, log_ns, numbers[topic])
    writer.finish()  # type: ignore[no-untyped-call]
    return stream.getvalue()


@settings(max_examples=60)
@given(rows=ROWS, chunk_bytes=st.sampled_from([1, 200, 1000, 1 << 20]))
def test_the_library_reads_every_message_and_its_own_summary(rows: list[Row], chunk_bytes: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(mcap_writer, "CHUNK_BYTES", chunk_bytes)
        ours, theirs = write(rows), write_theirs(rows)
    for reader_type in (SeekingReader, NonSeekingReader):
        found, wanted = (
            [
                (channel.topic, schema.name if schema else "", message)
                for schema, channel, message in reader_type(BytesIO(data), validate_crcs=True).iter_messages(
                    log_time_order=False
                )
            ]
            for data in (ours, theirs)
        )
        assert sorted(found, key=lambda row: (row[0], row[2].sequence)) == sorted(
            wanted, key=lambda row: (row[0], row[2].sequence)
        )
    first, second = (SeekingReader(BytesIO(data), validate_crcs=True) for data in (ours, theirs))
    assert first.get_header() == second.get_header()
    assert list(first.iter_metadata()) == list(second.iter_metadata())
    one, other = first.get_summary(), second.get_summary()
    assert one is not None and other is not None
    assert one.schemas == other.schemas and one.channels == other.channels
    assert one.statistics is not None and other.statistics is not None
    one.statistics.chunk_count = other.statistics.chunk_count
    assert one.statistics == other.statistics


def test_is_byte_for_byte_what_the_library_writes_but_for_the_summary_of_attachments() -> None:
    rows = [(number % 3, number * 10_000_000, bytes([number % 251]) * 120) for number in range(2000)]
    ours, theirs = write(rows), write_theirs(rows)
    ours_data, theirs_data = (data[: data.index(b"\x0f\x04\x00\x00\x00\x00\x00\x00\x00")] for data in (ours, theirs))
    assert ours_data == theirs_data


def test_a_reader_finds_a_topic_and_a_stretch_by_the_index() -> None:
    rows = [(number % 3, number * 10_000_000, b"x" * 1000) for number in range(6000)]
    reader = SeekingReader(BytesIO(write(rows)), validate_crcs=True)
    summary = reader.get_summary()
    assert summary is not None and len(summary.chunk_indexes) > 3
    found = [
        message
        for _, _, message in reader.iter_messages([TOPICS[1]], starting_at=20_000_000_000, ending_before=21_000_000_000)
    ]
    assert [message.log_time for message in found] == [
        log_ns for topic, log_ns, _ in rows if topic == 1 and 20_000_000_000 <= log_ns < 21_000_000_000
    ]
    assert all(message.publish_time == message.log_time for message in found)
