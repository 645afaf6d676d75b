"""Three small networks: one finds faces, one reads a face, one reads an eye. All see grey."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.blocks import conv
from training.driver.layout import (
    BOX,
    FINDER_COLUMNS,
    FINDER_ROWS,
    FLAGS,
    OPENNESS,
    PITCHES_DEG,
    POINTS,
    STRIDE,
    YAWS_DEG,
)
from training.signs.nets import Residual


class Finder(nn.Module):
    """Where faces are: a map with a score and a box, eight pixels a place."""

    def __init__(self) -> None:
        super().__init__()
        self.eighth = nn.Sequential(conv(1, 12, 2), conv(12, 24, 2), Residual(24), conv(24, 40, 2), Residual(40))
        self.deep = nn.Sequential(conv(40, 56, 2), Residual(56), Residual(56, 2), Residual(56))
        self.up = nn.Conv2d(56, 40, 1)
        self.head = nn.Sequential(Residual(40), nn.Conv2d(40, 1 + 4, 1))
        bias = self.head[-1].bias
        assert bias is not None
        nn.init.constant_(bias, 0.0)
        nn.init.constant_(bias[:1], -4.6)  # few places hold a face

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, rows, columns), 0 to 1, to raw maps (n, 1 + 4, rows / 8, columns / 8)."""
        eighth = self.eighth((x - 0.45) / 0.27)
        deep = self.up(self.deep(eighth))
        raw: Tensor = self.head(eighth + nn.functional.interpolate(deep, scale_factor=2.0, mode="nearest"))
        return raw


class FinderExport(nn.Module):
    """The finder in the layout of `yolov8`: (1, 4 + 1, places), peaks only, pixels of the input."""

    def __init__(self, finder: Finder) -> None:
        super().__init__()
        self.finder = finder
        y, x = torch.meshgrid(
            torch.arange(FINDER_ROWS // STRIDE), torch.arange(FINDER_COLUMNS // STRIDE), indexing="ij"
        )
        self.register_buffer("places", torch.stack([x, y]).float()[None])

    def forward(self, x: Tensor) -> Tensor:
        """(1, 1, rows, columns) to (1, 4 + 1, places)."""
        raw = self.finder(x)
        score = torch.sigmoid(raw[:, :1])
        is_peak = (nn.functional.max_pool2d(score, 3, 1, 1) == score).float()
        size = torch.exp(raw[:, 3:5].clamp(0.0, 6.0))
        middle = (self.places + 0.5 + raw[:, 1:3]) * STRIDE
        return torch.cat([middle, size, score * is_peak], 1).flatten(2)


class FaceReader(nn.Module):
    """Pose, flags and places of a face: logits of the two distributions and of the flags, then shares of the input."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(1, 16, 2),
            conv(16, 32, 2),
            Residual(32),
            conv(32, 64, 2),
            Residual(64),
            Residual(64),
            conv(64, 96, 2),
            Residual(96),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(96 * 25, 128),
            nn.ReLU(inplace=True),
            nn.Linear(128, len(YAWS_DEG) + len(PITCHES_DEG) + len(FLAGS) + 2 * len(POINTS) + len(BOX)),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 72, 72), 0 to 1, to logits and shares."""
        raw: Tensor = self.body(_even(x))
        return raw


class EyeReader(nn.Module):
    """How far an eye is open: logits of the distribution, and whether it can be seen."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(1, 16),
            conv(16, 24, 2),
            Residual(24),
            conv(24, 48, 2),
            Residual(48),
            Residual(48),
            conv(48, 64, 2),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(64 * 24, 96),
            nn.ReLU(inplace=True),
            nn.Linear(96, len(OPENNESS) + 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 32, 48), 0 to 1, to logits."""
        raw: Tensor = self.body(_even(x))
        return raw


class Calibrated(nn.Module):
    """A reader whose distributions are softened by temperatures found on heads that it never saw.

    Args:
        net: The reader.
        spans: Length of each distribution, in order.
        flags: How many single probabilities follow; what is left over are numbers as they are.
        temperatures: One for each distribution, and one for the flags.
    """

    def __init__(self, net: nn.Module, spans: tuple[int, ...], flags: int, temperatures: list[float]) -> None:
        super().__init__()
        self.net = net
        self.spans = spans
        self.flags = flags
        self.temperatures = temperatures

    def forward(self, x: Tensor) -> Tensor:
        """Probabilities and numbers, in the order of the logits."""
        raw = self.net(x)
        parts, start = [], 0
        for span, temperature in zip(self.spans, self.temperatures, strict=False):
            parts.append(torch.softmax(raw[:, start : start + span] / temperature, 1))
            start += span
        parts.append(torch.sigmoid(raw[:, start : start + self.flags] / self.temperatures[-1]))
        parts.append(raw[:, start + self.flags :])
        return torch.cat(parts, 1)


def _even(x: Tensor) -> Tensor:
    """Light and contrast taken out, so that a dark cabin looks like a bright one."""
    mean = x.mean((2, 3), keepdim=True)
    spread = ((x - mean) ** 2).mean((2, 3), keepdim=True).sqrt()
    return (x - mean) / (spread + 0.03)
