"""What the others are told: births, deaths, both sensors, what stands, and what fails."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from tracking_world import MARKET, PARAMS, STEP_S, Truth, World, make_core, make_item, make_return, radar_noise

from adas_runtime.perception.tracking.core import Inputs, Tracking
from adas_runtime.signals import (
    Health,
    ObjectClass,
    RadarObjects,
    RadarTrack,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)

OWN = 20.0


def car(x_m: float, speed_mps: float, y_m: float = 0.0, number: int = 1, **changes: object) -> TrackedObject:
    return make_item(number, x_m=x_m, y_m=y_m, speed_x_mps=speed_mps, **changes)


# --- a supplier alone -------------------------------------------------------------------------------------------------


def test_a_supplier_alone_passes_through_untouched_and_at_once() -> None:
    world = World()
    for number in range(40):
        items = [car(40.0 - 0.1 * number, 18.0), car(-12.0 + 0.05 * number, 21.0, 3.5, 7, object_class=ObjectClass.VAN)]
        found = world.step(items)
        assert found is not None and [id(one) for one in found] == [id(item) for item in items]
        assert world.last is not None and world.last.objects is not None
        assert world.last.objects.stamp_s == world.now_s
    assert world.last.status.reason == "supplier_alone" and world.last.status.health is Health.OK


@pytest.mark.parametrize(
    ("changes", "is_told"),
    [
        ({"age_s": 0.0, "sources": ("camera",)}, False),
        ({"age_s": 0.0, "sources": ()}, False),
        ({"age_s": 0.0, "sources": ("camera", "radar")}, True),
        ({"age_s": 0.1, "sources": ("camera",)}, True),
    ],
    ids=["new_of_one_sensor", "new_of_unknown_sensor", "new_of_two_sensors", "followed_before"],
)
def test_one_frame_of_one_sensor_makes_nobody(changes: dict[str, object], is_told: bool) -> None:
    world = World()
    first = world.step([car(40.0, 20.0, **changes)])
    assert bool(first) is is_told
    assert world.step([car(40.0, 20.0, **changes)])


def test_a_ghost_of_one_frame_is_never_carried_on() -> None:
    world = World()
    world.step([car(30.0, 0.0)])
    assert world.hold(0.5, lambda t_s: []) == [()] * 10


def test_who_is_missed_for_a_moment_is_carried_on_less_and_less_surely() -> None:
    world = World()
    world.hold(1.0, lambda t_s: [car(40.0 - 5.0 * t_s, 15.0, accel_x_mps2=-2.0)])
    unseen = world.hold(0.6, lambda t_s: [])
    told = [one[0] for one in unseen if one]
    assert len(told) * STEP_S == pytest.approx(PARAMS.coast_s, abs=STEP_S)
    assert told[0].x_m < 35.3 and told[-1].x_m < told[0].x_m
    sure = [one.confidence for one in told]
    assert sure == sorted(sure, reverse=True) and sure[-1] < MARKET.aeb.confidence_min, "no emergency rests on it"
    wide = [one.x_std_m for one in told]
    assert wide == sorted(wide)
    assert {one.object_id for one in told} == {1}


def test_a_number_that_jumps_is_another_road_user() -> None:
    world = World()
    world.hold(1.0, lambda t_s: [car(40.0, 20.0)])
    assert world.step([car(60.0, 20.0)]) == (), "and of one frame of one sensor"
    found = world.step([car(60.0, 20.0)])
    assert found is not None and found[0].object_id != 1


def test_hard_braking_is_no_jump() -> None:
    world = World()
    speed_mps, x_m, told = OWN, 40.0, []
    for _ in range(40):
        speed_mps = max(speed_mps - 9.0 * STEP_S, 0.0)
        x_m += (speed_mps - OWN) * STEP_S
        told.append(world.step([car(x_m, speed_mps)]))
    assert all(one and one[0].object_id == 1 for one in told)


def test_one_object_under_two_numbers_is_told_once() -> None:
    world = World()
    for number in range(10):
        pair = [car(40.0, 20.0, number=1), car(40.3, 20.2, 0.1, number=2)]
        found = world.step(pair[:1] if number == 0 else pair[::-1] if number % 2 else pair)
        assert found is not None and [one.object_id for one in found] == [1], number
    # two people side by side are two, however near
    pair = [
        car(40.0, 1.0, -0.2, 3, object_class=ObjectClass.PEDESTRIAN),
        car(40.0, 1.0, 0.2, 4, object_class=ObjectClass.PEDESTRIAN),
    ]
    found = world.step(pair)
    assert found is not None and {3, 4} <= {one.object_id for one in found}


def test_a_class_that_flickers_is_held_and_one_that_stays_is_taken() -> None:
    world = World()
    kinds = [ObjectClass.CAR, ObjectClass.VAN]
    world.hold(1.0, lambda t_s: [car(40.0, 20.0)])
    flicker = world.hold(2.0, lambda t_s: [car(40.0, 20.0, object_class=kinds[round(t_s / STEP_S) % 2])])
    assert {one[0].object_class for one in flicker if one} == {ObjectClass.CAR}
    stays = world.hold(1.0, lambda t_s: [car(40.0, 20.0, object_class=ObjectClass.CYCLIST)])
    frames = [one[0].object_class for one in stays if one].index(ObjectClass.CYCLIST)
    assert frames == pytest.approx(PARAMS.class_frames, abs=2)


# --- a radar alone ----------------------------------------------------------------------------------------------------


def test_a_moving_return_becomes_a_road_user_after_its_frames() -> None:
    world = World()
    told = world.hold(1.0, None, lambda t_s: [make_return(1, 40.0 - 5.0 * t_s, 0.0, -5.0)])
    first = next(number for number, one in enumerate(told) if one)
    assert first + 1 == PARAMS.radar_frames
    (lead,) = told[-1] or ()
    assert lead.speed_x_mps == pytest.approx(15.0, abs=0.1) and lead.sources == ("radar",)
    assert lead.x_m == pytest.approx(40.0 - 5.0 * 0.95, abs=0.1)
    assert lead.confidence >= MARKET.aeb.confidence_min and lead.object_class is ObjectClass.UNKNOWN


def test_a_ghost_of_the_radar_is_never_told() -> None:
    world = World()
    for _ in range(20):
        for frames in range(PARAMS.radar_frames - 1):
            assert not world.step(None, [make_return(1, 30.0 - frames, 0.0, -20.0)])
        for _ in range(6):
            assert not world.step(None, [])


@pytest.mark.parametrize("speed_kmh", [10, 50, 100, 180])
@pytest.mark.parametrize("y_m", [0.0, 1.5, -6.0], ids=["bridge", "sign", "rail"])
def test_what_stands_and_radar_alone_sees_is_no_ground_for_an_emergency(speed_kmh: int, y_m: float) -> None:
    """The car's speed is 3 % wrong, so what stands seems to move; still it stands, and is told so."""
    own_mps = speed_kmh / 3.6
    world = World(own_mps=own_mps * 1.03)
    told = world.hold(
        80.0 / own_mps if own_mps > 20 else 3.0,
        None,
        lambda t_s: [make_return(1, 120.0 - own_mps * t_s, y_m, -own_mps)],
    )
    seen = [one[0] for one in told if one]
    assert seen
    for one in seen:
        assert (one.speed_x_mps, one.speed_y_mps) == (0.0, 0.0)
        assert one.confidence < MARKET.aeb.confidence_min and one.sources == ("radar",)


