"""Lane perception as a function of the graph: a camera frame in, a lane model out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.signals import CameraFrame, Health, LaneModel, LaneSide

if TYPE_CHECKING:
    # at run time only where a picture is looked at: every process reads this declaration, and OpenCV with NumPy is
    # 0.2 s and 30 MB
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
    """Memory: the detector's, and the stamp of the last picture, so that none is worked on twice."""

    lanes: LaneState
    stamp_s: float | None = None


class LanePerception:
    """Decodes the newest picture and finds the lane in it. Without a new picture it says nothing."""

    def __init__(self, detector: LaneDetector) -> None:
        from adas_runtime.perception.lane_model import LaneState, decode

        self._detector = detector
        self._decode = decode
        self.state = PerceptionState(lanes=LaneState())

    def warm_up(self) -> None:
        """Load what the first picture would otherwise wait for; nothing of it is remembered."""
        self._detector.warm_up()

    def step(self, inputs: LanePerceptionInputs, now_s: float) -> LanePerceptionOutputs:
        """One picture; a broken one is a lane model without boundaries that says so."""
        frame = inputs.frame
        if frame is None:
            status = Status(state="blind", health=Health.DEGRADED, reason="no camera picture")
            return LanePerceptionOutputs(lanes=None, status=status)
        if frame.stamp_s == self.state.stamp_s:
            return LanePerceptionOutputs(lanes=None, status=Status(state="waiting", is_active=True))
        image = self._decode(frame.encoding, frame.data, frame.width_px, frame.height_px)
        if image is None or min(image.shape[:2]) < 32:
            self.state = PerceptionState(lanes=self.state.lanes, stamp_s=frame.stamp_s)
            reason = f"picture cannot be decoded as {frame.encoding}" if image is None else "picture is too small"
            return LanePerceptionOutputs(
                lanes=LaneModel(stamp_s=frame.stamp_s, reason=reason),
                status=Status(state="broken_picture", health=Health.DEGRADED, reason=reason),
            )
        result, lanes = self._detector.step(image, frame.stamp_s, self.state.lanes)
        self.state = PerceptionState(lanes=lanes, stamp_s=frame.stamp_s)
        model = result.model
        left, right = model.side(LaneSide.LEFT), model.side(LaneSide.RIGHT)
        state = "both" if left and right else "left_only" if left else "right_only" if right else "no_lane"
        return LanePerceptionOutputs(
            lanes=model,
            status=Status(
                state=state,
                is_active=True,
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
