"""The page of the graph: the diagram, every topic and every function, from the one declaration."""

from __future__ import annotations

from collections.abc import Iterable

from adas_runtime.function import STATUS_PERIOD_S, FunctionSpec
from adas_runtime.graph import NETWORKS, REPLACES, Graph, Topic, default_graph
from adas_runtime.nodes.qos import MARKET_STATUS, offered
from adas_runtime.reference.picture import draw
from adas_runtime.reference.text import anchor, code, generated, table
from adas_runtime.signals import FunctionStatus, MarketStatus

HEAD = """# The graph

Sources on the left, then the processes with their functions, then what leaves the graph. All of it is declared once, in
`adas_runtime/graph.py` and in each function's `SPEC`; nodes, launch files, replay, health checks and this page follow.

![Sources, processes, functions and outputs](graph.svg)

The same as a Mermaid diagram; dotted lines are statuses:

"""

TOPICS = f"""## Topics

What comes periodically is late when it is overdue; an event comes when there is something to say. A status comes at
each change, and at least every {STATUS_PERIOD_S:g} s. The last column is what the writer promises in the live graph:
a missed deadline is an event at every reader, and a writer without a sign of life for the time given is taken for lost;
*by value* means that only a value counts as one. Readers ask for the same, but nothing of what comes from outside: a
camera that promises nothing must still be heard.

A function in the stage `shadow` writes to `/adas/shadow/...` instead, where nobody listens but the recorder. In the
stage `warn` only its requests to steer, brake or light go there. Its status always stays on the live topic.
"""

WITH_NETWORKS = """## Functions with networks

They are in the graph of a car whose vehicle file names them: `networks: [sign_reading]`.
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
                ("topic", "type", "comes", "from", "read by", "quality of service"),
                [
                    (
                        code(topic.name),
                        f"[{topic.signal.__name__}](messages.md#{anchor(topic.signal.__name__)})",
                        _rate(topic),
                        _origin(topic),
                        ", ".join(topic.consumers),
                        _qos(topic),
                    )
                    for topic in (*graph.topics(), MARKET_STATUS)
                ],
            ),
            "## Functions\n",
            _functions(graph, graph.functions),
            WITH_NETWORKS,
            _with_networks(),
        ]
    )


def _origin(topic: Topic) -> str:
    if topic.signal is MarketStatus:
        return topic.producer  # the process itself
    return f"{topic.producer} ({topic.process.value})" if topic.process else f"{topic.producer} (source)"


def _qos(topic: Topic) -> str:
    """What the writer promises in the live graph."""
    qos = offered(topic)
    parts = ["reliable" if qos.is_reliable else "best effort", f"depth {qos.depth}"]
    if qos.is_latched:
        parts.append("kept for late readers")
    if qos.deadline_s is not None:
        parts.append(f"deadline {qos.deadline_s * 1000:.0f} ms")
    if qos.lease_s is not None:
        how = ", by value" if qos.is_manual else ""
        parts.append(f"lost after {qos.lease_s * 1000:.0f} ms{how}")
    return ", ".join(parts)


def _rate(topic: Topic) -> str:
    if topic.signal in (FunctionStatus, MarketStatus):
        return "at changes"
    if topic.period_s is None:
        return "as an event"
    return f"{1.0 / topic.period_s:g} Hz" if topic.process is None else f"at least {1.0 / topic.period_s:g} Hz"


def _with_networks() -> str:
    graph = default_graph(NETWORKS)
    return _functions(graph, [spec for spec in graph.functions if spec.name in NETWORKS])


def _functions(graph: Graph, specs: Iterable[FunctionSpec]) -> str:
    parts = []
    for spec in specs:
        told = spec.summary[0].upper() + spec.summary[1:].rstrip(".")
        with_each = " or ".join(code(name) for name in spec.triggers)
        step = f"steps with each {with_each} and at least" if with_each else "steps"
        if spec.min_period_s:
            step = f"steps with each {with_each}, at most every {spec.min_period_s:g} s and at least"
        stage = "its stage comes from the market" if spec.has_stage else "always on"
        how = f"Process `{spec.process.value}`; {stage}; {step} every {spec.period_s:g} s."
        parts.append(f"### {spec.name}\n\n{told}. {how}\n")
        rows = []
        for item, wire in zip(spec.inputs, graph.wires(spec.name), strict=True):
            where = ", ".join(code(name) for name in wire.topics) or "nothing in this release"
            if item.is_former:
                where += " (what was said before this step)"
            lack = "; a car may lack it" if item.is_optional else ""
            age = f"older than {item.max_age_s:g} s: absent{lack}"
            rows.append(("in", code(item.name), item.signal.__name__, age, where))
        for output in spec.outputs:
            name = next(
                topic.name for topic in graph.topics() if (topic.producer, topic.output) == (spec.name, output.name)
            )
            when = "with each step" if output.is_periodic else "as an event"
            rows.append(("out", code(output.name), output.signal.__name__, when, code(name)))
        parts.append(table(("", "name", "type", "age or time", "topics"), rows))
        if spec.name in REPLACES:
            parts.append(f"It takes the place of the source `{REPLACES[spec.name]}`.\n")
        if spec.is_slow:
            parts.append("Live, it steps in a thread beside the other functions of its process.\n")
        if spec.alerts:
            parts.append(f"Alerts: {', '.join(code(name) for name in spec.alerts)}.\n")
        if spec.kpis:
            parts.append(f"Figures in its status: {', '.join(code(name) for name in spec.kpis)}.\n")
    return "\n".join(parts)
