"""The closed loop of lane keeping on a grid: speed, bend, side wind, actuator, width of the lane."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.arbitration.arbiter import SPEC as ARBITER
from adas_runtime.arbitration.envelope import SPEC as ENVELOPE
from adas_runtime.lane_keeping.centring import SPEC as CENTRING
from adas_runtime.lane_keeping.centring_params import BUTTON
from adas_runtime.lane_keeping.correction import SPEC as CORRECTION
from adas_runtime.lane_keeping.side_wind import SPEC as SIDE_WIND
from adas_runtime.market.schema import Market
from adas_runtime.scenario.lane_camera import CameraModel, LaneCamera
from adas_runtime.scenario.lane_drive import HANDS_OFF, HANDS_ON, Drive, Moment, jerk_mps3
from adas_runtime.scenario.road import Road, bend
from adas_runtime.scenario.single_track import SingleTrack
from adas_runtime.signals import MarkingType
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

ALL: Final = (CORRECTION, CENTRING, SIDE_WIND, ARBITER, ENVELOPE)
START_S: Final = 1.5  # the envelope arms itself
PRESS_S: Final = 0.2
SETTLED_S: Final = 5.0
GUST_S: Final = (8.0, 0.5)  # wind sets in, and within
NOISE: Final = CameraModel(offset_std_m=0.02, heading_std_rad=0.001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One drive of the grid.

    Args:
        speed_kmh: Speed.
        bend_mps2: Lateral acceleration that the bend asks for at this speed; 0: straight.
        wind_mps: Side wind that sets in within half a second, and stays.
        delay_s, lag_s: The real actuator; `None`: as the vehicle file says.
        width_m: Lane between the inner edges of its markings.
        drift_mps: 0: lane centring steers; else nobody does, and the car drifts like this towards the left line.
    """

    speed_kmh: float
    bend_mps2: float = 0.0
    wind_mps: float = 0.0
    delay_s: float | None = None
    lag_s: float | None = None
    width_m: float = 3.5
    drift_mps: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of it, measured on the true car.

    Args:
        case: The drive.
        error_m: Greatest distance of the rear axle from the lane's centre.
        last_error_m: The same in the last two seconds.
        dtlm_m: Least distance of a front tyre to a line, inside positive.
        accel_mps2: Greatest lateral acceleration, after the law's filter.
        jerk_mps3: Greatest lateral jerk as the law measures it.
        limits: Limits of the envelope that acted.
        states: States of the steering function in the order of their first time.
        moments: Every step.
    """

    case: Case
    error_m: float
    last_error_m: float
    dtlm_m: float
    accel_mps2: float
    jerk_mps3: float
    limits: tuple[str, ...]
    states: tuple[str, ...]
    moments: list[Moment]


def wide_open(market: Market) -> Market:
    """The market with the greatest lateral acceleration that R79 table 1 knows, 3.0 m/s^2, instead of its own."""
    table = market.lane_centring.aysmax
    centring = market.lane_centring.model_copy(
        update={"aysmax": table.model_copy(update=dict.fromkeys(type(table).model_fields, 2.7)), "excess_mps2": 0.3}
    )
    envelope = market.envelope.model_copy(update={"lateral_accel_max_mps2": 3.0})
    return market.model_copy(update={"lane_centring": centring, "envelope": envelope})


def drive(
    case: Case, market: Market, vehicle: Vehicle, *, camera: CameraModel = NOISE, seconds: float = 24.0
) -> Result:
    """One drive of the grid."""
    speed_mps = kmh_to_mps(case.speed_kmh)
    road = Road()
    if case.bend_mps2 and not case.drift_mps:
        road = bend(
            case.bend_mps2 / speed_mps**2,
            straight_m=7.0 * speed_mps,
            clothoid_m=abs(case.bend_mps2) * speed_mps,  # 1 m/s^3
            arc_m=8.0 * speed_mps,
        )
    elif case.bend_mps2:
        road = Road(((0.0, case.bend_mps2 / speed_mps**2),))
    car = SingleTrack(vehicle, road, speed_mps=speed_mps, delay_s=case.delay_s, lag_s=case.lag_s)
    lane = LaneCamera(camera, lane_width_m=case.width_m, left=MarkingType.SOLID, right=MarkingType.SOLID)
    loop = Drive(market=market, car=car, camera=lane, functions=ALL)
    begin_s, within_s = GUST_S

    def wind_mps(t_s: float) -> float:
        return case.wind_mps * min(max((t_s - begin_s) / within_s, 0.0), 1.0)

    loop.run(START_S)
    if case.drift_mps:
        car.motion = replace(car.motion, heading_rad=car.motion.heading_rad + case.drift_mps / speed_mps)
        moments, name = loop.run(seconds - START_S, HANDS_OFF, wind_mps=wind_mps), CORRECTION.name
    else:
        loop.run(PRESS_S, replace(HANDS_ON, pressed=(BUTTON,)))
        moments, name = loop.run(seconds - START_S - PRESS_S, wind_mps=wind_mps), CENTRING.name
        moments = [moment for moment in moments if moment.t_s >= SETTLED_S]
    return measured(case, moments, name)


def measured(case: Case, moments: list[Moment], name: str) -> Result:
    """The figures of a drive."""
    late_s = moments[-1].t_s - 2.0
    limits = {limit for moment in moments if moment.command is not None for limit in moment.command.limits}
    states: dict[str, None] = {}
    for moment in moments:
        states.setdefault(moment.states.get(name, ""), None)
    return Result(
        case=case,
        error_m=max(abs(moment.error_m) for moment in moments),
        last_error_m=max(abs(moment.error_m) for moment in moments if moment.t_s >= late_s),
        dtlm_m=min(moment.dtlm_m for moment in moments),
        accel_mps2=max(abs(moment.lateral_accel_mps2) for moment in moments),
        jerk_mps3=jerk_mps3(moments),
        limits=tuple(sorted(limits)),
        states=tuple(states),
        moments=moments,
    )


def grid(
    speeds_kmh: Iterable[float],
    bends_mps2: Iterable[float],
    winds_mps: Iterable[float],
    actuators: Iterable[tuple[float | None, float | None]],
    widths_m: Iterable[float],
    drifts_mps: Iterable[float] = (0.0,),
) -> Iterator[Case]:
    """Every combination."""
    parts = [tuple(part) for part in (bends_mps2, winds_mps, widths_m, drifts_mps)]
    for speed_kmh in speeds_kmh:
        for delay_s, lag_s in tuple(actuators):
            for bend_mps2 in parts[0]:
                for wind_mps in parts[1]:
                    for width_m in parts[2]:
                        for drift_mps in parts[3]:
                            yield Case(
                                speed_kmh=speed_kmh,
                                bend_mps2=bend_mps2,
                                wind_mps=wind_mps,
                                delay_s=delay_s,
                                lag_s=lag_s,
                                width_m=width_m,
                                drift_mps=drift_mps,
                            )
