"""The live graph under a rendered drive: latencies, frames lost, processor time, memory, start-up.

    python benchmark/live.py [--seconds 20] [--bag DIR] [--vehicle my_car.yaml]

The four processes of the runtime run in a ROS domain of their own, over real topics. `live_probe.py` is the vehicle:
it sends the state at 100 Hz, hears the commands and does nothing else. Another process plays the rest of the drive
(stalks 20 Hz, compressed pictures 1280x720 20 Hz), and this one hears the lane models and the diagnostics.
Latency is from the sending of a vehicle state to the arrival of the first command that rests on it, and from the stamp
of a picture (the moment in which it is due) to the arrival of its lane model. Everything is wall time, so the machine
must be idle; the line `machine busy` tells how much of it others took.
"""

from __future__ import annotations

import argparse
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rows import Row, machine, table

ADAS: Final = (sys.executable, "-c", "from adas_runtime.cli import run; run()")
LANES: Final = "/adas/lane_perception/lanes"
MARKET: Final = "de"
STATE: Final = "/vehicle/state"
WARM_UP_S: Final = 3.0
SHUT_S: Final = 2.0  # before the end, at which the last values go
ACTIVE_MAX_S: Final = 120.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Heard:
    """What the listener got.

    Args:
        lanes: Per lane model: stamp of its picture, and when it arrived [s].
        dropped: Pictures that perception left out, since a newer one waited.
    """

    lanes: list[tuple[float, float]] = field(default_factory=list)
    dropped: int = 0


def _quantile(values: list[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else float("nan")


def _cpu_s(pid: int) -> float:
    """Processor time of a process so far [s]."""
    parts = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(parts[11]) + int(parts[12])) / TICKS


def _memory_mb(pid: int) -> tuple[float, float]:
    """Resident memory, and its share where pages are shared with others [MB]."""
    found = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        key, _, value = line.partition(":")
        if key in ("Rss", "Pss"):
            found[key] = int(value.split()[0]) / 1024.0
    return found["Rss"], found["Pss"]


def _machine_s() -> float:
    """Processor time of the whole machine, idle time left out [s]."""
    parts = [int(part) for part in Path("/proc/stat").read_text(encoding="ascii").splitlines()[0].split()[1:9]]
    return (sum(parts) - parts[3] - parts[4]) / TICKS


class Listener:
    """Hears lane models and diagnostics."""

    def __init__(self) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.experimental.events_executor import EventsExecutor

        from adas_runtime.graph import default_graph
        from adas_runtime.interfaces import type_name
        from adas_runtime.nodes.qos import profile, requested
        from adas_runtime.nodes.settings import message_type

        rclpy.init()
        self.heard = Heard()
        self.node = rclpy.create_node("benchmark")
        topic = next(topic for topic in default_graph().topics() if topic.name == LANES)
        kind = message_type(type_name(topic.signal), LANES)
        self.node.create_subscription(kind, LANES, self._lanes, profile(requested(topic)))
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._diagnostics, 100)
        self._executor = EventsExecutor()
        self._executor.add_node(self.node)

    def spin(self, seconds: float) -> None:
        """Listen for a while."""
        from rclpy.task import Future

        self._executor.spin_until_future_complete(Future(), timeout_sec=seconds)

    def close(self) -> None:
        """End the node."""
        import rclpy

        self.node.destroy_node()
        rclpy.try_shutdown()

    def _lanes(self, message: Any) -> None:
        self.heard.lanes.append((message.stamp_s, time.time()))

    def _diagnostics(self, message: Any) -> None:
        for status in message.status:
            process, _, what = status.name.partition(": ")
            if process == "adas_perception" and what.startswith("reads /camera/front/image"):
                self.heard.dropped = next(int(v.value) for v in status.values if v.key == "dropped")


