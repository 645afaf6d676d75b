"""Is this a road for automatic lane changes, and does rear sensing see (UN R79 5.6.4.2.3, 5.6.4.8.3, 5.6.4.8.4)?

The road has to be closed to people on foot and cycles, with directions physically separated, and that has to be shown
by two means of which neither knows of the other: the map, and what the car sees itself (a sign, or the lane camera and
the road users around).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Final

from adas_runtime.lane_keeping.change_params import AutomaticLaneChangeParams
from adas_runtime.records import maker
from adas_runtime.signals import (
    EgoLane,
    Horizon,
    MarkingType,
    ObjectClass,
    RoadClass,
    SignKind,
    SignObservations,
    TrackedObjects,
)

CONFIDENCE_MIN: Final = 0.5
ENTRIES: Final = (SignKind.MOTORWAY_ENTRY, SignKind.EXPRESSWAY_ENTRY)
EXITS: Final = (SignKind.MOTORWAY_EXIT, SignKind.EXPRESSWAY_EXIT, SignKind.CITY_ENTRY, SignKind.LIVING_STREET_ENTRY)
ON_FOOT: Final = (ObjectClass.PEDESTRIAN, ObjectClass.CYCLIST)
ON_FOOT_M: Final = 12.0  # to the side: farther away they may be behind a fence or on a bridge
ONCOMING_MPS: Final = -3.0
ONCOMING_M: Final = 4.8  # to the side; beyond a barrier oncoming traffic is farther away
LANE_WIDTH_MIN_M: Final = 3.0
GAP_MAX_S: Final = 3.0  # no broken line for so long (a bridge, rain, a solid line at an exit) loses the camera's proof
STEP_MAX_S: Final = 1.0
MOVING_MPS: Final = 3.0  # R79 5.6.4.8.3: a moving object
BORN_S: Final = 0.3  # a track this young has just been seen for the first time
FASTER_MPS: Final = 2.0  # it came from behind


@dataclass(frozen=True, slots=True)
class Watch:
    """What was seen of road and traffic until now.

    Args:
        stamp_s: Of the lane or road users taken last.
        now_s: Time of that step.
        is_map: The map says that it is such a road.
        is_sign: A sign says so, seen `sign_m` ago.
        sign_m: Driven since [m].
        seen_s: The camera has seen a broken line to another lane for this long [s].
        gap_s: And for this long none [s].
        foe_s: When somebody on foot, a cycle or oncoming traffic was seen last.
        proven_s: When the road was proven last.
        has_seen_far: A moving object was seen beyond the range of rear sensing in this run cycle.
        unseen: Vehicles that came up from behind without having been seen before, since.
        unseen_id: The last of them.
    """

    stamp_s: float = -inf
    now_s: float = -inf
    is_map: bool = False
    is_sign: bool = False
    sign_m: float = 0.0
    seen_s: float = 0.0
    gap_s: float = 0.0
    foe_s: float = -inf
    proven_s: float = -inf
    has_seen_far: bool = False
    unseen: int = 0
    unseen_id: int = -1


NOTHING_SEEN: Final = Watch()
make_watch = maker(Watch)


def is_map_road(horizons: tuple[Horizon, ...]) -> bool:
    """Whether the map says: a motorway, or a divided main road outside of towns, and no slip road."""
    for horizon in horizons:
        if not horizon.is_matched or not horizon.segments:
            continue
        here = horizon.segments[0]
        if here.is_link:
            return False
        if here.road_class is RoadClass.MOTORWAY:
            return here.is_dual_carriageway is not False
        return here.road_class is RoadClass.TRUNK and here.is_dual_carriageway is True and here.is_built_up is False
    return False


class RoadWatch:
    """Takes what is seen; `Watch` is its memory, kept by the core."""

    def __init__(self, params: AutomaticLaneChangeParams, *, range_m: float | None, rear_m: float) -> None:
        self._params = params
        self._range_m = inf if range_m is None else range_m
        self._rear_m = rear_m

    def step(
        self,
        watch: Watch,
        now_s: float,
        *,
        speed_mps: float,
        lane: EgoLane | None,
        objects: TrackedObjects | None,
        horizons: tuple[Horizon, ...],
        signs: tuple[SignObservations, ...],
    ) -> Watch:
        """What is known after these inputs; the caller leaves out steps in which nothing new came."""
        params = self._params
        dt_s = min(max(now_s - watch.now_s, 0.0), STEP_MAX_S)
        is_map = is_map_road(horizons)
        # signs
        is_sign, sign_m = watch.is_sign, watch.sign_m + max(speed_mps, 0.0) * dt_s
        for seen in signs:
            for sign in seen.signs:
                if sign.confidence >= CONFIDENCE_MIN and sign.is_relevant:
                    if sign.kind in ENTRIES:
                        is_sign, sign_m = True, 0.0
                    elif sign.kind in EXITS:
                        is_sign = False
        is_sign = is_sign and sign_m <= params.sign_hold_m
        # the lane camera
        seen_s, gap_s = watch.seen_s, watch.gap_s
        if lane is not None and _is_open(lane):
            seen_s, gap_s = min(seen_s + dt_s, params.camera_confirm_s), 0.0
        else:
            gap_s += dt_s
            if gap_s > GAP_MAX_S:
                seen_s = 0.0
        # road users
        foe_s, has_far, unseen, unseen_id = watch.foe_s, watch.has_seen_far, watch.unseen, watch.unseen_id
        if objects is not None:
            far_m = -self._rear_m - self._range_m
            near_m = 0.5 * far_m
            for item in objects.objects:
                x_m, y_m = item.x_m, item.y_m
                if item.object_class in ON_FOOT:
                    if -5.0 < x_m < 150.0 and -ON_FOOT_M < y_m < ON_FOOT_M:
                        foe_s = now_s
                elif item.speed_x_mps < ONCOMING_MPS:
                    if 0.0 < x_m < 150.0:
                        at_m = 0.0 if lane is None else lane.centre_m(min(x_m, lane.x_max_m))
                        if abs(y_m - at_m) < ONCOMING_M:
                            foe_s = now_s
                elif x_m < far_m:
                    if item.speed_x_mps > MOVING_MPS:
                        has_far, unseen = True, 0
                elif (
                    near_m < x_m < -self._rear_m
                    and item.age_s <= BORN_S
                    and item.speed_x_mps > speed_mps + FASTER_MPS
                    and item.object_id != unseen_id
                ):
                    unseen, unseen_id = unseen + 1, item.object_id
        is_seen = is_sign or seen_s >= params.camera_confirm_s - 1e-6
        is_proven = is_map and is_seen and now_s - foe_s > params.clear_s and objects is not None
        return make_watch(
            max(-inf if lane is None else lane.stamp_s, -inf if objects is None else objects.stamp_s),
            now_s,
            is_map,
            is_sign,
            sign_m,
            seen_s,
            gap_s,
            foe_s,
            now_s if is_proven else watch.proven_s,
            has_far,
            unseen,
            unseen_id,
        )

    def is_proven(self, watch: Watch, now_s: float) -> bool:
        """Whether the road was proven until shortly before."""
        return now_s - watch.proven_s <= self._params.road_lost_s

    def is_seeing(self, watch: Watch) -> bool:
        """Whether rear sensing is known to see."""
        return watch.has_seen_far and watch.unseen < self._params.blind_after


def _is_open(lane: EgoLane) -> bool:
    """A lane as wide as on such roads, with a broken line on a side."""
    if lane.width_m is None or lane.width_m < LANE_WIDTH_MIN_M:
        return False
    return any(edge.is_seen and edge.type is MarkingType.DASHED and edge.may_cross is True for edge in lane.edges)
