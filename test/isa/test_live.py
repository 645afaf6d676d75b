"""Speed assistance in a live decision process: own messages in, the limit and its warning out."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]
pytest.importorskip("rclpy")

from live_graph import Probe, child, until  # noqa: E402

from adas_runtime.signals import (  # noqa: E402
    BodyState,
    LimitKind,
    LimitSource,
    SignKind,
    SignObservation,
    SignObservations,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps  # noqa: E402
from adas_runtime.usage.store import FILE, STATE_DIR, read  # noqa: E402

if TYPE_CHECKING:
    from adas_runtime.signals import SpeedLimitState

LIMIT, ALERT = "/adas/isa/limit", "/adas/isa/alert"
SPEED_MPS = kmh_to_mps(56.0)


@pytest.fixture
def probe(ros: int) -> Iterator[Probe]:
    made = Probe()
    yield made
    made.close()


def test_a_sign_on_the_wire_becomes_a_limit_and_a_warning(
    probe: Probe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sign camera and body at their rates; a true speed below the limit, a speedometer above it.

    What was driven stays counted when the process has ended.
    """
    monkeypatch.setenv(STATE_DIR, str(tmp_path))
    probe.listen(LIMIT, ALERT)
    stop = threading.Event()
    sign = SignObservation(kind=SignKind.SPEED_LIMIT, value_mps=kmh_to_mps(60.0), confidence=0.9)

    def send() -> None:
        step = 0
        while not stop.wait(0.01):
            now_s = time.time()
            probe.send("/vehicle/state", VehicleState(stamp_s=now_s, speed_mps=SPEED_MPS, accelerator=0.2))
            if step % 5 == 0:
                probe.send("/camera/signs", SignObservations(stamp_s=now_s, signs=(sign,)))
            if step % 10 == 0:
                probe.send("/vehicle/body", BodyState(stamp_s=now_s, indicated_speed_mps=kmh_to_mps(62.0)))
            step += 1

    def shown() -> SpeedLimitState | None:
        state = probe.last(LIMIT)
        return state if state is not None and state.source is LimitSource.SIGN else None

    sender = threading.Thread(target=send, daemon=True)
    with child("decision") as decision:
        sender.start()
        try:
            state = until(shown, "the sign is shown")
            assert state.kind is LimitKind.EXPLICIT and state.limit_mps == pytest.approx(kmh_to_mps(60.0))
            alert = until(lambda: (a := probe.last(ALERT)) and a.is_active and a, "the driver is warned")
            assert alert.code == "isa_overspeed" and alert.is_optical
            until(lambda: probe.last(ALERT).is_acoustic, "the second stage sounds")
        finally:
            stop.set()
            sender.join(5.0)
        decision.process.terminate()
        assert decision.process.wait(20.0) == 0
    counted = read(tmp_path / FILE)["acoustic"]
    assert counted["on_s"] > 1.0 and counted["above_m"] > 10.0 and counted["warnings"] == 1.0
