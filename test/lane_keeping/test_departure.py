"""Lane departure warning: UN R130 and the warning half of ELKS, clause by clause; then what always holds."""

from __future__ import annotations

import itertools
import math
import random
from typing import Any

import pytest
from departure_drives import CAR, LEFT, PARAMS, PICTURE_EVERY, RIGHT, SIDE, STEP_S, Drive, alerts, first, params, truck
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.config import Strict
from adas_runtime.converter import check
from adas_runtime.lane_keeping.departure import SPEC, Inputs, LaneDeparture, Memory
from adas_runtime.lane_keeping.params import LaneDepartureParams
from adas_runtime.lane_keeping.states import QUIET, REASONS, TRANSITIONS, WARNING, State, View
from adas_runtime.market import load_market, market_names
from adas_runtime.signals import (
    DriverInput,
    Health,
    Indicator,
    LaneBoundary,
    LaneModel,
    LaneSide,
    MarkingType,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps

SIDES = pytest.mark.parametrize("side", [LEFT, RIGHT], ids=["left", "right"])
RATES_MPS = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]


def drift_out(drive: Drive, side: float, rate_mps: float, to_m: float = -0.6, **fields: Any) -> list[Any]:
    """Drift over the line until the tyre is this far beyond its inner edge."""
    seconds = (drive.dtlm_m(side) - to_m) / rate_mps
    return drive.hold(seconds, side * rate_mps, **fields)


# --- when it warns at the latest --------------------------------------------------------------------------------------


@pytest.mark.clause("R130 6.5")
@pytest.mark.parametrize("rate_mps", RATES_MPS)
@pytest.mark.parametrize("line_m", [0.10, 0.15, 0.30])
@pytest.mark.parametrize("speed_kmh", [62.0, 65.0, 68.0])
@SIDES
def test_r130_6_5_a_truck_is_warned_within_0_3_m_beyond_the_outer_edge(
    speed_kmh: float, line_m: float, rate_mps: float, side: float
) -> None:
    drive = Drive(vehicle=truck(), speed_kmh=speed_kmh, line_m=line_m).settled()
    warned = first(drift_out(drive, side, rate_mps, to_m=-line_m - 0.5), side)
    assert warned.dtlm_m(side) >= -line_m - 0.3
    assert warned.dtlm_m(side) >= -0.1, "the design's own line: shortly after the inner edge at the slowest rate"


@pytest.mark.clause("ELKS K10")
@pytest.mark.clause("ELKS K11")
@pytest.mark.parametrize("rate_mps", RATES_MPS)
@pytest.mark.parametrize("form", [MarkingType.SOLID, MarkingType.DASHED, MarkingType.ROAD_EDGE])
@pytest.mark.parametrize("speed_kmh", [65.0, 72.0, 80.0, 130.0])
@SIDES
def test_elks_k10_a_car_is_warned_within_0_3_m_beyond_the_inner_edge(
    speed_kmh: float, form: MarkingType, rate_mps: float, side: float
) -> None:
    drive = Drive(speed_kmh=speed_kmh, form=form).settled()
    warned = first(drift_out(drive, side, rate_mps), side)
    assert warned.dtlm_m(side) >= -0.3
    # a driver who is warned a lane's width before the line switches it off
    assert warned.dtlm_m(side) <= rate_mps * PARAMS.warn_at_tlc_s + 0.05


@pytest.mark.clause("R130 5.2.1")
@pytest.mark.parametrize("radius_m", [250.0, -250.0, 500.0, -500.0, 1000.0])
@pytest.mark.parametrize("rate_mps", [0.1, 0.4, 0.8])
@SIDES
def test_r130_5_2_1_in_curves_down_to_250_m(radius_m: float, rate_mps: float, side: float) -> None:
    drive = Drive(vehicle=truck(), speed_kmh=65.0, curvature_1pm=1.0 / radius_m).settled()
    assert first(drift_out(drive, side, rate_mps, to_m=-0.8), side).dtlm_m(side) >= -0.1


@pytest.mark.parametrize("rate_mps", [0.1, 0.4, 0.8])
def test_in_tighter_curves_the_inner_line_may_be_cut_a_little_never_beyond_the_law(rate_mps: float) -> None:
    cut = Drive(curvature_1pm=1.0 / 120.0).settled()
    wide = Drive(curvature_1pm=1.0 / 300.0).settled()
    warned = first(drift_out(cut, LEFT, rate_mps), LEFT).left_dtlm_m
    assert warned < first(drift_out(wide, LEFT, rate_mps), LEFT).left_dtlm_m, "the inner side may be cut"
    assert warned >= -0.3
    outer = Drive(curvature_1pm=1.0 / 120.0).settled()
    assert first(drift_out(outer, RIGHT, rate_mps), RIGHT).right_dtlm_m >= -0.05, "the outer side may not"


