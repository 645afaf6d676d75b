"""Every lock holds one ROS 2 set only, each package with hashes; nothing names an index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REQUIREMENTS = Path(__file__).resolve().parents[1] / "requirements"
DISTROS = ("jazzy", "kilted")
WHEEL_LOCKS = [f"{distro}-py3{minor}" for distro in DISTROS for minor in (10, 11, 12, 13)]
SYSTEM_LOCKS = ["system-py310", "system-py311", "system-py312"]
ALL_LOCKS = [*WHEEL_LOCKS, *SYSTEM_LOCKS, "tools", "docs"]
ENTRY = re.compile(r"(?P<name>[a-z0-9-]+)(?:\[[a-z,-]+\])?==(?P<version>[^ ;]+)(?: *;[^\\]*)?")

# The facts that the pins follow: one version per package and set.
NAMES = ("ros-rclpy", "ros-std-msgs", "ros-ament-cmake-core", "ros-ament-package")
FACTS = {
    "jazzy": dict(zip(NAMES, ("7.1.6", "5.3.6", "2.5.4", "0.16.4"), strict=True)),
    "kilted": dict(zip(NAMES, ("9.1.2", "5.5.1", "2.7.3", "0.17.2"), strict=True)),
}


def entries(name: str) -> list[str]:
    """One text per requirement, its continuation lines joined."""
    joined = (REQUIREMENTS / f"{name}.lock").read_text(encoding="utf-8").replace("\\\n", " ")
    return [line.strip() for line in joined.splitlines() if line.strip() and not line.startswith("#")]


def versions(name: str) -> dict[str, str]:
    matches = [ENTRY.match(entry) for entry in entries(name)]
    return {m["name"]: m["version"] for m in matches if m is not None}


def pins(distro: str) -> dict[str, str]:
    lines = (REQUIREMENTS / f"ros-{distro}.in").read_text(encoding="utf-8").splitlines()
    return {m["name"]: m["version"] for line in lines if (m := ENTRY.match(line)) is not None}


@pytest.mark.parametrize("name", ALL_LOCKS)
def test_every_entry_is_one_version_with_hashes(name: str) -> None:
    found = entries(name)
    assert found
    for entry in found:
        assert ENTRY.match(entry), entry
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", entry), entry
        assert "://" not in entry, "a lock names no address"


@pytest.mark.parametrize("name", WHEEL_LOCKS)
def test_ros_packages_are_those_of_the_set(name: str) -> None:
    distro = name.split("-")[0]
    found = {k: v for k, v in versions(name).items() if k.startswith("ros-")}
    assert found == pins(distro)
    assert FACTS[distro].items() <= found.items()


def test_the_two_sets_share_only_what_has_one_release() -> None:
    jazzy, kilted = pins("jazzy"), pins("kilted")
    same = {name for name in jazzy.keys() & kilted.keys() if jazzy[name] == kilted[name]}
    assert same == {"ros-foonathan-memory-vendor", "ros-python-cmake-module", "ros-wheels-bootstrapper"}


@pytest.mark.parametrize("name", SYSTEM_LOCKS)
def test_a_sourced_ros_keeps_its_own_packages_and_numpy(name: str) -> None:
    found = versions(name)
    assert not [package for package in found if package.startswith("ros-")]
    assert found["numpy"].startswith("1."), "apt's message libraries are compiled against numpy 1.x"


@pytest.mark.parametrize("name", [*WHEEL_LOCKS, *SYSTEM_LOCKS])
def test_everything_asked_for_is_locked(name: str) -> None:
    found = versions(name)
    wanted = ["runtime.in", "dev.in"] + (["build.in"] if name in WHEEL_LOCKS else [])
    for source in wanted:
        for line in (REQUIREMENTS / source).read_text(encoding="utf-8").splitlines():
            package = re.split(r"[<>=#;\[ ]", line)[0]
            assert not package or package in found, f"{package} of {source}"


@pytest.mark.parametrize("name", WHEEL_LOCKS)
def test_bounds_that_the_build_needs(name: str) -> None:
    found = versions(name)
    assert int(found["empy"].split(".")[0]) < 4
    assert int(found["cmake"].split(".")[0]) < 4
    assert int(found["setuptools"].split(".")[0]) < 80


@pytest.mark.parametrize("name", [*WHEEL_LOCKS, *SYSTEM_LOCKS])
def test_common_packages_agree_with_the_tools(name: str) -> None:
    found = versions(name)
    different = {
        package: (version, found[package])
        for package, version in versions("tools").items()
        if package in found and found[package] != version
    }
    assert not different, "the second install would replace what the first one brought"
