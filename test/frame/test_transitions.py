"""State machines as tables: first match wins, rows hold where they say, the docs show what runs."""

from __future__ import annotations

from enum import Enum

from adas_runtime.transitions import ANY, Table, Transition


class Light(Enum):
    RED = "red"
    AMBER = "amber"
    GREEN = "green"


TABLE: Table[Light, str] = Table(
    Light,
    (
        Transition(ANY, Light.RED, lambda v: v == "fault", "fault", "first of all"),
        Transition((Light.RED,), Light.GREEN, lambda v: v != "", "go, hurry", "clause 1", lambda v: v),
        Transition((Light.RED, Light.AMBER), Light.AMBER, lambda v: v == "go", "late"),
    ),
)


def test_the_first_row_that_fires_wins_in_its_states() -> None:
    def target(state: Light, view: str) -> tuple[Light, str] | None:
        row = TABLE.fire(state, view)
        return None if row is None else (row.target, row.reason_for(view))

    assert target(Light.RED, "fault") == (Light.RED, "fault")
    assert target(Light.RED, "go") == (Light.GREEN, "go"), "not the row below"
    assert target(Light.AMBER, "go") == (Light.AMBER, "late")
    assert target(Light.GREEN, "go") is None and target(Light.RED, "") is None


def test_the_docs_table_says_the_same() -> None:
    lines = TABLE.markdown().splitlines()
    assert lines[2:] == [
        "| any | RED | `fault` | first of all |",
        "| RED | GREEN | `go, hurry` | clause 1 |",
        "| any but GREEN | AMBER | `late` |  |",
    ]
