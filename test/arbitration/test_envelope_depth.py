"""The envelope's numbers, one by one: limits from market and vehicle, each ramp, each fault, each moment of the lock.

Short and exact, so that a wrong sign or bound anywhere fails here at once; `script/mutate` counts on it.
"""

from __future__ import annotations

import math
from dataclasses import fields, replace
from typing import Any

import pytest
from asked_for import cap, push, steer

from adas_runtime.arbitration.chains import ROUNDING_S, UNKNOWN_BUDGET_S
from adas_runtime.arbitration.envelope import (
    COUNTER_MODULO,
    GRAVITY_MPS2,
    STEP_MAX_S,
    Envelope,
    EnvelopeInputs,
    EnvelopeState,
    Limits,
)
from adas_runtime.arbitration.params import EnvelopeParams
from adas_runtime.market import load_market, market_names
from adas_runtime.signals import ActuationCommand, Health, VehicleState
from adas_runtime.vehicle import load_vehicle

CAR = load_vehicle("reference")
GERMANY = load_market("de").envelope
LIMITS = Limits.of(GERMANY, CAR)
DT_S = 0.01
NOW_S = 500.0


def market(**changes: Any) -> EnvelopeParams:
    return EnvelopeParams.model_validate({**GERMANY.model_dump(), **changes})


def car(**changes: Any) -> Any:
    return CAR.model_copy(update={"limits": CAR.limits.model_copy(update=changes)})


def with_limits(**changes: float) -> Limits:
    return Limits(**{**{item.name: getattr(LIMITS, item.name) for item in fields(LIMITS)}, **changes})


class Gate:
    """An envelope that is armed and at rest, with the next input in hand."""

    def __init__(
        self, limits: Limits = LIMITS, params: EnvelopeParams = GERMANY, speed_mps: float = 20.0, **state: Any
    ) -> None:
        self.envelope = Envelope(limits, params)
        self.now_s = NOW_S
        self.count = 10
        self.speed_mps = speed_mps
        start = EnvelopeState(
            stepped_s=NOW_S, counter=7, is_locked=False, lock_cause="", speed_mps=speed_mps, speed_s=NOW_S
        )
        self.envelope.state = replace(start, **state)

    def step(
        self,
        dt_s: float = DT_S,
        *,
        demand: dict[str, Any] | None = None,
        has_demand: bool = True,
        has_vehicle: bool = True,
        **vehicle: Any,
    ) -> ActuationCommand:
        self.now_s += dt_s
        self.count += 1
        asked = {
            "stamp_s": self.now_s,
            "author": "arbiter",
            "counter": self.count % COUNTER_MODULO,
            "oldest_input_age_s": 0.0,
            **(demand or {}),
        }
        state = {"stamp_s": self.now_s, "speed_mps": self.speed_mps, "yaw_rate_rps": 0.0, **vehicle}
        inputs = EnvelopeInputs(
            demand=ActuationCommand(**asked) if has_demand else None,
            vehicle=VehicleState(**state) if has_vehicle else None,
        )
        said = self.envelope.step(inputs, self.now_s)
        assert said.command is not None
        self.status = said.status
        return said.command

    def hold(self, seconds: float, dt_s: float = DT_S, **fields: Any) -> list[ActuationCommand]:
        return [self.step(dt_s, **fields) for _ in range(round(seconds / dt_s))]


# --- limits: the tighter of market and vehicle ------------------------------------------------------------------------

TIGHTER = [
    ("accel_max_mps2", 1.5, 2.0),
    ("jerk_max_mps3", 3.0, 5.0),
    ("lateral_accel_max_mps2", 2.0, 2.5),
    ("lateral_jerk_max_mps3", 4.0, 4.5),
]


@pytest.mark.parametrize(("name", "tight", "loose"), TIGHTER)
def test_the_tighter_of_market_and_vehicle_holds(name: str, tight: float, loose: float) -> None:
    assert getattr(Limits.of(market(**{name: tight}), car(**{name: loose})), name) == tight
    assert getattr(Limits.of(market(**{name: loose}), car(**{name: tight})), name) == tight


@pytest.mark.parametrize(("name", "tight", "loose"), [("accel_min_mps2", -6.0, -7.0), ("jerk_min_mps3", -10.0, -15.0)])
def test_the_weaker_braking_of_market_and_vehicle_holds(name: str, tight: float, loose: float) -> None:
    assert getattr(Limits.of(market(**{name: tight}), car(**{name: loose})), name) == tight
    assert getattr(Limits.of(market(**{name: loose}), car(**{name: tight})), name) == tight


def test_friction_bounds_all_three() -> None:
    icy = Limits.of(market(friction=0.15), CAR)
    grip = 0.15 * GRAVITY_MPS2
    assert (icy.accel_max_mps2, icy.accel_min_mps2, icy.lateral_accel_max_mps2) == (grip, -grip, grip)
    assert icy.grip_mps2 == grip and GRAVITY_MPS2 == 9.80665


