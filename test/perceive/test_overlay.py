"""What is drawn stands where it was seen."""

from __future__ import annotations

import numpy as np
import pytest
from perceive_builders import make_boundary, make_camera

from adas_runtime.perceive.overlay import FILL, SIDE_COLOUR, draw
from adas_runtime.perceive.result import record
from adas_runtime.perceive.run import Seen
from adas_runtime.perceive.sources import Frame
from adas_runtime.perception.lane_model import LaneResult
from adas_runtime.signals import LaneBoundary, LaneModel, LaneSide, MarkingType


def seen(*boundaries: LaneBoundary, width_px: int = 1280, level: int = 90) -> Seen:
    camera = make_camera(width_px=width_px, height_px=width_px * 9 // 16, fx_px=width_px / 1.28, fy_px=width_px / 1.28,
                         cx_px=width_px / 2 - 0.5, cy_px=width_px * 9 / 32 - 0.5)  # fmt: skip
    model = LaneModel(stamp_s=1.0, boundaries=boundaries, is_calibrated=True)
    told, traces = record(
        source="road.png",
        frame=0,
        stamp_s=1.0,
        result=LaneResult(model=model, camera=camera, is_mount_known=True),
        vehicle="reference",
        trust="calibrated",
    )
    image = np.full((camera.height_px, camera.width_px, 3), level, np.uint8)
    return Seen(frame=Frame(0, 1.0, image), record=told, model=model, camera=camera, traces=traces)


LEFT = make_boundary(LaneSide.LEFT, (1.8, 0.0, 0.0005, 0.0))
RIGHT = make_boundary(LaneSide.RIGHT, (-1.7, 0.0, 0.0005, 0.0))


@pytest.mark.parametrize("width_px", [480, 1280, 3840])
def test_a_boundary_is_drawn_in_its_colour_on_its_pixels(width_px: int) -> None:
    shown = seen(LEFT, RIGHT, width_px=width_px)
    image = draw(shown)
    scale = image.shape[1] / width_px
    for side in ("left", "right"):
        line = shown.traces[side]
        assert line.seen_rows is not None
        middle = range(line.seen_rows[0] + 10, line.seen_rows[1] - 3, 7)
        hits = 0
        for row in middle:
            column = line.columns[row - line.rows[0]]
            u, v = round((column + 0.5) * scale - 0.5), round((row + 0.5) * scale - 0.5)
            near = image[v, u - 1 : u + 2].astype(int)
            hits += int(np.abs(near - SIDE_COLOUR[side]).max(axis=1).min() < 40)
        assert hits > 0.9 * len(middle), side  # the ticks across the lane cover a few


def test_only_the_own_lane_is_filled() -> None:
    image = draw(seen(LEFT, RIGHT)).astype(int)
    row = 600
    inside, outside = image[row, 640], image[row, 1250]
    assert (outside == 90).all()
    assert inside[0] > inside[2]  # towards the blue of the fill
    assert FILL[0] > FILL[2]


def test_a_dashed_line_is_drawn_with_gaps_and_a_solid_one_without() -> None:
    def gaps(form: MarkingType) -> int:
        shown = seen(make_boundary(LaneSide.RIGHT, (-1.7, 0.0, 0.0, 0.0), form=form))
        image, line = draw(shown).astype(int), shown.traces["right"]
        assert line.seen_rows is not None
        wide = [
            np.sum(np.abs(image[row, int(x) - 6 : int(x) + 7] - SIDE_COLOUR["right"]).max(axis=1) < 60) >= 3
            for x, row in zip(line.columns, line.rows, strict=True)
            if line.seen_rows[0] + 40 <= row <= line.seen_rows[1]
        ]
        return int(np.sum(np.diff(np.array(wide, dtype=int)) == -1))

    assert gaps(MarkingType.DASHED) >= 1
    assert gaps(MarkingType.SOLID) == 0


def test_a_picture_without_a_lane_keeps_its_road() -> None:
    shown = seen()
    assert shown.frame.image is not None
    image = draw(shown)
    assert (image[500:, :400] == shown.frame.image[500:, :400]).all()
    assert (image[:200, :500] != shown.frame.image[:200, :500]).any()  # the legend says that there is none
