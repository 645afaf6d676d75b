"""Off, shadow, warn, on: each stage lets through all that the one below does, and nothing reaches the car too early."""

from __future__ import annotations

import pytest

from adas_runtime.graph import ACTUATING, live_topic, route, shadow_topic
from adas_runtime.market.schema import STAGES
from adas_runtime.signals import SIGNALS, FunctionStatus, Signal, Stage

ORDER = [Stage.OFF, Stage.SHADOW, Stage.WARN, Stage.ON]


def test_the_names_in_files_stand_in_this_order() -> None:
    assert list(STAGES) == ["off", "shadow", "warn", "on"]
    assert sorted(STAGES.values()) == ORDER


@pytest.mark.parametrize("signal", SIGNALS, ids=lambda signal: signal.__name__)
def test_a_higher_stage_never_takes_away_what_a_lower_one_sends(signal: type[Signal]) -> None:
    reach = {None: 0, shadow_topic("f", "o"): 1, live_topic("f", "o"): 2}
    steps = [reach[route(stage, signal, "f", "o")] for stage in ORDER]
    assert steps == sorted(steps)


@pytest.mark.parametrize("signal", [item for item in SIGNALS if item is not FunctionStatus], ids=lambda s: s.__name__)
def test_what_each_stage_lets_through(signal: type[Signal]) -> None:
    assert route(Stage.OFF, signal, "f", "o") is None
    assert route(Stage.SHADOW, signal, "f", "o") == "/adas/shadow/f/o"
    assert route(Stage.WARN, signal, "f", "o") == ("/adas/shadow/f/o" if signal in ACTUATING else "/adas/f/o")
    assert route(Stage.ON, signal, "f", "o") == "/adas/f/o"


def test_a_status_is_always_told() -> None:
    assert {route(stage, FunctionStatus, "f", "status") for stage in ORDER} == {"/adas/f/status"}
