"""Intelligent speed assistance: EU 2021/1958 where it is law, information on the limit elsewhere."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any, Final

from adas_runtime.conditions import Circumstances
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, clipped
from adas_runtime.isa import fusion
from adas_runtime.isa.feedback import TRANSITIONS, WARNING, WORKING, State, View
from adas_runtime.isa.fusion import Found, Road, Sources
from adas_runtime.isa.params import MUTED_BY, SWITCH_BUTTON, IsaParams
from adas_runtime.isa.signs import Sign, watch
from adas_runtime.market.laws import Laws, carried_laws, country_of
from adas_runtime.records import maker, replacer
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    EgoLane,
    Health,
    Horizon,
    HorizonSegment,
    LaneModel,
    LaneSide,
    LimitKind,
    LimitSource,
    LongitudinalRequest,
    RoadClass,
    SignObservations,
    SpeedLimitState,
    SpeedUnit,
    VehicleState,
    Wiper,
)
from adas_runtime.units import deg_to_rad, kmh_to_mps

NAME: Final = "isa"
SPEED_CAP: Final = 5  # `arbitration.arbiter.LongitudinalRank.SPEED_CAP`; a test holds the two together
REST_S: Final = 0.1  # between two steps while no sign is in view and the limit is kept
EPS_MPS: Final = 1e-3  # one speed from km/h, mph and m/s: rounding, no tolerance of the law
STEP_MAX_S: Final = 2.0  # over a longer gap nobody knows how far the car drove: what signs said is dropped
LOOK_AHEAD_MAX: Final = 32  # segments
WET_AFTER_RAIN_S: Final = 60.0  # a road stays wet after the wiper stopped [D]
PRESSES_WITHIN_S: Final = 3.0  # of a switch that wants two
TRACE_MAX: Final = 24  # headings that are kept to see a turn
LANE_JUMP_M: Final = 2.0  # the centre of the lane moves by more when the car crosses a line
LANES_GAP_S: Final = 0.5
BOUNDARY_CONFIDENCE: Final = 0.3
LANE_CONFIDENCE: Final = 0.5  # that a number of a lane needs to be used
FORMS: Final = {"acoustic": "is_acoustic", "vibration": "is_haptic", "haptic": "is_haptic"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; all but the vehicle's state may be missing in a car for good."""

    vehicle: VehicleState | None = None
    body: BodyState | None = None
    driver: DriverInput | None = None
    signs: SignObservations | None = None
    horizon: Horizon | None = None
    lanes: LaneModel | None = None
    ego_lane: EgoLane | None = None
    alerts: tuple[Alert, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """What it says."""

    limit: SpeedLimitState | None
    alert: Alert | None
    request: LongitudinalRequest | None
    status: Status


@dataclass(frozen=True, slots=True)
class Usage:
    """Figures of 2021/1958 Article 4: how long and how far, never when or where (L7)."""

    on_s: float = 0.0
    off_s: float = 0.0
    on_m: float = 0.0
    off_m: float = 0.0
    within_s: float = 0.0
    above_s: float = 0.0
    within_m: float = 0.0
    above_m: float = 0.0
    known_m: float = 0.0
    unknown_m: float = 0.0
    switch_offs: int = 0
    to_switch_off_s: float = 0.0  # sum over the switch-offs
    warnings: int = 0


@dataclass(frozen=True, slots=True)
class Switch:
    """What the driver set; on at every start (GSR2 6(2)(b)).

    Args:
        pressed: Buttons that were down in the last driver input.
        pressed_s: When the button was pressed first, of a switch that wants two.
        is_off: Feedback is switched off.
        on_since_s: When it was last switched on, or the drive began.
        was_door_open: The driver's door was opened since the key was turned off.
    """

    pressed: tuple[str, ...] = ()
    pressed_s: float | None = None
    is_off: bool = False
    on_since_s: float = 0.0
    was_door_open: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    now_s: float | None = None
    odometer_m: float = 0.0
    heading_rad: float = 0.0
    trace: tuple[tuple[float, float], ...] = ()  # odometer and heading, one per few metres
    signs: tuple[Sign, ...] = ()
    signs_s: float | None = None  # of the last picture that was looked at
    sources: Sources = field(default_factory=Sources)
    country: str = ""
    road_kind: str = ""  # motorway, link or road, by the map
    map_limit: tuple[LimitKind, float | None] | None = None
    map_since_m: float = 0.0
    rain_s: float | None = None
    lane_centre_m: float | None = None
    lanes_s: float = 0.0
    vehicle_s: float = 0.0
    is_key_on: bool = True
    switch: Switch = field(default_factory=Switch)
    found: Found = field(default_factory=Found)
    state: State = State.INIT
    reason: str = "key_on"
    entered_s: float = 0.0
    pedal: float | None = None  # accelerator when the present intervention began
    alert_code: str = ""
    alert_since_s: float = 0.0
    alert_sent_s: float = 0.0
    is_asking: bool = False
    usage: Usage = field(default_factory=Usage)


make_circumstances = maker(Circumstances)
make_limit = maker(SpeedLimitState)
make_outputs = maker(Outputs)
make_road = maker(Road)
make_status = maker(Status)
make_usage = maker(Usage)
make_view = maker(View)
with_changes = replacer(Memory)


class Isa:
    """Tells the speed limit and, where the market says so, that it is exceeded; see `TRANSITIONS`.

    Absent inputs. No vehicle state: no limit is told and no feedback given, after a while that is a fault. No body:
    the true speed stands in for the indicated one, which is never below it, so nothing is warned of too early; rain,
    time of day and trailer are unknown, and limits that hang on them are shown as present. No map: signs alone, and
    towns and motorways as their signs say. No signs: the map and the law alone. Neither: unknown.

    The driver. One press of the switch (or two, as the market says) puts feedback off at once and the limit stays
    shown; every start puts it on. An accelerator pressed further ends pedal force and speed control at once. The
    request is a cap among propulsion: it never makes the car faster, and the arbiter lets it release no brake.

    Stamps and steps share one clock; `BodyState.utc_s` is of another one and serves the calendar alone.
    """

    def __init__(self, params: IsaParams, rules: Laws, home: str, category: str = "M1") -> None:
        """`rules`: by country; `home`: the country whose rules hold while no map tells another."""
        self.state = Memory(country=home)
        self._params = params
        self._rules = rules
        self._home = home
        self._category = category
        self._form = params.feedback
        self._turn_rad = deg_to_rad(params.turn_deg)
        self._rearm_mps = kmh_to_mps(params.rearm_below_kmh.figure)
        self._onset_mps = kmh_to_mps(params.speed_control_onset_kmh)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        end: Alert | None = None
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                end = self._ended(old, now_s, "time_ran_back")
                old = Memory(now_s=now_s, entered_s=now_s, vehicle_s=now_s, country=self._home)
                old = replace(old, switch=replace(old.switch, on_since_s=now_s))
        assert old.now_s is not None
        dt_s = now_s - old.now_s
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            vehicle = None
        body = inputs.body
        speed_mps = 0.0 if vehicle is None else max(vehicle.speed_mps, 0.0)
        driven_m = speed_mps * min(dt_s, STEP_MAX_S)
        odometer_m = old.odometer_m + driven_m

        is_key_on, switch = self._key(old, body, now_s)
        switch, was_switched_off = self._switched(switch, inputs.driver, now_s)
        circumstances, rain_s = self._circumstances(old, body, now_s)
        place = self._place(old, inputs, vehicle, odometer_m, dt_s, circumstances, now_s)
        found = place.pop("found")
        if vehicle is None:
            found = fusion.UNKNOWN
        vehicle_s = old.vehicle_s if vehicle is None else now_s

        indicated_mps = self._indicated(vehicle, body)
        view = self._view(old, vehicle_s, found, indicated_mps, vehicle, inputs.alerts, is_key_on, switch, now_s)
        state, reason, entered_s, pedal = self._fire(old, view, vehicle, now_s)
        usage = self._count(old, state, switch, found, view.is_over, was_switched_off, dt_s, driven_m, now_s)
        alert, told = self._warn(old, state, reason, found, indicated_mps, vehicle, view.is_overridden, now_s)
        request = self._request(old, state, reason, found, indicated_mps, vehicle, now_s)
        code, since_s, sent_s = told
        memory = with_changes(
            old,
            **place,
            now_s=now_s,
            odometer_m=odometer_m,
            rain_s=rain_s,
            vehicle_s=vehicle_s,
            is_key_on=is_key_on,
            switch=switch,
            found=found,
            state=state,
            reason=reason,
            entered_s=entered_s,
            pedal=pedal,
            alert_code=code,
            alert_since_s=since_s,
            alert_sent_s=sent_s,
            is_asking=request is not None and request.is_active,
            usage=usage,
        )
        self.state = memory
        limit = self._limit(memory, found, inputs, circumstances, indicated_mps, view.is_over, vehicle, now_s)
        is_calm = (
            (state is State.MONITOR or state is State.INFO_ONLY)
            and not (view.is_over or view.is_near or memory.signs)
            and (inputs.signs is None or not inputs.signs.signs)
        )
        status = self._status(memory, body, REST_S if is_calm else 0.0)
        return make_outputs(limit=limit, alert=end or alert, request=request, status=status)

    # --- the driver ---------------------------------------------------------------------------------------------------

    def _key(self, old: Memory, body: BodyState | None, now_s: float) -> tuple[bool, Switch]:
        """Master switch, and what a new start does to the driver's switch."""
        switch = old.switch
        if body is None or body.is_master_switch_on is None:
            return old.is_key_on, switch
        is_key_on = body.is_master_switch_on
        if not is_key_on and old.is_key_on:
            switch = replace(switch, was_door_open=False)
        if body.is_driver_door_open and not (is_key_on and old.is_key_on):
            switch = replace(switch, was_door_open=True)
        if is_key_on and not old.is_key_on and (switch.was_door_open or not self._params.door_rule):
            switch = replace(switch, is_off=False, pressed_s=None, on_since_s=now_s)
        return is_key_on, switch

    def _switched(self, switch: Switch, driver: DriverInput | None, now_s: float) -> tuple[Switch, bool]:
        """The driver's switch after the buttons of this step, and whether it was just switched off."""
        if driver is None or driver.pressed == switch.pressed:
            return switch, False
        is_press = SWITCH_BUTTON in driver.pressed and SWITCH_BUTTON not in switch.pressed
        switch = replace(switch, pressed=driver.pressed)
        if not is_press:
            return switch, False
        if switch.is_off:
            return replace(switch, is_off=False, pressed_s=None, on_since_s=now_s), False
        is_second = switch.pressed_s is not None and now_s - switch.pressed_s <= PRESSES_WITHIN_S
        if self._params.off_presses.figure > 1.0 and not is_second:
            return replace(switch, pressed_s=now_s), False
        return replace(switch, is_off=True, pressed_s=None), True

    # --- where the car is ---------------------------------------------------------------------------------------------

    def _circumstances(self, old: Memory, body: BodyState | None, now_s: float) -> tuple[Circumstances, float | None]:
        if body is None:
            return make_circumstances(category=self._category), None
        is_wiping = body.wiper in (Wiper.SLOW, Wiper.FAST)
        is_wet: bool | None = body.is_raining
        if is_wet is not True and is_wiping:
            is_wet = True
        elif is_wet is None and body.wiper is Wiper.OFF:
            is_wet = False
        rain_s = now_s if is_wet else old.rain_s
        if is_wet is False and rain_s is not None and now_s - rain_s < WET_AFTER_RAIN_S:
            is_wet = True
        local_s = None
        if body.utc_s is not None and body.utc_offset_s is not None:
            local_s = body.utc_s + body.utc_offset_s
        return (
            make_circumstances(
                local_s=local_s,
                is_wet=is_wet,
                is_fog=True if body.is_rear_fog_on else None,
                has_trailer=body.is_trailer_coupled,
                category=self._category,
            ),
            rain_s,
        )

    def _place(
        self,
        old: Memory,
        inputs: Inputs,
        vehicle: VehicleState | None,
        odometer_m: float,
        dt_s: float,
        circumstances: Circumstances,
        now_s: float,
    ) -> dict[str, Any]:
        """Fields of the memory: what signs, turns, lanes, map and borders do to what was known, and the limit found."""
        params = self._params
        sources, signs = old.sources, old.signs
        speed_mps = 0.0 if vehicle is None else vehicle.speed_mps
        yaw_rate_rps = 0.0 if vehicle is None or vehicle.yaw_rate_rps is None else vehicle.yaw_rate_rps
        heading_rad = old.heading_rad + yaw_rate_rps * min(dt_s, STEP_MAX_S)
        trace, has_turned = self._trace(old.trace, odometer_m, heading_rad)
        if dt_s > STEP_MAX_S and (speed_mps > 1.0 or vehicle is None):
            sources, signs, trace = Sources(dropped="gap_in_time"), (), ()
        if has_turned:
            sources, signs = fusion.after_turn(sources), ()

        segment, confidence = self._segment(inputs.horizon, speed_mps, now_s)
        country = old.country if segment is None or not segment.country else segment.country
        if country != old.country:
            sources, signs = Sources(dropped="border"), ()
        road_kind = old.road_kind
        if segment is not None:
            is_motorway = segment.road_class is RoadClass.MOTORWAY
            road_kind = "link" if segment.is_link else "motorway" if is_motorway else "road"
            if old.road_kind and old.road_kind != road_kind:
                sources = fusion.after_road_change(sources, odometer_m - params.gather_m)
        map_limit = None if segment is None else (segment.limit_kind, segment.limit_mps)
        map_since_m = old.map_since_m if map_limit == old.map_limit else odometer_m

        lanes, centre_m, lanes_s = self._lane_change(old, inputs.lanes, now_s)
        if lanes:
            sources = fusion.after_lane_change(sources, lanes)
            signs = tuple(s if s.lane is None else replace(s, lane=s.lane - lanes) for s in signs)
        seen = inputs.signs
        new = () if seen is None or seen.stamp_s == old.signs_s else (seen,)
        signs, passed = watch(
            signs,
            new,
            odometer_m,
            speed_mps,
            now_s,
            confidence_min=params.confidence_min,
            sightings_min=params.sightings_min,
        )
        for sign in passed:
            sources = fusion.after_sign(sources, sign, params, now_s, circumstances)
        road = make_road(segment, confidence, map_since_m, self._lane(inputs.ego_lane))
        sources = fusion.confirmed(sources, road, odometer_m, now_s)
        sources = fusion.without_expired(sources, odometer_m, now_s, params)
        found = fusion.choose(sources, road, circumstances, odometer_m, now_s, self._rules.get(country))
        return {
            "heading_rad": heading_rad,
            "trace": trace,
            "signs": signs,
            "signs_s": old.signs_s if seen is None else seen.stamp_s,
            "sources": sources,
            "country": country,
            "road_kind": road_kind,
            "map_limit": map_limit,
            "map_since_m": map_since_m,
            "lane_centre_m": centre_m,
            "lanes_s": lanes_s,
            "found": found,
        }

    def _trace(
        self, trace: tuple[tuple[float, float], ...], odometer_m: float, heading_rad: float
    ) -> tuple[tuple[tuple[float, float], ...], bool]:
        """Headings of the last metres, and whether the car turned into another road."""
        within_m = self._params.turn_within_m
        if not trace or odometer_m - trace[-1][0] >= within_m / (TRACE_MAX - 4):
            trace = (*(item for item in trace if odometer_m - item[0] <= within_m), (odometer_m, heading_rad))
        turn_rad = self._turn_rad
        for _, former_rad in trace:
            if abs(heading_rad - former_rad) > turn_rad:
                return ((odometer_m, heading_rad),), True
        return trace, False

    def _segment(self, horizon: Horizon | None, speed_mps: float, now_s: float) -> tuple[HorizonSegment | None, float]:
        """The map's piece of road under the car; `None` without a match that is sure and fresh enough."""
        params = self._params
        if (
            horizon is None
            or not horizon.is_matched
            or horizon.confidence < params.map_confidence_min
            or (horizon.map_age_s or 0.0) / fusion.DAY_S > params.map_age_max_days
        ):
            return None, 0.0
        at_m = max(speed_mps, 0.0) * min(max(now_s - horizon.stamp_s, 0.0), STEP_MAX_S)
        for segment in horizon.segments:
            if segment.offset_m <= at_m < segment.offset_m + segment.length_m and segment.probability >= 0.5:
                return segment, horizon.confidence
        return None, 0.0

    @staticmethod
    def _lane(ego: EgoLane | None) -> tuple[int, int] | None:
        """The car's lane, 1 the leftmost, and how many there are; `None` where that is not sure."""
        if ego is None or ego.lane_from_left is None or ego.lanes is None or ego.confidence < LANE_CONFIDENCE:
            return None
        return ego.lane_from_left + 1, ego.lanes

    def _lane_change(self, old: Memory, lanes: LaneModel | None, now_s: float) -> tuple[int, float | None, float]:
        """Lanes that the car moved to the left, from the jump of its lane's centre."""
        if lanes is None:
            return 0, old.lane_centre_m, old.lanes_s
        left, right = lanes.side(LaneSide.LEFT), lanes.side(LaneSide.RIGHT)
        if left is None or right is None or min(left.confidence, right.confidence) < BOUNDARY_CONFIDENCE:
            return 0, old.lane_centre_m, old.lanes_s
        centre_m = 0.5 * (left.c0_m + right.c0_m)
        if old.lane_centre_m is None or now_s - old.lanes_s > LANES_GAP_S:
            return 0, centre_m, now_s
        jump_m = centre_m - old.lane_centre_m
        moved = 0 if abs(jump_m) < LANE_JUMP_M else 1 if jump_m > 0.0 else -1
        return moved, centre_m, now_s

    # --- feedback -----------------------------------------------------------------------------------------------------

    @staticmethod
    def _indicated(vehicle: VehicleState | None, body: BodyState | None) -> float | None:
        """The speed that the driver sees; without it the true one, which is never above (R39 5.4)."""
        if body is not None and body.indicated_speed_mps is not None:
            return body.indicated_speed_mps
        return None if vehicle is None else min(max(vehicle.speed_mps, 0.0), 150.0)

    def _view(
        self,
        old: Memory,
        vehicle_s: float,
        found: Found,
        indicated_mps: float | None,
        vehicle: VehicleState | None,
        alerts: tuple[Alert, ...],
        is_key_on: bool,
        switch: Switch,
        now_s: float,
    ) -> View:
        params = self._params
        has_number = found.is_number and indicated_mps is not None and vehicle is not None
        over_mps = 0.0
        if has_number:
            assert found.limit_mps is not None and indicated_mps is not None
            over_mps = indicated_mps - found.limit_mps
        held_s = now_s - old.entered_s + EPS_S
        is_haptic = self._form == "haptic"
        first_s = params.haptic_max_s.figure if is_haptic else params.cascade_after_s.figure
        return make_view(
            is_key_on=is_key_on,
            fault="vehicle_absent" if now_s - vehicle_s > params.fault_after_s else "",
            is_off=switch.is_off,
            is_information=self._form == "information",
            is_speed_control=self._form == "speed_control",
            is_haptic=is_haptic,
            has_number=has_number,
            is_over=has_number and over_mps > EPS_MPS,
            is_near=has_number and over_mps > -self._onset_mps + EPS_MPS,
            is_rearmed=has_number and over_mps <= -self._rearm_mps + EPS_MPS,
            is_changed=found.is_number and not fusion.is_same(found.limit_mps, old.found.limit_mps),
            is_first_over=held_s >= first_s,
            is_second_over=held_s >= params.second_stage_max_s.figure,
            is_urgent=any(
                alert.is_active
                and alert.level is AlertLevel.CRITICAL
                and alert.author != NAME
                and alert.author not in MUTED_BY
                for alert in alerts
            ),
            is_overridden=self._overrides(old, vehicle),
        )

    def _overrides(self, old: Memory, vehicle: VehicleState | None) -> bool:
        """The driver presses the accelerator against what it does, or to the floor."""
        if vehicle is None or vehicle.accelerator is None:
            return False
        if vehicle.accelerator >= self._params.override_accelerator:
            return True
        return old.pedal is not None and vehicle.accelerator - old.pedal >= self._params.override_rise

    def _fire(
        self, old: Memory, view: View, vehicle: VehicleState | None, now_s: float
    ) -> tuple[State, str, float, float | None]:
        """State, reason, since when, and the accelerator's place when the intervention began."""
        state, reason, entered_s, pedal = old.state, old.reason, old.entered_s, old.pedal
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            reason = row.reason_for(view)
            if row.target is not state or reason == "limit_changed":
                state, entered_s = row.target, now_s
        is_intervening = state in (State.LIMIT, State.LIMIT_OVERRIDDEN) or (state is State.STAGE1 and view.is_haptic)
        if not is_intervening:
            pedal = None
        elif vehicle is not None and vehicle.accelerator is not None:
            # a foot that goes back takes the mark with it, so that pressing again counts from there
            pedal = vehicle.accelerator if pedal is None else min(pedal, vehicle.accelerator)
        return state, reason, entered_s, pedal

    def _warn(
        self,
        old: Memory,
        state: State,
        reason: str,
        found: Found,
        indicated_mps: float | None,
        vehicle: VehicleState | None,
        is_overridden: bool,
        now_s: float,
    ) -> tuple[Alert | None, tuple[str, float, float]]:
        """The alert of this step, while it holds in its period and once when it ends; its code, begin and last time."""
        code = ""
        if state in WARNING or state in (State.LIMIT, State.LIMIT_OVERRIDDEN):
            code = "isa_overspeed"
        elif state is State.FAULT:
            code = "isa_fault"
        if old.alert_code and code != old.alert_code:
            return self._ended(old, now_s, reason), ("", 0.0, 0.0)
        former = (old.alert_code, old.alert_since_s, old.alert_sent_s)
        if not code:
            return None, former
        is_new = code != old.alert_code
        is_due = now_s - old.alert_sent_s >= self._params.alert_period_s - EPS_S
        if not is_new and not is_due and state is old.state:
            return None, former
        since_s = now_s if is_new else old.alert_since_s
        felt = FORMS.get(self._form, "")
        is_second = state is State.STAGE2 or (state is State.STAGE1 and self._form == "haptic")
        alert = Alert(
            stamp_s=now_s if vehicle is None else min(now_s, max(vehicle.stamp_s, 0.0)),
            author=NAME,
            code=code,
            is_active=True,
            level=AlertLevel.WARNING,
            is_optical=True,
            is_acoustic=is_second and felt == "is_acoustic",
            is_haptic=is_second and felt == "is_haptic" and not is_overridden,
            since_s=since_s,
            cause=reason if code == "isa_fault" else _cause(found, indicated_mps),
        )
        return alert, (code, since_s, now_s)

    def _ended(self, old: Memory, now_s: float, cause: str) -> Alert | None:
        """The last message of a warning that ran, `None` when none did."""
        if not old.alert_code:
            return None
        return Alert(
            stamp_s=now_s,
            author=NAME,
            code=old.alert_code,
            is_active=False,
            level=AlertLevel.WARNING,
            since_s=old.alert_since_s,
            cause=cause,
        )

    def _request(
        self,
        old: Memory,
        state: State,
        reason: str,
        found: Found,
        indicated_mps: float | None,
        vehicle: VehicleState | None,
        now_s: float,
    ) -> LongitudinalRequest | None:
        """A cap on propulsion while speed control works, and once that it is handed back."""
        stamp_s = now_s if vehicle is None else min(now_s, max(vehicle.stamp_s, 0.0))
        if state is not State.LIMIT or found.limit_mps is None or indicated_mps is None:
            if not old.is_asking:
                return None
            return LongitudinalRequest(stamp_s=stamp_s, author=NAME, cause=reason, is_active=False, priority=SPEED_CAP)
        target_mps = found.limit_mps - 0.5 * self._onset_mps  # so that it settles below the limit, not at it
        wanted = self._params.speed_control_gain_1ps * (target_mps - indicated_mps)
        decel = self._params.speed_control_decel_max_mps2.figure
        return LongitudinalRequest(
            stamp_s=stamp_s,
            oldest_input="vehicle",  # a limit does not age within seconds: how far it holds is its own figure
            author=NAME,
            cause=_cause(found, indicated_mps),
            is_active=True,
            accel_mps2=min(max(wanted, -min(decel, 15.0)), 2.0),
            priority=SPEED_CAP,
        )

    # --- what it tells ------------------------------------------------------------------------------------------------

    def _count(
        self,
        old: Memory,
        state: State,
        switch: Switch,
        found: Found,
        is_over: bool,
        was_switched_off: bool,
        dt_s: float,
        driven_m: float,
        now_s: float,
    ) -> Usage:
        usage = old.usage
        if state is State.OFF_KEY:
            return usage
        dt_s = min(dt_s, STEP_MAX_S)
        is_on = state in WORKING
        is_known = found.kind is not LimitKind.UNKNOWN
        # what is only assumed of the road, the driver is neither within nor above
        is_within = (found.is_number or found.kind is LimitKind.NO_LIMIT) and not is_over
        is_begun = state is State.STAGE1 and old.state is not State.STAGE1 and old.state is not State.STAGE2
        ran_s = max(now_s - old.switch.on_since_s, 0.0)
        return make_usage(
            on_s=usage.on_s + (dt_s if is_on else 0.0),
            off_s=usage.off_s + (dt_s if switch.is_off else 0.0),
            on_m=usage.on_m + (driven_m if is_on else 0.0),
            off_m=usage.off_m + (driven_m if switch.is_off else 0.0),
            within_s=usage.within_s + (dt_s if is_within else 0.0),
            above_s=usage.above_s + (dt_s if is_over else 0.0),
            within_m=usage.within_m + (driven_m if is_within else 0.0),
            above_m=usage.above_m + (driven_m if is_over else 0.0),
            known_m=usage.known_m + (driven_m if is_known else 0.0),
            unknown_m=usage.unknown_m + (0.0 if is_known else driven_m),
            switch_offs=usage.switch_offs + was_switched_off,
            to_switch_off_s=usage.to_switch_off_s + (ran_s if was_switched_off else 0.0),
            warnings=usage.warnings + is_begun,
        )

    def _limit(
        self,
        memory: Memory,
        found: Found,
        inputs: Inputs,
        circumstances: Circumstances,
        indicated_mps: float | None,
        is_over: bool,
        vehicle: VehicleState | None,
        now_s: float,
    ) -> SpeedLimitState | None:
        if memory.state is State.OFF_KEY:
            return None
        next_mps, next_m = self._ahead(inputs.horizon, found)
        age_s = None if found.since_s is None else min(max(now_s - found.since_s, 0.0), 1e6)
        distance_m = None if found.since_m is None else min(max(memory.odometer_m - found.since_m, 0.0), 1e7)
        return make_limit(
            stamp_s=now_s if vehicle is None else min(now_s, max(vehicle.stamp_s, 0.0)),
            limit_mps=found.limit_mps,
            kind=found.kind,
            source=found.source,
            unit=found.unit if found.kind is not LimitKind.UNKNOWN else self._unit(memory.country),
            condition=clipped(found.condition, 64),
            confidence=min(max(found.confidence * self._fading(found, distance_m), 0.0), 1.0),
            reason=clipped(found.reason if vehicle is not None else "vehicle_absent"),
            age_s=age_s,
            distance_m=distance_m,
            country=memory.country,
            is_walking_pace=found.is_walking_pace,
            is_temporary=found.is_temporary,
            pending_mps=found.pending_mps,
            pending_condition=clipped(found.pending_condition, 64),
            advisory_mps=found.advisory_mps,
            minimum_mps=fusion.minimum_mps(memory.sources, Road(), circumstances, memory.odometer_m),
            next_mps=next_mps,
            next_distance_m=next_m,
            indicated_speed_mps=indicated_mps,
            is_exceeded=is_over,
            is_feedback_on=memory.state in WORKING,
        )

    def _unit(self, country: str) -> SpeedUnit:
        rules = self._rules.get(country)
        return SpeedUnit.KMH if rules is None else rules.unit

    def _fading(self, found: Found, distance_m: float | None) -> float:
        """A sign is less sure the farther it lies back: half as sure where it is dropped."""
        if distance_m is None or found.source not in (LimitSource.SIGN, LimitSource.IMPLICIT_SIGN):
            return 1.0
        return 1.0 - 0.5 * min(distance_m / self._params.hold_distance_m, 1.0)

    def _ahead(self, horizon: Horizon | None, found: Found) -> tuple[float | None, float | None]:
        """The map's next explicit limit that differs from the one in force."""
        if horizon is None or not horizon.is_matched or horizon.confidence < self._params.map_confidence_min:
            return None, None
        now_mps = found.limit_mps
        for segment in horizon.segments[:LOOK_AHEAD_MAX]:
            if (
                segment.limit_mps != now_mps  # most are the same, so this goes first
                and segment.limit_mps is not None
                and segment.limit_kind is LimitKind.EXPLICIT
                and segment.offset_m > 0.0
                and segment.probability >= 0.5
                and not fusion.is_same(segment.limit_mps, found.limit_mps)
            ):
                return segment.limit_mps, segment.offset_m
        return None, None

    def _status(self, memory: Memory, body: BodyState | None, rest_s: float) -> Status:
        usage = memory.usage
        health = Health.FAULT if memory.state is State.FAULT else Health.OK
        reason = memory.reason
        if memory.state is State.MONITOR and (body is None or body.indicated_speed_mps is None):
            reason = f"{reason}, indicated_speed_unknown"
        return make_status(
            state=memory.state._value_,
            is_active=memory.state in WORKING or memory.state is State.INFO_ONLY,
            health=health,
            reason=reason,
            kpis=(
                usage.on_s,
                usage.off_s,
                usage.on_m,
                usage.off_m,
                usage.within_s,
                usage.above_s,
                usage.within_m,
                usage.above_m,
                usage.known_m,
                usage.unknown_m,
                float(usage.switch_offs),
                usage.to_switch_off_s,
                float(usage.warnings),
            ),
            rest_s=rest_s,
        )


def _cause(found: Found, indicated_mps: float | None) -> str:
    """Limit, speed and where the limit comes from, in the sign's unit."""
    factor, unit = (1.0 / 0.44704, "mph") if found.unit is SpeedUnit.MPH else (3.6, "km/h")
    limit = 0.0 if found.limit_mps is None else found.limit_mps * factor
    speed = 0.0 if indicated_mps is None else indicated_mps * factor
    return f"{found.reason}: limit {limit:.0f} {unit}, speed shown {speed:.0f} {unit}"


def build(context: BuildContext) -> Isa:
    """The core for this market and vehicle."""
    market = context.market
    return Isa(market.isa, carried_laws(market), country_of(market), context.vehicle.category)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Tells the speed limit from signs, map and law, and warns when it is exceeded.",
    process=Process.DECISION,
    inputs=(
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2),
        Input(name="body", signal=BodyState, max_age_s=1.0, is_optional=True),
        Input(name="driver", signal=DriverInput, max_age_s=1.0, is_optional=True),
        Input(name="signs", signal=SignObservations, max_age_s=1.0, is_optional=True),
        Input(name="horizon", signal=Horizon, max_age_s=2.0, source="horizon", is_optional=True),
        Input(name="lanes", signal=LaneModel, max_age_s=0.3, is_optional=True),
        Input(name="ego_lane", signal=EgoLane, max_age_s=0.3, is_optional=True),
        Input(name="alerts", signal=Alert, max_age_s=0.5, many=True, is_former=True),
    ),
    outputs=(
        Output(name="limit", signal=SpeedLimitState),
        Output(name="alert", signal=Alert, is_periodic=False),
        Output(name="request", signal=LongitudinalRequest, is_periodic=False, rests_on=("vehicle",)),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    alerts=("isa_overspeed", "isa_fault"),
    period_s=0.05,
    kpis=(
        "on_s",
        "off_s",
        "on_m",
        "off_m",
        "within_s",
        "above_s",
        "within_m",
        "above_m",
        "known_m",
        "unknown_m",
        "switch_offs",
        "to_switch_off_s",
        "warnings",
    ),
    build=build,
)
