"""The filter of one axis: against matrices, and its covariance against its errors."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import chi2
from tracking_world import PARAMS, STEP_S, Truth, World, make_return, radar_noise

from adas_runtime.perception.tracking.motion import Axis, begun, carried, measured, placed, surer

numbers = st.floats(-50.0, 50.0)
positive = st.floats(0.01, 30.0)


def matrix(axis: Axis) -> NDArray[np.float64]:
    _, _, _, xx, xv, xa, vv, va, aa = axis
    return np.array([[xx, xv, xa], [xv, vv, va], [xa, va, aa]])


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """Any state with any covariance."""
    root = np.array(draw(st.lists(st.floats(-3.0, 3.0), min_size=9, max_size=9))).reshape(3, 3)
    cov = root @ root.T + 0.01 * np.eye(3)
    upper = (cov[0, 0], cov[0, 1], cov[0, 2], cov[1, 1], cov[1, 2], cov[2, 2])
    x, v, a = draw(numbers), draw(numbers), draw(numbers)
    return (x, v, a, *(float(value) for value in upper))  # type: ignore[return-value]


@given(axes(), st.floats(0.0, 0.5), numbers, st.floats(0.0, 1.0), st.floats(0.0, 5.0), numbers)
def test_carrying_on_is_the_transition_of_the_text_book(
    axis: Axis, dt_s: float, own_mps: float, fade: float, noise: float, usual_mps2: float
) -> None:
    step = np.array([[1.0, dt_s, 0.5 * dt_s * dt_s], [0.0, 1.0, dt_s], [0.0, 0.0, fade]])
    found = carried(axis, dt_s, own_mps, fade, noise, usual_mps2, 0.3)
    expected = step @ np.array(axis[:3]) + np.array([-dt_s * own_mps, 0.3, (1.0 - fade) * usual_mps2])
    assert found[:3] == pytest.approx(tuple(expected), abs=1e-9)
    assert matrix(found) == pytest.approx(step @ matrix(axis) @ step.T + np.diag([0.0, 0.0, noise]), abs=1e-9)


@given(axes(), numbers, positive, numbers, positive, st.booleans())
def test_a_measurement_is_the_gain_of_the_text_book(
    axis: Axis, place_m: float, place_var: float, speed_mps: float, speed_var: float, has_speed: bool
) -> None:
    rows = np.eye(3)[: 2 if has_speed else 1]
    values, noise = (
        np.array([place_m, speed_mps])[: len(rows)],
        np.diag([place_var, speed_var])[: len(rows), : len(rows)],
    )
    found = measured(axis, place_m, place_var, speed_mps, speed_var) if has_speed else placed(axis, place_m, place_var)
    cov, state = matrix(axis), np.array(axis[:3])
    gain = cov @ rows.T @ np.linalg.inv(rows @ cov @ rows.T + noise)
    assert found[:3] == pytest.approx(tuple(state + gain @ (values - rows @ state)), abs=1e-5)
    assert matrix(found) == pytest.approx((np.eye(3) - gain @ rows) @ cov, abs=1e-5)


@given(numbers, positive, numbers, positive)
def test_of_two_estimates_that_may_share_their_error_none_gets_surer(
    one: float, one_var: float, two: float, two_var: float
) -> None:
    value, var = surer(one, one_var, two, two_var)
    assert min(one, two) - 1e-9 <= value <= max(one, two) + 1e-9
    assert min(one_var, two_var) - 1e-9 <= var <= max(one_var, two_var) + 1e-9
    nearer = one if one_var <= two_var else two
    assert abs(value - nearer) <= 0.5 * abs(one - two) + 1e-9


def errors(seed: int, yaw_rate_rps: float, seconds: float = 4.0) -> NDArray[np.float64]:
    """Squared errors in the metric of their covariance, ahead and across, at the end of a drive behind somebody."""
    noise = random.Random(seed)
    world = World(own_mps=20.0, yaw_rate_rps=yaw_rate_rps)
    truth = Truth(
        x_m=40.0,
        y_m=noise.uniform(-3.0, 3.0),
        speed_mps=20.0 + noise.gauss(0.0, 2.0),
        side_mps=noise.gauss(0.0, 0.5),
        accel_mps2=noise.gauss(0.0, PARAMS.accel_std_mps2),
        side_accel_mps2=noise.gauss(0.0, PARAMS.side_accel_std_mps2),
    )
    turn = yaw_rate_rps * STEP_S
    for _ in range(round(seconds / STEP_S)):
        truth.move(STEP_S, noise)
        truth.x_m -= 20.0 * STEP_S
        if turn:  # our frame turns away under it
            truth.x_m, truth.y_m = truth.x_m + turn * truth.y_m, truth.y_m - turn * truth.x_m
            truth.speed_mps, truth.side_mps = (
                truth.speed_mps + turn * truth.side_mps,
                truth.side_mps - turn * truth.speed_mps,
            )
            # and it drives the same bend
            bend_mps2 = yaw_rate_rps / 20.0 * truth.speed_mps**2
            truth.side_accel_mps2 += bend_mps2 * (1.0 - np.exp(-STEP_S / PARAMS.accel_s))
        world.step(returns=[radar_noise(truth.x_m, truth.y_m, truth.speed_mps - 20.0, noise)])
    (echo,) = world.core.state.echoes
    found = []
    for axis, true in (
        (echo.along, (truth.x_m, truth.speed_mps, truth.accel_mps2)),
        (echo.across, (truth.y_m, truth.side_mps, truth.side_accel_mps2)),
    ):
        off = np.array(axis[:3]) - np.array(true)
        found.append(float(off @ np.linalg.solve(matrix(axis), off)))
    return np.array(found)


@pytest.mark.parametrize("yaw_rate_rps", [0.0, 0.1, -0.1], ids=["straight", "left_bend", "right_bend"])
def test_errors_are_as_large_as_their_covariance_says(yaw_rate_rps: float) -> None:
    """NEES over 150 drives, three states an axis, within the chi-square bounds of 99.9 %: neither bold nor timid."""
    runs = 150
    total = sum(errors(seed, yaw_rate_rps) for seed in range(runs))
    low, high = chi2.ppf([0.0005, 0.9995], 3 * runs)
    assert low < total[0] < high, f"ahead {total[0] / runs:.2f} of 3"
    assert low < total[1] < high, f"across {total[1] / runs:.2f} of 3"


def test_a_first_return_is_as_unsure_as_a_return() -> None:
    world = World()
    world.step(returns=[make_return()])
    (echo,) = world.core.state.echoes
    assert echo.along[3] ** 0.5 == pytest.approx(PARAMS.range_std_m, rel=0.1)
    assert begun(1.0, 4.0, 2.0, 9.0, 1.0)[6] == 9.0
