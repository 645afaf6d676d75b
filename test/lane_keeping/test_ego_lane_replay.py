"""The own lane in a replay: a jam on the motorway and a works lane, through the whole graph, as report and figures."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from lane_world import DASHED, LEFT, RIGHT, SOLID, YELLOW, Paint, motorway
from replay_bags import EPOCH_NS, LANES, STATE, replay, row, stamp, write
from rosbags.rosbag2 import Reader

from adas_runtime.cli import main
from adas_runtime.graph import live_topic
from adas_runtime.replay.report import write_report
from adas_runtime.signals import LaneModel, VehicleState

JAM_AT_S, WORKS_AT_S, SECONDS = 6.0, 22.0, 28.0


def bag(folder: Path) -> Path:
    """Leftmost of two lanes: flowing, a jam from 6 s to the end, yellow works lines from 22 s."""
    rows: list[Any] = []
    for index in range(round(SECONDS * 100)):
        t_s = index * 0.01
        speed_mps = 25.0 if t_s < JAM_AT_S else 2.0
        rows.append(row(t_s, STATE, VehicleState(stamp_s=stamp(t_s), speed_mps=speed_mps, yaw_rate_rps=0.0)))
        if index % 5 == 0:
            is_works = t_s >= WORKS_AT_S
            half_m = 1.3 if is_works else 1.75
            colour = {"colour": YELLOW} if is_works else {}
            paint = (
                Paint(side=LEFT, at_m=half_m, form=SOLID, **colour),
                Paint(side=RIGHT, at_m=-half_m, form=DASHED, **colour),
            )
            boundaries = tuple(item.boundary(0.0, 0.0) for item in paint)
            rows.append(row(t_s, LANES, LaneModel(stamp_s=stamp(t_s), boundaries=boundaries, is_calibrated=True)))
        if index % 20 == 0:
            rows.append(row(t_s, "/map/horizon", replace(motorway(2), stamp_s=stamp(t_s))))
    return write(folder, rows)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("own_lane")
    return replay(bag(folder / "bag"), folder / "out")


def test_the_figures_say_how_much_of_the_drive_had_a_lane(told: Path) -> None:
    summary = json.loads((told / "summary.json").read_text(encoding="utf-8"))
    lane = summary["functions"]["ego_lane"]
    assert lane["alerts"] == 1 and lane["stage"] == "on"
    assert lane["kpis"]["lane_share"] > 0.99 and 0.9 < lane["kpis"]["fit_to_steer_share"] <= 1.0
    assert lane["kpis"]["is_works_mean"] > 0.1


def test_the_report_plots_the_lane_and_says_why_the_car_keeps_aside(told: Path) -> None:
    series = json.loads((told / "series.json").read_text(encoding="utf-8"))
    shift = series["tracks"]["ego_shift_m"]
    assert max(value for value in shift["values"] if value is not None) == pytest.approx(0.5)
    begins = next(t_s for t_s, value in zip(shift["t_s"], shift["values"], strict=True) if value)
    assert JAM_AT_S + 1.5 < begins < JAM_AT_S + 4.0
    assert series["rows"]["ego_lane shift"][0]["label"] == "emergency_corridor"
    assert series["rows"]["ego_lane works"][0]["start_s"] == pytest.approx(WORKS_AT_S, abs=0.2)
    in_works = series["tracks"]["ego_width_m"]["values"][-1]
    assert in_works == pytest.approx(2.6, abs=0.02)
    assert shift["values"][-1] <= 0.5 * 2.6 - 1.75 / 2 - 0.3 + 1e-6, "less room in the works lane"
    page = write_report(told).read_text(encoding="utf-8")
    assert "Own lane" in page and "Rettungsgasse" in page


def test_the_lane_stands_in_the_recording(told: Path) -> None:
    with Reader(told) as reader:
        stamps = [
            log_ns for connection, log_ns, _ in reader.messages() if connection.topic == live_topic("ego_lane", "lane")
        ]
    assert len(stamps) == pytest.approx(SECONDS * 20, abs=3) and stamps[0] >= EPOCH_NS


def test_the_example_of_the_docs_does_what_the_docs_say(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (repository / "docs" / "lane_keeping.md").read_text(encoding="utf-8")
    (tmp_path / "jam.jsonl").write_text(text.split("```json\n")[1].split("```")[0], encoding="utf-8")
    assert main(["step", "ego_lane", "--market", "de", "--inputs", str(tmp_path / "jam.jsonl"), "--json"]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    def lane_at(t_s: float) -> dict[str, Any]:
        found: dict[str, Any] = next(row for row in reversed(steps) if row["t_s"] <= t_s + 1e-9)["outputs"]["lane"]
        return found

    begun = next(row for row in steps if row["outputs"].get("alert"))
    assert begun["t_s"] == pytest.approx(4.0, abs=0.15)
    assert begun["outputs"]["alert"]["code"] == "emergency_corridor_left"
    assert lane_at(3.9)["shift_m"] == 0.0 and lane_at(9.3)["shift_m"] == pytest.approx(0.5)
    narrow = lane_at(13.5)
    assert narrow["shift_m"] == pytest.approx(0.05) and narrow["reason"] == "lane_too_narrow"
    assert not narrow["is_fit_to_steer"] and not lane_at(15.0)["edges"]
