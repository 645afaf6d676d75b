"""Pictures to train on: rendered roads with other surfaces and shadows, and real ones, in all light."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from training.road.layout import COLUMNS, MARKING, OTHER, ROAD, ROWS, STRIDE

Picture = NDArray[np.uint8]
Random = np.random.Generator

PAVED = 3  # road or paint on it: which, nobody said
UNSURE = 255
WIDE, HIGH = 960, 540  # of the hand-drawn polygons


@dataclass(frozen=True)
class Labelled:
    """A picture, (ROWS, COLUMNS, 3) BGR, and its classes."""

    picture: Picture
    classes: Picture
    is_real: bool


def real(lanes: Path, part: str) -> dict[str, Labelled]:
    """The real pictures of `roads.json`, by file.

    Args:
        lanes: The folder `lanes` of the shared recordings.
        part: `learn` or `held_out`.
    """
    here = Path(__file__).parent
    told = json.loads((here / "roads.json").read_text(encoding="utf-8"))[part]
    boxes = json.loads((here.parent / "objects" / "boxes.json").read_text(encoding="utf-8"))["pictures"]
    cars = {item["file"]: item for item in boxes if item["frame"] is None}
    found = {}
    for name, item in told.items():
        picture = cv2.imread(str(lanes / name))
        assert picture is not None, name
        scale = WIDE / picture.shape[1]
        classes = np.full((HIGH, WIDE), OTHER, np.uint8)
        cv2.fillPoly(classes, [np.array(item["road"], np.int32)], PAVED)
        paint = lanes / name.replace(".png", "_binary.png")
        if name.endswith(".png") and paint.exists():  # of TuSimple: lanes as lines through their dashes
            lines = cv2.resize(np.asarray(cv2.imread(str(paint), 0)), (WIDE, HIGH)) > 60
            grey = cv2.cvtColor(cv2.resize(picture, (WIDE, HIGH)), cv2.COLOR_BGR2GRAY)
            bright = grey.astype(np.int16) - cv2.blur(grey, (61, 15)).astype(np.int16)
            classes[(classes == PAVED) & ~lines] = ROAD
            classes[(classes == PAVED) & (bright > 28)] = MARKING
        vehicles = [[value * scale for value in box] for box in cars.get(name, {}).get("vehicles", [])]
        hidden = [[value * scale for value in box] for box in cars.get(name, {}).get("unsure", [])]
        for label, group in ((UNSURE, hidden), (OTHER, [*vehicles, *item.get("vehicles", [])])):
            for left, top, right, bottom in group:
                classes[int(top) : int(bottom), int(left) : int(right)] = label
                classes[int(bottom) : int(bottom) + 5, int(left) : int(right)] = UNSURE
        for polygon in item["unsure"]:
            cv2.fillPoly(classes, [np.array(polygon, np.int32)], UNSURE)
        found[name] = Labelled(cv2.resize(picture, (WIDE, HIGH), interpolation=cv2.INTER_AREA), classes, True)
    return found


class Scenes:
    """Makes pictures one after another."""

    def __init__(self, random: Random, rendered: Path, photos: list[Labelled]) -> None:
        stored = np.load(rendered)
        self.random, self.photos = random, photos
        self.pictures, self.classes = stored["pictures"], stored["classes"]
        paved = [item.picture[-200:, 180:-180] for item in photos]
        self.asphalt = [*paved, *(cv2.GaussianBlur(item, (0, 0), 1.5) for item in paved)]
        self.rest = [item.picture[: HIGH // 2] for item in photos]

    def batch(self, many: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Pictures (n, 3, ROWS, COLUMNS) RGB, 0 to 1, and classes (n, ROWS / 4, COLUMNS / 4)."""
        made = [self.one() for _ in range(many)]
        pictures = np.stack([item[0][:, :, ::-1].transpose(2, 0, 1) for item in made]).astype(np.float32) / 255.0
        return pictures, np.stack([item[1] for item in made]).astype(np.int64)

    def one(self) -> tuple[Picture, Picture]:
        """A picture and the classes of its cells."""
        random = self.random
        if random.random() < 0.3:
            chosen = self.photos[random.integers(len(self.photos))]
            picture, classes = chosen.picture.copy(), chosen.classes
        else:
            at = int(random.integers(len(self.pictures)))
            picture, classes = self.pictures[at].copy(), self.classes[at]
            self._resurface(picture, classes)
        picture, classes = self._part(picture, classes)
        if random.random() < 0.5:
            _shadows(random, picture)
        return _exposed(random, picture), _cells(classes)

    def _resurface(self, picture: Picture, classes: Picture) -> None:
        """Another surface for the road, and other surroundings, in place."""
        random = self.random
        rows, columns = classes.shape
        if random.random() < 0.7:
            patch = _stretched(random, self.asphalt, rows, columns)
            share = random.uniform(0.3, 1.0)
            is_road = classes == ROAD
            patch = patch * (random.uniform(50, 190) / max(float(patch.mean()), 1.0))
            mixed = picture[is_road] * (1 - share) + patch[is_road] * share
            picture[is_road] = np.clip(mixed, 0, 255).astype(np.uint8)
        if random.random() < 0.6:
            patch = _stretched(random, self.rest, rows, columns)
            share = random.uniform(0.2, 1.0)
            below = int(rows * random.uniform(0.3, 0.55))
            part, is_other = picture[below:], classes[below:] == OTHER
            mixed = part[is_other] * (1 - share) + patch[below:][is_other] * share
            part[is_other] = np.clip(mixed, 0, 255).astype(np.uint8)
        if random.random() < 0.4:  # a wall or a rail where the road ends
            edge = cv2.morphologyEx((classes > 0).astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((5, 5), np.uint8))
            reach = int(random.integers(3, 16))
            wall = cv2.dilate(edge, np.ones((reach, 1), np.uint8), anchor=(0, reach - 1))
            wall = (wall > 0) & (classes == OTHER)
            wall[: rows // 3] = False
            picture[wall] = (random.uniform(40, 210, 3) * random.uniform(0.9, 1.1)).clip(0, 255).astype(np.uint8)

    def _part(self, picture: Picture, classes: Picture) -> tuple[Picture, Picture]:
        random = self.random
        rows, columns = classes.shape
        scale = COLUMNS / columns * float(np.exp(random.uniform(0.0, math.log(1.7))))
        stretch = float(np.exp(random.normal(0.0, 0.06)))
        sx, sy = scale * stretch, scale / stretch
        room_x, room_y = columns * sx - COLUMNS, rows * sy - ROWS
        x, y = random.uniform(0, max(room_x, 0)), random.uniform(0.3, 1) * max(room_y, 0)
        move = np.array([[sx, 0.0, -x], [0.0, sy, -y]])
        if random.random() < 0.5:  # seen in a mirror
            move = np.array([[-sx, 0.0, COLUMNS - 1 + x], [0.0, sy, -y]])
        size = (COLUMNS, ROWS)
        seen = cv2.warpAffine(picture, move, size, flags=cv2.INTER_AREA, borderMode=cv2.BORDER_REFLECT)
        told = cv2.warpAffine(classes, move, size, flags=cv2.INTER_NEAREST, borderValue=UNSURE)
        return np.asarray(seen, np.uint8), np.asarray(told, np.uint8)


def _cells(classes: Picture) -> Picture:
    """One class for each 4 x 4 pixels: paint where a fourth of them is, unsure where any is, else what most are."""
    parts = (
        classes.reshape(ROWS // STRIDE, STRIDE, COLUMNS // STRIDE, STRIDE)
        .swapaxes(1, 2)
        .reshape(ROWS // STRIDE, COLUMNS // STRIDE, -1)
    )
    paved = ((parts == ROAD) | (parts == MARKING) | (parts == PAVED)).sum(2) * 2 >= STRIDE**2
    found = np.where(paved, np.where((parts == PAVED).any(2), PAVED, ROAD), OTHER).astype(np.uint8)
    found[paved & ((parts == MARKING).sum(2) * 4 >= STRIDE**2)] = MARKING
    found[(parts == UNSURE).any(2)] = UNSURE
    return found


def _stretched(random: Random, source: list[Picture], rows: int, columns: int) -> NDArray[np.float32]:
    patch = source[random.integers(len(source))]
    high, wide = int(patch.shape[0] * random.uniform(0.3, 1.0)), int(patch.shape[1] * random.uniform(0.3, 1.0))
    y, x = random.integers(patch.shape[0] - high + 1), random.integers(patch.shape[1] - wide + 1)
    return cv2.resize(patch[y : y + high, x : x + wide], (columns, rows)).astype(np.float32)


def _shadows(random: Random, picture: Picture) -> None:
    """Of trees, bridges and cars: anywhere, with soft or hard edges."""
    rows, columns = picture.shape[:2]
    mask = np.zeros((rows, columns), np.float32)
    for _ in range(int(random.integers(1, 9))):
        middle = random.uniform([0, 0.35 * rows], [columns, rows])
        size = np.exp(random.uniform(math.log(6), math.log(160), 2)) * [1.6, 0.6]
        angles = np.sort(random.uniform(0, 2 * math.pi, 9))
        ring = np.stack([np.cos(angles), np.sin(angles)], 1) * size * random.uniform(0.5, 1.2, (9, 1)) + middle
        cv2.fillPoly(mask, [ring.astype(np.int32)], 1.0)
    mask = cv2.GaussianBlur(mask, (0, 0), float(random.uniform(0.5, 5.0)))
    picture[:] = (picture * (1.0 - mask * random.uniform(0.25, 0.75))[:, :, None]).astype(np.uint8)


def _exposed(random: Random, picture: Picture) -> Picture:
    """Another light, colour balance, sharpness, compression and noise."""
    seen = picture.astype(np.float32) / 255.0
    seen = seen ** float(np.exp(random.normal(0.0, 0.3))) * random.uniform(0.6, 1.35) + random.uniform(-0.08, 0.08)
    seen *= np.exp(random.normal(0.0, 0.08, 3)).astype(np.float32)
    grey = seen.mean(2, keepdims=True)
    seen = grey + (seen - grey) * random.uniform(0.0, 1.5)
    if random.random() < 0.15:  # haze
        far = np.linspace(1.0, 0.0, seen.shape[0])[:, None, None] * random.uniform(0.2, 0.7)
        seen = seen * (1 - far) + far * random.uniform(0.5, 0.9)
    if random.random() < 0.4:
        seen = cv2.GaussianBlur(seen, (0, 0), float(random.uniform(0.3, 1.6)))
    seen = seen + random.normal(0.0, random.uniform(0.0, 0.05), seen.shape)
    found = (np.clip(seen, 0.0, 1.0) * 255.0).astype(np.uint8)
    if random.random() < 0.4:
        coded = cv2.imencode(".jpg", found, [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(25, 90))])[1]
        found = np.asarray(cv2.imdecode(coded, cv2.IMREAD_COLOR), np.uint8)
    return found
