"""The last gate: limits, ramps, faults, and what holds for every sequence whatsoever."""

from __future__ import annotations

import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from asked_for import cap, push, steer
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.arbitration.envelope import (
    CAP_HEADROOM_MPS2,
    CAP_OPEN_MPS2,
    SPEED_FLOOR_MPS,
    STEP_MAX_S,
    Envelope,
    EnvelopeInputs,
    Limits,
)
from adas_runtime.arbitration.params import EnvelopeParams
from adas_runtime.converter import check
from adas_runtime.market import load_market
from adas_runtime.signals import ActuationCommand, Health, VehicleState
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de").envelope
VEHICLE = load_vehicle("reference")
LIMITS = Limits.of(MARKET, VEHICLE)
DT_S = 0.01


class Drive:
    """An envelope with a car and a sender around it; time passes by `hold`."""

    def __init__(self, speed_mps: float = 25.0, **vehicle: Any) -> None:
        self.envelope = Envelope(LIMITS, MARKET)
        self.now_s = 100.0
        self.counter = 0
        self.speed_mps = speed_mps
        self.vehicle_fields: dict[str, Any] = {"yaw_rate_rps": 0.0, **vehicle}
        self.command: ActuationCommand | None = None

    def vehicle(self) -> VehicleState:
        return VehicleState(stamp_s=self.now_s, speed_mps=self.speed_mps, **self.vehicle_fields)

    def demand(self, **fields: Any) -> ActuationCommand:
        self.counter += 1
        return ActuationCommand(
            **{
                "stamp_s": self.now_s,
                "author": "arbiter",
                "counter": self.counter % 65536,
                "oldest_input_age_s": 0.0,
                **fields,
            }
        )

    def step(self, inputs: EnvelopeInputs, dt_s: float = DT_S) -> ActuationCommand:
        self.now_s += dt_s
        result = self.envelope.step(inputs, self.now_s)
        assert result.command is not None
        self.status = result.status
        self.command = result.command
        return result.command

    def hold(
        self, seconds: float, *, vehicle: bool = True, demand: bool = True, **fields: Any
    ) -> list[ActuationCommand]:
        return [
            self.step(
                EnvelopeInputs(
                    demand=self.demand(**fields) if demand else None, vehicle=self.vehicle() if vehicle else None
                )
            )
            for _ in range(round(seconds / DT_S))
        ]

    def armed(self) -> Drive:
        """Clean for long enough; in coarse steps, since nothing happens meanwhile."""
        for _ in range(round(MARKET.rearm_s / 0.1) + 2):
            self.step(EnvelopeInputs(demand=self.demand(), vehicle=self.vehicle()), dt_s=0.1)
        assert self.command is not None and not self.command.is_safe_stop
        return self


def is_zero(command: ActuationCommand) -> bool:
    return not (
        command.is_lateral_active
        or command.is_longitudinal_active
        or command.curvature_1pm
        or command.lateral_authority
        or command.accel_mps2
    )


# --- start, arming ----------------------------------------------------------------------------------------------------


def test_a_fresh_envelope_lets_nothing_through_until_nothing_is_asked_for() -> None:
    """A restarted guard must not continue the command of its former life."""
    drive = Drive()
    assert all(is_zero(command) and command.is_safe_stop for command in drive.hold(5.0, **steer(0.001), **push(1.0)))
    drive.armed()
    assert drive.hold(1.0, **push(1.0))[-1].accel_mps2 == pytest.approx(1.0)


def test_an_allowed_request_passes_and_keeps_author_and_cause() -> None:
    command = Drive().armed().hold(3.0, **steer(0.001), **push(0.5))[-1]
    assert command.curvature_1pm == pytest.approx(0.001)
    assert command.lateral_authority == 1.0
    assert command.accel_mps2 == pytest.approx(0.5)
    assert (command.lateral_author, command.lateral_cause) == ("lka", "keep_lane")
    assert (command.longitudinal_author, command.longitudinal_cause) == ("acc", "follow")
    assert not command.is_limited and command.limits == ()


