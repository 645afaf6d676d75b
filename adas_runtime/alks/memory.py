"""What automated lane keeping reads, says and keeps."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import inf
from typing import Final

from adas_runtime.alks.availability import Availability
from adas_runtime.alks.side import STAY, SideStep
from adas_runtime.alks.states import Emergency, State
from adas_runtime.collision.threat import NO_TRACKS, Track
from adas_runtime.function import Status
from adas_runtime.gaze import Gaze
from adas_runtime.lateral.control import IDLE, Control, Pose
from adas_runtime.longitudinal.following import Memory as FollowingMemory
from adas_runtime.longitudinal.lead import Memory as LeadMemory
from adas_runtime.records import maker, replacer
from adas_runtime.ringing import SILENT, Ring
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    DriverState,
    DssadEvent,
    DssadFlag,
    EgoLane,
    FunctionStatus,
    Horizon,
    Indicator,
    LampDemand,
    LampRequest,
    LateralRequest,
    LongitudinalRequest,
    SpeedLimitState,
    TrackedObjects,
    VehicleState,
)

NAME: Final = "alks"
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
    tracking: tuple[FunctionStatus, ...] = ()
    dcas: tuple[FunctionStatus, ...] = ()
    centring: tuple[FunctionStatus, ...] = ()
    change: tuple[FunctionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says and asks for; `None`: nothing is sent in this step."""

    lateral: LateralRequest | None
    longitudinal: LongitudinalRequest | None
    lamps: LampRequest | None
    alert: Alert | None
    event: DssadEvent | None
    status: Status


@dataclass(frozen=True, slots=True)
class Seen:
    """When inputs were last there, and since when the driver does what.

    Args:
        vehicle_s, body_s, objects_s, lane_s, driver_s, map_s: Last time of each; of the lane, fit to steer by.
        sensors_s: Last time that every sensor of road users was there.
        seated_s: Last time that the driver sat on the seat, or nobody knew.
        steer_s: Since when the driver's torque overrides, `None` while it does not.
        answer_s: Since when hands and eyes are both there, `None` while they are not.
        pressed, indicator, is_braking: In the former step.
    """

    vehicle_s: float = NEVER
    body_s: float = NEVER
    objects_s: float = NEVER
    lane_s: float = NEVER
    driver_s: float = NEVER
    map_s: float = NEVER
    seated_s: float = NEVER
    steer_s: float | None = None
    answer_s: float | None = None
    pressed: tuple[str, ...] = ()
    indicator: Indicator = Indicator.OFF
    is_braking: bool = False
    sensors_s: float = NEVER


@dataclass(frozen=True, slots=True)
class Driven:
    """What is kept of steering and speed.

    Args:
        control, following, lead, tracks: Memories of the parts.
        stamp_s: Of the last message of road users that the tracks hold.
        accel_mps2: Asked for in the former step.
        needed_mps2: Braking that road users ahead need, as an acceleration.
        risk_s: Last time that more than 5 m/s^2 was needed.
        lane, pose: Last lane that was fit to steer by, and how it lies now, seen or carried on by the car's motion.
        aside_m: How far from the middle of the lane it drives for who is beside it.
        gap_m: To the car ahead, `None` without one.
        is_asking_lateral, is_asking_longitudinal: A request was out.
    """

    control: Control = IDLE
    following: FollowingMemory = field(default_factory=FollowingMemory)
    lead: LeadMemory = field(default_factory=LeadMemory)
    tracks: tuple[Track, ...] = NO_TRACKS
    stamp_s: float = NEVER
    accel_mps2: float = 0.0
    needed_mps2: float = 0.0
    risk_s: float = NEVER
    lane: EgoLane | None = None
    pose: Pose | None = None
    aside_m: float = 0.0
    gap_m: float | None = None
    is_asking_lateral: bool = False
    is_asking_longitudinal: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry for the data storage that waits to be sent."""

    flag: DssadFlag
    reason: str
    stamp_s: float
    utc_s: float | None


@dataclass(frozen=True, slots=True)
class Told:
    """What is kept of what was said.

    Args:
        ring: The alert.
        notice: Code and cause of a notice of something past, shown until `notice_until_s`.
        entries: Not sent yet.
        number: Of the last entry that was sent.
        lamps: What the lamp request said last, and when.
        is_reduced: The driver works a control too weakly to override.
        was_crash: A collision was told.
    """

    ring: Ring = SILENT
    notice: tuple[str, str] | None = None
    notice_until_s: float = NEVER
    entries: tuple[Entry, ...] = ()
    number: int = 0
    lamps: tuple[LampDemand, ...] = ()
    lamps_s: float = NEVER
    is_reduced: bool = False
    was_crash: bool = False


@dataclass(frozen=True, slots=True)
class Counters:
    """Since the process began."""

    activations: int = 0
    demands: int = 0
    emergencies: int = 0
    stops: int = 0


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        state, reason, entered_s: Of the main machine.
        demand: What the driver is to take over for.
        demand_s: Start of the transition demand, `None` without one.
        emergency, standing_s: Emergency manoeuvre; since when the car stands, `None` while it does not.
        is_key_on: Master switch as last told.
        side: Lane change of the minimum-risk manoeuvre.
    """

    now_s: float | None = None
    state: State = State.OFF
    reason: str = "run_cycle"
    entered_s: float = 0.0
    demand: str = ""
    demand_s: float | None = None
    emergency: Emergency = Emergency.NONE
    standing_s: float | None = None
    is_key_on: bool | None = None
    seen: Seen = Seen()
    gaze: Gaze = field(default_factory=Gaze)
    availability: Availability = field(default_factory=Availability)
    driven: Driven = field(default_factory=Driven)
    side: SideStep = STAY
    told: Told = Told()
    counters: Counters = Counters()


make_entry = maker(Entry)
make_outputs = maker(Outputs)
make_seen = maker(Seen)
make_told = maker(Told)
with_driven = replacer(Driven)
with_memory = replacer(Memory)
with_seen = replacer(Seen)
