"""The queue before a model: one place, the newest picture wins, and what is lost is counted."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final, Generic, TypeVar

ItemT = TypeVar("ItemT")
DROPS_MAX: Final = 5  # in a row; more is a fault
RECOVERED_AFTER: Final = 20  # pictures in a row that were worked on: one second at 20 Hz


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """How the queue stands.

    Args:
        offered: Pictures that came.
        taken: Pictures that were worked on.
        dropped: Pictures that a newer one replaced.
        dropped_in_row: Since the last that was taken.
        worst_in_row: Most of them ever.
        refused: Pictures that were not newer than the one before.
        is_fault: More than five in a row were lost, and it has not gone well for long enough since.
    """

    offered: int = 0
    taken: int = 0
    dropped: int = 0
    dropped_in_row: int = 0
    worst_in_row: int = 0
    refused: int = 0
    is_fault: bool = False

    @property
    def reason(self) -> str:
        """The fault in words; empty without one."""
        if not self.is_fault:
            return ""
        return f"the model is too slow for its camera: {self.worst_in_row} pictures in a row lost"


class FrameBudget(Generic[ItemT]):
    """Holds at most one picture. The producer never waits; the model always gets the newest."""

    def __init__(self, drops_max: int = DROPS_MAX, recovered_after: int = RECOVERED_AFTER) -> None:
        self._drops_max = drops_max
        self._recovered_after = recovered_after
        self._item: ItemT | None = None
        self._stamp_s: float | None = None
        self._good = 0
        self._offered = self._taken = self._dropped = self._in_row = self._worst = self._refused = 0
        self._is_fault = False

    def offer(self, stamp_s: float, item: ItemT) -> bool:
        """A picture came.

        Returns:
            False where it is refused: not newer than the one before.
        """
        if not isfinite(stamp_s) or (self._stamp_s is not None and stamp_s <= self._stamp_s):
            self._refused += 1
            return False
        self._stamp_s = stamp_s
        self._offered += 1
        if self._item is not None:
            self._dropped += 1
            self._in_row += 1
            self._good = 0
            self._worst = max(self._worst, self._in_row)
            if self._in_row > self._drops_max:
                self._is_fault = True
        self._item = item
        return True

    def take(self) -> ItemT | None:
        """The newest picture, once; `None` where there is no new one."""
        item = self._item
        if item is None:
            return None
        self._item = None
        self._taken += 1
        self._good = self._good + 1 if self._in_row == 0 else 0
        self._in_row = 0
        if self._good >= self._recovered_after:
            self._is_fault = False
        return item

    def restart(self) -> None:
        """A new drive, or a clock that was set back: older stamps are welcome again, the counts stay."""
        self._item = None
        self._stamp_s = None
        self._in_row = self._good = 0

    @property
    def state(self) -> Budget:
        """How it stands."""
        return Budget(
            offered=self._offered,
            taken=self._taken,
            dropped=self._dropped,
            dropped_in_row=self._in_row,
            worst_in_row=self._worst,
            refused=self._refused,
            is_fault=self._is_fault,
        )
