"""Broken recordings: a clear word, the good part still replayed, nothing overwritten, no half folder left."""

from __future__ import annotations

import os
import shutil
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from mcap.reader import SeekingReader
from replay_bags import (
    DRIVER,
    EPOCH_NS,
    LANES,
    STATE,
    Row,
    drive,
    replay,
    row,
    stamp,
    storage_file,
    store,
    with_nan,
    write,
)
from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from adas_runtime.errors import BagError, ConfigError, SignalError
from adas_runtime.inputs.recording import reader_of
from adas_runtime.inputs.types import defined_types
from adas_runtime.replay.bag import MCAP_MAGIC, MESSAGE_MAX, Bag, BagTopic, decoder
from adas_runtime.replay.engine import Job, run
from adas_runtime.replay.mcap_writer import McapWriter
from adas_runtime.replay.schema import EventKind, Summary, read_events, read_summary
from adas_runtime.signals import DriverInput, VehicleState

SHORT_S = 4.0


@pytest.fixture(scope="module", params=[StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=["mcap", "sqlite3"])
def whole(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short drive's storage file."""
    return storage_file(write(tmp_path_factory.mktemp("whole") / "bag", drive(SHORT_S), request.param))


Message = tuple[int, str, bytes]


def _read(path: Path) -> tuple[list[Message], list[str]]:
    with Bag(path) as bag:
        return list(bag.messages()), bag.warnings


def _read_or_refusal(path: Path) -> tuple[list[Message], list[str]] | BagError:
    try:
        return _read(path)
    except BagError as error:
        return error


@given(
    steps=st.lists(st.sampled_from([0, 5, 40, 120, 900, -30, -120, -900]), min_size=1, max_size=60),
    topics=st.lists(st.sampled_from([STATE, DRIVER, LANES]), min_size=60, max_size=60),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_file_s_own_index_says_what_its_messages_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory, steps: list[int], topics: list[str]
) -> None:
    """With the index or by unpacking everything: the same messages, the same order, the same word on a clock."""
    monkeypatch.setattr("adas_runtime.replay.mcap_writer.CHUNK_BYTES", 300)  # many chunks
    path = tmp_path_factory.mktemp("index") / "a.mcap"
    with path.open("wb") as stream:
        writer = McapWriter(stream, profile="ros2", library="test")
        schema = writer.add_schema("std_msgs/msg/String", "ros2msg", b"string data")
        channels = {topic: writer.add_channel(topic, "cdr", schema, {}) for topic in (STATE, DRIVER, LANES)}
        log_ns = EPOCH_NS
        for step, topic in zip(steps, topics, strict=False):
            log_ns += step * 1_000_000
            writer.add_message(channels[topic], log_ns, str(log_ns).encode())
        writer.finish()
    by_index = _read(path)
    with monkeypatch.context() as patch:
        patch.setattr("adas_runtime.replay.bag._McapFile.times", lambda file: None)
        assert _read(path) == by_index


@pytest.mark.parametrize("damage", [b"\x00", b"\x07", b"\xff"])
def test_an_index_that_is_damaged_is_not_believed(tmp_path: Path, damage: bytes) -> None:
    path = storage_file(write(tmp_path / "bag", drive(SHORT_S), StoragePlugin.MCAP))
    whole = _read(path)
    data = bytearray(path.read_bytes())
    with path.open("rb") as stream:
        summary = SeekingReader(stream).get_summary()
    assert summary is not None
    index = summary.chunk_indexes[0]
    at = index.chunk_start_offset + index.chunk_length
    data[at : at + 100] = damage * 100
    path.write_bytes(data)
    assert _read(path) == whole


@settings(max_examples=25)
@given(share=st.floats(0.0, 0.9999))
def test_a_truncated_file_gives_its_beginning(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, share: float
) -> None:
    """Cut at any byte: refused in one line, or read up to a place, and that part is what was written."""
    data = whole.read_bytes()
    cut = tmp_path_factory.mktemp("cut") / whole.name
    cut.write_bytes(data[: int(share * len(data))])
    expected, _ = _read(whole)
    result = _read_or_refusal(cut)
    if isinstance(result, BagError):
        assert "\n" not in result.line()
        assert result.mend
        return
    found, warnings = result
    if whole.suffix == ".mcap":
        last_ns = found[-1][0] if found else 0  # of the last instant, a part may be lost
        assert [item for item in found if item[0] < last_ns] == [item for item in expected if item[0] < last_ns]
        assert set(found) <= set(expected)
    else:
        assert set(found) <= set(expected)  # the pages of a database lie in no order
    if len(found) < len(expected):
        assert any("cut short or damaged" in line for line in warnings), warnings


@settings(max_examples=25)
@given(place=st.floats(0.0, 0.9999), value=st.integers(0, 255))
@example(place=0.007997795146704748, value=2)  # the length of a chunk's first record
def test_a_damaged_byte_ends_in_no_traceback(
    whole: Path, tmp_path_factory: pytest.TempPathFactory, place: float, value: int
) -> None:
    data = bytearray(whole.read_bytes())
    data[int(place * len(data))] = value
    path = tmp_path_factory.mktemp("damaged") / whole.name
    path.write_bytes(data)
    result = _read_or_refusal(path)
    if isinstance(result, BagError):
        assert "\n" not in result.line()
    else:
        assert result[0], "one byte does not cost the whole recording"


@pytest.mark.parametrize("storage", [StoragePlugin.MCAP, StoragePlugin.SQLITE3], ids=["mcap", "sqlite3"])
@pytest.mark.parametrize("share", [0.35, 0.8])
def test_the_good_part_of_a_truncated_bag_is_replayed(tmp_path: Path, share: float, storage: StoragePlugin) -> None:
    bag = write(tmp_path / "bag", drive(), storage)
    file = storage_file(bag)
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    summary = read_summary(replay(bag, tmp_path / "out"))
    assert 1.0 < summary.duration_s < 12.0
    assert any("cut short or damaged" in line and "read up to" in line for line in summary.warnings)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda p: None, "there is no such file or folder"),
        (lambda p: p.mkdir(), "no .mcap or .db3 file is in it"),
        (lambda p: p.write_bytes(b""), "the file is empty"),
        (lambda p: p.write_bytes(b"\x89MCAP0\r\n"), "no message can be read"),
        (lambda p: p.write_bytes(b"\x89MC"), "only 3 bytes are left"),
        (lambda p: p.write_bytes(b"#ROSBAG V2.0\n" + bytes(99)), "a ROS 1 bag"),
        (lambda p: p.write_bytes(b"hello, this is no bag"), "neither MCAP nor SQLite3"),
        (lambda p: write(p, []), "no message can be read"),
        (lambda p: write(p, drive(1.0)) and (p / "metadata.yaml").rename(p.parent / "m"), ""),
    ],
    ids=["missing", "empty_folder", "empty_file", "only_magic", "magic_cut", "ros1", "text", "empty_bag", "no_yaml"],
)
def test_what_is_no_bag_is_refused(tmp_path: Path, make: Callable[[Path], object], reason: str) -> None:
    path = tmp_path / "given" / "bag"
    path.parent.mkdir()
    make(path)
    if not reason:
        assert read_summary(replay(path, tmp_path / "out")).duration_s > 0.9
        return
    with pytest.raises(BagError, match=reason) as caught:
        replay(path, tmp_path / "out")
    assert "\n" not in caught.value.line()
    assert caught.value.mend
    assert [p.name for p in tmp_path.iterdir()] == ["given"]


