"""The command of every process of the live graph: the one declaration that supervisor, launch files and demo share."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Final

from adas_runtime.errors import BagError, ConfigError
from adas_runtime.function import Process

# the guard is there before anything can ask for something, and goes after everything that could
START_ORDER: Final = (Process.GUARD, Process.DECISION, Process.PERCEPTION, Process.RECORDER)
STOP_ORDER: Final = ((Process.PERCEPTION, Process.DECISION), (Process.GUARD,), (Process.RECORDER,))
PROGRAM: Final = ("-m", "adas_runtime.nodes")
PLAYER: Final = ("-m", "adas_runtime.nodes.player")
MONITOR: Final = ("-m", "adas_runtime.nodes.monitor")
DRIVER_CAMERA: Final = "driver_camera"  # a process beside those of the graph, in cars that have one


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """What the live graph is started with.

    Args:
        market: Market, by name or file.
        vehicle: Vehicle, by name or file.
        inputs: Input map, by name or file; `None`: the default one.
        record: Folder that recordings go into; `None`: nothing is recorded.
        use_sim_time: Take the time from /clock.
        map: Map file; `None`: the one that ADAS_MAP names, or none.
        on: Day by which the market is judged; `None`: today.
        map_digest: The map's content at the start of the graph; another one is no longer taken. Empty: any is.
        driver_camera: Device or film that the driver camera's own process looks at; `None`: none is started.
    """

    market: str
    vehicle: str = "reference"
    inputs: str | None = None
    record: Path | None = None
    use_sim_time: bool = False
    map: str | None = None
    on: date | None = None
    map_digest: str = ""
    driver_camera: str | None = None


def process_command(process: Process, options: UpOptions, python: str = sys.executable) -> tuple[str, ...]:
    """The command line of one process."""
    command = [python, *PROGRAM, process.value, "--market", options.market, "--vehicle", options.vehicle]
    if options.inputs is not None:
        command += ["--inputs", options.inputs]
    if options.map is not None:
        command += ["--map", options.map]
    if options.map_digest:
        command += ["--map-digest", options.map_digest]
    if options.on is not None:
        command += ["--on", options.on.isoformat()]
    if options.use_sim_time:
        command.append("--use-sim-time")
    if options.record is not None and process is Process.RECORDER:
        command += ["--record", str(options.record)]
    return tuple(command)


def process_commands(options: UpOptions, python: str = sys.executable) -> dict[Process, tuple[str, ...]]:
    """The command lines of all processes, in the order in which they start."""
    return {process: process_command(process, options, python) for process in START_ORDER}


def driver_camera_commands(options: UpOptions, python: str = sys.executable) -> dict[str, tuple[str, ...]]:
    """The command line of the driver camera's process, by its name; nothing where none is asked for."""
    if options.driver_camera is None:
        return {}
    of = ("--market", options.market, "--vehicle", options.vehicle)
    return {DRIVER_CAMERA: (python, "-m", "adas_runtime", "driver-camera", options.driver_camera, *of)}


def all_commands(options: UpOptions, python: str = sys.executable) -> dict[Process | str, tuple[str, ...]]:
    """The command lines of the graph's processes, in the order in which they start, and of what runs beside it."""
    return dict([*process_commands(options, python).items(), *driver_camera_commands(options, python).items()])


def monitor_command(python: str = sys.executable) -> tuple[str, ...]:
    """The command line of the thin node that tells the supervisor what the graph's topics say."""
    return (python, *MONITOR)


def player_command(bag: str, *, with_clock: bool, python: str = sys.executable) -> tuple[str, ...]:
    """The command that plays a recording into the graph."""
    return (python, *PLAYER, bag, *(["--clock"] if with_clock else []))


def validate(options: UpOptions) -> None:
    """Refuse a market, vehicle, input map, map or place to record that cannot be used, before anything starts.

    Raises:
        AdasError: The first thing that is wrong.
    """
    from adas_runtime.market import load_market
    from adas_runtime.market.rules import check_car
    from adas_runtime.vehicle import load_vehicle

    vehicle = load_vehicle(options.vehicle)
    check_car(load_market(options.market), vehicle)
    if options.driver_camera is not None and "driver" not in vehicle.cameras:
        raise ConfigError(
            "has no driver camera", where=f"vehicle {vehicle.name}", mend="add cameras.driver to its file"
        )
    if options.inputs is not None:
        from adas_runtime.inputs import load_input_map

        load_input_map(options.inputs)
    from adas_runtime.horizon.open import open_map

    open_map(options.map)
    if options.record is not None:
        _check_place(options.record)


def _check_place(folder: Path) -> None:
    import tempfile

    existing = folder.resolve()
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir():
        raise BagError("is a file, not a folder", where=str(existing), mend="take another --record")
    try:
        # tried, not asked: permissions say nothing of a read-only disk or of /proc
        tempfile.TemporaryDirectory(prefix=".adas_", dir=existing).cleanup()
    except OSError as error:
        raise BagError(
            f"cannot be written to ({error.strerror})", where=str(existing), mend="take another --record"
        ) from error
