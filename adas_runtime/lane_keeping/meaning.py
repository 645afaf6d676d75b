"""What lane lines mean in a market: works, opposing traffic, what may be crossed, and which lane it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adas_runtime.lane_keeping.track import Seen
from adas_runtime.market.facts import Corridor, places
from adas_runtime.market.schema import LaneFacts
from adas_runtime.records import maker
from adas_runtime.signals import Horizon, HorizonSegment, LaneBeyond, LaneSide, MarkingColour, MarkingType, RoadClass

COLOURS: Final = {
    "white": MarkingColour.WHITE,
    "yellow": MarkingColour.YELLOW,
    "orange": MarkingColour.ORANGE,
    "blue": MarkingColour.BLUE,
}
OWN_SIDES: Final = (LaneSide.LEFT, LaneSide.RIGHT)
LEFT_SIDES: Final = (LaneSide.LEFT, LaneSide.NEXT_LEFT)
CLOSED: Final = (MarkingType.SOLID, MarkingType.DOUBLE_SOLID, MarkingType.ROAD_EDGE)
CROSSING: Final = {  # a line solid on one side and broken on the other does not say which side is ours
    MarkingType.DASHED: True,
    MarkingType.SOLID: False,
    MarkingType.DOUBLE_SOLID: False,
    MarkingType.ROAD_EDGE: False,
}


@dataclass(frozen=True, slots=True)
class Road:
    """What the map says of the road that the car is on; the defaults stand for no map.

    Args:
        lanes: Lanes in our direction.
        is_dual: Directions are separated.
        is_motorway: It is a motorway.
        is_link: Slip road.
        asks_corridor: The market's law asks for an emergency corridor on it, as far as it can be any other kind.
        exit_m: Distance to a slip road on the car's path, `None` where there is none.
    """

    lanes: int | None = None
    is_dual: bool | None = None
    is_motorway: bool = False
    is_link: bool = False
    asks_corridor: bool = False
    exit_m: float | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which of the seen lines bound the lane.

    Args:
        left, right: The lines, `None` where there is none.
        left_weight, right_weight: Share of their confidence that they have under the market's works rules.
        is_works: A works marking is among them.
        has_next_left, has_next_right: Another line is seen beyond.
    """

    left: Seen | None
    right: Seen | None
    left_weight: float
    right_weight: float
    is_works: bool
    has_next_left: bool
    has_next_right: bool


make_choice = maker(Choice)


