"""What a function is: a pure core, and one declaration from which nodes, replay, docs and health checks follow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Protocol, runtime_checkable

from adas_runtime.errors import WiringError
from adas_runtime.signals import Health, Signal

if TYPE_CHECKING:
    from adas_runtime.graph import Graph
    from adas_runtime.horizon.roads import RoadMap
    from adas_runtime.market.schema import Market
    from adas_runtime.vehicle.schema import Vehicle

FUTURE_TOLERANCE_S: Final = 0.05  # two clocks on one car; a stamp farther ahead than this is a lie, not jitter
EPS_S: Final = 1e-6  # sums of periods in floating point: a time that is over but for rounding is over
REASON_MAX_BYTES: Final = 256  # bound of `signals.Reason`
STATUS_PERIOD_S: Final = 1.0  # a status is sent at each change and at least this often
REST_MAX_S: Final = 0.1  # of who stands by: it still sees what the driver does, and tells in time that it lives


class Process(Enum):
    """Which process of the car computer holds a function (design section 3)."""

    PERCEPTION = "perception"
    DECISION = "decision"
    GUARD = "guard"
    RECORDER = "recorder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a function.

    Args:
        name: Field of the function's inputs record.
        signal: Type of the value.
        max_age_s: An older value is absent (`None`); judged by the executor, never by the core [s].
        many: Take the value of every producer; the core then gets a tuple in the graph's order, the absent left out.
        source: Name of the producer, where several functions produce this signal and one of them is meant.
        is_former: What was said before this step is enough: the input makes no order among the functions, so that two
            may hear each other (who warns most urgently, who brakes).
        is_optional: A car may lack its producer for good: `None` there is told by nobody as an absent input.
    """

    name: str
    signal: type[Signal]
    max_age_s: float
    many: bool = False
    source: str | None = None
    is_former: bool = False
    is_optional: bool = False

    @property
    def is_needed(self) -> bool:
        """Whether its absence is told: one value of one producer, which every car has."""
        return not self.many and not self.is_optional


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """One output of a function.

    Args:
        name: Field of the function's outputs record; `None` there means that nothing is sent.
        signal: Type of the value.
        is_periodic: A value comes with every step, so that a late one is a fault (QoS deadline). Else it is an event.
        rests_on: Of a request: the inputs that it names as its oldest; each is one chain from a source to the command,
            with the input's greatest age as its budget there.
    """

    name: str
    signal: type[Signal]
    is_periodic: bool = True
    rests_on: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What a core says of itself each step; the executor adds author, stage, stamp and absent inputs.

    `kpis` stand in the order of the declaration's names, `None` where a figure is not known now; or are left empty.
    `rest_s`: it stands by, and what comes may wait for this long: neither trigger nor period steps it before; 0, as
    while it acts or is about to: as declared. At most `REST_MAX_S` [s].
    """

    state: str
    is_active: bool = False
    health: Health = Health.OK
    reason: str = ""
    kpis: tuple[float | None, ...] = ()
    rest_s: float = 0.0


@lru_cache(maxsize=64)
def lasting_status(state: str, *kpis: float | None) -> Status:
    """A status that says the same for long: the same object again, so that the executor sees that nothing changed."""
    return Status(state=state, kpis=kpis)


class Core(Protocol):
    """A function's pure core.

    `state` is one immutable record, replaced by `step` and never mutated, so that it can be saved and restored.
    `step` returns for every input: wrong data while driving is a value, not an exception.
    """

    state: Any

    def step(self, inputs: Any, now_s: float) -> Any:
        """One step. `inputs` is the spec's `inputs_type`, the result its `outputs_type` with a `status: Status`."""
        ...


Kept = Mapping[str, int]