@pytest.mark.clause("R79 5.6.2.1.3")
@pytest.mark.parametrize(
    ("category", "most"), [("M1", 3.0), ("N1", 3.0), ("M2", 2.5), ("M3", 2.5), ("N2", 2.5), ("N3", 2.5)]
)
def test_r79_table_1_by_category(category: str, most: float) -> None:
    loose = market(lateral_accel_max_mps2=3.0)
    vehicle = CAR.model_copy(update={"category": category})
    assert Limits.of(loose, vehicle).lateral_accel_max_mps2 == most


def test_steering_comes_from_the_vehicle() -> None:
    assert LIMITS.wheelbase_m == CAR.dimensions.wheelbase_m and LIMITS.steering_ratio == CAR.steering.ratio
    assert LIMITS.understeer_s2pm2 == CAR.steering.understeer_s2pm2
    assert LIMITS.wheel_rate_max_rps == CAR.steering.wheel_rate_max_rps
    assert LIMITS.road_wheel_max_rad == pytest.approx(8.2 / 15.0)
    sharp = CAR.model_copy(update={"steering": CAR.steering.model_copy(update={"ratio": 2.0})})
    assert Limits.of(GERMANY, sharp).road_wheel_max_rad == 1.2, "no road wheel turns farther, whatever a file says"


@pytest.mark.parametrize(
    ("speed_mps", "accel_mps2", "bound"),
    [
        (20.0, 0.0, 2.5 / 400.0),
        (-20.0, 0.0, 2.5 / 400.0),
        (10.0, -7.8, math.sqrt((0.8 * 9.80665) ** 2 - 7.8**2) / 100.0),
        (10.0, -7.9, 0.0),
        (0.0, 0.0, math.tan(8.2 / 15.0) / 2.65 / (1.0 + 0.002)),
        (0.5, 0.0, math.tan(8.2 / 15.0) / 2.65 / (1.0 + 0.002)),
        (3.0, 0.0, math.tan(8.2 / 15.0) / (2.65 * (1.0 + 0.002 * 9.0))),
    ],
)
def test_the_largest_curvature(speed_mps: float, accel_mps2: float, bound: float) -> None:
    assert LIMITS.curvature_max_1pm(speed_mps, accel_mps2) == pytest.approx(bound, rel=1e-12)


def test_no_curvature_is_larger_than_the_signal_holds() -> None:
    assert with_limits(wheelbase_m=0.6, road_wheel_max_rad=1.2).curvature_max_1pm(0.0, 0.0) == 0.5


@pytest.mark.parametrize(
    ("speed_mps", "rate"),
    [
        (20.0, 4.5 / 400.0),
        (-20.0, 4.5 / 400.0),
        (1.0, 6.0 / (15.0 * 2.65 * 1.002)),
        (0.0, 6.0 / (15.0 * 2.65 * 1.002)),
        (5.0, min(4.5 / 25.0, 6.0 / (15.0 * 2.65 * (1.0 + 0.002 * 25.0)))),
    ],
)
def test_the_fastest_change_of_curvature(speed_mps: float, rate: float) -> None:
    assert LIMITS.curvature_rate_max_1pms(speed_mps) == pytest.approx(rate, rel=1e-12)


@pytest.mark.parametrize("name", market_names())
def test_every_protection_is_on_in_every_market(name: str) -> None:
    """No key switches one off: the schema's bounds leave each a finite, lawful value, and the shipped ones are used."""
    chosen = load_market(name, is_dated=False).envelope
    limits = Limits.of(chosen, CAR)
    assert limits.lateral_accel_max_mps2 <= 3.0 and limits.lateral_jerk_max_mps3 <= 5.0
    assert chosen.demand_frozen_s <= 0.15 and chosen.override_torque_nm <= 9.0 and chosen.rearm_s > 0.0
    assert chosen.excess_factor <= 4.0 and chosen.excess_s <= 1.0 and chosen.time_gap_s <= 1.0
    for key, bad in (
        ("demand_frozen_s", 10.0),
        ("excess_factor", 100.0),
        ("lateral_jerk_max_mps3", 5.1),
        ("lateral_accel_max_mps2", 3.1),
        ("override_torque_nm", 9.1),
        ("rearm_s", 0.0),
        ("time_gap_s", 5.0),
        ("friction", 0.0),
    ):
        with pytest.raises(ValueError, match=key):
            EnvelopeParams.model_validate({**chosen.model_dump(), key: bad})
    with pytest.raises(ValueError, match="the driver comes first"):
        market(override_hand_back_s=2.0, hand_back_s=1.0)


# --- ramps ------------------------------------------------------------------------------------------------------------


