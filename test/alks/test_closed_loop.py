"""Automated lane keeping in closed loops: the middle of the lane, the stop, and the encounters of alks.md section 4."""

from __future__ import annotations

import math

import pytest
from assisted_loop import Does, Loop, Other, Tick
from automated_drives import MARKET, SERIES_01, VEHICLE, WIDTH_M, road
from encounters import BRAKING, CUT_IN, CUT_OUT

from adas_runtime.alks.core import SPEC
from adas_runtime.market.schema import Market
from adas_runtime.scenario.braking import Actor, Drive, Outcome, drive, loop_graph
from adas_runtime.scenario.road import Road, bend
from adas_runtime.signals import GazeZone, LampDemand, ObjectClass, RoadClass
from adas_runtime.units import kmh_to_mps

HANDS_OFF = Does(hands=False)
AWAY = Does(hands=False, zone=GazeZone.LAP)
GRAPH = loop_graph("alks")
HALF_M = 0.5 * WIDTH_M
TYRE_M = 0.5 * VEHICLE.dimensions.tyre_outer_width_m
LINE_M = 0.15
ENDING = road((RoadClass.MOTORWAY, 150.0))  # it ends all the time: a demand that stays


def loop(speed_kmh: float = 100.0, chosen: Market = SERIES_01, **changes: object) -> Loop:
    """A motorway with the system switched on."""
    made = Loop(speed_kmh=speed_kmh, market=chosen, function=SPEC, horizon=road(), **changes)  # type: ignore[arg-type]
    made.run(2.0, HANDS_OFF)
    made.run(0.2, Does(hands=False, pressed=("alks",)))
    made.run(3.0, HANDS_OFF)
    assert made.ticks[-1].status is not None and made.ticks[-1].status.state == "active", made.ticks[-1].status
    return made


def outermost_m(ticks: list[Tick]) -> float:
    """How far a front tyre's outer edge came from the middle of the lane [m]."""
    return max(abs(tick.error_m) for tick in ticks) + TYRE_M


# --- the lane ---------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R157 5.2.1")
@pytest.mark.parametrize("wind_mps", [0.0, 10.0], ids=["calm", "wind"])
@pytest.mark.parametrize("radius_m", [math.inf, 1000.0, 600.0])
@pytest.mark.parametrize("speed_kmh", [30.0, 60.0, 100.0, 130.0])
def test_a02_no_tyre_crosses_the_outer_edge_of_the_marking(speed_kmh: float, radius_m: float, wind_mps: float) -> None:
    """A straight, then a bend of the radius: the tyre stays inside, by more than the marking's width."""
    straight_m = 5.0 * kmh_to_mps(speed_kmh)
    way = Road() if math.isinf(radius_m) else bend(1.0 / radius_m, straight_m=straight_m, clothoid_m=80.0, arc_m=900.0)
    made = loop(speed_kmh, way=way, limit_kmh=speed_kmh)
    made.wind_mps = wind_mps  # a gust, as on a bridge
    ticks = made.run(12.0, HANDS_OFF)
    assert outermost_m(ticks) < HALF_M - LINE_M
    assert all(tick.status is not None and tick.status.state == "active" for tick in ticks)


@pytest.mark.clause("R157 5.5.1")
def test_the_stop_of_the_00_series_ends_in_its_lane() -> None:
    made = loop(60.0, MARKET, limit_kmh=60.0)
    made.horizon = ENDING
    ticks = made.run(40.0, AWAY)
    states = [tick.status.state for tick in ticks if tick.status is not None]
    changes = [state for index, state in enumerate(states) if index == 0 or states[index - 1] != state]
    assert changes[-4:] == [
        "transition_demand", "transition_demand_escalated", "minimum_risk_manoeuvre", "stopped",
    ]  # fmt: skip
    assert ticks[-1].speed_mps < 0.2 and outermost_m(ticks) < HALF_M - LINE_M
    lamps = ticks[-1].lamps
    assert lamps is not None and lamps.hazard is LampDemand.ON
    assert min(tick.accel_mps2 for tick in ticks) >= -4.05


@pytest.mark.clause("R157 5.5.3")
def test_the_stop_of_the_01_series_changes_to_the_slow_lane_behind_an_indicator() -> None:
    made = loop(110.0, lanes=3, lane=1, limit_kmh=110.0)
    made.horizon = ENDING
    ticks = made.run(60.0, AWAY)
    assert ticks[-1].speed_mps < 0.2 and ticks[-1].lane == 2
    begun = next(tick for tick in ticks if tick.lamps is not None and tick.lamps.indicator_right is LampDemand.ON)
    crossed = next(tick for tick in ticks if tick.lane == 2)
    assert 3.0 <= crossed.t_s - begun.t_s <= 8.0
    assert outermost_m(ticks[-500:]) < HALF_M


@pytest.mark.clause("R79 5.6.4.7")
def test_the_stop_of_the_01_series_stays_in_its_lane_where_somebody_is_beside() -> None:
    made = loop(110.0, lanes=3, lane=1, limit_kmh=110.0)
    beside = Other(2, made.car.motion.s_m - 1.0, kmh_to_mps(110.0))
    made.others.append(beside)
    made.horizon = ENDING
    ticks: list[Tick] = []
    for _ in range(600):
        beside.s_m, beside.speed_mps = made.car.motion.s_m - 1.0, made.car.speed_mps
        ticks += made.run(0.1, AWAY)
    assert ticks[-1].speed_mps < 0.2 and {tick.lane for tick in ticks} == {1}


