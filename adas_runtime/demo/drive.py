"""The drive of a demo: rendered, from footage, or a recording of the user's, none of it longer than asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adas_runtime.errors import AdasError, BagError
from adas_runtime.replay.bag import Bag

BAG_SUFFIXES: Final = (".mcap", ".db3", ".zstd")
MADE_BY: Final = "made.json"
Progress = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """A drive that can be played and replayed, and what is to be said of it."""

    bag: Path
    notes: tuple[str, ...] = ()


def is_recording(path: Path) -> bool:
    """Whether a path is a bag and not footage."""
    if path.is_dir():
        return any(item.name == "metadata.yaml" or item.suffix in BAG_SUFFIXES for item in path.iterdir())
    if path.suffix in BAG_SUFFIXES or path.name == "metadata.yaml":
        return True
    with path.open("rb") as stream:
        head = stream.read(16)
    return head.startswith((b"\x89MCAP0\r\n", b"SQLite format 3\x00"))


def rendered(folder: Path, market: str, seconds: float, progress: Progress) -> Drive:
    """A drive of the synth, drawn anew only when it is another one than the last."""
    from adas_runtime.synth.bag import write_bag
    from adas_runtime.synth.drive import DriveSpec, make_drive

    drive = make_drive(DriveSpec(market=market, seconds=seconds))
    made = {"market": drive.market.digest, "vehicle": drive.vehicle.name, "seconds": seconds, "seed": drive.spec.seed}
    bag, note = folder / "drive", folder / f"drive_{MADE_BY}"
    if bag.is_dir() and note.is_file():
        try:
            if json.loads(note.read_text(encoding="utf-8")) == made:
                return Drive(bag=bag, notes=("the drive was rendered before and is used again",))
        except (ValueError, OSError):
            pass
    note.unlink(missing_ok=True)
    write_bag(drive, bag, force=bag.exists(), progress=progress)
    note.write_text(json.dumps(made), encoding="utf-8")
    return Drive(bag=bag, notes=(f"a rendered drive of {seconds:g} s",))


def from_footage(path: Path, folder: Path, seconds: float, progress: Progress) -> Drive:
    """Footage as a bag."""
    import cv2

    from adas_runtime.ingest.bag import ingest

    cv2.utils.logging.setLogLevel(0)  # its complaints about a file that is no video come beside our one line
    bag = folder / "drive"
    (folder / f"drive_{MADE_BY}").unlink(missing_ok=True)
    made = ingest([str(path)], bag, takes_truncated=True, force=bag.exists(), progress=progress)
    if made.seconds <= seconds + 0.5:
        return Drive(bag=bag, notes=made.notes)
    return clipped(bag, folder, seconds, made.notes)


def from_recording(path: Path, folder: Path, seconds: float) -> Drive:
    """A recording as it is; of a long one, its beginning."""
    with Bag(path) as bag:
        length_s = bag.end_s - bag.start_s
    if length_s <= seconds + 0.5:
        return Drive(bag=path)
    return clipped(path, folder, seconds, ())


def clipped(path: Path, folder: Path, seconds: float, notes: tuple[str, ...]) -> Drive:
    """The beginning of a recording as a bag of its own, so that the live graph and the replay see the same."""
    from mcap.writer import Writer
    from rosbags.typesys import Stores, get_typestore

    from adas_runtime.interfaces import register

    store = get_typestore(Stores.ROS2_JAZZY)
    register(store)
    out = folder / "drive_beginning.mcap"
    with Bag(path) as bag, out.open("wb") as stream:
        writer = Writer(stream)
        writer.start(profile="ros2", library="adas_runtime")
        channels: dict[str, int] = {}
        end_ns = round((bag.start_s + seconds) * 1e9)
        for log_ns, topic, data in bag.messages():
            if log_ns > end_ns:
                break
            if topic not in channels:
                about = bag.topics[topic]
                text, encoding = about.definition, about.encoding or "ros2msg"
                if not text and about.type in store.types:
                    text = str(store.generate_msgdef(about.type, ros_version=2)[0])
                schema = writer.register_schema(about.type, encoding, text.encode())
                channels[topic] = writer.register_channel(topic, about.serialization, schema)
            writer.add_message(channels[topic], log_ns, data, log_ns)
        writer.finish()  # type: ignore[no-untyped-call]
        length_s = bag.end_s - bag.start_s
    return Drive(bag=out, notes=(*notes, f"the first {seconds:g} s of {length_s:.0f} s; --seconds for more"))


def find(path: Path | None, folder: Path, market: str, seconds: float, progress: Progress) -> Drive:
    """The drive that the user means.

    Raises:
        AdasError: No such file, no footage, or a recording that cannot be read.
    """
    if path is None:
        return rendered(folder, market, seconds, progress)
    if not path.exists():
        raise AdasError("no such file", where=str(path), mend="give a rosbag2 recording or a video, or nothing")
    try:
        recording = is_recording(path)
    except OSError as error:
        raise BagError(f"cannot be read ({error.strerror})", where=str(path)) from error
    if recording:
        return from_recording(path, folder, seconds)
    if path.is_dir() and not any(path.iterdir()):
        raise BagError("is an empty folder", where=str(path), mend="give a rosbag2 recording or a video")
    return from_footage(path, folder, seconds, progress)
