"""The demo: one drive through the live processes over real topics, then through the replay, and the two compared."""

from __future__ import annotations

import json
import math
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from adas_runtime.demo.compare import Begun, Pair, Verdict, begun, latencies_s, pair_up, quantile, verdict
from adas_runtime.demo.drive import Drive, find
from adas_runtime.errors import AdasError
from adas_runtime.graph import default_graph, live_topic
from adas_runtime.replay.schema import SUMMARY_FILE
from adas_runtime.signals import ActuationCommand, Alert, LaneModel, LaneSide, VehicleState

RESULT: Final = "demo.json"
ACTIVE_WITHIN_S: Final = 60.0  # a busy laptop; the budget is 5 s and the table shows what it was
TAIL_S: Final = 0.7  # what follows the last message still reaches the recorder
COMMAND: Final = live_topic("envelope", "command")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What the user asked for."""

    path: Path | None
    market: str
    vehicle: str
    inputs: str | None
    out: Path
    seconds: float


@dataclass(slots=True)
class Live:
    """What the live graph showed."""

    active_after_s: float = 0.0
    alerts: list[Begun] = field(default_factory=list)
    frames_sent: int = 0
    frames_seen: int = 0
    left_seen: int = 0
    right_seen: int = 0
    latency_p50_ms: float | None = None
    latency_p99_ms: float | None = None
    cores: float = 0.0
    resident_mb: float = 0.0
    restarts: int = 0
    lost: int = 0
    recording: str = ""
    late: int = 0
    late_max_s: float = 0.0


def run(wish: Wish, *, as_json: bool = False) -> int:
    """The whole demo; its exit code: 1 where live graph and replay disagree although the machine kept up.

    Raises:
        AdasError: An input cannot be used, or the graph does not start.
    """
    from adas_runtime.inputs import load_input_map
    from adas_runtime.market import load_market
    from adas_runtime.vehicle import load_vehicle

    load_market(wish.market)  # what is wrong with it is told before anything is rendered
    if wish.vehicle != "auto":
        load_vehicle(wish.vehicle)
    if wish.inputs is not None:
        load_input_map(wish.inputs)
    out = wish.out
    _make_place(out, wish.path)
    try:
        with _phase("making the drive") as progress:
            drive = find(wish.path, out, wish.market, wish.seconds, progress)
    except AdasError:
        if not (out / "live").exists():
            shutil.rmtree(out, ignore_errors=True)  # no demo came of it, and none was here before
        raise
    vehicle, notes = _vehicle(wish, drive, out)
    notes = [*drive.notes, *notes]
    _clear(out)
    live, lines = _drive_live(wish, drive, vehicle, out)
    replay_folder = out / "replay"
    summary = _replay(wish, drive, vehicle, replay_folder)
    start_s = float(summary["start_s"])
    replayed = begun(_alerts(replay_folder / "out.mcap"), start_s, start_s + float(summary["duration_s"]))
    pairs = pair_up(live.alerts, replayed)
    result_is = verdict(pairs, live.late, live.frames_sent - live.frames_seen)
    result = {
        "schema": "adas-demo/1",
        "drive": str(drive.bag),
        "market": summary["market"],
        "vehicle": vehicle,
        "verdict": result_is.value,
        "live": asdict(live),
        "replay": {
            "real_time_factor": summary["real_time_factor"],
            "digest": summary["digest"],
            "alerts": [asdict(item) for item in replayed],
            "report": str(replay_folder / "report.html"),
        },
        "notes": notes,
        "warnings": summary["warnings"],
        "events": lines,
    }
    (out / RESULT).write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
    if as_json:
        print(json.dumps(result, indent=2))
    else:
        _show(drive, live, summary, pairs, result_is, notes, lines, replay_folder)
    return 1 if result_is is Verdict.DISAGREE else 0


def _make_place(out: Path, path: Path | None) -> None:
    """A folder for the demo, which holds nothing but a demo's; a former result stays until the new drive is at hand."""
    if path is not None and path.resolve().is_relative_to(out.resolve()):
        raise AdasError("lies in the folder that the demo replaces", where=str(path), mend="take another --out")
    try:
        if out.exists() and any(out.iterdir()) and not (out / RESULT).is_file():
            raise AdasError(
                "holds other things than a demo's", where=str(out), mend="take another --out, or empty the folder"
            )
        out.mkdir(parents=True, exist_ok=True)
        if not (out / RESULT).exists():
            (out / RESULT).write_text("{}\n", encoding="utf-8")
    except OSError as error:
        raise AdasError(
            f"cannot be written to ({error.strerror})", where=str(out), mend="take another --out"
        ) from error


