"""Automated lane keeping, clause by clause: timing vectors of alks.md section 3, requirements of section 1."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from automated_drives import FRONT_M, MARKET, SERIES_01, START_S, Drive, Moment, car, lane, other, road
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.alks import core as alks
from adas_runtime.alks.looking import Looking
from adas_runtime.alks.states import (
    CONTROLLING,
    EMERGENCIES,
    IDLE,
    REASONS,
    SEVERE,
    TRANSITIONS,
    Emergency,
    EmergencyView,
    State,
    View,
)
from adas_runtime.alks.table import FORWARD_RANGE, following_gap_m, speed_of_range_mps
from adas_runtime.arbitration.arbiter import LateralRank, LongitudinalRank
from adas_runtime.errors import ConfigError
from adas_runtime.market import load_market
from adas_runtime.signals import (
    AlertLevel,
    DssadFlag,
    GazeZone,
    Gear,
    Indicator,
    LampDemand,
    RoadClass,
    Stage,
    Wiper,
)
from adas_runtime.units import kmh_to_mps, mps_to_kmh

AWAY = Moment(seated=False)  # left the seat: a transition demand without an answer


def demanded(drive: Drive | None = None, moment: Moment = AWAY) -> Drive:
    """An active system that has just asked the driver to take over."""
    drive = (drive or Drive()).activated()
    drive.until(State.DEMAND, moment)
    return drive


# --- timing vectors of section 3 --------------------------------------------------------------------------------------


@pytest.mark.clause("R157 5.4.3.2")
def test_t1_a_demand_is_escalated_at_four_seconds_at_the_latest() -> None:
    drive = demanded()
    assert drive.until(State.DEMAND_ESCALATED, AWAY) <= 4.0
    assert drive.alerts()[-1].code != "alks_take_over_now"  # the end of the former first, in the same step
    drive.hold(0.1, AWAY)
    last = drive.alerts()[-1]
    assert last.code == "alks_take_over_now" and last.is_acoustic and last.is_haptic and last.is_optical


@pytest.mark.clause("R157 5.4.4.1")
def test_t2_without_an_answer_the_stop_begins_at_ten_seconds_and_never_sooner() -> None:
    drive = demanded()
    drive.until(State.STOPPING, AWAY)
    memory = drive.core.state
    assert memory.demand_s is not None and 10.0 <= memory.entered_s - memory.demand_s <= 10.03


@pytest.mark.clause("R157 5.4.4.1.1")
@pytest.mark.parametrize(
    "lost", [{"objects": None}, {"lane": None}, {"vehicle": False}], ids=lambda lost: next(iter(lost))
)
def test_t3_a_severe_failure_stops_at_once(lost: dict[str, Any]) -> None:
    drive = Drive().activated()
    assert drive.until(State.STOPPING, Moment(**lost)) <= MARKET.alks.input_lost_s + 0.1
    drive.hold(0.1, Moment(**lost))
    flags = [flag for flag, _ in drive.events()]
    is_system = "objects" in lost or "lane" in lost
    wanted = DssadFlag.SEVERE_SYSTEM_FAILURE if is_system else DssadFlag.SEVERE_VEHICLE_FAILURE
    assert wanted in flags and DssadFlag.STOP_START in flags


@pytest.mark.clause("R157 6.2.5.2")
def test_t4_hands_and_eyes_take_over_without_a_stop() -> None:
    drive = demanded()
    drive.hold(6.0, AWAY)
    assert drive.until(State.OFF, Moment(hands=True)) <= MARKET.alks.answer_s + 0.05
    drive.hold(0.2)
    assert DssadFlag.STOP_START not in [flag for flag, _ in drive.events()]
    assert drive.events()[-1] == (DssadFlag.DEACTIVATION, "driver_took_over")


@pytest.mark.clause("R157 6.2.5.2")
@pytest.mark.parametrize("zone", [GazeZone.LAP, GazeZone.CENTRE_STACK, GazeZone.INSTRUMENTS])
def test_t5_hands_without_eyes_do_not_end_a_demand(zone: GazeZone) -> None:
    drive = demanded()
    drive.hold(6.0, Moment(hands=True, zone=zone))
    assert drive.state is State.DEMAND_ESCALATED


@pytest.mark.clause("R157 5.5.1")
def test_t6_the_stop_aims_at_four_at_most() -> None:
    drive = demanded()
    drive.until(State.STOPPING, AWAY)
    outs = drive.hold(5.0, AWAY)
    asked = [item.longitudinal.accel_mps2 for item in outs if item.longitudinal is not None]
    assert -4.0 <= min(asked) <= -3.0 and len(asked) == len(outs)
    assert max(asked[20:]) < 0.0
    assert all(item.longitudinal.priority == LongitudinalRank.EMERGENCY_MANOEUVRE for item in outs if item.longitudinal)
    with pytest.raises(ConfigError, match="stop_decel_mps2"):
        _checked({"stop_decel_mps2": 4.1})


@pytest.mark.clause("R157 5.3.1.1")
@pytest.mark.parametrize(
    ("closing_kmh", "gap_m", "is_emergency"),
    [(40.0, 9.0, True), (40.0, 30.0, False), (60.0, 20.0, True), (60.0, 60.0, False)],
)
def test_t7_a_demand_above_five_is_an_emergency_manoeuvre_and_kept(
    closing_kmh: float, gap_m: float, is_emergency: bool
) -> None:
    """A standing car ahead: what needs more than 5 m/s2 is braked in full and kept, what needs less is not."""
    drive = Drive(market=SERIES_01).activated(Moment(speed_kmh=closing_kmh))
    gap = gap_m
    asked = []
    for _ in range(40):
        out = drive.step(Moment(speed_kmh=closing_kmh, objects=(other(FRONT_M + gap, speed_kmh=0.0),)))
        gap -= kmh_to_mps(closing_kmh) * 0.02
        if gap <= 1.0:
            break
        assert out.longitudinal is not None
        asked.append(out.longitudinal.accel_mps2)
        if drive.core.state.emergency is Emergency.BRAKING:
            break
    assert (drive.core.state.emergency is Emergency.BRAKING) is is_emergency
    assert (min(asked) < -5.0) is is_emergency
    drive.hold(0.1, Moment(speed_kmh=closing_kmh))
    assert (DssadFlag.EMERGENCY_START in [flag for flag, _ in drive.events()]) is is_emergency
    if is_emergency:
        assert drive.core.state.emergency is Emergency.BRAKING
        assert any(alert.code == "alks_emergency" and alert.level is AlertLevel.CRITICAL for alert in drive.alerts())


@pytest.mark.clause("R157 5.5.1")
@pytest.mark.parametrize(("speed_kmh", "way_m", "time_s"), [(60.0, 34.7, 4.17), (130.0, 163.0, 9.03)])
def test_t8_ways_of_the_stop(speed_kmh: float, way_m: float, time_s: float) -> None:
    """The planned demand counts with these and with ten seconds before them, and with a softer stop besides."""
    speed_mps = kmh_to_mps(speed_kmh)
    assert speed_mps**2 / 8.0 == pytest.approx(way_m, abs=0.1) and speed_mps / 4.0 == pytest.approx(time_s, abs=0.01)
    needed_m = Looking(SERIES_01, Drive().vehicle).needed_m(speed_mps)
    assert needed_m >= 10.0 * speed_mps + way_m


# --- where it works ---------------------------------------------------------------------------------------------------


@pytest.mark.clause("R157 6.2.1")
def test_a30_off_at_every_start_and_on_by_the_button_alone() -> None:
    drive = Drive()
    drive.hold(2.0)
    assert drive.state is State.READY and drive.lateral() is None and drive.longitudinal() is None
    drive.activated()
    drive.hold(0.2, pressed=("alks",))
    assert drive.state in (State.OFF, State.READY)
    assert drive.events()[-1] == (DssadFlag.DEACTIVATION, "switched_off")


REFUSED: dict[str, tuple[Moment, dict[str, Any]]] = {
    "driver_seat": (Moment(seated=False), {}),
    "driver_belt": (Moment(belt=False), {}),
    "driver_door": (Moment(door=True), {}),
    "body_absent": (Moment(body=False), {}),
    "driver_monitoring_lost": (Moment(camera=False), {}),
    "gear": (Moment(gear=Gear.REVERSE), {}),
    "trailer": (Moment(trailer=True), {}),
    "heavy_rain": (Moment(wiper=Wiper.FAST), {}),
    "stability_control": (Moment(esc=True), {}),
    "map_lost": (Moment(horizon=None), {}),
    "road_outside": (Moment(horizon=road((RoadClass.TRUNK, 5000.0))), {}),
    "road_ends": (Moment(horizon=road((RoadClass.MOTORWAY, 100.0), (RoadClass.PRIMARY, 900.0))), {}),
    "speed_high": (Moment(speed_kmh=61.0), {}),
    "lane_lost": (Moment(lane=lane(is_fit=False)), {}),
    "objects_absent": (Moment(objects=None), {}),
    "vehicle_absent": (Moment(vehicle=False), {}),
    "assistance_at_work": (Moment(dcas=True), {}),
    "not_equipped": (Moment(), {"vehicle": car(front_sensing_m=None)}),
}


@pytest.mark.clause("R157 6.2.3")
@pytest.mark.parametrize("reason", REFUSED)
def test_a30_each_condition_keeps_it_off_and_is_told(reason: str) -> None:
    moment, kind = REFUSED[reason]
    drive = Drive(**kind)
    drive.hold(4.0, moment)
    drive.hold(0.3, moment, pressed=("alks",))
    assert drive.state is State.OFF and drive.core.state.reason == reason
    assert any(alert.code == "alks_refused" and reason in alert.cause for alert in drive.alerts())
    assert drive.events() == []


@pytest.mark.clause("R157 6.2.3")
@pytest.mark.parametrize("equipment", [{"front_sensing_m": 45.0}, {"has_data_storage": False}], ids=str)
def test_a30_a35_a40_a_car_that_lacks_range_or_data_storage_never_drives(equipment: dict[str, Any]) -> None:
    drive = Drive(vehicle=car(**equipment))
    drive.hold(2.0)
    assert drive.state is State.OFF and drive.core.state.reason == "not_equipped"


@pytest.mark.clause("R157 7.1.1")
@pytest.mark.parametrize(("speed_kmh", "range_m"), FORWARD_RANGE)
def test_a35_the_range_ahead_bounds_the_speed(speed_kmh: float, range_m: float) -> None:
    assert mps_to_kmh(speed_of_range_mps(range_m)) == pytest.approx(speed_kmh)
    assert speed_of_range_mps(range_m - 1.0) < kmh_to_mps(speed_kmh)
    looking = Looking(SERIES_01, car(front_sensing_m=range_m))
    assert mps_to_kmh(looking.max_mps) == pytest.approx(speed_kmh)


@pytest.mark.clause("R157 5.2.3.1")
def test_a01_the_00_series_ends_at_60_and_the_01_series_needs_the_lane_change_of_the_stop() -> None:
    assert mps_to_kmh(Looking(MARKET, Drive().vehicle).max_mps) == pytest.approx(60.0)
    assert mps_to_kmh(Looking(SERIES_01, Drive().vehicle).max_mps) == pytest.approx(130.0)
    assert mps_to_kmh(Looking(SERIES_01, car(rear_sensing_m=None)).max_mps) == pytest.approx(60.0)
    with pytest.raises(ConfigError, match="speed_max_kmh is above 60"):
        _checked({"speed_max_kmh": 61.0})


@pytest.mark.clause("R157 5.2.3.3")
@pytest.mark.parametrize(
    ("speed_kmh", "distance_m"),
    [
        (0, 2.0),
        (7.2, 2.0),
        (10, 3.056),
        (15, 4.792),
        (25, 8.681),
        (35, 13.125),
        (45, 18.125),
        (55, 23.681),
        (60, 26.667),
    ],
)
def test_a04_following_distance(speed_kmh: float, distance_m: float) -> None:
    assert following_gap_m(kmh_to_mps(speed_kmh)) == pytest.approx(distance_m, abs=1e-3)


@pytest.mark.clause("R157 5.2.3.3")
@pytest.mark.parametrize("speed_kmh", [10.0, 30.0, 50.0, 60.0])
def test_a04_nearer_than_the_table_it_opens_the_gap(speed_kmh: float) -> None:
    """With the car ahead at the table's distance or nearer, and as fast as we are, it does not accelerate."""
    drive = Drive().activated(Moment(speed_kmh=speed_kmh))
    gap_m = 0.9 * following_gap_m(kmh_to_mps(speed_kmh))
    outs = drive.hold(2.0, Moment(speed_kmh=speed_kmh, objects=(other(FRONT_M + gap_m, speed_kmh=speed_kmh),)))
    assert outs[-1].longitudinal is not None and outs[-1].longitudinal.accel_mps2 < 0.0


