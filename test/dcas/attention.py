"""What a driver does over time, as data: `hold(3.0, attentive)`; and the chains of R171 played on it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.dcas.engagement import Alarm, Engagement, EngagementMonitor, Eyes, Hands
from adas_runtime.dcas.params import EngagementParams, GazeParams
from adas_runtime.gaze import Sight
from adas_runtime.signals import EngagementStage
from adas_runtime.units import kmh_to_mps

DT_S: Final = 0.05
ENGAGEMENT: Final = EngagementParams(
    hands_request_s=4.8,
    hands_request_eyes_on_s=9.8,
    hands_escalate_s=9.8,
    eyes_request_s=4.8,
    eyes_escalate_s=2.8,
    take_over_s=4.8,
    unavailable_s=9.8,
    reengage_s=0.4,
    aversion_min_s=1.5,
    aversions_max=3,
    aversion_window_s=60.0,
    repeated_request_s=2.5,
    repeated_reengage_s=2.0,
    gate_kmh=10.0,
    hands_torque_nm=0.5,
    hands_torque_hold_s=0.5,
    has_haptic=True,
)
GAZE: Final = GazeParams(
    relevant=("road", "mirror_left", "mirror_right", "mirror_centre"),
    mirror_s=3.0,
    yaw_deg=20.0,
    up_deg=20.0,
    down_deg=15.0,
    head_yaw_deg=25.0,
    head_down_deg=18.0,
    eyes_closed=0.2,
    confidence_min=0.4,
    frozen_s=0.3,
    lost_s=3.0,
    unsure_s=20.0,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Driver:
    """What the driver does at one time."""

    hands: bool = True
    sight: Sight = Sight.RELEVANT
    speed_kmh: float = 100.0
    takes_over: bool = False


attentive: Final = Driver()
hands_off: Final = Driver(hands=False)
hands_off_unseen: Final = Driver(hands=False, sight=Sight.UNKNOWN)
distracted: Final = Driver(sight=Sight.AWAY)
absent: Final = Driver(hands=False, sight=Sight.AWAY)
steering: Final = Driver(sight=Sight.AWAY, takes_over=True)
slow: Final = replace(absent, speed_kmh=8.0)


def hold(seconds: float, driver: Driver) -> list[Driver]:
    """The driver does this for so long."""
    return [driver] * round(seconds / DT_S)


@dataclass(frozen=True, slots=True)
class Heard:
    """When each stage of the chains began first, from the start of the sequence [s]; absent: never."""

    first: dict[str, float]
    every: tuple[tuple[float, Engagement], ...]

    def at(self, name: str) -> float:
        """When this began first; inf: never."""
        return self.first.get(name, float("inf"))

    def near(self, t_s: float) -> Engagement:
        """What was kept at this time."""
        return min(self.every, key=lambda item: abs(item[0] - t_s))[1]


NAMES: Final = {
    Hands.REQUESTED: "HOR",
    Hands.ESCALATED: "HOR_ESC",
    Eyes.REQUESTED: "EOR",
    Eyes.ESCALATED: "EOR_ESC",
    Alarm.TAKE_OVER: "DCA",
    Alarm.UNAVAILABLE: "DUR",
}


def steps(sequence: Iterable[Driver], params: EngagementParams = ENGAGEMENT) -> Iterator[tuple[float, Engagement]]:
    """Time and memory after every step."""
    monitor, memory = EngagementMonitor(params), Engagement()
    for number, driver in enumerate(sequence):
        now_s = number * DT_S
        memory = monitor.step(
            memory,
            is_hands_on=driver.hands,
            sight=driver.sight,
            speed_mps=kmh_to_mps(driver.speed_kmh),
            is_taken_over=driver.takes_over,
            now_s=now_s,
        )
        yield now_s, memory


def play(sequence: Iterable[Driver], params: EngagementParams = ENGAGEMENT) -> Heard:
    """Play a sequence and note when each stage began."""
    first: dict[str, float] = {}
    every = tuple(steps(sequence, params))
    for now_s, memory in every:
        for state in (memory.hands, memory.eyes, memory.alarm):
            name = NAMES.get(state)
            if name is not None:
                first.setdefault(name, now_s)
    return Heard(first=first, every=every)


def asked(memory: Engagement) -> bool:
    """Anything is asked of the driver."""
    return memory.stage is not EngagementStage.NONE
