"""A car with automated lane keeping on a motorway: what is there, what the driver does, what came out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adas_runtime.alks.core import Alks
from adas_runtime.alks.memory import Inputs, Outputs
from adas_runtime.alks.states import State
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    DriverState,
    DssadEvent,
    DssadFlag,
    EgoLane,
    FunctionStatus,
    GazeZone,
    Gear,
    Health,
    Horizon,
    HorizonSegment,
    Indicator,
    LampRequest,
    LaneBeyond,
    LaneEdge,
    LaneSide,
    LateralRequest,
    LimitKind,
    LongitudinalRequest,
    MarkingType,
    ObjectClass,
    RoadClass,
    SpeedLimitState,
    Stage,
    TrackedObject,
    TrackedObjects,
    VehicleState,
    Wiper,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

DT_S: Final = 0.02
START_S: Final = 1000.0
MARKET: Final = load_market("de", is_dated=False)
VEHICLE: Final = load_vehicle("reference")
WIDTH_M: Final = 3.5


def market(**values: Any) -> Market:
    """Germany with other parameters of automated lane keeping."""
    return MARKET.model_copy(update={"alks": MARKET.alks.model_copy(update=values)})


SERIES_01: Final = market(series="01", speed_max_kmh=130.0, speed_unknown_kmh=130.0)


def car(**equipment: Any) -> Vehicle:
    """The reference vehicle with other equipment."""
    return VEHICLE.model_copy(update={"equipment": VEHICLE.equipment.model_copy(update=equipment)})


def lane(offset_m: float = 0.0, *, is_fit: bool = True, may_cross: bool = True) -> EgoLane:
    """The lane, its centre `offset_m` left of the car; a lane of our direction on the right."""
    half_m = 0.5 * WIDTH_M - 0.5 * VEHICLE.dimensions.tyre_outer_width_m
    edges = tuple(
        LaneEdge(
            side=side, distance_m=half_m + sign * offset_m, width_m=0.15, type=MarkingType.DASHED,
            may_cross=may_cross, beyond=LaneBeyond.SAME_DIRECTION, confidence=0.9,
        )
        for side, sign in ((LaneSide.LEFT, 1.0), (LaneSide.RIGHT, -1.0))
    )  # fmt: skip
    return EgoLane(
        stamp_s=0.0, edges=edges, offset_m=offset_m, width_m=WIDTH_M, x_max_m=60.0, is_calibrated=True,
        is_fit_to_steer=is_fit, confidence=0.9 if is_fit else 0.2, reason="following_lines",
    )  # fmt: skip


def road(*lengths: tuple[RoadClass, float], **changes: Any) -> Horizon:
    """The map's road; by default 5 km of motorway."""
    segments, at_m = [], -10.0
    for road_class, length_m in lengths or ((RoadClass.MOTORWAY, 5000.0),):
        values = {"offset_m": at_m, "length_m": length_m, "probability": 1.0, "road_class": road_class}
        segments.append(HorizonSegment(**{**values, "is_dual_carriageway": True, **changes}))
        at_m += length_m
    return Horizon(stamp_s=0.0, is_matched=True, confidence=0.9, segments=tuple(segments))


def other(x_m: float, y_m: float = 0.0, speed_kmh: float = 60.0, **changes: Any) -> TrackedObject:
    """Another car; `x_m` is its nearest point, from our rear axle."""
    values: dict[str, Any] = {
        "object_id": 1, "object_class": ObjectClass.CAR, "x_m": x_m, "y_m": y_m, "speed_x_mps": kmh_to_mps(speed_kmh),
        "speed_y_mps": 0.0, "length_m": 4.5, "width_m": 1.8, "x_std_m": 0.2, "y_std_m": 0.1, "speed_x_std_mps": 0.2,
        "confidence": 0.9, "age_s": 10.0, "sources": ("camera", "radar"),
    }  # fmt: skip
    return TrackedObject(**{**values, **changes})


