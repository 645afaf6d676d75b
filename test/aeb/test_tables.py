"""UN R152's numbers: the vectors of the sheet's section 7.1 to 7.4 and 7.6, one test a row."""

from __future__ import annotations

import pytest

from adas_runtime.aeb.table import Load, Target, is_robust, max_impact_heavy_kmh, max_impact_kmh
from adas_runtime.collision.brakes import latest_ttc_s, residual_mps
from adas_runtime.scenario.r152 import lead_failures
from adas_runtime.units import kmh_to_mps, mps_to_kmh

RUN, MAX = Load.RUNNING_ORDER, Load.MAXIMUM
CAR, PED, BIKE = Target.CAR, Target.PEDESTRIAN, Target.BICYCLE


@pytest.mark.parametrize(
    ("category", "target", "load", "speed_kmh", "limit_kmh"),
    [
        pytest.param("M1", CAR, RUN, 42.0, 0.0, id="B09-M1-car-42-running"),
        pytest.param("M1", CAR, MAX, 42.0, 10.0, id="B09-M1-car-42-max"),
        pytest.param("M1", CAR, MAX, 41.0, 10.0, id="B13-M1-car-41-max"),
        pytest.param("M1", CAR, RUN, 43.0, 15.0, id="B13-M1-car-43-running"),
        pytest.param("M1", CAR, RUN, 53.0, 30.0, id="B13-M1-car-53-running"),
        pytest.param("M1", CAR, MAX, 60.0, 35.0, id="B09-M1-car-60-max"),
        pytest.param("N1", CAR, MAX, 40.0, 10.0, id="B09-N1-car-40-max"),
        pytest.param("N1", CAR, RUN, 58.0, 35.0, id="B13-N1-car-58-running"),
        pytest.param("M1", BIKE, MAX, 40.0, 10.0, id="B11-M1-bike-40-max"),
        pytest.param("M1", BIKE, RUN, 42.0, 25.0, id="B13-M1-bike-42-running"),
        pytest.param("M1", BIKE, RUN, 60.0, 40.0, id="B11-M1-bike-60"),
        pytest.param("N1", BIKE, MAX, 38.0, 15.0, id="B11-N1-bike-38-max"),
        pytest.param("N1", BIKE, RUN, 37.0, 0.0, id="B13-N1-bike-37-running"),
        pytest.param("M1", PED, RUN, 44.0, 15.0, id="B13-M1-ped-44-running"),
        pytest.param("M1", CAR, RUN, 60.0 - 20.0, 0.0, id="B09-moving-60-target-20"),
        pytest.param("M1", CAR, RUN, 9.0, None, id="B07-below-10"),
        pytest.param("M1", PED, RUN, 19.0, None, id="B08-below-20"),
        pytest.param("M1", CAR, RUN, 61.0, None, id="B07-above-60"),
    ],
)
def test_impact_speed_that_r152_permits(
    category: str, target: Target, load: Load, speed_kmh: float, limit_kmh: float | None
) -> None:
    assert max_impact_kmh(category, target, load, speed_kmh) == limit_kmh  # type: ignore[arg-type]


@pytest.mark.parametrize("speed_kmh", [10.0, 36.0, 42.0, 55.0])
def test_a_speed_that_came_from_metres_a_second_is_its_row(speed_kmh: float) -> None:
    again = mps_to_kmh(kmh_to_mps(speed_kmh))
    assert max_impact_kmh("N1", BIKE if speed_kmh > 20.0 else CAR, MAX, again) == max_impact_kmh(
        "N1", BIKE if speed_kmh > 20.0 else CAR, MAX, speed_kmh
    )


@pytest.mark.parametrize(
    ("braking", "speed_kmh", "limit_kmh"),
    [
        pytest.param("pneumatic", 70.0, 0.0, id="R131-pneumatic-70"),
        pytest.param("pneumatic", 75.0, 28.0, id="R131-pneumatic-75-next-row"),
        pytest.param("hydraulic", 40.0, 15.0, id="R131-hydraulic-40"),
        pytest.param("car_derived", 60.0, 25.0, id="R131-car-derived-60"),
        pytest.param("car_derived", 101.0, None, id="R131-beyond"),
        pytest.param("hydraulic", 9.0, None, id="R131-below"),
    ],
)
def test_impact_speed_that_r131_permits(braking: str, speed_kmh: float, limit_kmh: float | None) -> None:
    assert max_impact_heavy_kmh(braking, speed_kmh) == limit_kmh  # type: ignore[arg-type]


LATEST = """
20 0 0.702 0.492 0.453
40 0 1.259 0.842 0.764
42 0 1.315 0.877 0.795
42 10 1.249 0.835 0.759
45 15 1.260 0.842 0.765
50 25 1.190 0.799 0.726
60 35 1.248 0.835 0.759
"""


