"""Trains the sign finder and the sign reader and writes both as ONNX.

python -m training.signs.train --templates templates.npz --photos photos.npz --out out [--minutes 20]

On a GPU where there is one; on a CPU the default of 55 minutes gives a usable, weaker pair.
"""

from __future__ import annotations

import argparse
import math
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.loop import learn
from training.signs.classes import NO_VALUE, VALUES, WITH_VALUE, index, names
from training.signs.nets import FORMS, STRIDE, Finder, FinderExport, Reader
from training.signs.scenes import Faces, backgrounds, camera, crops, leaves, noise_picture, paste, uniform

OTHER_FORM = 2
SIDE = 256  # of a picture that the finder trains on
CUT = 48  # of a cut-out that the reader reads
AROUND = 1.25  # a cut-out is so much larger than the sign
ROWS, COLUMNS = 720, 1280


def weights_of(faces: Faces, *, other: float) -> Tensor:
    """How often each class is drawn: speed limits most, the rest by its share of templates."""
    classes = torch.unique(faces.meanings)
    weight = torch.ones(len(classes), device=classes.device)
    kind = torch.div(classes, len(VALUES), rounding_mode="floor")
    weight[kind == WITH_VALUE.index("speed_limit")] = 4.0
    weight[kind == WITH_VALUE.index("variable_speed_limit")] = 2.0
    weight[(kind == WITH_VALUE.index("zone_entry")) | (kind == WITH_VALUE.index("zone_exit"))] = 2.0
    weight[classes >= len(WITH_VALUE) * len(VALUES)] = 6.0
    weight[classes == index("other", None)] = other
    return weight


