"""Automatic headlamps: dipped beam, daytime running lamps and main-beam assist (UN R48)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.lighting.beam import is_road_lit, is_tunnel_near, user_in_beam
from adas_runtime.lighting.headlamp_states import ACTIVE, DIPPED, TRANSITIONS, State, View
from adas_runtime.lighting.params import (
    DAYTIME_BUTTON,
    MANUAL_OFF_UNTIL_KMH,
    MANUAL_OFF_UNTIL_M,
    OFF_APART_S,
    OFF_BUTTON,
    OFF_WITHIN_S,
    HeadlampParams,
    MainBeamParams,
)
from adas_runtime.records import maker, replacer
from adas_runtime.signals import (
    Alert,
    BodyState,
    DriverInput,
    Gear,
    Health,
    Horizon,
    LampDemand,
    LampRequest,
    LightSwitch,
    TrackedObjects,
    VehicleState,
    Wiper,
)
from adas_runtime.units import kmh_to_mps

NAME: Final = "headlamps"
FAULT_CODE: Final = "headlamps_fault"
ALERT_PERIOD_S: Final = 1.0
START_S: Final = 3.0  # a car's body may be silent for so long after a start: the lamps are on, but it is no fault  [D]
MOVING_MPS: Final = 0.5  # faster than this the car moves, whatever the propulsion says
EPS_MPS: Final = 1e-6  # 10.0 km/h is not above 10 km/h
LIGHTS_OFF: Final = (LightSwitch.OFF, LightSwitch.POSITION)
LIGHTS_ON: Final = (LightSwitch.DIPPED, LightSwitch.AUTO)
QUICK: Final = (Wiper.SLOW, Wiper.FAST)


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What the headlamps read; `None` is absent or too old."""

    body: BodyState | None = None
    vehicle: VehicleState | None = None
    driver: DriverInput | None = None
    objects: TrackedObjects | None = None
    horizon: Horizon | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What the headlamps ask for."""

    lamps: LampRequest | None
    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True)
class Light:
    """What is kept of the light around the car.

    Args:
        lux: Last value; `None` where the sensor says nothing now.
        known_s: When a value was there last; at a start, until when none is missed.
        valid_s: Since when values come without a break, `None` while they do not.
        dark_s: Since when it is dark without a break; a missing value does not end it.
        bright_s: Since when it is bright and nothing asks for light, without a break; a missing value ends it.
        rain_s: Since when it rains.
    """

    lux: float | None = None
    known_s: float = 0.0
    valid_s: float | None = None
    dark_s: float | None = None
    bright_s: float | None = None
    rain_s: float | None = None


@dataclass(frozen=True, slots=True)
class Driver:
    """What the driver set.

    Args:
        pressed: Buttons that were down in the last driver input.
        switch: Light switch as last told.
        action_s: First of two actions to switch dipped beam off, `None` without.
        off_m: Driven since dipped beam was switched off by hand, `None` while it was not.
        daytime_off_m: The same of the daytime running lamps.
    """

    pressed: tuple[str, ...] = ()
    switch: LightSwitch = LightSwitch.UNKNOWN
    action_s: float | None = None
    off_m: float | None = None
    daytime_off_m: float | None = None


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.PARKED
    reason: str = "propulsion_off"
    now_s: float | None = None
    is_propulsion_on: bool | None = None
    has_moved: bool = False
    light: Light = Light()
    driver: Driver = Driver()
    clear_s: float | None = None
    alert_since_s: float | None = None
    alert_sent_s: float = 0.0
    switches: int = 0
    reaction_s: float | None = None
    dipped_s: float = 0.0
    main_s: float = 0.0


make_driver = maker(Driver)
make_light = maker(Light)
make_memory = maker(Memory)
make_outputs = maker(Outputs)
make_request = maker(LampRequest)
make_status = maker(Status)
make_view = maker(View)
request_with = replacer(LampRequest)


class Headlamps:
    """Asks for dipped beam, daytime running, position and main-beam lamps; see `TRANSITIONS`.

    The driver wins: dipped beam by the switch at any time, main beam only with the stalk's consent, dipped beam off
    where the law lets (R48 6.2.7.5.1), daytime running lamps off up to 10 km/h or 100 m (R48 6.19.7.2).

    Absent inputs. No body or no light value: dipped beam on, after `fault_after_s` a message. No vehicle state: nothing
    that needs a low speed is allowed, no main beam. No stalks: no button counts. No objects: no main beam. No horizon:
    no tunnel is foreseen; darkness itself switches on. Time running back starts everything afresh.
    """

    def __init__(self, params: HeadlampParams, main_beam: MainBeamParams) -> None:
        self.state = Memory()
        self._params = params
        self._main = main_beam
        self._main_from_mps = kmh_to_mps(main_beam.from_kmh)
        self._main_until_mps = kmh_to_mps(main_beam.until_kmh)
        self._manual_until_mps = kmh_to_mps(MANUAL_OFF_UNTIL_KMH) + EPS_MPS

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        end: Alert | None = None
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                end = self._end(old, now_s, "time_ran_back")
                old = Memory(now_s=now_s, light=Light(known_s=now_s + START_S))
        elapsed_s = 0.0 if old.now_s is None else now_s - old.now_s

        body, vehicle = inputs.body, inputs.vehicle
        speed_mps = None if vehicle is None or not math.isfinite(vehicle.speed_mps) else abs(vehicle.speed_mps)
        is_moving = speed_mps is not None and speed_mps > MOVING_MPS
        is_propulsion_on = old.is_propulsion_on
        if body is not None and body.is_propulsion_on is not None:
            is_propulsion_on = body.is_propulsion_on
        is_on = is_propulsion_on is not False or is_moving
        has_moved = is_on and (old.has_moved or is_moving)

        tunnel = inputs.horizon is not None and is_tunnel_near(inputs.horizon, speed_mps or 0.0, now_s, params)
        light, cause = self._look(old.light, body, tunnel, now_s)
        driver = self._driver(old, inputs, speed_mps, is_on, elapsed_s, now_s)
        is_parked = (vehicle is not None and vehicle.gear is Gear.PARK) or (
            body is not None and body.is_parking_brake_on is True
        )
        no_main = self._no_main(old.state, inputs, light, driver, speed_mps, cause)
        clear_s = old.clear_s
        if inputs.objects is None or user_in_beam(inputs.objects, self._main):
            clear_s = None
        elif clear_s is None:
            clear_s = now_s
        view = make_view(
            is_on=is_on,
            is_held=params.is_manual_off_allowed
            and driver.switch in LIGHTS_OFF
            and speed_mps is not None
            and not is_moving
            and (is_parked or not has_moved),
            is_manual_off=driver.off_m is not None,
            is_failed=now_s - light.known_s > params.fault_after_s,
            is_back=light.valid_s is not None and now_s - light.valid_s + EPS_S >= params.valid_after_s,
            is_dipped_wanted=driver.switch is LightSwitch.DIPPED,
            cause=cause,
            is_start_dark=light.lux is None or light.lux < params.start_lux,
            is_bright=light.bright_s is not None and now_s - light.bright_s + EPS_S >= params.off_after_s,
            no_main=no_main,
            is_clear=clear_s is not None and now_s - clear_s + EPS_S >= self._main.clear_after_s,
        )
        row = TRANSITIONS.fire(old.state, view)
        state, reason = (old.state, old.reason) if row is None else (row.target, row.reason_for(view))
        was_dipped, is_dipped = old.state in DIPPED, state in DIPPED
        reaction_s = old.reaction_s
        if old.state is State.DAY and is_dipped and light.dark_s is not None:
            reaction_s = now_s - light.dark_s
        alert, since_s, sent_s = end, None, old.alert_sent_s
        if state is State.FAULT:
            since_s = old.alert_since_s
            if since_s is None:
                since_s = now_s
            if old.alert_since_s is None or now_s - sent_s >= ALERT_PERIOD_S - EPS_S:
                alert, sent_s = _alert(now_s, since_s, reason), now_s
        elif end is None:
            alert = self._end(old, now_s, reason)
        self.state = make_memory(
            state,
            reason,
            now_s,
            is_propulsion_on,
            has_moved,
            light,
            driver,
            clear_s,
            since_s,
            sent_s,
            old.switches + (is_dipped is not was_dipped),
            reaction_s,
            old.dipped_s + elapsed_s * was_dipped,
            old.main_s + elapsed_s * (old.state is State.MAIN),
        )
        stamp_s = now_s if body is None else max(0.0, min(now_s, body.stamp_s))
        return make_outputs(
            lamps=self._request(state, reason, driver, body, stamp_s),
            alert=alert,
            status=self._status(speed_mps is None),
        )

    # --- the light ----------------------------------------------------------------------------------------------------

    def _look(self, old: Light, body: BodyState | None, tunnel: bool, now_s: float) -> tuple[Light, str]:
        """The light as it is now, and what asks for dipped beam without delay."""
        params = self._params
        lux = None if body is None else body.ambient_lux
        if lux is not None and not math.isfinite(lux):
            lux = None
        known_s, valid_s, dark_s, rain_s = old.known_s, None, old.dark_s, old.rain_s
        if body is not None and lux is not None:
            known_s = now_s
            valid_s = now_s if old.valid_s is None else old.valid_s
            if lux >= params.dark_lux:
                dark_s = None
            elif dark_s is None:  # the light's own time: what it took to arrive counts against the law's 2 s
                dark_s = min(now_s, max(body.stamp_s, now_s - params.on_after_s))
        if body is not None:
            is_wet = body.is_raining is True or body.wiper in QUICK
            rain_s = None if not is_wet else now_s if rain_s is None else rain_s
        cause = ""
        if dark_s is not None and now_s - dark_s + EPS_S >= params.on_after_s:
            cause = "dark"
        elif rain_s is not None and now_s - rain_s + EPS_S >= params.rain_after_s:
            cause = "rain"
        elif body is not None and body.is_front_fog_on is True:
            cause = "front_fog"
        elif tunnel:
            cause = "tunnel"
        elif params.is_dipped_by_day:
            cause = "dipped_by_day"
        bright_s = old.bright_s
        if lux is None or not lux > params.bright_lux or cause:
            bright_s = None
        elif bright_s is None:
            bright_s = now_s
        return make_light(lux, known_s, valid_s, dark_s, bright_s, rain_s), cause

    def _no_main(
        self,
        state: State,
        inputs: Inputs,
        light: Light,
        driver: Driver,
        speed_mps: float | None,
        cause: str,
    ) -> str:
        """What keeps main beam off, `""` nothing."""
        params, body = self._main, inputs.body
        is_main = state is State.MAIN
        if not params.is_enabled:
            return "assist_off"
        if body is None or body.is_main_beam_wanted is not True or driver.switch is not LightSwitch.AUTO:
            return "driver_off"
        if inputs.objects is None:
            return "perception_absent"
        if speed_mps is None:
            return "vehicle_absent"
        if light.rain_s is not None or cause in ("rain", "front_fog") or body.is_front_fog_on is True:
            return "weather"
        if light.lux is None or light.lux >= (params.lit_lux if is_main else params.dark_lux):
            return "lit_road" if is_main else "not_dark"
        if inputs.horizon is not None and is_road_lit(inputs.horizon, self._params):
            return "lit_road"
        if speed_mps < (self._main_until_mps if is_main else self._main_from_mps):
            return "slow"
        return user_in_beam(inputs.objects, params)

    # --- the driver ---------------------------------------------------------------------------------------------------

    def _driver(
        self, memory: Memory, inputs: Inputs, speed_mps: float | None, is_on: bool, elapsed_s: float, now_s: float
    ) -> Driver:
        """What is set after this step's switches and buttons."""
        old = memory.driver
        pressed = old.pressed if inputs.driver is None else inputs.driver.pressed
        switch = old.switch if inputs.body is None else inputs.body.light_switch
        is_slow = is_on and speed_mps is not None and speed_mps <= self._manual_until_mps
        driven_m = elapsed_s * (speed_mps or 0.0)
        is_press = OFF_BUTTON in pressed and OFF_BUTTON not in old.pressed
        to_off = switch in LIGHTS_OFF and old.switch in LIGHTS_ON
        to_on = switch in LIGHTS_ON and switch is not old.switch

        off_m, action_s = _farther(old.off_m, driven_m, is_slow), old.action_s
        if off_m is not None and (to_on or is_press):
            off_m, action_s = None, None
        elif is_press or to_off:
            since_s = math.inf if action_s is None else now_s - action_s
            if OFF_APART_S <= since_s <= OFF_WITHIN_S:
                action_s = None
                if is_slow and self._params.is_manual_off_allowed and memory.state in DIPPED:
                    off_m = 0.0
            elif since_s > OFF_WITHIN_S:
                action_s = now_s
        daytime_off_m = _farther(old.daytime_off_m, driven_m, is_slow)
        if DAYTIME_BUTTON in pressed and DAYTIME_BUTTON not in old.pressed:
            daytime_off_m = 0.0 if daytime_off_m is None and is_slow else None
        return make_driver(pressed, switch, action_s, off_m, daytime_off_m)

    # --- what it says -------------------------------------------------------------------------------------------------

    def _request(
        self, state: State, reason: str, driver: Driver, body: BodyState | None, stamp_s: float
    ) -> LampRequest:
        on, off, none = LampDemand.ON, LampDemand.OFF, LampDemand.NO_DEMAND
        request = make_request(stamp_s=stamp_s, author=NAME, cause=reason)
        if state is State.PARKED:
            return request
        # the assist speaks of main beam only where the driver handed it over; flashing is the driver's alone
        is_ours = self._main.is_enabled and driver.switch is LightSwitch.AUTO
        if body is not None and body.is_flashing is True:
            is_ours = False
        main = none if not is_ours else on if state is State.MAIN else off
        if state in DIPPED:
            daytime = off if self._params.has_daytime_running else none
            return request_with(request, dipped_beam=on, main_beam=main, daytime_running=daytime, position=on)
        daytime = none
        if self._params.has_daytime_running:
            daytime = off if state is State.HELD_OFF or driver.daytime_off_m is not None else on
        position = none if driver.switch is LightSwitch.POSITION else off
        return request_with(request, dipped_beam=off, main_beam=main, daytime_running=daytime, position=position)

    def _end(self, old: Memory, now_s: float, reason: str) -> Alert | None:
        """The last message of a fault, `None` when there was none."""
        if old.alert_since_s is None:
            return None
        return _alert(now_s, old.alert_since_s, reason, is_active=False)

    def _status(self, is_blind: bool) -> Status:
        memory = self.state
        is_degraded = memory.state is not State.PARKED and (memory.state is State.FAULT or is_blind)
        return make_status(
            state=memory.state.value,
            is_active=memory.state in ACTIVE,
            health=Health.DEGRADED if is_degraded else Health.OK,
            reason="vehicle_absent" if is_blind and memory.state in ACTIVE else memory.reason,
            kpis=(
                memory.light.lux,
                float(memory.switches),
                memory.reaction_s,
                memory.dipped_s,
                memory.main_s,
            ),
        )


