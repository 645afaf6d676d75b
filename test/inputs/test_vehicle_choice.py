"""--vehicle auto: a recorded lens is taken, a foreign camera is never called calibrated, each choice is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from foreign_drives import each, header, make, motion, odometry, write

from adas_runtime.errors import ConfigError
from adas_runtime.inputs.vehicle_choice import choose, choose_vehicle, info_topic_of, is_rectified
from adas_runtime.replay.bag import Bag
from adas_runtime.vehicle import load_vehicle

DRIVE = motion(1.0)
PICTURE = "/camera/front/image/compressed"
INFO = "/camera/front/camera_info"
FOREIGN = {"fx": 900.0, "fy": 905.0, "cx": 650.0, "cy": 350.0}


def picture(width: int = 320, height: int = 180) -> Any:
    data = cv2.imencode(".jpg", np.zeros((height, width, 3), np.uint8))[1].ravel()
    return lambda m: make("sensor_msgs/msg/CompressedImage", header=header(m.t_s), format="jpeg", data=data)


def info(
    fx: float = 1000.0,
    fy: float = 1000.0,
    cx: float = 640.0,
    cy: float = 360.0,
    *,
    d: tuple[float, ...] = (),
    model: str = "plumb_bob",
    size: tuple[int, int] = (1280, 720),
    p: tuple[float, ...] = (),
    roi: tuple[int, int] = (0, 0),
) -> Any:
    k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0] if fx else [0.0] * 9
    return lambda m: make(
        "sensor_msgs/msg/CameraInfo",
        header=header(m.t_s),
        width=size[0],
        height=size[1],
        distortion_model=model,
        d=d,
        k=k,
        p=p or [0.0] * 12,
        roi={"width": roi[0], "height": roi[1]},
    )


def chosen(path: Path, topics: dict[str, Any]) -> tuple[Any, str]:
    write(path, {name: each(DRIVE, tell) for name, tell in topics.items()})
    with Bag(path) as bag:
        choice = choose("auto", bag)
    return choice.vehicle, " | ".join((choice.note, *choice.warnings))


def test_the_reference_camera_is_known_at_any_picture_size(tmp_path: Path) -> None:
    for number, size in enumerate(((1280, 720), (640, 360))):
        share = size[0] / 1280.0
        lens = info(1000.0 * share, 1000.0 * share, 640.5 * share - 0.5, 360.5 * share - 0.5, size=size)
        vehicle, told = chosen(tmp_path / str(number), {PICTURE: picture(*size), INFO: lens})
        assert vehicle == load_vehicle("reference") and "holds its camera" in told


def test_a_foreign_lens_is_taken_but_not_called_calibrated(tmp_path: Path) -> None:
    d = (-0.2, 0.05, 0.001, -0.002, 0.01)
    vehicle, told = chosen(tmp_path / "bag", {PICTURE: picture(), INFO: info(**FOREIGN, d=d)})
    mount = vehicle.cameras["front"]
    assert (mount.fx_px, mount.fy_px, mount.cx_px, mount.cy_px) == (900.0, 905.0, 650.0, 350.0)
    assert mount.distortion == d and not mount.is_calibrated
    assert "mounting not known" in told and "estimated" in told


@pytest.mark.parametrize(
    ("lens", "word"),
    [
        (None, "comes without CameraInfo"),
        (info(0.0), "K of zeros"),
        (info(**FOREIGN, model="equidistant", d=(0.1, 0.0, 0.0)), "3 distortion values, equidistant has 4"),
        (info(**FOREIGN, model="double_sphere", d=(0.1, 0.0)), "double_sphere is not supported"),
        (info(**FOREIGN, model="rational_polynomial", d=(0.1,) * 8), "rational_polynomial is not supported"),
        (info(**FOREIGN, roi=(640, 360)), "cuts a region"),
        (info(**FOREIGN, size=(1280, 960)), "another shape"),
        (info(fx=float("nan")), "no usable numbers"),
        (info(fx=-5.0), "no usable numbers"),
        (info(cx=5000.0), "no possible lens"),
        (info(**FOREIGN, size=(0, 0)), "no picture size"),
    ],
    ids="none zeros fisheye sphere rational region shape nan negative outside sizeless".split(),
)
def test_what_is_not_known_of_a_camera_is_told(tmp_path: Path, lens: Any, word: str) -> None:
    topics = {PICTURE: picture(), **({INFO: lens} if lens is not None else {})}
    vehicle, told = chosen(tmp_path / "bag", topics)
    assert vehicle == load_vehicle("unknown_camera")
    assert word in told and "--vehicle" in told


@pytest.mark.parametrize("model", ["equidistant", "fisheye", "kannala_brandt4"])
def test_a_fisheye_is_taken_by_any_of_its_names_also_without_distortion(tmp_path: Path, model: str) -> None:
    for number, d in enumerate(((0.02, -0.004, 0.001, 0.0), (0.0,) * 4)):
        lens = info(**FOREIGN, model=model, d=d)
        vehicle, _ = chosen(tmp_path / str(number), {PICTURE: picture(), INFO: lens})
        mount = vehicle.cameras["front"]
        assert (mount.lens, mount.distortion) == ("equidistant", (*d, 0.0))


def test_a_rational_model_without_its_upper_terms_is_a_plumb_bob(tmp_path: Path) -> None:
    d = (-0.2, 0.05, 0.001, -0.002, 0.01, 0.0, 0.0, 0.0)
    lens = info(**FOREIGN, model="rational_polynomial", d=d)
    vehicle, _ = chosen(tmp_path / "bag", {PICTURE: picture(), INFO: lens})
    assert vehicle.cameras["front"].distortion == d[:5]


def test_undistorted_pictures_have_the_lens_of_p_and_no_distortion(tmp_path: Path) -> None:
    p = (800.0, 0.0, 630.0, 0.0, 0.0, 800.0, 355.0, 0.0, 0.0, 0.0, 1.0, 0.0)
    lens = info(**FOREIGN, d=(-0.2, 0.05, 0.0, 0.0, 0.0), p=p)
    vehicle, _ = chosen(tmp_path / "bag", {"/camera/front/image_rect/compressed": picture(), INFO: lens})
    mount = vehicle.cameras["front"]
    assert (mount.fx_px, mount.cx_px, mount.distortion) == (800.0, 630.0, (0.0,) * 5)
    assert [is_rectified(t) for t in ("/image_rect", "/image_rect_color", "/direct/image", "/rectangle")] == [
        True,
        True,
        False,
        False,
    ]


def test_a_calibration_that_changes_is_told(tmp_path: Path) -> None:
    def lens(m: Any) -> Any:
        return info(**(FOREIGN if m.t_s < 0.5 else {**FOREIGN, "fx": 910.0}))(m)

    vehicle, told = chosen(tmp_path / "bag", {PICTURE: picture(), INFO: lens})
    assert vehicle.cameras["front"].fx_px == 900.0
    assert "changes within the recording" in told


def test_without_pictures_no_camera_is_needed(tmp_path: Path) -> None:
    vehicle, _ = chosen(tmp_path / "bag", {"/odom": odometry})
    assert vehicle.name == "reference"


def test_a_name_always_wins_and_a_wrong_one_is_told(tmp_path: Path) -> None:
    path = write(tmp_path / "bag", {PICTURE: each(DRIVE, picture()), INFO: each(DRIVE, info(**FOREIGN))})
    told: list[str] = []
    assert choose_vehicle("reference", path, told.append).name == "reference" and not told
    assert choose_vehicle("auto", path, told.append).name == "unknown_camera" and len(told) == 1
    with pytest.raises(ConfigError, match="no vehicle 'autos'"):
        choose_vehicle("autos", path)


def test_camera_info_belongs_to_the_pictures_beside_it() -> None:
    infos = ["/camera/rear/camera_info", "/camera/front/camera_info"]
    assert info_topic_of("/camera/front/image_raw/compressed", infos) == "/camera/front/camera_info"
    assert info_topic_of("/sensors/image", infos) is None  # two, and neither is beside it
    assert info_topic_of("/sensors/image", infos[:1]) == infos[0]
