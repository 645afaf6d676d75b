"""Lamps in a recording: a tunnel, an emergency stop and hazard lamps, replayed through the whole graph."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from replay_bags import EPOCH_NS, STATE, replay, row, stamp, store, write
from rosbags.rosbag2 import Reader

from adas_runtime.converter import from_msg
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.signals import BodyState, DriverInput, LampDemand, LampRequest, LightSwitch, Stage, VehicleState
from adas_runtime.vehicle import load_vehicle

BODY = "/vehicle/body"
DARK_AT_S, BRAKE_AT_S, SECONDS = 4.0, 8.0, 14.0
DECEL_MPS2, SPEED_MPS = 8.0, 25.0
START_S = 1000.0


def drive() -> list[Any]:
    rows = []
    for index in range(round(SECONDS * 100)):
        t_s = index * 0.01
        braked_s = min(max(0.0, t_s - BRAKE_AT_S), SPEED_MPS / DECEL_MPS2)
        speed_mps = SPEED_MPS - DECEL_MPS2 * braked_s
        accel_mps2 = -DECEL_MPS2 if 0.0 < braked_s < SPEED_MPS / DECEL_MPS2 else 0.0
        rows.append(row(t_s, STATE, VehicleState(stamp_s=stamp(t_s), speed_mps=speed_mps, accel_mps2=accel_mps2)))
        if index % 5 == 0:
            rows.append(row(t_s, "/vehicle/driver_input", DriverInput(stamp_s=stamp(t_s))))
        if index % 10 == 0:
            body = BodyState(
                stamp_s=stamp(t_s),
                ambient_lux=20_000.0 if t_s < DARK_AT_S else 200.0,
                is_propulsion_on=True,
                light_switch=LightSwitch.AUTO,
            )
            rows.append(row(t_s, BODY, body))
    return rows


def lamps(out: Path, topic: str) -> list[tuple[float, LampRequest]]:
    """What was asked for on a topic, by seconds since the start."""
    convert = from_msg(LampRequest)
    with Reader(out) as reader:
        return [
            ((log_ns - EPOCH_NS) * 1e-9, convert(store().deserialize_cdr(data, connection.msgtype)))
            for connection, log_ns, data in reader.messages()
            if connection.topic == topic
        ]


@pytest.mark.clause("R48 6.2.7.5")
@pytest.mark.parametrize(("market", "topic"), [("jp", "/adas/{}/lamps"), ("de", "/adas/shadow/{}/lamps")])
def test_a_tunnel_and_an_emergency_stop(market: str, topic: str, tmp_path: Path) -> None:
    """In Japan automatic headlamps are on, and of an emergency stop signal nobody knows the law; in Germany both run in
    shadow, and ask there for the same."""
    out = replay(write(tmp_path / "bag", drive()), tmp_path / "out", market=market)
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    heads, signals = (summary["functions"][name] for name in ("headlamps", "signal_lamps"))
    assert heads["kpis"]["dipped_switches"] == 1.0 and heads["kpis"]["reaction_s"] <= 2.0
    told = lamps(out, topic.format("headlamps"))
    assert DARK_AT_S < next(t_s for t_s, request in told if request.dipped_beam is LampDemand.ON) <= DARK_AT_S + 2.0
    other = "/adas/shadow/headlamps/lamps" if market == "jp" else "/adas/headlamps/lamps"
    assert not lamps(out, other)
    rows = json.loads((out / "series.json").read_text(encoding="utf-8"))["rows"]
    level = "active" if market == "jp" else "shadow"
    off, on = rows["headlamps: dipped beam"]
    assert (off["label"], off["level"], on["label"], on["level"]) == ("off", "idle", "on", level)
    assert DARK_AT_S < on["start_s"] == off["end_s"] <= DARK_AT_S + 2.0
    assert "headlamps: dipped beam" in (out / "report.html").read_text(encoding="utf-8")

    told = lamps(out, "/adas/shadow/signal_lamps/lamps")
    if market == "jp":
        assert signals["stage"] == "off" and not told and "signal_lamps: hazard" not in rows
        return
    assert signals["kpis"]["emergency_stops"] == 1.0 and signals["kpis"]["hazards"] == 1.0
    ess_s = [t_s for t_s, request in told if request.emergency_stop_signal is LampDemand.ON]
    assert BRAKE_AT_S < ess_s[0] <= BRAKE_AT_S + 0.3
    assert next(t_s for t_s, request in told if request.hazard is LampDemand.ON) > ess_s[-1]
    assert told[-1][1].hazard is LampDemand.ON
    (band,) = rows["signal_lamps: hazard"]
    assert band["label"] == "on" and band["text"] == "after_emergency_stop"
    assert "signal_lamps: stop lamps" not in rows, "nobody has a word on them in this drive"


def test_a_recording_without_a_body_is_short_of_data_and_its_driver_is_told_nothing(tmp_path: Path) -> None:
    """In a car the missing light sensor is told; of footage it says nothing about the drive."""
    rows = [item for item in drive() if item[1] == STATE]
    out = replay(write(tmp_path / "bag", rows), tmp_path / "out", market="jp")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["functions"]["headlamps"]["alerts"] == summary["functions"]["health"]["alerts"] == 0
    events = [json.loads(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not [event for event in events if event["kind"] == "alert_start"]
    (line,) = [line for line in summary["warnings"] if "feeds body" in line]
    assert "in a car the driver would be told" in line and "headlamps_fault" in line
    assert summary["functions"]["headlamps"]["absent_s"]["body"] > 10.0, "the function says so all the same"

    gone = [item for item in drive() if item[1] != BODY or item[0] < EPOCH_NS + 5_000_000_000]
    out = replay(write(tmp_path / "gone", gone), tmp_path / "gone_out", market="jp")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    assert summary["functions"]["headlamps"]["alerts"] == 1, "a body that falls silent on the way is a failure"


@pytest.mark.clause("R157 5.5.1")
def test_v27_hazard_of_a_manoeuvre_in_the_same_step_of_the_graph() -> None:
    """The request of automated lane keeping reaches the signal lamps by its declaration alone, without a wait."""
    context = BuildContext(market=load_market("de"), vehicle=load_vehicle("reference"))
    executor = Executor(default_graph(), context, {"signal_lamps": Stage.ON}, without=frozenset({"alks"}))
    executor.advance(START_S)
    executor.offer(STATE, VehicleState(stamp_s=START_S, speed_mps=20.0), START_S)
    executor.advance(START_S + 0.05)
    now_s = START_S + 0.07  # between two periods of the signal lamps
    request = LampRequest(stamp_s=now_s, author="alks", cause="minimum-risk manoeuvre", hazard=LampDemand.ON)
    said = executor.offer("/adas/alks/lamps", request, now_s)
    (lamps_now,) = [item.signal for item in said if item.topic == "/adas/signal_lamps/lamps"]
    assert isinstance(lamps_now, LampRequest) and lamps_now.hazard is LampDemand.ON
