"""What is seen of the driver, from a source to records, lines and drawings: `adas perceive --driver`."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np

from adas_runtime.errors import AdasError
from adas_runtime.perceive.overlay import DARK, PALE, SIGN_COLOUR, TRUST_COLOUR, WHITE, Canvas, Colour, Image
from adas_runtime.perceive.result import Record, rounded
from adas_runtime.perceive.sources import Frame, Kind, Say, Source, looked_at
from adas_runtime.perception.driver.core import DriverWatcher, Seat, Watched, WatchState
from adas_runtime.perception.driver.seen import POINTS, Reader
from adas_runtime.signals import GazeZone

HEAD: Final = f"{'picture':<28} {'face':>5} {'yaw':>6} {'pitch':>6} {'eyes':>5} {'sure':>5}  remarks"
ARROW: Final = 0.9  # length of the head's arrow, as a share of the face's height


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenDriver:
    """One picture with what was seen of the driver in it.

    Args:
        frame: The picture; without an image where it cannot be decoded.
        record: What is told of it.
        watched: What was seen.
    """

    frame: Frame
    record: Record
    watched: Watched


def watch(
    source: Source, *, reader: Reader, seat: Seat, every: int, max_frames: int | None, say: Say
) -> Iterator[SeenDriver]:
    """Look at a source's pictures of a driver.

    Args:
        source: Pictures of a video share the memory; each picture file stands by itself.
        reader: Finds and reads faces.
        seat: Where the driver sits.
        every: Look at the first of each so many pictures.
        max_frames: Stop after so many looks.
        say: Called with each line that the user should read.
    Raises:
        AdasError: The source cannot be read, or is a recording.
    """
    if source.kind is Kind.BAG:
        raise AdasError(
            "pictures of the cabin are never read from a recording",
            where=source.name,
            mend="give the driver camera's own pictures or film",
        )
    cv2.setNumThreads(1)  # as in the car; threads would make sums depend on the machine
    watcher, state = DriverWatcher(reader, seat), WatchState()
    for frame in looked_at(source, every=every, max_frames=max_frames, say=say):
        watched, state = watcher.step(frame.image, frame.stamp_s, state)
        yield SeenDriver(frame=frame, record=record(source.name, frame, watched, seat), watched=watched)


def record(source: str, frame: Frame, watched: Watched, seat: Seat) -> Record:
    """What is told of one picture, ready for JSON; see `docs/driver_camera.md`."""
    driver, face, reading = watched.driver, watched.face, watched.reading
    image = frame.image
    told: dict[str, Any] = {
        "is_face_visible": driver.is_face_visible,
        "is_camera_covered": driver.is_camera_covered,
        "is_hard_to_see": driver.is_hard_to_see,
        "confidence": round(driver.confidence, 3),
        "sight": None if watched.sight is None else watched.sight.value,
        "causes": list(watched.causes),
        "angles_from": "camera" if seat.mount is None else "vehicle",
        "head_yaw_rad": rounded(driver.head_yaw_rad, 4),
        "head_pitch_rad": rounded(driver.head_pitch_rad, 4),
        "gaze_zone": driver.gaze_zone.name.lower(),
        "eye_openness": rounded(driver.eye_openness, 3),
        "picture": driver.frame,
        "box_px": None,
        "points_px": {},
        "eyes": [],
        "sunglasses": None,
        "eyes_covered": None,
        "mouth_covered": None,
        "other_faces_px": [[round(value, 1) for value in other.box_px] for other in watched.others],
    }
    if face is not None:
        told["box_px"] = [round(value, 1) for value in face.box_px]
        told["points_px"] = {
            name: [round(x, 1), round(y, 1)] for name, (x, y) in zip(POINTS, face.points_px, strict=True)
        }
    if watched.eyes is not None:
        told["eyes"] = [
            {
                "side": side,
                "openness": round(eye.openness, 3),
                "closed": round(eye.closed, 3),
                "visible": round(eye.visible, 3),
            }
            for side, eye in zip(("image_left", "image_right"), watched.eyes, strict=True)
        ]
    if reading is not None:
        told |= {name: round(getattr(reading, name), 3) for name in ("sunglasses", "eyes_covered", "mouth_covered")}
    return {
        "frame": frame.index,
        "stamp_s": round(frame.stamp_s, 6),
        "source": source,
        "width_px": None if image is None else image.shape[1],
        "height_px": None if image is None else image.shape[0],
        "reason": frame.reason,
        "driver": told,
    }


def line(name: str, seen: SeenDriver) -> str:
    """One row of the table."""
    told = seen.record["driver"]
    if seen.frame.image is None:
        return f"{name:<28} {seen.frame.reason}"
    angles = [
        "-" if told[key] is None else f"{math.degrees(told[key]):+.0f}°" for key in ("head_yaw_rad", "head_pitch_rad")
    ]
    eyes = "-" if told["eye_openness"] is None else f"{told['eye_openness'] * 100:.0f} %"
    face = "yes" if told["is_face_visible"] else "no"
    zone = "" if told["gaze_zone"] == GazeZone.UNKNOWN.name.lower() else f"looks at {told['gaze_zone']}"
    remarks = ", ".join(text for text in (zone, *(cause.replace("_", " ") for cause in told["causes"])) if text)
    sure = f"{told['confidence'] * 100:.0f} %"
    return f"{name:<28} {face:>5} {angles[0]:>6} {angles[1]:>6} {eyes:>5} {sure:>5}  {remarks}".rstrip()


class Tally:
    """What a film's pictures come to."""

    def __init__(self) -> None:
        self.count = 0
        self._faces = 0

    def add(self, seen: SeenDriver) -> None:
        """Count one picture."""
        self.count += 1
        self._faces += seen.watched.driver.is_face_visible

    def line(self, name: str) -> str:
        """One line under the table."""
        noun = "picture" if self.count == 1 else "pictures"
        return f"{name}: {self.count} {noun}, a face in {100 * self._faces / self.count:.0f} %"