def _summary(tmp_path: Path, rows: list[Row]) -> Summary:
    return read_summary(replay(write(tmp_path / "bag", rows), tmp_path / "out"))


def test_a_missing_topic_is_absent_and_said(tmp_path: Path) -> None:
    summary = _summary(tmp_path, [item for item in drive() if item[1] != STATE])
    assert any("nothing in the bag feeds vehicle_state" in line for line in summary.warnings)
    assert summary.functions["lane_departure"].absent_s["vehicle"] == pytest.approx(11.9, abs=0.3)
    assert summary.functions["lane_departure"].alerts == 0


def test_stalks_that_are_not_recorded_do_not_silence_the_warning(tmp_path: Path) -> None:
    summary = _summary(tmp_path, drive(is_driver_told=False))
    assert summary.functions["lane_departure"].alerts == 1
    assert any("driver_input" in line for line in summary.warnings)


def test_values_that_are_no_number_are_counted_and_left_out(tmp_path: Path) -> None:
    rows = drive()
    broken = sum(item[1] == STATE for item in rows[::7])
    summary = _summary(tmp_path, list(with_nan(rows, every=7)))
    item = summary.inputs[STATE]
    assert (item.count, item.dropped) == (1200, broken)
    assert any(line.startswith(f"{STATE}: {broken} of 1200 messages refused") for line in summary.warnings)
    assert summary.functions["lane_departure"].alerts == 1


