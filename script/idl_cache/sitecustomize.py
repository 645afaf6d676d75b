"""Lets the message generators share one parse of each message definition.

Nine generators run one after another, and each parses every definition anew with a slow grammar: 8 s for 28 messages,
70 s together. With this folder on PYTHONPATH and a folder in ADAS_IDL_CACHE, what one has parsed the others read.
script/build-interfaces sets both. Whatever goes wrong here, the generator parses as it always did.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
from pathlib import Path
from typing import Any


def share_parses(folder: Path) -> None:
    """Put a cache on disk before rosidl_parser."""
    import rosidl_parser.parser as parser

    parse = parser.parse_idl_file

    def parse_idl_file(locator: Any, png_file: Any = None) -> Any:
        path = Path(locator.get_absolute_path())
        key = hashlib.sha256(f"{locator.basepath}\n{locator.relative_path}\n".encode() + path.read_bytes()).hexdigest()
        cached = folder / key
        try:
            return pickle.loads(cached.read_bytes())
        except (OSError, pickle.PickleError, EOFError, AttributeError):
            pass
        content = parse(locator, png_file)
        try:
            unfinished = folder / f"{key}.{os.getpid()}"
            unfinished.write_bytes(pickle.dumps(content))
            unfinished.replace(cached)
        except (OSError, pickle.PickleError, AttributeError, TypeError):
            pass
        return content

    parser.parse_idl_file = parse_idl_file


if "ADAS_IDL_CACHE" in os.environ and "--generator-arguments-file" in sys.orig_argv:
    with contextlib.suppress(ImportError):
        share_parses(Path(os.environ["ADAS_IDL_CACHE"]))
