"""`adas map`: build a map file from extracts, ask it, look at it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from adas_runtime.horizon.query import Answer

AsJson = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]
MapFile = Annotated[Path, typer.Argument(metavar="REGION.map", help="Map file that 'adas map build' wrote.")]
KINDS = ("unknown", "explicit", "implicit", "none")  # by the value of LimitKind
SHOWN_TAGS = 10


def register(app: typer.Typer) -> None:
    """Add the commands."""
    commands = typer.Typer(
        name="map",
        help="The map store: roads and speed limits of a region in one file.",
        no_args_is_help=True,
    )
    commands.command("build")(build)
    commands.command("query")(query)
    commands.command("info")(info)
    app.add_typer(commands)


def build(
    extracts: Annotated[
        list[Path],
        typer.Argument(metavar="EXTRACT...", help="OpenStreetMap (.osm, .osm.gz, .osm.pbf) or Lanelet2 files."),
    ],
    out: Annotated[Path, typer.Option(metavar="REGION.map", help="The map file; written whole or not at all.")],
    country: Annotated[
        str | None, typer.Option(help="ISO 3166-1 code of the country that all extracts lie in, such as DE.")
    ] = None,
    borders: Annotated[
        Path | None, typer.Option(help="GeoJSON of borders with two-letter codes, for extracts of several countries.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Build a map file from map extracts; tags that cannot be understood are counted, listed and left out."""
    from adas_runtime.horizon.borders import country_code
    from adas_runtime.horizon.build import build_map

    code = country_code(country) if country is not None else ""
    progress = (lambda text: print(text, file=sys.stderr)) if sys.stderr.isatty() else None
    counts = build_map(extracts, out, country=code, borders=borders, progress=progress)
    if as_json:
        from adas_runtime.console import print_json

        print_json({"map": str(out), "bytes": out.stat().st_size, **counts.as_json()})
        return 0
    print(
        f"{out}: {counts.ways} roads in {counts.edges} pieces, {counts.with_limit} with a limit, "
        f"{out.stat().st_size / 1e6:.1f} MB"
    )
    malformed = sum(counts.malformed.values())
    if malformed:
        print(f"{malformed} tags not understood and left out:")
        for (key, value), count in counts.malformed.most_common(SHOWN_TAGS):
            print(f"  {count} x {key}={value}")
    if counts.incomplete:
        print(f"{counts.incomplete} roads reach beyond the extract and are cut there")
    if counts.without_country:
        print(f"{counts.without_country} roads in no known country: give --country or --borders for the law's limits")
    return 0


def query(
    path: MapFile,
    points: Annotated[
        Path, typer.Option(metavar="FILE.csv", help="Columns lat, lon, heading (degrees clockwise from north).")
    ],
    as_json: AsJson = False,
) -> int:
    """Print road and speed limit for each point."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.horizon.points import read_points
    from adas_runtime.horizon.query import ask
    from adas_runtime.horizon.store import MapStore
    from adas_runtime.market.laws import ShippedLaws

    asked = read_points(points)
    store, laws = MapStore(path), ShippedLaws()
    answers = [as_row(ask(store, laws, item.point, item.course_rad)) for item in asked]
    if as_json:
        print_json(
            [
                {"lat": item.point[0], "lon": item.point[1], **answer}
                for item, answer in zip(asked, answers, strict=True)
            ]
        )
        return 0
    heads = ("road_id", "road_class", "limit", "unit", "kind", "source", "confidence", "note")
    rows = [["" if answer[head] is None else _text(answer[head]) for head in heads] for answer in answers]
    print_table(
        ("lat", "lon", *heads),
        [(f"{item.point[0]:.6f}", f"{item.point[1]:.6f}", *row) for item, row in zip(asked, rows, strict=True)],
    )
    return 0


def info(
    path: MapFile,
    is_verified: Annotated[
        bool, typer.Option("--verify", help="Read everything and compare with the checksum.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Show what a map file holds and was built from."""
    from adas_runtime.console import print_json
    from adas_runtime.horizon.store import MapStore

    store = MapStore(path)
    if is_verified:
        store.verify()
    if as_json:
        print_json({"map": str(path), "bytes": path.stat().st_size, **store.meta})
        return 0
    for key, value in store.meta.items():
        if key == "sources":
            value = ", ".join(item["file"] for item in value)
        elif key == "malformed_tags":
            continue
        print(f"{key:16} {value}")
    if is_verified:
        print("checksum         right")
    return 0


def as_row(answer: Answer) -> dict[str, Any]:
    """One answer for people and machines; `limit` is a number, `none`, `walk`, or nothing."""
    from adas_runtime.signals import LimitKind, SpeedUnit

    limit, spot = answer.limit, answer.spot
    shown: float | str | None = limit.value
    if limit.kind is LimitKind.NO_LIMIT:
        shown = "none"
    elif limit.is_walk:
        shown = "walk"
    elif isinstance(shown, float) and shown.is_integer():
        shown = int(shown)
    lanes = "|".join("-" if item is None else _said(item) for item in limit.lanes)
    parts = [f"{limit.reason}: {lanes}" if lanes else limit.reason, *(_condition(item) for item in limit.conditional)]
    note = "; ".join(part for part in parts if part)
    return {
        "road_id": None if spot is None else spot.edge.way.way_id,
        "road_class": None if spot is None else spot.edge.way.highway,
        "limit": shown,
        "unit": "mph" if limit.unit is SpeedUnit.MPH else "km/h",
        "kind": KINDS[limit.kind],
        "source": limit.source,
        "confidence": answer.confidence,
        "note": note,
    }


def _said(limit: Any) -> str:
    return f"{limit.value:g}" if limit.value else str(limit.form.value)


def _condition(item: Any) -> str:
    return f"{_said(item.limit)} if {item.condition}"


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
