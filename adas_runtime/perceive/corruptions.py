"""What weather, dirt and faults do to a camera's pictures, by severity: the same picture in, the same picture out.

They stand in for what nobody may do to a car on the road, to see that confidence falls before truth does.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.errors import AdasError

Picture = npt.NDArray[np.uint8]


class Corruptor:
    """Corrupts the pictures of one camera, one after the other.

    Args:
        kind: One of `KINDS`.
        severity: 0, nothing happens, to 1.
    Raises:
        AdasError: No such corruption or severity.
    """

    def __init__(self, kind: str, severity: float = 0.5) -> None:
        if kind not in KINDS:
            raise AdasError(f"no corruption {kind!r}", mend=f"take one of {', '.join(KINDS)}")
        if not 0.0 <= severity <= 1.0:
            raise AdasError(
                f"severity {severity:g} is not between 0 and 1", where=f"corruption {kind}", mend="take 0.5"
            )
        self.kind, self.severity = kind, severity
        self._number = 0
        self._held: Picture | None = None

    @classmethod
    def of(cls, text: str) -> Corruptor:
        """From the command line: `rain`, or `rain:0.8`."""
        kind, _, severity = text.partition(":")
        try:
            return cls(kind, float(severity) if severity else 0.5)
        except ValueError:
            raise AdasError(
                f"severity {severity!r} is no number", where=f"corruption {kind}", mend="take 0.5"
            ) from None

    def step(self, picture: Picture) -> Picture:
        """The next picture, (rows, columns, 3) uint8."""
        self._number += 1
        if self.severity == 0.0:
            return picture
        if self.kind == "frozen":  # the first picture again and again: severity is the share of pictures that hang
            if self._held is None or (self._number * 0.61803) % 1.0 > self.severity:
                self._held = picture
            return self._held
        return np.asarray(_KINDS[self.kind](picture, self.severity, self._number), dtype=np.uint8)


def _blur(picture: Picture, severity: float, number: int) -> Picture:
    """Out of focus."""
    return _as_picture(cv2.GaussianBlur(picture, (0, 0), 0.5 + 7.5 * severity * picture.shape[1] / 1280.0))


def _rain(picture: Picture, severity: float, number: int) -> Picture:
    """A veil of spray, streaks, and drops on the windscreen that bend and blur what is behind them."""
    rows, columns = picture.shape[:2]
    random = np.random.default_rng(1000 + number)
    veil = (1.0 - 0.45 * severity) * picture + 0.45 * severity * 150.0
    out = _clipped(veil + random.normal(0.0, 4.0 + 6.0 * severity, (rows, columns, 1)))
    for _ in range(int(400 * severity)):
        x, y, long = int(random.integers(columns)), int(random.integers(rows)), int(random.integers(12, 45))
        cv2.line(out, (x, y), (x + long // 5, y + long), (190, 190, 190), 1, cv2.LINE_AA)
    soft = cv2.GaussianBlur(out, (0, 0), 9.0)
    mask = _blobs(rows, columns, int(90 * severity), 0.006, 0.022, seed=7)
    return _mixed(out, _as_picture(np.roll(soft, rows // 20, axis=0)), mask)


def _fog(picture: Picture, severity: float, number: int) -> Picture:
    """Contrast that fades with the distance, which in a road picture is the height in it."""
    rows = picture.shape[0]
    near = np.clip((np.arange(rows) / rows - 0.45) / 0.55, 0.02, 1.0)
    kept = np.exp(-severity * 1.6 / near)[:, None, None]
    return _clipped(picture * kept + 190.0 * (1.0 - kept))


def _glare(picture: Picture, severity: float, number: int) -> Picture:
    """A low sun ahead, and its reflection on a wet road."""
    rows, columns = picture.shape[:2]
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    centre_x, centre_y = 0.55 * columns, 0.42 * rows
    away = np.hypot(x - centre_x, y - centre_y) / columns
    light = 330.0 * severity * np.exp(-((away / (0.12 + 0.25 * severity)) ** 2))
    road = 240.0 * severity * np.exp(-(((x - centre_x) / (0.10 * columns)) ** 2)) * (y > centre_y)
    return _clipped(picture * (1.0 - 0.3 * severity) + (light + road + 60.0 * severity)[..., None])


def _night(picture: Picture, severity: float, number: int) -> Picture:
    """Little light: darker, flatter, noisy."""
    random = np.random.default_rng(2000 + number)
    dark = 255.0 * (picture / 255.0) ** (1.0 + 2.0 * severity) * (1.0 - 0.85 * severity)
    noise = random.normal(0.0, 2.0 + 10.0 * severity, (*picture.shape[:2], 1))
    return _clipped(dark + noise)


def _dirt(picture: Picture, severity: float, number: int) -> Picture:
    """Mud on the windscreen: the same spots in every picture, out of focus."""
    rows, columns = picture.shape[:2]
    mask = _blobs(rows, columns, int(6 + 60 * severity), 0.02, 0.03 + 0.09 * severity, seed=3)
    return _mixed(picture, np.full_like(picture, (52, 68, 82)), mask)


def _black(picture: Picture, severity: float, number: int) -> Picture:
    """A share of the picture's rows never comes, from below: a cut transfer, a broken line driver."""
    out = picture.copy()
    out[round(picture.shape[0] * (1.0 - severity)) :] = 0
    return _as_picture(out)


