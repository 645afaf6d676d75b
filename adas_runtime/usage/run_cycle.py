"""What has to outlive a restart of a process within one run cycle: the lock-out of UN R171 5.5.4.2.8.1.

A process that dies and is started anew would begin with fresh counts, and a locked-out driver could have assistance
again. So the counts stand in one small file, replaced as a whole. It holds for the run of this computer that wrote it
(the kernel's boot id), since a computer that was off has seen the end of the run cycle; within it the functions see the
car's own counter (`BodyState.ignition_cycle`) or master switch, and begin anew themselves.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from adas_runtime.function import Kept
from adas_runtime.usage.store import replace_file, state_dir

FILE: Final = "run_cycle.json"
FORMAT: Final = 1
BOOT: Final = Path("/proc/sys/kernel/random/boot_id")


def run_cycle_file() -> Path:
    """The file of the counts."""
    return state_dir() / FILE


def boot_id() -> str:
    """Which run of this computer it is; `""` where the system does not tell: then nothing is taken over."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, ValueError):
        return ""


class RunCycleKeeper:
    """Reads and writes the file.

    Args:
        path: The file.
        boot: Which run of this computer it is (`boot_id`).
        tell: Gets one line where something is wrong; each is told once.
    """

    def __init__(self, path: Path, boot: str, tell: Callable[[str], None]) -> None:
        self._path, self._boot, self._tell = path, boot, tell
        self._kept: dict[str, Kept] = {}
        self._saved: dict[str, Kept] = {}
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def found(self) -> dict[str, Kept]:
        """What each function kept in this run of the computer; nothing of another one, or of a damaged file."""
        try:
            data = json.loads(self._path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        except (OSError, ValueError) as err:
            self._say(f"{self._path}: cannot be read: {err}; the run cycle's counts begin anew")
            return {}
        if not isinstance(data, dict) or data.get("format") != FORMAT or not isinstance(data.get("functions"), dict):
            self._say(f"{self._path}: no counts of this format; the run cycle's counts begin anew")
            return {}
        if not self._boot or data.get("boot") != self._boot:
            return {}
        self._kept = {
            str(name): {str(key): value for key, value in kept.items() if type(value) is int}
            for name, kept in data["functions"].items()
            if isinstance(kept, dict)
        }
        self._saved = dict(self._kept)
        return dict(self._kept)

    def heard(self, kept: Mapping[str, Kept]) -> bool:
        """What the functions keep now; whether that is anything new: a car in which nothing happened writes nothing."""
        with self._lock:
            told = {name: dict(values) for name, values in kept.items() if any(values.values()) or name in self._saved}
            self._kept = {**self._kept, **told}
            return self._kept != self._saved

    def save(self) -> None:
        """Write what is new; a disk that fails is told, and tried again with the next change."""
        with self._lock:
            if self._kept == self._saved or not self._boot:
                return
            try:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                replace_file(self._path, {"format": FORMAT, "boot": self._boot, "functions": self._kept})
            except OSError as err:
                self._say(f"{self._path}: the run cycle's counts are not kept: {err.strerror or err}")
                return
            self._saved = dict(self._kept)

    def save_soon(self) -> None:
        """The same beside the caller, who must not wait for a disk."""
        threading.Thread(target=self.save, name="run cycle", daemon=True).start()

    def _say(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            self._tell(text)
