"""A car with driver control assistance on a straight motorway: what is there, what the driver does, what came out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adas_runtime.dcas.core import Dcas
from adas_runtime.dcas.memory import Inputs, Outputs
from adas_runtime.dcas.modes import State
from adas_runtime.dcas.system_params import DcasParams
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.signals import (
    Alert,
    AssistanceState,
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    FunctionStatus,
    GazeZone,
    Gear,
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
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

DT_S: Final = 0.05
START_S: Final = 1000.0
MARKET: Final = load_market("de", is_dated=False)
VEHICLE: Final = load_vehicle("reference")
WIDTH_M: Final = 3.5


def market(change: Callable[[DcasParams], DcasParams] | None = None, **values: Any) -> Market:
    """Germany with other parameters of assistance; no check, so that closed switches can be tried as well."""
    params = MARKET.dcas.model_copy(update=values)
    if change is not None:
        params = change(params)
    return MARKET.model_copy(update={"dcas": params})


def lane(
    offset_m: float = 0.0,
    *,
    is_fit: bool = True,
    left: LaneBeyond = LaneBeyond.SAME_DIRECTION,
    right: LaneBeyond = LaneBeyond.SHOULDER,
    may_cross: tuple[bool | None, bool | None] = (True, False),
    stamp_s: float = 0.0,
    curvature_1pm: float = 0.0,
    reason: str = "following_lines",
) -> EgoLane:
    """The lane, its centre `offset_m` left of the car."""
    half_m = 0.5 * WIDTH_M - 0.5 * VEHICLE.dimensions.tyre_outer_width_m
    return EgoLane(
        stamp_s=stamp_s,
        edges=(
            LaneEdge(
                side=LaneSide.LEFT,
                distance_m=half_m + offset_m,
                width_m=0.15,
                type=MarkingType.DASHED,
                may_cross=may_cross[0],
                beyond=left,
                confidence=0.9,
            ),
            LaneEdge(
                side=LaneSide.RIGHT,
                distance_m=half_m - offset_m,
                width_m=0.15,
                type=MarkingType.SOLID,
                may_cross=may_cross[1],
                beyond=right,
                confidence=0.9,
            ),
        ),
        offset_m=offset_m,
        width_m=WIDTH_M,
        x_max_m=60.0,
        curvature_1pm=curvature_1pm,
        is_calibrated=True,
        is_fit_to_steer=is_fit,
        confidence=0.9 if is_fit else 0.2,
        reason=reason,
    )


def road(road_class: RoadClass = RoadClass.MOTORWAY, **changes: Any) -> Horizon:
    """The map's road."""
    values = {"offset_m": -10.0, "length_m": 5000.0, "probability": 1.0, "road_class": road_class, "country": "DE"}
    segment = HorizonSegment(**{**values, **changes})
    return Horizon(stamp_s=0.0, is_matched=True, confidence=0.9, segments=(segment,))


def other(
    x_m: float, y_m: float = 0.0, speed_kmh: float = 100.0, object_id: int = 1, age_s: float = 10.0
) -> TrackedObject:
    """Another car; `x_m` is its nearest point."""
    return TrackedObject(
        object_id=object_id,
        object_class=ObjectClass.CAR,
        x_m=x_m,
        y_m=y_m,
        speed_x_mps=kmh_to_mps(speed_kmh),
        speed_y_mps=0.0,
        length_m=4.5,
        width_m=1.8,
        x_std_m=0.2,
        y_std_m=0.1,
        speed_x_std_mps=0.2,
        confidence=0.9,
        age_s=age_s,
        sources=("camera", "radar"),
    )


MIDDLE: Final = lane()
MOTORWAY: Final = road()


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """What is there at one time. `None` in a field of inputs: it is missing."""

    speed_kmh: float = 100.0
    hands: bool | None = True
    zone: GazeZone = GazeZone.ROAD
    gaze: bool = True  # the driver camera works
    frame_stands: bool = False
    covered: bool = False
    pressed: tuple[str, ...] = ()
    indicator: Indicator = Indicator.OFF
    torque_nm: float | None = 0.0
    brake: bool = False
    accelerator: float = 0.0
    gear: Gear = Gear.DRIVE
    belt: bool | None = True
    seat: bool | None = True
    key: bool = True
    cycle: int | None = None
    fog: bool | None = None  # the rear fog lamp
    propulsion: bool = True
    crash: bool = False
    trailer: bool = False
    rain: bool = False
    emergency: bool = False  # the car's own emergency braking
    body: bool = True
    vehicle: bool = True
    driver: bool = True
    lane: EgoLane | None = MIDDLE
    objects: tuple[TrackedObject, ...] | None = ()
    limit_kmh: float | None = None
    horizon: Horizon | None = MOTORWAY
    alerts: tuple[Alert, ...] = ()
    requests: tuple[LongitudinalRequest, ...] = ()
    departure: bool = True


calm: Final = Moment()


def hold(seconds: float, moment: Moment) -> list[Moment]:
    """So for a while."""
    return [moment] * round(seconds / DT_S)


def press(button: str, moment: Moment = calm, seconds: float = 0.2) -> list[Moment]:
    """The driver presses a button, and lets it go."""
    return hold(seconds, replace(moment, pressed=(button,))) + hold(0.1, moment)


def activate(moment: Moment = calm) -> list[Moment]:
    """Switch on, wait, set the present speed."""
    return hold(0.2, moment) + press("dcas", moment) + hold(0.3, moment) + press("set_speed", moment)


