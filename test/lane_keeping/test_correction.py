"""Emergency lane keeping, correction: EU 2021/646 rows E4 to E8 and K1 to K20, vectors 1 to 11 of the sheet.

Vectors 2 to 5 hold for the warning as well: test_departure.py.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from steering_drives import (
    CAR,
    MARKET,
    Play,
    alerts,
    driver,
    lane,
    sounding,
    states,
    status,
    truck,
    vehicle,
)

from adas_runtime.arbitration.arbiter import SPEC as ARBITER
from adas_runtime.arbitration.envelope import SPEC as ENVELOPE
from adas_runtime.lane_keeping.correction import SPEC, EmergencyLaneKeeping, Inputs
from adas_runtime.lane_keeping.correction_params import EmergencyLaneKeepingParams
from adas_runtime.lane_keeping.correction_states import CORRECTING, REASONS, TRANSITIONS, State, View
from adas_runtime.lane_keeping.departure import SPEC as DEPARTURE
from adas_runtime.market import load_market
from adas_runtime.market.load import market_path, merge
from adas_runtime.market.release import release_findings
from adas_runtime.scenario.lane_camera import LaneCamera
from adas_runtime.scenario.lane_drive import HANDS_OFF, Drive, Driver, Moment
from adas_runtime.scenario.lane_grid import NOISE, Case, Result, measured
from adas_runtime.scenario.lane_grid import drive as grid_drive
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import SingleTrack
from adas_runtime.signals import (
    Alert,
    AlertSide,
    AssistanceMode,
    AssistanceState,
    BodyState,
    Health,
    Indicator,
    LaneBeyond,
    LongitudinalRequest,
    ManoeuvreState,
    MarkingType,
    Stage,
)
from adas_runtime.units import kmh_to_mps

PARAMS = MARKET.elks
LATEST_M = -0.3  # ELKS K10
LEFT, RIGHT = 1.0, -1.0
DASHED = {"type": MarkingType.DASHED, "may_cross": True, "beyond": LaneBeyond.SAME_DIRECTION}


def fresh(chosen: EmergencyLaneKeepingParams = PARAMS, car: Any = CAR) -> Play:
    return Play(EmergencyLaneKeeping(chosen, MARKET.lateral_control, car), Inputs)


def drift(side: float = LEFT, rate_mps: float = 0.3, speed_kmh: float = 80.0, **more: Any) -> dict[str, Any]:
    """A car that drifts; it began in the middle when it was first asked."""
    began: list[float] = []

    def at(t: float) -> Any:
        began.append(t)
        lateral_m = side * min(rate_mps * (t - began[0]), 1.6)
        return lane(t, lateral_m=lateral_m, rate_mps=side * rate_mps, speed_mps=speed_kmh / 3.6, **more)

    return {"lane": at, "vehicle": lambda t: vehicle(t, speed_kmh=speed_kmh), "driver": lambda t: (driver(t),)}


def quiet(speed_kmh: float = 80.0, **more: Any) -> dict[str, Any]:
    return {
        "lane": lambda t: lane(t),
        "vehicle": lambda t: vehicle(t, speed_kmh=speed_kmh),
        "driver": lambda t: (driver(t),),
        **more,
    }


def corrects(play: Play, inputs: dict[str, Any], seconds: float = 4.0) -> bool:
    return any(item.is_steering for item in play.hold(seconds, **inputs))


# --- in the loop (K7, K10, K12, C2, vector 1) -------------------------------------------------------------------------

RATES = [(70.0, 0.2), (70.0, 0.5), (85.0, 0.35), (99.0, 0.5), (100.0, 0.2), (115.0, 0.3), (130.0, 0.2), (130.0, 0.3)]


@pytest.mark.clause("ELKS K10", "ELKS K12")
@pytest.mark.parametrize(("speed_kmh", "rate_mps"), RATES)
def test_k12_every_departure_ends_far_before_the_latest_line(speed_kmh: float, rate_mps: float) -> None:
    result = grid_drive(Case(speed_kmh=speed_kmh, drift_mps=rate_mps), MARKET, CAR, seconds=12.0)
    assert result.dtlm_m >= -0.20 > LATEST_M, "the design's own margin"
    assert "correct_left" in result.states
    assert result.jerk_mps3 <= 5.0 and result.accel_mps2 <= 2.5
    assert result.limits == (), "the envelope has nothing to cut"


@pytest.mark.clause("ELKS K10", "R79 5.1.6.1.1")
def test_vector_1_elks_k10_k12_warned_corrected_shown() -> None:
    """M1, 72 km/h, solid right line, 0.3 m/s, no indicator."""
    result = departure(72.0, RIGHT, 0.3)
    assert result.dtlm_m > LATEST_M and "correct_right" in result.states
    shown = [(moment.t_s, alert) for moment in result.moments for alert in moment.alerts if alert.author == "elks"]
    assert shown[0][1].side is AlertSide.RIGHT and shown[0][1].is_optical
    end_s = next(t_s for t_s, alert in shown if not alert.is_active)
    assert end_s - shown[0][0] >= 1.0


@pytest.mark.parametrize("delay_s", [0.16, 0.0], ids=["slow", "fast"])
@pytest.mark.parametrize("bend_mps2", [-1.0, 1.0])
def test_another_actuator_than_the_file_says_and_a_bend_do_not_break_it(delay_s: float, bend_mps2: float) -> None:
    case = Case(speed_kmh=90.0, drift_mps=0.4, delay_s=delay_s, lag_s=delay_s, bend_mps2=bend_mps2)
    assert grid_drive(case, MARKET, CAR, seconds=10.0).dtlm_m >= -0.25 > LATEST_M


@pytest.mark.clause("R79 5.1.6.1.3", "GSR2 7(4)(d)")
def test_vector_6_r79_5_1_6_1_3_the_drivers_effort_wins() -> None:
    """The driver holds against the correction with 50 N at the rim: the car goes where the driver steers."""
    result = departure(80.0, LEFT, 0.4, lambda t: Driver(torque_nm=9.0 if t > 3.2 else 0.0, is_hands_on=t > 3.2), 8.0)
    began = next(moment for moment in result.moments if moment.states["elks"] == "correct_left")
    after = [moment for moment in result.moments if moment.t_s > 3.25]
    assert began.t_s < 3.2, "it was correcting when the driver took hold"
    assert {moment.states["elks"] for moment in after} == {"suppressed"}
    assert not any(request.is_active for moment in after[2:] for request in moment.requests.values())
    assert after[-1].command is not None and after[-1].command.lateral_authority == 0.0
    assert next(moment.t_s for moment in after if moment.command and moment.command.lateral_authority < 0.05) < 3.6


def departure(speed_kmh: float, side: float, rate_mps: float, acts: Any = HANDS_OFF, seconds: float = 10.0) -> Result:
    """A departure to either side, with the driver's actions."""
    car = SingleTrack(CAR, Road(), speed_mps=kmh_to_mps(speed_kmh))
    loop = Drive(market=MARKET, car=car, camera=LaneCamera(NOISE), functions=(SPEC, ARBITER, ENVELOPE))
    loop.run(1.5, HANDS_OFF)
    car.motion = replace(car.motion, heading_rad=side * rate_mps / car.speed_mps)
    moments: list[Moment] = loop.run(seconds, acts)
    return measured(Case(speed_kmh=speed_kmh, drift_mps=rate_mps), moments, SPEC.name)