# --- the driver -------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R157 6.1.2")
def test_a27_an_empty_seat_for_a_second_and_an_open_belt_are_demands() -> None:
    drive = Drive().activated()
    assert 0.5 <= drive.until(State.DEMAND, AWAY) <= 1.0
    drive = Drive().activated()
    drive.hold(0.6, AWAY)
    drive.hold(1.0)  # moved in the seat
    assert drive.state is State.ACTIVE
    assert drive.until(State.DEMAND, Moment(belt=False)) <= 0.05


@pytest.mark.clause("R157 6.1.3.1")
def test_a28_a29_a_driver_who_shows_too_few_signs_is_warned_at_once_and_asked_after_fifteen_seconds() -> None:
    drive = Drive().activated()
    asleep = Moment(eyes=0.0)
    begin_s = drive.t_s
    warned_s = None
    while drive.state is State.ACTIVE and drive.t_s < 120.0:
        out = drive.step(asleep)
        if warned_s is None and out.alert is not None and out.alert.code == "alks_unavailable_driver":
            warned_s = drive.t_s
            assert drive.core.state.availability.since_s == pytest.approx(START_S + drive.t_s, abs=0.1)
    assert warned_s is not None and drive.state is State.DEMAND
    assert drive.core.state.demand == "driver_unavailable"
    assert drive.t_s - warned_s <= 15.0 and warned_s - begin_s <= 30.0