def test_who_stops_was_seen_moving_and_stays_believed() -> None:
    world = World()
    speed_mps, x_m = 15.0, 60.0
    told = None
    for _ in range(140):
        speed_mps = max(speed_mps - 3.0 * STEP_S, 0.0)
        world.own_mps = max((world.own_mps or 0.0) - 3.0 * STEP_S, 0.0)
        x_m += (speed_mps - world.own_mps) * STEP_S
        told = world.step(None, [make_return(1, x_m, 0.0, speed_mps - world.own_mps)])
    assert told and abs(told[0].speed_x_mps) < 0.2 and told[0].confidence >= MARKET.aeb.confidence_min


@pytest.mark.parametrize("decel_mps2", [3.0, 6.0, 9.0])
def test_who_brakes_hard_is_not_lost_and_soon_known_to_brake(decel_mps2: float) -> None:
    """By radar alone, with its noise: one number, speed within 1 m/s always, half of the braking told within 0.5 s."""
    for seed in range(10):
        noise = random.Random(seed)
        world, truth, numbers, told_mps2 = World(own_mps=OWN), Truth(x_m=40.0, y_m=0.0, speed_mps=OWN), set(), []
        for count in range(80):
            truth.accel_mps2 = -decel_mps2 if count >= 40 else 0.0
            if truth.speed_mps < 1.0:
                break
            truth.move(STEP_S)
            truth.x_m -= OWN * STEP_S
            told = world.step(None, [radar_noise(truth.x_m, 0.0, truth.speed_mps - OWN, noise)])
            if count < PARAMS.radar_frames:
                continue
            assert told, count
            numbers.add(told[0].object_id)
            assert abs(told[0].speed_x_mps - truth.speed_mps) < 1.2, count
            if 46 <= count <= 54:
                assert told[0].accel_x_mps2 is not None
                told_mps2.append(told[0].accel_x_mps2)
        assert sum(told_mps2) / len(told_mps2) < -0.5 * decel_mps2
        assert len(numbers) == 1