# --- limits, densely at each bound ------------------------------------------------------------------------------------

SPEEDS_MPS = [
    0.0,
    0.5,
    1.0,
    2.0,
    5.0,
    8.0,
    10.0,
    13.9,
    16.7,
    19.4,
    22.2,
    25.0,
    27.8,
    30.6,
    33.3,
    36.1,
    38.9,
    50.0,
    70.0,
]
SHARES = [0.0, 0.25, 0.5, 0.9, 0.99, 0.999, 1.0, 1.001, 1.01, 1.1, 1.5, 2.0, 5.0, 100.0]


@pytest.mark.clause("R79 5.6.2.1.3")
@pytest.mark.parametrize("speed_mps", SPEEDS_MPS)
def test_curvature_is_cut_at_lateral_acceleration_and_steering_stop(speed_mps: float) -> None:
    """532 cases: speed x share of the bound x side."""
    bound = LIMITS.curvature_max_1pm(speed_mps, 0.0)
    for share, side in itertools.product(SHARES, (-1.0, 1.0)):
        wanted = side * min(share * bound, 0.5)
        drive = Drive(speed_mps=speed_mps, yaw_rate_rps=None).armed()
        # settle: begin at the bound's neighbourhood instead of waiting for the jerk limit
        for _ in range(40):
            command = drive.step(
                EnvelopeInputs(demand=drive.demand(**steer(wanted)), vehicle=drive.vehicle()), dt_s=0.04
            )
            assert abs(command.curvature_1pm) <= bound * (1.0 + 1e-12)
            assert command.curvature_1pm * side >= 0.0
            assert command.curvature_1pm * speed_mps**2 <= 3.0 + 1e-9, "R79 5.6.2.1.3 table 1"
        assert ("lateral_accel" in command.limits) == (abs(wanted) > bound)


@pytest.mark.clause("R79 5.6.2.1.3")
@pytest.mark.parametrize("speed_mps", SPEEDS_MPS)
def test_curvature_moves_within_lateral_jerk_and_steering_rate(speed_mps: float) -> None:
    drive = Drive(speed_mps=speed_mps, yaw_rate_rps=None).armed()
    rate = LIMITS.curvature_rate_max_1pms(speed_mps)
    assert rate * max(speed_mps, SPEED_FLOOR_MPS) ** 2 <= 5.0, "R79 5.6.2.1.3(c)"
    former = 0.0
    for wanted in (0.4, -0.4, 0.0, 0.1, -0.1):
        for command in drive.hold(0.3, **steer(wanted)):
            assert abs(command.curvature_1pm - former) <= rate * DT_S * (1.0 + 1e-9)
            former = command.curvature_1pm


@pytest.mark.parametrize("accel_mps2", [x / 8.0 for x in range(-100, 41)])
def test_acceleration_is_cut_and_reached_by_a_ramp(accel_mps2: float) -> None:
    drive = Drive().armed()
    former = 0.0
    for command in drive.hold(3.0, **push(accel_mps2)):
        rise = command.accel_mps2 - former
        assert LIMITS.jerk_min_mps3 * DT_S - 1e-9 <= rise <= LIMITS.jerk_max_mps3 * DT_S + 1e-9
        former = command.accel_mps2
    assert former == pytest.approx(min(max(accel_mps2, LIMITS.accel_min_mps2), LIMITS.accel_max_mps2))
    assert ("accel" in (drive.command.limits if drive.command else ())) == (former != pytest.approx(accel_mps2))


def test_braking_hard_leaves_less_grip_for_steering() -> None:
    assert LIMITS.curvature_max_1pm(20.0, LIMITS.accel_min_mps2) <= LIMITS.curvature_max_1pm(20.0, 0.0)


