"""Distraction warning: the driver looks down for too long (EU 2023/2590)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.driver_monitoring import camera
from adas_runtime.driver_monitoring.areas import Area, AreaReader
from adas_runtime.driver_monitoring.camera import Watch, is_lost, watched
from adas_runtime.driver_monitoring.distraction_states import ACTIVE, TRANSITIONS, WARNING, State, View
from adas_runtime.driver_monitoring.params import DISTRACTION_BUTTON, FAST_FROM_KMH, DriverMonitoringParams
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.records import maker
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    DriverState,
    FunctionStatus,
    Health,
    Stage,
    VehicleState,
)
from adas_runtime.switch import FRESH, Switch
from adas_runtime.units import deg_to_rad, kmh_to_mps

NAME: Final = "distraction"
CODE: Final = "distraction_eyes_down"
ASSISTING: Final = ("active", "exiting")  # states of driver control assistance that watch the driver
NO_DANGER: Final = ("health", NAME, "drowsiness")  # whose critical alerts are no danger of the traffic
EPS_MPS: Final = 1e-3  # one speed from km/h and m/s: rounding, no tolerance of the law
STEP_MAX_S: Final = 0.5  # a longer gap teaches nothing
LEARN_STEP_RAD: Final = deg_to_rad(0.1)  # of the running median: 60 s at 20 Hz move it by all of its bound


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads."""

    vehicle: VehicleState | None = None
    gaze: DriverState | None = None
    driver: tuple[DriverInput, ...] = ()
    body: tuple[BodyState, ...] = ()
    dcas: tuple[FunctionStatus, ...] = ()
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says."""

    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Look:
    """Where the driver looks, over time.

    Args:
        area: Area of the last look.
        by: What it was told by.
        down_s: Since when the gaze is in area 3, what is tolerated included; `None`: it is not.
        out_s: Since when it is outside.
        unknown_s: Since when nobody can tell.
        yaw_rad, pitch_rad: What the camera calls straight ahead.
        learned_s: Time that it was learned for.
    """

    area: Area = Area.UNKNOWN
    by: str = ""
    down_s: float | None = None
    out_s: float | None = None
    unknown_s: float | None = None
    yaw_rad: float = 0.0
    pitch_rad: float = 0.0
    learned_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.STANDBY
    reason: str = "vehicle_absent"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    watch: Watch = camera.FRESH
    look: Look = Look()
    is_started: bool = False
    is_key_on: bool = True
    switch: Switch = FRESH
    bell: Ring = SILENT
    warnings: int = 0
    by_head: int = 0
    driven_s: float = 0.0
    down_total_s: float = 0.0
    unknown_total_s: float = 0.0


make_look = maker(Look)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_status = maker(Status)
make_view = maker(View)


class Distraction:
    """Warns a driver who looks down for too long; see `TRANSITIONS` and `AreaReader`.

    One timer runs while the gaze is in area 3, at any speed; what is due at a speed is judged against it. It is not
    reset by a look out and back that is shorter than `tolerance_s`, nor by a moment that nobody can judge; a face that
    vanishes from area 3 has gone farther down and counts on. It also runs on while driver control assistance watches
    the driver, so that its end leaves no gap.

    Absent inputs. No vehicle state, no camera, a covered or frozen one: standby, after a while a fault, which the
    health monitor tells for as long as it lasts. The same where the camera sees no eyes for long. No stalks: it cannot
    be switched off. No body: no new start is seen. Time running back starts everything afresh.
    """

    def __init__(self, params: DriverMonitoringParams) -> None:
        self.state = Memory()
        self._camera = params.camera
        self._params = own = params.distraction
        self._reader = AreaReader(params.camera, own)
        self._from_mps = kmh_to_mps(own.from_kmh) - EPS_MPS
        self._until_mps = kmh_to_mps(own.until_kmh) - EPS_MPS
        self._fast_mps = kmh_to_mps(FAST_FROM_KMH) - EPS_MPS
        self._learn_rad = deg_to_rad(own.calibration_max_deg)
        self._road_rad = deg_to_rad(own.road_down_deg)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = Memory(now_s=now_s, entered_s=now_s, vehicle_s=now_s, bell=old.bell)
        assert old.now_s is not None
        dt_s = min(now_s - old.now_s, STEP_MAX_S)
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        speed_mps = 0.0 if vehicle is None else vehicle.speed_mps
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        is_fast = vehicle is not None and speed_mps >= self._from_mps
        is_started, is_key_on, switch, look = old.is_started, old.is_key_on, old.switch, old.look
        if inputs.body and inputs.body[0].is_master_switch_on is not None:
            is_on = inputs.body[0].is_master_switch_on
            if is_on and not is_key_on:  # 1-3.1.6: each start puts it on; who sits there now is not known
                is_started, switch, look = False, switch.started(), Look()
            is_key_on = is_on
        if inputs.driver and inputs.driver[0].pressed != switch.pressed:
            switch = switch.after(inputs.driver[0].pressed, now_s, DISTRACTION_BUTTON)
        is_started = is_started or is_fast
        watch = watched(old.watch, inputs.gaze, self._camera, now_s)
        gaze = None if watch.reason else inputs.gaze
        look = self._looked(look, gaze, now_s, dt_s, is_fast=is_fast, is_started=is_started)

        missing = "vehicle_absent" if vehicle is None else watch.reason
        is_failure = now_s - vehicle_s > self._camera.fault_after_s or is_lost(watch, self._camera, now_s)
        if not missing and look.unknown_s is not None and now_s - look.unknown_s >= self._camera.blind_s:
            missing, is_failure = "driver_not_seen", True
        down_for_s = 0.0 if look.down_s is None else now_s - look.down_s + EPS_S
        limit_s = params.warn_fast_s if speed_mps >= self._fast_mps else params.warn_slow_s
        if gaze is not None and gaze.is_hard_to_see:
            limit_s += params.non_nominal_s
        held_s = now_s - old.entered_s + EPS_S
        is_warning = old.state in WARNING
        view = make_view(
            missing,
            bool(missing) and is_failure,
            is_started,
            self._is_assisted(inputs.dcas),
            look.learned_s < params.calibration_s - EPS_S and gaze is not None and gaze.gaze_pitch_rad is not None,
            switch.is_off,
            self._is_danger(inputs.alerts),
            is_fast or (is_warning and vehicle is not None and speed_mps >= self._until_mps),
            look.down_s is not None,
            look.down_s is not None and down_for_s >= limit_s,
            held_s >= params.warn_min_s,
            held_s >= params.escalate_s,
            look.area is Area.UNKNOWN or look.area is Area.NO_FACE,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                state, entered_s = row.target, now_s

        bell, alert = old.bell, None
        is_warning = state in WARNING
        if is_warning or bell.call is not None:
            call = None
            if is_warning:
                is_urgent = state is State.ESCALATED
                sounds = params.is_acoustic and not switch.is_muted
                cause = bell.call.cause if bell.call is not None else f"{reason}: {down_for_s:.1f} s, by {look.by}"
                call = Call(
                    CODE,
                    cause,
                    AlertLevel.CRITICAL if is_urgent else AlertLevel.WARNING,
                    is_acoustic=sounds,
                    is_haptic=params.is_haptic or (params.is_acoustic and not sounds),
                )
            bell, alert = ring(bell, call, now_s, NAME, params.alert_period_s)
        is_new = is_warning and old.state not in WARNING
        drives_s = dt_s if is_fast else 0.0
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            watch,
            look,
            is_started,
            is_key_on,
            switch,
            bell,
            old.warnings + is_new,
            old.by_head + (is_new and look.by != "gaze"),
            old.driven_s + drives_s,
            old.down_total_s + (drives_s if look.down_s is not None else 0.0),
            old.unknown_total_s + (drives_s if view.is_unknown or missing else 0.0),
        )
        return make_outputs(alert=alert, status=self._status(down_for_s))

    def _looked(
        self, old: Look, gaze: DriverState | None, now_s: float, dt_s: float, *, is_fast: bool, is_started: bool
    ) -> Look:
        """Where the driver looks now, and the timer."""
        params = self._params
        yaw_rad, pitch_rad, learned_s = old.yaw_rad, old.pitch_rad, old.learned_s
        if gaze is None:
            area, by = Area.UNKNOWN, ""
        else:
            if is_fast and learned_s < params.calibration_s:
                yaw_rad, pitch_rad = self._learned(old, gaze)
                learned_s += dt_s
            area, by = self._reader.read(gaze, yaw_rad, pitch_rad)
        down_s, out_s, unknown_s = old.down_s, old.out_s, old.unknown_s
        if area is Area.UNKNOWN or area is Area.NO_FACE:
            unknown_s = now_s if unknown_s is None else unknown_s
            sank = area is Area.NO_FACE and out_s is None  # gone from area 3: farther down
            if not sank and now_s - unknown_s > params.unknown_hold_s:
                down_s = None
        else:
            unknown_s = None
            seen_s = now_s if gaze is None else min(gaze.stamp_s, now_s)
            if area is Area.AREA_3:
                out_s = None
                if down_s is None and is_started:
                    down_s = seen_s
            else:
                out_s = seen_s if out_s is None else out_s
                if now_s - out_s > params.tolerance_s:
                    down_s = None
        return make_look(area, by, down_s, out_s, unknown_s, yaw_rad, pitch_rad, learned_s)

    def _learned(self, old: Look, gaze: DriverState) -> tuple[float, float]:
        """What the camera calls straight ahead: the running median of gazes near to it."""
        yaw_rad, pitch_rad, most = gaze.gaze_yaw_rad, gaze.gaze_pitch_rad, self._learn_rad
        if yaw_rad is None or pitch_rad is None:
            return old.yaw_rad, old.pitch_rad
        pitch_rad -= self._road_rad
        if not (abs(yaw_rad) <= most and abs(pitch_rad) <= most):
            return old.yaw_rad, old.pitch_rad
        return (
            old.yaw_rad + min(max(yaw_rad - old.yaw_rad, -LEARN_STEP_RAD), LEARN_STEP_RAD),
            old.pitch_rad + min(max(pitch_rad - old.pitch_rad, -LEARN_STEP_RAD), LEARN_STEP_RAD),
        )

    @staticmethod
    def _is_assisted(statuses: tuple[FunctionStatus, ...]) -> bool:
        # one in shadow warns nobody
        return any(status.stage is Stage.ON and status.state in ASSISTING for status in statuses)

    @staticmethod
    def _is_danger(alerts: tuple[Alert, ...]) -> bool:
        for alert in alerts:
            if alert.is_active and alert.level is AlertLevel.CRITICAL and alert.author not in NO_DANGER:
                return True
        return False

    def _status(self, down_for_s: float) -> Status:
        memory = self.state
        health = Health.OK
        if memory.state is State.FAULT:
            health = Health.FAULT
        elif memory.state is State.STANDBY:
            health = Health.DEGRADED
        return make_status(
            state=memory.state.value,
            is_active=memory.state in ACTIVE,
            health=health,
            reason=memory.reason,
            kpis=(
                down_for_s,
                memory.down_total_s,
                memory.unknown_total_s,
                memory.driven_s,
                float(memory.warnings),
                float(memory.by_head),
            ),
        )


def build(context: BuildContext) -> Distraction:
    """The core for this market."""
    return Distraction(context.market.driver_monitoring)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Warns a driver who looks down for too long (EU 2023/2590).",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.3),
        Input(name="gaze", signal=DriverState, max_age_s=0.3, source="driver_camera"),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, many=True),
        Input(name="body", signal=BodyState, max_age_s=1.0, many=True),
        Input(name="dcas", signal=FunctionStatus, max_age_s=2.0, many=True, source="dcas"),
        Input(name="alerts", signal=Alert, max_age_s=0.5, many=True, is_former=True),
    ),
    outputs=(Output(name="alert", signal=Alert, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.1,
    trigger="gaze",
    min_period_s=0.02,
    kpis=("eyes_down_s", "eyes_down_total_s", "not_judged_s", "driven_s", "warnings", "warnings_without_gaze"),
    alerts=(CODE,),
    build=build,
)
