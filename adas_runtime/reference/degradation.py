"""What is left of each function when something fails, and the chains of information with their budgets."""

from __future__ import annotations

from adas_runtime.arbitration.chains import chains_of
from adas_runtime.arbitration.modes import BROKEN, FAULTS, FULL, Fault, Mode
from adas_runtime.graph import default_graph
from adas_runtime.reference.text import code, generated, table

HEAD = """# When something fails

One row a fault; who is not named is at full. A test makes each of them happen in drives through the whole graph, on the
executor of the car, and holds every function, alert and command against its row (`test/arbitration/test_modes.py`).
"""
MODES = """| mode | what is left |
|---|---|
| full | everything |
| degraded | it works on with less, and says so |
| warns only | what it asks of the car is not followed; its warnings go on |
| absent | it asks for nothing and warns of nothing |
| safe ramp | of the envelope: every axis is handed back within its ramp |
| gone | its process says nothing any more |

Code beside a mode: the reason in the function's status and in `/diagnostics`. *Told* beside it: how the health monitor
tells the driver, once it has held for its time (`fault_after_s`, `degraded_after_s`, `silent_after_s` of the market).
"""
CHAINS = """## Chains

Greatest age of what a request rests on, from the source to the command
([how it is judged](../safety.md#age-of-information)).
"""


def _cells(fault: Fault) -> str:
    is_heard = fault.left.get("health", FULL).mode is not Mode.GONE
    grouped: dict[str, list[str]] = {}
    for name, left in fault.left.items():
        why = "its own defect" if left.why == BROKEN else code(left.why) if left.why else ""
        told = f"told `{left.tells}`" if left.tells and is_heard else ""
        text = ", ".join(part for part in (why, told) if part)
        grouped.setdefault(f"**{left.mode.value}**" + (f" ({text})" if text else ""), []).append(name)
    return "; ".join(f"{', '.join(names)}: {text}" for text, names in grouped.items()) or "all at full"


def _gate(fault: Fault) -> str:
    gate = fault.gate
    if gate.mode is Mode.FULL:
        return "pass"
    if gate.mode is Mode.GONE:
        return "none until it is back"
    return f"{'one axis is refused' if gate.mode is Mode.WARNS else gate.mode.value} ({code(gate.why)})"


def page() -> str:
    """The whole page."""
    rows = [
        (
            ", ".join(fault.names),
            fault.what,
            _cells(fault),
            _gate(fault),
            ", ".join(code(alert) for alert in fault.alerts) or "-",
        )
        for fault in FAULTS
    ]
    chains = chains_of(default_graph()).by_input.values()
    return "\n".join(
        [
            generated("adas_runtime/arbitration/modes.py and the graph"),
            HEAD,
            MODES,
            table(("what fails", "how", "what is left", "commands", "functions tell the driver"), rows),
            CHAINS,
            table(
                ("function", "rests on", "way", "budget"),
                [(chain.function, chain.input, chain.text, f"{chain.budget_s:g} s") for chain in chains],
            ),
        ]
    )
