"""The health monitor: what fails is told once, holds, ends, and nothing is told that is not so."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.arbitration.health import HealthInputs, HealthMonitor
from adas_runtime.converter import check
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    DriverInput,
    DriverState,
    FunctionStatus,
    Health,
    LaneModel,
    Stage,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de")
PARAMS = MARKET.health
STEP_S = 0.1


@pytest.mark.parametrize("health", [Health.FAULT, Health.DEGRADED])
def test_one_lost_camera_is_one_alert_however_many_functions_miss_it(health: Health) -> None:
    monitor = HealthMonitor(PARAMS, ("distraction", "drowsiness", "lane"))
    alerts: list[Alert] = []
    for number in range(400):
        now_s = 1000.0 + number * STEP_S
        lost = {"drowsiness": 30, "distraction": 33}  # each finds it out in its own step
        statuses = tuple(
            FunctionStatus(
                stamp_s=now_s,
                author=name,
                stage=Stage.WARN,
                state="on",
                health=health if lost.get(name, 999) <= number < 250 else Health.OK,
                reason="driver_camera_covered" if lost.get(name, 999) <= number < 250 else "watching",
            )
            for name in ("distraction", "drowsiness", "lane")
        )
        said = monitor.step(HealthInputs(statuses=statuses), now_s).alert
        alerts += [] if said is None else [said]
    assert len({alert.code for alert in alerts}) == 1
    begun = [alert for alert in alerts if alert.is_active]
    assert begun and begun[0].cause == "distraction, drowsiness: driver_camera_covered"
    assert [alert.is_active for alert in alerts][-1] is False, "and it ends once"


class Watch:
    """A monitor of two functions, and what it said."""

    def __init__(self) -> None:
        self.monitor = HealthMonitor(PARAMS, ("lane", "guard"))
        self.now_s = 1000.0
        self.alerts: list[Alert] = []

    def hold(self, seconds: float, silent: tuple[str, ...] = (), **lane: Any) -> list[Alert]:
        """Statuses once a second as the executor sends them; `lane` changes the first function's."""
        found = []
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            statuses = tuple(
                FunctionStatus(
                    **{
                        "stamp_s": self.now_s - 0.5,
                        "author": name,
                        "stage": Stage.ON,
                        "state": "on",
                        **(lane if name == "lane" else {}),
                    }
                )
                for name in ("lane", "guard")
                if name not in silent
            )
            said = self.monitor.step(HealthInputs(statuses=statuses), self.now_s)
            self.health = said.status.health
            self.reason = said.status.reason
            if said.alert is not None:
                check(said.alert)
                found.append(said.alert)
        self.alerts += found
        return found

    def started(self) -> Watch:
        assert not self.hold(PARAMS.startup_grace_s + 1.0) and self.health is Health.OK
        return self


def test_all_well_says_nothing() -> None:
    watch = Watch().started()
    assert not watch.hold(60.0) and watch.reason == ""


def test_a_silent_function_is_told_as_critical_and_ended_when_it_speaks_again() -> None:
    watch = Watch().started()
    said = watch.hold(2.0, silent=("lane",))
    assert [alert.code for alert in said[:1]] == ["silent/lane"] and said[0].level is AlertLevel.CRITICAL
    assert watch.health is Health.FAULT and watch.reason == "silent/lane"
    assert not [alert for alert in watch.hold(PARAMS.clear_after_s - 0.2) if not alert.is_active]
    ended = [alert for alert in watch.hold(2.0) if not alert.is_active]
    assert [alert.code for alert in ended] == ["silent/lane"]
    assert not watch.hold(30.0) and watch.health is Health.OK


def test_a_function_whose_statuses_stop_is_silent_in_two_to_three_seconds() -> None:
    """A process that was killed or frozen: its last status gets old."""
    watch = Watch().started()
    began_s = watch.now_s
    old = watch.now_s - 0.5
    for _ in range(60):
        if watch.hold(STEP_S, stamp_s=old):
            break
    assert PARAMS.silent_after_s - 0.5 <= watch.now_s - began_s <= PARAMS.silent_after_s + PARAMS.fault_after_s


def test_at_the_start_nothing_is_missed_but_what_is_told_is_told_on() -> None:
    assert not Watch().hold(PARAMS.startup_grace_s - 0.5, silent=("lane", "guard"))
    said = Watch().hold(PARAMS.startup_grace_s - 0.5, health=Health.FAULT, reason="model missing")
    assert said and said[0].code == "fault/lane" and "model missing" in said[0].cause


def test_a_fault_must_hold_before_it_is_told() -> None:
    watch = Watch().started()
    assert not watch.hold(PARAMS.fault_after_s - 0.1, health=Health.FAULT)
    assert not watch.hold(20.0), "a flicker is no failure"
    assert watch.hold(PARAMS.fault_after_s + 0.2, health=Health.FAULT)[0].code == "fault/lane"


def test_a_missing_input_is_a_warning_with_its_name_after_a_while() -> None:
    watch = Watch().started()
    assert not watch.hold(PARAMS.degraded_after_s - 0.2, absent=("lanes", "driver"))
    (alert, *_) = watch.hold(1.0, absent=("lanes", "driver"))
    assert (alert.level, alert.code, alert.cause) == (
        AlertLevel.WARNING,
        "degraded/lane",
        "lane lacks lanes, driver",
    )
    assert watch.health is Health.DEGRADED


