"""Following and set speed: gaps, comfort, cut-ins, stopping, moving off, curves, and what always holds."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import replace
from typing import Any

import pytest
from columns import speeds, steady, then
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.longitudinal.following import (
    REASONS,
    TRANSITIONS,
    Cause,
    Drive,
    Following,
    GapLaw,
    Lead,
    State,
    View,
    Wanted,
    fitted,
)
from adas_runtime.market import load_market as read_market
from adas_runtime.scenario.platoon import Sensor, Trace, follow
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

load_market = functools.cache(read_market)
CAR = load_vehicle("reference")
NEAR = 0.05


def drive(lead: Any, *, market: str = "de", seconds: float = 40.0, speed_mps: float, **options: Any) -> Trace:
    return follow(lead, market=load_market(market), vehicle=CAR, seconds=seconds, speed_mps=speed_mps, **options)


def make_core(market: str = "de") -> Following:
    loaded = load_market(market)
    return Following(loaded.longitudinal, loaded.following)


def make_drive(**changes: Any) -> Drive:
    values: dict[str, Any] = {
        "dt_s": NEAR,
        "speed_mps": 20.0,
        "max_speed_mps": 30.0,
        "time_gap_s": 2.0,
        "lead": Lead(object_id=1, gap_m=42.0, speed_mps=20.0),
    }
    return Drive(**(values | changes))


def at(trace: Trace, t_s: float) -> int:
    return round(t_s / 0.05)


def jerks(trace: Trace) -> list[float]:
    return [(b - a) / 0.05 for a, b in itertools.pairwise(trace.accel_mps2)]


# --- following --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("market", "speed_kmh"), [("de", 30), ("de", 80), ("de", 120), ("fr", 120), ("au", 100), ("cn", 70), ("cn", 120)]
)
def test_the_gap_settles_at_the_markets_and_never_below(market: str, speed_kmh: float) -> None:
    """Adaptations 4: the least gap holds; behind a slower car, from far away, without one swing below."""
    speed = kmh_to_mps(speed_kmh)
    trace = drive(steady(speed, 250.0), market=market, seconds=120.0, speed_mps=speed + 6.0, max_speed_mps=speed + 8.0)
    least_m = load_market(market).following.gap_m(speed)
    assert trace.gap_m[-1] >= least_m
    assert trace.gap_m[-1] <= least_m + 0.15 * least_m + 4.0
    assert trace.speed_mps[-1] == pytest.approx(speed, abs=0.1)
    assert min(trace.gap_m) >= least_m - 0.5
    assert max(abs(a) for a in trace.accel_mps2) <= 2.1
    assert max(abs(j) for j in jerks(trace)) <= 3.5


def test_the_chosen_gap_comes_in_gently() -> None:
    """A press of the button for a longer gap is no brake: under 0.7 m/s2 at 110 km/h."""
    speed = 30.0

    def press(t_s: float, drive: Drive) -> Drive:
        return drive if t_s < 5.0 else replace(drive, time_gap_s=3.0)

    trace = drive(steady(speed, 62.0), seconds=60.0, speed_mps=speed, drive=press)
    assert min(trace.accel_mps2) > -0.7
    assert trace.gap_m[-1] == pytest.approx(92.0, abs=1.5)


@pytest.mark.parametrize("speed_kmh", [30, 50, 80, 100])
def test_it_stops_behind_a_standing_car(speed_kmh: float) -> None:
    """Peers' trap (openpilot 2624): a standing car on the lane is braked for in time, and the car is held."""
    speed = kmh_to_mps(speed_kmh)
    trace = drive(steady(0.0, 150.0), seconds=40.0, speed_mps=speed, max_speed_mps=speed)
    assert trace.speed_mps[-1] == 0.0
    assert trace.wanted[-1].is_held
    assert 1.5 <= trace.gap_m[-1] <= 4.5
    assert min(trace.accel_mps2) >= -3.6


