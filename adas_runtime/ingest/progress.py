"""A progress bar on a terminal, silence in a pipe."""

from __future__ import annotations

import sys
from types import TracebackType
from typing import Any

from typing_extensions import Self


class Progress:
    """Shows how far long work is, on standard error, only where that is a terminal."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._bar: Any = None
        self._task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress as Bar

            self._bar = Bar(console=Console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task(self._text, total=None)
        return self

    def update(self, done: int, total: int | None) -> None:
        """Say what is done."""
        if self._bar is not None:
            self._bar.update(self._task, completed=done, total=total)

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
