"""Drives for the lamps' tests: time is data, each step says what the lamps asked for."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adas_runtime.lighting import headlamps, signal_lamps
from adas_runtime.lighting.params import HeadlampParams, LightingParams, MainBeamParams, SignalLampParams
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    Gear,
    Horizon,
    HorizonSegment,
    LampDemand,
    LampRequest,
    LightSwitch,
    ObjectClass,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

ON, OFF, NONE = LampDemand.ON, LampDemand.OFF, LampDemand.NO_DEMAND
PARAMS: LightingParams = load_market("de").lighting
CAR = load_vehicle("reference")
START_S = 1000.0
STEP_S = 0.1  # headlamps and the car's body
SIGNAL_STEP_S = 0.05


def head_params(**changes: Any) -> HeadlampParams:
    return HeadlampParams.model_validate({**PARAMS.headlamps.model_dump(), **changes})


def main_params(**changes: Any) -> MainBeamParams:
    return MainBeamParams.model_validate(
        {**PARAMS.main_beam.model_dump(), "is_enabled": True, "approval_ref": "E1 48R", **changes}
    )


def signal_params(**changes: Any) -> SignalLampParams:
    return SignalLampParams.model_validate({**PARAMS.signals.model_dump(), **changes})


def truck() -> Vehicle:
    return CAR.model_copy(update={"category": "N3"})


def road_user(kind: ObjectClass, x_m: float, y_m: float = 0.0, speed_mps: float = 0.0, **fields: Any) -> TrackedObject:
    return TrackedObject(
        **{
            "object_id": 1,
            "object_class": kind,
            "x_m": x_m,
            "y_m": y_m,
            "speed_x_mps": speed_mps,
            "speed_y_mps": 0.0,
            "x_std_m": 1.0,
            "y_std_m": 0.3,
            "speed_x_std_mps": 0.5,
            "confidence": 0.9,
            "age_s": 2.0,
            **fields,
        }
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Lit:
    """One step of a drive."""

    t_s: float
    state: str
    reason: str
    health: Any
    lamps: LampRequest
    alert: Alert | None
    kpis: tuple[float | None, ...]


@dataclass
class HeadDrive:
    """A car with automatic headlamps; what is not given is as on an ordinary drive by day."""

    params: HeadlampParams = PARAMS.headlamps
    main: MainBeamParams = field(default_factory=main_params)
    t_s: float = 0.0
    steps: list[Lit] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.core = headlamps.Headlamps(self.params, self.main)

    def step(
        self,
        *,
        lux: float | None = 20_000.0,
        speed_kmh: float | None = 50.0,
        pressed: tuple[str, ...] = (),
        gear: Gear = Gear.DRIVE,
        has_body: bool = True,
        users: tuple[TrackedObject, ...] | None = None,
        horizon: tuple[HorizonSegment, ...] | None = None,
        age_s: float = 0.0,
        **body: Any,
    ) -> Lit:
        now_s = START_S + self.t_s
        fields = {"is_propulsion_on": True, "light_switch": LightSwitch.AUTO, "is_main_beam_wanted": False, **body}
        seen_s = now_s - age_s
        vehicle = None
        if speed_kmh is not None:
            vehicle = VehicleState(stamp_s=now_s, speed_mps=kmh_to_mps(speed_kmh), gear=gear)
        said = self.core.step(
            headlamps.Inputs(
                body=BodyState(stamp_s=seen_s, ambient_lux=lux, **fields) if has_body else None,
                vehicle=vehicle,
                driver=DriverInput(stamp_s=now_s, pressed=pressed),
                objects=None if users is None else TrackedObjects(stamp_s=now_s, objects=users),
                horizon=None
                if horizon is None
                else Horizon(stamp_s=now_s, is_matched=True, confidence=0.9, segments=horizon),
            ),
            now_s,
        )
        assert said.lamps is not None
        lit = Lit(
            t_s=self.t_s,
            state=said.status.state,
            reason=said.status.reason,
            health=said.status.health,
            lamps=said.lamps,
            alert=said.alert,
            kpis=said.status.kpis,
        )
        self.steps.append(lit)
        self.t_s = round(self.t_s + STEP_S, 6)
        return lit

    def hold(self, seconds: float, **fields: Any) -> list[Lit]:
        return [self.step(**fields) for _ in range(max(1, round(seconds / STEP_S)))]

    def press(self, button: str, **fields: Any) -> list[Lit]:
        """Down for 0.2 s, up for 0.3 s."""
        return self.hold(0.2, pressed=(button,), **fields) + self.hold(0.3, **fields)


@dataclass
class SignalDrive:
    """A car with signal lamps."""

    params: SignalLampParams = PARAMS.signals
    vehicle: Vehicle = CAR
    t_s: float = 0.0

    def __post_init__(self) -> None:
        self.core = signal_lamps.SignalLamps(self.params, self.vehicle)

    def step(
        self,
        *,
        speed_kmh: float | None = 80.0,
        decel_mps2: float | None = 0.0,
        pressed: tuple[str, ...] = (),
        driver: dict[str, Any] | None = None,
        requests: tuple[LampRequest, ...] = (),
        users: tuple[TrackedObject, ...] | None = None,
        command: Any = None,
        **body: Any,
    ) -> Lit:
        now_s = START_S + self.t_s
        vehicle = None
        if speed_kmh is not None:
            accel_mps2 = None if decel_mps2 is None else -decel_mps2
            vehicle = VehicleState(stamp_s=now_s, speed_mps=kmh_to_mps(speed_kmh), accel_mps2=accel_mps2)
        said = self.core.step(
            signal_lamps.Inputs(
                vehicle=vehicle,
                body=BodyState(stamp_s=now_s, **body),
                driver=DriverInput(stamp_s=now_s, pressed=pressed, **(driver or {})),
                command=command,
                requests=requests,
                objects=None if users is None else TrackedObjects(stamp_s=now_s, objects=users),
            ),
            now_s,
        )
        assert said.lamps is not None
        lit = Lit(
            t_s=self.t_s,
            state=said.status.state,
            reason=said.status.reason,
            health=said.status.health,
            lamps=said.lamps,
            alert=None,
            kpis=said.status.kpis,
        )
        self.t_s = round(self.t_s + SIGNAL_STEP_S, 6)
        return lit

    def hold(self, seconds: float, **fields: Any) -> list[Lit]:
        return [self.step(**fields) for _ in range(max(1, round(seconds / SIGNAL_STEP_S)))]


def asks(author: str = "alks", hazard: LampDemand = ON, now_s: float = START_S) -> LampRequest:
    """Another function's request."""
    return LampRequest(stamp_s=now_s, author=author, cause="minimum-risk manoeuvre", hazard=hazard)
