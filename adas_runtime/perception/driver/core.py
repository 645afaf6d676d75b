"""The driver camera's core: one grey picture and what was known before, out comes `DriverState`."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import cv2
import numpy as np

from adas_runtime.perception.driver.seen import FoundFace, Reader, ReadEye, ReadFace
from adas_runtime.perception.driver.view import LOST_FROM, Sight, Stillness, View, judged, measured, stilled
from adas_runtime.perception.signs import Picture
from adas_runtime.signals import DriverState, GazeZone
from adas_runtime.units import deg_to_rad
from adas_runtime.vehicle.schema import CameraMount

# All of these are design choices [D]; docs/driver_camera.md shows what they come to.
FACE_MIN: Final = 0.5  # a face that finder and reader together believe less is none
FOUND_ENOUGH: Final = 0.5  # the finder is sure enough from here on
# what makes a probability of the product of what finder and reader say: fitted on rendered heads that nobody trained on
SURE_SLOPE: Final = 8.5
SURE_HALF: Final = 0.47
COVER_MIN: Final = 0.5
EYE_MIN: Final = 0.5  # of an eye that counts
FAR_RAD: Final = deg_to_rad(60.0)  # the networks were not shown heads much farther round than this
SIDE_WORTH: Final = 1.6  # a face on the driver's side counts as so much larger than one on the other side
SAME_WORTH: Final = 2.0  # and the face that was the driver's just before as so much larger than another one
SAME_S: Final = 1.0  # for so long after it was seen
RIVAL: Final = 0.5  # a second face that counts half as much as the driver's makes the choice unsure
JUMP_RAD: Final = deg_to_rad(35.0)  # no head turns so far ...
JUMP_S: Final = 0.1  # ... in this time
ROAD_YAW_RAD: Final = deg_to_rad(15.0)
ROAD_PITCH_RAD: Final = deg_to_rad(12.0)
LAP_PITCH_RAD: Final = deg_to_rad(25.0)
SIDE_YAW_RAD: Final = deg_to_rad(45.0)
COVERS: Final = ("sunglasses", "eyes_covered", "mouth_covered")  # fields of `ReadFace`, and causes
HIDES_EYES: Final = frozenset({"sunglasses", "eyes_covered"})
HARD_TO_SEE: Final = frozenset({*COVERS, "eyes_unseen", "dim"})
OPEN_MIN: Final = 0.5  # lids that are farther down hide where the eyes look


@dataclass(frozen=True, slots=True, kw_only=True)
class Seat:
    """Where the driver sits, and how the camera looks at him.

    Args:
        mount: Of the camera; `None`: unknown, and angles count from the camera's line of sight.
        is_driver_image_right: The driver is the one at the picture's right; `None`: only one person is in view.
        is_passenger_right: The passenger sits at the driver's right, as in a car with its wheel at the left.
    """

    mount: CameraMount | None = None
    is_driver_image_right: bool | None = None
    is_passenger_right: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchState:
    """Memory from picture to picture.

    Args:
        still: Since when the picture is the very same.
        middle: Of the driver's face, as a share of the picture; `None` before one was seen.
        face_s: When it was seen last.
        yaw_rad: Of the head then.
    """

    still: Stillness = field(default_factory=Stillness)
    middle: tuple[float, float] | None = None
    face_s: float = -math.inf
    yaw_rad: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shot:
    """A picture before a face is looked for in it; `worth`: the factor on confidence, `size`: rows and columns."""

    stamp_s: float
    size: tuple[int, int]
    view: View
    still: Stillness
    sight: Sight
    worth: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """What is seen of the driver in one picture; more than `DriverState` tells, for people who look at it.

    Args:
        driver: What the car is told.
        sight: What the camera can see.
        view: Light and detail of the picture; `None`: it cannot be read.
        face: The driver's, `None`: none.
        others: Other faces.
        reading: Pose and covers of the driver's face.
        eyes: At the picture's left and right.
        causes: Why confidence is not higher, the gravest first.
    """

    driver: DriverState
    sight: Sight | None
    view: View | None
    face: FoundFace | None = None
    others: tuple[FoundFace, ...] = ()
    reading: ReadFace | None = None
    eyes: tuple[ReadEye, ReadEye] | None = None
    causes: tuple[str, ...] = ()


class DriverWatcher:
    """Looks at one picture after the other."""

    def __init__(self, reader: Reader, seat: Seat) -> None:
        self._reader = reader
        self._seat = seat

    def step(self, picture: Picture | None, stamp_s: float, state: WatchState) -> tuple[Watched, WatchState]:
        """One picture.

        Args:
            picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey; `None`: it cannot be read.
            stamp_s: Its time.
            state: After the picture before.
        Returns:
            What is seen, and the state to hand in next. What cannot be seen is unknown, never a guess.
        """
        if picture is None or picture.size == 0:
            told = DriverState(stamp_s=stamp_s, frame=state.still.frame)
            return Watched(driver=told, sight=None, view=None, causes=("unreadable",)), state
        grey = picture if picture.ndim == 2 else np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
        view = measured(grey)
        still = stilled(state.still, view, stamp_s)
        sight, worth = judged(view, still, stamp_s)
        shot = _Shot(
            stamp_s=stamp_s, size=(grey.shape[0], grey.shape[1]), view=view, still=still, sight=sight, worth=worth
        )
        kept = WatchState(still=still, middle=state.middle, face_s=state.face_s, yaw_rad=state.yaw_rad)
        if sight not in (Sight.CLEAR, Sight.DIM):
            told = DriverState(
                stamp_s=stamp_s,
                # in the dark and against the sun nothing can be seen either, but nobody covered the lens
                is_camera_covered=sight in (Sight.COVERED, Sight.FROZEN),
                is_hard_to_see=True,
                frame=still.frame,
            )
            return Watched(driver=told, sight=sight, view=view, causes=(sight.value,)), kept
        faces = self._reader.find(grey)
        face, rival = self._chosen(faces, shot, state)
        others = tuple(other for other in faces if other is not face)
        reading: ReadFace | None = None
        if face is not None:
            face, reading = self._reader.read_face(grey, face)
        trust = 0.0 if face is None or reading is None else reading.face * min(face.score / FOUND_ENOUGH, 1.0)
        if face is None or reading is None or trust < FACE_MIN:
            told = DriverState(
                stamp_s=stamp_s,
                is_hard_to_see=True if sight is Sight.DIM else None,
                frame=still.frame,
                confidence=worth * (1.0 - trust),
            )
            dim = ("dim",) if sight is Sight.DIM else ()
            return Watched(driver=told, sight=sight, view=view, others=faces, causes=(*dim, "no_face")), kept
        eyes = self._reader.read_eyes(grey, face)
        confidence, causes = _trusted(shot, trust, rival, reading, state)
        x, y = _middle(face)
        yaw_rad, pitch_rad = self._in_car(reading, x, y, shot)
        openness = None if HIDES_EYES & set(causes) else opened(eyes)
        if openness is None and not HIDES_EYES & set(causes):
            causes = (*causes, "eyes_unseen")
        told = DriverState(
            stamp_s=stamp_s,
            is_face_visible=True,
            gaze_zone=self._zone(yaw_rad, pitch_rad, openness),
            head_yaw_rad=yaw_rad,
            head_pitch_rad=pitch_rad,
            eye_openness=openness,
            is_hard_to_see=bool(HARD_TO_SEE & set(causes)),
            frame=still.frame,
            confidence=confidence,
        )
        watched = Watched(
            driver=told,
            sight=sight,
            view=view,
            face=face,
            others=others,
            reading=reading,
            eyes=eyes,
            causes=causes,
        )
        middle = (x / shot.size[1], y / shot.size[0])
        return watched, WatchState(still=still, middle=middle, face_s=stamp_s, yaw_rad=reading.yaw_rad)

    def _chosen(self, faces: tuple[FoundFace, ...], shot: _Shot, state: WatchState) -> tuple[FoundFace | None, float]:
        """The driver's face: large, on the driver's side, where it was; and how near a second one comes, 0 to 1."""
        rows, columns = shot.size
        side = self._seat.is_driver_image_right
        ranked: list[tuple[float, FoundFace]] = []
        for face in faces:
            x, y = _middle(face)
            worth = face.height_px * math.sqrt(face.score)
            if side is not None and (x > columns / 2.0) == side:
                worth *= SIDE_WORTH
            if state.middle is not None and 0.0 <= shot.stamp_s - state.face_s <= SAME_S:
                off_px = math.hypot(x - state.middle[0] * columns, y - state.middle[1] * rows)
                worth *= 1.0 + (SAME_WORTH - 1.0) * math.exp(-((off_px / face.height_px) ** 2))
            ranked.append((worth, face))
        if not ranked:
            return None, 0.0
        ranked.sort(key=lambda item: -item[0])
        return ranked[0][1], ranked[1][0] / ranked[0][0] if len(ranked) > 1 else 0.0

    def _in_car(self, reading: ReadFace, x: float, y: float, shot: _Shot) -> tuple[float, float]:
        """Head angles in the car's frame, or from the camera's line of sight where the mount is not known."""
        mount = self._seat.mount
        if mount is None:
            return reading.yaw_rad, reading.pitch_rad
        rows, columns = shot.size
        # the camera looks back at the driver; what its picture shows at the right sits at the car's left
        across = math.atan((x - mount.cx_px * columns / mount.width_px) / (mount.fx_px * columns / mount.width_px))
        down = math.atan((y - mount.cy_px * rows / mount.height_px) / (mount.fy_px * rows / mount.height_px))
        back_rad = deg_to_rad((mount.yaw_deg % 360.0) - 180.0)
        yaw_rad = reading.yaw_rad - across + back_rad
        pitch_rad = reading.pitch_rad - down - deg_to_rad(mount.pitch_deg)
        return math.remainder(yaw_rad, 2.0 * math.pi), math.remainder(pitch_rad, 2.0 * math.pi)

    def _zone(self, yaw_rad: float, pitch_rad: float, openness: float | None) -> GazeZone:
        """The zone as far as head and lids tell it: where the eyes look without the head is not known.

        Mirrors, instruments and display are looked at with the eyes alone, so they are never told.
        """
        if self._seat.mount is None:
            return GazeZone.UNKNOWN  # nobody knows where the road is
        if pitch_rad >= LAP_PITCH_RAD and abs(yaw_rad) < SIDE_YAW_RAD and openness is not None and openness < OPEN_MIN:
            return GazeZone.LAP
        is_right = self._seat.is_passenger_right
        if is_right is not None and abs(yaw_rad) >= SIDE_YAW_RAD and (yaw_rad < 0.0) == is_right:
            return GazeZone.PASSENGER
        if abs(yaw_rad) < ROAD_YAW_RAD and abs(pitch_rad) < ROAD_PITCH_RAD and (openness or 0.0) >= OPEN_MIN:
            return GazeZone.ROAD
        return GazeZone.UNKNOWN


def opened(eyes: tuple[ReadEye, ReadEye]) -> float | None:
    """How far the eyes are open: the more open one of those that can be seen; `None`: neither can.

    Both close at once; where one seems shut and the other open, a shadow or a lash is likelier than sleep.
    """
    return max((eye.openness for eye in eyes if eye.visible >= EYE_MIN), default=None)


def _trusted(
    shot: _Shot, trust: float, rival: float, reading: ReadFace, state: WatchState
) -> tuple[float, tuple[str, ...]]:
    """Confidence in what a face shows, and why it is not higher."""
    causes: list[str] = []
    raw = trust * reading.yaw_sure * reading.pitch_sure
    confidence = shot.worth / (1.0 + math.exp(-SURE_SLOPE * (raw - SURE_HALF)))
    if shot.sight is Sight.DIM:
        causes.append("dim")
    if shot.view.lost > LOST_FROM:
        causes.append("partly_black")
    if rival > RIVAL:
        confidence *= 1.0 - 0.5 * (rival - RIVAL) / (1.0 - RIVAL)
        causes.append("two_faces")
    turned_rad = abs(reading.yaw_rad)
    if turned_rad > FAR_RAD:
        confidence *= max(1.0 - (turned_rad - FAR_RAD) / FAR_RAD, 0.0)
        causes.append("turned_away")
    step_s = shot.stamp_s - state.face_s
    turn_most_rad = JUMP_RAD * max(step_s / JUMP_S, 1.0)
    if state.yaw_rad is not None and 0.0 < step_s < SAME_S and abs(reading.yaw_rad - state.yaw_rad) > turn_most_rad:
        confidence *= 0.5
        causes.append("jump")
    causes += [name for name in COVERS if getattr(reading, name) >= COVER_MIN]
    return min(max(confidence, 0.0), 1.0), tuple(causes)


def _middle(face: FoundFace) -> tuple[float, float]:
    left, top, right, bottom = face.box_px
    return (left + right) / 2.0, (top + bottom) / 2.0
