"""A car on a painted road, for the tests of the ego lane: exact geometry, time as data, lines that come and go."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adas_runtime.function import is_usable
from adas_runtime.lane_keeping.ego_lane import SPEC, EgoLaneEstimate, Inputs
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    EgoLane,
    Horizon,
    HorizonSegment,
    Indicator,
    LaneBoundary,
    LaneModel,
    LaneSide,
    MarkingColour,
    MarkingType,
    RoadClass,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

STEP_S = 0.05
CAR = load_vehicle("reference")
AXLE_M = CAR.dimensions.wheelbase_m
TYRE_M = CAR.dimensions.tyre_outer_width_m
LEFT, RIGHT, NEXT_LEFT, NEXT_RIGHT = LaneSide.LEFT, LaneSide.RIGHT, LaneSide.NEXT_LEFT, LaneSide.NEXT_RIGHT
WHITE, YELLOW, ORANGE = MarkingColour.WHITE, MarkingColour.YELLOW, MarkingColour.ORANGE
SOLID, DASHED, STUDS, EDGE = MarkingType.SOLID, MarkingType.DASHED, MarkingType.STUDS, MarkingType.ROAD_EDGE
DOUBLE = MarkingType.DOUBLE_SOLID
MARKETS = {name: load_market(name) for name in ("de", "no", "us", "kr", "ae", "jp", "gb", "nl", "se", "ch")}


@dataclass(frozen=True, kw_only=True)
class Paint:
    """One marking: `at_m` of its inner edge from the middle of the road's reference, left positive."""

    side: LaneSide
    at_m: float
    form: MarkingType = SOLID
    colour: MarkingColour = WHITE
    width_m: float | None = 0.15
    confidence: float = 0.95

    def boundary(self, lateral_m: float, curvature_1pm: float, **changes: Any) -> LaneBoundary:
        """As perception tells it when the car's middle is at `lateral_m`."""
        outwards = 1.0 if self.side in (LEFT, NEXT_LEFT) else -1.0
        at_axle_m = self.at_m + outwards * 0.5 * (self.width_m or 0.0) - lateral_m
        fields: dict[str, Any] = {
            "side": self.side,
            # a circle that the rear axle, which cannot slip, runs along
            "c0_m": at_axle_m - 0.5 * curvature_1pm * AXLE_M**2,
            "c1": 0.0,
            "c2_1pm": 0.5 * curvature_1pm,
            "c3_1pm2": 0.0,
            "x_min_m": 4.0,
            "x_max_m": 50.0,
            "type": self.form,
            "colour": self.colour,
            "confidence": self.confidence,
            "offset_std_m": 0.03,
            "width_m": self.width_m,
        }
        return LaneBoundary(**{**fields, **changes})


def lane(
    width_m: float = 3.5,
    left: MarkingType = DASHED,
    right: MarkingType = SOLID,
    *,
    paint_m: float = 0.15,
    **both: Any,
) -> tuple[Paint, ...]:
    """A lane between two lines, the car's reference in its middle."""
    both["width_m"] = paint_m
    return (
        Paint(side=LEFT, at_m=0.5 * width_m, form=left, **both),
        Paint(side=RIGHT, at_m=-0.5 * width_m, form=right, **both),
    )


def motorway(
    lanes: int | None = 3, *, kind: RoadClass = RoadClass.MOTORWAY, link_ahead_m: float | None = None, **changes: Any
) -> Horizon:
    """The map's road ahead."""
    fields: dict[str, Any] = {
        "offset_m": -50.0,
        "length_m": 3000.0 if link_ahead_m is None else 50.0 + link_ahead_m,
        "probability": 1.0,
        "road_class": kind,
        "lanes": lanes,
        "is_dual_carriageway": True,
        "is_built_up": False,
    }
    here = HorizonSegment(**{**fields, **changes})
    segments = (here,)
    if link_ahead_m is not None:
        link = HorizonSegment(offset_m=link_ahead_m, length_m=500.0, probability=1.0, road_class=kind, is_link=True)
        segments = (here, link)
    return Horizon(stamp_s=0.0, is_matched=True, segments=segments)


