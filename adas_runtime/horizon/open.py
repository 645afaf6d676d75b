"""The map of a run: named by an option or by the environment, opened once while everything starts."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from adas_runtime.horizon.store import MapStore

VARIABLE: Final = "ADAS_MAP"


def open_map(path: str | Path | None) -> MapStore | None:
    """The map of this name, else the one that `ADAS_MAP` names; `None`: the run has none.

    Raises:
        MapError: It cannot be read as a map.
    """
    named = path or os.environ.get(VARIABLE) or None
    return None if named is None else MapStore(Path(named))
