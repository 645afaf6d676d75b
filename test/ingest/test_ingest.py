"""`adas ingest`: real and broken footage in, an honest bag or one line out."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from adas_runtime.cli import main
from adas_runtime.errors import AdasError, BagError
from adas_runtime.ingest.bag import Ingested, ingest
from adas_runtime.vehicle import load_vehicle

IMAGE, INFO, STATE = "/camera/front/image/compressed", "/camera/front/camera_info", "/vehicle/state"


def read(folder: Path) -> dict[str, list[tuple[int, object]]]:
    """Every message, by rosbags alone."""
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


def picture(number: int, width: int = 160, height: int = 90) -> np.ndarray:
    """A picture that tells its number: a bar that moves."""
    image = np.full((height, width, 3), 60, dtype=np.uint8)
    cv2.rectangle(image, (number * 5 % width, 10), (number * 5 % width + 8, height - 10), (40, 200, 240), -1)
    return image


def make_video(path: Path, frames: int = 30, fps: float = 10.0, fourcc: str = "mp4v") -> Path:
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), fps, (160, 90))
    assert writer.isOpened()
    for number in range(frames):
        writer.write(picture(number))
    writer.release()
    return path


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "clip.mp4")


@pytest.mark.parametrize("suffix", ["mp4", "avi", "mov", "mkv"])
def test_a_video_goes_in_whole(tmp_path: Path, suffix: str) -> None:
    clip = make_video(tmp_path / f"clip.{suffix}", fourcc="MJPG" if suffix == "avi" else "mp4v")
    result = ingest([str(clip)], tmp_path / "bag")
    found = read(tmp_path / "bag")
    assert result.counts == {IMAGE: 30, INFO: 30}
    stamps = np.array([stamp for stamp, _ in found[IMAGE]]) * 1e-9
    assert np.allclose(np.diff(stamps), 0.1, atol=2e-3)
    for number, (stamp, message) in enumerate(found[IMAGE]):
        header = message.header  # type: ignore[attr-defined]
        assert header.stamp.sec * 1_000_000_000 + header.stamp.nanosec == stamp
        shown = cv2.imdecode(np.asarray(message.data), cv2.IMREAD_COLOR)  # type: ignore[attr-defined]
        assert np.abs(shown.astype(int) - picture(number)).mean() < 8.0


def test_a_variable_frame_rate_stays_what_it_was(tmp_path: Path) -> None:
    animation = cv2.Animation()
    animation.frames = [picture(number * 4) for number in range(6)]
    animation.durations = np.array([100, 300, 50, 200, 100, 100])
    path = tmp_path / "clip.gif"
    assert cv2.imwriteanimation(str(path), animation)
    ingest([str(path)], tmp_path / "bag")
    stamps = np.array([stamp for stamp, _ in read(tmp_path / "bag")[IMAGE]]) * 1e-9
    assert np.allclose(np.diff(stamps), [0.1, 0.3, 0.05, 0.2, 0.1], atol=0.011)


def test_fps_overrides_the_containers_times(tmp_path: Path, video: Path) -> None:
    ingest([str(video)], tmp_path / "bag", fps=25.0)
    stamps = np.array([stamp for stamp, _ in read(tmp_path / "bag")[IMAGE]])
    assert np.allclose(np.diff(stamps), 40_000_000, atol=2)


def test_an_unknown_camera_is_said_to_be_unknown(tmp_path: Path, video: Path) -> None:
    result = ingest([str(video)], tmp_path / "bag")
    info = read(tmp_path / "bag")[INFO][0][1]
    assert not result.is_calibrated
    assert (info.width, info.height) == (160, 90)  # type: ignore[attr-defined]
    assert not np.any(info.k)  # type: ignore[attr-defined]
    guessed = ingest([str(video)], tmp_path / "guessed", vehicle=load_vehicle("unknown_camera"))
    assert not guessed.is_calibrated


def test_a_named_vehicle_gives_its_camera(tmp_path: Path, video: Path) -> None:
    ingest([str(video)], tmp_path / "bag", vehicle=load_vehicle("reference"))
    info = read(tmp_path / "bag")[INFO][0][1]
    assert info.k[0] == pytest.approx(1000.0 / 8.0)  # type: ignore[attr-defined]
    assert info.d.size == 5  # type: ignore[attr-defined]


def test_a_camera_of_another_shape_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "square.png"), picture(0, 90, 90))
    with pytest.raises(AdasError, match="another shape"):
        ingest([str(tmp_path / "square.png")], tmp_path / "bag", fps=10.0, vehicle=load_vehicle("reference"))
    assert not (tmp_path / "bag").exists()


def test_pictures_from_a_folder_and_a_pattern_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "shots"
    folder.mkdir()
    for number in range(12):
        cv2.imwrite(str(folder / f"shot_{number}.jpg"), picture(number))
    (folder / "notes.txt").write_text("not a picture")
    for name, source in (("folder", str(folder)), ("pattern", str(folder / "shot_*.jpg"))):
        result = ingest([source], tmp_path / name, fps=4.0)
        assert result.counts[IMAGE] == 12
        images = read(tmp_path / name)[IMAGE]
        for number, (_, message) in enumerate(images):
            # a JPEG goes in as it is, not through a second compression
            assert bytes(message.data) == (folder / f"shot_{number}.jpg").read_bytes()  # type: ignore[attr-defined]
    with pytest.raises(AdasError, match="--fps"):
        ingest([str(folder)], tmp_path / "no_time")


def test_videos_follow_one_another(tmp_path: Path, video: Path) -> None:
    second = make_video(tmp_path / "second.mp4", frames=10)
    ingest([str(video), str(second)], tmp_path / "bag")
    stamps = np.array([stamp for stamp, _ in read(tmp_path / "bag")[IMAGE]])
    assert len(stamps) == 40 and np.allclose(np.diff(stamps), 1e8, atol=2e6)
    cv2.imwrite(str(tmp_path / "wide.png"), picture(0, 200, 90))
    with pytest.raises(AdasError, match="200x90 follow ones of 160x90"):
        ingest([str(video), str(tmp_path / "wide.png")], tmp_path / "mixed", fps=10.0)
    assert not (tmp_path / "mixed").exists()


def broken(folder: Path, kind: str) -> str:
    path = folder / f"{kind}.mp4"
    if kind == "text":
        path.write_text("this is no video\n" * 50)
    elif kind == "empty":
        path.write_bytes(b"")
    elif kind == "noise":
        path.write_bytes(np.random.default_rng(0).bytes(20_000))
    elif kind == "cut":  # the index of an MP4 from OpenCV stands at its end
        data = make_video(folder / "whole.mp4").read_bytes()
        path.write_bytes(data[: len(data) // 2])
    elif kind == "no_frames":
        cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10.0, (160, 90)).release()
    elif kind == "folder":
        path.mkdir()
    return str(path)


@pytest.mark.parametrize("kind", ["text", "empty", "noise", "cut", "no_frames", "folder", "missing"])
def test_broken_footage_is_one_line_and_leaves_nothing(
    tmp_path: Path, kind: str, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adas_runtime.cli.COMMANDS", ("adas_runtime.ingest.cli",))
    path = broken(tmp_path, kind)
    capfd.readouterr()
    assert main(["ingest", path, "--out", str(tmp_path / "out" / "bag")]) == 2
    streams = capfd.readouterr()
    assert streams.out == ""
    lines = [line for line in streams.err.splitlines() if not line.startswith("[")]  # OpenCV may have been loaded loud
    assert len(lines) == 1 and lines[0].startswith("adas: ") and path in lines[0] and ";" in lines[0]
    assert not (tmp_path / "out" / "bag").exists()
    assert not (tmp_path / "out").exists() or list((tmp_path / "out").iterdir()) == []


def test_a_video_cut_short_is_refused_or_taken_on_demand(tmp_path: Path, shared_data: Path) -> None:
    whole = (shared_data / "lanes/udacity_p1/solidWhiteRight.mp4").read_bytes()
    clip = tmp_path / "cut.mp4"
    clip.write_bytes(whole[: len(whole) // 3])
    with pytest.raises(AdasError, match="cut short"):
        ingest([str(clip)], tmp_path / "bag")
    assert not (tmp_path / "bag").exists()
    result = ingest([str(clip)], tmp_path / "bag", takes_truncated=True)
    assert 0 < result.counts[IMAGE] < 221
    assert any("cut short" in note for note in result.notes)


@pytest.mark.parametrize(
    ("clip", "frames", "fps"),
    [
        ("lanes/clips/highway_shadow_concrete_a.mp4", 88, 25.0),
        ("lanes/udacity_p1/solidWhiteRight.mp4", 221, 25.0),
        ("driver_monitoring/frontal_blink.mp4", 62, 12.5),
        ("parking/marked_slots_overhead.mp4", 41, 12.5),
    ],
)
def test_real_clips(tmp_path: Path, shared_data: Path, clip: str, frames: int, fps: float) -> None:
    result: Ingested = ingest([str(shared_data / clip)], tmp_path / "bag")
    assert result.counts[IMAGE] == frames
    assert result.seconds == pytest.approx((frames - 1) / fps, abs=1e-3)


def test_real_vehicle_signals(tmp_path: Path, shared_data: Path) -> None:
    clip = str(shared_data / "lanes/udacity_p1/solidWhiteRight.mp4")
    table = shared_data / "vehicle_signals/udacity_ch2/train_round2_part1.csv"
    result = ingest([clip], tmp_path / "bag", table_path=table)
    found = read(tmp_path / "bag")
    rows = table.read_text().splitlines()[1:]
    first = found[STATE][0]
    stamp, angle, torque, speed = rows[0].split(",")
    assert first[0] == pytest.approx(int(stamp), abs=300)  # its own clock, to the precision of a float
    assert found[IMAGE][0][0] == first[0]
    assert first[1].speed_mps == float(speed)  # type: ignore[attr-defined]
    assert first[1].steering_wheel_angle_rad == float(angle)  # type: ignore[attr-defined]
    assert first[1].driver_torque_nm == float(torque)  # type: ignore[attr-defined]
    assert not first[1].has_yaw_rate_rps  # type: ignore[attr-defined]  # not in the file, so not in the bag
    assert any("left out" in note for note in result.notes)


def test_the_command_and_force(
    tmp_path: Path, video: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adas_runtime.cli.COMMANDS", ("adas_runtime.ingest.cli",))
    out = tmp_path / "bag"
    assert main(["ingest", str(video), "--out", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["counts"][IMAGE] == 30
    assert main(["ingest", str(video), "--out", str(out)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert main(["ingest", str(video), "--out", str(out), "--force"]) == 0
    with pytest.raises(BagError):
        ingest([str(video)], video)


def test_same_footage_same_bytes(tmp_path: Path, video: Path) -> None:
    for name in ("one", "two"):
        ingest([str(video)], tmp_path / name)
    assert (tmp_path / "one/drive.mcap").read_bytes() == (tmp_path / "two/drive.mcap").read_bytes()
