"""The performance models of UN R157 against every vector of `alks.md` section 4, and what must hold of any case."""

from __future__ import annotations

import math

import numpy as np
import pytest
from encounters import BRAKING, CUT_IN, CUT_OUT
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.alks.reference import (
    Event,
    Model,
    Verdict,
    assess,
    cfs,
    following_distance_m,
    intrusion_ttc_s,
    must_avoid,
    must_avoid_ttc_s,
    pfs,
    reaction_mps2,
    rss_lateral_m,
    rss_longitudinal_m,
)

TOLERANCE = 0.2  # alks.md section 4, m and m/s
P, U, N = Verdict.PREVENTABLE, Verdict.UNPREVENTABLE, Verdict.NOT_CRITICAL


def cases(table: str) -> list[object]:
    """One parameter set for each row and model."""
    found: list[object] = []
    for line in table.strip().splitlines():
        name, *fields = line.split()
        verdicts = [field for field in fields if field[0] in "PUN"]
        numbers = tuple(float(field) for field in fields if field[0].isdigit())
        for model, told in zip(Model, verdicts, strict=True):
            verdict = {"P": P, "U": U, "N": N}[told[0]]
            value = float(told[1:]) if told[1:] else None
            found.append(pytest.param(model, numbers, verdict, value, id=f"R157 Annex 3 {name} {model.value}"))
    return found


def judged(model: Model, event: Event, numbers: tuple[float, ...], step_s: float = 0.01) -> tuple[Verdict, float]:
    ego_mps = numbers[0] / 3.6
    if event is Event.CUT_IN:
        given = {"other_mps": numbers[1] / 3.6, "distance_m": numbers[2], "lateral_mps": numbers[3]}
    elif event is Event.CUT_OUT:
        given = {"distance_m": ego_mps * 2.0, "ahead_m": numbers[2], "lateral_mps": numbers[3]}
    else:
        given = {"distance_m": ego_mps * 2.0, "decel_mps2": numbers[2]}
    found = assess(model, event, ego_mps=ego_mps, step_s=step_s, **given)
    return Verdict(int(found.verdict)), float(found.value)


@pytest.mark.parametrize(("model", "numbers", "verdict", "value"), cases(CUT_IN))
def test_cut_in(model: Model, numbers: tuple[float, ...], verdict: Verdict, value: float | None) -> None:
    told, figure = judged(model, Event.CUT_IN, numbers)
    assert told is verdict
    assert value is None or figure == pytest.approx(value, abs=TOLERANCE)


@pytest.mark.parametrize(("model", "numbers", "verdict", "value"), cases(CUT_OUT))
def test_cut_out(model: Model, numbers: tuple[float, ...], verdict: Verdict, value: float | None) -> None:
    told, figure = judged(model, Event.CUT_OUT, numbers)
    assert told is verdict and figure == pytest.approx(value, abs=TOLERANCE)


@pytest.mark.parametrize(("model", "numbers", "verdict", "value"), cases(BRAKING))
def test_braking(model: Model, numbers: tuple[float, ...], verdict: Verdict, value: float | None) -> None:
    told, figure = judged(model, Event.BRAKING, numbers)
    assert told is verdict and figure == pytest.approx(value, abs=TOLERANCE)


@pytest.mark.parametrize("line", CUT_IN.strip().splitlines(), ids=lambda line: f"R157 5.2.5.2 {line[:4]}")
def test_a09_demands_what_the_sheet_says(line: str) -> None:
    name, ego, other, gap, lateral, *_, told = line.split()
    assert bool(must_avoid((float(ego) - float(other)) / 3.6, float(gap), float(lateral))) is (told == "yes"), name


@pytest.mark.parametrize(
    ("closing_kmh", "ttc_s", "gap_m"),
    [
        (5, 0.4657, 0.647), (10, 0.5815, 1.615), (20, 0.8130, 4.516), (30, 1.0444, 8.704), (40, 1.2759, 14.177),
        (50, 1.5074, 20.936), (60, 1.7389, 28.981),
    ],
    ids=lambda value: f"R157 5.2.5.2 {value}",
)  # fmt: skip
def test_the_threshold_of_a09(closing_kmh: float, ttc_s: float, gap_m: float) -> None:
    threshold = float(must_avoid_ttc_s(closing_kmh / 3.6))
    assert threshold == pytest.approx(ttc_s, abs=1e-4)
    assert threshold * closing_kmh / 3.6 == pytest.approx(gap_m, abs=1e-3)


