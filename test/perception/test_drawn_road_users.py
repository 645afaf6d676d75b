"""What the detector of road users learns from: sprites as tall as their kind, pictures whose boxes hold them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

KINDS = ("vehicle", "pedestrian", "cyclist")
TALL_M = {"vehicle": (1.2, 4.3), "pedestrian": (0.85, 2.2), "cyclist": (1.2, 2.3)}


@dataclass(frozen=True)
class Drawing:
    """The modules of `training/objects`, which the package does not hold."""

    shapes: ModuleType
    scenes: ModuleType


@pytest.fixture(scope="module")
def drawing() -> Iterator[Drawing]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(Path(__file__).resolve().parents[2]))
        yield Drawing(import_module("training.objects.shapes"), import_module("training.objects.scenes"))


@pytest.mark.parametrize("name", KINDS)
def test_a_sprite_is_as_tall_as_its_kind_where_it_stands(drawing: Drawing, name: str) -> None:
    kind = drawing.shapes.CLASSES.index(name)
    random = np.random.default_rng(kind)
    for _ in range(12):
        sprite = drawing.shapes.MAKERS[kind](random, [])
        rows = np.flatnonzero(sprite.solid.max(axis=1) > 127)
        tall_m = (rows[-1] - rows[0]) * sprite.range_m / sprite.focal_px
        low_m, high_m = TALL_M[name]
        # the near end of a long vehicle is nearer than its middle, and looks taller
        room = 1.0 + 6.0 / max(sprite.range_m - 5.5, 2.0) if name == "vehicle" else 1.15
        assert low_m < tall_m < high_m * room
        assert sprite.kind == kind and rows[0] < sprite.foot[1]


def test_boxes_of_a_picture_lie_in_it_and_are_large_enough_to_be_seen(drawing: Drawing) -> None:
    scenes = drawing.scenes
    grey = scenes.Photo(np.full((360, 640, 3), 120, np.uint8), boxes=((300.0, 150.0, 380.0, 220.0),), is_real=False)
    maker = scenes.Scenes(np.random.default_rng(2), [grey], 12)
    kinds = set()
    for _ in range(25):
        truth = maker.picture()
        assert truth.picture.shape == (scenes.ROWS, scenes.COLUMNS, 3) and truth.picture.dtype == np.uint8
        for kind, left, top, right, bottom in truth.boxes:
            kinds.add(drawing.shapes.CLASSES[kind])
            assert 0.0 <= left < right <= scenes.COLUMNS and 0.0 <= top < bottom <= scenes.ROWS
            assert bottom - top >= scenes.SIDE_MIN_PX
    assert kinds == set(KINDS)


def test_a_known_box_moves_with_its_picture(drawing: Drawing) -> None:
    picture = np.full((360, 640, 3), 60, np.uint8)
    picture[150:220, 300:380] = 230
    photo = drawing.scenes.Photo(picture, boxes=((300.0, 150.0, 380.0, 220.0),), is_real=False)
    maker = drawing.scenes.Scenes(np.random.default_rng(4), [photo], 12)
    seen = 0
    for _ in range(20):
        truth = maker._part(photo)
        for _, left, top, right, bottom in truth.boxes:
            inside = truth.picture[round(top) + 2 : round(bottom) - 2, round(left) + 2 : round(right) - 2]
            seen += 1
            assert inside.min() > 150, "the bright thing fills its box"
    assert seen > 10
