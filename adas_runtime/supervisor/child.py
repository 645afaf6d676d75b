"""One supervised process: started in a session of its own, tied to the supervisor's life, its lines read."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

PR_SET_PDEATHSIG: Final = 1
LINES_KEPT: Final = 20
LINE_MAX: Final = 4096
_libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing is imported between fork and exec


def leash(parent: int, death_signal: int) -> Callable[[], None]:
    """What a child does before it becomes its program: it gets `death_signal` when the supervisor is gone, however."""

    def before_exec() -> None:
        _libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
        if os.getppid() != parent:  # it went between fork and here
            os._exit(1)

    return before_exec


class Child:
    """A running process with what it says on standard output and error.

    Args:
        name: What it is called in messages.
        command: Its command line.
        environment: Its whole environment.
        death_signal: What it gets when the supervisor dies without a word.
        has_channel: Its standard input and output carry a protocol; else both streams are its log.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        death_signal: int = signal.SIGKILL,
        has_channel: bool = False,
    ) -> None:
        self.name = name
        self.started_s = time.monotonic()
        self.last_lines: deque[str] = deque(maxlen=LINES_KEPT)
        self._process = subprocess.Popen(
            list(command),
            env=dict(environment),
            stdin=subprocess.PIPE if has_channel else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE if has_channel else subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C on the terminal reaches the supervisor alone, which then orders the end
            preexec_fn=leash(os.getpid(), death_signal),
        )
        self.pid = self._process.pid
        streams = [self._process.stdout] + ([self._process.stderr] if has_channel else [])
        self._descriptors: dict[int, bytearray] = {}
        for stream in streams:
            assert stream is not None
            os.set_blocking(stream.fileno(), False)
            self._descriptors[stream.fileno()] = bytearray()
        self._channel = self._process.stdout.fileno() if has_channel and self._process.stdout else -1
        if self._process.stdin is not None:
            os.set_blocking(self._process.stdin.fileno(), False)

    @property
    def descriptors(self) -> tuple[int, ...]:
        """Open streams to wait on."""
        return tuple(self._descriptors)

    @property
    def exit_code(self) -> int | None:
        """`None` while it lives; negative for a signal."""
        return self._process.poll()

    @property
    def lived_s(self) -> float:
        """Time since its start [s]."""
        return time.monotonic() - self.started_s

    def lines(self) -> list[tuple[bool, str]]:
        """Whole lines that came since the last call, with whether each belongs to the channel."""
        found: list[tuple[bool, str]] = []
        for descriptor in list(self._descriptors):
            held = self._descriptors[descriptor]
            is_closed = False
            while True:
                try:
                    data = os.read(descriptor, 65536)
                except BlockingIOError:
                    break
                except OSError:
                    data = b""
                if not data:
                    is_closed = True
                    break
                held += data
                if len(held) > 16 * 65536:
                    break  # the rest next time: one that floods does not stop the others
            is_channel = descriptor == self._channel
            *whole, rest = bytes(held).split(b"\n")
            if is_closed and rest:
                whole.append(rest)
            held[:] = b"" if is_closed or (len(rest) > LINE_MAX and not is_channel) else rest
            for raw in whole:
                text = raw.decode("utf-8", errors="replace").rstrip()
                if not text:
                    continue
                if not is_channel:
                    text = text[:LINE_MAX]
                    self.last_lines.append(text)
                found.append((is_channel, text))
            if is_closed:
                del self._descriptors[descriptor]
        return found

    def tell(self, line: str) -> None:
        """Send one line over the channel; what does not fit at once is dropped, the next line says all anew."""
        if self._process.stdin is None:
            return
        try:
            os.write(self._process.stdin.fileno(), line.encode() + b"\n")
        except OSError:
            return

    def signal(self, number: int) -> None:
        """Send a signal to it and whatever it started."""
        if self._process.poll() is not None:
            return
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return
        except PermissionError:
            self._process.send_signal(number)

    def close(self) -> None:
        """Free what is left after its end, and end what it may have started itself."""
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                try:
                    stream.close()
                except OSError:
                    continue


def usage(pid: int) -> tuple[float, int]:
    """Processor time [s] and resident memory [byte] of a process; zeros where it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0, 0
    ticks = os.sysconf("SC_CLK_TCK")
    return (int(fields[11]) + int(fields[12])) / ticks, pages * os.sysconf("SC_PAGE_SIZE")