@pytest.mark.parametrize("lead_decel", [2.0, 4.0, 6.0])
def test_a_car_ahead_that_brakes_hard_is_not_hit(lead_decel: float) -> None:
    """From 100 km/h at the market's gap, braking to a standstill; up to 6 m/s2 following alone suffices."""
    speed = kmh_to_mps(100.0)
    ahead = speeds([(0.0, speed), (3.0, speed), (3.0 + speed / lead_decel, 0.0)], 2.0 + 2.0 * speed)
    trace = drive(ahead, seconds=35.0, speed_mps=speed)
    assert min(trace.gap_m) > 1.0
    assert min(trace.accel_mps2) >= -load_market("de").longitudinal.decel_max_mps2 - 1e-6
    assert trace.speed_mps[-1] == 0.0


def test_braking_beyond_its_own_is_told_and_not_done() -> None:
    """R171 2.19: what needs more than 5 m/s2 is an imminent collision; it brakes with its most and says the need."""
    core = make_core()
    core.reset()
    for _ in range(40):
        wanted = core.step(make_drive(speed_mps=25.0, lead=Lead(object_id=1, gap_m=14.0, speed_mps=5.0)))
    assert wanted.cause is Cause.BRAKING
    assert wanted.accel_mps2 == pytest.approx(-4.5)
    assert wanted.needed_mps2 < -10.0


# --- cut-in (adaptations 4) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("market", "bound"), [("de", 2.0), ("pl", 2.5), ("sa", 2.5)])
@pytest.mark.parametrize("speed_kmh", [60, 80, 100, 120])
def test_cut_in_at_0_6_s_is_answered_within_the_bound_and_the_gap_is_back_in_8_s(
    market: str, bound: float, speed_kmh: float
) -> None:
    """Adaptations 4: bounded deceleration, then the gap rebuilt within 8 s without hard braking."""
    speed = kmh_to_mps(speed_kmh)
    far = 2.0 + 2.0 * speed
    cut_s = 5.0
    beside = steady(speed, 0.6 * speed, 2)
    trace = drive(then(steady(speed, far), beside, cut_s), market=market, seconds=30.0, speed_mps=speed)
    assert min(trace.accel_mps2) >= -bound - 1e-6
    assert min(jerks(trace)) >= -3.5
    back = at(trace, cut_s + 8.0)
    wanted_m = 2.0 + 2.0 * trace.speed_mps[back]
    assert trace.gap_m[back] >= 0.9 * wanted_m
    causes = {want.cause for want in trace.wanted[at(trace, cut_s) : back]}
    assert Cause.CUT_IN in causes
    assert trace.gap_m[-1] >= 0.95 * (2.0 + 2.0 * trace.speed_mps[-1])


def test_a_slower_car_that_cuts_in_gets_the_braking_it_needs() -> None:
    """The bound is for the gap's sake; a collision is not paid for comfort."""
    speed = 30.0
    ahead = then(steady(speed, 62.0), lambda t_s: (20.0 + speed * 5.0 + 20.0 * (t_s - 5.0), 20.0, 2), 5.0)
    trace = drive(ahead, seconds=25.0, speed_mps=speed)
    assert min(trace.gap_m) > 0.3
    assert min(trace.accel_mps2) < -2.2


def test_a_new_track_of_the_same_car_is_no_cut_in() -> None:
    """Trackers change numbers; nobody came in."""
    trace = drive(then(steady(25.0, 45.0), steady(25.0, 45.0, 9), 1.0), seconds=5.0, speed_mps=25.0)
    assert State.CUT_IN not in {want.state for want in trace.wanted}


def test_switching_on_behind_a_near_car_is_no_cut_in() -> None:
    """Whoever switches on at 1 s saw the car; the gap grows in comfort."""
    trace = drive(steady(25.0, 25.0), seconds=40.0, speed_mps=25.0)
    assert State.CUT_IN not in {want.state for want in trace.wanted}
    assert min(trace.accel_mps2) >= -2.0
    assert trace.gap_m[-1] >= 50.0


