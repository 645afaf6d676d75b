"""The driver against the assistance: who steers, who accelerates and brakes (UN R171 5.5.3.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.dcas.params import BRAKE_RESUME_KMH, BRAKE_RESUME_WITHIN_S
from adas_runtime.signals import AssistanceMode
from adas_runtime.transitions import ANY, Table, Transition
from adas_runtime.units import kmh_to_mps

EPS: Final = 1e-6
RESUME_CUT_MPS: Final = kmh_to_mps(BRAKE_RESUME_KMH)


class Lateral(Enum):
    """Who steers."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    STANDBY = "standby"
    CONTROL = "control"
    OVERRIDDEN = "overridden"
    RELEASED = "released"
    NO_LANE = "no_lane"


class Longitudinal(Enum):
    """Who accelerates and brakes."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    STANDBY = "standby"
    CONTROL = "control"
    BRAKED = "braked"
    SUSPENDED = "suspended"
    ACCELERATED = "accelerated"
    EMERGENCY = "emergency"


LATERAL_MODES: Final = {
    Lateral.STANDBY: AssistanceMode.PASSIVE,
    Lateral.CONTROL: AssistanceMode.ACTIVE,
    Lateral.OVERRIDDEN: AssistanceMode.PASSIVE,
    Lateral.RELEASED: AssistanceMode.PASSIVE,
    Lateral.NO_LANE: AssistanceMode.INACTIVE,
}
LONGITUDINAL_MODES: Final = {
    Longitudinal.STANDBY: AssistanceMode.PASSIVE,
    Longitudinal.CONTROL: AssistanceMode.ACTIVE,
    Longitudinal.BRAKED: AssistanceMode.PASSIVE,
    Longitudinal.SUSPENDED: AssistanceMode.PASSIVE,
    Longitudinal.ACCELERATED: AssistanceMode.PASSIVE,
    Longitudinal.EMERGENCY: AssistanceMode.PASSIVE,
}


@dataclass(frozen=True, slots=True)
class LateralView:
    """What the guards see.

    Args:
        is_controlling: Assistance is active, or on its way out.
        is_steering: The driver's torque overrides.
        is_taken_over: The driver took over after a direct control alert.
        is_clear: The driver's torque has been gone for long enough.
        is_lane: There is a lane to follow.
        is_resume: The driver asks for assistance again.
    """

    is_controlling: bool
    is_steering: bool
    is_taken_over: bool
    is_clear: bool
    is_lane: bool
    is_resume: bool


@dataclass(frozen=True, slots=True)
class LongitudinalView:
    """What the guards see.

    Args:
        is_controlling: Assistance is active, or on its way out.
        is_emergency: An emergency system brakes.
        is_braking: The driver brakes.
        is_accelerating: The driver presses the accelerator.
        may_resume: This braking may end without another action of the driver's (Supplement 2).
        is_resume: The driver asks for assistance again.
    """

    is_controlling: bool
    is_emergency: bool
    is_braking: bool
    is_accelerating: bool
    may_resume: bool
    is_resume: bool


LATERAL: Final[Table[Lateral, LateralView]] = Table(
    Lateral,
    (
        Transition(ANY, Lateral.STANDBY, lambda v: not v.is_controlling, "not_active", "R171 5.5.1"),
        Transition(ANY, Lateral.RELEASED, lambda v: v.is_taken_over, "driver_took_over", "R171 5.5.4.2.6.3.1"),
        Transition(
            (Lateral.RELEASED,),
            Lateral.CONTROL,
            lambda v: v.is_resume and v.is_lane and not v.is_steering,
            "driver_resumes",
            "[D] an alert that was answered by steering ends with an action of the driver's",
        ),
        Transition(
            (Lateral.STANDBY, Lateral.CONTROL, Lateral.NO_LANE),
            Lateral.OVERRIDDEN,
            lambda v: v.is_steering,
            "driver_steers",
            "R171 5.5.3.4.1.4",
        ),
        Transition(
            (Lateral.STANDBY, Lateral.CONTROL),
            Lateral.NO_LANE,
            lambda v: not v.is_lane,
            "lane_lost",
            "R171 5.3.5.1.1",
        ),
        Transition((Lateral.STANDBY,), Lateral.CONTROL, lambda v: True, "lane_followed", "R171 5.5.1"),
        Transition((Lateral.NO_LANE,), Lateral.CONTROL, lambda v: v.is_lane, "lane_followed", "R171 5.3.5.1.1"),
        Transition(
            (Lateral.OVERRIDDEN,),
            Lateral.CONTROL,
            lambda v: v.is_clear and v.is_lane and not v.is_steering,
            "lane_followed",
            "R171 5.5.3.4.1, 5.5.3.4.1.4",
        ),
    ),
)
LONGITUDINAL: Final[Table[Longitudinal, LongitudinalView]] = Table(
    Longitudinal,
    (
        Transition(ANY, Longitudinal.STANDBY, lambda v: not v.is_controlling, "not_active", "R171 5.5.1"),
        Transition(
            ANY, Longitudinal.EMERGENCY, lambda v: v.is_emergency, "emergency_braking", "R171 5.2.1, 5.5.4.2.2.2"
        ),
        Transition(
            (Longitudinal.EMERGENCY,),
            Longitudinal.SUSPENDED,
            lambda v: True,
            "after_emergency",
            "R171 5.5.3.3.4",
        ),
        Transition(
            (Longitudinal.STANDBY, Longitudinal.CONTROL, Longitudinal.ACCELERATED, Longitudinal.SUSPENDED),
            Longitudinal.BRAKED,
            lambda v: v.is_braking,
            "driver_brakes",
            "R171 5.5.3.4.1.1",
        ),
        Transition(
            (Longitudinal.BRAKED,),
            Longitudinal.CONTROL,
            lambda v: not v.is_braking and v.may_resume,
            "brake_released",
            "R171 5.5.3.4.1.1.1 (Supplement 2)",
        ),
        Transition(
            (Longitudinal.BRAKED,),
            Longitudinal.SUSPENDED,
            lambda v: not v.is_braking,
            "brake_released",
            "R171 5.5.3.4.1.1",
        ),
        Transition(
            (Longitudinal.SUSPENDED,),
            Longitudinal.CONTROL,
            lambda v: v.is_resume,
            "driver_resumes",
            "R171 5.5.3.4.1.1, 5.5.3.3.4",
        ),
        Transition(
            (Longitudinal.STANDBY, Longitudinal.CONTROL),
            Longitudinal.ACCELERATED,
            lambda v: v.is_accelerating,
            "driver_accelerates",
            "R171 5.5.3.4.1.3",
        ),
        Transition((Longitudinal.STANDBY,), Longitudinal.CONTROL, lambda v: True, "speed_controlled", "R171 5.5.1"),
        Transition(
            (Longitudinal.ACCELERATED,),
            Longitudinal.CONTROL,
            lambda v: not v.is_accelerating,
            "speed_controlled",
            "R171 5.5.3.4.1.3",
        ),
    ),
)
REASONS: Final = {
    "not_active": "Assistance is not active.",
    "driver_took_over": "The driver took over after a direct control alert.",
    "driver_resumes": "The driver asks for assistance again.",
    "driver_steers": "The driver steers: that wins.",
    "lane_lost": "There is no lane to follow.",
    "lane_followed": "Assistance keeps the lane.",
    "emergency_braking": "An emergency system brakes: its warning and its braking come first.",
    "after_emergency": "After an emergency braking the driver has to act first.",
    "driver_brakes": "The driver brakes: that wins.",
    "brake_released": "The driver released the brake.",
    "driver_accelerates": "The driver accelerates: that wins.",
    "speed_controlled": "Assistance keeps speed and distance.",
}


@dataclass(frozen=True, slots=True)
class Braking:
    """The driver's present braking: when and at what speed it began."""

    began_s: float
    speed_mps: float


def may_resume(braking: Braking | None, speed_mps: float, now_s: float, *, has_supplement_2: bool) -> bool:
    """Whether speed control may come back by itself when this braking ends.

    In the 00 series it may not. With Supplement 2 it may where the input cut the speed by at most 30 km/h within 2 s.
    """
    if not has_supplement_2 or braking is None:
        return False
    is_short = now_s - braking.began_s <= BRAKE_RESUME_WITHIN_S + EPS
    return is_short and braking.speed_mps - speed_mps <= RESUME_CUT_MPS + EPS
