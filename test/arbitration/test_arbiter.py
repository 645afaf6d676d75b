"""The arbiter: the order of the arbitration sheet (aeb.md section 5) and its vectors (7.7), author and cause kept."""

from __future__ import annotations

import itertools
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.arbitration.arbiter import (
    SPEC,
    Arbiter,
    ArbiterInputs,
    LateralRank,
    LongitudinalRank,
)
from adas_runtime.arbitration.chains import Chains
from adas_runtime.arbitration.envelope import GRAVITY_MPS2, Limits
from adas_runtime.converter import check
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import ActuationCommand, LateralRequest, LongitudinalRequest, VehicleState
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de")
NOW_S = 100.0
AEB, EMERGENCY, ACC, ISA, CRUISE = (
    LongitudinalRank.EMERGENCY_BRAKING,
    LongitudinalRank.EMERGENCY_MANOEUVRE,
    LongitudinalRank.DECELERATION,
    LongitudinalRank.SPEED_CAP,
    LongitudinalRank.PROPULSION,
)


def along(rank: LongitudinalRank, accel_mps2: float, author: str = "", **fields: Any) -> LongitudinalRequest:
    return LongitudinalRequest(
        **{
            "stamp_s": NOW_S - 0.05,
            "author": author or rank.name.lower(),
            "cause": f"because of {rank.name.lower()}",
            "is_active": True,
            "accel_mps2": accel_mps2,
            "priority": int(rank),
            **fields,
        }
    )


def across(rank: LateralRank, curvature_1pm: float, author: str = "", **fields: Any) -> LateralRequest:
    return LateralRequest(
        **{
            "stamp_s": NOW_S - 0.05,
            "author": author or rank.name.lower(),
            "cause": f"because of {rank.name.lower()}",
            "is_active": True,
            "curvature_1pm": curvature_1pm,
            "priority": int(rank),
            **fields,
        }
    )


def decide(
    longitudinal: tuple[LongitudinalRequest, ...] = (), lateral: tuple[LateralRequest, ...] = (), **vehicle: Any
) -> ActuationCommand:
    state = VehicleState(stamp_s=NOW_S, speed_mps=20.0, **vehicle)
    said = Arbiter(MARKET.envelope).step(
        ArbiterInputs(lateral=lateral, longitudinal=longitudinal, vehicle=state), NOW_S
    )
    assert said.demand is not None
    check(said.demand)
    return said.demand


# --- the sheet's vectors (aeb.md 7.7) ---


@pytest.mark.clause("R152 5.3.2")
def test_aeb_brakes_hardest_and_nobody_drives_on() -> None:
    demand = decide((along(ACC, -2.0), along(AEB, -8.0), along(ISA, 0.5), along(CRUISE, 1.0)))
    assert (demand.accel_mps2, demand.longitudinal_author) == (-8.0, "emergency_braking")
    assert demand.longitudinal_cause == "because of emergency_braking"


def test_the_drivers_brake_never_cancels_emergency_braking() -> None:
    demand = decide((along(AEB, -6.0),), brake=1.0, is_braking=True, accel_mps2=-9.0)
    assert demand.is_longitudinal_active and demand.accel_mps2 == -6.0, "the brake adds the driver's own part"


@pytest.mark.clause("R152 5.3.2")
def test_kick_down_interrupts_emergency_braking_and_what_acc_asks_for_stays() -> None:
    demand = decide((along(AEB, -8.0), along(ACC, -2.0)), accelerator=1.0)
    assert (demand.accel_mps2, demand.longitudinal_author) == (-2.0, "deceleration")
    alone = decide((along(AEB, -8.0),), accelerator=1.0)
    assert not alone.is_longitudinal_active and alone.longitudinal_cause == "driver_kick_down"
    assert decide((along(AEB, -8.0),), accelerator=0.8).accel_mps2 == -8.0, (
        "an accelerator that is held is no kick-down"
    )


