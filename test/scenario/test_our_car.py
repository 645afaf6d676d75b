"""Our car in the closed loop: steered by a driver or a command, in bends and wind, to a stop; beside a second model."""

from __future__ import annotations

import math
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from vehiclemodels.vehicle_dynamics_st import vehicle_dynamics_st

from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.scenario.braking import Drive, Outcome, drive, loop_graph
from adas_runtime.scenario.family import Family
from adas_runtime.scenario.opendrive import Course, chained
from adas_runtime.scenario.our_car import Curvature, OnCourse, Steered
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import ROLLING_MPS, STEP_S, Motion, SingleTrack
from adas_runtime.signals import ActuationCommand
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

VEHICLE = load_vehicle("reference")
FRONT_M = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
GRAVITY_MPS2 = 9.81
GERMANY = load_market("de", is_dated=False)
FAST = {"series": "01", "speed_max_kmh": 130.0, "speed_unknown_kmh": 130.0}


def fast_market() -> Market:
    """Germany with the 01 series up to 130 km/h."""
    return GERMANY.model_copy(update={"alks": GERMANY.alks.model_copy(update=FAST)})


def bend(radius_m: float, from_m: float = 60.0) -> Curvature:
    """Straight, a transition of 60 m, then an arc."""
    return lambda way_m: min(max((way_m - from_m) / 60.0, 0.0), 1.0) / radius_m


# --- beside a second model --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("speed_mps", [8.0, 20.0, 33.0])
def test_the_single_track_moves_as_that_of_commonroad(speed_mps: float) -> None:
    """`commonroad-vehicle-models` has the same tyres in front and behind, so only a car without understeer compares."""
    slip_s2pm = 0.005
    steering = VEHICLE.steering.model_copy(update={"understeer_s2pm2": 0.0, "rear_slip_s2pm": slip_s2pm})
    vehicle = VEHICLE.model_copy(update={"steering": steering})
    ours = SingleTrack(vehicle, Road(), speed_mps=speed_mps, delay_s=0.0, lag_s=0.0)
    rear_m = ours.base_m * ours.body.front_share
    front_m = ours.base_m - rear_m
    mass = ours.body.mass_kg
    free = SimpleNamespace(min=-1.0, max=1.0, v_min=-9.0, v_max=9.0)
    speeds = SimpleNamespace(v_min=0.0, v_max=60.0, v_switch=10.0, a_max=10.0)
    theirs = SimpleNamespace(
        a=front_m, b=rear_m, m=mass, I_z=mass * front_m * rear_m, h_s=0.0, steering=free, longitudinal=speeds,
        tire=SimpleNamespace(p_dy1=1.0, p_ky1=-1.0 / (slip_s2pm * GRAVITY_MPS2)),
    )  # fmt: skip
    state = [rear_m, 0.0, 0.0, speed_mps, 0.0, 0.0, 0.0]  # of the centre of gravity; ours counts from the rear axle
    for index in range(600):
        wheel_rad = 0.4 / speed_mps * math.sin(0.02 * index)
        ours.step(wheel_rad)
        rate_rps, h = (wheel_rad - state[2]) / STEP_S, STEP_S / 4.0
        for _ in range(4):
            half = [
                a + 0.5 * h * b for a, b in zip(state, vehicle_dynamics_st(state, [rate_rps, 0.0], theirs), strict=True)
            ]
            slope = vehicle_dynamics_st(half, [rate_rps, 0.0], theirs)
            state = [a + h * b for a, b in zip(state, slope, strict=True)]
        motion = ours.motion
        x_m, y_m = state[0] - rear_m * math.cos(state[4]), state[1] - rear_m * math.sin(state[4])
        assert math.dist((motion.s_m, motion.d_m), (x_m, y_m)) < 2e-3 * speed_mps
        assert motion.heading_rad == pytest.approx(state[4], abs=2e-3)
        assert motion.yaw_rate_rps == pytest.approx(state[5], abs=2e-3)
    assert abs(motion.d_m) > 0.2, "it did steer"


# --- the car ----------------------------------------------------------------------------------------------------------


