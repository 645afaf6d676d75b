"""What R171 7.2 asks a maker to report: distances, endings, responses, the mode in the seconds before a collision."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.records import maker
from adas_runtime.signals import AssistanceMode

OCCURRENCE_WITHIN_S: Final = 5.0  # R171 7.2.1: system on at, or within 5 s before, the event
HISTORY_S: Final = 10.0  # longer than that, for the data recorder
HISTORY_MAX: Final = 64
BOUNDARIES: Final = ("speed_high", "lane_lost", "lane_narrow", "road_outside", "stability_control")
STEP_MAX_S: Final = 1.0  # over a longer gap nobody knows how far the car drove


@dataclass(frozen=True, slots=True)
class Counters:
    """Figures since the start of the process; the maker adds them up.

    Args:
        passive_m, active_m: Distance in these modes.
        over_limit_m: Of the active distance, with a driver-set speed above the limit.
        hands_requests, eyes_requests, take_overs: Requests begun (later series count them).
        unavailable: Driver unavailability responses.
        cycle_unavailable: The same in this run cycle, for the lock-out.
        cycle: The run cycle's number, where the car tells one.
        ended_failure, ended_boundary, ended_other: System-initiated deactivations by cause.
        lane_changes: Lane changes done.
        occurrences: Collisions with the system on in the last 5 s.
        was_crash: The restraint system had told of a collision.
        history: Mode with the time it began, the last `HISTORY_S` at least.
    """

    passive_m: float = 0.0
    active_m: float = 0.0
    over_limit_m: float = 0.0
    hands_requests: int = 0
    eyes_requests: int = 0
    take_overs: int = 0
    unavailable: int = 0
    cycle_unavailable: int = 0
    ended_failure: int = 0
    ended_boundary: int = 0
    ended_other: int = 0
    lane_changes: int = 0
    occurrences: int = 0
    was_crash: bool = False
    history: tuple[tuple[float, AssistanceMode], ...] = ()
    cycle: int | None = None


make_counters = maker(Counters)


def noted(
    history: tuple[tuple[float, AssistanceMode], ...], mode: AssistanceMode, now_s: float
) -> tuple[tuple[float, AssistanceMode], ...]:
    """The history with the present mode; what ended more than `HISTORY_S` ago is dropped."""
    if history and history[-1][1] is mode and (len(history) < 2 or now_s - history[1][0] < HISTORY_S):
        return history
    if not history or history[-1][1] is not mode:
        history = (*history, (now_s, mode))
    while len(history) > 1 and (now_s - history[1][0] >= HISTORY_S or len(history) > HISTORY_MAX):
        history = history[1:]
    return history


def was_on(history: tuple[tuple[float, AssistanceMode], ...], event_s: float) -> bool:
    """Whether the system was on at the event, or within 5 s before (R171 7.2.1)."""
    for index, (since_s, mode) in enumerate(history):
        if mode is AssistanceMode.OFF or since_s > event_s:
            continue
        until_s = history[index + 1][0] if index + 1 < len(history) else event_s
        if until_s >= event_s - OCCURRENCE_WITHIN_S:
            return True
    return False


def cause_of_end(code: str, *, is_failure: bool) -> str:
    """Which figure of R171 7.2.3 a system-initiated deactivation belongs to."""
    return "failure" if is_failure else "boundary" if code in BOUNDARIES else "other"
