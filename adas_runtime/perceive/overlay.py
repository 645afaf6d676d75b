"""Draws on a picture what was seen in it: boundaries, the own lane, metres, horizon, and a legend.

Colours are Okabe and Ito's, which people with any kind of colour blindness tell apart; form and place say the same.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.perceive.result import object_text, sign_text
from adas_runtime.perceive.run import Seen
from adas_runtime.perception.camera import Camera
from adas_runtime.signals import LaneBoundary, LaneSide, MarkingType

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]
Colour = tuple[int, int, int]

WIDTH_MIN_PX: Final = 960  # smaller pictures are drawn larger, so that the text can be read
WIDTH_MAX_PX: Final = 1920
TICKS_M: Final = (10.0, 20.0, 30.0, 50.0)
FILL_SHARE: Final = 0.20
LINE_HALF_M: Final = 0.05  # narrower than paint, so that a line beside its paint shows
LINE_HALF_MIN_PX: Final = 1.1
STROKE_M: Final = 1.0
SUBPIXEL_BITS: Final = 4
EPOCH_S: Final = 1e8  # a clock that shows more than three years counts from 1970

# blue green red
SIDE_COLOUR: Final[dict[str, Colour]] = {
    "left": (233, 180, 86),
    "right": (0, 159, 230),
    "next_left": (115, 158, 0),
    "next_right": (167, 121, 204),
}
SIGN_COLOUR: Final[Colour] = (66, 228, 240)
OBJECT_COLOUR: Final[dict[str, Colour]] = {
    "vehicle": (255, 255, 255),
    "pedestrian": (0, 94, 213),
    "cyclist": (167, 121, 204),
}
ROAD_COLOUR: Final[Colour] = (115, 158, 0)
FILL: Final[Colour] = (200, 150, 40)
WHITE: Final[Colour] = (255, 255, 255)
PALE: Final[Colour] = (215, 215, 215)
DARK: Final[Colour] = (24, 24, 24)
TRUST_COLOUR: Final[dict[str, Colour]] = {
    "calibrated": (115, 158, 0),
    "estimated": (66, 228, 240),
    "estimating": (0, 94, 213),
}
TRUST_TEXT: Final[dict[str, str]] = {
    "calibrated": "calibrated",
    "estimated": "not calibrated: pitch estimated, metres assumed",
    "estimating": "not calibrated: metres are a guess",
}
# metres of paint and of gap
DASHES: Final[dict[MarkingType, tuple[float, float]]] = {
    MarkingType.DASHED: (3.0, 3.0),
    MarkingType.STUDS: (0.4, 2.0),
    MarkingType.UNKNOWN: (0.8, 0.8),
}
ORDER: Final = (LaneSide.NEXT_LEFT, LaneSide.LEFT, LaneSide.RIGHT, LaneSide.NEXT_RIGHT)


def draw(seen: Seen) -> Image:
    """The picture with what was seen in it; pictures of less than 960 columns are enlarged."""
    assert seen.frame.image is not None and seen.camera is not None
    canvas = Canvas(seen.frame.image)
    by_side = {boundary.side: boundary for boundary in seen.model.boundaries}
    _draw_horizon(canvas, seen.camera)
    _draw_road(canvas, seen)
    _draw_lane(canvas, seen)
    _draw_ticks(canvas, seen.camera, by_side.get(LaneSide.LEFT), by_side.get(LaneSide.RIGHT))
    for side in ORDER:
        if side in by_side:
            _draw_boundary(canvas, seen, by_side[side])
    _draw_objects(canvas, seen)
    _draw_signs(canvas, seen)
    _draw_legend(canvas, seen)
    return canvas.image


def blank(like: Image, text: str) -> Image:
    """A dark picture of the same size with one line, where a picture cannot be decoded."""
    canvas = Canvas(np.full_like(like, 30))
    canvas.text(text, (20.0 * canvas.unit, 40.0 * canvas.unit), PALE, 20.0)
    return canvas.image


class Canvas:
    """A picture to draw on, in pixels of the original."""

    def __init__(self, original: Image) -> None:
        width = original.shape[1]
        self.image: Image
        self.scale = min(max(1.0, WIDTH_MIN_PX / width), WIDTH_MAX_PX / width)
        if self.scale == 1.0:
            self.image = original.copy()
        else:
            how = cv2.INTER_CUBIC if self.scale > 1.0 else cv2.INTER_AREA
            self.image = np.asarray(
                cv2.resize(original, None, fx=self.scale, fy=self.scale, interpolation=how), np.uint8
            )
        # sizes of text and lines are meant for 1280x720; a low wide picture has less room for the legend
        rows, columns = self.image.shape[:2]
        self.unit = max(min(columns / 1280.0, rows / 500.0), 0.6)

    def place(self, points: Array) -> Array:
        """Pixels of the original to pixels here."""
        return np.asarray((points + 0.5) * self.scale - 0.5)

    def fill(self, points: Array, colour: Colour, share: float = 1.0) -> None:
        """A polygon, points here."""
        if len(points) < 3:
            return
        fixed = np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32).reshape(-1, 2)
        target = self.image if share >= 1.0 else self.image.copy()
        cv2.fillPoly(target, [fixed], colour, cv2.LINE_AA, SUBPIXEL_BITS)
        if share < 1.0:
            self.image = np.asarray(cv2.addWeighted(target, share, self.image, 1.0 - share, 0.0), dtype=np.uint8)

    def line(self, points: Array, colour: Colour, width_px: float, *, casing: bool = False) -> None:
        """A polyline, points here."""
        if len(points) < 2:
            return
        fixed = [np.round(points * (1 << SUBPIXEL_BITS)).astype(np.int32).reshape(-1, 2)]
        if casing:
            cv2.polylines(self.image, fixed, False, DARK, max(1, round(width_px + 2.0)), cv2.LINE_AA, SUBPIXEL_BITS)
        cv2.polylines(self.image, fixed, False, colour, max(1, round(width_px)), cv2.LINE_AA, SUBPIXEL_BITS)

    def frame(self, box_px: Sequence[float], colour: Colour, width: float) -> Array:
        """A frame around left, top, right, bottom of the original; its corners here, (5, 2), the upper left first."""
        left, top, right, bottom = box_px
        corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom], [left, top]]) - 0.5
        placed = self.place(corners)
        self.line(placed, colour, width * self.unit, casing=True)
        return placed

    def text(
        self,
        text: str,
        at: tuple[float, float],
        colour: Colour,
        size: float,
        *,
        bold: bool = False,
        casing: bool = False,
    ) -> None:
        """Text with its base line's start at a point here; `size` in pixels at 1280 columns."""
        pixels = max(9, round(size * self.unit))
        origin = (round(at[0]), round(at[1]))
        if casing:
            for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1), (1, 1), (-1, -1)):
                self._put(text, (origin[0] + dx, origin[1] + dy), DARK, pixels, bold)
        self._put(text, origin, colour, pixels, bold)

    def _put(self, text: str, origin: tuple[int, int], colour: Colour, pixels: int, bold: bool) -> None:
        put: Any = cv2.putText
        face: Any = getattr(cv2, "FontFace", None)
        if face is None:  # OpenCV 4
            plain = text.encode("ascii", errors="replace").decode()
            put(self.image, plain, origin, cv2.FONT_HERSHEY_SIMPLEX, pixels / 30.0, colour, 1 + bold, cv2.LINE_AA)
        else:
            put(self.image, text, origin, colour, face("sans"), pixels, 700 if bold else 400)


