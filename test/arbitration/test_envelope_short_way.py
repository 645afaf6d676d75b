"""What mutants of the envelope asked for: the short way of a quiet drive field by field, constants, and rare paths."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from typing import Any

import pytest
from asked_for import cap, push, steer

from adas_runtime.arbitration.envelope import (
    ACCEL_EPS_MPS2,
    CAP_HEADROOM_MPS2,
    CAP_OPEN_MPS2,
    SPEC,
    STEP_MAX_S,
    Envelope,
    EnvelopeInputs,
    EnvelopeOutputs,
    EnvelopeState,
    Limits,
)
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import ActuationCommand, VehicleState
from adas_runtime.vehicle import load_vehicle

GERMANY = load_market("de")
MARKET = GERMANY.envelope
CAR = load_vehicle("reference")
LIMITS = Limits.of(MARKET, CAR)
NOW_S = 300.0


class Quiet:
    """An armed envelope of which nothing is asked; twice, of which the second never goes the short way."""

    def __init__(self) -> None:
        self.short, self.whole = Envelope(LIMITS, MARKET), Envelope(LIMITS, MARKET)
        self.now_s, self.count = NOW_S, 0
        for _ in range(150):
            self.both()

    def both(
        self, dt_s: float = 0.01, *, ahead: int = 1, vehicle: dict[str, Any] | None = None, **demand: Any
    ) -> tuple[EnvelopeOutputs, EnvelopeOutputs]:
        self.now_s += dt_s
        self.count += ahead
        late_s = demand.pop("late_s", 0.0)
        car = {"stamp_s": self.now_s, "speed_mps": 20.0, "yaw_rate_rps": 0.0, **(vehicle or {})}
        car["stamp_s"] -= car.pop("late_s", 0.0)
        inputs = EnvelopeInputs(
            demand=ActuationCommand(
                **{
                    "stamp_s": self.now_s - late_s,
                    "author": "arbiter",
                    "counter": self.count % 65536,
                    "oldest_input_age_s": 0.01,
                    "oldest_input_chain": "way",
                    **demand,
                }
            ),
            vehicle=VehicleState(**car),
        )
        self.whole.state = replace(self.whole.state)  # another object: it is not known as quiet
        return self.short.step(inputs, self.now_s), self.whole.step(inputs, self.now_s)


OFF: dict[str, tuple[dict[str, Any], str]] = {
    "steering is asked for": (steer(0.001), ""),
    "braking is asked for": (push(-1.0), ""),
    "a cap is asked for": (cap(1.0), ""),
    "the age is not told": ({"oldest_input_age_s": None}, ""),
    "the age is negative": ({"oldest_input_age_s": -0.05, "late_s": 0.05}, ""),
    "the guard was stopped": ({"dt_s": 0.2}, "time_gap"),
    "the clock ran back": ({"dt_s": -0.01}, "time_gap"),
    "the guard's clock alone ran back": ({"dt_s": -0.01, "vehicle": {"late_s": -0.02}}, "time_gap"),
    "the counter stands": ({"ahead": 0}, ""),
    "the counter ran back": ({"ahead": -1}, ""),
    "the counter ran half round": ({"ahead": 32768}, ""),
    "the demand comes from the future": ({"late_s": -0.02}, ""),
    "the information is old": ({"oldest_input_age_s": 0.31}, "information_old"),
    "the demand waited": ({"oldest_input_age_s": 0.2, "late_s": 0.11}, "information_old"),
    "the driver steers left": ({"vehicle": {"driver_torque_nm": 3.1}}, ""),
    "the driver steers right": ({"vehicle": {"driver_torque_nm": -3.1}}, ""),
    "the speed rises fast": ({"vehicle": {"speed_mps": 20.0 + 60.0}}, "speed_jump"),
    "the speed is lost": ({"vehicle": {"speed_mps": 0.0}}, "speed_jump"),
    "the speed turns round": ({"vehicle": {"speed_mps": -20.0}}, "speed_jump"),
    "the speed is none": ({"vehicle": {"speed_mps": math.nan}}, "vehicle_not_finite"),
    "the vehicle's stamp runs back": ({"vehicle": {"late_s": 0.05}}, ""),
    "the vehicle's stamp is before all time": ({"vehicle": {"late_s": math.inf}}, "vehicle_not_finite"),
    "the vehicle's stamp is after all time": ({"vehicle": {"late_s": -math.inf}}, "vehicle_not_finite"),
    "the vehicle's stamp is none": ({"vehicle": {"late_s": math.nan}}, "vehicle_not_finite"),
    "the acceleration is none": ({"vehicle": {"accel_mps2": math.inf}}, "vehicle_not_finite"),
    "the yaw rate is none": ({"vehicle": {"yaw_rate_rps": math.nan}}, "vehicle_not_finite"),
    "the pedal is none": ({"vehicle": {"accelerator": math.nan}}, "vehicle_not_finite"),
    "the demand's curvature is none": ({"curvature_1pm": math.nan}, "demand_not_finite"),
    "the demand's acceleration is none": ({"accel_mps2": -math.inf}, "demand_not_finite"),
    "the demand's authority is none": ({"lateral_authority": math.nan}, "demand_not_finite"),
    "steering cannot follow": ({"vehicle": {"is_steering_available": False}}, "steering_unavailable"),
    "brakes cannot follow": ({"vehicle": {"is_braking_available": False}}, "brakes_unavailable"),
}


@pytest.mark.parametrize("field", ["driver_torque_nm", "accel_mps2", "yaw_rate_rps", "accelerator"])
def test_what_the_car_does_not_measure_leaves_the_short_way_open(field: str) -> None:
    quiet = Quiet()
    for _ in range(3):
        short, whole = quiet.both(vehicle={field: None})
        assert short == whole and quiet.short.state == quiet.whole.state
        assert quiet.short._quiet is quiet.short.state


@pytest.mark.parametrize(("fields", "code"), OFF.values(), ids=OFF)
def test_one_field_that_is_off_ends_the_short_way(fields: dict[str, Any], code: str) -> None:
    quiet = Quiet()
    assert quiet.short.state.is_locked is False
    for number in range(3):  # what it leaves in memory shows in the steps after
        one, other = quiet.both(**fields)
        assert one == other
        assert asdict(quiet.short.state) == asdict(quiet.whole.state)
        assert one.command is not None and (number > 0 or not code or code in one.command.limits)
        one, other = quiet.both()
        assert one == other


def test_the_short_way_tells_no_age_that_its_signal_does_not_hold() -> None:
    """A vehicle that stamps by another clock."""
    quiet = Quiet()
    for _ in range(3):
        one, other = quiet.both(vehicle={"late_s": 3e6})
        assert one == other and one.command is not None and one.command.oldest_input_age_s == 1e6


@pytest.mark.parametrize("speed_mps", [0.0, 20.0, 100.0])
def test_after_a_fault_the_quiet_way_remembers_nothing_of_it(speed_mps: float) -> None:
    quiet = Quiet()
    for fields in ({"vehicle": {"speed_mps": speed_mps}}, {}, {"dt_s": 0.2}, {}):
        one, other = quiet.both(**fields)
        assert one == other and asdict(quiet.short.state) == asdict(quiet.whole.state)


def test_a_fresh_memory() -> None:
    """Each default is the safe one; a test that starts from it must not depend on another."""
    assert asdict(EnvelopeState()) == {
        "stepped_s": None,
        "counter": 0,
        "is_lateral": False,
        "curvature_1pm": 0.0,
        "authority": 0.0,
        "is_longitudinal": False,
        "accel_mps2": 0.0,
        "cap_mps2": None,
        "cap_pedal": None,
        "is_cap_refused": False,
        "lateral_author": "",
        "lateral_cause": "",
        "longitudinal_author": "",
        "longitudinal_cause": "",
        "demand": None,
        "demand_s": 0.0,
        "is_locked": True,
        "lock_cause": "start",
        "clean_since_s": None,
        "is_locked_out": False,
        "override_until_s": None,
        "engaged_since_s": None,
        "excess_since_s": None,
        "speed_mps": None,
        "speed_s": 0.0,
        "over_budget": 0,
    }


def test_the_figures_that_are_this_designs_choice() -> None:
    assert (ACCEL_EPS_MPS2, CAP_HEADROOM_MPS2, CAP_OPEN_MPS2) == (1e-6, 0.5, 5.0)


def one_step(
    envelope: Envelope, now_s: float, count: int, vehicle: dict[str, Any] | None = None, **demand: Any
) -> ActuationCommand:
    said = envelope.step(
        EnvelopeInputs(
            demand=ActuationCommand(
                **{
                    "stamp_s": now_s,
                    "author": "arbiter",
                    "counter": count,
                    "oldest_input_age_s": 0.0,
                    **demand,
                }
            ),
            vehicle=VehicleState(**{"stamp_s": now_s, "speed_mps": 20.0, "yaw_rate_rps": 0.0, **(vehicle or {})}),
        ),
        now_s,
    )
    assert said.command is not None
    return said.command


def armed(**state: Any) -> Envelope:
    envelope = Envelope(LIMITS, MARKET)
    start = EnvelopeState(stepped_s=NOW_S, is_locked=False, lock_cause="", speed_mps=20.0, speed_s=NOW_S)
    envelope.state = replace(start, **state)
    return envelope


def test_a_trace_of_acceleration_that_no_time_has_passed_for_is_none() -> None:
    command = one_step(armed(is_longitudinal=True, accel_mps2=5e-7), NOW_S, 1)
    assert not command.is_longitudinal_active and command.accel_mps2 == 0.0


def test_numbers_whose_sum_alone_is_too_large_are_numbers() -> None:
    """They are cut, not taken for a fault; `None` beside them is no number that is missing."""
    command = one_step(armed(), NOW_S + 0.01, 1, **{**push(1.7e308), **steer(1.7e308)})
    assert not command.is_safe_stop and {"accel", "lateral_accel"} <= set(command.limits)
    command = one_step(armed(), NOW_S + 0.01, 1, {"accel_mps2": 1.7e308, "driver_torque_nm": 1.7e308})
    assert not command.is_safe_stop and "vehicle_not_finite" not in command.limits


def test_a_pedal_that_was_lower_before_the_cap_began_lifts_nothing() -> None:
    envelope = armed()
    now_s, low = NOW_S, 0.0
    for count in range(1, 50):
        now_s += 0.01
        one_step(envelope, now_s, count, {"accelerator": low, "accel_mps2": 0.0})
    pressed = low + MARKET.cap_override_rise + 0.05
    assert pressed < MARKET.cap_override_accelerator
    for count in range(50, 90):
        now_s += 0.01
        command = one_step(envelope, now_s, count, {"accelerator": pressed, "accel_mps2": 0.0}, **cap(-0.5))
        assert command.accel_cap_mps2 is not None, "a rise counts from the beginning of the cap"


def test_a_cap_that_its_ramp_holds_back_is_told() -> None:
    command = one_step(armed(cap_mps2=1.0), NOW_S + 0.01, 1, **cap(-0.5))
    assert command.limits == ("cap_jerk",) and command.is_limited
    assert one_step(armed(cap_mps2=-0.5), NOW_S + 0.01, 1, **cap(-0.5)).limits == ()
    assert one_step(armed(cap_mps2=1.0), NOW_S + 0.01, 1).limits == (), "one that ends is no limit"


def test_the_envelope_of_the_graph_is_built_with_market_vehicle_and_chains() -> None:
    core = SPEC.build(BuildContext(market=GERMANY, vehicle=CAR, graph=default_graph()))
    assert isinstance(core, Envelope) and core.limits == LIMITS
    core.state = replace(armed().state)
    chain = "object_supplier > tracking > aeb > arbiter > envelope"
    command = one_step(core, NOW_S + 0.01, 1, **push(-1.0), longitudinal_age_s=0.29, longitudinal_chain=chain)
    assert command.is_longitudinal_active and "longitudinal_over_budget" not in command.limits


# --- rare paths that mutants found open -------------------------------------------------------------------------------


@pytest.mark.parametrize("field", ["is_steering_available", "is_braking_available"])
def test_without_a_demand_an_actuator_that_cannot_follow_is_told_all_the_same(field: str) -> None:
    envelope = armed()
    vehicle = VehicleState(stamp_s=NOW_S + 0.01, speed_mps=20.0, **{field: False})
    said = envelope.step(EnvelopeInputs(demand=None, vehicle=vehicle), NOW_S + 0.01)
    why = "steering_unavailable" if field == "is_steering_available" else "brakes_unavailable"
    assert said.command is not None and set(said.command.limits) == {"demand_absent", why}


def test_what_nobody_asks_for_has_no_cause_of_a_refusal() -> None:
    vehicle = {"is_steering_available": False, "is_braking_available": False}
    command = one_step(armed(), NOW_S + 0.01, 1, vehicle)
    assert (command.lateral_cause, command.longitudinal_cause) == ("", "")
    assert command.limits == ("brakes_unavailable", "steering_unavailable")


def test_an_old_value_of_a_cap_is_no_refusal_by_the_driver() -> None:
    envelope = armed(cap_mps2=-0.5)
    one_step(envelope, NOW_S + 0.01, 1, **cap(-0.5), longitudinal_age_s=0.5)
    command = one_step(envelope, NOW_S + 0.02, 2, **cap(-0.5), longitudinal_age_s=0.05)
    assert command.accel_cap_mps2 is not None and command.accel_cap_mps2 < -0.4


def test_just_at_the_time_of_a_frozen_counter_it_is_frozen() -> None:
    envelope = Envelope(LIMITS, MARKET.model_copy(update={"demand_frozen_s": 0.125}))
    former = ActuationCommand(stamp_s=NOW_S, author="arbiter", counter=1, oldest_input_age_s=0.0)
    envelope.state = replace(armed().state, stepped_s=NOW_S + 0.0625, demand=former, demand_s=NOW_S)
    assert one_step(envelope, NOW_S + 0.125, 1).limits == ("demand_frozen",)


def test_just_at_the_end_of_the_clean_time_it_is_armed() -> None:
    envelope = armed(is_locked=True, lock_cause="demand_absent", clean_since_s=NOW_S + 0.125 - 1.0)
    assert MARKET.rearm_s == 1.0
    assert not one_step(envelope, NOW_S + 0.125, 1).is_safe_stop


def test_what_locked_out_stays_so_when_the_motion_begins_anew() -> None:
    """While the ramp still runs: a calm moment in between is no inspection."""
    hard = {"yaw_rate_rps": 0.5}
    envelope = armed(
        is_lateral=True, authority=1.0, engaged_since_s=NOW_S - 5.0, excess_since_s=NOW_S - 5.0, is_locked_out=True
    )
    for count, vehicle in enumerate((hard, {}, hard, hard), start=1):
        one_step(envelope, NOW_S + 0.01 * count, count, vehicle, **steer(0.001))
        assert envelope.state.is_locked_out


def test_the_driver_overrides_nothing_that_is_handed_back_already() -> None:
    command = one_step(armed(is_lateral=True, authority=1.0), NOW_S + 0.01, 1, {"driver_torque_nm": 5.0})
    assert command.is_lateral_active and command.limits == ()


def test_an_age_that_cannot_be_told_is_not_told() -> None:
    envelope = armed()
    vehicle = VehicleState(stamp_s=math.nan, speed_mps=20.0)
    said = envelope.step(EnvelopeInputs(demand=None, vehicle=vehicle), NOW_S + 0.01)
    assert said.command is not None and said.command.oldest_input_age_s is None
    command = one_step(armed(), NOW_S + 0.01, 1, **steer(0.001), stamp_s=math.nan, lateral_age_s=0.05)
    assert command.lateral_age_s is None and command.lateral_chain == ""


def test_the_command_tells_age_and_chain_of_each_axis() -> None:
    told = {"lateral_age_s": 0.05, "lateral_chain": "a", "longitudinal_age_s": 0.07, "longitudinal_chain": "b"}
    command = one_step(armed(), NOW_S + 0.01, 1, **steer(0.001), **push(-1.0), stamp_s=NOW_S, **told)
    assert (command.lateral_chain, command.longitudinal_chain) == ("a", "b")
    assert command.lateral_age_s == pytest.approx(0.06) and command.longitudinal_age_s == pytest.approx(0.08)


def test_what_the_declaration_promises() -> None:
    """A command each 10 ms without a demand, 200 a second at the most, always, and the count from the beginning."""
    assert (SPEC.period_s, SPEC.min_period_s, SPEC.has_stage, SPEC.trigger) == (0.01, 0.005, False, "demand")
    assert {item.name: item.max_age_s for item in SPEC.inputs} == {"demand": 0.1, "vehicle": 0.1}
    quiet = Quiet()
    assert quiet.both()[0].status.kpis == (0.0,) and len(SPEC.kpis) == 1


def test_a_pause_of_just_the_time_that_is_let_is_no_gap() -> None:
    envelope = Envelope(LIMITS, MARKET.model_copy(update={"time_gap_s": 0.125}))
    envelope.state = armed().state
    assert one_step(envelope, NOW_S + 0.125, 1).limits == ()


def test_the_short_way_waits_until_the_drivers_hand_is_forgotten() -> None:
    quiet = Quiet()
    quiet.both(vehicle={"driver_torque_nm": 5.0})
    for _ in range(round(MARKET.override_resume_s / 0.01) + 20):
        quiet.both()
        assert asdict(quiet.short.state) == asdict(quiet.whole.state)
    assert quiet.short.state.override_until_s is None


def test_a_speed_that_changes_just_as_fast_as_is_believed() -> None:
    most_mps = MARKET.speed_slew_mps2 * (0.125 + STEP_MAX_S)
    assert one_step(armed(speed_mps=0.0), NOW_S + 0.125, 1, {"speed_mps": most_mps}).limits == ()


def test_just_at_their_times_the_override_ends_and_the_watch_begins() -> None:
    envelope = armed(is_lateral=True, authority=1.0, override_until_s=NOW_S + 0.125)
    assert one_step(envelope, NOW_S + 0.125, 1, **steer(0.0)).limits == ()
    assert MARKET.excess_after_s == 0.5
    envelope = armed(is_lateral=True, authority=1.0, engaged_since_s=NOW_S + 0.125 - 0.5)
    one_step(envelope, NOW_S + 0.125, 1, {"yaw_rate_rps": 0.5}, **steer(0.0))
    assert envelope.state.excess_since_s == NOW_S + 0.125


def test_either_axis_alone_is_excessive_and_just_at_its_time_is_not_beyond_it() -> None:
    both = {"is_lateral": True, "authority": 1.0, "is_longitudinal": True, "engaged_since_s": NOW_S - 5.0}
    envelope = Envelope(LIMITS, MARKET.model_copy(update={"excess_s": 0.25}))
    envelope.state = replace(armed(**both).state, excess_since_s=NOW_S + 0.125 - 0.25)
    hard = {"yaw_rate_rps": 0.5, "accel_mps2": 0.0}
    one_step(envelope, NOW_S + 0.125, 1, hard, **steer(0.0), **push(0.0))
    assert envelope.state.excess_since_s is not None and not envelope.state.is_locked_out


def test_a_trace_that_is_just_the_least_is_none() -> None:
    assert not one_step(armed(is_longitudinal=True, accel_mps2=ACCEL_EPS_MPS2), NOW_S, 1).is_longitudinal_active
