"""The ego lane on exact geometry: following, hand-over, one side, forks, and what the market makes of markings."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lane_world import (
    AXLE_M,
    CAR,
    DASHED,
    DOUBLE,
    EDGE,
    LEFT,
    MARKETS,
    NEXT_LEFT,
    NEXT_RIGHT,
    ORANGE,
    RIGHT,
    SOLID,
    STEP_S,
    STUDS,
    TYRE_M,
    WHITE,
    YELLOW,
    Paint,
    Told,
    World,
    lane,
    motorway,
    params,
)

from adas_runtime.lane_keeping.ego_lane import SPEC, Inputs
from adas_runtime.signals import (
    EgoLane,
    Health,
    Indicator,
    LaneBeyond,
    LaneEdge,
    LaneModel,
    LaneSide,
    MarkingType,
    RoadClass,
)

MM = 1e-3


def edge(told: EgoLane, side: LaneSide) -> LaneEdge:
    found = told.edge(side)
    assert found is not None
    return found


def centre_at_axle_m(told: Told) -> float:
    return told.lane.centre_m(AXLE_M)


# --- geometry and following -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("curvature_1pm", [0.0, 1 / 250, -1 / 400])
@pytest.mark.parametrize("lateral_m", [0.0, 0.4, -0.6])
def test_centre_width_and_distances_are_those_of_the_road(curvature_1pm: float, lateral_m: float) -> None:
    world = World(curvature_1pm=curvature_1pm, lateral_m=lateral_m)
    told = world.hold(2.0, lane(3.5))[-1]
    assert centre_at_axle_m(told) == pytest.approx(-lateral_m, abs=1 * MM)
    assert told.lane.width_m == pytest.approx(3.5, abs=1 * MM)
    assert told.lane.curvature_1pm == pytest.approx(curvature_1pm, abs=1e-5)
    assert told.lane.heading_rad == pytest.approx(0.0, abs=1e-4)
    assert edge(told.lane, LEFT).distance_m == pytest.approx(1.75 - lateral_m - TYRE_M / 2, abs=1 * MM)
    assert edge(told.lane, RIGHT).distance_m == pytest.approx(1.75 + lateral_m - TYRE_M / 2, abs=1 * MM)
    assert told.lane.is_fit_to_steer and told.state == "both" and told.lane.x_max_m == 50.0


@pytest.mark.parametrize("rate_mps", [0.1, 0.5, -0.8])
def test_a_steady_drift_has_no_lag(rate_mps: float) -> None:
    world = World(lateral_m=-0.5 * rate_mps)
    told = world.hold(1.0, lane(3.75), rate_mps=rate_mps)[-1]
    assert centre_at_axle_m(told) == pytest.approx(-told.lateral_m, abs=5 * MM)
    assert edge(told.lane, LEFT).rate_mps == pytest.approx(-rate_mps, abs=0.02)
    assert edge(told.lane, RIGHT).rate_mps == pytest.approx(rate_mps, abs=0.02)


def test_the_lane_is_carried_on_by_the_cars_own_motion() -> None:
    """`moved` is the whole duty of whoever steers between two pictures: a circle seen from a car that drives on it."""
    world = World(curvature_1pm=1 / 300, lateral_m=0.2)
    told = world.hold(2.0, lane(3.5))[-1].lane
    way_m = 3.0
    offset_m, heading, curvature, _ = told.moved(way_m, way_m / 300)
    assert offset_m == pytest.approx(told.offset_m, abs=2 * MM)  # it drives along the lane: nothing changes
    assert heading == pytest.approx(told.heading_rad, abs=2e-4) and curvature == pytest.approx(1 / 300, abs=1e-5)
    straight, turned, _, _ = told.moved(way_m, 0.0)  # it drives straight on: the lane bends away to the left
    assert straight == pytest.approx(told.centre_m(way_m)) and turned == pytest.approx(heading + way_m / 300)


def test_width_is_measured_across_the_lane_and_bends_are_told_at_the_rear_axle() -> None:
    """The car stands askew by 0.1 on a clothoid: width is perpendicular, curvature that of the origin."""
    told = World(speed_kmh=0.0).hold(2.0, lane(3.5), c1=0.1, c2_1pm=0.5e-3, c3_1pm2=0.5e-5)[-1].lane
    slope = 0.1 + AXLE_M * (2 * 0.5e-3 + AXLE_M * 3 * 0.5e-5)
    # 3.65 m between the middles of both lines along y, each 0.15 m wide across
    assert told.width_m == pytest.approx(3.65 / math.hypot(1.0, slope) - 0.15, abs=1 * MM)
    assert told.heading_rad == pytest.approx(0.1, abs=2e-4)
    assert told.curvature_1pm == pytest.approx(1e-3, abs=1e-6)
    assert told.curvature_rate_1pm2 == pytest.approx(3e-5, abs=1e-7)


def test_the_better_line_counts_more_in_the_lanes_shape() -> None:
    sure, unsure = lane(3.5)[0], Paint(side=RIGHT, at_m=-1.75, confidence=0.55)
    world = World(speed_kmh=0.0)
    for _ in range(40):
        world.now_s += STEP_S
        model = LaneModel(
            stamp_s=world.now_s,
            boundaries=(sure.boundary(0.0, 0.0), unsure.boundary(0.0, 0.0, c2_1pm=1e-3)),
            is_calibrated=True,
        )
        told = world.core.step(Inputs(lanes=(model,)), world.now_s).lane
    assert told is not None
    assert told.curvature_1pm == pytest.approx(2e-3 * 0.55 / (0.95 + 0.55), rel=0.02)


def test_an_unseen_line_is_believed_less_until_it_is_dropped() -> None:
    world = World()
    world.hold(2.0, lane(3.5))
    said = [edge(item.lane, LEFT) for item in world.hold(0.9, (lane(3.5)[1],))]
    coasting = [item.confidence for item in said if item.is_seen]
    assert coasting == sorted(coasting, reverse=True) and coasting[0] > 0.85 and coasting[-1] < 0.6
    assert len(coasting) == pytest.approx(MARKETS["de"].ego_lane.coast_s / STEP_S, abs=1)


def test_one_bad_picture_moves_nothing() -> None:
    world = World()
    world.hold(1.0, lane(3.5))
    odd = (lane(3.5)[0], Paint(side=RIGHT, at_m=-1.0))
    for told in world.hold(MARKETS["de"].ego_lane.jump_confirm_s - STEP_S, odd):
        assert abs(centre_at_axle_m(told)) < 5 * MM and told.lane.width_m == pytest.approx(3.5, abs=5 * MM)
    assert abs(centre_at_axle_m(world.hold(0.5, lane(3.5))[-1])) < 5 * MM


def test_a_line_that_really_moved_is_followed_after_the_confirming_time() -> None:
    world = World()
    world.hold(1.0, lane(3.5))
    told = world.hold(0.5, (Paint(side=LEFT, at_m=1.25, form=DASHED), Paint(side=RIGHT, at_m=-2.25)))
    late = next(item for item in told if abs(centre_at_axle_m(item) + 0.5) < 0.02)
    assert late.now_s - told[0].now_s <= MARKETS["de"].ego_lane.jump_confirm_s + 2 * STEP_S


@pytest.mark.parametrize("direction", [1, -1], ids=["left", "right"])
def test_a_lane_change_hands_the_line_over_without_a_gap(direction: int) -> None:
    """The line under the car changes sides in one picture, with its drift; the number goes with it (peers: a lane
    change must not look like a departure back)."""
    world = World(horizon=motorway(3))
    middle = (*lane(3.5, DASHED, DASHED), Paint(side=NEXT_LEFT, at_m=5.4), Paint(side=NEXT_RIGHT, at_m=-5.4))
    assert world.lane_after(3.0, middle).lane_from_left == 1
    rate_mps = 0.9 * direction
    world.hold(2.0, middle, rate_mps=rate_mps)  # the car's middle stands over the line, at 1.825 m
    if direction > 0:
        after = (Paint(side=RIGHT, at_m=1.9, form=DASHED), Paint(side=LEFT, at_m=5.4))
    else:
        after = (Paint(side=LEFT, at_m=-1.9, form=DASHED), Paint(side=RIGHT, at_m=-5.4))
    told = world.hold(0.5, after, rate_mps=rate_mps)
    first = told[0].lane
    assert first.lane_from_left == 1 - direction
    near = edge(first, RIGHT if direction > 0 else LEFT)
    assert near.rate_mps == pytest.approx(0.9, abs=0.05), "it drifts away from the line that it crossed"
    assert all(item.lane.edges and item.state == "both" for item in told)
    assert abs(centre_at_axle_m(told[-1])) == pytest.approx(3.65 - abs(told[-1].lateral_m), abs=0.02)


def test_a_lane_number_takes_its_time_and_never_leaves_the_road() -> None:
    world = World(horizon=motorway(2))
    told = world.hold(2.0, lane(3.5, SOLID, DASHED))
    first = next(item for item in told if item.lane.lane_from_left == 0)
    assert first.now_s - told[0].now_s == pytest.approx(MARKETS["de"].ego_lane.lane_number_s, abs=STEP_S + 1e-6)
    world.hold(1.9, lane(3.5, SOLID, DASHED), rate_mps=1.0)
    out = world.hold(0.3, (Paint(side=RIGHT, at_m=1.9, form=SOLID), Paint(side=LEFT, at_m=5.4)), rate_mps=1.0)
    assert all(item.lane.lane_from_left is None for item in out), "there is no lane left of the leftmost"


def test_a_crossed_line_that_is_not_seen_is_handed_over_all_the_same() -> None:
    world = World()
    world.hold(2.0, lane(3.5))
    world.hold(1.9, lane(3.5), rate_mps=1.0)
    told = world.hold(0.25, (Paint(side=RIGHT, at_m=-1.75),), rate_mps=1.0)
    assert edge(told[-1].lane, RIGHT).distance_m < 1.0, "the crossed line is now the right one"


# --- absent inputs ----------------------------------------------------------------------------------------------------


def test_without_lane_model_there_is_no_lane() -> None:
    world = World()
    world.hold(1.0, lane(3.5))
    gone = world.hold(3.0, None)
    assert all(not item.lane.edges and item.lane.confidence == 0.0 and item.state == "standby" for item in gone)
    assert all(item.lane.reason == "lanes_absent" and not item.lane.is_fit_to_steer for item in gone)
    assert world.hold(0.1, lane(3.5))[-1].state == "both"


def test_without_vehicle_state_the_lines_are_followed_all_the_same() -> None:
    world = World(curvature_1pm=1 / 500)
    world.hold(1.0, lane(3.5))
    told = world.hold(2.0, lane(3.5), has_vehicle=False, rate_mps=0.2)[-1]
    assert centre_at_axle_m(told) == pytest.approx(-told.lateral_m, abs=0.02)


def test_it_tells_the_driver_nothing_that_perception_or_a_lane_function_tells() -> None:
    """Its inputs are never missed in its own name: in a market whose lane functions are silent, so is it."""
    assert all(item.many for item in SPEC.inputs) and not SPEC.has_stage
    world = World()
    for paint, how in (
        (lane(3.5), {"is_calibrated": False}),
        (None, {}),
        ((), {}),
        (lane(3.5), {"has_vehicle": False}),
    ):
        world.hold(1.0, paint, **how)  # type: ignore[arg-type]
        assert world.core.step(Inputs(), world.now_s + 1.0).status.health is Health.OK


def test_with_an_uncalibrated_camera_nobody_may_steer() -> None:
    told = World().lane_after(2.0, lane(3.5), is_calibrated=False)
    assert told.edges and not told.is_fit_to_steer and told.reason == "camera_not_calibrated"
    assert not told.is_calibrated


def test_unsure_lines_are_no_lane() -> None:
    told = World().hold(1.0, lane(3.5, confidence=0.4))[-1]
    assert not told.lane.edges and told.reason == "low_confidence"


def test_when_the_clock_runs_back_everything_starts_afresh() -> None:
    world = World()
    world.hold(1.0, lane(3.5))
    world.now_s -= 50.0
    told = world.hold(STEP_S, lane(3.2))[-1].lane
    assert told.width_m == pytest.approx(3.2, abs=1 * MM)


# --- adaptations 1: lane widths ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("width_m", "works", "is_taken"),
    [
        pytest.param(2.35, False, False, id="A1-2.35-reject"),
        pytest.param(2.35, True, False, id="A1-2.35-works-reject"),
        pytest.param(2.50, False, False, id="A1-2.50-reject-without-works"),
        pytest.param(2.70, True, True, id="A1-2.70-accept-with-works"),
        pytest.param(3.50, False, True, id="A1-3.50-accept"),
        pytest.param(4.60, False, False, id="A1-4.60-reject"),
    ],
)
def test_adaptations_1_widths(width_m: float, works: bool, is_taken: bool) -> None:
    told = World().lane_after(1.0, lane(width_m, DASHED, SOLID, colour=YELLOW if works else WHITE))
    assert told.is_fit_to_steer is is_taken
    if not is_taken:
        assert told.reason in ("lane_width", "narrow_lane", "lane_too_narrow")


def test_adaptations_1_a_works_width_lane_is_a_lane_with_works_and_a_doubt_without() -> None:
    """2.60 m: accepted only with the works flag; without, a lane for warnings whose confidence is low."""
    with_works = World().lane_after(1.0, lane(2.6, colour=YELLOW))
    without = World().lane_after(1.0, lane(2.6))
    assert with_works.is_works and with_works.confidence > 0.9
    assert without.edges and without.confidence <= MARKETS["de"].ego_lane.narrow_confidence
    assert without.reason == "narrow_lane"


@pytest.mark.parametrize(
    ("width_m", "mirrors_m", "is_fit"),
    [
        pytest.param(2.50, 2.05, False, id="A2-sign-2.0-mirrors-2.05-refused"),
        pytest.param(2.60, 2.05, True, id="A2-sign-2.1-mirrors-2.05-allowed"),
        pytest.param(2.50, 1.95, True, id="A2-sign-2.0-mirrors-1.95-allowed"),
    ],
)
def test_adaptations_2_the_car_with_its_mirrors_needs_room(width_m: float, mirrors_m: float, is_fit: bool) -> None:
    """Sign 264 names the lane's width less 0.25 m beside each mirror."""
    sizes = CAR.dimensions.model_copy(update={"width_with_mirrors_m": mirrors_m})
    world = World(car=CAR.model_copy(update={"dimensions": sizes}))
    told = world.lane_after(1.0, lane(width_m, colour=YELLOW))
    assert told.is_fit_to_steer is is_fit and told.edges
    assert told.reason == ("works" if is_fit else "lane_too_narrow")


