"""How many times faster than the drive a replay without camera is, bag decoding, files and report included.

    python benchmark/replay.py [--seconds 150] [--passes 2] [--bags FOLDER]

A synthetic drive of the UN R130 scenario without pictures, whose true lanes stand in for recorded perception, and,
where the folder is given or ADAS_SHARED_DATA names it, real recordings. One process, one core; the time is the
process's processor time, so that what else the machine does does not count, and the wall time is printed beside it.
The first pass compiles messages and is left out: `adas replay` pays for it once, see the row of the whole command.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Final

from rows import Row, machine, table

from adas_runtime.graph import live_topic
from adas_runtime.replay.bag import Bag
from adas_runtime.replay.engine import Job, run
from adas_runtime.replay.out import OutBag
from adas_runtime.replay.schema import read_summary
from adas_runtime.synth.bag import write_bag
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive
from adas_runtime.vehicle import load_vehicle

MARKET: Final = "de"
BUDGET: Final = 100.0
REAL: Final = ("comma2k19_signals", "mcity_ins_drive_a", "mcity_gnss_loop_dit")
LANES: Final = live_topic("lane_perception", "lanes")


def drive(folder: Path, seconds: float) -> Path:
    """A recording with vehicle state 100 Hz, stalks and lanes 20 Hz, satellite fix 10 Hz."""
    plain = folder / "plain"
    write_bag(make_drive(DriveSpec(market=MARKET, seconds=seconds, scenario=Scenario.R130)), plain, with_camera=False)
    path = folder / "drive.mcap"
    with Bag(plain) as bag:
        out = OutBag(path, {}, load_vehicle("reference"))
        lanes = bag.topics["/truth/lanes"]
        for log_ns, topic, data in bag.messages():
            if topic == lanes.name:
                out.raw(LANES, replace(lanes, name=LANES), data, log_ns)
            elif not topic.startswith("/truth/"):
                out.raw(topic, bag.topics[topic], data, log_ns)
        out.close()
    return path


def measure(bag: Path, folder: Path, passes: int) -> tuple[float, float]:
    """Times real time by processor time and by wall time, the best of the passes."""
    best_cpu = best_wall = 0.0
    for number in range(passes + 1):
        out = folder / f"{bag.stem}_{number}"
        cpu_s, wall_s = time.process_time(), time.perf_counter()
        run(Job(bag=bag, market=MARKET, vehicle="reference", out=out))
        cpu_s, wall_s = time.process_time() - cpu_s, time.perf_counter() - wall_s
        if number:
            duration_s = read_summary(out).duration_s
            best_cpu, best_wall = max(best_cpu, duration_s / cpu_s), max(best_wall, duration_s / wall_s)
    return best_cpu, best_wall


def command(bag: Path, out: Path) -> tuple[float, float]:
    """Seconds that the whole command takes, start of Python included, and times real time."""
    program = [sys.executable, "-c", "from adas_runtime.cli import run; run()", "replay", str(bag)]
    wall_s = time.perf_counter()
    subprocess.run(
        [*program, "--market", MARKET, "--vehicle", "reference", "--out", str(out)],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wall_s = time.perf_counter() - wall_s
    return wall_s, read_summary(out).duration_s / wall_s


def shared_bags() -> Path | None:
    """Folder of the shared recordings, where ADAS_SHARED_DATA names it."""
    data = os.environ.get("ADAS_SHARED_DATA")
    return Path(data) / "bags" if data else None


def rows(seconds: float = 150.0, passes: int = 2, bags: Path | None = None) -> list[Row]:
    """The table's rows."""
    bags = bags or shared_bags()
    found: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        synthetic = drive(folder, seconds)
        recordings = [(f"decision replay, R130 drive with lanes, {seconds:.0f} s", synthetic)]
        recordings += [(f"decision replay, {real}", bags / real) for real in REAL if bags and (bags / real).exists()]
        for what, bag in recordings:
            cpu, wall = measure(bag, folder, passes)
            text = f"{cpu:.0f}x real time (wall {wall:.0f}x)"
            found.append(
                Row(what=what, measured=text, value=cpu, budget=BUDGET, unit="x real time", is_lower_better=False)
            )
        wall_s, factor = command(synthetic, folder / "command")
        found.append(
            Row(
                what="the same as a command, start and report included",
                measured=f"{wall_s:.1f} s wall, {factor:.0f}x real time",
                value=factor,
                unit="x real time",
                is_lower_better=False,
            )
        )
    return found


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=150.0)
    parser.add_argument("--passes", type=int, default=2)
    parser.add_argument("--bags", type=Path, help="folder of the shared recordings")
    options = parser.parse_args()
    print(f"{machine()}\n")
    print(table(rows(options.seconds, options.passes, options.bags)), end="")


if __name__ == "__main__":
    main()
