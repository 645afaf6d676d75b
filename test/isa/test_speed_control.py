"""Speed control with a car around it: the driver's pedal is capped near the limit, and the driver always wins."""

from __future__ import annotations

import itertools
import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from route_drives import follow, market_with, route

from adas_runtime.cli import main
from adas_runtime.executor import Emission, Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.horizon.store import MapStore
from adas_runtime.market import load_market
from adas_runtime.signals import (
    ActuationCommand,
    BodyState,
    SignKind,
    SignObservation,
    SignObservations,
    Stage,
    VehicleState,
)
from adas_runtime.synth.roadmap import write_map
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

START_S = 1000.0
DT_S = 0.01
FULL_MPS2 = 4.5  # what a floored pedal gives
ENGINE_BRAKE_MPS2 = 0.5
LAG_S = 0.25  # of the engine
NOT_RUN = frozenset({"lane_perception", "lane_departure", "headlamps", "signal_lamps", "horizon"})


@dataclass
class Car:
    """A car whose engine gives what the pedal asks for, up to the cap; its speedometer is exact."""

    market: Path
    speed_mps: float
    pedal: float = 0.2
    accel_mps2: float = 0.0
    t_s: float = 0.0
    driven_m: float = 0.0
    signs: list[tuple[float, float]] = field(default_factory=list)
    commands: list[ActuationCommand] = field(default_factory=list)
    speeds: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        market = load_market(self.market, is_dated=False)
        context = BuildContext(market=market, vehicle=load_vehicle("reference"))
        self.executor = Executor(default_graph(), context, market.stages(), without=NOT_RUN)

    @property
    def resistance_mps2(self) -> float:
        return 0.12 + 0.0004 * self.speed_mps**2

    @property
    def held_pedal(self) -> float:
        """The pedal that holds the present speed."""
        return self.resistance_mps2 / FULL_MPS2

    @property
    def cap_mps2(self) -> float | None:
        return self.commands[-1].accel_cap_mps2 if self.commands else None

    def hold(self, seconds: float) -> Car:
        """Drive on; the car obeys the cap."""
        for step in range(round(seconds / DT_S)):
            self.t_s = round(self.t_s + DT_S, 6)
            now_s = START_S + self.t_s
            wanted = self.pedal * FULL_MPS2 - self.resistance_mps2
            if self.cap_mps2 is not None:
                wanted = min(wanted, self.cap_mps2)
            wanted = max(wanted, -self.resistance_mps2 - ENGINE_BRAKE_MPS2)  # no brake: propulsion ends at nothing
            self.accel_mps2 += (wanted - self.accel_mps2) * DT_S / LAG_S
            self.speed_mps = max(0.0, self.speed_mps + self.accel_mps2 * DT_S)
            self.driven_m += self.speed_mps * DT_S
            while (due_s := self.executor.next_due_s()) is not None and due_s < now_s:
                self._note(self.executor.advance(due_s))
            if step % 5 == 0:
                seen = tuple(
                    SignObservation(
                        kind=SignKind.SPEED_LIMIT, value_mps=value, x_m=at_m - self.driven_m, y_m=-4.0, confidence=0.9
                    )
                    for at_m, value in self.signs
                    if 0.0 <= at_m - self.driven_m <= 60.0
                )
                self.executor.offer("/camera/signs", SignObservations(stamp_s=now_s, signs=seen), now_s)
                body = BodyState(stamp_s=now_s, indicated_speed_mps=self.speed_mps)
                self.executor.offer("/vehicle/body", body, now_s)
            vehicle = VehicleState(
                stamp_s=now_s, speed_mps=self.speed_mps, accel_mps2=self.accel_mps2, accelerator=self.pedal
            )
            self._note(self.executor.offer("/vehicle/state", vehicle, now_s))
            self.speeds.append(self.speed_mps)
        return self

    def _note(self, emissions: list[Emission]) -> None:
        self.commands += [
            item.signal
            for item in emissions
            if item.function == "envelope" and isinstance(item.signal, ActuationCommand)
        ]

    def sees(self, *signs: tuple[float, float]) -> Car:
        """Signs ahead: distance [m] and number [km/h]."""
        self.signs += [(self.driven_m + at_m, kmh_to_mps(value)) for at_m, value in signs]
        return self


@pytest.fixture
def car(tmp_path: Path) -> Car:
    """At 70 km/h in front of a sign with 80, the envelope ready."""
    made = Car(market_with(tmp_path, "speed_control"), kmh_to_mps(70.0))
    made.pedal = made.held_pedal
    return made.sees((80.0, 80.0)).hold(6.0)


def fall(commands: list[ActuationCommand]) -> float:
    """The quickest fall of a cap from one command to the next."""
    pairs = itertools.pairwise(commands)
    falls = [
        before.accel_cap_mps2 - after.accel_cap_mps2
        for before, after in pairs
        if before.accel_cap_mps2 is not None and after.accel_cap_mps2 is not None
    ]
    return max(falls, default=0.0)


