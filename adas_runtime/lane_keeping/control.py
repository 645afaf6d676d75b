"""Moved to `adas_runtime.lateral.control`, since a function may not import another."""

from adas_runtime.lateral.control import *  # noqa: F403
