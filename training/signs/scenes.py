"""Pictures to train on, made on the device: signs pasted into backgrounds, in all light, weather and distance."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F


@dataclass(frozen=True)
class Faces:
    """All templates on the device, in groups from which a class is drawn first and a template then."""

    pictures: Tensor  # (n, 4, side, side) uint8
    meanings: Tensor  # (n,)
    forms: Tensor  # (n,)
    order: Tensor  # templates sorted by class
    first: Tensor  # place of each class in `order`
    count: Tensor  # templates of each class

    @classmethod
    def of(cls, pictures: Tensor, meanings: Tensor, forms: Tensor) -> Faces:
        """Groups the templates by class."""
        order = torch.argsort(meanings, stable=True)
        _, count = torch.unique(meanings[order], return_counts=True)
        return cls(pictures, meanings, forms, order, torch.cumsum(count, 0) - count, count)

    def draw(self, many: int, weights: Tensor) -> Tensor:
        """Templates of drawn classes; `weights`: of each class that has templates."""
        group = torch.multinomial(weights, many, replacement=True)
        at = (torch.rand(many, device=group.device) * self.count[group]).long()
        return self.order[self.first[group] + at]


def uniform(many: int, low: float, high: float, device: torch.device) -> Tensor:
    """Drawn numbers, (many,)."""
    return torch.rand(many, device=device) * (high - low) + low


def noise_picture(many: int, side: int, device: torch.device) -> Tensor:
    """Backgrounds of drawn colour at several scales, edges and boxes, (many, 3, side, side)."""
    found = torch.rand(many, 3, 1, 1, device=device)
    for cells in (2, 5, 12, 30, 70):
        layer = torch.randn(many, 3, cells, cells, device=device) * uniform(many, 0.0, 0.3, device)[:, None, None, None]
        grey = torch.rand(many, 1, 1, 1, device=device)
        layer = layer * grey + layer.mean(1, keepdim=True) * (1 - grey)
        mode = "nearest" if cells in (5, 12) and torch.rand(()) < 0.5 else "bilinear"
        found = found + F.interpolate(layer, size=(side, side), mode=mode)
    return found.clamp(0, 1)


def crops(photos: Tensor, many: int, side: int) -> Tensor:
    """Cut-outs of real pictures at drawn scale, mirrored now and then, (many, 3, side, side) float.

    Args:
        photos: (n, 3, rows, columns) uint8.
    """
    device = photos.device
    n, _, rows, columns = photos.shape
    which = torch.randint(n, (many,), device=device)
    scale = torch.exp(uniform(many, math.log(0.5), math.log(2.0), device))  # of a photo's pixel in the crop
    half_x = (side / scale / columns).clamp(max=1.0)
    half_y = (side / scale / rows).clamp(max=1.0)
    x = uniform(many, -1, 1, device) * (1 - half_x)
    y = uniform(many, -1, 1, device) * (1 - half_y)
    mirror = torch.where(torch.rand(many, device=device) < 0.5, -1.0, 1.0)
    theta = torch.zeros(many, 2, 3, device=device)
    theta[:, 0, 0], theta[:, 0, 2] = half_x * mirror, x
    theta[:, 1, 1], theta[:, 1, 2] = half_y, y
    found = torch.empty(many, 3, side, side, device=device)
    for start in range(0, many, 32):  # one photo at a time would be slow, all of them at once too large
        part = slice(start, start + 32)
        grid = F.affine_grid(theta[part], [len(theta[part]), 3, side, side], align_corners=False)
        chosen = photos[which[part]].float() / 255
        found[part] = F.grid_sample(chosen, grid, align_corners=False, padding_mode="reflection")
    return found


def backgrounds(photos: Tensor | None, many: int, side: int, device: torch.device) -> Tensor:
    """Two of three from real pictures."""
    drawn = noise_picture(many, side, device)
    if photos is None:
        return drawn
    real = crops(photos, many, side)
    return torch.where(torch.rand(many, 1, 1, 1, device=device) < 0.75, real, drawn)


def paste(ground: Tensor, faces: Tensor, x: Tensor, y: Tensor, size: Tensor) -> tuple[Tensor, Tensor]:
    """Pastes one face into each picture.

    Args:
        ground: (n, 3, side, side).
        faces: (n, 4, s, s) uint8.
        x, y: Middle [px], (n,).
        size: Side of the template in the picture [px], (n,).
    Returns:
        The pictures, and what is covered, (n, 1, side, side).
    """
    device = ground.device
    n, _, side, _ = ground.shape
    face = faces.float() / 255
    face = torch.cat([face[:, :3] * face[:, 3:], face[:, 3:]], 1)  # so that sampling does not mix in the void's black
    # far signs: shrink first, else sampling aliases; three levels are enough
    small = F.avg_pool2d(face, 2)
    smaller = F.avg_pool2d(small, 2)
    turn = torch.randn(n, device=device) * 0.06
    narrow = 1 - torch.rand(n, device=device) ** 2 * 0.45  # seen from the side
    shear = torch.randn(n, device=device) * 0.05
    a, b = torch.cos(turn), torch.sin(turn)
    # from the picture's plane to the face's
    forward = torch.zeros(n, 2, 2, device=device)
    forward[:, 0, 0], forward[:, 0, 1] = a * narrow, -b
    forward[:, 1, 0], forward[:, 1, 1] = b * narrow + shear, a
    back = torch.linalg.inv(forward) * (side / size)[:, None, None]
    middle = torch.stack([x, y], 1) / side * 2 - 1
    theta = torch.cat([back, -(back @ middle[:, :, None])], 2)
    grid = F.affine_grid(theta, [n, 4, side, side], align_corners=False)
    ratio = size / face.shape[-1]
    layer = torch.empty(n, 4, side, side, device=device)
    for level, low, high in ((face, 0.7, 1e9), (small, 0.35, 0.7), (smaller, 0.0, 0.35)):
        chosen = (ratio > low) & (ratio <= high)
        if chosen.any():
            layer[chosen] = F.grid_sample(level[chosen], grid[chosen], align_corners=False)
    alpha = layer[:, 3:]
    colour = layer[:, :3] / alpha.clamp(min=1e-3)
    # its own light: shade, cast, a gradient, dirt
    gain = torch.exp(torch.randn(n, 1, 1, 1, device=device) * 0.35)
    gain = gain * (1 + torch.randn(n, 3, 1, 1, device=device) * 0.06)
    slope = torch.linspace(-1, 1, side, device=device)
    lean = torch.randn(n, 1, 1, 1, device=device) * 0.4
    colour = colour * gain * (1 + lean * (slope[None, None, :, None] - middle[:, 1, None, None, None]))
    lift = torch.rand(n, 1, 1, 1, device=device) ** 3 * 0.3
    colour = colour * (1 - lift) + lift * torch.rand(n, 3, 1, 1, device=device)
    dirt = F.interpolate(torch.randn(n, 1, 24, 24, device=device), size=(side, side), mode="bilinear")
    colour = colour * (1 - (dirt * uniform(n, 0, 0.2, device)[:, None, None, None]).clamp(min=0))
    return ground * (1 - alpha) + colour.clamp(0, 1) * alpha, alpha


def leaves(pictures: Tensor) -> Tensor:
    """Something dark in front of a part, now and then."""
    n, _, side, _ = pictures.shape
    device = pictures.device
    blobs = F.interpolate(torch.randn(n, 1, 7, 7, device=device), size=(side, side), mode="bicubic")
    level = torch.where(torch.rand(n, device=device) < 0.15, uniform(n, 1.1, 2.0, device), 9.0)
    mask = ((blobs - level[:, None, None, None]) * 6).clamp(0, 1)
    return pictures * (1 - mask) + mask * torch.rand(n, 3, 1, 1, device=device) * 0.5


def camera(pictures: Tensor) -> Tensor:
    """Blur, shake, light, noise, blocks of compression, and eight bits."""
    n, device = len(pictures), pictures.device
    # blur: mix of three widths, so that each picture has its own
    usual = torch.tensor([2.5, 0.5, -1.0, -2.5], device=device)
    weights = torch.softmax(torch.randn(n, 4, device=device) * 2.0 + usual, 1)
    layers = [pictures]
    for sigma in (0.8, 1.5, 2.6):
        layers.append(_gauss(pictures, sigma))
    found = sum(weights[:, i, None, None, None] * layer for i, layer in enumerate(layers))
    assert isinstance(found, Tensor)
    shaken = torch.rand(n, 1, 1, 1, device=device) < 0.15
    found = torch.where(shaken, F.avg_pool2d(found, (1, 5), 1, (0, 2), count_include_pad=False), found)
    # light: gamma, gain, contrast, cast, grey
    gamma = torch.exp(torch.randn(n, 1, 1, 1, device=device) * 0.35)
    found = found.clamp(1e-4, 1) ** gamma
    dusk = torch.rand(n, 1, 1, 1, device=device) * 0.75 + 0.15
    dark = torch.where(torch.rand(n, 1, 1, 1, device=device) < 0.3, dusk, 1.0)
    found = found * dark * torch.exp(torch.randn(n, 1, 1, 1, device=device) * 0.1)
    found = found * (1 + torch.randn(n, 3, 1, 1, device=device) * 0.07)
    haze = torch.rand(n, 1, 1, 1, device=device) ** 3 * 0.6
    found = found * (1 - haze) + haze * (0.3 + 0.6 * torch.rand(n, 1, 1, 1, device=device))
    grey = torch.rand(n, 1, 1, 1, device=device) ** 3
    found = found * (1 - grey) + found.mean(1, keepdim=True) * grey
    found = found + torch.randn_like(found) * (torch.rand(n, 1, 1, 1, device=device) ** 2 * 0.05)
    return (found.clamp(0, 1) * 255).round() / 255


def _gauss(pictures: Tensor, sigma: float) -> Tensor:
    reach = max(1, round(2.5 * sigma))
    x = torch.arange(-reach, reach + 1, device=pictures.device, dtype=torch.float32)
    kernel = torch.exp(-(x**2) / (2 * sigma**2))
    kernel = (kernel / kernel.sum()).repeat(3, 1)
    padded = F.pad(pictures, (reach, reach, reach, reach), mode="reflect")
    across = F.conv2d(padded, kernel[:, None, None, :], groups=3)
    return F.conv2d(across, kernel[:, None, :, None], groups=3)
