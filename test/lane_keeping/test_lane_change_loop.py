"""Automatic lane change in closed loop: the simulated car, all lane functions that steer, arbiter and envelope."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from steering_drives import CAR, MARKET

from adas_runtime.scenario.change_grid import ALL, NOISE, Case, drive, made_ready, measured, ready_for
from adas_runtime.scenario.lane_drive import butterworth
from adas_runtime.scenario.motorway import Does, Motorway, Tick
from adas_runtime.scenario.single_track import STEP_S
from adas_runtime.signals import Indicator, LampDemand
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

LEFT = Does(indicator=Indicator.LEFT)
TYRE_M = 0.5 * CAR.dimensions.tyre_outer_width_m


def ready(**more: Any) -> Motorway:
    return made_ready(MARKET, CAR, **more)


@pytest.mark.parametrize(
    "case",
    [
        Case(speed_kmh=66.0),
        Case(speed_kmh=100.0, side=-1),
        Case(speed_kmh=130.0),
        Case(speed_kmh=66.0, bend_mps2=1.2, side=-1),
        Case(speed_kmh=100.0, bend_mps2=-1.2),
        Case(speed_kmh=130.0, bend_mps2=1.2, side=-1),
        Case(speed_kmh=130.0, wind_mps=8.0),
        Case(speed_kmh=100.0, delay_s=0.14, lag_s=0.14),
        Case(speed_kmh=130.0, delay_s=0.04, lag_s=0.04),
        Case(speed_kmh=100.0, width_m=3.0),
        Case(speed_kmh=100.0, width_m=3.75),
    ],
    ids=str,
)
@pytest.mark.clause("R79 5.6.4.4")
def test_the_times_and_accelerations_of_the_law(case: Case) -> None:
    result = drive(case, MARKET, CAR)
    assert result.states == ("procedure", "approach", "manoeuvre", "settle", "resume", "standby")
    assert result.moved_s >= 1.0, "L7"
    assert 3.0 <= result.touch_s <= 5.0, "L8: the true tyre at the true marking"
    assert result.across_s - result.touch_s < 5.0, "L10"
    assert result.added_mps2 <= 1.0, "L5"
    assert result.jerk_mps3 <= 5.0, "L5"
    assert result.lamp_off_s - result.resumed_s <= 0.5, "L11"
    assert result.overshoot_m <= 0.1 and result.last_error_m <= 0.1
    assert result.corrections == 0, "emergency lane keeping knows that the line is crossed on purpose"


def jerk_mps3(ticks: list[Tick]) -> float:
    """As the law measures it."""
    filtered = butterworth([tick.lateral_accel_mps2 for tick in ticks])
    return max(abs(b - a) / 0.5 for a, b in zip(filtered, filtered[50:], strict=False))


def approach(motorway: Motorway, does: Does | Callable[[float], Does] = LEFT) -> list[Tick]:
    """Until shortly before the tyre is at the marking."""
    ticks: list[Tick] = []
    while not ticks or ticks[-1].left_m > 0.5:
        ticks += motorway.run(0.05, does)
        assert len(ticks) < 800
    return ticks


@pytest.mark.parametrize("cause", ["critical", "driver_cancels", "hands_off", "solid", "blind"])
def test_what_speaks_against_it_on_the_way_leads_back_into_the_lane(cause: str) -> None:
    motorway = ready()
    approach(motorway)
    does = LEFT
    if cause == "critical":
        motorway.place(0, -40.0, 150.0)
    elif cause == "driver_cancels":
        does = Does()
    elif cause == "hands_off":
        does = Does(indicator=Indicator.LEFT, is_hands_on=False)
    elif cause == "solid":
        motorway.is_solid = True
    else:
        motorway.has_objects = False
    ticks = motorway.run(2.0, does)
    ticks += motorway.run(3.0, Does(indicator=does.indicator))
    ticks += motorway.run(4.0)  # at fault or off, the indicator would make lane centring stand by
    assert all(tick.lane == 1 for tick in ticks)
    assert {"return", "suppressed"} <= {tick.states["lane_change"] for tick in ticks}
    assert ticks[-1].states["lane_centring"] == "active" and abs(ticks[-1].error_m) < 0.2
    assert min(tick.left_m for tick in ticks) >= -0.1, "half a metre away it is stopped at the marking"
    assert max(abs(tick.lateral_accel_mps2) for tick in ticks) <= 1.8 and jerk_mps3(ticks) <= 5.0


OVER_M = 0.3  # of a tyre over the inner edge of the marking (design; what R130 6.5 tolerates beyond its outer edge)


@pytest.mark.clause("R79 5.6.4.6.8.1")
@pytest.mark.parametrize("left_m", [0.5, 0.3, 0.1, 0.05])
@pytest.mark.parametrize(
    ("speed_kmh", "bend_mps2", "wind_mps", "width_m"),
    [
        (66.0, 0.0, 0.0, 3.5),
        (100.0, 1.2, 0.0, 3.5),
        (100.0, -1.2, 0.0, 3.75),
        (130.0, 0.0, 0.0, 3.5),
        (130.0, 0.0, 8.0, 3.5),
    ],
)
def test_called_off_however_late_it_goes_back_under_control(
    left_m: float, speed_kmh: float, bend_mps2: float, wind_mps: float, width_m: float
) -> None:
    """Each time of calling off, by each of the causes, until the tyre is at the marking: never far over it, within the
    law's acceleration and jerk, without standing astride, and to the middle of the lane."""
    for cause in ("critical", "driver_cancels", "hands_off"):
        motorway = ready_for(
            Case(speed_kmh=speed_kmh, bend_mps2=bend_mps2, wind_mps=wind_mps, width_m=width_m), MARKET, CAR
        )
        ticks: list[Tick] = []
        while not ticks or ticks[-1].left_m > left_m:
            ticks += motorway.run(STEP_S, LEFT)
        assert ticks[-1].states["lane_change"] in ("procedure", "approach")
        does = LEFT
        if cause == "critical":
            motorway.place(0, -25.0, 160.0)
        elif cause == "driver_cancels":
            does = Does()
        else:
            does = Does(indicator=Indicator.LEFT, is_hands_on=False)
        ticks = motorway.run(2.0, does) + motorway.run(2.0, Does(indicator=does.indicator)) + motorway.run(4.0)
        named = {tick.states["lane_change"] for tick in ticks}
        if "manoeuvre" in named:  # at the marking before the cause acts (hands off for a moment): then it goes on
            assert left_m <= 0.1 and cause == "hands_off"
            continue
        assert "return" in named and all(tick.lane == 1 for tick in ticks), cause
        assert min(tick.left_m for tick in ticks) >= -OVER_M, cause
        astride = [tick.left_m < 0.0 for tick in ticks]
        assert sum(astride) * STEP_S <= 2.0 and sum(a < b for a, b in itertools.pairwise(astride)) <= 1, "once, briefly"
        assert min(tick.place_m for tick in ticks) >= -0.15, "and does not swing beyond the middle"
        assert abs(ticks[-1].error_m) < 0.1 and ticks[-1].states["lane_centring"] == "active"
        added = butterworth([tick.lateral_accel_mps2 - bend_mps2 for tick in ticks])
        assert max(abs(value) for value in added) <= 1.6 and jerk_mps3(ticks) <= 5.0