def test_an_alert_is_repeated_not_once_a_step() -> None:
    watch = Watch().started()
    said = watch.hold(10.0, health=Health.FAULT, reason="broken")
    assert 10.0 / PARAMS.repeat_s - 2 <= len(said) <= 10.0 / PARAMS.repeat_s + 1
    assert len({alert.since_s for alert in said}) == 1


def test_the_gravest_comes_first() -> None:
    watch = Watch().started()
    watch.hold(PARAMS.degraded_after_s - 0.5, health=Health.DEGRADED, reason="dim")
    said = watch.hold(1.5, silent=("guard",), health=Health.DEGRADED, reason="dim")
    assert said[0].level is AlertLevel.CRITICAL and {alert.code for alert in said} == {"silent/guard", "degraded/lane"}


def test_a_function_that_is_off_owes_nothing_but_a_status() -> None:
    watch = Watch().started()
    assert not watch.hold(10.0, stage=Stage.OFF, health=Health.FAULT, absent=("lanes",))
    assert watch.hold(5.0, silent=("lane",))[0].code == "silent/lane"


def test_a_function_in_shadow_does_not_trouble_the_driver() -> None:
    watch = Watch().started()
    assert not watch.hold(10.0, stage=Stage.SHADOW, health=Health.FAULT, absent=("lanes",))
    assert watch.hold(10.0, stage=Stage.WARN, health=Health.FAULT, absent=("lanes",))


def test_a_long_reason_is_cut_at_the_signals_bound() -> None:
    watch = Watch().started()
    assert watch.hold(3.0, health=Health.FAULT, reason="ü" * 128)


statuses = st.lists(
    st.tuples(st.sampled_from(list(Health)), st.booleans(), st.booleans(), st.sampled_from([0.1, 0.5, 3.0])),
    max_size=30,
)


@given(statuses)
def test_what_begins_ends_and_nothing_ends_that_did_not_begin(
    sequence: list[tuple[Health, bool, bool, float]],
) -> None:
    watch = Watch().started()
    for health, is_silent, lacks, seconds in sequence:
        watch.hold(
            seconds,
            silent=("lane",) if is_silent else (),
            health=health,
            absent=("lanes",) if lacks else (),
            reason="x",
        )
    watch.hold(PARAMS.clear_after_s + 3.0)
    running: set[str] = set()
    for alert in watch.alerts:
        assert alert.is_active or alert.code in running
        (running.add if alert.is_active else running.discard)(alert.code)
    assert not running and watch.health is Health.OK


@pytest.mark.clause("ELKS K15")
def test_elks_k15_in_the_graph_a_camera_that_dies_is_told_to_the_driver() -> None:
    """Through the whole default graph: pictures stop, lane departure is at fault, the driver sees a constant signal."""
    executor = Executor(
        default_graph(),
        BuildContext(market=MARKET, vehicle=load_vehicle("reference")),
        MARKET.stages(),
        without=frozenset({"lane_perception"}),
    )
    said: list[tuple[float, Alert]] = []
    for step in range(1500):
        now_s = 50.0 + step * 0.01
        emissions = executor.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0), now_s)
        if step % 5 == 0:
            emissions += executor.offer("/vehicle/driver_input", DriverInput(stamp_s=now_s), now_s)
            looks = DriverState(
                stamp_s=now_s,
                is_face_visible=True,
                gaze_yaw_rad=0.0,
                gaze_pitch_rad=0.05,
                head_yaw_rad=0.0,
                head_pitch_rad=0.0,
                eye_openness=0.9,
                frame=step,
                confidence=0.9,
            )
            emissions += executor.offer("/driver/state", looks, now_s)
            status = FunctionStatus(stamp_s=now_s, author="lane_perception", stage=Stage.ON, state="no_lane")
            emissions += executor.offer("/adas/lane_perception/status", status, now_s)
            if step < 700:
                lanes = LaneModel(stamp_s=now_s, is_calibrated=True)
                emissions += executor.offer("/adas/lane_perception/lanes", lanes, now_s)
        emissions += executor.advance(now_s + 0.005)
        said += [(now_s, e.signal) for e in emissions if e.function == "health" and isinstance(e.signal, Alert)]
    of_fault = [(at_s, alert) for at_s, alert in said if alert.code == "fault/lane_departure"]
    assert of_fault and 57.0 < of_fault[0][0] < 57.0 + 0.2 + 2.0 + 1.0, "absent after 0.2 s, at fault after 2 s"
    assert of_fault[0][1].is_optical and "lanes_absent" in of_fault[0][1].cause
    later = [at_s for at_s, _ in of_fault]
    assert max(b - a for a, b in itertools.pairwise(later)) <= PARAMS.repeat_s + 0.2
    assert not [alert for at_s, alert in said if at_s < 57.0], "no alarm while all was well"


def test_a_clock_that_runs_back_neither_hides_a_failure_nor_leaves_one_standing() -> None:
    """Start-up grace and the end of an alert count on the new time line."""
    market = load_market("de")
    monitor = HealthMonitor(market.health, ("isa",))

    def look(now_s: float, status: FunctionStatus | None) -> None:
        monitor.step(HealthInputs(statuses=() if status is None else (status,)), now_s)

    for number in range(200):
        look(1000.0 + number * 0.1, None)
    assert [cause.code for cause in monitor.state.causes]
    for number in range(200):
        now_s = 10.0 + number * 0.1
        look(now_s, FunctionStatus(stamp_s=now_s, author="isa", stage=Stage.WARN, state="armed"))
    assert not monitor.state.causes
    for number in range(200):
        look(30.0 + number * 0.1, None)
    assert [cause.code for cause in monitor.state.causes]
