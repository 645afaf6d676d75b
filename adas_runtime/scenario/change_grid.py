"""Automatic lane changes in closed loop on a grid: speed, bend, side, wind, actuator, width of the lane."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Final

from adas_runtime.arbitration.arbiter import SPEC as ARBITER
from adas_runtime.arbitration.envelope import SPEC as ENVELOPE
from adas_runtime.lane_keeping.centring import SPEC as CENTRING
from adas_runtime.lane_keeping.centring_params import BUTTON as CENTRING_BUTTON
from adas_runtime.lane_keeping.change import SPEC as CHANGE
from adas_runtime.lane_keeping.change_params import BUTTON
from adas_runtime.lane_keeping.correction import SPEC as CORRECTION
from adas_runtime.lane_keeping.ego_lane import SPEC as EGO_LANE
from adas_runtime.market.schema import Market
from adas_runtime.scenario.lane_camera import CameraModel
from adas_runtime.scenario.lane_drive import butterworth
from adas_runtime.scenario.motorway import LINE_M, Does, Motorway, Tick
from adas_runtime.scenario.road import Road, bend
from adas_runtime.scenario.single_track import STEP_S
from adas_runtime.signals import Indicator, LampDemand
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

ALL: Final = (CORRECTION, CENTRING, CHANGE, ARBITER, ENVELOPE)
NOISE: Final = CameraModel(offset_std_m=0.02, heading_std_rad=0.001)
SECONDS: Final = 12.0
WIND_S: Final = 6.0  # the wind blows for so long before the change
MOVED_M: Final = 0.02  # beside the noise of a car that is kept in its lane


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drive of the grid.

    Args:
        speed_kmh: Speed.
        side: 1 to the left, -1 to the right.
        bend_mps2: Lateral acceleration of the bend, which begins before the change; 0: straight.
        wind_mps: Side wind from the right.
        delay_s, lag_s: The real actuator; `None`: as the vehicle file says.
        width_m: Lane between the inner edges of its markings.
    """

    speed_kmh: float
    side: int = 1
    bend_mps2: float = 0.0
    wind_mps: float = 0.0
    delay_s: float | None = None
    lag_s: float | None = None
    width_m: float = 3.5

    def __str__(self) -> str:
        return f"{self.speed_kmh:.0f} km/h side {self.side} bend {self.bend_mps2} wind {self.wind_mps} " + (
            f"lag {self.lag_s} width {self.width_m}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it, measured on the true car; times from the indicator on.

    Args:
        states: Of the lane change, from standby on, each once per entry.
        moved_s, touch_s, across_s: Movement to the side begins, front tyre at the marking, rear tyre beyond it; NaN:
            never.
        resumed_s, lamp_off_s: Lane centring steers again, the indicator goes off.
        overshoot_m: Beyond the middle of the new lane.
        last_error_m: Greatest distance from its middle in the last two seconds.
        added_mps2: Greatest lateral acceleration less the bend's, after the law's filter.
        jerk_mps3: Greatest lateral jerk as the law measures it.
        limits: Limits of the envelope that acted.
        corrections: Steps in which emergency lane keeping corrected.
    """

    case: Case
    states: tuple[str, ...]
    moved_s: float
    touch_s: float
    across_s: float
    resumed_s: float
    lamp_off_s: float
    overshoot_m: float
    last_error_m: float
    added_mps2: float
    jerk_mps3: float
    limits: tuple[str, ...]
    corrections: int


def made_ready(market: Market, vehicle: Vehicle, **more: Any) -> Motorway:
    """A drive in which lane centring steers and lane change is on standby; the road is empty."""
    functions = (EGO_LANE, *ALL) if more.get("has_lines") else ALL
    motorway = Motorway(market=market, vehicle=vehicle, functions=functions, **more)
    motorway.place(motorway.lane, -130.0, 5.0 + motorway.speed_kmh)  # seen beyond the range of rear sensing
    motorway.run(1.5)  # the envelope arms itself
    motorway.run(0.2, Does(pressed=(CENTRING_BUTTON,)))
    motorway.run(market.lane_change.camera_confirm_s)
    motorway.run(0.2, Does(pressed=(BUTTON,)))
    motorway.run(1.0)
    motorway.others.clear()
    return motorway


def ready_for(case: Case, market: Market, vehicle: Vehicle, *, camera: CameraModel = NOISE) -> Motorway:
    """A drive of the grid as far as the indicator."""
    speed_mps = kmh_to_mps(case.speed_kmh)
    road = Road()
    if case.bend_mps2:
        road = bend(
            case.bend_mps2 / speed_mps**2,
            straight_m=7.0 * speed_mps,
            clothoid_m=max(abs(case.bend_mps2) * speed_mps, 20.0),
            arc_m=60.0 * speed_mps,
        )
    motorway = made_ready(
        market,
        vehicle,
        speed_kmh=case.speed_kmh,
        road=road,
        camera=camera,
        width_m=case.width_m,
        delay_s=case.delay_s,
        lag_s=case.lag_s,
    )
    if case.wind_mps:
        motorway.wind_mps = case.wind_mps
        motorway.run(WIND_S)
    return motorway


def drive(case: Case, market: Market, vehicle: Vehicle, *, camera: CameraModel = NOISE) -> Result:
    """One drive of the grid."""
    motorway = ready_for(case, market, vehicle, camera=camera)
    side = Indicator.LEFT if case.side > 0 else Indicator.RIGHT
    return measured(case, motorway.run(SECONDS, Does(indicator=side)))


def measured(case: Case, ticks: Sequence[Tick]) -> Result:
    """The figures of a drive that begins with the indicator."""
    begin_s, side = ticks[0].t_s, case.side
    named = [tick.states.get("lane_change", "") for tick in ticks]
    states = [state for state, former in zip(named, ["standby", *named], strict=False) if state != former]
    way_m = case.width_m + LINE_M
    tyre_m = 0.5 * case.width_m - 0.5 * (ticks[0].left_m + ticks[0].right_m)  # half the width over the tyres
    first_m = ticks[0].place_m

    def when(name: str) -> float:
        found: dict[str, Any] = {
            "moved": lambda tick: side * (tick.place_m - first_m) > MOVED_M,
            "touch": lambda tick: (tick.left_m if side > 0 else tick.right_m) <= 0.0,
            "across": lambda tick: (
                min(side * tick.place_m, side * tick.front_m) - tyre_m >= 0.5 * case.width_m + LINE_M
            ),
            "resumed": lambda tick: (
                tick.states.get("lane_change") == "resume" and tick.states["lane_centring"] == "active"
            ),
            "dark": lambda tick: (
                tick.t_s > begin_s + 1.0
                and tick.lamps is not None
                and LampDemand.ON not in (tick.lamps.indicator_left, tick.lamps.indicator_right)
            ),
        }
        return next((tick.t_s - begin_s for tick in ticks if found[name](tick)), math.nan)

    accels = [tick.lateral_accel_mps2 for tick in ticks]
    added = butterworth([value - case.bend_mps2 for value in accels])
    filtered = butterworth(accels)
    steps = round(0.5 / STEP_S)
    limits = {limit for tick in ticks if tick.command is not None for limit in tick.command.limits}
    return Result(
        case=case,
        states=tuple(states),
        moved_s=when("moved"),
        touch_s=when("touch"),
        across_s=when("across"),
        resumed_s=when("resumed"),
        lamp_off_s=when("dark"),
        overshoot_m=max(side * tick.place_m for tick in ticks) - way_m,
        last_error_m=max(abs(tick.error_m) for tick in ticks if tick.t_s >= ticks[-1].t_s - 2.0),
        added_mps2=max(abs(value) for value in added),
        jerk_mps3=max(abs(b - a) / 0.5 for a, b in zip(filtered, filtered[steps:], strict=False)),
        limits=tuple(sorted(limits)),
        corrections=sum(tick.states.get("elks", "").startswith("correct") for tick in ticks),
    )


def grid(
    speeds_kmh: Iterable[float],
    bends_mps2: Iterable[float] = (0.0,),
    sides: Iterable[int] = (1, -1),
    winds_mps: Iterable[float] = (0.0,),
    actuators: Iterable[tuple[float | None, float | None]] = ((None, None),),
    widths_m: Iterable[float] = (3.5,),
) -> Iterator[Case]:
    """Every combination."""
    for speed, bend_mps2, side, wind, (delay, lag), width in product(
        speeds_kmh, bends_mps2, sides, winds_mps, actuators, widths_m
    ):
        yield Case(
            speed_kmh=speed, side=side, bend_mps2=bend_mps2, wind_mps=wind, delay_s=delay, lag_s=lag, width_m=width
        )
