"""Following and set speed through the whole function, arbiter and envelope, with the car's plant behind them."""

from __future__ import annotations

import math

import pytest
from assisted_loop import Does, Loop, Other, Tick

from adas_runtime.scenario.single_track import STEP_S
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

FRONT_M = load_vehicle("reference").dimensions.wheelbase_m + load_vehicle("reference").dimensions.front_overhang_m


def behind(speed_kmh: float, gap_s: float, **options: float) -> Loop:
    """Active behind a car of our lane at this gap."""
    loop = Loop(speed_kmh=speed_kmh, limit_kmh=130.0)
    speed = kmh_to_mps(speed_kmh)
    loop.others.append(Other(1, FRONT_M + 2.0 + gap_s * speed, speed))
    loop.activate()
    return loop


def gap_m(loop: Loop, index: int = 0) -> float:
    return loop.others[index].s_m - loop.car.motion.s_m - FRONT_M


def hardest(ticks: list[Tick]) -> float:
    return min(tick.accel_mps2 for tick in ticks)


def test_cut_in_at_0_6_s_bounded_deceleration_and_no_lane_change() -> None:
    """Adaptations 4: somebody moves over in 2.5 s, 0.6 s ahead of us; we let the gap grow and keep our lane."""
    loop = behind(100.0, 2.0)
    speed = loop.car.speed_mps
    cutter = Other(0, loop.car.motion.s_m + FRONT_M + 0.6 * speed, speed)
    loop.others.append(cutter)

    def moves(t_s: float) -> Does:
        cutter.lane = min(t_s / 2.5, 1.0)  # type: ignore[assignment]
        return Does()

    ticks = loop.run(12.0, moves)
    assert hardest(ticks) >= -2.05
    assert {tick.lane for tick in ticks} == {1}
    assert max(abs(tick.error_m) for tick in ticks) < 0.3
    assert gap_m(loop, 1) >= 0.9 * (2.0 + 2.0 * loop.car.speed_mps)


def test_a_car_that_passes_in_the_next_lane_changes_nothing() -> None:
    """No phantom braking for the neighbour."""
    loop = behind(100.0, 2.0)
    loop.others.append(Other(0, loop.car.motion.s_m - 30.0, loop.car.speed_mps + 6.0))
    assert hardest(loop.run(12.0)) > -0.15


def test_a_swing_of_the_car_ahead_is_calmed_by_the_whole_chain() -> None:
    """String stability with arbiter, envelope and plant in the loop."""
    loop = behind(90.0, 2.0)
    ahead = loop.others[0]
    mean, swing, rate_rps = ahead.speed_mps, 0.8, 0.5

    def waves(t_s: float) -> Does:
        ahead.speed_mps = mean + swing * math.sin(rate_rps * t_s)
        return Does()

    period_s = 2.0 * math.pi / rate_rps
    ticks = loop.run(2.0 * period_s + 8.0, waves)[-round(period_s / STEP_S) :]
    speeds = [tick.speed_mps for tick in ticks]
    assert max(speeds) - min(speeds) < 2.0 * swing


def test_stop_and_go_holds_and_waits_for_the_driver_after_a_long_stop() -> None:
    """A jam: the car ahead stops for ten seconds, then goes; the driver's `resume` moves us off."""
    loop = behind(50.0, 2.0)
    ahead = loop.others[0]
    ahead.accel_mps2 = -1.5
    ticks = loop.run(25.0)
    assert ticks[-1].speed_mps == 0.0
    assert ticks[-1].state is not None and ticks[-1].state.is_standstill_held
    assert 1.5 < gap_m(loop) < 5.0
    ahead.accel_mps2 = 1.0
    assert max(tick.speed_mps for tick in loop.run(6.0)) == 0.0
    assert all(tick.command is not None and tick.command.accel_mps2 <= 0.0 for tick in loop.ticks[-200:])
    loop.run(0.2, Does(pressed=("resume",)))
    command = loop.run(2.0)[-1].command  # the loop's tyres do not roll from standstill: what is asked for counts
    assert command is not None and command.is_longitudinal_active and command.accel_mps2 > 0.5


@pytest.mark.clause("R171 5.3.7.4.7.3.3")
def test_a_limit_that_falls_slows_the_car_and_is_told() -> None:
    """T23 in the loop: set 120, limit 130 to 100."""
    loop = Loop(speed_kmh=120.0, limit_kmh=130.0)
    loop.activate()
    loop.limit_kmh = 100.0
    ticks = loop.run(15.0)
    assert loop.car.speed_mps == pytest.approx(kmh_to_mps(100.0), abs=0.4)
    assert hardest(ticks) >= -1.3
    state = ticks[-1].state
    assert state is not None and state.max_speed_mps == pytest.approx(kmh_to_mps(100.0))
    assert state.set_speed_mps == pytest.approx(kmh_to_mps(120.0), abs=0.2)