def test_a_return_under_two_numbers_and_a_body_of_two_reflections_are_one() -> None:
    world = World()
    told = world.hold(
        2.0, None, lambda t_s: [make_return(1, 40.0), make_return(9, 40.0), make_return(5, 41.8, 0.6, 0.2)]
    )
    assert [len(one or ()) for one in told[5:]] == [1] * len(told[5:])


def test_a_long_vehicle_is_one_object_with_its_length_until_it_comes_apart() -> None:
    world = World()
    told = world.hold(4.0, None, lambda t_s: [make_return(1, 30.0), make_return(2, 43.0, 0.3)])
    (truck,) = told[-1] or ()
    assert truck.x_m == pytest.approx(30.0, abs=0.1) and truck.length_m == pytest.approx(13.0, abs=0.3)
    # the farther one was a car of its own after all: it brakes
    apart = world.hold(
        1.5, None, lambda t_s: [make_return(1, 30.0), make_return(2, 43.0 - 1.5 * t_s * t_s, 0.3, -3.0 * t_s)]
    )
    assert len(apart[-1] or ()) == 2


def test_two_cars_that_drive_as_they_like_stay_two() -> None:
    world = World()
    told = world.hold(
        4.0,
        None,
        lambda t_s: [make_return(1, 30.0), make_return(2, 43.0 + 2.0 * math.sin(t_s), 0.0, 2.0 * math.cos(t_s))],
    )
    assert len(told[-1] or ()) == 2


def test_radar_numbers_that_change_hands_do_not_change_road_users() -> None:
    world = World()
    world.hold(1.0, None, lambda t_s: [make_return(1, 40.0, 0.0), make_return(2, 40.0, 3.5, 1.0)])
    before = {
        round(one.y_m, 0): one.object_id
        for one in world.step(None, [make_return(1, 40.0, 0.0), make_return(2, 41.0, 3.5, 1.0)]) or ()
    }
    after = {
        round(one.y_m, 0): one.object_id
        for one in world.step(None, [make_return(2, 40.0, 0.0), make_return(1, 41.0, 3.5, 1.0)]) or ()
    }
    assert len(before) == 2 and after == before


@pytest.mark.parametrize("x_m", [0.0, -0.0, -30.0])
def test_a_range_rate_beside_or_behind_the_car_is_read_as_what_it_says(x_m: float) -> None:
    """Beside the car it says nothing of the speed ahead; behind, closing means faster than we are."""
    world = World()
    told: tuple[TrackedObject, ...] | None = None
    for count in range(20):
        track = RadarTrack(track_id=1, x_m=x_m + 0.25 * count * (x_m < -1.0), y_m=0.0, range_rate_mps=-5.0)
        told = world.step(None, [track])
    (one,) = told or ()
    assert one.speed_x_mps == (pytest.approx(25.0, abs=0.2) if x_m < -1.0 else one.speed_x_mps)
    assert math.isfinite(one.x_m + one.speed_x_mps)


def test_a_radar_without_speeds_tells_them_from_places() -> None:
    world = World()
    told = world.hold(
        2.0,
        None,
        lambda t_s: [make_return(1, 40.0 - 4.0 * t_s, 0.0, None), make_return(2, 90.0 - 20.0 * t_s, -5.0, None)],
    )
    lead, post = sorted(told[-1] or (), key=lambda one: -one.y_m)
    assert lead.speed_x_mps == pytest.approx(16.0, abs=0.5) and lead.confidence >= MARKET.aeb.confidence_min
    assert post.speed_x_mps == 0.0 and post.confidence < MARKET.aeb.confidence_min