# --- what is not there ------------------------------------------------------------------------------------------------


def test_a_car_ahead_that_flickers_never_makes_it_accelerate() -> None:
    """Peers' trap: a lead lost under a bridge. Half a second without it changes nothing."""
    for period in (7, 10, 13):
        trace = drive(
            steady(20.0, 42.0), seconds=30.0, speed_mps=20.0, is_visible=lambda t_s, n=period: round(t_s / 0.05) % n > 3
        )
        assert max(trace.accel_mps2) < 0.15
        assert min(trace.gap_m) > 40.0


def test_a_car_ahead_that_is_gone_lets_it_speed_up_with_limited_jerk() -> None:
    """It left the lane: the set speed is taken up."""
    trace = drive(
        steady(20.0, 42.0), seconds=30.0, speed_mps=20.0, max_speed_mps=30.0, is_visible=lambda t_s: t_s < 5.0
    )
    assert trace.speed_mps[at(trace, 5.5)] < 20.1
    assert trace.speed_mps[-1] == pytest.approx(30.0, abs=0.5)
    assert max(jerks(trace)) <= 3.0
    assert max(trace.accel_mps2) <= 1.5


def test_no_speed_is_no_reason_to_accelerate() -> None:
    """A speed that is no number: what was asked for braking goes on, propulsion ends."""
    core = make_core()
    core.reset(1.0)
    assert core.step(make_drive(speed_mps=math.nan)).accel_mps2 <= 0.0


# --- standstill -------------------------------------------------------------------------------------------------------

STOP = speeds([(0.0, 10.0), (2.0, 10.0), (8.0, 0.0)], 22.0)


def go_again(at_s: float) -> Any:
    return speeds([(0.0, 10.0), (2.0, 10.0), (8.0, 0.0), (at_s, 0.0), (at_s + 8.0, 12.0)], 22.0)


def stop_s(trace: Trace) -> float:
    """When the car was held first."""
    return next(t for t, want in zip(trace.t_s, trace.wanted, strict=True) if want.is_held)


def test_it_moves_off_by_itself_after_a_short_stop_alone() -> None:
    """[D] `move_off_within_s`: 3 s; later only the driver lets it go."""
    held_s = stop_s(drive(STOP, speed_mps=10.0))
    soon = drive(go_again(held_s + 1.0), speed_mps=10.0)
    assert soon.speed_mps[-1] > 9.0
    late = drive(go_again(held_s + 5.0), speed_mps=10.0)
    assert late.speed_mps[-1] == 0.0
    assert late.wanted[-1].state is State.WAITING
    assert late.wanted[-1].accel_mps2 < 0.0


def test_the_driver_lets_it_go() -> None:
    """Resume after a long stop."""
    held_s = stop_s(drive(STOP, speed_mps=10.0))
    resume = lambda t_s, drive: replace(drive, is_resumed=abs(t_s - held_s - 8.0) < 0.03)  # noqa: E731
    trace = drive(go_again(held_s + 5.0), speed_mps=10.0, drive=resume)
    assert trace.speed_mps[at(trace, held_s + 7.9)] == 0.0
    assert trace.speed_mps[-1] > 8.0


def test_resuming_behind_a_standing_car_keeps_it_held_until_that_car_goes() -> None:
    """The driver acts first, the car ahead moves two seconds later."""
    held_s = stop_s(drive(STOP, speed_mps=10.0))
    resume = lambda t_s, drive: replace(drive, is_resumed=abs(t_s - held_s - 8.0) < 0.03)  # noqa: E731
    trace = drive(go_again(held_s + 10.0), speed_mps=10.0, drive=resume)
    assert trace.speed_mps[at(trace, held_s + 9.9)] == 0.0
    assert trace.speed_mps[-1] > 5.0


