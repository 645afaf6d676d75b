"""Assistance in a recorded drive: replayed through the whole graph, told in figures, events and report."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from assisted_drives import other, road
from lane_world import DASHED, LEFT, RIGHT, SOLID, Paint
from replay_bags import LANES, STATE, replay, row, stamp, write

from adas_runtime.cli import main
from adas_runtime.replay.report import write_report
from adas_runtime.signals import (
    BodyState,
    DriverInput,
    DriverState,
    GazeZone,
    Gear,
    LaneModel,
    TrackedObjects,
    VehicleState,
)

ON_AT_S, SET_AT_S, AWAY_AT_S, SECONDS = 3.0, 4.0, 8.0, 30.0


def bag(folder: Path) -> Path:
    """A motorway at 100 km/h: switched on at 3 s, activated at 4 s, from 8 s on the driver looks into his lap."""
    rows: list[Any] = []
    paint = (Paint(side=LEFT, at_m=1.75, form=DASHED), Paint(side=RIGHT, at_m=-1.75, form=SOLID))
    boundaries = tuple(item.boundary(0.0, 0.0) for item in paint)
    for index in range(round(SECONDS * 100)):
        t_s = index * 0.01
        now = stamp(t_s)
        vehicle = VehicleState(
            stamp_s=now, speed_mps=27.8, accel_mps2=0.0, yaw_rate_rps=0.0, is_hands_on=True, gear=Gear.DRIVE
        )
        rows.append(row(t_s, STATE, vehicle))
        if index % 5 == 0:
            rows.append(row(t_s, LANES, LaneModel(stamp_s=now, boundaries=boundaries, is_calibrated=True)))
            pressed = (
                ("dcas",)
                if ON_AT_S <= t_s < ON_AT_S + 0.2
                else ("set_speed",)
                if SET_AT_S <= t_s < SET_AT_S + 0.2
                else ()
            )
            rows.append(row(t_s, "/vehicle/driver_input", DriverInput(stamp_s=now, pressed=pressed)))
            zone = GazeZone.ROAD if t_s < AWAY_AT_S else GazeZone.LAP
            gaze = DriverState(stamp_s=now, is_face_visible=True, gaze_zone=zone, frame=index, confidence=0.9)
            rows.append(row(t_s, "/driver/state", gaze))
            rows.append(row(t_s, "/objects/tracked", TrackedObjects(stamp_s=now, objects=(other(60.0),))))
        if index % 10 == 0:
            body = BodyState(stamp_s=now, is_master_switch_on=True, is_driver_seated=True, is_driver_belt_fastened=True)
            rows.append(row(t_s, "/vehicle/body", body))
        if index % 20 == 0:
            rows.append(row(t_s, "/map/horizon", replace(road(), stamp_s=now)))
    return write(folder, rows)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assisted")
    return replay(bag(folder / "bag"), folder / "out")


def test_the_figures_of_the_reporting_clause_stand_in_the_summary(told: Path) -> None:
    dcas = json.loads((told / "summary.json").read_text(encoding="utf-8"))["functions"]["dcas"]
    assert dcas["stage"] == "shadow"
    kpis = dcas["kpis"]
    assert kpis["active_m"] == pytest.approx((SECONDS - SET_AT_S) * 27.8, rel=0.05)
    assert kpis["eyes_requests"] == kpis["take_overs"] == kpis["unavailable"] == 1.0
    assert kpis["ended_failure"] == kpis["ended_boundary"] == 0.0


def test_the_events_tell_the_escalation_in_order_and_in_time(told: Path) -> None:
    lines = (told / "events.jsonl").read_text(encoding="utf-8").splitlines()
    begun = {
        event["code"]: event["t_s"]
        for event in map(json.loads, lines)
        if event["kind"] == "alert_start" and event["function"] == "dcas"
    }
    latest = {"dcas_eyes_on": 5.0, "dcas_eyes_on_escalated": 8.0, "dcas_take_over": 13.0, "dcas_stopping": 18.0}
    late = {
        code: begun.get(code) for code, at_s in latest.items() if not begun.get(code, 1e9) <= AWAY_AT_S + at_s + 0.1
    }
    assert not late and list(begun) == list(latest)


def test_the_report_shows_who_steered_and_what_was_asked_of_the_driver(told: Path) -> None:
    rows = json.loads((told / "series.json").read_text(encoding="utf-8"))["rows"]
    assert rows["dcas steering"][0]["start_s"] == pytest.approx(SET_AT_S, abs=0.2)
    assert [span["label"] for span in rows["dcas driver"]] == [
        "eyes_on",
        "eyes_on_escalated",
        "take_over",
        "unavailable",
    ]
    assert rows["dcas steering"][0]["level"] == "shadow", "it touches nobody"
    page = write_report(told).read_text(encoding="utf-8")
    assert "dcas driver" in page


def test_the_example_in_the_docs_does_what_the_docs_say(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "docs" / "dcas.md").read_text(encoding="utf-8")
    path = tmp_path / "eyes.jsonl"
    path.write_text(text.split("```json\n")[1].split("```")[0], encoding="utf-8")
    assert main(["step", "dcas", "--market", "de", "--inputs", str(path), "--json"]) == 0
    begun: dict[str, float] = {}
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    for step in steps:
        for name in ("hands", "eyes", "notice", "info"):
            alert = step["outputs"].get(name)
            if alert is not None and alert["is_active"]:
                begun.setdefault(alert["code"], step["t_s"])
    told = {"dcas_eyes_on": 7.8, "dcas_eyes_on_escalated": 10.6, "dcas_take_over": 15.4, "dcas_hand_back": 24.0}
    for code, at_s in told.items():
        assert begun[code] == pytest.approx(at_s, abs=0.1) and f"{at_s:g}" in text, code
    assert "dcas_stopping" not in begun
    reasons = [step["t_s"] for step in steps if step["reason"] == "driver_took_over"]
    assert reasons[0] == pytest.approx(17.3, abs=0.05) and steps[-1]["state"] == "inactive"
