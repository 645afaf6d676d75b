"""`adas demo` and `adas play`."""

from __future__ import annotations

import json
import math
import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from adas_runtime.errors import AdasError


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("demo")(demo)
    app.command("play")(play)


def demo(
    path: Annotated[
        Path | None, typer.Argument(help="Your recording or video; a drive is rendered without it.")
    ] = None,
    market: Annotated[str, typer.Option(help="Market: name or file.")] = "de",
    vehicle: Annotated[str, typer.Option(help="Vehicle: name or file; auto: as the recording says.")] = "auto",
    inputs: Annotated[str | None, typer.Option(help="Input map of the recording; guessed by default.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for everything that the demo makes; by default out/demo/NAME.")
    ] = None,
    seconds: Annotated[float, typer.Option(help="Length of the drive, or of the part that is played [s].")] = 30.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> int:
    """Drive through the live ROS 2 graph and through the replay, and compare the two."""
    from adas_runtime.demo.run import Wish, run

    if path is not None and not path.name:
        raise AdasError("is no drive", where=str(path), mend="name the recording or video, or nothing")
    if out is None:
        out = Path("out/demo") / (f"rendered_{Path(market).stem}" if path is None else path.stem)
    if not math.isfinite(seconds) or not 2.0 <= seconds <= 3600.0:
        raise AdasError(f"{seconds:g} is out of range", where="--seconds", mend="give 2 to 3600")
    return run(
        Wish(path=path, market=market, vehicle=vehicle, inputs=inputs, out=out, seconds=seconds), as_json=as_json
    )


def play(
    bag: Annotated[Path, typer.Argument(help="rosbag2 folder or file, MCAP or SQLite3.")],
    inputs: Annotated[str | None, typer.Option(help="Input map: name or file; guessed by default.")] = None,
    rate: Annotated[float, typer.Option(help="Seconds of the recording in one second.")] = 1.0,
    seconds: Annotated[float | None, typer.Option(help="Only so much of its beginning [s].")] = None,
    clock: Annotated[
        bool, typer.Option("--clock", help="Keep the stamps and send /clock, for `adas up --use-sim-time`.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> int:
    """Play a recording into the live graph (`adas up`), with its stamps moved to now."""
    if not math.isfinite(rate) or not 0.01 <= rate <= 100.0:
        raise AdasError(f"{rate:g} is out of range", where="--rate", mend="give 0.01 to 100")
    if seconds is not None and not (math.isfinite(seconds) and seconds > 0.0):
        raise AdasError(f"{seconds:g} is out of range", where="--seconds", mend="give seconds")
    os.environ.setdefault("ROS_AUTOMATIC_DISCOVERY_RANGE", "LOCALHOST")
    from adas_runtime.nodes import transport

    transport.prepare(sends_pictures=True)
    from dataclasses import asdict

    from adas_runtime.ingest.progress import Progress
    from adas_runtime.nodes.player import play as run

    with Progress(f"playing {bag.name}") as progress:
        played = run(
            bag,
            inputs=inputs,
            rate=rate,
            with_clock=clock,
            seconds=seconds,
            progress=lambda done_s, all_s: progress.update(int(done_s * 10), max(1, int(all_s * 10))),
        )
    if as_json:
        json.dump(asdict(played), sys.stdout, indent=2)
        print()
        return 0
    print(f"{bag}: {played.seconds:.1f} s played, {sum(played.topics.values())} messages")
    for topic, count in sorted(played.topics.items()):
        print(f"  {count:7d}  {topic}" + ("  (nobody listens)" if topic in played.unheard else ""))
    for text, count in played.refused.items():
        print(f"  {count} messages left out: {text}")
    if played.late:
        print(f"  {played.late} messages sent late, the worst by {played.late_max_s * 1e3:.0f} ms: the machine is busy")
    return 0
