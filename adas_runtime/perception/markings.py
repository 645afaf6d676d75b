"""Paint on the road: a strip of ground resampled to metres, and the light ridges of marking width in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perception.camera import Camera

Floats = npt.NDArray[np.float32]
Image = npt.NDArray[np.uint8]

COLUMN_M: Final = 0.05  # a line of 0.10 m still covers two columns
HALF_WIDTH_M: Final = 8.0  # own lane and one to each side
ROW_STEP_NEAR_M: Final = 0.15
ROW_STEP_PX: Final = 1.0
HORIZON_MARGIN_PX: Final = 7.0  # closer to the horizon a line is thinner than a pixel
NEAREST_M: Final = 2.0
ROWS_MAX: Final = 260
PEAKS_PER_ROW: Final = 14
NARROW_COLUMNS: Final = 3  # 0.15 m
WIDE_COLUMNS: Final = 7  # 0.35 m: wide motorway edge lines, and double lines seen as one from afar
SIDE_COLUMNS: Final = 5
GAP_COLUMNS: Final = 1
LEVEL_FLOOR: Final = 5.0  # grey levels: camera noise and JPEG blocks stay below
NOISE_FACTOR: Final = 2.0


@dataclass(frozen=True, eq=False)
class Strip:
    """The ground ahead as rows of equal distance; a lookup table from there into the picture.

    The frame here is the camera's foot point: x forward along the vehicle, y left.

    Args:
        camera: Moved to x = y = 0.
        x_m: Distance of each row, (rows,) float32, ascending.
        step_m: Length of road that each row stands for, (rows,) float32.
        y_m: Lateral position of each column, (columns,) float32, descending from left to right.
        bands: Per pyramid level: level, first row, columns and rows to sample, each (n, columns) float32.
        is_seen: Columns that lie in the picture, (rows, columns).
    """

    camera: Camera
    x_m: Floats
    step_m: Floats
    y_m: Floats
    bands: tuple[tuple[int, int, Floats, Floats], ...]
    is_seen: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Marks:
    """Points on light ridges, columns of equal length n.

    Args:
        row: Row of the strip, int.
        x_m: Distance ahead.
        y_m: Lateral position of the middle.
        step_m: Length of road that the point stands for.
        strength: Response over the local threshold, 1 to 4.
        width_m: Width of the paint.
        ratio: Paint over road beside it, blue green red, (n, 3).
        level: Brightness of the paint, 0 to 255.
        balance: Contrast to the lighter side over contrast to the darker one, 0 to 1: paint lies between two
            stretches of the same road, a kerb or the rim of a shadow does not.
    """

    row: npt.NDArray[np.int64]
    x_m: npt.NDArray[np.float64]
    y_m: npt.NDArray[np.float64]
    step_m: npt.NDArray[np.float64]
    strength: npt.NDArray[np.float64]
    width_m: npt.NDArray[np.float64]
    ratio: npt.NDArray[np.float64]
    level: npt.NDArray[np.float64]
    balance: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    def chosen(self, which: npt.NDArray[np.bool_]) -> Marks:
        """Those that are chosen."""
        at = np.flatnonzero(which)
        return Marks(
            row=self.row[at],
            x_m=self.x_m[at],
            y_m=self.y_m[at],
            step_m=self.step_m[at],
            strength=self.strength[at],
            width_m=self.width_m[at],
            ratio=self.ratio[at],
            level=self.level[at],
            balance=self.balance[at],
        )


def make_strip(camera: Camera, range_max_m: float) -> Strip | None:
    """The lookup table for a camera at x = y = 0; `None` where it sees no road."""
    height_m = camera.z_m
    _, horizon_px = camera.vanishing_point()
    focal = camera.fy_px
    below_px = camera.height_px - 1 - horizon_px
    if below_px < 4.0 * HORIZON_MARGIN_PX or horizon_px < -0.5 * camera.height_px:
        return None
    bottom = camera.to_ground(np.array([[camera.vanishing_point()[0], camera.height_px - 1.0]]))[0, 0]
    x = max(NEAREST_M, float(bottom)) if np.isfinite(bottom) else NEAREST_M
    far = min(range_max_m, focal * height_m / HORIZON_MARGIN_PX)
    rows: list[float] = []
    while x < far and len(rows) < ROWS_MAX:
        rows.append(x)
        x += max(ROW_STEP_NEAR_M, ROW_STEP_PX * x * x / (focal * height_m))
    if len(rows) < 12:
        return None
    x_m = np.array(rows, dtype=np.float64)
    y_m = np.arange(HALF_WIDTH_M, -HALF_WIDTH_M - 1e-9, -COLUMN_M)
    grid_x, grid_y = np.meshgrid(x_m, y_m, indexing="ij")
    pixels = camera.project_ground(grid_x.ravel(), grid_y.ravel()).reshape(*grid_x.shape, 2)
    columns, lines = pixels[..., 0], pixels[..., 1]
    is_seen = (columns >= 1.0) & (columns <= camera.width_px - 2.0) & (lines >= 1.0) & (lines <= camera.height_px - 2.0)
    columns = np.where(is_seen, columns, -10.0)
    lines = np.where(is_seen, lines, -10.0)
    # near rows are sampled from a smaller picture, else texture of the asphalt aliases into stripes
    level = np.clip(np.floor(np.log2(np.maximum(focal * COLUMN_M / x_m, 1.0))), 0, 3).astype(int)
    bands = []
    for value in sorted(set(level.tolist()), reverse=True):
        index = np.flatnonzero(level == value)
        first, last = int(index[0]), int(index[-1]) + 1
        factor = 0.5**value
        bands.append(
            (
                value,
                first,
                ((columns[first:last] + 0.5) * factor - 0.5).astype(np.float32),
                ((lines[first:last] + 0.5) * factor - 0.5).astype(np.float32),
            )
        )
    step_m = np.gradient(x_m)
    return Strip(
        camera=camera,
        x_m=x_m.astype(np.float32),
        step_m=step_m.astype(np.float32),
        y_m=y_m.astype(np.float32),
        bands=tuple(bands),
        is_seen=is_seen,
    )


def sample(strip: Strip, image: Image) -> Image:
    """The strip's picture, (rows, columns, 3) uint8, blue green red."""
    rows, columns = strip.is_seen.shape
    out = np.zeros((rows, columns, 3), dtype=np.uint8)
    level, picture = 0, image
    pictures = {0: image}
    top = max(band[0] for band in strip.bands)
    while level < top:
        level += 1
        size = (max(1, picture.shape[1] // 2), max(1, picture.shape[0] // 2))
        picture = np.asarray(cv2.resize(picture, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        pictures[level] = picture
    for value, first, u, v in strip.bands:
        out[first : first + len(u)] = cv2.remap(
            pictures[value], u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
    return out


def _ridge(signal: Floats, centre: int, mean_side: Floats) -> Floats:
    """Mean over the centre less the lighter of both sides: positive on a light line, not on an edge or a shadow."""
    middle = cv2.blur(signal, (centre, 1))
    shift = centre // 2 + GAP_COLUMNS + SIDE_COLUMNS // 2 + 1
    response = np.zeros_like(signal)
    inner = slice(shift, signal.shape[1] - shift)
    response[:, inner] = middle[:, inner] - np.maximum(mean_side[:, : -2 * shift], mean_side[:, 2 * shift :])
    return response


def find_marks(strip: Strip, picture: Image, contrast_min: float) -> Marks:
    """Light ridges of marking width, judged against the road beside them so that shadow and glare matter little."""
    smooth = cv2.blur(picture, (1, 3))
    blue, green, red = (smooth[..., i].astype(np.float32) for i in range(3))
    light = 0.5 * (red + green)
    yellow = light - blue
    response = np.zeros_like(light)
    use_yellow = np.zeros(light.shape, dtype=bool)
    best: Floats = np.zeros_like(light)
    mean = cv2.blur(light, (41, 5))
    for signal, is_yellow in ((light, False), (yellow, True)):
        side = np.asarray(cv2.blur(signal, (SIDE_COLUMNS, 1)), dtype=np.float32)
        ridge = np.maximum(_ridge(signal, NARROW_COLUMNS, side), _ridge(signal, WIDE_COLUMNS, side))
        rough = cv2.blur(np.abs(signal - cv2.blur(signal, (21, 1))), (61, 9))
        threshold = np.maximum(np.maximum(contrast_min * mean, NOISE_FACTOR * rough), LEVEL_FLOOR)
        strength = ridge / threshold
        better = strength > best
        best = np.where(better, strength, best)
        response = np.where(better, ridge, response)
        use_yellow = np.where(better, is_yellow, use_yellow)
    # a ridge needs road on both sides inside the picture
    seen = cv2.erode(strip.is_seen.astype(np.uint8), np.ones((1, 13), np.uint8)) > 0
    best = np.where(seen, best, 0.0).astype(np.float32)
    peak = (best >= cv2.dilate(best, np.ones((1, 7), np.uint8))) & (best > 1.0)
    row, column = np.nonzero(peak)
    if len(row) == 0:
        return _no_marks()
    strength = best[row, column]
    # strongest peaks of each row
    order = np.lexsort((-strength, row))
    row, column, strength = row[order], column[order], strength[order]
    start = np.searchsorted(row, row, side="left")
    keep = np.arange(len(row)) - start < PEAKS_PER_ROW
    row, column, strength = row[keep], column[keep], strength[keep]
    offsets = np.arange(-7, 8)
    span = np.clip(column[:, None] + offsets, 0, light.shape[1] - 1)
    is_yellow_point = use_yellow[row, column]
    values = np.where(is_yellow_point[:, None], yellow[row[:, None], span], light[row[:, None], span])
    height = response[row, column][:, None]
    top = values[:, 6:9].mean(axis=1, keepdims=True)
    contrast = top - np.stack([values[:, :3].mean(axis=1), values[:, -3:].mean(axis=1)], axis=1)
    balance = np.clip(contrast.min(axis=1) / np.maximum(contrast.max(axis=1), 1e-3), 0.0, 1.0)
    share = np.clip((values - (top - height)) / np.maximum(height, 1e-3), 0.0, 1.0)
    # only what hangs together with the peak belongs to it
    high = share > 0.35
    right = np.cumprod(high[:, 7:], axis=1)
    left = np.cumprod(high[:, 7::-1], axis=1)[:, ::-1]
    share = share * np.concatenate([left[:, :-1], right], axis=1)
    total = np.maximum(share.sum(axis=1), 1e-6)
    middle = column + np.where(total > 1e-3, (share * offsets).sum(axis=1) / total, 0.0)
    centre_colour = cv2.blur(picture, (3, 1))[row, column].astype(np.float64)
    road = cv2.blur(picture, (5, 1))
    last = light.shape[1] - 1
    road_colour = 0.5 * (
        road[row, np.clip(column - 8, 0, last)].astype(np.float64)
        + road[row, np.clip(column + 8, 0, last)].astype(np.float64)
    )
    return Marks(
        row=row,
        x_m=strip.x_m[row].astype(np.float64),
        y_m=HALF_WIDTH_M - middle.astype(np.float64) * COLUMN_M,
        step_m=strip.step_m[row].astype(np.float64),
        strength=np.minimum(strength, 4.0).astype(np.float64),
        width_m=total.astype(np.float64) * COLUMN_M,
        ratio=(centre_colour + 4.0) / (road_colour + 4.0),
        level=centre_colour.max(axis=1),
        balance=balance.astype(np.float64),
    )


def _no_marks() -> Marks:
    empty = np.zeros(0, dtype=np.float64)
    return Marks(np.zeros(0, dtype=np.int64), empty, empty, empty, empty, empty, np.zeros((0, 3)), empty, empty)
