"""`adas synth`: bags that are the same for the same seed, whole or not there, and readable by others."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from synth_drives import drive

from adas_runtime.cli import main
from adas_runtime.errors import BagError
from adas_runtime.interfaces import msg_definitions
from adas_runtime.signals import GazeZone
from adas_runtime.synth.bag import TOPICS, write_bag
from adas_runtime.synth.drive import DriveSpec, make_drive
from adas_runtime.synth.driver import DriverKind


def digests(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.iterdir())}


def read(folder: Path) -> dict[str, list[tuple[int, object]]]:
    """Every message by rosbags alone, with the definitions that the bag itself brings."""
    from rosbags.rosbag2 import Reader
    from rosbags.typesys import Stores, get_types_from_msg, get_typestore

    store = get_typestore(Stores.EMPTY)
    found: dict[str, list[tuple[int, object]]] = {}
    with Reader(folder) as reader:
        for connection in reader.connections:
            types = get_types_from_msg(connection.msgdef.data, connection.msgtype)
            store.register({name: item for name, item in types.items() if name not in store.types})
        for connection, stamp, data in reader.messages():
            found.setdefault(connection.topic, []).append((stamp, store.deserialize_cdr(data, connection.msgtype)))
    return found


def test_same_seed_same_bytes(tmp_path: Path) -> None:
    for name in ("one", "another_name"):
        write_bag(make_drive(DriveSpec(seconds=2.0, seed=5, width_px=640)), tmp_path / name)
    assert digests(tmp_path / "one") == digests(tmp_path / "another_name")
    write_bag(make_drive(DriveSpec(seconds=2.0, seed=6, width_px=640)), tmp_path / "other_seed")
    assert digests(tmp_path / "one")["drive.mcap"] != digests(tmp_path / "other_seed")["drive.mcap"]


def test_a_bag_holds_every_topic_at_its_rate(tmp_path: Path) -> None:
    made = make_drive(DriveSpec(seconds=12.0, width_px=320, fps=20.0))
    counts = write_bag(made, tmp_path / "bag")
    found = read(tmp_path / "bag")
    assert set(found) == set(TOPICS)
    assert {topic: len(items) for topic, items in found.items()} == counts
    assert counts["/vehicle/state"] == 1200 and counts["/vehicle/driver_input"] == 240 and counts["/gnss/fix"] == 120
    assert counts["/camera/front/image/compressed"] == counts["/truth/lanes"] == 240
    for topic, items in found.items():
        stamps = [stamp for stamp, _ in items]
        assert stamps == sorted(stamps), topic
    for topic in ("/camera/front/image/compressed", "/camera/front/camera_info", "/gnss/fix", "/truth/ego"):
        for stamp, message in found[topic]:
            header = message.header.stamp  # type: ignore[attr-defined]
            assert header.sec * 1_000_000_000 + header.nanosec == stamp
    for topic in ("/vehicle/state", "/truth/lanes", "/truth/events"):
        for stamp, message in found[topic]:
            assert message.stamp_s == pytest.approx(stamp * 1e-9, abs=1e-6)  # type: ignore[attr-defined]
    info = found["/camera/front/camera_info"][0][1]
    assert (info.width, info.height) == (320, 180)  # type: ignore[attr-defined]
    assert info.k[0] == pytest.approx(made.camera.fx_px)  # type: ignore[attr-defined]
    picture = cv2.imdecode(np.asarray(found["/camera/front/image/compressed"][30][1].data), cv2.IMREAD_COLOR)  # type: ignore[attr-defined]
    assert np.abs(picture.astype(int) - made.frame(30).astype(int)).mean() < 4.0


def test_definitions_in_the_bag_are_ours(tmp_path: Path) -> None:
    from rosbags.rosbag2 import Reader

    write_bag(drive("de", 2.0), tmp_path / "bag", with_camera=False)
    with Reader(tmp_path / "bag") as reader:
        texts = {item.msgtype: item.msgdef.data for item in reader.connections}
    assert "adas_interfaces/msg/LaneModel" in texts
    for field in ("float64 c3_1pm2", "bool is_calibrated"):
        assert field in texts["adas_interfaces/msg/LaneModel"]
    assert set(texts) & set(msg_definitions()) >= {"adas_interfaces/msg/VehicleState"}


def test_no_camera_leaves_the_rest(tmp_path: Path) -> None:
    counts = write_bag(drive("de", 2.0), tmp_path / "bag", with_camera=False)
    assert not any(topic.startswith("/camera/front") for topic in counts)
    assert counts["/vehicle/state"] == 200


def test_an_existing_bag_is_kept_unless_forced(tmp_path: Path) -> None:
    out = tmp_path / "bag"
    write_bag(drive("de", 2.0), out, with_camera=False)
    before = digests(out)
    with pytest.raises(BagError, match="exists already"):
        write_bag(drive("de", 3.0), out, with_camera=False)
    assert digests(out) == before
    write_bag(drive("de", 3.0), out, with_camera=False, force=True)
    assert digests(out) != before
    assert [path.name for path in tmp_path.iterdir()] == ["bag"]


def test_force_replaces_bags_only(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "family.jpg").write_bytes(b"x")
    with pytest.raises(BagError, match="not a bag"):
        write_bag(drive("de", 2.0), folder, with_camera=False, force=True)
    assert (folder / "family.jpg").read_bytes() == b"x"


def test_an_assisted_drive_has_a_driver_who_switches_on_and_looks_away(tmp_path: Path) -> None:
    made = make_drive(DriveSpec(seconds=20.0, is_assisted=True))
    write_bag(made, tmp_path / "bag", with_camera=False)
    assert set(read(tmp_path / "bag")) == {t for t in TOPICS if not t.startswith("/camera/front/")}
    assert {name for item in made.driver_inputs() for name in item.pressed} == {"dcas", "set_speed"}
    assert all(item.accelerator == 0.0 and not item.is_braking for item in made.vehicle_states())
    assert all(item.is_driver_belt_fastened for item in made.body_states())
    zones = [made.driver_state(index).gaze_zone for index in range(made.frame_count)]
    assert zones[0] is GazeZone.ROAD and zones.count(GazeZone.LAP) == pytest.approx(9.0 * 20.0, abs=1)
    plain = make_drive(DriveSpec(seconds=2.0))
    assert not any(item.pressed for item in plain.driver_inputs())


@pytest.mark.parametrize("kind", DriverKind)
def test_a_driver_camera_tells_of_the_driver_that_was_asked_for(tmp_path: Path, kind: DriverKind) -> None:
    """Attentive: short blinks and glances; distracted: two looks into the lap; drowsy: long blinks, one closure."""
    made = make_drive(DriveSpec(seconds=60.0, driver=kind, fps=20.0))
    write_bag(made, tmp_path / "bag", with_camera=False)
    assert ("/driver/state" in read(tmp_path / "bag")) is (kind is not DriverKind.ABSENT)
    states = [made.driver_state(index) for index in range(made.frame_count)]
    longest = dict.fromkeys(("closed", "down"), 0)
    run = dict(longest)
    for state in states:
        for name, holds in (("closed", (state.eye_openness or 0.0) < 0.2), ("down", state.gaze_zone is GazeZone.LAP)):
            run[name] = run[name] + 1 if holds else 0
            longest[name] = max(longest[name], run[name])
    assert longest["down"] == pytest.approx(120 if kind is DriverKind.DISTRACTED else 0, abs=1)
    assert longest["closed"] >= 36 if kind is DriverKind.DROWSY else longest["closed"] <= 5


def test_an_error_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_drive(DriveSpec(seconds=2.0, width_px=320))

    def fail(index: int) -> object:
        if index == 20:
            raise RuntimeError("stopped here")
        return original(index)

    original = made.lanes
    monkeypatch.setattr(made, "lanes", fail)
    with pytest.raises(RuntimeError, match="stopped here"):
        write_bag(made, tmp_path / "bag")
    assert list(tmp_path.iterdir()) == []


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adas_runtime.cli.COMMANDS", ("adas_runtime.synth.cli",))
    out = tmp_path / "bag"
    assert main(["synth", "--market", "ae", "--seconds", "12", "--no-camera", "--json", "--out", str(out)]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["topics"]["/vehicle/state"] == 1200
    assert result["events"][0]["code"] == "lane_departure_left"
    assert main(["synth", "--seconds", "2", "--no-camera", "--out", str(out)]) == 2
    assert capsys.readouterr().err.count("\n") == 1
    assert main(["synth", "--scenario", "flying", "--out", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert "flying" in error and "motorway" in error
    assert not (tmp_path / "x").exists()
