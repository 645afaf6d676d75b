"""The safety envelope: the last gate before an actuator. It knows no function and trusts no sender.

Whatever comes in, what goes out is finite, inside the tighter of the market's and the vehicle's limits, and reached by
ramps, never by steps. What the demand lacks (it is stale, frozen, reordered, not a number) ends in the safe ramp:

- steering authority falls to zero within `hand_back_s` while the curvature follows the one that the car drives. Asking
  for a straight path instead would, in a bend, steer the car out of its lane at the very moment the system fails; the
  authority, not the path, is what is handed back to the driver;
- acceleration ramps to zero within the jerk limits;
- a cap on what the driver's own pedal may ask for is lifted by a ramp: no failure leaves the car capped, and none lets
  it surge. The driver lifts it at once, by the pedal alone and whatever the sender says of it.

An axis alone is refused, and handed back by the same ramp, where what it rests on is older than its chain's budget, or
where its actuator cannot follow: a picture that is late does not cost the car its brakes.

After a fault nothing is let in again until the demand has been clean and without a request for `rearm_s`: a function
has to ask anew. A cap asks nothing of the car: it may go on being asked for meanwhile, and begins anew by its ramp
(what waits for the end of a cap near a limit might wait for hours). A fresh envelope is in that state too, so that a
restarted guard never continues an old command.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.arbitration.chains import ROUNDING_S, UNKNOWN_BUDGET_S, Chains, chains_of
from adas_runtime.arbitration.params import LATERAL_ACCEL_LAW_HEAVY_MPS2, EnvelopeParams
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status, clipped, lasting_status
from adas_runtime.records import copier, maker, replacer
from adas_runtime.signals import ActuationCommand, Health, VehicleState
from adas_runtime.units import GRAVITY_MPS2
from adas_runtime.vehicle.schema import Vehicle

STEP_MAX_S: Final = 0.05  # a late step may not be used to jump: the ramps count at most this much time
SPEED_FLOOR_MPS: Final = 1.0  # below, curvature is bounded by the steering alone, and v^2 must not vanish
TRACK_SPEED_MPS: Final = 3.0  # below, yaw rate over speed is noise
COUNTER_MODULO: Final = 65536
ACCEL_EPS_MPS2: Final = 1e-6
CURVATURE_FIELD_1PM: Final = 0.5  # bound of the signal; no car turns tighter
QUIET_MAX_S: Final = 1.0  # between two vehicle states of a quiet drive; after a longer silence every check is made
CAP_OPEN_MPS2: Final = 5.0  # a cap this high is none: beyond it the pedal is so far down that it lifts every cap
CAP_HEADROOM_MPS2: Final = 0.5  # a cap begins this far above what the car does: noise, and a slope


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeInputs:
    """What the envelope reads."""

    demand: ActuationCommand | None
    vehicle: VehicleState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvelopeOutputs:
    """One command with every step."""

    command: ActuationCommand | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The tighter of market and vehicle, once per build."""

    accel_max_mps2: float
    accel_min_mps2: float
    jerk_max_mps3: float
    jerk_min_mps3: float
    cap_min_mps2: float
    cap_jerk_max_mps3: float
    cap_jerk_min_mps3: float
    lateral_accel_max_mps2: float
    lateral_jerk_max_mps3: float
    grip_mps2: float
    wheelbase_m: float
    steering_ratio: float
    understeer_s2pm2: float
    wheel_rate_max_rps: float
    road_wheel_max_rad: float

    @staticmethod
    def of(market: EnvelopeParams, vehicle: Vehicle) -> Limits:
        """The limits of a market and a vehicle."""
        lateral = min(market.lateral_accel_max_mps2, vehicle.limits.lateral_accel_max_mps2)
        if vehicle.category in ("M2", "M3", "N2", "N3"):
            lateral = min(lateral, LATERAL_ACCEL_LAW_HEAVY_MPS2)  # R79 5.6.2.1.3 table 1
        grip = market.friction * GRAVITY_MPS2
        return Limits(
            accel_max_mps2=min(market.accel_max_mps2, vehicle.limits.accel_max_mps2, grip),
            accel_min_mps2=max(market.accel_min_mps2, vehicle.limits.accel_min_mps2, -grip),
            jerk_max_mps3=min(market.jerk_max_mps3, vehicle.limits.jerk_max_mps3),
            jerk_min_mps3=max(market.jerk_min_mps3, vehicle.limits.jerk_min_mps3),
            cap_min_mps2=max(market.cap_min_mps2, vehicle.limits.accel_min_mps2),
            cap_jerk_max_mps3=min(market.cap_jerk_max_mps3, vehicle.limits.jerk_max_mps3),
            cap_jerk_min_mps3=max(market.cap_jerk_min_mps3, vehicle.limits.jerk_min_mps3),
            lateral_accel_max_mps2=min(lateral, grip),
            # R79 5.6.2.1.3(c): 5 m/s^3 is the law's bound, the market's value lies below it
            lateral_jerk_max_mps3=min(market.lateral_jerk_max_mps3, vehicle.limits.lateral_jerk_max_mps3),
            grip_mps2=grip,
            wheelbase_m=vehicle.dimensions.wheelbase_m,
            steering_ratio=vehicle.steering.ratio,
            understeer_s2pm2=vehicle.steering.understeer_s2pm2,
            wheel_rate_max_rps=vehicle.steering.wheel_rate_max_rps,
            road_wheel_max_rad=min(vehicle.steering.wheel_angle_max_rad / vehicle.steering.ratio, 1.2),
        )

    def _gain(self, speed_mps: float) -> float:
        """Tangent of the road wheel angle per curvature, single-track model with understeer [m]."""
        return self.wheelbase_m * (1.0 + self.understeer_s2pm2 * speed_mps * speed_mps)

    def curvature_max_1pm(self, speed_mps: float, accel_mps2: float) -> float:
        """Largest curvature: lateral acceleration, the grip that braking leaves, and the steering's stop."""
        speed = max(abs(speed_mps), SPEED_FLOOR_MPS)
        left = math.sqrt(max(self.grip_mps2**2 - accel_mps2**2, 0.0))
        by_accel = min(self.lateral_accel_max_mps2, left) / (speed * speed)
        by_stop = math.tan(self.road_wheel_max_rad) / self._gain(speed)
        return min(by_accel, by_stop, CURVATURE_FIELD_1PM)

    def curvature_rate_max_1pms(self, speed_mps: float) -> float:
        """Fastest change of curvature: lateral jerk and steering wheel rate."""
        speed = max(abs(speed_mps), SPEED_FLOOR_MPS)
        by_jerk = self.lateral_jerk_max_mps3 / (speed * speed)
        # d(delta)/d(kappa) = gain / (1 + (gain kappa)^2) <= gain: the bound at zero curvature holds everywhere
        by_wheel = self.wheel_rate_max_rps / (self.steering_ratio * self._gain(speed))
        return min(by_jerk, by_wheel)


