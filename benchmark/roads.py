"""Horizon and speed assistance along drives over real roads, by the map alone, against the truth tables.

    python benchmark/roads.py [--km 12] [--drives 4] [--json]

A car is driven at random through each extract (its own roads give the path, one-way streets and all), with a receiver
whose error wanders by 3 m. What is told is judged metre by metre on every way that the shared truth table names, and on
those whose `maxspeed` is a plain number (read here by itself, not by the store's reader); a limit may be late by 2 s.
Roads without any tag are driven as well: there nothing may be told as signed.
"""

from __future__ import annotations

import argparse
import csv
import json
import math
import random
import re
import tempfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from horizon import EXTRACTS, maps_dir
from rows import Row

from adas_runtime.executor import Executor
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import default_graph
from adas_runtime.horizon.build import build_map
from adas_runtime.horizon.geo import course_rad, moved
from adas_runtime.horizon.match import exits
from adas_runtime.horizon.roads import Edge
from adas_runtime.horizon.store import MapStore
from adas_runtime.market import load_market, market_names
from adas_runtime.replay.limits import DUE_AFTER_S
from adas_runtime.signals import BodyState, FixStatus, LimitKind, PoseFix, SpeedLimitState, Stage, VehicleState
from adas_runtime.units import kmh_to_mps, mph_to_mps, mps_to_kmh
from adas_runtime.vehicle import load_vehicle

PERIOD_S: Final = 0.1
NOISE_M: Final = 3.0
MEMORY: Final = 0.98  # of the receiver's error from one fix to the next
SAME_KMH: Final = 0.2
NOT_RUN: Final = frozenset({"lane_departure", "headlamps", "signal_lamps", "arbiter"})
PLAIN: Final = re.compile(r"(\d{1,3})(?: (mph))?")
NOT_PLAIN: Final = (
    "maxspeed:forward",
    "maxspeed:backward",
    "maxspeed:conditional",
    "maxspeed:lanes",
    "maxspeed:variable",
)
DRIVEN: Final = ("track", "service", "road")  # classes that a car seldom drives along: kept out of the paths


@dataclass(kw_only=True)
class Tally:
    """Metres on one class of road."""

    right: float = 0.0
    late: float = 0.0
    wrong: float = 0.0
    unknown: float = 0.0
    untagged: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def judged(self) -> float:
        return self.right + self.late + self.wrong + self.unknown


