"""The compiled copy does what `dataclasses.replace` does."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.arbitration.envelope import EnvelopeState
from adas_runtime.records import changer

change = changer(EnvelopeState)
NAMES = [item.name for item in fields(EnvelopeState)]


@given(st.dictionaries(st.sampled_from(NAMES), st.one_of(st.none(), st.integers(), st.text(max_size=3))))
def test_is_what_the_library_does(changes: dict[str, object]) -> None:
    first = EnvelopeState(counter=7, lateral_cause="because")
    assert change(first, **changes) == replace(first, **changes)  # type: ignore[arg-type]
    assert first == EnvelopeState(counter=7, lateral_cause="because")


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        change(EnvelopeState(), colour="red")
