"""The fast codec of our messages: values and bytes as rosbags has them, and nothing that the border refuses."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from replay_bags import stamp, store
from signal_values import records

from adas_runtime import signals
from adas_runtime.converter import from_msg, to_msg
from adas_runtime.errors import SignalError
from adas_runtime.interfaces import type_name
from adas_runtime.replay.cdr import decoder, encoder
from adas_runtime.signals import VehicleState


def same(one: Any, two: Any) -> bool:
    """Equal field by field, also for the frame, which compares by identity."""
    return all(getattr(one, item.name) == getattr(two, item.name) for item in fields(one))


@pytest.mark.parametrize("signal", signals.SIGNALS, ids=lambda signal: signal.__name__)
def test_agrees_with_rosbags_both_ways(signal: type[signals.Signal]) -> None:
    types = store()
    kind = type_name(signal)

    @settings(max_examples=30)
    @given(records(signal))
    def trip(value: signals.Signal) -> None:
        ours = encoder(signal)(value)
        assert same(from_msg(signal)(types.deserialize_cdr(ours, kind)), value)
        for is_little in (True, False):
            theirs = bytes(types.serialize_cdr(to_msg(signal, types.types)(value), kind, little_endian=is_little))
            assert same(decoder(signal)(theirs), value)

    trip()


def test_zero_has_one_sign() -> None:
    """-0.0 and 0.0 are one decision, so they make one digest."""
    first, second = (VehicleState(stamp_s=1.0, speed_mps=value, accel_mps2=value) for value in (0.0, -0.0))
    assert encoder(VehicleState)(first) == encoder(VehicleState)(second)


@given(st.integers(0, 400), st.binary(max_size=8))
def test_damaged_bytes_are_refused_or_pass_the_border(at: int, junk: bytes) -> None:
    data = bytearray(encoder(VehicleState)(VehicleState(stamp_s=stamp(0.0), speed_mps=25.0)))
    data[at : at + len(junk)] = junk
    for candidate in (bytes(data), bytes(data[:at])):
        try:
            value = decoder(VehicleState)(candidate)
        except SignalError:
            continue
        assert isinstance(value, VehicleState)
        assert -40.0 <= value.speed_mps <= signals.SPEED_MAX_MPS
