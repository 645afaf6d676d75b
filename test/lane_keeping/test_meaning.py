"""What lane lines mean by market: choice, what lies beyond, and the lane's number, case by case."""

from __future__ import annotations

import pytest
from lane_world import DASHED, EDGE, LEFT, MARKETS, NEXT_LEFT, NEXT_RIGHT, RIGHT, SOLID, STUDS, WHITE, YELLOW

from adas_runtime.lane_keeping.meaning import LaneRules, Road
from adas_runtime.lane_keeping.track import Seen
from adas_runtime.signals import LaneBeyond, LaneSide, MarkingColour, MarkingType

UNKNOWN, SAME, ONCOMING = LaneBeyond.UNKNOWN, LaneBeyond.SAME_DIRECTION, LaneBeyond.ONCOMING
SHOULDER, OFF_ROAD = LaneBeyond.SHOULDER, LaneBeyond.OFF_ROAD
MOTORWAY = Road(lanes=3, is_dual=True, is_motorway=True)
UNDIVIDED = Road(lanes=2, is_dual=False)


def rules(name: str) -> LaneRules:
    market = MARKETS[name]
    return LaneRules(market.lanes, market.corridor, is_left_hand=market.road.traffic_side == "left")


def seen(side: LaneSide, y_m: float, colour: MarkingColour = WHITE, form: MarkingType = SOLID) -> Seen:
    return Seen(side, y_m, 0.0, 0.0, 0.0, 0.15, form, colour, 0.9, 50.0)


@pytest.mark.parametrize(
    ("market", "side", "form", "colour", "road", "number", "has_next", "works", "wanted"),
    [
        ("de", LEFT, SOLID, WHITE, MOTORWAY, 0, False, False, SHOULDER),
        ("de", LEFT, SOLID, WHITE, MOTORWAY, 1, False, False, SAME),
        ("de", LEFT, SOLID, WHITE, Road(lanes=2, is_motorway=True), 0, False, False, SHOULDER),
        ("de", LEFT, SOLID, WHITE, Road(lanes=2), 0, False, False, UNKNOWN),
        ("de", LEFT, DASHED, WHITE, UNDIVIDED, 0, False, False, ONCOMING),
        ("de", LEFT, SOLID, YELLOW, MOTORWAY, 0, False, True, UNKNOWN),  # works lanes cross over
        ("de", RIGHT, SOLID, WHITE, MOTORWAY, 2, False, False, SHOULDER),
        ("de", RIGHT, SOLID, WHITE, MOTORWAY, 1, False, False, SAME),
        ("de", RIGHT, DASHED, WHITE, Road(), 0, False, False, UNKNOWN),  # of how many lanes?
        ("de", RIGHT, DASHED, WHITE, Road(), None, True, False, SAME),
        ("de", RIGHT, DASHED, WHITE, Road(), None, False, False, UNKNOWN),
        ("de", RIGHT, SOLID, WHITE, Road(), None, True, False, UNKNOWN),
        ("de", RIGHT, EDGE, WHITE, MOTORWAY, 1, True, False, OFF_ROAD),
        ("se", RIGHT, DASHED, WHITE, Road(), None, True, False, UNKNOWN),  # may be the broken edge line
        ("se", RIGHT, DASHED, WHITE, MOTORWAY, None, True, False, SAME),
        ("us", LEFT, SOLID, YELLOW, Road(is_motorway=True), None, False, False, SHOULDER),
        ("us", LEFT, SOLID, YELLOW, UNDIVIDED, 0, False, False, ONCOMING),
        ("us", RIGHT, SOLID, YELLOW, Road(), None, False, False, UNKNOWN),
        ("gb", RIGHT, STUDS, YELLOW, Road(is_dual=False), None, False, False, ONCOMING),
        ("gb", RIGHT, SOLID, YELLOW, Road(), None, False, False, UNKNOWN),  # amber is a matter of studs
        ("gb", RIGHT, STUDS, WHITE, Road(), None, False, False, UNKNOWN),
        ("jp", LEFT, SOLID, WHITE, UNDIVIDED, 0, False, False, SHOULDER),
        ("jp", LEFT, DASHED, WHITE, UNDIVIDED, 1, False, False, SAME),
        ("jp", RIGHT, SOLID, WHITE, UNDIVIDED, 1, False, False, ONCOMING),
    ],
)
def test_what_lies_beyond(
    market: str,
    side: LaneSide,
    form: MarkingType,
    colour: MarkingColour,
    road: Road,
    number: int | None,
    has_next: bool,
    works: bool,
    wanted: LaneBeyond,
) -> None:
    found = rules(market).beyond(side, form, colour, road, number, has_next=has_next, is_works=works)
    assert found is wanted


