"""Assistance with the ego lane's own estimate, arbiter and envelope on the simulated car: change, override, stop."""

from __future__ import annotations

import math

import pytest
from assisted_drives import MARKET, VEHICLE, market, road
from assisted_loop import Does, Loop, Other
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.dcas.modes import State as Mode
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import STEP_S
from adas_runtime.signals import GazeZone, Indicator, LampDemand, ManoeuvreState
from adas_runtime.units import kmh_to_mps

GONE = Does(hands=False, zone=GazeZone.LAP)


def test_a_lane_change_on_lines_as_a_camera_tells_them() -> None:
    """The estimate hands the lane over while the car is on the line; assistance must not lose the road for that."""
    loop = Loop(real_lane=True, horizon=road(lanes=2, is_dual_carriageway=True))
    loop.activate()
    ticks = loop.run(13.0, Does(indicator=Indicator.LEFT))
    assert ticks[-1].lane == 0 and loop.codes() == []
    assert all(tick.state is not None and tick.state.mode.name == "ACTIVE" for tick in ticks)
    assert abs(ticks[-1].error_m) < 0.05 and max(tick.place_m for tick in ticks) < 3.6


@pytest.mark.parametrize("wind_mps", [-15.0, 12.0, 15.0])
def test_side_wind_takes_no_lane_change_past_the_middle(wind_mps: float) -> None:
    """R171 6.2.3 bounds how the car moves; what holds it against the wind moves it nowhere and must not be cut."""
    loop = Loop(speed_kmh=130.0)
    loop.activate()
    loop.wind_mps = wind_mps
    loop.run(6.0)
    ticks = loop.run(13.0, Does(indicator=Indicator.LEFT))
    assert ticks[-1].lane == 0 and abs(ticks[-1].error_m) < 0.05
    assert max(tick.place_m for tick in ticks) < 3.6


def test_a_solid_line_as_a_camera_tells_it_is_not_crossed() -> None:
    loop = Loop(real_lane=True, solid=True, horizon=road(lanes=2, is_dual_carriageway=True))
    loop.activate()
    ticks = loop.run(9.0, Does(indicator=Indicator.LEFT))
    assert all(tick.lane == 1 and abs(tick.error_m) < 0.1 for tick in ticks)
    assert "dcas_change_suppressed" in loop.codes()


@pytest.mark.clause("R171 5.5.3.4.1.4")
def test_hands_on_the_wheel_win_at_the_actuator() -> None:
    loop = Loop()
    loop.activate()
    before = loop.ticks[-1].command
    assert before is not None and before.lateral_authority == 1.0
    ticks = loop.run(2.0, Does(torque_nm=5.0))
    gone_s = next(
        i for i, tick in enumerate(ticks) if tick.command is not None and tick.command.lateral_authority == 0.0
    )
    assert gone_s * STEP_S <= MARKET.envelope.override_hand_back_s + 0.05
    back = loop.run(5.0)
    assert back[-1].command is not None and back[-1].command.lateral_authority == 1.0


def test_the_brake_ends_propulsion_at_once_and_the_off_switch_everything() -> None:
    loop = Loop(speed_kmh=80.0)
    loop.activate()
    loop.run(1.0, Does(pressed=("speed_up",)))
    braked = loop.run(1.0, Does(brake=True))
    assert all(tick.command is not None and tick.command.accel_mps2 <= 0.0 for tick in braked[10:])
    off = loop.run(0.3, Does(pressed=("dcas",))) + loop.run(3.0)
    assert off[-1].command is not None and not off[-1].command.is_longitudinal_active
    assert off[-1].command.lateral_authority == 0.0


def test_the_envelope_has_nothing_to_limit_in_a_lane_change() -> None:
    """Assistance bounds its own jerk; steps slower than the envelope's would reach it in jumps."""
    loop = Loop(real_lane=True, horizon=road(lanes=2, is_dual_carriageway=True))
    loop.activate()
    ticks = loop.run(13.0, Does(indicator=Indicator.LEFT))
    assert ticks[-1].lane == 0
    assert {name for tick in ticks if tick.command is not None for name in tick.command.limits} == set()


def blinded(curvature_1pm: float, wind_mps: float = 0.0) -> Loop:
    """Assisted on a bend, when the camera goes blind."""
    loop = Loop(real_lane=True, way=Road(((0.0, curvature_1pm),)), wind_mps=wind_mps)
    loop.activate()
    loop.run(6.0)
    loop.blind = True
    return loop