def _draw_signs(canvas: Canvas, seen: Seen) -> None:
    """A frame around each sign, and what it says."""
    for sign in seen.record["signs"]:
        _draw_frame(canvas, sign["box_px"], sign_text(sign), SIGN_COLOUR, 2.0)


def _draw_objects(canvas: Canvas, seen: Seen) -> None:
    """A frame around each road user, the surest last, and what it is; thin where no other picture agrees yet."""
    for item in reversed(seen.record["objects"]):
        is_thin = item["track"] is not None and not item["is_confirmed"]
        _draw_frame(canvas, item["box_px"], object_text(item), OBJECT_COLOUR[item["class"]], 1.0 if is_thin else 2.0)


def _draw_frame(canvas: Canvas, box_px: list[float], text: str, colour: Colour, width: float) -> None:
    """A frame with a line of text above it, or below where the picture ends."""
    placed = canvas.frame(box_px, colour, width)
    above = float(placed[0, 1]) - 6.0 * canvas.unit
    row = above if above > 14.0 * canvas.unit else float(placed[2, 1]) + 16.0 * canvas.unit
    room = canvas.image.shape[1] - 9.0 * canvas.unit * len(text)
    canvas.text(text, (max(min(float(placed[0, 0]), room), 2.0), row), colour, 16.0, bold=True, casing=True)


