"""Drives as rosbag2 (MCAP): every message with its embedded definition, and a bag that is there whole or not at all.

The bag is written into a hidden folder beside its place and renamed at the end, so an error or an interruption leaves
nothing half-written. File names inside do not depend on the bag's name: the same messages give the same bytes.
"""

from __future__ import annotations

import math
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from adas_runtime.errors import BagError
from adas_runtime.interfaces import register
from adas_runtime.replay.cdr import encoder
from adas_runtime.signals import Signal

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from rosbags.interfaces import Connection
    from typing_extensions import Self

    from adas_runtime.perception.camera import Camera

IMAGE_TOPIC: Final = "/camera/front/image/compressed"
CAMERA_INFO_TOPIC: Final = "/camera/front/camera_info"
STATE_TOPIC: Final = "/vehicle/state"
DRIVER_TOPIC: Final = "/vehicle/driver_input"
FIX_TOPIC: Final = "/gnss/fix"
CAMERA_FRAME: Final = "camera_front"
VEHICLE_FRAME: Final = "base_link"
JPEG_QUALITY: Final = 88  # a frame of 1280x720 takes about 150 kB; paint edges stay within a grey level or two  [D]
FILE_STEM: Final = "drive"
NS: Final = 1_000_000_000

Record = tuple[int, str, bytes]  # log time [ns], topic, CDR bytes


