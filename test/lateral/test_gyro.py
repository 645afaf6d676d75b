"""The bias of the yaw rate, learned from a lane that is seen."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.lateral.gyro import BIAS_MAX_RPS, LEARN_S, UNKNOWN, Gyro, learned

DT_S = 0.02
SPEED_MPS = 30.0


def driven(seconds: float, bias_rps: float, *, curvature_1pm: float = 0.0, swing_rps: float = 0.0) -> Gyro:
    """A drive on a bend of constant radius, swinging once in 4 s."""
    gyro = UNKNOWN
    for number in range(round(seconds / DT_S)):
        swing = swing_rps * math.sin(2.0 * math.pi * number * DT_S / 4.0)
        told_rps = SPEED_MPS * curvature_1pm + swing + bias_rps
        gyro = learned(
            gyro, told_rps, speed_mps=SPEED_MPS, curvature_1pm=curvature_1pm, turned_rad=-swing * DT_S, dt_s=DT_S
        )
    return gyro


@pytest.mark.parametrize("curvature_1pm", [0.0, 0.002, -0.004])
@pytest.mark.parametrize("bias_rps", [0.002, -0.001, 0.0])
def test_it_is_found_in_bends_and_while_the_car_swings(bias_rps: float, curvature_1pm: float) -> None:
    gyro = driven(2.0 * LEARN_S, bias_rps, curvature_1pm=curvature_1pm, swing_rps=0.02)
    assert gyro.bias_rps == pytest.approx(bias_rps, abs=2e-4)


def test_it_counts_as_little_as_it_is_sure() -> None:
    shares = [driven(seconds, 0.002).bias_rps / 0.002 for seconds in (1.0, 5.0, 10.0, LEARN_S)]
    assert shares == sorted(shares) and shares[0] < 0.1 and shares[-1] == pytest.approx(1.0)


def test_what_is_no_measurement_teaches_nothing() -> None:
    gyro = driven(5.0, 0.002)
    for yaw_rate_rps, speed_mps in ((math.nan, 30.0), (math.inf, 30.0), (0.3, 3.0), (0.3, math.nan)):
        assert learned(gyro, yaw_rate_rps, speed_mps=speed_mps, curvature_1pm=0.0, turned_rad=0.0, dt_s=DT_S) == gyro


@given(st.lists(st.tuples(st.floats(), st.floats(), st.floats(), st.floats()), max_size=20))
def test_the_bias_stays_within_its_bound_whatever_comes(rows: list[tuple[float, float, float, float]]) -> None:
    gyro = UNKNOWN
    for yaw_rate_rps, speed_mps, curvature_1pm, dt_s in rows:
        dt_s = dt_s if math.isfinite(dt_s) else 0.0
        gyro = learned(gyro, yaw_rate_rps, speed_mps=speed_mps, curvature_1pm=curvature_1pm, turned_rad=0.0, dt_s=dt_s)
        assert abs(gyro.bias_rps) <= BIAS_MAX_RPS
