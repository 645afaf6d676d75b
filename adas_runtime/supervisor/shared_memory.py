"""Shared memory that killed processes left behind: Fast DDS gives its segments back only in an orderly end.

A process that dies again and again would fill /dev/shm, and a segment that then grows ends its process with SIGBUS.
Each segment has a lock file that its owner holds while it lives, so what can be locked belongs to nobody.
"""

from __future__ import annotations

import fcntl
import os
import re
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER: Final = Path("/dev/shm")
LOCK: Final = re.compile(r"(?:fastrtps|fastdds)_[0-9a-f]{16}_el")  # not of the ports: whoever opens those mends them
YOUNG_S: Final = 2.0  # a segment that is just being made is not locked yet


def clear_leftovers(folder: Path = FOLDER, now_s: float | None = None) -> int:
    """Remove this user's segments that no living process owns; how many these were.

    Args:
        folder: Where the segments are.
        now_s: Time of the system clock, for the age of the files; now by default [s].
    """
    now_s = time.time() if now_s is None else now_s
    removed = 0
    try:
        locks = [item for item in os.scandir(folder) if LOCK.fullmatch(item.name)]
    except OSError:
        return 0
    for lock in locks:
        with suppress(OSError):
            about = lock.stat(follow_symlinks=False)
            if about.st_uid == os.getuid() and now_s - about.st_mtime > YOUNG_S and _is_orphan(lock.path):
                with suppress(FileNotFoundError):
                    os.unlink(lock.path.removesuffix("_el"))
                os.unlink(lock.path)
                removed += 1
    return removed


def _is_orphan(path: str) -> bool:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True
