"""Set speed, limit and chosen gap: T23 to T25 of the DCAS sheet, the buttons, and what always holds."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.dcas.speed import Allowed, Asked, SetSpeed, country_maximum_mps
from adas_runtime.market import load_market as read_market
from adas_runtime.units import kmh_to_mps, mph_to_mps

load_market = functools.cache(read_market)
PERIOD_S = 0.05


class Driver:
    """Somebody at the buttons of a car that drives at a speed; time as data."""

    def __init__(self, market: str = "de", *, speed_kmh: float = 100.0, **options: Any) -> None:
        loaded = load_market(market)
        self.core = SetSpeed(loaded.longitudinal, loaded, **options)
        self.now_s = 0.0
        self.speed_mps = kmh_to_mps(speed_kmh)
        self.limit_kmh: float | None = None
        self.is_active = False
        self.said: list[Allowed] = []

    def step(self, *pressed: str, **changes: Any) -> Allowed:
        values: dict[str, Any] = {
            "speed_mps": self.speed_mps,
            "pressed": pressed,
            "limit_mps": None if self.limit_kmh is None else kmh_to_mps(self.limit_kmh),
            "is_active": self.is_active,
        }
        self.now_s += PERIOD_S
        said = self.core.step(Asked(**(values | changes)), self.now_s)
        self.said.append(said)
        return said

    def switch_on(self, *pressed: str) -> Allowed:
        self.is_active = True
        return self.step(*(pressed or ("set_speed",)), is_switching_on=True)

    def press(self, button: str, times: int = 1) -> Allowed:
        for _ in range(times):
            self.step(button)
            said = self.step()
        return said

    def hold(self, button: str, seconds: float) -> Allowed:
        for _ in range(round(seconds / PERIOD_S)):
            said = self.step(button)
        return said


def kmh(value_mps: float | None) -> float | None:
    return None if value_mps is None else round(value_mps * 3.6, 3)


def limit_then(driver: Driver, limit_kmh: float | None, **changes: Any) -> Allowed:
    """One step in which the limit is another."""
    driver.limit_kmh = limit_kmh
    return driver.step(**changes)


@pytest.mark.clause("R171 5.3.7.4.7.3.3")
def test_t23_a_limit_that_falls_becomes_the_maximum() -> None:
    """T23: driver-set 130, limit 130 to 100: current maximum 100, sound or haptics due, once."""
    driver = Driver(speed_kmh=130.0)
    driver.limit_kmh = 130.0
    driver.switch_on()
    said = limit_then(driver, 100.0)
    assert kmh(said.max_mps) == 100.0
    assert kmh(said.set_mps) == 130.0
    assert said.is_limit_changed
    assert not driver.step().is_limit_changed


@pytest.mark.clause("R171 5.3.7.4.7.3.2")
def test_t24_a_set_speed_below_both_limits_is_kept() -> None:
    """T24: driver-set 90, limit 100 to 110: stays 90; then 110 to 80: 80."""
    driver = Driver(speed_kmh=90.0)
    driver.limit_kmh = 100.0
    driver.switch_on()
    said = limit_then(driver, 110.0)
    assert (kmh(said.max_mps), said.is_limit_changed) == (90.0, False)
    said = limit_then(driver, 80.0)
    assert (kmh(said.max_mps), said.is_limit_changed) == (80.0, True)


@pytest.mark.clause("R171 5.3.7.4.7.3.4")
def test_a_limit_that_rises_gives_back_what_the_driver_set_and_no_more() -> None:
    """130 set, 80 in between, then 100, then 130, then none."""
    driver = Driver(speed_kmh=130.0)
    driver.limit_kmh = 130.0
    driver.switch_on()
    assert [kmh(limit_then(driver, value).max_mps) for value in (80.0, 100.0, 130.0)] == [80.0, 100.0, 130.0]
    limit_then(driver, 60.0)
    assert kmh(limit_then(driver, None, has_no_limit=True).max_mps) == 130.0


@pytest.mark.clause("R171 5.3.7.4.7.3.4")
def test_no_setting_adds_anything_to_a_limit() -> None:
    """What the driver set above one limit is not carried above the next one."""
    driver = Driver(speed_kmh=100.0)
    driver.limit_kmh = 100.0
    driver.switch_on()
    said = driver.press("speed_up", 5)
    assert kmh(said.max_mps) == 105.0
    assert said.is_set_over_limit
    assert kmh(limit_then(driver, 80.0).max_mps) == 80.0
    assert kmh(limit_then(driver, 100.0).max_mps) == 100.0
    names = set(type(load_market("de").longitudinal).model_fields)
    assert not {name for name in names if "offset" in name}


@pytest.mark.clause("R171 5.3.7.4.7.1")
def test_a_speed_above_the_limit_is_shown() -> None:
    """Optical signal, with the declared tolerance of 1 km/h."""
    driver = Driver(speed_kmh=102.0)
    driver.limit_kmh = 100.0
    assert driver.step().is_over_limit
    driver.speed_mps = kmh_to_mps(100.5)
    assert not driver.step().is_over_limit
    driver.limit_kmh = None
    assert not driver.step(speed_mps=60.0).is_over_limit


def test_a_limit_that_is_not_known_any_more_is_not_shown_and_raises_nothing() -> None:
    """Peers' trap (Pelican 47): a stale limit shown as current."""
    driver = Driver(speed_kmh=120.0)
    driver.limit_kmh = 130.0
    driver.switch_on()
    limit_then(driver, 80.0)
    said = limit_then(driver, None)
    assert said.limit_mps is None
    assert kmh(said.max_mps) == 80.0
    assert kmh(limit_then(driver, 100.0).max_mps) == 100.0


