"""Lane perception as the graph runs it: warmed up before it is active, and none the wiser for it."""

from __future__ import annotations

import cv2
import lane_drives as drives
import pytest

from adas_runtime.perception.lane_function import LanePerception, LanePerceptionInputs
from adas_runtime.signals import CameraFrame, CameraId


def frame(index: int, data: bytes) -> LanePerceptionInputs:
    return LanePerceptionInputs(
        frame=CameraFrame(
            stamp_s=10.0 + 0.1 * index,
            camera=CameraId.FRONT,
            width_px=1280,
            height_px=720,
            encoding="jpeg",
            data=data,
        )
    )


@pytest.mark.parametrize("vehicle", ["reference", "unknown_camera"])
def test_what_was_warmed_up_sees_the_same_as_what_was_not(vehicle: str) -> None:
    made = drives.drive()
    pictures = [cv2.imencode(".jpg", drives.picture(made, index))[1].tobytes() for index in (60, 61, 62)]
    warm, cold = (LanePerception(drives.detector(vehicle=vehicle)) for _ in range(2))
    warm.warm_up()
    for index, data in enumerate(pictures):
        now_s = 10.05 + 0.1 * index
        assert warm.step(frame(index, data), now_s) == cold.step(frame(index, data), now_s)
    assert warm.state == cold.state


def test_half_a_picture_is_a_broken_one_and_shows_no_grey_road() -> None:
    perception = LanePerception(drives.detector())
    data = cv2.imencode(".jpg", drives.picture(drives.drive(), 60))[1].tobytes()
    seen = perception.step(frame(0, data[: len(data) // 2]), 10.05)
    assert seen.status.state == "broken_picture"
    assert seen.lanes is not None and seen.lanes.boundaries == ()
