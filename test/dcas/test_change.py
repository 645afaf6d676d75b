"""Lane changes under assistance (R171 5.3.7.2, 6.2), the stop at the side (5.3.7.3.2): formula, table, closed loop."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from assisted_drives import MARKET, VEHICLE, active, calm, hold, lane, market, other, press, road
from assisted_loop import Does, Loop, Other, Tick

from adas_runtime.dcas import change
from adas_runtime.dcas.change import LaneChange, LaneChangeParams, State, View, may_start
from adas_runtime.dcas.modes import State as Mode
from adas_runtime.scenario.lane_drive import butterworth
from adas_runtime.scenario.road import bend
from adas_runtime.scenario.single_track import STEP_S
from adas_runtime.signals import (
    AlertSide,
    GazeZone,
    Indicator,
    LampDemand,
    LaneBeyond,
    ManoeuvreState,
    RoadClass,
    TrackedObjects,
)
from adas_runtime.units import kmh_to_mps

LEFT = Does(indicator=Indicator.LEFT)
SUPPRESSED = ManoeuvreState.SUPPRESSED

# --- times -----------------------------------------------------------------------------------------------


@pytest.mark.clause("R171 6.2.6")
@pytest.mark.parametrize(
    ("indicator_s", "is_gap", "expected"),
    [
        (2.5, True, "wait"),
        (3.2, True, "start"),
        (3.2, False, "wait"),
        (7.1, True, "suppress"),
        (7.5, True, "suppress"),
    ],
    ids=["T26-2.5", "T26-3.2", "no-gap", "later-than-7", "T27-7.5"],
)
def test_t26_t27_when_it_may_start(indicator_s: float, is_gap: bool, expected: str) -> None:
    assert may_start(indicator_s, is_gap=is_gap, indicator_least_s=3.0, latest_s=7.0) == expected


# --- table ---------------------------------------------------------------------------------------------------------

FLAGS = [name for name in View.__dataclass_fields__ if name != "blocked"]


@pytest.mark.parametrize("state", list(State), ids=lambda s: s.value)
def test_every_state_against_every_guard(state: State) -> None:
    for flags in itertools.product((False, True), repeat=len(FLAGS)):
        for blocked in ("", "marking"):
            view = View(**dict(zip(FLAGS, flags, strict=True)), blocked=blocked)
            row = change.TRANSITIONS.fire(state, view)
            found = state if row is None else row.target
            if not view.is_steering:
                assert found is State.NONE, "who steers is the driver"
                continue
            if found is State.PROCEDURE and state is not State.PROCEDURE:
                assert view.is_command and not blocked, "5.3.7.2.1.1, 5.3.7.2.2.1: only at the driver's word"
            if found is State.DRIFT and state is not State.DRIFT:
                assert state is State.PROCEDURE and view.is_due and view.is_gap and not blocked and not view.is_late
            if found is State.MANOEUVRE and state is not State.MANOEUVRE:
                assert state is State.DRIFT and view.is_at_line and view.is_gap and not blocked
            if state is State.MANOEUVRE:
                assert found in (State.MANOEUVRE, State.RESUMING), "on the line there is no way back"


def test_every_reason_is_explained() -> None:
    assert {row.reason for row in change.TRANSITIONS.rows if row.detail is None} <= set(change.REASONS)


@pytest.mark.parametrize(
    ("values", "word"),
    [
        ({"wait_max_s": 8.0}, "may_wait_longer"),
        ({"indicator_s": 2.9}, "greater than or equal to 3"),
        ({"lateral_accel_mps2": 1.6}, "less than or equal to 1.5"),
        ({"rear_decel_mps2": 3.1}, "less than or equal to 3"),
        ({"ego_decel_mps2": 2.1}, "less than or equal to 2"),
    ],
)
def test_parameters_outside_the_law_are_refused(values: dict[str, Any], word: str) -> None:
    with pytest.raises(ValueError, match=word):
        LaneChangeParams.model_validate({**MARKET.dcas.change.model_dump(), **values})


# --- what stands in the other lane ---------------------------------------------------------------------------------

AROUND = [
    ("nothing", (), True),
    ("behind-far", (other(-70.0, 3.5, 110.0),), True),
    ("behind-near", (other(-20.0, 3.5, 110.0),), False),
    ("behind-fast", (other(-60.0, 3.5, 180.0),), False),
    ("behind-near-in-own-lane", (other(-15.0, 0.0, 110.0),), True),
    ("behind-near-two-lanes-away", (other(-15.0, 7.0, 130.0),), True),
    ("beside", (other(-3.0, 3.5, 100.0),), False),
    ("ahead-near", (other(12.0, 3.5, 90.0),), False),
    ("ahead-far", (other(80.0, 3.5, 90.0),), True),
]


@pytest.mark.clause("R171 5.3.7.2.1.4")
@pytest.mark.parametrize(("objects", "free"), [row[1:] for row in AROUND], ids=[row[0] for row in AROUND])
def test_whether_the_other_lane_is_free(objects: tuple[Any, ...], free: bool) -> None:
    plan = LaneChange(MARKET.dcas.change, VEHICLE, 3.5)
    speed_mps = kmh_to_mps(100.0)
    around = plan.around(TrackedObjects(stamp_s=0.0, objects=objects), lane(), 1, speed_mps)
    assert plan.is_gap(around, speed_mps, kmh_to_mps(120.0), in_s=1.5, seen_s=1.5) is free


@pytest.mark.clause("R171 6.2.4.2")
def test_who_sees_not_far_enough_behind_assumes_a_fast_car_there() -> None:
    speed_mps = kmh_to_mps(80.0)
    near = VEHICLE.model_copy(update={"equipment": VEHICLE.equipment.model_copy(update={"rear_sensing_m": 30.0})})
    blind = VEHICLE.model_copy(update={"equipment": VEHICLE.equipment.model_copy(update={"rear_sensing_m": None})})
    nothing = TrackedObjects(stamp_s=0.0, objects=())
    for vehicle, free in ((VEHICLE, True), (near, False), (blind, False)):
        plan = LaneChange(MARKET.dcas.change, vehicle, 3.5)
        around = plan.around(nothing, lane(), 1, speed_mps)
        assert plan.is_gap(around, speed_mps, kmh_to_mps(100.0), in_s=0.0, seen_s=0.0) is free
    plan = LaneChange(MARKET.dcas.change, VEHICLE, 3.5)
    unlimited = plan.is_gap(plan.around(nothing, lane(), 1, speed_mps), speed_mps, None, in_s=0.0, seen_s=0.0)
    assert unlimited is False, "no limit known: 130 km/h is assumed, and 80 m are too short for that at 80"


# --- what holds it back ----------------------------------------------------------------------------------------------

indicating = replace(calm, indicator=Indicator.LEFT)
REFUSED = [
    ("T29-eyes-away", {"zone": GazeZone.LAP}, "driver_not_engaged"),
    ("T29-gaze-unknown", {"gaze": False}, "gaze_unknown"),
    ("T29-gaze-unsure", {"zone": GazeZone.UNKNOWN}, "gaze_unknown"),
    ("hands-off", {"hands": False}, "driver_not_engaged"),
    ("solid", {"lane": lane(may_cross=(False, False))}, "marking"),
    ("unknown-marking", {"lane": lane(may_cross=(None, False))}, "marking"),
    ("oncoming", {"lane": lane(left=LaneBeyond.ONCOMING)}, "oncoming"),
    ("unknown-beyond", {"lane": lane(left=LaneBeyond.UNKNOWN)}, "oncoming"),
    ("no-map", {"horizon": None}, "road_not_divided"),
    ("road-with-cyclists", {"horizon": road(RoadClass.PRIMARY)}, "road_not_divided"),
    ("trunk-undivided", {"horizon": road(RoadClass.TRUNK, is_dual_carriageway=False)}, "road_not_divided"),
    ("beside", {"objects": (other(-3.0, 3.5),)}, "beside"),
    ("trailer", {"trailer": True}, "trailer"),
    ("slow", {"speed_kmh": 50.0}, "speed_low"),
    ("curve", {"lane": lane(curvature_1pm=0.0025)}, "curve"),
]


@pytest.mark.clause("R171 5.3.7.2.1.1")
@pytest.mark.parametrize(("values", "code"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_speaks_against_it_is_told_and_the_lane_kept(values: dict[str, Any], code: str) -> None:
    before = replace(calm, **values)
    drive = active(hold(0.5, before), hold(1.0, replace(before, indicator=Indicator.LEFT)))
    if code in change.UNAVAILABLE:
        assert "dcas_change_suppressed" not in drive.alerts(), "where there is none, who indicates hears nothing"
    else:
        alert = drive.alert("dcas_change_suppressed")
        assert alert.cause == code and alert.side is AlertSide.LEFT
        assert alert.is_optical and (alert.is_acoustic or alert.is_haptic), "6.2.8"
    assert State.DRIFT not in {step.core.manoeuvre.state for step in drive.steps}


def test_a_warning_that_runs_keeps_the_lane() -> None:
    distracted = replace(calm, zone=GazeZone.LAP)
    drive = active(hold(6, distracted), hold(2, replace(distracted, indicator=Indicator.LEFT)))
    assert drive.alert("dcas_change_suppressed").cause == "driver_not_engaged"


def test_an_indicator_that_was_on_before_is_no_command() -> None:
    drive = active(hold(6, indicating), base=indicating)
    assert State.DRIFT not in {step.core.manoeuvre.state for step in drive.steps}


def test_steering_meanwhile_is_the_drivers() -> None:
    drive = active(hold(2.5, indicating), hold(1.0, replace(indicating, torque_nm=6.0)))
    assert drive.at(2.4).core.manoeuvre.state is State.DRIFT
    assert drive.last.core.manoeuvre.state is State.NONE
    assert not drive.lateral()[-1][1].is_active


@pytest.mark.clause("R171 5.3.7.2.3.2")
def test_a_proposal_waits_for_the_drivers_word() -> None:
    behind = replace(calm, objects=(other(60.0, speed_kmh=70.0),))
    drive = active(hold(8, behind))
    assert drive.states()[-1].manoeuvre is ManoeuvreState.PROPOSED and "dcas_change_proposed" in drive.alerts()
    assert drive.states()[-1].manoeuvre_side is AlertSide.LEFT
    assert State.PROCEDURE not in {step.core.manoeuvre.state for step in drive.steps}
    assert active(hold(20, behind)).last.core.manoeuvre.state is not State.PROCEDURE, "it lapses"
    said = active(hold(8, behind), press("lane_change_confirm", behind), hold(2, behind))
    assert said.last.core.manoeuvre.state in (State.PROCEDURE, State.DRIFT)
    assert said.lamps()[-1][1].indicator_left is LampDemand.ON
    gone = active(hold(8, behind), hold(0.5, calm))
    assert gone.last.core.manoeuvre.state is State.NONE, "a reason that is gone proposes nothing"


def test_switches_that_no_market_may_open_exist_and_are_shut() -> None:
    behind = replace(calm, objects=(other(60.0, speed_kmh=70.0),))
    by_itself = active(hold(12, behind), chosen=market(sim_enabled=True))
    states = [step.core.manoeuvre.state for step in by_itself.steps]
    assert State.PROCEDURE in states and states.index(State.PROCEDURE) - states.index(State.PROPOSED) >= 60, (
        "3 s notice"
    )
    hands_off = replace(calm, hands=False)
    assert "dcas_hands_on" not in active(hold(20, hands_off), chosen=market(hands_off_enabled=True)).alerts()
    with pytest.raises(ValueError, match="sim_enabled is true, which series"):
        type(MARKET.dcas).model_validate({**MARKET.dcas.model_dump(), "sim_enabled": True})
    with pytest.raises(ValueError, match="hands_off_enabled is true, which series"):
        type(MARKET.dcas).model_validate({**MARKET.dcas.model_dump(), "hands_off_enabled": True})
    with pytest.raises(ValueError, match="nobody has confirmed"):
        type(MARKET.dcas).model_validate({**MARKET.dcas.model_dump(), "series": "01"})
    read = {**MARKET.dcas.model_dump(), "series": "01", "later_series_read": True, "hands_off_enabled": True}
    with pytest.raises(ValueError, match="without an approval"):
        type(MARKET.dcas).model_validate(read)


# --- closed loop -----------------------------------------------------------------------------------------------------


def jerk_mps3(ticks: list[Tick]) -> float:
    """Lateral jerk, mean over 0.5 s of the filtered acceleration (R171 6.2.3, as R79 Annex 8 measures it)."""
    values = butterworth([tick.lateral_accel_mps2 for tick in ticks])
    steps = round(0.5 / STEP_S)
    return max(abs(b - a) / 0.5 for a, b in zip(values, values[steps:], strict=False))


WAYS = {
    "straight": None,
    "left-bend": bend(1 / 900.0, straight_m=60.0, clothoid_m=80.0, arc_m=900.0),
    "right-bend": bend(-1 / 900.0, straight_m=60.0, clothoid_m=80.0, arc_m=900.0),
}


@pytest.mark.clause("R171 6.2.3")
@pytest.mark.parametrize("name", list(WAYS))
@pytest.mark.parametrize("speed_kmh", [80.0, 120.0])
def test_a_lane_change_in_closed_loop(name: str, speed_kmh: float) -> None:
    way_ = WAYS[name]
    limit_kmh = 100.0 if speed_kmh < 100.0 else 130.0  # at 80 behind which 130 are allowed, 80 m of sight are too short
    loop = Loop(speed_kmh=speed_kmh, limit_kmh=limit_kmh)
    if way_ is not None:
        loop = Loop(speed_kmh=speed_kmh, limit_kmh=limit_kmh, way=way_)
    loop.activate()
    if way_ is not None:
        loop.run(3.0)
    ticks = loop.run(14.0, LEFT)
    states = [tick.state.manoeuvre if tick.state is not None else ManoeuvreState.NONE for tick in ticks]
    assert states[-1] is ManoeuvreState.NONE and ticks[-1].lane == 0
    crossing_s = states.index(ManoeuvreState.MANOEUVRE) * STEP_S
    assert 3.0 <= crossing_s <= 7.0, "6.2.6, 6.2.7"
    lit = [tick for tick, state in zip(ticks, states, strict=True) if state is ManoeuvreState.MANOEUVRE]
    assert all(tick.lamps is not None and tick.lamps.indicator_left is LampDemand.ON for tick in lit), "6.2.6"
    assert ticks[-1].lamps is not None and ticks[-1].lamps.indicator_left is not LampDemand.ON
    bent = 0.0 if way_ is None else kmh_to_mps(speed_kmh) ** 2 / 900.0
    assert max(abs(tick.lateral_accel_mps2) for tick in ticks) <= min(bent + 1.5, 3.5), "T30: on top of the curve"
    assert jerk_mps3(ticks) <= 5.0
    assert max(abs(tick.error_m) for tick in ticks[-200:]) <= 0.1, "it keeps the new lane"
    assert max(tick.place_m for tick in ticks) <= 3.5 + 0.1, "and did not swing beyond it"


def test_t27_no_gap_in_time_and_it_is_told() -> None:
    loop = Loop(others=[Other(lane=0, s_m=-12.0, speed_mps=kmh_to_mps(100.0))])
    loop.activate()
    loop.others[0].s_m = loop.car.motion.s_m - 12.0
    ticks = loop.run(9.0, LEFT)
    assert "dcas_change_suppressed" in loop.codes()
    assert all(tick.lane == 1 and abs(tick.error_m) < 0.3 for tick in ticks)
    told = [(tick.t_s, a) for tick in ticks for a in tick.alerts if a.code == "dcas_change_suppressed" and a.is_active]
    told_s = told[0][0]
    assert told_s - ticks[0].t_s <= 7.0
    assert all(alert.is_acoustic is (t_s - told_s < 3.0 - 1e-3) for t_s, alert in told), "then it is seen only"


def test_a_long_way_back_is_not_sounded_all_the_way() -> None:
    """The car goes back into its lane for some seconds after the refusal: seen all the time, heard for three."""
    loop = Loop()
    loop.activate()
    loop.run(2.0, LEFT)
    loop.others.append(Other(lane=0, s_m=loop.car.motion.s_m - 30.0, speed_mps=kmh_to_mps(140.0)))
    ticks = loop.run(12.0, LEFT)
    told = [(tick.t_s, a) for tick in ticks for a in tick.alerts if a.code == "dcas_change_suppressed" and a.is_active]
    heard = [t_s for t_s, alert in told if alert.is_acoustic]
    assert told[0][1].is_acoustic and heard[-1] - heard[0] <= 3.0 < told[-1][0] - told[0][0]


def test_a_gap_that_closes_on_the_way_to_the_line_takes_it_back() -> None:
    loop = Loop()
    loop.activate()
    loop.run(2.0, LEFT)
    loop.others.append(Other(lane=0, s_m=loop.car.motion.s_m - 30.0, speed_mps=kmh_to_mps(140.0)))
    ticks = loop.run(7.0, LEFT)
    assert all(tick.lane == 1 for tick in ticks) and "dcas_change_suppressed" in loop.codes()
    assert abs(ticks[-1].error_m) < 0.1
    assert max(tick.lateral_accel_mps2 for tick in ticks) < 1.5


@pytest.mark.clause("R171 6.2.6")
def test_a_car_that_is_at_the_line_too_soon_goes_back() -> None:
    drive = active(hold(2.2, indicating), hold(0.7, replace(indicating, lane=lane(offset_m=-1.0))))
    states = [step.core.manoeuvre.state for step in drive.steps]
    assert State.DRIFT in states and State.MANOEUVRE not in states and states[-1] is State.RETURNING
    assert drive.last.core.manoeuvre.reason == "line_too_soon", "not a gap that closed"


@pytest.mark.clause("R171 6.2.7")
def test_t27_a_car_that_does_not_come_to_the_line_in_time_goes_back() -> None:
    """Something holds it, such as the driver's hand below the override: no manoeuvre begins after 7 s."""
    drive = active(hold(7.5, indicating), hold(3.0, replace(indicating, lane=lane(offset_m=-1.0))))
    begun_s = next(step.t_s for step in drive.steps if step.core.manoeuvre.state is State.PROCEDURE)
    back_s = next(step.t_s for step in drive.steps if step.core.manoeuvre.state is State.RETURNING)
    assert back_s - begun_s <= 7.0 and drive.at(back_s).core.manoeuvre.reason == "line_too_late"
    assert all(step.core.manoeuvre.state is not State.MANOEUVRE for step in drive.steps)
    assert drive.alerts()["dcas_change_suppressed"] - begun_s <= 7.0


