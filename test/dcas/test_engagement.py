"""Hands and eyes chains of R171 5.5.4.2: the sheet's vectors, every state against every guard, an oracle of clocks."""

from __future__ import annotations

import itertools
import math
from enum import Enum
from typing import Any

import pytest
from attention import (
    DT_S,
    ENGAGEMENT,
    GAZE,
    Driver,
    absent,
    asked,
    attentive,
    distracted,
    hands_off,
    hands_off_unseen,
    hold,
    play,
    slow,
    steering,
    steps,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.dcas import engagement
from adas_runtime.dcas.engagement import Alarm, AlarmView, Engagement, Eyes, EyesView, Hands, HandsView
from adas_runtime.dcas.params import EngagementParams
from adas_runtime.gaze import Gaze, GazeReader, Sight
from adas_runtime.signals import DriverState, EngagementStage, GazeZone
from adas_runtime.transitions import Table

NEVER = math.inf
CYCLE_S = 0.1  # the sheet allows one control cycle; here a step and a half-open interval

T01 = hold(30, hands_off_unseen)
T02 = hold(35, hands_off)
T03 = hold(7, hands_off) + hold(10, absent)
T04 = hold(25, distracted)
T05 = hold(25, absent)
T06 = hold(4, distracted) + hold(0.15, attentive) + hold(10, distracted)
T07 = hold(4, distracted) + hold(0.6, attentive) + hold(10, distracted)
T10 = hold(9, distracted) + hold(10, attentive)
T13 = hold(12, hands_off) + hold(20, attentive)
T14 = hold(20, hands_off) + hold(15, absent)

# name, sequence, latest times; "-" before a name: never
LATEST = [
    ("T01-R171-5.5.4.2.6.1", T01, {"HOR": 5, "HOR_ESC": 15, "DUR": 25}),
    ("T02-R171-5.5.4.2.6.1.1", T02, {"HOR": 10, "HOR_ESC": 20, "DUR": 30}),
    ("T03-R171-5.5.4.2.6.1.1", T03, {"HOR": 7, "EOR": 12}),
    ("T04-R171-5.5.4.2.6.2", T04, {"EOR": 5, "EOR_ESC": 8, "DCA": 13, "DUR": 18}),
    ("T05-R171-5.5.4.2.6.4.1", T05, {"HOR": 5, "EOR": 5, "EOR_ESC": 8, "DCA": 13, "DUR": 18}),
    ("T06-R171-5.5.4.2.5.2.1", T06, {"EOR": 5}),
    ("T14-R171-5.5.4.2.6.4.1", T14, {"HOR": 10, "HOR_ESC": 20, "EOR": 25, "DCA": 25, "DUR": 30}),
]


@pytest.mark.parametrize(("sequence", "latest"), [row[1:] for row in LATEST], ids=[row[0] for row in LATEST])
def test_a_warning_comes_no_later_than_its_clause(sequence: list[Driver], latest: dict[str, float]) -> None:
    heard = play(sequence)
    late = {name: heard.at(name) for name, limit in latest.items() if not heard.at(name) <= limit + 1e-9}
    assert not late, f"later than {latest}"


def test_t02_confirmed_eyes_delay_the_request() -> None:
    assert play(T02).at("HOR") > 9.0
    assert play(T01).at("HOR") < 5.0, "unknown eyes delay nothing"


def test_t03_the_delay_ends_when_the_eyes_leave() -> None:
    assert play(T03).at("HOR") == pytest.approx(7.0, abs=CYCLE_S)


def test_t06_a_short_look_back_resets_nothing() -> None:
    assert play(T06).at("EOR") == play(T04).at("EOR")


def test_t07_a_look_back_of_the_declared_time_resets() -> None:
    heard = play(T07)
    assert 9.0 < heard.at("EOR") <= 9.6
    assert len(heard.near(5.0).aversions) == 1


def test_t08_looks_away_again_and_again_are_answered() -> None:
    cycle = hold(4.5, distracted) + hold(0.5, attentive)
    heard = play(cycle * 6)
    assert play(cycle * 3).at("EOR") == NEVER, "each look ends in time"
    # declared rule: after three looks away a request comes sooner, and a look back must last longer to count
    assert heard.at("EOR") == pytest.approx(15.0 + ENGAGEMENT.repeated_request_s, abs=CYCLE_S)
    assert heard.near(19.95).eyes is not Eyes.ON, "half a second back is not enough any more"


@pytest.mark.clause("R171 5.5.4.2.6")
def test_t09_below_ten_nothing_begins() -> None:
    heard = play(hold(60, slow))
    assert not heard.first
    assert play(hold(60, slow) + hold(1, absent)).at("HOR") <= 60.0 + CYCLE_S, "the timers ran"


def test_a_running_request_goes_on_below_ten() -> None:
    heard = play(hold(6, absent) + hold(30, slow))
    assert heard.at("EOR_ESC") <= 8.0 and heard.at("DUR") <= 18.0


def test_t10_cleared_by_eyes_that_stay() -> None:
    heard = play(T10)
    assert heard.at("EOR_ESC") <= 8.0 and heard.at("DCA") == NEVER
    back_s = next(now_s for now_s, memory in heard.every if now_s > 9.0 and memory.eyes is Eyes.ON)
    assert 9.2 <= back_s <= 9.0 + ENGAGEMENT.reengage_s + CYCLE_S


def test_t11_steering_answers_the_direct_control_alert() -> None:
    heard = play(hold(14, distracted) + hold(0.5, steering) + hold(4.0, attentive))
    assert heard.at("DCA") <= 13.0 and heard.at("DUR") == NEVER
    assert not asked(heard.every[-1][1])


def test_t12_eyes_alone_do_not_answer_it() -> None:
    heard = play(hold(14, distracted) + hold(10, attentive))
    assert heard.near(16.0).stage is EngagementStage.TAKE_OVER
    assert heard.at("DUR") <= 18.0


def test_t13_a_hand_clears_the_hands_chain() -> None:
    heard = play(T13)
    assert heard.at("HOR") <= 10.0 and heard.at("HOR_ESC") == NEVER
    assert heard.near(12.1).hands_off_s is None and not asked(heard.near(12.1))


def test_a_direct_control_alert_of_the_hands_alone_is_answered_by_a_hand() -> None:
    heard = play(hold(22, hands_off_unseen) + hold(10, attentive))
    assert heard.at("DCA") < 22.0 and heard.at("DUR") == NEVER and not asked(heard.every[-1][1])


def test_hands_and_eyes_are_asked_for_side_by_side() -> None:
    memory = play(T05).near(6.0)
    assert memory.hands is Hands.REQUESTED and memory.eyes is Eyes.REQUESTED


def test_the_first_of_two_escalations_counts() -> None:
    heard = play(hold(9.5, hands_off_unseen) + hold(20, absent))
    assert heard.at("HOR_ESC") < heard.at("EOR_ESC") < heard.at("DCA")
    assert heard.at("DUR") - heard.at("HOR_ESC") <= 10.0, "5.5.4.2.6.4.1: from the first escalated request"


def test_five_seconds_of_warning_come_before_the_stop() -> None:
    for sequence in (T01, T02, T04, T05, T14):  # R79 5.1.6.3.2
        heard = play(sequence)
        assert heard.at("DUR") - heard.at("DCA") >= 4.95


# --- every state against every guard -------------------------------------------------------------------------------


def every_view(view: type[Any]) -> list[Any]:
    count = len(view.__dataclass_fields__)
    return [view(*flags) for flags in itertools.product((False, True), repeat=count)]


HANDS_ORDER = {Hands.ON: 0, Hands.OFF: 1, Hands.REQUESTED: 2, Hands.ESCALATED: 3}
EYES_ORDER = {Eyes.ON: 0, Eyes.AWAY: 1, Eyes.REQUESTED: 2, Eyes.ESCALATED: 3}


def after(table: Table[Any, Any], state: Enum, view: Any) -> Enum:
    row = table.fire(state, view)
    return state if row is None else row.target


@pytest.mark.parametrize("state", list(Hands))
def test_every_hands_state_against_every_guard(state: Hands) -> None:
    for view in every_view(HandsView):
        found = after(engagement.HANDS, state, view)
        if view.is_on:
            assert found is Hands.ON, "a hand on the wheel always clears"
        else:
            assert HANDS_ORDER[found] - HANDS_ORDER[state] in (0, 1), "stages come one by one and never fall back"
        if state is Hands.OFF and view.is_due and not view.is_on:
            assert found is Hands.REQUESTED


@pytest.mark.parametrize("state", list(Eyes))
def test_every_eyes_state_against_every_guard(state: Eyes) -> None:
    for view in every_view(EyesView):
        found = after(engagement.EYES, state, view)
        if state is not Eyes.ON and view.is_back:
            assert found is Eyes.ON
        else:
            assert EYES_ORDER[found] - EYES_ORDER[state] in (0, 1)
        if state is Eyes.REQUESTED and view.is_escalation_due and not view.is_back:
            assert found is Eyes.ESCALATED


@pytest.mark.parametrize("state", list(Alarm))
def test_every_alarm_state_against_every_guard(state: Alarm) -> None:
    for view in every_view(AlarmView):
        found = after(engagement.ALARM, state, view)
        if view.is_taken_over and state is not Alarm.NONE:
            assert found is Alarm.NONE, "who takes over always ends it"
        elif view.is_unavailable_due and not (view.is_answered and state is Alarm.TAKE_OVER):
            assert found is Alarm.UNAVAILABLE
        elif view.is_take_over_due and state is Alarm.NONE:
            assert found is Alarm.TAKE_OVER
        else:
            assert found is state or found is Alarm.NONE


def test_every_reason_of_the_tables_is_explained() -> None:
    for table in (engagement.HANDS, engagement.EYES, engagement.ALARM):
        assert {row.reason for row in table.rows} <= set(engagement.REASONS)


# --- no later than the clause, for any driver ----------------------------------------------------------------------

drivers = st.builds(
    Driver,
    hands=st.booleans(),
    sight=st.sampled_from(list(Sight)),
    speed_kmh=st.sampled_from([8.0, 10.0, 10.5, 60.0, 130.0]),
)
sequences = st.lists(st.tuples(st.sampled_from([0.05, 0.15, 0.3, 0.6, 1.5, 4.0, 6.0, 9.0]), drivers), max_size=12).map(
    lambda parts: [driver for seconds, driver in parts for driver in hold(seconds, driver)]
)


def oracle(sequence: list[Driver]) -> list[tuple[float, str]]:
    """Deadlines by the clauses' own words, from the raw sequence alone: (time, what must be there by then).

    Knows nothing of the chains' states: it looks for stretches in which somebody is disengaged without a break that
    could count as the driver's coming back (200 ms is the shortest that R171 lets count).
    """
    found: list[tuple[float, str]] = []
    off_s: float | None = None  # no hand
    away_s: float | None = None  # eyes away, short looks back do not count
    back_s: float | None = None
    asked_hands = asked_eyes = False
    for number, driver in enumerate(sequence):
        now_s = number * DT_S
        is_fast = driver.speed_kmh > 10.0
        if driver.hands:
            off_s, asked_hands = None, False
        elif off_s is None:
            off_s = now_s
        if driver.sight is Sight.RELEVANT:
            back_s = now_s if back_s is None else back_s
            if now_s - back_s >= 0.2:
                away_s, asked_eyes = None, False
        else:
            back_s = None
            if away_s is None and driver.sight is Sight.AWAY:
                away_s = now_s
        if is_fast and off_s is not None and not asked_hands:
            waited_s = now_s - off_s
            if waited_s >= 10.0 or (waited_s >= 5.0 and driver.sight is not Sight.RELEVANT):
                found.append((now_s, "HOR"))
                asked_hands = True
        if is_fast and away_s is not None and not asked_eyes and now_s - away_s >= 5.0:
            found.append((now_s, "EOR"))
            asked_eyes = True
    return found


@settings(max_examples=150)
@given(sequences)
def test_no_driver_is_warned_later_than_the_clause_allows(sequence: list[Driver]) -> None:
    every = list(steps(sequence))
    for deadline_s, name in oracle(sequence):
        memory = every[round(deadline_s / DT_S)][1]
        is_there = (
            memory.hands in (Hands.REQUESTED, Hands.ESCALATED)
            if name == "HOR"
            else memory.eyes
            in (
                Eyes.REQUESTED,
                Eyes.ESCALATED,
            )
        )
        assert is_there or memory.alarm is not Alarm.NONE, f"{name} due at {deadline_s:.2f} s"


@settings(max_examples=150)
@given(sequences)
def test_no_stage_lasts_longer_than_its_clause_allows(sequence: list[Driver]) -> None:
    """From any request on: 10 s (HOR), 3 s (EOR) to the escalation, 10 s from there to the unavailability response."""
    first_s: float | None = None
    former = Engagement()
    since = {"hands": 0.0, "eyes": 0.0}
    for now_s, memory in steps(sequence):
        if memory.hands is not former.hands:
            since["hands"] = now_s
        if memory.eyes is not former.eyes:
            since["eyes"] = now_s
        if memory.hands is Hands.REQUESTED:
            assert now_s - since["hands"] <= 10.0
        if memory.eyes is Eyes.REQUESTED:
            assert now_s - since["eyes"] <= 3.0
        is_escalated = memory.hands is Hands.ESCALATED or memory.eyes is Eyes.ESCALATED
        if is_escalated and memory.alarm is not Alarm.UNAVAILABLE:
            first_s = now_s if first_s is None else first_s
            both_s = [since[k] for k, s in (("hands", memory.hands), ("eyes", memory.eyes)) if s.name == "ESCALATED"]
            assert now_s - min(both_s) <= 10.0 or memory.alarm is Alarm.UNAVAILABLE
        former = memory


@settings(max_examples=80)
@given(sequences)
def test_a_hand_and_a_look_always_end_what_is_only_a_request(sequence: list[Driver]) -> None:
    every = list(steps(sequence + hold(ENGAGEMENT.repeated_reengage_s + 0.2, attentive)))
    memory = every[-1][1]
    assert memory.alarm is not Alarm.NONE or not asked(memory)


@settings(max_examples=80)
@given(sequences)
def test_an_attentive_driver_is_never_asked_for_anything(sequence: list[Driver]) -> None:
    """Hands on and eyes on the road all the time: whatever the speed, silence."""
    calm = [Driver(speed_kmh=driver.speed_kmh) for driver in sequence]
    assert not any(asked(memory) for _, memory in steps(calm))


@pytest.mark.parametrize("step_s", [0.01, 0.05, 0.1, 0.15])
def test_the_period_of_the_steps_does_not_matter(step_s: float) -> None:
    monitor, memory = engagement.EngagementMonitor(ENGAGEMENT), Engagement()
    first: dict[str, float] = {}
    for number in range(round(20 / step_s)):
        now_s = number * step_s
        memory = monitor.step(
            memory, is_hands_on=True, sight=Sight.AWAY, speed_mps=30.0, is_taken_over=False, now_s=now_s
        )
        first.setdefault(memory.stage.name, now_s)
    assert first["EYES_ON"] <= 5.0 and first["EYES_ON_ESCALATED"] <= 8.0
    assert first["TAKE_OVER"] <= 13.0 and first["UNAVAILABLE"] <= 18.0


# --- the driver camera ---------------------------------------------------------------------------------------------

SEEN = {"is_face_visible": True, "confidence": 0.9}


def seen(**changes: Any) -> DriverState:
    return DriverState(stamp_s=0.0, **{**SEEN, **changes})


JUDGED = [
    ("road", seen(gaze_zone=GazeZone.ROAD), Sight.RELEVANT),
    ("mirror-declared", seen(gaze_zone=GazeZone.MIRROR_LEFT), Sight.RELEVANT),
    ("instruments-never", seen(gaze_zone=GazeZone.INSTRUMENTS), Sight.AWAY),
    ("centre-stack", seen(gaze_zone=GazeZone.CENTRE_STACK), Sight.AWAY),
    ("lap", seen(gaze_zone=GazeZone.LAP), Sight.AWAY),
    ("passenger", seen(gaze_zone=GazeZone.PASSENGER), Sight.AWAY),
    ("angles-ahead", seen(gaze_yaw_rad=0.1, gaze_pitch_rad=0.05), Sight.RELEVANT),
    ("angles-down", seen(gaze_yaw_rad=0.0, gaze_pitch_rad=0.6), Sight.AWAY),
    ("head-where-no-gaze", seen(head_yaw_rad=0.1, head_pitch_rad=0.1, is_hard_to_see=True), Sight.RELEVANT),
    ("head-turned", seen(head_yaw_rad=0.9, head_pitch_rad=0.1), Sight.AWAY),
    ("gaze-before-head", seen(gaze_yaw_rad=0.0, gaze_pitch_rad=0.6, head_yaw_rad=0.0, head_pitch_rad=0.0), Sight.AWAY),
    ("eyes-closed", seen(gaze_zone=GazeZone.ROAD, eye_openness=0.05), Sight.AWAY),
    ("no-face", seen(is_face_visible=False), Sight.AWAY),
    ("no-face-and-so-no-confidence", seen(is_face_visible=False, confidence=0.0), Sight.AWAY),
    ("unsure", seen(gaze_zone=GazeZone.ROAD, confidence=0.1), Sight.UNKNOWN),
    ("nothing-known", seen(), Sight.UNKNOWN),
    ("covered", seen(gaze_zone=GazeZone.ROAD, is_camera_covered=True), Sight.UNKNOWN),
    ("absent", None, Sight.UNKNOWN),
]


@pytest.mark.clause("R171 5.5.4.2.5")
@pytest.mark.parametrize(("driver", "sight"), [row[1:] for row in JUDGED], ids=[row[0] for row in JUDGED])
def test_where_the_driver_looks(driver: DriverState | None, sight: Sight) -> None:
    assert GazeReader(GAZE).step(Gaze(), driver, 10.0).sight is sight


@pytest.mark.clause("R171 5.5.4.2.1.2")
def test_a_frozen_camera_is_noticed() -> None:
    reader, gaze = GazeReader(GAZE), Gaze()
    for number in range(20):
        gaze = reader.step(gaze, seen(gaze_zone=GazeZone.ROAD, frame=number), number * DT_S)
    assert gaze.sight is Sight.RELEVANT
    for number in range(20, 40):  # the number stands, the messages go on
        gaze = reader.step(gaze, seen(gaze_zone=GazeZone.ROAD, frame=19), number * DT_S)
        if number * DT_S - 19 * DT_S >= GAZE.frozen_s:
            assert gaze.sight is Sight.UNKNOWN and gaze.reason == "driver_camera_frozen"
    assert not reader.is_lost(gaze, 40 * DT_S)
    assert reader.is_lost(gaze, 40 * DT_S + GAZE.lost_s)


def test_a_camera_that_comes_back_is_believed_again() -> None:
    reader = GazeReader(GAZE)
    gaze = reader.step(Gaze(), None, 0.0)
    assert reader.is_lost(gaze, 5.0)
    gaze = reader.step(gaze, seen(gaze_zone=GazeZone.ROAD, frame=5), 5.0)
    assert gaze.sight is Sight.RELEVANT and not reader.is_lost(gaze, 60.0)


def test_a_camera_that_never_knows_is_lost_in_the_end() -> None:
    reader, gaze = GazeReader(GAZE), Gaze()
    for number in range(round(GAZE.unsure_s / DT_S) + 2):
        gaze = reader.step(gaze, seen(confidence=0.1, frame=number), number * DT_S)
        assert reader.is_lost(gaze, number * DT_S) is (number * DT_S >= GAZE.unsure_s)


def test_a_stare_into_the_mirror_counts_as_away_after_a_while() -> None:
    reader, gaze = GazeReader(GAZE), Gaze()
    sights = []
    for number in range(round(5.0 / DT_S)):
        gaze = reader.step(gaze, seen(gaze_zone=GazeZone.MIRROR_LEFT, frame=number), number * DT_S)
        sights.append(gaze.sight)
    assert sights[round(2.9 / DT_S)] is Sight.RELEVANT and sights[-1] is Sight.AWAY


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"hands_request_eyes_on_s": 4.0}, "delay"),
        ({"hands_request_s": 4.0, "hands_request_eyes_on_s": 9.5}, "5 s above"),
        ({"unavailable_s": 9.0}, "5 s or more above"),
        ({"eyes_request_s": 5.1}, "less than or equal to 5"),
        ({"reengage_s": 0.1}, "greater than or equal to 0.2"),
        ({"repeated_request_s": 4.9}, "repeated"),
    ],
)
def test_parameters_outside_the_law_are_refused(change: dict[str, float], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        EngagementParams.model_validate({**ENGAGEMENT.model_dump(), **change})
