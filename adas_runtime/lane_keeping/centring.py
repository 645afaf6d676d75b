"""Lane centring: UN R79 ACSF category B1, hands on the wheel."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, oldest_input
from adas_runtime.lane_keeping.centring_params import BUTTON, HANDS_FROM_KMH, LaneCentringParams
from adas_runtime.lane_keeping.centring_states import RUNNING, STEERING, TRANSITIONS, State, View
from adas_runtime.lane_keeping.hands import hands_seen, torque_nm
from adas_runtime.lateral.control import IDLE, LANE_CENTRING_RANK, Control, PathControl, Pose, Target, turning_rps
from adas_runtime.lateral.params import LateralControlParams
from adas_runtime.records import maker
from adas_runtime.ringing import SILENT, Call, Ring, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    AlertSide,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Health,
    Indicator,
    LateralRequest,
    Stage,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps, mps_to_kmh
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "lane_centring"
LANE_MAX_AGE_S: Final = 0.3
FOREVER_S: Final = -math.inf
TOLD_MIN_S: Final = 1.0  # a warning at the line lasts at least this long [D]
CROSSING_HYSTERESIS_M: Final = 0.1
STEP_MAX_S: Final = 0.2  # a pause is no time in which hands were watched
HANDS_FROM_MPS: Final = kmh_to_mps(HANDS_FROM_KMH)
CORRECTING: Final = ("correct_left", "correct_right")  # states of elks
UNARMED: Final = (
    "off",
    "fault",
    "waiting",
)  # states of the automatic lane change in which the indicator is not its own


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; `None` is absent or too old."""

    lane: EgoLane | None = None
    vehicle: VehicleState | None = None
    driver: DriverInput | None = None
    dcas: tuple[FunctionStatus, ...] = ()
    alks: tuple[FunctionStatus, ...] = ()
    lane_change: tuple[FunctionStatus, ...] = ()
    elks: tuple[FunctionStatus, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it asks for, and what it tells the driver: of the hands, and of the lane."""

    request: LateralRequest | None
    hands: Alert | None
    boundary: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.OFF
    reason: str = "switched_off"
    now_s: float | None = None
    entered_s: float = 0.0
    is_on: bool = False
    pressed: tuple[str, ...] = ()
    control: Control = IDLE
    is_in_range: bool = False
    is_crossing: bool = False
    side: AlertSide = AlertSide.NONE
    hands_s: float = FOREVER_S
    hands_off_s: float = 0.0
    intent_s: float = FOREVER_S
    intent: str = ""
    override_s: float = FOREVER_S
    ready_s: float | None = None
    vehicle_s: float = 0.0
    driver_s: float = 0.0
    lane_s: float = 0.0
    fit_s: float = FOREVER_S
    boundary_s: float = FOREVER_S
    ended_s: float = FOREVER_S
    ended: str = ""
    is_handing: bool = False
    was_asking: bool = False
    hands_ring: Ring = SILENT
    boundary_ring: Ring = SILENT


REST_S: Final = 0.04  # off: a press of the button is held longer

make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LateralRequest)
make_status = maker(Status)
make_view = maker(View)
START: Final = Memory()
RAN_BACK: Final = "time_ran_back"
OFF_STATUS: Final = Status(state=State.OFF.value, reason="switched_off", rest_s=REST_S)
QUIET_OUTPUTS: Final = Outputs(request=None, hands=None, boundary=None, status=OFF_STATUS)


class LaneCentring:
    """Leads the car along the middle of its lane; see `TRANSITIONS`.

    It is off at every start. The button puts it on (then it stands by until all it needs is there, with hands on the
    wheel) and off, each by one press (R79 5.6.2.1.2). The driver's torque takes the steering over at any time, and the
    indicator makes it stand by.

    Another function that steers (driver control assistance, an automatic lane change) makes it stand by, and once that
    has ended it goes on at once. Where automatic lane change is armed, the indicator is that function's to answer.

    Absent inputs. No vehicle state or no driver input: it hands back at once. No lane, or one that cannot be steered
    by: it steers on by its last curvature for `coast_s` with a warning, then it hands back and says so. The car does
    not tell of hands: it never steers. Time running back starts everything afresh, off.
    """

    def __init__(self, params: LaneCentringParams, control: LateralControlParams, vehicle: Vehicle) -> None:
        self.state = START
        self._params = params
        self._control = PathControl(control, vehicle)
        self._from_mps = kmh_to_mps(params.from_kmh)
        self._until_mps = kmh_to_mps(params.until_kmh)
        self._to_mps = kmh_to_mps(params.to_kmh)
        self._table = params.table(vehicle.category)
        self._table_max_mps2 = 3.0 if vehicle.category in ("M1", "N1") else 2.5

    def aysmax_mps2(self, speed_mps: float) -> float:
        """Declared lateral acceleration at a speed [m/s^2]."""
        speed_kmh = mps_to_kmh(speed_mps)
        return next((value for end_kmh, value in self._table if speed_kmh <= end_kmh), self._table[-1][1])

    def accel_max_mps2(self, speed_mps: float) -> float:
        """Most that it asks for: aysmax and the excess that R79 5.6.2.1.1 leaves, table 1 at most [m/s^2]."""
        return min(self.aysmax_mps2(speed_mps) + self._params.excess_mps2, self._table_max_mps2)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        driver = inputs.driver
        if not old.is_on and old.state is State.OFF and not old.was_asking:
            # most drives: switched off, with nothing left to say
            pressed = old.pressed if driver is None else driver.pressed
            if (
                BUTTON not in pressed
                and old.hands_ring.call is None
                and old.boundary_ring.call is None
                and (old.ended != RAN_BACK or now_s - old.ended_s >= self._params.told_s)
                and old.now_s is not None
                and now_s >= old.now_s
            ):
                self.state = make_memory(now_s=now_s, pressed=pressed, vehicle_s=now_s, driver_s=now_s, lane_s=now_s)
                return QUIET_OUTPUTS
        is_back = old.now_s is None or not now_s >= old.now_s
        if is_back:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s
            else:
                old = replace(
                    START,
                    reason="time_ran_back" if old.now_s is not None else START.reason,
                    pressed=() if driver is None else driver.pressed,  # what is held down already is no press
                    was_asking=old.was_asking,
                    hands_ring=old.hands_ring,
                    boundary_ring=old.boundary_ring,
                    vehicle_s=now_s,
                    driver_s=now_s,
                    lane_s=now_s,
                    entered_s=now_s,
                    ended_s=now_s if old.was_asking else START.ended_s,  # who steered says that it does not any more
                    ended=RAN_BACK if old.was_asking else "",
                )
        former_s = now_s if old.now_s is None else old.now_s
        return self._step(old, inputs, now_s, now_s - former_s)

    def _step(self, old: Memory, inputs: Inputs, now_s: float, dt_s: float) -> Outputs:
        params = self._params
        vehicle, lane, driver = inputs.vehicle, inputs.lane, inputs.driver
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        is_on, pressed = old.is_on, old.pressed
        if driver is not None:
            if BUTTON in driver.pressed and BUTTON not in pressed:
                is_on = not is_on
            pressed = driver.pressed
        # what the driver does
        intent_s, intent = old.intent_s, old.intent
        is_lane_change = any(status.stage is Stage.ON and status.state not in UNARMED for status in inputs.lane_change)
        if driver is not None and driver.indicator is not Indicator.OFF and not is_lane_change:
            intent_s, intent = now_s, "hazard" if driver.indicator is Indicator.HAZARD else "indicator"
        hands_s, override_s, hands = old.hands_s, old.override_s, None
        if vehicle is not None:
            hands = hands_seen(vehicle, params.hands_torque_nm)
            if hands:
                hands_s = now_s
            torque = torque_nm(vehicle)
            if torque is not None and torque > params.override_torque_nm:
                override_s = now_s
        hold_s = params.hands_hold_s if vehicle is not None and vehicle.is_hands_on is None else 0.0
        is_hands_on = now_s - hands_s <= hold_s + EPS_S
        speed_mps = 0.0 if vehicle is None else vehicle.speed_mps
        hands_off_s = old.hands_off_s
        if is_hands_on:
            hands_off_s = 0.0
        elif (old.state in STEERING or old.is_handing) and speed_mps >= HANDS_FROM_MPS:
            # an automatic lane change carries the chain of the hands on: it is watched through it (R79 5.6.2.2.5)
            hands_off_s += min(dt_s, STEP_MAX_S)
        # where the car is
        is_in_range = old.is_in_range
        if vehicle is not None:
            low_mps = self._until_mps if is_in_range else self._from_mps
            is_in_range = low_mps <= speed_mps <= self._to_mps + (1.0 if is_in_range else 0.0)
        is_fit = lane is not None and lane.is_fit_to_steer and math.isfinite(lane.offset_m + lane.heading_rad)
        fit_s = now_s if is_fit else old.fit_s
        vehicle_s = old.vehicle_s if vehicle is None else now_s
        driver_s = old.driver_s if driver is None else now_s
        lane_s = old.lane_s if lane is None else now_s
        is_override = now_s - override_s <= params.resume_s
        is_crossing, side = False, AlertSide.NONE
        if lane is not None and not is_override:
            is_crossing, side = self._crossing(old, lane, now_s)
        yaw_rate_rps = 0.0
        if vehicle is not None:
            yaw_rate_rps = turning_rps(vehicle, old.control.curvature_1pm)
        pose = None
        if is_fit and vehicle is not None:
            assert lane is not None
            pose = self._control.pose(old.control, lane, now_s, speed_mps, yaw_rate_rps)
        shift_m = lane.shift_m if lane is not None and math.isfinite(lane.shift_m) else 0.0
        is_near = pose is not None and abs(pose.offset_m + shift_m) <= params.start_offset_max_m
        other = ""
        for status in (*inputs.dcas, *inputs.alks, *inputs.lane_change):
            if status.is_at_work:
                other = status.author
                # R171 5.5.2.2, 5.5.3.3.2: no fallback by itself when assistance ends; the driver switches it on again
                is_on = is_on and other not in ("dcas", "alks")
        is_intent = now_s - intent_s <= params.resume_s
        has_all = vehicle is not None and driver is not None and is_fit
        can_steer = has_all and is_near and is_on and not other and is_in_range and not is_intent and not is_override
        is_held = is_hands_on or old.is_handing  # after a lane change it goes on at once, as does its chain
        ready_s = (old.ready_s if old.ready_s is not None else now_s) if can_steer and is_held else None
        missing = (
            "vehicle_absent"
            if vehicle is None
            else "driver_input_absent"
            if driver is None
            else "lane_absent"
            if lane is None
            else ""
        )
        view = make_view(
            is_on=is_on,
            is_emergency_over=is_hands_on or now_s - old.entered_s >= params.emergency_s - EPS_S,
            missing=missing,
            is_failure=now_s - min(vehicle_s, driver_s, lane_s) > params.fault_after_s,
            other=other,
            is_in_range=is_in_range,
            is_hands_known=hands is not None,
            intent=intent if is_intent else "",
            lane_fault="" if is_fit else "lane_absent" if lane is None else "lane_unfit",
            is_coasting=not is_fit and now_s - fit_s <= params.coast_s,
            is_override=is_override,
            is_ready=ready_s is not None and (old.is_handing or now_s - ready_s >= params.settle_s - EPS_S),
            is_hands_late=hands_off_s >= params.hands_picture_s - EPS_S,
            is_hands_red=hands_off_s >= params.hands_red_s - EPS_S,
            is_hands_over=hands_off_s >= params.hands_red_s + params.hands_off_s - EPS_S,
            is_crossing=is_crossing,
        )
        state, reason, entered_s = old.state, old.reason, old.entered_s
        ended_s, ended = old.ended_s, old.ended
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state:
                if state in STEERING and row.target in (State.STANDBY, State.FAULT) and not is_intent and not other:
                    ended_s, ended = now_s, reason
                state, entered_s = row.target, now_s
        if state is State.EMERGENCY:
            is_on = old.is_on and is_on and old.state is State.EMERGENCY  # it ends here; only a new press puts it on
            hands_off_s = 0.0
        # steering
        control, request = old.control, None
        if state in STEERING and vehicle is not None:
            if pose is not None and self._is_outranked(inputs.elks):
                control = self._watch(control, pose, vehicle, yaw_rate_rps, dt_s, shift_m)
            elif pose is not None:
                control = self._control.steer(
                    control,
                    pose,
                    speed_mps=speed_mps,
                    yaw_rate_rps=yaw_rate_rps,
                    dt_s=dt_s,
                    accel_max_mps2=self.accel_max_mps2(speed_mps),
                    target=Target(shift_m),
                )
            else:  # what was asked for last goes on, within what this speed lets: a car gets faster meanwhile
                bound_1pm = self.accel_max_mps2(speed_mps) / max(speed_mps * speed_mps, 1.0)
                held_1pm = min(max(control.curvature_1pm, -bound_1pm), bound_1pm)
                if held_1pm != control.curvature_1pm:
                    control = replace(control, curvature_1pm=held_1pm)
            oldest, stamp_s = oldest_input(vehicle=vehicle.stamp_s, lane=None if lane is None else lane.stamp_s)
            request = make_request(
                stamp_s=stamp_s,
                oldest_input=oldest,
                author=NAME,
                cause=reason,
                is_active=True,
                curvature_1pm=control.curvature_1pm,
                priority=LANE_CENTRING_RANK,
            )
        else:
            if vehicle is not None:
                control = self._watch(control, pose, vehicle, yaw_rate_rps, dt_s, shift_m)
            if old.was_asking:
                request = make_request(stamp_s=now_s, author=NAME, cause=reason, priority=LANE_CENTRING_RANK)
        is_asking = request is not None and request.is_active
        # what the driver is told
        boundary_s = now_s if is_asking and (is_crossing or view.is_coasting) else old.boundary_s
        side = side if is_crossing else old.side if now_s - boundary_s < TOLD_MIN_S else AlertSide.NONE
        hands_ring, hands_alert = ring(
            old.hands_ring,
            self._hands_call(state, hands_off_s, now_s - ended_s, ended),
            now_s,
            NAME,
            params.alert_period_s,
        )
        boundary_call = None
        if now_s - boundary_s < TOLD_MIN_S - EPS_S and state is not State.OFF:
            cause = "lane_lost" if side is AlertSide.NONE else f"crossing_line: front tyre at the line, {reason}"
            boundary_call = Call("lane_centring_boundary", cause, side=side, is_acoustic=True)
        boundary_ring, boundary_alert = ring(old.boundary_ring, boundary_call, now_s, NAME, params.alert_period_s)
        self.state = make_memory(
            state,
            reason,
            now_s,
            entered_s,
            is_on,
            pressed,
            control,
            is_in_range,
            is_crossing,
            side,
            hands_s,
            hands_off_s,
            intent_s,
            intent,
            override_s,
            ready_s,
            vehicle_s,
            driver_s,
            lane_s,
            fit_s,
            boundary_s,
            ended_s,
            ended,
            bool(other),
            is_asking,
            hands_ring,
            boundary_ring,
        )
        is_running = state in RUNNING
        return make_outputs(
            request=request,
            hands=hands_alert,
            boundary=boundary_alert,
            status=make_status(
                state=state.value,
                is_active=is_running,
                health=Health.FAULT if state is State.FAULT else Health.OK,
                reason=reason,
                kpis=(
                    control.offset_m,
                    control.curvature_1pm,
                    control.curvature_1pm * speed_mps * speed_mps,
                    hands_off_s,
                )
                if is_running
                else (),
            ),
        )

    def _watch(
        self,
        control: Control,
        pose: Pose | None,
        vehicle: VehicleState,
        yaw_rate_rps: float,
        dt_s: float,
        shift_m: float,
    ) -> Control:
        """Somebody else's request steers: go on from where the wheels stand."""
        return self._control.watch(
            control,
            pose,
            speed_mps=vehicle.speed_mps,
            yaw_rate_rps=yaw_rate_rps,
            dt_s=dt_s,
            target=Target(shift_m),
            steered_1pm=self._control.steered_1pm(vehicle),
        )

    @staticmethod
    def _is_outranked(elks: tuple[FunctionStatus, ...]) -> bool:
        """Whether the correction steers now: its rank is higher, and what is asked for here goes nowhere."""
        return any(status.state in CORRECTING and status.stage is Stage.ON for status in elks)

    def _crossing(self, old: Memory, lane: EgoLane, now_s: float) -> tuple[bool, AlertSide]:
        """Whether a front tyre starts to cross a line, and on which side; the picture's age costs no warning time."""
        age_s = min(max(now_s - lane.stamp_s, 0.0), LANE_MAX_AGE_S)
        limit_m = self._params.crossing_dtlm_m + (CROSSING_HYSTERESIS_M if old.is_crossing else 0.0)
        for edge in lane.edges:
            if edge.is_seen and edge.distance_m + min(edge.rate_mps, 0.0) * age_s <= limit_m:
                return True, AlertSide.LEFT if edge.side.value == 0 else AlertSide.RIGHT
        return False, AlertSide.NONE

    def _hands_call(self, state: State, hands_off_s: float, since_end_s: float, ended: str) -> Call | None:
        if state is State.HANDS1:  # R79 5.6.2.2.5: hands and wheel as a picture
            return Call("lane_centring_hands", f"hands_off: {hands_off_s:.0f} s")
        if state is State.HANDS2:  # the same in red, with a sound
            return Call(
                "lane_centring_hands_now", f"hands_off: {hands_off_s:.0f} s", AlertLevel.CRITICAL, is_acoustic=True
            )
        if state is State.EMERGENCY:  # another sound than before
            return Call(
                "lane_centring_emergency",
                "hands_off_for_too_long",
                AlertLevel.CRITICAL,
                is_acoustic=True,
                is_haptic=True,
            )
        is_over = state in (State.STANDBY, State.FAULT) or (state is State.OFF and ended == RAN_BACK)
        if is_over and since_end_s < self._params.told_s - EPS_S:
            # in front of a traffic light no sound is due to a driver who holds the wheel
            return Call("lane_centring_ended", ended, is_acoustic=ended != "speed_outside_range" or hands_off_s > 0.0)
        return None


def build(context: BuildContext) -> LaneCentring:
    """The core for this market and vehicle."""
    market = context.market
    return LaneCentring(market.lane_centring, market.lateral_control, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Keeps the car in the middle of its lane, with the driver's hands on the wheel.",
    process=Process.DECISION,
    inputs=(
        Input(name="lane", signal=EgoLane, max_age_s=LANE_MAX_AGE_S),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
        Input(name="driver", signal=DriverInput, max_age_s=1.0),
        Input(name="dcas", signal=FunctionStatus, max_age_s=2.0, many=True, source="dcas"),
        Input(name="alks", signal=FunctionStatus, max_age_s=2.0, many=True, source="alks"),
        Input(name="lane_change", signal=FunctionStatus, max_age_s=2.0, many=True, source="lane_change"),
        Input(name="elks", signal=FunctionStatus, max_age_s=2.0, many=True, source="elks"),
    ),
    outputs=(
        Output(name="request", signal=LateralRequest, is_periodic=False, rests_on=("vehicle", "lane")),
        Output(name="hands", signal=Alert, is_periodic=False),
        Output(name="boundary", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.02,
    trigger="vehicle",
    min_period_s=0.01,
    kpis=("error_m", "curvature_1pm", "lateral_accel_mps2", "hands_off_s"),
    alerts=(
        "lane_centring_hands",
        "lane_centring_hands_now",
        "lane_centring_emergency",
        "lane_centring_ended",
        "lane_centring_boundary",
    ),
    build=build,
)
