"""Pictures to look at, from picture files, folders, videos and recordings, with what each says of its camera.

Pictures are independent of each other; those of one video or one recording follow one another.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.errors import AdasError
from adas_runtime.ingest.footage import PICTURES, SIZE_MAX_PX, Footage
from adas_runtime.ingest.footage import Source as FootageSource
from adas_runtime.perception.encoded import is_cut

if TYPE_CHECKING:
    from adas_runtime.inputs.feed import Feed
    from adas_runtime.replay.bag import Bag

Image = npt.NDArray[np.uint8]
Say = Callable[[str], None]

VIDEOS: Final = (".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".ts", ".wmv", ".flv", ".gif")
BAGS: Final = (".mcap", ".db3", ".zstd", ".zst", ".lz4")
SIZE_MIN_PX: Final = 64  # fewer rows or columns hold no road that could be seen
_MAGIC: Final = (
    (b"\xff\xd8\xff", "picture"),
    (b"\x89PNG", "picture"),
    (b"BM", "picture"),
    (b"II*\x00", "picture"),
    (b"MM\x00*", "picture"),
    (b"\x89MCAP0", "bag"),
    (b"SQLite format 3\x00", "bag"),
    (b"\x1aE\xdf\xa3", "video"),
    (b"GIF8", "video"),
)


class Kind(Enum):
    """What a source is."""

    PICTURE = "picture"
    VIDEO = "video"
    BAG = "bag"


@dataclass(frozen=True, slots=True)
class Source:
    """One input; pictures of a source that is no picture follow one another."""

    path: Path
    kind: Kind

    @property
    def name(self) -> str:
        """The path as the user gave it."""
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Frame:
    """One picture.

    Args:
        index: Count in its source, from 0; pictures that were left out count.
        stamp_s: Seconds since the start of a video, the recording's time in a recording, 0 for a single picture.
        image: Blue green red, (rows, columns, 3); `None`: it cannot be decoded, and `reason` says why.
        reason: Empty for a sound picture.
    """

    index: int
    stamp_s: float
    image: Image | None
    reason: str = ""


def find(inputs: list[str]) -> list[Source | AdasError]:
    """The sources of a command line, in order; what cannot be one is the error that says why."""
    found: list[Source | AdasError] = []
    for text in inputs:
        try:
            found += _find_one(text)
        except AdasError as error:
            found.append(error)
        except OSError as error:
            found.append(AdasError(f"cannot be read ({error.strerror})", where=text, mend="check its permissions"))
    return found


def _find_one(text: str) -> list[Source]:
    path = Path(text)
    if path.is_dir():
        return _find_in_folder(path)
    if path.is_file():
        return [Source(path, _kind(path))]
    if any(sign in text for sign in "*?["):
        matches = sorted((Path(name) for name in glob.glob(text)), key=natural)
        if not matches:
            raise AdasError("matches no file", where=text, mend="check the pattern")
        return [source for match in matches for source in _find_one(str(match))]
    raise AdasError("does not exist", where=text, mend="give a picture, a video, a rosbag2 recording or a folder")


def _find_in_folder(path: Path) -> list[Source]:
    items = sorted(path.iterdir(), key=natural)
    names = {item.name for item in items}
    has_footage = any(_suffix(item) in (*PICTURES, *VIDEOS) for item in items)
    if "metadata.yaml" in names or (not has_footage and any(_suffix(item) in BAGS for item in items)):
        return [Source(path, Kind.BAG)]
    known = ((PICTURES, Kind.PICTURE), (VIDEOS, Kind.VIDEO), (BAGS, Kind.BAG))
    sources = [
        Source(item, kind) for item in items if item.is_file() for suffixes, kind in known if _suffix(item) in suffixes
    ]
    if not sources:
        raise AdasError(
            "holds no pictures, videos or recording", where=str(path), mend="folders in it are not searched: name them"
        )
    return sources


def _kind(path: Path) -> Kind:
    """By content where that is plain, else by name, for a file with a wrong suffix is what it holds."""
    with path.open("rb") as stream:
        head = stream.read(16)
    if not head:
        raise AdasError("is empty", where=str(path), mend="give a picture, a video or a recording")
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return Kind(kind)
    if head[:4] == b"RIFF":
        return Kind.PICTURE if head[8:12] == b"WEBP" else Kind.VIDEO
    if head[4:8] == b"ftyp":
        if head[8:12] in (b"heic", b"heix", b"mif1", b"avif"):
            raise AdasError(
                "is a HEIF picture, which cannot be read", where=str(path), mend="convert it to JPEG or PNG"
            )
        return Kind.VIDEO
    suffix = _suffix(path)
    for suffixes, found in ((PICTURES, Kind.PICTURE), (VIDEOS, Kind.VIDEO), (BAGS, Kind.BAG)):
        if suffix in suffixes:
            return found
    raise AdasError(
        f"is no picture, video or recording: unknown suffix {suffix!r}",
        where=str(path),
        mend=f"give {', '.join(PICTURES[:3])}, {', '.join(VIDEOS[:3])}, {', '.join(BAGS[:2])} or the like",
    )


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def natural(path: Path) -> list[tuple[int, str]]:
    """Sorting key under which frame_10 comes after frame_9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", str(path))]