@pytest.mark.clause("2021/1958 1.5")
def test_28_with_a_steady_pedal_the_car_settles_below_the_limit(car: Car) -> None:
    """A pedal for 120 km/h: the car goes to 80 and not much over it; then a sign with 50, and it goes there."""
    car.pedal = 0.13
    car.hold(30.0)
    assert kmh_to_mps(78.0) < car.speed_mps <= kmh_to_mps(80.0)
    assert max(car.speeds) < kmh_to_mps(81.5), "it may swing over a little"
    assert car.cap_mps2 is not None and car.commands[-1].longitudinal_author == "isa"
    car.sees((70.0, 50.0)).hold(60.0)
    assert kmh_to_mps(48.0) < car.speed_mps <= kmh_to_mps(50.0)
    assert min(car.speeds) > kmh_to_mps(48.0), "and not much below it"
    limits = car.executor.core("envelope").limits  # type: ignore[attr-defined]
    assert min(c.accel_cap_mps2 for c in car.commands if c.accel_cap_mps2 is not None) >= limits.cap_min_mps2
    assert fall(car.commands) <= -limits.cap_jerk_min_mps3 * 0.021, "never a step"
    assert not any(command.is_longitudinal_active for command in car.commands), "no brake, no propulsion of its own"


@pytest.mark.clause("GSR2 6(2)(d)")
@pytest.mark.parametrize("pressed", [1.0, 0.75, 0.13 + 0.2])
def test_29_who_presses_further_exceeds_the_limit_at_once(car: Car, pressed: float) -> None:
    car.pedal = 0.13
    car.hold(25.0)
    assert car.cap_mps2 is not None
    car.pedal = pressed
    car.hold(DT_S)
    assert car.cap_mps2 is None, "in the same step"
    car.hold(4.0)
    assert car.speed_mps > kmh_to_mps(81.0) and car.cap_mps2 is None
    car.pedal = 0.0
    while car.speed_mps > kmh_to_mps(70.0):
        car.hold(1.0)
    car.pedal = 0.2
    car.hold(20.0)
    assert car.cap_mps2 is not None and car.speed_mps <= kmh_to_mps(80.0), "below the limit again, it works again"


def test_the_button_and_a_failure_let_the_car_go_by_a_ramp(car: Car) -> None:
    car.pedal = 0.13
    car.hold(25.0)
    former = car.cap_mps2
    assert former is not None
    car.executor.set_stage("isa", Stage.OFF)  # it is silent from one step to the next
    began = len(car.commands)
    car.hold(4.0)
    after = [former, *(5.0 if c.accel_cap_mps2 is None else c.accel_cap_mps2 for c in car.commands[began:])]
    rises = [two - one for one, two in itertools.pairwise(after)]
    assert 0.0 <= max(rises) <= 2.0 * 0.021 and after[-1] == 5.0
    assert car.speed_mps > kmh_to_mps(80.0), "nothing holds the car any more"


def test_the_made_route_shows_it_acting_and_the_driver_lifting_it(tmp_path: Path) -> None:
    made = route("de")
    market = load_market(market_with(tmp_path, "speed_control"), is_dated=False)
    said = follow(made, MapStore(write_map(made, tmp_path / "bag")), market=market)
    capped = [t_s for t_s, item in said.commands if item.accel_cap_mps2 is not None]
    too_fast_s = next(t_s for t_s, item in said.limits if item.is_exceeded)
    assert too_fast_s <= capped[0] < too_fast_s + 0.5, "on into the lower limit with a steady pedal: capped"
    overtakes_s = next(t_s for t_s, item in said.requests if not item.is_active and item.cause == "driver_overrides")
    assert min(overtakes_s - t_s for t_s in capped if t_s < overtakes_s) < 0.3, "an acting cap"
    assert not [t_s for t_s in capped if overtakes_s <= t_s < overtakes_s + 4.0], "lifted at once: the driver wins"
    assert any(item.is_exceeded for t_s, item in said.limits if overtakes_s < t_s < overtakes_s + 4.0)


def test_a_replay_s_report_draws_the_cap(tmp_path: Path) -> None:
    bag = tmp_path / "route"
    assert main(["synth", "--scenario", "route", "--seconds", "24", "--no-camera", "--map", "--out", str(bag)]) == 0
    market = market_with(tmp_path, "speed_control")
    command = ["replay", str(bag), "--market", str(market), "--map", f"{bag}.map", "--out", str(tmp_path / "out")]
    assert main(command) == 0
    series = json.loads((tmp_path / "out" / "series.json").read_text(encoding="utf-8"))
    track = series["tracks"]["command_cap_accel_mps2"]
    values = [value for value in track["values"] if value is not None]
    assert values and -1.0 <= min(values) <= -0.9, "22 km/h too fast: no propulsion is left"
    (bar,) = series["rows"]["envelope cap"]
    assert 16.0 < bar["start_s"] < 17.0 and "limit 70 km/h" in bar["text"]
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for line in ("cap of the driver's pedal (envelope)", "isa asks", "limit told", "true limit"):
        assert line in page
