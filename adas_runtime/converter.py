"""One converter for every signal: compiled once per type, checked at the border, no reflection per message.

The same code reads messages of rclpy and of rosbags, since both are plain objects with the fields of the `.msg` file.
Numbers that are not finite or lie outside the declared bounds, unknown enumeration values and texts or lists that are
too long are refused with a `SignalError` that names signal, field and value.
"""

from __future__ import annotations

import array
import struct
from collections.abc import Callable, Mapping
from typing import Any, Final, NoReturn, TypeVar, cast

from adas_runtime.errors import SignalError, WiringError
from adas_runtime.interfaces import ITEM_TEXT_MAX, FieldShape, Kind, shape, type_name
from adas_runtime.records import maker
from adas_runtime.signals import Signal

S = TypeVar("S", bound=Signal)
_INDENT: Final = "    "


def refuse(record: str, name: str, value: object, wanted: str) -> NoReturn:
    """Raise the border's error."""
    shown = repr(value)
    shown = shown if len(shown) <= 60 else shown[:57] + "..."
    raise SignalError(f"{record}.{name} = {shown}: must be {wanted}")


class _Source:
    """Python source of one compiled function, with the objects that it refers to."""

    def __init__(self, header: str) -> None:
        self.lines = [header]
        self.names: dict[str, Any] = {"refuse": refuse}

    def add(self, line: str, depth: int = 1) -> None:
        self.lines.append(_INDENT * depth + line)

    def name(self, stem: str, value: Any) -> str:
        name = f"_{stem}_{len(self.names)}"
        self.names[name] = value
        return name

    def compile(self, function: str) -> Callable[..., Any]:
        exec(compile("\n".join(self.lines), f"<converter {function}>", "exec"), self.names)
        return self.names[function]  # type: ignore[no-any-return]


def _bounds(item: FieldShape) -> str:
    unit = f" {item.note.unit}" if item.note.unit not in ("", "1") else ""
    return f"finite and from {item.note.low:g} to {item.note.high:g}{unit}"


def _add_check(source: _Source, record: type, item: FieldShape, depth: int) -> None:
    """Lines that check the value `v` of a field; `v` is plain Python."""
    where = f"{record.__name__!r}, {item.name!r}, v"
    if item.kind in (Kind.FLOAT, Kind.INT):
        # one chained comparison also refuses NaN, since every comparison with it is false
        source.add(f"if not ({item.note.low!r} <= v <= {item.note.high!r}):", depth)
        source.add(f"refuse({where}, {_bounds(item)!r})", depth + 1)
    elif item.kind is Kind.TEXT:
        source.add(
            f"if len(v) > {item.note.max_len} or not v.isascii() and len(v.encode()) > {item.note.max_len}:", depth
        )
        source.add(f"refuse({where}, 'at most {item.note.max_len} bytes long')", depth + 1)
    elif item.kind in (Kind.BYTES, Kind.PARTS, Kind.TEXTS):
        source.add(f"if len(v) > {item.note.max_len}:", depth)
        source.add(f"refuse({record.__name__!r}, {item.name!r}, len(v), 'at most {item.note.max_len} long')", depth + 1)
        if item.kind is Kind.TEXTS:
            source.add(f"if not all(len(x.encode()) <= {ITEM_TEXT_MAX} for x in v):", depth)
            source.add(f"refuse({where}, 'texts of at most {ITEM_TEXT_MAX} bytes')", depth + 1)


