"""Automatic lane change: UN R79 5.6.4, rows L1 to L19 and vectors 28 to 39 of the lane-keeping sheet."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from change_drives import (
    FAR,
    LEFT,
    ON,
    OPEN,
    PARAMS,
    RIGHT,
    SPACING_M,
    Motion,
    Said,
    behind,
    car,
    first,
    fresh,
    glide,
    params,
    standby,
    states,
    thing,
    told,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from steering_drives import CAR, MARKET, status

from adas_runtime.errors import ConfigError
from adas_runtime.lane_keeping.change_params import manoeuvre_latest_s
from adas_runtime.lane_keeping.change_states import (
    BEFORE,
    MOVING,
    REASONS,
    STEERING,
    TRANSITIONS,
    State,
    View,
)
from adas_runtime.lateral.gap import critical_gap_m
from adas_runtime.market import load_market
from adas_runtime.scenario.motorway import motorway_map
from adas_runtime.signals import (
    AlertLevel,
    BodyState,
    HorizonSegment,
    Indicator,
    LampDemand,
    LaneBeyond,
    LongitudinalRequest,
    MarkingType,
    ObjectClass,
    RoadClass,
    SignKind,
    SignObservation,
    SignObservations,
    Stage,
)
from adas_runtime.units import kmh_to_mps

HEAVY = CAR.model_copy(update={"category": "N3"})
DONE = ["procedure", "approach", "manoeuvre", "settle", "resume", "standby"]
STAY = ("standby", "waiting", "procedure", "suppressed", "off")


def lamp(said: list[Said], side: str) -> list[tuple[float, LampDemand]]:
    """What was asked of the indicator of a side, with its time."""
    return [(item.t_s, getattr(item.out.lamps, f"indicator_{side}")) for item in said if item.out.lamps is not None]


# --- the whole change, times ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("side", "driver"), [("left", LEFT), ("right", RIGHT)])
@pytest.mark.clause("R79 5.6.4.6.4")
def test_a_change_from_the_indicator_to_the_new_lane(side: str, driver: dict[str, Any]) -> None:
    motion = standby()
    said = motion.hold(12.0, driver=driver, objects=(FAR,))
    assert states(said) == DONE
    moved_s = next(item.t_s for item in said if abs(item.place_m) > 1e-3)
    touch_s, across_s = first(said, "manoeuvre"), first(said, "settle")
    assert moved_s >= 1.0, "L7"
    assert touch_s is not None and 3.0 <= touch_s <= 5.0, "L8"
    assert across_s is not None and across_s - touch_s < 5.0, "L10"
    places = [abs(item.place_m) for item in said if item.state in ("approach", "manoeuvre", "settle")]
    assert all(b >= a - 1e-9 for a, b in itertools.pairwise(places)), "one continuous movement"
    resumed_s = first(said, "resume")
    lamps = lamp(said, side)
    assert resumed_s is not None
    assert lamps[0] == (0.0, LampDemand.ON) and lamps[-1][1] is LampDemand.OFF
    assert resumed_s < lamps[-1][0] <= resumed_s + 0.5, "L11"
    assert all(demand is LampDemand.ON for _, demand in lamps[:-1]), "and it stays on until then"


@pytest.mark.parametrize(
    ("begin_s", "touch_s", "across_s", "vehicle", "is_failure"),
    [
        (1.2, 3.6, 7.9, CAR, False),
        (1.2, 3.6, 8.7, CAR, True),
        (1.2, 3.6, 13.1, HEAVY, False),
        (1.2, 3.6, 13.7, HEAVY, True),
    ],
    ids=["v28-4.3-s", "v33-M1-5.1-s", "v33-N3-9.5-s", "N3-10.1-s"],
)
@pytest.mark.clause("R79 5.6.4.6.5")
def test_v28_v33_how_long_the_manoeuvre_may_last(
    begin_s: float, touch_s: float, across_s: float, vehicle: Any, is_failure: bool
) -> None:
    motion = standby(vehicle_=vehicle, script=glide(begin_s, touch_s, across_s))
    said = motion.hold(16.0, driver=LEFT, objects=(FAR,))
    assert first(said, "manoeuvre") == pytest.approx(touch_s, abs=0.05)
    failures = told(said, "lane_change_take_over")
    assert bool(failures) is is_failure
    if is_failure:
        assert failures[0].is_optical and failures[0].is_acoustic and failures[0].level is AlertLevel.CRITICAL, "L15"
    assert manoeuvre_latest_s(vehicle.category) == (5.0 if vehicle.category == "M1" else 10.0)


@pytest.mark.clause("R79 5.6.4.6.4.1")
def test_v29_a_tyre_at_the_marking_at_2_8_s_is_no_start() -> None:
    motion = standby(script=glide(0.8, 2.8, 6.0))
    said = motion.hold(2.95, driver=LEFT, objects=(FAR,))
    assert first(said, "manoeuvre") is None and said[-1].state == "return" and said[-1].reason == "not_in_time"


@pytest.mark.parametrize("what", ["critical", "beside"])
@pytest.mark.clause("R79 5.6.4.6.8.1")
def test_v30_blocked_until_5_1_s_is_suppressed_with_a_warning(what: str) -> None:
    motion = standby()
    near = behind(15.0, 100.0) if what == "critical" else thing(0.0, 1, 100.0)
    said = motion.hold(5.1, driver=LEFT, objects=(near,)) + motion.hold(4.0, driver=LEFT, objects=())
    assert "approach" not in states(said) and "manoeuvre" not in states(said)
    warned = told(said, "lane_change_suppressed")
    assert warned and warned[0].is_optical and warned[0].is_acoustic, "L14"
    assert all(item.place_m == 0.0 for item in said)


def confirmed(action_s: float, script: Any = None) -> list[Said]:
    """A drive with the second action at a time."""
    motion = standby(params(method="confirmed"), script=script)

    def driver(t_s: float) -> dict[str, Any]:
        return {**LEFT, "pressed": ("lane_change_confirm",) if action_s <= t_s < action_s + 0.2 else ()}

    return motion.hold(12.0, driver=driver, objects=(FAR,))


@pytest.mark.clause("R79 5.6.4.6.4.2")
def test_v31_the_second_action_begins_it() -> None:
    said = confirmed(3.0)
    touch_s = first(said, "manoeuvre")
    assert states(said) == DONE and touch_s is not None and 3.0 < touch_s <= 6.0
    assert told(said, "lane_change_confirm"), "the driver is asked for it"
    said = confirmed(3.0, glide(3.3, 5.9, 9.0))
    assert first(said, "manoeuvre") == pytest.approx(5.9, abs=0.05)


@pytest.mark.parametrize(
    ("action_s", "script"), [(5.2, None), (3.5, glide(3.9, 6.6, 10.0))], ids=["v32-action-5.2", "v32-touch-6.6"]
)
@pytest.mark.clause("R79 5.6.4.6.4.2")
def test_v32_too_late_is_suppressed(action_s: float, script: Any) -> None:
    said = confirmed(action_s, script)
    assert first(said, "manoeuvre") is None and {"suppressed", "return"} & set(states(said))
    assert told(said, "lane_change_suppressed")


def test_without_the_second_action_nothing_moves() -> None:
    said = confirmed(99.0)
    assert states(said)[:2] == ["procedure", "suppressed"] and all(item.place_m == 0.0 for item in said)


# --- traffic ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rear_kmh", "gap_m", "allowed"),
    [(130.0, 42.0, False), (130.0, 43.0, True), (150.0, 43.0, True)],
    ids=["v34-42-m", "v34-43-m", "v35-150-km/h"],
)
@pytest.mark.clause("R79 5.6.4.7")
def test_v34_v35_the_gap_at_the_start_of_the_manoeuvre(rear_kmh: float, gap_m: float, allowed: bool) -> None:
    motion = standby(params(rear_margin_m=0.0))
    closing_mps = kmh_to_mps(rear_kmh - 100.0)
    plain = standby()
    touch_s = first(plain.hold(6.0, driver=LEFT), "manoeuvre")
    assert touch_s is not None
    said = motion.hold(
        8.0, driver=LEFT, objects=lambda t_s: (behind(gap_m + closing_mps * max(touch_s - t_s, 0.0), rear_kmh),)
    )
    assert (first(said, "manoeuvre") is not None) is allowed
    if not allowed:
        assert told(said, "lane_change_suppressed")


@pytest.mark.clause("R79 5.6.4.7")
def test_a_situation_that_gets_critical_on_the_way_takes_it_back() -> None:
    motion = standby()
    said = motion.hold(2.2, driver=LEFT) + motion.hold(8.0, driver=LEFT, objects=(behind(25.0, 130.0),))
    assert states(said) == ["procedure", "approach", "return", "suppressed", "standby"]
    assert first(said, "manoeuvre") is None
    assert told(said, "lane_change_suppressed")[0].is_acoustic


@pytest.mark.parametrize(
    "item",
    [
        thing(-10.0, 1, 100.0),
        thing(3.0, 1, 100.0),
        thing(8.0, 1, 80.0),
        thing(-4.0, 1, 100.0, object_class=ObjectClass.MOTORCYCLE, width_m=0.8, length_m=2.2),
        thing(30.0, 1, 60.0),
        thing(1.0, 2, 100.0, speed_y_mps=-1.2),
    ],
    ids=["just-behind", "beside", "just-ahead", "motorcycle", "slow-ahead", "comes-over-from-the-third-lane"],
)
def test_no_room_in_the_other_lane(item: Any) -> None:
    said = standby().hold(6.0, driver=LEFT, objects=(item,))
    assert "approach" not in states(said)


@pytest.mark.parametrize(
    "item",
    [thing(-10.0, 0, 100.0), thing(0.0, -1, 100.0), thing(0.0, 2, 100.0), behind(70.0, 130.0), thing(80.0, 1, 100.0)],
    ids=["behind-us", "other-side", "third-lane", "far-behind", "far-ahead"],
)
def test_traffic_that_does_not_matter(item: Any) -> None:
    assert states(standby().hold(12.0, driver=LEFT, objects=(item,))) == DONE


@pytest.mark.clause("R79 5.6.4.8.3")
def test_v37_nothing_seen_behind_since_the_start_and_it_is_told() -> None:
    motion = standby(seen=(behind(60.0, 130.0, lane_=0),))
    assert motion.core.state.state is State.WAITING
    said = motion.hold(6.0, driver=LEFT)
    assert set(states(said)) <= {"suppressed", "waiting"}
    assert said[0].reason == "nothing_seen_behind" and told(said, "lane_change_suppressed"), "L19: told on initiation"
    motion.hold(0.5)
    assert states(motion.hold(1.0, objects=(FAR,)))[-1] == "standby"


@pytest.mark.clause("R79 5.6.4.8.4")
def test_vehicles_that_come_up_unseen_show_that_rear_sensing_is_blind() -> None:
    motion = standby()
    for number in (7, 8):
        motion.hold(0.1, objects=(behind(20.0, 130.0, number=number, age_s=0.05),))
        motion.hold(2.0)
    assert motion.core.state.state is State.WAITING and motion.core.state.reason == "rear_blind"
    assert "procedure" not in states(motion.hold(6.0, driver=LEFT))
    motion.hold(1.0, objects=(FAR,))
    assert motion.core.state.state is State.STANDBY


@pytest.mark.parametrize(("speed_kmh", "allowed"), [(74.6, False), (94.6, True)], ids=["v38-74.6", "v38-94.6"])
@pytest.mark.clause("R79 5.6.4.8.1.4")
def test_v38_the_least_speed_for_a_range_of_55_m(speed_kmh: float, allowed: bool) -> None:
    motion = standby(vehicle_=car(rear_sensing_m=55.0), speed_kmh=speed_kmh)
    said = motion.hold(12.0, driver=LEFT)
    assert (states(said) == DONE) is allowed
    if not allowed:
        assert said[0].reason == "speed_low"


@pytest.mark.clause("R79 5.6.4.8.1.4")
def test_below_it_a_vehicle_that_is_watched_lets_it_start() -> None:
    motion = standby(vehicle_=car(rear_sensing_m=55.0), speed_kmh=74.6)
    assert states(motion.hold(12.0, driver=LEFT, objects=(behind(40.0, 75.0),))) == DONE


@pytest.mark.parametrize("range_m", [None, 50.0], ids=["no-sensors", "l16-less-than-55-m"])
@pytest.mark.clause("R79 5.6.4.8.1")
def test_l16_without_rear_sensing_it_cannot_be_switched_on(range_m: float | None) -> None:
    motion = standby(vehicle_=car(rear_sensing_m=range_m))
    assert motion.core.state.state is State.OFF
    assert motion.hold(6.0, driver=LEFT)[-1].state == "off"


# --- on, off, road ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("R79 5.6.4.2.1")
def test_l2_off_at_every_start_and_not_after_a_stop_start_pause() -> None:
    motion = fresh()
    assert states(motion.hold(15.0, objects=(FAR,))) == ["off"]
    motion = standby()
    motion.hold(1.0, body=(BodyState(stamp_s=motion.now_s, is_master_switch_on=True, is_propulsion_on=False),))
    assert motion.core.state.state is State.STANDBY, "the engine's pause is no new start"
    motion.hold(1.0, body=(BodyState(stamp_s=motion.now_s, is_master_switch_on=False),))
    motion.hold(5.0)
    assert motion.core.state.state is State.OFF
    motion.hold(0.1, driver=ON)
    motion.hold(1.0)
    assert motion.core.state.state is State.WAITING, "L18: in a new run cycle somebody has to be seen behind anew"


@pytest.mark.clause("R79 5.6.4.2.3")
def test_one_press_puts_it_on_and_one_off_and_a_held_button_is_one_press() -> None:
    motion = standby()
    assert states(motion.hold(3.0, driver=ON)) == ["off"]
    motion.hold(0.5)
    assert states(motion.hold(3.0, driver=ON))[-1] == "standby"


def road(**changes: Any) -> Any:
    segment = {
        "offset_m": 0.0,
        "length_m": 900.0,
        "probability": 1.0,
        "road_class": RoadClass.MOTORWAY,
        "is_dual_carriageway": True,
        "is_built_up": False,
        "lanes": 3,
    }
    return replace(motorway_map(), segments=(HorizonSegment(**{**segment, **changes}),))


def sign(kind: SignKind) -> Any:
    return SignObservations(stamp_s=1.0, signs=(SignObservation(kind=kind, confidence=0.9),))


SOLID = {"type": MarkingType.SOLID, "may_cross": False}
WALKER = thing(20.0, -2, 5.0, object_class=ObjectClass.PEDESTRIAN)
ONCOMING = thing(60.0, 1, -80.0)


@pytest.mark.parametrize(
    ("inputs", "is_on"),
    [
        ({}, True),
        ({"horizon": (road(road_class=RoadClass.TRUNK),)}, True),
        ({"horizon": (road(lanes=1),)}, True),
        ({"horizon": (road(road_class=RoadClass.TRUNK, is_dual_carriageway=False),)}, False),
        ({"horizon": (road(road_class=RoadClass.TRUNK, is_built_up=None),)}, False),
        ({"horizon": (road(road_class=RoadClass.PRIMARY),)}, False),
        ({"horizon": (road(is_link=True),)}, False),
        ({"horizon": (replace(road(), is_matched=False),)}, False),
        ({"horizon": ()}, False),
        ({"left": SOLID, "right": SOLID}, False),
        ({"left": SOLID, "right": SOLID, "signs": (sign(SignKind.MOTORWAY_ENTRY),)}, True),
        ({"left": SOLID, "right": SOLID, "signs": (sign(SignKind.MOTORWAY_EXIT),)}, False),
        ({"lane": None, "signs": ()}, False),
        ({"objects": (FAR, WALKER)}, False),
        ({"objects": (FAR, ONCOMING)}, False),
        ({"objects": None}, False),
    ],
    ids=[
        "motorway",
        "divided-trunk-road",
        "second-lane-missing-alone",
        "trunk-not-divided",
        "trunk-perhaps-in-a-town",
        "primary",
        "slip-road",
        "not-matched",
        "no-map",
        "camera-sees-no-other-lane",
        "sign-instead-of-camera",
        "end-of-motorway",
        "no-camera",
        "pedestrian",
        "oncoming-in-the-next-lane",
        "no-road-users",
    ],
)
@pytest.mark.clause("R79 5.6.4.2.3")
def test_l3_only_where_two_means_prove_the_road(inputs: dict[str, Any], is_on: bool) -> None:
    motion = fresh(script=lambda t_s: (0.0, 0.0))
    base: dict[str, Any] = {"objects": (FAR,), **inputs}
    motion.hold(11.0, **base)
    motion.hold(0.1, driver=ON, **base)
    said = motion.hold(1.0, **base)
    assert (motion.core.state.state is not State.OFF) is is_on
    if not is_on:
        assert told(said, "lane_change_off"), "and the driver is told why"


@pytest.mark.clause("R79 5.6.4.2.3")
def test_l3_where_the_road_ends_it_switches_off_and_stays_off() -> None:
    motion = standby()
    town = {"horizon": (road(road_class=RoadClass.PRIMARY),)}
    said = motion.hold(4.0, **town)
    assert said[-1].state == "off" and said[-1].reason == "road_not_proven" and told(said, "lane_change_off")
    assert states(motion.hold(20.0)) == ["off"], "only the driver puts it on again"


# --- the driver -------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R79 5.6.4.5.6")
def test_l12_hands_off_before_the_manoeuvre_are_told_within_3_s_and_it_does_not_start() -> None:
    said = standby().hold(8.0, driver=LEFT, hands=False)
    pictures = [item.t_s for item in said if item.out.hands is not None]
    assert pictures and pictures[0] <= 3.0
    assert "approach" not in states(said) and "suppressed" in states(said)


@pytest.mark.clause("R79 5.6.4.6.8.1")
def test_v36_hands_off_at_the_start_of_the_manoeuvre() -> None:
    touch_s = first(standby().hold(6.0, driver=LEFT), "manoeuvre")
    assert touch_s is not None
    said = standby().hold(8.0, driver=LEFT, hands=lambda t_s: t_s < touch_s - 0.1)
    assert first(said, "manoeuvre") is None
    assert any(item.state == "return" and item.reason == "hands_off" for item in said)


@pytest.mark.parametrize("at_s", [0.5, 2.0, 4.0, 6.0], ids=["procedure", "approach", "manoeuvre", "settle"])
@pytest.mark.clause("R79 5.6.4.3")
def test_l4_the_drivers_torque_wins_at_once_and_is_told_without_a_sound(at_s: float) -> None:
    motion = standby()
    motion.hold(at_s, driver=LEFT)
    said = motion.hold(0.5, driver=LEFT, vehicle={"driver_torque_nm": 3.5})
    assert said[0].state == "suppressed" and not any(item.is_asking for item in said)
    assert said[0].out.request is not None and not said[0].out.request.is_active, "the arbiter is told in the same step"
    warned = told(said, "lane_change_suppressed")
    assert warned and not any(alert.is_acoustic for alert in warned)


@pytest.mark.parametrize("at_s", [0.5, 2.0, 4.0], ids=["procedure", "approach", "manoeuvre"])
def test_one_press_ends_it_at_any_time(at_s: float) -> None:
    motion = standby()
    motion.hold(at_s, driver=LEFT)
    said = motion.hold(0.1, driver={**LEFT, **ON})
    assert said[0].state == "off" and not any(item.is_asking for item in said)


@pytest.mark.parametrize(
    ("at_s", "driver", "is_back"),
    [
        (0.5, {}, True),
        (2.0, {}, True),
        (2.0, RIGHT, True),
        (2.0, {"indicator": Indicator.HAZARD}, True),
        (4.5, {}, False),
    ],
    ids=["procedure", "approach", "other-side", "hazard", "in-the-manoeuvre-it-goes-on"],
)
@pytest.mark.clause("R79 5.6.4.6.8.1")
def test_l13_the_indicator_taken_back(at_s: float, driver: dict[str, Any], is_back: bool) -> None:
    motion = standby()
    motion.hold(at_s, driver=LEFT)
    said = motion.hold(8.0, driver=driver)
    assert ("suppressed" in states(said)) is is_back
    assert (states(said)[-1] == "standby") and (motion.said[-1].place_m == 0.0) is is_back
    if is_back:
        assert not any(alert.is_acoustic for alert in told(said, "lane_change_suppressed")), "the driver caused it"


@pytest.mark.clause("R79 5.6.4.6.1")
@pytest.mark.parametrize("state", ["off", "standby", "override", "hands1", "emergency", "fault"])
def test_l6_it_starts_only_while_lane_centring_is_active(state: str) -> None:
    motion = standby()
    motion.centring = state
    motion.hold(0.1)
    said = motion.hold(6.0, driver=LEFT)
    allowed = state == "hands1"  # it steers; the hands rule decides
    assert ("procedure" in states(said)) is allowed
    assert allowed or not told(said, "lane_change_suppressed"), "a driver who changes lanes alone is left alone"


def test_l1_lane_centring_off_ends_it() -> None:
    motion = standby()
    motion.hold(2.0, driver=LEFT)
    motion.centring = "off"
    said = motion.hold(0.5, driver=LEFT)
    assert said[0].state == "suppressed" and said[0].reason == "centring_off"


def test_assistance_takes_over() -> None:
    motion = standby()
    motion.hold(2.0, driver=LEFT)
    said = motion.hold(0.5, driver=LEFT, dcas=(status("dcas", "active"),))
    assert said[0].reason == "assistance_steers" and not said[-1].is_asking
    quiet = standby()
    quiet.hold(2.0, driver=LEFT)
    shadow = replace(status("dcas", "active"), stage=Stage.SHADOW)
    assert quiet.hold(0.5, driver=LEFT, dcas=(shadow,))[-1].state == "approach", "one in shadow touches nobody"


def test_an_indicator_that_is_on_already_begins_nothing() -> None:
    motion = fresh(script=lambda t_s: (0.0, 0.0))
    motion.hold(11.0, objects=(FAR,), driver=LEFT)
    motion.hold(0.1, objects=(FAR,), driver={**LEFT, **ON})
    assert states(motion.hold(6.0, objects=(FAR,), driver=LEFT))[-1] == "standby"


BRAKING = LongitudinalRequest(
    stamp_s=1.0, author="aeb", cause="collision_imminent", is_active=True, accel_mps2=-7.8, priority=2
)


# --- markings, curves, conditions -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"left": {**OPEN, "may_cross": False}}, "marking"),
        ({"left": {**OPEN, "may_cross": None}}, "marking"),
        ({"left": {**OPEN, "beyond": LaneBeyond.ONCOMING}}, "oncoming"),
        ({"left": {**OPEN, "beyond": LaneBeyond.UNKNOWN}}, "oncoming"),
        ({"left": {**OPEN, "beyond": LaneBeyond.SHOULDER}}, "oncoming"),
        ({"left": {**OPEN, "is_seen": False}}, "no_edge"),
        ({"lane": {"is_fit_to_steer": False}}, "lane_unfit"),
        ({"lane": {"is_works": True}}, "works"),
        ({"lane": {"curvature_1pm": 0.0025}}, "curve"),
        ({"vehicle": {"is_stability_control_active": True}}, "stability_control"),
        ({"body": (BodyState(stamp_s=1.0, is_trailer_coupled=True),)}, "trailer"),
        ({"braking": (BRAKING,)}, "emergency_braking"),
        ({"objects": None}, "no_rear_sensing"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.parametrize("at_s", [0.0, 2.3], ids=["at-the-start", "on-the-way"])
@pytest.mark.clause("R79 5.6.4.6.8.1")
def test_l13_what_speaks_against_it(inputs: dict[str, Any], reason: str, at_s: float) -> None:
    motion = standby()
    if at_s:
        motion.hold(at_s, driver=LEFT)
        assert motion.core.state.state is State.APPROACH
    said = motion.hold(7.0, driver=LEFT, **inputs)
    assert first(said, "manoeuvre") is None
    assert said[0].state == ("return" if at_s else "suppressed") and said[0].reason == reason
    assert told(said, "lane_change_suppressed")


def test_somebody_beside_in_the_first_moment_of_the_manoeuvre_takes_it_back() -> None:
    motion = standby()
    motion.hold(3.0, driver=LEFT)
    while motion.core.state.state is State.APPROACH:
        motion.hold(0.1, driver=LEFT)
    assert motion.core.state.state is State.MANOEUVRE
    said = motion.hold(4.0, driver=LEFT, objects=(thing(0.0, 1, 100.0),))
    assert said[0].state == "return" and "settle" not in states(said)


# --- what it lacks ----------------------------------------------------------------------------------------------------


@pytest.mark.clause("R79 5.6.4.5.5")
def test_l15_a_failure_is_shown_and_during_the_manoeuvre_heard() -> None:
    motion = standby()
    said = motion.hold(4.0, objects=None)
    assert said[-1].state == "fault" and said[-1].reason == "objects_absent"
    assert told(said, "lane_change_fault")[0].is_optical
    assert motion.hold(1.0, objects=(FAR,))[-1].state == "standby", "and it ends with its cause"
    motion = standby()
    motion.hold(4.0, driver=LEFT)
    said = motion.hold(3.0, driver=LEFT, lane=None)
    assert any(item.state == "manoeuvre" for item in said[:80]), "for a moment it goes on by its plan"
    assert said[-1].state == "fault"
    alarm = told(said, "lane_change_take_over")
    assert alarm and alarm[0].is_acoustic and alarm[0].is_optical
    assert not said[-1].is_asking


def test_lane_centring_that_does_not_resume_is_alarmed() -> None:
    motion = standby()
    motion.has_resumed = False
    motion.hold(0.1)
    motion.has_resumed = True
    motion.hold(0.2)
    motion.hold(5.0, driver=LEFT)
    motion.has_resumed = False
    said = motion.hold(8.0, driver=LEFT)
    assert told(said, "lane_change_take_over") and not said[-1].is_asking


def test_time_that_runs_back_starts_afresh_and_off() -> None:
    motion = standby()
    motion.hold(2.0, driver=LEFT)
    motion.now_s -= 100.0
    said = motion.hold(1.0, driver=LEFT)
    assert said[0].state == "off" and said[0].reason == "time_ran_back" and not said[0].is_asking
    assert said[0].out.request is not None, "what was asked for is taken back"


# --- handshake --------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R79 5.6.4.6.3")
def test_it_steers_from_the_second_step_on_and_until_lane_centring_does() -> None:
    motion = standby()
    said = motion.hold(12.0, driver=LEFT)
    asking = [item.t_s for item in said if item.is_asking]
    resumed_s = first(said, "resume")
    assert asking[0] == pytest.approx(0.01) and resumed_s is not None
    assert asking[-1] <= resumed_s + 0.02
    assert len(asking) == round((asking[-1] - asking[0]) / 0.01) + 1, "without a gap"


# --- parameters -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"lateral_from_s": 0.9},
        {"start_from_s": 2.9},
        {"start_latest_s": 5.1},
        {"start_confirmed_latest_s": 7.1},
        {"confirm_latest_s": 5.1},
        {"start_after_confirm_s": 3.1},
        {"lateral_accel_mps2": 1.1},
        {"approach_kmh": 131.0},
        {"hands_picture_s": 3.0},
        {"indicator_off_s": 0.5},
        {"start_from_s": 4.8, "start_latest_s": 4.7},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_values_beyond_the_law_are_refused(changes: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        params(**changes)


def test_a_market_may_not_put_it_on_without_lane_centring(tmp_path: Any) -> None:
    for stage, named in (("on", "lane_centring"), ("warn", "warn")):
        path = tmp_path / f"{stage}.yaml"
        path.write_text(
            "format: 1\nmarket: DE\ntitle: Test\nrevision: '1'\nextends: de\nfeatures:\n  lane_change:\n"
            f"    stage: {stage}\n    approval_ref: E1\n    valid_from: 2026-01-01\n",
            encoding="utf-8",
        )
        with pytest.raises(ConfigError, match=f"lane_change.*{named}"):
            load_market(str(path))


def test_no_market_has_it_on() -> None:
    assert MARKET.stages()["lane_change"] is Stage.SHADOW
    assert PARAMS.method == "automatic"


# --- the table --------------------------------------------------------------------------------------------------------

VIEWS = st.builds(
    View,
    is_on=st.booleans(),
    off=st.just("switched_off"),
    failure=st.sampled_from(["", "lane_lost"]),
    ended=st.sampled_from(["", "driver_steers"]),
    is_seeing=st.booleans(),
    is_command=st.booleans(),
    blocked=st.sampled_from(["", "marking"]),
    is_cancelled=st.booleans(),
    is_late=st.booleans(),
    is_due=st.booleans(),
    is_gap=st.booleans(),
    is_beside=st.booleans(),
    is_at_line=st.booleans(),
    is_across=st.booleans(),
    is_too_long=st.booleans(),
    is_settled=st.booleans(),
    is_resumed=st.booleans(),
    is_back=st.booleans(),
    is_told=st.booleans(),
)


@pytest.mark.parametrize("state", list(State), ids=lambda state: state.value)
@given(view=VIEWS)
@settings(max_examples=120)
def test_every_state_against_every_guard(state: State, view: View) -> None:
    row = TRANSITIONS.fire(state, view)
    target = state if row is None else row.target
    if row is not None:
        assert row.reason_for(view) in REASONS
    if not view.is_on:
        assert target is State.OFF
    if view.ended or view.failure:
        assert target not in STEERING or (state not in STEERING and not view.failure), "nobody steers on against it"
    if target is State.MANOEUVRE and state is not State.MANOEUVRE:
        assert state is State.APPROACH and view.is_at_line and view.is_gap and not view.blocked
        assert not view.is_late and not view.is_cancelled
    if target is State.APPROACH and state is not State.APPROACH:
        assert state is State.PROCEDURE and view.is_due and view.is_gap and not view.blocked
    if target is State.PROCEDURE and state is not State.PROCEDURE:
        assert state is State.STANDBY and view.is_command and not view.blocked
    if state in BEFORE and view.blocked:
        assert target not in MOVING or target is State.RETURN
    if state is State.MANOEUVRE and target is State.SUPPRESSED:
        assert view.ended, "once it has started only the driver ends it"


# --- properties -------------------------------------------------------------------------------------------------------


@given(
    st.lists(
        st.tuples(
            st.floats(-100.0, 100.0), st.floats(40.0, 180.0), st.floats(1.0, 7.0), st.sampled_from([1, 1, 1, 2, 0, -1])
        ),
        max_size=4,
    ),
    st.floats(70.0, 130.0),
)
@settings(max_examples=12, deadline=None)
def test_it_never_starts_when_the_situation_is_critical(items: list[Any], speed_kmh: float) -> None:
    """Whoever drives behind in the other lane, wherever and whenever it came."""
    motion = standby(speed_kmh=speed_kmh)

    def around(t_s: float) -> tuple[Any, ...]:
        found = []
        for number, (x_m, other_kmh, since_s, lane_) in enumerate(items):
            if t_s >= since_s - 1.0:
                at_m = x_m + kmh_to_mps(other_kmh - speed_kmh) * t_s
                if abs(at_m) < 400.0:
                    found.append(thing(at_m, lane_, other_kmh, number, y_m=lane_ * SPACING_M - motion.place()[0]))
        return tuple(found)

    said = motion.hold(8.0, driver=LEFT, objects=around)
    start = next((item for item in said if item.state == "manoeuvre"), None)
    if start is None:
        return
    for item in around(start.t_s):
        gap_m = -item.x_m - (CAR.dimensions.length_m - CAR.dimensions.wheelbase_m - CAR.dimensions.front_overhang_m)
        if abs(item.y_m + start.place_m - SPACING_M) < 0.5 and item.x_m < 0.0:
            assert gap_m >= critical_gap_m(kmh_to_mps(speed_kmh), item.speed_x_mps) - 0.2


@given(st.integers(0, 80), st.sampled_from(["solid", "oncoming", "unseen"]))
@settings(max_examples=10, deadline=None)
def test_it_never_goes_over_a_line_that_may_not_be_crossed(steps: int, what: str) -> None:
    """Whenever before the tyre is there the marking becomes another one."""
    change: dict[str, Any] = {
        "solid": {"may_cross": False, "type": MarkingType.SOLID},
        "oncoming": {"beyond": LaneBeyond.ONCOMING},
        "unseen": {"is_seen": False},
    }[what]
    motion = standby()
    motion.hold(0.04 * steps + 0.01, driver=LEFT)
    if motion.core.state.state not in BEFORE:
        return
    said = motion.hold(6.0, driver=LEFT, left={**OPEN, **change})
    assert all(item.state in (*STAY, "return") for item in said)


def test_every_reason_is_explained() -> None:
    for row in TRANSITIONS.rows:
        if row.detail is None:
            assert row.reason in REASONS


def test_a_motion_is_what_the_tests_think() -> None:
    """The helper's ideal car ends in the middle of the next lane."""
    motion = standby()
    said = motion.hold(12.0, driver=LEFT)
    assert isinstance(motion, Motion) and max(item.place_m for item in said) == pytest.approx(SPACING_M, abs=0.01)
