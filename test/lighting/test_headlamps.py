"""Headlamps: the test vectors of UN R48 (V01 to V18, V29, V30), every state under every view, what always holds."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamp_drives import NONE, OFF, ON, PARAMS, START_S, STEP_S, HeadDrive, Lit, head_params, main_params, road_user
from pydantic import ValidationError

from adas_runtime.lighting.beam import is_tunnel_near
from adas_runtime.lighting.headlamp_states import DIPPED, REASONS, TRANSITIONS, State, View
from adas_runtime.lighting.headlamps import Headlamps, Inputs
from adas_runtime.signals import (
    BodyState,
    Gear,
    Health,
    Horizon,
    HorizonSegment,
    LightSwitch,
    ObjectClass,
    VehicleState,
    Wiper,
)

DARK, DIM, LIGHT = 100.0, 3000.0, 8000.0
SWITCH_OFF = LightSwitch.OFF


def by_day(lit: Lit) -> bool:
    return (lit.lamps.dipped_beam, lit.lamps.daytime_running, lit.state) == (OFF, ON, "day")


def by_night(lit: Lit) -> bool:
    lamps = lit.lamps
    return (lamps.dipped_beam, lamps.position, lamps.daytime_running) == (ON, ON, OFF)


def changed_at(steps: list[Lit]) -> float:
    """Time of the first step that asks for another dipped beam than the step before."""
    for before, after in itertools.pairwise(steps):
        if before.lamps.dipped_beam is not after.lamps.dipped_beam:
            return after.t_s
    raise AssertionError("dipped beam did not change")


# --- V01 to V11: dipped beam by ambient light -------------------------------------------------------------------------


@pytest.mark.clause("R48 6.2.7.5")
@pytest.mark.clause("R48 6.19.7.1")
def test_v01_by_day_daytime_running_lamps_and_no_dipped_beam() -> None:
    assert all(by_day(lit) for lit in HeadDrive().hold(30.0, lux=8000.0))


@pytest.mark.clause("R48 6.2.7.5")
@pytest.mark.clause("R48 6.19.7.3")
@pytest.mark.parametrize("age_s", [0.0, 0.3])
@pytest.mark.parametrize("speed_kmh", [0.0, 50.0, 130.0, None])
@pytest.mark.parametrize("lux", [0.0, 900.0, 999.0])
def test_v02_v03_in_the_dark_within_2_s_and_the_others_at_the_same_step(
    lux: float, speed_kmh: float | None, age_s: float
) -> None:
    drive = HeadDrive()
    drive.hold(10.0, lux=8000.0)
    drive.hold(3.0, lux=lux, age_s=age_s, speed_kmh=speed_kmh)
    assert changed_at(drive.steps) <= 12.0
    for lit in drive.steps:  # never a step with neither or with both
        assert by_day(lit) or by_night(lit)


@pytest.mark.clause("R48 6.2.7.5")
def test_v04_v05_back_by_day_later_than_5_s_and_within_300_s() -> None:
    drive = HeadDrive()
    drive.hold(100.0, lux=900.0)
    drive.hold(301.0, lux=7100.0)
    assert 105.0 < changed_at(drive.steps) <= 400.0
    assert by_day(drive.steps[-1])


@pytest.mark.clause("R48 6.2.7.5")
@pytest.mark.parametrize("off_after_s", [5.0, 4.9, 0.0, 299.0, 301.0])
def test_v05_no_market_can_ask_for_less_or_more(off_after_s: float) -> None:
    with pytest.raises(ValidationError):
        head_params(off_after_s=off_after_s)


@pytest.mark.parametrize("on_after_s", [1.8, 2.0, 3.0])
def test_v03_no_market_can_ask_for_later(on_after_s: float) -> None:
    with pytest.raises(ValidationError):
        head_params(on_after_s=on_after_s)


@pytest.mark.parametrize(
    "lux", [{"dark_lux": 900.0}, {"bright_lux": 7100.0}, {"dark_lux": 6000.0, "bright_lux": 5000.0}]
)
def test_no_market_can_move_the_thresholds_out_of_the_law(lux: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        head_params(**lux)


def test_v06_a_bridge_is_no_reason_to_flicker() -> None:
    drive = HeadDrive()
    drive.hold(10.0, lux=900.0)
    drive.hold(4.0, lux=7100.0)
    drive.hold(10.0, lux=900.0)
    assert all(by_night(lit) for lit in drive.steps)


@pytest.mark.parametrize("lux", [1000.0, 3000.0, 7000.0])
def test_v07_v09_between_the_thresholds_on_stays_on(lux: float) -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=900.0)
    assert all(by_night(lit) for lit in drive.hold(600.0, lux=lux))


@pytest.mark.parametrize("lux", [1000.0, 3000.0, 7000.0])
def test_v08_v09_between_the_thresholds_off_stays_off(lux: float) -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=8000.0)
    assert all(by_day(lit) for lit in drive.hold(600.0, lux=lux))


@pytest.mark.parametrize("lost", [{"lux": None}, {"has_body": False}, {"lux": math.nan}])
def test_v10_without_a_light_sensor_dipped_beam_and_a_message(lost: dict[str, Any]) -> None:
    drive = HeadDrive()
    drive.hold(5.0)
    drive.hold(5.0, **lost)
    assert changed_at(drive.steps) <= 5.0 + 2.0
    last = drive.steps[-1]
    assert by_night(last) and last.state == "fault" and last.health is Health.DEGRADED
    alerts = [lit.alert for lit in drive.steps if lit.alert]
    assert alerts and all(alert.code == "headlamps_fault" and alert.is_active for alert in alerts)
    assert len(alerts) in (4, 5), "once a second, not at every step"
    after = drive.hold(60.0, lux=8000.0)
    ends = [lit.alert for lit in after if lit.alert and not lit.alert.is_active]
    assert len(ends) == 1 and ends[0].since_s == alerts[0].since_s
    assert by_day(after[-1])


def test_v10_from_the_first_step_on() -> None:
    drive = HeadDrive()
    steps = drive.hold(10.0, has_body=False)
    assert all(by_night(lit) for lit in steps)
    told_s = [lit.t_s for lit in steps if lit.alert]
    assert 2.0 <= told_s[0] <= 5.0, "a bus that wakes up is no fault yet"
    early = HeadDrive()
    early.hold(1.0, has_body=False)
    assert not [lit for lit in early.hold(30.0) if lit.alert] and by_day(early.steps[-1])


def test_a_short_dropout_by_day_is_no_fault() -> None:
    drive = HeadDrive()
    drive.hold(5.0)
    drive.hold(0.4, has_body=False)
    drive.hold(5.0)
    assert all(by_day(lit) for lit in drive.steps)


@pytest.mark.clause("R48 6.2.7.5")
def test_v11_a_tunnel_without_a_map() -> None:
    drive = HeadDrive()
    drive.hold(10.0, lux=20_000.0, speed_kmh=90.0)
    drive.hold(3.0, lux=200.0, speed_kmh=90.0)
    assert changed_at(drive.steps) <= 12.0


def tunnel(at_m: float, length_m: float = 500.0, probability: float = 0.9) -> tuple[HorizonSegment, ...]:
    return (
        HorizonSegment(offset_m=-50.0, length_m=50.0 + at_m, probability=1.0),
        HorizonSegment(offset_m=at_m, length_m=length_m, probability=probability, is_tunnel=True),
    )


def approach(drive: HeadDrive, from_m: float, **segment: float) -> list[Lit]:
    at_m, steps = from_m, []
    while at_m > 0.0:
        steps.append(drive.step(speed_kmh=90.0, horizon=tunnel(at_m, **segment)))
        at_m -= 25.0 * STEP_S
    return steps


def test_a_tunnel_of_the_map_is_lit_before_its_portal() -> None:
    steps = approach(HeadDrive(), 100.0)
    assert by_day(steps[0]) and by_night(steps[-1]) and steps[-1].reason == "tunnel"
    lead_s = steps[-1].t_s - changed_at(steps) + STEP_S
    assert 1.0 <= lead_s <= 2.0


def test_the_road_ahead_moves_on_while_the_map_is_silent() -> None:
    ahead = Horizon(stamp_s=START_S, is_matched=True, confidence=0.9, segments=tunnel(50.0))
    assert not is_tunnel_near(ahead, 25.0, START_S, PARAMS.headlamps)
    assert is_tunnel_near(ahead, 25.0, START_S + 1.0, PARAMS.headlamps)


@pytest.mark.parametrize("segment", [{"length_m": 20.0}, {"probability": 0.3}])
def test_an_underpass_or_another_road_s_tunnel_is_not_foreseen(segment: dict[str, float]) -> None:
    assert all(by_day(lit) for lit in approach(HeadDrive(), 60.0, **segment))


@pytest.mark.parametrize(
    ("weather", "reason"),
    [({"is_raining": True}, "rain"), ({"wiper": Wiper.FAST}, "rain"), ({"is_front_fog_on": True}, "front_fog")],
)
def test_rain_and_fog_switch_on_by_day_and_off_late(weather: dict[str, Any], reason: str) -> None:
    drive = HeadDrive()
    drive.hold(2.0)
    on = drive.hold(20.0, **weather)
    assert by_night(on[-1]) and on[-1].reason == reason
    off = drive.hold(30.0)
    assert off[-1].t_s - off[0].t_s > 5.0 and changed_at([on[-1], *off]) - off[0].t_s > 5.0


def test_a_wiper_at_intervals_or_a_wash_is_no_rain() -> None:
    drive = HeadDrive()
    drive.hold(60.0, wiper=Wiper.INTERVAL)
    drive.hold(3.0, wiper=Wiper.FAST)
    drive.hold(3.0)
    assert all(by_day(lit) for lit in drive.steps)


# --- V12 to V18: the driver -------------------------------------------------------------------------------------------


@pytest.mark.clause("R48 6.2.7.5.1")
@pytest.mark.parametrize(
    "still", [{"gear": Gear.PARK}, {"is_parking_brake_on": True}, {}], ids=["park", "parking brake", "not moved yet"]
)
def test_v12_v13_the_driver_may_stand_in_the_dark_and_not_drive(still: dict[str, Any]) -> None:
    drive = HeadDrive()
    held = drive.hold(60.0, lux=DARK, speed_kmh=0.0, light_switch=SWITCH_OFF, **still)
    assert all(lit.state == "held_off" and lit.lamps.dipped_beam is OFF for lit in held)
    away = drive.hold(3.0, lux=DARK, speed_kmh=11.0, light_switch=SWITCH_OFF)
    assert all(by_night(lit) for lit in away)


def test_v12_a_car_that_has_moved_is_dark_again_only_in_park_or_with_the_brake() -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK, light_switch=SWITCH_OFF)
    stop = {"lux": DARK, "speed_kmh": 0.0, "light_switch": SWITCH_OFF}
    assert by_night(drive.hold(5.0, **stop)[-1]), "a traffic light is no parking place"
    assert drive.hold(1.0, **stop, gear=Gear.PARK)[-1].state == "held_off"
    assert by_night(drive.hold(1.0, **stop)[-1])


def test_v12_not_where_the_market_forbids_it() -> None:
    drive = HeadDrive(params=head_params(is_manual_off_allowed=False))
    assert all(
        by_night(lit) for lit in drive.hold(5.0, lux=DARK, speed_kmh=0.0, light_switch=SWITCH_OFF, gear=Gear.PARK)
    )


def two_actions(drive: HeadDrive, **fields: Any) -> list[Lit]:
    return drive.press("headlamps", **fields) + drive.press("headlamps", **fields)


@pytest.mark.clause("R48 6.2.7.5.1")
@pytest.mark.parametrize("speed_kmh", [0.0, 8.0, 10.0])
def test_l06_two_actions_switch_off_until_10_kmh(speed_kmh: float) -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK, speed_kmh=speed_kmh)
    off = two_actions(drive, lux=DARK, speed_kmh=speed_kmh)[-1]
    assert off.state == "manual_off" and off.lamps.dipped_beam is OFF and off.lamps.daytime_running is ON
    assert by_night(drive.step(lux=DARK, speed_kmh=10.1))
    assert by_night(drive.step(lux=DARK, speed_kmh=5.0)), "it stays on until it is switched off anew"


@pytest.mark.clause("R48 6.2.7.5.1")
def test_l07_or_100_m() -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK, speed_kmh=9.0)
    two_actions(drive, lux=DARK, speed_kmh=9.0)
    steps = drive.hold(60.0, lux=DARK, speed_kmh=9.0)
    driven_m = (changed_at(steps) - steps[0].t_s) * 9.0 / 3.6
    assert 95.0 <= driven_m <= 100.5


@pytest.mark.parametrize("by", [{"light_switch": LightSwitch.DIPPED}, {"pressed": ("headlamps",)}, {"speed_kmh": None}])
def test_the_driver_and_every_doubt_bring_the_light_back(by: dict[str, Any]) -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK, speed_kmh=5.0)
    assert two_actions(drive, lux=DARK, speed_kmh=5.0)[-1].state == "manual_off"
    assert by_night(drive.step(**{"lux": DARK, "speed_kmh": 5.0, **by}))


@pytest.mark.clause("R48 6.2.7.5.1")
@pytest.mark.parametrize("speed_kmh", [8.0, 60.0])
@pytest.mark.parametrize(
    "action", [{"pressed": ("headlamps",)}, {"light_switch": SWITCH_OFF}], ids=["button", "switch"]
)
def test_v18_one_action_is_not_enough(action: dict[str, Any], speed_kmh: float) -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK, speed_kmh=speed_kmh)
    drive.hold(20.0, **{"lux": DARK, "speed_kmh": speed_kmh, **action})
    assert all(by_night(lit) for lit in drive.steps)


def test_v18_nor_are_two_at_60_kmh_nor_two_apart_nor_a_worn_contact() -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK, speed_kmh=60.0)
    two_actions(drive, lux=DARK, speed_kmh=60.0)
    drive.hold(5.0, lux=DARK, speed_kmh=8.0)
    drive.press("headlamps", lux=DARK, speed_kmh=8.0)
    drive.hold(5.0, lux=DARK, speed_kmh=8.0)
    drive.press("headlamps", lux=DARK, speed_kmh=8.0)
    assert all(by_night(lit) for lit in drive.steps)


def test_v18_what_was_pressed_by_day_does_not_count_at_night() -> None:
    drive = HeadDrive()
    drive.hold(2.0, speed_kmh=5.0)
    two_actions(drive, speed_kmh=5.0)
    assert by_night(drive.hold(2.0, lux=DARK, speed_kmh=5.0)[-1])


def test_v18_one_movement_of_a_worn_control_is_one_action() -> None:
    drive = HeadDrive()
    dark: dict[str, Any] = {"lux": DARK, "speed_kmh": 5.0}
    drive.hold(5.0, **dark)
    drive.step(**dark, pressed=("headlamps",))
    drive.hold(10.0, **dark, light_switch=SWITCH_OFF)
    assert all(by_night(lit) for lit in drive.steps)


@pytest.mark.clause("R48 6.19.7.2")
def test_v14_daytime_running_lamps_off_by_hand_until_10_kmh() -> None:
    drive = HeadDrive()
    drive.hold(2.0, speed_kmh=8.0)
    drive.press("daytime_running", speed_kmh=8.0)
    assert drive.step(speed_kmh=10.0).lamps.daytime_running is OFF
    assert drive.step(speed_kmh=10.1).lamps.daytime_running is ON
    assert drive.step(speed_kmh=8.0).lamps.daytime_running is ON, "until deliberately switched off"


@pytest.mark.clause("R48 6.19.7.2")
def test_v15_or_100_m() -> None:
    drive = HeadDrive()
    drive.hold(2.0, speed_kmh=8.0)
    drive.press("daytime_running", speed_kmh=8.0)
    steps = drive.hold(101.0 / (8.0 / 3.6), speed_kmh=8.0)
    assert steps[0].lamps.daytime_running is OFF and steps[-1].lamps.daytime_running is ON


@pytest.mark.clause("R48 6.19.7.2")
def test_v16_not_at_11_kmh() -> None:
    drive = HeadDrive()
    drive.hold(2.0, speed_kmh=11.0)
    drive.press("daytime_running", speed_kmh=11.0)
    assert all(by_day(lit) for lit in drive.steps)


@pytest.mark.clause("R48 6.19.7.3")
def test_v17_flashing_by_day_leaves_the_daytime_running_lamps_on() -> None:
    drive = HeadDrive()
    flash = drive.hold(2.0, is_flashing=True)
    assert all(by_day(lit) and lit.lamps.main_beam is NONE for lit in flash), "flashing is the driver's alone"


def test_the_driver_s_switch_gives_dipped_beam_at_noon_and_auto_takes_it_back() -> None:
    drive = HeadDrive()
    drive.hold(30.0, lux=50_000.0)
    on = drive.hold(30.0, lux=50_000.0, light_switch=LightSwitch.DIPPED)
    assert all(by_night(lit) and lit.reason == "driver_wants_dipped" for lit in on)
    assert by_day(drive.hold(0.2, lux=50_000.0)[-1])


@pytest.mark.clause("R48 6.19.7.3")
def test_with_the_propulsion_off_nothing_is_asked_for() -> None:
    drive = HeadDrive()
    drive.hold(2.0, lux=DARK)
    for lit in drive.hold(5.0, lux=DARK, speed_kmh=0.0, is_propulsion_on=False) + drive.hold(
        5.0, has_body=False, speed_kmh=None
    ):
        assert lit.state == "parked"
        assert {lit.lamps.dipped_beam, lit.lamps.main_beam, lit.lamps.daytime_running, lit.lamps.position} == {NONE}


def test_a_stalled_engine_does_not_black_out_a_car_that_rolls() -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=DARK)
    assert all(by_night(lit) for lit in drive.hold(5.0, lux=DARK, speed_kmh=30.0, is_propulsion_on=False))


@pytest.mark.parametrize(
    ("lux", "is_on"), [(0.0, True), (999.0, True), (2000.0, True), (3000.0, False), (7001.0, False)]
)
def test_at_a_start_the_light_of_now_decides_at_once(lux: float, is_on: bool) -> None:
    lit = HeadDrive().step(lux=lux, speed_kmh=0.0)
    assert by_night(lit) if is_on else by_day(lit)


def test_where_the_law_asks_for_dipped_beam_by_day() -> None:
    drive = HeadDrive(params=head_params(is_dipped_by_day=True))
    assert all(by_night(lit) for lit in drive.hold(60.0))


def test_lamps_that_are_not_fitted_are_not_asked_for() -> None:
    drive = HeadDrive(params=head_params(has_daytime_running=False))
    drive.hold(5.0)
    drive.hold(5.0, lux=DARK)
    assert {lit.lamps.daytime_running for lit in drive.steps} == {NONE}


# --- V29, V30: main beam ----------------------------------------------------------------------------------------------

NIGHT_ROAD: dict[str, Any] = {"lux": 1.0, "speed_kmh": 80.0, "is_main_beam_wanted": True, "users": ()}


def on_main_beam() -> HeadDrive:
    drive = HeadDrive()
    drive.hold(5.0, **NIGHT_ROAD)
    last = drive.steps[-1]
    assert last.state == "main" and last.lamps.main_beam is ON and last.lamps.dipped_beam is ON
    return drive


@pytest.mark.clause("R48 6.1.9.3.1.2")
@pytest.mark.parametrize(
    ("user", "reason"),
    [
        (road_user(ObjectClass.CAR, 400.0, 3.0, -25.0), "oncoming"),
        (road_user(ObjectClass.MOTORCYCLE, 400.0, 3.0, -25.0), "oncoming"),
        (road_user(ObjectClass.TRUCK, 400.0, 3.0, 0.0), "oncoming"),
        (road_user(ObjectClass.UNKNOWN, 400.0, -3.0, -5.0), "oncoming"),
        (road_user(ObjectClass.CAR, 100.0, 0.0, 20.0), "preceding"),
        (road_user(ObjectClass.BUS, 100.0, 0.0, 5.0), "preceding"),
        (road_user(ObjectClass.CYCLIST, 75.0, 3.0, -5.0), "cyclist"),
        (road_user(ObjectClass.PEDESTRIAN, 75.0, -4.0, 1.0), "cyclist"),
    ],
    ids=lambda value: value if isinstance(value, str) else value.object_class.name.lower(),
)
def test_v29_nobody_is_dazzled(user: Any, reason: str) -> None:
    drive = on_main_beam()
    lit = drive.step(**{**NIGHT_ROAD, "users": (user,)})
    assert by_night(lit) and lit.lamps.main_beam is OFF and lit.reason == reason
    clear = drive.hold(5.0, **NIGHT_ROAD)
    assert clear[0].lamps.main_beam is OFF, "a gap in a column of cars is no clear road"
    assert clear[-1].lamps.main_beam is ON


@pytest.mark.parametrize(
    "user",
    [
        road_user(ObjectClass.CAR, -20.0, 0.0, 25.0),
        road_user(ObjectClass.MOTORCYCLE, -2.0, 0.0, 25.0),
        road_user(ObjectClass.CAR, 60.0, 60.0, -10.0),
        road_user(ObjectClass.ANIMAL, 50.0),
        road_user(ObjectClass.CAR, 100.0, confidence=0.05),
        road_user(ObjectClass.UNKNOWN, 100.0, -5.0, confidence=0.35, sources=("radar",)),
    ],
    ids=["behind", "close behind", "far aside", "deer", "a ghost", "a rail that radar alone sees"],
)
def test_who_is_not_in_the_beam_does_not_dip_it(user: Any) -> None:
    drive = on_main_beam()
    assert all(lit.state == "main" for lit in drive.hold(3.0, **{**NIGHT_ROAD, "users": (user,)}))


@pytest.mark.parametrize("short", [{"oncoming_m": 399.0}, {"preceding_m": 99.0}, {"cyclist_m": 74.0}])
def test_v29_no_market_can_ask_for_shorter_ranges(short: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        main_params(**short)


@pytest.mark.clause("R48 6.1.7.1")
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"users": None}, "perception_absent"),
        ({"is_main_beam_wanted": False}, "driver_off"),
        ({"is_main_beam_wanted": None}, "driver_off"),
        ({"light_switch": LightSwitch.DIPPED}, "driver_wants_dipped"),
        ({"speed_kmh": 20.0}, "slow"),
        ({"speed_kmh": None}, "vehicle_absent"),
        ({"lux": 500.0}, "lit_road"),
        ({"is_raining": True}, "weather"),
        ({"wiper": Wiper.SLOW}, "weather"),
        ({"is_front_fog_on": True}, "weather"),
        ({"horizon": (HorizonSegment(offset_m=-1.0, length_m=500.0, probability=1.0, is_built_up=True),)}, "lit_road"),
        ({"horizon": (HorizonSegment(offset_m=-1.0, length_m=500.0, probability=1.0, is_lit=True),)}, "lit_road"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_v30_main_beam_goes_with_every_doubt_and_at_the_driver_s_word(change: dict[str, Any], reason: str) -> None:
    drive = on_main_beam()
    lit = drive.step(**{**NIGHT_ROAD, **change})
    assert by_night(lit) and lit.lamps.main_beam is not ON and lit.state == "night" and lit.reason == reason


def test_no_market_can_enable_the_assist_without_naming_an_approval() -> None:
    with pytest.raises(ValidationError, match="approval_ref"):
        main_params(approval_ref=" ")


def test_without_an_approval_main_beam_is_the_driver_s_alone() -> None:
    drive = HeadDrive(main=PARAMS.main_beam)
    assert not PARAMS.main_beam.is_enabled
    assert {lit.lamps.main_beam for lit in drive.hold(10.0, **NIGHT_ROAD)} == {NONE}


def test_main_beam_waits_for_speed_and_darkness_with_hysteresis() -> None:
    drive = HeadDrive()
    assert all(lit.state == "night" for lit in drive.hold(5.0, **{**NIGHT_ROAD, "speed_kmh": 35.0}))
    assert all(lit.state == "night" for lit in drive.hold(5.0, **{**NIGHT_ROAD, "lux": 60.0}))
    drive.hold(3.0, **NIGHT_ROAD)
    assert all(lit.state == "main" for lit in drive.hold(5.0, **{**NIGHT_ROAD, "speed_kmh": 35.0, "lux": 60.0}))


# --- the table --------------------------------------------------------------------------------------------------------


def test_every_state_under_every_view() -> None:
    flags = (False, True)
    fired = set()
    for values in itertools.product(
        flags, flags, flags, flags, flags, flags, ("", "dark"), flags, flags, ("", "oncoming"), flags
    ):
        view = View(*values)
        for state in State:
            row = TRANSITIONS.fire(state, view)
            after = state if row is None else row.target
            if row is not None:
                fired.add(row)
                assert row.reason_for(view) in REASONS
            if not view.is_on:
                assert after is State.PARKED
            elif view.is_held:
                assert after is State.HELD_OFF
            elif view.is_manual_off:
                assert after is State.MANUAL_OFF
            else:
                assert after not in (State.PARKED, State.HELD_OFF, State.MANUAL_OFF)
                if view.is_failed:
                    assert after is State.FAULT
                if view.cause or view.is_dipped_wanted or view.is_failed:
                    assert after in DIPPED
                if after is State.MAIN:
                    assert not view.no_main and not view.is_dipped_wanted
                if state in DIPPED and after is State.DAY:
                    assert state is State.NIGHT and view.is_bright
    assert fired == set(TRANSITIONS.rows), "a row that never fires is dead"


def test_every_reason_code_is_told_by_the_table() -> None:
    told = {code for row in TRANSITIONS.rows for code in row.reason.split(", ")}
    assert told | {"vehicle_absent", "time_ran_back"} == set(REASONS)


# --- what always holds ------------------------------------------------------------------------------------------------

LUX = st.sampled_from([None, 0.0, 500.0, 999.9, 1000.0, 3000.0, 7000.0, 7000.1, 20_000.0])
STRETCH = st.fixed_dictionaries(
    {
        "lux": LUX,
        "speed_kmh": st.sampled_from([None, 0.0, 9.0, 10.5, 80.0]),
        "light_switch": st.sampled_from([LightSwitch.AUTO, LightSwitch.UNKNOWN, LightSwitch.DIPPED, LightSwitch.OFF]),
        "gear": st.sampled_from([Gear.DRIVE, Gear.PARK]),
        "has_body": st.sampled_from([True, True, True, False]),
        "pressed": st.sampled_from([(), (), ("headlamps",), ("daytime_running",)]),
        "is_raining": st.sampled_from([None, False, True]),
        "users": st.sampled_from([None, (), (road_user(ObjectClass.CAR, 300.0, 0.0, -20.0),)]),
        "is_main_beam_wanted": st.booleans(),
    }
)
STRETCHES = st.lists(st.tuples(STRETCH, st.sampled_from([0.1, 0.3, 1.0, 2.1, 6.0, 25.0])), min_size=1, max_size=8)


@settings(max_examples=60)
@given(STRETCHES)
def test_no_sequence_leaves_the_law(stretches: list[tuple[dict[str, Any], float]]) -> None:
    drive = HeadDrive()
    dark_s: float | None = None
    off_s = -math.inf
    was_on = False
    for fields, seconds in stretches:
        for lit in drive.hold(seconds, **fields):
            is_on = lit.lamps.dipped_beam is ON
            lux = fields["lux"] if fields["has_body"] else None
            is_dark = lux is not None and lux < 1000.0
            dark_s = lit.t_s if is_dark and dark_s is None else dark_s if is_dark else None
            may_be_off = lit.state in ("held_off", "manual_off")
            if dark_s is not None and lit.t_s - dark_s >= 2.0:
                assert is_on or may_be_off, "dark for 2 s"
            if may_be_off:
                assert fields["speed_kmh"] is not None and fields["speed_kmh"] <= 10.0, "dark by hand is for slow cars"
            if fields["has_body"] and fields["light_switch"] is LightSwitch.DIPPED and lit.state != "manual_off":
                assert is_on, "the driver's switch wins"
            if lit.lamps.main_beam is ON:
                assert is_on and fields["is_main_beam_wanted"] and fields["users"] == () and fields["has_body"]
            if was_on and not is_on and not may_be_off:
                assert lux is not None and lux > 7000.0, "off by itself only in the light"
                off_s = lit.t_s
            if is_on and lit.reason == "dark":
                assert lit.t_s - off_s >= PARAMS.headlamps.on_after_s - 2 * STEP_S, "no flicker"
            if is_on:
                assert lit.lamps.position is ON and lit.lamps.daytime_running is OFF
            was_on = is_on


@settings(max_examples=40)
@given(st.lists(LUX, min_size=1, max_size=600))
def test_wild_light_never_makes_it_flicker(values: list[float | None]) -> None:
    drive = HeadDrive()
    changes = [
        after.t_s
        for before, after in itertools.pairwise([drive.step(lux=lux) for lux in values])
        if before.lamps.dipped_beam is not after.lamps.dipped_beam
    ]
    assert len(changes) <= 1 + 2 * len(values) * STEP_S / 5.0, "one on and one off in more than 5 s"


ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.none() | ANY_FLOAT, st.none() | ANY_FLOAT, ANY_FLOAT), min_size=1, max_size=8))
def test_it_answers_to_every_float(sequence: list[tuple[float | None, float | None, float]]) -> None:
    core = Headlamps(PARAMS.headlamps, main_params())
    for lux, speed_mps, now_s in sequence:
        body = BodyState(stamp_s=START_S, ambient_lux=lux)
        vehicle = None if speed_mps is None else VehicleState(stamp_s=START_S, speed_mps=speed_mps)
        said = core.step(Inputs(body=body, vehicle=vehicle), now_s)
        assert said.status.state in {state.value for state in State}


def test_a_clock_that_runs_back_ends_the_message_and_starts_afresh() -> None:
    drive = HeadDrive()
    drive.hold(5.0, lux=None)
    drive.t_s = -100.0
    lit = drive.step(lux=LIGHT)
    assert lit.alert is not None and not lit.alert.is_active and by_day(lit)
