"""One picture in, one lane model out, with what is remembered from picture to picture."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.market.schema import LaneFacts
from adas_runtime.perception.calibration import PitchEstimate, vanishing_points
from adas_runtime.perception.camera import Camera, camera_for
from adas_runtime.perception.encoded import is_cut
from adas_runtime.perception.lane_fit import (
    Family,
    Line,
    ego_pair,
    find_family,
    find_lines,
    held_to,
    in_force,
    pitch_error_rad,
    quality,
)
from adas_runtime.perception.lane_fit import confidence as confidence_of
from adas_runtime.perception.markings import Marks, Strip, find_marks, make_strip, sample
from adas_runtime.perception.params import LanePerceptionParams
from adas_runtime.signals import LaneBoundary, LaneModel, LaneSide, MarkingColour, MarkingType
from adas_runtime.vehicle.schema import CameraMount

Image = npt.NDArray[np.uint8]

ANGLE_QUANTUM_RAD: Final = 0.0005  # lookup tables are kept per angle; 0.03 deg moves a line at 20 m by 5 cm of range
PITCH_GAIN: Final = 0.15
PITCH_STEP_MAX_RAD: Final = 0.01
PITCH_KNOWN_SPAN_RAD: Final = 0.03  # a measured mount only pitches with the car
PITCH_NOISE_RAD: Final = 0.004
VANISHING_EVERY: Final = 5  # frames between looks for the vanishing point while it has not converged
AIM_YAW_STD_RAD: Final = 0.06
AIMS_SHIFTED: Final = 2
AIM_SHIFT_RAD: Final = 0.012
AIMS_REFINED: Final = 3
AIM_PASSES: Final = 3
AIM_TRUST_MIN: Final = 0.4  # of an aim that no line segment of the picture voted for
AIM_MOVE_MAX_RAD: Final = 0.015
SETTLE_MIN: Final = 8  # looks at a picture that stands alone
SETTLE_MAX: Final = 20
BLEND_MIN: Final = 0.4  # share of the new picture, for a line that is hardly believed and for a sure one
BLEND_MAX: Final = 0.85
JUMP_M: Final = 0.5
VOTES_MAX: Final = 12.0
UNDER_CAR_M: Final = 0.7  # a lone line this near to the car's middle lies under the car
ALONE_UPDATES: Final = 25  # pictures in a row after which such a line is believed all the same
WARM_UP_PX: Final = (1280, 720)  # where the camera is not known
DIGITS: Final = 4  # outputs are rounded to 0.1 mm, so that the last bits of a CPU do not reach a digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """A boundary from picture to picture, in the frame of the camera's foot.

    Args:
        line: As last seen, smoothed.
        seen_s: When it was last seen.
        updates: Pictures in a row.
        dashed, solid, yellow, white: Votes, fading.
    """

    line: Line
    seen_s: float
    updates: int
    dashed: float
    solid: float
    yellow: float
    white: float

    @property
    def type(self) -> MarkingType:
        """Form by vote."""
        if max(self.dashed, self.solid) < 0.9:
            return MarkingType.UNKNOWN
        return MarkingType.DASHED if self.dashed > self.solid else MarkingType.SOLID

    @property
    def colour(self) -> MarkingColour:
        """Colour by vote."""
        return MarkingColour.YELLOW if self.yellow > self.white else MarkingColour.WHITE


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneState:
    """Memory of the lane model; the defaults are a start without any.

    Args:
        size_px: Size of the pictures so far; another size starts afresh.
        pitch: Mounting as estimated from the footage; `None` before the first look.
        family: Heading and bend of the former picture.
        left, right: The own lane's boundaries.
        frames: Pictures so far.
    """

    size_px: tuple[int, int] = (0, 0)
    pitch: PitchEstimate | None = None
    family: Family | None = None
    left: Tracked | None = None
    right: Tracked | None = None
    frames: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneResult:
    """A lane model with the camera that it was seen by."""

    model: LaneModel
    camera: Camera
    is_mount_known: bool


@lru_cache(maxsize=8)
def _strip(camera: Camera, range_max_m: float) -> Strip | None:
    return make_strip(replace(camera, x_m=0.0, y_m=0.0), range_max_m)


class LaneDetector:
    """Finds lane boundaries; all memory is the state that is handed in and out.

    Args:
        params: Thresholds.
        facts: The market's lane facts.
        mount: The camera; `None`: nothing is known of it, so that metres are only an assumption.
    """

    def __init__(self, params: LanePerceptionParams, facts: LaneFacts, mount: CameraMount | None) -> None:
        self._params = params
        self._mount = mount
        width = facts.width
        self._widths_m = (float(width.works_min_m), float(width.max_m))
        self._nominal_m = float(width.nominal_m)
        self._has_yellow_works = facts.works.overrides_permanent and "yellow" in facts.works.colours

    def step(self, image: Image, stamp_s: float, state: LaneState) -> tuple[LaneResult, LaneState]:
        """One picture, blue green red, (rows, columns, 3) uint8."""
        height, width = image.shape[:2]
        if state.size_px != (width, height):
            state = LaneState(size_px=(width, height))
        camera, is_known = camera_for(self._mount, width, height, self._params)
        pitch = state.pitch
        if pitch is None:
            pitch = self._first_look(image, camera, is_known)
        elif (
            not is_known
            and not pitch.has_converged
            and (state.left is None or state.right is None)  # both followed: their own parallelism does the rest
            and state.frames % VANISHING_EVERY == 0
        ):
            pitch = self._look_again(image, camera, pitch)
        aimed = self._aimed(camera, pitch)
        strip = _strip(aimed, self._params.range_max_m)
        if strip is None:
            model = LaneModel(stamp_s=stamp_s, is_calibrated=False, reason="the camera sees no road ahead")
            return (
                LaneResult(model=model, camera=aimed, is_mount_known=is_known),
                replace(state, pitch=None, frames=state.frames + 1),
            )
        marks = find_marks(strip, sample(strip, image), self._params.contrast_min)
        family = find_family(marks, state.family if state.left or state.right else None)
        lines = find_lines(marks, family, self._params.support_min_m)
        if self._has_yellow_works:
            lines = in_force(lines)
        expected = (state.left.line.c0 if state.left else None, state.right.line.c0 if state.right else None)
        left, right = ego_pair(lines, self._widths_m, self._nominal_m, expected)
        pitch = self._refined(pitch, camera, left, right, is_known)
        if left is not None and right is not None:  # after the pitch, which needs both as free as they are
            if quality(left) * left.support_m >= quality(right) * right.support_m:
                right = held_to(marks, right, left)
            else:
                left = held_to(marks, left, right)
        tracked = (
            self._track(state.left, state.right, left, stamp_s),
            self._track(state.right, state.left, right, stamp_s),
        )
        model = self._model(stamp_s, tracked, lines, (left, right), aimed, pitch, is_known)
        after = replace(
            state,
            pitch=pitch,
            family=family if left is not None or right is not None else None,
            left=tracked[0],
            right=tracked[1],
            frames=state.frames + 1,
        )
        return LaneResult(model=model, camera=aimed, is_mount_known=is_known), after

    def settle(self, image: Image, stamp_s: float = 0.0) -> tuple[LaneResult, LaneState]:
        """One picture by itself: looked at until the mounting that its lines suggest stays the same.

        A picture of a clip is better off with `step` and the memory of those before it.
        """
        result, state = self.step(image, stamp_s, LaneState())
        for _ in range(SETTLE_MAX):
            former = result.camera
            result, state = self.step(image, stamp_s, state)
            moved = abs(result.camera.pitch_rad - former.pitch_rad) + abs(result.camera.yaw_rad - former.yaw_rad)
            if moved == 0.0 and state.frames >= SETTLE_MIN:
                break
        return result, state

    def warm_up(self) -> None:
        """Look at a drawn road twice and forget it: the first use of each part of OpenCV reads it from the disk."""
        columns, rows = (self._mount.width_px, self._mount.height_px) if self._mount is not None else WARM_UP_PX
        road = np.full((rows, columns, 3), 90, dtype=np.uint8)
        far = (columns // 2, rows // 2)
        for foot in (columns // 5, columns * 4 // 5):
            cv2.line(road, far, (foot, rows - 1), (230, 230, 230), max(2, columns // 160))
        picture = decode("jpeg", cv2.imencode(".jpg", road)[1].tobytes(), columns, rows)
        assert picture is not None
        _, state = self.step(picture, 0.0, LaneState())
        self.step(picture, 0.05, state)

    @staticmethod
    def _aimed(camera: Camera, pitch: PitchEstimate) -> Camera:
        def rounded(angle: float) -> float:
            return round(angle / ANGLE_QUANTUM_RAD) * ANGLE_QUANTUM_RAD

        return camera.with_angles(pitch_rad=rounded(pitch.pitch_rad), yaw_rad=rounded(pitch.yaw_rad))

    def _first_look(self, image: Image, camera: Camera, is_known: bool) -> PitchEstimate:
        mounted = PitchEstimate(
            pitch_rad=camera.pitch_rad, yaw_rad=camera.yaw_rad, std_rad=0.002 if is_known else 0.1, updates=0
        )
        if is_known:
            return mounted
        return self._best_aim(image, camera, [mounted]) or mounted

    def _look_again(self, image: Image, camera: Camera, pitch: PitchEstimate) -> PitchEstimate:
        best = self._best_aim(image, camera, [pitch])
        if best is None or (abs(best.pitch_rad - pitch.pitch_rad) < 0.02 and pitch.updates > 3):
            return pitch
        return best

    def _best_aim(self, image: Image, camera: Camera, others: list[PitchEstimate]) -> PitchEstimate | None:
        """The mounting under which the road's marks line up best, of the vanishing points that the picture offers."""
        gray = cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
        candidates = [(other, AIM_TRUST_MIN) for other in others]
        points = vanishing_points(np.asarray(gray, dtype=np.uint8))
        for point in points:
            turned = camera.with_vanishing_point(point.column_px, point.row_px)
            if abs(turned.pitch_rad) < 0.35 and abs(turned.yaw_rad) < 0.25:
                trust = AIM_TRUST_MIN + (1.0 - AIM_TRUST_MIN) * math.sqrt(point.weight / points[0].weight)
                aim = PitchEstimate(pitch_rad=turned.pitch_rad, yaw_rad=turned.yaw_rad, std_rad=0.02, updates=0)
                candidates.append((aim, trust))
        looks = []
        for aim, trust in candidates:
            score, error = self._aim_score(image, camera, aim)
            looks.append((trust * score, error, aim, trust))
        looks.sort(key=lambda look: -look[0])
        for _, _, candidate, trust in looks[:AIMS_SHIFTED]:
            for shift in (-AIM_SHIFT_RAD, AIM_SHIFT_RAD):
                aim = replace(candidate, pitch_rad=candidate.pitch_rad + shift)
                score, error = self._aim_score(image, camera, aim)
                looks.append((trust * score, error, aim, trust))
        looks.sort(key=lambda look: -look[0])
        best = looks[0]
        for look in looks[:AIMS_REFINED]:
            _, error, aim, trust = look
            for _ in range(AIM_PASSES):
                if abs(error) < ANGLE_QUANTUM_RAD:
                    break
                aim = replace(aim, pitch_rad=aim.pitch_rad + error)
                score, error = self._aim_score(image, camera, aim)
                if trust * score > best[0]:
                    best = (trust * score, error, aim, trust)
        return best[2] if best[0] > 0.0 else None

    def _aim_score(self, image: Image, camera: Camera, aim: PitchEstimate) -> tuple[float, float]:
        """How well the lane is seen under a mounting, and by how much more it seems to look down [rad]."""
        strip = _strip(self._aimed(camera, aim), self._params.range_max_m)
        if strip is None:
            return 0.0, 0.0
        marks = find_marks(strip, sample(strip, image), self._params.contrast_min)
        lines = find_lines(marks, find_family(marks), self._params.support_min_m)
        left, right = ego_pair(lines, self._widths_m, self._nominal_m, (None, None))
        # a mounting that is right makes lines narrow, which confidence sees; quality tells bad ones apart
        worth = {id(line): 0.3 * quality(line) + 0.7 * confidence_of(line) for line in lines}
        score = 0.3 * sum(worth[id(line)] for line in lines if line is not left and line is not right)
        score += sum(2.0 * worth[id(line)] for line in (left, right) if line is not None)
        if left is not None and right is not None:
            spread = abs((left.at(25.0) - right.at(25.0)) - (left.at(8.0) - right.at(8.0)))
            bend = abs(left.slope(10.0) - right.slope(10.0))
            score *= math.exp(-((spread / 0.8) ** 2)) * math.exp(-((bend / 0.05) ** 2))
            score *= 1.0 - 0.3 * min(1.0, abs(left.slope(0.0)) / 0.1)
        # cameras are mounted to look along the car
        score *= math.exp(-0.5 * ((aim.yaw_rad - camera.yaw_rad) / AIM_YAW_STD_RAD) ** 2)
        error = pitch_error_rad(left, right, camera.z_m) if left is not None and right is not None else None
        return score, min(max(error or 0.0, -AIM_MOVE_MAX_RAD), AIM_MOVE_MAX_RAD)

    def _refined(
        self, pitch: PitchEstimate, camera: Camera, left: Line | None, right: Line | None, is_known: bool
    ) -> PitchEstimate:
        """Parallel lines that seem to widen ahead mean that the camera looks lower or higher than thought."""
        error = pitch_error_rad(left, right, camera.z_m) if left is not None and right is not None else None
        if left is None or right is None or error is None:
            return pitch
        # the first frames of an unknown camera move it far, later ones little
        gain = PITCH_GAIN if is_known else max(PITCH_GAIN, 1.0 / (pitch.updates + 1.5))
        wanted = pitch.pitch_rad + min(max(gain * error, -PITCH_STEP_MAX_RAD), PITCH_STEP_MAX_RAD)
        if is_known:
            wanted = min(max(wanted, camera.pitch_rad - PITCH_KNOWN_SPAN_RAD), camera.pitch_rad + PITCH_KNOWN_SPAN_RAD)
            return replace(pitch, pitch_rad=wanted)
        heading = 0.5 * (left.slope(2.0) + right.slope(2.0))
        std = math.sqrt((1.0 - PITCH_GAIN) * pitch.std_rad**2 + PITCH_GAIN * min(error, 0.1) ** 2)
        # the car drives along its lane on average: a lasting heading of the lane is the camera's yaw
        yaw = pitch.yaw_rad - 0.02 * heading if abs(heading) < 0.1 else pitch.yaw_rad
        return PitchEstimate(
            pitch_rad=wanted, yaw_rad=yaw, std_rad=max(std, 0.5 * PITCH_NOISE_RAD), updates=pitch.updates + 1
        )

    def _track(self, own: Tracked | None, other: Tracked | None, line: Line | None, stamp_s: float) -> Tracked | None:
        if line is None:
            if own is not None and 0.0 <= stamp_s - own.seen_s <= self._params.coast_max_s:
                return replace(own, updates=0)
            return None
        former = own
        if former is None or abs(former.line.c0 - line.c0) > JUMP_M:
            # after a lane change the other side's line is the nearer memory
            former = other if other is not None and abs(other.line.c0 - line.c0) <= JUMP_M else None
        is_dashed = line.type is MarkingType.DASHED
        is_solid = line.type is MarkingType.SOLID
        if former is None or stamp_s - former.seen_s > self._params.coast_max_s or stamp_s < former.seen_s:
            return Tracked(
                line=line,
                seen_s=stamp_s,
                updates=1,
                dashed=1.0 * is_dashed,
                solid=1.0 * is_solid,
                yellow=line.yellow,
                white=1.0 - line.yellow,
            )
        old = former.line
        # a sure line needs little smoothing, and smoothing is delay: 0.1 m in a lane change at a half
        share = BLEND_MIN + (BLEND_MAX - BLEND_MIN) * confidence_of(line)
        mixed = replace(
            line,
            c0=old.c0 + share * (line.c0 - old.c0),
            c1=old.c1 + share * (line.c1 - old.c1),
            c2=old.c2 + share * (line.c2 - old.c2),
            c3=old.c3 + share * (line.c3 - old.c3),
        )
        fade = 1.0 - 1.0 / VOTES_MAX
        return Tracked(
            line=mixed,
            seen_s=stamp_s,
            updates=former.updates + 1,
            dashed=former.dashed * fade + is_dashed,
            solid=former.solid * fade + is_solid,
            yellow=former.yellow * fade + line.yellow,
            white=former.white * fade + 1.0 - line.yellow,
        )

    def _model(
        self,
        stamp_s: float,
        tracked: tuple[Tracked | None, Tracked | None],
        lines: tuple[Line, ...],
        own: tuple[Line | None, Line | None],
        camera: Camera,
        pitch: PitchEstimate,
        is_known: bool,
    ) -> LaneModel:
        boundaries = []
        for side, track, line in zip((LaneSide.LEFT, LaneSide.RIGHT), tracked, own, strict=True):
            if track is None:
                continue
            confidence = confidence_of(track.line) * (0.6 if line is None else 1.0)
            confidence *= 0.8 + 0.2 * min(1.0, track.updates / 5.0)
            if tracked[0] is None or tracked[1] is None:
                confidence *= 0.85
                if track.updates < ALONE_UPDATES and not is_known and abs(track.line.at(0.0)) < UNDER_CAR_M:
                    confidence *= 0.4  # hardly a lane: a rail, a post, the rim of a shadow
            if confidence >= self._params.confidence_min:
                boundaries.append(self._boundary(side, track.line, track.type, track.colour, confidence, camera))
        for side, anchor, sign in ((LaneSide.NEXT_LEFT, own[0], 1.0), (LaneSide.NEXT_RIGHT, own[1], -1.0)):
            if anchor is None:
                continue
            beyond = [
                (abs(line.at(10.0) - anchor.at(10.0)), line)
                for line in lines
                if self._widths_m[0] <= sign * (line.at(10.0) - anchor.at(10.0)) <= self._widths_m[1]
            ]
            if beyond:
                line = min(beyond, key=lambda item: item[0])[1]
                confidence = 0.8 * confidence_of(line)
                if confidence >= self._params.confidence_min:
                    boundaries.append(self._boundary(side, line, line.type, line.colour, confidence, camera))
        return LaneModel(
            stamp_s=stamp_s,
            boundaries=tuple(boundaries),
            camera_pitch_rad=round(min(max(camera.pitch_rad, -0.5), 0.5), DIGITS),
            is_calibrated=is_known,
            reason=""
            if is_known
            else "camera height and field of view are assumed"
            + ("" if pitch.has_converged else "; its pitch is still being estimated"),
        )

    @staticmethod
    def _boundary(
        side: LaneSide, line: Line, form: MarkingType, colour: MarkingColour, confidence: float, camera: Camera
    ) -> LaneBoundary:
        # from the camera's foot to the vehicle's origin: y(x) = f(x - x_cam) + y_cam
        shift = camera.x_m
        c3 = line.c3
        c2 = line.c2 - 3.0 * shift * line.c3
        c1 = line.slope(-shift)
        c0 = line.at(-shift) + camera.y_m

        def bounded(value: float, low: float, high: float, digits: int) -> float:
            return min(max(round(value, digits), low), high) + 0.0

        return LaneBoundary(
            side=side,
            c0_m=bounded(c0, -50.0, 50.0, DIGITS),
            c1=bounded(c1, -5.0, 5.0, 6),
            c2_1pm=bounded(c2, -1.0, 1.0, 8),
            c3_1pm2=bounded(c3, -0.1, 0.1, 10),
            x_min_m=bounded(line.x_min_m + shift, -50.0, 300.0, 2),
            x_max_m=bounded(line.x_max_m + shift, -50.0, 300.0, 2),
            type=form,
            colour=colour,
            confidence=bounded(confidence, 0.0, 1.0, 3),
            offset_std_m=bounded(
                math.hypot(0.02, line.residual_m / math.sqrt(max(line.support_m, 1.0))), 0.0, 20.0, DIGITS
            ),
            width_m=bounded(line.width_m, 0.0, 2.0, 3),
        )


