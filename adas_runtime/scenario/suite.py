"""A suite of drives, built in or a family: over several processes or machines, and again from where it stopped."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, Final, Literal

from adas_runtime.errors import AdasError
from adas_runtime.graph import Graph
from adas_runtime.market import load_market
from adas_runtime.market.schema import Market
from adas_runtime.scenario.braking import REAL_SENSOR, Drive, Ego, Outcome, brakes_of, drive, loop_graph
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import Vehicle

SUITE_FILE: Final = "suite.json"
RESULTS_FILE: Final = "results.jsonl"
BUILT_IN: Final = {"r152": "UN R152, emergency braking", "ncap": "Euro NCAP 2026, frontal"}
CHUNK: Final = 4
Engine = Literal["own", "esmini"]  # who plays an OpenSCENARIO file
Result = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is to be driven, as the command line says it; small, so that each process builds the suite of it."""

    suite: str
    market: str
    vehicle: str
    seed: int
    whole: bool
    ego: Ego = "driver"
    engine: Engine = "own"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """Drives in their order, and who judges each."""

    title: str
    drives: Sequence[Drive]
    judge: Callable[[int, Outcome], Result]
    market: Market
    vehicle: Vehicle
    graph: Graph
    ego: Ego
    digest: str  # of what decides the results

    def run(self, number: int, seed: int, *, is_traced: bool) -> Result:
        """Drive one and judge it; a failed one is driven again for its trace, where that is asked for."""
        case = self.drives[number]
        outcome = drive(case, self.market, self.vehicle, self.graph, REAL_SENSOR, seed + number, self.ego)
        found = {"number": number, "drive": case.name, **self.judge(number, outcome)}
        found["driven_s"] = round(outcome.driven_s, 2)
        if is_traced and found["verdict"] == "fail":
            trace: list[tuple[float, float, float, float | None]] = []
            drive(case, self.market, self.vehicle, self.graph, REAL_SENSOR, seed + number, self.ego, trace)
            found["trace"] = [[None if value is None else round(value, 3) for value in point] for point in trace]
            found["warned_s"], found["braked_s"] = outcome.warned_s, outcome.braked_s
        return found


def build(order: Order) -> Suite:
    """The suite of an order.

    Raises:
        AdasError: No such suite, market or vehicle, or ones that do not go together.
    """
    from adas_runtime.market.rules import check_car
    from adas_runtime.scenario import family, ncap, r152
    from adas_runtime.scenario.commonroad import CommonRoad
    from adas_runtime.scenario.openscenario import OpenScenario

    if order.ego != "driver" and order.suite in BUILT_IN:
        what = f"{BUILT_IN[order.suite]} is for a driver who does nothing"
        raise AdasError(
            what, where="--ego", mend="leave it out, or take a family, an OpenSCENARIO or a CommonRoad file"
        )

    if order.engine == "esmini" and not order.suite.endswith(".xosc"):
        raise AdasError(
            "esmini plays OpenSCENARIO files alone", where="--engine", mend="leave it out, or name a .xosc file"
        )
    market, vehicle = load_market(order.market), load_vehicle(order.vehicle)
    check_car(market, vehicle)
    brakes_of(vehicle)
    graph = loop_graph(order.ego, whole=order.whole)
    drives: Sequence[Drive]
    judge: Callable[[int, Outcome], Result]
    text = ""
    if order.suite == "r152":
        if vehicle.category != "M1" and vehicle.category != "N1":
            what = f"UN R152 is for M1 and N1, the vehicle is {vehicle.category}"
            raise AdasError(what, where=f"vehicle {vehicle.name}", mend="take ncap or a family of yours")
        law = list(r152.cases(vehicle.category))
        drives, title = [case.drive for case in law], BUILT_IN["r152"]

        def judge(number: int, outcome: Outcome) -> Result:
            return r152.as_json(r152.judge(law[number], outcome))

    elif order.suite == "ncap":
        tests = list(ncap.cases(vehicle.dimensions.width_m))
        drives, title = [case.drive for case in tests], BUILT_IN["ncap"]

        def judge(number: int, outcome: Outcome) -> Result:
            return ncap.as_json(ncap.Judged(case=tests[number], outcome=outcome))

    elif order.engine == "esmini":
        from adas_runtime.scenario.esmini import Esmini

        played = Esmini(Path(order.suite), vehicle)
        drives, title, text = played.drives, played.title, played.text

        def judge(number: int, outcome: Outcome) -> Result:
            return played.judged(number, outcome)

    elif order.suite.endswith((".xosc", ".xml")):
        path = Path(order.suite)
        scenario = OpenScenario(path, vehicle) if path.suffix == ".xosc" else CommonRoad(path, vehicle)
        drives, title, text = [case.drive for case in scenario.cases], scenario.title, scenario.text

        def judge(number: int, outcome: Outcome) -> Result:
            return scenario.judged(number, outcome)

    else:
        path = family.family_path(order.suite)
        spread = family.Family(path, order.ego)
        drives, title, text = [case.drive for case in spread.cases], spread.file.title, path.read_text(encoding="utf-8")

        def judge(number: int, outcome: Outcome) -> Result:
            return spread.judged(spread.cases[number], outcome)

    decides = [
        text,
        market.digest,
        vehicle.model_dump_json(),
        str(order.seed),
        str(order.whole),
        order.ego,
        order.engine,
        order.suite,
    ]
    digest = hashlib.sha256("\n".join(decides).encode()).hexdigest()
    return Suite(
        title=title,
        drives=drives,
        judge=judge,
        market=market,
        vehicle=vehicle,
        graph=graph,
        ego=order.ego,
        digest=digest,
    )