@pytest.mark.clause("R171 5.3.5.1.1")
@pytest.mark.parametrize(
    ("curvature_1pm", "wind_mps"), [(0.0, 0.0), (0.002, 0.0), (0.0, 12.0), (0.001, 6.0), (-0.0015, 0.0)]
)
def test_a_lane_that_is_lost_with_hands_off_is_held_and_the_car_slows(curvature_1pm: float, wind_mps: float) -> None:
    """Assistance ends controllably: told first, steered on by the car's own motion, slower until a hand comes."""
    loop = blinded(curvature_1pm, wind_mps)
    ticks = loop.run(6.0, Does(hands=False))
    told = next(i for i, t in enumerate(ticks) if any(alert.code == "dcas_hand_back" for alert in t.alerts))
    assert all(t.command is not None and t.command.lateral_authority == 1.0 for t in ticks), "the wheel is never free"
    stop = loop.run(10.0, Does(hands=False))
    assert stop[-1].speed_mps < 0.1
    assert all(abs(tick.error_m) < 0.2 for tick in (*ticks, *stop)), "to the stop"
    way_out = [t for t in ticks[told:] if not any(alert.code == "dcas_stopping" for alert in t.alerts)]
    assert way_out[-1].speed_mps < ticks[told].speed_mps - 2.5
    assert min(tick.accel_mps2 for tick in way_out) >= -MARKET.longitudinal.decel_comfort_mps2


@pytest.mark.clause("R171 5.3.5.1.1")
@pytest.mark.parametrize(("bias_dps", "curvature_1pm"), [(0.1, 0.0), (-0.1, 0.002), (0.05, -0.0015)])
def test_a_lost_lane_is_held_with_a_yaw_rate_that_is_told_wrong(bias_dps: float, curvature_1pm: float) -> None:
    """A gyro's bias is learned while the lane is seen; without that 0.1 deg/s lead over the line after 6 s."""
    loop = Loop(real_lane=True, way=Road(((0.0, curvature_1pm),)), gyro_bias_rps=math.radians(bias_dps))
    loop.activate()
    seen = loop.run(40.0)
    loop.blind = True
    ticks = loop.run(16.0, Does(hands=False))
    assert ticks[-1].speed_mps < 0.1
    assert max(abs(tick.error_m) for tick in seen) < 0.15
    assert max(abs(tick.error_m) for tick in ticks) < 0.3, "half of what lies between tyre and line, to the stop"


@pytest.mark.clause("R171 5.3.5.1.1")
def test_a_hand_on_the_wheel_has_it_to_itself_at_once() -> None:
    loop = blinded(0.002)
    loop.run(3.0, Does(hands=False))
    ticks = loop.run(3.0, Does(hands=True))
    ended = next(i for i, t in enumerate(ticks) if t.command is not None and t.command.lateral_authority < 1.0)
    assert ended * STEP_S <= MARKET.dcas.exit_hands_s + 0.6
    assert ticks[-1].command is not None and ticks[-1].command.lateral_authority == 0.0


@pytest.mark.clause("R171 5.3.5.1.1")
def test_a_lane_that_comes_back_while_it_is_held_is_followed_on() -> None:
    loop = blinded(0.002)
    ticks = loop.run(1.5, Does(hands=False))
    loop.blind = False
    ticks += loop.run(4.0, Does(hands=False))
    assert all(tick.command is not None and tick.command.lateral_authority == 1.0 for tick in ticks)
    assert all(abs(tick.error_m) < 0.1 for tick in ticks)


@pytest.mark.clause("R171 5.3.5.1.1")
def test_a_clock_that_is_set_back_ends_assistance_with_a_word() -> None:
    """A clock that is set while driving: no core is made fresh that has a hand on the car."""
    loop = Loop()
    loop.activate()
    loop.set_back(100.0)
    ticks = loop.run(4.0)
    assert any(a.code == "dcas_hand_back" and a.is_active for tick in ticks[:5] for a in tick.alerts)
    assert any(a.code == "dcas_ended" and a.is_active for tick in ticks for a in tick.alerts)
    assert ticks[-1].command is not None and not ticks[-1].command.is_lateral_active


@pytest.mark.clause("R171 5.3.7.3.2")
def test_without_a_sure_shoulder_it_stops_in_the_slow_lane() -> None:
    loop = Loop(lanes=3, lane=1)
    loop.activate()
    ticks = loop.run(50.0, GONE)
    assert ticks[-1].speed_mps == 0.0 and ticks[-1].lane == 2 and abs(ticks[-1].error_m) < 0.3
    assert ticks[-1].lamps is not None and ticks[-1].lamps.hazard is LampDemand.ON


