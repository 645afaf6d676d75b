"""`adas perceive --slots`: parking bays in pictures from above, as JSON, as lines, as a drawing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.errors import AdasError
from adas_runtime.market import Market
from adas_runtime.perceive.film import OverlayFolder
from adas_runtime.perceive.result import dumps
from adas_runtime.perceive.sources import Frame, Kind, Say, Source, find, looked_at
from adas_runtime.perception.parking import Ground, find_slots
from adas_runtime.signals import ParkingSlot

SCALE_MAX: Final = 0.2  # m a pixel: a line of 0.1 m is half a pixel wide then
FREE: Final = (60, 200, 60)
TAKEN: Final = (60, 60, 220)
UNKNOWN: Final = (200, 200, 200)


def show(
    inputs: list[str],
    *,
    market: Market,
    scale_m: float | None,
    as_json: bool,
    overlay: Path | None,
    every: int,
    max_frames: int | None,
    camera_topic: str | None,
    say: Say,
) -> int:
    """Look at each picture; exit code 2 where one could not be read.

    Args:
        scale_m: Size of a pixel on the ground [m].
        camera_topic: Topic of a recording; `None`: the front camera's.
    Raises:
        AdasError: No scale, or one at which no line could be seen.
    """
    if scale_m is None:
        raise AdasError(
            "needs the size of a pixel on the ground", where="--slots", mend="add --scale M_PER_PX, such as 0.025"
        )
    if not 0.001 <= scale_m <= SCALE_MAX:
        raise AdasError(
            f"{scale_m:g} m a pixel shows no painted line", where="--scale", mend=f"take 0.001 to {SCALE_MAX:g}"
        )
    folder = None if overlay is None else OverlayFolder(overlay)
    failed = 0
    for source in find(inputs):
        if isinstance(source, AdasError):
            failed += 1
            say(source.line())
            continue
        try:
            frames = looked_at(source, every=every, max_frames=max_frames, say=say, camera_topic=camera_topic)
            _source(source, frames, market, scale_m, folder, say, as_json=as_json)
        except AdasError as error:
            failed += 1
            say(error.line())
    return 2 if failed else 0


def _source(
    source: Source,
    frames: Iterator[Frame],
    market: Market,
    scale_m: float,
    folder: OverlayFolder | None,
    say: Say,
    *,
    as_json: bool,
) -> None:
    stem = "" if folder is None else folder.stem(source)
    for frame in frames:
        if frame.image is None:
            say(f"{source.name}: frame {frame.index}: {frame.reason}")
            continue
        rows, columns = frame.image.shape[:2]
        ground = Ground.around(rows, columns, scale_m)
        slots = find_slots(frame.image, ground, market.parking.bay)
        if as_json:
            record = {
                "frame": frame.index,
                "stamp_s": round(frame.stamp_s, 6),
                "source": source.name,
                "slots": [_record(slot, ground) for slot in slots],
            }
            print(dumps(record))
        else:
            print(f"{source.name}{'' if source.kind is Kind.PICTURE else f' frame {frame.index}'}: {_line(slots)}")
        if folder is not None:
            name = f"{stem}.overlay.jpg" if source.kind is Kind.PICTURE else f"{stem}.{frame.index:06d}.overlay.jpg"
            folder.write(name, draw(frame.image, slots, ground))


def _line(slots: tuple[ParkingSlot, ...]) -> str:
    if not slots:
        return "no bay"
    free = sum(slot.is_free is True for slot in slots)
    kinds = sorted({slot.kind.name.lower() for slot in slots})
    noun = "bay" if len(slots) == 1 else "bays"
    reserved = sum(slot.is_reserved for slot in slots)
    tail = f", {reserved} reserved" if reserved else ""
    return f"{len(slots)} {noun} ({', '.join(kinds)}), {free} free{tail}"


def _record(slot: ParkingSlot, ground: Ground) -> dict[str, Any]:
    corners = np.array([(corner.x_m, corner.y_m) for corner in slot.corners])
    return {
        "kind": slot.kind.name.lower(),
        "corners_m": np.round(corners, 3).tolist(),
        "corners_px": np.round(ground.pixels(corners), 1).tolist(),
        "is_free": slot.is_free,
        "is_reserved": slot.is_reserved,
        "confidence": round(slot.confidence, 3),
    }


def draw(picture: npt.NDArray[np.uint8], slots: tuple[ParkingSlot, ...], ground: Ground) -> npt.NDArray[np.uint8]:
    """Bays over their picture: green free, red taken, the entrance thick."""
    image = picture.copy() if picture.ndim == 3 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR), np.uint8)
    for slot in slots:
        corners = np.array([(corner.x_m, corner.y_m) for corner in slot.corners])
        points = np.round(ground.pixels(corners)).astype(np.int32)
        hue = UNKNOWN if slot.is_free is None else FREE if slot.is_free else TAKEN
        cv2.polylines(image, [points], True, hue, 2, cv2.LINE_AA)
        cv2.line(image, points[0].tolist(), points[1].tolist(), hue, 4, cv2.LINE_AA)
    return image
