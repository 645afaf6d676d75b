"""The road and the motion are exact: what the vehicle records leads to where the truth says it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from synth_drives import drive

from adas_runtime.signals import LaneSide, MarkingType
from adas_runtime.synth.drive import Scenario
from adas_runtime.synth.profile import SmoothRate
from adas_runtime.synth.road import Marking, ReferenceLine

MARKETS = ("de", "jp", "ae", "cn", "eu")


def test_an_arc_of_the_reference_line_is_a_circle() -> None:
    line = ReferenceLine(((0.0, 0.01), (1.0, 0.01)), 0.0, 400.0)
    s = np.linspace(0.0, 390.0, 777)
    x, y = line.point(s, 0.0)
    assert np.abs(np.hypot(x, y - 100.0) - 100.0).max() < 1e-8
    assert np.abs(line.heading_at(s) - 0.01 * s).max() < 1e-12


@given(st.floats(-100.0, 400.0), st.floats(-8.0, 8.0), st.floats(-3.0, 3.0))
def test_projection_undoes_point(s: float, d: float, miss: float) -> None:
    line = ReferenceLine(((0.0, 0.0), (60.0, 1 / 300), (150.0, 1 / 300), (260.0, -1 / 400)), -150.0, 500.0)
    x, y = line.point(np.array([s]), d)
    back_s, back_d = line.project(x, y, np.array([s + miss]))
    assert abs(back_s[0] - s) < 1e-6
    assert abs(back_d[0] - d) < 1e-6


@given(st.lists(st.tuples(st.floats(0.2, 5.0), st.floats(-1.0, 1.0)), min_size=2, max_size=6), st.floats(0.0, 20.0))
def test_the_integral_of_a_rate_has_the_rate_as_its_slope(steps: list[tuple[float, float]], t: float) -> None:
    times = np.cumsum([0.0, *[step for step, _ in steps]])
    rate = SmoothRate(list(zip(times.tolist(), [0.0, *[value for _, value in steps]], strict=True)))
    h = 1e-4
    low, high = rate.integral(np.array([t - h])), rate.integral(np.array([t + h]))
    assert abs(float((high - low)[0]) / (2 * h) - float(rate.value(np.array([t]))[0])) < 1e-5


@given(st.floats(-50.0, 400.0), st.floats(1.0, 120.0))
def test_dashes_do_not_depend_on_where_one_looks(begin: float, reach: float) -> None:
    line = Marking(d_m=0.0, type=MarkingType.DASHED, colour=1, width_m=0.15, dash_m=6.0, gap_m=12.0)  # type: ignore[arg-type]
    pieces = line.pieces(begin, begin + reach)
    assert all(begin <= low < high <= begin + reach for low, high in pieces)
    assert all(math.floor(low / 18.0) == math.floor((high - 1e-9) / 18.0) for low, high in pieces)
    assert all(((low + high) / 2.0) % 18.0 < 6.0 for low, high in pieces)


@pytest.mark.parametrize("market", MARKETS)
def test_speed_and_yaw_rate_lead_along_the_true_path(market: str) -> None:
    made = drive(market)
    states = list(made.vehicle_states())
    speed = np.array([state.speed_mps for state in states])
    turn = np.array([state.yaw_rate_rps for state in states])
    dt = 0.01
    heading = made.motion.heading_rad[0] + np.concatenate(([0.0], np.cumsum((turn[:-1] + turn[1:]) / 2 * dt)))
    vx, vy = speed * np.cos(heading), speed * np.sin(heading)
    x = np.concatenate(([0.0], np.cumsum((vx[:-1] + vx[1:]) / 2 * dt))) + made.motion.x_m[0]
    y = np.concatenate(([0.0], np.cumsum((vy[:-1] + vy[1:]) / 2 * dt))) + made.motion.y_m[0]
    count = len(states)
    assert np.abs(heading - made.motion.heading_rad[:count]).max() < 2e-4
    assert np.hypot(x - made.motion.x_m[:count], y - made.motion.y_m[:count]).max() < 0.1  # after 700 m


def test_the_state_is_consistent_in_itself() -> None:
    made = drive("de")
    states = list(made.vehicle_states())
    steering, base = made.vehicle.steering, made.vehicle.dimensions.wheelbase_m
    for state in states[::37]:
        assert state.yaw_rate_rps is not None and state.lateral_accel_mps2 is not None
        assert state.steering_wheel_angle_rad is not None
        assert state.lateral_accel_mps2 == pytest.approx(state.speed_mps * state.yaw_rate_rps)
        curvature = state.yaw_rate_rps / state.speed_mps
        wheel = math.atan(base * curvature * (1 + steering.understeer_s2pm2 * state.speed_mps**2)) * steering.ratio
        assert state.steering_wheel_angle_rad == pytest.approx(wheel, abs=1e-9)
    accel = np.array([state.accel_mps2 for state in states])
    speed = np.array([state.speed_mps for state in states])
    assert np.abs(np.gradient(speed, 0.01) - accel).max() < 0.02


def test_satellite_fixes_follow_the_path() -> None:
    made = drive("jp")
    place = made.style.place
    for number, fix in enumerate(made.fixes()):
        north = math.radians(fix.latitude_deg - place.latitude_deg) * 6_371_000.0
        east = math.radians(fix.longitude_deg - place.longitude_deg) * 6_371_000.0
        east *= math.cos(math.radians(place.latitude_deg))
        # a sphere differs from the ellipsoid by up to 0.5 %
        reach = math.hypot(made.motion.x_m[10 * number], made.motion.y_m[10 * number])
        distance = math.hypot(east - made.motion.x_m[10 * number], north - made.motion.y_m[10 * number])
        assert distance < 2.0 + 0.006 * reach


@pytest.mark.parametrize("market", MARKETS)
def test_lane_truth_is_the_lines_themselves(market: str) -> None:
    made = drive(market)
    for index in range(0, made.frame_count, 23):
        model = made.lanes(index)
        pose = made.motion.at(made.frame_time_s(index))
        left, right = model.side(LaneSide.LEFT), model.side(LaneSide.RIGHT)
        assert left is not None and right is not None
        assert left.c0_m > 0.0 > right.c0_m
        for boundary in model.boundaries:
            x = np.linspace(0.0, boundary.x_max_m, 30)
            y = np.array([boundary.offset_m(float(at)) for at in x])
            cos, sin = math.cos(pose.heading_rad), math.sin(pose.heading_rad)
            world_x, world_y = pose.x_m + cos * x - sin * y, pose.y_m + sin * x + cos * y
            _, d = made.plan.road.line.project(world_x, world_y, pose.s_guess_m + x)
            nearest = min(made.plan.road.markings, key=lambda item, d=d: abs(item.d_m - float(np.median(d))))
            assert np.abs(d - nearest.d_m).max() < 0.02
            assert (boundary.type, boundary.colour) == (nearest.type, nearest.colour)


@pytest.mark.clause("R130 5.2.1")
@pytest.mark.parametrize("scenario", [item for item in Scenario if item is not Scenario.ROUTE])  # it turns off
def test_curves_are_within_what_the_regulation_tests(scenario: Scenario) -> None:
    made = drive("de", 60.0, 3, scenario)
    inner = np.abs(made.plan.road.line.curvature_1pm).max()
    assert 1.0 / inner - 2.0 >= 250.0
    assert np.abs(made.motion.speed_mps * made.motion.yaw_rate_rps).max() < 3.0


@pytest.mark.clause("R130 Annex 3")
def test_lane_width_is_between_inner_edges() -> None:
    made = drive("de")
    model = made.lanes(0)
    left, right = model.side(LaneSide.LEFT), model.side(LaneSide.RIGHT)
    assert left is not None and right is not None and left.width_m is not None and right.width_m is not None
    between = (left.c0_m - right.c0_m) - made.style.lane_line_m
    assert between == pytest.approx(made.market.lanes.width.nominal_m, abs=0.02)
