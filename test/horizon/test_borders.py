"""A border: roads are cut where they cross it, and what holds changes at the line, not at the next junction."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from drives import PERIOD_S, START_S, drive
from hypothesis import given
from hypothesis import strategies as st
from map_files import HOME, Town, at, line

from adas_runtime.horizon.borders import Borders
from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.geo import distance_m
from adas_runtime.horizon.store import SCALE, MapStore
from adas_runtime.isa.core import Inputs, Isa
from adas_runtime.market import load_market
from adas_runtime.market.laws import carried_laws
from adas_runtime.signals import LimitKind, LimitSource, SpeedLimitState, VehicleState
from adas_runtime.units import kmh_to_mps

BORDER_M = 730.0


def box(code: str, west: float, east: float) -> dict[str, object]:
    south, north = HOME[0] - 1.0, HOME[0] + 1.0
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"properties": {"iso1A2": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}


def borders(folder: Path) -> Path:
    """The Netherlands west of the line, Germany east of it."""
    lon = at(BORDER_M, 0.0)[1]
    path = folder / "borders.json"
    features = [box("NL", lon - 2.0, lon), box("DE", lon, lon + 2.0)]
    path.write_text(json.dumps({"features": features}), encoding="utf-8")
    return path


def crossing(folder: Path) -> MapStore:
    """One motorway of 2 km without a tag and without a junction, over the border, and a town street that turns back."""
    town = Town()
    town.street(line((0, 0), (2000, 0)), highway="motorway", oneway="yes", name="A 1")
    town.street(line((700, 300), (760, 300), (760, 330), (700, 330)), maxspeed="50")
    build_map([town.write(folder / "t.osm")], folder / "t.map", borders=borders(folder))
    return MapStore(folder / "t.map")


def test_a_road_is_cut_at_the_metre_and_stays_one_road(tmp_path: Path) -> None:
    store = crossing(tmp_path)
    west, east = sorted(store.near(at(BORDER_M, 0), 1.0), key=lambda edge: edge.points[0][1])
    assert (west.way.country, east.way.country) == ("NL", "DE") and west.way.way_id == east.way.way_id
    assert west.end == east.start and west.points[-1] == east.points[0]
    assert distance_m(west.points[-1], at(BORDER_M, 0)) < 0.1
    assert west.length_m == pytest.approx(BORDER_M, abs=0.5) and west.length_m + east.length_m == pytest.approx(
        2000, 1e-3
    )
    street = [edge for edge in store.near(at(745, 315), 40.0) if edge.way.highway != "motorway"]
    assert [edge.way.country for edge in sorted(street, key=lambda edge: edge.edge_id)] == ["NL", "DE", "NL"]
    assert store.meta["without_country"] == 0


def test_crossing_it_mid_drive_switches_the_rules_at_the_line(tmp_path: Path) -> None:
    """130 on a Dutch motorway, none on a German one; nothing but the line between them."""
    market = load_market("nl")
    isa = Isa(market.isa, carried_laws(market), "NL")
    speed_mps, now_s, horizon = 30.0, START_S, None
    told: list[tuple[float, SpeedLimitState]] = []
    for seen in drive(crossing(tmp_path), [(100, 0), (1400, 0)], speed_mps):
        horizon = seen.said.horizon or horizon
        for part in range(2):
            step_s = now_s + 0.5 * part * PERIOD_S
            vehicle = VehicleState(stamp_s=step_s, speed_mps=speed_mps, yaw_rate_rps=0.0)
            limit = isa.step(Inputs(vehicle=vehicle, horizon=horizon), step_s).limit
            assert limit is not None
            told.append((100.0 + seen.driven_m + 0.5 * part * PERIOD_S * speed_mps, limit))
        now_s += PERIOD_S
    after = next(at_m for at_m, limit in told if limit.country == "DE")
    assert after == pytest.approx(BORDER_M, abs=5.0), "one step of 1.5 m, and what the match errs"
    for at_m, limit in told[20:]:
        assert limit.source is LimitSource.DEFAULT
        if at_m < after:
            assert limit.country == "NL" and limit.limit_mps == pytest.approx(kmh_to_mps(130.0))
        else:
            assert limit.country == "DE" and limit.kind is LimitKind.NO_LIMIT and limit.limit_mps is None
    seen_ahead = [s for s in (horizon.segments if horizon else ()) if s.country]
    assert {segment.country for segment in seen_ahead} == {"DE"}


@given(st.lists(st.tuples(st.integers(-2000, 2000), st.integers(-2000, 2000)), min_size=2, max_size=8, unique=True))
def test_a_cut_line_is_the_same_line(tmp_path_factory: pytest.TempPathFactory, corners: list[tuple[int, int]]) -> None:
    """Whatever way it takes: stretches join, countries alternate, no corner is lost, each cut lies on the border."""
    found = Borders(borders(tmp_path_factory.getbasetemp()))
    points = [(round(at(x, y)[0] * SCALE), round(at(x, y)[1] * SCALE)) for x, y in corners]
    stretches = found.split(points)
    joined = list(stretches[0][1])
    for (code, part), (following, rest) in pairwise(stretches):
        assert part[-1] == rest[0] and code != following
        assert abs(rest[0][1] - at(BORDER_M, 0.0)[1] * SCALE) <= 2.0
        joined += rest[1:]
    assert [point for point in joined if point in points] == points
    for code, part in stretches:
        for point in part[1:-1]:
            assert found.country((point[0] / SCALE, point[1] / SCALE)) in (code, "")


@pytest.mark.data
def test_the_streets_of_monaco_are_cut_at_its_border(shared_data: Path, tmp_path: Path) -> None:
    maps = shared_data / "maps"
    counts = build_map([maps / "osm" / "monaco_mc.osm.gz"], tmp_path / "m.map", borders=maps / "country_borders.json")
    store = MapStore(tmp_path / "m.map")
    edges = [edge for number in range(1, store.meta["edges"] + 1) if (edge := store.edge(number)) is not None]
    countries: dict[int, set[str]] = {}
    for edge in edges:
        countries.setdefault(edge.way.way_id, set()).add(edge.way.country)
    assert {"MC", "FR"} <= set().union(*countries.values())
    both = [way for way, found in countries.items() if len(found) > 1]
    assert 5 <= len(both) < 0.2 * counts.ways
    cut = [edge for edge in edges if edge.way.way_id in both and min(edge.start, edge.end) < 0]
    assert cut and all(edge.length_m > 0.0 for edge in cut)
