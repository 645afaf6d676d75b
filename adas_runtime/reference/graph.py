"""The page of the graph: the diagram, every topic and every function, from the one declaration."""

from __future__ import annotations

from adas_runtime.function import STATUS_PERIOD_S
from adas_runtime.graph import Graph, Topic, default_graph
from adas_runtime.reference.picture import draw
from adas_runtime.reference.text import anchor, code, generated, table
from adas_runtime.signals import FunctionStatus

HEAD = """# The graph

Sources on the left, then the processes with their functions, then what leaves the graph. All of it is declared once, in
`adas_runtime/graph.py` and in each function's `SPEC`; nodes, launch files, replay, health checks and this page follow.

![Sources, processes, functions and outputs](graph.svg)

The same as a Mermaid diagram; dotted lines are statuses:

"""

TOPICS = f"""## Topics

What comes periodically is late when it is overdue (a QoS deadline in the live graph, a gap in a replay); an event comes
when there is something to say. A status comes at each change, and at least every {STATUS_PERIOD_S:g} s.

A function in the stage `shadow` writes to `/adas/shadow/...` instead, where nobody listens but the recorder. In the
stage `warn` only its requests to steer, brake or light go there. Its status always stays on the live topic.
"""


def picture() -> str:
    """The diagram as SVG, which needs no script and no network to be seen."""
    return draw(default_graph())


def page() -> str:
    """The whole page."""
    graph = default_graph()
    return "\n".join(
        [
            generated("adas_runtime/graph.py"),
            HEAD + "```mermaid\n" + graph.mermaid() + "```\n",
            TOPICS,
            table(
                ("topic", "type", "comes", "from", "read by"),
                [
                    (
                        code(topic.name),
                        f"[{topic.signal.__name__}](messages.md#{anchor(topic.signal.__name__)})",
                        _rate(topic),
                        f"{topic.producer} ({topic.process.value})" if topic.process else f"{topic.producer} (source)",
                        ", ".join(topic.consumers),
                    )
                    for topic in graph.topics()
                ],
            ),
            "## Functions\n",
            _functions(graph),
        ]
    )


def _rate(topic: Topic) -> str:
    if topic.signal is FunctionStatus:
        return "at changes"
    if topic.period_s is None:
        return "as an event"
    return f"{1.0 / topic.period_s:g} Hz" if topic.process is None else f"at least {1.0 / topic.period_s:g} Hz"


def _functions(graph: Graph) -> str:
    parts = []
    for spec in graph.functions:
        told = spec.summary[0].upper() + spec.summary[1:].rstrip(".")
        step = f"steps with each `{spec.trigger}` and at least" if spec.trigger else "steps"
        stage = "its stage comes from the market" if spec.has_stage else "always on"
        how = f"Process `{spec.process.value}`; {stage}; {step} every {spec.period_s:g} s."
        parts.append(f"### {spec.name}\n\n{told}. {how}\n")
        rows = []
        for item, wire in zip(spec.inputs, graph.wires(spec.name), strict=True):
            where = ", ".join(code(name) for name in wire.topics) or "nothing in this release"
            rows.append(
                ("in", code(item.name), item.signal.__name__, f"older than {item.max_age_s:g} s: absent", where)
            )
        for output in spec.outputs:
            name = next(
                topic.name for topic in graph.topics() if (topic.producer, topic.output) == (spec.name, output.name)
            )
            when = "with each step" if output.is_periodic else "as an event"
            rows.append(("out", code(output.name), output.signal.__name__, when, code(name)))
        parts.append(table(("", "name", "type", "age or time", "topics"), rows))
        if spec.kpis:
            parts.append(f"Figures in its status: {', '.join(code(name) for name in spec.kpis)}.\n")
    return "\n".join(parts)
