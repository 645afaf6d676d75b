"""Functions whose step takes longer than the others of their process may wait: a thread of their own beside them.

The thread takes the newest of what came meanwhile, so that a slow network never works on a queue. What it says goes
back to the node's own executor, which alone publishes. Python's lock is no matter: networks and OpenCV let go of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from adas_runtime.executor import Emission, Executor
from adas_runtime.signals import Signal

WAIT_MAX_S: Final = 1.0  # without anything due or come
WAIT_MIN_S: Final = 1e-3
END_MAX_S: Final = 3.0  # for the step at work; a network that hangs must not keep the process from ending


class Beside:
    """Steps an executor in a thread.

    Args:
        executor: Of the slow functions; after `start` no other thread may use it.
        now_s: The node's clock.
        say: Called in the thread with what the functions said.
        fail: Called in the thread with a defect; the thread goes on.
    """

    def __init__(
        self,
        executor: Executor,
        now_s: Callable[[], float],
        say: Callable[[list[Emission]], None],
        fail: Callable[[Exception], None],
    ) -> None:
        self._executor = executor
        self._now_s = now_s
        self._say = say
        self._fail = fail
        self._came = threading.Condition()
        self._pending: dict[str, Signal] = {}
        self._is_ended = False
        self._thread: threading.Thread | None = None
        self.topics = frozenset(executor.external_topics)

    def start(self) -> None:
        """Begin to step, from a fresh memory."""
        self._executor.reset()
        self._is_ended = False
        self._pending.clear()
        self._thread = threading.Thread(target=self._run, name="beside", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop after the step at work."""
        with self._came:
            self._is_ended = True
            self._came.notify()
        if self._thread is not None:
            self._thread.join(END_MAX_S)
            self._thread = None

    def offer(self, topic: str, signal: Signal) -> None:
        """A value came; a former one of its topic that still waits is forgotten."""
        with self._came:
            self._pending[topic] = signal
            self._came.notify()

    def _run(self) -> None:
        executor = self._executor
        while not self._is_ended:
            try:
                now_s = self._now_s()
                said = executor.advance(now_s)
                with self._came:
                    pending, self._pending = self._pending, {}
                for topic, signal in pending.items():
                    said += executor.offer(topic, signal, now_s)
                if said:
                    self._say(said)
            except Exception as error:
                self._fail(error)
            due_s = executor.next_due_s()
            with self._came:
                if not self._pending and not self._is_ended:
                    wait_s = WAIT_MAX_S if due_s is None else due_s - self._now_s()
                    self._came.wait(min(max(wait_s, WAIT_MIN_S), WAIT_MAX_S))