@pytest.mark.parametrize(
    ("ego", "other", "gap", "lateral", "ttc_s"),
    [(30, 10, 15, 0.5, 0.50), (30, 10, 12, 1.5, 1.43), (60, 20, 30, 1.0, 1.60), (130, 60, 110, 0.8, 4.28)],
    ids=["R157 5.2.5.2 CI01", "R157 5.2.5.2 CI02", "R157 5.2.5.2 CI11", "R157 5.2.5.2 CI26"],
)
def test_time_to_collision_at_the_intrusion(ego: float, other: float, gap: float, lateral: float, ttc_s: float) -> None:
    assert float(intrusion_ttc_s((ego - other) / 3.6, gap, lateral)) == pytest.approx(ttc_s, abs=0.006)


@pytest.mark.parametrize(
    ("speed_kmh", "distance_m"),
    [
        (0, 2.0), (7.2, 2.0), (10, 3.056), (15, 4.792), (25, 8.681), (35, 13.125), (45, 18.125), (55, 23.681),
        (60, 26.667),
    ],
    ids=lambda value: f"R157 5.2.3.3 {value}",
)  # fmt: skip
def test_following_distance(speed_kmh: float, distance_m: float) -> None:
    assert float(following_distance_m(speed_kmh / 3.6)) == pytest.approx(distance_m, abs=1e-3)


@pytest.mark.parametrize(
    ("speed_kmh", "distance_m"), [(0, 2.4), (7.2, 2.4), (10, 3.9), (20, 8.9), (30, 15.0), (50, 30.6), (60, 40.0)],
    ids=lambda value: f"R157 5.2.3.3 heavy {value}",
)  # fmt: skip
def test_following_distance_of_heavy_vehicles(speed_kmh: float, distance_m: float) -> None:
    assert float(following_distance_m(speed_kmh / 3.6, is_heavy=True)) == pytest.approx(distance_m, abs=0.06)


@pytest.mark.parametrize(
    ("gap", "ego", "other", "accel", "of_pfs", "of_cfs", "braking"),
    [
        (120, 25, 20, 0, (70.304, 42.262, 0), (6.875, 5.833, 0), 0.0),
        (60, 25, 20, 0, (70.304, 42.262, 0.4388), (6.875, 5.833, 0), 1.755),
        (50, 25, 20, 0, (70.304, 42.262, 0.7954), (6.875, 5.833, 0), 3.181),
        (6, 25, 20, 0, (70.304, 42.262, 1), (6.875, 5.833, 0.8400), 5.680),
        (35, 30, 15, 0, (120.929, 81.429, 1), (39.375, 30.000, 0.4667), 4.933),
        (25, 30, 15, -4, (120.929, 81.429, 1), (28.125, 22.125, 0.5208), 5.042),
        (26, 30, 15, -6, (120.929, 81.429, 1), (28.125, 22.125, 0.3542), 4.708),
        (0.4, 20, 18, -4, (43.857, 25.190, 1), (0.500, 0.500, 1), 6.000),
        (15, 20, 20, 0, (38.429, 19.762, 1), (0, 0, 0), 4.000),
    ],
    ids=[f"R157 Annex 3 FSM {number}" for number in range(1, 10)],
)
def test_fuzzy_surrogates(
    gap: float, ego: float, other: float, accel: float, of_pfs: tuple[float, ...], of_cfs: tuple[float, ...],
    braking: float,
) -> None:  # fmt: skip
    proactive, safe_m, unsafe_m = (float(value) for value in pfs(gap, ego, other))
    assert (safe_m, unsafe_m, proactive) == pytest.approx(of_pfs, abs=6e-4)
    critical, safe_m, unsafe_m = (float(value) for value in cfs(gap, ego, other, accel))
    assert (safe_m, unsafe_m, critical) == pytest.approx(of_cfs, abs=6e-4)
    assert float(reaction_mps2(critical, proactive)) == pytest.approx(braking, abs=1e-3)


@pytest.mark.parametrize(
    ("ego", "other", "lateral", "along_m", "across_m"),
    [
        (50, 30, 0.5, 27.179, 1.738), (60, 20, 1.0, 40.592, 2.862), (60, 60, 0.3, 20.016, 1.358),
        (90, 60, 1.0, 58.326, 2.862), (130, 80, 1.5, 109.406, 4.237), (130, 130, 0.0, 41.891, 0.863),
    ],
    ids=[f"R157 Annex 3 RSS {number}" for number in range(1, 7)],
)  # fmt: skip
def test_rss_distances(ego: float, other: float, lateral: float, along_m: float, across_m: float) -> None:
    assert float(rss_longitudinal_m(ego / 3.6, other / 3.6)) == pytest.approx(along_m, abs=1e-3)
    assert float(rss_lateral_m(lateral)) == pytest.approx(across_m, abs=1e-3)


