"""Pictures with their times, from video files, picture files, folders and patterns, one after the other.

Video times are the presentation times of the container, so a variable frame rate stays what it was.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# OpenCV's and FFmpeg's own complaints on standard error would bury the one line that the user needs; both are read once
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.errors import AdasError
from adas_runtime.ingest.writer import JPEG_QUALITY
from adas_runtime.signals import MAX_FRAME_BYTES

PICTURES: Final = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff")
EXACT_COUNT: Final = (".mp4", ".mov", ".m4v", ".avi")  # containers whose index counts the frames
MISSING_SHARE: Final = 0.02  # of the frames that the index promises; more missing is a file cut short
MISSING_SHARE_GUESSED: Final = 0.10  # where the count follows from duration and mean rate only
SIZE_MAX_PX: Final = 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """One picture as JPEG, at a time since the start of the footage."""

    t_s: float
    width_px: int
    height_px: int
    jpeg: NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Source:
    """One input: a video file, or a run of picture files."""

    video: Path | None
    pictures: tuple[Path, ...]

    @property
    def name(self) -> str:
        """For messages."""
        return str(self.video if self.video is not None else self.pictures[0])


def find_sources(inputs: list[str]) -> list[Source]:
    """The inputs of a command line, in order; neighbouring picture files form one run.

    Raises:
        AdasError: An input does not exist, is empty, or is a folder or pattern without pictures.
    """
    sources: list[Source] = []
    run: list[Path] = []

    def end_run() -> None:
        if run:
            sources.append(Source(None, tuple(run)))
            run.clear()

    for text in inputs:
        path = Path(text)
        if path.is_dir():
            found = sorted((item for item in path.iterdir() if _is_picture(item)), key=_natural)
            if not found:
                raise AdasError(
                    "holds no pictures", where=text, mend=f"give a folder with {', '.join(PICTURES[:3])} files"
                )
            end_run()
            sources.append(Source(None, tuple(found)))
        elif path.is_file():
            if path.stat().st_size == 0:
                raise AdasError("is empty", where=text, mend="give a video or a picture")
            if _is_picture(path):
                run.append(path)
            else:
                end_run()
                sources.append(Source(path, ()))
        elif any(sign in text for sign in "*?["):
            matches = sorted((Path(name) for name in glob.glob(text)), key=_natural)
            if not matches:
                raise AdasError("matches no file", where=text, mend="check the pattern")
            end_run()
            sources += find_sources([str(item) for item in matches])
        else:
            raise AdasError("does not exist", where=text, mend="give a video file, a folder or a pattern of pictures")
    end_run()
    return sources


def _is_picture(path: Path) -> bool:
    return path.suffix.lower() in PICTURES and path.is_file()


def _natural(path: Path) -> list[tuple[int, str]]:
    """Sorting key under which frame_10 comes after frame_9."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", path.name)]


