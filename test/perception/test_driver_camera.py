"""The driver camera: what it tells of eyes, head and covers, and that it grows unsure before it is wrong."""

from __future__ import annotations

import itertools
import json
import math
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import cv2
import driver_pictures as pictures
import numpy as np
import pytest
from benchmark_modules import load
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.perception.driver.core import DriverWatcher, Seat, Watched, WatchState
from adas_runtime.perception.driver.function import SPEC, Inputs, seat_of
from adas_runtime.perception.driver.view import FROZEN_S
from adas_runtime.perception.models.driver import DriverNetworks
from adas_runtime.signals import CameraFrame, CameraId, DriverState, GazeZone, Health
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

SEEDS = range(6)
SURE = 0.4  # `driver_monitoring.camera.confidence_min` of the markets: a word with less counts for nothing
STEP_S = 0.05


@pytest.fixture(scope="module")
def reader() -> DriverNetworks:
    return DriverNetworks(("de",))


@pytest.fixture(scope="module")
def watcher(reader: DriverNetworks) -> DriverWatcher:
    return DriverWatcher(reader, Seat())


def alone(watcher: DriverWatcher, picture: np.ndarray | None) -> Watched:
    """What is seen in a picture that nothing came before."""
    return watcher.step(picture, 10.0, WatchState())[0]


def vehicle_with_camera(y_m: float = 0.0) -> Vehicle:
    """The reference vehicle with a camera on the dashboard that looks back at the driver."""
    car = load_vehicle("reference")
    told = car.cameras["front"].model_dump()
    told |= {"width_px": 640, "height_px": 400, "fx_px": 600.0, "fy_px": 600.0, "cx_px": 320.0, "cy_px": 200.0}
    told |= {"x_m": 1.3, "y_m": y_m, "z_m": 1.0, "pitch_deg": -5.0, "yaw_deg": 180.0}
    data = car.model_dump()
    data["cameras"]["driver"] = told
    return Vehicle.model_validate(data)


# --- eyes and head ----------------------------------------------------------------------------------------------------


def test_open_and_closed_eyes_are_told_apart(watcher: DriverWatcher) -> None:
    told = {
        openness: [alone(watcher, pictures.driver(seed, openness=openness)).driver.eye_openness for seed in SEEDS]
        for openness in (0.0, 0.9)
    }
    closed, opened = ([value for value in told[key] if value is not None] for key in (0.0, 0.9))
    assert len(closed) >= 5 and len(opened) >= 5
    assert max(closed) < min(opened)


@pytest.mark.parametrize("yaw_deg", [-45.0, -25.0, 0.0, 25.0, 45.0])
def test_the_head_s_turn_to_the_driver_s_left_is_positive(watcher: DriverWatcher, yaw_deg: float) -> None:
    """A face that points to the picture's right looks to the driver's left."""
    found = [alone(watcher, pictures.driver(seed, yaw_deg=yaw_deg)).driver.head_yaw_rad for seed in SEEDS]
    seen = [math.degrees(value) for value in found if value is not None]
    assert len(seen) >= 5
    assert float(np.median(seen)) == pytest.approx(yaw_deg, abs=10.0)


@pytest.mark.parametrize("pitch_deg", [-15.0, 0.0, 30.0])
def test_a_head_that_is_down_is_positive(watcher: DriverWatcher, pitch_deg: float) -> None:
    found = [alone(watcher, pictures.driver(seed, pitch_deg=pitch_deg)).driver.head_pitch_rad for seed in SEEDS]
    seen = [math.degrees(value) for value in found if value is not None]
    assert float(np.median(seen)) == pytest.approx(pitch_deg, abs=10.0)


@pytest.mark.parametrize("pitch_deg", [36.0, 42.0])
def test_a_head_that_hangs_is_not_told_to_be_level(watcher: DriverWatcher, pitch_deg: float) -> None:
    """Who sleeps hangs his head: what counts is at least half as far down as it is, else it is not sure enough."""
    told = [alone(watcher, pictures.driver(seed, pitch_deg=pitch_deg)).driver for seed in range(8)]
    counts = [one.head_pitch_rad for one in told if one.confidence >= SURE and one.head_pitch_rad is not None]
    assert sum(math.degrees(value) < 0.5 * pitch_deg for value in counts) <= 1


