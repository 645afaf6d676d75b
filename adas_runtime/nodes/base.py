"""What the node of every process is: lifecycle, parameters, diagnostics, and a last resort for defects."""

from __future__ import annotations

import importlib.metadata
import platform
import resource
import sys
import time
import traceback
from collections.abc import Callable
from functools import wraps
from typing import Any, Final

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.clock import Clock, ClockType
from rclpy.event_handler import PublisherEventCallbacks, SubscriptionEventCallbacks
from rclpy.lifecycle import LifecycleNode, LifecycleState, TransitionCallbackReturn
from rclpy.parameter import Parameter
from rclpy.qos import qos_policy_name_from_kind

from adas_runtime.errors import AdasError
from adas_runtime.graph import Topic
from adas_runtime.nodes.ledger import Entry, Ledger, Level, Reader, Writer, shape
from adas_runtime.nodes.parameters import (
    MARKET_PREFIX,
    VEHICLE_PREFIX,
    Value,
    check_overrides,
    declare,
    values,
)
from adas_runtime.nodes.qos import TopicQos, offered, period_s, profile, requested
from adas_runtime.nodes.settings import Loaded, Settings, load, message_type

DIAGNOSTICS: Final = "/diagnostics"
DIAGNOSTICS_PERIOD_S: Final = 1.0
CHANGE_PERIOD_S: Final = 0.1  # a change is told at once, but no faster than this
DEFECT: Final = 3  # exit code
DEFECTS_MAX: Final = 10  # caught within a second: the process is not to be trusted any more, a fresh one is better
PACKAGES: Final = ("adas_runtime", "numpy", "opencv-python-headless", "onnxruntime", "ros-rclpy", "rclpy")

Stop = Callable[[int], None]


