"""Automated lane keeping and the driver's assistance never steer together, and none takes over from the other."""

from __future__ import annotations

import pytest
from assisted_loop import Does, Loop
from automated_drives import SERIES_01, road

from adas_runtime.alks.core import SPEC as ALKS
from adas_runtime.dcas.core import SPEC as DCAS
from adas_runtime.function import FunctionSpec
from adas_runtime.graph import live_topic
from adas_runtime.lane_keeping.centring import SPEC as CENTRING
from adas_runtime.lane_keeping.change import SPEC as CHANGE
from adas_runtime.signals import FunctionStatus

HANDS_OFF = Does(hands=False)


def made(*besides: FunctionSpec) -> Loop:
    """A motorway with automated lane keeping and others, all switched off."""
    found = Loop(market=SERIES_01, function=ALKS, besides=besides, horizon=road(), limit_kmh=100.0)
    found.run(2.0)
    return found


def press(loop: Loop, *buttons: str) -> None:
    """One after the other, hands off the wheel."""
    for button in buttons:
        loop.run(0.2, Does(hands=False, pressed=(button,)))
        loop.run(0.3, HANDS_OFF)


def status(loop: Loop, name: str) -> FunctionStatus:
    """What a function says of itself."""
    found = loop._heard[live_topic(name, "status")]
    assert isinstance(found, FunctionStatus)
    return found


@pytest.mark.clause("R157 6.2.1")
def test_assistance_cannot_be_switched_on_under_automation_and_does_not_follow_it() -> None:
    loop = made(DCAS)
    press(loop, "alks")
    assert status(loop, "alks").state == "active"
    press(loop, "dcas", "set_speed")
    assert status(loop, "dcas").state == "inactive" and status(loop, "dcas").reason == "automation_at_work"
    press(loop, "alks")
    loop.run(3.0)
    assert not status(loop, "alks").is_active
    assert status(loop, "dcas").state == "passive", "no hand-over to assistance by itself"


@pytest.mark.clause("R157 6.2.3")
def test_automation_cannot_be_switched_on_over_assistance() -> None:
    loop = made(DCAS)
    for button in ("dcas", "set_speed"):
        loop.run(0.2, Does(pressed=(button,)))
        loop.run(0.3)
    assert status(loop, "dcas").state == "active"
    loop.run(0.2, Does(pressed=("alks",)))
    loop.run(0.3)
    assert status(loop, "alks").state == "off" and status(loop, "alks").reason == "assistance_at_work"


@pytest.mark.clause("R157 6.2.1")
def test_lane_centring_stands_by_under_automation() -> None:
    loop = made(CENTRING, CHANGE)
    press(loop, "alks")
    press(loop, "lane_centring")
    loop.run(2.0, HANDS_OFF)
    assert status(loop, "alks").state == "active"
    assert not status(loop, "lane_centring").is_active
    authors = {loop._heard[live_topic("arbiter", "demand")].lateral_author}
    assert authors == {"alks"}
