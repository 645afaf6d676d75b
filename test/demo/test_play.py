"""What cannot be played is told before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
import replay_bags

from adas_runtime.cli import main
from adas_runtime.demo.playback import Told, cues
from adas_runtime.inputs.recording import open_recording
from adas_runtime.replay.bag import Bag

BEYOND_2038_S = 500e6  # after the epoch of the helper's drives


def test_stamps_that_the_clock_cannot_tell_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("rclpy")
    bag = replay_bags.write(tmp_path / "late", replay_bags.drive(0.2, from_s=BEYOND_2038_S))
    assert main(["play", str(bag), "--clock"]) == 2
    captured = capfd.readouterr()
    assert "beyond 2038" in captured.err and "without --clock" in captured.err and captured.err.count("\n") == 1


def test_an_input_map_that_is_none_is_told_before_anything_is_made(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--inputs", "nope", "--out", str(tmp_path / "out")]) == 2
    captured = capfd.readouterr()
    assert "no input map 'nope'" in captured.err and captured.err.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("choice", "kept"),
    [
        ({"only": frozenset({replay_bags.STATE})}, {replay_bags.STATE}),
        ({"without": frozenset({replay_bags.STATE})}, {replay_bags.DRIVER}),
    ],
)
def test_what_somebody_else_sends_is_left_out(
    choice: dict[str, frozenset[str]], kept: set[str], tmp_path: Path
) -> None:
    path = replay_bags.write(tmp_path / "drive", replay_bags.drive(0.2))
    with Bag(path) as bag:
        played = {cue.topic for cue in cues(bag, open_recording(bag), Told(), **choice)}  # type: ignore[arg-type]
    assert played == kept
