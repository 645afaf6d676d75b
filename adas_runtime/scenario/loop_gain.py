"""How far the lateral loop is from instability, from the very code that drives.

Controller and simulated car are linearised by differences around driving straight, in their own steps of 10 ms, with
the lane's age in between. The loop is cut where the commanded curvature enters the car; margins are read off there.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from adas_runtime.lateral.control import Control, PathControl
from adas_runtime.lateral.params import LateralControlParams
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import STEP_S, Motion, SingleTrack
from adas_runtime.signals import EgoLane
from adas_runtime.vehicle.schema import Vehicle

Floats = NDArray[np.float64]
LANE_AGE_S: Final = 0.075  # mean: 50 ms from a picture to its lane, and half of the 50 ms to the next one
SMALL: Final = 1e-7
NOW_S: Final = 1000.0
KEPT: Final = tuple(item.name for item in fields(Control) if item.name not in ("steering_s", "is_limited"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Margins:
    """Margins of the loop.

    Args:
        phase_deg, gain_db: Least phase margin, and by how much the gain may rise [deg, dB].
        lower_db: By how much the gain may fall; `inf` where it may vanish [dB].
        delay_s: By how much the delay may grow [s].
        crossover_rps: Highest frequency at which the gain is one [rad/s].
        sensitivity: Greatest amplification of a disturbance at any frequency [1].
        radius: Of the closed loop's slowest pole; below 1 is stable [1].
    """

    phase_deg: float
    gain_db: float
    lower_db: float
    delay_s: float
    crossover_rps: float
    sensitivity: float
    radius: float


def margins(
    params: LateralControlParams,
    vehicle: Vehicle,
    speed_mps: float,
    *,
    delay_s: float | None = None,
    lag_s: float | None = None,
    lane_age_s: float = LANE_AGE_S,
) -> Margins:
    """Margins at one speed. `delay_s`, `lag_s`: of the real actuator, where it differs from the vehicle file's."""
    age = round(lane_age_s / STEP_S)
    plant, inputs = _plant(vehicle, speed_mps, delay_s, lag_s, age)
    controller = _controller(params, vehicle, speed_mps, age)
    states, kept = inputs, len(KEPT)
    a, b = _linear(plant, np.zeros(states), np.zeros(1))
    f, g = _linear(controller, np.zeros(kept), np.zeros(3))
    seen = np.zeros((3, states))
    seen[0, -2] = seen[1, -1] = seen[2, 3] = 1.0  # offset and heading of the old picture, yaw rate of now
    whole = np.block([[a, np.zeros((states, kept))], [g @ seen, f]])
    into = np.vstack([b, np.zeros((kept, 1))])
    out = whole[[states + KEPT.index("curvature_1pm")], :]
    rate = np.logspace(-2.0, math.log10(0.9 * math.pi / STEP_S), 1500)
    eye = np.eye(states + kept)
    gain = np.array([-(out @ np.linalg.solve(np.exp(1j * w * STEP_S) * eye - whole, into))[0, 0] for w in rate])
    radius = float(np.max(np.abs(np.linalg.eigvals(whole + into @ out))))
    return _read(rate, gain, radius)


def _read(rate: Floats, gain: NDArray[np.complex128], radius: float) -> Margins:
    size, angle = np.abs(gain), np.degrees(np.angle(gain))
    phase_deg, delay_s, crossover_rps = math.inf, math.inf, 0.0
    for index in np.flatnonzero((size[:-1] - 1.0) * (size[1:] - 1.0) <= 0.0):
        lag = float(angle[index] % 360.0) - 180.0  # above the critical point, in (-180, 180]
        phase_deg = min(phase_deg, abs(lag))
        if lag > 0.0:
            delay_s = min(delay_s, math.radians(lag) / float(rate[index]))
        crossover_rps = max(crossover_rps, float(rate[index]))
    gain_db, lower_db = math.inf, math.inf
    crossing = np.flatnonzero((gain.imag[:-1] * gain.imag[1:] <= 0.0) & (gain.real[:-1] < 0.0))
    for index in crossing:
        decibel = -20.0 * math.log10(max(-float(gain.real[index]), 1e-12))
        if decibel > 0.0:
            gain_db = min(gain_db, decibel)
        else:
            lower_db = min(lower_db, -decibel)
    return Margins(
        phase_deg=phase_deg,
        gain_db=gain_db,
        lower_db=lower_db,
        delay_s=delay_s,
        crossover_rps=crossover_rps,
        sensitivity=float(np.max(1.0 / np.abs(1.0 + gain))),
        radius=radius,
    )


def _plant(
    vehicle: Vehicle, speed_mps: float, delay_s: float | None, lag_s: float | None, age: int
) -> tuple[Callable[[Floats, Floats], Floats], int]:
    """One step of car and old pictures; and the number of its states.

    States: offset, heading, lateral speed, yaw rate, wheels; commands in the delay; offsets and headings of the past.
    """
    car = SingleTrack(vehicle, Road(), speed_mps=speed_mps, delay_s=delay_s, lag_s=lag_s)
    waiting = len(car.queue)

    def step(x: Floats, u: Floats) -> Floats:
        car.motion = Motion(0.0, *(float(value) for value in x[:5]))
        car.queue = [float(value) for value in x[5 : 5 + waiting]]
        car.step(car.wheel_for(float(u[0])))
        moved = car.motion
        now = (moved.d_m, moved.heading_rad, moved.lateral_mps, moved.yaw_rate_rps, moved.wheel_rad)
        return np.concatenate([now, car.queue, x[:2], x[5 + waiting : -2]])

    return step, 5 + waiting + 2 * age


def _controller(
    params: LateralControlParams, vehicle: Vehicle, speed_mps: float, age: int
) -> Callable[[Floats, Floats], Floats]:
    """One step of the controller, with offset and heading of the picture and the yaw rate of now."""
    control = PathControl(params, vehicle)

    def step(z: Floats, y: Floats) -> Floats:
        values: dict[str, Any] = dict(zip(KEPT, (float(value) for value in z), strict=True))
        kept = Control(**values, steering_s=1e3)
        lane = EgoLane(stamp_s=NOW_S - age * STEP_S, offset_m=-float(y[0]), heading_rad=-float(y[1]), x_max_m=100.0)
        pose = control.pose(kept, lane, NOW_S, speed_mps, float(y[2]))
        done = control.steer(kept, pose, speed_mps=speed_mps, yaw_rate_rps=float(y[2]), dt_s=STEP_S, accel_max_mps2=3.0)
        return np.array([getattr(done, name) for name in KEPT])

    return step


def _linear(step: Callable[[Floats, Floats], Floats], x: Floats, u: Floats) -> tuple[Floats, Floats]:
    """Both matrices of a step around a point, by central differences."""

    def columns(of: Callable[[Floats], Floats], size: int) -> Floats:
        return np.column_stack([(of(SMALL * unit) - of(-SMALL * unit)) / (2.0 * SMALL) for unit in np.eye(size)])

    return columns(lambda d: step(x + d, u), len(x)), columns(lambda d: step(x, u + d), len(u))