# --- both -------------------------------------------------------------------------------------------------------------


def test_who_is_seen_by_both_is_told_once_and_carries_both() -> None:
    world = World()
    told = world.hold(1.0, lambda t_s: [car(40.0, 20.3, 0.2)], lambda t_s: [make_return(5, 40.4, -0.3, 0.0)])
    (one,) = told[-1] or ()
    assert one.sources == ("camera", "radar") and one.object_class is ObjectClass.CAR and one.object_id == 1
    assert one.speed_x_mps == pytest.approx(20.0, abs=0.15), "the radar knows the speed better"
    assert one.y_m == pytest.approx(0.2, abs=0.15), "and the camera the side"
    assert world.last is not None and world.last.status.reason == "radar_and_supplier"
    assert all(len(item or ()) == 1 for item in told)


def test_a_single_frame_of_agreement_does_not_make_two_sensors() -> None:
    world = World()
    world.hold(1.0, lambda t_s: [car(40.0, 0.0)], lambda t_s: [])
    found = world.step([car(39.0, 0.0)], [make_return(3, 39.0, 0.0, -20.0)])
    assert found is not None and found[0].sources == ("camera",)


def test_the_number_goes_on_when_one_sensor_takes_over_from_the_other() -> None:
    world = World()
    radar = [make_return(5, 80.0, 0.0, 0.0)]
    far = world.hold(1.0, None, lambda t_s: radar)
    number = far[-1][0].object_id  # type: ignore[index]
    both = world.hold(1.0, lambda t_s: [car(80.0, 20.0, number=31)], lambda t_s: radar)
    assert {one.object_id for item in both for one in item or ()} == {number}
    alone = world.hold(1.0, lambda t_s: [], lambda t_s: radar)
    assert {one.object_id for item in alone for one in item or ()} == {number}
    assert alone[-1] and alone[-1][0].object_class is ObjectClass.CAR, "what it is was told before"
    assert alone[-1][0].sources == ("radar",) and alone[2][0].sources == ("camera", "radar")  # type: ignore[index]


def test_what_the_camera_misses_and_the_radar_sees_stays_as_sure() -> None:
    world = World()
    radar = [make_return(5, 40.0)]
    world.hold(1.0, lambda t_s: [car(40.0, 20.0)], lambda t_s: radar)
    told = world.hold(1.0, lambda t_s: [], lambda t_s: radar)
    assert all(one and one[0].confidence >= MARKET.aeb.confidence_min for one in told)
    assert {one[0].object_id for one in told if one} == {1}


def test_a_return_is_of_the_one_whose_middle_it_is_nearest_to() -> None:
    """A pedestrian at the side of a car, both standing as we do: each keeps its own."""
    world = World(own_mps=0.0)
    walker = car(30.0, 0.0, 1.5, 8, object_class=ObjectClass.PEDESTRIAN, length_m=None, width_m=None)
    parked = car(29.0, 0.0, -0.2, 9)
    told = world.hold(
        1.0, lambda t_s: [walker, parked], lambda t_s: [make_return(1, 29.2, -0.3), make_return(2, 30.1, 1.45)]
    )
    assert {one.object_id: len(one.sources) for one in told[-1] or ()} == {8: 2, 9: 2}


def test_reflections_anywhere_on_a_truck_are_the_truck() -> None:
    world = World()
    truck = car(30.0, 20.0, object_class=ObjectClass.TRUCK, length_m=14.0, width_m=2.5)
    told = world.hold(
        2.0,
        lambda t_s: [truck],
        lambda t_s: [make_return(1, 30.3, 0.8), make_return(2, 37.0, -0.9), make_return(3, 43.0)],
    )
    assert all([one.object_id for one in item or ()] == [1] for item in told)


def test_a_car_beside_is_not_swallowed_by_the_one_ahead() -> None:
    world = World()
    told = world.hold(1.0, lambda t_s: [car(30.0, 20.0)], lambda t_s: [make_return(1, 30.2), make_return(2, 31.0, 3.6)])
    assert {round(one.y_m) for one in told[-1] or ()} == {0, 4}


# --- what fails -------------------------------------------------------------------------------------------------------


def test_without_any_sensor_nothing_is_said_and_it_rests() -> None:
    world = World()
    assert world.hold(2.0) == [None] * 40
    assert world.last is not None and world.last.status.reason == "no_sensor"
    assert world.last.status.rest_s > 0.0 and world.last.status.health is Health.OK


