"""Guesses: by type and name, judged by what is measured; what stays ambiguous is not used, and never an output."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from foreign_drives import bound, custom, each, fix, header, make, motion, odometry, states, twist, worst, write

from adas_runtime.inputs.guess import guess

DRIVE = motion()
STRAIGHT = motion(is_straight=True)
DEG = 180.0 / math.pi
RATIO_M = 15.0 * 2.7  # steering ratio times wheelbase


def of_type(kind: str, text: str, **fields: Any) -> tuple[Any, Any]:
    """A typestore and a teller of a message with a header and these fields, each a function of the moment."""
    store = custom({kind: "std_msgs/Header header\n" + text})

    def tell(m: Any) -> Any:
        return make(kind, store, header=header(m.t_s), **{name: value(m) for name, value in fields.items()})

    return store, tell


@pytest.mark.parametrize(("scale", "unit"), [(1.0, "m/s"), (3.6, "km/h"), (1 / 0.44704, "mph")])
def test_a_speed_of_an_unknown_type_gets_its_unit_from_the_fixes(tmp_path: Path, scale: float, unit: str) -> None:
    store, tell = of_type("acme/msg/Report", "float32 vehicle_speed\n", vehicle_speed=lambda m: scale * m.speed_mps)
    path = write(tmp_path / "bag", {"/acme/report": each(DRIVE, tell), "/fix": each(DRIVE, fix, 5)}, store)
    found, signals, _ = bound(path)
    assert worst(signals, DRIVE, "speed_mps") < 1e-4
    assert f"speed in {unit}" in found.feeds["/acme/report"].note


def test_a_speed_without_evidence_of_its_unit_is_not_used_and_the_mend_is_told(tmp_path: Path) -> None:
    store, tell = of_type("acme/msg/Report", "float32 speed\n", speed=lambda m: m.speed_mps)
    topics = {"/acme/report": each(DRIVE, tell), "/fix": [(0.0, fix(DRIVE[0])), (30.0, fix(DRIVE[-1]))]}
    found, signals, _ = bound(write(tmp_path / "bag", topics, store))
    assert not states(signals)
    assert any("nothing tells its unit: not used" in text and "input map" in text for text in found.warnings)


@pytest.mark.parametrize(("name", "factor"), [("speed_kmh", 3.6), ("velocity_mps", 1.0), ("speedMph", 1 / 0.44704)])
def test_a_unit_in_the_name_is_believed(tmp_path: Path, name: str, factor: float) -> None:
    store, tell = of_type("acme/msg/Report", f"float64 {name}\n", **{name: lambda m: factor * m.speed_mps})
    _, signals, _ = bound(write(tmp_path / "bag", {"/report": each(DRIVE, tell)}, store))
    assert worst(signals, DRIVE, "speed_mps") < 1e-9


def test_a_plain_number_is_called_like_its_topic(tmp_path: Path) -> None:
    """`std_msgs` numbers have neither a stamp nor a name of their own."""
    topics = {
        "/vehicle/speed": each(DRIVE, lambda m: make("std_msgs/msg/Float64", data=3.6 * m.speed_mps)),
        "/vehicle/yaw_rate_rps": each(DRIVE, lambda m: make("std_msgs/msg/Float64", data=m.yaw_rate_rps)),
        "/fix": each(DRIVE, fix, 5),
    }
    found, signals, _ = bound(write(tmp_path / "bag", topics))
    assert worst(signals, DRIVE, "speed_mps") < 1e-9
    assert all(state.yaw_rate_rps is not None for t, state in states(signals) if t > 1.0)
    assert "speed in km/h" in found.feeds["/vehicle/speed"].note


def test_values_that_look_alike_are_not_chosen_among(tmp_path: Path) -> None:
    store, tell = of_type(
        "acme/msg/Report",
        "float64 speed_mps\nfloat64 velocity_mps\n",
        speed_mps=lambda m: m.speed_mps,
        velocity_mps=lambda m: 0.0,
    )
    path = write(tmp_path / "bag", {"/report": each(DRIVE, tell), "/fix": each(DRIVE, fix, 5)}, store)
    found, signals, _ = bound(path)
    assert not states(signals)
    assert "look alike" in found.feeds["/report"].note


@pytest.mark.parametrize("name", ["/control/cmd_vel", "/planner/target_speed", "/reference/odometry", "/truth/ego"])
def test_what_was_commanded_or_is_truth_is_no_input(tmp_path: Path, name: str) -> None:
    tell = odometry if "odo" in name or "ego" in name else twist
    found, signals, _ = bound(write(tmp_path / "bag", {name: each(DRIVE, tell), "/fix": each(DRIVE, fix, 5)}))
    assert found.feeds[name].feeds == () and not states(signals)


def test_recorded_outputs_of_ours_never_pass_for_inputs() -> None:
    kinds = {
        "/adas/vehicle/state": "adas_interfaces/msg/VehicleState",
        "/adas/lane_perception/camera": "sensor_msgs/msg/CompressedImage",
        "/truth/state": "adas_interfaces/msg/VehicleState",
        "/viz/image": "sensor_msgs/msg/Image",
    }
    for feed in guess(kinds):
        assert feed.feeds == () and "not an input" in feed.note


@pytest.mark.parametrize(
    ("scale", "used", "word"),
    [
        (RATIO_M, True, "in rad"),
        (RATIO_M * DEG, True, "in deg"),
        (-RATIO_M * DEG, True, "right positive: turned"),
        (2.7, False, "the road wheels' angle, not the steering wheel's"),
    ],
    ids=["rad", "deg", "right", "tyre"],
)
def test_a_steering_angle_gets_unit_and_sign_from_the_bends(
    tmp_path: Path, scale: float, used: bool, word: str
) -> None:
    def wheel(m: Any) -> float:
        return scale * (m.yaw_rate_rps / m.speed_mps if m.speed_mps > 0.5 else 0.0)

    store, tell = of_type("acme/msg/Steer", "float64 steering_angle\n", steering_angle=wheel)
    path = write(tmp_path / "bag", {"/steer": each(DRIVE, tell), "/odom": each(DRIVE, odometry)}, store)
    found, signals, _ = bound(path)
    assert word in found.feeds["/steer"].note
    assert bool(found.feeds["/steer"].feeds) is used
    for t_s, state in states(signals):
        if not used:
            assert state.steering_wheel_angle_rad is None
        elif t_s > 2.0:
            assert state.steering_wheel_angle_rad is not None
            now_or_before = [DRIVE[max(0, round(t_s * 25) - back)] for back in (0, 1)]
            truth = [RATIO_M * m.yaw_rate_rps / max(m.speed_mps, 0.5) for m in now_or_before]
            assert min(abs(state.steering_wheel_angle_rad - value) for value in truth) < 1e-6


def test_a_steering_angle_on_a_straight_road_is_not_used(tmp_path: Path) -> None:
    store, tell = of_type("acme/msg/Steer", "float64 steering_angle\n", steering_angle=lambda m: 0.01)
    topics = {"/steer": each(STRAIGHT, tell), "/odom": each(STRAIGHT, odometry)}
    found, _, _ = bound(write(tmp_path / "bag", topics, store))
    assert found.feeds["/steer"].feeds == ()
    assert "hardly bends" in found.feeds["/steer"].note


def test_a_joint_is_the_wheel_by_its_name_and_in_rad_by_its_type(tmp_path: Path) -> None:
    def joint(m: Any) -> Any:
        return make("sensor_msgs/msg/JointState", header=header(m.t_s), name=["wheel"], position=[0.25])

    topics = {"/vehicle/steering_wheel_angle": each(STRAIGHT, joint), "/odom": each(STRAIGHT, odometry)}
    _, signals, _ = bound(write(tmp_path / "bag", topics))
    assert {state.steering_wheel_angle_rad for t, state in states(signals) if t > 1.0} == {0.25}


def test_an_empty_joint_state_is_absent(tmp_path: Path) -> None:
    def joint(m: Any) -> Any:
        return make("sensor_msgs/msg/JointState", header=header(m.t_s))

    topics = {"/vehicle/steering_wheel_angle": each(STRAIGHT, joint), "/odom": each(STRAIGHT, odometry)}
    _, signals, refusals = bound(write(tmp_path / "bag", topics))
    assert not refusals
    assert all(state.steering_wheel_angle_rad is None for _, state in states(signals))


def test_a_fix_that_is_none_says_nothing(tmp_path: Path) -> None:
    sent = [(m.t_s, fix(m, status=-1 if m.t_s < 20.0 else 2)) for m in DRIVE]
    _, signals, refusals = bound(write(tmp_path / "bag", {"/fix": sent}))
    assert not refusals
    assert min(t for t, _ in signals["/pose/fix"]) >= 20.0


def test_the_front_camera_is_told_from_the_others() -> None:
    image = "sensor_msgs/msg/CompressedImage"
    others = ["/camera/rear/image", "/camera/front_left/image", "/driver_camera/image", "/depth/image"]
    kinds = dict.fromkeys([*others, "/camera/front/image"], image)
    assert [feed.topic for feed in guess(kinds) if feed.feeds] == ["/camera/front/image"]
    assert not any(feed.feeds for feed in guess({"/camera/rear/image": image, "/driver_camera/image": image}))


def test_values_of_another_topic_are_absent_once_they_are_old(tmp_path: Path) -> None:
    name = "steering_wheel_angle_deg"
    store, tell = of_type("acme/msg/Steer", f"float64 {name}\n", **{name: lambda m: 10.0})
    early = [m for m in DRIVE if m.t_s < 10.0]
    path = write(tmp_path / "bag", {"/steer": each(early, tell), "/odom": each(DRIVE, odometry)}, store)
    _, signals, _ = bound(path)
    for t_s, state in states(signals):
        is_known = state.steering_wheel_angle_rad is not None
        if t_s > 0.1 and abs(t_s - 10.16) > 0.02:
            assert is_known == (t_s < 10.16), t_s


def test_numpy_and_bytes_of_the_wire_are_read_alike() -> None:
    from adas_runtime.inputs.binder import _text

    assert [_text(value) for value in (np.uint8(3), 3, b"\x03", 3.0, np.bool_(True), "3")] == ["3"] * 4 + ["true", "3"]
