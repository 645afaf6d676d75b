"""Emergency lane keeping, the correcting half (CDCF): EU 2021/646, and CSF type (c) of UN R79 5.1.6.1."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, oldest_input
from adas_runtime.lane_keeping.correction_params import BUTTON, EmergencyLaneKeepingParams
from adas_runtime.lane_keeping.correction_states import ACTIVE, CORRECTING, TRANSITIONS, State, View
from adas_runtime.lane_keeping.csf import QUIET, Chain, long_s, warned
from adas_runtime.lane_keeping.hands import torque_nm
from adas_runtime.lateral.control import EMERGENCY_STEERING_RANK, IDLE, Control, PathControl, Target, turning_rps
from adas_runtime.lateral.params import LateralControlParams
from adas_runtime.records import maker
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertSide,
    AssistanceState,
    BodyState,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Health,
    Indicator,
    LaneBeyond,
    LaneEdge,
    LaneSide,
    LateralRequest,
    LongitudinalRequest,
    ManoeuvreState,
    MarkingType,
    VehicleState,
)
from adas_runtime.switch import FRESH, Switch
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "elks"
LANE_MAX_AGE_S: Final = 0.3
FOREVER_S: Final = -math.inf
WATCH_S: Final = 0.02  # between two steps while the car drifts, yet departs from nothing
REST_S: Final = 0.04  # the same where no line is within reach until the next picture; they come 20 times a second
SPEED_HYSTERESIS_MPS: Final = 1.0
SOLID: Final = (MarkingType.SOLID, MarkingType.DOUBLE_SOLID, MarkingType.SOLID_DASHED)
SIDE_OF: Final = {State.CORRECT_LEFT: AlertSide.LEFT, State.CORRECT_RIGHT: AlertSide.RIGHT}
MANOEUVRING: Final = (ManoeuvreState.PROCEDURE, ManoeuvreState.MANOEUVRE, ManoeuvreState.RESUMING)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; `None` is absent or too old."""

    lane: EgoLane | None = None
    vehicle: VehicleState | None = None
    driver: tuple[DriverInput, ...] = ()
    body: tuple[BodyState, ...] = ()
    lane_change: tuple[FunctionStatus, ...] = ()
    assistance: tuple[AssistanceState, ...] = ()
    braking: tuple[LongitudinalRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it asks for, and what it tells the driver."""

    request: LateralRequest | None
    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of one side.

    Args:
        dtlm_m: Distance to the line now, `inf` without a line that it guards [m].
        out_mps: Drift towards it [m/s].
        departing_s: Since when a departure holds, `None` without one.
        indicator_s, steering_s: When the driver last indicated, or steered, that way.
        is_spent: A correction ran out here; the tyre has to come back inside before the next one.
    """

    dtlm_m: float = math.inf
    out_mps: float = 0.0
    departing_s: float | None = None
    indicator_s: float = FOREVER_S
    steering_s: float = FOREVER_S
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.STANDBY
    reason: str = "vehicle_absent"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    lane_s: float = 0.0
    is_in_range: bool = False
    switch: Switch = FRESH
    was_master_on: bool | None = None
    intent_s: float = FOREVER_S
    intent: str = ""
    override_s: float = FOREVER_S
    left: Side = Side()
    right: Side = Side()
    control: Control = IDLE
    chain: Chain = QUIET
    told_side: AlertSide = AlertSide.NONE
    cause: str = ""
    was_asking: bool = False
    ring: Ring = SILENT


make_side = maker(Side)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LateralRequest)
make_status = maker(Status)
make_view = maker(View)


