"""Cars, signs, posts and trees: flat-shaded polygons in three dimensions, drawn from far to near."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.perception.camera import Camera
from adas_runtime.signals import ObjectClass
from adas_runtime.synth.motion import Pose
from adas_runtime.synth.plan import Actor, Sign
from adas_runtime.synth.road import Road

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
Colour = tuple[float, float, float]
NEAR_M: Final = 0.4  # polygons are cut at this depth
SHIFT: Final = 4
Shade = Callable[[Colour, float, float], tuple[int, int, int]]  # colour, own light 0..1, distance -> picture colour


@dataclass(frozen=True, slots=True)
class Face:
    """A flat polygon in the vehicle frame. `glow`: share of its colour that shines by itself (lamps)."""

    corners_m: Floats
    colour: Colour
    glow: float = 0.0


def clip_near(polygon_m: Floats, camera: Camera) -> Floats:
    """The part of a polygon that is in front of the camera (Sutherland-Hodgman on one plane)."""
    offset = polygon_m - np.array([camera.x_m, camera.y_m, camera.z_m])
    depth = offset @ camera.rotation[:, 0] - NEAR_M
    if (depth > 0.0).all():
        return polygon_m
    kept: list[Floats] = []
    for index in range(len(polygon_m)):
        follow = (index + 1) % len(polygon_m)
        if depth[index] > 0.0:
            kept.append(polygon_m[index])
        if (depth[index] > 0.0) != (depth[follow] > 0.0):
            share = depth[index] / (depth[index] - depth[follow])
            kept.append(polygon_m[index] + share * (polygon_m[follow] - polygon_m[index]))
    return np.array(kept) if len(kept) > 2 else np.empty((0, 3))


def fill(picture: Bytes, camera: Camera, face: Face, shade: Shade) -> None:
    """Draws one face, anti-aliased."""
    polygon = clip_near(face.corners_m, camera)
    if not len(polygon):
        return
    pixels = np.clip(camera.project(polygon), -2e4, 2e4)
    if pixels[:, 0].max() < 0 or pixels[:, 0].min() > camera.width_px:
        return
    distance = float(polygon[:, 0].mean() - camera.x_m)
    points = np.round(pixels * (1 << SHIFT)).astype(np.int32)
    cv2.fillPoly(picture, [points], shade(face.colour, face.glow, distance), lineType=cv2.LINE_AA, shift=SHIFT)


def _ring(*points: tuple[float, float, float]) -> Floats:
    return np.array(points, dtype=np.float64)


def _dim(colour: Colour, gain: float) -> Colour:
    return (colour[0] * gain, colour[1] * gain, colour[2] * gain)


def _frustum(x: tuple[float, float, float, float], y0: float, y1: float, z0: float, z1: float) -> dict[str, Floats]:
    """Faces of a box whose top is smaller: x rear bottom, rear top, front top, front bottom; half widths; heights."""
    rb, rt, ft, fb = x
    return {
        "rear": _ring((rb, y0, z0), (rb, -y0, z0), (rt, -y1, z1), (rt, y1, z1)),
        "front": _ring((fb, y0, z0), (fb, -y0, z0), (ft, -y1, z1), (ft, y1, z1)),
        "left": _ring((rb, y0, z0), (rt, y1, z1), (ft, y1, z1), (fb, y0, z0)),
        "right": _ring((rb, -y0, z0), (rt, -y1, z1), (ft, -y1, z1), (fb, -y0, z0)),
        "top": _ring((rt, y1, z1), (rt, -y1, z1), (ft, -y1, z1), (ft, y1, z1)),
    }


SHADES: Final = {"rear": 0.78, "front": 0.78, "left": 0.9, "right": 0.66, "top": 1.12}
GLASS: Final = (52.0, 44.0, 38.0)
RUBBER: Final = (22.0, 22.0, 22.0)


def _inset(quad: Floats, share: float) -> Floats:
    middle = quad.mean(axis=0)
    return np.asarray(middle + (quad - middle) * (1.0 - share))


def _wheels(actor: Actor) -> list[Face]:
    length, half = actor.length_m / 2.0, actor.width_m / 2.0
    radius = 0.48 if actor.object_class is ObjectClass.TRUCK else 0.32
    faces = []
    angle = np.arange(14) * (2.0 * np.pi / 14)
    for at in (-0.6 * length, 0.62 * length):
        for side in (half + 0.005, -half - 0.005):
            rim = np.stack(
                (at + radius * np.cos(angle), np.full(14, side), radius + radius * np.sin(angle)),
                axis=1,
            )
            faces += [Face(rim, RUBBER), Face(_inset(rim, 0.45), (105.0, 105.0, 108.0))]
    return faces


def _lamps(actor: Actor, z: float, lamps_on: bool, is_braking: bool) -> list[Face]:
    end, half = actor.length_m / 2.0, actor.width_m / 2.0
    faces = []
    for side in (1.0, -1.0):
        y0, y1 = side * (half - 0.05), side * (half - 0.36)
        red = (30.0, 26.0, 235.0) if is_braking else (26.0, 22.0, 190.0) if lamps_on else (32.0, 28.0, 120.0)
        rear = _ring(
            (-end - 0.01, y0, z), (-end - 0.01, y1, z), (-end - 0.01, y1, z + 0.17), (-end - 0.01, y0, z + 0.17)
        )
        front = rear * np.array([-1.0, 1.0, 1.0])
        faces += [
            Face(rear, red, 0.9 if is_braking else 0.7 if lamps_on else 0.0),
            Face(front, (235.0, 245.0, 250.0) if lamps_on else (170.0, 172.0, 172.0), 1.0 if lamps_on else 0.0),
        ]
    plate = _ring(
        (-end - 0.012, 0.26, 0.42), (-end - 0.012, -0.26, 0.42), (-end - 0.012, -0.26, 0.53), (-end - 0.012, 0.26, 0.53)
    )
    return [*faces, Face(plate, (205.0, 208.0, 208.0)), Face(plate * np.array([-1.0, 1.0, 1.0]), (205.0, 208.0, 208.0))]


def car_faces(actor: Actor, lamps_on: bool, is_braking: bool) -> list[Face]:
    """A car, a van or a truck around the ground under its centre, x forward."""
    body: Colour = actor.colour_bgr
    length, half, height = actor.length_m / 2.0, actor.width_m / 2.0, actor.height_m
    faces: list[Face] = []
    if actor.object_class is ObjectClass.TRUCK:
        box = _frustum((-length, -length, length - 2.3, length - 2.3), half, half, 0.95, height)
        cab = _frustum((length - 2.2, length - 2.2, length - 0.25, length), half, half - 0.05, 0.45, height - 0.5)
        under = _frustum((-length, -length, length, length), half - 0.25, half - 0.25, 0.35, 0.95)
        faces += [Face(quad, _dim((60.0, 60.0, 60.0), SHADES[name])) for name, quad in under.items()]
        faces += [Face(quad, _dim(body, SHADES[name])) for name, quad in cab.items()]
        faces.append(Face(_inset(cab["front"], 0.35) + np.array([0.02, 0.0, 0.35]), GLASS))
        faces += [Face(quad, _dim((196.0, 198.0, 200.0), SHADES[name])) for name, quad in box.items()]
        seam = _inset(box["rear"], 0.03)
        faces.append(Face(seam + np.array([-0.01, 0.0, 0.0]), (150.0, 152.0, 154.0)))
        return faces + _wheels(actor) + _lamps(actor, 0.62, lamps_on, is_braking)
    waist = 0.62 * height
    lower = _frustum((-length, -length + 0.05, length - 0.12, length), half, half - 0.06, 0.22, waist)
    cabin = _frustum(
        (-0.88 * length, -0.62 * length, 0.10 * length, 0.42 * length), half - 0.08, half - 0.26, waist, height
    )
    faces += [Face(quad, _dim(body, SHADES[name])) for name, quad in lower.items()]
    faces += [Face(quad, _dim(body, SHADES[name])) for name, quad in cabin.items()]
    faces += [Face(_inset(cabin[name], 0.14), GLASS) for name in ("rear", "front", "left", "right")]
    bumper = _frustum((-length - 0.02, -length - 0.02, length + 0.02, length + 0.02), half, half, 0.2, 0.4)
    faces += [Face(bumper[name], _dim(body, 0.5)) for name in ("rear", "front")]
    return faces + _wheels(actor) + _lamps(actor, 0.68, lamps_on, is_braking)


def place(faces: list[Face], x: float, y: float, yaw: float) -> list[Face]:
    """Faces moved to a pose in the vehicle frame."""
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    shift = np.array([x, y, 0.0])
    return [Face(face.corners_m @ turn + shift, face.colour, face.glow) for face in faces]


@dataclass(frozen=True, slots=True)
class Model:
    """A car's faces around the ground under its centre, from the inside out, with their outward normals."""

    faces: tuple[Face, ...]
    corners_m: Floats
    starts: tuple[int, ...]
    centres_m: Floats
    normals: Floats


