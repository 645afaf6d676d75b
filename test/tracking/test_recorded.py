"""Real drives: comma2k19's radar, two hours of recorded following as a radar sees it, and every recording replayed."""

from __future__ import annotations

import json
import math
import random
from bisect import bisect_right
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from replay_bags import replay
from test_recorded_drives import bound
from tracking_world import MARKET, PARAMS, VEHICLE, make_core, make_return

from adas_runtime.aeb import core as aeb
from adas_runtime.errors import AdasError
from adas_runtime.function import BuildContext
from adas_runtime.perception.tracking.core import Inputs
from adas_runtime.scenario.openacc import read
from adas_runtime.signals import RadarObjects, TrackedObject, VehicleState

pytestmark = pytest.mark.data
SHORT_S = 0.5


class Recording:
    """comma2k19: 40 s of a real drive, its radar at 20 Hz."""

    def __init__(self, shared_data: Path) -> None:
        _, signals, _ = bound(shared_data / "bags" / "comma2k19_signals")
        self.radar: list[RadarObjects] = [item for _, item in signals["/radar/objects"]]
        states: list[VehicleState] = [item for _, item in signals["/vehicle/state"]]
        stamps = [state.stamp_s for state in states]
        self.states = [states[max(bisect_right(stamps, radar.stamp_s) - 1, 0)] for radar in self.radar]
        core = make_core()
        self.told: list[tuple[TrackedObject, ...]] = []
        for radar, state in zip(self.radar, self.states, strict=True):
            said = core.step(Inputs(radar=radar, vehicle=state), radar.stamp_s).objects
            assert said is not None and said.stamp_s == radar.stamp_s
            self.told.append(said.objects)
        self.tracks: dict[int, list[tuple[int, TrackedObject]]] = defaultdict(list)
        for index, objects in enumerate(self.told):
            for item in objects:
                self.tracks[item.object_id].append((index, item))


@pytest.fixture(scope="module")
def drive(shared_data: Path) -> Recording:
    return Recording(shared_data)


def test_the_car_ahead_is_followed_for_half_a_minute_under_one_number(drive: Recording) -> None:
    number, track = max(drive.tracks.items(), key=lambda item: len(item[1]))
    assert len(track) / 20.0 > 30.0, number
    assert all(item.confidence >= MARKET.aeb.confidence_min for _, item in track)
    assert abs(track[-1][1].y_m) < 0.5


def test_each_road_user_is_told_once(drive: Recording) -> None:
    for objects in drive.told:
        for index, one in enumerate(objects):
            for other in objects[index + 1 :]:
                is_near = abs(one.x_m - other.x_m) < PARAMS.cluster_m and abs(one.y_m - other.y_m) < 1.2
                assert not (is_near and abs(one.speed_x_mps - other.speed_x_mps) < 0.6), (one, other)


def test_what_is_told_stands_where_the_radar_measures_it(drive: Recording) -> None:
    """Every moving road user against the radar's own return of it, smoothing and all."""
    off_x, off_y = [], []
    for radar, objects in zip(drive.radar, drive.told, strict=True):
        for item in objects:
            nearest = min(radar.tracks, key=lambda track: math.hypot(track.x_m - item.x_m, track.y_m - item.y_m))
            if math.hypot(nearest.x_m - item.x_m, nearest.y_m - item.y_m) < 3.0:
                off_x.append(nearest.x_m - item.x_m)
                off_y.append(nearest.y_m - item.y_m)
    assert len(off_x) > 3000
    assert float(np.std(off_x)) < 0.35 and abs(float(np.mean(off_x))) < 0.1
    assert float(np.std(off_y)) < 0.3 and abs(float(np.mean(off_y))) < 0.05


def test_speed_over_ground_brings_it_to_where_it_is_seen_a_second_later(drive: Recording) -> None:
    """Independent of the Doppler speed: place, speed and acceleration of now against the place of a second later."""
    errors = []
    for track in drive.tracks.values():
        at = dict(track)
        for index, item in track:
            later = at.get(index + 20)
            if later is None or item.speed_x_mps == 0.0 or item.age_s < 1.0:
                continue
            span_s = drive.radar[index + 20].stamp_s - drive.radar[index].stamp_s
            own = [state.speed_mps for state in drive.states[index : index + 21]]
            ego_m = float(np.mean(own)) * span_s
            way_m = item.speed_x_mps * span_s + 0.5 * (item.accel_x_mps2 or 0.0) * span_s**2 - ego_m
            errors.append(later.x_m - item.x_m - way_m)
    assert len(errors) > 1500
    assert float(np.median(np.abs(errors))) < 0.4
    assert float(np.percentile(np.abs(errors), 95)) < 1.5


