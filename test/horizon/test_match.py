"""Map matching: the right road among parallel ones, through tunnels, and doubt where there is doubt."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

from drives import PERIOD_S, START_S, drive
from hypothesis import given, settings
from hypothesis import strategies as st
from map_files import Town, at, line

from adas_runtime.horizon.core import Inputs, MapHorizon
from adas_runtime.market.laws import ShippedLaws
from adas_runtime.signals import FixStatus, PoseFix, VehicleState


def test_a_service_road_beside_the_motorway_does_not_take_the_car(tmp_path: Path) -> None:
    """15 m between them and 5 m of wandering error: each fix alone is often nearer to the other road."""
    town = Town()
    motorway = town.street(line((0, 0), (4000, 0)), highway="motorway", maxspeed="130")
    town.street(line((0, -15), (4000, -15)), highway="tertiary", maxspeed="50")
    store = town.build(tmp_path)
    wrong = told = 0
    for seed in range(3):
        steps = list(drive(store, [(0, 0), (1900, 0)], 30.0, noise_m=5.0, seed=seed))[20:]
        told += sum(step.way is not None for step in steps)
        wrong += sum(step.way not in (None, motorway) for step in steps)
    assert wrong <= 0.05 * told and told > 0


def test_the_exit_is_taken_or_not_as_the_car_drives(tmp_path: Path) -> None:
    town = Town()
    main = town.street(line((0, 0), (1000, 0), (2500, 0)), highway="motorway", maxspeed="130")
    ramp = town.street(line((1000, 0), (1200, -12), (1500, -60)), highway="motorway_link", maxspeed="60", oneway="yes")
    store = town.build(tmp_path)
    stays = list(drive(store, [(0, 0), (2000, 0)], 30.0, noise_m=3.0))
    leaves = list(drive(store, [(0, 0), (1000, 0), (1200, -12), (1500, -60)], 25.0, noise_m=3.0))
    assert all(step.way in (main, None) for step in stays if step.driven_m > 1350)
    assert all(step.way == ramp for step in leaves if step.driven_m > 1400)
    assert Counter(step.way for step in stays)[main] > 0.9 * len(stays)


def test_a_tunnel_is_driven_by_odometry(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (500, 0)), maxspeed="80")
    town.street(line((500, 0), (1500, 300)), maxspeed="60", tunnel="yes")
    town.street(line((1500, 300), (2500, 300)), maxspeed="100")
    store = town.build(tmp_path)
    path = [(0.0, 0.0), (500.0, 0.0), (1500.0, 300.0), (2500.0, 300.0)]
    steps = list(drive(store, path, 20.0, blind=(480.0, 1600.0)))
    inside = [step for step in steps if 600 < step.driven_m < 1500]
    assert all(step.way == 2 for step in inside), "it knows where it is without any fix"
    assert {step.said.status.state for step in inside} == {"dead_reckoning"}
    horizon = next(step.said.horizon for step in inside if step.driven_m > 1000 and step.said.horizon)
    assert horizon.segments[0].is_tunnel and horizon.position_std_m is not None and horizon.position_std_m > 5.0
    left = next(step for step in steps if step.driven_m >= 1545.0 and step.said.horizon)
    segments = left.said.horizon.segments if left.said.horizon else ()
    assert segments[0].limit_mps is not None and abs(segments[0].limit_mps - 100 / 3.6) < 0.01


def test_a_fork_in_the_dark_is_told_by_the_yaw_rate(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (500, 0)), tunnel="yes")
    straight = town.street(line((500, 0), (1500, 0)), tunnel="yes", maxspeed="80")
    bend = town.street(line((500, 0), (700, 100), (900, 400), (900, 900)), tunnel="yes", maxspeed="50")
    store = town.build(tmp_path)
    on = list(drive(store, [(0, 0), (500, 0), (1400, 0)], blind=(300.0, 9e9)))
    off = list(drive(store, [(0, 0), (500, 0), (700, 100), (900, 400), (900, 850)], blind=(300.0, 9e9)))
    assert on[-1].way == straight and off[-1].way == bend


def test_off_the_map_nothing_is_claimed(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (3000, 0)), maxspeed="50")
    steps = list(drive(town.build(tmp_path), [(0, 0), (500, 0), (700, 700), (2500, 700)], 15.0))
    far = [step for step in steps if step.driven_m > 1500]
    assert all(step.way is None for step in far)
    last = next(step.said.horizon for step in reversed(far) if step.said.horizon)
    assert not last.is_matched and last.segments == () and last.reason


def test_it_works_without_course_and_without_vehicle(tmp_path: Path) -> None:
    """A phone's fixes: no heading, no odometry. The direction is found from the way that was driven."""
    town = Town()
    way = town.street(line((0, 0), (3000, 0)), maxspeed__forward="50", maxspeed__backward="30")
    store = town.build(tmp_path)
    for path, limit in (([(0.0, 0.0), (2000.0, 0.0)], 50), ([(2000.0, 0.0), (0.0, 0.0)], 30)):
        steps = list(drive(store, path, 15.0, noise_m=2.0, has_heading=False, has_vehicle=False))[30:]
        assert all(step.way == way for step in steps)
        told = [step.said.horizon.segments[0].limit_mps for step in steps if step.said.horizon]
        assert told and all(value is not None and abs(value * 3.6 - limit) < 0.1 for value in told)


