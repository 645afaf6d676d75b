"""Gaps of both laws and the way between lanes: UN R79 5.6.4.7 and 5.6.4.8.1.4, UN R171 6.2.4.1."""

from __future__ import annotations

import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.lateral.gap import critical_gap_m, is_critical, least_gap_m, least_speed_mps
from adas_runtime.lateral.way import eased_back, line_speed_mps, line_time_s, made_way
from adas_runtime.units import kmh_to_mps, mps_to_kmh


@pytest.mark.clause("R79 5.6.4.7")
@pytest.mark.parametrize(
    ("rear_kmh", "ego_kmh", "gap_m"),
    [
        (130, 110, 37.9),
        (130, 100, 42.7),
        (130, 90, 50.0),
        (130, 80, 59.9),
        (120, 80, 47.2),
        (110, 100, 30.2),
        (150, 100, 42.7),
    ],
)
def test_the_critical_gap_of_the_sheet(rear_kmh: float, ego_kmh: float, gap_m: float) -> None:
    assert critical_gap_m(kmh_to_mps(ego_kmh), kmh_to_mps(rear_kmh)) == pytest.approx(gap_m, abs=0.05)


@pytest.mark.clause("R79 5.6.4.7")
@pytest.mark.parametrize(
    ("rear_kmh", "gap_m", "critical"),
    [(130, 42.0, True), (130, 43.0, False), (150, 43.0, False), (150, 42.0, True), (60, 27.0, True), (60, 28.0, False)],
    ids=["v34-42", "v34-43", "v35-150-counts-as-130", "150-too-near", "slower-too-near", "slower-a-second-away"],
)
def test_v34_v35_critical_at_100_kmh(rear_kmh: float, gap_m: float, critical: bool) -> None:
    assert is_critical(kmh_to_mps(100), kmh_to_mps(rear_kmh), gap_m) is critical


@given(st.floats(0.0, 60.0), st.floats(0.0, 60.0), st.floats(0.0, 5.0))
def test_a_faster_one_behind_never_needs_less_room(ego_mps: float, rear_mps: float, more_mps: float) -> None:
    assert critical_gap_m(ego_mps, rear_mps + more_mps) >= critical_gap_m(ego_mps, rear_mps) - 1e-9
    assert critical_gap_m(ego_mps, rear_mps) >= ego_mps - 1e-9, "the way of one second is the least"


@pytest.mark.clause("R79 5.6.4.8.1.4")
@pytest.mark.parametrize(
    ("range_m", "approach_kmh", "least_kmh"),
    [
        (55, 130, 84.6),
        (60, 130, 79.9),
        (70, 130, 71.7),
        (80, 130, 64.7),
        (100, 130, 52.7),
        (55, 120, 72.0),
        (55, 110, 59.4),
        (55, 100, 47.1),
    ],
)
def test_the_least_speed_of_the_sheet(range_m: float, approach_kmh: float, least_kmh: float) -> None:
    found = least_speed_mps(range_m, kmh_to_mps(approach_kmh))
    assert mps_to_kmh(found) == pytest.approx(least_kmh, abs=0.1)
    assert critical_gap_m(found, kmh_to_mps(approach_kmh)) == pytest.approx(range_m, abs=1e-6)


def test_a_range_of_less_than_a_second_suffices_at_no_speed() -> None:
    assert math.isinf(least_speed_mps(30.0))


@pytest.mark.clause("R171 6.2.4.1")
@pytest.mark.parametrize(
    ("reaction_s", "gap_m", "allowed"),
    [(0.4, 42.7, None), (1.4, 51.0, None), (0.4, 45.0, True), (1.4, 45.0, False)],
    ids=["sheet-A-0.4", "sheet-A-1.4", "T28-A-0.4", "T28-A-1.4"],
)
def test_t28_the_gap_to_the_vehicle_behind(reaction_s: float, gap_m: float, allowed: bool | None) -> None:
    least_m = least_gap_m(kmh_to_mps(100.0), kmh_to_mps(130.0), reaction_s)
    if allowed is None:
        assert least_m == pytest.approx(gap_m, abs=0.05)
    else:
        assert (gap_m >= least_m) is allowed


