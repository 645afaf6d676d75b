"""The executor that nodes and replay share: order, age, stages, memory, faults, and the same answer twice."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.errors import WiringError
from adas_runtime.executor import BACKWARD_TOLERANCE_S, Emission, Executor
from adas_runtime.function import (
    FUTURE_TOLERANCE_S,
    REST_MAX_S,
    BuildContext,
    FunctionSpec,
    Input,
    Output,
    Process,
    Status,
    is_usable,
)
from adas_runtime.graph import Graph, Source, route
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    FunctionStatus,
    Health,
    LateralRequest,
    LongitudinalRequest,
    SpeedLimitState,
    Stage,
    VehicleState,
)

VEHICLE = Source(name="vehicle_state", signal=VehicleState, topic="/vehicle/state", rate_hz=100.0)
NOTHING: Any = None
CONTEXT = BuildContext(market=NOTHING, vehicle=NOTHING)  # the cores below need neither


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchInputs:
    vehicle: VehicleState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOutputs:
    request: LateralRequest | None
    alert: Alert | None
    status: Status


class Watch:
    """Counts its steps, asks for the counted curvature, warns above 10 m/s, fails above 100 m/s; may rest below."""

    def __init__(self, rest_s: float = 0.0) -> None:
        self.state: int = 0
        self.rest_s = rest_s

    def step(self, inputs: WatchInputs, now_s: float) -> WatchOutputs:
        vehicle = inputs.vehicle
        if vehicle is None:
            return WatchOutputs(request=None, alert=None, status=Status(state="blind", reason="no vehicle state"))
        if vehicle.speed_mps > 100.0:
            raise ZeroDivisionError("a defect")
        self.state += 1
        alert = Alert(stamp_s=now_s, author="watch", code="fast", is_active=True, since_s=now_s, cause="fast")
        return WatchOutputs(
            request=LateralRequest(
                stamp_s=vehicle.stamp_s, author="watch", cause="count", is_active=True, curvature_1pm=self.state * 1e-6
            ),
            alert=alert if vehicle.speed_mps > 10.0 else None,
            status=Status(state="on", is_active=True, rest_s=0.0 if vehicle.speed_mps > 10.0 else self.rest_s),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class SumInputs:
    requests: tuple[LateralRequest, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SumOutputs:
    demand: ActuationCommand | None
    status: Status


class Sum:
    """Adds what is asked for."""

    state: None = None

    def step(self, inputs: SumInputs, now_s: float) -> SumOutputs:
        demand = ActuationCommand(
            stamp_s=now_s,
            author="sum",
            counter=0,
            curvature_1pm=sum(request.curvature_1pm for request in inputs.requests),
            lateral_cause=",".join(request.author for request in inputs.requests),
        )
        return SumOutputs(demand=demand, status=Status(state="on"))


def watch(
    name: str = "watch",
    process: Process = Process.DECISION,
    period_s: float = 0.05,
    min_period_s: float = 0.0,
    rest_s: float = 0.0,
) -> FunctionSpec:
    return FunctionSpec(
        name=name,
        summary="a function for tests",
        process=process,
        inputs=(Input(name="vehicle", signal=VehicleState, max_age_s=0.1),),
        outputs=(Output(name="request", signal=LateralRequest), Output(name="alert", signal=Alert, is_periodic=False)),
        inputs_type=WatchInputs,
        outputs_type=WatchOutputs,
        period_s=period_s,
        trigger="vehicle",
        min_period_s=min_period_s,
        build=lambda context: Watch(rest_s),
    )


def summing(process: Process = Process.GUARD) -> FunctionSpec:
    return FunctionSpec(
        name="sum",
        summary="a consumer for tests",
        process=process,
        inputs=(Input(name="requests", signal=LateralRequest, max_age_s=0.2, many=True),),
        outputs=(Output(name="demand", signal=ActuationCommand),),
        inputs_type=SumInputs,
        outputs_type=SumOutputs,
        period_s=0.02,
        trigger="requests",
        has_stage=False,
        build=lambda context: Sum(),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MayLackInputs:
    vehicle: VehicleState | None = None
    limit: SpeedLimitState | None = None


class MayLack(Watch):
    """Tells in its state whether it got the value that a car may lack."""

    def step(self, inputs: Any, now_s: float) -> WatchOutputs:
        has_limit = inputs.limit is not None
        return WatchOutputs(request=None, alert=None, status=Status(state="with" if has_limit else "without"))


def may_lack() -> FunctionSpec:
    optional = Input(name="limit", signal=SpeedLimitState, max_age_s=0.1, is_optional=True)
    spec = watch()
    return replace(spec, inputs=(*spec.inputs, optional), inputs_type=MayLackInputs, build=lambda context: MayLack())


def make_executor(
    stage: Stage = Stage.ON, *, min_period_s: float = 0.0, rest_s: float = 0.0, **options: Any
) -> Executor:
    # the consumer is declared first: order comes from the wiring, not from the list
    graph = Graph((summing(), watch(min_period_s=min_period_s, rest_s=rest_s)), (VEHICLE,))
    return Executor(graph, CONTEXT, {"watch": stage}, **options)


def state(stamp_s: float, speed_mps: float = 5.0) -> VehicleState:
    return VehicleState(stamp_s=stamp_s, speed_mps=speed_mps)


def topics(emissions: list[Emission]) -> list[str]:
    return [emission.topic for emission in emissions]


def test_one_arrival_runs_the_chain_producers_first() -> None:
    emissions = make_executor().offer("/vehicle/state", state(1.0), 1.0)
    assert topics(emissions) == ["/adas/watch/request", "/adas/watch/status", "/adas/sum/demand", "/adas/sum/status"]
    demand = emissions[2].signal
    assert isinstance(demand, ActuationCommand) and demand.curvature_1pm == pytest.approx(1e-6)


@pytest.mark.parametrize(
    ("stage", "wanted"),
    [
        (Stage.OFF, ["/adas/watch/status"]),
        (Stage.SHADOW, ["/adas/shadow/watch/request", "/adas/shadow/watch/alert", "/adas/watch/status"]),
        (Stage.WARN, ["/adas/shadow/watch/request", "/adas/watch/alert", "/adas/watch/status"]),
        (
            Stage.ON,
            ["/adas/watch/request", "/adas/watch/alert", "/adas/watch/status", "/adas/sum/demand", "/adas/sum/status"],
        ),
    ],
)
def test_a_stage_decides_whom_an_output_reaches(stage: Stage, wanted: list[str]) -> None:
    """Only `on` reaches the consumer of requests; in shadow nobody is touched, in warn only the driver is."""
    executor = make_executor(stage)
    assert topics(executor.offer("/vehicle/state", state(1.0, 20.0), 1.0)) == wanted


def test_a_function_that_the_market_does_not_name_is_off() -> None:
    executor = Executor(Graph((watch(),), (VEHICLE,)), CONTEXT, {})
    (emission,) = executor.offer("/vehicle/state", state(1.0), 1.0)
    assert isinstance(emission.signal, FunctionStatus) and emission.signal.stage is Stage.OFF


@pytest.mark.parametrize("stage", list(Stage))
def test_no_stage_hides_a_status(stage: Stage) -> None:
    assert route(stage, FunctionStatus, "watch", "status") == "/adas/watch/status"


@pytest.mark.parametrize("stage", [Stage.OFF, Stage.SHADOW, Stage.WARN])
@pytest.mark.parametrize("signal", [LateralRequest, LongitudinalRequest])
def test_nothing_below_on_actuates(stage: Stage, signal: type) -> None:
    assert route(stage, signal, "watch", "request") != "/adas/watch/request"


@given(st.floats(0.0, 1e6), st.floats(-10.0, 10.0), st.floats(0.001, 5.0))
def test_age_is_judged_in_one_place(now_s: float, age_s: float, max_age_s: float) -> None:
    stamp_s = now_s - age_s
    exact = now_s - stamp_s
    assert is_usable(stamp_s, now_s, max_age_s) == (-FUTURE_TOLERANCE_S <= exact <= max_age_s)


@pytest.mark.parametrize("stamp_s", [math.nan, math.inf, -math.inf])
def test_a_stamp_that_is_no_time_is_not_usable(stamp_s: float) -> None:
    assert not is_usable(stamp_s, 10.0, 1.0)


@pytest.mark.parametrize(
    ("stamp_s", "is_absent"),
    [(10.0, False), (9.9, False), (9.89, True), (10.0 + FUTURE_TOLERANCE_S / 2, False), (11.0, True), (0.0, True)],
    ids=["now", "at the limit", "too old", "jitter ahead", "from the future", "another clock"],
)
def test_a_value_too_old_or_from_the_future_is_absent(stamp_s: float, is_absent: bool) -> None:
    """Also the trap of two clock domains: a stamp of another clock is far off, so it can never pass as fresh."""
    emissions = make_executor().offer("/vehicle/state", state(stamp_s), 10.0)
    status = next(e.signal for e in emissions if e.topic == "/adas/watch/status")
    assert isinstance(status, FunctionStatus)
    assert status.absent == (("vehicle",) if is_absent else ())
    assert status.state == ("blind" if is_absent else "on")


def test_without_a_trigger_the_period_steps() -> None:
    executor = make_executor()
    executor.offer("/vehicle/state", state(1.0), 1.0)
    assert executor.next_due_s() == pytest.approx(1.02)
    assert topics(executor.advance(1.019)) == []
    assert topics(executor.advance(1.02)) == ["/adas/sum/demand"]
    assert "/adas/watch/request" in topics(executor.advance(1.05))


@given(st.floats(0.0, 100.0), st.floats(-1.0, 1.0))
def test_the_executor_judges_age_as_that_place_does(now_s: float, age_s: float) -> None:
    stamp_s = now_s - age_s
    emissions = make_executor().offer("/vehicle/state", state(stamp_s), now_s)
    (status,) = [e.signal for e in emissions if e.topic == "/adas/watch/status"]
    assert isinstance(status, FunctionStatus)
    assert status.absent == (() if is_usable(stamp_s, now_s, 0.1) else ("vehicle",))


def test_a_sender_that_runs_wild_steps_a_function_at_its_least_period() -> None:
    """2 kHz for a second: 50 steps at 50 Hz, each with the newest value, and the last value is not lost."""
    executor = Executor(Graph((watch(min_period_s=0.02),), (VEHICLE,)), CONTEXT, {"watch": Stage.ON})
    stamps, times = [], []

    def take(emissions: list[Emission]) -> None:
        for emission in emissions:
            if isinstance(emission.signal, LateralRequest):
                stamps.append(emission.signal.stamp_s)
                times.append(emission.now_s)

    for number in range(2000):
        now_s = 10.0 + number * 0.0005
        while (due_s := executor.next_due_s()) is not None and due_s < now_s - 1e-6:
            take(executor.advance(due_s))
        take(executor.offer("/vehicle/state", state(now_s), now_s))
    due_s = executor.next_due_s()
    assert due_s is not None
    take(executor.advance(due_s))
    assert times == pytest.approx([10.0 + 0.02 * number for number in range(51)])
    assert max(now_s - stamp_s for now_s, stamp_s in zip(times, stamps, strict=True)) < 0.0006
    assert stamps[-1] == pytest.approx(10.9995)


def test_a_trigger_that_comes_too_soon_is_followed_when_the_least_period_is_over() -> None:
    executor = Executor(Graph((watch(min_period_s=0.02),), (VEHICLE,)), CONTEXT, {"watch": Stage.ON})
    executor.offer("/vehicle/state", state(1.0), 1.0)
    assert executor.offer("/vehicle/state", state(1.005), 1.005) == []
    assert executor.next_due_s() == pytest.approx(1.02)
    assert "/adas/watch/request" in topics(executor.advance(1.02))
    assert "/adas/watch/request" in topics(executor.offer("/vehicle/state", state(1.04), 1.04)), "exactly on time"
    executor.offer("/vehicle/state", state(1.05), 1.05)
    emissions = executor.offer("/vehicle/state", state(0.5), 0.5)
    assert "/adas/watch/request" in topics(emissions), "a new time line waits for nothing"


def test_a_step_of_the_period_holds_no_trigger_up() -> None:
    # the guard steps by itself every 10 ms, often just ahead of the demand: that demand must not wait for 5 ms
    graph = Graph((watch(period_s=0.01, min_period_s=0.005),), (VEHICLE,))
    executor = Executor(graph, CONTEXT, {"watch": Stage.ON})
    asked = "/adas/watch/request"
    assert asked in topics(executor.offer("/vehicle/state", state(10.0), 10.0))
    assert asked in topics(executor.advance(10.011)), "by its period"
    assert asked in topics(executor.offer("/vehicle/state", state(10.0111), 10.0112))
    assert asked not in topics(executor.offer("/vehicle/state", state(10.0121), 10.0122)), "after a trigger it waits"


def test_who_stands_by_is_stepped_when_its_rest_is_over_and_who_acts_with_each_trigger() -> None:
    graph = Graph((watch(min_period_s=0.01, rest_s=0.04),), (VEHICLE,))
    executor = Executor(graph, CONTEXT, {"watch": Stage.ON})
    asked = "/adas/watch/request"
    assert asked in topics(executor.offer("/vehicle/state", state(10.0, 5.0), 10.0))
    for number in (1, 2, 3):
        assert executor.offer("/vehicle/state", state(10.0 + 0.01 * number, 20.0), 10.0 + 0.01 * number) == []
    assert executor.next_due_s() == pytest.approx(10.04)
    (request,) = [e.signal for e in executor.advance(10.04) if e.topic == asked]
    assert request.stamp_s == 10.03, "with what came meanwhile"
    assert asked in topics(executor.offer("/vehicle/state", state(10.05, 20.0), 10.05)), "now it acts"


@pytest.mark.parametrize(("rest_s", "after_s"), [(0.03, 0.05), (0.08, 0.08), (5.0, REST_MAX_S)])
def test_a_rest_puts_the_period_off_and_has_an_end(rest_s: float, after_s: float) -> None:
    executor = Executor(Graph((watch(rest_s=rest_s),), (VEHICLE,)), CONTEXT, {"watch": Stage.ON})
    executor.offer("/vehicle/state", state(10.0, 5.0), 10.0)
    assert executor.next_due_s() == pytest.approx(10.0 + after_s)
    emissions = executor.offer("/vehicle/state", state(3.0, 5.0), 3.0)
    assert "/adas/watch/request" in topics(emissions), "a new time line waits for nothing"


def test_a_least_period_above_the_period_is_refused() -> None:
    with pytest.raises(WiringError, match="least period"):
        watch(period_s=0.05, min_period_s=0.06)


def test_an_old_request_leaves_the_sum() -> None:
    executor = make_executor()
    executor.offer("/vehicle/state", state(1.0), 1.0)
    (late,) = [e.signal for e in executor.advance(1.3) if e.topic == "/adas/sum/demand"]
    assert isinstance(late, ActuationCommand) and late.curvature_1pm == 0.0


def test_a_defect_in_a_core_is_told_and_the_graph_lives_on() -> None:
    executor = make_executor()
    emissions = executor.offer("/vehicle/state", state(1.0, 120.0), 1.0)
    (status,) = [e.signal for e in emissions if e.topic == "/adas/watch/status"]
    assert isinstance(status, FunctionStatus)
    assert (status.health, status.reason) == (Health.FAULT, "ZeroDivisionError: a defect")
    assert "/adas/sum/demand" in topics(executor.advance(1.02))
    emissions = executor.offer("/vehicle/state", state(1.03), 1.03)
    (status,) = [e.signal for e in emissions if e.topic == "/adas/watch/status"]
    assert isinstance(status, FunctionStatus) and status.health is Health.OK


def test_a_status_comes_at_each_change_and_once_a_second() -> None:
    executor = make_executor()
    told = []
    for step in range(300):
        now_s = 1.0 + step * 0.01
        told += [
            e.now_s for e in executor.offer("/vehicle/state", state(now_s), now_s) if e.topic == "/adas/watch/status"
        ]
    assert told == pytest.approx([1.0, 2.0, 3.0])


def test_jitter_of_senders_does_not_turn_time_back() -> None:
    executor = make_executor()
    executor.offer("/vehicle/state", state(10.0), 10.0)
    emissions = executor.offer("/vehicle/state", state(9.99), 10.0 - BACKWARD_TOLERANCE_S / 2)
    assert {emission.now_s for emission in emissions} == {10.0}
    assert executor.core("watch").state == 2


def test_a_clock_that_runs_back_starts_a_new_time_line() -> None:
    executor = make_executor()
    for step in range(5):
        executor.offer("/vehicle/state", state(100.0 + step), 100.0 + step)
    executor.advance(104.2)
    emissions = executor.offer("/vehicle/state", state(50.0), 50.0)
    assert {emission.now_s for emission in emissions} == {50.0}
    assert executor.next_due_s() == pytest.approx(50.02), "nothing waits for times of the former one"


def test_a_core_decides_itself_what_a_clock_that_runs_back_ends() -> None:
    """Who steers or warns ends that in words; a core that were made fresh would not know that it has to."""
    executor = make_executor()
    executor.offer("/vehicle/state", state(100.0), 100.0)
    before = executor.core("watch").state
    executor.offer("/vehicle/state", state(50.0), 50.0)
    assert executor.core("watch").state == before + 1
    assert executor.advance(50.5) and all(e.output != "request" for e in executor.advance(50.6)), "inputs are forgotten"


def test_a_gap_is_skipped_not_stepped_through() -> None:
    executor = make_executor()
    executor.offer("/vehicle/state", state(1.0), 1.0)
    executor.skip_to(3600.0)
    assert executor.next_due_s() == 3600.0


def test_two_processes_share_the_work_of_one() -> None:
    """Split over processes the graph decides as it does in one piece: each offers the other what it asks for."""
    graph = Graph((summing(), watch()), (VEHICLE,))
    decision = Executor(graph, CONTEXT, {"watch": Stage.ON}, process=Process.DECISION)
    guard = Executor(graph, CONTEXT, {"watch": Stage.ON}, process=Process.GUARD)
    assert decision.external_topics == ("/vehicle/state",)
    assert guard.external_topics == ("/adas/watch/request",)
    whole = make_executor()
    for step in range(50):
        now_s = 1.0 + step * 0.01
        together = [e for e in whole.offer("/vehicle/state", state(now_s), now_s) if e.output == "demand"]
        apart = [
            e
            for request in decision.offer("/vehicle/state", state(now_s), now_s)
            if request.topic in guard.external_topics
            for e in guard.offer(request.topic, request.signal, now_s)
            if e.output == "demand"
        ]
        assert apart == together


def test_recorded_outputs_can_stand_in_for_a_function() -> None:
    executor = make_executor(without=frozenset({"watch"}))
    request = LateralRequest(stamp_s=1.0, author="bag", cause="recorded", is_active=True, curvature_1pm=0.01)
    emissions = executor.offer("/adas/watch/request", request, 1.0)
    demand = emissions[0].signal
    assert isinstance(demand, ActuationCommand) and demand.lateral_cause == "bag"


def test_set_stage_takes_effect_and_forgets() -> None:
    executor = make_executor(Stage.SHADOW)
    executor.offer("/vehicle/state", state(1.0), 1.0)
    executor.set_stage("watch", Stage.ON)
    assert executor.core("watch").state == 0
    assert "/adas/watch/request" in topics(executor.offer("/vehicle/state", state(1.01), 1.01))
    with pytest.raises(WiringError, match="no function 'sum' with a stage"):
        executor.set_stage("sum", Stage.OFF)


events = st.lists(
    st.tuples(
        st.floats(-0.3, 0.5),  # time to the next event; back as well
        st.floats(-1.0, 0.2),  # stamp against the time of arrival
        st.floats(-40.0, 150.0),  # speed, also where the core fails
        st.booleans(),  # an arrival, or only time passing
    ),
    max_size=40,
)


def play(executor: Executor, sequence: list[tuple[float, float, float, bool]], now_s: float) -> tuple[list[Any], float]:
    said: list[Any] = []
    for wait_s, lag_s, speed_mps, is_arrival in sequence:
        now_s = max(0.0, now_s + wait_s)
        if is_arrival:
            said += executor.offer("/vehicle/state", state(max(0.0, now_s + lag_s), speed_mps), now_s)
        else:
            said += executor.advance(now_s)
    return said, now_s


@given(events)
def test_the_same_calls_give_the_same_answers(sequence: list[tuple[float, float, float, bool]]) -> None:
    assert play(make_executor(), sequence, 5.0) == play(make_executor(), sequence, 5.0)


@given(events, events, st.sampled_from([0.0, 0.04]), st.sampled_from([0.0, 0.03, 0.07]))
def test_saved_and_restored_it_continues_where_it_was(
    before: list[tuple[float, float, float, bool]],
    after: list[tuple[float, float, float, bool]],
    min_period_s: float,
    rest_s: float,
) -> None:
    first = make_executor(min_period_s=min_period_s, rest_s=rest_s)
    _, now_s = play(first, before, 5.0)
    second = make_executor(min_period_s=min_period_s, rest_s=rest_s)
    second.restore(first.save())
    assert play(first, after, now_s) == play(second, after, now_s)


@given(events)
def test_what_is_said_never_runs_back_within_a_time_line(sequence: list[tuple[float, float, float, bool]]) -> None:
    said, _ = play(make_executor(), [(abs(w), lag, v, a) for w, lag, v, a in sequence], 5.0)
    times = [emission.now_s for emission in said]
    assert times == sorted(times)


# --- wiring -----------------------------------------------------------------------------------------------------------


def test_a_name_used_twice_is_refused() -> None:
    with pytest.raises(WiringError, match="name 'watch' is used twice"):
        Graph((watch(), watch()), (VEHICLE,))


def test_an_input_without_a_producer_is_refused() -> None:
    with pytest.raises(WiringError, match=r"function watch, input vehicle: nothing produces VehicleState"):
        Graph((watch(),), ())


def test_an_input_with_two_producers_must_name_one() -> None:
    other = Source(name="second", signal=VehicleState, topic="/second/state", rate_hz=10.0)
    with pytest.raises(WiringError, match=r"comes from /vehicle/state, /second/state; name the source="):
        Graph((watch(),), (VEHICLE, other))


def test_a_circle_is_refused() -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Echo:
        request: LateralRequest | None

    @dataclass(frozen=True, slots=True, kw_only=True)
    class EchoOut:
        request: LateralRequest | None
        status: Status

    def echo(name: str, source: str) -> FunctionSpec:
        return FunctionSpec(
            name=name,
            summary="a circle",
            process=Process.DECISION,
            inputs=(Input(name="request", signal=LateralRequest, max_age_s=1.0, source=source),),
            outputs=(Output(name="request", signal=LateralRequest),),
            inputs_type=Echo,
            outputs_type=EchoOut,
            period_s=0.1,
            build=lambda context: Sum(),
        )

    with pytest.raises(WiringError, match="circle among one, two"):
        Graph((echo("one", "two"), echo("two", "one")), ())


def test_a_declaration_that_differs_from_its_records_is_refused() -> None:
    with pytest.raises(WiringError, match=r"function sum: inputs \['other'\] differ from the fields of SumInputs"):
        FunctionSpec(
            name="sum",
            summary="",
            process=Process.GUARD,
            inputs=(Input(name="other", signal=LateralRequest, max_age_s=1.0),),
            outputs=(Output(name="demand", signal=ActuationCommand),),
            inputs_type=SumInputs,
            outputs_type=SumOutputs,
            period_s=0.1,
            build=lambda context: Sum(),
        )


def test_topics_name_producer_consumers_and_period() -> None:
    found = {topic.name: topic for topic in Graph((summing(), watch()), (VEHICLE,)).topics()}
    assert found["/vehicle/state"].consumers == ("watch",)
    assert found["/vehicle/state"].period_s == pytest.approx(0.01)
    assert found["/adas/watch/request"].consumers == ("sum",)
    assert found["/adas/watch/alert"].period_s is None, "an alert is an event: silence is no fault"
    assert found["/adas/sum/demand"].process is Process.GUARD


@pytest.mark.parametrize("has_source", [False, True])
def test_what_a_car_may_lack_is_none_and_missed_by_nobody(has_source: bool) -> None:
    limits = Source(name="limits", signal=SpeedLimitState, topic="/limits", rate_hz=20.0)
    sources = (VEHICLE, limits) if has_source else (VEHICLE,)
    executor = Executor(Graph((may_lack(),), sources), CONTEXT, {"watch": Stage.ON})

    def said(now_s: float) -> FunctionStatus:
        found = [e.signal for e in executor.offer("/vehicle/state", state(now_s), now_s)]
        return next(item for item in found if isinstance(item, FunctionStatus))

    status = said(1.0)
    assert status.state == "without" and status.absent == ()
    if has_source:
        executor.offer("/limits", SpeedLimitState(stamp_s=1.0), 1.0)
        assert said(1.05).state == "with"
        assert said(1.2).state == "without", "too old, as every other input"


def test_each_of_several_triggers_makes_it_step() -> None:
    limits = Source(name="limits", signal=SpeedLimitState, topic="/limits", rate_hz=20.0)
    spec = replace(may_lack(), trigger=("vehicle", "limit"))
    executor = Executor(Graph((spec,), (VEHICLE, limits)), CONTEXT, {"watch": Stage.ON})
    assert executor.offer("/vehicle/state", state(1.0), 1.0)[0].signal.state == "without"  # type: ignore[attr-defined]
    said = executor.offer("/limits", SpeedLimitState(stamp_s=1.01), 1.01)
    assert said[0].signal.state == "with"  # type: ignore[attr-defined]
    with pytest.raises(WiringError, match="trigger 'radar' is not an input"):
        replace(may_lack(), trigger=("vehicle", "radar"))


def test_an_input_of_many_is_not_optional_too() -> None:
    with pytest.raises(WiringError, match="many"):
        replace(summing(), inputs=(replace(summing().inputs[0], is_optional=True),))
