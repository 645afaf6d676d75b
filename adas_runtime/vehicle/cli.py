"""`adas vehicle`: list, show and check vehicle files."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from adas_runtime.errors import AdasError

if TYPE_CHECKING:
    from adas_runtime.config import Finding
    from adas_runtime.vehicle.schema import Vehicle

AsJson = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    vehicle = typer.Typer(
        name="vehicle",
        help="Vehicle files: dimensions, steering, limits and cameras of a car.",
        no_args_is_help=True,
    )
    vehicle.command("list")(list_)
    vehicle.command("show")(show)
    vehicle.command("check")(check)
    app.add_typer(vehicle)


def list_(as_json: AsJson = False) -> int:
    """List the shipped vehicles; exit 1 where one of them is refused."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.vehicle import load_vehicle, vehicle_names

    found: dict[str, Vehicle] = {}
    faults = []
    for name in vehicle_names():
        try:
            found[name] = load_vehicle(name)
        except AdasError as err:
            faults.append(err.line())
    if as_json:
        print_json(
            [
                {
                    "name": name,
                    "category": vehicle.category,
                    "cameras": {
                        place: {"is_calibrated": mount.is_calibrated} for place, mount in vehicle.cameras.items()
                    },
                }
                for name, vehicle in found.items()
            ]
        )
    else:
        print_table(
            ("name", "category", "cameras"),
            [(name, vehicle.category, _cameras(vehicle)) for name, vehicle in found.items()],
        )
    for line in faults:
        print(f"adas: {line}", file=sys.stderr)
    return 1 if faults else 0


def _cameras(vehicle: Vehicle) -> str:
    """`front calibrated`, ...; `none` for a car without cameras."""
    words = {True: "calibrated", False: "not calibrated"}
    return ", ".join(f"{place} {words[mount.is_calibrated]}" for place, mount in vehicle.cameras.items()) or "none"


def show(
    name: Annotated[str, typer.Argument(metavar="VEHICLE", help="Name, such as reference, or a file.")],
    as_json: AsJson = False,
) -> int:
    """Show a vehicle: every value with its unit and line."""
    from adas_runtime.config import dotted, field_at, read_yaml, shown, unit_of, validate
    from adas_runtime.console import print_json, print_table
    from adas_runtime.market.report import leaves
    from adas_runtime.vehicle import Vehicle, vehicle_path

    document = read_yaml(vehicle_path(name))
    vehicle = validate(Vehicle, document)
    if as_json:
        print_json(vehicle.model_dump(mode="json"))
        return 0
    rows = []
    for key, value in leaves(document.data):
        info = field_at(Vehicle, key)
        rows.append((dotted(key), shown(value), unit_of(info) if info else "", str(document.origin(key))))
    print_table(("key", "value", "unit", "where"), rows)
    return 0


def check(
    names: Annotated[list[str], typer.Argument(metavar="VEHICLE|FILE|all...", help="Names or files.")],
    as_json: AsJson = False,
) -> int:
    """Check vehicle files: file, line and mend of everything that is wrong; exit 1 where one is refused."""
    from adas_runtime.config import Finding, Origin, examine, read_yaml, shown_path
    from adas_runtime.console import print_json
    from adas_runtime.errors import ConfigError
    from adas_runtime.vehicle import Vehicle, vehicle_names, vehicle_path

    found: list[tuple[str, str, list[Finding]]] = []
    for name in dict.fromkeys(item for each in names for item in (vehicle_names() if each == "all" else (each,))):
        path = vehicle_path(name)
        if not path.is_file():
            raise ConfigError("no such file", where=shown_path(path), mend="check the name")
        try:
            _, findings = examine(Vehicle, read_yaml(path))
        except ConfigError as err:
            file, _, line = err.where.rpartition(":")
            where = Origin(file, int(line)) if line.isdigit() else Origin(err.where, 0)
            findings = [Finding(where=where, what=err.what, mend=err.mend, rule="unreadable")]
        found.append((name, shown_path(path), findings))
    if as_json:
        print_json(
            [
                {"vehicle": name, "file": file, "ok": not findings, "findings": [_finding(item) for item in findings]}
                for name, file, findings in found
            ]
        )
    else:
        for name, _, findings in found:
            for line in [f"{item.line()} [{item.rule}]" for item in findings] or [f"{name}: may be used"]:
                print(line)
    return 1 if any(findings for _, _, findings in found) else 0


def _finding(item: Finding) -> dict[str, object]:
    return {
        "file": item.where.file,
        "line": item.where.line,
        "key": item.key,
        "value": item.value,
        "what": item.what,
        "mend": item.mend,
        "rule": item.rule,
    }
