"""The deterministic executor that nodes and replay share: it feeds cores, routes what they say, judges no content.

It has no clock: times are handed to it. The live host node calls it with the node's clock, the replay with the
recording's; the same calls give the same emissions, bit for bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

from adas_runtime.errors import WiringError
from adas_runtime.function import (
    FUTURE_TOLERANCE_S,
    REST_MAX_S,
    STATUS_PERIOD_S,
    BuildContext,
    Core,
    FunctionSpec,
    Input,
    KeepsRunCycle,
    Kept,
    Process,
    Status,
    clipped,
)
from adas_runtime.graph import STATUS_OUTPUT, Graph, Wire, live_topic, route
from adas_runtime.records import builder, maker
from adas_runtime.signals import FunctionStatus, Health, Kpi, Signal, Stage

BACKWARD_TOLERANCE_S: Final = 0.1  # less is jitter between senders: time then stands still; more is a new time line
ROUNDING_S: Final = 1e-6  # two moments that are one but for rounding
GAP_S: Final = 2.0  # after this long without input every function has settled, a longer gap is skipped


@dataclass(frozen=True, slots=True, kw_only=True)
class Emission:
    """One value that a function sent."""

    topic: str
    signal: Signal
    function: str
    output: str
    now_s: float


OFF: Final = Status(state="off", reason="off in this market", rest_s=REST_MAX_S)
NEVER_S: Final = math.inf
make_emission = maker(Emission)
make_kpi = maker(Kpi)
make_status = maker(FunctionStatus)

Gather = Callable[[Mapping[str, Signal], float], tuple[Any, tuple[str, ...]]]


def _gatherer(spec: FunctionSpec, wires: tuple[Wire, ...]) -> Gather:
    """The function that takes a core's inputs from the latest values, and tells which are absent; compiled.

    Each value is judged by its age as `is_usable` does; a test holds the two together.
    """

    def usable(value: str, item: Input) -> str:
        return f"{-FUTURE_TOLERANCE_S!r} <= now_s - {value}.stamp_s <= {item.max_age_s!r}"

    lines = ["def gather(latest, now_s):", "get = latest.get", "absent = ()"]
    for index, (item, wire) in enumerate(zip(spec.inputs, wires, strict=True)):
        value = f"v{index}"
        if not wire.topics:
            lines += [f"{value} = {'()' if item.many else 'None'}"]
        elif not item.many:
            lines += [f"{value} = get({wire.topics[0]!r})", f"if {value} is None or not {usable(value, item)}:"]
            lines += [f"    {value} = None"]
            lines += [f"    absent = (*absent, {item.name!r})"] if item.is_needed else []
        elif len(wire.topics) == 1:
            lines += [f"{value} = get({wire.topics[0]!r})"]
            lines += [f"{value} = () if {value} is None or not {usable(value, item)} else ({value},)"]
        else:
            found = ", ".join(f"get({topic!r})" for topic in wire.topics)
            lines += [f"{value} = tuple([v for v in ({found}) if v is not None and {usable('v', item)}])"]
    values = ", ".join(f"v{index}" for index in range(len(spec.inputs)))
    lines += [f"return make({values}), absent"]
    scope: dict[str, Any] = {"make": builder(spec.inputs_type, tuple(item.name for item in spec.inputs))}
    exec(compile("\n    ".join(lines), f"<inputs of {spec.name}>", "exec"), scope)
    gather: Gather = scope["gather"]
    return gather


Send = Callable[[Any, dict[str, Signal], "list[Emission]", float], None]


def _sender(name: str, outputs: tuple[tuple[str, str], ...]) -> Send:
    """The function that keeps and emits what a step's outputs hold, by name and topic of each; compiled."""
    lines = ["def send(result, latest, emissions, now_s):"]
    for output, topic in outputs:
        lines += [f"if (v := result.{output}) is not None:", f"    latest[{topic!r}] = v"]
        lines += [f"    emissions.append(make({topic!r}, v, {name!r}, {output!r}, now_s))"]
    make = builder(Emission, ("topic", "signal", "function", "output", "now_s"))
    scope: dict[str, Any] = {"make": make}
    exec(compile("\n    ".join([*lines, "return"]), f"<outputs of {name}>", "exec"), scope)
    send: Send = scope["send"]
    return send


