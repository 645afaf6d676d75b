"""Driver control assistance (UN R171): steers, follows and watches the driver; hands back or stops where it must."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from adas_runtime.dcas import change, mrm, override
from adas_runtime.dcas.alerts import FORMS, Said, Slot, make_said, tell
from adas_runtime.dcas.change import Manoeuvre
from adas_runtime.dcas.change import State as Change
from adas_runtime.dcas.changing import NOT_ENGAGED, Changing
from adas_runtime.dcas.counters import BOUNDARIES, STEP_MAX_S, Counters, cause_of_end, make_counters, noted, was_on
from adas_runtime.dcas.engagement import Alarm, Engagement, EngagementMonitor, Eyes, Hands
from adas_runtime.dcas.looking import Looking
from adas_runtime.dcas.memory import (
    NAME,
    NEVER,
    STANDING_MPS,
    Driven,
    Inputs,
    Judged,
    Memory,
    Now,
    Outputs,
    Seen,
    Told,
    make_driven,
    make_judged,
    make_memory,
    make_outputs,
    make_told,
)
from adas_runtime.dcas.messages import DARK, Messages, figures, make_state, make_status
from adas_runtime.dcas.modes import CONTROLLING, MODES, PRECONDITIONS, TRANSITIONS, WORKING, State, View
from adas_runtime.dcas.override import (
    LATERAL,
    LONGITUDINAL,
    Braking,
    Lateral,
    LateralView,
    Longitudinal,
    LongitudinalView,
)
from adas_runtime.dcas.params import (
    CANCEL_BUTTON,
    CHANGE_DECEL_HOLD_S,
    CHANGE_LATERAL_LAW_MPS2,
    DCAS_BUTTON,
    LATERAL_ACCEL_LAW_HEAVY_MPS2,
    LOCKOUT_ABOVE,
    RESUME_BUTTON,
    RISK_CHANGE_LATERAL_LAW_MPS2,
    SET_BUTTON,
)
from adas_runtime.dcas.speed import Allowed, Asked, SetSpeed, gap_in_force_s
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Kept, Output, Process
from adas_runtime.gaze import Gaze, GazeReader, Sight
from adas_runtime.lateral.control import Control, PathControl, Pose
from adas_runtime.lateral.gyro import learned
from adas_runtime.longitudinal.curves import slower_ahead
from adas_runtime.longitudinal.following import Drive, Lead, Wanted, build_following
from adas_runtime.longitudinal.lead import LeadChooser
from adas_runtime.market.schema import Market
from adas_runtime.records import maker
from adas_runtime.signals import (
    Alert,
    AlertSide,
    AssistanceMode,
    AssistanceState,
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    EngagementStage,
    FunctionStatus,
    Horizon,
    LampDemand,
    LampRequest,
    LateralRequest,
    LimitKind,
    LongitudinalRequest,
    RoadClass,
    SpeedLimitState,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.vehicle.schema import Vehicle

PERIOD_S: Final = 0.02
IDLE_PERIOD_S: Final = 1.0  # of the state message while it is off
IDLE_REST_S: Final = 0.04  # between two steps while it is off: a press of a button is held longer
LAMP_PERIOD_S: Final = 0.2
CALM_JERK_MPS3: Final = 1.0  # a fifth of what the envelope lets through [D]
LIMIT_CONFIDENCE_MIN: Final = 0.5
HARD: Final = frozenset(code for code, (_, is_hard, _) in PRECONDITIONS.items() if is_hard)

make_view = maker(View)
make_lateral_view = maker(LateralView)
make_longitudinal_view = maker(LongitudinalView)
make_drive = maker(Drive)
make_asked = maker(Asked)


class Dcas:
    """Driver control assistance; see the tables in `modes`, `engagement`, `override`, `change`.

    The driver. The button `dcas` switches it on and off; `set_speed` and `resume` activate it, `cancel` ends
    assistance. Steering, braking and accelerating always win. It never comes back by itself: after braking, after an
    emergency braking and after a direct control alert the driver acts first.

    Absent inputs. No vehicle state: nothing is asked for, and after `input_lost_s` the system is off, at fault. No
    body: nobody knows of seat and belt, so it cannot be active. No lane, objects, hands, stalks, driver camera: each
    is a failure after its time; while active, assistance goes on for `exit_lead_s` until a hand is on the wheel, and
    where none comes the car is brought to a stop. Unknown hands or eyes never count as engaged. No speed limit, no map:
    the set speed alone, bounded by the law of the country; no lane change.
    """

    def __init__(self, market: Market, vehicle: Vehicle) -> None:
        self.state = Memory()
        params = self._params = market.dcas
        self._market = market
        self._monitor = EngagementMonitor(params.engagement, is_hands_off=params.hands_off_enabled)
        self._reader = GazeReader(params.gaze)
        self._looking = Looking(market, vehicle)
        self._control = PathControl(market.lateral_control, vehicle)
        self._changing = Changing(market, vehicle, self._control)
        self._following = build_following(market, vehicle)
        self._chooser = LeadChooser(vehicle)
        self._speeds = SetSpeed(market.longitudinal, market, is_gap_shown=params.is_gap_shown)
        self._messages = Messages(market)
        is_heavy = vehicle.category not in ("M1", "N1")
        self._lateral_max_mps2 = min(
            params.lateral_accel_max_mps2, LATERAL_ACCEL_LAW_HEAVY_MPS2 if is_heavy else math.inf
        )
        self._curve_mps2 = market.longitudinal.curve_lateral_accel_mps2
        self._resume_s = market.envelope.override_resume_s

    def kept(self) -> Kept:
        """The run cycle's unavailability responses, and its number where the car tells one (R171 5.5.4.2.8.1)."""
        counters = self.state.counters
        cycle = {} if counters.cycle is None else {"cycle": counters.cycle}
        return {"unavailable": counters.cycle_unavailable, **cycle}

    def keep(self, kept: Kept) -> None:
        """Begin with these; the first `BodyState` of another run cycle begins anew."""
        counters = Counters(cycle_unavailable=max(kept.get("unavailable", 0), 0), cycle=kept.get("cycle"))
        self.state = Memory(counters=counters)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = self._afresh(old, now_s)
        assert old.now_s is not None
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        driver = inputs.driver[0] if inputs.driver else None
        body = inputs.body[0] if inputs.body else None
        pressed = old.pressed if driver is None else driver.pressed
        new = () if pressed == old.pressed else tuple([name for name in pressed if name not in old.pressed])
        is_key_on, is_new_cycle = old.is_key_on, False
        if body is not None and body.is_master_switch_on is not None:
            is_new_cycle = is_key_on is not None and is_key_on is not body.is_master_switch_on
            is_key_on = body.is_master_switch_on
        cycle = None if body is None else body.ignition_cycle
        if cycle is not None and cycle != old.counters.cycle:
            is_new_cycle = is_new_cycle or old.counters.cycle is not None
            old = replace(old, counters=replace(old.counters, cycle=cycle))
        is_idle = old.state is State.OFF or old.state is State.LOCKOUT
        if is_idle and not new and not is_new_cycle and not old.failed and self._is_silent(old):
            return self._idle(old, inputs, body, pressed, is_key_on, vehicle, now_s)

        now, seen = self._looking.look(old, inputs, vehicle, driver, body, new, now_s)
        gaze = self._reader.step(old.gaze, inputs.gaze[0] if inputs.gaze else None, now_s)
        took_over = self._looking.took_over(old, now)
        engagement = self._engaged(old, now, gaze, took_over)
        failure, unmet = self._looking.unmet(
            old,
            now,
            seen,
            is_monitoring_lost=self._reader.is_lost(gaze, now_s),
            is_automated=any(status.is_at_work for status in inputs.automation),
        )
        judged = self._mode(old, now, seen, gaze, engagement, failure, unmet, is_new_cycle, took_over)
        memory, allowed, wanted = self._drive(old, judged, now, inputs, took_over)
        return self._say(old, memory, now, allowed, wanted, pressed, is_key_on)

    # --- off ----------------------------------------------------------------------------------------------------------

    def _afresh(self, old: Memory, now_s: float) -> Memory:
        """The first step, or time ran back: everything starts off; the lock-out of the run cycle stays.

        Who has a hand on the car does not let it go without a word (R171 5.3.5.1.1): assistance hands back, and a stop
        for a driver who does not answer goes on.
        """
        if old.now_s is None:
            state, reason = State.OFF, "run_cycle"
        else:
            state, reason = State.EXITING if old.state in CONTROLLING else old.state, "time_ran_back"
            if state not in WORKING:
                state = State.OFF
        is_working = state in WORKING
        counters = replace(old.counters, history=((now_s, MODES[state]),))
        slots = (old.told.hands, old.told.eyes, old.told.notice, old.told.info)
        hands, eyes, notice, info = (  # what was begun is ended, or goes on; its times were another clock's
            replace(slot, since_s=now_s, sent_s=NEVER) if slot.code else slot for slot in slots
        )
        told = replace(Told(), hands=hands, eyes=eyes, notice=notice, info=info, lamps=old.told.lamps)
        driven = replace(
            Driven(),
            control=old.driven.control if is_working else Driven().control,
            accel_mps2=old.driven.accel_mps2 if is_working else 0.0,
            gyro=old.driven.gyro,
            is_asking_lateral=old.driven.is_asking_lateral,
            is_asking_longitudinal=old.driven.is_asking_longitudinal,
        )
        return Memory(
            now_s=now_s,
            state=state,
            entered_s=now_s,
            reason=reason,
            counters=counters,
            told=told,
            driven=driven,
            is_key_on=old.is_key_on,
            pressed=old.pressed,
        )

    def _is_silent(self, old: Memory) -> bool:
        told = old.told
        return (
            not (told.hands.code or told.eyes.code or told.notice.code or told.info.code)
            and told.past is None
            and not old.driven.is_asking_lateral
            and not old.driven.is_asking_longitudinal
            and not told.lamps
        )

    def _idle(
        self,
        old: Memory,
        inputs: Inputs,
        body: BodyState | None,
        pressed: tuple[str, ...],
        is_key_on: bool | None,
        vehicle: VehicleState | None,
        now_s: float,
    ) -> Outputs:
        """Off and nothing new: the cheap way, taken in most of a car's life."""
        counters = old.counters
        is_crash = body is not None and body.is_crash_detected is True
        mode = MODES[old.state]
        if is_crash is not counters.was_crash or len(counters.history) > 1:
            counters = self._crash(counters, is_crash, mode, now_s)
        told, state = old.told, None
        key = (mode, old.reason)
        if told.state != key or now_s - told.state_s >= IDLE_PERIOD_S - EPS_S:
            told = replace(told, state=key, state_s=now_s)
            state = make_state(stamp_s=now_s, mode=mode, lateral=mode, longitudinal=mode, reason=old.reason)
        self.state = make_memory(
            now_s,
            old.state,
            old.reason,
            old.entered_s,
            "",
            old.unmet,
            old.boundary_s,
            pressed,
            is_key_on,
            old.seen,
            old.gaze,
            old.engagement,
            old.driven,
            old.manoeuvre,
            counters,
            told,
        )
        return make_outputs(
            state=state,
            lateral=None,
            longitudinal=None,
            lamps=None,
            hands=None,
            eyes=None,
            notice=None,
            info=None,
            status=make_status(state=old.state.value, reason=old.reason, kpis=figures(self.state), rest_s=IDLE_REST_S),
        )

    # --- the driver and the mode --------------------------------------------------------------------------------------

    def _engaged(self, old: Memory, now: Now, gaze: Gaze, took_over: bool) -> Engagement:
        """Hands and eyes chains, while assistance works."""
        if old.state not in CONTROLLING:
            return old.engagement
        sight = gaze.sight
        if now.is_drowsy and sight is Sight.RELEVANT:
            # R171 5.5.4.2.7: eyes that look ahead sleepily confirm nobody's attention, so they delay no request [D]
            sight = Sight.UNKNOWN
        return self._monitor.step(
            old.engagement,
            is_hands_on=now.is_hands_on,
            sight=sight,
            speed_mps=now.speed_mps,
            is_taken_over=took_over,
            now_s=now.now_s,
            is_motorway=now.segment is not None and now.segment.road_class is RoadClass.MOTORWAY,
        )

    def _mode(
        self,
        old: Memory,
        now: Now,
        seen: Seen,
        gaze: Gaze,
        engagement: Engagement,
        failure: str,
        unmet: str,
        is_new_cycle: bool,
        took_over: bool,
    ) -> Judged:
        """The mode after this step, what it does to the engagement, and what is counted."""
        params, now_s, new = self._params, now.now_s, now.new
        counters = old.counters
        if is_new_cycle:
            counters = replace(counters, cycle_unavailable=0)
        held_s = now_s - old.entered_s + EPS_S
        is_activation = SET_BUTTON in new or RESUME_BUTTON in new
        is_ready = now.is_hands_on and gaze.sight is Sight.RELEVANT and not now.is_steering and not now.is_braking
        view = make_view(
            is_new_cycle=is_new_cycle,
            is_switch_pressed=DCAS_BUTTON in new,
            is_activation=is_activation,
            is_cancel=CANCEL_BUTTON in new,
            failure=failure,
            unmet=unmet,
            is_hard=unmet in HARD or failure in HARD,
            is_ready=is_ready,
            is_unavailable=engagement.alarm is Alarm.UNAVAILABLE,
            is_taken_over=took_over,
            is_answered=seen.on_s is not None and now_s - max(seen.on_s, old.entered_s) + EPS_S >= params.exit_hands_s,
            is_exit_over=held_s >= params.exit_lead_s,
            is_standing=now.vehicle is not None and now.speed_mps <= STANDING_MPS,
            is_locked=counters.cycle_unavailable > LOCKOUT_ABOVE,
        )
        row = TRANSITIONS.fire(old.state, view)
        state, reason, entered_s, failed = old.state, old.reason, old.entered_s, old.failed
        told = old.told
        if DCAS_BUTTON in new or not failure:
            failed = ""  # any other button leaves the failure told (R171 5.4.3)
        if row is not None:
            reason = row.reason_for(view)
            state = row.target
        boundary_s = now_s if unmet in BOUNDARIES else old.boundary_s
        if state is not old.state or is_new_cycle:
            entered_s = now_s
            if state is State.OFF and failure and reason == failure:
                failed = failure
            counters = self._ended(counters, old, state, reason, failure, unmet)
            if state is State.RISK_MITIGATION:
                engagement = replace(engagement, alarm=Alarm.UNAVAILABLE)
            elif state not in WORKING or old.state not in WORKING:
                engagement = Engagement()
            if state is State.OFF or old.state is State.OFF:
                boundary_s = NEVER
        past = self._past(old, state, reason, view, is_activation, is_ready)
        if past is not None:
            told = replace(told, past=past, past_until_s=now_s + params.notice_s)
        elif told.past is not None and now_s >= told.past_until_s:
            told = replace(told, past=None)
        counters = self._asked(counters, old.engagement, engagement)
        return make_judged(state, reason, entered_s, failed, unmet, boundary_s, seen, gaze, engagement, counters, told)

    def _ended(self, counters: Counters, old: Memory, state: State, reason: str, failure: str, unmet: str) -> Counters:
        """R171 7.2.3: unavailability responses, and deactivations that the system began, by cause."""
        if state is State.RISK_MITIGATION:
            counters = replace(
                counters, unavailable=counters.unavailable + 1, cycle_unavailable=counters.cycle_unavailable + 1
            )
        is_end = old.state is State.ACTIVE and state in (State.EXITING, State.INACTIVE, State.OFF)
        if not is_end or not unmet or reason not in (unmet, failure) or unmet in ("gear", "parking_brake"):
            return counters
        cause = cause_of_end(unmet, is_failure=bool(failure))
        return replace(
            counters,
            ended_failure=counters.ended_failure + (cause == "failure"),
            ended_boundary=counters.ended_boundary + (cause == "boundary"),
            ended_other=counters.ended_other + (cause == "other"),
        )

    def _asked(self, counters: Counters, before: Engagement, after: Engagement) -> Counters:
        if before is after:
            return counters
        hands = after.hands is Hands.REQUESTED is not before.hands
        eyes = after.eyes is Eyes.REQUESTED is not before.eyes
        alarm = after.alarm is Alarm.TAKE_OVER is not before.alarm
        if not (hands or eyes or alarm):
            return counters
        return replace(
            counters,
            hands_requests=counters.hands_requests + hands,
            eyes_requests=counters.eyes_requests + eyes,
            take_overs=counters.take_overs + alarm,
        )

    def _past(
        self, old: Memory, state: State, reason: str, view: View, is_activation: bool, is_ready: bool
    ) -> Said | None:
        """What just happened and is to be told for a while."""
        if state is not old.state:
            if old.state in WORKING and state not in WORKING and state is not State.LOCKOUT:
                by_driver = reason in ("switched_off", "cancelled", "driver_took_over")
                return make_said("dcas_off" if by_driver else "dcas_ended", reason, AlertSide.NONE)
            if state is State.LOCKOUT:
                return make_said("dcas_locked_out", reason, AlertSide.NONE)
            return None
        if view.is_switch_pressed and state is State.OFF and view.failure:
            return make_said("dcas_unavailable", view.failure, AlertSide.NONE)
        if is_activation and state is State.LOCKOUT:
            return make_said("dcas_locked_out", "locked_out", AlertSide.NONE)
        if is_activation and state is State.INACTIVE:
            return make_said("dcas_refused", view.unmet or "settling", AlertSide.NONE)
        if is_activation and state is State.PASSIVE and not is_ready:
            return make_said("dcas_refused", NOT_ENGAGED, AlertSide.NONE)
        return None

    # --- steering and speed -------------------------------------------------------------------------------------------

    def _drive(
        self, old: Memory, judged: Judged, now: Now, inputs: Inputs, took_over: bool
    ) -> tuple[Memory, Allowed | None, Wanted | None]:
        """Who steers and who controls the speed; what both want."""
        driven, now_s = old.driven, now.now_s
        state = judged.state
        is_controlling = state in CONTROLLING
        has_vehicle = now.vehicle is not None  # without one nothing is asked for, and who has the wheel stays as it is
        is_stopping = state is State.RISK_MITIGATION or state is State.HELD
        is_resume = SET_BUTTON in now.new or RESUME_BUTTON in now.new
        lateral, lateral_reason = driven.lateral, driven.lateral_reason
        is_lane = now.is_lane or (lateral is Lateral.CONTROL and now.is_way)
        # most steps: it steers and nothing speaks against it, so no row of the table fires; a test holds both together
        is_kept = lateral is Lateral.CONTROL and is_controlling and is_lane and not (now.is_steering or took_over)
        if not is_kept and (
            (has_vehicle and is_controlling) or (lateral is not Lateral.STANDBY and not is_controlling)
        ):
            lateral_row = LATERAL.fire(
                lateral,
                make_lateral_view(
                    is_controlling=is_controlling,
                    is_steering=now.is_steering,
                    is_taken_over=took_over and old.engagement.alarm is Alarm.TAKE_OVER,
                    is_clear=now_s - judged.seen.steered_s >= self._resume_s,
                    is_lane=is_lane,
                    is_resume=is_resume,
                ),
            )
            if lateral_row is not None:
                lateral, lateral_reason = lateral_row.target, lateral_row.reason
        braking = driven.braking
        longitudinal, longitudinal_reason = driven.longitudinal, driven.longitudinal_reason
        is_kept = (
            longitudinal is Longitudinal.CONTROL
            and is_controlling
            and not (now.is_braking or now.is_emergency or now.is_accelerating)
        )
        if not is_kept and (
            (has_vehicle and is_controlling) or (longitudinal is not Longitudinal.STANDBY and not is_controlling)
        ):
            if now.is_braking and longitudinal is not Longitudinal.BRAKED:
                braking = Braking(now_s, now.speed_mps)
            longitudinal_row = LONGITUDINAL.fire(
                longitudinal,
                make_longitudinal_view(
                    is_controlling=is_controlling,
                    is_emergency=now.is_emergency,
                    is_braking=now.is_braking,
                    is_accelerating=now.is_accelerating,
                    may_resume=override.may_resume(
                        braking, now.speed_mps, now_s, has_supplement_2=self._params.has_supplement_2
                    ),
                    is_resume=is_resume,
                ),
            )
            if longitudinal_row is not None:
                longitudinal, longitudinal_reason = longitudinal_row.target, longitudinal_row.reason

        manoeuvre = self._changing.step(
            old,
            judged,
            now,
            is_steering=lateral is Lateral.CONTROL or (is_stopping and now.is_way),
            is_stopping=is_stopping,
        )
        lane, pose = self._way(old, now, manoeuvre)
        control = self._steer(old, now, lateral, manoeuvre, lane, pose, is_stopping)
        gyro = driven.gyro
        former, yaw_rate_rps = driven.pose, None if now.vehicle is None else now.vehicle.yaw_rate_rps
        if pose is not None and former is not None and lane is now.lane and yaw_rate_rps is not None:
            gyro = learned(
                gyro,
                yaw_rate_rps,
                speed_mps=now.speed_mps,
                curvature_1pm=pose.curvature_1pm,
                turned_rad=pose.heading_rad - former.heading_rad,
                dt_s=now.dt_s,
            )
        counters = judged.counters
        if manoeuvre.state is not old.manoeuvre.state and manoeuvre.reason == "lane_changed":
            counters = replace(counters, lane_changes=counters.lane_changes + 1)
        calm_until_s = driven.calm_until_s
        if old.manoeuvre.state is Change.RESUMING and manoeuvre.state is Change.NONE:
            calm_until_s = now_s + CHANGE_DECEL_HOLD_S

        # speed
        self._speeds.state, self._following.state, self._chooser.state = driven.speeds, driven.following, driven.lead
        if state is State.OFF and old.state is not State.OFF and judged.reason == "run_cycle":
            self._speeds.new_run()
        allowed: Allowed | None = None
        wanted: Wanted | None = None
        accel_mps2 = 0.0
        if state is not State.OFF and state is not State.LOCKOUT and now.vehicle is not None:
            lead = self._chooser.step(now.objects, now.lane, now.speed_mps, now.vehicle.yaw_rate_rps, now_s)
            if is_controlling or is_stopping:
                limit_mps, has_no_limit = self._limit(inputs)
                is_switching_on = state is State.ACTIVE and old.state is State.PASSIVE
                allowed = self._speeds.step(
                    make_asked(
                        speed_mps=now.speed_mps,
                        pressed=None if now.driver is None else now.driver.pressed,
                        limit_mps=limit_mps,
                        has_no_limit=has_no_limit,
                        is_active=is_controlling,
                        is_switching_on=is_switching_on,
                    ),
                    now_s,
                )
                is_free = longitudinal is Longitudinal.CONTROL or longitudinal is Longitudinal.BRAKED or is_stopping
                was_free = driven.longitudinal in (Longitudinal.CONTROL, Longitudinal.BRAKED)
                if not is_free or not (was_free or is_stopping):
                    self._following.reset(now.vehicle.accel_mps2 or 0.0, is_standing=now.speed_mps < STANDING_MPS)
                wanted = self._following.step(self._drive_of(now, allowed, lead, is_resume))
                accel_mps2 = wanted.accel_mps2
                if is_stopping:
                    accel_mps2 = mrm.stopping(
                        self._params.risk,
                        driven.accel_mps2,
                        wanted.accel_mps2,
                        now.speed_mps,
                        now.dt_s,
                        has_lane=now.is_lane,
                        can_change=self._changing.can_reach_side(now, manoeuvre),
                        is_standing=state is State.HELD,
                    )
                elif longitudinal is Longitudinal.BRAKED:
                    accel_mps2 = min(accel_mps2, 0.0)
                elif longitudinal is not Longitudinal.CONTROL:
                    accel_mps2 = 0.0
                elif state is State.EXITING:
                    accel_mps2 = min(accel_mps2, self._exiting(driven.accel_mps2, accel_mps2, now))
                elif wanted.needed_mps2 > -self._market.longitudinal.decel_max_mps2:
                    # R171 6.2.4.3, 6.2.4.4: gently in and shortly after a lane change, imminent collisions excepted
                    if manoeuvre.state in change.MOVING:
                        accel_mps2 = max(accel_mps2, -self._params.change.ego_decel_mps2)
                    elif now_s < calm_until_s:
                        accel_mps2 = max(accel_mps2, min(driven.accel_mps2, -self._params.change.ego_decel_mps2))
            else:
                self._following.reset(now.vehicle.accel_mps2 or 0.0, is_standing=False)
        return (
            make_memory(
                now.now_s,
                state,
                judged.reason,
                judged.entered_s,
                judged.failed,
                judged.unmet,
                judged.boundary_s,
                old.pressed,
                old.is_key_on,
                judged.seen,
                judged.gaze,
                judged.engagement,
                make_driven(
                    lateral,
                    lateral_reason,
                    longitudinal,
                    longitudinal_reason,
                    braking if longitudinal is Longitudinal.BRAKED else None,
                    control,
                    self._following.state,
                    self._chooser.state,
                    self._speeds.state,
                    accel_mps2,
                    driven.is_asking_lateral,
                    driven.is_asking_longitudinal,
                    calm_until_s,
                    lane,
                    pose,
                    gyro,
                ),
                manoeuvre,
                self._count(counters, state, now, allowed),
                self._messages.news(judged.told, now, allowed),
            ),
            allowed,
            wanted,
        )

    def _exiting(self, old_mps2: float, wanted_mps2: float, now: Now) -> float:
        """On the way out nobody drives fast: gently slower until a hand is on the wheel (R171 5.3.5.1.1)."""
        facts = self._market.longitudinal
        goal_mps2 = wanted_mps2 if now.is_hands_on else -min(facts.decel_speed_mps2, facts.decel_comfort_mps2)
        up_mps2, down_mps2 = facts.jerk_up_mps3 * now.dt_s, facts.jerk_down_mps3 * now.dt_s
        return max(min(goal_mps2, old_mps2 + up_mps2), old_mps2 - down_mps2)

    def _limit(self, inputs: Inputs) -> tuple[float | None, bool]:
        """The speed limit as far as it is sure enough to drive by, and whether the law sets none."""
        if not inputs.limit or inputs.limit[0].confidence < LIMIT_CONFIDENCE_MIN:
            return None, False
        limit = inputs.limit[0]
        return limit.limit_mps, limit.kind is LimitKind.NO_LIMIT

    def _drive_of(self, now: Now, allowed: Allowed, lead: Lead | None, is_resume: bool) -> Drive:
        facts = self._market.following
        return make_drive(
            dt_s=now.dt_s,
            speed_mps=now.speed_mps,
            max_speed_mps=now.speed_mps if allowed.max_mps is None else allowed.max_mps,
            time_gap_s=gap_in_force_s(facts, now, allowed.choice),
            queue_gap_m=facts.tunnel_queue_gap_m if now.is_tunnel else facts.queue_gap_m,
            lead=lead,
            slower=slower_ahead(now.lane, now.horizon, now.speed_mps, self._curve_mps2),
            is_resumed=is_resume or now.is_accelerating,
            visibility_m=facts.visibility_m(is_rear_fog_on=now.body is not None and now.body.is_rear_fog_on is True),
        )

    def _way(self, old: Memory, now: Now, manoeuvre: Manoeuvre) -> tuple[EgoLane | None, Pose | None]:
        """The lane to steer by and how it lies: as seen, or for a while the last one, carried on by its motion."""
        driven, lane = old.driven, now.lane
        if now.vehicle is None:
            return driven.lane, driven.pose
        if lane is not None and lane.is_fit_to_steer:
            return lane, self._control.pose(driven.control, lane, now.now_s, now.speed_mps, now.yaw_rate_rps)
        pose = driven.pose
        if pose is None or not now.is_way or old.state not in WORKING:
            return None, None
        pose = self._control.carried(
            driven.control, pose, speed_mps=now.speed_mps, yaw_rate_rps=now.yaw_rate_rps, dt_s=now.dt_s
        )
        if manoeuvre.base_m and not old.manoeuvre.base_m:  # the lane change counts from the other lane now
            pose = replace(pose, offset_m=pose.offset_m + manoeuvre.side * manoeuvre.base_m)
        return driven.lane, pose

    def _steer(
        self,
        old: Memory,
        now: Now,
        lateral: Lateral,
        manoeuvre: Manoeuvre,
        lane: EgoLane | None,
        pose: Pose | None,
        is_stopping: bool,
    ) -> Control:
        """The curvature asked for; while somebody else steers, what the car drives."""
        control = old.driven.control
        if now.vehicle is None:
            return control
        is_mine = lateral is Lateral.CONTROL or (is_stopping and now.is_way and now.speed_mps > STANDING_MPS)
        if not is_mine:
            return self._control.watch(
                control,
                pose if lane is now.lane else None,
                speed_mps=now.speed_mps,
                yaw_rate_rps=now.yaw_rate_rps,
                dt_s=now.dt_s,
                steered_1pm=self._control.steered_1pm(now.vehicle),
            )
        if pose is None or lane is None:
            return control  # for a moment without a lane: go on as before
        accel_max_mps2 = self._lateral_max_mps2
        if manoeuvre.state in change.MOVING:  # R171 6.2.3; R79 5.1.6.3.9: on top of the curve's
            added_mps2 = RISK_CHANGE_LATERAL_LAW_MPS2 if is_stopping else CHANGE_LATERAL_LAW_MPS2
            # and on top of what holds the car against wind: the law means how the car moves
            curve_mps2 = (abs(pose.curvature_1pm) + abs(control.excess_1pm)) * now.speed_mps * now.speed_mps
            accel_max_mps2 = min(accel_max_mps2, curve_mps2 + added_mps2)
        return self._control.steer(
            control,
            pose,
            speed_mps=now.speed_mps,
            yaw_rate_rps=now.yaw_rate_rps,
            dt_s=now.dt_s,
            accel_max_mps2=accel_max_mps2,
            target=self._changing.target(lane, manoeuvre, now),
        )

    # --- what is counted and said -------------------------------------------------------------------------------------

    def _crash(self, counters: Counters, is_crash: bool, mode: AssistanceMode, now_s: float) -> Counters:
        history = noted(counters.history, mode, now_s)
        occurrences = counters.occurrences
        if is_crash and not counters.was_crash and was_on(history, now_s):
            occurrences += 1
        return replace(counters, history=history, occurrences=occurrences, was_crash=is_crash)

    def _count(self, counters: Counters, state: State, now: Now, allowed: Allowed | None) -> Counters:
        mode = MODES[state]
        is_crash = now.body is not None and now.body.is_crash_detected is True
        if is_crash is not counters.was_crash:
            counters = self._crash(counters, is_crash, mode, now.now_s)
        driven_m = now.speed_mps * min(now.dt_s, STEP_MAX_S)
        is_active = mode is AssistanceMode.ACTIVE
        return make_counters(
            counters.passive_m + (driven_m if mode is AssistanceMode.PASSIVE else 0.0),
            counters.active_m + (driven_m if is_active else 0.0),
            counters.over_limit_m
            + (driven_m if is_active and allowed is not None and allowed.is_set_over_limit else 0.0),
            counters.hands_requests,
            counters.eyes_requests,
            counters.take_overs,
            counters.unavailable,
            counters.cycle_unavailable,
            counters.ended_failure,
            counters.ended_boundary,
            counters.ended_other,
            counters.lane_changes,
            counters.occurrences,
            counters.was_crash,
            noted(counters.history, mode, now.now_s),
            counters.cycle,
        )

    def _is_calm(self, old: Memory, memory: Memory, now: Now) -> bool:
        """Whether what is asked for changes so slowly that half the steps do.

        The envelope bounds jerk between two of its own steps of 10 ms, so what changes faster is asked for as often.
        Nobody waits for the driver's hand meanwhile: the envelope itself lets go (`override_torque_nm`).
        """
        driven, former = memory.driven, old.driven
        if (
            memory.state is not State.ACTIVE
            or driven.lateral is not Lateral.CONTROL
            or driven.longitudinal is not Longitudinal.CONTROL
            or memory.manoeuvre.state is not Change.NONE
            or memory.engagement.stage is not EngagementStage.NONE
            or now.new
            or not now.is_lane
        ):
            return False
        bound_mps2 = CALM_JERK_MPS3 * now.dt_s
        turned_1pm = driven.control.curvature_1pm - former.control.curvature_1pm
        return (
            abs(turned_1pm) * now.speed_mps * now.speed_mps <= bound_mps2
            and abs(driven.accel_mps2 - former.accel_mps2) <= bound_mps2
        )

    def _say(
        self,
        old: Memory,
        memory: Memory,
        now: Now,
        allowed: Allowed | None,
        wanted: Wanted | None,
        pressed: tuple[str, ...],
        is_key_on: bool | None,
    ) -> Outputs:
        now_s, told, driven, params = now.now_s, memory.told, memory.driven, self._params
        stamp_s = now_s if now.vehicle is None else max(0.0, min(now_s, now.vehicle.stamp_s))
        slots: list[Slot] = [told.hands, told.eyes, told.notice, told.info]
        alerts: list[Alert | None] = [None, None, None, None]
        for index, said in enumerate(self._messages.wanted(memory, now, allowed, wanted)):
            if said is not None or slots[index].code:
                slots[index], alerts[index] = tell(
                    slots[index],
                    said,
                    now_s,
                    author=NAME,
                    period_s=params.alert_period_s,
                    is_quiet=now.is_urgent,
                    has_haptic=params.engagement.has_haptic,
                )
        lateral, is_asking_lateral = self._messages.lateral(memory, now, stamp_s)
        longitudinal, is_asking_longitudinal = self._messages.longitudinal(memory, now, wanted, stamp_s)
        lamps_key = self._messages.lamps(memory)
        lamps: LampRequest | None = None
        lamps_s = told.lamps_s
        is_lit = lamps_key != DARK
        if is_lit or told.lamps:
            is_change = lamps_key != (told.lamps or DARK)
            if is_change or (is_lit and now_s - lamps_s >= LAMP_PERIOD_S - EPS_S):
                hazard, left, right = lamps_key
                if hazard is LampDemand.NO_DEMAND and told.lamps and told.lamps[0] is LampDemand.ON:
                    hazard = LampDemand.OFF  # what was asked for is kept until it is taken back
                lamps = LampRequest(
                    stamp_s=stamp_s,
                    author=NAME,
                    cause=memory.reason,
                    hazard=hazard,
                    indicator_left=left,
                    indicator_right=right,
                )
                lamps_s = now_s
        state, state_key, state_s = self._messages.state(memory, now, allowed, wanted, stamp_s)
        self.state = memory = make_memory(
            now_s,
            memory.state,
            memory.reason,
            memory.entered_s,
            memory.failed,
            memory.unmet,
            memory.boundary_s,
            pressed,
            is_key_on,
            memory.seen,
            memory.gaze,
            memory.engagement,
            driven
            if (is_asking_lateral, is_asking_longitudinal) == (driven.is_asking_lateral, driven.is_asking_longitudinal)
            else replace(driven, is_asking_lateral=is_asking_lateral, is_asking_longitudinal=is_asking_longitudinal),
            memory.manoeuvre,
            memory.counters,
            make_told(
                slots[0],
                slots[1],
                slots[2],
                slots[3],
                told.past,
                told.past_until_s,
                told.news,
                told.news_until_s,
                state_key,
                state_s,
                lamps_key if is_lit else (),
                lamps_s,
            ),
        )
        return make_outputs(
            state=state,
            lateral=lateral,
            longitudinal=longitudinal,
            lamps=lamps,
            hands=alerts[0],
            eyes=alerts[1],
            notice=alerts[2],
            info=alerts[3],
            status=self._messages.status(memory, is_calm=self._is_calm(old, memory, now)),
        )


