"""How the roads of a market look: lines from the market's file, places and signs from `config/synth/places.yaml`."""

from __future__ import annotations

from enum import Enum
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import Field, ValidationError

from adas_runtime.config import Strict
from adas_runtime.errors import ConfigError

if TYPE_CHECKING:
    from adas_runtime.market.schema import Market

Colour = Literal["white", "yellow", "orange", "blue"]


class RoadKind(Enum):
    """Which cross-section is drawn."""

    MOTORWAY = "motorway"
    RURAL = "rural"


class Place(Strict):
    """Where a market's drive takes place: what a picture needs and no regulated function does."""

    latitude_deg: float = Field(ge=-85.0, le=85.0, description="Where the drive begins, WGS 84 [deg].")
    longitude_deg: float = Field(ge=-180.0, le=180.0, description="Where the drive begins, WGS 84 [deg].")
    ground: Literal["grass", "sand"] = Field(description="What lies beside the road.")
    motorway_limit: int = Field(
        ge=10,
        le=200,
        description="Limit on the signs of a motorway, in the market's unit.",
    )
    rural_limit: int = Field(
        ge=10,
        le=200,
        description="Limit on the signs of other roads, in the market's unit.",
    )
    sign: Literal["ring", "ring_blue", "plate"] = Field(
        description="Speed sign: red ring with black or blue figures, or a white plate with text."
    )


class Places(Strict):
    """`config/synth/places.yaml`."""

    format: Literal[1] = Field(description="Format of the file.")
    default: Place = Field(description="For a market that is not listed.")
    markets: dict[str, Place] = Field(description="Per market name.")


class RoadStyle(Strict):
    """How the roads of one market look."""

    lane_width_m: float = Field(ge=2.4, le=4.5, description="Lane between the inner edges of its lines [m].")
    works_lane_width_m: float = Field(ge=2.2, le=4.5, description="Lane in road works [m].")
    dash_m: float = Field(gt=0.0, le=40.0, description="Painted part of a dashed line's cycle [m].")
    gap_m: float = Field(gt=0.0, le=40.0, description="Gap of a dashed line's cycle [m].")
    edge_line_m: float = Field(gt=0.0, le=0.6, description="Width of an edge line [m].")
    lane_line_m: float = Field(gt=0.0, le=0.6, description="Width of the other lines [m].")
    edge_colour: Colour = Field(description="Edge lines.")
    opposing_colour: Colour = Field(description="Line against the oncoming traffic.")
    works_colour: Colour = Field(description="Temporary lines.")
    has_studs: bool = Field(description="Raised studs stand in the gaps of dashed lines.")
    unit: Literal["kmh", "mph"] = Field(description="Unit of the figures on the signs.")
    traffic_side: Literal["left", "right"] = Field(description="Side of the road that traffic keeps to.")
    place: Place = Field(description="Where the drive takes place.")

    def limit(self, kind: RoadKind) -> int:
        """Limit on the signs, in the market's unit."""
        return self.place.motorway_limit if kind is RoadKind.MOTORWAY else self.place.rural_limit


def style_of(market: Market) -> RoadStyle:
    """The look of a market's roads."""
    facts = market.lanes
    places = _places()
    return RoadStyle(
        lane_width_m=facts.width.nominal_m,
        works_lane_width_m=max(facts.width.works_min_m, 2.5),  # DE: 2.50 m typical (adaptations.md section 2)
        dash_m=facts.dash.paint_m,
        gap_m=facts.dash.gap_m,
        edge_line_m=facts.line_width.edge_m,
        lane_line_m=facts.line_width.lane_m,
        edge_colour=facts.edge_line_colour,
        opposing_colour=facts.opposing_line_colour,
        works_colour=facts.works.colours[0] if facts.works.colours else "white",
        has_studs=facts.raised.is_used,
        unit=market.road.speed_unit,
        traffic_side=market.road.traffic_side,
        place=places.markets.get(market.name, places.default),
    )


@cache
def _places() -> Places:
    from adas_runtime.resources import config_dir

    return read_places(config_dir() / "synth" / "places.yaml")


def read_places(path: Path) -> Places:
    """Reads `places.yaml`.

    Raises:
        ConfigError: It cannot be read or holds a wrong value.
    """
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        return Places.model_validate(data)
    except (OSError, yaml.YAMLError) as err:
        raise ConfigError(f"cannot be read: {err}", where=str(path), mend="restore the file") from err
    except ValidationError as err:
        first = err.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise ConfigError(f"{key}: {first['msg']}", where=str(path), mend="correct the value") from err
