"""Rendered heads: a mesh whose shape, skin, hair, lids, glasses and light are drawn at random, with its true pose.

Head frame: x to the picture's right when the face looks into the camera, y up, z to the camera; half a head's height is
one unit. Yaw counts to the driver's left (the picture's right), pitch down, both from the camera's line of sight.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

SIDE: Final = 224  # of a rendered head, in pixels
FINE: Final = 2  # it is rendered so much larger and then shrunk, which smooths its edges
COLUMNS, ROWS = 230, 230
EYE_X, EYE_HALF = 0.29, 0.135


@dataclass(frozen=True, slots=True)
class Head:
    """One rendered head.

    Args:
        picture: (SIDE, SIDE, 4) uint8, blue green red and cover.
        points: (5, 3) float32, column, row [px] and 1 where it is seen; the order of `layout.POINTS`.
        box: Of the face: left, top, right, bottom [px].
        yaw_deg, pitch_deg: Of the head.
        openness: Of the eyes, the one at the picture's left first, 0 closed to 1 open.
        has_sunglasses, has_mask: As they say.
    """

    picture: Array
    points: Array
    box: Array
    yaw_deg: float
    pitch_deg: float
    openness: tuple[float, float]
    has_sunglasses: bool
    has_mask: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a head shall be; `None`: as chance has it."""

    yaw_deg: float | None = None
    pitch_deg: float | None = None
    openness: float | None = None
    has_sunglasses: bool | None = None
    has_mask: bool | None = None
    is_infrared: bool | None = None


ANY: Final = Wish()


