"""A car as a dynamic single track with linear tyres, behind an actuator with delay, lag and rate limit, in side wind.

What the vehicle file knows decides: wheelbase, understeer and rear slip give the tyres, delay and lag the actuator.
Mass, its distribution and the side area are the car body's, below. Positions are those of the rear axle, against the
centre of the lane (Frenet frame): exact in bends, and with nothing to project.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.scenario.road import Road
from adas_runtime.vehicle.schema import Vehicle

STEP_S: Final = 0.01  # one step; 100 Hz, as a vehicle state comes
SUBSTEPS: Final = 2
ROLLING_MPS: Final = 1.0  # below it tyres do not slip: their slopes grow without bound as the car comes to rest
AIR_KGPM3: Final = 1.2


_Values = tuple[float, float, float, float, float]  # of `Motion`, but the wheels


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """What no vehicle file says, of a compact car.

    Args:
        mass_kg: Mass.
        front_share: Share of it on the front axle.
        inertia_factor: Yaw inertia over mass times the product of the axles' distances; 1: the axles swing alone.
        side_area_m2: Side area times the coefficient of side force per slope of the wind [m^2].
        wind_arm_m: The wind acts this far ahead of the centre of gravity.
    """

    mass_kg: float = 1500.0
    front_share: float = 0.55
    inertia_factor: float = 1.0
    side_area_m2: float = 4.4
    wind_arm_m: float = 0.4


@dataclass(frozen=True, slots=True)
class Motion:
    """The car's state: way and offset of the rear axle on the road, heading against it, and how it moves."""

    s_m: float = 0.0
    d_m: float = 0.0
    heading_rad: float = 0.0
    lateral_mps: float = 0.0  # at the centre of gravity, left
    yaw_rate_rps: float = 0.0
    wheel_rad: float = 0.0  # of the front wheels


