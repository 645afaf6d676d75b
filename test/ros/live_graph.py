"""A real graph for tests: processes that are started and ended, and a probe that feeds topics and listens to them."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future

from adas_runtime.converter import from_msg, to_msg
from adas_runtime.graph import NETWORKS, Topic, default_graph
from adas_runtime.interfaces import type_name
from adas_runtime.nodes.qos import MARKET_STATUS, offered, profile, requested
from adas_runtime.nodes.settings import message_type
from adas_runtime.signals import Signal, VehicleState

HERE = Path(__file__).resolve().parent
PATIENCE_S = 60.0  # what a test waits for a condition on a busy machine; it says nothing of the runtime's speed
TOPICS = {topic.name: topic for topic in (*default_graph(NETWORKS).topics(), *default_graph().topics(), MARKET_STATUS)}
COMMAND = "/adas/envelope/command"
DEMAND = "/adas/arbiter/demand"
VEHICLE = "/vehicle/state"

T = TypeVar("T")


def until(condition: Callable[[], T | None], what: str | Callable[[], str], timeout_s: float = PATIENCE_S) -> T:
    """Wait for a condition to give something; fail with its name where it does not."""
    end_s = time.monotonic() + timeout_s
    while time.monotonic() < end_s:
        found = condition()
        if found:
            return found
        time.sleep(0.005)
    told = what if isinstance(what, str) else what()
    raise AssertionError(f"did not happen within {timeout_s:g} s: {told}")


class Child:
    """A process of the graph, or one that stands in for it; it never outlives the test."""

    def __init__(self, arguments: list[str]) -> None:
        self.process = subprocess.Popen(
            [sys.executable, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @classmethod
    def of(cls, process: str, *options: str) -> Child:
        """A real process of the runtime."""
        return cls(["-m", "adas_runtime.nodes", process, "--market", "de", *options])

    def send(self, number: int) -> float:
        """Send a signal; the moment on the system clock."""
        os.kill(self.process.pid, number)
        return time.time()

    def hold(self) -> None:
        """The stand-in asks on whatever the guard says, from now on."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write("hold\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "holding\n"

    def kill(self) -> float:
        """Kill it; the moment on the system clock."""
        at_s = self.send(signal.SIGKILL)
        self.process.wait()
        return at_s

    def end(self) -> tuple[int, str, str]:
        """Exit code and outputs of a process that ends by itself."""
        out, err = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, out, err


@contextmanager
def child(*arguments: str) -> Iterator[Child]:
    """A process of the runtime, killed at the end."""
    started = Child.of(*arguments)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGCONT)
            started.process.kill()
        started.process.communicate()


@contextmanager
def stand_in_decision(accel_mps2: float = 1.0) -> Iterator[Child]:
    """A process that stands in for the decision process and asks for acceleration."""
    started = Child([str(HERE / "stand_in_decision.py"), str(accel_mps2)])
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.send_signal(signal.SIGCONT)
            started.process.kill()
        started.process.communicate()


class Spinning:
    """An executor in a thread of its own, with its own context."""

    def __init__(self, context: Context) -> None:
        self.executor = EventsExecutor(context=context)
        self._stop: Any = Future()
        self._thread = threading.Thread(target=self._spin, daemon=True)

    def _spin(self) -> None:
        while not self._stop.done():
            self.executor.spin_until_future_complete(self._stop, timeout_sec=60.0)

    def start(self) -> None:
        self._thread.start()

    def end(self) -> None:
        self._stop.set_result(None)
        self.executor.wake()
        self._thread.join(10.0)
        self.executor.shutdown()  # else its participant lives on now and then, and many of them hang at the exit


class Probe:
    """A node of the test: what it heard by topic with the time of arrival, and a vehicle that drives."""

    def __init__(self) -> None:
        self.context = Context()
        rclpy.init(context=self.context)
        self.node = Node("probe", context=self.context)
        self.heard: dict[str, list[tuple[float, Any]]] = {}
        self.lost: dict[str, list[float]] = {}
        self.diagnostics: list[Any] = []
        self._publishers: dict[str, tuple[Any, Callable[[Any], Any]]] = {}
        self._driving: threading.Event | None = None
        self.node.create_subscription(DiagnosticArray, "/diagnostics", self._on_diagnostics, 100)
        self._spinning = Spinning(self.context)
        self._spinning.executor.add_node(self.node)
        self._spinning.start()
        # the probe is the vehicle: while Python looks through all that other tests hold, for 0.1 s and more, no state
        # would come, and the guard rightly takes the car to a stop
        gc.collect()
        gc.freeze()

    def close(self) -> None:
        self.stop_driving()
        self._spinning.end()
        self._spinning.executor.remove_node(self.node)
        self.node.destroy_node()
        rclpy.try_shutdown(context=self.context)
        self._publishers.clear()
        gc.unfreeze()
        gc.collect()  # what is left over of this node would be heard by the next test's graph

    def listen(self, *names: str) -> None:
        """Hear topics as their readers in the graph do, liveliness included."""
        for name in names:
            topic = TOPICS[name]
            convert = from_msg(topic.signal)
            heard = self.heard.setdefault(name, [])
            lost = self.lost.setdefault(name, [])

            def on_message(message: Any, convert: Any = convert, heard: Any = heard) -> None:
                heard.append((time.time(), convert(message)))

            def on_liveliness(event: Any, lost: Any = lost) -> None:
                if event.alive_count == 0:
                    lost.append(time.time())

            self.node.create_subscription(
                message_type(type_name(topic.signal), name),
                name,
                on_message,
                profile(requested(topic)),
                event_callbacks=SubscriptionEventCallbacks(liveliness=on_liveliness, use_default_callbacks=False),
            )

    def send(self, name: str, signal: Signal) -> None:
        """Send a value as its producer in the graph does."""
        publisher, convert = self.publisher(TOPICS[name])
        publisher.publish(convert(signal))

    def publisher(self, topic: Topic) -> tuple[Any, Callable[[Any], Any]]:
        if topic.name not in self._publishers:
            kind = message_type(type_name(topic.signal), topic.name)
            made = self.node.create_publisher(kind, topic.name, profile(offered(topic)))
            self._publishers[topic.name] = (made, to_msg(topic.signal))
        return self._publishers[topic.name]

    def drive(self, speed_mps: float = 20.0) -> None:
        """Send a vehicle state at 100 Hz until `stop_driving`."""
        self.publisher(TOPICS[VEHICLE])
        stop = threading.Event()
        self._driving = stop

        def run() -> None:
            while not stop.wait(0.01):
                self.send(VEHICLE, VehicleState(stamp_s=time.time(), speed_mps=speed_mps, accel_mps2=0.0))

        threading.Thread(target=run, daemon=True).start()

    def stop_driving(self) -> None:
        if self._driving is not None:
            self._driving.set()
            self._driving = None

    def last(self, name: str) -> Any:
        """The last value heard, `None` without any."""
        heard = self.heard[name]
        return heard[-1][1] if heard else None

    def since(self, name: str, at_s: float) -> list[Any]:
        """The values that arrived after a moment."""
        return [signal for arrived_s, signal in list(self.heard[name]) if arrived_s > at_s]

    def told(self, name: str) -> Any:
        """The last diagnostic status of this name, `None` without any."""
        for array in reversed(list(self.diagnostics)):
            for status in array.status:
                if status.name == name:
                    return status
        return None

    def _on_diagnostics(self, message: Any) -> None:
        self.diagnostics.append(message)


def values(status: Any) -> dict[str, str]:
    """Key and value of a diagnostic status."""
    return {item.key: item.value for item in status.values}
