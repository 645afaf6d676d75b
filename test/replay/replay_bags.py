"""Small recordings for the replay tests, written by rosbags' own writer: 25 m/s, two lanes, one drift over the line."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

from rosbags.rosbag2 import StoragePlugin, Writer
from rosbags.typesys import Stores, get_typestore

from adas_runtime.graph import live_topic
from adas_runtime.interfaces import register, type_name
from adas_runtime.replay.cdr import encoder
from adas_runtime.replay.engine import Job, run
from adas_runtime.signals import (
    DriverInput,
    LaneBoundary,
    LaneModel,
    LaneSide,
    MarkingColour,
    MarkingType,
    Signal,
    VehicleState,
)

EPOCH_NS: Final = 1_700_000_000_000_000_000
STATE: Final = "/vehicle/state"
DRIVER: Final = "/vehicle/driver_input"
LANES: Final = live_topic("lane_perception", "lanes")

Row = tuple[int, str, str, bytes]  # log time [ns], topic, type, bytes


@cache
def store() -> Any:
    """A typestore that knows our messages."""
    found = get_typestore(Stores.ROS2_JAZZY)
    register(found)
    return found


def row(t_s: float, topic: str, signal: Signal, log_s: float | None = None) -> Row:
    """One message of ours, logged at its stamp unless told otherwise."""
    log_ns = EPOCH_NS + round((t_s if log_s is None else log_s) * 1e9)
    return log_ns, topic, type_name(type(signal)), encoder(type(signal))(signal)


def stamp(t_s: float) -> float:
    """A time of the drive on the recording's clock [s]."""
    return (EPOCH_NS + round(t_s * 1e9)) * 1e-9


def lanes(t_s: float, offset_m: float) -> LaneModel:
    """Both boundaries of a 3.5 m lane; the car is `offset_m` left of its middle."""
    boundaries = tuple(
        LaneBoundary(
            side=side,
            c0_m=place - offset_m,
            c1=0.0,
            c2_1pm=0.0,
            c3_1pm2=0.0,
            x_min_m=5.0,
            x_max_m=50.0,
            type=MarkingType.DASHED,
            colour=MarkingColour.WHITE,
            confidence=0.95,
            offset_std_m=0.05,
            width_m=0.15,
        )
        for side, place in ((LaneSide.LEFT, 1.75), (LaneSide.RIGHT, -1.75))
    )
    return LaneModel(stamp_s=stamp(t_s), boundaries=boundaries, is_calibrated=True, camera_pitch_rad=0.03)


def drive(
    seconds: float = 12.0,
    *,
    drift_at_s: float = 5.0,
    drift_mps: float = 0.5,
    speed_mps: float = 25.0,
    is_driver_told: bool = True,
    from_s: float = 0.0,
) -> list[Row]:
    """Motion at 100 Hz, lanes and stalks at 20 Hz; from `drift_at_s` the car drifts left for 3 s and comes back."""
    rows: list[Row] = []
    for index in range(round(seconds * 100)):
        t_s = from_s + index * 0.01
        rows.append(row(t_s, STATE, VehicleState(stamp_s=stamp(t_s), speed_mps=speed_mps, yaw_rate_rps=0.0)))
        if index % 5 == 0:
            drift_s = min(max(0.0, t_s - drift_at_s), 3.0)
            back_s = min(max(0.0, t_s - drift_at_s - 4.0), 3.0)
            rows.append(row(t_s, LANES, lanes(t_s, drift_mps * (drift_s - back_s))))
            if is_driver_told:
                rows.append(row(t_s, DRIVER, DriverInput(stamp_s=stamp(t_s))))
    return rows


def write(path: Path, rows: Iterable[Row], storage: StoragePlugin = StoragePlugin.MCAP) -> Path:
    """Write a bag folder."""
    types = store()
    with Writer(path, version=9, storage_plugin=storage) as writer:
        connections: dict[str, Any] = {}
        for log_ns, topic, kind, data in rows:
            if topic not in connections:
                connections[topic] = writer.add_connection(topic, kind, typestore=types)
            writer.write(connections[topic], log_ns, data)
    return path


def replay(bag: Path, out: Path, **options: Any) -> Path:
    """Replay a bag in this process and return its folder."""
    return run(Job(bag=bag, market=options.pop("market", "de"), vehicle="reference", out=out, **options))


def storage_file(bag: Path) -> Path:
    """The one storage file of a bag folder."""
    (found,) = [item for item in bag.iterdir() if item.suffix in (".mcap", ".db3")]
    return found


def with_nan(rows: Iterable[Row], every: int) -> Iterator[Row]:
    """The same rows, with a speed that is no number in every n-th state."""
    broken = encoder(VehicleState)
    for index, item in enumerate(rows):
        if item[1] == STATE and index % every == 0:
            state = VehicleState(stamp_s=item[0] * 1e-9, speed_mps=math.nan)
            yield (*item[:3], broken(state))
        else:
            yield item
