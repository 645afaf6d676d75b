"""Floors on real pictures and clips, just below what docs/lanes.md says was measured; labels are good to 2-5 px."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from benchmark_modules import load

FLOORS = {  # group: share of frames with both within 0.3 m, median px, 90th percentile px, colour right
    "p1_images": (1.0, 2.0, 8.0, 1.0),
    "advanced": (1.0, 3.0, 9.0, 1.0),
    "advanced_lens": (0.8, 3.0, 9.0, 1.0),
    "clip_a": (0.85, 2.0, 7.0, 0.99),
    "clip_b": (0.92, 2.0, 8.0, 0.99),
}

SEEN_ANOTHER_WAY = {  # group: both found, near rows of both within 0.3 m, rows within 20 px
    "tusimple": (1.0, 1.0, 0.85),
    "aug_mirror": (0.95, 0.95, 0.88),
    "aug_rain": (0.81, 0.81, 0.80),
}


@pytest.fixture(scope="module")
def lanes(shared_data: Path) -> Iterator[ModuleType]:
    """The evaluation itself, as a user runs it."""
    if not (shared_data / "lanes").is_dir():
        pytest.skip(f"no labelled road pictures in {shared_data}")
    with pytest.MonkeyPatch.context() as patch:
        yield load("lanes", patch)


@pytest.mark.data
@pytest.mark.parametrize("group", FLOORS)
def test_real_roads_stay_as_good_as_measured(group: str, lanes: ModuleType) -> None:
    market, camera, frames = lanes.groups(None)[group]
    tally = lanes.Tally(name=group)
    lanes.evaluate(market, lanes.mounts()[camera], frames, tally, None)
    within, median_px, high_px, colour = FLOORS[group]
    figures = tally.as_json()
    assert figures["both_within_0.3m"] >= within, json.dumps(figures["failed"])
    assert figures["px_median"] <= median_px
    assert figures["px_p90"] <= high_px
    assert figures["colour_right"] >= colour
    assert figures["false_boundaries"] == 0


@pytest.mark.data
@pytest.mark.parametrize("group", SEEN_ANOTHER_WAY)
def test_harder_pictures_by_themselves_stay_as_good_as_measured(group: str, lanes: ModuleType) -> None:
    """Worn concrete with short dashes, mirrored roads, rain: the rows near the car count first."""
    market, camera, frames = lanes.groups(None)[group]
    tally = lanes.Tally(name=group)
    lanes.evaluate(market, lanes.mounts()[camera], frames, tally, None)
    found, near, rows = SEEN_ANOTHER_WAY[group]
    figures = tally.as_json()
    assert figures["both_found"] >= found
    assert figures["near_within_0.3m"] >= near
    assert figures["rows_within_20px"] >= rows
    assert figures["false_boundaries"] == 0


@pytest.mark.data
def test_pictures_without_a_lane_tell_next_to_nothing(lanes: ModuleType, shared_data: Path) -> None:
    """Streets without markings, seen by a camera of unknown mounting: the floor is on confident own boundaries."""
    from adas_runtime.market import load_market
    from adas_runtime.perception.lane_model import LaneDetector

    market = load_market("eu")
    detector = LaneDetector(market.perception, market.lanes, None)
    folder = shared_data / "objects/kitti_nc/image_2"
    names = ("000003", "000008", "000062", "000068", "000076", "000077", "000089", "000096")
    if not folder.is_dir():
        pytest.skip(f"no city pictures in {shared_data}")
    sure = 0
    for name in names:
        result, _ = detector.settle(lanes._read(folder / f"{name}.jpg"))
        sure += sum(
            result.model.side(side) is not None and result.model.side(side).confidence > 0.5 for side in lanes.SIDES
        )
    assert sure <= 1
