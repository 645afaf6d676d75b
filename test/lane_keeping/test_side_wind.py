"""Help in side wind: R79 corrective steering of type (a), rows C0 to C2 and C7 of the lane-keeping sheet."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from steering_drives import CAR, MARKET, Play, alerts, lane, states, status, vehicle

from adas_runtime.arbitration.arbiter import SPEC as ARBITER
from adas_runtime.arbitration.envelope import SPEC as ENVELOPE
from adas_runtime.lane_keeping.side_wind import SPEC, Inputs, SideWind
from adas_runtime.lane_keeping.side_wind_states import REASONS, STEERING, TRANSITIONS, State, View
from adas_runtime.scenario.lane_camera import CameraModel, LaneCamera
from adas_runtime.scenario.lane_drive import HANDS_ON, Drive, Moment, jerk_mps3
from adas_runtime.scenario.road import Road
from adas_runtime.scenario.single_track import SingleTrack
from adas_runtime.signals import AlertLevel, Health, Stage
from adas_runtime.units import kmh_to_mps

PARAMS = MARKET.side_wind
GUST_S = 4.0


def gust(wind_mps: float, rise_s: float = 0.2, lasts_s: float = 1.5) -> Callable[[float], float]:
    def at(t_s: float) -> float:
        return wind_mps * max(0.0, min((t_s - GUST_S) / rise_s, 1.0, (GUST_S + lasts_s - t_s) / rise_s))

    return at


def blown(
    wind: Any, *, speed_kmh: float = 110.0, curvature_1pm: float = 0.0, helps: bool = True, seconds: float = 10.0
) -> list[Moment]:
    """A driver who holds the wheel still, in a gust."""
    car = SingleTrack(CAR, Road(((0.0, curvature_1pm),)), speed_mps=kmh_to_mps(speed_kmh))
    functions = (SPEC, ARBITER, ENVELOPE) if helps else (ARBITER, ENVELOPE)
    loop = Drive(market=MARKET, car=car, camera=LaneCamera(CameraModel()), functions=functions)
    return loop.run(seconds, HANDS_ON, wind_mps=wind)


def offset_m(moments: list[Moment], t_s: float) -> float:
    return abs(next(moment for moment in moments if moment.t_s >= t_s).error_m)


@pytest.mark.clause("R79 2.3.4.2")
@pytest.mark.parametrize("wind_mps", [10.0, -10.0])
@pytest.mark.parametrize("speed_kmh", [90.0, 130.0])
@pytest.mark.parametrize("bend_mps2", [0.0, 1.0])
def test_c0_a_gust_blows_the_car_away_a_third_less(wind_mps: float, speed_kmh: float, bend_mps2: float) -> None:
    curvature_1pm = bend_mps2 / kmh_to_mps(speed_kmh) ** 2
    alone = blown(gust(wind_mps), speed_kmh=speed_kmh, curvature_1pm=curvature_1pm, helps=False)
    helped = blown(gust(wind_mps), speed_kmh=speed_kmh, curvature_1pm=curvature_1pm)
    assert offset_m(helped, GUST_S + 3.0) < 0.75 * offset_m(alone, GUST_S + 3.0)
    assert offset_m(alone, GUST_S + 3.0) > 0.8, "the gust is worth helping against"
    asked = [moment for moment in helped if moment.requests.get("side_wind") and moment.requests["side_wind"].is_active]
    added = [abs(m.requests["side_wind"].curvature_1pm - curvature_1pm) * m.speed_mps**2 for m in asked]
    assert max(added) <= PARAMS.accel_max_mps2 + 0.02, "a small help"
    assert asked[-1].t_s - asked[0].t_s <= PARAMS.max_s + PARAMS.fade_s + 0.02, "for a short time (R79 2.3.4.2)"
    assert jerk_mps3(helped) <= 5.0


@pytest.mark.clause("R79 5.1.6.1.1")
def test_c2_it_is_shown_at_once_and_makes_no_sound() -> None:
    moments = blown(gust(10.0))
    first = next(m for m in moments if m.requests.get("side_wind") and m.requests["side_wind"].is_active)
    told = [(m.t_s, alert) for m in moments for alert in m.alerts]
    assert told[0][0] == first.t_s
    assert all(alert.code == "side_wind" and alert.level is AlertLevel.INFO for _, alert in told)
    assert not any(alert.is_acoustic for _, alert in told), "C3 to C5 are for interventions by the lane"
    assert told[-1][0] - told[0][0] >= 1.0 and not told[-1][1].is_active


@pytest.mark.parametrize(
    ("what", "wind"),
    [
        ("a breeze", gust(2.0)),
        ("wind that rises slowly", lambda t_s: 6.0 * min(max(t_s - 2.0, 0.0) / 20.0, 1.0)),
        ("no wind", 0.0),
    ],
)
def test_what_is_no_sudden_push_is_left_to_the_driver(what: str, wind: Any) -> None:
    moments = blown(wind, seconds=25.0)
    assert {m.states["side_wind"] for m in moments if m.t_s > 1.0} == {"armed"}, what


def test_the_drivers_own_steering_is_no_push() -> None:
    """A lane change by the driver: the car turns as steered."""
    car = SingleTrack(CAR, Road(), speed_mps=kmh_to_mps(110.0))
    loop = Drive(market=MARKET, car=car, camera=LaneCamera(CameraModel()), functions=(SPEC, ARBITER, ENVELOPE))
    loop.run(3.0)
    for curvature_1pm in (0.0012, -0.0012):
        acts = type(HANDS_ON)(curvature_1pm=curvature_1pm, torque_nm=1.0)
        loop.run(2.0, acts)
    loop.run(3.0)
    assert {m.states["side_wind"] for m in loop.moments if m.t_s > 2.0} <= {"armed", "ready"}


# --- on data ----------------------------------------------------------------------------------------------------------


def fresh() -> Play:
    return Play(SideWind(PARAMS, CAR), Inputs)


def pushed(seconds_before: float = 2.0, **more: Any) -> dict[str, Any]:
    """The car begins to turn although the wheel stands still."""
    began: list[float] = []

    def at(t: float) -> Any:
        began.append(t)
        is_late = t - began[0] > seconds_before
        return vehicle(t, speed_kmh=110.0, yaw_rate_rps=0.025 if is_late else 0.0, **(more if is_late else {}))

    return {"vehicle": at, "lane": lambda t: (lane(t),)}


def test_it_helps_in_time_and_pauses_after_it() -> None:
    play = fresh()
    play.hold(12.0, **pushed())
    began = next(item.t_s for item in play.seen if item.state == "helping")
    assert 2.0 < began <= 2.0 + PARAMS.onset_s + 0.05
    assert states(play.seen)[:4] == ["armed", "helping", "fading", "armed"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"driver_torque_nm": 4.0}, "driver_steers"),
        ({"steering_wheel_rate_rps": 1.0}, "steering"),
        ({"is_stability_control_active": True}, "stability_control"),
    ],
)
@pytest.mark.clause("R79 5.1.6.1.3")
def test_c7_the_driver_and_stability_control_come_first(more: dict[str, Any], reason: str) -> None:
    play = fresh()
    play.hold(4.0, **pushed(**more))
    assert not any(item.is_steering for item in play.seen)
    assert play.state == "ready" and play.seen[-1].reason == reason


def test_the_drivers_torque_ends_it_at_once() -> None:
    play = fresh()
    inputs = pushed()
    play.hold(2.5, **inputs)
    assert play.seen[-1].is_steering
    seen = play.hold(0.02, vehicle=lambda t: vehicle(t, speed_kmh=110.0, driver_torque_nm=3.5), lane=())
    assert seen[0].request is not None and not seen[0].request.is_active


@pytest.mark.parametrize(
    "other",
    [
        {"elks": (status("elks", "correct_left"),)},
        {"centring": (status("lane_centring"),)},
        {"dcas": (status("dcas"),)},
    ],
)
def test_it_steps_aside_for_every_function_that_steers(other: dict[str, Any]) -> None:
    play = fresh()
    play.hold(4.0, **pushed(), **other)
    assert not any(item.is_steering for item in play.seen) and play.seen[-1].reason == "other_function_steers"


def test_a_yaw_rate_that_is_stuck_ends_the_help_until_the_next_start() -> None:
    """It would steer 3 s of every 7.5 s without end, against nothing."""
    play = fresh()
    play.hold(2.0, vehicle=lambda t: vehicle(t, speed_kmh=110.0))
    for number in range(1, 6):  # it grows, so that it is never taken for a steady one
        play.hold(8.0, vehicle=lambda t, r=0.03 * number: vehicle(t, speed_kmh=110.0, yaw_rate_rps=r))
    helps = [key for key, _ in itertools.groupby(item.state for item in play.seen) if key == "helping"]
    assert len(helps) == 3
    assert play.state == "fault" and play.seen[-1].reason == "push_without_end"
    play.hold(80.0, vehicle=lambda t: vehicle(t, speed_kmh=110.0))
    assert play.state == "fault"


def test_pushes_from_both_sides_are_gusts() -> None:
    play = fresh()
    play.hold(2.0, vehicle=lambda t: vehicle(t, speed_kmh=110.0))
    for number in range(8):
        rate_rps = 0.03 if number % 2 else 0.0
        play.hold(8.0, vehicle=lambda t, r=rate_rps: vehicle(t, speed_kmh=110.0, yaw_rate_rps=r))
    assert play.state != "fault" and "helping" in states(play.seen)


def test_below_its_speed_it_is_silent() -> None:
    play = fresh()
    play.hold(4.0, vehicle=lambda t: vehicle(t, speed_kmh=60.0, yaw_rate_rps=0.05))
    assert states(play.seen) == ["ready"]


@pytest.mark.parametrize(
    ("gone", "reason"),
    [
        ({"yaw_rate_rps": None}, "motion_unknown"),
        ({"steering_wheel_angle_rad": None}, "motion_unknown"),
        (None, "vehicle_absent"),
    ],
)
def test_without_motion_it_stands_by_then_it_is_at_fault(gone: dict[str, Any] | None, reason: str) -> None:
    play = fresh()
    play.hold(4.0, vehicle=None if gone is None else lambda t: vehicle(t, speed_kmh=110.0, **gone))
    assert states(play.seen) == ["standby", "fault"]
    assert play.seen[-1].reason == reason and play.seen[-1].health is Health.FAULT


def test_time_that_runs_back_starts_afresh() -> None:
    play = fresh()
    inputs = pushed()
    play.hold(2.5, **inputs)
    assert play.seen[-1].is_steering
    play.now_s -= 60.0
    seen = play.hold(0.02, vehicle=lambda t: vehicle(t, speed_kmh=110.0))
    assert seen[0].request is not None and not seen[0].request.is_active


@pytest.mark.parametrize("state", list(State))
def test_every_state_under_every_pair_of_guards(state: State) -> None:
    well: dict[str, Any] = {
        "missing": ("", "vehicle_absent"),
        "is_failure": (False, True),
        "is_stuck": (False, True),
        "is_in_range": (True, False),
        "other": ("", "other_function_steers"),
        "intent": ("", "driver_steers"),
        "is_pushed": (True, False),
        "is_over": (False, True),
        "is_spent": (False, True),
        "is_faded": (False, True),
    }
    for one, two in itertools.combinations(well, 2):
        for a, b in itertools.product(well[one], well[two]):
            view = View(**{**{name: values[0] for name, values in well.items()}, one: a, two: b})
            row = TRANSITIONS.fire(state, view)
            assert row is not None and row.reason_for(view) in REASONS
            if view.missing or view.is_stuck or view.other or view.intent or not view.is_in_range:
                assert row.target not in STEERING


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.floats(0.02, 2.0), st.floats(-0.3, 0.3), st.floats(-1.0, 1.0), st.sampled_from([60.0, 90.0, 180.0])
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_comes_the_help_is_small_and_short(drive: list[tuple[float, float, float, float]]) -> None:
    play = fresh()
    for seconds, yaw_rate_rps, wheel_rad, speed_kmh in drive:
        play.hold(
            seconds,
            vehicle=lambda t, r=yaw_rate_rps, w=wheel_rad, v=speed_kmh: vehicle(
                t, speed_kmh=v, yaw_rate_rps=r, steering_wheel_angle_rad=w
            ),
        )
        assert abs(play.core.state.help_mps2) <= PARAMS.accel_max_mps2 + 1e-9
    run_s = 0.0
    for item in play.seen:
        run_s = run_s + 0.01 if item.is_steering else 0.0
        assert run_s <= PARAMS.max_s + PARAMS.fade_s + 0.03
    assert all(alert.code == "side_wind" for _, alert in alerts(play.seen))


def test_a_correction_in_shadow_keeps_nobody_from_helping() -> None:
    play = fresh()
    in_shadow = replace(status("elks", "correct_left"), stage=Stage.SHADOW)
    play.hold(4.0, **pushed(), elks=(in_shadow,))
    assert any(item.is_steering for item in play.seen)


@pytest.mark.parametrize("field", ["yaw_rate_rps", "steering_wheel_angle_rad"])
def test_a_motion_that_is_no_number_is_unknown(field: str) -> None:
    play = fresh()
    play.hold(4.0, **pushed())
    seen = play.hold(1.0, vehicle=lambda t: vehicle(t, speed_kmh=110.0, **{field: math.nan}), lane=())
    assert all(item.request is None or math.isfinite(item.request.curvature_1pm) for item in seen)
    assert seen[-1].reason == "motion_unknown"
