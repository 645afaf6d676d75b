"""The tests of UN R152 in the closed loop: impact speeds at both loads, warning leads, and what must not happen.

Each row of the tables of 5.2.1.4, 5.2.2.4 and 5.2.3.4 is driven; then the four scenarios of Annex 3 Appendix 2 and the
parked cars of its former text, in which nothing may be warned of or braked for. Their speeds and places were not read
in the regulation [U]: they are ours, over a range.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from adas_runtime.aeb.params import DEMAND_LEAST_MPS2, WARN_LEAST_S
from adas_runtime.aeb.table import R152, Category, Load, Target, max_impact_kmh
from adas_runtime.scenario.braking import SIZES_M, Actor, Drive, Outcome
from adas_runtime.signals import ObjectClass
from adas_runtime.units import kmh_to_mps

MOVING_KMH: Final = 20.0  # of the car ahead, sheet 2.3
Verdict = Literal["pass", "fail"]
Lane = Literal["none", "path", "straight"]
PEDESTRIAN_KMH: Final = 5.0  # R152 5.2.2.4
BICYCLE_KMH: Final = 15.0  # R152 5.2.3.4: 10 to 15
AHEAD_S: Final = 5.0  # B28: the functional part begins at 4 s at least
LANE_M: Final = 3.5
NO_OR_STRAIGHT: Final[tuple[Lane, ...]] = ("none", "straight")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One test.

    Args:
        family: Such as `car_stationary`.
        speed_kmh: Ours.
        limit_kmh: Most impact speed; `None`: nothing may be warned of or braked for.
    """

    family: str
    clause: str
    speed_kmh: float
    load: Load
    target: Target | None
    limit_kmh: float | None
    drive: Drive


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A test with its outcome."""

    case: Case
    outcome: Outcome
    verdict: Verdict
    failures: tuple[str, ...]


def cases(category: Category) -> Iterator[Case]:
    """Every test for a car of this category, the tables first."""
    for (kind, target), steps in R152.items():
        if kind != category:
            continue
        for speed_kmh, *_ in steps:
            for load in Load:
                limit = max_impact_kmh(category, target, load, speed_kmh)
                for family, clause, faster_kmh, course in TABLES[target]:
                    for lane in NO_OR_STRAIGHT:
                        yield _case(family, clause, speed_kmh + faster_kmh, load, target, limit, course, lane)
    yield from _false_reactions()


Course = Callable[[float], tuple[tuple[Actor, ...], Callable[[float], float] | None]]


def _case(
    family: str,
    clause: str,
    speed_kmh: float,
    load: Load,
    target: Target | None,
    limit: float | None,
    course: Course,
    lane: Lane = "none",
) -> Case:
    speed_mps = kmh_to_mps(speed_kmh)
    actors, curvature = course(speed_mps)
    found = Drive(
        name=f"{family}_{speed_kmh:g}_{load.value}_{lane}",
        speed_mps=speed_mps,
        actors=actors,
        curvature=curvature,
        lane=lane,
        is_laden=load is Load.MAXIMUM,
    )
    return Case(
        family=family, clause=clause, speed_kmh=speed_kmh, load=load, target=target, limit_kmh=limit, drive=found
    )


def _behind(other_kmh: float) -> Course:
    """A car straight ahead that stands or drives at a steady speed."""

    def course(speed_mps: float) -> tuple[tuple[Actor, ...], None]:
        other_mps = kmh_to_mps(other_kmh)
        gap_m = AHEAD_S * (speed_mps - other_mps)
        half_m = 0.5 * SIZES_M[ObjectClass.CAR][0]
        return (Actor(kind=ObjectClass.CAR, x_m=gap_m + half_m, y_m=0.0, speed_mps=other_mps),), None

    return course


def _crossing(kind: ObjectClass, other_kmh: float, side: float) -> Course:
    """Somebody who crosses at a right angle, and whom the middle of our front would hit."""

    def course(speed_mps: float) -> tuple[tuple[Actor, ...], None]:
        other_mps = kmh_to_mps(other_kmh)
        half_m = 0.5 * SIZES_M[kind][1]
        actor = Actor(
            kind=kind,
            x_m=AHEAD_S * speed_mps + half_m,
            y_m=side * other_mps * AHEAD_S,
            heading_rad=-side * math.pi / 2.0,
            speed_mps=other_mps,
        )
        return (actor,), None

    return course


# by target: family, clause, what the table's speed is relative to [km/h], and who is ahead
TABLES: Final[Mapping[Target, tuple[tuple[str, str, float, Course], ...]]] = {
    Target.CAR: (
        ("car_stationary", "R152 5.2.1.4", 0.0, _behind(0.0)),
        ("car_moving", "R152 5.2.1.4", MOVING_KMH, _behind(MOVING_KMH)),
    ),
    Target.PEDESTRIAN: (
        ("pedestrian_near", "R152 5.2.2.4", 0.0, _crossing(ObjectClass.PEDESTRIAN, PEDESTRIAN_KMH, -1.0)),
        ("pedestrian_far", "R152 5.2.2.4", 0.0, _crossing(ObjectClass.PEDESTRIAN, PEDESTRIAN_KMH, 1.0)),
    ),
    Target.BICYCLE: (("bicycle", "R152 5.2.3.4", 0.0, _crossing(ObjectClass.CYCLIST, BICYCLE_KMH, -1.0)),),
}


def _false_reactions() -> Iterator[Case]:
    """Annex 3 Appendix 2."""
    clause = "R152 Annex 3 App. 2"
    for speed_kmh in (10.0, 15.0, 20.0, 25.0):
        for side in (1.0, -1.0):
            name = "turn_left" if side > 0.0 else "turn_right"
            course = _turning(side)
            yield _case(f"{name}_oncoming_stands", clause, speed_kmh, Load.RUNNING_ORDER, None, None, course)
    for speed_kmh in (40.0, 50.0, 60.0):
        yield _case("lead_turns_off", clause, speed_kmh, Load.RUNNING_ORDER, None, None, _lead_leaves)
    for speed_kmh in (30.0, 40.0, 50.0, 60.0, 80.0, 100.0):
        for kind in (ObjectClass.CAR, ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST):
            course = _bend(kind)
            family = f"bend_{kind.name.lower()}_outside"
            yield _case(family, clause, speed_kmh, Load.RUNNING_ORDER, None, None, course, "path")
    for speed_kmh in (40.0, 60.0, 80.0, 100.0):
        for lane in NO_OR_STRAIGHT:
            family = "lane_change_before_works"
            yield _case(family, clause, speed_kmh, Load.RUNNING_ORDER, None, None, _round_works, lane)
    for speed_kmh in (30.0, 50.0, 60.0):
        yield _case("between_parked_cars", "R152.00 Annex 3", speed_kmh, Load.RUNNING_ORDER, None, None, _parked)


def _turning(side: float) -> Course:
    """We turn at a junction; a car stands in the opposite lane and waits for us."""

    def course(speed_mps: float) -> tuple[tuple[Actor, ...], Callable[[float], float]]:
        radius_m = max(9.0 if side < 0.0 else 12.0, speed_mps * speed_mps / 3.0)
        begins_m = 3.0 * speed_mps
        waits = Actor(
            kind=ObjectClass.CAR, x_m=begins_m + radius_m + 6.0, y_m=LANE_M, heading_rad=math.pi, speed_mps=0.0
        )

        def curvature(way_m: float) -> float:
            ramp = min(max((way_m - begins_m) / 4.0, 0.0), 1.0)  # the wheel takes its time
            return side * ramp / radius_m if way_m < begins_m + 4.0 + radius_m * math.pi / 2.0 else 0.0

        return (waits,), curvature

    return course


def _lead_leaves(speed_mps: float) -> tuple[tuple[Actor, ...], None]:
    """The car ahead slows down and turns off to the right; we go straight on."""
    lead = Actor(
        kind=ObjectClass.CAR, x_m=2.2 * speed_mps + 2.0, y_m=0.0, speed_mps=speed_mps, brakes_at_s=1.0,
        decel_mps2=(speed_mps - kmh_to_mps(25.0)) / 3.0, turns_at_s=2.8, yaw_rate_rps=-0.7,
    )  # fmt: skip
    return (replace(lead, decel_mps2=min(lead.decel_mps2, 2.0)),), None


def _bend(kind: ObjectClass) -> Course:
    """A bend to the left as tight as is driven; outside it a guard rail, and somebody who stands behind it."""

    def course(speed_mps: float) -> tuple[tuple[Actor, ...], Callable[[float], float]]:
        radius_m = max(speed_mps * speed_mps / 2.5, 25.0)
        begins_m = 4.0 * speed_mps
        ramp_m = max(speed_mps * 0.8, 5.0)
        out_m = LANE_M / 2.0 + 0.8

        def beside(angle: float, out: float) -> tuple[float, float]:
            reach = radius_m + out
            return begins_m + 0.5 * ramp_m + reach * math.sin(angle), radius_m - reach * math.cos(angle)

        rail = []
        for index in range(24):
            angle = index * 4.0 / radius_m
            x_m, y_m = beside(angle, out_m)
            rail.append(Actor(kind=ObjectClass.UNKNOWN, x_m=x_m, y_m=y_m, heading_rad=angle))
        straight = math.acos(min(radius_m / (radius_m + out_m + 1.2), 1.0))  # where the straight line ahead meets it
        x_m, y_m = beside(straight, out_m + 1.2)
        somebody = Actor(kind=kind, x_m=x_m, y_m=y_m, heading_rad=straight)
        return (somebody, *rail), lambda way_m: min(max((way_m - begins_m) / ramp_m, 0.0), 1.0) / radius_m

    return course


def _round_works(speed_mps: float) -> tuple[tuple[Actor, ...], Callable[[float], float]]:
    """We change lanes before a works trailer that stands in ours."""
    long_m = 4.0 * speed_mps  # of the lane change
    begins_m = 2.0 * speed_mps
    stands_m = begins_m + long_m + 0.5 * speed_mps
    trailer = Actor(kind=ObjectClass.CAR, x_m=stands_m + 2.15, y_m=0.0)

    def curvature(way_m: float) -> float:
        share = (way_m - begins_m) / long_m
        if not 0.0 <= share <= 1.0:
            return 0.0
        return 2.0 * math.pi * LANE_M / (long_m * long_m) * math.sin(2.0 * math.pi * share)

    return (trailer,), curvature


def _parked(speed_mps: float) -> tuple[tuple[Actor, ...], None]:
    """Between two parked cars, 4.5 m apart from middle to middle [U]."""
    ahead_m = AHEAD_S * speed_mps
    return tuple(Actor(kind=ObjectClass.CAR, x_m=ahead_m, y_m=y_m) for y_m in (2.25, -2.25)), None


def judge(case: Case, outcome: Outcome) -> Judged:
    """The verdict with the clauses that are not met."""
    failures = []
    if case.limit_kmh is None:
        if outcome.braked_s is not None:
            failures.append("R152 5.1.6: braked without a risk")
        elif outcome.warned_s is not None:
            failures.append("R152 5.1.6: warned without a risk")
        if outcome.impact_mps is not None:
            failures.append("the drive itself hits somebody")
        return Judged(case=case, outcome=outcome, verdict="fail" if failures else "pass", failures=tuple(failures))
    judged = Judged(case=case, outcome=outcome, verdict="pass", failures=())
    if outcome.impact_kmh > case.limit_kmh:
        failures.append(f"{case.clause}: impact at {outcome.impact_kmh:.1f} km/h, {case.limit_kmh:g} at most")
    if outcome.braked_s is None or outcome.demand_mps2 < DEMAND_LEAST_MPS2:
        failures.append(f"R152 5.2.1.2: asked for {outcome.demand_mps2:.1f} m/s2, {DEMAND_LEAST_MPS2:g} at least")
    failures += lead_failures(case.target, outcome.lead_s, outcome.modes)
    return replace(judged, verdict="fail" if failures else "pass", failures=tuple(failures))


def lead_failures(
    target: Target | None, lead_s: float | None, modes: int, seen_before_s: float | None = None
) -> list[str]:
    """What is wrong with a warning.

    Args:
        lead_s: From warning to braking; `None` or negative: no warning before braking.
        modes: Optical, acoustic, haptic: how many at once.
        seen_before_s: How long before braking the target could be seen first, where that was late.
    """
    found = []
    if lead_s is None or lead_s < 0.0:
        found.append("R152 5.2.2.1: no warning before the braking")
    elif target is Target.CAR and lead_s < WARN_LEAST_S - 1e-9 <= (seen_before_s or math.inf):
        # R152 5.2.1.1: a collision that could not be anticipated so early needs it with the braking alone
        found.append(f"R152 5.2.1.1: warned {lead_s:.2f} s before braking, {WARN_LEAST_S:g} at least")
    if modes < 2:
        found.append("R152 5.5.1: warned in fewer than two ways")
    return found


def as_json(item: Judged) -> dict[str, object]:
    """One drive, as `adas scenario run --json` prints it."""
    case, outcome = item.case, item.outcome
    parameters = {"speed_kmh": case.speed_kmh, "load": case.load.value, "lane": case.drive.lane}
    found = outcome.result(case.family, parameters, item.verdict, item.failures, limit_kmh=case.limit_kmh)
    return {**found, "clause": case.clause}