def decode(encoding: str, data: bytes, width_px: int, height_px: int) -> Image | None:
    """The picture as blue green red, `None` where the bytes are no such picture or lack its end."""
    code = encoding.lower()
    if code in ("jpeg", "jpg", "png", "webp", "bmp") or "compressed" in code:
        if is_cut(data):
            return None
        try:
            found = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_COLOR)
        except cv2.error:
            return None
        return None if found is None else np.asarray(found, dtype=np.uint8)
    channels = {"mono8": 1, "8uc1": 1, "bgr8": 3, "8uc3": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "8uc4": 4}.get(code)
    convert = {
        "mono8": cv2.COLOR_GRAY2BGR,
        "8uc1": cv2.COLOR_GRAY2BGR,
        "rgb8": cv2.COLOR_RGB2BGR,
        "bgra8": cv2.COLOR_BGRA2BGR,
        "8uc4": cv2.COLOR_BGRA2BGR,
        "rgba8": cv2.COLOR_RGBA2BGR,
        "yuv422": cv2.COLOR_YUV2BGR_UYVY,
        "uyvy": cv2.COLOR_YUV2BGR_UYVY,
        "yuv422_yuy2": cv2.COLOR_YUV2BGR_YUYV,
        "yuyv": cv2.COLOR_YUV2BGR_YUYV,
    }
    if channels is None and code in convert:
        channels = 2
    if channels is None or len(data) != width_px * height_px * channels:
        return None
    rows = np.frombuffer(data, dtype=np.uint8).reshape(height_px, width_px, channels)
    return np.asarray(cv2.cvtColor(rows, convert[code]) if code in convert else rows, dtype=np.uint8)


__all__ = ["LaneDetector", "LaneResult", "LaneState", "Marks", "decode"]
