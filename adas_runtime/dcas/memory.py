"""What driver control assistance reads, says and keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

from adas_runtime.dcas.alerts import EMPTY, Said, Slot
from adas_runtime.dcas.change import Manoeuvre
from adas_runtime.dcas.counters import Counters
from adas_runtime.dcas.engagement import Engagement
from adas_runtime.dcas.modes import State
from adas_runtime.dcas.override import Braking, Lateral, Longitudinal
from adas_runtime.dcas.speed import Memory as SpeedMemory
from adas_runtime.function import Status
from adas_runtime.gaze import Gaze
from adas_runtime.lateral.control import IDLE, Control, Pose
from adas_runtime.lateral.gyro import UNKNOWN, Gyro
from adas_runtime.longitudinal.following import Memory as FollowingMemory
from adas_runtime.longitudinal.lead import Memory as LeadMemory
from adas_runtime.records import maker
from adas_runtime.signals import (
    Alert,
    AssistanceState,
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    FunctionStatus,
    Horizon,
    HorizonSegment,
    LampDemand,
    LampRequest,
    LateralRequest,
    LongitudinalRequest,
    SpeedLimitState,
    TrackedObjects,
    VehicleState,
)

NAME: Final = "dcas"
NEVER: Final = -inf
STANDING_MPS: Final = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; all but the vehicle's state may be missing in a car for good, so they come as none or several."""

    vehicle: VehicleState | None = None
    driver: tuple[DriverInput, ...] = ()
    body: tuple[BodyState, ...] = ()
    lane: tuple[EgoLane, ...] = ()
    gaze: tuple[DriverState, ...] = ()
    objects: tuple[TrackedObjects, ...] = ()
    limit: tuple[SpeedLimitState, ...] = ()
    horizon: tuple[Horizon, ...] = ()
    alerts: tuple[Alert, ...] = ()
    requests: tuple[LongitudinalRequest, ...] = ()
    departure: tuple[FunctionStatus, ...] = ()
    automation: tuple[FunctionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says and asks for; `None`: nothing is sent in this step."""

    state: AssistanceState | None
    lateral: LateralRequest | None
    longitudinal: LongitudinalRequest | None
    lamps: LampRequest | None
    hands: Alert | None
    eyes: Alert | None
    notice: Alert | None
    info: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Seen:
    """When inputs were last there, and since when the driver does what.

    Args:
        vehicle_s, body_s, objects_s, lane_s, departure_s, hands_s: Last time of each.
        fit_s: Last time that the lane was fit to steer by.
        torque_s: Last time that the driver's torque told of a hand.
        on_s: Since when a hand is on the wheel, `None` while none is.
        steer_s: Since when the driver's torque overrides, `None` while it does not.
        steered_s: Last time that it did.
        is_braking, is_accelerating: In the former step.
        driver_s: Last time of the stalks and buttons.
    """

    vehicle_s: float = NEVER
    body_s: float = NEVER
    objects_s: float = NEVER
    lane_s: float = NEVER
    departure_s: float = NEVER
    hands_s: float = NEVER
    fit_s: float = NEVER
    torque_s: float = NEVER
    on_s: float | None = None
    steer_s: float | None = None
    steered_s: float = NEVER
    is_braking: bool = False
    is_accelerating: bool = False
    driver_s: float = NEVER


@dataclass(frozen=True, slots=True)
class Driven:
    """What is kept of steering and speed.

    Args:
        lateral, longitudinal: Who does it.
        lateral_reason, longitudinal_reason: Why.
        braking: The driver's present braking.
        control, following, lead, speeds: Memories of the parts.
        accel_mps2: Asked for in the former step.
        is_asking_lateral, is_asking_longitudinal: A request was out.
        calm_until_s: No stronger braking before that: a lane change has just ended (R171 6.2.4.4).
        gyro: Bias of the yaw rate.
        lane, pose: Last lane that was fit to steer by, and how it lies now, seen or carried on by the car's motion.
    """

    lateral: Lateral = Lateral.STANDBY
    lateral_reason: str = "not_active"
    longitudinal: Longitudinal = Longitudinal.STANDBY
    longitudinal_reason: str = "not_active"
    braking: Braking | None = None
    control: Control = IDLE
    following: FollowingMemory = field(default_factory=FollowingMemory)
    lead: LeadMemory = field(default_factory=LeadMemory)
    speeds: SpeedMemory = field(default_factory=SpeedMemory)
    accel_mps2: float = 0.0
    is_asking_lateral: bool = False
    is_asking_longitudinal: bool = False
    calm_until_s: float = NEVER
    lane: EgoLane | None = None
    pose: Pose | None = None
    gyro: Gyro = UNKNOWN


@dataclass(frozen=True, slots=True)
class Told:
    """What is kept of what was said.

    Args:
        hands, eyes, notice, info: The slots.
        past: A notice of something past, shown until `past_until_s`.
        news: The same for information.
        state: What the state message said last, and when.
        lamps: What the lamp request said last, and when.
    """

    hands: Slot = EMPTY
    eyes: Slot = EMPTY
    notice: Slot = EMPTY
    info: Slot = EMPTY
    past: Said | None = None
    past_until_s: float = NEVER
    news: Said | None = None
    news_until_s: float = NEVER
    state: tuple[object, ...] = ()
    state_s: float = NEVER
    lamps: tuple[LampDemand, ...] = ()
    lamps_s: float = NEVER


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        state, reason, entered_s: Of the mode.
        failed: Failure that switched the system off, told until it is gone or the driver acts.
        unmet: First precondition that was not met.
        boundary_s: When a boundary was last exceeded: hysteresis.
        pressed: Buttons that were down.
        is_key_on: Master switch as last told.
    """

    now_s: float | None = None
    state: State = State.OFF
    reason: str = "run_cycle"
    entered_s: float = 0.0
    failed: str = ""
    unmet: str = ""
    boundary_s: float = NEVER
    pressed: tuple[str, ...] = ()
    is_key_on: bool | None = None
    seen: Seen = Seen()
    gaze: Gaze = field(default_factory=Gaze)
    engagement: Engagement = field(default_factory=Engagement)
    driven: Driven = field(default_factory=Driven)
    manoeuvre: Manoeuvre = field(default_factory=Manoeuvre)
    counters: Counters = field(default_factory=Counters)
    told: Told = Told()


@dataclass(frozen=True, slots=True)
class Judged:
    """What a step has judged of mode and driver, before anything is driven or said; fields as in `Memory`."""

    state: State
    reason: str
    entered_s: float
    failed: str
    unmet: str
    boundary_s: float
    seen: Seen
    gaze: Gaze
    engagement: Engagement
    counters: Counters
    told: Told


@dataclass(frozen=True, slots=True)
class Now:
    """What one step works on, read once.

    Args:
        speed_mps: Speed, 0 without a vehicle.
        yaw_rate_rps: Yaw rate; where the car does not tell it, from the last request.
        segment: The map's road at the car, `None` without one.
        new: Buttons that went down with this step.
        is_lane: There is a lane to steer by, or it was there a moment ago.
        is_way: The same, or a lane that is lost can still be held by the car's own motion.
        is_hands_on, is_steering, is_sustained, is_braking, is_accelerating: What the driver does.
        is_new_brake, is_new_accelerator: The pedal went down with this step.
        is_emergency: An emergency system brakes.
        is_urgent: It brakes or warns.
        is_drowsy: The drowsiness function warns of the driver.
    """

    now_s: float
    dt_s: float
    vehicle: VehicleState | None
    speed_mps: float
    yaw_rate_rps: float
    driver: DriverInput | None
    body: BodyState | None
    lane: EgoLane | None
    objects: TrackedObjects | None
    horizon: Horizon | None
    segment: HorizonSegment | None
    new: tuple[str, ...]
    is_lane: bool
    is_way: bool
    is_hands_on: bool
    is_steering: bool
    is_sustained: bool
    is_braking: bool
    is_accelerating: bool
    is_new_brake: bool
    is_new_accelerator: bool
    is_emergency: bool
    is_urgent: bool
    is_drowsy: bool

    @property
    def is_tunnel(self) -> bool:
        """The map tells that the car is in a tunnel."""
        return self.segment is not None and self.segment.is_tunnel


make_memory = maker(Memory)
make_seen = maker(Seen)
make_driven = maker(Driven)
make_told = maker(Told)
make_judged = maker(Judged)
make_now = maker(Now)
make_outputs = maker(Outputs)