@pytest.mark.clause("R157 6.1.3.1")
def test_a28_two_signs_of_three_are_enough_and_one_is_not() -> None:
    drive = Drive().activated()
    for number in range(80):  # eyes open and a head that moves, no control touched
        drive.hold(1.0, head_rad=0.2 * (number % 2))
    assert drive.state is State.ACTIVE and drive.core.state.availability.since_s is None
    drive.hold(40.0, eyes=0.0, head_rad=0.0)
    assert drive.core.state.availability.since_s is not None or drive.state is not State.ACTIVE


OVERRIDES: dict[str, Moment] = {
    "driver_steers": Moment(hands=True, torque_nm=4.0),
    "driver_brakes": Moment(hands=True, brake=0.5),
    "driver_accelerates": Moment(hands=True, accelerator=0.3),
}


@pytest.mark.clause("R157 6.2.5.1")
@pytest.mark.parametrize("code", OVERRIDES)
def test_a31_with_a_hand_on_the_wheel_every_override_ends_it(code: str) -> None:
    drive = Drive().activated()
    assert drive.until(State.OFF, OVERRIDES[code]) <= MARKET.alks.override_s + 0.1
    assert drive.core.state.reason == code
    drive.hold(0.2, OVERRIDES[code])
    lateral, longitudinal = drive.lateral(), drive.longitudinal()
    assert lateral is not None and not lateral.is_active and longitudinal is not None and not longitudinal.is_active


