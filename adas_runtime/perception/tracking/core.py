"""Tracking: the one owner of road users. What radar and supplier see becomes one list, each road user in it once."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from adas_runtime.function import REST_MAX_S, BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.perception.tracking.fusion import Fusion
from adas_runtime.perception.tracking.params import TrackingParams
from adas_runtime.perception.tracking.radar import Echo, Radar
from adas_runtime.perception.tracking.states import TRANSITIONS, State, View
from adas_runtime.perception.tracking.supplier import OWN_NUMBERS, Supplier, Told
from adas_runtime.records import maker
from adas_runtime.signals import Health, RadarObjects, TrackedObjects, VehicleState

NAME: Final = "tracking"
LEADS_S: Final = 0.15  # three messages: while the supplier's come, the list is told with each of them
GAP_MAX_S: Final = 0.5  # no body is followed over a longer gap of the radar


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads; `None` is absent or too old. A car may lack either sensor for good."""

    objects: TrackedObjects | None = None
    radar: RadarObjects | None = None
    vehicle: VehicleState | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Road users, with each message of the sensor that leads."""

    objects: TrackedObjects | None
    status: Status


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step.

    Args:
        supplier_s, radar_s: Stamp of the last message, `None`: never heard.
        supplier_now_s: When the supplier's came.
        own_mps: Our speed at the last radar message.
        told: The supplier's objects by its number; replaced, never changed.
        echoes: The radar's bodies, at `radar_s`.
        next_number: The next of our own numbers.
        fault, fault_s: What was wrong with a message, and when.
    """

    state: State = State.STANDBY
    reason: str = "no_sensor"
    now_s: float | None = None
    supplier_s: float | None = None
    supplier_now_s: float = 0.0
    radar_s: float | None = None
    own_mps: float = 0.0
    told: Mapping[int, Told] = field(default_factory=dict)
    echoes: tuple[Echo, ...] = ()
    next_number: int = OWN_NUMBERS
    fault: str = ""
    fault_s: float = -math.inf
    figures: tuple[float | None, ...] = ()


make_memory = maker(Memory)
make_objects = maker(TrackedObjects)
make_outputs = maker(Outputs)
make_status = maker(Status)
make_view = maker(View)