def test_the_driver_takes_the_indicator_back() -> None:
    loop = Loop()
    loop.activate()
    loop.run(2.0, LEFT)
    ticks = loop.run(8.0)
    assert all(tick.lane == 1 for tick in ticks) and abs(ticks[-1].error_m) < 0.05


@pytest.mark.clause("R171 6.2.8")
@pytest.mark.parametrize("cause", ["driver_cancels", "gap_closed", "hands_off"])
@pytest.mark.parametrize("left_m", [0.8, 0.5, 0.3, 0.2, 0.1])
@pytest.mark.parametrize("speed_kmh", [80.0, 125.0])
def test_called_off_however_late_it_goes_back_under_control(cause: str, left_m: float, speed_kmh: float) -> None:
    """Until the tyre is at the outer edge of the line: little over it, not for long, to the middle of the lane."""
    loop = Loop(speed_kmh=speed_kmh, limit_kmh=100.0 if speed_kmh < 100.0 else 130.0)
    loop.activate()
    outer_m = 1.75 + 0.15  # outer edge of the line, from the middle of the lane
    tyre_m = 0.5 * VEHICLE.dimensions.tyre_outer_width_m
    ticks: list[Tick] = []
    while not ticks or outer_m - tyre_m - ticks[-1].place_m > left_m:
        ticks += loop.run(STEP_S, LEFT)
        assert len(ticks) < 1000
    assert loop.executor.core("dcas").state.manoeuvre.state is State.DRIFT
    does = LEFT
    if cause == "driver_cancels":
        does = Does()
    elif cause == "gap_closed":
        loop.others.append(Other(lane=0, s_m=loop.car.motion.s_m - 25.0, speed_mps=kmh_to_mps(170.0)))
    else:
        does = Does(indicator=Indicator.LEFT, zone=GazeZone.LAP, hands=False)
    ticks = loop.run(3.0, does) + loop.run(6.0)
    if cause == "hands_off" and any(tick.lane == 0 for tick in ticks):
        return  # no request is due yet when the tyre comes to the line: from there on it goes on
    assert all(tick.lane == 1 for tick in ticks) and "dcas_change_suppressed" in loop.codes()
    over_m = [tick.place_m + tyre_m - outer_m for tick in ticks]
    assert max(over_m) <= 0.25 and sum(value > 0.0 for value in over_m) * STEP_S <= 2.0
    assert min(tick.place_m for tick in ticks) >= -0.1 and abs(ticks[-1].error_m) < 0.05
    assert max(abs(tick.lateral_accel_mps2) for tick in ticks) <= 1.5 and jerk_mps3(ticks) <= 5.0


