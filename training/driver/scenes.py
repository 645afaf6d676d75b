"""Pictures of a cabin out of rendered heads, and the cut-outs of them that the readers learn from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from training.driver.heads import SIDE
from training.driver.layout import (
    AROUND,
    EYE_COLUMNS,
    EYE_ROWS,
    EYE_WIDE,
    FACE_PX,
    FINDER_COLUMNS,
    FINDER_ROWS,
)

Array = npt.NDArray[Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture with faces.

    Args:
        picture: (rows, columns) float32, 0 to 1.
        boxes: (n, 4) left, top, right, bottom [px].
        points: (n, 5, 3) column, row [px], 1 where seen.
        heads: (n,) places in the set of heads.
        hidden: (n, 2) whether a hand or a thing hides the eyes, the mouth.
    """

    picture: Array
    boxes: Array
    points: Array
    heads: Array
    hidden: Array


@dataclass(frozen=True, slots=True)
class Cut:
    """A cut-out for the face reader; without a face no pose.

    Args:
        picture: (FACE_PX, FACE_PX) float32, 0 to 1.
        pose: Yaw and pitch [deg].
        flags: The order of `layout.FLAGS`.
        points: (5, 3), shares of the cut-out's side, and 1 where seen.
        box: (4,), shares of the cut-out's side.
    """

    picture: Array
    pose: tuple[float, float] | None
    flags: tuple[float, float, float, float]
    points: Array | None
    box: Array | None


