"""For `launch_test`: the graph of launch/adas.launch.py comes up, reports, and ends without a fault."""

from __future__ import annotations

import time
import unittest
from pathlib import Path

import launch_testing.actions
import launch_testing.asserts
from launch import LaunchDescription
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource

PATIENCE_S = 90.0
LAUNCH = Path(__file__).resolve().parents[2] / "launch" / "adas.launch.py"


def generate_test_description() -> LaunchDescription:
    source = PythonLaunchDescriptionSource(str(LAUNCH))
    graph = IncludeLaunchDescription(source, launch_arguments=[("market", "de")])
    return LaunchDescription([graph, launch_testing.actions.ReadyToTest()])


class TestGraphUp(unittest.TestCase):
    def test_every_function_reports_and_the_guard_commands(self) -> None:
        import rclpy
        from diagnostic_msgs.msg import DiagnosticArray

        from adas_interfaces.msg import ActuationCommand, FunctionStatus
        from adas_runtime.graph import default_graph, live_topic

        rclpy.init()
        node = rclpy.create_node("graph_up")
        heard: set[str] = set()
        safe: list[bool] = []
        for spec in default_graph().functions:
            topic = live_topic(spec.name, "status")
            node.create_subscription(FunctionStatus, topic, lambda message: heard.add(message.author), 10)
        command = live_topic("envelope", "command")
        node.create_subscription(ActuationCommand, command, lambda m: safe.append(not m.is_lateral_active), 10)
        ready: list[str] = []

        def report(message: DiagnosticArray) -> None:
            ready.extend(s.name for s in message.status if ("state", "active") in [(v.key, v.value) for v in s.values])

        node.create_subscription(DiagnosticArray, "/diagnostics", report, 10)
        wanted = {spec.name for spec in default_graph().functions}
        end_s = time.monotonic() + PATIENCE_S
        while (heard != wanted or not safe or "adas_recorder: process" not in ready) and time.monotonic() < end_s:
            rclpy.spin_once(node, timeout_sec=0.2)
        node.destroy_node()
        rclpy.shutdown()
        assert heard == wanted and all(safe)


@launch_testing.post_shutdown_test()
class TestEnd(unittest.TestCase):
    def test_every_process_ended_in_order(self, proc_info: object) -> None:
        launch_testing.asserts.assertExitCodes(proc_info)