def test_acceleration_rises_by_jerk_max_and_falls_by_jerk_min() -> None:
    gate = Gate()
    up = gate.hold(0.05, demand=push(2.0))
    assert [c.accel_mps2 for c in up] == pytest.approx([0.05, 0.10, 0.15, 0.20, 0.25])
    assert up[0].limits == ("jerk",) and up[0].is_limited and gate.status.state == "limiting"
    down = gate.hold(0.03, demand=push(-5.0))
    assert [c.accel_mps2 for c in down] == pytest.approx([0.05, -0.15, -0.35])
    gate.hold(0.3, demand=push(-5.0))
    exact = gate.step(demand=push(-5.0))
    assert exact.accel_mps2 == -5.0 and exact.limits == () and not exact.is_limited
    assert gate.status.state == "passing" and gate.status.is_active


def test_acceleration_beyond_the_limit_is_cut_and_told() -> None:
    gate = Gate()
    for command in gate.hold(1.0, demand=push(2.1)):
        assert "accel" in command.limits
    assert command.accel_mps2 == 2.0 and command.limits == ("accel",)
    assert gate.hold(0.8, demand=push(-9.0))[-1].accel_mps2 == pytest.approx(-0.8 * GRAVITY_MPS2)


def test_a_request_that_ends_is_ramped_out_and_keeps_its_author() -> None:
    gate = Gate()
    gate.hold(0.2, demand=push(-2.0))
    first = gate.step()
    assert first.accel_mps2 == pytest.approx(-1.95) and first.is_longitudinal_active
    assert (first.longitudinal_author, first.longitudinal_cause) == ("acc", "follow")
    assert not first.is_safe_stop and first.limits == (), "a function that ends is no fault"
    last = gate.hold(0.5)[-1]
    assert last.accel_mps2 == 0.0 and not last.is_longitudinal_active
    assert (last.longitudinal_author, last.longitudinal_cause) == ("", "")
    assert gate.status.state == "idle" and not gate.status.is_active


def test_what_is_not_asked_for_is_not_followed() -> None:
    """A sender that leaves numbers in a demand that is not active."""
    gate = Gate()
    for command in gate.hold(1.0, demand={"accel_mps2": -3.0, "curvature_1pm": 0.005, "lateral_authority": 1.0}):
        assert not command.is_longitudinal_active and not command.is_lateral_active
        assert (command.accel_mps2, command.curvature_1pm, command.lateral_authority) == (0.0, 0.0, 0.0)


def test_asking_for_nothing_but_zero_is_a_request() -> None:
    gate = Gate()
    command = gate.step(demand={**push(0.0), **steer(0.0)})
    assert command.is_longitudinal_active and command.is_lateral_active and gate.status.state == "passing"
    assert command.longitudinal_author == "acc" and not command.is_limited


def test_before_any_vehicle_state_came_it_is_safe() -> None:
    gate = Gate()
    gate.envelope = Envelope(LIMITS, GERMANY)
    command = gate.step(has_vehicle=False, demand={**push(1.0), **steer(0.001)})
    assert command.is_safe_stop and "vehicle_absent" in command.limits and command.accel_mps2 == 0.0


def test_a_late_step_counts_no_more_than_its_bound() -> None:
    assert Gate().step(0.05, demand=push(2.0)).accel_mps2 == pytest.approx(0.25)
    assert Gate().step(0.14, demand=push(2.0)).accel_mps2 == pytest.approx(5.0 * STEP_MAX_S)
    assert STEP_MAX_S == 0.05


def test_authority_rises_and_falls_by_its_ramps() -> None:
    gate = Gate()
    up = gate.hold(0.5, demand=steer(0.001))
    assert [c.lateral_authority for c in up[:3]] == pytest.approx([0.02, 0.04, 0.06])
    assert up[-1].lateral_authority == pytest.approx(1.0) and up[-1].is_lateral_active
    assert gate.hold(0.3, demand=steer(0.001))[-1].lateral_authority == 1.0
    down = gate.hold(0.5)
    assert [c.lateral_authority for c in down[:3]] == pytest.approx([0.99, 0.98, 0.97])
    assert all(c.is_lateral_active and c.lateral_author == "lka" and c.lateral_cause == "keep_lane" for c in down)
    end = gate.hold(0.6)[-1]
    assert (end.is_lateral_active, end.lateral_authority, end.curvature_1pm, end.lateral_author) == (
        False,
        0.0,
        0.0,
        "",
    )


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_curvature_is_reached_by_the_lateral_jerk(side: float) -> None:
    gate = Gate()
    rate = 4.5 / 400.0
    moved = gate.hold(0.05, demand=steer(side * 0.005))
    assert [c.curvature_1pm for c in moved] == pytest.approx([side * rate * DT_S * n for n in range(1, 6)])
    assert moved[-1].limits == ("lateral_jerk",)
    there = gate.hold(1.0, demand=steer(side * 0.005))[-1]
    assert there.curvature_1pm == pytest.approx(side * 0.005) and there.limits == ()
    cut = gate.hold(1.0, demand=steer(side * 0.05))[-1]
    assert cut.curvature_1pm == pytest.approx(side * 2.5 / 400.0) and cut.limits == ("lateral_accel",)


