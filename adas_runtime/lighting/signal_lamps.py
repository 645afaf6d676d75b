"""Signal lamps: emergency stop signal, hazard, rear-end alert and stop lamps (UN R48, R13-H)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, clipped
from adas_runtime.lighting.params import HAZARD_BUTTON, REAR_ALERT_FAST_KMH, SignalLampParams
from adas_runtime.lighting.signal_states import TRANSITIONS, State, View
from adas_runtime.records import maker
from adas_runtime.signals import (
    ActuationCommand,
    BodyState,
    DriverInput,
    Health,
    Indicator,
    LampDemand,
    LampRequest,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

NAME: Final = "signal_lamps"
STANDING_MPS: Final = 0.5
EPS_MPS: Final = 1e-6  # 50 km/h is not above 50 km/h
CRASH: Final = "crash"  # causes of hazard lamps that are kept, beside the names of functions that ask for them
STOPPED: Final = "after_emergency_stop"
INDICATES: Final = (Indicator.LEFT, Indicator.RIGHT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the signal lamps read; `None` or an empty tuple is absent or too old."""

    vehicle: VehicleState | None = None
    body: BodyState | None = None
    driver: DriverInput | None = None
    command: ActuationCommand | None = None
    requests: tuple[LampRequest, ...] = ()
    objects: TrackedObjects | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the signal lamps ask for."""

    lamps: LampRequest | None
    status: Status


@dataclass(frozen=True, slots=True)
class Braking:
    """The emergency braking logic signal and where it comes from.

    Args:
        since_s: Since when the deceleration reaches the declared threshold, `None` while it does not.
        is_hard: By deceleration, with hysteresis.
        is_cycling: By ABS that fully cycles, begun above the speed of the signal.
        is_told: By the braking system itself.
    """

    since_s: float | None = None
    is_hard: bool = False
    is_cycling: bool = False
    is_told: bool = False

    @property
    def is_emergency(self) -> bool:
        """The signal."""
        return self.is_told or self.is_hard or self.is_cycling


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        braking: The emergency braking logic signal.
        emergency_s: When the emergency stop signal was on last.
        kept: Why hazard lamps are on without the driver: names of functions, `crash`, `after_emergency_stop`.
        refused: Of these, those that the driver switched off; each until it asks no more.
        is_hazard_switch: The driver's switch as last told.
        alert_from_s: When the rear-end alert began; kept until the danger is over.
        is_stop: Stop lamps are asked for.
    """

    state: State = State.IDLE
    reason: str = "nothing"
    now_s: float | None = None
    braking: Braking = Braking()
    emergency_s: float | None = None
    kept: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()
    is_hazard_switch: bool = False
    pressed: tuple[str, ...] = ()
    alert_from_s: float | None = None
    is_stop: bool = False
    emergency_stops: int = 0
    hazards: int = 0
    ttc_s: float | None = None


NOT_BRAKING: Final = Braking()
make_braking = maker(Braking)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LampRequest)
make_status = maker(Status)
make_view = maker(View)


