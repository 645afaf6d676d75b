"""Paths to values inside messages, `twist.twist.linear.x` or `wheels[2].speed`, and the values that a type has."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from adas_runtime.errors import SignalError

PATH: Final = re.compile(r"[A-Za-z_]\w*(\[\d{1,5}\])?(\.[A-Za-z_]\w*(\[\d{1,5}\])?)*\Z")
MAX_DEPTH: Final = 8
NUMBERS: Final = frozenset(
    "bool byte char octet float32 float64 int8 uint8 int16 uint16 int32 uint32 int64 uint64".split()
)

Fields = Mapping[str, Any]  # a type's fields, as rosbags keeps them: name -> (node type, ...)


def parts(path: str) -> tuple[tuple[str, int | None], ...]:
    """Name and index of each step of a path."""
    found = []
    for step in path.split("."):
        name, _, index = step.partition("[")
        found.append((name, int(index[:-1]) if index else None))
    return tuple(found)


def getter(path: str) -> Callable[[Any], Any]:
    """The function that reads a path from a message.

    Raises (the function):
        SignalError: The message has no such field, or its list is too short.
    """
    steps = parts(path)

    def get(message: Any) -> Any:
        found = message
        try:
            for name, index in steps:
                found = getattr(found, name)
                if index is not None:
                    found = found[index]
        except (AttributeError, IndexError, TypeError) as error:
            raise SignalError(f"{path}: the message holds no such value") from error
        return found

    return get


def leaves(types: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Every single number or text of a type: path -> basic type; items of lists are left out.

    Args:
        types: Type definitions, as `rosbags.typesys.store.Typestore.fielddefs` keeps them.
        kind: Name of the message type.
    """
    return dict(_leaves(types, kind, "", 0))


def _leaves(types: Mapping[str, Any], kind: str, prefix: str, depth: int) -> Iterator[tuple[str, str]]:
    if depth > MAX_DEPTH or kind not in types:
        return
    for name, node in types[kind][1]:
        code, about = int(node[0]), node[1]
        if code == 1:  # a basic type, with its bound
            yield prefix + name, str(about[0])
        elif code == 2:  # another message
            yield from _leaves(types, str(about), f"{prefix}{name}.", depth + 1)


def value_kind(types: Mapping[str, Any], kind: str, path: str) -> tuple[str | None, str]:
    """The basic type at a path, or `None` and why there is none."""
    current = kind
    steps = parts(path)
    for place, (name, index) in enumerate(steps):
        if current not in types:
            return None, f"{current} is no message type that is known here"
        fields = dict(types[current][1])
        node = fields.get(name)
        if node is None:
            return None, f"{current} has no field {name!r}; it has {', '.join(fields) or 'none'}"
        code, about = int(node[0]), node[1]
        if code in (3, 4):  # array, sequence
            if index is None:
                return None, f"{name} of {current} is a list; name an item, such as {name}[0]"
            if code == 3 and index >= int(about[1]):
                return None, f"{name} of {current} has {about[1]} items; the first is [0]"
            node = about[0]
            code, about = int(node[0]), node[1]
        elif index is not None:
            return None, f"{name} of {current} is no list"
        if code == 2:
            current = str(about)
            continue
        if place < len(steps) - 1:
            return None, f"{name} of {current} is a plain value, it has no fields"
        return str(about[0]), ""
    return None, f"{path} is a {current}, not a single value; name one of its fields"


def list_kind(types: Mapping[str, Any], kind: str, path: str) -> tuple[str | None, str]:
    """The message type of the items of the list at a path, or `None` and why there is none."""
    current = kind
    steps = parts(path)
    for place, (name, _) in enumerate(steps):
        fields = dict(types[current][1]) if current in types else {}
        node = fields.get(name)
        if node is None:
            return None, f"{current} has no field {name!r}; it has {', '.join(fields) or 'none'}"
        code, about = int(node[0]), node[1]
        if code in (3, 4) and place == len(steps) - 1 and int(about[0][0]) == 2:
            return str(about[0][1]), ""
        if code != 2:
            break
        current = str(about)
    return None, f"{path} is no list of messages"