def test_heavy_vehicles_have_the_tighter_lateral_limit() -> None:
    truck = VEHICLE.model_copy(update={"category": "N3"})
    assert Limits.of(MARKET, truck).lateral_accel_max_mps2 <= 2.5  # R79 5.6.2.1.3 table 1


# --- faults: a safe ramp, cause kept, a new request needed ---

FAULTS: dict[str, dict[str, Any]] = {
    "demand_absent": {"demand": False},
    "vehicle_absent": {"vehicle": False},
    "demand_not_finite": {**steer(math.nan), **push(1.0)},
    "information_old": {**steer(0.001), **push(1.0), "oldest_input_age_s": 3.0},
}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["curvature_1pm", "accel_mps2", "stamp_s", "lateral_authority"])
def test_no_number_that_is_none_gets_through(name: str, bad: float) -> None:
    drive = Drive().armed()
    drive.hold(2.0, **steer(0.001), **push(1.0))
    for command in drive.hold(2.0, **{**steer(0.001), **push(1.0), name: bad}):
        check(command)
    assert drive.command is not None and is_zero(drive.command)
    assert drive.command.limits == ("demand_not_finite",)


@pytest.mark.parametrize("name", ["speed_mps", "yaw_rate_rps", "accel_mps2", "driver_torque_nm"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_vehicle_state_that_lies_ends_actuation(name: str, bad: float) -> None:
    drive = Drive().armed()
    drive.hold(2.0, **steer(0.001), **push(1.0))
    if name == "speed_mps":
        drive.speed_mps = bad
    else:
        drive.vehicle_fields[name] = bad
    for command in drive.hold(2.0, **steer(0.001), **push(1.0)):
        check(command)
    assert drive.command is not None and is_zero(drive.command) and drive.command.is_safe_stop


@pytest.mark.parametrize("cause", FAULTS)
def test_a_fault_ends_in_a_ramp_that_keeps_its_cause(cause: str) -> None:
    drive = Drive(yaw_rate_rps=0.025).armed()
    before = drive.hold(3.0, **steer(0.001), **push(-2.0))[-1]
    assert before.lateral_authority == 1.0
    former = before
    for command in drive.hold(MARKET.hand_back_s + 0.5, **FAULTS[cause]):
        assert command.is_safe_stop and cause in command.limits
        assert 0.0 <= former.lateral_authority - command.lateral_authority <= DT_S / MARKET.hand_back_s + 1e-9
        if command.is_lateral_active:
            assert command.lateral_cause == cause
            # handed back on the path that the car drives, not on a straight one
            assert command.curvature_1pm == pytest.approx(0.001, abs=1e-4)
        assert -1e-9 <= command.accel_mps2 - former.accel_mps2 <= LIMITS.jerk_max_mps3 * DT_S + 1e-9
        former = command
    assert is_zero(former)


@pytest.mark.parametrize("cause", FAULTS)
def test_after_a_fault_a_function_has_to_ask_anew(cause: str) -> None:
    drive = Drive().armed()
    drive.hold(1.0, **steer(0.001), **push(1.0))
    drive.hold(2.0, **FAULTS[cause])
    assert all(is_zero(command) for command in drive.hold(3.0, **steer(0.001), **push(1.0))), "it never stopped asking"
    drive.armed()
    assert not is_zero(drive.hold(0.5, **steer(0.001), **push(1.0))[-1])


def test_a_frozen_counter_is_a_stuck_sender() -> None:
    drive = Drive().armed()
    drive.hold(1.0, **push(1.0))
    stuck = drive.demand(**push(1.0))
    seen = []
    for _ in range(60):
        seen.append(drive.step(EnvelopeInputs(demand=stuck, vehicle=drive.vehicle())))
    first = next(index for index, command in enumerate(seen) if command.is_safe_stop)
    assert first * DT_S <= MARKET.demand_frozen_s + 2 * DT_S
    assert "demand_frozen" in seen[first].limits and is_zero(seen[-1])


def test_one_repeated_or_reordered_demand_changes_nothing() -> None:
    drive = Drive().armed()
    drive.hold(1.0, **push(1.0))
    old = drive.demand(**push(-5.0))
    drive.hold(0.05, **push(1.0))
    command = drive.step(EnvelopeInputs(demand=old, vehicle=drive.vehicle()))
    assert command.accel_mps2 == pytest.approx(1.0) and not command.is_safe_stop


def test_a_restarted_arbiter_is_heard_again_after_a_safe_stop() -> None:
    drive = Drive().armed()
    drive.hold(1.0, **push(1.0))
    drive.counter = 0
    drive.hold(1.0, **push(1.0))
    assert drive.command is not None and drive.command.is_safe_stop
    drive.armed()


def test_a_speed_that_jumps_is_not_believed() -> None:
    drive = Drive(speed_mps=30.0).armed()
    drive.hold(1.0, **steer(0.001))
    drive.speed_mps = 3.0
    command = drive.hold(0.01, **steer(0.05))[0]
    assert "speed_jump" in command.limits and command.is_safe_stop
    assert abs(command.curvature_1pm) * 30.0**2 <= 3.0, "judged by the faster of both"


@pytest.mark.parametrize("pause_s", [0.2, 1.0, 60.0, -0.5, -60.0])
def test_a_frozen_guard_that_wakes_up_is_safe(pause_s: float) -> None:
    drive = Drive().armed()
    drive.hold(2.0, **steer(0.001), **push(-3.0))
    drive.now_s += pause_s
    command = drive.step(EnvelopeInputs(demand=drive.demand(**steer(0.001), **push(-3.0)), vehicle=drive.vehicle()))
    assert is_zero(command) and command.is_safe_stop and "time_gap" in command.limits


# --- the driver -------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R79 5.6.2.1.3")
@pytest.mark.parametrize("torque_nm", [-20.0, -5.0, 5.0, 20.0])
def test_the_driver_who_steers_gets_the_wheel(torque_nm: float) -> None:
    drive = Drive().armed()
    drive.hold(2.0, **steer(0.001))
    drive.vehicle_fields["driver_torque_nm"] = torque_nm
    commands = drive.hold(MARKET.override_hand_back_s + 0.05, **steer(0.001))
    assert commands[-1].lateral_authority == 0.0 and not commands[-1].is_lateral_active
    assert "driver_override" in commands[0].limits
    assert not commands[-1].is_safe_stop, "overriding is no fault"
    drive.vehicle_fields["driver_torque_nm"] = 0.0
    again = drive.hold(MARKET.override_resume_s + MARKET.ramp_in_s + 0.2, **steer(0.001))
    assert again[-1].lateral_authority == 1.0


def test_a_light_hand_does_not_override() -> None:
    drive = Drive(driver_torque_nm=MARKET.override_torque_nm).armed()
    assert drive.hold(2.0, **steer(0.001))[-1].lateral_authority == 1.0


# --- a cap on the driver's pedal (2021/1958, speed control function) ---


def caps(commands: list[ActuationCommand]) -> list[float]:
    """What the pedal may ask for, where none is a cap above all that a car does."""
    return [CAP_OPEN_MPS2 if c.accel_cap_mps2 is None else c.accel_cap_mps2 for c in commands]


@pytest.mark.clause("2021/1958 1.5")
@pytest.mark.parametrize("accel_mps2", [None, 0.0, 1.5, -4.0])
def test_a_cap_begins_where_the_car_is_and_falls_by_its_ramp(accel_mps2: float | None) -> None:
    drive = Drive(accel_mps2=accel_mps2, accelerator=0.4).armed()
    seen = caps(drive.hold(2.0, **cap(-0.6)))
    driven = CAP_OPEN_MPS2 if accel_mps2 is None else max(accel_mps2, 0.0) + CAP_HEADROOM_MPS2
    fall = -LIMITS.cap_jerk_min_mps3 * DT_S
    assert seen[0] == pytest.approx(driven - fall), "never a step below what the driver has"
    assert all(former - fall - 1e-9 <= value <= former for former, value in itertools.pairwise(seen))
    assert seen[-1] == pytest.approx(-0.6)
    assert drive.command is not None and drive.command.limits == ()
    assert not drive.command.is_longitudinal_active and drive.command.accel_mps2 == 0.0, (
        "it drives nobody and brakes not"
    )
    assert drive.command.longitudinal_author == "isa" and drive.status.state == "capping" and drive.status.is_active


def test_a_cap_is_no_brake() -> None:
    drive = Drive(accel_mps2=0.0).armed()
    command = drive.hold(3.0, **cap(-9.0))[-1]
    assert command.accel_cap_mps2 == LIMITS.cap_min_mps2 >= -2.0 and command.limits == ("cap",)
    assert not command.is_longitudinal_active
    weak = VEHICLE.model_copy(update={"limits": VEHICLE.limits.model_copy(update={"accel_min_mps2": -0.5})})
    assert Limits.of(MARKET, weak).cap_min_mps2 == -0.5, "nor more than the vehicle lets anybody ask for"
    calm = VEHICLE.limits.model_copy(update={"jerk_min_mps3": -1.0, "jerk_max_mps3": 0.5})
    slow = Limits.of(MARKET, VEHICLE.model_copy(update={"limits": calm}))
    assert (slow.cap_jerk_min_mps3, slow.cap_jerk_max_mps3) == (-1.0, 0.5)


@pytest.mark.parametrize("cause", [*FAULTS, "the function is silent"])
def test_no_failure_leaves_the_car_capped_and_none_lets_it_surge(cause: str) -> None:
    drive = Drive(accel_mps2=0.0, accelerator=0.4).armed()
    former = drive.hold(2.0, **cap(-1.0))[-1].accel_cap_mps2
    assert former == -1.0
    rise = LIMITS.cap_jerk_max_mps3 * DT_S
    lifted_s = (CAP_OPEN_MPS2 - former) / LIMITS.cap_jerk_max_mps3
    seen = caps(drive.hold(lifted_s + 0.1, **FAULTS.get(cause, {})))
    assert seen[0] == pytest.approx(former + rise)
    assert all(0.0 <= value - before <= rise + 1e-9 for before, value in itertools.pairwise(seen))
    assert drive.command is not None and drive.command.accel_cap_mps2 is None


def test_after_a_fault_the_cap_comes_back_by_its_ramp_though_the_function_never_let_go() -> None:
    drive = Drive(accel_mps2=0.0).armed()
    drive.hold(2.0, **cap(-1.0))
    drive.hold(4.0, demand=False)
    seen = caps(drive.hold(MARKET.rearm_s + 1.0, **cap(-1.0)))
    assert seen[0] == CAP_OPEN_MPS2 and seen[-1] == -1.0


@pytest.mark.clause("GSR2 6(2)(d)")
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (0.2, 0.2 + MARKET.cap_override_rise + 1e-9),
        (MARKET.cap_override_accelerator - 0.01, MARKET.cap_override_accelerator),
        (0.0, MARKET.kick_down),
    ],
    ids=["presses further", "far down", "kick-down"],
)
def test_the_driver_lifts_the_cap_in_the_same_step(before: float, after: float) -> None:
    drive = Drive(accel_mps2=0.0, accelerator=before).armed()
    assert drive.hold(2.0, **cap(-1.0))[-1].accel_cap_mps2 == -1.0
    drive.vehicle_fields["accelerator"] = after
    command = drive.hold(DT_S, **cap(-1.0))[0]
    assert command.accel_cap_mps2 is None and command.limits == ("driver_accelerates",)
    assert not command.is_safe_stop, "overriding is no fault"
    drive.vehicle_fields["accelerator"] = before
    assert set(caps(drive.hold(3.0, **cap(-1.0)))) == {CAP_OPEN_MPS2}, "who never let go of the cap gets none anew"
    drive.hold(DT_S)
    assert drive.hold(2.0, **cap(-1.0))[-1].accel_cap_mps2 == -1.0


