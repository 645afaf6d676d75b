"""The product's own graph: it builds, every function declares itself, and one step of all stays inside the types."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adas_runtime.errors import WiringError
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, Input
from adas_runtime.graph import SOURCES, Graph, default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import ActuationCommand, FunctionStatus, SpeedLimitState, VehicleState
from adas_runtime.vehicle import load_vehicle


def make_executor(market: str = "de") -> Executor:
    chosen = load_market(market)
    return Executor(default_graph(), BuildContext(market=chosen, vehicle=load_vehicle("reference")), chosen.stages())


def test_producers_step_before_consumers() -> None:
    order = [spec.name for spec in default_graph().functions]
    assert order.index("lane_perception") < order.index("lane_departure")
    assert order.index("arbiter") < order.index("envelope")


def test_every_topic_has_one_name_and_one_producer() -> None:
    topics = default_graph().topics()
    assert len({topic.name for topic in topics}) == len(topics)
    assert {topic.producer for topic in topics} == {source.name for source in SOURCES} | {
        spec.name for spec in default_graph().functions
    }


def test_with_a_vehicle_state_only_the_command_is_safe_and_every_function_says_what_it_lacks() -> None:
    executor = make_executor()
    said = []
    for step in range(300):
        now_s = 1000.0 + step * 0.01
        said += executor.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0), now_s)
        said += executor.advance(now_s + 0.005)
    commands = [e.signal for e in said if isinstance(e.signal, ActuationCommand) and e.function == "envelope"]
    assert len(commands) >= 300
    assert all(c.lateral_authority == 0.0 and c.accel_mps2 == 0.0 for c in commands)
    status = {e.function: e.signal for e in said if isinstance(e.signal, FunctionStatus)}
    assert status["lane_perception"].absent == ("frame",)
    assert "lanes" in status["lane_departure"].absent


def test_the_diagram_names_every_function() -> None:
    diagram = default_graph().mermaid()
    assert all(spec.name in diagram for spec in default_graph().functions)


def test_two_functions_may_hear_each_other_where_the_former_word_is_enough() -> None:
    specs = {spec.name: spec for spec in default_graph().functions}
    isa, departure = specs["isa"], specs["lane_departure"]
    heard = Input(name="lanes", signal=SpeedLimitState, max_age_s=0.5)  # in the place of the warning's first input
    circle = replace(departure, inputs=(heard, *departure.inputs[1:]))
    strict = replace(isa, inputs=tuple(replace(item, is_former=False) for item in isa.inputs))
    others = tuple(spec for name, spec in specs.items() if name not in ("isa", "lane_departure"))
    with pytest.raises(WiringError, match=r"circle among .*is_former"):
        Graph((*others, circle, strict))
    order = [spec.name for spec in Graph((*others, circle, isa)).functions]
    assert order.index("isa") < order.index("lane_departure")
