"""The map file: whole or absent, checked, and what it leaves out is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from map_files import Town, at, line

from adas_runtime.cli import main
from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.store import MapError, MapStore
from adas_runtime.signals import RoadClass


def crossing() -> Town:
    town = Town()
    town.street(line((-200, 0), (0, 0), (200, 0)), maxspeed="70", name="Long Street")
    town.street(line((0, -200), (0, 0), (0, 200)), maxspeed="fast", highway="residential")
    town.way(line((0, 0), (50, 50)), {"highway": "footway", "maxspeed": "5"})
    return town


def test_roads_are_cut_at_junctions_and_meet_there(tmp_path: Path) -> None:
    store = crossing().build(tmp_path)
    assert store.meta["ways"] == 2 and store.meta["edges"] == 4, "no footway, each road cut once"
    edges = store.near(at(0, 0), 1.0)
    assert len(edges) == 4
    assert len(store.at_node(edges[0].end if edges[0].points[-1] == edges[1].points[0] else edges[0].start)) == 4
    assert sum(edge.length_m for edge in edges) == pytest.approx(800.0, rel=1e-3)
    assert {edge.way.road_class for edge in edges} == {RoadClass.SECONDARY, RoadClass.RESIDENTIAL}


def test_malformed_tags_are_counted_and_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = crossing().write(tmp_path / "town.osm")
    assert main(["map", "build", str(path), "--country", "de", "--out", str(tmp_path / "t.map"), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["malformed"] == 1
    assert result["malformed_tags"] == [{"key": "maxspeed", "value": "fast", "count": 1}]


def test_the_same_extract_gives_the_same_content_and_a_repeated_road_is_kept_once(tmp_path: Path) -> None:
    path = crossing().write(tmp_path / "town.osm")
    build_map([path], tmp_path / "one.map", country="DE")
    counts = build_map([path, path], tmp_path / "two.map", country="DE")
    one, two = MapStore(tmp_path / "one.map"), MapStore(tmp_path / "two.map")
    assert one.digest == two.digest and len(one.digest) == 64 and counts.repeated == 2
    two.verify()


def test_a_reversed_oneway_runs_with_the_traffic(tmp_path: Path) -> None:
    town = Town()
    town.street([(0, 0), (100, 0)], oneway="-1", maxspeed__backward="30", maxspeed__forward="90")
    edge = town.build(tmp_path).near(at(50, 0), 5.0)[0]
    assert edge.way.is_oneway and edge.points[0][1] > edge.points[-1][1]
    assert edge.way.forward.limit is not None and edge.way.forward.limit.value == 30.0


@pytest.mark.parametrize("damage", ["flip", "cut", "text", "version"])
def test_a_damaged_map_is_told_in_one_line(tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]) -> None:
    town = Town()
    for number in range(200):
        town.street(line((0, 10 * number), (3000, 10 * number)), maxspeed="50", name=f"Street {number}")
    path = town.build(tmp_path).path
    data = bytearray(path.read_bytes())
    if damage == "flip":
        where = data.find(b"Street 100")
        data[where] ^= 1
    elif damage == "cut":
        del data[len(data) // 2 :]
    elif damage == "text":
        data = bytearray(b"no map at all")
    else:
        data[60:64] = (99).to_bytes(4, "big")
    path.write_bytes(bytes(data))
    assert main(["map", "info", str(path), "--verify"]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and str(path) in error and "Traceback" not in error


def test_a_failed_build_leaves_the_former_map_and_nothing_else(tmp_path: Path) -> None:
    out = crossing().build(tmp_path).path
    before = out.read_bytes()
    bad = tmp_path / "bad.osm"
    bad.write_text("<osm version='0.6'><way", encoding="utf-8")
    with pytest.raises(MapError, match=r"bad\.osm"):
        build_map([bad], out, country="DE")
    assert out.read_bytes() == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bad.osm", "town.map", "town.osm"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["map", "build", "none.osm", "--out", "x.map"], "no such file"),
        (["map", "query", "none.map", "--points", "none.csv"], "none.csv"),
        (["map", "info", "none.map"], "adas map build"),
    ],
)
def test_wrong_use_is_one_line(arguments: list[str], word: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert word in error and error.count("\n") == 1


def test_an_extract_without_roads_and_a_wrong_country_are_refused(tmp_path: Path) -> None:
    empty = tmp_path / "empty.osm"
    empty.write_text("<osm version='0.6'></osm>", encoding="utf-8")
    with pytest.raises(MapError, match="no road"):
        build_map([empty], tmp_path / "x.map")
    assert main(["map", "build", str(empty), "--country", "Germany", "--out", str(tmp_path / "x.map")]) == 2


def test_lanelets_and_streets_share_one_store(shared_data: Path, tmp_path: Path) -> None:
    pytest.importorskip("lanelet2", reason="lanelet2 has no wheel here")
    build_map([shared_data / "maps/lanelet2/mcity_us.osm.gz"], tmp_path / "m.map", country="US")
    store = MapStore(tmp_path / "m.map")
    edges = [store.edge(number) for number in range(1, store.meta["edges"] + 1)]
    limits = {edge.way.forward.limit.value for edge in edges if edge is not None and edge.way.forward.limit is not None}
    assert limits == {18.0, 30.0, 100.0}
    connected = sum(len(store.at_node(edge.end)) > 1 for edge in edges if edge is not None)
    assert connected > 0.9 * len(edges), "lanelets follow one another"
