"""What the yaw rate is told too high: learned while a lane is seen, so that one that is lost can be held by the rest.

A car turns as its lane does, and by how much the lane's direction against its nose turns the other way: what a sensor
tells beyond that is its bias, in the mean over noise. A bias of 0.1 deg/s would otherwise lead the car over the line in
6 s of a held lane.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.records import maker

FROM_MPS: Final = 10.0  # slower, a lane's curvature says little of the yaw rate
LEARN_S: Final = 20.0  # of the mean: bends that begin and end, and the noise of the curvature, are over by then
BIAS_MAX_RPS: Final = math.radians(0.5)  # more is no bias but a defect [D]
STEP_MAX_S: Final = 0.2


@dataclass(frozen=True, slots=True)
class Gyro:
    """What is known of the bias.

    Args:
        bias_rps: To take from the yaw rate, left positive [rad/s].
        mean_rps: The mean so far; it counts in full from `LEARN_S` on, before that as little as it is sure.
        learned_s: For how long it was learned, at most `LEARN_S` [s].
    """

    bias_rps: float = 0.0
    mean_rps: float = 0.0
    learned_s: float = 0.0


make_gyro = maker(Gyro)
UNKNOWN: Final = Gyro()


def learned(
    gyro: Gyro, yaw_rate_rps: float, *, speed_mps: float, curvature_1pm: float, turned_rad: float, dt_s: float
) -> Gyro:
    """The bias after one more moment in a lane that is seen.

    Args:
        gyro: Before it.
        yaw_rate_rps: As measured; no number changes nothing [rad/s].
        speed_mps: Speed.
        curvature_1pm: Of the lane at the car.
        turned_rad: By how much the lane's direction against the nose has turned left since the former step: what the
            car has turned in its lane, as against wind.
        dt_s: Since the former step.
    """
    dt_s = min(max(dt_s, 0.0), STEP_MAX_S)
    if speed_mps < FROM_MPS or dt_s <= 0.0:
        return gyro
    surplus_rps = yaw_rate_rps - speed_mps * curvature_1pm + turned_rad / dt_s
    if not math.isfinite(surplus_rps):
        return gyro
    learned_s = min(gyro.learned_s + dt_s, LEARN_S)
    mean_rps = gyro.mean_rps + dt_s / learned_s * (surplus_rps - gyro.mean_rps)
    bias_rps = mean_rps * learned_s / LEARN_S
    return make_gyro(min(max(bias_rps, -BIAS_MAX_RPS), BIAS_MAX_RPS), mean_rps, learned_s)
