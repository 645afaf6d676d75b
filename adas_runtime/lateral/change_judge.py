"""What speaks against an automatic lane change, whether the gap suffices, and when the tyre is at the marking."""

from __future__ import annotations

from math import cos, sin
from typing import TYPE_CHECKING, Final

from adas_runtime.lateral.control import Pose
from adas_runtime.lateral.gap import (
    REAR_RANGE_LEAST_M,
    WIDTH_USUAL_M,
    Around,
    around,
    critical_gap_m,
    least_speed_mps,
)
from adas_runtime.signals import EgoLane, LaneBeyond, LaneEdge, LaneSide, TrackedObjects
from adas_runtime.units import kmh_to_mps, mps_to_kmh
from adas_runtime.vehicle.schema import Vehicle

if TYPE_CHECKING:
    from adas_runtime.lane_keeping.centring_params import LaneCentringParams
    from adas_runtime.lane_keeping.change_params import AutomaticLaneChangeParams

AGE_MAX_S: Final = 0.3
EDGE_CONFIDENCE_MIN: Final = 0.3
BRAKING_MPS2: Final = 1.0  # of ours behind a slower car in the other lane
CONTROL_SHARE: Final = 0.8
BACK_JERK_MPS3: Final = 4.0
APPROACH_SLACK_M: Final = 1.0  # noise of the gap does not take a movement back that began with the margin


