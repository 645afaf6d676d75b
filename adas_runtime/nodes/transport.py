"""The environment that DDS reads when the first node is made: shared memory for pictures, nothing off this computer."""

from __future__ import annotations

import os
from collections.abc import MutableMapping
from pathlib import Path
from typing import Final

from adas_runtime.resources import config_dir

PROFILE: Final = "fastdds.xml"
VARIABLES: Final = ("FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE")  # Fast DDS 2.x and 3.x
SHARED_MEMORY: Final = Path("/dev/shm")
SEGMENT_BYTES: Final = 64 * 1024 * 1024
SEGMENTS: Final = 2  # camera and player fill theirs, the others touch little of it


def free_bytes(folder: Path = SHARED_MEMORY) -> int:
    """Room left in shared memory; 0 where there is none."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return 0
    return found.f_bavail * found.f_frsize


def prepare(environment: MutableMapping[str, str] | None = None, *, free: int | None = None) -> str:
    """Name the runtime's Fast DDS profile in the environment, before rclpy is used.

    A profile that the user named stays. Where shared memory is too small (a container's default is 64 MiB), a segment
    that outgrows it would end the process with SIGBUS: then the default transports are used.

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
    path = config_dir() / PROFILE
    if not path.is_file():
        return f"Fast DDS default transports: {PROFILE} is missing in the configuration folder"
    room = free_bytes() if free is None else free
    if room < SEGMENTS * SEGMENT_BYTES:
        return (
            f"Fast DDS default transports: {room // 2**20} MiB of shared memory are free and "
            f"{SEGMENTS * SEGMENT_BYTES // 2**20} MiB are needed (container: --shm-size=512m)"
        )
    for name in VARIABLES:
        environment[name] = str(path)
    return f"Fast DDS profile {path}"
