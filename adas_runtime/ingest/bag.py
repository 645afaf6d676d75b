"""Footage and vehicle signals as a bag."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from adas_runtime.errors import AdasError
from adas_runtime.ingest.footage import Footage, Picture, find_sources
from adas_runtime.ingest.table import Table, read_table
from adas_runtime.ingest.writer import (
    CAMERA_INFO_TOPIC,
    DRIVER_TOPIC,
    FIX_TOPIC,
    IMAGE_TOPIC,
    MESSAGE_TYPES,
    STATE_TOPIC,
    BagFolder,
    Messages,
    Record,
    in_time_order,
)

if TYPE_CHECKING:
    from adas_runtime.vehicle.schema import Vehicle

START_S: Final = 1.0  # footage without a date begins one second after the epoch: plainly no date, and not zero either
MARGIN_S: Final = 1.0  # rows of the table that reach over the footage's ends by so much are kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Ingested:
    """What came into the bag."""

    counts: dict[str, int]
    seconds: float
    width_px: int
    height_px: int
    is_calibrated: bool
    notes: tuple[str, ...]


def ingest(
    inputs: list[str],
    out: Path,
    *,
    vehicle: Vehicle | None = None,
    table_path: Path | None = None,
    table_offset_s: float = 0.0,
    fps: float | None = None,
    takes_truncated: bool = False,
    force: bool = False,
    progress: Callable[[int, int | None], None] | None = None,
) -> Ingested:
    """Write footage, and the vehicle signals of a table, as a rosbag2 folder (MCAP).

    Args:
        inputs: Video files, picture files, folders or patterns of pictures, in order.
        out: Folder of the bag.
        vehicle: Vehicle whose front camera took the footage; `None` where that is not known.
        table_path: CSV file with vehicle signals.
        table_offset_s: Added to its times [s].
        fps: Pictures a second instead of the container's times.
        takes_truncated: Take the good part of a video that is cut short.
        force: Replace a bag that is there.
        progress: Called with pictures done and pictures expected.
    Raises:
        AdasError: An input is wrong; nothing is left behind.
    """
    from adas_runtime.perception.camera import camera_of

    notes: list[str] = []
    sources = find_sources(inputs)
    table = Table()
    if table_path is not None:
        table = read_table(table_path, offset_s=table_offset_s, base_s=START_S)
        notes += table.notes
        if table.unknown:
            notes.append(f"left out, not known: {', '.join(table.unknown)}")
    footage = Footage(sources, fps=fps, takes_truncated=takes_truncated, note=notes.append)
    pictures = footage.pictures()
    first = next(pictures, None)
    if first is None:
        raise AdasError("hold no picture", where=", ".join(inputs), mend="give a video or pictures")
    camera = None
    if vehicle is not None:
        mount = vehicle.cameras.get("front")
        if mount is None:
            raise AdasError("has no front camera", where=f"vehicle {vehicle.name}", mend="name another --vehicle")
        camera = camera_of(mount, first.width_px, first.height_px)
        if camera is None:
            raise AdasError(
                f"pictures of {first.width_px}x{first.height_px} have another shape than the camera of vehicle "
                f"{vehicle.name} ({mount.width_px}x{mount.height_px})",
                where=sources[0].name,
                mend="name the vehicle whose camera took them, or none",
            )
        if not mount.is_calibrated:
            camera = None  # a guess is no calibration, and CameraInfo cannot say that it is one
    if camera is None:
        notes.append("camera not known: CameraInfo says so by a K of zeros")

    base_ns = round((START_S if table.start_s is None else table.start_s) * 1e9)
    messages = Messages()
    expected = footage.expected or None
    end = [0.0, 0]

    def seen() -> Iterator[Picture]:
        yield first
        yield from pictures

    def camera_records() -> Iterator[Record]:
        for picture in seen():
            ns = base_ns + round(picture.t_s * 1e9)
            info = messages.camera_info(ns, picture.width_px, picture.height_px, camera)
            yield ns, CAMERA_INFO_TOPIC, info
            yield ns, IMAGE_TOPIC, messages.image(ns, picture.jpeg)
            end[0], end[1] = picture.t_s, end[1] + 1
            if progress is not None:
                progress(int(end[1]), expected)

    topics = [IMAGE_TOPIC, CAMERA_INFO_TOPIC]
    topics += [
        topic
        for topic, rows in ((STATE_TOPIC, table.states), (DRIVER_TOPIC, table.inputs), (FIX_TOPIC, table.fixes))
        if rows
    ]
    counts = dict.fromkeys(topics, 0)
    left_out = 0
    source = "adas ingest " + " ".join(Path(item.name).name for item in sources)
    with BagFolder(
        out, {topic: MESSAGE_TYPES[topic] for topic in topics}, messages, force=force, notes={"adas_source": source}
    ) as bag:
        tables = _table_records(table, messages, base_ns)
        waiting: list[Record] = []
        for record in in_time_order([*tables, camera_records()]):
            if record[1] not in (IMAGE_TOPIC, CAMERA_INFO_TOPIC):
                # kept back until a later picture shows that the footage reaches so far
                if record[0] < base_ns - round(MARGIN_S * 1e9):
                    left_out += 1
                else:
                    waiting.append(record)
                continue
            for kept in waiting:
                bag.write(kept)
                counts[kept[1]] += 1
            waiting.clear()
            bag.write(record)
            counts[record[1]] += 1
        limit = base_ns + round((end[0] + MARGIN_S) * 1e9)
        for kept in waiting:
            if kept[0] <= limit:
                bag.write(kept)
                counts[kept[1]] += 1
            else:
                left_out += 1
        if table_path is not None and not any(counts[topic] for topic in topics[2:]):
            raise AdasError(
                f"none of its rows lies within the footage of {end[0]:.1f} s",
                where=str(table_path),
                mend="move them with --csv-offset-s",
            )
    if left_out:
        notes.append(f"{left_out} values of {table_path} lie outside the footage of {end[0]:.1f} s and were left out")
    return Ingested(
        counts=counts,
        seconds=end[0],
        width_px=first.width_px,
        height_px=first.height_px,
        is_calibrated=camera is not None,
        notes=tuple(notes),
    )


def _table_records(table: Table, messages: Messages, base_ns: int) -> list[Iterator[Record]]:
    def states() -> Iterator[Record]:
        for t, value in table.states:
            yield base_ns + round(t * 1e9), STATE_TOPIC, messages.signal(value)

    def inputs() -> Iterator[Record]:
        for t, value in table.inputs:
            yield base_ns + round(t * 1e9), DRIVER_TOPIC, messages.signal(value)

    def fixes() -> Iterator[Record]:
        for t, value in table.fixes:
            ns = base_ns + round(t * 1e9)
            data = messages.fix(ns, value.latitude_deg, value.longitude_deg, value.altitude_m, value.position_std_m)
            yield ns, FIX_TOPIC, data

    return [states(), inputs(), fixes()]
