"""A small network that says of each 4 x 4 pixels whether they are road, paint on it, or neither."""

from __future__ import annotations

from torch import Tensor, nn

from training.blocks import Residual, conv, double
from training.road.layout import CLASSES


class Segmenter(nn.Module):
    """(n, 3, rows, columns), 0 to 1, to logits (n, CLASSES, rows / 4, columns / 4)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 12, 2)
        self.quarter = nn.Sequential(conv(12, 24, 2), Residual(24))
        self.eighth = nn.Sequential(conv(24, 40, 2), Residual(40))
        self.deep = nn.Sequential(conv(40, 64, 2), Residual(64), Residual(64, 2), Residual(64, 4))
        self.up_deep = nn.Conv2d(64, 40, 1)
        self.mix = conv(40, 40)
        self.up_eighth = nn.Conv2d(40, 24, 1)
        self.head = nn.Sequential(conv(24, 24), nn.Conv2d(24, len(CLASSES), 1))

    def forward(self, x: Tensor) -> Tensor:
        """As the class says."""
        quarter = self.quarter(self.stem((x - 0.45) / 0.27))
        eighth = self.eighth(quarter)
        eighth = self.mix(eighth + double(self.up_deep(self.deep(eighth))))
        logits: Tensor = self.head(quarter + double(self.up_eighth(eighth)))
        return logits