def _farther(since_m: float | None, driven_m: float, is_slow: bool) -> float | None:
    """Driven since a lamp was switched off by hand; `None` once it has to be on again (R48 6.19.7.2)."""
    if since_m is None or not is_slow or since_m + driven_m > MANUAL_OFF_UNTIL_M:
        return None
    return since_m + driven_m


def _alert(now_s: float, since_s: float, cause: str, *, is_active: bool = True) -> Alert:
    return Alert(
        stamp_s=now_s, author=NAME, code=FAULT_CODE, is_active=is_active, since_s=min(since_s, now_s), cause=cause
    )


def build(context: BuildContext) -> Headlamps:
    """The core for this market."""
    lighting = context.market.lighting
    return Headlamps(lighting.headlamps, lighting.main_beam)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Switches dipped beam, daytime running lamps and main beam by light, road and traffic.",
    process=Process.DECISION,
    inputs=(
        Input(name="body", signal=BodyState, max_age_s=0.5),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2),
        Input(name="driver", signal=DriverInput, max_age_s=1.0),
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, is_optional=True, source="tracking"),
        Input(name="horizon", signal=Horizon, max_age_s=2.0, source="horizon", is_optional=True),
    ),
    outputs=(
        Output(name="lamps", signal=LampRequest),
        Output(name="alert", signal=Alert, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    alerts=(FAULT_CODE,),
    period_s=0.1,
    kpis=("ambient_lux", "dipped_switches", "reaction_s", "dipped_s", "main_beam_s"),
    build=build,
)