@pytest.mark.parametrize(("yaw_rate_rps", "begin"), [(0.04, 0.002), (-0.04, -0.002), (4.0, 0.00625), (None, 0.0)])
def test_steering_begins_on_the_path_that_the_car_drives(yaw_rate_rps: float | None, begin: float) -> None:
    gate = Gate()
    command = gate.step(demand=steer(begin), yaw_rate_rps=yaw_rate_rps)
    assert command.curvature_1pm == pytest.approx(begin) and command.lateral_authority == pytest.approx(0.02)


@pytest.mark.parametrize(("speed_mps", "is_driven"), [(2.9, False), (3.0, True)])
def test_at_walking_pace_the_yaw_rate_tells_no_path(speed_mps: float, is_driven: bool) -> None:
    gate = Gate(speed_mps=speed_mps)
    command = gate.step(demand=steer(0.0), yaw_rate_rps=0.03)
    rate = LIMITS.curvature_rate_max_1pms(speed_mps)
    wanted = max(0.03 / speed_mps - rate * DT_S, 0.0) if is_driven else 0.0
    assert command.curvature_1pm == pytest.approx(wanted)


def test_handing_back_follows_the_driven_path_or_keeps_the_last() -> None:
    gate = Gate()
    gate.hold(1.0, demand=steer(0.001), yaw_rate_rps=0.02)
    followed = gate.hold(0.3, has_demand=False, yaw_rate_rps=0.06)
    assert followed[-1].curvature_1pm == pytest.approx(0.003) and followed[-1].is_lateral_active
    assert {command.limits for command in followed} == {("demand_absent",)}, "following the car limits nobody"
    kept = gate.hold(0.2, has_demand=False, has_vehicle=False)
    assert kept[-1].curvature_1pm == pytest.approx(0.003)
    bounded = Gate()
    bounded.hold(1.0, demand=steer(0.001))
    assert bounded.hold(0.8, has_demand=False, yaw_rate_rps=2.0)[-1].curvature_1pm <= 2.5 / 400.0


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_car_that_gets_faster_gets_less_curvature_at_once(side: float) -> None:
    gate = Gate()
    gate.hold(2.0, demand=steer(side * 0.0062))
    gate.speed_mps = 20.5
    command = gate.step(demand=steer(side * 0.0062))
    assert command.curvature_1pm == pytest.approx(side * 2.5 / 20.5**2) and "lateral_accel" in command.limits


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_curvature_that_is_just_the_largest_is_not_cut(side: float) -> None:
    bound = LIMITS.curvature_max_1pm(20.0, 0.0)
    command = Gate().hold(2.0, demand=steer(side * bound))[-1]
    assert command.curvature_1pm == side * bound and command.limits == ()


def test_a_request_that_was_allowed_before_the_car_got_faster_is_cut_and_told() -> None:
    gate = Gate()
    gate.hold(2.0, demand=steer(0.0062))
    gate.speed_mps = 20.8
    bound = 2.5 / 20.8**2
    command = gate.step(demand=steer(0.99 * bound))
    assert command.curvature_1pm == pytest.approx(bound) and "lateral_accel" in command.limits


# --- faults -----------------------------------------------------------------------------------------------------------

BROKEN: dict[str, tuple[str, dict[str, Any]]] = {
    "no demand": ("demand_absent", {"has_demand": False}),
    "no vehicle": ("vehicle_absent", {"has_vehicle": False}),
    "curvature": ("demand_not_finite", {"demand": {"curvature_1pm": math.nan}}),
    "acceleration": ("demand_not_finite", {"demand": {"accel_mps2": math.inf}}),
    "cap": ("demand_not_finite", {"demand": {"accel_cap_mps2": math.nan}}),
    "demand's stamp": ("demand_not_finite", {"demand": {"stamp_s": math.nan}}),
    "authority": ("demand_not_finite", {"demand": {"lateral_authority": math.nan}}),
    "age": ("demand_not_finite", {"demand": {"oldest_input_age_s": math.nan}}),
    "old information": ("information_old", {"demand": {"oldest_input_age_s": 0.31}}),
    "old demand": ("information_old", {"demand": {"stamp_s": NOW_S - 0.5}}),
    "old together": ("information_old", {"demand": {"stamp_s": NOW_S - 0.1, "oldest_input_age_s": 0.25}}),
    "speed": ("vehicle_not_finite", {"speed_mps": math.nan}),
    "vehicle's stamp": ("vehicle_not_finite", {"stamp_s": math.inf}),
    "yaw rate": ("vehicle_not_finite", {"yaw_rate_rps": math.nan}),
    "acceleration measured": ("vehicle_not_finite", {"accel_mps2": math.nan}),
    "torque": ("vehicle_not_finite", {"driver_torque_nm": math.nan}),
    "speed jumps": ("speed_jump", {"speed_mps": 30.0}),
    "speed drops": ("speed_jump", {"speed_mps": 10.0}),
}