def test_a_slower_car_is_passed_at_the_drivers_word() -> None:
    loop = Loop(others=[Other(lane=1, s_m=150.0, speed_mps=kmh_to_mps(70.0))], limit_kmh=100.0)
    loop.activate()
    loop.others[0].s_m = loop.car.motion.s_m + 90.0
    loop.run(8.0)
    assert "dcas_change_proposed" in loop.codes()
    loop.run(0.2, Does(pressed=("lane_change_confirm",)))
    ticks = loop.run(15.0)
    assert ticks[-1].lane == 0
    assert min(tick.accel_mps2 for tick in ticks) >= -2.2, "6.2.4.3"
    assert ticks[-1].speed_mps > kmh_to_mps(95.0), "and it is as fast as before again"


@pytest.mark.clause("R171 5.3.7.3.2")
def test_nobody_answers_and_the_car_stops_on_the_shoulder() -> None:
    gone = Does(hands=False, zone=GazeZone.LAP)
    chosen = market(risk=MARKET.dcas.risk.model_copy(update={"to_shoulder": True}))
    loop = Loop(lanes=3, lane=1, market=chosen)  # the middle one; a shoulder lies right of the rightmost
    loop.activate()
    begin = len(loop.ticks)
    ticks = loop.run(60.0, gone)
    assert ticks[-1].speed_mps == 0.0 and ticks[-1].lane == 2
    stop_s = (
        next(
            i for i, tick in enumerate(ticks) if tick.state is not None and tick.state.engagement.name == "UNAVAILABLE"
        )
        * STEP_S
    )
    moved_s = next(i for i, tick in enumerate(ticks) if tick.place_m < -0.3) * STEP_S
    assert moved_s - stop_s >= 5.0, "R79 5.1.6.3.9"
    told = {tick.state.manoeuvre for tick in ticks if tick.state is not None}
    assert ManoeuvreState.MANOEUVRE in told, (
        "others, such as emergency lane keeping, know that the line is crossed on purpose"
    )
    after = [tick for tick in ticks if tick.t_s - loop.ticks[begin].t_s > stop_s]
    assert min(tick.accel_mps2 for tick in after) >= -4.0
    assert max(abs(tick.lateral_accel_mps2) for tick in after) <= 1.0 + 0.1
    assert ticks[-1].lamps is not None and ticks[-1].lamps.hazard is LampDemand.ON
    edge_m = -3.5 - 1.75 - 0.15  # outer edge of the line to the shoulder, from where the car began
    assert ticks[-1].place_m + 0.5 * VEHICLE.dimensions.tyre_outer_width_m < edge_m, "all of it stands on the shoulder"
    assert ticks[-1].place_m - 0.5 * VEHICLE.dimensions.width_m > edge_m - 2.5, "and not beyond it"
    assert loop.executor.core("dcas").state.state is Mode.HELD


