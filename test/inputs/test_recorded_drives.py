"""Real recordings against what is known of them: published reference poses, path and gravity."""

from __future__ import annotations

import csv
import math
from pathlib import Path

import numpy as np
import pytest
from foreign_drives import bound

from adas_runtime.inputs.vehicle_choice import choose_vehicle

pytestmark = pytest.mark.data


def rows(path: Path) -> list[dict[str, float]]:
    with path.open() as stream:
        return [{key: float(value) for key, value in row.items()} for row in csv.DictReader(stream)]


def test_comma2k19_agrees_with_its_reference_poses(shared_data: Path) -> None:
    """Speed within the 0.14 m/s that the data's notes give; yaw rate follows the turning of the reference pose."""
    _, signals, refusals = bound(shared_data / "bags" / "comma2k19_signals")
    assert not refusals
    found = [state for _, state in signals["/vehicle/state"]]
    folder = shared_data / "vehicle_signals" / "comma2k19"
    recorded = [row["speed_mps"] for row in rows(folder / "speed.csv")]
    assert [state.speed_mps for state in found] == pytest.approx(recorded[: len(found)], abs=1e-6)
    poses = rows(folder / "pose_ecef.csv")
    start_s = found[0].stamp_s - rows(folder / "speed.csv")[0]["t_s"]
    t = np.array([state.stamp_s - start_s for state in found])
    pose_t = np.array([row["t_s"] for row in poses])
    truth = np.array([math.hypot(row["vx_mps"], row["vy_mps"], row["vz_mps"]) for row in poses])
    mine = np.interp(pose_t, t, [state.speed_mps for state in found])
    assert float(np.mean(np.abs(mine - truth))) < 0.2
    # course of the velocity about the local vertical, left positive
    velocity = np.array([[row["vx_mps"], row["vy_mps"], row["vz_mps"]] for row in poses])
    up = np.array([poses[0]["x_m"], poses[0]["y_m"], poses[0]["z_m"]])
    up /= np.linalg.norm(up)
    east = np.cross([0.0, 0.0, 1.0], up)
    east /= np.linalg.norm(east)
    course = np.unwrap(np.arctan2(velocity @ np.cross(up, east), velocity @ east))
    yaw = np.interp(pose_t, t, [state.yaw_rate_rps or 0.0 for state in found])
    turned = np.concatenate([[0.0], np.cumsum(0.5 * (yaw[1:] + yaw[:-1]) * np.diff(pose_t))])
    span = 40  # 2 s: the road is nearly straight, and the pose's course is noisy from one frame to the next
    mean_yaw, mean_turn = ((way[span:] - way[:-span]) / (pose_t[span:] - pose_t[:-span]) for way in (turned, course))
    assert float(np.corrcoef(mean_yaw, mean_turn)[0, 1]) > 0.9
    assert float(np.max(np.abs(mean_yaw - mean_turn))) < 0.005
    angles = [math.radians(row["steering_wheel_angle_deg"]) for row in rows(folder / "steering_angle.csv")]
    wheel = [state.steering_wheel_angle_rad for state in found if state.steering_wheel_angle_rad is not None]
    assert min(wheel) == pytest.approx(min(angles), abs=1e-6) and max(wheel) == pytest.approx(max(angles), abs=1e-6)


def test_comma2k19_radar_is_the_recorded_one(shared_data: Path) -> None:
    _, signals, _ = bound(shared_data / "bags" / "comma2k19_signals")
    tracks = [track for _, radar in signals["/radar/objects"] for track in radar.tracks]
    recorded = rows(shared_data / "vehicle_signals" / "comma2k19" / "radar_tracks.csv")
    assert len(tracks) == len(recorded)
    for track, row in zip(tracks, recorded, strict=True):
        assert track.track_id == row["track_address"]
        assert (track.x_m, track.y_m) == pytest.approx((row["forward_m"], row["left_m"]), abs=1e-3)
        assert track.range_rate_mps == pytest.approx(row["relative_speed_mps"], abs=1e-3)


def test_mcity_drive_covers_its_path_and_turns_as_it_does(shared_data: Path) -> None:
    """Forward speed stands in twist.linear.z, rates are in degrees a second about -x, stamps are 0.104 s late."""
    found, signals, refusals = bound(shared_data / "bags" / "mcity_ins_drive_a")
    assert not refusals
    told = " | ".join(found.warnings)
    assert "the speed is taken from z" in told and "steady 0.104 s behind" in told
    assert found.feeds["/ins/imu"].note.count("x down, y left, z forward") == 1
    found_states = [state for _, state in signals["/vehicle/state"]]
    t = np.array([state.stamp_s for state in found_states])
    speed = np.array([state.speed_mps for state in found_states])
    assert float(np.trapezoid(speed, t)) == pytest.approx(49.0, abs=1.0)  # the path's length in the data's notes
    assert (speed.min() > -0.1) and 5.0 < speed.max() < 5.2
    fixes = [fix for _, fix in signals["/pose/fix"]]
    metres = math.radians(1.0) * 6_371_000.0
    east = np.array([fix.longitude_deg for fix in fixes]) * metres * math.cos(math.radians(fixes[0].latitude_deg))
    north = np.array([fix.latitude_deg for fix in fixes]) * metres
    moved = np.flatnonzero(np.hypot(np.diff(east[::20]), np.diff(north[::20])) > 0.5)
    course = np.unwrap(np.arctan2(np.diff(north[::20])[moved], np.diff(east[::20])[moved]))
    span = [fixes[20 * moved[0]].stamp_s, fixes[20 * (moved[-1] + 1)].stamp_s]
    yaw = np.array([state.yaw_rate_rps or 0.0 for state in found_states])
    inside = (t >= span[0]) & (t <= span[1])
    assert float(np.trapezoid(yaw[inside], t[inside])) == pytest.approx(course[-1] - course[0], abs=0.12)
    # what is felt sideways is what speed times yaw rate says
    felt = np.array([state.lateral_accel_mps2 or 0.0 for state in found_states])
    turning = speed > 2.0
    assert float(np.corrcoef(felt[turning], (speed * yaw)[turning])[0, 1]) > 0.9


@pytest.mark.parametrize(("name", "length_m"), [("mcity_kinematics_steering_move", 270.0), ("ego_trajectory", None)])
def test_an_odometry_by_the_book_raises_no_doubt(shared_data: Path, name: str, length_m: float | None) -> None:
    found, signals, refusals = bound(shared_data / "bags" / name)
    assert not refusals and not found.warnings
    states = [state for _, state in signals["/vehicle/state"]]
    t = np.array([state.stamp_s for state in states])
    if length_m is not None:
        assert float(np.trapezoid([state.speed_mps for state in states], t)) == pytest.approx(length_m, abs=3.0)
    assert all(state.yaw_rate_rps is not None for state in states)


def test_the_camera_bag_gives_its_lens_but_no_calibration(shared_data: Path) -> None:
    told: list[str] = []
    vehicle = choose_vehicle("auto", shared_data / "bags" / "camera_highway_a", told.append)
    mount = vehicle.cameras["front"]
    assert mount.fx_px == pytest.approx(1159.134) and mount.distortion[0] == pytest.approx(-0.257772)
    assert not mount.is_calibrated and len(told) == 1