class Scenes:
    """Batches for the finder: pictures and what is in them."""

    def __init__(self, faces: Faces, photos: Tensor | None, device: torch.device) -> None:
        self.faces, self.photos, self.device = faces, photos, device
        self.weights = weights_of(faces, other=170.0)

    def batch(self, many: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pictures, heat (n, FORMS, ...), box maps (n, 4, ...), mask of the boxes (n, 1, ...)."""
        device = self.device
        with torch.no_grad():
            picture = backgrounds(self.photos, many, SIDE, device)
            cells = SIDE // STRIDE
            heat = torch.zeros(many, FORMS, cells, cells, device=device)
            boxes = torch.zeros(many, 4, cells, cells, device=device)
            known = torch.zeros(many, 1, cells, cells, device=device)
            weight = torch.zeros(many, 1, cells, cells, device=device)
            y, x = torch.meshgrid(torch.arange(cells, device=device), torch.arange(cells, device=device), indexing="ij")
            rows = torch.arange(many, device=device)
            for number in range(3):
                which = self.faces.draw(many, self.weights)
                size = torch.exp(uniform(many, math.log(9), math.log(230), device))
                # each in a third of the picture, so that none covers another's middle
                at_x = uniform(many, 0, SIDE / 3, device) + number * SIDE / 3
                at_y = uniform(many, 0, SIDE, device)
                size = torch.minimum(size, torch.full_like(size, 90.0)) if number else size
                is_there = torch.rand(many, device=device) < (0.75 if number == 0 else 0.35)
                pasted, alpha = paste(picture, self.faces.pictures[which], at_x, at_y, size)
                picture = torch.where(is_there[:, None, None, None], pasted, picture)
                solid = alpha[:, 0] > 0.5
                across, down = solid.any(1), solid.any(2)  # (n, SIDE)
                left, right = across.float().argmax(1), SIDE - across.flip(1).float().argmax(1)
                top, bottom = down.float().argmax(1), SIDE - down.flip(1).float().argmax(1)
                wide, high = (right - left).float(), (bottom - top).float()
                mid_x, mid_y = (left + right).float() / 2, (top + bottom).float() / 2
                cut_off = (left == 0) | (top == 0) | (right == SIDE) | (bottom == SIDE)
                there = is_there & (self.faces.forms[which] != OTHER_FORM) & solid.any(2).any(1) & ~cut_off
                cx, cy = (mid_x / STRIDE).long().clamp(0, cells - 1), (mid_y / STRIDE).long().clamp(0, cells - 1)
                spread = (torch.minimum(wide, high) / STRIDE / 6).clamp(min=0.5)
                bump = torch.exp(
                    -((x[None] - cx[:, None, None]) ** 2 + (y[None] - cy[:, None, None]) ** 2)
                    / (2 * spread[:, None, None] ** 2)
                )
                bump = bump * there[:, None, None]
                form = self.faces.forms[which].clamp(max=FORMS - 1).long()
                heat[rows, form] = torch.maximum(heat[rows, form], bump)
                near = (bump > 0.5)[:, None]
                values = torch.stack(
                    [
                        mid_x[:, None, None] / STRIDE - x[None] - 0.5,
                        mid_y[:, None, None] / STRIDE - y[None] - 0.5,
                        torch.log(wide.clamp(min=1))[:, None, None].expand(-1, cells, cells),
                        torch.log(high.clamp(min=1))[:, None, None].expand(-1, cells, cells),
                    ],
                    1,
                )
                boxes = torch.where(near, values, boxes)
                known = torch.maximum(known, near.float())
                # half a sign at the border, or one too small to read, is neither right nor wrong
                unsure = is_there & (self.faces.forms[which] != OTHER_FORM) & (cut_off | (size < 11))
                weight = torch.maximum(weight, (unsure[:, None, None, None] & _around(solid, cells)).float())
            picture = camera(leaves(picture))
        return picture, heat, torch.cat([boxes, 1 - weight], 1), known


def _around(solid: Tensor, cells: int) -> Tensor:
    return F.adaptive_max_pool2d(solid.float()[:, None], cells) > 0.5


def finder_loss(raw: Tensor, heat: Tensor, boxes: Tensor, known: Tensor) -> Tensor:
    """Penalty-reduced focal loss of the heat, and the distance of the boxes where there is a sign."""
    care = boxes[:, 4:]
    logit = raw[:, :FORMS]
    p = torch.sigmoid(logit).clamp(1e-4, 1 - 1e-4)
    positive = (heat > 0.999).float()
    gain = positive * (1 - p) ** 2 * torch.log(p) + (1 - positive) * (1 - heat) ** 4 * p**2 * torch.log(1 - p)
    count = positive.sum().clamp(min=1)
    found = -(gain * care).sum() / count
    place = (F.smooth_l1_loss(raw[:, FORMS:], boxes[:, :4], reduction="none") * known).sum() / known.sum().clamp(min=1)
    return found + place


class Cuts:
    """Batches for the reader: cut-outs and what they say."""

    def __init__(self, faces: Faces, photos: Tensor | None, device: torch.device) -> None:
        self.faces, self.photos, self.device = faces, photos, device
        self.weights = weights_of(faces, other=110.0)

    def batch(self, many: int) -> tuple[Tensor, Tensor, Tensor]:
        """Pictures (n, 3, CUT, CUT), kind, value (NO_VALUE where it has none)."""
        device = self.device
        with torch.no_grad():
            side = 2 * CUT
            ground = noise_picture(many, side, device)
            if self.photos is not None:
                half = many // 2
                ground[:half] = crops(self.photos, half, side)
                ground = ground[torch.randperm(many, device=device)]
            which = self.faces.draw(many, self.weights)
            size = side / AROUND * torch.exp(torch.randn(many, device=device) * 0.08)
            # templates of plates fill their square in one direction only: the finder's box is tighter
            off = torch.randn(2, many, device=device) * side * 0.035
            pasted, _ = paste(ground, self.faces.pictures[which], side / 2 + off[0], side / 2 + off[1], size)
            is_nothing = torch.rand(many, device=device) < 0.06
            picture = torch.where(is_nothing[:, None, None, None], ground, pasted)
            # seen from afar: fewer pixels than the cut-out has
            pixels = torch.exp(uniform(many, math.log(14), math.log(96), device))
            order = torch.argsort(pixels)
            picture, which, is_nothing, pixels = picture[order], which[order], is_nothing[order], pixels[order]
            parts = []
            for start in range(0, many, many // 8):
                part = slice(start, start + many // 8)
                small = max(10, int(pixels[part].mean()))
                shrunk = F.interpolate(leaves(picture[part]), size=(min(small, side),) * 2, mode="area")
                seen = camera(F.pad(shrunk, (8, 8, 8, 8), mode="replicate"))[:, :, 8:-8, 8:-8]
                parts.append(F.interpolate(seen, size=(CUT, CUT), mode="bilinear", antialias=True))
            picture = torch.cat(parts)
            meaning = self.faces.meanings[which]
            has_value = meaning < len(WITH_VALUE) * len(VALUES)
            kind = torch.where(
                has_value,
                torch.div(meaning, len(VALUES), rounding_mode="floor"),
                meaning - len(WITH_VALUE) * len(VALUES) + len(WITH_VALUE),
            )
            value = torch.where(has_value, meaning % len(VALUES), torch.full_like(meaning, NO_VALUE))
            nothing = index("nothing", None) - len(WITH_VALUE) * len(VALUES) + len(WITH_VALUE)
            kind = torch.where(is_nothing, torch.full_like(kind, nothing), kind)
            value = torch.where(is_nothing, torch.full_like(value, NO_VALUE), value)
        return picture, kind.long(), value.long()


def reader_loss(kind: Tensor, value: Tensor, true_kind: Tensor, true_value: Tensor) -> Tensor:
    """Cross entropy of the kind, and of the value where the sign has one."""
    of_kind = F.cross_entropy(kind, true_kind, label_smoothing=0.02)
    has_value = true_value != NO_VALUE
    of_value = F.cross_entropy(value[has_value], true_value[has_value], label_smoothing=0.02)
    return of_kind + of_value


def main() -> None:
    """Train both, write `finder.onnx`, `reader.onnx` and their weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--templates", type=Path, required=True)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=55.0)
    parser.add_argument("--batch", type=int, help="pictures of one step of the finder; eight times as many cut-outs")
    parser.add_argument("--resume", type=Path, help="folder of a former run, whose weights it goes on from")
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.backends.cudnn.benchmark = True
    batch = options.batch or (96 if device.type == "cuda" else 8)
    stored = np.load(options.templates)
    faces = Faces.of(
        torch.from_numpy(stored["pictures"]).to(device),
        torch.from_numpy(stored["meanings"]).long().to(device),
        torch.from_numpy(stored["forms"]).long().to(device),
    )
    photos = None
    if options.photos is not None:
        photos = torch.from_numpy(np.load(options.photos)["pictures"]).permute(0, 3, 1, 2).contiguous().to(device)
    options.out.mkdir(parents=True, exist_ok=True)

    reader = Reader().to(device)
    finder = Finder().to(device)
    if options.resume is not None:
        reader.load_state_dict(torch.load(options.resume / "reader.pt", map_location=device))
        finder.load_state_dict(torch.load(options.resume / "finder.pt", map_location=device))
    cuts = Cuts(faces, photos, device)

    def read() -> Tensor:
        picture, kind, value = cuts.batch(batch * 8)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            seen = reader.parts(picture)
        return reader_loss(seen[0].float(), seen[1].float(), kind, value)

    best = learn("reader", reader, read, seconds=options.minutes * 60 * 0.4, rate=options.rate)
    export(best, torch.rand(1, 3, CUT, CUT), options.out / "reader.onnx", "classes")
    torch.save(best.state_dict(), options.out / "reader.pt")

    scenes = Scenes(faces, photos, device)

    def find() -> Tensor:
        picture, heat, boxes, known = scenes.batch(batch)
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            raw = finder(picture)
        return finder_loss(raw.float(), heat, boxes, known)

    best = learn("finder", finder, find, seconds=options.minutes * 60 * 0.6, rate=options.rate)
    torch.save(best.state_dict(), options.out / "finder.pt")
    assert isinstance(best, Finder)
    shipped = FinderExport(best.cpu(), ROWS, COLUMNS)
    export(shipped, torch.rand(1, 3, ROWS, COLUMNS), options.out / "finder.onnx", "output0")
    (options.out / "classes.txt").write_text("\n".join(names()) + "\n", encoding="utf-8")


def export(net: torch.nn.Module, example: Tensor, path: Path, output: str) -> None:
    """One ONNX file with fixed shapes."""
    net = net.cpu().eval()
    torch.onnx.export(
        net, (example,), str(path), input_names=["image"], output_names=[output], opset_version=17, dynamo=False
    )
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


if __name__ == "__main__":
    main()