class SignalLamps:
    """Asks for what warns others: hazard before emergency stop signal before rear-end alert; see `TRANSITIONS`.

    A function that asks for hazard lamps keeps them on until it asks for OFF or the driver switches them off, by the
    hazard switch or its button; its silence ends nothing (R157 5.5.1, 5.5.4). What the driver has switched off stays
    off until that cause is gone and comes anew.

    Absent inputs. No vehicle state: neither emergency stop signal nor rear-end alert begins, and those that run end;
    hazard lamps stay. No body and no stalks: hazard lamps stay as they are. No command: no stop lamps for automatic
    braking; the brake switch is the body controller's. No objects: no rear-end alert.
    """

    def __init__(self, params: SignalLampParams, vehicle: Vehicle) -> None:
        self.state = Memory()
        self._params = params
        is_light = vehicle.category in ("M1", "N1")
        self._decel_mps2 = params.ess_decel_mps2 if is_light else params.ess_decel_heavy_mps2
        self._fast_mps = kmh_to_mps(params.ess_from_kmh)
        self._hazard_until_mps = kmh_to_mps(params.hazard_until_kmh)
        size = vehicle.dimensions
        self._rear_overhang_m = size.length_m - size.wheelbase_m - size.front_overhang_m

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:  # a minimum-risk manoeuvre's hazard outlives a step of the clock
                old = Memory(now_s=now_s, kept=old.kept, refused=old.refused, is_hazard_switch=old.is_hazard_switch)
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps):
            vehicle = None
        braking = self._emergency(old.braking, vehicle, inputs.body, now_s)
        emergency_s = now_s if old.state is State.EMERGENCY_STOP else old.emergency_s
        kept, refused, is_switch, pressed = self._hazard(old, inputs, vehicle, emergency_s, now_s)
        hazard = "driver_hazard" if is_switch else ""
        if kept and not hazard:
            hazard = kept[0] if kept[0] in (CRASH, STOPPED) else "requested"
        ttc_s, is_danger = self._rear(vehicle, inputs.objects)
        alert_from_s = old.alert_from_s if is_danger else None
        indicator = None if inputs.driver is None else inputs.driver.indicator
        view = make_view(
            hazard=hazard,
            is_emergency=braking.is_emergency,
            is_fast=vehicle is not None and vehicle.speed_mps > self._fast_mps + EPS_MPS,
            is_rear_danger=is_danger,
            is_indicating=indicator in INDICATES,
            is_alert_over=alert_from_s is not None and now_s - alert_from_s + EPS_S >= params.rear_alert_longest_s,
        )
        row = TRANSITIONS.fire(old.state, view)
        state, reason = (old.state, old.reason) if row is None else (row.target, row.reason_for(view))
        if state is State.REAR_ALERT and alert_from_s is None:
            alert_from_s = now_s
        self.state = make_memory(
            state,
            reason,
            now_s,
            braking,
            emergency_s,
            kept,
            refused,
            is_switch,
            pressed,
            alert_from_s,
            self._is_stop(old, inputs.command),
            old.emergency_stops + (state is State.EMERGENCY_STOP is not old.state),
            old.hazards + (state is State.HAZARD is not old.state),
            ttc_s,
        )
        stamp_s = now_s if vehicle is None else max(0.0, min(now_s, vehicle.stamp_s))
        return make_outputs(lamps=self._request(stamp_s), status=self._status(inputs, vehicle))

    # --- emergency braking --------------------------------------------------------------------------------------------

    def _emergency(self, old: Braking, vehicle: VehicleState | None, body: BodyState | None, now_s: float) -> Braking:
        """The emergency braking logic signal.

        The braking system's own signal counts where it is told; else it is made from the measured deceleration, or
        from ABS that fully cycles (R13-H 5.2.23.1, 5.2.23.2).
        """
        params, none = self._params, NOT_BRAKING
        if not params.has_emergency_stop_signal or vehicle is None:
            return none
        if body is not None and body.is_emergency_brake_signal is not None:
            return make_braking(is_told=body.is_emergency_brake_signal)
        accel_mps2 = vehicle.accel_mps2
        decel_mps2 = -accel_mps2 if accel_mps2 is not None and vehicle.speed_mps > 0.0 else 0.0
        since_s = None
        if decel_mps2 >= self._decel_mps2:
            since_s = now_s if old.since_s is None else old.since_s
        is_hard = since_s is not None and now_s - since_s + EPS_S >= params.ess_after_s
        is_cycling = body is not None and body.is_abs_cycling is True
        return make_braking(
            since_s=since_s,
            is_hard=is_hard or (old.is_hard and decel_mps2 >= params.ess_release_mps2),
            is_cycling=is_cycling and (old.is_cycling or vehicle.speed_mps > self._fast_mps + EPS_MPS),
        )

    # --- hazard -------------------------------------------------------------------------------------------------------

    def _hazard(
        self,
        old: Memory,
        inputs: Inputs,
        vehicle: VehicleState | None,
        emergency_s: float | None,
        now_s: float,
    ) -> tuple[tuple[str, ...], tuple[str, ...], bool, tuple[str, ...]]:
        """What keeps hazard lamps on, what the driver refused, the switch, the buttons."""
        params, body = self._params, inputs.body
        asking: dict[str, bool] = {}
        for request in inputs.requests:
            if request.hazard is not LampDemand.NO_DEMAND:
                asking[request.author] = asking.get(request.author, False) or request.hazard is LampDemand.ON
        if body is not None and body.is_crash_detected is not None and params.is_hazard_after_crash:
            asking[CRASH] = body.is_crash_detected
        if vehicle is not None and params.is_hazard_after_ess:
            is_stop = emergency_s is not None and now_s - emergency_s <= params.ess_to_hazard_s
            if is_stop and abs(vehicle.speed_mps) <= STANDING_MPS:
                asking[STOPPED] = True
            elif vehicle.speed_mps > self._hazard_until_mps:
                asking[STOPPED] = False
        refused = tuple(name for name in old.refused if asking.get(name, False))
        kept = [name for name in old.kept if asking.get(name, True) or name == CRASH]
        kept += [name for name, is_on in asking.items() if is_on and name not in kept and name not in refused]

        is_switch = old.is_hazard_switch
        if body is not None and body.is_hazard_on is not None:
            is_switch = body.is_hazard_on
        elif inputs.driver is not None:
            is_switch = inputs.driver.indicator is Indicator.HAZARD
        pressed = old.pressed if inputs.driver is None else inputs.driver.pressed
        is_press = HAZARD_BUTTON in pressed and HAZARD_BUTTON not in old.pressed
        if (old.is_hazard_switch and not is_switch) or (is_press and old.kept):
            refused += tuple(name for name in kept if asking.get(name, False))
            kept = []
        return tuple(sorted(kept)), refused, is_switch, pressed

    # --- behind us ----------------------------------------------------------------------------------------------------

    def _rear(self, vehicle: VehicleState | None, objects: TrackedObjects | None) -> tuple[float | None, bool]:
        """Shortest time to collision with a vehicle behind, and whether it calls for an alert (R48 6.25)."""
        params = self._params
        if not params.has_rear_end_alert or vehicle is None or objects is None:
            return None, False
        nearest_s, is_danger = None, False
        for item in objects.objects:
            gap_m = -item.x_m - self._rear_overhang_m
            closing_mps = item.speed_x_mps - vehicle.speed_mps
            if gap_m < 0.0 or closing_mps <= 0.0 or abs(item.y_m) > params.rear_alert_lateral_m:
                continue
            ttc_s = gap_m / closing_mps
            nearest_s = ttc_s if nearest_s is None else min(nearest_s, ttc_s)
            is_danger = is_danger or ttc_s <= rear_alert_limit_s(closing_mps, params.rear_alert_ttc_s) + EPS_S
        return None if nearest_s is None or nearest_s > 1e3 else nearest_s, is_danger

    # --- what it says -------------------------------------------------------------------------------------------------

    def _is_stop(self, old: Memory, command: ActuationCommand | None) -> bool:
        """Stop lamps for automatic braking, with hysteresis."""
        if command is None or not command.is_longitudinal_active:
            return False
        limit_mps2 = self._params.stop_release_mps2 if old.is_stop else self._params.stop_decel_mps2
        return -command.accel_mps2 >= limit_mps2

    def _request(self, stamp_s: float) -> LampRequest:
        memory, on, off, none = self.state, LampDemand.ON, LampDemand.OFF, LampDemand.NO_DEMAND
        params = self._params
        state = memory.state
        return make_request(
            stamp_s=stamp_s,
            author=NAME,
            cause=clipped(
                f"{memory.reason}: {', '.join(memory.kept)}" if memory.reason == "requested" else memory.reason
            ),
            hazard=on if state is State.HAZARD else none,  # the driver's own switch and indicators rule otherwise
            emergency_stop_signal=none
            if not params.has_emergency_stop_signal
            else on
            if state is State.EMERGENCY_STOP
            else off,
            emergency_stop_rate_hz=params.ess_rate_hz if state is State.EMERGENCY_STOP else None,
            rear_end_alert=none if not params.has_rear_end_alert else on if state is State.REAR_ALERT else off,
            stop_lamps=on if memory.is_stop else none,
        )

    def _status(self, inputs: Inputs, vehicle: VehicleState | None) -> Status:
        memory = self.state
        missing = ""
        if vehicle is None:
            missing = "vehicle_absent"
        elif inputs.body is None and inputs.driver is None:
            missing = "driver_controls_absent"
        return make_status(
            state=memory.state.value,
            is_active=memory.state is not State.IDLE,
            health=Health.DEGRADED if missing else Health.OK,
            reason=missing if missing and memory.state is State.IDLE else memory.reason,
            kpis=(float(memory.emergency_stops), float(memory.hazards), memory.ttc_s),
        )


def rear_alert_limit_s(closing_mps: float, longest_s: float) -> float:
    """Time to collision from which a rear-end alert is allowed: less where the closing speed is low (R48 6.25)."""
    return longest_s * min(1.0, closing_mps / kmh_to_mps(REAR_ALERT_FAST_KMH))


def build(context: BuildContext) -> SignalLamps:
    """The core for this market and vehicle."""
    return SignalLamps(context.market.lighting.signals, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Warns others: emergency stop signal, hazard, rear-end alert, stop lamps of automatic braking.",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2),
        Input(name="body", signal=BodyState, max_age_s=0.5),
        Input(name="driver", signal=DriverInput, max_age_s=1.0),
        Input(name="command", signal=ActuationCommand, max_age_s=0.2, source="envelope"),
        Input(name="requests", signal=LampRequest, max_age_s=0.5, many=True),
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, is_optional=True, source="tracking"),
    ),
    outputs=(Output(name="lamps", signal=LampRequest),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.05,
    trigger="requests",
    min_period_s=0.02,
    kpis=("emergency_stops", "hazards", "rear_ttc_s"),
    build=build,
)