# --- speed (K6 to K8, vectors 2 and 3) --------------------------------------------------------------------------------


@pytest.mark.clause("ELKS K7")
@pytest.mark.parametrize(
    ("speed_kmh", "must"),
    [(64.0, False), (70.0, True), (100.0, True), (130.0, True)],
    ids=lambda value: f"vector-2-ELKS-K7-{value}",
)
def test_vector_2_elks_k7_it_works_from_70_to_130(speed_kmh: float, must: bool) -> None:
    if must:
        assert corrects(fresh(), drift(speed_kmh=speed_kmh))
    else:
        assert fresh().hold(0.1, **quiet(speed_kmh))[-1].state == "ready"


@pytest.mark.clause("ELKS K8")
def test_vector_3_elks_k8_slowing_down_it_stays_until_65() -> None:
    play = fresh()
    for speed_kmh, state in ((72.0, "armed"), (66.0, "armed"), (65.0, "armed"), (61.0, "ready"), (64.0, "ready")):
        assert play.hold(0.5, **quiet(speed_kmh))[-1].state == state


def test_no_market_can_put_the_range_beyond_the_law() -> None:
    for changes in ({"from_kmh": 71.0}, {"to_kmh": 129.0}, {"rate_min_mps": 0.21}, {"rate_max_mps": 0.4}):
        with pytest.raises(ValidationError):
            EmergencyLaneKeepingParams.model_validate({**PARAMS.model_dump(), **changes})