@pytest.mark.clause("ELKS K3")
def test_elks_k3_the_distance_is_perpendicular_from_the_outer_tyre_edge_to_the_inner_edge() -> None:
    drive = Drive(lane_m=3.6, line_m=0.2).settled()
    seen = drive.core._figures(drive.now_s)  # type: ignore[attr-defined]
    assert seen[0] == pytest.approx(3.6 / 2.0 - 1.75 / 2.0, abs=1e-6)
    slanted = LaneBoundary(
        side=LaneSide.LEFT,
        c0_m=1.8,
        c1=0.1,
        c2_1pm=0.0,
        c3_1pm2=0.0,
        x_min_m=2.0,
        x_max_m=40.0,
        confidence=1.0,
        offset_std_m=0.0,
        width_m=0.2,
    )
    from adas_runtime.lane_keeping.line import measure

    found = measure(slanted, CAR.dimensions.wheelbase_m, CAR.dimensions.tyre_outer_width_m, PARAMS)
    assert found is not None
    wanted = (1.8 + 0.1 * 2.65 - 0.875) / math.hypot(1.0, 0.1) - 0.1
    assert found.distance_m == pytest.approx(wanted)


@pytest.mark.parametrize("latency_s", [0.0, 0.05, 0.1, 0.15])
@pytest.mark.parametrize("rate_mps", [0.1, 0.8])
def test_the_age_of_the_picture_costs_no_warning_time(latency_s: float, rate_mps: float) -> None:
    drive = Drive(latency_s=latency_s).settled()
    assert first(drift_out(drive, LEFT, rate_mps), LEFT).left_dtlm_m >= -0.05


@SIDES
def test_one_line_is_enough_for_its_side(side: float) -> None:
    drive = Drive()
    drive.hold(1.0, sides=(side,))
    assert first(drift_out(drive, side, 0.4, sides=(side,)), side).dtlm_m(side) >= -0.1


@SIDES
def test_the_line_that_is_not_seen_is_not_warned_of(side: float) -> None:
    drive = Drive()
    drive.hold(1.0, sides=(side,))
    assert not alerts(drift_out(drive, -side, 0.4, sides=(side,)))


# --- speed ------------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R130 5.2.3")
@pytest.mark.clause("ELKS K6")
@pytest.mark.parametrize(
    ("speed_kmh", "is_on"),
    [
        (40.0, False),
        (59.0, False),
        (60.1, True),
        (64.0, True),
        (65.0, True),
        (69.0, True),
        (130.0, True),
        (180.0, True),
    ],
)
def test_elks_k6_r130_5_2_3_it_works_above_60_kmh(speed_kmh: float, is_on: bool) -> None:
    drive = Drive(speed_kmh=speed_kmh)
    drive.hold(1.0)
    assert bool(alerts(drift_out(drive, LEFT, 0.4))) is is_on
    assert is_on or drive.seen[-1].state == "off_speed"


@pytest.mark.clause("ELKS K8")
def test_elks_k8_when_slowing_down_it_stays_until_60_kmh() -> None:
    drive = Drive(speed_kmh=72.0).settled()
    for speed_kmh, is_on in ((66.0, True), (64.0, True), (60.0, True), (58.0, True), (56.0, False), (59.0, False)):
        drive.speed_kmh = speed_kmh
        assert (drive.hold(0.2)[-1].state == "armed") is is_on
    drive.speed_kmh = 61.0
    assert drive.hold(0.2)[-1].state == "armed"


def test_no_market_and_no_file_can_put_the_speed_above_the_law() -> None:
    with pytest.raises(ValueError, match="less than or equal to 65"):
        params(active_from_kmh=66.0)
    for name in market_names():
        assert load_market(name, is_dated=False).lane_departure.active_from_kmh <= 65.0


# --- the driver's intent ----------------------------------------------------------------------------------------------

INTENT: dict[str, dict[str, Any]] = {
    "indicator": {"indicator": Indicator.LEFT},
    "hazard": {"indicator": Indicator.HAZARD},
    "steering torque": {"driver_torque_nm": 3.5},
    "steering rate": {"steering_wheel_rate_rps": 0.8},
    "braking": {"accel_mps2": -3.0, "is_braking": True},
    "braking, pedal not known": {"accel_mps2": -3.0},
    "kick-down": {"accelerator": 0.9},
}