def _clear(out: Path) -> None:
    (out / RESULT).write_text("{}\n", encoding="utf-8")
    for name in ("live", "replay"):
        shutil.rmtree(out / name, ignore_errors=True)


@contextmanager
def _phase(text: str) -> Iterator[Callable[[int, int | None], None]]:
    from adas_runtime.ingest.progress import Progress

    with Progress(text) as bar:
        yield bar.update


def _vehicle(wish: Wish, drive: Drive, out: Path) -> tuple[str, list[str]]:
    """Name or file of the vehicle, and what was chosen why."""
    import yaml

    from adas_runtime.inputs.vehicle_choice import choose_vehicle
    from adas_runtime.vehicle import load_vehicle, vehicle_names

    notes: list[str] = []
    vehicle = choose_vehicle(wish.vehicle, drive.bag, notes.append)
    if wish.vehicle != "auto":
        return wish.vehicle, notes
    if vehicle.name in vehicle_names() and vehicle == load_vehicle(vehicle.name):
        return vehicle.name, notes
    path = out / "vehicle.yaml"
    data = vehicle.model_dump(mode="json", exclude_none=True)
    path.write_text(yaml.safe_dump(data, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return str(path), notes


def _drive_live(wish: Wish, drive: Drive, vehicle: str, out: Path) -> tuple[Live, list[str]]:
    import os
    import signal

    from adas_runtime.supervisor.child import Child
    from adas_runtime.supervisor.cli import child_environment
    from adas_runtime.supervisor.commands import UpOptions, monitor_command, process_commands, validate
    from adas_runtime.supervisor.domain import DomainLock, domain_id, free_domain
    from adas_runtime.supervisor.supervisor import Supervisor

    options = UpOptions(market=wish.market, vehicle=vehicle, record=(out / "live").resolve())
    validate(options)
    environment = child_environment()
    environment["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    environment["ADAS_STATE_DIR"] = str((out / "state").resolve())  # a demo is no use of the car
    if not environment.get("ROS_DOMAIN_ID"):
        environment["ROS_DOMAIN_ID"] = str(free_domain())  # a car's own graph on this machine is none of the demo's
    os.environ["ROS_DOMAIN_ID"] = environment["ROS_DOMAIN_ID"]
    report = out / "played.json"
    report.unlink(missing_ok=True)
    command = [sys.executable, "-m", "adas_runtime.nodes.player", str(drive.bag), "--report", str(report)]
    command += ["--seconds", f"{wish.seconds + 0.5:g}"]
    if wish.inputs is not None:
        command += ["--inputs", wish.inputs]
    lines: list[str] = []
    live = Live()
    with (
        DomainLock(domain_id()),
        Supervisor(
            process_commands(options), monitor=monitor_command(), environment=environment, say=lines.append
        ) as graph,
    ):
        with _phase("starting the live graph") as progress:
            while not graph.is_active:
                graph.tick()
                waited_s = time.monotonic() - graph.started_s
                progress(int(min(waited_s, 5.0) * 10), 50)
                _check(graph, lines, waited_s)
        live.active_after_s = round(graph.time_to_active_s or 0.0, 2)
        player = Child("player", command, environment, death_signal=signal.SIGKILL)
        began_s, spent_s = time.monotonic(), _cpu_s(graph)
        try:
            with _phase("driving through the live graph") as progress:
                while player.exit_code is None:
                    graph.tick()
                    player.lines()
                    progress(int((time.monotonic() - began_s) * 10), int(wish.seconds * 10))
                    if graph.is_asked_to_stop:
                        raise KeyboardInterrupt
            player.lines()
            if player.exit_code != 0:
                text = player.last_lines[-1] if player.last_lines else f"exit code {player.exit_code}"
                raise AdasError(text.removeprefix("adas: "), where="" if ": " in text else "player")
        finally:
            player.signal(signal.SIGKILL)
            player.close()
        lasted_s = time.monotonic() - began_s
        live.cores = round((_cpu_s(graph) - spent_s) / lasted_s, 2)
        live.resident_mb = round(sum(slot.peak_bytes for slot in graph.slots.values()) / 1e6)
        end_s = time.monotonic() + TAIL_S
        while time.monotonic() < end_s:
            graph.tick(0.1)
        live.restarts = sum(slot.restart.restarts for slot in graph.slots.values())
    _read_live(live, json.loads(report.read_text(encoding="utf-8")), out / "live")
    return live, lines


def _check(graph: Any, lines: list[str], waited_s: float) -> None:
    if graph.is_asked_to_stop:
        raise KeyboardInterrupt
    if graph.refusal is not None:
        raise AdasError(graph.refusal.removeprefix("adas: "))
    if waited_s > ACTIVE_WITHIN_S:
        told = f": {lines[-1]}" if lines else ""
        raise AdasError(
            f"the live graph was not active within {ACTIVE_WITHIN_S:.0f} s{told}",
            where="adas demo",
            mend="see `adas doctor`, or `adas up --market de --verbose`",
        )


def _cpu_s(graph: Any) -> float:
    from adas_runtime.supervisor.child import usage

    return math.fsum(
        slot.base_cpu_s + (usage(slot.child.pid)[0] if slot.child is not None else 0.0) for slot in graph.slots.values()
    )


def _read_live(live: Live, played: dict[str, Any], folder: Path) -> None:
    """Alerts, frames and latencies out of the live recording."""
    from adas_runtime.replay.cdr import decoder

    start_s = float(played["start_s"])
    end_s = start_s + float(played["seconds"])
    live.late, live.late_max_s = int(played["late"]), round(float(played["late_max_s"]), 3)
    live.frames_sent = int(played["topics"].get("/camera/front/image/compressed", 0))
    folders = sorted(item for item in folder.iterdir() if item.is_dir())
    live.recording = str(folders[-1])
    alerts: list[Alert] = []
    states: list[tuple[int, VehicleState]] = []
    commands: list[tuple[int, ActuationCommand]] = []
    lanes = decoder(LaneModel), live_topic("lane_perception", "lanes")
    readers: dict[str, Any] = {name: decoder(Alert) for name in _alert_topics()}
    readers |= {"/vehicle/state": decoder(VehicleState), COMMAND: decoder(ActuationCommand), lanes[1]: lanes[0]}
    for path in sorted(item for where in folders for item in where.glob("*.mcap")):
        for topic, publish_ns, data in _rows(path, list(readers)):
            value = readers[topic](data)
            if isinstance(value, Alert):
                alerts.append(value)
            elif isinstance(value, VehicleState):
                states.append((publish_ns, value))
            elif isinstance(value, ActuationCommand):
                commands.append((publish_ns, value))
            elif start_s <= value.stamp_s <= end_s + 0.01:
                live.frames_seen += 1
                live.left_seen += value.side(LaneSide.LEFT) is not None
                live.right_seen += value.side(LaneSide.RIGHT) is not None
    live.alerts = begun(alerts, start_s, end_s)
    found = latencies_s(states, commands)
    p50, p99 = quantile(found, 0.5), quantile(found, 0.99)
    live.latency_p50_ms = None if p50 is None else round(p50 * 1e3, 2)
    live.latency_p99_ms = None if p99 is None else round(p99 * 1e3, 2)


def _alert_topics() -> list[str]:
    return [topic.name for topic in default_graph().topics() if topic.signal is Alert]


def _rows(path: Path, topics: list[str]) -> Iterator[tuple[str, int, bytes]]:
    """Topic, send time [ns] and bytes, in the order of the file's log times."""
    from mcap.reader import make_reader

    with path.open("rb") as stream:
        for _, channel, message in make_reader(stream).iter_messages(topics=topics):
            yield channel.topic, message.publish_time, message.data


def _alerts(path: Path) -> Iterator[Alert]:
    from adas_runtime.replay.cdr import decoder

    read = decoder(Alert)
    for _, _, data in _rows(path, _alert_topics()):
        value = read(data)
        assert isinstance(value, Alert)
        yield value


def _replay(wish: Wish, drive: Drive, vehicle: str, folder: Path) -> dict[str, Any]:
    from adas_runtime.replay.engine import Job
    from adas_runtime.replay.engine import run as replay

    job = Job(
        bag=drive.bag,
        market=wish.market,
        vehicle=vehicle,
        out=folder,
        inputs=wish.inputs,
        command=f"adas replay {drive.bag} --market {wish.market} --vehicle {vehicle} --out DIR",
    )
    with _phase("replaying the same drive") as progress:
        replay(job, lambda share: progress(int(share * 1000), 1000))
    found: dict[str, Any] = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    return found


def _show(
    drive: Drive,
    live: Live,
    summary: dict[str, Any],
    pairs: list[Pair],
    result_is: Verdict,
    notes: list[str],
    lines: list[str],
    folder: Path,
) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, soft_wrap=True)
    console.print(f"{drive.bag}: {summary['duration_s']:.1f} s, market {summary['market']}")
    for text in notes:
        console.print(f"  {text}")
    table = Table("", "live", "replay", box=None, pad_edge=False)
    for pair in pairs:
        first = pair.live or pair.replay
        assert first is not None
        table.add_row(
            f"alert {first.code}", *(f"{side.t_s:.2f} s" if side else "-" for side in (pair.live, pair.replay))
        )
    if not pairs:
        table.add_row("alerts", "none", "none")
    if live.latency_p50_ms is not None:
        table.add_row(
            "vehicle state in to command out", f"p50 {live.latency_p50_ms:.1f}, p99 {live.latency_p99_ms:.1f} ms", ""
        )
    if live.frames_sent:
        table.add_row("pictures seen", f"{live.frames_seen} of {live.frames_sent}", "all")
        kpis = summary["functions"]["lane_perception"]["kpis"]
        for side, seen in (("left", live.left_seen), ("right", live.right_seen)):
            share = seen / max(live.frames_seen, 1)
            table.add_row(f"own {side} line seen", f"{share:.0%}", f"{kpis.get(f'{side}_seen_share', 0.0):.0%}")
    table.add_row("speed", "real time", f"{summary['real_time_factor']:.1f} times real time")
    table.add_row("active after", f"{live.active_after_s:.1f} s", "")
    table.add_row("load", f"{live.cores:.2f} cores, {live.resident_mb:.0f} MB", "")
    table.add_row("restarts", str(live.restarts), "")
    table.add_row("digest", "", summary["digest"][:16])
    console.print(table)
    for name, function in summary["functions"].items():
        lacking = [key for key, lasted_s in function["absent_s"].items() if lasted_s > 0.5 * summary["duration_s"]]
        if lacking and default_graph().function(name).has_stage:
            console.print(f"  {name} has no {', '.join(lacking)} in this drive, and stands by")
    if live.frames_seen < live.frames_sent:
        console.print(
            f"  {live.frames_sent - live.frames_seen} pictures came while perception was busy with another: the newest "
            "is taken; the first pictures of an unknown camera take longest"
        )
    if live.late:
        console.print(
            f"  this machine is busy: {live.late} messages were sent late, by {live.late_max_s * 1e3:.0f} ms at most"
        )
    for text in summary["warnings"]:
        console.print(f"  warning: {text}")
    if result_is is Verdict.AGREE:
        console.print("live graph and replay agree" + ("" if pairs else ": no alerts in either"))
    elif result_is is Verdict.NOT_COMPARABLE:
        lost = live.frames_sent - live.frames_seen
        console.print(
            "live graph and replay are not compared: this machine was too busy to drive in real time "
            f"({lost} pictures lost, {live.late} messages late); end other work and run again"
        )
    else:
        console.print("live graph and replay DISAGREE: an alert of one is not in the other; see both recordings")
        for text in lines[-5:]:
            console.print(f"  {text}")
    console.print(f"live recording: {live.recording}")
    console.print(f"report: {folder / 'report.html'}")
    console.print(
        f"more: adas up --market {summary['market']} · adas replay BAG --market jp --out DIR · "
        f"open {folder / 'out.mcap'} in Foxglove"
    )
