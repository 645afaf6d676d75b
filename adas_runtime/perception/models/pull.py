"""`adas models pull`: fetch a model's file, go on where it was cut off, and show it as whole only once it is proven.

What is under way is called `<sha256>.part`; only a file with the right hash gets its final name, in one step.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import http.client
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from adas_runtime.errors import AdasError

CHUNK: Final = 256 * 1024
TRIES: Final = 5
TIMEOUT_S: Final = 20.0

Progress = Callable[[int, int], None]


class PullError(AdasError):
    """A model that could not be fetched."""


class _Broken(Exception):
    """The connection ended early; the next try goes on from there."""


class _NoDowngrade(urllib.request.HTTPRedirectHandler):
    """Follows redirects, but never from https to plain http."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        if req.full_url.lower().startswith("https:") and not newurl.lower().startswith("https:"):
            raise urllib.error.HTTPError(newurl, code, "redirects from https to an insecure address", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a pull did.

    Args:
        path: The whole and proven file.
        fetched_bytes: That came over the wire now; 0 where the file was there.
        resumed_bytes: That were there from an earlier try.
    """

    path: Path
    fetched_bytes: int
    resumed_bytes: int


def pull(
    url: str,
    *,
    sha256: str,
    size_bytes: int,
    target: Path,
    progress: Progress = lambda _done, _all: None,
    timeout_s: float = TIMEOUT_S,
    tries: int = TRIES,
) -> Pulled:
    """Fetches one file.

    Args:
        url: http or https.
        sha256: Of the whole file.
        size_bytes: Of the whole file [byte]; a server that sends more is refused.
        target: Where it shall be.
        progress: Told how much is there, and of how much.
        timeout_s: Without a byte for this long, the connection counts as cut [s].
        tries: Connections in a row that may end without having brought anything.
    Raises:
        PullError: It could not be had, or is another file.
    """
    part = target.with_name(f"{sha256}.part")
    try:
        if target.is_file() and _digest(target) == sha256:
            return Pulled(path=target, fetched_bytes=0, resumed_bytes=0)
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("a+b") as stream:
            _lock(stream, part)
            if not part.exists():  # another pull has just finished and taken the name
                raise PullError("another pull has just ended", where=str(target), mend="run the command again")
            result = _fill(stream, part, url, sha256, size_bytes, target, progress, timeout_s, tries)
            _sync_folder(target.parent)
            return result
    except OSError as err:
        if err.errno in (errno.ENOSPC, errno.EDQUOT):
            raise PullError(
                f"the disk is full, {size_bytes} bytes are needed",
                where=str(target.parent),
                mend="free space and run the command again, which goes on where it stopped",
            ) from err
        raise PullError(
            f"cannot be written: {err.strerror or err}",
            where=str(err.filename or target),
            mend="check the folder, or name another in ADAS_MODELS_DIR",
        ) from err


def _fill(
    stream: IO[bytes],
    part: Path,
    url: str,
    sha256: str,
    size_bytes: int,
    target: Path,
    progress: Progress,
    timeout_s: float,
    tries: int,
) -> Pulled:
    if stream.seek(0, os.SEEK_END) > size_bytes:
        stream.truncate(0)
    resumed = start = stream.seek(0, os.SEEK_END)
    fetched, idle, last = 0, 0, "the connection was cut"
    while True:
        if start < size_bytes:
            try:
                fetched += _connection(stream, url, size_bytes, progress, timeout_s)
            except _Broken as err:
                last = str(err)
        now = stream.seek(0, os.SEEK_END)
        if now == size_bytes:
            break
        idle = idle + 1 if now <= start else 0
        start = now
        if idle >= tries:
            raise PullError(
                f"{last} at {now} of {size_bytes} bytes",
                where=url,
                mend="check the network and run the command again, which goes on there",
            )
    stream.flush()
    os.fsync(stream.fileno())
    if _digest(part) != sha256:
        if resumed:  # what an earlier try left may be the bad half: once more from the start
            stream.truncate(0)
            return _fill(stream, part, url, sha256, size_bytes, target, progress, timeout_s, tries)
        part.unlink()
        raise PullError(
            f"the server's file has another sha256 than {sha256[:12]}..., it was thrown away",
            where=url,
            mend="ask whoever published it; correct the manifest only after a look at what changed",
        )
    os.replace(part, target)
    return Pulled(path=target, fetched_bytes=fetched, resumed_bytes=min(resumed, size_bytes))


def _connection(stream: IO[bytes], url: str, size_bytes: int, progress: Progress, timeout_s: float) -> int:
    """One request; appends what comes.

    Returns:
        Bytes that came.
    Raises:
        _Broken: It ended early.
        PullError: The server says no, or sends another size.
    """
    start = stream.seek(0, os.SEEK_END)
    request = urllib.request.Request(url, headers={"User-Agent": "adas", "Accept-Encoding": "identity"})
    if start:
        request.add_header("Range", f"bytes={start}-")
    opener = urllib.request.build_opener(_NoDowngrade())
    came = 0
    try:
        with opener.open(request, timeout=timeout_s) as answer:
            if answer.status == 206 and start:
                if not str(answer.headers.get("Content-Range", "")).startswith(f"bytes {start}-"):
                    stream.truncate(0)  # another part than asked for: begin anew
                    raise _Broken("the server sent another part than asked for")
            elif start:  # a server without ranges sends all of it again
                stream.truncate(0)
                start = 0
            told = answer.headers.get("Content-Length")
            if told is not None and told.isdigit() and int(told) != size_bytes - start:
                raise PullError(
                    f"the server's file has {int(told) + start} bytes, the manifest says {size_bytes}",
                    where=url,
                    mend="check url and size_bytes",
                )
            while chunk := answer.read(CHUNK):
                came += len(chunk)
                if start + came > size_bytes:
                    stream.truncate(0)
                    raise PullError(
                        f"the server sends more than the {size_bytes} bytes of the manifest",
                        where=url,
                        mend="check url and size_bytes",
                    )
                _write(stream, chunk)
                progress(start + came, size_bytes)
    except urllib.error.HTTPError as err:
        with err:
            if err.code == 416:  # no such range: what is there does not belong to this file
                stream.truncate(0)
                raise _Broken("the server refused the range") from err
            if err.code in (408, 429, 500, 502, 503, 504):
                raise _Broken(f"the server answers {err.code} {err.reason}") from err
            raise PullError(
                f"the server answers {err.code} {err.reason}", where=url, mend="check the url in the manifest"
            ) from err
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as err:
        reason = getattr(err, "reason", None) or err
        raise _Broken(f"the connection was cut ({getattr(reason, 'strerror', None) or type(reason).__name__})") from err
    return came


def _write(stream: IO[bytes], chunk: bytes) -> None:
    stream.write(chunk)
    stream.flush()


def _lock(stream: IO[bytes], part: Path) -> None:
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as err:
        raise PullError("another pull of this file is under way", where=str(part), mend="wait for it") from err


def _digest(path: Path) -> str:
    found = hashlib.sha256()
    with path.open("rb") as stream:
        for chunk in _chunks(stream):
            found.update(chunk)
    return found.hexdigest()


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while chunk := stream.read(CHUNK):
        yield chunk


def _sync_folder(folder: Path) -> None:
    """The new name outlives a power cut as well."""
    with contextlib.suppress(OSError):
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)
