"""Who gets what where several fight for several: exact for the few of a cluster, nearest first for a crowd.

`scipy.optimize` solves it too, and a test holds the two against each other; importing it takes 0.4 s and 50 MB
of a car computer's process, for clusters that hold two.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CROWD: Final = 6  # rows of a cluster that are still tried in every way

Pairs = Mapping[tuple[int, int], float]


def assigned(pairs: Pairs, unpaired: float) -> list[tuple[int, int]]:
    """The pairs that cost least together; each row and each column in one of them at most.

    Args:
        pairs: Cost of each pair that may be.
        unpaired: What a row without a column costs; no pair costs more.
    Returns:
        The chosen pairs, in order.
    """
    of_row: dict[int, list[int]] = {}
    of_column: dict[int, list[int]] = {}
    for row, column in pairs:
        of_row.setdefault(row, []).append(column)
        of_column.setdefault(column, []).append(row)
    chosen: list[tuple[int, int]] = []
    left = dict.fromkeys(of_row)
    while left:
        first = next(iter(left))
        rows, open_rows = [], [first]  # who fights with whom, at any remove
        del left[first]
        while open_rows:
            row = open_rows.pop()
            rows.append(row)
            for column in of_row[row]:
                for other in of_column[column]:
                    if other in left:
                        del left[other]
                        open_rows.append(other)
        if len(rows) == 1:
            row = rows[0]
            chosen.append((row, min(of_row[row], key=lambda column: (pairs[row, column], column))))
        elif len(rows) <= CROWD:
            chosen += _cheapest(sorted(rows), of_row, pairs, unpaired, frozenset())[1]
        else:
            chosen += _nearest_first({pair: cost for pair, cost in pairs.items() if pair[0] in rows})
    return sorted(chosen)


def _cheapest(
    rows: list[int], of_row: dict[int, list[int]], pairs: Pairs, unpaired: float, taken: frozenset[int]
) -> tuple[float, list[tuple[int, int]]]:
    """Least cost and its pairs, by trying the first row with each column and with none."""
    if not rows:
        return 0.0, []
    row, rest = rows[0], rows[1:]
    cost, found = _cheapest(rest, of_row, pairs, unpaired, taken)
    best = (cost + unpaired, found)
    for column in of_row[row]:
        if column not in taken:
            cost, found = _cheapest(rest, of_row, pairs, unpaired, taken | {column})
            cost += pairs[row, column]
            if cost <= best[0]:
                best = (cost, [(row, column), *found])
    return best


def _nearest_first(pairs: Pairs) -> list[tuple[int, int]]:
    chosen: list[tuple[int, int]] = []
    rows: set[int] = set()
    columns: set[int] = set()
    for row, column in sorted(pairs, key=lambda pair: (pairs[pair], pair)):
        if row not in rows and column not in columns:
            rows.add(row)
            columns.add(column)
            chosen.append((row, column))
    return chosen
