"""Risk mitigation: the driver does not answer, the car comes to a stop (UN R171 5.3.7.3; R79 5.1.6.3)."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict
from adas_runtime.dcas.params import (
    RISK_CHANGE_LATERAL_LAW_MPS2,
    RISK_CHANGE_REAR_DECEL_LAW_MPS2,
    RISK_DECEL_LAW_MPS2,
    RISK_WARNING_LEAST_S,
)
from adas_runtime.signals import EgoLane, LaneBeyond, LaneSide
from adas_runtime.units import kmh_to_mps

SIDE_WAYS: Final = (LaneBeyond.SAME_DIRECTION, LaneBeyond.SHOULDER)


class RiskParams(Strict):
    """How the car is brought to a stop."""

    decel_mps2: float = Field(gt=0.0, le=RISK_DECEL_LAW_MPS2, description="Deceleration to the stop [m/s^2].")
    decel_blind_mps2: float = Field(
        gt=0.0, le=RISK_DECEL_LAW_MPS2, description="The same where no lane is seen any more [m/s^2]."
    )
    decel_change_mps2: float = Field(
        gt=0.0,
        le=RISK_DECEL_LAW_MPS2,
        description="The same while a lane towards the side can still be reached [m/s^2].",
    )
    jerk_mps3: float = Field(gt=0.0, le=10.0, description="Rate at which it builds up [m/s^3].")
    hold_decel_mps2: float = Field(gt=0.0, le=3.0, description="Braking that holds the car at standstill [m/s^2].")
    to_side: bool = Field(
        description="Change lanes towards the side or the shoulder on motorways, where lane changes are fitted and it "
        "is safe (R171 5.3.7.3.2)."
    )
    to_shoulder: bool = Field(
        description="Also across a solid edge line onto a shoulder; only where map or camera surely tell of one, since "
        "the edge line alone does not."
    )
    change_after_s: float = Field(
        ge=RISK_WARNING_LEAST_S, le=30.0, description="No such lane change in the first seconds [s]."
    )
    change_from_kmh: float = Field(ge=10.0, le=100.0, description="Nor below this speed [km/h].")
    change_lateral_mps2: float = Field(
        gt=0.0, le=RISK_CHANGE_LATERAL_LAW_MPS2, description="Its lateral acceleration on top of the curve's [m/s^2]."
    )
    change_line_mps: float = Field(
        ge=0.2,
        le=1.0,
        description="Speed to the side with which the tyre comes to the line: it slows, and the room behind shrinks "
        "with every second that it waits [m/s].",
    )
    change_rear_decel_mps2: float = Field(
        gt=0.0, le=RISK_CHANGE_REAR_DECEL_LAW_MPS2, description="Braking it may ask of a vehicle behind [m/s^2]."
    )
    # attention of others once it stands and the driver still does not answer (R79 5.1.6.3, of which a summary was read)
    horn_after_s: float = Field(ge=0.0, le=60.0, description="The horn sounds this long after the standstill [s].")
    horn_on_s: float = Field(gt=0.0, le=5.0, description="Each time for this long [s].")
    horn_period_s: float = Field(gt=0.0, le=30.0, description="And again after this time [s].")
    horn_for_s: float = Field(
        ge=0.0, le=600.0, description="For this long in all, then hazard lamps alone; 0: no horn [s]."
    )
    calls_help: bool = Field(description="The car's emergency call is asked for; only where its maker has tied it in.")
    help_after_s: float = Field(ge=5.0, le=600.0, description="This long after the standstill [s].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.decel_change_mps2 > self.decel_mps2:
            raise ValueError("decel_change_mps2 must not be above decel_mps2: it leaves time for the lane change")
        if self.decel_blind_mps2 < self.decel_mps2:
            raise ValueError("decel_blind_mps2 must not be below decel_mps2: without a lane the way must be short")
        if self.horn_on_s > self.horn_period_s:
            raise ValueError("horn_on_s must not be above horn_period_s")
        return self


def outside_help(params: RiskParams, held_s: float, *, is_hands_on: bool) -> tuple[bool, bool]:
    """Whether the horn sounds, and whether the car's emergency call is asked for (R79 5.1.6.3).

    Args:
        params: Times.
        held_s: Since the car stands and the driver does not answer [s].
        is_hands_on: A hand is on the wheel: somebody is there, and the horn is silent.
    """
    sounding_s = held_s - params.horn_after_s
    is_horn = (
        not is_hands_on
        and 0.0 <= sounding_s < params.horn_for_s
        and sounding_s % params.horn_period_s < params.horn_on_s
    )
    return is_horn, params.calls_help and held_s >= params.help_after_s


def can_reach_side(
    params: RiskParams, lane: EgoLane | None, side: int, *, speed_mps: float, is_motorway: bool, has_change: bool
) -> bool:
    """Whether a lane or shoulder towards the side may be headed for: 1 left, -1 right.

    The edge line to a shoulder is solid; a car whose driver does not answer may cross it. Every other solid line holds.
    """
    if not params.to_side or not has_change or not is_motorway or lane is None or not lane.is_fit_to_steer:
        return False
    if speed_mps < kmh_to_mps(params.change_from_kmh):
        return False
    edge = lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)
    if edge is None or not edge.is_seen or edge.beyond not in SIDE_WAYS:
        return False
    return params.to_shoulder if edge.beyond is LaneBeyond.SHOULDER else edge.may_cross is True


def stopping(
    params: RiskParams,
    old_mps2: float,
    wanted_mps2: float,
    speed_mps: float,
    dt_s: float,
    *,
    has_lane: bool,
    can_change: bool,
    is_standing: bool,
) -> float:
    """Acceleration to ask for: the stop's, or what the car ahead needs, never beyond R79 5.1.6.3.5.

    Args:
        params: Parameters.
        old_mps2: Asked for in the former step.
        wanted_mps2: What following asks for.
        speed_mps: Speed.
        dt_s: Since the former step.
        has_lane: There is a lane to follow.
        can_change: A lane towards the side can still be reached.
        is_standing: The car stands: it is held.
    """
    if is_standing:
        goal = -params.hold_decel_mps2
    else:
        goal = -(params.decel_blind_mps2 if not has_lane else params.decel_mps2)
        if can_change:
            goal = -params.decel_change_mps2
        goal = max(min(goal, wanted_mps2), -RISK_DECEL_LAW_MPS2)
    step = params.jerk_mps3 * min(max(dt_s, 0.0), 0.2)
    if wanted_mps2 < goal + 1e-9 and not is_standing:
        step = max(step, 10.0 * min(max(dt_s, 0.0), 0.2))  # the car ahead is nearer than comfort
    old_mps2 = min(old_mps2, 0.0)  # nobody accelerates from here on
    return max(min(max(goal, old_mps2 - step), old_mps2 + step), -RISK_DECEL_LAW_MPS2)
