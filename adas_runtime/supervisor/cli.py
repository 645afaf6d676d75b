"""`adas up`: the live graph, supervised."""

from __future__ import annotations

import json
import os
import sys
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, Final

import typer

from adas_runtime.errors import AdasError

RANGE: Final = "ROS_AUTOMATIC_DISCOVERY_RANGE"
RANGES: Final = ("LOCALHOST", "SUBNET", "SYSTEM_DEFAULT")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("up")(up)


def child_environment() -> dict[str, str]:
    """Environment of the graph's processes: this machine only, unless the user says otherwise.

    Raises:
        AdasError: It would keep the processes from hearing one another.
    """
    environment = dict(os.environ)
    # two cars in one garage must never hear each other: whoever spreads a car over several computers says so
    environment.setdefault(RANGE, "LOCALHOST")
    if environment[RANGE].upper() not in RANGES:
        raise AdasError(
            f"{environment[RANGE]!r} lets no process of the graph hear another",
            where=RANGE,
            mend=f"take one of {', '.join(RANGES)}, or unset it",
        )
    environment["PYTHONUNBUFFERED"] = "1"
    return environment


def up(
    market: Annotated[str, typer.Option(help="Market: name or file.")],
    vehicle: Annotated[str, typer.Option(help="Vehicle: name or file.")] = "reference",
    inputs: Annotated[str | None, typer.Option(help="Input map: name or file; our own topics by default.")] = None,
    map_: Annotated[str | None, typer.Option("--map", help="Map file; ADAS_MAP names one as well.")] = None,
    record: Annotated[Path | None, typer.Option(help="Folder for recordings; none is made without it.")] = None,
    driver_camera: Annotated[
        str | None, typer.Option(help="Also watch the driver: number or path of the camera, or a film.")
    ] = None,
    use_sim_time: Annotated[bool, typer.Option("--use-sim-time", help="Take the time from /clock.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what the processes log at INFO, too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print events and the closing state for machines.")] = False,
) -> int:
    """Start the live ROS 2 graph and watch over it until Ctrl-C; a second Ctrl-C ends it at once."""
    from adas_runtime.function import Process
    from adas_runtime.supervisor.commands import UpOptions, all_commands, monitor_command, validate
    from adas_runtime.supervisor.domain import DomainLock, domain_id
    from adas_runtime.supervisor.frozen import freeze
    from adas_runtime.supervisor.status import Screen, put
    from adas_runtime.supervisor.supervisor import Supervisor

    options = UpOptions(
        market=market,
        vehicle=vehicle,
        inputs=inputs,
        record=record,
        use_sim_time=use_sim_time,
        map=map_,
        driver_camera=driver_camera,
    )
    screen = Screen()

    def event(kind: str, **values: Any) -> None:
        put(sys.stdout, json.dumps({"event": kind, **values}) + "\n")

    def say(text: str) -> None:
        if as_json:
            event("text", text=text)
        else:
            screen.say(f"adas: {text}")

    with DomainLock(domain_id()), TemporaryDirectory(prefix="adas_up_") as folder:

        def commands() -> tuple[dict[Process | str, tuple[str, ...]], dict[str, str]]:
            validate(options)
            frozen, environment = freeze(options, Path(folder), date.today())
            return all_commands(frozen), environment

        with Supervisor(
            commands,
            monitor=monitor_command(),
            environment=child_environment(),
            say=say,
            is_verbose=verbose,
        ) as supervisor:
            was_active = False

            def each() -> None:
                nonlocal was_active
                if supervisor.is_active and not was_active:
                    was_active = True
                    seconds = supervisor.time_to_active_s or 0.0
                    if as_json:
                        event("active", seconds=round(seconds, 3), market=supervisor.view.market)
                    else:
                        say(f"active after {seconds:.1f} s: market {market}, vehicle {vehicle}, Ctrl-C ends it")
                if not as_json:
                    screen.show(supervisor)

            supervisor.run(each)
            screen.close()
        if as_json:
            event("end", processes=supervisor.processes(), time_to_active_s=supervisor.time_to_active_s)
    if supervisor.refusal is not None:
        line = supervisor.refusal
        print(line if line.startswith("adas") else f"adas: {line}", file=sys.stderr)
        return 2
    return 0