def test_bytes_that_are_no_message_are_counted_and_left_out(tmp_path: Path) -> None:
    rows = [
        (*item[:3], item[3][:9]) if item[1] == LANES and index % 4 == 0 else item for index, item in enumerate(drive())
    ]
    summary = _summary(tmp_path, rows)
    assert summary.inputs[LANES].dropped > 0
    assert any("cut short or damaged" in line for line in summary.warnings)


def test_a_type_of_ours_that_this_version_does_not_know_feeds_nothing(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", drive(SHORT_S))
    file = storage_file(bag)
    with_other_name = file.read_bytes().replace(b"adas_interfaces/msg/DriverInput", b"adas_interfaces/msg/DriverOther")
    if with_other_name == file.read_bytes():
        pytest.skip("the writer compressed the name")
    file.write_bytes(with_other_name)
    (bag / "metadata.yaml").unlink()
    summary = read_summary(replay(bag, tmp_path / "out"))
    assert summary.inputs[DRIVER].feeds == []
    assert any("driver_input" in line for line in summary.warnings)


def test_duplicates_change_no_alert(tmp_path: Path) -> None:
    once = _summary(tmp_path, drive())
    twice = read_summary(
        replay(write(tmp_path / "twice", [item for item in drive() for _ in range(2)]), tmp_path / "out2")
    )
    assert twice.functions["lane_departure"].alerts == once.functions["lane_departure"].alerts == 1
    assert twice.inputs[STATE].count == 2 * once.inputs[STATE].count


def test_a_gap_is_told_and_ends_the_warning(tmp_path: Path) -> None:
    rows = [item for item in drive(16.0) if not 6.5 < (item[0] - EPOCH_NS) * 1e-9 < 14.0]
    out = replay(write(tmp_path / "bag", rows), tmp_path / "out")
    assert read_summary(out).inputs[STATE].max_gap_s == pytest.approx(7.5, abs=0.1)
    events = list(read_events(out))
    assert any(e.kind is EventKind.INPUT and e.code == "gap" for e in events)
    ends = [e.t_s for e in events if e.kind is EventKind.ALERT_END and e.function == "lane_departure"]
    assert ends and ends[0] < 8.0, "a warning does not outlive its inputs"


def test_a_clock_that_runs_back_starts_a_new_time_line(tmp_path: Path) -> None:
    rows = drive(8.0) + drive(8.0, from_s=0.0)
    out = replay(write(tmp_path / "bag", rows), tmp_path / "out")
    summary = read_summary(out)
    assert any("clock runs back by" in line for line in summary.warnings)
    # both halves are whole drives: each is warned of once
    assert summary.functions["lane_departure"].alerts == 2
    assert any(e.code == "clock_jump" for e in read_events(out))


def test_a_clock_that_jumps_ahead_is_not_stepped_through(tmp_path: Path) -> None:
    rows = drive(4.0) + drive(4.0, from_s=90_000.0, drift_at_s=90_002.0)
    summary = _summary(tmp_path, rows)
    assert summary.duration_s == pytest.approx(90_004.0, abs=0.1)
    assert summary.decisions < 5_000, "a day without a message is not simulated"


def test_stamps_of_another_clock_are_told(tmp_path: Path) -> None:
    rows = [
        row(t_s, STATE, VehicleState(stamp_s=12.0 + t_s, speed_mps=25.0), log_s=t_s)
        for t_s in (index * 0.01 for index in range(400))
    ]
    summary = _summary(tmp_path, rows)
    assert any("against the recording's clock: log times are used" in line for line in summary.warnings)
    assert summary.functions["envelope"].absent_s.get("vehicle", 0.0) < 0.2


def test_messages_of_the_future_are_not_used(tmp_path: Path) -> None:
    """One stalk that claims to be 0.8 s ahead must not hold back a warning: it is not usable before its time."""
    rows = drive()
    ahead = [
        row(0.0, DRIVER, replace(DriverInput(stamp_s=0.0), stamp_s=stamp(t_s + 0.8)), log_s=t_s)
        for t_s in (index * 0.05 for index in range(240))
    ]
    rows = sorted([item for item in rows if item[1] != DRIVER] + ahead, key=lambda item: item[0])
    summary = _summary(tmp_path, rows)
    assert summary.functions["lane_departure"].alerts == 1
    assert summary.functions["lane_departure"].absent_s["driver"] > 10.0


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", drive(SHORT_S))
    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "thesis.txt").write_text("years of work")
    for force in (False, True):
        with pytest.raises(BagError):
            replay(bag, taken, force=force)
    with pytest.raises(BagError, match="exists already"):
        replay(bag, bag)
    with pytest.raises(BagError):
        replay(bag, bag / "metadata.yaml", force=True)
    assert (taken / "thesis.txt").read_text() == "years of work"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bag", "taken"]


