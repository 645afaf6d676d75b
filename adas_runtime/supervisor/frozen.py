"""The configuration as it was when the graph started, for every life of every process.

A guard that dies must come back whatever became of the files meanwhile: half of an update, a deleted market, a date
that a rule turns on. So the processes read a copy that nobody edits, judged by the day of the start. A new market
takes effect with the next start, whole (design section 5).

A map is too large to copy. Where the copy's folder is on the same disk the map gets a second name there, under which it
outlives its replacement and deletion. In any case a process that starts later takes it only with the same content.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

from adas_runtime.errors import ConfigError
from adas_runtime.horizon.open import VARIABLE, open_map
from adas_runtime.inputs.load import input_map_path
from adas_runtime.market.load import chain_files, market_path
from adas_runtime.resources import OVERRIDE, config_dir
from adas_runtime.supervisor.commands import UpOptions
from adas_runtime.vehicle.load import vehicle_path


def freeze(options: UpOptions, folder: Path, on: date) -> tuple[UpOptions, dict[str, str]]:
    """Copy what the options name, and the shipped configuration, into `folder`.

    Args:
        options: Validated.
        folder: Where the copy goes; it lives as long as the graph.
        on: Day by which the market is judged, at each start of a process.
    Returns:
        The options that name the copies, and what the processes' environment must hold.
    Raises:
        ConfigError: The copy cannot be made.
    """
    shipped = config_dir().resolve()
    try:
        shutil.copytree(shipped, folder / "config")

        def is_shipped(path: Path) -> bool:
            return path.resolve().is_relative_to(shipped)

        def kept(given: str, path: Path, name: str) -> str:
            """What names the copy: a shipped file keeps its name."""
            if is_shipped(path):
                return given if Path(given) != path else str(folder / "config" / path.resolve().relative_to(shipped))
            copy = folder / name / path.name
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(path, copy)
            return str(copy)

        market, *parents = chain_files(market_path(options.market))
        for parent in parents:
            if not is_shipped(parent):
                kept(str(parent), parent, "market")
        map_, digest = _held_map(options.map, folder)
        frozen = replace(
            options,
            map=map_,
            map_digest=digest,
            market=kept(options.market, market, "market"),
            vehicle=kept(options.vehicle, vehicle_path(options.vehicle), "vehicle"),
            inputs=None if options.inputs is None else kept(options.inputs, input_map_path(options.inputs), "inputs"),
            on=on,
        )
    except OSError as error:
        raise ConfigError(
            f"the configuration cannot be copied ({error.strerror or error})",
            where=str(folder),
            mend="free space there, or set TMPDIR",
        ) from error
    return frozen, {OVERRIDE: str(folder / "config")}


def _held_map(given: str | None, folder: Path) -> tuple[str | None, str]:
    """Name of the map for every later start, and its content's digest."""
    roads = open_map(given)
    if roads is None:
        return None, ""
    path = Path(given or os.environ[VARIABLE]).resolve()
    held = folder / "map" / path.name
    held.parent.mkdir()
    try:
        os.link(path, held)
    except OSError:  # another disk, or one without hard links
        return str(path), roads.digest
    return str(held), roads.digest
