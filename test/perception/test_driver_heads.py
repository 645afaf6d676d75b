"""The heads that the driver camera's networks learn from: their truth is what the picture shows."""

from __future__ import annotations

import driver_pictures as pictures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from training.driver.layout import POINTS, eye_classes, face_classes, two_hot
from training.driver.scenes import Studio

SEEDS = range(4)


def at(head: pictures.Head, name: str) -> np.ndarray:
    return np.asarray(head.points[POINTS.index(name), :2])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_head_that_turns_to_the_driver_s_left_points_to_the_picture_s_right(seed: int) -> None:
    offsets = []
    for yaw_deg in (-40.0, 0.0, 40.0):
        head = pictures.head(seed, yaw_deg=yaw_deg)
        eyes = (at(head, "eye_image_left") + at(head, "eye_image_right")) / 2.0
        offsets.append(float(at(head, "nose")[0] - eyes[0]))
    assert offsets[0] < -5.0 < offsets[1] < 5.0 < offsets[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_a_head_that_nods_lowers_its_nose_against_its_eyes_less(seed: int) -> None:
    drops = []
    for pitch_deg in (-25.0, 0.0, 25.0):
        head = pictures.head(seed, pitch_deg=pitch_deg)
        _left, top, _right, bottom = head.box
        drops.append(float(at(head, "nose")[1] - at(head, "eye_image_left")[1]) / float(bottom - top))
    assert drops[0] < drops[1] < drops[2]


@pytest.mark.parametrize("seed", SEEDS)
def test_closing_the_eyes_changes_the_picture_at_the_eyes_alone(seed: int) -> None:
    opened, closed = (pictures.head(seed, openness=value) for value in (1.0, 0.0))
    changed = np.abs(opened.picture[..., :3].astype(int) - closed.picture[..., :3].astype(int)).max(-1) > 12
    rows, columns = np.nonzero(changed)
    assert len(rows) > 20
    eyes = np.stack([at(opened, "eye_image_left"), at(opened, "eye_image_right")])
    far = np.min(np.hypot(columns[:, None] - eyes[:, 0], rows[:, None] - eyes[:, 1]), axis=1)
    assert np.quantile(far, 0.98) < 0.2 * float(opened.box[3] - opened.box[1])


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_every_scene_s_truth_lies_where_its_face_is(seed: int) -> None:
    heads = {
        "picture": np.stack([_grey(pictures.head(one, yaw_deg=None, pitch_deg=None)) for one in SEEDS]),
        "points": np.stack([pictures.head(one, yaw_deg=None, pitch_deg=None).points for one in SEEDS]),
        "box": np.stack([pictures.head(one, yaw_deg=None, pitch_deg=None).box for one in SEEDS]),
        "pose": np.zeros((4, 2)),
        "openness": np.full((4, 2), 0.5),
        "flags": np.zeros((4, 2), bool),
    }
    scene = Studio(heads, np.random.default_rng(seed)).scene()
    assert scene.picture.min() >= 0.0 and scene.picture.max() <= 1.0
    for (left, top, right, bottom), points in zip(scene.boxes, scene.points, strict=True):
        wide, high = right - left, bottom - top
        assert ((points[:, 0] > left - 0.4 * wide) & (points[:, 0] < right + 0.4 * wide)).all()
        assert ((points[:, 1] > top - 0.2 * high) & (points[:, 1] < bottom + 0.2 * high)).all()


def _grey(head: pictures.Head) -> np.ndarray:
    return np.stack([head.picture[..., :3].mean(-1).astype(np.uint8), head.picture[..., 3]], -1)


@given(st.floats(-200.0, 200.0))
def test_a_value_is_shared_by_its_two_neighbours(value: float) -> None:
    places = (-60.0, -30.0, 0.0, 30.0, 60.0)
    shares = two_hot(value, places)
    assert sum(shares) == pytest.approx(1.0) and sum(share > 0.0 for share in shares) <= 2
    assert float(np.dot(shares, places)) == pytest.approx(min(max(value, -60.0), 60.0), abs=1e-6)


def test_the_shipped_networks_say_what_the_training_taught() -> None:
    from adas_runtime.perception.models.manifest import load_manifest, manifest_path

    assert list(load_manifest(manifest_path("driver_face")).classes) == face_classes()
    assert list(load_manifest(manifest_path("driver_eye")).classes) == eye_classes()
