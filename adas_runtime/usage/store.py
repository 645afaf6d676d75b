"""Counters of use in one small file of the car: sums over all drives by form of feedback, no place, no time of day.

A drive's own counters stand in the status of speed assistance and begin at zero with each start of the function, so
what is added here is their growth. The file is replaced as a whole. One that cannot be read is kept aside and told, and
counting starts anew: a car that does not start for its statistics helps nobody.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from adas_runtime.errors import AdasError

STATE_DIR: Final = "ADAS_STATE_DIR"
FILE: Final = "isa_usage.json"
FORMAT: Final = 1
COUNTERS: Final = (  # names of `isa`'s figures in its status
    "on_s",
    "off_s",
    "on_m",
    "off_m",
    "within_s",
    "above_s",
    "within_m",
    "above_m",
    "known_m",
    "unknown_m",
    "switch_offs",
    "to_switch_off_s",
    "warnings",
)
Counts = dict[str, float]


def state_dir(environment: Mapping[str, str] | None = None) -> Path:
    """Folder for what outlives a drive: `ADAS_STATE_DIR`, else `adas` in the user's folder for states (XDG)."""
    known = os.environ if environment is None else environment
    if known.get(STATE_DIR):
        return Path(known[STATE_DIR]).expanduser()
    base = known.get("XDG_STATE_HOME") or os.path.join(known.get("HOME") or "~", ".local", "state")
    return Path(base).expanduser() / "adas"


def usage_file() -> Path:
    """The file of the counters."""
    return state_dir() / FILE


def read(path: Path) -> dict[str, Counts]:
    """Counters by form of feedback; nothing where there is no file yet.

    Raises:
        AdasError: The file cannot be read, or is not what `save` writes.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as err:
        raise _unreadable(path, str(err)) from err
    found = data.get("feedback") if isinstance(data, dict) and data.get("format") == FORMAT else None
    if not isinstance(found, dict) or not all(isinstance(value, dict) for value in found.values()):
        raise _unreadable(path, "no counters of this format")
    for counts in found.values():
        for name, value in counts.items():
            is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if name not in COUNTERS or not is_number or value < 0.0:
                raise _unreadable(path, f"{name} is no counter")
    return {form: {name: float(counts.get(name, 0.0)) for name in COUNTERS} for form, counts in sorted(found.items())}


def _unreadable(path: Path, what: str) -> AdasError:
    return AdasError(f"cannot be read: {what}", where=str(path), mend="move it away; counting then starts anew")


def grown(former: Mapping[str, float], now: Mapping[str, float]) -> Counts:
    """What counters grew by; where one fell the function began anew, and all of the present ones is growth."""
    is_new = any(now.get(name, 0.0) < former.get(name, 0.0) for name in COUNTERS)
    return {name: now.get(name, 0.0) - (0.0 if is_new else former.get(name, 0.0)) for name in COUNTERS}


def added(one: Mapping[str, float], two: Mapping[str, float]) -> Counts:
    """The sum of two records of counters."""
    return {name: one.get(name, 0.0) + two.get(name, 0.0) for name in COUNTERS}


class Keeper:
    """Adds a drive's counters to the file.

    Args:
        form: Feedback that the market chose (`isa.feedback`).
        path: The file.
        tell: Gets one line where something is wrong; each is told once.
    """

    def __init__(self, form: str, path: Path, tell: Callable[[str], None]) -> None:
        self._form, self._path, self._tell = form, path, tell
        self._former: Counts = {}
        self._pending: Counts = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def heard(self, figures: Mapping[str, float]) -> None:
        """The counters as the function tells them now."""
        with self._lock:
            self._pending = added(self._pending, grown(self._former, figures))
            self._former = {name: figures.get(name, 0.0) for name in COUNTERS}

    def save(self) -> None:
        """Add what has come since the last time; a disk that fails keeps it for the next time."""
        with self._lock:
            if not any(self._pending.values()):
                return
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                with _locked(self._path):
                    found = self._found()
                    found[self._form] = added(found.get(self._form, {}), self._pending)
                    by_form = {form: dict(found[form]) for form in sorted(found)}
                    replace_file(self._path, {"format": FORMAT, "feedback": by_form})
                self._pending = {}
            except OSError as err:
                self._say(f"{self._path}: figures of use are not kept: {err.strerror or err}; see {STATE_DIR}")

    def save_soon(self) -> None:
        """The same beside the caller, who must not wait for a disk."""
        threading.Thread(target=self.save, name="usage", daemon=True).start()

    def _found(self) -> dict[str, Counts]:
        try:
            return read(self._path)
        except AdasError as error:
            number = next(n for n in range(1, 1000) if not self._path.with_suffix(f".bad{n}").exists() or n == 999)
            aside = self._path.with_suffix(f".bad{number}")
            os.replace(self._path, aside)
            self._say(f"{error.where}: {error.what}; kept as {aside.name}, counting starts anew")
            return {}

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """One writer at a time, for two graphs on one machine."""
    with open(path.with_suffix(".lock"), "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def replace_file(path: Path, record: Mapping[str, Any]) -> None:
    """Replace a file by this record as JSON, as a whole: whoever reads it, after a kill too, finds the old or the new.

    Raises:
        OSError: The disk fails.
    """
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8") as file:
        json.dump(record, file, indent=1)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    os.replace(part, path)