def test_both_cars_go_the_same_straight_way() -> None:
    exact, steered = OnCourse(FRONT_M, 20.0, None), Steered(VEHICLE, FRONT_M, 20.0, None)
    for index in range(1800):
        accel_mps2 = -2.0 if index > 300 else 0.5
        for car in (exact, steered):
            car.step(accel_mps2, None, 0.0)
    assert steered.speed_mps == exact.speed_mps == 0.0
    assert (steered.x_m, steered.y_m, steered.way_m) == (
        pytest.approx(exact.x_m), pytest.approx(0.0, abs=1e-9), pytest.approx(exact.way_m),
    )  # fmt: skip


@pytest.mark.parametrize("lateral_mps2", [-2.0, 0.5, 2.5])
@pytest.mark.parametrize("speed_kmh", [10.0, 30.0, 60.0, 130.0])
def test_the_driver_keeps_to_the_bend(speed_kmh: float, lateral_mps2: float) -> None:
    speed_mps = kmh_to_mps(speed_kmh)
    radius_m = max(speed_mps**2 / abs(lateral_mps2), 12.0)
    course = bend(math.copysign(radius_m, lateral_mps2))
    car = Steered(VEHICLE, FRONT_M, speed_mps, course)
    exact = OnCourse(FRONT_M, speed_mps, course)
    for _ in range(round(max(12.0, 200.0 / speed_mps) / STEP_S)):
        car.step(0.0, None, 0.0)
        exact.step(0.0, None, 0.0)
        assert abs(car.offset_m) < 0.3
    assert car.yaw_rate_rps == pytest.approx(exact.yaw_rate_rps, rel=0.03)
    assert math.dist((car.x_m, car.y_m), (exact.x_m, exact.y_m)) < 0.01 * exact.way_m


def test_wind_moves_it_and_the_driver_holds_against_it() -> None:
    car = Steered(VEHICLE, FRONT_M, 30.0, None)
    offsets = []
    for _ in range(1000):
        car.step(0.0, None, 10.0)
        offsets.append(car.offset_m)
    assert 0.02 < max(offsets) < 1.0
    assert offsets[-1] == pytest.approx(offsets[-200], abs=0.02), "it does not drift away"


def test_a_command_steers_by_its_share() -> None:
    """Against a driver who holds the straight way, so half the authority leads less than half as far."""
    offset_m = {}
    for authority in (0.0, 0.5, 1.0):
        car = Steered(VEHICLE, FRONT_M, 20.0, None)
        command = ActuationCommand(
            stamp_s=1.0,
            author="envelope",
            counter=1,
            is_lateral_active=True,
            curvature_1pm=0.004,
            lateral_authority=authority,
        )
        for _ in range(200):
            car.step(0.0, command, 0.0)
        offset_m[authority] = car.offset_m
    acts_s = 2.0 - VEHICLE.steering.delay_s - VEHICLE.steering.lag_s
    assert offset_m[0.0] == 0.0
    assert offset_m[1.0] == pytest.approx(0.5 * 0.004 * (20.0 * acts_s) ** 2, rel=0.25)
    assert 0.05 < offset_m[0.5] < 0.5 * offset_m[1.0]


@given(st.lists(st.tuples(st.floats(-9.0, 3.0), st.floats(-0.3, 0.3), st.floats(-20.0, 20.0)), max_size=60))
def test_nothing_that_is_asked_of_it_loses_it(acts: list[tuple[float, float, float]]) -> None:
    """However it is steered, braked to a stop and blown at: finite, never backwards, never faster than it is."""
    car = Steered(VEHICLE, FRONT_M, 6.0, None)
    for accel_mps2, curvature_1pm, wind_mps in acts:
        command = ActuationCommand(
            stamp_s=1.0,
            author="envelope",
            counter=1,
            is_lateral_active=True,
            curvature_1pm=curvature_1pm,
            lateral_authority=1.0,
        )
        for _ in range(10):
            former = car.x_m, car.y_m
            car.step(accel_mps2, command, wind_mps)
            assert car.speed_mps >= 0.0
            assert math.dist(former, (car.x_m, car.y_m)) <= (car.speed_mps + 4.0) * STEP_S
            assert math.isfinite(car.heading_rad) and math.isfinite(car.offset_m)


