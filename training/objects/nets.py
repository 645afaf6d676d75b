"""A small network without anchors: for each 8 x 8 pixels of input, whose middle is there and how far are its edges."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.blocks import Residual, conv, double
from training.objects.shapes import CLASSES

STRIDE = 8  # of the map, in pixels of the input


class Detector(nn.Module):
    """Vehicles, pedestrians, cyclists: class scores and the four edges of a box for each place."""

    def __init__(self) -> None:
        super().__init__()
        self.quarter = nn.Sequential(conv(3, 16, 2), conv(16, 32, 2))
        self.eighth = nn.Sequential(conv(32, 48, 2), Residual(48))
        self.sixteenth = nn.Sequential(conv(48, 96, 2), Residual(96), Residual(96))
        self.deep = nn.Sequential(conv(96, 112, 2), Residual(112), Residual(112, 2))
        self.down_deep = nn.Conv2d(112, 96, 1)
        self.mix_sixteenth = conv(96, 64)
        self.down_eighth = nn.Conv2d(48, 64, 1)
        self.mix_eighth = conv(64, 64)
        self.kinds = nn.Sequential(conv(64, 48), nn.Conv2d(48, len(CLASSES), 1))
        self.edges = nn.Sequential(conv(64, 48), nn.Conv2d(48, 4, 1))
        bias = self.kinds[-1].bias
        assert bias is not None
        nn.init.constant_(bias, -4.6)  # few places hold somebody's middle
        bias = self.edges[-1].bias
        assert bias is not None
        nn.init.constant_(bias, 0.7)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, rows, columns), 0 to 1, to logits (n, classes, rows / 8, columns / 8) and log edges (n, 4, ...)."""
        eighth = self.eighth(self.quarter((x - 0.45) / 0.27))
        sixteenth = self.sixteenth(eighth)
        deep = self.deep(sixteenth)
        sixteenth = self.mix_sixteenth(sixteenth + double(self.down_deep(deep)))
        eighth = self.mix_eighth(self.down_eighth(eighth) + double(sixteenth))
        return self.kinds(eighth), self.edges(eighth).clamp(-3.0, 5.0)


def places(rows: int, columns: int, device: torch.device | None = None) -> Tensor:
    """Middle of each place in strides, (2, rows, columns)."""
    y, x = torch.meshgrid(torch.arange(rows, device=device), torch.arange(columns, device=device), indexing="ij")
    return torch.stack([x, y]).float() + 0.5


class Shipped(nn.Module):
    """The detector in the layout of `yolov8`: (1, 4 + classes, places), peaks alone, scores that are frequencies.

    Args:
        detector: Trained.
        rows, columns: Size of the input [px].
        slope, shift: Of each class: what makes a frequency of a logit (docs/objects.md).
        most: Of each class: no score is higher.
    """

    def __init__(
        self, detector: Detector, rows: int, columns: int, slope: list[float], shift: list[float], most: list[float]
    ) -> None:
        super().__init__()
        self.detector = detector
        self.register_buffer("places", places(rows // STRIDE, columns // STRIDE)[None])
        self.register_buffer("slope", torch.tensor(slope)[None, :, None, None])
        self.register_buffer("shift", torch.tensor(shift)[None, :, None, None])
        self.register_buffer("most", torch.tensor(most)[None, :, None, None])

    def forward(self, x: Tensor) -> Tensor:
        """(1, 3, rows, columns) to (1, 4 + classes, places)."""
        logits, edges = self.detector(x)
        best = logits.amax(1, keepdim=True)
        is_peak = (nn.functional.max_pool2d(best, 3, 1, 1) == best).float()
        score = torch.sigmoid(logits * self.slope + self.shift) * self.most * is_peak
        edge = torch.exp(edges)
        first, last = self.places - edge[:, :2], self.places + edge[:, 2:]
        return torch.cat([(first + last) * 0.5 * STRIDE, (last - first) * STRIDE, score], 1).flatten(2)