def test_force_replaces_a_replay_but_not_the_recording(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", drive(SHORT_S))
    out = replay(bag, tmp_path / "out")
    with pytest.raises(BagError, match="exists already"):
        replay(bag, out)
    (out / "report.html").unlink()
    replay(bag, out, force=True)
    assert (out / "report.html").is_file()
    with pytest.raises(BagError, match="holds the recording itself"):
        replay(out, out, force=True, from_decision=True)
    shutil.copytree(bag, out / "recordings" / "bag")
    with pytest.raises(BagError, match="holds the recording itself"):
        replay(out / "recordings" / "bag", out, force=True)


def test_a_place_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", drive(1.0))
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(BagError, match="cannot be written"):
        replay(bag, tmp_path / "file" / "out")


def test_an_unknown_market_leaves_nothing(tmp_path: Path) -> None:
    bag = write(tmp_path / "bag", drive(1.0))
    with pytest.raises(Exception, match="nowhere"):
        replay(bag, tmp_path / "out", market="nowhere")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bag"]


def _zstd_frame(length: int) -> bytes:
    packer = zstandard.ZstdCompressor(level=1).compressobj()  # a frame that does not tell its length
    parts = [packer.compress(bytes(1 << 24)) for _ in range(length >> 24)]
    return b"".join((*parts, packer.flush()))


def _lz4_frame(length: int) -> bytes:
    packer = lz4.frame.LZ4FrameCompressor()
    return b"".join((packer.begin(), *(packer.compress(bytes(1 << 24)) for _ in range(length >> 24)), packer.flush()))


def _trap(compression: bytes, body: bytes, told: int) -> bytes:
    head = struct.pack("<QQQII", EPOCH_NS, EPOCH_NS, told, 0, len(compression)) + compression
    record = head + struct.pack("<Q", len(body)) + body
    return MCAP_MAGIC + struct.pack("<BQ", 6, len(record)) + record


def _open_in_little_memory(path: Path, more_mib: int = 1024) -> str:
    """What a process says to a recording when it may take so much memory and no more."""
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from adas_runtime.errors import BagError\n"
        "from adas_runtime.replay.bag import Bag\n"
        "pages = int(Path('/proc/self/statm').read_text().split()[0])\n"
        f"most = pages * resource.getpagesize() + ({more_mib} << 20)\n"
        "resource.setrlimit(resource.RLIMIT_AS, (most, most))\n"
        "try:\n"
        "    with Bag(Path(sys.argv[1])) as bag:\n"
        "        print(sum(1 for _ in bag.messages()), *bag.warnings)\n"
        "except BagError as error:\n"
        "    print(error.line())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr[-500:]
    return done.stdout


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (lambda: _trap(b"zstd", _zstd_frame(1 << 31), 100), "longer than it says"),
        (lambda: _trap(b"zstd", _zstd_frame(1 << 31), 1 << 50), "says it unpacks to"),
        (lambda: _trap(b"lz4", _lz4_frame(1 << 31), 100), "longer than it says"),
        (lambda: MCAP_MAGIC + struct.pack("<BQ", 6, 1 << 63) + bytes(64), "nothing in it can be read"),
    ],
    ids=["zstd", "zstd_huge", "lz4", "record_of_8_EiB"],
)
def test_a_small_file_that_unpacks_to_gigabytes_is_refused(
    tmp_path: Path, data: Callable[[], bytes], reason: str
) -> None:
    path = tmp_path / "trap.mcap"
    path.write_bytes(data())
    assert reason in _open_in_little_memory(path)