# --- encounters -------------------------------------------------------------------------------------------------------


def driven(case: str, actors: tuple[Actor, ...], speed_kmh: float, seed: int) -> Outcome:
    """One encounter with the noisy sensor."""
    made = Drive(name=case, speed_mps=kmh_to_mps(speed_kmh), actors=actors, lane="straight", long_s=20.0)
    outcome = drive(made, SERIES_01, VEHICLE, GRAPH, seed=seed, ego="alks")
    assert not outcome.refused
    return outcome


LONG_M = 4.3  # of the sheet's cars


@pytest.mark.clause("R157 5.2.5.2")
@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("line", CUT_IN.strip().splitlines(), ids=lambda line: line.split()[0])
def test_no_cut_in_is_hit_that_law_or_a_model_calls_avoidable(line: str, seed: int) -> None:
    name, ego, other, gap_m, lateral_mps, ccd, fsm, _, demanded = line.split()
    actor = Actor(
        kind=ObjectClass.CAR, x_m=float(gap_m) + 0.5 * LONG_M, y_m=3.5, speed_mps=kmh_to_mps(float(other)),
        shifts_at_s=0.0, shift_mps=float(lateral_mps), shift_to_y_m=0.0,
    )  # fmt: skip
    outcome = driven(name, (actor,), float(ego), seed)
    if demanded == "yes" or ccd[0] != "U" or fsm[0] != "U":
        assert outcome.impact_mps is None, f"hit at {outcome.impact_kmh:.1f} km/h"


@pytest.mark.clause("R157 5.2.5")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("line", CUT_OUT.strip().splitlines(), ids=lambda line: line.split()[0])
def test_no_cut_out_is_hit_that_a_model_calls_preventable(line: str, seed: int) -> None:
    name, ego, gap_m, ahead_m, lateral_mps, ccd, fsm, _ = line.split()
    lead = Actor(
        kind=ObjectClass.CAR, x_m=float(gap_m) + 0.5 * LONG_M, y_m=0.0, speed_mps=kmh_to_mps(float(ego)),
        shifts_at_s=0.0, shift_mps=float(lateral_mps), shift_to_y_m=3.5,
    )  # fmt: skip
    stands = Actor(kind=ObjectClass.CAR, x_m=float(gap_m) + LONG_M + float(ahead_m) + 0.5 * LONG_M, y_m=0.0)
    outcome = driven(name, (lead, stands), float(ego), seed)
    if ccd[0] != "U" or fsm[0] != "U":
        assert outcome.impact_mps is None, f"hit at {outcome.impact_kmh:.1f} km/h"


@pytest.mark.clause("R157 5.2.5.1")
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("line", BRAKING.strip().splitlines(), ids=lambda line: line.split()[0])
def test_no_braking_lead_is_hit_that_a_model_calls_preventable(line: str, seed: int) -> None:
    name, ego, gap_m, decel_mps2, ccd, fsm, _ = line.split()
    lead = Actor(
        kind=ObjectClass.CAR, x_m=float(gap_m) + 0.5 * LONG_M, y_m=0.0, speed_mps=kmh_to_mps(float(ego)),
        brakes_at_s=0.0, decel_mps2=float(decel_mps2),
    )  # fmt: skip
    outcome = driven(name, (lead,), float(ego), seed)
    if ccd[0] != "U" or fsm[0] != "U":
        assert outcome.impact_mps is None, f"hit at {outcome.impact_kmh:.1f} km/h"


@pytest.mark.clause("R157 5.2.5.3")
@pytest.mark.parametrize("offset_m", [-0.2, 0.0, 0.2])
@pytest.mark.parametrize("speed_kmh", [10.0, 20.0, 30.0, 40.0, 50.0, 60.0])
def test_a11_no_crossing_pedestrian_is_hit_up_to_60_kmh(speed_kmh: float, offset_m: float) -> None:
    """5 km/h across, unobstructed, met within 0.2 m of the middle of our front."""
    walks_mps, in_s = kmh_to_mps(5.0), 5.0
    actor = Actor(
        kind=ObjectClass.PEDESTRIAN, x_m=kmh_to_mps(speed_kmh) * in_s + 0.25, y_m=-walks_mps * in_s + offset_m,
        heading_rad=0.5 * math.pi, speed_mps=walks_mps,
    )  # fmt: skip
    assert driven("pedestrian", (actor,), speed_kmh, 1).impact_mps is None


@pytest.mark.clause("R157 5.2.4")
@pytest.mark.parametrize("offset_m", [-1.0, 0.0, 1.0])
@pytest.mark.parametrize("speed_kmh", [30.0, 60.0, 100.0, 130.0])
def test_a07_it_stops_behind_what_blocks_the_lane(speed_kmh: float, offset_m: float) -> None:
    actor = Actor(kind=ObjectClass.CAR, x_m=300.0, y_m=offset_m)
    outcome = driven("blocked", (actor,), speed_kmh, 1)
    assert outcome.impact_mps is None and outcome.gap_m > 0.5
    if speed_kmh <= 100.0:  # at 130 the sensor's 150 m leave no more than a full braking
        assert outcome.demand_mps2 <= 5.0, "seen from afar, it needs no emergency manoeuvre"
