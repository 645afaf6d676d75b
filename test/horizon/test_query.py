"""One position, one answer: right, marked as signed or by law, and unknown rather than wrong."""

from __future__ import annotations

import csv
import json
import math
from pathlib import Path

import pytest
from map_files import Town, at, line

from adas_runtime.cli import main
from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.cli import as_row
from adas_runtime.horizon.query import Answer, ask
from adas_runtime.horizon.store import MapStore
from adas_runtime.market.laws import ShippedLaws
from adas_runtime.signals import LimitKind, SpeedUnit
from adas_runtime.units import mps_to_kmh

EAST, WEST = 0.0, math.pi
LAW = ShippedLaws()


def answer(folder: Path, country: str = "DE", course_rad: float | None = EAST, **tags: str) -> Answer:
    town = Town()
    town.street(line((-300, 0), (300, 0)), **tags)
    return ask(town.build(folder, country), LAW, at(20, 3), course_rad)


def test_a_tagged_number_is_explicit_in_its_unit(tmp_path: Path) -> None:
    found = answer(tmp_path, "US", maxspeed="55 mph").limit
    assert (found.kind, found.value, found.unit) == (LimitKind.EXPLICIT, 55.0, SpeedUnit.MPH)
    assert found.limit_mps == pytest.approx(24.5872)


@pytest.mark.parametrize(
    ("lanes", "kind", "value", "note"),
    [
        ("80|80", LimitKind.EXPLICIT, 80.0, ""),
        ("|80", LimitKind.UNKNOWN, None, "its lanes have different limits: 100|80"),
        ("none|80", LimitKind.UNKNOWN, None, "its lanes have different limits: none|80"),
    ],
)
def test_a_limit_for_a_lane_is_no_limit_of_the_road(
    tmp_path: Path, lanes: str, kind: LimitKind, value: float | None, note: str
) -> None:
    found = answer(tmp_path, oneway="yes", maxspeed="100", maxspeed__lanes=lanes)
    assert (found.limit.kind, found.limit.value) == (kind, value)
    assert as_row(found)["note"] == note


def test_each_direction_has_its_own(tmp_path: Path) -> None:
    tags = {"maxspeed__forward": "50", "maxspeed__backward": "30"}
    assert answer(tmp_path, course_rad=EAST, **tags).limit.value == 50.0
    assert answer(tmp_path, course_rad=WEST, **tags).limit.value == 30.0
    unsure = answer(tmp_path, course_rad=None, **tags)
    assert unsure.limit.kind is LimitKind.UNKNOWN and "equally near" in unsure.limit.reason


@pytest.mark.parametrize(
    ("country", "tags", "kind", "value"),
    [
        ("DE", {"maxspeed": "DE:urban"}, LimitKind.IMPLICIT, 50.0),
        ("DE", {"maxspeed": "DE:rural"}, LimitKind.IMPLICIT, 100.0),
        ("DE", {"maxspeed": "none", "highway": "motorway"}, LimitKind.NO_LIMIT, None),
        ("DE", {"highway": "motorway"}, LimitKind.NO_LIMIT, None),
        ("AT", {"highway": "motorway"}, LimitKind.IMPLICIT, 130.0),
        ("AT", {"highway": "residential"}, LimitKind.IMPLICIT, 50.0),
        ("GB", {"maxspeed": "GB:nsl_single"}, LimitKind.IMPLICIT, 60.0),
        ("US", {"highway": "residential"}, LimitKind.UNKNOWN, None),  # state law
        ("DE", {"highway": "service"}, LimitKind.UNKNOWN, None),
        ("DE", {"highway": "motorway_link"}, LimitKind.UNKNOWN, None),
        ("DE", {"maxspeed": "signals"}, LimitKind.UNKNOWN, None),
        ("DE", {"maxspeed": "fast"}, LimitKind.UNKNOWN, None),
        ("DE", {"maxspeed": "walk"}, LimitKind.UNKNOWN, None),
    ],
)
def test_the_law_fills_in_only_where_it_is_known(
    tmp_path: Path, country: str, tags: dict[str, str], kind: LimitKind, value: float | None
) -> None:
    found = answer(tmp_path, country, **tags).limit
    assert (found.kind, found.value) == (kind, value)
    assert found.kind is not LimitKind.UNKNOWN or found.reason


def test_an_assumed_limit_is_never_as_sure_as_a_tagged_one(tmp_path: Path) -> None:
    assert answer(tmp_path, "DE", highway="residential").confidence < answer(tmp_path, "DE", maxspeed="50").confidence


def test_parallel_roads_are_told_apart_by_course_or_not_at_all(tmp_path: Path) -> None:
    town = Town()
    town.street(line((-300, 0), (300, 0)), highway="motorway", maxspeed="120")
    town.street(line((300, 12), (-300, 12)), highway="motorway", maxspeed="80")
    town.street(line((-300, -12), (300, -12)), highway="secondary", maxspeed="70")
    store = town.build(tmp_path)
    assert ask(store, LAW, at(0, 6), EAST).limit.value == 120.0
    assert ask(store, LAW, at(0, 6), WEST).limit.value == 80.0
    between = ask(store, LAW, at(0, -6), EAST)
    assert between.limit.kind is LimitKind.UNKNOWN, "half way between two roads nobody knows"


def test_far_from_every_road_nothing_is_known(tmp_path: Path) -> None:
    town = Town()
    town.street([(0, 0), (100, 0)], maxspeed="50")
    found = ask(town.build(tmp_path), LAW, at(50, 200), EAST)
    assert found.spot is None and found.limit.kind is LimitKind.UNKNOWN and found.confidence == 0.0


