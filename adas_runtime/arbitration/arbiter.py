"""The arbiter: of all that functions ask for, one demand; the driver first, then a fixed order, never a vote.

The order is that of the arbitration sheet (aeb.md section 5): it is data, the two enumerations below. Within a rank the
most restrictive request wins (Nav2's collision monitor). The result keeps author and cause of what won, so that log,
recorder and report can tell why the car moves as it does. Nothing here limits: that is the envelope's work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

from adas_runtime.arbitration.chains import ROUNDING_S, Chains, chains_of
from adas_runtime.arbitration.params import EnvelopeParams
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status, lasting_status
from adas_runtime.records import maker
from adas_runtime.signals import ActuationCommand, Health, LateralRequest, LongitudinalRequest, VehicleState

COUNTER_MODULO = 65536
OVER_BUDGET: Final = "over_budget"  # what a request rests on is older than its chain may be


class LongitudinalRank(IntEnum):
    """`LongitudinalRequest.priority`; the driver is above all of them."""

    EMERGENCY_BRAKING = 2  # AEB
    EMERGENCY_MANOEUVRE = 3  # ALKS emergency manoeuvre, then minimum-risk manoeuvre
    DECELERATION = 4  # ACC, DCAS, ALKS
    SPEED_CAP = 5  # ISA and speed limiter: an upper bound on propulsion and on the driver's pedal, never on a brake
    PROPULSION = 6


class LateralRank(IntEnum):
    """`LateralRequest.priority`; the driver's steering is above all of them."""

    EMERGENCY_STEERING = 3
    LANE_CENTRING = 4
    COMFORT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterInputs:
    """What the arbiter reads."""

    lateral: tuple[LateralRequest, ...]
    longitudinal: tuple[LongitudinalRequest, ...]
    vehicle: VehicleState | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArbiterOutputs:
    """One demand with every step."""

    demand: ActuationCommand | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What won on one axis, or why nothing did.

    Args:
        value: Curvature [1/m] or acceleration [m/s^2]; 0 where nothing is asked for.
        stamp_s: Oldest stamp that the value rests on; `None` without a request.
        oldest_input: Which of its author's inputs that is.
    """

    is_active: bool = False
    value: float = 0.0
    author: str = ""
    cause: str = "no_request"
    stamp_s: float | None = None
    oldest_input: str = ""


State = tuple[int, int]  # counter of the last demand; requests that were passed over for the age of their chain
Request = TypeVar("Request", LateralRequest, LongitudinalRequest)
NOTHING = Choice()
make_demand = maker(ActuationCommand)
make_outputs = maker(ArbiterOutputs)
make_status = maker(Status)


def choose_lateral(requests: tuple[LateralRequest, ...], vehicle: VehicleState, override_torque_nm: float) -> Choice:
    """The lateral demand: lowest rank, then smallest curvature, then author's name."""
    if not requests:  # most of a drive
        return NOTHING
    active = [r for r in requests if r.is_active and math.isfinite(r.curvature_1pm)]
    if not active:
        return NOTHING
    torque = vehicle.driver_torque_nm
    if torque is not None and abs(torque) > override_torque_nm:
        # R79 5.6.2.1.3(a): the driver's steering wins over every function
        return Choice(author="driver", cause="driver_steers")
    won = min(active, key=lambda r: (r.priority, abs(r.curvature_1pm), r.author))
    return Choice(
        is_active=True,
        value=won.curvature_1pm,
        author=won.author,
        cause=won.cause,
        stamp_s=won.stamp_s,
        oldest_input=won.oldest_input,
    )


