"""What a lane camera and the ego-lane estimate tell of the simulated car: late, in pictures, with seeded noise."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass

from adas_runtime.scenario.single_track import SingleTrack
from adas_runtime.signals import EgoLane, LaneBeyond, LaneEdge, LaneSide, MarkingColour, MarkingType


@dataclass(frozen=True, slots=True, kw_only=True)
class CameraModel:
    """How good the lane estimate is.

    Args:
        period_s: Between two pictures [s].
        latency_s: From a picture to its lane [s].
        offset_std_m, heading_std_rad: Noise of each picture [m, rad].
        heading_bias_rad: The camera looks that far askew [rad].
        x_max_m: How far it sees [m].
        seed: Of the noise.
    """

    period_s: float = 0.05
    latency_s: float = 0.05
    offset_std_m: float = 0.0
    heading_std_rad: float = 0.0
    heading_bias_rad: float = 0.0
    x_max_m: float = 50.0
    seed: int = 1


class LaneCamera:
    """Takes a picture of the lane each period and hands it out once it is read."""

    def __init__(
        self,
        model: CameraModel,
        *,
        lane_width_m: float = 3.5,
        left: MarkingType = MarkingType.SOLID,
        right: MarkingType = MarkingType.SOLID,
    ) -> None:
        self._model = model
        self._random = random.Random(model.seed)
        self.lane_width_m = lane_width_m
        self._types = {LaneSide.LEFT: left, LaneSide.RIGHT: right}
        self._next_s = 0.0
        self._waiting: list[EgoLane] = []
        self._latest: EgoLane | None = None

    def look(self, car: SingleTrack, now_s: float, *, is_blind: bool = False, shift_m: float = 0.0) -> EgoLane | None:
        """The newest lane that has been read by now. A blind camera takes no more pictures."""
        model = self._model
        if now_s >= self._next_s - 1e-9:
            self._next_s += model.period_s
            if not is_blind:
                self._waiting.append(self._picture(car, now_s, shift_m))
        while self._waiting and now_s - self._waiting[0].stamp_s >= model.latency_s - 1e-9:
            self._latest = self._waiting.pop(0)
        return self._latest

    def _picture(self, car: SingleTrack, now_s: float, shift_m: float) -> EgoLane:
        model, motion = self._model, car.motion
        offset_m = -motion.d_m / math.cos(motion.heading_rad)
        left_m, right_m = car.dtlm_m(self.lane_width_m)
        if model.offset_std_m or model.heading_std_rad:
            error_m = self._random.gauss(0.0, model.offset_std_m)
            offset_m, left_m, right_m = offset_m + error_m, left_m + error_m, right_m - error_m
        heading_rad = -motion.heading_rad + model.heading_bias_rad + self._random.gauss(0.0, model.heading_std_rad)
        out_mps = car.speed_mps * math.sin(motion.heading_rad) + car.rear_lateral_mps * math.cos(motion.heading_rad)
        out_mps += car.base_m * (motion.yaw_rate_rps - car.speed_mps * car.road.curvature_1pm(motion.s_m))
        return EgoLane(
            stamp_s=now_s,
            edges=(
                self._edge(LaneSide.LEFT, left_m, -out_mps),
                self._edge(LaneSide.RIGHT, right_m, out_mps),
            ),
            offset_m=offset_m,
            heading_rad=heading_rad,
            curvature_1pm=car.road.curvature_1pm(motion.s_m),
            curvature_rate_1pm2=car.road.rate_1pm2(motion.s_m),
            width_m=self.lane_width_m,
            x_max_m=model.x_max_m,
            shift_m=shift_m,
            is_calibrated=True,
            is_fit_to_steer=True,
            confidence=0.9,
        )

    def _edge(self, side: LaneSide, distance_m: float, rate_mps: float) -> LaneEdge:
        kind = self._types[side]
        return LaneEdge(
            side=side,
            distance_m=distance_m,
            rate_mps=rate_mps,
            type=kind,
            colour=MarkingColour.WHITE,
            width_m=0.15,
            may_cross=kind is MarkingType.DASHED,
            beyond=LaneBeyond.SAME_DIRECTION if kind is MarkingType.DASHED else LaneBeyond.SHOULDER,
            confidence=0.9,
        )
