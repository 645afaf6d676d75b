"""The ego vehicle's motion along its plan: the kinematic single track, without sideslip at the rear axle.

The plan gives the lateral offset of the rear axle's centre and the speed as functions of time. From them follow pose,
yaw rate and curvature exactly, and from curvature and speed the steering wheel (delta = atan(L kappa (1 + K v^2)), the
vehicle file's relation). So the recorded state, the pictures and the truth can only agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from adas_runtime.synth.plan import Plan
from adas_runtime.vehicle.schema import Vehicle

Floats = NDArray[np.float64]
RATE_HZ = 100


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Motion:
    """The ego vehicle at 100 Hz; every column has one row per `t_s`. Vehicle origin: ground under the rear axle."""

    t_s: Floats
    s_m: Floats
    d_m: Floats
    x_m: Floats
    y_m: Floats
    heading_rad: Floats
    speed_mps: Floats
    accel_mps2: Floats
    curvature_1pm: Floats
    yaw_rate_rps: Floats
    lateral_rate_mps: Floats
    wheel_angle_rad: Floats
    wheel_rate_rps: Floats
    left_tyre_m: Floats  # offset of the outer side of the front left tyre on the road, left positive
    right_tyre_m: Floats

    def at(self, t_s: float) -> Pose:
        """Pose at any time, by a cubic through the 100 Hz samples (exact at them)."""
        position = t_s * RATE_HZ
        index = min(max(int(position), 0), len(self.t_s) - 2)
        u = position - index
        values = []
        for column, slope in (
            (self.x_m, self.speed_mps * np.cos(self.heading_rad)),
            (self.y_m, self.speed_mps * np.sin(self.heading_rad)),
            (self.heading_rad, self.yaw_rate_rps),
        ):
            a, b = float(column[index]), float(column[index + 1])
            m, n = float(slope[index]) / RATE_HZ, float(slope[index + 1]) / RATE_HZ
            values.append(
                a * (1 + 2 * u) * (1 - u) ** 2 + m * u * (1 - u) ** 2 + b * u * u * (3 - 2 * u) + n * u * u * (u - 1)
            )
        s = float(self.s_m[index] * (1.0 - u) + self.s_m[index + 1] * u)
        return Pose(x_m=values[0], y_m=values[1], heading_rad=values[2], s_guess_m=s)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """Where the ego vehicle's origin is."""

    x_m: float
    y_m: float
    heading_rad: float
    s_guess_m: float

    def to_vehicle(self, x_m: Floats, y_m: Floats) -> tuple[Floats, Floats]:
        """World points in the vehicle frame."""
        dx, dy = x_m - self.x_m, y_m - self.y_m
        cos, sin = np.cos(self.heading_rad), np.sin(self.heading_rad)
        return np.asarray(cos * dx + sin * dy), np.asarray(-sin * dx + cos * dy)


def drive(plan: Plan, vehicle: Vehicle) -> Motion:
    """The motion of a plan, from 0 to its end, both included."""
    line = plan.road.line
    count = round(plan.seconds * RATE_HZ) + 1
    t = np.arange(count, dtype=np.float64) / RATE_HZ
    half = np.arange(2 * count - 1, dtype=np.float64) / (2 * RATE_HZ)
    d_half = plan.lateral_rate.integral(half) + plan.wander.value(half)
    rate_half = plan.lateral_rate.value(half) + plan.wander.slope(half)
    speed_half = plan.speed.value(half)
    forward = np.sqrt(np.maximum(speed_half**2 - rate_half**2, 0.0))

    s = np.zeros(count)
    curvature = line.curvature_1pm
    first, step = float(line.s_m[0]), float(line.s_m[1] - line.s_m[0])
    table = curvature.tolist()
    run, offset = forward.tolist(), d_half.tolist()

    def progress(at: float, index: int) -> float:
        place = (at - first) / step
        cell = int(place)
        kappa = table[cell] + (table[cell + 1] - table[cell]) * (place - cell)
        return float(run[index] / (1.0 - kappa * offset[index]))

    h = 1.0 / RATE_HZ
    now = 0.0
    for i in range(count - 1):  # classic Runge-Kutta; error below 1e-8 m over minutes
        a = progress(now, 2 * i)
        b = progress(now + h / 2 * a, 2 * i + 1)
        c = progress(now + h / 2 * b, 2 * i + 1)
        e = progress(now + h * c, 2 * i + 2)
        now += h / 6 * (a + 2 * b + 2 * c + e)
        s[i + 1] = now

    d, rate, speed = d_half[::2], rate_half[::2], speed_half[::2]
    ahead = forward[::2]
    kappa = line.curvature_at(s)
    x, y = line.point(s, d)
    drift = np.arctan2(rate, ahead)
    heading = line.heading_at(s) + drift
    yaw_rate = kappa * ahead / (1.0 - kappa * d) + np.gradient(drift, t, edge_order=2)
    path_curvature = yaw_rate / np.maximum(speed, 0.1)
    steering = vehicle.steering
    wheel = steering.ratio * np.arctan(
        vehicle.dimensions.wheelbase_m * path_curvature * (1.0 + steering.understeer_s2pm2 * speed**2)
    )
    base, tyre = vehicle.dimensions.wheelbase_m, vehicle.dimensions.tyre_outer_width_m / 2.0
    sides = []
    for side in (tyre, -tyre):
        front_x = x + base * np.cos(heading) - side * np.sin(heading)
        front_y = y + base * np.sin(heading) + side * np.cos(heading)
        sides.append(line.project(front_x, front_y, s + base)[1])
    return Motion(
        t_s=t,
        s_m=s,
        d_m=d,
        x_m=x,
        y_m=y,
        heading_rad=heading,
        speed_mps=speed,
        accel_mps2=plan.speed.slope(t),
        curvature_1pm=path_curvature,
        yaw_rate_rps=yaw_rate,
        lateral_rate_mps=rate,
        wheel_angle_rad=wheel,
        wheel_rate_rps=np.gradient(wheel, t, edge_order=2),
        left_tyre_m=sides[0],
        right_tyre_m=sides[1],
    )
