"""From signs that are seen to signs that are passed: each is believed once, where it stands."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.signals import SignKind, SignObservation, SignObservations, SpeedUnit

KEPT_MAX: Final = 48
SAME_PLACE_M: Final = 15.0  # two sightings of one sign, less the error of its distance
RANGE_ERROR: Final = 0.25  # of the distance that a camera measures
UNPLACED_M: Final = 60.0  # a sign without a place: sightings within this distance are one sign
BEHIND_M: Final = 40.0  # passed that far ago, it is forgotten
VALUED: Final = (
    SignKind.SPEED_LIMIT,
    SignKind.VARIABLE_SPEED_LIMIT,
    SignKind.ADVISORY_SPEED,
    SignKind.MINIMUM_SPEED,
    SignKind.ZONE_ENTRY,
)


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign on its place.

    Args:
        kind, value_mps, unit, supplement, lane, is_lit, is_temporary: As observed.
        place_m: Odometer at which it stands.
        sightings: How often it was seen.
        confidence: The best of them.
        seen_m: Odometer when it was last seen.
        is_passed: It was handed on.
    """

    kind: SignKind
    value_mps: float | None
    unit: SpeedUnit
    supplement: str
    lane: int | None
    is_lit: bool | None
    is_temporary: bool
    place_m: float
    sightings: int
    confidence: float
    seen_m: float
    is_passed: bool = False

    def is_same(self, seen: SignObservation) -> bool:
        """Whether a sighting may be of this sign, its place aside."""
        return (
            self.kind is seen.kind
            and self.value_mps == seen.value_mps
            and self.lane == seen.lane
            and self.supplement == seen.supplement
            and self.is_temporary == seen.is_temporary
            and (self.is_lit is False) == (seen.is_lit is False)
        )


# of signs on one post the number goes last, so that it holds: the plate of a town, then the 70 beneath it
_ORDER: Final[dict[SignKind, int]] = {
    SignKind.SPEED_LIMIT: 3,
    SignKind.VARIABLE_SPEED_LIMIT: 3,
    SignKind.ZONE_ENTRY: 2,
    SignKind.CITY_ENTRY: 1,
    SignKind.LIVING_STREET_ENTRY: 1,
    SignKind.MOTORWAY_ENTRY: 1,
    SignKind.EXPRESSWAY_ENTRY: 1,
}


def watch(
    signs: tuple[Sign, ...],
    observations: Iterable[SignObservations],
    odometer_m: float,
    speed_mps: float,
    now_s: float,
    *,
    confidence_min: float,
    sightings_min: int,
) -> tuple[tuple[Sign, ...], tuple[Sign, ...]]:
    """The signs in view after new pictures, and those that the car passed since, in the order of the road."""
    found = list(signs)
    for picture in observations:
        behind_m = max(speed_mps, 0.0) * min(max(now_s - picture.stamp_s, 0.0), 2.0)  # driven since the picture
        for seen in picture.signs:
            if seen.is_relevant and seen.confidence >= confidence_min and not _is_empty(seen):
                _see(found, seen, odometer_m, behind_m)
    passed: list[Sign] = []
    kept: list[Sign] = []
    for sign in found:
        if not sign.is_passed and sign.place_m <= odometer_m and sign.sightings >= sightings_min:
            sign = replace(sign, is_passed=True)
            passed.append(sign)
        if odometer_m <= max(sign.place_m, sign.seen_m) + BEHIND_M:
            kept.append(sign)
    passed.sort(key=lambda sign: (sign.place_m, _ORDER.get(sign.kind, 0)))
    return tuple(kept[-KEPT_MAX:]), tuple(passed)


def _is_empty(seen: SignObservation) -> bool:
    """A sign that should show a number and shows none; a dark variable sign says something all the same."""
    if seen.kind is SignKind.VARIABLE_SPEED_LIMIT and seen.is_lit is False:
        return False
    return seen.kind is SignKind.UNKNOWN or (
        seen.kind in VALUED and (seen.value_mps is None or not seen.value_mps > 0.0)
    )


def _see(found: list[Sign], seen: SignObservation, odometer_m: float, behind_m: float) -> None:
    place_m = odometer_m if seen.x_m is None else odometer_m - behind_m + seen.x_m
    reach_m = UNPLACED_M if seen.x_m is None else SAME_PLACE_M + RANGE_ERROR * abs(seen.x_m)
    for index, sign in enumerate(found):
        if sign.is_same(seen) and abs(sign.place_m - place_m) <= reach_m:
            found[index] = replace(
                sign,
                place_m=sign.place_m if seen.x_m is None or sign.is_passed else place_m,
                sightings=sign.sightings + 1,
                confidence=max(sign.confidence, seen.confidence),
                seen_m=odometer_m,
            )
            return
    found.append(
        Sign(
            kind=seen.kind,
            value_mps=seen.value_mps,
            unit=seen.unit,
            supplement=seen.supplement,
            lane=seen.lane,
            is_lit=seen.is_lit,
            is_temporary=seen.is_temporary,
            place_m=place_m,
            sightings=1,
            confidence=seen.confidence,
            seen_m=odometer_m,
        )
    )