class LaneRules:
    """The market's rules for lane lines."""

    def __init__(self, facts: LaneFacts, corridor: Corridor, *, is_left_hand: bool) -> None:
        self.is_left_hand = is_left_hand
        self.opposing_side = LaneSide.RIGHT if is_left_hand else LaneSide.LEFT
        self.opposing = COLOURS[facts.opposing_line_colour]
        self.has_opposing_colour = self.opposing is not MarkingColour.WHITE
        self.edge = COLOURS[facts.edge_line_colour]
        self.has_dashed_edges = facts.edge_line_pattern == "dashed_off_motorway"
        works = frozenset(COLOURS[name] for name in facts.works.colours)
        self.works = works if facts.works.overrides_permanent else frozenset()
        self._cancels_m = 0.5 * facts.width.works_min_m
        self.has_raised_works = facts.works.has_raised
        self.has_raised = facts.raised.is_used
        centre = facts.raised.centre_colour
        self.raised_centre = None if centre is None else COLOURS[centre]
        self._corridor = corridor

    # --- which lines bound the lane -----------------------------------------------------------------------------------

    def believes(self, seen: Seen) -> bool:
        """Whether such a line can be a lane boundary in this market."""
        if seen.type is not MarkingType.STUDS or self.has_raised:
            return True
        return self.has_raised_works and seen.colour in self.works  # StVO 39(5): button rows

    def choose(self, seen: Sequence[Seen], white_weight: float, *, is_works: bool) -> Choice:
        """The lane's lines among all that are seen.

        Where the law says so, works markings cancel permanent ones (StVO 39(5)). A permanent line on a side without a
        works marking keeps `white_weight` of its confidence.

        Args:
            seen: Believed lines, any order.
            white_weight: See above.
            is_works: Works markings were seen shortly before.
        """
        left = right = works_left = works_right = None
        next_left = next_right = False
        for line in seen:
            next_left = next_left or line.side is LaneSide.NEXT_LEFT
            next_right = next_right or line.side is LaneSide.NEXT_RIGHT
            if line.side in LEFT_SIDES:
                # a next line never stands in for an own line that this picture does not show well enough
                if line.side is LaneSide.LEFT and (left is None or abs(line.y_m) < abs(left.y_m)):
                    left = line
                if line.colour in self.works and (works_left is None or line.y_m < works_left.y_m):
                    works_left = line
            else:
                if line.side is LaneSide.RIGHT and (right is None or abs(line.y_m) < abs(right.y_m)):
                    right = line
                if line.colour in self.works and (works_right is None or line.y_m > works_right.y_m):
                    works_right = line
        if works_left is not None and not self._cancels(works_left, left):
            works_left = None
        if works_right is not None and not self._cancels(works_right, right):
            works_right = None
        if works_left is not None or works_right is not None:
            left_weight = right_weight = 1.0
            if works_left is not None:
                left = works_left
            elif left is not None:
                left_weight = white_weight
            if works_right is not None:
                right = works_right
            elif right is not None:
                right_weight = white_weight
            return make_choice(left, right, left_weight, right_weight, True, next_left, next_right)
        if self.has_opposing_colour:
            if self.is_left_hand:
                left = self._not_opposing(left, seen, LaneSide.NEXT_LEFT)
            else:
                right = self._not_opposing(right, seen, LaneSide.NEXT_RIGHT)
        weight = white_weight if is_works else 1.0
        return make_choice(left, right, weight, weight, False, next_left, next_right)

    def _cancels(self, works: Seen, own: Seen | None) -> bool:
        """Whether a works marking is the own lane's: perception says so, or it lies beside the own permanent line."""
        if works.side in OWN_SIDES:
            return True
        return own is not None and abs(works.y_m - own.y_m) <= self._cancels_m

    def _not_opposing(self, line: Seen | None, seen: Sequence[Seen], beyond: LaneSide) -> Seen | None:
        """On the side of the road's edge a line of the opposing colour means nothing where another is seen near it."""
        if line is None or line.colour is not self.opposing or self.edge is self.opposing:
            return line
        for other in seen:
            if other.side is beyond and other.colour is not self.opposing and abs(other.y_m - line.y_m) < 1.0:
                return other
        return line

    # --- what they mean -----------------------------------------------------------------------------------------------

    def may_cross(self, form: MarkingType) -> bool | None:
        """Whether a line of this form may be crossed from the lane."""
        return CROSSING.get(form)

    def beyond(
        self,
        side: LaneSide,
        form: MarkingType,
        colour: MarkingColour,
        road: Road,
        number: int | None,
        *,
        has_next: bool,
        is_works: bool,
    ) -> LaneBeyond:
        """What lies beyond an edge of the lane.

        Args:
            side: Left or right.
            form, colour: Of its marking.
            road: What the map says.
            number: The lane's number from the left, 0 leftmost, `None` unknown.
            has_next: Another line is seen beyond this one, a lane's width away.
            is_works: Works markings hold.
        """
        if form is MarkingType.ROAD_EDGE:
            return LaneBeyond.OFF_ROAD
        lanes = road.lanes
        is_outermost = number is not None and (
            number == 0 if side is LaneSide.LEFT else lanes is not None and number == lanes - 1
        )
        if side is self.opposing_side:
            if is_works and colour in self.works:
                return LaneBeyond.UNKNOWN  # works lanes cross over: it may be either direction
            if form is MarkingType.STUDS and colour is self.raised_centre:
                return LaneBeyond.SHOULDER if road.is_dual else LaneBeyond.ONCOMING
            if self.has_opposing_colour and colour is self.opposing:
                return LaneBeyond.SHOULDER if road.is_dual or road.is_motorway else LaneBeyond.ONCOMING
            if self.has_opposing_colour and colour is MarkingColour.WHITE:
                return LaneBeyond.SAME_DIRECTION
            if is_outermost:
                if road.is_dual is None:
                    return LaneBeyond.SHOULDER if road.is_motorway else LaneBeyond.UNKNOWN
                return LaneBeyond.SHOULDER if road.is_dual else LaneBeyond.ONCOMING
            return LaneBeyond.SAME_DIRECTION if number is not None else LaneBeyond.UNKNOWN
        if is_outermost:
            return LaneBeyond.SHOULDER
        if number is not None and (side is LaneSide.LEFT or lanes is not None):
            return LaneBeyond.SAME_DIRECTION
        if form is MarkingType.DASHED and has_next and not self._may_be_edge(road):
            return LaneBeyond.SAME_DIRECTION
        return LaneBeyond.UNKNOWN

    def _may_be_edge(self, road: Road) -> bool:
        return self.has_dashed_edges and not road.is_motorway

    def number_hint(
        self, left: MarkingType, right: MarkingType, left_colour: MarkingColour, right_colour: MarkingColour, road: Road
    ) -> int | None:
        """The lane's number from the left as this picture's markings tell it, `None` where they do not."""
        lanes = road.lanes
        if lanes == 1:
            return 0
        closes_left = left in CLOSED or (
            self.has_opposing_colour and left_colour is self.opposing and not self.is_left_hand
        )
        closes_right = right in CLOSED or (
            self.has_opposing_colour and right_colour is self.opposing and self.is_left_hand
        )
        opens_left, opens_right = left is MarkingType.DASHED, right is MarkingType.DASHED
        if self._may_be_edge(road):  # a broken line at the side of the road may be its edge
            opens_left, opens_right = opens_left and not self.is_left_hand, opens_right and self.is_left_hand
        if closes_left and opens_right and not opens_left:
            return 0
        if lanes is None:
            return None
        if closes_right and opens_left and not opens_right:
            return lanes - 1
        if opens_left and opens_right and not closes_left and not closes_right and lanes == 3:
            return 1
        return None

    # --- the map ------------------------------------------------------------------------------------------------------

    def road(self, horizon: Horizon | None) -> Road:
        """What the map says of the road that the car is on."""
        if horizon is None or not horizon.is_matched or not horizon.segments:
            return Road()
        here = horizon.segments[0]
        exit_m = None
        if not here.is_link:
            exit_m = next((max(item.offset_m, 0.0) for item in horizon.segments if item.is_link), None)
        return Road(
            lanes=here.lanes,
            is_dual=here.is_dual_carriageway,
            is_motorway=here.road_class is RoadClass.MOTORWAY,
            is_link=here.is_link,
            asks_corridor=self._asks_corridor(here),
            exit_m=exit_m,
        )

    def _asks_corridor(self, here: HorizonSegment) -> bool:
        """The law asks for a corridor on every kind of road that this one may be (StVO 11(2))."""
        if not self._corridor.is_required or here.is_link or self.is_left_hand:
            return False  # no listed market defines the mirrored corridor of left-hand traffic
        if here.lanes is None or here.lanes < 2:
            return False
        kinds = places(
            here.road_class, is_built_up=here.is_built_up, is_dual=here.is_dual_carriageway, lanes=here.lanes
        )
        return bool(kinds) and all(kind in self._corridor.roads for kind in kinds)
