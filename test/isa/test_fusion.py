"""Where limits come from and when they end: turns, borders, distance, time, weather, towing, other countries."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from isa_drives import (
    MOTORWAY,
    PARAMS,
    RURAL,
    URBAN,
    Drive,
    drive,
    kmh,
    limit_sign,
    local,
    plate,
    road,
)

from adas_runtime.function import BuildContext
from adas_runtime.horizon.limits import lane_condition
from adas_runtime.isa.core import Inputs, build
from adas_runtime.market import load_market
from adas_runtime.signals import (
    ConditionalLimit,
    EgoLane,
    Horizon,
    HorizonSegment,
    LimitKind,
    LimitSource,
    RoadClass,
    SignKind,
    SpeedUnit,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle


def turn(car: Drive, v_kmh: float = 20.0, angle_rad: float = 1.5) -> None:
    """Round a corner of some 10 m."""
    car.yaw_rate_rps = kmh(v_kmh) / 10.0
    car.go(angle_rad / car.yaw_rate_rps, v_kmh)
    car.yaw_rate_rps = 0.0
    car.go(0.2, v_kmh)


def test_a_number_stays_on_its_road() -> None:
    car = drive().sees(limit_sign(70.0, 30.0))
    car.go(4.0, 50.0)
    assert car.shown_kmh == 70.0
    turn(car)
    assert car.limit.kind is LimitKind.UNKNOWN and car.limit.reason == "turned"


def test_a_bend_of_the_same_road_is_no_turn() -> None:
    car = drive().sees(limit_sign(70.0, 30.0))
    car.go(4.0, 50.0)
    car.yaw_rate_rps = kmh(50.0) / 120.0  # a right angle with a radius of 120 m
    car.go(15.0, 50.0)
    assert car.shown_kmh == 70.0


def test_a_town_and_a_zone_go_on_round_the_corner() -> None:
    car = drive().sees(plate(SignKind.CITY_ENTRY, 30.0))
    car.go(4.0, 40.0)
    turn(car)
    assert car.shown_kmh == 50.0 and car.limit.source is LimitSource.IMPLICIT_SIGN
    car.sees(limit_sign(30.0, 30.0, kind=SignKind.ZONE_ENTRY))
    car.go(5.0, 25.0)
    turn(car)
    assert car.shown_kmh == 30.0 and car.limit.reason == "zone_sign"
    car.sees(plate(SignKind.ZONE_EXIT, 30.0))
    car.go(6.0, 25.0)
    assert car.shown_kmh == 50.0, "the town's limit again"


def test_round_the_corner_the_map_knows_better_than_the_town() -> None:
    car = drive(URBAN).sees(plate(SignKind.CITY_ENTRY, 30.0))
    car.go(4.0, 40.0)
    turn(car)
    car.segment = road(RoadClass.RESIDENTIAL, 30.0, is_built_up=True)
    car.go(1.0, 30.0)
    assert car.shown_kmh == 30.0 and car.limit.source is LimitSource.MAP


@pytest.mark.parametrize("by_distance", [True, False])
def test_what_nothing_confirms_ends(by_distance: bool) -> None:
    car = drive(hold_distance_m=500.0, hold_s=60.0).sees(limit_sign(70.0, 30.0))
    car.go(4.0, 50.0)
    fresh = car.limit.confidence
    if by_distance:
        car.go_m(450.0, 50.0)
        assert car.shown_kmh == 70.0 and car.limit.confidence < fresh
        car.go_m(100.0, 50.0)
        assert car.limit.reason == "sign_too_far"
    else:
        car.go(70.0, 0.0)
        assert car.limit.reason == "sign_too_old"
    assert car.limit.kind is LimitKind.UNKNOWN and car.limit.limit_mps is None


def test_what_the_map_says_as_well_goes_on() -> None:
    car = drive(road(limit_kmh=70.0), hold_distance_m=500.0).sees(limit_sign(70.0, 30.0))
    car.go_m(2000.0, 70.0)
    assert car.shown_kmh == 70.0 and car.limit.source is LimitSource.SIGN


@pytest.mark.parametrize(
    ("following", "kind", "shown"),
    [
        (road(limit_kmh=70.0), LimitKind.EXPLICIT, 70.0),
        (road(limit_kind=LimitKind.NO_LIMIT, limit_confidence=0.9), LimitKind.NO_LIMIT, None),
    ],
    ids=["another number", "none"],
)
def test_where_the_map_that_agreed_with_a_sign_says_something_else_the_sign_ends(
    following: HorizonSegment, kind: LimitKind, shown: float | None
) -> None:
    """The next sign was not seen: a stale limit is not shown as the current one for kilometres."""
    car = drive(road(limit_kmh=100.0)).sees(limit_sign(100.0, 30.0))
    car.go_m(200.0, 90.0)
    assert (car.shown_kmh, car.limit.source) == (100.0, LimitSource.SIGN)
    car.segment = following
    car.go(0.1, 90.0)
    assert (car.limit.kind, car.shown_kmh, car.limit.source) == (kind, shown, LimitSource.MAP)
    car.sees(limit_sign(100.0, 20.0)).go_m(100.0, 90.0)
    assert (car.shown_kmh, car.limit.source) == (100.0, LimitSource.SIGN), "a sign behind that place counts again"


@pytest.mark.clause("2021/1958 recital 4")
@pytest.mark.parametrize("agreed_m", [0.0, 40.0])
def test_a_sign_that_the_map_hardly_agreed_with_goes_before_it(agreed_m: float) -> None:
    """A map may draw the change some metres from the post."""
    car = drive(road(limit_kmh=100.0 if agreed_m else 120.0)).sees(limit_sign(100.0, 10.0))
    car.go_m(10.0 + agreed_m, 36.0)
    car.segment = road(limit_kmh=70.0)
    car.go_m(500.0, 90.0)
    assert (car.shown_kmh, car.limit.source) == (100.0, LimitSource.SIGN)


@pytest.mark.parametrize("feedback", ["acoustic", "haptic", "speed_control"])
def test_an_assumed_limit_warns_nobody_and_counts_as_neither_within_nor_above(feedback: str) -> None:
    car = drive(URBAN, feedback=feedback)
    limit = car.go(10.0, 80.0)
    assert (limit.limit_mps, limit.kind, limit.source) == (kmh(50.0), LimitKind.IMPLICIT, LimitSource.DEFAULT)
    assert not limit.is_exceeded and not car.warned()
    assert not any(result.request is not None and result.request.is_active for _, result in car.said)
    assert car.core.state.usage.above_s == car.core.state.usage.within_s == 0.0
    car.sees(limit_sign(50.0, 10.0)).go(2.0, 80.0)
    assert car.limit.is_exceeded and car.warned(), "the same number on a sign does"


LANES = tuple(
    ConditionalLimit(limit_mps=kmh(value), condition=lane_condition(number, 3))
    for number, value in ((1, 120.0), (2, 100.0), (3, 80.0))
)


@pytest.mark.parametrize(
    ("ego", "shown"),
    [
        ({"lane_from_left": 0, "lanes": 3, "confidence": 0.9}, 120.0),
        ({"lane_from_left": 2, "lanes": 3, "confidence": 0.9}, 80.0),
        ({"lane_from_left": 2, "lanes": 2, "confidence": 0.9}, None),
        ({"lane_from_left": 2, "lanes": 3, "confidence": 0.2}, None),
        ({"lane_from_left": 2, "confidence": 0.9}, None),
        (None, None),
    ],
    ids=["leftmost", "rightmost", "counts differ", "not sure", "count unknown", "nobody knows"],
)
def test_of_lanes_that_differ_the_car_s_own_counts_and_else_none(
    ego: dict[str, Any] | None, shown: float | None
) -> None:
    """isa.md 4.2: a lane's limit applies to that lane; which lane it is must be known, never guessed."""
    car = drive(road(RoadClass.MOTORWAY, conditional=LANES, lanes=3))
    car.ego_lane = None if ego is None else EgoLane(stamp_s=car.now_s, **ego)
    limit = car.go(2.0, 130.0)
    assert car.shown_kmh == shown
    if shown is None:
        assert (limit.kind, limit.reason) == (LimitKind.UNKNOWN, "lanes_differ"), "and not the law's for a motorway"
        assert (limit.pending_mps, limit.pending_condition) == (kmh(80.0), "lane 3 of 3"), "shown as present"
        assert not car.warned()
    else:
        assert (limit.kind, limit.source) == (LimitKind.EXPLICIT, LimitSource.MAP)
        assert limit.is_exceeded and limit.condition.startswith("lane ")


