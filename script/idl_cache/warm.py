"""Parses every message definition once, on all cores, into ADAS_IDL_CACHE: warm.py FOLDER_OF_IDL_FILES.

FOLDER_OF_IDL_FILES is `<build>/rosidl_adapter/<package>`, as the generators name it.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sitecustomize import share_parses


def warm(base: str, relative: str) -> None:
    """Parse one definition."""
    import rosidl_parser.parser as parser
    from rosidl_parser.definition import IdlLocator

    if parser.parse_idl_file.__module__ == parser.__name__:
        share_parses(Path(os.environ["ADAS_IDL_CACHE"]))
    parser.parse_idl_file(IdlLocator(base, relative))


def main() -> None:
    """Warm the cache for every definition below the folder."""
    base = Path(sys.argv[1])
    files = sorted(str(path.relative_to(base)) for path in base.rglob("*.idl"))
    with ProcessPoolExecutor() as pool:
        list(pool.map(warm, [str(base)] * len(files), files))


if __name__ == "__main__":
    main()
