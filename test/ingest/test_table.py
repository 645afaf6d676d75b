"""Columns are recognised by name and unit, each guess is told, nothing is made up."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.errors import AdasError
from adas_runtime.ingest.table import CHOICES, FLAGS, NUMBERS, TIME_STEMS, normal, read_table
from adas_runtime.signals import Gear, Indicator


def write(folder: Path, text: str) -> Path:
    path = folder / "signals.csv"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("speed_mps", "20", "speed_mps", 20.0),
        ("speed_kmh", "72", "speed_mps", 20.0),
        ("Speed [km/h]", "72", "speed_mps", 20.0),
        ("Vehicle Speed (mph)", "10", "speed_mps", 4.4704),
        ("speed_knots", "10", "speed_mps", 5.14444),
        ("speed", "20", "speed_mps", 20.0),
        ("velocity (m/s)", "20", "speed_mps", 20.0),
    ],
)
def test_speeds(tmp_path: Path, column: str, cell: str, field: str, value: float) -> None:
    table = read_table(write(tmp_path, f"time_s,{column}\n0.0,{cell}\n"))
    assert getattr(table.states[0][1], field) == pytest.approx(value, abs=1e-4)
    assert any(column in note for note in table.notes)


@pytest.mark.parametrize(
    ("column", "cell", "field", "value"),
    [
        ("steering_wheel_angle_deg", "90", "steering_wheel_angle_rad", math.pi / 2),
        ("steering_angle_rad", "0.5", "steering_wheel_angle_rad", 0.5),
        ("steering_wheel_rate_dps", "180", "steering_wheel_rate_rps", math.pi),
        ("yaw_rate_rps", "0.1", "yaw_rate_rps", 0.1),
        ("Yaw Rate [deg/s]", "10", "yaw_rate_rps", math.radians(10)),
        ("accel_mps2", "-1.5", "accel_mps2", -1.5),
        ("lateral_accel_g", "0.1", "lateral_accel_mps2", 0.980665),
        ("throttle_pct", "50", "accelerator", 0.5),
        ("brake_pressed", "1", "is_braking", True),
        ("gear", "D", "gear", Gear.DRIVE),
        ("steering_torque_nm", "2", "driver_torque_nm", 2.0),
    ],
)
def test_other_columns(tmp_path: Path, column: str, cell: str, field: str, value: object) -> None:
    table = read_table(write(tmp_path, f"t_s,speed_mps,{column}\n0.0,20,{cell}\n"))
    assert getattr(table.states[0][1], field) == pytest.approx(value)


def test_what_is_not_there_is_absent(tmp_path: Path) -> None:
    state = read_table(write(tmp_path, "t_s,speed_mps,yaw_rate_rps\n0,20,\n1,20,0.1\n")).states
    assert state[0][1].yaw_rate_rps is None and state[1][1].yaw_rate_rps == 0.1
    assert state[0][1].accel_mps2 is None and state[0][1].is_braking is None
    assert state[0][1].gear is Gear.UNKNOWN


def test_unknown_columns_are_named(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "t_s,speed_mps,mood,steering_wheel_angle,vx_mps\n0,20,7,3,1\n"))
    assert table.unknown[0] == "mood" and table.unknown[2] == "vx_mps"
    assert "steering_wheel_angle_rad" in table.unknown[1]  # says how to name its unit
    assert table.states[0][1].steering_wheel_angle_rad is None


def test_the_stalk(tmp_path: Path) -> None:
    both = read_table(write(tmp_path, "t_s,indicator\n0,off\n1,left\n2,RIGHT\n3,3\n"))
    assert [item.indicator for _, item in both.inputs] == [
        Indicator.OFF, Indicator.LEFT, Indicator.RIGHT, Indicator.HAZARD,
    ]  # fmt: skip
    assert both.states == []
    split = read_table(write(tmp_path, "t_s,left_blinker,right_blinker\n0,0,0\n1,1,0\n2,0,1\n3,1,1\n"))
    assert [item.indicator for _, item in split.inputs] == [item.indicator for _, item in both.inputs]


@pytest.mark.parametrize(
    ("name", "first", "step"),
    [
        ("timestamp_ns", 1_479_424_215_880_976_321, 10_000_000),
        ("timestamp", 1_479_424_215_880_976_321, 10_000_000),
        ("timestamp", 1_479_424_215_880_976, 10_000),
        ("timestamp", 1_479_424_215_880, 10),
        ("stamp_s", 1_479_424_215, 1),
    ],
)
def test_dates_count_from_the_first_row(tmp_path: Path, name: str, first: int, step: int) -> None:
    table = read_table(write(tmp_path, f"{name},speed_mps\n{first},20\n{first + step},20\n"))
    assert table.start_s == pytest.approx(1_479_424_215.88, abs=1.0)
    assert table.states[0][0] == 0.0
    assert table.states[1][0] == pytest.approx(1.0 if name == "stamp_s" else 0.01, rel=0.05)


def test_times_that_are_no_dates_count_from_the_footage(tmp_path: Path) -> None:
    path = write(tmp_path, "t_s,speed_mps\n0.5,20\n0.6,20\n")
    assert [t for t, _ in read_table(path).states] == [0.5, 0.6]
    moved = read_table(path, offset_s=-0.2, base_s=1.0).states
    assert [t for t, _ in moved] == pytest.approx([0.3, 0.4])
    assert moved[0][1].stamp_s == pytest.approx(1.3)


def test_semicolons_and_decimal_commas(tmp_path: Path) -> None:
    table = read_table(write(tmp_path, "\ufefftime_s;speed_kmh\n0,00;72,0\n0,01;36,0\n"))
    assert [item.speed_mps for _, item in table.states] == pytest.approx([20.0, 10.0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("t_s,speed_mps\n0,20\n1,nan\n", ("row 2", ":3", "nan")),
        ("t_s,speed_mps\n0,20\n1,inf\n", ("row 2", "inf")),
        ("t_s,speed_mps\n0,20\nnan,20\n", ("row 2", "t_s")),
        ("t_s,speed_mps\n0,fast\n", ("row 1", "fast")),
        ("t_s,speed_mps\n0,\n", ("row 1", "empty")),
        ("t_s,speed_mps\n1,20\n0,20\n", ("row 2", "goes back")),
        ("t_s,speed_mps\n1,20,3\n", ("row 1", "3 cells")),
        ("t_s,speed_mps\n0,900\n", ("row 1", "speed_mps")),
        ("t_s,speed\n0,118\n", ("row 1", "speed_kmh")),
        ("t_s,speed_mps,indicator\n0,20,up\n", ("row 1", "'up'")),
        ("t_s,speed_mps,is_braking\n0,20,maybe\n", ("row 1", "maybe")),
        ("speed_mps\n20\n", ("no time", "time_s")),
        ("t_s,yaw_rate_rps\n0,1\n", ("no speed",)),
        ("t_s,mood\n0,1\n", ("mood",)),
        ("t_s,speed_mps,speed_kmh\n0,1,1\n", ("both",)),
        ("0.0,20\n0.1,20\n", ("header",)),
        ("t_s,speed_mps\n", ("no rows",)),
        ("", ("no rows",)),
    ],
)
def test_wrong_files_are_refused_with_the_place(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(AdasError) as caught:
        read_table(write(tmp_path, text))
    for word in words:
        assert word in caught.value.line()


def test_a_binary_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(bytes(range(256)) * 4)
    with pytest.raises(AdasError):
        read_table(path)


@given(text=st.text(max_size=300))
def test_any_text_reads_or_is_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    path = tmp_path_factory.mktemp("table") / "any.csv"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    refusal = None
    try:
        read_table(path)
    except AdasError as error:
        refusal = error.line()
    assert refusal is None or (str(path) in refusal and "\n" not in refusal)


@given(
    st.sampled_from(["speed", "yaw rate", "Steering Wheel Angle"]),
    st.sampled_from([("[km/h]", "kmh"), ("(m/s)", "mps"), ("deg", "deg"), ("[rad/s]", "rps"), ("", "")]),
)
def test_units_are_read_from_names(stem: str, unit: tuple[str, str]) -> None:
    assert normal(f"{stem} {unit[0]}") == (stem.lower().replace(" ", "_"), unit[1])


def test_the_docs_list_every_name(repository: Path) -> None:
    text = (repository / "docs/drives.md").read_text(encoding="utf-8")
    names = {*TIME_STEMS, *(name for item in NUMBERS for name in item.stems)}
    names |= {name for group in (*FLAGS.values(), *CHOICES.values()) for name in group}
    assert {name for name in names if f"`{name}`" not in text} == set()
