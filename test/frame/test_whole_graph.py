"""The product's whole graph under arbitrary arrivals: the same twice, restorable anywhere, one time line at a time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from signal_values import records

from adas_runtime.converter import check, pack
from adas_runtime.executor import BACKWARD_TOLERANCE_S, Emission, Executor
from adas_runtime.function import FUTURE_TOLERANCE_S, BuildContext, Process
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import (
    ActuationCommand,
    DriverInput,
    FunctionStatus,
    Health,
    LaneModel,
    Signal,
    Stage,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de")
START_S = 5000.0
STAGES = {**MARKET.stages(), "lane_departure": Stage.ON}
TOPICS: dict[str, type[Signal]] = {
    "/vehicle/state": VehicleState,
    "/vehicle/driver_input": DriverInput,
    "/adas/lane_perception/lanes": LaneModel,
}


def executor(**options: Any) -> Executor:
    context = BuildContext(market=MARKET, vehicle=load_vehicle("reference"))
    return Executor(default_graph(), context, STAGES, without=frozenset({"lane_perception"}), **options)


event = st.one_of(
    *(
        st.tuples(st.just(topic), records(signal), st.sampled_from([0.0, 0.0, 0.03, 0.5, -0.04, -2.0]))
        for topic, signal in TOPICS.items()
    ),
    st.tuples(st.just(""), st.none(), st.just(0.0)),
)
waits = st.sampled_from([0.01, 0.01, 0.02, 0.05, 0.0, -0.05, -5.0, 3.0])
events = st.lists(st.tuples(waits, event), max_size=20)


def play(one: Executor, sequence: list[Any], now_s: float) -> tuple[list[Emission], float]:
    said: list[Emission] = []
    for wait_s, (topic, signal, age_s) in sequence:
        now_s += wait_s
        if topic:
            said += one.offer(topic, replace(signal, stamp_s=now_s - age_s), now_s)
        said += one.advance(now_s)
    return said, now_s


def written(said: list[Emission]) -> list[tuple[str, float, bytes]]:
    return [(item.topic, item.now_s, pack(item.signal)) for item in said]


@settings(max_examples=40)
@given(events, events)
def test_saved_and_restored_the_graph_goes_on_bit_for_bit(before: list[Any], after: list[Any]) -> None:
    """Also over jumps of the clock, stamps of the future and values that are too old."""
    one, twin = executor(), executor()
    first, now_s = play(one, before, START_S)
    assert written(play(twin, before, START_S)[0]) == written(first), "the same calls, the same answers"
    snapshot = one.save()
    other = executor()
    play(other, after[:3], START_S + 77.0)  # it had a life of its own
    other.restore(snapshot)
    goes_on = written(play(one, after, now_s)[0])
    assert written(play(other, after, now_s)[0]) == goes_on
    one.restore(snapshot)
    assert written(play(one, after, now_s)[0]) == goes_on, "a snapshot can be used again"


@settings(max_examples=40)
@given(events)
def test_whatever_arrives_what_is_said_may_cross_the_border_and_no_core_fails(sequence: list[Any]) -> None:
    for item in play(executor(), sequence, START_S)[0]:
        check(item.signal)
        if isinstance(item.signal, FunctionStatus) and item.signal.health is Health.FAULT:
            assert "Error" not in item.signal.reason
        if isinstance(item.signal, ActuationCommand):
            assert not item.signal.is_lateral_active and item.signal.accel_mps2 == 0.0, "no function actuates yet"


def test_what_is_triggered_has_a_least_period() -> None:
    """So that no sender, however fast, takes the car computer away from the others."""
    for spec in default_graph().functions:
        assert spec.trigger is None or spec.min_period_s >= 0.005, spec.name


def test_vehicle_state_at_two_kilohertz_makes_no_more_commands_than_the_least_period_lets() -> None:
    one = executor()
    counts: Counter[str] = Counter()
    for number in range(2000):
        now_s = START_S + number * 0.0005
        said = []
        while (due_s := one.next_due_s()) is not None and due_s < now_s - 1e-6:
            said += one.advance(due_s)
        said += one.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0), now_s)
        counts.update(item.topic for item in said)
    assert 190 <= counts["/adas/envelope/command"] <= 201
    assert 190 <= counts["/adas/arbiter/demand"] <= 201


def alive(one: Executor, seconds: float, now_s: float) -> tuple[float, FunctionStatus]:
    """A car that drives on, seen by the status of lane departure."""
    status = None
    for _ in range(round(seconds / 0.01)):
        now_s += 0.01
        said = one.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0), now_s)
        said += one.offer("/vehicle/driver_input", DriverInput(stamp_s=now_s), now_s)
        lanes = LaneModel(stamp_s=now_s, is_calibrated=True)
        said += one.offer("/adas/lane_perception/lanes", lanes, now_s)
        for item in said:
            if item.function == "lane_departure" and isinstance(item.signal, FunctionStatus):
                status = item.signal
    assert status is not None
    return now_s, status


def test_after_a_jump_of_the_clock_in_either_direction_the_graph_works_on() -> None:
    one = executor()
    now_s, status = alive(one, 2.0, START_S)
    assert status.absent == ()
    for jump_s in (3600.0, -7200.0, 86_400.0, -10 * BACKWARD_TOLERANCE_S):
        now_s, status = alive(one, 2.0, now_s + jump_s)
        assert status.absent == () and status.state == "no_lane", jump_s


def test_one_sensor_with_a_clock_ahead_is_absent_and_the_others_are_not() -> None:
    one = executor()
    status = None
    for step in range(200):
        now_s = START_S + 0.01 * step
        said = one.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0), now_s)
        said += one.offer("/vehicle/driver_input", DriverInput(stamp_s=now_s + 2 * FUTURE_TOLERANCE_S), now_s)
        status = next((e.signal for e in said if e.topic == "/adas/lane_departure/status"), status)
    assert isinstance(status, FunctionStatus) and status.absent == ("lanes", "driver")


def test_the_guard_lives_on_without_the_other_processes() -> None:
    """The decision process dies: the guard's command is safe within the declared age, and it goes on saying so."""
    guard = executor(process=Process.GUARD)
    demand_topic = "/adas/arbiter/demand"
    commands: list[tuple[float, ActuationCommand]] = []
    for step in range(600):
        now_s = START_S + 0.01 * step
        said = guard.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0, yaw_rate_rps=0.0), now_s)
        if step < 300:
            is_asking = step > 150
            demand = ActuationCommand(
                stamp_s=now_s,
                author="arbiter",
                counter=step,
                is_longitudinal_active=is_asking,
                accel_mps2=-2.0 if is_asking else 0.0,
                oldest_input_age_s=0.0,
            )
            said += guard.offer(demand_topic, demand, now_s)
        said += guard.advance(now_s + 0.005)
        commands += [(now_s, e.signal) for e in said if isinstance(e.signal, ActuationCommand)]
    died_s = START_S + 2.99
    before = [c for at_s, c in commands if at_s <= died_s]
    assert before[-1].accel_mps2 == -2.0 and not before[-1].is_safe_stop
    safe = [at_s for at_s, c in commands if at_s > died_s and c.is_safe_stop]
    assert safe[0] - died_s <= 0.15 and len(safe) >= 150
    assert commands[-1][1].accel_mps2 == 0.0 and "demand_absent" in commands[-1][1].limits
