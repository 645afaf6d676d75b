"""Assignment: as cheap as scipy's."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from adas_runtime.perception.tracking.assignment import CROWD, assigned

GATE = 14.2


def cost(pairs: dict[tuple[int, int], float], chosen: list[tuple[int, int]], rows: int) -> float:
    return sum(pairs[pair] for pair in chosen) + GATE * (rows - len(chosen))


@given(
    st.dictionaries(
        st.tuples(st.integers(0, CROWD - 1), st.integers(0, 7)), st.floats(0.0, GATE), min_size=1, max_size=20
    )
)
def test_it_costs_what_the_cheapest_costs(pairs: dict[tuple[int, int], float]) -> None:
    chosen = assigned(pairs, GATE)
    assert len({row for row, _ in chosen}) == len({column for _, column in chosen}) == len(chosen)
    rows = sorted({row for row, _ in pairs})
    table = np.full((len(rows), 8 + len(rows)), 1e6)
    for (row, column), value in pairs.items():
        table[rows.index(row), column] = value
    for index in range(len(rows)):
        table[index, 8 + index] = GATE  # nobody
    best = float(table[linear_sum_assignment(table)].sum())
    assert cost(pairs, chosen, len(rows)) == pytest.approx(best, abs=1e-9)


def test_a_crowd_gets_its_nearest_and_nobody_twice() -> None:
    pairs = {(row, column): abs(row - column) + 0.1 for row in range(30) for column in range(30)}
    assert assigned(pairs, 40.0) == [(index, index) for index in range(30)]