# --- which lines (K9, K13, vector 4) ----------------------------------------------------------------------------------


@pytest.mark.clause("ELKS K13")
@pytest.mark.parametrize(
    ("line", "is_corrected"),
    [
        ({}, True),
        ({"type": MarkingType.DOUBLE_SOLID}, True),
        ({"type": MarkingType.STUDS, "may_cross": False}, True),
        ({"type": MarkingType.ROAD_EDGE, "may_cross": None, "beyond": LaneBeyond.OFF_ROAD}, True),
        (DASHED, False),
        ({**DASHED, "beyond": LaneBeyond.ONCOMING}, True),
        ({"type": MarkingType.SOLID_DASHED, "may_cross": True}, False),
        ({"is_seen": False}, False),
        ({"confidence": 0.3}, False),
    ],
)
def test_k13_solid_lines_and_what_is_worse_to_cross(line: dict[str, Any], is_corrected: bool) -> None:
    for side in (LEFT, RIGHT):
        more = {"left" if side == LEFT else "right": line}
        assert corrects(fresh(), drift(side, **more)) is is_corrected


@pytest.mark.clause("ELKS K9", "ELKS K11")
def test_vector_4_elks_k9_k11_a_dashed_line_is_warned_of_only() -> None:
    """80 km/h, dashed left line, 0.1 m/s: the warning is lane departure's, and this one is silent."""
    play = fresh()
    assert not corrects(play, drift(rate_mps=0.1, left=DASHED), 12.0)
    assert "lane_departure" == DEPARTURE.name  # its own test: test_departure.py


@pytest.mark.parametrize("rate_mps", [0.02, 0.05, 1.2])
def test_what_is_no_lapse_is_left_to_the_driver(rate_mps: float) -> None:
    assert not corrects(fresh(), drift(rate_mps=rate_mps), 1.2 / rate_mps)


# --- intent (K14, vector 5), priority ---------------------------------------------------------------------------------


@pytest.mark.clause("ELKS K14")
@pytest.mark.parametrize(
    ("side", "indicator", "is_corrected"),
    [
        (RIGHT, Indicator.RIGHT, False),
        (RIGHT, Indicator.LEFT, True),
        (LEFT, Indicator.LEFT, False),
        (LEFT, Indicator.HAZARD, False),
    ],
    ids=["vector-5-ELKS-K14", "other-side", "left", "hazard"],
)
def test_vector_5_elks_k14_the_indicator_of_that_side(side: float, indicator: Indicator, is_corrected: bool) -> None:
    inputs = {**drift(side), "driver": lambda t: (driver(t, indicator=indicator),)}
    assert corrects(fresh(), inputs) is is_corrected


@pytest.mark.clause("ELKS K14")
@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ({"driver_torque_nm": 2.0}, "steering"),
        ({"accelerator": 0.9}, "kick_down"),
        ({"accel_mps2": -4.0, "is_braking": True}, "braking"),
        ({"driver_torque_nm": -4.0}, "driver_steers"),
        ({"is_stability_control_active": True}, "stability_control"),
    ],
)
def test_k14_what_shows_a_wish_or_has_priority(action: dict[str, Any], reason: str) -> None:
    play = fresh()
    inputs = {**drift(), "vehicle": lambda t: vehicle(t, **action)}
    assert not corrects(play, inputs)
    assert play.state == "suppressed" and play.seen[-1].reason == reason


def test_a_slight_hand_on_the_wheel_is_no_wish() -> None:
    assert corrects(fresh(), {**drift(), "vehicle": lambda t: vehicle(t, driver_torque_nm=1.0)})


def test_emergency_braking_has_priority() -> None:
    request = LongitudinalRequest(
        stamp_s=1000.0, author="aeb", cause="test", is_active=True, accel_mps2=-6.0, priority=2
    )
    play = fresh()
    assert not corrects(play, {**drift(), "braking": (request,)})
    assert play.seen[-1].reason == "emergency_braking"


def test_an_automatic_lane_change_crosses_on_purpose() -> None:
    play = fresh()
    assert not corrects(play, {**drift(), "lane_change": (status("lane_change", "manoeuvre"),)})
    assert corrects(fresh(), {**drift(), "lane_change": (status("lane_change", "standby", is_active=False),)})
    quiet_one = replace(status("lane_change", "manoeuvre"), stage=Stage.SHADOW)
    assert corrects(fresh(), {**drift(), "lane_change": (quiet_one,)}), "one in shadow touches nobody"