@pytest.mark.clause("R171 5.5.3.3.4")
def test_after_an_emergency_stop_it_never_moves_off_by_itself() -> None:
    """T16: a standstill by emergency braking; the car ahead drives on at once."""
    held_s = stop_s(drive(STOP, speed_mps=10.0))
    emergency = lambda t_s, drive: replace(drive, may_move_off=t_s < 4.0 or t_s > held_s + 3.0)  # noqa: E731
    trace = drive(go_again(held_s + 0.5), speed_mps=10.0, drive=emergency)
    assert trace.speed_mps[-1] == 0.0
    assert trace.wanted[-1].state is State.WAITING


def test_emergency_braking_to_a_standstill_on_a_free_road_holds_the_car() -> None:
    """The thing braked for is gone; the car stays until the driver acts."""
    core = make_core()
    core.reset(-6.0)
    for _ in range(200):
        wanted = core.step(make_drive(speed_mps=0.0, lead=None, may_move_off=False))
    assert wanted.state is State.WAITING
    assert core.step(make_drive(speed_mps=0.0, lead=None)).is_held


def test_switched_on_at_standstill_it_waits_for_the_driver() -> None:
    """Nothing moves because a button was pressed while the car stood."""
    trace = drive(None, seconds=10.0, speed_mps=0.0)
    assert max(trace.speed_mps) == 0.0
    trace = drive(None, seconds=30.0, speed_mps=0.0, drive=lambda t_s, drive: replace(drive, is_resumed=t_s > 3.0))
    assert trace.speed_mps[-1] > 10.0


def test_a_car_lost_at_standstill_is_not_run_over() -> None:
    """Too near to be seen: it stays held, and waits for the driver."""
    trace = drive(STOP, speed_mps=10.0, is_visible=lambda t_s: t_s < 15.0)
    assert trace.wanted[-1].state is State.WAITING
    assert trace.speed_mps[-1] == 0.0


# --- speed and curves -------------------------------------------------------------------------------------------------


@pytest.mark.clause("R171 5.3.7.4.7")
@pytest.mark.parametrize(("from_kmh", "to_kmh"), [(60, 100), (130, 100), (100, 50)])
def test_a_changed_maximum_is_taken_up_controllably(from_kmh: float, to_kmh: float) -> None:
    """R171 5.3.7.4.8: the change of speed stays controllable; no overshoot beyond half a km/h."""
    begin, end = kmh_to_mps(from_kmh), kmh_to_mps(to_kmh)
    trace = drive(None, seconds=60.0, speed_mps=begin, max_speed_mps=end)
    assert trace.speed_mps[-1] == pytest.approx(end, abs=0.15)
    assert min(trace.accel_mps2) >= -1.3
    if end > begin:
        assert max(trace.speed_mps) <= end + kmh_to_mps(0.5)
    else:
        assert min(trace.speed_mps) >= end - kmh_to_mps(0.5)


@pytest.mark.clause("R171 5.3.7.1.1.1")
@pytest.mark.parametrize("radius_m", [60.0, 120.0, 250.0])
def test_a_curve_is_entered_no_faster_than_its_lateral_acceleration(radius_m: float) -> None:
    """R171 5.3.7.1.1.1: the speed is adapted to the curvature, told 250 m ahead; comfortably, up to 2 m/s2."""
    params = load_market("de").longitudinal
    curve_mps = math.sqrt(params.curve_lateral_accel_mps2 * radius_m)
    place_m = 250.0
    travelled = [0.0]

    def ahead(t_s: float, drive: Drive) -> Drive:
        travelled[0] += drive.speed_mps * drive.dt_s
        return replace(drive, slower=((max(place_m - travelled[0], 0.0), curve_mps),))

    trace = drive(None, seconds=60.0, speed_mps=27.0, max_speed_mps=27.0, drive=ahead)
    x_m, entered = 0.0, 0.0
    for speed in trace.speed_mps:
        x_m += speed * 0.05
        if x_m >= place_m:
            entered = speed
            break
    assert entered**2 / radius_m <= 1.1 * params.curve_lateral_accel_mps2
    assert trace.speed_mps[-1] == pytest.approx(curve_mps, abs=0.3)
    assert min(trace.accel_mps2) >= -params.decel_comfort_mps2 - 0.05


