"""What a process of the live graph is started with, read and checked before any node exists."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Final

from adas_runtime.errors import ConfigError
from adas_runtime.function import Process
from adas_runtime.graph import Graph, default_graph
from adas_runtime.horizon.open import open_map
from adas_runtime.horizon.store import MapError, MapStore
from adas_runtime.inputs import Feed, load_input_map
from adas_runtime.market import Market, load_market
from adas_runtime.market.rules import check_car
from adas_runtime.signals import CameraFrame
from adas_runtime.vehicle import Vehicle, load_vehicle

DEFAULT_INPUTS: Final = "default"
DRIVER_CAMERA_NODE: Final = "adas_driver_camera"  # of a process beside those of the graph


def node_name(process: Process) -> str:
    """Name of a process's node."""
    return f"adas_{process.value}"


def receives_pictures(process: Process) -> bool:
    """Whether a process reads a camera: a function of it does, or it records everything."""
    inputs = (item for spec in default_graph().in_process(process) for item in spec.inputs)
    return process is Process.RECORDER or any(item.signal is CameraFrame for item in inputs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The command line of one process.

    Args:
        process: Which one.
        market, vehicle, inputs: Names or files.
        map: Map file; `None`: the one that ADAS_MAP names, or none.
        map_digest: The content that the map must have; empty: any.
        on: Day by which the market is judged; `None`: today.
        use_sim_time: Time comes from `/clock`.
        record: Folder of the recording (recorder only).
        transport: What DDS uses, for the diagnostics.
        priority: Which scheduling priority was got, for the diagnostics.
    """

    process: Process
    market: str
    vehicle: str = "reference"
    inputs: str = DEFAULT_INPUTS
    map: str | None = None
    map_digest: str = ""
    on: date | None = None
    use_sim_time: bool = False
    record: Path | None = None
    transport: str = ""
    priority: str = ""

    @property
    def node_name(self) -> str:
        """Name of the node."""
        return node_name(self.process)


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The files behind the settings, checked.

    `map_refusal` says why a graph that began with a map goes on without it.
    """

    graph: Graph
    market: Market
    vehicle: Vehicle
    feeds: tuple[Feed, ...]
    roads: MapStore | None = None
    map_refusal: str = ""


def load(settings: Settings) -> Loaded:
    """Read what the settings name.

    Raises:
        AdasError: The first thing that is wrong with it.
    """
    market, vehicle = load_market(settings.market, on=settings.on), load_vehicle(settings.vehicle)
    check_car(market, vehicle)
    roads, refusal = _roads(settings)
    return Loaded(
        graph=default_graph(vehicle.networks),
        market=market,
        vehicle=vehicle,
        feeds=tuple(feed for feed in load_input_map(settings.inputs).live_feeds() if feed.feeds),
        roads=roads,
        map_refusal=refusal,
    )


def _roads(settings: Settings) -> tuple[MapStore | None, str]:
    """The map where it is used, and why there is none although the graph began with one.

    Only the decision process reads it: what becomes of the file must not keep a guard from coming back. Nor may it keep
    the other functions of decision from doing so: then there is no map, and all that needs one says so.
    """
    if settings.process is not Process.DECISION:
        return None, ""
    try:
        roads = open_map(settings.map)
        if settings.map_digest and roads is not None and roads.digest != settings.map_digest:
            raise MapError(
                "is not the map that the graph began with", where=str(roads.path), mend="start the graph anew"
            )
    except MapError as error:
        if not settings.map_digest:
            raise
        return None, error.line()
    return roads, ""


def message_type(name: str, topic: str) -> type:
    """The class of a message type.

    Raises:
        ConfigError: Its package is not installed here.
    """
    package, _, record = name.partition("/msg/")
    try:
        found: type = getattr(import_module(f"{package}.msg"), record)
    except (ImportError, AttributeError, ValueError) as error:
        mend = "run script/bootstrap" if package == "adas_interfaces" else f"install the ROS 2 package {package}"
        raise ConfigError(f"message type {name} is not installed", where=f"topic {topic}", mend=mend) from error
    return found