class Messages:
    """Makes the CDR bytes of the messages that a drive holds."""

    def __init__(self) -> None:
        from rosbags.typesys import Stores, get_typestore

        self.store = get_typestore(Stores.ROS2_JAZZY)
        register(self.store)
        types = self.store.types
        self._time: Any = types["builtin_interfaces/msg/Time"]
        self._header: Any = types["std_msgs/msg/Header"]
        self._types: Any = types

    def _head(self, stamp_ns: int, frame: str) -> Any:
        return self._header(stamp=self._time(sec=stamp_ns // NS, nanosec=stamp_ns % NS), frame_id=frame)

    def _bytes(self, message: Any, name: str) -> bytes:
        return bytes(self.store.serialize_cdr(message, name))

    def signal(self, value: Signal) -> bytes:
        """A signal of `adas_interfaces`."""
        return encoder(type(value))(value)  # type: ignore[arg-type]  # mypy takes a class with slots for unhashable

    def image(self, stamp_ns: int, jpeg: NDArray[np.uint8]) -> bytes:
        """`sensor_msgs/CompressedImage`."""
        name = "sensor_msgs/msg/CompressedImage"
        return self._bytes(self._types[name](header=self._head(stamp_ns, CAMERA_FRAME), format="jpeg", data=jpeg), name)

    def camera_info(self, stamp_ns: int, width: int, height: int, camera: Camera | None) -> bytes:
        """`sensor_msgs/CameraInfo`; all zeros in K where the camera is not known, as ROS defines it."""
        import numpy as np

        name = "sensor_msgs/msg/CameraInfo"
        k, p, r, d = np.zeros(9), np.zeros(12), np.zeros(9), np.zeros(0)
        if camera is not None:
            k = np.array([camera.fx_px, 0, camera.cx_px, 0, camera.fy_px, camera.cy_px, 0, 0, 1], dtype=np.float64)
            p = np.insert(k, [3, 6, 9], 0.0)
            r, d = np.eye(3).ravel(), np.array(camera.distortion[: 4 if camera.is_fisheye else 5])
        region = self._types["sensor_msgs/msg/RegionOfInterest"](
            x_offset=0, y_offset=0, height=0, width=0, do_rectify=False
        )
        message = self._types[name](
            header=self._head(stamp_ns, CAMERA_FRAME),
            height=height,
            width=width,
            distortion_model=camera.lens if camera is not None else "",
            d=d,
            k=k,
            r=r,
            p=p,
            binning_x=0,
            binning_y=0,
            roi=region,
        )
        return self._bytes(message, name)

    def fix(
        self, stamp_ns: int, latitude_deg: float, longitude_deg: float, altitude_m: float | None, std_m: float | None
    ) -> bytes:
        """`sensor_msgs/NavSatFix`; NaN for an unknown altitude and covariance type 0 where none is known, as in ROS."""
        import numpy as np

        name = "sensor_msgs/msg/NavSatFix"
        spread = std_m or 0.0
        status = self._types["sensor_msgs/msg/NavSatStatus"](status=0, service=1)
        message = self._types[name](
            header=self._head(stamp_ns, "gnss"),
            status=status,
            latitude=latitude_deg,
            longitude=longitude_deg,
            altitude=math.nan if altitude_m is None else altitude_m,
            position_covariance=np.diag([spread**2, spread**2, (2.0 * spread) ** 2]).ravel(),
            position_covariance_type=0 if std_m is None else 2,
        )
        return self._bytes(message, name)

    def odometry(
        self, stamp_ns: int, position_m: tuple[float, float], heading_rad: float, speed_mps: float, yaw_rate_rps: float
    ) -> bytes:
        """`nav_msgs/Odometry` on the plane, from `map` to the vehicle."""
        import numpy as np

        name = "nav_msgs/msg/Odometry"
        make = self._types
        vector, point = make["geometry_msgs/msg/Vector3"], make["geometry_msgs/msg/Point"]
        turn = make["geometry_msgs/msg/Quaternion"](
            x=0.0, y=0.0, z=math.sin(heading_rad / 2.0), w=math.cos(heading_rad / 2.0)
        )
        pose = make["geometry_msgs/msg/Pose"](position=point(x=position_m[0], y=position_m[1], z=0.0), orientation=turn)
        twist = make["geometry_msgs/msg/Twist"](
            linear=vector(x=speed_mps, y=0.0, z=0.0), angular=vector(x=0.0, y=0.0, z=yaw_rate_rps)
        )
        message = make[name](
            header=self._head(stamp_ns, "map"),
            child_frame_id=VEHICLE_FRAME,
            pose=make["geometry_msgs/msg/PoseWithCovariance"](pose=pose, covariance=np.zeros(36)),
            twist=make["geometry_msgs/msg/TwistWithCovariance"](twist=twist, covariance=np.zeros(36)),
        )
        return self._bytes(message, name)


MESSAGE_TYPES: Final[dict[str, str]] = {
    IMAGE_TOPIC: "sensor_msgs/msg/CompressedImage",
    CAMERA_INFO_TOPIC: "sensor_msgs/msg/CameraInfo",
    STATE_TOPIC: "adas_interfaces/msg/VehicleState",
    DRIVER_TOPIC: "adas_interfaces/msg/DriverInput",
    FIX_TOPIC: "sensor_msgs/msg/NavSatFix",
}


def refuse_existing(out: Path, force: bool) -> None:
    """Refuse a place that cannot take a bag, before any work is done.

    Raises:
        BagError: Something is there that may not be replaced, or the folder above is missing or not writable.
    """
    if out.is_symlink() or out.exists():
        if not force:
            raise BagError("exists already", where=str(out), mend="take another --out, or --force to replace it")
        if out.is_symlink() or not out.is_dir() or not _is_bag(out):
            raise BagError(
                "is not a bag, so --force does not replace it",
                where=str(out),
                mend="take another --out, or move it away",
            )
    parent = out.resolve().parent
    if parent.exists() and not parent.is_dir():
        raise BagError("is a file, not a folder", where=str(parent), mend="take another --out")
    existing = parent
    while not existing.exists():
        existing = existing.parent
    if not existing.is_dir() or not os.access(existing, os.W_OK):
        raise BagError("cannot be written to", where=str(existing), mend="take another --out")


def _is_bag(path: Path) -> bool:
    """A folder that holds a bag and nothing else."""
    known = (".mcap", ".db3", ".zstd")
    names = [item.name for item in path.iterdir()]
    return any(name.endswith(known) for name in names) and all(
        name == "metadata.yaml" or name.endswith(known) for name in names
    )


class BagFolder:
    """Writes one bag; the folder appears at its place when the `with` block ends without an error.

    Args:
        out: Folder of the bag.
        types: Message type per topic, in the order in which the bag lists them.
        messages: The message maker, for the definitions.
        force: Replace a bag that is there.
        notes: Key and value for the bag's metadata.
    """

    def __init__(
        self, out: Path, types: dict[str, str], messages: Messages, *, force: bool, notes: dict[str, str]
    ) -> None:
        refuse_existing(out, force)
        self._out = out
        self._types = types
        self._messages = messages
        self._notes = notes
        self._folder: Path | None = None
        self._writer: Any = None
        self._connections: dict[str, Connection] = {}

    def __enter__(self) -> Self:
        from rosbags.rosbag2 import StoragePlugin, Writer

        try:
            self._out.resolve().parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f".{self._out.name}.", dir=self._out.resolve().parent))
            self._writer = Writer(self._folder / FILE_STEM, version=9, storage_plugin=StoragePlugin.MCAP)
            for key, value in self._notes.items():
                self._writer.set_custom_data(key, value)
            self._writer.open()
        except OSError as err:
            self._discard()
            raise BagError(
                f"cannot be written: {err.strerror or err}",
                where=str(self._out),
                mend="free space or take another --out",
            ) from err
        for topic, name in self._types.items():
            self._connections[topic] = self._writer.add_connection(topic, name, typestore=self._messages.store)
        return self

    def write(self, record: Record) -> None:
        """Append one message.

        Raises:
            BagError: The disk does not take it.
        """
        try:
            self._writer.write(self._connections[record[1]], record[0], record[2])
        except OSError as err:
            raise self._disk_error(err) from err

    def _disk_error(self, err: OSError) -> BagError:
        return BagError(
            f"cannot be written: {err.strerror or err}", where=str(self._out), mend="free space or take another --out"
        )

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._folder is not None
        if kind is not None:
            with suppress(OSError):
                self._writer.abort()
            self._discard()
            return
        try:
            self._writer.close()
            written = self._folder / FILE_STEM
            written.chmod(0o755)
            if self._out.exists():  # --force: the old bag goes only when the new one is complete
                self._out.rename(self._folder / "replaced")
            written.rename(self._out)
        except OSError as err:
            raise self._disk_error(err) from err
        finally:
            self._discard()

    def _discard(self) -> None:
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)


def in_time_order(streams: Iterable[Iterator[Record]]) -> Iterator[Record]:
    """Merge streams that are each in time order; at equal times the order of the streams holds."""
    import heapq

    def ranked(rank: int, stream: Iterator[Record]) -> Iterator[tuple[int, int, Record]]:
        for record in stream:
            yield record[0], rank, record

    key: Callable[[tuple[int, int, Record]], tuple[int, int]] = lambda item: (item[0], item[1])  # noqa: E731
    merged = heapq.merge(*(ranked(rank, stream) for rank, stream in enumerate(streams)), key=key)
    return (record for _, _, record in merged)
