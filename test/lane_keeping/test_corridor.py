"""The emergency corridor: adaptations.md section 5, StVO 11(2), on exact geometry with time as data."""

from __future__ import annotations

from itertools import pairwise, product

import pytest
from lane_world import DASHED, LEFT, MARKETS, RIGHT, SOLID, STEP_S, TYRE_M, Paint, Told, World, alerts, lane, motorway

from adas_runtime.lane_keeping import lane_states
from adas_runtime.lane_keeping.corridor import TRANSITIONS, State, View
from adas_runtime.lane_keeping.lane_states import View as LaneView
from adas_runtime.market.texts import driver_text
from adas_runtime.signals import AlertLevel, AlertSide, Horizon, RoadClass

PARAMS = MARKETS["de"].ego_lane
LEFTMOST = lane(3.5, SOLID, DASHED)
MIDDLE = lane(3.5, DASHED, DASHED)
RIGHTMOST = lane(3.5, DASHED, SOLID)


def jam(
    horizon: Horizon | None,
    paint: tuple[Paint, ...],
    *,
    market: str = "de",
    speed_kmh: float = 5.0,
    seconds: float = 10.0,
) -> tuple[World, list[Told]]:
    """Flowing traffic, then a jam."""
    world = World(market=market, horizon=horizon, speed_kmh=90.0)
    world.hold(3.0, paint)
    world.speed_kmh = speed_kmh
    return world, world.hold(seconds, paint)


@pytest.mark.parametrize(
    ("lanes", "paint", "side"),
    [
        pytest.param(2, LEFTMOST, 1.0, id="A5-2-lanes-left-car-left"),
        pytest.param(2, RIGHTMOST, -1.0, id="A5-2-lanes-right-car-right"),
        pytest.param(3, LEFTMOST, 1.0, id="A5-3-lanes-lane-1-left"),
        pytest.param(3, MIDDLE, -1.0, id="A5-3-lanes-lane-2-right"),
        pytest.param(3, RIGHTMOST, -1.0, id="A5-3-lanes-lane-3-right"),
    ],
)
def test_only_the_leftmost_lane_keeps_left(lanes: int, paint: tuple[Paint, ...], side: float) -> None:
    _, told = jam(motorway(lanes), paint)
    last = told[-1].lane
    assert last.shift_m == pytest.approx(side * PARAMS.corridor_shift_m)
    assert last.shift_reason == "emergency_corridor"
    said = alerts(told)
    assert said and all(item.level is AlertLevel.INFO and item.is_active for item in said)
    assert {item.side for item in said} == {AlertSide.LEFT if side > 0 else AlertSide.RIGHT}
    assert "corridor" in driver_text(MARKETS["de"], said[0].code, language="en")


def test_the_wanted_place_moves_slowly() -> None:
    _, told = jam(motorway(2), LEFTMOST)
    steps = [b.lane.shift_m - a.lane.shift_m for a, b in pairwise(told)]
    assert max(steps) <= PARAMS.shift_rate_mps * STEP_S + 1e-9 and min(steps) >= 0.0


def test_it_begins_only_when_the_jam_lasts() -> None:
    _, told = jam(motorway(2), LEFTMOST)
    first = next(item for item in told if item.lane.shift_m > 0.0)
    assert first.now_s - told[0].now_s == pytest.approx(PARAMS.corridor_after_s, abs=2 * STEP_S)


@pytest.mark.parametrize(
    ("market", "horizon", "speed_kmh"),
    [
        pytest.param("nl", motorway(2), 5.0, id="A5-nl-no-shift"),
        pytest.param("de", motorway(2), 30.0, id="A5-speed-30-no-shift"),
        pytest.param("de", motorway(2, is_link=True), 5.0, id="A5-exit-ramp-no-shift"),
        pytest.param("de", motorway(1), 5.0, id="A5-one-lane-no-shift"),
        pytest.param("de", None, 5.0, id="A5-no-map-no-shift"),
        pytest.param("de", motorway(2, kind=RoadClass.PRIMARY, is_built_up=True), 5.0, id="A5-town-no-shift"),
        pytest.param("de", motorway(2, kind=RoadClass.PRIMARY, is_built_up=None), 5.0, id="A5-maybe-town-no-shift"),
        pytest.param("gb", motorway(2), 5.0, id="A5-gb-no-shift"),
    ],
)
def test_no_shift(market: str, horizon: Horizon | None, speed_kmh: float) -> None:
    _, told = jam(horizon, LEFTMOST, market=market, speed_kmh=speed_kmh, seconds=20.0)
    assert all(item.lane.shift_m == 0.0 and item.lane.shift_reason == "" for item in told)
    assert not alerts(told)


def test_on_a_rural_road_with_two_lanes_a_way_it_holds_too() -> None:
    _, told = jam(motorway(2, kind=RoadClass.TRUNK), LEFTMOST)
    assert told[-1].lane.shift_m > 0.4


def test_an_unknown_lane_moves_nothing_but_tells_the_driver() -> None:
    _, told = jam(motorway(3), lane(3.5, SOLID, SOLID))
    assert all(item.lane.shift_m == 0.0 for item in told)
    assert {(item.code, item.side) for item in alerts(told)} == {("emergency_corridor", AlertSide.NONE)}


