"""Distances to the car ahead, country by country: the tests that adaptations.md section 4 asks for."""

from __future__ import annotations

import functools
from itertools import product
from pathlib import Path

import pytest

from adas_runtime.errors import ConfigError
from adas_runtime.market import load_market as read_market
from adas_runtime.market.facts import Following
from adas_runtime.resources import config_dir
from adas_runtime.units import kmh_to_mps

load_market = functools.cache(read_market)
MARKETS = sorted(path.stem for path in (config_dir() / "markets").glob("*.yaml") if path.stem != "base")


@pytest.mark.parametrize(
    ("market", "speed_kmh", "gap_m"),
    [
        pytest.param("fr", 120, 66.7, id="FR-120-R412-12"),
        pytest.param("de", 120, 66.7, id="DE-120-half-speedometer-is-unchecked"),
        pytest.param("cn", 120, 100.0, id="CN-120-art-80"),
        pytest.param("au", 120, 100.0, id="AU-NSW-120"),
        pytest.param("cn", 101, 100.0, id="CN-101-above-100"),
        pytest.param("cn", 100, 55.6, id="CN-100-two-seconds-floor-50"),
        pytest.param("cn", 70, 50.0, id="CN-70-floor-50"),
        pytest.param("us", 120, 100.0, id="US-120-advice-3-s"),
    ],
)
def test_least_distance_of_the_market(market: str, speed_kmh: float, gap_m: float) -> None:
    """Adaptations 4, last line."""
    assert load_market(market).following.gap_m(kmh_to_mps(speed_kmh)) == pytest.approx(gap_m, abs=0.05)


@pytest.mark.parametrize(
    ("market", "circumstances", "seconds"),
    [
        pytest.param("de", {}, 2.0, id="DE-dry"),
        pytest.param("de", {"is_wet": True}, 3.0, id="DE-wet"),
        pytest.param("es", {"is_wet": True}, 4.0, id="ES-wet-doubles"),
        pytest.param("de", {"has_trailer": True}, 3.0, id="DE-trailer-1-s-more"),
        pytest.param("fr", {"is_tunnel": True}, 2.0, id="FR-tunnel"),
        pytest.param("au", {"is_tunnel": True}, 3.0, id="AU-tunnel-never-less-than-outside"),
        pytest.param("de", {"choice": 1}, 2.5, id="DE-longer-choice"),
    ],
)
def test_time_gap_of_the_market(market: str, circumstances: dict[str, bool], seconds: float) -> None:
    """Adaptations 4: legal gap, wet factor, tunnel, trailer, the driver's choice."""
    assert load_market(market).following.time_gap_s(**circumstances) == pytest.approx(seconds)


def test_fog_on_a_chinese_motorway() -> None:
    """Adaptations 4 `follow.low_visibility`: 100 m below 200 m of sight, 50 m below 100 m."""
    facts = load_market("cn").following
    assert facts.gap_m(kmh_to_mps(60), visibility_m=150.0) == 100.0
    assert facts.gap_m(kmh_to_mps(40), visibility_m=80.0) == 50.0
    assert facts.gap_m(kmh_to_mps(60)) == 50.0


@pytest.mark.parametrize("market", MARKETS)
def test_no_driver_can_choose_less_than_the_market(market: str) -> None:
    """Adaptations 4: a driver cannot select 1.0 s in FR, nor anything below any market's least gap."""
    facts = load_market(market).following
    for choice, is_wet, is_tunnel, has_trailer in product(range(-3, 8), *[(False, True)] * 3):
        gap_s = facts.time_gap_s(choice=choice, is_wet=is_wet, is_tunnel=is_tunnel, has_trailer=has_trailer)
        assert gap_s >= facts.time_gap_min_s
        assert gap_s >= 2.0, "no shipped market is below two seconds"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        pytest.param("selectable_extra_s: [-0.5, 0.0]", "selectable_extra_s", id="choice-below-the-least-gap"),
        pytest.param("selectable_extra_s: [0.5, 0.0]", "must rise", id="choices-out-of-order"),
        pytest.param("time_gap_min_s: {value: 0.5, conf: p, src: x}", "time_gap_min_s", id="half-a-second"),
        pytest.param(
            "cut_in_expected_gap_s: {value: 2.0, conf: e, src: x}\n  time_gap_min_s: {value: 1.5, conf: p, src: x}",
            "would be warned",
            id="warned-at-the-least-gap",
        ),
    ],
)
def test_a_market_file_that_allows_less_is_refused(tmp_path: Path, line: str, complaint: str) -> None:
    """The file cannot open what the driver cannot."""
    path = tmp_path / "xx.yaml"
    path.write_text(
        'format: 1\nmarket: "FR"\ntitle: Test\nrevision: "1"\nextends: fr\n\nfollowing:\n  ' + line + "\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=complaint):
        read_market(str(path))


@pytest.mark.parametrize("market", MARKETS)
def test_distance_never_shrinks_with_speed(market: str) -> None:
    """A faster car never keeps less."""
    facts: Following = load_market(market).following
    gaps = [facts.gap_m(kmh_to_mps(speed)) for speed in range(0, 251)]
    assert gaps == sorted(gaps)
