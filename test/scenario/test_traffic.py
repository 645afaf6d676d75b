"""Road users that react: the published model, its reaction time, and what is judged of who drives behind us."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.alks.reference import FULL_MPS2
from adas_runtime.cli import main
from adas_runtime.market import load_market
from adas_runtime.scenario.braking import Actor, Drive, Outcome, _Body, _Ours, drive, loop_graph
from adas_runtime.scenario.family import Family, family_path
from adas_runtime.scenario.traffic import Reacting, Seen, accel_mps2, reaction_mps2
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle import load_vehicle

MARKET, VEHICLE = load_market("de"), load_vehicle("reference")
DRIVER = Reacting()
SPEEDS, GAPS = st.floats(0.0, 60.0), st.floats(0.0, 300.0)


def test_the_defaults_are_the_published_ones() -> None:
    """Treiber et al. 2000, table I."""
    assert DRIVER.wants_mps == pytest.approx(120.0 / 3.6)
    assert (DRIVER.headway_s, DRIVER.accel_mps2, DRIVER.brakes_mps2, DRIVER.standstill_m) == (1.6, 0.73, 1.67, 2.0)


@pytest.mark.parametrize(
    ("speed", "gap", "lead", "expected"),
    [
        pytest.param(0.0, math.inf, 0.0, 0.73, id="pulls-away"),
        pytest.param(120.0 / 3.6, math.inf, 0.0, 0.0, id="free-at-its-speed"),
        pytest.param(0.0, 2.0, 0.0, 0.0, id="stands-at-the-standstill-gap"),
        # the gap of equation 5: (s0 + v T) / sqrt(1 - (v / v0)^4)
        pytest.param(20.0, 34.0 / math.sqrt(1.0 - (20.0 / (120.0 / 3.6)) ** 4), 20.0, 0.0, id="follows"),
        # closing with 10 m/s at 50 m: 0.73 (1 - 0.1296 - ((34 + 200 / (2 sqrt(0.73 1.67))) / 50)^2)
        pytest.param(20.0, 50.0, 10.0, -3.8957, id="closes-in"),
        pytest.param(30.0, 5.0, 0.0, -FULL_MPS2, id="as-hard-as-it-can"),
    ],
)
def test_the_model_is_the_published_one(speed: float, gap: float, lead: float, expected: float) -> None:
    assert accel_mps2(DRIVER, speed, gap, lead) == pytest.approx(expected, abs=2e-3)


@given(SPEEDS, GAPS, SPEEDS)
def test_it_never_does_more_than_it_can_and_less_room_never_makes_it_faster(
    speed: float, gap: float, lead: float
) -> None:
    found = accel_mps2(DRIVER, speed, gap, lead)
    assert -FULL_MPS2 <= found <= DRIVER.accel_mps2
    assert accel_mps2(DRIVER, speed, 0.5 * gap, lead) <= found + 1e-9


@given(SPEEDS, GAPS, SPEEDS)
def test_who_comes_in_is_made_room_for_without_hard_braking(speed: float, gap: float, lead: float) -> None:
    seen = Seen(speed, coming=(gap, lead))
    free = accel_mps2(DRIVER, speed)
    assert reaction_mps2(replace(DRIVER, makes_room=False), speed, seen) == free
    assert min(free, -DRIVER.brakes_mps2) <= reaction_mps2(DRIVER, speed, seen) <= free


def follower(gap_m: float, speed_mps: float, **changes: float) -> Actor:
    reacts = replace(DRIVER, **{"wants_mps": 1.2 * speed_mps, **changes})  # type: ignore[arg-type]
    return Actor(kind=ObjectClass.CAR, x_m=-gap_m - 2.15, speed_mps=speed_mps, y_m=0.0, is_behind=True, reacts=reacts)


def driven(*actors: Actor, speed_mps: float = 20.0, lane: bool = True) -> Outcome:
    case = Drive(name="it", speed_mps=speed_mps, actors=actors, lane="straight" if lane else "none", long_s=20.0)
    return drive(case, MARKET, VEHICLE, loop_graph())


LEAD = Actor(kind=ObjectClass.CAR, x_m=42.0, y_m=0.0, speed_mps=20.0, brakes_at_s=2.0, decel_mps2=4.0)


def test_who_follows_us_stops_behind_us() -> None:
    found = driven(LEAD, follower(40.0, 20.0))
    assert found.impact_mps is None and 1.0 < found.behind_m < 40.0
    assert 1.0 < found.behind_mps2 <= FULL_MPS2


def test_a_slower_reaction_brakes_harder_behind_us() -> None:
    quick, slow = (driven(LEAD, follower(40.0, 20.0, reaction_s=late_s)) for late_s in (0.0, 1.5))
    assert slow.behind_m < quick.behind_m


def test_who_follows_too_near_runs_into_us_and_that_is_told() -> None:
    found = driven(LEAD, follower(6.0, 20.0, headway_s=0.2))
    assert found.is_from_behind and found.impact_kmh == 0.0, "the harm is theirs"


def test_nobody_behind_is_not_told() -> None:
    assert "behind_m" not in driven(LEAD).result("it", {}, "pass", [])


def test_a_car_that_makes_room_is_slower_when_the_other_one_comes_in() -> None:
    """Beside our way, so that nothing of ours has a part in it; it brakes comfortably before the other one is there."""
    ahead = Actor(
        kind=ObjectClass.CAR, x_m=60.0, y_m=10.5, speed_mps=20.0, shifts_at_s=1.0, shift_mps=1.0, shift_to_y_m=7.0
    )
    ended: dict[bool, float] = {}
    for makes_room in (True, False):
        driver = replace(DRIVER, makes_room=makes_room)
        mine = replace(follower(0.0, 20.0), x_m=30.0, y_m=7.0, is_behind=False, reacts=driver)
        ours = _Ours((4.3, 1.8))
        one, other = _Body.of(mine, ours, None), _Body.of(ahead, ours, None)
        one.around = other.around = (ours, one, other)
        hardest = 0.0
        for step in range(250):  # it is in the way from 2.7 s on
            for body in (one, other):
                body.move(step * 0.01, step * 0.2, 20.0)
            hardest = max(hardest, -one.accel_mps2)
        assert hardest <= DRIVER.brakes_mps2
        ended[makes_room] = one.speed_mps
    assert ended[True] < ended[False] - 0.3


FAMILY = """\
format: 1
name: mine
title: Somebody follows
grid: {headway_s: [0.2, 1.6]}
speed_kmh: 72
actors:
  - {kind: car, rear_m: 30, speed_kmh: 72, brakes: {at_s: 1.0, decel_mps2: 6}}
  - {kind: car, behind_m: "2 + 20 * $headway_s", speed_kmh: 72, reacts: {headway_s: $headway_s}}
