"""The configuration as it was when the graph started, for every life of every process.

A guard that dies must come back whatever became of the files meanwhile: half of an update, a deleted market, a date
that a rule turns on. So the processes read a copy that nobody edits, judged by the day of the start. A new market
takes effect with the next start, whole (design section 5).
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import date
from pathlib import Path

from adas_runtime.errors import ConfigError
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
        frozen = replace(
            options,
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
