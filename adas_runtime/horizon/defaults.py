"""The law's limits where no sign stands, per country; the numbers stand in `config/maps/default_limits.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from adas_runtime.config import Strict, read_yaml, validate

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
LimitText = Annotated[float, Field(ge=1.0, le=200.0)] | Literal["none", "walk"] | None


class CountryDefaults(Strict):
    """One country's default limits for a car without a trailer."""

    unit: Literal["kmh", "mph"] = Field(description="Unit of the numbers and of the signs.")
    living_street: LimitText = Field(description="Living street.")
    urban: LimitText = Field(description="In built-up areas.")
    rural: LimitText = Field(description="Outside built-up areas, one carriageway.")
    expressway: LimitText = Field(description="Expressway, or separated carriageways outside built-up areas.")
    motorway: LimitText = Field(description="Motorway.")

    def of(self, area: str) -> float | str | None:
        """The limit of an area: a number, `none`, `walk`, or `None` where it is not told."""
        found: float | str | None = getattr(self, area, None) if area in AREAS else None
        return found


AREAS = ("living_street", "urban", "rural", "expressway", "motorway")
Defaults = Mapping[str, CountryDefaults]


class DefaultsFile(Strict):
    """The table of all countries."""

    format: Literal[1] = Field(description="Format of the file.")
    countries: dict[Code, CountryDefaults] = Field(description="Defaults per ISO 3166-1 alpha-2 code.")


def load_defaults(path: Path | None = None) -> Defaults:
    """The shipped table, or another file of its kind.

    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    if path is None:
        return _shipped()
    document = read_yaml(path)
    return validate(DefaultsFile, document).countries


@lru_cache(maxsize=1)
def _shipped() -> Defaults:
    from adas_runtime.resources import config_dir

    return load_defaults(config_dir() / "maps" / "default_limits.yaml")
