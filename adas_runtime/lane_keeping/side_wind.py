"""Help in side wind: UN R79 corrective steering of type (a), against a sudden change of the side force."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, oldest_input
from adas_runtime.lane_keeping.csf import QUIET, Chain, long_s, warned
from adas_runtime.lane_keeping.hands import torque_nm
from adas_runtime.lane_keeping.side_wind_params import SideWindParams
from adas_runtime.lane_keeping.side_wind_states import ACTIVE, STEERING, TRANSITIONS, State, View
from adas_runtime.lateral.control import LANE_CENTRING_RANK
from adas_runtime.records import maker
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    EgoLane,
    FunctionStatus,
    Health,
    LateralRequest,
    Stage,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "side_wind"
FOREVER_S: Final = -math.inf
WATCH_S: Final = 0.02  # between two steps while nothing pushes; the model is as good at this pace
REST_S: Final = 0.05  # the same where it would not help: too slow, blind
STEP_MAX_S: Final = 0.03  # the model's greatest step; a longer pause starts it afresh
WISH_S: Final = 0.3  # time constant of the path that the driver wants [D]
RESUME_S: Final = 1.0  # after the driver's action [D]
STUCK_HELPS: Final = 3  # spent in a row to one side: no wind blows like that, a sensor is stuck [D]
STUCK_QUIET_S: Final = 60.0  # a minute without a push begins the count anew [D]
CURVATURE_FIELD_1PM: Final = 0.5  # bound of the signal
CORRECTING: Final = ("correct_left", "correct_right")


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; `None` is absent or too old."""

    vehicle: VehicleState | None = None
    lane: tuple[EgoLane, ...] = ()
    elks: tuple[FunctionStatus, ...] = ()
    centring: tuple[FunctionStatus, ...] = ()
    dcas: tuple[FunctionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it asks for, and what it tells the driver."""

    request: LateralRequest | None
    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Model:
    """What the car would do by its steering wheel alone.

    Args:
        front_mps, rear_mps: Speed of the axles to the left [m/s].
        slow_mps2: What turns the car more than steered for long [m/s^2].
        push_mps2: What does so now, less that; left positive [m/s^2].
        wish_1pm: Curvature that the driver's steering asks for [1/m].
    """

    front_mps: float
    rear_mps: float
    slow_mps2: float
    push_mps2: float
    wish_1pm: float


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        spent: Helps in a row that were spent and not over, all to one side: left positive.
        spent_s: When the last push ended.
    """

    state: State = State.STANDBY
    reason: str = "vehicle_absent"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    is_in_range: bool = False
    model: Model | None = None
    settled_s: float = 0.0
    pushed_s: float | None = None
    intent_s: float = FOREVER_S
    intent: str = ""
    paused_until_s: float = FOREVER_S
    base_1pm: float = 0.0
    lane_1pm: float | None = None
    help_mps2: float = 0.0
    curvature_1pm: float = 0.0
    spent: int = 0
    spent_s: float = FOREVER_S
    was_asking: bool = False
    chain: Chain = QUIET
    ring: Ring = SILENT


make_model = maker(Model)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LateralRequest)
make_status = maker(Status)
make_view = maker(View)