judge: {impact_max_kmh: 0}
"""


def write(folder: Path, *change: str) -> Path:
    path = folder / "mine.yaml"
    path.write_text(FAMILY.replace(*change) if change else FAMILY, encoding="utf-8")  # type: ignore[arg-type]
    return path


def test_a_family_judges_who_is_behind_apart(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "run", str(write(tmp_path)), "--json"]) == 0
    near, far = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert near["verdict"] == "not_applicable" and near["failures"] == ["run into from behind"]
    assert far["verdict"] == "pass" and far["behind_m"] > 1.0 and far["behind_mps2"] > 1.0


def test_who_is_run_into_for_no_reason_is_to_blame(tmp_path: Path) -> None:
    """Where nothing may be braked for, a collision from behind is ours."""
    family = Family(write(tmp_path, "impact_max_kmh: 0", "is_quiet: true"))
    struck = driven(LEAD, follower(6.0, 20.0, headway_s=0.2))
    assert family.judged(family.cases[0], struck)["verdict"] == "fail"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(("rear_m: 30, ", ""), "rear_m, behind_m, later_s or on_our_way", id="no-place"),
        pytest.param(("behind_m:", "rear_m: 3, behind_m:"), "rear_m, behind_m, later_s or on_our_way", id="two-places"),
        pytest.param(("reacts: {", "brakes: {at_s: 1, decel_mps2: 1}, reacts: {"), "brakes by itself", id="brakes-too"),
        pytest.param(("reacts: {", "heading_deg: 90, reacts: {"), "drives as we do", id="turned"),
        pytest.param(("reacts: {", "reacts: {accel_mps2: 0, "), "above 0", id="no-acceleration"),
        pytest.param(("reacts: {", "reacts: {reaction_s: 60, "), "reaction_s", id="asleep"),
        pytest.param(("reacts: {", "reacts: {wants_kmh: $fast, "), "$fast", id="parameter"),
    ],
)
def test_a_wrong_driver_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], told: str
) -> None:
    assert main(["scenario", "run", str(write(tmp_path, *change))]) == 2
    err = capsys.readouterr().err
    assert told in err and "mine.yaml" in err and err.count("\n") == 1


def test_the_shipped_families_hit_nobody_ahead() -> None:
    """At the ends of their grids; who follows 1.6 s behind stops behind us."""
    graph = loop_graph()
    for name in ("followed", "makes_room"):
        family = Family(family_path(name))
        for case in (family.cases[0], family.cases[len(family.cases) // 2], family.cases[-1]):
            found = drive(case.drive, MARKET, VEHICLE, graph)
            assert found.impact_mps is None or found.is_from_behind
            if case.parameters.get("headway_s", 1.6) == 1.6:
                assert found.impact_mps is None and found.behind_m > 1.0