@dataclass(frozen=True, kw_only=True)
class Told:
    """One picture: what was said of it, and where the car truly was."""

    now_s: float
    lane: EgoLane
    alert: Alert | None
    state: str
    reason: str
    lateral_m: float


def params(market: Market, **changes: Any) -> Market:
    """The market with other ego lane parameters, the schema's rules applied."""
    chosen = type(market.ego_lane).model_validate({**market.ego_lane.model_dump(), **changes})
    return market.model_copy(update={"ego_lane": chosen})


@dataclass
class World:
    """A car that drives; `lateral_m` counts from the road's reference, left positive."""

    market: Market | str = "de"
    car: Vehicle = CAR
    speed_kmh: float = 80.0
    lateral_m: float = 0.0
    now_s: float = 100.0
    curvature_1pm: float = 0.0
    horizon: Horizon | None = None
    told: list[Told] = field(default_factory=list)

    def __post_init__(self) -> None:
        market = MARKETS[self.market] if isinstance(self.market, str) else self.market
        self.core = EgoLaneEstimate(
            market.ego_lane,
            market.lanes,
            market.corridor,
            self.car,
            is_left_hand=market.road.traffic_side == "left",
        )

    def hold(
        self,
        seconds: float,
        paint: tuple[Paint, ...] | None,
        *,
        rate_mps: float = 0.0,
        indicator: Indicator | None = Indicator.OFF,
        has_vehicle: bool = True,
        is_calibrated: bool = True,
        warmth_k: float | None = None,
        **changes: Any,
    ) -> list[Told]:
        """Drive on for some seconds past these markings; `None`: perception says nothing at all."""
        found: list[Told] = []
        speed_mps = kmh_to_mps(self.speed_kmh)
        for _ in range(max(1, round(seconds / STEP_S))):
            self.now_s = round(self.now_s + STEP_S, 6)
            self.lateral_m += rate_mps * STEP_S
            horizon = None if self.horizon is None else _at(self.horizon, self.now_s)
            model = None
            if paint is not None:
                model = LaneModel(
                    stamp_s=self.now_s,
                    boundaries=tuple(item.boundary(self.lateral_m, self.curvature_1pm, **changes) for item in paint),
                    is_calibrated=is_calibrated,
                )
                assert is_usable(model.stamp_s, self.now_s, SPEC.inputs[0].max_age_s)
            yaw_rate_rps = speed_mps * self.curvature_1pm
            state = VehicleState(stamp_s=self.now_s, speed_mps=speed_mps, yaw_rate_rps=yaw_rate_rps)
            said = self.core.step(
                Inputs(
                    lanes=() if model is None else (model,),
                    vehicle=(state,) if has_vehicle else (),
                    driver=() if indicator is None else (DriverInput(stamp_s=self.now_s, indicator=indicator),),
                    horizon=() if horizon is None else (horizon,),
                    body=() if warmth_k is None else (BodyState(stamp_s=self.now_s, outside_temperature_k=warmth_k),),
                ),
                self.now_s,
            )
            assert said.lane is not None
            found.append(
                Told(
                    now_s=self.now_s,
                    lane=said.lane,
                    alert=said.alert,
                    state=said.status.state,
                    reason=said.status.reason,
                    lateral_m=self.lateral_m,
                )
            )
        self.told += found
        return found

    def lane_after(self, seconds: float, paint: tuple[Paint, ...] | None, **how: Any) -> EgoLane:
        """The lane at the end of `hold`."""
        return self.hold(seconds, paint, **how)[-1].lane


def _at(horizon: Horizon, now_s: float) -> Horizon:
    return Horizon(stamp_s=now_s, is_matched=horizon.is_matched, segments=horizon.segments)


def alerts(told: list[Told]) -> list[Alert]:
    """What the driver was told, in order."""
    return [item.alert for item in told if item.alert is not None]
