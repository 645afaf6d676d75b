"""Our car in a closed loop: on the given course exactly, or a single track that what commands it steers.

Both are driven by the acceleration that the brakes give. Places are those of the middle of the rear axle, in the frame
of our front bumper at the start: x ahead, y left.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Final, Protocol

from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import STEP_S, Motion, SingleTrack
from adas_runtime.signals import ActuationCommand
from adas_runtime.vehicle.schema import Vehicle

Curvature = Callable[[float], float]

DRIVER_RPS: Final = 1.5  # how briskly a driver comes back to the course: the natural frequency of a damped spring
WHEEL_S: Final = 0.1  # time constant of the steering wheel of a car that is led
SLOW_MPS: Final = 3.0  # the spring's curvature is bounded by it


class OurCar(Protocol):
    """What the loop needs to know of it."""

    x_m: float
    y_m: float
    heading_rad: float
    speed_mps: float
    way_m: float  # along the course
    offset_m: float  # of the rear axle, left of the course
    turned_rad: float  # against the course
    yaw_rate_rps: float
    lateral_accel_mps2: float
    wheel_angle_rad: float  # of the steering wheel
    wheel_rate_rps: float

    def step(self, accel_mps2: float, command: ActuationCommand | None, wind_mps: float) -> None:
        """10 ms on."""
        ...


class OnCourse:
    """It follows the course to the millimetre, as the steering robot of a test track does."""

    offset_m = turned_rad = 0.0

    def __init__(
        self, front_m: float, speed_mps: float, curvature: Curvature | None, vehicle: Vehicle | None = None
    ) -> None:
        """As it starts.

        Args:
            front_m: From the rear axle to the front bumper.
            curvature: Of the way, `None`: straight.
            vehicle: Whose steering wheel is told; without, it is told straight.
        """
        self.wheel_angle_rad = self.wheel_rate_rps = 0.0
        self._vehicle = vehicle
        self.x_m, self.y_m, self.heading_rad, self.way_m = -front_m, 0.0, 0.0, 0.0
        self.speed_mps, self.yaw_rate_rps, self.lateral_accel_mps2 = speed_mps, 0.0, 0.0
        self._curvature = curvature

    def step(self, accel_mps2: float, command: ActuationCommand | None, wind_mps: float) -> None:
        """10 ms on; nobody steers it but the course."""
        self.speed_mps = speed = max(self.speed_mps + accel_mps2 * STEP_S, 0.0)
        self.yaw_rate_rps = 0.0 if self._curvature is None else self._curvature(self.way_m) * speed
        self.lateral_accel_mps2 = self.yaw_rate_rps * speed
        self.heading_rad += self.yaw_rate_rps * STEP_S
        self.x_m += speed * math.cos(self.heading_rad) * STEP_S
        self.y_m += speed * math.sin(self.heading_rad) * STEP_S
        self.way_m += speed * STEP_S
        if self._vehicle is not None and self._curvature is not None:
            self._turn_wheel(self._vehicle, self._curvature(self.way_m))

    def _turn_wheel(self, vehicle: Vehicle, curvature_1pm: float) -> None:
        """The wheel that this curvature takes; where the course has a kink, it takes its time."""
        steering, speed = vehicle.steering, self.speed_mps
        bend = vehicle.dimensions.wheelbase_m * curvature_1pm * (1.0 + steering.understeer_s2pm2 * speed * speed)
        rate_rps = (steering.ratio * math.atan(bend) - self.wheel_angle_rad) / WHEEL_S
        self.wheel_rate_rps = min(max(rate_rps, -steering.wheel_rate_max_rps), steering.wheel_rate_max_rps)
        self.wheel_angle_rad += self.wheel_rate_rps * STEP_S


class Steered:
    """The single track: a command steers it by its share of the authority; the rest is the driver's, on the course."""

    def __init__(self, vehicle: Vehicle, front_m: float, speed_mps: float, curvature: Curvature | None) -> None:
        """As `OnCourse`."""
        self._curvature: Curvature = curvature or (lambda _: 0.0)
        settled = SingleTrack(vehicle, Road(((0.0, self._curvature(0.0)),)), speed_mps=speed_mps).motion
        start = Motion(-front_m, 0.0, settled.heading_rad, settled.lateral_mps, settled.yaw_rate_rps, settled.wheel_rad)
        self._car = SingleTrack(
            vehicle, Road(), speed_mps=speed_mps, start=start
        )  # straight on: its way is x, its offset y
        self._ratio, self._base_m = vehicle.steering.ratio, vehicle.dimensions.wheelbase_m
        self._lead_s = vehicle.steering.delay_s + vehicle.steering.lag_s
        self._pose = (-front_m, 0.0, 0.0)  # of the course beside us
        self.speed_mps, self.way_m, self.offset_m, self.wheel_rate_rps = speed_mps, 0.0, 0.0, 0.0
        self._read()

    def _read(self) -> None:
        motion = self._car.motion
        self.x_m, self.y_m, self.heading_rad = motion.s_m, motion.d_m, motion.heading_rad
        self.yaw_rate_rps, self.lateral_accel_mps2 = motion.yaw_rate_rps, self._car.lateral_accel_mps2
        self.wheel_angle_rad = motion.wheel_rad * self._ratio
        self.turned_rad = self.heading_rad - self._pose[2]

    @property
    def front_offset_m(self) -> float:
        """Middle of the front axle, left of the course [m]."""
        bend = self._curvature(self.way_m)
        return self.offset_m + self._base_m * math.sin(self.turned_rad) - 0.5 * bend * self._base_m**2

    def step(self, accel_mps2: float, command: ActuationCommand | None, wind_mps: float) -> None:
        """10 ms on."""
        car, former_rad = self._car, self.wheel_angle_rad
        self.speed_mps = car.speed_mps = max(self.speed_mps + accel_mps2 * STEP_S, 0.0)
        wheel_rad = car.wheel_for(self._driver_1pm())
        if command is not None and command.is_lateral_active:
            share = command.lateral_authority
            wheel_rad = share * car.wheel_for(command.curvature_1pm) + (1.0 - share) * wheel_rad
        car.step(wheel_rad, wind_mps=wind_mps)
        self._find()
        self._read()
        self.wheel_rate_rps = (self.wheel_angle_rad - former_rad) / STEP_S

    def _driver_1pm(self) -> float:
        """Where a driver steers: along the course as it is when the wheels have turned, and back to it."""
        speed = self.speed_mps
        ahead_1pm = self._curvature(self.way_m + speed * self._lead_s)
        across_mps = self._car.rear_lateral_mps + speed * self.turned_rad
        back_mps2 = -DRIVER_RPS * (DRIVER_RPS * self.offset_m + 2.0 * across_mps)
        return ahead_1pm + back_mps2 / max(speed, SLOW_MPS) ** 2

    def _find(self) -> None:
        """Where on the course we are: from the former place, by what is left along it."""
        motion = self._car.motion
        for _ in range(2):
            x_m, y_m, heading = self._pose
            cos, sin = math.cos(heading), math.sin(heading)
            left_m = (motion.s_m - x_m) * cos + (motion.d_m - y_m) * sin
            step_m = left_m / max(1.0 - self._curvature(self.way_m) * self.offset_m, 0.2)
            turned = self._curvature(self.way_m + 0.5 * step_m) * step_m
            middle = heading + 0.5 * turned
            self._pose = (x_m + step_m * math.cos(middle), y_m + step_m * math.sin(middle), heading + turned)
            self.way_m += step_m
        x_m, y_m, heading = self._pose
        self.offset_m = (motion.d_m - y_m) * math.cos(heading) - (motion.s_m - x_m) * math.sin(heading)
