"""What one step of all decision functions costs, with full inputs at the rates of a car.

    python benchmark/decision.py [--seconds 30] [--passes 5]

A rendered drive's truth (vehicle state 100 Hz, stalks and signs 20 Hz, body 10 Hz, lane model, objects and driver
camera 20 Hz, 50 ms old on arrival) goes through the executor of the decision process, as on the car. A step is one
arrival of a vehicle state: it steps every decision function whose trigger it is and the arbiter. Time is the thread's
processor time, so that what else the machine does does not count; garbage collection does. Wall time is printed
beside it. The lamps step by their own period; their rows are of a graph that holds one of them alone.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import Final

from rows import Row, machine, table

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import default_graph, live_topic
from adas_runtime.market import load_market
from adas_runtime.signals import Signal, Stage
from adas_runtime.synth.drive import DriveSpec, make_drive
from adas_runtime.vehicle import load_vehicle

MARKET: Final = "de"
PICTURE_AGE_S: Final = 0.05
VEHICLE: Final = "/vehicle/state"
BODY: Final = "/vehicle/body"
SIGNS: Final = "/camera/signs"
OBJECTS: Final = "/objects/tracked"
ALONE: Final = ("headlamps", "signal_lamps", "drowsiness", "distraction")  # functions with a row of their own
GAZE: Final = "/driver/state"
LANES: Final = live_topic("lane_perception", "lanes")
MEDIAN_MS: Final = 0.15
P99_MS: Final = 0.4

Arrival = tuple[float, str, Signal]


def arrivals(seconds: float) -> list[Arrival]:
    """Everything that reaches the decision process in a demo drive, in order."""
    drive = make_drive(DriveSpec(market=MARKET, seconds=seconds))
    found: list[Arrival] = [(item.stamp_s, VEHICLE, item) for item in drive.vehicle_states()]
    found += [(item.stamp_s, "/vehicle/driver_input", item) for item in drive.driver_inputs()]
    found += [(item.stamp_s, BODY, item) for item in drive.body_states()]
    for index in range(drive.frame_count):
        signs, objects = drive.sign_camera(index), drive.objects(index)
        found += [(signs.stamp_s + PICTURE_AGE_S, SIGNS, signs), (objects.stamp_s + PICTURE_AGE_S, OBJECTS, objects)]
        gaze = drive.driver_state(index)
        found.append((gaze.stamp_s + PICTURE_AGE_S, GAZE, gaze))
    models = [drive.lanes(index) for index in range(drive.frame_count)]
    found += [(item.stamp_s + PICTURE_AGE_S, LANES, item) for item in models]
    return sorted(found, key=lambda item: item[0])


def measure(process: Process, sequence: list[Arrival], trigger: str, passes: int) -> tuple[list[float], list[float]]:
    """Processor time and wall time of each step [ms], both sorted; the first pass warms up and is left out."""
    market = load_market(MARKET)
    context = BuildContext(market=market, vehicle=load_vehicle("reference"))
    spent: list[float] = []
    walls: list[float] = []
    for number in range(passes + 1):
        executor = Executor(default_graph(), context, market.stages(), process=process)
        gc.collect()
        for now_s, topic, signal in sequence:
            while (due_s := executor.next_due_s()) is not None and due_s < now_s:
                executor.advance(due_s)
            wall = time.perf_counter()
            cpu = time.thread_time()
            executor.offer(topic, signal, now_s)
            cpu = time.thread_time() - cpu
            wall = time.perf_counter() - wall
            if topic == trigger and number:
                spent.append(cpu * 1e3)
                walls.append(wall * 1e3)
    return sorted(spent), sorted(walls)


def measure_alone(function: str, sequence: list[Arrival]) -> list[float]:
    """Processor time of each step of one function [ms], sorted: what its period brings, and what triggers it."""
    market = load_market(MARKET)
    graph = default_graph()
    others = frozenset(spec.name for spec in graph.functions if spec.name != function)
    context = BuildContext(market=market, vehicle=load_vehicle("reference"))
    executor = Executor(graph, context, {**market.stages(), function: Stage.ON}, without=others)
    names = graph.function(function).triggers
    triggers = {topic for wire in graph.wires(function) if wire.input in names for topic in wire.topics}
    spent: list[float] = []
    for now_s, topic, signal in sequence:
        while (due_s := executor.next_due_s()) is not None and due_s < now_s:
            cpu = time.thread_time()
            executor.advance(due_s)
            spent.append((time.thread_time() - cpu) * 1e3)
        cpu = time.thread_time()
        executor.offer(topic, signal, now_s)
        if topic in triggers:
            spent.append((time.thread_time() - cpu) * 1e3)
    return sorted(spent)


def outputs(sequence: list[Arrival], process: Process) -> list[Arrival]:
    """What a process says of a sequence: the input of the next one."""
    market = load_market(MARKET)
    executor = Executor(
        default_graph(),
        BuildContext(market=market, vehicle=load_vehicle("reference")),
        market.stages(),
        process=process,
    )
    said: list[Arrival] = []
    for now_s, topic, signal in sequence:
        said.append((now_s, topic, signal))
        said += [(item.now_s, item.topic, item.signal) for item in executor.offer(topic, signal, now_s)]
    return said


def share(values: list[float], part: float) -> float:
    """The value that this part of the sorted values does not exceed."""
    return values[min(int(part * len(values)), len(values) - 1)]


def rows(seconds: float = 30.0, passes: int = 5) -> list[Row]:
    """The table's rows."""
    sequence = arrivals(seconds)
    spent, walls = measure(Process.DECISION, sequence, VEHICLE, passes)
    guarded, _ = measure(
        Process.GUARD, outputs(sequence, Process.DECISION), live_topic("arbiter", "demand"), max(1, passes // 2)
    )
    pictured, _ = measure(Process.DECISION, sequence, LANES, max(1, passes // 2))
    alone = {name: measure_alone(name, sequence) for name in ALONE}
    return [
        _row("decision functions, one step, median", share(spent, 0.5), share(walls, 0.5), MEDIAN_MS),
        _row("decision functions, one step, p99", share(spent, 0.99), share(walls, 0.99), P99_MS),
        Row(
            what="safety envelope, one step, median / p99",
            measured=f"{share(guarded, 0.5):.3f} / {share(guarded, 0.99):.3f} ms",
            value=share(guarded, 0.5),
            unit="ms",
        ),
        Row(
            what="one picture's lanes through the ego lane, median / p99",
            measured=f"{share(pictured, 0.5):.3f} / {share(pictured, 0.99):.3f} ms",
            value=share(pictured, 0.5),
            unit="ms",
        ),
        *(
            Row(
                what=f"{name.replace('_', ' ')} alone, one step, median / p99",
                measured=f"{share(times, 0.5):.3f} / {share(times, 0.99):.3f} ms",
                value=share(times, 0.5),
                unit="ms",
            )
            for name, times in alone.items()
        ),
    ]


def _row(what: str, value_ms: float, wall_ms: float, budget_ms: float) -> Row:
    return Row(
        what=what, measured=f"{value_ms:.3f} ms (wall {wall_ms:.3f})", value=value_ms, budget=budget_ms, unit="ms"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=30.0, help="length of the drive")
    parser.add_argument("--passes", type=int, default=5, help="how often it is measured")
    options = parser.parse_args()
    print(machine())
    print(table(rows(options.seconds, options.passes)), end="")


if __name__ == "__main__":
    main()
