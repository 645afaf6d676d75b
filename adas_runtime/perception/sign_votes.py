"""Several pictures vote on what a sign says: one reading in thirty is wrong, and hardly ever the same one twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from adas_runtime.perception.signs import Box, SeenSign, side_px
from adas_runtime.signals import SignKind

FORGET_S: Final = 0.6  # a sign that was not seen for so long has been passed
NEAR_SIDES: Final = 1.5  # between two pictures a sign moves by so many of its sides at most ...
NEAR_SHARE: Final = 0.05  # ... and this share of the picture's width
GROWTH_MAX: Final = 2.2  # of its side between two sightings
VOTES_MIN: Final = 1.2  # sum of the confidences of one reading: two sightings at least
LEAD_MIN: Final = 2.0  # over the next reading of the same sign

Reading = tuple[SignKind, int | None]


@dataclass(frozen=True, slots=True)
class Track:
    """One sign over some pictures; `votes`: sum of confidences per reading, the first seen first."""

    box_px: Box
    seen_s: float
    votes: tuple[tuple[Reading, float], ...]

    @property
    def reading(self) -> Reading | None:
        """What it says, once enough pictures agree."""
        ranked = sorted(self.votes, key=lambda item: -item[1])
        second = ranked[1][1] if len(ranked) > 1 else 0.0
        return ranked[0][0] if ranked[0][1] >= VOTES_MIN and ranked[0][1] >= LEAD_MIN * second else None


Tracks = tuple[Track, ...]


def voted(
    tracks: Tracks, signs: Sequence[SeenSign], stamp_s: float, width_px: int
) -> tuple[Tracks, tuple[Reading | None, ...]]:
    """One picture more.

    Args:
        tracks: Signs of the pictures before.
        signs: What was read in this one.
        stamp_s: Its time; after a jump nothing before it counts.
        width_px: Columns of the pictures.
    Returns:
        The signs to remember, and for each of `signs` what the pictures together say; `None`: not sure yet.
    """
    live = [track for track in tracks if 0.0 <= stamp_s - track.seen_s <= FORGET_S]
    told: list[Reading | None] = []
    for sign in signs:
        reading: Reading = (sign.kind, sign.value)
        near = [track for track in live if track.seen_s < stamp_s and _is_same(track.box_px, sign.box_px, width_px)]
        old = min(near, key=lambda track: _distance_px(track.box_px, sign.box_px), default=None)
        votes = dict(old.votes) if old is not None else {}
        votes[reading] = votes.get(reading, 0.0) + sign.confidence
        track = Track(sign.box_px, stamp_s, tuple(votes.items()))
        if old is not None:
            live.remove(old)
        live.append(track)
        told.append(track.reading)
    return tuple(live), tuple(told)


def _is_same(former: Box, box: Box, width_px: int) -> bool:
    sides = sorted((max(side_px(former), 1.0), max(side_px(box), 1.0)))
    return (
        sides[1] <= GROWTH_MAX * sides[0] and _distance_px(former, box) <= NEAR_SIDES * sides[1] + NEAR_SHARE * width_px
    )


def _distance_px(a: Box, b: Box) -> float:
    return max(abs(a[0] + a[2] - b[0] - b[2]), abs(a[1] + a[3] - b[1] - b[3])) / 2.0
