"""Signals and messages have one shape, survive the trip, and bad values are refused at the border."""

from __future__ import annotations

import math
from dataclasses import fields
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from rosbags.typesys import Stores, get_typestore
from signal_values import records

from adas_runtime import signals
from adas_runtime.converter import check, from_msg, pack, to_msg
from adas_runtime.errors import SignalError
from adas_runtime.interfaces import (
    FieldShape,
    Kind,
    constant_name,
    msg_definitions,
    register,
    shape,
    type_name,
)

ROOT = Path(__file__).resolve().parents[2]
STORE = get_typestore(Stores.ROS2_JAZZY)
register(STORE)
ALL = signals.SIGNALS + signals.PARTS


def same(one: Any, two: Any) -> bool:
    """Equal field by field, also for the frame, which compares by identity."""
    return all(getattr(one, item.name) == getattr(two, item.name) for item in fields(one))


@pytest.mark.parametrize("record", ALL, ids=lambda record: record.__name__)
def test_message_file_is_the_signals_own(record: type) -> None:
    path = ROOT / "adas_interfaces" / "msg" / f"{record.__name__}.msg"
    assert path.read_text(encoding="utf-8") == msg_definitions()[type_name(record)], "run script/gen_msgs"


def test_no_message_without_a_signal() -> None:
    files = {path.stem for path in (ROOT / "adas_interfaces" / "msg").glob("*.msg")}
    assert files == {record.__name__ for record in ALL}


@pytest.mark.parametrize("record", ALL, ids=lambda record: record.__name__)
def test_every_field_and_constant_is_in_the_message(record: type) -> None:
    """Parity, read from the message that ROS parses, not from the text that we write."""
    message = STORE.types[type_name(record)]
    names = [item.name for item in fields(message) if item.name != "__msgtype__" and not item.name.isupper()]
    wanted: list[str] = []
    for item in shape(record):
        if item.is_optional:
            wanted.append(f"has_{item.name}")
        wanted.append(item.name)
    assert names == wanted
    for item in shape(record):
        if item.enum is not None:
            for member in item.enum:
                assert getattr(message, constant_name(item.enum, member)) == member.value
        if item.kind in (Kind.FLOAT, Kind.INT):
            assert item.note.text, f"{record.__name__}.{item.name} says nothing of itself"
            assert item.note.unit, f"{record.__name__}.{item.name} has no unit"


@pytest.mark.parametrize("signal", signals.SIGNALS, ids=lambda signal: signal.__name__)
def test_round_trip_through_cdr(signal: type[signals.Signal]) -> None:
    @given(records(signal))
    def trip(value: signals.Signal) -> None:
        check(value)
        message = to_msg(signal, STORE.types)(value)
        raw = STORE.serialize_cdr(message, type_name(signal))
        back = from_msg(signal)(STORE.deserialize_cdr(raw, type_name(signal)))
        assert same(back, value)
        assert pack(back) == pack(value)

    trip()


@pytest.mark.parametrize("signal", signals.SIGNALS, ids=lambda signal: signal.__name__)
def test_round_trip_through_rclpy(signal: type[signals.Signal]) -> None:
    pytest.importorskip("rclpy", reason="rclpy is not installed")

    @given(records(signal))
    def trip(value: signals.Signal) -> None:
        from rclpy.serialization import deserialize_message, serialize_message

        message = to_msg(signal)(value)
        raw = serialize_message(message)
        assert same(from_msg(signal)(deserialize_message(raw, type(message))), value)
        again = STORE.deserialize_cdr(raw, type_name(signal))
        assert same(from_msg(signal)(again), value), "rclpy and rosbags read the same bytes differently"

    trip()


def _numbers() -> list[tuple[type[signals.Signal], FieldShape]]:
    return [(signal, item) for signal in signals.SIGNALS for item in shape(signal) if item.kind is Kind.FLOAT]


@pytest.mark.parametrize(
    ("signal", "item"), _numbers(), ids=lambda value: value.name if isinstance(value, FieldShape) else value.__name__
)
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, "below", "above"])
def test_a_number_that_lies_is_refused(signal: type[signals.Signal], item: FieldShape, bad: float | str) -> None:
    assert item.note.low is not None and item.note.high is not None
    number = {"below": math.nextafter(item.note.low, -math.inf), "above": math.nextafter(item.note.high, math.inf)}
    value = number[bad] if isinstance(bad, str) else bad
    message = STORE.types[type_name(signal)]
    blank = _blank(message)
    if item.is_optional:
        setattr(blank, f"has_{item.name}", True)
    setattr(blank, item.name, value)
    with pytest.raises(SignalError, match=rf"{signal.__name__}\.{item.name} = "):
        from_msg(signal)(blank)


@pytest.mark.parametrize(
    ("signal", "item"),
    [(signal, item) for signal in signals.SIGNALS for item in shape(signal) if item.enum is not None],
    ids=lambda value: value.name if isinstance(value, FieldShape) else value.__name__,
)
def test_an_unknown_enumeration_value_is_refused(signal: type[signals.Signal], item: FieldShape) -> None:
    assert item.enum is not None
    blank = _blank(STORE.types[type_name(signal)])
    setattr(blank, item.name, 255)
    with pytest.raises(SignalError, match=rf"{signal.__name__}\.{item.name} = 255: must be one of "):
        from_msg(signal)(blank)


def test_lists_and_texts_that_are_too_long_are_refused() -> None:
    track = signals.RadarTrack(track_id=1, x_m=1.0, y_m=0.0)
    with pytest.raises(SignalError, match=r"RadarObjects\.tracks = 257: must be at most 256 long"):
        check(signals.RadarObjects(stamp_s=1.0, tracks=(track,) * 257))
    with pytest.raises(SignalError, match="at most 256 bytes"):
        check(signals.LaneModel(stamp_s=1.0, reason="ä" * 129))
    with pytest.raises(SignalError, match="texts of at most 64 bytes"):
        check(signals.DriverInput(stamp_s=1.0, pressed=("x" * 65,)))


def test_an_absent_value_is_not_judged() -> None:
    """What stands behind a false `has_` flag is noise, NaN included."""
    blank = _blank(STORE.types[type_name(signals.VehicleState)])
    blank.yaw_rate_rps = math.nan
    assert from_msg(signals.VehicleState)(blank).yaw_rate_rps is None


@given(records(signals.LaneModel), records(signals.LaneModel))
def test_pack_tells_values_apart(one: signals.LaneModel, two: signals.LaneModel) -> None:
    if one != two:
        assert pack(one) != pack(two)


def _blank(message: type) -> Any:
    arguments: dict[str, Any] = {}
    for item in fields(message):
        if item.name == "__msgtype__" or item.name.isupper():
            continue
        kind = str(item.type)
        arguments[item.name] = (
            ""
            if "str" in kind and "ndarray" not in kind and "list" not in kind
            else []
            if "list" in kind or "ndarray" in kind
            else False
            if "bool" in kind
            else 1
            if item.name in ("width_px", "height_px")
            else 0
        )
    return message(**arguments)


def test_enumerations_fit_one_octet() -> None:
    enums = {item.enum for record in ALL for item in shape(record) if item.enum is not None}
    assert all(0 <= member <= 255 for enum in enums for member in enum)
    assert all(issubclass(enum, IntEnum) for enum in enums)