def build(context: BuildContext) -> Dcas:
    """The core for this market and vehicle."""
    return Dcas(context.market, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Assists hands on: keeps lane and distance, watches the driver, hands back or stops (UN R171).",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, many=True),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
        Input(name="lane", signal=EgoLane, max_age_s=0.3, many=True),
        Input(name="gaze", signal=DriverState, max_age_s=0.2, many=True),
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, many=True, source="tracking"),
        Input(name="limit", signal=SpeedLimitState, max_age_s=1.0, many=True),
        Input(name="horizon", signal=Horizon, max_age_s=2.0, many=True),
        Input(name="alerts", signal=Alert, max_age_s=0.5, many=True, is_former=True),
        Input(name="requests", signal=LongitudinalRequest, max_age_s=0.2, many=True, is_former=True),
        Input(name="departure", signal=FunctionStatus, max_age_s=2.5, many=True, source="lane_departure"),
        Input(name="automation", signal=FunctionStatus, max_age_s=2.5, many=True, source="alks"),
    ),
    outputs=(
        Output(name="state", signal=AssistanceState, is_periodic=False),
        Output(name="lateral", signal=LateralRequest, is_periodic=False, rests_on=("vehicle", "lane")),
        Output(name="longitudinal", signal=LongitudinalRequest, is_periodic=False, rests_on=("vehicle", "objects")),
        Output(name="lamps", signal=LampRequest, is_periodic=False),
        Output(name="hands", signal=Alert, is_periodic=False),
        Output(name="eyes", signal=Alert, is_periodic=False),
        Output(name="notice", signal=Alert, is_periodic=False),
        Output(name="info", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=PERIOD_S,
    trigger="vehicle",
    min_period_s=0.01,  # the envelope's pace: its bounds of jerk hold between two of its own steps
    kpis=(
        "passive_m",
        "active_m",
        "over_limit_m",
        "unavailable",
        "hands_requests",
        "eyes_requests",
        "take_overs",
        "ended_failure",
        "ended_boundary",
        "ended_other",
        "lane_changes",
        "occurrences",
        "lane_error_m",
        "gap_m",
    ),
    alerts=tuple(FORMS),
    build=build,
)
