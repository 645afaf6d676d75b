"""The map store against ground truth, and how it grows.

    python benchmark/horizon.py                 right, wrong and unknown of the shared truth tables, and the step times
    python benchmark/horizon.py --grow          also stores of generated grids up to a million ways (minutes)
    python benchmark/horizon.py --json

The shared data is found through ADAS_SHARED_DATA, or beside the checkout. A point weighs as its road's length between
two truth points is not known: shares are of points, and of kilometres where the length of the road is given to each.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.defaults import load_defaults
from adas_runtime.horizon.points import read_points
from adas_runtime.horizon.query import ask
from adas_runtime.horizon.store import MapStore
from adas_runtime.signals import LimitKind
from adas_runtime.units import mps_to_kmh

ROOT: Final = Path(__file__).resolve().parent.parent
SAME_KMH: Final = 0.1
EXTRACTS: Final = {
    "beatty_us_nv": ("beatty_us_nv.osm", "US"),
    "belarus_by": ("belarus_by.osm.gz", ""),
    "krems_at": ("krems_at.osm.gz", "AT"),
    "monaco_mc": ("monaco_mc.osm.gz", ""),
    "north_bayreuth_de": ("north_bayreuth_de.osm.gz", "DE"),
}


@dataclass(kw_only=True)
class Tally:
    """One extract against its truth.

    Args:
        right, wrong, unknown: Points with a known limit (a number or none) where the map says it, another, or nothing.
        right_km, wrong_km, unknown_km: The same, each road's length shared among its points.
        assumed: Points without a tag for which the law's limit is told, marked as such.
        untold: Points without a tag whose limit stays unknown.
        signed: Points without a tag whose limit is shown as signed: must be none.
    """

    name: str
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    right_km: float = 0.0
    wrong_km: float = 0.0
    unknown_km: float = 0.0
    assumed: int = 0
    untold: int = 0
    signed: int = 0
    build_s: float = 0.0
    bytes: int = 0
    query_us: float = 0.0


def maps_dir() -> Path:
    return Path(os.environ.get("ADAS_SHARED_DATA") or ROOT.parent / "shared" / "data") / "maps"


def judge(name: str, folder: Path) -> Tally:
    """Build one extract and ask it every point of its truth table."""
    source, country = EXTRACTS[name]
    data = maps_dir()
    out = folder / f"{name}.map"
    began_s = time.perf_counter()
    build_map([data / "osm" / source], out, country=country, borders=None if country else data / "country_borders.json")
    tally = Tally(name=name, build_s=time.perf_counter() - began_s, bytes=out.stat().st_size)
    truth = data / "osm" / f"{name}.maxspeed_truth.csv"
    store, defaults = MapStore(out), load_defaults()
    with open(truth, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = read_points(truth)
    began_s = time.perf_counter()
    answers = [ask(store, defaults, item.point, item.course_rad) for item in asked]
    tally.query_us = (time.perf_counter() - began_s) / len(asked) * 1e6
    lengths: dict[str, float] = defaultdict(float)
    for number in range(1, store.meta["edges"] + 1):
        edge = store.edge(number)
        assert edge is not None
        lengths[str(edge.way.way_id)] += edge.length_m / 1000.0
    points: dict[str, int] = defaultdict(int)
    for row in rows:
        points[row["osm_way_id"]] += 1
    for row, answer in zip(rows, answers, strict=True):
        kind, limit = answer.limit.kind, answer.limit.limit_mps
        km = lengths[row["osm_way_id"]] / points[row["osm_way_id"]]
        if row["kind"] not in ("explicit", "no_limit"):
            tally.signed += kind is LimitKind.EXPLICIT
            tally.untold += kind is LimitKind.UNKNOWN
            tally.assumed += kind in (LimitKind.IMPLICIT, LimitKind.NO_LIMIT)
            continue
        expected = float(row["expected_kmh"]) if row["expected_kmh"] else None
        if kind is LimitKind.UNKNOWN:
            tally.unknown += 1
            tally.unknown_km += km
        elif (expected is None) == (limit is None) and (
            expected is None or (limit is not None and abs(mps_to_kmh(limit) - expected) < SAME_KMH)
        ):
            tally.right += 1
            tally.right_km += km
        else:
            tally.wrong += 1
            tally.wrong_km += km
    return tally


def total(tallies: list[Tally]) -> Tally:
    found = Tally(name="all")
    for tally in tallies:
        for key, value in asdict(tally).items():
            if key not in ("name", "query_us"):
                setattr(found, key, getattr(found, key) + value)
    asked = [(t.query_us, t.right + t.wrong + t.unknown + t.assumed + t.untold) for t in tallies]
    found.query_us = sum(us * count for us, count in asked) / max(1, sum(count for _, count in asked))
    return found


def evaluate() -> list[Tally]:
    with tempfile.TemporaryDirectory() as folder:
        tallies = [judge(name, Path(folder)) for name in EXTRACTS]
    return [*tallies, total(tallies)]


def share(part: float, *parts: float) -> str:
    whole = part + sum(parts)
    return f"{100.0 * part / whole:.1f} %" if whole else "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true", help="print the figures for machines")
    options = parser.parse_args()
    if not maps_dir().is_dir():
        print("no shared maps: set ADAS_SHARED_DATA", file=sys.stderr)
        return 2
    tallies = evaluate()
    result: dict[str, Any] = {"truth": [asdict(tally) for tally in tallies]}
    if options.json:
        print(json.dumps(result, indent=2))
        return 0
    print(
        "extract            points  right  wrong unknown | km right  wrong unknown | no tag: law unknown signed | query"
    )
    for t in tallies:
        print(
            f"{t.name:18} {t.right + t.wrong + t.unknown:6} {share(t.right, t.wrong, t.unknown):>7} "
            f"{share(t.wrong, t.right, t.unknown):>6} {share(t.unknown, t.right, t.wrong):>6} | "
            f"{share(t.right_km, t.wrong_km, t.unknown_km):>8} {share(t.wrong_km, t.right_km, t.unknown_km):>7} "
            f"{share(t.unknown_km, t.right_km, t.wrong_km):>7} | {t.assumed:14} {t.untold:7} {t.signed:6} | "
            f"{t.query_us:4.0f} us"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
