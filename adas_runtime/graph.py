"""The graph, declared once: sources, functions, topics. Nothing else in the project lists nodes or topics."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from adas_runtime.errors import WiringError
from adas_runtime.function import FunctionSpec, Process
from adas_runtime.signals import (
    BodyState,
    CameraFrame,
    DriverInput,
    DriverState,
    FunctionStatus,
    Horizon,
    LampRequest,
    LateralRequest,
    LongitudinalRequest,
    PoseFix,
    RadarObjects,
    Signal,
    SignObservations,
    Stage,
    TrackedObjects,
    VehicleState,
)

STATUS_OUTPUT = "status"
MARKET_STATUS_TOPIC = "/adas/market/status"  # latched by the guard: the configuration in force
ACTUATING = (LateralRequest, LongitudinalRequest, LampRequest)  # what the stage `warn` keeps from the car


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A signal that comes from outside the graph: a sensor or the vehicle."""

    name: str
    signal: type[Signal]
    topic: str
    rate_hz: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """One topic of the running graph.

    Args:
        name: ROS name.
        signal: Type.
        producer: Function or source that writes it.
        output: Name of the producer's output.
        process: Process of the producer; `None` for a source.
        consumers: Functions that read it.
        period_s: Greatest time between two values, where they come periodically [s].
    """

    name: str
    signal: type[Signal]
    producer: str
    output: str
    process: Process | None
    consumers: tuple[str, ...]
    period_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wire:
    """Where one input of a function comes from: topics in the graph's order."""

    input: str
    topics: tuple[str, ...]


SOURCES: tuple[Source, ...] = (
    Source(name="vehicle_state", signal=VehicleState, topic="/vehicle/state", rate_hz=100.0),
    Source(name="driver_input", signal=DriverInput, topic="/vehicle/driver_input", rate_hz=20.0),
    Source(name="body", signal=BodyState, topic="/vehicle/body", rate_hz=10.0),
    Source(name="camera_front", signal=CameraFrame, topic="/camera/front/frame", rate_hz=20.0),
    Source(name="radar", signal=RadarObjects, topic="/radar/objects", rate_hz=20.0),
    Source(name="pose_fix", signal=PoseFix, topic="/pose/fix", rate_hz=10.0),
    Source(name="sign_camera", signal=SignObservations, topic="/camera/signs", rate_hz=20.0),
    Source(name="map_supplier", signal=Horizon, topic="/map/horizon", rate_hz=5.0),
    Source(name="object_supplier", signal=TrackedObjects, topic="/objects/tracked", rate_hz=20.0),
    Source(name="driver_camera", signal=DriverState, topic="/driver/state", rate_hz=20.0),
)


def live_topic(function: str, output: str) -> str:
    """Topic of an output that reaches the driver or the car."""
    return f"/adas/{function}/{output}"


def shadow_topic(function: str, output: str) -> str:
    """Topic of an output that is recorded and touches nobody."""
    return f"/adas/shadow/{function}/{output}"


def route(stage: Stage, signal: type[Signal], function: str, output: str) -> str | None:
    """Topic that an output goes to in a stage; `None`: nowhere.

    off: nothing; shadow: everything to the shadow topics; warn: all but actuating requests reach the car; on: all do.
    A function's status is always told.
    """
    if signal is FunctionStatus:
        return live_topic(function, output)
    if stage is Stage.OFF:
        return None
    if stage is Stage.SHADOW or (stage is Stage.WARN and signal in ACTUATING):
        return shadow_topic(function, output)
    return live_topic(function, output)