def test_a_pedal_that_is_held_or_eased_overrides_nothing_and_counts_from_its_least() -> None:
    drive = Drive(accel_mps2=0.0, accelerator=0.5).armed()
    drive.hold(2.0, **cap(-1.0))
    for pedal in (0.5 + MARKET.cap_override_rise - 0.01, 0.3, 0.3 + MARKET.cap_override_rise - 0.01):
        drive.vehicle_fields["accelerator"] = pedal
        assert drive.hold(0.2, **cap(-1.0))[-1].accel_cap_mps2 == -1.0
    drive.vehicle_fields["accelerator"] = 0.3 + MARKET.cap_override_rise + 1e-9
    assert drive.hold(DT_S, **cap(-1.0))[0].accel_cap_mps2 is None


def test_the_driver_also_lifts_a_cap_that_is_on_its_way_out() -> None:
    drive = Drive(accel_mps2=0.0, accelerator=0.2).armed()
    drive.hold(2.0, **cap(-1.0))
    drive.hold(0.2)
    drive.vehicle_fields["accelerator"] = 0.8
    assert drive.hold(DT_S)[0].accel_cap_mps2 is None
    drive.vehicle_fields["accelerator"] = 0.2
    assert drive.hold(2.0, **cap(-1.0))[-1].accel_cap_mps2 == -1.0, "nothing was refused: nobody had asked"


