"""Textures of asphalt and verge, seen through the camera without aliasing, and where each pixel meets the ground."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.perception.camera import Camera
from adas_runtime.synth.motion import Pose

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
PERIOD_M: Final = 40.96
FINEST_M: Final = 0.02
# texel per band, to the distance from the camera up to which it is used: a row covers z^2 / (f h) metres of road, so
# finer texels farther away would flicker
BANDS: Final = ((1, 7.0, 2), (4, 16.0, 2), (16, 42.0, 3), (64, 170.0, 9))


class Texture:
    """A world-fixed texture: brightness of the ground, 128 is the mean; where it is dark, paint is worn as well."""

    def __init__(self, random: np.random.Generator) -> None:
        size = round(PERIOD_M / FINEST_M)
        grain = random.normal(0.0, 1.0, (size, size)).astype(np.float32)
        brightness = 9.0 * grain + 42.0 * _wrap_blur(random.normal(0.0, 1.0, (size, size)), 2.0)
        for sigma, gain in ((12.0, 26.0), (60.0, 190.0)):  # stains of some decimetres, fields of some metres
            brightness += gain * _wrap_blur(random.normal(0.0, 1.0, (size, size)), sigma)
        finest = (brightness + 128.0).astype(np.float32)
        self.levels: list[Bytes] = []
        for shrink, _, tiles in BANDS:
            edge = size // shrink
            small = cv2.resize(finest, (edge, edge), interpolation=cv2.INTER_AREA)
            tile = np.clip(np.round(small), 0, 255).astype(np.uint8)
            self.levels.append(np.tile(tile, (tiles, tiles)))


def _wrap_blur(noise: Floats, sigma: float) -> NDArray[np.float32]:
    """Gaussian blur of a periodic texture, with unit gain of its own kernel."""
    # by way of a smaller picture where the kernel is wide: 20 times faster, and nothing fine is left in it anyway
    shrink = max(1, int(sigma // 3))
    size = noise.shape[0]
    small = cv2.resize(noise.astype(np.float32), (size // shrink, size // shrink), interpolation=cv2.INTER_AREA)
    margin = int(4 * sigma / shrink) + 1
    padded = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_WRAP)
    blurred = cv2.GaussianBlur(padded, (0, 0), sigma / shrink)[margin:-margin, margin:-margin]
    return np.asarray(cv2.resize(blurred, (size, size), interpolation=cv2.INTER_LINEAR), dtype=np.float32)


class GroundView:
    """The ground rows of one camera.

    Args:
        camera: Ideal camera (no distortion).
        texture: World-fixed texture.
    """

    def __init__(self, camera: Camera, texture: Texture) -> None:
        self._texture = texture
        width, height = camera.width_px, camera.height_px
        columns, rows = np.meshgrid(np.arange(width, dtype=np.float64), np.arange(height, dtype=np.float64))
        ground = camera.to_ground(np.stack((columns.ravel(), rows.ravel()), axis=1)).reshape(height, width, 2)
        x = ground[..., 0] - camera.x_m
        with np.errstate(invalid="ignore"):
            seen = np.isfinite(x) & (x > 0.0)
        self.top_px = int(np.flatnonzero(seen.any(axis=1))[0])
        self.distance_m: NDArray[np.float32] = np.where(seen, x, 1e6)[self.top_px :].astype(np.float32)
        self.left_m: NDArray[np.float32] = np.where(seen, ground[..., 1], 0.0)[self.top_px :].astype(np.float32)
        self.near_m = max(0.5 * float(self.distance_m[-1].min()), 1.0) + camera.x_m
        # image to ground homography, from four ground points
        at = np.array([[8.0, 3.0], [8.0, -3.0], [60.0, 20.0], [60.0, -20.0]])
        at[:, 0] += camera.x_m
        pixels = camera.project_ground(at[:, 0], at[:, 1])
        self._to_ground = cv2.getPerspectiveTransform(pixels.astype(np.float32), at.astype(np.float32))
        middle = self.distance_m[:, width // 2]
        self._bands: list[tuple[int, int, int]] = []
        bottom = height - self.top_px
        for level, (_, far, _) in enumerate(BANDS):
            top = int(np.searchsorted(-middle, -far))  # distance falls from row to row
            if top < bottom:
                self._bands.append((level, top, bottom))
                bottom = top
        self.far_rows = bottom

    def texture(self, pose: Pose) -> Bytes:
        """Brightness of each ground pixel, (rows, columns); 128 far away."""
        rows, columns = self.distance_m.shape
        result = np.full((rows, columns), 128, dtype=np.uint8)
        cos, sin = np.cos(pose.heading_rad), np.sin(pose.heading_rad)
        for level, top, bottom in self._bands:
            shrink, far, tiles = BANDS[level]
            texel = FINEST_M * shrink
            # the middle of what the band sees comes to lie in the middle of the tiles
            ahead = 0.5 * far
            centre_x, centre_y = pose.x_m + cos * ahead, pose.y_m + sin * ahead
            middle = PERIOD_M * (tiles // 2 if tiles > 2 else 0.5)
            shift_x = middle + centre_x % PERIOD_M - centre_x
            shift_y = middle + centre_y % PERIOD_M - centre_y
            to_texel = np.array(
                [
                    [cos / texel, -sin / texel, (pose.x_m + shift_x) / texel - 0.5],
                    [sin / texel, cos / texel, (pose.y_m + shift_y) / texel - 0.5],
                    [0.0, 0.0, 1.0],
                ]
            )
            down = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, float(self.top_px + top)], [0.0, 0.0, 1.0]])
            cv2.warpPerspective(
                self._texture.levels[level],
                to_texel @ self._to_ground @ down,
                (columns, bottom - top),
                dst=result[top:bottom],
                flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
                borderMode=cv2.BORDER_REPLICATE,
            )
        return result