def _processes(parent: int) -> dict[str, int]:
    """Processes of the graph by name: the supervisor's children, and itself."""
    found = {"supervisor": parent}
    for line in Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split():
        command = Path(f"/proc/{line}/cmdline").read_bytes().split(b"\0")
        name = command[command.index(b"-m") + 1 :] if b"-m" in command else [b""]
        if name[0] == b"adas_runtime.nodes":
            found[name[1].decode()] = int(line)
        elif name[0] == b"adas_runtime.nodes.monitor":
            found["monitor"] = int(line)
    return found


class Load:
    """Processor time and memory of the graph between two moments, and what others took meanwhile."""

    def __init__(self, graph: dict[str, int], own: list[int]) -> None:
        self._graph = graph
        self._own = [*own, os.getpid()]
        self._start_s = time.monotonic()
        self._first = self._now()

    def _now(self) -> tuple[dict[str, float], float, float]:
        used = {name: _cpu_s(pid) for name, pid in self._graph.items()}
        return used, sum(_cpu_s(pid) for pid in self._own), _machine_s()

    def end(self) -> None:
        """Look once, while all still live: to look is not free for those who are looked at."""
        used, own_s, machine_s = self._now()
        former, former_own_s, former_machine_s = self._first
        passed_s = time.monotonic() - self._start_s
        self.cores = {name: (used[name] - former[name]) / passed_s for name in used}
        others_s = machine_s - former_machine_s - (own_s - former_own_s)
        self.busy = max(others_s / passed_s - sum(self.cores.values()), 0.0)
        memory = [_memory_mb(pid) for pid in self._graph.values()]
        self.resident_mb = sum(rss for rss, _ in memory)
        self.proportional_mb = sum(pss for _, pss in memory)


def _active_s(graph: subprocess.Popen[bytes]) -> float:
    """Waits until the graph says that it is active; time since it was called [s]."""
    began_s = time.monotonic()
    assert graph.stdout is not None
    said = b""
    while (left_s := began_s + ACTIVE_MAX_S - time.monotonic()) > 0.0:
        if select.select([graph.stdout], [], [], left_s)[0]:
            said += os.read(graph.stdout.fileno(), 65536)
            if b'"event": "active"' in said:
                return time.monotonic() - began_s
            if graph.poll() is not None:
                break
    raise SystemExit(f"the graph did not become active within {ACTIVE_MAX_S:g} s: {said.decode()}")


