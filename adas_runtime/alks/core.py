"""Automated lane keeping (UN R157): drives on motorways, asks the driver back in time, stops where nobody comes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from adas_runtime import __version__
from adas_runtime.alks.availability import AvailabilityMonitor
from adas_runtime.alks.driving import Driving
from adas_runtime.alks.looking import Looking, Now, is_motorway
from adas_runtime.alks.memory import (
    NAME,
    NEVER,
    STANDING_MPS,
    Entry,
    Inputs,
    Memory,
    Outputs,
    Seen,
    make_entry,
    make_outputs,
    make_told,
    with_driven,
    with_memory,
    with_seen,
)
from adas_runtime.alks.params import EMERGENCY_MPS2
from adas_runtime.alks.side import SideStep
from adas_runtime.alks.side import State as Side
from adas_runtime.alks.states import (
    CONTROLLING,
    DRIVING,
    EMERGENCIES,
    IDLE,
    SEVERE,
    TRANSITIONS,
    VEHICLE_FAILURES,
    Emergency,
    EmergencyView,
    State,
    View,
)
from adas_runtime.function import EPS_S, BuildContext, FunctionSpec, Input, Output, Process, Status, oldest_input
from adas_runtime.gaze import GazeReader
from adas_runtime.market.schema import Market
from adas_runtime.records import maker
from adas_runtime.ringing import Call, ring
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    DriverState,
    DssadEvent,
    DssadFlag,
    EgoLane,
    FunctionStatus,
    Gear,
    Health,
    Horizon,
    LampDemand,
    LampRequest,
    LateralRequest,
    LongitudinalRequest,
    SpeedLimitState,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.vehicle.schema import Vehicle

PERIOD_S: Final = 0.02
IDLE_REST_S: Final = 0.1  # between two steps while it is off: a press of a button is held longer
LAMP_PERIOD_S: Final = 0.2
ENTRIES_MAX: Final = 16
EMERGENCY_RANK: Final = 3  # `arbitration.arbiter.LongitudinalRank.EMERGENCY_MANOEUVRE`; a test holds them together
DECELERATION_RANK: Final = 4
PROPULSION_RANK: Final = 6
CENTRING_RANK: Final = 4  # `arbitration.arbiter.LateralRank.LANE_CENTRING`
DARK: Final = (LampDemand.NO_DEMAND,) * 3
GAP_S: Final = 1.0  # between two steps; a longer one is a process that stood, or a clock that jumped

make_emergency_view = maker(EmergencyView)
make_lamps = maker(LampRequest)
make_lateral = maker(LateralRequest)
make_longitudinal = maker(LongitudinalRequest)
make_status = maker(Status)
make_view = maker(View)


class Alks:
    """Automated lane keeping; see `TRANSITIONS` and `EMERGENCIES`.

    Off at every start; the button `alks` switches it on where it is ready, and off again. Driver, road and car are
    judged all the time; what speaks against going on is a transition demand, and nothing but the driver or the stop
    ends one. Steering always wins; brake and accelerator do with a hand on the wheel.

    Absent inputs. No road users, no lane, no vehicle state: nothing is left to drive by, and the car stops at once, in
    its lane by its own motion. No body, stalks, driver camera, map: a transition demand. No speed limit: its own speed
    for that. Time that jumps is a transition demand; a stop that has begun goes on.
    """

    def __init__(self, market: Market, vehicle: Vehicle) -> None:
        self.state = Memory()
        self._params = market.alks
        self._looking = Looking(market, vehicle)
        self._reader = GazeReader(market.dcas.gaze)
        gaze = market.dcas.gaze
        self._monitor = AvailabilityMonitor(
            market.alks, eyes_closed=gaze.eyes_closed, confidence_min=gaze.confidence_min
        )
        self._driving = Driving(market, vehicle, self._looking)
        self._software = f"adas_runtime {__version__} {market.name} {market.digest[:16]}"

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        old = self.state
        if old.now_s is None or not old.now_s <= now_s <= old.now_s + GAP_S:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                old = self._afresh(old, now_s)
        vehicle = inputs.vehicle
        if vehicle is not None and not math.isfinite(vehicle.speed_mps + vehicle.stamp_s):
            inputs = replace(inputs, vehicle=None)
        is_key_on, is_new_cycle = old.is_key_on, False
        body = inputs.body[0] if inputs.body else None
        if body is not None and body.is_master_switch_on is not None:
            is_new_cycle = is_key_on is not None and is_key_on is not body.is_master_switch_on
            is_key_on = body.is_master_switch_on
        if old.state is State.OFF and not is_new_cycle and self._is_idle(old, inputs):
            reason = "road_outside" if inputs.horizon else "map_lost"
            self.state = memory = with_memory(old, now_s=now_s, reason=reason, is_key_on=is_key_on)
            return make_outputs(
                lateral=None, longitudinal=None, lamps=None, alert=None, event=None, status=self._status(memory)
            )
        now, seen = self._looking.look(old, inputs, now_s)
        driver = inputs.gaze[0] if inputs.gaze else None
        gaze = self._reader.step(old.gaze, driver, now_s)
        availability = self._monitor.step(
            old.availability, driver, now_s, is_acting=now.is_acting, is_seen=gaze.missing_s is None
        )
        seen = with_seen(seen, answer_s=self._looking.answered(seen, now, gaze)) if old.state in CONTROLLING else seen
        unmet, is_severe = self._looking.unmet(
            now,
            seen,
            is_working=old.state in CONTROLLING,
            is_monitoring_lost=self._reader.is_lost(gaze, now_s),
        )
        memory = with_memory(old, now_s=now_s, seen=seen, gaze=gaze, availability=availability, is_key_on=is_key_on)
        memory = self._judged(memory, now, inputs, unmet, is_severe=is_severe, is_new_cycle=is_new_cycle)
        if memory.state in CONTROLLING or memory.state is State.STOPPED or old.state in CONTROLLING:
            memory = self._driven(old, memory, now)
        return self._say(old, memory, now)

    @staticmethod
    def _is_idle(old: Memory, inputs: Inputs) -> bool:
        """Off, away from every motorway, nothing pressed, nothing left to say: most of a car's life, at little cost."""
        told, driven = old.told, old.driven
        if told.ring.call is not None or told.notice is not None or told.entries or told.lamps:
            return False
        if driven.is_asking_lateral or driven.is_asking_longitudinal:
            return False
        if inputs.driver and inputs.driver[0].pressed != old.seen.pressed:
            return False
        return not any(item.segments and is_motorway(item.segments[0]) for item in inputs.horizon)

    def _afresh(self, old: Memory, now_s: float) -> Memory:
        """The first step, or time jumped: who drives asks the driver back, a stop goes on (R157 5.4.2)."""
        seen = Seen(pressed=old.seen.pressed, indicator=old.seen.indicator)
        if old.now_s is None:
            return replace(old, now_s=now_s, entered_s=now_s)
        if old.state in DRIVING:  # its inputs were there a moment ago
            seen = replace(
                seen, vehicle_s=now_s, body_s=now_s, objects_s=now_s, lane_s=now_s, driver_s=now_s, map_s=now_s,
                seated_s=now_s, sensors_s=now_s,
            )  # fmt: skip
            old = replace(old, state=State.DEMAND, reason="time_jumped", demand="time_jumped", demand_s=now_s)
        told = replace(old.told, notice=None, lamps_s=NEVER, ring=replace(old.told.ring, since_s=now_s, sent_s=NEVER))
        driven = replace(old.driven, stamp_s=NEVER, tracks=(), risk_s=NEVER)
        fresh = Memory()
        return replace(
            old, now_s=now_s, entered_s=now_s, seen=seen, gaze=fresh.gaze, availability=fresh.availability,
            driven=driven, standing_s=None, side=replace(old.side, state=Side.STAY, entered_s=NEVER), told=told,
        )  # fmt: skip

    # --- what it does -------------------------------------------------------------------------------------------------

    def _judged(
        self, memory: Memory, now: Now, inputs: Inputs, unmet: str, *, is_severe: bool, is_new_cycle: bool
    ) -> Memory:
        """The state after this step."""
        params, now_s, old = self._params, now.now_s, memory.state
        since_s, answer_s, demand_s = memory.availability.since_s, memory.seen.answer_s, memory.demand_s
        if old in IDLE and not unmet:
            unmet = self._looking.refusal(inputs, is_available=since_s is None or not now.is_switched)
        demand = ""
        if old is State.ACTIVE:
            demand = unmet or now.input
            if not demand and since_s is not None and now_s - since_s >= params.unavailable_s:
                demand = "driver_unavailable"  # R157 6.1.3.1
            if demand == "driver_seat" and now.body is not None and now.body.is_driver_seated is False:
                demand = "driver_left"
        view = make_view(
            is_new_cycle=is_new_cycle,
            unmet=unmet,
            is_severe=is_severe,
            demand=demand,
            is_switched=now.is_switched,
            override=now.override,
            is_answered=answer_s is not None
            and now_s - max(answer_s, memory.entered_s if demand_s is None else demand_s) + EPS_S >= params.answer_s,
            is_held_back=memory.emergency is Emergency.BRAKING,
            is_escalation_due=demand_s is not None and now_s - demand_s + EPS_S >= params.escalate_s,
            is_stop_due=demand_s is not None and now_s - demand_s >= params.stop_after_s,  # never sooner
            is_standing=now.vehicle is not None and now.speed_mps <= STANDING_MPS,
            is_released=self._is_released(now),
        )
        row = TRANSITIONS.fire(old, view)
        if row is None:
            return memory
        reason, state = row.reason_for(view), row.target
        if state is old:
            return memory if reason == memory.reason else with_memory(memory, reason=reason)
        counters = memory.counters
        if state is State.ACTIVE:
            counters = replace(counters, activations=counters.activations + 1)
        elif state is State.DEMAND:
            demand_s = now_s
            counters = replace(counters, demands=counters.demands + 1)
        elif state is State.STOPPING:
            counters = replace(counters, stops=counters.stops + 1)
        if state not in CONTROLLING:
            demand_s, demand = None, ""
        return replace(
            memory,
            state=state,
            reason=reason,
            entered_s=now_s,
            demand=demand or (memory.demand if state in CONTROLLING else ""),
            demand_s=demand_s,
            counters=counters,
        )

    @staticmethod
    def _is_released(now: Now) -> bool:
        """After the stop: a pedal, or the gear out of drive."""
        vehicle = now.vehicle
        if vehicle is None:
            return False
        return vehicle.is_pedal_pressed or vehicle.gear in (Gear.PARK, Gear.NEUTRAL, Gear.REVERSE)

    def _driven(self, old: Memory, memory: Memory, now: Now) -> Memory:
        """What it asks for: emergency manoeuvre, speed, lane."""
        params, now_s, state = self._params, now.now_s, memory.state
        is_controlling = state in CONTROLLING
        driven = self._driving.watched(memory.driven, now, is_new_drive=old.state not in CONTROLLING)
        is_standing = now.vehicle is not None and now.speed_mps <= STANDING_MPS
        standing_s = None
        if is_standing:
            standing_s = now_s if memory.standing_s is None else memory.standing_s
        emergency = memory.emergency
        row = EMERGENCIES.fire(
            emergency,
            make_emergency_view(
                is_controlling=is_controlling,
                is_risk=driven.needed_mps2 < -EMERGENCY_MPS2,
                is_over=now_s - driven.risk_s + EPS_S >= params.emergency_release_s,
                is_standing=is_standing,
            ),
        )
        counters = memory.counters
        if row is not None:
            emergency = row.target
            if emergency is Emergency.BRAKING:
                counters = replace(counters, emergencies=counters.emergencies + 1)
        side = self._driving.moved_aside(memory, state, now)
        accel_mps2 = 0.0
        if now.vehicle is None:
            accel_mps2 = min(old.driven.accel_mps2, 0.0)
        elif is_controlling or state is State.STOPPED:
            former_mps2 = old.driven.accel_mps2 if old.state in CONTROLLING else now.vehicle.accel_mps2 or 0.0
            accel_mps2 = self._driving.accel_mps2(former_mps2, driven, now, state, emergency, side)
        driven = self._driving.steered(old, driven, now, state, side)
        return with_memory(
            memory,
            emergency=emergency,
            standing_s=standing_s,
            driven=with_driven(driven, accel_mps2=accel_mps2),
            side=side,
            counters=counters,
        )

    # --- what it says -------------------------------------------------------------------------------------------------

    def _say(self, old: Memory, memory: Memory, now: Now) -> Outputs:
        now_s, told, params = now.now_s, memory.told, self._params
        stamp_s = now_s if now.vehicle is None else max(0.0, min(now_s, now.vehicle.stamp_s))
        notice, notice_until_s = told.notice, told.notice_until_s
        fresh = self._noticed(old, memory, now)
        if fresh is not None:
            notice, notice_until_s = fresh, now_s + params.notice_s
        elif notice is not None and (now_s >= notice_until_s or memory.state in CONTROLLING):
            notice = None
        call = self._call(memory, notice)
        bell, alert = told.ring, None
        if call is not None or bell.call is not None:
            bell, alert = ring(bell, call, now_s, NAME, params.alert_period_s)
        entries = self._entries(old, memory, now)
        event, number = None, told.number
        if entries:
            number += 1
            entry = entries[0]
            event = DssadEvent(
                stamp_s=entry.stamp_s,
                author=NAME,
                number=number,
                flag=entry.flag,
                reason=entry.reason,
                utc_s=entry.utc_s,
                software=self._software,
            )
            entries = entries[1:]
        lateral = longitudinal = None
        driven, reason = memory.driven, memory.reason
        is_lateral = memory.state in CONTROLLING and driven.pose is not None and now.speed_mps > STANDING_MPS
        if is_lateral or driven.is_asking_lateral:
            lane_s = now.lane.stamp_s if now.lane is not None and now.lane.is_fit_to_steer else None
            oldest, oldest_s = oldest_input(vehicle=stamp_s, lane=lane_s)
            lateral = make_lateral(
                stamp_s=oldest_s,
                oldest_input=oldest,
                author=NAME,
                cause=reason,
                is_active=is_lateral,
                curvature_1pm=driven.control.curvature_1pm if is_lateral else 0.0,
                priority=CENTRING_RANK,
            )
        is_longitudinal = memory.state in CONTROLLING or memory.state is State.STOPPED
        if is_longitudinal or driven.is_asking_longitudinal:
            longitudinal = self._longitudinal(memory, now, is_longitudinal, stamp_s)
        lamps, lamps_key, lamps_s = self._lamps(memory, now, stamp_s)
        if (is_lateral, is_longitudinal) != (driven.is_asking_lateral, driven.is_asking_longitudinal):
            driven = with_driven(driven, is_asking_lateral=is_lateral, is_asking_longitudinal=is_longitudinal)
        self.state = memory = with_memory(
            memory,
            driven=driven,
            told=make_told(
                bell,
                notice,
                notice_until_s,
                entries,
                number,
                lamps_key,
                lamps_s,
                memory.state in CONTROLLING and now.is_reduced,
                now.body is not None and now.body.is_crash_detected is True,
            ),
        )
        return make_outputs(
            lateral=lateral,
            longitudinal=longitudinal,
            lamps=lamps,
            alert=alert,
            event=event,
            status=self._status(memory),
        )

    def _longitudinal(self, memory: Memory, now: Now, is_active: bool, stamp_s: float) -> LongitudinalRequest:
        accel_mps2 = memory.driven.accel_mps2 if is_active else 0.0
        rank, cause = PROPULSION_RANK, memory.reason
        if memory.emergency is Emergency.BRAKING:
            rank, cause = EMERGENCY_RANK, "collision_imminent"
        elif memory.state in (State.STOPPING, State.STOPPED):
            rank = EMERGENCY_RANK
        elif accel_mps2 < 0.0:
            rank = DECELERATION_RANK
        is_stopping = memory.state in (State.STOPPING, State.STOPPED)  # that goes on without anybody's eyes
        seen_s = None if now.objects is None or is_stopping else now.objects.stamp_s
        oldest, stamp_s = oldest_input(vehicle=stamp_s, objects=seen_s)
        return make_longitudinal(
            oldest_input=oldest,
            stamp_s=stamp_s,
            author=NAME,
            cause=cause,
            is_active=is_active,
            accel_mps2=accel_mps2,
            priority=rank,
        )

    def _lamps(
        self, memory: Memory, now: Now, stamp_s: float
    ) -> tuple[LampRequest | None, tuple[LampDemand, ...], float]:
        """Hazard lamps and indicators, and what was asked for last."""
        on, none, now_s = LampDemand.ON, LampDemand.NO_DEMAND, now.now_s
        told = memory.told
        key: tuple[LampDemand, ...] = DARK
        stood_s = 0.0 if memory.standing_s is None else now_s - memory.standing_s
        is_indicating = memory.side.state in (Side.INDICATE, Side.MOVE)
        if memory.state is State.STOPPING and is_indicating:
            key = (none, on if memory.side.side > 0 else none, on if memory.side.side < 0 else none)
        elif (
            memory.state in (State.STOPPING, State.STOPPED)  # R157 5.5.1, 5.5.4
            or memory.emergency is Emergency.STANDING  # R157 5.3.3
            or (memory.demand_s is not None and stood_s > 0.0 and stood_s + EPS_S >= self._params.hazard_standing_s)
        ):
            key = (on, none, none)
        elif memory.state is State.LOCKED:
            key = told.lamps or DARK  # R157 5.5.4: they stay on until the driver switches them off
            return None, key, told.lamps_s
        former, lamps_s = told.lamps or DARK, told.lamps_s
        if key == DARK and former == DARK:
            return None, (), lamps_s
        if key == former and now_s - lamps_s < LAMP_PERIOD_S - EPS_S:
            return None, key, lamps_s
        hazard = key[0]
        if hazard is none and former[0] is on:
            hazard = LampDemand.OFF  # what was asked for is kept until it is taken back
        lamps = make_lamps(
            stamp_s=stamp_s,
            author=NAME,
            cause=memory.reason,
            hazard=hazard,
            indicator_left=key[1],
            indicator_right=key[2],
        )
        return lamps, () if key == DARK else key, now_s

    def _noticed(self, old: Memory, memory: Memory, now: Now) -> tuple[str, str] | None:
        """Code and cause of what just happened and is told for a while."""
        if old.state in CONTROLLING and memory.state is State.OFF:
            return "alks_off", memory.reason
        if now.is_switched and memory.state is State.LOCKED:
            return "alks_locked", memory.reason
        if now.is_switched and memory.state in IDLE and old.state in IDLE:
            return "alks_refused", memory.reason  # R157 6.2.3
        return None

    def _call(self, memory: Memory, notice: tuple[str, str] | None) -> Call | None:
        """What the driver is told, the most urgent first."""
        state, cause, demand = memory.state, memory.reason, memory.demand
        if memory.emergency is Emergency.BRAKING:
            return Call("alks_emergency", "collision_imminent", AlertLevel.CRITICAL, is_acoustic=True, is_haptic=True)
        if state is State.STOPPING:
            return Call("alks_stopping", cause, AlertLevel.CRITICAL, is_acoustic=True, is_haptic=True)
        if state is State.STOPPED:
            return Call("alks_stopped", cause, AlertLevel.CRITICAL, is_acoustic=True)
        if state is State.DEMAND_ESCALATED:  # R157 5.4.3.2
            return Call("alks_take_over_now", demand, AlertLevel.CRITICAL, is_acoustic=True, is_haptic=True)
        if state is State.DEMAND:  # R157 5.4.1: optical, and one more
            return Call("alks_take_over", demand, AlertLevel.WARNING, is_acoustic=True)
        if state is State.ACTIVE and memory.availability.since_s is not None:  # R157 6.1.3.1: distinct, at once
            return Call("alks_unavailable_driver", "driver_unavailable", AlertLevel.WARNING, is_acoustic=True)
        if notice is not None:
            code, why = notice
            return Call(code, why, AlertLevel.INFO, is_acoustic=code != "alks_off")
        return None

    def _entries(self, old: Memory, memory: Memory, now: Now) -> tuple[Entry, ...]:
        """What waits to be told to the data storage (R157 8.2)."""
        entries, before, state = memory.told.entries, old.state, memory.state
        found: list[tuple[DssadFlag, str]] = []
        was_driving = before in CONTROLLING
        if now.body is not None and now.body.is_crash_detected is True and not old.told.was_crash and was_driving:
            found += [(DssadFlag.COLLISION, "crash_detected"), (DssadFlag.EDR_TRIGGER, "crash_detected")]
        if state is not before:
            if state is State.ACTIVE:
                found.append((DssadFlag.ACTIVATION, memory.reason))
            elif state is State.DEMAND:
                found.append((DssadFlag.TRANSITION_DEMAND, memory.reason))
            elif state is State.STOPPING:
                if memory.reason in SEVERE:
                    is_vehicle = memory.reason in VEHICLE_FAILURES
                    flag = DssadFlag.SEVERE_VEHICLE_FAILURE if is_vehicle else DssadFlag.SEVERE_SYSTEM_FAILURE
                    found.append((flag, memory.reason))
                found.append((DssadFlag.STOP_START, memory.reason))
            elif was_driving and state not in CONTROLLING:
                found.append((DssadFlag.DEACTIVATION, memory.reason))
        if (memory.emergency is Emergency.BRAKING) is not (old.emergency is Emergency.BRAKING):
            is_begun = memory.emergency is Emergency.BRAKING
            flag = DssadFlag.EMERGENCY_START if is_begun else DssadFlag.EMERGENCY_END
            found.append((flag, "collision_imminent" if is_begun else "risk_over"))
        if now.is_reduced and not old.told.is_reduced and was_driving:
            found.append((DssadFlag.DRIVER_INPUT_REDUCED, "too_weak_to_take_over"))
        if memory.side.state is not old.side.state:
            found += self._side_entries(old.side, memory.side)
        if not found:
            return entries
        body = now.body
        utc_s = None if body is None or body.utc_s is None else body.utc_s + max(now.now_s - body.stamp_s, 0.0)
        return (*entries, *(make_entry(flag, reason, now.now_s, utc_s) for flag, reason in found))[:ENTRIES_MAX]

    @staticmethod
    def _side_entries(old: SideStep, new: SideStep) -> list[tuple[DssadFlag, str]]:
        if new.state is Side.INDICATE:
            return [(DssadFlag.LANE_CHANGE_START, new.reason)]
        if new.changed > old.changed:
            return [(DssadFlag.LANE_CHANGE_END, new.reason)]
        if old.state in (Side.INDICATE, Side.MOVE):
            return [(DssadFlag.LANE_CHANGE_ABORT, new.reason)]
        return []

    def _status(self, memory: Memory) -> Status:
        state, emergency, driven, counters = memory.state, memory.emergency, memory.driven, memory.counters
        shown = state._value_
        reason = memory.demand if state in (State.DEMAND, State.DEMAND_ESCALATED) else memory.reason
        is_at_work = state in CONTROLLING or state is State.STOPPED
        if emergency is not Emergency.NONE and state in CONTROLLING:
            shown = emergency._value_
        health = Health.OK
        if state is State.STOPPING and memory.reason in SEVERE:
            health = Health.FAULT
        elif memory.demand.endswith(("_absent", "_lost")):  # while it is off it lacks nothing
            health = Health.DEGRADED
        return make_status(
            state=shown,
            is_active=is_at_work,
            health=health,
            reason=reason,
            rest_s=0.0 if is_at_work else IDLE_REST_S,
            kpis=(
                None if memory.demand_s is None or memory.now_s is None else memory.now_s - memory.demand_s,
                driven.gap_m if is_at_work else None,
                -driven.needed_mps2 if is_at_work else None,
                abs(driven.control.offset_m) if state in CONTROLLING and driven.pose is not None else None,
                float(counters.activations),
                float(counters.demands),
                float(counters.emergencies),
                float(counters.stops),
                float(memory.side.changed),
            ),
        )