@pytest.mark.clause("2021/1958 1.5")
@pytest.mark.parametrize("pedals", [{}, {"accelerator": 0.6}, {"is_braking": True}])
def test_a_speed_cap_alone_asks_nothing_of_the_car_and_bounds_the_drivers_pedal(pedals: dict[str, Any]) -> None:
    demand = decide((along(ISA, -1.0, stamp_s=NOW_S - 0.09), along(ISA, 0.3, "limiter")), **pedals)
    assert not demand.is_longitudinal_active and demand.accel_mps2 == 0.0
    assert demand.accel_cap_mps2 == -1.0, "the lowest of all caps"
    if not pedals.get("is_braking"):
        assert (demand.longitudinal_author, demand.longitudinal_cause) == ("speed_cap", "because of speed_cap")
    assert demand.oldest_input_age_s == pytest.approx(0.09), "the cap is old information as any other"


@pytest.mark.parametrize("others", [(ACC, -2.0), (CRUISE, 1.0), (AEB, -8.0)])
def test_a_cap_on_the_pedal_goes_beside_what_functions_ask_for(others: tuple[LongitudinalRank, float]) -> None:
    demand = decide((along(*others), along(ISA, 0.5)))
    assert demand.accel_cap_mps2 == 0.5 and demand.is_longitudinal_active
    assert decide((along(*others),)).accel_cap_mps2 is None


@pytest.mark.clause("GSR2 6(2)(d)")
def test_a_floored_pedal_is_above_every_cap() -> None:
    kick_down = MARKET.envelope.kick_down
    demand = decide((along(ISA, -1.0),), accelerator=kick_down)
    assert demand.accel_cap_mps2 is None and demand.longitudinal_cause == "driver_kick_down"
    assert decide((along(ISA, -1.0),), accelerator=kick_down - 0.01).accel_cap_mps2 == -1.0


def test_where_nobody_asks_the_driver_s_pedals_are_no_cause() -> None:
    for pedals in ({"is_braking": True}, {"accelerator": 1.0}):
        demand = decide(**pedals)
        assert (demand.longitudinal_author, demand.longitudinal_cause) == ("", "no_request")
    assert demand.counter == 1, "the first demand of a new arbiter"


def test_at_the_bounds_of_the_pedals() -> None:
    at_bound = decide((along(AEB, -8.0),), accelerator=MARKET.envelope.kick_down)
    assert not at_bound.is_longitudinal_active and at_bound.longitudinal_cause == "driver_kick_down"
    assert decide((along(CRUISE, 1.0),), brake=0.0).accel_mps2 == 1.0, "a released brake is told as 0, not left out"


def test_without_a_vehicle_state_nobody_is_capped() -> None:
    said = Arbiter(MARKET.envelope).step(
        ArbiterInputs(lateral=(), longitudinal=(along(ISA, -1.0),), vehicle=None), NOW_S
    )
    assert said.demand is not None and said.demand.accel_cap_mps2 is None


def test_steering_gets_the_grip_that_braking_leaves() -> None:
    grip = 0.9 * 9.81
    base = Limits.of(MARKET.envelope, load_vehicle("reference"))
    fields = {name: getattr(base, name) for name in base.__slots__}
    limits = Limits(**{**fields, "grip_mps2": grip, "lateral_accel_max_mps2": 100.0})
    assert limits.curvature_max_1pm(30.0, -8.0) * 30.0**2 == pytest.approx(3.74, abs=0.005)
    assert pytest.approx(9.81, abs=0.01) == GRAVITY_MPS2


# --- the rules R1 to R6 ---


@pytest.mark.parametrize("ranks", list(itertools.permutations((AEB, EMERGENCY, ACC, CRUISE), 2)))
def test_r1_the_strongest_braking_wins_whatever_its_rank(ranks: tuple[LongitudinalRank, LongitudinalRank]) -> None:
    demand = decide((along(ranks[0], -3.0), along(ranks[1], -4.0)))
    assert (demand.accel_mps2, demand.longitudinal_author) == (-4.0, ranks[1].name.lower())