def truth_of(extract: Path, table: Path) -> tuple[dict[int, float | None], set[int]]:
    """Expected limit per way [km/h], `None` for none; and the ways without any tag of a limit."""
    import osmium

    found: dict[int, float | None] = {}
    bare: set[int] = set()
    ways = osmium.FileProcessor(str(extract), osmium.osm.WAY).with_filter(osmium.filter.KeyFilter("highway"))
    for way in ways:
        tags = dict(way.tags)
        number = PLAIN.fullmatch(tags.get("maxspeed", ""))
        if not any("maxspeed" in key for key in tags) and not any(key.startswith("zone:") for key in tags):
            bare.add(way.id)
        elif number and not any(key in tags for key in NOT_PLAIN):
            value = float(number[1])
            found[way.id] = mps_to_kmh(mph_to_mps(value)) if number[2] else value
    rows: dict[int, set[float | None]] = defaultdict(set)
    with open(table, encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["kind"] in ("explicit", "no_limit"):
                way_id = int(row["osm_way_id"])
                rows[way_id].add(float(row["expected_kmh"]) if row["expected_kmh"] else None)
    for way_id, values in rows.items():
        if len(values) == 1:  # of several, one a direction, none is judged
            found[way_id] = next(iter(values))
        else:
            found.pop(way_id, None)
    return found, bare


def path_of(store: MapStore, known: set[int], length_m: float, chance: random.Random) -> list[tuple[Edge, bool]]:
    """A way through the extract that begins on a road with a known limit and ends where no road goes on."""
    starts = [
        edge
        for number in range(1, int(store.meta["edges"]) + 1)
        if (edge := store.edge(number)) is not None and edge.way.way_id in known and edge.length_m > 30.0
    ]
    edge = chance.choice(starts)
    found = [(edge, True if edge.way.is_oneway else chance.random() < 0.5)]
    driven_m, visits = edge.length_m, defaultdict[int, int](int)
    while driven_m < length_m:
        edge, is_forward = found[-1]
        choices = [
            item
            for item in exits(store, edge, is_forward)
            if item[0].way.highway not in DRIVEN and item[0].edge_id != edge.edge_id
        ]
        if not choices:
            break
        least = min(visits[item[0].edge_id] for item in choices)
        chosen = chance.choice([item for item in choices if visits[item[0].edge_id] == least])
        visits[chosen[0].edge_id] += 1
        found.append(chosen)
        driven_m += chosen[0].length_m
    return found


def speed_on(edge: Edge, expected: dict[int, float | None]) -> float:
    limit = expected.get(edge.way.way_id, 40.0)
    return max(5.0, min(kmh_to_mps(0.9 * (limit if limit is not None else 130.0)), 36.0))


def drive(
    store: MapStore,
    country: str,
    path: list[tuple[Edge, bool]],
    expected: dict[int, float | None],
    bare: set[int],
    tallies: dict[str, Tally],
    seed: int,
) -> None:
    """Drive a path and judge what is told on it."""
    market = load_market(country if country in market_names() else "de", is_dated=False)
    context = BuildContext(market=market, vehicle=load_vehicle("reference"), roads=store)
    stages = {**market.stages(), "isa": Stage.ON}
    executor = Executor(default_graph(), context, stages, process=Process.DECISION, without=NOT_RUN)
    chance = random.Random(seed)
    error = [0.0, 0.0]
    now_s, former_course, told = 1000.0, None, None
    history: list[tuple[float, float | None, int]] = []
    for edge, is_forward in path:
        points = edge.points if is_forward else edge.points[::-1]
        along = edge.along_m if is_forward else tuple(edge.length_m - value for value in reversed(edge.along_m))
        speed, at_m, index = speed_on(edge, expected), 0.0, 0
        while at_m < edge.length_m:
            while index < len(along) - 2 and along[index + 1] <= at_m:
                index += 1
            course = course_rad(points[index], points[index + 1])
            share = min(1.0, (at_m - along[index]) / max(along[index + 1] - along[index], 1e-6))
            (a, b), (c, d) = points[index], points[index + 1]
            for axis in (0, 1):
                noise = math.sqrt(1.0 - MEMORY**2) * NOISE_M * chance.gauss(0.0, 1.0)
                error[axis] = MEMORY * error[axis] + noise
            place = moved((a + share * (c - a), b + share * (d - b)), *error)
            turned = 0.0 if former_course is None else math.remainder(course - former_course, math.tau)
            former_course = course
            emissions = []
            while (due_s := executor.next_due_s()) is not None and due_s < now_s:
                emissions += executor.advance(due_s)
            rate = max(-4.0, min(4.0, turned / PERIOD_S))
            vehicle = VehicleState(stamp_s=now_s, speed_mps=speed, yaw_rate_rps=rate)
            emissions += executor.offer("/vehicle/state", vehicle, now_s)
            emissions += executor.offer("/vehicle/body", BodyState(stamp_s=now_s, indicated_speed_mps=speed), now_s)
            fix = PoseFix(
                stamp_s=now_s,
                latitude_deg=place[0],
                longitude_deg=place[1],
                position_std_m=NOISE_M,
                status=FixStatus.FIX,
            )
            emissions += executor.offer("/pose/fix", fix, now_s)
            for item in emissions:
                if isinstance(item.signal, SpeedLimitState):
                    told = item.signal
            way_id = edge.way.way_id
            if way_id in expected:
                history.append((now_s, expected[way_id], way_id))
            if told is not None and now_s > 1005.0:  # the first match takes some metres
                tally = tallies[edge.way.highway.removesuffix("_link")]
                _judge(tally, told, way_id, expected, bare, history, now_s, speed * PERIOD_S)
            now_s = round(now_s + PERIOD_S, 6)
            at_m += speed * PERIOD_S


def _judge(
    tally: Tally,
    told: SpeedLimitState,
    way_id: int,
    expected: dict[int, float | None],
    bare: set[int],
    history: list[tuple[float, float | None, int]],
    now_s: float,
    driven_m: float,
) -> None:
    if way_id in bare:
        kind = "unknown" if told.kind is LimitKind.UNKNOWN else told.source.name.lower()
        if kind == "map" and any(_is(told, value) for at_s, value, _ in history[-40:] if now_s - at_s <= DUE_AFTER_S):
            kind = "late"  # the limit of the road before, while it may still be shown
        tally.untagged[kind] += driven_m
    elif way_id in expected:
        if told.kind is LimitKind.UNKNOWN:
            tally.unknown += driven_m
        elif _is(told, expected[way_id]):
            tally.right += driven_m
        elif any(_is(told, value) for at_s, value, _ in history[-40:] if now_s - at_s <= DUE_AFTER_S):
            tally.late += driven_m
        else:
            tally.wrong += driven_m


def _is(told: SpeedLimitState, expected_kmh: float | None) -> bool:
    if expected_kmh is None:
        return told.kind is LimitKind.NO_LIMIT
    return told.limit_mps is not None and abs(mps_to_kmh(told.limit_mps) - expected_kmh) < SAME_KMH


def evaluate(km: float, drives: int) -> dict[str, dict[str, Tally]]:
    """Tallies by extract and class of road."""
    found: dict[str, dict[str, Tally]] = {}
    data = maps_dir()
    with tempfile.TemporaryDirectory() as folder:
        for name, (source, country) in EXTRACTS.items():
            out = Path(folder) / f"{name}.map"
            borders = None if country else data / "country_borders.json"
            build_map([data / "osm" / source], out, country=country, borders=borders)
            store = MapStore(out)
            expected, bare = truth_of(data / "osm" / source, data / "osm" / f"{name}.maxspeed_truth.csv")
            tallies: dict[str, Tally] = defaultdict(Tally)
            for number in range(drives):
                chance = random.Random(f"{name} {number}")
                path = path_of(store, set(expected), km * 1000.0, chance)
                drive(store, name[-2:] if country else "", path, expected, bare, tallies, number)
            found[name] = dict(tallies)
    return found


def total(tallies: list[Tally]) -> Tally:
    whole = Tally()
    for item in tallies:
        whole.right += item.right
        whole.late += item.late
        whole.wrong += item.wrong
        whole.unknown += item.unknown
        for kind, metres in item.untagged.items():
            whole.untagged[kind] += metres
    return whole


def rows(km: float = 12.0, drives: int = 4) -> list[Row]:
    """Two rows of the table of all benchmarks; none where the shared maps are not at hand."""
    if not maps_dir().is_dir():
        return []
    whole = total([item for by_class in evaluate(km, drives).values() for item in by_class.values()])
    wrong, right = 100.0 * whole.wrong / whole.judged, 100.0 * (whole.right + whole.late) / whole.judged
    signed = whole.untagged["map"] / 1000.0
    return [
        Row(
            what=f"real roads, {whole.judged / 1000.0:.0f} km by map alone: wrong",
            measured=f"{wrong:.2f} % (right {right:.1f} %)",
            value=wrong,
            budget=1.0,
            unit="%",
        ),
        Row(
            what="real roads without a tag, told as signed",
            measured=f"{signed:.2f} of {sum(whole.untagged.values()) / 1000.0:.0f} km",
            value=signed,
            unit="km",
        ),
    ]


def _line(name: str, item: Tally) -> str:
    parts = " ".join(
        f"{100.0 * part / item.judged:7.2f}" if item.judged else "      -"
        for part in (item.right, item.late, item.wrong, item.unknown)
    )
    bare = ", ".join(f"{kind} {metres / 1000.0:.1f}" for kind, metres in sorted(item.untagged.items()))
    return f"{name:34} {item.judged / 1000.0:7.1f} {parts}   {bare}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--km", type=float, default=12.0, help="longest drive")
    parser.add_argument("--drives", type=int, default=4, help="drives per extract")
    parser.add_argument("--json", action="store_true", help="print the figures for machines")
    options = parser.parse_args()
    found = evaluate(options.km, options.drives)
    if options.json:
        plain: dict[str, Any] = {
            name: {kind: vars(item) for kind, item in by_class.items()} for name, by_class in found.items()
        }
        print(json.dumps(plain, indent=2))
        return 0
    print(f"{'':34} {'km':>7} {'right %':>7} {'late':>7} {'wrong':>7} {'unknown':>7}   without a tag, km")
    classes: dict[str, list[Tally]] = defaultdict(list)
    for name, by_class in found.items():
        for kind, item in by_class.items():
            classes[kind].append(item)
        print(_line(name, total(list(by_class.values()))))
    for kind, items in sorted(classes.items()):
        print(_line(f"  {kind}", total(items)))
    print(_line("all", total([item for items in classes.values() for item in items])))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
