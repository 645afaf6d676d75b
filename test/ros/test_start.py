"""The start of a process: nothing is imported that it does not need, since five of them start at once."""

from __future__ import annotations

import subprocess
import sys

import pytest


def python(text: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", text], capture_output=True, text=True, check=False, timeout=120.0)


def test_the_declared_graph_loads_no_vision() -> None:
    done = python(
        "import sys\n"
        "from adas_runtime.graph import default_graph\n"
        "default_graph().topics()\n"
        "import adas_runtime.nodes.settings\n"
        "print(*(name for name in ('cv2', 'onnxruntime', 'scipy', 'shapely', 'rosbags') if name in sys.modules))"
    )
    assert (done.returncode, done.stdout.strip()) == (0, ""), done.stderr


def test_messages_work_without_the_code_generators_parser() -> None:
    pytest.importorskip("rclpy")
    done = python(
        "from adas_runtime.nodes.life import begin\n"
        "begin()\n"
        "import sys\n"
        "from rclpy.serialization import deserialize_message, serialize_message\n"
        "from adas_interfaces.msg import VehicleState\n"
        "sent = VehicleState(stamp_s=12.5)\n"
        "assert deserialize_message(serialize_message(sent), VehicleState) == sent\n"
        "print('lark' in sys.modules)"
    )
    assert (done.returncode, done.stdout.strip()) == (0, "False"), done.stderr
