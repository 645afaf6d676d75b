"""The arbiter: of all that functions ask for, one demand; the driver first, then a fixed order, never a vote.

The order is that of the arbitration sheet (aeb.md section 5): it is data, the two enumerations below. Within a rank the
most restrictive request wins (Nav2's collision monitor). The result keeps author and cause of what won, so that log,
recorder and report can tell why the car moves as it does. Nothing here limits: that is the envelope's work.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import IntEnum

from adas_runtime.arbitration.params import EnvelopeParams
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.records import maker
from adas_runtime.signals import ActuationCommand, LateralRequest, LongitudinalRequest, VehicleState

COUNTER_MODULO = 65536


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
    """

    is_active: bool = False
    value: float = 0.0
    author: str = ""
    cause: str = "no_request"
    stamp_s: float | None = None


NOTHING = Choice()
make_demand = maker(ActuationCommand)
make_outputs = maker(ArbiterOutputs)
make_status = maker(Status)
IDLE = Status(state="idle")


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
    return Choice(is_active=True, value=won.curvature_1pm, author=won.author, cause=won.cause, stamp_s=won.stamp_s)


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
    )


class Arbiter:
    """Makes one demand of all requests; `state` is the counter of the last demand."""

    def __init__(self, params: EnvelopeParams) -> None:
        self._params = params
        self.state: int = 0

    def step(self, inputs: ArbiterInputs, now_s: float) -> ArbiterOutputs:
        """One demand; without a vehicle state nothing is asked for, since nobody could tell what the driver does."""
        self.state = (self.state + 1) % COUNTER_MODULO
        vehicle = inputs.vehicle
        if vehicle is not None and not inputs.lateral and not inputs.longitudinal:  # most of a drive
            return make_outputs(
                demand=make_demand(
                    stamp_s=now_s,
                    author="arbiter",
                    counter=self.state,
                    lateral_cause=NOTHING.cause,
                    longitudinal_cause=NOTHING.cause,
                    oldest_input_age_s=max(0.0, now_s - vehicle.stamp_s),
                ),
                status=IDLE,
            )
        if vehicle is None:
            lateral = longitudinal = cap = Choice(cause="vehicle_absent")
        else:
            lateral = choose_lateral(inputs.lateral, vehicle, self._params.override_torque_nm)
            longitudinal = choose_longitudinal(inputs.longitudinal, vehicle, self._params.kick_down)
            cap = choose_cap(inputs.longitudinal, vehicle, self._params.kick_down)
        named = cap if longitudinal is NOTHING else longitudinal  # one author and cause for the axis
        oldest_s = None if vehicle is None else vehicle.stamp_s
        for stamp_s in (lateral.stamp_s, longitudinal.stamp_s, cap.stamp_s):
            if stamp_s is not None and (oldest_s is None or stamp_s < oldest_s):
                oldest_s = stamp_s
        demand = make_demand(
            stamp_s=now_s,
            author="arbiter",
            counter=self.state,
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
            oldest_input_age_s=None if oldest_s is None else max(0.0, now_s - oldest_s),
        )
        is_active = lateral.is_active or longitudinal.is_active or cap.is_active
        if vehicle is not None and not is_active:
            return make_outputs(demand=demand, status=IDLE)
        state = "blind" if vehicle is None else "demanding" if is_active else "idle"
        return make_outputs(
            demand=demand,
            status=make_status(
                state=state, is_active=is_active, reason="vehicle state is absent" if vehicle is None else ""
            ),
        )


def _build(context: BuildContext) -> Arbiter:
    return Arbiter(context.market.envelope)


SPEC = FunctionSpec(
    name="arbiter",
    summary="makes one demand of all requests: the driver first, then a fixed order",
    process=Process.DECISION,
    inputs=(
        Input(name="lateral", signal=LateralRequest, max_age_s=0.2, many=True),
        Input(name="longitudinal", signal=LongitudinalRequest, max_age_s=0.2, many=True),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.1),
    ),
    outputs=(Output(name="demand", signal=ActuationCommand),),
    inputs_type=ArbiterInputs,
    outputs_type=ArbiterOutputs,
    period_s=0.02,
    trigger="vehicle",
    min_period_s=0.005,
    has_stage=False,
    build=_build,
)