# --- adaptations 2: works ---------------------------------------------------------------------------------------------

BOTH_LINES = (  # yellow lines painted over a lane whose white lines still stand: perception tells all of them
    Paint(side=LEFT, at_m=1.1, form=SOLID, colour=YELLOW),
    Paint(side=NEXT_LEFT, at_m=1.75, form=DASHED),
    Paint(side=RIGHT, at_m=-1.75, form=SOLID),
    Paint(side=NEXT_RIGHT, at_m=-2.0, form=SOLID, colour=YELLOW),
)


def test_adaptations_2_de_yellow_cancels_white() -> None:
    told = World(market="de").lane_after(1.0, BOTH_LINES)
    assert told.is_works and told.width_m == pytest.approx(3.1, abs=2 * MM)
    assert edge(told, LEFT).colour is YELLOW and edge(told, RIGHT).colour is YELLOW
    assert edge(told, RIGHT).distance_m == pytest.approx(2.0 - TYRE_M / 2, abs=2 * MM)


@pytest.mark.parametrize("market", ["no", "us", "kr", "ae"])
def test_adaptations_2_elsewhere_yellow_is_the_opposing_line_stay_right_of_it(market: str) -> None:
    told = World(market=market).lane_after(1.0, BOTH_LINES)
    left = edge(told, LEFT)
    assert not told.is_works and left.colour is YELLOW and left.beyond is LaneBeyond.ONCOMING
    assert left.may_cross is False and told.centre_m(AXLE_M) < 1.1
    assert edge(told, RIGHT).colour is WHITE, "the road's edge bounds the lane on the right"