class SingleTrack:
    """The car; `step` once per 10 ms. Speed is the caller's: it may change, slowly."""

    def __init__(
        self,
        vehicle: Vehicle,
        road: Road,
        *,
        speed_mps: float,
        body: Body | None = None,
        delay_s: float | None = None,
        lag_s: float | None = None,
        start: Motion | None = None,
    ) -> None:
        """`delay_s`, `lag_s`: the real actuator, where it is another one than the vehicle file says."""
        body = body or Body()
        steering, self.base_m = vehicle.steering, vehicle.dimensions.wheelbase_m
        self._tyre_m = 0.5 * vehicle.dimensions.tyre_outer_width_m
        self._steering = steering
        self.vehicle, self.road, self.speed_mps, self.body = vehicle, road, speed_mps, body
        self._front_m = self.base_m * (1.0 - body.front_share)  # from the centre of gravity
        self._rear_m = self.base_m * body.front_share
        front_slip = steering.rear_slip_s2pm + steering.understeer_s2pm2 * self.base_m
        self._front_npr = body.mass_kg * body.front_share / front_slip
        self._rear_npr = body.mass_kg * (1.0 - body.front_share) / steering.rear_slip_s2pm
        self._inertia = body.inertia_factor * body.mass_kg * self._front_m * self._rear_m
        self._lag_s = steering.lag_s if lag_s is None else lag_s
        delay = steering.delay_s if delay_s is None else delay_s
        self._rate_max_rps = steering.wheel_rate_max_rps / steering.ratio
        self._angle_max_rad = steering.wheel_angle_max_rad / steering.ratio
        self.motion = start or self._settled()
        self.queue = [self.motion.wheel_rad] * round(delay / STEP_S)
        self.lateral_accel_mps2 = speed_mps * self.motion.yaw_rate_rps
        self.side_force_n = 0.0
        self.t_s = 0.0

    def _settled(self) -> Motion:
        """Driving along the road's curvature at its start, in the middle."""
        kappa = self.road.curvature_1pm(0.0)
        yaw_rate = kappa * self.speed_mps
        slip = self._steering.rear_slip_s2pm * self.speed_mps * yaw_rate  # the nose points into the bend
        lateral = yaw_rate * self._rear_m - slip * self.speed_mps
        return Motion(0.0, 0.0, slip, lateral, yaw_rate, self.wheel_for(kappa))

    def wheel_for(self, curvature_1pm: float) -> float:
        """Angle of the front wheels for a curvature, as the vehicle's gateway computes it [rad]."""
        gain = self.base_m * (1.0 + self._steering.understeer_s2pm2 * self.speed_mps * self.speed_mps)
        return min(max(math.atan(gain * curvature_1pm), -self._angle_max_rad), self._angle_max_rad)

    def step(self, wheel_rad: float, *, wind_mps: float = 0.0, accel_mps2: float = 0.0) -> None:
        """One step with a commanded angle of the front wheels, and side wind from the right (pushes left)."""
        self.queue.append(wheel_rad)
        wanted = self.queue.pop(0)
        speed = self.speed_mps
        # steady side wind by the slope of the resulting stream; the coefficient is per slope, as for small angles
        self.side_force_n = 0.5 * AIR_KGPM3 * self.body.side_area_m2 * wind_mps * math.hypot(speed, wind_mps)
        h = STEP_S / SUBSTEPS
        share = -math.expm1(-h / self._lag_s) if self._lag_s > 1e-6 else 1.0
        for _ in range(SUBSTEPS):
            motion = self.motion
            rate = (wanted - motion.wheel_rad) * share / h
            rate = min(max(rate, -self._rate_max_rps), self._rate_max_rps)
            wheel = motion.wheel_rad + rate * h
            if speed < ROLLING_MPS:
                self.motion = self._rolled(motion, wheel, h)
                continue
            values = (motion.s_m, motion.d_m, motion.heading_rad, motion.lateral_mps, motion.yaw_rate_rps)
            self.motion = Motion(*self._moved(values, motion.wheel_rad, rate, h), wheel)
        self.speed_mps = max(speed + accel_mps2 * STEP_S, 0.0)
        motion = self.motion
        if speed < ROLLING_MPS:
            self.lateral_accel_mps2 = speed * motion.yaw_rate_rps
        else:
            self.lateral_accel_mps2 = self._forces(motion, speed) / self.body.mass_kg
        self.t_s += STEP_S

    def _rolled(self, motion: Motion, wheel: float, h: float) -> Motion:
        """After `h` with wheels that roll where they point."""
        yaw_rate = self.speed_mps * math.tan(wheel) / self.base_m
        kappa, middle = self.road.curvature_1pm(motion.s_m), motion.heading_rad + 0.5 * h * yaw_rate
        forward = self.speed_mps * math.cos(middle) / (1.0 - kappa * motion.d_m)
        return Motion(
            motion.s_m + h * forward,
            motion.d_m + h * self.speed_mps * math.sin(middle),
            motion.heading_rad + h * (yaw_rate - kappa * forward),
            self._rear_m * yaw_rate,
            yaw_rate,
            wheel,
        )

    def _moved(self, y: _Values, wheel: float, rate: float, h: float) -> _Values:
        """The values after `h`, by the classic Runge-Kutta method."""

        def after(k: _Values, share: float) -> _Values:
            return (
                y[0] + share * k[0],
                y[1] + share * k[1],
                y[2] + share * k[2],
                y[3] + share * k[3],
                y[4] + share * k[4],
            )

        a = self._slope(y, wheel)
        b = self._slope(after(a, 0.5 * h), wheel + 0.5 * h * rate)
        c = self._slope(after(b, 0.5 * h), wheel + 0.5 * h * rate)
        e = self._slope(after(c, h), wheel + h * rate)
        mean = tuple((k1 + 2.0 * (k2 + k3) + k4) / 6.0 for k1, k2, k3, k4 in zip(a, b, c, e, strict=True))
        return after((mean[0], mean[1], mean[2], mean[3], mean[4]), h)

    def _tyres(self, lateral: float, yaw_rate: float, wheel: float, speed: float) -> tuple[float, float]:
        front = self._front_npr * (wheel - (lateral + self._front_m * yaw_rate) / speed)
        rear = -self._rear_npr * (lateral - self._rear_m * yaw_rate) / speed
        return front, rear

    def _forces(self, motion: Motion, speed: float) -> float:
        return sum(self._tyres(motion.lateral_mps, motion.yaw_rate_rps, motion.wheel_rad, speed)) + self.side_force_n

    def _slope(self, y: _Values, wheel: float) -> _Values:
        s, d, heading, lateral, yaw_rate = y
        front, rear = self._tyres(lateral, yaw_rate, wheel, self.speed_mps)
        mass = self.body.mass_kg
        kappa = self.road.curvature_1pm(s)
        at_rear = lateral - self._rear_m * yaw_rate
        cos, sin = math.cos(heading), math.sin(heading)
        forward = (self.speed_mps * cos - at_rear * sin) / (1.0 - kappa * d)
        return (
            forward,
            self.speed_mps * sin + at_rear * cos,
            yaw_rate - kappa * forward,
            (front + rear + self.side_force_n) / mass - self.speed_mps * yaw_rate,
            (self._front_m * front - self._rear_m * rear + self.body.wind_arm_m * self.side_force_n) / self._inertia,
        )

    # --- what is measured ---------------------------------------------------------------------------------------------

    @property
    def rear_lateral_mps(self) -> float:
        """Speed of the rear axle to the left, across the car's nose [m/s]."""
        return self.motion.lateral_mps - self._rear_m * self.motion.yaw_rate_rps

    @property
    def front_offset_m(self) -> float:
        """Centre of the front axle, left of the lane's centre [m]."""
        motion = self.motion
        kappa = self.road.curvature_1pm(motion.s_m)
        return motion.d_m + self.base_m * math.sin(motion.heading_rad) - 0.5 * kappa * self.base_m**2

    def dtlm_m(self, lane_width_m: float) -> tuple[float, float]:
        """Distance of the outer front tyre edges to the inner edges of the markings, left and right [m]."""
        free = 0.5 * lane_width_m - self._tyre_m
        return free - self.front_offset_m, free + self.front_offset_m