def _compile_from(record: type) -> Callable[[Any], Any]:
    source = _Source("def convert(m):")
    arguments = []
    for index, item in enumerate(shape(record)):
        depth = 1
        target = f"v{index}"
        if item.is_optional:
            source.add(f"if not m.has_{item.name}:")
            source.add(f"{target} = None", 2)
            source.add("else:")
            depth = 2
        if item.kind is Kind.ENUM:
            assert item.enum is not None
            members = source.name("members", {member.value: member for member in item.enum})
            wanted = f"one of {', '.join(member.name for member in item.enum)}"
            source.add(f"{target} = {members}.get(m.{item.name})", depth)
            source.add(f"if {target} is None:", depth)
            source.add(f"refuse({record.__name__!r}, {item.name!r}, m.{item.name}, {wanted!r})", depth + 1)
        elif item.kind is Kind.PARTS:
            assert item.part is not None
            part = source.name("part", _from(item.part))
            source.add(f"v = m.{item.name}", depth)
            _add_check(source, record, item, depth)
            source.add(f"{target} = tuple([{part}(x) for x in v])", depth)
        elif item.kind is Kind.BYTES:
            source.add(f"v = m.{item.name}", depth)
            _add_check(source, record, item, depth)
            source.add(f"{target} = v if isinstance(v, bytes) else v.tobytes()", depth)
        elif item.kind is Kind.TEXTS:
            source.add(f"v = tuple(m.{item.name})", depth)
            _add_check(source, record, item, depth)
            source.add(f"{target} = v", depth)
        else:
            plain = {Kind.BOOL: "bool(m.{0})", Kind.INT: "int(m.{0})"}.get(item.kind, "m.{0}")
            source.add(f"v = {plain.format(item.name)}", depth)
            _add_check(source, record, item, depth)
            source.add(f"{target} = v", depth)
        arguments.append(f"{item.name}={target}")
    make = source.name("make", maker(record))
    source.add(f"return {make}({', '.join(arguments)})")
    return source.compile("convert")


def _compile_check(record: type) -> Callable[[Any], None]:
    source = _Source("def check(s):")
    for item in shape(record):
        depth = 1
        source.add(f"v = s.{item.name}")
        if item.is_optional:
            source.add("if v is not None:")
            depth = 2
        if item.kind is Kind.ENUM:
            enum = source.name("enum", item.enum)
            source.add(f"if v.__class__ is not {enum}:", depth)
            assert item.enum is not None
            source.add(f"refuse({record.__name__!r}, {item.name!r}, v, 'a {item.enum.__name__}')", depth + 1)
            continue
        if item.kind is Kind.BOOL:
            source.add("pass", depth)
            continue
        _add_check(source, record, item, depth)
        if item.kind is Kind.PARTS:
            assert item.part is not None
            part = source.name("part", _check(item.part))
            source.add("for x in v:", depth)
            source.add(f"{part}(x)", depth + 1)
    return source.compile("check")


def _compile_to(record: type, types: Mapping[str, type], is_numpy: bool) -> Callable[[Any], Any]:
    """`types` gives the message class of a full ROS name. rclpy wants `array.array`, rosbags wants numpy arrays."""
    source = _Source("def convert(s):")
    if is_numpy:
        import numpy as np

        octets = source.name("octets", lambda v: np.frombuffer(v, dtype=np.uint8))
    else:
        octets = source.name("octets", lambda v: array.array("B", v))
    values: list[tuple[str, str]] = []
    for index, item in enumerate(shape(record)):
        target = f"v{index}"
        value = f"s.{item.name}"
        if item.kind is Kind.ENUM:
            value = f"int({value})"
        elif item.kind is Kind.PARTS:
            assert item.part is not None
            part = source.name("part", _to(item.part, types, is_numpy))
            value = f"[{part}(x) for x in {value}]"
        elif item.kind is Kind.BYTES:
            value = f"{octets}({value})"
        elif item.kind is Kind.TEXTS:
            value = f"list({value})"
        elif item.kind is Kind.FLOAT:
            value = f"float({value})"
        elif item.kind is Kind.BOOL:
            value = f"bool({value})"
        if item.is_optional:
            empty = {Kind.FLOAT: "0.0", Kind.BOOL: "False", Kind.TEXT: "''"}.get(item.kind, "0")
            source.add(f"has{index} = s.{item.name} is not None")
            source.add(f"{target} = {value} if has{index} else {empty}")
            values.append((f"has_{item.name}", f"has{index}"))
        else:
            source.add(f"{target} = {value}")
        values.append((item.name, target))
    cls = source.name("cls", types[type_name(record)])
    if is_numpy:
        source.add(f"return {cls}({', '.join(f'{name}={value}' for name, value in values)})")
    else:
        source.add(f"m = {cls}()")
        for name, value in values:
            source.add(f"m.{name} = {value}")
        source.add("return m")
    return source.compile("convert")


