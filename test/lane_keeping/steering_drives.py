"""What the functions that steer are fed in their tests: a lane, a car, a driver; time as data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from adas_runtime.function import Core
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Health,
    LaneBeyond,
    LaneEdge,
    LaneSide,
    LateralRequest,
    MarkingColour,
    MarkingType,
    Stage,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

STEP_S = 0.01
START_S = 1000.0
MARKET = load_market("de")
CAR = load_vehicle("reference")
TYRE_M = 0.5 * CAR.dimensions.tyre_outer_width_m


def truck() -> Vehicle:
    """A heavy vehicle."""
    sizes = CAR.dimensions.model_copy(update={"tyre_outer_width_m": 2.45, "wheelbase_m": 4.5, "width_m": 2.5})
    return CAR.model_copy(update={"category": "N3", "dimensions": sizes})


def edge(side: LaneSide, distance_m: float, rate_mps: float = 0.0, **more: Any) -> LaneEdge:
    """A solid white line that may not be crossed, with the shoulder beyond it."""
    usual: dict[str, Any] = {
        "type": MarkingType.SOLID,
        "colour": MarkingColour.WHITE,
        "width_m": 0.15,
        "may_cross": False,
        "beyond": LaneBeyond.SHOULDER,
        "confidence": 0.9,
    }
    return LaneEdge(side=side, distance_m=distance_m, rate_mps=rate_mps, **{**usual, **more})


def lane(
    now_s: float = START_S,
    *,
    lateral_m: float = 0.0,
    rate_mps: float = 0.0,
    width_m: float = 3.5,
    speed_mps: float = 22.0,
    left: dict[str, Any] | None = None,
    right: dict[str, Any] | None = None,
    **more: Any,
) -> EgoLane:
    """A lane with the car `lateral_m` left of its centre, drifting to the left at `rate_mps`."""
    free_m = 0.5 * width_m - TYRE_M
    usual: dict[str, Any] = {
        "stamp_s": now_s,
        "edges": (
            edge(LaneSide.LEFT, free_m - lateral_m, -rate_mps, **(left or {})),
            edge(LaneSide.RIGHT, free_m + lateral_m, rate_mps, **(right or {})),
        ),
        "offset_m": -lateral_m,
        "heading_rad": -rate_mps / max(speed_mps, 1.0),
        "width_m": width_m,
        "x_max_m": 50.0,
        "is_calibrated": True,
        "is_fit_to_steer": True,
        "confidence": 0.9,
    }
    return EgoLane(**{**usual, **more})


def vehicle(now_s: float = START_S, *, speed_kmh: float = 80.0, **more: Any) -> VehicleState:
    """A car on the road, with hands on its wheel."""
    usual: dict[str, Any] = {
        "stamp_s": now_s,
        "speed_mps": kmh_to_mps(speed_kmh),
        "accel_mps2": 0.0,
        "yaw_rate_rps": 0.0,
        "steering_wheel_angle_rad": 0.0,
        "steering_wheel_rate_rps": 0.0,
        "driver_torque_nm": 0.0,
        "is_hands_on": True,
        "accelerator": 0.1,
        "is_braking": False,
    }
    return VehicleState(**{**usual, **more})


def driver(now_s: float = START_S, **more: Any) -> DriverInput:
    """Stalks and buttons."""
    return DriverInput(stamp_s=now_s, **more)


def status(author: str, state: str = "active", *, is_active: bool = True) -> FunctionStatus:
    """What another function says of itself."""
    return FunctionStatus(
        stamp_s=START_S, author=author, stage=Stage.ON, health=Health.OK, state=state, is_active=is_active
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One step of a core."""

    t_s: float
    state: str
    reason: str
    health: Health
    request: LateralRequest | None
    alerts: tuple[Alert, ...]

    @property
    def is_steering(self) -> bool:
        return self.request is not None and self.request.is_active


@dataclass(slots=True)
class Play:
    """A core and the time; `hold` goes on with the same inputs."""

    core: Core
    make: Callable[..., Any]
    now_s: float = START_S
    seen: list[Seen] = field(default_factory=list)

    def hold(self, seconds: float, **inputs: Any) -> list[Seen]:
        """Goes on for some time with these inputs; what is a function of the time is called each step."""
        begin = len(self.seen)
        for _ in range(max(1, round(seconds / STEP_S))):
            values = {name: value(self.now_s) if callable(value) else value for name, value in inputs.items()}
            said = self.core.step(self.make(**values), self.now_s)
            alerts = tuple(
                found for name in ("alert", "hands", "boundary") if (found := getattr(said, name, None)) is not None
            )
            self.seen.append(
                Seen(
                    t_s=self.now_s - START_S,
                    state=said.status.state,
                    reason=said.status.reason,
                    health=said.status.health,
                    request=said.request,
                    alerts=alerts,
                )
            )
            self.now_s += STEP_S
        return self.seen[begin:]

    @property
    def state(self) -> str:
        return self.seen[-1].state


def alerts(seen: list[Seen], code: str = "") -> Iterator[tuple[float, Alert]]:
    """Alerts of a drive, with the time of each."""
    for item in seen:
        for alert in item.alerts:
            if not code or alert.code == code:
                yield item.t_s, alert


def sounding(seen: list[Seen], code: str) -> tuple[float, float] | None:
    """From when to when an alert ran, `None` where it never did."""
    found = list(alerts(seen, code))
    if not found:
        return None
    ends = [t_s for t_s, alert in found if not alert.is_active]
    return found[0][0], ends[-1] if ends else seen[-1].t_s


def states(seen: list[Seen]) -> list[str]:
    """The states of a drive, each once per entry."""
    found: list[str] = []
    for item in seen:
        if not found or found[-1] != item.state:
            found.append(item.state)
    return found
