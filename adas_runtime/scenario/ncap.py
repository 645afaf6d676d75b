"""The frontal scenarios of Euro NCAP 2026 in the closed loop, by their names and ranges (sheet aeb.md, section 4).

How they are scored was not read: a drive passes where nobody is hit, and its impact speed stands beside it. What the
standard range holds is driven; the extended one is not. The turn of CCFtap and CMFtap is that of the scenario files
that the sheet names (vectorgrp/OSC-NCAP-scenarios @ee7aa11): clothoid, arc and clothoid into the road on our left.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from adas_runtime.scenario.braking import SIZES_M, Actor, Drive, Outcome
from adas_runtime.scenario.road import Turn, winding
from adas_runtime.signals import ObjectClass
from adas_runtime.units import kmh_to_mps

AHEAD_S: Final = 5.0
HEADWAY_S: Final = 1.0  # CCRb, CMRb
# CCFtap, CMFtap: our speed [km/h]; R2 [m], alpha and beta [deg] of the files of 2023
TURNS: Final = ((10.0, 9.0, 20.62, 48.76), (15.0, 11.75, 20.93, 48.14), (20.0, 14.75, 21.79, 46.42))
LANE_M: Final = 3.5  # of the junction in the same files
LEAD_DECEL_MPS2: Final = 4.0
CAR, MOTORCYCLE = ObjectClass.CAR, ObjectClass.MOTORCYCLE
PEDESTRIAN, CYCLIST = ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drive; `place` is where on our width the other one is met, 0.5 in the middle, 0 at our right."""

    family: str
    speed_kmh: float
    other_kmh: float
    place: float
    drive: Drive


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A drive with its outcome."""

    case: Case
    outcome: Outcome

    @property
    def verdict(self) -> Literal["pass", "fail"]:
        """Whether nobody is hit."""
        return "pass" if self.outcome.impact_mps is None else "fail"


def cases(width_m: float) -> Iterator[Case]:
    """Every drive of a car of this width, in the sheet's order."""
    for kind, name in ((CAR, "CC"), (MOTORCYCLE, "CM")):
        places: tuple[float, ...] = (0.0, 0.25, 0.5, 0.75, 1.0) if kind is CAR else (0.25, 0.5, 0.75)
        for speed in range(10, 60, 10):
            for place in places:
                yield _along(f"{name}Rs", kind, float(speed), 0.0, place, width_m)
        for speed in range(30, 90, 10):
            if kind is CAR:
                for place in places:
                    yield _along("CCRm", kind, float(speed), 20.0, place, width_m)
            yield _braking(f"{name}Rb", kind, float(speed), width_m)
    for fast_kmh, slow_kmh in ((90.0, 30.0), (100.0, 40.0), (110.0, 50.0), (120.0, 60.0), (130.0, 70.0)):
        yield _along("CCRm", CAR, fast_kmh, slow_kmh, 0.5, width_m)
    for kind, name in ((CAR, "CCFtap"), (MOTORCYCLE, "CMFtap")):
        for turn in TURNS:
            for other_kmh in (30.0, 45.0, 60.0):
                yield _turning(name, kind, *turn, other_kmh)
    for speed in range(20, 70, 10):
        for crossing_kmh in range(20, 70, 10):
            for side in (-1.0, 1.0):
                yield _across("CCCscp", CAR, float(speed), float(crossing_kmh), 0.5, side, width_m)
    crossing: tuple[tuple[str, ObjectClass, float, tuple[float, ...], float], ...] = (
        ("CPNA", PEDESTRIAN, 5.0, (0.25, 0.5, 0.75), -1.0),
        ("CPFA", PEDESTRIAN, 8.0, (0.5,), 1.0),
        ("CBNA", CYCLIST, 15.0, (0.5, 0.75), -1.0),
        ("CBFA", CYCLIST, 20.0, (0.25, 0.5), 1.0),
    )
    for name, kind, other, places, side in crossing:
        for speed in range(10, 70, 10):
            for place in places:
                yield _across(name, kind, float(speed), other, place, side, width_m)
    # out from behind parked cars: seen when it has 1 m left to the cars' side, 0.9 m from our path [D]
    for name, kind, other, places in (("CPNCO", PEDESTRIAN, 5.0, (0.5,)), ("CBNAO", CYCLIST, 10.0, (0.5, 0.75))):
        for speed in range(10, 70, 10):
            for place in places:
                yield _across(name, kind, float(speed), other, place, -1.0, width_m, hidden_m=width_m / 2.0 + 1.9)
    for speed in range(10, 70, 10):
        yield _along("CPLA", PEDESTRIAN, float(speed), 5.0, 0.5, width_m)
        if speed >= 20:
            yield _along("CBLA", CYCLIST, float(speed), 15.0, 0.5, width_m)


