"""The simulated car: what the vehicle file says of steady driving must come out of its tyres."""

from __future__ import annotations

import math

import pytest

from adas_runtime.scenario.lane_camera import CameraModel, LaneCamera
from adas_runtime.scenario.lane_drive import butterworth
from adas_runtime.scenario.road import Road, bend
from adas_runtime.scenario.single_track import STEP_S, Body, Motion, SingleTrack
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

CAR = load_vehicle("reference")


def turning(speed_kmh: float, curvature_1pm: float, seconds: float = 6.0, **more: float) -> SingleTrack:
    car = SingleTrack(CAR, Road(), speed_mps=kmh_to_mps(speed_kmh), **more)
    for _ in range(round(seconds / STEP_S)):
        car.step(car.wheel_for(curvature_1pm))
    return car


@pytest.mark.parametrize("speed_kmh", [15.0, 50.0, 90.0, 130.0])
def test_a_commanded_curvature_is_driven_in_the_end(speed_kmh: float) -> None:
    accel_mps2 = min(1.5, 0.03 * kmh_to_mps(speed_kmh) ** 2)  # a radius of 33 m at least: small angles
    curvature_1pm = accel_mps2 / kmh_to_mps(speed_kmh) ** 2
    car = turning(speed_kmh, curvature_1pm)
    assert car.motion.yaw_rate_rps / car.speed_mps == pytest.approx(curvature_1pm, rel=4e-3)
    assert car.lateral_accel_mps2 == pytest.approx(accel_mps2, rel=5e-3)
    slip = math.atan2(car.rear_lateral_mps, car.speed_mps)
    assert slip == pytest.approx(-CAR.steering.rear_slip_s2pm * accel_mps2, rel=5e-3), "the nose points into the bend"


@pytest.mark.parametrize("curvature_1pm", [0.0, 0.003, -0.003])
def test_it_begins_settled_on_its_road(curvature_1pm: float) -> None:
    car = SingleTrack(CAR, Road(((0.0, curvature_1pm),)), speed_mps=25.0)
    for _ in range(300):
        car.step(car.wheel_for(curvature_1pm))
    assert abs(car.motion.d_m) < 0.01


def test_the_actuator_waits_and_lags() -> None:
    car = SingleTrack(CAR, Road(), speed_mps=25.0, delay_s=0.1, lag_s=0.1)
    wheels = []
    for _ in range(100):
        car.step(0.01)
        wheels.append(car.motion.wheel_rad)
    assert wheels[9] == 0.0 and wheels[10] > 0.0
    assert wheels[19] == pytest.approx(0.01 * (1.0 - math.exp(-1.0)), rel=0.02), "63 % after delay and lag"
    assert wheels[-1] == pytest.approx(0.01, rel=0.01)


def test_the_wheels_turn_no_faster_than_the_actuator_can() -> None:
    car = SingleTrack(CAR, Road(), speed_mps=5.0, delay_s=0.0, lag_s=0.0)
    car.step(10.0)
    assert car.motion.wheel_rad == pytest.approx(CAR.steering.wheel_rate_max_rps / CAR.steering.ratio * STEP_S)


@pytest.mark.parametrize("wind_mps", [10.0, -10.0])
def test_wind_from_the_right_pushes_to_the_left(wind_mps: float) -> None:
    car = SingleTrack(CAR, Road(), speed_mps=30.0)
    for _ in range(200):
        car.step(0.0, wind_mps=wind_mps)
    assert car.motion.d_m * wind_mps > 0.0 and 0.3 < abs(car.motion.d_m) < 5.0
    assert 400.0 < abs(car.side_force_n) < 1500.0, "of the size that side force coefficients of cars give"


def test_energy_of_numbers_is_kept_a_heavier_car_is_not_lost() -> None:
    car = SingleTrack(CAR, Road(), speed_mps=5.0, body=Body(mass_kg=2500.0, inertia_factor=1.2))
    for index in range(3000):
        car.step(0.1 * math.sin(index * 0.05))
    assert math.isfinite(car.motion.d_m) and abs(car.motion.yaw_rate_rps) < 1.0


def test_distances_to_the_lines_are_those_of_the_front_tyres() -> None:
    car = SingleTrack(CAR, Road(), speed_mps=25.0, start=Motion(d_m=0.2, heading_rad=0.02))
    left_m, right_m = car.dtlm_m(3.5)
    beside_m = 0.2 + CAR.dimensions.wheelbase_m * math.sin(0.02)
    free_m = 1.75 - CAR.dimensions.tyre_outer_width_m / 2.0
    assert (left_m, right_m) == (pytest.approx(free_m - beside_m), pytest.approx(free_m + beside_m))


def test_a_road_is_linear_between_its_knots() -> None:
    road = bend(0.01, straight_m=100.0, clothoid_m=50.0, arc_m=200.0)
    assert [road.curvature_1pm(s) for s in (-5.0, 50.0, 125.0, 300.0, 1000.0)] == pytest.approx([0, 0, 0.005, 0.01, 0])
    assert road.rate_1pm2(125.0) == pytest.approx(0.01 / 50.0) and road.rate_1pm2(300.0) == 0.0
    with pytest.raises(ValueError, match="ascending"):
        Road(((0.0, 0.0), (0.0, 0.1)))


def test_the_camera_is_late_blind_when_told_and_the_same_twice() -> None:
    seen = []
    for _ in range(2):
        car, camera = SingleTrack(CAR, Road(), speed_mps=25.0), LaneCamera(CameraModel(offset_std_m=0.05, seed=7))
        lanes = []
        for index in range(100):
            lane = camera.look(car, 10.0 + index * STEP_S, is_blind=index >= 50)
            if lane is not None and (not lanes or lane is not lanes[-1][1]):
                lanes.append((10.0 + index * STEP_S, lane))
            car.step(0.0)
        assert all(now_s - lane.stamp_s >= 0.05 - 1e-9 for now_s, lane in lanes)
        assert lanes[-1][1].stamp_s < 10.5
        seen.append([lane for _, lane in lanes])
    assert seen[0] == seen[1]


def test_the_laws_filter_passes_the_slow_and_stops_the_fast() -> None:
    """Butterworth, fourth order, 0.5 Hz: half the power at the cut, a sixteenth of the amplitude an octave above."""
    for hertz, expected in ((0.05, 1.0), (0.5, math.sqrt(0.5)), (1.0, 1.0 / math.sqrt(1.0 + 2.0**8))):
        wave = [math.sin(2.0 * math.pi * hertz * index * STEP_S) for index in range(6000)]
        assert max(butterworth(wave)[3000:]) == pytest.approx(expected, rel=0.03)
