"""Sign reading as the graph runs it: what two pictures agree on, with its place; and what it says without a picture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from test_signs import road

from adas_runtime.function import BuildContext
from adas_runtime.graph import NETWORKS, SOURCES, default_graph
from adas_runtime.market import load_market
from adas_runtime.perception import camera_health
from adas_runtime.perception.sign_function import (
    SIZE_M,
    SPEC,
    SignReading,
    SignReadingInputs,
    SignReadingOutputs,
    SignReadingState,
)
from adas_runtime.signals import CameraFrame, CameraId, Health, SignKind, SpeedUnit
from adas_runtime.units import kmh_to_mps, mph_to_mps
from adas_runtime.vehicle import load_vehicle

START = SignReadingState(health=camera_health.START)


@pytest.fixture(scope="module", params=["de", "us"])
def reading(request: pytest.FixtureRequest) -> SignReading:
    core = SPEC.build(BuildContext(market=load_market(request.param), vehicle=load_vehicle("reference")))
    assert isinstance(core, SignReading)
    return core


@pytest.fixture(autouse=True)
def _afresh(reading: SignReading) -> None:
    reading.state = START


def grainy(picture: np.ndarray, number: int) -> np.ndarray:
    """With the noise of a sensor: without any, and twice the same, it is a camera that is covered or hangs."""
    noise = np.random.default_rng(number).normal(0.0, 2.5, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def shown(reading: SignReading, number: int, picture: np.ndarray | bytes | None) -> SignReadingOutputs:
    """One picture, five a second."""
    stamp_s = 100.0 + 0.2 * number
    frame = None
    if picture is not None:
        data = picture if isinstance(picture, bytes) else cv2.imencode(".jpg", grainy(picture, number))[1].tobytes()
        frame = CameraFrame(
            stamp_s=stamp_s, camera=CameraId.FRONT, width_px=1280, height_px=720, encoding="jpeg", data=data
        )
    return reading.step(SignReadingInputs(frame=frame), stamp_s + 0.05)


def test_a_sign_is_told_once_two_pictures_agree_in_the_country_s_unit_and_with_its_place(reading: SignReading) -> None:
    first = shown(reading, 0, road(48, value=80))
    assert first.signs is not None and first.signs.signs == (), "one reading in thirty is wrong"
    second = shown(reading, 1, road(52, value=80))
    assert second.signs is not None
    [sign] = second.signs.signs
    assert sign.kind is SignKind.SPEED_LIMIT
    is_mph = sign.unit is SpeedUnit.MPH
    assert sign.value_mps == pytest.approx(mph_to_mps(80) if is_mph else kmh_to_mps(80))
    camera = load_vehicle("reference").cameras["front"]
    depth_m = SIZE_M * camera.fx_px / 52
    assert sign.x_m == pytest.approx(camera.x_m + depth_m, rel=0.2)
    assert sign.y_m == pytest.approx(-(860 + 26 - camera.cx_px) / camera.fx_px * depth_m, rel=0.3), "right is negative"
    assert sign.is_relevant and second.signs.stamp_s == pytest.approx(100.2)


def test_a_picture_is_looked_at_once_and_a_road_without_signs_is_an_empty_list(reading: SignReading) -> None:
    seen = shown(reading, 0, road(0))
    assert seen.signs is not None and seen.signs.signs == () and seen.status.is_active
    again = shown(reading, 0, road(0))
    assert again.signs is None and again.status.state == "waiting"


@pytest.mark.parametrize(
    ("picture", "state"),
    [
        (None, "blind"),
        (b"\xff\xd8\xff no picture", "broken_picture"),
        (np.zeros((16, 16, 3), np.uint8), "broken_picture"),
    ],
    ids=["none", "broken", "tiny"],
)
def test_without_a_picture_it_tells_no_sign_and_says_why(
    reading: SignReading, picture: np.ndarray | bytes | None, state: str
) -> None:
    told = shown(reading, 0, picture)
    assert told.signs is None
    assert told.status.state == state and told.status.health is Health.DEGRADED and told.status.reason


def test_what_was_warmed_up_remembers_nothing(reading: SignReading) -> None:
    reading.warm_up()
    assert reading.state == START


def test_it_is_in_the_graph_of_a_car_that_names_it_in_the_place_of_the_sign_camera() -> None:
    topic = next(source.topic for source in SOURCES if source.name == "sign_camera")
    without, with_it = default_graph(), default_graph(NETWORKS)
    assert SPEC.name not in {spec.name for spec in without.functions}
    assert SPEC.name in {spec.name for spec in with_it.functions}

    def wired(graph: object) -> tuple[str, ...]:
        assert hasattr(graph, "wires")
        return next(wire.topics for wire in graph.wires("isa") if wire.input == "signs")

    assert wired(without) == (topic,)
    assert wired(with_it) == ("/adas/sign_reading/signs",)