# --- pictures ---------------------------------------------------------------------------------------------------------


def read_picture(path: Path) -> Image:
    """A picture file as blue green red, 8 bits, turned upright as its EXIF says.

    Raises:
        AdasError: It cannot be read, is cut short, too small or too large.
    """
    where = str(path)
    try:
        data = np.fromfile(path, dtype=np.uint8)
    except OSError as error:
        raise AdasError(f"cannot be read ({error.strerror})", where=where, mend="check its permissions") from error
    raw = data.tobytes()
    if is_cut(raw):
        raise AdasError("is cut short: the picture's end is missing", where=where, mend="copy it again")
    try:
        image = cv2.imdecode(data, cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH)
    except cv2.error as error:
        what = "is too large" if "MAX_IMAGE_PIXELS" in str(error) or "size" in str(error) else "cannot be decoded"
        raise AdasError(what, where=where, mend="scale it down or convert it to JPEG or PNG") from error
    if image is None:
        raise AdasError("is no picture that can be read", where=where, mend="convert it to JPEG or PNG")
    check_size(image, where)
    return to_8_bits(image, where)


def check_size(image: npt.NDArray[Any], where: str) -> None:
    """Refuse what holds no road, and what would fill the memory."""
    height, width = image.shape[:2]
    if min(height, width) < SIZE_MIN_PX:
        raise AdasError(
            f"{width}x{height} is too small", where=where, mend=f"give at least {SIZE_MIN_PX} rows and columns"
        )
    if max(height, width) > SIZE_MAX_PX:
        raise AdasError(f"{width}x{height} is too large", where=where, mend="scale it down")


def to_8_bits(image: npt.NDArray[Any], where: str) -> Image:
    """Three channels of 8 bits; a camera's 10, 12 or 14 bits in 16 become its most significant eight."""
    if image.dtype == np.uint16:
        bits = max(8, int(image.max()).bit_length())
        image = (image >> (bits - 8)).astype(np.uint8)
    if image.dtype != np.uint8:
        raise AdasError(f"has values of {image.dtype}", where=where, mend="convert it to 8 or 16 bits")
    if image.ndim == 2:
        image = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
    return np.ascontiguousarray(image[:, :, :3])


# --- streams ----------------------------------------------------------------------------------------------------------


def frames(source: Source, *, camera_topic: str | None, say: Say) -> Iterator[Frame]:
    """The pictures of a source, in order.

    Args:
        source: Which.
        camera_topic: The topic of a recording to look at; `None`: the front camera's, guessed.
        say: Called with each line that the user should read.

    Raises:
        AdasError: It cannot be read.
    """
    cv2.utils.logging.setLogLevel(0)  # where OpenCV was loaded before its variables could be set
    if source.kind is Kind.PICTURE:
        yield Frame(0, 0.0, read_picture(source.path))
    elif source.kind is Kind.VIDEO:
        yield from _video(source, say)
    else:
        yield from _bag(source, camera_topic, say)