def test_r1_between_equals_the_rank_then_the_name_decides() -> None:
    both = (along(ACC, -3.0, "b"), along(AEB, -3.0, "c"), along(ACC, -3.0, "a"))
    for order in itertools.permutations(both):
        assert decide(order).longitudinal_author == "c"
        assert decide(tuple(r for r in order if r.author != "c")).longitudinal_author == "a"


@pytest.mark.parametrize("accel_mps2", [0.0, 1.0])
def test_r2_while_aeb_holds_the_car_nobody_accelerates(accel_mps2: float) -> None:
    demand = decide((along(AEB, accel_mps2), along(CRUISE, 2.0)))
    assert demand.is_longitudinal_active and demand.accel_mps2 == 0.0
    assert demand.longitudinal_author == "emergency_braking"


@pytest.mark.parametrize(
    ("cap", "wanted", "got", "author"),
    [
        (0.5, 1.5, 0.5, "speed_cap"),
        (2.0, 1.5, 1.5, "propulsion"),
        (-3.0, 1.5, 0.0, "speed_cap"),
        (0.0, 1.5, 0.0, "speed_cap"),
        (0.5, 0.3, 0.3, "propulsion"),
    ],
)
def test_r3_a_cap_bounds_propulsion_and_never_brakes(cap: float, wanted: float, got: float, author: str) -> None:
    demand = decide((along(CRUISE, wanted), along(ISA, cap)))
    assert (demand.accel_mps2, demand.longitudinal_author) == (got, author)


@pytest.mark.parametrize("cap", [-5.0, 0.0, 5.0])
def test_r3_a_cap_never_weakens_a_brake(cap: float) -> None:
    assert decide((along(ACC, -2.0), along(ISA, cap))).accel_mps2 == -2.0


@pytest.mark.parametrize("pedal", [{"is_braking": True}, {"brake": 0.1}])
def test_the_drivers_brake_ends_propulsion(pedal: dict[str, Any]) -> None:
    demand = decide((along(CRUISE, 1.5),), **pedal)
    assert not demand.is_longitudinal_active and demand.longitudinal_author == "driver"


@pytest.mark.clause("R79 5.6.2.1.3")
@pytest.mark.parametrize("torque_nm", [-3.1, 3.1, 20.0])
@pytest.mark.parametrize("rank", list(LateralRank))
def test_the_drivers_steering_wins_over_every_function(rank: LateralRank, torque_nm: float) -> None:
    demand = decide(lateral=(across(rank, 0.002),), driver_torque_nm=torque_nm)
    assert not demand.is_lateral_active and demand.lateral_cause == "driver_steers"
    assert decide(lateral=(across(rank, 0.002),), driver_torque_nm=math.copysign(3.0, torque_nm)).is_lateral_active


@pytest.mark.parametrize("order", list(itertools.permutations(LateralRank)))
def test_steering_goes_by_rank_then_by_the_smaller_curvature(order: tuple[LateralRank, ...]) -> None:
    requests = tuple(across(rank, 0.001 * int(rank)) for rank in order)
    assert decide(lateral=requests).lateral_author == "emergency_steering"
    assert decide(lateral=requests).lateral_authority == 1.0 and decide().lateral_authority == 0.0
    same = (across(LateralRank.COMFORT, -0.003, "wide"), across(LateralRank.COMFORT, 0.002, "calm"))
    assert decide(lateral=same).lateral_author == "calm"


def test_both_axes_are_decided_apart() -> None:
    demand = decide((along(ACC, -2.0),), (across(LateralRank.LANE_CENTRING, 0.001),), driver_torque_nm=10.0)
    assert demand.is_longitudinal_active and not demand.is_lateral_active


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_request_that_is_no_number_is_no_request(bad: float) -> None:
    demand = decide((along(AEB, bad), along(ACC, -2.0)), (across(LateralRank.COMFORT, bad),))
    assert demand.accel_mps2 == -2.0 and not demand.is_lateral_active


