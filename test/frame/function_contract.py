"""What every function owes, as one class that a function's test inherits; see test_contract.py."""

from __future__ import annotations

import copy
import math
from dataclasses import fields, is_dataclass, replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from signal_values import records

from adas_runtime.converter import check, pack
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, Core, FunctionSpec, Input, Status
from adas_runtime.graph import NETWORKS, Graph, Source, default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import Alert, FunctionStatus, Signal, Stage
from adas_runtime.vehicle import load_vehicle

MARKET = load_market("de")
NAMES = tuple(spec.name for spec in default_graph(NETWORKS).functions)
CONTEXT = BuildContext(market=MARKET, vehicle=load_vehicle("reference"), functions=NAMES)
START_S = 1000.0
LARGE = [HealthCheck.data_too_large, HealthCheck.too_slow]  # a function with many inputs draws much for one step


def value(item: Input) -> st.SearchStrategy[Any]:
    """What an input may hold: absent, or anything that the border lets through, with a stamp near the present."""
    one = st.builds(
        lambda signal, age_s: replace(signal, stamp_s=START_S - age_s),
        records(item.signal),
        st.floats(-0.05, item.max_age_s),
    )
    return st.lists(one, max_size=2).map(tuple) if item.many else st.none() | one


def steps(spec: FunctionSpec, most: int = 8) -> st.SearchStrategy[list[tuple[Any, float]]]:
    """Sequences of inputs and times; time goes on, stands still, jumps ahead, and now and then runs back."""
    inputs = st.builds(spec.inputs_type, **{item.name: value(item) for item in spec.inputs})
    waits = st.sampled_from([0.01, 0.02, 0.05, 0.1, 0.0, 1.0, 3600.0, -0.05, -10.0])
    return st.lists(st.tuples(inputs, waits), min_size=1, max_size=most)


def frozen(value: Any) -> Any:
    """A copy to compare with later."""
    return copy.deepcopy(value)


def same(one: Any, two: Any) -> bool:
    """Equal down to the last bit; arrays and frames compare by content, NaN with NaN."""
    if type(one) is not type(two):
        return False
    if is_dataclass(one) and not isinstance(one, type):
        return all(same(getattr(one, item.name), getattr(two, item.name)) for item in fields(one))
    if isinstance(one, (tuple, list)):
        return len(one) == len(two) and all(same(a, b) for a, b in zip(one, two, strict=True))
    if isinstance(one, dict):
        return list(one) == list(two) and all(same(one[key], two[key]) for key in one)
    if hasattr(one, "tobytes"):
        return bool(one.shape == two.shape and one.tobytes() == two.tobytes())
    if isinstance(one, float) and math.isnan(one):
        return math.isnan(two)
    return bool(one == two)


class FunctionContract:
    """Set `spec`; each test holds for every function of the graph.

    The cores are built for Germany and the reference car, as `build` of the declaration does it.
    """

    spec: FunctionSpec
    examples = 25

    def core(self) -> Core:
        return self.spec.build(CONTEXT)

    def play(self, core: Core, sequence: list[tuple[Any, float]], now_s: float = START_S) -> tuple[list[Any], float]:
        said = []
        for inputs, wait_s in sequence:
            now_s = max(0.0, now_s + wait_s)
            said.append(core.step(inputs, now_s))
        return said, now_s

    def test_it_is_total_over_absent_inputs(self) -> None:
        core = self.core()
        nothing = self.spec.inputs_type(**{item.name: () if item.many else None for item in self.spec.inputs})
        for step in range(300):
            result = core.step(nothing, START_S + step * self.spec.period_s)
            assert isinstance(result, self.spec.outputs_type) and isinstance(result.status, Status)
        assert result.status.state

    def test_what_it_says_may_cross_the_border(self) -> None:
        spec = self.spec
        types = {output.name: output.signal for output in spec.outputs}

        @settings(max_examples=self.examples, suppress_health_check=LARGE)
        @given(steps(spec))
        def run(sequence: list[tuple[Any, float]]) -> None:
            said, _ = self.play(self.core(), sequence)
            for result in said:
                for name, signal in types.items():
                    found = getattr(result, name)
                    if found is not None:
                        assert type(found) is signal
                        if isinstance(found, Alert):
                            assert found.code.partition("/")[0] in spec.alerts, "declare it: it needs a text"
                        check(found)
                status = result.status
                assert len(status.reason.encode()) <= 256 and 0 < len(status.state.encode()) <= 64
                assert len(status.kpis) in (0, len(spec.kpis))
                assert all(kpi is None or math.isfinite(kpi) for kpi in status.kpis)

        run()

    def test_same_inputs_same_outputs_and_no_state_is_changed_in_place(self) -> None:
        @settings(max_examples=self.examples, suppress_health_check=LARGE)
        @given(steps(self.spec))
        def run(sequence: list[tuple[Any, float]]) -> None:
            one, two = self.core(), self.core()
            now_s = START_S
            for inputs, wait_s in sequence:
                now_s = max(0.0, now_s + wait_s)
                before, inputs_before = one.state, frozen(inputs)
                kept = frozen(before)
                assert same(one.step(inputs, now_s), two.step(inputs, now_s))
                assert same(before, kept), "the former state was changed, so it cannot be restored"
                assert same(inputs, inputs_before), "inputs belong to others"

        run()

    def test_a_core_restored_elsewhere_goes_on_bit_for_bit(self) -> None:
        @settings(max_examples=self.examples, suppress_health_check=LARGE)
        @given(steps(self.spec), steps(self.spec))
        def run(before: list[tuple[Any, float]], after: list[tuple[Any, float]]) -> None:
            one = self.core()
            _, now_s = self.play(one, before)
            two = self.core()
            two.state = frozen(one.state)
            for a, b in zip(self.play(one, after, now_s)[0], self.play(two, after, now_s)[0], strict=True):
                assert same(a, b)

        run()

    def test_its_declaration_holds_in_an_executor(self) -> None:
        """Triggered and by period, with every input there and gone: a status comes, and never a fault."""
        spec = self.spec
        source_of = {item.name: f"{item.name}_in" for item in spec.inputs}
        own = replace(
            spec,
            inputs=tuple(item if item.many else replace(item, source=source_of[item.name]) for item in spec.inputs),
        )
        sources = tuple(
            Source(name=source_of[item.name], signal=item.signal, topic=f"/{item.name}", rate_hz=20.0)
            for item in spec.inputs
        )

        @settings(max_examples=self.examples, suppress_health_check=LARGE)
        @given(st.lists(st.sampled_from(spec.inputs).flatmap(lambda i: st.tuples(st.just(i.name), records(i.signal)))))
        def run(arrivals: list[tuple[str, Signal]]) -> None:
            executor = Executor(Graph((own,), sources), CONTEXT, {spec.name: Stage.ON})
            now_s = START_S
            statuses = [e.signal for e in executor.advance(now_s) if isinstance(e.signal, FunctionStatus)]
            for name, signal in arrivals:
                now_s += 0.02
                emissions = executor.offer(f"/{name}", replace(signal, stamp_s=now_s), now_s)
                emissions += executor.advance(now_s + 0.01)
                statuses += [e.signal for e in emissions if isinstance(e.signal, FunctionStatus)]
                for emission in emissions:
                    pack(emission.signal)
            assert statuses and all(s.author == spec.name and s.stage is Stage.ON for s in statuses)
            assert not [s for s in statuses if s.state == "fault" and "Error" in s.reason]

        run()
