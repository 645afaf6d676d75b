"""Age of information: each command says by which way its oldest input came, and none is followed beyond its budget."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
from asked_for import cap, push, steer
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.arbitration.arbiter import OVER_BUDGET, Arbiter, ArbiterInputs, LateralRank, LongitudinalRank
from adas_runtime.arbitration.arbiter import SPEC as ARBITER
from adas_runtime.arbitration.chains import ROUNDING_S, UNKNOWN_BUDGET_S, chains_of
from adas_runtime.arbitration.envelope import Envelope, EnvelopeInputs, EnvelopeOutputs, EnvelopeState, Limits
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.graph import Graph, default_graph, live_topic
from adas_runtime.market import load_market
from adas_runtime.signals import (
    ActuationCommand,
    Health,
    LateralRequest,
    LongitudinalRequest,
    Signal,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de")
CAR = load_vehicle("reference")
GRAPH = default_graph()
CHAINS = chains_of(GRAPH)
NOW_S = 200.0
LANE = CHAINS.of("lane_centring", "lane")
OBJECTS = CHAINS.of("aeb", "objects")
VEHICLE = CHAINS.of("dcas", "vehicle")
EDGE_S = 2e-6  # just beyond the rounding that is allowed for

# --- declared once ----------------------------------------------------------------------------------------------------


def test_the_way_of_a_picture_to_the_steering() -> None:
    assert LANE.text == "camera_front > lane_perception > ego_lane > lane_centring > arbiter > envelope"
    assert LANE.budget_s == 0.3, "the age that lane centring declares for its lane"
    assert CHAINS.idle == "vehicle_state > arbiter > envelope"


def test_every_request_of_the_graph_declares_what_it_rests_on_and_no_slow_input_is_among_it() -> None:
    for spec in GRAPH.functions:
        for output in spec.outputs:
            assert bool(output.rests_on) is (output.signal in (LateralRequest, LongitudinalRequest)), spec.name
            for name in output.rests_on:
                chain = CHAINS.by_input[spec.name, name]
                assert chain.budget_s <= MARKET.envelope.information_max_age_s, "the market's bound is no looser"
                assert CHAINS.budget_s[chain.text] == chain.budget_s
                assert chain.text.split(" > ")[0] in {source.name for source in GRAPH.sources}


def test_what_nobody_declared_has_the_least_budget() -> None:
    assert CHAINS.of("stranger", "lane").budget_s == CHAINS.of("dcas", "gaze").budget_s == UNKNOWN_BUDGET_S
    assert min(CHAINS.budget_s.values()) == UNKNOWN_BUDGET_S
    assert CHAINS.of("", "").text == "unknown > arbiter > envelope"


def test_a_way_without_a_producer_is_none() -> None:
    assert GRAPH.way("dcas", "driver") == ("driver_input", "dcas")
    assert GRAPH.way("aeb", "ads") == ("vehicle_state", "alks", "aeb")
    alone = Graph(tuple(spec for spec in GRAPH.functions if spec.name in ("aeb", "tracking")))
    assert alone.way("aeb", "ads") == (), "nobody is named alks there"


# --- the arbiter: the next request instead ----------------------------------------------------------------------------


def lateral(age_s: float, author: str = "lane_centring", rank: LateralRank = LateralRank.LANE_CENTRING) -> Any:
    return LateralRequest(
        stamp_s=NOW_S - age_s,
        author=author,
        cause="c",
        is_active=True,
        curvature_1pm=0.001,
        priority=int(rank),
        oldest_input="lane",
    )


def longitudinal(age_s: float, author: str, accel_mps2: float, rank: LongitudinalRank, name: str = "objects") -> Any:
    return LongitudinalRequest(
        stamp_s=NOW_S - age_s,
        author=author,
        cause="c",
        is_active=True,
        accel_mps2=accel_mps2,
        priority=int(rank),
        oldest_input=name,
    )


def decided(
    steering: tuple[LateralRequest, ...] = (),
    driving: tuple[LongitudinalRequest, ...] = (),
    arbiter: Arbiter | None = None,
    **fields: Any,
) -> tuple[ActuationCommand, Status]:
    vehicle = VehicleState(stamp_s=NOW_S - 0.01, speed_mps=25.0, **fields)
    said = (arbiter or Arbiter(MARKET.envelope, CHAINS)).step(
        ArbiterInputs(lateral=steering, longitudinal=driving, vehicle=vehicle), NOW_S
    )
    assert said.demand is not None
    return said.demand, said.status


@pytest.mark.parametrize(("age_s", "is_taken"), [(0.3 - EDGE_S, True), (0.3, True), (0.3 + EDGE_S, False)])
def test_a_request_is_taken_up_to_its_budget(age_s: float, is_taken: bool) -> None:
    demand, status = decided((lateral(age_s),))
    assert demand.is_lateral_active is is_taken
    assert demand.lateral_author == "lane_centring"
    assert demand.lateral_cause == ("c" if is_taken else OVER_BUDGET)
    assert status.health is (Health.OK if is_taken else Health.DEGRADED)
    assert status.kpis == (0.0 if is_taken else 1.0,)
    assert status.reason == ("" if is_taken else "over_budget: lane_centring")
    if is_taken:
        assert demand.lateral_chain == demand.oldest_input_chain == LANE.text
        assert demand.lateral_age_s == demand.oldest_input_age_s == pytest.approx(age_s)
    else:
        assert demand.oldest_input_age_s == pytest.approx(0.01), "what is not followed is not behind the demand"
        assert demand.oldest_input_chain == CHAINS.idle and demand.lateral_age_s is None


def test_the_next_request_takes_the_place_of_one_that_is_over_its_budget() -> None:
    old = longitudinal(0.35, "aeb", -8.0, LongitudinalRank.EMERGENCY_BRAKING)
    young = longitudinal(0.05, "dcas", -2.0, LongitudinalRank.DECELERATION)
    demand, status = decided(driving=(old, young))
    assert (demand.accel_mps2, demand.longitudinal_author, demand.longitudinal_cause) == (-2.0, "dcas", "c")
    assert demand.longitudinal_chain == "object_supplier > tracking > dcas > arbiter > envelope"
    assert status.state == "demanding" and status.reason == "over_budget: aeb"


def test_a_late_picture_costs_no_braking() -> None:
    demand, _ = decided((lateral(0.35),), (longitudinal(0.1, "aeb", -8.0, LongitudinalRank.EMERGENCY_BRAKING),))
    assert demand.accel_mps2 == -8.0 and not demand.is_lateral_active
    assert demand.oldest_input_chain == OBJECTS.text and demand.oldest_input_age_s == pytest.approx(0.1)


def test_a_cap_tells_its_own_way_and_the_older_of_both_counts() -> None:
    limit = longitudinal(0.15, "isa", -0.5, LongitudinalRank.SPEED_CAP, "vehicle")
    demand, _ = decided(driving=(limit,))
    assert demand.accel_cap_mps2 == -0.5 and demand.longitudinal_chain == "vehicle_state > isa > arbiter > envelope"
    both, _ = decided(driving=(limit, longitudinal(0.05, "dcas", -2.0, LongitudinalRank.DECELERATION)))
    assert both.longitudinal_age_s == pytest.approx(0.15) and "isa" in both.longitudinal_chain
    alike, _ = decided(driving=(limit, longitudinal(0.15, "dcas", -2.0, LongitudinalRank.DECELERATION)))
    assert "dcas" in alike.longitudinal_chain, "of two that are as old, what moves the car"
    older, _ = decided(driving=(limit, longitudinal(0.2, "dcas", -2.0, LongitudinalRank.DECELERATION)))
    assert older.longitudinal_age_s == pytest.approx(0.2) and "dcas" in older.longitudinal_chain


def test_what_was_passed_over_is_counted_and_the_count_stays() -> None:
    arbiter = Arbiter(MARKET.envelope, CHAINS)
    for _ in range(3):
        decided((lateral(0.35),), arbiter=arbiter)
    _, status = decided(arbiter=arbiter)
    assert status.state == "idle" and status.health is Health.OK and status.kpis == (3.0,)
    assert decided(arbiter=arbiter)[1] is status, "the same object: nothing changed"


def test_who_asks_for_nothing_leaves_the_arbiter_idle_whatever_the_driver_does() -> None:
    silent = replace(longitudinal(0.05, "dcas", -2.0, LongitudinalRank.DECELERATION), is_active=False)
    for pedals in ({}, {"is_braking": True}, {"accelerator": 1.0}):
        demand, status = decided(driving=(silent,), **pedals)
        assert (demand.longitudinal_author, demand.longitudinal_cause) == ("", "no_request")
        assert status is decided()[1], "the same object as without any request: nothing changed"


def test_a_request_just_at_its_budget_and_what_rounding_adds_is_taken() -> None:
    arbiter, most_s = Arbiter(MARKET.envelope), UNKNOWN_BUDGET_S + ROUNDING_S
    for age_s, is_taken in ((most_s, True), (math.nextafter(most_s, 1.0), False)):
        request = replace(lateral(0.0), stamp_s=-age_s)
        inputs = ArbiterInputs(lateral=(request,), longitudinal=(), vehicle=VehicleState(stamp_s=0.0, speed_mps=25.0))
        demand = arbiter.step(inputs, 0.0).demand
        assert demand is not None and demand.is_lateral_active is is_taken


# --- the envelope: an axis is handed back -----------------------------------------------------------------------------


class Gate:
    """An armed envelope that follows both axes, and the next demand."""

    def __init__(self) -> None:
        self.envelope = Envelope(Limits.of(MARKET.envelope, CAR), MARKET.envelope, CHAINS)
        self.envelope.state = EnvelopeState(
            stepped_s=NOW_S, is_locked=False, lock_cause="", speed_mps=20.0, speed_s=NOW_S
        )
        self.now_s, self.count = NOW_S, 0

    def step(self, *, waited_s: float = 0.0, vehicle: dict[str, Any] | None = None, **demand: Any) -> EnvelopeOutputs:
        self.now_s += 0.01
        self.count += 1
        asked = ActuationCommand(
            **{
                "stamp_s": self.now_s - waited_s,
                "author": "arbiter",
                "counter": self.count,
                "oldest_input_age_s": 0.01,
                **demand,
            }
        )
        car = VehicleState(stamp_s=self.now_s, speed_mps=20.0, yaw_rate_rps=0.02, **(vehicle or {}))
        said = self.envelope.step(EnvelopeInputs(demand=asked, vehicle=car), self.now_s)
        assert said.command is not None
        self.command = said.command
        return said

    def both(self, lane_s: float, objects_s: float, **fields: Any) -> EnvelopeOutputs:
        return self.step(
            **steer(0.001),
            **push(-2.0),
            lateral_age_s=lane_s,
            lateral_chain=LANE.text,
            longitudinal_age_s=objects_s,
            longitudinal_chain=OBJECTS.text,
            **{"oldest_input_age_s": max(lane_s, objects_s), **fields},
        )

    def engaged(self) -> Gate:
        for _ in range(100):
            self.both(0.1, 0.1)
        assert self.command.lateral_authority == 1.0 and self.command.accel_mps2 == -2.0
        return self


@pytest.mark.parametrize("waited_s", [0.0, 0.02, 0.1])
@pytest.mark.parametrize(("over_s", "is_refused"), [(-EDGE_S, False), (0.0, False), (EDGE_S, True), (0.05, True)])
def test_steering_is_handed_back_at_its_budget_and_braking_goes_on(
    waited_s: float, over_s: float, is_refused: bool
) -> None:
    gate = Gate().engaged()
    said = gate.both(LANE.budget_s - waited_s + over_s, 0.1, waited_s=waited_s)
    assert ("lateral_over_budget" in gate.command.limits) is is_refused
    assert gate.command.accel_mps2 == -2.0 and gate.command.is_longitudinal_active and not gate.command.is_safe_stop
    assert gate.command.lateral_authority == pytest.approx(0.99 if is_refused else 1.0)
    assert gate.command.lateral_cause == ("lateral_over_budget" if is_refused else "keep_lane")
    assert gate.command.lateral_author == "lka" and gate.command.lateral_chain == LANE.text
    assert gate.command.lateral_age_s == pytest.approx(LANE.budget_s + over_s)
    assert said.status.state == ("refusing" if is_refused else "passing")
    assert said.status.health is (Health.DEGRADED if is_refused else Health.OK)
    assert said.status.kpis == (float(is_refused),)
    if is_refused:
        assert said.status.reason == "lateral_over_budget"


@pytest.mark.parametrize(("over_s", "is_refused"), [(-EDGE_S, False), (0.0, False), (EDGE_S, True), (0.05, True)])
def test_braking_is_ramped_out_at_its_budget_and_steering_goes_on(over_s: float, is_refused: bool) -> None:
    gate = Gate().engaged()
    said = gate.both(0.1, OBJECTS.budget_s + over_s)
    assert ("longitudinal_over_budget" in gate.command.limits) is is_refused
    assert gate.command.lateral_authority == 1.0 and not gate.command.is_safe_stop
    assert gate.command.accel_mps2 == pytest.approx(-1.95 if is_refused else -2.0)
    assert gate.command.longitudinal_cause == ("longitudinal_over_budget" if is_refused else "follow")
    assert said.status.kpis == (float(is_refused),)


def test_the_chain_of_the_vehicle_state_is_shorter() -> None:
    gate = Gate().engaged()
    for age_s, is_refused in ((0.1, False), (0.1 + EDGE_S, True)):
        gate.step(**push(-2.0), longitudinal_age_s=age_s, longitudinal_chain=VEHICLE.text)
        assert ("longitudinal_over_budget" in gate.command.limits) is is_refused


@pytest.mark.parametrize(
    "told",
    [
        {"lateral_age_s": None, "oldest_input_age_s": None},
        {"lateral_age_s": math.nan, "lateral_chain": LANE.text},
        {"lateral_age_s": 0.11, "lateral_chain": "a way that nobody declared"},
        {"lateral_age_s": None, "lateral_chain": LANE.text, "oldest_input_age_s": 0.3 + EDGE_S - 0.01, "late": True},
    ],
    ids=["untold", "no number", "unknown way", "told for the whole"],
)
def test_an_age_that_is_not_told_is_too_old(told: dict[str, Any]) -> None:
    gate = Gate().engaged()
    if told.pop("late", False):
        told["waited_s"] = 0.01
        gate.step(**steer(0.001), **told)
        assert gate.command.limits == ("information_old",), "the whole demand answers for an age told for the whole"
        return
    gate.step(**steer(0.001), **told)
    assert "lateral_over_budget" in gate.command.limits and not gate.command.is_safe_stop


def test_an_axis_that_is_not_asked_for_excuses_no_old_demand() -> None:
    gate = Gate().engaged()
    gate.step(oldest_input_age_s=0.4, lateral_age_s=0.4, longitudinal_age_s=0.4)
    assert gate.command.limits == ("information_old",) and gate.command.is_safe_stop
    gate = Gate().engaged()
    gate.both(0.35, 0.1, oldest_input_age_s=0.4)
    assert "information_old" in gate.command.limits, "older than either axis tells"


def test_the_markets_bound_holds_for_every_chain() -> None:
    tight = MARKET.envelope.model_copy(update={"information_max_age_s": 0.2})
    gate = Gate().engaged()
    gate.envelope = Envelope(Limits.of(tight, CAR), tight, CHAINS)
    gate.envelope.state = EnvelopeState(stepped_s=gate.now_s, is_locked=False, speed_mps=20.0, speed_s=gate.now_s)
    gate.both(0.2, 0.2 + EDGE_S)
    assert "longitudinal_over_budget" in gate.command.limits and "lateral_over_budget" not in gate.command.limits


def test_a_refused_axis_is_handed_back_whole_and_comes_back_by_its_ramp() -> None:
    gate = Gate().engaged()
    for _ in range(120):
        gate.both(0.35, 0.1)
    assert not gate.command.is_lateral_active and gate.command.accel_mps2 == -2.0
    assert gate.envelope.state.over_budget == 120
    said = gate.both(0.1, 0.1)
    assert gate.command.lateral_authority == pytest.approx(0.02) and said.status.kpis == (120.0,)
    said = gate.step()
    for _ in range(300):
        said = gate.step()
    assert said.status.state == "idle" and said.status.kpis == (120.0,), "the count stays, and costs no fault"


def test_a_cap_that_is_over_its_budget_is_lifted_by_its_ramp_and_what_the_driver_refused_stays() -> None:
    chain = {"longitudinal_chain": "vehicle_state > isa > arbiter > envelope"}
    gate = Gate()
    for _ in range(300):
        gate.step(**cap(-1.0), longitudinal_age_s=0.1, **chain)
    assert gate.command.accel_cap_mps2 == -1.0
    gate.step(**cap(-1.0), longitudinal_age_s=0.25, **chain)
    rise = gate.envelope.limits.cap_jerk_max_mps3 * 0.01
    assert gate.command.accel_cap_mps2 == pytest.approx(-1.0 + rise)
    assert gate.command.longitudinal_cause == "longitudinal_over_budget"
    gate.step(**cap(-1.0), longitudinal_age_s=0.1, vehicle={"accelerator": 0.95}, **chain)
    assert gate.command.accel_cap_mps2 is None
    gate.step(**cap(-1.0), longitudinal_age_s=0.25, **chain)
    for _ in range(100):
        gate.step(**cap(-1.0), longitudinal_age_s=0.1, **chain)
    assert gate.command.accel_cap_mps2 is None, "an old value of a cap gives back no cap that the driver lifted"


@pytest.mark.parametrize("field", ["is_steering_available", "is_braking_available"])
@pytest.mark.parametrize("value", [None, True, False])
def test_an_actuator_that_cannot_follow_gets_no_command_and_the_other_one_goes_on(
    field: str, value: bool | None
) -> None:
    gate = Gate().engaged()
    for _ in range(120):
        said = gate.both(0.1, 0.1, vehicle={field: value})
    is_steering, is_braking = gate.command.is_lateral_active, gate.command.is_longitudinal_active
    assert is_steering is (field != "is_steering_available" or value is not False)
    assert is_braking is (field != "is_braking_available" or value is not False)
    if value is False:
        why = "steering_unavailable" if field == "is_steering_available" else "brakes_unavailable"
        assert gate.command.limits == (why,) and not gate.command.is_safe_stop
        assert (said.status.state, said.status.health, said.status.reason) == ("refusing", Health.DEGRADED, why)
        idle = gate.step(vehicle={field: False})
        assert idle.status.health is Health.DEGRADED, "told also while nobody asks for anything"
        assert gate.envelope.state.over_budget == 0
        cause = gate.both(0.1, 0.1, vehicle={field: False}).command
        assert cause is not None and why in (cause.lateral_cause, cause.longitudinal_cause)


def test_without_brakes_a_cap_still_holds_since_it_is_none() -> None:
    gate = Gate()
    for _ in range(300):
        gate.step(
            **cap(-1.0),
            longitudinal_age_s=0.1,
            longitudinal_chain="vehicle_state > isa > arbiter > envelope",
            vehicle={"is_braking_available": False},
        )
    assert gate.command.accel_cap_mps2 == -1.0 and not gate.command.is_longitudinal_active


ages = st.none() | st.floats() | st.floats(0.0, 0.5)


@given(ages, ages, ages, st.floats(0.0, 0.5), st.sampled_from([LANE.text, VEHICLE.text, "", "x"]))
def test_no_axis_is_followed_beyond_its_budget_whatever_is_told(
    lane_s: float | None, objects_s: float | None, oldest_s: float | None, waited_s: float, chain: str
) -> None:
    gate = Gate().engaged()
    gate.step(
        **steer(0.001),
        **push(-2.0),
        lateral_age_s=lane_s,
        lateral_chain=chain,
        longitudinal_age_s=objects_s,
        longitudinal_chain=OBJECTS.text,
        oldest_input_age_s=oldest_s,
        waited_s=waited_s,
    )
    for told_s, budget_s, is_followed in (
        (lane_s, CHAINS.budget_s.get(chain, UNKNOWN_BUDGET_S), gate.command.lateral_authority == 1.0),
        (objects_s, OBJECTS.budget_s, gate.command.accel_mps2 == -2.0),
    ):
        age_s = oldest_s if told_s is None else told_s
        if is_followed:
            assert age_s is not None and max(age_s, 0.0) + waited_s <= budget_s + 1e-5


# --- in the executor --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SteersInputs:
    vehicle: VehicleState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SteersOutputs:
    request: LateralRequest | None
    status: Status


class Steers:
    """Asks for steering with every lane, until it breaks."""

    state = 0

    def step(self, inputs: Any, now_s: float) -> Any:
        self.state += 1
        if self.state > 50:
            raise ValueError("a defect")
        request = LateralRequest(
            stamp_s=inputs.vehicle.stamp_s,
            author="steers",
            cause="c",
            is_active=True,
            curvature_1pm=0.001,
            priority=4,
            oldest_input="vehicle",
        )
        return SteersOutputs(request=request, status=Status(state="on", is_active=True))


def test_what_a_function_asked_for_before_it_broke_nobody_stands_behind() -> None:
    """In the very step in which it breaks, not when its last request has aged."""
    spec = FunctionSpec(
        name="steers",
        summary="a function that breaks",
        process=Process.DECISION,
        inputs=(Input(name="vehicle", signal=VehicleState, max_age_s=0.1),),
        outputs=(Output(name="request", signal=LateralRequest, is_periodic=False, rests_on=("vehicle",)),),
        inputs_type=SteersInputs,
        outputs_type=SteersOutputs,
        period_s=0.01,
        trigger="vehicle",
        has_stage=False,
        build=lambda context: Steers(),
    )
    executor = Executor(Graph((spec, ARBITER)), BuildContext(market=MARKET, vehicle=CAR), {})
    asked: list[bool] = []
    for step in range(60):
        now_s = NOW_S + 0.01 * step
        said = executor.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=20.0), now_s)
        demand: list[Signal] = [item.signal for item in said if item.topic == live_topic("arbiter", "demand")]
        assert isinstance(demand[0], ActuationCommand)
        asked.append(demand[0].is_lateral_active)
    assert asked == [True] * 50 + [False] * 10


def test_without_a_graph_every_chain_is_unknown() -> None:
    assert chains_of(None).by_input == {} and chains_of(None).of("aeb", "objects").budget_s == UNKNOWN_BUDGET_S