def test_an_inactive_request_is_no_request() -> None:
    demand = decide((along(AEB, -8.0, is_active=False),), (across(LateralRank.COMFORT, 0.01, is_active=False),))
    assert not demand.is_longitudinal_active and not demand.is_lateral_active
    assert demand.longitudinal_cause == demand.lateral_cause == "no_request"


def test_r6_without_a_vehicle_state_nothing_is_asked_for() -> None:
    said = Arbiter(MARKET.envelope).step(
        ArbiterInputs(lateral=(), longitudinal=(along(AEB, -8.0),), vehicle=None), NOW_S
    )
    assert said.demand is not None and not said.demand.is_longitudinal_active
    assert said.status.state == "blind" and said.demand.oldest_input_age_s is None


def test_the_age_of_the_oldest_information_goes_with_the_demand() -> None:
    assert decide().oldest_input_age_s == pytest.approx(0.0)
    old = along(ACC, -2.0, stamp_s=NOW_S - 0.09)
    assert decide((old, along(CRUISE, 1.0))).oldest_input_age_s == pytest.approx(0.09), "of what won, not of all"
    assert decide((old, along(AEB, -8.0))).oldest_input_age_s == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("longitudinal", "lateral", "state"),
    [
        ((), (), "idle"),
        ((along(ACC, -2.0),), (), "demanding"),
        ((along(ISA, -1.0),), (), "demanding"),
        ((), (across(LateralRank.COMFORT, 0.001),), "demanding"),
    ],
    ids=["nothing", "braking", "a cap", "steering"],
)
def test_the_status_says_whether_anything_is_asked_for(
    longitudinal: tuple[LongitudinalRequest, ...], lateral: tuple[LateralRequest, ...], state: str
) -> None:
    vehicle = VehicleState(stamp_s=NOW_S, speed_mps=20.0)
    inputs = ArbiterInputs(lateral=lateral, longitudinal=longitudinal, vehicle=vehicle)
    status = Arbiter(MARKET.envelope).step(inputs, NOW_S).status
    assert (status.state, status.is_active, status.reason) == (state, state == "demanding", "")


def test_every_demand_has_the_next_number() -> None:
    arbiter = Arbiter(MARKET.envelope)
    arbiter.state = (65534, 0)
    nothing = ArbiterInputs(lateral=(), longitudinal=(), vehicle=None)
    said = [arbiter.step(nothing, NOW_S).demand for _ in range(3)]
    assert [demand.counter for demand in said if demand is not None] == [65535, 0, 1]


def test_in_the_graph_a_demand_comes_with_every_vehicle_state() -> None:
    executor = Executor(
        default_graph(), BuildContext(market=MARKET, vehicle=load_vehicle("reference")), MARKET.stages()
    )
    for step in range(5):
        now_s = NOW_S + 0.01 * step
        emissions = executor.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=20.0), now_s)
        made = [e.signal for e in emissions if e.function == "arbiter" and e.output == "demand"]
        assert [demand.stamp_s for demand in made] == [now_s]


def test_in_the_graph_a_request_that_falls_silent_is_gone_after_a_fifth_of_a_second() -> None:
    graph = default_graph()
    others = frozenset(spec.name for spec in graph.functions if spec.name != "arbiter")
    context = BuildContext(market=MARKET, vehicle=load_vehicle("reference"))
    executor = Executor(graph, context, MARKET.stages(), without=others)
    executor.offer("/adas/isa/request", along(ISA, -1.0, "isa", stamp_s=NOW_S, oldest_input="vehicle"), NOW_S)
    held = {}
    for step in range(1, 40):
        now_s = NOW_S + 0.01 * step
        for item in executor.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=20.0), now_s):
            if isinstance(item.signal, ActuationCommand):
                held[round(0.01 * step, 2)] = item.signal.accel_cap_mps2 is not None
    assert max(t_s for t_s, is_held in held.items() if is_held) == pytest.approx(0.2, abs=0.0101)
    assert all(is_held for t_s, is_held in held.items() if t_s < 0.19)


