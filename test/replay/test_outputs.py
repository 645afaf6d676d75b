"""What a replay leaves: readable by rosbag2's and MCAP's own readers, drawn for a viewer, complete, repeatable."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mcap.reader import make_reader
from replay_bags import DRIVER, EPOCH_NS, LANES, STATE, drive, replay, row, stamp, store, write
from rosbags.rosbag2 import Reader

from adas_runtime.perception.camera import camera_of
from adas_runtime.replay import viz
from adas_runtime.replay.bag import Bag
from adas_runtime.replay.schema import OUT_FILE, EventKind, read_events, read_summary
from adas_runtime.resources import config_dir
from adas_runtime.signals import ObjectClass, RadarObjects, RadarTrack, TrackedObject, TrackedObjects, VehicleState
from adas_runtime.synth.bag import IMAGE_TOPIC, write_bag
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive
from adas_runtime.vehicle import load_vehicle

SUMMARY_KEYS = {
    "schema", "bag", "market", "duration_s", "wall_s", "real_time_factor", "digest", "inputs", "functions",
    "latency_ms", "warnings",
}  # fmt: skip


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The replay of a drive without camera."""
    folder = tmp_path_factory.mktemp("outputs")
    return replay(write(folder / "bag", drive()), folder / "out", command="adas replay bag --market de --out DIR")


