"""Lane change under driver control assistance: gap, indicator, the way to the other lane (UN R171 5.3.7.2, 6.2).

The procedure (LCP) begins with the indicator. The manoeuvre itself (LCM) begins where the front tyre reaches the outer
edge of the marking, and ends with all wheels across. Until the tyre is there, everything that speaks against the change
takes the car back to the middle of its lane.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict
from adas_runtime.dcas.params import (
    CHANGE_ASSUMED_KMH,
    CHANGE_DECEL_LAW_MPS2,
    CHANGE_LATERAL_LAW_MPS2,
    CHANGE_REACTION_SEEN_S,
    CHANGE_REACTION_UNSEEN_S,
    CHANGE_REAR_DECEL_LAW_MPS2,
    CHANGE_REAR_GAP_LEAST_S,
    CHANGE_SEEN_LEAST_S,
    CHANGE_START_LATEST_S,
    INDICATOR_LEAST_S,
)
from adas_runtime.function import EPS_S
from adas_runtime.lateral.gap import Around, around, least_gap_m
from adas_runtime.lateral.way import NO_WAY, Way
from adas_runtime.records import maker
from adas_runtime.signals import (
    AlertSide,
    EgoLane,
    LaneBeyond,
    LaneSide,
    ManoeuvreState,
    TrackedObjects,
)
from adas_runtime.transitions import Table, Transition
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

ASSUMED_MPS: Final = kmh_to_mps(CHANGE_ASSUMED_KMH)


class LaneChangeParams(Strict):
    """Lane changes under assistance (UN R171 6.2)."""

    is_enabled: bool = Field(description="Lane changes that the driver starts with the indicator.")
    is_proposed: bool = Field(description="Assistance proposes one past a slower car, and the driver confirms it.")
    on_other_roads: bool = Field(
        description="Also where the map does not say that it is a motorway or a divided road; false: only there."
    )
    indicator_s: float = Field(
        ge=INDICATOR_LEAST_S, le=5.0, description="Least time of the indicator before the tyre is at the line [s]."
    )
    wait_max_s: float = Field(
        gt=0.0, le=30.0, description="It waits this long for a gap, from the indicator to the tyre at the line [s]."
    )
    may_wait_longer: bool = Field(description="The law of the country lets it wait for longer than 7 s (R171 6.2.9.5).")
    lateral_accel_mps2: float = Field(
        gt=0.0, le=CHANGE_LATERAL_LAW_MPS2, description="Lateral acceleration on top of the curve's [m/s^2]."
    )
    line_mps: float = Field(
        ge=0.2,
        le=1.0,
        description="Speed to the side with which the tyre comes to the line: called off there, the car needs room to "
        "stop, and the less the slower it is [m/s].",
    )
    return_accel_mps2: float = Field(
        ge=0.5,
        le=CHANGE_LATERAL_LAW_MPS2,
        description="Lateral acceleration on the way back into the lane, on top of the curve's [m/s^2].",
    )
    curve_accel_max_mps2: float = Field(
        gt=0.0, le=2.0, description="No change where the curve itself asks for more than this [m/s^2]."
    )
    from_kmh: float = Field(ge=0.0, le=100.0, description="Not below this speed [km/h].")
    rear_decel_mps2: float = Field(
        gt=0.0,
        le=CHANGE_REAR_DECEL_LAW_MPS2,
        description="Braking that it may ask of a vehicle behind [m/s^2].",
    )
    rear_gap_s: float = Field(
        ge=CHANGE_REAR_GAP_LEAST_S, le=5.0, description="A vehicle behind never comes nearer than this way of ours [s]."
    )
    front_gap_s: float = Field(ge=0.5, le=5.0, description="Gap to the vehicle ahead in the other lane [s].")
    ego_decel_mps2: float = Field(
        gt=0.0, le=CHANGE_DECEL_LAW_MPS2, description="The car brakes no harder than this meanwhile [m/s^2]."
    )
    beside_m: float = Field(ge=0.5, le=10.0, description="Room kept free beside, ahead of and behind the car [m].")
    propose_slower_kmh: float = Field(
        gt=0.0, le=80.0, description="Proposed past a car slower than the speed allowed by this much [km/h]."
    )
    propose_after_s: float = Field(ge=0.0, le=60.0, description="After this time behind it [s].")
    propose_for_s: float = Field(gt=0.0, le=60.0, description="A proposal stands this long [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.wait_max_s > CHANGE_START_LATEST_S and not self.may_wait_longer:
            raise ValueError("wait_max_s is above 7 s, which only may_wait_longer permits (R171 6.2.7, 6.2.9.5)")
        if self.wait_max_s <= self.indicator_s:
            raise ValueError("wait_max_s must be above indicator_s")
        return self


def may_start(
    indicator_s: float, *, is_gap: bool, indicator_least_s: float, latest_s: float
) -> Literal["start", "wait", "suppress"]:
    """Whether the manoeuvre may start now (R171 6.2.6, 6.2.7): `indicator_s` after the start of the procedure."""
    if indicator_s > latest_s + EPS_S:
        return "suppress"
    return "start" if is_gap and indicator_s + EPS_S >= indicator_least_s else "wait"


class State(Enum):
    """How far a lane change has come."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    NONE = "none"
    PROPOSED = "proposed"
    PROCEDURE = "procedure"
    DRIFT = "drift"
    MANOEUVRE = "manoeuvre"
    RESUMING = "resuming"
    RETURNING = "returning"
    SUPPRESSED = "suppressed"