def _draw_horizon(canvas: Canvas, camera: Camera) -> None:
    """A dashed line at eye level, and a cross where the road straight ahead vanishes."""
    far = 1e4
    side = far * 0.9 * 0.5 * camera.width_px / camera.fx_px
    points = camera.project(np.array([[far, side, camera.z_m], [far, -side, camera.z_m]]))
    if not np.isfinite(points).all():
        return
    left, right = canvas.place(points)
    count = 60
    for index in range(0, count, 2):
        part = np.array([left + (right - left) * (index + k) / count for k in (0, 1)])
        canvas.line(part, PALE, 1.0)
    cross = canvas.place(np.array([camera.vanishing_point()]))[0]
    arm = 9.0 * canvas.unit
    for step in (np.array([arm, 0.0]), np.array([0.0, arm])):
        canvas.line(np.array([cross - step, cross + step]), WHITE, 1.6 * canvas.unit, casing=True)


def _draw_road(canvas: Canvas, seen: Seen) -> None:
    """Where the paved surface ends on either side: short strokes, as wide apart as the rows that are told."""
    road = seen.record["road"]
    if road is None:
        return
    columns, half = seen.record["width_px"], 7.0 * canvas.unit
    for row, first, last in road["rows_px"]:
        for column in (first, last):
            if 1.0 < column < columns - 1.0:  # the picture's edge is none of the road's
                x, y = canvas.place(np.array([column, row]))
                canvas.line(np.array([[x - half, y], [x + half, y]]), ROAD_COLOUR, 1.6 * canvas.unit)


def _draw_lane(canvas: Canvas, seen: Seen) -> None:
    left, right = seen.traces.get("left"), seen.traces.get("right")
    if left is None or right is None or len(left.rows) == 0 or len(right.rows) == 0:
        return
    # a side that leaves the picture goes on along the picture's edge
    columns, height = seen.record["width_px"], seen.record["height_px"]
    leaves = left.columns[-1] < 4.0 and right.columns[-1] > columns - 5.0
    last = height - 1 if leaves else max(left.rows[-1], right.rows[-1])
    rows = np.arange(max(left.rows[0], right.rows[0]), last + 1)
    u_left = np.interp(rows, left.rows, left.columns, right=min(left.columns[-1], 0.0))
    u_right = np.interp(rows, right.rows, right.columns, right=columns - 1.0)
    wide = u_right > u_left
    if not wide.any():
        return
    u_left, u_right, rows = u_left[wide], u_right[wide], rows[wide]
    outline = np.concatenate([np.stack([u_left, rows], axis=1), np.stack([u_right, rows], axis=1)[::-1]])
    canvas.fill(canvas.place(outline), FILL, FILL_SHARE)


