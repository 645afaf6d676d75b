"""From a vehicle file to a `Vehicle`."""

from __future__ import annotations

from pathlib import Path

from adas_runtime.config import load, named_file
from adas_runtime.vehicle.schema import Vehicle


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
    return named_file(name_or_path, vehicles_dir(), vehicle_names, "vehicle")


def load_vehicle(name_or_path: str | Path) -> Vehicle:
    """A vehicle by name or file.

    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    return load(Vehicle, vehicle_path(name_or_path))
