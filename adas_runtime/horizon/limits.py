"""From what the map says of a road to the limit that a driver knows: signed, by the law, none, or unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.horizon.roads import Way
from adas_runtime.horizon.tags import Conditional, Form, Limit
from adas_runtime.market.facts import Place, places
from adas_runtime.market.laws import Laws
from adas_runtime.signals import LimitKind, RoadClass, SpeedUnit

TAG_SURE: Final = 0.9  # a number that a mapper wrote; signs change, and mappers err
CLASS_SURE: Final = 0.5  # a motorway without a tag has the law's limit, or a sign that nobody mapped
LAW_SURE: Final = 0.9  # most of the markets' limits come from a secondary source
UNIT_OF: Final = {"kmh": SpeedUnit.KMH, "mph": SpeedUnit.MPH}
MPH_COUNTRIES: Final = frozenset(("GB", "US", "PR", "VI", "GU", "AS", "MP", "IM", "JE", "GG", "BS", "BZ", "LR"))


@dataclass(frozen=True, slots=True, kw_only=True)
class RoadLimit:
    """The limit on one road in one direction, without conditions.

    Args:
        kind: Signed (the map holds a number), by the law, none, or unknown.
        value: Number in `unit`; `None` without one.
        unit: Unit of the signs there.
        source: `map: maxspeed`, `law: DE urban`, ... for people and the report.
        confidence: How sure that this limit is right.
        is_by_law: Not signed: what the law says of such a road.
        is_walk: Walking pace: a limit without a number (its kind is unknown, for there is nothing to compare with).
        conditional: Limits under a condition that are told beside it.
        advisory_mps: Advised speed, never a limit.
        lanes: Limit per lane, left to right in driving direction, where the lanes differ: which one holds depends on
            the lane, and the limit of the road is unknown.
        reason: Why it is unknown.
    """

    kind: LimitKind = LimitKind.UNKNOWN
    value: float | None = None
    unit: SpeedUnit = SpeedUnit.KMH
    source: str = ""
    confidence: float = 0.0
    is_by_law: bool = False
    is_walk: bool = False
    conditional: tuple[Conditional, ...] = ()
    advisory_mps: float | None = None
    lanes: tuple[Limit | None, ...] = ()
    reason: str = ""

    @property
    def limit_mps(self) -> float | None:
        """The limit [m/s]."""
        return None if self.value is None else self.unit.mps(self.value)


def lane_condition(number: int, count: int) -> str:
    """Condition of a limit that holds on one lane, counted from the left, 1 the leftmost; `isa.fusion` reads it."""
    return f"lane {number} of {count}"


def limit_on(way: Way, is_forward: bool, laws: Laws) -> RoadLimit:
    """The limit on a road in one direction.

    An unsure surrounding, a slip road or a service road without a tag has no limit that a map may tell: unknown.
    """
    rule = way.rule(is_forward)
    unit = SpeedUnit.MPH if way.country in MPH_COUNTRIES else SpeedUnit.KMH
    advisory = rule.advisory
    lanes = tuple(rule.limit if lane is None else lane for lane in rule.lanes)  # an empty one: as the road
    if not lanes:
        found = _base(way, is_forward, rule.limit, rule.source, laws, unit)
    elif all(lane == lanes[0] for lane in lanes):
        found = _base(way, is_forward, lanes[0], "maxspeed:lanes", laws, unit)
        lanes = ()
    else:
        found = RoadLimit(unit=unit, source="map: maxspeed:lanes", reason="its lanes have different limits")
    advisory_mps = None
    if advisory is not None and advisory.form is Form.NUMBER:
        advisory_mps = UNIT_OF[advisory.unit].mps(advisory.value)
    return RoadLimit(
        kind=found.kind,
        value=found.value,
        unit=found.unit,
        source=found.source,
        confidence=found.confidence,
        is_by_law=found.is_by_law,
        is_walk=found.is_walk,
        conditional=rule.conditionals,
        advisory_mps=advisory_mps,
        lanes=lanes,
        reason=found.reason,
    )


def _base(way: Way, is_forward: bool, limit: Limit | None, source: str, laws: Laws, unit: SpeedUnit) -> RoadLimit:
    said = f"map: {source}"
    if limit is None:
        return _by_law(way, is_forward, way.country, _area(way), _area_sure(way), laws, unit)
    if limit.form is Form.NUMBER:
        return RoadLimit(
            kind=LimitKind.EXPLICIT,
            value=limit.value,
            unit=UNIT_OF[limit.unit],
            source=said,
            confidence=TAG_SURE,
        )
    if limit.form is Form.NO_LIMIT:
        return RoadLimit(kind=LimitKind.NO_LIMIT, unit=unit, source=said, confidence=TAG_SURE)
    if limit.form is Form.WALK:
        return RoadLimit(unit=unit, source=said, confidence=TAG_SURE, is_walk=True, reason="walking pace")
    if limit.form is Form.VARIABLE:
        return RoadLimit(unit=unit, source=said, reason="a variable sign decides")
    if limit.area:
        return _by_law(way, is_forward, limit.country or way.country, limit.area, TAG_SURE, laws, unit)
    return _by_law(way, is_forward, limit.country or way.country, _area(way), _area_sure(way), laws, unit)


def _by_law(way: Way, is_forward: bool, country: str, area: str, sure: float, laws: Laws, unit: SpeedUnit) -> RoadLimit:
    if not area:
        return RoadLimit(unit=unit, reason=_why_no_area(way))
    if not country:
        return RoadLimit(unit=unit, reason="country is not known")
    law = laws.get(country)
    if law is None:
        return RoadLimit(unit=unit, reason=f"no rules of {country} are carried")
    unit = law.unit
    kinds = _kinds(way, is_forward, area)
    number = law.value_for(kinds)
    if number == "unknown":
        which = " or ".join(kind.replace("_", " ") for kind in kinds)
        return RoadLimit(unit=unit, reason=f"no default of {country} is known for {which}")
    source = f"law: {country} {area}"
    sure = round(sure * LAW_SURE, 3)
    if number == "none":
        return RoadLimit(kind=LimitKind.NO_LIMIT, unit=unit, source=source, confidence=sure, is_by_law=True)
    if isinstance(number, str):
        return RoadLimit(unit=unit, source=source, confidence=sure, is_by_law=True, is_walk=True, reason="walking pace")
    return RoadLimit(kind=LimitKind.IMPLICIT, value=number, unit=unit, source=source, confidence=sure, is_by_law=True)


def _kinds(way: Way, is_forward: bool, area: str) -> tuple[Place, ...]:
    """The kinds of road, as the law tells them apart, that a road in such surroundings may be."""
    if area == "motorway":
        return ("motorway",)
    if area == "living_street":
        return ("living_street",)
    if area == "rural_dual":
        return ("rural_dual",)
    lanes = way.lanes(is_forward)
    if not lanes and not way.is_oneway:
        lanes = 1  # mappers count lanes where there are more
    is_dual = False if way.is_roundabout else way.is_dual_carriageway
    if is_dual and area == "rural":
        is_dual = None  # a mapper who writes `DE:rural` there may mean either: known where the law is the same
    is_side_street = way.road_class in (RoadClass.RESIDENTIAL, RoadClass.SERVICE, RoadClass.TRACK)
    return places(
        way.road_class if is_side_street else RoadClass.SECONDARY,
        is_built_up=area == "urban",
        is_dual=is_dual,
        lanes=lanes or None,
        is_expressway=area == "expressway",
    )


def _area(way: Way) -> str:
    """Which of the law's cases a road without a tag falls in; empty where that cannot be told."""
    if way.road_class in (RoadClass.SERVICE, RoadClass.TRACK, RoadClass.UNKNOWN) or way.is_link:
        return ""
    if way.road_class is RoadClass.MOTORWAY:
        return "motorway"
    if way.is_motorroad:
        return "expressway"
    if way.road_class is RoadClass.LIVING_STREET:
        return "living_street"
    if way.built_up is None:
        return ""
    if not way.built_up and way.road_class is RoadClass.TRUNK:
        return ""  # perhaps an expressway without its tag
    return "urban" if way.built_up else "rural"


def _area_sure(way: Way) -> float:
    if way.road_class in (RoadClass.MOTORWAY, RoadClass.LIVING_STREET) or way.is_motorroad:
        return max(CLASS_SURE, way.built_up_confidence if way.forward.area else 0.0)
    return way.built_up_confidence


def _why_no_area(way: Way) -> str:
    if way.road_class in (RoadClass.SERVICE, RoadClass.TRACK, RoadClass.UNKNOWN):
        return f"no limit is tagged, and the law's is not told for {way.highway} roads"
    if way.is_link:
        return "no limit is tagged on this slip road"
    if way.built_up is None:
        return "no limit is tagged, and nothing tells whether it is a built-up area"
    return "no limit is tagged, and it may be an expressway"