@pytest.mark.clause("R130 5.2.1.2")
@pytest.mark.clause("ELKS K14")
@pytest.mark.parametrize("action", INTENT.values(), ids=INTENT)
def test_r130_5_2_1_2_an_action_of_the_driver_suppresses(action: dict[str, Any]) -> None:
    drive = Drive().settled()
    steps = drift_out(drive, LEFT, 0.5, **action)
    assert not alerts(steps)
    assert steps[-1].state.startswith("suppressed") and steps[-1].reason in REASONS


NO_INTENT: dict[str, dict[str, Any]] = {
    "the other indicator": {"indicator": Indicator.RIGHT},
    "steering against the drift": {"driver_torque_nm": -5.0},
    "a hand that rests": {"driver_torque_nm": 2.0},
    "the road brakes, not the driver": {"accel_mps2": -3.0, "is_braking": False},
    "a little throttle": {"accelerator": 0.3},
    "stalks not known": {"has_driver": False},
}


@pytest.mark.parametrize("action", NO_INTENT.values(), ids=NO_INTENT)
def test_what_shows_no_intent_does_not_suppress(action: dict[str, Any]) -> None:
    drive = Drive().settled()
    assert first(drift_out(drive, LEFT, 0.5, **action), LEFT).left_dtlm_m >= -0.3


def test_a_running_warning_ends_when_the_driver_indicates() -> None:
    drive = Drive().settled()
    assert alerts(drift_out(drive, LEFT, 0.5, to_m=-0.1))
    steps = drive.hold(0.2, 0.5, indicator=Indicator.LEFT)
    ended = [item.alert for item in steps if item.alert is not None]
    assert not ended[0].is_active and ended[0].cause == "indicator" and not alerts(steps)


def test_suppression_lasts_a_little_after_the_indicator_went_off() -> None:
    drive = Drive().settled()
    drive.hold(1.0, indicator=Indicator.LEFT)
    assert not alerts(drive.hold(PARAMS.resume_after_indicator_s - 0.1, 0.5))
    drive.lateral_m = 0.0
    drive.hold(2.0)
    assert alerts(drift_out(drive, LEFT, 0.5)), "and then it is over"


def test_an_indicated_lane_change_is_silent_and_the_next_departure_is_not() -> None:
    drive = Drive().settled()
    drive.hold(1.0, indicator=Indicator.LEFT)
    assert not alerts(drive.hold(1.75, 1.0, indicator=Indicator.LEFT))
    drive.lateral_m -= 3.65  # the lines are now those of the next lane
    assert not alerts(drive.hold(1.9, 1.0, indicator=Indicator.LEFT))
    assert not alerts(drive.hold(3.0))
    assert drive.seen[-1].state == "armed"
    assert alerts(drift_out(drive, LEFT, 0.3), LEFT)


def test_a_lane_change_without_indicator_is_warned_of_once_and_the_new_lane_is_followed() -> None:
    drive = Drive().settled()
    before = drive.hold(1.75, 1.0)
    assert alerts(before, LEFT)
    drive.lateral_m -= 3.65
    drive.hold(1.9, 1.0)
    steps = drive.hold(3.0)
    assert not alerts(steps, RIGHT) and steps[-1].state == "armed"


# --- how it warns, how long, and when again ---


@pytest.mark.clause("R130 5.4.1")
@pytest.mark.clause("ELKS K17")
def test_r130_5_4_1_two_ways_and_the_side() -> None:
    drive = Drive().settled()
    for alert in alerts(drift_out(drive, RIGHT, 0.5)):
        check(alert)
        assert alert.side is SIDE[RIGHT] and alert.code == "lane_departure_right"
        assert sum((alert.is_optical, alert.is_acoustic, alert.is_haptic)) >= 2
    with pytest.raises(ValueError, match=r"R130 5\.4\.1"):
        params(is_acoustic=False, is_haptic=False)


@pytest.mark.clause("GSR2 7(4)(c)")
def test_gsr2_7_4_c_without_sound_it_still_shows_and_shakes() -> None:
    drive = Drive(params(is_acoustic=False, is_haptic=True)).settled()
    (alert, *_) = alerts(drift_out(drive, LEFT, 0.5))
    assert alert.is_optical and alert.is_haptic and not alert.is_acoustic