def measure(seconds: float, bag: Path, folder: Path, vehicle: str) -> list[Row]:
    """One run."""
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    program = [sys.executable, "-m"]
    listener = Listener()
    heard = listener.heard
    up = ["up", "--market", MARKET, "--vehicle", vehicle, "--record", str(folder / "recording"), "--json"]
    graph = subprocess.Popen([*ADAS, *up], env=environment, stdout=subprocess.PIPE, start_new_session=True)
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        active_s = _active_s(graph)
        report, answers, go = (folder / name for name in ("played.json", "answers.json", "go"))
        part = [str(bag), "--seconds", str(seconds)]
        probe = [
            sys.executable,
            str(Path(__file__).with_name("live_probe.py")),
            *part,
            "--report",
            str(answers),
            "--go",
            str(go),
        ]
        player = [*program, "adas_runtime.nodes.player", *part, "--without", STATE, "--report", str(report)]
        helpers = [subprocess.Popen(command, env=environment) for command in (probe, player)]
        while not heard.lanes and all(helper.poll() is None for helper in helpers):
            listener.spin(0.05)
        go.touch()
        listener.spin(WARM_UP_S)
        first_s = time.time()
        load = Load(_processes(graph.pid), [helper.pid for helper in helpers])
        listener.spin(seconds - WARM_UP_S - SHUT_S)
        last_s = time.time()
        load.end()
        while any(helper.poll() is None for helper in helpers):
            listener.spin(0.2)
        if any(helper.returncode for helper in helpers):
            raise SystemExit("probe or player failed")
    finally:
        for process in (*helpers, graph):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in (*helpers, graph):
            process.wait(timeout=60.0)
        listener.close()
    found = json.loads(answers.read_text(encoding="utf-8"))["answers"]
    found = [answer for answer in found if first_s <= answer[0] <= last_s]
    command_ms = [1e3 * (arrived_s - stamp_s) for stamp_s, _, arrived_s in found]
    decided_ms = [1e3 * (decided_s - stamp_s) for stamp_s, decided_s, _ in found]
    # as the other rows: not while sender and probe themselves start on the same cores
    lanes = [(stamp_s, at_s) for stamp_s, at_s in heard.lanes if first_s <= stamp_s <= last_s]
    lanes_ms = [1e3 * (at_s - stamp_s) for stamp_s, at_s in lanes]
    played = json.loads(report.read_text(encoding="utf-8"))
    all_frames = next((count for name, count in played["topics"].items() if name.startswith("/camera/")), 0)
    frames = round((lanes[-1][0] - lanes[0][0]) * all_frames / seconds) + 1
    cores = sum(load.cores.values())
    split = ", ".join(f"{name} {share:.2f}" for name, share in load.cores.items())
    median, p95, p99 = (_quantile(command_ms, share) for share in (0.5, 0.95, 0.99))
    decided = ", ".join(f"{_quantile(decided_ms, share):.1f}" for share in (0.5, 0.95, 0.99, 1.0))
    lanes_p99 = _quantile(lanes_ms, 0.99)
    lost = frames - len(lanes)
    return [
        Row(what="live: vehicle to command, median", measured=f"{median:.2f} ms", value=median, budget=3.0, unit="ms"),
        Row(
            what=f"live: vehicle to command, p99 of {len(command_ms)} (p95 {p95:.1f}, worst {max(command_ms):.1f} ms)",
            measured=f"{p99:.2f} ms",
            value=p99,
            budget=8.0,
            unit="ms",
        ),
        Row(
            what=f"live: of it until decided in the guard, p99 (median, p95, p99, worst: {decided} ms)",
            measured=f"{_quantile(decided_ms, 0.99):.2f} ms",
            value=_quantile(decided_ms, 0.99),
            unit="ms",
        ),
        Row(
            what=f"live: picture to lane model, p99 (median {_quantile(lanes_ms, 0.5):.1f} ms)",
            measured=f"{lanes_p99:.1f} ms",
            value=lanes_p99,
            budget=45.0,
            unit="ms",
        ),
        Row(
            what=f"live: pictures without a lane model, of {frames} ({heard.dropped} of all left for a newer one)",
            measured=str(lost),
            value=float(lost),
            budget=0.0,
            unit="",
        ),
        Row(what=f"live: whole graph ({split})", measured=f"{cores:.2f} cores", value=cores, budget=1.2, unit="cores"),
        Row(
            what=f"live: whole graph, resident (shared pages once: {load.proportional_mb:.0f} MB)",
            measured=f"{load.resident_mb:.0f} MB",
            value=load.resident_mb,
            budget=700.0,
            unit="MB",
        ),
        Row(what="live: active after `adas up`", measured=f"{active_s:.1f} s", value=active_s, budget=5.0, unit="s"),
        Row(
            what="live: machine busy with other work",
            measured=f"{load.busy:.2f} cores",
            value=load.busy,
            unit="cores",
        ),
    ]


def rows(seconds: float = 20.0, bag: Path | None = None, vehicle: str = "reference") -> list[Row]:
    """The benchmark's rows; renders a drive where none is given."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 100 + 1))
    with tempfile.TemporaryDirectory(prefix="adas_live_") as name:
        folder = Path(name)
        if bag is None:
            bag = folder / "drive"
            command = ["synth", "--market", MARKET, "--seconds", str(seconds), "--out", str(bag)]
            subprocess.run([*ADAS, *command], check=True, stdout=subprocess.DEVNULL)
        return measure(seconds, bag, folder, vehicle)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--bag", type=Path, help="a rendered drive, to render none")
    parser.add_argument("--vehicle", default="reference", help="name or file, such as one with networks")
    options = parser.parse_args()
    print(machine())
    print(table(rows(options.seconds, options.bag, options.vehicle)))


if __name__ == "__main__":
    main()