@pytest.fixture(scope="module")
def camera_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A rendered drive, small pictures, with one departure."""
    bag = tmp_path_factory.mktemp("camera") / "bag"
    drawn = make_drive(DriveSpec(market="de", seconds=10.0, seed=0, scenario=Scenario.DEMO, width_px=640))
    write_bag(drawn, bag)
    return bag


@pytest.fixture(scope="module")
def camera_out(camera_bag: Path) -> Path:
    """Its replay."""
    return replay(camera_bag, camera_bag.parent / "out")


def _messages(folder: Path, topic: str) -> Iterator[tuple[int, Any]]:
    types = store()
    with Reader(folder) as reader:
        for connection, log_ns, data in reader.messages([c for c in reader.connections if c.topic == topic]):
            yield log_ns, types.deserialize_cdr(data, connection.msgtype)


def _decisions(folder: Path) -> list[tuple[int, str, bytes]]:
    with Bag(folder / OUT_FILE) as bag:
        return [m for m in bag.messages() if m[1].startswith("/adas/") and "perception" not in m[1]]


def test_summary_holds_what_the_contract_says(out: Path) -> None:
    summary = json.loads((out / "summary.json").read_text())
    assert summary.keys() >= SUMMARY_KEYS
    assert summary["schema"] == "adas-replay-summary/1"
    assert len(bytes.fromhex(summary["digest"])) == 32
    assert summary["latency_ms"].keys() == {"p50", "p95", "p99"}
    for item in summary["inputs"].values():
        assert item.keys() >= {"count", "dropped", "max_gap_s"}
    for item in summary["functions"].values():
        assert item.keys() >= {"stage", "time_active_s", "alerts", "interventions", "kpis"}
    assert summary["inputs"][STATE]["count"] == 1200
    assert summary["inputs"][STATE]["max_gap_s"] == pytest.approx(0.01)
    assert summary["functions"]["lane_departure"]["alerts"] == 1
    assert summary["real_time_factor"] == pytest.approx(summary["duration_s"] / summary["wall_s"], rel=0.01)
    assert summary["command"] == "adas replay bag --market de --out DIR"


def test_the_summary_counts_what_the_last_gates_refused_for_its_age(out: Path) -> None:
    """A counter, so the last of it: also where nothing was refused, which only then can be told from not counted."""
    functions = read_summary(out).functions
    assert functions["arbiter"].kpis == functions["envelope"].kpis == {"over_budget": 0.0}


def test_every_reader_opens_out_mcap(out: Path) -> None:
    with Reader(out) as reader:  # strict: needs metadata.yaml, and counts that agree with the file
        counted = Counter(connection.topic for connection, _, _ in reader.messages())
        assert {c.topic: c.msgcount for c in reader.connections} == counted
    with (out / OUT_FILE).open("rb") as stream:
        found = make_reader(stream, validate_crcs=True)
        header, summary = found.get_header(), found.get_summary()
        assert summary is not None
        assert header.profile == "ros2"
        assert {schema.encoding for schema in summary.schemas.values()} == {"ros2msg"}
        assert all(schema.data for schema in summary.schemas.values())
        assert {channel.message_encoding for channel in summary.channels.values()} == {"cdr"}
        notes = {record.name: record.metadata for record in found.iter_metadata()}
    assert notes["adas_replay"]["market"] == "de"


def test_inputs_and_decisions_are_in_it_in_time(out: Path) -> None:
    with Bag(out / OUT_FILE) as bag:
        assert {STATE, DRIVER, LANES, "/adas/market/status", "/adas/envelope/command"} <= bag.topics.keys()
        states = [(log_ns, data) for log_ns, _, data in bag.messages([STATE])]
        assert states == [(item[0], item[3]) for item in drive() if item[1] == STATE], "as recorded, to the nanosecond"
        alerts = [log_ns for log_ns, _, _ in bag.messages(["/adas/lane_departure/alert"])]
    started = next(e for e in read_events(out) if e.kind is EventKind.ALERT_START and e.function == "lane_departure")
    assert (alerts[0] - EPOCH_NS) * 1e-9 == pytest.approx(started.t_s, abs=1e-6)


def test_lanes_are_drawn_on_the_ground(out: Path) -> None:
    drawn = list(_messages(out, viz.LANES))
    assert len(drawn) == 120, "the lanes come 20 times a second and are drawn 10 times"
    left, right = drawn[0][1].markers
    assert left.header.frame_id == right.header.frame_id == "base_link"
    assert [(round(p.y, 3), p.z) for p in left.points] == [(1.75, 0.0)] * viz.LINE_POINTS
    assert (left.points[0].x, left.points[-1].x) == (5.0, 50.0)
    assert left.id != right.id
    (ego,) = list(_messages(out, viz.EGO))
    (box,) = ego[1].markers
    size = load_vehicle("reference").dimensions
    assert (box.scale.x, box.scale.y) == (size.length_m, size.width_m)
    assert box.pose.position.x + box.scale.x / 2 == pytest.approx(size.wheelbase_m + size.front_overhang_m)


@pytest.mark.slow
def test_pictures_stay_in_the_recording_unless_asked_for(camera_bag: Path, camera_out: Path, tmp_path: Path) -> None:
    with Bag(camera_out / OUT_FILE) as bag:
        assert IMAGE_TOPIC not in bag.topics
        pictures = list(bag.messages([viz.PICTURES]))
    events = [e for e in read_events(camera_out) if e.still]
    assert events and all((camera_out / e.still).stat().st_size > 2000 for e in events)
    assert len(pictures) == len({e.still for e in events}), "the picture of each event, as recorded"
    with Bag(camera_bag) as bag:
        recorded = {data for _, _, data in bag.messages([IMAGE_TOPIC])}
    assert {data for _, _, data in pictures} <= recorded
    with (camera_out / OUT_FILE).open("rb") as stream:
        notes = {record.name: record.metadata for record in make_reader(stream).iter_metadata()}["adas_pictures"]
    assert json.loads(notes["topics"]) == {IMAGE_TOPIC: 200}
    assert all(Path(name).is_file() for name in json.loads(notes["files"]))
    copied = replay(camera_bag, tmp_path / "copied", copy_camera=True)
    with Bag(copied / OUT_FILE) as bag:
        assert [data for _, _, data in bag.messages([IMAGE_TOPIC])] and bag.topics[IMAGE_TOPIC].count == 200
    assert read_summary(copied).digest == read_summary(camera_out).digest


@pytest.mark.slow
def test_lanes_lie_on_the_paint_in_the_viewer(camera_out: Path) -> None:
    """The image panel lays /viz/lanes_image over the picture: its pixels are the lane model's, through the camera."""
    models = {m.stamp_s: m for _, m in _messages(camera_out, "/adas/lane_perception/lanes")}
    drawn = list(_messages(camera_out, viz.LANES_IMAGE))
    (_, info), (_, tree) = next(_messages(camera_out, viz.CAMERA_INFO)), next(_messages(camera_out, viz.TF_STATIC))
    assert (info.width, info.height) == (640, 360)
    assert len(drawn) == len(models) == 200
    mount = load_vehicle("reference").cameras["front"]
    camera = camera_of(mount, 640, 360)
    assert camera is not None
    marker = drawn[100][1]
    model = models[min(models, key=lambda s: abs(s - marker.header.stamp.sec - marker.header.stamp.nanosec * 1e-9))]
    camera = camera.with_angles(pitch_rad=model.camera_pitch_rad, yaw_rad=camera.yaw_rad)
    ground = camera.to_ground(np.array([(p.x, p.y) for p in marker.points]))
    for x, y in ground:
        nearest = min(abs(b.c0_m + x * (b.c1 + x * (b.c2_1pm + x * b.c3_1pm2)) - y) for b in model.boundaries)
        assert nearest < 0.02
    (mounted,) = tree.transforms
    assert (mounted.header.frame_id, mounted.child_frame_id) == ("base_link", "camera_front")
    assert mounted.transform.translation.z == mount.z_m