requests = st.lists(
    st.builds(
        along,
        st.sampled_from(LongitudinalRank),
        st.floats(-15.0, 10.0) | st.just(math.nan),
        st.sampled_from("abc"),
        is_active=st.booleans(),
    ),
    max_size=6,
).map(tuple)


@given(requests, st.floats(0.0, 1.0), st.booleans())
def test_what_always_holds(asked: tuple[LongitudinalRequest, ...], accelerator: float, is_braking: bool) -> None:
    demand = decide(asked, accelerator=accelerator, is_braking=is_braking)
    valid = [r for r in asked if r.is_active and math.isfinite(r.accel_mps2)]
    is_kick_down = accelerator >= MARKET.envelope.kick_down
    if is_kick_down:
        valid = [r for r in valid if r.priority != AEB]
    brakes = [r.accel_mps2 for r in valid if r.accel_mps2 < 0.0 and r.priority != ISA]
    if brakes:
        assert demand.accel_mps2 == min(brakes)
    else:
        assert demand.accel_mps2 >= 0.0
        assert not (is_braking and demand.accel_mps2 > 0.0)
        assert all(demand.accel_mps2 <= max(r.accel_mps2, 0.0) for r in valid if r.priority == ISA)
    caps = [r.accel_mps2 for r in valid if r.priority == ISA]
    assert demand.accel_cap_mps2 == (None if is_kick_down or not caps else min(caps))
    if demand.is_longitudinal_active:
        assert demand.longitudinal_author in {r.author for r in valid}
    again = decide(tuple(reversed(asked)), accelerator=accelerator, is_braking=is_braking)
    assert (again.accel_mps2, again.accel_cap_mps2) == (demand.accel_mps2, demand.accel_cap_mps2), (
        "the order of arrival decides nothing"
    )


# --- what mutants of the module asked for -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rank", "place"),
    [
        (LongitudinalRank.EMERGENCY_BRAKING, 2),
        (LongitudinalRank.EMERGENCY_MANOEUVRE, 3),
        (LongitudinalRank.DECELERATION, 4),
        (LongitudinalRank.SPEED_CAP, 5),
        (LongitudinalRank.PROPULSION, 6),
        (LateralRank.EMERGENCY_STEERING, 3),
        (LateralRank.LANE_CENTRING, 4),
        (LateralRank.COMFORT, 5),
    ],
    ids=lambda value: f"aeb.md-5-{value.name}" if not isinstance(value, int) or hasattr(value, "name") else None,
)
def test_every_rank_is_the_row_of_the_sheet(rank: LongitudinalRank | LateralRank, place: int) -> None:
    """Functions and recordings name it by this number."""
    assert int(rank) == place


def test_what_it_declares_bounds_how_old_and_how_often() -> None:
    assert {item.name: item.max_age_s for item in SPEC.inputs} == {
        "lateral": 0.4,
        "longitudinal": 0.4,
        "vehicle": 0.1,
    }
    assert (SPEC.period_s, SPEC.min_period_s) == (0.02, 0.005)


@pytest.mark.parametrize(("stamp_s", "age_s"), [(NOW_S - 0.03, 0.03), (NOW_S + 0.02, 0.0)], ids=["old", "ahead"])
def test_the_age_of_a_demand_for_nothing_is_that_of_the_vehicle_state(stamp_s: float, age_s: float) -> None:
    state = VehicleState(stamp_s=stamp_s, speed_mps=20.0)
    demand = Arbiter(MARKET.envelope).step(ArbiterInputs(lateral=(), longitudinal=(), vehicle=state), NOW_S).demand
    assert demand is not None and demand.oldest_input_age_s == pytest.approx(age_s)


GENEROUS = Chains()