def test_adaptations_2_ch_orange_cancels_white_and_yellow_does_not() -> None:
    paint = tuple(
        Paint(**{**_fields(item), "colour": ORANGE if item.colour is YELLOW else WHITE}) for item in BOTH_LINES
    )
    assert World(market="ch").lane_after(1.0, paint).width_m == pytest.approx(3.1, abs=2 * MM)
    assert not World(market="ch").lane_after(1.0, BOTH_LINES).is_works


def _fields(item: Paint) -> dict[str, object]:
    return {name: getattr(item, name) for name in item.__dataclass_fields__}


def test_adaptations_2_yellow_ends_white_holds_again_within_one_second() -> None:
    world = World()
    world.hold(2.0, lane(2.8, colour=YELLOW))
    ends_s = world.now_s
    told = world.hold(2.0, lane(3.6))
    back = next(
        item
        for item in told
        if not item.lane.is_works and item.lane.width_m is not None and abs(item.lane.width_m - 3.6) < 0.02
    )
    assert back.now_s - ends_s <= 0.3, "adaptations 2 ask for 1 s; both permanent lines are seen here"
    assert back.lane.is_fit_to_steer or world.hold(1.0, lane(3.6))[-1].lane.is_fit_to_steer


def test_works_in_the_next_lane_are_none_of_ours() -> None:
    """Yellow lines bound the lane beside: the own white lines hold, at full confidence."""
    beside = (Paint(side=NEXT_LEFT, at_m=5.0, colour=YELLOW), Paint(side=NEXT_RIGHT, at_m=-5.4, colour=YELLOW))
    told = World().lane_after(1.0, (*lane(3.5), *beside))
    assert not told.is_works and told.width_m == pytest.approx(3.5, abs=2 * MM) and told.confidence > 0.9


