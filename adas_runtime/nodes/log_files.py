"""ROS writes log files; where it cannot, it would end the process, and a full or read-only disk must not stop a car."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

WITHOUT: Final = ("--ros-args", "--disable-external-lib-logs")


def arguments(environment: Mapping[str, str] | None = None) -> list[str]:
    """What `rclpy.init` gets beside the rest: nothing, or that no log files are written (the console has it all)."""
    environment = os.environ if environment is None else environment
    home = environment.get("ROS_HOME") or os.path.join(environment.get("HOME") or "/", ".ros")
    folder = Path(environment.get("ROS_LOG_DIR") or os.path.join(home, "log")).expanduser()
    with suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return []
    return list(WITHOUT)
