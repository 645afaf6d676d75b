"""Imports point one way: nodes and replay -> functions -> signals -> units; no function imports another."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "adas_runtime"
FRAME = {"signals", "units", "errors", "function", "config", "interfaces", "converter", "records", "resources"}
FUNCTIONS = {
    "lane_keeping",
    "perception",
    "arbitration",
    "country",
    "isa",
    "aeb",
    "dcas",
    "driver_monitoring",
    "alks",
    "lighting",
    "horizon",
}
SHARED = {"lateral", "longitudinal", "collision", "gaze"}
CORES = FUNCTIONS | SHARED | {"executor", "graph"} | FRAME
SHELLS = (
    "perception/models",  # runs foreign engines: files, drivers, timings; cores get its results
    "perception/driver/function",  # loads them
)
IMPURE = {"time", "random", "rclpy", "datetime", "threading", "subprocess", "socket"}


def imported(path: Path, *, without_build: bool = False) -> set[str]:
    """Every module that a file imports, at any depth of the file, type-checking imports left out.

    `without_build`: not what `_build` brings in, which is handed to the core that it makes.
    """
    found: set[str] = set()
    tree = ast.parse(path.read_text(encoding="utf-8"))
    hidden = {
        node
        for block in ast.walk(tree)
        if (isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test))
        or (without_build and isinstance(block, ast.FunctionDef) and block.name == "_build")
        for node in ast.walk(block)
    }
    for node in ast.walk(tree):
        if node in hidden:
            continue
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names}
    return found


def files(*folders: str) -> list[Path]:
    found = []
    for folder in folders:
        path = PACKAGE / folder
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
    return [path for path in found if path.exists() and path.name != "cli.py"]


def name(path: Path) -> str:
    return str(path.relative_to(PACKAGE))


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=name)
def test_only_nodes_import_rclpy(path: Path) -> None:
    if path.relative_to(PACKAGE).parts[0] in ("nodes", "doctor.py"):  # the doctor looks whether it is there
        return
    assert not {module for module in imported(path) if module.split(".")[0] == "rclpy"}


@pytest.mark.parametrize(
    "path", [path for path in files(*sorted(CORES)) if not name(path).startswith(SHELLS)], ids=name
)
def test_a_core_has_no_clock_no_randomness_no_process(path: Path) -> None:
    assert not {module.split(".")[0] for module in imported(path)} & IMPURE


@pytest.mark.parametrize("path", files(*sorted(FUNCTIONS | SHARED)), ids=name)
def test_no_function_imports_another_or_a_shell(path: Path) -> None:
    own = path.relative_to(PACKAGE).parts[0]
    foreign = {
        module
        for module in imported(path)
        if module.startswith("adas_runtime.")
        and module.split(".")[1] in (FUNCTIONS | {"nodes", "replay", "synth", "ingest"}) - {own}
    }
    assert not foreign


@pytest.mark.parametrize("path", files("arbitration/envelope"), ids=name)
def test_the_envelope_knows_no_function_and_no_arbiter(path: Path) -> None:
    own = {module for module in imported(path) if module.startswith("adas_runtime.arbitration.")}
    assert all(module.split(".")[2] in ("params", "chains") for module in own), own
    assert not [m for m in imported(path.with_name("chains.py")) if m.startswith("adas_runtime")]


@pytest.mark.parametrize("path", files(*sorted(FRAME)), ids=name)
def test_the_frame_imports_nothing_above_it(path: Path) -> None:
    allowed = FRAME
    above = {
        module
        for module in imported(path)
        if module.startswith("adas_runtime.") and module.split(".")[1] not in allowed
    }
    assert not above


def test_a_shell_inside_a_functions_folder_is_imported_by_no_core() -> None:
    cores = [path for path in files(*sorted(CORES)) if not name(path).startswith(SHELLS)]
    shells = tuple("adas_runtime." + shell.replace("/", ".") for shell in SHELLS)
    assert not [
        name(path) for path in cores if any(module.startswith(shells) for module in imported(path, without_build=True))
    ]
