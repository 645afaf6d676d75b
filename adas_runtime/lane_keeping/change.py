"""Automatic lane change at the driver's indicator: UN R79 ACSF category C."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, oldest_input
from adas_runtime.lane_keeping.centring_params import LaneCentringParams
from adas_runtime.lane_keeping.change_params import (
    BUTTON,
    CONFIRM_BUTTON,
    LATERAL_ACCEL_LAW_MPS2,
    START_FROM_S,
    AutomaticLaneChangeParams,
    manoeuvre_latest_s,
)
from adas_runtime.lane_keeping.change_plan import NO_PLAN, TOUCH_TOLERANCE_S, Plan, Planner, make_plan, with_plan
from adas_runtime.lane_keeping.change_road import NOTHING_SEEN, RoadWatch, Watch
from adas_runtime.lane_keeping.change_states import (
    BEFORE,
    DRIVER_CAUSED,
    INDICATING,
    MOVING,
    READY,
    STEERING,
    TRANSITIONS,
    State,
    View,
)
from adas_runtime.lane_keeping.hands import hands_seen, torque_nm
from adas_runtime.lateral.change_judge import Judge
from adas_runtime.lateral.control import IDLE, LANE_CENTRING_RANK, Control, PathControl, Pose, make_pose, turning_rps
from adas_runtime.lateral.gap import Around, critical_gap_m
from adas_runtime.lateral.params import LateralControlParams
from adas_runtime.records import maker, replacer
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    AlertSide,
    BodyState,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Health,
    Horizon,
    Indicator,
    LampDemand,
    LampRequest,
    LateralRequest,
    LongitudinalRequest,
    SignObservations,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.vehicle.schema import Vehicle

ASSISTANCE: Final = ("dcas", "alks")
NAME: Final = "lane_change"
CENTRING_NAME: Final = "lane_centring"
INDICATED: Final = {Indicator.LEFT: 1, Indicator.RIGHT: -1}
NEVER_S: Final = -math.inf
LAMP_PERIOD_S: Final = 0.2
HAND_OVER_S: Final = 0.1  # it steers on for so long until lane centring does
RESUME_MAX_S: Final = 1.0  # lane centring has to steer again within this time
SETTLED_M: Final = 0.3
OVERTIME_S: Final = 4.0  # a movement that lasts so much longer than planned has ended somehow
HANDS_SHORT_S: Final = 0.3  # on the way to the marking a hand may move on the rim
STEP_MAX_S: Final = 0.2
RETURN_JERK_MPS3: Final = 4.2  # law: 5, mean over 0.5 s (R79 5.6.4.4)
CENTRING: Final = ("active", "hands1", "hands2", "boundary")  # states in which lane centring steers
CENTRING_ENDED: Final = ("off", "emergency")
WORKING: Final = (*STEERING, State.RESUME, State.SUPPRESSED)  # what runs is ended first, then it switches off
ROAD_KEPT: Final = (*WORKING, State.FAULT)  # without road users no road is proven: that is a fault, no other road


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; `None` or an empty tuple is absent or too old."""

    lane: EgoLane | None = None
    vehicle: VehicleState | None = None
    driver: DriverInput | None = None
    body: tuple[BodyState, ...] = ()
    objects: tuple[TrackedObjects, ...] = ()
    horizon: tuple[Horizon, ...] = ()
    signs: tuple[SignObservations, ...] = ()
    centring: tuple[FunctionStatus, ...] = ()
    dcas: tuple[FunctionStatus, ...] = ()
    alks: tuple[FunctionStatus, ...] = ()
    braking: tuple[LongitudinalRequest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it asks for, and what it tells the driver: of the change, and of the hands."""

    request: LateralRequest | None
    lamps: LampRequest | None
    alert: Alert | None
    hands: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Told:
    """What was sent last: alerts, lamps, request; and what is counted."""

    ring: Ring = SILENT
    hands: Ring = SILENT
    lamp: int = 0
    lamp_s: float = NEVER_S
    is_asking: bool = False
    changes: int = 0
    suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """Who stands in the other lane, from these road users and this lane: looked at anew when one of both is new."""

    objects_s: float = NEVER_S
    lane_s: float = NEVER_S
    side: int = 0
    around: Around | None = None
    need_m: float | None = None


NOBODY: Final = Seen()


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.OFF
    reason: str = "switched_off"
    now_s: float | None = None
    entered_s: float = 0.0
    is_on: bool = False
    off: str = "switched_off"
    off_s: float = NEVER_S
    pressed: tuple[str, ...] = ()
    stalk: int | None = None
    is_key_on: bool | None = None
    was_centring: bool = False
    watch: Watch = NOTHING_SEEN
    plan: Plan = NO_PLAN
    control: Control = IDLE
    hands_s: float = NEVER_S
    vehicle_s: float = 0.0
    driver_s: float = 0.0
    objects_s: float = 0.0
    lane_s: float = 0.0
    resumed_s: float | None = None
    failed_s: float = NEVER_S
    seen: Seen = NOBODY
    told: Told = Told()


make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LateralRequest)
make_seen = maker(Seen)
make_status = maker(Status)
make_told = maker(Told)
make_view = maker(View)
with_memory = replacer(Memory)
START: Final = Memory()
REST_S: Final = 0.04  # not at work: a press of a button is held longer, and pictures come 20 times a second
OFF_STATUS: Final = Status(state=State.OFF.value, reason="switched_off", rest_s=REST_S)
QUIET: Final = Outputs(request=None, lamps=None, alert=None, hands=None, status=OFF_STATUS)


class LaneChange:
    """Changes to the next lane when the driver sets the indicator while lane centring is active; see `TRANSITIONS`.

    It is off at every start. The button puts it on, on roads that map and camera (or signs) both prove, and off. From
    the indicator on it keeps the lane in place of lane centring, moves to the side once the gap behind and ahead is
    free and the time is due, and hands back to lane centring in the new lane. Until the tyre is at the marking,
    everything that speaks against it leads back to the middle of the lane. The driver's torque ends it at any time.

    Absent inputs. No road users, or no rear sensing in the vehicle file: it never starts; on the way to the marking it
    goes back. No lane on the way: it steers on by its plan for `coast_s`, then it hands back with an alarm. No vehicle
    state or no stalks on the way: it hands back with an alarm. No status of lane centring: it never starts. Time
    running back starts everything afresh, off.
    """

    def __init__(
        self,
        params: AutomaticLaneChangeParams,
        centring: LaneCentringParams,
        control: LateralControlParams,
        vehicle: Vehicle,
    ) -> None:
        self.state = START
        self._params = params
        self._centring = centring
        self._control = PathControl(control, vehicle)
        self._judge = Judge(params, centring, vehicle)
        self._road = RoadWatch(params, range_m=self._judge.range_m, rear_m=self._judge.rear_m)
        self._planner = Planner(params, self._judge, self._control)
        self._longest_s = manoeuvre_latest_s(vehicle.category)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        driver = inputs.driver
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s
            else:
                old = replace(
                    START,
                    reason="switched_off" if old.now_s is None else "time_ran_back",
                    off="switched_off" if old.now_s is None else "time_ran_back",
                    now_s=now_s,
                    entered_s=now_s,
                    pressed=() if driver is None else driver.pressed,  # what is held down already is no press
                    vehicle_s=now_s,
                    driver_s=now_s,
                    objects_s=now_s,
                    lane_s=now_s,
                    told=replace(
                        Told(),
                        ring=old.told.ring,
                        hands=old.told.hands,
                        lamp=old.told.lamp,
                        is_asking=old.told.is_asking,
                    ),
                )
        vehicle, lane = inputs.vehicle, inputs.lane
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        if lane is not None and not math.isfinite(lane.offset_m + lane.heading_rad + lane.curvature_1pm):
            lane = None
        speed_mps = 0.0 if vehicle is None else vehicle.speed_mps
        objects = inputs.objects[0] if inputs.objects else None
        # what is new: buttons, stalk, key
        pressed, stalk = old.pressed, old.stalk
        is_pressed = is_confirmed = False
        if driver is not None:
            is_pressed = BUTTON in driver.pressed and BUTTON not in pressed
            is_confirmed = CONFIRM_BUTTON in driver.pressed and CONFIRM_BUTTON not in pressed
            pressed, stalk = driver.pressed, INDICATED.get(driver.indicator, 0)
        is_key_on, is_new_run, is_key_off, has_trailer = old.is_key_on, False, False, False
        for body in inputs.body:
            if body.is_master_switch_on is not None:
                is_new_run = is_key_on is False and body.is_master_switch_on
                is_key_off = not body.is_master_switch_on
                is_key_on = body.is_master_switch_on
            has_trailer = has_trailer or body.is_trailer_coupled is True
        # road and traffic, with each picture of them
        watch = old.watch
        if is_new_run:
            watch = replace(watch, has_seen_far=False, unseen=0)
        newest_s = max(NEVER_S if lane is None else lane.stamp_s, NEVER_S if objects is None else objects.stamp_s)
        if newest_s > watch.stamp_s:
            watch = self._road.step(
                watch,
                now_s,
                speed_mps=speed_mps,
                lane=lane,
                objects=objects,
                horizons=inputs.horizon,
                signs=inputs.signs,
            )
        told = old.told
        if (
            not (old.is_on or is_pressed or is_new_run or told.is_asking or told.lamp)
            and old.state is State.OFF
            and told.ring.call is None
            and told.hands.call is None
            and now_s - old.off_s >= self._params.told_s
        ):
            # most drives: switched off, with nothing left to say
            self.state = make_memory(
                now_s=now_s,
                pressed=pressed,
                stalk=stalk,
                is_key_on=is_key_on,
                watch=watch,
                vehicle_s=now_s,
                driver_s=now_s,
                objects_s=now_s,
                lane_s=now_s,
                told=told,
            )
            return QUIET
        is_on, off, off_s = old.is_on, old.off, old.off_s
        if is_new_run or is_key_off:
            is_on, off = False, "run_cycle"
        elif is_pressed and is_on:
            is_on, off = False, "switched_off"
        elif is_pressed:
            off = self._refused(watch, now_s)
            is_on, off_s = not off, now_s if off else off_s
        elif is_on and old.state not in ROAD_KEPT and not self._road.is_proven(watch, now_s):
            is_on, off, off_s = False, "road_not_proven", now_s
        return self._step(
            old,
            inputs,
            now_s,
            vehicle=vehicle,
            lane=lane,
            objects=objects,
            watch=watch,
            is_on=is_on,
            off=off,
            off_s=off_s,
            pressed=pressed,
            stalk=stalk,
            is_key_on=is_key_on,
            is_confirmed=is_confirmed,
            has_trailer=has_trailer,
        )

    def _refused(self, watch: Watch, now_s: float) -> str:
        """Why it cannot be switched on here, `""` it can."""
        if not self._judge.has_range:
            return "no_rear_sensing"
        return "" if self._road.is_proven(watch, now_s) else "road_not_proven"

    def _step(
        self,
        old: Memory,
        inputs: Inputs,
        now_s: float,
        *,
        vehicle: VehicleState | None,
        lane: EgoLane | None,
        objects: TrackedObjects | None,
        watch: Watch,
        is_on: bool,
        off: str,
        off_s: float,
        pressed: tuple[str, ...],
        stalk: int | None,
        is_key_on: bool | None,
        is_confirmed: bool,
        has_trailer: bool,
    ) -> Outputs:
        params, plan, state = self._params, old.plan, old.state
        dt_s = min(now_s - (now_s if old.now_s is None else old.now_s), STEP_MAX_S)
        speed_mps = 0.0 if vehicle is None else vehicle.speed_mps
        # hands and override
        hands_s, is_override = old.hands_s, False
        if vehicle is not None:
            if hands_seen(vehicle, self._centring.hands_torque_nm):
                hands_s = now_s
            torque = torque_nm(vehicle)
            is_override = torque is not None and torque > self._centring.override_torque_nm
        hold_s = self._centring.hands_hold_s if vehicle is not None and vehicle.is_hands_on is None else 0.0
        is_hands_on = now_s - hands_s <= hold_s + EPS_S
        # who else steers
        centring = next((status for status in inputs.centring if status.author == CENTRING_NAME), None)
        is_centring = centring is not None and centring.state in CENTRING
        # in shadow the driver's indicator makes lane centring stand by; there it goes on with the indicator off
        has_resumed = is_centring or (centring is not None and centring.reason == "indicator")
        ended = "driver_steers" if is_override else ""
        if not ended and (centring is None or centring.state in CENTRING_ENDED):
            ended = "centring_off"
        for status in (*inputs.dcas, *inputs.alks):
            if status.is_at_work and status.author in ASSISTANCE:
                ended = ended or "assistance_steers"
        # the lane now
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        driver_s = old.driver_s if inputs.driver is None else now_s
        objects_s = old.objects_s if objects is None else now_s
        is_fit = lane is not None and lane.is_fit_to_steer
        lane_s = now_s if (is_fit if state in MOVING else lane is not None) else old.lane_s
        yaw_rate_rps = 0.0
        pose: Pose | None = None
        if vehicle is not None:
            yaw_rate_rps = turning_rps(vehicle, old.control.curvature_1pm)
            if is_fit:
                assert lane is not None
                pose = self._control.pose(old.control, lane, now_s, speed_mps, yaw_rate_rps)
        # the indicator may already have made lane centring stand by, where this function changes lanes in shadow only
        is_command = state in READY and (is_centring or old.was_centring) and bool(stalk) and old.stalk == 0
        if is_command:
            plan = make_plan(stalk or 0, now_s, manoeuvre_s=plan.manoeuvre_s)
        is_confirmed = is_confirmed and plan.confirmed_s is None and state is State.PROCEDURE
        if is_confirmed and now_s - plan.began_s <= params.confirm_latest_s + EPS_S:
            plan = with_plan(plan, confirmed_s=now_s)
        plan = self._planner.followed(plan, state, lane, pose)
        if state is State.RETURN:
            plan = self._planner.back(plan, dt_s)
        view, plan, seen = self._view(
            old,
            plan,
            now_s,
            lane=lane,
            pose=pose,
            objects=objects,
            watch=watch,
            speed_mps=speed_mps,
            dt_s=dt_s,
            is_on=is_on,
            off=off,
            failure=self._failure(state, now_s, vehicle, inputs.driver, vehicle_s, driver_s, objects_s, lane_s, is_fit),
            ended=ended,
            is_command=is_command,
            is_hands_on=is_hands_on,
            stalk=stalk,
            has_resumed=has_resumed,
            has_trailer=has_trailer,
            has_esc=vehicle is not None and vehicle.is_stability_control_active is True,
            is_braked=any(request.is_active for request in inputs.braking),
        )
        reason, entered_s, resumed_s, failed_s = old.reason, old.entered_s, old.resumed_s, old.failed_s
        changes, suppressed = old.told.changes, old.told.suppressed
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                if (row.target is State.FAULT and state in MOVING) or reason == "manoeuvre_too_long":
                    failed_s = now_s
                elif reason == "lane_changed":
                    if has_resumed:
                        changes += 1
                    else:
                        failed_s = now_s
                if row.target in (State.RETURN, State.SUPPRESSED) and state is not State.RETURN:
                    suppressed += 1
                plan = self._planner.entered(plan, row.target, lane, now_s, speed_mps)
                state, entered_s, resumed_s = row.target, now_s, None
        if state is State.RESUME and has_resumed and resumed_s is None:
            resumed_s = now_s
        # steering
        is_handing = (
            state in (State.RESUME, State.SUPPRESSED)
            and old.told.is_asking
            and not is_centring
            and not view.ended
            and reason not in DRIVER_CAUSED
            and now_s - entered_s < (RESUME_MAX_S if state is State.RESUME else HAND_OVER_S)
        )
        is_mine = vehicle is not None and ((state in STEERING and entered_s < now_s) or old.told.is_asking)
        is_steering = is_mine and (state in STEERING or is_handing)
        control = self._steered(
            old.control,
            plan,
            state,
            pose,
            now_s,
            speed_mps=speed_mps,
            yaw_rate_rps=yaw_rate_rps,
            dt_s=dt_s,
            is_steering=is_steering,
            has_vehicle=vehicle is not None,
            steered_1pm=None if vehicle is None else self._control.steered_1pm(vehicle),
        )
        memory = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            is_on,
            off,
            off_s,
            pressed,
            stalk,
            is_key_on,
            is_centring,
            watch,
            plan,
            control,
            hands_s,
            vehicle_s,
            driver_s,
            objects_s,
            lane_s,
            resumed_s,
            failed_s,
            seen,
            old.told,
        )
        oldest = ("vehicle", max(now_s, 0.0))
        if vehicle is not None:
            oldest = oldest_input(vehicle=vehicle.stamp_s, lane=None if lane is None else lane.stamp_s)
        return self._say(memory, oldest, is_steering=is_steering, changes=changes, suppressed=suppressed)

    def _failure(
        self,
        state: State,
        now_s: float,
        vehicle: VehicleState | None,
        driver: DriverInput | None,
        vehicle_s: float,
        driver_s: float,
        objects_s: float,
        lane_s: float,
        is_fit: bool,
    ) -> str:
        """What is missing for too long, `""` nothing (R79 5.6.4.5.5)."""
        late_s = self._params.fault_after_s
        if state in STEERING:
            if vehicle is None:
                return "vehicle_absent"
            if driver is None:
                return "driver_input_absent"
            if state in MOVING and not is_fit and now_s - lane_s > self._params.coast_s:
                return "lane_lost"
            return ""
        if now_s - vehicle_s > late_s:
            return "vehicle_absent"
        if now_s - driver_s > late_s:
            return "driver_input_absent"
        if now_s - objects_s > late_s:
            return "objects_absent"
        return "lane_absent" if now_s - lane_s > late_s else ""

    def _view(
        self,
        old: Memory,
        plan: Plan,
        now_s: float,
        *,
        lane: EgoLane | None,
        pose: Pose | None,
        objects: TrackedObjects | None,
        watch: Watch,
        speed_mps: float,
        dt_s: float,
        is_on: bool,
        off: str,
        failure: str,
        ended: str,
        is_command: bool,
        is_hands_on: bool,
        stalk: int | None,
        has_resumed: bool,
        has_trailer: bool,
        has_esc: bool,
        is_braked: bool,
    ) -> tuple[View, Plan, Seen]:
        params, judge, state = self._params, self._judge, old.state
        is_seeing = self._road.is_seeing(watch)
        found: Around | None = None
        blocked, seen = "", old.seen
        is_late = is_due = is_gap = is_beside = is_at_line = is_across = is_settled = False
        begun_s = now_s - plan.began_s + EPS_S
        moved_s = now_s - plan.moved_s + EPS_S
        if is_command or state in BEFORE:
            if state is State.APPROACH:
                in_s = max(plan.line_s - moved_s, 0.0)
            elif lane is not None:
                in_s = self._planner.line_s(plan, lane, now_s, speed_mps)
            else:
                in_s = 0.0
            if objects is not None and lane is not None:
                seen = self._seen(seen, objects, lane, plan.side, speed_mps, in_s)
                found = seen.around
                assert found is not None
                is_gap = judge.is_gap(found, speed_mps, in_s, is_moving=state is State.APPROACH)
            if not is_seeing and state is not State.APPROACH:
                blocked = "rear_blind" if watch.has_seen_far else "nothing_seen_behind"
            elif not self._road.is_proven(watch, now_s):
                blocked = "road_lost"
            elif is_braked:
                blocked = "emergency_braking"  # sheet aeb.md R4: none begins, and one before the line goes back
            else:
                blocked = judge.blocked(lane, found, plan.side, speed_mps, has_trailer=has_trailer, has_esc=has_esc)
            if state in BEFORE:
                hands_off_s = 0.0 if is_hands_on else plan.hands_off_s + dt_s
                if hands_off_s != plan.hands_off_s:
                    plan = with_plan(plan, hands_off_s=hands_off_s)
                if state is State.APPROACH and hands_off_s > HANDS_SHORT_S:
                    blocked = blocked or "hands_off"
                is_late = self._planner.is_late(plan, state, begun_s, in_s)
                is_due = (
                    is_hands_on
                    and begun_s >= params.lateral_from_s
                    and begun_s + in_s >= params.start_from_s
                    and (params.method == "automatic" or plan.confirmed_s is not None)
                )
                if state is State.APPROACH and lane is not None:
                    is_at_line = plan.base_m > 0.0 or judge.to_line_m(lane, plan.side, now_s) <= 0.0
                    is_late = is_late or (is_at_line and begun_s < START_FROM_S - TOUCH_TOLERANCE_S)  # 5.6.4.6.4.1
                    if is_at_line and not is_hands_on:
                        blocked = blocked or "hands_off"  # R79 5.6.4.6.8.1: at the start of the manoeuvre
        elif state is State.MANOEUVRE:
            plan = with_plan(plan, manoeuvre_s=now_s - old.entered_s)
            if lane is not None and pose is not None:
                is_across = plan.base_m > 0.0 and judge.is_across(lane, pose, plan.side, now_s)
                if objects is not None and plan.base_m == 0.0:
                    is_beside = judge.around(objects, lane, plan.side, speed_mps, 0.0).beside
        elif state is State.SETTLE:
            is_over = moved_s >= plan.way.whole_s + OVERTIME_S
            is_settled = is_over or (
                moved_s >= plan.way.whole_s + 2.0 * self._control.lead_s(speed_mps)
                and pose is not None
                and abs(pose.offset_m) <= SETTLED_M
                and plan.base_m > 0.0
            )
        is_resumed = state is State.RESUME and (
            (has_resumed and old.resumed_s is not None and now_s - old.resumed_s >= params.indicator_off_s - EPS_S)
            or now_s - old.entered_s >= RESUME_MAX_S + params.indicator_off_s
        )
        view = make_view(
            is_on=is_on,
            off=off,
            failure=failure,
            ended=ended,
            is_seeing=is_seeing,
            is_command=is_command,
            blocked=blocked,
            is_cancelled=stalk != plan.side,
            is_late=is_late,
            is_due=is_due,
            is_gap=is_gap,
            is_beside=is_beside,
            is_at_line=is_at_line,
            is_across=is_across,
            is_too_long=state is State.MANOEUVRE and plan.manoeuvre_s > self._longest_s,
            is_settled=is_settled,
            is_resumed=is_resumed,
            is_back=self._planner.is_back(plan, now_s),
            is_told=now_s - old.entered_s >= params.told_s - EPS_S,
        )
        return view, plan, seen

    def _seen(
        self, seen: Seen, objects: TrackedObjects, lane: EgoLane, side: int, speed_mps: float, in_s: float
    ) -> Seen:
        if seen.objects_s == objects.stamp_s and seen.lane_s == lane.stamp_s and seen.side == side:
            return seen
        found = self._judge.around(objects, lane, side, speed_mps, in_s)
        need_m = None if found.rear_gap_m is None else critical_gap_m(speed_mps, found.rear_mps)
        return make_seen(objects.stamp_s, lane.stamp_s, side, found, need_m)

    def _steered(
        self,
        control: Control,
        plan: Plan,
        state: State,
        pose: Pose | None,
        now_s: float,
        *,
        speed_mps: float,
        yaw_rate_rps: float,
        dt_s: float,
        is_steering: bool,
        has_vehicle: bool,
        steered_1pm: float | None,
    ) -> Control:
        """The curvature asked for; while somebody else steers, what the car drives."""
        if not has_vehicle:
            return control
        target = self._planner.target(plan, state, now_s, speed_mps)
        if not is_steering:
            return self._control.watch(
                control,
                pose,
                speed_mps=speed_mps,
                yaw_rate_rps=yaw_rate_rps,
                dt_s=dt_s,
                target=target,
                steered_1pm=steered_1pm,
            )
        if pose is None:
            if state not in MOVING:
                return control  # for a moment without a lane: go on as before
            # the plan alone: as if the car were where it should be
            speed = max(speed_mps, 1.0)
            pose = make_pose(-target.offset_m, -target.rate_mps / speed, plan.curvature_1pm)
        accel_max_mps2 = self._judge.accel_max_mps2(speed_mps)
        if state in MOVING and state is not State.RETURN:  # R79 5.6.4.4: on top of the curve's
            # and on top of what holds the car against wind: the law means how the car moves
            others_mps2 = (abs(pose.curvature_1pm) + abs(control.excess_1pm)) * speed_mps * speed_mps
            accel_max_mps2 = min(accel_max_mps2, others_mps2 + LATERAL_ACCEL_LAW_MPS2)
        return self._control.steer(
            control,
            pose,
            speed_mps=speed_mps,
            yaw_rate_rps=yaw_rate_rps,
            dt_s=dt_s,
            accel_max_mps2=accel_max_mps2,
            target=target,
            jerk_max_mps3=RETURN_JERK_MPS3 if state is State.RETURN else None,
        )

    # --- what is said -------------------------------------------------------------------------------------------------

    def _say(
        self, memory: Memory, oldest: tuple[str, float], *, is_steering: bool, changes: int, suppressed: int
    ) -> Outputs:
        told, state, now_s = memory.told, memory.state, memory.now_s or 0.0
        plan, control, (name, stamp_s) = memory.plan, memory.control, oldest
        request: LateralRequest | None = None
        if is_steering:
            request = make_request(
                stamp_s=stamp_s,
                oldest_input=name,
                author=NAME,
                cause=memory.reason,
                is_active=True,
                curvature_1pm=control.curvature_1pm,
                priority=LANE_CENTRING_RANK,
            )
        elif told.is_asking:
            request = make_request(
                stamp_s=max(now_s, 0.0), author=NAME, cause=memory.reason, priority=LANE_CENTRING_RANK
            )
        # lamps: the indicator stays on until lane centring has resumed (R79 5.6.4.6.7)
        lamp = plan.side if state in INDICATING else 0
        lamps, lamp_s = None, told.lamp_s
        if lamp != told.lamp or (lamp and now_s - lamp_s >= LAMP_PERIOD_S - EPS_S):
            lamps, lamp_s = self._lamps(memory, told.lamp, lamp, stamp_s), now_s
        period_s = self._params.alert_period_s
        slot, alert = ring(told.ring, self._call(memory), now_s, NAME, period_s)
        hands_slot, hands = ring(told.hands, self._hands_call(memory), now_s, NAME, period_s)
        if memory.is_on or state is not State.OFF or slot.call is not None or hands_slot.call is not None:
            told = make_told(slot, hands_slot, lamp, lamp_s, is_steering, changes, suppressed)
        else:
            told = make_told(SILENT, SILENT, lamp, lamp_s, is_steering, changes, suppressed)
        self.state = with_memory(memory, told=told)
        is_active = state in STEERING
        return make_outputs(
            request=request,
            lamps=lamps,
            alert=alert,
            hands=hands,
            status=make_status(
                state=state.value,
                is_active=is_active,
                health=Health.FAULT if state is State.FAULT else Health.OK,
                reason=memory.reason,
                rest_s=REST_S if state in READY and slot.call is None and not is_steering else 0.0,
                kpis=(
                    float(changes),
                    float(suppressed),
                    memory.seen.around.rear_gap_m if is_active and memory.seen.around is not None else None,
                    memory.seen.need_m if is_active else None,
                    control.offset_m if is_active else None,
                    plan.manoeuvre_s if plan.manoeuvre_s else None,
                ),
            ),
        )

    def _lamps(self, memory: Memory, former: int, lamp: int, stamp_s: float) -> LampRequest:
        # automatic initiation takes the indicator off itself; a latched stalk wins over that in the car (5.6.4.6.7)
        end = LampDemand.OFF if self._params.method == "automatic" else LampDemand.NO_DEMAND
        none = LampDemand.NO_DEMAND
        return LampRequest(
            stamp_s=stamp_s,
            author=NAME,
            cause=memory.reason,
            indicator_left=LampDemand.ON if lamp > 0 else end if former > 0 else none,
            indicator_right=LampDemand.ON if lamp < 0 else end if former < 0 else none,
        )

    def _call(self, memory: Memory) -> Call | None:
        """What the driver is told of the change (R79 5.6.4.5)."""
        state, params, plan = memory.state, self._params, memory.plan
        now_s = memory.now_s or 0.0
        side = AlertSide.LEFT if plan.side > 0 else AlertSide.RIGHT if plan.side < 0 else AlertSide.NONE
        if now_s - memory.failed_s < params.told_s - EPS_S and state is not State.OFF:
            # R79 5.6.4.5.5: a failure during the manoeuvre
            return Call(
                "lane_change_take_over", memory.reason, AlertLevel.CRITICAL, side, is_acoustic=True, is_haptic=True
            )
        if state is State.FAULT:
            return Call("lane_change_fault", memory.reason)
        if state is State.OFF:
            if now_s - memory.off_s < params.told_s - EPS_S:
                return Call("lane_change_off", memory.off, AlertLevel.INFO)
            return None
        if state in (State.RETURN, State.SUPPRESSED):
            # R79 5.6.4.5.4: seen alone where the driver caused it, else heard as well
            is_caused = memory.reason in DRIVER_CAUSED or (
                memory.reason == "back_in_lane" and not _was_heard(memory.told.ring)
            )
            return Call("lane_change_suppressed", memory.reason, side=side, is_acoustic=not is_caused)
        if state in INDICATING:
            is_asked = state is State.PROCEDURE and params.method == "confirmed" and plan.confirmed_s is None
            code = "lane_change_confirm" if is_asked else "lane_change_running"
            return Call(code, memory.reason, AlertLevel.INFO, side)
        return None

    def _hands_call(self, memory: Memory) -> Call | None:
        """Hands and wheel as a picture, before the manoeuvre (R79 5.6.4.5.6)."""
        plan = memory.plan
        if memory.state in BEFORE and plan.hands_off_s and plan.hands_off_s >= self._params.hands_picture_s - EPS_S:
            return Call("lane_change_hands", f"hands_off: {plan.hands_off_s:.1f} s")
        return None


def _was_heard(former: Ring) -> bool:
    return former.call is not None and former.call.is_acoustic


def build(context: BuildContext) -> LaneChange:
    """The core for this market and vehicle."""
    market = context.market
    return LaneChange(market.lane_change, market.lane_centring, market.lateral_control, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Changes to the next lane at the driver's indicator, with hands on the wheel (UN R79 ACSF C).",
    process=Process.DECISION,
    inputs=(
        Input(name="lane", signal=EgoLane, max_age_s=0.3),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="driver", signal=DriverInput, max_age_s=1.0),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, many=True, source="tracking"),
        Input(name="horizon", signal=Horizon, max_age_s=2.0, many=True),
        Input(name="signs", signal=SignObservations, max_age_s=0.5, many=True),
        Input(name="centring", signal=FunctionStatus, max_age_s=2.5, many=True, source="lane_centring"),
        Input(name="dcas", signal=FunctionStatus, max_age_s=2.5, many=True, source="dcas"),
        Input(name="alks", signal=FunctionStatus, max_age_s=2.5, many=True, source="alks"),
        Input(name="braking", signal=LongitudinalRequest, max_age_s=0.2, many=True, source="aeb"),
    ),
    outputs=(
        Output(name="request", signal=LateralRequest, is_periodic=False, rests_on=("vehicle", "lane")),
        Output(name="lamps", signal=LampRequest, is_periodic=False),
        Output(name="alert", signal=Alert, is_periodic=False),
        Output(name="hands", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.02,
    trigger="vehicle",
    min_period_s=0.01,
    kpis=("changes", "suppressed", "rear_gap_m", "rear_gap_needed_m", "error_m", "manoeuvre_s"),
    alerts=(
        "lane_change_running",
        "lane_change_confirm",
        "lane_change_suppressed",
        "lane_change_hands",
        "lane_change_take_over",
        "lane_change_fault",
        "lane_change_off",
    ),
    build=build,
)