@pytest.mark.parametrize(("cause", "step"), BROKEN.values(), ids=BROKEN)
def test_one_bad_step_locks_keeps_its_cause_and_asks_for_a_fresh_start(cause: str, step: dict[str, Any]) -> None:
    gate = Gate()
    gate.hold(1.0, demand={**push(-1.0), **steer(0.001)})
    demand = {**push(-1.0), **steer(0.001), **step.get("demand", {})}
    bad = gate.step(**{**step, "demand": demand})
    assert cause in bad.limits and bad.is_safe_stop and bad.is_limited
    assert (bad.lateral_cause, bad.longitudinal_cause) == (cause, cause)
    assert bad.lateral_authority == pytest.approx(0.99) and bad.accel_mps2 == pytest.approx(-0.95)
    assert (gate.status.state, gate.status.health, gate.status.reason) == ("handing_back", Health.DEGRADED, cause)
    assert gate.envelope.state.is_locked
    while gate.step(demand={**push(-1.0), **steer(0.001)}).is_lateral_active:
        pass
    assert gate.status.reason in (cause, "speed_jump") and gate.status.state == "safe"
    again = gate.step(demand={**push(-1.0), **steer(0.001)})
    assert again.accel_mps2 == 0.0 and again.is_safe_stop, "what never stopped asking is not let in"


def test_information_just_young_enough_passes() -> None:
    gate = Gate()
    assert not gate.step(demand={**push(1.0), "oldest_input_age_s": 0.3}).is_safe_stop
    assert not gate.step(demand={**push(1.0), "stamp_s": gate.now_s - 0.05, "oldest_input_age_s": 0.2}).is_safe_stop


def test_the_speed_may_change_as_fast_as_a_car_can() -> None:
    gate = Gate()
    most = GERMANY.speed_slew_mps2 * (DT_S + STEP_MAX_S)
    assert not gate.step(speed_mps=20.0 + 0.99 * most).is_safe_stop
    assert Gate().step(speed_mps=20.0 + 1.01 * most).is_safe_stop
    assert Gate().step(speed_mps=20.0 - 1.01 * most).is_safe_stop
    slow = Gate()
    assert not slow.step(stamp_s=NOW_S - 3.0, speed_mps=20.0 + GERMANY.speed_slew_mps2 * 0.045).is_safe_stop


@pytest.mark.parametrize("speed_mps", [3.0, -3.0, 40.0, -40.0])
def test_while_the_speed_is_not_believed_the_greater_one_bounds(speed_mps: float) -> None:
    gate = Gate()
    gate.hold(1.0, demand=steer(0.001))
    gate.step(demand=steer(0.001), speed_mps=speed_mps)
    assert abs(gate.envelope.state.speed_mps or 0.0) == max(20.0, abs(speed_mps))


def test_a_lasting_jump_is_believed_in_the_end() -> None:
    gate = Gate()
    gate.hold(3.0, speed_mps=35.0)
    assert not gate.step(speed_mps=35.0).is_safe_stop and gate.envelope.state.speed_mps == 35.0
    assert gate.hold(0.5, speed_mps=35.0, demand=push(1.0))[-1].accel_mps2 == pytest.approx(1.0)


def test_a_counter_that_stands_still_is_a_stuck_sender_after_its_time() -> None:
    gate = Gate()
    gate.hold(0.5, demand=push(1.0))
    stuck = {**push(1.0), "counter": gate.count}
    steps = gate.hold(0.2, demand=stuck)
    late = next(n for n, command in enumerate(steps, start=1) if command.is_safe_stop)
    assert late * DT_S == pytest.approx(GERMANY.demand_frozen_s, abs=DT_S + 1e-9)
    assert all(command.accel_mps2 == pytest.approx(1.0) for command in steps[: late - 1])
    assert steps[-1].limits == ("demand_frozen",)
    gate.hold(2.0, demand={"counter": stuck["counter"]})
    assert gate.envelope.state.is_locked, "a stuck sender does not unlock either"


@pytest.mark.parametrize(
    ("ahead", "is_new"),
    [(1, True), (100, True), (32767, True), (0, False), (32768, False), (65535, False), (40000, False)],
)
def test_a_counter_goes_forward_and_wraps(ahead: int, is_new: bool) -> None:
    gate = Gate()
    gate.count = 65000
    gate.hold(1.0, demand=push(1.0))
    former = gate.count
    command = gate.step(demand={**push(-1.0), "counter": (former + ahead) % COUNTER_MODULO})
    assert (command.accel_mps2 < 1.0) is is_new and not command.is_safe_stop


def test_an_arbiter_that_restarted_is_taken_after_the_frozen_time() -> None:
    gate = Gate()
    gate.hold(1.0, demand=push(1.0))
    gate.count = 0
    steps = gate.hold(0.3, demand=push(1.0))
    assert any("demand_frozen" in command.limits for command in steps)
    assert gate.hold(1.5)[-1].limits == () and not gate.envelope.state.is_locked


