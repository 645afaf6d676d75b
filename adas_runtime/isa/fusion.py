"""The limit in force, from signs, the map and the law; each source is kept apart, and unknown is a value.

Order (2021/1958 recital 4 for signs over all else; isa.md 4.1): temporary and variable signs, permanent signs, zones,
what a town's or a motorway's sign implies, the map's explicit limit, the law's default for the kind of road, unknown.
What a sign said ends with the next sign, after a distance or a time that nothing confirmed it, at a turn into another
road, at the end of a motorway and at a border. A limit that was not on a sign is never `EXPLICIT`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.conditions import TRAILER, Circumstances, Condition, holds, is_for_others, read
from adas_runtime.isa.params import IsaParams
from adas_runtime.isa.signs import Sign
from adas_runtime.market.facts import DefaultLimit, Place, places
from adas_runtime.market.laws import CountryRules
from adas_runtime.records import maker, replacer
from adas_runtime.signals import HorizonSegment, LimitKind, LimitSource, RoadClass, SignKind, SpeedUnit

GROUP_MAX: Final = 16  # signs that are kept of one place
LANE: Final = "lane "  # a map's condition for one lane: `horizon.limits.lane_condition`, and a test
LANE_OF: Final = re.compile(r"lane (\d+) of (\d+)")
LANE_CONFIDENCE: Final = 0.8  # of a lane's limit: less than of a road's, for the lane may be another  [D]
SAME_MPS: Final = 0.05  # two limits are one: 0.2 km/h
AGREED_M: Final = 50.0  # the map agreed with a sign for so long that it speaks of the same stretch  [D]
DAY_S: Final = 86400.0
DEFAULT_CONFIDENCE: Final = 0.6  # of a limit that follows from the kind of road alone
NOTHING_KNOWN: Final = "no_source"
URBAN, RURAL, MOTORWAY, EXPRESSWAY, LIVING_STREET = "urban", "rural", "motorway", "expressway", "living_street"
AREA_OF: Final[dict[SignKind, str]] = {
    SignKind.CITY_ENTRY: URBAN,
    SignKind.CITY_EXIT: RURAL,
    SignKind.MOTORWAY_ENTRY: MOTORWAY,
    SignKind.MOTORWAY_EXIT: "",
    SignKind.EXPRESSWAY_ENTRY: EXPRESSWAY,
    SignKind.EXPRESSWAY_EXIT: "",
    SignKind.LIVING_STREET_ENTRY: LIVING_STREET,
    SignKind.LIVING_STREET_EXIT: "",
}
ENDS: Final = (SignKind.END_OF_SPEED_LIMIT, SignKind.END_OF_ALL_LIMITS, SignKind.ZONE_EXIT)


@dataclass(frozen=True, slots=True)
class Signed:
    """What one sign says, where it stands and when it was passed."""

    value_mps: float | None
    unit: SpeedUnit
    condition: Condition
    text: str
    lane: int | None
    place_m: float
    passed_s: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Layer:
    """Signs of one kind that hold together, and when something last confirmed them."""

    signs: tuple[Signed, ...] = ()
    confirmed_m: float = 0.0
    confirmed_s: float = 0.0

    def with_sign(self, sign: Signed, gather_m: float) -> Layer:
        """The layer after one more sign: what stands together is kept, what the new sign replaces is not."""
        kept = []
        for old in self.signs:
            is_beside = sign.place_m - old.place_m <= gather_m
            is_repeat = old.lane == sign.lane and old.condition == sign.condition
            # a plate, or a sign over another lane, leaves the limit of the road as it was
            is_aside = bool(sign.text) or sign.lane not in (None, 0)
            if not is_repeat and (is_beside or (is_aside and not old.text)):
                kept.append(old)
        return Layer((*kept[-GROUP_MAX:], sign), sign.place_m, sign.passed_s)

    def shifted(self, lanes: int) -> Layer:
        """The layer as the lanes are counted after a change of lane by so many to the left."""
        return Layer(
            tuple(sign if sign.lane is None else replace(sign, lane=sign.lane - lanes) for sign in self.signs),
            self.confirmed_m,
            self.confirmed_s,
        )


NO_SIGNS: Final = Layer()


@dataclass(frozen=True, slots=True)
class Implied:
    """What a sign without a number, or an end sign, said last.

    Args:
        area: Kind of road or place that it began; empty where it only ended something.
        code: Reason code.
        ended_mps: Limit that an end sign ended.
        is_after_turn: The car has turned since; the map then knows better.
    """

    area: str
    code: str
    place_m: float
    passed_s: float
    confirmed_m: float
    confirmed_s: float
    confidence: float
    ended_mps: float | None = None
    is_after_turn: bool = False


@dataclass(frozen=True, slots=True)
class Sources:
    """Everything that signs said and that still holds."""

    temporary: Layer = NO_SIGNS
    variable: Layer = NO_SIGNS
    permanent: Layer = NO_SIGNS
    zone: Layer = NO_SIGNS
    advisory: Layer = NO_SIGNS
    minimum: Layer = NO_SIGNS
    area: Implied | None = None  # town, motorway: outlives numbers and turns
    ended: Implied | None = None  # an end sign: until the next sign or turn
    dropped: str = ""  # why the last signed limit went, told while nothing else is known


EMPTY: Final = Sources()


@dataclass(frozen=True, slots=True)
class Road:
    """What the map says of the road under the car; `segment` is `None` without a usable map.

    Args:
        segment: The piece of road that holds the car.
        confidence: Of the match.
        since_m: Odometer at which the map's limit became what it is now.
        lane: Lane of the car, 1 the leftmost, and how many there are; `None`: nobody knows it for sure.
    """

    segment: HorizonSegment | None = None
    confidence: float = 0.0
    since_m: float = 0.0
    lane: tuple[int, int] | None = None

    @property
    def is_link(self) -> bool | None:
        """On a slip road; `None` without a map."""
        return None if self.segment is None else self.segment.is_link


@dataclass(frozen=True, slots=True)
class Found:
    """The limit in force and why; the defaults say that nothing is known."""

    kind: LimitKind = LimitKind.UNKNOWN
    source: LimitSource = LimitSource.NONE
    limit_mps: float | None = None
    unit: SpeedUnit = SpeedUnit.KMH
    condition: str = ""
    confidence: float = 0.0
    reason: str = NOTHING_KNOWN
    since_m: float | None = None
    since_s: float | None = None
    is_walking_pace: bool = False
    is_temporary: bool = False
    pending_mps: float | None = None
    pending_condition: str = ""
    advisory_mps: float | None = None

    @property
    def is_number(self) -> bool:
        """There is a number to compare a speed with.

        What follows from the kind of road alone is an assumption: it is shown as one, and nobody is warned by it.
        """
        return (
            self.limit_mps is not None
            and self.source is not LimitSource.DEFAULT
            and self.kind in (LimitKind.EXPLICIT, LimitKind.IMPLICIT)
        )


make_found = maker(Found)
make_sources = maker(Sources)
found_with = replacer(Found)
UNKNOWN: Final = Found()


# --- what signs change ------------------------------------------------------------------------------------------------


def after_sign(sources: Sources, sign: Sign, params: IsaParams, now_s: float, circumstances: Circumstances) -> Sources:
    """What holds once a sign was passed."""
    condition = read(sign.supplement)
    if is_for_others(condition, circumstances):
        return sources
    if sign.kind in AREA_OF:
        return _after_area(sources, sign, params, now_s)
    if sign.kind in ENDS:
        ended_mps = next((item.value_mps for layer in (sources.permanent, sources.zone) for item in layer.signs), None)
        zone = NO_SIGNS if sign.kind in (SignKind.ZONE_EXIT, SignKind.END_OF_ALL_LIMITS) else sources.zone
        implied = _implied("", "end_sign", sign, now_s, ended_mps)
        return replace(
            sources,
            temporary=NO_SIGNS,
            variable=NO_SIGNS,
            permanent=NO_SIGNS,
            zone=zone,
            advisory=NO_SIGNS,
            ended=implied,
            dropped="",
        )
    if sign.kind is SignKind.ROADWORKS_END:
        return replace(sources, temporary=NO_SIGNS)
    if sign.kind is SignKind.END_OF_MINIMUM_SPEED:
        return replace(sources, minimum=NO_SIGNS)
    said = Signed(
        sign.value_mps,
        sign.unit,
        condition,
        sign.supplement,
        sign.lane,
        sign.place_m,
        now_s,
        sign.confidence,
    )
    gather_m = params.gather_m
    if sign.kind is SignKind.ADVISORY_SPEED:
        return replace(sources, advisory=Layer((said,), sign.place_m, now_s))
    if sign.kind is SignKind.MINIMUM_SPEED:
        return replace(sources, minimum=Layer((said,), sign.place_m, now_s))
    if sign.kind is SignKind.VARIABLE_SPEED_LIMIT:
        if sign.is_lit is False or sign.value_mps is None:
            lit = tuple(item for item in sources.variable.signs if sign.place_m - item.place_m <= gather_m)
            return replace(sources, variable=replace(sources.variable, signs=lit))  # dark: the static value again
        return replace(sources, variable=sources.variable.with_sign(said, gather_m), dropped="")
    if sign.kind is SignKind.ZONE_ENTRY:
        return replace(sources, permanent=NO_SIGNS, zone=Layer((said,), sign.place_m, now_s), ended=None, dropped="")
    if sign.kind is SignKind.SPEED_LIMIT:
        if sign.is_temporary:
            return replace(sources, temporary=sources.temporary.with_sign(said, gather_m), dropped="")
        ended = sources.ended if said.text or sign.lane not in (None, 0) else None
        return replace(sources, permanent=sources.permanent.with_sign(said, gather_m), ended=ended, dropped="")
    return sources


def _implied(area: str, code: str, sign: Sign, now_s: float, ended_mps: float | None = None) -> Implied:
    return Implied(area, code, sign.place_m, now_s, sign.place_m, now_s, sign.confidence, ended_mps)


def _after_area(sources: Sources, sign: Sign, params: IsaParams, now_s: float) -> Sources:
    """A town, motorway or living street begins or ends: numbers before it are gone, those on its post are not."""
    beside = tuple(item for item in sources.permanent.signs if sign.place_m - item.place_m <= params.gather_m)
    is_numbered = sign.value_mps is not None and sign.value_mps > 0.0  # a town's plate with a limit on it
    if is_numbered:
        beside = (
            *beside,
            Signed(
                sign.value_mps,
                sign.unit,
                read(sign.supplement),
                sign.supplement,
                sign.lane,
                sign.place_m,
                now_s,
                sign.confidence,
            ),
        )
    area = _implied(AREA_OF[sign.kind], sign.kind.name.lower(), sign, now_s)
    return replace(
        sources,
        temporary=NO_SIGNS,
        variable=NO_SIGNS,
        permanent=Layer(beside, sign.place_m, now_s) if beside else NO_SIGNS,
        zone=NO_SIGNS,
        advisory=NO_SIGNS,
        minimum=NO_SIGNS,
        area=area if area.area else None,
        ended=None if area.area else area,
        dropped="",
    )


def after_turn(sources: Sources) -> Sources:
    """What holds on the road turned into: the town and the zone, and no number of the road that was left."""
    area = sources.area
    if area is not None:
        area = replace(area, is_after_turn=True) if area.area in (URBAN, RURAL) else None
    return Sources(zone=sources.zone, area=area, dropped="turned")


def after_road_change(sources: Sources, before_m: float) -> Sources:
    """A motorway or slip road began or ended, by the map: what stood before it is gone."""

    def kept(layer: Layer) -> Layer:
        signs = tuple(sign for sign in layer.signs if sign.place_m >= before_m)
        return replace(layer, signs=signs) if signs else NO_SIGNS

    area = sources.area
    if area is not None and area.place_m < before_m and area.area not in (URBAN, RURAL):
        area = None
    return Sources(
        temporary=kept(sources.temporary),
        variable=kept(sources.variable),
        permanent=kept(sources.permanent),
        zone=kept(sources.zone),
        advisory=kept(sources.advisory),
        minimum=kept(sources.minimum),
        area=area,
        ended=sources.ended if sources.ended is not None and sources.ended.place_m >= before_m else None,
        dropped="road_changed",
    )


def after_lane_change(sources: Sources, lanes: int) -> Sources:
    """Lanes as they are counted after a change by so many to the left."""
    return replace(
        sources,
        temporary=sources.temporary.shifted(lanes),
        variable=sources.variable.shifted(lanes),
        permanent=sources.permanent.shifted(lanes),
    )


def without_expired(sources: Sources, odometer_m: float, now_s: float, params: IsaParams) -> Sources:
    """What is not too far away or too old; why something went stays behind as `dropped`."""
    if sources == EMPTY or (sources.dropped and sources == Sources(dropped=sources.dropped)):
        return sources
    dropped = sources.dropped

    def kept(layer: Layer, distance_m: float, hold_s: float) -> Layer:
        nonlocal dropped
        if not layer.signs:
            return layer
        if odometer_m - layer.confirmed_m > distance_m or now_s - layer.confirmed_s > hold_s:
            dropped = "sign_too_far" if odometer_m - layer.confirmed_m > distance_m else "sign_too_old"
            return NO_SIGNS
        signs = tuple(sign for sign in layer.signs if not _is_past(sign, odometer_m))
        return layer if len(signs) == len(layer.signs) else replace(layer, signs=signs)

    def fresh(implied: Implied | None) -> Implied | None:
        if implied is None or odometer_m - implied.confirmed_m > params.hold_distance_m:
            return None
        return None if now_s - implied.confirmed_s > params.hold_s else implied

    far_m, long_s = params.hold_distance_m, params.hold_s
    temporary = kept(sources.temporary, far_m, long_s)
    variable = kept(sources.variable, params.variable_hold_distance_m, params.variable_hold_s)
    permanent = kept(sources.permanent, far_m, long_s)
    zone = kept(sources.zone, far_m, long_s)
    advisory = kept(sources.advisory, far_m, long_s)
    minimum = kept(sources.minimum, far_m, long_s)
    area, ended = fresh(sources.area), fresh(sources.ended)
    return make_sources(temporary, variable, permanent, zone, advisory, minimum, area, ended, dropped)


def _is_past(sign: Signed, odometer_m: float) -> bool:
    length_m = sign.condition.length_m
    return length_m is not None and odometer_m > sign.place_m + sign.condition.after_m + length_m


def confirmed(sources: Sources, road: Road, odometer_m: float, now_s: float) -> Sources:
    """What the map says as well is not getting old; and what it said as well ends where it says something else.

    A sign that the map never agreed with goes before it (2021/1958 recital 4). One that it agreed with for a while
    stands on a stretch that the map knows: where that stretch ends, the sign does, though the next one was not seen.
    """
    segment = road.segment
    if segment is None:
        return sources
    if segment.limit_kind is LimitKind.NO_LIMIT or (
        segment.limit_kind is LimitKind.EXPLICIT and segment.limit_mps is not None
    ):
        limit_mps = segment.limit_mps

        def same(layer: Layer) -> Layer:
            plain = [sign for sign in layer.signs if not sign.text and sign.lane in (None, 0)]
            if not plain:
                return layer
            if all(is_same(sign.value_mps, limit_mps) for sign in plain):
                return replace(layer, confirmed_m=odometer_m, confirmed_s=now_s)
            agreed_m = layer.confirmed_m - max(sign.place_m for sign in layer.signs)
            return NO_SIGNS if agreed_m >= AGREED_M and road.since_m >= layer.confirmed_m else layer

        if sources.permanent.signs or sources.zone.signs:
            permanent, zone = same(sources.permanent), same(sources.zone)
            is_over = len(permanent.signs) + len(zone.signs) < len(sources.permanent.signs) + len(sources.zone.signs)
            dropped = "map_changed" if is_over else sources.dropped
            sources = replace(sources, permanent=permanent, zone=zone, dropped=dropped)
    area = sources.area
    if area is not None:
        is_motorway = segment.road_class is RoadClass.MOTORWAY
        agrees = {
            URBAN: segment.is_built_up is True,
            RURAL: segment.is_built_up is False and not is_motorway,
            MOTORWAY: is_motorway,
            LIVING_STREET: segment.road_class is RoadClass.LIVING_STREET,
        }.get(area.area, False)
        if agrees:
            sources = replace(sources, area=replace(area, confirmed_m=odometer_m, confirmed_s=now_s))
    return sources


# --- the choice -------------------------------------------------------------------------------------------------------


def choose(
    sources: Sources,
    road: Road,
    circumstances: Circumstances,
    odometer_m: float,
    now_s: float,
    rules: CountryRules | None,
) -> Found:
    """The limit in force."""
    segment = road.segment
    law = _law(sources, road, rules)
    found = _signed(sources, road, circumstances, odometer_m)
    if found.kind is LimitKind.UNKNOWN:
        found = _carried(found, _unsigned(sources, road, circumstances, law, odometer_m, now_s, rules))
    cap_mps = _towing_cap(law, circumstances)
    if cap_mps is not None and (
        found.kind is LimitKind.NO_LIMIT or (found.limit_mps is not None and cap_mps < found.limit_mps - SAME_MPS)
    ):
        found = found_with(
            found,
            kind=LimitKind.IMPLICIT,
            source=LimitSource.VEHICLE,
            limit_mps=cap_mps,
            condition="trailer",
            reason="towing",
            is_walking_pace=False,
        )
    advisory = _active(sources.advisory, road, circumstances, odometer_m)[0]
    if advisory is not None:
        found = found_with(found, advisory_mps=advisory.value_mps)
    elif segment is not None and segment.advisory_mps is not None:
        found = found_with(found, advisory_mps=segment.advisory_mps)
    elif law is not None and found.source in (LimitSource.DEFAULT, LimitSource.IMPLICIT_SIGN):
        found = found_with(found, advisory_mps=law.advisory_mps)
    return found


def minimum_mps(sources: Sources, road: Road, circumstances: Circumstances, odometer_m: float) -> float | None:
    """Signed minimum speed, never a limit."""
    sign = _active(sources.minimum, road, circumstances, odometer_m)[0]
    return None if sign is None else sign.value_mps


def _active(
    layer: Layer, road: Road, circumstances: Circumstances, odometer_m: float
) -> tuple[Signed | None, Signed | None]:
    """The sign of a layer that holds here and now, and one whose condition nobody can judge."""
    if not layer.signs:
        return None, None
    plain: Signed | None = None
    special: Signed | None = None
    pending: Signed | None = None
    for sign in layer.signs:
        condition = sign.condition
        if sign.lane not in (None, 0) or odometer_m < sign.place_m + condition.after_m or _is_past(sign, odometer_m):
            continue
        if condition.where == "exit" and road.is_link is not True:
            continue
        if condition.where in ("left", "right"):
            continue  # for a road that the car did not take
        if not sign.text:
            if plain is None or sign.lane == 0 or plain.lane is None:
                plain = sign
            continue
        truth = holds(condition, circumstances)
        if truth is None:
            pending = sign if pending is None or _value(sign) < _value(pending) else pending
        elif truth:
            special = sign if special is None or _value(sign) < _value(special) else special
    return special or plain, pending


def _value(sign: Signed) -> float:
    return sign.value_mps if sign.value_mps is not None else 1e9


def _signed(sources: Sources, road: Road, circumstances: Circumstances, odometer_m: float) -> Found:
    """The limit of a sign with a number; unknown where none holds, with what is pending."""
    pending: Signed | None = None
    overlays = []
    for code, layer in (("temporary_sign", sources.temporary), ("variable_sign", sources.variable)):
        sign, open_sign = _active(layer, road, circumstances, odometer_m)
        pending = pending or open_sign
        if sign is not None:
            overlays.append((_value(sign), code, sign, layer))
    if overlays:
        _, code, sign, layer = min(overlays, key=lambda item: item[:2])
        return _of_sign(code, sign, layer, pending, is_temporary=True)
    for code, layer in (("sign", sources.permanent), ("zone_sign", sources.zone)):
        sign, open_sign = _active(layer, road, circumstances, odometer_m)
        pending = pending or open_sign
        if sign is not None:
            return _of_sign(code, sign, layer, pending, is_temporary=False)
    if pending is None:
        return UNKNOWN
    return make_found(pending_mps=pending.value_mps, pending_condition=pending.text, unit=pending.unit)


def _of_sign(code: str, sign: Signed, layer: Layer, pending: Signed | None, *, is_temporary: bool) -> Found:
    return make_found(
        kind=LimitKind.EXPLICIT,
        source=LimitSource.SIGN,
        limit_mps=sign.value_mps,
        unit=sign.unit,
        condition=sign.text,
        confidence=sign.confidence,
        reason=code,
        since_m=max(sign.place_m, layer.confirmed_m),
        since_s=max(sign.passed_s, layer.confirmed_s),
        is_temporary=is_temporary,
        pending_mps=None if pending is None else pending.value_mps,
        pending_condition="" if pending is None else pending.text,
    )


def _carried(former: Found, found: Found) -> Found:
    """A limit without a sign, with the plate that nobody could judge."""
    if former.pending_mps is None:
        return found
    return found_with(found, pending_mps=former.pending_mps, pending_condition=former.pending_condition)


def _unsigned(
    sources: Sources,
    road: Road,
    circumstances: Circumstances,
    law: DefaultLimit | None,
    odometer_m: float,
    now_s: float,
    rules: CountryRules | None,
) -> Found:
    """What follows where no sign gives a number: implicit sign, map, law, unknown."""
    segment = road.segment
    unit = rules.unit if rules is not None else SpeedUnit.KMH
    implied = sources.ended or sources.area
    mapped = _mapped(road, circumstances, odometer_m, now_s)
    if mapped is not None and (
        implied is None
        or implied.is_after_turn
        or road.since_m > implied.place_m  # the map's limit begins behind the sign
    ):
        return mapped
    by_law = None if law is None else _of_law(law, circumstances, unit)
    if implied is not None:
        if by_law is not None:
            return found_with(
                by_law,
                source=LimitSource.IMPLICIT_SIGN,
                confidence=implied.confidence,
                reason=implied.code,
                since_m=implied.confirmed_m,
                since_s=implied.confirmed_s,
            )
        if mapped is not None and not is_same(mapped.limit_mps, implied.ended_mps):
            return mapped
        return make_found(unit=unit, reason=f"{implied.code}_of_unknown_road")
    if segment is not None and any(case.condition.startswith(LANE) for case in segment.conditional):
        return _of_unknown_lane(segment, unit)
    if by_law is not None:
        return found_with(by_law, confidence=by_law.confidence * road.confidence, since_m=odometer_m, since_s=now_s)
    if segment is not None and segment.limit_kind is LimitKind.IMPLICIT and segment.limit_mps is not None:
        return make_found(
            kind=LimitKind.IMPLICIT,
            source=LimitSource.DEFAULT,
            limit_mps=segment.limit_mps,
            unit=segment.unit,
            confidence=segment.limit_confidence * road.confidence,
            reason="default_of_map",
            since_m=odometer_m,
            since_s=now_s,
        )
    return make_found(unit=unit, reason=sources.dropped or (NOTHING_KNOWN if segment is None else "map_has_no_limit"))


def _mapped(road: Road, circumstances: Circumstances, odometer_m: float, now_s: float) -> Found | None:
    """The map's explicit limit, or the conditional one that holds now."""
    segment = road.segment
    if segment is None:
        return None
    pending_mps: float | None = None
    pending_text, special_mps, special_text = "", None, ""
    base_kind, base_mps, base_text = segment.limit_kind, segment.limit_mps, ""
    for case in segment.conditional:
        if case.condition.startswith(LANE):
            if _is_lane(case.condition, road.lane):
                base_kind, base_mps, base_text = case.kind, case.limit_mps, case.condition
            continue
        if case.kind is not LimitKind.EXPLICIT or case.limit_mps is None:
            continue
        condition = read(case.condition)
        if is_for_others(condition, circumstances):
            continue
        truth = holds(condition, circumstances)
        if truth is None and any(atom in TRAILER for atom in condition.atoms):
            continue  # a car that does not tell of a trailer has none that anybody knows of
        if truth is None and (pending_mps is None or case.limit_mps < pending_mps):
            pending_mps, pending_text = case.limit_mps, case.condition
        elif truth and (special_mps is None or case.limit_mps < special_mps):
            special_mps, special_text = case.limit_mps, case.condition
    if special_mps is not None:
        kind, limit_mps = LimitKind.EXPLICIT, special_mps
    elif base_kind is LimitKind.NO_LIMIT:
        kind, limit_mps = LimitKind.NO_LIMIT, None
    elif base_kind is LimitKind.EXPLICIT and base_mps is not None:
        kind, limit_mps = LimitKind.EXPLICIT, base_mps
    else:
        return None
    return make_found(
        kind=kind,
        source=LimitSource.MAP,
        limit_mps=limit_mps,
        unit=segment.unit,
        condition=special_text or base_text,
        confidence=(LANE_CONFIDENCE if base_text else segment.limit_confidence) * road.confidence,
        reason="map",
        since_m=odometer_m,
        since_s=now_s,
        pending_mps=pending_mps,
        pending_condition=pending_text,
    )


