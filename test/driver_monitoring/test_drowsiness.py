"""Drowsiness warning: vectors D01 and D02, each cue alone, the driver's switch, what is no drowsiness, every state."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest
from driver_drives import (
    FRAME_S,
    Driving,
    attentive_wheel,
    blinking,
    context,
    drowsy_wheel,
    example,
    look,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.driver_monitoring.drowsiness import BREAK_CODE, MICROSLEEP_CODE, SPEC, TIRED_CODE
from adas_runtime.driver_monitoring.drowsiness_states import REASONS, TRANSITIONS, WARNING, State, View
from adas_runtime.driver_monitoring.params import RestoreParams
from adas_runtime.driver_monitoring.scales import grader
from adas_runtime.function import clipped
from adas_runtime.signals import AlertLevel, BodyState, FunctionStatus, Indicator, Stage

PARAMS = context().market.driver_monitoring.drowsiness
AWAKE = blinking()
SLEEPY = blinking(4.0, 0.9)


def warned(drive: Driving) -> bool:
    return any(alert.is_active and alert.code in (BREAK_CODE, MICROSLEEP_CODE) for alert in drive.alerts)


# --- the vectors ------------------------------------------------------------------------------------------------------


@pytest.mark.clause("2021/1341 1-3.1.4")
def test_d01_at_75_it_is_active_and_monitors_within_five_minutes() -> None:
    """D01: 75 km/h; monitoring in less than 5 min; still works at 65, and above 130."""
    drive = Driving(75.0)
    drive.hold(295.0, wheel=attentive_wheel())
    assert drive.state == "watching"
    for kmh in (65.0, 131.0, 180.0):
        drive.kmh = kmh
        assert drive.hold(5.0, wheel=attentive_wheel()) == {"watching"}
    drive.kmh = 50.0
    assert drive.hold(5.0, wheel=attentive_wheel()) == {"off_speed"}


@pytest.mark.clause("2021/1341 1-3.1.4")
def test_d01_above_70_it_is_on_by_itself() -> None:
    drive = Driving(70.1)
    drive.hold(1.0, wheel=attentive_wheel())
    assert drive.state == "learning"


@pytest.mark.clause("2021/1341 1-3.3.1")
@pytest.mark.parametrize(
    ("figure", "is_due"),
    [
        pytest.param(0.09, False, id="D02 below 7: nothing due"),
        pytest.param(0.15, True, id="D02 2021/1341 1-3.3.1: 8, due"),
        pytest.param(0.20, True, id="D02 above 8"),
    ],
)
def test_d02_a_score_of_8_is_warned_of(figure: float, is_due: bool) -> None:
    """Eyes closed for this part of the time, in long blinks of 0.45 s."""
    score = grader(PARAMS.eyes.perclos)(figure)
    assert (score >= 8.0) is is_due
    assert PARAMS.warn_score <= 8.0
    drive = Driving(100.0, eyes=PARAMS.eyes.model_copy(update={"long_closure_s": 1.0}))
    drive.hold(200.0, lids=blinking(0.45 / figure, 0.45))
    assert warned(drive) is is_due


@pytest.mark.clause("2021/1341 1-3.3.1")
def test_d02_at_7_it_informs_and_a_warning_is_optional() -> None:
    drive = Driving(100.0)
    drive.hold(10.0, lids=AWAKE)
    drive.core.state = _with(drive.core.state, score=7.3, eyes_score=7.3)
    drive.step(openness=0.9)
    assert drive.state == "tired"
    told = drive.alerts[-1]
    assert told.code == TIRED_CODE and told.level is AlertLevel.INFO and not told.is_acoustic


def _with(record: Any, **changes: Any) -> Any:
    from dataclasses import replace

    return replace(record, **changes)


# --- each cue alone ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cues",
    [{"lids": AWAKE}, {"wheel": attentive_wheel()}, {"wheel": attentive_wheel(3), "lids": AWAKE}],
    ids=["eyes", "steering", "both"],
)
def test_an_alert_driver_is_left_in_peace(cues: dict[str, Any]) -> None:
    """A quarter of an hour with whatever the car tells."""
    drive = Driving(110.0)
    drive.hold(900.0, **cues)
    assert not drive.alerts


def test_long_blinks_and_closures_are_warned_of() -> None:
    drive = Driving(100.0)
    drive.hold(60.0, lids=AWAKE)
    begin_s = drive.now_s
    drive.hold(90.0, lids=SLEEPY)
    first = next(alert for alert in drive.alerts if alert.code == BREAK_CODE)
    assert first.is_optical and (first.is_acoustic or first.is_haptic)
    assert "by the eyes" in first.cause
    assert first.since_s - begin_s < 60.0


def test_a_microsleep_is_warned_of_at_once_even_while_it_learns() -> None:
    """Eyes closed for 1.2 s at 100 km/h are 33 m; 2021/1341 1-3.1.7: a warning ends the learning."""
    drive = Driving(100.0)
    drive.hold(5.0, lids=AWAKE)
    assert drive.state == "learning"
    begin_s = drive.now_s
    drive.hold(2.0, lids=lambda t_s: 0.05)
    first = drive.alerts[0]
    assert first.code == MICROSLEEP_CODE and first.level is AlertLevel.CRITICAL
    assert first.since_s - begin_s <= PARAMS.eyes.microsleep_s + 2 * FRAME_S


def test_steering_alone_is_enough() -> None:
    """A car without a driver camera: still wheel, then jerks."""
    drive = Driving(100.0)
    drive.hold(200.0, wheel=attentive_wheel())
    assert not drive.alerts
    drive.hold(400.0, wheel=drowsy_wheel())
    assert warned(drive)
    assert "by steering and lane" in next(a for a in drive.alerts if a.code == BREAK_CODE).cause


def test_wide_open_eyes_speak_against_rough_steering() -> None:
    """The same steering with eyes that are awake: no more than an information."""
    drive = Driving(100.0)
    drive.hold(200.0, wheel=attentive_wheel(), lids=AWAKE)
    drive.hold(300.0, wheel=drowsy_wheel(), lids=AWAKE)
    assert {alert.code for alert in drive.alerts} <= {TIRED_CODE}
    assert drive.core.state.driving_score > 7.0


def test_lids_that_hang_over_a_look_down_are_no_sleep() -> None:
    """Reading the cluster or a phone: the camera sees lids; the other warning is for that."""
    drive = Driving(100.0)
    drive.hold(60.0, lids=AWAKE)
    for _ in range(200):
        drive.step(driver=look(0.0, 40.0, eye_openness=0.1))
    assert not drive.alerts
    for _ in range(40):
        drive.step(driver=look(0.0, 0.0, eye_openness=0.9))
    for index in range(60):  # and a head that sinks after the eyes closed is sleep
        drive.step(driver=look(0.0, 0.0 if index < 10 else 40.0, eye_openness=0.05))
    assert drive.alerts and drive.alerts[0].code == MICROSLEEP_CODE


@pytest.mark.parametrize("author", ["dcas", "centring", "elks"])
def test_steering_of_a_machine_tells_nothing_of_the_driver(author: str) -> None:
    """While something steers the figures rest; eyes count on."""
    state = {"dcas": "active", "centring": "active", "elks": "correct_left"}[author]
    drive = Driving(100.0)
    drive.hold(200.0, wheel=attentive_wheel())
    driven = drive.core.state.driving
    status = FunctionStatus(stamp_s=0.0, author=author, stage=Stage.ON, state=state, is_active=True)
    drive.others = {author: (status,)}
    drive.hold(300.0, wheel=drowsy_wheel())
    assert drive.core.state.driving.corrections == driven.corrections
    assert not drive.alerts
    drive.hold(3.0, lids=lambda t_s: 0.05)
    assert warned(drive)


def test_turning_off_and_changing_lanes_is_no_rough_steering() -> None:
    drive = Driving(100.0)
    drive.hold(200.0, wheel=attentive_wheel())
    before = drive.core.state.driving.corrections
    drive.indicator = Indicator.LEFT
    drive.hold(60.0, wheel=drowsy_wheel())
    assert drive.core.state.driving.corrections == before


@pytest.mark.parametrize(("hour", "hours_driven"), [(3.0, 0.0), (14.0, 5.0), (3.0, 5.0)])
def test_hour_and_time_on_task_never_warn_by_themselves(hour: float, hours_driven: float) -> None:
    drive = Driving(100.0)
    drive.body = BodyState(stamp_s=0.0, is_master_switch_on=True, utc_s=hour * 3600.0, utc_offset_s=0.0)
    drive.hold(1.0, lids=AWAKE)
    task = drive.core.state.task
    drive.core.state = _with(drive.core.state, task=_with(task, from_s=drive.now_s - 3600.0 * hours_driven))
    drive.hold(120.0, lids=AWAKE)
    assert not drive.alerts


# --- the driver -------------------------------------------------------------------------------------------------------


def drowsy_drive() -> Driving:
    drive = Driving(100.0)
    drive.hold(20.0, lids=AWAKE)
    while drive.state not in ("warn", "urgent"):
        drive.hold(1.0, lids=SLEEPY)
    return drive


@pytest.mark.clause("2021/1341 1-3.4")
def test_it_escalates_until_acknowledged_and_comes_back() -> None:
    drive = drowsy_drive()
    drive.hold(PARAMS.escalate_s + 1.0, lids=SLEEPY)
    assert drive.state == "urgent"
    assert drive.alerts[-1].level is AlertLevel.CRITICAL
    drive.press()
    assert drive.state == "acknowledged"
    assert not drive.alerts[-1].is_active
    drive.alerts.clear()
    drive.hold(PARAMS.repeat_s - 20.0, lids=SLEEPY)
    assert not warned(drive)
    drive.hold(40.0, lids=SLEEPY)
    assert warned(drive)


def test_improved_driving_counts_as_acknowledged() -> None:
    """2021/1341 1-3.4."""
    drive = drowsy_drive()
    drive.hold(180.0, lids=AWAKE)
    assert drive.state == "watching" and drive.score < PARAMS.clear_score


@pytest.mark.clause("2021/1341 1-3.1.1")
def test_the_driver_switches_off_warnings_and_never_the_system() -> None:
    drive = Driving(100.0)
    drive.hold(5.0, lids=AWAKE)
    drive.press(2)
    drive.hold(90.0, lids=SLEEPY)
    assert drive.state == "silenced" and not drive.alerts
    assert drive.score > PARAMS.warn_score, "it judges on"
    assert drive.core._status().is_active
    drive.press(1)  # no more actions to switch on than to switch off
    drive.hold(1.0, lids=SLEEPY)
    assert warned(drive)


@pytest.mark.clause("2021/1341 1-3.1.2")
@pytest.mark.parametrize(
    ("rule", "door", "off_s", "is_back"),
    [
        ("each_start", False, 1.0, True),
        ("door", False, 2000.0, False),
        ("door", True, 1.0, True),
        ("pause", True, 800.0, False),
        ("pause", False, 901.0, True),
    ],
)
def test_a_start_switches_warnings_on_again(rule: str, door: bool, off_s: float, is_back: bool) -> None:
    """1-3.1.3: at each start, or where the door was opened, or it was off for longer than 15 min."""
    drive = Driving(
        100.0,
        restore=RestoreParams(rule=rule, pause_s=900.0, legal_confirmed=False),  # type: ignore[arg-type]
    )
    drive.press(2)
    drive.kmh = 0.0
    drive.body = BodyState(stamp_s=0.0, is_master_switch_on=False)
    drive.hold(1.0)
    drive.body = BodyState(stamp_s=0.0, is_master_switch_on=False, is_driver_door_open=door)
    drive.hold(1.0)
    drive.now_s += off_s
    drive.body = BodyState(stamp_s=0.0, is_master_switch_on=True, is_driver_door_open=False)
    drive.hold(1.0)
    assert drive.core.state.key.switch.is_off is not is_back


def test_mute_takes_the_sound_alone() -> None:
    drive = drowsy_drive()
    drive.alerts.clear()
    drive.pressed = ("mute",)
    drive.hold(1.0, lids=SLEEPY)
    active = [alert for alert in drive.alerts if alert.is_active]
    assert active and all(alert.is_optical and not alert.is_acoustic and alert.is_haptic for alert in active)


# --- failures ---------------------------------------------------------------------------------------------------------


@pytest.mark.clause("2021/1341 1-3.5")
def test_a_car_that_tells_nothing_is_a_failure() -> None:
    drive = Driving(100.0)
    drive.hold(PARAMS.no_cue_s + 1.0)
    assert drive.state == "fault" and drive.core.state.reason == "no_cue"
    drive.hold(0.2, wheel=attentive_wheel())
    assert drive.state == "learning"


def test_a_covered_camera_leaves_steering_to_judge_by() -> None:
    drive = Driving(100.0)
    drive.hold(200.0, wheel=attentive_wheel(), lids=AWAKE)
    for _ in range(400):
        drive.step(wheel_rad=attentive_wheel()(drive.t_s), driver=look(is_camera_covered=True, eye_openness=0.0))
    assert drive.state == "watching" and not drive.alerts


# --- the table --------------------------------------------------------------------------------------------------------

FLAGS = [name for name in View.__slots__ if name != "missing"]


def test_every_state_against_every_pair_of_guards() -> None:
    base = dict.fromkeys(FLAGS, False) | {"is_in_range": True}
    for state, (one, two), missing in itertools.product(
        State, itertools.combinations(FLAGS, 2), ("", "vehicle_absent")
    ):
        view = View(missing=missing, **(base | {one: not base[one], two: not base[two]}))
        row = TRANSITIONS.fire(state, view)
        target = state if row is None else row.target
        if row is not None:
            assert row.reason_for(view) in REASONS or not row.reason_for(view)
        if target in WARNING:
            assert not missing and not view.is_failure and view.is_in_range and not view.is_silenced
        if target in WARNING and state not in WARNING:
            assert view.is_due or view.is_asleep


def test_every_reason_of_the_table_is_explained() -> None:
    told = {code.strip() for row in TRANSITIONS.rows for code in row.reason.split(",")}
    assert told <= set(REASONS)


# --- what always holds ------------------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    words=st.lists(
        st.tuples(
            st.none() | st.floats(0.0, 1.0),
            st.none() | st.floats(-9.0, 9.0),
            st.none() | st.floats(-5.0, 5.0),
            st.floats(0.0, 200.0),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_the_score_stays_on_its_scale_whatever_comes(words: list[tuple[Any, Any, Any, float]]) -> None:
    drive = Driving(100.0)
    for openness, wheel_rad, place_m, kmh in words:
        drive.kmh = kmh
        drive.step(openness=openness, wheel_rad=wheel_rad, place_m=place_m)
        assert 1.0 <= drive.score <= 9.0
        assert clipped(drive.core.state.cause) == drive.core.state.cause


@settings(max_examples=100, deadline=None)
@given(value=st.floats(0.0, 100.0), more=st.floats(0.0, 100.0))
def test_more_closed_eyes_never_tell_of_less_sleep(value: float, more: float) -> None:
    for scale in (PARAMS.eyes.perclos, PARAMS.eyes.closures_per_min, PARAMS.eyes.blink_s, PARAMS.driving.corrections):
        grade = grader(scale)
        assert grade(value) <= grade(value + more)


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_example_of_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lines, listing = example(1)
    path = tmp_path / "example.jsonl"
    path.write_text(lines, encoding="utf-8")
    assert main(["step", SPEC.name, "--market", "de", "--inputs", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[2:-1] == listing