@pytest.mark.slow
def test_from_decision_repeats_every_decision_of_the_full_replay(camera_out: Path, tmp_path: Path) -> None:
    again = replay(camera_out, tmp_path / "again", from_decision=True)
    assert read_summary(again).started_from == "decision"
    assert _decisions(again) == _decisions(camera_out)
    assert "lane_perception" not in read_summary(again).functions
    implicit = replay(camera_out, tmp_path / "implicit")
    assert read_summary(implicit).digest == read_summary(again).digest
    assert any("as with --from decision" in line for line in read_summary(implicit).warnings)


def test_from_decision_without_recorded_perception_is_refused(tmp_path: Path) -> None:
    rows = [item for item in drive(2.0) if item[1] != LANES]
    with pytest.raises(Exception, match="holds no /adas/lane_perception/lanes"):
        replay(write(tmp_path / "bag", rows), tmp_path / "out", from_decision=True)


coordinates = st.floats(-400.0, 400.0)


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            viz.Mark,
            name=st.sampled_from(["lanes", "objects", "x"]),
            number=st.integers(0, 2**31 - 1),
            kind=st.sampled_from([viz.CUBE, viz.LINE_STRIP, viz.SPHERE_LIST]),
            colour=st.tuples(*[st.floats(0.0, 1.0, width=32)] * 4),
            scale_m=st.tuples(coordinates, coordinates, coordinates),
            position_m=st.tuples(coordinates, coordinates, coordinates),
            points=st.lists(st.tuples(coordinates, coordinates, coordinates), max_size=5).map(
                lambda found: tuple(v for p in found for v in p)
            ),
            lifetime_ns=st.sampled_from([0, viz.LIFETIME_NS]),
        ),
        max_size=4,
    ),
    st.floats(0.0, 4e9).map(lambda t: round(t, 3)),
)
def test_markers_are_what_rosbags_would_write(marks: list[viz.Mark], now_s: float) -> None:
    types = store()
    data = viz.marker_array(marks, now_s)
    array = types.deserialize_cdr(data, viz.MARKERS_TYPE)
    assert bytes(types.serialize_cdr(array, viz.MARKERS_TYPE)) == data
    for mark, marker in zip(marks, array.markers, strict=True):
        assert (marker.ns, marker.id, marker.type, marker.action) == (mark.name, mark.number, mark.kind, 0)
        assert [v for p in marker.points for v in (p.x, p.y, p.z)] == list(mark.points)
        assert (marker.scale.x, marker.scale.y, marker.scale.z) == mark.scale_m
        assert (marker.color.r, marker.color.g, marker.color.b, marker.color.a) == mark.colour
        sec = marker.header.stamp.sec
        assert sec == min(int(now_s + 1e-9), 2**31 - 1), "a time after 2038 does not end the replay"


@settings(max_examples=40)
@given(st.lists(st.lists(st.tuples(coordinates, coordinates), max_size=5), max_size=4))
def test_image_lines_are_what_rosbags_would_write(lines: list[list[tuple[float, float]]]) -> None:
    types = store()
    data = viz.image_lines([((1.0, 0.5, 0.25, 1.0), line) for line in lines], 12.5)
    marker = types.deserialize_cdr(data, viz.IMAGE_MARKER_TYPE)
    assert bytes(types.serialize_cdr(marker, viz.IMAGE_MARKER_TYPE)) == data
    assert len(marker.points) == len(marker.outline_colors) * 2 or not marker.points
    assert len(marker.points) == 2 * sum(max(0, len(line) - 1) for line in lines)


