"""Vehicle signals from a CSV file: columns recognised by name and unit, each guess told, nothing made up.

The names that are known stand in the tables below; `docs/drives.md` lists them and a test holds it to that. A cell
that is empty is a value that was not measured; a cell that is not a number, NaN or beyond what a car can do is refused
with its row.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adas_runtime.converter import check
from adas_runtime.errors import AdasError, SignalError
from adas_runtime.signals import DriverInput, FixStatus, Gear, Indicator, PoseFix, VehicleState
from adas_runtime.units import deg_to_rad, kmh_to_mps, mph_to_mps

EPOCH_FROM_S: Final = 1e8  # larger times are dates (1973 and later), smaller ones count from the footage's start
SPEED_WITHOUT_UNIT_MAX: Final = 70.0  # above, a speed without a unit can hardly be m/s (250 km/h)
MPS_PER_KNOT: Final = 1852.0 / 3600.0  # international nautical mile an hour, exact
ROWS_MAX: Final = 5_000_000


@dataclass(frozen=True, slots=True)
class Quantity:
    """A field of a signal, and the column stems and units that mean it."""

    field: str
    stems: tuple[str, ...]
    units: dict[str, Callable[[float], float]]


def _same(value: float) -> float:
    return value


_SPEED: Final[dict[str, Callable[[float], float]]] = {
    "mps": _same,
    "kmh": kmh_to_mps,
    "kph": kmh_to_mps,
    "mph": mph_to_mps,
    "knots": lambda value: value * MPS_PER_KNOT,
    "": _same,
}
_ANGLE: Final[dict[str, Callable[[float], float]]] = {"rad": _same, "deg": deg_to_rad}
_RATE: Final[dict[str, Callable[[float], float]]] = {
    "rps": _same,
    "radps": _same,
    "dps": deg_to_rad,
    "degps": deg_to_rad,
}
_ACCEL: Final[dict[str, Callable[[float], float]]] = {"mps2": _same, "g": lambda value: value * 9.80665}
_SHARE: Final[dict[str, Callable[[float], float]]] = {
    "": _same,
    "ratio": _same,
    "pct": lambda value: value / 100.0,
    "percent": lambda value: value / 100.0,
}

# vx, ax, gyro_z and the like are left out on purpose: the axes of a sensor, or of the earth, are not the vehicle's
NUMBERS: Final = (
    Quantity("speed_mps", ("speed", "vehicle_speed", "ego_speed", "velocity", "v"), _SPEED),
    Quantity(
        "accel_mps2",
        ("accel", "acceleration", "longitudinal_accel", "longitudinal_acceleration"),
        _ACCEL,
    ),
    Quantity("lateral_accel_mps2", ("lateral_accel", "lateral_acceleration"), _ACCEL),
    Quantity("yaw_rate_rps", ("yaw_rate", "yawrate"), _RATE),
    Quantity(
        "steering_wheel_angle_rad",
        ("steering_wheel_angle", "steering_angle", "wheel_angle", "swa", "steering"),
        _ANGLE,
    ),
    Quantity("steering_wheel_rate_rps", ("steering_wheel_rate", "steering_rate", "steering_wheel_angle_rate"), _RATE),
    Quantity(
        "driver_torque_nm", ("driver_torque", "steering_torque", "steering_wheel_torque", "torque"), {"nm": _same}
    ),
    Quantity("accelerator", ("accelerator", "throttle", "accelerator_pedal", "gas"), _SHARE),
    Quantity("brake", ("brake", "brake_pedal"), _SHARE),
    Quantity("latitude_deg", ("latitude", "lat"), {"deg": _same, "": _same}),
    Quantity("longitude_deg", ("longitude", "lon", "lng", "long"), {"deg": _same, "": _same}),
    Quantity("altitude_m", ("altitude", "alt"), {"m": _same, "": _same}),
)
FLAGS: Final = {
    "is_braking": ("is_braking", "brake_pressed", "brake_on"),
    "is_hands_on": ("is_hands_on", "hands_on"),
    "is_stability_control_active": ("is_stability_control_active", "esc_active", "abs_active"),
    "indicator_left": ("indicator_left", "left_indicator", "left_blinker", "turn_signal_left"),
    "indicator_right": ("indicator_right", "right_indicator", "right_blinker", "turn_signal_right"),
}
CHOICES: Final = {"indicator": ("indicator", "turn_signal", "blinker"), "gear": ("gear",)}
TIME_STEMS: Final = ("time", "t", "stamp", "timestamp", "elapsed", "utc", "epoch", "unix_time")
TIME_UNITS: Final = {"s": 1.0, "sec": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
STATE_FIELDS: Final = (
    "speed_mps",
    "accel_mps2",
    "lateral_accel_mps2",
    "yaw_rate_rps",
    "steering_wheel_angle_rad",
    "steering_wheel_rate_rps",
    "driver_torque_nm",
    "accelerator",
    "brake",
    "is_braking",
    "is_hands_on",
    "is_stability_control_active",
    "gear",
)
TRUE: Final = frozenset(("1", "1.0", "true", "yes", "on"))
FALSE: Final = frozenset(("0", "0.0", "false", "no", "off"))
INDICATORS: Final = {
    **dict.fromkeys(("0", "0.0", "off", "none", "false"), Indicator.OFF),
    **dict.fromkeys(("1", "1.0", "left", "l"), Indicator.LEFT),
    **dict.fromkeys(("2", "2.0", "right", "r"), Indicator.RIGHT),
    **dict.fromkeys(("3", "3.0", "hazard", "both"), Indicator.HAZARD),
}
GEARS: Final = {
    **dict.fromkeys(("p", "park"), Gear.PARK),
    **dict.fromkeys(("r", "reverse"), Gear.REVERSE),
    **dict.fromkeys(("n", "neutral"), Gear.NEUTRAL),
    **dict.fromkeys(("d", "drive"), Gear.DRIVE),
}


@dataclass(slots=True)
class Table:
    """What a CSV file says, at times since the footage's start.

    Args:
        states: Vehicle states, empty where there is no speed.
        inputs: Stalk positions.
        fixes: Satellite fixes.
        notes: How each column was read, for the user.
        unknown: Columns that were left out.
        start_s: Epoch time of the footage's start, where the file's times are dates.
    """

    states: list[tuple[float, VehicleState]] = field(default_factory=list)
    inputs: list[tuple[float, DriverInput]] = field(default_factory=list)
    fixes: list[tuple[float, PoseFix]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    start_s: float | None = None


@dataclass(frozen=True, slots=True)
class _Column:
    index: int
    name: str
    field: str
    convert: Callable[[float], float]
    unit: str


def read_table(path: Path, *, offset_s: float = 0.0, base_s: float = 1.0) -> Table:
    """Reads a CSV file of vehicle signals.

    Args:
        path: The file.
        offset_s: Added to its times: positive where the file's clock started after the footage [s].
        base_s: Epoch time of the footage's start, used where the file's times are not dates [s].
    Raises:
        AdasError: It cannot be read, has no header, no time, nothing known, or a row that is wrong.
    """
    header, rows = _rows(path)
    table = Table()
    time_index, scale, time_note = _time_column(path, header, rows)
    numbers, flags, choices = _columns(path, header, time_index, table)
    table.notes.insert(0, time_note)
    first = _number(path, 2, header[time_index], rows[0][time_index])
    if scale is None:
        scale = next(
            unit for limit, unit in ((1e17, 1e-9), (1e14, 1e-6), (1e11, 1e-3), (-math.inf, 1.0)) if first > limit
        )
        table.notes[0] += {1e-9: ", taken as ns", 1e-6: ", taken as us", 1e-3: ", taken as ms", 1.0: ", taken as s"}[
            scale
        ]
    is_date = first * scale > EPOCH_FROM_S
    if is_date:
        table.start_s = first * scale + (-offset_s)
        base_s = table.start_s
        table.notes[0] += "; dates, the first row is taken as the footage's start (--csv-offset-s moves it)"
    for quantity in numbers:
        if quantity.name.strip().lower() == "speed" or quantity.unit == "":
            _refuse_unlikely(path, quantity, rows)
    previous = -math.inf
    for line, row in enumerate(rows, start=2):
        if len(row) != len(header):
            raise _wrong(path, line, f"has {len(row)} cells, the header has {len(header)}", "mend the row")
        raw = _number(path, line, header[time_index], row[time_index])
        if raw < previous:
            raise _wrong(
                path, line, f"{header[time_index]} goes back from {previous:.15g} to {raw:.15g}", "sort the file"
            )
        previous = raw
        # subtract before scaling: nanoseconds since 1970 have no room for their last digits in a float
        t = ((raw - first) * scale if is_date else raw * scale) + offset_s
        stamp = base_s + t
        values: dict[str, Any] = {}
        for column in numbers:
            cell = row[column.index].strip()
            if cell:
                values[column.field] = column.convert(_number(path, line, column.name, cell))
            elif column.field == "speed_mps":
                raise _wrong(path, line, f"{column.name} is empty", "fill it or take the row out")
        for name, index in flags.items():
            cell = row[index].strip().lower()
            if cell:
                values[name] = _flag(path, line, header[index], cell)
        for name, index in choices.items():
            cell = row[index].strip().lower()
            if cell:
                known: dict[str, Any] = INDICATORS if name == "indicator" else GEARS
                if cell not in known:
                    raise _wrong(path, line, f"{header[index]} is {cell!r}", f"use one of {', '.join(sorted(known))}")
                values[name] = known[cell]
        try:
            _add(table, t, stamp, values)
        except SignalError as err:
            raise _wrong(path, line, err.what, "mend the row, or the unit in the column's name") from err
    return table


def _add(table: Table, t: float, stamp: float, values: dict[str, Any]) -> None:
    state = {name: values[name] for name in STATE_FIELDS if name in values}
    if "speed_mps" in state and stamp >= 0.0:
        value = VehicleState(stamp_s=stamp, **state)
        check(value)
        table.states.append((t, value))
    indicator = values.get("indicator")
    if indicator is None and ("indicator_left" in values or "indicator_right" in values):
        left, right = bool(values.get("indicator_left")), bool(values.get("indicator_right"))
        indicator = Indicator((1 if left else 0) + (2 if right else 0))
    if indicator is not None and stamp >= 0.0:
        table.inputs.append((t, DriverInput(stamp_s=stamp, indicator=indicator)))
    if "latitude_deg" in values and "longitude_deg" in values and stamp >= 0.0:
        fix = PoseFix(
            stamp_s=stamp,
            latitude_deg=values["latitude_deg"],
            longitude_deg=values["longitude_deg"],
            altitude_m=values.get("altitude_m"),
            status=FixStatus.FIX,
        )
        check(fix)
        table.fixes.append((t, fix))


def _rows(path: Path) -> tuple[list[str], list[list[str]]]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as err:
        raise AdasError(f"cannot be read: {err.strerror or err}", where=str(path), mend="check --vehicle-csv") from err
    except UnicodeDecodeError as err:
        raise AdasError("is not text in UTF-8", where=str(path), mend="give a CSV file") from err
    head = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=head.count)
    try:
        rows = [row for row in csv.reader(text.splitlines(), delimiter=delimiter) if any(cell.strip() for cell in row)]
    except csv.Error as err:
        raise AdasError(f"is no CSV file: {err}", where=str(path), mend="give a CSV file") from err
    if len(rows) < 2:
        raise AdasError("holds no rows", where=str(path), mend="give a header line and at least one row")
    if len(rows) > ROWS_MAX:
        raise AdasError(f"holds more than {ROWS_MAX} rows", where=str(path), mend="cut it")
    if all(_is_number(cell) for cell in rows[0]):
        raise AdasError("begins with numbers", where=f"{path}:1", mend="add a header line, such as time_s,speed_kmh")
    if delimiter == ";":  # where the semicolon separates, a comma may stand in the numbers
        rows[1:] = [[cell.replace(",", ".") for cell in row] for row in rows[1:]]
    return [cell.strip() for cell in rows[0]], rows[1:]


def normal(name: str) -> tuple[str, str]:
    """Stem and unit of a column name: `Speed [km/h]` and `speed_kmh` are both (`speed`, `kmh`)."""
    text = name.strip().lower().replace("²", "2").replace("°", "deg")
    text = text.replace("km/h", "kmh").replace("m/s^2", "mps2").replace("m/s2", "mps2").replace("m/s/s", "mps2")
    text = text.replace("m/s", "mps").replace("rad/s", "rps").replace("deg/s", "dps").replace("%", "pct")
    text = re.sub(r"[^a-z0-9]+", "_", text).strip("_")
    units = ("mps2", "mps", "kmh", "kph", "mph", "knots", "radps", "rps", "degps", "dps", "rad", "deg", "nm")
    for unit in (*units, "pct", "percent", "ratio", "ms", "us", "ns", "sec", "s", "m", "g"):
        if text.endswith("_" + unit):
            return text[: -len(unit) - 1], unit
    return text, ""


def _time_column(path: Path, header: list[str], rows: list[list[str]]) -> tuple[int, float | None, str]:
    for index, name in enumerate(header):
        stem, unit = normal(name)
        if stem in TIME_STEMS and unit in TIME_UNITS:
            return index, TIME_UNITS[unit], f"{name}: time"
    for index, name in enumerate(header):
        stem, unit = normal(name)
        if stem in TIME_STEMS and not unit:
            return index, None, f"{name}: time"
    raise AdasError(
        f"has no time among its columns ({', '.join(header)})",
        where=f"{path}:1",
        mend="name one time_s, or timestamp_ns",
    )


def _columns(
    path: Path, header: list[str], time_index: int, table: Table
) -> tuple[list[_Column], dict[str, int], dict[str, int]]:
    numbers: list[_Column] = []
    flags: dict[str, int] = {}
    choices: dict[str, int] = {}
    taken: dict[str, str] = {}
    for index, name in enumerate(header):
        if index == time_index:
            continue
        stem, unit = normal(name)
        whole = re.sub(r"[^a-z0-9]+", "_", name.strip().lower()).strip("_")
        quantity = next((item for item in NUMBERS if stem in item.stems and unit in item.units), None)
        flag = next((key for key, names in FLAGS.items() if whole in names), None)
        choice = next((key for key, names in CHOICES.items() if whole in names), None)
        target = quantity.field if quantity else flag or choice
        if target is None:
            hint = next((item for item in NUMBERS if stem in item.stems and not unit), None)
            extra = f" (name its unit: {', '.join(f'{stem}_{one}' for one in hint.units if one)})" if hint else ""
            table.unknown.append(name + extra)
            continue
        if target in taken:
            raise AdasError(
                f"{taken[target]} and {name} both mean {target}", where=f"{path}:1", mend="take one of them out"
            )
        taken[target] = name
        if quantity:
            numbers.append(_Column(index, name, quantity.field, quantity.units[unit], unit))
            guess = " without a unit, taken as m/s" if quantity.field == "speed_mps" and not unit else ""
            table.notes.append(f"{name}: {quantity.field}{guess}")
        elif flag:
            flags[flag] = index
            table.notes.append(f"{name}: {flag}")
        elif choice:
            choices[choice] = index
            table.notes.append(f"{name}: {choice}")
    if not taken:
        raise AdasError(
            f"holds no column that is known ({', '.join(table.unknown)})",
            where=f"{path}:1",
            mend="name them like speed_kmh, steering_wheel_angle_deg, yaw_rate_rps; docs/drives.md lists all",
        )
    if "speed_mps" not in taken and set(taken) & set(STATE_FIELDS):
        raise AdasError(
            f"holds {', '.join(sorted(set(taken) & set(STATE_FIELDS)))} but no speed, and a vehicle state needs one",
            where=f"{path}:1",
            mend="add speed_mps or speed_kmh",
        )
    return numbers, flags, choices


def _refuse_unlikely(path: Path, column: _Column, rows: list[list[str]]) -> None:
    """A speed without a unit is taken as m/s only as long as it can be one."""
    if column.field != "speed_mps":
        return
    for line, row in enumerate(rows, start=2):
        cell = row[column.index].strip() if column.index < len(row) else ""
        if cell and _is_number(cell) and abs(float(cell)) > SPEED_WITHOUT_UNIT_MAX:
            raise _wrong(
                path, line, f"{column.name} is {cell}, too fast for m/s", "name the unit: speed_kmh, speed_mph"
            )


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, name: str, cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise _wrong(path, line, f"{name} is {cell.strip()!r}", "give a number, or leave the cell empty") from None
    if not math.isfinite(value):
        raise _wrong(path, line, f"{name} is {cell.strip()}", "leave the cell empty where nothing was measured")
    return value


def _flag(path: Path, line: int, name: str, cell: str) -> bool:
    if cell in TRUE:
        return True
    if cell in FALSE:
        return False
    raise _wrong(path, line, f"{name} is {cell!r}", "use 0 or 1")


def _wrong(path: Path, line: int, what: str, mend: str) -> AdasError:
    return AdasError(f"row {line - 1}: {what}", where=f"{path}:{line}", mend=mend)
