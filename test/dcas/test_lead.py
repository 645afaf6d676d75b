"""Which car is the one ahead: lanes, curves, cut-ins, ghosts, trailers, and what always holds."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.longitudinal.following import Lead
from adas_runtime.longitudinal.lead import LeadChooser
from adas_runtime.signals import EgoLane, ObjectClass, TrackedObject, TrackedObjects
from adas_runtime.vehicle import load_vehicle

CAR = load_vehicle("reference")
FRONT_M = CAR.dimensions.wheelbase_m + CAR.dimensions.front_overhang_m
PERIOD_S = 0.05
STRAIGHT = EgoLane(stamp_s=0.0, x_max_m=60.0, width_m=3.5, confidence=0.9)


def user(gap_m: float, y_m: float = 0.0, speed_mps: float = 20.0, number: int = 1, **changes: Any) -> TrackedObject:
    """A road user whose nearest point is `gap_m` ahead of our bumper."""
    values: dict[str, Any] = {
        "object_id": number,
        "object_class": ObjectClass.CAR,
        "x_m": FRONT_M + gap_m,
        "y_m": y_m,
        "speed_x_mps": speed_mps,
        "speed_y_mps": 0.0,
        "width_m": 1.8,
        "x_std_m": 0.1,
        "y_std_m": 0.1,
        "speed_x_std_mps": 0.1,
        "confidence": 0.9,
        "age_s": 1.0,
        "sources": ("radar", "camera"),
    }
    return TrackedObject(**(values | changes))


class Road:
    """Pictures of objects, one after the other."""

    def __init__(self, lane: EgoLane | None = STRAIGHT, speed_mps: float = 20.0, yaw_rate_rps: float = 0.0) -> None:
        self.core = LeadChooser(CAR)
        self.lane, self.speed_mps, self.yaw_rate_rps = lane, speed_mps, yaw_rate_rps
        self.now_s = 100.0

    def see(self, *objects: TrackedObject) -> Lead | None:
        self.now_s += PERIOD_S
        seen = TrackedObjects(stamp_s=self.now_s, objects=objects)
        return self.core.step(seen, self.lane, self.speed_mps, self.yaw_rate_rps, self.now_s)

    def hold(self, seconds: float, *objects: TrackedObject) -> Lead | None:
        for _ in range(round(seconds / PERIOD_S)):
            lead = self.see(*objects)
        return lead


def bend(radius_m: float) -> EgoLane:
    return EgoLane(stamp_s=0.0, x_max_m=60.0, width_m=3.5, confidence=0.9, curvature_1pm=1.0 / radius_m)


def on_bend(radius_m: float, gap_m: float, beside_m: float) -> float:
    """Lateral place of somebody `beside_m` left of the middle of the lane."""
    x_m = FRONT_M + gap_m
    return 0.5 * x_m * x_m / radius_m + beside_m


@pytest.mark.parametrize(
    ("name", "y_m", "is_lead"),
    [
        ("in the middle", 0.0, True),
        ("at the left of the lane", 0.8, True),
        ("half in", 1.6, True),
        ("beside the line", 2.7, False),
        ("in the next lane", 3.5, False),
        ("on the shoulder, right", -3.2, False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_is_in_our_way(name: str, y_m: float, is_lead: bool) -> None:
    """A body that reaches into the width that our car needs, and nobody else."""
    lead = Road().hold(1.5, user(30.0, y_m))
    assert (lead is not None) is is_lead
    if lead is not None:
        assert lead.gap_m == pytest.approx(30.0)


@pytest.mark.parametrize("radius_m", [250.0, -400.0, 800.0])
def test_along_the_curve_and_not_straight_ahead(radius_m: float) -> None:
    """In a bend the car of our lane counts, and the one straight ahead, which is in another lane, does not."""
    gap_m = 60.0
    ours = user(gap_m, on_bend(radius_m, gap_m, 0.0))
    next_lane = user(gap_m - 20.0, on_bend(radius_m, gap_m - 20.0, 3.5 if radius_m < 0 else -3.5), number=2)
    lead = Road(bend(radius_m)).hold(2.0, next_lane, ours)
    assert lead is not None and lead.object_id == 1


def test_the_nearest_of_several() -> None:
    """Two cars in our lane, in whatever order they are told."""
    seen = (user(70.0, number=1), user(25.0, number=2), user(10.0, 3.5, number=3))
    for order in itertools.permutations(seen):
        lead = Road().hold(1.5, *order)
        assert lead is not None and lead.object_id == 2


def test_a_ghost_of_one_picture_is_nobody() -> None:
    """Peers' trap: one wrong picture braked the car."""
    road = Road()
    assert road.hold(2.0, user(60.0)) is not None
    seen = road.see(user(60.0), user(8.0, number=7))
    assert seen is not None and seen.object_id == 1
    assert all(road.see(user(60.0)).object_id == 1 for _ in range(20))  # type: ignore[union-attr]


