"""Where the road is: of a grid of classes, and of pictures that the network never saw."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from adas_runtime.perception.models.preprocess import Fit
from adas_runtime.perception.models.results import UNSURE, Segments
from adas_runtime.perception.models.road import RoadReader, grid_of
from adas_runtime.perception.road import Grid, SeenRoad, road_of
from adas_runtime.synth.drive import Drive, DriveSpec, make_drive

CLASSES = ("other", "road", "marking")


def grid(labels: Any, *, score: float = 0.9) -> Grid:
    """Of a picture of 512x288 that fills the input."""
    cells = np.asarray(labels, np.uint8)
    fit = Fit(width_px=512, height_px=288, scale_x=1.0, scale_y=1.0, offset_x=0.0, offset_y=0.0, cut_px=0)
    return grid_of(Segments(cells, np.full(cells.shape, score, np.float32), CLASSES, fit, (512, 288)))


def road() -> np.ndarray:
    cells = np.zeros((72, 128), np.uint8)
    for row in range(36, 72):
        cells[row, 64 - (row - 30) : 64 + (row - 30)] = 1
        cells[row, 64] = 2
    return cells


def test_rows_are_told_in_pixels_of_the_picture() -> None:
    found = road_of(grid(road()))
    assert found is not None
    for y, first, last in found.rows:
        row = y / 4.0 - 0.5
        assert (first, last) == (pytest.approx(4.0 * (64 - (row - 30))), pytest.approx(4.0 * (64 + (row - 30))))
    assert [row[0] for row in found.rows] == sorted(row[0] for row in found.rows)
    assert found.rows[-1][0] > 280.0 and found.rows[0][0] < 155.0
    assert found.share == pytest.approx((road() > 0).mean()) and found.confidence == pytest.approx(0.9)
    assert found.marking_share == pytest.approx((road() == 2).sum() / (road() > 0).sum())


def test_another_road_beyond_the_verge_is_not_ours() -> None:
    cells = road()
    cells[40:44, :20] = 1
    found = road_of(grid(cells))
    assert found is not None and min(first for y, first, _ in found.rows if 160 < y < 176) > 80.0


def test_a_letterboxed_picture_is_told_in_its_own_pixels() -> None:
    cells = np.zeros((72, 128), np.uint8)
    cells[30:60, 20:100] = 1
    fit = Fit(width_px=1024, height_px=384, scale_x=0.5, scale_y=0.5, offset_x=0.0, offset_y=48.0, cut_px=0)
    found = road_of(grid_of(Segments(cells, np.ones(cells.shape, np.float32), CLASSES, fit, (512, 288))))
    assert found is not None
    assert {(first, last) for _, first, last in found.rows} == {(160.0, 800.0)}
    assert all(0.0 <= y <= 384.0 for y, _, _ in found.rows)
    assert found.share == pytest.approx(30 * 80 / (48 * 128))


@pytest.mark.parametrize("label", [0, UNSURE])
def test_no_road_is_none(label: int) -> None:
    assert road_of(grid(np.full((72, 128), label))) is None


def test_the_own_bonnet_does_not_hide_the_road() -> None:
    cells = road()
    cells[64:] = 0
    assert road_of(grid(cells)) is not None


# --- the network --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader() -> RoadReader:
    return RoadReader("de")


@pytest.fixture(scope="module")
def drive() -> Drive:
    return make_drive(DriveSpec(market="de", seconds=8.0, seed=4711, width_px=640, height_px=360))


def looked(reader: RoadReader, picture: np.ndarray) -> SeenRoad:
    found = reader.look(picture)
    assert found is not None
    return found


def test_the_road_of_a_drive_ends_where_it_is_drawn_to_end(reader: RoadReader, drive: Drive) -> None:
    for index in (20, 80, 140):
        found = looked(reader, drive.frame(index))
        plan = drive.plan.road
        pose = drive.motion.at(index / 20.0)
        for y, first, last in found.rows:
            far = drive.camera.to_ground(np.array([[320.0, y]]))[0, 0]
            if not 6.0 < far < 25.0:
                continue
            s = pose.s_guess_m + far
            ends_m = np.array([plan.edge_left_m, plan.edge_right_m])
            x, left = pose.to_vehicle(*plan.line.point(np.array([s, s]), ends_m))
            edges = drive.camera.project_ground(x, left)[:, 0]
            per_m = drive.camera.fx_px / far
            for told, truth in ((first, edges[0]), (last, edges[1])):
                if 10.0 < truth < 630.0 and 5.0 < told < 635.0:
                    assert abs(told - truth) < 1.0 * per_m, (index, y)


def test_what_shows_nothing_is_no_sure_road(reader: RoadReader) -> None:
    noise = np.random.default_rng(3).integers(0, 255, (360, 640, 3)).astype(np.uint8)
    for picture in (noise, np.zeros((360, 640, 3), np.uint8), np.full((360, 640), 128, np.uint8)):
        found = reader.look(picture)
        assert found is None or found.confidence < 0.5 or found.share < 0.1


def test_a_worse_picture_is_less_sure(reader: RoadReader, drive: Drive) -> None:
    picture = drive.frame(60)
    clear = looked(reader, picture)
    for spoilt in (cv2.GaussianBlur(picture, (0, 0), 6.0), (picture * 0.06).astype(np.uint8)):
        found = reader.look(spoilt)
        assert found is None or found.confidence < 0.7 * clear.confidence