def _compile_pack(record: type) -> Callable[[Any], bytes]:
    """Canonical bytes: fields in order, little endian IEEE 754, a flag before an optional, a length before a list."""
    source = _Source("def pack(s):")
    double = source.name("double", struct.Struct("<d").pack)
    integer = source.name("integer", struct.Struct("<q").pack)
    source.add("out = []")
    for item in shape(record):
        depth = 1
        source.add(f"v = s.{item.name}")
        if item.is_optional:
            source.add("out.append(b'\\0' if v is None else b'\\1')")
            source.add("if v is not None:")
            depth = 2
        if item.kind is Kind.FLOAT:
            source.add(f"out.append({double}(v + 0.0))", depth)  # -0.0 and 0.0 are one decision
        elif item.kind in (Kind.INT, Kind.ENUM, Kind.BOOL):
            source.add(f"out.append({integer}(v))", depth)
        elif item.kind is Kind.TEXT:
            source.add("b = v.encode()", depth)
            source.add(f"out.append({integer}(len(b)) + b)", depth)
        elif item.kind is Kind.BYTES:
            source.add(f"out.append({integer}(len(v)) + v)", depth)
        else:
            source.add(f"out.append({integer}(len(v)))", depth)
            source.add("for x in v:", depth)
            if item.kind is Kind.TEXTS:
                source.add("b = x.encode()", depth + 1)
                source.add(f"out.append({integer}(len(b)) + b)", depth + 1)
            else:
                assert item.part is not None
                part = source.name("part", _pack(item.part))
                source.add(f"out.append({part}(x))", depth + 1)
    source.add("return b''.join(out)")
    return source.compile("pack")


_compiled: dict[tuple[str, type], Any] = {}


def _cached(kind: str, record: type, build: Callable[[type], Any]) -> Any:
    key = (kind, record)
    found = _compiled.get(key)
    if found is None:
        found = _compiled[key] = build(record)
    return found


def _from(record: type) -> Callable[[Any], Any]:
    return cast(Callable[[Any], Any], _cached("from", record, _compile_from))


def _check(record: type) -> Callable[[Any], None]:
    return cast(Callable[[Any], None], _cached("check", record, _compile_check))


def _pack(record: type) -> Callable[[Any], bytes]:
    return cast(Callable[[Any], bytes], _cached("pack", record, _compile_pack))


_to_cache: dict[tuple[type, int, bool], Callable[[Any], Any]] = {}


def _to(record: type, types: Mapping[str, type], is_numpy: bool) -> Callable[[Any], Any]:
    key = (record, id(types), is_numpy)
    if key not in _to_cache:
        _to_cache[key] = _compile_to(record, types, is_numpy)
    return _to_cache[key]


def from_msg(signal: type[S]) -> Callable[[Any], S]:
    """The function that turns a message (rclpy's or rosbags') into a signal.

    Raises (the function):
        SignalError: A value is not finite, out of bounds, of an unknown enumeration value, or too long.
    """
    return _from(signal)


_checks: dict[type, Callable[[Any], None]] = {}


def check(signal: Signal) -> None:
    """Refuse a signal that could not cross the border; for values that come from elsewhere than a message.

    Raises:
        SignalError: As `from_msg`.
    """
    kind = type(signal)
    found = _checks.get(kind)
    if found is None:
        found = _checks[kind] = _check(kind)
    found(signal)


def pack(signal: Signal) -> bytes:
    """Canonical bytes of a signal, equal on every machine: what the digest of a replay is made of."""
    return _pack(type(signal))(signal)


class _Lazy(Mapping[str, type]):
    """Message classes of rclpy, imported when first asked for."""

    def __getitem__(self, name: str) -> type:
        from importlib import import_module

        package, folder, record = name.split("/")
        try:
            found: type = getattr(import_module(f"{package}.{folder}"), record)
        except (ImportError, AttributeError) as error:
            raise WiringError(f"message {name} is not built here", mend="run script/bootstrap") from error
        return found

    def __iter__(self) -> Any:
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


ROS_TYPES: Final[Mapping[str, type]] = _Lazy()


def to_msg(signal: type[S], types: Mapping[str, type] = ROS_TYPES) -> Callable[[S], Any]:
    """The function that turns a signal into a message; it does not check (see `check`).

    Args:
        signal: Type of the signal.
        types: Class of a message by full name: rclpy's own by default, or `typestore.types` of rosbags.
    """
    return _to(signal, types, types is not ROS_TYPES)
