"""The typed configuration as ROS parameters: read-only, with text, unit and range, and never set from outside.

What a car does follows from its market and vehicle files, which are checked as a whole; a parameter that changed one
number of them from a command line would go round every rule. So an override is an error, and so is one that nobody
would have noticed: an unknown name, or a file whose keys name another node.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adas_runtime.config import read_yaml
from adas_runtime.errors import ConfigError

MARKET_PREFIX: Final = "config"
VEHICLE_PREFIX: Final = "car"
SETTABLE: Final = ("use_sim_time",)  # of a running ROS 2 graph, not of the configuration
ANY_NODE: Final = ("**", "*")

Plain = bool | int | float | str | tuple[float, ...] | tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of the configuration.

    Args:
        name: Dotted name.
        value: As ROS knows it.
        text: What it means.
        low, high: Bounds of a number; `None` where it has none on that side.
    """

    name: str
    value: Plain
    text: str
    low: float | None = None
    high: float | None = None


def values(model: BaseModel, prefix: str) -> Iterator[Value]:
    """Every leaf of a configuration, in the order of its declaration."""
    for name, info in type(model).model_fields.items():
        yield from _value(getattr(model, name), f"{prefix}.{name}", info)


def _value(value: Any, name: str, info: FieldInfo) -> Iterator[Value]:
    text = info.description or ""
    if isinstance(value, BaseModel):
        yield from values(value, name)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _value(item, f"{name}.{key}", info)
    else:
        low, high = _bounds(info)
        yield Value(name=name, value=_plain(value), text=text, low=low, high=high)


def _plain(value: Any) -> Plain:
    """As ROS knows it: it has no null and no date."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list) and value and all(isinstance(item, int | float) for item in value):
        return tuple(float(item) for item in value)
    if isinstance(value, tuple | list) and all(isinstance(item, str) for item in value):
        return tuple(value)
    return json.dumps(value, default=str)


def _bounds(info: FieldInfo) -> tuple[float | None, float | None]:
    low = high = None
    for item in info.metadata:
        low = getattr(item, "ge", getattr(item, "gt", low))
        high = getattr(item, "le", getattr(item, "lt", high))
    return low, high


def check_overrides(names: Iterable[str], known: Iterable[str]) -> None:
    """Refuse what a command line or a parameter file sets.

    Raises:
        ConfigError: The first parameter that cannot be set.
    """
    known = set(known)
    for name in sorted(set(names)):
        if name in SETTABLE:
            continue
        if name in known:
            raise ConfigError(
                f"parameter {name!r} cannot be set",
                where="--ros-args",
                mend="change the market or vehicle file, or take another with --market or --vehicle",
            )
        raise ConfigError(f"unknown parameter {name!r}", where="--ros-args", mend=f"known: {', '.join(SETTABLE)}")


def check_files(arguments: list[str], nodes: Iterable[str]) -> None:
    """Refuse a parameter file that speaks to a node that does not exist: ROS 2 would ignore it without a word.

    Args:
        arguments: The command line, `--ros-args` included.
        nodes: Names of all nodes of the runtime.
    Raises:
        ConfigError: A file that cannot be read, or a key in it that is no node of the runtime.
    """
    known = tuple(nodes)
    for position, argument in enumerate(arguments):
        if argument != "--params-file" or position + 1 >= len(arguments):
            continue
        document = read_yaml(Path(arguments[position + 1]))
        if not isinstance(document.data, dict):
            raise ConfigError("holds no nodes", where=arguments[position + 1], mend="begin with a node's name or /**")
        for key in document.data:
            if str(key).strip("/").split("/")[-1] not in (*known, *ANY_NODE):
                raise ConfigError(
                    f"{key} is no node of the runtime, so its values would be ignored",
                    where=str(document.origin((key,))),
                    mend=f"take one of {', '.join(known)}, or /**",
                )


def declare(node: Any, found: Iterable[Value]) -> None:
    """Declare values as read-only parameters of a node; what is declared already gets the new value."""
    from rcl_interfaces.msg import FloatingPointRange, ParameterDescriptor

    for item in found:
        value = list(item.value) if isinstance(item.value, tuple) else item.value
        descriptor = ParameterDescriptor(name=item.name, description=item.text, read_only=True)
        is_ranged = isinstance(value, float) and item.low is not None and item.high is not None
        if is_ranged:
            descriptor.floating_point_range = [FloatingPointRange(from_value=item.low, to_value=item.high)]
        if node.has_parameter(item.name):
            # the files were read anew: rclpy lets go of a parameter only when it is not read-only
            node.describe_parameter(item.name).read_only = False
            node.undeclare_parameter(item.name)
        node.declare_parameter(item.name, value, descriptor, ignore_override=True)