@pytest.mark.parametrize("width_m", [2.6, 2.8, 3.0, 3.5, 4.2])
@pytest.mark.parametrize("paint", [LEFTMOST, RIGHTMOST], ids=["left", "right"])
def test_it_never_leads_onto_a_marking(width_m: float, paint: tuple[Paint, ...]) -> None:
    forms = {item.side: item.form for item in paint}
    _, told = jam(motorway(2), lane(width_m, forms[LEFT], forms[RIGHT]), seconds=12.0)
    for item in told:
        tyre_to_line_m = 0.5 * width_m - TYRE_M / 2 - abs(item.lane.shift_m)
        assert item.lane.shift_m == 0.0 or tyre_to_line_m >= PARAMS.corridor_room_m - 1e-6


def test_towards_a_side_without_a_marking_nothing_moves() -> None:
    world, told = jam(motorway(2), LEFTMOST)
    assert told[-1].lane.shift_m > 0.4
    told = world.hold(3.0, (LEFTMOST[1],))  # the left line is gone
    assert told[-1].lane.shift_m == 0.0


@pytest.mark.parametrize(("speed_kmh", "is_over"), [(15.0, False), (19.0, False), (25.0, True)])
def test_it_ends_five_seconds_above_twenty(speed_kmh: float, is_over: bool) -> None:
    world, _ = jam(motorway(2), LEFTMOST)
    world.speed_kmh = speed_kmh
    still = world.hold(PARAMS.corridor_release_s - 0.2, LEFTMOST)
    assert still[-1].lane.shift_m == pytest.approx(PARAMS.corridor_shift_m)
    later = world.hold(8.0, LEFTMOST)
    assert (later[-1].lane.shift_m == 0.0) is is_over
    ended = [item for item in alerts(later) if not item.is_active]
    assert len(ended) == (1 if is_over else 0)


def test_stop_and_go_between_ten_and_twenty_changes_nothing() -> None:
    world, _ = jam(motorway(2), LEFTMOST)
    for speed_kmh in (0.0, 18.0, 3.0, 25.0, 12.0, 0.0):
        world.speed_kmh = speed_kmh
        told = world.hold(4.0, LEFTMOST)
        assert all(item.lane.shift_m == pytest.approx(PARAMS.corridor_shift_m) for item in told)


def test_a_lane_change_in_the_jam_changes_the_side() -> None:
    world, _ = jam(motorway(2), LEFTMOST)
    world.lateral_m = 0.0
    told = world.hold(12.0, RIGHTMOST)
    assert told[-1].lane.shift_m == pytest.approx(-PARAMS.corridor_shift_m)
    codes = [(item.code, item.is_active) for item in alerts(told)]
    assert codes.index(("emergency_corridor_left", False)) < codes.index(("emergency_corridor_right", True))


def test_without_pictures_the_alert_ends() -> None:
    world, _ = jam(motorway(2), LEFTMOST)
    ended = [item for item in alerts(world.hold(1.0, None)) if not item.is_active]
    assert [(item.code, item.side) for item in ended] == [("emergency_corridor_left", AlertSide.LEFT)]


def test_when_the_clock_runs_back_the_alert_ends() -> None:
    world, _ = jam(motorway(2), LEFTMOST)
    world.now_s -= 100.0
    ended = alerts(world.hold(STEP_S, LEFTMOST))
    assert [(item.code, item.is_active, item.cause) for item in ended] == [
        ("emergency_corridor_left", False, "time_ran_back")
    ]


# --- the tables: every state against every guard ----------------------------------------------------------------------


@pytest.mark.parametrize("state", list(State))
def test_every_corridor_state_against_every_guard(state: State) -> None:
    for is_asked, is_jam, number in product((False, True), (False, True), (None, 0, 1, 4)):
        row = TRANSITIONS.fire(state, View(is_asked, is_jam, number))
        assert row is not None
        wanted = (
            State.NOT_ASKED
            if not is_asked
            else State.FREE
            if not is_jam
            else State.LANE_UNKNOWN
            if number is None
            else State.KEEP_LEFT
            if number == 0
            else State.KEEP_RIGHT
        )
        assert row.target is wanted


@pytest.mark.parametrize("state", list(lane_states.State))
def test_every_lane_state_against_every_guard(state: lane_states.State) -> None:
    states = lane_states.State
    for missing, fault, left, right, fork in product(
        (False, True), ("", "no_marking", "lane_width"), (False, True), (False, True), (False, True)
    ):
        view = LaneView(missing, fault, left, right, fork)
        row = lane_states.TRANSITIONS.fire(state, view)
        assert row is not None, "the table is total"
        if missing:
            assert row.target is states.STANDBY
        elif fault:
            assert row.target is states.NO_LANE and row.reason_for(view) == fault
        elif fork:
            assert row.target is states.FORK
        elif left and right:
            assert row.target is states.BOTH
        else:
            assert row.target is (states.LEFT_ONLY if left else states.RIGHT_ONLY)
        assert row.reason_for(view) in lane_states.REASONS