@pytest.mark.parametrize(
    ("market", "left", "right", "left_colour", "right_colour", "road", "wanted"),
    [
        ("de", SOLID, DASHED, WHITE, WHITE, Road(lanes=4), 0),
        ("de", SOLID, DASHED, WHITE, WHITE, Road(), 0),
        ("de", DASHED, SOLID, WHITE, WHITE, Road(lanes=4), 3),
        ("de", DASHED, SOLID, WHITE, WHITE, Road(), None),
        ("de", DASHED, DASHED, WHITE, WHITE, Road(lanes=3), 1),
        ("de", DASHED, DASHED, WHITE, WHITE, Road(lanes=2), None),
        ("de", DASHED, DASHED, WHITE, WHITE, Road(lanes=4), None),
        ("de", DASHED, DASHED, WHITE, WHITE, Road(lanes=1), 0),
        ("de", SOLID, SOLID, WHITE, WHITE, Road(lanes=3), None),
        ("de", SOLID, SOLID, WHITE, WHITE, Road(lanes=1), 0),
        ("us", DASHED, DASHED, YELLOW, WHITE, Road(lanes=3), None),  # left-turn lane: neither open nor closed for sure
        ("us", MarkingType.UNKNOWN, DASHED, YELLOW, WHITE, Road(lanes=2), 0),
        ("jp", DASHED, SOLID, WHITE, WHITE, Road(lanes=2), 1),
        ("se", SOLID, DASHED, WHITE, WHITE, Road(lanes=2), None),
        ("se", SOLID, DASHED, WHITE, WHITE, Road(lanes=2, is_motorway=True), 0),
        ("se", DASHED, SOLID, WHITE, WHITE, Road(lanes=2), 1),
    ],
)
def test_the_lanes_number(
    market: str,
    left: MarkingType,
    right: MarkingType,
    left_colour: MarkingColour,
    right_colour: MarkingColour,
    road: Road,
    wanted: int | None,
) -> None:
    assert rules(market).number_hint(left, right, left_colour, right_colour, road) == wanted


def test_of_two_lines_of_a_side_the_nearer_one_bounds_the_lane() -> None:
    lines = (seen(LEFT, 2.4), seen(LEFT, 1.8), seen(RIGHT, -2.3), seen(RIGHT, -1.7))
    for order in (lines, lines[::-1]):
        choice = rules("nl").choose(order, 0.2, is_works=False)
        assert choice.left is not None and choice.right is not None
        assert (choice.left.y_m, choice.right.y_m) == (1.8, -1.7)
        works = rules("de").choose(tuple(seen(item.side, item.y_m, YELLOW) for item in order), 0.2, is_works=False)
        assert works.left is not None and works.right is not None and works.is_works
        assert (works.left.y_m, works.right.y_m) == (1.8, -1.7)
        assert (works.left_weight, works.right_weight) == (1.0, 1.0)


@pytest.mark.parametrize("side", [LEFT, RIGHT])
def test_a_works_marking_on_one_side_leaves_the_other_its_share(side: LaneSide) -> None:
    own, sign = (LEFT, 1.0) if side is LEFT else (RIGHT, -1.0)
    other = RIGHT if side is LEFT else LEFT
    choice = rules("de").choose((seen(own, sign * 1.4, YELLOW), seen(other, -sign * 1.8)), 0.2, is_works=False)
    assert (choice.left_weight, choice.right_weight) == ((1.0, 0.2) if side is LEFT else (0.2, 1.0))
    alone = rules("de").choose((seen(own, sign * 1.4, YELLOW),), 0.2, is_works=False)
    assert (alone.right if side is LEFT else alone.left) is None and alone.is_works


@pytest.mark.parametrize(
    ("market", "own", "beyond", "y_m", "is_replaced"),
    [
        ("us", RIGHT, NEXT_RIGHT, -0.5, True),
        ("us", RIGHT, NEXT_RIGHT, -1.5, False),  # the next lane's line
        ("us", LEFT, NEXT_LEFT, 0.5, False),  # there it is the opposing line
        ("ae", RIGHT, NEXT_RIGHT, -0.5, False),  # yellow edge lines
    ],
)
def test_an_opposing_colour_on_the_roads_side(
    market: str, own: LaneSide, beyond: LaneSide, y_m: float, is_replaced: bool
) -> None:
    at_m = 1.6 if own is LEFT else -1.6
    line, next_line = seen(own, at_m, YELLOW), seen(beyond, at_m + y_m, WHITE)
    choice = rules(market).choose((line, next_line), 0.2, is_works=False)
    found = choice.left if own is LEFT else choice.right
    assert found is (next_line if is_replaced else line)
