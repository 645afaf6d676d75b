"""Stamps of another clock never pass for ages (the trap of sunnypilot's speed limits: an age of minus 1.7e9 s)."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
from foreign_drives import EPOCH_S, bound, each, fix, motion, odometry, states, write

from adas_runtime.inputs.binder import Binder, Feed
from adas_runtime.replay.engine import Job, run
from adas_runtime.replay.schema import read_summary

DRIVE = motion(12.0)


def split(seconds: float) -> tuple[int, int]:
    sec = math.floor(seconds)
    return sec, round((seconds - sec) * 1e9)


CLOCKS = {
    "unset": (lambda t: (0, 0), "unset"),
    "since_start": (lambda t: split(812.5 + t), "since its start"),
    "milliseconds": (lambda t: (int((EPOCH_S + t) * 1e3) % 2**31, 0), "against the recording's clock"),
    "an_hour_off": (lambda t: split(EPOCH_S + t - 3600.0), "-3600.000 s off"),
    "ahead": (lambda t: split(EPOCH_S + t + 7.25), "+7.250 s off"),
}


@pytest.mark.parametrize("name", CLOCKS)
def test_the_recordings_time_is_used_where_stamps_are_of_another_clock(tmp_path: Path, name: str) -> None:
    stamp, word = CLOCKS[name]
    path = write(tmp_path / "bag", {"/odom": each(DRIVE, lambda m: odometry(m, stamp=stamp))})
    found, signals, refusals = bound(path)
    assert not refusals
    assert word in found.feeds["/odom"].note
    assert any("log times are used" in text for text in found.warnings)
    for log_s, state in signals["/vehicle/state"]:
        assert state.stamp_s - EPOCH_S == pytest.approx(log_s, abs=1e-6)


@pytest.mark.parametrize("name", CLOCKS)
def test_a_producer_on_another_clock_is_neither_stale_nor_of_the_future(tmp_path: Path, name: str) -> None:
    """The whole way: recorded producer to consumer. The age guard must see the true age, whatever the epoch."""
    stamp, _ = CLOCKS[name]
    path = write(tmp_path / "bag", {"/odom": each(DRIVE, lambda m: odometry(m, stamp=stamp))})
    run(Job(bag=path, market="de", vehicle="reference", out=tmp_path / "out"))
    summary = read_summary(tmp_path / "out")
    assert summary.functions["lane_departure"].absent_s.get("vehicle", 0.0) < 0.2


def test_a_producer_that_falls_silent_becomes_absent_whatever_its_clock(tmp_path: Path) -> None:
    stamp = CLOCKS["since_start"][0]
    silent = [m for m in DRIVE if m.t_s < 6.0]
    topics = {
        "/odom": each(silent, lambda m: odometry(m, stamp=stamp)),
        "/fix": each(DRIVE, fix),
    }
    run(Job(bag=write(tmp_path / "bag", topics), market="de", vehicle="reference", out=tmp_path / "out"))
    summary = read_summary(tmp_path / "out")
    assert summary.functions["lane_departure"].absent_s["vehicle"] > 0.5


def test_a_steady_delay_is_taken_out_and_told(tmp_path: Path) -> None:
    late = [(m.t_s + 0.104 + 0.004 * math.sin(9.0 * m.t_s), odometry(m)) for m in DRIVE]
    found, signals, _ = bound(write(tmp_path / "bag", {"/odom": late}))
    assert any("steady 0.104 s behind" in text for text in found.warnings)
    for log_s, state in signals["/vehicle/state"]:
        assert state.stamp_s - EPOCH_S == pytest.approx(log_s, abs=0.01)


def test_latency_that_varies_is_latency_and_stays(tmp_path: Path) -> None:
    late = [(m.t_s + 0.12 + 0.1 * math.sin(9.0 * m.t_s), odometry(m)) for m in DRIVE]
    found, signals, _ = bound(write(tmp_path / "bag", {"/odom": late}))
    assert not found.warnings
    assert [round(t, 3) for t, _ in states(signals)] == [round(m.t_s, 3) for m in DRIVE]


def test_in_the_car_stamps_are_believed() -> None:
    """There a wrong stamp is a fault that the ages must show."""
    feed = Feed(topic="/odom", type="nav_msgs/msg/Odometry", feeds=("vehicle_state.speed_mps",), is_guessed=False)
    binder = Binder([feed], {}, trust_stamps=True)
    [(topic, state)] = binder.convert("/odom", odometry(DRIVE[100], stamp=lambda t: (5, 0)), EPOCH_S)
    assert (topic, state.stamp_s) == ("/vehicle/state", 5.0)


def test_a_message_without_a_stamp_gets_the_time_of_its_arrival() -> None:
    from foreign_drives import make

    from adas_runtime.inputs.feed import Link

    feed = Feed(
        topic="/speed",
        type="std_msgs/msg/Float32",
        feeds=("vehicle_state.speed_mps",),
        is_guessed=False,
        links=(Link(target="vehicle_state.speed_mps", path="data"),),
        converter="fields",
    )
    binder = Binder([feed], {}, trust_stamps=True)
    message: Any = make("std_msgs/msg/Float32", data=12.5)
    [(_, state)] = binder.convert("/speed", message, 77.0)
    assert (state.stamp_s, state.speed_mps) == (77.0, 12.5)
