"""Hypothesis strategies for every signal: each field within its declared bounds."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from adas_runtime.interfaces import ITEM_TEXT_MAX, FieldShape, Kind, shape


def values(item: FieldShape) -> st.SearchStrategy[Any]:
    """Every value that a field may hold."""
    if item.kind is Kind.FLOAT:
        found: st.SearchStrategy[Any] = st.floats(item.note.low, item.note.high, allow_nan=False)
    elif item.kind is Kind.INT:
        found = st.integers(int(item.note.low or 0), int(item.note.high or 0))
    elif item.kind is Kind.BOOL:
        found = st.booleans()
    elif item.kind is Kind.ENUM:
        assert item.enum is not None
        found = st.sampled_from(item.enum)
    elif item.kind is Kind.TEXT:
        found = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=item.note.max_len // 4)
    elif item.kind is Kind.BYTES:
        found = st.binary(max_size=64)
    elif item.kind is Kind.TEXTS:
        text = st.text(st.characters(codec="ascii", exclude_characters="\0"), max_size=ITEM_TEXT_MAX)
        found = st.lists(text, max_size=min(item.note.max_len, 4)).map(tuple)
    else:
        assert item.part is not None
        found = st.lists(records(item.part), max_size=min(item.note.max_len, 3)).map(tuple)
    return st.none() | found if item.is_optional else found


def records(record: type) -> st.SearchStrategy[Any]:
    """Every value of a signal or part."""
    return st.builds(record, **{item.name: values(item) for item in shape(record)})