def inputs(moment: Moment, now_s: float, number: int) -> Inputs:
    """The inputs of one step."""
    speed_mps = kmh_to_mps(moment.speed_kmh)
    return Inputs(
        vehicle=VehicleState(
            stamp_s=now_s,
            speed_mps=speed_mps,
            accel_mps2=0.0,
            yaw_rate_rps=0.0,
            driver_torque_nm=moment.torque_nm,
            is_hands_on=moment.hands,
            accelerator=moment.accelerator,
            is_braking=moment.brake,
            gear=moment.gear,
        )
        if moment.vehicle
        else None,
        driver=(DriverInput(stamp_s=now_s, indicator=moment.indicator, pressed=moment.pressed),)
        if moment.driver
        else (),
        body=(
            BodyState(
                stamp_s=now_s,
                is_master_switch_on=moment.key,
                ignition_cycle=moment.cycle,
                is_rear_fog_on=moment.fog,
                is_propulsion_on=moment.propulsion,
                is_driver_seated=moment.seat,
                is_driver_belt_fastened=moment.belt,
                is_driver_door_open=False,
                is_parking_brake_on=False,
                is_trailer_coupled=moment.trailer,
                is_emergency_brake_signal=moment.emergency,
                is_crash_detected=moment.crash,
                is_raining=moment.rain,
            ),
        )
        if moment.body
        else (),
        lane=() if moment.lane is None else (replace(moment.lane, stamp_s=now_s),),
        gaze=(
            DriverState(
                stamp_s=now_s,
                is_face_visible=True,
                is_camera_covered=moment.covered,
                gaze_zone=moment.zone,
                eye_openness=0.9,
                frame=7 if moment.frame_stands else number,
                confidence=0.9,
            ),
        )
        if moment.gaze
        else (),
        objects=() if moment.objects is None else (TrackedObjects(stamp_s=now_s, objects=moment.objects),),
        limit=()
        if moment.limit_kmh is None
        else (
            SpeedLimitState(
                stamp_s=now_s, limit_mps=kmh_to_mps(moment.limit_kmh), kind=LimitKind.EXPLICIT, confidence=0.9
            ),
        ),
        horizon=() if moment.horizon is None else (replace(moment.horizon, stamp_s=now_s),),
        alerts=moment.alerts,
        requests=moment.requests,
        departure=(
            FunctionStatus(stamp_s=now_s, author="lane_departure", stage=Stage.WARN, state="armed", is_active=True),
        )
        if moment.departure
        else (),
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One step: time from the start, what was there, what came out, the memory after it."""

    t_s: float
    moment: Moment
    out: Outputs
    core: Any


@dataclass(slots=True)
class Drive:
    """A played sequence."""

    steps: list[Step] = field(default_factory=list)

    def alerts(self) -> dict[str, float]:
        """When each alert began first."""
        found: dict[str, float] = {}
        for step in self.steps:
            for alert in (step.out.hands, step.out.eyes, step.out.notice, step.out.info):
                if alert is not None and alert.is_active:
                    found.setdefault(alert.code, step.t_s)
        return found

    def alert(self, code: str) -> Alert:
        """The first alert of this code."""
        return next(
            alert
            for step in self.steps
            for alert in (step.out.hands, step.out.eyes, step.out.notice, step.out.info)
            if alert is not None and alert.code == code and alert.is_active
        )

    def at(self, t_s: float) -> Step:
        """The step at this time."""
        return min(self.steps, key=lambda step: abs(step.t_s - t_s))

    def mode(self, t_s: float) -> State:
        """The mode at this time."""
        found: State = self.at(t_s).core.state
        return found

    @property
    def last(self) -> Step:
        return self.steps[-1]

    def first(self, state: State) -> float:
        """When this mode was there first; inf: never."""
        return next((step.t_s for step in self.steps if step.core.state is state), float("inf"))

    def states(self) -> list[AssistanceState]:
        """Every state message."""
        return [step.out.state for step in self.steps if step.out.state is not None]

    def lateral(self) -> list[tuple[float, LateralRequest]]:
        return [(step.t_s, step.out.lateral) for step in self.steps if step.out.lateral is not None]

    def longitudinal(self) -> list[tuple[float, LongitudinalRequest]]:
        return [(step.t_s, step.out.longitudinal) for step in self.steps if step.out.longitudinal is not None]

    def lamps(self) -> list[tuple[float, LampRequest]]:
        return [(step.t_s, step.out.lamps) for step in self.steps if step.out.lamps is not None]


def play(
    sequence: Iterable[Moment],
    chosen: Market = MARKET,
    vehicle: Vehicle = VEHICLE,
    core: Dcas | None = None,
    dt_s: float = DT_S,
    begin: int = 0,
) -> Drive:
    """Play a sequence; `begin` continues the clock of a former one with the same core."""
    core = core or Dcas(chosen, vehicle)
    drive = Drive()
    for number, moment in enumerate(sequence, start=begin):
        now_s = START_S + number * dt_s
        out = core.step(inputs(moment, now_s, number), now_s)
        drive.steps.append(Step(number * dt_s, moment, out, core.state))
    return drive


ACTIVE_S: Final = len(activate()) * DT_S  # the drive is active from here on


def active(*parts: list[Moment], chosen: Market = MARKET, base: Moment = calm) -> Drive:
    """Activate, then play; times count from the start of what is played."""
    core = Dcas(chosen, VEHICLE)
    play(activate(base), core=core)
    assert core.state.state is State.ACTIVE, (core.state.state, core.state.unmet, core.state.reason)
    begin = len(activate(base))
    drive = play([moment for part in parts for moment in part], core=core, begin=begin)
    for index, step in enumerate(drive.steps):
        drive.steps[index] = replace(step, t_s=step.t_s - begin * DT_S)
    return drive