def test_adaptations_2_works_begin_at_once() -> None:
    world = World()
    world.hold(2.0, lane(3.6))
    told = world.hold(0.2, (Paint(side=LEFT, at_m=0.9, colour=YELLOW), Paint(side=RIGHT, at_m=-2.0, colour=YELLOW)))
    assert told[0].lane.is_works and told[0].lane.width_m == pytest.approx(2.9, abs=0.02)
    assert centre_at_axle_m(told[-1]) == pytest.approx(-0.55, abs=0.02)


def test_adaptations_2_white_on_the_other_side_counts_little_while_yellow_is_found() -> None:
    world = World()
    world.hold(2.0, (Paint(side=LEFT, at_m=1.4, colour=YELLOW), Paint(side=RIGHT, at_m=-1.4, colour=YELLOW)))
    told = world.lane_after(2.0, (Paint(side=LEFT, at_m=1.4, colour=YELLOW), Paint(side=RIGHT, at_m=-1.75)))
    right = edge(told, RIGHT)
    assert told.is_works and right.confidence < 0.3 < edge(told, LEFT).confidence


def test_adaptations_2_a_button_row_is_a_works_marking_where_the_law_says_so() -> None:
    rows = lane(2.8, STUDS, STUDS, colour=YELLOW)
    assert World(market="de").lane_after(1.0, rows).is_works
    assert not World(market="nl").lane_after(1.0, rows).edges, "unknown there: no lane of studs"


