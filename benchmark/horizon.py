"""The map store against ground truth, and how it grows.

    python benchmark/horizon.py                 right, wrong and unknown of the shared truth tables, and the step times
    python benchmark/horizon.py --grow          also stores of generated grids up to a million ways (minutes)
    python benchmark/horizon.py --json

The shared data is found through ADAS_SHARED_DATA, or beside the checkout. Shares are of points, and of kilometres: a
road's length is shared among its points.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from rows import Row

from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.core import Inputs, MapHorizon
from adas_runtime.horizon.geo import moved
from adas_runtime.horizon.limits import limit_on
from adas_runtime.horizon.points import read_points
from adas_runtime.horizon.query import ask
from adas_runtime.horizon.store import MapStore
from adas_runtime.horizon.tags import NO_RULE
from adas_runtime.market.laws import ShippedLaws
from adas_runtime.signals import FixStatus, LimitKind, PoseFix, VehicleState
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
        law_right, law_wrong, law_unknown: Points with a known limit, had their tag been missing: what the law's limit,
            by the road's class and surroundings, is worth. Tagged roads are the signed ones, so it is the worst case.
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
    law_right: int = 0
    law_wrong: int = 0
    law_unknown: int = 0
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
    store, laws = MapStore(out), ShippedLaws()
    with open(truth, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    asked = read_points(truth)
    began_s = time.perf_counter()
    answers = [ask(store, laws, item.point, item.course_rad) for item in asked]
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
        if answer.spot is not None:
            way, is_forward = answer.spot.edge.way, answer.spot.is_forward
            bare = replace(way, forward=NO_RULE, backward=NO_RULE)
            law = limit_on(bare, is_forward, laws)
            told = law.limit_mps
            is_right = (expected is None) == (told is None) and (
                expected is None or (told is not None and abs(mps_to_kmh(told) - expected) < SAME_KMH)
            )
            tally.law_unknown += law.kind is LimitKind.UNKNOWN
            tally.law_right += law.kind is not LimitKind.UNKNOWN and is_right
            tally.law_wrong += law.kind is not LimitKind.UNKNOWN and not is_right
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


GROWTH: Final = (10_000, 100_000, 1_000_000)  # ways
BLOCK_DEG: Final = 0.0015
MATCH_BUDGET_MS: Final = 1.0


def write_grid(path: Path, ways: int) -> None:
    """An extract of a town of square blocks: every street of a block is a way with a bend, every second one tagged."""
    import osmium

    n = math.isqrt(ways // 2)
    limits = ("50", "30", "DE:urban", None)
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        for number in range(3 * n * n):  # a junction, and a bend on the way to the east and to the north
            row, column, part = number // (3 * n), number // 3 % n, number % 3
            latitude = 48.0 + BLOCK_DEG * (row + (0.5 if part == 2 else 0.02 if part == 1 else 0.0))
            longitude = 8.0 + BLOCK_DEG * (column + (0.5 if part == 1 else 0.02 if part == 2 else 0.0))
            writer.add_node(osmium.osm.mutable.Node(id=number + 1, location=(longitude, latitude)))
        for number in range(2 * n * n):
            row, column, part = number // (2 * n), number // 2 % n, number % 2
            start = 3 * (row * n + column)
            end = 3 * ((row + part) % n * n + (column + 1 - part) % n)
            if (row + part) == n or (column + 1 - part) == n:
                continue
            tags = {
                "highway": "residential" if number % 3 else "secondary",
                "name": f"Street {row if not part else column}",
            }
            limit = limits[number % 4]
            if limit is not None:
                tags["maxspeed"] = limit
            nodes = [start + 1, start + 2 + part, end + 1]
            writer.add_way(osmium.osm.mutable.Way(id=number + 1, nodes=nodes, tags=tags))


def grown(ways: int, folder: Path) -> dict[str, float]:
    """Size, time and memory of a store of so many ways, in a process of its own."""
    extract, out = folder / f"grid_{ways}.osm.pbf", folder / f"grid_{ways}.map"
    write_grid(extract, ways)
    code = (
        "import sys, resource, time, pathlib\n"
        "from adas_runtime.horizon.build import build_map\n"
        "began = time.process_time(); source, out = map(pathlib.Path, sys.argv[1:])\n"
        "counts = build_map([source], out, country='DE')\n"
        "print(counts.ways, time.process_time() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)"
    )
    told = subprocess.run(
        [sys.executable, "-c", code, str(extract), str(out)], check=True, capture_output=True, text=True
    ).stdout.split()
    began_s = time.perf_counter()
    store, laws = MapStore(out), ShippedLaws()
    open_ms = (time.perf_counter() - began_s) * 1e3
    generator = np.random.default_rng(7)
    side = math.isqrt(ways // 2) * BLOCK_DEG
    points = [(48.0 + side * a, 8.0 + side * b) for a, b in generator.random((2000, 2))]
    times = []
    for point in points:
        began_ns = time.process_time_ns()
        ask(store, laws, point, 0.0)
        times.append((time.process_time_ns() - began_ns) / 1e3)
    times.sort()
    row = 48.0 + BLOCK_DEG * (math.isqrt(ways // 2) // 2)  # a street, not a garden
    match_us = match_times(store, (row, 8.0 + side / 4), 600)
    extract_mb = extract.stat().st_size / 1e6
    extract.unlink()
    return {
        "ways": float(told[0]),
        "build_s": float(told[1]),
        "build_mb": float(told[2]),
        "extract_mb": extract_mb,
        "file_mb": out.stat().st_size / 1e6,
        "open_ms": open_ms,
        "query_p50_us": times[len(times) // 2],
        "query_p99_us": times[int(0.99 * len(times))],
        "match_p50_us": match_us[len(match_us) // 2],
        "match_p99_us": match_us[int(0.99 * len(match_us))],
    }


def match_times(store: MapStore, start: tuple[float, float], steps: int) -> list[float]:
    """CPU times of the horizon's step on a drive to the east, 15 m/s, fixes at 10 Hz, the road ahead included [us]."""
    core = MapHorizon(store, ShippedLaws())
    generator = np.random.default_rng(3)
    error = np.zeros(2)
    times = []
    for step in range(steps):
        now_s = 1000.0 + 0.1 * step
        error = 0.98 * error + 0.2 * 3.0 * generator.standard_normal(2)
        point = moved(start, 1.5 * step + float(error[0]), float(error[1]))
        fix = PoseFix(
            stamp_s=now_s, latitude_deg=point[0], longitude_deg=point[1], heading_rad=0.0, status=FixStatus.FIX
        )
        vehicle = VehicleState(stamp_s=now_s, speed_mps=15.0, yaw_rate_rps=0.0)
        began_ns = time.process_time_ns()
        core.step(Inputs(fix=fix, vehicle=vehicle), now_s)
        times.append((time.process_time_ns() - began_ns) / 1e3)
    return sorted(times)