@pytest.mark.clause("R157 6.3.1")
def test_a34_a_touch_of_the_wheel_is_no_override_and_is_kept() -> None:
    drive = Drive().activated()
    drive.hold(0.2, Moment(hands=True, torque_nm=4.0))
    drive.hold(1.0)
    assert drive.state is State.ACTIVE
    assert (DssadFlag.DRIVER_INPUT_REDUCED, "too_weak_to_take_over") in drive.events()


@pytest.mark.clause("R157 6.3.2")
def test_a34_a_brake_that_asks_for_less_than_the_system_does_is_none() -> None:
    drive = demanded()
    drive.until(State.STOPPING, AWAY)
    drive.hold(2.0, AWAY)
    drive.hold(0.5, replace(AWAY, hands=True, brake=0.2, zone=GazeZone.LAP))
    assert drive.state is State.STOPPING


@pytest.mark.clause("R157 6.3.3")
@pytest.mark.parametrize(
    ("code", "moment"),
    [
        ("driver_accelerates", Moment(accelerator=0.3)),
        ("driver_brakes", Moment(brake=0.3)),
        ("driver_indicates", Moment(indicator=Indicator.LEFT)),
    ],
)
def test_a34_a_control_worked_without_a_hand_on_the_wheel_is_a_demand(code: str, moment: Moment) -> None:
    drive = Drive().activated()
    assert drive.until(State.DEMAND, moment) <= 0.05
    assert drive.core.state.demand == code