def test_a_silent_supplier_is_told_of_and_the_radar_goes_on() -> None:
    world = World()
    radar = [make_return(5, 40.0)]
    world.hold(1.0, lambda t_s: [car(40.0, 20.0), car(60.0, 20.0, 3.5, 2)], lambda t_s: radar)
    told = world.hold(1.0, None, lambda t_s: radar)
    assert world.last is not None and world.last.status.reason == "supplier_lost"
    assert world.last.status.health is Health.DEGRADED
    assert [one.object_id for one in told[-1] or ()] == [1]
    told = world.hold(1.0)
    assert told == [None] * 20 and world.last.status.reason == "sensors_lost"


def test_a_silent_radar_is_told_of_and_the_supplier_goes_on() -> None:
    world = World()
    world.hold(1.0, lambda t_s: [car(40.0, 20.0)], lambda t_s: [make_return(5, 40.0), make_return(6, 70.0, 3.0, 5.0)])
    told = world.hold(1.0, lambda t_s: [car(40.0, 20.0)])
    assert world.last is not None and world.last.status.reason == "radar_lost"
    assert [one.sources for one in told[-1] or ()] == [("camera",)]


@pytest.mark.parametrize(
    ("items", "returns", "reason"),
    [
        ([car(math.nan, 20.0)], None, "supplier_invalid"),
        ([car(40.0, 20.0), car(41.0, 20.0)], None, "supplier_invalid"),
        ([], [make_return(1, math.inf)], "radar_invalid"),
        ([car(10.0 + number, 20.0, number=number) for number in range(200)], None, "supplier_flood"),
        (None, [make_return(number, 10.0 + number, 0.0) for number in range(200)], "radar_flood"),
    ],
    ids=["no_number", "one_number_twice", "no_number_of_radar", "flood", "flood_of_radar"],
)
def test_what_is_wrong_with_a_message_is_told_and_the_rest_goes_on(items: object, returns: object, reason: str) -> None:
    world = World()
    world.step(items, returns)  # type: ignore[arg-type]
    assert world.last is not None
    assert world.last.status.reason == reason and world.last.status.health is Health.DEGRADED
    good = world.hold(PARAMS.fault_hold_s + 0.5, lambda t_s: [car(40.0, 20.0, number=500)])
    assert world.last.status.health is Health.OK or returns is not None
    assert any(one.object_id == 500 for one in good[-1] or ())
    assert len(good[0] or ()) <= 2 * PARAMS.flood


def test_without_our_own_speed_the_supplier_passes_and_the_radar_does_not() -> None:
    world = World(own_mps=None)
    told = world.hold(1.0, lambda t_s: [car(40.0, 20.0)], lambda t_s: [make_return(1, 60.0)])
    assert [one.object_id for one in told[-1] or ()] == [1]
    assert world.last is not None and world.last.status.reason == "vehicle_absent"


def test_a_clock_that_runs_back_starts_afresh_and_no_number_comes_again() -> None:
    world = World()
    told = world.hold(1.0, None, lambda t_s: [make_return(1)])
    former = told[-1][0].object_id  # type: ignore[index]
    world.now_s -= 100.0
    world.step(None, [make_return(1)])
    assert world.last is not None and world.last.status.reason == "time_ran_back"
    told = world.hold(1.0, None, lambda t_s: [make_return(1)])
    assert told[-1] and told[-1][0].object_id != former


def test_a_message_out_of_order_changes_nothing() -> None:
    world = World()
    world.hold(1.0, lambda t_s: [car(40.0, 20.0)])
    late = TrackedObjects(stamp_s=world.now_s - 0.1, objects=(car(5.0, 0.0, number=9),))
    before = world.core.state.told
    state = VehicleState(stamp_s=world.now_s, speed_mps=20.0)
    assert world.core.step(Inputs(objects=late, vehicle=state), world.now_s + 0.01).objects is None
    assert world.core.state.told == before


def test_a_market_may_leave_the_radar_out() -> None:
    world = World(core=make_core(is_radar_used=False))
    told = world.hold(1.0, lambda t_s: [car(40.0, 20.0)], lambda t_s: [make_return(1, 60.0), make_return(2, 40.0)])
    assert [one.sources for one in told[-1] or ()] == [("camera",)]