@lru_cache(maxsize=256)
def _model(actor: Actor, lamps_on: bool, is_braking: bool) -> Model:
    faces = tuple(car_faces(actor, lamps_on, is_braking))
    centres = np.array([face.corners_m.mean(axis=0) for face in faces])
    normals = np.array(
        [np.cross(face.corners_m[1] - face.corners_m[0], face.corners_m[2] - face.corners_m[1]) for face in faces]
    )
    inward = np.einsum("ij,ij->i", normals, centres - [0.0, 0.0, 0.6]) < 0.0
    normals[inward] *= -1.0
    return Model(
        faces=faces,
        corners_m=np.concatenate([face.corners_m for face in faces]),
        starts=tuple(np.cumsum([0] + [len(face.corners_m) for face in faces]).tolist()),
        centres_m=centres,
        normals=normals,
    )


def draw_car(
    picture: Bytes,
    camera: Camera,
    actor: Actor,
    x: float,
    y: float,
    yaw: float,
    shade: Shade,
    lamps: bool,
    brakes: bool,
) -> None:
    """Draws a car; of its faces those that look at the camera."""
    model = _model(actor, lamps, brakes)
    cos, sin = np.cos(yaw), np.sin(yaw)
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    eye = (np.array([camera.x_m - x, camera.y_m - y, camera.z_m])) @ turn.T  # in the car's own axes
    seen = np.einsum("ij,ij->i", model.normals, eye - model.centres_m) > 0.0
    placed = model.corners_m @ turn + np.array([x, y, 0.0])
    if placed[:, 0].min() - camera.x_m < 2.0 * NEAR_M:  # beside the camera: cut each face
        for index in np.flatnonzero(seen):
            face = model.faces[index]
            moved = placed[model.starts[index] : model.starts[index + 1]]
            fill(picture, camera, Face(moved, face.colour, face.glow), shade)
        return
    pixels = np.round(np.clip(camera.project(placed), -2e4, 2e4) * (1 << SHIFT)).astype(np.int32)
    # listed from the inside out, which is the right order for a convex car: lamps over body over frame
    for index in np.flatnonzero(seen):
        points = pixels[model.starts[index] : model.starts[index + 1]]
        face = model.faces[index]
        colour = shade(face.colour, face.glow, x - camera.x_m)
        cv2.fillPoly(picture, [points], colour, lineType=cv2.LINE_AA, shift=SHIFT)


