"""Made drives replayed: the report shows the driver, and nuisance per hour by cause."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adas_runtime.replay.engine import Job, run
from adas_runtime.synth.bag import write_bag
from adas_runtime.synth.drive import DriveSpec, make_drive
from adas_runtime.synth.driver import DriverKind


def replayed(folder: Path, kind: DriverKind) -> tuple[dict[str, Any], list[tuple[str, str]], dict[str, Any], str]:
    write_bag(make_drive(DriveSpec(seconds=60.0, driver=kind)), folder / "bag", with_camera=False)
    out = folder / "out"
    run(Job(bag=folder / "bag", market="de", vehicle="reference", out=out))
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    events = [json.loads(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    alerts = [(item["function"], item["code"]) for item in events if item["kind"] == "alert_start"]
    series = json.loads((out / "series.json").read_text(encoding="utf-8"))
    return summary["functions"], alerts, series, (out / "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (DriverKind.ATTENTIVE, []),
        (DriverKind.DISTRACTED, [("distraction", "distraction_eyes_down")]),
        (DriverKind.DROWSY, [("drowsiness", "drowsiness_tired"), ("drowsiness", "drowsiness_break")]),
    ],
)
def test_a_replay_shows_the_driver(tmp_path: Path, kind: DriverKind, wanted: list[tuple[str, str]]) -> None:
    functions, alerts, series, page = replayed(tmp_path, kind)
    of_driver = [item for item in alerts if item[0] in ("drowsiness", "distraction")]
    assert of_driver[: len(wanted)] == wanted and bool(of_driver) is bool(wanted)
    assert {"driver_pitch_rad", "driver_yaw_rad", "driver_openness", "driver_score"} <= set(series["tracks"])
    assert "Driver: gaze" in page and "Driver: drowsiness" in page
    for name, code in set(of_driver):
        assert functions[name]["kpis"][f"{code}_per_hour"] > 0.0
    if not wanted:
        assert not [key for key in functions["distraction"]["kpis"] if key.endswith("_per_hour")]


def test_a_recording_without_a_driver_camera_is_no_alarm_of_the_drive(tmp_path: Path) -> None:
    """In a car the failure is told all the time; of a recording it is a note."""
    functions, alerts, _, _ = replayed(tmp_path, DriverKind.ABSENT)
    assert functions["distraction"]["time_fault_s"] > 50.0
    assert not [item for item in alerts if "distraction" in item[1]]