def test_nobody_in_the_other_lane_is_ever_nearer_than_the_law_says() -> None:
    """A stream of cars in the left lane: it goes between two of them, or not at all."""
    for gap_m in (20.0, 45.0, 90.0):
        motorway = ready()
        for number in range(-4, 5):
            motorway.place(0, (number + 0.5) * gap_m, 100.0)
        ticks = motorway.run(10.0, LEFT)
        changed = any(tick.lane == 0 for tick in ticks)
        assert changed is (gap_m == 90.0)


def test_into_oncoming_traffic_and_over_a_solid_line_it_never_goes() -> None:
    for more in ({"lanes": 2, "lane": 0, "is_oncoming": True}, {"is_solid": True}, {"lanes": 2, "lane": 0}):
        motorway = ready(**more)
        ticks = motorway.run(8.0, LEFT)
        assert all(abs(tick.place_m) < 0.1 for tick in ticks), more


def at_the_line(motorway: Motorway) -> None:
    """Until the manoeuvre has begun."""
    approach(motorway)
    while motorway.run(0.05, LEFT)[-1].states["lane_change"] == "approach":
        pass


def test_the_driver_takes_the_wheel_in_the_manoeuvre() -> None:
    motorway = ready()
    at_the_line(motorway)
    ticks = motorway.run(0.6, Does(indicator=Indicator.LEFT, torque_nm=4.0))
    last = ticks[-1].command
    assert last is not None and last.lateral_authority == 0.0


