"""Rendered roads of several markets as surroundings to train in; needs this project's environment, not the training's.

.venv/bin/python -m training.objects.backgrounds --out rendered.npz
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import cv2
import numpy as np

from adas_runtime.perception.camera import camera_of
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive

MARKETS: Final = ("de", "us", "jp", "gb", "se", "ae", "cn", "fr")
SCENARIOS: Final = (Scenario.DEMO, Scenario.RURAL, Scenario.MOTORWAY)
FPS: Final = 20.0
EVERY: Final = 60
REACH_M: Final = 90.0  # farther ones are a few pixels: neither right nor wrong
MOST: Final = 16  # boxes kept of one picture


def main() -> None:
    """Pictures and, for each, boxes around the rendered vehicles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=24.0)
    options = parser.parse_args()
    pictures, vehicles, unsure = [], [], []
    for number, market in enumerate(MARKETS):
        drive = make_drive(
            DriveSpec(market=market, seconds=options.seconds, seed=number, scenario=SCENARIOS[number % len(SCENARIOS)])
        )
        mount = drive.vehicle.cameras["front"]
        for index in range(0, int(options.seconds * FPS), EVERY):
            image = drive.frame(index)
            rows, columns = image.shape[:2]
            camera = camera_of(mount, columns, rows)
            assert camera is not None
            near, far = np.zeros((MOST, 4), np.float32), np.zeros((MOST, 4), np.float32)
            tall = {actor.object_id: actor.height_m for actor in drive.plan.actors}
            ahead = [item for item in drive.objects(index).objects if item.x_m > 2.0]
            for at, item in enumerate(ahead[:MOST]):
                assert item.length_m is not None and item.width_m is not None and item.yaw_rad is not None
                c, s = np.cos(item.yaw_rad), np.sin(item.yaw_rad)
                middle_x = item.x_m + 0.5 * (abs(c) * item.length_m + abs(s) * item.width_m)
                corners = np.array(
                    [
                        [middle_x + c * dx - s * dy, item.y_m + s * dx + c * dy, z]
                        for dx in (-0.5 * item.length_m, 0.5 * item.length_m)
                        for dy in (-0.5 * item.width_m, 0.5 * item.width_m)
                        for z in (0.0, tall[item.object_id])
                    ]
                )
                pixels = camera.project(corners)
                if np.isfinite(pixels).all():
                    (near if item.x_m < REACH_M else far)[at] = (*pixels.min(0) + 0.5, *pixels.max(0) + 0.5)
            scale = 640 / columns
            pictures.append(cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
            vehicles.append(near * scale)
            unsure.append(far * scale)
    np.savez_compressed(options.out, pictures=np.stack(pictures), vehicles=np.stack(vehicles), unsure=np.stack(unsure))
    print(f"{options.out}: {len(pictures)} pictures")


if __name__ == "__main__":
    main()
