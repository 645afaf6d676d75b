"""The `adas` command: each subcommand lives beside what it runs and registers itself here.

Exit codes: 0 done, 1 a finding or regression, 2 wrong usage or bad input (one line: what, where, the mend).
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Final

import typer

from adas_runtime.errors import AdasError

COMMANDS: Final = (
    "adas_runtime.demo.cli",
    "adas_runtime.supervisor.cli",
    "adas_runtime.nodes.cli",
    "adas_runtime.replay.cli",
    "adas_runtime.ingest.cli",
    "adas_runtime.synth.cli",
    "adas_runtime.perceive.cli",
    "adas_runtime.perception.models.cli",
    "adas_runtime.inputs.cli",
    "adas_runtime.market.cli",
    "adas_runtime.vehicle.cli",
    "adas_runtime.horizon.cli",
    "adas_runtime.step.cli",
    "adas_runtime.scenario.cli",
    "adas_runtime.usage.cli",
    "adas_runtime.doctor",
)

# typer carries its own click since 0.2x; the base of its BadParameter is that click's UsageError, whichever it is
USAGE_ERROR: Final[type[Exception]] = typer.BadParameter.__mro__[1]


STOPPED: Final = 130  # what shells say of a program that Ctrl-C ended


def build_app() -> typer.Typer:
    """The command line with every subcommand; importing them loads nothing heavy."""
    app = typer.Typer(
        name="adas",
        help="One driver-assistance runtime for a car that is sold in many countries.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for module in COMMANDS:
        import_module(module).register(app)
    return app


def _root() -> None:
    """One driver-assistance runtime for a car that is sold in many countries."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command and return its exit code."""
    try:
        result = build_app()(arguments, prog_name="adas", standalone_mode=False)
    except AdasError as error:
        print(f"adas: {error.line()}", file=sys.stderr)
        return 2
    except USAGE_ERROR as error:
        context = getattr(error, "ctx", None)
        text = " ".join(error.format_message().split()).rstrip(".")  # type: ignore[attr-defined]
        if type(error).__name__ == "NoArgsIsHelpError":
            print(context.get_help() if context is not None else text)
        else:
            hint = f"; see '{context.command_path} --help'" if context is not None else ""
            print(f"adas: {text}{hint}", file=sys.stderr)
        return 2
    except (typer.Abort, KeyboardInterrupt):
        print("adas: stopped", file=sys.stderr)
        return STOPPED
    except typer.Exit as error:
        return int(error.exit_code)
    except BrokenPipeError:
        return _reader_left()
    except SystemExit as error:
        # typer itself turns a broken pipe into exit code 1, which means a finding here
        if not isinstance(error.__context__, BrokenPipeError):
            raise
        return _reader_left()
    except OSError as error:
        _forget_output()
        where = f"{error.filename}: " if error.filename is not None else ""
        print(f"adas: {where}{error.strerror or error}; look at the disk and the permissions", file=sys.stderr)
        return 2
    if result == STOPPED:  # typer's own answer to Ctrl-C, which says nothing
        print("adas: stopped", file=sys.stderr)
    return result if isinstance(result, int) else 0


def _reader_left() -> int:
    """The reader went away (`adas ... | head`): nothing is wrong, and Python must not complain at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno() if sys.__stdout__ else 1)
    return 0


def _forget_output() -> None:
    """What could not be written must not be tried again at the end of the program, which would fail with a trace."""
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        _reader_left()


def stop_once() -> Callable[[int, object], None]:
    """A handler that stops the program at the first signal; a second must not disturb what the first cleans up."""
    is_stopping = False

    def stop(_number: int, _frame: object) -> None:
        nonlocal is_stopping
        if not is_stopping:
            is_stopping = True
            raise KeyboardInterrupt

    return stop


def run() -> None:
    """Entry point of the console script; SIGTERM ends a command as Ctrl-C does, so that it removes what it began."""
    _open_standard_streams()
    signal.signal(signal.SIGTERM, stop_once())
    code = main()
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _reader_left()
    except (OSError, ValueError) as error:
        _reader_left()
        print(f"adas: standard output: {getattr(error, 'strerror', error)}; look at the disk", file=sys.stderr)
        code = code or 2
    sys.exit(code)


def _open_standard_streams() -> None:
    """A program that is started with one of them closed would get a file or socket of its own under that number."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)  # the lowest free number
            if getattr(sys, name) is None:
                setattr(sys, name, os.fdopen(opened, "w" if number else "r", closefd=False))
