"""The vehicle's side of the live benchmark: sends the vehicle state of a drive and hears the commands.

    python benchmark/live_probe.py BAG --seconds 20 --go FILE --report FILE

It does nothing else, so that no picture and no other reader delays what it measures. Each state gets its stamp in the
moment in which it is sent; a command names the age of the oldest value that it rests on, and so the state that caused
it. The report holds, for each state, its stamp, when the guard decided the first command that rests on it or on a
newer one, and when that command was here. While a function steers or brakes, a command's oldest value is a picture's,
not the state's: states sent then name no command of their own and are left out.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import time
from bisect import bisect_left
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

COMMAND: Final = "/adas/envelope/command"
STATE: Final = "/vehicle/state"
PATIENCE_S: Final = 60.0
SETTLE_S: Final = 0.5
SAME_S: Final = 1e-4  # stamps cross as ages, which round
ASKED_S: Final = 0.2  # a state sent this long before a function's command may be hidden behind it
REAL_TIME: Final = 50  # of the probe alone: a wheel sensor waits for no processor

Command = tuple[float, float, float]  # stamp of the oldest value that it rests on, decided, arrived [s]


def answers(sent_s: list[float], commands: list[Command], asked_s: Sequence[float] = ()) -> list[Command]:
    """Per state sent: its stamp, and when the first command that rests on it or a newer one was decided and arrived.

    Args:
        sent_s: Stamps of the states, in order.
        commands: The commands that no function asked for, in order of arrival.
        asked_s: When the others were decided, in order.
    """
    found = []
    position = 0
    for stamp_s in sent_s:
        near = bisect_left(asked_s, stamp_s)
        if near < len(asked_s) and asked_s[near] <= stamp_s + ASKED_S:
            continue
        while position < len(commands) and commands[position][0] < stamp_s - SAME_S:
            position += 1
        if position < len(commands):
            _, decided_s, arrived_s = commands[position]
            found.append((stamp_s, decided_s, arrived_s))
    return found


def states(bag: Path, seconds: float) -> list[tuple[float, Any]]:
    """Time since the beginning, and signal, of every vehicle state of a drive."""
    from adas_runtime.demo.playback import Told, cues
    from adas_runtime.inputs.recording import open_recording
    from adas_runtime.replay.bag import Bag

    with Bag(bag) as opened:
        bound = open_recording(opened, None)
        begin_s = opened.start_s
        return [
            (cue.log_s - begin_s, cue.signal)
            for cue in cues(opened, bound, Told(), seconds=seconds, only=frozenset({STATE}))
        ]


class Probe:
    """Sender and listener on one executor."""

    def __init__(self, bag: Path, seconds: float) -> None:
        import rclpy
        from rclpy.experimental.events_executor import EventsExecutor
        from rclpy.task import Future

        from adas_runtime.converter import to_msg
        from adas_runtime.graph import default_graph
        from adas_runtime.interfaces import type_name
        from adas_runtime.nodes.qos import offered, profile, requested
        from adas_runtime.nodes.settings import message_type

        topics = {topic.name: topic for topic in default_graph().topics()}
        state, command = topics[STATE], topics[COMMAND]
        convert = to_msg(state.signal)
        self._waiting = [(at_s, convert(signal)) for at_s, signal in states(bag, seconds)]
        self._next = 0
        self.sent_s: list[float] = []
        self.commands: list[Command] = []
        self.asked_s: list[float] = []  # when commands were decided that a function asked for
        self.asked_s: list[float] = []
        self._done = Future()
        rclpy.init()
        self._node = rclpy.create_node("benchmark_vehicle")
        self._publisher = self._node.create_publisher(
            message_type(type_name(state.signal), STATE), STATE, profile(offered(state))
        )
        self._node.create_subscription(
            message_type(type_name(command.signal), COMMAND), COMMAND, self._command, profile(requested(command))
        )
        self._executor = EventsExecutor()
        self._executor.add_node(self._node)

    def run(self, go: Path) -> None:
        """Wait for `go`, which others create once the rest of the drive plays, then send the states once."""
        from rclpy.clock import Clock, ClockType
        from rclpy.task import Future

        end_s = time.monotonic() + PATIENCE_S
        while not go.exists() and time.monotonic() < end_s:
            self._executor.spin_until_future_complete(Future(), timeout_sec=0.02)
        self._begin_s = time.monotonic()
        self._timer = self._node.create_timer(1e-3, self._send, clock=Clock(clock_type=ClockType.STEADY_TIME))
        self._executor.spin_until_future_complete(self._done, timeout_sec=self._waiting[-1][0] + 30.0)
        self._executor.spin_until_future_complete(Future(), timeout_sec=SETTLE_S)

    def close(self) -> None:
        """End the node."""
        import rclpy

        self._node.destroy_node()
        rclpy.try_shutdown()

    def _send(self) -> None:
        now_s = time.monotonic() - self._begin_s
        if self._next < len(self._waiting) and self._waiting[self._next][0] <= now_s:
            message = self._waiting[self._next][1]
            self._next += 1
            message.stamp_s = stamp_s = time.time()
            self._publisher.publish(message)
            self.sent_s.append(stamp_s)
        if self._next == len(self._waiting):
            self._timer.cancel()
            self._done.set_result(None)
            return
        left_s = self._waiting[self._next][0] - (time.monotonic() - self._begin_s)
        self._timer.timer_period_ns = max(round(left_s * 1e9), 20_000)
        self._timer.reset()

    def _command(self, message: Any) -> None:
        now_s = time.time()
        if message.is_lateral_active or message.is_longitudinal_active:
            self.asked_s.append(message.stamp_s)
        elif message.has_oldest_input_age_s:
            self.commands.append((message.stamp_s - message.oldest_input_age_s, message.stamp_s, now_s))


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("bag", type=Path)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--report", type=Path, required=True)
    parser.add_argument("--go", type=Path, required=True, help="begin when this file is there")
    options = parser.parse_args()
    with suppress(OSError):  # where it may not, its own waiting counts against the graph
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(REAL_TIME))
    from adas_runtime.nodes import transport

    transport.prepare()
    probe = Probe(options.bag, options.seconds)
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        probe.run(options.go)
    finally:
        probe.close()
    found = answers(probe.sent_s, probe.commands, probe.asked_s)
    options.report.write_text(
        json.dumps({"sent": len(probe.sent_s), "answers": found, "asked": len(probe.asked_s)}), encoding="utf-8"
    )


if __name__ == "__main__":
    main()