@pytest.mark.parametrize(("pause_s", "is_gap"), [(0.149, False), (0.151, True), (-0.001, True), (3600.0, True)])
def test_a_pause_of_the_guard_itself(pause_s: float, is_gap: bool) -> None:
    gate = Gate()
    gate.hold(1.0, demand={**push(1.0), **steer(0.001)})
    command = gate.step(pause_s, demand={**push(1.0), **steer(0.001)})
    assert ("time_gap" in command.limits) is is_gap and command.is_safe_stop is is_gap
    if is_gap:
        assert not command.is_lateral_active and command.accel_mps2 == 0.0 and command.lateral_authority == 0.0
        assert gate.envelope.state.speed_mps == 20.0 and gate.status.reason == "time_gap"


def test_after_a_fault_it_takes_a_clean_second_without_a_request() -> None:
    gate = Gate()
    gate.step(has_demand=False)
    waiting = gate.hold(0.95)
    assert all(command.is_safe_stop and command.limits == ("rearming",) for command in waiting)
    assert gate.status.state == "safe" and gate.status.reason == "demand_absent"
    for asked in (push(1.0), steer(0.001)):
        gate.step(demand=asked)
        waiting = gate.hold(0.95)
        assert waiting[-1].is_safe_stop, "a request starts the clean second anew"
    last = gate.hold(0.1)[-1]
    assert not last.is_safe_stop and last.limits == () and gate.status.health is Health.OK
    assert gate.envelope.state.lock_cause == ""
    assert gate.step(demand=push(1.0)).accel_mps2 == pytest.approx(0.05)


def test_a_fresh_envelope_is_safe_and_well() -> None:
    gate = Gate()
    gate.envelope = Envelope(LIMITS, GERMANY)
    command = gate.step(demand=push(1.0))
    assert command.is_safe_stop and command.limits == () and command.counter == 1
    assert (command.longitudinal_cause, command.author) == ("start", "envelope")
    assert (gate.status.state, gate.status.health, gate.status.reason) == ("safe", Health.OK, "start")
    gate.hold(1.1)
    assert not gate.envelope.state.is_locked


# --- the driver -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("torque_nm", "is_override"), [(3.0, False), (3.01, True), (-3.0, False), (-3.01, True)])
def test_the_driver_takes_the_wheel_at_the_torque(torque_nm: float, is_override: bool) -> None:
    gate = Gate()
    gate.hold(1.0, demand=steer(0.001))
    command = gate.step(demand=steer(0.001), driver_torque_nm=torque_nm)
    assert ("driver_override" in command.limits) is is_override
    assert command.lateral_authority == pytest.approx(1.0 - DT_S / 0.3 if is_override else 1.0)
    assert command.lateral_cause == ("driver_override" if is_override else "keep_lane")
    assert gate.status.state == ("override" if is_override else "passing") and not command.is_safe_stop


def test_after_the_drivers_torque_steering_comes_back_by_its_ramp() -> None:
    gate = Gate()
    gate.hold(1.0, demand=steer(0.001))
    gate.hold(0.5, demand=steer(0.001), driver_torque_nm=5.0)
    waiting = gate.hold(1.95, demand=steer(0.001), driver_torque_nm=0.0)
    assert all(not command.is_lateral_active and "driver_override" in command.limits for command in waiting)
    back = gate.hold(0.2, demand=steer(0.001), driver_torque_nm=0.0)
    assert 0.0 < back[-1].lateral_authority < 1.0 and back[-1].limits == ()


def test_once_handed_back_an_override_is_told_as_a_limit_and_the_request_keeps_its_cause() -> None:
    gate = Gate()
    gate.hold(1.0, demand=steer(0.001))
    command = gate.hold(0.5, demand=steer(0.001), driver_torque_nm=5.0)[-1]
    assert not command.is_lateral_active and command.lateral_cause == "keep_lane"
    assert command.limits == ("driver_override",) and gate.status.state == "limiting"


def test_a_hand_on_the_wheel_overrides_no_cap() -> None:
    gate = Gate()
    command = gate.hold(2.0, demand=cap(-1.0), driver_torque_nm=5.0)[-1]
    assert command.accel_cap_mps2 == -1.0 and gate.status.state == "capping"


def test_overriding_steering_leaves_braking_alone() -> None:
    gate = Gate()
    gate.hold(1.0, demand={**push(-2.0), **steer(0.001)})
    command = gate.hold(0.5, demand={**push(-2.0), **steer(0.001)}, driver_torque_nm=5.0)[-1]
    assert command.accel_mps2 == -2.0 and not command.is_lateral_active


# --- the watch on excessive motion --------------------------------------------------------------------------------