@dataclass(slots=True, kw_only=True)
class EnvelopeState:
    """Everything that the envelope remembers; the defaults are the safe start.

    A step changes a copy of its own and keeps it; what an envelope holds as its state is never changed.

    Args:
        stepped_s: Time of the former step.
        counter: Of the last command.
        is_lateral, curvature_1pm, authority: Steering as last commanded.
        is_longitudinal, accel_mps2: Acceleration as last commanded.
        cap_mps2: Cap on the driver's propulsion as last commanded, `None` without one.
        cap_pedal: Least accelerator since it began.
        is_cap_refused: The driver lifted it; a new one begins only after a demand without any.
        lateral_author, lateral_cause, longitudinal_author, longitudinal_cause: Kept while a ramp runs.
        demand: Last demand that was taken.
        demand_s: When its counter last advanced.
        is_locked: A fault happened, or nothing was asked for yet; a clean interval unlocks.
        lock_cause: The fault, kept until the unlock.
        clean_since_s: Since when the demand is clean and asks for nothing.
        is_locked_out: Excessive motion; only a restart unlocks.
        override_until_s: The driver steers, or did so until shortly before.
        engaged_since_s, excess_since_s: For the watch on excessive motion.
        speed_mps, speed_s: Last speed that was believed, and its stamp.
        over_budget: Commands in which an axis was refused for the age of what it rests on.
    """

    stepped_s: float | None = None
    counter: int = 0
    is_lateral: bool = False
    curvature_1pm: float = 0.0
    authority: float = 0.0
    is_longitudinal: bool = False
    accel_mps2: float = 0.0
    cap_mps2: float | None = None
    cap_pedal: float | None = None
    is_cap_refused: bool = False
    lateral_author: str = ""
    lateral_cause: str = ""
    longitudinal_author: str = ""
    longitudinal_cause: str = ""
    demand: ActuationCommand | None = None
    demand_s: float = 0.0
    is_locked: bool = True
    lock_cause: str = "start"
    clean_since_s: float | None = None
    is_locked_out: bool = False
    override_until_s: float | None = None
    engaged_since_s: float | None = None
    excess_since_s: float | None = None
    speed_mps: float | None = None
    speed_s: float = 0.0
    over_budget: int = 0


