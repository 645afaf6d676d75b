"""The deterministic executor that nodes and replay share: it feeds cores, routes what they say, judges no content.

It has no clock: times are handed to it. The live host node calls it with the node's clock, the replay with the
recording's; the same calls give the same emissions, bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from adas_runtime.errors import WiringError
from adas_runtime.function import STATUS_PERIOD_S, BuildContext, Core, FunctionSpec, Process, Status, clipped, is_usable
from adas_runtime.graph import STATUS_OUTPUT, Graph, live_topic, route
from adas_runtime.records import builder, maker
from adas_runtime.signals import FunctionStatus, Health, Kpi, Signal, Stage

BACKWARD_TOLERANCE_S: Final = 0.1  # less is jitter between senders: time then stands still; more is a new time line
GAP_S: Final = 2.0  # after this long without input every function has settled, a longer gap is skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """One value that a function sent."""

    topic: str
    signal: Signal
    function: str
    output: str
    now_s: float


builder_of = cache(builder)  # one function per inputs record, however many executors there are
OFF: Final = Status(state="off", reason="off in this market")
make_emission = maker(Emission)
make_kpi = maker(Kpi)
make_status = maker(FunctionStatus)


_Said = tuple[str, str, Signal]  # output, topic, value


class _Runner:
    """One function with what the executor keeps for it."""

    __slots__ = (
        "core",
        "due_s",
        "initial",
        "inputs",
        "make_inputs",
        "name",
        "outputs",
        "period_s",
        "shown",
        "shown_s",
        "spec",
        "stage",
        "status_topic",
    )

    def __init__(self, spec: FunctionSpec, core: Core, stage: Stage, graph: Graph) -> None:
        self.spec = spec
        self.name = spec.name
        self.period_s = spec.period_s
        self.status_topic = live_topic(spec.name, STATUS_OUTPUT)
        self.core = core
        self.initial = core.state
        self.stage = stage
        self.inputs = tuple(
            (item.name, wire.topics, item.max_age_s, item.many, item.is_optional)
            for item, wire in zip(spec.inputs, graph.wires(spec.name), strict=True)
        )
        self.make_inputs: Callable[..., Any] = builder_of(spec.inputs_type, tuple(item.name for item in spec.inputs))
        self.outputs = tuple(
            (output.name, topic)
            for output in spec.outputs
            if (topic := route(stage, output.signal, spec.name, output.name)) is not None
        )
        self.due_s: float | None = None
        self.shown: tuple[Any, ...] | None = None
        self.shown_s = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that an executor remembers; `restore` of it continues exactly where `save` was called."""

    now_s: float | None
    latest: Mapping[str, Signal]
    states: Mapping[str, Any]
    due_s: Mapping[str, float | None]
    shown: Mapping[str, tuple[tuple[Any, ...] | None, float]]


