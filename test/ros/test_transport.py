"""Which Fast DDS profile a process takes, and why."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from adas_runtime.function import Process
from adas_runtime.nodes import log_files
from adas_runtime.nodes.settings import receives_pictures
from adas_runtime.nodes.transport import LIGHT_PROFILE, PROFILE, RANGE, RECEIVER_PROFILE, VARIABLES, prepare
from adas_runtime.resources import config_dir

PLENTY = 2**30
SPACE = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"sends_pictures": True}, PROFILE),
        ({"receives_pictures": True}, RECEIVER_PROFILE),
        ({}, LIGHT_PROFILE),
    ],
    ids=["sends pictures", "reads pictures", "neither"],
)
def test_each_takes_what_it_needs(options: dict[str, bool], name: str) -> None:
    environment: dict[str, str] = {}
    told = prepare(environment, free=PLENTY, **options)
    # one name alone: Fast DDS 3 complains of the old one at each start
    assert [environment[key] for key in VARIABLES if key in environment] == [str(config_dir() / name)]
    assert name in told


@pytest.mark.parametrize("process", list(Process))
def test_a_frozen_process_cannot_block_what_moves_the_car(process: Process) -> None:
    """Shared memory has locks between processes; guard and decision go without, only readers of pictures need it."""
    assert receives_pictures(process) == (process in (Process.PERCEPTION, Process.RECORDER))


@pytest.mark.parametrize(("asked", "left"), [("LOCALHOST", "SYSTEM_DEFAULT"), ("OFF", "OFF"), ("SUBNET", "SUBNET")])
def test_the_middleware_adds_no_shared_memory_of_its_own(asked: str, left: str) -> None:
    environment = {RANGE: asked}
    prepare(environment, free=0)
    assert environment[RANGE] == left
    kept = {RANGE: asked, VARIABLES[0]: "mine.xml"}
    prepare(kept, free=0)
    assert kept[RANGE] == asked


def test_the_older_way_to_stay_on_this_computer_adds_no_shared_memory_either() -> None:
    environment = {"ROS_LOCALHOST_ONLY": "1"}
    prepare(environment, free=0)
    assert (environment["ROS_LOCALHOST_ONLY"], environment[RANGE]) == ("0", "SYSTEM_DEFAULT")


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


@pytest.mark.parametrize(
    ("name", "wanted"), [(PROFILE, 4 * 1920 * 1080 * 3), (RECEIVER_PROFILE, 2**20), (LIGHT_PROFILE, None)]
)
def test_a_profile_holds_what_is_sent_and_stays_on_this_machine(name: str, wanted: int | None) -> None:
    tree = ElementTree.parse(Path(config_dir()) / name)
    segment = tree.findtext(f".//{SPACE}segment_size")
    if wanted is None:
        assert segment is None, "no shared memory"
    else:
        assert int(segment or 0) >= wanted
        message = int(tree.findtext(f".//{SPACE}maxMessageSize") or 0)
        assert 0 < message <= int(segment or 0), "Fast DDS refuses the whole transport otherwise"
    assert [item.text for item in tree.iterfind(f".//{SPACE}interfaceWhiteList/{SPACE}address")] == ["127.0.0.1"]


def test_no_log_files_where_none_can_be_written(tmp_path: Path) -> None:
    """ROS would end the process; a read-only disk must not stop a car."""
    assert log_files.arguments({"HOME": str(tmp_path)}) == []
    assert log_files.arguments({"ROS_LOG_DIR": "/proc/version/logs"}) == list(log_files.WITHOUT)
    assert log_files.arguments({"HOME": "/proc/version"}) == list(log_files.WITHOUT)


@pytest.mark.parametrize("name", [PROFILE, RECEIVER_PROFILE, LIGHT_PROFILE])
def test_a_process_is_still_announced_when_the_last_one_has_been_made(name: str) -> None:
    space = "{http://www.eprosima.com/XMLSchemas/fastRTPS_Profiles}"
    found = ElementTree.parse(config_dir() / name).getroot().find(f".//{space}initialAnnouncements")
    assert found is not None
    count, period_ns = int(found.findtext(f"{space}count") or 0), int(found.findtext(f".//{space}nanosec") or 0)
    assert count * period_ns * 1e-9 >= 5.0, "the start of the graph takes at most that long"