# --- adaptations 3: colours and raised markers ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "left", "colour", "horizon", "beyond", "may_cross"),
    [
        pytest.param("us", DOUBLE, YELLOW, None, LaneBeyond.ONCOMING, False, id="A3-us-double-yellow"),
        pytest.param("us", DASHED, YELLOW, None, LaneBeyond.ONCOMING, True, id="A3-us-broken-yellow"),
        pytest.param("us", SOLID, YELLOW, motorway(2), LaneBeyond.SHOULDER, False, id="A3-us-one-way-carriageway"),
        pytest.param("us", DASHED, WHITE, None, LaneBeyond.SAME_DIRECTION, True, id="A3-us-white"),
        pytest.param("no", SOLID, YELLOW, None, LaneBeyond.ONCOMING, False, id="A3-no-yellow"),
        pytest.param("de", DASHED, WHITE, None, LaneBeyond.UNKNOWN, True, id="A3-de-white-unknown-road"),
        pytest.param("de", DASHED, WHITE, motorway(3), LaneBeyond.SAME_DIRECTION, True, id="A3-de-motorway-right-lane"),
        pytest.param(
            "de",
            DASHED,
            WHITE,
            motorway(1, kind=RoadClass.SECONDARY, is_dual_carriageway=False),
            LaneBeyond.ONCOMING,
            True,
            id="A3-de-rural-centre-line",
        ),
        pytest.param("de", EDGE, WHITE, None, LaneBeyond.OFF_ROAD, False, id="A3-edge-of-the-road"),
    ],
)
def test_adaptations_3_what_lies_beyond_the_left_line(
    market: str, left: MarkingType, colour, horizon, beyond: LaneBeyond, may_cross: bool | None
) -> None:
    paint = (Paint(side=LEFT, at_m=1.75, form=left, colour=colour), Paint(side=RIGHT, at_m=-1.75, form=SOLID))
    found = edge(World(market=market, horizon=horizon).lane_after(3.0, paint), LEFT)
    assert found.beyond is beyond and found.may_cross is may_cross


@pytest.mark.parametrize("market", ["jp", "gb"])
def test_adaptations_3_left_hand_traffic_mirrors_the_opposing_side(market: str) -> None:
    horizon = motorway(1, kind=RoadClass.SECONDARY, is_dual_carriageway=False)
    told = World(market=market, horizon=horizon).lane_after(3.0, lane(3.25, SOLID, DASHED))
    assert edge(told, RIGHT).beyond is LaneBeyond.ONCOMING and edge(told, LEFT).beyond is LaneBeyond.SHOULDER