def test_borders_give_each_road_its_country(tmp_path: Path) -> None:
    def box(code: str, west: float, east: float) -> dict[str, object]:
        ring = [[west, 49.0], [east, 49.0], [east, 51.0], [west, 51.0], [west, 49.0]]
        return {"properties": {"iso1A2": code}, "geometry": {"type": "Polygon", "coordinates": [ring]}}

    borders = tmp_path / "borders.json"
    borders.write_text(json.dumps({"features": [box("DE", 10.0, 11.5), box("AT", 11.5, 12.0)]}), encoding="utf-8")
    town = Town()
    town.street(line((-900, 0), (-100, 0)), maxspeed="DE:rural")
    town.street(line((100, 0), (900, 0)), highway="motorway")
    build_map([town.write(tmp_path / "t.osm")], tmp_path / "t.map", borders=borders)
    store = MapStore(tmp_path / "t.map")
    west, east = (ask(store, LAW, at(x, 0), EAST) for x in (-500, 500))
    assert west.spot is not None and west.spot.edge.way.country == "DE" and west.limit.value == 100.0
    assert east.spot is not None and east.spot.edge.way.country == "AT" and east.limit.value == 130.0


def test_the_command_prints_what_machines_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    town = Town()
    way = town.street(line((-300, 0), (300, 0)), maxspeed="100", maxspeed__conditional="80 @ (wet)")
    store = town.build(tmp_path)
    points = tmp_path / "points.csv"
    points.write_text(f"lat,lon,heading\n{at(0, 0)[0]},{at(0, 0)[1]},90\n", encoding="utf-8")
    assert main(["map", "query", str(store.path), "--points", str(points), "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["road_id"], row["road_class"], row["limit"], row["unit"], row["kind"]) == (
        way,
        "secondary",
        100,
        "km/h",
        "explicit",
    )
    assert row["source"] and row["confidence"] > 0.5 and "80 if wet" in row["note"]


@pytest.mark.parametrize(
    "text",
    [
        "lat,heading\n1,2\n",
        "lat,lon,heading\n1,x,2\n",
        "lat,lon\n91,0\n",
        "lat,lon\nnan,0\n",
        "lat,lon,heading\n1,2,nan\n",
    ],
)
def test_a_wrong_row_is_told_with_its_line(tmp_path: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    town = Town()
    town.street([(0, 0), (100, 0)])
    store = town.build(tmp_path)
    points = tmp_path / "points.csv"
    points.write_text(text, encoding="utf-8")
    assert main(["map", "query", str(store.path), "--points", str(points)]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "points.csv:" in error


@pytest.mark.parametrize(
    ("name", "extract", "country"),
    [
        ("krems_at", "krems_at.osm.gz", "AT"),
        ("north_bayreuth_de", "north_bayreuth_de.osm.gz", "DE"),
        ("beatty_us_nv", "beatty_us_nv.osm", "US"),
    ],
)
def test_real_roads_have_their_signed_limits(
    shared_data: Path, tmp_path: Path, name: str, extract: str, country: str
) -> None:
    """Wrong at most 1 % of the points, and never a signed limit where no tag is."""
    build_map([shared_data / "maps/osm" / extract], tmp_path / "m.map", country=country)
    store = MapStore(tmp_path / "m.map")
    right = wrong = 0
    with open(shared_data / "maps/osm" / f"{name}.maxspeed_truth.csv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        course = math.pi / 2.0 - math.radians(float(row["bearing_deg"]))
        limit = ask(store, LAW, (float(row["lat"]), float(row["lon"])), course).limit
        if row["kind"] == "no_maxspeed_tag":
            assert limit.kind is not LimitKind.EXPLICIT, row
        elif limit.kind is LimitKind.UNKNOWN:
            continue
        elif limit.limit_mps is None:
            right, wrong = (right + 1, wrong) if row["kind"] == "no_limit" else (right, wrong + 1)
        elif row["expected_kmh"] and abs(mps_to_kmh(limit.limit_mps) - float(row["expected_kmh"])) < 0.1:
            right += 1
        else:
            wrong += 1
    told = sum(row["kind"] in ("explicit", "no_limit") for row in rows)
    assert wrong <= 0.01 * told
    assert right >= 0.97 * told


@pytest.mark.parametrize(
    ("country", "tags", "limit"),
    [
        ("FR", {"maxspeed": "FR:rural"}, 80.0),
        ("FR", {"maxspeed": "FR:rural", "lanes": "4"}, 90.0),
        ("FR", {"maxspeed": "FR:rural", "oneway": "yes", "lanes": "2"}, None),  # 90, or 110 on one of two carriageways
        ("AT", {"maxspeed": "AT:rural", "oneway": "yes", "lanes": "2"}, 100.0),  # the law is the same on both
        ("JP", {"highway": "residential"}, None),  # 30 or 60 by a line that no map shows
        ("PL", {"maxspeed": "PL:motorroad"}, 100.0),
        ("GB", {"maxspeed": "GB:nsl_dual", "oneway": "yes"}, 70.0),
        ("LI", {"maxspeed": "LI:urban"}, None),  # no market, no law
    ],
)
def test_the_law_s_limit_is_told_where_the_map_tells_its_case(
    tmp_path: Path, country: str, tags: dict[str, str], limit: float | None
) -> None:
    town = Town()
    town.street(line((-300, 0), (300, 0)), **tags)
    answer = ask(town.build(tmp_path, country), LAW, at(0, 0), EAST).limit
    assert answer.value == limit
    assert answer.kind is (LimitKind.UNKNOWN if limit is None else LimitKind.IMPLICIT)
    assert limit is not None or answer.reason