def test_angles_of_a_known_camera_count_from_the_car(reader: DriverNetworks) -> None:
    """A face at the picture's right that looks into a camera in the middle looks to the driver's right."""
    mounted = DriverWatcher(reader, seat_of(vehicle_with_camera(), "right"))
    one = pictures.head(0)
    right, left = (alone(mounted, pictures.shot((one, x, 130.0))).driver for x in (0.8, 0.2))
    assert right.head_yaw_rad is not None and left.head_yaw_rad is not None
    across_deg = math.degrees(math.atan(0.3 * 640 / 600.0))
    assert math.degrees(left.head_yaw_rad - right.head_yaw_rad) == pytest.approx(2.0 * across_deg, abs=12.0)


def test_a_zone_is_told_only_where_the_road_is_known(reader: DriverNetworks, watcher: DriverWatcher) -> None:
    picture = pictures.driver(0, yaw_deg=0.0, pitch_deg=-5.0)
    assert alone(watcher, picture).driver.gaze_zone is GazeZone.UNKNOWN
    mounted = DriverWatcher(reader, seat_of(vehicle_with_camera(0.4), "right"))
    assert alone(mounted, picture).driver.gaze_zone is GazeZone.ROAD
    shut = alone(mounted, pictures.driver(0, yaw_deg=0.0, pitch_deg=-5.0, openness=0.0)).driver
    assert shut.gaze_zone is not GazeZone.ROAD, "nobody looks at the road with closed eyes"


# --- what hides the driver --------------------------------------------------------------------------------------------


def test_sunglasses_hide_the_eyes_and_not_the_head(watcher: DriverWatcher) -> None:
    seen = [alone(watcher, pictures.driver(seed, has_sunglasses=True)) for seed in SEEDS]
    told = [one for one in seen if one.driver.is_face_visible]
    assert len(told) >= 5
    assert sum("sunglasses" in one.causes for one in told) >= len(told) - 1
    for one in told:
        if "sunglasses" in one.causes:
            assert one.driver.eye_openness is None and one.driver.is_hard_to_see
            assert one.driver.head_yaw_rad is not None


def test_bare_eyes_are_no_sunglasses(watcher: DriverWatcher) -> None:
    assert sum("sunglasses" in alone(watcher, pictures.driver(seed)).causes for seed in SEEDS) <= 1


def test_most_masks_are_told_and_bare_mouths_are_none(watcher: DriverWatcher) -> None:
    masked = [alone(watcher, pictures.driver(seed, has_mask=True)) for seed in SEEDS]
    told = [one for one in masked if "mouth_covered" in one.causes]
    assert len(told) >= 4 and all(one.driver.is_hard_to_see for one in told)
    assert sum("mouth_covered" in alone(watcher, pictures.driver(seed)).causes for seed in SEEDS) <= 1


def test_an_empty_seat_is_no_face(watcher: DriverWatcher) -> None:
    seen = alone(watcher, pictures.shot())
    assert not seen.driver.is_face_visible and not seen.driver.is_camera_covered
    assert seen.driver.head_yaw_rad is None and seen.driver.eye_openness is None


def test_a_hand_over_the_eyes_is_no_closed_eye(watcher: DriverWatcher) -> None:
    for seed in SEEDS:
        picture = pictures.driver(seed)
        face = alone(watcher, picture).face
        assert face is not None
        left, top, right, bottom = face.box_px
        row, high = round(face.points_px[0][1]), round(0.16 * (bottom - top))
        picture[row - high : row + high, round(left) - 12 : round(right) + 12] = 120
        noisy = np.clip(picture + np.random.default_rng(seed).normal(0, 1.5, picture.shape), 0, 255).astype(np.uint8)
        told = alone(watcher, noisy).driver
        assert told.eye_openness is None or told.confidence < SURE or told.eye_openness > 0.35


# --- the camera itself ------------------------------------------------------------------------------------------------


