"""The table of the feedback, row by row: what goes first, what ends a warning, what begins one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adas_runtime.isa.feedback import TRANSITIONS, State, View

QUIET = View(
    is_key_on=True,
    fault="",
    is_off=False,
    is_information=False,
    is_speed_control=False,
    is_haptic=False,
    has_number=True,
    is_over=False,
    is_near=False,
    is_rearmed=True,
    is_changed=False,
    is_first_over=False,
    is_second_over=False,
    is_urgent=False,
    is_overridden=False,
)
OVER = replace(QUIET, is_over=True, is_near=True, is_rearmed=False)
CONTROL = replace(QUIET, is_speed_control=True)
NEAR = replace(CONTROL, is_near=True, is_rearmed=False)
FAST = replace(NEAR, is_over=True)
PEDAL = replace(OVER, is_haptic=True)
GONE = replace(QUIET, has_number=False, is_rearmed=False)

ROWS = [
    # the car is off, at fault, switched off: before anything else, in every state
    *((state, replace(OVER, is_key_on=False, fault="x", is_off=True), State.OFF_KEY) for state in State),
    (State.OFF_KEY, OVER, State.INIT),
    *((state, replace(OVER, fault="x", is_off=True), State.FAULT) for state in State if state is not State.OFF_KEY),
    *((state, replace(OVER, is_off=True), State.INFO_ONLY) for state in State if state is not State.OFF_KEY),
    *((state, replace(OVER, is_information=True), State.INFO_ONLY) for state in State if state is not State.OFF_KEY),
    *((state, QUIET, State.MONITOR) for state in (State.FAULT, State.INIT, State.INFO_ONLY)),
    # a warning
    (State.MONITOR, QUIET, State.MONITOR),
    (State.MONITOR, OVER, State.STAGE1),
    (State.MONITOR, replace(OVER, is_urgent=True), State.HOLD),
    (State.MONITOR, replace(QUIET, is_urgent=True), State.MONITOR),
    (State.MONITOR, GONE, State.MONITOR),
    (State.STAGE1, OVER, None),
    (State.STAGE1, QUIET, State.MONITOR),
    (State.STAGE1, GONE, State.MONITOR),
    (State.STAGE1, replace(OVER, is_urgent=True), State.HOLD),
    (State.STAGE1, replace(OVER, is_first_over=True), State.STAGE2),
    (State.STAGE1, replace(OVER, is_first_over=True, is_changed=True), State.STAGE1),
    (State.STAGE1, replace(OVER, is_second_over=True), None),
    (State.STAGE1, replace(OVER, is_overridden=True), None),
    (State.STAGE2, OVER, None),
    (State.STAGE2, replace(OVER, is_first_over=True), None),
    (State.STAGE2, replace(OVER, is_second_over=True), State.TIMEOUT),
    (State.STAGE2, replace(OVER, is_second_over=True, is_changed=True), State.STAGE1),
    (State.STAGE2, QUIET, State.MONITOR),
    (State.STAGE2, GONE, State.MONITOR),
    (State.STAGE2, replace(OVER, is_urgent=True), State.HOLD),
    # a spent warning
    (State.TIMEOUT, OVER, None),
    (State.TIMEOUT, replace(OVER, is_over=False), None),
    (State.TIMEOUT, replace(OVER, is_urgent=True), None),
    (State.TIMEOUT, QUIET, State.MONITOR),
    (State.TIMEOUT, GONE, State.MONITOR),
    (State.TIMEOUT, replace(OVER, is_changed=True), State.STAGE1),
    (State.TIMEOUT, replace(OVER, is_over=False, is_changed=True), State.MONITOR),
    # one that waits
    (State.HOLD, replace(OVER, is_urgent=True), None),
    (State.HOLD, OVER, State.STAGE1),
    (State.HOLD, QUIET, State.MONITOR),
    (State.HOLD, GONE, State.MONITOR),
    (State.HOLD, FAST, State.MONITOR),
    # the pedal
    (State.MONITOR, PEDAL, State.STAGE1),
    (State.STAGE1, PEDAL, None),
    (State.STAGE1, replace(PEDAL, is_first_over=True), State.TIMEOUT),
    (State.STAGE1, replace(PEDAL, is_overridden=True), State.TIMEOUT),
    # speed control
    (State.MONITOR, CONTROL, State.MONITOR),
    (State.MONITOR, NEAR, State.LIMIT),
    (State.MONITOR, FAST, State.LIMIT),
    (State.MONITOR, replace(NEAR, is_overridden=True), State.MONITOR),
    (State.MONITOR, replace(FAST, is_overridden=True), State.LIMIT_OVERRIDDEN),
    (State.MONITOR, replace(NEAR, is_urgent=True), State.MONITOR),
    (State.MONITOR, replace(FAST, is_urgent=True), State.HOLD),
    (State.MONITOR, replace(OVER, is_near=True, is_over=False), State.MONITOR),
    (State.LIMIT, NEAR, None),
    (State.LIMIT, CONTROL, State.MONITOR),
    (State.LIMIT, replace(GONE, is_speed_control=True), State.MONITOR),
    (State.LIMIT, replace(NEAR, is_overridden=True), State.LIMIT_OVERRIDDEN),
    (State.LIMIT, replace(NEAR, is_urgent=True), State.HOLD),
    (State.LIMIT_OVERRIDDEN, FAST, None),
    (State.LIMIT_OVERRIDDEN, replace(NEAR, is_overridden=True), None),
    (State.LIMIT_OVERRIDDEN, NEAR, State.MONITOR),
    (State.LIMIT_OVERRIDDEN, replace(GONE, is_speed_control=True, is_overridden=True), State.MONITOR),
    (State.LIMIT_OVERRIDDEN, replace(FAST, is_urgent=True), State.HOLD),
]


@pytest.mark.parametrize(("state", "view", "expected"), ROWS)
def test_a_row(state: State, view: View, expected: State | None) -> None:
    row = TRANSITIONS.fire(state, view)
    assert (None if row is None else row.target) is expected