def _draw_ticks(canvas: Canvas, camera: Camera, left: LaneBoundary | None, right: LaneBoundary | None) -> None:
    """Distances ahead of the vehicle's origin: across the own lane, or a short stroke from a lone boundary."""
    if left is None and right is None:
        return
    reach = max(boundary.x_max_m for boundary in (left, right) if boundary is not None)
    last_row = math.inf
    for x_m in TICKS_M:
        if x_m > max(reach, 20.0) + 5.0:
            break
        y_left = left.offset_m(x_m) if left is not None else (right.offset_m(x_m) + STROKE_M if right else 0.0)
        y_right = right.offset_m(x_m) if right is not None else y_left - STROKE_M
        ends = camera.project_ground(np.array([x_m, x_m]), np.array([y_left, y_right]))
        if not np.isfinite(ends).all():
            continue
        ends = canvas.place(ends)
        row = float(ends[:, 1].mean())
        if not 0.0 <= row < canvas.image.shape[0] - 1 or last_row - row < 14.0 * canvas.unit:
            continue
        last_row = row
        canvas.line(ends, WHITE, 1.2 * canvas.unit, casing=True)
        text = f"{x_m:.0f} m"
        u = float(ends[:, 0].mean()) - 4.0 * len(text) * canvas.unit
        canvas.text(text, (u, row - 4.0 * canvas.unit), WHITE, 14.0, casing=True)


def _draw_boundary(canvas: Canvas, seen: Seen, boundary: LaneBoundary) -> None:
    side = boundary.side.name.lower()
    line = seen.traces[side]
    camera = seen.camera
    if camera is None or len(line.rows) < 2:
        return
    colour = SIDE_COLOUR[side]
    pixels = np.stack([line.columns, line.rows.astype(np.float64)], axis=1)
    canvas.line(canvas.place(pixels), colour, 1.0)  # all of it, also where no paint was seen
    if line.seen_rows is None:
        return
    seen_part = (line.rows >= line.seen_rows[0]) & (line.rows <= line.seen_rows[1])
    pixels = pixels[seen_part]
    ground = camera.to_ground(pixels)
    x_m = np.maximum(ground[:, 0] - camera.x_m, 0.5)
    half = np.maximum(LINE_HALF_M * camera.fx_px / x_m, LINE_HALF_MIN_PX)
    runs = {
        MarkingType.DOUBLE_SOLID: ((-1.5, None), (1.5, None)),
        MarkingType.SOLID_DASHED: ((-1.5, None), (1.5, DASHES[MarkingType.DASHED])),
    }.get(boundary.type, ((0.0, DASHES.get(boundary.type)),))
    for shift, dash in runs:
        for begin, end in _runs(ground[:, 0], dash):
            part = slice(begin, end)
            _draw_band(
                canvas, pixels[part] + np.stack([shift * half[part], 0.0 * half[part]], axis=1), half[part], colour
            )
    _draw_tag(canvas, pixels, half, colour, f"{boundary.confidence * 100:.0f} %", is_left="left" in side)


def _runs(x_m: Array, dash: tuple[float, float] | None) -> Iterable[tuple[int, int]]:
    """Stretches of rows that are drawn."""
    if dash is None:
        return [(0, len(x_m))]
    on = np.mod(x_m, sum(dash)) < dash[0]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2)]


def _draw_band(canvas: Canvas, middle: Array, half: Array, colour: Colour) -> None:
    if len(middle) < 2:
        return
    for extra, tone in ((1.2, DARK), (0.0, colour)):
        reach = half + extra / canvas.scale
        left = np.stack([middle[:, 0] - reach, middle[:, 1]], axis=1)
        right = np.stack([middle[:, 0] + reach, middle[:, 1]], axis=1)
        canvas.fill(canvas.place(np.concatenate([left, right[::-1]])), tone)


def _draw_tag(canvas: Canvas, pixels: Array, half: Array, colour: Colour, text: str, *, is_left: bool) -> None:
    """Confidence beside the line, outside the own lane."""
    at = max(0, int(len(pixels) * 0.8) - 1)
    u, v = canvas.place(pixels[at : at + 1])[0]
    gap = float(half[at]) * canvas.scale + 8.0 * canvas.unit
    size = 17.0
    width = len(text) * 9.0 * canvas.unit
    u = u - gap - width if is_left else u + gap
    u = min(max(u, 4.0), canvas.image.shape[1] - width - 4.0)
    canvas.text(text, (u, v), colour, size, bold=True, casing=True)


