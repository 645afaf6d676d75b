"""Slow functions in a thread of their own: the newest counts, nobody waits for them, and a defect is told."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]
pytest.importorskip("rclpy")

import cv2  # noqa: E402
import numpy as np  # noqa: E402
from live_graph import child, until, values  # noqa: E402

from adas_runtime.config import read_yaml  # noqa: E402
from adas_runtime.executor import Emission  # noqa: E402
from adas_runtime.nodes.beside import Beside  # noqa: E402
from adas_runtime.resources import config_dir  # noqa: E402
from adas_runtime.signals import SignKind, SpeedUnit, VehicleState  # noqa: E402
from adas_runtime.synth.plan import Sign  # noqa: E402
from adas_runtime.synth.props import sign_texture  # noqa: E402

if TYPE_CHECKING:
    from live_graph import Probe

LANES, SIGNS = "/adas/lane_perception/lanes", "/adas/sign_reading/signs"


class SlowExecutor:
    """Stands in for an executor whose one step takes as long as the test wants."""

    external_topics = ("/a",)

    def __init__(self) -> None:
        self.may_go, self.began = threading.Event(), threading.Event()
        self.seen: list[float] = []

    def reset(self) -> None:
        self.seen.clear()

    def next_due_s(self) -> float | None:
        return None

    def advance(self, now_s: float) -> list[Emission]:
        return []

    def offer(self, topic: str, signal: Any, now_s: float) -> list[Emission]:
        self.began.set()
        assert self.may_go.wait(10.0)
        self.seen.append(signal.speed_mps)
        if signal.speed_mps < 0.0:
            raise ValueError("a defect")
        return [Emission(topic="/b", signal=signal, function="f", output="o", now_s=now_s)]


def state(speed_mps: float) -> VehicleState:
    return VehicleState(stamp_s=1.0, speed_mps=speed_mps)


def test_of_what_came_during_a_step_only_the_newest_is_worked_on_and_a_defect_does_not_end_it() -> None:
    executor, said, failed = SlowExecutor(), [], []
    beside = Beside(executor, time.monotonic, said.extend, failed.append)  # type: ignore[arg-type]
    beside.start()
    try:
        beside.offer("/a", state(1.0))
        assert executor.began.wait(10.0)
        for speed_mps in (2.0, 3.0, 4.0):
            beside.offer("/a", state(speed_mps))
        executor.may_go.set()
        until(lambda: len(said) == 2, "two steps")
        assert executor.seen == [1.0, 4.0]
        beside.offer("/a", state(-1.0))
        until(lambda: failed, "the defect is told")
        beside.offer("/a", state(5.0))
        until(lambda: len(said) == 3, "it goes on")
    finally:
        executor.may_go.set()
        beside.end()
    beside.offer("/a", state(6.0))
    time.sleep(0.05)
    assert executor.seen[-1] == 5.0, "what has ended works on nothing"


@pytest.fixture
def sign_car(tmp_path: Path) -> Path:
    """The reference vehicle that reads signs itself."""
    text = (config_dir() / "vehicles" / "reference.yaml").read_text(encoding="utf-8")
    assert "networks: []" in text
    path = tmp_path / "sign_car.yaml"
    path.write_text(text.replace("networks: []", "networks: [sign_reading]"), encoding="utf-8")
    assert read_yaml(path)
    return path


def picture(number: int) -> bytes:
    """A road with a limit of 70 beside it, and the noise of a sensor."""
    image = np.full((720, 1280, 3), (214, 196, 178), np.uint8)
    image[340:] = (92, 98, 96)
    sign = Sign(s_m=0.0, d_m=0.0, kind=SignKind.SPEED_LIMIT, value=70, unit=SpeedUnit.KMH, look="ring")
    face, alpha = (cv2.resize(part, (64, 64), interpolation=cv2.INTER_AREA) for part in sign_texture(sign))
    share = alpha[..., None] / 255.0
    spot = image[240:304, 860:924]
    spot[:] = np.round(spot * (1.0 - share) + face * share)
    noise = np.random.default_rng(number).normal(0.0, 2.5, image.shape)
    return cv2.imencode(".jpg", np.clip(image + noise, 0, 255).astype(np.uint8))[1].tobytes()


def test_in_the_live_graph_signs_are_read_while_every_picture_gets_its_lanes(probe: Probe, sign_car: Path) -> None:
    from rclpy.qos import QoSProfile, ReliabilityPolicy
    from sensor_msgs.msg import CompressedImage

    probe.listen(LANES, SIGNS)
    film = [picture(number) for number in range(10)]
    qos = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
    publisher = probe.node.create_publisher(CompressedImage, "/camera/front/image/compressed", qos)
    stop = threading.Event()
    sent = 0

    def play() -> None:
        nonlocal sent
        while not stop.wait(0.05):
            message = CompressedImage(format="jpeg", data=film[sent % len(film)])
            message.header.stamp = probe.node.get_clock().now().to_msg()
            publisher.publish(message)
            sent += 1

    thread = threading.Thread(target=play, daemon=True)
    with child("perception", "--vehicle", str(sign_car)):
        thread.start()
        try:
            seen = until(lambda: (s := probe.last(SIGNS)) and s.signs and s, "a sign is told")
            assert seen.signs[0].kind is SignKind.SPEED_LIMIT
            assert seen.signs[0].value_mps == pytest.approx(70 / 3.6, abs=0.01)
            lanes, signs, began = len(probe.heard[LANES]), len(probe.heard[SIGNS]), sent
            until(lambda: sent >= began + 60, "three seconds of film")
            lanes, signs, film_s = len(probe.heard[LANES]) - lanes, len(probe.heard[SIGNS]) - signs, sent - began
            assert signs >= 3, "it reads on"
            assert lanes > 2 * signs, f"lanes wait for signs: {lanes} and {signs} of {film_s} pictures"
            told = until(lambda: probe.told("adas_perception: process"), "the process tells of itself")
            assert any(key.startswith("model_sign") for key in values(told)), values(told)
        finally:
            stop.set()
            thread.join()