def test_a_car_that_moves_over_is_let_go_once() -> None:
    """It leaves to the left within three seconds: in the way, then not, with nothing between."""
    road, told = Road(), []
    road.hold(1.0, user(25.0))
    for index in range(80):
        told.append(road.see(user(25.0, min(0.06 * index, 3.6), speed_y_mps=1.2)) is not None)
    assert told[0] and not told[-1]
    assert sum(a != b for a, b in itertools.pairwise(told)) == 1


def test_a_car_that_comes_in_counts_before_it_is_in() -> None:
    """Cut-in from the right at 1.2 m/s: followed while its side is still outside our way."""
    road = Road()
    for index in range(80):
        y_m = -3.5 + 0.06 * index
        lead = road.see(user(15.0, y_m, speed_y_mps=1.2))
        if lead is not None:
            break
    assert -3.0 < y_m < -1.95
    assert road.core.state.is_cutting_in


def test_a_car_that_sways_in_its_own_lane_is_left_alone() -> None:
    """0.4 m to and fro in the next lane is no cut-in."""
    road = Road()
    for index in range(200):
        phase = index * PERIOD_S * 2.0
        assert road.see(user(20.0, 3.5 + 0.4 * math.sin(phase), speed_y_mps=0.8 * math.cos(phase))) is None


@pytest.mark.parametrize(
    ("sources", "speed_mps", "gap_m", "is_lead"),
    [
        (("radar",), 0.0, 90.0, False),
        (("radar",), 0.0, 25.0, True),
        (("radar", "camera"), 0.0, 90.0, True),
        (("radar",), 15.0, 90.0, True),
    ],
    ids=["bridge-by-radar-alone", "near", "seen-by-the-camera", "moving"],
)
def test_radar_alone_does_not_brake_for_what_never_moved_far_ahead(
    sources: tuple[str, ...], speed_mps: float, gap_m: float, is_lead: bool
) -> None:
    """Peers' trap: bridges and manhole covers. A car that stopped moved once, and counts."""
    assert (Road().hold(2.0, user(gap_m, speed_mps=speed_mps, sources=sources)) is not None) is is_lead


def test_a_car_that_stopped_ahead_still_counts_for_the_radar() -> None:
    """It was seen moving."""
    road = Road()
    road.hold(1.0, user(100.0, speed_mps=10.0, sources=("radar",)))
    assert road.hold(2.0, user(80.0, speed_mps=0.0, sources=("radar",))) is not None


def test_oncoming_traffic_is_no_car_ahead() -> None:
    """Peers' trap: oncoming traffic in Australia, in a bend that looks like our lane."""
    assert Road().hold(2.0, user(40.0, speed_mps=-20.0)) is None