def test_the_lane_lost_in_the_manoeuvre_it_goes_on_by_its_plan_for_a_moment() -> None:
    motorway = ready()
    at_the_line(motorway)
    motorway.is_blind = True
    ticks = motorway.run(0.9, LEFT)
    assert all(tick.states["lane_change"] == "manoeuvre" for tick in ticks[:70])
    motorway.is_blind = False
    ticks = motorway.run(6.0, LEFT)
    assert ticks[-1].lane == 0 and abs(ticks[-1].error_m) < 0.2
    blind = ready()
    at_the_line(blind)
    blind.is_blind = True
    ticks = blind.run(3.0, LEFT)
    codes = {alert.code for tick in ticks for alert in tick.alerts}
    assert "lane_change_take_over" in codes and ticks[-1].states["lane_change"] == "fault"


def test_two_changes_one_after_the_other() -> None:
    motorway = ready(lanes=3, lane=2)
    motorway.run(9.0, LEFT)
    motorway.run(1.0)
    ticks = motorway.run(9.0, LEFT)
    assert ticks[-1].lane == 0 and abs(ticks[-1].error_m) < 0.05
    status = motorway.executor.core("lane_change").state.told
    assert status.changes == 2 and status.suppressed == 0


def test_a_car_whose_limits_are_unknown_changes_more_gently() -> None:
    """The envelope cuts nothing: the plan keeps what the vehicle file allows."""
    result = drive(Case(speed_kmh=90.0), MARKET, load_vehicle("unknown_camera"))
    assert result.states[-1] == "standby" and "lateral_accel" not in result.limits
    assert result.added_mps2 <= 0.9 and result.overshoot_m <= 0.15


def test_one_of_both_steers_in_every_step_and_never_both_against_each_other() -> None:
    motorway = ready()
    ticks = motorway.run(9.0, LEFT)
    for before, tick in itertools.pairwise(ticks):
        asking = [author for author, request in tick.requests.items() if request.is_active]
        assert asking, "a gap of steering"
        if len(asking) == 2:
            assert "lane_centring" in asking and before.states["lane_change"] in ("standby", "resume")
    assert sum(len([r for r in tick.requests.values() if r.is_active]) == 2 for tick in ticks) <= 1
    assert ticks[-1].lamps is not None and ticks[-1].lamps.indicator_left is not LampDemand.ON


@pytest.mark.parametrize("speed_kmh", [80.0, 130.0])
def test_through_the_ego_lanes_own_estimate(speed_kmh: float) -> None:
    """Lines instead of a lane: the estimate hands the line over in the middle of the movement."""
    motorway = ready(speed_kmh=speed_kmh, has_lines=True, camera=NOISE)
    ticks = motorway.run(12.0, LEFT)
    result = measured(Case(speed_kmh=speed_kmh), ticks)
    assert result.states == ("procedure", "approach", "manoeuvre", "settle", "resume", "standby")
    assert 3.0 <= result.touch_s <= 5.0 and result.across_s - result.touch_s < 5.0
    assert result.added_mps2 <= 1.0 and result.jerk_mps3 <= 5.0
    assert result.overshoot_m <= 0.15 and result.last_error_m <= 0.12 and result.corrections == 0


def test_measured_takes_the_true_car() -> None:
    """The grid's figures come from the simulated car, not from what the function says."""
    motorway = ready(speed_kmh=100.0)
    ticks = motorway.run(10.0, LEFT)
    result = measured(Case(speed_kmh=100.0), ticks)
    touch = next(tick for tick in ticks if tick.left_m <= 0.0)
    assert result.touch_s == pytest.approx(touch.t_s - ticks[0].t_s)
    assert ticks[-1].speed_mps == pytest.approx(kmh_to_mps(100.0)) and len(ALL) == 5 and TYRE_M > 0.8