def build(context: BuildContext) -> Alks:
    """The core for this market and vehicle."""
    return Alks(context.market, context.vehicle)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="Drives in its lane on motorways, asks the driver back in time, stops where nobody comes (UN R157).",
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
        Input(name="tracking", signal=FunctionStatus, max_age_s=2.5, many=True, source="tracking"),
        Input(name="dcas", signal=FunctionStatus, max_age_s=2.5, many=True, source="dcas"),
        Input(name="centring", signal=FunctionStatus, max_age_s=2.5, many=True, source="lane_centring"),
        Input(name="change", signal=FunctionStatus, max_age_s=2.5, many=True, source="lane_change"),
    ),
    outputs=(
        Output(name="lateral", signal=LateralRequest, is_periodic=False, rests_on=("vehicle", "lane")),
        Output(name="longitudinal", signal=LongitudinalRequest, is_periodic=False, rests_on=("vehicle", "objects")),
        Output(name="lamps", signal=LampRequest, is_periodic=False),
        Output(name="alert", signal=Alert, is_periodic=False),
        Output(name="event", signal=DssadEvent, is_periodic=False),
    ),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=PERIOD_S,
    trigger="vehicle",
    min_period_s=0.01,  # the envelope's pace: its bounds of jerk hold between two of its own steps
    kpis=(
        "demand_s",
        "gap_m",
        "needed_mps2",
        "lane_error_m",
        "activations",
        "demands",
        "emergencies",
        "stops",
        "lanes_changed",
    ),
    alerts=(
        "alks_take_over",
        "alks_take_over_now",
        "alks_stopping",
        "alks_stopped",
        "alks_emergency",
        "alks_unavailable_driver",
        "alks_off",
        "alks_refused",
        "alks_locked",
    ),
    build=build,
)
