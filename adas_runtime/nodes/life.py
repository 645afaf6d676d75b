"""Beginning and end of every process of the graph: what is imported and collected, and which signal ends it."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
from types import ModuleType
from typing import Any, Final

ENDING: Final = frozenset((signal.SIGINT, signal.SIGTERM))
GENERATOR: Final = "rosidl_generator_py.generate_py_impl"


def begin() -> None:
    """Called first: five processes start at once, and each import that none of them needs delays all."""
    # nothing that is imported becomes garbage; to look for it took a tenth of the start
    gc.disable()
    # each message class imports the package of the code generator, and that a grammar parser: 50 ms and 5 MB. The
    # package takes an ImportError for "no generator here", which is what a module without `generate_py` is.
    sys.modules.setdefault(GENERATOR, ModuleType(GENERATOR))


def driving() -> None:
    """Called once all is loaded: it lives as long as the process, and to look through it again took 18 ms."""
    gc.freeze()
    gc.enable()


class Ending:
    """How the process ends: an exit code that a signal or the node sets, and the wake-up of the executor.

    The signals are blocked in every thread and waited for in one: rclpy's executor runs in C++ for as long as nothing
    happens, where no Python handler would be called.
    """

    def __init__(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)  # before any thread exists, so that all inherit it
        self.code: int | None = None
        self._is_running = False
        self._future: Any = None
        self._lock = threading.Lock()

    def watch(self) -> None:
        """Begin to wait for the signals."""
        threading.Thread(target=self._wait, name="signals", daemon=True).start()

    def begin(self) -> None:
        """From here on there is something to end in order."""
        with self._lock:
            self._is_running = True

    def wake(self, future: Any) -> None:
        """The future that ends the executor's spinning."""
        with self._lock:
            self._future = future
            if self.code is not None:
                future.set_result(None)

    def __call__(self, code: int) -> None:
        """End with this code; the first one counts."""
        with self._lock:
            if self.code is not None:
                return
            self.code = code
            if self._future is not None:
                self._future.set_result(None)

    def _wait(self) -> None:
        signal.sigwait(ENDING)
        with self._lock:
            if not self._is_running:
                os._exit(0)  # nothing is open yet; to load it all only to end takes seconds on a busy machine
        self(0)
        signal.sigwait(ENDING)  # asked twice: the orderly way hangs
        os._exit(1)
