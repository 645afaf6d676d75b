"""What the processes read at every start: the files as they were, whatever becomes of them."""

from __future__ import annotations

import errno
import os
import shutil
from datetime import date
from pathlib import Path

import pytest
from map_files import Town, line

from adas_runtime.function import Process
from adas_runtime.horizon.store import MapError, MapStore
from adas_runtime.market import load_market
from adas_runtime.nodes.settings import Loaded, Settings, load
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


@pytest.fixture
def town(tmp_path: Path) -> Path:
    streets = Town()
    streets.street(line((-200, 0), (200, 0)), maxspeed="70")
    return streets.build(tmp_path).path


def another_town(folder: Path) -> Path:
    folder.mkdir()
    streets = Town()
    streets.street(line((-200, 0), (200, 0)), maxspeed="30")
    return streets.build(folder).path


def loaded(process: Process, options: UpOptions) -> Loaded:
    assert options.map is not None
    return load(Settings(process=process, market="de", map=options.map, map_digest=options.map_digest, on=DAY))


def test_a_map_that_is_replaced_or_deleted_meanwhile_stays_as_it_was(town: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    before = MapStore(town).digest
    frozen, _ = freeze(UpOptions(market="de", map=str(town)), kept, DAY)
    os.replace(another_town(tmp_path / "other"), town)
    roads = loaded(Process.DECISION, frozen).roads
    assert roads is not None and roads.digest == before
    town.unlink()
    assert loaded(Process.DECISION, frozen).roads is not None


@pytest.mark.parametrize("what", ["another map", "no map", "half a map", "deleted"])
def test_a_map_on_another_disk_that_changed_costs_the_map_alone(
    what: str, town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def other_disk(*arguments: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    kept = tmp_path / "kept"
    kept.mkdir()
    monkeypatch.setenv("ADAS_MAP", str(town))
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", other_disk)
        frozen, _ = freeze(UpOptions(market="de"), kept, DAY)
    assert loaded(Process.DECISION, frozen).roads is not None
    if what == "another map":
        shutil.copyfile(another_town(tmp_path / "other"), town)
    elif what == "deleted":
        town.unlink()
    else:
        town.write_bytes(b"no map" if what == "no map" else town.read_bytes()[: town.stat().st_size // 2])
    found = loaded(Process.DECISION, frozen)
    assert found.roads is None and str(town) in found.map_refusal
    assert loaded(Process.GUARD, frozen).map_refusal == ""


def test_a_start_with_a_map_that_is_none_is_refused(tmp_path: Path) -> None:
    # not so a later life of a graph that began with a map: the functions that need none go on
    with pytest.raises(MapError):
        load(Settings(process=Process.DECISION, market="de", map=str(tmp_path / "none.map"), on=DAY))
