"""The statistics of (EU) 2021/1341 Annex II: vectors D03 and D04, the allowances, what counts as an event."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.driver_monitoring.validation import Counts, Interval, counted, is_large_enough, judged


@pytest.mark.clause("2021/1341 2-8.1")
def test_d03_ten_participants_at_25_percent_pass_by_the_lower_bound() -> None:
    verdict = judged([25.0] * 10)
    assert (verdict.mean, verdict.deviation, verdict.lower) == (25.0, 0.0, 25.0)
    assert verdict.is_passed and verdict.by_lower and not verdict.by_mean


@pytest.mark.clause("2021/1341 2-8.1")
def test_d04_a_mean_of_25_with_spread_fails() -> None:
    verdict = judged([0.0, 0.0, 0.0, 50.0, 0.0, 50.0, 50.0, 0.0, 100.0, 0.0])
    assert verdict.mean == 25.0
    assert verdict.lower == pytest.approx(7.6, abs=0.05)
    assert not verdict.is_passed


@pytest.mark.parametrize(
    ("mean", "interval_s", "is_open_road", "is_passed"),
    [
        (40.0, 300.0, False, False),  # above, not at
        (40.1, 300.0, False, True),
        (44.9, 1000.0, False, False),
        (45.1, 1000.0, False, True),
        (35.1, 300.0, True, True),
        (40.1, 1000.0, True, True),
    ],
)
def test_allowances_of_long_intervals_and_open_roads(
    mean: float, interval_s: float, is_open_road: bool, is_passed: bool
) -> None:
    """2-8.1: more than 15 min between two words of the driver 5 points more, an open road 5 points less."""
    values = [0.0, 2.0 * mean] * 5 if mean <= 50.0 else [mean] * 10
    verdict = judged(values, interval_s=interval_s, is_open_road=is_open_road)
    assert verdict.by_mean is is_passed
    allowances = 2.5 * (interval_s > 900.0) - 2.5 * is_open_road
    assert verdict.needed_lower == 20.0 + allowances


def test_the_boundary_that_the_text_leaves_open_is_a_parameter() -> None:
    assert not judged([40.0] * 10).by_mean
    assert judged([40.0] * 10, is_boundary_enough=True).by_mean
    assert judged([36.0] * 10, mean_above=35.0).by_mean


@pytest.mark.clause("2021/1341 2-5.1.4")
def test_what_counts_as_hit_and_miss() -> None:
    def drive(*steps: tuple[float, bool]) -> Counts:
        return counted([Interval(kss=kss, is_warned=warned) for kss, warned in steps])

    assert drive((5, False), (7, True)) == Counts(hits=1, misses=0)  # the word after it is 7
    assert drive((7, False), (6, True)) == Counts(hits=1, misses=0)  # the word before it was
    assert drive((5, False), (6, True)) == Counts(hits=0, misses=0)
    assert drive((6, False), (8, False), (8, False)) == Counts(hits=0, misses=1)
    assert drive((6, False), (8, False), (7, False)) == Counts(hits=0, misses=0)  # not at it any more
    assert drive((6, False), (8, False), (8, True)) == Counts(hits=1, misses=0)  # late, and right
    assert Counts(hits=1, misses=3).sensitivity == 25.0


def test_a_study_has_ten_participants_with_an_event_each() -> None:
    one = Counts(hits=1, misses=0)
    assert is_large_enough([one] * 10)
    assert not is_large_enough([one] * 9)
    assert not is_large_enough([*[one] * 9, Counts(hits=0, misses=0)])
    with pytest.raises(ValueError, match="no sensitivity"):
        _ = Counts(hits=0, misses=0).sensitivity


@pytest.mark.parametrize("values", [[], [101.0], [-1.0], [float("nan")]])
def test_what_is_no_study_is_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="sensitivity"):
        judged(values)


@given(st.lists(st.floats(0.0, 100.0), min_size=1, max_size=40))
def test_the_lower_bound_never_lies_above_the_mean(values: list[float]) -> None:
    verdict = judged(values)
    assert verdict.lower <= verdict.mean + 1e-9
    assert verdict.is_passed == (verdict.by_mean or verdict.by_lower)