@pytest.mark.parametrize(
    ("manoeuvre", "is_corrected"), [(ManoeuvreState.MANOEUVRE, False), (ManoeuvreState.NONE, True)]
)
def test_so_does_a_lane_change_of_driver_control_assistance(manoeuvre: ManoeuvreState, is_corrected: bool) -> None:
    assistance = AssistanceState(stamp_s=1000.0, lateral=AssistanceMode.ACTIVE, manoeuvre=manoeuvre)
    assert corrects(fresh(), {**drift(), "assistance": (assistance,)}) is is_corrected


@pytest.mark.parametrize("after_s", [0.0, 0.5])
def test_an_action_during_a_correction_ends_it_at_once(after_s: float) -> None:
    play = fresh()
    inputs = drift()
    while not play.seen or not play.seen[-1].is_steering:
        play.hold(0.01, **inputs)
    play.hold(0.01 + after_s, **inputs)
    seen = play.hold(0.02, **{**inputs, "vehicle": lambda t: vehicle(t, driver_torque_nm=-3.2)})
    assert seen[0].state == "suppressed" and seen[0].request is not None and not seen[0].request.is_active


# --- the driver's switch (E5 to E7, vectors 7 to 10) ------------------------------------------------------------------


def press(play: Play, *buttons: str, seconds: float = 0.1) -> None:
    play.hold(seconds, **quiet(driver=lambda t: (driver(t, pressed=buttons),)))
    play.hold(0.5, **quiet())


@pytest.mark.clause("GSR2 7(4)(a)")
def test_vector_7_gsr2_7_4_a_one_press_leaves_it_on() -> None:
    play = fresh()
    press(play, "elks")
    play.hold(5.0, **quiet())
    assert play.state == "armed"


@pytest.mark.clause("GSR2 7(4)(a)")
def test_e5_two_presses_switch_it_off_and_it_says_so_constantly() -> None:
    play = fresh()
    press(play, "elks")
    press(play, "elks")
    seen = play.hold(30.0, **quiet())
    assert states(seen) == ["off_driver"] and seen[-1].health is Health.OK
    assert not corrects(play, drift())


@pytest.mark.clause("GSR2 7(4)(a)")
@pytest.mark.parametrize("button", ["aeb", "lane_departure", "lane_centring", "isa", "dcas"])
def test_vector_8_gsr2_7_4_a_what_is_meant_for_another_leaves_it_alone(button: str) -> None:
    play = fresh()
    press(play, button)
    press(play, button)
    assert play.state == "armed"


@pytest.mark.clause("GSR2 7(4)(b)")
def test_vector_9_gsr2_7_4_b_every_start_switches_it_on() -> None:
    play = fresh()
    press(play, "elks")
    press(play, "elks")
    assert play.state == "off_driver"
    for is_on in (True, False, True):
        key = {"body": lambda t, is_on=is_on: (BodyState(stamp_s=t, is_master_switch_on=is_on),)}
        play.hold(0.5, **quiet(**key))
    assert play.state == "armed"
    assert fresh().hold(0.5, **quiet())[-1].state == "armed", "and so does a new process"


@pytest.mark.clause("GSR2 7(4)(c)")
def test_vector_10_gsr2_7_4_c_muted_it_shows_and_corrects() -> None:
    play = fresh()
    press(play, "mute")
    for _ in range(2):  # the second of a chain sounds
        assert corrects(play, drift())
        play.hold(5.0, **quiet())
    told = [alert for _, alert in alerts(play.seen, "elks_correction")]
    assert told and all(alert.is_optical and not alert.is_acoustic for alert in told)
    loud = fresh()
    for _ in range(2):
        assert corrects(loud, drift())
        loud.hold(5.0, **quiet())
    assert any(alert.is_acoustic for _, alert in alerts(loud.seen, "elks_correction")), "without the button it sounds"


# --- what it lacks (K15, vector 11) -----------------------------------------------------------------------------------


