"""Radar targets from `sensor_msgs/PointCloud2`, whatever its layout."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from adas_runtime.errors import SignalError
from adas_runtime.inputs.pictures import as_bytes
from adas_runtime.records import maker
from adas_runtime.signals import MAX_OBJECTS, RadarTrack

RANGE_MAX_M: Final = 500.0  # beyond: a filler for "no target", not a measurement
_CODES: Final = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 8: "f8"}
# names that radar drivers give to one thing, the clearest first
RATE: Final = (
    "relative_speed",
    "range_rate",
    "radial_velocity",
    "radial_speed",
    "doppler_velocity",
    "doppler",
    "v_radial",
)
NUMBER: Final = ("track_address", "track_id", "object_id", "id")
SECTION: Final = ("rcs", "radar_cross_section")


def field_names(message: Any) -> tuple[str, ...]:
    """Names of a cloud's columns."""
    return tuple(str(item.name) for item in message.fields)


make_track = maker(RadarTrack)


def radar_tracks(message: Any, signs: tuple[float, float] = (1.0, 1.0)) -> tuple[RadarTrack, ...]:
    """The targets of a cloud, at most as many as a signal holds: then the nearest.

    Args:
        message: `sensor_msgs/PointCloud2` of rclpy or rosbags.
        signs: Turn x and y into forward and left.
    Raises:
        SignalError: No x and y, or a layout that contradicts itself.
    """
    count, columns = _columns(message)
    if "x" not in columns or "y" not in columns:
        raise SignalError(f"radar cloud without x and y; it has {', '.join(columns) or 'no fields'}")
    x, y = signs[0] * columns["x"], signs[1] * columns["y"]
    reach = np.hypot(x, y)
    good = np.flatnonzero(np.isfinite(reach) & (np.abs(x) <= RANGE_MAX_M) & (np.abs(y) <= RANGE_MAX_M))
    if len(good) > MAX_OBJECTS:
        good = np.sort(good[np.argsort(reach[good], kind="stable")[:MAX_OBJECTS]])
    rate, number, section = (_first(columns, names) for names in (RATE, NUMBER, SECTION))
    tracks = []
    for at in good.tolist():
        named = _value(number, at)
        is_number = named is not None and 0.0 <= named < 2**31
        tracks.append(
            make_track(
                track_id=int(named) if named is not None and is_number else at,
                x_m=float(x[at]),
                y_m=float(y[at]),
                range_rate_mps=_value(rate, at),
                rcs_dbsm=_value(section, at),
            )
        )
    assert count >= len(tracks)
    return tuple(tracks)


def _columns(message: Any) -> tuple[int, dict[str, Any]]:
    """Number of points and the columns by name, first of each name, as float64."""
    width, height, step = int(message.width), int(message.height), int(message.point_step)
    row = int(message.row_step) if height > 1 else width * step
    data = as_bytes(message.data)
    count = width * height
    order = ">" if message.is_bigendian else "<"
    layout: dict[str, np.dtype[Any]] = {}
    offsets: dict[str, int] = {}
    for item in message.fields:
        name = str(item.name)
        code = _CODES.get(int(item.datatype))
        if code is None:
            raise SignalError(f"radar cloud: field {name[:40]!r} has the unknown type {int(item.datatype)}")
        kind = np.dtype(order + code)
        if int(item.offset) < 0 or int(item.offset) + kind.itemsize > max(step, 0):
            raise SignalError(f"radar cloud: field {name[:40]!r} lies beyond a point of {step} bytes")
        layout.setdefault(name, kind)
        offsets.setdefault(name, int(item.offset))
    if count == 0:
        return 0, {name: np.zeros(0) for name in layout}
    if width < 0 or height < 0 or row < width * step or len(data) < row * (height - 1) + width * step:
        raise SignalError(f"radar cloud of {width}x{height} points of {step} bytes holds {len(data)} bytes: too few")
    found = {}
    for name, kind in layout.items():
        view: Any = np.ndarray((height, width), dtype=kind, buffer=data, offset=offsets[name], strides=(row, step))
        with np.errstate(invalid="ignore"):  # a signalling NaN is dropped below
            found[name] = view.astype(np.float64).reshape(count)
    return count, found


def _first(columns: dict[str, Any], names: Sequence[str]) -> Any:
    low = {name.lower(): column for name, column in columns.items()}
    return next((low[name] for name in names if name in low), None)


def _value(column: Any, at: int) -> float | None:
    if column is None:
        return None
    value = float(column[at])
    return value if math.isfinite(value) else None
