"""One process of the live graph: `python -m adas_runtime.nodes PROCESS --market M --vehicle V`.

Says nothing when all is well. SIGINT and SIGTERM end it in order with exit code 0; bad configuration ends it with 2 and
one line; too many defects end it with 3, so that the supervisor starts a fresh one.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NoReturn

from adas_runtime.nodes import scheduling
from adas_runtime.nodes.life import Ending, begin, driving

SPIN_S: Final = 3600.0
DEFECT: Final = 3


class _Parser(argparse.ArgumentParser):
    """Wrong usage in one line, as everywhere in the project."""

    def error(self, message: str) -> NoReturn:
        print(f"adas: {message}; see '{self.prog} --help'", file=sys.stderr)
        raise SystemExit(2)


def _parse(arguments: list[str]) -> tuple[argparse.Namespace, list[str]]:
    own = arguments[: arguments.index("--ros-args")] if "--ros-args" in arguments else arguments
    parser = _Parser(prog="python -m adas_runtime.nodes", description="One process of the live graph.")
    parser.add_argument("process", choices=("perception", "decision", "guard", "recorder"))
    parser.add_argument("--market", required=True, help="market: name or file")
    parser.add_argument("--vehicle", default="reference", help="vehicle: name or file")
    parser.add_argument("--inputs", default="default", help="input map: name or file")
    parser.add_argument("--map", help="map file; ADAS_MAP names one as well")
    parser.add_argument("--map-digest", default="", help="the content that the map must have, by its SHA-256")
    parser.add_argument("--on", type=date.fromisoformat, metavar="DAY", help="day by which the market is judged: today")
    parser.add_argument("--use-sim-time", action="store_true", help="time comes from /clock")
    parser.add_argument("--record", type=Path, metavar="DIR", help="folder of the recording (recorder only)")
    parser.add_argument("--no-autostart", action="store_true", help="wait unconfigured for a lifecycle manager")
    return parser.parse_args(own), arguments[len(own) :]


def run(arguments: Sequence[str]) -> int:
    """Run one process until it is told to end; its exit code.

    Raises:
        AdasError: The configuration cannot be used.
    """
    begin()
    ending = Ending()
    options, ros_arguments = _parse(list(arguments))
    priority = scheduling.place(options.process)
    ending.watch()

    from adas_runtime.errors import AdasError
    from adas_runtime.function import Process
    from adas_runtime.nodes import log_files, transport
    from adas_runtime.nodes.parameters import check_files
    from adas_runtime.nodes.settings import Settings, load, node_name, receives_pictures

    process = Process(options.process)
    settings = Settings(
        process=process,
        market=options.market,
        vehicle=options.vehicle,
        inputs=options.inputs,
        map=options.map,
        map_digest=options.map_digest,
        on=options.on,
        use_sim_time=options.use_sim_time,
        record=options.record,
        transport=transport.prepare(receives_pictures=receives_pictures(process)),
        priority=priority,
    )
    loaded = load(settings)
    check_files(ros_arguments, (node_name(process) for process in Process))

    import rclpy
    from rclpy.experimental.events_executor import EventsExecutor
    from rclpy.signals import SignalHandlerOptions
    from rclpy.task import Future

    ending.begin()
    without_files = log_files.arguments()
    try:
        rclpy.init(args=[*ros_arguments, *without_files], signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:
        raise AdasError(
            f"ROS 2 cannot start ({str(error).splitlines()[0]})", where="rclpy", mend="look at the ROS_* variables"
        ) from error
    node = None
    try:
        node = _make(settings, loaded, ending)
        executor = EventsExecutor()
        executor.add_node(node)
        if without_files:
            node.ledger.facts["log_files"] = "none: the folder of the logs cannot be written to (ROS_LOG_DIR, HOME)"
        if ending.code is None and not options.no_autostart and not _autostart(node):
            return DEFECT
        driving()
        if real_time := scheduling.go_real_time(options.process):
            node.ledger.facts["priority"] += f", {real_time}"
        stop = Future()
        ending.wake(stop)
        while ending.code is None and rclpy.ok():
            # never spin() or a timeout of None: in the Jazzy wheels its endless deadline overflows, and the executor
            # turns on one core without doing anything
            executor.spin_until_future_complete(stop, timeout_sec=SPIN_S)
        _finish(node)
    finally:
        if node is not None:
            node.destroy_node()
        rclpy.try_shutdown()
    return ending.code or 0


def _make(settings: Any, loaded: Any, ending: Ending) -> Any:
    from adas_runtime.function import Process

    if settings.process is Process.RECORDER:
        from adas_runtime.nodes.recorder import Recorder

        return Recorder(settings, loaded, ending)
    from adas_runtime.nodes.host import Host

    return Host(settings, loaded, ending)


def _autostart(node: Any) -> bool:
    """Configure and activate; False after a defect, which the node has logged.

    Raises:
        AdasError: Something that the user can mend keeps it from working.
    """
    from rclpy.lifecycle import TransitionCallbackReturn

    from adas_runtime.errors import AdasError

    for trigger in (node.trigger_configure, node.trigger_activate):
        if trigger() is not TransitionCallbackReturn.SUCCESS:
            text = node.ledger.facts.get("error")
            if text:
                raise AdasError(text)
            return False
    return True


def _finish(node: Any) -> None:
    """The orderly end of whatever state it is in."""
    if node.ledger.state != "finalized":
        node.trigger_shutdown()


def main() -> None:
    """Entry point."""
    from adas_runtime.errors import AdasError

    try:
        code = run(sys.argv[1:])
    except AdasError as error:
        print(f"adas: {error.line()}", file=sys.stderr)
        code = 2
    sys.stdout.flush()
    sys.stderr.flush()
    sys.exit(code)


if __name__ == "__main__":
    main()