@pytest.mark.clause("ELKS K15")
@pytest.mark.parametrize(
    ("gone", "reason"), [("lane", "lane_absent"), ("vehicle", "vehicle_absent")], ids=["vector-11-ELKS-K15", "car"]
)
def test_vector_11_elks_k15_a_failure_is_told_constantly_and_nothing_is_corrected(gone: str, reason: str) -> None:
    play = fresh()
    play.hold(1.0, **quiet())
    seen = play.hold(20.0, **{**drift(), gone: None})
    assert states(seen) == ["standby", "fault"]
    assert seen[-1].health is Health.FAULT and seen[-1].reason == reason
    assert not any(item.is_steering for item in seen)
    assert play.hold(1.0, **quiet())[-1].state == "armed", "it heals"


def test_a_correction_ends_when_the_camera_goes() -> None:
    play = fresh()
    inputs = drift()
    play.hold(2.6, **inputs)
    assert play.seen[-1].is_steering
    seen = play.hold(0.05, **{**inputs, "lane": None})
    assert seen[0].request is not None and not seen[0].request.is_active


def test_a_lane_that_is_not_fit_to_steer_by_is_not_steered_by() -> None:
    play = fresh()
    assert not corrects(play, drift(is_fit_to_steer=False))
    assert play.state == "ready"


def test_without_stalks_it_works() -> None:
    assert corrects(fresh(), {**drift(), "driver": ()})


# --- how long, and what is told (C0, C3, vector 13) -------------------------------------------------------------------


def stuck(side: float = LEFT) -> dict[str, Any]:
    """A car that hangs on the line whatever is asked of it: a wrong gateway, a rut."""
    return {**drift(side), "lane": lambda t: lane(t, lateral_m=side * 0.9, rate_mps=side * 0.15)}


@pytest.mark.clause("R79 2.3.4.2", "R79 5.1.6.1.2.1")
def test_a_correction_is_short_sounds_in_time_and_comes_back_only_after_the_car_was_inside() -> None:
    play = fresh()
    seen = play.hold(40.0, **stuck())
    steered = [item.t_s for item in seen if item.is_steering]
    assert steered[-1] - steered[0] <= PARAMS.max_s + 0.02
    sounds = [t_s for t_s, alert in alerts(seen, "elks_correction") if alert.is_active and alert.is_acoustic]
    assert sounds[0] - steered[0] <= 10.0 and steered[-1] - sounds[-1] <= 0.2
    assert play.seen[-1].state != "correct_left"
    play.hold(1.0, **quiet())
    assert corrects(play, drift())


@pytest.mark.clause("R79 5.1.6.1.2.1")
def test_vector_14_r79_5_1_6_1_2_1_a_truck_is_sounded_after_30_s_at_the_latest() -> None:
    """Its corrections end before that: the chain itself is tested in test_csf.py."""
    play = fresh(car=truck())
    seen = play.hold(25.0, **{**stuck(), "lane": lambda t: lane(t, lateral_m=0.55, rate_mps=0.15)})
    assert not any(alert.is_acoustic for _, alert in alerts(seen))
    assert PARAMS.max_s <= 30.0


def test_it_says_what_it_saw() -> None:
    play = fresh()
    play.hold(4.0, **drift())
    found = sounding(play.seen, "elks_correction")
    first: Alert = next(alerts(play.seen, "elks_correction"))[1]
    assert found is not None and first.cause.startswith("departing_left: 0.1")


def test_time_that_runs_back_starts_afresh_and_hands_back() -> None:
    play = fresh()
    play.hold(2.6, **drift())
    assert play.seen[-1].is_steering
    play.now_s -= 50.0
    seen = play.hold(0.02, **quiet())
    assert seen[0].request is not None and not seen[0].request.is_active and seen[0].state == "armed"


# --- release (section 2's gate) ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["de", "fr", "pl"])
def test_the_unread_figures_keep_an_eu_market_from_a_release_and_nothing_else(name: str) -> None:
    assert load_market(name).features.elks.stage == "on", "mandatory: GSR2 7(3)"
    keys = [finding.key for finding in release_findings(merge(market_path(name)), on=None)]
    assert "elks.legal_confirmed" in keys


# --- the machine ------------------------------------------------------------------------------------------------------

WELL: dict[str, Any] = {
    "missing": "",
    "is_failure": False,
    "is_off": False,
    "is_in_range": True,
    "lane_fault": "",
    "priority": "",
    "is_override": False,
    "intent": "",
    "intent_left": "",
    "intent_right": "",
    "departs_left": True,
    "departs_right": False,
    "is_settled": False,
    "is_spent": False,
}
TEXTS = {
    "missing": "lane_absent",
    "lane_fault": "lane_unfit",
    "priority": "emergency_braking",
    "intent": "hazard",
    "intent_left": "indicator",
    "intent_right": "steering",
}


