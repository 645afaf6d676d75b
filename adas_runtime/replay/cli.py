"""`adas replay`: recordings through the graph, on the recording's clock."""

from __future__ import annotations

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from adas_runtime.errors import AdasError

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("replay")(replay)
    app.command("compare")(compare)


def replay(
    bags: Annotated[list[Path], typer.Argument(metavar="BAG...", help="rosbag2 folders or files, MCAP or SQLite3.")],
    market: Annotated[list[str], typer.Option(help="Market: name or file; give it again for another.")],
    out: Annotated[Path, typer.Option(help="Folder for the results.")],
    vehicle: Annotated[str, typer.Option(help="Vehicle: name or file; auto: by the recorded CameraInfo.")] = "auto",
    inputs: Annotated[
        str | None, typer.Option(help="Input map: name or file; without it the topics' meaning is guessed and shown.")
    ] = None,
    map_: Annotated[str | None, typer.Option("--map", help="Map file; ADAS_MAP names one as well.")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Replays that run side by side.")] = 1,
    from_: Annotated[
        str, typer.Option("--from", help="bag, or decision: use the recorded outputs of perception.")
    ] = "bag",
    copy_camera: Annotated[bool, typer.Option(help="Copy the pictures into out.mcap as well.")] = False,
    force: Annotated[bool, typer.Option(help="Replace results that are there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summaries for machines.")] = False,
) -> int:
    """Replay drives deterministically: decisions, report.html, summary.json, events.jsonl and out.mcap."""
    from adas_runtime.replay.engine import Job

    if from_ not in ("bag", "decision"):
        raise AdasError(f"{from_!r} is unknown", where="--from", mend="take bag or decision")
    pairs = [(bag, name) for bag in bags for name in dict.fromkeys(market)]  # asked for twice is done once
    is_many = len(pairs) > 1
    work = [
        Job(
            bag=bag,
            market=name,
            vehicle=vehicle,
            out=out / f"{bag.stem if bag.is_file() else bag.name}__{Path(name).stem}" if is_many else out,
            inputs=inputs,
            map=map_,
            from_decision=from_ == "decision",
            force=force,
            copy_camera=copy_camera,
            command=_command(bag, name, vehicle, inputs, map_, from_, copy_camera),
        )
        for bag, name in pairs
    ]
    names = [job.out for job in work]
    if len(set(names)) != len(names):
        raise AdasError("two bags have the same name", where=str(out), mend="replay them into different --out")
    results = _run_all(work, jobs)
    failed = 0
    summaries: list[Any] = []
    told: dict[str, None] = {}  # a bag that no market can replay is told of once
    for job, error in results:
        if error is not None:
            failed += 1
            told.setdefault(error)
            continue
        summary = json.loads((job.out / "summary.json").read_text(encoding="utf-8"))
        summaries.append(summary)
        if not as_json:
            _print(job.out, summary)
    for error in told:
        print(f"adas: {error}", file=sys.stderr)
    if is_many and summaries:
        index = _write_index(out, results)
        if not as_json:
            print(f"{len(summaries)} of {len(work)} replayed: {index}")
    if as_json:
        json.dump(summaries if is_many else (summaries[0] if summaries else {}), sys.stdout, indent=2)
        print()
    return 2 if failed else 0


def _command(
    bag: Path, market: str, vehicle: str, inputs: str | None, map_: str | None, from_: str, copy_camera: bool
) -> str:
    """What a shell needs to repeat one replay."""
    words = ["adas", "replay", str(bag), "--market", market, "--vehicle", vehicle, "--from", from_]
    words += ["--inputs", inputs] if inputs else []
    words += ["--map", map_] if map_ else []
    words += ["--copy-camera"] if copy_camera else []
    return shlex.join([*words, "--out", "DIR"])


def _write_index(out: Path, results: list[tuple[Any, str | None]]) -> Path:
    from adas_runtime.replay.report import Refused, write_index

    return write_index(
        out,
        [
            job.out if error is None else Refused(bag=str(job.bag), market=Path(job.market).stem, reason=error)
            for job, error in results
        ],
    )


def compare(
    a: Annotated[Path, typer.Argument(metavar="DIR_A", help="Folder of a replay, or of many: the reference.")],
    b: Annotated[Path, typer.Argument(metavar="DIR_B", help="Folder of the replay, or of many, to hold against it.")],
    time_s: Annotated[float, typer.Option(min=0.0, help="Tolerance of times [s].")] = 0.05,
    accel_mps2: Annotated[float, typer.Option(min=0.0, help="Tolerance of the acceleration [m/s^2].")] = 0.05,
    curvature_1pm: Annotated[float, typer.Option(min=0.0, help="Tolerance of the curvature [1/m].")] = 0.0001,
    kpi_share: Annotated[float, typer.Option(min=0.0, help="Tolerance of figures, as a share.")] = 0.02,
    strict: Annotated[bool, typer.Option("--strict", help="Every difference is a regression.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> int:
    """What changed between two replays of the same drive; exit 1 on a regression."""
    from adas_runtime.replay.compare import Tolerances, dump, show, worst
    from adas_runtime.replay.compare import compare as compare_folders

    tolerances = Tolerances(time_s=time_s, accel_mps2=accel_mps2, curvature_1pm=curvature_1pm, kpi_share=kpi_share)
    found = compare_folders(a, b, tolerances, is_strict=strict)
    if as_json:
        print(dump(found, tolerances))
    else:
        show(found)
    return 1 if worst(found) == "regression" else 0


def _run_all(work: list[Any], jobs: int) -> list[tuple[Any, str | None]]:
    if jobs == 1 or len(work) == 1:
        from adas_runtime.ingest.progress import Progress

        found = []
        for job in work:
            with Progress(f"replaying {job.bag.name}") as progress:
                found.append((job, _run_one(job, lambda share: progress.update(int(share * 1000), 1000))))
        return found
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import active_children, get_context

    spawn = get_context("spawn")
    with ProcessPoolExecutor(min(jobs, len(work)), mp_context=spawn, initializer=_end_in_order) as pool:
        try:
            # a worker starts with the signals held back: one that came while it still imports would print a traceback
            held = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
            try:
                errors = pool.map(_run_in_worker, work)
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, held)
            return list(zip(work, errors, strict=True))
        except KeyboardInterrupt:
            for child in active_children():
                child.terminate()
            raise


def _end_in_order() -> None:
    """In a worker: a signal ends it at once between two replays; a replay first removes what it began."""
    _at_stop(_end_at_once)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)


def _at_stop(handler: Callable[[int, Any], None]) -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, handler)


def _end_at_once(_number: int, _frame: object) -> None:
    os._exit(130)


def _run_in_worker(job: Any) -> str | None:
    from adas_runtime.cli import stop_once

    try:
        _at_stop(stop_once())
        error = _run_one(job)
        _at_stop(_end_at_once)
        return error
    except KeyboardInterrupt:
        os._exit(130)  # else the pool would hand this worker the next bag


def _run_one(job: Any, progress: Any = None) -> str | None:
    """The error's one line, `None` where all went well; a failing replay does not end the others."""
    from adas_runtime.replay.engine import run

    try:
        run(job, progress)
    except AdasError as error:
        return error.line()
    return None


def _print(folder: Path, summary: dict[str, Any]) -> None:
    from adas_runtime.console import print_table

    print(
        f"{summary['bag']}: market {summary['market']}, {summary['duration_s']:.1f} s in {summary['wall_s']:.1f} s "
        f"({summary['real_time_factor']:.3g} times real time), digest {summary['digest'][:16]}"
    )
    print_table(
        ("  function", "stage", "active", "alerts", "interventions", "lacks"),
        [
            (
                f"  {name}",
                function["stage"],
                f"{function['time_active_s']:.1f} s",
                f"{function['alerts']}{' in shadow' if function['alerts'] and function['stage'] == 'shadow' else ''}",
                str(function["interventions"]),
                ", ".join(f"{key} {value:.1f} s" for key, value in function["absent_s"].items()),
            )
            for name, function in summary["functions"].items()
        ],
    )
    for name, item in summary["inputs"].items():
        if item["feeds"]:
            how = " (guessed)" if item["is_guessed"] else ""
            is_told = any(item["note"] in text for text in summary["warnings"])
            note = f"; {item['note']}" if item["note"] and not is_told else ""
            print(f"  {name} {item['type']} -> {', '.join(item['feeds'])}{how}{note}")
    for text in summary["warnings"]:
        print(f"  warning: {text}")
    print(f"  again: {summary['command']}")
    print(f"  {folder / 'report.html'}")