@pytest.mark.parametrize(
    ("vehicle_age_s", "wanted_s", "is_vehicle"),
    [(0.08, 0.08, True), (0.05, 0.05, True), (0.02, 0.05, False)],
    ids=["vehicle older", "both alike", "request older"],
)
def test_the_oldest_of_vehicle_and_request_is_what_a_demand_tells(
    vehicle_age_s: float, wanted_s: float, is_vehicle: bool
) -> None:
    arbiter = Arbiter(MARKET.envelope, GENEROUS)
    state = VehicleState(stamp_s=NOW_S - vehicle_age_s, speed_mps=20.0)
    request = along(ACC, -1.0, stamp_s=NOW_S - 0.05)
    demand = arbiter.step(ArbiterInputs(lateral=(), longitudinal=(request,), vehicle=state), NOW_S).demand
    assert demand is not None
    assert demand.oldest_input_age_s == pytest.approx(wanted_s)
    assert (demand.oldest_input_chain == GENEROUS.idle) is is_vehicle
    assert demand.longitudinal_age_s == pytest.approx(0.05)


def test_the_age_of_the_axis_is_the_older_of_brake_and_cap() -> None:
    arbiter = Arbiter(MARKET.envelope, GENEROUS)
    state = VehicleState(stamp_s=NOW_S, speed_mps=20.0)
    requests = (along(CRUISE, 1.0, stamp_s=NOW_S - 0.02), along(ISA, 0.5, stamp_s=NOW_S - 0.06))
    demand = arbiter.step(ArbiterInputs(lateral=(), longitudinal=requests, vehicle=state), NOW_S).demand
    assert demand is not None and demand.longitudinal_age_s == pytest.approx(0.06)


OLD_S = NOW_S - 5.0


def test_of_late_requests_the_first_is_named_and_one_in_time_takes_their_place() -> None:
    late = (along(ACC, -1.0, "first", stamp_s=OLD_S), along(ACC, -2.0, "second", stamp_s=OLD_S))
    alone = decide(longitudinal=late)
    assert (alone.longitudinal_author, alone.longitudinal_cause) == ("first", "over_budget")
    assert not alone.is_longitudinal_active
    with_other = decide(longitudinal=(*late, along(ACC, -0.5, "third")))
    assert (with_other.longitudinal_author, with_other.accel_mps2) == ("third", -0.5)
    with_cap = decide(longitudinal=(*late, along(ISA, 0.5, "cap")))
    assert (with_cap.longitudinal_author, with_cap.accel_cap_mps2) == ("cap", 0.5)
    across_late = across(LateralRank.COMFORT, 1e-3, "slow", stamp_s=OLD_S)
    assert decide(lateral=(across_late,)).lateral_cause == "over_budget"
    both = decide(lateral=(across_late, across(LateralRank.LANE_CENTRING, 2e-3, "quick")))
    assert (both.lateral_author, both.is_lateral_active) == ("quick", True)


def test_who_asks_for_nothing_is_never_late() -> None:
    arbiter = Arbiter(MARKET.envelope)
    quiet = along(ACC, 0.0, stamp_s=OLD_S, is_active=False)
    said = arbiter.step(
        ArbiterInputs(lateral=(), longitudinal=(quiet,), vehicle=VehicleState(stamp_s=NOW_S, speed_mps=20.0)), NOW_S
    )
    assert said.status.reason == "" and said.status.kpis == (0.0,)


def test_steering_has_no_authority_where_nobody_steers() -> None:
    demand = decide(longitudinal=(along(ACC, -1.0),))
    assert demand.is_longitudinal_active and not demand.is_lateral_active and demand.lateral_authority == 0.0


def test_a_floored_pedal_interrupts_no_braking_that_nobody_asked_for() -> None:
    """R152 5.3.2: what is told as interrupted was there."""
    demand = decide(longitudinal=(along(AEB, -5.0, is_active=False),), accelerator=1.0)
    assert demand.longitudinal_cause != "driver_kick_down"


def test_a_request_for_no_acceleration_ends_with_the_driver_s_brake_as_propulsion_does() -> None:
    demand = decide(longitudinal=(along(ACC, 0.0),), is_braking=True)
    assert (demand.is_longitudinal_active, demand.longitudinal_author) == (False, "driver")
