"""Where drawn pictures go: one file a picture, or a film with its first and last picture."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.errors import AdasError
from adas_runtime.perceive.overlay import blank
from adas_runtime.perceive.sources import Frame, Kind, Source

Image = npt.NDArray[np.uint8]

JPEG_QUALITY: Final = 92
RATE_HZ: Final = (1.0, 60.0)  # of a film; outside it a player shows nothing useful


class OverlayFolder:
    """The folder that `--overlay` names; made here, checked before any work is done."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._names: set[str] = set()
        try:
            path.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path):
                pass
        except OSError as error:
            raise AdasError(
                f"cannot be written to ({error.strerror})", where=f"--overlay {path}", mend="take another folder"
            ) from error

    def stem(self, source: Source) -> str:
        """A name for what is drawn of a source; two sources of one name get two."""
        # without its suffix a picture and a video of the same name would meet
        base = source.path.resolve().name if source.path.is_dir() else source.path.stem
        name, count = base, 1
        while name.lower() in self._names:
            count += 1
            name = f"{base}_{count}"
        self._names.add(name.lower())
        return name

    def write(self, name: str, image: Image) -> Path:
        """A picture, whole or not at all."""
        path = self.path / name
        done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        assert done
        part = path.with_name(f".{name}.part")
        try:
            part.write_bytes(np.asarray(data).tobytes())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise AdasError(
                f"cannot be written ({error.strerror})", where=str(path), mend="free space or take another folder"
            ) from error
        return path


class Drawer:
    """Takes what was seen of one source and leaves files.

    Args:
        folder: Where to.
        source: Of what.
        stills: One file a picture also for videos and recordings.
    """

    def __init__(self, folder: OverlayFolder, source: Source, *, stills: bool) -> None:
        self._folder = folder
        self._stem = folder.stem(source)
        self._is_film = source.kind is not Kind.PICTURE and not stills
        self._is_single = source.kind is Kind.PICTURE
        self._film: Any = None
        self._part: Path | None = None
        self._waiting: tuple[float, Image] | None = None
        self._size = (0, 0)
        self._last: tuple[int, Image] | None = None
        self.files: list[Path] = []

    def add(self, frame: Frame, draw: Callable[[], Image]) -> None:
        """One picture; `draw` is asked for the drawing where there is a picture to draw on."""
        image = draw() if frame.image is not None else None
        if image is None:
            if self._last is None:
                return
            image = blank(self._last[1], f"frame {frame.index}: {frame.reason}")
        index = frame.index
        if self._is_single:
            self.files.append(self._folder.write(f"{self._stem}.overlay.jpg", image))
            return
        if not self._is_film or self._last is None:
            self.files.append(self._folder.write(f"{self._stem}.{index:06d}.overlay.jpg", image))
        if self._is_film:
            self._roll(frame.stamp_s, image)
        self._last = (index, image)

    def close(self) -> None:
        """Finish the film, and leave its last picture beside it."""
        if not self._is_film or self._last is None:
            return
        if self._film is None and self._waiting is not None:
            return  # one picture is no film
        self._film.release()
        self._film = None
        assert self._part is not None
        path = self._folder.path / f"{self._stem}.overlay.mp4"
        if not self._part.exists() or self._part.stat().st_size == 0:
            raise AdasError("cannot be written", where=str(path), mend="free space, or use --stills")
        os.replace(self._part, path)
        self.files.append(path)
        index, image = self._last
        self.files.append(self._folder.write(f"{self._stem}.{index:06d}.overlay.jpg", image))

    def drop(self) -> None:
        """Leave no half film behind."""
        if self._film is not None:
            self._film.release()
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    def _roll(self, stamp_s: float, image: Image) -> None:
        if self._film is None:
            if self._waiting is None:
                self._waiting = (stamp_s, image)
                return
            first_s, first = self._waiting
            step_s = stamp_s - first_s
            rate = min(max(1.0 / step_s if step_s > 0.0 else RATE_HZ[1], RATE_HZ[0]), RATE_HZ[1])
            # codecs want even numbers
            self._size = (first.shape[1] & ~1, first.shape[0] & ~1)
            self._part = self._folder.path / f".{self._stem}.part.mp4"
            self._film = cv2.VideoWriter(str(self._part), cv2.VideoWriter.fourcc(*"mp4v"), rate, self._size)
            if not self._film.isOpened():
                raise AdasError(
                    "no film can be written here", where=str(self._folder.path), mend="use --stills for pictures"
                )
            self._waiting = None
            self._write(first)
        self._write(image)

    def _write(self, image: Image) -> None:
        width, height = self._size
        if image.shape[1] < width or image.shape[0] < height:
            image = np.asarray(cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA), dtype=np.uint8)
        self._film.write(np.ascontiguousarray(image[:height, :width]))
