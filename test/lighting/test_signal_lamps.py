"""Signal lamps: the test vectors V19 to V28 and V31 of UN R48, R13-H and R157, then what always holds."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lamp_drives import NONE, OFF, ON, START_S, Lit, SignalDrive, asks, road_user, signal_params, truck
from pydantic import ValidationError

from adas_runtime.lighting.params import is_flash_rate
from adas_runtime.lighting.signal_lamps import Inputs, SignalLamps, rear_alert_limit_s
from adas_runtime.lighting.signal_states import REASONS, TRANSITIONS, State, View
from adas_runtime.signals import ActuationCommand, Indicator, LampDemand, ObjectClass, VehicleState


def is_ess(lit: Lit) -> bool:
    return lit.lamps.emergency_stop_signal is ON


def command(accel_mps2: float, *, is_active: bool = True) -> ActuationCommand:
    return ActuationCommand(
        stamp_s=START_S, author="envelope", counter=0, is_longitudinal_active=is_active, accel_mps2=accel_mps2
    )


# --- emergency stop signal --------------------------------------------------------------------------------------------


@pytest.mark.clause("R48 6.23.7.3.1")
@pytest.mark.parametrize("speed_kmh", [20.0, 49.9, 50.0])
def test_v19_not_up_to_50_kmh(speed_kmh: float) -> None:
    assert not any(is_ess(lit) for lit in SignalDrive().hold(2.0, speed_kmh=speed_kmh, decel_mps2=8.0))
    told = SignalDrive().hold(2.0, speed_kmh=speed_kmh, is_emergency_brake_signal=True)
    assert not any(is_ess(lit) for lit in told)


@pytest.mark.clause("R13-H 5.2.23.1")
def test_v20_not_below_6() -> None:
    assert not any(is_ess(lit) for lit in SignalDrive().hold(2.0, speed_kmh=50.1, decel_mps2=5.9))


@pytest.mark.clause("R48 6.23.7.3.1")
@pytest.mark.clause("R13-H 5.2.23.1")
@pytest.mark.parametrize(("speed_kmh", "decel_mps2"), [(80.0, 6.0), (50.1, 6.0), (130.0, 10.0)])
def test_v21_above_50_kmh_from_6_on(speed_kmh: float, decel_mps2: float) -> None:
    drive = SignalDrive()
    drive.hold(1.0)
    on = drive.hold(0.5, speed_kmh=speed_kmh, decel_mps2=decel_mps2)
    assert is_ess(on[-1]) and next(lit.t_s for lit in on if is_ess(lit)) - on[0].t_s <= 0.2


def test_v21_a_pothole_is_no_emergency() -> None:
    drive = SignalDrive()
    steps = [drive.step(decel_mps2=9.0), drive.step(), drive.step(decel_mps2=9.0), drive.step()]
    assert not any(is_ess(lit) for lit in steps)


@pytest.mark.clause("R13-H 5.2.23.1")
def test_v22_off_below_2_5() -> None:
    drive = SignalDrive()
    drive.hold(0.5, decel_mps2=8.0)
    assert is_ess(drive.step(decel_mps2=2.6)) and not is_ess(drive.step(decel_mps2=2.4))
    assert not is_ess(drive.step(decel_mps2=5.9)), "it begins anew at 6 only"


@pytest.mark.clause("R48 6.23.7.3.2")
def test_v23_hazard_beats_it() -> None:
    drive = SignalDrive()
    drive.hold(0.5, decel_mps2=8.0)
    lit = drive.step(decel_mps2=8.0, is_hazard_on=True)
    assert lit.lamps.emergency_stop_signal is OFF and lit.lamps.hazard is ON and lit.reason == "driver_hazard"


def test_v24_it_outlives_50_kmh() -> None:
    drive = SignalDrive()
    drive.hold(0.5, decel_mps2=8.0, speed_kmh=60.0)
    assert all(is_ess(lit) for lit in drive.hold(0.5, decel_mps2=7.0, speed_kmh=30.0))


@pytest.mark.clause("R13-H 5.2.23.2")
def test_v25_abs_on_ice() -> None:
    drive = SignalDrive()
    assert not is_ess(drive.step(speed_kmh=60.0, decel_mps2=3.0, is_abs_cycling=False))
    assert is_ess(drive.step(speed_kmh=60.0, decel_mps2=3.0, is_abs_cycling=True))
    assert is_ess(drive.step(speed_kmh=45.0, decel_mps2=3.0, is_abs_cycling=True))
    assert not is_ess(drive.step(speed_kmh=44.0, decel_mps2=3.0, is_abs_cycling=False))
    assert not is_ess(drive.step(speed_kmh=44.0, decel_mps2=3.0, is_abs_cycling=True)), "it begins above 50 km/h"


@pytest.mark.clause("R13-H 5.2.23")
@pytest.mark.parametrize("told", [True, False])
def test_the_braking_system_s_own_signal_decides_where_it_is_told(told: bool) -> None:
    decel_mps2 = 3.0 if told else 8.0
    steps = SignalDrive().hold(1.0, decel_mps2=decel_mps2, is_emergency_brake_signal=told)
    assert is_ess(steps[-1]) is told


@pytest.mark.clause("R13 5.2.1.31")
def test_l47_heavy_vehicles_from_4_on() -> None:
    assert is_ess(SignalDrive(vehicle=truck()).hold(0.5, decel_mps2=4.0)[-1])
    assert not is_ess(SignalDrive(vehicle=truck()).hold(0.5, decel_mps2=3.9)[-1])


@pytest.mark.clause("R48 6.23.7.1")
@pytest.mark.parametrize(
    ("source", "rate_hz", "is_legal"),
    [
        ("led", 3.0, True),
        ("led", 4.0, True),
        ("led", 5.0, True),
        ("led", 2.9, False),
        ("led", 5.1, False),
        ("filament", 3.0, True),
        ("filament", 4.0, True),
        ("filament", 4.1, False),
        ("filament", 2.9, False),
    ],
)
def test_v26_rates_of_flashing(source: str, rate_hz: float, is_legal: bool) -> None:
    assert is_flash_rate(rate_hz, source == "filament") is is_legal
    if is_legal:
        assert signal_params(ess_source=source, ess_rate_hz=rate_hz).ess_rate_hz == rate_hz
    else:
        with pytest.raises(ValidationError):
            signal_params(ess_source=source, ess_rate_hz=rate_hz)


@pytest.mark.clause("R48 6.23.7.1")
@pytest.mark.parametrize("rate_hz", [3.5, 4.0])
def test_v26_the_rate_goes_with_the_signal_and_with_nothing_else(rate_hz: float) -> None:
    drive = SignalDrive(params=signal_params(ess_source="filament", ess_rate_hz=rate_hz))
    steps = drive.hold(1.0) + drive.hold(1.0, decel_mps2=8.0) + drive.hold(1.0)
    assert {lit.lamps.emergency_stop_rate_hz for lit in steps if is_ess(lit)} == {rate_hz}
    assert {lit.lamps.emergency_stop_rate_hz for lit in steps if not is_ess(lit)} == {None}


@pytest.mark.parametrize(
    "wrong",
    [
        {"ess_from_kmh": 49.0},
        {"ess_decel_mps2": 5.9},
        {"ess_release_mps2": 2.4},
        {"rear_alert_ttc_s": 1.5},
        {"ess_decel_heavy_mps2": 3.9},
        {"ess_release_mps2": 4.5},
        {"rear_alert_longest_s": 3.1},
    ],
)
def test_no_market_can_leave_the_law(wrong: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        signal_params(**wrong)


def test_a_car_without_the_signal_does_not_ask_for_it() -> None:
    steps = SignalDrive(params=signal_params(has_emergency_stop_signal=False)).hold(1.0, decel_mps2=9.0)
    assert {lit.lamps.emergency_stop_signal for lit in steps} == {NONE}


def test_without_the_vehicle_s_state_it_ends() -> None:
    drive = SignalDrive()
    drive.hold(0.5, decel_mps2=8.0)
    lit = drive.step(speed_kmh=None)
    assert not is_ess(lit) and lit.reason == "vehicle_absent"


# --- hazard -----------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R157 5.5.1")
@pytest.mark.clause("R157 5.5.4")
@pytest.mark.parametrize(
    "off", [{"pressed": ("hazard",)}, {"is_hazard_on": False}], ids=["button", "switch on and off again"]
)
def test_v27_a_minimum_risk_manoeuvre_lights_hazard_until_the_driver_ends_it(off: dict[str, Any]) -> None:
    drive = SignalDrive()
    drive.hold(1.0)
    first = drive.step(requests=(asks(),))
    assert first.lamps.hazard is ON and first.reason == "requested" and "alks" in first.lamps.cause
    drive.hold(5.0, speed_kmh=20.0, requests=(asks(),))
    still = drive.hold(60.0, speed_kmh=0.0)  # the function has ended and says nothing any more
    assert all(lit.lamps.hazard is ON for lit in still)
    if "is_hazard_on" in off:
        assert drive.step(speed_kmh=0.0, is_hazard_on=True).lamps.hazard is ON
    assert drive.step(speed_kmh=0.0, **off).lamps.hazard is NONE
    assert drive.hold(5.0, speed_kmh=0.0)[-1].state == "idle"


def test_what_the_driver_ended_begins_again_only_with_a_new_cause() -> None:
    drive = SignalDrive()
    drive.hold(1.0, requests=(asks(),))
    assert drive.step(requests=(asks(),), pressed=("hazard",)).lamps.hazard is NONE
    assert all(lit.lamps.hazard is NONE for lit in drive.hold(5.0, requests=(asks(),))), "the driver wins"
    assert drive.step(requests=(asks(), asks("aeb"))).lamps.hazard is ON, "another cause is another cause"
    drive.step(pressed=("hazard",))
    assert drive.step().lamps.hazard is NONE
    assert drive.step(requests=(asks(),)).lamps.hazard is ON


@pytest.mark.clause("R157 5.3.3")
def test_a_function_may_end_its_own_hazard_and_no_other_s() -> None:
    drive = SignalDrive()
    drive.hold(1.0, requests=(asks("alks"), asks("dcas")))
    assert drive.step(requests=(asks("alks", OFF),)).lamps.hazard is ON
    assert drive.step(requests=(asks("dcas", OFF),)).lamps.hazard is NONE


@pytest.mark.clause("R48 6.6.7.2")
def test_l32_hazard_after_an_emergency_stop_and_off_when_driving_on() -> None:
    drive = SignalDrive()
    speed_kmh = 80.0
    while speed_kmh > 2.0:
        lit = drive.step(speed_kmh=speed_kmh, decel_mps2=8.0)
        speed_kmh -= 8.0 * 0.05 * 3.6
    assert is_ess(lit)
    assert drive.hold(0.2, speed_kmh=0.0, decel_mps2=0.0)[-1].reason == "after_emergency_stop"
    assert drive.hold(30.0, speed_kmh=0.0)[-1].lamps.hazard is ON
    assert drive.step(speed_kmh=15.0).lamps.hazard is ON
    assert drive.step(speed_kmh=21.0).lamps.hazard is NONE


def test_l32_not_after_braking_that_does_not_end_in_standstill() -> None:
    drive = SignalDrive()
    drive.hold(1.0, decel_mps2=8.0)
    drive.hold(10.0, speed_kmh=40.0)
    assert drive.hold(2.0, speed_kmh=0.0)[-1].state == "idle", "the standstill has another cause"


@pytest.mark.clause("R48 6.6.7.2")
def test_l32_hazard_after_a_crash_until_the_driver_ends_it() -> None:
    drive = SignalDrive()
    assert drive.step(is_crash_detected=True).lamps.hazard is ON
    assert all(lit.lamps.hazard is ON for lit in drive.hold(10.0, speed_kmh=0.0, is_crash_detected=False))
    assert drive.step(speed_kmh=0.0, pressed=("hazard",)).lamps.hazard is NONE


@pytest.mark.clause("R48 6.6")
def test_l31_the_driver_s_hazard_switch_and_nothing_else() -> None:
    drive = SignalDrive()
    assert drive.step(is_hazard_on=True).reason == "driver_hazard"
    assert drive.step(is_hazard_on=False).lamps.hazard is NONE
    by_stalk = SignalDrive()
    assert by_stalk.step(driver={"indicator": Indicator.HAZARD}).lamps.hazard is ON, "a car that tells it by the stalk"
    assert by_stalk.step(driver={"indicator": Indicator.LEFT}).lamps.hazard is NONE


# --- stop lamps, rear-end alert ---------------------------------------------------------------------------------------


@pytest.mark.clause("R13-H 5.2.22")
def test_v28_automatic_emergency_braking_lights_stop_lamps_and_signal() -> None:
    drive = SignalDrive()
    steps = drive.hold(0.5, speed_kmh=60.0, decel_mps2=8.0, command=command(-8.0))
    assert steps[0].lamps.stop_lamps is ON and is_ess(steps[-1])


@pytest.mark.clause("R13-H 5.2.22")
@pytest.mark.parametrize(
    ("accel_mps2", "is_lit"), [(-0.7, False), (-1.3, True), (-3.0, True), (0.0, False), (2.0, False)]
)
def test_stop_lamps_of_automatic_braking(accel_mps2: float, is_lit: bool) -> None:
    assert (SignalDrive().step(command=command(accel_mps2)).lamps.stop_lamps is ON) is is_lit
    assert SignalDrive().step(command=command(accel_mps2, is_active=False)).lamps.stop_lamps is NONE


def test_stop_lamps_do_not_flicker_about_the_threshold() -> None:
    drive = SignalDrive()
    drive.step(command=command(-1.1))
    said = [drive.step(command=command(-0.9 if n % 2 else -1.05)).lamps.stop_lamps for n in range(20)]
    assert set(said) == {ON}
    assert drive.step(command=command(-0.4)).lamps.stop_lamps is NONE


REAR = signal_params(has_rear_end_alert=True)


def closing(drive: SignalDrive, closing_kmh: float, ttc_s: float, **fields: Any) -> Lit:
    size = drive.vehicle.dimensions
    overhang_m = size.length_m - size.wheelbase_m - size.front_overhang_m
    gap_m = closing_kmh / 3.6 * ttc_s
    user = road_user(ObjectClass.CAR, -gap_m - overhang_m, 0.0, (30.0 + closing_kmh) / 3.6)
    return drive.step(speed_kmh=30.0, users=(user,), **fields)


@pytest.mark.clause("R48 6.25")
@pytest.mark.parametrize(
    ("closing_kmh", "ttc_s", "is_on"), [(40.0, 1.4, True), (40.0, 1.5, False), (15.0, 0.70, True), (15.0, 0.71, False)]
)
def test_v31_rear_end_alert(closing_kmh: float, ttc_s: float, is_on: bool) -> None:
    lit = closing(SignalDrive(params=REAR), closing_kmh, ttc_s)
    assert (lit.lamps.rear_end_alert is ON) is is_on
    assert rear_alert_limit_s(closing_kmh / 3.6, 1.4) == pytest.approx(1.4 if closing_kmh >= 30.0 else 0.7)


@pytest.mark.clause("R48 6.25")
def test_the_alert_lasts_3_s_at_most_and_gives_way() -> None:
    drive = SignalDrive(params=REAR)
    lit = [closing(drive, 40.0, 1.0) for _ in range(100)]
    on_s = [step.t_s for step in lit if step.lamps.rear_end_alert is ON]
    assert 2.0 <= on_s[-1] - on_s[0] <= 3.0 and not any(step.lamps.rear_end_alert is ON for step in lit[62:])
    for other in ({"driver": {"indicator": Indicator.LEFT}}, {"is_hazard_on": True}):
        ego = SignalDrive(params=REAR)
        assert closing(ego, 40.0, 1.0).lamps.rear_end_alert is ON
        assert closing(ego, 40.0, 1.0, **other).lamps.rear_end_alert is OFF


def test_an_alert_that_is_not_fitted_is_not_asked_for() -> None:
    assert closing(SignalDrive(), 60.0, 0.5).lamps.rear_end_alert is NONE


# --- the table, and what always holds ---------------------------------------------------------------------------------


def test_every_state_under_every_view() -> None:
    flags = (False, True)
    fired = set()
    for values in itertools.product(("", "crash"), flags, flags, flags, flags, flags):
        view = View(*values)
        for state in State:
            row = TRANSITIONS.fire(state, view)
            after = state if row is None else row.target
            if row is not None:
                fired.add(row)
                assert row.reason_for(view) in REASONS
            assert (after is State.HAZARD) is bool(view.hazard)
            if after is State.EMERGENCY_STOP:
                assert view.is_emergency and (view.is_fast or state is State.EMERGENCY_STOP)
            elif not view.hazard and view.is_emergency and view.is_fast:
                raise AssertionError("the emergency stop signal is missing")
            if after is State.REAR_ALERT:
                assert view.is_rear_danger and not view.is_indicating and not view.is_alert_over
    assert fired == set(TRANSITIONS.rows), "a row that never fires is dead"


def test_every_reason_code_is_told() -> None:
    told = {code for row in TRANSITIONS.rows for code in row.reason.split(", ")}
    assert told | {"nothing", "vehicle_absent", "driver_controls_absent", "time_ran_back"} == set(REASONS)


STEP = st.fixed_dictionaries(
    {
        "speed_kmh": st.sampled_from([None, 0.0, 49.0, 51.0, 120.0]),
        "decel_mps2": st.sampled_from([None, 0.0, 2.4, 5.9, 6.0, 9.0]),
        "is_hazard_on": st.sampled_from([None, False, True]),
        "is_abs_cycling": st.sampled_from([None, False, True]),
        "is_crash_detected": st.sampled_from([None, False, False, True]),
        "pressed": st.sampled_from([(), (), ("hazard",)]),
        "requests": st.sampled_from([(), (), (asks(),), (asks("alks", OFF),), (asks("dcas"),)]),
        "driver": st.sampled_from([{}, {"indicator": Indicator.LEFT}, {"indicator": Indicator.HAZARD}]),
        "users": st.sampled_from([None, (road_user(ObjectClass.CAR, -6.0, 0.0, 60.0),)]),
    }
)


@settings(max_examples=80)
@given(st.lists(STEP, min_size=1, max_size=30))
def test_the_driver_wins_and_one_signal_is_given_at_a_time(sequence: list[dict[str, Any]]) -> None:
    drive = SignalDrive(params=REAR)
    was: dict[str, Any] = {"pressed": ()}
    for fields in sequence:
        lit = drive.step(**fields)
        lamps = lit.lamps
        given_ = [d for d in (lamps.hazard, lamps.emergency_stop_signal, lamps.rear_end_alert) if d is ON]
        assert len(given_) <= 1
        if fields["is_hazard_on"] is True:
            assert lamps.hazard is ON, "the driver's switch lights hazard"
        pressed = fields["pressed"] and not was["pressed"]
        if pressed and fields["is_hazard_on"] is False and was.get("hazard") is ON:
            assert lamps.hazard is not ON, "the driver's button ends hazard"
        if is_ess(lit):
            assert fields["speed_kmh"] is not None
        was = {**fields, "hazard": lamps.hazard}


ANY_FLOAT = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60)
@given(st.lists(st.tuples(ANY_FLOAT, st.none() | ANY_FLOAT, ANY_FLOAT), min_size=1, max_size=8))
def test_it_answers_to_every_float(sequence: list[tuple[float, float | None, float]]) -> None:
    core = SignalLamps(REAR, SignalDrive().vehicle)
    for speed_mps, accel_mps2, now_s in sequence:
        said = core.step(
            Inputs(
                vehicle=VehicleState(stamp_s=START_S, speed_mps=speed_mps, accel_mps2=accel_mps2),
                command=command(speed_mps),
            ),
            now_s,
        )
        assert said.lamps is not None and said.lamps.hazard in LampDemand


def test_hazard_of_a_manoeuvre_outlives_a_clock_that_runs_back() -> None:
    drive = SignalDrive()
    drive.hold(1.0, requests=(asks(),))
    drive.t_s = -50.0
    assert drive.step(speed_kmh=0.0).lamps.hazard is ON