class Footage:
    """The pictures of all inputs.

    Args:
        sources: What `find_sources` found.
        fps: Pictures a second instead of the container's times; needed for picture files, which carry no time.
        takes_truncated: Take the good part of a video that is cut short, with a note.
        note: Called with each line that the user should read.
    """

    def __init__(
        self, sources: list[Source], *, fps: float | None, takes_truncated: bool, note: Callable[[str], None]
    ) -> None:
        self._sources = sources
        self._fps = fps
        self._takes_truncated = takes_truncated
        self._note = note
        if fps is not None and not 0.1 <= fps <= 1000.0:
            raise AdasError(f"{fps:g} is out of range", where="--fps", mend="take 0.1 to 1000")
        if fps is None:
            for source in sources:
                if source.video is None:
                    raise AdasError(
                        "pictures carry no time", where=source.name, mend="say how many a second with --fps"
                    )
        self._size: tuple[int, int] | None = None
        self.expected = sum(len(source.pictures) or _count(source.video) for source in sources)

    def pictures(self) -> Iterator[Picture]:
        """Every picture in order; times rise strictly.

        Raises:
            AdasError: An input is no video or picture, is cut short, holds no picture, or changes its size.
        """
        start = 0.0
        for source in self._sources:
            step, last = 0.0, start
            stream = self.video(source.video) if source.video is not None else self._files(source.pictures)
            for t, picture, jpeg in stream:
                now = start + t
                height, width = picture.shape[:2]
                self._check_size(source, width, height)
                if now > last:
                    step = now - last
                last = now
                yield Picture(
                    t_s=now, width_px=width, height_px=height, jpeg=_encoded(picture) if jpeg is None else jpeg
                )
            start = last + (step or 1.0 / (self._fps or 20.0))  # the next input follows at the same pace

    def _check_size(self, source: Source, width: int, height: int) -> None:
        if self._size is None:
            if max(width, height) > SIZE_MAX_PX:
                raise AdasError(f"pictures of {width}x{height} are too large", where=source.name, mend="scale it down")
            self._size = (width, height)
        elif self._size != (width, height):
            raise AdasError(
                f"pictures of {width}x{height} follow ones of {self._size[0]}x{self._size[1]}",
                where=source.name,
                mend="ingest each size into a bag of its own",
            )

    def _files(self, paths: tuple[Path, ...]) -> Iterator[tuple[float, NDArray[np.uint8], NDArray[np.uint8] | None]]:
        assert self._fps is not None
        for index, path in enumerate(paths):
            try:
                data = np.fromfile(path, dtype=np.uint8)
            except OSError as err:
                raise AdasError(f"cannot be read: {err.strerror or err}", where=str(path), mend="check it") from err
            picture = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
            if picture is None:
                raise AdasError("is no picture that can be read", where=str(path), mend="take it out or replace it")
            is_jpeg = data[:3].tobytes() == b"\xff\xd8\xff"
            # a JPEG ends with EOI; without it the lower part of the picture is missing and was made up in grey
            if is_jpeg and b"\xff\xd9" not in data[-64:].tobytes():
                raise AdasError("is cut short", where=str(path), mend="take it out or replace it")
            keep = is_jpeg and data.size <= MAX_FRAME_BYTES
            yield index / self._fps, np.asarray(picture, dtype=np.uint8), data if keep else None

    def video(self, path: Path) -> Iterator[tuple[float, NDArray[np.uint8], NDArray[np.uint8] | None]]:
        """Times since the first picture [s], pictures as blue green red, and no JPEG, as `_files` gives them."""
        capture = _open(path)
        promised = _promised(capture)
        nominal = float(capture.get(cv2.CAP_PROP_FPS))
        nominal = nominal if 0.1 <= nominal <= 1000.0 else 0.0
        count, last, repaired, offset = 0, -1.0, 0, None
        try:
            while capture.grab():
                done, picture = capture.retrieve()
                if not done or picture is None or picture.size == 0:
                    break
                if self._fps is not None:
                    t = count / self._fps
                else:
                    stamp = float(capture.get(cv2.CAP_PROP_POS_MSEC)) * 1e-3
                    offset = stamp if offset is None else offset  # the first picture is at zero
                    t = stamp - offset
                    if count and not last < t < last + 3600.0:
                        if not nominal:
                            raise AdasError(
                                "carries no times", where=str(path), mend="say how many a second with --fps"
                            )
                        t = last + 1.0 / nominal
                        repaired += 1
                last = t
                count += 1
                if picture.ndim == 2:
                    picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
                yield t, np.asarray(picture, dtype=np.uint8), None
        finally:
            capture.release()
        if count == 0:
            raise AdasError(
                "holds no picture that can be decoded", where=str(path), mend="convert it, to H.264 in MP4 say"
            )
        share = MISSING_SHARE if path.suffix.lower() in EXACT_COUNT else MISSING_SHARE_GUESSED
        if count < promised - max(1.0, share * promised):
            told = f"ends after {count} of {promised} pictures: it is cut short or damaged"
            if not self._takes_truncated:
                raise AdasError(told, where=str(path), mend="--allow-truncated takes the pictures that are there")
            self._note(f"{path}: {told}; they are taken")
        if repaired:
            self._note(
                f"{path}: {repaired} of {count} pictures had no rising time; they follow at {nominal:g} a second"
            )


def _open(path: Path) -> Any:
    capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        capture.release()
        raise AdasError(
            "is no video that can be read, or it is cut short",
            where=str(path),
            mend="check it with a player, convert it",
        )
    return capture


def _promised(capture: Any) -> int:
    """Pictures that the container's index promises, 0 where it does not say."""
    count = float(capture.get(cv2.CAP_PROP_FRAME_COUNT))
    return int(count) if 0.0 < count < 1e9 else 0


def _count(path: Path | None) -> int:
    if path is None:
        return 0
    capture = _open(path)
    count = _promised(capture)
    capture.release()
    return count


def _encoded(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    assert done
    return np.asarray(jpeg, dtype=np.uint8)
