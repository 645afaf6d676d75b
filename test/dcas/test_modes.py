"""Modes and overrides of R171: every state against every guard, as a person reads the clauses."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.dcas import modes, override
from adas_runtime.dcas.modes import CONTROLLING, PRECONDITIONS, WORKING, State, View
from adas_runtime.dcas.override import Braking, Lateral, LateralView, Longitudinal, LongitudinalView, may_resume
from adas_runtime.units import kmh_to_mps

QUIET = View(
    is_new_cycle=False,
    is_switch_pressed=False,
    is_activation=False,
    is_cancel=False,
    failure="",
    unmet="",
    is_hard=False,
    is_ready=True,
    is_unavailable=False,
    is_taken_over=False,
    is_answered=False,
    is_exit_over=False,
    is_standing=False,
    is_locked=False,
)
FLAGS = [name for name in View.__dataclass_fields__ if name not in ("failure", "unmet", "is_hard")]
UNMET = [("", "", False), ("lane_absent", "lane_absent", False), ("", "driver_belt", False), ("", "gear", True)]
UNMET += [("vehicle_absent", "vehicle_absent", True)]


def view(**changes: Any) -> View:
    return View(**{**{name: getattr(QUIET, name) for name in View.__dataclass_fields__}, **changes})


def after(state: State, seen: View) -> State:
    row = modes.TRANSITIONS.fire(state, seen)
    return state if row is None else row.target


def every_view() -> list[View]:
    found = []
    for flags in itertools.product((False, True), repeat=len(FLAGS)):
        for failure, unmet, is_hard in UNMET:
            found.append(View(**dict(zip(FLAGS, flags, strict=True)), failure=failure, unmet=unmet, is_hard=is_hard))
    return found


EVERY = every_view()


@pytest.mark.parametrize("state", list(State), ids=lambda s: s.value)
def test_every_state_against_every_guard(state: State) -> None:
    for seen in EVERY:
        found = after(state, seen)
        if seen.is_new_cycle:
            assert found is State.OFF, "5.5.3.1: every run cycle starts off"
            continue
        if seen.is_switch_pressed and state is not State.OFF:
            assert found is State.OFF, "5.5.3.3.1: the driver can switch it off at any time"
            continue
        if found is State.ACTIVE and state is not State.ACTIVE:
            assert state is State.PASSIVE and seen.is_activation and seen.is_ready and not seen.unmet, "5.5.3.2.2"
        if state is State.ACTIVE and seen.unmet:
            assert found is not State.ACTIVE, "5.5.3.3.3: a lost precondition ends assistance"
        if state in CONTROLLING and seen.unmet and seen.is_hard:
            assert found not in CONTROLLING, "nothing is left to assist with"
        if state in CONTROLLING and seen.is_unavailable:
            assert found is State.RISK_MITIGATION, "5.3.7.3.1"
        if state is State.OFF:
            assert found in (State.OFF, State.INACTIVE, State.LOCKOUT), "5.5.3.2.1"
            assert found is State.OFF or seen.is_switch_pressed
            if seen.is_switch_pressed and seen.is_locked:
                assert found is State.LOCKOUT, "5.5.4.2.8.1"
            elif seen.is_switch_pressed and seen.failure:
                assert found is State.OFF, "5.4.5"
        if state is State.LOCKOUT:
            assert found is State.LOCKOUT, "5.5.4.2.8.1: only a new run cycle, or the switch to off, ends it"
        if state in (State.RISK_MITIGATION, State.HELD) and not seen.is_taken_over:
            assert found in (State.RISK_MITIGATION, State.HELD), (
                "only the driver ends it; no fault lets go of the brake"
            )
        if state in WORKING and found in (State.INACTIVE, State.PASSIVE, State.OFF):
            reasons = (seen.is_cancel, seen.is_taken_over, bool(seen.unmet), seen.is_answered)
            assert any(reasons), "assistance never ends without a reason"


def test_who_controls_and_is_not_spoken_against_goes_on() -> None:
    """The core leaves the tables aside then: no row of them may fire."""
    for flags in itertools.product((False, True), repeat=len(override.LateralView.__dataclass_fields__)):
        lateral = override.LateralView(*flags)
        if lateral.is_controlling and lateral.is_lane and not (lateral.is_steering or lateral.is_taken_over):
            assert override.LATERAL.fire(override.Lateral.CONTROL, lateral) is None
    for flags in itertools.product((False, True), repeat=len(override.LongitudinalView.__dataclass_fields__)):
        view = override.LongitudinalView(*flags)
        if view.is_controlling and not (view.is_braking or view.is_emergency or view.is_accelerating):
            assert override.LONGITUDINAL.fire(override.Longitudinal.CONTROL, view) is None


def test_every_reason_of_the_tables_is_explained() -> None:
    codes = {row.reason for row in modes.TRANSITIONS.rows if row.detail is None}
    assert codes <= set(modes.REASONS)
    assert set(PRECONDITIONS) <= set(modes.REASONS)
    for table in (override.LATERAL, override.LONGITUDINAL):
        assert {row.reason for row in table.rows} <= set(override.REASONS)


SAID = [
    ("on", State.OFF, {"is_switch_pressed": True}, State.INACTIVE, "switched_on"),
    ("failed-5.4.5", State.OFF, {"is_switch_pressed": True, "failure": "lane_absent"}, State.OFF, "lane_absent"),
    ("available", State.INACTIVE, {}, State.PASSIVE, "available"),
    ("not-ready", State.PASSIVE, {"is_activation": True, "is_ready": False}, State.PASSIVE, ""),
    ("T18-belt", State.ACTIVE, {"unmet": "driver_belt"}, State.EXITING, "driver_belt"),
    ("T31-boundary", State.ACTIVE, {"unmet": "lane_lost"}, State.EXITING, "lane_lost"),
    ("exit-answered", State.EXITING, {"unmet": "lane_lost", "is_answered": True}, State.INACTIVE, "handed_back"),
    ("exit-unanswered", State.EXITING, {"is_exit_over": True}, State.RISK_MITIGATION, "exit_unanswered"),
    ("failure-after-exit", State.EXITING, {"unmet": "lane_absent", "failure": "lane_absent", "is_answered": True},
     State.OFF, "lane_absent"),
    ("T15-lockout", State.OFF, {"is_switch_pressed": True, "is_locked": True}, State.LOCKOUT, "locked_out"),
    ("taken-over", State.RISK_MITIGATION, {"is_taken_over": True}, State.INACTIVE, "driver_took_over"),
    ("second-taken-over", State.HELD, {"is_taken_over": True, "is_locked": True}, State.LOCKOUT, "locked_out"),
    ("stopped", State.RISK_MITIGATION, {"is_standing": True}, State.HELD, "stopped"),
    ("cancel", State.ACTIVE, {"is_cancel": True}, State.PASSIVE, "cancelled"),
    ("T17-cycle", State.ACTIVE, {"is_new_cycle": True}, State.OFF, "run_cycle"),
]  # fmt: skip


@pytest.mark.parametrize(("state", "changes", "target", "reason"), [row[1:] for row in SAID], ids=[r[0] for r in SAID])
def test_what_a_step_says(state: State, changes: dict[str, Any], target: State, reason: str) -> None:
    seen = view(**changes)
    row = modes.TRANSITIONS.fire(state, seen)
    assert after(state, seen) is target
    assert ("" if row is None else row.reason_for(seen)) == reason


# --- override ------------------------------------------------------------------------------------------------------


def views(kind: type[Any]) -> list[Any]:
    return [kind(*flags) for flags in itertools.product((False, True), repeat=len(kind.__dataclass_fields__))]


@pytest.mark.parametrize("state", list(Lateral), ids=lambda s: s.value)
def test_every_lateral_state_against_every_guard(state: Lateral) -> None:
    for seen in views(LateralView):
        row = override.LATERAL.fire(state, seen)
        found = state if row is None else row.target
        if not seen.is_controlling:
            assert found is Lateral.STANDBY
        elif seen.is_steering and found is Lateral.CONTROL:
            raise AssertionError("the driver's steering wins (5.5.3.4.1.4)")
        elif found is Lateral.CONTROL:
            assert seen.is_lane or state is Lateral.STANDBY or (state is Lateral.CONTROL and seen.is_lane)
        if seen.is_controlling and seen.is_taken_over:
            assert found is Lateral.RELEASED
        if state is Lateral.RELEASED and seen.is_controlling and not seen.is_resume:
            assert found is Lateral.RELEASED, "it comes back at the driver's action alone"


@pytest.mark.parametrize("state", list(Longitudinal), ids=lambda s: s.value)
def test_every_longitudinal_state_against_every_guard(state: Longitudinal) -> None:
    for seen in views(LongitudinalView):
        row = override.LONGITUDINAL.fire(state, seen)
        found = state if row is None else row.target
        if not seen.is_controlling:
            assert found is Longitudinal.STANDBY
            continue
        if seen.is_emergency:
            assert found is Longitudinal.EMERGENCY, "5.2.1: emergency braking is never disturbed"
            continue
        if seen.is_braking and state is not Longitudinal.EMERGENCY:
            assert found in (Longitudinal.BRAKED, Longitudinal.SUSPENDED) or state is Longitudinal.BRAKED
            assert found is not Longitudinal.CONTROL
        if state is Longitudinal.SUSPENDED and found is Longitudinal.CONTROL:
            assert seen.is_resume, "5.5.3.4.1.1, 5.5.3.3.4: no resume without the driver"
        if state is Longitudinal.EMERGENCY:
            assert found is Longitudinal.SUSPENDED


BRAKES = [
    ("T20-00-series", False, 100.0, 90.0, 1.0, False),
    ("T21-100-to-75-in-2s", True, 100.0, 75.0, 2.0, True),
    ("T21-100-to-65-in-2s", True, 100.0, 65.0, 2.0, False),
    ("exactly-30", True, 100.0, 70.0, 2.0, True),
    ("longer-than-2s", True, 100.0, 90.0, 2.1, False),
]


@pytest.mark.clause("R171 5.5.3.4.1.1")
@pytest.mark.parametrize(
    ("s2", "from_kmh", "to_kmh", "seconds", "may"), [r[1:] for r in BRAKES], ids=[r[0] for r in BRAKES]
)
def test_after_the_driver_braked(s2: bool, from_kmh: float, to_kmh: float, seconds: float, may: bool) -> None:
    braking = Braking(10.0, kmh_to_mps(from_kmh))
    assert may_resume(braking, kmh_to_mps(to_kmh), 10.0 + seconds, has_supplement_2=s2) is may


@settings(max_examples=100)
@given(st.lists(st.sampled_from(views(LongitudinalView)), max_size=30))
def test_after_an_emergency_nothing_moves_the_car_but_the_driver(sequence: list[LongitudinalView]) -> None:
    """5.5.3.3.4 over any sequence: between an emergency and CONTROL lies an action of the driver's."""
    state, is_owed = Longitudinal.CONTROL, False
    for seen in sequence:
        row = override.LONGITUDINAL.fire(state, seen)
        found = state if row is None else row.target
        if seen.is_emergency and seen.is_controlling:
            is_owed = True
        elif not seen.is_controlling or (seen.is_resume and state is Longitudinal.SUSPENDED):
            is_owed = False
        assert not (is_owed and found is Longitudinal.CONTROL)
        state = found