sender_of = cache(_sender)
gatherer_of = cache(_gatherer)  # one function per declaration and wiring, however many executors there are


class _Runner:
    """One function with what the executor keeps for it."""

    __slots__ = (
        "bit",
        "core",
        "free_s",
        "gather",
        "index",
        "initial",
        "min_period_s",
        "name",
        "period_s",
        "send",
        "shown",
        "shown_s",
        "shown_status",
        "spec",
        "stage",
        "status_topic",
        "wakes",
    )

    def __init__(self, spec: FunctionSpec, core: Core, stage: Stage, graph: Graph, index: int) -> None:
        self.spec = spec
        self.name = spec.name
        self.index = index
        self.bit = 1 << index
        self.period_s = spec.period_s
        self.min_period_s = spec.min_period_s
        self.status_topic = live_topic(spec.name, STATUS_OUTPUT)
        self.core = core
        self.initial = core.state
        self.stage = stage
        self.gather = gatherer_of(spec, graph.wires(spec.name))
        outputs = [(item.name, route(stage, item.signal, spec.name, item.name)) for item in spec.outputs]
        self.send = sender_of(spec.name, tuple((output, topic) for output, topic in outputs if topic is not None))
        self.wakes = False  # whether what it says triggers anyone
        self.free_s = -NEVER_S  # a trigger before that waits until then
        self.shown: tuple[Any, ...] | None = None
        self.shown_status: Status | None = None  # that `shown` stands for, where the core says the same object again
        self.shown_s = 0.0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that an executor remembers; `restore` of it continues exactly where `save` was called."""

    now_s: float | None
    latest: Mapping[str, Signal]
    states: Mapping[str, Any]
    due_s: Mapping[str, float]
    free_s: Mapping[str, float]
    shown: Mapping[str, tuple[tuple[Any, ...] | None, float]]


class Executor:
    """Steps the functions of a graph, or of one process of it.

    Args:
        graph: The whole graph.
        context: Market and vehicle that the cores are built from.
        stages: Stage per function that has one; a function without an entry is `off`.
        process: Only this process's functions; `None`: all.
        without: Functions that are not run although the graph holds them (their outputs come from elsewhere).
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
        if context.graph is None:
            context = replace(context, graph=graph)
        wanted = [spec for spec in specs if spec.name not in without]
        self._runners = [
            _Runner(
                spec,
                spec.build(context),
                stages.get(spec.name, Stage.OFF) if spec.has_stage else Stage.ON,
                graph,
                index,
            )
            for index, spec in enumerate(wanted)
        ]
        self._latest: dict[str, Signal] = {}
        self._now_s: float | None = None
        self._due_s = [NEVER_S] * len(wanted)
        self._next_s: float | None = None  # the least of them, `None` when it is to be looked for
        self._triggers: dict[str, int] = {}  # topic -> whom it triggers, one bit each
        self._topics: set[str] = set()
        for index, spec in enumerate(wanted):
            for item, wire in zip(spec.inputs, graph.wires(spec.name), strict=True):
                self._topics.update(wire.topics)
                if item.name in spec.triggers:
                    for topic in wire.topics:
                        self._triggers[topic] = self._triggers.get(topic, 0) | 1 << index
        for runner in self._runners:
            runner.wakes = self._wakes(runner)

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
                self._runners[index] = _Runner(runner.spec, runner.core, stage, self.graph, index)
                self._runners[index].wakes = self._wakes(runner)
                return
        raise WiringError(f"no function {function!r} with a stage in this process")

    def next_due_s(self) -> float | None:
        """When the next function has to step without a trigger; `None` before the first value or `advance`."""
        least_s = self._next_s
        if least_s is None:
            least_s = self._next_s = min(self._due_s, default=NEVER_S)
        return None if least_s == NEVER_S else least_s

    def offer(self, topic: str, signal: Signal, now_s: float) -> list[Emission]:
        """A value arrived at `now_s`: keep it and step what it triggers, producers first."""
        if now_s != self._now_s:
            now_s = self._move_to(now_s)
        self._latest[topic] = signal
        emissions: list[Emission] = []
        triggered = self._triggers.get(topic)
        if triggered:
            self._run(triggered, now_s, emissions)
        return emissions

    def advance(self, now_s: float) -> list[Emission]:
        """Time is `now_s`: step every function whose period has passed."""
        if now_s != self._now_s:
            now_s = self._move_to(now_s)
        due = 0
        for index, due_s in enumerate(self._due_s):
            if due_s <= now_s:
                due |= 1 << index
        emissions: list[Emission] = []
        if due:
            self._run(due, now_s, emissions, by_period=due)
        return emissions

    def forget(self, topic: str) -> None:
        """The value of a topic is gone, as if it had never come."""
        self._latest.pop(topic, None)

    def skip_to(self, now_s: float) -> None:
        """Nothing came for long: do not step through the gap; every function is due at `now_s`."""
        self._due_s = [now_s if due_s < now_s else due_s for due_s in self._due_s]
        self._next_s = None

    def save(self) -> Snapshot:
        """All memory, to be restored later or elsewhere."""
        return Snapshot(
            now_s=self._now_s,
            latest=dict(self._latest),
            states={r.name: r.core.state for r in self._runners},
            due_s={r.name: due_s for r, due_s in zip(self._runners, self._due_s, strict=True)},
            free_s={r.name: r.free_s for r in self._runners},
            shown={r.name: (r.shown, r.shown_s) for r in self._runners},
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Continue from a snapshot of an executor with the same functions."""
        self._now_s = snapshot.now_s
        self._latest = dict(snapshot.latest)
        self._due_s = [snapshot.due_s[runner.name] for runner in self._runners]
        self._next_s = None
        for runner in self._runners:
            runner.core.state = snapshot.states[runner.name]
            runner.free_s = snapshot.free_s[runner.name]
            runner.shown, runner.shown_s = snapshot.shown[runner.name]
            runner.shown_status = None

    def kept(self) -> dict[str, Kept]:
        """What the functions want kept for a restart within the car's run cycle."""
        return {runner.name: runner.core.kept() for runner in self._runners if isinstance(runner.core, KeepsRunCycle)}

    def keep(self, kept: Mapping[str, Kept]) -> None:
        """Begin with what was kept, before the first step; a function that is not named begins afresh."""
        for runner in self._runners:
            if runner.name in kept and isinstance(runner.core, KeepsRunCycle):
                runner.core.keep(kept[runner.name])

    def reset(self) -> None:
        """Forget everything, as after a start."""
        self._latest.clear()
        self._now_s = self._next_s = None
        self._due_s = [NEVER_S] * len(self._runners)
        for runner in self._runners:
            runner.core.state = runner.initial
            runner.free_s = -NEVER_S
            runner.shown = runner.shown_status = None

    def _wakes(self, runner: _Runner) -> bool:
        """Whether anything that a function may say, in whatever stage, triggers another one."""
        spec = runner.spec
        names = [*(output.name for output in spec.outputs), STATUS_OUTPUT]
        return any(live_topic(spec.name, name) in self._triggers for name in names)

    def _move_to(self, now_s: float) -> float:
        """Time never runs back within a time line; a real jump back starts a new one.

        What was heard is forgotten, and everything is due. What a core does with its memory is the core's own to say:
        one that has a hand on the car or warns of something must end that in words, which a fresh one could not.
        """
        if self._now_s is not None and now_s < self._now_s:
            if self._now_s - now_s <= BACKWARD_TOLERANCE_S:
                return self._now_s
            self._latest.clear()
            self._now_s = None
            for runner in self._runners:
                runner.free_s = -NEVER_S
                runner.shown = runner.shown_status = None
        if self._now_s is None:
            self._due_s = [now_s] * len(self._runners)
            self._next_s = None
        self._now_s = now_s
        return now_s

    def _run(self, wanted: int, now_s: float, emissions: list[Emission], by_period: int = 0) -> None:
        """Step whom the bits name, producers before consumers, so that one pass is enough.

        A step that only the period made lets the next trigger through at once: the guard's own step, just ahead of a
        demand that is due in the same moment, would else hold that demand up for the least period.
        """
        runners, triggers, dues = self._runners, self._triggers, self._due_s
        self._next_s = None
        while wanted:
            bit = wanted & -wanted
            index = bit.bit_length() - 1
            runner = runners[index]
            wanted ^= bit
            free_s = runner.free_s
            if now_s < free_s:  # its trigger comes too often: it steps when its least period is over
                due_s = free_s + ROUNDING_S
                if due_s < dues[index]:
                    dues[index] = due_s
                continue
            first = len(emissions)
            min_period_s = runner.min_period_s
            if min_period_s and (not by_period & bit or dues[index] <= free_s + ROUNDING_S):
                runner.free_s = now_s + min_period_s - ROUNDING_S
            rest_s = self._step(runner, now_s, emissions)
            if rest_s:  # it stands by
                rest_s = rest_s if rest_s < REST_MAX_S else REST_MAX_S
                if rest_s > min_period_s:
                    runner.free_s = now_s + rest_s - ROUNDING_S
                if rest_s > runner.period_s:
                    dues[index] = now_s + rest_s
            if runner.wakes and len(emissions) > first:
                for emission in emissions[first:]:
                    if emission.topic in triggers:
                        wanted |= triggers[emission.topic] & -(bit << 1)  # consumers come later; a status may look back

    def _step(self, runner: _Runner, now_s: float, emissions: list[Emission]) -> float:
        """Step one function; returns how long it may rest [s]."""
        self._due_s[runner.index] = now_s + runner.period_s
        if runner.stage is Stage.OFF:
            self._tell(runner, OFF, (), now_s, emissions)
            return OFF.rest_s
        latest = self._latest
        inputs, absent = runner.gather(latest, now_s)
        try:
            result = runner.core.step(inputs, now_s)
        except Exception as error:  # the last resort: a core is total, so this is a defect; the graph lives on
            status = Status(state="fault", health=Health.FAULT, reason=clipped(f"{type(error).__name__}: {error}"))
            for output in runner.spec.outputs:  # what it asked for before, nobody stands behind any more
                latest.pop(live_topic(runner.name, output.name), None)
            self._tell(runner, status, absent, now_s, emissions)
            return 0.0
        runner.send(result, latest, emissions, now_s)
        status = result.status
        if status is not runner.shown_status or absent or now_s - runner.shown_s >= STATUS_PERIOD_S:
            self._tell(runner, status, absent, now_s, emissions)
        rest_s: float = status.rest_s
        return rest_s

    def _tell(
        self, runner: _Runner, status: Status, absent: tuple[str, ...], now_s: float, emissions: list[Emission]
    ) -> None:
        """Send a function's status where it is another, or was not sent for a while."""
        runner.shown_status = None if absent else status
        shown = (status.state, status.is_active, status.health, status.reason, absent)
        if shown == runner.shown and now_s - runner.shown_s < STATUS_PERIOD_S:
            return
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
        topic = runner.status_topic
        self._latest[topic] = signal
        emissions.append(
            make_emission(topic=topic, signal=signal, function=runner.name, output=STATUS_OUTPUT, now_s=now_s)
        )
