"""The newest picture wins, losses are counted, and more than five in a row are a fault."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.perception.models.budget import FrameBudget


def offered(budget: FrameBudget[int], first: int, count: int) -> int:
    for index in range(first, first + count):
        assert budget.offer(index * 0.05, index)
    return first + count


def test_the_model_gets_the_newest_picture_and_each_only_once() -> None:
    budget: FrameBudget[int] = FrameBudget()
    offered(budget, 0, 3)
    assert budget.take() == 2
    assert budget.take() is None
    assert (budget.state.offered, budget.state.taken, budget.state.dropped) == (3, 1, 2)


def test_five_lost_in_a_row_are_borne_a_sixth_is_a_fault() -> None:
    budget: FrameBudget[int] = FrameBudget()
    offered(budget, 0, 6)  # the first five of them are lost
    assert budget.state.dropped_in_row == 5
    assert not budget.state.is_fault
    assert budget.state.reason == ""
    offered(budget, 6, 1)
    assert budget.state.is_fault
    assert "6 pictures in a row lost" in budget.state.reason


def test_losses_that_are_not_in_a_row_are_no_fault() -> None:
    budget: FrameBudget[int] = FrameBudget()
    at = 0
    for _ in range(50):
        at = offered(budget, at, 5)
        budget.take()
    assert budget.state.dropped == 200
    assert not budget.state.is_fault


def test_a_fault_ends_only_after_a_second_without_a_loss() -> None:
    budget: FrameBudget[int] = FrameBudget()
    at = offered(budget, 0, 7)
    for _ in range(20):
        assert budget.take() is not None
        assert budget.state.is_fault
        at = offered(budget, at, 1)
    budget.take()
    assert not budget.state.is_fault
    at = offered(budget, at, 2)
    assert not budget.state.is_fault, "a single loss is none again"


def test_a_picture_that_is_not_newer_is_refused_and_counted() -> None:
    budget: FrameBudget[str] = FrameBudget()
    assert budget.offer(1.0, "first")
    for stamp_s in (1.0, 0.5, math.nan, math.inf):
        assert not budget.offer(stamp_s, "other")
    assert budget.take() == "first"
    assert budget.state.refused == 4
    budget.restart()
    assert budget.offer(0.5, "a new drive")


@given(st.lists(st.booleans(), max_size=200))
def test_every_picture_is_taken_lost_or_waiting(steps: list[bool]) -> None:
    budget: FrameBudget[int] = FrameBudget()
    last = -1
    for index, is_offer in enumerate(steps):
        if is_offer:
            budget.offer(float(index), index)
        else:
            item = budget.take()
            if item is not None:
                assert item > last, "never an older one after a newer one"
                last = item
    waiting = budget.state.offered - budget.state.taken - budget.state.dropped
    assert waiting in (0, 1)
    assert (budget.take() is not None) == (waiting == 1)
