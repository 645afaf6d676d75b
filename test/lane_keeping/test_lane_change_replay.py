"""A lane change in a recorded drive: replayed through the whole graph in shadow, told in figures and events."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replay_bags import LANES, replay, row, stamp, write
from steering_drives import CAR, MARKET

from adas_runtime.lane_keeping.ego_lane import SPEC as EGO_LANE
from adas_runtime.scenario.change_grid import ALL
from adas_runtime.scenario.motorway import LANE_TOPIC, MAP_TOPIC, START_S, Does, Motorway
from adas_runtime.signals import Indicator, Signal

NAMES = {LANE_TOPIC: LANES, MAP_TOPIC: "/map/horizon"}


def record(folder: Path) -> tuple[Path, float, float]:
    """The closed loop's drive: a change to the left, then the indicator to the right with a car beside; both times."""
    motorway = Motorway(market=MARKET, vehicle=CAR, functions=(EGO_LANE, *ALL), has_lines=True)
    rows: list[Any] = []
    offer = motorway.executor.offer

    def heard(topic: str, signal: Signal, now_s: float) -> list[Any]:
        told = replace(signal, stamp_s=stamp(signal.stamp_s - START_S))  # type: ignore[type-var]
        rows.append(row(now_s - START_S, NAMES.get(topic, topic), told))
        return list(offer(topic, signal, now_s))

    motorway.executor.offer = heard  # type: ignore[method-assign]
    other = motorway.place(1, -130.0, 105.0)
    motorway.run(1.5)
    motorway.run(0.2, Does(pressed=("lane_centring",)))
    motorway.run(11.0)
    motorway.run(0.2, Does(pressed=("lane_change",)))
    motorway.run(1.0)
    motorway.others.remove(other)
    left_s = motorway.t_s
    motorway.run(9.0, Does(indicator=Indicator.LEFT))
    motorway.run(3.0)
    motorway.place(1, 0.0, 100.0)
    right_s = motorway.t_s
    motorway.run(4.0, Does(indicator=Indicator.RIGHT))
    return write(folder, rows), left_s, right_s


def test_the_report_tells_of_both_in_shadow(tmp_path: Path) -> None:
    bag, left_s, right_s = record(tmp_path / "bag")
    told = replay(bag, tmp_path / "out")
    function = json.loads((told / "summary.json").read_text(encoding="utf-8"))["functions"]["lane_change"]
    assert function["stage"] == "shadow"
    kpis = function["kpis"]
    assert kpis["changes"] == 1.0 and kpis["suppressed"] == 1.0 and kpis["manoeuvre_s"] < 5.0
    events = [json.loads(line) for line in (told / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    begun = {
        event["code"]: event["t_s"]
        for event in reversed(events)
        if event["kind"] == "alert_start" and event["function"] == "lane_change"
    }
    assert begun["lane_change_running"] == pytest.approx(left_s, abs=0.1)
    assert begun["lane_change_suppressed"] == pytest.approx(right_s, abs=0.2)
    assert "lane_change_take_over" not in begun