def _shifted(picture: Picture, severity: float, number: int) -> Picture:
    """The camera was knocked: it looks lower and to the side from now on."""
    rows, columns = picture.shape[:2]
    move = np.array([[1.0, 0.0, 0.08 * severity * columns], [0.0, 1.0, -0.10 * severity * rows]])
    return _as_picture(cv2.warpAffine(picture, move, (columns, rows), borderMode=cv2.BORDER_REPLICATE))


def _covered(picture: Picture, severity: float, number: int) -> Picture:
    """A leaf, a sticker, ice: a share of the lens sees nothing but a dull light."""
    rows, columns = picture.shape[:2]
    mask = np.zeros((rows, columns), np.float32)
    cv2.rectangle(mask, (0, 0), (round(columns * severity), rows), 1.0, -1)
    return _mixed(picture, np.full_like(picture, (40, 42, 44)), cv2.GaussianBlur(mask, (0, 0), 12.0))


def _blobs(rows: int, columns: int, count: int, least: float, most: float, *, seed: int) -> npt.NDArray[np.float32]:
    """Soft spots on the glass; sizes as a share of the columns."""
    random = np.random.default_rng(seed)
    mask = np.zeros((rows, columns), np.float32)
    for _ in range(count):
        centre = int(random.integers(columns)), int(random.integers(rows // 4, rows))
        axes = int(columns * random.uniform(least, most)), int(columns * random.uniform(least, most))
        cv2.ellipse(mask, centre, axes, float(random.uniform(0.0, 180.0)), 0.0, 360.0, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), 0.004 * columns), np.float32)


def _mixed(picture: Picture, over: Picture, mask: npt.ArrayLike) -> Picture:
    share = np.asarray(mask, np.float32)[..., None]
    return _clipped(picture * (1.0 - share) + over * share)


def _clipped(values: npt.ArrayLike) -> Picture:
    return _as_picture(np.clip(np.asarray(values), 0.0, 255.0))


def _as_picture(values: object) -> Picture:
    return np.asarray(values, dtype=np.uint8)


_KINDS: Final[dict[str, Callable[[Picture, float, int], Picture]]] = {
    "blur": _blur,
    "rain": _rain,
    "fog": _fog,
    "glare": _glare,
    "night": _night,
    "dirt": _dirt,
    "covered": _covered,
    "black": _black,
    "shifted": _shifted,
}
KINDS: Final = (*_KINDS, "frozen")
