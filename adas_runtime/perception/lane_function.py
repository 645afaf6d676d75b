"""Lane perception as a function of the graph: a camera frame in, a lane model out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.perception.pictures import WAITING, opened, troubled
from adas_runtime.signals import CameraFrame, Health, LaneModel, LaneSide

if TYPE_CHECKING:
    # at run time only where a picture is looked at: every process reads this declaration, and OpenCV with NumPy is
    # 0.2 s and 30 MB
    from adas_runtime.perception.camera_health import HealthState
    from adas_runtime.perception.lane_model import LaneDetector, LaneState


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePerceptionInputs:
    """What lane perception reads."""

    frame: CameraFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LanePerceptionOutputs:
    """One lane model per picture."""

    lanes: LaneModel | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class PerceptionState:
    """Memory: the detector's, the camera's health, and the stamp of the last picture: none is worked on twice."""

    lanes: LaneState
    health: HealthState
    stamp_s: float | None = None


class LanePerception:
    """Decodes the newest picture and finds the lane in it. Without a new picture it says nothing.

    What the picture itself is worth goes into every confidence; a camera that is covered, hangs, lacks a part of its
    picture or was knocked shows no lane, and the status says why. Where the mounting is estimated anyway, a knocked
    camera begins to estimate it anew.
    """

    def __init__(self, detector: LaneDetector) -> None:
        from adas_runtime.perception import camera_health
        from adas_runtime.perception.lane_model import LaneState

        self._detector = detector
        self._camera = camera_health
        self._afresh = LaneState()
        self.state = PerceptionState(lanes=self._afresh, health=camera_health.START)

    def warm_up(self) -> None:
        """Load what the first picture would otherwise wait for; nothing of it is remembered."""
        self._detector.warm_up()

    def step(self, inputs: LanePerceptionInputs, now_s: float) -> LanePerceptionOutputs:
        """One picture; a broken one is a lane model without boundaries that says so."""
        frame = inputs.frame
        image = opened(frame, self.state.stamp_s)
        if frame is None or image is WAITING:
            assert isinstance(image, Status)
            return LanePerceptionOutputs(lanes=None, status=image)
        if isinstance(image, Status):
            self.state = replace(self.state, stamp_s=frame.stamp_s)
            return LanePerceptionOutputs(lanes=LaneModel(stamp_s=frame.stamp_s, reason=image.reason), status=image)
        health, memory = self._camera.step(image, frame.stamp_s, self.state.health)
        if health.shows_nothing:
            self.state = replace(self.state, health=memory, stamp_s=frame.stamp_s)
            lanes_of_none = LaneModel(stamp_s=frame.stamp_s, reason=health.trouble.value)
            return LanePerceptionOutputs(lanes=lanes_of_none, status=troubled(health))
        result, lanes = self._detector.step(image, frame.stamp_s, self.state.lanes)
        if health.is_useless and not result.is_mount_known:
            lanes, memory = self._afresh, self._camera.START
        self.state = PerceptionState(lanes=lanes, health=memory, stamp_s=frame.stamp_s)
        model = self._camera.weighed(result.model, health)
        if health.is_useless:
            return LanePerceptionOutputs(lanes=model, status=troubled(health))
        left, right = model.side(LaneSide.LEFT), model.side(LaneSide.RIGHT)
        state = "both" if left and right else "left_only" if left else "right_only" if right else "no_lane"
        return LanePerceptionOutputs(
            lanes=model,
            status=Status(
                state=state,
                is_active=True,
                health=Health.DEGRADED if health.trouble.value else Health.OK,
                reason=health.trouble.value,
                kpis=(left.confidence if left else None, right.confidence if right else None),
            ),
        )


def _build(context: BuildContext) -> LanePerception:
    import cv2

    from adas_runtime.perception.lane_model import LaneDetector

    cv2.setNumThreads(1)  # the budget is one core; and threads would make sums depend on the machine
    return LanePerception(
        LaneDetector(context.market.perception, context.market.lanes, context.vehicle.cameras.get("front"))
    )


SPEC = FunctionSpec(
    name="lane_perception",
    summary="finds the lane boundaries in the front camera's pictures",
    process=Process.PERCEPTION,
    inputs=(Input(name="frame", signal=CameraFrame, max_age_s=0.5, source="camera_front"),),
    outputs=(Output(name="lanes", signal=LaneModel),),
    inputs_type=LanePerceptionInputs,
    outputs_type=LanePerceptionOutputs,
    period_s=0.2,
    trigger="frame",
    min_period_s=0.01,
    has_stage=False,
    kpis=("left_confidence", "right_confidence"),
    build=_build,
)