copied = copier(EnvelopeState)
changed = replacer(EnvelopeState)
make_command = maker(ActuationCommand)
demand_with = replacer(ActuationCommand)
make_outputs = maker(EnvelopeOutputs)
make_status = maker(Status)


def _is_finite(*values: float | None) -> bool:
    """Whether all are; the caller asks only where their sum is not, since a sum is finite only if all its parts are."""
    for value in values:  # noqa: SIM110  a generator takes three times as long
        if value is not None and not math.isfinite(value):
            return False
    return True


def _asks_longitudinal(demand: ActuationCommand) -> bool:
    """Whether the demand asks for an acceleration or for a cap on it."""
    return demand.is_longitudinal_active or demand.accel_cap_mps2 is not None


def _clamped(value: float, low: float, high: float) -> float:
    return low if value < low else high if value > high else value


def _towards(value: float, target: float, step: float) -> float:
    """`value` moved towards `target` by at most `step`."""
    if target > value:
        return min(target, value + step)
    return max(target, value - step)


class Envelope:
    """The gate; see the module's text."""

    def __init__(self, limits: Limits, params: EnvelopeParams, chains: Chains | None = None) -> None:
        self.limits = limits
        self._params = params
        self._chains = Chains() if chains is None else chains
        self.state = EnvelopeState()
        self._quiet: EnvelopeState | None = None  # the state, where nothing is asked for, left, or refused in it

    def step(self, inputs: EnvelopeInputs, now_s: float) -> EnvelopeOutputs:
        """One command. It never depends on what lies before a fault."""
        if self._quiet is self.state:  # most of a drive
            outputs = self._passed(inputs, now_s)
            if outputs is not None:
                return outputs
        return self._stepped(inputs, now_s)

    def _passed(self, inputs: EnvelopeInputs, now_s: float) -> EnvelopeOutputs | None:
        """What `_stepped` gives while nothing is asked for and nothing is wrong, at a third of its cost; else `None`.

        A test holds the two together.
        """
        old, demand, vehicle, params = self.state, inputs.demand, inputs.vehicle, self._params
        if demand is None or vehicle is None:
            return None
        passed_s, waited_s, age_s = vehicle.stamp_s - old.speed_s, now_s - demand.stamp_s, demand.oldest_input_age_s
        torque_nm, speed_mps = vehicle.driver_torque_nm, vehicle.speed_mps
        assert old.stepped_s is not None and old.demand is not None and old.speed_mps is not None
        if (
            demand.is_lateral_active
            or demand.is_longitudinal_active
            or demand.accel_cap_mps2 is not None
            or age_s is None
            or not 0.0 <= now_s - old.stepped_s <= params.time_gap_s
            or not 0 < (demand.counter - old.demand.counter) % COUNTER_MODULO < COUNTER_MODULO // 2
            # comparisons that hold for no NaN and no infinity
            or not 0.0 <= waited_s <= params.information_max_age_s - age_s
            or not 0.0 <= age_s
            or not -params.override_torque_nm <= (torque_nm or 0.0) <= params.override_torque_nm
            or not abs(speed_mps - old.speed_mps) <= params.speed_slew_mps2 * STEP_MAX_S
            or not 0.0 <= passed_s < QUIET_MAX_S
            or (demand.curvature_1pm + demand.accel_mps2 + demand.lateral_authority) * 0.0 != 0.0
            or ((vehicle.accel_mps2 or 0.0) + (vehicle.yaw_rate_rps or 0.0) + (vehicle.accelerator or 0.0)) * 0.0 != 0.0
            or vehicle.is_steering_available is False
            or vehicle.is_braking_available is False
        ):
            return None
        counter = (old.counter + 1) % COUNTER_MODULO
        self._quiet = self.state = changed(
            old,
            stepped_s=now_s,
            counter=counter,
            demand=demand,
            demand_s=now_s,
            speed_mps=speed_mps,
            speed_s=vehicle.stamp_s,
            lateral_author=demand.lateral_author,
            lateral_cause=demand.lateral_cause,
            longitudinal_author=demand.longitudinal_author,
            longitudinal_cause=demand.longitudinal_cause,
        )
        oldest_s = now_s - vehicle.stamp_s
        return make_outputs(
            command=make_command(
                stamp_s=now_s,
                author="envelope",
                counter=counter,
                lateral_author=demand.lateral_author,
                lateral_cause=demand.lateral_cause,
                longitudinal_author=demand.longitudinal_author,
                longitudinal_cause=demand.longitudinal_cause,
                oldest_input_age_s=min(max(0.0, oldest_s, waited_s + age_s), 1e6),
                oldest_input_chain=demand.oldest_input_chain,
            ),
            status=lasting_status("idle", float(old.over_budget)),
        )

    def _stepped(self, inputs: EnvelopeInputs, now_s: float) -> EnvelopeOutputs:
        """The whole step."""
        state = copied(self.state)
        faults: list[str] = []
        elapsed_s = 0.0 if state.stepped_s is None else now_s - state.stepped_s
        if not 0.0 <= elapsed_s <= self._params.time_gap_s:
            # frozen and resumed, or time ran: what was commanded before belongs to another situation
            state = EnvelopeState(
                counter=state.counter,
                is_locked_out=state.is_locked_out,
                lock_cause="time_gap",
                cap_mps2=state.cap_mps2,
                cap_pedal=state.cap_pedal,
                is_cap_refused=state.is_cap_refused,
                speed_mps=state.speed_mps,
                speed_s=state.speed_s,
                over_budget=state.over_budget,
            )
            faults.append("time_gap")
            elapsed_s = 0.0
        dt_s = min(elapsed_s, STEP_MAX_S)
        state.stepped_s, state.counter = now_s, (state.counter + 1) % COUNTER_MODULO

        demand = self._demand(state, inputs.demand, now_s, faults)
        vehicle = self._vehicle(state, inputs.vehicle, faults)
        self._lock(state, demand, faults, now_s)
        is_override = self._override(state, vehicle, now_s)
        self._watch_excess(state, vehicle, is_override, now_s)

        acted: list[str] = list(faults)
        if state.is_locked_out:
            acted.append("excessive_actuation")
        elif state.is_locked and not faults and state.lock_cause != "start":
            acted.append("rearming")
        demand, refused = self._allowed(state, demand, vehicle, now_s)
        acted += refused
        if state.is_locked or state.is_locked_out:
            demand = None
        self._longitudinal(state, demand, dt_s, acted)
        is_cap_refused = state.is_cap_refused
        self._cap(state, demand, vehicle, dt_s, acted)
        if is_cap_refused and "longitudinal_over_budget" in refused:  # it was asked for: what the driver lifted stays
            state.is_cap_refused = True
        self._lateral(state, demand, vehicle, is_override, dt_s, acted)
        if not (state.is_lateral or state.is_longitudinal):
            state.engaged_since_s = state.excess_since_s = None
        elif state.engaged_since_s is None:
            state.engaged_since_s = now_s
        self.state = state
        is_quiet = not (
            acted
            or is_override
            or state.is_locked
            or state.is_lateral
            or state.is_longitudinal
            or state.is_cap_refused
            or state.cap_mps2 is not None
        )
        self._quiet = state if is_quiet else None
        return self._outputs(state, inputs, now_s, acted, is_override, bool(refused))

    def _demand(
        self, state: EnvelopeState, demand: ActuationCommand | None, now_s: float, faults: list[str]
    ) -> ActuationCommand | None:
        """The demand to follow, `None` where it cannot be trusted."""
        if demand is None:
            faults.append("demand_absent")
            state.demand = None
            return None
        if not math.isfinite(
            demand.curvature_1pm
            + demand.accel_mps2
            + demand.stamp_s
            + demand.lateral_authority
            + (demand.accel_cap_mps2 or 0.0)
            + (demand.oldest_input_age_s or 0.0)
        ) and not _is_finite(
            demand.curvature_1pm,
            demand.accel_mps2,
            demand.accel_cap_mps2,
            demand.stamp_s,
            demand.lateral_authority,
            demand.oldest_input_age_s,
        ):
            faults.append("demand_not_finite")
            return None
        waited_s = max(0.0, now_s - demand.stamp_s)  # the information got older on the way here
        age_s = demand.oldest_input_age_s or 0.0
        axis_s = (  # an axis that tells its own age answers for it alone
            demand.lateral_age_s if demand.is_lateral_active else None,
            demand.longitudinal_age_s if _asks_longitudinal(demand) else None,
        )
        if any(told_s is not None and age_s <= told_s for told_s in axis_s):
            age_s = 0.0
        if age_s + waited_s > self._params.information_max_age_s:
            faults.append("information_old")
            return None
        former = state.demand
        ahead = 1 if former is None else (demand.counter - former.counter) % COUNTER_MODULO
        if 0 < ahead < COUNTER_MODULO // 2:
            state.demand, state.demand_s = demand, now_s
            return demand
        # repeated or out of order: the newer one that was taken before still holds, for a while
        if now_s - state.demand_s >= self._params.demand_frozen_s:
            faults.append("demand_frozen")
            state.demand = None if ahead else former
            return None
        return former

    def _allowed(
        self, state: EnvelopeState, demand: ActuationCommand | None, vehicle: VehicleState | None, now_s: float
    ) -> tuple[ActuationCommand | None, list[str]]:
        """The demand without the axes that may not be followed now, and why they may not."""
        why_lateral = why_longitudinal = ""
        if demand is not None:
            waited_s = max(0.0, now_s - demand.stamp_s)
            if demand.is_lateral_active and self._is_over_budget(
                demand.lateral_chain, demand.lateral_age_s, demand.oldest_input_age_s, waited_s
            ):
                why_lateral = "lateral_over_budget"
            if _asks_longitudinal(demand) and self._is_over_budget(
                demand.longitudinal_chain, demand.longitudinal_age_s, demand.oldest_input_age_s, waited_s
            ):
                why_longitudinal = "longitudinal_over_budget"
            state.over_budget += bool(why_lateral or why_longitudinal)
        if vehicle is not None and vehicle.is_steering_available is False:
            why_lateral = "steering_unavailable"
        if vehicle is not None and vehicle.is_braking_available is False:
            why_longitudinal = "brakes_unavailable"  # who cannot brake does not accelerate either
        if demand is not None and why_lateral and demand.is_lateral_active:
            demand = demand_with(demand, is_lateral_active=False, lateral_cause=why_lateral)
        if demand is not None and why_longitudinal and demand.is_longitudinal_active:
            demand = demand_with(demand, is_longitudinal_active=False, longitudinal_cause=why_longitudinal)
        if demand is not None and why_longitudinal == "longitudinal_over_budget":
            demand = demand_with(demand, accel_cap_mps2=None, longitudinal_cause=why_longitudinal)
        return demand, [why for why in (why_lateral, why_longitudinal) if why]

    def _is_over_budget(self, chain: str, age_s: float | None, oldest_s: float | None, waited_s: float) -> bool:
        """Whether an axis rests on what is too old by now; an age that nobody tells is too old."""
        told_s = oldest_s if age_s is None else age_s
        budget_s = min(self._chains.budget_s.get(chain, UNKNOWN_BUDGET_S), self._params.information_max_age_s)
        # so that no NaN is young
        return told_s is None or not max(told_s, 0.0) + waited_s <= budget_s + ROUNDING_S

    def _vehicle(self, state: EnvelopeState, vehicle: VehicleState | None, faults: list[str]) -> VehicleState | None:
        """The vehicle state to believe; the last believed speed is kept for the limits."""
        if vehicle is None:
            faults.append("vehicle_absent")
            return None
        speed_mps = vehicle.speed_mps
        if not math.isfinite(
            vehicle.stamp_s
            + speed_mps
            + (vehicle.accel_mps2 or 0.0)
            + (vehicle.yaw_rate_rps or 0.0)
            + (vehicle.driver_torque_nm or 0.0)
            + (vehicle.accelerator or 0.0)
        ) and not _is_finite(
            vehicle.stamp_s,
            speed_mps,
            vehicle.accel_mps2,
            vehicle.yaw_rate_rps,
            vehicle.driver_torque_nm,
            vehicle.accelerator,
        ):
            faults.append("vehicle_not_finite")
            return None
        if state.speed_mps is not None:
            passed_s = max(vehicle.stamp_s - state.speed_s, 0.0)
            if abs(speed_mps - state.speed_mps) > self._params.speed_slew_mps2 * (passed_s + STEP_MAX_S):
                faults.append("speed_jump")
                # the next value is judged against this one: a lasting jump is believed after the re-arming time
                state.speed_mps = max(speed_mps, state.speed_mps, key=abs)
                return None
        state.speed_mps, state.speed_s = speed_mps, vehicle.stamp_s
        return vehicle

    def _lock(self, state: EnvelopeState, demand: ActuationCommand | None, faults: list[str], now_s: float) -> None:
        """A fault locks; a clean interval in which nothing is asked for unlocks."""
        if faults:
            state.is_locked, state.lock_cause, state.clean_since_s = True, faults[0], None
            return
        if not state.is_locked:
            return
        if demand is None or demand.is_lateral_active or demand.is_longitudinal_active:
            state.clean_since_s = None
            return
        since_s = now_s if state.clean_since_s is None else state.clean_since_s
        if now_s - since_s >= self._params.rearm_s:
            state.is_locked, state.lock_cause, state.clean_since_s = False, "", None
        else:
            state.clean_since_s = since_s

    def _override(self, state: EnvelopeState, vehicle: VehicleState | None, now_s: float) -> bool:
        """Whether the driver steers, or did so shortly before (R79 5.6.2.1.3(a))."""
        torque = None if vehicle is None else vehicle.driver_torque_nm
        if torque is not None and abs(torque) > self._params.override_torque_nm:
            state.override_until_s = now_s + self._params.override_resume_s
            return True
        if state.override_until_s is not None and now_s < state.override_until_s:
            return True
        state.override_until_s = None
        return False

    def _watch_excess(
        self, state: EnvelopeState, vehicle: VehicleState | None, is_override: bool, now_s: float
    ) -> None:
        """The car moves far beyond what may be asked for while we actuate: our actuation is not what we think."""
        since_s = state.engaged_since_s
        if vehicle is None or is_override or since_s is None or now_s - since_s < self._params.excess_after_s:
            state.excess_since_s = None
            return
        factor = self._params.excess_factor
        is_excess = False
        if state.is_lateral and vehicle.yaw_rate_rps is not None:
            lateral = abs(vehicle.yaw_rate_rps * vehicle.speed_mps)
            is_excess = lateral > factor * self.limits.lateral_accel_max_mps2
        driver_pedals = bool(vehicle.is_braking) or (vehicle.brake or 0.0) > 0.0 or (vehicle.accelerator or 0.0) > 0.0
        if state.is_longitudinal and vehicle.accel_mps2 is not None and not driver_pedals:
            low, high = factor * self.limits.accel_min_mps2, factor * self.limits.accel_max_mps2
            is_excess = is_excess or not low <= vehicle.accel_mps2 <= high
        if not is_excess:
            state.excess_since_s = None
            return
        began_s = now_s if state.excess_since_s is None else state.excess_since_s
        state.excess_since_s = began_s
        state.is_locked_out = state.is_locked_out or now_s - began_s > self._params.excess_s

    def _longitudinal(
        self, state: EnvelopeState, demand: ActuationCommand | None, dt_s: float, acted: list[str]
    ) -> None:
        limits = self.limits
        target = 0.0
        is_asked = demand is not None and demand.is_longitudinal_active
        if demand is not None and is_asked:
            target = _clamped(demand.accel_mps2, limits.accel_min_mps2, limits.accel_max_mps2)
            if target != demand.accel_mps2:
                acted.append("accel")
        step = (limits.jerk_max_mps3 if target > state.accel_mps2 else -limits.jerk_min_mps3) * dt_s
        value = _towards(state.accel_mps2, target, step)
        if is_asked and value != target:
            acted.append("jerk")
        is_active = is_asked or abs(value) > ACCEL_EPS_MPS2
        state.is_longitudinal = is_active
        state.accel_mps2 = value if is_active else 0.0
        state.longitudinal_author = self._kept(
            demand.longitudinal_author if demand else "", state.longitudinal_author, is_active
        )
        state.longitudinal_cause = self._cause(
            demand.longitudinal_cause if demand else "", state.longitudinal_cause, state, is_active
        )

    def _cap(
        self,
        state: EnvelopeState,
        demand: ActuationCommand | None,
        vehicle: VehicleState | None,
        dt_s: float,
        acted: list[str],
    ) -> None:
        """The most that the driver's own pedal may ask for (2021/1958, speed control function); never a brake."""
        asked = None if demand is None else demand.accel_cap_mps2
        if asked is None and state.cap_mps2 is None:
            # most of a drive; only a demand that is believed and asks for none clears what the driver refused
            state.cap_pedal = None
            state.is_cap_refused = state.is_cap_refused and demand is None
            return
        if self._lifts(state, None if vehicle is None else vehicle.accelerator):
            state.is_cap_refused = True  # GSR2 6(2)(d): the driver wins, at once
        if state.is_cap_refused:
            state.cap_mps2 = state.cap_pedal = None
            if asked is None:
                state.is_cap_refused = demand is None
            else:
                acted.append("driver_accelerates")
            return
        limits, cap = self.limits, state.cap_mps2
        target = CAP_OPEN_MPS2 if asked is None else _clamped(asked, limits.cap_min_mps2, CAP_OPEN_MPS2)
        if asked is not None and target > asked:
            acted.append("cap")
        if cap is None:
            driven = CAP_OPEN_MPS2 - CAP_HEADROOM_MPS2
            if vehicle is not None and vehicle.accel_mps2 is not None:
                driven = _clamped(vehicle.accel_mps2, 0.0, driven)
            cap = max(target, driven + CAP_HEADROOM_MPS2)
        cap = _towards(cap, target, (limits.cap_jerk_max_mps3 if target > cap else -limits.cap_jerk_min_mps3) * dt_s)
        if asked is not None and cap != target:
            acted.append("cap_jerk")
        state.cap_mps2 = cap if cap < CAP_OPEN_MPS2 else None

    def _lifts(self, state: EnvelopeState, pedal: float | None) -> bool:
        """Whether the driver presses the accelerator far down, or further than since the cap began."""
        if pedal is None:
            return False
        # a foot that goes back takes the mark with it, so that pressing again counts from there
        least = pedal if state.cap_pedal is None else min(state.cap_pedal, pedal)
        state.cap_pedal = least
        return pedal >= self._params.cap_override_accelerator or pedal - least >= self._params.cap_override_rise

    def _lateral(
        self,
        state: EnvelopeState,
        demand: ActuationCommand | None,
        vehicle: VehicleState | None,
        is_override: bool,
        dt_s: float,
        acted: list[str],
    ) -> None:
        is_asked = demand is not None and demand.is_lateral_active
        if not (is_asked or state.is_lateral or state.curvature_1pm):
            # most of a drive: nothing is asked for, and nothing is left to hand back
            state.authority = 0.0
            state.lateral_author = demand.lateral_author if demand else ""
            state.lateral_cause = self._cause(demand.lateral_cause if demand else "", "", state, False)
            return
        limits, params = self.limits, self._params
        speed = state.speed_mps or 0.0
        bound = limits.curvature_max_1pm(speed, state.accel_mps2)
        rate = limits.curvature_rate_max_1pms(speed)
        driven = self._driven_1pm(vehicle)
        is_wanted = is_asked and not is_override
        if is_asked and is_override:
            acted.append("driver_override")
        curvature = state.curvature_1pm
        if is_wanted and not state.is_lateral:
            # begin where the car is: at authority zero this steers nothing, later it would be a step
            curvature = _clamped(driven if driven is not None else 0.0, -bound, bound)
        if is_wanted:
            assert demand is not None
            target = _clamped(demand.curvature_1pm, -bound, bound)
            if target != demand.curvature_1pm:
                acted.append("lateral_accel")
        else:
            target = curvature if driven is None else _clamped(driven, -bound, bound)
        moved = _towards(curvature, target, rate * dt_s)
        if is_wanted and moved != target:
            acted.append("lateral_jerk")
        if abs(moved) > bound:
            # the car got faster: the bound sinks with v^2, slower than any jerk limit; only an unbelievable speed
            # makes this a step, and then less steering is the safe side
            moved = math.copysign(bound, moved)
            acted.append("lateral_accel")
        if is_wanted:
            authority = min(1.0, state.authority + dt_s / params.ramp_in_s)
        else:
            fall_s = params.override_hand_back_s if is_override else params.hand_back_s
            authority = max(0.0, state.authority - dt_s / fall_s)
        is_active = is_wanted or (state.is_lateral and authority > 0.0)
        state.is_lateral = is_active
        state.curvature_1pm = moved if is_active else 0.0
        state.authority = authority if is_active else 0.0
        state.lateral_author = self._kept(demand.lateral_author if demand else "", state.lateral_author, is_active)
        state.lateral_cause = (
            "driver_override"
            if is_override and is_active
            else self._cause(demand.lateral_cause if demand else "", state.lateral_cause, state, is_active)
        )

    @staticmethod
    def _driven_1pm(vehicle: VehicleState | None) -> float | None:
        """Curvature that the car drives, `None` where it cannot be told."""
        if vehicle is None or vehicle.yaw_rate_rps is None or vehicle.speed_mps < TRACK_SPEED_MPS:
            return None
        return vehicle.yaw_rate_rps / vehicle.speed_mps

    @staticmethod
    def _kept(asked: str, former: str, is_active: bool) -> str:
        return asked or (former if is_active else "")

    @staticmethod
    def _cause(asked: str, former: str, state: EnvelopeState, is_active: bool) -> str:
        if state.is_locked_out:
            return "excessive_actuation"
        if state.is_locked:
            return state.lock_cause
        return asked or (former if is_active else "")

    def _outputs(
        self,
        state: EnvelopeState,
        inputs: EnvelopeInputs,
        now_s: float,
        acted: list[str],
        is_override: bool,
        is_refusing: bool,
    ) -> EnvelopeOutputs:
        demand, vehicle = inputs.demand, inputs.vehicle
        oldest_s = -1.0  # as long as nothing came in
        if vehicle is not None and math.isfinite(vehicle.stamp_s):
            oldest_s = max(0.0, now_s - vehicle.stamp_s)
        if demand is not None:
            waited_s = max(0.0, now_s - demand.stamp_s) if math.isfinite(demand.stamp_s) else -1.0
            if demand.oldest_input_age_s is not None and math.isfinite(demand.oldest_input_age_s):
                waited_s = max(0.0, waited_s) + max(0.0, demand.oldest_input_age_s)
            oldest_s = max(oldest_s, waited_s)
        lateral_age_s, lateral_chain = longitudinal_age_s, longitudinal_chain = None, ""
        if demand is not None and math.isfinite(demand.stamp_s):
            waited_s = max(0.0, now_s - demand.stamp_s)
            if demand.is_lateral_active and demand.lateral_age_s is not None and math.isfinite(demand.lateral_age_s):
                lateral_age_s = min(max(0.0, demand.lateral_age_s) + waited_s, 1e6)
                lateral_chain = demand.lateral_chain
            told_s = demand.longitudinal_age_s if _asks_longitudinal(demand) else None
            if told_s is not None and math.isfinite(told_s):
                longitudinal_age_s = min(max(0.0, told_s) + waited_s, 1e6)
                longitudinal_chain = demand.longitudinal_chain
        is_safe = state.is_locked or state.is_locked_out
        limits = tuple(sorted(set(acted))) if acted else ()
        command = make_command(
            stamp_s=now_s,
            author="envelope",
            counter=state.counter,
            is_lateral_active=state.is_lateral,
            curvature_1pm=state.curvature_1pm,
            lateral_authority=state.authority,
            is_longitudinal_active=state.is_longitudinal,
            accel_mps2=state.accel_mps2,
            accel_cap_mps2=state.cap_mps2,
            lateral_author=state.lateral_author,
            lateral_cause=state.lateral_cause,
            longitudinal_author=state.longitudinal_author,
            longitudinal_cause=state.longitudinal_cause,
            is_limited=bool(limits),
            is_safe_stop=is_safe,
            limits=limits,
            oldest_input_age_s=None if oldest_s < 0.0 else min(oldest_s, 1e6),
            oldest_input_chain=self._chains.idle if demand is None else demand.oldest_input_chain,
            lateral_age_s=lateral_age_s,
            lateral_chain=lateral_chain,
            longitudinal_age_s=longitudinal_age_s,
            longitudinal_chain=longitudinal_chain,
        )
        is_active = state.is_lateral or state.is_longitudinal
        is_capping = state.cap_mps2 is not None
        kpis = (float(state.over_budget),)
        if not (is_safe or is_active or is_capping or limits):
            status = lasting_status("idle", float(state.over_budget))
        elif state.is_locked_out:
            status = make_status(
                state="locked_out",
                is_active=is_active or is_capping,
                health=Health.FAULT,
                reason="the car moved far beyond what was commanded; restart after inspection",
                kpis=kpis,
            )
        elif is_safe:
            is_fault = state.lock_cause != "start"
            status = make_status(
                state="handing_back" if is_active or is_capping else "safe",
                is_active=is_active or is_capping,
                health=Health.DEGRADED if is_fault else Health.OK,
                reason=state.lock_cause,
                kpis=kpis,
            )
        elif is_refusing:
            status = make_status(
                state="refusing",
                is_active=is_active or is_capping,
                health=Health.DEGRADED,
                reason=clipped(", ".join(limits)),
                kpis=kpis,
            )
        else:
            name = (
                "override"
                if is_override and is_active
                else "limiting"
                if limits
                else "passing"
                if is_active
                else "capping"
            )
            reason = clipped(", ".join(limits)) if limits else ""
            status = make_status(state=name, is_active=is_active or is_capping, reason=reason, kpis=kpis)
        return make_outputs(command=command, status=status)


def _build(context: BuildContext) -> Envelope:
    market = context.market.envelope
    return Envelope(Limits.of(market, context.vehicle), market, chains_of(context.graph))


SPEC = FunctionSpec(
    name="envelope",
    summary="the last gate: clamps every demand to the market's and the vehicle's limits, or ramps to zero",
    process=Process.GUARD,
    inputs=(
        Input(name="demand", signal=ActuationCommand, max_age_s=0.1, source="arbiter"),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
    ),
    outputs=(Output(name="command", signal=ActuationCommand),),
    inputs_type=EnvelopeInputs,
    outputs_type=EnvelopeOutputs,
    period_s=0.01,
    trigger="demand",
    min_period_s=0.005,
    has_stage=False,
    kpis=("over_budget",),
    build=_build,
)
