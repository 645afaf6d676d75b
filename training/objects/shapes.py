"""Road users drawn as a camera on a car sees them: vehicles as boxes of many kinds, people, riders of two wheels.

Nothing here is a picture of anybody: all forms, colours and poses are drawn by chance. A sprite knows how far its
camera stood and how high, so that a scene puts it where the ground is.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Picture = NDArray[np.uint8]
Random = np.random.Generator
Colour = tuple[float, float, float]

VEHICLE, PEDESTRIAN, CYCLIST = 0, 1, 2
CLASSES: Final = ("vehicle", "pedestrian", "cyclist")
KEPT: Final = 170  # longer side of a sprite [px]
FINE: Final = 2  # drawn so much larger than kept: no jagged edges
CAMERA_M: Final = 1.45  # height of the camera that a sprite is drawn for
PAINTS: Final = (  # blue green red, how cars are painted: mostly white, black, grey, then the rest
    (235, 235, 232), (225, 228, 230), (200, 200, 198), (28, 26, 25), (40, 38, 36), (60, 58, 55), (95, 92, 90),
    (140, 138, 135), (165, 165, 165), (60, 35, 25), (110, 60, 30), (150, 100, 60), (30, 30, 140), (35, 35, 185),
    (40, 60, 90), (70, 90, 110), (50, 80, 50), (40, 150, 210), (60, 190, 220), (45, 45, 75),
)  # fmt: skip
PLAIN: Final = 9
SKIN: Final = ((170, 190, 225), (130, 160, 205), (90, 120, 170), (60, 80, 120), (40, 55, 85))


@dataclass(frozen=True)
class Sprite:
    """One road user, cut out.

    Args:
        picture: (rows, columns, 4) uint8, blue green red and what is covered; its shadow included.
        solid: (rows, columns) uint8, 255 where the road user itself is.
        kind: Class.
        focal_px: Focal length at which it was drawn [px].
        range_m: Distance of the middle of its ground contact [m].
        foot: Column and row of that point in the picture [px].
        yaw_rad: How it is turned, 0: it looks away from us [rad].
    """

    picture: Picture
    solid: Picture
    kind: int
    focal_px: float
    range_m: float
    foot: tuple[float, float]
    yaw_rad: float = 0.0


class Canvas:
    """A picture that grows from faces of a body, the farthest first."""

    def __init__(self, random: Random, size_m: tuple[float, float, float], yaw_rad: float, range_m: float) -> None:
        self.range = range_m
        self.yaw = yaw_rad
        self.focal, self.foot = 1.0, (0.0, 0.0)
        self.middle = np.array([0.0, 0.0, 0.3 * size_m[2]])
        corners = np.array([[x, y, z] for x in (0.55, -0.55) for y in (0.6, -0.6) for z in (0.0, 1.03)]) * size_m
        seen = self.pixels(corners)
        low, high = seen.min(0), seen.max(0)
        self.focal = KEPT * FINE / float((high - low).max())
        margin = 0.12 * KEPT * FINE
        self.foot = (-float(low[0]) * self.focal + margin, -float(low[1]) * self.focal + margin)
        self.wide, self.tall = (int(value * self.focal + 2 * margin) for value in high - low)
        self.image = np.zeros((self.tall, self.wide, 3), np.uint8)
        self.solid = np.zeros((self.tall, self.wide), np.uint8)
        self.shade = np.zeros((self.tall, self.wide), np.uint8)
        light = random.normal(0, 1, 3) * (1.0, 1.0, 0.5) + (0, 0, 1.2)
        self.light = light / np.linalg.norm(light)
        self.ambient = random.uniform(0.35, 0.8)
        self.groups: list[tuple[float, list[tuple[Array, Colour]]]] = []

    def world(self, points: Array) -> Array:
        """Body coordinates (n, 3) to the camera's: across, up, ahead."""
        c, s = math.cos(self.yaw), math.sin(self.yaw)
        x = points[:, 0] * c - points[:, 1] * s
        y = points[:, 0] * s + points[:, 1] * c
        return np.stack([-y, points[:, 2] - CAMERA_M, np.maximum(self.range + x, 0.4)], 1)

    def pixels(self, points: Array) -> Array:
        """Body coordinates to columns and rows."""
        p = self.world(points)
        u = self.focal * p[:, 0] / p[:, 2]
        v = -self.focal * p[:, 1] / p[:, 2]
        foot_v = self.focal * CAMERA_M / self.range
        return np.stack([self.foot[0] + u, self.foot[1] + v - foot_v], 1)

    def face(
        self, points: list[tuple[float, float, float]], colour: Colour, *decals: tuple[list, Colour], cull: bool = True
    ) -> None:
        """One face and what is painted on it; a face that looks away is left out."""
        p = np.array(points, dtype=np.float64)
        w = self.world(p)
        normal = np.cross(w[1] - w[0], w[2] - w[0])
        length = float(np.linalg.norm(normal))
        if length < 1e-9:
            return
        normal /= length
        if float(normal @ (w.mean(0) - self.world(self.middle[None])[0])) < 0:
            normal = -normal  # outwards
        if cull and float(normal @ w.mean(0)) > 0:
            return
        gain = self.ambient + (1 - self.ambient) * abs(float(normal @ self.light)) + 0.18 * max(0.0, float(normal[1]))
        parts = [(p, _times(colour, gain))]
        parts += [(np.array(q, dtype=np.float64), _times(c, gain)) for q, c in decals]
        self.groups.append((float(np.linalg.norm(w.mean(0))), parts))

    def paint(self) -> None:
        """Draws the faces that were given."""
        for _, parts in sorted(self.groups, key=lambda item: -item[0]):
            for points, colour in parts:
                self.polygon(self.pixels(points), colour)
        self.groups = []

    def polygon(self, pixels: Array, colour: Colour) -> None:
        """A filled polygon."""
        fixed = np.round(pixels * 16).astype(np.int32).reshape(-1, 1, 2)
        cv2.fillPoly(self.image, [fixed], colour, cv2.LINE_AA, 4)
        cv2.fillPoly(self.solid, [fixed], 255, cv2.LINE_AA, 4)

    def limb(self, a: Array, b: Array, thick_m: tuple[float, float], colour: Colour, gain: float = 1.0) -> None:
        """A tapered limb between two points of the body."""
        p = self.pixels(np.stack([a, b]))
        depth = self.world(np.stack([a, b]))[:, 2]
        r = np.array(thick_m) * 0.5 * self.focal / depth
        along = p[1] - p[0]
        length = float(np.linalg.norm(along))
        across = np.array([-along[1], along[0]]) / max(length, 1e-6)
        colour = _times(colour, gain)
        self.polygon(
            np.stack([p[0] + across * r[0], p[1] + across * r[1], p[1] - across * r[1], p[0] - across * r[0]]), colour
        )
        for at, radius in zip(p, r, strict=True):
            self.ball(at, radius, colour)

    def ball(self, at: Array, radius: float, colour: Colour) -> None:
        """A disc."""
        where = (round(float(at[0]) * 16), round(float(at[1]) * 16))
        cv2.circle(self.image, where, max(8, round(radius * 16)), colour, -1, cv2.LINE_AA, 4)
        cv2.circle(self.solid, where, max(8, round(radius * 16)), 255, -1, cv2.LINE_AA, 4)

    def shadow(self, length: float, width: float, lean: tuple[float, float]) -> None:
        """What lies dark on the ground below and beside."""
        a, b = length / 2, width / 2
        foot = np.array([[a, b, 0], [a, -b, 0], [-a, -b, 0], [-a, b, 0]])
        cast = foot + np.array([lean[0], lean[1], 0.0])
        hull = cv2.convexHull(np.round(self.pixels(np.concatenate([foot, cast]))).astype(np.int32))
        cv2.fillPoly(self.shade, [hull], 255, cv2.LINE_AA)

    def sprite(self, random: Random, kind: int, dark: float, textures: list[Picture]) -> Sprite:
        """The finished cut-out: surface, dirt, light from above, soft shadow."""
        if kind == VEHICLE and random.random() < 0.7:  # pressed steel has no sharp corners
            size = int(random.choice([5, 7, 9, 11]))
            self.image, self.solid = cv2.medianBlur(self.image, size), cv2.medianBlur(self.solid, size)
        image = self.image.astype(np.float32)
        rows = np.linspace(0, 1, self.tall, dtype=np.float32)[:, None, None]
        columns = np.linspace(-1, 1, self.wide, dtype=np.float32)[None, :, None]
        image *= 1.0 + random.normal(0, 0.25) * columns - random.uniform(0.0, 0.35) * (rows - 0.5)
        for cells, strength in ((6, 0.1), (24, 0.06), (80, 0.05)):
            noise = random.normal(0, strength * random.random(), (cells, cells)).astype(np.float32)
            image *= 1.0 + cv2.resize(noise, (self.wide, self.tall), interpolation=cv2.INTER_LINEAR)[..., None]
        if textures and random.random() < 0.6:  # what paint and glass mirror, and how cloth is woven: of real pictures
            patch = textures[random.integers(len(textures))].astype(np.float32)
            patch = cv2.resize(patch, (self.wide, self.tall), interpolation=cv2.INTER_LINEAR)
            strength = random.uniform(0.1, 0.6)
            image *= (1.0 + strength * (np.clip(patch / max(float(patch.mean()), 1.0), 0.3, 2.2) - 1.0))[..., None]
        image = np.clip(image, 0, 255)
        solid = self.solid.astype(np.float32) / 255
        soft = cv2.blur(self.shade, (9, 9)).astype(np.float32) / 255 * dark
        alpha = solid + soft * (1 - solid)
        image *= (solid / np.maximum(alpha, 1e-3))[..., None]
        whole = np.dstack([image, alpha * 255])
        rows_used, columns_used = np.flatnonzero(alpha.max(1) > 0.02), np.flatnonzero(alpha.max(0) > 0.02)
        top, bottom = int(rows_used[0]) // FINE * FINE, int(rows_used[-1]) + 1
        left, right = int(columns_used[0]) // FINE * FINE, int(columns_used[-1]) + 1
        size = max(2, (right - left) // FINE), max(2, (bottom - top) // FINE)
        # premultiplied, else the void's black mixes in
        part = whole[top:bottom, left:right]
        flat = np.dstack([part[..., :3] * part[..., 3:] / 255, part[..., 3]])
        small = cv2.resize(flat, size, interpolation=cv2.INTER_AREA)
        small[..., :3] = small[..., :3] * 255 / np.maximum(small[..., 3:], 1.0)
        mask = cv2.resize(self.solid[top:bottom, left:right], size, interpolation=cv2.INTER_AREA)
        foot = ((self.foot[0] - left) / FINE, (self.foot[1] - top) / FINE)
        return Sprite(
            np.clip(small, 0, 255).astype(np.uint8), mask, kind, self.focal / FINE, self.range, foot, self.yaw
        )


def _at(x: float, y: float, z: float) -> Array:
    return np.array([x, y, z])


def _times(colour: Colour, gain: float) -> Colour:
    return (min(colour[0] * gain, 255.0), min(colour[1] * gain, 255.0), min(colour[2] * gain, 255.0))


def draw_range(random: Random) -> float:
    """Distances as the road has them: near ones need most forms, far ones look alike."""
    return float(np.exp(random.uniform(math.log(4.5), math.log(70.0))))


def draw_yaw(random: Random) -> float:
    """Directions as the road has them: ahead of us, towards us, across, parked askew [rad]."""
    way = random.random()
    base = 0.0 if way < 0.45 else math.pi if way < 0.72 else random.choice([-0.5, 0.5]) * math.pi
    return float(base + random.normal(0, 0.16 if way < 0.72 else 0.4) + random.choice([0.0, 0.0, 0.35, -0.35]))


def vehicle(random: Random, textures: list[Picture]) -> Sprite:
    """A car, van, lorry or bus."""
    form = random.choice(
        ["sedan", "hatch", "wagon", "suv", "van", "pickup", "box", "bus"],
        p=[0.22, 0.2, 0.12, 0.19, 0.09, 0.06, 0.08, 0.04],
    )
    sizes = {
        "sedan": (4.6, 1.8, 1.45), "hatch": (3.9, 1.72, 1.5), "wagon": (4.6, 1.8, 1.5), "suv": (4.5, 1.87, 1.7),
        "van": (5.2, 1.98, 2.2), "pickup": (5.4, 1.95, 1.8), "box": (7.5, 2.4, 3.3), "bus": (11.0, 2.5, 3.1),
    }  # fmt: skip
    length, width, height = (float(value * random.uniform(0.92, 1.1)) for value in sizes[str(form)])
    range_m = max(draw_range(random), 0.5 * length + 2.5)
    canvas = Canvas(random, (length, width, height), draw_yaw(random), range_m)
    plain = random.random() < 0.7
    tone = PAINTS[random.integers(PLAIN) if plain else random.integers(PLAIN, len(PAINTS))]
    paint = _times(tone, float(random.uniform(0.75, 1.15)))
    lean = (random.uniform(-1.2, 1.2), random.uniform(-1.5, 1.5)) if random.random() < 0.5 else (0.0, 0.0)
    canvas.shadow(length * 0.98, width * 0.98, lean)
    sill = random.uniform(0.16, 0.3) * (1.6 if form in ("box", "bus") else 1.0)
    belt = height * (random.uniform(0.58, 0.66) if form not in ("van", "box", "bus") else random.uniform(0.48, 0.56))
    glass = _times((70, 62, 52), random.uniform(0.3, 1.6))
    half = width / 2
    front, rear = length / 2, -length / 2
    _wheels(canvas, random, length, width, 0.31 if form not in ("box", "bus") else 0.46)
    hood = belt * random.uniform(0.84, 0.98)
    tail = belt * random.uniform(0.95, 1.02)
    if form in ("box", "bus"):
        cab = front - (length * 0.26 if form == "box" else 0.0)
        if form == "box":
            _box(canvas, cab + 0.05, front, half * 0.94, sill, height * random.uniform(0.62, 0.9), paint)
            _glass_front(canvas, front + 0.01, half * 0.9, height * 0.45, height * 0.62, glass)
            load: Colour = _times((235, 235, 235), random.uniform(0.3, 1.0)) if random.random() < 0.6 else paint
            _box(canvas, rear, cab, half, sill + 0.5, height, load, doors=random.random() < 0.7, stripe=random)
        else:
            _box(canvas, rear, front, half, sill, height, paint, band=(height * 0.45, height * 0.8, glass))
            _glass_front(canvas, front + 0.01, half * 0.92, height * 0.4, height * 0.85, glass)
            _glass_rear(canvas, rear - 0.01, half * 0.85, height * 0.5, height * 0.8, glass)
        nose, end, belt_front, belt_rear = front, rear, height * 0.4, height * 0.4
    else:
        cuts = {  # windscreen's foot, roof's front and end, rear window's foot: shares of the length from the front
            "sedan": (0.27, 0.42, 0.7, 0.86), "hatch": (0.25, 0.4, 0.86, 0.97), "wagon": (0.26, 0.4, 0.9, 0.98),
            "suv": (0.27, 0.38, 0.88, 0.97), "van": (0.16, 0.27, 0.985, 0.998), "pickup": (0.28, 0.39, 0.58, 0.62),
        }[str(form)]  # fmt: skip
        a, b, c, d = (front - length * float(cut + random.normal(0, 0.012)) for cut in cuts)
        d = max(d, rear + 0.02)
        c = max(c, d + 0.02)
        top = half * random.uniform(0.76, 0.86) if form != "van" else half * 0.93
        narrow = half * random.uniform(0.86, 0.94)
        # below the belt: sides bulge, ends are narrower
        stations = [
            (front, narrow, hood * 0.82),
            (front - 0.1 * length, half, hood),
            (a, half, belt),
            (d, half, belt if form != "pickup" else tail),
            (rear + 0.08 * length, half, tail),
            (rear, narrow, tail * 0.96),
        ]
        for (x0, w0, z0), (x1, w1, z1) in pairwise(stations):
            for side in (1, -1):
                quad = [
                    (x0, side * w0, sill),
                    (x0, side * w0 * 0.97, z0),
                    (x1, side * w1 * 0.97, z1),
                    (x1, side * w1, sill),
                ]
                trim = [
                    (x0, side * w0, sill),
                    (x0, side * w0, sill + 0.12),
                    (x1, side * w1, sill + 0.12),
                    (x1, side * w1, sill),
                ]
                canvas.face(quad if side == -1 else quad[::-1], paint, (trim, _times(paint, 0.55)))
            canvas.face(
                [(x0, w0 * 0.97, z0), (x0, -w0 * 0.97, z0), (x1, -w1 * 0.97, z1), (x1, w1 * 0.97, z1)][::-1], paint
            )
        roof = _times(paint, random.uniform(0.9, 1.1))
        sky = _times((225, 215, 205), random.uniform(0.3, 1.0))
        y0, y1 = sorted(random.uniform(-0.9, 0.9, 2).tolist())
        cut = random.uniform(0.2, 0.9)
        shine = [
            (b, y0 * top, height),
            (b, y1 * top, height),
            (b + (a - b) * cut, y1 * half * 0.9, height + (belt - height) * cut),
            (b + (a - b) * cut, y0 * half * 0.9, height + (belt - height) * cut),
        ]
        canvas.face(
            [(a, half * 0.93, belt), (a, -half * 0.93, belt), (b, -top, height), (b, top, height)][::-1],
            glass,
            *([(shine, sky)] if random.random() < 0.5 else []),
        )
        canvas.face([(b, top, height), (b, -top, height), (c, -top, height), (c, top, height)][::-1], roof)
        edge = 0.86
        back = [(c, top, height), (c, -top, height), (d, -half * 0.93, belt), (d, half * 0.93, belt)]
        pane = [
            (c * 0.93 + d * 0.07, top * edge, height * 0.95 + belt * 0.05),
            (c * 0.93 + d * 0.07, -top * edge, height * 0.95 + belt * 0.05),
            (c * 0.1 + d * 0.9, -half * 0.93 * edge, belt * 0.9 + height * 0.1),
            (c * 0.1 + d * 0.9, half * 0.93 * edge, belt * 0.9 + height * 0.1),
        ]
        is_blind = form == "van" and random.random() < 0.5
        canvas.face(back[::-1], paint, *([] if is_blind else [(pane[::-1], glass)]))
        for side in (1, -1):
            outline = [
                (a, side * half * 0.93, belt),
                (b, side * top, height),
                (c, side * top, height),
                (d, side * half * 0.93, belt),
            ]
            windows = []
            posts = sorted(random.uniform(0.3, 0.75, random.integers(1, 3)).tolist())
            for begin, stop in zip([0.06, *[p + 0.02 for p in posts]], [*[p - 0.02 for p in posts], 0.93], strict=True):
                if form == "van" and begin > 0.3 and is_blind:
                    continue
                pane = [
                    (
                        front_x + (back_x - front_x) * t,
                        side * (half * 0.93 * (1 - share) + (top * 0.9 + half * 0.093) * share),
                        belt + z * (height - belt),
                    )
                    for t, (front_x, back_x, share, z) in (
                        (begin, (a, d, 0.0, 0.08)),
                        (begin, (b, c, 1.0, 0.86)),
                        (stop, (b, c, 1.0, 0.86)),
                        (stop, (a, d, 0.0, 0.08)),
                    )
                ]
                windows.append((pane, _times(glass, 1.15)))
            canvas.face(outline if side == -1 else outline[::-1], paint, *windows)
            if random.random() < 0.8:  # mirrors
                m = [
                    (a - 0.25, side * half * 1.0, belt),
                    (a - 0.25, side * half * 1.14, belt),
                    (a - 0.25, side * half * 1.14, belt + 0.17),
                    (a - 0.25, side * half * 1.0, belt + 0.17),
                ]
                canvas.face(m, _times(paint, 0.8), cull=False)
        nose, end, belt_front, belt_rear = front, rear, hood * 0.82, tail * 0.96
        half = narrow
    _front(canvas, random, nose, half, sill, belt_front, paint)
    _rear(canvas, random, end, half, sill, belt_rear, paint)
    canvas.paint()
    return canvas.sprite(random, VEHICLE, random.uniform(0.45, 0.85), textures)


def _wheels(canvas: Canvas, random: Random, length: float, width: float, radius: float) -> None:
    rim = _times((150, 150, 150), random.uniform(0.3, 1.2))
    tyre = (26.0, 26.0, 26.0)
    angle = np.linspace(0, 2 * math.pi, 17)[:-1]
    for x in (length * 0.5 - 0.85 - radius * 0.3, -length * 0.5 + 0.75 + radius * 0.3):
        for side in (1, -1):
            y = side * width * 0.5 * 1.005
            inner = side * (width * 0.5 - 0.21)
            ring = [(x + radius * math.cos(t), y, radius + radius * math.sin(t)) for t in angle]
            hub = [(x + radius * 0.64 * math.cos(t), y, radius + radius * 0.64 * math.sin(t)) for t in angle]
            order = 1 if side == -1 else -1
            # the arch above the wheel hides it where the body comes lower; nearer to us than the body's side
            canvas.face(ring[::order], tyre, (hub[::order], rim))
            canvas.groups[-1:] = [(canvas.groups[-1][0] - 1.0, canvas.groups[-1][1])] if canvas.groups else []
            for way in (1, -1):
                at = x + way * radius * 0.6
                canvas.face(
                    [(at, y, 0.0), (at, inner, 0.0), (at, inner, radius * 1.4), (at, y, radius * 1.4)], tyre, cull=False
                )
    low = width * 0.46
    for x in (length * 0.36, -length * 0.36):  # the dark below a car
        canvas.face([(x, low, 0.1), (x, -low, 0.1), (x, -low, 0.4), (x, low, 0.4)], (18.0, 18.0, 18.0), cull=False)


def _box(
    canvas: Canvas,
    rear: float,
    front: float,
    half: float,
    low: float,
    high: float,
    colour: Colour,
    *,
    doors: bool = False,
    band: tuple[float, float, Colour] | None = None,
    stripe: Random | None = None,
) -> None:
    for side in (1, -1):
        quad = [
            (front, side * half, low),
            (front, side * half, high),
            (rear, side * half, high),
            (rear, side * half, low),
        ]
        marks: list[tuple[list, Colour]] = []
        if band is not None:
            count = max(2, int((front - rear) / 1.5))
            for k in range(count):
                x0 = front - (front - rear) * (k + 0.06) / count
                x1 = front - (front - rear) * (k + 0.94) / count
                marks.append(
                    (
                        [
                            (x0, side * half, band[0]),
                            (x0, side * half, band[1]),
                            (x1, side * half, band[1]),
                            (x1, side * half, band[0]),
                        ],
                        band[2],
                    )
                )
        if stripe is not None and stripe.random() < 0.5:
            z = stripe.uniform(low, high)
            tone: Colour = tuple(float(v) for v in stripe.uniform(10, 240, 3))  # type: ignore[assignment]
            marks.append(
                (
                    [
                        (front, side * half, z),
                        (front, side * half, min(high, z + 0.7)),
                        (rear, side * half, min(high, z + 0.7)),
                        (rear, side * half, z),
                    ],
                    tone,
                )
            )
        canvas.face(quad if side == -1 else quad[::-1], colour, *marks)
    marks = []
    if doors:
        for y in (-half, 0.0, half * 0.97):
            marks.append(
                ([(rear, y, low), (rear, y + 0.04, low), (rear, y + 0.04, high), (rear, y, high)], _times(colour, 0.5))
            )
    canvas.face([(rear, half, low), (rear, -half, low), (rear, -half, high), (rear, half, high)][::-1], colour, *marks)
    canvas.face([(front, half, low), (front, -half, low), (front, -half, high), (front, half, high)], colour)
    canvas.face([(front, half, high), (front, -half, high), (rear, -half, high), (rear, half, high)][::-1], colour)


def _glass_front(canvas: Canvas, x: float, half: float, low: float, high: float, glass: Colour) -> None:
    canvas.face([(x, half, low), (x, -half, low), (x, -half * 0.95, high), (x, half * 0.95, high)], glass)
    canvas.groups[-1:] = [(canvas.groups[-1][0] - 0.5, canvas.groups[-1][1])] if canvas.groups else []


def _glass_rear(canvas: Canvas, x: float, half: float, low: float, high: float, glass: Colour) -> None:
    canvas.face([(x, half, low), (x, -half, low), (x, -half, high), (x, half, high)][::-1], glass)
    canvas.groups[-1:] = [(canvas.groups[-1][0] - 0.5, canvas.groups[-1][1])] if canvas.groups else []


def _quad(x: float, y0: float, y1: float, z0: float, z1: float) -> list[tuple[float, float, float]]:
    return [(x, y0, z0), (x, y1, z0), (x, y1, z1), (x, y0, z1)]


def _front(canvas: Canvas, random: Random, x: float, half: float, sill: float, high: float, paint: Colour) -> None:
    is_lit = random.random() < 0.35
    lamp: Colour = (255.0, 255.0, 255.0) if is_lit else _times((190, 190, 185), random.uniform(0.5, 1.1))
    z0, z1 = high * random.uniform(0.66, 0.76), high * random.uniform(0.85, 0.97)
    wide = half * random.uniform(0.25, 0.42)
    dark = _times((38, 36, 35), random.uniform(0.5, 1.5))
    marks: list[tuple[list, Colour]] = [
        (_quad(x, -half * 0.55, half * 0.55, high * 0.62, high * 0.9), dark),
        (_quad(x, -half * 0.8, half * 0.8, sill, sill + 0.17), dark),
    ]
    marks += [(_quad(x, side * half * 0.97, side * (half * 0.97 - wide), z0, z1), lamp) for side in (1, -1)]
    if random.random() < 0.8:
        marks.append((_quad(x, -0.26, 0.26, high * 0.42, high * 0.42 + 0.12), (215.0, 220.0, 222.0)))
    canvas.face(_quad(x, half, -half, sill, high), paint, *marks)


def _rear(canvas: Canvas, random: Random, x: float, half: float, sill: float, high: float, paint: Colour) -> None:
    is_braking = random.random() < 0.35
    red: Colour = (60.0, 60.0, 255.0) if is_braking else _times((35, 35, 165), random.uniform(0.5, 1.3))
    z1 = high * random.uniform(0.86, 1.0)
    z0 = z1 - random.uniform(0.1, 0.3) * min(high, 1.2)
    wide = half * random.uniform(0.16, 0.42)
    dark = _times((40, 38, 36), random.uniform(0.5, 1.6))
    marks: list[tuple[list, Colour]] = [
        (
            _quad(x, -half, half, sill, sill + random.uniform(0.08, 0.3)),
            dark if random.random() < 0.6 else _times(paint, 0.7),
        )
    ]
    marks += [(_quad(x, side * half * 0.98, side * (half * 0.98 - wide), z0, z1), red) for side in (1, -1)]
    z = (sill + high) * random.uniform(0.45, 0.62)
    if random.random() < 0.85:
        tone: Colour = (225.0, 230.0, 232.0) if random.random() < 0.75 else (60.0, 200.0, 235.0)
        marks.append((_quad(x, -0.26, 0.26, z, z + 0.12), tone))
    if random.random() < 0.4:  # the boot's edge
        marks.append((_quad(x, -half, half, z + 0.16, z + 0.18), _times(paint, 0.5)))
    canvas.face(_quad(x, half, -half, sill, high)[::-1], paint, *marks)


def _cloth(random: Random) -> Colour:
    if random.random() < 0.6:
        return _times((1, 1, 1), random.uniform(15, 130))  # most people wear dark
    return tuple(float(v) for v in random.uniform(20, 240, 3))  # type: ignore[return-value]


def pedestrian(random: Random, textures: list[Picture]) -> Sprite:
    """Somebody on foot, standing or walking."""
    tall = float(random.uniform(1.5, 1.92) if random.random() < 0.88 else random.uniform(0.95, 1.45))
    yaw = float(random.uniform(-math.pi, math.pi))
    canvas = Canvas(random, (0.9, 0.9, tall), yaw, max(draw_range(random), 3.5))
    k = tall / 1.75
    stride = random.uniform(0.0, 0.38) * k
    hip, knee = 0.92 * k, 0.5 * k
    shoulder, head = 1.43 * k, 1.63 * k
    wide = random.uniform(0.17, 0.23) * k
    lean = random.normal(0, 0.04)
    upper, lower, shoe, hair = (
        _cloth(random),
        _cloth(random),
        _times((1, 1, 1), random.uniform(10, 120)),
        _times((30, 40, 50), random.uniform(0.2, 2.5)),
    )
    skin: Colour = tuple(float(v) for v in SKIN[random.integers(len(SKIN))])  # type: ignore[assignment]
    canvas.shadow(
        0.45 + stride,
        0.45,
        (random.uniform(-1.0, 1.0), random.uniform(-1.2, 1.2)) if random.random() < 0.4 else (0.0, 0.0),
    )
    far = 1 if math.cos(yaw) * 0.1 + math.sin(yaw) > 0 else -1
    sleeves = upper if random.random() < 0.75 else skin
    trousers = lower if random.random() < 0.85 else skin
    is_coat = random.random() < 0.2
    phase = random.choice([-1, 1])
    for side in (far, -far):
        swing = stride * side * phase
        gain = 0.85 if side == far else 1.05
        root = np.array([0.0, side * 0.09 * k, hip])
        middle = np.array([swing * 0.55 + 0.05, side * 0.1 * k, knee])
        foot = np.array(
            [swing * 1.05 - (0.08 if swing < 0 else 0.0), side * 0.1 * k, 0.06 + (0.08 if swing < -0.15 else 0.0)]
        )
        canvas.limb(root, middle, (0.19 * k, 0.14 * k), lower, gain)
        canvas.limb(middle, foot, (0.13 * k, 0.1 * k), trousers, gain)
        canvas.limb(foot, foot + np.array([0.14, 0, -0.02]), (0.09 * k, 0.08 * k), shoe, gain)
        arm = np.array([lean, side * (wide + 0.04), shoulder - 0.04])
        bend = random.uniform(0.0, 0.3)
        elbow = arm + np.array([-swing * 0.35, side * 0.04, -0.29 * k])
        hand = elbow + np.array([bend - swing * 0.3, -side * 0.02, -0.25 * k + bend * 0.5])
        if side == far:
            canvas.limb(arm, elbow, (0.12 * k, 0.1 * k), sleeves, gain)
            canvas.limb(elbow, hand, (0.09 * k, 0.07 * k), sleeves, gain)
        else:
            late = (arm, elbow, hand, gain)
    bottom = hip - (0.35 * k if is_coat else 0.02)
    body = [
        np.array([lean * z / shoulder, side * wide * (1.0 if z == shoulder else 0.85), z])
        for z, side in ((shoulder, 1), (shoulder, -1), (bottom, -1), (bottom, 1))
    ]
    depth = 0.11 * k
    hull = np.concatenate([np.stack(body) + np.array([dx, 0, 0]) for dx in (depth, -depth)])
    canvas.polygon(cv2.convexHull(canvas.pixels(hull).astype(np.float32)).reshape(-1, 2).astype(np.float64), upper)
    neck = np.array([lean, 0, shoulder + 0.03])
    top = np.array([lean + 0.03, 0, head])
    canvas.limb(np.array([lean, 0, shoulder - 0.05]), neck, (0.3 * k, 0.12 * k), upper)
    canvas.limb(neck, top, (0.11 * k, 0.11 * k), skin, 0.9)
    scale = canvas.focal / canvas.world(top[None])[0, 2]
    canvas.ball(canvas.pixels(top[None])[0], 0.115 * k * scale, skin)
    canvas.ball(
        canvas.pixels((top + _at(-0.03, 0, 0.035))[None])[0],
        (0.105 if random.random() < 0.8 else 0.13) * k * scale,
        hair,
    )
    if math.cos(yaw) < -0.3:  # looks at us
        canvas.ball(canvas.pixels((top + _at(0.06, 0, -0.02))[None])[0], 0.085 * k * scale, skin)
    arm, elbow, hand, gain = late
    canvas.limb(arm, elbow, (0.12 * k, 0.1 * k), sleeves, gain)
    canvas.limb(elbow, hand, (0.09 * k, 0.07 * k), sleeves, gain)
    if random.random() < 0.25:  # something carried
        at = np.array([-0.17 * k, 0, 1.2 * k]) if random.random() < 0.5 else hand + np.array([0, 0, -0.2])
        canvas.limb(at + _at(0, 0, 0.12), at - _at(0, 0, 0.12), (0.25 * k, 0.25 * k), _cloth(random))
    return canvas.sprite(random, PEDESTRIAN, random.uniform(0.3, 0.7), textures)


def cyclist(random: Random, textures: list[Picture]) -> Sprite:
    """A rider with a bicycle or, one of four, a motorcycle."""
    is_motor = random.random() < 0.25
    yaw = float(draw_yaw(random) + random.normal(0, 0.25))
    canvas = Canvas(random, (1.8, 0.8, 1.85), yaw, max(draw_range(random), 3.5))
    canvas.shadow(
        1.5, 0.4, (random.uniform(-0.8, 0.8), random.uniform(-1.0, 1.0)) if random.random() < 0.4 else (0.0, 0.0)
    )
    k = random.uniform(0.92, 1.06)
    radius, base = (0.3, 0.68) if is_motor else (0.34 * random.uniform(0.85, 1.05), 0.53)
    frame = tuple(float(v) for v in random.uniform(10, 230, 3)) if random.random() < 0.7 else (30.0, 30.0, 30.0)
    upper, lower = _cloth(random), _cloth(random)
    skin: Colour = tuple(float(v) for v in SKIN[random.integers(len(SKIN))])  # type: ignore[assignment]
    angle = np.linspace(0, 2 * math.pi, 25)
    for x in (base, -base):
        ring = np.stack([x + radius * np.cos(angle), 0 * angle, radius + radius * np.sin(angle)], 1)
        pixels = canvas.pixels(ring)
        thick = max(1, round((0.13 if is_motor else 0.045) * canvas.focal / canvas.range))
        line = np.round(pixels * 16).astype(np.int32).reshape(-1, 1, 2)
        for target, tone in ((canvas.image, (22, 22, 22)), (canvas.solid, 255)):
            cv2.polylines(target, [line], True, tone, thick, cv2.LINE_AA, 4)
    p = {
        "seat": np.array([-0.22, 0, 0.92 * k]), "crank": np.array([-0.05, 0, 0.3]), "head": np.array([0.38, 0, 0.88]),
        "front": np.array([base, 0, radius]), "rear": np.array([-base, 0, radius]), "bar": np.array([0.4, 0, 1.02 * k]),
    }  # fmt: skip
    if is_motor:
        p["seat"], p["bar"] = np.array([-0.25, 0, 0.78]), np.array([0.35, 0, 1.0])
        canvas.limb(np.array([0.3, 0, 0.6]), np.array([-0.5, 0, 0.68]), (0.42, 0.3), frame)
        canvas.limb(np.array([0.1, 0, 0.35]), np.array([-0.1, 0, 0.4]), (0.4, 0.35), (45.0, 45.0, 45.0))
        canvas.limb(np.array([0.4, 0, 0.95]), p["front"], (0.18, 0.1), frame)
    else:
        for a, b in (
            ("seat", "crank"),
            ("crank", "head"),
            ("seat", "head"),
            ("rear", "crank"),
            ("rear", "seat"),
            ("head", "front"),
            ("bar", "head"),
        ):
            canvas.limb(p[a], p[b], (0.05, 0.05), frame)
    canvas.limb(p["bar"] + _at(0, -0.28, 0), p["bar"] + _at(0, 0.28, 0), (0.05, 0.05), (30.0, 30.0, 30.0))
    hip = p["seat"] + np.array([0, 0, 0.06])
    up = random.uniform(0.35, 0.62) if not is_motor else random.uniform(0.5, 0.6)
    shoulder = hip + np.array([math.sqrt(max(0.02, 0.33 - up * up)) if up < 0.57 else 0.1, 0, up * k])
    turn = random.uniform(0, 2 * math.pi)
    far = 1 if math.sin(yaw) > 0 else -1
    helmet = random.random() < (1.0 if is_motor else 0.5)
    for number, side in enumerate((far, -far)):
        if number == 1:
            canvas.limb(hip, shoulder, (0.32 * k, 0.38 * k if abs(math.cos(yaw)) > 0.6 else 0.28 * k), upper)
            top = shoulder + np.array([0.1, 0, 0.24 * k])
            canvas.limb(shoulder, top, (0.12, 0.12), skin, 0.9)
            scale = canvas.focal / canvas.world(top[None])[0, 2]
            canvas.ball(canvas.pixels(top[None])[0], 0.115 * k * scale, skin)
            canvas.ball(
                canvas.pixels((top + _at(-0.02, 0, 0.05))[None])[0],
                (0.14 if helmet else 0.105) * k * scale,
                tuple(float(v) for v in random.uniform(10, 240, 3)) if helmet else (30.0, 35.0, 45.0),
            )
        gain = 0.85 if side == far else 1.05
        pedal = (
            p["crank"]
            + 0.17 * np.array([math.cos(turn + number * math.pi), 0, math.sin(turn + number * math.pi)])
            + np.array([0, side * 0.11, 0])
        )
        if is_motor:
            pedal = np.array([-0.05, side * 0.2, 0.32])
        knee = 0.5 * (hip + pedal) + np.array([0.24, side * 0.09, 0.08])
        canvas.limb(hip + _at(0, side * 0.09, 0), knee, (0.19 * k, 0.14 * k), lower, gain)
        canvas.limb(knee, pedal, (0.13 * k, 0.1 * k), lower if random.random() < 0.8 else skin, gain)
        canvas.limb(pedal, pedal + _at(0.13, 0, 0), (0.09, 0.08), (40.0, 40.0, 40.0))
        arm = shoulder + _at(0, side * 0.19, -0.02)
        hand = p["bar"] + _at(0, side * 0.25, 0.02)
        elbow = 0.5 * (arm + hand) + _at(-0.04, side * 0.07, -0.05)
        canvas.limb(arm, elbow, (0.12 * k, 0.1 * k), upper, gain)
        canvas.limb(elbow, hand, (0.09 * k, 0.07 * k), upper if random.random() < 0.7 else skin, gain)
    if random.random() < 0.15:
        canvas.limb(shoulder + _at(-0.12, 0, -0.05), hip + _at(-0.1, 0, 0.15), (0.25, 0.28), _cloth(random))
    return canvas.sprite(random, CYCLIST, random.uniform(0.3, 0.7), textures)


MAKERS: Final = (vehicle, pedestrian, cyclist)
