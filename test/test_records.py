"""What the compiled functions make cannot be told from what the class makes."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, dataclass, field, fields, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.arbitration.envelope import EnvelopeState
from adas_runtime.function import Status
from adas_runtime.records import builder, copier, maker, replacer
from adas_runtime.signals import PARTS, SIGNALS, ActuationCommand, Alert, LaneBoundary, LaneModel

PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=3))


@dataclass(frozen=True, slots=True)
class Listed:
    """A record with a default that is made anew for each."""

    name: str
    items: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Loose:
    """No slots."""

    name: str


@dataclass(frozen=True, slots=True)
class Checked:
    """A record that judges its fields."""

    name: str

    def __post_init__(self) -> None:
        assert self.name


@pytest.mark.parametrize("record", [*SIGNALS, *PARTS, Status, EnvelopeState], ids=lambda record: record.__name__)
@settings(max_examples=10)  # for each of many records
@given(data=st.data())
def test_makes_what_the_class_makes(record: type[Any], data: st.DataObject) -> None:
    required = {item.name: PLAIN for item in fields(record)}
    values = data.draw(st.fixed_dictionaries(required))
    made, wanted = maker(record)(**values), record(**values)
    assert type(made) is record
    assert [getattr(made, name) for name in values] == [getattr(wanted, name) for name in values]
    in_order = builder(record, tuple(values))(*values.values())
    assert [getattr(in_order, name) for name in values] == [getattr(wanted, name) for name in values]


def test_defaults_are_those_of_the_class() -> None:
    required: dict[str, Any] = {"stamp_s": 1.0, "author": "arbiter", "counter": 3}
    assert maker(ActuationCommand)(**required) == ActuationCommand(**required)
    make = maker(Listed)
    assert make("a") == Listed("a") == make(name="a")
    assert make("a").items is not make("a").items


def test_is_as_frozen_hashable_and_portable_as_what_the_class_makes() -> None:
    made = maker(Status)(state="armed", kpis=(1.0, None))
    with pytest.raises(FrozenInstanceError):
        made.state = "off"  # type: ignore[misc]
    assert hash(made) == hash(Status(state="armed", kpis=(1.0, None)))
    assert pickle.loads(pickle.dumps(made)) == made == copy.copy(made)


def test_methods_and_base_are_those_of_the_class() -> None:
    sides: dict[str, Any] = {"c0_m": 1.5, "c1": 0.0, "c2_1pm": 0.0, "c3_1pm2": 0.0, "x_min_m": 0.0, "x_max_m": 50.0}
    boundary = maker(LaneBoundary)(side=0, confidence=1.0, offset_std_m=0.1, **sides)  # type: ignore[arg-type]
    assert boundary.offset_m(10.0) == 1.5
    assert maker(LaneModel)(stamp_s=1.0).side(0) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "told"),
    [({"state": "a", "colour": "red"}, "colour"), ({}, "state")],
    ids=["an unknown field", "a field that lacks"],
)
def test_wrong_use_is_refused(values: dict[str, Any], told: str) -> None:
    with pytest.raises(TypeError, match=told):
        maker(Status)(**values)


def test_by_name_only_where_the_class_is() -> None:
    with pytest.raises(TypeError):
        maker(Alert)(1.0)  # type: ignore[call-arg]


@pytest.mark.parametrize("record", [Loose, Checked])
def test_a_class_that_does_more_is_refused(record: type) -> None:
    for compiled in (maker, copier, replacer):
        with pytest.raises(TypeError, match=record.__name__):
            compiled(record)


def test_a_copy_is_equal_and_apart() -> None:
    first = EnvelopeState(counter=7, lateral_cause="because")
    second = copier(EnvelopeState)(first)
    assert second == first
    second.counter = 8
    assert first == EnvelopeState(counter=7, lateral_cause="because")


def test_a_changed_copy_is_what_replace_makes() -> None:
    first = ActuationCommand(stamp_s=1.0, author="arbiter", counter=3, lateral_cause="because")
    changed = replacer(ActuationCommand)(first, counter=4, lateral_cause="")
    assert changed == replace(first, counter=4, lateral_cause="")
    assert first.counter == 3
    with pytest.raises(TypeError, match="colour"):
        replacer(ActuationCommand)(first, colour="red")