def test_in_left_hand_traffic_the_side_is_the_left() -> None:
    from adas_runtime.market import load_market

    gone = Does(hands=False, zone=GazeZone.LAP)
    loop = Loop(lanes=2, lane=1, market=load_market("jp", is_dated=False))
    loop.activate()
    ticks = loop.run(60.0, gone)
    assert ticks[-1].lane == 0 and ticks[-1].speed_mps == 0.0 and ticks[-1].place_m > 3.0


def test_a_car_on_the_shoulder_side_is_not_cut_off() -> None:
    gone = Does(hands=False, zone=GazeZone.LAP)
    loop = Loop(lanes=2, lane=0, others=[Other(lane=1, s_m=0.0, speed_mps=kmh_to_mps(100.0))])
    loop.activate()
    loop.others[0].s_m = loop.car.motion.s_m - 2.0
    ticks = loop.run(24.0, gone)
    assert all(tick.lane == 0 for tick in ticks[: round(22.0 / STEP_S)] if abs(loop.others[0].s_m) < 1e9)


@pytest.mark.clause("R171 5.3.7.1.2")
@pytest.mark.parametrize("radius_m", [400.0, -400.0])
def test_curves_are_driven_within_the_declared_acceleration(radius_m: float) -> None:
    loop = Loop(speed_kmh=120.0, way=bend(1.0 / radius_m, straight_m=250.0, clothoid_m=100.0, arc_m=600.0))
    loop.activate()
    ticks = loop.run(20.0)
    assert max(abs(tick.lateral_accel_mps2) for tick in ticks) <= MARKET.dcas.lateral_accel_max_mps2
    assert max(abs(tick.error_m) for tick in ticks) < 0.4, "inside its lane (0.875 m to the line)"
    assert jerk_mps3(ticks) <= 5.0
    assert all(tick.state is not None and tick.state.mode.name == "ACTIVE" for tick in ticks)
