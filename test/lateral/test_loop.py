"""Several functions, arbiter and envelope in one loop with the car: who takes over from whom, and what always holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.market import load_market
from adas_runtime.scenario.lane_camera import LaneCamera
from adas_runtime.scenario.lane_drive import Drive, Driver
from adas_runtime.scenario.lane_grid import ALL, NOISE, Case, drive
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import STEP_S, SingleTrack
from adas_runtime.signals import Indicator
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

MARKET, CAR = load_market("de"), load_vehicle("reference")


@pytest.mark.parametrize(("speed_kmh", "wind_mps"), [(110.0, 10.0), (130.0, -9.0)])
def test_the_correction_takes_over_from_lane_centring_and_gives_back_without_swinging(
    speed_kmh: float, wind_mps: float
) -> None:
    """A storm sets in in a works lane of 2.6 m: the correction is firmer, and knows the wind from the wheel's angle."""
    result = drive(Case(speed_kmh=speed_kmh, wind_mps=wind_mps, width_m=2.6), MARKET, CAR, seconds=22.0)
    elks = [moment.states["elks"] for moment in result.moments]
    assert {"correct_left", "correct_right"} & set(elks), "the wind is strong enough"
    assert elks[-1] == "armed" and result.moments[-1].states["lane_centring"] == "active"
    assert result.dtlm_m > -0.1, "no tyre far over the line"
    assert result.jerk_mps3 <= 5.0
    assert result.last_error_m < 0.1
    ended_s = next(m.t_s for m, former in zip(result.moments[::-1], elks[::-1], strict=True) if former != "armed")
    assert max(abs(m.error_m) for m in result.moments if m.t_s > ended_s + 2.0) < 0.25


acts = st.fixed_dictionaries(
    {
        "seconds": st.floats(0.3, 3.0),
        "torque_nm": st.sampled_from([0.0, 0.0, 0.5, 2.0, 4.0, -4.0]),
        "is_hands_on": st.booleans(),
        "indicator": st.sampled_from([Indicator.OFF, Indicator.OFF, Indicator.LEFT]),
        "presses": st.booleans(),
        "wind_mps": st.floats(-12.0, 12.0),
        "is_blind": st.sampled_from([False, False, False, True]),
        "curvature_1pm": st.floats(-5e-4, 5e-4),
    }
)


@settings(max_examples=15, deadline=None)
@given(st.lists(acts, min_size=1, max_size=6), st.sampled_from([40.0, 80.0, 130.0]), st.floats(-2.0, 2.0))
def test_no_command_beyond_the_limits_and_hands_win_whatever_happens(
    parts: list[dict[str, Any]], speed_kmh: float, bend_mps2: float
) -> None:
    speed_mps = kmh_to_mps(speed_kmh)
    car = SingleTrack(CAR, Road(((0.0, bend_mps2 / speed_mps**2),)), speed_mps=speed_mps)
    loop = Drive(market=MARKET, car=car, camera=LaneCamera(NOISE), functions=ALL)
    loop.run(1.5)
    steered_s, former = 0.0, loop.moments[-1].command
    for part in parts:
        driver = Driver(
            torque_nm=part["torque_nm"],
            is_hands_on=part["is_hands_on"],
            indicator=part["indicator"],
            pressed=("lane_centring",) if part["presses"] else (),
            curvature_1pm=bend_mps2 / speed_mps**2 + part["curvature_1pm"],
        )
        for moment in loop.run(part["seconds"], driver, wind_mps=part["wind_mps"], is_blind=part["is_blind"]):
            command = moment.command
            assert command is not None and former is not None
            assert abs(command.curvature_1pm) * speed_mps**2 <= MARKET.envelope.lateral_accel_max_mps2 + 1e-6
            if command.is_lateral_active and former.is_lateral_active:
                change = abs(command.curvature_1pm - former.curvature_1pm) * speed_mps**2
                assert change <= MARKET.envelope.lateral_jerk_max_mps3 * STEP_S + 1e-6
            steered_s = steered_s + STEP_S if abs(part["torque_nm"]) > 3.0 else 0.0
            if steered_s > MARKET.envelope.override_hand_back_s + 0.05:
                assert command.lateral_authority == 0.0, "hands on the wheel always win"
            for request in moment.requests.values():
                assert not (request.is_active and abs(part["torque_nm"]) > 3.0 and steered_s > 2 * STEP_S)
            former = command
