"""Facts of a country in a market file: default speed limits, signs, following distance, emergency corridor, parking.

Each value is written with its confidence and source. What nobody could confirm is `unknown`, which locks whatever
would need it; a number is never a guess.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, get_args

from pydantic import BeforeValidator, Field, StringConstraints, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict, need_items
from adas_runtime.signals import ConditionalLimit, LimitKind, RoadClass, SpeedUnit
from adas_runtime.units import kmh_to_mps

Place = Literal[
    "living_street",
    "school_zone",
    "urban",
    "urban_no_centre_line",
    "urban_multilane",
    "urban_dual",
    "rural",
    "rural_no_centre_line",
    "rural_multilane",
    "rural_dual",
    "expressway",
    "expressway_dual",
    "motorway",
]
PLACES: Final[tuple[Place, ...]] = get_args(Place)
GENERAL: Final[dict[Place, Place]] = {  # whose limit `same` stands for
    "urban_no_centre_line": "urban",
    "urban_multilane": "urban",
    "urban_dual": "urban_multilane",
    "rural_no_centre_line": "rural",
    "rural_multilane": "rural",
    "rural_dual": "rural_multilane",
    "expressway_dual": "expressway",
}
WORDS: Final = ("none", "walk", "same", "unknown")
LIMIT_MAX: Final = 200.0  # of any country's default in its own unit


def _limit(value: Any) -> Any:
    if value in WORDS and isinstance(value, str):
        return value
    if isinstance(value, (int, float)) and not isinstance(value, bool) and 5.0 <= value <= LIMIT_MAX:
        return float(value)
    raise ValueError(
        f"must be a number from 5 to {LIMIT_MAX:.0f} in the market's unit, or {', '.join(WORDS)}; "
        "write unknown where no source says it"
    )


Limit = Annotated[float | str, BeforeValidator(_limit)]
HEAVY_FROM_MPS: Final = kmh_to_mps(
    50.0
)  # StVO 4(3), and taken for every country that names a distance of heavy vehicles
Condition = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_<>=:., -]{2,64}$")]
Region = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[A-Z0-9]{1,8}$")]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefaultLimit:
    """What the law says where no sign stands.

    Args:
        kind: `IMPLICIT`: a limit; `NO_LIMIT`: none; `UNKNOWN`: not known, nothing may be shown or warned of.
        limit_mps: The limit; `None` unless `kind` is `IMPLICIT`, and at walking pace, where the law names no number.
        is_walking_pace: The law says walking pace.
        advisory_mps: Advised speed, never a limit.
        conditional: Limits that hold instead under a condition, the lowest first.
        unit: Unit of the country's signs.
    """

    kind: LimitKind = LimitKind.UNKNOWN
    limit_mps: float | None = None
    is_walking_pace: bool = False
    advisory_mps: float | None = None
    conditional: tuple[ConditionalLimit, ...] = ()
    unit: SpeedUnit = SpeedUnit.KMH


class VisibilityStep(Strict):
    """A limit that holds while one sees less far."""

    below_m: float = Field(gt=0.0, le=1000.0, description="It holds below this visibility [m].")
    limit: float = Field(ge=5.0, le=LIMIT_MAX, description="Limit, in the market's unit.")


class SpeedDefaults(Strict):
    """Limits that hold where no sign stands, by the kind of road, in the market's unit (`road.speed_unit`).

    A number, or `none`: the law sets no limit; `walk`: walking pace; `same`: as the more general kind of road;
    `unknown`: no source says it, so no limit is shown.
    """

    living_street: Limit = Field(description="Living street, play street, shared zone.")
    school_zone: Limit = Field(description="School zone.")
    urban: Limit = Field(description="Inside built-up areas.")
    urban_no_centre_line: Limit = Field(description="Inside built-up areas, road without a centre line.")
    urban_multilane: Limit = Field(description="Inside built-up areas, two or more lanes in the car's direction.")
    urban_dual: Limit = Field(description="Inside built-up areas, directions separated.")
    rural: Limit = Field(description="Outside built-up areas, one lane in the car's direction.")
    rural_no_centre_line: Limit = Field(description="Outside built-up areas, road without a centre line.")
    rural_multilane: Limit = Field(description="Outside built-up areas, two or more lanes in the car's direction.")
    rural_dual: Limit = Field(description="Outside built-up areas, directions separated.")
    expressway: Limit = Field(description="Road for motor vehicles only, signed as such.")
    expressway_dual: Limit = Field(description="Road for motor vehicles only, directions separated.")
    motorway: Limit = Field(description="Motorway, signed as such.")
    advisory: dict[Place, Limit] = Field(description="Advised speeds; never limits.")
    conditional: dict[Place, dict[Condition, Limit]] = Field(
        description="Limits under a condition that a car can tell: wet, trailer, weight>3.5, a season or hours."
    )
    snow_chains: Limit = Field(description="Limit with snow chains; unknown: no rule found.")
    low_visibility: tuple[VisibilityStep, ...] = Field(
        max_length=4, description="Limits in fog, on every road, the nearest visibility first."
    )
    regions: dict[Region, dict[Place, Limit]] = Field(
        description="What differs in a part of the country, by its ISO 3166-2 code."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        for place in PLACES:
            if getattr(self, place) == "same" and place not in GENERAL:
                raise ValueError(f"{place} is same, but no more general kind of road stands behind it; give its limit")
        for place, value in self.advisory.items():
            if not isinstance(value, float):
                raise ValueError(f"advisory has no number for {place}; leave it out where nothing is advised")
        for place, cases in self.conditional.items():
            if any(not isinstance(value, float) for value in cases.values()):
                raise ValueError(f"conditional holds a case of {place} without a number; leave it out")
        return self

    def resolve(self, place: Place, region: str = "") -> tuple[Place, float | str]:
        """The kind of road whose limit holds, `same` followed to the more general one, and that limit as written.

        A region's own value goes first, in the market's unit.
        """
        own = self.regions.get(region, {})
        value = own.get(place, getattr(self, place))
        while value == "same":
            place = GENERAL[place]
            value = own.get(place, getattr(self, place))
        return place, value

    def limit(self, place: Place, unit: SpeedUnit, region: str = "") -> DefaultLimit:
        """The limit of one kind of road."""
        general, value = self.resolve(place, region)
        if value == "unknown":
            return DefaultLimit(unit=unit)
        advised = self.advisory.get(place, self.advisory.get(general))
        cases = self.conditional.get(place, self.conditional.get(general, {}))
        return DefaultLimit(
            kind=LimitKind.NO_LIMIT if value == "none" else LimitKind.IMPLICIT,
            limit_mps=unit.mps(value) if isinstance(value, float) else None,
            is_walking_pace=value == "walk",
            advisory_mps=unit.mps(advised) if isinstance(advised, float) else None,
            conditional=tuple(
                ConditionalLimit(limit_mps=unit.mps(limit), kind=LimitKind.IMPLICIT, condition=text)
                for limit, text in sorted((limit, text) for text, limit in cases.items() if isinstance(limit, float))
            ),
            unit=unit,
        )

    def limit_for(self, places: tuple[Place, ...], unit: SpeedUnit, region: str = "") -> DefaultLimit:
        """The limit of a road that is one of several kinds: known only where all of them agree."""
        found = {self.limit(place, unit, region) for place in places}
        return found.pop() if len(found) == 1 else DefaultLimit(unit=unit)


def places(
    road_class: RoadClass,
    *,
    is_built_up: bool | None = None,
    is_dual: bool | None = None,
    lanes: int | None = None,
    is_expressway: bool | None = None,
    has_centre_line: bool | None = None,
) -> tuple[Place, ...]:
    """The kinds of road that a road may be, as far as it is known; several where something is not.

    Args:
        road_class: Class in the map; `UNKNOWN` gives nothing.
        is_built_up: Inside a built-up area.
        is_dual: Directions are separated.
        lanes: Lanes in the car's direction.
        is_expressway: Signed as a road for motor vehicles only; unknown counts as not.
        has_centre_line: A centre line is painted; unknown counts as painted, but for residential and service roads.
    """
    if road_class is RoadClass.UNKNOWN:
        return ()
    if road_class is RoadClass.MOTORWAY:
        return ("motorway",)
    if road_class is RoadClass.LIVING_STREET:
        return ("living_street",)
    duals = (True, False) if is_dual is None else (is_dual,)
    if is_expressway:
        return tuple("expressway_dual" if dual else "expressway" for dual in duals)
    areas = (True, False) if is_built_up is None else (is_built_up,)
    is_side_street = road_class in (RoadClass.RESIDENTIAL, RoadClass.SERVICE, RoadClass.TRACK)
    if has_centre_line is None:
        lines = (True, False) if is_side_street else (True,)
    else:
        lines = (has_centre_line,)
    found: list[Place] = []
    for area in areas:
        for dual in duals:
            if dual:
                found.append("urban_dual" if area else "rural_dual")
                continue
            if lanes is None or lanes >= 2:
                found.append("urban_multilane" if area else "rural_multilane")
            if lanes is None or lanes < 2:
                for line in lines:
                    if line:
                        found.append("urban" if area else "rural")
                    else:
                        found.append("urban_no_centre_line" if area else "rural_no_centre_line")
    return tuple(found)


class Signs(Strict):
    """How speed-limit signs look."""

    family: Literal["vienna", "mutcd", "unknown"] = Field(
        description="Sign family: vienna, a round sign with a red ring (convention of 1968); mutcd, an upright "
        "rectangle that says SPEED LIMIT; unknown: not confirmed.",
        json_schema_extra={"cautious": "unknown"},
    )
    limit_ground: Literal["white", "yellow", "unknown"] = Field(
        description="Ground of a permanent speed-limit sign.",
        json_schema_extra={"cautious": "unknown"},
    )
    lit_signs_are_inverted: bool = Field(
        description="A variable sign shows lit white on black inside the ring.",
        json_schema_extra={"cautious": "false"},
    )
    vehicle_signs_outrank: bool = Field(
        description="A sign on a vehicle, such as a works trailer, outranks a fixed one.",
        json_schema_extra={"cautious": "false"},
    )


class GapStep(Strict):
    """A distance that holds above a speed."""

    above_kmh: float = Field(ge=0.0, le=200.0, description="It holds above this speed [km/h].")
    distance_m: float = Field(gt=0.0, le=200.0, description="Least distance to the car ahead [m].")


class VisibilityGap(Strict):
    """A distance that holds while one sees less far."""

    below_m: float = Field(gt=0.0, le=1000.0, description="It holds below this visibility [m].")
    distance_m: float = Field(gt=0.0, le=200.0, description="Least distance to the car ahead [m].")


class Following(Strict):
    """Distance to the car ahead. The greatest of time gap and distances holds; a driver may choose longer only."""

    time_gap_min_s: float = Field(
        ge=1.0,
        le=5.0,
        description="Least time gap that may be chosen [s].",
        json_schema_extra={"cautious": "higher"},
    )
    selectable_extra_s: tuple[Annotated[float, Field(ge=0.0, le=3.0)], ...] = Field(
        min_length=1,
        max_length=5,
        description="What the driver may add to the least time gap, button by button, the first at every start [s].",
    )
    wet_factor: float = Field(
        ge=1.0,
        le=3.0,
        description="Factor on the time gap on a wet road [1].",
        json_schema_extra={"cautious": "higher"},
    )
    tunnel_gap_min_s: float = Field(
        ge=1.0,
        le=5.0,
        description="Least time gap in a tunnel [s].",
        json_schema_extra={"cautious": "higher"},
    )
    trailer_extra_s: float = Field(
        ge=0.0,
        le=3.0,
        description="Added to the time gap while a trailer is coupled [s].",
        json_schema_extra={"cautious": "higher"},
    )
    distances: tuple[GapStep, ...] = Field(max_length=4, description="Least distances by speed, the lowest first.")
    low_visibility: tuple[VisibilityGap, ...] = Field(
        max_length=4, description="Least distances in fog, the nearest visibility first."
    )
    heavy_distance_m: float | None = Field(
        ge=0.0,
        le=200.0,
        description="Least distance of trucks and buses outside built-up areas; nothing: no rule found [m].",
    )
    queue_gap_m: float = Field(
        ge=1.0,
        le=10.0,
        description="Gap to the car ahead at standstill [m].",
        json_schema_extra={"cautious": "higher"},
    )
    tunnel_queue_gap_m: float = Field(
        ge=1.0,
        le=20.0,
        description="The same in a tunnel [m].",
        json_schema_extra={"cautious": "higher"},
    )
    cut_in_expected_gap_s: float = Field(
        ge=0.4,
        le=2.0,
        description="Time gap that traffic here takes for usual where somebody cuts in; a driver who keeps it is not "
        "warned [s].",
    )
    cut_in_brake_max_mps2: float = Field(
        ge=1.0,
        le=3.0,
        description="Strongest braking to let the gap grow again after somebody cut in [m/s^2].",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if any(a >= b for a, b in zip(self.selectable_extra_s, self.selectable_extra_s[1:], strict=False)):
            raise ValueError("selectable_extra_s must rise; write the shortest gap first")
        if self.cut_in_expected_gap_s > self.time_gap_min_s:
            raise ValueError(
                f"cut_in_expected_gap_s is longer than time_gap_min_s = {self.time_gap_min_s:g}, so whoever keeps the "
                "least gap would be warned; lower it"
            )
        return self

    def time_gap_s(
        self,
        *,
        choice: int = 0,
        is_wet: bool = False,
        is_tunnel: bool = False,
        has_trailer: bool = False,
    ) -> float:
        """Time gap to keep [s]; distances in metres come on top, see `gap_m`.

        Args:
            choice: Number of the driver's choice among `selectable_extra_s`; one beyond either end is that end, so
                that nobody can choose less than the market's least gap.
            is_wet: The road is wet.
            is_tunnel: The car is in a tunnel.
            has_trailer: A trailer is coupled.
        """
        gap_s = self.time_gap_min_s + self.selectable_extra_s[min(max(choice, 0), len(self.selectable_extra_s) - 1)]
        if is_wet:
            gap_s *= self.wet_factor
        if is_tunnel:
            gap_s = max(gap_s, self.tunnel_gap_min_s)
        if has_trailer:
            gap_s += self.trailer_extra_s
        return gap_s

    def visibility_m(self, *, is_rear_fog_on: bool) -> float | None:
        """Visibility that a lit rear fog lamp stands for, `None`: not known [m].

        No sensor of the car measures it; the driver's lamp says that it is foggy, and not how much. So the farthest
        step of `low_visibility` counts: a longer distance than none, and none that nobody can tell the need of [D].
        """
        if not is_rear_fog_on or not self.low_visibility:
            return None
        return math.nextafter(self.low_visibility[-1].below_m, 0.0)

    def gap_m(
        self,
        speed_mps: float,
        *,
        is_wet: bool = False,
        is_tunnel: bool = False,
        has_trailer: bool = False,
        visibility_m: float | None = None,
        is_heavy: bool = False,
    ) -> float:
        """Least distance to the car ahead at a speed [m]; `is_heavy`: of a truck or bus outside built-up areas."""
        speed_mps = max(speed_mps, 0.0)
        gap = speed_mps * self.time_gap_s(is_wet=is_wet, is_tunnel=is_tunnel, has_trailer=has_trailer)
        floors = [step.distance_m for step in self.distances if speed_mps > kmh_to_mps(step.above_kmh) + 1e-9]
        if visibility_m is not None:
            floors += [step.distance_m for step in self.low_visibility if visibility_m < step.below_m][:1]
        if is_heavy and self.heavy_distance_m is not None and speed_mps > HEAVY_FROM_MPS:
            floors.append(self.heavy_distance_m)
        return max([gap, *floors])


class Corridor(Strict):
    """Emergency corridor in slow traffic: the leftmost lane keeps left, all others right."""

    is_required: bool = Field(
        description="The law asks for a corridor.",
        json_schema_extra={"cautious": "false"},
    )
    roads: tuple[Place, ...] = Field(
        max_length=4,
        description="Kinds of road on which it is asked for.",
        json_schema_extra={"cautious": "fewer"},
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        need_items("is_required", self.is_required, "roads", self.roads, "name the kinds of road")
        return self


class Bay(Strict):
    """A bay at a right angle to the road, as the standard has it: real ones are measured."""

    width_min_m: float = Field(ge=1.8, le=4.0, description="Narrowest standard bay [m].")
    width_max_m: float = Field(ge=1.8, le=4.0, description="Widest standard bay for one car [m].")
    length_m: float = Field(ge=4.0, le=8.0, description="Length [m].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.width_min_m > self.width_max_m:
            raise ValueError("width_min_m must be <= width_max_m; swap them")
        return self


class Parking(Strict):
    """Where and how parked."""

    one_way_sides: Literal["traffic_side", "either"] = Field(
        description="Sides of a one-way street on which a car may park; in others it is the side of traffic."
    )
    bay: Bay = Field(description="The usual bay.")
    marking_forms: tuple[Literal["paint", "stone_line", "surface_change", "stud_line"], ...] = Field(
        min_length=1,
        max_length=4,
        description="What bounds a bay.",
        json_schema_extra={"cautious": "fewer"},
    )
    may_cross_line: bool = Field(
        description="The line of a bay may be driven over.",
        json_schema_extra={"cautious": "false"},
    )