def test_the_gap_counts_to_the_stern_of_the_boat() -> None:
    """Adaptations 7: a trailer's load beyond its lamps; the nearest thing in our way counts, not what tows it."""
    towing = user(31.0, number=1)
    boat = user(22.5, number=2, object_class=ObjectClass.TRAILER, width_m=2.4, length_m=8.0)
    lead = Road().hold(1.5, towing, boat)
    assert lead is not None and lead.gap_m == pytest.approx(22.5)


@pytest.mark.parametrize("kind", [ObjectClass.UNKNOWN, ObjectClass.ANIMAL, ObjectClass.CYCLIST, ObjectClass.MOTORCYCLE])
def test_whatever_it_is_it_counts(kind: ObjectClass) -> None:
    """Adaptations 7: class lists only tune behaviour; a tuk-tuk that nobody knows is followed."""
    assert Road().hold(1.5, user(20.0, 0.5, speed_mps=5.0, object_class=kind, width_m=None)) is not None


def test_without_a_lane_the_cars_path_leads() -> None:
    """No lane is seen: along the yaw rate; a car beside that path does not count."""
    road = Road(None, speed_mps=20.0, yaw_rate_rps=20.0 / 300.0)
    inside, beside = on_bend(300.0, 30.0, 0.0), on_bend(300.0, 30.0, -3.5)
    assert road.hold(1.5, user(30.0, inside)) is not None
    assert Road(None, speed_mps=20.0, yaw_rate_rps=20.0 / 300.0).hold(1.5, user(30.0, beside)) is None


def test_objects_that_stay_away_age_and_are_not_renewed() -> None:
    """The same objects twice: only their age grows; who follows judges it."""
    road = Road()
    road.hold(1.0, user(30.0))
    seen = TrackedObjects(stamp_s=road.now_s, objects=(user(30.0),))
    lead = road.core.step(seen, STRAIGHT, 20.0, 0.0, road.now_s + 0.3)
    assert lead is not None and lead.age_s == pytest.approx(0.3)
    lead = road.core.step(None, STRAIGHT, 20.0, 0.0, road.now_s + 2.0)
    assert lead is not None and lead.age_s == pytest.approx(2.0)


NUMBERS = st.floats(width=32)
USERS = st.builds(
    TrackedObject,
    object_id=st.integers(0, 4),
    object_class=st.sampled_from(list(ObjectClass)),
    x_m=NUMBERS | st.floats(-50.0, 200.0),
    y_m=NUMBERS | st.floats(-5.0, 5.0),
    speed_x_mps=NUMBERS | st.floats(-30.0, 50.0),
    speed_y_mps=NUMBERS | st.floats(-3.0, 3.0),
    accel_x_mps2=st.none() | NUMBERS,
    width_m=st.none() | st.floats(0.0, 10.0),
    x_std_m=st.just(0.1),
    y_std_m=st.just(0.1),
    speed_x_std_mps=st.just(0.1),
    confidence=st.floats(0.0, 1.0) | st.just(math.nan),
    age_s=st.just(1.0),
    sources=st.sampled_from([(), ("radar",), ("camera",)]),
)


@settings(max_examples=100)
@given(pictures=st.lists(st.lists(USERS, max_size=4), min_size=1, max_size=12), speed=NUMBERS, yaw=st.none() | NUMBERS)
def test_whatever_is_seen_the_choice_is_one_of_them(
    pictures: list[list[TrackedObject]], speed: float, yaw: float | None
) -> None:
    """Total; the car ahead is among those seen, ahead of us, and was seen for longer than one picture."""
    core = LeadChooser(CAR)
    seen_often: dict[int, int] = {}
    for index, objects in enumerate(pictures):
        for number in {item.object_id for item in objects}:
            seen_often[number] = seen_often.get(number, 0) + 1
        lead = core.step(TrackedObjects(stamp_s=index * 0.05, objects=tuple(objects)), None, speed, yaw, index * 0.05)
        if lead is not None:
            assert lead.object_id in {item.object_id for item in objects}
            assert lead.gap_m >= 0.0
