"""State machines as one table of data: first match wins, so the order is the priority, faults first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Final, Generic, TypeVar

S = TypeVar("S", bound=Enum)
V = TypeVar("V")

ANY: Final = None  # a row that holds in every state


@dataclass(frozen=True, slots=True)
class Transition(Generic[S, V]):
    """One row.

    Args:
        sources: States in which the row holds; `ANY`: all of them.
        target: State that follows; may be the present one, which then only takes the row's reason.
        guard: Whether the row fires, on the view of this step.
        reason: Stable reason code; where `detail` is given, what its codes have in common.
        clause: Clause or design rule behind the row, for the docs.
        detail: Picks the reason code from the view where one row has several.
    """

    sources: tuple[S, ...] | None
    target: S
    guard: Callable[[V], bool]
    reason: str
    clause: str = ""
    detail: Callable[[V], str] | None = None

    def reason_for(self, view: V) -> str:
        """The reason code of this firing."""
        return self.reason if self.detail is None else self.detail(view)


class Table(Generic[S, V]):
    """The rows of one machine, looked up by state."""

    def __init__(self, states: type[S], rows: Iterable[Transition[S, V]]) -> None:
        self.rows = tuple(rows)
        self._states = tuple(states)
        # by name, since hashing a member of an Enum is a call of its own
        self._of = {
            state._name_: tuple(row for row in self.rows if row.sources is None or state in row.sources)
            for state in states
        }

    def fire(self, state: S, view: V) -> Transition[S, V] | None:
        """The first row that fires in `state`; `None`: everything stays."""
        for row in self._of[state._name_]:
            if row.guard(view):
                return row
        return None

    def markdown(self) -> str:
        """The table for the docs."""
        lines = ["| from | to | reason code | source |", "|---|---|---|---|"]
        for row in self.rows:
            sources = "any" if row.sources is None else ", ".join(state.name for state in row.sources)
            if row.sources is not None and 2 * len(row.sources) > len(self._states):
                sources = f"any but {', '.join(state.name for state in self._states if state not in row.sources)}"
            lines.append(f"| {sources} | {row.target.name} | `{row.reason}` | {row.clause} |")
        return "\n".join(lines) + "\n"
