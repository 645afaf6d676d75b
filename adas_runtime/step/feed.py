"""A timed input sequence from a JSON Lines file: what a function is told, and when. Format: docs/functions.md."""

from __future__ import annotations

import base64
import binascii
import difflib
import json
import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Any, Final, NoReturn

from adas_runtime.converter import check
from adas_runtime.errors import AdasError, SignalError
from adas_runtime.function import FunctionSpec, Input
from adas_runtime.interfaces import FieldShape, Kind, shape
from adas_runtime.signals import MAX_FRAME_BYTES, Signal

TIME_KEY: Final = "t_s"
TIME_MAX_S: Final = 1e9
LINES_MAX: Final = 1_000_000
FILLED: Final = {"stamp_s": 0.0, "counter": 0}  # given for each sending where the file does not say them


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What a line says of one input.

    Args:
        signal: The value.
        is_stamped: The line gives `stamp_s`: one message, which ages. Without, a sender goes on sending the value.
        is_counted: The line gives `counter`: it stands still, as a stuck sender's does.
    """

    signal: Signal
    is_stamped: bool
    is_counted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: at `t_s` these inputs change; an empty tuple ends an input."""

    t_s: float
    number: int
    inputs: Mapping[str, tuple[Sent, ...]]


def read_lines(path: Path, spec: FunctionSpec) -> tuple[Line, ...]:
    """The lines of a file.

    Raises:
        AdasError: With file and line: no JSON, an unknown input, field or enumeration name, a value out of bounds.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise AdasError("is no UTF-8 text", where=str(path), mend="give a JSON Lines file") from error
    except OSError as error:
        raise AdasError(f"cannot be read ({error.strerror})", where=str(path)) from error
    lines: list[Line] = []
    for number, row in enumerate(text.split("\n"), start=1):
        if not row.strip() or row.lstrip().startswith("#"):
            continue
        where = f"{path}:{number}"
        if len(lines) >= LINES_MAX:
            raise AdasError(f"more than {LINES_MAX} lines", where=where, mend="cut the sequence")
        line = _line(row, number, where, spec, path.parent)
        if lines and line.t_s < lines[-1].t_s:
            raise AdasError(
                f"{TIME_KEY} = {line.t_s:g} runs back, the line before has {lines[-1].t_s:g}",
                where=where,
                mend="order the lines by time; for an old message give its stamp_s",
            )
        lines.append(line)
    if not lines:
        raise AdasError("holds no line", where=str(path), mend=f'write lines such as {{"{TIME_KEY}": 0.0, ...}}')
    return tuple(lines)


def _line(row: str, number: int, where: str, spec: FunctionSpec, folder: Path) -> Line:
    try:
        found = json.loads(row, object_pairs_hook=_no_twice, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        text = str(error) or "nested too deeply"
        raise AdasError(f"is no JSON ({text})", where=where, mend="write one JSON object a line") from error
    if not isinstance(found, dict):
        raise AdasError("is no JSON object", where=where, mend=f'write {{"{TIME_KEY}": 0.0, ...}}')
    t_s = found.pop(TIME_KEY, None)
    if isinstance(t_s, bool) or not isinstance(t_s, (int, float)) or not 0.0 <= t_s <= TIME_MAX_S:
        raise AdasError(
            f"{TIME_KEY} = {_shown(t_s)}: must be a number from 0 to {TIME_MAX_S:g} s",
            where=where,
            mend=f"every line says when: seconds in {TIME_KEY}",
        )
    by_name = {item.name: item for item in spec.inputs}
    inputs: dict[str, tuple[Sent, ...]] = {}
    for name, value in found.items():
        item = by_name.get(name)
        if item is None:
            raise AdasError(f"{spec.name} has no input {name!r}", where=where, mend=_near(name, list(by_name)))
        inputs[name] = _sent(item, value, float(t_s), where, folder)
    return Line(t_s=round(float(t_s), 9), number=number, inputs=inputs)


def _sent(item: Input, value: Any, t_s: float, where: str, folder: Path) -> tuple[Sent, ...]:
    if value is None:
        return ()
    if not item.many:
        return (_one(item, value, item.name, t_s, where, folder),)
    if isinstance(value, dict):
        value = [value]  # of one sender
    if not isinstance(value, list):
        raise AdasError(
            f"{item.name} = {_shown(value)}: must be a list",
            where=where,
            mend=f"{item.name} takes a value of every sender: write [{{...}}, {{...}}], or null",
        )
    return tuple(_one(item, one, f"{item.name}[{index}]", t_s, where, folder) for index, one in enumerate(value))


def _one(item: Input, value: Any, name: str, t_s: float, where: str, folder: Path) -> Sent:
    record = _record(item.signal, value, name, where, folder, {**FILLED, "stamp_s": t_s})
    try:
        check(record)
    except SignalError as error:
        raise AdasError(
            error.what.replace(f"{item.signal.__name__}.", f"{name}.", 1), where=where, mend="give a value inside"
        ) from error
    return Sent(signal=record, is_stamped="stamp_s" in value, is_counted="counter" in value)


def _record(kind: type, value: Any, name: str, where: str, folder: Path, filled: Mapping[str, Any]) -> Any:
    if not isinstance(value, dict):
        raise AdasError(
            f"{name} = {_shown(value)}: must be an object", where=where, mend=f"write the fields of {kind.__name__}"
        )
    fields = {field.name: field for field in shape(kind)}
    for key in value:
        if key not in fields:
            raise AdasError(f"{name} has no field {key!r}", where=where, mend=_near(key, list(fields)))
    made: dict[str, Any] = {}
    for key, field in fields.items():
        if key in value:
            made[key] = _value(field, value[key], f"{name}.{key}", where, folder)
        elif key in filled:
            made[key] = filled[key]
        elif field.default is MISSING:
            raise AdasError(f"{name}.{key} is missing", where=where, mend=f"add it: {field.note.text or 'see signals'}")
    return kind(**made)


def _value(field: FieldShape, value: Any, name: str, where: str, folder: Path) -> Any:
    def refuse(wanted: str, mend: str = "") -> NoReturn:
        raise AdasError(f"{name} = {_shown(value)}: must be {wanted}", where=where, mend=mend or "write it so")

    if value is None:
        if not field.is_optional:
            refuse("given", "null is for values that may be missing")
        return None
    if field.kind is Kind.FLOAT:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            refuse(f"a number{f' in {field.note.unit}' if field.note.unit not in ('', '1') else ''}")
        number = float(value) if abs(value) < 1e300 else math.inf
        return number
    if field.kind is Kind.INT:
        if isinstance(value, bool) or not isinstance(value, int):
            refuse("a whole number")
        return value
    if field.kind is Kind.BOOL:
        if not isinstance(value, bool):
            refuse("true or false")
        return value
    if field.kind is Kind.ENUM:
        assert field.enum is not None
        members = {member.name.lower(): member for member in field.enum}
        if not isinstance(value, str) or value.lower() not in members:
            refuse(f"one of {', '.join(members)}", _near(str(value), list(members)))
        return members[value.lower()]
    if field.kind is Kind.TEXT:
        if not _is_text(value):
            refuse("a text")
        return value
    if field.kind is Kind.BYTES:
        if not isinstance(value, str):
            refuse("@ and the path of a file, or base64")
        return _bytes(value, name, where, folder)
    if not isinstance(value, list):
        refuse("a list")
    if field.kind is Kind.TEXTS:
        if not all(_is_text(text) for text in value):
            refuse("a list of texts")
        return tuple(value)
    assert field.part is not None
    return tuple(_record(field.part, one, f"{name}[{index}]", where, folder, {}) for index, one in enumerate(value))


def _bytes(value: str, name: str, where: str, folder: Path) -> bytes:
    if value.startswith("@"):
        path = folder / value[1:]
        try:
            if path.stat().st_size > MAX_FRAME_BYTES:
                raise AdasError(f"{name}: {path} is larger than {MAX_FRAME_BYTES} bytes", where=where)
            return path.read_bytes()
        except OSError as error:
            raise AdasError(f"{name}: {path} cannot be read ({error.strerror})", where=where) from error
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AdasError(f"{name} is no base64", where=where, mend="or write @ and the path of a file") from error


def _is_text(value: Any) -> bool:
    """Whether it is a text that UTF-8 can write: JSON may hold half a character."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def _no_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key in found if sum(key == other for other, _ in pairs) > 1)
        raise ValueError(f"key {twice!r} stands twice")
    return found


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is no number in JSON")


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