def test_road_users_and_radar_stand_where_they_are() -> None:
    types = store()
    truck = TrackedObject(
        object_id=7, object_class=ObjectClass.TRUCK, x_m=20.0, y_m=-3.5, speed_x_mps=22.0, speed_y_mps=0.0,
        x_std_m=0.5, y_std_m=0.2, speed_x_std_mps=0.4, confidence=0.9, age_s=3.0, yaw_rad=math.pi / 2,
    )  # fmt: skip
    seen = TrackedObjects(stamp_s=stamp(1.0), objects=(truck,))
    (box,) = types.deserialize_cdr(viz.object_markers(seen, stamp(1.0)), viz.MARKERS_TYPE).markers
    assert box.pose.position.x - box.scale.x / 2 == pytest.approx(20.0)
    assert (box.id, box.pose.position.y) == (7, -3.5)
    assert box.pose.orientation.z == pytest.approx(math.sin(math.pi / 4))
    radar = RadarObjects(stamp_s=stamp(1.0), tracks=(RadarTrack(track_id=1, x_m=40.0, y_m=2.0),))
    (cloud,) = types.deserialize_cdr(viz.radar_markers(radar, stamp(1.0)), viz.MARKERS_TYPE).markers
    assert [(p.x, p.y) for p in cloud.points] == [(40.0, 2.0)]


@given(st.floats(-3.0, 3.0), st.floats(-1.5, 1.5), st.floats(-3.0, 3.0))
def test_the_mount_turns_as_its_matrix_does(roll: float, pitch: float, yaw: float) -> None:
    mount = load_vehicle("reference").cameras["front"]
    camera = camera_of(mount, 1280, 720)
    assert camera is not None
    rotation = camera.with_angles(pitch_rad=pitch, yaw_rad=yaw).rotation @ np.array(
        [[1, 0, 0], [0, math.cos(roll), -math.sin(roll)], [0, math.sin(roll), math.cos(roll)]]
    )
    x, y, z, w = viz.quaternion(rotation)
    back = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    assert np.allclose(back, rotation, atol=1e-9)


def test_the_layout_shows_topics_that_are_written(camera_out: Path) -> None:
    layout = json.loads((config_dir() / "foxglove" / "adas_layout.json").read_text(encoding="utf-8"))
    text = json.dumps(layout)
    with Bag(camera_out / OUT_FILE) as bag:
        written = set(bag.topics) | {viz.OBJECTS, viz.RADAR}
    named = {
        part.split(".")[0].split("[")[0]
        for part in text.replace('"', " ").split()
        if part.startswith(("/adas/", "/viz/", "/vehicle/"))
    }
    assert named and named <= written, named - written

    def panels(node: Any) -> set[str]:
        return {node} if isinstance(node, str) else panels(node["first"]) | panels(node["second"])

    assert panels(layout["layout"]) == layout["configById"].keys()


def test_what_falls_silent_before_the_end_is_told_absent(tmp_path: Path) -> None:
    """The recording goes on with a topic that feeds nothing; the car's motion ended 1.5 s before."""
    rows = drive(3.0)
    note = (b"\x00\x01\x00\x00" + (3).to_bytes(4, "little") + b"on\x00", "std_msgs/msg/String")
    rows += [(EPOCH_NS + number * 100_000_000, "/notes", note[1], note[0]) for number in range(46)]
    folder = replay(write(tmp_path / "bag", sorted(rows, key=lambda item: item[:2])), tmp_path / "out")
    summary = read_summary(folder)
    assert summary.duration_s == pytest.approx(4.5)
    for name in ("lane_departure", "arbiter", "envelope"):
        assert summary.functions[name].absent_s["vehicle"] == pytest.approx(1.5 - 0.1, abs=0.06), name
    last_s = max(log_ns for log_ns, topic, _ in _decisions(folder)) * 1e-9
    assert stamp(4.4) < last_s <= stamp(4.5)


def test_signals_that_come_too_seldom_are_told(tmp_path: Path) -> None:
    """A logger at 1 Hz gives a fine speed plot, and functions that stand by nearly all the time."""
    seldom = [row(float(t), STATE, VehicleState(stamp_s=stamp(float(t)), speed_mps=25.0)) for t in range(20)]
    warnings = {
        name: read_summary(replay(write(tmp_path / name, rows), tmp_path / f"{name}_out")).warnings
        for name, rows in (("sparse", seldom), ("dense", drive()))
    }
    told = [text for text in warnings["sparse"] if text.startswith("vehicle_state comes every")]
    assert len(told) == 1 and "lane_departure" in told[0] and "0.1 s" in told[0]
    assert not any("comes every" in text for text in warnings["dense"])
