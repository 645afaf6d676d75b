"""Trains the segmenter and writes it as ONNX.

python -m training.road.train --drives drives.npz --data SHARED --out out [--minutes 25]
"""

from __future__ import annotations

import argparse
import math
import threading
import time
from pathlib import Path
from queue import Queue

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

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
    parser.add_argument("--minutes", type=float, default=25.0)
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
    optimiser = torch.optim.AdamW(net.parameters(), lr=options.rate, weight_decay=1e-3)
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    started = told = time.monotonic()
    steps, mean = 0, 0.0
    while (share := (time.monotonic() - started) / (options.minutes * 60)) < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = options.rate * min(1.0, share / 0.04 + 0.02) * 0.5 * (1 + math.cos(math.pi * share))
        pictures, classes = (item.to(device) for item in queue.get())
        loss = loss_of(net(pictures.contiguous(memory_format=torch.channels_last)), classes)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        average.update_parameters(net)
        steps += 1
        mean = float(loss.detach()) if steps == 1 else 0.97 * mean + 0.03 * float(loss.detach())
        if time.monotonic() - told > 30.0:
            told = time.monotonic()
            print(f"{100 * share:.0f} %, {steps} steps, loss {mean:.3f}", flush=True)
            torch.save(average.module.state_dict(), options.out / "segmenter.pt")
    stop.set()
    torch.save(average.module.state_dict(), options.out / "segmenter.pt")
    print(f"{steps} steps, loss {mean:.3f}", flush=True)
    best = Segmenter()
    best.load_state_dict(torch.load(options.out / "segmenter.pt", map_location="cpu"))
    export(best, options.out / "road_reader.onnx", options.temperature)


if __name__ == "__main__":
    main()