def _draw_legend(canvas: Canvas, seen: Seen) -> None:
    record = seen.record
    camera = record["camera"]
    by_side = {lane["side"]: lane for lane in record["lanes"]}
    unit = canvas.unit
    step, margin = 25.0 * unit, 12.0 * unit
    sides = [side.name.lower() for side in ORDER if side.name.lower() in by_side]
    count = 2 + max(1, len(sides)) + (1 if "left" in by_side and "right" in by_side else 0)
    width, height = 520.0 * unit, count * step + 1.2 * margin
    x, y = margin, margin
    panel = np.array([[x, y], [x + width, y], [x + width, y + height], [x, y + height]])
    canvas.fill(panel, DARK, 0.72)
    base = y + step
    left = x + margin
    name = Path(record["source"]).name
    title = f"{name if len(name) <= 34 else name[:31] + '...'}   frame {record['frame']}"
    if record["stamp_s"]:
        title += f"   {_time(record['stamp_s'])}"
    canvas.text(title, (left, base), WHITE, 17.0, bold=True)
    base += step
    dot = np.array([[left, base - 11.0 * unit]]) + np.array([[0, 0], [11, 0], [11, 11], [0, 11]]) * unit
    canvas.fill(dot, TRUST_COLOUR[camera["state"]])
    pitch = math.degrees(camera["pitch_rad"])
    way = "down" if pitch >= 0.0 else "up"
    canvas.text(
        f"camera {TRUST_TEXT[camera['state']]}; it looks {abs(pitch):.1f}\N{DEGREE SIGN} {way}",
        (left + 20.0 * unit, base),
        PALE,
        15.0,
    )
    base += step
    if not sides:
        canvas.text("no lane boundary seen", (left, base), PALE, 16.0)
    for side in sides:
        lane = by_side[side]
        _draw_swatch(canvas, side, MarkingType[lane["type"].upper()], left, base - 5.0 * unit)
        cells = (
            (52.0, side.replace("_", " ")),
            (150.0, f"{lane['type'].replace('_', ' ')} {lane['colour']}"),
            (330.0, f"{lane['polynomial']['c0_m']:+.2f} m"),
            (425.0, f"{lane['confidence'] * 100:.0f} %"),
        )
        for offset, text in cells:
            canvas.text(text, (left + offset * unit, base), WHITE, 16.0)
        base += step
    if "left" in by_side and "right" in by_side:
        lane_width = by_side["left"]["polynomial"]["c0_m"] - by_side["right"]["polynomial"]["c0_m"]
        canvas.text("lane width", (left + 150.0 * unit, base), PALE, 16.0)
        canvas.text(f"{lane_width:.2f} m", (left + 330.0 * unit, base), PALE, 16.0)


def _time(stamp_s: float) -> str:
    """Seconds, or the time of day where they count from 1970."""
    if stamp_s < EPOCH_S:
        return f"{stamp_s:.2f} s"
    minutes, seconds = divmod(stamp_s % 86400.0, 60.0)
    return f"{int(minutes) // 60:02d}:{int(minutes) % 60:02d}:{seconds:05.2f} UTC"


def _draw_swatch(canvas: Canvas, side: str, form: MarkingType, x: float, y: float) -> None:
    unit = canvas.unit
    colour = SIDE_COLOUR[side]
    double = form in (MarkingType.DOUBLE_SOLID, MarkingType.SOLID_DASHED)
    for index, shift in enumerate((-3.0, 3.0) if double else (0.0,)):
        is_dashed = form is MarkingType.DASHED or (form is MarkingType.SOLID_DASHED and index == 1)
        pieces = [(0.0, 15.0), (24.0, 39.0)] if is_dashed else [(0.0, 39.0)]
        if form in (MarkingType.UNKNOWN, MarkingType.STUDS):
            pieces = [(k, k + 5.0) for k in (0.0, 11.0, 22.0, 33.0)]
        for begin, end in pieces:
            row = y + shift * unit
            canvas.line(
                np.array([[x + begin * unit, row], [x + end * unit, row]]), colour, (2.5 if double else 4.5) * unit
            )
