"""The message reference: every signal and part, from the notes of `signals.py`."""

from __future__ import annotations

import re

from adas_runtime.graph import default_graph
from adas_runtime.interfaces import FieldShape, Kind, constant_name, definition, shape, type_name
from adas_runtime.nodes.qos import MARKET_STATUS
from adas_runtime.reference.text import anchor, code, generated, paragraphs, table
from adas_runtime.signals import PARTS, SIGNALS, FunctionStatus

HEAD = """# Messages

Every signal is one message of the package `adas_interfaces`. Numbers are SI units, in the vehicle frame of ISO 8855:
origin on the ground under the centre of the rear axle, x forward, y left, z up; left turn, left curvature and left
offset are positive. `stamp_s` is when the oldest source was acquired, in seconds since the epoch of the clock in use.

A value that is not known is not sent as a number: the field `has_<name>` is then false. The border of each process
refuses what is not finite, out of the bounds below, longer than allowed, or an unknown value of an enumeration; it
counts what it refuses and says so under `/diagnostics`. Texts and lists are bounded, so that a broken sender cannot
exhaust memory. The unit `1` marks a plain number.
"""


def page() -> str:
    """The whole page."""
    topics: dict[type, list[str]] = {}
    for topic in (*default_graph().topics(), MARKET_STATUS):
        topics.setdefault(topic.signal, []).append(topic.name)
    parts = [generated("adas_runtime/signals.py"), HEAD, "## Signals\n"]
    for signal in SIGNALS:
        found = topics.get(signal, [])
        if signal is FunctionStatus:
            found = ["/adas/<function>/status"]
        where = ", ".join(code(name) for name in found) or "no function of this release sends or reads it"
        parts.append(_record(signal, f"Topics: {where}.\n"))
    parts.append("## Parts of signals\n")
    parts += [_record(part, "") for part in PARTS]
    return "\n".join(parts)


def _record(record: type, topics: str) -> str:
    lines = [f"### {record.__name__}\n", code(type_name(record)) + "\n", paragraphs(record.__doc__)]
    if topics:
        lines.append(topics)
    types = _wire_types(record)
    lines.append(
        table(
            ("field", "type", "unit", "bounds", "may be unknown", "meaning"),
            [
                (
                    code(item.name),
                    _type(item, types[item.name]),
                    item.note.unit,
                    _bounds(item),
                    "yes" if item.is_optional else "",
                    item.note.text,
                )
                for item in shape(record)
            ],
        )
    )
    seen: set[type] = set()
    for item in shape(record):
        if item.enum is not None and item.enum not in seen:
            seen.add(item.enum)
            values = ", ".join(f"`{constant_name(item.enum, member)}` {member.value}" for member in item.enum)
            lines.append(f"`{item.name}`: {values}.\n")
    return "\n".join(lines)


def _wire_types(record: type) -> dict[str, str]:
    """Name to type, read back from the definition that the ROS message is built from."""
    found = re.findall(r"^([A-Za-z]\S*) ([a-z]\w*)(?:  #.*)?$", definition(record), flags=re.MULTILINE)
    return {name: kind for kind, name in found}


def _type(item: FieldShape, wire: str) -> str:
    if item.kind is Kind.PARTS:
        assert item.part is not None
        name = item.part.__name__
        return f"list of [{name}](#{anchor(name)})"
    return code(wire)


def _bounds(item: FieldShape) -> str:
    if item.kind in (Kind.FLOAT, Kind.INT):
        assert item.note.low is not None and item.note.high is not None
        return f"{item.note.low:g} to {item.note.high:g}"
    if item.kind in (Kind.TEXT, Kind.BYTES):
        return f"at most {item.note.max_len} bytes"
    return f"at most {item.note.max_len} entries" if item.note.max_len else ""