def test_rails_and_posts_beside_the_road_stand_and_are_believed_by_no_emergency(drive: Recording) -> None:
    standing = [item for objects in drive.told for item in objects if item.confidence < MARKET.aeb.confidence_min]
    assert len(standing) > 300
    rail = [
        (index, item)
        for track in drive.tracks.values()
        for index, item in track
        if item.speed_x_mps == item.speed_y_mps == 0.0 and abs(item.y_m) > 5.0
    ]
    assert len(rail) > 300 and all(item.confidence < MARKET.aeb.confidence_min for _, item in rail)


def test_two_hours_of_recorded_following_by_radar_alone_and_nobody_is_warned(shared_data: Path) -> None:
    """OpenACC, the gap and the speed of the car ahead made into returns with the noise that the market names."""
    folder = shared_data / "car_following"
    if not folder.is_dir():
        pytest.skip("the folder car_following of the shared data is missing")
    front_m = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m
    driven_s, speed_errors, gap_errors = 0.0, [], []
    for path in sorted(folder.rglob("*.csv")):
        try:
            recording = read(path)
        except AdasError:  # tables of another kind stand beside them
            continue
        for pair in recording.pairs:
            if min((gap for gap in pair.gap_m if math.isfinite(gap)), default=0.0) < 0.5:
                continue
            noise = random.Random(1)
            tracking = make_core()
            braking = aeb.build(BuildContext(market=MARKET, vehicle=VEHICLE))
            for t_s, speed, lead, gap in zip(pair.t_s, pair.speed_mps, pair.lead_mps, pair.gap_m, strict=True):
                if not math.isfinite(speed + lead + gap):
                    continue
                now_s = 1000.0 + t_s
                track = make_return(
                    1,
                    front_m + gap + noise.gauss(0.0, PARAMS.range_std_m),
                    noise.gauss(0.0, math.hypot(PARAMS.side_std_m, PARAMS.angle_std_rad * gap)),
                    lead - speed + noise.gauss(0.0, PARAMS.rate_std_mps),
                )
                vehicle = VehicleState(stamp_s=now_s, speed_mps=speed, accel_mps2=0.0)
                said = tracking.step(
                    Inputs(radar=RadarObjects(stamp_s=now_s, tracks=(track,)), vehicle=vehicle), now_s
                ).objects
                braking.step(aeb.Inputs(vehicle=vehicle, objects=said), now_s)
                driven_s += 0.1
                if said is not None and said.objects and said.objects[0].age_s > 3.0:
                    speed_errors.append(said.objects[0].speed_x_mps - lead)
                    gap_errors.append(said.objects[0].x_m - front_m - gap)
            assert braking.state.warnings == braking.state.brakings == 0, (path.name, pair.lead_name, pair.name)
    assert driven_s > 3600.0
    assert len(speed_errors) > 0.95 * 10.0 * driven_s * 0.9, "it is followed nearly all the time"
    assert float(np.std(speed_errors)) < PARAMS.rate_std_mps, "better than a return alone"


@pytest.mark.parametrize(
    "name",
    [
        "comma2k19_signals",
        "ego_trajectory",
        "mcity_ins_drive_a",
        "mcity_ins_standing_a",
        "mcity_kinematics_steering_move",
        "mcity_gnss_loop_dit",
    ],
)
def test_no_recorded_drive_is_braked_or_warned_of_an_emergency(shared_data: Path, tmp_path: Path, name: str) -> None:
    out = replay(shared_data / "bags" / name, tmp_path / "out")
    summary = json.loads((out / "summary.json").read_text(encoding="utf-8"))
    braking, tracking = summary["functions"]["aeb"], summary["functions"]["tracking"]
    assert braking["interventions"] == 0
    events = [json.loads(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    assert not [event for event in events if event["code"] == "aeb_collision"]
    has_radar = name == "comma2k19_signals"
    assert (tracking["time_active_s"] > 39.0) is has_radar is (braking["time_active_s"] > 39.0)
    assert summary["functions"]["headway"]["alerts"] == 0
    # who sees nobody says why, by both sensors that could have
    missed = [line for line in summary["warnings"] if "degraded/aeb" in line or "fault/aeb" in line]
    assert has_radar or {line.split("feeds ")[1].split(":")[0] for line in missed} >= {"object_supplier", "radar"}
    if has_radar:
        assert summary["functions"]["headway"]["kpis"]["gap_s_mean"] == pytest.approx(2.3, abs=0.5)
        assert tracking["kpis"]["objects_mean"] > 3.0
        curves = json.loads((out / "series.json").read_text(encoding="utf-8"))["tracks"]
        assert max(value for value in curves["users"]["values"] if value is not None) >= 5.0
        assert "standing, seen by radar alone" in (out / "report.html").read_text(encoding="utf-8")
