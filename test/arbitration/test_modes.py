"""The table of degraded modes, row by row: each fault in four drives through the whole graph, each function's cell."""

from __future__ import annotations

from functools import cache

import pytest
from failing_drive import BUTTONS, END_S, FAILS_S, FAILURES, GRAPH, TOPIC, Failure, Seen, drive, left_of

from adas_runtime.arbitration.modes import BROKEN, FAULTS, FULL, Fault, Mode
from adas_runtime.nodes.ledger import Level, function_entry

ROWS = {name: fault for fault in FAULTS for name in fault.names}
SAFE_AFTER_S = 0.15  # what the guard promises (docs/live.md)
SMOOTH = {"jerk", "lateral_jerk", "rearming"}  # limits that act in any drive, and what follows a ramp


@cache
def sound(is_picture: bool) -> dict[str, Seen]:
    """The drives in which nothing fails."""
    nothing = Failure(source="camera_front", change=lambda signal: signal) if is_picture else Failure()
    return {name: drive(name, nothing) for name in BUTTONS}


def test_every_source_every_process_and_every_function_fails_in_the_table() -> None:
    assert set(ROWS) == set(FAILURES)
    for source in TOPIC:
        assert {f"{source} lost", f"{source} stale", f"{source} implausible"} <= set(ROWS)
    names = {spec.name for spec in GRAPH.functions}
    assert {f"{name} breaks" for name in names} <= set(ROWS)
    for fault in FAULTS:
        assert set(fault.left) <= names and fault.gate.mode in (Mode.FULL, Mode.WARNS, Mode.RAMP, Mode.GONE)


def test_where_nothing_fails_all_is_at_full_and_all_four_ask_for_something() -> None:
    seen = sound(False)
    assert {name: set(of.asked) for name, of in seen.items()} == {
        "assistance": {"dcas"},
        "keeping": {"lane_centring"},
        "automation": {"alks"},
        "collision": {"aeb"},
    }
    for spec in GRAPH.functions:
        assert left_of(spec.name, seen, seen) == (Mode.FULL, "", "")
    assert not [alert for of in seen.values() for _, alert in of.alerts if alert.author == "health"]


@pytest.mark.parametrize("name", FAILURES)
def test_what_is_left_when(name: str) -> None:
    fault, failure = ROWS[name], FAILURES[name]
    before = sound(failure.source == "camera_front" or failure.breaks == "lane_perception")
    after = {of: drive(of, failure) for of in BUTTONS}
    for spec in GRAPH.functions:
        cell = fault.left.get(spec.name, FULL)
        found = left_of(spec.name, before, after)
        told = "ValueError: a defect" if cell.why == BROKEN else cell.why
        assert found == (cell.mode, told, cell.tells), spec.name
    check_alerts(fault, before, after)
    check_commands(fault, after)
    check_diagnostics(fault, after)


def check_alerts(fault: Fault, before: dict[str, Seen], after: dict[str, Seen]) -> None:
    """Each function's own words, and the health monitor's for each cell that tells."""
    usual = {alert.code for of in before.values() for _, alert in of.alerts}
    told = [alert for of in after.values() for t_s, alert in of.alerts if t_s >= FAILS_S]
    own = {alert.code for alert in told if alert.author != "health"} - usual
    assert own == set(fault.alerts)
    if fault.left.get("health", FULL).mode is not Mode.FULL:
        return  # who would tell is what failed
    by_health = {alert.code for alert in told if alert.author == "health"}
    causes: dict[tuple[str, str], set[str]] = {}  # one cause is one alert, by the name of one that suffers from it
    for name, cell in fault.left.items():
        if cell.tells:
            is_own = cell.tells == "silent" or cell.why.startswith("lacks")
            causes.setdefault((cell.tells, name if is_own else cell.why), set()).add(f"{cell.tells}/{name}")
    assert all(codes & by_health for codes in causes.values()), (causes, by_health)
    # a cause may be told as lesser at first; no other function is accused
    expected = {code.split("/")[1] for codes in causes.values() for code in codes}
    assert {code.split("/")[1] for code in by_health} <= expected


def check_commands(fault: Fault, after: dict[str, Seen]) -> None:
    """Whether the gate lets pass what is asked for, and how soon it does not."""
    for drive_name, of in after.items():
        commands = [(t_s, command) for t_s, command in of.commands if t_s >= FAILS_S]
        if fault.gate.mode is Mode.GONE:
            assert not commands, "the supervisor has to start it again: no command is better than an old one"
            continue
        limits = {code for _, command in commands for code in command.limits} - SMOOTH
        safe = [t_s for t_s, command in commands if command.is_safe_stop]
        if fault.gate.mode is Mode.RAMP:
            assert safe[0] - FAILS_S <= SAFE_AFTER_S and limits == {fault.gate.why}
            if drive_name != "collision":  # there nobody asked when it failed: what asks anew later is followed
                late = [command for t_s, command in commands if t_s > END_S - 1.0]
                assert not any(command.is_lateral_active or command.is_longitudinal_active for command in late)
        else:
            assert not safe and limits == ({fault.gate.why} if fault.gate.why else set())


def check_diagnostics(fault: Fault, after: dict[str, Seen]) -> None:
    """The line of each function in `/diagnostics` is raised wherever the driver is told, and gives the reason."""
    for name, cell in fault.left.items():
        if cell.tells not in ("fault", "degraded"):
            continue
        entries = [
            function_entry(status)
            for of in after.values()
            if (status := of.status(name, END_S)) is not None and of.statuses[name]
        ]
        worst = max(entries, key=lambda entry: entry.level)
        assert worst.level == (Level.ERROR if cell.tells == "fault" else Level.WARN), name
        assert any(cell.why in entry.message for entry in entries)