class Graph:
    """Functions and sources, wired and ordered.

    Raises:
        WiringError: A name twice, an input without a producer or with several, a circle.
    """

    def __init__(self, functions: Iterable[FunctionSpec], sources: Iterable[Source] = SOURCES) -> None:
        self.sources = tuple(sources)
        specs = tuple(functions)
        names = [spec.name for spec in specs] + [source.name for source in self.sources]
        for name in names:
            if names.count(name) > 1:
                raise WiringError(f"name {name!r} is used twice", where="graph", mend="rename one of the two")
        self._wires = {spec.name: self._wire(spec, specs) for spec in specs}
        self.functions = self._ordered(specs)
        self._by_name = {spec.name: spec for spec in self.functions}

    def function(self, name: str) -> FunctionSpec:
        """The function of this name; KeyError where there is none."""
        return self._by_name[name]

    def wires(self, function: str) -> tuple[Wire, ...]:
        """Where each input of a function comes from, in the order of its declaration."""
        return self._wires[function]

    def way(self, function: str, input_name: str) -> tuple[str, ...]:
        """By which names an input comes to a function: its source first, the function last; empty without a producer.

        Where several produce it, the first one's way; a function on the way is followed back by its trigger.
        """
        by_topic = {source.topic: source.name for source in self.sources}
        for spec in self.functions:
            names = (*(output.name for output in spec.outputs), STATUS_OUTPUT)
            by_topic |= {live_topic(spec.name, name): spec.name for name in names}
        way = [function]
        while way[0] in self._by_name:
            topics = next(wire.topics for wire in self._wires[way[0]] if wire.input == input_name)
            producer = by_topic[topics[0]] if topics else ""
            if not producer or producer in way:
                return ()
            way.insert(0, producer)
            if producer in self._by_name:
                spec = self._by_name[producer]
                input_name = spec.triggers[0] if spec.triggers else spec.inputs[0].name
        return tuple(way)

    def in_process(self, process: Process) -> tuple[FunctionSpec, ...]:
        """The functions that one process holds, in the order in which they step."""
        return tuple(spec for spec in self.functions if spec.process is process)

    def topics(self) -> tuple[Topic, ...]:
        """Every live topic, sources first, then the functions' outputs in stepping order."""
        readers: dict[str, list[str]] = {}
        for spec in self.functions:
            for wire in self._wires[spec.name]:
                for topic in wire.topics:
                    readers.setdefault(topic, []).append(spec.name)
        found = [
            Topic(
                name=source.topic,
                signal=source.signal,
                producer=source.name,
                output="",
                process=None,
                consumers=tuple(readers.get(source.topic, ())),
                period_s=1.0 / source.rate_hz,
            )
            for source in self.sources
        ]
        for spec in self.functions:
            for output in spec.outputs:
                name = live_topic(spec.name, output.name)
                found.append(
                    Topic(
                        name=name,
                        signal=output.signal,
                        producer=spec.name,
                        output=output.name,
                        process=spec.process,
                        consumers=tuple(readers.get(name, ())),
                        period_s=spec.period_s if output.is_periodic else None,
                    )
                )
            name = live_topic(spec.name, STATUS_OUTPUT)
            found.append(
                Topic(
                    name=name,
                    signal=FunctionStatus,
                    producer=spec.name,
                    output=STATUS_OUTPUT,
                    process=spec.process,
                    consumers=tuple(readers.get(name, ())),
                    period_s=None,
                )
            )
        return tuple(found)

    def leaving(self) -> tuple[Topic, ...]:
        """What no function reads, statuses left out: it is for the driver and the car."""
        return tuple(
            topic
            for topic in self.topics()
            if topic.process is not None and topic.signal is not FunctionStatus and not topic.consumers
        )

    def mermaid(self) -> str:
        """The diagram of the graph for the docs: one box per process, one arrow per topic, dotted for a status."""
        lines = ["flowchart LR"]
        for source in self.sources:
            lines.append(f"  {source.name}([{source.name}])")
        for process in Process:
            specs = self.in_process(process)
            if not specs:
                continue
            lines.append(f"  subgraph {process.value}")
            lines.extend(f"    {spec.name}[{spec.name}]" for spec in specs)
            lines.append("  end")
        for topic in self.topics():
            is_status = topic.output == STATUS_OUTPUT
            for consumer in topic.consumers:
                arrow = "-.->" if is_status else f"-- {topic.signal.__name__} -->"
                lines.append(f"  {topic.producer} {arrow} {consumer}")
        for number, topic in enumerate(self.leaving(), start=1):
            lines.append(f'  {topic.producer} -- {topic.signal.__name__} --> out{number}(["{topic.name}"])')
        return "\n".join(lines) + "\n"

    def _wire(self, spec: FunctionSpec, specs: tuple[FunctionSpec, ...]) -> tuple[Wire, ...]:
        wires = []
        for item in spec.inputs:
            topics = [
                source.topic
                for source in self.sources
                if source.signal is item.signal and item.source in (None, source.name)
            ]
            for other in specs:
                if other.name == spec.name or item.source not in (None, other.name):
                    continue
                topics.extend(
                    live_topic(other.name, output.name) for output in other.outputs if output.signal is item.signal
                )
                if item.signal is FunctionStatus:
                    topics.append(live_topic(other.name, STATUS_OUTPUT))
            where = f"function {spec.name}, input {item.name}"
            if not topics and item.is_needed:
                raise WiringError(f"nothing produces {item.signal.__name__}", where=where, mend="add its producer")
            if len(topics) > 1 and not item.many:
                raise WiringError(
                    f"{item.signal.__name__} comes from {', '.join(topics)}", where=where, mend="name the source="
                )
            wires.append(Wire(input=item.name, topics=tuple(topics)))
        return tuple(wires)

    def _ordered(self, specs: tuple[FunctionSpec, ...]) -> tuple[FunctionSpec, ...]:
        """Producers before consumers; among equals, the order of declaration.

        Neither a status nor an input that takes what was said before makes an order.
        """
        feeds = {
            spec.name: {
                other.name
                for other in specs
                for output in other.outputs
                if any(
                    live_topic(other.name, output.name) in wire.topics
                    for item, wire in zip(spec.inputs, self._wires[spec.name], strict=True)
                    if not item.is_former
                )
            }
            for spec in specs
        }
        ordered: list[FunctionSpec] = []
        left = list(specs)
        while left:
            done = {spec.name for spec in ordered}
            ready = next((spec for spec in left if feeds[spec.name] <= done), None)
            if ready is None:
                raise WiringError(
                    f"circle among {', '.join(spec.name for spec in left)}",
                    where="graph",
                    mend="let one of them read what the other said before: Input(is_former=True)",
                )
            ordered.append(ready)
            left.remove(ready)
        return tuple(ordered)