def test_at_the_border_the_law_changes_and_signs_before_it_end() -> None:
    car = drive(road(country="DE")).sees(limit_sign(70.0, 30.0))
    car.go(4.0, 50.0)
    car.segment = road(country="FR")
    limit = car.go(0.1, 50.0)
    assert car.shown_kmh == 80.0 and limit.country == "FR" and limit.source is LimitSource.DEFAULT
    car.segment = road(country="GB")
    limit = car.go(0.1, 50.0)
    assert limit.unit is SpeedUnit.MPH and limit.limit_mps == pytest.approx(60.0 * 0.44704)


def test_in_a_country_whose_law_is_not_carried_nothing_is_assumed() -> None:
    car = drive(road(country="XX"))
    limit = car.go(1.0, 50.0)
    assert limit.kind is LimitKind.UNKNOWN and limit.country == "XX"
    car.sees(limit_sign(60.0, 30.0))
    car.go(4.0, 50.0)
    assert car.shown_kmh == 60.0, "a sign is a sign everywhere"


def test_the_core_that_is_built_carries_the_neighbours_law() -> None:
    market = load_market("de", is_dated=False)
    core = build(BuildContext(market=market, vehicle=load_vehicle("reference")))
    piece = road(country="FR")
    limit = None
    for step in range(3):
        now_s = 10.0 + 0.05 * step
        limit = core.step(
            Inputs(
                vehicle=VehicleState(stamp_s=now_s, speed_mps=10.0),
                horizon=Horizon(stamp_s=now_s, is_matched=True, confidence=0.9, segments=(piece,)),
            ),
            now_s,
        ).limit
    assert limit is not None and limit.limit_mps == pytest.approx(kmh(80.0))


