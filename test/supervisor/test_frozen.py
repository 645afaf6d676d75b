"""What the processes read at every start: the files as they were, whatever becomes of them."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from adas_runtime.function import Process
from adas_runtime.market import load_market
from adas_runtime.resources import OVERRIDE, config_dir
from adas_runtime.supervisor.commands import UpOptions, process_command
from adas_runtime.supervisor.frozen import freeze
from adas_runtime.vehicle import load_vehicle

DAY = date(2026, 11, 25)


def test_a_market_that_is_edited_or_deleted_meanwhile_stays_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    shutil.copytree(config_dir(), own / "config")
    monkeypatch.setenv(OVERRIDE, str(own / "config"))
    (own / "fleet.yaml").write_text((own / "config" / "markets" / "de.yaml").read_text())
    (own / "test_car.yaml").write_text((own / "fleet.yaml").read_text().replace("extends: eu", "extends: fleet"))
    (own / "car.yaml").write_text((own / "config" / "vehicles" / "reference.yaml").read_text())
    market, vehicle = own / "test_car.yaml", own / "car.yaml"
    before = load_market(market, on=DAY), load_vehicle(vehicle)

    kept = tmp_path / "kept"
    kept.mkdir()
    frozen, environment = freeze(UpOptions(market=str(market), vehicle=str(vehicle)), kept, DAY)
    shutil.rmtree(own)
    monkeypatch.setenv(OVERRIDE, environment[OVERRIDE])
    assert frozen.on == DAY
    assert (load_market(frozen.market, on=frozen.on), load_vehicle(frozen.vehicle)) == before


def test_shipped_files_keep_their_names(tmp_path: Path) -> None:
    frozen, environment = freeze(UpOptions(market="de", inputs="default"), tmp_path, DAY)
    assert (frozen.market, frozen.vehicle, frozen.inputs) == ("de", "reference", "default")
    assert Path(environment[OVERRIDE]).is_relative_to(tmp_path)
    command = process_command(Process.GUARD, frozen)
    assert command[command.index("--on") + 1] == "2026-11-25"
