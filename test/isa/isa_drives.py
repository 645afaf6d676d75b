"""Drives for speed assistance: signs along a road, a map beneath it, a driver, and what the core said meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from adas_runtime.isa.core import Inputs, Isa, Outputs
from adas_runtime.isa.params import IsaParams, LegalFigure
from adas_runtime.market import load_market
from adas_runtime.market.laws import CountryRules, rules_of
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    EgoLane,
    Horizon,
    HorizonSegment,
    LaneModel,
    LimitKind,
    RoadClass,
    SignKind,
    SignObservation,
    SignObservations,
    SpeedLimitState,
    SpeedUnit,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps, mph_to_mps

DT_S = 0.05
SIGHT_M = 60.0
START_S = 1000.0
CASCADE_S, SECOND_S = 4.0, 5.0
COUNTRIES = ("de", "fr", "gb", "nl", "ch")


def rules(*names: str) -> dict[str, CountryRules]:
    """The law of some countries, by their code."""
    found = {}
    for name in names or COUNTRIES:
        market = load_market(name, is_dated=False)
        found[market.market[:2]] = rules_of(market)
    return found


RULES = rules()
PARAMS = load_market("de", is_dated=False).isa


def params(**changes: Any) -> IsaParams:
    """Germany's parameters with changes; a number for a legal figure becomes one."""
    values = {
        name: LegalFigure(figure=float(value), legal_confirmed=False)
        if isinstance(getattr(PARAMS, name), LegalFigure) and not isinstance(value, LegalFigure)
        else value
        for name, value in changes.items()
    }
    return PARAMS.model_copy(update=values)


def kmh(value: float) -> float:
    """Speed in m/s."""
    return kmh_to_mps(value)


def limit_sign(value_kmh: float | None, at_m: float = 0.0, **fields: Any) -> tuple[float, SignObservation]:
    """A sign with a number, on its place."""
    fields = {"kind": SignKind.SPEED_LIMIT, "confidence": 0.9, **fields}
    return at_m, SignObservation(value_mps=None if value_kmh is None else kmh(value_kmh), **fields)


def plate(kind: SignKind, at_m: float = 0.0, **fields: Any) -> tuple[float, SignObservation]:
    """A sign without a number, on its place."""
    return at_m, SignObservation(kind=kind, **{"confidence": 0.9, **fields})


def mph_sign(value_mph: float, at_m: float = 0.0) -> tuple[float, SignObservation]:
    """A British sign, on its place."""
    value = mph_to_mps(value_mph)
    return at_m, SignObservation(kind=SignKind.SPEED_LIMIT, value_mps=value, unit=SpeedUnit.MPH, confidence=0.9)


def road(road_class: RoadClass = RoadClass.SECONDARY, limit_kmh: float | None = None, **fields: Any) -> HorizonSegment:
    """A piece of road under the car, of a map that is sure of it."""
    known: dict[str, Any] = {"is_built_up": False, "is_dual_carriageway": False, "lanes": 1, "country": "DE"}
    if road_class is RoadClass.MOTORWAY:
        known |= {"is_dual_carriageway": True, "lanes": 2}
    if limit_kmh is not None:
        known |= {"limit_mps": kmh(limit_kmh), "limit_kind": LimitKind.EXPLICIT, "limit_confidence": 0.9}
    return HorizonSegment(
        offset_m=-500.0, length_m=5000.0, probability=1.0, road_class=road_class, **{**known, **fields}
    )


RURAL = road()
URBAN = road(is_built_up=True)
MOTORWAY = road(RoadClass.MOTORWAY)