@pytest.mark.parametrize(
    ("is_raining", "expected", "pending"), [(False, 130.0, None), (True, 110.0, None), (None, 130.0, 110.0)]
)
def test_the_law_s_own_limit_for_rain(is_raining: bool | None, expected: float, pending: float | None) -> None:
    car = drive(road(RoadClass.MOTORWAY, country="FR"), home="FR")
    car.body = {} if is_raining is None else {"is_raining": is_raining}
    limit = car.go(1.0, 90.0)
    assert car.shown_kmh == expected
    assert limit.pending_mps == (None if pending is None else pytest.approx(kmh(pending)))


def test_a_trailer_bounds_a_sign_as_well() -> None:
    car = drive(MOTORWAY).sees(limit_sign(120.0, 30.0))
    car.body = {"is_trailer_coupled": True}
    limit = car.go(4.0, 70.0)
    assert car.shown_kmh == 80.0 and limit.kind is LimitKind.IMPLICIT and limit.source is LimitSource.VEHICLE
    car.sees(limit_sign(60.0, 60.0))
    assert car.go(5.0, 55.0).source is LimitSource.SIGN and car.shown_kmh == 60.0


def test_the_map_s_conditional_limits() -> None:
    piece = road(
        limit_kmh=100.0,
        conditional=(
            ConditionalLimit(limit_mps=kmh(60.0), condition="22:00-06:00"),
            ConditionalLimit(limit_mps=kmh(40.0), condition="hgv"),
            ConditionalLimit(limit_mps=kmh(70.0), condition="@what?"),
        ),
    )
    car = drive(piece)
    car.body = local(12)
    limit = car.go(1.0, 50.0)
    assert car.shown_kmh == 100.0 and limit.pending_mps == pytest.approx(kmh(70.0)), "not understood: told"
    car.body = local(23)
    limit = car.go(1.0, 50.0)
    assert car.shown_kmh == 60.0 and limit.condition == "22:00-06:00"


@pytest.mark.parametrize("fields", [{"is_matched": False}, {"confidence": 0.3}, {"map_age_s": 5 * 365 * 86400.0}])
def test_a_map_that_is_not_sure_or_too_old_says_nothing(fields: dict[str, float]) -> None:
    car = drive()
    known = {"is_matched": True, "confidence": 0.9, **fields}
    for _ in range(5):
        car.step(50.0)
        horizon = Horizon(stamp_s=car.now_s, segments=(road(limit_kmh=70.0),), **known)
        limit = car.core.step(replace(car.inputs, horizon=horizon), car.now_s).limit
    assert limit is not None and limit.kind is LimitKind.UNKNOWN


def test_advice_is_never_a_limit() -> None:
    car = drive(RURAL).sees(limit_sign(60.0, 30.0, kind=SignKind.ADVISORY_SPEED))
    limit = car.go(5.0, 90.0)
    assert car.shown_kmh == 100.0 and limit.advisory_mps == pytest.approx(kmh(60.0)) and not car.warned()


def test_a_road_of_which_the_map_knows_no_class_has_no_default() -> None:
    car = drive(road(RoadClass.UNKNOWN))
    assert car.go(1.0, 50.0).kind is LimitKind.UNKNOWN