def sign_faces(sign: Sign) -> list[Face]:
    """Post and back plate of a sign that stands at the origin and faces backwards; the front is `sign_front`."""
    post = _ring((0.02, 0.03, 0.0), (0.02, -0.03, 0.0), (0.02, -0.03, 2.2), (0.02, 0.03, 2.2))
    return [Face(post, (128.0, 130.0, 132.0))]


SIGN_CENTRE_M: Final = 2.45
SIGN_SIZE_M: Final = 0.75  # a large sign of a road outside towns  [D]


@lru_cache(maxsize=32)
def sign_texture(sign: Sign) -> tuple[Bytes, Bytes]:
    """Face of a speed sign, 192 by 192, and its opacity."""
    size = 192
    face = np.full((size, size, 3), 255, dtype=np.uint8)
    alpha = np.zeros((size, size), dtype=np.uint8)
    middle = (size // 2, size // 2)
    text = str(sign.value)
    if sign.look == "plate":
        cv2.rectangle(alpha, (24, 4), (size - 24, size - 4), 255, -1)
        cv2.rectangle(face, (30, 10), (size - 30, size - 10), (20, 20, 20), 3)
        for line, row in (("SPEED", 44), ("LIMIT", 78)):
            (wide, _), _ = cv2.getTextSize(line, cv2.FONT_HERSHEY_SIMPLEX, 0.95, 3)
            cv2.putText(
                face, line, ((size - wide) // 2, row), cv2.FONT_HERSHEY_SIMPLEX, 0.95, (15, 15, 15), 3, cv2.LINE_AA
            )
        scale, row, ink, thick = 2.6, 160, (15, 15, 15), 9
    else:
        cv2.circle(alpha, middle, size // 2 - 2, 255, -1, cv2.LINE_AA)
        cv2.circle(face, middle, size // 2 - 2, (28, 22, 190), -1, cv2.LINE_AA)
        cv2.circle(face, middle, int(size * 0.385), (245, 245, 245), -1, cv2.LINE_AA)
        ink = (150, 60, 10) if sign.look == "ring_blue" else (18, 18, 18)
        scale, row, thick = (2.9 if len(text) < 3 else 2.05), 0, 11
    (wide, high), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, scale, thick)
    base = row or (size + high) // 2
    cv2.putText(face, text, ((size - wide) // 2, base), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, thick, cv2.LINE_AA)
    return face, alpha


def draw_sign(
    picture: Bytes, camera: Camera, sign: Sign, x: float, y: float, yaw: float, gain: float, shade: Shade
) -> None:
    """Draws a sign with its post; `gain`: brightness of the face."""
    for face in place(sign_faces(sign), x, y, yaw):
        fill(picture, camera, face, shade)
    half = SIGN_SIZE_M / 2.0
    quad = _ring(
        (0.0, half, SIGN_CENTRE_M + half),
        (0.0, -half, SIGN_CENTRE_M + half),
        (0.0, -half, SIGN_CENTRE_M - half),
        (0.0, half, SIGN_CENTRE_M - half),
    )
    corners = place([Face(quad, (0.0, 0.0, 0.0))], x, y, yaw)[0].corners_m
    if corners[:, 0].min() < camera.x_m + 1.0:
        return
    pixels = camera.project(corners)
    left, top = np.floor(pixels.min(axis=0)).astype(int)
    right, bottom = np.ceil(pixels.max(axis=0)).astype(int) + 1
    left, right = max(int(left), 0), min(int(right), picture.shape[1])
    top, bottom = max(int(top), 0), min(int(bottom), picture.shape[0])
    if right - left < 2 or bottom - top < 2:
        return
    texture, alpha = sign_texture(sign)
    # shrink first: a warp alone would alias a far sign
    scale = min(1.0, 2.0 * float(np.ptp(pixels[:, 1])) / texture.shape[0])
    edge = max(round(texture.shape[0] * scale), 4)
    small = cv2.resize(texture, (edge, edge), interpolation=cv2.INTER_AREA)
    opacity = cv2.resize(alpha, (edge, edge), interpolation=cv2.INTER_AREA)
    source = np.array(
        [[-0.5, -0.5], [edge - 0.5, -0.5], [edge - 0.5, edge - 0.5], [-0.5, edge - 0.5]], dtype=np.float32
    )
    matrix = cv2.getPerspectiveTransform(source, (pixels - [left, top]).astype(np.float32))
    size = (right - left, bottom - top)
    colour = cv2.warpPerspective(small, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    weight = cv2.warpPerspective(opacity, matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32)[..., None] / 255.0
    patch = picture[top:bottom, left:right]
    lit = np.minimum(colour.astype(np.float32) * gain, 255.0)
    patch[:] = np.round(patch * (1.0 - weight) + lit * weight).astype(np.uint8)


class Trees:
    """Trees as pictures on cards, at fixed places beside the road."""

    def __init__(self, random: np.random.Generator, road: Road, until_m: float, is_sand: bool) -> None:
        self.sprites = [_tree(random, is_sand) for _ in range(4)]
        spacing = 34.0 if is_sand else 11.0
        count = int((until_m + 100.0) / spacing)
        side = random.integers(0, 2, count)
        self.s_m = np.sort(random.uniform(-100.0, until_m, count))
        away = 7.0 + 22.0 * random.uniform(0.0, 1.0, count) ** 1.5
        self.d_m = np.where(side == 1, road.edge_left_m + away, road.edge_right_m - away)
        self.height_m = random.uniform(1.0, 2.0, count) if is_sand else random.uniform(3.5, 9.0, count)
        self.kind = random.integers(0, len(self.sprites), count)

    def near(self, s_m: float, reach_m: float) -> NDArray[np.intp]:
        """Numbers of the trees ahead within reach."""
        return np.flatnonzero((self.s_m > s_m + 4.0) & (self.s_m < s_m + reach_m))


def _tree(random: np.random.Generator, is_sand: bool) -> Bytes:
    """Picture of a tree or bush, 128 by 128, BGR weighted by opacity, and opacity."""
    size = 128
    colour = np.zeros((size, size, 3), dtype=np.uint8)
    alpha = np.zeros((size, size), dtype=np.uint8)
    base = np.array((52.0, 84.0, 92.0) if is_sand else (38.0, 74.0, 52.0))
    colour[:] = np.round(base * 0.7)
    if not is_sand:
        cv2.rectangle(alpha, (60, 88), (68, 127), 255, -1)
        colour[88:, 56:72] = (36, 46, 58)
    low = 122 if is_sand else 96
    for _ in range(60):
        x, y = float(np.clip(random.normal(64.0, 16.0), 30.0, 98.0)), random.uniform(18.0 if not is_sand else 60.0, low)
        radius = int(random.uniform(6.0, 15.0) * (1.0 - 0.4 * abs(x - 64.0) / 64.0))
        light = float(random.uniform(0.75, 1.25)) * (1.2 - 0.4 * y / size)
        tint = tuple(float(value) for value in np.clip(base * light, 0.0, 255.0))
        cv2.circle(colour, (int(x), int(y)), radius, tint, -1, cv2.LINE_AA)
        cv2.circle(alpha, (int(x), int(y)), radius, 255, -1, cv2.LINE_AA)
    weighted = cv2.multiply(colour, cv2.merge((alpha, alpha, alpha)), scale=1.0 / 255.0)
    return np.dstack((weighted, alpha)).astype(np.uint8)


def paste(picture: Bytes, sprite: Bytes, box: tuple[float, float, float, float], gain: Floats, haze: Floats) -> None:
    """Draws a card: box left, top, right, bottom in pixels; colour times `gain` plus `haze`."""
    left, top, right, bottom = (round(value) for value in box)
    if right <= left or bottom <= top or right <= 0 or left >= picture.shape[1] or bottom <= 0:
        return
    size = (right - left, bottom - top)
    x0, x1 = max(left, 0), min(right, picture.shape[1])
    y0, y1 = max(top, 0), min(bottom, picture.shape[0])
    # colour is weighted by opacity before it is scaled, so no dark fringe comes in from behind the leaves
    lit = cv2.transform(
        sprite,
        np.array(
            [
                [gain[0], 0.0, 0.0, haze[0] / 255.0],
                [0.0, gain[1], 0.0, haze[1] / 255.0],
                [0.0, 0.0, gain[2], haze[2] / 255.0],
                [0.0, 0.0, 0.0, 1.0],
            ]
        ),
    )
    how = cv2.INTER_AREA if size[0] < lit.shape[1] else cv2.INTER_LINEAR
    card = cv2.resize(lit, size, interpolation=how)[y0 - top : y1 - top, x0 - left : x1 - left]
    through = cv2.bitwise_not(card[..., 3])
    patch = picture[y0:y1, x0:x1]
    behind = cv2.multiply(patch, cv2.merge((through, through, through)), scale=1.0 / 255.0)
    patch[:] = cv2.add(behind, card[..., :3])


def to_local(road: Road, pose: Pose, s_m: float, d_m: float) -> tuple[float, float, float]:
    """x, y and heading of a road point in the vehicle frame."""
    at = np.array([s_m])
    x, y = pose.to_vehicle(*road.line.point(at, d_m))
    return float(x[0]), float(y[0]), float(road.line.heading_at(at)[0]) - pose.heading_rad