class Studio:
    """Composes pictures; all chance comes from the generator that it is given."""

    def __init__(self, heads: dict[str, Array], rng: np.random.Generator, *, harsh: float = 1.0) -> None:
        self._heads = heads
        self._rng = rng
        self._harsh = harsh

    def _u(self, low: float, high: float) -> float:
        return float(self._rng.uniform(low, high))

    def _chance(self, share: float) -> bool:
        return bool(self._rng.random() < share)

    def scene(self) -> Scene:
        """A picture for the finder, with no, one or two faces."""
        rows, columns = FINDER_ROWS, FINDER_COLUMNS
        picture = self._background(rows, columns)
        many = int(self._rng.choice(3, p=(0.15, 0.65, 0.2)))
        kept: list[tuple[Array, Array, int, tuple[bool, bool]]] = []
        slots = [self._u(0.2, 0.8)] if many < 2 else [self._u(0.1, 0.35), self._u(0.65, 0.9)]
        for number in range(many):
            high = float(np.exp(self._u(np.log(22.0), np.log(115.0 if many == 1 else 70.0))))
            index = self._pick()
            at = (slots[number] * columns, self._u(0.25, 0.75) * rows)
            move = self._move(index, high, at)
            picture = self._paste(picture, index, move)
            box, points = self._moved(index, move)
            hidden = (False, False)
            if self._chance(0.18):
                picture, hidden = self._occlude(picture, box, points)
            kept.append((box, points, index, hidden))
        picture = self._finish(picture)
        if self._chance(0.6):
            bar = int(self._u(0, 0.13) * rows)
            if bar:
                picture[:bar] = picture[rows - bar :] = 114.0 / 255.0
        boxes, points, heads, hidden = [], [], [], []
        for box, spots, index, hides in kept:
            inside = (min(box[2], columns) - max(box[0], 0)) * (min(box[3], rows) - max(box[1], 0))
            if inside < 0.55 * (box[2] - box[0]) * (box[3] - box[1]):
                continue
            boxes.append(box)
            spots = spots.copy()
            spots[:, 2] *= (spots[:, 0] > 0) & (spots[:, 0] < columns) & (spots[:, 1] > 0) & (spots[:, 1] < rows)
            points.append(spots)
            heads.append(index)
            hidden.append(hides)
        return Scene(
            picture=picture,
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            points=np.array(points, np.float32).reshape(-1, 5, 3),
            heads=np.array(heads, np.int64),
            hidden=np.array(hidden, bool).reshape(-1, 2),
        )

    def face(self) -> Cut:
        """A cut-out for the face reader."""
        side = FACE_PX
        picture = self._background(side, side)
        if self._chance(0.12):
            if self._chance(0.5):  # a head from the side of it, or cut off
                index = self._pick()
                high = side * self._u(0.3, 2.2)
                at = (side * (0.5 + self._sign() * self._u(0.6, 1.0)), side * self._u(0.0, 1.0))
                picture = self._paste(picture, index, self._move(index, high, at))
            return Cut(picture=self._finish(picture), pose=None, flags=(0.0, 0.0, 0.0, 0.0), points=None, box=None)
        index = self._pick()
        high = side / AROUND * float(np.exp(self._rng.normal(0.0, 0.13)))
        at = (side / 2 + self._rng.normal(0.0, 0.07) * side, side / 2 + self._rng.normal(0.0, 0.07) * side)
        move = self._move(index, high, at)
        picture = self._paste(picture, index, move)
        box, points = self._moved(index, move)
        hidden = (False, False)
        if self._chance(0.25):
            picture, hidden = self._occlude(picture, box, points)
        yaw, pitch = self._heads["pose"][index]
        has_sunglasses, has_mask = self._heads["flags"][index]
        flags = (float(has_sunglasses), float(has_mask or hidden[1]), float(hidden[0]), 1.0)
        points[:, :2] /= side
        return Cut(
            picture=self._finish(picture), pose=(float(yaw), float(pitch)), flags=flags, points=points, box=box / side
        )

    def eye(self) -> tuple[Array, float | None]:
        """A cut-out for the eye reader, and how far the eye is open; `None`: it cannot be seen.

        Eyes at the picture's right are turned over, so that each is one at the picture's left.
        """
        rows, columns = EYE_ROWS, EYE_COLUMNS
        picture = self._background(rows, columns)
        index = self._pick()
        which = int(self._rng.integers(0, 2))
        wide = float(np.exp(self._rng.normal(0.0, 0.12)))
        high = columns / EYE_WIDE * wide
        # where the finder puts an eye is off by some of the face's height
        off = self._rng.normal(0.0, 0.028, 2) * high
        matrix = self._move(index, high, (0.0, 0.0))
        spot = matrix[:, :2] @ self._heads["points"][index, which, :2] + matrix[:, 2]
        matrix[:, 2] += np.array([columns / 2 + off[0], rows / 2 + off[1]]) - spot
        # few pixels: the cut-out was enlarged
        small = 1.0 if self._chance(0.5) else self._u(0.3, 1.0)
        picture = self._paste(picture, index, matrix)
        opened: float | None = float(self._heads["openness"][index, which])
        yaw = float(self._heads["pose"][index, 0])
        if (
            self._heads["points"][index, which, 2] < 0.5
            or self._heads["flags"][index, 0]
            or (which == 0 and yaw < -52.0)
            or (which == 1 and yaw > 52.0)
        ):
            opened = None
        if self._chance(0.10):
            picture = self._finger(picture, (columns / 2, rows / 2), columns * 0.5)
            opened = None
        elif self._chance(0.05):  # beside the eye
            picture = np.roll(picture, int(self._sign() * columns * self._u(0.45, 0.7)), axis=1)
            opened = None
        if small < 1.0:
            less = cv2.resize(
                picture, (max(10, int(columns * small)), max(7, int(rows * small))), interpolation=cv2.INTER_AREA
            )
            picture = cv2.resize(self._finish(less), (columns, rows), interpolation=cv2.INTER_LINEAR)
        else:
            picture = self._finish(picture)
        return (picture[:, ::-1].copy() if which == 1 else picture), opened

    # --- parts

    def _pick(self) -> int:
        return int(self._rng.integers(0, len(self._heads["picture"])))

    def _sign(self) -> float:
        return 1.0 if self._chance(0.5) else -1.0

    def _move(self, index: int, high: float, at: tuple[float, float]) -> Array:
        """(2, 3) from the head's pixels to the picture's: its face so high, its middle there, a little turned."""
        box = self._heads["box"][index]
        scale = high / max(float(box[3] - box[1]), 1.0)
        turn = np.radians(self._rng.normal(0.0, 7.0))
        stretch = np.exp(self._rng.normal(0.0, 0.05))
        cosine, sine = scale * np.cos(turn), scale * np.sin(turn)
        matrix = np.array([[cosine * stretch, -sine, 0.0], [sine * stretch, cosine, 0.0]])
        middle = np.array([box[0] + box[2], box[1] + box[3]]) / 2.0
        matrix[:, 2] = np.array(at) - matrix[:, :2] @ middle
        return matrix

    def _moved(self, index: int, matrix: Array) -> tuple[Array, Array]:
        """Box and points of a head in the picture."""
        points = self._heads["points"][index].copy()
        points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
        left, top, right, bottom = self._heads["box"][index]
        middle = matrix[:, :2] @ np.array([(left + right) / 2, (top + bottom) / 2]) + matrix[:, 2]
        wide = (right - left) * np.hypot(*matrix[:, 0]) / 2
        high = (bottom - top) * np.hypot(*matrix[:, 1]) / 2
        return np.array([middle[0] - wide, middle[1] - high, middle[0] + wide, middle[1] + high]), points

    def _paste(self, picture: Array, index: int, matrix: Array) -> Array:
        rows, columns = picture.shape
        head = self._heads["picture"][index]
        scale = np.hypot(*matrix[:, 0])
        if scale < 0.6:  # shrink first, else sampling aliases
            part = max(scale * 1.4, 0.05)
            size = max(8, round(SIDE * part))
            head = cv2.resize(head, (size, size), interpolation=cv2.INTER_AREA)
            matrix = matrix.copy()
            matrix[:, :2] *= SIDE / size
        # shoulders go on below the rendered part
        laid = cv2.warpAffine(head, matrix, (columns, rows), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        grey, cover = laid[..., 0].astype(np.float32) / 255.0, laid[..., 1].astype(np.float32) / 255.0
        if self._chance(0.5):
            gain = self._u(0.6, 1.4)
            grey = np.clip(grey * gain + self._u(-0.1, 0.1), 0.0, 1.0)
        return np.asarray(picture * (1 - cover) + grey * cover, np.float32)

    def _background(self, rows: int, columns: int) -> Array:
        """Walls, seats, windows and blobs, with edges of all kinds."""
        rng = self._rng
        if self._chance(0.03):
            return np.full((rows, columns), self._u(0, 1), np.float32)
        coarse = rng.random((int(rng.integers(2, 6)), int(rng.integers(2, 6)))).astype(np.float32)
        picture = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC) * self._u(0.1, 0.9) + self._u(
            0, 0.4
        )
        for _ in range(int(rng.integers(0, 7))):
            x, y = rng.uniform(0, columns), rng.uniform(0, rows)
            tone = self._u(0, 1)
            layer = picture.copy()
            kind = int(rng.integers(0, 4))
            if kind == 0:
                corners = np.array([x, y]) + rng.normal(0, 0.3 * columns, (int(rng.integers(3, 6)), 2))
                cv2.fillPoly(layer, [corners.astype(np.int32)], tone, cv2.LINE_AA)
            elif kind == 1:
                axes = (int(rng.uniform(2, columns / 3)), int(rng.uniform(2, rows / 2)))
                cv2.ellipse(layer, (int(x), int(y)), axes, rng.uniform(0, 180), 0, 360, tone, -1, cv2.LINE_AA)
            elif kind == 2:
                end = (int(rng.uniform(0, columns)), int(rng.uniform(0, rows)))
                cv2.line(layer, (int(x), int(y)), end, tone, int(rng.integers(1, max(2, columns // 16))), cv2.LINE_AA)
            else:
                grain = rng.random((rows, columns)).astype(np.float32)
                layer = cv2.GaussianBlur(grain, (0, 0), self._u(0.8, 4.0))
                layer = (layer - layer.mean()) / max(float(layer.std()), 1e-6) * self._u(0.02, 0.15) + picture
            if self._chance(0.5):
                layer = cv2.GaussianBlur(layer, (0, 0), self._u(0.5, 5.0))
            picture = layer if self._chance(0.8) else 0.5 * (picture + layer)
        return np.clip(picture, 0.0, 1.0).astype(np.float32)

    def _occlude(self, picture: Array, box: Array, points: Array) -> tuple[Array, tuple[bool, bool]]:
        """A hand, a telephone or a rim before the face; tells whether eyes and mouth are hidden."""
        high = float(box[3] - box[1])
        eyes, mouth = points[:2, :2].mean(0), points[3:, :2].mean(0)
        where = int(self._rng.integers(0, 3))
        middle = eyes if where == 0 else mouth if where == 1 else box[:2] + self._rng.random(2) * (box[2:] - box[:2])
        before = picture
        picture = self._finger(picture, (float(middle[0]), float(middle[1])), high * self._u(0.25, 0.5))
        changed = np.abs(picture - before) > 1e-4

        def covered(spots: Array, wide: float) -> bool:
            found = []
            for x, y in spots:
                x0, x1 = int(max(x - wide, 0)), int(min(x + wide, picture.shape[1])) + 1
                y0, y1 = int(max(y - wide / 2, 0)), int(min(y + wide / 2, picture.shape[0])) + 1
                part = changed[y0:y1, x0:x1]
                found.append(float(part.mean()) if part.size else 1.0)
            return float(np.mean(found)) > 0.5

        mouth_spots = np.stack([points[3, :2], mouth, points[4, :2]])
        return picture, (covered(points[:2, :2], 0.08 * high), covered(mouth_spots, 0.06 * high))

    def _finger(self, picture: Array, at: tuple[float, float], size: float) -> Array:
        """Fingers side by side, or a box, over a place."""
        rng = self._rng
        layer = np.zeros(picture.shape, np.float32)
        mask = np.zeros(picture.shape, np.uint8)
        angle = rng.uniform(0, 2 * np.pi)
        along, across = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
        tone = self._u(0.1, 0.9)
        layer += tone
        kind = float(rng.random())
        if kind < 0.15:  # all beyond a line: something near the lens
            shape = picture.shape
            far = 2.0 * max(shape)
            line = np.array(at) + across * size * self._u(-1.0, 1.0)
            corners = [
                line - along * far,
                line + along * far,
                line + (along + across) * far,
                line - (along - across) * far,
            ]
            cv2.fillPoly(mask, [np.array(corners).astype(np.int32)], 255, cv2.LINE_AA)
            layer[:] = self._u(0.0, 0.5)
        elif kind < 0.7:
            thick = max(2, int(size * self._u(0.3, 0.5)))
            many = int(rng.integers(2, 5))
            for number in range(many):
                start = (
                    np.array(at) + across * (number - (many - 1) / 2) * thick * 0.95 + along * size * self._u(0.4, 0.8)
                )
                end = start - along * size * 4.0
                ends = (tuple(start.astype(int).tolist()), tuple(end.astype(int).tolist()))
                cv2.line(mask, *ends, 255, thick, cv2.LINE_AA)
                cv2.line(layer, *ends, tone * self._u(0.85, 1.1), thick, cv2.LINE_AA)
                shift = across * thick * 0.5
                edge = (tuple((start + shift).astype(int).tolist()), tuple((end + shift).astype(int).tolist()))
                cv2.line(layer, *edge, tone * self._u(0.4, 0.8), max(1, thick // 7), cv2.LINE_AA)
        else:
            half = [along * size * self._u(0.6, 1.5), across * size * self._u(0.4, 0.9)]
            corners = [np.array(at) + a * half[0] + b * half[1] for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
            cv2.fillPoly(mask, [np.array(corners).astype(np.int32)], 255, cv2.LINE_AA)
        layer = cv2.GaussianBlur(layer, (0, 0), max(0.5, size * 0.04))
        share = mask.astype(np.float32) / 255.0
        return np.asarray(picture * (1 - share) + layer * share, np.float32)

    def _finish(self, picture: Array) -> Array:
        """What lens, sensor and coding do to it."""
        rng, harsh = self._rng, self._harsh
        rows, columns = picture.shape
        if self._chance(0.35):
            ramp = np.linspace(-1, 1, columns)[None] * self._u(-0.4, 0.4) + np.linspace(-1, 1, rows)[:, None] * self._u(
                -0.4, 0.4
            )
            picture = picture * (1.0 + ramp).astype(np.float32)
        if self._chance(0.12 * harsh):  # glare
            yy, xx = np.mgrid[0:rows, 0:columns]
            spot = np.exp(
                -(
                    ((xx - rng.uniform(0, columns)) ** 2 + (yy - rng.uniform(0, rows)) ** 2)
                    / (self._u(0.1, 0.5) * columns) ** 2
                )
            )
            picture = picture + (spot * self._u(0.2, 0.9)).astype(np.float32)
        picture = np.clip(picture, 0, 1) ** self._u(0.55, 1.7)
        low = self._u(0.0, 0.15)
        picture = low + picture * (self._u(0.45, 1.05) - low)
        if self._chance(0.12 * harsh):
            picture = picture * self._u(0.12, 0.6)
        if self._chance(0.5):
            picture = cv2.GaussianBlur(picture, (0, 0), self._u(0.3, 0.8 + 0.4 * harsh))
        if self._chance(0.12):
            many = int(rng.integers(2, 6))
            kernel = np.zeros((many, many), np.float32)
            kernel[many // 2] = 1.0 / many
            picture = cv2.filter2D(picture, -1, kernel if self._chance(0.7) else kernel.T)
        picture = picture + rng.normal(0.0, abs(rng.normal(0.0, 0.016 * harsh)), picture.shape)
        eight = np.clip(picture * 255.0, 0, 255).astype(np.uint8)
        if self._chance(0.3):
            _, data = cv2.imencode(".jpg", eight, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(25, 95))])
            eight = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        return eight.astype(np.float32) / 255.0