@pytest.mark.clause("R157 5.4.2")
def test_a17_the_end_of_the_motorway_is_a_demand_so_early_that_the_stop_ends_before_it() -> None:
    for speed_kmh, chosen in ((50.0, MARKET), (130.0, SERIES_01)):
        speed_mps = kmh_to_mps(speed_kmh)
        drive = Drive(market=chosen).activated(Moment(speed_kmh=speed_kmh))
        left_m = 2000.0
        while drive.state is State.ACTIVE and left_m > 0.0:
            way = road((RoadClass.MOTORWAY, left_m + 10.0), (RoadClass.PRIMARY, 900.0))
            drive.step(Moment(speed_kmh=speed_kmh, horizon=way, head_rad=0.2 * (int(drive.t_s) % 2)))
            left_m -= speed_mps * 0.02
        stop_m = 10.0 * speed_mps + speed_mps**2 / (2.0 * chosen.alks.stop_decel_mps2)
        assert drive.core.state.demand == "road_ends" and left_m >= stop_m
        assert left_m <= stop_m + 6.0 * speed_mps + 10.0, "not so early that the driver is asked for nothing"


@pytest.mark.clause("R157 5.4.3")
def test_a18_during_a_demand_it_goes_on_no_faster() -> None:
    drive = demanded()
    outs = drive.hold(8.0, AWAY)
    asked = [item.longitudinal.accel_mps2 for item in outs if item.longitudinal is not None]
    assert len(asked) == len(outs) and max(asked) <= 0.0 and min(asked) > -1.0
    assert all(item.lateral is not None and item.lateral.is_active for item in outs)


@pytest.mark.clause("R157 5.4.3.1")
def test_a19_hazard_lamps_at_a_standstill_under_a_demand() -> None:
    drive = demanded()
    drive.hold(5.0, replace(AWAY, speed_kmh=0.0))
    lamps = drive.lamps()
    assert lamps is not None and lamps.hazard is LampDemand.ON and drive.state is not State.STOPPING


@pytest.mark.clause("R157 5.4.4")
def test_a21_a_demand_does_not_end_when_its_reason_does() -> None:
    drive = demanded()
    assert drive.until(State.STOPPING, Moment()) >= 9.0


@pytest.mark.clause("R157 5.5.1")
def test_a24_a26_the_stop_hazard_lamps_and_locked_until_the_next_start() -> None:
    drive = demanded()
    drive.until(State.STOPPING, AWAY)
    drive.hold(0.1, AWAY)
    lamps = drive.lamps()
    assert lamps is not None and lamps.hazard is LampDemand.ON
    drive.until(State.STOPPED, replace(AWAY, speed_kmh=0.0))
    outs = drive.hold(3.0, Moment(speed_kmh=0.0))
    assert drive.state is State.STOPPED, "hands that lie in the lap do not release it"
    assert outs[-1].longitudinal is not None and outs[-1].longitudinal.accel_mps2 < 0.0
    drive.until(State.LOCKED, Moment(speed_kmh=0.0, brake=0.4))
    drive.hold(1.0, Moment(speed_kmh=20.0))
    lamps = drive.lamps()
    assert lamps is not None and lamps.hazard is LampDemand.ON, "until the driver switches them off"
    drive.hold(0.3, Moment(pressed=("alks",)))
    assert drive.state is State.LOCKED and any(alert.code == "alks_locked" for alert in drive.alerts())
    drive.hold(0.3, Moment(key=False, speed_kmh=0.0))
    drive.hold(1.0, Moment())
    assert drive.state is State.READY


@pytest.mark.clause("R157 6.2.5.3")
def test_a33_in_an_emergency_manoeuvre_the_switch_waits_and_the_wheel_does_not() -> None:
    near = Moment(objects=(other(FRONT_M + 8.0, speed_kmh=0.0),))
    drive = Drive().activated()
    while drive.core.state.emergency is not Emergency.BRAKING:
        drive.step(near)
    drive.hold(0.2, replace(near, pressed=("alks",)))
    assert drive.state is State.ACTIVE
    drive.hold(0.5, replace(near, hands=True, torque_nm=5.0))
    assert drive.state in IDLE and (DssadFlag.DEACTIVATION, "driver_steers") in drive.events()


@pytest.mark.clause("R157 5.3.3")
def test_a15_after_an_emergency_stop_hazard_lamps_until_it_drives_on() -> None:
    drive = Drive().activated()
    near = Moment(objects=(other(FRONT_M + 8.0, speed_kmh=0.0),))
    while drive.core.state.emergency is not Emergency.BRAKING:
        drive.step(near)
    drive.hold(0.5, replace(near, speed_kmh=0.0))
    lamps = drive.lamps()
    assert drive.core.state.emergency is Emergency.STANDING and lamps is not None and lamps.hazard is LampDemand.ON
    drive.hold(0.5, Moment(speed_kmh=5.0))
    lamps = drive.lamps()
    assert drive.core.state.emergency is Emergency.NONE and lamps is not None and lamps.hazard is LampDemand.OFF
    assert [flag for flag, _ in drive.events()][-2:] == [DssadFlag.EMERGENCY_START, DssadFlag.EMERGENCY_END]