class EmergencyLaneKeeping:
    """Leads the car back when it is about to leave its lane over a line that may not be crossed; see `TRANSITIONS`.

    The warning half, lane departure, is a function of its own: it also warns at broken lines and while this one is
    silent. A correction is short: it leads the tyre back inside and ends. Each is shown for a second at least; if the
    driver lets them follow each other without steering, they get louder and longer (`csf.warned`, R79 5.1.6.1).

    The driver. On at every start, two presses switch it off (GSR2 7(4)). Torque beyond `override_torque_nm`, well below
    50 N at the rim, takes over at once; indicator, torque towards the line, kick-down, hard braking and hazard lights
    show a wish, and nothing is corrected.

    Absent inputs. No vehicle state or no lane: it hands back at once; standby, after `fault_after_s` a fault. No
    stalks: the indicator is unknown and suppresses nothing. Time running back starts everything afresh.
    """

    def __init__(self, params: EmergencyLaneKeepingParams, control: LateralControlParams, vehicle: Vehicle) -> None:
        self.state = Memory()
        self._params = params
        self._control = PathControl(control.model_copy(update={"frequency_rps": params.frequency_rps}), vehicle)
        self._from_mps = kmh_to_mps(params.from_kmh)
        self._until_mps = kmh_to_mps(params.until_kmh)
        self._to_mps = kmh_to_mps(params.to_kmh)
        self._tyre_m = 0.5 * vehicle.dimensions.tyre_outer_width_m
        self._base_m = vehicle.dimensions.wheelbase_m
        self._longest_s = long_s(vehicle.category)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params = self._params
        old = self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = Memory(
                    now_s=now_s,
                    reason="vehicle_absent" if old.now_s is None else "time_ran_back",
                    entered_s=now_s,
                    vehicle_s=now_s,
                    lane_s=now_s,
                    was_asking=old.was_asking,
                    ring=old.ring,
                )
        assert old.now_s is not None
        dt_s = now_s - old.now_s
        vehicle, lane = inputs.vehicle, inputs.lane
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        if lane is not None and not math.isfinite(lane.stamp_s + lane.offset_m + lane.heading_rad):
            lane = None
        driver = inputs.driver[0] if inputs.driver else None
        switch, was_master_on = old.switch, old.was_master_on
        if driver is not None and driver.pressed != switch.pressed:
            switch = switch.after(driver.pressed, now_s, BUTTON)
        if inputs.body and inputs.body[0].is_master_switch_on is not None:
            is_master_on = inputs.body[0].is_master_switch_on
            if is_master_on and was_master_on is False:
                switch = switch.started()  # GSR2 7(4)(b)
            was_master_on = is_master_on
        # the driver's actions
        indicator = Indicator.OFF if driver is None else driver.indicator
        intent_s, intent, override_s = old.intent_s, old.intent, old.override_s
        torque = 0.0
        speed_mps = 0.0
        priority = ""
        is_in_range = old.is_in_range
        if indicator is Indicator.HAZARD:
            intent_s, intent = now_s, "hazard"
        if vehicle is not None:
            speed_mps = vehicle.speed_mps
            low_mps = self._until_mps if is_in_range else self._from_mps
            is_in_range = low_mps <= speed_mps <= self._to_mps + (SPEED_HYSTERESIS_MPS if is_in_range else 0.0)
            if torque_nm(vehicle) is not None:
                torque = vehicle.driver_torque_nm or 0.0
                if abs(torque) > params.override_torque_nm:
                    override_s = now_s
            action = self._pedals(vehicle)
            if action:
                intent_s, intent = now_s, action
            if vehicle.is_stability_control_active:
                priority = "stability_control"
        for braking in inputs.braking:
            if braking.is_active:
                priority = "emergency_braking"
        for status in inputs.lane_change:
            if status.is_at_work:
                priority = "lane_change"
        for assistance in inputs.assistance:
            if assistance.manoeuvre in MANOEUVRING:
                priority = "lane_change"
        # the lines
        is_fit = lane is not None and lane.is_fit_to_steer
        left, right = old.left, old.right
        if is_in_range and is_fit:
            assert lane is not None
            left = self._side(left, lane.edge(LaneSide.LEFT), lane.stamp_s, now_s)
            right = self._side(right, lane.edge(LaneSide.RIGHT), lane.stamp_s, now_s)
        else:
            left = self._side(left, None, now_s, now_s)
            right = self._side(right, None, now_s, now_s)
        if indicator is Indicator.LEFT or torque >= params.intent_torque_nm:
            left = self._wished(left, now_s, indicator is Indicator.LEFT, torque >= params.intent_torque_nm)
        if indicator is Indicator.RIGHT or torque <= -params.intent_torque_nm:
            right = self._wished(right, now_s, indicator is Indicator.RIGHT, torque <= -params.intent_torque_nm)
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        lane_s = old.lane_s if lane is None else now_s
        held_s = now_s - old.entered_s + EPS_S
        watched = left if old.state is State.CORRECT_LEFT else right
        view = make_view(
            missing="vehicle_absent" if vehicle is None else "lane_absent" if lane is None else "",
            is_failure=now_s - min(vehicle_s, lane_s) > params.fault_after_s,
            is_off=switch.is_off,
            is_in_range=is_in_range,
            lane_fault="" if is_fit else "lane_unfit",
            priority=priority,
            is_override=now_s - override_s <= params.resume_s,
            intent=intent if now_s - intent_s <= params.resume_s else "",
            intent_left=self._intent(left, now_s),
            intent_right=self._intent(right, now_s),
            departs_left=self._departs(left, now_s),
            departs_right=self._departs(right, now_s),
            is_settled=held_s >= params.min_s
            and watched.dtlm_m >= params.settled_dtlm_m
            and abs(watched.out_mps) <= params.settled_rate_mps,
            is_spent=held_s >= params.max_s,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                if reason == "correction_spent":
                    if state is State.CORRECT_LEFT:
                        left = replace(left, is_spent=True)
                    else:
                        right = replace(right, is_spent=True)
                state, entered_s = row.target, now_s
        # steering
        control, request, told_side, cause = old.control, None, old.told_side, old.cause
        is_correcting = state in CORRECTING
        if is_correcting:
            assert vehicle is not None and lane is not None  # or the table had left these states
            side = left if state is State.CORRECT_LEFT else right
            control = self._steer(old, vehicle, lane, side, state is State.CORRECT_LEFT, now_s, dt_s)
            told_side = SIDE_OF[state]
            cause = f"{reason}: {side.dtlm_m:.2f} m to the line, drifting {side.out_mps:.2f} m/s towards it"
            oldest, stamp_s = oldest_input(vehicle=vehicle.stamp_s, lane=lane.stamp_s)
            request = make_request(
                stamp_s=stamp_s,
                oldest_input=oldest,
                author=NAME,
                cause=reason,
                is_active=True,
                curvature_1pm=control.curvature_1pm,
                priority=EMERGENCY_STEERING_RANK,
            )
        elif old.was_asking:
            control = IDLE
            request = make_request(stamp_s=now_s, author=NAME, cause=reason, priority=EMERGENCY_STEERING_RANK)
        # what the driver is told
        chain = warned(
            old.chain,
            now_s,
            is_on=is_correcting,
            is_steered=abs(torque) >= params.intent_torque_nm,
            by_lane=True,
            longest_s=self._longest_s,
        )
        bell, alert = old.ring, None
        if chain.is_optical or bell.call is not None:
            call = None
            if chain.is_optical:
                call = Call(
                    "elks_correction", cause, side=told_side, is_acoustic=chain.is_acoustic and not switch.is_muted
                )
            bell, alert = ring(bell, call, now_s, NAME, params.alert_period_s)
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            lane_s,
            is_in_range,
            switch,
            was_master_on,
            intent_s,
            intent,
            override_s,
            left,
            right,
            control,
            chain,
            told_side,
            cause,
            is_correcting,
            bell,
        )
        return make_outputs(
            request=request,
            alert=alert,
            status=self._status(self.state, speed_mps, self._rest_s(self.state)),
        )

    # --- one side -----------------------------------------------------------------------------------------------------

    def _guards(self, edge: LaneEdge | None) -> bool:
        """Whether it corrects at this line: solid ones (ELKS K13), and what is worse to cross."""
        params = self._params
        if edge is None or not edge.is_seen or not edge.confidence >= params.confidence_min:
            return False
        if edge.may_cross:
            return params.is_oncoming_guarded and edge.beyond is LaneBeyond.ONCOMING
        if edge.type is MarkingType.ROAD_EDGE:
            return params.is_road_edge_guarded
        return (
            edge.type in SOLID
            or edge.may_cross is False
            or (params.is_oncoming_guarded and edge.beyond is LaneBeyond.ONCOMING)
        )

    def _side(self, old: Side, edge: LaneEdge | None, stamp_s: float, now_s: float) -> Side:
        if not self._guards(edge):
            if old.departing_s is None and old.dtlm_m == math.inf:
                return old
            return make_side(math.inf, 0.0, None, old.indicator_s, old.steering_s, False)
        assert edge is not None
        params = self._params
        age_s = now_s - stamp_s
        out_mps = -edge.rate_mps
        dtlm_m = edge.distance_m - out_mps * (0.0 if age_s < 0.0 else min(age_s, LANE_MAX_AGE_S))
        departing_s = None
        is_drifting = params.rate_min_mps <= out_mps <= params.rate_max_mps
        # a car that stands far over the line already has left its lane: nothing here leads it back
        if is_drifting and -self._tyre_m <= dtlm_m <= self._reach_m(out_mps):
            departing_s = now_s if old.departing_s is None else old.departing_s
        is_spent = old.is_spent and dtlm_m < params.settled_dtlm_m
        return make_side(dtlm_m, out_mps, departing_s, old.indicator_s, old.steering_s, is_spent)

    def _reach_m(self, out_mps: float) -> float:
        """How near the line it corrects a car that drifts out so fast."""
        return max(self._params.correct_at_dtlm_m, out_mps * self._params.correct_at_tlc_s)

    def _wished(self, side: Side, now_s: float, indicates: bool, steers: bool) -> Side:
        return make_side(
            side.dtlm_m,
            side.out_mps,
            side.departing_s,
            now_s if indicates else side.indicator_s,
            now_s if steers else side.steering_s,
            side.is_spent,
        )

    def _intent(self, side: Side, now_s: float) -> str:
        if now_s - side.indicator_s <= self._params.resume_after_indicator_s:
            return "indicator"
        return "steering" if now_s - side.steering_s <= self._params.resume_s else ""

    def _departs(self, side: Side, now_s: float) -> bool:
        return (
            side.departing_s is not None
            and not side.is_spent
            and now_s - side.departing_s + EPS_S >= self._params.confirm_s
        )

    def _pedals(self, vehicle: VehicleState) -> str:
        accel_mps2, accelerator = vehicle.accel_mps2, vehicle.accelerator
        if accel_mps2 is not None and vehicle.is_braking is not False and accel_mps2 <= -self._params.brake_decel_mps2:
            return "braking"
        if accelerator is not None and accelerator >= self._params.kick_down:
            return "kick_down"
        return ""

    # --- steering -----------------------------------------------------------------------------------------------------

    def _steer(
        self, old: Memory, vehicle: VehicleState, lane: EgoLane, side: Side, is_left: bool, now_s: float, dt_s: float
    ) -> Control:
        """One step towards the place inside the line, or towards the lane's centre where that is nearer."""
        params, speed_mps, control = self._params, vehicle.speed_mps, old.control
        yaw_rate_rps = turning_rps(vehicle, control.curvature_1pm)
        pose = self._control.pose(control, lane, now_s, speed_mps, yaw_rate_rps)
        if old.state not in CORRECTING:  # it begins where the car is
            control = self._control.watch(
                IDLE,
                pose,
                speed_mps=speed_mps,
                yaw_rate_rps=yaw_rate_rps,
                dt_s=1.0,
                steered_1pm=self._control.steered_1pm(vehicle),
            )
        # room between the tyre and the line for a car in the middle: the front axle stands beside it by this much
        beside_m = -(pose.offset_m + self._base_m * pose.heading_rad)
        free_m = side.dtlm_m + (beside_m if is_left else -beside_m)
        out_m = max(free_m - params.back_to_dtlm_m, 0.0)
        return self._control.steer(
            control,
            pose,
            speed_mps=speed_mps,
            yaw_rate_rps=yaw_rate_rps,
            dt_s=dt_s,
            accel_max_mps2=params.accel_max_mps2,
            target=Target(out_m if is_left else -out_m),
            jerk_max_mps3=params.jerk_max_mps3,
        )

    # --- what it says -------------------------------------------------------------------------------------------------

    def _rest_s(self, memory: Memory) -> float:
        """While it corrects, or the car departs, every step counts; else lines are seen 20 times a second."""
        if memory.state in CORRECTING or memory.was_asking or memory.chain.is_optical:
            return 0.0
        left, right = memory.left, memory.right
        if left.departing_s is not None or right.departing_s is not None:
            return 0.0
        return REST_S if self._is_calm(left) and self._is_calm(right) else WATCH_S

    def _is_calm(self, side: Side) -> bool:
        """No step before the next picture finds a departure: until then the car drifts on as it does."""
        out_mps = side.out_mps
        return out_mps < self._params.rate_min_mps or side.dtlm_m - out_mps * REST_S > self._reach_m(out_mps)

    def _status(self, memory: Memory, speed_mps: float, rest_s: float) -> Status:
        state, health, reason = memory.state, Health.OK, memory.reason
        if state is State.FAULT:
            health = Health.FAULT
        elif state is State.STANDBY:
            health = Health.DEGRADED
        kpis: tuple[float, ...] = ()
        if state in ACTIVE:
            side = memory.left if memory.left.dtlm_m <= memory.right.dtlm_m else memory.right
            if side.dtlm_m < math.inf:
                curvature_1pm = memory.control.curvature_1pm if state in CORRECTING else 0.0
                kpis = (side.dtlm_m, side.out_mps, curvature_1pm * speed_mps * speed_mps, float(memory.chain.count))
        return make_status(
            state=state._value_, is_active=state in ACTIVE, health=health, reason=reason, kpis=kpis, rest_s=rest_s
        )


def build(context: BuildContext) -> EmergencyLaneKeeping:
    """The core for this market and vehicle."""
    market = context.market
    return EmergencyLaneKeeping(market.elks, market.lateral_control, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Leads the car back when it is about to leave its lane over a line that may not be crossed.",
    process=Process.DECISION,
    inputs=(
        Input(name="lane", signal=EgoLane, max_age_s=LANE_MAX_AGE_S),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, many=True),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
        Input(name="lane_change", signal=FunctionStatus, max_age_s=2.0, many=True, source="lane_change"),
        Input(name="assistance", signal=AssistanceState, max_age_s=2.0, many=True),
        Input(name="braking", signal=LongitudinalRequest, max_age_s=0.2, many=True, source="aeb"),
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
    kpis=("dtlm_m", "drift_rate_mps", "lateral_accel_mps2", "corrections"),
    alerts=("elks_correction",),
    build=build,
)
