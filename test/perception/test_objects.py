"""Road users from one camera: boxes in metres, what lowers confidence, tracks, what the one tracker makes of them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from operator import attrgetter
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from benchmark_modules import load
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.market import load_market
from adas_runtime.perception.camera import Camera, camera_of
from adas_runtime.perception.models.objects import ObjectFinder
from adas_runtime.perception.object_tracks import FRAMES_MIN, Tracks, as_objects, followed
from adas_runtime.perception.objects import Found, SeenObject, likeness, placed
from adas_runtime.perception.tracking.core import Inputs, Tracking
from adas_runtime.signals import ObjectClass, VehicleState
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive

X = attrgetter("x_m")


def camera_at(height_m: float = 1.4, *, pitch_deg: float = 0.0) -> Camera:
    return Camera(
        width_px=1280, height_px=720, fx_px=1100.0, fy_px=1100.0, cx_px=639.5, cy_px=359.5, x_m=1.8, z_m=height_m,
        pitch_rad=math.radians(pitch_deg),
    )  # fmt: skip


def box_of(
    camera: Camera, x_m: float, y_m: float, width_m: float, height_m: float
) -> tuple[float, float, float, float]:
    """The box of an upright board that stands across the road."""
    half = 0.5 * width_m
    corners = np.array([[x_m, y_m + side, z] for side in (-half, half) for z in (0.0, height_m)])
    low, high = camera.project(corners).min(axis=0) + 0.5, camera.project(corners).max(axis=0) + 0.5
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def found_at(
    camera: Camera, x_m: float, y_m: float = 0.0, *, size_m: tuple[float, float] = (1.8, 1.5), score: float = 0.9,
    kind: ObjectClass = ObjectClass.CAR,
) -> Found:  # fmt: skip
    return Found(object_class=kind, box_px=box_of(camera, x_m, y_m, *size_m), score=score)


# --- from a box to metres ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x_m", "y_m"), [(8.0, 0.0), (20.0, 3.5), (45.0, -3.5), (80.0, 7.0)])
@pytest.mark.parametrize("pitch_deg", [-2.0, 0.0, 3.0])
def test_a_foot_on_flat_ground_is_a_place(x_m: float, y_m: float, pitch_deg: float) -> None:
    camera = camera_at(pitch_deg=pitch_deg)
    seen = placed(found_at(camera, x_m, y_m), camera, like=1.0, is_measured=True)
    assert seen.x_m == pytest.approx(x_m - 0.6, rel=1e-6), "its bumper is nearer than its wheel"
    walker = placed(found_at(camera, x_m, y_m, kind=ObjectClass.PEDESTRIAN), camera, like=1.0, is_measured=True)
    assert walker.x_m == pytest.approx(x_m, rel=1e-6)
    assert seen.y_m == pytest.approx(y_m, abs=0.03), "a board seen from above is a little askew"
    assert seen.range_m == pytest.approx(math.hypot(x_m - camera.x_m, y_m), rel=1e-4)
    assert seen.width_m == pytest.approx(1.8, rel=0.06) and seen.height_m == pytest.approx(1.5, rel=0.06)
    assert seen.confidence == pytest.approx(0.9, abs=0.01), "nothing speaks against it"


def test_farther_is_less_sure_and_an_unmeasured_camera_far_less() -> None:
    camera = camera_at()
    stds = []
    for x_m in (10.0, 20.0, 40.0, 80.0):
        seen = placed(found_at(camera, x_m), camera, like=1.0, is_measured=True)
        guessed = placed(found_at(camera, x_m), camera, like=1.0, is_measured=False)
        assert seen.range_std_m is not None and guessed.range_std_m is not None
        assert guessed.range_std_m > 2.0 * seen.range_std_m or x_m < 20.0
        stds.append(seen.range_std_m)
    assert stds == sorted(stds) and stds[-1] > 10.0 * stds[0], "flat ground is worth little far ahead"


def test_the_standard_deviation_covers_a_car_that_nods() -> None:
    camera = camera_at()
    for nod_deg in (-0.4, 0.4):
        seen = placed(found_at(camera_at(pitch_deg=nod_deg), 40.0), camera, like=1.0, is_measured=True)
        assert seen.x_m is not None and seen.range_std_m is not None
        assert abs(seen.x_m + 0.6 - 40.0) < 1.5 * seen.range_std_m


def test_a_box_in_the_sky_has_no_metres_and_is_believed_less() -> None:
    camera = camera_at()
    seen = placed(
        Found(object_class=ObjectClass.CAR, box_px=(600.0, 100.0, 700.0, 180.0), score=0.9), camera, like=1.0,
        is_measured=True,
    )  # fmt: skip
    assert seen.x_m is None and seen.range_m is None
    assert seen.confidence < 0.5


@pytest.mark.parametrize(
    ("kind", "size_m"),
    [
        pytest.param(ObjectClass.CAR, (0.5, 0.4), id="a box on the road is no car"),
        pytest.param(ObjectClass.PEDESTRIAN, (2.0, 5.0), id="a tree is nobody"),
        pytest.param(ObjectClass.CYCLIST, (2.0, 4.0), id="a hoarding rides no bicycle"),
    ],
)
def test_who_would_be_too_low_or_too_tall_is_believed_less(kind: ObjectClass, size_m: tuple[float, float]) -> None:
    camera = camera_at()
    seen = placed(found_at(camera, 15.0, size_m=size_m, kind=kind), camera, like=1.0, is_measured=True)
    assert seen.confidence < 0.3


def test_who_is_cut_off_below_is_told_so_and_is_unsure() -> None:
    camera = camera_at()
    seen = placed(
        Found(object_class=ObjectClass.CAR, box_px=(300.0, 300.0, 900.0, 720.0), score=0.9), camera, like=1.0,
        is_measured=True,
    )  # fmt: skip
    assert seen.is_cut and seen.range_std_m is not None and seen.range_std_m > 1.9


@settings(max_examples=200, deadline=None)
@given(
    box=st.tuples(st.floats(-50, 1330), st.floats(-50, 770), st.floats(0, 800), st.floats(0, 600)),
    score=st.floats(0, 1),
    like=st.floats(0, 1),
    kind=st.sampled_from([ObjectClass.CAR, ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST]),
)
def test_any_box_gives_numbers_and_never_more_confidence_than_its_score(
    box: tuple[float, float, float, float], score: float, like: float, kind: ObjectClass
) -> None:
    left, top, wide, high = box
    one = Found(object_class=kind, box_px=(left, top, left + wide, top + high), score=score)
    seen = placed(one, camera_at(), like=like, is_measured=True)
    assert 0.0 <= seen.confidence <= score
    for value in (seen.x_m, seen.y_m, seen.range_m, seen.range_std_m, seen.y_std_m, seen.width_m, seen.height_m):
        assert value is None or math.isfinite(value)


# --- pictures unlike those it learnt from -----------------------------------------------------------------------------


def street() -> np.ndarray:
    """A bright road with edges and textures of many kinds."""
    random = np.random.default_rng(5)
    picture = np.full((360, 640, 3), (200, 180, 160), np.uint8)
    picture[180:] = (90, 95, 92)
    for _ in range(250):
        x, y = int(random.uniform(0, 600)), int(random.uniform(100, 330))
        tone = tuple(int(v) for v in random.uniform(10, 240, 3))
        cv2.rectangle(picture, (x, y), (x + 25, y + 25), tone, -1)
    return np.clip(picture + random.normal(0, 25, picture.shape), 0, 255).astype(np.uint8)


def test_night_fog_and_blur_are_unlike_what_was_learnt() -> None:
    clear = street()
    assert likeness(clear) == 1.0
    assert likeness(cv2.cvtColor(clear, cv2.COLOR_BGR2GRAY)) == 1.0
    night = (clear * 0.03).astype(np.uint8)
    fog = (clear * 0.08 + 190).astype(np.uint8)
    blurred = cv2.GaussianBlur(clear, (0, 0), 4)
    half = clear.copy()
    half[:, :320] = 0
    covered = np.zeros_like(clear)
    assert likeness(night) < 0.4 and likeness(fog) < 0.5 and likeness(blurred) < 0.4 and likeness(half) < 0.4
    assert likeness(covered) == 0.0


def test_an_unlikely_picture_lowers_confidence_and_moves_nothing() -> None:
    camera = camera_at()
    clear = placed(found_at(camera, 20.0), camera, like=1.0, is_measured=True)
    dark = placed(found_at(camera, 20.0), camera, like=0.3, is_measured=True)
    assert dark.confidence < 0.6 * clear.confidence
    assert (dark.x_m, dark.y_m) == (clear.x_m, clear.y_m)


# --- over several pictures --------------------------------------------------------------------------------------------


def drive_up(
    *, closing_mps: float = 5.0, own_mps: float = 0.0, count: int = 40, kinds: list[ObjectClass] | None = None,
    period_s: float = 0.05, missed: frozenset[int] = frozenset(),
) -> tuple[Tracks, list[int]]:  # fmt: skip
    """A car straight ahead that comes nearer from 40 m."""
    camera, tracks, numbers = camera_at(), Tracks(), []
    for index in range(count):
        seen: list[SeenObject] = []
        if index not in missed:
            kind = kinds[index] if kinds else ObjectClass.CAR
            one = found_at(camera, 40.0 - closing_mps * index * period_s, kind=kind)
            seen = [placed(one, camera, like=1.0, is_measured=True)]
        tracks, told = followed(tracks, seen, 100.0 + index * period_s, own_mps=own_mps)
        numbers += [track.number for track in told]
    return tracks, numbers


def test_a_car_that_comes_nearer_is_one_track_with_its_speed() -> None:
    tracks, numbers = drive_up(count=60)
    assert set(numbers) == {1}
    [track] = tracks.items
    assert track.is_confirmed and track.ahead is not None
    assert -track.ahead[1] == pytest.approx(5.0, abs=1.0)
    assert track.ahead[0] == pytest.approx(39.4 - 5.0 * 59 * 0.05, abs=0.7)


def test_with_our_own_speed_the_speed_is_over_ground() -> None:
    tracks, _ = drive_up(count=60, own_mps=20.0)
    [car] = as_objects(tracks, tracks.stamp_s or 0.0).objects
    assert car.speed_x_mps == pytest.approx(15.0, abs=1.0)


def test_nobody_is_believed_before_three_pictures_and_who_vanishes_is_forgotten() -> None:
    tracks, _ = drive_up(count=FRAMES_MIN - 1)
    assert not as_objects(tracks, tracks.stamp_s or 0.0).objects
    tracks, _ = drive_up(count=40, missed=frozenset(range(20, 40)))
    assert not tracks.items


def test_a_picture_without_it_keeps_the_number_and_lowers_the_confidence() -> None:
    tracks, numbers = drive_up(count=20, missed=frozenset({12, 13}))
    assert set(numbers) == {1}
    gap, _ = drive_up(count=14, missed=frozenset({12, 13}))
    assert gap.items[0].confidence < 0.5 * tracks.items[0].confidence
    assert not as_objects(gap, gap.stamp_s or 0.0).objects, "an unseen one is not told as seen"


def test_a_class_that_flickers_is_held() -> None:
    kinds = [ObjectClass.CAR] * 10 + [ObjectClass.CYCLIST] + [ObjectClass.CAR] * 9
    tracks, numbers = drive_up(count=20, kinds=kinds)
    assert set(numbers) == {1} and tracks.items[0].object_class is ObjectClass.CAR
    flicker, _ = drive_up(count=11, kinds=kinds)
    assert flicker.items[0].object_class is ObjectClass.CAR


def test_two_beside_each_other_keep_their_numbers_in_any_order() -> None:
    camera, tracks = camera_at(), Tracks()
    pair = [placed(found_at(camera, 25.0, y), camera, like=1.0, is_measured=True) for y in (-1.5, 1.5)]
    told: list[list[int]] = []
    for index in range(6):
        tracks, now = followed(tracks, pair if index % 2 else pair[::-1], index * 0.05)
        by_side = sorted(now, key=lambda track: track.across[0] if track.across else 0.0)
        told.append([track.number for track in by_side])
    assert all(row == told[0] for row in told) and len(set(told[0])) == 2


@pytest.mark.parametrize("jump_s", [-5.0, 30.0], ids=["clock runs back", "gap"])
def test_a_jump_of_the_clock_begins_afresh_under_new_numbers(jump_s: float) -> None:
    tracks, _ = drive_up(count=10)
    camera = camera_at()
    seen = [placed(found_at(camera, 39.0), camera, like=1.0, is_measured=True)]
    tracks, told = followed(tracks, seen, 100.0 + jump_s)
    assert [track.number for track in tracks.items] == [told[0].number] and told[0].frames == 1
    assert told[0].number > 1


def test_the_one_tracker_takes_the_camera_as_a_supplier() -> None:
    params = load_market("de").tracking
    core, camera, tracks = Tracking(params), camera_at(), Tracks()
    said = None
    for index in range(30):
        stamp_s = 50.0 + 0.05 * index
        one = found_at(camera, 30.0 - 0.1 * index)
        tracks, _ = followed(tracks, [placed(one, camera, like=1.0, is_measured=True)], stamp_s, own_mps=10.0)
        vehicle = VehicleState(stamp_s=stamp_s, speed_mps=10.0, yaw_rate_rps=0.0)
        said = core.step(Inputs(objects=as_objects(tracks, stamp_s), vehicle=vehicle), stamp_s).objects or said
    assert said is not None
    [car] = said.objects
    assert car.object_class is ObjectClass.CAR and car.sources == ("camera",)
    assert car.x_m == pytest.approx(26.5, abs=0.7)
    assert car.speed_x_mps == pytest.approx(8.0, abs=1.5)


# --- the network ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def finder() -> ObjectFinder:
    return ObjectFinder(("de",))


@pytest.fixture(scope="module")
def figures() -> Iterator[ModuleType]:
    """The evaluation itself, as a user runs it."""
    with pytest.MonkeyPatch.context() as patch:
        yield load("objects", patch)


def test_a_rendered_car_ahead_is_one_confirmed_track_where_it_is(finder: ObjectFinder) -> None:
    drive = make_drive(DriveSpec(market="de", seconds=6.0, seed=77, scenario=Scenario.MOTORWAY))
    tracks, errors, numbers = Tracks(), [], set()
    for index in range(0, 80, 4):
        picture = np.asarray(drive.frame(index), np.uint8)
        camera = camera_of(drive.vehicle.cameras["front"], picture.shape[1], picture.shape[0])
        assert camera is not None
        seen = finder.look(picture, camera, is_measured=True)
        tracks, told = followed(tracks, seen, drive.frame_time_s(index))
        lead = min((one for one in drive.objects(index).objects if one.x_m > 4.0 and abs(one.y_m) < 1.5), key=X)
        for track in told:
            if track.is_confirmed and track.ahead and track.across and abs(track.across[0] - lead.y_m) < 1.5:
                numbers.add(track.number)
                errors.append(abs(track.ahead[0] - lead.x_m) / lead.x_m)
    assert len(errors) >= 12 and len(numbers) <= 2
    assert np.median(errors) < 0.12


def test_a_market_without_a_real_picture_in_the_training_is_believed_less(finder: ObjectFinder) -> None:
    drive = make_drive(DriveSpec(market="us", seconds=1.0, seed=4, scenario=Scenario.MOTORWAY))
    picture = np.asarray(drive.frame(0), np.uint8)
    camera = camera_of(drive.vehicle.cameras["front"], picture.shape[1], picture.shape[0])
    assert camera is not None
    home = ObjectFinder("us").look(picture, camera, is_measured=True, least=0.0)
    abroad = finder.look(picture, camera, is_measured=True, least=0.0)
    assert home and len(home) == len(abroad)
    assert all(there.confidence < here.confidence for here, there in zip(home, abroad, strict=True))


def test_an_empty_picture_holds_nobody(finder: ObjectFinder) -> None:
    for picture in (np.zeros((720, 1280, 3), np.uint8), np.full((375, 1242), 127, np.uint8)):
        height, width = picture.shape[:2]
        camera = Camera(width_px=width, height_px=height, fx_px=900, fy_px=900, cx_px=640, cy_px=180, z_m=1.5)
        assert finder.look(picture, camera, is_measured=True) == ()


def test_cars_of_a_drive_that_nothing_was_trained_on_are_found(
    finder: ObjectFinder, figures: ModuleType, shared_data: Path
) -> None:
    if not (shared_data / "objects" / "udacity").is_dir():
        pytest.skip(f"no boxed pictures in {shared_data}")
    items = list(figures.udacity(shared_data))
    for item in items:
        item.found = finder.find(item.picture)
    told = [one for one in figures.matches(items, ObjectClass.CAR) if one.found.score >= figures.TOLD_MIN]
    right = sum(one.is_right is True for one in told)
    wrong = sum(one.is_right is False for one in told)
    assert right >= 10 and wrong <= 2, f"{right} of {sum(len(item.truth) for item in items)} cars, {wrong} false"


def test_what_is_no_road_user_is_told_as_none(finder: ObjectFinder, figures: ModuleType, shared_data: Path) -> None:
    items = list(figures.objects_of_other_kinds(shared_data))
    if not items:
        pytest.skip(f"no such pictures in {shared_data}")
    told = sum(one.score >= figures.TOLD_MIN for item in items for one in finder.find(item.picture))
    assert told <= 0.25 * len(items)