def test_a_fault_forgets_not_what_the_driver_refused() -> None:
    drive = Drive(accel_mps2=0.0, accelerator=0.2).armed()
    drive.hold(2.0, **cap(-1.0))
    drive.vehicle_fields["accelerator"] = 0.8
    drive.hold(0.1, **cap(-1.0))
    drive.vehicle_fields["accelerator"] = 0.2
    drive.hold(0.5, demand=False)
    assert set(caps(drive.hold(MARKET.rearm_s + 2.0, **cap(-1.0)))) == {CAP_OPEN_MPS2}


def test_no_market_can_keep_a_floored_pedal_from_lifting_the_cap() -> None:
    values = {**MARKET.model_dump(), "cap_override_accelerator": MARKET.kick_down + 0.05}
    with pytest.raises(ValueError, match="cap_override_accelerator must not be above kick_down"):
        EnvelopeParams(**values)


@pytest.mark.parametrize("pause_s", [0.5, 60.0, -0.5])
def test_a_frozen_guard_that_wakes_up_lifts_the_cap_by_the_ramp(pause_s: float) -> None:
    drive = Drive(accel_mps2=0.0, accelerator=0.2).armed()
    drive.hold(2.0, **cap(-1.0))
    drive.now_s += pause_s
    seen = caps(drive.hold(0.3, **cap(-1.0)))
    assert seen[0] == -1.0 and seen[-1] == pytest.approx(-1.0 + LIMITS.cap_jerk_max_mps3 * 0.29)


