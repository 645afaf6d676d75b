"""The shape of every signal, read once from `signals.py`: fields for the converter, text for the ROS messages.

`adas_interfaces/msg/*.msg` holds what `msg_definitions` returns (`script/gen_msgs` writes it, a test compares), so a
bag can be read and written where no ROS 2 is installed, and the two cannot drift apart.
"""

from __future__ import annotations

import re
import types
import typing
from dataclasses import MISSING, dataclass, fields
from enum import Enum, IntEnum
from functools import cache
from typing import Any, Final

from adas_runtime.errors import WiringError
from adas_runtime.signals import PARTS, SIGNALS, Note

PACKAGE: Final = "adas_interfaces"
ITEM_TEXT_MAX: Final = 64  # bytes of one text in a list of texts


class Kind(Enum):
    """How a field travels."""

    FLOAT = "float64"
    INT = "int32"
    BOOL = "bool"
    ENUM = "uint8"
    TEXT = "string"
    BYTES = "uint8[]"
    TEXTS = "string[]"
    PARTS = "parts"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldShape:
    """One field of a signal or of a part of one.

    `enum` and `part` name the type of an enumeration or of a list's items; `is_optional` means a `has_` flag travels.
    """

    name: str
    kind: Kind
    note: Note
    is_optional: bool
    enum: type[IntEnum] | None = None
    part: type | None = None
    default: Any = MISSING


@cache
def shape(record: type) -> tuple[FieldShape, ...]:
    """The fields of a signal or part, in order.

    Raises:
        WiringError: A field has a type or a missing bound that cannot travel.
    """
    hints = typing.get_type_hints(record, include_extras=True)
    return tuple(_field_shape(record, item.name, hints[item.name], item.default) for item in fields(record))


def _field_shape(record: type, name: str, hint: Any, default: Any) -> FieldShape:
    note = Note("")
    if typing.get_origin(hint) is typing.Annotated:
        hint, note = typing.get_args(hint)[:2]
    is_optional = False
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        hint = next(option for option in typing.get_args(hint) if option is not type(None))
        is_optional = True
    where = f"{record.__name__}.{name}"
    if isinstance(hint, type) and issubclass(hint, IntEnum):
        text = (hint.__doc__ or "").strip().split("\n")[0].rstrip(".")
        note = note if note.text else Note(text if not text.startswith("An enumeration") else "", max_len=0)
        return FieldShape(name=name, kind=Kind.ENUM, note=note, is_optional=is_optional, enum=hint, default=default)
    scalar = {float: Kind.FLOAT, int: Kind.INT, bool: Kind.BOOL, str: Kind.TEXT, bytes: Kind.BYTES}.get(hint)
    if scalar is not None:
        if scalar in (Kind.FLOAT, Kind.INT) and (note.low is None or note.high is None):
            raise WiringError("a number needs bounds", where=where, mend="give Note(text, unit, low, high)")
        if scalar in (Kind.TEXT, Kind.BYTES) and not note.max_len:
            raise WiringError("a text needs a bound", where=where, mend="give Note(text, max_len=...)")
        return FieldShape(name=name, kind=scalar, note=note, is_optional=is_optional, default=default)
    if typing.get_origin(hint) is tuple:
        item = typing.get_args(hint)[0]
        if not note.max_len:
            raise WiringError("a list needs a bound", where=where, mend="give Note(text, max_len=...)")
        kind = Kind.TEXTS if item is str else Kind.PARTS
        if kind is Kind.PARTS and item not in PARTS:
            # a plain float64[] is refused on purpose: Fast CDR and rosbags pad an empty one differently, so a bag
            # of one could not be read by the other; a list of parts has no such trap
            raise WiringError(f"{item} is not among PARTS", where=where, mend="add a part to signals.PARTS")
        part = item if kind is Kind.PARTS else None
        return FieldShape(name=name, kind=kind, note=note, is_optional=is_optional, part=part, default=default)
    raise WiringError(f"type {hint} cannot travel", where=where)


def constant_name(enum: type[IntEnum], member: IntEnum) -> str:
    """Name of an enumeration's constant in a message, such as `MARKING_TYPE_SOLID`."""
    stem = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", enum.__name__).upper()
    return f"{stem}_{member.name}"


def type_name(record: type) -> str:
    """Full ROS name of a signal's or part's message."""
    return f"{PACKAGE}/msg/{record.__name__}"


def _wire_type(item: FieldShape) -> str:
    if item.kind is Kind.INT:
        assert item.note.low is not None and item.note.high is not None
        return "int32" if -(2**31) <= item.note.low and item.note.high < 2**31 else "int64"
    if item.kind is Kind.TEXT:
        return f"string<={item.note.max_len}"
    if item.kind is Kind.BYTES:
        return f"uint8[<={item.note.max_len}]"
    if item.kind is Kind.TEXTS:
        return f"string<={ITEM_TEXT_MAX}[<={item.note.max_len}]"
    if item.kind is Kind.PARTS:
        assert item.part is not None
        return f"{item.part.__name__}[<={item.note.max_len}]"
    return str(item.kind.value)


def definition(record: type) -> str:
    """The `.msg` text of a signal or part."""
    lines = [f"# {line.strip()}".rstrip() for line in (record.__doc__ or "").strip().splitlines()]
    lines.append("# Generated by script/gen_msgs from adas_runtime/signals.py: edit that file, not this one.")
    if record in SIGNALS:
        lines.append("# Frame: ISO 8855, origin on the ground under the rear axle, x forward, y left, z up.")
    lines.append("")
    told: set[type] = set()
    for item in shape(record):
        if item.enum is not None and item.enum not in told:
            told.add(item.enum)
            lines.extend(f"uint8 {constant_name(item.enum, member)}={member.value}" for member in item.enum)
    if told:
        lines.append("")
    for item in shape(record):
        text = item.note.text
        if item.note.unit:
            text += f" [{item.note.unit}]"
        if item.kind in (Kind.FLOAT, Kind.INT) and item.note.low is not None:
            text += f", {item.note.low:g} to {item.note.high:g}"
        if item.enum is not None:
            text = (text + ", " if text else "") + f"one of {constant_name(item.enum, next(iter(item.enum)))} and so on"
        if item.is_optional:
            lines.append(f"bool has_{item.name}  # false: {item.name} is not known and is to be ignored")
        lines.append(f"{_wire_type(item)} {item.name}" + (f"  # {text}" if text else ""))
    return "\n".join(lines) + "\n"


@cache
def msg_definitions() -> dict[str, str]:
    """Every message of `adas_interfaces`: full ROS name to `.msg` text."""
    return {type_name(record): definition(record) for record in (*PARTS, *SIGNALS)}


def register(typestore: Any) -> None:
    """Teach a rosbags typestore the messages of this package."""
    from rosbags.typesys import get_types_from_msg

    for name, text in msg_definitions().items():
        if name not in typestore.types:
            typestore.register(get_types_from_msg(text, name))


@cache
def own_typestore() -> Any:
    """ROS 2's messages and ours, only to be read; compiled once per process, since that takes a third of a second."""
    from rosbags.typesys import Stores, get_typestore

    store = get_typestore(Stores.ROS2_JAZZY)
    register(store)
    return store
