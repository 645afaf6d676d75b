"""A car in a painted lane, for the tests of lane keeping: exact geometry, time as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from adas_runtime.function import is_usable
from adas_runtime.lane_keeping.departure import SPEC, Inputs, LaneDeparture
from adas_runtime.lane_keeping.params import LaneDepartureParams
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    AlertSide,
    DriverInput,
    Indicator,
    LaneBoundary,
    LaneModel,
    LaneSide,
    MarkingType,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

STEP_S = 0.01
PICTURE_EVERY = 5
MAX_AGE_S = {item.name: item.max_age_s for item in SPEC.inputs}
LEFT, RIGHT = 1.0, -1.0
SIDE = {LEFT: AlertSide.LEFT, RIGHT: AlertSide.RIGHT}
CAR = load_vehicle("reference")
PARAMS = load_market("de").lane_departure


def truck() -> Vehicle:
    """A heavy vehicle: R130 holds for it."""
    sizes = CAR.dimensions.model_copy(update={"tyre_outer_width_m": 2.45, "wheelbase_m": 4.5, "width_m": 2.5})
    return CAR.model_copy(update={"category": "N3", "dimensions": sizes})


def params(**changes: Any) -> LaneDepartureParams:
    """Germany's values, some of them changed, all rules of the schema applied."""
    return LaneDepartureParams.model_validate({**PARAMS.model_dump(), **changes})


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One step: what it said, and where the tyres truly were."""

    now_s: float
    state: str
    reason: str
    health: Any
    alert: Alert | None
    left_dtlm_m: float
    right_dtlm_m: float

    def dtlm_m(self, side: float) -> float:
        return self.left_dtlm_m if side == LEFT else self.right_dtlm_m


class Drive:
    """A car that moves sideways at a given rate; `lateral_m` counts from the lane's centre, left positive."""

    def __init__(
        self,
        chosen: LaneDepartureParams = PARAMS,
        vehicle: Vehicle = CAR,
        *,
        speed_kmh: float = 80.0,
        lane_m: float = 3.5,
        line_m: float | None = 0.15,
        latency_s: float = 0.05,
        curvature_1pm: float = 0.0,
        form: MarkingType = MarkingType.SOLID,
    ) -> None:
        self.core = LaneDeparture(chosen, vehicle)
        self.params = chosen
        self.car = vehicle
        self.now_s = 100.0
        self.count = 0
        self.lateral_m = 0.0
        self.speed_kmh = speed_kmh
        self.lane_m = lane_m
        self.line_m = line_m
        self.latency_s = latency_s
        self.curvature_1pm = curvature_1pm
        self.form = form
        self.sent: list[LaneModel] = []
        self.seen: list[Seen] = []

    def dtlm_m(self, side: float) -> float:
        """True distance from the tyre's outer edge to the marking's inner edge."""
        return self.lane_m / 2.0 - side * self.lateral_m - self.car.dimensions.tyre_outer_width_m / 2.0

    def boundary(self, side: float, shift_m: float = 0.0, **changes: Any) -> LaneBoundary:
        paint_m = 0.15 if self.line_m is None else self.line_m
        at_axle_m = side * (self.lane_m + paint_m) / 2.0 - self.lateral_m + shift_m
        axle_m = self.car.dimensions.wheelbase_m
        fields: dict[str, Any] = {
            "side": LaneSide.LEFT if side == LEFT else LaneSide.RIGHT,
            # a circle that runs parallel to the car at the front axle
            "c0_m": at_axle_m + 0.5 * self.curvature_1pm * axle_m**2,
            "c1": -self.curvature_1pm * axle_m,
            "c2_1pm": 0.5 * self.curvature_1pm,
            "c3_1pm2": 0.0,
            "x_min_m": 4.0,
            "x_max_m": 50.0,
            "type": self.form,
            "confidence": 0.95,
            "offset_std_m": 0.03,
            "width_m": self.line_m,
        }
        return LaneBoundary(**{**fields, **changes})

    def hold(
        self,
        seconds: float,
        rate_mps: float = 0.0,
        *,
        sides: tuple[float, ...] = (LEFT, RIGHT),
        has_lanes: bool = True,
        has_vehicle: bool = True,
        has_driver: bool = True,
        indicator: Indicator = Indicator.OFF,
        shift_m: float = 0.0,
        is_calibrated: bool = True,
        pressed: tuple[str, ...] = (),
        boundary: dict[str, Any] | None = None,
        **vehicle: Any,
    ) -> list[Seen]:
        """Go on for some seconds at a lateral rate, left positive [m/s]; returns these steps."""
        found: list[Seen] = []
        for _ in range(round(seconds / STEP_S)):
            self.now_s += STEP_S
            self.lateral_m += rate_mps * STEP_S
            if has_lanes and self.count % PICTURE_EVERY == 0:
                self.sent.append(
                    LaneModel(
                        stamp_s=self.now_s,
                        boundaries=tuple(self.boundary(side, shift_m, **(boundary or {})) for side in sides),
                        is_calibrated=is_calibrated,
                    )
                )
            self.count += 1
            arrived = [item for item in self.sent[-20:] if item.stamp_s + self.latency_s <= self.now_s + 1e-9]
            lanes = arrived[-1] if arrived else None
            if lanes is not None and not is_usable(lanes.stamp_s, self.now_s, MAX_AGE_S["lanes"]):
                lanes = None
            state = VehicleState(stamp_s=self.now_s, **{"speed_mps": kmh_to_mps(self.speed_kmh), **vehicle})
            inputs = Inputs(
                lanes=lanes,
                vehicle=state if has_vehicle else None,
                driver=DriverInput(stamp_s=self.now_s, indicator=indicator, pressed=pressed) if has_driver else None,
            )
            said = self.core.step(inputs, self.now_s)
            found.append(
                Seen(
                    now_s=self.now_s,
                    state=said.status.state,
                    reason=said.status.reason,
                    health=said.status.health,
                    alert=said.alert,
                    left_dtlm_m=self.dtlm_m(LEFT),
                    right_dtlm_m=self.dtlm_m(RIGHT),
                )
            )
        self.seen += found
        return found

    def settled(self) -> Drive:
        """In the middle of the lane, armed."""
        assert self.hold(1.0)[-1].state == "armed"
        return self


def alerts(steps: list[Seen], side: float | None = None) -> list[Alert]:
    """Active alerts, of one side where it is named."""
    return [
        item.alert
        for item in steps
        if item.alert is not None and item.alert.is_active and (side is None or item.alert.side is SIDE[side])
    ]


def first(steps: list[Seen], side: float) -> Seen:
    """The step that warned first."""
    return next(step for step in steps if alerts([step], side))
