"""Driver control assistance as a whole: the sheet's vectors, failures, overrides, the stop, what always holds."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from assisted_drives import (
    DT_S,
    MARKET,
    START_S,
    VEHICLE,
    Drive,
    Moment,
    activate,
    active,
    calm,
    hold,
    inputs,
    lane,
    market,
    other,
    play,
    press,
    road,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from adas_runtime.arbitration.arbiter import LateralRank, LongitudinalRank
from adas_runtime.dcas import looking, messages
from adas_runtime.dcas.core import Dcas
from adas_runtime.dcas.counters import was_on
from adas_runtime.dcas.memory import Outputs
from adas_runtime.dcas.modes import State
from adas_runtime.dcas.override import Lateral, Longitudinal
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    AssistanceMode,
    GazeZone,
    Gear,
    Health,
    Indicator,
    LampDemand,
    LongitudinalRequest,
    RoadClass,
)
from adas_runtime.units import kmh_to_mps

CYCLE_S = 0.1
hands_off = replace(calm, hands=False)
hands_off_unseen = replace(calm, hands=False, gaze=False)
distracted = replace(calm, zone=GazeZone.LAP)
absent = replace(calm, hands=False, zone=GazeZone.LAP)
steering = replace(calm, torque_nm=6.0)
SOUNDS = "dcas_hands_on_escalated", "dcas_eyes_on", "dcas_eyes_on_escalated", "dcas_take_over", "dcas_stopping"

# --- the driver's engagement, end to end: what the driver sees, not what the chain says ---------------------------

HOR, HOR_ESC, EOR, EOR_ESC = "dcas_hands_on", "dcas_hands_on_escalated", "dcas_eyes_on", "dcas_eyes_on_escalated"
DCA, DUR = "dcas_take_over", "dcas_stopping"
unsure = replace(hands_off, zone=GazeZone.UNKNOWN)
glance = hold(4, distracted) + hold(0.15, calm) + hold(3, distracted)
look_back = hold(4, distracted) + hold(0.6, calm) + hold(6, distracted)
WARNED = [
    ("T01-R171-5.5.4.2.6.1", hold(27, unsure), {HOR: 5, HOR_ESC: 15, DUR: 25}),
    ("T02-R171-5.5.4.2.6.1.1", hold(31, hands_off), {HOR: 10, HOR_ESC: 20, DUR: 30}),
    ("T03-R171-5.5.4.2.6.1.1", hold(7, hands_off) + hold(6, absent), {HOR: 7, EOR: 12}),
    ("T04-R171-5.5.4.2.6.2", hold(20, distracted), {EOR: 5, EOR_ESC: 8, DCA: 13, DUR: 18}),
    ("T05-R171-5.5.4.2.6.4.1", hold(20, absent), {HOR: 5, EOR: 5, EOR_ESC: 8, DCA: 13, DUR: 18}),
    ("T06-R171-5.5.4.2.5.2.1", glance, {EOR: 5}),
    ("T07-R171-5.5.4.2.5.2.1", look_back, {EOR: 9.6}),
    ("T12-R171-5.5.4.2.6.3.1", hold(14, distracted) + hold(5, calm), {DUR: 18}),
    # the direct control alert comes first and stands in the place of the eyes-on request
    ("T14-R171-5.5.4.2.6.4.1", hold(20, hands_off) + hold(12, absent), {HOR: 10, HOR_ESC: 20, DCA: 25, DUR: 30}),
]


@pytest.mark.parametrize(("sequence", "latest"), [row[1:] for row in WARNED], ids=[row[0] for row in WARNED])
def test_the_driver_is_warned_no_later_than_the_clause(sequence: list[Moment], latest: dict[str, float]) -> None:
    found = active(sequence).alerts()
    assert {
        code: found.get(code) for code, at_s in latest.items() if not found.get(code, math.inf) <= at_s + CYCLE_S
    } == {}


@pytest.mark.clause("R171 5.5.4.2.7")
@pytest.mark.parametrize(
    ("level", "latest_s"), [(AlertLevel.WARNING, 5.0), (AlertLevel.CRITICAL, 5.0), (AlertLevel.INFO, 10.0)]
)
def test_the_eyes_of_a_drowsy_driver_delay_no_request(level: AlertLevel, latest_s: float) -> None:
    told = Alert(
        stamp_s=0.0,
        author="drowsiness",
        code="drowsiness_break",
        is_active=True,
        level=level,
        since_s=0.0,
        cause="driving",
    )
    found = active(hold(11, replace(hands_off, alerts=(told,)))).alerts()
    assert latest_s - 0.5 < found[HOR] <= latest_s + CYCLE_S


def test_hands_and_failure_show_together() -> None:
    drive = active(hold(6, hands_off_unseen))
    assert drive.at(5.5).core.told.hands.code == "dcas_hands_on"
    assert drive.at(5.5).core.told.notice.code == "dcas_hand_back", "the lost camera, at the same time"


@pytest.mark.parametrize("code", SOUNDS)
def test_what_is_urgent_is_heard(code: str) -> None:
    drive = (
        active(hold(20, absent))
        if code != "dcas_hands_on_escalated"
        else active(hold(16, replace(hands_off, zone=GazeZone.UNKNOWN)))
    )
    alert = drive.alert(code)
    assert alert.is_optical and (alert.is_acoustic or alert.is_haptic)


def test_t09_nothing_is_asked_below_ten() -> None:
    slow = replace(absent, speed_kmh=8.0)
    assert "dcas_hands_on" not in active(hold(1, calm), hold(20, slow)).alerts()


def test_t10_the_request_ends_when_the_eyes_are_back() -> None:
    drive = active(hold(9, distracted), hold(4, calm))
    assert "dcas_take_over" not in drive.alerts()
    ended = [step.t_s for step in drive.steps if step.out.eyes is not None and not step.out.eyes.is_active]
    assert 9.2 <= ended[-1] <= 9.6
    assert drive.last.core.state is State.ACTIVE and drive.last.core.told.eyes.code == ""


def test_t11_who_steers_has_taken_over() -> None:
    drive = active(hold(14, distracted), hold(1, replace(steering, zone=GazeZone.LAP)), hold(10, calm))
    assert "dcas_stopping" not in drive.alerts()
    assert drive.last.core.driven.lateral is Lateral.RELEASED
    assert drive.states()[-1].lateral is AssistanceMode.PASSIVE
    assert not drive.lateral()[-1][1].is_active
    again = active(hold(14, distracted), hold(1, steering), hold(1, calm), press("resume"), hold(3, calm))
    assert again.last.core.driven.lateral is Lateral.CONTROL, "the driver asks for it again"


def test_t13_a_hand_clears_the_request() -> None:
    drive = active(hold(12, replace(hands_off, zone=GazeZone.UNKNOWN)), hold(15, calm))
    assert "dcas_hands_on_escalated" not in drive.alerts()
    assert drive.last.core.state is State.ACTIVE


# --- the stop ------------------------------------------------------------------------------------------------------


def stop(seconds: float = 30.0, base: Moment = absent, chosen: Any = MARKET) -> Drive:
    """Nobody answers; the car obeys the request exactly."""
    core = Dcas(chosen, VEHICLE)
    drive = play(activate(), core=core)
    begin, speed_mps, number = len(drive.steps), kmh_to_mps(100.0), len(drive.steps)
    for _ in range(round(seconds / DT_S)):
        part = play([replace(base, speed_kmh=max(speed_mps, 0.0) * 3.6)], core=core, begin=number)
        number += 1
        step = part.steps[0]
        drive.steps.append(replace(step, t_s=step.t_s - begin * DT_S))
        request = step.out.longitudinal
        if request is not None and request.is_active:
            speed_mps += request.accel_mps2 * DT_S
            speed_mps = max(speed_mps, 0.0)
    del drive.steps[:begin]
    return drive


@pytest.mark.clause("R171 5.3.7.3.1")
def test_nobody_answers_and_the_car_stops_and_holds() -> None:
    drive = stop(50.0, replace(absent, horizon=None))
    began_s = drive.first(State.RISK_MITIGATION)
    assert began_s <= 18.0
    lit = [(t_s, lamps) for t_s, lamps in drive.lamps() if lamps.hazard is LampDemand.ON]
    assert lit[0][0] == pytest.approx(began_s, abs=CYCLE_S), "hazard lamps with the start (R79 5.1.6.3.4)"
    warned_s = drive.alerts()["dcas_take_over"]
    assert began_s - warned_s >= 4.9, "five seconds of warning before (R79 5.1.6.3.2)"
    asked = [request for t_s, request in drive.longitudinal() if t_s >= began_s]
    assert all(request.is_active and -4.0 <= request.accel_mps2 <= 0.0 for request in asked), "R79 5.1.6.3.5"
    assert {request.priority for request in asked} == {LongitudinalRank.EMERGENCY_MANOEUVRE}
    assert drive.last.core.state is State.HELD and drive.last.moment.speed_kmh == 0.0
    assert drive.longitudinal()[-1][1].accel_mps2 < 0.0, "held"
    assert drive.last.core.told.eyes.code == "dcas_stopped"


def test_a_lane_is_kept_on_the_way_to_the_stop() -> None:
    drive = stop(25.0, replace(absent, horizon=None))
    asked = [r.is_active for t_s, r in drive.lateral() if drive.first(State.RISK_MITIGATION) <= t_s <= 24.0]
    assert asked and all(asked)


def test_without_a_lane_the_stop_is_shorter() -> None:
    def decel(drive: Drive) -> float:
        return min(r.accel_mps2 for t_s, r in drive.longitudinal() if t_s < 24.0)

    seen = active(hold(17, absent), hold(6, replace(absent, horizon=None)))
    blind = active(hold(17, absent), hold(6, replace(absent, horizon=None, lane=lane(is_fit=False))))
    assert decel(blind) < decel(seen) < 0.0


ANSWERS = [
    ("steering", [replace(absent, torque_nm=6.0)] * 10, True),
    ("brake", [replace(absent, brake=True)] * 4, True),
    ("cancel", [replace(absent, pressed=("cancel",))] * 4, True),
    ("switch", [replace(absent, pressed=("dcas",))] * 4, True),
    ("accelerator-with-a-hand", [replace(absent, accelerator=0.5, hands=True)] * 4, True),
    ("foot-that-sank", [replace(absent, accelerator=0.9)] * 40, False),
    ("hands-alone", [replace(absent, hands=True)] * 40, False),
    ("eyes-alone", [replace(absent, zone=GazeZone.ROAD)] * 40, False),
]


@pytest.mark.clause("R79 5.1.6.3.7")
@pytest.mark.parametrize(("answer", "ends"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_only_a_clear_action_ends_the_stop(answer: list[Moment], ends: bool) -> None:
    drive = active(hold(19, absent), answer, hold(0.5, calm if ends else absent))
    assert (drive.last.core.state in (State.INACTIVE, State.PASSIVE, State.OFF)) is ends
    if ends:
        assert not drive.longitudinal()[-1][1].is_active
        assert drive.lamps()[-1][1].hazard is LampDemand.OFF, "what was asked for is taken back"


def test_after_the_stop_only_the_driver_moves_the_car_off() -> None:
    drive = stop(60.0, replace(absent, horizon=None))
    assert drive.last.core.state is State.HELD
    held = [r for t_s, r in drive.longitudinal() if t_s > 40.0]
    assert held and all(r.is_active and r.accel_mps2 < 0.0 for r in held)


@pytest.mark.clause("R171 5.5.4.2.8.1")
def test_t15_after_the_second_response_there_is_no_third() -> None:
    once = hold(19, absent) + hold(0.5, replace(absent, brake=True)) + hold(0.5, calm)
    again = press("set_speed") + hold(0.5, calm)
    drive = active(once, hold(3, calm), again)
    assert drive.last.core.state is State.ACTIVE, "once is no lock-out"
    twice = once + hold(3, calm) + again + once
    drive = active(twice, hold(2, calm), press("set_speed"), hold(1, calm))
    assert drive.last.core.state is State.LOCKOUT and drive.states()[-1].mode is AssistanceMode.LOCKOUT
    assert "dcas_locked_out" in drive.alerts()
    switched = active(twice, hold(6, calm), press("dcas"), hold(5, calm), press("dcas"), hold(1, calm))
    assert switched.last.core.state is State.LOCKOUT, "off and on again does not help"
    fresh = active(twice, hold(1, replace(calm, key=False)), activate())
    assert fresh.last.core.state is State.ACTIVE, "a new run cycle does"


@pytest.mark.clause("R171 5.5.4.2.8.1")
@pytest.mark.parametrize(
    ("before", "after", "is_locked"),
    [(None, None, True), (41, 41, True), (41, 42, False), (41, None, True)],
    ids=["no-counter", "same-cycle", "next-cycle", "counter-lost"],
)
def test_t15_a_restart_of_the_process_within_the_run_cycle_unlocks_nothing(
    before: int | None, after: int | None, is_locked: bool
) -> None:
    here = replace(calm, cycle=before)
    once = hold(19, replace(absent, cycle=before)) + hold(0.5, replace(here, brake=True)) + hold(0.5, here)
    drive = active(once + hold(3, here) + press("set_speed", here) + hold(0.5, here) + once, base=here)
    former = Dcas(MARKET, VEHICLE)
    former.state = drive.last.core
    anew = Dcas(MARKET, VEHICLE)
    anew.keep(former.kept())
    later = play(activate(replace(calm, cycle=after)), core=anew)
    assert later.last.core.state is (State.LOCKOUT if is_locked else State.ACTIVE)


@pytest.mark.parametrize("kept", [{}, {"unavailable": -3}, {"cycle": 7}, {"word": 9}])
def test_what_was_not_kept_locks_nobody_out(kept: dict[str, int]) -> None:
    core = Dcas(MARKET, VEHICLE)
    core.keep(kept)
    assert play(activate(), core=core).last.core.state is State.ACTIVE


@pytest.mark.clause("R79 5.1.6.3")
def test_who_does_not_answer_at_standstill_is_helped_by_others() -> None:
    risk = MARKET.dcas.risk
    calling = market(risk=risk.model_copy(update={"calls_help": True}))
    drive = stop(90.0, replace(absent, horizon=None), calling)
    held_s = drive.first(State.HELD)
    said = [(step.t_s - held_s, step.out.state) for step in drive.steps if step.out.state is not None]
    sounding = [t_s for t_s, state in said if state.is_horn_wanted]
    assert sounding and min(sounding) == pytest.approx(risk.horn_after_s, abs=0.1), "never while it drives"
    assert max(sounding) <= risk.horn_after_s + risk.horn_for_s, "then hazard lamps alone"
    begins = [
        t_s for (_, former), (t_s, state) in itertools.pairwise(said) if state.is_horn_wanted > former.is_horn_wanted
    ]
    assert len(begins) == math.ceil(risk.horn_for_s / risk.horn_period_s), "in single blows"
    helped = [t_s for t_s, state in said if state.is_help_wanted]
    assert helped[0] == pytest.approx(risk.help_after_s, abs=0.25) and drive.states()[-1].is_help_wanted
    assert not any(state.is_help_wanted for state in stop(90.0, replace(absent, horizon=None)).states()), (
        "no market asks"
    )


def test_a_hand_on_the_wheel_silences_the_horn() -> None:
    drive = stop(50.0, replace(absent, horizon=None))
    assert drive.last.core.state is State.HELD
    core = Dcas(MARKET, VEHICLE)
    core.state = drive.last.core
    begin = round((core.state.now_s - START_S) / DT_S) + 1
    there = play(hold(4.0, replace(absent, hands=True, speed_kmh=0.0)), core=core, begin=begin)
    assert not any(state.is_horn_wanted for state in there.states())


# --- modes ---------------------------------------------------------------------------------------------------------


def test_t16_emergency_braking_comes_first_and_nothing_resumes() -> None:
    aeb = LongitudinalRequest(stamp_s=0.0, author="aeb", cause="collision", is_active=True, accel_mps2=-8.0, priority=2)
    warning = Alert(
        stamp_s=0.0, author="aeb", code="collision", is_active=True, level=AlertLevel.CRITICAL, since_s=0.0, cause="x"
    )
    braking = replace(distracted, requests=(aeb,), alerts=(warning,), speed_kmh=50.0)
    standing = replace(distracted, speed_kmh=0.0)
    drive = active(hold(6, distracted), hold(1, braking), hold(0.5, replace(braking, speed_kmh=0.0)), hold(5, standing))
    urgent = [s.out.eyes for s in drive.steps if 6.1 < s.t_s < 7.4 and s.out.eyes is not None and s.out.eyes.is_active]
    assert urgent and not any(alert.is_acoustic or alert.is_haptic for alert in urgent), "the emergency's sound alone"
    assert not any(r.is_active for t_s, r in drive.longitudinal() if t_s > 6.1), "5.2.1, 5.5.3.3.4"
    assert drive.last.core.driven.longitudinal is Longitudinal.SUSPENDED
    assert drive.last.core.told.info.code == "dcas_speed_suspended"
    resumed = active(
        hold(1, braking), hold(1, replace(calm, speed_kmh=0.0)), press("resume", replace(calm, speed_kmh=0.0))
    )
    assert resumed.last.core.driven.longitudinal is Longitudinal.CONTROL


def test_no_other_critical_alert_takes_the_sound_from_a_request() -> None:
    stray = Alert(
        stamp_s=0.0, author="health", code="fault/x", is_active=True, level=AlertLevel.CRITICAL, since_s=0.0, cause="x"
    )
    assert active(hold(9, replace(distracted, alerts=(stray,)))).alert("dcas_eyes_on").is_acoustic


@pytest.mark.parametrize("lasts", [1, 3])
def test_a_gap_in_the_vehicles_messages_resumes_nothing(lasts: int) -> None:
    gap = [replace(calm, vehicle=False)] * lasts
    after = active(hold(1, replace(calm, brake=True)), hold(1, calm), gap, hold(2, calm))
    assert after.last.core.driven.longitudinal is Longitudinal.SUSPENDED, "5.5.3.4.1.1, 5.5.3.3.4"
    released = active(hold(14, distracted), hold(1, steering), gap, hold(2, calm))
    assert released.last.core.driven.lateral is Lateral.RELEASED
    foot = replace(absent, brake=True)
    stopping = active(hold(17, absent), hold(0.2, foot), hold(3, foot))
    assert stopping.last.core.state is State.RISK_MITIGATION, "a foot that was there before is no answer"
    assert active(
        hold(17, absent), hold(2, foot), [replace(foot, vehicle=False)] * lasts, hold(2, foot)
    ).last.core.state is (State.RISK_MITIGATION)


def test_t17_a_run_cycle_starts_off_and_stop_start_does_not() -> None:
    cycle = active(hold(1, replace(calm, key=False)), hold(1, calm))
    assert cycle.last.core.state is State.OFF
    pause = active(hold(1, replace(calm, propulsion=False)), hold(1, calm))
    assert pause.last.core.state is State.ACTIVE
    assert play(hold(5, calm)).last.core.state is State.OFF, "nothing switches itself on"


LOST = [
    ("T18-belt", {"belt": False}, "driver_belt", State.INACTIVE),
    ("belt-unknown", {"belt": None}, "driver_belt", State.INACTIVE),
    ("seat", {"seat": False}, "driver_seat", State.INACTIVE),
    ("seat-unknown", {"seat": None}, "driver_seat", State.INACTIVE),
    ("T31-lane", {"lane": lane(is_fit=False)}, "lane_lost", State.INACTIVE),
    ("narrow", {"lane": lane(is_fit=False, reason="lane_too_narrow")}, "lane_narrow", State.INACTIVE),
    ("speed", {"speed_kmh": 140.0}, "speed_high", State.INACTIVE),
    ("road", {"horizon": road(RoadClass.RESIDENTIAL)}, "road_outside", State.INACTIVE),
    ("camera-absent", {"gaze": False}, "driver_monitoring_lost", State.OFF),
    ("camera-covered", {"covered": True}, "driver_monitoring_lost", State.OFF),
    ("camera-frozen", {"frame_stands": True}, "driver_monitoring_lost", State.OFF),
    ("objects", {"objects": None}, "objects_absent", State.OFF),
    ("lane-absent", {"lane": None}, "lane_absent", State.OFF),
    ("body", {"body": False}, "body_absent", State.OFF),
    ("departure-warning", {"departure": False}, "safety_system_fault", State.OFF),
]


@pytest.mark.clause("R171 5.5.3.3.3")
@pytest.mark.parametrize(("change", "code", "after"), [row[1:] for row in LOST], ids=[row[0] for row in LOST])
def test_a_lost_precondition_ends_assistance_in_an_orderly_way(change: dict[str, Any], code: str, after: State) -> None:
    lost = replace(calm, **change)
    drive = active(hold(8, lost))
    exit_s = drive.first(State.EXITING)
    assert exit_s <= 3.4, "noticed"
    assert drive.at(exit_s).core.reason == code
    assert drive.alerts()["dcas_hand_back"] <= exit_s + CYCLE_S, "told at once"
    assert drive.last.core.state is after
    assert drive.first(after) - exit_s <= 1.0, "a hand is on the wheel: it need not last"
    assert not any(r.is_active for t_s, r in drive.lateral() if t_s > drive.first(after) + CYCLE_S)
    if after is State.OFF:
        assert "dcas_fault" in drive.alerts() and drive.last.out.status.health is Health.FAULT
    else:
        assert "dcas_ended" in drive.alerts()


@pytest.mark.parametrize(("change", "code"), [(row[1], row[2]) for row in LOST], ids=[row[0] for row in LOST])
def test_without_a_hand_on_the_wheel_it_ends_in_a_stop(change: dict[str, Any], code: str) -> None:
    lost = replace(replace(hands_off, **change), hands=False)
    drive = active(hold(14, lost))
    exit_s = drive.first(State.EXITING)
    assert 5.0 <= drive.first(State.RISK_MITIGATION) - exit_s <= 5.2
    assert drive.last.core.state is State.RISK_MITIGATION
    assert drive.alerts()["dcas_hand_back"] <= exit_s + CYCLE_S


HARD = [
    ("gear", {"gear": Gear.NEUTRAL}, State.INACTIVE),
    ("vehicle", {"vehicle": False}, State.OFF),
]


@pytest.mark.parametrize(("change", "after"), [row[1:] for row in HARD], ids=[row[0] for row in HARD])
def test_what_leaves_nothing_to_assist_with_ends_it_at_once(change: dict[str, Any], after: State) -> None:
    drive = active(hold(2, replace(calm, **change)))
    assert drive.first(after) <= 0.6 and State.EXITING not in {step.core.state for step in drive.steps}


def test_without_a_vehicle_state_nothing_is_asked_for() -> None:
    drive = active(hold(0.3, replace(calm, vehicle=False)))
    assert not drive.lateral()[-1][1].is_active and not drive.longitudinal()[-1][1].is_active
    assert not any(r.is_active for _, r in drive.lateral() + drive.longitudinal())


@pytest.mark.clause("R171 5.3.5.1.1")
def test_t31_a_lane_that_comes_and_goes_does_not_make_it_come_and_go() -> None:
    flicker = (hold(1.0, replace(calm, lane=lane(is_fit=False))) + hold(1.5, calm)) * 8
    drive = active(flicker)
    states = [step.core.state for step in drive.steps]
    assert states.count(State.ACTIVE) * DT_S <= 0.5, "it ends once"
    changes = sum(a is not b for a, b in itertools.pairwise(states))
    assert changes <= 2, states
    short = active((hold(0.2, replace(calm, lane=lane(is_fit=False))) + hold(1.0, calm)) * 5)
    assert {step.core.state for step in short.steps} == {State.ACTIVE}, "a moment is no loss"


def test_t19_off_is_off() -> None:
    drive = active(press("dcas"), hold(3, calm))
    assert drive.last.core.state is State.OFF and drive.states()[-1].mode is AssistanceMode.OFF
    late = [r for t_s, r in drive.lateral() + drive.longitudinal() if t_s > CYCLE_S]
    assert not any(r.is_active for r in late)


def test_cancel_leaves_it_ready() -> None:
    drive = active(press("cancel"), hold(3, calm))
    assert drive.last.core.state is State.PASSIVE
    again = active(press("cancel"), hold(1, calm), press("resume"), hold(1, calm))
    assert again.last.core.state is State.ACTIVE


REFUSED = [
    ("hands-off", {"hands": False}, "driver_not_engaged"),
    ("eyes-away", {"zone": GazeZone.LAP}, "driver_not_engaged"),
    ("braking", {"brake": True}, "driver_not_engaged"),
    ("belt", {"belt": False}, "driver_belt"),
    ("too-slow", {"speed_kmh": 20.0}, "speed_low"),
    ("no-lane", {"lane": lane(is_fit=False)}, "lane_lost"),
]


@pytest.mark.clause("R171 5.5.3.2.2")
@pytest.mark.parametrize(("change", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_it_is_not_activated_without_its_preconditions_and_says_why(change: dict[str, Any], code: str) -> None:
    drive = play(activate(replace(calm, **change)) + hold(1, replace(calm, **change)))
    assert State.ACTIVE not in {step.core.state for step in drive.steps}
    assert drive.alert("dcas_refused").cause == code


@pytest.mark.clause("R171 5.4.5")
def test_a_failed_system_is_not_switched_on_and_says_why() -> None:
    lost = replace(calm, body=False)
    drive = play(hold(1, lost) + press("dcas", lost) + hold(2, lost))
    assert drive.last.core.state is State.OFF
    assert drive.alert("dcas_fault").cause == "body_absent"


@pytest.mark.clause("R171 5.4.3")
def test_a_button_that_is_not_its_own_does_not_hide_a_failure() -> None:
    """The driver switches it on, something is missing, and half a second later the driver asks for a set speed."""
    lost = replace(calm, objects=None)
    drive = play(hold(0.2, calm) + press("dcas", lost) + hold(1, lost) + press("set_speed", lost) + hold(1, lost))
    assert drive.last.core.failed == "objects_absent" and drive.last.core.told.notice.code == "dcas_fault"


def test_a_car_without_emergency_braking_gets_no_assistance() -> None:
    bare = VEHICLE.model_copy(
        update={"equipment": VEHICLE.equipment.model_copy(update={"has_emergency_braking": False})}
    )
    drive = play(activate() + hold(1, calm), vehicle=bare)
    assert State.ACTIVE not in {step.core.state for step in drive.steps}
    assert drive.alert("dcas_unavailable").cause == "brakes_not_fitted"


# --- override ------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R171 5.5.3.4.1.1")
def test_t20_after_braking_the_driver_acts_first() -> None:
    drive = active(hold(1, calm), hold(1, replace(calm, brake=True)), hold(5, calm))
    assert drive.last.core.driven.longitudinal is Longitudinal.SUSPENDED
    assert not any(r.is_active and r.accel_mps2 > 0.0 for t_s, r in drive.longitudinal() if t_s > 1.05)
    assert drive.last.core.driven.lateral is Lateral.CONTROL, "steering goes on"
    assert drive.last.core.told.info.code == "dcas_speed_suspended"
    again = active(hold(1, replace(calm, brake=True)), hold(1, calm), press("resume"), hold(1, calm))
    assert again.last.core.driven.longitudinal is Longitudinal.CONTROL


@pytest.mark.parametrize(("to_kmh", "resumes"), [(75.0, True), (65.0, False)])
def test_t21_with_supplement_2_a_short_braking_may_end_by_itself(to_kmh: float, resumes: bool) -> None:
    chosen = market(has_supplement_2=True)
    braking = [
        replace(calm, brake=True, speed_kmh=100.0 + (to_kmh - 100.0) * k * DT_S / 2.0) for k in range(round(2.0 / DT_S))
    ]
    drive = active(braking, hold(2, replace(calm, speed_kmh=to_kmh)), chosen=chosen)
    assert (drive.last.core.driven.longitudinal is Longitudinal.CONTROL) is resumes


@pytest.mark.clause("R171 5.5.3.4.1.4")
def test_t22_fifty_newton_at_the_rim_win() -> None:
    rim_nm = 50.0 * 0.18
    drive = active(hold(1, calm), hold(2, replace(calm, torque_nm=rim_nm)), hold(5, calm))
    overridden = [r for t_s, r in drive.lateral() if 1.1 < t_s < 3.0]
    assert not any(r.is_active for r in overridden)
    assert drive.at(2.0).core.driven.lateral is Lateral.OVERRIDDEN
    assert drive.last.core.driven.lateral is Lateral.CONTROL, "and it comes back in its lane"
    assert MARKET.envelope.override_torque_nm <= rim_nm
    light = active(hold(3, replace(calm, torque_nm=1.0)))
    assert light.last.core.driven.lateral is Lateral.CONTROL, "a small correction ends nothing"


def test_the_accelerator_wins_and_the_set_speed_comes_back() -> None:
    drive = active(hold(1, calm), hold(2, replace(calm, accelerator=0.4)), hold(2, calm))
    assert not any(r.is_active for t_s, r in drive.longitudinal() if 1.1 < t_s < 2.9)
    assert drive.last.core.driven.longitudinal is Longitudinal.CONTROL


# --- speed limit and gap: `speed` has its own tests, this is that the core uses it ------------------------------------


@pytest.mark.clause("R171 5.3.7.4.7.3.3")
def test_t23_a_lower_limit_is_taken_over_and_heard() -> None:
    fast = replace(calm, speed_kmh=130.0, limit_kmh=130.0)
    drive = active(hold(1, fast), hold(2, replace(fast, limit_kmh=100.0)), base=fast)
    assert drive.states()[-1].max_speed_mps == pytest.approx(kmh_to_mps(100.0))
    assert drive.alert("dcas_limit_changed").is_acoustic
    assert drive.longitudinal()[-1][1].accel_mps2 < 0.0


def test_t24_a_set_speed_below_both_limits_stays() -> None:
    slow = replace(calm, speed_kmh=90.0, limit_kmh=100.0)
    drive = active(
        hold(1, slow), hold(1, replace(slow, limit_kmh=110.0)), hold(1, replace(slow, limit_kmh=80.0)), base=slow
    )
    assert drive.at(1.9).core.driven.speeds.max_mps == pytest.approx(kmh_to_mps(90.0))
    assert drive.last.core.driven.speeds.max_mps == pytest.approx(kmh_to_mps(80.0))


def test_t25_a_gap_below_two_seconds_is_told_once() -> None:
    short = MARKET.model_copy(
        update={
            "following": MARKET.following.model_copy(update={"time_gap_min_s": 1.4}),
            "dcas": MARKET.dcas.model_copy(update={"is_gap_shown": False}),
        }
    )
    drive = active(hold(2, calm), chosen=short)
    core = Dcas(short, VEHICLE)
    whole = play(
        activate() + hold(5, calm) + press("cancel") + hold(1, calm) + press("resume") + hold(4, calm), core=core
    )
    said = [
        s
        for s in whole.steps
        if s.out.info is not None and s.out.info.code == "dcas_gap_notice" and s.out.info.is_active
    ]
    assert said and said[-1].t_s < 6.0, "with the first activation of the run cycle alone"
    assert drive.last.core.state is State.ACTIVE


def test_a_slower_car_ahead_is_followed() -> None:
    behind = replace(calm, objects=(other(40.0, speed_kmh=80.0),))
    drive = active(hold(3, behind))
    asked = drive.longitudinal()[-1][1]
    assert asked.accel_mps2 < -0.5 and asked.priority == LongitudinalRank.DECELERATION
    assert (
        drive.states()[-1].lead_gap_m is not None and drive.states()[-1].time_gap_s == MARKET.following.time_gap_min_s
    )


def test_in_fog_it_falls_back_where_the_market_says_so() -> None:
    """Adaptations 4 `follow.low_visibility`: China, 100 m below 200 m of visibility; the driver's lamp tells of fog."""
    steps = load_market("cn", is_dated=False).following.low_visibility
    fog = MARKET.model_copy(update={"following": MARKET.following.model_copy(update={"low_visibility": steps})})
    behind = replace(calm, objects=(other(70.0, speed_kmh=100.0),))
    clear, foggy = active(hold(6, behind), chosen=fog), active(hold(6, replace(behind, fog=True)), chosen=fog)
    least = [min(request.accel_mps2 for _, request in drive.longitudinal()) for drive in (clear, foggy)]
    assert least[1] < least[0] - 0.2


