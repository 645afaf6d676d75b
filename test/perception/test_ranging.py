"""From boxes to metres: exact solids on a flat road, errors that are as large as told, and labelled road users."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from benchmark_modules import load
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.perception.camera import Camera, camera_of
from adas_runtime.perception.ranging import HEIGHTS_M, range_of_boxes
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle import load_vehicle


def camera() -> Camera:
    found = camera_of(load_vehicle("reference").cameras["front"], 1280, 720)
    assert found is not None
    return found


def box(seen_by: Camera, x_m: float, y_m: float, height_m: float, width_m: float = 1.8) -> np.ndarray:
    """The box of an upright plate on the ground."""
    corners = np.array([[x_m, y_m + side * width_m / 2.0, z_m] for side in (-1.0, 1.0) for z_m in (0.0, height_m)])
    pixels = seen_by.project(corners)
    return np.concatenate([pixels.min(axis=0), pixels.max(axis=0)])[None]


KINDS = st.sampled_from(sorted(HEIGHTS_M, key=lambda kind: kind.value))


@given(kind=KINDS, x_m=st.floats(12.0, 90.0), across=st.floats(-0.3, 0.3))
def test_who_is_as_high_as_the_class_and_stands_on_the_road_is_found_where_it_is(
    kind: ObjectClass, x_m: float, across: float
) -> None:
    seen_by, y_m = camera(), across * x_m
    found = range_of_boxes(seen_by, box(seen_by, x_m, y_m, HEIGHTS_M[kind][0]), [kind])
    assert found.x_m[0] == pytest.approx(x_m, rel=0.03)
    assert found.y_m[0] == pytest.approx(y_m, abs=0.05 * x_m)
    assert 0.0 < found.x_std_m[0] < 0.3 * x_m


@given(kind=KINDS, x_m=st.floats(15.0, 70.0), taller=st.floats(-1.0, 1.0), nose_rad=st.floats(-0.006, 0.006))
def test_one_spread_off_in_height_and_pitch_is_within_two_of_what_is_told(
    kind: ObjectClass, x_m: float, taller: float, nose_rad: float
) -> None:
    mean_m, spread_m = HEIGHTS_M[kind]
    true = camera()
    thought = true.with_angles(pitch_rad=true.pitch_rad + nose_rad, yaw_rad=true.yaw_rad)
    found = range_of_boxes(thought, box(true, x_m, 0.0, mean_m + taller * spread_m), [kind])
    assert abs(found.x_m[0] - x_m) <= 2.0 * found.x_std_m[0]


def test_far_away_the_height_counts_and_near_by_the_ground() -> None:
    seen_by = camera()
    tall_m = HEIGHTS_M[ObjectClass.CAR][0] * 1.3
    near, far = (range_of_boxes(seen_by, box(seen_by, x_m, 0.0, tall_m), [ObjectClass.CAR]) for x_m in (9.0, 80.0))
    assert near.x_m[0] == pytest.approx(9.0, rel=0.1), "a high car near by is where it stands"
    assert abs(far.x_m[0] - far.size_m[0]) < abs(far.x_m[0] - far.ground_m[0])


def test_what_is_cut_by_the_picture_is_told_by_what_is_left_of_it() -> None:
    seen_by = camera()
    boxes = np.array(
        [
            [400.0, 300.0, 900.0, 719.0],  # below it the bonnet: where it stands is not seen, nor how high it is
            [500.0, 0.0, 900.0, 560.0],  # a lorry near by, its top out of the picture: the ground tells
            [600.0, 250.0, 640.0, 270.0],  # above the horizon, as on a hill: the height tells
            [600.0, 300.0, 600.0, 300.0],
            [np.nan, 300.0, 640.0, 380.0],
        ]
    )
    found = range_of_boxes(seen_by, boxes, [ObjectClass.TRUCK] * 5)
    assert np.isnan(found.x_m[0]) and np.isnan(found.x_m[3]) and np.isnan(found.x_m[4])
    assert np.isnan(found.size_m[1]) and found.x_m[1] == pytest.approx(seen_by.x_m + found.ground_m[1])
    assert np.isnan(found.ground_m[2]) and found.x_m[2] == pytest.approx(seen_by.x_m + found.size_m[2])
    assert range_of_boxes(seen_by, np.zeros((0, 4)), []).x_m.shape == (0,)
    with pytest.raises(ValueError, match="5 boxes and 1 classes"):
        range_of_boxes(seen_by, boxes, [ObjectClass.CAR])


@pytest.mark.data
def test_labelled_road_users_are_within_a_tenth_and_the_error_is_as_told(
    shared_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures: ModuleType = load("ranging", monkeypatch)
    items = list(figures.judged(shared_data / "objects" / "kitti_nc"))
    told = {name: figures.figures(some) for name, some in figures.groups(items).items()}
    assert sum(row["count"] for name, row in told.items() if name.endswith(" m")) > 150
    for name, share in (("0 to 10 m", 0.06), ("10 to 20 m", 0.07), ("20 to 30 m", 0.08), ("30 to 50 m", 0.12)):
        assert told[name]["median_share"] < share, (name, told[name])
        assert told[name]["inside_2"] > 0.75, (name, told[name])