class Renderer:
    """Draws heads; all chance comes from the generator that it is given."""

    def __init__(self, rng: np.random.Generator) -> None:
        self._rng = rng
        s = np.linspace(-1.0, 1.0, COLUMNS)
        self._angle = np.pi * (0.42 * s + 0.58 * s**3)
        t = np.linspace(-1.0, 1.0, ROWS)
        self._height = np.clip(0.62 * t + 0.38 * t**3, -0.9995, 0.9995)[::-1]
        self._faces = _grid_faces(ROWS, COLUMNS)

    def _u(self, low: float, high: float) -> float:
        return float(self._rng.uniform(low, high))

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def draw(self, wish: Wish = ANY) -> Head:
        """One head."""
        rng, u, chance = self._rng, self._u, self._chance
        yaw = float(np.clip(rng.normal(0.0, 18.0), -75, 75)) if chance(0.45) else u(-75.0, 75.0)
        pitch = float(np.clip(rng.normal(4.0, 12.0), -40, 50)) if chance(0.5) else u(-38.0, 48.0)
        opened = self._lids()
        is_infrared = chance(0.4)
        has_sunglasses = chance(0.14)
        has_glasses = has_sunglasses or chance(0.22)
        has_mask = chance(0.12)
        if wish != ANY:
            yaw = yaw if wish.yaw_deg is None else wish.yaw_deg
            pitch = pitch if wish.pitch_deg is None else wish.pitch_deg
            opened = opened if wish.openness is None else (wish.openness, wish.openness)
            is_infrared = is_infrared if wish.is_infrared is None else wish.is_infrared
            has_mask = has_mask if wish.has_mask is None else wish.has_mask
            if wish.has_sunglasses is not None:
                has_sunglasses = has_glasses = wish.has_sunglasses
        long_hair, hat, bald = chance(0.4), chance(0.1), chance(0.1)
        scarf = not long_hair and chance(0.07)

        # --- shape
        y = np.repeat(self._height[:, None], COLUMNS, 1)
        power = u(2.2, 2.8)
        profile = (1.0 - np.abs(y) ** power) ** (1.0 / power)
        jaw = u(0.05, 0.35)
        narrow = 1.0 - jaw * _step(-0.15, -1.0, y)
        width = u(0.58, 0.76)
        x = width * narrow * profile * np.sin(self._angle)[None]
        front, back = u(0.68, 0.8), u(0.78, 0.95)
        cosine = np.cos(self._angle)[None]
        z = np.where(cosine > 0, front, back) * profile * cosine
        is_front = _step(0.05, 0.35, z)
        wobble = lambda scale: 1.0 + u(-scale, scale)  # noqa: E731
        eye_y = u(-0.09, 0.08)
        eye_x = EYE_X * width / 0.68 * wobble(0.06)
        eye_half = EYE_HALF * wobble(0.15)
        nose_y = u(-0.40, -0.30)
        mouth_y = nose_y - u(0.21, 0.29)
        smile, gape = u(-0.02, 0.07) if chance(0.6) else 0.0, u(0.0, 0.07) if chance(0.35) else 0.0
        if chance(0.08):  # a yawn
            gape = u(0.08, 0.2)
        dz = np.zeros_like(z)
        along = np.clip((eye_y + 0.05 - y) / (eye_y + 0.05 - nose_y), 0.0, 1.0)
        ridge = u(0.15, 0.30) * along ** u(0.8, 1.3) * _step(nose_y - u(0.06, 0.1), nose_y, y) + 0.03
        ridge = ridge * _step(eye_y + 0.25, eye_y, y) * _step(nose_y - 0.1, nose_y, y)
        nose_wide = u(0.05, 0.075)
        dz += ridge * np.exp(-((x / (nose_wide + 0.035 * along)) ** 2))
        for side in (-1.0, 1.0):
            dz += _bump(x, y, side * u(0.07, 0.12), nose_y - 0.03, u(0.04, 0.055), 0.05, u(0.05, 0.09))
            dz += _bump(x, y, side * eye_x, eye_y, 0.17, 0.12, -u(0.05, 0.11))
            dz += _bump(x, y, side * eye_x * 0.9, eye_y + 0.17, 0.2, 0.06, u(0.01, 0.07))
            dz += _bump(x, y, side * u(0.36, 0.44), eye_y - 0.23, 0.16, 0.14, u(0.02, 0.09))
        lips = u(0.6, 1.4)
        dz += _bump(x, y, 0.0, mouth_y, 0.26, 0.18, u(0.02, 0.08))
        dz += _bump(x, y, 0.0, mouth_y + 0.035 + gape / 2, 0.13, 0.03, 0.04 * lips)
        dz += _bump(x, y, 0.0, mouth_y - 0.045 - gape / 2, 0.11, 0.035, 0.045 * lips)
        dz += _bump(x, y, 0.0, -0.87, 0.15, 0.1, u(0.02, 0.1))
        z = z + dz * is_front
        # lids lie on the eyeballs
        ball = u(0.115, 0.14)
        eyes = []
        for index, side in enumerate((-1.0, 1.0)):
            d2 = (x - side * eye_x) ** 2 + (y - eye_y) ** 2
            near = (d2 < 0.02**2) & (z > 0)
            depth = float(z[near].mean()) if near.any() else 0.6
            middle = depth - ball + u(0.02, 0.05)
            bulge = middle + np.sqrt(np.maximum(ball**2 - d2, 0.0))
            z = np.where((d2 < ball**2) & (z > 0), np.maximum(z, bulge), z)
            eyes.append((side * eye_x, eye_y, middle, opened[index]))

        # --- colours, blue green red
        tone = np.array([0.62, 0.74, 0.93]) * (1 - (t := u(0, 1) ** 1.2)) + np.array([0.13, 0.18, 0.28]) * t
        tone = np.clip(tone * rng.uniform(0.9, 1.1, 3), 0.05, 1.0)
        base = np.broadcast_to(tone, (*x.shape, 3)).copy()
        grain = _waves(rng, x, y, z, 3.0, 6) * u(0.0, 0.06) + _waves(rng, x, y, z, 14.0, 6) * u(0.0, 0.05)
        base *= (1.0 + grain)[..., None]
        flush = u(0.0, 0.15)
        for side in (-1.0, 1.0):
            spot = _bump(x, y, side * 0.38, eye_y - 0.28, 0.14, 0.12, flush)
            base *= 1.0 - spot[..., None] * np.array([1.0, 0.8, 0.0])
            base *= (1.0 - _bump(x, y, side * eye_x, eye_y - 0.09, 0.13, 0.05, u(0.0, 0.25)) * is_front)[..., None]
            base *= (1.0 - _bump(x, y, side * eye_x * 0.85, eye_y + 0.06, 0.16, 0.07, u(0.05, 0.4)) * is_front)[
                ..., None
            ]
            base *= (1.0 - _bump(x, y, side * 0.05, nose_y - 0.075, 0.028, 0.02, u(0.3, 0.8)) * is_front)[..., None]
        base *= (1.0 - _bump(x, y, 0.0, nose_y - 0.12, 0.11, 0.04, u(0.05, 0.3)) * is_front)[..., None]
        base *= (1.0 - _bump(x, y, 0.0, mouth_y - 0.12, 0.11, 0.03, u(0.0, 0.25)) * is_front)[..., None]
        hair = self._hair_colour()
        beard = u(0.2, 0.9) if chance(0.3) else (u(0.0, 0.25) if chance(0.4) else 0.0)
        if beard > 0:
            where = _step(nose_y - 0.02, nose_y - 0.12, y) * _step(0.1, 0.25, np.abs(x) + 0.35 * (nose_y - y + 0.25))
            where *= 1.0 - _bump(x, y, 0.0, mouth_y, 0.16, 0.07, 1.0)
            if chance(0.4):
                where = np.maximum(where, _bump(x, y, 0.0, nose_y - 0.13, 0.17, 0.045, 1.0))
            where = where * is_front * beard * (0.8 + 0.4 * _waves(rng, x, y, z, 40.0, 6))
            base = _mix(base, hair, np.clip(where, 0, 1))
        lip = np.clip(tone * rng.uniform((0.55, 0.5, 0.75), (0.95, 0.85, 1.0)), 0, 1)
        mouth_w = u(0.19, 0.27) + 1.2 * max(smile, 0.0)
        curve = y - mouth_y - smile * (x / 0.2) ** 2
        inside = _step(mouth_w, mouth_w * 0.8, np.abs(x)) * is_front
        taper = np.sqrt(np.clip(1.0 - (x / mouth_w) ** 2, 0.0, 1.0))
        upper = _step(0.075 * lips * taper + gape / 2 + 0.008, 0.05 * lips * taper + gape / 2, curve)
        lower = _step(-0.09 * lips * taper - gape / 2 - 0.008, -0.06 * lips * taper - gape / 2, curve)
        base = _mix(base, lip, upper * lower * inside * u(0.4, 1.0))
        gap = np.exp(-((curve / (0.012 + gape * 0.5 * taper)) ** 4)) * inside
        teeth = np.array([0.8, 0.85, 0.9]) * u(0.5, 1.0) if gape > 0.02 and chance(0.7) else np.array([0.1, 0.08, 0.15])
        base = _mix(base, teeth, gap * u(0.6, 1.0))
        # brows
        brow_y, thick, arch = eye_y + u(0.13, 0.22), u(0.016, 0.04), u(0.0, 0.06)
        brow_hair = hair * u(0.4, 1.0)
        for side in (-1.0, 1.0):
            along_x = (side * x - eye_x * 0.95) / 0.21
            line = y - brow_y - arch * (1.0 - along_x**2)
            brow = np.exp(-((line / thick) ** 2)) * _step(1.1, 0.8, np.abs(along_x)) * is_front
            base = _mix(base, brow_hair, brow * u(0.4, 1.0))
        specular = np.full(x.shape, u(0.0, 0.25))
        base, specular = self._eyes(base, specular, x, y, z, eyes, eye_half, ball, is_front, is_infrared)

        # --- hair, hats, masks, by pushing the surface out
        push = np.zeros_like(z)
        line_y = u(0.45, 0.75) + 0.1 * np.cos(x * u(2, 6))
        covered = np.maximum(
            _step(line_y - 0.03, line_y + 0.03, y), _step(u(0.2, 0.45), 0.0, z) * _step(-0.75, -0.45, y)
        )
        if hat:
            cloth = rng.uniform(0.05, 0.9, 3) if chance(0.7) else np.full(3, u(0.03, 0.9))
            low = u(0.33, 0.5)
            cap = _step(low - 0.02, low + 0.02, y + 0.15 * z)
            if not bald:
                base = _mix(base, hair, covered)
            base = _mix(base, cloth, cap)
            push += cap * u(0.06, 0.12) + cap * _step(low + 0.1, low, y + 0.15 * z) * is_front * u(0.0, 0.5)
        elif scarf:
            cloth = rng.uniform(0.05, 0.9, 3)
            edge = np.maximum(covered, np.maximum(_step(0.5, 0.56, np.abs(x)), _step(-0.92, -0.97, y)))
            base = _mix(base, cloth, edge)
            push += edge * u(0.05, 0.12)
        elif not bald:
            strands = _waves(rng, x, y * 0.15, z, 30.0, 8) * u(0.1, 0.35)
            base = _mix(base, hair * (1.0 + strands)[..., None], covered)
            push += covered * u(0.04, 0.18) * (1.0 + 0.4 * _waves(rng, x, y, z, 6.0, 5))
        specular = specular * (1.0 - covered)
        if has_mask:
            cloth = rng.uniform(0.2, 0.95, 3) if chance(0.4) else np.array([0.95, 0.9, 0.75]) * u(0.5, 1.0)
            if chance(0.2):
                cloth = np.full(3, u(0.02, 0.2))
            top = nose_y + u(0.05, 0.22)
            sheet = (
                _step(top + 0.012, top - 0.012, y + 0.35 * np.abs(x) ** 1.5) * _step(0.62, 0.56, np.abs(x)) * is_front
            )
            smooth = cv2.GaussianBlur(z, (0, 0), 9.0)
            z = z + sheet * (np.maximum(smooth - z, 0.0) + 0.03)
            fold = 1.0 + 0.08 * np.sin(y * u(20, 60)) * u(0, 1)
            base = _mix(base, cloth * fold[..., None], sheet)
        scale = 1.0 + push / np.maximum(np.sqrt(x * x + y * y + z * z), 0.3)
        solid = np.stack([x * scale, y * scale, z * scale], -1)

        # --- the pieces as meshes: points, colour, faces, gloss
        pieces = [(solid, base, specular, True)]
        for side in (-1.0, 1.0):
            if not (long_hair or scarf):
                ear = _ellipsoid(24, 24) * np.array([0.05, 0.17, 0.1]) + np.array([side * width * 0.98, -0.05, -0.02])
                dark = 1.0 - 0.3 * np.exp(-((ear[..., 2] - 0.05) ** 2 + (ear[..., 1] + 0.05) ** 2) / 0.005)
                pieces.append((ear, tone * dark[..., None], np.zeros(ear.shape[:2]), True))
        if long_hair or scarf:
            start = u(0.30, 0.55) * np.pi
            turn = np.linspace(start, 2 * np.pi - start, 70)[None] + 0.06 * _waves(
                rng, *([np.linspace(0, 1, 70)[None]] * 3), 5.0, 3
            )
            drop = np.linspace(0.75, -u(1.0, 2.4), 60)[:, None]
            wide = (width + u(0.06, 0.2)) * np.where(
                drop > 0.3, np.sqrt(np.clip(1 - ((drop - 0.3) / 0.7) ** 2, 0.05, 1)), 1.0
            )
            curtain = np.stack(
                [wide * np.sin(turn), np.broadcast_to(drop, (60, 70)), wide * 1.1 * np.cos(turn) - 0.05], -1
            )
            tint = cloth if scarf else hair
            strand = 1.0 + u(0.1, 0.4) * _waves(rng, curtain[..., 0], curtain[..., 1] * 0.1, curtain[..., 2], 30.0, 8)
            pieces.append((curtain, tint * strand[..., None], np.zeros((60, 70)), True))
        turn, drop = np.linspace(-np.pi, np.pi, 40)[None], np.linspace(-0.55, -1.8, 24)[:, None]
        thick_neck = u(0.36, 0.5)
        neck = np.stack(
            [thick_neck * np.sin(turn) + 0 * drop, 0 * turn + drop, thick_neck * np.cos(turn) - 0.2 + 0 * drop], -1
        )
        pieces.append((neck, np.broadcast_to(tone * u(0.55, 0.95), neck.shape), np.zeros(neck.shape[:2]), False))
        body = _ellipsoid(50, 50) * np.array([u(1.3, 1.9), u(0.6, 0.9), u(0.5, 0.7)]) + np.array(
            [0, -u(1.85, 2.15), -0.25]
        )
        cloth_body = rng.uniform(0.03, 0.95, 3)
        stripes = 1.0 + u(0.0, 0.4) * np.sign(np.sin(body[..., int(rng.integers(0, 2))] * u(6, 30)))
        pieces.append((body, np.clip(cloth_body * stripes[..., None], 0, 1), np.zeros(body.shape[:2]), False))

        # --- into the picture
        turned = _rotation(yaw, pitch, u(-8.0, 8.0))
        torso = _rotation(yaw * u(0.0, 0.3), u(-10, 10), 0.0)
        pivot = np.array([0.0, -0.55, -0.25])
        far = u(3.6, 9.0)
        view = 2.0 * np.arctan(1.5 / far)
        size = SIDE * FINE
        colour = np.zeros((size, size, 3), np.float32)
        depth = np.full((size, size), 100.0, np.float32)
        lights = self._lights(is_infrared)
        for points, tint, gloss, is_head in pieces:
            spin = turned if is_head else torso
            placed = (points - pivot) @ spin.T + pivot + np.array([0.0, 0.18, 0.0])
            shaded = self._shade(placed, tint, gloss, lights)
            faces = self._faces if points.shape[:2] == (ROWS, COLUMNS) else _grid_faces(*points.shape[:2])
            _raster(placed, faces, shaded, colour, depth, far, view)
        colour = np.clip(colour, 0.0, 1.0)
        cover = (depth < 99.0).astype(np.float32)
        place = lambda p: _project((np.asarray(p) - pivot) @ turned.T + pivot + np.array([0.0, 0.18, 0.0]), far, view)  # noqa: E731
        if has_glasses:
            self._glasses(colour, depth, eyes, eye_half, z, x, y, turned, pivot, far, view, has_sunglasses)
        spots = [[e[0], e[1], e[2] + ball] for e in eyes]
        spots += [[0.0, nose_y, _at(x, y, z, 0.0, nose_y)]]
        spots += [[s * mouth_w, mouth_y + smile, _at(x, y, z, s * mouth_w, mouth_y)] for s in (-1.0, 1.0)]
        at = place(spots)
        facing = np.array([[-0.45, 0, 0.9], [0.45, 0, 0.9], [0, 0, 1.0], [-0.5, 0, 0.87], [0.5, 0, 0.87]]) @ turned.T
        seen = (facing[:, 2] > 0.05).astype(np.float32)
        # the face: from above the brows to the chin, as wide as skin reaches
        rim = [
            [a * width * 0.97, b, _at(x, y, z, a * width * 0.9, b) * (1 - abs(a)) + 0.1 * abs(a)]
            for a, b in ((-1, 0.2), (1, 0.2), (-0.95, -0.3), (0.95, -0.3), (0, 0.5), (-0.3, 0.48), (0.3, 0.48))
        ]
        rim += [[0, -0.98, 0.55], [-0.25, -0.93, 0.5], [0.25, -0.93, 0.5], [0, nose_y, _at(x, y, z, 0.0, nose_y)]]
        edge = place(rim)
        box = np.concatenate([edge.min(0), edge.max(0)])
        if is_infrared:
            grey = colour @ np.array([0.1, 0.35, 0.55])
            colour = np.repeat(np.clip(grey, 0, 1)[..., None], 3, -1)
        picture = np.concatenate([colour * cover[..., None], cover[..., None]], -1).astype(np.float32)
        picture = cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        picture[..., :3] /= np.maximum(picture[..., 3:], 1e-3)
        return Head(
            picture=np.clip(picture * 255.0 + 0.5, 0, 255).astype(np.uint8),
            points=np.concatenate([at / FINE, seen[:, None]], 1).astype(np.float32),
            box=(box / FINE).astype(np.float32),
            yaw_deg=yaw,
            pitch_deg=pitch,
            openness=opened,
            has_sunglasses=has_sunglasses,
            has_mask=has_mask,
        )

    def _lids(self) -> tuple[float, float]:
        """Openness of the two eyes: mostly alike."""
        kind = self._rng.random()
        if kind < 0.34:
            both = 0.0 if self._chance(0.8) else self._u(0.0, 0.1)
        elif kind < 0.55:
            both = self._u(0.1, 0.5)
        else:
            both = self._u(0.5, 1.0)
        other = both if self._chance(0.93) else self._u(0.0, 1.0)
        jitter = self._u(-0.04, 0.04)
        return both, float(np.clip(other + (jitter if other > 0.1 else 0.0), 0.0, 1.0))

    def _hair_colour(self) -> Array:
        tones = (
            (0.04, 0.04, 0.05),
            (0.08, 0.12, 0.2),
            (0.15, 0.25, 0.42),
            (0.35, 0.55, 0.75),
            (0.6, 0.6, 0.62),
            (0.1, 0.2, 0.5),
        )
        tone = np.array(tones[int(self._rng.choice(len(tones), p=(0.35, 0.25, 0.13, 0.1, 0.12, 0.05)))])
        return np.clip(tone * self._u(0.7, 1.3), 0.01, 1.0)

    def _eyes(
        self,
        base: Array,
        gloss: Array,
        x: Array,
        y: Array,
        z: Array,
        eyes: list[Any],
        half: float,
        ball: float,
        is_front: Array,
        is_infrared: bool,
    ) -> tuple[Array, Array]:
        """Paints eyes, lids and lashes onto the surface that lies over the eyeballs."""
        u = self._u
        iris_tone = np.array(
            ((0.06, 0.09, 0.15), (0.1, 0.2, 0.32), (0.45, 0.35, 0.25), (0.3, 0.4, 0.3))[int(self._rng.integers(0, 4))]
        )
        iris_tone = iris_tone * u(0.6, 1.3)
        white = np.array([0.82, 0.83, 0.87]) * u(0.6, 1.0)
        wide_up, wide_down = half * u(0.38, 0.62), half * u(0.22, 0.38)
        look_x, look_y = u(-0.35, 0.35), u(-0.3, 0.2)
        slant = u(-0.12, 0.2)
        lash, crease = u(0.3, 1.0), u(0.0, 0.6)
        iris, pupil = ball * u(0.44, 0.52), u(0.3, 0.6)
        bright_pupil = is_infrared and self._chance(0.2)
        edge = 0.007
        for ex, ey, middle, opened in eyes:
            side = 1.0 if ex > 0 else -1.0
            dx = (x - ex) / half
            dy = y - ey - slant * half * dx * side * 0.5
            arch = np.sqrt(np.clip(1.0 - dx * dx, 0.0, 1.0))
            low = -wide_down * arch * (1.0 - 0.35 * (1.0 - opened))
            closed = low + 0.01
            high = closed + (wide_up * arch - closed) * opened
            inside = _step(1.03, 0.94, np.abs(dx)) * is_front
            hole = (
                _step(high + edge, high - edge, dy)
                * _step(low - edge, low + edge, dy)
                * inside
                * _step(0.04, 0.1, opened)
            )
            # what is seen of the eyeball
            gaze = np.array([look_x, look_y - 0.3 * (1.0 - opened), 0.0])
            gaze[2] = np.sqrt(max(1.0 - gaze[0] ** 2 - gaze[1] ** 2, 0.2))
            n = np.stack([x - ex, y - ey, z - middle], -1) / ball
            off = np.sqrt(np.clip(2.0 - 2.0 * np.clip((n * gaze).sum(-1), -1, 1), 0.0, 4.0)) * ball
            eye = np.broadcast_to(white, base.shape) * (1.0 - 0.35 * np.abs(dx)[..., None] ** 2)
            eye = _mix(eye, iris_tone, _step(iris + 0.008, iris - 0.008, off))
            dot = np.array([0.85, 0.85, 0.85]) if bright_pupil else np.array([0.02, 0.02, 0.02])
            eye = _mix(eye, dot, _step(iris * pupil + 0.006, iris * pupil - 0.006, off))
            shade = 1.0 - 0.55 * np.exp(-np.clip(high - dy, 0.0, None) / 0.02)
            eye = eye * shade[..., None]
            glint = np.exp(
                -(
                    ((x - ex - gaze[0] * ball - u(-0.02, 0.02)) / 0.014) ** 2
                    + ((y - ey - gaze[1] * ball - 0.015) / 0.014) ** 2
                )
            )
            eye = _mix(eye, np.ones(3), np.clip(glint * u(0.2, 1.0), 0, 1))
            # the lid that came down is skin with a crease; its rim is dark
            fold = ey + wide_up * (1.25 + 0.2 * opened)
            base = (
                base
                * (1.0 - crease * 0.6 * np.exp(-(((y - fold + 0.12 * half * dx * dx) / 0.012) ** 2)) * inside)[
                    ..., None
                ]
            )
            base = _mix(base, eye, hole)
            rim = np.exp(-(((dy - high) / (0.010 + 0.006 * lash)) ** 2)) * inside * lash
            base = base * (1.0 - 0.85 * np.clip(rim, 0, 1))[..., None]
            below = np.exp(-(((dy - low) / 0.009) ** 2)) * inside * lash * 0.35
            base = base * (1.0 - np.clip(below, 0, 1))[..., None]
            gloss = gloss * (1.0 - hole) + 0.1 * hole
        return base, gloss

    def _lights(self, is_infrared: bool) -> list[tuple[Array, Array]]:
        """Direction and colour of each light; the first has no direction and is everywhere."""
        u = self._u
        if is_infrared:
            found = [(np.zeros(3), np.full(3, u(0.05, 0.35)))]
            found.append((np.array([u(-0.4, 0.4), u(-0.5, 0.3), 1.0]), np.full(3, u(0.5, 1.1))))
        else:
            warm = np.array([u(0.8, 1.1), 1.0, u(0.9, 1.15)])
            found = [(np.zeros(3), warm * u(0.2, 0.7))]
            found.append((np.array([u(-1.5, 1.5), u(-0.2, 1.5), u(0.1, 1.2)]), warm * u(0.3, 1.0)))
        if self._chance(0.4):
            found.append((np.array([u(-2.0, 2.0), u(-0.3, 1.0), u(-0.3, 0.6)]), np.full(3, u(0.2, 1.3))))
        return [(d / max(float(np.linalg.norm(d)), 1e-6), c) for d, c in found]

    def _shade(self, placed: Array, tint: Array, gloss: Array, lights: list[tuple[Array, Array]]) -> Array:
        down, right = np.gradient(placed, axis=0), np.gradient(placed, axis=1)
        normal = np.cross(down, right)
        normal /= np.maximum(np.linalg.norm(normal, axis=-1, keepdims=True), 1e-9)
        # outwards: away from the piece's own middle
        middle = placed.reshape(-1, 3).mean(0)
        if float(((placed - middle) * normal).sum(-1).mean()) < 0.0:
            normal = -normal
        total = np.broadcast_to(lights[0][1], placed.shape).copy()
        shine = np.zeros(placed.shape[:2])
        for direction, strength in lights[1:]:
            wrap = np.clip((normal @ direction + 0.15) / 1.15, 0.0, 1.0)
            total += wrap[..., None] * strength
            halfway = direction + np.array([0.0, 0.0, 1.0])
            halfway /= max(float(np.linalg.norm(halfway)), 1e-6)
            shine += np.clip(normal @ halfway, 0.0, 1.0) ** 24 * float(strength.mean())
        return np.clip(tint * total + (gloss * shine)[..., None], 0.0, 1.0)

    def _glasses(
        self,
        colour: Array,
        depth: Array,
        eyes: list[Any],
        half: float,
        z: Array,
        x: Array,
        y: Array,
        turned: Array,
        pivot: Array,
        far: float,
        view: float,
        is_dark: bool,
    ) -> None:
        """Two lenses before the eyes, with a frame; those of sunglasses hide the eyes."""
        u = self._u
        wide, high, square = u(0.2, 0.27), u(0.15, 0.24), u(1.0, 2.5)
        front = max(float(e[2]) for e in eyes) + u(0.2, 0.26)
        tone = np.full(3, u(0.0, 0.12)) if is_dark else self._rng.uniform(0.0, 0.4, 3)
        rim_tone = self._rng.uniform(0.0, 0.5, 3) if self._chance(0.4) else np.full(3, u(0.0, 0.25))
        cover = u(0.82, 1.0) if is_dark else u(0.0, 0.18)
        turn = np.linspace(0.0, 2 * np.pi, 49)
        cosine, sine = np.cos(turn), np.sin(turn)
        shape = np.stack(
            [np.sign(cosine) * np.abs(cosine) ** (1 / square), np.sign(sine) * np.abs(sine) ** (1 / square)], -1
        )
        rim_px = max(1, round(u(0.5, 3.5) * FINE))
        drop = u(-0.06, 0.02)
        place = lambda p: _project((p - pivot) @ turned.T + pivot + np.array([0.0, 0.18, 0.0]), far, view)  # noqa: E731
        limit = _depth_of(np.array([[0.0, 0.0, front]]), turned, pivot, far)
        glare = u(0.3, 1.0) if self._chance(0.25) else 0.0
        for ex, ey, _, _ in eyes:
            bent = front - 0.35 * np.abs(ex + shape[:, 0] * wide) ** 2
            rim = np.stack([ex * 1.05 + shape[:, 0] * wide, ey + drop + shape[:, 1] * high, bent], -1)
            pixels = np.round(place(rim) * 16).astype(np.int32)
            mask = np.zeros(depth.shape, np.uint8)
            cv2.fillPoly(mask, [pixels], 255, cv2.LINE_AA, 4)
            # what lies nearer (the nose, at a large yaw) hides it
            seen = mask.astype(np.float32) / 255.0 * (depth > limit - 0.25)
            reflex = tone
            if glare:
                ramp = np.clip(np.linspace(-1, 1, depth.shape[0]) * u(-3, 3) + u(-1, 1), 0, 1) * glare
                reflex = tone + (ramp[:, None, None] * u(0.3, 0.9))
            part = (seen * cover)[..., None]
            colour[:] = colour * (1 - part) + reflex * part
            if glare and not is_dark:
                colour[:] = np.clip(
                    colour
                    + (seen * glare * 0.35)[..., None]
                    * np.clip(np.linspace(-1, 1, depth.shape[1]) * u(-4, 4), 0, 1)[None, :, None],
                    0,
                    1,
                )
            line = np.zeros(depth.shape, np.uint8)
            cv2.polylines(line, [pixels], True, 255, rim_px, cv2.LINE_AA, 4)
            # the temple
            out = 1.0 if ex > 0 else -1.0
            temple = np.array([[ex * 1.05 + out * wide, ey + drop + 0.05, bent[0]], [out * 0.72, ey + 0.05, -0.05]])
            ends = np.round(place(temple) * 16).astype(np.int32)
            if (turned @ np.array([out, 0.0, 0.3]))[2] > 0.0:
                cv2.polylines(line, [ends], False, 255, rim_px, cv2.LINE_AA, 4)
            part = (line.astype(np.float32) / 255.0 * (depth > limit - 0.3))[..., None]
            colour[:] = colour * (1 - part) + rim_tone * part
        bridge = np.array(
            [
                [eyes[0][0] * 1.05 + wide, eyes[0][1] + drop + 0.03, front],
                [eyes[1][0] * 1.05 - wide, eyes[1][1] + drop + 0.03, front],
            ]
        )
        line = np.zeros(depth.shape, np.uint8)
        cv2.polylines(line, [np.round(place(bridge) * 16).astype(np.int32)], False, 255, rim_px, cv2.LINE_AA, 4)
        part = (line.astype(np.float32) / 255.0)[..., None]
        colour[:] = colour * (1 - part) + rim_tone * part


