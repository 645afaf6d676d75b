"""Vehicle files: what a car cannot be is refused with line and mend; the shipped ones stand."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.errors import AdasError, ConfigError
from adas_runtime.resources import config_dir
from adas_runtime.vehicle import load_vehicle, vehicle_names

TEXT = (config_dir() / "vehicles" / "reference.yaml").read_text(encoding="utf-8")


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = folder / "car.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", vehicle_names())
def test_each_shipped_vehicle_loads_under_its_own_name(name: str) -> None:
    assert load_vehicle(name).name == name


def test_a_camera_that_nobody_measured_is_not_called_calibrated() -> None:
    assert not load_vehicle("unknown_camera").cameras["front"].is_calibrated


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            "wheelbase_m: 2.65",
            "wheelbase_m: 3.65",
            r"car\.yaml:\d+: dimensions\.wheelbase_m .*reach beyond length_m; measure",
        ),
        ("tyre_outer_width_m: 1.75", "tyre_outer_width_m: 1.85", "is wider than width_m; the tyres stand inside"),
        ("width_with_mirrors_m: 2.05", "width_with_mirrors_m: 1.5", "narrower than width_m; measure over the mirrors"),
        ("cx_px: 640.0", "cx_px: 1640.0", "cx_px lies outside the picture"),
        ("x_m: 1.60", "x_m: 4.60", "front is mounted outside the car; x_m counts from the rear axle"),
        ("y_m: 0.0\n", "y_m: 2.0\n", "front is mounted outside the car; y_m counts from the centre line"),
        ("ratio: 15.0", "ratio: 0.0", r"steering\.ratio = 0\.0: must be > 1\.0"),
        ("accel_min_mps2: -9.0", "accel_min_mps2: 9.0", r"must be <= 0\.0 m/s\^2"),
        ("accel_min_mps2: -9.0", "accel_min_mps2: -90", r"must be >= -12\.0 m/s\^2"),
        ("  ratio: 15.0", "  ratoi: 15.0", "ratio: is missing"),
        ("category: M1", "category: M4", "must be one of M1, N1"),
        ("  front: ", "  fornt: ", "unknown key"),
        ("distortion: [0.0, 0.0, 0.0, 0.0, 0.0]", "distortion: [0.0, 0.0]", "distortion"),
        ("is_calibrated: true", "is_calibrated: yes", "true or false, without quotes"),
        ("format: 1", "format: 2", "must be one of 1"),
    ],
)
def test_what_no_car_can_be_is_refused(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_vehicle(write(tmp_path, (old, new)))
    assert "car.yaml:" in caught.value.line() and caught.value.mend


def test_check_tells_every_mistake_and_ends_with_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = write(tmp_path, ("ratio: 15.0", "ratio: 0.0"), ("category: M1", "category: M4"))
    assert main(["vehicle", "check", str(path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and all("car.yaml:" in line and "; " in line for line in lines)
    path.write_text("a: [\n", encoding="utf-8")
    assert main(["vehicle", "check", str(path)]) == 1
    assert "car.yaml:2: not YAML" in capsys.readouterr().out


def test_check_tells_machines_the_same(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = write(tmp_path, ("ratio: 15.0", "ratio: 0.0"))
    assert main(["vehicle", "check", "reference", str(path), "--json"]) == 1
    good, bad = json.loads(capsys.readouterr().out)
    assert good["vehicle"] == "reference" and good["ok"] and good["findings"] == []
    [finding] = bad["findings"]
    assert not bad["ok"] and finding["line"] > 0 and finding["key"].endswith("ratio") and finding["mend"]
    path.write_text("a: [\n", encoding="utf-8")
    assert main(["vehicle", "check", str(path), "--json"]) == 1
    [told] = json.loads(capsys.readouterr().out)
    assert (told["findings"][0]["rule"], told["findings"][0]["line"]) == ("unreadable", 2)


@given(
    at=st.integers(0, TEXT.count("\n")),
    token=st.sampled_from(["", "\t", "- x", "a: {", "NO", ": 1", "x: &a 1", "\x00", "1e999"]),
)
def test_any_line_replaced_is_accepted_or_refused_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, at: int, token: str
) -> None:
    lines = TEXT.splitlines()
    lines[min(at, len(lines) - 1)] = token
    path = tmp_path_factory.getbasetemp() / "any_vehicle.yaml"
    path.write_text("\n".join(lines), encoding="utf-8")
    fault = None
    try:
        load_vehicle(path)
    except AdasError as err:
        fault = err
    assert fault is None or ("any_vehicle.yaml:" in fault.where and fault.mend)