def test_the_gap_that_is_told_is_the_one_in_force() -> None:
    facts = MARKET.following
    assert facts.wet_factor > 1.0
    drive = active(hold(2, calm) + hold(4, replace(calm, rain=True)))
    assert drive.states()[-1].time_gap_s == pytest.approx(facts.time_gap_min_s * facts.wet_factor)


def test_the_ranks_are_the_arbiters() -> None:
    assert looking.EMERGENCY_RANK == LongitudinalRank.EMERGENCY_BRAKING
    assert messages.RISK_RANK == LongitudinalRank.EMERGENCY_MANOEUVRE
    assert messages.DECELERATION_RANK == LongitudinalRank.DECELERATION
    assert messages.PROPULSION_RANK == LongitudinalRank.PROPULSION
    assert messages.CENTRING_RANK == LateralRank.LANE_CENTRING


@pytest.mark.clause("R171 5.3.7.1.4")
def test_a_tyre_on_the_marking_is_told() -> None:
    out = replace(calm, lane=lane(offset_m=1.0))
    drive = active(hold(2, out))
    alert = drive.alert("dcas_crossing")
    assert alert.is_optical and (alert.is_acoustic or alert.is_haptic)
    assert drive.lateral()[-1][1].is_active and drive.lateral()[-1][1].curvature_1pm > 0.0, "and it goes on helping"
    meant = active(
        hold(0.5, replace(calm, indicator=Indicator.RIGHT)), hold(2, replace(out, indicator=Indicator.RIGHT))
    )
    assert "dcas_crossing" not in meant.alerts(), "who indicates means it"


