"""Lane departure warning: UN R130 and the LDWS part of EU ELKS (2021/646)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.function import (
    EPS_S,
    BuildContext,
    FunctionSpec,
    Input,
    Output,
    Process,
    Status,
)
from adas_runtime.lane_keeping.line import Line, Measurement, follow, measure
from adas_runtime.lane_keeping.params import (
    LATEST_BEYOND_INNER_EDGE_M,
    LATEST_BEYOND_OUTER_EDGE_M,
    SWITCH_BUTTON,
    LaneDepartureParams,
)
from adas_runtime.lane_keeping.states import ACTIVE, TRANSITIONS, State, View
from adas_runtime.records import maker
from adas_runtime.signals import (
    Alert,
    AlertSide,
    DriverInput,
    Health,
    Indicator,
    LaneBoundary,
    LaneModel,
    LaneSide,
    VehicleState,
)
from adas_runtime.switch import FRESH, Switch
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "lane_departure"
LANES_MAX_AGE_S: Final = 0.2
TLC_HORIZON_S: Final = 10.0  # the figure `tlc_s` ends here; a car that does not approach the line shows this
REST_S: Final = 0.04  # between two steps while the car keeps well inside its lane; pictures come 20 times a second
HAZARD, INDICATOR, STEERING, BRAKING, KICK_DOWN = (
    "hazard",
    "indicator",
    "steering",
    "braking",
    "kick_down",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the warning reads; `None` is absent or too old."""

    lanes: LaneModel | None = None
    vehicle: VehicleState | None = None
    driver: DriverInput | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the warning says."""

    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Side:
    """What is kept of one side.

    Args:
        line: The line, `None` where none is followed.
        indicator_s, steering_s: When the driver last indicated, or steered, that way.
        departing_s: Since when a departure holds.
        is_spent: This departure was warned of; the tyre has to come back inside before the next warning.
    """

    line: Line | None = None
    indicator_s: float | None = None
    steering_s: float | None = None
    departing_s: float | None = None
    is_spent: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.STANDBY
    reason: str = "vehicle_absent"
    now_s: float | None = None
    entered_s: float = 0.0
    vehicle_s: float = 0.0
    lanes_s: float = 0.0
    lanes_stamp_s: float | None = None
    line_fault: str = "no_marking"
    is_fast: bool = False
    is_uncalibrated: bool = False
    hazard_s: float | None = None
    pedal_s: float | None = None
    pedal: str = ""
    left: Side = Side()
    right: Side = Side()
    buttons: Switch = FRESH
    alert_side: AlertSide = AlertSide.NONE
    alert_since_s: float = 0.0
    alert_sent_s: float = 0.0


make_side = maker(Side)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_status = maker(Status)
make_view = maker(View)


def _held(seen_s: float | None, now_s: float, hold_s: float) -> bool:
    return seen_s is not None and now_s - seen_s <= hold_s


class LaneDeparture:
    """Warns the driver of a lane departure that no action of the driver's announced; see `TRANSITIONS`.

    Two latest lines are kept apart: ELKS K10 counts 0.3 m from the inner edge of the marking (M1, N1), R130 6.5 counts
    0.3 m from its outside edge (M2, M3, N2, N3). The design warns much earlier, by distance or by time to the line,
    once an outward drift is confirmed; shortly before the latest line it warns without waiting for that.

    Absent inputs. No vehicle state, no lane model: no warning, a running one ends; standby, after a while a fault. No
    driver input: the stalks are unknown and nothing is suppressed by them (R130 5.2.1.2 permits suppression, it does
    not ask for it); the status says degraded. An uncalibrated camera: as the market says, accepted as degraded (a
    recording of an unknown car) or refused. Time running back starts everything afresh.

    The driver. Two presses of the switch put it off, one puts it on, and so does every start; the mute button takes the
    sound away and nothing else (GSR2 7(4)).
    """

    def __init__(self, params: LaneDepartureParams, vehicle: Vehicle) -> None:
        self.state = Memory()
        self._params = params
        self._active_from_mps = kmh_to_mps(params.active_from_kmh)
        self._active_until_mps = kmh_to_mps(params.active_until_kmh)
        self._wheelbase_m = vehicle.dimensions.wheelbase_m
        self._tyre_outer_width_m = vehicle.dimensions.tyre_outer_width_m
        self._counts_from_outer_edge = vehicle.category not in ("M1", "N1")
        self._uncalibrated_confidence = max(params.confidence_min, params.uncalibrated_confidence_min)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params = self._params
        old = self.state
        end: Alert | None = None
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                end = self._end(old, now_s, "time_ran_back")
                old = Memory(now_s=now_s, entered_s=now_s, vehicle_s=now_s, lanes_s=now_s)

        vehicle, lanes, driver = inputs.vehicle, inputs.lanes, inputs.driver
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None  # the border refuses this already; a speed that is no number is no vehicle state
        if lanes is not None and not math.isfinite(lanes.stamp_s):
            lanes = None
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        lanes_s = old.lanes_s if lanes is None else now_s
        is_fast = old.is_fast
        if vehicle is not None:
            is_fast = vehicle.speed_mps >= (self._active_until_mps if is_fast else self._active_from_mps)

        left, right = old.left, old.right
        left_line, right_line = left.line, right.line
        lanes_stamp_s, line_fault, is_uncalibrated = (
            old.lanes_stamp_s,
            old.line_fault,
            old.is_uncalibrated,
        )
        if lanes is not None and (lanes_stamp_s is None or lanes.stamp_s > lanes_stamp_s):
            lanes_stamp_s = lanes.stamp_s
            is_uncalibrated = not lanes.is_calibrated
            left_line, right_line, line_fault = self._look(lanes, left_line, right_line)

        indicator = None if driver is None else driver.indicator
        buttons = old.buttons
        if driver is not None and driver.pressed != buttons.pressed:
            buttons = buttons.after(driver.pressed, now_s, SWITCH_BUTTON)
        hazard_s = now_s if indicator is Indicator.HAZARD else old.hazard_s
        pedal_s, pedal = old.pedal_s, old.pedal
        steers_left = steers_right = False
        if vehicle is not None:
            steers_left, steers_right = self._steering(vehicle)
            action = self._pedal(vehicle)
            if action:
                pedal_s, pedal = now_s, action
        both = ""
        if _held(hazard_s, now_s, params.resume_after_indicator_s):
            both = HAZARD
        elif _held(pedal_s, now_s, params.resume_after_action_s):
            both = pedal

        left = self._side(
            left,
            left_line,
            now_s,
            indicator is Indicator.LEFT,
            steers_left,
            is_left=True,
        )
        right = self._side(
            right,
            right_line,
            now_s,
            indicator is Indicator.RIGHT,
            steers_right,
            is_left=False,
        )
        has_left = self._is_followed(left.line, now_s)
        has_right = self._is_followed(right.line, now_s)
        missing = "vehicle_absent" if vehicle is None else "lanes_absent" if lanes is None else ""
        held_s = now_s - old.entered_s + EPS_S
        view = make_view(
            missing=missing,
            is_failure=now_s - min(vehicle_s, lanes_s) > params.fault_after_s,
            is_off=buttons.is_off,
            is_fast=is_fast,
            line_fault="" if has_left or has_right else line_fault or "low_confidence",
            has_left=has_left,
            has_right=has_right,
            intent_left=both or self._intent(left, now_s),
            intent_right=both or self._intent(right, now_s),
            departs_left=self._departs(left, now_s),
            departs_right=self._departs(right, now_s),
            is_back_left=left.departing_s is None and self._is_inside(left.line, now_s),
            is_back_right=right.departing_s is None and self._is_inside(right.line, now_s),
            is_min_over=held_s >= params.warn_min_s,
            is_max_over=held_s >= params.warn_max_s,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                if reason == "warning_spent" and state is State.WARN_LEFT:
                    left = replace(left, is_spent=True)
                elif reason == "warning_spent":
                    right = replace(right, is_spent=True)
                state, entered_s = row.target, now_s

        side = AlertSide.NONE
        if state is State.WARN_LEFT:
            side = AlertSide.LEFT
        elif state is State.WARN_RIGHT:
            side = AlertSide.RIGHT
        if AlertSide.NONE is not old.alert_side is not side:
            side = AlertSide.NONE  # from one side to the other: the end of the one first, the other with the next step
        alert, since_s, sent_s = end, old.alert_since_s, old.alert_sent_s
        if side is AlertSide.NONE:
            alert = end or self._end(old, now_s, reason)
        elif side is not old.alert_side or now_s - sent_s >= params.alert_period_s - EPS_S:
            since_s = since_s if side is old.alert_side else now_s
            sent_s = now_s
            stamp_s = min(lanes.stamp_s, vehicle.stamp_s) if lanes is not None and vehicle is not None else now_s
            line = left.line if side is AlertSide.LEFT else right.line
            cause = self._cause(reason, line, now_s)
            alert = self._alert(side, stamp_s, since_s, cause, is_muted=buttons.is_muted)
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            vehicle_s,
            lanes_s,
            lanes_stamp_s,
            line_fault,
            is_fast,
            is_uncalibrated,
            hazard_s,
            pedal_s,
            pedal,
            left,
            right,
            buttons,
            side,
            since_s,
            sent_s,
        )
        calm = row is not None and row.target is not State.WARN_LEFT and row.target is not State.WARN_RIGHT
        rest_s = 0.0
        calm = calm and alert is None and side is AlertSide.NONE and self._is_calm(left, now_s, is_left=True)
        if calm and self._is_calm(right, now_s, is_left=False):
            rest_s = REST_S
        return make_outputs(alert=alert, status=self._status(now_s, driver is not None, rest_s))

    # --- lines --------------------------------------------------------------------------------------------------------

    def _look(self, lanes: LaneModel, left: Line | None, right: Line | None) -> tuple[Line | None, Line | None, str]:
        """Follow both lines through a new picture; the third value says why there is none, `""` when there is one."""
        params = self._params
        if not lanes.is_calibrated and not params.accept_uncalibrated:
            return None, None, "camera_not_calibrated"
        confidence_min = params.confidence_min if lanes.is_calibrated else self._uncalibrated_confidence
        seen_left, seen_right = lanes.side(LaneSide.LEFT), lanes.side(LaneSide.RIGHT)
        good_left = self._measure(seen_left, confidence_min)
        good_right = self._measure(seen_right, confidence_min)
        if good_left is not None and good_right is not None:
            width_m = good_left.distance_m + good_right.distance_m + self._tyre_outer_width_m
            if not params.lane_width_min_m <= width_m <= params.lane_width_max_m:
                return left, right, "lane_width"
        if good_left is not None:
            left = follow(left, good_left, lanes.stamp_s, params)
        if good_right is not None:
            right = follow(right, good_right, lanes.stamp_s, params)
        if good_left is not None or good_right is not None:
            return left, right, ""
        return (
            left,
            right,
            "no_marking" if seen_left is None and seen_right is None else "low_confidence",
        )

    def _measure(self, boundary: LaneBoundary | None, confidence_min: float) -> Measurement | None:
        params = self._params
        if (
            boundary is None
            or not boundary.confidence >= confidence_min
            or not boundary.offset_std_m <= params.offset_std_max_m
        ):
            return None
        return measure(boundary, self._wheelbase_m, self._tyre_outer_width_m, params)

    def _is_followed(self, line: Line | None, now_s: float) -> bool:
        return line is not None and now_s - line.stamp_s <= self._params.track_gap_s

    def _is_inside(self, line: Line | None, now_s: float) -> bool:
        return line is not None and line.distance_at(now_s) >= self._params.rearm_at_dtlm_m

    def latest_dtlm_m(self, line_width_m: float) -> float:
        """The law's latest DTLM for this vehicle's category [m]."""
        if self._counts_from_outer_edge:
            return -line_width_m - LATEST_BEYOND_OUTER_EDGE_M  # R130 6.5
        return -LATEST_BEYOND_INNER_EDGE_M  # ELKS K10

    # --- one side -----------------------------------------------------------------------------------------------------

    def _side(
        self,
        old: Side,
        line: Line | None,
        now_s: float,
        indicates: bool,
        steers: bool,
        *,
        is_left: bool,
    ) -> Side:
        departing_s = self._departing_s(old.departing_s, line, now_s, is_left)
        return make_side(
            line,
            now_s if indicates else old.indicator_s,
            now_s if steers else old.steering_s,
            departing_s,
            old.is_spent and self._is_followed(line, now_s) and not self._is_inside(line, now_s),
        )

    def _departing_s(self, since_s: float | None, line: Line | None, now_s: float, is_left: bool) -> float | None:
        """Since when the car departs over this line, `None` when it does not."""
        params = self._params
        if line is None or now_s - line.stamp_s > LANES_MAX_AGE_S or now_s - line.since_s + EPS_S < params.settle_s:
            return None
        distance_m = line.distance_at(now_s)
        outward_mps = -line.rate_mps
        at_once_m = self.latest_dtlm_m(line.width_m) + params.latest_margin_m
        # Whoever was inside and is out this far is warned, unless clearly on the way back: the law's line is near.
        if distance_m <= at_once_m and line.was_inside and outward_mps > -params.drift_rate_min_mps:
            return now_s - params.confirm_s if since_s is None else min(since_s, now_s - params.confirm_s)
        if outward_mps >= params.drift_rate_min_mps and distance_m <= self._reach_m(line, is_left):
            return now_s if since_s is None else since_s
        return None

    def _reach_m(self, line: Line, is_left: bool) -> float:
        """How near the line a car that drifts out is warned."""
        params = self._params
        warn_at_m = params.warn_at_dtlm_m
        # R130 5.2.1 ends at 250 m; in tighter curves drivers cut the inner line on purpose.
        cuts = line.curvature_1pm if is_left else -line.curvature_1pm
        if cuts * params.curve_cut_radius_m > 1.0:
            at_once_m = self.latest_dtlm_m(line.width_m) + params.latest_margin_m
            warn_at_m = max(warn_at_m - params.curve_cut_allowance_m, at_once_m)
        outward_mps = -line.rate_mps
        return warn_at_m + outward_mps * params.warn_at_tlc_s if outward_mps >= params.tlc_rate_min_mps else warn_at_m

    def _departs(self, side: Side, now_s: float) -> bool:
        return (
            side.departing_s is not None
            and not side.is_spent
            and now_s - side.departing_s + EPS_S >= self._params.confirm_s
        )

    # --- the driver's intent (R130 5.2.1.2, ELKS K14) ---

    def _is_calm(self, side: Side, now_s: float, *, is_left: bool) -> bool:
        """No step before the next picture can find a departure here: until then the car drifts on as it does."""
        line, params = side.line, self._params
        if side.departing_s is not None or side.is_spent or line is None:
            return line is None
        distance_m, outward_mps = line.distance_at(now_s + REST_S), -line.rate_mps
        if outward_mps >= params.drift_rate_min_mps:
            return distance_m > self._reach_m(line, is_left)
        return distance_m > self.latest_dtlm_m(line.width_m) + params.latest_margin_m

    def _intent(self, side: Side, now_s: float) -> str:
        if _held(side.indicator_s, now_s, self._params.resume_after_indicator_s):
            return INDICATOR
        if _held(side.steering_s, now_s, self._params.resume_after_action_s):
            return STEERING
        return ""

    def _steering(self, vehicle: VehicleState) -> tuple[bool, bool]:
        """Whether the driver steers to the left, and to the right."""
        torque_nm = 0.0 if vehicle.driver_torque_nm is None else vehicle.driver_torque_nm
        rate_rps = 0.0 if vehicle.steering_wheel_rate_rps is None else vehicle.steering_wheel_rate_rps
        torque_min_nm, rate_min_rps = (
            self._params.steer_torque_nm,
            self._params.steer_rate_rps,
        )
        return (
            torque_nm >= torque_min_nm or rate_rps >= rate_min_rps,
            torque_nm <= -torque_min_nm or rate_rps <= -rate_min_rps,
        )

    def _pedal(self, vehicle: VehicleState) -> str:
        accel_mps2, accelerator = vehicle.accel_mps2, vehicle.accelerator
        if accel_mps2 is not None and vehicle.is_braking is not False and accel_mps2 <= -self._params.brake_decel_mps2:
            return BRAKING
        if accelerator is not None and accelerator >= self._params.kick_down:
            return KICK_DOWN
        return ""

    # --- what it says -------------------------------------------------------------------------------------------------

    def _alert(
        self,
        side: AlertSide,
        stamp_s: float,
        since_s: float,
        cause: str,
        *,
        is_active: bool = True,
        is_muted: bool = False,
    ) -> Alert:
        params = self._params
        return Alert(
            stamp_s=stamp_s,
            author=NAME,
            code="lane_departure_left" if side is AlertSide.LEFT else "lane_departure_right",
            is_active=is_active,
            side=side,
            is_optical=params.is_optical,
            is_acoustic=params.is_acoustic and not is_muted,
            is_haptic=params.is_haptic,
            since_s=since_s,
            cause=cause,
        )

    def _cause(self, reason: str, line: Line | None, now_s: float) -> str:
        if line is None:
            return reason
        return f"{reason}: {line.distance_at(now_s):.2f} m to the line, drifting {-line.rate_mps:.2f} m/s towards it"

    def _end(self, old: Memory, now_s: float, cause: str) -> Alert | None:
        """The last message of a warning that ran, `None` when none did."""
        if old.alert_side is AlertSide.NONE:
            return None
        muted = old.buttons.is_muted
        return self._alert(old.alert_side, now_s, old.alert_since_s, cause, is_active=False, is_muted=muted)

    def _status(self, now_s: float, has_driver: bool, rest_s: float) -> Status:
        memory = self.state
        state, reason, health = memory.state, memory.reason, Health.OK
        if state is State.FAULT:
            health = Health.FAULT
        elif state is State.STANDBY:
            health = Health.DEGRADED
        elif state not in (State.OFF_SPEED, State.OFF_DRIVER) and (memory.is_uncalibrated or not has_driver):
            health = Health.DEGRADED
            if state is State.ARMED:
                reason = "camera_not_calibrated" if memory.is_uncalibrated else "driver_input_absent"
        is_active = state in ACTIVE
        return make_status(
            state=state._value_,
            is_active=is_active,
            health=health,
            reason=reason,
            kpis=self._figures(now_s) if is_active else (),
            rest_s=rest_s,
        )

    def _figures(self, now_s: float) -> tuple[float, ...]:
        """Figures of the nearer line; none when no line is followed."""
        near: tuple[float, float, float] | None = None
        for line, sign in ((self.state.left.line, 1.0), (self.state.right.line, -1.0)):
            if line is not None and self._is_followed(line, now_s):
                distance_m = line.distance_at(now_s)
                if near is None or distance_m < near[0]:
                    near = (distance_m, -line.rate_mps, sign)
        if near is None:
            return ()
        distance_m, outward_mps, sign = near
        tlc_s = TLC_HORIZON_S
        if distance_m < TLC_HORIZON_S * outward_mps:
            tlc_s = max(distance_m / outward_mps, 0.0) if outward_mps > 0.0 else 0.0
        return (distance_m, outward_mps, tlc_s, sign)


def build(context: BuildContext) -> LaneDeparture:
    """The core for this market and vehicle."""
    return LaneDeparture(context.market.lane_departure, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Warns when the car leaves its lane without the driver's doing.",
    process=Process.DECISION,
    inputs=(
        Input(name="lanes", signal=LaneModel, max_age_s=LANES_MAX_AGE_S),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="driver", signal=DriverInput, max_age_s=1.0),
    ),
    outputs=(Output(name="alert", signal=Alert, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    alerts=("lane_departure_left", "lane_departure_right"),
    period_s=0.05,
    trigger="vehicle",
    min_period_s=0.02,  # distances are those of the step's time, so this costs 1 cm of warning at 1 m/s of drift
    kpis=("dtlm_m", "drift_rate_mps", "tlc_s", "side"),
    build=build,
)
