"""How well the road and its paint are told: held-out real pictures, recordings with labelled lines, rendered drives.

    python benchmark/road.py --data SHARED [--rendered drives.npz]

Rendered drives are made by `python -m training.road.drives`; take another number of drives than were learnt from.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from driver_camera import calibration_error
from numpy.typing import NDArray
from rows import machine

from adas_runtime.perception.models.road import RoadReader
from adas_runtime.perception.road import MARKING, ROAD

LANE_M: Final = 3.66  # of the motorways in the labelled recordings: what a column is worth in each row
WITHIN_M: Final = 0.2
FILMS: Final = (
    ("clips/highway_shadow_concrete_a.mp4", 8),
    ("clips/highway_shadow_concrete_b.mp4", 4),
    ("udacity_p1/solidWhiteRight.mp4", 20),
)
Picture = NDArray[np.uint8]


def paved(reader: RoadReader, picture: Picture) -> tuple[NDArray[np.bool_], NDArray[np.bool_], NDArray[np.float32]]:
    """Road with its paint, paint alone, and how sure, for each pixel."""
    seen = reader.segments(picture)
    labels = seen.at_picture()
    road, marking = seen.classes.index(ROAD), seen.classes.index(MARKING)
    sure = cv2.resize(seen.scores, labels.shape[::-1], interpolation=cv2.INTER_NEAREST)
    return (labels == road) | (labels == marking), labels == marking, np.asarray(sure, np.float32)


def surfaces(reader: RoadReader, lanes: Path) -> None:
    """Intersection over union of the road on hand-drawn pictures that nobody trained on."""
    sys.path.insert(0, str(Path(__file__).parents[1]))
    from training.road.scenes import OTHER, UNSURE, real

    every_sure, every_right = [], []
    for name, item in real(lanes, "held_out").items():
        found, _, sure = paved(reader, item.picture)
        known, truth = item.classes != UNSURE, item.classes != OTHER
        both, either = (found & truth & known).sum(), ((found | truth) & known).sum()
        print(f"road, {name}: intersection over union {both / either:.3f}")
        every_sure.append(sure[known])
        every_right.append((found == truth)[known])
    sure, right = np.concatenate(every_sure), np.concatenate(every_right)
    error = calibration_error(sure, right)
    print(f"road or not, all of them: {100 * right.mean():.1f} % of pixels right, ECE {error:.3f}")


def lines(reader: RoadReader, lanes: Path) -> None:
    """Labelled points of the own lane's lines that have paint told within 20 cm, and paint told between them."""
    for name, step in FILMS:
        told = json.loads((lanes / name.replace(".mp4", ".lanes.json")).read_text(encoding="utf-8"))
        film = cv2.VideoCapture(str(lanes / name))
        hit = total = false = rows_seen = 0
        for index, frame in enumerate(told["frames"]):
            is_there, picture = film.read()
            if not is_there:
                break
            if index % step:
                continue
            _, paint, _ = paved(reader, np.asarray(picture, np.uint8))
            sides = [{y: x for x, y in frame[side]} for side in ("left", "right")]
            for row in sorted(sides[0].keys() & sides[1].keys()):
                per_m = (sides[1][row] - sides[0][row]) / LANE_M
                if per_m < 20.0:  # a cell is wider than 20 cm there
                    continue
                columns = np.flatnonzero(paint[min(int(row), paint.shape[0] - 1)])
                for side, key in enumerate(("left", "right")):
                    first, last = frame[f"{key}_observed_rows"]
                    if first <= row <= last:
                        total += 1
                        hit += bool(len(columns) and np.abs(columns - sides[side][row]).min() <= WITHIN_M * per_m)
                inner = (columns > sides[0][row] + 0.5 * per_m) & (columns < sides[1][row] - 0.5 * per_m)
                rows_seen += 1
                false += bool(inner.any())
        print(
            f"paint, {name}: {100 * hit / max(total, 1):.0f} % of {total} points of the own lines within 20 cm; "
            f"false paint inside the lane in {100 * false / max(rows_seen, 1):.1f} % of rows"
        )


def rendered(reader: RoadReader, path: Path) -> None:
    """Both classes on rendered drives."""
    stored = np.load(path)
    counts = np.zeros((2, 3))
    for picture, classes in zip(stored["pictures"], stored["classes"], strict=True):
        found, paint, _ = paved(reader, picture)
        for number, (mine, truth) in enumerate(((found, classes > 0), (paint, classes == 2))):
            counts[number] += [(mine & truth).sum(), (mine & ~truth).sum(), (~mine & truth).sum()]
    for name, (right, false, missed) in zip(("road", "paint"), counts, strict=True):
        iou = right / (right + false + missed)
        print(f"rendered, {len(stored['pictures'])} pictures, {name}: intersection over union {iou:.3f}")


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--rendered", type=Path)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = RoadReader("de")
    print(machine())
    surfaces(reader, options.data / "lanes")
    lines(reader, options.data / "lanes")
    if options.rendered is not None:
        rendered(reader, options.rendered)
    picture = np.asarray(np.random.default_rng(1).integers(0, 255, (720, 1280, 3)), np.uint8)
    spent = []
    for _ in range(60):
        begin_s = time.thread_time()
        reader.look(picture)
        spent.append(time.thread_time() - begin_s)
    print(f"one picture of 1280x720: {1e3 * float(np.median(spent)):.1f} ms of processor time, one thread")


if __name__ == "__main__":
    main()