def test_a_boundary_ahead_is_told_before() -> None:
    near = road()
    ends = replace(
        near, segments=(near.segments[0], replace(near.segments[0], offset_m=200.0, road_class=RoadClass.RESIDENTIAL))
    )
    assert "dcas_boundary_ahead" in active(hold(1, replace(calm, horizon=ends))).alerts()
    assert "dcas_boundary_ahead" not in active(hold(1, calm)).alerts()


# --- counters and history --------------------------------------------------------------------------------------------


@pytest.mark.clause("R171 7.2.3")
def test_what_is_reported_is_counted() -> None:
    drive = active(hold(19, absent), hold(0.5, replace(absent, brake=True)), hold(4, calm))
    counters = drive.last.core.counters
    assert counters.unavailable == 1 and counters.eyes_requests == 1 and counters.take_overs == 1
    lost = active(hold(2, replace(calm, lane=lane(is_fit=False)))).last.core.counters
    failed = active(hold(2, replace(calm, objects=None))).last.core.counters
    belt = active(hold(2, replace(calm, belt=False))).last.core.counters
    by_driver = active(press("cancel")).last.core.counters
    assert (lost.ended_boundary, failed.ended_failure, belt.ended_other) == (1, 1, 1)
    assert (by_driver.ended_boundary, by_driver.ended_failure, by_driver.ended_other) == (0, 0, 0)
    driven = active(hold(36, calm)).last.core.counters
    assert driven.active_m == pytest.approx(1000.0, rel=0.02) and driven.passive_m > 0.0