def test_on_a_slip_road_the_motorway_s_limit_is_over() -> None:
    car = drive(road(RoadClass.MOTORWAY)).sees(limit_sign(120.0, 30.0))
    car.go(4.0, 100.0)
    assert car.shown_kmh == 120.0
    car.segment = road(RoadClass.MOTORWAY, is_link=True)
    limit = car.go(3.0, 80.0)
    assert limit.kind is LimitKind.UNKNOWN and limit.reason == "road_changed"


def test_a_sign_with_a_length_and_one_with_a_beginning() -> None:
    car = drive(RURAL).sees(
        limit_sign(50.0, 30.0, supplement="for 200 m"), limit_sign(70.0, 40.0, supplement="in 300 m")
    )
    car.go_m(100.0, 40.0)
    assert car.shown_kmh == 50.0
    car.go_m(170.0, 40.0)
    assert car.shown_kmh == 100.0
    car.go_m(100.0, 40.0)
    assert car.shown_kmh == 70.0


def test_one_glimpse_is_not_believed_and_neither_is_an_unsure_sign() -> None:
    car = drive().sees(limit_sign(30.0, 30.0, confidence=0.2))
    car.go(4.0, 50.0)
    assert car.limit.kind is LimitKind.UNKNOWN
    car.sees(limit_sign(30.0, 0.5))
    car.go(2.0, 50.0)
    assert car.limit.kind is LimitKind.UNKNOWN, "seen once, at the last moment"


def test_after_a_gap_in_time_nobody_knows_where_the_car_is() -> None:
    car = drive().sees(limit_sign(70.0, 30.0))
    car.go(4.0, 50.0)
    car.now_s += 60.0
    assert car.go(0.1, 50.0).reason == "gap_in_time"


def test_time_that_runs_back_begins_afresh_and_ends_the_warning() -> None:
    car = drive().sees(limit_sign(50.0, 30.0)).until("stage1", 60.0)
    car.signs = []
    car.now_s -= 100.0
    result = car.step(60.0)
    assert result.alert is not None and not result.alert.is_active
    assert result.limit is not None and result.limit.kind is LimitKind.UNKNOWN


def test_without_the_indicated_speed_the_true_one_stands_in_and_the_status_says_so() -> None:
    car = drive().sees(limit_sign(50.0, 30.0))
    car.has_body = False
    car.go(5.0, 50.0)
    assert not car.warned() and "indicated_speed_unknown" in car.said[-1][1].status.reason
    car.go(1.0, 52.0)
    assert car.warned()


def test_without_a_vehicle_state_it_tells_nothing_and_then_that_it_is_at_fault() -> None:
    car = drive().sees(limit_sign(50.0, 30.0))
    car.go(4.0, 45.0)
    now_s = car.now_s
    states, alerts = [], []
    for _ in range(100):
        now_s += 0.05
        result = car.core.step(Inputs(), now_s)
        assert result.limit is not None and result.limit.kind is LimitKind.UNKNOWN
        states.append(result.status.state)
        alerts += [result.alert] if result.alert is not None else []
    assert states[10] == "monitor" and states[-1] == "fault"
    assert alerts and alerts[-1].code == "isa_fault" and alerts[-1].is_active
    car.now_s = now_s
    car.go(0.2, 45.0)
    assert car.state == "monitor" and car.alert_now() is None


def test_a_sign_on_the_slip_road_itself_stays() -> None:
    car = drive(road(RoadClass.MOTORWAY)).sees(limit_sign(120.0, 30.0), limit_sign(60.0, 200.0))
    car.go_m(195.0, 80.0)
    car.segment = road(RoadClass.MOTORWAY, is_link=True)
    car.go_m(60.0, 60.0)
    assert car.shown_kmh == 60.0 and car.limit.source is LimitSource.SIGN


def test_of_two_conditional_limits_that_hold_the_lower_counts() -> None:
    cases = (("22:00-06:00", 60.0), ("Mo-Su 00:00-23:59", 50.0))
    piece = road(
        limit_kmh=100.0, conditional=tuple(ConditionalLimit(limit_mps=kmh(v), condition=text) for text, v in cases)
    )
    car = drive(piece)
    car.body = local(23)
    car.go(0.5, 40.0)
    assert car.shown_kmh == 50.0
    car.segment = replace(piece, conditional=tuple(reversed(piece.conditional)))
    car.go(0.5, 40.0)
    assert car.shown_kmh == 50.0, "whatever their order"


