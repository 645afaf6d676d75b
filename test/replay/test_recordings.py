"""Real recordings of other people: each is replayed, or refused with a true reason."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from replay_bags import replay

from adas_runtime.errors import BagError
from adas_runtime.replay.schema import read_summary

pytestmark = pytest.mark.data

# folder, sources that it feeds, messages of the topic with most, duration [s]
REPLAYED = [
    ("comma2k19_signals", {"vehicle_state", "pose_fix", "radar"}, 40.0),
    ("ego_trajectory", {"vehicle_state"}, 53.2),
    ("mcity_gnss_loop_b", {"pose_fix"}, 242.7),
    ("mcity_gnss_loop_dit", {"pose_fix"}, 306.7),
    ("mcity_ins_drive_a", {"vehicle_state", "pose_fix"}, 55.7),
    ("mcity_ins_standing_a", {"pose_fix"}, 39.5),
    ("mcity_kinematics_steering_move", {"vehicle_state"}, 80.5),
]
REFUSED = [
    ("mcap_cdr_test", "no topic feeds a function"),
    ("mcap_talker", "no topic feeds a function"),
    ("reindex_test_bags_multiple_files", "no topic feeds a function"),
    ("resources_empty_bag", "no message can be read"),
    ("sqlite3_talker", "no topic feeds a function"),
    ("sqlite3_wrong_rmw_test", "serialised as wrong_format"),
]


@pytest.mark.parametrize(("name", "sources", "duration_s"), REPLAYED, ids=[item[0] for item in REPLAYED])
def test_is_replayed(shared_data: Path, tmp_path: Path, name: str, sources: set[str], duration_s: float) -> None:
    out = replay(shared_data / "bags" / name, tmp_path / "out")
    summary = read_summary(out)
    assert summary.duration_s == pytest.approx(duration_s, abs=0.1)
    assert {feed.split(".")[0] for item in summary.inputs.values() for feed in item.feeds} == sources
    # what is lacking is said, and what depends on it does not act
    assert any("camera_front" in line for line in summary.warnings)
    departure = summary.functions["lane_departure"]
    assert (departure.time_active_s, departure.alerts) == (0.0, 0)
    assert departure.absent_s["lanes"] == pytest.approx(duration_s, abs=0.3)
    assert (out / "report.html").stat().st_size > 10_000


@pytest.mark.slow
def test_a_camera_drive_is_replayed(shared_data: Path, tmp_path: Path) -> None:
    summary = read_summary(replay(shared_data / "bags" / "camera_highway_a", tmp_path / "out"))
    assert summary.functions["lane_perception"].kpis["left_seen_share"] > 0.8
    assert summary.inputs["/camera/front/image_raw/compressed"].count == 88


@pytest.mark.parametrize(("name", "reason"), REFUSED, ids=[item[0] for item in REFUSED])
def test_is_refused_with_a_true_reason(shared_data: Path, tmp_path: Path, name: str, reason: str) -> None:
    bag = shared_data / "bags" / "rosbag2_format" / name
    with pytest.raises(BagError, match=reason) as caught:
        replay(bag, tmp_path / "out")
    assert caught.value.where == str(bag)
    assert caught.value.mend
    assert list(tmp_path.iterdir()) == []


def test_a_folder_of_bags_names_them(shared_data: Path, tmp_path: Path) -> None:
    with pytest.raises(BagError, match="mcap_talker"):
        replay(shared_data / "bags" / "rosbag2_format", tmp_path / "out")


def test_metadata_does_not_change_the_drive(shared_data: Path, tmp_path: Path) -> None:
    bag = shared_data / "bags" / "mcity_ins_standing_a"
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy(next(bag.glob("*.db3")), bare)
    first = read_summary(replay(bag, tmp_path / "a"))
    alone = read_summary(replay(next(bare.glob("*.db3")), tmp_path / "b"))
    assert first.digest == alone.digest
