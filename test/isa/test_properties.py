"""What holds for any drive: the driver wins, nothing unsigned is shown as signed, nothing outlives its rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from isa_drives import RULES, kmh, params
from signal_values import records

from adas_runtime.conditions import Circumstances, Condition, holds, read
from adas_runtime.isa.core import Inputs, Isa, Outputs
from adas_runtime.isa.params import SWITCH_BUTTON
from adas_runtime.signals import (
    BodyState,
    DriverInput,
    Horizon,
    HorizonSegment,
    LimitKind,
    LimitSource,
    RoadClass,
    SignKind,
    SignObservation,
    SignObservations,
    SpeedUnit,
    VehicleState,
)

DT_S = 0.2
FORMS = ("acoustic", "vibration", "haptic", "speed_control", "information")
LIMITS = (30.0, 50.0, 80.0, 120.0)

observation = st.builds(
    SignObservation,
    kind=st.sampled_from(SignKind),
    value_mps=st.none() | st.sampled_from(LIMITS).map(kmh),
    unit=st.sampled_from(SpeedUnit),
    x_m=st.none() | st.floats(0.0, 8.0),
    supplement=st.sampled_from(["", "", "", "wet", "22:00-06:00", "weight>7.5", "trailer", "for 300 m", "exit", "?"]),
    lane=st.sampled_from([None, None, 0, 1, -1]),
    is_lit=st.sampled_from([None, True, False]),
    is_temporary=st.booleans(),
    confidence=st.floats(0.3, 1.0),
)
segment = st.builds(
    HorizonSegment,
    offset_m=st.just(-100.0),
    length_m=st.just(2000.0),
    probability=st.just(1.0),
    road_class=st.sampled_from(RoadClass),
    limit_mps=st.none() | st.sampled_from(LIMITS).map(kmh),
    limit_kind=st.sampled_from(LimitKind),
    limit_confidence=st.floats(0.0, 1.0),
    is_built_up=st.sampled_from([None, True, False]),
    is_dual_carriageway=st.sampled_from([None, True, False]),
    lanes=st.sampled_from([None, 1, 2]),
    is_link=st.booleans(),
    country=st.sampled_from(["", "DE", "FR", "GB", "XX"]),
)
body = st.builds(
    dict,
    is_master_switch_on=st.sampled_from([None, True, True, True, False]),
    is_driver_door_open=st.sampled_from([None, False, True]),
    is_raining=st.sampled_from([None, False, True]),
    is_trailer_coupled=st.sampled_from([None, False, True]),
    indicated_speed_mps=st.none() | st.floats(0.0, 60.0),
)
leg = st.fixed_dictionaries(
    {
        "seconds": st.sampled_from([0.4, 1.0, 5.0, 20.0]),
        "v_kmh": st.sampled_from([0.0, 30.0, 55.0, 90.0, 140.0, 200.0]),
        "yaw_rate_rps": st.sampled_from([0.0, 0.0, 0.0, 0.5]),
        "accelerator": st.sampled_from([0.0, 0.2, 0.5, 1.0]),
        "signs": st.lists(observation, max_size=3).map(tuple),
        "segment": st.none() | segment,
        "body": st.none() | body,
        "is_pressed": st.booleans(),
        "has_vehicle": st.sampled_from([True, True, True, True, False]),
    }
)
drives = st.lists(leg, min_size=1, max_size=8)


def play(core: Isa, legs: list[dict[str, Any]]) -> list[tuple[Inputs, Outputs, float, Any]]:
    """Every step of a drive: what went in, what came out, when, and the state behind it."""
    now_s, said = 1000.0, []
    for item in legs:
        for step in range(max(2, round(item["seconds"] / DT_S))):
            now_s += DT_S
            fields = {key: value for key, value in (item["body"] or {}).items() if value is not None}
            inputs = Inputs(
                vehicle=VehicleState(
                    stamp_s=now_s,
                    speed_mps=kmh(item["v_kmh"]),
                    yaw_rate_rps=item["yaw_rate_rps"],
                    accelerator=item["accelerator"],
                )
                if item["has_vehicle"]
                else None,
                body=None if item["body"] is None else BodyState(stamp_s=now_s, **fields),
                driver=DriverInput(stamp_s=now_s, pressed=(SWITCH_BUTTON,) if item["is_pressed"] and step == 0 else ()),
                signs=SignObservations(stamp_s=now_s, signs=item["signs"]) if step < 4 else None,
                horizon=None
                if item["segment"] is None
                else Horizon(stamp_s=now_s, is_matched=True, confidence=0.9, segments=(item["segment"],)),
            )
            said.append((inputs, core.step(inputs, now_s), now_s, core.state))
    return said


@given(drives, st.sampled_from(FORMS))
@settings(max_examples=60)
def test_no_state_shows_an_unsigned_limit_as_signed(legs: list[dict[str, Any]], form: str) -> None:
    """What is called explicit stood on a sign that the camera read with that number, or in the map as signed."""
    numbers = {
        sign.value_mps
        for item in legs
        for sign in item["signs"]
        if sign.kind
        not in (SignKind.ADVISORY_SPEED, SignKind.MINIMUM_SPEED, SignKind.UNKNOWN, SignKind.END_OF_SPEED_LIMIT)
    }
    for inputs, result, _, _ in play(Isa(params(feedback=form), RULES, "DE"), legs):
        limit = result.limit
        if limit is None:
            continue
        mapped = [s for s in (inputs.horizon.segments if inputs.horizon else ()) if s.limit_kind is LimitKind.EXPLICIT]
        if limit.source is LimitSource.SIGN:
            assert limit.kind is LimitKind.EXPLICIT and limit.limit_mps in numbers
        elif limit.kind is LimitKind.EXPLICIT:
            assert limit.source is LimitSource.MAP and limit.limit_mps in {s.limit_mps for s in mapped}
        if limit.source in (LimitSource.DEFAULT, LimitSource.IMPLICIT_SIGN, LimitSource.VEHICLE):
            assert limit.kind in (LimitKind.IMPLICIT, LimitKind.NO_LIMIT)
        assert (limit.kind is LimitKind.UNKNOWN) == (limit.source is LimitSource.NONE)
        if limit.kind in (LimitKind.UNKNOWN, LimitKind.NO_LIMIT):
            assert limit.limit_mps is None and not limit.is_exceeded


@given(drives)
@settings(max_examples=60)
def test_no_limit_outlives_its_rule(legs: list[dict[str, Any]]) -> None:
    """By distance and time, whatever happens between; the map's and the law's hold for the present road alone."""
    rule = params(hold_distance_m=400.0, hold_s=30.0, variable_hold_distance_m=200.0, variable_hold_s=15.0)
    for inputs, result, now_s, state in play(Isa(rule, RULES, "DE"), legs):
        limit = result.limit
        if limit is None:
            continue
        if limit.source in (LimitSource.SIGN, LimitSource.IMPLICIT_SIGN):
            assert limit.distance_m is not None and limit.distance_m <= rule.hold_distance_m + 1e-6
            assert limit.age_s is not None and limit.age_s <= rule.hold_s + 1e-6
        if limit.source in (LimitSource.MAP, LimitSource.DEFAULT):
            assert inputs.horizon, "no map now, no limit of the map"
        assert inputs.vehicle is not None or limit.kind is LimitKind.UNKNOWN
        for layer in (state.sources.variable, state.sources.permanent, state.sources.temporary):
            assert all(sign.passed_s <= now_s for sign in layer.signs)


@given(drives, st.sampled_from(FORMS))
@settings(max_examples=60)
def test_the_driver_always_wins(legs: list[dict[str, Any]], form: str) -> None:
    for inputs, result, _, state in play(Isa(params(feedback=form), RULES, "DE"), legs):
        assert inputs.vehicle is None or inputs.vehicle.accelerator is not None
        alert, request = result.alert, result.request
        is_floored = inputs.vehicle is not None and inputs.vehicle.accelerator == 1.0
        if is_floored:
            assert request is None or not request.is_active, "kick-down is never capped"
            assert alert is None or form != "haptic" or not (alert.is_active and alert.is_haptic)
        if state.switch.is_off:
            assert request is None or not request.is_active
            assert alert is None or not alert.is_active or alert.code == "isa_fault"
        if request is not None and request.is_active:
            assert form == "speed_control" and request.accel_mps2 <= 2.0
        if form == "information":
            assert alert is None or alert.code == "isa_fault"


@given(st.lists(st.tuples(records(SignObservations), records(Horizon), records(BodyState)), max_size=6))
@settings(max_examples=40)
def test_it_is_total(values: list[tuple[SignObservations, Horizon, BodyState]]) -> None:
    core, now_s = Isa(params(), RULES, "DE"), 1000.0
    for signs, horizon, state in values:
        now_s += DT_S
        result = core.step(
            Inputs(
                vehicle=VehicleState(stamp_s=now_s, speed_mps=20.0),
                signs=replace(signs, stamp_s=now_s),
                horizon=replace(horizon, stamp_s=now_s),
                body=replace(state, stamp_s=now_s),
            ),
            now_s,
        )
        assert result.status.state


@given(st.floats(0.0, 2e9), st.floats(-50400.0, 50400.0))
def test_the_calendar_s_clock_ages_nothing(utc_s: float, offset_s: float) -> None:
    """sunnypilot subtracted wall-clock stamps from a monotonic clock: its stale-map guard could never fire."""
    core, now_s = Isa(params(), RULES, "DE"), 10.0  # a clock that began at the start, as a monotonic one does
    sign = SignObservation(kind=SignKind.SPEED_LIMIT, value_mps=kmh(50.0), confidence=0.9)
    limits = []
    for step in range(20):
        now_s += DT_S
        result = core.step(
            Inputs(
                vehicle=VehicleState(stamp_s=now_s, speed_mps=10.0),
                signs=SignObservations(stamp_s=now_s, signs=(sign,)) if step < 3 else None,
                body=BodyState(stamp_s=now_s, utc_s=utc_s + step * 1e5, utc_offset_s=offset_s),
            ),
            now_s,
        )
        assert result.limit is not None
        limits.append(result.limit)
    assert limits[-1].limit_mps == kmh(50.0)
    assert limits[-1].age_s is not None and abs(limits[-1].age_s - 18 * DT_S) < 3 * DT_S


def test_a_limit_of_a_map_that_ended_is_gone_at_once() -> None:
    """The other half of that trap: the guard does fire."""
    core, now_s = Isa(params(), RULES, "DE"), 10.0
    piece = HorizonSegment(
        offset_m=-10.0, length_m=500.0, probability=1.0, limit_mps=kmh(70.0), limit_kind=LimitKind.EXPLICIT
    )
    kinds = []
    for step in range(4):
        now_s += DT_S
        horizon = Horizon(stamp_s=now_s, is_matched=True, confidence=0.9, segments=(piece,)) if step < 2 else None
        result = core.step(Inputs(vehicle=VehicleState(stamp_s=now_s, speed_mps=10.0), horizon=horizon), now_s)
        assert result.limit is not None
        kinds.append(result.limit.kind)
    assert kinds == [LimitKind.EXPLICIT, LimitKind.EXPLICIT, LimitKind.UNKNOWN, LimitKind.UNKNOWN]


@given(st.text(max_size=64))
def test_any_plate_is_read_and_what_is_not_understood_is_not_applied(text: str) -> None:
    condition = read(text)
    assert isinstance(condition, Condition)
    truth = holds(condition, Circumstances())
    assert (
        truth is None
        or not condition.atoms
        or any(
            atom in ("car", "motorcar", "motorcycle", "bus", "coach", "hgv", "goods") or "weight" in atom
            for atom in condition.atoms
        )
    )