@pytest.mark.clause("R171 5.3.7.5")
@pytest.mark.parametrize(("gap_s", "is_shown", "is_due"), [(1.4, False, True), (1.4, True, False), (2.0, False, False)])
def test_t25_a_gap_below_two_seconds_is_told_at_the_first_activation(
    gap_s: float, is_shown: bool, is_due: bool
) -> None:
    """T25: headway 1.4 s, not shown permanently: a notice, once in a run cycle; not again at the second activation."""
    market = load_market("de")
    facts = market.following.model_copy(update={"time_gap_min_s": gap_s})
    core = SetSpeed(market.longitudinal, market.model_copy(update={"following": facts}), is_gap_shown=is_shown)
    asked = {"speed_mps": 27.0, "pressed": ("set_speed",)}
    first = core.step(Asked(**asked, is_active=True, is_switching_on=True), 0.0)
    assert first.is_gap_notice_due is is_due
    later = [core.step(Asked(**asked, is_active=on), float(t)) for t, on in enumerate((True, False, True), 1)]
    assert not any(said.is_gap_notice_due for said in later)
    core.new_run()
    assert core.step(Asked(**asked, is_active=True, is_switching_on=True), 9.0).is_gap_notice_due is is_due


@pytest.mark.clause("R171 5.3.7.4.4")
@pytest.mark.parametrize(
    ("market", "highest_kmh"),
    [("fr", 130.0), ("it", 130.0), ("de", 130.0), ("ch", 120.0), ("br", 110.0), ("nz", 100.0)],
)
def test_nothing_is_set_above_the_countrys_maximum(market: str, highest_kmh: float) -> None:
    """R171 5.3.7.4.3, 5.3.7.4.4: the designed range ends at 130, the country's law may end before."""
    driver = Driver(market, speed_kmh=110.0)
    driver.switch_on()
    assert kmh(driver.hold("speed_up", 8.0).max_mps) == highest_kmh
    driver.speed_mps = 60.0
    assert kmh(driver.press("set_speed").max_mps) == highest_kmh


def test_where_no_highest_limit_is_known_a_sign_opens_what_it_says_and_no_more() -> None:
    """MY: no default was found: 80 km/h without a sign. US: that of California is known, a sign may say more."""
    assert country_maximum_mps(load_market("my").speed_defaults, load_market("my").speed_unit) == (None, False)
    driver = Driver("my", speed_kmh=100.0)
    driver.switch_on()
    assert kmh(driver.step().max_mps) == 80.0
    driver.limit_kmh = 90.0
    assert kmh(driver.hold("speed_up", 8.0).max_mps) == 90.0
    driver = Driver("us", speed_kmh=100.0)
    driver.switch_on()
    assert driver.hold("speed_up", 8.0).max_mps == pytest.approx(mph_to_mps(65.0))
    driver.limit_kmh = mph_to_mps(75.0) * 3.6
    driver.step()
    assert driver.hold("speed_up", 8.0).max_mps == pytest.approx(mph_to_mps(75.0))


