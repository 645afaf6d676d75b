"""What the live graph and the replay said about the same drive, side by side: pure."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.signals import ActuationCommand, Alert, VehicleState

SAME_ALERT_S: Final = 0.5  # a picture more or less, and the time perception takes, move a live alert by this at most
STAMP_S: Final = 2e-4
# alerts about the graph itself: they count from its start, which live lies before the drive and in the replay in it
OWN_HEALTH: Final = "health"
OWN_FAULT: Final = "_fault"  # how the codes of functions that tell their own failure end


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """The beginning of an alert, in seconds of the drive."""

    t_s: float
    author: str
    code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """The same alert in both; `None` where one lacks it."""

    live: Begun | None
    replay: Begun | None

    @property
    def is_same(self) -> bool:
        """Both have it."""
        return self.live is not None and self.replay is not None


def begun(alerts: Iterable[Alert], start_s: float, end_s: float) -> list[Begun]:
    """Where alerts begin, within the drive.

    Args:
        alerts: In the order in which they were sent.
        start_s: Clock time at which the drive begins [s].
        end_s: Clock time at which it ends [s].
    """
    active: set[tuple[str, str]] = set()
    found = []
    for alert in alerts:
        key = (alert.author, alert.code)
        if not alert.is_active:
            active.discard(key)
        elif key not in active:
            active.add(key)
            is_own = alert.author == OWN_HEALTH or alert.code.endswith(OWN_FAULT)
            if not is_own and start_s <= alert.stamp_s <= end_s:
                found.append(Begun(t_s=alert.stamp_s - start_s, author=alert.author, code=alert.code))
    return found


def pair_up(live: Sequence[Begun], replay: Sequence[Begun], tolerance_s: float = SAME_ALERT_S) -> list[Pair]:
    """Alerts of the same author and code that begin at the same time, nearest first; the rest alone."""
    candidates = sorted(
        (abs(a.t_s - b.t_s), i, j)
        for i, a in enumerate(live)
        for j, b in enumerate(replay)
        if (a.author, a.code) == (b.author, b.code) and abs(a.t_s - b.t_s) <= tolerance_s
    )
    used_live: set[int] = set()
    used_replay: set[int] = set()
    pairs = []
    for _, i, j in candidates:
        if i in used_live or j in used_replay:
            continue
        used_live.add(i)
        used_replay.add(j)
        pairs.append(Pair(live=live[i], replay=replay[j]))
    pairs += [Pair(live=a, replay=None) for i, a in enumerate(live) if i not in used_live]
    pairs += [Pair(live=None, replay=b) for j, b in enumerate(replay) if j not in used_replay]

    def place(pair: Pair) -> float:
        first = pair.live or pair.replay
        assert first is not None
        return first.t_s

    return sorted(pairs, key=place)


class Verdict(Enum):
    """Whether the live graph did what the replay does."""

    AGREE = "agree"
    DISAGREE = "disagree"
    NOT_COMPARABLE = "not_comparable"


def verdict(pairs: Sequence[Pair], late: int, lost: int) -> Verdict:
    """What the pairs say; a live graph that did not get the drive in time cannot be held to it.

    Args:
        pairs: Alerts of both.
        late: Messages that could not be sent in time.
        lost: Pictures sent that perception did not see.
    """
    if all(pair.is_same for pair in pairs):
        return Verdict.AGREE
    return Verdict.NOT_COMPARABLE if late > 0 or lost > 0 else Verdict.DISAGREE


def latencies_s(
    states: Sequence[tuple[int, VehicleState]], commands: Iterable[tuple[int, ActuationCommand]]
) -> list[float]:
    """From a vehicle state's sending to that of the first command that rests on it.

    While a function steers or brakes, the oldest value of a command is a picture's and names no state: left out.

    Args:
        states: Send time [ns] and state, in order.
        commands: Send time [ns] and command of the envelope, in order.
    """
    ordered = sorted((state.stamp_s, sent_ns) for sent_ns, state in states)
    stamps = [stamp_s for stamp_s, _ in ordered]
    answered: set[int] = set()
    found = []
    for sent_ns, command in commands:
        if command.oldest_input_age_s is None or command.is_lateral_active or command.is_longitudinal_active:
            continue
        stamp_s = command.stamp_s - command.oldest_input_age_s
        index = bisect_left(stamps, stamp_s - STAMP_S)
        if index >= len(stamps) or stamps[index] > stamp_s + STAMP_S or index in answered:
            continue
        answered.add(index)
        found.append((sent_ns - ordered[index][1]) * 1e-9)
    return found


def quantile(values: Sequence[float], share: float) -> float | None:
    """The value that `share` of all do not exceed; `None` for none."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, math.ceil(share * len(ordered)) - 1))]