@pytest.mark.clause("R157 5.2.2")
@pytest.mark.parametrize("side", [1.0, -1.0], ids=["left", "right"])
def test_a03_it_makes_room_for_who_drives_beside_it_and_stays_in_its_lane(side: float) -> None:
    drive = Drive().activated()
    drive.hold(3.0, Moment(objects=(other(1.0, 2.4 * side, 50.0),)))
    aside_m = drive.core.state.driven.aside_m
    assert aside_m * side < -0.1 and abs(aside_m) <= MARKET.alks.beside_shift_max_m
    lateral = drive.lateral()
    assert lateral is not None and lateral.curvature_1pm * side < 0.0
    drive.hold(3.0)
    assert drive.core.state.driven.aside_m == 0.0


@pytest.mark.clause("R157 8.2")
def test_a39_a40_entries_are_counted_and_carry_time_reason_and_software() -> None:
    drive = demanded()
    drive.until(State.STOPPING, AWAY)
    drive.hold(0.5, replace(AWAY, crash=True))
    events = [item.event for _, item in drive.said if item.event is not None]
    assert [event.number for event in events] == list(range(1, len(events) + 1))
    assert {event.flag for event in events} >= {
        DssadFlag.ACTIVATION, DssadFlag.TRANSITION_DEMAND, DssadFlag.STOP_START, DssadFlag.COLLISION,
        DssadFlag.EDR_TRIGGER,
    }  # fmt: skip
    for event in events:
        assert event.reason and event.software.startswith("adas_runtime") and MARKET.digest[:16] in event.software
        assert event.utc_s is not None and abs(event.utc_s - 1.8e9 - event.stamp_s) <= 1.0


# --- defects of inputs ------------------------------------------------------------------------------------------------

LOSSES: dict[str, Moment] = {
    "body_absent": Moment(body=False),
    "driver_input_absent": Moment(driver=False),
    "driver_monitoring_lost": Moment(camera=False),
    "map_lost": Moment(horizon=None),
    "sensor_lost": Moment(sensors=False),
}


@pytest.mark.parametrize("code", LOSSES)
def test_each_lost_input_that_it_can_drive_without_is_a_demand(code: str) -> None:
    drive = Drive().activated()
    assert drive.until(State.DEMAND, LOSSES[code]) <= 3.2
    assert drive.core.state.demand == code


def test_a_clock_that_runs_back_is_a_demand_and_a_stop_goes_on() -> None:
    drive = Drive().activated()
    drive.t_s -= 500.0
    drive.step(Moment())
    assert drive.state is State.DEMAND and drive.core.state.demand == "time_jumped"
    assert drive.until(State.STOPPING, Moment()) >= 9.9
    drive.t_s -= 500.0
    drive.hold(1.0, Moment())
    assert drive.state is State.STOPPING
    drive.core.step(Drive.inputs(Moment(), START_S), math.nan)
    assert drive.state is State.STOPPING


def test_a_lane_that_is_lost_is_held_by_the_cars_own_motion_to_the_stop() -> None:
    drive = Drive().activated()
    outs = drive.hold(4.0, Moment(lane=None))
    assert drive.state is State.STOPPING and all(item.lateral is not None and item.lateral.is_active for item in outs)
    assert drive.core.state.driven.pose is not None


# --- tables -----------------------------------------------------------------------------------------------------------


def test_ranks_are_the_arbiters() -> None:
    assert alks.EMERGENCY_RANK == LongitudinalRank.EMERGENCY_MANOEUVRE
    assert alks.DECELERATION_RANK == LongitudinalRank.DECELERATION
    assert alks.PROPULSION_RANK == LongitudinalRank.PROPULSION
    assert alks.CENTRING_RANK == LateralRank.LANE_CENTRING


