"""What a map provides: roads, cut into edges from junction to junction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from adas_runtime.horizon.geo import Point
from adas_runtime.horizon.tags import NO_RULE, Rule
from adas_runtime.signals import RoadClass

CLASS_OF: Final = {
    "motorway": RoadClass.MOTORWAY,
    "motorway_link": RoadClass.MOTORWAY,
    "trunk": RoadClass.TRUNK,
    "trunk_link": RoadClass.TRUNK,
    "primary": RoadClass.PRIMARY,
    "primary_link": RoadClass.PRIMARY,
    "secondary": RoadClass.SECONDARY,
    "secondary_link": RoadClass.SECONDARY,
    "tertiary": RoadClass.TERTIARY,
    "tertiary_link": RoadClass.TERTIARY,
    "unclassified": RoadClass.TERTIARY,
    "residential": RoadClass.RESIDENTIAL,
    "living_street": RoadClass.LIVING_STREET,
    "service": RoadClass.SERVICE,
    "track": RoadClass.TRACK,
    "road": RoadClass.UNKNOWN,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """What holds along a whole road of the source.

    Args:
        way_id: Number in the source (OpenStreetMap's way, Lanelet2's lanelet).
        highway: OpenStreetMap's class in its own word.
        road_class: The same as the runtime's class.
        name, ref: As the source gives them.
        is_oneway: Only along its points; otherwise both ways.
        is_tunnel, is_bridge, is_link, is_roundabout, is_motorroad: As tagged.
        lanes_forward, lanes_backward: Lanes per direction, 0 unknown.
        is_lit: Street lighting, `None` unknown.
        country: ISO 3166-1 alpha-2, empty unknown.
        built_up: Inside a built-up area, outside, or `None` unknown, and how sure that is.
        forward, backward: Speed rules per direction.
    """

    way_id: int
    highway: str
    road_class: RoadClass
    name: str = ""
    ref: str = ""
    is_oneway: bool = False
    is_tunnel: bool = False
    is_bridge: bool = False
    is_link: bool = False
    is_roundabout: bool = False
    is_motorroad: bool = False
    is_lit: bool | None = None
    lanes_forward: int = 0
    lanes_backward: int = 0
    country: str = ""
    built_up: bool | None = None
    built_up_confidence: float = 0.0
    forward: Rule = NO_RULE
    backward: Rule = NO_RULE

    def rule(self, is_forward: bool) -> Rule:
        """The speed rule of one direction."""
        return self.forward if is_forward else self.backward

    @property
    def is_dual_carriageway(self) -> bool | None:
        """Directions are separated: known on motorways and on two-way roads; a one-way street is not told apart."""
        if self.is_link or self.is_roundabout or self.road_class is RoadClass.UNKNOWN:
            return None
        if not self.is_oneway:
            return False
        is_major = self.road_class in (RoadClass.MOTORWAY, RoadClass.TRUNK) or self.is_motorroad
        return True if is_major else None

    def lanes(self, is_forward: bool) -> int:
        """Lanes in one direction, 0 unknown."""
        return self.lanes_forward if is_forward else self.lanes_backward


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A piece of a way from one junction to the next.

    Args:
        edge_id: Number in the store.
        way: The way.
        start, end: Nodes of its ends.
        points: Latitude and longitude, at least two.
        along_m: Distance of each point from the start.
    """

    edge_id: int
    way: Way
    start: int
    end: int
    points: tuple[Point, ...]
    along_m: tuple[float, ...]

    @property
    def length_m(self) -> float:
        """Length [m]."""
        return self.along_m[-1]


class RoadMap(Protocol):
    """A map that never changes while it is open: equal questions have equal answers, so a core may ask it in a step."""

    @property
    def digest(self) -> str:
        """SHA-256 of its content."""
        ...

    @property
    def data_utc_s(self) -> float | None:
        """The newest edit of a road in the oldest of the extracts, where they tell it [s since 1970]."""
        ...

    def near(self, point: Point, radius_m: float) -> tuple[Edge, ...]:
        """Edges whose box comes within a radius, in the order of their numbers."""
        ...

    def at_node(self, node: int) -> tuple[Edge, ...]:
        """Edges that begin or end at a node, in the order of their numbers."""
        ...

    def edge(self, edge_id: int) -> Edge | None:
        """One edge."""
        ...