def test_the_age_of_a_sign_s_limit_is_told() -> None:
    car = drive().sees(limit_sign(70.0, 30.0))
    car.go(10.0, 36.0)
    assert car.limit.age_s == pytest.approx(7.0, abs=0.2) and car.limit.distance_m == pytest.approx(70.0, abs=1.5)


# --- what mutants asked for -------------------------------------------------------------------------------------------


def test_where_nothing_is_known_nothing_else_is_claimed() -> None:
    car = drive()
    car.go(0.5, 50.0)
    limit = car.limit
    assert limit.kind is LimitKind.UNKNOWN and limit.limit_mps is None and limit.confidence == 0.0
    assert not limit.is_walking_pace and not limit.is_temporary and limit.pending_mps is None


def test_a_default_is_believed_less_than_a_limit_of_the_map() -> None:
    assumed, mapped = drive(URBAN), drive(road(limit_kmh=50.0))
    assumed.go(0.5, 40.0)
    mapped.go(0.5, 40.0)
    assert assumed.shown_kmh == mapped.shown_kmh == 50.0 and assumed.limit.source is LimitSource.DEFAULT
    assert 0.3 < assumed.limit.confidence < mapped.limit.confidence


@pytest.mark.parametrize("is_built_up", [True, None])
def test_a_town_goes_on_as_long_as_the_map_says_so(is_built_up: bool | None) -> None:
    car = drive().sees(plate(SignKind.CITY_ENTRY, 30.0))
    car.go_m(60.0, 50.0)
    assert car.limit.reason == "city_entry" and car.shown_kmh == 50.0
    car.segment = road(is_built_up=is_built_up)
    car.go_m(PARAMS.hold_distance_m + 200.0, 90.0)
    assert (car.limit.reason == "city_entry") is (is_built_up is True)


def test_a_town_behind_an_end_sign_is_a_town() -> None:
    car = drive().sees(
        limit_sign(70.0, 30.0), plate(SignKind.END_OF_SPEED_LIMIT, 100.0), plate(SignKind.CITY_ENTRY, 180.0)
    )
    car.go_m(140.0, 50.0)
    assert car.limit.reason.startswith("end_sign")
    car.go_m(100.0, 50.0)
    assert car.limit.reason == "city_entry" and car.shown_kmh == 50.0


def test_a_town_in_a_country_whose_law_is_not_known_has_no_number() -> None:
    car = drive(home="XX").sees(plate(SignKind.CITY_ENTRY, 30.0))
    car.go_m(60.0, 50.0)
    assert car.limit.kind is LimitKind.UNKNOWN and car.limit.reason == "city_entry_of_unknown_road"


def test_walking_pace_is_no_number_and_nobody_is_warned_by_it() -> None:
    car = drive().sees(plate(SignKind.LIVING_STREET_ENTRY, 30.0))
    car.go(6.0, 30.0)
    assert car.limit.is_walking_pace and car.limit.limit_mps is None and not car.limit.is_exceeded
    assert not car.warned()


def test_the_map_confirms_no_sign_with_a_plate() -> None:
    """The map's 70 says nothing of the 50 that holds in the wet."""
    car = drive(road(limit_kmh=70.0)).sees(limit_sign(50.0, 30.0, supplement="wet"))
    car.body = {"is_raining": True}
    car.go_m(60.0, 50.0)
    assert car.shown_kmh == 50.0
    car.go_m(PARAMS.hold_distance_m + 200.0, 90.0)
    assert car.shown_kmh == 70.0 and car.limit.source is LimitSource.MAP


def test_a_limit_for_a_length_ends_there() -> None:
    car = drive(road(limit_kmh=100.0)).sees(limit_sign(60.0, 30.0, supplement="for 300 m"))
    car.go_m(200.0, 50.0)
    assert car.shown_kmh == 60.0
    car.go_m(160.0, 50.0)
    assert car.shown_kmh == 100.0


@pytest.mark.parametrize("kind", [SignKind.END_OF_ALL_LIMITS, SignKind.ROADWORKS_END])
def test_the_limit_of_road_works_ends_with_them(kind: SignKind) -> None:
    car = drive().sees(limit_sign(60.0, 30.0, is_temporary=True), plate(kind, 150.0))
    car.go_m(100.0, 50.0)
    assert car.shown_kmh == 60.0 and car.limit.is_temporary
    car.go_m(100.0, 50.0)
    assert car.limit.limit_mps is None and not car.limit.is_temporary