VIEW = View(
    is_new_cycle=False, unmet="", is_severe=False, demand="", is_switched=False, override="", is_answered=False,
    is_held_back=False, is_escalation_due=False, is_stop_due=False, is_standing=False, is_released=False,
)  # fmt: skip
GUARDS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "new_cycle": {"is_new_cycle": True},
    "unmet": {"unmet": "map_lost"},
    "severe": {"unmet": "lane_lost", "is_severe": True},
    "demand": {"demand": "driver_left"},
    "switched": {"is_switched": True},
    "steers": {"override": "driver_steers"},
    "brakes": {"override": "driver_brakes"},
    "answered": {"is_answered": True},
    "escalation": {"is_escalation_due": True},
    "stop": {"is_stop_due": True, "is_escalation_due": True},
    "standing": {"is_standing": True},
    "released": {"is_released": True},
}
O, R, A, D, E, S, T, L = State  # noqa: E741
# guard -> state after it, in the order off, ready, active, demand, escalated, stopping, stopped, locked
AFTER: dict[str, tuple[State, ...]] = {
    "nothing": (R, R, A, D, E, S, T, L),
    "new_cycle": (O, O, A, D, E, S, O, O),
    "unmet": (O, O, A, D, E, S, T, L),
    "severe": (O, O, S, S, S, S, T, L),
    "demand": (R, R, D, D, E, S, T, L),
    "switched": (A, A, O, O, O, O, T, L),
    "steers": (R, R, O, O, O, O, T, L),
    "brakes": (R, R, O, O, O, O, T, L),
    "answered": (R, R, A, O, O, O, T, L),
    "escalation": (R, R, A, E, E, S, T, L),
    "stop": (R, R, A, S, S, S, T, L),
    "standing": (R, R, A, D, E, T, T, L),
    "released": (R, R, A, D, E, S, L, L),
}


@pytest.mark.parametrize(("guard", "state"), list(product(GUARDS, State)), ids=str)
def test_every_state_against_every_guard(guard: str, state: State) -> None:
    row = TRANSITIONS.fire(state, replace(VIEW, **GUARDS[guard]))
    after = state if row is None else row.target
    assert after is AFTER[guard][list(State).index(state)]
    if row is not None:
        assert row.reason_for(replace(VIEW, **GUARDS[guard])) in {*REASONS, ""}


@pytest.mark.parametrize("guard", ["switched", "brakes", "answered"])
@pytest.mark.parametrize("state", CONTROLLING)
def test_an_emergency_manoeuvre_holds_all_back_but_steering(guard: str, state: State) -> None:
    row = TRANSITIONS.fire(state, replace(VIEW, is_held_back=True, **GUARDS[guard]))
    assert row is None or row.target is not State.OFF


@pytest.mark.parametrize(
    ("before", "view", "after"),
    [
        (Emergency.NONE, EmergencyView(True, True, False, False), Emergency.BRAKING),
        (Emergency.NONE, EmergencyView(False, True, False, False), Emergency.NONE),
        (Emergency.NONE, EmergencyView(True, True, False, True), Emergency.NONE),
        (Emergency.BRAKING, EmergencyView(True, False, False, False), Emergency.BRAKING),
        (Emergency.BRAKING, EmergencyView(True, False, True, False), Emergency.NONE),
        (Emergency.BRAKING, EmergencyView(True, True, False, True), Emergency.STANDING),
        (Emergency.BRAKING, EmergencyView(False, True, False, False), Emergency.NONE),
        (Emergency.STANDING, EmergencyView(True, False, True, True), Emergency.STANDING),
        (Emergency.STANDING, EmergencyView(True, True, False, False), Emergency.BRAKING),
        (Emergency.STANDING, EmergencyView(True, False, True, False), Emergency.NONE),
    ],
)
def test_emergency_manoeuvre(before: Emergency, view: EmergencyView, after: Emergency) -> None:
    row = EMERGENCIES.fire(before, view)
    assert (before if row is None else row.target) is after


def _checked(values: dict[str, Any]) -> None:
    """The parameters, validated as a market file's are."""
    from pydantic import ValidationError

    from adas_runtime.alks.params import AlksParams

    try:
        AlksParams.model_validate({**MARKET.alks.model_dump(), **values})
    except ValidationError as error:
        raise ConfigError(str(error)) from error