def _along(family: str, kind: ObjectClass, speed_kmh: float, other_kmh: float, place: float, width_m: float) -> Case:
    """Somebody ahead who stands or goes our way, his middle at `place` of our width; a car overlaps by its edge."""
    speed, other = kmh_to_mps(speed_kmh), kmh_to_mps(other_kmh)
    y_m = (place - 0.5) * width_m
    x_m = AHEAD_S * (speed - other) + 0.5 * SIZES_M[kind][0]
    actor = Actor(kind=kind, x_m=x_m, y_m=y_m, speed_mps=other)
    return _case(family, speed_kmh, other_kmh, place, actor)


def _braking(family: str, kind: ObjectClass, speed_kmh: float, width_m: float) -> Case:
    """A lead at our speed, one second ahead, that brakes."""
    speed = kmh_to_mps(speed_kmh)
    actor = Actor(
        kind=kind,
        x_m=HEADWAY_S * speed + 0.5 * SIZES_M[kind][0],
        y_m=0.0,
        speed_mps=speed,
        brakes_at_s=2.0,
        decel_mps2=LEAD_DECEL_MPS2,
    )
    return _case(family, speed_kmh, speed_kmh, 0.5, actor)


def _turning(
    family: str,
    kind: ObjectClass,
    speed_kmh: float,
    radius_m: float,
    alpha_deg: float,
    beta_deg: float,
    other_kmh: float,
) -> Case:
    """We turn left across somebody who comes towards us and whom the middle of our front would meet."""
    alpha, speed = math.radians(alpha_deg), kmh_to_mps(speed_kmh)
    turn = Turn(AHEAD_S * speed, radius_m, 2.0 * alpha + math.radians(beta_deg), 2.0 * alpha * radius_m)
    actor = Actor(
        kind=kind, x_m=0.0, y_m=LANE_M, heading_rad=math.pi, speed_mps=kmh_to_mps(other_kmh), later_s=0.0,
    )  # fmt: skip
    found = _case(family, speed_kmh, other_kmh, 0.5, actor)
    # no lane is painted across a junction
    drive = replace(found.drive, curvature=winding((turn,)).curvature_1pm, lane="none")
    return replace(found, drive=drive)


def _across(
    family: str,
    kind: ObjectClass,
    speed_kmh: float,
    other_kmh: float,
    place: float,
    side: float,
    width_m: float,
    hidden_m: float | None = None,
) -> Case:
    """Somebody who crosses at a right angle; his front is at `place` of our width as we reach him unbraked."""
    speed, other = kmh_to_mps(speed_kmh), kmh_to_mps(other_kmh)
    long_m, wide_m = SIZES_M[kind]
    # from the right to the left for side -1: the place counts from the side that he comes from
    meets_y_m = side * (0.5 - place) * width_m + side * 0.5 * long_m * (kind is CAR)
    actor = Actor(
        kind=kind,
        x_m=AHEAD_S * speed + 0.5 * wide_m,
        y_m=meets_y_m + side * other * AHEAD_S,
        heading_rad=-side * math.pi / 2.0,
        speed_mps=other,
        seen_from_s=-math.inf if hidden_m is None else AHEAD_S - (hidden_m - side * meets_y_m) / other,
    )
    return _case(family, speed_kmh, other_kmh, place, actor)


def _case(family: str, speed_kmh: float, other_kmh: float, place: float, actor: Actor) -> Case:
    return Case(
        family=family,
        speed_kmh=speed_kmh,
        other_kmh=other_kmh,
        place=place,
        drive=Drive(
            name=f"{family}_{speed_kmh:g}_{other_kmh:g}_{100.0 * place:g}",
            speed_mps=kmh_to_mps(speed_kmh),
            actors=(actor,),
            lane="straight",
        ),
    )


def as_json(item: Judged) -> dict[str, object]:
    """One drive, as `adas scenario run --json` prints it."""
    case, outcome = item.case, item.outcome
    parameters = {"speed_kmh": case.speed_kmh, "other_kmh": case.other_kmh, "place": case.place}
    failures = [] if item.verdict == "pass" else [f"hits at {outcome.impact_kmh:.0f} km/h"]
    return outcome.result(case.family, parameters, item.verdict, failures)