def test_a_record_longer_than_memory_is_passed_over(tmp_path: Path) -> None:
    """A hole of 60 GB in the middle: what lies before it is still read."""
    path = tmp_path / "hole.mcap"
    whole = storage_file(write(tmp_path / "bag", drive(1.0))).read_bytes()
    end = whole.index(b"\x0f" + struct.pack("<Q", 4))  # the data end record
    with path.open("wb") as stream:
        stream.write(whole[:end] + struct.pack("<BQ", 5, 60 << 30))
        stream.truncate(61 << 30)
    told = _open_in_little_memory(path)
    assert "is left out" in told
    assert int(told.split()[0]) == len(drive(1.0))


def test_a_packed_file_does_not_fill_the_disk(tmp_path: Path) -> None:
    path = tmp_path / "trap.mcap.zstd"
    path.write_bytes(_zstd_frame(1 << 27))
    with pytest.raises(BagError, match="unpacks to more than"):
        _read(path)


@pytest.mark.parametrize(
    "text", ["[" * 50_000, f"rosbag2_bagfile_information: {{relative_file_paths: [{'a' * 5000}]}}"]
)
def test_metadata_that_cannot_be_read_costs_no_recording(tmp_path: Path, text: str) -> None:
    bag = write(tmp_path / "bag", drive(1.0))
    (bag / "metadata.yaml").write_text(text)
    found, warnings = _read(bag)
    assert len(found) == len(drive(1.0))
    assert warnings


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE topics SET name = x'00ff' WHERE id = 1",
        "UPDATE topics SET type = x'00ff' WHERE id = 1",
        "UPDATE messages SET timestamp = -5 WHERE id = 1",
        f"UPDATE messages SET data = zeroblob({MESSAGE_MAX + 1}) WHERE id = 1",
    ],
    ids=["no_name", "type_of_bytes", "before_1970", "huge_message"],
)
def test_rows_that_no_recorder_writes_are_left_out(tmp_path: Path, change: str) -> None:
    bag = write(tmp_path / "bag", drive(1.0), StoragePlugin.SQLITE3)
    with sqlite3.connect(storage_file(bag)) as base:
        base.execute(change)
    base.close()
    found, warnings = _read(bag)
    assert 0 < len(found) < len(drive(1.0))
    assert any("left out" in line for line in warnings)


def test_pictures_in_a_database_are_not_held_at_once(tmp_path: Path) -> None:
    """Four thousand raw pictures are 24 GB: as many rows are held as are worth 64 MiB."""
    bag = write(tmp_path / "bag", drive(1.0), StoragePlugin.SQLITE3)
    with sqlite3.connect(storage_file(bag)) as base:
        base.execute("UPDATE messages SET data = zeroblob(4000000)")
    base.close()
    assert int(_open_in_little_memory(bag, more_mib=400).split()[0]) == len(drive(1.0))