@pytest.mark.parametrize(
    ("speed_kmh", "impact_kmh", "decel_mps2", "ttc_s"),
    [
        pytest.param(float(row[0]), float(row[1]), decel, float(ttc), id=f"7.2-{row[0]}-to-{row[1]}-at-{decel:g}")
        for row in (line.split() for line in LATEST.split("\n") if line)
        for decel, ttc in zip((5.0, 8.0, 9.0), row[2:], strict=True)
    ],
)
def test_latest_start_of_braking(speed_kmh: float, impact_kmh: float, decel_mps2: float, ttc_s: float) -> None:
    found = latest_ttc_s(kmh_to_mps(speed_kmh), kmh_to_mps(impact_kmh), decel_mps2, 0.3)
    assert found == pytest.approx(ttc_s, abs=0.001)


def test_warning_that_leads_it_by_what_the_law_asks() -> None:
    """7.2: 42 to 0 at 9 m/s2: the warning at 1.595 s."""
    found = latest_ttc_s(kmh_to_mps(42.0), 0.0, 9.0, 0.3)
    assert found is not None and found + 0.8 == pytest.approx(1.595, abs=0.001)


def test_the_formula_is_silent_where_braking_never_gets_full() -> None:
    assert latest_ttc_s(kmh_to_mps(42.0), kmh_to_mps(40.0), 9.0, 0.3) is None


@pytest.mark.parametrize(
    ("speed_kmh", "decel", "ttc_s", "ramp_s", "impact_kmh", "gap_m"),
    [
        pytest.param(40, 9.0, 0.80, 0.3, 0.0, 0.4, id="7.3-40"),
        pytest.param(42, 9.0, 0.70, 0.3, 16.1, 0.0, id="7.3-42"),
        pytest.param(45, 9.0, 0.70, 0.3, 20.3, 0.0, id="7.3-45"),
        pytest.param(50, 8.0, 0.70, 0.3, 30.2, 0.0, id="7.3-50"),
        pytest.param(60, 8.0, 0.80, 0.3, 36.7, 0.0, id="7.3-60-late"),
        pytest.param(60, 9.0, 1.20, 0.3, 0.0, 2.1, id="7.3-60"),
        pytest.param(20, 5.0, 0.60, 0.0, 0.0, 0.25, id="7.3-20"),
        pytest.param(20, 5.0, 0.50, 0.0, 6.3, 0.0, id="7.3-20-late"),
    ],
)
def test_speed_that_is_left(
    speed_kmh: float, decel: float, ttc_s: float, ramp_s: float, impact_kmh: float, gap_m: float
) -> None:
    impact_mps, left_m = residual_mps(kmh_to_mps(speed_kmh), decel, ttc_s, ramp_s)
    assert mps_to_kmh(impact_mps) == pytest.approx(impact_kmh, abs=0.06)
    assert left_m == pytest.approx(gap_m, abs=0.06)


@pytest.mark.parametrize(
    ("target", "lead_s", "modes", "seen_s", "is_pass"),
    [
        pytest.param(CAR, 0.80, 3, None, True, id="B03-0.80"),
        pytest.param(CAR, 0.79, 3, None, False, id="B03-0.79"),
        pytest.param(CAR, 0.30, 3, 0.35, True, id="B04-late-target"),
        pytest.param(CAR, 0.30, 3, 2.0, False, id="B04-seen-in-time"),
        pytest.param(PED, 0.0, 3, None, True, id="B05-with-braking"),
        pytest.param(PED, -0.05, 3, None, False, id="B05-after-braking"),
        pytest.param(PED, None, 0, None, False, id="B05-never"),
        pytest.param(CAR, 1.2, 1, None, False, id="B24-one-mode"),
        pytest.param(CAR, 1.2, 2, None, True, id="B24-two-modes"),
    ],
)
def test_warning_lead(target: Target, lead_s: float | None, modes: int, seen_s: float | None, is_pass: bool) -> None:
    assert (not lead_failures(target, lead_s, modes, seen_s)) is is_pass


@pytest.mark.parametrize(
    ("target", "failed", "runs", "is_pass"),
    [
        pytest.param(CAR, 2, 20, True, id="B29-car-2-of-20"),
        pytest.param(CAR, 3, 20, False, id="B29-car-3-of-20"),
        pytest.param(CAR, 2, 22, True, id="B29-car-2-of-22"),
        pytest.param(PED, 1, 12, True, id="B29-pedestrian-1-of-12"),
        pytest.param(PED, 2, 12, False, id="B29-pedestrian-2-of-12"),
        pytest.param(BIKE, 2, 12, True, id="B29-bicycle-2-of-12"),
        pytest.param(BIKE, 3, 12, False, id="B29-bicycle-3-of-12"),
    ],
)
def test_share_of_failed_runs(target: Target, failed: int, runs: int, is_pass: bool) -> None:
    assert is_robust(target, failed, runs) is is_pass
