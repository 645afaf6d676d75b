"""Two small networks: one finds signs in a picture of the road, one reads a cut-out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.blocks import conv, double
from training.signs.classes import VALUES, WITH_VALUE, WITHOUT_VALUE

STRIDE = 4  # of the finder's map, in pixels of its input
FORMS = 2  # round and plate are told; everything else is none of ours


class Residual(nn.Module):
    """Depthwise and pointwise twice, and what came in."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(width, width, 5, padding=2 * dilation, dilation=dilation, groups=width, bias=False),
            nn.BatchNorm2d(width),
            nn.Conv2d(width, 2 * width, 1, bias=False),
            nn.BatchNorm2d(2 * width),
            nn.ReLU(inplace=True),
            nn.Conv2d(2 * width, width, 1, bias=False),
            nn.BatchNorm2d(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, rows, columns) in and out."""
        return torch.relu(x + self.body(x))


class Finder(nn.Module):
    """Where signs are: a map of places with form, middle and size, four pixels a place."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.stem = conv(3, 16, 2)
        self.quarter = nn.Sequential(conv(16, 32, 2), Residual(32))
        self.eighth = nn.Sequential(conv(32, width, 2), Residual(width), Residual(width))
        self.deep = nn.Sequential(conv(width, 64, 2), Residual(64), Residual(64, 2), Residual(64, 3), Residual(64))
        self.up = nn.Conv2d(64, width, 1)
        self.up_again = nn.Conv2d(width, 32, 1)
        self.mix = Residual(width)
        self.head = nn.Sequential(Residual(32), nn.Conv2d(32, FORMS + 4, 1))
        bias = self.head[-1].bias
        assert bias is not None
        nn.init.constant_(bias, 0.0)
        nn.init.constant_(bias[:FORMS], -4.6)  # few places hold a sign

    def forward(self, x: Tensor) -> Tensor:
        """(n, 3, rows, columns), 0 to 1, to raw maps (n, FORMS + 4, rows / 4, columns / 4)."""
        quarter = self.quarter(self.stem(x))
        eighth = self.eighth(quarter)
        deep = self.deep(eighth)
        eighth = self.mix(eighth + double(self.up(deep)))
        raw: Tensor = self.head(quarter + double(self.up_again(eighth)))
        return raw


class FinderExport(nn.Module):
    """The finder in the layout of `yolov8`: (1, 4 + forms, places), peaks only, boxes in pixels of the input."""

    def __init__(self, finder: Finder, rows: int, columns: int) -> None:
        super().__init__()
        self.finder = finder
        y, x = torch.meshgrid(torch.arange(rows // STRIDE), torch.arange(columns // STRIDE), indexing="ij")
        self.register_buffer("places", torch.stack([x, y]).float()[None])

    def forward(self, x: Tensor) -> Tensor:
        """(1, 3, rows, columns) to (1, 4 + FORMS, places)."""
        raw = self.finder(x)
        score = torch.sigmoid(raw[:, :FORMS])
        best = score.amax(1, keepdim=True)
        is_peak = (nn.functional.max_pool2d(best, 3, 1, 1) == best).float()
        middle = (self.places + 0.5 + raw[:, FORMS : FORMS + 2]) * STRIDE
        size = torch.exp(raw[:, FORMS + 2 :].clamp(0.0, 7.0))
        return torch.cat([middle, size, score * is_peak], 1).flatten(2)


class Reader(nn.Module):
    """What a sign says: logits of kind and of value, put together to one class."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            conv(3, 24),
            conv(24, 32, 2),
            Residual(32),
            conv(32, 64, 2),
            Residual(64),
            Residual(64),
            conv(64, 128, 2),
            Residual(128),
            Residual(128),
            conv(128, 160, 2),
            nn.Flatten(),
            nn.Dropout(0.2),
            nn.Linear(160 * 9, 256),
            nn.ReLU(inplace=True),
        )
        self.kind = nn.Linear(256, len(WITH_VALUE) + len(WITHOUT_VALUE))
        self.value = nn.Linear(256, len(VALUES))

    def parts(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(n, 3, 48, 48), 0 to 1, to logits of kind and of value."""
        seen = self.body((x - 0.45) / 0.27)
        return self.kind(seen), self.value(seen)

    def forward(self, x: Tensor) -> Tensor:
        """Log-probabilities of the classes of `classes.names()`."""
        kind, value = self.parts(x)
        kind, value = torch.log_softmax(kind, 1), torch.log_softmax(value, 1)
        joint = (kind[:, : len(WITH_VALUE), None] + value[:, None, :]).flatten(1)
        return torch.cat([joint, kind[:, len(WITH_VALUE) :]], 1)
