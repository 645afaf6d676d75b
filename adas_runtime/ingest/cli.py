"""`adas ingest`: footage to a bag."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest")(ingest)


def ingest(
    video: Annotated[
        list[str], typer.Argument(help="Videos, pictures, folders or quoted patterns of pictures, in order.")
    ],
    out: Annotated[Path, typer.Option(help="Folder of the bag to write (rosbag2, MCAP).")],
    vehicle_csv: Annotated[Path | None, typer.Option(help="CSV file with vehicle signals.")] = None,
    csv_offset_s: Annotated[float, typer.Option(help="Added to the times of the CSV file [s].")] = 0.0,
    fps: Annotated[float | None, typer.Option(help="Pictures a second; needed for picture files.")] = None,
    vehicle: Annotated[str | None, typer.Option(help="Vehicle whose front camera took it: name or file.")] = None,
    allow_truncated: Annotated[bool, typer.Option(help="Take the good part of a video that is cut short.")] = False,
    force: Annotated[bool, typer.Option(help="Replace a bag that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> None:
    """Turn real footage into a bag: pictures, camera info, and vehicle signals where a CSV file gives them."""
    import dataclasses
    import math

    from adas_runtime.errors import AdasError
    from adas_runtime.ingest.bag import ingest as run
    from adas_runtime.ingest.progress import Progress
    from adas_runtime.ingest.writer import refuse_existing
    from adas_runtime.vehicle import load_vehicle

    if not math.isfinite(csv_offset_s) or abs(csv_offset_s) > 1e6:
        raise AdasError(f"{csv_offset_s:g} is out of range", where="--csv-offset-s", mend="give seconds")
    refuse_existing(out, force)
    with Progress("reading pictures") as progress:
        result = run(
            video,
            out,
            vehicle=None if vehicle is None else load_vehicle(vehicle),
            table_path=vehicle_csv,
            table_offset_s=csv_offset_s,
            fps=fps,
            takes_truncated=allow_truncated,
            force=force,
            progress=progress.update,
        )
    if as_json:
        json.dump({"bag": str(out), **dataclasses.asdict(result)}, sys.stdout, indent=2)
        print()
        return
    print(f"{out}: {result.seconds:.2f} s, {result.width_px}x{result.height_px}")
    for topic, count in result.counts.items():
        print(f"  {count:7d}  {topic}")
    for note in result.notes:
        print(f"  {note}")
