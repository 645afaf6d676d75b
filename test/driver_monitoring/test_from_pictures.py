"""From pictures of a driver to what the warnings make of him: lids, head, sunglasses, a lens that is covered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import driver_pictures as pictures
import numpy as np
import pytest
from driver_drives import context

from adas_runtime.driver_monitoring import eyes
from adas_runtime.driver_monitoring.areas import Area, AreaReader
from adas_runtime.driver_monitoring.camera import COVERED, FRESH, Watch, is_lost, watched
from adas_runtime.perception.driver.core import DriverWatcher, Seat, WatchState
from adas_runtime.perception.models.driver import DriverNetworks
from adas_runtime.signals import DriverState

PARAMS = context().market.driver_monitoring
STEP_S = 0.1
OPEN_S, SHUT_S = 2.0, 2.0


@pytest.fixture(scope="module")
def watcher() -> DriverWatcher:
    return DriverWatcher(DriverNetworks(("de",)), Seat())


def states(watcher: DriverWatcher, shot: Callable[[float], np.ndarray], seconds: float) -> list[DriverState]:
    """What the camera tells of a scene, ten pictures a second."""
    state, told = WatchState(), []
    for step in range(round(seconds / STEP_S)):
        seen, state = watcher.step(shot(step * STEP_S), 100.0 + step * STEP_S, state)
        told.append(seen.driver)
    return told


def closing(seed: int, **wish: Any) -> Callable[[float], np.ndarray]:
    """Eyes that are open for two seconds and then closed for two."""
    return lambda t_s: pictures.driver(
        seed, noise=round(t_s / STEP_S), openness=0.9 if t_s < OPEN_S - 1e-6 else 0.0, **wish
    )


def slept_s(told: list[DriverState]) -> float | None:
    """When the lids tell of a microsleep, counted from their closing."""
    reader, kept = eyes.EyeReader(PARAMS.camera, PARAMS.drowsiness.eyes), eyes.FRESH
    for driver in told:
        kept = reader.step(kept, driver, driver.stamp_s)
        if reader.is_asleep(kept, driver.stamp_s):
            return driver.stamp_s - 100.0 - OPEN_S
    return None


@pytest.mark.parametrize("seed", range(4))
def test_lids_that_close_for_two_seconds_are_a_microsleep(watcher: DriverWatcher, seed: int) -> None:
    at_s = slept_s(states(watcher, closing(seed), OPEN_S + SHUT_S))
    assert at_s == pytest.approx(PARAMS.drowsiness.eyes.microsleep_s, abs=3 * STEP_S)


@pytest.mark.parametrize("seed", range(4))
def test_behind_sunglasses_nobody_is_said_to_sleep(watcher: DriverWatcher, seed: int) -> None:
    assert slept_s(states(watcher, closing(seed, has_sunglasses=True), OPEN_S + SHUT_S)) is None


@pytest.mark.parametrize(
    ("pitch_deg", "area"), [(0.0, Area.BETWEEN), (10.0, Area.BETWEEN), (30.0, Area.AREA_3)], ids=["ahead", "low", "lap"]
)
@pytest.mark.parametrize("seed", range(4))
def test_a_head_that_is_down_is_in_area_3(watcher: DriverWatcher, seed: int, pitch_deg: float, area: Area) -> None:
    [driver] = states(watcher, lambda _: pictures.driver(seed, pitch_deg=pitch_deg), STEP_S)
    assert AreaReader(PARAMS.camera, PARAMS.distraction).read(driver, 0.0, 0.0) == (area, "head")


def test_a_lens_that_is_covered_is_a_lost_camera_for_the_warnings(watcher: DriverWatcher) -> None:
    def shot(t_s: float) -> np.ndarray:
        if t_s < 1.0:
            return pictures.driver(0, noise=round(t_s / STEP_S))
        noise = np.random.default_rng(round(t_s / STEP_S)).normal(0.0, 2.0, (400, 640))
        return np.clip(120.0 + noise, 0, 255).astype(np.uint8)

    watch: Watch = FRESH
    seconds = 1.5 + PARAMS.camera.fault_after_s
    reasons = []
    for driver in states(watcher, shot, seconds):
        watch = watched(watch, driver, PARAMS.camera, driver.stamp_s)
        reasons.append(watch.reason)
    assert reasons[:10] == [""] * 10 and set(reasons[10:]) == {COVERED}
    assert is_lost(watch, PARAMS.camera, 100.0 + seconds)
