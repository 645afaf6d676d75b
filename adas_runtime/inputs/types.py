"""Message types that are known without a recording: those of ROS 2, our own, and what an input map defines."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from adas_runtime.errors import ConfigError
from adas_runtime.interfaces import own_typestore

TYPE_NAME: Final = re.compile(r"[A-Za-z]\w*/msg/[A-Za-z]\w*\Z")


def known_types() -> Mapping[str, Any]:
    """Field definitions of ROS 2's and of our own messages, by type."""
    found: Mapping[str, Any] = own_typestore().fielddefs
    return found


def defined_types(kind: str, definition: str) -> Mapping[str, Any]:
    """Field definitions of a type whose text a map or a recording gives, and of all that ROS 2 knows.

    Raises:
        ConfigError: The text is no message definition.
    """
    from rosbags.typesys import get_types_from_msg
    from rosbags.typesys.base import TypesysError

    from adas_runtime.replay.bag import oversize

    if too_large := oversize(definition):
        raise ConfigError(f"a message definition {too_large}", mend="give the one type's own .msg text")
    try:
        found: Mapping[str, Any] = get_types_from_msg(definition, kind)
    except (TypesysError, ValueError, KeyError, IndexError) as error:
        raise ConfigError(
            f"no message definition: {type(error).__name__}", mend="write it as in the .msg file"
        ) from error
    return {**known_types(), **found}
