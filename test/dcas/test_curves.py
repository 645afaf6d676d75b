"""Curves ahead as lower speeds: from the lane, from the map, and when neither may be believed."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.longitudinal.curves import slower_ahead
from adas_runtime.signals import EgoLane, Horizon, HorizonSegment

LATERAL_MPS2 = 2.0
LANE = EgoLane(stamp_s=0.0, x_max_m=50.0, confidence=0.9)


def road(*pieces: tuple[float, float | None], probability: float = 1.0, confidence: float = 0.9) -> Horizon:
    """A map ahead: pieces of 50 m from an offset, with their curvature."""
    segments = tuple(
        HorizonSegment(offset_m=offset_m, length_m=50.0, probability=probability, curvature_1pm=bend)
        for offset_m, bend in pieces
    )
    return Horizon(stamp_s=0.0, is_matched=True, confidence=confidence, segments=segments)


@pytest.mark.clause("R171 5.3.7.1.1.1")
@pytest.mark.parametrize("radius_m", [-100.0, 150.0])
def test_a_bend_on_the_map_wants_its_speed_where_it_begins(radius_m: float) -> None:
    """R171 5.3.7.1.1.1: left and right alike."""
    found = slower_ahead(None, road((-10.0, 0.0), (40.0, 1e-5), (90.0, 1.0 / radius_m)), 25.0, LATERAL_MPS2)
    assert found == ((90.0, pytest.approx(math.sqrt(LATERAL_MPS2 * abs(radius_m)))),)


def test_the_lane_tells_the_bend_it_leads_into() -> None:
    """The curvature grows along the lane: nothing at the car, a bend at the end of what is seen."""
    lane = replace(LANE, curvature_1pm=0.0, curvature_rate_1pm2=1e-4)
    found = slower_ahead(lane, None, 25.0, LATERAL_MPS2)
    assert found[-1] == (50.0, pytest.approx(math.sqrt(LATERAL_MPS2 / 5e-3)))
    assert found[0][0] > 0.0


def test_the_bend_that_the_car_is_in_counts_from_here() -> None:
    """Distance zero: the speed has to be right now."""
    assert slower_ahead(replace(LANE, curvature_1pm=0.01), None, 25.0, LATERAL_MPS2)[0][0] == 0.0
    assert slower_ahead(None, road((-20.0, 0.02)), 25.0, LATERAL_MPS2)[0][0] == 0.0


@pytest.mark.parametrize(
    ("lane", "horizon"),
    [
        pytest.param(replace(LANE, curvature_1pm=0.01, confidence=0.3), None, id="lane-not-sure"),
        pytest.param(None, road((50.0, 0.01), confidence=0.4), id="map-not-sure"),
        pytest.param(None, road((50.0, 0.01), probability=0.4), id="slip-road-that-is-not-taken"),
        pytest.param(None, replace(road((50.0, 0.01)), is_matched=False), id="not-matched"),
        pytest.param(None, road((50.0, None)), id="curvature-unknown"),
        pytest.param(None, road((-80.0, 0.01)), id="behind-us"),
        pytest.param(None, road((400.0, 0.01)), id="too-far"),
        pytest.param(None, None, id="nothing"),
    ],
)
def test_what_is_not_sure_slows_nobody(lane: EgoLane | None, horizon: Horizon | None) -> None:
    """A phantom bend would brake the car on a straight."""
    assert slower_ahead(lane, horizon, 25.0, LATERAL_MPS2) == ()


@given(
    bends=st.lists(st.tuples(st.floats(-100.0, 500.0), st.none() | st.floats(-0.5, 0.5)), max_size=12),
    curvature=st.floats(-0.3, 0.3),
    rate=st.floats(-0.05, 0.05),
    speed=st.floats(-1.0, 60.0),
)
def test_every_point_is_ahead_and_asks_for_less(
    bends: list[tuple[float, float | None]], curvature: float, rate: float, speed: float
) -> None:
    """Few points, none behind, each slower than the car, each within the lateral acceleration."""
    lane = replace(LANE, curvature_1pm=curvature, curvature_rate_1pm2=rate)
    found = slower_ahead(lane, road(*bends), speed, LATERAL_MPS2)
    assert len(found) <= 8
    assert all(distance_m >= 0.0 and 0.0 < slower < speed + 1e-9 for distance_m, slower in found)