# --- excessive actuation ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "asked"),
    [({"yaw_rate_rps": 0.5}, steer(0.001)), ({"accel_mps2": -20.0}, push(-1.0)), ({"accel_mps2": 9.0}, push(1.0))],
    ids=["turns too hard", "brakes too hard", "accelerates too hard"],
)
def test_motion_far_beyond_the_command_locks_out_until_restart(fields: dict[str, Any], asked: dict[str, Any]) -> None:
    drive = Drive().armed()
    drive.hold(MARKET.excess_after_s + 0.5, **asked)
    drive.vehicle_fields.update(fields)
    drive.hold(MARKET.excess_s / 2, **asked)
    assert drive.status.state != "locked_out", "a bump is no lock-out"
    drive.hold(MARKET.excess_s, **asked)
    assert drive.status.state == "locked_out" and drive.status.health is Health.FAULT
    drive.vehicle_fields = {"yaw_rate_rps": 0.0}
    drive.hold(5.0)
    assert is_zero(drive.hold(5.0, **asked)[-1])


# --- what always holds ------------------------------------------------------------------------------------------------

numbers = st.one_of(st.floats(), st.floats(-5.0, 5.0), st.floats(-0.01, 0.01))
demands = st.none() | st.builds(
    ActuationCommand,
    stamp_s=numbers | st.just(100.0),
    author=st.just("arbiter"),
    counter=st.integers(0, 65535),
    is_lateral_active=st.booleans(),
    curvature_1pm=numbers,
    lateral_authority=numbers,
    is_longitudinal_active=st.booleans(),
    accel_mps2=numbers,
    accel_cap_mps2=st.none() | numbers,
    lateral_cause=st.sampled_from(["", "a"]),
    oldest_input_age_s=st.none() | numbers,
)
vehicles = st.none() | st.builds(
    VehicleState,
    stamp_s=numbers | st.just(100.0),
    speed_mps=st.floats() | st.floats(0.0, 60.0),
    accel_mps2=st.none() | numbers,
    yaw_rate_rps=st.none() | numbers,
    driver_torque_nm=st.none() | numbers,
    accelerator=st.none() | st.floats(0.0, 1.0),
    is_braking=st.none() | st.booleans(),
)
waits = st.sampled_from([0.01, 0.01, 0.01, 0.02, 0.05, 0.1, 0.5, 0.0, -0.3]) | st.floats(-1.0, 2.0)
sequences = st.lists(st.tuples(waits, demands, vehicles, st.booleans()), max_size=60)