class SideWind:
    """Steers part of a sudden side force away, for a short time; see `TRANSITIONS`.

    From the steering wheel's angle the single-track model of the vehicle file tells how the car would turn; what the
    car turns more, suddenly, is a push. What lasts is none (camber, steady wind): the driver has taken care of it. It
    asks for the curvature that the driver's steering meant, less a share of the push, within tight bounds.

    It steps aside for the driver's torque or quick hand, for stability control, and for every other function that
    steers. Absent inputs: no vehicle state, yaw rate or wheel angle: it hands back at once; standby, then a fault. No
    lane: in a bend the driver's path is held as it was when the push came, for three seconds at most. Time running back
    starts everything afresh.
    """

    def __init__(self, params: SideWindParams, vehicle: Vehicle) -> None:
        self.state = Memory()
        self._params = params
        self._from_mps = kmh_to_mps(params.from_kmh)
        self._until_mps = kmh_to_mps(params.until_kmh)
        steering = vehicle.steering
        self._ratio = steering.ratio
        self._base_m = vehicle.dimensions.wheelbase_m
        self._understeer_s2pm2 = steering.understeer_s2pm2
        self._rear_s2pm = max(steering.rear_slip_s2pm, 1e-3)
        self._front_s2pm = self._rear_s2pm + steering.understeer_s2pm2 * self._base_m
        self._wheel_max_rad = steering.wheel_angle_max_rad
        self._longest_s = long_s(vehicle.category)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = Memory(
                    now_s=now_s,
                    reason="vehicle_absent" if old.now_s is None else "time_ran_back",
                    entered_s=now_s,
                    vehicle_s=now_s,
                    spent=old.spent,
                    spent_s=now_s,
                    was_asking=old.was_asking,
                    ring=old.ring,
                )
        assert old.now_s is not None
        dt_s = now_s - old.now_s
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        missing = "vehicle_absent"
        speed_mps, yaw_rate_rps, wheel_rad = 0.0, None, None
        intent_s, intent = old.intent_s, old.intent
        is_steered = False
        is_in_range = old.is_in_range
        if vehicle is not None:
            speed_mps, yaw_rate_rps = vehicle.speed_mps, vehicle.yaw_rate_rps
            wheel_rad = vehicle.steering_wheel_angle_rad
            if yaw_rate_rps is not None and wheel_rad is not None and not math.isfinite(yaw_rate_rps + wheel_rad):
                yaw_rate_rps = wheel_rad = None
            missing = "motion_unknown" if yaw_rate_rps is None or wheel_rad is None else ""
            is_in_range = speed_mps >= (self._until_mps if is_in_range else self._from_mps)
            torque = torque_nm(vehicle)
            if torque is not None and torque > params.intent_torque_nm:
                intent_s, intent, is_steered = now_s, "driver_steers", True
            rate_rps = vehicle.steering_wheel_rate_rps
            if old.state not in STEERING and rate_rps is not None and abs(rate_rps) > params.intent_rate_rps:
                intent_s, intent = now_s, "steering"
        model, settled_s = None, 0.0
        if is_in_range and yaw_rate_rps is not None and wheel_rad is not None:
            model = self._model(old.model, speed_mps, yaw_rate_rps, wheel_rad, dt_s)
            settled_s = old.settled_s + dt_s if old.model is not None and dt_s <= STEP_MAX_S else 0.0
        push_mps2 = 0.0 if model is None else model.push_mps2
        pushed_s = None
        if model is not None and settled_s > 1.0 and abs(push_mps2) >= params.onset_mps2:
            pushed_s = now_s if old.pushed_s is None else old.pushed_s
        held_s = now_s - old.entered_s + EPS_S
        vehicle_s = old.vehicle_s if missing else now_s
        spent, spent_s = old.spent, old.spent_s
        if old.state in STEERING:
            spent_s = now_s
        elif spent and abs(spent) < STUCK_HELPS and now_s - spent_s > STUCK_QUIET_S:
            spent = 0
        view = make_view(
            missing=missing,
            is_failure=now_s - vehicle_s > params.fault_after_s,
            is_stuck=abs(spent) >= STUCK_HELPS and old.state not in STEERING,  # the last help fades out first
            is_in_range=is_in_range,
            other=self._other(inputs, vehicle),
            intent=intent if now_s - intent_s <= RESUME_S else "",
            is_pushed=pushed_s is not None
            and now_s - pushed_s >= params.onset_s - EPS_S
            and now_s >= old.paused_until_s,
            is_over=abs(push_mps2) < params.release_mps2,
            is_spent=held_s >= params.max_s,
            is_faded=held_s >= params.fade_s,
        )
        state, reason, entered_s, paused_until_s = old.state, old.reason, old.entered_s, old.paused_until_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                if state is State.HELPING:
                    side = 1 if old.help_mps2 < 0.0 else -1  # of the push
                    if row.target is State.FADING and row.reason == "help_spent":
                        spent = side if spent * side <= 0 else spent + side
                    else:
                        spent = 0  # what ends by itself was a push
                if state in STEERING and row.target not in STEERING:
                    paused_until_s = now_s + params.pause_s
                state, entered_s = row.target, now_s
        lane = inputs.lane[0] if inputs.lane and inputs.lane[0].is_fit_to_steer else None
        base_1pm, lane_1pm, help_mps2, curvature_1pm = 0.0, None, 0.0, 0.0
        request = None
        if state in STEERING:
            assert model is not None and vehicle is not None
            square = speed_mps * speed_mps
            base_1pm, lane_1pm = old.base_1pm, old.lane_1pm
            if old.state not in STEERING:
                base_1pm = old.model.wish_1pm if old.model is not None else model.wish_1pm
                lane_1pm = None if lane is None else lane.curvature_1pm
            wanted_mps2 = 0.0
            if state is State.HELPING:
                bound = params.accel_max_mps2
                wanted_mps2 = min(max(-params.share * push_mps2, -bound), bound)
            step_mps2 = params.jerk_max_mps3 * dt_s if state is State.HELPING else bound_fade(params, dt_s)
            help_mps2 = old.help_mps2 + min(max(wanted_mps2 - old.help_mps2, -step_mps2), step_mps2)
            bend_1pm = lane.curvature_1pm - lane_1pm if lane is not None and lane_1pm is not None else 0.0
            curvature_1pm = base_1pm + bend_1pm + help_mps2 / square
            curvature_1pm = min(max(curvature_1pm, -CURVATURE_FIELD_1PM), CURVATURE_FIELD_1PM)
            oldest, stamp_s = oldest_input(vehicle=vehicle.stamp_s, lane=None if lane is None else lane.stamp_s)
            request = make_request(
                stamp_s=stamp_s,
                oldest_input=oldest,
                author=NAME,
                cause=reason,
                is_active=True,
                curvature_1pm=curvature_1pm,
                priority=LANE_CENTRING_RANK,
            )
        elif old.was_asking:
            request = make_request(stamp_s=now_s, author=NAME, cause=reason, priority=LANE_CENTRING_RANK)
        chain = warned(
            old.chain,
            now_s,
            is_on=state in STEERING,
            is_steered=is_steered,
            by_lane=False,
            longest_s=self._longest_s,
        )
        bell, alert = old.ring, None
        if chain.is_optical or bell.call is not None:
            call = None
            if chain.is_optical:
                call = Call("side_wind", reason, AlertLevel.INFO)
            bell, alert = ring(bell, call, now_s, NAME, params.alert_period_s)
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            is_in_range,
            model,
            settled_s,
            pushed_s,
            intent_s,
            intent,
            paused_until_s,
            base_1pm,
            lane_1pm,
            help_mps2,
            curvature_1pm,
            spent,
            spent_s,
            state in STEERING,
            chain,
            bell,
        )
        health = Health.FAULT if state is State.FAULT else Health.DEGRADED if state is State.STANDBY else Health.OK
        return make_outputs(
            request=request,
            alert=alert,
            status=make_status(
                state=state._value_,
                is_active=state in ACTIVE,
                health=health,
                reason=reason,
                kpis=(push_mps2, help_mps2) if state in ACTIVE else (),
                rest_s=0.0
                if request is not None or alert is not None or chain.is_optical or pushed_s is not None
                else REST_S
                if model is None
                else WATCH_S,
            ),
        )

    def _model(self, old: Model | None, speed_mps: float, yaw_rate_rps: float, wheel_rad: float, dt_s: float) -> Model:
        """The single track by the vehicle file, as two axles with the car's mass shared out between them.

        For a yaw inertia of mass times the product of the axles' distances the axles swing alone: each one's slip
        angle is its tyres' lateral acceleration times its compliance.
        """
        bound = self._wheel_max_rad
        angle_rad = min(max(wheel_rad, -bound), bound) / self._ratio
        gain_m = self._base_m * (1.0 + self._understeer_s2pm2 * speed_mps * speed_mps)
        if old is None or not 0.0 <= dt_s <= STEP_MAX_S:
            turn_rps = speed_mps * angle_rad / gain_m
            rear_mps = -self._rear_s2pm * speed_mps * speed_mps * turn_rps
            front_mps = rear_mps + self._base_m * turn_rps
            surplus_mps2 = speed_mps * (yaw_rate_rps - turn_rps)
            return make_model(front_mps, rear_mps, surplus_mps2, 0.0, turn_rps / speed_mps)
        turn_rps = (old.front_mps - old.rear_mps) / self._base_m
        front_mps = old.front_mps + dt_s * (
            (angle_rad - old.front_mps / speed_mps) / self._front_s2pm - speed_mps * turn_rps
        )
        rear_mps = old.rear_mps - dt_s * (old.rear_mps / (speed_mps * self._rear_s2pm) + speed_mps * turn_rps)
        turn_rps = (front_mps - rear_mps) / self._base_m
        surplus_mps2 = speed_mps * (yaw_rate_rps - turn_rps)
        slow_mps2 = old.slow_mps2 + dt_s / (self._params.slow_s + dt_s) * (surplus_mps2 - old.slow_mps2)
        wish_1pm = old.wish_1pm + dt_s / (WISH_S + dt_s) * (turn_rps / speed_mps - old.wish_1pm)
        return make_model(front_mps, rear_mps, slow_mps2, surplus_mps2 - slow_mps2, wish_1pm)

    def _other(self, inputs: Inputs, vehicle: VehicleState | None) -> str:
        if vehicle is not None and vehicle.is_stability_control_active:
            return "stability_control"
        for status in inputs.elks:
            if status.state in CORRECTING and status.stage is Stage.ON:  # in shadow it touches nobody
                return "other_function_steers"
        for status in (*inputs.centring, *inputs.dcas):
            if status.is_at_work:
                return "other_function_steers"
        return ""


def bound_fade(params: SideWindParams, dt_s: float) -> float:
    """Step of the help while it fades out: from its bound to zero in `fade_s` [m/s^2]."""
    return params.accel_max_mps2 * dt_s / params.fade_s


def build(context: BuildContext) -> SideWind:
    """The core for this market and vehicle."""
    return SideWind(context.market.side_wind, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Steers part of a sudden side force away, for a short time.",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="lane", signal=EgoLane, max_age_s=0.3, many=True),
        Input(name="elks", signal=FunctionStatus, max_age_s=2.0, many=True, source="elks"),
        Input(name="centring", signal=FunctionStatus, max_age_s=2.0, many=True, source="lane_centring"),
        Input(name="dcas", signal=FunctionStatus, max_age_s=2.0, many=True, source="dcas"),
    ),
    outputs=(
        Output(name="request", signal=LateralRequest, is_periodic=False, rests_on=("vehicle", "lane")),
        Output(name="alert", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.02,
    trigger="vehicle",
    min_period_s=0.01,
    kpis=("push_mps2", "help_mps2"),
    alerts=("side_wind",),
    build=build,
)