@pytest.mark.parametrize(("market", "unit_mps"), [("de", kmh_to_mps(1.0)), ("gb", mph_to_mps(1.0))])
def test_buttons_change_by_one_of_the_drivers_unit_and_held_by_tens(market: str, unit_mps: float) -> None:
    """One press one unit; a held button goes to the next tens."""
    driver = Driver(market)
    driver.speed_mps = 43.0 * unit_mps
    said = driver.switch_on()
    assert said.max_mps == pytest.approx(43.0 * unit_mps)
    assert driver.press("speed_up", 2).max_mps == pytest.approx(45.0 * unit_mps)
    assert driver.press("speed_down").max_mps == pytest.approx(44.0 * unit_mps)
    assert driver.hold("speed_up", 0.5).max_mps == pytest.approx(45.0 * unit_mps)
    assert driver.hold("speed_up", 0.2).max_mps == pytest.approx(50.0 * unit_mps)
    driver.step()
    assert driver.hold("speed_down", 0.7).max_mps == pytest.approx(40.0 * unit_mps)


def test_resume_takes_the_former_speed_and_a_new_run_forgets_it() -> None:
    """R171 5.5.3.1: nothing is carried over a run cycle."""
    driver = Driver(speed_kmh=100.0)
    driver.switch_on()
    driver.is_active = False
    driver.speed_mps = kmh_to_mps(60.0)
    driver.step()
    assert kmh(driver.switch_on("resume").max_mps) == 100.0
    driver.core.new_run()
    assert driver.core.state.set_mps is None
    assert kmh(driver.switch_on("resume").max_mps) == 60.0


def test_switching_on_above_the_limit_takes_the_limit() -> None:
    """5.3.7.4.7.3.3 in the first moment."""
    driver = Driver(speed_kmh=120.0)
    driver.limit_kmh = 100.0
    assert kmh(driver.switch_on().max_mps) == 100.0


def test_the_gap_button_goes_round_the_markets_choices_while_active() -> None:
    """Never below the market's least gap: the choices begin there."""
    driver = Driver()
    assert driver.press("time_gap").choice == 0
    driver.switch_on()
    driver.step()
    assert [driver.press("time_gap").choice for _ in range(4)] == [1, 2, 0, 1]


BUTTONS = st.lists(
    st.sampled_from(["set_speed", "resume", "speed_up", "speed_down", "time_gap", "dcas", "other"]), max_size=3
).map(tuple)
ASKED = st.builds(
    Asked,
    speed_mps=st.floats(-5.0, 80.0) | st.floats(),
    pressed=st.none() | BUTTONS,
    limit_mps=st.none() | st.sampled_from([8.3, 13.9, 22.2, 27.8, 36.1]) | st.floats(0.0, 60.0),
    has_no_limit=st.booleans(),
    is_active=st.booleans(),
    is_switching_on=st.booleans(),
)


@settings(max_examples=100)
@given(steps=st.lists(ASKED, min_size=1, max_size=40), market=st.sampled_from(["de", "nz", "us", "gb"]))
def test_whatever_is_pressed_the_maximum_stays_inside_law_and_design(steps: list[Asked], market: str) -> None:
    """Never above the country's maximum or the designed range; never raised by a limit above what the driver set."""
    loaded = load_market(market)
    core = SetSpeed(loaded.longitudinal, loaded)
    former: Allowed | None = None
    for index, asked in enumerate(steps):
        said = core.step(asked, index * PERIOD_S)
        assert (said.max_mps is None) == (said.set_mps is None)
        if said.max_mps is not None and said.set_mps is not None:
            assert said.max_mps <= said.set_mps + 1e-9
            assert said.max_mps <= core.ceiling_mps(asked.limit_mps) + 1e-9
            pressed_faster = "speed_up" in (asked.pressed or ()) or "set_speed" in (asked.pressed or ())
            if former is not None and former.max_mps is not None and not pressed_faster and not asked.is_switching_on:
                assert said.max_mps <= max(former.set_mps or 0.0, former.max_mps) + 1e-9
        former = said
