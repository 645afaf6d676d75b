"""A drive with traffic through the whole graph: the report shows the gap, and what the distance warning would say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from adas_runtime.cli import main
from adas_runtime.synth.bag import write_bag
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive


@pytest.fixture(scope="module")
def replayed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("headway")
    drive = make_drive(DriveSpec(market="de", seconds=12.0, scenario=Scenario.MOTORWAY))
    write_bag(drive, folder / "drive", with_camera=False)
    assert main(["replay", str(folder / "drive"), "--market", "de", "--out", str(folder / "out")]) == 0
    return folder / "out"


def test_the_report_shows_the_gap_to_the_car_ahead(replayed: Path) -> None:
    """From `/objects/tracked`, which a made drive tells from its truth."""
    summary: dict[str, Any] = json.loads((replayed / "summary.json").read_text(encoding="utf-8"))
    headway = summary["functions"]["headway"]
    assert headway["stage"] == "shadow"
    assert headway["time_active_s"] > 10.0
    assert 1.0 < headway["kpis"]["gap_s_mean"] < 3.0
    assert headway["kpis"]["warnings_per_hour"] == 0.0
    assert "Gap to the car ahead" in (replayed / "report.html").read_text(encoding="utf-8")
