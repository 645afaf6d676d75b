"""Pictures to train on: road users placed on the ground, in real, rendered and drawn surroundings, in all light."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from training.objects.shapes import CLASSES, MAKERS, PEDESTRIAN, VEHICLE, Sprite

Picture = NDArray[np.uint8]
Floats = NDArray[np.float32]
Random = np.random.Generator

ROWS, COLUMNS = 224, 352  # of a picture to train on: a part of what the network sees
FRAME: Final = 640  # columns of the whole picture that it is a part of
FOCAL_PX: Final = (320.0, 720.0)  # of lenses from 95 to 48 degrees, at 640 columns
SEEN_MIN: Final = 0.35  # whoever is hidden more than the rest of it is neither right nor wrong
SIDE_MIN_PX: Final = 7.0  # and so is whoever is lower than this


@dataclass
class Truth:
    """A picture and who is in it.

    Args:
        picture: (ROWS, COLUMNS, 3) uint8, blue green red.
        boxes: Class, left, top, right, bottom [px].
        unsure: Left, top, right, bottom of parts that are neither right nor wrong [px].
    """

    picture: Picture
    boxes: list[tuple[int, float, float, float, float]] = field(default_factory=list)
    unsure: list[tuple[float, float, float, float]] = field(default_factory=list)


@dataclass(frozen=True)
class Photo:
    """A real or rendered picture: vehicles and what is unsure, in its own pixels; nobody else is in it."""

    picture: Picture
    boxes: tuple[tuple[float, float, float, float], ...] = ()
    unsure: tuple[tuple[float, float, float, float], ...] = ()
    is_real: bool = True


def photos(lanes: Path, rendered: Path | None) -> list[Photo]:
    """The real pictures whose licence permits it, with our own boxes, and rendered roads.

    Args:
        lanes: The folder `lanes` of the shared recordings.
        rendered: Archive made by `backgrounds`; none: left out.
    """
    found = []
    told = json.loads((Path(__file__).parent / "boxes.json").read_text(encoding="utf-8"))
    for item in told["pictures"]:
        path = str(lanes / item["file"])
        if item["frame"] is None:
            picture = cv2.imread(path)
        else:
            film = cv2.VideoCapture(path)
            for _ in range(item["frame"] + 1):
                picture = film.read()[1]
        assert picture is not None, path
        boxes = tuple(tuple(map(float, box)) for box in item["vehicles"])
        found.append(Photo(np.asarray(picture, np.uint8), boxes, tuple(tuple(map(float, b)) for b in item["unsure"])))  # type: ignore[arg-type]
    if rendered is not None:
        stored = np.load(rendered)
        for picture, *parts in zip(stored["pictures"], stored["vehicles"], stored["unsure"], strict=True):
            boxes, unsure = (tuple(tuple(map(float, box)) for box in part if box[2] > box[0]) for part in parts)
            found.append(Photo(picture, boxes, unsure, is_real=False))  # type: ignore[arg-type]
    return found


def cut_outs(source: list[Photo]) -> list[Sprite]:
    """Real vehicles cut out of the photos, to be put elsewhere; their distance is guessed from a usual height."""
    found = []
    for photo in source:
        if not photo.is_real:
            continue
        for left, top, right, bottom in photo.boxes:
            high, wide = bottom - top, right - left
            if high < 24 or left <= 2 or right >= photo.picture.shape[1] - 2 or wide > 3.2 * high:
                continue
            margin = int(0.15 * max(high, wide))
            x0, y0 = max(int(left) - margin, 0), max(int(top) - margin, 0)
            part = photo.picture[y0 : int(bottom) + margin, x0 : int(right) + margin].copy()
            mask = np.full(part.shape[:2], cv2.GC_BGD, np.uint8)
            rect = (int(left) - x0, int(top) - y0, int(wide), int(high))
            cv2.grabCut(part, mask, rect, np.zeros((1, 65)), np.zeros((1, 65)), 4, cv2.GC_INIT_WITH_RECT)
            solid = np.where((mask == cv2.GC_FGD) | (mask == cv2.GC_PR_FGD), 255, 0).astype(np.uint8)
            solid = cv2.morphologyEx(solid, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
            if (solid > 0).mean() * solid.size < 0.45 * wide * high:
                continue
            rows, columns = np.flatnonzero(solid.max(1)), np.flatnonzero(solid.max(0))
            if rows[-1] - rows[0] < 0.8 * high or columns[-1] - columns[0] < 0.8 * wide:
                continue
            soft = cv2.GaussianBlur(solid, (3, 3), 0.8)
            cut = np.dstack([part, soft])
            focal, tall_m = 1150.0, 1.5
            foot = ((left + right) / 2 - x0, bottom - y0)
            found.append(Sprite(cut, solid, VEHICLE, focal, focal * tall_m / high, foot))
    return found


class Scenes:
    """Makes pictures; keeps a shelf of sprites, a few of which are drawn anew for each picture."""

    def __init__(self, random: Random, source: list[Photo], shelf: int, people: list[Sprite] | None = None) -> None:
        self.random = random
        self.source = source
        self.real = [photo for photo in source if photo.is_real]
        self.rest = [photo for photo in source if not photo.is_real]
        self.cuts = {VEHICLE: cut_outs(source), PEDESTRIAN: people or []}
        self.textures = [patch for photo in self.real for patch in _patches(random, photo)]
        self.shelves = [
            [maker(random, self.textures) for _ in range(int(shelf * share))]
            for maker, share in zip(MAKERS, (1.0, 0.6, 0.5), strict=True)
        ]

    def picture(self) -> Truth:
        """One picture."""
        random = self.random
        for shelf, maker in zip(self.shelves, MAKERS, strict=True):
            if random.random() < 0.15:
                shelf[random.integers(len(shelf))] = maker(random, self.textures)
        way = random.random()
        if way < 0.4 and self.real:
            truth = self._part(self.real[random.integers(len(self.real))])
            many = int(random.choice([0, 1, 2, 3]))
        elif way < 0.6 and self.rest:
            truth = self._part(self.rest[random.integers(len(self.rest))])
            many = int(random.integers(0, 7))
        else:
            truth = Truth(clutter(random, self.real))
            many = int(random.integers(0, 8))
        self._populate(truth, many)
        truth.picture = exposed(random, truth.picture)
        if random.random() < 0.5:
            truth.picture = np.ascontiguousarray(truth.picture[:, ::-1])
            truth.boxes = [(k, COLUMNS - r, t, COLUMNS - left, b) for k, left, t, r, b in truth.boxes]
            truth.unsure = [(COLUMNS - r, t, COLUMNS - left, b) for left, t, r, b in truth.unsure]
        small = [box[1:] for box in truth.boxes if box[4] - box[2] < SIDE_MIN_PX or box[3] - box[1] < 4.0]
        truth.unsure += small
        truth.boxes = [box for box in truth.boxes if box[1:] not in small]
        return truth

    def _part(self, photo: Photo) -> Truth:
        """A part of a photo at a drawn scale."""
        random = self.random
        rows, columns = photo.picture.shape[:2]
        scale = FRAME / columns * float(np.exp(random.uniform(math.log(0.75), math.log(2.2))))
        stretch = float(np.exp(random.normal(0, 0.07)))
        sx, sy = scale * stretch, scale / stretch
        room_x, room_y = columns * sx - COLUMNS, rows * sy - ROWS
        if photo.boxes and random.random() < 0.8:  # around a vehicle
            box = photo.boxes[random.integers(len(photo.boxes))]
            x = (box[0] + box[2]) / 2 * sx - random.uniform(0.15, 0.85) * COLUMNS
            y = (box[1] + box[3]) / 2 * sy - random.uniform(0.25, 0.75) * ROWS
        else:
            x, y = random.uniform(0, max(room_x, 1)), random.uniform(0, max(room_y, 1))
        x, y = min(max(x, 0), max(room_x, 0)), min(max(y, 0), max(room_y, 0))
        move = np.array([[sx, 0, 0.5 * sx - 0.5 - x], [0, sy, 0.5 * sy - 0.5 - y]])
        source = photo.picture
        if scale < 0.7:  # else sampling aliases
            source = cv2.blur(source, (max(1, round(0.8 / sx)), max(1, round(0.8 / sy))))
        picture = np.asarray(
            cv2.warpAffine(source, move, (COLUMNS, ROWS), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT),
            np.uint8,
        )

        def placed(box: tuple[float, ...]) -> tuple[float, float, float, float]:
            return (
                max(box[0] * sx - x, 0),
                max(box[1] * sy - y, 0),
                min(box[2] * sx - x, COLUMNS),
                min(box[3] * sy - y, ROWS),
            )

        truth = Truth(picture)
        for box in photo.boxes:
            left, top, right, bottom = placed(box)
            if right - left < 2 or bottom - top < 2:
                continue
            share = (right - left) * (bottom - top) / ((box[2] - box[0]) * (box[3] - box[1]) * sx * sy)
            if share > SEEN_MIN:
                truth.boxes.append((VEHICLE, left, top, right, bottom))
            else:
                truth.unsure.append((left, top, right, bottom))
        truth.unsure += [part for box in photo.unsure if (part := placed(box))[2] > part[0] and part[3] > part[1]]
        # what the border mirrors is nowhere: pictures lower than the part
        if room_y < 0:
            truth.unsure.append((0.0, rows * sy - y, float(COLUMNS), float(ROWS)))
        return truth

    def _parked(self, vanish: float, focal: float) -> list[tuple[Sprite, float, float]]:
        """A row of vehicles beside the road that runs to a column."""
        random = self.random
        along = [sprite for sprite in self.shelves[VEHICLE] if abs(math.sin(sprite.yaw_rad)) < 0.6]
        aside_m = float(random.choice([-1, 1]) * random.uniform(2.2, 6.0))
        row, range_m = [], float(random.uniform(5, 18))
        for _ in range(int(random.integers(2, 7))):
            near = [sprite for sprite in along if 0.5 < sprite.range_m / range_m < 2.0] or along
            sprite = near[random.integers(len(near))]
            row.append((sprite, range_m, vanish + focal * (aside_m + random.normal(0, 0.15)) / range_m))
            range_m += float(random.uniform(4.8, 8.0))
        return row

    def _populate(self, truth: Truth, many: int) -> None:
        """Puts sprites on the ground, the farthest first."""
        random = self.random
        focal = float(np.exp(random.uniform(math.log(FOCAL_PX[0]), math.log(FOCAL_PX[1]))))
        camera_m = float(random.uniform(1.15, 2.0))
        horizon = random.uniform(0.15, 0.6) * ROWS
        is_group = random.random() < 0.3
        middle = float(random.uniform(0, COLUMNS))
        chosen = []
        for _ in range(many):
            kind = int(random.choice(len(CLASSES), p=(0.5, 0.3, 0.2)))
            cuts = self.cuts.get(kind, [])
            if cuts and random.random() < 0.3:
                sprite = cuts[random.integers(len(cuts))]
            else:
                shelf = self.shelves[kind]
                sprite = shelf[random.integers(len(shelf))]
            range_m = sprite.range_m * float(np.exp(random.normal(0, 0.25)))
            if range_m < 8.0 and random.random() < 0.6:  # few of them fill the picture
                range_m *= 2.0
            column = middle + random.normal(0, 40) if is_group else random.uniform(-0.05, 1.05) * COLUMNS
            chosen.append((sprite, range_m, float(column)))
        if random.random() < 0.3:
            chosen += self._parked(middle, focal)
        chosen.sort(key=lambda item: -item[1])
        cover = np.zeros((len(chosen), ROWS, COLUMNS), np.uint8)
        placed = []
        for number, (sprite, range_m, column) in enumerate(chosen):
            scale = focal / sprite.focal_px * sprite.range_m / range_m
            row = (
                horizon + focal * camera_m / range_m + random.normal(0, 2.0)
                if random.random() < 0.9
                else random.uniform(0.3, 1.1) * ROWS
            )
            box = paste(random, truth.picture, sprite, scale, column, row, cover[number])
            if box is not None:
                placed.append((number, sprite.kind, box))
        taken = np.zeros((ROWS, COLUMNS), np.uint8)
        for number, kind, (box, whole) in reversed(placed):
            alone = cover[number] > 127
            seen = float((alone & (taken == 0)).sum()) / max(whole, 1.0)
            taken[alone] = 255
            if seen >= SEEN_MIN:
                truth.boxes.append((kind, *box))
            else:
                truth.unsure.append(box)
        # those of the photo that are covered now
        kept = []
        for item in truth.boxes:
            _, left, top, right, bottom = item
            part = taken[int(top) : int(bottom) + 1, int(left) : int(right) + 1]
            is_ours = any(item[1:] == box for _, _, (box, _) in placed)
            if not is_ours and part.size and (part > 0).mean() > 0.6:
                truth.unsure.append(item[1:])
            else:
                kept.append(item)
        truth.boxes = kept


def paste(
    random: Random, picture: Picture, sprite: Sprite, scale: float, column: float, row: float, cover: Picture
) -> tuple[tuple[float, float, float, float], float] | None:
    """One sprite into a picture, in place; its box and how many pixels it would cover alone, `None` outside."""
    rows, columns = sprite.solid.shape
    if rows * scale < 4 or columns * scale < 3 or rows * scale > 3 * ROWS:
        return None
    source = sprite.picture.astype(np.float32)
    source[..., :3] *= source[..., 3:] / 255
    solid = sprite.solid
    while scale < 0.45:  # else sampling aliases
        source, solid = (
            cv2.resize(source, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
            cv2.resize(solid, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
        )
        scale *= 2
        if min(source.shape[:2]) < 4:
            break
    fx, fy = sprite.foot[0] * source.shape[1] / columns, sprite.foot[1] * source.shape[0] / rows
    squeeze = float(np.exp(random.normal(0, 0.06)))
    sx, sy = scale * squeeze, scale / squeeze
    x0, y0 = column - fx * sx, row - fy * sy
    left, top = max(int(x0), 0), max(int(y0), 0)
    right, bottom = min(int(x0 + source.shape[1] * sx) + 2, COLUMNS), min(int(y0 + source.shape[0] * sy) + 2, ROWS)
    if right - left < 3 or bottom - top < 3:
        return None
    move = np.array([[sx, 0, 0.5 * sx - 0.5 + x0 - left], [0, sy, 0.5 * sy - 0.5 + y0 - top]])
    size = (right - left, bottom - top)
    layer = cv2.warpAffine(source, move, size, flags=cv2.INTER_LINEAR)
    mask = cv2.warpAffine(solid, move, size, flags=cv2.INTER_LINEAR)
    gain = np.exp(random.normal(0, 0.3)) * (1 + random.normal(0, 0.05, 3))
    ground = picture[top:bottom, left:right]
    light = float(ground.mean()) / 110.0  # as bright as its surroundings, more or less
    colour = np.minimum(layer[..., :3] * gain * (0.4 + 0.6 * light), layer[..., 3:])
    alpha = layer[..., 3:] / 255
    picture[top:bottom, left:right] = np.clip(ground * (1 - alpha) + colour, 0, 255).astype(np.uint8)
    cover[top:bottom, left:right] = mask
    used_rows, used_columns = np.flatnonzero(mask.max(1) > 127), np.flatnonzero(mask.max(0) > 127)
    if len(used_rows) == 0 or len(used_columns) == 0:
        return None
    box = (
        float(left + used_columns[0]),
        float(top + used_rows[0]),
        float(left + used_columns[-1] + 1),
        float(top + used_rows[-1] + 1),
    )
    return box, float((solid > 127).sum()) * sx * sy


def _tone(random: Random, low: float = 10, high: float = 235, grey: float = 0.7) -> tuple[float, float, float]:
    base = random.uniform(low, high)
    if random.random() < grey:
        return tuple(float(np.clip(base + v, 0, 255)) for v in random.normal(0, 9, 3))  # type: ignore[return-value]
    return tuple(float(v) for v in random.uniform(low, high, 3))  # type: ignore[return-value]


def _rough(random: Random, rows: int, columns: int, cells: tuple[int, ...], strength: float) -> Floats:
    found = np.zeros((rows, columns), np.float32)
    for cell in cells:
        noise = random.normal(0, strength, (max(2, rows // cell), max(2, columns // cell))).astype(np.float32)
        found += cv2.resize(noise, (columns, rows), interpolation=cv2.INTER_LINEAR)
    return found


def _patches(random: Random, photo: Photo) -> list[Picture]:
    """Grey parts of a photo, as textures."""
    grey = cv2.cvtColor(photo.picture, cv2.COLOR_BGR2GRAY)
    rows, columns = grey.shape
    found = []
    for _ in range(4):
        high, wide = int(random.uniform(0.1, 0.5) * rows), int(random.uniform(0.1, 0.5) * columns)
        y, x = int(random.uniform(0, rows - high)), int(random.uniform(0, columns - wide))
        found.append(np.asarray(cv2.resize(grey[y : y + high, x : x + wide], (160, 120)), np.uint8))
    return found


def clutter(random: Random, real: list[Photo]) -> Picture:
    """A street that is drawn: sky, road, houses, trees, walls, posts, signs, shadows, boxes; no road user."""
    horizon = int(random.uniform(0.15, 0.6) * ROWS)
    picture = np.empty((ROWS, COLUMNS, 3), np.float32)
    sky = np.array(_tone(random, 90, 250, 0.85)) * (1.05, 1.0, 0.95)
    picture[:horizon] = sky + np.linspace(-20, 25, horizon)[:, None, None] * random.uniform(0, 1)
    picture[:horizon] += _rough(random, horizon, COLUMNS, (60, 25), 9.0)[..., None]
    road = np.array(_tone(random, 50, 170, 0.9))
    picture[horizon:] = road
    picture[horizon:] += _rough(random, ROWS - horizon, COLUMNS, (40, 8, 2), random.uniform(2, 9))[..., None]
    vanish = random.uniform(0.1, 0.9) * COLUMNS
    # verges, paint, patches
    for _ in range(int(random.integers(1, 6))):
        a, b = sorted(random.uniform(-1.5, 2.5, 2) * COLUMNS)
        b = min(b, a + random.uniform(3, 60) * (1 if random.random() < 0.6 else 8))
        points = np.array([[vanish, horizon], [vanish + 1, horizon], [b, ROWS], [a, ROWS]])
        layer = picture.copy()
        colour = _tone(random, 180, 255, 0.8) if b - a < 40 and random.random() < 0.7 else _tone(random, 30, 190, 0.5)
        cv2.fillPoly(layer, [np.round(points).astype(np.int32)], colour, cv2.LINE_AA)
        picture = layer
    if random.random() < 0.5:  # shadows of trees and houses
        mask = (_rough(random, ROWS, COLUMNS, (30, 12), 1.0) > random.uniform(0.2, 1.2)).astype(np.float32)
        mask[:horizon] = 0
        picture *= 1 - 0.55 * cv2.blur(mask, (5, 5))[..., None]
    for _ in range(int(random.integers(0, 5))):
        _house(random, picture, horizon)
    for _ in range(int(random.integers(0, 9))):
        _tree(random, picture, horizon)
    for _ in range(int(random.integers(0, 10))):
        _thing(random, picture, horizon)
    picture = np.clip(picture, 0, 255)
    drawn = picture.astype(np.uint8)
    for _ in range(int(random.choice([0, 1, 2, 3])) if real else 0):  # parts of real pictures, away from their vehicles
        photo = real[random.integers(len(real))]
        rows, columns = photo.picture.shape[:2]
        high, wide = int(random.uniform(0.2, 0.5) * rows), int(random.uniform(0.2, 0.6) * columns)
        y, x = int(random.uniform(0, rows - high)), int(random.uniform(0, columns - wide))
        hits = any(b[0] < x + wide and b[2] > x and b[1] < y + high and b[3] > y for b in (*photo.boxes, *photo.unsure))
        if not hits:
            size = (int(random.uniform(60, COLUMNS)), int(random.uniform(40, ROWS)))
            part = cv2.resize(photo.picture[y : y + high, x : x + wide], size, interpolation=cv2.INTER_AREA)
            v, u = int(random.uniform(0, ROWS - size[1] + 1)), int(random.uniform(0, COLUMNS - size[0] + 1))
            drawn[v : v + size[1], u : u + size[0]] = part
    return drawn


def _house(random: Random, picture: Floats, horizon: int) -> None:
    left = int(random.uniform(-60, COLUMNS))
    right = left + int(random.uniform(25, 200))
    bottom = horizon + int(random.uniform(0, 25))
    top = max(bottom - int(random.uniform(15, 200)), -40)
    slant = random.uniform(-0.25, 0.25)
    wall = _tone(random, 40, 235, 0.6)
    turn = slant * (right - left)
    outline = np.array([[left, top + turn], [right, top - turn], [right, bottom], [left, bottom]])
    cv2.fillPoly(picture, [np.round(outline).astype(np.int32)], wall, cv2.LINE_AA)
    pane = _tone(random, 10, 120, 0.8)
    step = random.uniform(7, 24)
    wide, high = step * random.uniform(0.35, 0.75), step * random.uniform(0.4, 0.85)
    for x in np.arange(left + 3, right - wide, step):
        for y in np.arange(top + turn + 4, bottom - high, step * random.uniform(1.0, 1.3)):
            corner = (int(x), int(y)), (int(x + wide), int(y + high))
            cv2.rectangle(picture, *corner, pane if random.random() < 0.9 else _tone(random, 100, 250), -1)


def _tree(random: Random, picture: Floats, horizon: int) -> None:
    x = random.uniform(-20, COLUMNS + 20)
    bottom = horizon + random.uniform(0, 30)
    high = random.uniform(10, 160)
    base = np.array([30, 70, 50]) * random.uniform(0.3, 1.8) * (1 + random.normal(0, 0.2, 3))
    for _ in range(int(random.integers(8, 40))):
        at = (int(x + random.normal(0, high * 0.22)), int(bottom - high * random.uniform(0.3, 1.0)))
        cv2.circle(
            picture,
            at,
            max(1, int(random.uniform(0.03, 0.16) * high)),
            tuple((base * random.uniform(0.5, 1.5)).tolist()),
            -1,
        )
    wide = max(1, int(high * 0.05))
    cv2.line(picture, (int(x), int(bottom - high * 0.5)), (int(x), int(bottom)), tuple((base * 0.6).tolist()), wide)


def _thing(random: Random, picture: Floats, horizon: int) -> None:
    """Posts, signs, walls, rails, bins, boxes: what stands on the ground and is nobody."""
    way = random.integers(7)
    x = int(random.uniform(-10, COLUMNS))
    bottom = horizon + int(random.uniform(0, 1) ** 2 * (ROWS - horizon))
    unit = max(bottom - horizon, 4) / 1.5  # pixels a metre where it stands
    colour = _tone(random, 15, 235, 0.7)
    if way <= 1:  # post, with a sign on it now and then
        high = int(unit * random.uniform(0.8, 6.0))
        cv2.line(picture, (x, bottom), (x, bottom - high), colour, max(1, int(unit * random.uniform(0.05, 0.25))))
        if random.random() < 0.6:
            size = max(2, int(unit * random.uniform(0.25, 0.9)))
            tone = _tone(random, 40, 255, 0.3)
            if random.random() < 0.5:
                cv2.circle(picture, (x, bottom - high), size // 2 + 1, tone, -1, cv2.LINE_AA)
            else:
                cv2.rectangle(
                    picture, (x - size, bottom - high - size // 2), (x + size, bottom - high + size // 2), tone, -1
                )
    elif way == 2:  # wall or hedge
        wide, high = int(random.uniform(40, 300)), int(unit * random.uniform(0.5, 2.0))
        cv2.rectangle(picture, (x, bottom - high), (x + wide, bottom), colour, -1)
        top, stop = max(bottom - high, 0), min(x + wide, COLUMNS)
        part = picture[top:bottom, max(x, 0) : stop]
        if part.shape[0] > 2 and part.shape[1] > 2:
            part += _rough(random, part.shape[0], part.shape[1], (6, 2), 15.0)[..., None]
    elif way == 3:  # rail on posts
        for k in range(0, int(random.uniform(60, 300)), max(6, int(unit * 2))):
            cv2.line(picture, (x + k, bottom), (x + k, bottom - int(unit * 0.7)), colour, max(1, int(unit * 0.1)))
        cv2.line(
            picture,
            (x, bottom - int(unit * 0.65)),
            (x + 250, bottom - int(unit * random.uniform(0.4, 0.7))),
            colour,
            max(1, int(unit * 0.25)),
        )
    elif way == 4:  # box, bin, cabinet, skip
        wide, high = int(unit * random.uniform(0.4, 2.2)), int(unit * random.uniform(0.6, 1.8))
        cv2.rectangle(picture, (x, bottom - high), (x + wide, bottom), colour, -1)
        side = int(wide * random.uniform(0, 0.5))
        cv2.rectangle(
            picture,
            (x + wide, bottom - int(high * 0.95)),
            (x + wide + side, bottom - 1),
            tuple(c * 0.6 for c in colour),
            -1,
        )
        if random.random() < 0.4:
            cv2.line(picture, (x, bottom - high // 2), (x + wide, bottom - high // 2), _tone(random), 1)
    elif way == 5:  # dark or bright patch on the road
        cv2.ellipse(
            picture,
            (x, bottom),
            (int(unit * random.uniform(0.3, 3)), max(1, int(unit * random.uniform(0.05, 0.4)))),
            0,
            0,
            360,
            _tone(random, 10, 230, 0.9),
            -1,
            cv2.LINE_AA,
        )
    else:  # bush
        for _ in range(12):
            at = (int(x + random.normal(0, unit)), int(bottom - random.uniform(0, 1.3) * unit))
            cv2.circle(
                picture,
                at,
                max(1, int(unit * random.uniform(0.1, 0.5))),
                tuple((np.array([35, 75, 60]) * random.uniform(0.4, 1.8)).tolist()),
                -1,
            )


def exposed(random: Random, picture: Picture) -> Picture:
    """What lens, sensor and compression do."""
    found = picture
    way = random.random()
    if way < 0.35:
        found = cv2.GaussianBlur(found, (0, 0), random.uniform(0.3, 1.3))
    elif way < 0.45:
        size = int(random.integers(3, 8))
        found = cv2.blur(found, (size, 1) if random.random() < 0.7 else (1, size))
    elif way < 0.6:
        small = random.uniform(0.45, 0.9)
        found = cv2.resize(cv2.resize(found, None, fx=small, fy=small, interpolation=cv2.INTER_AREA), (COLUMNS, ROWS))
    elif way < 0.75:
        found = cv2.addWeighted(found, 1.7, cv2.GaussianBlur(found, (0, 0), 1.2), -0.7, 0)
    levels = np.linspace(0, 1, 256)
    table = np.empty((256, 3))
    gamma = np.exp(random.normal(0, 0.35))
    dark = random.uniform(0.25, 0.9) if random.random() < 0.2 else 1.0
    haze = random.random() ** 4 * 0.5
    gain = np.exp(random.normal(0, 0.15))
    for channel in range(3):
        curve = levels**gamma * dark * gain * np.exp(random.normal(0, 0.07))
        table[:, channel] = curve * (1 - haze) + haze * 0.8
    found = cv2.LUT(found, np.clip(table * 255, 0, 255).astype(np.uint8)[None])
    grey = random.random()
    if grey < 0.25:
        plain = cv2.cvtColor(cv2.cvtColor(found, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
        share = random.random() if grey > 0.08 else 1.0
        found = cv2.addWeighted(plain, share, found, 1 - share, 0)
    if random.random() < 0.6:
        noise = np.empty((ROWS, COLUMNS, 3), np.int16)
        strength = random.uniform(1, 12)
        cv2.randn(noise, (0, 0, 0), (strength,) * 3)
        found = np.clip(found + noise, 0, 255).astype(np.uint8)
    if random.random() < 0.5:
        code = cv2.imencode(".jpg", found, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 95))])[1]
        found = cv2.imdecode(code, cv2.IMREAD_COLOR)
    return np.asarray(found, np.uint8)