def run(order: Order, jobs: int = 1, out: Path | None = None, *, with_ray: bool = False) -> Iterator[Result]:
    """Every result in the suite's order; the same with any number of jobs, and with Ray.

    Args:
        jobs: Processes that drive side by side.
        with_ray: Over the machines of a Ray cluster; `jobs` counts where there is none but this machine.
        out: Folder that keeps the results; what it holds already is not driven again.
    Raises:
        AdasError: As `build`; or the folder holds another suite's results, or cannot be written.
    """
    suite = build(order)
    if out is None:
        yield from _driven(suite, order, range(len(suite.drives)), jobs, is_traced=False, with_ray=with_ray)
        return
    done = _opened(suite, order, out)
    left = [number for number in range(len(suite.drives)) if number not in done]
    fresh = _driven(suite, order, left, jobs, is_traced=True, with_ray=with_ray)
    try:
        with (out / RESULTS_FILE).open("a", encoding="utf-8") as file:
            for number in range(len(suite.drives)):
                found = done.get(number)
                if found is None:
                    found = next(fresh)
                    file.write(json.dumps(found) + "\n")
                    file.flush()
                yield found
    except OSError as error:
        raise AdasError(f"cannot be written ({error.strerror})", where=str(out), mend="take another --out") from error


def _driven(
    suite: Suite, order: Order, numbers: Sequence[int], jobs: int, *, is_traced: bool, with_ray: bool
) -> Iterator[Result]:
    if with_ray:
        from adas_runtime.scenario.cluster import spread_out

        yield from spread_out(partial(_several, order, suite.digest, is_traced), numbers, jobs)
        return
    if jobs == 1 or len(numbers) <= CHUNK:
        for number in numbers:
            yield suite.run(number, order.seed, is_traced=is_traced)
        return
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(_one, [(order, number, is_traced) for number in numbers], chunksize=CHUNK)


def _one(work: tuple[Order, int, bool]) -> Result:
    order, number, is_traced = work
    return _built(order).run(number, order.seed, is_traced=is_traced)


def _several(order: Order, digest: str, is_traced: bool, numbers: Sequence[int]) -> list[Result]:
    """Of a machine that may be another one: it has to read what we read."""
    suite = _built(order)
    if suite.digest != digest:
        what = "another machine of the cluster reads another suite, market or vehicle"
        raise AdasError(what, where=order.suite, mend="install the same there, and name files that all machines see")
    return [suite.run(number, order.seed, is_traced=is_traced) for number in numbers]


