"""Trains the detector of vehicles, pedestrians and cyclists (docs/objects.md).

python -m training.objects.train --lanes SHARED/lanes --rendered rendered.npz --out out --minutes 35
"""

from __future__ import annotations

import argparse
import math
import threading
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import torch
from torch import Tensor

from training.loop import learn
from training.objects.export import export
from training.objects.nets import STRIDE, Detector
from training.objects.scenes import COLUMNS, ROWS, Scenes, Truth, photos
from training.objects.shapes import CLASSES
from training.objects.walkers import walkers

CORE = 0.3  # places within this share of a box's half size around its middle learn its edges


def targets(truths: list[Truth]) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Pictures, heat, edges in strides, weight of the edges, and what counts, of a batch."""
    many, rows, columns = len(truths), ROWS // STRIDE, COLUMNS // STRIDE
    heat = np.zeros((many, len(CLASSES), rows, columns), np.float32)
    edges = np.ones((many, 4, rows, columns), np.float32)
    core = np.zeros((many, 1, rows, columns), np.float32)
    care = np.ones((many, 1, rows, columns), np.float32)
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    for number, truth in enumerate(truths):
        for left, top, right, bottom in truth.unsure:
            care[
                number,
                0,
                int(max(top, 0)) // STRIDE : math.ceil(bottom / STRIDE),
                int(max(left, 0)) // STRIDE : math.ceil(right / STRIDE),
            ] = 0.0
        # the nearest last: where two overlap, a place belongs to the smaller one
        for kind, *box in sorted(truth.boxes, key=lambda item: -(item[3] - item[1]) * (item[4] - item[2])):
            left, top, right, bottom = (value / STRIDE for value in box)
            cx, cy, hx, hy = (left + right) / 2, (top + bottom) / 2, (right - left) / 2, (bottom - top) / 2
            sx, sy = max(hx * 0.33, 0.4), max(hy * 0.33, 0.4)
            bump = np.exp(-((x - cx) ** 2) / (2 * sx**2) - (y - cy) ** 2 / (2 * sy**2)).astype(np.float32)
            at = min(int(cy), rows - 1), min(int(cx), columns - 1)
            heat[number, kind] = np.maximum(heat[number, kind], np.minimum(bump, 0.98))
            heat[number, kind, at[0], at[1]] = 1.0
            inside = (np.abs(x - cx) <= max(CORE * hx, 0.5)) & (np.abs(y - cy) <= max(CORE * hy, 0.5))
            inside &= (x > left) & (x < right) & (y > top) & (y < bottom)
            inside[at] = True
            core[number, 0][inside] = 1.0
            for side, value in enumerate((x - left, y - top, right - x, bottom - y)):
                edges[number, side][inside] = np.maximum(value, 0.05)[inside]
            care[number, 0][inside] = 1.0
    pictures = np.stack([truth.picture[..., ::-1] for truth in truths])
    image = torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div_(255)
    return image, *(torch.from_numpy(item) for item in (heat, edges, core, care))


def loss_of(logits: Tensor, log_edges: Tensor, heat: Tensor, edges: Tensor, core: Tensor, care: Tensor) -> Tensor:
    """Penalty-reduced focal loss of the classes, and 1 - GIoU of the boxes."""
    p = torch.sigmoid(logits).clamp(1e-4, 1 - 1e-4)
    positive = (heat > 0.999).float()
    gain = positive * (1 - p) ** 2 * torch.log(p) + (1 - positive) * (1 - heat) ** 4 * p**2 * torch.log(1 - p)
    count = positive.sum().clamp(min=1)
    of_kinds = -(gain * torch.maximum(care, positive)).sum() / count
    found = torch.exp(log_edges)
    inside = (torch.minimum(found[:, :2], edges[:, :2]) + torch.minimum(found[:, 2:], edges[:, 2:])).clamp(min=0)
    around = torch.maximum(found[:, :2], edges[:, :2]) + torch.maximum(found[:, 2:], edges[:, 2:])
    both = inside[:, 0] * inside[:, 1]
    area = (found[:, 0] + found[:, 2]) * (found[:, 1] + found[:, 3]) + (edges[:, 0] + edges[:, 2]) * (
        edges[:, 1] + edges[:, 3]
    )
    union = area - both
    hull = around[:, 0] * around[:, 1]
    giou = both / union - (hull - union) / hull
    # each road user counts the same, however many places it has
    weight = core[:, 0] / (0.3 * (edges[:, 0] + edges[:, 2]) * 0.3 * (edges[:, 1] + edges[:, 3])).clamp(min=1.0)
    of_boxes = ((1 - giou) * weight).sum() / weight.sum().clamp(min=1)
    return of_kinds + 2.0 * of_boxes


def supply(scenes: Scenes, batch: int, queue: Queue[tuple[Tensor, ...]], stop: threading.Event) -> None:
    """Makes batches while the last one is learnt."""
    while not stop.is_set():
        queue.put(targets([scenes.picture() for _ in range(batch)]))


def main() -> None:
    """Train, write `detector.onnx` and its weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lanes", type=Path, required=True, help="folder `lanes` of the shared recordings")
    parser.add_argument("--rendered", type=Path, help="archive of training.objects.backgrounds")
    parser.add_argument("--clips", type=Path, nargs="*", default=[], help="people before a camera that stands still")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=35.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=2.5e-3)
    parser.add_argument("--shelf", type=int, default=500, help="sprites of vehicles that are kept; fewer of the others")
    parser.add_argument("--resume", type=Path, help="weights of a former run, which it goes on from")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    people = [sprite for path in options.clips for sprite in walkers(path)]
    source = photos(options.lanes, options.rendered)
    scenes = Scenes(np.random.default_rng(options.seed), source, options.shelf, people)
    net = Detector().to(device, memory_format=torch.channels_last)
    if options.resume is not None:
        net.load_state_dict(torch.load(options.resume, map_location=device))
    queue: Queue[tuple[Tensor, ...]] = Queue(maxsize=3)
    stop = threading.Event()
    threading.Thread(target=supply, args=(scenes, options.batch, queue, stop), daemon=True).start()

    def step() -> Tensor:
        image, *truth = (item.to(device) for item in queue.get())
        logits, edges = net(image.contiguous(memory_format=torch.channels_last))
        return loss_of(logits, edges, *truth)

    learn(
        "detector",
        net,
        step,
        seconds=60.0 * options.minutes,
        rate=options.rate,
        decay=0.995,
        warm_up=0.04,
        clip=10.0,
        saved=options.out / "detector.pt",
    )
    stop.set()
    ones = [1.0] * len(CLASSES)
    export(
        options.out / "detector.pt", options.out / "detector.onnx", slope=ones, shift=[0.0] * len(CLASSES), most=ones
    )


if __name__ == "__main__":
    main()