def test_distance_above_the_limit_with_a_speed_that_the_driver_set_is_counted() -> None:
    limited = replace(calm, limit_kmh=100.0)
    assert active(hold(5, limited), base=limited).last.core.counters.over_limit_m == 0.0
    faster = press("speed_up", limited) + press("speed_up", limited)
    assert active(faster, hold(5, limited), base=limited).last.core.counters.over_limit_m > 100.0


CRASHES = [("T32-4s-before", 4.0, True), ("at-it", 0.0, True), ("T32-6s-before", 6.0, False), ("5s", 4.9, True)]


@pytest.mark.clause("R171 7.2.1")
@pytest.mark.parametrize(("off_s", "counts"), [row[1:] for row in CRASHES], ids=[row[0] for row in CRASHES])
def test_t32_a_collision_with_the_system_on_shortly_before_is_reportable(off_s: float, counts: bool) -> None:
    before = press("dcas") if off_s else hold(0.3, calm)
    drive = active(before, hold(max(off_s - 0.3, 0.0), calm), hold(1, replace(calm, crash=True)))
    assert (drive.last.core.counters.occurrences == 1) is counts


def test_the_history_reaches_back_far_enough_and_stays_short() -> None:
    toggled = [m for _ in range(200) for m in press("dcas", seconds=0.05)]
    history = play(toggled).last.core.counters.history
    assert len(history) <= 64 and was_on(history, history[-1][0])


