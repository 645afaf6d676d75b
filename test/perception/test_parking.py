"""Parking bays from above: found where they are drawn, whichever way they lie, never free with a car in it."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from benchmark_modules import load
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.market import load_market
from adas_runtime.perception.parking import Ground, find_slots
from adas_runtime.signals import ParkingSlot, SlotKind

BAY = load_market("de").parking.bay


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return load("parking", monkeypatch)


@pytest.mark.parametrize(
    ("kind", "free_found", "false"), [("perpendicular", 0.85, 0.1), ("angled", 0.8, 0.5), ("parallel", 0.9, 0.1)]
)
@pytest.mark.parametrize("market", ["de", "us"])
def test_drawn_bays_are_found_and_none_is_free_with_a_car_in_it(
    figures: ModuleType, kind: str, market: str, free_found: float, false: float
) -> None:
    told = figures.figures(kind, market, 14)
    assert told["bays"] > 15 and told["free_found"] >= free_found, told
    assert told["false_per_picture"] <= false and told["corner_p90_m"] < 0.3, told
    assert told["free_though_taken"] == 0, told


def drawn(step_m: float = 2.4, depth_m: float = 5.0, *, brightness: int = 225, colour: bool = False) -> np.ndarray:
    """Three perpendicular bays to the right of the car, 0.025 m a pixel."""
    picture = np.full((640, 640, 3), 95, np.uint8)
    picture += np.random.default_rng(1).integers(0, 12, picture.shape[:2], np.uint8)[..., None]
    for number in range(4):
        row = round(160 + number * step_m / 0.025)
        hue = (brightness, 110, 40) if colour else (brightness,) * 3
        cv2.line(picture, (400, row), (round(400 + depth_m / 0.025), row), hue, 5)
    return picture


def found(picture: np.ndarray) -> tuple[ParkingSlot, ...]:
    return find_slots(picture, Ground.around(*picture.shape[:2], 0.025), BAY)


def test_three_bays_with_their_sizes_and_the_entrance_towards_the_car() -> None:
    slots = found(drawn())
    assert len(slots) == 3 and {slot.kind for slot in slots} == {SlotKind.PERPENDICULAR}
    for slot in slots:
        corners = np.array([(corner.x_m, corner.y_m) for corner in slot.corners])
        sides = np.hypot(*(np.roll(corners, -1, axis=0) - corners).T)
        assert sides == pytest.approx([2.4, 5.0, 2.4, 5.0], abs=0.25)
        assert np.abs(corners[:2, 1]).max() < np.abs(corners[2:, 1]).min(), "the entrance first"
        assert corners[:, 1].max() < 0.0, "right of the car"
        assert slot.is_free is True and not slot.is_reserved


def test_blue_paint_is_kept_for_some() -> None:
    slots = found(drawn(colour=True))
    assert len(slots) == 3 and all(slot.is_reserved for slot in slots)


@pytest.mark.parametrize("step_m", [1.5, 3.6], ids=["too narrow", "two bays wide"])
def test_what_no_bay_of_the_market_measures_is_none(step_m: float) -> None:
    assert found(drawn(step_m=step_m)) == ()


def test_paint_that_cannot_be_told_from_the_ground_bounds_nothing() -> None:
    assert found(drawn(brightness=100)) == ()


@settings(max_examples=20, deadline=None)
@given(quarter=st.integers(0, 3), is_mirrored=st.booleans(), moved=st.integers(-60, 60))
def test_turned_mirrored_or_moved_the_bays_are_the_same_ones(quarter: int, is_mirrored: bool, moved: int) -> None:
    picture = np.roll(drawn(), moved, axis=0)
    picture = picture[:, ::-1] if is_mirrored else picture
    slots = found(np.ascontiguousarray(np.rot90(picture, quarter)))
    if quarter % 2:  # separators along the way of the car bound no bay beside the road
        assert slots == ()
    else:
        assert len(slots) == 3
        areas = []
        for slot in slots:
            x, y = (np.array([getattr(corner, name) for corner in slot.corners]) for name in ("x_m", "y_m"))
            areas.append(0.5 * abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))))
        assert areas == pytest.approx([12.0] * 3, rel=0.1)


@pytest.mark.parametrize("shape", [(4, 4, 3), (700, 9, 3), (50, 50)], ids=["tiny", "narrow", "grey"])
def test_any_picture_has_an_answer(shape: tuple[int, ...]) -> None:
    picture = np.random.default_rng(3).integers(0, 255, shape, np.uint8)
    assert found(picture) == ()


def test_perceive_tells_bays_and_refuses_what_has_no_scale(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "above.png"
    cv2.imwrite(str(path), drawn())
    call = ["perceive", str(path), "--slots"]
    assert main([*call, "--scale", "0.025", "--json", "--overlay", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)
    assert [slot["kind"] for slot in told["slots"]] == ["perpendicular"] * 3
    assert cv2.imread(str(tmp_path / "out" / "above.overlay.jpg")).shape == (640, 640, 3)
    assert main([*call, "--scale", "0.025"]) == 0
    assert "3 bays (perpendicular), 3 free" in capsys.readouterr().out
    for options, word in (([], "add --scale"), (["--scale", "5"], "shows no painted line")):
        assert main([*call, *options]) == 2
        error = capsys.readouterr().err
        assert word in error and error.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (["--slots", "--scale", "0.025", "--corrupt", "rain"], "--corrupt"),
        (["--slots", "--scale", "0.025", "--overlay", "out", "--stills"], "--stills"),
        (["--slots", "--scale", "0.025", "--driver"], "--driver"),
        (["--driver", "--corrupt", "rain"], "--corrupt"),
        (["--driver", "--camera", "/camera/x"], "--camera"),
        (["--scale", "0.025"], "--scale"),
    ],
)
def test_an_option_without_effect_is_refused(
    options: list[str], named: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cv2.imwrite("a.png", drawn())
    assert main(["perceive", "a.png", *options]) == 2
    told = capsys.readouterr().err.splitlines()
    assert len(told) == 1 and named in told[0] and "Traceback" not in told[0]
