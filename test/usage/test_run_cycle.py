"""The lock-out of assistance outlives a restart of its process within the run cycle (R171 5.5.4.2.8.1)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import default_graph
from adas_runtime.market import load_market
from adas_runtime.usage.run_cycle import FILE, RunCycleKeeper, boot_id
from adas_runtime.vehicle import load_vehicle

KEPT = {"dcas": {"unavailable": 2, "cycle": 41}}


@pytest.mark.clause("R171 5.5.4.2.8.1")
def test_what_a_process_kept_the_next_one_finds(tmp_path: Path) -> None:
    path = tmp_path / "state" / FILE
    keeper = RunCycleKeeper(path, "boot", pytest.fail)
    assert keeper.found() == {}
    assert not keeper.heard({"dcas": {"unavailable": 0}}), "in most run cycles there is nothing to keep"
    assert keeper.heard(KEPT) and not path.exists()
    keeper.save()
    assert not keeper.heard(KEPT), "nothing new is not written again"
    assert RunCycleKeeper(path, "boot", pytest.fail).found() == KEPT
    assert [item.name for item in path.parent.iterdir()] == [FILE], "no part of a file is left"


def test_another_run_of_the_computer_is_another_run_cycle(tmp_path: Path) -> None:
    keeper = RunCycleKeeper(tmp_path / FILE, "boot", pytest.fail)
    keeper.heard(KEPT)
    keeper.save()
    assert RunCycleKeeper(tmp_path / FILE, "next boot", pytest.fail).found() == {}
    assert RunCycleKeeper(tmp_path / FILE, "", pytest.fail).found() == {}, "who does not know takes nothing over"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"format": 9}', '{"format": 1, "boot": "boot", "functions": {"dcas": {"unavailable": "2"}}}'],
)
def test_a_damaged_file_stops_no_car(tmp_path: Path, text: str) -> None:
    path = tmp_path / FILE
    path.write_text(text, encoding="utf-8")
    lines: list[str] = []
    keeper = RunCycleKeeper(path, "boot", lines.append)
    assert not any(keeper.found().values())
    keeper.heard(KEPT)
    keeper.save()
    assert json.loads(path.read_text(encoding="utf-8"))["functions"] == KEPT


def test_a_folder_that_cannot_be_written_is_told_once(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("", encoding="utf-8")
    lines: list[str] = []
    keeper = RunCycleKeeper(blocked / FILE, "boot", lines.append)
    for number in range(3):
        keeper.heard({"dcas": {"unavailable": number + 1}})
        keeper.save()
    assert len(lines) == 1 and "are not kept" in lines[0]


def test_the_executor_hands_each_function_its_own() -> None:
    market = load_market("de")
    context = BuildContext(market=market, vehicle=load_vehicle("reference"))
    executor = Executor(default_graph(), context, market.stages(), process=Process.DECISION)
    executor.keep({**KEPT, "no_such_function": {"unavailable": 5}})
    assert executor.kept() == KEPT
    executor.reset()
    assert executor.kept() == {"dcas": {"unavailable": 0}}, "a start without what was kept is a fresh one"


def test_this_computer_tells_which_run_it_is() -> None:
    assert boot_id() == boot_id()