@dataclass
class Drive:
    """A car with the core in it."""

    core: Isa
    now_s: float = START_S
    driven_m: float = 0.0
    signs: list[tuple[float, SignObservation]] = field(default_factory=list)
    segment: HorizonSegment | None = None
    body: dict[str, Any] = field(default_factory=dict)
    has_body: bool = True
    yaw_rate_rps: float = 0.0
    accelerator: float = 0.2
    pressed: tuple[str, ...] = ()
    alerts: tuple[Alert, ...] = ()
    lanes: LaneModel | None = None
    ego_lane: EgoLane | None = None
    said: list[tuple[float, Outputs]] = field(default_factory=list)
    inputs: Inputs = field(default_factory=Inputs)

    def sees(self, *signs: tuple[float, SignObservation]) -> Drive:
        """Signs along the road, by their distance from here."""
        self.signs += [(self.driven_m + at_m, sign) for at_m, sign in signs]
        return self

    def step(self, v_kmh: float, indicated_kmh: float | None = None) -> Outputs:
        """One step, at a true speed; the speedometer shows the same where nothing else is said."""
        self.now_s += DT_S
        self.driven_m += kmh(v_kmh) * DT_S
        seen = tuple(
            replace(sign, x_m=at_m - self.driven_m)
            for at_m, sign in self.signs
            if 0.0 <= at_m - self.driven_m <= SIGHT_M
        )
        body = {"indicated_speed_mps": kmh(v_kmh if indicated_kmh is None else indicated_kmh), **self.body}
        self.inputs = Inputs(
            vehicle=VehicleState(
                stamp_s=self.now_s,
                speed_mps=kmh(v_kmh),
                yaw_rate_rps=self.yaw_rate_rps,
                accelerator=self.accelerator,
            ),
            body=BodyState(stamp_s=self.now_s, **body) if self.has_body else None,
            driver=DriverInput(stamp_s=self.now_s, pressed=self.pressed),
            signs=SignObservations(stamp_s=self.now_s, signs=seen),
            horizon=None
            if self.segment is None
            else Horizon(stamp_s=self.now_s, is_matched=True, confidence=0.95, segments=(self.segment,)),
            lanes=self.lanes,
            ego_lane=self.ego_lane,
            alerts=self.alerts,
        )
        result = self.core.step(self.inputs, self.now_s)
        self.said.append((self.now_s, result))
        return result

    def go(self, seconds: float, v_kmh: float, indicated_kmh: float | None = None) -> SpeedLimitState:
        """Drive on; the limit at the end."""
        result = None
        for _ in range(max(1, round(seconds / DT_S))):
            result = self.step(v_kmh, indicated_kmh)
        assert result is not None and result.limit is not None
        return result.limit

    def go_m(self, metres: float, v_kmh: float) -> SpeedLimitState:
        """Drive on for a distance; the limit at the end."""
        return self.go(metres / kmh(v_kmh), v_kmh)

    def until(self, state: str, v_kmh: float) -> Drive:
        """Drive on until the feedback is in a state."""
        for _ in range(2000):
            if self.step(v_kmh).status.state == state:
                return self
        raise AssertionError(f"never {state}: {self.state}")

    @property
    def limit(self) -> SpeedLimitState:
        """What is shown now."""
        limit = self.said[-1][1].limit
        assert limit is not None
        return limit

    @property
    def shown_kmh(self) -> float | None:
        """The number that is shown now."""
        return None if self.limit.limit_mps is None else round(self.limit.limit_mps * 3.6, 3)

    @property
    def state(self) -> str:
        """State of the feedback."""
        return self.said[-1][1].status.state

    def alert_now(self) -> Alert | None:
        """The warning that holds now, as a display would show it."""
        last = next((o.alert for _, o in reversed(self.said) if o.alert is not None), None)
        return last if last is not None and last.is_active else None

    def times(self, test: Callable[[Outputs], bool]) -> list[float]:
        """When something held."""
        return [t_s for t_s, result in self.said if test(result)]

    def warned(self) -> bool:
        """Whether the driver was ever warned."""
        return bool(self.times(lambda o: o.alert is not None and o.alert.is_active))


def drive(segment: HorizonSegment | None = None, *, home: str = "DE", category: str = "M1", **changes: Any) -> Drive:
    """A car on a road; `changes` of the parameters."""
    return Drive(core=Isa(params(**changes), RULES, home, category), segment=segment)


def local(hour: int, minute: int = 0, second: int = 0) -> dict[str, float]:
    """Body fields of a local time on a Wednesday in winter."""
    day_s = 20416 * 86400.0  # 2025-11-24 is a Monday
    return {"utc_s": day_s + 2 * 86400.0 + hour * 3600.0 + minute * 60.0 + second - 3600.0, "utc_offset_s": 3600.0}