def _step(low: float, high: Any, value: Any) -> Array:
    """0 at `low`, 1 at `high`, smooth between; either may be the larger."""
    t = np.clip((value - low) / (high - low + 1e-12), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def _bump(x: Array, y: Array, at_x: float, at_y: float, wide: float, high: float, size: float) -> Array:
    return np.asarray(size * np.exp(-(((x - at_x) / wide) ** 2 + ((y - at_y) / high) ** 2)))


def _mix(base: Array, tone: Any, share: Array) -> Array:
    return np.asarray(base * (1.0 - share[..., None]) + tone * share[..., None])


def _waves(rng: np.random.Generator, x: Array, y: Array, z: Array, pitch: float, many: int) -> Array:
    """Smooth noise, about -1 to 1."""
    total = np.zeros(np.broadcast_shapes(x.shape, y.shape, z.shape))
    for _ in range(many):
        k = rng.normal(0.0, pitch, 3)
        total = total + np.sin(k[0] * x + k[1] * y + k[2] * z + rng.uniform(0, 6.28))
    return np.asarray(total / np.sqrt(many))


def _at(x: Array, y: Array, z: Array, at_x: float, at_y: float) -> float:
    """How far the face stands out at a place."""
    far = (x - at_x) ** 2 + (y - at_y) ** 2 + np.where(z > 0, 0.0, 9.0)
    return float(z.flat[int(np.argmin(far))])


def _rotation(yaw_deg: float, pitch_deg: float, roll_deg: float) -> Array:
    a, b, c = np.radians([yaw_deg, pitch_deg, roll_deg])
    about_y = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    about_x = np.array([[1, 0, 0], [0, np.cos(b), -np.sin(b)], [0, np.sin(b), np.cos(b)]])
    about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.asarray(about_z @ about_y @ about_x)


def _ellipsoid(rows: int, columns: int) -> Array:
    up, turn = np.linspace(1.5, -1.5, rows)[:, None], np.linspace(-np.pi, np.pi, columns)[None]
    return np.stack([np.cos(up) * np.sin(turn), np.sin(up) + 0 * turn, np.cos(up) * np.cos(turn)], -1)


def _grid_faces(rows: int, columns: int) -> Array:
    index = np.arange(rows * columns, dtype=np.int32).reshape(rows, columns)
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, :-1], index[1:, 1:]
    return np.concatenate([np.stack([a, b, c], -1).reshape(-1, 3), np.stack([b, d, c], -1).reshape(-1, 3)])