class Tracking:
    """One list of road users; see `docs/tracking.md`.

    Absent inputs. No supplier: road users come from the radar alone, of no class. No radar: the supplier's list passes
    through. Neither: nothing is said, so that whoever needs road users knows that nobody looks. No vehicle state: the
    radar's returns cannot be set against the ground and are left out; who is unseen is not carried on. Time running
    back starts everything afresh; numbers go on.
    """

    def __init__(self, params: TrackingParams) -> None:
        self.state = Memory()
        self._params = params
        self._supplier = Supplier(params)
        self._radar = Radar(params)
        self._fusion = Fusion(params)

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One step; total over all inputs."""
        params, old = self._params, self.state
        if old.now_s is None or not now_s >= old.now_s:
            if old.now_s is not None and math.isnan(now_s):
                now_s = old.now_s  # no clock at all: time stands still
            else:
                is_start = old.now_s is None
                fault = "" if is_start else "time_ran_back"
                old = Memory(now_s=now_s, next_number=old.next_number, fault=fault, fault_s=now_s)
        vehicle, objects, radar = inputs.vehicle, inputs.objects, inputs.radar if params.is_radar_used else None
        own_mps: float | None = None
        yaw_rate_rps = 0.0
        if vehicle is not None and math.isfinite(vehicle.speed_mps):
            own_mps = vehicle.speed_mps
            if vehicle.yaw_rate_rps is not None and math.isfinite(vehicle.yaw_rate_rps):
                yaw_rate_rps = vehicle.yaw_rate_rps
        if objects is not None and not math.isfinite(objects.stamp_s):
            objects = None
        if radar is not None and not math.isfinite(radar.stamp_s):
            radar = None

        told, echoes, next_number = old.told, old.echoes, old.next_number
        supplier_s, supplier_now_s = old.supplier_s, old.supplier_now_s
        radar_s, radar_own_mps = old.radar_s, old.own_mps
        fault, fault_s, figures = old.fault, old.fault_s, old.figures
        found = ""
        has_radar = radar is not None and own_mps is not None and (radar_s is None or radar.stamp_s > radar_s)
        if has_radar:
            assert radar is not None and own_mps is not None
            dt_s = 0.0 if radar_s is None else radar.stamp_s - radar_s
            if dt_s > GAP_MAX_S:
                echoes, dt_s = (), 0.0
            echoes, next_number, found = self._radar.followed(
                echoes, radar, dt_s, own_mps, 0.5 * (own_mps + radar_own_mps), yaw_rate_rps, next_number
            )
            radar_s, radar_own_mps = radar.stamp_s, own_mps
        has_told = objects is not None and (supplier_s is None or objects.stamp_s > supplier_s)
        if has_told:
            assert objects is not None
            told, next_number, wrong = self._supplier.followed(
                told, objects, own_mps, [echo.number for echo in echoes], next_number
            )
            found = wrong or found
            supplier_s, supplier_now_s = objects.stamp_s, now_s
        if not found and own_mps is None and (objects is not None or radar is not None):
            found = "vehicle_absent"
        if found:
            fault, fault_s = found, now_s
        elif fault and now_s - fault_s >= params.fault_hold_s:
            fault = ""

        said: TrackedObjects | None = None
        if has_told or (has_radar and (supplier_s is None or now_s - supplier_now_s > LEADS_S)):
            stamp_s = objects.stamp_s if has_told and objects is not None else radar_s
            assert stamp_s is not None
            if not has_told and told:
                told = {at: one for at, one in told.items() if stamp_s - one.stamp_s <= params.coast_s}
            if echoes and (own_mps is None or radar_s is None or abs(stamp_s - radar_s) > params.coast_s):
                echoes = ()
            if echoes:
                assert radar_s is not None and own_mps is not None
                echoes, told, next_number = self._fusion.tied(
                    echoes, told, stamp_s, stamp_s - radar_s, own_mps, next_number
                )
            items, figures = self._fusion.listed(echoes, told, stamp_s, radar_s, own_mps, yaw_rate_rps)
            said = make_objects(stamp_s=stamp_s, objects=items)

        lost = ""
        if objects is None and supplier_s is not None:
            lost = "supplier_lost"
        elif radar is None and radar_s is not None:
            lost = "radar_lost"
        view = make_view(objects is not None, radar is not None, lost, fault)
        state, reason = old.state, old.reason
        row = TRANSITIONS.fire(state, view)
        if row is not None:
            state, reason = row.target, row.reason_for(view)
        self.state = make_memory(
            state=state,
            reason=reason,
            now_s=now_s,
            supplier_s=supplier_s,
            supplier_now_s=supplier_now_s,
            radar_s=radar_s,
            own_mps=radar_own_mps,
            told=told,
            echoes=echoes,
            next_number=next_number,
            fault=fault,
            fault_s=fault_s,
            figures=figures if said is not None or objects is not None or radar is not None else (),
        )
        is_idle = objects is None and radar is None
        return make_outputs(
            objects=said,
            status=make_status(
                state=state._value_,
                is_active=not is_idle,
                health=Health.DEGRADED if lost or fault else Health.OK,
                reason=reason,
                kpis=self.state.figures,
                rest_s=REST_MAX_S if is_idle else 0.0,
            ),
        )


def build(context: BuildContext) -> Tracking:
    """The core for this market."""
    return Tracking(context.market.tracking)


SPEC: Final = FunctionSpec(
    name=NAME,
    summary="The one list of road users that all functions share: radar and supplier, each road user once.",
    process=Process.DECISION,
    inputs=(
        Input(name="objects", signal=TrackedObjects, max_age_s=0.3, source="object_supplier", is_optional=True),
        Input(name="radar", signal=RadarObjects, max_age_s=0.3, is_optional=True),
        Input(name="vehicle", signal=VehicleState, max_age_s=0.2, is_optional=True),
    ),
    # an event: in a car that lacks both sensors none ever comes
    outputs=(Output(name="objects", signal=TrackedObjects, is_periodic=False),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.1,
    trigger=("objects", "radar"),
    min_period_s=0.005,
    has_stage=False,
    kpis=("objects", "of_both", "radar_alone", "standing", "unseen"),
    build=build,
)
