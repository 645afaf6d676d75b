"""Emergency braking, clause by clause: who is warned of and braked for, what the driver may do, what the states do."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.aeb import core as aeb
from adas_runtime.aeb.core import BUTTON, RANK, SPEC, Inputs, Outputs, build
from adas_runtime.aeb.states import REASONS, TRANSITIONS, State
from adas_runtime.arbitration.arbiter import LongitudinalRank
from adas_runtime.converter import check
from adas_runtime.function import BuildContext
from adas_runtime.market import load_market
from adas_runtime.signals import (
    Alert,
    AlertLevel,
    BodyState,
    DriverInput,
    EgoLane,
    FunctionStatus,
    Gear,
    Health,
    LampDemand,
    LaneEdge,
    LaneSide,
    ObjectClass,
    Stage,
    TrackedObject,
    TrackedObjects,
    VehicleState,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle import load_vehicle

MARKET, VEHICLE = load_market("de"), load_vehicle("reference")
PARAMS = MARKET.aeb
FRONT_M = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
DT_S = 0.05


class Drive:
    """The function with a car around it; nothing brakes the car, and time passes by `hold`."""

    def __init__(self, speed_kmh: float = 50.0, vehicle: Any = VEHICLE, market: Any = MARKET) -> None:
        self.core = build(BuildContext(market=market, vehicle=vehicle))
        self.now_s = 100.0
        self.speed_mps = kmh_to_mps(speed_kmh)
        self.objects: list[TrackedObject] | None = []
        self.motion: dict[str, Any] = {"yaw_rate_rps": 0.0, "accel_mps2": 0.0, "gear": Gear.DRIVE}
        self.has_vehicle = True
        self.pressed: tuple[str, ...] | None = ()
        self.key: bool | None = None
        self.lane: EgoLane | None = None
        self.ads: tuple[FunctionStatus, ...] = ()
        self.alerts: list[Alert] = []
        self.braking: list[float] = []
        self.lamps: list[LampDemand] = []

    def step(self, dt_s: float = DT_S) -> Outputs:
        self.now_s += dt_s
        if self.objects:
            self.objects = [
                replace(
                    item,
                    x_m=item.x_m + (item.speed_x_mps - self.speed_mps) * dt_s,
                    y_m=item.y_m + item.speed_y_mps * dt_s,
                    age_s=item.age_s + dt_s,
                )
                for item in self.objects
            ]
        now_s = self.now_s
        inputs = Inputs(
            vehicle=VehicleState(stamp_s=now_s, speed_mps=self.speed_mps, **self.motion) if self.has_vehicle else None,
            objects=None if self.objects is None else TrackedObjects(stamp_s=now_s, objects=tuple(self.objects)),
            lane=None if self.lane is None else replace(self.lane, stamp_s=now_s),
            driver=None if self.pressed is None else DriverInput(stamp_s=now_s, pressed=self.pressed),
            body=None if self.key is None else BodyState(stamp_s=now_s, is_master_switch_on=self.key),
            ads=self.ads,
        )
        found = self.core.step(inputs, now_s)
        for signal in (found.request, found.lamps, found.alert):
            if signal is not None:
                check(signal)
        if found.alert is not None:
            self.alerts.append(found.alert)
        if found.request is not None:
            self.braking.append(found.request.accel_mps2 if found.request.is_active else 0.0)
        if found.lamps is not None:
            self.lamps.append(found.lamps.stop_lamps)
        return found

    def hold(self, seconds: float) -> Drive:
        for _ in range(round(seconds / DT_S)):
            self.step()
        return self

    def until(self, state: State, most_s: float = 10.0) -> Drive:
        for _ in range(round(most_s / DT_S)):
            if self.state is state:
                return self
            self.step()
        raise AssertionError(f"never {state}, but {self.state}")

    def meets(self, ttc_s: float = 4.0, kind: ObjectClass = ObjectClass.CAR, number: int = 1, **fields: Any) -> Drive:
        """Somebody ahead, seen long before unless told otherwise."""
        own = fields.get("speed_x_mps", 0.0)
        values = {
            "object_id": number, "object_class": kind, "x_m": FRONT_M + (self.speed_mps - own) * ttc_s, "y_m": 0.0,
            "speed_x_mps": 0.0, "speed_y_mps": 0.0, "x_std_m": 0.1, "y_std_m": 0.1, "speed_x_std_mps": 0.1,
            "confidence": 0.9, "age_s": 3.0, "sources": ("camera", "radar"),
        }  # fmt: skip
        assert self.objects is not None
        self.objects.append(TrackedObject(**{**values, **fields}))
        return self

    def press(self, times: int) -> Drive:
        for _ in range(times):
            self.pressed = (BUTTON,)
            self.hold(0.2)
            self.pressed = ()
            self.hold(0.3)
        return self

    @property
    def state(self) -> State:
        return self.core.state.state


def codes(drive: Drive) -> set[str]:
    return {alert.code for alert in drive.alerts if alert.is_active}


# --- who is warned of and braked for ----------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ObjectClass.CAR, ObjectClass.MOTORCYCLE, ObjectClass.TRUCK, ObjectClass.UNKNOWN])
def test_what_stands_ahead_is_warned_of_and_then_braked_for(kind: ObjectClass) -> None:
    drive = Drive(50.0).meets(kind=kind).until(State.WARN)
    assert codes(drive) == {"aeb_collision"} and not drive.braking
    alert = drive.alerts[-1]
    assert alert.is_optical and alert.is_acoustic and alert.is_haptic, "R152 5.5.1"
    assert alert.level is AlertLevel.CRITICAL
    drive.until(State.BRAKE)
    assert drive.core.state.lead_s is not None and drive.core.state.lead_s >= 0.8, "R152 5.2.1.1"
    assert drive.braking[-1] <= -5.0, "R152 5.2.1.2"
    assert drive.lamps[-1] is LampDemand.ON


@pytest.mark.parametrize(
    ("kind", "aside_mps"), [(ObjectClass.PEDESTRIAN, 1.39), (ObjectClass.CYCLIST, 4.17), (ObjectClass.CAR, 8.0)]
)
@pytest.mark.parametrize("side", [1.0, -1.0])
def test_who_crosses_is_braked_for_when_the_ways_meet(kind: ObjectClass, aside_mps: float, side: float) -> None:
    drive = Drive(40.0).meets(kind=kind, y_m=-side * aside_mps * 4.0, speed_y_mps=side * aside_mps, yaw_rad=side * 1.57)
    drive.until(State.BRAKE)
    assert drive.core.state.warned_s is not None, "R152 5.2.2.1: not later than the braking"


@pytest.mark.parametrize("aside_mps", [1.39, 4.17])
def test_who_crosses_well_before_or_behind_us_is_left_alone(aside_mps: float) -> None:
    for away_m in (4.0, -4.0):
        drive = Drive(40.0).meets(
            kind=ObjectClass.CYCLIST, y_m=-aside_mps * 4.0 + away_m, speed_y_mps=aside_mps, length_m=1.8
        )
        drive.hold(3.9)
        assert not drive.alerts and not drive.braking


def test_a_lead_that_brakes_hard_is_braked_for_before_we_are_near() -> None:
    drive = Drive(80.0).meets(speed_x_mps=kmh_to_mps(80.0), x_m=FRONT_M + 12.0).hold(1.0)
    assert drive.state is State.READY, "short, but that is the distance warning's matter"
    drive.objects = [replace(drive.objects[0], accel_x_mps2=-6.0)]  # type: ignore[index]
    for _ in range(40):
        item = drive.objects[0]  # type: ignore[index]
        drive.objects = [replace(item, speed_x_mps=max(item.speed_x_mps - 6.0 * DT_S, 0.0))]
        drive.step()
        if drive.state is State.BRAKE:
            break
    assert drive.state is State.BRAKE and drive.objects[0].x_m - FRONT_M > 2.0  # type: ignore[index]


@pytest.mark.parametrize("accel_mps2", [-9.0, -30.0])
def test_a_spike_of_its_deceleration_stops_nobody(accel_mps2: float) -> None:
    drive = Drive(110.0).meets(speed_x_mps=kmh_to_mps(110.0), x_m=FRONT_M + 27.0).hold(1.0)
    quiet = drive.objects[0]  # type: ignore[index]
    drive.objects = [replace(quiet, accel_x_mps2=accel_mps2)]
    drive.step()
    drive.objects = [replace(quiet, accel_x_mps2=0.0)]
    drive.hold(1.0)
    assert not drive.alerts and not drive.braking


def test_a_car_ahead_that_keeps_its_speed_is_nothing() -> None:
    drive = Drive(100.0).meets(speed_x_mps=kmh_to_mps(100.0), x_m=FRONT_M + 10.0).hold(10.0)
    assert not drive.alerts and drive.state is State.READY


def test_oncoming_traffic_in_its_own_lane_is_nothing_even_where_our_straight_line_points_at_it() -> None:
    """At the entry of a bend the line ahead leads into the other lane (peers: phantom braking in bends)."""
    drive = Drive(50.0).meets(speed_x_mps=-14.0, y_m=0.3).hold(3.5)
    assert not drive.alerts


def straight_lane() -> EgoLane:
    edges = tuple(LaneEdge(side=side, distance_m=0.85, confidence=0.9) for side in (LaneSide.LEFT, LaneSide.RIGHT))
    return EgoLane(stamp_s=0.0, edges=edges, x_max_m=80.0, width_m=3.5, confidence=0.9, is_fit_to_steer=True)


def test_who_comes_towards_us_in_our_own_lane_is_warned_of_and_braked_for() -> None:
    drive = Drive(50.0)
    drive.lane = straight_lane()
    drive.meets(speed_x_mps=-14.0).until(State.WARN).until(State.BRAKE)


def test_a_wall_beside_a_bend_is_nothing_where_the_lane_leads_past_it() -> None:
    drive = Drive(50.0)
    drive.lane = replace(straight_lane(), curvature_1pm=1.0 / 80.0)
    drive.meets(kind=ObjectClass.UNKNOWN)
    drive.hold(2.9)  # 1.1 s before it, the driver has not steered yet
    assert not drive.alerts and not drive.braking


def test_without_a_lane_it_brakes_for_what_stands_no_sooner_than_a_driver_could_still_steer() -> None:
    seen = {}
    for lane in (None, straight_lane()):
        drive = Drive(80.0)
        drive.lane = lane
        drive.meets().until(State.BRAKE)
        seen[lane is None] = (drive.objects[0].x_m - FRONT_M) / drive.speed_mps  # type: ignore[index]
    assert seen[True] <= PARAMS.unsure_ttc_max_s < seen[False] <= PARAMS.sure_ttc_max_s + DT_S


# --- nobody is braked for by mistake ----------------------------------------------------------------------------------


@pytest.mark.parametrize("sources", [(), ("camera",), ("radar",), ("camera", "radar")])
def test_one_object_in_one_message_never_brakes_or_warns(sources: tuple[str, ...]) -> None:
    drive = Drive(60.0).hold(1.0)
    for ttc_s in (2.0, 1.0, 0.5, 0.2):
        drive.meets(ttc_s, sources=sources, age_s=0.0)
        drive.step()
        drive.objects = []
        drive.hold(0.5)
    assert not drive.braking and not drive.alerts


def test_a_single_sensor_has_to_see_it_longer_than_two() -> None:
    needed = {}
    for sources in (("camera",), ("camera", "radar")):
        drive = Drive(40.0).hold(1.0).meets(0.9, sources=sources, age_s=0.0)
        begun_s = drive.now_s
        needed[sources] = drive.until(State.BRAKE, 1.0).now_s - begun_s
    assert needed[("camera",)] > needed[("camera", "radar")]


def test_what_only_a_radar_saw_and_never_moved_is_a_bridge() -> None:
    drive = Drive(80.0).meets(sources=("radar",)).hold(3.9)
    assert not drive.braking
    moved = Drive(80.0).meets(sources=("radar",), speed_x_mps=3.0).hold(1.0)
    moved.objects = [replace(moved.objects[0], speed_x_mps=0.0)]  # type: ignore[index]
    moved.until(State.BRAKE)


def test_an_object_that_jumps_about_begins_anew_each_time() -> None:
    drive = Drive(50.0).meets(2.0)
    for index in range(60):
        item = drive.objects[0]  # type: ignore[index]
        drive.objects = [replace(item, x_m=FRONT_M + (12.0 if index % 2 else 16.0))]
        drive.step()
    assert not drive.braking and not drive.alerts


def test_a_message_that_misses_it_is_no_proof_that_it_is_gone() -> None:
    drive = Drive(40.0).meets().until(State.BRAKE)
    kept, drive.objects = drive.objects, []
    drive.step()
    assert drive.state is State.BRAKE and drive.braking[-1] <= -5.0
    drive.objects = kept
    drive.hold(0.1)
    assert drive.state is State.BRAKE


def test_low_confidence_is_left_alone() -> None:
    assert not Drive(50.0).meets(confidence=PARAMS.confidence_min - 0.01).hold(3.9).alerts


def test_a_car_whose_brakes_nobody_knows_is_warned_and_never_braked() -> None:
    drive = Drive(50.0, vehicle=VEHICLE.model_copy(update={"brakes": None})).meets().hold(3.9)
    assert codes(drive) == {"aeb_collision"} and not drive.braking


@pytest.mark.parametrize("speed_kmh", [7.9, 201.0])
def test_outside_its_speeds_it_does_nothing(speed_kmh: float) -> None:
    drive = Drive(speed_kmh).meets().hold(3.9)
    assert not drive.alerts and not drive.braking and drive.core.state.reason == "speed_out_of_range"


@pytest.mark.parametrize("speed_kmh", [10.0, 60.0])
def test_inside_the_speeds_of_the_law_it_works(speed_kmh: float) -> None:
    """R152 5.2.1.3."""
    Drive(speed_kmh).meets().until(State.BRAKE)


# --- the end of it ----------------------------------------------------------------------------------------------------


def test_after_the_stop_it_holds_until_the_driver_moves_a_pedal() -> None:
    """R8: no automatic resume."""
    drive = Drive(40.0).meets().until(State.BRAKE)
    drive.speed_mps = 0.0
    drive.hold(0.1)
    assert drive.state is State.HOLD
    drive.objects = []
    drive.hold(60.0)
    assert drive.state is State.HOLD and drive.braking[-1] == -PARAMS.hold_mps2
    drive.motion["accelerator"] = 0.2
    drive.hold(0.1)
    assert drive.state is State.READY and drive.braking[-1] == 0.0, "handed back by word, not by silence"


def test_when_the_risk_is_over_warning_and_braking_end() -> None:
    drive = Drive(40.0).meets().until(State.BRAKE)
    drive.objects = []
    drive.hold(1.5)
    assert drive.state is State.READY and drive.braking[-1] == 0.0
    assert not drive.alerts[-1].is_active


def test_who_brakes_hard_enough_is_not_warned() -> None:
    drive = Drive(50.0)
    drive.motion |= {"is_braking": True, "accel_mps2": -7.0}
    drive.meets(3.0).hold(1.5)
    assert not drive.alerts


# --- the driver -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "reason"),
    [({"accelerator": 1.0}, "kick_down"), ({"steering_wheel_rate_rps": -6.0}, "evasive_steering")],
    ids=["B18-kick-down", "B18-evasive-steering"],
)
@pytest.mark.parametrize("state", [State.WARN, State.BRAKE])
def test_the_driver_interrupts_warning_and_braking(fields: dict[str, float], reason: str, state: State) -> None:
    drive = Drive(50.0).meets().until(state)
    drive.motion |= fields
    drive.step()
    assert drive.state is State.INTERRUPTED and drive.core.state.reason == reason
    drive.hold(0.3)
    assert not drive.braking or drive.braking[-1] == 0.0
    assert not drive.alerts[-1].is_active


def test_an_interruption_is_meant_for_one_target_alone() -> None:
    drive = Drive(50.0).meets(3.0).until(State.WARN)
    drive.motion["accelerator"] = 1.0
    drive.step()
    drive.motion["accelerator"] = 0.0
    drive.objects = []
    drive.meets(1.0, number=2, age_s=1.0).until(State.BRAKE, 1.0)


def test_interruption_is_over_when_the_action_is() -> None:
    drive = Drive(50.0).meets(5.0).until(State.WARN)
    drive.motion["accelerator"] = 1.0
    drive.step()
    drive.motion["accelerator"] = 0.0
    drive.speed_mps = kmh_to_mps(20.0)  # it went on slower, towards the same target
    drive.until(State.BRAKE)


@pytest.mark.parametrize(
    ("presses", "speed_kmh", "is_off"),
    [
        pytest.param(1, 5.0, False, id="B19-one-press-at-5"),
        pytest.param(2, 10.0, True, id="B19-two-actions-at-10.0"),
        pytest.param(2, 10.1, False, id="B19-two-actions-at-10.1"),
        pytest.param(4, 50.0, False, id="B19-many-at-50"),
    ],
)
def test_switching_it_off(presses: int, speed_kmh: float, is_off: bool) -> None:
    drive = Drive(speed_kmh).hold(0.5).press(presses)
    assert (drive.state is State.OFF_DRIVER) is is_off
    assert ("aeb_off" in codes(drive)) is is_off, "R152 5.4.3: a constant warning while it is off"
    drive.speed_mps = kmh_to_mps(60.0)
    drive.hold(1.0)
    assert (drive.state is State.OFF_DRIVER) is is_off, "a rise above 10 km/h changes nothing"


def test_off_it_does_nothing_and_the_next_start_switches_it_on() -> None:
    drive = Drive(5.0)
    drive.key = True
    drive.hold(0.5).press(2)
    drive.speed_mps = kmh_to_mps(50.0)
    drive.meets().hold(3.9)
    assert drive.state is State.OFF_DRIVER and not drive.braking and "aeb_collision" not in codes(drive)
    drive.objects, drive.speed_mps, drive.key = [], 0.0, False
    drive.hold(0.5)
    drive.key = True
    drive.hold(0.5)
    assert drive.state is State.READY, "B19: on at every ignition"


def test_one_press_switches_it_on_again_at_any_speed() -> None:
    drive = Drive(5.0).hold(0.5).press(2)
    drive.speed_mps = kmh_to_mps(80.0)
    drive.press(1)
    assert drive.state is State.READY


# --- what is missing --------------------------------------------------------------------------------------------------


def test_not_every_input_yet_is_told_after_15_s_above_10_kmh() -> None:
    """R152 5.1.4.2."""
    drive = Drive(30.0)
    drive.objects = None
    market = MARKET.model_copy(update={"aeb": PARAMS.model_copy(update={"fault_after_s": 10.0})})
    drive = Drive(30.0, market=market)
    drive.objects = None
    drive.hold(14.9)
    assert drive.state is State.INIT and not drive.alerts
    drive.hold(0.3)
    assert codes(drive) == {"aeb_starting"}
    drive.objects = []
    drive.hold(0.2)
    assert drive.state is State.READY and not drive.alerts[-1].is_active


def test_road_users_lost_is_shown_for_as_long_as_it_lasts() -> None:
    """R152 5.5.7, 5.1.4.1."""
    drive = Drive(50.0).hold(1.0)
    drive.objects = None
    drive.hold(PARAMS.fault_after_s + 0.2)
    assert drive.state is State.UNAVAILABLE and codes(drive) == {"aeb_unavailable"}
    assert drive.step().status.health is Health.DEGRADED
    drive.hold(5.0)
    assert drive.alerts[-1].is_active
    drive.objects = []
    drive.hold(0.3)
    assert drive.state is State.READY and not drive.alerts[-1].is_active


def test_no_vehicle_state_is_a_fault_that_ends_with_it() -> None:
    drive = Drive(50.0).hold(1.0)
    drive.has_vehicle = False
    drive.hold(PARAMS.fault_after_s + 0.2)
    assert drive.state is State.FAULT and drive.step().status.health is Health.FAULT
    drive.has_vehicle = True
    drive.hold(0.3)
    assert drive.state is State.READY


def test_a_short_dropout_in_a_braking_ends_nothing() -> None:
    drive = Drive(40.0).meets().until(State.BRAKE)
    kept, drive.objects = drive.objects, None
    drive.hold(0.15)
    assert drive.state is State.BRAKE
    drive.objects = kept
    drive.hold(0.1)
    assert drive.state is State.BRAKE


@pytest.mark.parametrize(("is_argued", "state"), [(True, State.SUSPENDED_ADS), (False, State.BRAKE)], ids=["7.8", "R7"])
def test_automation_that_drives_suspends_it_only_where_that_was_argued(is_argued: bool, state: State) -> None:
    """R152 5.4.4; ready again in the same step as the automation ends."""
    market = MARKET.model_copy(update={"aeb": PARAMS.model_copy(update={"is_suspended_by_ads": is_argued})})
    drive = Drive(50.0, market=market)
    drive.ads = (
        FunctionStatus(
            stamp_s=100.0, author="alks", stage=Stage.ON, health=Health.OK, state="active", is_active=True, reason=""
        ),
    )
    drive.meets().hold(3.4)
    assert drive.state is state
    drive.objects, drive.ads = [], ()
    if is_argued:
        drive.step()
        assert drive.state is State.READY


def test_time_that_runs_back_ends_what_was_told_and_asked_for() -> None:
    drive = Drive(40.0).meets().until(State.BRAKE)
    drive.objects = []
    drive.now_s -= 50.0
    drive.hold(0.2)
    assert drive.braking[-1] == 0.0 and not drive.alerts[-1].is_active


# --- what always holds ------------------------------------------------------------------------------------------------


def test_its_rank_is_the_arbiters() -> None:
    assert RANK == LongitudinalRank.EMERGENCY_BRAKING
    assert SPEC.name in ("aeb",) and aeb.NAME == SPEC.name


def test_every_reason_of_the_table_is_explained() -> None:
    told = {code.strip() for row in TRANSITIONS.rows for code in row.reason.split(",")}
    assert told <= REASONS.keys()


numbers = st.one_of(st.floats(), st.floats(-60.0, 60.0))
things = st.builds(
    TrackedObject,
    object_id=st.integers(0, 3), object_class=st.sampled_from(ObjectClass), x_m=st.floats(-20.0, 120.0), y_m=numbers,
    speed_x_mps=numbers, speed_y_mps=numbers, accel_x_mps2=st.none() | numbers, x_std_m=st.floats(0.0, 5.0),
    y_std_m=st.floats(0.0, 5.0), speed_x_std_mps=st.floats(0.0, 5.0), confidence=st.floats(0.0, 1.0),
    age_s=st.floats(0.0, 10.0), sources=st.sampled_from([(), ("radar",), ("camera", "radar")]),
)  # fmt: skip
moments = st.tuples(
    st.sampled_from([0.05, 0.05, 0.05, 0.0, 0.2, -1.0, 3.0]),
    st.none() | st.lists(things, max_size=4),
    st.none() | numbers,
    st.none() | numbers,
)


@settings(max_examples=150)
@given(st.lists(moments, max_size=30))
def test_whatever_comes_it_asks_for_braking_within_its_bounds_and_never_raises(sequence: list[Any]) -> None:
    core = build(BuildContext(market=MARKET, vehicle=VEHICLE))
    now_s = 100.0
    for wait_s, seen, speed, yaw in sequence:
        now_s += wait_s
        found = core.step(
            Inputs(
                vehicle=None if speed is None else VehicleState(stamp_s=now_s, speed_mps=speed, yaw_rate_rps=yaw),
                objects=None if seen is None else TrackedObjects(stamp_s=now_s, objects=tuple(seen)),
            ),
            now_s,
        )
        if found.request is not None:
            check(found.request)
            assert -PARAMS.decel_mps2 <= found.request.accel_mps2 <= 0.0
            assert found.request.is_active or found.request.accel_mps2 == 0.0
        if found.alert is not None:
            check(found.alert)
        assert all(value is None or math.isfinite(value) for value in found.status.kpis)