@SIDES
def test_a_warning_is_repeated_while_it_holds_and_ended_once(side: float) -> None:
    drive = Drive().settled()
    drift_out(drive, side, 0.5, to_m=-0.2)
    drive.hold(2.0, -side * 0.5)
    drive.hold(1.0)
    said = [item.alert for item in drive.seen if item.alert is not None]
    assert [alert.is_active for alert in said].count(False) == 1 and not said[-1].is_active
    assert len({alert.since_s for alert in said}) == 1
    times = [item.now_s for item in drive.seen if item.alert is not None]
    assert max(b - a for a, b in itertools.pairwise(times)) <= PARAMS.alert_period_s + 2 * STEP_S
    assert times[-1] - times[0] >= PARAMS.warn_min_s - STEP_S
    assert said[-1].cause == "back_in_lane"


def test_on_the_line_the_driver_is_warned_for_five_seconds_and_not_again_until_back_inside() -> None:
    drive = Drive().settled()
    drift_out(drive, LEFT, 0.5, to_m=-0.05)
    drive.hold(PARAMS.warn_max_s)
    assert drive.seen[-1].state == "armed"
    assert not alerts([*drive.hold(3.0, 0.01), *drive.hold(3.0, -0.01), *drive.hold(2.0, 0.06)])
    drive.hold(1.5, -0.4)
    drive.hold(1.0)
    assert alerts(drift_out(drive, LEFT, 0.5)), "back inside, it warns anew"


def test_trembling_at_the_line_makes_one_warning() -> None:
    drive = Drive().settled()
    drift_out(drive, LEFT, 0.3, to_m=0.0)
    for _ in range(10):
        drive.hold(0.2, 0.15)
        drive.hold(0.2, -0.15)
    begun = {alert.since_s for alert in alerts(drive.seen)}
    assert len(begun) == 1


@pytest.mark.parametrize("lane_m", [2.3, 2.4, 2.5])
def test_in_a_narrow_lane_the_other_line_is_warned_of_in_time(lane_m: float) -> None:
    """From one line to the other takes less than a warning's least time."""
    drive = Drive(params(warn_min_s=3.0), lane_m=lane_m).settled()
    drift_out(drive, LEFT, 0.8, to_m=0.0)
    steps = drift_out(drive, RIGHT, 0.8)
    assert first(steps, RIGHT).right_dtlm_m >= -0.3
    ended = [item.alert for item in steps if item.alert is not None and not item.alert.is_active]
    assert [alert.side for alert in ended][:1] == [SIDE[LEFT]], "the one warning is ended before the other begins"


@pytest.mark.parametrize(("lane_m", "is_lane"), [(2.0, False), (2.3, True), (2.75, True), (5.4, True), (6.0, False)])
def test_two_lines_that_make_no_lane_are_not_believed(lane_m: float, is_lane: bool) -> None:
    drive = Drive(lane_m=lane_m)
    drive.hold(1.0)
    assert (drive.seen[-1].state == "armed") is is_lane
    assert is_lane or drive.seen[-1].reason == "lane_width"


# --- the driver's switch and mute button ---

PRESS = {"pressed": ("lane_departure",)}


def press(drive: Drive, times: int, apart_s: float = 0.5, button: str = "lane_departure") -> None:
    for _ in range(times):
        drive.hold(0.1, pressed=(button,))
        drive.hold(apart_s - 0.1)


@pytest.mark.clause("GSR2 7(4)(a)")
@pytest.mark.parametrize(
    ("times", "apart_s", "button", "is_off"),
    [
        (1, 0.5, "lane_departure", False),
        (2, 0.5, "lane_departure", True),
        (2, 2.9, "lane_departure", True),
        (2, 3.5, "lane_departure", False),
        (2, 0.15, "lane_departure", False),
        (3, 0.5, "lane_departure", False),
        (2, 0.5, "aeb", False),
    ],
    ids=["one", "two", "two slow", "two too slow", "a worn contact", "off and on again", "the other switch"],
)
def test_gsr2_7_4_a_a_sequence_switches_off_one_press_does_not(
    times: int, apart_s: float, button: str, is_off: bool
) -> None:
    drive = Drive().settled()
    press(drive, times, apart_s, button)
    assert (drive.seen[-1].state == "off_driver") is is_off
    assert bool(alerts(drift_out(drive, LEFT, 0.5))) is not is_off
    assert not is_off or (drive.seen[-1].reason, drive.seen[-1].health) == ("switched_off", Health.OK)


def test_a_button_that_is_held_or_stuck_is_one_press() -> None:
    drive = Drive()
    assert not [step for step in drive.hold(20.0, **PRESS) if step.state == "off_driver"]


