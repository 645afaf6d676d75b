"""XML of others, read safely: of a limited size, and without entities of its own."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Final

from adas_runtime.errors import AdasError

BYTES_MAX: Final = 8_000_000


def parsed(path: Path, what: str = "an OpenSCENARIO file") -> ET.Element:
    """A file's root; `what` it should be is told where it is none.

    Raises:
        AdasError: It cannot be read, is too large, declares entities of its own, or is no XML.
    """
    try:
        data = path.read_bytes()
        if len(data) > BYTES_MAX or b"<!DOCTYPE" in data or b"<!ENTITY" in data:
            raise AdasError("is too large, or declares entities", where=str(path), mend="take a plain file")
        return ET.fromstring(data)
    except (OSError, ET.ParseError, ValueError) as error:
        raise AdasError(f"cannot be read: {error}", where=str(path), mend=f"name {what}") from error