def test_a_car_ahead_is_not_run_into_on_the_way_to_the_stop() -> None:
    loop = Loop(lanes=1, lane=0, others=[Other(lane=0, s_m=0.0, speed_mps=kmh_to_mps(95.0))])
    loop.activate()
    front = loop.others[0]
    front.s_m = loop.car.motion.s_m + 60.0
    loop.run(18.0, GONE)
    front.accel_mps2 = -4.0
    nearest_m = 1e9
    front_m = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
    for _ in range(3000):
        tick = loop.run(STEP_S, GONE)[-1]
        nearest_m = min(nearest_m, front.s_m - loop.car.motion.s_m - front_m)
        assert tick.accel_mps2 >= -4.05, "R79 5.1.6.3.5"
    assert nearest_m > 0.5 and loop.executor.core("dcas").state.state is Mode.HELD


ANNEX_4 = [
    *(("4.2.5.2.1-stationary", speed_kmh, 0.0) for speed_kmh in (60.0, 80.0, 100.0, 120.0, 130.0)),
    ("4.2.5.2.3-slower", 100.0, 50.0),
    ("4.2.5.2.3-slower", 130.0, 80.0),
]


@pytest.mark.clause("R171 5.3.7.1.1.1")
@pytest.mark.parametrize(
    ("speed_kmh", "front_kmh"), [row[1:] for row in ANNEX_4], ids=[f"{r[0]}-{r[1]:.0f}" for r in ANNEX_4]
)
def test_a_car_that_stands_or_is_slower_is_met_without_its_touch(speed_kmh: float, front_kmh: float) -> None:
    """The set-up of Annex 4: active from 250 m on, straight, nobody steers; below the braking of R171 2.19."""
    loop = Loop(speed_kmh=speed_kmh, others=[Other(lane=1, s_m=1e6, speed_mps=kmh_to_mps(front_kmh))])
    loop.activate()
    front = loop.others[0]
    front.s_m = loop.car.motion.s_m + 250.0
    front_m = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
    nearest_m, hardest_mps2 = 1e9, 0.0
    for _ in range(3000):
        tick = loop.run(STEP_S)[-1]
        nearest_m = min(nearest_m, front.s_m - loop.car.motion.s_m - front_m)
        hardest_mps2 = min(hardest_mps2, tick.accel_mps2)
    assert nearest_m > 1.0 and hardest_mps2 > -5.0
    assert abs(tick.speed_mps - front.speed_mps) < 1.0, "and it follows"


does = st.builds(
    Does,
    hands=st.booleans(),
    zone=st.sampled_from([GazeZone.ROAD, GazeZone.ROAD, GazeZone.LAP]),
    pressed=st.sampled_from([(), (), ("resume",), ("cancel",), ("speed_up",), ("dcas",)]),
    indicator=st.sampled_from([Indicator.OFF, Indicator.OFF, Indicator.LEFT, Indicator.RIGHT]),
    torque_nm=st.sampled_from([0.0, 0.0, 5.0]),
    brake=st.sampled_from([False, False, True]),
)


@settings(max_examples=8)
@given(st.lists(st.tuples(st.sampled_from([0.5, 2.0, 5.0]), does), max_size=6), st.integers(0, 2))
def test_whatever_the_driver_does_no_line_is_crossed_but_by_a_lane_change(
    parts: list[tuple[float, Does]], lane: int
) -> None:
    """Through arbiter and envelope: lateral acceleration inside the law, and lines crossed in manoeuvres alone.

    The simulated driver who overrides holds the road's direction, so whoever is in a lane stays there.
    """
    loop = Loop(lanes=3, lane=lane)
    loop.activate()
    for seconds, act in parts:
        loop.run(seconds, act)
    was_changing = False
    for tick in loop.ticks:
        assert abs(tick.lateral_accel_mps2) <= MARKET.dcas.lateral_accel_max_mps2 + 0.3
        state = tick.state
        is_changing = state is not None and state.manoeuvre in (ManoeuvreState.PROCEDURE, ManoeuvreState.MANOEUVRE)
        was_changing = was_changing or is_changing
        if not was_changing:
            assert abs(tick.error_m) < 0.5


def test_the_shoulder_is_used_where_the_market_says_so() -> None:
    chosen = market(risk=MARKET.dcas.risk.model_copy(update={"to_shoulder": True}))
    loop = Loop(lanes=2, lane=1, market=chosen)
    loop.activate()
    ticks = loop.run(45.0, GONE)
    assert ticks[-1].speed_mps == 0.0 and ticks[-1].place_m < -2.5
