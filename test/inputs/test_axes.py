"""Axes and units of foreign sensors are found by what they measure, never by what they are called."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from foreign_drives import bound, each, fix, imu, motion, odometry, rotations, states, to_sensor, twist, worst, write

from adas_runtime.errors import BagError
from adas_runtime.inputs import load_input_map
from adas_runtime.inputs.binder import Binder
from adas_runtime.inputs.save import map_text

DRIVE = motion(20.0)
TURNS = rotations()
UPRIGHT = [axes for axes in TURNS if axes[2] in ("up", "down")]
DEG = 180.0 / math.pi


@pytest.mark.parametrize("axes", TURNS, ids="-".join)
def test_an_odometry_in_any_axes_tells_speed_and_yaw_rate(tmp_path: Path, axes: tuple[str, str, str]) -> None:
    write(tmp_path / "bag", {"/ins/odometry": each(DRIVE, lambda m: odometry(m, axes=axes))})
    found, signals, refusals = bound(tmp_path / "bag")
    assert not refusals
    speed = worst(signals, DRIVE, "speed_mps")
    if axes[0] == "back":  # x is forward by definition: a car that only reverses cannot be told from it
        assert min(state.speed_mps for t, state in states(signals) if t > 5.0) < -5.0
    else:
        assert speed < 1e-6
        assert worst(signals, DRIVE, "yaw_rate_rps") < 1e-6
    is_odd = axes[0] not in ("forward", "back")
    assert bool([text for text in found.warnings if "the way covered agrees" in text]) == is_odd


@pytest.mark.parametrize("axes", TURNS, ids="-".join)
def test_an_inertial_sensor_in_any_mounting(tmp_path: Path, axes: tuple[str, str, str]) -> None:
    topics = {
        "/imu/data": each(DRIVE, lambda m: imu(m, axes=axes)),
        "/vehicle/twist": each(DRIVE, lambda m: twist(m, yaw=0.0)),
    }
    found, signals, _ = bound(write(tmp_path / "bag", topics))
    for name in ("accel_mps2", "lateral_accel_mps2", "yaw_rate_rps"):
        assert worst(signals, DRIVE, name) < 1e-6, found.feeds["/imu/data"].note


def test_a_tilted_sensor_is_not_used(tmp_path: Path) -> None:
    def tilted(m: object) -> object:
        message = imu(m)  # type: ignore[arg-type]
        a = message.linear_acceleration
        a.y, a.z = 0.7 * a.z, 0.7 * a.z
        return message

    topics = {"/imu": each(DRIVE, tilted), "/twist": each(DRIVE, twist)}
    found, signals, _ = bound(write(tmp_path / "bag", topics))
    assert found.feeds["/imu"].feeds == ()
    assert "state its axes in the input map" in found.feeds["/imu"].note
    assert all(state.accel_mps2 is None for _, state in states(signals))


def test_a_sensor_without_gravity_is_not_used(tmp_path: Path) -> None:
    topics = {"/imu": each(DRIVE, lambda m: imu(m, gravity=0.0)), "/twist": each(DRIVE, twist)}
    found, _, _ = bound(write(tmp_path / "bag", topics))
    assert found.feeds["/imu"].feeds == ()
    assert "no gravity in its accelerations" in found.feeds["/imu"].note


def test_g_and_degrees_are_converted(tmp_path: Path) -> None:
    topics = {
        "/imu": each(DRIVE, lambda m: imu(m, accel_scale=1.0 / 9.80665, rate_scale=DEG)),
        "/odometry": each(DRIVE, odometry),
    }
    found, signals, _ = bound(write(tmp_path / "bag", topics))
    assert worst(signals, DRIVE, "accel_mps2") < 1e-6
    assert worst(signals, DRIVE, "yaw_rate_rps") < 1e-6
    assert any("accelerations are in g" in text for text in found.warnings)
    assert any("degrees a second" in text for text in found.warnings)


@pytest.mark.parametrize(("scale", "word"), [(DEG, "degrees a second"), (-1.0, "positive to the right")])
def test_rates_of_an_odometry_are_held_against_its_heading(tmp_path: Path, scale: float, word: str) -> None:
    write(tmp_path / "bag", {"/odom": each(DRIVE, lambda m: odometry(m, rate_scale=scale))})
    found, signals, _ = bound(tmp_path / "bag")
    assert worst(signals, DRIVE, "yaw_rate_rps") < 1e-6
    assert any(word in text for text in found.warnings)
    # the saved guess says it outright, so that it also holds in the car, where nothing can be judged
    (tmp_path / "saved.yaml").write_text(map_text("saved", "bag", found))
    live = Binder(load_input_map(tmp_path / "saved.yaml").live_feeds(), {}, trust_stamps=True)
    [(_, state)] = live.convert("/odom", odometry(DRIVE[400], rate_scale=scale), 0.0)
    assert state.yaw_rate_rps == pytest.approx(DRIVE[400].yaw_rate_rps)
    assert state.speed_mps == pytest.approx(DRIVE[400].speed_mps)


def test_a_rate_that_follows_nothing_is_not_used(tmp_path: Path) -> None:
    write(tmp_path / "bag", {"/odom": each(DRIVE, lambda m: odometry(m, rate_scale=math.sin(17.0 * m.t_s)))})
    found, signals, _ = bound(tmp_path / "bag")
    assert found.feeds["/odom"].feeds == ("vehicle_state.speed_mps",)
    assert all(state.yaw_rate_rps is None for _, state in states(signals))


def test_rates_that_nobody_filled_in_are_absent_not_zero(tmp_path: Path) -> None:
    write(tmp_path / "bag", {"/vehicle/twist": each(DRIVE, lambda m: twist(m, yaw=0.0))})
    _, signals, _ = bound(tmp_path / "bag")
    assert states(signals) and all(state.yaw_rate_rps is None for _, state in states(signals))


def test_a_twist_in_the_maps_axes_gives_the_speed_along_the_heading(tmp_path: Path) -> None:
    write(tmp_path / "bag", {"/odom": each(DRIVE, lambda m: odometry(m, in_map=True))})
    found, signals, _ = bound(tmp_path / "bag")
    assert worst(signals, DRIVE, "speed_mps") < 1e-6
    assert any("map's axes" in text for text in found.warnings)


def test_a_satellite_velocity_east_and_north_gives_way_to_the_odometry(tmp_path: Path) -> None:
    def enu(m: object) -> object:
        heading = m.heading_rad + 1.0  # type: ignore[attr-defined]
        speed = m.speed_mps  # type: ignore[attr-defined]
        return twist(m, linear=(speed * math.cos(heading), speed * math.sin(heading), 0.0))  # type: ignore[arg-type]

    topics = {"/gps/vel": each(DRIVE, enu), "/odom": each(DRIVE, odometry)}
    found, signals, _ = bound(write(tmp_path / "bag", topics))
    assert found.feeds["/gps/vel"].feeds == ()
    assert worst(signals, DRIVE, "speed_mps") < 1e-6
    assert any("across the car" in text for text in found.warnings)


def test_a_twist_in_km_h_is_found_by_the_fixes(tmp_path: Path) -> None:
    topics = {
        "/speed": each(DRIVE, lambda m: twist(m, linear=(3.6 * m.speed_mps, 0.0, 0.0))),
        "/fix": each(DRIVE, fix, every=5),
    }
    found, signals, _ = bound(write(tmp_path / "bag", topics))
    assert worst(signals, DRIVE, "speed_mps") < 1e-6
    assert any("km/h" in text for text in found.warnings)


def test_motion_that_begins_after_minutes_still_shows_the_axes(tmp_path: Path) -> None:
    drive = motion(150.0, stand_s=120.0)
    axes = ("down", "left", "forward")
    _, signals, _ = bound(write(tmp_path / "bag", {"/ins": each(drive, lambda m: odometry(m, axes=axes))}))
    assert worst(signals, drive, "speed_mps") < 1e-6


def test_a_standing_car_tells_no_axis_and_says_so(tmp_path: Path) -> None:
    drive = motion(20.0, stand_s=60.0)
    topics = {
        "/odom": each(drive, lambda m: odometry(m, axes=("down", "left", "forward"))),
        "/imu": each(drive, lambda m: imu(m, axes=("down", "left", "forward"))),
    }
    with pytest.raises(BagError, match="does not move and x stands upright"):
        bound(write(tmp_path / "bag", topics))


@pytest.mark.parametrize("axes", UPRIGHT, ids="-".join)
def test_stated_axes_are_followed(tmp_path: Path, axes: tuple[str, str, str]) -> None:
    text = f"""
