"""Whether a camera's pictures can be trusted: what they show of dirt, blur, light, and faults of the camera itself.

Looked at are few pixels, five times a second. Edges tell of focus (how much of a step of brightness lies between two
neighbours), of noise and rain (too much of it) and of fog (hardly any); tiles without any grain tell of a cover, of mud
and of rows that never came; two pictures that are the same to the last bit, of a camera that hangs; a jump of the whole
picture upwards or down that stays, of a mounting that was knocked. Every bound stands off what drives on real roads
show by a margin (docs/camera_health.md). What is judged is the picture, not the road: a factor of 1 promises nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from functools import cache
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.records import maker, replacer
from adas_runtime.signals import LaneModel

PERIOD_S: Final = 0.2  # between two looks
SETTLE_S: Final = 0.6  # a finding has to hold so long, and its end as well: a bridge, a flash
FROZEN_S: Final = 0.4  # the same picture to the last bit: a sensor's noise never repeats
GAP_S: Final = 2.0  # after it, all begins afresh
ROAD: Final = (0.45, 0.9)  # rows that are looked at: below the horizon, above the bonnet
EDGE_MIN: Final = 20  # grey levels over four pixels
EDGES_LEAST: Final = 50
TILE_PX: Final = 8  # of every fourth pixel
FLAT: Final = 1.2  # grey levels of grain: less shows nothing at all
MISSING_MAX: Final = 8.0  # grey level of what never came
MISSING_SHARE: Final = 0.08  # of the tiles
COVERED_SHARE: Final = 0.85
JUMP_SHARE: Final = 0.02  # of the rows within a picture: 0.8 degrees of a common lens, more than any bump on a road
JUMP_RESPONSE: Final = 0.3  # of the correlation; less is another scene, not the same one elsewhere
JUMP_BACK: Final = 0.5  # it has come back when so much of the jump is undone
JUMP_SEEN_S: Final = 1.0  # a bump comes back within this time
SMALL: Final = (160, 90)
BAD: Final = 0.6  # a factor below this makes the camera degraded

# factor 1 on the one side, the least factor on the other; between them in a straight line
SHARP: Final = (0.36, 0.27)
GRAIN: Final = (0.72, 0.86)
CONTRAST: Final = (0.008, 0.002)
FLAT_SHARE: Final = (0.13, 0.28)
LIT_SHARE: Final = (0.17, 0.30)
DARK_SHARE: Final = (0.60, 0.90)
LEAST: Final = 0.2

Picture = npt.NDArray[np.uint8]


class Trouble(Enum):
    """What is wrong with the pictures; its value is the reason that is told."""

    NONE = ""
    BLURRED = "camera out of focus or its windscreen misted"
    RAIN = "rain or noise in the camera's picture"
    FOG = "no contrast in the camera's picture"
    GLARE = "camera dazzled"
    DARK = "too dark for the camera"
    DIRTY = "camera's windscreen dirty"
    COVERED = "camera covered"
    MISSING = "part of the camera's picture missing"
    FROZEN = "camera picture frozen"
    SHIFTED = "camera knocked out of its place"


USELESS: Final = (Trouble.COVERED, Trouble.MISSING, Trouble.FROZEN, Trouble.SHIFTED)


@dataclass(frozen=True, slots=True)
class Health:
    """What is known of the pictures now.

    Args:
        trouble: The gravest finding that has settled.
        factor: What a confidence that rests on the pictures is worth, 0 to 1; follows at once, without settling.
    """

    trouble: Trouble = Trouble.NONE
    factor: float = 1.0

    @property
    def is_useless(self) -> bool:
        """No metre that is seen may be believed."""
        return self.trouble in USELESS

    @property
    def shows_nothing(self) -> bool:
        """Nothing that is seen may be believed; a camera that was knocked still shows what there is, elsewhere."""
        return self.is_useless and self.trouble is not Trouble.SHIFTED


@dataclass(frozen=True, slots=True)
class HealthState:
    """Memory; the defaults are a start without any.

    Args:
        health: As told last.
        looked_s: Last look.
        seen: What the last look found, and `since_s` since when.
        print_: Few pixels of the former picture, as bytes; `same_s` since when they have not changed.
        small: The former picture at 160x90, grey, as bytes.
        stamp_s: Of the former picture.
        jump_share, jumped_s: How far the picture has jumped, down positive, in rows; when.
    """

    health: Health = Health()
    looked_s: float | None = None
    seen: Trouble = Trouble.NONE
    since_s: float = 0.0
    print_: bytes = b""
    same_s: float = 0.0
    small: bytes = b""
    stamp_s: float | None = None
    jump_share: float = 0.0
    jumped_s: float = 0.0


make_health = maker(Health)
START: Final = HealthState()
make_state = maker(HealthState)
with_state = replacer(HealthState)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one picture shows.

    Args:
        sharpness: Share of a brightness step over four pixels that lies between two neighbours, median; `None` where
            there are too few steps.
        edges: Share of pixels with such a step.
        flat, missing: Shares of tiles without grain, and of those that are black besides.
        lit, dark: Shares of pixels that are burnt out, and nearly black.
    """

    sharpness: float | None
    edges: float
    flat: float
    missing: float
    lit: float
    dark: float


