"""The live benchmark matches a command with the vehicle state that caused it, not with whatever came next."""

from __future__ import annotations

import pytest
from benchmark_modules import load


def test_a_command_on_older_information_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = load("live_probe", monkeypatch)
    commands = [
        (9.99, 10.001, 10.002),  # decided after the state was sent, but on the one before
        (10.00, 10.003, 10.004),
        (10.00, 10.010, 10.011),  # the same again, by the guard's own period
        (10.02, 10.023, 10.025),
    ]
    found = probe.answers([10.00, 10.01, 10.02], commands)
    assert found == [
        (10.00, 10.003, 10.004),
        (10.01, 10.023, 10.025),  # its own was lost: the next one counts, and counts as late
        (10.02, 10.023, 10.025),
    ]


def test_what_is_never_answered_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    probe = load("live_probe", monkeypatch)
    assert probe.answers([10.0, 10.1], [(10.0, 10.01, 10.02)]) == [(10.0, 10.01, 10.02)]


def test_states_sent_while_a_function_asks_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest value of such a command is a picture's: its age would be told as the way of a vehicle state."""
    probe = load("live_probe", monkeypatch)
    commands = [(10.0, 10.002, 10.003), (11.0, 11.002, 11.003)]
    assert probe.answers([10.0, 10.5, 10.6, 11.0], commands, [10.55, 10.61]) == commands