def test_adaptations_3_ae_stud_rows_keep_the_lane_at_medium_confidence() -> None:
    told = World(market="ae").lane_after(2.0, lane(3.65, STUDS, STUDS, paint_m=0.1))
    cap = MARKETS["ae"].ego_lane.raised_confidence
    assert told.edges and told.confidence == cap and told.is_fit_to_steer
    for left, right in ((STUDS, SOLID), (SOLID, STUDS)):
        painted = World(market="ae").lane_after(2.0, lane(3.65, left, right, paint_m=0.1))
        assert painted.confidence > cap, "a painted line agrees"


def test_adaptations_3_de_studs_without_works_are_no_lane() -> None:
    assert not World(market="de").lane_after(1.0, lane(3.5, STUDS, STUDS)).edges


def test_adaptations_3_gb_amber_studs_stand_on_the_central_side() -> None:
    paint = (Paint(side=LEFT, at_m=1.8, form=SOLID), Paint(side=RIGHT, at_m=-1.8, form=STUDS, colour=YELLOW))
    assert edge(World(market="gb").lane_after(1.0, paint), RIGHT).beyond is LaneBeyond.ONCOMING
    dual = World(market="gb", horizon=motorway(2)).lane_after(1.0, paint)
    assert edge(dual, RIGHT).beyond is LaneBeyond.SHOULDER


def test_adaptations_3_se_a_broken_line_may_be_the_roads_edge_off_the_motorway() -> None:
    rural = motorway(2, kind=RoadClass.PRIMARY, is_dual_carriageway=True)
    told = World(market="se", horizon=rural).lane_after(3.0, lane(3.5, SOLID, DASHED))
    assert told.lane_from_left is None, "leftmost lane, or the only one beside a broken edge line?"
    assert World(market="se", horizon=motorway(2)).lane_after(3.0, lane(3.5, SOLID, DASHED)).lane_from_left == 0


# --- one side missing, forks ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_one_side_alone_is_followed_at_the_width_from_before(side: LaneSide) -> None:
    world = World(lateral_m=0.1)
    world.hold(4.0, lane(3.2))
    alone = tuple(item for item in lane(3.2) if item.side is side)
    told = world.hold(3.0, alone)[-1]
    assert centre_at_axle_m(told) == pytest.approx(-0.1, abs=10 * MM)
    other = edge(told.lane, RIGHT if side is LEFT else LEFT)
    assert not other.is_seen and other.may_cross is None and other.confidence == 0.0
    away_m = -0.1 if side is RIGHT else 0.1
    assert other.distance_m == pytest.approx(1.6 + away_m - TYRE_M / 2, abs=10 * MM)
    drifting = world.hold(0.5, alone, rate_mps=0.3)[-1].lane
    here, there = edge(drifting, side), edge(drifting, RIGHT if side is LEFT else LEFT)
    assert there.rate_mps == pytest.approx(-here.rate_mps) and abs(here.rate_mps) > 0.25
    assert told.lane.is_fit_to_steer and told.lane.confidence < 0.8
    assert told.state == ("left_only" if side is LEFT else "right_only")


def test_one_side_alone_from_the_start_takes_the_markets_usual_width() -> None:
    told = World(market="us").lane_after(1.0, (Paint(side=RIGHT, at_m=-1.83),))
    assert told.width_m == MARKETS["us"].lanes.width.nominal_m


def test_nobody_steers_beside_one_line_for_long_but_warnings_go_on() -> None:
    world = World(speed_kmh=36.0)
    world.hold(2.0, lane(3.5))
    alone = (lane(3.5)[1],)
    told = world.hold(12.0, alone)
    gone = [item for item in told if not item.lane.is_fit_to_steer]
    assert gone and gone[0].reason == "one_side_long"
    limit_s = MARKETS["de"].ego_lane.one_side_s + MARKETS["de"].ego_lane.coast_s
    assert gone[0].now_s - told[0].now_s <= limit_s + 2 * STEP_S
    assert edge(told[-1].lane, RIGHT).is_seen
    assert world.lane_after(1.0, lane(3.5)).is_fit_to_steer


