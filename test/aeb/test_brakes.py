"""One model of the brakes: against a stepwise reckoning, and against bundles that contradict themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.collision.brakes import Brakes
from adas_runtime.collision.bundle import brakes_of, check_brakes, passed_of
from adas_runtime.errors import ConfigError
from adas_runtime.market import load_market
from adas_runtime.market.rules import check_car
from adas_runtime.market.schema import Market
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

MARKET, VEHICLE = load_market("de"), load_vehicle("reference")
BRAKES = brakes_of(MARKET, VEHICLE)


def stepwise_m(brakes: Brakes, speed: float, accel: float, other: float, other_accel: float) -> float:
    """The greatest loss of gap, in steps of a millisecond."""
    dt, t, own_m, other_m, worst, now = 0.001, 0.0, 0.0, 0.0, 0.0, accel
    while speed > 0.0 and t < 20.0:
        t += dt
        if t > brakes.delay_s:
            now = max(now - brakes.jerk_mps3 * dt, -brakes.decel_mps2)
        speed = max(speed + now * dt, 0.0)
        other = max(other + min(other_accel, 0.0) * dt, 0.0)
        own_m, other_m = own_m + speed * dt, other_m + other * dt
        worst = max(worst, own_m - other_m)
    return worst


@settings(max_examples=120)
@given(
    st.floats(2.0, 60.0),
    st.sampled_from([0.0, 0.0, -1.0, -3.0, -7.8]),
    st.floats(0.0, 60.0),
    st.sampled_from([0.0, 0.0, -2.0, -4.0, -7.0, -9.0]),
)
def test_gap_that_braking_needs_is_that_of_a_stepwise_reckoning(
    speed_mps: float, accel_mps2: float, other_mps: float, other_accel_mps2: float
) -> None:
    found = BRAKES.needed_gap_m(speed_mps, accel_mps2, other_mps, other_accel_mps2)
    true = stepwise_m(BRAKES, speed_mps, accel_mps2, other_mps, other_accel_mps2)
    assert found == pytest.approx(true, abs=0.12 + 0.01 * true)


@given(st.floats(0.0, 80.0), st.floats(-12.0, 5.0), st.floats(0.0, 80.0), st.floats(-12.0, 5.0))
def test_it_never_needs_less_than_nothing(speed: float, accel: float, other: float, other_accel: float) -> None:
    assert BRAKES.needed_gap_m(speed, accel, other, other_accel) >= 0.0


def test_the_trigger_counts_on_no_more_than_it_gets() -> None:
    passed = passed_of(MARKET, VEHICLE)
    assert BRAKES.decel_mps2 <= min(passed.decel_mps2, VEHICLE.brakes.decel_laden_mps2, MARKET.aeb.decel_mps2)
    assert BRAKES.jerk_mps3 <= min(passed.jerk_mps3, VEHICLE.brakes.jerk_mps3)


def market(part: str, **changes: Any) -> Market:
    return MARKET.model_copy(update={part: getattr(MARKET, part).model_copy(update=changes)})


def car(part: str, **changes: Any) -> Vehicle:
    return VEHICLE.model_copy(update={part: getattr(VEHICLE, part).model_copy(update=changes)})


@pytest.mark.parametrize(
    ("bundle", "told"),
    [
        pytest.param((market("aeb", decel_mps2=9.0), VEHICLE), "the envelope lets it stop in", id="demand-above-grip"),
        pytest.param((market("envelope", friction=0.6), VEHICLE), "the envelope lets it stop in", id="grip-too-low"),
        pytest.param(
            (MARKET, car("limits", accel_min_mps2=-6.0)), "the envelope lets it stop in", id="maker-lets-less-through"
        ),
        pytest.param((MARKET, car("brakes", decel_laden_mps2=6.5)), "the brakes stop it in", id="brakes-too-weak"),
    ],
)
def test_a_bundle_that_contradicts_itself_is_refused_with_the_metres(bundle: tuple[Market, Vehicle], told: str) -> None:
    with pytest.raises(ConfigError, match=told) as found:
        check_brakes(*bundle)
    assert " m apart" in str(found.value) and "60 km/h" in str(found.value)
    with pytest.raises(ConfigError):
        check_car(*bundle)  # what the live graph asks at its start


def test_shipped_bundles_agree_with_themselves() -> None:
    for name in ("de", "jp", "us", "cn", "gb"):
        check_brakes(load_market(name), VEHICLE)


def test_a_silent_function_trusts_nothing_and_is_not_refused() -> None:
    silent = load_market("us")
    weak = silent.model_copy(update={"envelope": silent.envelope.model_copy(update={"friction": 0.5})})
    check_car(weak, VEHICLE)


def test_a_car_whose_brakes_nobody_knows_is_driven_and_only_warns() -> None:
    check_car(MARKET, load_vehicle("unknown_camera"))


def test_a_car_that_brakes_better_laden_is_refused() -> None:
    with pytest.raises(ValueError, match="a loaded car does not brake better"):
        type(VEHICLE.brakes).model_validate({**VEHICLE.brakes.model_dump(), "decel_laden_mps2": 9.5})


def test_what_driver_braking_adds_is_counted() -> None:
    """Who brakes already has the delay behind: the same car needs less way."""
    assert BRAKES.needed_gap_m(15.0, -5.0, 0.0, 0.0) < BRAKES.needed_gap_m(15.0, 0.0, 0.0, 0.0) - 1.0
    assert replace(BRAKES, delay_s=0.3).stop_m(15.0) > BRAKES.stop_m(15.0) + 2.0