NETWORKS: Final = ("sign_reading",)  # functions that are in the graph of a car whose vehicle file names them
REPLACES: Final = {"sign_reading": "sign_camera"}  # what comes from outside in a car without the network


def default_graph(networks: Collection[str] = ()) -> Graph:
    """The graph of the product. A new function is one more line here.

    Args:
        networks: Which of `NETWORKS` the car runs (`Vehicle.networks`).
    """
    from adas_runtime.aeb.core import SPEC as aeb
    from adas_runtime.alks.core import SPEC as alks
    from adas_runtime.arbitration.arbiter import SPEC as arbiter
    from adas_runtime.arbitration.envelope import SPEC as envelope
    from adas_runtime.arbitration.health import SPEC as health
    from adas_runtime.country.core import SPEC as country
    from adas_runtime.dcas.core import SPEC as dcas
    from adas_runtime.dcas.headway import SPEC as headway
    from adas_runtime.driver_monitoring.distraction import SPEC as distraction
    from adas_runtime.driver_monitoring.drowsiness import SPEC as drowsiness
    from adas_runtime.horizon.core import SPEC as horizon
    from adas_runtime.isa.core import SPEC as isa
    from adas_runtime.lane_keeping.centring import SPEC as lane_centring
    from adas_runtime.lane_keeping.change import SPEC as lane_change
    from adas_runtime.lane_keeping.correction import SPEC as elks
    from adas_runtime.lane_keeping.departure import SPEC as lane_departure
    from adas_runtime.lane_keeping.ego_lane import SPEC as ego_lane
    from adas_runtime.lane_keeping.side_wind import SPEC as side_wind
    from adas_runtime.lighting.headlamps import SPEC as headlamps
    from adas_runtime.lighting.signal_lamps import SPEC as signal_lamps
    from adas_runtime.perception.lane_function import SPEC as lane_perception
    from adas_runtime.perception.sign_function import SPEC as sign_reading
    from adas_runtime.perception.tracking.core import SPEC as tracking

    of_networks = [spec for spec in (sign_reading,) if spec.name in networks]
    replaced = {REPLACES[spec.name] for spec in of_networks if spec.name in REPLACES}
    return Graph(
        (
            lane_perception,
            *of_networks,
            horizon,
            country,
            ego_lane,
            tracking,
            aeb,
            lane_departure,
            elks,
            lane_centring,
            lane_change,
            side_wind,
            dcas,
            alks,
            headway,
            drowsiness,
            distraction,
            isa,
            arbiter,
            envelope,
            headlamps,
            signal_lamps,
            health,
        ),
        [source for source in SOURCES if source.name not in replaced],
    )