# --- what always holds -----------------------------------------------------------------------------------------------

moments = st.builds(
    Moment,
    speed_kmh=st.sampled_from([0.0, 8.0, 45.0, 100.0, 134.0]),
    hands=st.sampled_from([True, True, False, None]),
    zone=st.sampled_from([GazeZone.ROAD, GazeZone.ROAD, GazeZone.LAP, GazeZone.UNKNOWN]),
    gaze=st.sampled_from([True, True, True, False]),
    frame_stands=st.sampled_from([False, False, False, True]),
    pressed=st.sampled_from([(), (), ("dcas",), ("set_speed",), ("resume",), ("cancel",), ("speed_up",)]),
    torque_nm=st.sampled_from([0.0, 0.0, 1.0, 6.0, None]),
    brake=st.sampled_from([False, False, False, True]),
    accelerator=st.sampled_from([0.0, 0.0, 0.3]),
    belt=st.sampled_from([True, True, True, False, None]),
    key=st.sampled_from([True, True, True, True, False]),
    body=st.sampled_from([True, True, True, False]),
    emergency=st.sampled_from([False, False, False, True]),
    vehicle=st.sampled_from([True, True, True, False]),
    lane=st.sampled_from([lane(), lane(0.3), lane(-1.2), lane(is_fit=False), None]),
    objects=st.sampled_from([(), (other(30.0, speed_kmh=60.0),), (other(8.0, speed_kmh=0.0),), None]),
)
sequences = st.lists(st.tuples(st.sampled_from([0.05, 0.3, 1.0, 3.0, 6.0]), moments), max_size=8).map(
    lambda parts: activate() + [m for seconds, moment in parts for m in hold(seconds, moment)]
)
SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large]


