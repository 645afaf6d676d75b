"""Recorded people: eyes that close against hand-set labels, steering of real drives without a false alarm."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest
from driver_drives import context, look

from adas_runtime.driver_monitoring import eyes
from adas_runtime.driver_monitoring.drowsiness import Drowsiness, Inputs
from adas_runtime.signals import VehicleState

PARAMS = context().market.driver_monitoring


@pytest.mark.parametrize("rate_hz", [10.0, 20.0, 30.0])
def test_recorded_eyes_closures_are_found_with_their_length(shared_data: Path, rate_hz: float) -> None:
    """78 s of one person at 128 Hz, sampled as a camera would: each of 7 closures, no other, PERCLOS within a point."""
    folder = shared_data / "driver_monitoring"
    with (folder / "eye_state.csv").open(encoding="utf-8") as file:
        rows = [(float(row["t_s"]), row["eyes_closed"] == "1") for row in csv.DictReader(file)]
    with (folder / "eye_state.events.csv").open(encoding="utf-8") as file:
        truth = [(float(row["start_s"]), float(row["duration_s"])) for row in csv.DictReader(file)]
    reader = eyes.EyeReader(PARAMS.camera, PARAMS.drowsiness.eyes)
    kept, word = eyes.FRESH, look()
    found: list[list[float]] = []
    slept: list[float] = []
    closed = samples = 0
    next_s = 0.0
    for t_s, is_closed in rows:
        if t_s < next_s:
            continue
        next_s += 1.0 / rate_hz
        samples, closed = samples + 1, closed + is_closed
        former, now_s = kept, 100.0 + t_s
        kept = reader.step(kept, replace(word, stamp_s=now_s, eye_openness=0.05 if is_closed else 0.9), now_s)
        if kept.is_closed and not former.is_closed:
            found.append([t_s, t_s])
        if former.is_closed and found:
            found[-1][1] = t_s
        if reader.is_asleep(kept, now_s) and not reader.is_asleep(former, now_s - 1.0 / rate_hz):
            slept.append(t_s)
    assert len(found) == len(truth) == 7
    for (start_s, end_s), (true_s, length_s) in zip(found, truth, strict=True):
        assert abs(start_s - true_s) <= 1.0 / rate_hz + 0.01
        assert abs(end_s - start_s - length_s) <= 1.0 / rate_hz + 0.01
    long_ones = [true_s for true_s, length_s in truth if length_s >= PARAMS.drowsiness.eyes.microsleep_s]
    assert len(slept) == len(long_ones) == 6
    delays = [at_s - true_s for at_s, true_s in zip(slept, long_ones, strict=True)]
    assert max(delays) <= PARAMS.drowsiness.eyes.microsleep_s + 2.0 / rate_hz
    assert (kept.blinks, kept.closures) == (1, 6)
    assert closed / samples == pytest.approx(0.557, abs=0.01)


@pytest.mark.parametrize("part", [1, 2, 3])
def test_real_steering_of_attentive_drives_is_no_false_alarm(shared_data: Path, part: int) -> None:
    """18 min in California, the range opened to 30 km/h so that all of it counts; steering is all that is told."""
    path = shared_data / "vehicle_signals" / "udacity_ch2" / f"train_round2_part{part}.csv"
    own = PARAMS.drowsiness.model_copy(update={"from_kmh": 30.0, "until_kmh": 20.0})
    core = Drowsiness(PARAMS.model_copy(update={"drowsiness": own}))
    highest = 0.0
    start_ns = None
    with path.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            start_ns = int(row["timestamp_ns"]) if start_ns is None else start_ns
            now_s = 100.0 + (int(row["timestamp_ns"]) - start_ns) * 1e-9
            vehicle = VehicleState(
                stamp_s=now_s,
                speed_mps=float(row["speed_mps"]),
                steering_wheel_angle_rad=float(row["steering_angle_rad"]),
            )
            core.step(Inputs(vehicle=vehicle), now_s)
            highest = max(highest, core.state.score)
    assert core.state.driving.steered_s > 60.0
    assert core.state.warnings == 0
    assert highest < own.inform_score - 2.0
