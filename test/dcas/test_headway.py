"""Distance warning: when it speaks, when it keeps still, per market; every state against every guard."""

from __future__ import annotations

import functools
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.dcas.headway import CODE, REASONS, SPEC, TRANSITIONS, Headway, Inputs, State, View, build
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market as read_market
from adas_runtime.signals import (
    Alert,
    AssistanceMode,
    AssistanceState,
    BodyState,
    DriverInput,
    ObjectClass,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.vehicle import load_vehicle

load_market = functools.cache(read_market)
CAR = load_vehicle("reference")
FRONT_M = CAR.dimensions.wheelbase_m + CAR.dimensions.front_overhang_m
PERIOD_S = 0.1


class Drive:
    """A car behind another one, time as data."""

    def __init__(self, market: str = "de", speed_mps: float = 20.0) -> None:
        self.core: Headway = build(BuildContext(market=load_market(market), vehicle=CAR))  # type: ignore[assignment]
        self.speed_mps = speed_mps
        self.now_s = 100.0
        self.alerts: list[Alert] = []

    def step(self, gap_s: float | None, closing_mps: float = 0.0, **changes: Any) -> State:
        self.now_s += PERIOD_S
        values: dict[str, Any] = {
            "vehicle": VehicleState(stamp_s=self.now_s, speed_mps=self.speed_mps, yaw_rate_rps=0.0),
            "objects": (TrackedObjects(stamp_s=self.now_s, objects=self._car(gap_s, closing_mps)),),
        }
        said = self.core.step(Inputs(**(values | changes)), self.now_s)
        if said.alert is not None:
            self.alerts.append(said.alert)
        return self.core.state.state

    def _car(self, gap_s: float | None, closing_mps: float) -> tuple[TrackedObject, ...]:
        if gap_s is None:
            return ()
        return (
            TrackedObject(
                object_id=1,
                object_class=ObjectClass.CAR,
                x_m=FRONT_M + gap_s * self.speed_mps,
                y_m=0.0,
                speed_x_mps=self.speed_mps - closing_mps,
                speed_y_mps=0.0,
                width_m=1.8,
                x_std_m=0.1,
                y_std_m=0.1,
                speed_x_std_mps=0.1,
                confidence=0.9,
                age_s=5.0,
                sources=("radar",),
            ),
        )

    def hold(self, seconds: float, gap_s: float | None, closing_mps: float = 0.0, **changes: Any) -> set[State]:
        return {self.step(gap_s, closing_mps, **changes) for _ in range(round(seconds / PERIOD_S))}

    @property
    def warnings(self) -> int:
        return len({alert.since_s for alert in self.alerts if alert.is_active})


def test_a_gap_that_stays_too_short_is_told_once_and_seldom() -> None:
    """0.7 s for 50 s: one warning of at most three seconds, with its end; again after a minute."""
    drive = Drive()
    drive.hold(2.0, 2.0)
    drive.hold(50.0, 0.7)
    assert drive.warnings == 1
    assert [alert.is_active for alert in drive.alerts][-1] is False
    active = [alert for alert in drive.alerts if alert.is_active]
    assert active[0].code == CODE
    assert active[-1].stamp_s - active[0].since_s <= 3.1
    assert "usual here 1.0 s" in active[0].cause
    drive.hold(30.0, 0.7)
    assert drive.warnings == 2


@pytest.mark.parametrize(("market", "warnings"), [("de", 1), ("fr", 1), ("pl", 0), ("sa", 0), ("mx", 0), ("jp", 1)])
def test_what_is_usual_in_one_country_is_no_alarm_there(market: str, warnings: int) -> None:
    """Issue 4 C.1: one country's normal following is not another's constant alarm; 0.8 s for half a minute."""
    drive = Drive(market)
    drive.hold(2.0, 2.0)
    drive.hold(30.0, 0.8)
    assert drive.warnings == warnings


@pytest.mark.parametrize("market", ["de", "fr", "au", "us", "pl", "no"])
def test_nobody_who_keeps_the_markets_least_gap_is_warned(market: str) -> None:
    """Adaptations 4: 2 s, 3 s: nothing to say, whatever the speed."""
    for speed_mps in (8.0, 20.0, 36.0):
        drive = Drive(market, speed_mps)
        drive.hold(30.0, load_market(market).following.time_gap_min_s, closing_mps=0.3)
        assert drive.warnings == 0


def test_a_car_that_cuts_in_and_is_let_go_ahead_is_no_warning() -> None:
    """0.5 s at once, then the driver lets the gap grow."""
    drive = Drive()
    drive.hold(3.0, 2.0)
    for index in range(60):
        drive.step(0.5 + 0.025 * index, closing_mps=-1.0)
    assert drive.warnings == 0


def test_a_gap_that_grows_slowly_is_being_mended() -> None:
    """Short for twelve seconds, opening at 0.7 m/s all the time: the driver knows; a running warning ends with it."""
    drive = Drive()
    drive.hold(2.0, 2.0)
    for index in range(120):
        drive.step(0.5 + 0.0035 * index, closing_mps=-0.7)
    assert drive.warnings == 0
    drive.hold(1.0, 0.6)
    assert drive.core.state.state is State.WARN
    assert drive.step(0.6, closing_mps=-0.7) is State.SPENT
    assert drive.alerts[-1].is_active is False


def test_closing_in_is_told_sooner() -> None:
    """The same short gap: after 1.5 s where it closes, after 4 s where it stays."""
    times = {}
    for closing_mps in (0.0, 1.5):
        drive = Drive()
        drive.hold(2.0, 2.0)
        begin_s = drive.now_s
        drive.hold(8.0, 0.8, closing_mps)
        times[closing_mps] = next(alert.since_s for alert in drive.alerts) - begin_s
    assert times[1.5] <= 2.0
    assert 3.9 <= times[0.0] <= 4.6


def test_it_keeps_still_in_a_queue_and_while_assistance_keeps_the_gap() -> None:
    """Below its speed range, with DCAS active, switched off: nothing is said."""
    slow = Drive(speed_mps=5.0)
    assert slow.hold(20.0, 0.6) <= {State.OFF_SPEED}
    drive = Drive()
    active = (AssistanceState(stamp_s=0.0, longitudinal=AssistanceMode.ACTIVE),)
    assert drive.hold(20.0, 0.6, assistance=active) == {State.ASSISTED}
    assert slow.warnings + drive.warnings == 0


def test_one_press_puts_it_off_and_the_next_start_on() -> None:
    """The driver decides; a start decides anew."""
    drive = Drive()
    drive.step(2.0, driver=(DriverInput(stamp_s=0.0, pressed=("headway",)),))
    assert drive.hold(20.0, 0.6, driver=(DriverInput(stamp_s=0.0),)) == {State.OFF_DRIVER}
    drive.step(0.6, body=(BodyState(stamp_s=0.0, is_master_switch_on=False),))
    drive.step(0.6, body=(BodyState(stamp_s=0.0, is_master_switch_on=True),))
    drive.hold(6.0, 0.6)
    assert drive.warnings == 1


def test_what_is_missing_is_told() -> None:
    """No road users: standby, no failure. No vehicle state: standby, then a fault; a running warning ends."""
    drive = Drive()
    drive.hold(1.0, 2.0)
    drive.hold(6.0, 0.6)
    assert drive.core.state.state is State.WARN
    assert drive.step(None, vehicle=None) is State.STANDBY
    assert drive.alerts[-1].is_active is False
    assert drive.hold(3.0, None, vehicle=None) == {State.STANDBY, State.FAULT}
    assert drive.step(None, objects=()) is State.STANDBY
    assert drive.core.state.reason == "objects_absent"


def test_every_state_meets_every_guard() -> None:
    """Faults first, then the driver, then the range; a warning needs a gap that is short for long and not opening."""
    flags = [name for name in View.__dataclass_fields__ if name != "missing"]
    for state in State:
        for missing, *values in itertools.product(("", "objects_absent"), *[(False, True)] * len(flags)):
            view = View(missing=missing, **dict(zip(flags, values, strict=True)))
            row = TRANSITIONS.fire(state, view)
            if row is None:
                continue
            assert row.reason_for(view) in REASONS
            if view.is_failure:
                assert row.target is State.FAULT
            elif missing:
                assert row.target is State.STANDBY
            elif view.is_off:
                assert row.target is State.OFF_DRIVER
            if row.target is State.WARN:
                assert view.is_close and view.is_due and not view.is_opening and view.is_fast and not view.is_assisted


@settings(max_examples=60)
@given(
    gaps=st.lists(
        st.tuples(st.none() | st.floats(0.1, 4.0), st.floats(-5.0, 5.0), st.integers(1, 30)), min_size=1, max_size=10
    )
)
def test_every_warning_that_begins_ends_and_none_is_without_ground(
    gaps: list[tuple[float | None, float, int]],
) -> None:
    """Active alerts come while the gap is below the threshold; after the last gap a long one ends everything."""
    drive = Drive()
    for gap_s, closing_mps, steps in gaps:
        for _ in range(steps):
            drive.step(gap_s, closing_mps)
            if drive.core.state.is_told:
                assert drive.core.state.gap_s is not None
                assert drive.core.state.gap_s <= 1.0 + 0.15 + 1e-9
    drive.hold(2.0, 3.0)
    assert not drive.alerts or drive.alerts[-1].is_active is False


def test_the_declaration_names_every_figure() -> None:
    """The report shows them by name."""
    drive = Drive()
    drive.hold(2.0, 0.9)
    figures = dict(zip(SPEC.kpis, drive.core._status().kpis, strict=True))
    assert figures["gap_s"] == pytest.approx(0.9, abs=0.02)
    assert figures["short_s"] == pytest.approx(1.7, abs=0.3)


def test_the_example_of_the_docs_does_what_the_docs_say(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """docs/following.md: Germany speaks at 7.2 s for three seconds, Poland does not."""
    text = (repository / "docs" / "following.md").read_text(encoding="utf-8")
    (tmp_path / "near.jsonl").write_text(text.split("```json\n")[1].split("```")[0], encoding="utf-8")
    said = {}
    for market in ("de", "pl"):
        assert main(["step", "headway", "--market", market, "--inputs", str(tmp_path / "near.jsonl"), "--json"]) == 0
        steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        said[market] = [row["t_s"] for row in steps if row["outputs"].get("alert")]
    assert said["de"][0] == pytest.approx(7.2, abs=0.15)
    assert said["de"][-1] == pytest.approx(10.2, abs=0.15)
    assert said["pl"] == []


def test_the_example_of_set_speed_in_the_docs_does_what_the_docs_say(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """docs/following.md, T23 by the way an examiner tries it."""
    text = (repository / "docs" / "following.md").read_text(encoding="utf-8")
    (tmp_path / "set.jsonl").write_text(text.split("```json\n")[2].split("```")[0], encoding="utf-8")
    assert main(["step", "dcas", "--market", "de", "--inputs", str(tmp_path / "set.jsonl"), "--json"]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    states = {row["t_s"]: row["outputs"]["state"] for row in steps if row["outputs"].get("state")}
    after = [state for t_s, state in states.items() if 4.2 < t_s < 8.0]
    assert after[0]["max_speed_mps"] == pytest.approx(27.78)
    assert after[0]["set_speed_mps"] == pytest.approx(36.11, abs=0.01)
    codes = {row["outputs"]["info"]["code"] for row in steps if row["outputs"].get("info")}
    assert "dcas_limit_changed" in codes
    causes = [row["outputs"]["longitudinal"]["cause"] for row in steps if row["outputs"].get("longitudinal")]
    assert causes[0] == "free" and causes[-1] == "cut_in"