def _depth_of(points: Array, turned: Array, pivot: Array, far: float) -> float:
    return float(far - ((points - pivot) @ turned.T + pivot)[0, 2])


def _project(points: Array, far: float, view: float) -> Array:
    """(n, 2) columns and rows in the fine picture."""
    scale = 0.5 * SIDE * FINE / np.tan(view / 2)
    depth = far - points[:, 2]
    middle = SIDE * FINE / 2
    return np.stack([middle + scale * points[:, 0] / depth, middle - scale * points[:, 1] / depth], -1)


def _raster(placed: Array, faces: Array, shaded: Array, colour: Array, depth: Array, far: float, view: float) -> None:
    points = placed.reshape(-1, 3).astype(np.float32).copy()
    points[:, 2] -= far
    pose = np.eye(4, dtype=np.float32)
    settings = cv2.TriangleRasterizeSettings()
    settings.setShadingType(cv2.RASTERIZE_SHADING_SHADED)
    settings.setCullingMode(cv2.RASTERIZE_CULLING_NONE)
    tints = np.clip(shaded.reshape(-1, 3), 0.0, 1.0).astype(np.float32)
    cv2.triangleRasterize(points, faces, tints, colour, depth, pose, float(view), 0.1, 100.0, settings)


def _some(task: tuple[int, int]) -> dict[str, Array]:
    """So many heads from a seed, as arrays; grey, since a driver camera often has no colour."""
    many, seed = task
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    renderer = Renderer(rng)
    found: dict[str, list[Any]] = {name: [] for name in ("picture", "points", "box", "pose", "openness", "flags")}
    for _ in range(many):
        head = renderer.draw()
        weights = np.array([0.114, 0.587, 0.299]) * rng.uniform(0.7, 1.3, 3)
        grey = np.clip(head.picture[..., :3] @ (weights / weights.sum()), 0, 255).astype(np.uint8)
        found["picture"].append(np.stack([grey, head.picture[..., 3]], -1))
        found["points"].append(head.points)
        found["box"].append(head.box)
        found["pose"].append((head.yaw_deg, head.pitch_deg))
        found["openness"].append(head.openness)
        found["flags"].append((head.has_sunglasses, head.has_mask))
    return {name: np.asarray(items) for name, items in found.items()}


def render(many: int, seed: int, workers: int) -> dict[str, Array]:
    """A set of heads.

    Args:
        many: How many.
        seed: The same seed, the same heads, however many work on them.
        workers: Processes.
    Returns:
        `picture` (n, SIDE, SIDE, 2) uint8 grey and cover, `points` (n, 5, 3), `box` (n, 4) [px], `pose` (n, 2) yaw and
        pitch [deg], `openness` (n, 2), `flags` (n, 2) sunglasses and mask.
    """
    from multiprocessing import get_context

    tasks = [(min(100, many - start), seed * 1_000_003 + start) for start in range(0, many, 100)]
    with get_context("spawn").Pool(workers) as pool:
        parts = pool.map(_some, tasks, chunksize=1)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
