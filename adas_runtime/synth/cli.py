"""`adas synth`: a rendered, labelled drive."""

from __future__ import annotations

import json
import sys
from enum import Enum
from pathlib import Path
from typing import Annotated, TypeVar

import typer

Choice = TypeVar("Choice", bound=Enum)
SCENARIOS = "demo, motorway, rural, works, r130, calm or route"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("synth")(synth)


def synth(
    out: Annotated[Path, typer.Option(help="Folder of the bag to write (rosbag2, MCAP).")],
    market: Annotated[str, typer.Option(help="Market: name or file.")] = "de",
    seconds: Annotated[float, typer.Option(help="Length of the drive [s].")] = 30.0,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    vehicle: Annotated[str, typer.Option(help="Vehicle, for its camera and its motion: name or file.")] = "reference",
    scenario: Annotated[str, typer.Option(help=f"What happens: {SCENARIOS}.")] = "demo",
    light: Annotated[str, typer.Option(help="auto, day, dusk, night or low_sun.")] = "auto",
    rain: Annotated[str, typer.Option(help="none, light or heavy.")] = "none",
    fps: Annotated[float, typer.Option(help="Pictures a second.")] = 20.0,
    width: Annotated[int | None, typer.Option(help="Columns of a picture; the camera's own by default.")] = None,
    height: Annotated[int | None, typer.Option(help="Rows of a picture.")] = None,
    camera: Annotated[bool, typer.Option("--camera/--no-camera", help="Draw the pictures.")] = True,
    with_map: Annotated[
        bool,
        typer.Option("--map", help="Write the drive's roads beside the bag: OUT.osm, and OUT.map for replay --map."),
    ] = False,
    assist: Annotated[
        bool, typer.Option("--assist", help="The driver switches driver assistance on, and later looks away for 9 s.")
    ] = False,
    driver: Annotated[
        str, typer.Option(help="What a driver camera tells: attentive, distracted, drowsy; absent: none.")
    ] = "attentive",
    force: Annotated[bool, typer.Option(help="Replace a bag that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> None:
    """Render a labelled drive: pictures, vehicle state, satellite fix, and the truth on /truth/*."""
    from adas_runtime.ingest.progress import Progress
    from adas_runtime.ingest.writer import refuse_existing
    from adas_runtime.synth.bag import write_bag
    from adas_runtime.synth.drive import DriveSpec, Light, Rain, Scenario, make_drive
    from adas_runtime.synth.driver import DriverKind
    from adas_runtime.synth.roadmap import refuse_existing_map, write_map

    refuse_existing(out, force)
    if with_map:
        refuse_existing_map(out, force)
    drive = make_drive(
        DriveSpec(
            market=market,
            vehicle=vehicle,
            seconds=seconds,
            seed=seed,
            fps=fps,
            width_px=width,
            height_px=height,
            scenario=_one_of(Scenario, scenario, "--scenario"),
            light=_one_of(Light, light, "--light"),
            rain=_one_of(Rain, rain, "--rain"),
            driver=_one_of(DriverKind, driver, "--driver"),
            is_assisted=assist,
        )
    )
    with Progress("drawing pictures") as progress:
        counts = write_bag(drive, out, force=force, with_camera=camera, progress=progress.update)
    roads = write_map(drive, out) if with_map else None
    events = [
        {
            "code": item.code,
            "inner_s": round(item.inner_s, 3),
            "outer_s": None if item.outer_s is None else round(item.outer_s, 3),
            "limit_s": None if item.limit_s is None else round(item.limit_s, 3),
            "end_s": round(item.end_s, 3),
            "rate_mps": round(item.rate_mps, 3),
        }
        for item in drive.departures
    ]
    if as_json:
        found = {"bag": str(out), "topics": counts, "events": events}
        json.dump(found if roads is None else {**found, "map": str(roads)}, sys.stdout, indent=2)
        print()
        return
    print(f"{out}: {seconds:g} s, {sum(counts.values())} messages, seed {seed}, market {drive.market.name}")
    if roads is not None:
        print(f"{roads}: its roads, for adas replay --map")
    for event in events:
        print(f"  {event['inner_s']:7.2f} s  {event['code']}  at {event['rate_mps']:.2f} m/s")


def _one_of(kind: type[Choice], text: str, where: str) -> Choice:
    from adas_runtime.errors import AdasError

    try:
        return kind(text)
    except ValueError:
        names = ", ".join(item.value for item in kind)
        raise AdasError(f"{text!r} is unknown", where=where, mend=f"take one of {names}") from None
