"""One grammar of conditions, for plates and for maps: what holds, what does not, and what nobody can tell."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.conditions import Circumstances, holds, is_for_others, is_known, is_open, read, split

MONDAY_S = 20780 * 86400.0  # 2026-11-23
SUNDAY_S = MONDAY_S - 86400.0
HOUR_S = 3600.0
MONDAY_8 = {"local_s": MONDAY_S + 8 * HOUR_S}

TABLE: list[tuple[str, dict[str, Any], bool | None]] = [
    ("wet", {"is_wet": True}, True),
    ("wet", {"is_wet": None}, None),
    ("wet AND weight>7.5", {"is_wet": None}, False),
    ("weight>=3.5", {"category": "N2"}, True),
    ("weight>7.5", {"category": "N2"}, None),
    ("weight>3.5", {"category": "M1"}, False),
    ("trailer", {"has_trailer": True}, True),
    ("motorhome", {}, None),
    ("axles>=5", MONDAY_8, None),
    ("Nov-Mar", MONDAY_8, True),
    ("Apr-Oct", MONDAY_8, False),
    ("Mo-Fr 07:00-17:00", MONDAY_8, True),
    ("Sa-Su 07:00-17:00", MONDAY_8, False),
    ("Su 22:00-06:00", {"local_s": MONDAY_S + 3 * HOUR_S}, True),  # Monday at 3 belongs to Sunday night
    ("22:00-06:00", {"local_s": SUNDAY_S + 23 * HOUR_S}, True),
    ("22:00-06:00", {"local_s": MONDAY_S + 6 * HOUR_S}, False),
    ("22:00-06:00", {}, None),
    ("22:00-06:00", {"local_s": float("nan")}, None),
    ("Mo-Fr 07:00-09:00,16:00-18:00", MONDAY_8, True),
    ("Mo-Fr 07:00-17:00; Sa 08:00-12:00", MONDAY_8, True),  # one text of hours, not two conditions
    ("Mo-Fr 07:00-17:00; Sa 08:00-12:00", {"local_s": SUNDAY_S + 8 * HOUR_S}, False),
    ("wet AND 22:00-06:00", {"is_wet": True, "local_s": SUNDAY_S + 23 * HOUR_S}, True),
    ("sunset-sunrise", MONDAY_8, None),
    ("PH", MONDAY_8, None),
    ("visibility<50", {"is_fog": True}, None),
    ("Xy-Zz", MONDAY_8, None),
]


@pytest.mark.parametrize(("text", "fields", "truth"), TABLE)
def test_what_holds(text: str, fields: dict[str, Any], truth: bool | None) -> None:
    assert holds(read(text), Circumstances(**fields)) is truth


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("80 @ (wet); 60 @ (22:00-06:00)", [("80", "wet"), ("60", "22:00-06:00")]),
        ("30 @ Mo-Fr 07:00-17:00", [("30", "Mo-Fr 07:00-17:00")]),
        ("30 @ (Mo-Fr 07:00-17:00; Sa 08:00-12:00)", [("30", "Mo-Fr 07:00-17:00; Sa 08:00-12:00")]),
        ("60 @ (hgv AND maxweightrating>7.5 t)", [("60", "hgv AND maxweightrating>7.5 t")]),
        ("80 @", None),
        ("80 @ (sometimes)", None),
        ("@ wet", None),
        ("80", None),
        ("80 @ (25:99-x)", None),
        (f"80 @ ({' AND '.join(['wet'] * 20)})", None),  # more than a signal holds
    ],
)
def test_a_map_s_conditions_are_understood_whole_or_refused(text: str, parts: list[tuple[str, str]] | None) -> None:
    assert split(text) == parts


@given(st.sampled_from(TABLE))
def test_what_a_map_may_hold_a_function_can_judge(row: tuple[str, dict[str, Any], bool | None]) -> None:
    """A condition that the build lets through has a truth for somebody who knows everything, or nobody can tell it."""
    text, _, truth = row
    assert is_known(text) or truth is None


def test_a_plate_for_others_is_told_apart_from_one_that_does_not_hold_now() -> None:
    assert is_for_others(read("hgv AND wet"), Circumstances(category="M1"))
    assert not is_for_others(read("wet"), Circumstances(is_wet=False))


@given(st.text(max_size=64), st.floats())
def test_any_text_at_any_time_is_judged_or_not_known(text: str, local_s: float) -> None:
    assert is_open(text, local_s) in (True, False, None)
    assert is_known(text) in (True, False)
