"""Limits where no sign stands: the survey's numbers, and that what is not known stays unknown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from market_files import write

from adas_runtime.market import load_market, market_names
from adas_runtime.market.facts import PLACES, Place, places
from adas_runtime.market.laws import ShippedLaws, carried_laws
from adas_runtime.market.rules import load_rules
from adas_runtime.signals import LimitKind, RoadClass, SpeedUnit
from adas_runtime.units import kmh_to_mps, mph_to_mps

MARKETS = {name: load_market(name, is_dated=False) for name in market_names()}
NONE, WALK, UNKNOWN = "none", "walk", "unknown"

# matrix.md section 4, isa.md section 9: living street, urban, rural, dual carriageway, expressway, motorway
SHEET: dict[str, tuple[Any, ...]] = {
    "de": (WALK, 50, 100, NONE, UNKNOWN, NONE),
    "fr": (20, 50, 80, 110, UNKNOWN, 130),
    "it": (UNKNOWN, 50, 90, UNKNOWN, 110, 130),
    "es": (20, 30, 90, UNKNOWN, UNKNOWN, 120),
    "nl": (15, 50, 80, UNKNOWN, 100, 130),
    "se": (WALK, 50, 70, 70, UNKNOWN, 110),
    "no": (WALK, 50, 80, 80, UNKNOWN, UNKNOWN),
    "pl": (20, 50, 90, 100, 100, 140),
    "gb": (UNKNOWN, 30, 60, 70, UNKNOWN, 70),
    "ch": (20, 50, 80, UNKNOWN, 100, 120),
    "jp": (UNKNOWN, 60, 60, 60, UNKNOWN, 100),
    "kr": (UNKNOWN, 50, 60, UNKNOWN, UNKNOWN, UNKNOWN),
    "au": (UNKNOWN, 50, 100, 100, UNKNOWN, UNKNOWN),
    "nz": (UNKNOWN, 50, 100, 100, UNKNOWN, 100),
    "ae": (UNKNOWN, 40, 100, 100, UNKNOWN, 120),
    "sa": (UNKNOWN, 50, 120, 120, UNKNOWN, UNKNOWN),
    "th": (UNKNOWN, 80, 90, 100, UNKNOWN, 120),
    "sg": (UNKNOWN, 50, 50, UNKNOWN, UNKNOWN, UNKNOWN),
    "my": (UNKNOWN,) * 6,
    "br": (UNKNOWN, UNKNOWN, 100, 110, UNKNOWN, 110),
    "mx": (UNKNOWN,) * 6,
    "us": (UNKNOWN,) * 6,
    "cn": (UNKNOWN, 50, 70, UNKNOWN, UNKNOWN, 120),
    "eu": (UNKNOWN,) * 6,
    # the open table, where a map can tell its cases apart
    "at": (WALK, 50, 100, 100, 100, 130),
    "be": (20, UNKNOWN, UNKNOWN, 120, UNKNOWN, 120),
    "cy": (UNKNOWN,) * 6,
    "cz": (20, 50, 90, 90, 90, 130),
    "dk": (15, 50, 80, 80, 80, 130),
    "fi": (20, 50, UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    "ie": (UNKNOWN, 50, UNKNOWN, UNKNOWN, UNKNOWN, 120),
    "lt": (20, 50, 90, 90, 120, 130),
    "ro": (20, 50, UNKNOWN, UNKNOWN, UNKNOWN, 130),
}
KINDS: tuple[Place, ...] = ("living_street", "urban", "rural", "rural_dual", "expressway", "motorway")
ROWS = [(name, kind, value) for name, row in SHEET.items() for kind, value in zip(KINDS, row, strict=True)]


def mps(name: str, value: float) -> float:
    return mph_to_mps(value) if MARKETS[name].speed_unit is SpeedUnit.MPH else kmh_to_mps(value)


@pytest.mark.parametrize(("name", "kind", "value"), ROWS)
def test_the_limit_is_that_of_the_survey(name: str, kind: Place, value: object) -> None:
    found = MARKETS[name].default_limit(kind)
    assert found.unit is MARKETS[name].speed_unit
    if value == UNKNOWN:
        assert found.kind is LimitKind.UNKNOWN and found.limit_mps is None and not found.conditional
    elif value == NONE:
        assert found.kind is LimitKind.NO_LIMIT and found.limit_mps is None
    elif value == WALK:
        assert found.kind is LimitKind.IMPLICIT and found.limit_mps is None and found.is_walking_pace
    else:
        assert isinstance(value, int)
        assert found.kind is LimitKind.IMPLICIT and found.limit_mps == pytest.approx(mps(name, value))


# country, road, condition, limit: matrix.md section 4, adaptations.md sections 7 and 8
CASES: list[tuple[str, Place, str, float]] = [
    ("fr", "motorway", "wet", 110),
    ("fr", "rural_dual", "wet", 100),
    ("fr", "rural_multilane", "wet", 80),
    ("it", "motorway", "wet", 110),
    ("it", "expressway", "wet", 90),
    ("de", "motorway", "trailer", 80),
    ("de", "rural", "trailer", 80),
    ("es", "motorway", "trailer", 90),
    ("nl", "motorway", "trailer", 90),
    ("pl", "rural", "trailer", 70),
    ("pl", "rural_multilane", "trailer", 70),
    ("pl", "motorway", "trailer", 80),
    ("gb", "rural", "trailer", 50),
    ("gb", "motorway", "trailer", 60),
    ("th", "urban", "trailer", 45),
    ("at", "motorway", "trailer", 100),
    ("lu", "motorway", "wet", 110),
    ("lt", "motorway", "Nov-Mar", 110),
]


@pytest.mark.parametrize(("name", "kind", "condition", "value"), CASES)
def test_trailer_and_rain(name: str, kind: Place, condition: str, value: float) -> None:
    cases = {item.condition: item.limit_mps for item in MARKETS[name].default_limit(kind).conditional}
    assert cases[condition] == pytest.approx(mps(name, value))


@pytest.mark.parametrize("name", MARKETS)
@pytest.mark.parametrize("kind", PLACES)
def test_a_condition_never_raises_a_limit(name: str, kind: Place) -> None:
    found = MARKETS[name].default_limit(kind)
    for item in found.conditional:
        assert item.limit_mps is not None and item.condition
        assert found.limit_mps is None or item.limit_mps < found.limit_mps


def test_regions() -> None:
    au, us, gb = MARKETS["au"], MARKETS["us"], MARKETS["gb"]
    assert au.default_limit("rural", region="AU-WA").limit_mps == pytest.approx(110 / 3.6)
    assert au.default_limit("rural", region="AU-NSW").limit_mps == pytest.approx(100 / 3.6)
    assert au.default_limit("rural", region="AU-TAS").kind is LimitKind.UNKNOWN
    assert us.default_limit("urban", region="US-CA").limit_mps == pytest.approx(mph_to_mps(25))
    assert us.default_limit("urban", region="US-NV").kind is LimitKind.UNKNOWN
    assert gb.default_limit("urban", region="GB-WLS").kind is LimitKind.UNKNOWN, "20 there, by hearsay"


def test_an_advised_speed_is_never_a_limit() -> None:
    found = MARKETS["de"].default_limit("motorway")
    assert found.advisory_mps == pytest.approx(130 / 3.6) and found.limit_mps is None


def test_fog_and_chains() -> None:
    assert [(item.below_m, item.limit) for item in MARKETS["de"].speed_defaults.low_visibility] == [(50, 50)]
    assert [(item.below_m, item.limit) for item in MARKETS["cn"].speed_defaults.low_visibility] == [
        (50, 20),
        (100, 40),
        (200, 60),
    ]
    assert MARKETS["de"].speed_defaults.snow_chains == 50.0 and MARKETS["fr"].speed_defaults.snow_chains == UNKNOWN


# --- which kind of road it is -----------------------------------------------------------------------------------------


def limit_of(name: str, road_class: RoadClass, **known: Any) -> Any:
    found = MARKETS[name].default_limit(*places(road_class, **known))
    return UNKNOWN if found.kind is LimitKind.UNKNOWN else found.limit_mps and round(found.limit_mps * 3.6, 6)


def test_what_the_map_does_not_tell_is_not_guessed() -> None:
    country = RoadClass.SECONDARY
    assert limit_of("fr", country, is_built_up=False, is_dual=False, lanes=1) == 80
    assert limit_of("fr", country, is_built_up=False, is_dual=False, lanes=2) == 90
    assert limit_of("fr", country, is_built_up=False, is_dual=True) == 110
    assert limit_of("fr", country, is_built_up=False, is_dual=False) == UNKNOWN, "80 or 90"
    assert limit_of("fr", country, is_dual=False, lanes=1) == UNKNOWN, "50 or 80"
    assert limit_of("fr", RoadClass.UNKNOWN) == UNKNOWN
    assert limit_of("fr", RoadClass.MOTORWAY) == 130
    assert limit_of("sg", country, is_dual=False) == 50, "all that it may be has the same limit"
    assert limit_of("jp", RoadClass.RESIDENTIAL, is_built_up=True, is_dual=False, lanes=1) == UNKNOWN, "30 or 60"
    known = {"is_built_up": True, "is_dual": False, "lanes": 1}
    assert limit_of("jp", RoadClass.RESIDENTIAL, has_centre_line=False, **known) == 30
    assert limit_of("jp", RoadClass.PRIMARY, **known) == 60
    assert limit_of("pl", country, is_expressway=True, is_dual=True) == 120
    assert limit_of("pl", country, is_expressway=True) == UNKNOWN, "100 or 120"


maybe = st.none() | st.booleans()


@given(
    name=st.sampled_from(sorted(MARKETS)),
    road_class=st.sampled_from(list(RoadClass)),
    known=st.fixed_dictionaries(
        {
            "is_built_up": maybe,
            "is_dual": maybe,
            "lanes": st.none() | st.integers(1, 6),
            "is_expressway": maybe,
            "has_centre_line": maybe,
        }
    ),
)
def test_knowing_less_never_changes_a_limit_only_hides_it(
    name: str, road_class: RoadClass, known: dict[str, Any]
) -> None:
    full = limit_of(name, road_class, **known)
    for key in ("is_built_up", "is_dual", "lanes"):
        assert limit_of(name, road_class, **{**known, key: None}) in (full, UNKNOWN) or known[key] is None


def test_a_file_of_ones_own_may_add_a_region(tmp_path: Path) -> None:
    body = 'speed_defaults: {regions: {DE-BY: {rural: {value: 90, conf: e, src: "a trial"}}}}\n'
    market = load_market(write(tmp_path, body), is_dated=False)
    assert market.default_limit("rural", region="DE-BY").limit_mps == pytest.approx(25.0)
    assert market.default_limit("rural").limit_mps == pytest.approx(100 / 3.6)


def test_a_run_carries_the_law_of_its_market_and_of_its_neighbours_and_of_no_other() -> None:
    laws = carried_laws(MARKETS["de"])
    assert laws["DE"].value_for(("rural",)) == 100.0 and laws["PL"].value_for(("motorway",)) == 140.0
    assert laws["AT"].value_for(("living_street",)) == "walk" and laws["DE"].value_for(("motorway",)) == "none"
    assert laws["FR"].value_for(("rural", "rural_multilane")) == UNKNOWN, "80 or 90"
    assert "JP" not in laws


def test_neighbours_carry_each_other() -> None:
    """A border is crossed both ways."""
    for name, market in MARKETS.items():
        for other in market.isa.abroad:
            assert name[:2] in MARKETS[other].isa.abroad, (name, other)


def test_the_law_of_every_country_is_that_of_its_market_and_is_read_when_asked() -> None:
    laws = ShippedLaws()
    assert laws["AT"].value_for(("rural",)) == 100.0
    assert laws.get("LI") is None and "EU" in laws and "GB-NIR" not in laws
    for name in laws:
        assert laws[name].unit is MARKETS[name.lower()].speed_unit


def test_every_member_of_the_union_has_a_market_of_its_own() -> None:
    members = load_rules().members("EU")
    assert len(members) == 27
    for code in members:
        market = MARKETS[code.lower()]
        assert market.market == code and market.title != MARKETS["eu"].title


# --- the open table as an oracle --------------------------------------------------------------------------------------

ORACLE: dict[Place, tuple[str, ...]] = {"urban": ("urban",), "rural": ("rural",), "motorway": ("motorway",)}


@pytest.mark.data
@pytest.mark.parametrize("name", [name for name in MARKETS if name not in ("eu", "gb-nir")])
def test_no_number_contradicts_the_open_table(name: str, shared_data: Path) -> None:
    text = (shared_data / "maps" / "legal_default_speeds.json").read_text(encoding="utf-8")
    rows = json.loads(text)["speedLimitsByCountryCode"].get(name.upper(), [])
    for kind, words in ORACLE.items():
        found = MARKETS[name].default_limit(kind)
        for row in rows:
            limit = row["tags"].get("maxspeed", "")
            number = limit.partition(" ")[0]
            if row.get("name") in words and number.isdigit() and found.limit_mps is not None:
                assert found.limit_mps == pytest.approx(mps(name, float(number))), (kind, row)
