"""The cameras' places for /tf_static, against the geometry that they mean."""

from __future__ import annotations

import math

import pytest

from adas_runtime.nodes.mounts import OPTICAL, Quaternion, mounts, rotation
from adas_runtime.vehicle import load_vehicle

Vector = tuple[float, float, float]


def turned(q: Quaternion, v: Vector) -> Vector:
    x, y, z, w = q
    tx, ty, tz = (2.0 * (y * v[2] - z * v[1]), 2.0 * (z * v[0] - x * v[2]), 2.0 * (x * v[1] - y * v[0]))
    return (
        v[0] + w * tx + y * tz - z * ty,
        v[1] + w * ty + z * tx - x * tz,
        v[2] + w * tz + x * ty - y * tx,
    )


@pytest.mark.parametrize(
    ("angle", "looked_at", "left"),
    [
        ("pitch_deg", (math.cos(0.1), 0.0, -math.sin(0.1)), (0.0, 1.0, 0.0)),  # nose down
        ("yaw_deg", (math.cos(0.1), math.sin(0.1), 0.0), (-math.sin(0.1), math.cos(0.1), 0.0)),  # to the left
        ("roll_deg", (1.0, 0.0, 0.0), (0.0, math.cos(0.1), math.sin(0.1))),  # right side down, so left side up
    ],
)
def test_angles_turn_as_the_vehicle_file_says(angle: str, looked_at: Vector, left: Vector) -> None:
    front = load_vehicle("reference").cameras["front"]
    straight = front.model_copy(update={"roll_deg": 0.0, "pitch_deg": 0.0, "yaw_deg": 0.0})
    q = rotation(straight.model_copy(update={angle: math.degrees(0.1)}))
    assert turned(q, (1.0, 0.0, 0.0)) == pytest.approx(looked_at)
    assert turned(q, (0.0, 1.0, 0.0)) == pytest.approx(left)


def test_the_picture_looks_forward() -> None:
    assert turned(OPTICAL, (0.0, 0.0, 1.0)) == pytest.approx((1.0, 0.0, 0.0)), "into the picture is forward"
    assert turned(OPTICAL, (1.0, 0.0, 0.0)) == pytest.approx((0.0, -1.0, 0.0)), "right in the picture is right"
    assert turned(OPTICAL, (0.0, 1.0, 0.0)) == pytest.approx((0.0, 0.0, -1.0)), "down in the picture is down"


def test_each_camera_has_a_body_and_an_optical_frame() -> None:
    vehicle = load_vehicle("reference")
    found = {mount.child: mount for mount in mounts(vehicle)}
    assert set(found) == {"camera_front", "camera_front_optical"}
    assert found["camera_front"].parent == "base_link"
    assert found["camera_front"].z_m == vehicle.cameras["front"].z_m