def looked_at(
    source: Source, *, every: int, max_frames: int | None, say: Say, camera_topic: str | None = None
) -> Iterator[Frame]:
    """The pictures of a source that are looked at: the first of each so many, and so many at the most.

    Raises:
        AdasError: As `frames`; or it holds no picture.
    """
    looked = 0
    for frame in frames(source, camera_topic=camera_topic, say=say):
        if frame.index % every:
            continue
        if max_frames is not None and looked >= max_frames:
            break
        looked += 1
        yield frame
    if looked == 0:
        raise AdasError("holds no picture", where=source.name, mend="check it with a player")


def _video(source: Source, say: Say) -> Iterator[Frame]:
    footage = Footage([FootageSource(source.path, ())], fps=None, takes_truncated=True, note=say)
    for index, (t_s, image, _) in enumerate(footage.video(source.path)):
        if index == 0:
            check_size(image, source.name)
        yield Frame(index, t_s, image)


def _bag(source: Source, camera_topic: str | None, say: Say) -> Iterator[Frame]:
    from adas_runtime.inputs.recording import bind
    from adas_runtime.perception.lane_model import decode
    from adas_runtime.replay.bag import Bag
    from adas_runtime.signals import CameraFrame

    with Bag(source.path) as bag:
        feed = _camera_feed(bag, camera_topic, source.name, say)
        bound = bind(bag, [feed])
        for text in (*bag.warnings, *bound.warnings):
            say(text if source.name in text else f"{source.name}: {text}")
        if feed.topic not in bound.reads:
            raise AdasError(
                f"{feed.topic} cannot be read", where=source.name, mend="choose another topic with --camera"
            )
        index = -1
        for now_s, _, found in bound.messages(bag):
            if isinstance(found, str):
                index += 1
                yield Frame(index, now_s, None, found)
                continue
            for _, signal in found:
                if not isinstance(signal, CameraFrame):
                    continue
                index += 1
                image = decode(signal.encoding, signal.data, signal.width_px, signal.height_px)
                if image is None:
                    yield Frame(index, signal.stamp_s, None, f"picture cannot be decoded as {signal.encoding}")
                elif min(image.shape[:2]) < SIZE_MIN_PX:
                    told = f"picture of {image.shape[1]}x{image.shape[0]} is too small"
                    yield Frame(index, signal.stamp_s, None, told)
                else:
                    yield Frame(index, signal.stamp_s, image)
        if index < 0:
            raise AdasError(f"{feed.topic} holds no picture", where=source.name, mend="check the recording")


def _camera_feed(bag: Bag, topic: str | None, where: str, say: Say) -> Feed:
    """The feed of the camera to look at."""
    from adas_runtime.cabin import MEND, WHAT, is_cabin_topic
    from adas_runtime.inputs.feed import OWN, Feed
    from adas_runtime.inputs.recording import feeds_of

    kinds = {name: found.type for name, found in bag.topics.items()}
    pictures = {
        name: kind
        for name, kind in sorted(kinds.items())
        if kind in ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image", OWN + "CameraFrame")
    }
    if topic is not None:
        if is_cabin_topic(topic, pictures.get(topic, "")):
            raise AdasError(f"{topic} {WHAT}", where=where, mend=MEND)
        if topic not in pictures:
            raise AdasError(
                f"{topic} is no topic with pictures here",
                where=where,
                mend=f"take one of {', '.join(pictures)}" if pictures else "the recording holds no pictures",
            )
        return Feed(topic=topic, type=pictures[topic], feeds=("camera_front",), is_guessed=False)
    feed = next((item for item in feeds_of(bag) if "camera_front" in item.feeds), None)
    if feed is None:
        raise AdasError(
            "holds no pictures of a front camera",
            where=where,
            mend=f"name the topic with --camera: {', '.join(pictures)}" if pictures else "record a camera topic",
        )
    if len(pictures) > 1:
        others = ", ".join(name for name in pictures if name != feed.topic)
        say(f"{where}: {feed.topic} is taken as the front camera; --camera takes another: {others}")
    return feed