def weighed(model: LaneModel, health: Health) -> LaneModel:
    """A lane model with what the pictures are worth in its confidences; nothing of a camera that is useless."""
    if health.is_useless:
        return replace(model, boundaries=(), is_calibrated=False, reason=health.trouble.value)
    if health.factor == 1.0:
        return model
    boundaries = tuple(replace(line, confidence=line.confidence * health.factor) for line in model.boundaries)
    return replace(model, boundaries=boundaries, reason=model.reason or health.trouble.value)


def alone(picture: Picture) -> Health:
    """What one picture by itself shows."""
    return judged(look(picture))


def look(picture: Picture) -> Look:
    """The figures of one picture, (rows, columns, 3) or (rows, columns) uint8."""
    green: Picture = picture[..., 1] if picture.ndim == 3 else picture
    wide = max(1, round(green.shape[1] / 1280))
    lines = green[:: 16 * wide, ::wide].astype(np.int16)
    step = np.abs(lines[:, 4:] - lines[:, :-4])
    near = np.abs(lines[:, 1:] - lines[:, :-1])
    most = np.maximum(np.maximum(near[:, :-3], near[:, 1:-2]), np.maximum(near[:, 2:-1], near[:, 3:]))
    is_edge = step > EDGE_MIN
    count = int(np.count_nonzero(is_edge))
    sharpness = float(np.median(most[is_edge] / step[is_edge])) if count >= EDGES_LEAST else None
    road = green[int(ROAD[0] * green.shape[0]) : int(ROAD[1] * green.shape[0]) : 4 * wide, :: 4 * wide]
    rows, columns = road.shape[0] // TILE_PX, road.shape[1] // TILE_PX
    tiles = road[: rows * TILE_PX, : columns * TILE_PX].reshape(rows, TILE_PX, columns, TILE_PX).astype(np.float32)
    mean = tiles.mean(axis=(1, 3))
    spread = np.sqrt(np.maximum((tiles * tiles).mean(axis=(1, 3)) - mean * mean, 0.0))
    is_flat = spread < FLAT
    return Look(
        sharpness=sharpness,
        edges=count / max(step.size, 1),
        flat=float(is_flat.mean()) if is_flat.size else 1.0,
        missing=float((is_flat & (mean <= MISSING_MAX)).mean()) if is_flat.size else 1.0,
        lit=float((road >= 250).mean()),
        dark=float((road <= 20).mean()),
    )


def judged(seen: Look) -> Health:
    """What the figures of one picture mean."""
    lit = _factor(seen.lit, LIT_SHARE)
    dark = _factor(seen.dark, DARK_SHARE)
    contrast = _factor(seen.edges, CONTRAST) if dark == 1.0 else 1.0
    flat = _factor(seen.flat, FLAT_SHARE)
    sharp = grain = 1.0
    if seen.sharpness is not None:
        sharp = _factor(seen.sharpness, SHARP)
        grain = _factor(seen.sharpness, GRAIN) if dark == 1.0 else 1.0  # in the dark noise is all there is
    found = [(lit, Trouble.GLARE), (dark, Trouble.DARK), (sharp, Trouble.BLURRED), (grain, Trouble.RAIN)]
    if seen.flat >= COVERED_SHARE and seen.edges < CONTRAST[1]:
        return make_health(Trouble.COVERED, 0.0)
    if seen.missing >= MISSING_SHARE and seen.dark - seen.missing < DARK_SHARE[0]:
        return make_health(Trouble.MISSING, 0.0)
    if lit == 1.0:  # what is burnt out has no grain, either
        found.append((flat, Trouble.FOG if contrast < 1.0 else Trouble.DIRTY))
    found.append((contrast, Trouble.FOG))
    factor = 1.0
    for value, _ in found:
        factor *= value
    least, trouble = min(found, key=lambda item: item[0])
    if trouble is Trouble.BLURRED and flat < BAD and lit == 1.0:
        trouble = Trouble.DIRTY  # the rims of spots on the glass are out of focus as well
    return make_health(trouble if least < BAD else Trouble.NONE, factor)