LATERAL = 1.3 * 2.5
EXCESS: dict[str, tuple[dict[str, Any], dict[str, Any], bool]] = {
    "turns harder than allowed": (steer(0.001), {"yaw_rate_rps": 1.01 * LATERAL / 20.0}, True),
    "turns right harder": (steer(0.001), {"yaw_rate_rps": -1.01 * LATERAL / 20.0}, True),
    "turns nearly as hard": (steer(0.001), {"yaw_rate_rps": 0.99 * LATERAL / 20.0}, False),
    "brakes harder": (push(-1.0), {"accel_mps2": -1.01 * 1.3 * 0.8 * GRAVITY_MPS2}, True),
    "brakes nearly as hard": (push(-1.0), {"accel_mps2": -0.99 * 1.3 * 0.8 * GRAVITY_MPS2}, False),
    "accelerates harder": (push(1.0), {"accel_mps2": 2.61}, True),
    "accelerates nearly as hard": (push(1.0), {"accel_mps2": 2.59}, False),
    "turns just as hard": (steer(0.001), {"yaw_rate_rps": LATERAL / 20.0}, False),
    "accelerates just as hard": (push(1.0), {"accel_mps2": 1.3 * 2.0}, False),
    "brakes just as hard": (push(-1.0), {"accel_mps2": 1.3 * LIMITS.accel_min_mps2}, False),
    "the driver brakes": (push(-1.0), {"accel_mps2": -15.0, "is_braking": True}, False),
    "the driver's pedal": (push(-1.0), {"accel_mps2": -15.0, "brake": 0.5}, False),
    "the driver accelerates": (push(1.0), {"accel_mps2": 4.0, "accelerator": 0.5}, False),
    "turns while only braking is asked for": (push(-1.0), {"yaw_rate_rps": 0.5}, False),
    "brakes while only steering is asked for": (steer(0.001), {"accel_mps2": -15.0}, False),
}


@pytest.mark.parametrize(("asked", "motion", "is_excess"), EXCESS.values(), ids=EXCESS)
def test_motion_beyond_what_may_be_asked_for_locks_out(
    asked: dict[str, Any], motion: dict[str, Any], is_excess: bool
) -> None:
    gate = Gate()
    gate.hold(1.0, demand=asked)
    gate.hold(0.29, demand=asked, **motion)
    assert not gate.envelope.state.is_locked_out
    command = gate.hold(0.04, demand=asked, **motion)[-1]
    assert gate.envelope.state.is_locked_out is is_excess
    if is_excess:
        assert "excessive_actuation" in command.limits and command.is_safe_stop
        assert "excessive_actuation" in (command.lateral_cause, command.longitudinal_cause), "the ramp says why"
        assert (gate.status.state, gate.status.health) == ("locked_out", Health.FAULT) and gate.status.reason
        assert gate.hold(3.0)[-1].is_safe_stop
        assert not gate.status.is_active and gate.status.state == "locked_out"
        gate.step(5.0)
        assert gate.envelope.state.is_locked_out, "a pause is no inspection"


def test_the_watch_begins_after_its_time_and_a_bump_resets_it() -> None:
    hard = {"yaw_rate_rps": 0.3}
    early = Gate()
    early.hold(0.75, demand=steer(0.001), **hard)
    assert not early.envelope.state.is_locked_out, "0.5 s to begin with, then 0.3 s"
    early.hold(0.2, demand=steer(0.001), **hard)
    assert early.envelope.state.is_locked_out
    bumpy = Gate()
    bumpy.hold(1.0, demand=steer(0.001))
    for _ in range(5):
        bumpy.hold(0.25, demand=steer(0.001), **hard)
        bumpy.step(demand=steer(0.001))
    assert not bumpy.envelope.state.is_locked_out
    blinded = Gate()
    blinded.hold(1.0, demand=steer(0.001))
    blinded.hold(0.2, demand=steer(0.001), **hard)
    blinded.step(demand=steer(0.001), has_vehicle=False)
    blinded.hold(0.2, demand=steer(0.001), **hard)
    assert not blinded.envelope.state.is_locked_out, "what was not seen did not last"
    anew = Gate()
    anew.hold(1.0, demand=steer(0.001))
    anew.hold(1.5)
    anew.hold(0.75, demand=steer(0.001), **hard)
    assert not anew.envelope.state.is_locked_out, "every engagement begins with 0.5 s"
    idle = Gate()
    idle.hold(3.0, **hard)
    assert not idle.envelope.state.is_locked_out, "without actuation the driver may drive as he likes"
    overridden = Gate()
    overridden.hold(1.0, demand=steer(0.001))
    overridden.hold(0.2, demand=steer(0.001), driver_torque_nm=5.0, **hard)
    assert overridden.envelope.state.excess_since_s is None


# --- what the command tells -------------------------------------------------------------------------------------------


