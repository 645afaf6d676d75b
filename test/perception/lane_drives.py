"""Rendered drives and their truth, for the lane tests; pictures go through JPEG as a camera's do."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.market import load_market
from adas_runtime.perception.lane_model import LaneDetector, LaneResult, LaneState
from adas_runtime.signals import LaneModel, LaneSide
from adas_runtime.synth.drive import Drive, DriveSpec, Light, Rain, Scenario, make_drive
from adas_runtime.vehicle import load_vehicle

Image = npt.NDArray[np.uint8]
OWN = (LaneSide.LEFT, LaneSide.RIGHT)


@cache
def drive(
    market: str = "de", scenario: str = "demo", light: str = "day", rain: str = "none", seconds: float = 12.0
) -> Drive:
    """A drive at 10 pictures a second."""
    return make_drive(
        DriveSpec(
            market=market,
            seconds=seconds,
            fps=10.0,
            seed=7,
            scenario=Scenario(scenario),
            light=Light(light),
            rain=Rain(rain),
        )
    )


@cache
def picture(made: Drive, index: int) -> Image:
    """A picture of it."""
    coded = cv2.imencode(".jpg", made.frame(index), [cv2.IMWRITE_JPEG_QUALITY, 90])[1]
    image = cv2.imdecode(coded, cv2.IMREAD_COLOR)
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


def detector(market: str = "de", *, vehicle: str | None = "reference") -> LaneDetector:
    """A detector; without a vehicle nothing is known of the camera."""
    loaded = load_market(market)
    mount = load_vehicle(vehicle).cameras["front"] if vehicle else None
    return LaneDetector(loaded.perception, loaded.lanes, mount)


def run(
    found: LaneDetector, made: Drive, first: int, last: int, step: int = 1
) -> Iterator[tuple[int, LaneResult, LaneState]]:
    """Results of the pictures from `first` until before `last`."""
    state = LaneState()
    for index in range(first, last, step):
        result, state = found.step(picture(made, index), index * 0.1, state)
        yield index, result, state


def worst_m(model: LaneModel, truth: LaneModel, side: LaneSide, near_m: float = 7.0, far_m: float = 25.0) -> float:
    """Largest lateral distance between a told boundary and the true one; infinite where it is not told."""
    told, true = model.side(side), truth.side(side)
    assert true is not None
    if told is None:
        return float("inf")
    return max(abs(told.offset_m(float(x)) - true.offset_m(float(x))) for x in np.arange(near_m, far_m + 0.1, 1.0))
