"""A guess as an input map that people can read, mend and keep."""

from __future__ import annotations

import json
import math

from adas_runtime.inputs.checks import DEG, Reading, axes_text
from adas_runtime.inputs.feed import CONVERTER_OF_TYPE, CONVERTERS, FIELDS, Feed, Link, target_shape
from adas_runtime.inputs.recording import Bound
from adas_runtime.units import GRAVITY_MPS2, UNITS, factor_to


def map_text(name: str, source: str, bound: Bound) -> str:
    """The YAML text of the map under which a recording gives the same signals as by the guess.

    Args:
        name: Name of the map.
        source: What was guessed from, for the head of the file.
        bound: The recording, bound by the guess.
    """
    lines = [
        f"# Guessed from {source}: check each line, mend it, and use it with --inputs. Keys: docs/inputs.md",
        "format: 1",
        f"name: {_scalar(name)}",
        "",
        "inputs:",
    ]
    feeds = [feed for feed in bound.feeds.values() if feed.feeds]
    for feed in sorted(feeds, key=lambda feed: (feed.rank, feed.topic)):
        lines += _entry(feed, bound)
    unused = [feed for feed in bound.feeds.values() if not feed.feeds]
    if unused:
        lines += ["", "# Not used:"]
        lines += [f"#   {feed.topic}  {feed.type}: {feed.note}" for feed in unused]
    return "\n".join(lines) + "\n"


def _entry(feed: Feed, bound: Bound) -> list[str]:
    topic = feed.topic
    lines = [f"  - topic: {_scalar(topic)}", f"    type: {feed.type}"]
    name = feed.converter or CONVERTER_OF_TYPE.get(feed.type, FIELDS)
    reading = bound.binder.readings.get(topic)
    links = bound.binder.links.get(topic, feed.links)
    lines += [f"    # {part}" for part in feed.note.split("; ") if part]
    if feed.definition:
        lines += ["    definition: |", *(f"      {line}".rstrip() for line in feed.definition.strip().splitlines())]
    kept = [link for link in links if link.target in feed.feeds]
    if feed.each:
        return [*lines, f"    each: {feed.each}", "    fields:", *(f"      - {_link(link)}" for link in links)]
    if kept:
        return [*lines, "    fields:", *(f"      - {_link(link)}" for link in kept)]
    is_plain = reading is None or (reading.speed_factor in (None, 1.0) and (reading.yaw_factor or 0.0) >= 0.0)
    if reading is not None and not is_plain and name in ("twist", "odometry") and not reading.is_map_frame:
        return [*lines, "    fields:", *(f"      - {_link(link)}" for link in _pace_links(feed, reading))]
    if name != "own" and set(feed.feeds) != set(CONVERTERS[name].targets):
        lines.append(f"    targets: [{', '.join(feed.feeds)}]")
    if reading is not None and not reading.is_map_frame:
        text = axes_text(reading.axes)
        if text.count(",") == 2:
            lines.append(f"    axes: [{', '.join(part.split()[1] for part in text.split(', '))}]")
        if reading.yaw_factor is not None and "vehicle_state.yaw_rate_rps" in feed.feeds and reading.yaw_factor > 0.0:
            lines.append(f"    rate_unit: {'deg/s' if math.isclose(reading.yaw_factor, DEG) else 'rad/s'}")
        if name == "imu" and reading.accel_factor is not None:
            lines.append(f"    accel_unit: {'g' if math.isclose(reading.accel_factor, GRAVITY_MPS2) else 'm/s^2'}")
    if feed.is_guessed and topic in bound.binder.log_time_topics:
        lines.append("    clock: recording")
    return lines


def _pace_links(feed: Feed, reading: Reading) -> list[Link]:
    """Speed and yaw rate by path, for what a converter's keys cannot say: another unit of speed, a turned rate."""
    stem = "twist" if feed.type == "geometry_msgs/msg/TwistStamped" else "twist.twist"
    found = []
    for target, part, row, factor in (
        ("vehicle_state.speed_mps", "linear", reading.axes[0], reading.speed_factor),
        ("vehicle_state.yaw_rate_rps", "angular", reading.axes[2], reading.yaw_factor),
    ):
        place = int(abs(row).argmax())
        if target in feed.feeds and factor is not None:
            path = f"{stem}.{part}.{'xyz'[place]}"
            found.append(Link(target=target, path=path, factor=float(row[place]) * factor))
    return found


def _link(link: Link) -> str:
    shape = target_shape(link.target)
    assert shape is not None
    parts = [f"target: {link.target}", f"field: {_scalar(link.path)}"]
    scale, size = link.scale, abs(link.factor)
    if link.factor < 0.0:
        scale = -scale
    units = (shape.note.unit, *UNITS)
    unit = next((u for u in units if (f := factor_to(shape.note.unit, u)) and math.isclose(f, size)), None)
    if unit is None:
        scale *= size
    elif unit != shape.note.unit:
        parts.append(f"unit: {_scalar(unit)}")
    if scale != 1.0:
        parts.append(f"scale: {scale!r}")
    if link.offset:
        parts.append(f"offset: {link.offset!r}")
    if link.values:
        shown = {
            key: None if value is None else shape.enum(value).name.lower() if shape.enum else str(bool(value)).lower()
            for key, value in link.values
        }
        words = [f"{_scalar(key)}: {'null' if value is None else _scalar(value)}" for key, value in shown.items()]
        parts.append("values: {" + ", ".join(words) + "}")
    return "{" + ", ".join(parts) + "}"


def _scalar(text: str) -> str:
    """A text as YAML, quoted where it could be read as something else."""
    plain = text.replace("_", "").replace("/", "").replace(".", "")
    return text if plain.isalnum() and not plain[:1].isdigit() and plain.isascii() else json.dumps(text)
