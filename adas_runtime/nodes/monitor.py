"""A thin node between the graph and the supervisor, which imports no rclpy.

Standard output, one JSON object a line: `active` once every function has reported, the guard commands and the recorder
is ready; `alive` for each process once a second, its own included; `status` at each change of a function; `alert`;
`market`. Standard input, the same way: the supervisor's processes, which go to /diagnostics, so that a dead or given-up
process is told there, too.
"""

from __future__ import annotations

import json
import sys
import threading
from typing import Any, Final

from adas_runtime.function import Process
from adas_runtime.graph import MARKET_STATUS_TOPIC, NETWORKS, default_graph, live_topic
from adas_runtime.nodes.life import Ending, begin, driving
from adas_runtime.nodes.settings import DRIVER_CAMERA_NODE, node_name
from adas_runtime.signals import Alert, AlertLevel, FunctionStatus, Health, Stage
from adas_runtime.supervisor.commands import DRIVER_CAMERA

NAME: Final = "adas_supervisor"
DIAGNOSTICS: Final = "/diagnostics"
PROCESSES: Final = {f"{node_name(process)}: process": process.value for process in Process} | {
    f"{DRIVER_CAMERA_NODE}: driver camera": DRIVER_CAMERA
}


def tell(kind: str, **values: Any) -> None:
    """One line for the supervisor."""
    sys.stdout.write(json.dumps({"kind": kind, **values}) + "\n")
    sys.stdout.flush()


class Monitor:
    """Listens; publishes the supervisor's own diagnostics."""

    def __init__(self) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.node import Node
        from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

        import adas_interfaces.msg as messages

        self.node = Node(NAME)
        graph = default_graph(NETWORKS)  # what a car does not run says nothing
        self._missing = {spec.name for spec in graph.functions if spec.name not in NETWORKS}
        self._shown: dict[str, tuple[Any, ...]] = {}
        self._lock = threading.Lock()
        self._processes: dict[str, Any] = {}
        # it asks for little, so that it hears every sender
        modest = QoSProfile(depth=10, reliability=ReliabilityPolicy.RELIABLE)
        self._commands: Any = None
        for topic in graph.topics():
            if topic.signal is FunctionStatus:
                self.node.create_subscription(messages.FunctionStatus, topic.name, self._status, modest)
            elif topic.signal is Alert:
                self.node.create_subscription(messages.Alert, topic.name, self._alert, modest)
        self._commands = self.node.create_subscription(
            messages.ActuationCommand, live_topic("envelope", "command"), self._command, 1
        )
        latched = QoSProfile(depth=1, durability=DurabilityPolicy.TRANSIENT_LOCAL)
        self.node.create_subscription(messages.MarketStatus, MARKET_STATUS_TOPIC, self._market, latched)
        self._diagnostics = self.node.create_publisher(DiagnosticArray, DIAGNOSTICS, 10)
        self.node.create_subscription(DiagnosticArray, DIAGNOSTICS, self._process_report, 10)
        self.node.create_timer(1.0, self._publish)
        self._has_command = self._has_recorder = False

    def _status(self, message: Any) -> None:
        author = str(message.author)
        shown = (message.stage, message.health, message.state, message.is_active, message.reason)
        if self._shown.get(author) != shown:
            self._shown[author] = shown
            tell(
                "status",
                author=author,
                stage=Stage(message.stage).name,
                health=Health(message.health).name,
                state=message.state,
                is_active=bool(message.is_active),
                reason=message.reason,
                absent=list(message.absent),
            )
        if self._missing:
            self._missing.discard(author)
            self._check()

    def _alert(self, message: Any) -> None:
        level = AlertLevel(message.level).name
        tell("alert", author=message.author, code=message.code, is_active=bool(message.is_active), level=level)

    def _market(self, message: Any) -> None:
        tell("market", market=message.market, digest=message.digest, vehicle=message.vehicle)

    def _command(self, message: Any) -> None:
        # a hundred a second: one is enough to know that the guard commands
        if self._commands is not None:
            commands, self._commands = self._commands, None
            self._has_command = True
            self.node.destroy_subscription(commands)
            self._check()

    def _process_report(self, message: Any) -> None:
        """Every process reports once a second: a sign of life. The recorder holds no function: its state counts."""
        for status in message.status:
            process = PROCESSES.get(status.name)
            if process is None:
                continue
            tell("alive", process=process)
            is_active = ("state", "active") in [(item.key, item.value) for item in status.values]
            if process == Process.RECORDER.value and is_active and not self._has_recorder:
                self._has_recorder = True
                self._check()

    def _check(self) -> None:
        if not self._missing and self._has_command and self._has_recorder:
            tell("active")

    def hear(self, line: str) -> None:
        """A line of the supervisor."""
        try:
            told = json.loads(line)["processes"]
        except (ValueError, KeyError, TypeError):
            return
        with self._lock:
            self._processes = told

    def _publish(self) -> None:
        from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

        tell("alive", process="monitor")

        with self._lock:
            processes = dict(self._processes)
        array = DiagnosticArray()
        array.header.stamp = self.node.get_clock().now().to_msg()
        for name, told in processes.items():
            state = told.get("state", "")
            level = {"up": DiagnosticStatus.OK, "restarting": DiagnosticStatus.WARN}.get(state, DiagnosticStatus.ERROR)
            message = state if state == "up" else f"{state}: {told.get('reason', '')}"
            array.status.append(
                DiagnosticStatus(
                    level=level,
                    name=f"{NAME}: {name}",
                    message=message,
                    hardware_id="",
                    values=[KeyValue(key=key, value=str(value)) for key, value in told.items() if value is not None],
                )
            )
        if array.status:
            self._diagnostics.publish(array)


def main() -> None:
    """Entry point."""
    begin()
    ending = Ending()
    ending.watch()
    from adas_runtime.nodes import log_files, transport

    transport.prepare()
    import rclpy
    from rclpy.experimental.events_executor import EventsExecutor
    from rclpy.signals import SignalHandlerOptions
    from rclpy.task import Future

    ending.begin()
    rclpy.init(args=log_files.arguments(), signal_handler_options=SignalHandlerOptions.NO)
    monitor = Monitor()
    ended = Future()
    ending.wake(ended)

    def read() -> None:
        for line in sys.stdin:
            monitor.hear(line)

    threading.Thread(target=read, daemon=True).start()
    driving()
    executor = EventsExecutor()
    executor.add_node(monitor.node)
    while not ended.done() and rclpy.ok():
        executor.spin_until_future_complete(ended, timeout_sec=3600.0)
    monitor.node.destroy_node()
    rclpy.try_shutdown()


if __name__ == "__main__":
    main()