BOUNDS = [
    ("escalate_s", 4.01, "R157 5.4.3.2"),
    ("stop_after_s", 9.99, "R157 5.4.4.1"),
    ("unseated_s", 1.01, "R157 6.1.2"),
    ("criterion_s", 30.1, "R157 6.1.3.1"),
    ("criteria_min", 1, "R157 6.1.3.1"),
    ("unavailable_s", 15.1, "R157 6.1.3.1"),
    ("hazard_standing_s", 5.1, "R157 5.4.3.1"),
    ("emergency_decel_mps2", 5.0, "R157 5.3.1.1"),
    ("speed_max_kmh", 131.0, "R157-01 5.2.3.1"),
]


@pytest.mark.parametrize(("key", "value", "clause"), BOUNDS, ids=lambda value: str(value))
def test_no_market_file_goes_beyond_the_law(key: str, value: float, clause: str) -> None:
    with pytest.raises(ConfigError, match=key):
        _checked({key: value})


def test_no_shipped_market_lets_it_act() -> None:
    from adas_runtime.market import market_names

    for name in market_names():
        assert load_market(name, is_dated=False).stages()["alks"] in (Stage.OFF, Stage.SHADOW), name


# --- whatever comes ---------------------------------------------------------------------------------------------------

FINITE = st.floats(-200.0, 200.0)
MOMENTS = st.builds(
    Moment,
    speed_kmh=st.sampled_from([0.0, 0.5, 20.0, 50.0, 60.0, 61.0, 130.0, math.nan, math.inf]),
    hands=st.sampled_from([True, False, None]),
    torque_nm=st.sampled_from([0.0, 0.6, 4.0, -4.0]),
    brake=st.sampled_from([0.0, 0.0, 0.2, 1.0]),
    accelerator=st.sampled_from([0.0, 0.0, 0.4]),
    pressed=st.sampled_from([(), (), ("alks",), ("dcas",)]),
    seated=st.sampled_from([True, True, False, None]),
    belt=st.sampled_from([True, True, False, None]),
    vehicle=st.sampled_from([True, True, True, False]),
    body=st.sampled_from([True, True, False]),
    camera=st.sampled_from([True, True, False]),
    lane=st.sampled_from([lane(), lane(0.4), lane(is_fit=False), None]),
    objects=st.one_of(
        st.none(),
        st.lists(
            st.builds(lambda x, y, v: other(x, y, v), st.floats(-50.0, 150.0), FINITE, st.floats(-60.0, 130.0)),
            max_size=3,
        ).map(tuple),
    ),
    horizon=st.sampled_from([road(), road((RoadClass.TRUNK, 500.0)), road((RoadClass.MOTORWAY, 150.0)), None]),
    key=st.sampled_from([True, True, True, False]),
)
Steps = list[tuple[Moment, float]]


@settings(max_examples=150)
@given(st.lists(st.tuples(MOMENTS, st.sampled_from([0.02, 0.2, 1.5])), min_size=1, max_size=25))
def test_whatever_comes_its_requests_stay_within_the_law_and_only_who_is_active_asks(steps: Steps) -> None:
    """R157 5.4.4.1, 5.5.1, 5.3.1.1: no stop sooner than ten seconds after a demand but for a severe failure; above
    5 m/s2 only as an emergency manoeuvre; nothing is asked for in any other state.
    """
    drive = Drive()
    drive.hold(1.0)
    drive.hold(0.1, pressed=("alks",))
    demand_s = None
    for moment, seconds in steps:
        for _ in range(min(round(seconds / 0.02), 40)):
            before = drive.state
            out = drive.step(moment)
            memory = drive.core.state
            if memory.state is State.DEMAND and before is not State.DEMAND:
                demand_s = drive.t_s
            if memory.state is State.STOPPING and before is not State.STOPPING:
                is_severe = memory.reason in SEVERE
                assert is_severe or (demand_s is not None and drive.t_s - demand_s >= 10.0 - 1e-6)
            if out.longitudinal is not None and out.longitudinal.is_active:
                assert memory.state in (*CONTROLLING, State.STOPPED)
                assert math.isfinite(out.longitudinal.accel_mps2)
                if out.longitudinal.accel_mps2 < -5.0:
                    assert memory.emergency is Emergency.BRAKING
                if memory.state not in (State.ACTIVE,):
                    assert out.longitudinal.accel_mps2 <= 0.0
            if out.lateral is not None and out.lateral.is_active:
                assert memory.state in CONTROLLING and math.isfinite(out.lateral.curvature_1pm)
        drive.t_s = round(drive.t_s + max(seconds - 0.8, 0.0), 6)  # a pause in the steps
    assert len(drive.core.state.told.entries) <= alks.ENTRIES_MAX
