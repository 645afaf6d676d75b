"""Trains the segmenter and writes it as ONNX.

python -m training.road.train --drives drives.npz --data SHARED --out out [--minutes 26]
"""

from __future__ import annotations

import argparse
import threading
from pathlib import Path
from queue import Queue

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.loop import learn
from training.road.layout import CLASSES, COLUMNS, MARKING, ROAD, ROWS
from training.road.nets import Segmenter
from training.road.scenes import PAVED, UNSURE, Scenes, real

WEIGHTS = (1.0, 1.0, 2.5)  # paint is a fiftieth of a picture


def loss_of(logits: Tensor, classes: Tensor) -> Tensor:
    """Cross entropy; where nobody said whether it is road or paint, of both together."""
    logs = torch.log_softmax(logits, 1)
    weights = torch.tensor(WEIGHTS, device=logits.device)
    known = torch.where(classes > len(CLASSES) - 1, UNSURE, classes)
    plain = F.nll_loss(logs, known, weights, ignore_index=UNSURE)
    paved = classes == PAVED
    both = -torch.logsumexp(logs[:, ROAD : MARKING + 1], 1)
    return plain + (both * paved).sum() / paved.sum().clamp(min=1000)


def export(net: Segmenter, path: Path, temperature: float) -> None:
    """Write the file; logits are divided by what makes their probabilities frequencies."""

    class Shipped(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = net

        def forward(self, x: Tensor) -> Tensor:
            logits: Tensor = self.net(x)
            return logits / temperature

    shipped = Shipped().eval()
    torch.onnx.export(
        shipped, (torch.rand(1, 3, ROWS, COLUMNS),), str(path), input_names=["image"], output_names=["classes"],
        opset_version=17, dynamo=False,
    )  # fmt: skip
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB", flush=True)


def main() -> None:
    """Train and export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--drives", type=Path, required=True, help="made by training.road.drives")
    parser.add_argument("--data", type=Path, required=True, help="the shared recordings")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=26.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--temperature", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(5)
    torch.set_num_threads(options.threads)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    options.out.mkdir(parents=True, exist_ok=True)
    scenes = Scenes(np.random.default_rng(5), options.drives, list(real(options.data / "lanes", "learn").values()))
    queue: Queue[tuple[Tensor, Tensor]] = Queue(maxsize=4)
    stop = threading.Event()

    def supply() -> None:
        while not stop.is_set():
            pictures, classes = scenes.batch(options.batch)
            queue.put((torch.from_numpy(pictures), torch.from_numpy(classes)))

    threading.Thread(target=supply, daemon=True).start()
    net = Segmenter().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def step() -> Tensor:
        pictures, classes = (item.to(device) for item in queue.get())
        return loss_of(net(pictures.contiguous(memory_format=torch.channels_last)), classes)

    best = learn(
        "segmenter",
        net,
        step,
        seconds=60.0 * options.minutes,
        rate=options.rate,
        decay=0.99,
        warm_up=0.04,
        saved=options.out / "segmenter.pt",
    )
    stop.set()
    assert isinstance(best, Segmenter)
    export(best.cpu(), options.out / "road_reader.onnx", options.temperature)


if __name__ == "__main__":
    main()
