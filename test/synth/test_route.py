"""The route and its map: the car is on the road that the map draws, which says what is true, or on purpose not."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from synth_drives import drive

from adas_runtime.cli import main
from adas_runtime.horizon.query import ask
from adas_runtime.horizon.store import MapStore
from adas_runtime.market.laws import carried_laws
from adas_runtime.signals import Indicator, LimitKind, LimitSource, SpeedUnit
from adas_runtime.synth.drive import Drive, Rain, Scenario
from adas_runtime.synth.roadmap import write_map
from adas_runtime.synth.route import Stretch

SECONDS = 260.0
HALF_ROAD_M = 4.5  # from the middle of a two-lane road to the far side of a lane


def route(market: str = "de", rain: Rain = Rain.NONE) -> Drive:
    return drive(market, SECONDS, 0, Scenario.ROUTE, rain=rain)


def stretch_at(made: Drive, s_m: float) -> Stretch:
    return next(stretch for stretch in reversed(made.plan.stretches) if stretch.s_m <= s_m)


@pytest.mark.parametrize("market", ["de", "gb", "jp"])
def test_the_map_draws_the_road_that_is_driven(market: str, tmp_path: Path) -> None:
    made = route(market)
    assert made.plan.turn_m is not None
    store, laws = MapStore(write_map(made, tmp_path / "bag")), carried_laws(made.market)
    borders = [stretch.s_m for stretch in made.plan.stretches]
    seen: set[str] = set()
    for index in range(0, made.sample_count, 50):
        s_m = float(made.motion.s_m[index])
        at_corner = made.plan.turn_m[0] - 30.0 < s_m < made.plan.turn_m[1] + 30.0
        if at_corner or any(abs(s_m - border) < 20.0 for border in borders):
            continue
        point = made.place_of(float(made.motion.x_m[index]), float(made.motion.y_m[index]))
        answer = ask(store, laws, point, float(made.motion.heading_rad[index]))
        stretch = stretch_at(made, s_m)
        assert answer.spot is not None and answer.spot.distance_m < HALF_ROAD_M
        way = answer.spot.edge.way
        assert (way.highway, way.name) == (stretch.highway, stretch.name)
        assert way.country == market.upper() and way.lanes_forward == way.lanes_backward == 1
        if stretch.mapped is None:
            assert answer.limit.kind is not LimitKind.EXPLICIT, "no tag: nothing that a map may call signed"
        else:
            assert (answer.limit.kind, answer.limit.value) == (LimitKind.EXPLICIT, stretch.mapped)
            assert answer.limit.unit is (SpeedUnit.MPH if market == "gb" else SpeedUnit.KMH)
        if stretch.conditional:
            (condition,) = [f"@ ({item.condition})" for item in answer.limit.conditional]
            assert condition.strip("@ ()") in stretch.conditional
        seen.add(f"{stretch.s_m}")
    assert len(seen) == len(made.plan.stretches), "all of it was driven"


def test_it_holds_every_case_of_sign_and_map() -> None:
    """Signed and mapped, mapped alone, signed alone, contradicting, neither."""
    cases = {
        (stretch.is_signed, stretch.mapped is not None, stretch.mapped == stretch.limit)
        for stretch in route().plan.stretches
        if not stretch.conditional
    }
    assert cases >= {(True, True, True), (False, True, True), (True, False, False), (True, True, False)}
    (untagged,) = [stretch for stretch in route().plan.stretches if stretch.limit is None]
    assert untagged.mapped is None and not untagged.is_signed


def test_the_truth_follows_the_hours_and_the_rain() -> None:
    def of(made: Drive) -> set[tuple[str, float | None]]:
        return {
            (item.condition, None if item.limit_mps is None else round(item.limit_mps * 3.6)) for item in made.limits()
        }

    assert {("12:00-16:00", 50), ("", 100), ("", None)} < of(route())
    assert ("wet", 80) in of(route(rain=Rain.LIGHT)) and ("wet", 80) not in of(route())
    sources = {item.source for item in route().limits()}
    assert sources == {LimitSource.SIGN, LimitSource.MAP, LimitSource.NONE}


@pytest.mark.parametrize("market", ["de", "gb"])
def test_it_turns_to_the_kerb_with_the_indicator_on(market: str) -> None:
    made = route(market)
    turned = float(made.motion.heading_rad[-1] - made.motion.heading_rad[0])
    side = made.plan.road.kerb
    assert turned * side > 1.0, "left where traffic keeps left"
    turning = np.abs(made.motion.curvature_1pm) > 0.05
    wanted = Indicator.LEFT if side > 0 else Indicator.RIGHT
    assert {made.plan.indicator_at(float(t)) for t in made.motion.t_s[turning]} == {wanted}
    assert made.plan.indicator_at(10.0) is Indicator.OFF
    across = made.motion.speed_mps[turning] ** 2 * np.abs(made.motion.curvature_1pm[turning])
    assert float(across.max()) < 3.0 and float(np.abs(made.motion.accel_mps2).max()) < 4.0, "as people drive"


def test_the_command_writes_a_map_beside_the_bag_and_keeps_one_that_is_there(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = [
        "synth",
        "--seconds",
        "2",
        "--no-camera",
        "--scenario",
        "motorway",
        "--map",
        "--out",
        str(tmp_path / "a"),
    ]
    assert main([*command, "--json"]) == 0
    path = Path(json.loads(capsys.readouterr().out)["map"])
    assert path == tmp_path / "a.map" and path.with_suffix(".osm").is_file()
    assert main(["map", "info", str(path), "--verify"]) == 0
    edge = MapStore(path).edge(1)
    assert edge is not None and edge.way.highway == "motorway" and edge.way.is_oneway and edge.way.lanes_forward == 3
    (tmp_path / "b.map").write_text("mine", encoding="utf-8")
    capsys.readouterr()
    assert main([*command[:-1], str(tmp_path / "b")]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "b.map" in line and "--force" in line
    assert not (tmp_path / "b").exists() and (tmp_path / "b.map").read_text(encoding="utf-8") == "mine"
