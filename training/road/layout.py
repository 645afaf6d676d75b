"""What the network tells, and how large what it sees is."""

from __future__ import annotations

from typing import Final

CLASSES: Final = ("other", "road", "marking")
OTHER, ROAD, MARKING = range(len(CLASSES))
STRIDE: Final = 4  # of the map, in pixels of the input
ROWS, COLUMNS = 288, 512
