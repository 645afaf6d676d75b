"""When a dead process is started again: pure, no clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

EXIT_WRONG_RMW: Final = 102  # of rcl itself: RMW_IMPLEMENTATION names a middleware that this ROS 2 is not built with
EXIT_BAD_INPUT: Final = 2  # the process said in one line what is wrong with its configuration; a restart mends nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartParams:
    """How restarts are paced.

    Args:
        first_s: Wait before the first restart; short, since the graph lacks the process meanwhile [s].
        factor: Each further wait is this much longer.
        longest_s: No wait is longer [s].
        vital_longest_s: Nor is one for the guard, without which no command reaches the car [s].
        stable_after_s: A process that lived this long has recovered; the count begins anew [s].
        give_up_after: Deaths in a row after which a process is left dead; the guard never is.
    """

    first_s: float = 0.1
    factor: float = 2.0
    longest_s: float = 10.0
    vital_longest_s: float = 1.0
    stable_after_s: float = 20.0
    give_up_after: int = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartState:
    """What is remembered of one process: deaths in a row, and all restarts."""

    failures: int = 0
    restarts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows a death: wait `delay_s` and start again, or leave it dead (`None`) for the `reason`."""

    state: RestartState
    delay_s: float | None
    reason: str = ""


def after_death(
    state: RestartState, *, lived_s: float, exit_code: int, is_vital: bool, params: RestartParams
) -> Verdict:
    """What to do after a process ended by itself.

    Args:
        state: Its history.
        lived_s: How long it lived [s].
        exit_code: As `subprocess` gives it: negative for a signal.
        is_vital: It is never given up (the guard).
        params: The pace.
    """
    failures = 1 if lived_s >= params.stable_after_s else state.failures + 1
    state = replace(state, failures=failures)
    if not is_vital and exit_code == EXIT_BAD_INPUT:
        return Verdict(state=state, delay_s=None, reason="its configuration is refused")
    if not is_vital and failures > params.give_up_after:
        return Verdict(state=state, delay_s=None, reason=f"it died {failures} times in a row")
    longest_s = min(params.longest_s, params.vital_longest_s) if is_vital else params.longest_s
    delay_s = min(params.first_s * params.factor ** min(failures - 1, 32), longest_s)
    return Verdict(state=replace(state, restarts=state.restarts + 1), delay_s=delay_s)
