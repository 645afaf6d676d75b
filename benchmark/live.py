"""The live graph under a rendered drive: latencies, frames lost, processor time, memory, start-up.

    python benchmark/live.py [--seconds 20] [--bag DIR]

The four processes of the runtime run in a ROS domain of their own; a fifth plays the drive into them (vehicle state
100 Hz, stalks 20 Hz, compressed pictures 1280x720 20 Hz) over real topics, and this one listens as an actuator would.
Latency is from the stamp of the vehicle state (it is sent in that moment) to the arrival of the first command that
rests on it, and from the stamp of the picture to the arrival of its lane model. Everything is wall time, so the
machine must be idle; the line `machine busy` tells how much of it others took.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from rows import Row, machine, table

PROCESSES: Final = ("guard", "decision", "perception", "recorder")
COMMAND: Final = "/adas/envelope/command"
LANES: Final = "/adas/lane_perception/lanes"
MARKET: Final = "de"
WARM_UP_S: Final = 3.0
ACTIVE_MAX_S: Final = 120.0
TICKS: Final = os.sysconf("SC_CLK_TCK")


@dataclass(slots=True)
class Heard:
    """What the listener got.

    Args:
        origins: Per command: stamp of the oldest value that it rests on, when the guard decided, when it arrived [s].
        lanes: Per lane model: stamp of its picture, and when it arrived [s].
        active: When each process said that it works [s].
        dropped: Pictures that perception left out, since a newer one waited.
    """

    origins: list[tuple[float, float, float]] = field(default_factory=list)
    lanes: list[tuple[float, float]] = field(default_factory=list)
    active: dict[str, float] = field(default_factory=dict)
    dropped: int = 0
    vehicle: list[float] = field(default_factory=list)


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
    """Hears commands, lane models and diagnostics."""

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
        topics = {topic.name: topic for topic in default_graph().topics()}
        for name, callback in ((COMMAND, self._command), (LANES, self._lanes), ("/vehicle/state", self._vehicle)):
            topic = topics[name]
            kind = message_type(type_name(topic.signal), name)
            self.node.create_subscription(kind, name, callback, profile(requested(topic)))
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

    def _command(self, message: Any) -> None:
        now_s = time.time()
        if message.has_oldest_input_age_s:
            self.heard.origins.append((message.stamp_s - message.oldest_input_age_s, message.stamp_s, now_s))

    def _lanes(self, message: Any) -> None:
        self.heard.lanes.append((message.stamp_s, time.time()))

    def _vehicle(self, message: Any) -> None:
        self.heard.vehicle.append(message.stamp_s)

    def _diagnostics(self, message: Any) -> None:
        for status in message.status:
            process, _, what = status.name.partition(": ")
            if what == "process" and any(v.key == "state" and v.value == "active" for v in status.values):
                self.heard.active.setdefault(process.removeprefix("adas_"), time.monotonic())
            if process == "adas_perception" and what.startswith("reads /camera/front/image"):
                self.heard.dropped = next(int(v.value) for v in status.values if v.key == "dropped")


def latencies_ms(heard: Heard) -> list[tuple[float, float]]:
    """Per vehicle state: from its stamp to the first command that rests on it or a newer one, decided and arrived."""
    found = []
    position = 0
    for stamp_s in heard.vehicle:
        while position < len(heard.origins) and heard.origins[position][0] < stamp_s - 1e-4:
            position += 1
        if position < len(heard.origins):
            _, decided_s, arrived_s = heard.origins[position]
            found.append((1e3 * (decided_s - stamp_s), 1e3 * (arrived_s - stamp_s)))
    return found


def measure(seconds: float, bag: Path, folder: Path) -> list[Row]:
    """One run."""
    environment = {**os.environ, "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    program = [sys.executable, "-m"]
    listener = Listener()
    heard = listener.heard
    began_s = time.monotonic()
    children = {
        name: subprocess.Popen(
            [*program, "adas_runtime.nodes", name, "--market", MARKET]
            + (["--record", str(folder / "recording")] if name == "recorder" else []),
            env=environment,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # as the supervisor does
        )
        for name in PROCESSES
    }
    try:
        while len(heard.active) < len(PROCESSES):
            listener.spin(0.2)
            if time.monotonic() - began_s > ACTIVE_MAX_S:
                raise SystemExit(f"not active within {ACTIVE_MAX_S:g} s: {set(PROCESSES) - set(heard.active)}")
        active_s = max(heard.active.values()) - began_s
        report = folder / "played.json"
        player = subprocess.Popen(
            [*program, "adas_runtime.nodes.player", str(bag), "--seconds", str(seconds), "--report", str(report)],
            env=environment,
        )
        while not heard.vehicle and player.poll() is None:
            listener.spin(0.2)
        listener.spin(WARM_UP_S)
        first_s = time.time()
        start_s, machine_s = time.monotonic(), _machine_s()
        cpu_s = {name: _cpu_s(child.pid) for name, child in children.items()}
        own_s = time.process_time() + _cpu_s(player.pid)
        others_s = 0.0
        passed_s = 1e-9
        memory: dict[str, tuple[float, float]] = {}
        used: dict[str, float] = {}
        while player.poll() is None:
            listener.spin(0.5)
            if player.poll() is None:
                passed_s = time.monotonic() - start_s
                used = {name: (_cpu_s(child.pid) - cpu_s[name]) / passed_s for name, child in children.items()}
                memory = {name: _memory_mb(child.pid) for name, child in children.items()}
                own = time.process_time() + _cpu_s(player.pid) - own_s
                others_s = _machine_s() - machine_s - own - sum(used.values()) * passed_s
        listener.spin(0.5)
        played = json.loads(report.read_text(encoding="utf-8"))
    finally:
        for child in children.values():
            child.send_signal(signal.SIGTERM)
        for child in children.values():
            child.wait(timeout=30.0)
        listener.close()
    steady = Heard(
        origins=heard.origins, lanes=heard.lanes, vehicle=[stamp for stamp in heard.vehicle if stamp >= first_s]
    )
    both_ms = latencies_ms(steady)
    command_ms = [arrived for _, arrived in both_ms]
    decided_ms = [decided for decided, _ in both_ms]
    lanes_ms = [1e3 * (at_s - stamp_s) for stamp_s, at_s in heard.lanes if stamp_s >= first_s]
    frames = next((count for name, count in played["topics"].items() if name.startswith("/camera/")), 0)
    cores = sum(used.values())
    resident = sum(rss for rss, _ in memory.values())
    shared = sum(pss for _, pss in memory.values())
    split = ", ".join(f"{name} {share:.2f}" for name, share in used.items())
    busy = max(others_s, 0.0) / passed_s
    median, p99 = _quantile(command_ms, 0.5), _quantile(command_ms, 0.99)
    lanes_p99 = _quantile(lanes_ms, 0.99)
    lost = frames - len(heard.lanes)
    return [
        Row(what="live: vehicle to command, median", measured=f"{median:.2f} ms", value=median, budget=3.0, unit="ms"),
        Row(
            what=f"live: vehicle to command, p99 (decided in the guard: {_quantile(decided_ms, 0.99):.1f} ms)",
            measured=f"{p99:.2f} ms",
            value=p99,
            budget=8.0,
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
            what=f"live: pictures without a lane model, of {frames} ({heard.dropped} left for a newer one)",
            measured=str(lost),
            value=float(lost),
            budget=0.0,
            unit="",
        ),
        Row(what=f"live: whole graph ({split})", measured=f"{cores:.2f} cores", value=cores, budget=1.2, unit="cores"),
        Row(
            what=f"live: whole graph, resident (shared pages once: {shared:.0f} MB)",
            measured=f"{resident:.0f} MB",
            value=resident,
            budget=700.0,
            unit="MB",
        ),
        Row(what="live: all processes active", measured=f"{active_s:.1f} s", value=active_s, budget=5.0, unit="s"),
        Row(what="live: machine busy with other work", measured=f"{busy:.2f} cores", value=busy, unit="cores"),
    ]


def rows(seconds: float = 20.0, bag: Path | None = None) -> list[Row]:
    """The benchmark's rows; renders a drive where none is given."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    os.environ.setdefault("ROS_DOMAIN_ID", str(os.getpid() % 100 + 1))
    with tempfile.TemporaryDirectory(prefix="adas_live_") as name:
        folder = Path(name)
        if bag is None:
            bag = folder / "drive"
            command = ["synth", "--market", MARKET, "--seconds", str(seconds), "--out", str(bag)]
            adas = [sys.executable, "-c", "from adas_runtime.cli import run; run()"]
            subprocess.run([*adas, *command], check=True, stdout=subprocess.DEVNULL)
        return measure(seconds, bag, folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--bag", type=Path, help="a rendered drive, to render none")
    options = parser.parse_args()
    print(machine())
    print(table(rows(options.seconds, options.bag)))


if __name__ == "__main__":
    main()