MIDDLE: Final = lane()
MOTORWAY: Final = road()
FRONT_M: Final = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is there at one time; `None` in a field of inputs: it is missing."""

    speed_kmh: float = 50.0
    accel_mps2: float = 0.0
    hands: bool | None = False
    torque_nm: float = 0.0
    brake: float = 0.0
    accelerator: float = 0.0
    gear: Gear = Gear.DRIVE
    esc: bool = False
    vehicle: bool = True
    pressed: tuple[str, ...] = ()
    indicator: Indicator = Indicator.OFF
    driver: bool = True
    seated: bool | None = True
    belt: bool | None = True
    door: bool = False
    key: bool = True
    trailer: bool = False
    wiper: Wiper = Wiper.OFF
    crash: bool = False
    body: bool = True
    zone: GazeZone = GazeZone.ROAD
    eyes: float = 0.8
    head_rad: float = 0.0
    camera: bool = True
    lane: EgoLane | None = MIDDLE
    objects: tuple[TrackedObject, ...] | None = ()
    limit_kmh: float | None = None
    horizon: Horizon | None = MOTORWAY
    dcas: bool = False
    sensors: bool = True
    steering: bool = True
    brakes: bool = True


@dataclass(slots=True)
class Drive:
    """Steps the core; remembers what it said."""

    market: Market = MARKET
    vehicle: Vehicle = VEHICLE
    core: Alks = field(init=False)
    t_s: float = 0.0
    said: list[tuple[float, Outputs]] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build the core."""
        self.core = Alks(self.market, self.vehicle)

    def step(self, moment: Moment) -> Outputs:
        """One step of 20 ms."""
        now_s = START_S + self.t_s
        out = self.core.step(self.inputs(moment, now_s), now_s)
        self.said.append((self.t_s, out))
        self.t_s = round(self.t_s + DT_S, 6)
        return out

    def hold(self, seconds: float, moment: Moment = Moment(), **changes: Any) -> list[Outputs]:
        """Go on for so long."""
        moment = replace(moment, **changes)
        return [self.step(moment) for _ in range(round(seconds / DT_S))]

    def until(self, state: State, moment: Moment, at_most_s: float = 60.0) -> float:
        """Seconds until the state is reached."""
        begin_s = self.t_s
        while self.t_s - begin_s < at_most_s:
            self.step(moment)
            if self.core.state.state is state:
                return self.t_s - DT_S - begin_s
        raise AssertionError(f"{state} was not reached; {self.core.state.state}, {self.core.state.reason}")

    def activated(self, moment: Moment = Moment()) -> Drive:
        """Ready, switched on, and settled."""
        self.hold(1.0, moment)
        self.hold(0.2, replace(moment, pressed=("alks",)))
        self.hold(1.0, moment)
        assert self.core.state.state is State.ACTIVE, self.core.state.reason
        return self

    @property
    def state(self) -> State:
        """Where it is."""
        return self.core.state.state

    def events(self) -> list[tuple[DssadFlag, str]]:
        """Flag and reason of every entry for the data storage."""
        return [(item.event.flag, item.event.reason) for _, item in self.said if isinstance(item.event, DssadEvent)]

    def alerts(self) -> list[Alert]:
        """Every alert that was sent."""
        return [item.alert for _, item in self.said if item.alert is not None]

    def lateral(self) -> LateralRequest | None:
        """The last lateral request."""
        return next((item.lateral for _, item in reversed(self.said) if item.lateral is not None), None)

    def longitudinal(self) -> LongitudinalRequest | None:
        """The last longitudinal request."""
        return next((item.longitudinal for _, item in reversed(self.said) if item.longitudinal is not None), None)

    def lamps(self) -> LampRequest | None:
        """The last lamp request."""
        return next((item.lamps for _, item in reversed(self.said) if item.lamps is not None), None)

    @staticmethod
    def inputs(moment: Moment, now_s: float) -> Inputs:
        """The core's inputs of a moment."""
        vehicle = VehicleState(
            stamp_s=now_s, speed_mps=kmh_to_mps(moment.speed_kmh), accel_mps2=moment.accel_mps2, yaw_rate_rps=0.0,
            steering_wheel_angle_rad=0.0, driver_torque_nm=moment.torque_nm, is_hands_on=moment.hands,
            accelerator=moment.accelerator, brake=moment.brake, is_braking=moment.brake > 0.0, gear=moment.gear,
            is_stability_control_active=moment.esc, is_steering_available=moment.steering,
            is_braking_available=moment.brakes,
        )  # fmt: skip
        body = BodyState(
            stamp_s=now_s, is_master_switch_on=moment.key, is_driver_seated=moment.seated,
            is_driver_belt_fastened=moment.belt, is_driver_door_open=moment.door, is_trailer_coupled=moment.trailer,
            wiper=moment.wiper, is_crash_detected=moment.crash, utc_s=1.8e9 + now_s,
        )  # fmt: skip
        gaze = DriverState(
            stamp_s=now_s, is_face_visible=True, gaze_zone=moment.zone, frame=int(now_s / DT_S), confidence=0.9,
            eye_openness=moment.eyes, head_yaw_rad=moment.head_rad, head_pitch_rad=0.0,
        )  # fmt: skip
        limit = None
        if moment.limit_kmh is not None:
            limit = SpeedLimitState(
                stamp_s=now_s, limit_mps=kmh_to_mps(moment.limit_kmh), kind=LimitKind.EXPLICIT, confidence=0.9
            )
        status = FunctionStatus(stamp_s=now_s, author="dcas", stage=Stage.ON, state="active", is_active=moment.dcas)
        health = Health.OK if moment.sensors else Health.DEGRADED
        tracking = FunctionStatus(stamp_s=now_s, author="tracking", stage=Stage.ON, state="tracking", health=health)
        stamped: Callable[[Any], Any] = lambda value: replace(value, stamp_s=now_s)  # noqa: E731
        return Inputs(
            vehicle=vehicle if moment.vehicle else None,
            driver=(DriverInput(stamp_s=now_s, pressed=moment.pressed, indicator=moment.indicator),)
            if moment.driver
            else (),
            body=(body,) if moment.body else (),
            lane=() if moment.lane is None else (stamped(moment.lane),),
            gaze=(gaze,) if moment.camera else (),
            objects=() if moment.objects is None else (TrackedObjects(stamp_s=now_s, objects=moment.objects),),
            limit=() if limit is None else (limit,),
            horizon=() if moment.horizon is None else (stamped(moment.horizon),),
            dcas=(status,),
            tracking=(tracking,),
        )
