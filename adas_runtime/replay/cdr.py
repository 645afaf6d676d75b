"""Signals to and from the CDR bytes of their messages, compiled once per type.

`rosbags` reads a `VehicleState` into a message object in 14 us and the converter needs 3 us more; at 100 Hz times 100
that is the whole budget of a replay. The functions compiled here need 3 us from bytes to checked signal. They know only
`adas_interfaces`; every other message goes through `rosbags`. A test holds both ways against each other.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from adas_runtime.converter import check, refuse
from adas_runtime.errors import SignalError
from adas_runtime.interfaces import FieldShape, Kind, shape
from adas_runtime.records import maker
from adas_runtime.signals import Signal

HEADER: Final = b"\x00\x01\x00\x00"  # plain CDR, little endian
LAYOUTS_MAX: Final = 1024  # of one message, by the lengths of its texts
TEXTS_MAX: Final = 4096  # encoded texts that are kept: authors, causes and chains come back with every message
_CODES: Final = {Kind.FLOAT: ("d", 8), Kind.BOOL: ("?", 1), Kind.ENUM: ("B", 1)}


class _Layouts:
    """`struct` layouts of a run of fixed-size fields, one per position modulo 8, since CDR aligns from the start."""

    def __init__(self, codes: list[tuple[str, int]], little: bool) -> None:
        self.table: list[struct.Struct] = []
        for phase in range(8):  # positions in the buffer, header included: 4 bytes ahead of the aligned origin
            text, at = "<" if little else ">", phase + 4
            for code, size in codes:
                pad = -at % size
                text += f"{pad}x" * bool(pad) + code
                at += pad + size
            self.table.append(struct.Struct(text))


def _code(item: FieldShape) -> tuple[str, int] | None:
    if item.kind is Kind.INT:
        assert item.note.low is not None and item.note.high is not None
        return ("i", 4) if -(2**31) <= item.note.low and item.note.high < 2**31 else ("q", 8)
    return _CODES.get(item.kind)


class _Compiler:
    """Source of one function; runs of fixed-size fields become one `struct` call."""

    def __init__(self, header: str, little: bool) -> None:
        self.lines = [header]
        self.names: dict[str, Any] = {"refuse": refuse}
        self.little = little
        self.run: list[tuple[str, int]] = []
        self.values: list[str] = []

    def add(self, line: str) -> None:
        self.lines.append("    " + line)

    def name(self, value: Any) -> str:
        name = f"_n{len(self.names)}"
        self.names[name] = value
        return name

    def fixed(self, code: tuple[str, int], value: str) -> None:
        self.run.append(code)
        self.values.append(value)

    def layout(self, codes: list[tuple[str, int]]) -> str:
        return self.name(tuple(_Layouts(codes, self.little).table))

    def flush_read(self) -> None:
        if self.run:
            self.add(f"s = {self.layout(self.run)}[p & 7]")
            self.add(f"{', '.join(self.values)}, = s.unpack_from(b, p)")
            self.add("p += s.size")
        self.run, self.values = [], []

    def flush_write(self) -> None:
        if self.run:
            self.add(f"c = {self.layout(self.run)}[p & 7].pack({', '.join(self.values)})")
            self.add("o.append(c)")
            self.add("p += len(c)")
        self.run, self.values = [], []

    def compile(self, name: str) -> Callable[..., Any]:
        exec(compile("\n".join(self.lines), f"<cdr {name}>", "exec"), self.names)
        return self.names[name]  # type: ignore[no-any-return]


def _compile_read(record: type, little: bool) -> Callable[[bytes, int], tuple[Any, int]]:
    """`read(bytes, position) -> (record, position after it)`; bounds are checked by the caller."""
    source = _Compiler("def read(b, p):", little)
    length = ("I", 4)
    arguments = []
    after: list[str] = []
    for index, item in enumerate(shape(record)):
        target = f"v{index}"
        value = target
        if item.is_optional:
            source.fixed(("?", 1), f"h{index}")
        code = _code(item)
        if code is not None:
            source.fixed(code, target)
            if item.kind is Kind.ENUM:
                assert item.enum is not None
                members = source.name({member.value: member for member in item.enum})
                wanted = f"one of {', '.join(member.name for member in item.enum)}"
                after.append(f"e{index} = {members}.get({target})")
                after.append(f"if e{index} is None: refuse({record.__name__!r}, {item.name!r}, {target}, {wanted!r})")
                value = f"e{index}"
        else:
            source.fixed(length, "n")
            source.flush_read()
            if item.kind is Kind.TEXT:
                source.add(f"{target} = str(b[p:p + n - 1], 'utf-8') if n else ''")
                source.add("p += n")
            elif item.kind is Kind.BYTES:
                source.add(f"{target} = bytes(b[p:p + n])")
                source.add("p += n")
            else:
                # the length of a broken message must not make us allocate: no list is longer than its bound
                source.add(f"if n > {item.note.max_len}:")
                bound = f"'at most {item.note.max_len} long'"
                source.add(f"    refuse({record.__name__!r}, {item.name!r}, n, {bound})")
                source.add("r = []")
                source.add("for _ in range(n):")
                if item.kind is Kind.TEXTS:
                    source.add(f"    s = {source.layout([length])}[p & 7]")
                    source.add("    m, = s.unpack_from(b, p)")
                    source.add("    p += s.size")
                    source.add("    x = str(b[p:p + m - 1], 'utf-8') if m else ''")
                    source.add("    p += m")
                else:
                    assert item.part is not None
                    source.add(f"    x, p = {source.name(_read(item.part, little))}(b, p)")
                source.add("    r.append(x)")
                source.add(f"{target} = tuple(r)")
        arguments.append(f"{item.name}={value} if h{index} else None" if item.is_optional else f"{item.name}={value}")
    source.flush_read()
    for line in after:
        source.add(line)
    source.add(f"return {source.name(maker(record))}({', '.join(arguments)}), p")
    return source.compile("read")


def _compile_write(record: type) -> Callable[[Any, list[bytes], int], int]:
    """`write(record, parts, position) -> position`; appends to `parts`."""
    source = _Compiler("def write(r, o, p):", little=True)
    empty = {Kind.FLOAT: "0.0", Kind.BOOL: "False"}
    for index, item in enumerate(shape(record)):
        target = f"v{index}"
        source.add(f"{target} = r.{item.name}")
        if item.is_optional:
            source.fixed(("?", 1), f"h{index}")
            source.add(f"h{index} = {target} is not None")
            source.add(f"if not h{index}: {target} = {empty.get(item.kind, '0')}")
        code = _code(item)
        if code is not None:
            source.fixed(code, f"{target} + 0.0" if item.kind is Kind.FLOAT else target)  # -0.0 and 0.0 are one value
            continue
        if item.kind is Kind.TEXT:
            source.add(f"{target} = {target}.encode() + b'\\0'")
        source.fixed(("I", 4), f"len({target})")
        source.flush_write()
        if item.kind in (Kind.TEXT, Kind.BYTES):
            source.add(f"o.append({target})")
            source.add(f"p += len({target})")
            continue
        source.add(f"for x in {target}:")
        if item.kind is Kind.TEXTS:
            source.add("    x = x.encode() + b'\\0'")
            source.add(f"    c = {source.layout([('I', 4)])}[p & 7].pack(len(x)) + x")
        else:
            assert item.part is not None
            source.add(f"    p = {source.name(_write(item.part))}(x, o, p)")
            continue
        source.add("    o.append(c)")
        source.add("    p += len(c)")
    source.flush_write()
    source.add("return p")
    return source.compile("write")


def _compile_encode(record: type, slow: Callable[[Any], bytes]) -> Callable[[Any], bytes]:
    """`encode(record) -> bytes` by one `struct` call; `slow` where a list is not empty, since its items must be walked.

    The layout hangs on the lengths of the texts alone, and few of them differ from message to message.
    """
    source = _Compiler("def encode(r):", little=True)
    known, encoded = source.name(_texts), source.name(_encoded)
    empty = {Kind.FLOAT: "0.0", Kind.BOOL: "False"}
    codes: list[tuple[str, int]] = []  # size 0: a text, of the next length of the key
    values: list[str] = []
    lengths: list[str] = []
    for index, item in enumerate(shape(record)):
        target = f"v{index}"
        source.add(f"{target} = r.{item.name}")
        if item.is_optional:
            source.add(f"h{index} = {target} is not None")
            source.add(f"if not h{index}: {target} = {empty.get(item.kind, '0')}")
            codes.append(("?", 1))
            values.append(f"h{index}")
        code = _code(item)
        if code is not None:
            codes.append(code)
            values.append(f"{target} + 0.0" if item.kind is Kind.FLOAT else target)
        elif item.kind in (Kind.TEXT, Kind.BYTES):
            if item.kind is Kind.TEXT:
                source.add(f"{target} = {known}.get({target}) or {encoded}({target})")
            source.add(f"n{index} = len({target})")
            lengths.append(f"n{index}")
            codes += [("I", 4), ("s", 0)]
            values += [f"n{index}", target]
        else:
            source.add(f"if {target}: return {source.name(slow)}(r)")
            codes.append(("I", 4))
            values.append("0")
    layouts: dict[tuple[int, ...], Callable[..., bytes]] = {}

    def layout(*key: int) -> Callable[..., bytes]:
        text, at, left = "<4s", 0, list(key)
        for code, size in codes:
            if not size:
                length = left.pop(0)
                text += f"{length}s"
                at += length
                continue
            pad = -at % size
            text += f"{pad}x" * bool(pad) + code
            at += pad + size
        if len(layouts) >= LAYOUTS_MAX:
            layouts.clear()
        found = layouts[key] = struct.Struct(text).pack
        return found

    key = f"({''.join(f'{name}, ' for name in lengths)})"
    source.add(f"pack = {source.name(layouts)}.get({key}) or {source.name(layout)}{key}")
    source.add(f"return pack({', '.join([source.name(HEADER), *values])})")
    return source.compile("encode")


_texts: dict[str, bytes] = {}


def _encoded(text: str) -> bytes:
    """A text as CDR has it, and kept for the next message."""
    if len(_texts) >= TEXTS_MAX:
        _texts.clear()
    found = _texts[text] = text.encode() + b"\0"
    return found


_read = cache(_compile_read)
_write = cache(_compile_write)


@cache
def decoder(signal: type) -> Callable[[bytes], Signal]:
    """The function that turns CDR bytes into a checked signal.

    Raises (the function):
        SignalError: The bytes are no such message, or a value is refused at the border.
    """
    little, big = _read(signal, True), _read(signal, False)

    def decode(data: bytes) -> Signal:
        if len(data) < 4 or data[0] != 0 or data[1] > 1:
            raise SignalError(f"{signal.__name__}: not plain CDR (starts with {bytes(data[:4]).hex() or 'nothing'})")
        try:
            value: Signal = (little if data[1] else big)(data, 4)[0]
        except (struct.error, UnicodeDecodeError) as error:
            raise SignalError(f"{signal.__name__}: the message is cut short or damaged ({error})") from error
        check(value)
        return value

    return decode


@cache
def encoder(signal: type) -> Callable[[Signal], bytes]:
    """The function that turns a signal into CDR bytes, equal on every machine: also what the digest is made of."""
    write = _write(signal)

    def slow(value: Signal) -> bytes:
        parts = [HEADER]
        write(value, parts, 4)
        return b"".join(parts)

    return _compile_encode(signal, slow)
