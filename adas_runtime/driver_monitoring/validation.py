"""How (EU) 2021/1341 Annex II judges a drowsiness warning: sensitivity per participant, and its lower bound."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Final

Z_95: Final = 1.645  # 2-8.1 (b)
MEAN_ABOVE: Final = 40.0  # 2-8.1 (a) [%]
LOWER_LEAST: Final = 20.0  # 2-8.1 (b) [%]
LONG_INTERVAL_S: Final = 900.0  # 2-8.1
LONG_INTERVAL_ADDS: Final = (5.0, 2.5)  # to (a) and to (b)
OPEN_ROAD_ADDS: Final = (-5.0, -2.5)
PARTICIPANTS_LEAST: Final = 10  # 2-3.1
EVENTS_LEAST: Final = 10  # 2-3.1: TP + FN of all
WARNED_FROM: Final = 7.0  # 2-5.1.4: KSS before or after a warning that was right


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """One interval of a drive: what the driver said at its end, and whether the system warned in it."""

    kss: float
    is_warned: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """True positives and false negatives of one participant."""

    hits: int
    misses: int

    @property
    def sensitivity(self) -> float:
        """TP / (TP + FN) [%].

        Raises:
            ValueError: There was no event, so the participant does not count (2-3.1).
        """
        if self.hits + self.misses == 0:
            raise ValueError("a participant without an event has no sensitivity; leave it out")
        return 100.0 * self.hits / (self.hits + self.misses)


def counted(intervals: Sequence[Interval], threshold: float = 8.0) -> Counts:
    """Events of one drive (2-5.1.4, 2-5.1.5).

    A warning is right where the driver's word before or after it is 7 or more. A miss is a threshold that is crossed,
    no warning, and a word that is still at or above it in the next interval.
    """
    hits = misses = 0
    for index, item in enumerate(intervals):
        before = intervals[index - 1].kss if index else None
        if item.is_warned:
            if item.kss >= WARNED_FROM or (before is not None and before >= WARNED_FROM):
                hits += 1
            continue
        has_crossed = item.kss >= threshold and (before is None or before < threshold)
        after = intervals[index + 1] if index + 1 < len(intervals) else None
        if has_crossed and after is not None and not after.is_warned and after.kss >= threshold:
            misses += 1
    return Counts(hits=hits, misses=misses)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the statistics come to.

    Args:
        mean, deviation, lower: Of the sensitivities; the deviation divides by N [%].
        needed_mean, needed_lower: What (a) and (b) ask for [%].
        by_mean, by_lower: Whether (a), (b) pass.
    """

    mean: float
    deviation: float
    lower: float
    needed_mean: float
    needed_lower: float
    by_mean: bool
    by_lower: bool

    @property
    def is_passed(self) -> bool:
        """One of the two is enough."""
        return self.by_mean or self.by_lower


def judged(
    sensitivities: Iterable[float],
    *,
    interval_s: float = 300.0,
    is_open_road: bool = False,
    mean_above: float = MEAN_ABOVE,
    is_boundary_enough: bool = False,
) -> Verdict:
    """Judge a study (2-8.1).

    Args:
        sensitivities: One a participant [%].
        interval_s: Between two words of the driver.
        is_open_road: On the road, not in a simulator.
        mean_above: The boundary of (a). The text says above 40, its examples read as 35 and 45: which is meant is not
            sure, so it is a parameter [%].
        is_boundary_enough: The boundary itself passes (a), as in the text's examples.

    Raises:
        ValueError: No participant, or a sensitivity outside 0 to 100.
    """
    values = tuple(sensitivities)
    if not values or not all(0.0 <= value <= 100.0 for value in values):
        raise ValueError("give at least one sensitivity, each from 0 to 100 %")
    count = len(values)
    mean = sum(values) / count
    deviation = sqrt(sum((value - mean) ** 2 for value in values) / count)
    lower = mean - Z_95 * deviation / sqrt(count)
    needed_mean, needed_lower = mean_above, LOWER_LEAST
    for applies, (more_mean, more_lower) in (
        (interval_s > LONG_INTERVAL_S, LONG_INTERVAL_ADDS),
        (is_open_road, OPEN_ROAD_ADDS),
    ):
        if applies:
            needed_mean, needed_lower = needed_mean + more_mean, needed_lower + more_lower
    return Verdict(
        mean=mean,
        deviation=deviation,
        lower=lower,
        needed_mean=needed_mean,
        needed_lower=needed_lower,
        by_mean=mean > needed_mean or (is_boundary_enough and mean == needed_mean),
        by_lower=lower >= needed_lower,
    )


def is_large_enough(counts: Sequence[Counts]) -> bool:
    """Whether a study has the participants and events that 2-3.1 asks for."""
    return (
        len(counts) >= PARTICIPANTS_LEAST
        and all(item.hits + item.misses >= 1 for item in counts)
        and sum(item.hits + item.misses for item in counts) >= EVENTS_LEAST
    )
