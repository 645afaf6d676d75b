"""How well the driver camera's core reads recorded people: eyes and head, and what it does with spoilt pictures.

    python benchmark/driver_camera.py [--data FOLDER] [--rendered 400]

FOLDER holds the shared recordings (by default ADAS_SHARED_DATA, or beside the checkout). Nobody in them was trained on.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from lanes import shared_data

from adas_runtime.perception.driver.core import DriverWatcher, Seat, Watched, WatchState
from adas_runtime.perception.models.driver import DriverNetworks
from adas_runtime.perception.signs import Picture

RATE_HZ: Final = 12.5
SURE: Final = 0.4  # as the market files have it (driver_monitoring.camera.confidence_min)
CLOSED_BELOW: Final = 0.2  # as the market files have it (drowsiness.eyes.closed_below)
FRONT_DEG, SIDE_DEG = 12.0, 28.0  # [D] by which an angle is called front, slight, or to the side
DIRECTIONS: Final = ("image_left", "slight_image_left", "front", "slight_image_right", "image_right")


@dataclass(frozen=True, slots=True)
class Film:
    """A labelled film.

    Args:
        pictures: Its pictures.
        labels: One for each.
    """

    pictures: tuple[Picture, ...]
    labels: tuple[str, ...]


def film(folder: Path, name: str, key: str) -> Film:
    """A film with the labels of one key."""
    capture = cv2.VideoCapture(str(folder / f"{name}.mp4"))
    pictures = []
    while True:
        is_there, picture = capture.read()
        if not is_there:
            break
        pictures.append(np.asarray(picture, np.uint8))
    rows = json.loads((folder / f"{name}.labels.json").read_text(encoding="utf-8"))["frames"]
    return Film(tuple(pictures), tuple(row[key] for row in rows))


def watched(reader: DriverNetworks, pictures: tuple[Picture, ...]) -> list[Watched]:
    """What is seen in each picture of a film."""
    watcher, state, found = DriverWatcher(reader, Seat()), WatchState(), []
    for index, picture in enumerate(pictures):
        seen, state = watcher.step(picture, index / RATE_HZ, state)
        found.append(seen)
    return found


def direction(yaw_rad: float) -> str:
    """The word for an angle."""
    yaw_deg = math.degrees(yaw_rad)
    size = 0 if abs(yaw_deg) < FRONT_DEG else 1 if abs(yaw_deg) < SIDE_DEG else 2
    return DIRECTIONS[2 + (size if yaw_deg > 0 else -size)]


def heads(reader: DriverNetworks, folder: Path) -> dict[str, Any]:
    """The head that turns from side to side."""
    given = film(folder, "head_yaw_sweep", "head_yaw")
    seen = watched(reader, given.pictures)
    places = [DIRECTIONS.index(label) for label in given.labels]
    told = [
        None if item.driver.head_yaw_rad is None else DIRECTIONS.index(direction(item.driver.head_yaw_rad))
        for item in seen
    ]
    sides = [None if place is None else (place > 2) - (place < 2) for place in told]
    by_label = {
        label: [
            round(math.degrees(item.driver.head_yaw_rad))
            for item, one in zip(seen, given.labels, strict=True)
            if one == label and item.driver.head_yaw_rad is not None
        ]
        for label in DIRECTIONS
    }
    return {
        "pictures": len(seen),
        "faces": sum(item.driver.is_face_visible for item in seen),
        "same_word": sum(a == b for a, b in zip(told, places, strict=True)),
        "off_by_more_than_one_word": sum(a is None or abs(a - b) > 1 for a, b in zip(told, places, strict=True)),
        "same_side": sum(a == (b > 2) - (b < 2) for a, b in zip(sides, places, strict=True)),
        "yaw_deg_by_label": by_label,
        "confidence": round(float(np.mean([item.driver.confidence for item in seen])), 3),
    }


def lids(reader: DriverNetworks, folder: Path) -> dict[str, Any]:
    """The eyes that narrow once and close at the end."""
    given = film(folder, "frontal_blink", "eyes")
    seen = watched(reader, given.pictures)
    openness = [item.driver.eye_openness for item in seen]
    by_label = {
        label: [
            None if a is None else round(a, 2) for a, one in zip(openness, given.labels, strict=True) if one == label
        ]
        for label in ("open", "narrowed", "closing", "closed")
    }
    said = [a is not None and a < CLOSED_BELOW for a in openness]
    true = [label == "closed" for label in given.labels]
    counts = [label in ("open", "narrowed", "closed") for label in given.labels]
    hits = sum(a and b and c for a, b, c in zip(said, true, counts, strict=True))
    wrong = sum(a and not b and c for a, b, c in zip(said, true, counts, strict=True))
    missed = sum(not a and b and c for a, b, c in zip(said, true, counts, strict=True))
    opens = [a for a in by_label["open"] if a is not None]
    return {
        "pictures": len(seen),
        "faces": sum(item.driver.is_face_visible for item in seen),
        "closed_f1": round(2 * hits / max(2 * hits + wrong + missed, 1), 3),
        "closed_found": hits,
        "called_closed_wrongly": wrong,
        "open_median": round(float(np.median(opens)), 2) if opens else None,
        "openness_by_label": by_label | {"open": [min(opens, default=None), max(opens, default=None)]},
        "head_deg": [
            [round(math.degrees(min(x))), round(math.degrees(max(x)))]
            for x in (
                [item.driver.head_yaw_rad or 0.0 for item in seen],
                [item.driver.head_pitch_rad or 0.0 for item in seen],
            )
        ],
        "confidence": round(float(np.mean([item.driver.confidence for item in seen])), 3),
    }


def rendered(reader: DriverNetworks, many: int, harsh: float) -> dict[str, Any]:
    """Rendered drivers that nobody trained on, in pictures worse than those of the training: is confidence honest?

    Right is a head within 15 degrees in yaw and pitch of a face that lies where it is told.
    """
    from training.driver.heads import render
    from training.driver.scenes import Studio

    heads = render(max(many // 2, 50), 77, 1)
    studio = Studio(heads, np.random.default_rng(7), harsh=harsh)
    watcher = DriverWatcher(reader, Seat())
    confidence, is_right, misses, ghosts, faces = [], [], 0, 0, 0
    for number in range(many):
        scene = studio.scene()
        picture = np.clip(np.round(scene.picture * 255.0), 0, 255).astype(np.uint8)
        picture = np.asarray(cv2.resize(picture, None, fx=3.0, fy=3.0, interpolation=cv2.INTER_LINEAR), np.uint8)
        seen, _ = watcher.step(picture, float(number), WatchState())
        if len(scene.boxes) > 1:
            continue
        faces += len(scene.boxes)
        driver = seen.driver
        if not driver.is_face_visible or seen.face is None:
            misses += len(scene.boxes)
            continue
        if len(scene.boxes) == 0:
            ghosts += 1
            confidence.append(driver.confidence)
            is_right.append(False)
            continue
        left, top, right, bottom = scene.boxes[0] * 3.0
        at = [(seen.face.box_px[k] + seen.face.box_px[k + 2]) / 2.0 for k in (0, 1)]
        near = math.hypot(at[0] - (left + right) / 2.0, at[1] - (top + bottom) / 2.0) < 0.35 * (bottom - top)
        yaw_deg, pitch_deg = (float(value) for value in heads["pose"][scene.heads[0]])
        assert driver.head_yaw_rad is not None and driver.head_pitch_rad is not None
        off_deg = max(
            abs(math.degrees(driver.head_yaw_rad) - yaw_deg), abs(math.degrees(driver.head_pitch_rad) - pitch_deg)
        )
        confidence.append(driver.confidence)
        is_right.append(near and off_deg <= 15.0)
    said, right = np.array(confidence), np.array(is_right)
    counts = said >= SURE
    return {
        "faces": faces,
        "not_seen": misses,
        "seen_where_none_is": ghosts,
        "right": round(float(right.mean()), 3),
        "right_where_it_counts": round(float(right[counts].mean()), 3),
        "share_that_counts": round(float(counts.mean()), 3),
        "ece": round(calibration_error(said, right), 3),
        "by_confidence": [
            [round(float(said[part].mean()), 2), round(float(right[part].mean()), 2), int(part.sum())]
            for low in np.arange(0.0, 1.0, 0.2)
            if (part := (said >= low) & (said < low + 0.2)).any()
        ],
    }


def calibration_error(confidence: Any, is_right: Any, bins: int = 10) -> float:
    """Expected calibration error, by tenths."""
    places = np.clip((confidence * bins).astype(int), 0, bins - 1)
    return float(
        sum(
            abs(confidence[places == k].mean() - is_right[places == k].mean()) * (places == k).mean()
            for k in range(bins)
            if (places == k).any()
        )
    )


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=shared_data())
    parser.add_argument("--rendered", type=int, default=0, metavar="N", help="so many rendered pictures, too")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    reader = DriverNetworks(("de",))
    folder = options.data / "driver_monitoring"
    print("head:", json.dumps(heads(reader, folder)))
    print("eyes:", json.dumps(lids(reader, folder)))
    if options.rendered:
        sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
        print("rendered:", json.dumps(rendered(reader, options.rendered, 1.6)))
    pictures = film(folder, "frontal_blink", "eyes").pictures
    began_s = time.process_time()
    watched(reader, pictures)
    print(f"{(time.process_time() - began_s) / len(pictures) * 1e3:.1f} ms a picture of 480x270, one thread")


if __name__ == "__main__":
    main()