def test_a_market_that_would_warn_of_bridges_is_refused() -> None:
    tracking = {**PARAMS.model_dump(), "standing_confidence": MARKET.aeb.confidence_min}
    with pytest.raises(ValidationError, match="bridges and rails"):
        type(MARKET).model_validate({**MARKET.model_dump(), "tracking": tracking})


# --- always -----------------------------------------------------------------------------------------------------------

places = st.floats(-80.0, 200.0)
sides = st.floats(-20.0, 20.0)
speeds = st.floats(-40.0, 40.0)
items = st.builds(
    lambda number, x_m, y_m, speed, kind, age_s, sources: make_item(
        number, x_m=x_m, y_m=y_m, speed_x_mps=speed, object_class=kind, age_s=age_s, sources=sources
    ),
    st.integers(0, 5), places, sides, speeds, st.sampled_from(ObjectClass), st.sampled_from([0.0, 1.0]),
    st.sampled_from([("camera",), ("camera", "radar"), ()]),
)  # fmt: skip
returns = st.builds(make_return, st.integers(0, 5), places, sides, st.none() | speeds)
frames = st.tuples(
    st.none() | st.lists(items, max_size=4),
    st.none() | st.lists(returns, max_size=4),
    st.sampled_from([0.0, 0.01, 0.05, 0.05, 0.05, 0.2, 1.0, -5.0]),
    st.none() | st.floats(-5.0, 60.0),
    st.floats(-0.8, 0.8),
)


@settings(max_examples=150)
@given(st.lists(frames, min_size=1, max_size=25))
def test_whatever_is_seen_each_number_is_told_once_and_nobody_of_a_single_frame(
    sequence: list[tuple[list[TrackedObject] | None, list[object] | None, float, float | None, float]],
) -> None:
    world = World()
    sightings: dict[int, int] = {}
    for told_items, told_returns, dt_s, own_mps, yaw_rate_rps in sequence:
        world.own_mps, world.yaw_rate_rps = own_mps, yaw_rate_rps
        found = world.step(told_items, told_returns, dt_s)  # type: ignore[arg-type]
        if found is None:
            continue
        numbers = [one.object_id for one in found]
        assert len(set(numbers)) == len(numbers)
        for one in found:
            sightings[one.object_id] = sightings.get(one.object_id, 0) + 1
            assert all(
                math.isfinite(value)
                for value in (one.x_m, one.y_m, one.speed_x_mps, one.speed_y_mps, one.x_std_m, one.y_std_m)
            )
            assert one.x_std_m >= 0.0 and 0.0 <= one.confidence <= 1.0
            if one.sources == ("radar",) and one.confidence >= MARKET.aeb.confidence_min:
                assert abs(one.speed_x_mps) > 0.0 or one.age_s >= 0.1, "it has moved"


@given(st.lists(st.tuples(places, sides, speeds), min_size=1, max_size=6, unique=True))
def test_the_order_of_a_message_changes_nothing(bodies: list[tuple[float, float, float]]) -> None:
    one, two = World(), World()
    for number in range(8):
        seen = [
            make_return(index, x_m + speed * STEP_S * number, y_m, speed)
            for index, (x_m, y_m, speed) in enumerate(bodies)
        ]
        first, second = one.step(None, seen), two.step(None, seen[::-1])
    places_of = [sorted((round(item.x_m, 6), round(item.y_m, 6)) for item in found or ()) for found in (first, second)]
    assert len(places_of[0]) == len(places_of[1])


def test_the_core_is_a_value_machine() -> None:
    """A saved state continues as if nothing had been between."""
    world = World()
    world.hold(1.0, lambda t_s: [car(40.0, 20.0)], lambda t_s: [make_return(1), make_return(2, 60.0, 3.0, 4.0)])
    saved = world.core.state
    now_s = world.now_s + STEP_S
    inputs = Inputs(
        objects=TrackedObjects(stamp_s=now_s, objects=(car(40.0, 20.0),)),
        radar=RadarObjects(stamp_s=now_s, tracks=(make_return(1), make_return(2, 60.2, 3.0, 4.0))),
        vehicle=VehicleState(stamp_s=now_s, speed_mps=20.0),
    )
    first = world.core.step(inputs, now_s)
    other: Tracking = make_core()
    other.state = replace(saved)
    assert other.step(inputs, now_s) == first
