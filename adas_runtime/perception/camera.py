"""A camera in the vehicle frame, pinhole with plumb-bob distortion or fisheye: pixels, rays and the flat ground."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.params import LanePerceptionParams
from adas_runtime.vehicle.schema import CameraMount

Array = npt.NDArray[np.float64]

ASPECT_TOLERANCE: Final = 0.02  # a picture of another shape was cropped or comes from another camera
UNDISTORT_ITERATIONS: Final = 12  # Newton from the distorted point: from below towards the fold, never past it
THETA_MAX_RAD: Final = math.pi  # a fisheye sees at most all around
FISHEYE_ITERATIONS: Final = 20
DETERMINANT_MIN: Final = 1e-3  # at the fold itself, where a lens model turns back, there is no slope to follow


@dataclass(frozen=True, kw_only=True)
class Camera:
    """A camera for pictures of one size.

    Axes of the vehicle are ISO 8855. Angles: roll right side down, pitch nose down, yaw left positive [rad].

    Args:
        lens: `plumb_bob` (Brown, OpenCV's pinhole): distortion is k1, k2, p1, p2, k3. `equidistant` (Kannala and Brandt
            2006, OpenCV's fisheye): k1 to k4, and 0; it sees behind itself where the lens does.
    """

    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    lens: Literal["plumb_bob", "equidistant"] = "plumb_bob"
    distortion: tuple[float, float, float, float, float] = (0.0, 0.0, 0.0, 0.0, 0.0)
    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float
    roll_rad: float = 0.0
    pitch_rad: float = 0.0
    yaw_rad: float = 0.0

    @cached_property
    def rotation(self) -> Array:
        """Camera body axes (forward, left, up) as columns in the vehicle frame, (3, 3)."""
        cr, sr = math.cos(self.roll_rad), math.sin(self.roll_rad)
        cp, sp = math.cos(self.pitch_rad), math.sin(self.pitch_rad)
        cy, sy = math.cos(self.yaw_rad), math.sin(self.yaw_rad)
        roll = np.array([[1.0, 0.0, 0.0], [0.0, cr, -sr], [0.0, sr, cr]])
        pitch = np.array([[cp, 0.0, sp], [0.0, 1.0, 0.0], [-sp, 0.0, cp]])
        yaw = np.array([[cy, -sy, 0.0], [sy, cy, 0.0], [0.0, 0.0, 1.0]])
        return np.asarray(yaw @ pitch @ roll)

    @property
    def has_distortion(self) -> bool:
        """Whether straight lines come out bent."""
        return self.is_fisheye or any(value != 0.0 for value in self.distortion)

    @property
    def is_fisheye(self) -> bool:
        """Whether the distance from the middle grows with the angle, not with its tangent."""
        return self.lens == "equidistant"

    def project(self, points_m: Array) -> Array:
        """Pixels of points in the vehicle frame.

        Args:
            points_m: (n, 3), x y z [m].
        Returns:
            (n, 2), column and row [px]; NaN where the lens does not see: behind a pinhole, and beyond the angle at
            which the distortion model folds back.
        """
        offset = np.asarray(points_m, dtype=np.float64) - np.array([self.x_m, self.y_m, self.z_m])
        body = offset @ self.rotation
        if self.is_fisheye:
            return self._fisheye_pixels(body)
        depth = np.where(body[:, 0] > 1e-6, body[:, 0], np.nan)
        return self._to_pixels(-body[:, 1] / depth, -body[:, 2] / depth)

    def project_ground(self, x_m: Array, y_m: Array) -> Array:
        """Pixels of points on the ground, (n, 2) [px]."""
        x = np.asarray(x_m, dtype=np.float64)
        return self.project(np.stack([x, np.broadcast_to(y_m, x.shape), np.zeros_like(x)], axis=1))

    def rays(self, pixels: Array) -> Array:
        """Directions in the vehicle frame, not normalised, (n, 3); NaN where no ray comes through the lens."""
        if self.is_fisheye:
            return np.asarray(self._fisheye_bodies(np.asarray(pixels, dtype=np.float64)) @ self.rotation.T)
        xn, yn = self._to_normal(np.asarray(pixels, dtype=np.float64))
        return np.asarray(np.stack([np.ones_like(xn), -xn, -yn], axis=1) @ self.rotation.T)

    def to_ground(self, pixels: Array) -> Array:
        """Points of the flat ground, (n, 2), x y [m]; NaN at and above the horizon."""
        ray = self.rays(pixels)
        down = np.where(ray[:, 2] < -1e-9, -ray[:, 2], np.nan)
        scale = self.z_m / down
        return np.stack([self.x_m + ray[:, 0] * scale, self.y_m + ray[:, 1] * scale], axis=1)

    def vanishing_point(self) -> tuple[float, float]:
        """Pixel of the direction straight ahead of the vehicle (column, row)."""
        pixel = self.project(np.array([[self.x_m + 1.0, self.y_m, self.z_m]]))[0]
        return float(pixel[0]), float(pixel[1])

    def with_angles(self, *, pitch_rad: float, yaw_rad: float) -> Camera:
        """The same camera, mounted at other angles."""
        return replace(self, pitch_rad=pitch_rad, yaw_rad=yaw_rad)

    def with_vanishing_point(self, column_px: float, row_px: float) -> Camera:
        """The same camera, turned so that straight ahead is seen at this pixel."""
        body = self.rays(np.array([[column_px, row_px]]))[0] @ self.rotation
        # without roll: yaw and pitch follow one after the other from the ray; roll turns the ray first
        cr, sr = math.cos(self.roll_rad), math.sin(self.roll_rad)
        left, up = float(body[1] / body[0]), float(body[2] / body[0])
        left, up = cr * left - sr * up, sr * left + cr * up
        pitch = math.atan(up)  # the ray (1, left, up) must become horizontal
        yaw = -math.atan2(left, math.hypot(1.0, up))
        return self.with_angles(pitch_rad=pitch, yaw_rad=yaw)

    def _fisheye_pixels(self, body: Array) -> Array:
        k1, k2, k3, k4, _ = self.distortion
        across = np.hypot(body[:, 1], body[:, 2])
        theta = np.arctan2(across, body[:, 0])
        t2 = theta * theta
        seen = theta * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4))))
        slope = 1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4)))
        seen = np.where((slope > 0.0) & (theta < THETA_MAX_RAD) & (across + np.abs(body[:, 0]) > 0.0), seen, np.nan)
        scale = np.where(across > 1e-12, seen / np.maximum(across, 1e-12), np.where(body[:, 0] > 0.0, 1.0, np.nan))
        return np.stack(
            [self.cx_px - self.fx_px * scale * body[:, 1], self.cy_px - self.fy_px * scale * body[:, 2]], axis=1
        )

    def _fisheye_bodies(self, pixels: Array) -> Array:
        """Unit rays in body axes (forward, left, up)."""
        k1, k2, k3, k4, _ = self.distortion
        xd = (pixels[:, 0] - self.cx_px) / self.fx_px
        yd = (pixels[:, 1] - self.cy_px) / self.fy_px
        seen = np.hypot(xd, yd)
        theta = np.minimum(seen, THETA_MAX_RAD)
        for _ in range(FISHEYE_ITERATIONS):
            t2 = theta * theta
            off = theta * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4)))) - seen
            slope = 1.0 + t2 * (3.0 * k1 + t2 * (5.0 * k2 + t2 * (7.0 * k3 + t2 * 9.0 * k4)))
            theta = np.clip(theta - off / np.where(slope > DETERMINANT_MIN, slope, np.inf), 0.0, THETA_MAX_RAD)
        t2 = theta * theta
        is_ray = np.abs(theta * (1.0 + t2 * (k1 + t2 * (k2 + t2 * (k3 + t2 * k4)))) - seen) < 1e-6
        theta = np.where(is_ray, theta, np.nan)
        out = np.where(seen > 1e-12, np.sin(theta) / np.maximum(seen, 1e-12), 1.0)
        return np.stack([np.cos(theta), -xd * out, -yd * out], axis=1)

    def _to_pixels(self, xn: Array, yn: Array) -> Array:
        if self.has_distortion:
            k1, k2, p1, p2, k3 = self.distortion
            r2 = xn * xn + yn * yn
            radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
            # beyond the radius where the model's slope turns negative, a far point would land inside the picture
            slope = 1.0 + r2 * (3.0 * k1 + r2 * (5.0 * k2 + r2 * 7.0 * k3))
            radial = np.where(slope > 0.0, radial, np.nan)
            xn, yn = (
                xn * radial + 2.0 * p1 * xn * yn + p2 * (r2 + 2.0 * xn * xn),
                yn * radial + p1 * (r2 + 2.0 * yn * yn) + 2.0 * p2 * xn * yn,
            )
        return np.stack([self.fx_px * xn + self.cx_px, self.fy_px * yn + self.cy_px], axis=1)

    def _to_normal(self, pixels: Array) -> tuple[Array, Array]:
        xd = (pixels[:, 0] - self.cx_px) / self.fx_px
        yd = (pixels[:, 1] - self.cy_px) / self.fy_px
        if not self.has_distortion:
            return xd, yd
        k1, k2, p1, p2, k3 = self.distortion
        x, y = xd.copy(), yd.copy()
        for _ in range(UNDISTORT_ITERATIONS):
            r2 = x * x + y * y
            radial = 1.0 + r2 * (k1 + r2 * (k2 + r2 * k3))
            bend = 2.0 * (k1 + r2 * (2.0 * k2 + r2 * 3.0 * k3))
            off_x = x * radial + 2.0 * p1 * x * y + p2 * (r2 + 2.0 * x * x) - xd
            off_y = y * radial + p1 * (r2 + 2.0 * y * y) + 2.0 * p2 * x * y - yd
            across = bend * x * y + 2.0 * (p1 * x + p2 * y)
            along_x = radial + bend * x * x + 2.0 * p1 * y + 6.0 * p2 * x
            along_y = radial + bend * y * y + 6.0 * p1 * y + 2.0 * p2 * x
            determinant = along_x * along_y - across * across
            scale = np.where(determinant > DETERMINANT_MIN, 1.0 / np.maximum(determinant, 1e-12), 0.0)
            x, y = (
                x - scale * (along_y * off_x - across * off_y),
                y - scale * (along_x * off_y - across * off_x),
            )
        return x, y


def camera_of(mount: CameraMount, width_px: int, height_px: int) -> Camera | None:
    """The mounted camera for pictures of this size; `None` where their shape says that they are not from it."""
    scale_x = width_px / mount.width_px
    scale_y = height_px / mount.height_px
    if abs(scale_x / scale_y - 1.0) > ASPECT_TOLERANCE:
        return None
    return Camera(
        width_px=width_px,
        height_px=height_px,
        fx_px=mount.fx_px * scale_x,
        fy_px=mount.fy_px * scale_y,
        # pixel centres are whole numbers, so the picture's corner lies at -0.5
        cx_px=(mount.cx_px + 0.5) * scale_x - 0.5,
        cy_px=(mount.cy_px + 0.5) * scale_y - 0.5,
        lens=mount.lens,
        distortion=mount.distortion,
        x_m=mount.x_m,
        y_m=mount.y_m,
        z_m=mount.z_m,
        roll_rad=math.radians(mount.roll_deg),
        pitch_rad=math.radians(mount.pitch_deg),
        yaw_rad=math.radians(mount.yaw_deg),
    )


def camera_for(
    mount: CameraMount | None, width_px: int, height_px: int, params: LanePerceptionParams
) -> tuple[Camera, bool]:
    """The camera of pictures of this size, and whether it was measured; an assumption where nobody knows it."""
    camera = None if mount is None else camera_of(mount, width_px, height_px)
    if mount is not None and camera is not None:
        return camera, mount.is_calibrated
    assumed = unknown_camera(
        width_px, height_px, hfov_deg=params.unknown_camera_hfov_deg, height_m=params.unknown_camera_height_m
    )
    return assumed, False


def unknown_camera(width_px: int, height_px: int, *, hfov_deg: float, height_m: float) -> Camera:
    """An assumption where nothing is known: level, centred, no distortion, the origin under the camera.

    A wrong field of view stretches distances ahead; a wrong height scales everything. Pixels do not depend on either.
    """
    focal = 0.5 * width_px / math.tan(math.radians(0.5 * hfov_deg))
    return Camera(
        width_px=width_px,
        height_px=height_px,
        fx_px=focal,
        fy_px=focal,
        cx_px=0.5 * (width_px - 1),
        cy_px=0.5 * (height_px - 1),
        z_m=height_m,
    )