@settings(max_examples=200)
@given(sequences)
def test_whatever_comes_in_what_goes_out_is_inside_the_limits(
    sequence: list[tuple[float, ActuationCommand | None, VehicleState | None, bool]],
) -> None:
    """NaN, infinity, jumps, reordering, repeats, silence: finite, within limits, ramps, authority only by its ramp."""
    drive = Drive().armed()
    former = drive.hold(1.0, **steer(0.001), **push(1.0))[-1]
    for wait_s, demand, vehicle, is_sound in sequence:
        inputs = EnvelopeInputs(
            demand=drive.demand(**steer(0.02), **push(-4.0), accel_cap_mps2=-9.0) if is_sound else demand,
            vehicle=drive.vehicle() if is_sound else vehicle,
        )
        command = drive.step(inputs, dt_s=wait_s)
        check(command)
        dt_s = min(max(wait_s, 0.0), STEP_MAX_S)
        assert LIMITS.accel_min_mps2 <= command.accel_mps2 <= LIMITS.accel_max_mps2
        speed_mps = drive.envelope.state.speed_mps or 0.0
        bound = LIMITS.curvature_max_1pm(speed_mps, command.accel_mps2)
        assert abs(command.curvature_1pm) <= bound * (1.0 + 1e-9)
        assert command.counter == (former.counter + 1) % 65536
        if not command.is_lateral_active:
            assert command.curvature_1pm == 0.0 and command.lateral_authority == 0.0
        if not command.is_longitudinal_active:
            assert command.accel_mps2 == 0.0
        assert command.lateral_authority <= former.lateral_authority + dt_s / MARKET.ramp_in_s + 1e-9
        if "time_gap" not in command.limits:
            fall = dt_s / MARKET.override_hand_back_s
            assert command.lateral_authority >= former.lateral_authority - fall - 1e-9
            change = command.accel_mps2 - former.accel_mps2
            assert LIMITS.jerk_min_mps3 * dt_s - 1e-6 <= change <= -LIMITS.jerk_min_mps3 * dt_s + 1e-6
        before, after = caps([former, command])
        assert LIMITS.cap_min_mps2 <= after <= CAP_OPEN_MPS2
        if former.accel_cap_mps2 is not None:
            assert after - before >= LIMITS.cap_jerk_min_mps3 * dt_s - 1e-6
            rose = after - before <= LIMITS.cap_jerk_max_mps3 * dt_s + 1e-6
            assert rose or command.accel_cap_mps2 is None, "only the driver lifts it at once"
        elif command.accel_cap_mps2 is not None:
            assert after >= CAP_HEADROOM_MPS2 + LIMITS.cap_jerk_min_mps3 * dt_s - 1e-6, "never below coasting at once"
        pedal = None if inputs.vehicle is None else inputs.vehicle.accelerator
        if (
            pedal is not None
            and pedal >= MARKET.cap_override_accelerator
            and "vehicle_not_finite" not in command.limits
        ):
            assert command.accel_cap_mps2 is None or "speed_jump" in command.limits, "the driver always wins"
        former = command


near = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, 0.01, 0.1, 0.101, -0.01, 1.5, 3.0, 5.0, -5.0, 1e9])
asked_fields = st.fixed_dictionaries(
    {},
    optional={
        "late_s": near,
        "counter": st.integers(0, 65535),
        "is_lateral_active": st.booleans(),
        "is_longitudinal_active": st.booleans(),
        "curvature_1pm": near,
        "accel_mps2": near,
        "lateral_authority": near,
        "accel_cap_mps2": st.none() | near,
        "oldest_input_age_s": st.none() | near,
        "lateral_cause": st.just("a"),
        "longitudinal_author": st.just("b"),
    },
)
driven_fields = st.fixed_dictionaries(
    {},
    optional={
        "late_s": near,
        "speed_mps": near,
        "accel_mps2": st.none() | near,
        "yaw_rate_rps": st.none() | near,
        "driver_torque_nm": st.none() | near,
        "accelerator": st.none() | near,
    },
)


@settings(max_examples=500)
@given(st.lists(st.tuples(waits, asked_fields, driven_fields, st.integers(0, 9)), max_size=12))
def test_the_short_way_of_a_quiet_drive_says_and_remembers_what_the_whole_step_does(
    sequence: list[tuple[float, dict[str, Any], dict[str, Any], int]],
) -> None:
    """The envelope passes a quiet demand on by few comparisons; one field that is off must end that."""
    short = Drive().armed()
    whole = Envelope(LIMITS, MARKET)
    for wait_s, asked, driven, gone in sequence:
        short.hold(0.05, oldest_input_age_s=0.01)
        whole.state = short.envelope.state
        now_s = short.now_s
        sent_s, seen_s = now_s - asked.pop("late_s", 0.0), now_s - driven.pop("late_s", 0.0)
        demand = replace(short.demand(oldest_input_age_s=0.01), **{"stamp_s": sent_s, **asked})
        vehicle = replace(short.vehicle(), **{"stamp_s": seen_s, **driven})
        demand, vehicle = None if gone == 0 else demand, None if gone == 1 else vehicle
        inputs = EnvelopeInputs(demand=demand, vehicle=vehicle)
        outputs = whole.step(inputs, now_s + wait_s)
        assert short.step(inputs, dt_s=wait_s) == outputs.command
        assert short.status == outputs.status
        assert short.envelope.state == whole.state


@given(sequences, sequences)
def test_saved_and_restored_it_goes_on_as_before(
    before: list[tuple[float, ActuationCommand | None, VehicleState | None, bool]],
    after: list[tuple[float, ActuationCommand | None, VehicleState | None, bool]],
) -> None:
    one = Drive()
    for wait_s, demand, vehicle, _ in before:
        one.step(EnvelopeInputs(demand=demand, vehicle=vehicle), dt_s=wait_s)
    two = Drive()
    two.envelope.state, two.now_s = one.envelope.state, one.now_s
    for wait_s, demand, vehicle, _ in after:
        inputs = EnvelopeInputs(demand=demand, vehicle=vehicle)
        assert one.step(inputs, dt_s=wait_s) == two.step(inputs, dt_s=wait_s)
