"""How far the right speed limit was shown, a wrong one, or none: by type of road, against the recording's truth.

A new limit is due 2 s after its sign (2021/1958 Annex I, by a secondary source): until then the former one is late, not
wrong, and told apart. A limit that comes a little before its sign is right: a camera's distances are noisy.
"""

from __future__ import annotations

import struct
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from adas_runtime.errors import AdasError
from adas_runtime.signals import LimitKind, SpeedLimitState

if TYPE_CHECKING:
    from adas_runtime.replay.bag import Bag

TRUTH_TOPIC: Final = "/truth/speed_limit"
TYPE: Final = "adas_interfaces/msg/SpeedLimitState"
TRUTH_MAX_AGE_S: Final = 1.0
SAME_MPS: Final = 0.05
STEP_MAX_S: Final = 1.0
DUE_AFTER_S: Final = 2.0  # `isa.params.SHOW_WITHIN_S`; a test holds the two together
EARLY_S: Final = 0.5
ROADS: Final = ("urban", "rural", "motorway")  # as type approval counts them; the truth's `reason` names one


@dataclass(slots=True)
class _Distance:
    """Distance by what was shown [m]."""

    right: float = 0.0
    wrong: float = 0.0
    unknown: float = 0.0
    late: float = 0.0

    @property
    def driven(self) -> float:
        return self.right + self.wrong + self.unknown + self.late


@dataclass(slots=True)
class LimitShares:
    """Listens to the limits that are told; `truth` in order of time, empty where the recording holds none."""

    truth: Sequence[SpeedLimitState] = ()
    _stamps: list[float] = field(default_factory=list)
    _roads: dict[str, _Distance] = field(default_factory=dict)
    _last_s: float | None = None

    def __post_init__(self) -> None:
        """Order the truth for look-ups."""
        self._stamps = [item.stamp_s for item in self.truth]

    def add(self, told: SpeedLimitState, speed_mps: float, now_s: float) -> None:
        """A limit was told at `now_s`, while the car drove so fast; it stands for the time since the one before."""
        last_s, self._last_s = self._last_s, now_s
        if last_s is None or not 0.0 < now_s - last_s <= STEP_MAX_S:
            return
        index = bisect_right(self._stamps, now_s) - 1
        if index < 0 or now_s - self._stamps[index] > TRUTH_MAX_AGE_S:
            return
        true = self.truth[index]
        if true.kind is LimitKind.UNKNOWN:
            return  # nobody knows what would be right here
        road = self._roads.setdefault(true.reason if true.reason in ROADS else "other", _Distance())
        driven_m = max(speed_mps, 0.0) * (now_s - last_s)
        if told.kind is LimitKind.UNKNOWN:
            road.unknown += driven_m
        elif _is_same(told, true) or self._is_early(told, now_s):
            road.right += driven_m
        elif self._is_late(told, index, now_s):
            road.late += driven_m
        else:
            road.wrong += driven_m

    def _is_early(self, told: SpeedLimitState, now_s: float) -> bool:
        soon = self.truth[bisect_right(self._stamps, now_s + EARLY_S) - 1]
        return soon.kind is not LimitKind.UNKNOWN and _is_same(told, soon)

    def _is_late(self, told: SpeedLimitState, index: int, now_s: float) -> bool:
        """The limit before the present one, while the new one is not due."""
        while index >= 0 and now_s - self._stamps[index] <= DUE_AFTER_S:
            former = self.truth[index]
            if former.kind is not LimitKind.UNKNOWN and _is_same(told, former):
                return True
            index -= 1
        return False

    def kpis(self) -> dict[str, float]:
        """Shares of the distance on which the truth is known: overall and by type of road."""
        found: dict[str, float] = {}
        total = _Distance()
        for road in self._roads.values():
            total.right += road.right
            total.wrong += road.wrong
            total.unknown += road.unknown
            total.late += road.late
        for name, item in (("", total), *((f"{road}_", item) for road, item in sorted(self._roads.items()))):
            if item.driven > 0.0:
                found[f"{name}judged_m"] = item.driven
                found[f"{name}right_share"] = item.right / item.driven
                found[f"{name}wrong_share"] = item.wrong / item.driven
                found[f"{name}unknown_share"] = item.unknown / item.driven
                found[f"{name}late_share"] = item.late / item.driven
        return found


def _is_same(told: SpeedLimitState, true: SpeedLimitState) -> bool:
    if told.limit_mps is None or true.limit_mps is None:
        return told.limit_mps is true.limit_mps and (told.kind is LimitKind.NO_LIMIT) == (
            true.kind is LimitKind.NO_LIMIT
        )
    return abs(told.limit_mps - true.limit_mps) < SAME_MPS


def truth_of(bag: Bag) -> tuple[SpeedLimitState, ...]:
    """The limits that a recording says are true; none where it says nothing."""
    from adas_runtime.inputs.binder import own_reader

    topic = bag.topics.get(TRUTH_TOPIC)
    read = own_reader(TYPE) if topic is not None and topic.type == TYPE else None
    if read is None:
        return ()
    found = []
    for _, _, data in bag.messages((TRUTH_TOPIC,)):
        try:
            value = read(data)
        except (AdasError, ValueError, IndexError, struct.error):
            continue  # a damaged truth judges nothing; the topic is no input
        if isinstance(value, SpeedLimitState):
            found.append(value)
    return tuple(sorted(found, key=lambda value: value.stamp_s))
