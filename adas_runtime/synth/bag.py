"""A drive as a bag: pictures drawn on all cores, messages in time order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.ingest.writer import (
    CAMERA_INFO_TOPIC,
    DRIVER_TOPIC,
    FIX_TOPIC,
    IMAGE_TOPIC,
    JPEG_QUALITY,
    STATE_TOPIC,
    BagFolder,
    Messages,
    Record,
    in_time_order,
)
from adas_runtime.signals import BodyState, SpeedLimitState
from adas_runtime.synth import truth
from adas_runtime.synth.drive import EGO_EVERY, Drive
from adas_runtime.synth.driver import DriverKind
from adas_runtime.synth.motion import RATE_HZ

PICTURES: Final = "/camera/front/"
BODY_TOPIC: Final = "/vehicle/body"
SIGN_TOPIC: Final = "/camera/signs"
OBJECT_TOPIC: Final = "/objects/tracked"
LIMIT_TOPIC: Final = "/truth/speed_limit"
GAZE_TOPIC: Final = "/driver/state"  # what a driver camera would say

TOPICS: Final[dict[str, str]] = {
    IMAGE_TOPIC: "sensor_msgs/msg/CompressedImage",
    CAMERA_INFO_TOPIC: "sensor_msgs/msg/CameraInfo",
    STATE_TOPIC: "adas_interfaces/msg/VehicleState",
    DRIVER_TOPIC: "adas_interfaces/msg/DriverInput",
    BODY_TOPIC: "adas_interfaces/msg/BodyState",
    SIGN_TOPIC: "adas_interfaces/msg/SignObservations",
    OBJECT_TOPIC: "adas_interfaces/msg/TrackedObjects",
    FIX_TOPIC: "sensor_msgs/msg/NavSatFix",
    GAZE_TOPIC: "adas_interfaces/msg/DriverState",
    "/truth/ego": "nav_msgs/msg/Odometry",
    "/truth/lanes": "adas_interfaces/msg/LaneModel",
    "/truth/objects": "adas_interfaces/msg/TrackedObjects",
    "/truth/signs": "adas_interfaces/msg/SignObservations",
    LIMIT_TOPIC: "adas_interfaces/msg/SpeedLimitState",
    "/truth/events": "adas_interfaces/msg/Alert",
}


def write_bag(
    drive: Drive,
    out: Path,
    *,
    force: bool = False,
    with_camera: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, int]:
    """Write a drive as a rosbag2 folder (MCAP).

    Args:
        drive: The drive.
        out: Folder of the bag.
        force: Replace a bag that is there.
        with_camera: Draw and write the pictures.
        progress: Called with pictures done and pictures in all.
    Returns:
        Messages per topic.
    Raises:
        BagError: The bag cannot be written.
    """
    messages = Messages()
    topics = {name: kind for name, kind in TOPICS.items() if with_camera or not name.startswith(PICTURES)}
    spec = drive.spec
    if spec.driver is DriverKind.ABSENT:
        del topics[GAZE_TOPIC]
    notes = {
        "adas_market": drive.market.name,
        "adas_vehicle": drive.vehicle.name,
        "adas_source": f"adas synth --scenario {spec.scenario.value} --light {spec.light.value} "
        f"--rain {spec.rain.value} --seed {spec.seed}{' --assist' if spec.is_assisted else ''}"
        f"{'' if spec.driver is DriverKind.ATTENTIVE else f' --driver {spec.driver.value}'}",
    }
    counts = dict.fromkeys(topics, 0)
    with BagFolder(out, topics, messages, force=force, notes=notes) as bag:
        for record in in_time_order(_streams(drive, messages, with_camera, progress)):
            bag.write(record)
            counts[record[1]] += 1
    return counts


def _streams(
    drive: Drive, messages: Messages, with_camera: bool, progress: Callable[[int, int], None] | None
) -> list[Iterator[Record]]:
    def sampled(topic: str, every: int, make: Callable[[int, int], bytes]) -> Iterator[Record]:
        for index in range(0, drive.sample_count, every):
            ns = drive.ns_of(index / RATE_HZ)
            yield ns, topic, make(index, ns)

    def paced(topic: str, make: Callable[[int, int], bytes]) -> Iterator[Record]:
        for index in range(drive.frame_count):
            ns = drive.ns_of(drive.frame_time_s(index))
            yield ns, topic, make(index, ns)

    def state() -> Iterator[Record]:
        for index, value in enumerate(drive.vehicle_states()):
            yield drive.ns_of(index / RATE_HZ), STATE_TOPIC, messages.signal(value)

    def stalk() -> Iterator[Record]:
        for value in drive.driver_inputs():
            yield round(value.stamp_s * 1e7) * 100, DRIVER_TOPIC, messages.signal(value)

    def fixes() -> Iterator[Record]:
        for value in drive.fixes():
            ns = round(value.stamp_s * 1e7) * 100
            place = (value.latitude_deg, value.longitude_deg, value.altitude_m, value.position_std_m)
            yield ns, FIX_TOPIC, messages.fix(ns, *place)

    def timed(topic: str, values: Iterator[BodyState] | Iterator[SpeedLimitState]) -> Iterator[Record]:
        for value in values:
            yield round(value.stamp_s * 1e7) * 100, topic, messages.signal(value)

    def ego(index: int, ns: int) -> bytes:
        motion = drive.motion
        place = (float(motion.x_m[index]), float(motion.y_m[index]))
        return messages.odometry(
            ns,
            place,
            float(motion.heading_rad[index]),
            float(motion.speed_mps[index]),
            float(motion.yaw_rate_rps[index]),
        )

    def events() -> Iterator[Record]:
        for alert in truth.alerts(drive.departures, drive.epoch_ns * 1e-9):
            yield round(alert.stamp_s * 1e6) * 1000, "/truth/events", messages.signal(alert)

    streams = [
        state(),
        stalk(),
        fixes(),
        timed(BODY_TOPIC, drive.body_states()),
        timed(LIMIT_TOPIC, drive.limits()),
        paced(SIGN_TOPIC, lambda index, _: messages.signal(drive.sign_camera(index))),
        paced(OBJECT_TOPIC, lambda index, _: messages.signal(drive.object_sensor(index))),
        sampled("/truth/ego", EGO_EVERY, ego),
        events(),
        paced("/truth/lanes", lambda index, _: messages.signal(drive.lanes(index))),
        paced("/truth/objects", lambda index, _: messages.signal(drive.objects(index))),
        paced("/truth/signs", lambda index, _: messages.signal(drive.signs(index))),
    ]
    if drive.spec.driver is not DriverKind.ABSENT:
        streams.append(paced(GAZE_TOPIC, lambda index, _: messages.signal(drive.driver_state(index))))
    if with_camera:
        camera = drive.camera
        streams += [
            paced(CAMERA_INFO_TOPIC, lambda _, ns: messages.camera_info(ns, camera.width_px, camera.height_px, camera)),
            _pictures(drive, messages, progress),
        ]
    return streams


def _pictures(drive: Drive, messages: Messages, progress: Callable[[int, int], None] | None) -> Iterator[Record]:
    """The pictures in order, drawn some ahead on all cores (OpenCV and NumPy let go of the interpreter meanwhile)."""
    count, renderer = drive.frame_count, drive.renderer

    def draw(index: int) -> NDArray[np.uint8]:
        picture = renderer.frame(index, drive.frame_time_s(index))
        done, jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
        assert done
        return np.asarray(jpeg, dtype=np.uint8)

    workers = min(os.cpu_count() or 1, 8)
    with ThreadPoolExecutor(max_workers=workers) as pool:
        ahead: deque[Future[NDArray[np.uint8]]] = deque()
        following = 0
        for index in range(count):
            while following < count and len(ahead) < 2 * workers:
                ahead.append(pool.submit(draw, following))
                following += 1
            ns = drive.ns_of(drive.frame_time_s(index))
            yield ns, IMAGE_TOPIC, messages.image(ns, ahead.popleft().result())
            if progress is not None:
                progress(index + 1, count)
