"""The messages read by themselves: each field has its meaning, unit and bounds, and nothing in them is unbounded."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[2] / "adas_interfaces" / "msg"
FILES = sorted(FOLDER.glob("*.msg"))
FIELD = re.compile(r"(?P<type>[A-Za-z][\w<>=/]*(?:\[[^\]]*\])?) (?P<name>[a-z]\w*)(?:  # (?P<text>.*))?\Z")
CONSTANT = re.compile(r"uint8 [A-Z][A-Z0-9_]*=\d+\Z")
NUMBERS = ("float64", "int32", "int64")
# the ending of a name says the unit: style.md section 4
UNITS = {
    "_s": "s",
    "_m": "m",
    "_mps": "m/s",
    "_mps2": "m/s^2",
    "_rad": "rad",
    "_rps": "rad/s",
    "_nm": "Nm",
    "_px": "px",
    "_deg": "deg",
    "_1pm": "1/m",
    "_1pm2": "1/m^2",
    "_dbsm": "dBsm",
    "_lux": "lx",
    "_hz": "Hz",
    "_k": "K",
}


@dataclass(frozen=True)
class Field:
    type: str
    name: str
    text: str


def fields_of(path: Path) -> list[Field]:
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#") or CONSTANT.match(line):
            continue
        match = FIELD.match(line)
        assert match, f"{path.name}: {line!r} is neither field, constant nor comment"
        found.append(Field(match["type"], match["name"], match["text"] or ""))
    return found


pytestmark = pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)


def test_the_message_says_what_it_is_and_where_it_comes_from(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines[0]) > 10 and lines[0].startswith("# ") and lines[0].endswith(".")
    assert any("script/gen_msgs" in line for line in lines)


def test_positions_and_directions_name_their_frame(path: Path) -> None:
    names = {field.name for field in fields_of(path)}
    head = path.read_text(encoding="utf-8").partition("\n\n")[0]
    if "stamp_s" in names:
        assert "# Frame: ISO 8855, origin on the ground under the rear axle, x forward, y left, z up." in head
    elif any(name.startswith(("x_", "y_", "c0_", "speed_x_")) for name in names):
        assert "vehicle frame" in head


def test_every_field_says_what_it_means(path: Path) -> None:
    for field in fields_of(path):
        assert len(field.text) > 3, f"{field.name} has no comment"


def test_every_number_has_a_unit_and_bounds_and_the_name_agrees(path: Path) -> None:
    for field in fields_of(path):
        if field.type not in NUMBERS:
            continue
        match = re.search(r" \[([^\]]+)\], (-?[\d.e+-]+) to (-?[\d.e+-]+)\Z", field.text)
        assert match, f"{field.name}: {field.text!r} has no unit or bounds"
        assert float(match[2]) < float(match[3])
        ending = max((end for end in UNITS if field.name.endswith(end)), key=len, default="")
        assert match[1] == (UNITS[ending] if ending else "1"), f"{field.name} is said to be in {match[1]}"


def test_a_direction_is_told_where_a_sign_matters(path: Path) -> None:
    words = (
        "left",
        "right",
        "forward",
        "nose",
        "along",
        "heading",
        "closing",
        "negative",
        "positive",
        "x",
        "y",
        "curvature",
    )
    for field in fields_of(path):
        span = re.search(r", (-[\d.e+-]+) to ([\d.e+-]+)\Z", field.text)
        if field.type == "float64" and span and float(span[2]) > 0:
            told = set(re.findall(r"[a-z_]+", field.text.lower()))
            assert told & set(words) or field.name in SCALARS, f"{field.name}: which way is positive?"


# quantities with a sign of their own, that no axis gives
SCALARS = {
    "altitude_m",
    "latitude_deg",
    "longitude_deg",
    "rcs_dbsm",
    "offset_m",
    "value",
    "x_min_m",
    "x_max_m",
    "steering_wheel_rate_rps",
}


def test_nothing_is_unbounded(path: Path) -> None:
    for field in fields_of(path):
        if "[" in field.type:
            size = re.search(r"\[<=(\d+)\]\Z", field.type)
            assert size, f"{field.name}: {field.type} has no bound, so a broken sender can exhaust memory"
            assert int(size[1]) <= (16 * 1024 * 1024 if field.type.startswith("uint8[") else 512)
        if field.type.startswith("string"):
            assert re.match(r"string<=\d+", field.type), f"{field.name}: {field.type} has no bound"


def test_what_may_be_unknown_has_its_flag_before_it(path: Path) -> None:
    fields = fields_of(path)
    for flag, field in pairwise(fields):
        if flag.name.startswith("has_"):
            assert flag.type == "bool" and flag.name == f"has_{field.name}" and "not known" in flag.text
