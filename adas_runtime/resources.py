"""Where the files that ship with the package are: market, vehicle, model and input-map configuration."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from adas_runtime.errors import ConfigError

SHARE: Final = Path("share") / "adas_runtime"
OVERRIDE: Final = "ADAS_CONFIG_DIR"


def checkout_dir() -> Path | None:
    """Root of the repository this package runs from, or None when it is installed."""
    root = Path(__file__).resolve().parents[1]
    return root if (root / "package.xml").is_file() and (root / "config").is_dir() else None


def share_dirs() -> Iterator[Path]:
    """Folders `share/adas_runtime` of the places it may be installed in, the first that exists is the right one."""
    for prefix in os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep):
        if prefix:
            yield Path(prefix) / SHARE
    # a prefix holds lib/pythonX.Y/site-packages/adas_runtime; pip --target and --user place `share` likewise
    for parent in Path(__file__).resolve().parents[1:6]:
        yield parent / SHARE
    yield Path(sys.prefix) / SHARE


def config_dir() -> Path:
    """Folder `config`: of `ADAS_CONFIG_DIR`, else of the repository, else of the installed package.

    Raises:
        ConfigError: `ADAS_CONFIG_DIR` names no folder, or the installation holds none.
    """
    named = os.environ.get(OVERRIDE)
    if named:
        path = Path(named)
        if not path.is_dir():
            raise ConfigError(
                f"{named} is no folder", where=OVERRIDE, mend="name the folder that holds markets/ and vehicles/"
            )
        return path
    checkout = checkout_dir()
    candidates = [checkout / "config"] if checkout else [share / "config" for share in share_dirs()]
    for path in candidates:
        if path.is_dir():
            return path
    raise ConfigError(
        "the folder config is neither beside the package nor in share/adas_runtime",
        mend=f"install the package anew, or set {OVERRIDE}",
    )