def test_a_frozen_picture_grows_unsure_and_is_then_a_covered_camera(watcher: DriverWatcher) -> None:
    state, told = WatchState(), []
    frozen = pictures.driver(0)
    for step in range(16):
        picture = pictures.driver(0, noise=step) if step < 3 else frozen
        seen, state = watcher.step(picture, step * STEP_S, state)
        told.append(seen.driver)
    still = told[3:]
    assert all(later.confidence <= earlier.confidence + 1e-9 for earlier, later in itertools.pairwise(still))
    assert len({item.frame for item in still}) == 1, "the number of the picture stands still"
    after = [item for step, item in enumerate(still) if step * STEP_S >= FROZEN_S]
    assert after and all(item.is_camera_covered and not item.is_face_visible for item in after)
    seen, _ = watcher.step(pictures.driver(0, noise=99), 17 * STEP_S, state)
    assert seen.driver.is_face_visible and not seen.driver.is_camera_covered, "a new picture is believed at once"


@pytest.mark.parametrize("level", [12.0, 90.0, 200.0])
def test_a_covered_lens_is_told_whatever_light_comes_through(watcher: DriverWatcher, level: float) -> None:
    glow = np.tile(np.linspace(0.9, 1.1, 640)[None], (400, 1)) * level
    picture = np.clip(glow + np.random.default_rng(1).normal(0, 2.0, glow.shape), 0, 255).astype(np.uint8)
    seen = alone(watcher, picture)
    assert seen.driver.is_camera_covered and not seen.driver.is_face_visible and seen.driver.confidence == 0.0
    assert seen.causes == ("covered",)


def test_a_cabin_without_light_is_no_covered_lens(watcher: DriverWatcher) -> None:
    picture = np.abs(np.random.default_rng(1).normal(0, 1.5, (400, 640))).astype(np.uint8)
    seen = alone(watcher, picture)
    assert seen.causes == ("dark",) and not seen.driver.is_camera_covered and seen.driver.is_hard_to_see


def test_a_blinded_camera_is_told(watcher: DriverWatcher) -> None:
    seen = alone(watcher, np.full((400, 640), 254, np.uint8))
    assert seen.causes == ("blinded",) and not seen.driver.is_camera_covered and seen.driver.confidence == 0.0


def test_a_plain_picture_of_a_driver_is_neither(watcher: DriverWatcher) -> None:
    for seed in SEEDS:
        driver = alone(watcher, pictures.driver(seed)).driver
        assert driver.is_face_visible and not driver.is_camera_covered


# --- two people -------------------------------------------------------------------------------------------------------


def test_of_two_faces_the_larger_one_is_the_driver_s(watcher: DriverWatcher) -> None:
    near, far = pictures.head(0), pictures.head(4)
    seen = alone(watcher, pictures.shot((near, 0.7, 130.0), (far, 0.2, 60.0)))
    assert seen.face is not None and 0.6 < (seen.face.box_px[0] + seen.face.box_px[2]) / 2 / 640 < 0.8


def test_of_two_alike_the_one_on_the_driver_s_side_counts_and_stays(reader: DriverNetworks) -> None:
    one, other = pictures.head(0), pictures.head(4)
    for side, x in (("right", 0.75), ("left", 0.25)):  # traffic keeps to the right: the wheel is at the left
        watcher, state = DriverWatcher(reader, seat_of(vehicle_with_camera(), side)), WatchState()
        for step in range(4):
            picture = pictures.shot((one, 0.25, 90.0), (other, 0.75, 90.0), seed=step)
            seen, state = watcher.step(picture, step * STEP_S, state)
            assert seen.face is not None
            assert (seen.face.box_px[0] + seen.face.box_px[2]) / 2 / 640 == pytest.approx(x, abs=0.08)


# --- unsure before wrong ----------------------------------------------------------------------------------------------


def _darker(picture: np.ndarray, share: float) -> np.ndarray:
    return picture * (1.0 - share)


def _blurred(picture: np.ndarray, share: float) -> np.ndarray:
    return cv2.GaussianBlur(picture, (0, 0), 0.1 + 25.0 * share)


def _noisy(picture: np.ndarray, share: float) -> np.ndarray:
    return picture + np.random.default_rng(3).normal(0.0, 1.0 + 120.0 * share, picture.shape)