@pytest.mark.parametrize("state", list(State))
def test_every_state_under_every_pair_of_guards(state: State) -> None:
    values = {name: ("", TEXTS[name]) if name in TEXTS else (True, False) for name in WELL}
    for one, two in itertools.combinations(WELL, 2):
        for a in values[one]:
            for b in values[two]:
                view = View(**{**WELL, one: a, two: b})
                row = TRANSITIONS.fire(state, view)
                target = state if row is None else row.target
                assert row is None or row.reason_for(view) in REASONS
                if target in CORRECTING:
                    assert not (view.missing or view.is_off or view.priority or view.is_override or view.intent)
                    assert view.is_in_range and not view.lane_fault
                    assert not (view.intent_left if target is State.CORRECT_LEFT else view.intent_right)
                    assert state in CORRECTING or view.departs_left or view.departs_right
                if view.missing:
                    assert target in (State.STANDBY, State.FAULT)
                elif view.is_off:
                    assert target is State.OFF_DRIVER


# --- whatever comes ---------------------------------------------------------------------------------------------------

parts = st.fixed_dictionaries(
    {
        "seconds": st.floats(0.05, 4.0),
        "lateral_m": st.floats(-1.6, 1.6),
        "rate_mps": st.floats(-1.0, 1.0),
        "curvature_1pm": st.floats(-0.02, 0.02),
        "speed_kmh": st.sampled_from([50.0, 70.0, 100.0, 130.0]),
        "torque_nm": st.sampled_from([0.0, 0.0, 0.0, 2.0, -2.0, 4.0, -4.0]),
        "indicator": st.sampled_from([Indicator.OFF, Indicator.OFF, Indicator.LEFT, Indicator.HAZARD]),
        "is_muted": st.booleans(),
    }
)


@settings(max_examples=30, deadline=None)
@given(st.lists(parts, min_size=1, max_size=6))
def test_no_request_beyond_the_limits_none_against_the_driver_and_each_is_shown(drives: list[dict[str, Any]]) -> None:
    play = fresh()
    former_1pm, former_s, former_part = 0.0, -1.0, None
    for part in drives:
        speed_mps = part["speed_kmh"] / 3.6
        for item in play.hold(
            part["seconds"],
            lane=lambda t, p=part: lane(
                t, lateral_m=p["lateral_m"], rate_mps=p["rate_mps"], curvature_1pm=p["curvature_1pm"]
            ),
            vehicle=lambda t, p=part: vehicle(t, speed_kmh=p["speed_kmh"], driver_torque_nm=p["torque_nm"]),
            driver=lambda t, p=part: (driver(t, indicator=p["indicator"]),),
        ):
            if not item.is_steering:
                continue
            assert item.request is not None
            asked_1pm = item.request.curvature_1pm
            assert abs(part["torque_nm"]) <= PARAMS.override_torque_nm, "hands on the wheel always win"
            assert part["indicator"] is not Indicator.HAZARD
            assert abs(asked_1pm) * speed_mps**2 <= PARAMS.accel_max_mps2 + 1e-6
            if item.t_s - former_s < 0.011 and part is former_part:
                assert abs(asked_1pm - former_1pm) * speed_mps**2 <= PARAMS.jerk_max_mps3 * 0.01 + 1e-6
            former_part = part
            former_1pm, former_s = asked_1pm, item.t_s
    steering = [item.t_s for item in play.seen if item.is_steering]
    shown = {round(t_s, 2) for t_s, alert in alerts(play.seen, "elks_correction") if alert.is_active}
    assert all(any(t_s - 0.2 <= s <= t_s + 0.006 for s in shown) for t_s in steering[::10])


@pytest.mark.parametrize("wrong", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("field", ["yaw_rate_rps", "steering_wheel_angle_rad"])
def test_a_motion_that_is_no_number_never_becomes_a_request(field: str, wrong: float) -> None:
    play = fresh()
    inputs = {**drift(), "vehicle": lambda t: vehicle(t, **{field: wrong})}
    seen = play.hold(4.0, **inputs)
    assert any(item.is_steering for item in seen), "it goes on by what is steered"
    assert all(item.request is None or math.isfinite(item.request.curvature_1pm) for item in seen)
