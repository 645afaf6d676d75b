"""A market file of one's own is of the family of what it extends: what may run there may run in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from adas_runtime.errors import ConfigError
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.perception.driver.function import SPEC as DRIVER
from adas_runtime.perception.models.manifest import load_manifest, manifest_path, require_market
from adas_runtime.perception.sign_function import SPEC as SIGNS
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle


@pytest.fixture
def own(tmp_path: Path) -> Market:
    """Germany as a maker has it."""
    path = tmp_path / "mine.yaml"
    path.write_text(
        'format: 1\nmarket: "DE"\ntitle: Germany, ours\nrevision: "2026-11-27"\nextends: de\n', encoding="utf-8"
    )
    return load_market(path)


def with_driver_camera() -> Vehicle:
    car = load_vehicle("reference")
    return car.model_copy(update={"cameras": {**car.cameras, "driver": car.cameras["front"]}})


def test_it_knows_whom_it_extends(own: Market) -> None:
    assert own.lineage == ("mine", "de", "eu", "base")
    assert load_market("jp").lineage[0] == "jp" and "eu" not in load_market("jp").lineage
    assert own.digest == own.model_copy().digest and own.model_copy().lineage == own.lineage


def test_the_functions_with_networks_start_in_it(own: Market) -> None:
    for spec in (DRIVER, SIGNS):
        core = spec.build(BuildContext(market=own, vehicle=with_driver_camera()))
        assert core.state is not None


def test_a_model_of_the_union_may_run_in_it_and_one_of_another_market_not(own: Market) -> None:
    manifest = load_manifest(manifest_path("probe")).model_copy(update={"markets": ("eu",)})
    require_market(manifest, own.lineage, "probe.yaml")
    with pytest.raises(ConfigError, match="may not run in market mine"):
        require_market(manifest.model_copy(update={"markets": ("jp",)}), own.lineage, "probe.yaml")