def draw(seen: SeenDriver) -> Image:
    """The picture with what was seen of the driver."""
    assert seen.frame.image is not None
    canvas = Canvas(seen.frame.image)
    watched, unit = seen.watched, canvas.unit
    for other in watched.others:
        canvas.frame(other.box_px, PALE, 1.0)
    face = watched.face
    if face is not None:
        canvas.frame(face.box_px, _colour(watched.driver.confidence), 2.0)
        for x, y in face.points_px:
            spot = canvas.place(np.array([[x, y]]) - 0.5)[0]
            angles = np.linspace(0.0, 2.0 * math.pi, 13)
            canvas.fill(spot + 3.0 * unit * np.stack([np.cos(angles), np.sin(angles)], axis=1), SIGN_COLOUR)
        _arrow(canvas, watched)
    _legend(canvas, seen)
    return canvas.image


def _arrow(canvas: Canvas, watched: Watched) -> None:
    """Where the head points, as seen by the camera."""
    face, reading = watched.face, watched.reading
    if face is None or reading is None:
        return
    x, y = face.points_px[POINTS.index("nose")]
    reach = ARROW * face.height_px
    end = (x + reach * math.sin(reading.yaw_rad), y + reach * math.sin(reading.pitch_rad))
    canvas.line(canvas.place(np.array([[x, y], end]) - 0.5), WHITE, 3.0 * canvas.unit, casing=True)


def _legend(canvas: Canvas, seen: SeenDriver) -> None:
    unit, told = canvas.unit, seen.record["driver"]
    step, margin = 25.0 * unit, 12.0 * unit
    angles = [round(math.degrees(told[key] or 0.0)) for key in ("head_yaw_rad", "head_pitch_rad")]
    rows = [f"frame {seen.record['frame']}   {seen.record['stamp_s']:.2f} s   sure {told['confidence'] * 100:.0f} %"]
    if told["is_face_visible"]:
        yaw_deg, pitch_deg = angles
        side = "left" if yaw_deg >= 0 else "right"
        way = "down" if pitch_deg >= 0 else "up"
        rows.append(f"head {abs(yaw_deg)}° to the driver's {side}, {abs(pitch_deg)}° {way}")
        openness = told["eye_openness"]
        rows.append("eyes not seen" if openness is None else f"eyes {openness * 100:.0f} % open")
    rows.append(", ".join(cause.replace("_", " ") for cause in told["causes"]) or "seen well")
    high, wide = len(rows) * step + 1.2 * margin, 430.0 * unit
    corner = np.array([margin, margin])
    canvas.fill(corner + np.array([[0, 0], [wide, 0], [wide, high], [0, high]]), DARK, 0.72)
    for number, text in enumerate(rows):
        canvas.text(text, (2 * margin, margin + (number + 1) * step), WHITE if number else PALE, 16.0, bold=not number)


def _colour(confidence: float) -> Colour:
    """Green, yellow, red: how sure."""
    state = "calibrated" if confidence >= 0.6 else "estimated" if confidence >= 0.3 else "estimating"
    return TRUST_COLOUR[state]
