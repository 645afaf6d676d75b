"""`adas scenario`: encounters judged by the models of UN R157, and suites driven in the closed loop."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final, cast, get_args

import typer

from adas_runtime.errors import AdasError
from adas_runtime.units import kmh_to_mps, mps_to_kmh

FAILED_SHOWN: Final = 20
REASONS_SHOWN: Final = 5
CASES_MAX: Final = 2_000_000
# what each event is described by, beside our speed
NEEDS: Final = {"cut-in": ("other", "gap", "lateral"), "cut-out": ("ahead", "lateral"), "braking": ("decel",)}


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="scenario",
        help="Encounters: judged by the models of UN R157, or driven in the closed loop.",
        no_args_is_help=True,
    )
    group.command("reference")(reference)
    group.command("run")(run)
    group.command("report")(report)
    group.command("list")(list_suites)
    app.add_typer(group)


def reference(
    event: Annotated[str, typer.Argument(help="What the other car does: cut-in, cut-out or braking.")],
    ego: Annotated[str, typer.Option(help="Our speed [km/h]: 60, 20,40,60 or 20:130:10.")],
    other: Annotated[str, typer.Option(help="Speed of the car that cuts in [km/h].")] = "",
    gap: Annotated[
        str, typer.Option(help="From its rear to our front as it begins [m]; by default 2.0 s behind a car ahead.")
    ] = "",
    lateral: Annotated[str, typer.Option(help="Its speed across, in and out [m/s].")] = "",
    decel: Annotated[str, typer.Option(help="Braking of the car ahead [m/s^2].")] = "",
    ahead: Annotated[str, typer.Option(help="Cut-out: from its front to the stopped vehicle [m].")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a case, one a line.")] = False,
) -> int:
    """Whether a careful driver (CCD), the fuzzy model (FSM) and RSS avoid it, and whether an ALKS must (UN R157)."""
    import numpy as np

    from adas_runtime.alks.reference import Event, Model, Verdict, assess, must_avoid

    if event not in NEEDS:
        raise AdasError(f"{event!r} is unknown", where="scenario reference", mend=f"take {', '.join(NEEDS)}")
    given = {"other": other, "gap": gap, "lateral": lateral, "decel": decel, "ahead": ahead}
    used = NEEDS[event]
    for name, text in given.items():
        if name in used and not text:
            raise AdasError(f"{event} needs it", where=f"--{name}", mend="give a number, a list or FROM:TO:STEP")
        if text and name not in used and name != "gap":
            raise AdasError(f"means nothing for {event}", where=f"--{name}", mend="leave it out")
    axes = {"ego": numbers(ego, "ego"), **{name: numbers(text, name) for name, text in given.items() if text}}
    if math.prod(len(axis) for axis in axes.values()) > CASES_MAX:
        raise AdasError(f"more than {CASES_MAX} cases", where="the grid", mend="take wider steps")
    grid: dict[str, Any] = dict(zip(axes, (a.ravel() for a in np.meshgrid(*axes.values(), indexing="ij")), strict=True))
    ego_mps = grid["ego"] * kmh_to_mps(1.0)
    facts: dict[str, Any] = {"ego_mps": ego_mps, "distance_m": grid.get("gap", 2.0 * ego_mps)}  # R157: THW of 2.0 s
    if "other" in grid:
        facts["other_mps"] = grid["other"] * kmh_to_mps(1.0)
    for name, key in (("lateral", "lateral_mps"), ("decel", "decel_mps2"), ("ahead", "ahead_m")):
        if name in grid:
            facts[key] = grid[name]
    try:
        judged = {model: assess(model, Event(event.replace("-", "_")), **facts) for model in Model}
    except ValueError as error:
        raise AdasError(str(error), where="the grid", mend="correct the numbers") from error
    preventable = [judged[model].verdict != Verdict.UNPREVENTABLE for model in (Model.CCD, Model.FSM)]
    demanded = np.zeros(len(ego_mps), bool)
    if event == "cut-in":
        demanded = must_avoid(ego_mps - facts["other_mps"], facts["distance_m"], facts["lateral_mps"])
    must = demanded | preventable[0] | preventable[1]
    if as_json:
        _print_cases(event, {**grid, "gap": facts["distance_m"]}, judged, demanded, must)
        return 0
    from adas_runtime.console import print_table

    rows = []
    for model in Model:
        shares = [float((judged[model].verdict == verdict).mean()) for verdict in Verdict]
        hits = judged[model].value[judged[model].verdict == Verdict.UNPREVENTABLE]
        worst = f"{mps_to_kmh(float(hits.max())):.0f} km/h" if len(hits) else "-"
        rows.append((model.value.upper(), *(f"{share:.1%}" for share in shares), worst))
    heads = ("model", *(verdict.name.lower().replace("_", " ") for verdict in Verdict), "hardest impact")
    print_table(heads, rows)
    print(
        f"{len(must)} cases of {event}; an ALKS must avoid {must.mean():.1%}"
        + (f" ({demanded.mean():.1%} by R157 5.2.5.2 itself)" if event == "cut-in" else "")
    )
    return 0


def run(
    suite: Annotated[
        str,
        typer.Argument(help="r152, ncap, a family (see list) or its file, or a file of OpenSCENARIO or CommonRoad."),
    ],
    market: Annotated[str, typer.Option(help="Market whose parameters hold.")] = "de",
    vehicle: Annotated[str, typer.Option(help="Vehicle file: name or path.")] = "reference",
    seed: Annotated[int, typer.Option(help="Of the sensor's noise and misses.")] = 1,
    whole: Annotated[bool, typer.Option("--whole", help="With every function of the graph, not only what brakes.")] = (
        False
    ),
    ego: Annotated[str, typer.Option(help="Who drives: driver (does nothing), or alks, automated lane keeping.")] = (
        "driver"
    ),
    engine: Annotated[
        str, typer.Option(help="Who plays an OpenSCENARIO file: own, or esmini, by the library that ESMINI_LIB names.")
    ] = "own",
    jobs: Annotated[int, typer.Option(min=1, max=256, help="Processes that drive side by side.")] = 1,
    with_ray: Annotated[
        bool, typer.Option("--ray", help="Over the Ray cluster of RAY_ADDRESS; without one, Ray on this machine.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Folder that keeps the results; a run that was stopped goes on from there.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a drive, one a line.")] = False,
) -> int:
    """Drive a suite in the closed loop: functions, arbiter, envelope, brakes, a noisy sensor; a verdict by clause."""
    import json
    import sys

    from adas_runtime.console import print_table
    from adas_runtime.scenario.braking import Ego
    from adas_runtime.scenario.suite import HEADS, Engine, Order, rows
    from adas_runtime.scenario.suite import run as run_suite

    known = get_args(Ego)
    if ego not in known:
        raise AdasError(f"{ego!r} is unknown", where="--ego", mend=f"take {' or '.join(known)}")
    engines = get_args(Engine)
    if engine not in engines:
        raise AdasError(f"{engine!r} is unknown", where="--engine", mend=f"take {' or '.join(engines)}")
    order = Order(
        suite=suite,
        market=market,
        vehicle=vehicle,
        seed=seed,
        whole=whole,
        ego=cast(Ego, ego),
        engine=cast(Engine, engine),
    )
    results = []
    is_shown = sys.stderr.isatty() and not as_json
    for item in run_suite(order, jobs, out, with_ray=with_ray):
        results.append(item)
        if as_json:
            sys.stdout.write(json.dumps({key: value for key, value in item.items() if key != "trace"}) + "\n")
        elif is_shown:
            sys.stderr.write(f"\r{len(results)} drives")
    if is_shown:
        sys.stderr.write("\r\033[K")
    failed = [item for item in results if item["verdict"] == "fail"]
    if not as_json:
        print_table(HEADS, rows(results))
        for item in failed[:FAILED_SHOWN]:
            print(f"{item['drive']}: {'; '.join(item['failures'])}")
        if len(failed) > FAILED_SHOWN:
            print(f"and {len(failed) - FAILED_SHOWN} more")
        reasons = Counter(text for item in results if item["verdict"] == "not_applicable" for text in item["failures"])
        for text, count in reasons.most_common(REASONS_SHOWN):
            print(f"not judged: {text}" + (f" ({count} drives)" if count > 1 else ""))
        goals = [item["is_goal_reached"] for item in results if "is_goal_reached" in item]
        if goals:
            print(f"goal reached in {sum(goals)} of {len(goals)}")
        print(f"{len(failed)} of {len(results)} drives fail" if failed else f"no drive of {len(results)} fails")
        if out is not None:
            print(f"adas scenario report {out}")
    return 1 if failed else 0


def report(
    folder: Annotated[Path, typer.Argument(help="Folder of adas scenario run --out.")],
) -> int:
    """Write report.html: the grid as a heat map, and a plot of each failed drive."""
    from adas_runtime.scenario.page import write_page

    print(write_page(folder))
    return 0


def list_suites() -> int:
    """The suites and families that are shipped."""
    from adas_runtime.console import print_table
    from adas_runtime.scenario.family import Family, family_names, family_path
    from adas_runtime.scenario.suite import BUILT_IN

    shown = [(name, title, "") for name, title in BUILT_IN.items()]
    for name in family_names():
        family = Family(family_path(name))
        shown.append((name, family.file.title, f"{len(family.cases)} drives over {', '.join(family.file.grid)}"))
    print_table(("suite", "what happens", ""), shown)
    return 0


def numbers(text: str, name: str) -> list[float]:
    """`60`, `20,40` or `20:130:10`, the end included.

    Raises:
        AdasError: No numbers, or none that are 0 at least.
    """
    from adas_runtime.scenario.family import spread

    try:
        if ":" in text:
            low, high, step = (float(part) for part in text.split(":"))
            found = spread(low, high, step, CASES_MAX)
        else:
            found = [float(part) for part in text.split(",")]
        if not all(math.isfinite(value) and value >= 0.0 for value in found):
            raise ValueError
    except ValueError as error:
        raise AdasError(
            f"{text!r} is no number, list or FROM:TO:STEP", where=f"--{name}", mend="write 60, 20,40 or 20:130:10"
        ) from error
    return found


def _print_cases(event: str, grid: dict[str, Any], judged: dict[Any, Any], demanded: Any, must: Any) -> None:
    import json
    import sys

    from adas_runtime.alks.reference import NEVER_M, Verdict

    units = {"ego": "ego_kmh", "other": "other_kmh", "gap": "gap_m", "lateral": "lateral_mps", "decel": "decel_mps2",
             "ahead": "ahead_m"}  # fmt: skip
    meaning = ("gap_m", "impact_mps", "gap_m")
    for index in range(len(must)):
        case: dict[str, Any] = {"event": event.replace("-", "_")}
        case |= {units[name]: round(float(axis[index]), 4) for name, axis in grid.items()}
        for model, found in judged.items():
            verdict = int(found.verdict[index])
            value = float(found.value[index])
            case[model.value] = {
                "verdict": Verdict(verdict).name.lower(),
                meaning[verdict]: None if value >= NEVER_M else round(value, 3),  # never behind each other
            }
        if event == "cut-in":
            case["is_demanded"] = bool(demanded[index])
        case["must_avoid"] = bool(must[index])
        sys.stdout.write(json.dumps(case) + "\n")