@runtime_checkable
class KeepsRunCycle(Protocol):
    """A core with counts that outlive a restart of its process within one run cycle of the car."""

    def kept(self) -> Kept:
        """The counts now; what `keep` is given after a restart."""
        ...

    def keep(self, kept: Kept) -> None:
        """Begin with these counts, before the first step. Total: what is unknown or missing counts as not kept."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildContext:
    """What a core may be built from: the merged market, the vehicle, the names of the graph's functions, the map.

    The executor fills in `functions` and `graph` where they are not given. `roads` is an open map, which never changes,
    so that a core may ask it in a step; `None`: the run has none.
    """

    market: Market
    vehicle: Vehicle
    functions: tuple[str, ...] = ()
    roads: RoadMap | None = None
    graph: Graph | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """A function's one declaration.

    Args:
        name: Snake-case, unique; also its key among the market's `features` and the stem of its topics.
        summary: One line for the docs and the diagram.
        process: Process that holds it.
        inputs: What it reads.
        outputs: What it writes, besides its status.
        inputs_type: Dataclass with one field per input.
        outputs_type: Dataclass with one field per output and `status: Status`.
        period_s: It steps at the latest this long after its former step [s].
        trigger: Input whose arrival makes it step at once, or several.
        min_period_s: A trigger makes it step no sooner than this after the former step that a trigger made; one that
            comes before makes it step then, so that a sender that runs wild costs no more than this [s].
        is_slow: One step takes longer than the others of its process may wait: live, it steps in a thread beside them,
            on the newest of what came meanwhile. The replay waits for it.
        has_stage: Its stage comes from the market; false: it always runs (arbiter, envelope, health).
        kpis: Names of the figures in `Status.kpis`.
        alerts: Codes of the alerts that it may raise; of `fault/isa` what stands before the slash. Each has a text in
            every language (`config/texts`).
        build: Makes the core.
    """

    name: str
    summary: str
    process: Process
    inputs: tuple[Input, ...]
    outputs: tuple[Output, ...]
    inputs_type: type
    outputs_type: type
    period_s: float
    trigger: str | tuple[str, ...] | None = None
    min_period_s: float = 0.0
    is_slow: bool = False
    has_stage: bool = True
    kpis: tuple[str, ...] = ()
    alerts: tuple[str, ...] = ()
    build: Callable[[BuildContext], Core]

    def __post_init__(self) -> None:
        """Check the declaration against its own records; a mistake here is found when the module is imported."""
        read = {field.name for field in fields(self.inputs_type)}
        if read != {item.name for item in self.inputs}:
            raise WiringError(
                f"inputs {sorted(i.name for i in self.inputs)} differ from the fields of "
                f"{self.inputs_type.__name__} {sorted(read)}",
                where=f"function {self.name}",
                mend="declare one Input per field",
            )
        written = {field.name for field in fields(self.outputs_type)} - {"status"}
        if written != {item.name for item in self.outputs}:
            raise WiringError(
                f"outputs {sorted(o.name for o in self.outputs)} differ from the fields of "
                f"{self.outputs_type.__name__} {sorted(written)}",
                where=f"function {self.name}",
                mend="declare one Output per field, and a field status: Status",
            )
        for item in self.outputs:
            if not set(item.rests_on) <= read:
                raise WiringError(
                    f"output {item.name!r} rests on {', '.join(item.rests_on)}: not all are inputs",
                    where=f"function {self.name}",
                )
        if any(item.many and item.is_optional for item in self.inputs):
            raise WiringError(
                "an input of many is never absent", where=f"function {self.name}", mend="drop is_optional"
            )
        for name in self.triggers:
            if name not in read:
                raise WiringError(f"trigger {name!r} is not an input", where=f"function {self.name}")
        if self.period_s <= 0.0 or any(item.max_age_s <= 0.0 for item in self.inputs):
            raise WiringError("periods and ages must be above 0 s", where=f"function {self.name}")
        if not 0.0 <= self.min_period_s <= self.period_s:
            raise WiringError("its least period must lie from 0 s to its period", where=f"function {self.name}")

    @property
    def triggers(self) -> tuple[str, ...]:
        """The inputs whose arrival makes it step at once."""
        if self.trigger is None:
            return ()
        return (self.trigger,) if isinstance(self.trigger, str) else self.trigger


def clipped(text: str, max_bytes: int = REASON_MAX_BYTES) -> str:
    """A text cut to what a signal's field holds, which counts UTF-8 bytes, not letters."""
    if text.isascii() and len(text) <= max_bytes:
        return text
    return text.encode("utf-8", "replace")[:max_bytes].decode("utf-8", "ignore")


def oldest_input(**stamps_s: float | None) -> tuple[str, float]:
    """Which input is the oldest, and its stamp, not below 0 [s]: what a request says of itself.

    Args:
        stamps_s: Stamp by the input's name; `None` where the request does not rest on it. At least one is there.
    """
    name, stamp_s = min(((name, at) for name, at in stamps_s.items() if at is not None), key=lambda found: found[1])
    return name, max(stamp_s, 0.0)


def is_usable(stamp_s: float, now_s: float, max_age_s: float) -> bool:
    """Whether a value of `stamp_s` may be used at `now_s`: not older than declared, not from the future.

    The one place where age is judged, for nodes and replay alike. Both times are of the same clock.
    """
    age_s = now_s - stamp_s
    return -FUTURE_TOLERANCE_S <= age_s <= max_age_s
