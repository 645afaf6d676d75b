"""Age of information: by which way what a request rests on comes to the actuator, and how old it may be there.

A request's stamp is that of its author's oldest input, and it names that input. The way back to the sensor and the
budget follow from the graph: the budget of a chain is the age that the author declares for that input
(`Input.max_age_s`), counted not to the author's step but to the command, so that whoever holds a value on the way
spends of it. Arbiter and envelope each judge by it: the arbiter takes the next request instead, the envelope ramps out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from adas_runtime.graph import Graph

ARBITER: Final = "arbiter"
ENVELOPE: Final = "envelope"
ARROW: Final = " > "
UNKNOWN_BUDGET_S: Final = 0.1  # of a chain that nobody declared: that of the vehicle state, the least of all  [D]
ROUNDING_S: Final = 1e-6  # an age that is the budget but for rounding


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """One way from a source to the command.

    Args:
        function: Author of the request.
        input: Its input that the way begins with, as the author declares it.
        text: Source, functions, `arbiter > envelope`.
        budget_s: Greatest age of the source's value at the command [s].
    """

    function: str
    input: str
    text: str
    budget_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """The chains of a graph; without any, every request is judged as one that nobody declared."""

    idle: str = f"{ARBITER}{ARROW}{ENVELOPE}"  # while nobody asks for anything, the vehicle state alone is behind it
    by_input: Mapping[tuple[str, str], Chain] = field(default_factory=dict)
    budget_s: Mapping[str, float] = field(default_factory=dict)

    def of(self, author: str, name: str) -> Chain:
        """The chain of an author's input; one that nobody declared has the least budget."""
        found = self.by_input.get((author, name))
        if found is not None:
            return found
        text = ARROW.join((author or "unknown", ARBITER, ENVELOPE))
        return Chain(function=author, input=name, text=text, budget_s=UNKNOWN_BUDGET_S)


def chains_of(graph: Graph | None) -> Chains:
    """Every chain by which a graph's requests may come to a command."""
    if graph is None:
        return Chains()
    found: dict[tuple[str, str], Chain] = {}
    end = (ARBITER, ENVELOPE)
    for spec in graph.functions:
        named = {name for output in spec.outputs for name in output.rests_on}
        for item in spec.inputs:
            way = graph.way(spec.name, item.name) if item.name in named else ()
            if way:
                text = ARROW.join((*way, *end))
                found[spec.name, item.name] = Chain(
                    function=spec.name, input=item.name, text=text, budget_s=item.max_age_s
                )
    budgets: dict[str, float] = {}
    for chain in found.values():  # two inputs by one way: the tighter one
        budgets[chain.text] = min(chain.budget_s, budgets.get(chain.text, chain.budget_s))
    names = [spec.name for spec in graph.functions]
    idle = ARROW.join((*graph.way(ARBITER, "vehicle"), ENVELOPE)) if ARBITER in names else Chains().idle
    return Chains(idle=idle, by_input=found, budget_s=budgets)
