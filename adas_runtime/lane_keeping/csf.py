"""The warning chain of corrective steering (R79 5.1.6.1): shared by every function that corrects for a short time.

Optical at once, for a second at least (5.1.6.1.1). Where the intervention rests on the lane, besides: acoustic when it
lasts too long (5.1.6.1.2.1), during the second and every later one within 180 s in which the driver did not steer
(5.1.6.1.2.2), and from the third on for at least 10 s longer than the time before.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.records import maker

OPTICAL_MIN_S: Final = 1.0  # R79 5.1.6.1.1
LONG_S: Final = 10.0  # R79 5.1.6.1.2.1, M1 and N1
LONG_HEAVY_S: Final = 30.0  # the same, M2, M3, N2, N3
LONG_MARGIN_S: Final = 0.2  # the sound begins this much before the law's limit [D]
WINDOW_S: Final = 180.0  # R79 5.1.6.1.2.2: counted from the end of the former, so that no pair is missed [D]
LONGER_S: Final = 10.0  # R79 5.1.6.1.2.2


@dataclass(frozen=True, slots=True)
class Chain:
    """What is kept of the interventions; replaced with each step.

    Args:
        since_s: Start of the running intervention, `None` without one.
        is_steered: The driver steered during it.
        count: Which of its chain it is; 1 the first.
        ends_s: Ends of the interventions of the last 180 s without the driver's steering, oldest first.
        optical_until_s: The optical signal is shown until then at least.
        sound_since_s: Start of the running sound, `None` without one.
        sound_until_s: It lasts until then at least.
        sound_s: How long the longest sound of the chain was, or is to be.
        is_optical, is_acoustic: What the driver is told now.
    """

    since_s: float | None = None
    is_steered: bool = False
    count: int = 0
    ends_s: tuple[float, ...] = ()
    optical_until_s: float = -math.inf
    sound_since_s: float | None = None
    sound_until_s: float = -math.inf
    sound_s: float = 0.0
    is_optical: bool = False
    is_acoustic: bool = False


QUIET: Final = Chain()
make_chain = maker(Chain)


def long_s(category: str) -> float:
    """Longest intervention without a sound, for a vehicle category [s]."""
    return LONG_S if category in ("M1", "N1") else LONG_HEAVY_S


def warned(chain: Chain, now_s: float, *, is_on: bool, is_steered: bool, by_lane: bool, longest_s: float) -> Chain:
    """The chain one step later.

    Args:
        chain: As the former step left it.
        now_s: Time of the step [s].
        is_on: An intervention runs.
        is_steered: The driver steers now.
        by_lane: Interventions rest on the lane; else only the optical signal is due.
        longest_s: `long_s` of the vehicle.
    """
    since_s, count, ends_s = chain.since_s, chain.count, chain.ends_s
    if not is_on and since_s is None and not chain.is_optical and not chain.is_acoustic:
        return chain
    was_steered, sound_until_s, sound_s = chain.is_steered, chain.sound_until_s, chain.sound_s
    optical_until_s, sound_since_s = chain.optical_until_s, chain.sound_since_s
    if is_on and since_s is None:  # one begins
        since_s, was_steered = now_s, False
        ends_s = tuple([end_s for end_s in ends_s if 0.0 <= now_s - end_s <= WINDOW_S])
        count = len(ends_s) + 1
        if count == 1:
            sound_s = 0.0
        optical_until_s = now_s + OPTICAL_MIN_S
        if count >= 3:
            sound_s += LONGER_S
            sound_until_s = now_s + sound_s
    if since_s is not None:
        was_steered = was_steered or is_steered
        if is_on:
            is_long = now_s - since_s >= longest_s - LONG_MARGIN_S
            is_due = by_lane and (is_long or (count >= 2 and not was_steered))
        else:  # it ended with this step
            is_due = False
            if not was_steered and by_lane:
                ends_s = (*ends_s[-31:], now_s)
            since_s = None
        if was_steered or not by_lane:
            sound_until_s = -math.inf  # the driver is there: nothing has to go on
    else:
        is_due = False
    is_acoustic = is_due or now_s < sound_until_s
    if is_acoustic:
        sound_since_s = now_s if sound_since_s is None else sound_since_s
    elif sound_since_s is not None:
        sound_s, sound_since_s = max(sound_s, now_s - sound_since_s), None
    return make_chain(
        since_s,
        was_steered,
        count,
        ends_s,
        optical_until_s,
        sound_since_s,
        sound_until_s,
        sound_s,
        since_s is not None or now_s < optical_until_s or is_acoustic,
        is_acoustic,
    )