def test_the_command_tells_its_number_and_the_age_of_what_it_rests_on() -> None:
    gate = Gate(counter=COUNTER_MODULO - 1)
    command = gate.step(demand={"stamp_s": NOW_S - 0.04, "oldest_input_age_s": 0.1}, stamp_s=NOW_S)
    assert command.counter == 0 and command.stamp_s == gate.now_s
    assert command.oldest_input_age_s == pytest.approx(0.15)
    assert gate.step(stamp_s=gate.now_s - 0.07).oldest_input_age_s == pytest.approx(0.08)
    assert gate.step(has_demand=False, has_vehicle=False).oldest_input_age_s is None
    assert gate.step(demand={"stamp_s": math.nan, "oldest_input_age_s": 0.2}).oldest_input_age_s == pytest.approx(0.2)
    assert gate.step(stamp_s=-1e9).oldest_input_age_s == 1e6


def test_an_age_of_nothing_is_told_and_one_that_is_no_number_is_not() -> None:
    gate = Gate()
    assert gate.step(demand=push(0.0)).oldest_input_age_s == 0.0
    assert gate.step(demand={"oldest_input_age_s": math.inf}).oldest_input_age_s == 0.0
    untold = {"stamp_s": math.nan, "oldest_input_age_s": None}
    assert gate.step(demand=untold, has_vehicle=False).oldest_input_age_s is None


@pytest.mark.parametrize(("age_s", "told_s"), [(math.nan, None), (math.inf, None), (3e6, 1e6), (-0.05, 0.0)], ids=str)
def test_each_axis_tells_an_age_that_its_signal_holds_or_none(age_s: float, told_s: float | None) -> None:
    gate = Gate()
    command = gate.step(demand={**steer(0.001), **push(-1.0), "lateral_age_s": age_s, "longitudinal_age_s": age_s})
    assert command.lateral_age_s == command.longitudinal_age_s == told_s


def test_an_axis_that_nobody_asks_for_tells_no_age() -> None:
    told = {"lateral_age_s": 0.05, "lateral_chain": "a", "longitudinal_age_s": 0.05, "longitudinal_chain": "b"}
    steering, driving = Gate().step(demand={**steer(0.001), **told}), Gate().step(demand={**push(-1.0), **told})
    assert (steering.lateral_chain, steering.longitudinal_age_s, steering.longitudinal_chain) == ("a", None, "")
    assert (driving.longitudinal_chain, driving.lateral_age_s, driving.lateral_chain) == ("b", None, "")


def test_the_status_gives_what_acted_as_its_reason() -> None:
    gate = Gate()
    gate.step(demand=push(2.0))
    assert (gate.status.state, gate.status.reason) == ("limiting", "jerk")


STATES: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "locked out": ({"is_locked_out": True}, {}, "locked_out"),
    "locked": ({"is_locked": True, "lock_cause": "demand_absent"}, {}, "handing_back"),
    "brakes cannot follow": ({}, {"is_braking_available": False}, "refusing"),
}


@pytest.mark.parametrize(
    ("left", "is_active"),
    [({}, False), ({"is_lateral": True, "authority": 1.0}, True), ({"cap_mps2": -0.5}, True)],
    ids=["nothing left", "steering left", "a cap left"],
)
@pytest.mark.parametrize(("state", "vehicle", "name"), STATES.values(), ids=STATES)
def test_the_status_says_whether_anything_still_acts_on_the_car(
    state: dict[str, Any], vehicle: dict[str, Any], name: str, left: dict[str, Any], is_active: bool
) -> None:
    gate = Gate(**state, **left)
    gate.step(**vehicle)
    assert gate.status.is_active is is_active
    assert gate.status.state == ("safe" if name == "handing_back" and not is_active else name)


@pytest.mark.parametrize("asked", [push(-1.0), cap(-1.0)], ids=["braking", "a cap"])
def test_the_status_is_active_while_it_passes_or_caps(asked: dict[str, Any]) -> None:
    gate = Gate()
    gate.hold(2.0, demand=asked)
    assert gate.status.is_active and gate.status.state in ("passing", "capping")


def test_an_age_just_at_its_budget_and_what_rounding_adds_is_young_enough() -> None:
    most_s = UNKNOWN_BUDGET_S + ROUNDING_S
    assert Gate().step(demand={**steer(0.0), "lateral_age_s": most_s}).limits == ()
    over = Gate().step(demand={**steer(0.0), "lateral_age_s": math.nextafter(most_s, 1.0)})
    assert over.limits == ("lateral_over_budget",)


def test_a_pedal_that_rises_by_just_the_threshold_lifts_the_cap() -> None:
    params = GERMANY.model_copy(update={"cap_override_rise": 0.25})
    gate = Gate(params=params, cap_mps2=-0.5)
    assert gate.step(demand=cap(-0.5), accelerator=0.125).accel_cap_mps2 == -0.5
    lifted = gate.step(demand=cap(-0.5), accelerator=0.375)
    assert lifted.accel_cap_mps2 is None and lifted.limits == ("driver_accelerates",)