@pytest.mark.parametrize("step_s", [0.001, 0.1])
@pytest.mark.parametrize("model", list(Model), ids=lambda model: model.value)
def test_verdicts_do_not_hang_on_the_step(model: Model, step_s: float) -> None:
    """alks.md section 4: equal for steps of 0.1 to 0.001 s; here on the clear ones."""
    rows = [line.split() for line in CUT_IN.strip().splitlines()]
    told = [row[5 + list(Model).index(model)] for row in rows]
    ego, other, gap, lateral = np.array([[float(field) for field in row[1:5]] for row in rows]).T
    found = assess(
        model,
        Event.CUT_IN,
        ego_mps=ego / 3.6,
        other_mps=other / 3.6,
        distance_m=gap,
        lateral_mps=lateral,
        step_s=step_s,
    )
    for row, text, verdict in zip(rows, told, found.verdict, strict=True):
        if not text[1:] or float(text[1:]) >= 1.5:
            assert verdict == {"P": P, "U": U, "N": N}[text[0]], row[0]


def test_a_grid_is_judged_as_each_of_its_cases() -> None:
    ego, other, gap, lateral = (
        axis.ravel() for axis in np.meshgrid([30, 130], [10, 50], [5.0, 60.0], [0.5, 1.8], indexing="ij")
    )
    for model in Model:
        whole = assess(
            model, Event.CUT_IN, ego_mps=ego / 3.6, other_mps=other / 3.6, distance_m=gap, lateral_mps=lateral
        )
        for index in range(len(ego)):
            alone = judged(model, Event.CUT_IN, (ego[index], other[index], gap[index], lateral[index]))
            assert alone == (whole.verdict[index], whole.value[index])


def test_the_result_has_the_shape_of_the_grid() -> None:
    found = assess(
        Model.FSM,
        Event.BRAKING,
        ego_mps=np.array([[10.0], [20.0]]),
        distance_m=np.array([5.0, 20.0, 60.0]),
        decel_mps2=6.0,
    )
    assert found.verdict.shape == found.value.shape == (2, 3)


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ({"ego_mps": math.nan, "lateral_mps": 1.0}, "finite"),
        ({"ego_mps": 10.0, "distance_m": -1.0, "lateral_mps": 1.0}, "0 at least"),
        ({"ego_mps": 10.0, "distance_m": 5.0}, "lateral speed"),
    ],
)
def test_what_is_no_case_is_refused(given: dict[str, float], what: str) -> None:
    with pytest.raises(ValueError, match=what):
        assess(Model.CCD, Event.CUT_IN, **given)


speeds = st.floats(0.0, 40.0)


@settings(max_examples=30)
@given(
    ego=speeds, other=speeds, gap=st.floats(0.5, 120.0), lateral=st.floats(0.3, 3.0), model=st.sampled_from(list(Model))
)
def test_no_impact_is_harder_than_without_braking(
    ego: float, other: float, gap: float, lateral: float, model: Model
) -> None:
    found = assess(model, Event.CUT_IN, ego_mps=ego, other_mps=other, distance_m=gap, lateral_mps=lateral, step_s=0.1)
    verdict, value = int(found.verdict), float(found.value)
    assert math.isfinite(value)
    if verdict == U:
        assert value <= max(ego - other, 0.0) + 1e-9, "nobody accelerates"
    if ego <= other and verdict == U:
        raise AssertionError("who does not close in hits nobody")


@settings(max_examples=20)
@given(ego=st.floats(5.0, 36.0), gap=st.floats(5.0, 80.0), decel=st.floats(2.0, 9.0), more=st.floats(1.0, 30.0))
def test_more_distance_never_makes_it_unpreventable(ego: float, gap: float, decel: float, more: float) -> None:
    for model in (Model.CCD, Model.RSS):
        near, far = (
            assess(model, Event.BRAKING, ego_mps=ego, distance_m=distance, decel_mps2=decel, step_s=0.1)
            for distance in (gap, gap + more)
        )
        assert not (near.verdict != U and far.verdict == U)
