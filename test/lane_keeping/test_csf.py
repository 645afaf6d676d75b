"""The warning chain of corrective steering, R79 5.1.6.1: rows C2 to C5, vectors 12 to 17 of the lane-keeping sheet."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.lane_keeping.csf import LONG_HEAVY_S, LONG_S, QUIET, long_s, warned

STEP_S = 0.01
M1, N2 = LONG_S, LONG_HEAVY_S
Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Told:
    """From when to when each signal was on."""

    optical: tuple[Span, ...]
    acoustic: tuple[Span, ...]

    def sound_s(self, begin_s: float, end_s: float) -> float:
        """Length of the sound that began in a span."""
        return next((b - a for a, b in self.acoustic if begin_s <= a < end_s), 0.0)


def play(
    interventions: list[Span], *, steered: tuple[Span, ...] = (), longest_s: float = M1, by_lane: bool = True
) -> Told:
    """Time as data: interventions and the driver's steering as spans."""
    chain = QUIET
    on: dict[str, list[tuple[float, bool]]] = {"optical": [], "acoustic": []}
    for index in range(round((max(end for _, end in interventions) + 120.0) / STEP_S)):
        now_s = index * STEP_S
        chain = warned(
            chain,
            now_s,
            is_on=any(begin <= now_s < end for begin, end in interventions),
            is_steered=any(begin <= now_s < end for begin, end in steered),
            by_lane=by_lane,
            longest_s=longest_s,
        )
        on["optical"].append((now_s, chain.is_optical))
        on["acoustic"].append((now_s, chain.is_acoustic))
    return Told(spans(on["optical"]), spans(on["acoustic"]))


def spans(values: list[tuple[float, bool]]) -> tuple[Span, ...]:
    found, begin = [], None
    for now_s, is_on in values:
        if is_on and begin is None:
            begin = now_s
        if not is_on and begin is not None:
            found.append((begin, now_s))
            begin = None
    assert begin is None, "the drive ends too early"
    return tuple(found)


@pytest.mark.clause("R79 5.1.6.1.1")
def test_vector_12_r79_5_1_6_1_1_a_short_intervention_is_shown_for_a_second() -> None:
    told = play([(2.0, 2.4)])
    assert told.optical == ((pytest.approx(2.0), pytest.approx(3.0, abs=0.02)),)
    assert told.acoustic == ()


@pytest.mark.clause("R79 5.1.6.1.1")
def test_c2_a_longer_one_is_shown_at_once_and_as_long_as_it_lasts() -> None:
    assert play([(2.0, 5.0)]).optical == ((pytest.approx(2.0), pytest.approx(5.0, abs=0.02)),)


@pytest.mark.clause("R79 5.1.6.1.2.1")
@pytest.mark.parametrize(
    ("category", "length_s", "latest_s"),
    [("M1", 12.0, 10.0), ("N1", 12.0, 10.0), ("N2", 32.0, 30.0), ("M3", 32.0, 30.0)],
)
def test_vectors_13_14_r79_5_1_6_1_2_1_a_long_one_is_sounded_until_it_ends(
    category: str, length_s: float, latest_s: float
) -> None:
    ((begin, end),) = play([(0.0, length_s)], longest_s=long_s(category)).acoustic
    assert latest_s - 0.5 < begin <= latest_s
    assert end == pytest.approx(length_s, abs=0.02)


@pytest.mark.clause("R79 5.1.6.1.2.1")
@pytest.mark.parametrize("longest_s", [M1, N2])
def test_just_below_the_limit_it_is_silent(longest_s: float) -> None:
    assert play([(0.0, longest_s - 0.5)], longest_s=longest_s).acoustic == ()


@pytest.mark.clause("R79 5.1.6.1.2.2")
def test_vector_15_r79_5_1_6_1_2_2_the_second_sounds_and_the_third_10_s_longer() -> None:
    told = play([(0.0, 3.0), (60.0, 63.0), (120.0, 123.0)])
    assert told.sound_s(0.0, 60.0) == 0.0
    second_s = told.sound_s(60.0, 61.0)
    assert second_s == pytest.approx(3.0, abs=0.05)
    assert told.sound_s(120.0, 121.0) >= second_s + 10.0
    assert len(told.optical) == 3  # Annex 8 3.1.1: optical for each


@pytest.mark.clause("R79 5.1.6.1.2.2")
def test_c5_the_fourth_is_longer_again() -> None:
    told = play([(0.0, 3.0), (40.0, 43.0), (80.0, 83.0), (120.0, 123.0)])
    assert told.sound_s(120.0, 121.0) >= told.sound_s(80.0, 81.0) + 10.0


@pytest.mark.clause("R79 5.1.6.1.2.2")
def test_vector_16_r79_5_1_6_1_2_2_after_more_than_180_s_the_chain_is_over() -> None:
    assert play([(0.0, 3.0), (200.0, 203.0)]).acoustic == ()


@pytest.mark.clause("R79 5.1.6.1.2.2")
def test_vector_17_r79_5_1_6_1_2_2_where_the_driver_steers_the_sound_ends_and_it_does_not_count() -> None:
    told = play([(0.0, 3.0), (60.0, 63.0), (120.0, 123.0)], steered=((61.0, 61.5),))
    assert told.sound_s(60.0, 61.0) == pytest.approx(1.0, abs=0.05)
    assert told.sound_s(120.0, 121.0) == pytest.approx(3.0, abs=0.05), "it is the second of the chain, not the third"


def test_c3_to_c5_hold_for_interventions_by_the_lane_only() -> None:
    told = play([(0.0, 3.0), (10.0, 13.0), (20.0, 40.0)], by_lane=False)
    assert told.acoustic == () and len(told.optical) == 3


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.floats(0.02, 40.0), st.floats(0.05, 30.0), st.booleans()), min_size=1, max_size=5),
    st.sampled_from([M1, N2]),
)
def test_no_sequence_leaves_the_driver_untold(parts: list[tuple[float, float, bool]], longest_s: float) -> None:
    """Whatever gaps and lengths: shown from the first step on for a second at least, and sounded as C3 to C5 say."""
    interventions, steered, now_s = [], [], 0.0
    for gap_s, length_s, steers in parts:
        begin_s = round(now_s + gap_s, 2)
        now_s = round(begin_s + length_s, 2)
        interventions.append((begin_s, now_s))
        if steers:
            steered.append((begin_s, now_s))
    told = play(interventions, steered=tuple(steered), longest_s=longest_s)

    def covered(found: tuple[Span, ...], begin_s: float, end_s: float) -> bool:
        return any(a <= begin_s + 0.011 and b >= end_s - 0.011 for a, b in found)

    unsteered: list[Span] = []
    for (begin_s, end_s), (_, _, steers) in zip(interventions, parts, strict=True):
        assert covered(told.optical, begin_s, max(end_s, begin_s + 1.0))
        if end_s - begin_s > longest_s:
            assert covered(told.acoustic, begin_s + longest_s, end_s)
        if not steers:
            if [end for _, end in unsteered if begin_s - end <= 179.0]:
                assert covered(told.acoustic, begin_s, end_s)
            unsteered.append((begin_s, end_s))