def test_slowing_down_in_a_bend_does_not_jump_where_the_wheels_begin_to_roll() -> None:
    car = SingleTrack(VEHICLE, Road(), speed_mps=2.0, start=Motion(wheel_rad=0.2))
    for _ in range(100):
        car.step(0.2)
    before = None
    while car.speed_mps > 0.0:
        car.step(0.2, accel_mps2=-0.5)
        if before is not None:
            assert abs(car.motion.yaw_rate_rps - before) < 0.02
            assert car.motion.yaw_rate_rps >= 0.0
        before = car.motion.yaw_rate_rps
    assert car.motion.yaw_rate_rps < 0.005 and ROLLING_MPS < 2.0
    still = car.motion
    car.step(0.2)
    there = (car.motion.s_m, car.motion.d_m, car.motion.heading_rad)
    assert there == (still.s_m, still.d_m, still.heading_rad), "who stands does not turn"


# --- the loop ---------------------------------------------------------------------------------------------------------


def held(wind_mps: float, radius_m: float = -900.0) -> Outcome:
    """Automated lane keeping at 100 km/h in a bend, alone."""
    course = Course(chained([(20.0, 0.0, 0.0), (60.0, 0.0, 1.0 / radius_m), (900.0, 1.0 / radius_m, 1.0 / radius_m)]))
    case = Drive(
        name="held", speed_mps=kmh_to_mps(100.0), actors=(), lane="path", course=course, wind_mps=wind_mps, long_s=15.0
    )
    return drive(case, fast_market(), VEHICLE, loop_graph("alks"), ego="alks")


@pytest.mark.clause("R157 5.2.1")
def test_automated_lane_keeping_steers_the_car_through_a_bend() -> None:
    found = held(8.0)
    assert found.tyre_m is not None and found.lateral_mps2 is not None
    assert 0.5 * VEHICLE.dimensions.tyre_outer_width_m < found.tyre_m < 1.6 and not found.is_out_of_lane
    assert found.lateral_mps2 == pytest.approx(kmh_to_mps(100.0) ** 2 / 900.0, rel=0.4)
    assert found.result("held", {}, "pass", [])["verdict"] == "pass"


@pytest.mark.clause("R157 5.2.1")
def test_a_tyre_over_the_line_fails_the_drive() -> None:
    found = held(35.0)  # a storm, more than it may steer against
    assert found.is_out_of_lane
    result = found.result("held", {}, "pass", [])
    assert result["verdict"] == "fail" and "a tyre leaves the lane" in result["failures"][0]


def family(folder: Path, **changes: object) -> Family:
    """A car ahead that brakes in a bend."""
    text = {
        "format": 1, "name": "bend", "title": "A bend", "grid": {"speed_kmh": [60]}, "speed_kmh": "$speed_kmh",
        "bend": {"radius_m": "$speed_kmh * 3", "from_m": 10},
        "actors": [{"kind": "car", "rear_m": 40, "speed_kmh": "$speed_kmh", "brakes": {"at_s": 4, "decel_mps2": 5}}],
        "judge": {"impact_max_kmh": 0},
    }  # fmt: skip
    path = folder / "bend.yaml"
    path.write_text(yaml.safe_dump({**text, **changes}), encoding="utf-8")
    return Family(path)


def test_road_users_of_a_family_follow_its_bend(tmp_path: Path) -> None:
    """The car ahead is followed and braked for in the bend; were it to go straight on, it would leave our way."""
    case = family(tmp_path).cases[0].drive
    assert case.course is not None and case.lane == "path"
    found = drive(case, GERMANY, VEHICLE, loop_graph())
    assert found.braked_s is not None and found.impact_mps is None and 0.0 < found.gap_m < 10.0
    straight = family(tmp_path, bend=None).cases[0].drive
    assert straight.course is None and straight.lane == "straight"


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"bend": {"radius_m": 5}}, "a bend of 5 m"),
        ({"bend": {"radius_m": 0}}, "a bend of 0 m"),
        ({"bend": {"radius_m": 300, "transition_m": 0}}, "a transition of 0 m"),
        ({"bend": {"radius_m": 300, "from_m": -1}}, "from -1 m on"),
        ({"actors": [{"kind": "car", "rear_m": 40, "reacts": {}}]}, "who reacts drives on a straight road"),
    ],
)
def test_a_bend_that_is_none_is_refused_in_one_line(tmp_path: Path, changes: dict[str, object], text: str) -> None:
    from adas_runtime.errors import AdasError

    with pytest.raises(AdasError) as error:
        family(tmp_path, **changes)
    assert text in error.value.line() and "\n" not in error.value.line()
