"""Every limit of the envelope, densely at its bound: one case a value, over speeds, sides, step lengths and vehicles.

One step from a state that is set up by hand; what comes out is compared with the limit worked out here, not in the
envelope. opendbc's safety model runs 3,162 tests; the last test counts the cases of this file, of which each checks one
limit.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import pytest
from asked_for import cap, push, steer

from adas_runtime.arbitration.chains import Chains
from adas_runtime.arbitration.envelope import (
    CAP_OPEN_MPS2,
    STEP_MAX_S,
    Envelope,
    EnvelopeInputs,
    EnvelopeState,
    Limits,
)
from adas_runtime.market import load_market
from adas_runtime.signals import ActuationCommand, VehicleState
from adas_runtime.vehicle import load_vehicle

MARKET: Final = load_market("de").envelope
REFERENCE: Final = load_vehicle("reference")
LORRY: Final = REFERENCE.model_copy(update={"category": "N3"})  # R79 5.6.2.1.3 table 1: 2.5 m/s^2
ICY: Final = MARKET.model_copy(update={"friction": 0.15})
CARS: Final = {
    "car": Limits.of(MARKET, REFERENCE),
    "lorry": Limits.of(MARKET.model_copy(update={"lateral_accel_max_mps2": 3.0}), LORRY),
    "ice": Limits.of(ICY, REFERENCE),
}
NOW_S: Final = 700.0
DT_S: Final = 0.01
BUDGET_S: Final = 0.25
CHAINS: Final = Chains(budget_s={"way": BUDGET_S})
EPS: Final = 1e-9

SPEEDS_MPS: Final = (0.0, 0.5, 1.0, 3.0, 8.0, 13.9, 22.2, 30.6, 38.9, 60.0)
SHARES: Final = (0.0, 0.5, 0.99, 0.999999, 1.0, 1.000001, 1.01, 1.5, 10.0)
SIDES: Final = (1.0, -1.0)
STEPS_S: Final = (0.001, 0.005, 0.01, 0.02, 0.049, 0.05, 0.051, 0.1, 0.149)


def wheel_stop_1pm(limits: Limits, speed_mps: float) -> float:
    v = max(abs(speed_mps), 1.0)
    return math.tan(limits.road_wheel_max_rad) / (limits.wheelbase_m * (1.0 + limits.understeer_s2pm2 * v * v))


def curvature_bound_1pm(limits: Limits, speed_mps: float, accel_mps2: float) -> float:
    v = max(abs(speed_mps), 1.0)
    left = math.sqrt(max(limits.grip_mps2**2 - accel_mps2**2, 0.0))
    return min(min(limits.lateral_accel_max_mps2, left) / v**2, wheel_stop_1pm(limits, speed_mps), 0.5)


def curvature_rate_1pms(limits: Limits, speed_mps: float) -> float:
    v = max(abs(speed_mps), 1.0)
    wheel = limits.wheel_rate_max_rps / (
        limits.steering_ratio * limits.wheelbase_m * (1.0 + limits.understeer_s2pm2 * v * v)
    )
    return min(limits.lateral_jerk_max_mps3 / v**2, wheel)


def stepped(
    fields: dict[str, Any],
    /,
    *,
    limits: Limits = CARS["car"],
    speed_mps: float = 20.0,
    dt_s: float = DT_S,
    vehicle: dict[str, Any] | None = None,
    before_mps: float | None = None,
    **state: Any,
) -> tuple[ActuationCommand, EnvelopeState]:
    """One step of an armed envelope from a given state."""
    envelope = Envelope(limits, MARKET, CHAINS)
    start = EnvelopeState(stepped_s=NOW_S, is_locked=False, lock_cause="", speed_mps=speed_mps, speed_s=NOW_S)
    envelope.state = replace(start, **({"speed_mps": before_mps} if before_mps is not None else {}), **state)
    now_s = NOW_S + dt_s
    asked = {
        "stamp_s": now_s,
        "author": "arbiter",
        "counter": 9,
        "oldest_input_age_s": 0.0,
        "lateral_chain": "way",
        "longitudinal_chain": "way",
    }
    car = {"stamp_s": now_s, "speed_mps": speed_mps, "yaw_rate_rps": None, **(vehicle or {})}
    inputs = EnvelopeInputs(demand=ActuationCommand(**{**asked, **fields}), vehicle=VehicleState(**car))
    said = envelope.step(inputs, now_s)
    assert said.command is not None
    return said.command, envelope.state


def steering(curvature_1pm: float) -> dict[str, Any]:
    return {"is_lateral": True, "curvature_1pm": curvature_1pm, "authority": 1.0}


@pytest.mark.clause("R79 5.6.2.1.3")
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("speed_mps", SPEEDS_MPS)
@pytest.mark.parametrize("car", CARS)
def test_curvature(car: str, speed_mps: float, share: float, side: float) -> None:
    limits = CARS[car]
    bound = curvature_bound_1pm(limits, speed_mps, 0.0)
    wanted = side * share * bound
    held = side * min(share, 1.0) * bound  # it is there already: no ramp hides the bound
    command, _ = stepped(steer(wanted), limits=limits, speed_mps=speed_mps, **steering(held))
    assert command.curvature_1pm == pytest.approx(held, rel=EPS)
    assert abs(command.curvature_1pm) * speed_mps**2 <= (2.5 if car == "lorry" else 3.0) + EPS
    assert ("lateral_accel" in command.limits) is (share > 1.0)


@pytest.mark.clause("R79 5.6.2.1.3(c)")
@pytest.mark.parametrize("dt_s", STEPS_S)
@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize("share", [0.5, 0.999999, 1.000001, 2.0])
@pytest.mark.parametrize("speed_mps", SPEEDS_MPS)
def test_curvature_rate(speed_mps: float, share: float, side: float, dt_s: float) -> None:
    limits = CARS["car"]
    most = curvature_rate_1pms(limits, speed_mps) * min(dt_s, STEP_MAX_S)
    bound = curvature_bound_1pm(limits, speed_mps, 0.0)
    wanted = min(share * most, bound)
    command, _ = stepped(steer(side * wanted), speed_mps=speed_mps, dt_s=dt_s, **steering(0.0))
    assert command.curvature_1pm == pytest.approx(side * min(wanted, most), rel=1e-7)
    assert ("lateral_jerk" in command.limits) is (wanted > most)
    assert abs(command.curvature_1pm) * speed_mps**2 <= 5.0 * min(dt_s, STEP_MAX_S) + EPS


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("speed_mps", SPEEDS_MPS)
@pytest.mark.parametrize("sign", ["accelerating", "braking"])
@pytest.mark.parametrize("car", CARS)
def test_acceleration(car: str, sign: str, speed_mps: float, share: float) -> None:
    limits = CARS[car]
    bound = limits.accel_max_mps2 if sign == "accelerating" else limits.accel_min_mps2
    held = min(share, 1.0) * bound
    command, _ = stepped(push(share * bound), limits=limits, speed_mps=speed_mps, is_longitudinal=True, accel_mps2=held)
    assert command.accel_mps2 == pytest.approx(held, rel=EPS)
    assert ("accel" in command.limits) is (share > 1.0)
    assert abs(command.accel_mps2) <= limits.grip_mps2 + EPS


@pytest.mark.parametrize("dt_s", STEPS_S)
@pytest.mark.parametrize("share", [0.5, 0.999999, 1.000001, 2.0])
@pytest.mark.parametrize("held_mps2", [-4.0, -1.0, 0.0, 1.0])
@pytest.mark.parametrize("sign", ["rising", "falling"])
def test_jerk(sign: str, held_mps2: float, share: float, dt_s: float) -> None:
    limits = CARS["car"]
    rate = limits.jerk_max_mps3 if sign == "rising" else limits.jerk_min_mps3
    most = rate * min(dt_s, STEP_MAX_S)
    wanted = min(max(held_mps2 + share * most, limits.accel_min_mps2), limits.accel_max_mps2)
    command, _ = stepped(push(wanted), dt_s=dt_s, is_longitudinal=True, accel_mps2=held_mps2)
    reached = min(wanted, held_mps2 + most) if most > 0.0 else max(wanted, held_mps2 + most)
    assert command.accel_mps2 == pytest.approx(reached, abs=1e-12)
    assert ("jerk" in command.limits) is (reached != wanted)


@pytest.mark.parametrize("share", [0.5, 0.999999, 1.000001, 2.0])
@pytest.mark.parametrize("speed_mps", [5.0, 10.0, 20.0, 30.0])
@pytest.mark.parametrize("braking", [0.0, 0.3, 0.6, 0.9, 0.95, 0.99, 1.0])
@pytest.mark.parametrize("car", CARS)
def test_grip_that_braking_leaves(car: str, braking: float, speed_mps: float, share: float) -> None:
    """aeb.md R5: (ax / mu g)^2 + (ay / mu g)^2 <= 1, the brake first."""
    limits = CARS[car]
    accel = braking * limits.accel_min_mps2
    bound = curvature_bound_1pm(limits, speed_mps, accel)
    held = min(share, 1.0) * bound
    command, _ = stepped(
        {**push(accel), **steer(share * bound)},
        limits=limits,
        speed_mps=speed_mps,
        is_longitudinal=True,
        accel_mps2=accel,
        **steering(held),
    )
    assert command.accel_mps2 == pytest.approx(accel, rel=EPS)
    assert command.curvature_1pm == pytest.approx(held, rel=1e-7, abs=1e-15)
    used = (command.accel_mps2 / limits.grip_mps2) ** 2 + (command.curvature_1pm * speed_mps**2 / limits.grip_mps2) ** 2
    assert used <= 1.0 + 1e-9


@pytest.mark.parametrize("authority", [0.0, 0.25, 0.5, 0.75, 1.0])
@pytest.mark.parametrize("way", ["in", "back", "override"])
@pytest.mark.parametrize("dt_s", STEPS_S)
def test_authority(dt_s: float, way: str, authority: float) -> None:
    counted_s = min(dt_s, STEP_MAX_S)
    wheel = {"driver_torque_nm": MARKET.override_torque_nm + 0.01} if way == "override" else {}
    command, _ = stepped(
        {} if way == "back" else steer(0.0),
        dt_s=dt_s,
        vehicle=wheel,
        is_lateral=True,
        curvature_1pm=0.0,
        authority=authority,
    )
    fall_s = {"back": MARKET.hand_back_s, "override": MARKET.override_hand_back_s}
    wanted = (
        min(1.0, authority + counted_s / MARKET.ramp_in_s)
        if way == "in"
        else max(0.0, authority - counted_s / fall_s[way])
    )
    assert command.lateral_authority == pytest.approx(wanted, abs=1e-12)


@pytest.mark.parametrize("dt_s", STEPS_S)
@pytest.mark.parametrize("held_mps2", [-0.5, 0.0, 1.0, 3.0])
@pytest.mark.parametrize("wanted_mps2", [-9.0, -0.6, 0.5, 2.0, 4.9, 5.0, 9.0, None])
def test_cap(wanted_mps2: float | None, held_mps2: float, dt_s: float) -> None:
    limits = CARS["car"]
    target = CAP_OPEN_MPS2 if wanted_mps2 is None else min(max(wanted_mps2, limits.cap_min_mps2), CAP_OPEN_MPS2)
    counted_s = min(dt_s, STEP_MAX_S)
    command, _ = stepped({} if wanted_mps2 is None else cap(wanted_mps2), dt_s=dt_s, cap_mps2=held_mps2)
    low, high = limits.cap_jerk_min_mps3 * counted_s, limits.cap_jerk_max_mps3 * counted_s
    assert command.accel_cap_mps2 == pytest.approx(held_mps2 + min(max(target - held_mps2, low), high), abs=1e-12)
    assert not command.is_longitudinal_active and command.accel_mps2 == 0.0, "never a brake"


OFFSETS_S: Final = (-0.05, -0.01, -0.001, -1e-5, 1e-5, 0.001, 0.01, 0.05, 1.0)


@pytest.mark.parametrize("off_s", OFFSETS_S)
@pytest.mark.parametrize("waited_s", [0.0, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("axis", ["lateral", "longitudinal", "cap"])
def test_budget_of_a_chain(axis: str, waited_s: float, off_s: float) -> None:
    age_s = BUDGET_S + off_s - waited_s
    asked = {"lateral": steer(0.001), "longitudinal": push(-1.0), "cap": cap(0.5)}[axis]
    name = "lateral" if axis == "lateral" else "longitudinal"
    command, _ = stepped(
        {
            **asked,
            "stamp_s": NOW_S + DT_S - waited_s,
            f"{name}_age_s": age_s,
            "oldest_input_age_s": age_s,
        }
    )
    assert (f"{name}_over_budget" in command.limits) is (off_s > 0.0)
    assert not command.is_safe_stop
    is_followed = {
        "lateral": command.is_lateral_active,
        "longitudinal": command.is_longitudinal_active,
        "cap": command.accel_cap_mps2 is not None,
    }[axis]
    assert is_followed is (off_s < 0.0)


@pytest.mark.parametrize("off_s", OFFSETS_S)
@pytest.mark.parametrize("waited_s", [0.0, 0.01, 0.05, 0.1])
@pytest.mark.parametrize("asked", [{}, push(1.0), steer(0.001)], ids=["nothing", "braking", "steering"])
def test_stale_information(asked: dict[str, Any], waited_s: float, off_s: float) -> None:
    age_s = MARKET.information_max_age_s + off_s - waited_s
    command, state = stepped({**asked, "stamp_s": NOW_S + DT_S - waited_s, "oldest_input_age_s": age_s})
    assert ("information_old" in command.limits) is (off_s > 0.0)
    assert state.is_locked is (off_s > 0.0)


@pytest.mark.parametrize("off_s", OFFSETS_S)
@pytest.mark.parametrize("ahead", [0, 32768, 40000, 65535])
def test_frozen_or_reordered_counter(ahead: int, off_s: float) -> None:
    former = ActuationCommand(stamp_s=NOW_S, author="arbiter", counter=100, oldest_input_age_s=0.0)
    taken_s = NOW_S + DT_S - max(MARKET.demand_frozen_s + off_s, 0.0)
    command, state = stepped({"counter": (100 + ahead) % 65536}, demand=former, demand_s=taken_s)
    assert ("demand_frozen" in command.limits) is (off_s > 0.0)
    assert state.is_locked is (off_s > 0.0)
    # the same number again is a stuck sender, which stays refused; another number may be a restarted one
    assert state.demand is (None if off_s > 0.0 and ahead else former)


@pytest.mark.parametrize("off_s", OFFSETS_S)
@pytest.mark.parametrize("asked", [{}, push(1.0), steer(0.001), cap(0.5)], ids=["nothing", "braking", "steer", "cap"])
def test_gap_in_time(asked: dict[str, Any], off_s: float) -> None:
    command, state = stepped(asked, dt_s=MARKET.time_gap_s + off_s)
    assert ("time_gap" in command.limits) is (off_s > 0.0)
    assert state.is_locked is (off_s > 0.0)


@pytest.mark.parametrize("off_s", OFFSETS_S)
@pytest.mark.parametrize("asked", [{}, push(0.0), steer(0.0), cap(0.5)], ids=["nothing", "braking", "steer", "cap"])
def test_rearming(asked: dict[str, Any], off_s: float) -> None:
    since_s = NOW_S + DT_S - max(MARKET.rearm_s + off_s, 0.0)
    _, state = stepped(asked, is_locked=True, lock_cause="demand_absent", clean_since_s=since_s)
    is_request = asked.get("is_lateral_active") or asked.get("is_longitudinal_active")
    assert state.is_locked is (off_s < 0.0 or bool(is_request))


@pytest.mark.parametrize("share", [share for share in SHARES if share != 1.0])  # there rounding decides
@pytest.mark.parametrize("sign", SIDES)
@pytest.mark.parametrize("passed_s", [0.005, 0.01, 0.1, 1.0])
def test_speed_that_jumps(passed_s: float, sign: float, share: float) -> None:
    most = MARKET.speed_slew_mps2 * (passed_s + STEP_MAX_S)
    command, state = stepped({}, speed_mps=20.0 + sign * share * most, before_mps=20.0, speed_s=NOW_S + DT_S - passed_s)
    assert ("speed_jump" in command.limits) is (share > 1.0)
    assert state.is_locked is (share > 1.0)


@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("held_s", [0.0, 0.15, 0.299, 0.301, 0.5])
@pytest.mark.parametrize("speed_mps", [5.0, 20.0, 40.0])
@pytest.mark.parametrize("motion", ["turns left", "turns right", "brakes", "accelerates"])
def test_excessive_motion(motion: str, speed_mps: float, held_s: float, share: float) -> None:
    limits = CARS["car"]
    factor = MARKET.excess_factor
    turning = share * factor * limits.lateral_accel_max_mps2 / speed_mps
    car, asked = {
        "turns left": ({"yaw_rate_rps": turning}, steer(0.0)),
        "turns right": ({"yaw_rate_rps": -turning}, steer(0.0)),
        "brakes": ({"accel_mps2": share * factor * limits.accel_min_mps2}, push(0.0)),
        "accelerates": ({"accel_mps2": share * factor * limits.accel_max_mps2}, push(0.0)),
    }[motion]
    now_s = NOW_S + DT_S
    command, state = stepped(
        asked,
        speed_mps=speed_mps,
        vehicle=car,
        is_lateral="turns" in motion,
        is_longitudinal="turns" not in motion,
        engaged_since_s=now_s - 10.0,
        excess_since_s=now_s - held_s if held_s else None,
    )
    is_excess = share > 1.0
    assert state.is_locked_out is (is_excess and held_s > MARKET.excess_s)
    assert command.is_safe_stop is state.is_locked_out
    assert (state.excess_since_s is not None) is is_excess or not state.is_longitudinal


@pytest.mark.parametrize("off_nm", [-1.0, -0.01, -1e-6, 1e-6, 0.01, 1.0])
@pytest.mark.parametrize("sign", SIDES)
@pytest.mark.parametrize("speed_mps", SPEEDS_MPS)
def test_the_drivers_torque(speed_mps: float, sign: float, off_nm: float) -> None:
    """R79 5.6.2.1.3(a)."""
    torque_nm = sign * (MARKET.override_torque_nm + off_nm)
    command, _ = stepped(steer(0.0), speed_mps=speed_mps, vehicle={"driver_torque_nm": torque_nm}, **steering(0.0))
    assert ("driver_override" in command.limits) is (off_nm > 0.0)
    assert (command.lateral_authority < 1.0) is (off_nm > 0.0)


def test_more_cases_check_a_limit_than_opendbc_runs_tests(request: pytest.FixtureRequest) -> None:
    """Of this file alone; counted from what was collected, so that a sample of the file proves nothing."""
    here = [item for item in request.session.items if item.path == request.node.path]
    if len(here) < 100:
        pytest.skip("only a part of the file runs")
    assert len(here) - 1 > 3162