@given(st.floats(1.0, 45.0), st.floats(0.0, 60.0), st.sampled_from([0.4, 1.4]))
def test_who_brakes_with_three_from_then_on_never_comes_nearer_than_a_second(
    ego_mps: float, rear_mps: float, reaction_s: float
) -> None:
    """The formula against a stepped simulation of what the clause describes."""
    gap_m = least_gap_m(ego_mps, rear_mps, reaction_s)
    nearest_m, speed_mps, t_s = gap_m, rear_mps, 0.0
    while speed_mps > ego_mps and t_s < 40.0:
        gap_m -= (speed_mps - ego_mps) * 0.01
        speed_mps -= 3.0 * 0.01 if t_s >= reaction_s else 0.0
        nearest_m, t_s = min(nearest_m, gap_m), t_s + 0.01
    assert nearest_m >= ego_mps * 1.0 - 0.4


WAYS = (st.floats(2.5, 4.5), st.floats(0.0, 1.4), st.floats(0.2, 0.8), st.floats(0.6, 1.2), st.floats(2.0, 4.0))


@given(*WAYS)
def test_the_way_is_one_movement_within_its_bounds(
    width_m: float, line_m: float, line_mps: float, accel_mps2: float, jerk_mps3: float
) -> None:
    """R79 5.6.4.6.4: from rest to rest without a halt or a step back, and slow at the marking."""
    way = made_way(width_m, line_m, line_mps, accel_mps2, jerk_mps3)
    assert way.at(0.0) == (0.0, 0.0, 0.0) and way.at(way.whole_s) == pytest.approx((width_m, 0.0, 0.0), abs=1e-6)
    motions = [way.at(way.whole_s * part / 400) for part in range(401)]
    dt_s = way.whole_s / 400
    for former, motion in itertools.pairwise(motions):
        assert motion[0] >= former[0] - 1e-9 and motion[1] >= -1e-6, "no way back"
        assert abs(motion[2]) <= accel_mps2 + 1e-6 and abs(motion[2] - former[2]) <= jerk_mps3 * dt_s + 1e-6
        assert motion[0] - former[0] == pytest.approx(0.5 * (motion[1] + former[1]) * dt_s, abs=2e-3)
    assert way.at(way.line_s)[0] == pytest.approx(way.line_m) and way.at(way.line_s)[1] <= line_mps + 1e-9
    assert way.line_s == pytest.approx(line_time_s(way.line_m, line_mps, accel_mps2, jerk_mps3))


@given(st.floats(0.1, 1.5), st.floats(0.5, 6.0))
def test_as_slow_to_the_marking_as_the_time_allows(line_m: float, in_s: float) -> None:
    bounds = {"accel_mps2": 0.8, "jerk_mps3": 4.0}
    speed_mps = line_speed_mps(line_m, in_s, least_mps=0.4, most_mps=0.6, **bounds)
    time_s = line_time_s(line_m, speed_mps, 0.8, 4.0)
    assert 0.4 <= speed_mps <= 0.6
    if line_time_s(line_m, 0.6, 0.8, 4.0) <= in_s:
        assert time_s <= in_s and (speed_mps == 0.4 or time_s >= in_s - 0.01)
    else:
        assert speed_mps == pytest.approx(0.6, abs=1e-3), "too late even so, which the caller sees"


@given(st.floats(-2.0, 2.0), st.floats(-1.3, 1.3), st.floats(-1.0, 1.0))
def test_back_within_the_bounds_and_out_no_farther_than_they_force(
    place_m: float, rate_mps: float, accel_mps2: float
) -> None:
    motion, farthest_m = (place_m, rate_mps, accel_mps2), abs(place_m)
    for _ in range(1500):
        former = motion
        motion = eased_back(*motion, 0.01, accel_max_mps2=1.0, jerk_max_mps3=3.0)
        assert abs(motion[2]) <= 1.0 + 1e-9 and abs(motion[2] - former[2]) <= 0.03 + 1e-9
        farthest_m = max(farthest_m, abs(motion[0]))
    assert abs(motion[0]) < 0.02 and abs(motion[1]) < 0.02
    speed_mps = abs(rate_mps) + 0.5 * accel_mps2**2 / 3.0 + abs(accel_mps2) / 3.0  # until the bound acts against it
    assert farthest_m <= abs(place_m) + speed_mps**2 / 2.0 + speed_mps * 0.7 + 0.05