def test_the_next_lanes_line_never_stands_in_for_the_own_one() -> None:
    """The own dashes may end before the axle, or be too faint, in pictures that show the next line well."""
    world = World()
    beside = Paint(side=NEXT_LEFT, at_m=5.4, form=SOLID)
    world.hold(2.0, (*lane(3.5), beside))
    for told in world.hold(0.5, (lane(3.5)[1], beside)):
        assert abs(centre_at_axle_m(told)) < 0.02 and told.lane.width_m == pytest.approx(3.5, abs=0.02)
    fresh = World().lane_after(0.2, (lane(3.5)[1], beside))
    assert not edge(fresh, LEFT).is_seen


def test_the_edge_of_the_road_stands_in_for_a_missing_line() -> None:
    told = World().lane_after(1.0, (lane(3.5)[0], Paint(side=RIGHT, at_m=-2.0, form=EDGE, width_m=None)))
    right = edge(told, RIGHT)
    assert right.is_seen and right.beyond is LaneBeyond.OFF_ROAD and right.width_m == 0.0
    assert told.width_m == pytest.approx(3.75, abs=2 * MM)


def exit_lane(opened_m: float, lateral_m: float = 0.0) -> tuple[Paint, ...]:
    """An exit on the right: the right line runs off to the right."""
    return (Paint(side=LEFT, at_m=1.75, form=DASHED), Paint(side=RIGHT, at_m=-1.75 - opened_m))


def drive_past_exit(world: World, **how: object) -> list[Told]:
    world.hold(3.0, lane(3.5))
    told: list[Told] = []
    for step in range(60):  # 3 s in which the lane opens by 3 m; beyond the widest lane perception drops the far line
        opened_m = step * 0.05
        paint = exit_lane(opened_m) if opened_m < 2.5 else exit_lane(opened_m)[:1]
        told += world.hold(STEP_S, paint, **how)  # type: ignore[arg-type]
    return told


def test_at_an_exit_the_car_keeps_to_the_side_that_goes_on() -> None:
    told = drive_past_exit(World())
    assert max(abs(centre_at_axle_m(item)) for item in told) < 0.35, "never drawn towards the exit by more"
    assert abs(centre_at_axle_m(told[-1])) < 0.15
    assert "fork" in {item.state for item in told}


def test_at_an_exit_the_indicator_tells_the_side() -> None:
    told = drive_past_exit(World(), indicator=Indicator.RIGHT)
    forked = [item for item in told if item.state == "fork"]
    assert centre_at_axle_m(forked[-1]) < -1.0, "it follows the line that the driver wants"


@pytest.mark.parametrize(("market", "sign"), [("de", -1.0), ("gb", 1.0)])
def test_at_an_exit_the_map_tells_the_side(market: str, sign: float) -> None:
    """A slip road on the path leaves on the side of slow traffic: right here, left in left-hand traffic."""
    world = World(market=market, horizon=motorway(2, link_ahead_m=40.0))
    world.hold(3.0, lane(3.5))
    for step in range(30):
        near = Paint(side=LEFT, at_m=1.75 + (step * 0.05 if sign > 0 else 0.0))
        far = Paint(side=RIGHT, at_m=-1.75 - (step * 0.05 if sign < 0 else 0.0))
        told = world.hold(STEP_S, (near, far))[-1]
    assert told.state == "fork" and sign * centre_at_axle_m(told) > 0.5


def test_a_slip_road_far_ahead_tells_no_side() -> None:
    world = World(horizon=motorway(2, link_ahead_m=300.0))
    world.hold(3.0, lane(3.5))
    for step in range(30):
        told = world.hold(STEP_S, exit_lane(step * 0.05))[-1]
    assert told.state == "fork" and abs(centre_at_axle_m(told)) < 0.2


def test_a_fork_ends_once_the_width_was_as_before_for_its_time() -> None:
    world = World()
    world.hold(3.0, lane(3.5))
    wide = exit_lane(0.8)
    assert world.hold(0.5, wide)[-1].state == "fork"
    world.hold(0.3, lane(3.5))
    assert world.hold(0.4, wide)[-1].state == "fork", "as before for a moment only: the time starts anew"
    back = world.hold(1.5, lane(3.5))
    ends = next(item for item in back if item.state == "both")
    params_ = MARKETS["de"].ego_lane
    late_s = params_.jump_confirm_s + params_.fork_end_s
    assert ends.now_s - back[0].now_s == pytest.approx(late_s, abs=0.15)
    assert abs(centre_at_axle_m(back[-1])) < 0.02


def test_a_lane_that_stays_wider_is_wider() -> None:
    world = World()
    world.hold(3.0, lane(3.2))
    told = world.lane_after(4.0, lane(4.2))
    assert told.width_m == pytest.approx(4.2, abs=0.05) and told.reason == ""