@pytest.mark.clause("R130 5.3")
@pytest.mark.clause("GSR2 7(4)(b)")
def test_r130_5_3_switched_off_it_is_on_again_after_the_next_start() -> None:
    drive = Drive().settled()
    press(drive, 2)
    assert all(step.state == "off_driver" for step in drive.hold(5.0)), "shown constantly while it is off"
    drive.core = LaneDeparture(PARAMS, CAR)
    assert drive.hold(1.0)[-1].state == "armed"


def test_switching_off_ends_a_running_warning() -> None:
    drive = Drive().settled()
    drift_out(drive, LEFT, 0.3, to_m=0.0)
    press(drive, 2, 0.3)
    said = [step.alert for step in drive.seen if step.alert is not None]
    assert not said[-1].is_active and said[-1].cause == "switched_off"


@pytest.mark.clause("GSR2 7(4)(c)")
def test_gsr2_7_4_c_the_mute_button_takes_the_sound_and_nothing_else() -> None:
    loud, muted = Drive().settled(), Drive().settled()
    press(loud, 2, button="mute")
    press(muted, 1, button="mute")
    loud.hold(0.5)
    muted.hold(1.0)
    a, b = alerts(drift_out(loud, LEFT, 0.5)), alerts(drift_out(muted, LEFT, 0.5))
    assert len(a) == len(b) > 0
    assert all(alert.is_acoustic and alert.is_optical for alert in a), "pressed again, it sounds again"
    assert not any(alert.is_acoustic for alert in b) and all(alert.is_optical for alert in b)


# --- sensors that fail, freeze, jump and lie ---


@pytest.mark.clause("R130 5.2.2")
@pytest.mark.clause("ELKS K15")
@pytest.mark.parametrize(("gone", "reason"), [("has_lanes", "lanes_absent"), ("has_vehicle", "vehicle_absent")])
def test_elks_k15_a_missing_input_is_standby_then_a_failure_and_heals(gone: str, reason: str) -> None:
    drive = Drive().settled()
    short = drive.hold(1.0, **{gone: False})
    assert (short[-1].state, short[-1].health, short[-1].reason) == ("standby", Health.DEGRADED, reason)
    long = drive.hold(PARAMS.fault_after_s, **{gone: False})
    assert (long[-1].state, long[-1].health, long[-1].reason) == ("fault", Health.FAULT, reason)
    assert all(item.health is Health.FAULT for item in drive.hold(2.0, **{gone: False})), "constant while it holds"
    assert drive.hold(1.0)[-1].state == "armed"
    assert alerts(drift_out(drive, LEFT, 0.4))


@pytest.mark.clause("R130 5.4.2")
def test_r130_5_4_2_a_fault_that_persists_is_shown_again_after_the_next_start() -> None:
    drive = Drive()
    assert drive.hold(PARAMS.fault_after_s - 0.1, has_lanes=False)[-1].state == "standby"
    assert drive.hold(0.3, has_lanes=False)[-1].health is Health.FAULT


def test_a_warning_ends_when_the_camera_goes() -> None:
    drive = Drive().settled()
    drift_out(drive, LEFT, 0.5, to_m=-0.1)
    said = [item.alert for item in drive.hold(1.0, has_lanes=False) if item.alert is not None]
    assert not said[-1].is_active and said[-1].cause == "lanes_absent"


def test_a_camera_that_sends_the_same_stamp_for_ever_is_gone() -> None:
    drive = Drive().settled()
    frozen = drive.sent[-1]
    drive.hold(0.3, 0.5, has_lanes=False)
    assert drive.sent[-1] is frozen and drive.seen[-1].reason == "lanes_absent"


@pytest.mark.parametrize("shift_m", [1.0, -1.0, 0.5, -0.5])
def test_one_picture_in_which_the_lane_jumps_warns_nobody(shift_m: float) -> None:
    drive = Drive().settled()
    steps = drive.hold(PICTURE_EVERY * STEP_S, shift_m=shift_m) + drive.hold(2.0)
    assert not alerts(steps) and steps[-1].state == "armed"


def shaken(drive: Drive, seconds: float, rate_mps: float, sigma_m: float) -> list[Any]:
    """Pictures whose lines are off by white noise, seeded."""
    noise = random.Random(4)
    return [
        step
        for _ in range(round(seconds / (PICTURE_EVERY * STEP_S)))
        for step in drive.hold(PICTURE_EVERY * STEP_S, rate_mps, shift_m=noise.gauss(0.0, sigma_m))
    ]


