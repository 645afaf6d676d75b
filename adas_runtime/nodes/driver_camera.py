"""The driver camera's own process: opens the camera, looks, and sends `DriverState`. No picture leaves it.

It opens the device itself, so that no picture of the cabin is ever on a topic. It is silent while somebody else, a
supplier's camera, sends the driver's state: two words of one driver are worse than one.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from typing import Any, Final

from adas_runtime.errors import AdasError
from adas_runtime.function import BuildContext
from adas_runtime.graph import default_graph
from adas_runtime.nodes.settings import DRIVER_CAMERA_NODE as NAME
from adas_runtime.perception.driver.function import SPEC, DriverPerception, Inputs
from adas_runtime.signals import CameraFrame, CameraId, Health

SOURCE: Final = "driver_camera"  # of the graph: whose word it stands in for
DIAGNOSTICS: Final = "/diagnostics"
DIAGNOSTICS_PERIOD_S: Final = 1.0  # and at each change
SETTLE_S: Final = 1.0  # until who sends already is known
LOOK_ROUND_S: Final = 0.5  # how often it looks whether somebody else sends
SILENT_S: Final = 2.0  # a device without a picture for so long is gone
GONE: Final = 3  # exit code: a supervisor starts it again


class Device:
    """A camera, or a film that stands in for one.

    Raises:
        AdasError: It cannot be opened.
    """

    def __init__(self, name: str) -> None:
        import cv2

        self.is_film = Path(name).is_file()
        self._capture = cv2.VideoCapture(int(name) if name.isdigit() else name)
        if not self._capture.isOpened():
            raise AdasError("cannot be opened", where=f"camera {name}", mend="give a number, a /dev/video or a film")
        self._capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # the newest picture, not the oldest of a queue
        rate_hz = self._capture.get(cv2.CAP_PROP_FPS)
        self._period_s = 1.0 / rate_hz if 1.0 <= rate_hz <= 120.0 else 0.05
        self._due_s = time.monotonic()

    def read(self) -> Any:
        """The next picture, (rows, columns, 3) uint8 BGR; `None`: none came. A film runs at its own speed."""
        if self.is_film:
            self._due_s = max(self._due_s + self._period_s, time.monotonic())
            time.sleep(max(self._due_s - time.monotonic(), 0.0))
        is_there, picture = self._capture.read()
        return picture if is_there else None

    def close(self) -> None:
        """Let go of it."""
        self._capture.release()


class DriverCamera:
    """The node: sends what the core says, and its health; decides nothing."""

    def __init__(self, core: DriverPerception) -> None:
        from diagnostic_msgs.msg import DiagnosticArray
        from rclpy.node import Node

        from adas_runtime.converter import to_msg
        from adas_runtime.interfaces import type_name
        from adas_runtime.nodes.settings import message_type

        self._core = core
        self.node = Node(NAME)
        self._topic = next(topic for topic in default_graph().topics() if topic.producer == SOURCE)
        self._convert = to_msg(self._topic.signal)
        self._message = message_type(type_name(self._topic.signal), self._topic.name)
        self._publisher: Any = None
        self._diagnostics = self.node.create_publisher(DiagnosticArray, DIAGNOSTICS, 10)
        self._looked_s = 0.0
        self._told: tuple[bool, str] | None = None
        self._told_s = 0.0
        self._sent = 0

    def now_s(self) -> float:
        """The node's clock [s]."""
        return float(self.node.get_clock().now().nanoseconds) * 1e-9

    def look_round(self) -> None:
        """Send only while nobody else does."""
        from adas_runtime.nodes.qos import offered, profile

        at_s = time.monotonic()
        if at_s - self._looked_s < LOOK_ROUND_S:
            return
        self._looked_s = at_s
        own = 0 if self._publisher is None else 1
        is_alone = self.node.count_publishers(self._topic.name) <= own
        if is_alone and self._publisher is None:
            self._publisher = self.node.create_publisher(self._message, self._topic.name, profile(offered(self._topic)))
            self.node.get_logger().info(f"sends {self._topic.name}")
        elif not is_alone and self._publisher is not None:
            self.node.destroy_publisher(self._publisher)
            self._publisher = None
            self.node.get_logger().warning(f"{self._topic.name} has another sender: silent while it is there")

    def take(self, picture: Any) -> None:
        """Look at a picture that came just now; nothing of it is kept."""
        now_s = self.now_s()
        rows, columns = picture.shape[:2]
        encoding = "mono8" if picture.ndim == 2 else "bgr8"
        frame = CameraFrame(
            stamp_s=now_s,
            camera=CameraId.DRIVER,
            width_px=columns,
            height_px=rows,
            encoding=encoding,
            data=picture.tobytes(),
        )
        said = self._core.step(Inputs(frame=frame), now_s)
        if said.driver is not None and self._publisher is not None:
            self._publisher.publish(self._convert(said.driver))
            self._sent += 1
        told = (self._publisher is not None, said.status.reason)
        at_s = time.monotonic()
        if told != self._told or at_s - self._told_s >= DIAGNOSTICS_PERIOD_S:
            self._told, self._told_s = told, at_s
            self._tell(said.status.health, said.status.reason)

    def _tell(self, health: Health, reason: str) -> None:
        from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue

        from adas_runtime.perception.models import running

        facts = {"sends": str(self._publisher is not None).lower(), "sent": str(self._sent)}
        facts |= {f"model_{name}": line for name, line in running().items()}
        array = DiagnosticArray()
        array.header.stamp = self.node.get_clock().now().to_msg()
        array.status.append(
            DiagnosticStatus(
                level=DiagnosticStatus.OK if health is Health.OK else DiagnosticStatus.WARN,
                name=f"{NAME}: driver camera",
                message=reason or "watching",
                hardware_id=NAME,
                values=[KeyValue(key=key, value=value) for key, value in facts.items()],
            )
        )
        self._diagnostics.publish(array)


def run(device: str, market: str, vehicle: str) -> int:
    """Watch the driver until told to end; the exit code.

    Args:
        device: Number or path of the camera, or a film.
        market, vehicle: Names or files; the vehicle's file must declare a driver camera.
    Raises:
        AdasError: The configuration cannot be used, or the camera cannot be opened.
    """
    from adas_runtime.market import load_market
    from adas_runtime.vehicle import load_vehicle

    core = SPEC.build(BuildContext(market=load_market(market), vehicle=load_vehicle(vehicle)))
    assert isinstance(core, DriverPerception)
    camera = Device(device)
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    is_ending = False

    def end(_number: int, _frame: object) -> None:
        nonlocal is_ending
        is_ending = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    try:
        node = DriverCamera(core)
        time.sleep(SETTLE_S)
        seen_s = time.monotonic()
        while not is_ending:
            node.look_round()
            picture = camera.read()
            if picture is not None:
                seen_s = time.monotonic()
                node.take(picture)
            elif camera.is_film:
                return 0
            elif time.monotonic() - seen_s > SILENT_S:
                print(f"adas: camera {device}: gives no picture; check its cable", file=sys.stderr)
                return GONE
        node.node.destroy_node()
    finally:
        camera.close()
        rclpy.try_shutdown()
    return 0