def test_a_pipe_is_no_recording(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BagError, match="is a device or a pipe"):
        _read(tmp_path / "pipe")


def test_a_name_that_is_no_text_is_refused_in_one_line(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.mcap"))
    path.write_bytes(b"")
    with pytest.raises(BagError, match="not valid UTF-8") as caught:
        _read(path)
    assert caught.value.line().isprintable()


def test_a_message_shorter_than_its_definition_is_counted(tmp_path: Path) -> None:
    """Of a foreign type, read by the definition that the recording embeds."""
    types = store()
    bag = tmp_path / "bag"
    kind = "geometry_msgs/msg/TwistStamped"
    with Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection("/twist", kind, typestore=types)
        for index in range(200):
            sent = types.types[kind](
                header=types.types["std_msgs/msg/Header"](
                    stamp=types.types["builtin_interfaces/msg/Time"](sec=EPOCH_NS // 10**9, nanosec=index * 5_000_000),
                    frame_id="base",
                ),
                twist=types.types["geometry_msgs/msg/Twist"](
                    linear=types.types["geometry_msgs/msg/Vector3"](x=20.0, y=0.0, z=0.0),
                    angular=types.types["geometry_msgs/msg/Vector3"](x=0.0, y=0.0, z=0.0),
                ),
            )
            data = bytes(types.serialize_cdr(sent, kind))
            writer.write(connection, EPOCH_NS + index * 5_000_000, data + (b"\0" * 9 if index % 4 == 0 else b""))
    assert read_summary(replay(bag, tmp_path / "out")).inputs["/twist"].dropped == 50


def test_a_recording_without_times_is_replayed(tmp_path: Path) -> None:
    """Log times of zero, as a logger without a clock writes."""
    rows = [(0, *item[1:]) for item in drive(1.0)]
    assert read_summary(replay(write(tmp_path / "bag", rows), tmp_path / "out")).duration_s == 0.0


def test_what_another_replay_wrote_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    out = tmp_path / "out"

    def other(share: float) -> None:
        out.mkdir(exist_ok=True)
        (out / "summary.json").write_text("the other's")

    job = Job(bag=write(tmp_path / "bag", drive(2.0)), market="de", vehicle="reference", out=out)
    with pytest.raises(BagError, match="cannot be written"):
        run(job, other)
    assert (out / "summary.json").read_text() == "the other's"
    assert sorted(item.name for item in tmp_path.iterdir()) == ["bag", "out"]


def test_a_drive_of_another_version_is_read_by_its_own_definition(tmp_path: Path) -> None:
    """The fields of VehicleState stood in another order: each is found by its name, none is taken for another."""
    types = get_typestore(Stores.ROS2_JAZZY)
    kind = "adas_interfaces/msg/VehicleState"
    lines = str(store().generate_msgdef(kind, ros_version=2)[0]).splitlines()
    names = [line for line in lines if "=" not in line and line.strip()]
    types.register(get_types_from_msg("\n".join([*names[1:], names[0]]), kind))
    bag = tmp_path / "bag"
    current = store()
    with Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(STATE, kind, typestore=types)
        for log_ns, topic, _, data in drive(2.0):
            if topic == STATE:
                message = current.deserialize_cdr(data, kind)
                fields = [field[0] for field in current.fielddefs[kind][1]]
                moved = types.types[kind](**{name: getattr(message, name) for name in fields})
                writer.write(connection, log_ns, bytes(types.serialize_cdr(moved, kind)))
    with Bag(bag) as opened:
        read = reader_of(opened.topics[STATE], "", "")
        assert not isinstance(read, str)
        states = [read(data) for _, _, data in opened.messages()]
    assert len(states) == 200
    assert {state.speed_mps for state in states} == {25.0}


@pytest.mark.parametrize(
    ("gone", "is_read"), [(("has_brake", "brake"), True), (("speed_mps",), False)], ids=["may-be-unknown", "needed"]
)
def test_what_a_drive_of_an_earlier_version_could_not_tell_is_unknown_in_it(
    tmp_path: Path, gone: tuple[str, ...], is_read: bool
) -> None:
    types = get_typestore(Stores.ROS2_JAZZY)
    kind = "adas_interfaces/msg/VehicleState"
    lines = str(store().generate_msgdef(kind, ros_version=2)[0]).splitlines()
    types.register(
        get_types_from_msg("\n".join(line for line in lines if line.split()[-1:] not in [[n] for n in gone]), kind)
    )
    bag = tmp_path / "bag"
    current = store()
    with Writer(bag, version=9, storage_plugin=StoragePlugin.MCAP) as writer:
        connection = writer.add_connection(STATE, kind, typestore=types)
        for log_ns, topic, _, data in drive(1.0):
            if topic == STATE:
                message = current.deserialize_cdr(data, kind)
                fields = [field[0] for field in current.fielddefs[kind][1] if field[0] not in gone]
                former = types.types[kind](**{name: getattr(message, name) for name in fields})
                writer.write(connection, log_ns, bytes(types.serialize_cdr(former, kind)))
    with Bag(bag) as opened:
        read = reader_of(opened.topics[STATE], "", "")
        assert not isinstance(read, str)
        if is_read:
            states = [read(data) for _, _, data in opened.messages()]
            assert len(states) == 100 and {(state.speed_mps, state.brake) for state in states} == {(25.0, None)}
        else:
            with pytest.raises(SignalError, match="without the field speed_mps"):
                [read(data) for _, _, data in opened.messages()]


@pytest.mark.parametrize(
    ("encoding", "definition"),
    [
        ("ros2msg", "".join(f"float64 field_{number}\n" for number in range(60_000))),
        ("ros2msg", "# " + "long " * 200_000),
        (
            "ros2idl",
            "module huge { module msg { struct Thing {\n" + "double a;\n" * 60_000 + "}; }; };",
        ),
    ],
    ids=["60,000 fields", "a megabyte of comment", "idl"],
)
def test_a_definition_beyond_any_sensor_is_refused_unread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, definition: str
) -> None:
    """Compiling it would take a quarter minute; the rest of the recording is replayed."""

    def never(*_: object) -> None:
        raise AssertionError("compiled all the same")

    monkeypatch.setattr("rosbags.typesys.get_types_from_msg", never)
    monkeypatch.setattr("rosbags.typesys.get_types_from_idl", never)
    topic = BagTopic(name="/huge", type="huge/msg/Thing", definition=definition, encoding=encoding)
    assert "more than" in str(decoder(topic, {}))
    with pytest.raises(ConfigError, match="more than"):
        defined_types("huge/msg/Thing", definition)
    own = replace(topic, type="adas_interfaces/msg/VehicleState")
    if encoding == "ros2msg":
        assert "more than" in str(reader_of(own, "", ""))


def test_a_recording_with_a_huge_definition_is_replayed_without_that_topic(tmp_path: Path) -> None:
    path = tmp_path / "a.mcap"
    with path.open("wb") as stream:
        writer = McapWriter(stream, profile="ros2", library="test")
        huge = writer.add_schema("huge/msg/Thing", "ros2msg", b"".join(b"float64 f%d\n" % n for n in range(60_000)))
        other = writer.add_channel("/huge/speed", "cdr", huge, {})
        known = str(store().generate_msgdef("adas_interfaces/msg/VehicleState", ros_version=2)[0])
        schema = writer.add_schema("adas_interfaces/msg/VehicleState", "ros2msg", known.encode())
        channel = writer.add_channel(STATE, "cdr", schema, {})
        for log_ns, topic, _, data in drive(2.0):
            if topic == STATE:
                writer.add_message(channel, log_ns, data)
                writer.add_message(other, log_ns, bytes(16))
        writer.finish()
    summary = read_summary(replay(path, tmp_path / "out"))
    assert summary.inputs[STATE].count == 200
    assert summary.inputs["/huge/speed"].feeds == []