# --- worn and covered markings ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "warmth_k", "reason"),
    [
        pytest.param("no", 268.0, "markings_under_snow", id="A8-no-snow"),
        pytest.param("no", 290.0, "markings_worn", id="A8-no-summer"),
        pytest.param("ae", 310.0, "markings_under_sand", id="A8-ae-sand"),
        pytest.param("ae", 268.0, "markings_worn", id="A8-ae-frost"),
        pytest.param("de", 290.0, "markings_worn", id="A8-de-worn"),
    ],
)
def test_adaptations_8_covered_markings_warn_only(market: str, warmth_k: float, reason: str) -> None:
    """Lines that come and go: the lane may warn, nobody steers by it, and the reason says what may hide them."""
    world = World(market=market)
    world.hold(2.0, lane(3.5))
    fit = True
    for _ in range(12):
        world.hold(0.2, lane(3.5), warmth_k=warmth_k)
        told = world.hold(0.9, (), warmth_k=warmth_k)
        fit = told[-1].lane.is_fit_to_steer
    told = world.hold(0.1, lane(3.5), warmth_k=warmth_k)
    assert told[-1].lane.edges and not told[-1].lane.is_fit_to_steer and not fit
    assert told[-1].lane.reason == reason
    assert world.lane_after(10.0, lane(3.5)).is_fit_to_steer


# --- what always holds ------------------------------------------------------------------------------------------------

lines = st.builds(
    Paint,
    side=st.sampled_from([LEFT, RIGHT, NEXT_LEFT, NEXT_RIGHT]),
    at_m=st.floats(-6.0, 6.0),
    form=st.sampled_from(list(MarkingType)),
    colour=st.sampled_from([WHITE, YELLOW, ORANGE]),
    width_m=st.sampled_from([None, 0.1, 0.3]),
    confidence=st.floats(0.0, 1.0),
)
scenes = st.lists(st.tuples(st.lists(lines, max_size=5), st.floats(-1.0, 1.0), st.integers(1, 12)), max_size=8)


@settings(max_examples=150, deadline=None)
@given(scenes, st.sampled_from(sorted(MARKETS)), st.floats(0.0, 140.0), st.sampled_from([None, 1, 2, 3]))
def test_whatever_is_painted_the_lane_keeps_its_promises(
    sequence: list[tuple[list[Paint], float, int]], market: str, speed_kmh: float, lanes: int | None
) -> None:
    horizon = None if lanes is None else motorway(lanes)
    world = World(market=market, speed_kmh=speed_kmh, horizon=horizon)
    chosen = MARKETS[market]
    for paint, rate_mps, pictures in sequence:
        for told in world.hold(pictures * STEP_S, tuple(paint), rate_mps=rate_mps):
            here = told.lane
            assert len(here.edges) in (0, 2), "both edges, or no lane"
            assert here.edges or (here.confidence == 0.0 and not here.is_fit_to_steer and here.reason)
            assert here.is_fit_to_steer or here.reason
            if not here.edges:
                continue
            left, right = edge(here, LEFT), edge(here, RIGHT)
            assert left.is_seen or right.is_seen
            assert here.width_m is not None and math.isfinite(here.offset_m)
            if here.is_fit_to_steer:
                assert here.confidence >= chosen.ego_lane.steer_confidence_min and here.is_calibrated
                clearance_m = 2.0 * chosen.ego_lane.side_clearance_m
                assert here.width_m >= CAR.dimensions.width_with_mirrors_m + clearance_m - 1e-9
                assert here.is_works or here.width_m >= chosen.lanes.width.min_m - 1e-9
                assert here.width_m <= chosen.lanes.width.max_m + 1e-9
            assert here.is_works is False or chosen.lanes.works.overrides_permanent
            if here.lane_from_left is not None and here.lanes is not None:
                assert 0 <= here.lane_from_left < here.lanes
            assert here.shift_m == 0.0 or chosen.corridor.is_required
            # a shifted car, in its wanted place, never stands on a marking
            room_m = 0.5 * here.width_m - TYRE_M / 2 - abs(here.shift_m)
            assert here.shift_m == 0.0 or room_m >= chosen.ego_lane.corridor_room_m - 1e-9


def test_parameters_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="corridor_until_kmh"):
        params(MARKETS["de"], corridor_until_kmh=8.0)
    with pytest.raises(ValueError, match="narrow_confidence"):
        params(MARKETS["de"], narrow_confidence=0.6)
