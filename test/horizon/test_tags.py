"""Speed-limit tags: every form is read, and what is not understood is never turned into a number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.horizon.tags import Form, Limit, Rule, read_limit, read_rule


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50", Limit(Form.NUMBER, 50.0)),
        ("30 mph", Limit(Form.NUMBER, 30.0, "mph")),
        ("30mph", Limit(Form.NUMBER, 30.0, "mph")),
        ("80 km/h", Limit(Form.NUMBER, 80.0)),
        ("none", Limit(Form.NO_LIMIT)),
        ("walk", Limit(Form.WALK)),
        ("DE:walk", Limit(Form.WALK)),
        ("signals", Limit(Form.VARIABLE)),
        ("DE:urban", Limit(Form.IMPLICIT, country="DE", area="urban")),
        ("BE-VLG:rural", Limit(Form.IMPLICIT, country="BE", area="rural")),
        ("GB:nsl_dual", Limit(Form.IMPLICIT, country="GB", area="rural_dual")),
        ("AT:zone:30", Limit(Form.NUMBER, 30.0)),
        ("DE:zone30", Limit(Form.NUMBER, 30.0)),
        ("GB:zone20", Limit(Form.NUMBER, 20.0, "mph")),
        ("RO:trunk", Limit(Form.IMPLICIT, country="RO", area="expressway")),
    ],
)
def test_each_form_of_a_limit_is_read(text: str, expected: Limit) -> None:
    assert read_limit(text) == expected


@pytest.mark.parametrize(
    "text",
    ["", "0", "-1", "999", "50;70", "50,5", "fast", "5O", "50 knots", "DE:", "DE:nowhere", "50 70", "none;50"],
)
def test_what_is_not_understood_is_no_number(text: str) -> None:
    assert read_limit(text) is None


@given(st.text(max_size=30))
def test_no_text_breaks_the_reader_and_a_number_stands_in_the_text(text: str) -> None:
    limit = read_limit(text)
    if limit is not None and limit.form is Form.NUMBER:
        assert f"{limit.value:g}" in text or str(limit.value) in text


def test_directions_lanes_and_ground_are_kept_apart() -> None:
    malformed: list[tuple[str, str]] = []
    tags = {
        "maxspeed": "70",
        "maxspeed:forward": "50",
        "source:maxspeed": "DE:rural",
        "maxspeed:lanes:forward": "100|80|60",
        "maxspeed:advisory": "40",
        "maxspeed:hgv": "60",
        "maxspeed:conditional": "30 @ (22:00-06:00); 60 @ wet",
    }
    forward, backward = read_rule(tags, "forward", malformed), read_rule(tags, "backward", malformed)
    assert forward.limit == Limit(Form.NUMBER, 50.0) and backward.limit == Limit(Form.NUMBER, 70.0)
    assert [lane.value for lane in forward.lanes if lane] == [100.0, 80.0, 60.0] and backward.lanes == ()
    assert forward.area == "rural" and forward.country == "DE" and "DE:rural" in forward.source
    assert [(c.limit.value, c.condition) for c in forward.conditionals] == [
        (60, "hgv"),
        (30, "22:00-06:00"),
        (60, "wet"),
    ]
    assert forward.advisory == Limit(Form.NUMBER, 40.0)
    assert malformed == []


def test_a_wrong_tag_leaves_no_limit_and_no_other_tag_is_taken_instead() -> None:
    malformed: list[tuple[str, str]] = []
    rule = read_rule({"maxspeed": "fast", "maxspeed:type": "DE:urban"}, "forward", malformed)
    assert rule.limit is None and malformed == [("maxspeed", "fast")]


def test_the_law_is_named_where_only_the_type_is_tagged() -> None:
    rule = read_rule({"maxspeed:type": "DE:urban"}, "forward", [])
    assert rule.limit == Limit(Form.IMPLICIT, country="DE", area="urban")
    assert read_rule({"zone:maxspeed": "DE:30"}, "forward", []).limit == Limit(Form.NUMBER, 30.0)


LIMITS = st.builds(Limit, st.sampled_from(Form), st.floats(1, 200), st.sampled_from(["kmh", "mph"]))


@given(
    st.builds(
        Rule,
        limit=st.none() | LIMITS,
        source=st.text(max_size=9),
        lanes=st.lists(st.none() | LIMITS, max_size=3).map(tuple),
    )
)
def test_a_rule_survives_the_store(rule: Rule) -> None:
    assert Rule.from_text(rule.text()) == rule