@lru_cache(maxsize=1)
def _built(order: Order) -> Suite:
    """Of a process that lives for one run."""
    return build(order)


def _opened(suite: Suite, order: Order, out: Path) -> dict[int, Result]:
    """What the folder holds of this suite already; makes the folder where there is none."""
    described = out / SUITE_FILE
    try:
        out.mkdir(parents=True, exist_ok=True)
        if described.exists():
            if read_suite(out)["digest"] != suite.digest:
                raise AdasError(
                    "holds results of another suite, market, vehicle or seed", where=str(out), mend="take another --out"
                )
            return {item["number"]: item for item in read_results(out)}
        if any(out.iterdir()):
            raise AdasError("is not empty", where=str(out), mend="take another --out")
        about = {**asdict(order), "title": suite.title, "drives": len(suite.drives), "digest": suite.digest}
        described.write_text(json.dumps(about, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise AdasError(f"cannot be written ({error.strerror})", where=str(out), mend="take another --out") from error
    return {}


def read_suite(out: Path) -> dict[str, Any]:
    """What a folder's suite is.

    Raises:
        AdasError: It is no such folder.
    """
    try:
        found = json.loads((out / SUITE_FILE).read_text(encoding="utf-8"))
        if isinstance(found, dict) and isinstance(found["digest"], str) and isinstance(found["drives"], int):
            return found
    except (OSError, ValueError, KeyError, RecursionError):
        pass
    raise AdasError("is no folder of adas scenario run --out", where=str(out), mend="name such a folder")


def read_results(out: Path) -> list[Result]:
    """The results of a folder; a last line that a kill cut short is left out, so that it is driven again.

    Raises:
        AdasError: The file holds something else.
    """
    path = out / RESULTS_FILE
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True)
    found: dict[int, Result] = {}
    for index, line in enumerate(lines):
        item = _whole(line)
        if item is not None:
            found[item["number"]] = item
        elif index == len(lines) - 1:
            path.write_text("".join(lines[:index]), encoding="utf-8")
        else:
            raise AdasError("is damaged", where=f"{path}:{index + 1}", mend="remove the line, or take another --out")
    return [found[number] for number in sorted(found)]


def _whole(line: str) -> Result | None:
    """A line's result; `None` where it is none."""
    try:
        item = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(item, dict) or not isinstance(item.get("number"), int) or not line.endswith("\n"):
        return None
    return item if {"verdict", "scenario", "parameters", "impact_kmh", "warning_lead_s"} <= item.keys() else None


def by_scenario(results: Sequence[Result]) -> dict[str, list[Result]]:
    """The results of each scenario, in the order of its first."""
    found: dict[str, list[Result]] = {}
    for item in results:
        found.setdefault(item["scenario"], []).append(item)
    return found


def rows(results: Sequence[Result]) -> list[tuple[str, ...]]:
    """The table that is printed: one row a scenario."""
    found: list[tuple[str, ...]] = []
    for family, items in by_scenario(results).items():
        hardest = max(items, key=lambda item: item["impact_kmh"])
        limit = hardest.get("impact_limit_kmh")
        leads = [item["warning_lead_s"] for item in items if item["warning_lead_s"] is not None]
        verdicts = [item["verdict"] for item in items]
        found.append(
            (
                family,
                str(len(items)),
                str(verdicts.count("pass")),
                str(verdicts.count("fail") or "-"),
                str(verdicts.count("not_applicable") or "-"),
                f"{hardest['impact_kmh']:.0f} km/h" if hardest["impact_kmh"] else "none",
                "-" if limit is None else f"{limit:.0f} km/h",
                f"{min(leads):.2f} s" if leads else "-",
            )
        )
    return found


HEADS: Final = ("scenario", "drives", "pass", "fail", "n/a", "hardest impact", "permitted there", "shortest lead")
