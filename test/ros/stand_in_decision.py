"""Stands in for the decision process, since no shipped function asks for acceleration yet.

It asks for nothing until the guard lets requests in, then for the acceleration of its argument. After a line on its
standard input it asks on whatever the guard says, as a broken sender would.
"""

from __future__ import annotations

import sys
import threading
import time
from typing import Any

import rclpy
from rclpy.experimental.events_executor import EventsExecutor
from rclpy.node import Node
from rclpy.task import Future

from adas_runtime.converter import to_msg
from adas_runtime.graph import default_graph
from adas_runtime.interfaces import type_name
from adas_runtime.nodes.qos import offered, profile, requested
from adas_runtime.nodes.settings import message_type
from adas_runtime.signals import ActuationCommand

PERIOD_S = 0.02


def main() -> None:
    topics = {topic.name: topic for topic in default_graph().topics()}
    demand, command = topics["/adas/arbiter/demand"], topics["/adas/envelope/command"]
    kind = message_type(type_name(ActuationCommand), demand.name)
    convert = to_msg(demand.signal)
    rclpy.init()
    node = Node("stand_in_decision")
    publisher = node.create_publisher(kind, demand.name, profile(offered(demand)))
    state: dict[str, Any] = {"counter": 0, "is_let_in": False, "is_holding": False}

    def hear(message: Any) -> None:
        state["is_let_in"] = not message.is_safe_stop

    def wait_for_line() -> None:
        sys.stdin.readline()
        state["is_holding"] = True
        print("holding", flush=True)

    def ask() -> None:
        state["counter"] = (state["counter"] + 1) % 65536
        is_active = state["is_let_in"] or state["is_holding"]
        publisher.publish(
            convert(
                ActuationCommand(
                    stamp_s=time.time(),
                    author="stand_in",
                    counter=state["counter"],
                    is_longitudinal_active=is_active,
                    accel_mps2=float(sys.argv[1]) if is_active else 0.0,
                    longitudinal_author="stand_in" if is_active else "",
                    longitudinal_cause="test" if is_active else "",
                    oldest_input_age_s=0.01,
                )
            )
        )

    node.create_subscription(kind, command.name, hear, profile(requested(command)))
    node.create_timer(PERIOD_S, ask)
    threading.Thread(target=wait_for_line, daemon=True).start()
    executor = EventsExecutor()
    executor.add_node(node)
    executor.spin_until_future_complete(Future(), timeout_sec=600.0)


main()
