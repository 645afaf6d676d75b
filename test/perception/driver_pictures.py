"""Pictures of a driver with known truth: rendered heads in a plain cabin. Nobody real is in the tests."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

ROOT = Path(__file__).resolve().parents[2]
if str(ROOT) not in sys.path:
    sys.path.append(str(ROOT))

from training.driver.heads import Head, Renderer, Wish  # noqa: E402

SIZE = (640, 400)


@lru_cache(maxsize=64)
def head(seed: int = 0, **wish: Any) -> Head:
    """A head; by default one that looks into the camera with open eyes and nothing before its face."""
    wanted: dict[str, Any] = {
        "yaw_deg": 0.0,
        "pitch_deg": 0.0,
        "openness": 0.9,
        "has_sunglasses": False,
        "has_mask": False,
        "is_infrared": True,
    }
    return Renderer(np.random.default_rng(1_000_000 + seed)).draw(Wish(**(wanted | wish)))


def cabin(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A seat, a window and a wall, grey."""
    columns, rows = size
    picture = np.tile(np.linspace(70, 110, columns, dtype=np.float32)[None], (rows, 1))
    cv2.rectangle(picture, (0, 0), (columns // 3, rows // 3), 190.0, -1)
    cv2.rectangle(picture, (2 * columns // 3, rows // 4), (columns, rows), 55.0, -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 3.0)
    return picture


def seat(
    picture: np.ndarray, one: Head, *, x: float = 0.5, y: float = 0.45, height_px: float = 130.0
) -> tuple[np.ndarray, np.ndarray]:
    """The picture with a head whose face is so high and has its middle there; and the face's box [px]."""
    rows, columns = picture.shape
    left, top, right, bottom = (float(v) for v in one.box)
    scale = height_px / (bottom - top)
    at = np.array([x * columns, y * rows])
    middle = np.array([(left + right) / 2, (top + bottom) / 2])
    move = np.array([[scale, 0, 0], [0, scale, 0]], np.float64)
    move[:, 2] = at - scale * middle
    laid = cv2.warpAffine(one.picture, move, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    cover = laid[..., 3].astype(np.float32) / 255.0
    grey = laid[..., :3].astype(np.float32).mean(-1)
    half = scale * np.array([right - left, bottom - top]) / 2
    return picture * (1 - cover) + grey * cover, np.concatenate([at - half, at + half])


def shot(*heads: tuple[Head, float, float], seed: int = 0) -> np.ndarray:
    """A grey picture as a sensor gives it: heads, each with its place across and its face's height, and noise."""
    picture = cabin()
    for one, x, height_px in heads:
        picture, _ = seat(picture, one, x=x, height_px=height_px)
    noise = np.random.default_rng(seed).normal(0.0, 1.5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def driver(seed: int = 0, noise: int = 0, **wish: Any) -> np.ndarray:
    """A picture of one driver."""
    return shot((head(seed, **wish), 0.5, 130.0), seed=noise)