def _is_lane(condition: str, lane: tuple[int, int] | None) -> bool:
    """Whether a map's condition of a lane speaks of the car's own: both count as many lanes."""
    said = LANE_OF.fullmatch(condition)
    return lane is not None and said is not None and lane == (int(said[1]), int(said[2]))


def _of_unknown_lane(segment: HorizonSegment, unit: SpeedUnit) -> Found:
    """The lanes have different limits and nobody knows the car's: unknown, with the lowest shown as present."""
    cases = [case for case in segment.conditional if case.condition.startswith(LANE) and case.limit_mps is not None]
    lowest = min(cases, key=lambda case: case.limit_mps or 0.0, default=None)
    if lowest is None:
        return make_found(unit=unit, reason="lanes_differ")
    return make_found(
        unit=segment.unit,
        reason="lanes_differ",
        pending_mps=lowest.limit_mps,
        pending_condition=lowest.condition,
    )


def _of_law(law: DefaultLimit, circumstances: Circumstances, unit: SpeedUnit) -> Found | None:
    if law.kind is LimitKind.UNKNOWN:
        return None
    limit_mps, condition, kind = law.limit_mps, "", law.kind
    pending_mps: float | None = None
    pending_text = ""
    for case in law.conditional:
        words = read(case.condition)
        if case.limit_mps is None or any(atom in TRAILER for atom in words.atoms):
            continue  # towing is told apart: it also bounds what a sign says
        truth = holds(words, circumstances)
        if truth is None and (pending_mps is None or case.limit_mps < pending_mps):
            pending_mps, pending_text = case.limit_mps, case.condition
        elif truth and (limit_mps is None or case.limit_mps < limit_mps):
            limit_mps, condition, kind = case.limit_mps, case.condition, LimitKind.IMPLICIT
    return make_found(
        kind=kind,
        source=LimitSource.DEFAULT,
        limit_mps=limit_mps,
        unit=unit,
        condition=condition,
        confidence=DEFAULT_CONFIDENCE,
        reason="default_of_road",
        is_walking_pace=law.is_walking_pace and limit_mps is None,
        pending_mps=pending_mps,
        pending_condition=pending_text,
    )