format: 1
name: stated
inputs:
  - topic: /imu
    type: sensor_msgs/msg/Imu
    axes: [{", ".join(axes)}]
  - topic: /twist
    type: geometry_msgs/msg/TwistStamped
"""
    (tmp_path / "stated.yaml").write_text(text)
    short = DRIVE[:25]  # one second: nothing could be judged
    topics = {"/imu": each(short, lambda m: imu(m, axes=axes)), "/twist": each(short, twist)}
    _, signals, _ = bound(write(tmp_path / "bag", topics), load_input_map(tmp_path / "stated.yaml"))
    assert worst(signals, DRIVE, "lateral_accel_mps2", from_s=0.1) < 1e-6
    assert worst(signals, DRIVE, "accel_mps2", from_s=0.1) < 1e-6


def test_axes_that_gravity_contradicts_are_followed_with_a_warning(tmp_path: Path) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(
        "format: 1\nname: m\ninputs:\n  - {topic: /imu, type: sensor_msgs/msg/Imu, axes: [forward, right, down]}\n"
        "  - {topic: /twist, type: geometry_msgs/msg/TwistStamped}\n"
    )
    topics = {"/imu": each(DRIVE, imu), "/twist": each(DRIVE, twist)}
    found, _, _ = bound(write(tmp_path / "bag", topics), load_input_map(path))
    assert any("gravity shows" in text for text in found.warnings)


def test_to_sensor_is_the_inverse_of_the_matrix() -> None:
    from adas_runtime.inputs.checks import matrix_of

    for axes in TURNS:
        assert list(matrix_of(axes) @ to_sensor(axes, 1.0, 2.0, 3.0)) == [1.0, 2.0, 3.0]  # type: ignore[arg-type]
