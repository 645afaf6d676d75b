"""Rendered roads with what is road and what is paint in them; needs this project's environment, not the training's.

.venv/bin/python -m training.road.drives --out drives.npz [--drives 160] [--first 0]
"""

from __future__ import annotations

import argparse
import itertools
from dataclasses import replace
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.perception.camera import camera_of
from adas_runtime.synth.drive import DriveSpec, make_drive
from adas_runtime.synth.paint import SHIFT, Course, corners
from adas_runtime.synth.plan import Light, Rain, Scenario
from adas_runtime.synth.render import Renderer
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle
from training.road.layout import COLUMNS, MARKING, OTHER, ROAD, ROWS

Picture = NDArray[np.uint8]

MARKETS: Final = ("de", "us", "jp", "gb", "se", "ae", "cn", "fr")
FPS: Final = 20.0
SECONDS: Final = 24.0
EVERY: Final = 40
PAINTED: Final = 96  # of 255 of a pixel: then it is paint
STANDS: Final = 5  # grey levels by which what stands on the road changes a pixel


class Labelled(Renderer):
    """Draws a picture with and without what stands on the ground: where the two differ, something hides the road."""

    is_bare = False

    def _draw_props(self, *given: object) -> None:
        if not self.is_bare:
            super()._draw_props(*given)  # type: ignore[arg-type]

    def labelled(self, index: int, t_s: float) -> tuple[Picture, Picture]:
        """The picture, (rows, columns, 3) BGR, and its classes, (rows, columns)."""
        picture = self.frame(index, t_s)
        self.is_bare = True
        bare = self.frame(index, t_s)
        self.is_bare = False
        pose = self._motion.at(t_s)
        road, top = self._plan.road, self._ground.top_px
        course = Course(road, pose, pose.s_guess_m, self._ground.near_m)
        classes = np.zeros(picture.shape[:2], np.uint8)
        part = classes[top:]
        band = course.band(road.edge_left_m, road.edge_right_m, -1e9, 1e9)
        if band is not None:
            (points,) = corners(self._ideal, [band], top, 1)
            cv2.fillPoly(part, [points], ROAD, lineType=cv2.LINE_8, shift=SHIFT)
        part[self._paint.coverage(course) > PAINTED] = MARKING
        hidden = (np.abs(picture.astype(np.int16) - bare) > STANDS).any(2).astype(np.uint8)
        hidden = cv2.morphologyEx(hidden, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
        classes[hidden > 0] = OTHER
        return picture, classes


def mounted(random: np.random.Generator) -> Vehicle:
    """The reference car with another lens, another height and a camera that looks elsewhere."""
    car = load_vehicle("reference")
    front = car.cameras["front"]
    scale = float(np.exp(random.uniform(np.log(0.6), np.log(1.6))))
    front = front.model_copy(
        update={
            "fx_px": front.fx_px * scale,
            "fy_px": front.fy_px * scale,
            "z_m": float(random.uniform(1.1, 1.9)),
            "pitch_deg": float(random.uniform(-6.0, 6.0)) / max(scale, 1.0),
            "yaw_deg": float(random.uniform(-4.0, 4.0)),
            "roll_deg": float(random.uniform(-1.5, 1.5)),
            "distortion": (0.0,) * len(front.distortion),
        }
    )
    return car.model_copy(update={"cameras": {**car.cameras, "front": front}})


def main() -> None:
    """Pictures and classes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--drives", type=int, default=160)
    parser.add_argument("--first", type=int, default=0, help="number of the first; others than those learnt from: 1000")
    options = parser.parse_args()
    random = np.random.default_rng(7 + options.first)
    weathers = list(itertools.product((Light.AUTO, *Light), (Rain.NONE, Rain.NONE, *Rain)))
    pictures, classes = [], []
    for number in range(options.first, options.first + options.drives):
        light, rain = weathers[int(random.integers(len(weathers)))]
        vehicle = mounted(random)
        spec = DriveSpec(
            market=MARKETS[number % len(MARKETS)],
            vehicle=vehicle,
            seconds=SECONDS,
            seed=100 + number,
            scenario=(Scenario.DEMO, Scenario.RURAL, Scenario.MOTORWAY)[number // len(MARKETS) % 3],
            light=light,
            rain=rain,
        )
        drive = make_drive(replace(spec, width_px=COLUMNS, height_px=ROWS))
        camera = camera_of(vehicle.cameras["front"], COLUMNS, ROWS)
        assert camera is not None
        renderer = Labelled(drive.plan, drive.motion, camera)
        for index in range(int(random.integers(EVERY)), int(SECONDS * FPS), EVERY):
            picture, truth = renderer.labelled(index, index / FPS)
            pictures.append(picture)
            classes.append(truth)
    np.savez_compressed(options.out, pictures=np.stack(pictures), classes=np.stack(classes))
    print(f"{options.out}: {len(pictures)} pictures")


if __name__ == "__main__":
    main()
