"""When a dead process is started again, and what is refused before any starts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.errors import AdasError
from adas_runtime.supervisor.commands import UpOptions, validate
from adas_runtime.supervisor.policy import RestartParams, RestartState, after_death

PARAMS = RestartParams()


def die(state: RestartState, *, lived_s: float = 0.1, exit_code: int = 1, is_vital: bool = False):
    return after_death(state, lived_s=lived_s, exit_code=exit_code, is_vital=is_vital, params=PARAMS)


def test_waits_grow_and_a_hopeless_process_is_given_up() -> None:
    state, waits = RestartState(), []
    while True:
        verdict = die(state)
        state = verdict.state
        if verdict.delay_s is None:
            break
        waits.append(verdict.delay_s)
    assert waits == sorted(waits) and waits[0] <= 0.1 and waits[-1] <= PARAMS.longest_s
    assert len(waits) == PARAMS.give_up_after == state.restarts
    assert "in a row" in verdict.reason


def test_a_process_that_lived_long_starts_over() -> None:
    state = RestartState(failures=PARAMS.give_up_after, restarts=9)
    verdict = die(state, lived_s=PARAMS.stable_after_s)
    assert verdict.delay_s == PARAMS.first_s
    assert verdict.state == RestartState(failures=1, restarts=10)


def test_a_refused_configuration_is_not_tried_again() -> None:
    assert die(RestartState(), exit_code=2).delay_s is None


@given(lives=st.lists(st.tuples(st.floats(0.0, 100.0), st.integers(-64, 255)), min_size=1, max_size=300))
def test_the_guard_always_comes_back_soon(lives: list[tuple[float, int]]) -> None:
    state = RestartState()
    for lived_s, code in lives:
        verdict = die(state, lived_s=lived_s, exit_code=code, is_vital=True)
        state = verdict.state
        assert verdict.delay_s is not None and 0.0 < verdict.delay_s <= 1.0


@pytest.mark.parametrize("place", ["/proc/adas", "file/inside"])
def test_a_place_that_takes_no_recording_is_refused_before_anything_starts(place: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AdasError, match="--record"):
        validate(UpOptions(market="de", vehicle="reference", record=tmp_path / place))
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
    validate(UpOptions(market="de", vehicle="reference", record=tmp_path / "new" / "folder"))
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]
