"""Renders heads, trains the three networks of the driver camera on them, and writes them as ONNX.

python -m training.driver.train --out out [--heads 6000] [--minutes 18] [--workers 2]

Nothing but what is drawn here goes in. On two CPU cores rendering takes five minutes more.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from training.driver.heads import render
from training.driver.layout import (
    AROUND,
    BOX,
    EYE_COLUMNS,
    EYE_ROWS,
    FACE_PX,
    FINDER_COLUMNS,
    FINDER_ROWS,
    FLAGS,
    OPENNESS,
    PITCHES_DEG,
    POINTS,
    STRIDE,
    YAWS_DEG,
    eye_classes,
    face_classes,
    two_hot,
)
from training.driver.nets import Calibrated, EyeReader, FaceReader, Finder, FinderExport
from training.driver.scenes import Studio
from training.signs.train import export, train

HELD_SEED = 2
_SPANS = tuple(np.cumsum([len(YAWS_DEG), len(PITCHES_DEG), len(FLAGS)]).tolist())  # ends of yaw, pitch, flags
HARSH = 1.6  # of the pictures that confidences are calibrated on: worse ones than it learned from


def finder_item(studio: Studio) -> tuple[Any, ...]:
    """A picture, the heat and the boxes of its faces, and where they count."""
    scene = studio.scene()
    rows, columns = FINDER_ROWS // STRIDE, FINDER_COLUMNS // STRIDE
    heat = np.zeros((1, rows, columns), np.float32)
    values = np.zeros((4, rows, columns), np.float32)
    known = np.zeros((1, rows, columns), np.float32)
    y, x = np.mgrid[0:rows, 0:columns]
    for left, top, right, bottom in scene.boxes:
        mid_x, mid_y, wide, high = (left + right) / 2, (top + bottom) / 2, right - left, bottom - top
        cx, cy = int(mid_x // STRIDE), int(mid_y // STRIDE)
        if not (0 <= cx < columns and 0 <= cy < rows):
            continue
        spread = max(high / STRIDE / 8.0, 0.5)
        bump = np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / (2 * spread**2))
        heat[0] = np.maximum(heat[0], bump)
        near = bump > 0.6
        values[0][near] = (mid_x / STRIDE - x - 0.5)[near]
        values[1][near] = (mid_y / STRIDE - y - 0.5)[near]
        values[2][near], values[3][near] = np.log(wide), np.log(high)
        known[0][near] = 1.0
    return scene.picture[None], heat, values, known


def face_item(studio: Studio) -> tuple[Any, ...]:
    """A cut-out, distributions of its pose, flags, places and how much each counts, and whether there is a face."""
    cut = studio.face()
    yaw = two_hot(cut.pose[0] if cut.pose else 0.0, YAWS_DEG)
    pitch = two_hot(cut.pose[1] if cut.pose else 0.0, PITCHES_DEG)
    places = np.zeros(2 * len(POINTS) + len(BOX), np.float32)
    counts = np.zeros_like(places)
    if cut.points is not None and cut.box is not None:
        places[:] = np.concatenate([cut.points[:, :2].ravel(), cut.box])
        # where a hidden point lies can be told by the others, but not as well
        counts[:] = np.concatenate([np.repeat(0.3 + 0.7 * cut.points[:, 2], 2), np.ones(len(BOX))])
    there = np.float32(cut.pose is not None)
    return cut.picture[None], np.float32(yaw), np.float32(pitch), np.float32(cut.flags), places, counts, there


def eye_item(studio: Studio) -> tuple[Any, ...]:
    """A cut-out, the distribution of its openness, and whether the eye can be seen."""
    picture, opened = studio.eye()
    return picture[None], np.float32(two_hot(opened or 0.0, OPENNESS)), np.float32(opened is not None)


class Stream(IterableDataset[Any]):
    """Endless items; each worker draws its own."""

    def __init__(
        self, heads: dict[str, Any], item: Callable[[Studio], tuple[Any, ...]], seed: int, harsh: float
    ) -> None:
        self._heads, self._item, self._seed, self._harsh = heads, item, seed, harsh

    def __iter__(self) -> Iterator[Any]:
        import cv2

        cv2.setNumThreads(1)
        info = get_worker_info()
        rng = np.random.default_rng((self._seed, 0 if info is None else info.id))
        studio = Studio(self._heads, rng, harsh=self._harsh)
        while True:
            yield self._item(studio)


def batches(
    heads: dict[str, Any],
    item: Callable[[Studio], tuple[Any, ...]],
    many: int,
    workers: int,
    *,
    seed: int,
    harsh: float,
) -> Iterator[list[Tensor]]:
    """Batches of a kind of item."""
    loader = DataLoader(Stream(heads, item, seed, harsh), batch_size=many, num_workers=workers)
    return iter(loader)


def finder_loss(raw: Tensor, heat: Tensor, values: Tensor, known: Tensor) -> Tensor:
    """Penalty-reduced focal loss of the heat, and the distance of the boxes where there is a face."""
    p = torch.sigmoid(raw[:, :1]).clamp(1e-4, 1 - 1e-4)
    positive = (heat > 0.999).float()
    gain = positive * (1 - p) ** 2 * torch.log(p) + (1 - positive) * (1 - heat) ** 4 * p**2 * torch.log(1 - p)
    found = -gain.sum() / positive.sum().clamp(min=1)
    place = (F.smooth_l1_loss(raw[:, 1:], values, reduction="none", beta=0.3) * known).sum() / known.sum().clamp(min=1)
    return found + 2.0 * place


def _cross(raw: Tensor, shares: Tensor, counts: Tensor) -> Tensor:
    return -((shares * torch.log_softmax(raw, 1)).sum(1) * counts).sum() / counts.sum().clamp(min=1)


def face_loss(
    raw: Tensor, yaw: Tensor, pitch: Tensor, flags: Tensor, places: Tensor, counts: Tensor, there: Tensor
) -> Tensor:
    """Cross entropies and distances; without a face only that counts."""
    a, b, c = _SPANS
    said = F.binary_cross_entropy_with_logits(raw[:, b:c], flags, reduction="none")
    use = torch.stack([there, there, there, torch.ones_like(there)], 1)
    off = F.smooth_l1_loss(raw[:, c:], places, reduction="none", beta=0.02)
    return (
        _cross(raw[:, :a], yaw, there)
        + _cross(raw[:, a:b], pitch, there)
        + 2.0 * (said * use).sum(1).mean()
        + 40.0 * (off * counts).sum() / counts.sum().clamp(min=1)
    )


def eye_loss(raw: Tensor, shares: Tensor, seen: Tensor) -> Tensor:
    """Cross entropies; of an eye that cannot be seen only that counts."""
    return _cross(raw[:, :-1], shares, seen) + F.binary_cross_entropy_with_logits(raw[:, -1], seen)


def best_temperature(loss: Callable[[float], float]) -> float:
    """The temperature with the least loss, among 31 from 0.5 to 4."""
    return min((float(t) for t in np.exp(np.linspace(np.log(0.5), np.log(4.0), 31))), key=loss)


def calibration_error(confidence: Any, is_right: Any, bins: int = 10) -> float:
    """Expected calibration error: how far confidence is from the share that is right, by tenths [1]."""
    confidence, is_right = np.asarray(confidence), np.asarray(is_right, float)
    places = np.clip((confidence * bins).astype(int), 0, bins - 1)
    return float(
        sum(
            abs(confidence[places == k].mean() - is_right[places == k].mean()) * (places == k).mean()
            for k in range(bins)
            if (places == k).any()
        )
    )


def _calibrate_face(net: torch.nn.Module, held: dict[str, Any], many: int) -> tuple[list[float], dict[str, float]]:
    stream = batches(held, face_item, many, 0, seed=HELD_SEED, harsh=HARSH)
    a, b, c = _SPANS
    with torch.no_grad():
        # two sets: one to find the temperatures, one to tell how good they are
        (x1, yaw1, pitch1, flags1, _, _, there1), (x2, yaw2, pitch2, flags2, places2, _, there2) = (
            next(stream),
            next(stream),
        )
        raw1, raw2 = net(x1), net(x2)
    where1, where2 = there1 > 0.5, there2 > 0.5
    temperatures = [
        best_temperature(lambda t: float(_cross(raw1[:, :a] / t, yaw1, there1))),
        best_temperature(lambda t: float(_cross(raw1[:, a:b] / t, pitch1, there1))),
        best_temperature(lambda t: float(F.binary_cross_entropy_with_logits(raw1[where1][:, b:c] / t, flags1[where1]))),
    ]
    told: dict[str, float] = {}
    for name, raw, true, places, t in (
        ("yaw", raw2[:, :a], yaw2, YAWS_DEG, temperatures[0]),
        ("pitch", raw2[:, a:b], pitch2, PITCHES_DEG, temperatures[1]),
    ):
        p = torch.softmax(raw[where2] / t, 1)
        at = torch.tensor(places, dtype=torch.float32)
        off = ((p @ at) - (true[where2] @ at)).abs()
        told[f"{name}_error_deg"] = float(off.mean())
        told[f"{name}_within_15_deg"] = float((off < 15).float().mean())
        # confidence: the share of the distribution within 15 degrees of what is told
        near = (p * ((at[None] - (p @ at)[:, None]).abs() <= 15.0)).sum(1)
        told[f"{name}_ece"] = calibration_error(near.numpy(), (off <= 15.0).numpy())
    said = torch.sigmoid(raw2[:, b:c] / temperatures[2])
    for number, name in enumerate(FLAGS):
        use = where2 if name != "face" else torch.ones_like(where2)
        p, true = said[use][:, number].numpy(), flags2[use][:, number].numpy() > 0.5
        told[f"{name}_f1"] = f1(p > 0.5, true)
        told[f"{name}_ece"] = calibration_error(np.maximum(p, 1 - p), (p > 0.5) == true)
    eyes = (raw2[:, c : c + 4] - places2[:, :4]).reshape(-1, 2, 2)[where2].norm(dim=2)
    told["eye_error_of_face_height"] = float(eyes.mean()) * AROUND
    return temperatures, told


def f1(said: Any, true: Any) -> float:
    """Harmonic mean of precision and recall."""
    hits = float(np.sum(said & true))
    return 2 * hits / max(2 * hits + float(np.sum(said & ~true)) + float(np.sum(~said & true)), 1e-9)


def _calibrate_eye(net: torch.nn.Module, held: dict[str, Any], many: int) -> tuple[list[float], dict[str, float]]:
    stream = batches(held, eye_item, many, 0, seed=HELD_SEED, harsh=HARSH)
    with torch.no_grad():
        (x1, open1, seen1), (x2, open2, seen2) = next(stream), next(stream)
        raw1, raw2 = net(x1), net(x2)
    temperatures = [
        best_temperature(lambda t: float(_cross(raw1[:, :-1] / t, open1, seen1))),
        best_temperature(lambda t: float(F.binary_cross_entropy_with_logits(raw1[:, -1] / t, seen1))),
    ]
    where = seen2 > 0.5
    at = torch.tensor(OPENNESS)
    p = torch.softmax(raw2[where][:, :-1] / temperatures[0], 1)
    told_open, true_open = p @ at, open2[where] @ at
    is_closed = true_open < 0.2
    clear = (true_open < 0.12) | (true_open > 0.4)
    said = torch.sigmoid(raw2[:, -1] / temperatures[1])
    closed = p[:, :2].sum(1) - p[:, 1] * 0.5
    told = {
        "openness_error": float((told_open - true_open).abs().mean()),
        "closed_f1": f1((told_open < 0.25)[clear].numpy(), is_closed[clear].numpy()),
        "closed_ece": calibration_error(
            torch.maximum(closed, 1 - closed)[clear].numpy(), ((closed > 0.5) == is_closed)[clear].numpy()
        ),
        "visible_f1": f1((said > 0.5).numpy(), where.numpy()),
        "visible_ece": calibration_error(torch.maximum(said, 1 - said).numpy(), ((said > 0.5) == where).numpy()),
    }
    return temperatures, told


def main() -> None:
    """Render, train, calibrate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--heads", type=int, default=6000)
    parser.add_argument("--minutes", type=float, default=18.0, help="of training, all three together")
    parser.add_argument("--workers", type=int, default=1, help="processes that draw beside the one that learns")
    parser.add_argument("--rate", type=float, default=3e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=("finder", "face", "eye"))
    parser.add_argument("--resume", type=Path, help="folder of a former run, whose weights it goes on from")
    parser.add_argument("--harsh", type=float, default=1.0, help="how bad the pictures are that it learns from")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    heads = _heads(options.out / "heads.npz", options.heads, options.seed, options.workers)
    held = _heads(options.out / "held.npz", max(options.heads // 10, 50), HELD_SEED, options.workers)
    told: dict[str, Any] = {}
    seconds = options.minutes * 60.0

    def learn(name: str, net: torch.nn.Module, item: Any, loss: Callable[..., Tensor], many: int, share: float) -> Any:
        stream = batches(heads, item, many, options.workers, seed=options.seed, harsh=options.harsh)
        if options.resume is not None:
            net.load_state_dict(torch.load(options.resume / f"{name}.pt"))

        def step() -> Tensor:
            picture, *true = next(stream)
            return loss(net(picture), *true)

        best = train(name, net, step, seconds * share, options.rate).eval()
        torch.save(best.state_dict(), options.out / f"{name}.pt")
        return best

    if options.only in (None, "eye"):
        eye = learn("eye", EyeReader(), eye_item, eye_loss, 64, 0.33)
        temperatures, told["eye"] = _calibrate_eye(eye, held, 3000)
        shipped = Calibrated(eye, (len(OPENNESS),), 1, temperatures)
        export(shipped, torch.rand(1, 1, EYE_ROWS, EYE_COLUMNS), options.out / "eye.onnx", "values")
        (options.out / "eye.txt").write_text(",".join(eye_classes()) + "\n", encoding="utf-8")
    if options.only in (None, "face"):
        face = learn("face", FaceReader(), face_item, face_loss, 48, 0.33)
        temperatures, told["face"] = _calibrate_face(face, held, 3000)
        shipped = Calibrated(face, (len(YAWS_DEG), len(PITCHES_DEG)), len(FLAGS), temperatures)
        export(shipped, torch.rand(1, 1, FACE_PX, FACE_PX), options.out / "face.onnx", "values")
        (options.out / "face.txt").write_text(",".join(face_classes()) + "\n", encoding="utf-8")
    if options.only in (None, "finder"):
        finder = learn("finder", Finder(), finder_item, finder_loss, 16, 0.34)
        export(
            FinderExport(finder), torch.rand(1, 1, FINDER_ROWS, FINDER_COLUMNS), options.out / "finder.onnx", "output0"
        )
    for name, figures in told.items():
        print(name, json.dumps({key: round(value, 4) for key, value in figures.items()}), flush=True)


def _heads(path: Path, many: int, seed: int, workers: int) -> dict[str, Any]:
    if not path.exists():
        np.savez(path, **render(many, seed, max(workers, 1)))
    with np.load(path) as stored:
        return {name: stored[name] for name in stored.files}


if __name__ == "__main__":
    main()
