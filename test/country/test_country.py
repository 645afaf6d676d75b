"""A car in a country that its market is not released for says so: after the border, not along it, and once."""

from __future__ import annotations

import pytest

from adas_runtime.country.core import CODE, HYSTERESIS_M, CountryWatch, Inputs, _listed, build, lower_abroad
from adas_runtime.function import REASON_MAX_BYTES, BuildContext
from adas_runtime.market import load_market
from adas_runtime.signals import Alert, AlertLevel, Horizon, HorizonSegment, VehicleState
from adas_runtime.vehicle import load_vehicle


class Drive:
    """Half a second a step; the map tells a country, or nothing."""

    def __init__(self, market: str = "de") -> None:
        context = BuildContext(market=load_market(market, is_dated=False), vehicle=load_vehicle("reference"))
        self.core: CountryWatch = build(context)
        self.now_s, self.state, self.alerts = 1000.0, "", list[Alert]()

    def go(self, country: str | None, metres: float, *, speed_mps: float = 20.0, confidence: float = 0.9) -> Drive:
        for _ in range(max(1, round(metres / speed_mps / 0.5))):
            segment = HorizonSegment(offset_m=-5.0, length_m=500.0, probability=1.0, country=country or "")
            horizon = Horizon(stamp_s=self.now_s, is_matched=True, confidence=confidence, segments=(segment,))
            vehicle = VehicleState(stamp_s=self.now_s, speed_mps=speed_mps)
            said = self.core.step(Inputs(horizon=None if country is None else horizon, vehicle=vehicle), self.now_s)
            self.state = said.status.state
            self.alerts += [said.alert] if said.alert is not None else []
            self.now_s += 0.5
        return self


@pytest.mark.clause("matrix 1.8")
def test_where_the_stages_are_lower_the_driver_is_told_behind_the_border() -> None:
    """In Switzerland nobody knows the law of speed assistance: off there, warn in Germany."""
    drive = Drive().go("DE", 1000.0)
    assert drive.state == "home" and not drive.alerts
    drive.go("CH", HYSTERESIS_M - 20.0)
    assert drive.state == "home" and not drive.alerts
    drive.go("CH", 60.0)
    assert drive.state == "not_released" and drive.alerts
    first = drive.alerts[0]
    assert first.code == CODE and first.is_active and first.level is AlertLevel.INFO
    assert "in CH, market DE" in first.cause and "isa off there, warn here" in first.cause
    assert "shadow here" not in first.cause, "what touches nobody here is missed by nobody there"
    drive.go("DE", HYSTERESIS_M + 60.0)
    assert drive.state == "home" and not drive.alerts[-1].is_active
    assert sum(not alert.is_active for alert in drive.alerts) == 1


def test_what_does_not_fit_into_the_text_is_counted_and_never_cut_off() -> None:
    many = tuple(f"function_{number} off there, warn here" for number in range(20))
    text = _listed("in CH, market DE: ", many)
    assert text.endswith(" more") and many[0] in text and len(text.encode()) <= REASON_MAX_BYTES
    shown = text.count("off there")
    assert text.endswith(f" and {20 - shown} more")


def test_a_neighbour_that_releases_as_much_is_told_to_nobody() -> None:
    drive = Drive().go("DE", 500.0).go("AT", 1000.0)
    assert drive.state == "abroad" and not drive.alerts


def test_a_country_that_the_run_does_not_carry_is_told_at_once_at_the_start() -> None:
    drive = Drive().go("JP", 10.0)
    assert drive.state == "not_released" and "whose rules market DE does not carry" in drive.alerts[0].cause


def test_a_road_along_a_border_and_a_match_that_is_not_sure_change_nothing() -> None:
    drive = Drive().go("DE", 500.0)
    for _ in range(5):
        drive.go("CH", 200.0).go("DE", 50.0)
    assert drive.state == "home" and not drive.alerts
    drive.go("CH", 2000.0, confidence=0.3).go(None, 500.0).go("", 500.0)
    assert drive.state == "home" and not drive.alerts


def test_without_a_map_nothing_is_told() -> None:
    drive = Drive().go(None, 500.0)
    assert drive.state == "unknown" and not drive.alerts


def test_a_union_is_at_home_in_its_members_and_a_part_in_its_country() -> None:
    assert Drive("eu").go("PT", 50.0).state == "home"
    assert Drive("gb-nir").go("GB", 50.0).state == "home"


def test_it_says_of_each_carried_country_what_is_lower() -> None:
    found = lower_abroad(load_market("de"))
    assert found["AT"] == () and "isa off there, warn here" in found["CH"]


def test_time_that_runs_back_ends_the_alert() -> None:
    drive = Drive().go("JP", 50.0)
    drive.now_s -= 100.0
    drive.go(None, 10.0)
    assert not drive.alerts[-1].is_active and drive.state == "unknown"