@pytest.mark.parametrize(("lateral_m", "sigma_m"), [(0.0, 0.10), (0.3, 0.10), (0.5, 0.05), (0.6, 0.03)])
def test_noise_of_perception_warns_nobody_in_the_lane(lateral_m: float, sigma_m: float) -> None:
    drive = Drive().settled()
    drive.lateral_m = lateral_m
    assert not alerts(shaken(drive, 40.0, 0.0, sigma_m))


@pytest.mark.parametrize("rate_mps", [0.1, 0.3, 0.8])
@pytest.mark.parametrize("sigma_m", [0.03, 0.05, 0.10])
def test_noise_of_perception_makes_no_warning_late(rate_mps: float, sigma_m: float) -> None:
    drive = Drive().settled()
    steps = shaken(drive, drive.dtlm_m(LEFT) / rate_mps + 3.0, rate_mps, sigma_m)
    assert -0.15 <= first(steps, LEFT).left_dtlm_m <= 0.6


def test_a_lane_that_jumps_for_good_is_another_lane_and_no_departure() -> None:
    drive = Drive().settled()
    assert not alerts(drive.hold(3.0, shift_m=1.5))
    assert not alerts(drive.hold(3.0))


BAD_LINES: dict[str, dict[str, Any]] = {
    "not sure": {"confidence": 0.3},
    "not precise": {"offset_std_m": 0.5},
    "seen far ahead only": {"x_min_m": 25.0},
    "seen behind only": {"x_min_m": 0.0, "x_max_m": 2.0},
}


@pytest.mark.parametrize("bad", BAD_LINES.values(), ids=BAD_LINES)
def test_a_line_that_is_not_trusted_warns_nobody_and_says_so(bad: dict[str, Any]) -> None:
    drive = Drive()
    drive.hold(1.0, boundary=bad)
    steps = drift_out(drive, LEFT, 0.5, boundary=bad)
    assert not alerts(steps)
    assert (steps[-1].state, steps[-1].reason) == ("no_lane", "low_confidence")


def test_a_line_that_fades_ends_the_warning() -> None:
    drive = Drive().settled()
    drift_out(drive, LEFT, 0.4, to_m=-0.1)
    steps = drive.hold(1.0, sides=(RIGHT,))
    said = [item.alert for item in steps if item.alert is not None]
    assert not said[-1].is_active and said[-1].cause == "line_lost"


def test_a_camera_that_is_not_calibrated_works_but_says_so_or_is_refused() -> None:
    drive = Drive()
    drive.hold(1.0, is_calibrated=False)
    assert (drive.seen[-1].health, drive.seen[-1].reason) == (Health.DEGRADED, "camera_not_calibrated")
    assert alerts(drift_out(drive, LEFT, 0.5, is_calibrated=False))
    strict = Drive(params(accept_uncalibrated=False))
    strict.hold(1.0, is_calibrated=False)
    assert not alerts(drift_out(strict, LEFT, 0.5, is_calibrated=False))
    assert strict.seen[-1].reason == "camera_not_calibrated"


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_speed_that_is_no_number_is_no_vehicle_state(bad: float) -> None:
    drive = Drive().settled()
    assert drive.hold(0.1, speed_mps=bad)[-1].reason == "vehicle_absent"


def test_time_that_runs_back_starts_afresh_and_ends_what_ran() -> None:
    drive = Drive().settled()
    drift_out(drive, LEFT, 0.5, to_m=-0.1)
    drive.now_s -= 50.0
    said = [item.alert for item in drive.hold(0.3, has_lanes=False) if item.alert is not None]
    assert [alert.is_active for alert in said] == [False] and said[0].cause == "time_ran_back"


@pytest.mark.clause("R130 5.3")
@pytest.mark.clause("GSR2 7(4)(b)")
def test_r130_5_3_every_start_is_armed() -> None:
    """A fresh core needs no action of the driver; nothing of a former life can keep it off."""
    assert Drive().hold(1.0)[-1].state == "armed"


def test_a_car_that_starts_on_the_line_departed_from_nothing() -> None:
    drive = Drive()
    drive.lateral_m = 1.0
    assert drive.dtlm_m(LEFT) < 0.0
    assert not alerts(drive.hold(3.0))


# --- every state and every guard --------------------------------------------------------------------------------------

FLAGS = (False, True)