def _glaring(picture: np.ndarray, share: float) -> np.ndarray:
    return picture + 400.0 * share * np.linspace(0.0, 1.0, picture.shape[1])[None]


def _half_black(picture: np.ndarray, share: float) -> np.ndarray:
    spoilt = picture.copy()
    spoilt[:, : round(share * picture.shape[1])] = 0.0
    return spoilt


def _shifted(picture: np.ndarray, share: float) -> np.ndarray:
    return np.roll(picture, round(share * picture.shape[0]), axis=0)


def _dirty(picture: np.ndarray, share: float) -> np.ndarray:
    spots = np.random.default_rng(5).random((10, 16)) < share
    mask = cv2.GaussianBlur(cv2.resize(spots.astype(np.float32), (picture.shape[1], picture.shape[0])), (0, 0), 6.0)
    return picture * (1.0 - mask) + 90.0 * mask


@pytest.mark.parametrize("spoil", [_darker, _blurred, _noisy, _glaring, _half_black, _shifted, _dirty])
@pytest.mark.parametrize("yaw_deg", [-30.0, 0.0, 30.0])
def test_a_spoilt_picture_grows_unsure_before_it_is_wrong(
    watcher: DriverWatcher, spoil: object, yaw_deg: float
) -> None:
    """Whatever is told with enough confidence to count is right: the head within 25 degrees, open eyes not closed."""
    wrong = []
    counted = 0
    for seed in SEEDS:
        clear = pictures.driver(seed, yaw_deg=yaw_deg).astype(np.float64)
        for share in (0.0, 0.1, 0.2, 0.35, 0.5, 0.7, 0.85, 0.95):
            picture = np.clip(spoil(clear, share), 0, 255).astype(np.uint8)  # type: ignore[operator]
            driver = alone(watcher, picture).driver
            if not driver.is_face_visible or driver.confidence < SURE:
                continue
            counted += 1
            assert driver.head_yaw_rad is not None
            if abs(math.degrees(driver.head_yaw_rad) - yaw_deg) > 25.0:
                wrong.append((seed, share, "head"))
            if driver.eye_openness is not None and driver.eye_openness < 0.2:
                wrong.append((seed, share, "eyes"))
    assert counted
    assert len(wrong) <= 0.08 * counted, wrong


@given(st.integers(0, 2**32 - 1), st.integers(1, 200), st.integers(1, 200), st.booleans(), st.floats(0.0, 1e9))
@settings(max_examples=60)
def test_any_picture_gives_a_word_inside_its_bounds(seed: int, rows: int, columns: int, grey: bool, t_s: float) -> None:
    random = np.random.default_rng(seed)
    shape = (rows, columns) if grey else (rows, columns, 3)
    picture = random.integers(0, 256, shape).astype(np.uint8)
    watcher = DriverWatcher(_reader(), Seat())
    seen, state = watcher.step(picture, t_s, WatchState())
    again, _ = watcher.step(picture, t_s, WatchState())
    assert seen.driver == again.driver, "the same picture, the same word"
    for item in (seen.driver, watcher.step(None, t_s + 1.0, state)[0].driver):
        assert 0.0 <= item.confidence <= 1.0
        numbers = [getattr(item, field.name) for field in fields(item)]
        assert all(math.isfinite(value) for value in numbers if isinstance(value, float))
        assert item.eye_openness is None or 0.0 <= item.eye_openness <= 1.0


_LOADED: list[DriverNetworks] = []


def _reader() -> DriverNetworks:
    if not _LOADED:
        _LOADED.append(DriverNetworks(("de",)))
    return _LOADED[0]


# --- as a function ----------------------------------------------------------------------------------------------------


def frame(data: bytes, stamp_s: float, camera: CameraId = CameraId.DRIVER) -> Inputs:
    return Inputs(
        frame=CameraFrame(stamp_s=stamp_s, camera=camera, width_px=640, height_px=400, encoding="png", data=data)
    )


