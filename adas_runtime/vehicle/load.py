"""From a vehicle file to a `Vehicle`."""

from __future__ import annotations

import re
from pathlib import Path

from adas_runtime.config import load, printable
from adas_runtime.errors import ConfigError
from adas_runtime.vehicle.schema import Vehicle

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


def vehicles_dir() -> Path:
    """Where the shipped vehicles are."""
    from adas_runtime.resources import config_dir

    return config_dir() / "vehicles"


def vehicle_names() -> tuple[str, ...]:
    """Names of the shipped vehicles."""
    return tuple(sorted(path.stem for path in vehicles_dir().glob("*.yaml")))


def vehicle_path(name_or_path: str | Path) -> Path:
    """The file of a vehicle: a name stands for a shipped one, what has a suffix or a folder is a path.

    Raises:
        ConfigError: No such vehicle.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or Path(text).suffix in (".yaml", ".yml"):
        return Path(name_or_path)
    path = vehicles_dir() / f"{text}.yaml"
    if not _NAME.match(text) or not path.is_file():
        raise ConfigError(
            f"no vehicle {printable(text)!r}",
            mend=f"take one of {', '.join(vehicle_names())}, or the path of a file",
        )
    return path


def load_vehicle(name_or_path: str | Path) -> Vehicle:
    """A vehicle by name or file.

    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    return load(Vehicle, vehicle_path(name_or_path))