@settings(max_examples=60, suppress_health_check=SLOW)
@given(sequences)
def test_the_driver_always_wins(sequence: list[Moment]) -> None:
    for step in play(sequence).steps:
        moment, out = step.moment, step.out
        if moment.torque_nm is not None and moment.torque_nm > MARKET.envelope.override_torque_nm:
            assert out.lateral is None or not out.lateral.is_active
        if moment.brake and out.longitudinal is not None and out.longitudinal.is_active:
            assert out.longitudinal.accel_mps2 <= 0.0
        if step.core.state is State.OFF:
            assert out.lateral is None or not out.lateral.is_active
            assert out.longitudinal is None or not out.longitudinal.is_active
        if not moment.vehicle:
            assert out.lateral is None or not out.lateral.is_active


@settings(max_examples=60, suppress_health_check=SLOW)
@given(sequences)
def test_nothing_that_is_unknown_keeps_it_active(sequence: list[Moment]) -> None:
    """Belt, seat, hands, eyes: unknown is never "yes". What is not known for a while ends ACTIVE."""
    since: dict[str, float] = {}
    for step in play(sequence).steps:
        moment = step.moment
        known = {
            "belt": moment.belt is True and moment.body,
            "camera": moment.gaze and not moment.frame_stands,
            "lane": moment.lane is not None and moment.lane.is_fit_to_steer,
            "objects": moment.objects is not None,
        }
        for name, is_known in known.items():
            if is_known:
                since.pop(name, None)
            else:
                since.setdefault(name, step.t_s)
        lost_s = max((step.t_s - at_s for at_s in since.values()), default=0.0)
        if lost_s > MARKET.dcas.gaze.lost_s + MARKET.dcas.gaze.frozen_s + 2 * DT_S:
            assert step.core.state is not State.ACTIVE, since