def versions() -> dict[str, str]:
    """What decides here, for recordings and support."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


class ProcessNode(LifecycleNode):
    """The node of one process. A subclass says what it does between `start` and `finish`.

    Args:
        settings: How the process was started.
        loaded: The checked files behind them.
        stop: Ends the process with an exit code; the supervisor starts a fresh one after a code that is not 0.
    """

    def __init__(self, settings: Settings, loaded: Loaded, stop: Stop) -> None:
        super().__init__(
            settings.node_name,
            parameter_overrides=[Parameter("use_sim_time", value=True)] if settings.use_sim_time else None,
            enable_logger_service=True,
        )
        self.settings = settings
        self.ledger = Ledger()
        self._loaded: Loaded | None = loaded
        self._stop = stop
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._defects_s: list[float] = []
        self._shape: Any = None
        self._told_s = 0.0
        self._cpu = (time.monotonic(), time.process_time())
        self._is_sim_time = bool(self.get_parameter("use_sim_time").value)
        self.ledger.facts.update(
            market=settings.market,
            vehicle=settings.vehicle,
            inputs=settings.inputs,
            transport=settings.transport,
            priority=settings.priority,
            time="/clock" if self._is_sim_time else "system",
            versions=", ".join(f"{name} {version}" for name, version in versions().items()),
        )
        found = self._values(loaded)
        check_overrides(self._parameter_overrides, (item.name for item in found))
        declare(self, found)
        self._diagnostics = self.create_publisher(DiagnosticArray, DIAGNOSTICS, 10)
        self._diagnostics_timer = self.create_timer(DIAGNOSTICS_PERIOD_S, self.guarded(self._tell), clock=self._steady)

    # --- what a subclass does ---

    def prepare(self, loaded: Loaded) -> None:
        """Build what is needed; nothing is read or written yet. Raises an `AdasError` where that cannot be done."""

    def start(self) -> None:
        """Read and write."""

    def finish(self) -> None:
        """Undo `start`."""

    def forget(self) -> None:
        """Undo `prepare`."""

    # --- time ---

    def now_s(self) -> float:
        """The node's clock [s]; a callback reads it once and hands it down."""
        return float(self.get_clock().now().nanoseconds) * 1e-9

    # --- topics ---

    def write(self, topic: Topic, message: type) -> tuple[Any, Writer]:
        """A publisher with the promised quality of service, and its record."""
        record = self.ledger.writers.setdefault(topic.name, Writer(topic.name))

        def incompatible(event: Any) -> None:
            record.incompatible = qos_policy_name_from_kind(event.last_policy_kind)
            self.tell_change()

        def late(event: Any) -> None:
            record.late += event.total_count_change

        publisher = self.create_publisher(
            message,
            topic.name,
            profile(offered(topic)),
            event_callbacks=self._events(PublisherEventCallbacks, offered(topic), late, None, incompatible),
        )
        return publisher, record

    def read(
        self,
        topic: Topic,
        kind: str,
        callback: Callable[[Any], None],
        *,
        qos: TopicQos | None = None,
        raw: bool = False,
    ) -> tuple[Any, Reader]:
        """A subscription with all that can go wrong with it reported, and its record.

        Args:
            topic: What is read; of a foreign topic, its name with the signal that it becomes.
            kind: Full name of the message type.
            callback: Gets the message.
            qos: Asked for; by default what the graph says.
            raw: The callback gets the serialised bytes.
        """
        qos = requested(topic) if qos is None else qos
        record = self.ledger.readers.setdefault(
            topic.name, Reader(topic.name, period_s(topic), has_peer=qos.lease_s is not None)
        )

        def incompatible(event: Any) -> None:
            record.incompatible = qos_policy_name_from_kind(event.last_policy_kind)
            self.tell_change()

        def late(event: Any) -> None:
            record.late += event.total_count_change

        def alive(event: Any) -> None:
            was, record.is_alive = record.is_alive, event.alive_count > 0
            was_many, record.senders = record.senders > 1, event.alive_count
            if was and not record.is_alive:
                record.lost += 1
                self.get_logger().error(f"{topic.name}: its process does not live any more")
            elif was is False and record.is_alive:
                self.get_logger().info(f"{topic.name}: its process lives again")
            if record.senders > 1 and not was_many:
                self.get_logger().error(f"{topic.name}: {record.ambiguity()}")
            if was is not record.is_alive or was_many is not (record.senders > 1):
                self.tell_change()

        subscription = self.create_subscription(
            message_type(kind, topic.name),
            topic.name,
            self.guarded(callback),
            profile(qos),
            event_callbacks=self._events(SubscriptionEventCallbacks, qos, late, alive, incompatible),
            raw=raw,
        )
        return subscription, record

    def _events(self, kind: Any, qos: TopicQos, late: Any, alive: Any, incompatible: Callable[[Any], None]) -> Any:
        options: dict[str, Any] = {"incompatible_qos": self.guarded(incompatible), "use_default_callbacks": False}
        if qos.deadline_s is not None:
            options["deadline"] = self.guarded(late)
        if qos.lease_s is not None and alive is not None:
            options["liveliness"] = self.guarded(alive)
        return kind(**options)

    # --- lifecycle ---

    def on_configure(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Read the files anew (unless they are those of the start) and build."""
        try:
            if self._loaded is None:
                self._loaded = load(self.settings)
                declare(self, self._values(self._loaded))
            self.prepare(self._loaded)
        except AdasError as error:
            self.get_logger().error(error.line())
            self.ledger.facts["error"] = error.line()
            self._loaded = None
            return TransitionCallbackReturn.FAILURE
        except Exception:
            return self._transition_failed("configure")
        self.ledger.facts.pop("error", None)
        return self._reached("inactive")

    def on_activate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Begin to work."""
        try:
            super().on_activate(state)
            self.start()
        except Exception as error:
            self.finish()
            if isinstance(error, AdasError):
                self.get_logger().error(error.line())
                self.ledger.facts["error"] = error.line()
                return TransitionCallbackReturn.FAILURE
            return self._transition_failed("activate")
        return self._reached("active")

    def on_deactivate(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Stop working; what was built stays."""
        try:
            self.finish()
            super().on_deactivate(state)
        except Exception:
            return self._transition_failed("deactivate")
        return self._reached("inactive")

    def on_cleanup(self, state: LifecycleState) -> TransitionCallbackReturn:
        """Forget all; the next `configure` reads the files anew."""
        try:
            self._clear()
        except Exception:
            return self._transition_failed("clean up")
        return self._reached("unconfigured")

    def on_shutdown(self, state: LifecycleState) -> TransitionCallbackReturn:
        """The end, from any state; the process ends with it."""
        try:
            self._clear()
        except Exception:
            return self._transition_failed("shut down")
        self._reached("finalized")
        self._stop(0)
        return TransitionCallbackReturn.SUCCESS

    def on_error(self, state: LifecycleState) -> TransitionCallbackReturn:
        """A transition failed by a defect: back to unconfigured, nothing left running."""
        try:
            self._clear()
        except Exception:
            self._stop(DEFECT)
            return TransitionCallbackReturn.FAILURE
        return self._reached("unconfigured")

    def _clear(self) -> None:
        self.finish()
        self.forget()
        self._loaded = None

    def _reached(self, state: str) -> TransitionCallbackReturn:
        self.ledger.state = state
        self.tell_change()
        return TransitionCallbackReturn.SUCCESS

    def _transition_failed(self, name: str) -> TransitionCallbackReturn:
        self._caught(f"cannot {name}")
        return TransitionCallbackReturn.ERROR

    # --- the last resort ---

    def guarded(self, callback: Callable[..., Any]) -> Callable[..., None]:
        """The callback, and nothing that it raises: a defect is counted, told and survived, or ends the process."""

        @wraps(callback)  # rclpy looks at the signature: Kilted hands a TimerInfo to whatever could take one
        def call(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception:
                self._caught(getattr(callback, "__name__", "callback"))

        return call

    def _caught(self, where: str) -> None:
        error = sys.exc_info()[1]
        text = f"{where}: {type(error).__name__}: {error}"
        ledger = self.ledger
        ledger.faults += 1
        if text != ledger.fault:
            ledger.fault = text
            self.get_logger().fatal(f"a defect was caught in {text}\n{traceback.format_exc()}")
        now_s = time.monotonic()
        self._defects_s = [at_s for at_s in self._defects_s if now_s - at_s < 1.0] + [now_s]
        if len(self._defects_s) >= DEFECTS_MAX:
            self.get_logger().fatal(f"{DEFECTS_MAX} defects within a second: the process ends, to be started afresh")
            self._stop(DEFECT)

    # --- parameters and diagnostics ---

    def _values(self, loaded: Loaded) -> list[Value]:
        settings = self.settings
        return [
            Value(name="market", value=settings.market, text="Market in force: name or file."),
            Value(name="market_digest", value=loaded.market.digest, text="SHA-256 of the merged market."),
            Value(name="vehicle", value=settings.vehicle, text="Vehicle: name or file."),
            Value(name="inputs", value=settings.inputs, text="Input map: name or file."),
            *values(loaded.market, MARKET_PREFIX),
            *values(loaded.vehicle, VEHICLE_PREFIX),
        ]

    def tell_change(self) -> None:
        """Something changed that people wait for: tell it now, unless the last report is just out."""
        if time.monotonic() - self._told_s >= CHANGE_PERIOD_S:
            self._tell()

    def facts(self) -> None:
        """Refresh the process's facts before a report; a subclass adds its own."""
        now_s, cpu_s = time.monotonic(), time.process_time()
        former_s, former_cpu_s = self._cpu
        if now_s - former_s >= 0.5:
            self._cpu = (now_s, cpu_s)
            self.ledger.facts["cpu_cores"] = f"{(cpu_s - former_cpu_s) / (now_s - former_s):.3f}"
        self.ledger.facts["peak_memory_mb"] = f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}"

    def _tell(self) -> None:
        now_s = time.monotonic()
        self.facts()
        entries = self.ledger.report(now_s)
        self._told_s = now_s
        self._log(entries)
        array = DiagnosticArray()
        array.header.stamp = self.get_clock().now().to_msg()
        array.status = [self._status(entry) for entry in entries]
        self._diagnostics.publish(array)

    def _log(self, entries: list[Entry]) -> None:
        """Log what changed its level, with its reason; figures and the rest are in the diagnostics."""
        former = {name: level for name, level, _ in self._shape or ()}
        self._shape = shape(entries)
        for entry in entries:
            was = former.get(entry.name, Level.OK)
            if entry.level == was or Level.STALE in (entry.level, was):
                continue
            text = f"{entry.name}: {entry.message}"
            # rclpy refuses a call site that changes its severity
            if entry.level is Level.OK:
                self.get_logger().info(text)
            elif entry.level is Level.WARN:
                self.get_logger().warning(text)
            else:
                self.get_logger().error(text)

    def _status(self, entry: Entry) -> Any:
        return DiagnosticStatus(
            level=bytes([entry.level]),
            name=f"{self.settings.node_name}: {entry.name}",
            message=entry.message,
            hardware_id=self.settings.vehicle,
            values=[KeyValue(key=key, value=value) for key, value in entry.values],
        )
