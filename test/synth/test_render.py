"""Pictures show what the truth says, to the pixel."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from synth_drives import drive

from adas_runtime.perception.camera import Camera
from adas_runtime.signals import LaneSide, MarkingColour, MarkingType
from adas_runtime.synth.drive import Drive, DriveSpec, Light, Rain, Scenario, make_drive
from adas_runtime.synth.paint import Course
from adas_runtime.synth.render import Renderer
from adas_runtime.vehicle import load_vehicle


def opencv_pixels(camera: Camera, points_m: np.ndarray) -> np.ndarray:
    """OpenCV's own projection of vehicle-frame points, written independently of the renderer's."""
    pitch = camera.pitch_rad
    level = np.array([[0.0, -1.0, 0.0], [0.0, 0.0, -1.0], [1.0, 0.0, 0.0]])  # x right, y down, z ahead
    nose_down = np.array([[1.0, 0.0, 0.0], [0.0, np.cos(pitch), -np.sin(pitch)], [0.0, np.sin(pitch), np.cos(pitch)]])
    rotation = nose_down @ level
    shift = -rotation @ np.array([camera.x_m, camera.y_m, camera.z_m])
    matrix = np.array([[camera.fx_px, 0, camera.cx_px], [0, camera.fy_px, camera.cy_px], [0, 0, 1.0]])
    pixels, _ = cv2.projectPoints(points_m, cv2.Rodrigues(rotation)[0], shift, matrix, np.array(camera.distortion))
    return pixels.reshape(-1, 2)


def centre_of_paint(picture: np.ndarray, row: int, column: float, reach: int, colour: MarkingColour) -> float | None:
    """Centroid of what is brighter (or yellower) than the asphalt around a place in one row."""
    left, right = int(column) - reach, int(column) + reach + 1
    if left < 0 or right > picture.shape[1]:
        return None
    line = picture[row, left:right].astype(float)
    value = line[:, 1] + line[:, 2] - 2.0 * line[:, 0] if colour is MarkingColour.YELLOW else line.mean(axis=1)
    ends = np.concatenate((value[: reach // 4], value[-(reach // 4) :]))
    above = np.clip(value - np.median(ends) - 4.0 * ends.std() - 8.0, 0.0, None)
    if above.max() < 25.0:
        return None
    return left + float((above * np.arange(len(above))).sum() / above.sum())


def misses_px(made: Drive, indices: range) -> list[float]:
    """Distance in pixels between the projected truth and the drawn paint, at 6 to 25 m ahead."""
    found: list[float] = []
    renderer = Renderer(made.plan, made.motion, made.camera)
    for index in indices:
        picture = renderer.frame(index, made.frame_time_s(index))
        for boundary in made.lanes(index).boundaries:
            if boundary.type is MarkingType.DOUBLE_SOLID:
                continue
            x = np.linspace(6.0, 25.0, 60)
            y = np.array([boundary.offset_m(float(at)) for at in x])
            truth = opencv_pixels(made.camera, np.stack((x, y, np.zeros_like(x)), axis=1))
            leans = np.gradient(truth[:, 0], truth[:, 1])  # columns per row
            slope = abs(leans).min()
            for row, distance in zip(truth[:, 1], x, strict=True):
                whole = round(float(row))
                if not max(0.0, truth[-1, 1]) < whole < min(picture.shape[0], truth[0, 1]):
                    continue
                # the truth's column at the centre of that row
                exact = float(np.interp(-whole, -truth[:, 1], truth[:, 0]))
                wide = made.camera.fx_px * (boundary.width_m or 0.15) / (distance - made.camera.x_m)
                centre = centre_of_paint(picture, whole, exact, int(1.6 * wide * (1.0 + slope) + 8), boundary.colour)
                lean = np.interp(-whole, -truth[:, 1], leans)
                if centre is not None:
                    found.append((centre - exact) / float(np.hypot(1.0, lean)))  # across the line, not along the row
    return found


@pytest.mark.parametrize("market", ["de", "jp", "ae"])
def test_paint_lies_where_the_truth_says(market: str) -> None:
    misses = misses_px(drive(market), range(0, 400, 40))
    assert len(misses) > 200
    assert abs(float(np.median(misses))) < 0.25
    assert float(np.quantile(np.abs(misses), 0.9)) < 1.0


def test_paint_lies_where_the_truth_says_through_a_bent_lens() -> None:
    vehicle = load_vehicle("reference")
    mount = vehicle.cameras["front"].model_copy(update={"distortion": (-0.12, 0.02, 0.0006, -0.0004, 0.0)})
    bent = vehicle.model_copy(update={"cameras": {"front": mount}})
    made = make_drive(DriveSpec(vehicle=bent, seconds=8.0, scenario=Scenario.CALM))
    misses = misses_px(made, range(0, 150, 15))
    assert len(misses) > 60
    assert abs(float(np.median(misses))) < 0.3
    assert float(np.quantile(np.abs(misses), 0.9)) < 1.0


def test_coverage_is_the_area_of_the_paint() -> None:
    made = drive("de")
    renderer = made.renderer
    pose = made.motion.at(1.0)
    course = Course(made.plan.road, pose, pose.s_guess_m, renderer._ground.near_m)
    coverage = renderer._paint.coverage(course).astype(float) / 255.0
    right = made.lanes(20).side(LaneSide.RIGHT)
    assert right is not None and right.width_m is not None
    for ahead in (8.0, 12.0, 20.0, 35.0):
        column, row = made.camera.project_ground(np.array([ahead]), np.array([right.offset_m(ahead)]))[0]
        whole = round(float(row))
        ground = made.camera.to_ground(np.array([[column, float(whole)]]))[0]
        wide = made.camera.fx_px * right.width_m / (ground[0] - made.camera.x_m)
        span = int(wide) + 12
        line = coverage[whole - renderer._ground.top_px, int(column) - span : int(column) + span]
        assert line.sum() == pytest.approx(wide, rel=0.06, abs=0.35)


def test_a_picture_depends_on_its_number_only() -> None:
    made = drive("de", 6.0, width_px=640)
    again = make_drive(made.spec)
    first = [made.frame(index).copy() for index in (3, 40, 80)]
    second = [again.frame(index) for index in (80, 40, 3)][::-1]
    for one, other in zip(first, second, strict=True):
        assert np.array_equal(one, other)


def test_size_follows_the_specification() -> None:
    made = drive("de", 2.0, width_px=640)
    assert made.frame(0).shape == (360, 640, 3)


@pytest.mark.parametrize("light", list(Light))
@pytest.mark.parametrize("rain", list(Rain))
def test_every_light_and_rain_leaves_lines_to_be_seen(light: Light, rain: Rain) -> None:
    made = drive("de", 4.0, 1, Scenario.MOTORWAY, light, rain, 640)
    picture = made.frame(10).astype(float).mean(axis=2)
    right = made.lanes(10).side(LaneSide.RIGHT)
    assert right is not None
    x = np.linspace(6.5, 14.0, 40)
    y = np.array([right.offset_m(float(at)) for at in x])
    on = made.camera.project_ground(x, y)
    off = made.camera.project_ground(x, y + 0.7)

    def mean(points: np.ndarray) -> float:
        values = [picture[round(v), round(u)] for u, v in points if 0 <= round(v) < 360 and 0 <= round(u) < 640]
        return float(np.percentile(values, 75))

    assert mean(on) > mean(off) + 12.0


def test_night_is_darker_than_day() -> None:
    day = drive("de", 4.0, 1, Scenario.MOTORWAY, Light.DAY, Rain.NONE, 640).frame(10).mean()
    night = drive("de", 4.0, 1, Scenario.MOTORWAY, Light.NIGHT, Rain.NONE, 640).frame(10).mean()
    assert night < 0.5 * day


def test_the_lead_car_is_drawn_where_the_truth_says() -> None:
    made = drive("de", seed=2)
    lead_only = dataclasses.replace(made.plan, actors=tuple(item for item in made.plan.actors if item.is_lead))
    empty = dataclasses.replace(made.plan, actors=())
    for index in (20, 300):
        t = made.frame_time_s(index)
        pictures = [Renderer(plan, made.motion, made.camera).frame(index, t).astype(int) for plan in (lead_only, empty)]
        changed = np.abs(pictures[0] - pictures[1]).max(axis=2) > 12
        columns, rows = np.flatnonzero(changed.any(axis=0)), np.flatnonzero(changed.any(axis=1))
        lead = next(item for item in made.objects(index).objects if item.object_id == 1)
        height = lead_only.actors[0].height_m
        assert lead.width_m is not None
        corners = made.camera.project(
            np.array([[lead.x_m, lead.y_m + side * lead.width_m / 2, z] for side in (1, -1) for z in (0.0, height)])
        )
        assert abs(columns.min() - corners[:, 0].min()) < 9.0  # the shadow reaches 0.25 m farther
        assert abs(columns.max() - corners[:, 0].max()) < 9.0
        assert abs(rows.min() - corners[:, 1].min()) < 3.0  # the roof lies farther from us than the rear
