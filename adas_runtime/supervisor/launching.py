"""The live graph as `launch` actions, from the same commands as `adas up`; the files in `launch/` only call this."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from adas_runtime.function import Process
from adas_runtime.supervisor.commands import UpOptions, all_commands, player_command, validate

RESPAWN_S: Final = 1.0
ARGUMENTS: Final = {
    "market": ("de", "Market: name or file."),
    "vehicle": ("reference", "Vehicle: name or file."),
    "inputs": ("", "Input map: name or file; our own topics by default."),
    "map": ("", "Map file; ADAS_MAP names one as well."),
    "record": ("", "Folder for recordings; none is made without it."),
    "driver_camera": ("", "Also watch the driver: number or path of the camera, or a film."),
    "use_sim_time": ("false", "Take the time from /clock."),
}


def interpreter() -> str:
    """The Python that has what the runtime needs: the environment's, also where `ros2` runs on the system's."""
    environment = os.environ.get("VIRTUAL_ENV", "")
    found = Path(environment) / "bin" / "python"
    return str(found) if environment and found.exists() else sys.executable


def declared(**changed: str) -> list[Any]:
    """The launch arguments; `changed` gives another default."""
    from launch.actions import DeclareLaunchArgument

    return [
        DeclareLaunchArgument(name, default_value=changed.get(name, default), description=text)
        for name, (default, text) in ARGUMENTS.items()
    ]


def options_of(values: dict[str, str]) -> UpOptions:
    """What launch arguments ask for, checked before anything starts.

    Raises:
        AdasError: The first thing that is wrong.
    """
    from adas_runtime.errors import AdasError

    text = values["use_sim_time"].strip().lower()
    if text not in ("true", "false"):
        raise AdasError(f"{values['use_sim_time']!r} is unknown", where="use_sim_time", mend="take true or false")
    options = UpOptions(
        market=values["market"],
        vehicle=values["vehicle"],
        inputs=values["inputs"] or None,
        record=Path(values["record"]) if values["record"] else None,
        use_sim_time=text == "true",
        map=values["map"] or None,
        driver_camera=values["driver_camera"] or None,
    )
    validate(options)
    return options


def graph(context: Any) -> list[Any]:
    """One process action per process of the graph, started again when it dies."""
    from launch.actions import ExecuteProcess
    from launch.substitutions import LaunchConfiguration

    options = options_of({name: LaunchConfiguration(name).perform(context) for name in ARGUMENTS})
    return [
        ExecuteProcess(
            cmd=list(command),
            name=name.value if isinstance(name, Process) else name,
            output="screen",
            respawn=True,
            respawn_delay=RESPAWN_S,
            additional_env=environment(),
        )
        for name, command in all_commands(options, interpreter()).items()
    ]


def player(context: Any) -> list[Any]:
    """The player of the argument `bag`; when it has played, everything ends."""
    from launch.actions import ExecuteProcess, Shutdown
    from launch.substitutions import LaunchConfiguration

    with_clock = LaunchConfiguration("use_sim_time").perform(context).strip().lower() == "true"
    command = player_command(LaunchConfiguration("bag").perform(context), with_clock=with_clock, python=interpreter())
    ended: Callable[..., Any] = lambda *_: Shutdown(reason="the recording has been played")  # noqa: E731
    return [
        ExecuteProcess(cmd=list(command), name="player", output="screen", on_exit=ended, additional_env=environment())
    ]


def environment() -> dict[str, str]:
    """What the processes get beside this environment: this machine only, unless the user says otherwise."""
    name = "ROS_AUTOMATIC_DISCOVERY_RANGE"
    return {name: os.environ.get(name, "LOCALHOST"), "PYTHONUNBUFFERED": "1"}