class Judge:
    """Constants of market and vehicle, and the questions about one moment."""

    def __init__(self, params: AutomaticLaneChangeParams, centring: LaneCentringParams, vehicle: Vehicle) -> None:
        self._params = params
        size = vehicle.dimensions
        self.front_m = size.wheelbase_m + size.front_overhang_m
        self.rear_m = size.length_m - self.front_m  # behind the rear axle
        self._tyre_half_m = 0.5 * size.tyre_outer_width_m
        self._base_m = size.wheelbase_m
        self.range_m = vehicle.equipment.rear_sensing_m
        self.has_range = self.range_m is not None and self.range_m >= REAR_RANGE_LEAST_M
        self.least_mps = least_speed_mps(self.range_m or 0.0, kmh_to_mps(params.approach_kmh))
        self._table = centring.table(vehicle.category)
        self._table_max_mps2 = 3.0 if vehicle.category in ("M1", "N1") else 2.5  # R79 5.6.2.1.3 table 1
        self._excess_mps2 = centring.excess_mps2
        self._limit_mps2 = vehicle.limits.lateral_accel_max_mps2
        # what the vehicle's maker leaves of acceleration and jerk, with room for what the controller adds
        self.way_mps2 = min(params.lateral_accel_mps2, CONTROL_SHARE * self._limit_mps2)
        self.way_mps3 = CONTROL_SHARE * vehicle.limits.lateral_jerk_max_mps3
        self.back_mps2 = min(params.return_accel_mps2, CONTROL_SHARE * self._limit_mps2)
        self.back_mps3 = min(BACK_JERK_MPS3, self.way_mps3)

    def aysmax_mps2(self, speed_mps: float) -> float:
        """Lateral acceleration that lane centring declares at a speed [m/s^2]."""
        speed_kmh = mps_to_kmh(speed_mps)
        return next((value for end_kmh, value in self._table if speed_kmh <= end_kmh), self._table[-1][1])

    def accel_max_mps2(self, speed_mps: float) -> float:
        """Most lateral acceleration, the curve's included (R79 5.6.4.4) [m/s^2]."""
        return min(self.aysmax_mps2(speed_mps) + self._excess_mps2, self._table_max_mps2)

    @staticmethod
    def edge(lane: EgoLane | None, side: int) -> LaneEdge | None:
        """The marking on this side: 1 left, -1 right."""
        return None if lane is None else lane.edge(LaneSide.LEFT if side > 0 else LaneSide.RIGHT)

    def around(self, objects: TrackedObjects, lane: EgoLane, side: int, speed_mps: float, in_s: float) -> Around:
        """What stands in the lane on this side."""
        return around(
            objects,
            lane,
            side,
            speed_mps,
            need_m=critical_gap_m,
            beside_m=self._params.beside_m,
            front_m=self.front_m,
            rear_m=self.rear_m,
            drift_s=in_s,
        )

    def is_fast_enough(self, found: Around | None, speed_mps: float) -> bool:
        """Fast enough for the range of rear sensing, or a vehicle behind is watched within it (5.6.4.8.1.4)."""
        if speed_mps >= self.least_mps:
            return True
        if found is None or found.rear_gap_m is None or self.range_m is None:
            return False
        need_m = critical_gap_m(speed_mps, found.rear_mps)
        return need_m <= found.rear_gap_m < self.range_m and need_m < self.range_m

    def is_gap(self, found: Around, speed_mps: float, in_s: float, *, is_moving: bool) -> bool:
        """Whether the situation will not be critical when the tyre is at the marking, `in_s` from now (5.6.4.7)."""
        params = self._params
        if found.beside:
            return False
        if found.rear_gap_m is not None:
            margin_m = params.rear_margin_m
            if is_moving:
                margin_m = max(margin_m - APPROACH_SLACK_M, 0.0)
            left_m = found.rear_gap_m - max(found.rear_mps - speed_mps, 0.0) * in_s
            if left_m < critical_gap_m(speed_mps, found.rear_mps) + margin_m:
                return False
        if found.front_gap_m is None:
            return True
        closing_mps = max(speed_mps - found.front_mps, 0.0)
        front_s = params.front_gap_s - (0.2 if is_moving else 0.0)
        need_m = front_s * speed_mps + closing_mps * in_s + closing_mps * closing_mps / (2.0 * BRAKING_MPS2)
        return found.front_gap_m >= need_m

    def blocked(
        self,
        lane: EgoLane | None,
        found: Around | None,
        side: int,
        speed_mps: float,
        *,
        has_trailer: bool,
        has_esc: bool,
    ) -> str:
        """What speaks against a change to this side, `""` nothing."""
        if has_trailer:
            return "trailer"
        if has_esc:
            return "stability_control"
        if not self.has_range or found is None:
            return "no_rear_sensing"
        if lane is None or not lane.is_fit_to_steer:
            return "lane_unfit"
        edge = self.edge(lane, side)
        if edge is None or not edge.is_seen or edge.confidence < EDGE_CONFIDENCE_MIN:
            return "no_edge"
        if edge.may_cross is not True:
            return "marking"
        if edge.beyond is not LaneBeyond.SAME_DIRECTION:
            return "oncoming"
        if lane.is_works:
            return "works"
        if not self.is_fast_enough(found, speed_mps):
            return "speed_low"
        accel_mps2 = abs(lane.curvature_1pm) * speed_mps * speed_mps + self.way_mps2
        if accel_mps2 > min(self.aysmax_mps2(speed_mps), self._limit_mps2):
            return "curve"
        return "beside" if found.beside else ""

    def way_m(self, lane: EgoLane, side: int) -> float:
        """From the middle of the lane to that of the next one: a width and the marking between them [m]."""
        edge = self.edge(lane, side)
        return (lane.width_m or WIDTH_USUAL_M) + (0.0 if edge is None else edge.width_m)

    def to_line_m(self, lane: EgoLane, side: int, now_s: float) -> float:
        """From the front tyre to the inner edge of the marking, now (R79 2.4.17) [m]."""
        edge = self.edge(lane, side)
        if edge is None:
            return 0.5 * (lane.width_m or WIDTH_USUAL_M) - self._tyre_half_m
        age_s = min(max(now_s - lane.stamp_s, 0.0), AGE_MAX_S)
        return edge.distance_m + edge.rate_mps * age_s

    def is_across(self, lane: EgoLane, pose: Pose, side: int, now_s: float) -> bool:
        """Front and rear wheels are inside the new lane, which is the car's own by now (R79 2.4.17)."""
        half_m = 0.5 * (lane.width_m or WIDTH_USUAL_M) - self._tyre_half_m
        rear_m = half_m - side * pose.offset_m
        edge = self.edge(lane, -side)
        if edge is not None:
            age_s = min(max(now_s - lane.stamp_s, 0.0), AGE_MAX_S)
            front_m = edge.distance_m + edge.rate_mps * age_s
        else:
            front_m = rear_m + side * self._base_m * sin(-pose.heading_rad) * cos(pose.heading_rad)
        return front_m >= 0.0 and rear_m >= 0.0
