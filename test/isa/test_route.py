"""Speed assistance with horizon and map on the made route: both sources, each alone, and one against the other."""

from __future__ import annotations

from pathlib import Path

import pytest
from route_drives import Said, follow, market_with, route

from adas_runtime.horizon.store import MapStore
from adas_runtime.market import load_market
from adas_runtime.signals import LimitKind, LimitSource, SpeedUnit
from adas_runtime.synth.drive import Rain
from adas_runtime.synth.roadmap import write_map
from adas_runtime.synth.route import Stretch
from adas_runtime.units import kmh_to_mps, mph_to_mps

MARKETS = ("de", "gb", "au")  # mph; traffic on the left; hours past midnight


@pytest.fixture(scope="module")
def roads(tmp_path_factory: pytest.TempPathFactory) -> dict[str, MapStore]:
    folder = tmp_path_factory.mktemp("routes")
    return {name: MapStore(write_map(route(name), folder / name)) for name in MARKETS}


@pytest.fixture(scope="module")
def both(roads: dict[str, MapStore]) -> dict[str, Said]:
    return {name: follow(route(name), roads[name]) for name in MARKETS}


def mps(value: int, unit: SpeedUnit) -> float:
    return kmh_to_mps(value) if unit is SpeedUnit.KMH else mph_to_mps(value)


def told(said: Said, stretch: Stretch) -> set[tuple[float | None, LimitKind, LimitSource]]:
    """Limit in the market's unit, its kind and its source, on a stretch."""
    one = mps(1, said.made.plan.unit)
    found = {
        (None if item.limit_mps is None else round(item.limit_mps / one, 3), item.kind, item.source)
        for _, item in said.on(stretch)
    }
    assert found, "the stretch was driven"
    return found


@pytest.mark.clause("2021/1958 4.3.1.3")
@pytest.mark.parametrize("name", MARKETS)
def test_with_signs_and_map_no_metre_is_wrong(name: str, both: dict[str, Said]) -> None:
    kpis = both[name].shares()
    assert kpis["judged_m"] > 1800.0
    for road in ("", "rural_", "urban_"):
        assert kpis[f"{road}wrong_share"] == 0.0, kpis
        assert kpis[f"{road}right_share"] > 0.99, kpis
    units = {item.unit for _, item in both[name].limits if item.kind is not LimitKind.UNKNOWN}
    assert units == {SpeedUnit.MPH if name == "gb" else SpeedUnit.KMH}


@pytest.mark.parametrize("name", MARKETS)
def test_each_stretch_has_the_limit_of_its_best_source(name: str, both: dict[str, Said]) -> None:
    said = both[name]
    for stretch in said.made.plan.stretches[1:]:
        if stretch.limit is None:
            continue
        source = LimitSource.SIGN if stretch.is_signed else LimitSource.MAP
        assert told(said, stretch) == {(stretch.limit, LimitKind.EXPLICIT, source)}, stretch
        conditions = {item.condition for _, item in said.on(stretch)}
        assert conditions == {stretch.condition}, "the condition that makes it hold, and no other"


def test_in_the_rain_the_limit_for_a_wet_road_holds(roads: dict[str, MapStore]) -> None:
    kpis = follow(route("de", Rain.LIGHT), roads["de"]).shares()
    assert kpis["wrong_share"] == 0.0 and kpis["right_share"] > 0.99


def test_the_map_alone_knows_what_is_mapped(roads: dict[str, MapStore]) -> None:
    said = follow(route("de"), roads["de"], has_signs=False)
    for stretch in said.made.plan.stretches[1:]:
        if stretch.mapped is None:
            found = told(said, stretch)
            assert {kind for _, kind, _ in found} <= {LimitKind.IMPLICIT, LimitKind.UNKNOWN}
            assert {source for _, _, source in found} <= {LimitSource.DEFAULT, LimitSource.NONE}
        else:
            limit = stretch.limit if stretch.condition else stretch.mapped
            assert told(said, stretch) == {(limit, LimitKind.EXPLICIT, LimitSource.MAP)}


def test_signs_alone_know_what_is_signed() -> None:
    said = follow(route("de"), None)
    assert {item.source for _, item in said.limits} == {LimitSource.SIGN, LimitSource.NONE}
    for stretch in said.made.plan.stretches[1:]:
        if stretch.is_signed:
            assert told(said, stretch) == {(stretch.limit, LimitKind.EXPLICIT, LimitSource.SIGN)}
    (untagged,) = [stretch for stretch in said.made.plan.stretches if stretch.limit is None]
    assert told(said, untagged) == {(None, LimitKind.UNKNOWN, LimitSource.NONE)}, "turned: the old road's sign is gone"


@pytest.mark.parametrize("feedback", ["acoustic", "speed_control"])
def test_what_the_law_alone_says_is_shown_as_assumed_and_warns_nobody(
    feedback: str, roads: dict[str, MapStore], tmp_path: Path
) -> None:
    said = follow(route("de"), roads["de"], market=load_market(market_with(tmp_path, feedback), is_dated=False))
    (untagged,) = [stretch for stretch in said.made.plan.stretches if stretch.limit is None]
    assert told(said, untagged) == {(50.0, LimitKind.IMPLICIT, LimitSource.DEFAULT)}
    here = said.on(untagged)
    over = [item for _, item in here if (item.indicated_speed_mps or 0.0) > (item.limit_mps or 0.0) + 0.5]
    assert len(over) > 50, "the driver was above it for a while"
    assert not any(item.is_exceeded for _, item in here)
    begin_s, end_s = here[0][0], here[-1][0]
    assert not [alert for t_s, alert in said.alerts if begin_s <= t_s <= end_s and alert.is_active]
    assert not [item for t_s, item in said.requests if begin_s <= t_s <= end_s and item.is_active]
    assert all(item.accel_cap_mps2 is None for t_s, item in said.commands if begin_s <= t_s <= end_s)
    assert [alert for _, alert in said.alerts if alert.is_active], "elsewhere it works"
    assert any(item.accel_cap_mps2 is not None for _, item in said.commands) is (feedback == "speed_control")
