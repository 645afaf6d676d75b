"""One cycle of learning in a time budget, as every network here goes through it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

TELL_S = 20.0
SAVE_S = 60.0


def learn(
    name: str,
    net: torch.nn.Module,
    step: Callable[[], Tensor],
    *,
    seconds: float,
    rate: float,
    decay: float = 0.998,
    warm_up: float = 0.03,
    clip: float = 5.0,
    saved: Path | None = None,
) -> torch.nn.Module:
    """Learn; returns the running average of the weights, which is steadier.

    Args:
        name: For what is printed.
        step: The loss of the next batch.
        rate: The highest, after the warm-up; a cosine leads down from it.
        decay: Of the average, a step.
        warm_up: Share of the time.
        clip: Greatest norm of the gradient.
        saved: Where the average is kept as it grows.
    """
    optimiser = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-3)
    average = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(decay), use_buffers=True
    )
    started = told = kept = time.monotonic()
    steps, mean = 0, 0.0
    while (share := (time.monotonic() - started) / seconds) < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = rate * min(1.0, share / warm_up + 0.02) * 0.5 * (1 + math.cos(math.pi * share))
        loss = step()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimiser.step()
        average.update_parameters(net)
        steps += 1
        mean = float(loss.detach()) if steps == 1 else 0.98 * mean + 0.02 * float(loss.detach())
        if time.monotonic() - told > TELL_S:
            told = time.monotonic()
            print(f"{name}: {100 * share:.0f} %, {steps} steps, loss {mean:.3f}", flush=True)
        if saved is not None and time.monotonic() - kept > SAVE_S:
            kept = time.monotonic()
            torch.save(average.module.state_dict(), saved)
    if saved is not None:
        torch.save(average.module.state_dict(), saved)
    print(f"{name}: {steps} steps, loss {mean:.3f}", flush=True)
    best: torch.nn.Module = average.module
    return best
