"""The markets that ship: each may be used, keeps every protection, and holds the sheets' values with their sources."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
import yaml

from adas_runtime.config import Key, field_at
from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph, live_topic
from adas_runtime.market import load_market, market_names
from adas_runtime.market.load import BASE, CONFIDENCE, Merged, market_path, markets_dir, merge
from adas_runtime.market.load import FACTS as SECTIONS
from adas_runtime.market.report import checked, leaves, values
from adas_runtime.market.rules import load_rules
from adas_runtime.market.schema import Features, Market
from adas_runtime.signals import ActuationCommand, FunctionStatus, Stage, VehicleState
from adas_runtime.vehicle import load_vehicle, vehicle_names

NAMES = market_names()
COUNTRIES = [name for name in NAMES if name != "eu"]  # a union of countries that drive on both sides
PROTECTIONS = ("envelope", "health")


def merged(name: str) -> Merged:
    return merge(market_path(name))


def test_the_markets_of_this_release_are_there() -> None:
    surveyed = "eu de fr it es nl se no pl gb gb-nir ch jp kr au nz ae sa th sg my br mx us cn"
    members = {code.lower() for code in load_rules().members("EU")}
    assert set(surveyed.split()) | members == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_it_may_be_used_today_and_is_named_after_its_country(name: str) -> None:
    assert [item.line() for item in checked(name, date.today()).findings] == []
    assert load_market(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_no_file_repeats_a_parameter_of_its_parent(name: str) -> None:
    """A repeated choice stays behind when the parent's is corrected. Stages and facts are each market's own word."""
    layers = merged(name).layers
    own = layers[0].document
    parents = merge(layers[1].path) if layers[1].name != BASE else None
    for key, value in leaves(own.data):
        former = (parents.document if parents else layers[1].document).value(key)
        assert value != former or key[0] in ("format", "revision", "features", *SECTIONS), (
            f"{own.origin(key)}: repeats {key}"
        )


@pytest.mark.parametrize("name", [BASE, *NAMES])
def test_every_fact_has_a_confidence_and_a_source(name: str) -> None:
    found = yaml.safe_load((markets_dir() / f"{name}.yaml").read_text(encoding="utf-8"))
    count = 0
    for section in SECTIONS:
        for key, value in leaves(found.get(section, {}), (section,)):
            if key[-1] == "conf":
                assert value in CONFIDENCE, key
                count += 1
            if key[-1] == "src":
                assert len(value) > 4, key
    assert count or name == "eu"


@pytest.mark.parametrize("name", COUNTRIES)
def test_each_country_states_the_side_of_traffic_itself(name: str) -> None:
    item = next(item for item in values(merged(name)) if item.key == "road.traffic_side")
    assert item.is_own and item.provenance.conf in ("p", "s")


@pytest.mark.data
@pytest.mark.parametrize("name", COUNTRIES)
def test_side_and_unit_are_those_of_the_table_of_borders(name: str, shared_data: Path) -> None:
    text = (shared_data / "maps" / "country_borders.json").read_text(encoding="utf-8")
    areas = [item["properties"] for item in json.loads(text)["features"]]
    code = name.upper().partition("-")[0]
    own = [item for item in areas if item.get("iso1A2") == code and "groups" in item]
    own += [  # a country in several pieces: its own land, no territories overseas
        item
        for item in areas
        if item.get("country") == code and "iso1A2" not in item and "level" not in item and "callingCodes" in item
    ]
    own = own or [item for item in areas if item.get("iso1A2") == code]
    road = load_market(name).road
    assert {item.get("driveSide", "right") for item in own} == {road.traffic_side}
    assert {item.get("roadSpeedUnit", "km/h").replace("/", "") for item in own} == {road.speed_unit}


# matrix.md sections 4 and 6, adaptations.md sections 1 to 3, lane_keeping.md section 6 (R130 Annex 3)
FACTS = [
    ("de", "road.traffic_side", "right"),
    ("de", "lanes.dash", (6.0, 12.0)),
    ("de", "lanes.line_width", (0.30, 0.15)),
    ("de", "lanes.works.colours", ("yellow",)),
    ("de", "lanes.works.overrides_permanent", True),
    ("de", "lanes.opposing_line_colour", "white"),
    ("jp", "road.traffic_side", "left"),
    ("jp", "lanes.dash", (4.0, 12.0)),
    ("jp", "lanes.line_width", (0.10, 0.10)),
    ("jp", "lanes.works.overrides_permanent", False),
    ("ae", "road.traffic_side", "right"),
    ("ae", "lanes.opposing_line_colour", "yellow"),
    ("ae", "lanes.edge_line_colour", "yellow"),
    ("ae", "lanes.works.overrides_permanent", False),
    ("cn", "road.traffic_side", "right"),
    ("cn", "lanes.width.nominal_m", 3.75),
    ("cn", "lanes.works.overrides_permanent", False),
    *[(name, "road.speed_unit", "mph" if name in ("gb", "gb-nir", "us") else "kmh") for name in NAMES],
]


@pytest.mark.parametrize(("name", "key", "expected"), FACTS)
def test_the_facts_are_those_of_the_sheets(name: str, key: str, expected: object) -> None:
    value: object = load_market(name)
    for part in key.split("."):
        value = getattr(value, part)
    assert (tuple(value.model_dump().values()) if hasattr(value, "model_dump") else value) == expected


@pytest.mark.parametrize("name", NAMES)
def test_yellow_is_works_or_opposing_traffic_never_both(name: str) -> None:
    lanes = load_market(name).lanes
    assert not (lanes.works.overrides_permanent and lanes.opposing_line_colour in lanes.works.colours)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.clause("R130 5.2.3")
@pytest.mark.clause("R130 5.2.1")
@pytest.mark.clause("R130 6.5")
@pytest.mark.clause("R130 5.4.1")
def test_lane_departure_warns_as_the_regulation_asks(name: str) -> None:
    params = load_market(name).lane_departure
    assert params.active_until_kmh <= params.active_from_kmh <= 60.0
    assert params.curve_cut_radius_m <= 250.0
    assert params.drift_rate_min_mps < 0.1, "the slowest departure of the test is 0.1 m/s"
    assert params.warn_at_dtlm_m >= 0.0, "design target of lane_keeping.md section 2; the law's latest is -0.3 m"
    assert params.is_acoustic or params.is_haptic
    assert sum((params.is_optical, params.is_acoustic, params.is_haptic)) >= 2


# --- protections: peers 6.5, no bundle ships with a safety check left off --------------------------------------------


def test_a_protection_has_no_switch() -> None:
    graph = default_graph()
    assert all(not graph.function(name).has_stage for name in PROTECTIONS)
    assert not set(PROTECTIONS) & set(Features.model_fields)


@pytest.mark.parametrize("vehicle", vehicle_names())
@pytest.mark.parametrize("name", NAMES)
def test_every_protection_runs_and_reaches_the_car_in_every_market(name: str, vehicle: str) -> None:
    market = load_market(name)
    executor = Executor(default_graph(), BuildContext(market=market, vehicle=load_vehicle(vehicle)), market.stages())
    said = []
    for step in range(200):
        now_s = 1000.0 + step * 0.01
        said += executor.offer("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=25.0), now_s)
        said += executor.advance(now_s + 0.005)
    commands = [item for item in said if item.function == "envelope" and isinstance(item.signal, ActuationCommand)]
    assert len(commands) >= 190 and {item.topic for item in commands} == {live_topic("envelope", "command")}
    status = {item.function: item.signal for item in said if isinstance(item.signal, FunctionStatus)}
    assert all(status[protection].stage is Stage.ON for protection in PROTECTIONS)


@pytest.mark.parametrize("name", NAMES)
def test_the_envelope_is_tighter_than_the_law_and_its_watchdogs_are_fast(name: str) -> None:
    envelope, health = load_market(name).envelope, load_market(name).health
    assert envelope.lateral_accel_max_mps2 <= 3.0 and envelope.lateral_jerk_max_mps3 <= 5.0  # R79 5.6.2.1.3
    assert envelope.override_torque_nm <= 9.0  # R79 5.6.2.1.3(a)
    assert envelope.demand_frozen_s <= 0.15, "a stuck sender is noticed within 150 ms"
    assert health.silent_after_s <= 2.0 and health.fault_after_s <= 0.5


@pytest.mark.parametrize("name", NAMES)
def test_every_value_is_one_the_schema_knows(name: str) -> None:
    for item in values(merged(name)):
        key: Key = tuple(item.key.split("."))
        assert field_at(Market, key) is not None
