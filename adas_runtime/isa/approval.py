"""The drive on public roads that decides on type approval (2021/1958 Annex I 4.3.1): is it valid, is it passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

DISTANCE_MIN_M: Final = 400e3  # Annex I, by a secondary source
TYPE_SHARE_MIN: Final = 0.25  # Annex I 4.3.1.3: of the distance, for each type of road
RIGHT_MIN: Final = 0.90  # Annex I, by a secondary source: of the whole distance
RIGHT_MIN_PER_TYPE: Final = 0.80  # the same, of each type of road
EPS: Final = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """Distance on one type of road, and that with the right limit shown [m]."""

    driven_m: float = 0.0
    right_m: float = 0.0

    @property
    def share(self) -> float:
        """Share of the distance with the right limit."""
        return self.right_m / self.driven_m if self.driven_m > 0.0 else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A drive by type of road: urban, non-urban, and motorway with expressway and dual carriageway."""

    urban: Stretch
    rural: Stretch
    motorway: Stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """`share`: of the distance with the right limit; `reason`: empty where it passes."""

    share: float
    is_valid: bool
    passes: bool
    reason: str


def judge(drive: Drive) -> Verdict:
    """Whether a drive counts, and whether it is passed."""
    stretches = {"urban": drive.urban, "rural": drive.rural, "motorway": drive.motorway}
    driven_m = sum(item.driven_m for item in stretches.values())
    share = sum(item.right_m for item in stretches.values()) / driven_m if driven_m > 0.0 else 0.0

    def verdict(reason: str, *, is_valid: bool = True) -> Verdict:
        return Verdict(share=share, is_valid=is_valid, passes=not reason, reason=reason)

    if driven_m < DISTANCE_MIN_M - EPS:
        text = f"invalid: distance {driven_m / 1e3:.1f} km, {DISTANCE_MIN_M / 1e3:.0f} needed"
        return verdict(text, is_valid=False)
    for name, item in stretches.items():
        if item.driven_m / driven_m < TYPE_SHARE_MIN - EPS:
            text = f"invalid: {name} is {item.driven_m / driven_m:.1%} of the distance, {TYPE_SHARE_MIN:.0%} needed"
            return verdict(text, is_valid=False)
    for name, item in stretches.items():
        if item.share < RIGHT_MIN_PER_TYPE - EPS:
            return verdict(f"{name} right on {item.share:.1%} of its distance, {RIGHT_MIN_PER_TYPE:.0%} needed")
    if share < RIGHT_MIN - EPS:
        return verdict(f"overall right on {share:.1%} of the distance, {RIGHT_MIN:.0%} needed")
    return verdict("")