def views() -> list[View]:
    """Every combination of what the guards see."""
    return [
        View(missing, failure, off, fast, fault, hl, hr, il, ir, dl, dr, bl, br, short, long)
        for missing, failure, off, fast, fault, hl, hr, il, ir, dl, dr, bl, br, short, long in itertools.product(
            ("", "lanes_absent"), FLAGS, FLAGS, FLAGS, ("", "no_marking"), FLAGS, FLAGS, ("", "indicator"),
            ("", "steering"), *([FLAGS] * 6),
        )
    ]  # fmt: skip


def test_every_state_under_every_view() -> None:
    fired = set()
    for state, view in itertools.product(State, views()):
        row = TRANSITIONS.fire(state, view)
        after = state if row is None else row.target
        if row is not None:
            fired.add(row)
            assert row.reason_for(view) in REASONS
        else:
            assert state in WARNING, "a quiet state always says why it is what it is"
        if view.missing:
            assert after is (State.FAULT if view.is_failure else State.STANDBY)
        elif view.is_off:
            assert after is State.OFF_DRIVER
        elif not view.is_fast:
            assert after is State.OFF_SPEED
        elif view.line_fault:
            assert after is State.NO_LANE
        elif after is State.WARN_LEFT:
            assert not view.intent_left
            assert state is State.WARN_LEFT or view.departs_left
        elif after is State.WARN_RIGHT:
            assert not view.intent_right
            assert state is State.WARN_RIGHT or view.departs_right
        elif state in QUIET:
            assert not (view.departs_left and not view.intent_left)
            assert not (view.departs_right and not view.intent_right)
    assert fired == set(TRANSITIONS.rows), "a row that never fires is dead"


def test_every_reason_code_is_reached_by_a_drive() -> None:
    """One code, one sentence, one way to see it: nothing in the list is dead, nothing said is missing from it."""
    drive = Drive()
    seen: set[str] = set()

    def hold(seconds: float, rate_mps: float = 0.0, **fields: Any) -> None:
        for step in drive.hold(seconds, rate_mps, **fields):
            seen.add(step.reason)
            if step.alert is not None and not step.alert.is_active:
                seen.add(step.alert.cause)

    hold(0.1, has_vehicle=False)
    hold(0.3, has_lanes=False)
    hold(1.0)
    for action in INTENT.values():
        hold(0.2, **action)
        hold(2.2)
    hold(0.5, has_driver=False)
    hold(0.5, is_calibrated=False)
    hold(0.5, sides=())
    hold(0.5, boundary={"confidence": 0.1})
    hold(1.0)
    hold(1.6, 0.5)
    hold(2.0, -0.5)
    hold(2.0, -0.5)
    hold(0.5, sides=(LEFT,))
    drive.lateral_m = 0.0
    hold(1.0)
    hold(1.6, 0.5)
    hold(PARAMS.warn_max_s + 1.0)
    drive.lateral_m = 0.0
    hold(1.0)
    hold(1.9, 0.5)
    drive.now_s -= 10.0
    hold(0.2, has_lanes=False)
    for pressed in (("lane_departure",), (), ("lane_departure",), (), ("lane_departure",)):
        hold(0.3, pressed=pressed)
    drive.lane_m, drive.lateral_m = 8.0, 0.0
    hold(1.0)
    drive.speed_kmh = 30.0
    hold(0.2)
    assert seen == set(REASONS)


# --- what always holds ------------------------------------------------------------------------------------------------

segments = st.lists(
    st.tuples(st.floats(0.2, 4.0), st.floats(-0.8, 0.8)),
    min_size=1,
    max_size=6,
)


@settings(max_examples=60)
@given(
    segments,
    st.floats(65.0, 130.0),
    st.floats(2.75, 4.5),
    st.floats(0.05, 0.30),
    st.floats(0.0, 0.12),
    st.booleans(),
    st.sampled_from([0.0, 0.0, 1 / 250.0, -1 / 400.0]),
)
def test_no_path_leaves_the_lane_without_a_warning_in_time(
    path: list[tuple[float, float]],
    speed_kmh: float,
    lane_m: float,
    line_m: float,
    latency_s: float,
    is_truck: bool,
    curvature_1pm: float,
) -> None:
    """Whatever the driver does before: whoever comes from inside and crosses the law's line was warned since then."""
    drive = Drive(
        vehicle=truck() if is_truck else CAR,
        speed_kmh=speed_kmh,
        lane_m=max(lane_m, 3.3) if is_truck else lane_m,
        line_m=line_m,
        latency_s=latency_s,
        curvature_1pm=curvature_1pm,
    )
    drive.hold(1.0)
    for seconds, rate_mps in path:
        drive.hold(seconds, rate_mps)
        if min(drive.dtlm_m(LEFT), drive.dtlm_m(RIGHT)) < -1.5:
            break
    for side in (LEFT, RIGHT):
        latest_m = -0.3 - (line_m if is_truck else 0.0)
        is_warned = is_inside = False
        for step in drive.seen:
            if step.dtlm_m(side) >= PARAMS.rearm_at_dtlm_m + 0.05:
                is_inside, is_warned = True, is_warned and step.state == f"warn_{SIDE[side].name.lower()}"
            is_warned = is_warned or bool(alerts([step], side))
            assert not is_inside or step.dtlm_m(side) > latest_m or is_warned, f"at {step.now_s:.2f} s, side {side}"


