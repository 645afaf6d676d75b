"""A drive to disk: complete, split, cut by a kill, on a full disk."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from rosbags.highlevel import AnyReader

from adas_runtime.converter import check
from adas_runtime.interfaces import type_name
from adas_runtime.recorder.params import RecorderParams, load_recorder_params
from adas_runtime.recorder.writer import Attachment, DriveWriter, Recorded, Sink
from adas_runtime.replay.bag import Bag
from adas_runtime.replay.cdr import decoder, encoder
from adas_runtime.signals import VehicleState

TOPIC = "/vehicle/state"
KIND = type_name(VehicleState)


def params(**changed: float) -> RecorderParams:
    values = {**load_recorder_params().model_dump(), "keep_free_mb": 0.0, "retry_s": 0.05, **changed}
    return RecorderParams(**values)


def writer(folder: Path, given: RecorderParams) -> DriveWriter:
    from adas_runtime.interfaces import msg_definitions

    return DriveWriter(
        folder,
        [Recorded(name=TOPIC, type=KIND)],
        given,
        {"market": "de", "market_digest": "abc"},
        lambda name: msg_definitions()[name],
        [Attachment(name="market.json", media_type="application/json", data=b'{"market": "DE"}')],
    )


def state(index: int) -> tuple[int, bytes]:
    value = VehicleState(stamp_s=1000.0 + index * 0.01, speed_mps=10.0 + index * 1e-3)
    check(value)
    return round(value.stamp_s * 1e9), encoder(VehicleState)(value)


def offer(target: DriveWriter, first: int, number: int) -> None:
    for index in range(first, first + number):
        log_ns, data = state(index)
        target.offer(TOPIC, log_ns, log_ns - 1000, index, data)


def until(condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + 20.0
    while not condition():
        assert time.monotonic() < end_s, "did not happen in time"
        time.sleep(0.005)


def test_what_is_offered_is_read_back_by_us_and_by_rosbags(tmp_path: Path) -> None:
    target = writer(tmp_path, params())
    offer(target, 0, 500)
    target.close()
    with Bag(target.folder) as bag:
        rows = list(bag.messages())
        assert (
            not bag.warnings and bag.topics[TOPIC].type == KIND and "float64 speed_mps" in bag.topics[TOPIC].definition
        )
    assert [decoder(VehicleState)(data) for _, _, data in rows] == [
        decoder(VehicleState)(state(i)[1]) for i in range(500)
    ]
    with AnyReader([target.folder]) as reader:  # strict about metadata.yaml, as `ros2 bag`
        assert reader.message_count == 500
        connection = reader.connections[0]
        first = next(iter(reader.messages()))
        assert reader.deserialize(first[2], connection.msgtype).speed_mps == 10.0
    assert target.report.written == 500 and target.report.lost == 0


def test_market_and_digest_are_in_every_file_and_files_are_split(tmp_path: Path) -> None:
    from mcap.reader import make_reader

    target = writer(tmp_path, params(split_mb=0.002, flush_s=0.001))
    for first in range(0, 400, 100):
        offer(target, first, 100)
        until(lambda: target.report.written >= first + 100)  # noqa: B023
    target.close()
    files = sorted(target.folder.glob("*.mcap"))
    assert len(files) >= 2
    for path in files:
        with path.open("rb") as stream:
            reader = make_reader(stream)
            assert next(iter(reader.iter_metadata())).metadata["market_digest"] == "abc"
            assert next(iter(reader.iter_attachments())).name == "market.json"
    with Bag(target.folder) as bag:
        assert len(list(bag.messages())) == 400 and not bag.warnings


def test_a_kill_leaves_all_but_the_last_flush(tmp_path: Path) -> None:
    target = writer(tmp_path, params(flush_s=0.001))
    offer(target, 0, 300)
    until(lambda: target.report.written >= 300)
    offer(target, 300, 1)  # its turn flushes what came before
    until(lambda: target.report.bytes > 0 and target.report.written >= 301)
    copy = tmp_path / "killed"
    copy.mkdir()
    data = next(target.folder.glob("*.mcap")).read_bytes()  # what the kernel has when the process is gone
    (copy / "drive_0.mcap").write_bytes(data)
    target.close()
    with Bag(copy) as bag:
        assert len(list(bag.messages())) >= 300
        assert any("cut short" in text for text in bag.warnings)


def test_a_full_disk_costs_counted_messages_and_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = writer(tmp_path, params(flush_s=0.001))
    offer(target, 0, 100)
    until(lambda: target.report.written == 100)
    offer(target, 100, 1)
    until(lambda: target.report.written == 101)
    real = Sink.write

    def full(self: Sink, data: bytes) -> int:
        real(self, data[: len(data) // 2])  # a part still fits
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Sink, "write", full)
    offer(target, 101, 50)
    until(lambda: "No space left" in target.report.fault)
    assert target.report.lost > 0
    monkeypatch.setattr(Sink, "write", real)
    until(lambda: offer(target, 200, 1) or not target.report.fault)
    target.close()
    with Bag(target.folder) as bag:
        numbers = [round(decoder(VehicleState)(data).stamp_s * 100) - 100000 for _, _, data in bag.messages()]
    assert numbers[:100] == list(range(100)) and numbers[-1] == 200
    assert target.report.written == len(numbers)


def test_recording_pauses_before_the_disk_is_full(tmp_path: Path) -> None:
    target = writer(tmp_path, params(keep_free_mb=1e6))
    offer(target, 0, 10)
    until(lambda: target.report.lost == 10)
    assert target.report.fault.startswith("paused") and not list(target.folder.glob("*.mcap"))
    target.close()


def test_a_hanging_disk_never_stalls_whoever_offers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    freed = threading.Event()
    real = Sink.write
    monkeypatch.setattr(Sink, "write", lambda self, data: freed.wait(30.0) and real(self, data))
    target = writer(tmp_path, params(queue_mb=0.01))
    offer(target, 0, 1000)  # far more than the queue holds: comes back at once all the same
    assert target.report.lost > 0
    freed.set()
    target.close()
    assert target.report.written + target.report.lost == 1000


def test_a_recording_never_replaces_another(tmp_path: Path) -> None:
    folders = set()
    for _ in range(3):
        target = writer(tmp_path, params())
        folders.add(target.folder)
        target.close()
    assert len(folders) == 3
