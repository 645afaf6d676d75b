"""What a process tells of itself: counts, levels and reasons, without ROS."""

from __future__ import annotations

from dataclasses import replace

import pytest

from adas_runtime.nodes.ledger import LOG_PERIOD_S, Ledger, Level, Reader, Times, Writer, function_entry, shape
from adas_runtime.signals import FunctionStatus, Health, Kpi, Stage


def reader(**fields: object) -> Reader:
    made = Reader("/vehicle/state", 0.01, has_peer=False)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def test_every_refusal_counts_and_few_are_logged() -> None:
    """A broken sender at 100 Hz must not fill the disk with its errors."""
    source = reader()
    logged = [source.refuse("speed_mps = nan", step * 0.01) for step in range(1000)]
    assert source.refused == 1000
    assert sum(logged) == pytest.approx(10.0 / LOG_PERIOD_S, abs=1)
    assert logged[0]


@pytest.mark.parametrize(
    ("fields", "level", "message"),
    [
        ({"received": 5, "last_s": 9.99}, Level.OK, "ok"),
        ({}, Level.STALE, "nothing received yet"),
        ({"received": 5, "last_s": 7.0}, Level.WARN, "silent"),
        ({"received": 5, "last_s": 9.99, "refused": 1, "refusal": "gear = 250"}, Level.WARN, "refused: gear = 250"),
        ({"received": 5, "last_s": 9.99, "late": 2}, Level.WARN, "late: a deadline passed without a value"),
        (
            {"received": 5, "last_s": 9.99, "clock_off_s": 10.0},
            Level.WARN,
            "stamps are 10.0 s ahead of this clock: set one by the other (PTP, chrony)",
        ),
        (
            {"has_peer": True, "is_alive": True, "senders": 2, "received": 5, "last_s": 9.99},
            Level.ERROR,
            "2 senders live, of which one is not this graph's",
        ),
        ({"incompatible": "DEADLINE"}, Level.ERROR, "a sender is not heard: its DEADLINE does not fit"),
        ({"has_peer": True, "is_alive": False, "last_s": 9.99}, Level.ERROR, "its process does not live"),
        (
            {"has_peer": True, "is_alive": False, "incompatible": "RELIABILITY"},
            Level.ERROR,
            "its process does not live; a sender is not heard: its RELIABILITY does not fit",
        ),
    ],
    ids=[
        "ok",
        "never",
        "silent",
        "refused",
        "late",
        "another clock",
        "two senders",
        "does not fit",
        "dead",
        "dead and another does not fit",
    ],
)
def test_all_that_is_wrong_with_a_topic_is_told(fields: dict[str, object], level: Level, message: str) -> None:
    entry = reader(**fields).entry(10.0)
    assert (entry.level, entry.message) == (level, message)


def test_what_was_told_once_is_not_told_as_new() -> None:
    source = reader(received=5, last_s=9.99, refused=3, refusal="gear = 250")
    assert source.entry(10.0).level is Level.WARN
    source.received, source.last_s = 105, 10.99
    entry = source.entry(11.0)
    assert entry.level is Level.OK
    assert dict(entry.values)["refused"] == "3" and dict(entry.values)["rate_hz"] == "100.0"


def status(**fields: object) -> FunctionStatus:
    return replace(
        FunctionStatus(stamp_s=1.0, author="lane_departure", stage=Stage.WARN, state="standby"),
        **fields,  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("fields", "level", "message"),
    [
        ({}, Level.OK, "standby"),
        ({"reason": "below 60 km/h"}, Level.OK, "standby: below 60 km/h"),
        ({"absent": ("lanes",)}, Level.WARN, "standby: lacks lanes"),
        ({"absent": ("lanes",), "stage": Stage.OFF}, Level.OK, "standby: lacks lanes"),
        ({"health": Health.FAULT, "reason": "x"}, Level.ERROR, "standby: x"),
    ],
    ids=["ok", "reason", "lacks an input", "off lacks nothing", "fault"],
)
def test_a_function_tells_its_own_reason(fields: dict[str, object], level: Level, message: str) -> None:
    entry = function_entry(status(**fields))
    assert (entry.level, entry.message) == (level, message)


def test_figures_are_told_and_are_no_change() -> None:
    ledger = Ledger(writers={"/x": Writer("/x")})
    ledger.functions["lane_departure"] = status(kpis=(Kpi(name="offset_m", value=0.25),))
    former = ledger.report(1.0)
    assert ("offset_m", "0.25") in former[1].values
    ledger.functions["lane_departure"] = status(kpis=(Kpi(name="offset_m", value=0.5),))
    ledger.writers["/x"].sent += 1
    assert shape(ledger.report(2.0)) == shape(former)
    ledger.writers["/x"].late += 1
    assert shape(ledger.report(3.0)) != shape(former)


def test_quantiles_are_of_the_last_steps() -> None:
    times = Times()
    assert times.quantile_ms(0.5) is None and times.told("step") == ()
    for value in range(100):
        times.add(value * 1e-3)
    assert times.quantile_ms(0.5) == pytest.approx(50.0)
    assert times.quantile_ms(0.99) == pytest.approx(99.0)