@settings(max_examples=60, suppress_health_check=SLOW)
@given(sequences)
def test_no_request_leaves_the_limits(sequence: list[Moment]) -> None:
    former_1pm: float | None = None
    for step in play(sequence).steps:
        lateral, longitudinal = step.out.lateral, step.out.longitudinal
        if lateral is not None and lateral.is_active:
            speed_mps = max(kmh_to_mps(step.moment.speed_kmh), 3.0)
            assert abs(lateral.curvature_1pm) * speed_mps**2 <= MARKET.dcas.lateral_accel_max_mps2 + 1e-6 or (
                former_1pm is not None and abs(lateral.curvature_1pm) <= abs(former_1pm)
            )
            former_1pm = lateral.curvature_1pm
        else:
            former_1pm = None
        if longitudinal is not None and longitudinal.is_active:
            assert -MARKET.longitudinal.decel_max_mps2 - 1e-6 <= longitudinal.accel_mps2 <= 2.0


@settings(max_examples=60, suppress_health_check=SLOW)
@given(sequences)
def test_assistance_that_works_watches_the_driver(sequence: list[Moment]) -> None:
    """Raw inputs against the clock, and what the driver is shown, not what the chain says.

    5 s (10 with eyes confirmed) without a hand, 5 s with the eyes away, above 10 km/h: an alert is out.
    """
    off_s: float | None = None
    away_s: float | None = None
    back_s: float | None = None
    for step in play(sequence).steps:
        moment, state, t_s = step.moment, step.core.state, step.t_s
        if state is not State.ACTIVE or not moment.vehicle:
            off_s = away_s = back_s = None
            continue
        is_seen = moment.gaze and not moment.frame_stands
        is_on = moment.hands is True or (moment.torque_nm or 0.0) > 0.4
        off_s = None if is_on else t_s if off_s is None else off_s
        if is_seen and moment.zone is GazeZone.ROAD:
            back_s = t_s if back_s is None else back_s
            if t_s - back_s >= 0.2:
                away_s = None
        else:
            back_s = None
            if is_seen and moment.zone is GazeZone.LAP and away_s is None:
                away_s = t_s
        if moment.speed_kmh <= 10.0:
            continue
        told = step.core.told
        is_told = bool(told.hands.code or told.eyes.code)
        limit_s = 10.0 if is_seen and moment.zone is GazeZone.ROAD else 5.0
        hold_s = MARKET.dcas.engagement.hands_torque_hold_s
        if off_s is not None and t_s - off_s > limit_s + hold_s + CYCLE_S:
            assert is_told, "hands"
        if away_s is not None and t_s - away_s > 5.0 + CYCLE_S:
            assert told.eyes.code, "eyes"


