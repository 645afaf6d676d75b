"""How far away road users are told to be, by distance and class, with labelled boxes: the KITTI frames.

    python benchmark/ranging.py [--data FOLDER] [--json]

FOLDER holds the shared recordings (by default ADAS_SHARED_DATA, or beside the checkout). The frames are for evaluation
alone: no figure of `perception/ranging.py` comes from them. Truth is the nearest point of the labelled solid, in the
camera's depth; boxes that are cut or more than half hidden are left out. `inside` is the share of errors within one
and two standard deviations as told: 68 and 95 of 100 where they are honest.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from lanes import shared_data

from adas_runtime.perception.camera import Camera
from adas_runtime.perception.ranging import range_of_boxes
from adas_runtime.signals import ObjectClass

CLASSES: Final = {
    "Car": ObjectClass.CAR,
    "Van": ObjectClass.VAN,
    "Truck": ObjectClass.TRUCK,
    "Pedestrian": ObjectClass.PEDESTRIAN,
    "Cyclist": ObjectClass.CYCLIST,
}
BINS_M: Final = ((0.0, 10.0), (10.0, 20.0), (20.0, 30.0), (30.0, 50.0), (50.0, 80.0))
HEIGHT_M: Final = 1.65  # of the camera above the road, as the recording car's makers tell
HIDDEN_MAX: Final = 1  # 0 fully visible, 1 partly hidden


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One road user."""

    name: str
    truth_m: float
    told_m: float
    std_m: float
    ground_m: float
    size_m: float


def judged(folder: Path) -> Iterator[Judged]:
    """Every labelled road user whose box is whole."""
    for path in sorted((folder / "label_2").glob("*.txt")):
        picture = next(iter(sorted((folder).rglob(f"{path.stem}.[jp][pn]g"))), None)
        calibration = _calibration(folder / "calib" / path.name)
        if picture is None:
            continue
        rows, columns = cv2.imread(str(picture)).shape[:2]
        camera = Camera(
            width_px=columns, height_px=rows, fx_px=calibration[0, 0], fy_px=calibration[1, 1],
            cx_px=calibration[0, 2], cy_px=calibration[1, 2], z_m=HEIGHT_M,
        )  # fmt: skip
        for line in path.read_text(encoding="utf-8").splitlines():
            part = line.split()
            if part[0] not in CLASSES or float(part[1]) > 0.0 or int(part[2]) > HIDDEN_MAX:
                continue
            box = np.array([[float(value) for value in part[4:8]]])
            _, width_m, length_m = (float(value) for value in part[8:11])
            depth_m, yaw_rad = float(part[13]), float(part[14])
            # depth of the solid's corners: along and across its own axes, turned about the camera's upright axis
            reach_m = 0.5 * (length_m * abs(np.sin(yaw_rad)) + width_m * abs(np.cos(yaw_rad)))
            found = range_of_boxes(camera, box, [CLASSES[part[0]]])
            yield Judged(
                name=part[0],
                truth_m=depth_m - float(reach_m),
                told_m=float(found.x_m[0]),
                std_m=float(found.x_std_m[0]),
                ground_m=float(found.ground_m[0]),
                size_m=float(found.size_m[0]),
            )


def figures(items: list[Judged]) -> dict[str, Any]:
    """Error and honesty of some road users."""
    truth = np.array([item.truth_m for item in items])
    told = np.array([item.told_m for item in items])
    std = np.array([item.std_m for item in items])
    is_told = np.isfinite(told)
    error = np.abs(told - truth)[is_told]
    share = error / truth[is_told]

    def alone(values: list[float]) -> float:
        off = np.abs(np.array(values) - truth) / truth
        return float(np.nanmedian(off)) if np.isfinite(off).any() else float("nan")

    return {
        "count": len(items),
        "told": float(is_told.mean()),
        "median_m": float(np.median(error)),
        "median_share": float(np.median(share)),
        "p90_share": float(np.quantile(share, 0.9)),
        "bias_share": float(np.median((told - truth)[is_told] / truth[is_told])),
        "inside_1": float((error <= std[is_told]).mean()),
        "inside_2": float((error <= 2.0 * std[is_told]).mean()),
        "ground_share": alone([item.ground_m for item in items]),
        "size_share": alone([item.size_m for item in items]),
    }


def groups(items: list[Judged]) -> dict[str, list[Judged]]:
    """By distance, then by class."""
    found = {
        f"{low:.0f} to {high:.0f} m": [item for item in items if low <= item.truth_m < high] for low, high in BINS_M
    }
    found |= {name: [item for item in items if item.name == name and item.truth_m < BINS_M[-1][1]] for name in CLASSES}
    return {name: some for name, some in found.items() if some}


def _calibration(path: Path) -> np.ndarray:
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("P2:"):
            return np.array([float(value) for value in line.split()[1:]]).reshape(3, 4)
    raise ValueError(f"{path}: holds no P2")


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="folder of the shared recordings")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    data = options.data or shared_data()
    folder = None if data is None else data / "objects" / "kitti_nc"
    if folder is None or not folder.is_dir():
        raise SystemExit("ranging: no objects/kitti_nc; name the shared recordings with --data")
    told = {name: figures(some) for name, some in groups(list(judged(folder))).items()}
    if options.json:
        print(json.dumps(told, indent=1))
        return
    print(f"{'':14}{'count':>6}{'median':>16}{'p90':>7}{'bias':>7}{'1 / 2 std':>12}{'ground':>8}{'size':>7}")
    for name, row in told.items():
        print(
            f"{name:14}{row['count']:6d}{row['median_m']:8.2f} m{row['median_share']:6.1%}{row['p90_share']:7.1%}"
            f"{row['bias_share']:+7.1%}{row['inside_1']:6.0%}{row['inside_2']:6.0%}{row['ground_share']:8.1%}"
            f"{row['size_share']:7.1%}"
        )


if __name__ == "__main__":
    main()