def _law(sources: Sources, road: Road, rules: CountryRules | None) -> DefaultLimit | None:
    """The law's limit for the kind of road, as far as signs and map tell what kind it is."""
    if rules is None:
        return None
    kinds = kinds_of(sources.area, road.segment)
    region = "" if road.segment is None else road.segment.region
    return rules.limit_for(kinds, region) if kinds else None


def kinds_of(area: Implied | None, segment: HorizonSegment | None) -> tuple[Place, ...]:
    """The kinds of road that this one may be: signs know towns and motorways, the map knows lanes and carriageways."""
    name = "" if area is None else area.area
    if name == MOTORWAY:
        return ("motorway",)
    if name == LIVING_STREET:
        return ("living_street",)
    if segment is None:
        if name == EXPRESSWAY:
            return ("expressway", "expressway_dual")
        # a road of which nobody knows more than that a town begins or ends
        return places(RoadClass.SECONDARY, is_built_up=name == URBAN) if name else ()
    if segment.is_link:
        return ()  # a slip road belongs to two roads: what holds on it is signed or not known
    is_built_up = segment.is_built_up
    if name in (URBAN, RURAL):
        is_built_up = name == URBAN
    return places(
        segment.road_class,
        is_built_up=is_built_up,
        is_dual=segment.is_dual_carriageway,
        lanes=segment.lanes,
        is_expressway=name == EXPRESSWAY,
    )


def _towing_cap(law: DefaultLimit | None, circumstances: Circumstances) -> float | None:
    if law is None:
        return None
    caps = [
        case.limit_mps
        for case in law.conditional
        if case.limit_mps is not None
        and any(atom in TRAILER for atom in read(case.condition).atoms)
        and holds(read(case.condition), circumstances) is True
    ]
    return min(caps, default=None)


def is_same(one_mps: float | None, two_mps: float | None) -> bool:
    """Two limits are one, rounding of km/h and mph aside."""
    if one_mps is None or two_mps is None:
        return one_mps is two_mps
    return abs(one_mps - two_mps) < SAME_MPS
