"""Thinning hides neither a peak nor a grave bar."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.replay.report.thinning import SEVERITY, thin_spans, thin_track
from adas_runtime.replay.schema import Span

values = st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=1, max_size=400)


@given(values, st.integers(4, 60))
def test_extremes_ends_and_order_stay(track: list[float | None], limit: int) -> None:
    t_s = [index * 0.05 for index in range(len(track))]
    kept_t, kept = thin_track(t_s, track, limit)
    numbers = [value for value in track if value is not None]
    kept_numbers = [value for value in kept if value is not None]
    assert len(kept) <= max(limit, 5)
    assert kept_t == sorted(set(kept_t))
    assert (kept_t[0], kept_t[-1]) == (t_s[0], t_s[-1])
    assert set(kept_numbers) <= set(numbers)
    if numbers:
        assert (min(kept_numbers), max(kept_numbers)) == (min(numbers), max(numbers))
    assert (None in kept) == (None in track)


@given(
    st.lists(st.tuples(st.floats(0.001, 5.0), st.sampled_from(SEVERITY)), min_size=1, max_size=300), st.integers(1, 40)
)
def test_the_gravest_bar_stays(lengths: list[tuple[float, str]], limit: int) -> None:
    spans, start_s = [], 0.0
    for length_s, level in lengths:
        spans.append(
            Span.model_validate({"start_s": start_s, "end_s": start_s + length_s, "label": level, "level": level})
        )
        start_s += length_s
    thinned = thin_spans(spans, limit)
    assert len(thinned) <= limit or len(spans) <= limit
    assert max(SEVERITY.index(s.level) for s in thinned) == max(SEVERITY.index(s.level) for s in spans)
    assert thinned[0].start_s == 0.0
    assert max(s.end_s for s in thinned) == max(s.end_s for s in spans)
