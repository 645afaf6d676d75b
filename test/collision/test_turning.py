"""Our turn, drawn ahead: who is met in it, and who is not."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.aeb.core import Inputs, build
from adas_runtime.aeb.states import State
from adas_runtime.collision.turning import AHEAD_S, Box, Other, drawn, entry_m, meeting, touch_s
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.signals import ObjectClass, TrackedObject, TrackedObjects, VehicleState
from adas_runtime.vehicle import load_vehicle

OURS, CAR = Box(2.15, 0.9), Box(2.15, 0.9)
MIDDLE_M = 1.35
LEFT = drawn(5.0, 0.0, 0.08, 0.0, MIDDLE_M)  # 12.5 m of radius
# 3.5 m to our left, towards us, and where our front is 1.3 s from now
MEETS = Other(14.0, 3.5, math.pi, 8.0, 0.0, 0.0, CAR)


def test_an_arc_is_drawn_as_an_arc() -> None:
    """The middle of the car is on a circle about the centre of the turn."""
    for x_m, y_m, cosine, sine, way_m in LEFT.ways:
        assert math.hypot(x_m, y_m - 12.5) == pytest.approx(math.hypot(12.5, MIDDLE_M), rel=1e-3)
        assert math.atan2(sine, cosine) == pytest.approx(0.08 * way_m, abs=1e-9)
    assert LEFT.ways[-1][4] == pytest.approx(5.0 * AHEAD_S)


def test_who_comes_towards_us_and_is_there_when_we_are_is_met() -> None:
    found = meeting(LEFT, OURS, MEETS, is_walking=False, is_braked_for=False)
    assert found is not None and found.is_sure and not found.is_from_inside
    assert 0.0 < found.entry_m / 5.0 <= found.touch_s < AHEAD_S


@pytest.mark.parametrize("x_m", [-6.0, 1.0, 60.0])
def test_who_is_past_or_comes_later_is_not(x_m: float) -> None:
    assert meeting(LEFT, OURS, replace(MEETS, x_m=x_m), is_walking=False, is_braked_for=False) is None


def test_who_follows_the_bend_as_we_do_is_not_but_a_pedestrian_is() -> None:
    """It turns to its right on our left-hand bend: no straight line of its is its way."""
    bends = replace(MEETS, turn_rps=-0.4)
    assert meeting(LEFT, OURS, bends, is_walking=False, is_braked_for=False) is None
    assert meeting(LEFT, OURS, bends, is_walking=True, is_braked_for=False) is not None


def test_who_comes_from_the_side_that_we_turn_to_is_told_so() -> None:
    crosses = Other(9.0, 9.0, -2.0, 6.0, 0.0, 0.0, CAR)
    found = meeting(LEFT, OURS, crosses, is_walking=False, is_braked_for=False)
    assert found is not None and found.is_from_inside


def test_a_wheel_that_goes_back_keeps_us_beside_who_waits_at_the_end_of_the_turn() -> None:
    beside = Other(14.0, 3.5, math.pi, 3.0, 0.0, 0.0, CAR)
    soft = drawn(5.0, 0.0, 0.05, 0.0, MIDDLE_M)
    found = meeting(soft, OURS, beside, is_walking=False, is_braked_for=False)
    assert found is not None and not found.is_sure


def test_who_is_braked_for_is_met_until_it_is_past() -> None:
    late = replace(MEETS, x_m=16.0, speed_mps=14.0)
    slow = drawn(1.5, 0.0, 0.1, 0.0, MIDDLE_M)
    near = replace(late, y_m=2.0)
    assert meeting(slow, OURS, near, is_walking=False, is_braked_for=True) is not None
    assert meeting(slow, OURS, replace(near, x_m=-8.0), is_walking=False, is_braked_for=True) is None


def test_a_driver_who_brakes_for_it_is_believed() -> None:
    braking = drawn(5.0, -6.0, 0.08, 0.0, MIDDLE_M)
    assert entry_m(LEFT.ways, OURS, MEETS) is not None and entry_m(braking.ways, OURS, MEETS) is None


def test_left_and_right_are_mirrored() -> None:
    right = drawn(5.0, 0.0, -0.08, 0.0, MIDDLE_M)
    mirrored = replace(MEETS, y_m=-3.5)
    assert entry_m(right.ways, OURS, mirrored) == pytest.approx(entry_m(LEFT.ways, OURS, MEETS))
    assert touch_s(right.ways, OURS, mirrored, 0.0) == touch_s(LEFT.ways, OURS, MEETS, 0.0)


@given(
    st.floats(0.0, 30.0), st.floats(-10.0, 10.0), st.floats(-1.0, 1.0), st.floats(-5.0, 5.0),
    st.floats(-50.0, 50.0), st.floats(-50.0, 50.0), st.floats(-4.0, 4.0), st.floats(0.0, 60.0),
)  # fmt: skip
def test_whatever_comes_the_entry_lies_on_our_way(
    speed: float, accel: float, curvature: float, rate: float, x: float, y: float, course: float, own: float
) -> None:
    turn = drawn(speed, accel, curvature, rate, MIDDLE_M)
    found = meeting(turn, OURS, Other(x, y, course, own, 0.0, 0.1, CAR), is_walking=False, is_braked_for=False)
    if found is not None:
        assert 0.0 <= found.entry_m <= turn.ways[-1][4] and 0.0 <= found.touch_s <= AHEAD_S


@pytest.mark.clause("R152 5.3")
@pytest.mark.parametrize(("rate_rps", "state"), [(5.0, State.BRAKE), (-5.0, State.INTERRUPTED)])
def test_to_turn_on_is_no_evasion_and_to_turn_back_is(rate_rps: float, state: State) -> None:
    core = build(BuildContext(market=load_market("de"), vehicle=load_vehicle("reference")))
    speed_mps, yaw_rps, now_s = 5.0, 0.4, 100.0
    x_m, y_m, course = MEETS.x_m, MEETS.y_m, MEETS.course_rad  # of the oncoming car's middle, in our frame
    for _ in range(14):  # back to 0.7 s before
        course += 0.05 * yaw_rps
        x_m, y_m = (
            x_m - 0.05 * (8.0 * math.cos(course) - speed_mps + yaw_rps * y_m),
            y_m - 0.05 * (8.0 * math.sin(course) - yaw_rps * x_m),
        )
    for _ in range(60):
        now_s += 0.05
        is_braking = core.state.state is State.BRAKE
        vehicle = VehicleState(
            stamp_s=now_s, speed_mps=speed_mps, yaw_rate_rps=yaw_rps, accel_mps2=0.0,
            steering_wheel_rate_rps=rate_rps if is_braking else 0.0,
        )  # fmt: skip
        x_m += 0.05 * (8.0 * math.cos(course) - speed_mps + yaw_rps * y_m)
        y_m += 0.05 * (8.0 * math.sin(course) - yaw_rps * x_m)
        course -= 0.05 * yaw_rps
        half_m = 2.15 * abs(math.cos(course)) + 0.9 * abs(math.sin(course))
        car = TrackedObject(
            object_id=1, object_class=ObjectClass.CAR, x_m=x_m - half_m, y_m=y_m,
            speed_x_mps=8.0 * math.cos(course), speed_y_mps=8.0 * math.sin(course), length_m=4.3, width_m=1.8,
            x_std_m=0.1, y_std_m=0.1, speed_x_std_mps=0.1, confidence=0.9, age_s=3.0, sources=("camera", "radar"),
        )  # fmt: skip
        core.step(Inputs(vehicle=vehicle, objects=TrackedObjects(stamp_s=now_s, objects=(car,))), now_s)
        if is_braking:
            break
    assert is_braking and core.state.state is state