def choose_longitudinal(requests: tuple[LongitudinalRequest, ...], vehicle: VehicleState, kick_down: float) -> Choice:
    """The longitudinal demand.

    R1 the strongest valid braking wins; R2 no propulsion while emergency braking is asked for; R3 a speed cap bounds
    propulsion and never weakens a brake (what it does to the driver's own pedal: `choose_cap`); the driver's brake ends
    propulsion and never a braking request. Kick-down interrupts emergency braking (R152 5.3.2, sheet B18) and nothing
    else: what ACC then asks for is its own decision.
    """
    if not requests:
        return NOTHING
    active = [r for r in requests if r.is_active and math.isfinite(r.accel_mps2)]
    if vehicle.accelerator is not None and vehicle.accelerator >= kick_down:
        kept = [r for r in active if r.priority != LongitudinalRank.EMERGENCY_BRAKING]
        if active and not kept:
            return Choice(author="driver", cause="driver_kick_down")
        active = kept
    if not active:
        return NOTHING
    braking = [r for r in active if r.accel_mps2 < 0.0 and r.priority != LongitudinalRank.SPEED_CAP]
    if braking:
        return _won(min(braking, key=lambda r: (r.accel_mps2, r.priority, r.author)))
    if any(r.priority == LongitudinalRank.EMERGENCY_BRAKING for r in active):
        # it holds the car at zero: nobody may accelerate meanwhile
        return _won(min(active, key=lambda r: (r.priority, r.accel_mps2, r.author)), value=0.0)
    if vehicle.is_braking or (vehicle.brake is not None and vehicle.brake > 0.0):
        return Choice(author="driver", cause="driver_brakes")
    if all(r.priority == LongitudinalRank.SPEED_CAP for r in active):
        return NOTHING  # the driver drives alone: `choose_cap` bounds what the pedal may ask for
    weakest = min(active, key=lambda r: (max(r.accel_mps2, 0.0), r.priority, r.author))
    return _won(weakest, value=max(weakest.accel_mps2, 0.0))


def choose_cap(requests: tuple[LongitudinalRequest, ...], vehicle: VehicleState, kick_down: float) -> Choice:
    """The most that the driver's own pedal may ask for: the lowest cap; a floored pedal is above all of them."""
    if not requests:
        return NOTHING
    caps = [
        r for r in requests if r.is_active and r.priority == LongitudinalRank.SPEED_CAP and math.isfinite(r.accel_mps2)
    ]
    if not caps:
        return NOTHING
    if vehicle.accelerator is not None and vehicle.accelerator >= kick_down:
        return Choice(author="driver", cause="driver_kick_down")
    return _won(min(caps, key=lambda r: (r.accel_mps2, r.author)))


def _won(request: LongitudinalRequest, value: float | None = None) -> Choice:
    return Choice(
        is_active=True,
        value=request.accel_mps2 if value is None else value,
        author=request.author,
        cause=request.cause,
        stamp_s=request.stamp_s,
        oldest_input=request.oldest_input,
    )


