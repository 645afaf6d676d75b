"""The lateral controller: from where the lane lies to the path curvature that leads the car along it.

Pure: `PathControl` holds constants of market and vehicle, `Control` is all that is kept from step to step.

What a command does comes late: delay and lag of the actuator, then the tyres. The sum, `lead_s`, is known from the
single-track model. So the controller

- steers by the curvature that the lane will have where the car is when the command acts (preview);
- judges the error at that time, from the error now and what of its own commands is still on its way (a predictor, so
  that the dead time costs no damping);
- asks for the lateral acceleration of a damped spring towards the path, whatever the speed: a = w^2 e + 2 z w e'. As
  curvature that is a / v^2: this is the gain schedule;
- learns two things: how much more the car turns than told (wind, camber, wrong understeer), and by how much it moves
  along another direction than its nose (crabbing in wind and bends, a camera that looks askew). With both learnt the
  car stands in the middle, not beside it.

Signs as everywhere: left positive. `offset_m` is where the lane's centre lies from the car, so a positive error asks
for steering to the left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.lateral.params import LateralControlParams
from adas_runtime.records import maker
from adas_runtime.signals import EgoLane, VehicleState
from adas_runtime.vehicle.schema import Vehicle

EMERGENCY_STEERING_RANK: Final = 3  # `LateralRequest.priority`: the arbiter's order, `LateralRank`
LANE_CENTRING_RANK: Final = 4
SPEED_FLOOR_MPS: Final = 3.0  # below, curvature follows the geometry alone, and v^2 must not vanish
STEP_MAX_S: Final = 0.1  # a late step may not be used to jump
AGE_MAX_S: Final = 0.3  # an older picture is the caller's to refuse; here it only bounds the extrapolation
SURPRISE_M: Final = 0.4  # the lane jumped: another lane, or a bad picture; the crab angle learns nothing from it
CURVATURE_FIELD_1PM: Final = 0.5  # bound of the signal
EXCESS_START_MPS2: Final = 0.8  # more, at the start, is a car in motion rather than wind


@dataclass(frozen=True, slots=True)
class Pose:
    """How the lane lies to the car now, at the rear axle.

    Args:
        offset_m: Lane centre, left of the car positive [m].
        heading_rad: Lane direction against the car's nose, left positive [rad].
        curvature_1pm: Curvature of the lane's centre at the car [1/m].
        curvature_rate_1pm2: Its change along the lane [1/m^2].
        x_max_m: How far ahead the curvature is known [m].
    """

    offset_m: float
    heading_rad: float
    curvature_1pm: float
    curvature_rate_1pm2: float = 0.0
    x_max_m: float = 0.0


@dataclass(frozen=True, slots=True)
class Target:
    """Where inside the lane the car should be.

    Args:
        offset_m: Left of the lane's centre [m].
        rate_mps: Its change [m/s].
        accel_mps2: The change of that, for the time when a command of now acts (`PathControl.lead_s`) [m/s^2].
    """

    offset_m: float = 0.0
    rate_mps: float = 0.0
    accel_mps2: float = 0.0


CENTRE: Final = Target()


@dataclass(frozen=True, slots=True)
class Control:
    """All that the controller keeps; replaced with each step.

    Args:
        curvature_1pm: What it asks for; while it does not steer, what the car drives [1/m].
        offset_m, offset_rate_mps: Error to the target and its change, as last judged [m, m/s].
        sent_new_1pm, sent_old_1pm: Commands on their way to the yaw rate, by age [1/m].
        error_new_1pm, error_old_1pm: The same on the way to the path, without what the lane's curvature asked for.
        excess_1pm: How much more the car turns than told [1/m].
        seen_m: The lane's offset as the crab angle's observer expects it; `None` before the first look [m].
        crab_rad: Lane direction against the car's motion, less what nose and tyres explain [rad].
        slip_rad: By how much the rear axle moves to the right of the nose, from yaw rate and tyres [rad].
        steering_s: How long it has been steering [s].
        is_limited: The last request was cut by the limit of acceleration.
    """

    curvature_1pm: float = 0.0
    offset_m: float = 0.0
    offset_rate_mps: float = 0.0
    sent_new_1pm: float = 0.0
    sent_old_1pm: float = 0.0
    error_new_1pm: float = 0.0
    error_old_1pm: float = 0.0
    excess_1pm: float = 0.0
    seen_m: float | None = None
    crab_rad: float = 0.0
    slip_rad: float = 0.0
    steering_s: float = 0.0
    is_limited: bool = False


IDLE: Final = Control()
LEARN_AFTER_S: Final = 1.0  # until then the envelope still hands steering over, and the car does not follow in full
make_control = maker(Control)
make_pose = maker(Pose)


def _clamped(value: float, bound: float) -> float:
    return -bound if value < -bound else bound if value > bound else value


def turning_rps(vehicle: VehicleState, curvature_1pm: float) -> float:
    """How fast the car turns: as measured; where that is missing or no number, as it is steered [rad/s]."""
    measured_rps = vehicle.yaw_rate_rps
    if measured_rps is None or not math.isfinite(measured_rps):
        return curvature_1pm * vehicle.speed_mps
    return measured_rps


class PathControl:
    """Leads the car along a path; `watch` while somebody else steers, `steer` to steer."""

    def __init__(self, params: LateralControlParams, vehicle: Vehicle) -> None:
        self._params = params
        steering = vehicle.steering
        self._actuator_s = steering.delay_s + steering.lag_s
        self._understeer_s2pm2 = steering.understeer_s2pm2
        self._rear_slip_s2pm = steering.rear_slip_s2pm
        self._base_m, self._ratio = vehicle.dimensions.wheelbase_m, steering.ratio
        # slip of both axles per lateral acceleration; the front's follows from the understeer: K L = front - rear
        self._slips_s2pm = 2.0 * steering.rear_slip_s2pm + steering.understeer_s2pm2 * vehicle.dimensions.wheelbase_m
        self._stiffness = params.frequency_rps * params.frequency_rps
        self._damping = 2.0 * params.damping * params.frequency_rps
        self._crab_gain = params.crab_frequency_rps * params.crab_frequency_rps
        self._crab_damping = 2.0 * params.crab_frequency_rps
        self._crab_max_rad = math.radians(params.crab_max_deg)
        # what the vehicle's maker allows, as the envelope does: a cut there would open the loop
        self._accel_max_mps2 = vehicle.limits.lateral_accel_max_mps2
        self._jerk_max_mps3 = vehicle.limits.lateral_jerk_max_mps3

    def lead_s(self, speed_mps: float) -> float:
        """From a command to its curvature on the path: delay, lag and the tyres of both axles [s].

        The tyres' part is the first moment of the single-track model's answer, steering to direction of motion at the
        rear axle, for a car whose yaw inertia is mass times the product of its axle distances (most cars').
        """
        return self._actuator_s + self._tyres_s(speed_mps)

    def _tyres_s(self, speed_mps: float) -> float:
        return speed_mps * self._slips_s2pm / (1.0 + self._understeer_s2pm2 * speed_mps * speed_mps)

    def pose(self, control: Control, lane: EgoLane, now_s: float, speed_mps: float, yaw_rate_rps: float) -> Pose:
        """How the lane lies now: the picture is some time old, and the car has moved since."""
        age_s = now_s - lane.stamp_s
        age_s = 0.0 if age_s < 0.0 else AGE_MAX_S if age_s > AGE_MAX_S else age_s
        way_m = speed_mps * age_s
        curvature_1pm = lane.curvature_1pm + lane.curvature_rate_1pm2 * way_m
        turned_rad = 0.5 * (lane.curvature_1pm + curvature_1pm) * way_m - yaw_rate_rps * age_s
        drift_rad = lane.heading_rad + control.slip_rad + 0.5 * turned_rad
        return make_pose(
            lane.offset_m + way_m * drift_rad,
            lane.heading_rad + turned_rad,
            curvature_1pm,
            lane.curvature_rate_1pm2,
            lane.x_max_m - way_m,
        )

    def carried(self, control: Control, pose: Pose, *, speed_mps: float, yaw_rate_rps: float, dt_s: float) -> Pose:
        """Where a lane that is no longer seen lies after `dt_s` more, by the car's own motion."""
        way_m = max(speed_mps, 0.0) * min(max(dt_s, 0.0), STEP_MAX_S)
        curvature_1pm = pose.curvature_1pm + pose.curvature_rate_1pm2 * way_m
        turned_rad = 0.5 * (pose.curvature_1pm + curvature_1pm) * way_m - yaw_rate_rps * dt_s
        drift_rad = pose.heading_rad + control.slip_rad + control.crab_rad + 0.5 * turned_rad
        return make_pose(
            pose.offset_m + way_m * drift_rad,
            pose.heading_rad + turned_rad,
            curvature_1pm,
            pose.curvature_rate_1pm2,
            pose.x_max_m - way_m,
        )

    def steered_1pm(self, vehicle: VehicleState) -> float | None:
        """Curvature that the steering wheel stands for, `None` where the car does not tell its angle [1/m]."""
        angle_rad = vehicle.steering_wheel_angle_rad
        if angle_rad is None or not math.isfinite(angle_rad):
            return None
        speed_mps = max(vehicle.speed_mps, SPEED_FLOOR_MPS)
        gain_m = self._base_m * (1.0 + self._understeer_s2pm2 * speed_mps * speed_mps)
        return _clamped(math.tan(_clamped(angle_rad / self._ratio, 1.2)) / gain_m, CURVATURE_FIELD_1PM)

    def watch(
        self,
        control: Control,
        pose: Pose | None,
        *,
        speed_mps: float,
        yaw_rate_rps: float,
        dt_s: float,
        target: Target = CENTRE,
        steered_1pm: float | None = None,
    ) -> Control:
        """Somebody else steers: be ready to begin where the car is, and learn the crab angle.

        `steered_1pm`: what the wheels stand for (`steered_1pm`); what the car drives otherwise is wind or slope, which
        whoever steers has taken care of. `None`: not known, what it drives stands for both.
        """
        speed_mps = max(speed_mps, SPEED_FLOOR_MPS)
        driven_1pm = _clamped(yaw_rate_rps / speed_mps, CURVATURE_FIELD_1PM)
        excess_1pm = 0.0
        if steered_1pm is not None:
            bound_1pm = min(EXCESS_START_MPS2, self._params.disturbance_max_mps2) / (speed_mps * speed_mps)
            excess_1pm = _clamped(driven_1pm - steered_1pm, bound_1pm)
        sent_1pm = driven_1pm - excess_1pm
        dt_s = min(max(dt_s, 0.0), STEP_MAX_S)
        slip_rad = self._slip(control, speed_mps, yaw_rate_rps, dt_s)
        if pose is None:
            return make_control(
                sent_1pm,
                sent_new_1pm=sent_1pm,
                sent_old_1pm=sent_1pm,
                excess_1pm=excess_1pm,
                slip_rad=slip_rad,
            )
        drift_rad = pose.heading_rad + slip_rad
        seen_m, crab_rad = self._crab(control, pose.offset_m, drift_rad, speed_mps, dt_s)
        error_1pm = driven_1pm - pose.curvature_1pm
        return make_control(
            sent_1pm,
            pose.offset_m + target.offset_m,
            speed_mps * (drift_rad + crab_rad) + target.rate_mps,
            sent_1pm,
            sent_1pm,
            error_1pm,
            error_1pm,
            excess_1pm,
            seen_m,
            crab_rad,
            slip_rad,
            0.0,
            False,
        )

    def steer(
        self,
        control: Control,
        pose: Pose,
        *,
        speed_mps: float,
        yaw_rate_rps: float,
        dt_s: float,
        accel_max_mps2: float,
        target: Target = CENTRE,
        jerk_max_mps3: float | None = None,
    ) -> Control:
        """One step of steering; the request is `curvature_1pm` of what comes back.

        Args:
            control: What `watch` or `steer` gave before.
            pose: How the lane lies now.
            speed_mps: Speed of the car [m/s].
            yaw_rate_rps: Its yaw rate; where the car does not tell it, speed times the last request [rad/s].
            dt_s: Since the former step [s].
            accel_max_mps2: Most lateral acceleration, speed squared times curvature [m/s^2].
            target: Where inside the lane.
            jerk_max_mps3: Instead of the market's, where a correction is in a hurry [m/s^3].
        """
        params = self._params
        speed_mps = max(speed_mps, SPEED_FLOOR_MPS)
        dt_s = min(max(dt_s, 0.0), STEP_MAX_S)
        square = speed_mps * speed_mps
        tyres_s = self._tyres_s(speed_mps)
        lead_s = self._actuator_s + tyres_s
        slip_rad = self._slip(control, speed_mps, yaw_rate_rps, dt_s)
        # the error now
        drift_rad = pose.heading_rad + slip_rad
        seen_m, crab_rad = self._crab(control, pose.offset_m, drift_rad, speed_mps, dt_s)
        offset_m = pose.offset_m + target.offset_m
        rate_mps = speed_mps * (drift_rad + crab_rad) + target.rate_mps
        # the error when this command acts: commands on their way count as if they had acted
        half_s = 0.5 * lead_s
        ahead_mps = rate_mps - square * half_s * (control.error_new_1pm + control.error_old_1pm)
        ahead_m = offset_m + lead_s * rate_mps - square * half_s * half_s * control.error_old_1pm
        wanted_mps = _clamped(self._stiffness * ahead_m / self._damping, params.approach_max_mps)
        accel_mps2 = self._damping * (wanted_mps + ahead_mps) + target.accel_mps2
        # curvature of the lane at that time
        way_m = min(speed_mps * lead_s, max(pose.x_max_m, 0.0))
        lane_1pm = pose.curvature_1pm + pose.curvature_rate_1pm2 * way_m
        bound_1pm = min(min(accel_max_mps2, self._accel_max_mps2) / square, CURVATURE_FIELD_1PM)
        asked_1pm = lane_1pm + accel_mps2 / square - control.excess_1pm
        curvature_1pm = _clamped(asked_1pm, bound_1pm)
        jerk_mps3 = params.jerk_max_mps3 if jerk_max_mps3 is None else jerk_max_mps3
        step_1pm = min(jerk_mps3, self._jerk_max_mps3) * dt_s / square
        change_1pm = _clamped(curvature_1pm - control.curvature_1pm, step_1pm)
        # the bound holds at once: it sinks with a speed that grows, slower than any jerk; a jump of it is no car's
        curvature_1pm = _clamped(control.curvature_1pm + change_1pm, bound_1pm)
        # what the car turns more than told; slow, and only once it follows in full
        share = dt_s / (half_s + dt_s)
        yaw_half_s = max(
            half_s - 0.5 * self._rear_slip_s2pm * speed_mps, 0.5 * self._actuator_s
        )  # the yaw rate answers before the path does
        yaw_share = dt_s / (yaw_half_s + dt_s)
        sent_new_1pm = control.sent_new_1pm + yaw_share * (curvature_1pm - control.sent_new_1pm)
        sent_old_1pm = control.sent_old_1pm + yaw_share * (sent_new_1pm - control.sent_old_1pm)
        steering_s = control.steering_s + dt_s
        excess_1pm = control.excess_1pm
        if steering_s > LEARN_AFTER_S:
            surplus_1pm = yaw_rate_rps / speed_mps - sent_old_1pm
            excess_1pm += dt_s / (params.disturbance_s + dt_s) * (surplus_1pm - excess_1pm)
            excess_1pm = _clamped(excess_1pm, params.disturbance_max_mps2 / square)
        error_1pm = curvature_1pm - lane_1pm + excess_1pm
        error_new_1pm = control.error_new_1pm + share * (error_1pm - control.error_new_1pm)
        error_old_1pm = control.error_old_1pm + share * (error_new_1pm - control.error_old_1pm)
        return make_control(
            curvature_1pm,
            offset_m,
            rate_mps,
            sent_new_1pm,
            sent_old_1pm,
            error_new_1pm,
            error_old_1pm,
            excess_1pm,
            seen_m,
            crab_rad,
            slip_rad,
            steering_s,
            abs(asked_1pm) > bound_1pm,
        )

    def _slip(self, control: Control, speed_mps: float, yaw_rate_rps: float, dt_s: float) -> float:
        """The rear axle's slip: its tyres follow the yaw rate like a first-order lag of their own [rad]."""
        lag_s = self._rear_slip_s2pm * speed_mps
        return (
            control.slip_rad + dt_s / (lag_s + dt_s) * (lag_s * yaw_rate_rps - control.slip_rad)
            if dt_s
            else control.slip_rad
        )

    def _crab(
        self, control: Control, offset_m: float, drift_rad: float, speed_mps: float, dt_s: float
    ) -> tuple[float, float]:
        """The lane's offset as expected, and the crab angle that makes it come true."""
        seen_m, crab_rad = control.seen_m, control.crab_rad
        if seen_m is None or abs(offset_m - seen_m) > SURPRISE_M:
            return offset_m, crab_rad
        surprise_m = offset_m - seen_m
        seen_m += dt_s * (speed_mps * (drift_rad + crab_rad) + self._crab_damping * surprise_m)
        crab_rad += dt_s * self._crab_gain * surprise_m / speed_mps
        return seen_m, _clamped(crab_rad, self._crab_max_rad)