def test_the_function_tells_each_picture_once_and_a_broken_one_as_unseen() -> None:
    core = SPEC.build(BuildContext(market=load_market("de"), vehicle=vehicle_with_camera()))
    data = cv2.imencode(".png", pictures.driver(0))[1].tobytes()
    first = core.step(frame(data, 1.0), 1.02)
    assert first.driver is not None and first.driver.is_face_visible and first.status.health is Health.OK
    assert core.step(frame(data, 1.0), 1.04).driver is None, "the same picture says nothing new"
    broken = core.step(frame(data[: len(data) // 3], 1.1), 1.12)
    assert broken.driver == DriverState(stamp_s=1.1, frame=first.driver.frame)
    assert broken.status.health is Health.DEGRADED and broken.status.reason == "unreadable"


def test_the_road_s_camera_is_no_driver_s() -> None:
    core = SPEC.build(BuildContext(market=load_market("de"), vehicle=vehicle_with_camera()))
    data = cv2.imencode(".png", pictures.driver(0))[1].tobytes()
    assert core.step(frame(data, 1.0, CameraId.FRONT), 1.02).driver is None


# --- from the command line --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve pictures: eyes open, then closed."""
    path = tmp_path_factory.mktemp("film") / "cabin.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 20.0, pictures.SIZE)
    for step in range(12):
        grey = pictures.driver(0, openness=0.9 if step < 6 else 0.0, noise=step)
        writer.write(cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR))
    writer.release()
    return path


def test_perceive_tells_the_driver_in_a_film(film: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perceive", str(film), "--driver", "--json"]) == 0
    told = [json.loads(line)["driver"] for line in capsys.readouterr().out.splitlines()]
    assert len(told) == 12 and all(item["is_face_visible"] for item in told)
    assert max(item["eye_openness"] for item in told[6:]) < min(item["eye_openness"] for item in told[:6])
    assert [item["angles_from"] for item in told] == ["camera"] * 12


def test_perceive_draws_the_driver(film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["perceive", str(film), "--driver", "--overlay", str(tmp_path / "out")]) == 0
    assert "a face in 100 %" in capsys.readouterr().out
    assert {path.suffix for path in (tmp_path / "out").iterdir()} == {".mp4", ".jpg"}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--vehicle", "reference"), "vehicle reference has no driver camera"),
        (("--camera", "/cabin"), "names a topic"),
        (("--stills",), "draws nothing without --overlay"),
    ],
    ids=["vehicle", "camera", "stills"],
)
def test_perceive_refuses_in_one_line(
    film: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], said: str
) -> None:
    assert main(["perceive", str(film), "--driver", *options]) == 2
    err = capsys.readouterr().err
    assert said in err and err.count("\n") == 1


def test_perceive_reads_no_driver_from_a_recording(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["synth", "--out", str(tmp_path / "drive"), "--seconds", "1"]) == 0
    capsys.readouterr()
    assert main(["perceive", str(tmp_path / "drive"), "--driver"]) == 2
    assert "never read from a recording" in capsys.readouterr().err


# --- recorded people --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    """The evaluation itself, as a user runs it."""
    with pytest.MonkeyPatch.context() as patch:
        return load("driver_camera", patch)


def test_a_recorded_head_that_turns_is_followed(reader: DriverNetworks, figures: ModuleType, shared_data: Path) -> None:
    """One person, 23 pictures labelled by hand: side, slight, front; nobody real was trained on."""
    found = figures.heads(reader, shared_data / "driver_monitoring")
    assert found["faces"] == found["pictures"] == 23
    assert found["off_by_more_than_one_word"] <= 1
    assert found["same_word"] >= 14
    yaw_deg = {label: float(np.median(values)) for label, values in found["yaw_deg_by_label"].items()}
    ranked = [yaw_deg[label] for label in figures.DIRECTIONS]
    assert ranked == sorted(ranked) and abs(yaw_deg["front"]) < 8.0


def test_a_recorded_face_s_closed_eyes_are_found(
    reader: DriverNetworks, figures: ModuleType, shared_data: Path
) -> None:
    """Another person, 62 pictures, to the front all the time; the eyes close in the last two."""
    found = figures.lids(reader, shared_data / "driver_monitoring")
    assert found["faces"] == found["pictures"] == 62
    assert found["closed_found"] == 2 and found["called_closed_wrongly"] <= 3
    assert found["open_median"] > 0.5
    assert all(abs(value) < 10 for value in found["head_deg"][0])