# --- the gap law ------------------------------------------------------------------------------------------------------


@given(speed=st.floats(0.0, 55.0), faster=st.floats(0.001, 5.0), time_gap_s=st.floats(2.0, 5.0))
def test_the_wanted_gap_grows_with_speed_and_keeps_the_market(speed: float, faster: float, time_gap_s: float) -> None:
    """Where a distance in metres rules, too: a column that keeps one distance at all speeds swings up."""
    market = load_market("cn")
    law = GapLaw(market.longitudinal, market.following)
    here, _ = law.wanted(speed, time_gap_s, 2.0)
    there, _ = law.wanted(speed + faster, time_gap_s, 2.0)
    assert there - here >= 0.99 * market.longitudinal.floor_slope_s * faster
    if speed >= kmh_to_mps(market.longitudinal.floor_full_kmh):
        assert here >= market.following.gap_m(speed) - 1e-6


def test_a_truck_keeps_the_distance_that_the_market_names_for_it() -> None:
    """StVO 4(3): 50 m above 50 km/h; a car's gap there is the time gap."""
    market = load_market("de")
    speed = kmh_to_mps(80.0)
    truck = GapLaw(market.longitudinal, market.following, is_heavy=True).wanted(speed, 2.0, 2.0)[0]
    assert truck >= market.following.gap_m(speed, is_heavy=True) == 50.0
    assert GapLaw(market.longitudinal, market.following).wanted(speed, 2.0, 2.0)[0] < 47.0
    assert market.following.gap_m(kmh_to_mps(45.0), is_heavy=True) == pytest.approx(25.0)


def test_fog_lengthens_the_gap_where_the_market_says_so() -> None:
    """Adaptations 4 `follow.low_visibility`."""
    market = load_market("cn")
    law = GapLaw(market.longitudinal, market.following)
    assert law.wanted(kmh_to_mps(60.0), 2.0, 2.0, 150.0)[0] == pytest.approx(100.0)
    assert law.wanted(kmh_to_mps(60.0), 2.0, 2.0, None)[0] < 60.0


@pytest.mark.parametrize(("name", "is_on", "below_m"), [("cn", True, 200.0), ("cn", False, None), ("de", True, None)])
def test_a_lit_rear_fog_lamp_stands_for_the_farthest_step_of_fog(name: str, is_on: bool, below_m: float | None) -> None:
    found = load_market(name).following.visibility_m(is_rear_fog_on=is_on)
    assert found is None if below_m is None else found is not None and 0.99 * below_m < found < below_m


# --- the table and what always holds ----------------------------------------------------------------------------------


def test_every_state_meets_every_guard() -> None:
    """The table is total and gives a known reason; nothing leaves a held state but the driver or the car ahead."""
    names = list(View.__dataclass_fields__)
    for state in State:
        for values in itertools.product((False, True), repeat=len(names)):
            view = View(**dict(zip(names, values, strict=True)))
            row = TRANSITIONS.fire(state, view)
            if row is None:
                continue
            assert row.reason_for(view) in REASONS
            if state in (State.HELD, State.WAITING) and row.target in (State.FREE, State.FOLLOWING):
                assert view.is_resumed or (state is State.HELD and view.has_moved and not view.is_expired)
            if state is State.WAITING and row.target is not State.WAITING:
                assert view.is_resumed


