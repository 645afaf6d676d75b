"""Confidence falls before truth: weather, dirt and faults of the camera are told apart, and drives show none of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import cv2
import lane_drives as drives
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.perceive.corruptions import KINDS, Corruptor
from adas_runtime.perception import camera_health
from adas_runtime.perception.camera_health import Health, Trouble
from adas_runtime.perception.lane_function import LanePerception, LanePerceptionInputs, LanePerceptionOutputs
from adas_runtime.signals import CameraFrame, CameraId
from adas_runtime.signals import Health as FunctionHealth

FPS = 20.0


@pytest.fixture(scope="module")
def film() -> list[np.ndarray]:
    """Two seconds of a rendered drive."""
    made = drives.drive()
    return [drives.picture(made, index) for index in range(60, 100)]


def health(pictures: list[np.ndarray], start_s: float = 5.0) -> list[Health]:
    found, state = [], camera_health.START
    for number, picture in enumerate(pictures):
        one, state = camera_health.step(picture, start_s + number / FPS, state)
        found.append(one)
    return found


def test_a_drive_is_in_order_from_its_first_picture_on(film: list[np.ndarray]) -> None:
    told = health(film)
    assert {one.trouble for one in told} == {Trouble.NONE}
    assert min(one.factor for one in told) > 0.9


@pytest.mark.parametrize(
    ("kind", "severity", "wanted"),
    [
        ("blur", 0.5, {Trouble.BLURRED}),
        ("fog", 0.75, {Trouble.FOG}),
        ("glare", 1.0, {Trouble.GLARE}),
        ("night", 1.0, {Trouble.DARK}),
        ("dirt", 0.75, {Trouble.DIRTY}),
        ("covered", 0.5, {Trouble.DIRTY}),
        ("covered", 1.0, {Trouble.COVERED}),
        ("rain", 1.0, {Trouble.RAIN}),
        ("black", 0.4, {Trouble.MISSING}),
        ("frozen", 1.0, {Trouble.FROZEN}),
        ("shifted", 0.5, {Trouble.SHIFTED}),
    ],
    ids=lambda value: str(value) if not isinstance(value, set) else "",
)
def test_each_trouble_is_called_by_its_name(
    film: list[np.ndarray], kind: str, severity: float, wanted: set[Trouble]
) -> None:
    corruptor = Corruptor(kind, severity)
    told = health(film[:15] + [corruptor.step(picture) for picture in film[15:]])
    assert told[14] == Health() or told[14].factor > 0.9
    assert told[-1].trouble in wanted, Counter(one.trouble for one in told)
    assert told[-1].factor < 0.5 or told[-1].is_useless


@pytest.mark.parametrize("kind", KINDS)
def test_the_worse_the_picture_the_less_it_is_believed(film: list[np.ndarray], kind: str) -> None:
    def least(severity: float) -> float:
        corruptor = Corruptor(kind, severity)
        told = health(film[:10] + [corruptor.step(picture) for picture in film[10:]])
        return min(0.0 if one.is_useless else one.factor for one in told)

    factors = [least(severity) for severity in (0.0, 0.5, 1.0)]
    assert factors[0] > 0.9
    assert factors[2] < 0.5
    assert factors[0] >= factors[1] - 0.05 and factors[1] >= factors[2] - 0.05


def test_what_clears_is_forgotten_and_a_camera_that_goes_on_is_well_at_once(film: list[np.ndarray]) -> None:
    dirt = Corruptor("dirt", 0.8)
    told = health([dirt.step(picture) for picture in film[:20]] + film)
    assert told[19].trouble is Trouble.DIRTY and told[-1] == told[-1].__class__(Trouble.NONE, told[-1].factor)
    hung = health([*film[:5], *[film[5]] * 15, *film[6:10]])
    assert hung[19].trouble is Trouble.FROZEN
    assert hung[20].trouble is Trouble.NONE and hung[20].factor > 0.9


def test_a_bump_comes_back_and_is_no_knock(film: list[np.ndarray]) -> None:
    knock = Corruptor("shifted", 0.5)
    bump = [*film[:15], *[knock.step(picture) for picture in film[15:20]], *film[20:], *film]
    told = health(bump)
    assert told[17].factor == 0.0, "while it lasts nobody knows"
    assert {one.trouble for one in told} == {Trouble.NONE} and told[-1].factor > 0.9


@settings(max_examples=40, deadline=None)
@given(
    pictures=st.lists(
        hnp.arrays(np.uint8, st.sampled_from([(32, 32, 3), (90, 160, 3), (720, 40, 3), (48, 2000, 3)])), max_size=4
    ),
    stamps=st.lists(st.floats(-1e3, 1e10), min_size=4, max_size=4),
)
def test_whatever_comes_the_factor_is_one(pictures: list[np.ndarray], stamps: list[float]) -> None:
    state = camera_health.START
    for picture, stamp_s in zip(pictures, stamps, strict=False):
        one, state = camera_health.step(picture, stamp_s, state)
        assert 0.0 <= one.factor <= 1.0


# --- as the graph runs it ---------------------------------------------------------------------------------------------


def driven(perception: LanePerception, pictures: list[np.ndarray], start_s: float) -> list[LanePerceptionOutputs]:
    told = []
    for number, picture in enumerate(pictures):
        stamp_s = start_s + number / FPS
        frame = CameraFrame(
            stamp_s=stamp_s, camera=CameraId.FRONT, width_px=1280, height_px=720, encoding="bgr8",
            data=np.ascontiguousarray(picture).tobytes(),
        )  # fmt: skip
        told.append(perception.step(LanePerceptionInputs(frame=frame), stamp_s + 0.03))
    return told


@pytest.mark.parametrize(
    ("kind", "severity", "state"),
    [("frozen", 1.0, "frozen"), ("covered", 1.0, "covered"), ("black", 0.4, "missing"), ("shifted", 0.5, "shifted")],
)
def test_a_camera_of_no_use_shows_no_lane_says_why_and_comes_back(
    film: list[np.ndarray], kind: str, severity: float, state: str
) -> None:
    perception, corruptor = LanePerception(drives.detector()), Corruptor(kind, severity)
    before = driven(perception, film[:10], 5.0)
    assert before[-1].lanes is not None and len(before[-1].lanes.boundaries) >= 2
    during = driven(perception, [corruptor.step(picture) for picture in film[10:]], 5.5)
    lanes, status = during[-1].lanes, during[-1].status
    assert lanes is not None and lanes.boundaries == () and lanes.reason == status.reason != ""
    assert status.state == state and status.health is FunctionHealth.DEGRADED and not status.is_active
    after = driven(perception, [*film[::-1], *film], 7.0)
    assert after[-1].lanes is not None and len(after[-1].lanes.boundaries) >= 2
    assert after[-1].status.health is FunctionHealth.OK and after[-1].status.reason == ""


def test_a_dirty_windscreen_weighs_on_every_confidence_and_the_driver_is_told(film: list[np.ndarray]) -> None:
    corruptor = Corruptor("covered", 0.3)
    clean = driven(LanePerception(drives.detector()), film, 5.0)[-1]
    dirty = driven(LanePerception(drives.detector()), [corruptor.step(picture) for picture in film], 5.0)[-1]
    assert clean.lanes is not None and dirty.lanes is not None
    assert dirty.status.health is FunctionHealth.DEGRADED and "dirty" in dirty.status.reason
    surest = max(line.confidence for line in clean.lanes.boundaries)
    assert all(line.confidence < 0.6 * surest for line in dirty.lanes.boundaries)


# --- as people run it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("snow", "no corruption 'snow'; take one of blur"),
        ("rain:2", "is not between 0 and 1"),
        ("rain:x", "is no number"),
    ],
)
def test_a_corruption_that_is_none_is_refused_in_one_line(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: str, wanted: str
) -> None:
    with pytest.raises(AdasError):
        Corruptor.of(text)
    cv2.imwrite(str(tmp_path / "road.png"), np.zeros((90, 160, 3), np.uint8))
    assert main(["perceive", str(tmp_path / "road.png"), "--corrupt", text]) == 2
    error = capsys.readouterr().err
    assert wanted in error and error.count("\n") == 1


@pytest.mark.data
def test_no_real_road_is_taken_for_a_sick_camera(shared_data: Path) -> None:
    """Bridges, tree shadows, bright concrete, towns: no finding in any picture, of any camera."""
    found, looked = [], 0
    for name in ("lanes/udacity_p1", "lanes/udacity_advanced", "lanes/tusimple", "objects/kitti_nc"):
        for path in sorted((shared_data / name).rglob("*.[jp][pn]g")):
            if "camera_cal" in path.parts or path.stem.endswith(("_binary", "_instance")):
                continue
            looked += 1
            one = camera_health.alone(cv2.imread(str(path)))
            if one.trouble is not Trouble.NONE or one.factor < 0.85:
                found.append((path.name, one))
    assert looked > 70 and not found
