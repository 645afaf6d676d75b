"""Metres and pixels of one boundary are two views of the same curve."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from perceive_builders import Perceive, make_boundary, make_camera, road, write

from adas_runtime.perceive.result import dumps, lateral_m, object_text, points_m, record, trace
from adas_runtime.perception.lane_model import LaneResult
from adas_runtime.perception.object_tracks import Tracks, followed
from adas_runtime.perception.objects import Found, placed
from adas_runtime.perception.road import SeenRoad
from adas_runtime.signals import LaneBoundary, LaneModel, LaneSide, ObjectClass

KEYS = ["frame", "stamp_s", "source", "width_px", "height_px", "camera", "reason", "lanes", "signs", "road", "objects"]
LANE_KEYS = {
    "side", "type", "colour", "confidence", "polynomial", "points_m", "pixels",
    "seen_rows", "offset_std_m", "width_m",
}  # fmt: skip
OBJECT_KEYS = {
    "class", "box_px", "confidence", "x_m", "y_m", "range_m", "range_std_m", "width_m", "is_cut",
    "track", "is_confirmed", "closing_mps",
}  # fmt: skip

cameras = st.builds(
    make_camera,
    pitch_rad=st.floats(-0.15, 0.2),
    yaw_rad=st.floats(-0.1, 0.1),
    roll_rad=st.floats(-0.03, 0.03),
    z_m=st.floats(0.9, 2.8),
    # a real lens of 1100 px; much wider ones with such a distortion fold back inside the picture
    fx_px=st.floats(900.0, 2000.0),
    distortion=st.sampled_from([(0.0, 0.0, 0.0, 0.0, 0.0), (-0.24, -0.02, -0.001, 0.0, 0.03)]),
)
boundaries = st.builds(
    lambda c0, c1, c2, c3, near, length: make_boundary(
        coefficients=(c0, c1, c2, c3), x_min_m=near, x_max_m=near + length
    ),
    st.floats(-8.0, 8.0),
    st.floats(-0.2, 0.2),
    st.floats(-0.004, 0.004),
    st.floats(-2e-5, 2e-5),
    st.floats(3.0, 20.0),
    st.floats(0.0, 60.0),
)


@given(cameras, boundaries)
def test_every_pixel_lies_on_the_polynomial_one_a_row(camera, boundary: LaneBoundary) -> None:
    line = trace(camera, boundary)
    if len(line.rows) == 0:
        return
    assert (np.diff(line.rows) >= 1).all()
    assert 0 <= line.rows[0]
    assert line.rows[-1] < camera.height_px
    assert (line.columns >= 0.0).all()
    assert (line.columns <= camera.width_px - 1).all()
    ground = camera.to_ground(np.stack([line.columns, line.rows], axis=1))
    near = np.isfinite(ground).all(axis=1) & (ground[:, 0] < 60.0)
    x_m = ground[near, 0]
    # a fraction of a pixel on the ground, which is more metres farther away
    step_m = 0.15 * (x_m - camera.x_m) / camera.fx_px * (1.0 + abs(boundary.c1) * x_m) + 0.01
    assert (np.abs(ground[near, 1] - lateral_m(boundary, x_m)) < np.maximum(step_m, 0.02)).all()
    if line.seen_rows is not None:
        assert line.rows[0] <= line.seen_rows[0] <= line.seen_rows[1] <= line.rows[-1]


def test_a_straight_line_reaches_the_bottom_of_the_picture_without_a_gap() -> None:
    line = trace(make_camera(), make_boundary(x_min_m=12.0))
    assert line.rows[-1] == 719
    assert (np.diff(line.rows) == 1).all()
    assert line.seen_rows is not None
    assert line.seen_rows[1] < 600  # at 12 m; below, no paint was seen


def test_a_curve_is_not_carried_on_far_past_its_last_paint() -> None:
    camera = make_camera()
    line = trace(camera, make_boundary(coefficients=(1.8, 0.0, 0.003, 0.0), x_max_m=25.0))
    top = camera.to_ground(np.array([[line.columns[0], line.rows[0]]]))[0, 0]
    assert top <= 25.0 + 15.0


def test_a_boundary_beside_the_picture_has_no_pixels() -> None:
    line = trace(make_camera(), make_boundary(coefficients=(40.0, 0.0, 0.0, 0.0), x_max_m=8.0))
    assert len(line.rows) == 0
    assert line.seen_rows is None


@given(boundaries)
def test_points_are_the_polynomial_at_whole_metres(boundary: LaneBoundary) -> None:
    points = points_m(boundary)
    assert len(points) >= 2
    for x, y in points:
        assert boundary.x_min_m - 0.01 <= x <= boundary.x_max_m + 0.01
        assert y == pytest.approx(boundary.offset_m(x), abs=0.006)
    if boundary.x_max_m - boundary.x_min_m >= 2.0:
        assert all(x == int(x) for x, _ in points)


@given(cameras, st.lists(boundaries, max_size=2), st.floats(0.0, 2e9))
def test_any_result_is_one_line_of_plain_json_with_the_promised_fields(camera, found, stamp_s: float) -> None:
    sides = (LaneSide.LEFT, LaneSide.RIGHT)
    model = LaneModel(
        stamp_s=stamp_s, boundaries=tuple(replace(b, side=side) for b, side in zip(found, sides, strict=False))
    )
    told, _ = record(
        source="a/b.png",
        frame=3,
        stamp_s=stamp_s,
        result=LaneResult(model=model, camera=camera, is_mount_known=True),
        vehicle="reference",
        trust="calibrated",
    )
    text = dumps(told)
    assert "\n" not in text
    back = json.loads(text)
    assert list(back) == KEYS
    for lane in back["lanes"]:
        assert set(lane) == LANE_KEYS
        assert lane["side"] in ("left", "right", "next_left", "next_right")
        assert all(isinstance(row, int) and math.isfinite(x) for x, row in lane["pixels"])


@pytest.mark.parametrize("market", ["de", "jp", "ae"])
def test_a_drawn_road_is_found_where_it_was_drawn(market: str, perceive: Perceive, tmp_path) -> None:
    image, truth, camera = road(market)
    ran = perceive(write(tmp_path / "road.png", image), "--vehicle", "reference", "--market", market, "--json")
    assert ran.code == 0
    (told,) = ran.records
    assert told["camera"]["is_calibrated"]
    lanes = {lane["side"]: lane for lane in told["lanes"]}
    for side in (LaneSide.LEFT, LaneSide.RIGHT):
        real = truth.side(side)
        assert real is not None
        lane = lanes[side.name.lower()]
        drawn = trace(camera, real)
        where = dict(zip(drawn.rows.tolist(), drawn.columns.tolist(), strict=True))
        top, bottom = lane["seen_rows"]
        off = [abs(x - where[row]) for x, row in lane["pixels"] if top + 10 <= row <= bottom and row in where]
        assert len(off) > 50
        assert np.median(off) < 2.0
        assert np.quantile(off, 0.95) < 6.0
        near = [abs(y - real.offset_m(x)) for x, y in lane["points_m"] if x <= 20.0]
        assert max(near) < 0.1
        assert lane["colour"] == real.colour.name.lower()


def without_lanes(camera: Any, **seen: Any) -> dict[str, Any]:
    """What is told of a picture in which there is no lane."""
    result = LaneResult(model=LaneModel(stamp_s=0.2), camera=camera, is_mount_known=True)
    return record(source="a", frame=0, stamp_s=0.2, result=result, vehicle="reference", trust="calibrated", **seen)[0]


@pytest.mark.parametrize("is_video", [False, True])
def test_a_road_user_is_told_with_all_its_fields_and_a_track_only_where_pictures_follow_one_another(
    is_video: bool,
) -> None:
    camera = make_camera()
    left, row = camera.project_ground(np.array([22.0]), np.array([1.0]))[0].tolist()
    one = Found(object_class=ObjectClass.PEDESTRIAN, box_px=(left - 20, row - 100, left + 20, row + 0.5), score=0.8)
    seen = (placed(one, camera, like=1.0, is_measured=True),)
    tracks, told = Tracks(), ()
    for index in range(3 if is_video else 0):
        tracks, told = followed(tracks, seen, 0.1 * index)
    back = without_lanes(camera, objects=seen, tracks=told)
    assert back["road"] is None
    [item] = json.loads(dumps(back))["objects"]
    assert set(item) == OBJECT_KEYS
    assert item["class"] == "pedestrian" and item["x_m"] == pytest.approx(22.0, abs=0.05)
    assert item["is_confirmed"] is is_video
    assert (item["track"] is not None, item["closing_mps"] is not None) == (is_video, is_video)
    assert object_text(item).startswith(f"pedestrian {item['range_m']:.0f} m ")


def test_the_road_is_told_row_by_row() -> None:
    seen = SeenRoad(
        share=0.41, confidence=0.93, marking_share=0.021, rows=((300.0, 120.5, 700.25), (310.0, 80.0, 760.0))
    )
    told = without_lanes(make_camera(), road=seen)
    assert json.loads(dumps(told))["road"] == {
        "share": 0.41,
        "marking_share": 0.021,
        "confidence": 0.93,
        "rows_px": [[300.0, 120.5, 700.2], [310.0, 80.0, 760.0]],
    }
