"""The made route through the graph: horizon, speed assistance and the gates, with its map, its signs, or both."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.horizon.roads import RoadMap
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.replay.limits import LimitShares
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    BodyState,
    LongitudinalRequest,
    Signal,
    SpeedLimitState,
    VehicleState,
)
from adas_runtime.synth.drive import Drive, DriveSpec, Rain, make_drive
from adas_runtime.synth.plan import Scenario
from adas_runtime.synth.route import Stretch
from adas_runtime.vehicle import load_vehicle

SECONDS = 225.0
VEHICLE_EVERY = 5  # of the 100 Hz samples: 20 Hz are enough for what is asked here
NOT_RUN = frozenset({"lane_perception", "lane_departure", "headlamps", "signal_lamps"})


@cache
def route(market: str, rain: Rain = Rain.NONE) -> Drive:
    """The route in a market, made once."""
    return make_drive(
        DriveSpec(
            market=load_market(market, is_dated=False),
            seconds=SECONDS,
            scenario=Scenario.ROUTE,
            rain=rain,
            width_px=160,
            height_px=90,
        )
    )


def market_with(folder: Path, feedback: str) -> Path:
    """The file of a market like Germany's in which speed assistance acts, in one of its forms."""
    path = folder / f"{feedback}.yaml"
    path.write_text(
        f"""format: 1
market: "DE"
title: Germany with another feedback
revision: "test"
extends: de
features:
  isa: {{stage: "on"}}
isa:
  feedback: {feedback}
""",
        encoding="utf-8",
    )
    return path


@dataclass
class Said:
    """What was said on the way, by time since the start."""

    made: Drive
    limits: list[tuple[float, SpeedLimitState]] = field(default_factory=list)
    alerts: list[tuple[float, Alert]] = field(default_factory=list)
    requests: list[tuple[float, LongitudinalRequest]] = field(default_factory=list)
    commands: list[tuple[float, ActuationCommand]] = field(default_factory=list)

    def shares(self) -> dict[str, float]:
        """Right, late, wrong and unknown, by distance."""
        found = LimitShares(tuple(self.made.limits()))
        for t_s, limit in self.limits:
            index = min(round(t_s * 100.0), self.made.sample_count)
            found.add(limit, float(self.made.motion.speed_mps[index]), self.made.stamp_of(t_s))
        return found.kpis()

    def on(self, stretch: Stretch, margin_m: float = 60.0) -> list[tuple[float, SpeedLimitState]]:
        """What was told on a stretch, some metres from its ends."""
        stretches = self.made.plan.stretches
        at = stretches.index(stretch)
        end_m = stretches[at + 1].s_m if at + 1 < len(stretches) else 1e9
        found = []
        for t_s, limit in self.limits:
            s_m = float(self.made.motion.s_m[min(round(t_s * 100.0), self.made.sample_count)])
            if stretch.s_m + margin_m < s_m < end_m - margin_m:
                found.append((t_s, limit))
        return found


def follow(made: Drive, roads: RoadMap | None, *, has_signs: bool = True, market: Market | None = None) -> Said:
    """Drive it."""
    chosen = market or made.market
    context = BuildContext(market=chosen, vehicle=load_vehicle("reference"), roads=roads)
    executor = Executor(default_graph(), context, chosen.stages(), without=NOT_RUN)
    said = Said(made)
    start_s = made.stamp_of(0.0)
    for topic, signal in sorted(_inputs(made, has_signs), key=lambda item: item[1].stamp_s):
        now_s = signal.stamp_s
        emissions = []
        while (due_s := executor.next_due_s()) is not None and due_s < now_s:
            emissions += executor.advance(due_s)
        emissions += executor.offer(topic, signal, now_s)
        for item in emissions:
            t_s, value = item.now_s - start_s, item.signal
            if isinstance(value, SpeedLimitState):
                said.limits.append((t_s, value))
            elif isinstance(value, Alert) and item.function == "isa":
                said.alerts.append((t_s, value))
            elif isinstance(value, LongitudinalRequest):
                said.requests.append((t_s, value))
            elif isinstance(value, ActuationCommand) and item.function == "envelope":
                said.commands.append((t_s, value))
    return said


def _inputs(made: Drive, has_signs: bool) -> Iterator[tuple[str, Signal]]:
    states: list[VehicleState] = list(made.vehicle_states())
    yield from (("/vehicle/state", state) for state in states[::VEHICLE_EVERY])
    bodies: list[BodyState] = list(made.body_states())
    yield from (("/vehicle/body", body) for body in bodies)
    yield from (("/vehicle/driver_input", item) for item in made.driver_inputs())
    yield from (("/pose/fix", fix) for fix in made.fixes())
    if has_signs:
        yield from (("/camera/signs", made.sign_camera(index)) for index in range(0, made.frame_count, 2))
