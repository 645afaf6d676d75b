"""Live and replay side by side, and the move of stamps to now."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.demo.compare import Begun, Verdict, begun, latencies_s, pair_up, quantile, verdict
from adas_runtime.demo.playback import Pace, Told, as_compressed, cues
from adas_runtime.signals import ActuationCommand, Alert, AlertLevel, CameraFrame, CameraId, VehicleState


def alert(t_s: float, *, is_active: bool = True, code: str = "departure_left", author: str = "lane_departure") -> Alert:
    return Alert(
        stamp_s=100.0 + t_s,
        author=author,
        code=code,
        is_active=is_active,
        level=AlertLevel.WARNING,
        is_acoustic=True,
        since_s=100.0 + t_s,
        cause="",
    )


def at(t_s: float, code: str = "departure_left") -> Begun:
    return Begun(t_s=t_s, author="lane_departure", code=code)


def test_an_alert_counts_once_from_its_beginning_and_only_within_the_drive() -> None:
    told = [
        alert(-1.0, code="before"),
        alert(1.0),
        alert(1.1),
        alert(2.0, is_active=False),
        alert(3.0),
        alert(4.0, author="health"),  # tells of the recording's own start and end
        alert(5.0, code="isa_fault", author="isa"),  # counts from the graph's start, as health does
        alert(9.0, code="after"),
    ]
    assert [item.t_s for item in begun(told, 100.0, 108.0)] == pytest.approx([1.0, 3.0])


def test_missing_and_moved_alerts_are_seen() -> None:
    pairs = pair_up([at(1.0), at(5.0)], [at(1.2), at(8.0), at(5.1, "other")])
    assert [pair.is_same for pair in pairs] == [True, False, False, False]
    assert pairs[0].live == at(1.0) and pairs[0].replay == at(1.2)


def test_a_graph_that_got_the_drive_too_late_is_not_held_to_it() -> None:
    same, other = pair_up([at(1.0)], [at(1.1)]), pair_up([at(1.0)], [])
    assert verdict(same, late=9, lost=9) is Verdict.AGREE
    assert verdict(other, late=0, lost=0) is Verdict.DISAGREE
    assert verdict(other, late=1, lost=0) is verdict(other, late=0, lost=1) is Verdict.NOT_COMPARABLE


@given(
    live=st.lists(st.floats(0.0, 30.0), max_size=12),
    replay=st.lists(st.floats(0.0, 30.0), max_size=12),
)
def test_every_alert_is_shown_exactly_once(live: list[float], replay: list[float]) -> None:
    pairs = pair_up([at(t) for t in live], [at(t) for t in replay])
    assert sorted(p.live.t_s for p in pairs if p.live) == sorted(live)
    assert sorted(p.replay.t_s for p in pairs if p.replay) == sorted(replay)
    assert all(abs(p.live.t_s - p.replay.t_s) <= 0.5 for p in pairs if p.live and p.replay)


def test_latency_is_from_a_state_to_the_first_command_that_rests_on_it() -> None:
    def command(stamp_s: float, age_s: float | None, *, is_steering: bool = False) -> ActuationCommand:
        return ActuationCommand(
            stamp_s=stamp_s, author="envelope", counter=0, oldest_input_age_s=age_s, is_lateral_active=is_steering
        )

    states = [
        (10_000_000, VehicleState(stamp_s=0.01, speed_mps=1.0)),
        (20_000_000, VehicleState(stamp_s=0.02, speed_mps=1.0)),
    ]
    commands = [
        (5_000_000, command(0.005, None)),
        (12_000_000, command(0.012, 0.002)),
        (19_000_000, command(0.019, 0.009)),  # rests on the same state: no second answer
        (23_000_000, command(0.023, 0.003, is_steering=True)),  # the age of a picture that happens to be a state's
        (24_000_000, command(0.024, 0.004)),
    ]
    assert latencies_s(states, commands) == pytest.approx([0.002, 0.004])
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2.0 and quantile([], 0.5) is None


@given(
    rate=st.floats(0.1, 10.0),
    log_s=st.floats(1000.0, 2000.0),
    age_s=st.floats(-0.05, 0.5),
)
def test_stamps_move_to_now_and_ages_stay(rate: float, log_s: float, age_s: float) -> None:
    pace = Pace(begin_s=1000.0, start_s=5e8, rate=rate)
    signal = VehicleState(stamp_s=log_s - age_s, speed_mps=1.0)
    moved = pace.shifted(signal, log_s)
    assert pace.due_s(log_s) - moved.stamp_s == pytest.approx(age_s, abs=1e-6)
    assert pace.due_s(log_s) == pytest.approx(5e8 + (log_s - 1000.0) / rate, abs=1e-6)
    assert replace(pace, is_original=True).shifted(signal, log_s) == signal


@given(log_s=st.floats(0.0, 1e10), last_s=st.floats(0.0, 1e10), rate=st.floats(0.1, 10.0))
def test_nobody_waits_for_a_clock_that_jumped(log_s: float, last_s: float, rate: float) -> None:
    """A logger that got its time from the network mid-drive jumps by years; one that restarted runs back."""
    pace = Pace(begin_s=0.0, start_s=5e8, rate=rate)
    if pace.is_jump(last_s, log_s):
        pace = pace.after_jump(log_s, pace.due_s(last_s) + 1.0)
        assert pace.due_s(log_s) == pytest.approx(5e8 + last_s / rate + 1.0)
    else:
        assert -0.1 <= log_s - last_s <= 60.0


def test_a_raw_picture_travels_without_loss() -> None:
    import cv2
    import numpy as np

    picture = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
    frame = CameraFrame(
        stamp_s=1.0, camera=CameraId.FRONT, width_px=6, height_px=4, encoding="bgr8", data=picture.tobytes()
    )
    found = as_compressed(frame)
    assert found is not None and found[0] == "png"
    assert (cv2.imdecode(np.frombuffer(found[1], np.uint8), cv2.IMREAD_COLOR) == picture).all()


def test_a_foreign_recording_becomes_the_graphs_inputs(shared_data: Path) -> None:
    from adas_runtime.inputs.recording import open_recording
    from adas_runtime.replay.bag import Bag

    path = shared_data / "bags" / "comma2k19" if (shared_data / "bags" / "comma2k19").exists() else None
    found = path or next(iter(sorted((shared_data / "bags").rglob("metadata.yaml")))).parent
    with Bag(found) as bag:
        told = Told()
        topics = {cue.topic for cue in cues(bag, open_recording(bag), told, seconds=3.0)}
    assert topics and all(topic.startswith(("/vehicle/", "/pose/", "/camera/", "/radar/")) for topic in topics)
