"""`adas perceive` as a user meets it: many kinds of input, broken ones, and what it leaves."""

from __future__ import annotations

import json
import os
import struct
from pathlib import Path

import cv2
import numpy as np
import pytest
from perceive_builders import Perceive, road, write
from synth_drives import drive

from adas_runtime.cli import main
from adas_runtime.graph import live_topic
from adas_runtime.ingest.writer import IMAGE_TOPIC
from adas_runtime.inputs.binder import own_reader
from adas_runtime.replay.bag import Bag
from adas_runtime.synth.bag import write_bag
from adas_runtime.synth.drive import Scenario


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A road that is easy to see."""
    return write(tmp_path_factory.mktemp("road") / "road.png", road(width_px=640)[0])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight pictures of a drive, ten a second."""
    path = tmp_path_factory.mktemp("video") / "drive.avi"
    film = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (640, 360))
    made = drive(seconds=4.0, scenario=Scenario.CALM, width_px=640)
    for index in range(8):
        film.write(made.frame(2 * index))
    film.release()
    return path


@pytest.fixture(scope="module")
def bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A second of a drive as a recording."""
    path = tmp_path_factory.mktemp("bag") / "drive"
    write_bag(drive(seconds=1.0, scenario=Scenario.CALM, width_px=640), path)
    return path


def sides(record: dict) -> set[str]:
    return {lane["side"] for lane in record["lanes"]}


# --- what comes out ---------------------------------------------------------------------------------------------------


def test_the_same_input_gives_the_same_bytes(perceive: Perceive, picture: Path, video: Path) -> None:
    first = perceive(picture, video, "--json")
    assert perceive(picture, video, "--json").out == first.out
    assert len(first.records) == 9


def test_a_picture_is_judged_by_itself_whatever_came_before(perceive: Perceive, picture: Path, tmp_path: Path) -> None:
    other = write(tmp_path / "other.png", road(index=60)[0][:, ::-1])
    alone = perceive(picture, "--json").records[0]
    assert perceive(other, picture, "--json").records[1] == alone


def test_pictures_of_a_video_keep_their_count_and_time(perceive: Perceive, video: Path) -> None:
    every = perceive(video, "--json", "--every", 3).records
    assert [told["frame"] for told in every] == [0, 3, 6]
    assert [told["stamp_s"] for told in every] == pytest.approx([0.0, 0.3, 0.6], abs=1e-6)
    assert [told["frame"] for told in perceive(video, "--json", "--max-frames", 2).records] == [0, 1]


def test_an_unknown_camera_is_never_called_calibrated(perceive: Perceive, picture: Path, video: Path) -> None:
    for told in perceive(picture, video, "--json").records:
        assert told["camera"]["vehicle"] == "unknown_camera"
        assert told["camera"]["is_calibrated"] is False
        assert told["camera"]["state"] in ("estimating", "estimated")
        assert "assumed" in told["reason"]


def test_pictures_that_are_not_the_named_camera_s_are_told(perceive: Perceive, tmp_path: Path) -> None:
    square = write(tmp_path / "square.png", road()[0][:, 200:740])
    ran = perceive(square, "--vehicle", "reference", "--json")
    assert ran.code == 0
    assert "not of the camera of vehicle reference" in ran.err
    assert ran.records[0]["camera"]["is_calibrated"] is False


@pytest.mark.parametrize("level", [0, 255])
def test_a_picture_without_a_lane_is_no_error(perceive: Perceive, tmp_path: Path, level: int) -> None:
    plain = write(tmp_path / "plain.png", np.full((360, 640, 3), level, np.uint8))
    ran = perceive(plain, "--json")
    assert ran.code == 0
    assert ran.records[0]["lanes"] == []
    assert "not seen" in perceive(plain).out


def test_the_table_says_offsets_width_and_form(perceive: Perceive, picture: Path) -> None:
    told = perceive(picture, "--json").records[0]
    left = next(lane for lane in told["lanes"] if lane["side"] == "left")
    line = perceive(picture).out.splitlines()[1]
    assert f"{left['polynomial']['c0_m']:+.2f} m" in line
    assert left["type"] in line
    assert left["colour"] in line


# --- kinds of pictures ------------------------------------------------------------------------------------------------


def exif_turned(jpeg: bytes, orientation: int) -> bytes:
    """A JPEG with an EXIF segment that says how it is to be turned."""
    tiff = b"II*\x00\x08\x00\x00\x00" + struct.pack("<HHHIHHI", 1, 0x0112, 3, 1, orientation, 0, 0)
    body = b"Exif\x00\x00" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + jpeg[2:]


def kinds(image: np.ndarray, folder: Path) -> dict[str, Path]:
    turned = folder / "turned.jpg"
    on_its_side = np.ascontiguousarray(cv2.rotate(image, cv2.ROTATE_90_COUNTERCLOCKWISE))
    turned.write_bytes(exif_turned(cv2.imencode(".jpg", on_its_side, [cv2.IMWRITE_JPEG_QUALITY, 98])[1].tobytes(), 6))
    trailer = folder / "trailer.jpg"
    trailer.write_bytes(cv2.imencode(".jpg", image)[1].tobytes() + b"\x00maker notes" * 40)
    misnamed = folder / "misnamed.mp4"
    misnamed.write_bytes(cv2.imencode(".png", image)[1].tobytes())
    return {
        "grey": write(folder / "grey.png", cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)),
        "12 bits in 16": write(folder / "deep.png", image.astype(np.uint16) << 4),
        "alpha": write(folder / "alpha.png", cv2.cvtColor(image, cv2.COLOR_BGR2BGRA)),
        "webp": write(folder / "road.webp", image),
        "progressive": write(folder / "progressive.jpg", image, cv2.IMWRITE_JPEG_PROGRESSIVE, 1),
        "turned by EXIF": turned,
        "bytes after the end": trailer,
        "a picture named .mp4": misnamed,
    }


def test_every_kind_of_picture_shows_the_same_lane(perceive: Perceive, tmp_path: Path) -> None:
    image = road()[0]
    paths = kinds(image, tmp_path)
    ran = perceive(*paths.values(), "--vehicle", "reference", "--json")
    assert (ran.code, ran.err) == (0, "")
    for name, told in zip(paths, ran.records, strict=True):
        assert (told["width_px"], told["height_px"]) == (960, 540), name
        offsets = {lane["side"]: lane["polynomial"]["c0_m"] for lane in told["lanes"]}
        assert offsets["left"] - offsets["right"] == pytest.approx(3.6, abs=0.25), name


# --- what is broken ---------------------------------------------------------------------------------------------------


def broken(folder: Path) -> dict[str, tuple[Path, str]]:
    whole = road()[0]
    jpeg = cv2.imencode(".jpg", whole)[1].tobytes()
    made = {
        "missing": (folder / "missing.jpg", "does not exist"),
        "nothing": (folder / "empty.png", "is empty"),
        "text": (folder / "notes.txt", "unknown suffix '.txt'"),
        "text named jpg": (folder / "fake.jpg", "is no picture"),
        "half a JPEG": (folder / "half.jpg", "is cut short"),
        "half a PNG": (folder / "half.png", "is cut short"),
        "no video": (folder / "fake.mp4", "is no video"),
        "no recording": (folder / "fake.mcap", ""),
        "tiny": (write(folder / "tiny.png", whole[:20, :20]), "too small"),
        "floats": (write(folder / "floats.tiff", whole.astype(np.float32)), "float32"),
        "empty folder": (folder / "empty", "holds no pictures"),
        "pattern": (folder / "none*.jpg", "matches no file"),
    }
    (folder / "empty.png").write_bytes(b"")
    (folder / "half.jpg").write_bytes(jpeg[: len(jpeg) // 2])
    (folder / "half.png").write_bytes(cv2.imencode(".png", whole)[1].tobytes()[:20000])
    for name in ("notes.txt", "fake.jpg", "fake.mp4", "fake.mcap"):
        (folder / name).write_text("these are words, and no picture at all")
    (folder / "empty").mkdir()
    return made


def test_each_broken_input_is_one_line_and_the_others_are_still_looked_at(
    perceive: Perceive, picture: Path, tmp_path: Path
) -> None:
    cases = broken(tmp_path)
    ran = perceive(*(path for path, _ in cases.values()), picture, "--json", "--max-frames", 1)
    assert ran.code == 2
    assert len(ran.records) == 1
    assert sides(ran.records[0]) >= {"left", "right"}
    lines = ran.err.splitlines()
    assert len(lines) == len(cases), ran.err
    by_path = {str(path): what for path, what in cases.values()}
    for path, what in by_path.items():
        assert any(path in line and what in line for line in lines), (path, what, ran.err)


def test_a_video_cut_short_gives_what_is_there_and_says_so(perceive: Perceive, video: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    data = video.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    ran = perceive(cut, "--json")
    assert 0 < len(ran.records) < 8
    assert "cut short" in ran.err


def test_a_folder_is_looked_at_in_natural_order(perceive: Perceive, tmp_path: Path) -> None:
    image = road(width_px=640)[0]
    for name in ("p10.png", "p9.png", "P1.png"):
        write(tmp_path / name, image)
    names = [Path(told["source"]).name for told in perceive(tmp_path, "--json").records]
    assert names.index("p9.png") < names.index("p10.png")
    assert len(names) == 3


# --- recordings -------------------------------------------------------------------------------------------------------


def test_a_recording_says_whose_camera_it_was(perceive: Perceive, bag: Path) -> None:
    ran = perceive(bag, "--json", "--every", 5)
    assert ran.code == 0
    assert [told["frame"] for told in ran.records] == [0, 5, 10, 15]
    made = drive(seconds=1.0, scenario=Scenario.CALM, width_px=640)
    assert [told["stamp_s"] for told in ran.records] == pytest.approx(
        [made.stamp_of(made.frame_time_s(index)) for index in (0, 5, 10, 15)], abs=1e-5
    )
    assert all(told["camera"]["state"] == "calibrated" for told in ran.records)
    assert all({"left", "right"} <= sides(told) for told in ran.records)


def test_what_is_shown_is_what_the_graph_decides_on(perceive: Perceive, bag: Path, tmp_path: Path) -> None:
    assert main(["replay", str(bag), "--market", "de", "--vehicle", "reference", "--out", str(tmp_path / "out")]) == 0
    told = {record["stamp_s"]: record for record in perceive(bag, "--vehicle", "reference", "--json").records}
    topic = live_topic("lane_perception", "lanes")
    read = own_reader("adas_interfaces/msg/LaneModel")
    assert read is not None
    with Bag(tmp_path / "out" / "out.mcap") as out:
        models = [read(data) for _, _, data in out.messages({topic})]
    assert len(models) == len(told) == 20
    for model in models:
        lanes = told[round(model.stamp_s, 6)]["lanes"]
        assert [lane["polynomial"]["c0_m"] for lane in lanes] == [boundary.c0_m for boundary in model.boundaries]


def test_a_wrong_camera_topic_names_the_right_ones(perceive: Perceive, bag: Path) -> None:
    ran = perceive(bag, "--camera", "/nothing")
    assert ran.code == 2
    assert IMAGE_TOPIC in ran.err


def test_a_recording_without_pictures_is_told(perceive: Perceive, tmp_path: Path) -> None:
    write_bag(drive(seconds=1.0, scenario=Scenario.CALM, width_px=640), tmp_path / "blind", with_camera=False)
    ran = perceive(tmp_path / "blind")
    assert ran.code == 2
    assert "no pictures" in ran.err


# --- drawings ---------------------------------------------------------------------------------------------------------


def test_a_video_is_drawn_as_a_film_with_its_first_and_last_picture(
    perceive: Perceive, video: Path, tmp_path: Path
) -> None:
    out = tmp_path / "drawn"
    ran = perceive(video, "--overlay", out)
    assert ran.code == 0
    assert sorted(path.name for path in out.iterdir()) == [
        "drive.000000.overlay.jpg",
        "drive.000007.overlay.jpg",
        "drive.overlay.mp4",
    ]
    film = cv2.VideoCapture(str(out / "drive.overlay.mp4"))
    assert film.get(cv2.CAP_PROP_FRAME_COUNT) == 8
    assert film.get(cv2.CAP_PROP_FPS) == pytest.approx(10.0, abs=0.1)


def test_stills_of_a_video_are_one_a_picture(perceive: Perceive, video: Path, tmp_path: Path) -> None:
    perceive(video, "--overlay", tmp_path / "drawn", "--stills", "--every", 4)
    assert sorted(path.name for path in (tmp_path / "drawn").iterdir()) == [
        "drive.000000.overlay.jpg",
        "drive.000004.overlay.jpg",
    ]


def test_two_pictures_of_one_name_are_both_drawn(perceive: Perceive, picture: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    twin = tmp_path / "other" / picture.name
    twin.write_bytes(picture.read_bytes())
    perceive(picture, twin, "--overlay", tmp_path / "drawn")
    assert len(list((tmp_path / "drawn").iterdir())) == 2


def test_a_folder_that_cannot_be_written_is_told_before_any_work(
    perceive: Perceive, picture: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    ran = perceive(picture, "--json", "--overlay", tmp_path / "file" / "drawn")
    assert (ran.code, ran.out) == (2, "")
    assert len(ran.err.splitlines()) == 1
    assert "--overlay" in ran.err


@pytest.mark.skipif(os.name != "posix", reason="device files")
def test_a_full_disk_leaves_no_half_picture(
    perceive: Perceive, picture: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    ran = perceive(picture, "--json", "--overlay", tmp_path / "drawn")
    assert ran.code == 2
    assert "No space left on device" in ran.err
    assert list((tmp_path / "drawn").iterdir()) == []


# --- real pictures ----------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_real_pictures_of_an_unknown_camera_agree_with_the_labels(perceive: Perceive, shared_data: Path) -> None:
    folder = shared_data / "lanes" / "udacity_p1"
    pictures = sorted(folder.glob("solid*[2te].jpg"))
    pictures = [path for path in pictures if "left" in json.loads(path.with_suffix(".lanes.json").read_text())]
    assert len(pictures) >= 3
    ran = perceive(*pictures, "--json")
    for path, told in zip(pictures, ran.records, strict=True):
        labels = json.loads(path.with_suffix(".lanes.json").read_text())
        lanes = {lane["side"]: {row: x for x, row in lane["pixels"]} for lane in told["lanes"]}
        for side in ("left", "right"):
            off = [abs(lanes[side][row] - x) for x, row in labels[side] if row in lanes[side]]
            assert len(off) >= 0.9 * len(labels[side]), (path.name, side)
            assert np.median(off) < 3.0, (path.name, side)