NUMBERS = st.floats(allow_nan=True, allow_infinity=True, width=32)
LEADS = st.none() | st.builds(
    Lead,
    object_id=st.integers(0, 3),
    gap_m=NUMBERS | st.floats(0.0, 200.0),
    speed_mps=NUMBERS | st.floats(-5.0, 60.0),
    accel_mps2=st.none() | NUMBERS,
    age_s=st.floats(0.0, 2.0) | NUMBERS,
)
STEPS = st.builds(
    Drive,
    dt_s=st.floats(0.0, 0.3) | NUMBERS,
    speed_mps=st.floats(0.0, 60.0) | NUMBERS,
    max_speed_mps=st.floats(0.0, 60.0) | NUMBERS,
    time_gap_s=st.floats(1.0, 5.0) | NUMBERS,
    lead=LEADS,
    slower=st.lists(st.tuples(st.floats(-1.0, 300.0), st.floats(0.0, 40.0)), max_size=3).map(tuple),
    may_move_off=st.booleans(),
    is_resumed=st.booleans(),
)


@settings(max_examples=100)
@given(steps=st.lists(STEPS, min_size=1, max_size=30))
def test_whatever_comes_the_request_stays_inside_its_bounds(steps: list[Drive]) -> None:
    """Total over all inputs: finite, never beyond the greatest braking or acceleration, changes within the jerk."""
    core = make_core("pl")
    core.reset()
    params = load_market("pl").longitudinal
    former = 0.0
    for step in steps:
        wanted: Wanted = core.step(step)
        assert math.isfinite(wanted.accel_mps2)
        assert -params.decel_max_mps2 - 1e-9 <= wanted.accel_mps2 <= params.accel_max_mps2 + 1e-9
        dt_s = min(max(step.dt_s, 0.0), 0.2) if step.dt_s == step.dt_s else 0.0
        if math.isfinite(step.speed_mps + step.max_speed_mps + step.time_gap_s):
            assert wanted.accel_mps2 >= former - params.jerk_avoid_mps3 * dt_s - 1e-9
        former = wanted.accel_mps2


@settings(max_examples=25)
@given(
    data=st.data(),
    speed=st.floats(8.0, 35.0),
    seed=st.integers(0, 100),
)
def test_no_driving_of_the_car_ahead_makes_it_hit_or_speed(data: st.DataObject, speed: float, seed: int) -> None:
    """Any car ahead that brakes with up to 5 m/s2 and accelerates with up to 3, from the wanted gap: never touched."""
    points, t_s, v = [(0.0, speed)], 0.0, speed
    for _ in range(6):
        length_s = data.draw(st.floats(0.5, 4.0))
        accel = data.draw(st.floats(-5.0, 3.0))
        t_s += length_s
        v = min(max(v + accel * length_s, 0.0), 38.0)
        points.append((t_s, v))
    ahead = speeds(points, 2.0 + 2.0 * speed)
    trace = drive(ahead, seconds=t_s + 5.0, speed_mps=speed, max_speed_mps=speed + 3.0, sensor=Sensor(seed=seed))
    assert min(trace.gap_m) > 0.5
    assert max(trace.speed_mps) <= speed + 3.3


def test_it_counts_on_no_more_braking_than_the_gate_behind_it_gives() -> None:
    """Peers' trap 6.2: a trigger that assumes more braking than its own actuator delivers."""
    market, weak = load_market("de"), load_vehicle("unknown_camera")
    params = fitted(market.longitudinal, market.envelope, weak.limits)
    assert params.decel_max_mps2 == -weak.limits.accel_min_mps2 == 3.0
    assert params.jerk_avoid_mps3 == -weak.limits.jerk_min_mps3 == 2.0
    assert params.accel_max_mps2 == weak.limits.accel_max_mps2 == 1.0
    assert fitted(market.longitudinal, market.envelope, CAR.limits) is market.longitudinal
    trace = follow(steady(0.0, 140.0), market=market, vehicle=weak, seconds=30.0, speed_mps=20.0, max_speed_mps=20.0)
    assert min(trace.gap_m) > 1.5
    assert min(trace.accel_mps2) >= -3.0
