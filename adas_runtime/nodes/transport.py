"""The environment that DDS reads when the first node is made: shared memory for pictures, nothing off this computer."""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import Final

from adas_runtime.resources import config_dir

PROFILE: Final = "fastdds.xml"  # for those who send pictures
RECEIVER_PROFILE: Final = "fastdds_receiver.xml"  # for those who read them: a segment is resident memory, used or not
LIGHT_PROFILE: Final = "fastdds_light.xml"  # for all others: no shared memory, whose locks a frozen process can hold
VARIABLES: Final = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")  # Fast DDS 2.x and 3.x
RANGE: Final = "ROS_AUTOMATIC_DISCOVERY_RANGE"
LOCALHOST_ONLY: Final = "ROS_LOCALHOST_ONLY"  # its forerunner, which still overrides it
SHARED_MEMORY: Final = Path("/dev/shm")
NEEDED_BYTES: Final = {PROFILE: 96 * 2**20, RECEIVER_PROFILE: 24 * 2**20, LIGHT_PROFILE: 0}


def free_bytes(folder: Path = SHARED_MEMORY) -> int:
    """Room left in shared memory; 0 where there is none."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def variable(environment: Mapping[str, str]) -> str:
    """The variable that names the profile here: Fast DDS 2 (Jazzy) knows the old name alone, 3 complains of it."""
    try:
        is_old = importlib.metadata.version("ros-rclpy").startswith("7.")
    except importlib.metadata.PackageNotFoundError:
        is_old = environment.get("ROS_DISTRO", "jazzy") == "jazzy"
    return VARIABLES[0] if is_old else VARIABLES[1]


def prepare(
    environment: MutableMapping[str, str] | None = None,
    *,
    sends_pictures: bool = False,
    receives_pictures: bool = False,
    free: int | None = None,
) -> str:
    """Name the runtime's Fast DDS profile in the environment, before rclpy is used.

    A profile that the user named stays. Where shared memory is too small (a container's default is 64 MiB), a segment
    that outgrows it would end the process with SIGBUS: then the default transports are used.

    Args:
        environment: Changed in place; this process's by default.
        sends_pictures: This process writes pictures, so it needs the large segment.
        receives_pictures: It reads pictures, so it needs shared memory, but little.
        free: Room in shared memory, looked up by default [bytes].
    Returns:
        One line for the diagnostics: which transports are used and why.
    """
    environment = os.environ if environment is None else environment
    implementation = environment.get("RMW_IMPLEMENTATION", "") or "rmw_fastrtps_cpp"
    if "fastrtps" not in implementation:
        return f"{implementation}: its own transports"
    for name in VARIABLES:
        if environment.get(name):
            return f"Fast DDS profile {environment[name]} ({name})"
    profile = PROFILE if sends_pictures else RECEIVER_PROFILE if receives_pictures else LIGHT_PROFILE
    path = config_dir() / profile
    if not path.is_file():
        return f"Fast DDS default transports: {profile} is missing in the configuration folder"
    room = free_bytes() if free is None else free
    if room < NEEDED_BYTES[profile]:
        return (
            f"Fast DDS default transports: {room // 2**20} MiB of shared memory are free and "
            f"{NEEDED_BYTES[profile] // 2**20} MiB are needed (container: --shm-size=256m)"
        )
    environment[variable(environment)] = str(path)
    if environment.get(LOCALHOST_ONLY) == "1":
        environment[LOCALHOST_ONLY] = "0"
        environment[RANGE] = "LOCALHOST"
    if environment.get(RANGE, "").upper() == "LOCALHOST":
        # rmw_fastrtps would add its own shared memory to the profile's transports; these stay on this computer anyway
        environment[RANGE] = "SYSTEM_DEFAULT"
    return f"Fast DDS profile {path}"
