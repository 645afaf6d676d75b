"""The road ahead: where limits change, how it bends, what may happen at forks; and a supplier's horizon instead."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from drives import drive, horizons
from function_contract import CONTEXT, FunctionContract
from map_files import Town, line

from adas_runtime.function import Core
from adas_runtime.horizon.core import SPEC, ElectronicHorizon, Inputs, MapHorizon
from adas_runtime.horizon.store import MapStore
from adas_runtime.market.laws import ShippedLaws
from adas_runtime.signals import BodyState, Horizon, HorizonSegment, LimitKind, RoadClass


def kmh(limit_mps: float | None) -> float | None:
    return None if limit_mps is None else round(limit_mps * 3.6, 1)


def country_road(folder: Path) -> MapStore:
    town = Town()
    town.street(line((0, 0), (600, 0)), maxspeed="70", highway="primary", ref="B 1", lanes="2")
    town.street(line((600, 0), (1400, 0)), maxspeed="50", highway="primary", ref="B 1", lit="yes")
    town.street(line((1400, 0), (3400, 0)), maxspeed="100", highway="primary", ref="B 1")
    town.street(line((600, 0), (600, 400)), highway="residential")
    return town.build(folder)


def test_the_limits_ahead_stand_where_they_change(tmp_path: Path) -> None:
    for driven, horizon in horizons(list(drive(country_road(tmp_path), [(0, 0), (1300, 0)])))[5:]:
        segments = horizon.segments
        assert horizon.is_matched and segments[0].offset_m <= 0.0 < segments[0].offset_m + segments[0].length_m
        for one, two in pairwise(segments):
            assert two.offset_m == pytest.approx(one.offset_m + one.length_m, abs=0.01)
        starts = {kmh(item.limit_mps): item.offset_m + driven for item in reversed(segments)}
        assert starts[100.0] == pytest.approx(1400.0, abs=3.0)
        if driven < 550:
            assert starts[50.0] == pytest.approx(600.0, abs=3.0) and kmh(segments[0].limit_mps) == 70.0
        assert all(item.limit_kind is LimitKind.EXPLICIT for item in segments)
        assert segments[-1].offset_m + segments[-1].length_m + driven >= min(driven + 2000.0, 3390.0)


def test_what_the_map_knows_of_the_road_is_told(tmp_path: Path) -> None:
    horizon = horizons(list(drive(country_road(tmp_path), [(0, 0), (400, 0)])))[-1][1]
    first, second = horizon.segments[0], next(item for item in horizon.segments if kmh(item.limit_mps) == 50.0)
    assert first.road_class is RoadClass.PRIMARY and first.lanes == 1 and first.country == "DE"
    assert first.is_lit is None and second.is_lit is True
    assert horizon.provider == "map" and horizon.confidence > 0.9


def test_it_reaches_a_minute_ahead_at_speed(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (6000, 0)), highway="motorway", maxspeed="none")
    seen = horizons(list(drive(town.build(tmp_path), [(0, 0), (600, 0)], 50.0)))[-1][1].segments
    assert seen[-1].offset_m + seen[-1].length_m >= 60.0 * 50.0
    assert seen[0].limit_kind is LimitKind.NO_LIMIT and seen[0].limit_mps is None


def test_forks_share_the_probability_and_the_main_road_is_the_path(tmp_path: Path) -> None:
    horizon = horizons(list(drive(country_road(tmp_path), [(0, 0), (300, 0)])))[-1][1]
    before, behind = horizon.segments[0], next(item for item in horizon.segments if kmh(item.limit_mps) == 50.0)
    assert before.probability == 1.0 and 0.5 < behind.probability < 1.0
    assert all(one.probability >= two.probability for one, two in pairwise(horizon.segments))


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_curve_has_its_radius_and_its_side(tmp_path: Path, side: float) -> None:
    """A quarter circle of 200 m radius between two straights; left is positive (ISO 8855)."""
    arc = [
        (500.0 + 200.0 * math.sin(angle), side * 200.0 * (1.0 - math.cos(angle)))
        for angle in (math.pi / 2 * step / 16 for step in range(17))
    ]
    corners = [(0.0, 0.0), *((round(x, 3), round(y, 3)) for x, y in arc), (700.0, side * 1200.0)]
    town = Town()
    town.street(corners, maxspeed="70")
    segments = horizons(list(drive(town.build(tmp_path), [(0, 0), (200, 0)])))[-1][1].segments
    sharpest = max(segments, key=lambda item: abs(item.curvature_1pm or 0.0))
    assert sharpest.curvature_1pm is not None
    assert sharpest.curvature_1pm * side == pytest.approx(1.0 / 200.0, rel=0.15)
    assert abs(segments[0].curvature_1pm or 0.0) < 0.001


def test_a_border_and_a_conditional_limit_are_seen_from_afar(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (800, 0)), maxspeed="AT:rural")
    town.street(line((800, 0), (2000, 0)), maxspeed="100", maxspeed__conditional="80 @ (wet); 60 @ (22:00-06:00)")
    segments = horizons(list(drive(town.build(tmp_path, "AT"), [(0, 0), (300, 0)])))[-1][1].segments
    assert segments[0].limit_kind is LimitKind.IMPLICIT and kmh(segments[0].limit_mps) == 100.0
    conditions = [(kmh(item.limit_mps), item.condition) for item in segments[-1].conditional]
    assert conditions == [(80.0, "wet"), (60.0, "22:00-06:00")]


def test_lanes_with_limits_of_their_own_are_told_each(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (800, 0)), oneway="yes", maxspeed="100", maxspeed__lanes="none||80")
    segments = horizons(list(drive(town.build(tmp_path), [(0, 0), (300, 0)])))[-1][1].segments
    assert segments[0].limit_kind is LimitKind.UNKNOWN and segments[0].limit_mps is None
    told = [
        (item.kind, None if item.limit_mps is None else kmh(item.limit_mps), item.condition)
        for item in segments[0].conditional
    ]
    assert told == [
        (LimitKind.NO_LIMIT, None, "lane 1 of 3"),
        (LimitKind.EXPLICIT, 100.0, "lane 2 of 3"),
        (LimitKind.EXPLICIT, 80.0, "lane 3 of 3"),
    ]


def test_the_age_of_the_map_is_told_by_the_calendar_and_never_by_stamps(tmp_path: Path) -> None:
    """Stamps of this drive lie 56 years before the calendar: subtracting the one from the other would make no sense."""
    store = country_road(tmp_path)
    assert store.data_utc_s == 1793491200.0
    core = list(drive(store, [(0, 0), (300, 0)]))[-1].core
    now_s = core.state.now_s
    assert now_s is not None
    body = BodyState(stamp_s=now_s, utc_s=1793491200.0 + 86400.0)
    ages = []
    for tell in (None, body):
        core.state = replace(core.state, sent_s=None)
        horizon = core.step(Inputs(body=tell), now_s).horizon
        assert horizon is not None
        ages.append(horizon.map_age_s)
    assert ages == [None, 86400.0]


def supplied(stamp_s: float, is_matched: bool = True) -> Horizon:
    segment = HorizonSegment(
        offset_m=-10.0, length_m=500.0, probability=1.0, limit_mps=25.0, limit_kind=LimitKind.EXPLICIT
    )
    return Horizon(stamp_s=stamp_s, is_matched=is_matched, provider="adasis", confidence=0.9, segments=(segment,))


def test_a_suppliers_horizon_goes_before_the_map_and_keeps_its_stamp(tmp_path: Path) -> None:
    core = ElectronicHorizon(None, ShippedLaws())
    assert core.step(Inputs(), 10.0).status.state == "no_map" and core.step(Inputs(), 10.0).horizon is None
    said = core.step(Inputs(supplied=supplied(9.8)), 10.0)
    assert said.horizon == supplied(9.8) and said.status.state == "supplied"
    assert core.step(Inputs(supplied=supplied(9.9, is_matched=False)), 10.1).horizon is None


class TestWithAMap(FunctionContract):
    """The contract of every function, with a map on board."""

    spec = SPEC
    examples = 15

    @pytest.fixture(autouse=True)
    def _map(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        town = Town()
        town.street(line((-500, 0), (500, 0)), maxspeed="50")
        self.spec = replace(SPEC, build=lambda _: ElectronicHorizon(self.store, ShippedLaws()))
        self.store = town.build(tmp_path_factory.mktemp("map"))

    def core(self) -> Core:
        return self.spec.build(CONTEXT)


def test_the_map_makes_no_difference_between_a_fresh_core_and_a_restored_one(tmp_path: Path) -> None:
    """Restored in the middle of a drive, another core over the same map says the same, bit for bit."""
    store = country_road(tmp_path)
    one = list(drive(store, [(0, 0), (600, 0)], noise_m=3.0))
    two = list(drive(MapStore(store.path), [(0, 0), (600, 0)], noise_m=3.0))
    assert [item.said for item in one] == [item.said for item in two]
    fresh = MapHorizon(store, ShippedLaws())
    fresh.state = one[-1].core.state
    later = one[-1].core.state.now_s
    assert later is not None
    assert fresh.step(Inputs(), later + 0.3) == one[-1].core.step(Inputs(), later + 0.3)
