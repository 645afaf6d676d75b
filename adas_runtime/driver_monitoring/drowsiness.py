"""Drowsiness warning: steering, lane and eyes tell of a sleepy driver (EU 2021/1341)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.driver_monitoring import camera, driving, eyes, prior
from adas_runtime.driver_monitoring.camera import Watch, watched
from adas_runtime.driver_monitoring.driving import Driving, DrivingReader
from adas_runtime.driver_monitoring.drowsiness_states import ACTIVE, TRANSITIONS, WARNING, State, View
from adas_runtime.driver_monitoring.eyes import EyeReader, Eyes
from adas_runtime.driver_monitoring.params import DROWSINESS_BUTTON, DriverMonitoringParams
from adas_runtime.driver_monitoring.prior import Task, added, tasked
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.records import maker
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    DriverState,
    EgoLane,
    FunctionStatus,
    Health,
    Indicator,
    Stage,
    VehicleState,
)
from adas_runtime.switch import FRESH, Switch
from adas_runtime.units import kmh_to_mps

NAME: Final = "drowsiness"
TIRED_CODE: Final = "drowsiness_tired"
BREAK_CODE: Final = "drowsiness_break"
MICROSLEEP_CODE: Final = "drowsiness_microsleep"
ALERT_SCORE: Final = 3.0  # who is alert, by the Karolinska scale
STEERING: Final = frozenset(  # states of assistance, lane centring and correction in which they steer
    {"active", "exiting", "risk_mitigation", "held", "hands1", "hands2", "boundary", "correct_left", "correct_right"}
)
STEP_MAX_S: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; all but the vehicle's state may be missing in a car for good, so they come as none or several."""

    vehicle: VehicleState | None = None
    gaze: tuple[DriverState, ...] = ()
    lane: tuple[EgoLane, ...] = ()
    driver: tuple[DriverInput, ...] = ()
    body: tuple[BodyState, ...] = ()
    dcas: tuple[FunctionStatus, ...] = ()
    centring: tuple[FunctionStatus, ...] = ()
    elks: tuple[FunctionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says."""

    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Key:
    """The master switch and what the driver set.

    Args:
        is_on: The master switch.
        off_s: When it went off.
        was_door_open: The driver's door was open since then.
        switch: Button.
        is_acknowledged: The button was pressed in this step, and did not switch the warnings off.
    """

    is_on: bool = True
    off_s: float = 0.0
    was_door_open: bool = False
    switch: Switch = FRESH
    is_acknowledged: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.STANDBY
    reason: str = "vehicle_absent"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    cue_s: float = 0.0
    is_in_range: bool = False
    watch: Watch = camera.FRESH
    eyes: Eyes = eyes.FRESH
    driving: Driving = driving.FRESH
    task: Task = prior.FRESH
    key: Key = Key()
    score: float = ALERT_SCORE
    eyes_score: float | None = None
    driving_score: float | None = None
    cause: str = ""
    code: str = ""
    warned_s: float = -1e9
    bell: Ring = SILENT
    warnings: int = 0
    microsleeps: int = 0
    driven_s: float = 0.0


make_key = maker(Key)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_status = maker(Status)
make_view = maker(View)


class Drowsiness:
    """Judges sleepiness from steering, lane and eyes, each of which may be missing; see `TRANSITIONS`.

    The score is on the Karolinska scale. Eyes: time closed, long closures, long blinks. Driving: corrections after a
    still wheel, entropy and reversals of steering, wander in the lane, each beside this driver's own normal. Where both
    are known the worse of the eyes and their mean counts, and driving alone a point less: wide-open eyes speak against
    it. Hour and time on task add a little and never lead to a warning by themselves. Eyes closed for as long as a
    microsleep are warned of at once.

    The driver can switch off its warnings and never the system (1-3.1.1); one press while it warns acknowledges.

    Absent inputs. No vehicle state: standby, after a while a fault. No eyes, no steering, no lane: it judges by the
    others; none of them for `no_cue_s` is a fault. While something else steers, steering and lane tell nothing and only
    the eyes count. No body: no new start is seen, no hour known. Time running back starts everything afresh.
    """

    def __init__(self, params: DriverMonitoringParams) -> None:
        self.state = Memory()
        self._camera = params.camera
        self._params = own = params.drowsiness
        self._eyes = EyeReader(params.camera, own.eyes)
        self._driving = DrivingReader(own.driving, own.learning_s)
        self._from_mps = kmh_to_mps(own.from_kmh)
        self._until_mps = kmh_to_mps(own.until_kmh)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = Memory(now_s=now_s, entered_s=now_s, vehicle_s=now_s, cue_s=now_s, bell=old.bell)
        assert old.now_s is not None
        dt_s = min(now_s - old.now_s, STEP_MAX_S)
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        is_in_range = old.is_in_range
        if vehicle is not None:
            is_in_range = vehicle.speed_mps >= (self._until_mps if is_in_range else self._from_mps)
        body = inputs.body[0] if inputs.body else None
        key = self._key(old.key, inputs, body, now_s)
        watch = watched(old.watch, inputs.gaze[0] if inputs.gaze else None, self._camera, now_s)
        seen = self._eyes.step(old.eyes, None if watch.reason or not inputs.gaze else inputs.gaze[0], now_s)
        driven = old.driving
        if vehicle is not None:
            driven = self._driving.step(
                driven,
                vehicle,
                inputs.lane[0] if inputs.lane else None,
                inputs.driver[0].indicator if inputs.driver else Indicator.OFF,
                now_s,
                is_counting=is_in_range and not self._is_steered(inputs),
            )
        task = tasked(old.task, vehicle, params.prior, now_s)
        eyes_score, driving_score = old.eyes_score, old.driving_score
        if seen is not old.eyes:
            eyes_score = self._eyes.score(seen)
        if driven is not old.driving:
            driving_score = self._driving.score(driven, self._driving.figures(driven))
        score, cause = self._scored(old, eyes_score, driving_score, task, body, now_s, dt_s)
        is_asleep = self._eyes.is_asleep(seen, now_s)
        if is_asleep and score < params.warn_score:
            score = params.warn_score  # and falls from there: nobody is awake again after one second
        has_cue = (
            seen.is_closed is not None
            or (vehicle is not None and vehicle.steering_wheel_angle_rad is not None)
            or bool(inputs.lane and inputs.lane[0].edges)
        )
        cue_s = now_s if has_cue or not is_in_range else old.cue_s
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        is_blind = now_s - cue_s > params.no_cue_s
        missing = "vehicle_absent" if vehicle is None else "no_cue" if is_blind else ""
        held_s = now_s - old.entered_s + EPS_S
        view = make_view(
            missing,
            bool(missing) and (is_blind or now_s - vehicle_s > params.fault_after_s),
            is_in_range,
            key.switch.is_off,
            driven.normal is None and eyes_score is None,
            is_asleep,
            score >= params.warn_score,
            score >= params.inform_score,
            score < params.clear_score,
            key.is_acknowledged,
            held_s >= params.escalate_s,
            held_s >= params.urgent_max_s,
            now_s - old.warned_s >= params.repeat_s,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                state, entered_s = row.target, now_s
        is_new = state in WARNING and old.state not in WARNING
        warned_s = now_s if state in WARNING else old.warned_s
        code = old.code
        if is_new:
            code = MICROSLEEP_CODE if reason == "microsleep" else BREAK_CODE
            cause = f"{reason}: score {score:.1f}, {cause}" if cause else reason
        elif state in WARNING:
            cause = old.cause
            if is_asleep and code != MICROSLEEP_CODE:
                code, cause = MICROSLEEP_CODE, f"microsleep: score {score:.1f}, after {cause}"
        bell, alert = self._told(old.bell, state, code, cause, key.switch, now_s)
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            cue_s,
            is_in_range,
            watch,
            seen,
            driven,
            task,
            key,
            score,
            eyes_score,
            driving_score,
            cause,
            code,
            warned_s,
            bell,
            old.warnings + is_new,
            old.microsleeps + (is_asleep and not self._eyes.is_asleep(old.eyes, old.now_s)),
            old.driven_s + (dt_s if is_in_range else 0.0),
        )
        return make_outputs(alert=alert, status=self._status())

    def _key(self, old: Key, inputs: Inputs, body: BodyState | None, now_s: float) -> Key:
        """Master switch, door and button (1-3.1.1 to 1-3.1.3)."""
        is_on, off_s, was_open, switch = old.is_on, old.off_s, old.was_door_open, old.switch
        if body is not None:
            if body.is_driver_door_open:
                was_open = True
            if body.is_master_switch_on is not None and body.is_master_switch_on is not is_on:
                is_on = body.is_master_switch_on
                if not is_on:
                    off_s, was_open = now_s, body.is_driver_door_open is True
                else:
                    rule = self._params.restore
                    if (
                        rule.rule == "each_start"
                        or (rule.rule == "door" and was_open)
                        or (rule.rule == "pause" and now_s - off_s > rule.pause_s)
                    ):
                        switch = switch.started()
        is_acknowledged = False
        if inputs.driver and inputs.driver[0].pressed != switch.pressed:
            pressed = inputs.driver[0].pressed
            was_off, is_press = switch.is_off, DROWSINESS_BUTTON in pressed and DROWSINESS_BUTTON not in switch.pressed
            switch = switch.after(pressed, now_s, DROWSINESS_BUTTON)
            is_acknowledged = is_press and not was_off and not switch.is_off
        elif not old.is_acknowledged and switch is old.switch and is_on is old.is_on and was_open is old.was_door_open:
            return old
        return make_key(is_on, off_s, was_open, switch, is_acknowledged)

    def _scored(
        self,
        old: Memory,
        eyes_score: float | None,
        driving_score: float | None,
        task: Task,
        body: BodyState | None,
        now_s: float,
        dt_s: float,
    ) -> tuple[float, str]:
        """The score, and what makes it."""
        params = self._params
        if eyes_score is None and driving_score is None:
            raw, cause = ALERT_SCORE, ""
        elif driving_score is None:
            raw, cause = eyes_score or ALERT_SCORE, "by the eyes"
        elif eyes_score is None:
            raw, cause = driving_score, "by steering and lane"
        else:
            raw, cause = eyes_score, "by the eyes"
            both = 0.5 * (eyes_score + driving_score)
            if both > raw:
                raw, cause = both, "by eyes and driving"
            if driving_score - 1.0 > raw:
                raw, cause = driving_score - 1.0, "by steering and lane"
        more = added(task, body, params.prior, now_s)
        if more:
            raw = (
                min(raw + more, 9.0)
                if raw >= params.inform_score
                else max(raw, min(raw + more, params.inform_score - 0.1))
            )
        tau_s = params.rise_s if raw > old.score else params.fall_s
        return old.score + dt_s / (tau_s + dt_s) * (raw - old.score), cause

    @staticmethod
    def _is_steered(inputs: Inputs) -> bool:
        """Whether something else steers; one in shadow touches nothing."""
        for status in (*inputs.dcas, *inputs.centring, *inputs.elks):
            if status.stage is Stage.ON and status.state in STEERING:
                return True
        return False

    def _told(
        self, old: Ring, state: State, code: str, cause: str, switch: Switch, now_s: float
    ) -> tuple[Ring, Alert | None]:
        params = self._params
        if state in WARNING:
            is_urgent = state is State.URGENT or code == MICROSLEEP_CODE
            sounds = params.is_acoustic and not switch.is_muted
            call: Call | None = Call(
                code,
                cause,
                AlertLevel.CRITICAL if is_urgent else AlertLevel.WARNING,
                is_acoustic=sounds,
                is_haptic=params.is_haptic or (params.is_acoustic and not sounds),
            )
        elif state is State.TIRED:
            call = Call(TIRED_CODE, old.call.cause if old.call is not None and old.call.code == TIRED_CODE else cause)
            call = Call(call.code, call.cause, AlertLevel.INFO)
        elif old.call is None:
            return old, None
        else:
            call = None
        return ring(old, call, now_s, NAME, params.alert_period_s)

    def _status(self) -> Status:
        memory = self.state
        health = Health.OK
        if memory.state is State.FAULT:
            health = Health.FAULT
        elif memory.state is State.STANDBY:
            health = Health.DEGRADED
        kpis: tuple[float | None, ...] = ()
        if memory.state in ACTIVE:
            figures = self._driving.figures(memory.driving)
            has_lane = memory.driving.has_lane
            kpis = (
                memory.score,
                memory.eyes_score,
                memory.driving_score,
                self._eyes.perclos(memory.eyes),
                memory.eyes.blink_s if memory.eyes.blinks else None,
                None if figures is None else figures.corrections_ps * 60.0,
                None if figures is None else figures.reversals_ps * 60.0,
                None if figures is None else figures.entropy,
                figures.wander_m if figures is not None and has_lane else None,
                memory.driven_s,
                float(memory.warnings),
                float(memory.microsleeps),
            )
        return make_status(
            state=memory.state.value,
            is_active=memory.state in ACTIVE,
            health=health,
            reason=memory.reason,
            kpis=kpis,
        )


def build(context: BuildContext) -> Drowsiness:
    """The core for this market."""
    return Drowsiness(context.market.driver_monitoring)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Warns a driver whose steering, lane keeping and eyes tell of drowsiness (EU 2021/1341).",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.3),
        Input(name="gaze", signal=DriverState, max_age_s=0.3, many=True, source="driver_camera"),
        Input(name="lane", signal=EgoLane, max_age_s=0.3, many=True),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, many=True),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
        Input(name="dcas", signal=FunctionStatus, max_age_s=2.0, many=True, source="dcas"),
        Input(name="centring", signal=FunctionStatus, max_age_s=2.0, many=True, source="lane_centring"),
        Input(name="elks", signal=FunctionStatus, max_age_s=2.0, many=True, source="elks"),
    ),
    outputs=(Output(name="alert", signal=Alert, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.1,
    trigger="gaze",
    min_period_s=0.02,
    kpis=(
        "score",
        "eyes_score",
        "driving_score",
        "perclos",
        "blink_s",
        "corrections_per_min",
        "reversals_per_min",
        "steering_entropy",
        "lane_wander_m",
        "driven_s",
        "warnings",
        "microsleeps",
    ),
    alerts=(TIRED_CODE, BREAK_CODE, MICROSLEEP_CODE),
    build=build,
)