def rows() -> list[Row]:
    """The matcher's budget and the truth tables' wrong share, for the table of all benchmarks."""
    with tempfile.TemporaryDirectory() as folder:
        extract, out = Path(folder) / "grid.osm.pbf", Path(folder) / "grid.map"
        write_grid(extract, 10_000)
        build_map([extract], out, country="DE")
        times = match_times(MapStore(out), (48.0 + 35 * BLOCK_DEG, 8.02), 900)
    middle, late = times[len(times) // 2] / 1e3, times[int(0.99 * len(times))] / 1e3
    found = [
        Row(
            what="horizon: one step, median",
            measured=f"{middle:.2f} ms",
            value=middle,
            budget=MATCH_BUDGET_MS,
            unit="ms",
        ),
        Row(what="horizon: one step, p99", measured=f"{late:.2f} ms", value=late, unit="ms"),
    ]
    if maps_dir().is_dir():
        every = evaluate()[-1]
        km = every.right_km + every.wrong_km + every.unknown_km
        for what, part, budget in (("wrong", every.wrong_km, 1.0), ("unknown", every.unknown_km, None)):
            value = 100.0 * part / km
            text = f"{value:.2f} %"
            found.append(Row(what=f"map limits {what}, km", measured=text, value=value, budget=budget, unit="%"))
    return found


def share(part: float, *parts: float) -> str:
    whole = part + sum(parts)
    return f"{100.0 * part / whole:.1f} %" if whole else "-"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grow", action="store_true", help="also build and ask grids up to a million ways")
    parser.add_argument("--sizes", help="sizes of the grids, in ways, separated by commas")
    parser.add_argument("--json", action="store_true", help="print the figures for machines")
    options = parser.parse_args()
    if not maps_dir().is_dir():
        print("no shared maps: set ADAS_SHARED_DATA", file=sys.stderr)
        return 2
    tallies = evaluate()
    result: dict[str, Any] = {"truth": [asdict(tally) for tally in tallies]}
    sizes = tuple(int(text) for text in options.sizes.split(",")) if options.sizes else GROWTH if options.grow else ()
    with tempfile.TemporaryDirectory() as folder:
        result["growth"] = [grown(ways, Path(folder)) for ways in sizes]
    if options.json:
        print(json.dumps(result, indent=2))
        return 0
    print(
        "extract            points  right  wrong unknown | km right  wrong unknown | no tag: law unknown signed | "
        "law alone: right  wrong unknown | query"
    )
    for t in tallies:
        print(
            f"{t.name:18} {t.right + t.wrong + t.unknown:6} {share(t.right, t.wrong, t.unknown):>7} "
            f"{share(t.wrong, t.right, t.unknown):>6} {share(t.unknown, t.right, t.wrong):>6} | "
            f"{share(t.right_km, t.wrong_km, t.unknown_km):>8} {share(t.wrong_km, t.right_km, t.unknown_km):>7} "
            f"{share(t.unknown_km, t.right_km, t.wrong_km):>7} | {t.assumed:14} {t.untold:7} {t.signed:6} | "
            f"{share(t.law_right, t.law_wrong, t.law_unknown):>16} {share(t.law_wrong, t.law_right, t.law_unknown):>6} "
            f"{share(t.law_unknown, t.law_right, t.law_wrong):>6} | {t.query_us:4.0f} us"
        )
    for item in result["growth"]:
        print(", ".join(f"{key} {value:.6g}" for key, value in item.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