@settings(max_examples=60)
@given(segments, st.sampled_from(list(INTENT.values())))
def test_while_the_driver_acts_nothing_warns(path: list[tuple[float, float]], action: dict[str, Any]) -> None:
    drive = Drive().settled()
    both = {**action, **({"indicator": Indicator.HAZARD} if "indicator" in action else {})}
    for seconds, rate_mps in path:
        drive.hold(min(seconds, 1.5), rate_mps, **both)
        side = LEFT if "driver_torque_nm" in action or "steering_wheel_rate_rps" in action else None
        assert not alerts(drive.seen, side)


numbers = st.floats() | st.floats(-5.0, 5.0)
boundaries = st.builds(
    LaneBoundary,
    side=st.sampled_from(LaneSide),
    c0_m=numbers,
    c1=numbers,
    c2_1pm=numbers,
    c3_1pm2=numbers,
    x_min_m=numbers,
    x_max_m=numbers | st.just(50.0),
    type=st.sampled_from(MarkingType),
    confidence=numbers | st.just(0.9),
    offset_std_m=numbers | st.just(0.05),
    width_m=st.none() | numbers,
)
anything = st.builds(
    Inputs,
    lanes=st.none()
    | st.builds(
        LaneModel,
        stamp_s=numbers | st.floats(0.0, 20.0),
        boundaries=st.lists(boundaries, max_size=4).map(tuple),
        is_calibrated=st.booleans(),
    ),
    vehicle=st.none()
    | st.builds(
        VehicleState,
        stamp_s=numbers,
        speed_mps=numbers | st.just(25.0),
        accel_mps2=st.none() | numbers,
        driver_torque_nm=st.none() | numbers,
        steering_wheel_rate_rps=st.none() | numbers,
        accelerator=st.none() | numbers,
        is_braking=st.none() | st.booleans(),
    ),
    driver=st.none()
    | st.builds(
        DriverInput,
        stamp_s=numbers,
        indicator=st.sampled_from(Indicator),
        pressed=st.lists(st.sampled_from(["lane_departure", "mute", "aeb"]), max_size=2).map(tuple),
    ),
)
moments = st.floats(0.0, 20.0) | st.floats()


@settings(max_examples=200)
@given(st.lists(st.tuples(anything, moments), max_size=25))
def test_it_answers_to_every_float_and_the_same_twice(sequence: list[tuple[Inputs, float]]) -> None:
    one, two = (LaneDeparture(PARAMS, CAR) for _ in range(2))
    for inputs, now_s in sequence:
        kept = two.state
        said = one.step(inputs, now_s)
        assert repr(said) == repr(two.step(inputs, now_s))
        assert isinstance(kept, Memory) and repr(one.state) == repr(two.state)
        assert said.status.reason in REASONS
        assert all(value is None or math.isfinite(value) for value in said.status.kpis)
        two = LaneDeparture(PARAMS, CAR)
        two.state = one.state  # restored elsewhere, it goes on as before


def test_parameters_are_strict_and_no_market_breaks_the_law() -> None:
    assert issubclass(LaneDepartureParams, Strict)
    for name in market_names():
        chosen = load_market(name, is_dated=False).lane_departure
        core = LaneDeparture(chosen, CAR)
        assert chosen.warn_at_dtlm_m >= core.latest_dtlm_m(0.0) + chosen.latest_margin_m
        drive = Drive(chosen).settled()
        assert first(drift_out(drive, LEFT, 0.1), LEFT).left_dtlm_m >= -0.3
    with pytest.raises(ValueError, match="hysteresis"):
        params(rearm_at_dtlm_m=-0.05)
    assert SPEC.name == "lane_departure" and kmh_to_mps(60.0) == pytest.approx(16.667, abs=1e-3)