class Executor:
    """Steps the functions of a graph, or of one process of it.

    Args:
        graph: The whole graph.
        context: Market and vehicle that the cores are built from.
        stages: Stage per function that has one; a function without an entry is `off`.
        process: Only this process's functions; `None`: all.
        without: Functions that are not run although the graph holds them (their outputs come from a recording).
    """

    def __init__(
        self,
        graph: Graph,
        context: BuildContext,
        stages: Mapping[str, Stage],
        *,
        process: Process | None = None,
        without: frozenset[str] = frozenset(),
    ) -> None:
        self.graph = graph
        specs = graph.functions if process is None else graph.in_process(process)
        if not context.functions:
            context = replace(context, functions=tuple(spec.name for spec in graph.functions))
        self._runners = tuple(
            _Runner(
                spec,
                spec.build(context),
                stages.get(spec.name, Stage.OFF) if spec.has_stage else Stage.ON,
                graph,
            )
            for spec in specs
            if spec.name not in without
        )
        self._latest: dict[str, Signal] = {}
        self._now_s: float | None = None
        self._triggers: dict[str, set[str]] = {}
        for runner in self._runners:
            if runner.spec.trigger is None:
                continue
            for name, topics, *_ in runner.inputs:
                if name == runner.spec.trigger:
                    for topic in topics:
                        self._triggers.setdefault(topic, set()).add(runner.name)
        self._topics = {topic for runner in self._runners for _, topics, *_ in runner.inputs for topic in topics}

    @property
    def functions(self) -> tuple[FunctionSpec, ...]:
        """The functions that this executor steps, in order."""
        return tuple(runner.spec for runner in self._runners)

    @property
    def external_topics(self) -> tuple[str, ...]:
        """Topics that must be offered from outside, in alphabetical order."""
        own = {
            live_topic(runner.spec.name, output.name) for runner in self._runners for output in runner.spec.outputs
        } | {live_topic(runner.spec.name, STATUS_OUTPUT) for runner in self._runners}
        return tuple(sorted(self._topics - own))

    def core(self, function: str) -> Core:
        """The core of a function; KeyError where this executor does not hold it."""
        for runner in self._runners:
            if runner.spec.name == function:
                return runner.core
        raise KeyError(function)

    def set_stage(self, function: str, stage: Stage) -> None:
        """Put a function into another stage; its memory starts afresh."""
        for index, runner in enumerate(self._runners):
            if runner.spec.name == function and runner.spec.has_stage:
                runner.core.state = runner.initial
                fresh = _Runner(runner.spec, runner.core, stage, self.graph)
                fresh.due_s = runner.due_s
                self._runners = (*self._runners[:index], fresh, *self._runners[index + 1 :])
                return
        raise WiringError(f"no function {function!r} with a stage in this process")

    def next_due_s(self) -> float | None:
        """When the next function has to step without a trigger; `None` before the first value or `advance`."""
        least_s: float | None = None
        for runner in self._runners:
            due_s = runner.due_s
            if due_s is not None and (least_s is None or due_s < least_s):
                least_s = due_s
        return least_s

    def offer(self, topic: str, signal: Signal, now_s: float) -> list[Emission]:
        """A value arrived at `now_s`: keep it and step what it triggers, producers first."""
        now_s = self._move_to(now_s)
        self._latest[topic] = signal
        emissions: list[Emission] = []
        triggered = self._triggers.get(topic)
        if triggered:
            self._run(set(triggered), now_s, emissions)
        return emissions

    def advance(self, now_s: float) -> list[Emission]:
        """Time is `now_s`: step every function whose period has passed."""
        now_s = self._move_to(now_s)
        due = {runner.name for runner in self._runners if runner.due_s is not None and runner.due_s <= now_s}
        emissions: list[Emission] = []
        if due:
            self._run(due, now_s, emissions)
        return emissions

    def forget(self, topic: str) -> None:
        """The value of a topic is gone, as if it had never come."""
        self._latest.pop(topic, None)

    def skip_to(self, now_s: float) -> None:
        """Nothing came for long: do not step through the gap; every function is due at `now_s`."""
        for runner in self._runners:
            if runner.due_s is not None and runner.due_s < now_s:
                runner.due_s = now_s

    def save(self) -> Snapshot:
        """All memory, to be restored later or elsewhere."""
        return Snapshot(
            now_s=self._now_s,
            latest=dict(self._latest),
            states={r.spec.name: r.core.state for r in self._runners},
            due_s={r.spec.name: r.due_s for r in self._runners},
            shown={r.spec.name: (r.shown, r.shown_s) for r in self._runners},
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot of an executor with the same functions."""
        self._now_s = snapshot.now_s
        self._latest = dict(snapshot.latest)
        for runner in self._runners:
            runner.core.state = snapshot.states[runner.spec.name]
            runner.due_s = snapshot.due_s[runner.spec.name]
            runner.shown, runner.shown_s = snapshot.shown[runner.spec.name]

    def reset(self) -> None:
        """Forget everything, as after a start."""
        self._latest.clear()
        self._now_s = None
        for runner in self._runners:
            runner.core.state = runner.initial
            runner.due_s = None
            runner.shown = None

    def _move_to(self, now_s: float) -> float:
        """Time never runs back within a time line; a real jump back starts a new one with nothing remembered."""
        if self._now_s is not None and now_s < self._now_s:
            if self._now_s - now_s <= BACKWARD_TOLERANCE_S:
                return self._now_s
            self.reset()
        if self._now_s is None:
            for runner in self._runners:
                runner.due_s = now_s
        self._now_s = now_s
        return now_s

    def _run(self, names: set[str], now_s: float, emissions: list[Emission]) -> None:
        latest, triggers = self._latest, self._triggers
        for runner in self._runners:  # producers before consumers, so one pass is enough
            name = runner.name
            if name not in names:
                continue
            for output, topic, signal in self._step(runner, now_s):
                emissions.append(make_emission(topic=topic, signal=signal, function=name, output=output, now_s=now_s))
                latest[topic] = signal
                if topic in triggers:
                    names |= triggers[topic]

    def _step(self, runner: _Runner, now_s: float) -> list[_Said]:
        runner.due_s = now_s + runner.period_s
        if runner.stage is Stage.OFF:
            return self._status(runner, OFF, (), now_s)
        latest = self._latest
        values: list[Any] = []
        absent: tuple[str, ...] = ()
        for name, topics, max_age_s, is_many, is_optional in runner.inputs:
            if is_many:
                found = [latest[topic] for topic in topics if topic in latest] if topics else ()
                values.append(tuple([value for value in found if is_usable(value.stamp_s, now_s, max_age_s)]))
                continue
            value = latest.get(topics[0]) if topics else None
            if value is None or not is_usable(value.stamp_s, now_s, max_age_s):
                value = None
                if not is_optional:
                    absent = (*absent, name)
            values.append(value)
        try:
            result = runner.core.step(runner.make_inputs(*values), now_s)
        except Exception as error:  # the last resort: a core is total, so this is a defect; the graph lives on
            status = Status(state="fault", health=Health.FAULT, reason=clipped(f"{type(error).__name__}: {error}"))
            return self._status(runner, status, absent, now_s)
        said: list[_Said] = []
        for output, topic in runner.outputs:
            signal = getattr(result, output)
            if signal is not None:
                said.append((output, topic, signal))
        said += self._status(runner, result.status, absent, now_s)
        return said

    def _status(self, runner: _Runner, status: Status, absent: tuple[str, ...], now_s: float) -> list[_Said]:
        shown = (status.state, status.is_active, status.health, status.reason, absent)
        if shown == runner.shown and now_s - runner.shown_s < STATUS_PERIOD_S:
            return []
        runner.shown, runner.shown_s = shown, now_s
        signal = make_status(
            stamp_s=now_s,
            author=runner.name,
            stage=runner.stage,
            health=status.health,
            state=status.state,
            is_active=status.is_active,
            reason=status.reason,
            absent=absent,
            kpis=tuple(
                [
                    make_kpi(name=kpi, value=value)
                    for kpi, value in zip(runner.spec.kpis, status.kpis, strict=False)
                    if value is not None
                ]
            ),
        )
        return [(STATUS_OUTPUT, runner.status_topic, signal)]
