"""Camera geometry: pixels and the flat ground."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from adas_runtime.perception.camera import Camera, camera_of, unknown_camera
from adas_runtime.vehicle import load_vehicle

angles = st.floats(-0.15, 0.15)
cameras = st.builds(
    Camera,
    width_px=st.just(1280),
    height_px=st.just(720),
    fx_px=st.floats(500.0, 1800.0),
    fy_px=st.floats(500.0, 1800.0),
    cx_px=st.floats(560.0, 720.0),
    cy_px=st.floats(300.0, 420.0),
    distortion=st.tuples(
        st.floats(-0.3, 0.1), st.floats(-0.05, 0.05), st.floats(-0.002, 0.002), st.floats(-0.002, 0.002), st.just(0.0)
    ),
    x_m=st.floats(0.0, 2.5),
    y_m=st.floats(-0.5, 0.5),
    z_m=st.floats(0.9, 3.0),
    roll_rad=st.floats(-0.05, 0.05),
    pitch_rad=angles,
    yaw_rad=angles,
)


@given(camera=cameras, x_m=st.floats(6.0, 60.0), across=st.floats(-0.35, 0.35))
def test_a_ground_point_comes_back_from_its_pixel(camera: Camera, x_m: float, across: float) -> None:
    y_m = across * x_m
    pixel = camera.project_ground(np.array([x_m]), np.array([y_m]))
    if not np.isfinite(pixel).all() or not (0 <= pixel[0, 0] < 1280 and 0 <= pixel[0, 1] < 720):
        return  # outside the picture nothing is promised
    back = camera.to_ground(pixel)[0]
    assert back == pytest.approx((x_m, y_m), rel=2e-3, abs=2e-3)


def farthest_seen(camera: Camera) -> float:
    """Greatest distorted radius, over the focal length, that the lens model gives to any ray; beyond it is no ray."""
    k1, k2, *_ = camera.distortion
    radius = np.linspace(0.0, 3.0, 3001)
    seen = radius * (1.0 + radius**2 * (k1 + radius**2 * k2))
    fold = np.flatnonzero(np.diff(seen) <= 0.0)
    return float(seen[fold[0]] if fold.size else seen[-1])


@given(camera=cameras, column=st.floats(300.0, 980.0), row=st.floats(150.0, 570.0))
def test_a_vanishing_point_turns_the_camera_to_itself(camera: Camera, column: float, row: float) -> None:
    radius = np.hypot((column - camera.cx_px) / camera.fx_px, (row - camera.cy_px) / camera.fy_px)
    assume(radius < 0.98 * farthest_seen(camera))  # tangential distortion moves the fold by less than that
    turned = camera.with_vanishing_point(column, row)
    assert turned.vanishing_point() == pytest.approx((column, row), abs=0.05)


def test_pitch_down_lifts_the_horizon_and_left_is_left() -> None:
    level = unknown_camera(1280, 720, hfov_deg=60.0, height_m=1.3)
    down = level.with_angles(pitch_rad=math.radians(3.0), yaw_rad=0.0)
    assert down.vanishing_point()[1] < level.vanishing_point()[1]
    left, right = level.project_ground(np.array([20.0, 20.0]), np.array([1.8, -1.8]))
    assert left[0] < level.cx_px < right[0]


def test_nothing_of_the_ground_is_seen_at_or_above_the_horizon() -> None:
    camera = unknown_camera(640, 360, hfov_deg=60.0, height_m=1.3)
    row = camera.vanishing_point()[1]
    assert not np.isfinite(camera.to_ground(np.array([[320.0, row - 1.0], [320.0, row - 80.0]]))).any()
    assert not np.isfinite(camera.project_ground(np.array([-5.0]), np.array([0.0]))).any()  # behind the camera


@pytest.mark.parametrize(("width_px", "height_px"), [(640, 360), (1280, 720), (1920, 1080)])
def test_the_same_ground_whatever_the_size_of_the_picture(width_px: int, height_px: int) -> None:
    mount = load_vehicle("reference").cameras["front"]
    camera = camera_of(mount, width_px, height_px)
    assert camera is not None
    # the pixel centre at the same share of the picture
    pixel = np.array([[0.7 * width_px - 0.5, 0.8 * height_px - 0.5]])
    reference = camera_of(mount, mount.width_px, mount.height_px)
    assert reference is not None
    same = np.array([[0.7 * mount.width_px - 0.5, 0.8 * mount.height_px - 0.5]])
    assert camera.to_ground(pixel)[0] == pytest.approx(reference.to_ground(same)[0], rel=1e-6)


def test_a_picture_of_another_shape_is_not_from_this_camera() -> None:
    assert camera_of(load_vehicle("reference").cameras["front"], 1242, 375) is None


fisheyes = st.builds(
    Camera,
    lens=st.just("equidistant"),
    width_px=st.just(1280),
    height_px=st.just(960),
    fx_px=st.floats(300.0, 420.0),
    fy_px=st.floats(300.0, 420.0),
    cx_px=st.floats(600.0, 680.0),
    cy_px=st.floats(440.0, 520.0),
    distortion=st.tuples(
        st.floats(-0.05, 0.05), st.floats(-0.01, 0.01), st.floats(-0.002, 0.002), st.just(0.0), st.just(0.0)
    ),
    x_m=st.floats(-1.0, 3.5),
    y_m=st.floats(-1.0, 1.0),
    z_m=st.floats(0.5, 2.0),
    roll_rad=st.floats(-0.1, 0.1),
    pitch_rad=st.floats(-0.2, 0.9),
    yaw_rad=st.floats(-3.1, 3.1),
)


@given(camera=fisheyes, column=st.floats(0.0, 1279.0), row=st.floats(0.0, 959.0), away_m=st.floats(0.5, 50.0))
def test_a_fisheye_s_ray_goes_through_its_pixel_also_behind_the_lens(
    camera: Camera, column: float, row: float, away_m: float
) -> None:
    ray = camera.rays(np.array([[column, row]]))
    if not np.isfinite(ray).all():
        return  # beyond what the lens sees
    point = np.array([camera.x_m, camera.y_m, camera.z_m]) + away_m * ray
    back = camera.project(point)[0]
    if np.isfinite(back).all():  # at the very fold there is no ray back
        assert back == pytest.approx((column, row), abs=1e-3)


@given(camera=fisheyes, points=st.lists(st.tuples(*[st.floats(-20.0, 20.0)] * 3), min_size=1, max_size=8))
def test_a_fisheye_sees_points_where_opencv_s_does(camera: Camera, points: list[tuple[float, float, float]]) -> None:
    body = np.array(points) @ camera.rotation + np.array([0.0, 0.0, 0.0])
    ahead = body[:, 0] > 0.2
    assume(bool(ahead.any()))
    optical = np.stack([-body[ahead, 1], -body[ahead, 2], body[ahead, 0]], axis=1)
    matrix = np.array([[camera.fx_px, 0.0, camera.cx_px], [0.0, camera.fy_px, camera.cy_px], [0.0, 0.0, 1.0]])
    wanted, _ = cv2.fisheye.projectPoints(
        optical[:, None], np.zeros(3), np.zeros(3), matrix, np.array(camera.distortion[:4])
    )
    place = np.array([camera.x_m, camera.y_m, camera.z_m])
    found = camera.project(np.array(points)[ahead] + place)
    seen = np.isfinite(found).all(axis=1)
    assert found[seen] == pytest.approx(wanted[:, 0][seen], abs=1e-6)


def test_a_wide_fisheye_sees_the_ground_beside_and_a_little_behind_itself() -> None:
    camera = Camera(
        lens="equidistant", width_px=1280, height_px=960, fx_px=360.0, fy_px=360.0, cx_px=640.0, cy_px=480.0,
        x_m=3.4, z_m=0.7, pitch_rad=0.3,
    )  # fmt: skip
    ground = np.array([[3.3, 4.0], [3.0, -2.0], [8.0, 0.0]])
    pixels = camera.project_ground(ground[:, 0], ground[:, 1])
    assert np.isfinite(pixels).all()
    assert camera.to_ground(pixels) == pytest.approx(ground, abs=1e-6)