class Arbiter:
    """Makes one demand of all requests."""

    def __init__(self, params: EnvelopeParams, chains: Chains | None = None) -> None:
        self._params = params
        self._chains = Chains() if chains is None else chains
        self.state: State = (0, 0)

    def step(self, inputs: ArbiterInputs, now_s: float) -> ArbiterOutputs:
        """One demand; without a vehicle state nothing is asked for, since nobody could tell what the driver does."""
        counter, over_budget = self.state
        counter = (counter + 1) % COUNTER_MODULO
        vehicle = inputs.vehicle
        if vehicle is not None and not inputs.lateral and not inputs.longitudinal:  # most of a drive
            self.state = counter, over_budget
            return make_outputs(
                demand=make_demand(
                    stamp_s=now_s,
                    author="arbiter",
                    counter=counter,
                    lateral_cause=NOTHING.cause,
                    longitudinal_cause=NOTHING.cause,
                    oldest_input_age_s=max(0.0, now_s - vehicle.stamp_s),
                    oldest_input_chain=self._chains.idle,
                ),
                status=lasting_status("idle", float(over_budget)),
            )
        late: tuple[str, ...] = ()
        if vehicle is None:
            lateral = longitudinal = cap = Choice(cause="vehicle_absent")
        else:
            steering, late_steering = self._in_time(inputs.lateral, now_s)
            driving, late_driving = self._in_time(inputs.longitudinal, now_s)
            lateral = choose_lateral(steering, vehicle, self._params.override_torque_nm)
            longitudinal = choose_longitudinal(driving, vehicle, self._params.kick_down)
            cap = choose_cap(driving, vehicle, self._params.kick_down)
            late = (*late_steering, *late_driving)
            over_budget += len(late)
            if late_steering and lateral is NOTHING:
                lateral = Choice(author=late_steering[0], cause=OVER_BUDGET)
            if late_driving and longitudinal is NOTHING and cap is NOTHING:
                longitudinal = Choice(author=late_driving[0], cause=OVER_BUDGET)
        self.state = counter, over_budget
        named = cap if longitudinal is NOTHING else longitudinal  # one author and cause for the axis
        age_s = None if vehicle is None else max(0.0, now_s - vehicle.stamp_s)
        chain = "" if vehicle is None else self._chains.idle
        lateral_age_s, lateral_chain = self._told(lateral, now_s)
        longitudinal_age_s, longitudinal_chain = self._told(longitudinal, now_s)
        cap_age_s, cap_chain = self._told(cap, now_s)
        if cap_age_s is not None and (longitudinal_age_s is None or cap_age_s > longitudinal_age_s):
            longitudinal_age_s, longitudinal_chain = cap_age_s, cap_chain
        for other_s, other in ((lateral_age_s, lateral_chain), (longitudinal_age_s, longitudinal_chain)):
            if other_s is not None and (age_s is None or other_s > age_s):
                age_s, chain = other_s, other
        demand = make_demand(
            stamp_s=now_s,
            author="arbiter",
            counter=counter,
            is_lateral_active=lateral.is_active,
            curvature_1pm=lateral.value,
            lateral_authority=1.0 if lateral.is_active else 0.0,
            is_longitudinal_active=longitudinal.is_active,
            accel_mps2=longitudinal.value,
            lateral_author=lateral.author,
            lateral_cause=lateral.cause,
            accel_cap_mps2=cap.value if cap.is_active else None,
            longitudinal_author=named.author,
            longitudinal_cause=named.cause,
            oldest_input_age_s=age_s,
            oldest_input_chain=chain,
            lateral_age_s=lateral_age_s,
            lateral_chain=lateral_chain,
            longitudinal_age_s=longitudinal_age_s,
            longitudinal_chain=longitudinal_chain,
        )
        is_active = lateral.is_active or longitudinal.is_active or cap.is_active
        if vehicle is not None and not is_active and not late:
            return make_outputs(demand=demand, status=lasting_status("idle", float(over_budget)))
        reason = "vehicle state is absent" if vehicle is None else ""
        if late:
            reason = f"{OVER_BUDGET}: {', '.join(late)}"
        return make_outputs(
            demand=demand,
            status=make_status(
                state="blind" if vehicle is None else "demanding" if is_active else "idle",
                is_active=is_active,
                health=Health.DEGRADED if late else Health.OK,
                reason=reason,
                kpis=(float(over_budget),),
            ),
        )

    def _in_time(self, requests: tuple[Request, ...], now_s: float) -> tuple[tuple[Request, ...], tuple[str, ...]]:
        """The requests whose oldest information is young enough for their chain, and who asked with older."""
        late = tuple(
            r.author
            for r in requests
            if r.is_active and not now_s - r.stamp_s <= self._chains.of(r.author, r.oldest_input).budget_s + ROUNDING_S
        )
        return (tuple(r for r in requests if r.author not in late) if late else requests), late

    def _told(self, choice: Choice, now_s: float) -> tuple[float | None, str]:
        """Age and way of what a choice rests on."""
        if choice.stamp_s is None:
            return None, ""
        return max(0.0, now_s - choice.stamp_s), self._chains.of(choice.author, choice.oldest_input).text


def _build(context: BuildContext) -> Arbiter:
    return Arbiter(context.market.envelope, chains_of(context.graph))


SPEC = FunctionSpec(
    name="arbiter",
    summary="makes one demand of all requests: the driver first, then a fixed order",
    process=Process.DECISION,
    inputs=(
        # beyond the greatest budget of a chain, so that what is over it is told, and not just gone
        Input(name="lateral", signal=LateralRequest, max_age_s=0.4, many=True),
        Input(name="longitudinal", signal=LongitudinalRequest, max_age_s=0.4, many=True),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
    ),
    outputs=(Output(name="demand", signal=ActuationCommand),),
    inputs_type=ArbiterInputs,
    outputs_type=ArbiterOutputs,
    period_s=0.02,
    trigger="vehicle",
    min_period_s=0.005,
    has_stage=False,
    kpis=("over_budget",),
    build=_build,
)
