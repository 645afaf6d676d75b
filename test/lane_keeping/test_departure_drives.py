"""Lane departure warning over whole rendered drives: every departure caught in time, no false alarm.

The drive's truth stands in for perception, so that a finding here is the function's own; stalks, speed, torque and
steering come from the drive's driver, through the executor and the market as on the car.
"""

from __future__ import annotations

import pytest
from synth_drives import drive

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph, live_topic
from adas_runtime.signals import Alert, Signal, Stage
from adas_runtime.synth.drive import Drive, Scenario

LANES = live_topic("lane_perception", "lanes")
ALERT = live_topic("lane_departure", "alert")
PICTURE_AGE_S = 0.05


def warned(chosen: Drive) -> list[tuple[float, str]]:
    """Begin, in drive time, and code of every warning that reaches the driver."""
    stages = {**chosen.market.stages(), "lane_departure": Stage.WARN}
    context = BuildContext(market=chosen.market, vehicle=chosen.vehicle)
    executor = Executor(default_graph(), context, stages, without=frozenset({"lane_perception"}))
    arrivals: list[tuple[float, str, Signal]] = [(s.stamp_s, "/vehicle/state", s) for s in chosen.vehicle_states()]
    arrivals += [(s.stamp_s, "/vehicle/driver_input", s) for s in chosen.driver_inputs()]
    for index in range(chosen.frame_count):
        model = chosen.lanes(index)
        arrivals.append((model.stamp_s + PICTURE_AGE_S, LANES, model))
    begun: dict[tuple[str, float], float] = {}
    for now_s, topic, signal in sorted(arrivals, key=lambda item: item[0]):
        for emission in executor.offer(topic, signal, now_s):
            if emission.topic == ALERT and isinstance(emission.signal, Alert) and emission.signal.is_active:
                key = (emission.signal.code, emission.signal.since_s)
                begun.setdefault(key, now_s - chosen.epoch_ns * 1e-9)
    return sorted((at_s, code) for (code, _), at_s in begun.items())


@pytest.mark.slow
@pytest.mark.clause("R130 6.5")
@pytest.mark.parametrize(("market", "seed"), [("de", 0), ("jp", 1)])
def test_every_departure_of_an_r130_drive_is_caught_in_time_and_no_lane_change_is(market: str, seed: int) -> None:
    chosen = drive(market=market, seconds=75.0, seed=seed, scenario=Scenario.R130)
    due = [item for item in chosen.departures if item.must_warn]
    assert len({item.code for item in due}) == 2 and len({round(item.rate_mps, 1) for item in due}) >= 2
    said = warned(chosen)
    for item in due:
        assert item.limit_s is not None
        mine = [at_s for at_s, code in said if code == item.code and item.inner_s - 2.0 <= at_s <= item.limit_s]
        assert mine, f"{item.code} at {item.rate_mps:.2f} m/s, {item.inner_s:.2f} s"
    for item in chosen.departures:
        if item.must_not_warn:
            assert not [at_s for at_s, _ in said if item.inner_s - 2.0 <= at_s <= item.end_s]
    explained = [item for item in chosen.departures if not item.must_not_warn]
    for at_s, code in said:
        assert [
            item
            for item in explained
            if item.code.endswith(code.rsplit("_", 1)[1]) and item.inner_s - 2.0 <= at_s <= item.end_s
        ], f"{code} at {at_s:.2f} s is a false alarm"


@pytest.mark.slow
@pytest.mark.parametrize(("market", "seed"), [("de", 0), ("ae", 3)])
def test_centred_driving_is_never_warned_of(market: str, seed: int) -> None:
    chosen = drive(market=market, seconds=45.0, seed=seed, scenario=Scenario.CALM)
    assert not [item for item in chosen.departures if item.must_warn]
    assert warned(chosen) == []