# --- the clock -----------------------------------------------------------------------------------------------------


def ran_back(former: list[Moment], then: list[Moment]) -> list[tuple[State, Outputs]]:
    """What comes out after the clock jumped back by 5 s."""
    core, number, now_s, found = Dcas(MARKET, VEHICLE), 0, START_S, []
    for moment in former:
        core.step(inputs(moment, now_s, number), now_s)
        number, now_s = number + 1, now_s + DT_S
    now_s -= 5.0
    for moment in then:
        out = core.step(inputs(moment, now_s, number), now_s)
        found.append((core.state.state, out))
        number, now_s = number + 1, now_s + DT_S
    return found


@pytest.mark.clause("R171 5.3.5.1.1")
def test_a_clock_that_runs_back_lets_the_car_not_go_without_a_word() -> None:
    found = ran_back(activate() + hold(1, calm), hold(2, calm))
    first = found[0][1]
    assert first.notice is not None and first.notice.code == "dcas_hand_back" and first.notice.is_active
    assert first.lateral is not None and first.lateral.is_active
    assert found[-1][0] in (State.INACTIVE, State.PASSIVE), "a hand is on the wheel: it has ended"
    unheld = ran_back(activate() + hold(1, hands_off), hold(6, hands_off))
    assert unheld[-1][0] is State.RISK_MITIGATION, "and where none comes the car is stopped"


@pytest.mark.clause("R171 5.3.7.3.1")
def test_a_clock_that_runs_back_does_not_end_the_stop_of_a_driver_who_does_not_answer() -> None:
    found = ran_back(activate() + hold(20, absent), hold(3, absent))
    assert all(state is State.RISK_MITIGATION for state, _ in found)
    asked = [out.longitudinal for _, out in found if out.longitudinal is not None]
    assert len(asked) == len(found) and all(item.is_active and item.accel_mps2 < -1.0 for item in asked)
    lamps = [out.lamps for _, out in found if out.lamps is not None]
    assert lamps and all(item.hazard is LampDemand.ON for item in lamps)
    assert any(out.eyes is not None and out.eyes.code == "dcas_stopping" and out.eyes.is_active for _, out in found)


@pytest.mark.clause("R171 5.5.3.3.1")
def test_without_stalks_and_buttons_it_hands_back_since_nobody_could_switch_it_off() -> None:
    drive = active(hold(2, replace(calm, driver=False)))
    assert drive.alerts()["dcas_hand_back"] <= 1.0
    assert drive.last.core.state is State.OFF and drive.last.core.failed == "driver_input_absent"
