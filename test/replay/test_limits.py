"""Shares of the distance with the right limit: what is right, late, wrong and unknown, and what nobody judges."""

from __future__ import annotations

import pytest

from adas_runtime.isa.params import SHOW_WITHIN_S
from adas_runtime.replay.limits import DUE_AFTER_S, LimitShares
from adas_runtime.signals import LimitKind, LimitSource, SpeedLimitState

SPEED_MPS = 20.0


def state(t_s: float, limit_mps: float | None, kind: LimitKind = LimitKind.EXPLICIT) -> SpeedLimitState:
    return SpeedLimitState(stamp_s=t_s, limit_mps=limit_mps, kind=kind, source=LimitSource.SIGN, reason="rural")


def shares(told: list[tuple[float, SpeedLimitState]], change_s: float = 5.0) -> dict[str, float]:
    """The truth is 25 m/s, and 15 from `change_s` on; each told limit holds until the next one, for 10 s in all."""
    found = LimitShares([state(t / 10.0, 25.0 if t / 10.0 < change_s else 15.0) for t in range(100)])
    for t in range(100):
        now_s = t / 10.0
        found.add([item for begin_s, item in told if begin_s <= now_s][-1], SPEED_MPS, now_s)
    return found.kpis()


def test_a_limit_that_comes_in_time_is_late_and_never_wrong() -> None:
    assert DUE_AFTER_S == SHOW_WITHIN_S
    kpis = shares([(0.0, state(0.0, 25.0)), (6.5, state(6.5, 15.0))])
    assert kpis["wrong_share"] == 0.0 and kpis["late_share"] == pytest.approx(1.5 / 9.9, abs=0.02)
    assert kpis["right_share"] + kpis["late_share"] == pytest.approx(1.0)
    assert kpis["rural_judged_m"] == kpis["judged_m"] == pytest.approx(9.9 * SPEED_MPS)


def test_after_its_time_it_is_wrong() -> None:
    kpis = shares([(0.0, state(0.0, 25.0))])
    assert kpis["wrong_share"] == pytest.approx((5.0 - DUE_AFTER_S) / 9.9, abs=0.02)


def test_a_limit_that_was_never_true_here_is_wrong_at_once() -> None:
    kpis = shares([(0.0, state(0.0, 25.0)), (5.0, state(5.0, 30.0))])
    assert kpis["late_share"] == 0.0 and kpis["wrong_share"] == pytest.approx(5.0 / 9.9, abs=0.02)


def test_a_little_early_is_right_and_far_too_early_is_wrong() -> None:
    assert shares([(0.0, state(0.0, 25.0)), (4.6, state(4.6, 15.0))])["right_share"] == 1.0
    assert shares([(0.0, state(0.0, 25.0)), (3.0, state(3.0, 15.0))])["wrong_share"] > 0.1


def test_where_nobody_knows_the_truth_nothing_is_judged() -> None:
    found = LimitShares([state(t / 10.0, None, LimitKind.UNKNOWN) for t in range(100)])
    for t in range(100):
        found.add(state(t / 10.0, 25.0), SPEED_MPS, t / 10.0)
    assert found.kpis() == {}