TOLD: Final = {
    State.NONE: ManoeuvreState.NONE,
    State.PROPOSED: ManoeuvreState.PROPOSED,
    State.PROCEDURE: ManoeuvreState.PROCEDURE,
    State.DRIFT: ManoeuvreState.PROCEDURE,
    State.MANOEUVRE: ManoeuvreState.MANOEUVRE,
    State.RESUMING: ManoeuvreState.RESUMING,
    State.RETURNING: ManoeuvreState.SUPPRESSED,
    State.SUPPRESSED: ManoeuvreState.SUPPRESSED,
}
INDICATING: Final = frozenset({State.PROCEDURE, State.DRIFT, State.MANOEUVRE})
MOVING: Final = frozenset({State.DRIFT, State.MANOEUVRE, State.RESUMING, State.RETURNING})


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see.

    Args:
        is_steering: Assistance steers.
        is_command: The driver starts one with the indicator, or confirms the proposal.
        is_proposal: There is a reason to propose one, and nothing against it.
        is_cancelled: The driver took the indicator back.
        blocked: What speaks against it, `""` nothing.
        is_late: The tyre cannot be at the line in time any more.
        is_due: The indicator was on for long enough to begin to move.
        is_gap: The gap is free.
        is_at_line: The front tyre is at the outer edge of the marking.
        is_soon: It is there before the indicator was on for long enough.
        is_across: All wheels are across.
        is_settled: The car keeps the new lane.
        is_back: The car is back in the middle of its lane.
        is_told: The refusal was shown for long enough.
        is_risk: Part of risk mitigation.
    """

    is_steering: bool
    is_command: bool
    is_proposal: bool
    is_cancelled: bool
    blocked: str
    is_late: bool
    is_due: bool
    is_gap: bool
    is_at_line: bool
    is_soon: bool
    is_across: bool
    is_settled: bool
    is_back: bool
    is_told: bool
    is_risk: bool


TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (
        Transition(
            tuple(state for state in State if state is not State.NONE),
            State.NONE,
            lambda v: not v.is_steering,
            "assistance_ended",
            "R171 5.5.3.4.1.4",
        ),
        Transition(
            (State.NONE, State.PROPOSED),
            State.SUPPRESSED,
            lambda v: v.is_steering and v.is_command and bool(v.blocked),
            "what speaks against it",
            "R171 5.3.7.2.1.1, 5.3.7.2.1.4, 6.2.8",
            lambda v: v.blocked,
        ),
        Transition(
            (State.NONE,),
            State.PROCEDURE,
            lambda v: v.is_steering and v.is_command and v.is_risk,
            "to_the_side",
            "R171 5.3.7.3.2",
        ),
        Transition(
            (State.NONE, State.PROPOSED),
            State.PROCEDURE,
            lambda v: v.is_steering and v.is_command,
            "driver_starts",
            "R171 5.3.7.2.2.1, 5.3.7.2.3.2",
        ),
        Transition(
            (State.NONE,),
            State.PROPOSED,
            lambda v: v.is_steering and v.is_proposal and not v.blocked,
            "slower_car_ahead",
            "R171 5.3.7.2.3.2, 5.3.7.2.3.4",
        ),
        Transition(
            (State.PROPOSED,),
            State.NONE,
            lambda v: not v.is_proposal or bool(v.blocked),
            "proposal_over",
            "R171 5.3.7.2.3.4",
        ),
        Transition((State.PROCEDURE,), State.NONE, lambda v: v.is_cancelled, "driver_cancels", "R171 5.5.3.3.1"),
        Transition(
            (State.PROCEDURE,),
            State.SUPPRESSED,
            lambda v: bool(v.blocked),
            "what speaks against it",
            "R171 5.3.7.2.1.1, 5.3.7.2.1.4, 6.2.8",
            lambda v: v.blocked,
        ),
        Transition(
            (State.PROCEDURE,),
            State.SUPPRESSED,
            lambda v: v.is_late,
            "no_gap_in_time",
            "R171 6.2.7, 6.2.8",
        ),
        Transition((State.PROCEDURE,), State.DRIFT, lambda v: v.is_due and v.is_gap, "gap_free", "R171 6.2.4, 6.2.6"),
        Transition(
            (State.DRIFT,),
            State.RETURNING,
            lambda v: v.is_cancelled,
            "driver_cancels",
            "R171 5.5.3.3.1",
        ),
        Transition(
            (State.DRIFT,),
            State.RETURNING,
            lambda v: bool(v.blocked),
            "what speaks against it",
            "R171 5.3.7.2.1.1, 6.2.8",
            lambda v: v.blocked,
        ),
        Transition((State.DRIFT,), State.RETURNING, lambda v: v.is_soon, "line_too_soon", "R171 6.2.6, 6.2.8"),
        Transition(
            (State.DRIFT,),
            State.RETURNING,
            lambda v: not v.is_gap,
            "gap_closed",
            "R171 6.2.4.1, 6.2.8",
        ),
        Transition((State.DRIFT,), State.MANOEUVRE, lambda v: v.is_at_line, "at_the_line", "R171 2.13"),
        Transition((State.DRIFT,), State.RETURNING, lambda v: v.is_late, "line_too_late", "R171 6.2.7, 6.2.8"),
        Transition((State.MANOEUVRE,), State.RESUMING, lambda v: v.is_across, "all_wheels_across", "R171 2.13"),
        Transition((State.RESUMING,), State.NONE, lambda v: v.is_settled, "lane_changed", "R171 6.2.6"),
        Transition((State.RETURNING,), State.SUPPRESSED, lambda v: v.is_back, "back_in_lane", "R171 6.2.8"),
        Transition((State.SUPPRESSED,), State.NONE, lambda v: v.is_told, "told", "R171 6.2.8"),
    ),
)
UNAVAILABLE: Final = ("change_disabled", "speed_low", "road_not_divided", "trailer", "no_rear_sensing")
BLOCKED: Final = {
    "change_disabled": "Lane changes are not enabled in this market.",
    "driver_not_engaged": "The driver's hands or eyes are not there, or a warning is active.",
    "gaze_unknown": "Where the driver looks is not known.",
    "speed_low": "Too slow for a lane change.",
    "road_not_divided": "The map does not say that this is a motorway or a divided road.",
    "no_edge": "The marking on that side is not seen.",
    "marking": "The marking may not be crossed.",
    "oncoming": "The other lane may be for oncoming traffic, or is not known.",
    "no_rear_sensing": "Nothing tells of the traffic behind.",
    "beside": "Somebody is beside the car.",
    "curve": "The curve leaves no lateral acceleration for it.",
    "trailer": "A trailer is coupled.",
}
REASONS: Final = {
    "assistance_ended": "Assistance does not steer any more.",
    "driver_starts": "The driver started it.",
    "to_the_side": "The driver does not answer: towards the side of the road.",
    "slower_car_ahead": "A slower car is ahead, and the other lane is free.",
    "proposal_over": "The reason for the proposal is gone, or it stood for long enough.",
    "driver_cancels": "The driver took the indicator back.",
    "no_gap_in_time": "No gap came free in the time that the law allows.",
    "gap_free": "The gap is free and the indicator was on for long enough: the car moves.",
    "gap_closed": "The gap closed before the tyre was at the line: back into the lane.",
    "line_too_soon": "The tyre came to the line before the indicator was on for long enough: back into the lane.",
    "line_too_late": "The tyre did not come to the line in the time that the law allows: back into the lane.",
    "at_the_line": "The tyre is at the line.",
    "all_wheels_across": "All wheels are across.",
    "lane_changed": "The car keeps the new lane.",
    "back_in_lane": "The car is back in the middle of its lane.",
    "told": "The driver was told of the refusal.",
    **BLOCKED,
}


@dataclass(frozen=True, slots=True)
class Manoeuvre:
    """All that is kept of a lane change.

    Args:
        side: 1 to the left, -1 to the right, 0 none.
        reason: Why it is in its state.
        entered_s: Since when.
        began_s: Start of the procedure: the indicator.
        moved_s: Start of the movement.
        way: To the side.
        base_m: How far the lane's centre has jumped since: 0, or a lane width when the new lane is the car's own.
        former_m: The lane's offset in the former step, to see that jump.
        back_m, back_mps, back_mps2: Way back: place, speed and acceleration to the left, as planned.
        stalk: The driver's indicator in the former step, 1, -1, 0.
        behind_s: Since when a slower car is ahead.
        is_risk: Part of risk mitigation: nobody's command, nobody's engagement.
        by_stalk: The driver's indicator began it, and taking it back ends it.
    """

    state: State = State.NONE
    side: int = 0
    reason: str = ""
    entered_s: float = 0.0
    began_s: float = 0.0
    moved_s: float = 0.0
    way: Way = NO_WAY
    base_m: float = 0.0
    former_m: float | None = None
    back_m: float = 0.0
    back_mps: float = 0.0
    back_mps2: float = 0.0
    stalk: int = 0
    behind_s: float | None = None
    is_risk: bool = False
    by_stalk: bool = False


make_manoeuvre = maker(Manoeuvre)
make_view = maker(View)


def _need_m(ego_mps: float, rear_mps: float) -> float:
    """Gap that orders the vehicles behind: the one that needs most counts [m]."""
    return least_gap_m(ego_mps, rear_mps, CHANGE_REACTION_UNSEEN_S)


class LaneChange:
    """Plans and judges lane changes; `Manoeuvre` is its memory, kept by the core."""

    def __init__(self, params: LaneChangeParams, vehicle: Vehicle, nominal_m: float) -> None:
        self.params = params
        self._nominal_m = nominal_m  # width of a lane where none is seen
        size = vehicle.dimensions
        self._front_m = size.wheelbase_m + size.front_overhang_m
        self._rear_m = size.length_m - self._front_m  # behind the rear axle
        self._tyre_half_m = 0.5 * size.tyre_outer_width_m
        self._half_m = 0.5 * size.width_m
        self._range_m = vehicle.equipment.rear_sensing_m
        self._from_mps = kmh_to_mps(params.from_kmh)

    def around(self, objects: TrackedObjects, lane: EgoLane, side: int, ego_mps: float) -> Around:
        """What stands in the lane on this side: 1 left, -1 right."""
        return around(
            objects,
            lane,
            side,
            ego_mps,
            need_m=_need_m,
            beside_m=self.params.beside_m,
            front_m=self._front_m,
            rear_m=self._rear_m,
        )

    def is_gap(
        self,
        around: Around,
        ego_mps: float,
        limit_mps: float | None,
        *,
        in_s: float,
        seen_s: float,
        decel_mps2: float | None = None,
        is_shoulder: bool = False,
    ) -> bool:
        """Whether the gap is free at the start of the manoeuvre, `in_s` from now.

        Args:
            around: What stands in the other lane.
            ego_mps: Speed of the car.
            limit_mps: Speed limit; a vehicle that is not seen is assumed to drive as fast at the end of the rear range.
            in_s: Time until the tyre is at the line.
            seen_s: For how long the movement to the side will have been seen by then.
            decel_mps2: Braking asked of the vehicle behind.
            is_shoulder: Nobody is assumed on a shoulder; who is seen there counts.
        """
        params = self.params
        if around.beside or self._range_m is None:
            return False
        decel_mps2 = params.rear_decel_mps2 if decel_mps2 is None else decel_mps2
        if around.rear_gap_m is not None:
            is_seen = seen_s + EPS_S >= CHANGE_SEEN_LEAST_S and around.rear_age_s + in_s + EPS_S >= seen_s
            reaction_s = CHANGE_REACTION_SEEN_S if is_seen else CHANGE_REACTION_UNSEEN_S
            least_m = least_gap_m(ego_mps, around.rear_mps, reaction_s, decel_mps2, params.rear_gap_s)
            if around.rear_gap_m - max(around.rear_mps - ego_mps, 0.0) * in_s < least_m:
                return False
        elif not is_shoulder:
            # R171 6.2.4.2, 6.2.9.1.2: limit + 10 % (the stricter, of confirmed changes), at most 130 km/h, and just at
            # the end of the range when the manoeuvre starts
            rear_mps = ASSUMED_MPS if limit_mps is None else min(1.1 * limit_mps, ASSUMED_MPS)
            if self._range_m < least_gap_m(ego_mps, rear_mps, CHANGE_REACTION_UNSEEN_S, decel_mps2, params.rear_gap_s):
                return False
        if around.front_gap_m is None:
            return True
        closing_mps = max(ego_mps - around.front_mps, 0.0)
        return around.front_gap_m >= params.front_gap_s * ego_mps + closing_mps * (in_s + closing_mps / 2.0)

    def blocked(
        self,
        lane: EgoLane | None,
        objects: TrackedObjects | None,
        around: Around | None,
        side: int,
        *,
        speed_mps: float,
        is_divided: bool,
        has_trailer: bool,
        not_engaged: str,
    ) -> str:
        """What speaks against a change to this side, `""` nothing."""
        params = self.params
        if not params.is_enabled:
            return "change_disabled"
        if not_engaged:
            return not_engaged
        if speed_mps < self._from_mps:
            return "speed_low"
        if not is_divided and not params.on_other_roads:
            return "road_not_divided"
        if has_trailer:
            return "trailer"
        if self._range_m is None or objects is None or around is None:
            return "no_rear_sensing"
        edge = None if lane is None else lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
        if lane is None or edge is None or not edge.is_seen:
            return "no_edge"
        if edge.may_cross is not True:
            return "marking"
        if edge.beyond is not LaneBeyond.SAME_DIRECTION:
            return "oncoming"
        if abs(lane.curvature_1pm) * speed_mps * speed_mps > params.curve_accel_max_mps2:
            return "curve"
        return "beside" if around.beside else ""

    def line_m(self, lane: EgoLane, side: int) -> float:
        """From the front tyre to the outer edge of the marking (R171 2.13) [m]."""
        edge = lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
        if edge is None:
            return 0.5 * (lane.width_m or self._nominal_m) - self._tyre_half_m
        return edge.distance_m + edge.width_m


def side_of(side: int) -> AlertSide:
    """Side as an alert says it."""
    return AlertSide.LEFT if side > 0 else AlertSide.RIGHT if side < 0 else AlertSide.NONE
