"""One record per picture: boundaries in metres and in pixels, and signs, ready for JSON; see `docs/perceive.md`."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.camera import Camera
from adas_runtime.perception.camera_health import Health
from adas_runtime.perception.lane_model import LaneResult
from adas_runtime.perception.object_tracks import Track
from adas_runtime.perception.objects import CLASSES, SeenObject
from adas_runtime.perception.road import SeenRoad
from adas_runtime.perception.sign_votes import Reading
from adas_runtime.perception.signs import SeenSign
from adas_runtime.signals import LaneBoundary, LaneModel

Array = npt.NDArray[np.float64]
Record = dict[str, Any]

HORIZON_CLEAR_SHARE: Final = 1 / 144  # of the picture's rows; closer to the horizon a row stands for many metres
BEYOND_M: Final = 15.0  # a curve is carried on this far past its last paint, and no farther
WELL: Final = Health()
NAMES: Final = {kind: name for name, kind in CLASSES.items()}
SAMPLES: Final = 3000  # some four a row: a tight bend far ahead turns within one


@dataclass(frozen=True, slots=True)
class Trace:
    """A boundary in the picture: one column for each row, from the top down.

    Args:
        rows: Whole rows, ascending, (n,) int64 [px].
        columns: Middle of the line in each row, inside the picture, (n,) float64 [px].
        seen_rows: First and last of these rows between the first and the last paint; `None`: none of them.
    """

    rows: npt.NDArray[np.int64]
    columns: Array
    seen_rows: tuple[int, int] | None


def lateral_m(boundary: LaneBoundary, x_m: Array) -> Array:
    """Where a boundary lies at each distance, left positive [m]."""
    c = boundary
    return np.asarray(c.c0_m + x_m * (c.c1 + x_m * (c.c2_1pm + x_m * c.c3_1pm2)))


def trace(camera: Camera, boundary: LaneBoundary) -> Trace:
    """A boundary in pixels, from the bottom of the picture to a little past its last paint.

    Between the car and the first paint a road continues as it does ahead; far ahead it may not.
    """
    far_m = boundary.x_max_m + min(BEYOND_M, 0.5 * (boundary.x_max_m - boundary.x_min_m))
    column, horizon = camera.vanishing_point()
    bottom_m = float(camera.to_ground(np.array([[column, camera.height_px - 1.0]]))[0, 0]) - camera.x_m
    # half of it: a rolled or distorted picture shows nearer road in its corners
    near_m = min(max(0.5 * bottom_m, 0.3) if math.isfinite(bottom_m) else 0.3, max(far_m - camera.x_m, 1.0) / 2.0)
    # even steps of 1/distance are even steps of rows
    x_m = camera.x_m + 1.0 / np.linspace(1.0 / near_m, 1.0 / max(far_m - camera.x_m, 1.0), SAMPLES)
    pixels = camera.project_ground(x_m, lateral_m(boundary, x_m))
    clear = max(2.0, HORIZON_CLEAR_SHARE * camera.height_px)
    good = np.isfinite(pixels).all(axis=1)
    # far parts that no longer climb the picture (a cubic that turns round) end the line
    v = np.where(good, pixels[:, 1], np.nan)
    with np.errstate(invalid="ignore"):
        climbs = np.concatenate([[True], v[1:] < v[:-1]])
        good &= climbs & (v > horizon + clear)
    if not good.any():
        return _nothing()
    start = int(np.argmax(good))
    stop = start + (int(np.argmin(good[start:])) or len(good) - start) if not good[start:].all() else len(good)
    if stop - start < 2:
        return _nothing()
    u, v = pixels[start:stop, 0][::-1], pixels[start:stop, 1][::-1]
    rows = np.arange(max(math.ceil(v[0]), 0), min(math.floor(v[-1]), camera.height_px - 1) + 1, dtype=np.int64)
    columns = np.interp(rows, v, u)
    inside = (columns >= 0.0) & (columns <= camera.width_px - 1)
    rows, columns = rows[inside], columns[inside]
    if len(rows) == 0:
        return _nothing()
    paint_m = np.array([boundary.x_max_m, boundary.x_min_m])
    top, bottom = camera.project_ground(paint_m, lateral_m(boundary, paint_m))[:, 1]
    seen = (
        rows[(rows >= (top if math.isfinite(top) else rows[0])) & (rows <= bottom)] if math.isfinite(bottom) else rows
    )
    return Trace(rows, columns, (int(seen[0]), int(seen[-1])) if len(seen) else None)


def _nothing() -> Trace:
    return Trace(np.zeros(0, dtype=np.int64), np.zeros(0), None)


def points_m(boundary: LaneBoundary) -> list[list[float]]:
    """Points of a boundary at every whole metre between its first and its last paint, at its ends where none is."""
    whole = np.arange(math.ceil(boundary.x_min_m), math.floor(boundary.x_max_m) + 1, dtype=np.float64)
    x_m = whole if len(whole) > 1 else np.array([boundary.x_min_m, boundary.x_max_m])
    return [[_round(x, 2), _round(y, 3)] for x, y in zip(x_m, lateral_m(boundary, x_m), strict=True)]


def record(
    *,
    source: str,
    frame: int,
    stamp_s: float,
    result: LaneResult,
    vehicle: str,
    trust: str,
    health: Health = WELL,
    signs: Sequence[SeenSign] = (),
    agreed: Sequence[Reading | None] = (),
    unit: str = "kmh",
    objects: Sequence[SeenObject] = (),
    tracks: Sequence[Track] = (),
    road: SeenRoad | None = None,
) -> tuple[Record, dict[str, Trace]]:
    """What is told of one picture, and the boundaries in pixels by side.

    Args:
        source: Path as the user gave it.
        frame: Count of the picture in its source, from 0.
        stamp_s: Time of the picture.
        result: What perception found.
        vehicle: Name of the vehicle whose camera was assumed.
        trust: `calibrated`, `estimated` or `estimating`: what metres are worth.
        health: Of the camera's pictures; it is in the confidences of the lanes already.
        signs: Speed signs, the surest first.
        agreed: What the pictures together say of each; empty for a picture by itself.
        unit: Of the market's signs, kmh or mph.
        objects: Road users, the surest first.
        tracks: The track of each of `objects`; empty for a picture by itself.
        road: The surface that the car stands on.
    """
    model: LaneModel = result.model
    camera = result.camera
    traces = {boundary.side.name.lower(): trace(camera, boundary) for boundary in model.boundaries}
    column, row = camera.vanishing_point()
    return {
        "frame": frame,
        "stamp_s": _round(stamp_s, 6),
        "source": source,
        "width_px": camera.width_px,
        "height_px": camera.height_px,
        "camera": {
            "vehicle": vehicle,
            "is_calibrated": model.is_calibrated,
            "state": trust,
            "health": health.trouble.name.lower(),
            "health_factor": _round(0.0 if health.is_useless else health.factor, 3),
            "pitch_rad": _round(camera.pitch_rad, 5),
            "yaw_rad": _round(camera.yaw_rad, 5),
            "height_m": _round(camera.z_m, 3),
            "fx_px": _round(camera.fx_px, 2),
            "vanishing_point_px": [_round(column, 1), _round(row, 1)],
        },
        "reason": model.reason,
        "lanes": [_lane(boundary, traces[boundary.side.name.lower()]) for boundary in model.boundaries],
        "signs": [_sign(sign, both, unit) for sign, both in zip_longest(signs, agreed)],
        "road": None if road is None else _road(road),
        "objects": [_object(one, track) for one, track in zip_longest(objects, tracks)],
    }, traces


def sign_text(sign: Record) -> str:
    """What a sign of a record says, for people: `speed limit 50 km/h 73 %`."""
    value = "" if sign["value"] is None else f" {sign['value']} {sign['unit'].replace('kmh', 'km/h')}"
    return f"{sign['kind'].replace('_', ' ')}{value} {sign['confidence'] * 100:.0f} %"


def object_text(item: Record) -> str:
    """What a road user of a record is, for people: `vehicle 23 m 81 %`."""
    metres = "" if item["range_m"] is None else f" {item['range_m']:.0f} m"
    return f"{item['class']}{metres} {item['confidence'] * 100:.0f} %"


def _road(road: SeenRoad) -> Record:
    return {
        "share": _round(road.share, 3),
        "marking_share": _round(road.marking_share, 4),
        "confidence": _round(road.confidence, 3),
        "rows_px": [[_round(value, 1) for value in row] for row in road.rows],
    }


def _object(one: SeenObject, track: Track | None) -> Record:
    return {
        "class": NAMES[one.object_class],
        "box_px": [_round(value, 1) for value in one.box_px],
        "confidence": _round(one.confidence if track is None else track.confidence, 3),
        "x_m": rounded(one.x_m, 2),
        "y_m": rounded(one.y_m, 2),
        "range_m": rounded(one.range_m, 2),
        "range_std_m": rounded(one.range_std_m, 2),
        "width_m": rounded(one.width_m, 2),
        "is_cut": one.is_cut,
        "track": None if track is None else track.number,
        "is_confirmed": track is not None and track.is_confirmed,
        "closing_mps": None
        if track is None or track.ahead is None or not track.is_confirmed
        else _round(-track.ahead[1], 2),
    }


def _sign(sign: SeenSign, agreed: Reading | None, unit: str) -> Record:
    return {
        "kind": sign.kind.name.lower(),
        "value": sign.value,
        "unit": None if sign.value is None else unit,
        "box_px": [_round(value, 1) for value in sign.box_px],
        "confidence": _round(sign.confidence, 3),
        "is_confirmed": agreed == (sign.kind, sign.value),
    }


def _lane(boundary: LaneBoundary, line: Trace) -> Record:
    return {
        "side": boundary.side.name.lower(),
        "type": boundary.type.name.lower(),
        "colour": boundary.colour.name.lower(),
        "confidence": _round(boundary.confidence, 3),
        "polynomial": {
            "c0_m": boundary.c0_m,
            "c1": boundary.c1,
            "c2_1pm": boundary.c2_1pm,
            "c3_1pm2": boundary.c3_1pm2,
            "x_min_m": boundary.x_min_m,
            "x_max_m": boundary.x_max_m,
        },
        "offset_std_m": boundary.offset_std_m,
        "width_m": boundary.width_m,
        "points_m": points_m(boundary),
        "pixels": [[_round(x, 1), int(y)] for x, y in zip(line.columns, line.rows, strict=True)],
        "seen_rows": list(line.seen_rows) if line.seen_rows is not None else None,
    }


def dumps(item: Record) -> str:
    """A record as one line of JSON; what is not finite was refused before, and would raise here."""
    return json.dumps(item, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def _round(value: float, digits: int) -> float:
    return round(float(value), digits) + 0.0  # no -0.0


def rounded(value: float | None, digits: int) -> float | None:
    """A number for a record, where there is one."""
    return None if value is None else _round(value, digits)
