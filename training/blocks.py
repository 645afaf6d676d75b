"""What the networks that are trained here share."""

from __future__ import annotations

from torch import Tensor, nn


def conv(inside: int, outside: int, stride: int = 1, size: int = 3, dilation: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, size, stride, size // 2 * dilation, dilation=dilation, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions, and what came in."""

    def __init__(self, width: int, dilation: int = 1) -> None:
        super().__init__()
        self.first = conv(width, width, dilation=dilation)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(n, width, rows, columns) in and out."""
        return (x + self.second(self.first(x))).relu()


def double(x: Tensor) -> Tensor:
    """Twice as many rows and columns, each a copy."""
    return nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