def test_a_standing_car_does_not_grow_sure_of_the_wrong_road(tmp_path: Path) -> None:
    """Two roads 12 m apart, the car in the middle: a thousand fixes at the same place are one piece of news."""
    town = Town()
    town.street(line((0, 0), (500, 0)), maxspeed="50")
    town.street(line((0, 12), (500, 12)), maxspeed="30")
    core = MapHorizon(town.build(tmp_path), ShippedLaws())
    point = at(250, 5)
    for step in range(1000):
        now_s = START_S + PERIOD_S * step
        fix = PoseFix(stamp_s=now_s, latitude_deg=point[0], longitude_deg=point[1], status=FixStatus.FIX)
        said = core.step(Inputs(fix=fix, vehicle=VehicleState(stamp_s=now_s, speed_mps=0.0)), now_s)
    assert core.state.belief.hypotheses[0].belief < 0.9
    assert said.status.kpis[0] is not None and said.status.kpis[0] < 0.9


def test_a_place_that_nothing_confirms_is_no_place(tmp_path: Path) -> None:
    """Neither fix nor speed: a limit that was right a moment ago must not stay on the screen."""
    town = Town()
    town.street(line((0, 0), (3000, 0)), maxspeed="50")
    seen = list(drive(town.build(tmp_path), [(0, 0), (500, 0)]))[-1]
    now_s = seen.core.state.now_s
    assert seen.way is not None and now_s is not None
    said = [seen.core.step(Inputs(), now_s + 0.1 * step) for step in range(1, 40)]
    assert said[5].status.state == "matched" and said[-1].status.state == "off_map"
    last = next(item.horizon for item in reversed(said) if item.horizon is not None)
    assert not last.is_matched and last.segments == ()


def test_after_the_longest_tunnel_it_knows_no_more(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (9000, 0), step_m=500), maxspeed="50")
    steps = list(drive(town.build(tmp_path), [(0, 0), (8000, 0)], 40.0, blind=(500.0, 9e9)))
    assert next(step for step in steps if step.driven_m > 4000).way is not None
    assert steps[-1].way is None


def test_time_that_runs_back_starts_afresh(tmp_path: Path) -> None:
    town = Town()
    town.street(line((0, 0), (3000, 0)), maxspeed="50")
    store = town.build(tmp_path)
    seen = list(drive(store, [(0, 0), (500, 0)]))[-1]
    assert seen.way is not None
    seen.core.step(Inputs(), START_S - 500.0)
    assert not seen.core.state.is_matched and seen.core.state.fix_s is None


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-400, 400), st.floats(-400, 400), NUMBERS, NUMBERS, st.floats(-5, 30)), max_size=12)
)
def test_beliefs_always_sum_to_one(items: list[tuple[float, float, float, float, float]]) -> None:
    core = MapHorizon(STORE[0], ShippedLaws())
    now_s = START_S
    for east, north, heading, speed, wait in items:
        now_s += wait
        point = at(east, north)
        heading_rad = math.remainder(heading, math.tau) if math.isfinite(heading) else None
        fix = PoseFix(
            stamp_s=now_s, latitude_deg=point[0], longitude_deg=point[1], heading_rad=heading_rad, status=FixStatus.FIX
        )
        core.step(Inputs(fix=fix, vehicle=VehicleState(stamp_s=now_s, speed_mps=speed)), now_s)
        belief = core.state.belief
        total = sum(item.belief for item in belief.hypotheses) + belief.off_road
        assert abs(total - 1.0) < 1e-4 and all(0.0 <= item.belief <= 1.0 for item in belief.hypotheses)


STORE: list = []


def setup_module() -> None:
    import tempfile

    town = Town()
    for number in range(-3, 4):
        town.street(line((-400, 100 * number), (400, 100 * number), step_m=100))
        town.street(line((100 * number, -400), (100 * number, 400), step_m=100))
    STORE.append(town.build(Path(tempfile.mkdtemp(prefix="horizon"))))
