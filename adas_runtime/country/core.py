"""Tells the driver when the car is where its market file does not release what it runs (matrix.md, gate rule 8).

The rules of the road and the unit of the signs change at the border by themselves, where the run carries them. The
stages do not: what runs was released for the market that the run was started with. Where a country asks for less, or is
not known to the run at all, the driver is told, and so are the diagnostics.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.function import REASON_MAX_BYTES, BuildContext, FunctionSpec, Input, Output, Process, Status, clipped
from adas_runtime.market.laws import abroad, country_of
from adas_runtime.market.rules import load_rules
from adas_runtime.market.schema import Market
from adas_runtime.signals import Alert, AlertLevel, Horizon, Stage, VehicleState

NAME: Final = "country"
CODE: Final = "not_released_here"
HYSTERESIS_M: Final = 300.0  # adaptations.md 9: a road along a border changes nothing
ALERT_PERIOD_S: Final = 1.0
CONFIDENCE_MIN: Final = 0.5
STEP_MAX_S: Final = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads."""

    horizon: Horizon | None = None
    vehicle: VehicleState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says."""

    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """All that is kept from step to step.

    Args:
        now_s: Of the former step.
        country: Where the car is, after the hysteresis; empty: not known.
        other: Country that the map tells now, and since how far back.
        since_s, sent_s: Begin and last time of the alert that holds; `None`: none does.
    """

    now_s: float | None = None
    country: str = ""
    other: str = ""
    other_m: float = 0.0
    since_s: float | None = None
    sent_s: float = 0.0


class CountryWatch:
    """Compares the country of the road with the market.

    Absent inputs. No horizon, or none that is sure: the last country counts. No vehicle state: no distance passes, so a
    new country is not believed.
    """

    def __init__(self, market: str, homes: frozenset[str], lower: Mapping[str, tuple[str, ...]]) -> None:
        """`lower`: by country that the run carries, what is released there less far than here, as people read it."""
        self.state = Memory()
        self._market, self._homes, self._lower = market, homes, dict(lower)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        end: Alert | None = None
        if old.now_s is None or not now_s >= old.now_s:
            end = self._alert(old, now_s, "time_ran_back", is_active=False) if old.now_s is not None else None
            old = Memory(now_s=now_s)
        assert old.now_s is not None
        vehicle = inputs.vehicle
        speed_mps = 0.0 if vehicle is None or not math.isfinite(vehicle.speed_mps) else abs(vehicle.speed_mps)
        memory = self._place(old, inputs.horizon, speed_mps * min(now_s - old.now_s, STEP_MAX_S))
        why = self._why(memory.country)
        alert: Alert | None = None
        if not why and memory.since_s is not None:
            alert = self._alert(memory, now_s, f"in {memory.country or 'no known country'}", is_active=False)
            memory = replace(memory, since_s=None)
        elif why and (memory.since_s is None or now_s - memory.sent_s >= ALERT_PERIOD_S):
            memory = replace(memory, since_s=now_s if memory.since_s is None else memory.since_s, sent_s=now_s)
            alert = self._alert(memory, now_s, why, is_active=True)
        self.state = replace(memory, now_s=now_s)
        return Outputs(alert=end or alert, status=self._status(memory, why))

    def _place(self, old: Memory, horizon: Horizon | None, driven_m: float) -> Memory:
        is_sure = horizon is not None and horizon.is_matched and horizon.confidence >= CONFIDENCE_MIN
        told = horizon.segments[0].country if is_sure and horizon is not None and horizon.segments else ""
        if not told or told == old.country:
            return replace(old, other="", other_m=0.0)
        other_m = old.other_m + driven_m if told == old.other else 0.0
        if not old.country or other_m >= HYSTERESIS_M:
            return replace(old, country=told, other="", other_m=0.0)
        return replace(old, other=told, other_m=other_m)

    def _why(self, country: str) -> str:
        """What is wrong with being there; empty: nothing."""
        if not country or country in self._homes:
            return ""
        lower = self._lower.get(country)
        if lower is None:
            return f"in {country}, whose rules market {self._market} does not carry"
        return _listed(f"in {country}, market {self._market}: ", lower) if lower else ""

    def _alert(self, memory: Memory, now_s: float, cause: str, *, is_active: bool) -> Alert | None:
        if memory.since_s is None:
            return None
        return Alert(
            stamp_s=max(now_s, 0.0),
            author=NAME,
            code=CODE,
            is_active=is_active,
            level=AlertLevel.INFO,
            since_s=max(memory.since_s, 0.0),
            cause=clipped(cause),
        )

    def _status(self, memory: Memory, why: str) -> Status:
        if not memory.country:
            return Status(state="unknown", reason="no map tells the country")
        if why:
            return Status(state="not_released", is_active=True, reason=clipped(why))
        return Status(state="home" if memory.country in self._homes else "abroad", reason=f"in {memory.country}")


def _listed(head: str, items: tuple[str, ...]) -> str:
    """As many as fit into the text of an alert, and how many more."""
    for count in range(len(items), 0, -1):
        more = len(items) - count
        text = head + ", ".join(items[:count]) + (f" and {more} more" if more else "")
        if len(text.encode("utf-8")) <= REASON_MAX_BYTES:
            return text
    return f"{head}{len(items)} functions"


def lower_abroad(market: Market) -> dict[str, tuple[str, ...]]:
    """By country that a run of this market carries: what is released there less far than here, what does most first.

    What runs in shadow here touches nobody: the driver lacks nothing of it anywhere.
    """
    here = market.stages()
    found = {}
    for other in abroad(market.isa.abroad):
        there = other.stages()
        found[country_of(other)] = tuple(
            f"{name} {there[name].name.lower()} there, {stage.name.lower()} here"
            for name, stage in sorted(here.items(), key=lambda item: -item[1])
            if there[name] < stage and stage > Stage.SHADOW
        )
    return found


def build(context: BuildContext) -> CountryWatch:
    """The core for this market."""
    market = context.market
    home = country_of(market)
    homes = frozenset((home, *load_rules().members(market.market)))
    return CountryWatch(market.market, homes, lower_abroad(market))


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Tells when the car is in a country that its market is not released for.",
    process=Process.DECISION,
    inputs=(
        Input(name="horizon", signal=Horizon, max_age_s=2.0, source="horizon", is_optional=True),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.3),
    ),
    outputs=(Output(name="alert", signal=Alert, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.5,
    has_stage=False,
    alerts=(CODE,),
    build=build,
)
