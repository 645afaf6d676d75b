"""Which Fast DDS profile a process takes, and why."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from adas_runtime.nodes.transport import LIGHT_PROFILE, PROFILE, VARIABLES, prepare
from adas_runtime.resources import config_dir

PLENTY = 2**30
SPACE = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"


@pytest.mark.parametrize(("sends_pictures", "name"), [(True, PROFILE), (False, LIGHT_PROFILE)])
def test_only_senders_of_pictures_take_the_large_segment(sends_pictures: bool, name: str) -> None:
    environment: dict[str, str] = {}
    told = prepare(environment, sends_pictures=sends_pictures, free=PLENTY)
    assert {environment[variable] for variable in VARIABLES} == {str(config_dir() / name)}
    assert name in told


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_profile_of_the_user_stays(variable: str) -> None:
    environment = {variable: "mine.xml"}
    assert "mine.xml" in prepare(environment, free=PLENTY)
    assert environment == {variable: "mine.xml"}


def test_small_shared_memory_is_told_and_not_used() -> None:
    """A container's 64 MiB: a segment that outgrows it would end the process with SIGBUS in the middle of a drive."""
    environment: dict[str, str] = {}
    told = prepare(environment, sends_pictures=True, free=64 * 2**20)
    assert environment == {}
    assert "64 MiB of shared memory are free" in told and "--shm-size" in told


def test_another_middleware_keeps_its_transports() -> None:
    environment = {"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"}
    assert "rmw_cyclonedds_cpp" in prepare(environment, free=PLENTY)
    assert set(environment) == {"RMW_IMPLEMENTATION"}


@pytest.mark.parametrize(("name", "picture_fits"), [(PROFILE, True), (LIGHT_PROFILE, False)])
def test_a_profile_holds_a_picture_and_stays_on_this_machine(name: str, picture_fits: bool) -> None:
    tree = ElementTree.parse(Path(config_dir()) / name)
    segment = int(tree.findtext(f".//{SPACE}segment_size") or 0)
    message = int(tree.findtext(f".//{SPACE}maxMessageSize") or 0)
    assert message <= segment, "Fast DDS refuses the whole transport otherwise"
    assert (segment >= 4 * 1920 * 1080 * 3) == picture_fits
    assert [item.text for item in tree.iterfind(f".//{SPACE}interfaceWhiteList/{SPACE}address")] == ["127.0.0.1"]
