"""One function's core on a timed input sequence, through the executor that the car runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from enum import Enum
from typing import Any, Final

from adas_runtime.errors import AdasError
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, Core, FunctionSpec, Input, Status
from adas_runtime.graph import NETWORKS, Graph, Source, default_graph
from adas_runtime.signals import FunctionStatus, Health, Stage
from adas_runtime.step.feed import Line, Sent

STEPS_MAX: Final = 5_000_000
COUNTER_MODULO: Final = 65536
TIME_DIGITS: Final = 9  # sums of periods meet again at the same nanosecond


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one step said.

    Args:
        t_s: When.
        status: What the core says of itself.
        absent: Inputs that were missing or too old.
        outputs: Name of the output to its value; what was not sent is not in it.
    """

    t_s: float
    status: Status
    absent: tuple[str, ...]
    outputs: Mapping[str, Any]


class _Listener:
    """A core that notes what goes in and comes out."""

    def __init__(self, core: Core, spec: FunctionSpec, heard: list[Step]) -> None:
        self._core = core
        self._spec = spec
        self._heard = heard

    @property
    def state(self) -> Any:
        return self._core.state

    @state.setter
    def state(self, value: Any) -> None:
        self._core.state = value

    def step(self, inputs: Any, now_s: float) -> Any:
        spec = self._spec
        absent = tuple(item.name for item in spec.inputs if item.is_needed and getattr(inputs, item.name) is None)
        try:
            result = self._core.step(inputs, now_s)
        except Exception as error:  # a core is total, so this is a defect: shown as the executor shows it
            text = f"{type(error).__name__}: {error}"
            self._heard.append(
                Step(
                    t_s=now_s,
                    status=Status(state="fault", health=Health.FAULT, reason=text),
                    absent=absent,
                    outputs={},
                )
            )
            raise
        outputs = {item.name: value for item in spec.outputs if (value := getattr(result, item.name)) is not None}
        self._heard.append(Step(t_s=now_s, status=result.status, absent=absent, outputs=outputs))
        return result


@dataclass(slots=True)
class _Sender:
    """One sender of one input: what it sends next, and when."""

    topic: str
    period_s: float
    began_s: float
    sent: Sent
    count: int = 0

    def due_s(self) -> float | None:
        """When it sends next; `None`: never again."""
        if self.sent.is_stamped and self.count:
            return None
        return round(self.began_s + self.count * self.period_s, TIME_DIGITS)


def function_of(name: str) -> FunctionSpec:
    """The function of this name.

    Raises:
        AdasError: There is none.
    """
    graph = default_graph(NETWORKS)
    for spec in graph.functions:
        if spec.name == name:
            return spec
    known = ", ".join(spec.name for spec in graph.functions)
    raise AdasError(f"no function {name!r}", mend=f"take one of {known}")


def run(spec: FunctionSpec, context: BuildContext, lines: tuple[Line, ...]) -> Iterator[Step]:
    """Every step of the sequence, from the first line's time to the last's.

    The function runs whatever its stage in the market is. A value without `stamp_s` is sent again at its sender's rate
    until a later line replaces or ends it; one with `stamp_s` is sent once, and the executor judges its age.

    Raises:
        AdasError: The sequence is too long.
    """
    graph = default_graph()
    heard: list[Step] = []
    own = replace(
        spec,
        inputs=tuple(replace(item, source=None if item.many else f"{item.name}_0") for item in spec.inputs),
        build=lambda built: _Listener(spec.build(built), spec, heard),
    )
    most = {item.name: max([1, *(len(line.inputs.get(item.name, ())) for line in lines)]) for item in spec.inputs}
    periods = {item.name: _period_s(item, graph, spec) for item in spec.inputs}
    sources = tuple(
        Source(
            name=f"{item.name}_{index}",
            signal=item.signal,
            topic=f"/{item.name}/{index}",
            rate_hz=1.0 / periods[item.name],
        )
        for item in spec.inputs
        for index in range(most[item.name])
    )
    names = tuple(other.name for other in graph.functions)
    executor = Executor(Graph((own,), sources), replace(context, functions=names), {spec.name: Stage.ON})
    span_s = lines[-1].t_s - lines[0].t_s
    if span_s / min(spec.period_s, *periods.values()) > STEPS_MAX:
        raise AdasError(f"lasts {span_s:g} s, more than {STEPS_MAX} steps", mend="cut the sequence")
    senders: dict[str, _Sender] = {}
    counters: dict[str, int] = {}
    rank = {
        f"/{item.name}/{index}": item.name in spec.triggers for item in spec.inputs for index in range(most[item.name])
    }
    if not lines[0].inputs:
        executor.advance(lines[0].t_s)
    for index, line in enumerate(lines):
        for name, sent in line.inputs.items():
            for place in range(most[name]):
                topic = f"/{name}/{place}"
                if place < len(sent):
                    senders[topic] = _Sender(topic, periods[name], line.t_s, sent[place])
                elif senders.pop(topic, None) is not None:
                    executor.forget(topic)
        is_last = index + 1 == len(lines)
        end_s = line.t_s if is_last else lines[index + 1].t_s
        while True:
            # at one instant: what is sent comes before what it triggers, and the step by period comes last
            due = [
                (at, int(rank[topic]), topic) for topic, sender in senders.items() if (at := sender.due_s()) is not None
            ]
            step_s = executor.next_due_s()
            if step_s is not None:
                due.append((round(step_s, TIME_DIGITS), 2, ""))
            if not due:
                executor.advance(line.t_s)
                continue
            at_s, _, topic = min(due)
            if at_s > end_s or (at_s == end_s and not is_last):
                break
            if topic:
                _send(executor, senders[topic], at_s, counters)
            else:
                executor.advance(max(at_s, step_s or 0.0))
            yield from heard
            heard.clear()


def _send(executor: Executor, sender: _Sender, now_s: float, counters: dict[str, int]) -> None:
    signal: Any = sender.sent.signal
    changes: dict[str, Any] = {}
    if not sender.sent.is_stamped:
        changes["stamp_s"] = now_s
    if not sender.sent.is_counted and hasattr(signal, "counter"):
        counters[sender.topic] = (counters.get(sender.topic, 0) + 1) % COUNTER_MODULO
        changes["counter"] = counters[sender.topic]
    sender.count += 1
    executor.offer(sender.topic, replace(signal, **changes) if changes else signal, now_s)


def _period_s(item: Input, graph: Graph, spec: FunctionSpec) -> float:
    """How often the sender of an input sends in the car's graph [s]."""
    for topic in graph.topics():
        if topic.signal is item.signal and item.source in (None, topic.producer) and topic.producer != spec.name:
            if topic.signal is FunctionStatus:
                return 1.0
            if topic.period_s is not None:
                return min(topic.period_s, 0.5 * item.max_age_s)
    return min(0.5 * item.max_age_s, spec.period_s)


def plain(value: Any) -> Any:
    """A value as JSON has it: enumerations by name, bytes by their number."""
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: plain(getattr(value, item.name)) for item in fields(value)}
    return value
