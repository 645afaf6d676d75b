"""Ranges of the fields that a recording feeds: what shows a wrong unit at a glance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING
from enum import IntEnum
from typing import Any, Final

from adas_runtime.graph import SOURCES
from adas_runtime.interfaces import FieldShape, Kind, shape
from adas_runtime.signals import CameraFrame, RadarObjects, Signal

KEPT_MAX: Final = 20_000  # values of a field that are kept for the median
_NAME: Final[Mapping[type, str]] = {source.signal: source.name for source in SOURCES}


class Ranges:
    """Collects the numbers of signals."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, str, str], dict[str, None]] = {}
        self._kept: dict[tuple[str, str, str], list[float]] = {}
        self._count: dict[tuple[str, str, str], int] = {}

    def add(self, signal: Signal) -> None:
        """Take in a signal."""
        name = _NAME[type(signal)]
        for record in signal.tracks if isinstance(signal, RadarObjects) else (signal,):
            for item in _fields(type(record), isinstance(signal, CameraFrame)):
                value = getattr(record, item.name)
                if isinstance(value, IntEnum):
                    if value or item.default is MISSING or name == "driver_input":  # else nobody told
                        self._name((name, item.name, ""), value.name.lower())
                elif isinstance(value, bool):
                    self._name((name, item.name, ""), "yes" if value else "no")
                elif value is not None:
                    self._put((name, item.name, item.note.unit), float(value))

    def _put(self, key: tuple[str, str, str], value: float) -> None:
        kept = self._kept.setdefault(key, [value, value])
        self._count[key] = self._count.get(key, 0) + 1
        kept[0], kept[1] = min(kept[0], value), max(kept[1], value)
        if len(kept) < KEPT_MAX:
            kept.append(value)

    def _name(self, key: tuple[str, str, str], value: str) -> None:
        self._names.setdefault(key, {}).setdefault(value)
        self._count[key] = self._count.get(key, 0) + 1

    def table(self) -> list[dict[str, Any]]:
        """One row per field: lowest, median and highest value, and how many there were."""
        rows = []
        for (name, field, unit), kept in self._kept.items():
            ordered = sorted(kept[2:])
            rows.append(
                {
                    "field": f"{name}.{field}",
                    "unit": unit,
                    "low": kept[0],
                    "median": ordered[len(ordered) // 2],
                    "high": kept[1],
                    "count": self._count[name, field, unit],
                }
            )
        for (name, field, _), names in self._names.items():
            rows.append(
                {
                    "field": f"{name}.{field}",
                    "unit": "",
                    "low": "",
                    "median": "/".join(names),
                    "high": "",
                    "count": self._count[name, field, ""],
                }
            )
        return rows


def _fields(record: type, is_picture: bool) -> list[FieldShape]:
    kinds = (Kind.INT,) if is_picture else (Kind.FLOAT, Kind.ENUM, Kind.BOOL)
    return [item for item in shape(record) if item.kind in kinds and item.name != "stamp_s"]