def _factor(value: float, span: tuple[float, float]) -> float:
    """1 at the good end of a span and before it, `LEAST` at the bad one and beyond."""
    good, bad = span
    share = min(max((value - good) / (bad - good), 0.0), 1.0)
    return 1.0 - (1.0 - LEAST) * share


def step(picture: Picture, stamp_s: float, old: HealthState) -> tuple[Health, HealthState]:
    """One picture more.

    Args:
        picture: (rows, columns, 3) uint8.
        stamp_s: When it was taken.
        old: What is remembered.
    """
    if old.stamp_s is None or not 0.0 <= stamp_s - old.stamp_s <= GAP_S:
        old = make_state(jump_share=old.jump_share, jumped_s=stamp_s, since_s=stamp_s, same_s=stamp_s)
    print_ = picture[::24, ::24].tobytes()
    same_s = old.same_s if print_ == old.print_ else stamp_s
    if stamp_s - same_s >= FROZEN_S:
        health = make_health(Trouble.FROZEN, 0.0)
        return health, with_state(
            old, health=health, seen=Trouble.FROZEN, print_=print_, same_s=same_s, stamp_s=stamp_s
        )
    jump_share, jumped_s, small = _jumped(picture, old, stamp_s)
    is_due = old.looked_s is None or stamp_s - old.looked_s >= PERIOD_S - 1e-6
    if not is_due and old.seen is not Trouble.FROZEN and jump_share == old.jump_share:
        return old.health, with_state(
            old, print_=print_, same_s=same_s, small=small, stamp_s=stamp_s, jumped_s=jumped_s
        )
    found = judged(look(picture))
    is_lasting = False
    if abs(jump_share) >= JUMP_SHARE:
        is_lasting = stamp_s - jumped_s >= JUMP_SEEN_S
        found = make_health(Trouble.SHIFTED if is_lasting else found.trouble, 0.0)
    since_s = old.since_s if found.trouble is old.seen else stamp_s
    has_settled = is_lasting or old.looked_s is None or stamp_s - since_s >= SETTLE_S
    told = found.trouble if has_settled else old.health.trouble
    if old.seen is Trouble.FROZEN and found.trouble is Trouble.NONE:
        told = Trouble.NONE  # the next picture came: there is nothing to settle
    health = make_health(told, found.factor)
    return health, make_state(
        health, stamp_s, found.trouble, since_s, print_, same_s, small, stamp_s, jump_share, jumped_s
    )


def _jumped(picture: Picture, old: HealthState, stamp_s: float) -> tuple[float, float, bytes]:
    """How far the picture has jumped by now, when, and the small picture to compare the next one with."""
    green = picture[..., 1] if picture.ndim == 3 else picture
    rows, columns = green.shape
    shrunk: Any = cv2.resize(green[:: max(1, rows // 180), :: max(1, columns // 320)], SMALL)
    small = np.asarray(shrunk, np.uint8)
    kept = small.tobytes()
    if len(old.small) != len(kept):
        return old.jump_share, old.jumped_s, kept
    former = np.frombuffer(old.small, np.uint8).reshape(SMALL[1], SMALL[0]).astype(np.float32)
    (_, down), response = cv2.phaseCorrelate(former, small.astype(np.float32), _window())
    share = down / SMALL[1]
    if response < JUMP_RESPONSE or abs(share) < JUMP_SHARE:
        return old.jump_share, old.jumped_s, kept
    total = old.jump_share + share
    if abs(total) < JUMP_BACK * JUMP_SHARE or abs(total) < JUMP_BACK * abs(old.jump_share):
        return 0.0, stamp_s, kept
    return total, stamp_s, kept


@cache
def _window() -> npt.NDArray[np.float32]:
    """Fades the borders of the small picture, which a correlation would else take for its content."""
    return np.asarray(cv2.createHanningWindow(SMALL, cv2.CV_32F), np.float32)
