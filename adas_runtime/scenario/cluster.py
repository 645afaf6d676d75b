"""Drives of a suite over the machines of a Ray cluster, where Ray is installed (`pip install 'adas_runtime[ray]'`).

Each machine builds the suite from the order and drives its share; what it read has to be what we read, byte for byte.
The results come in the suite's order and are those of any number of jobs. The cluster is the one of `RAY_ADDRESS`;
without it, Ray starts on this machine alone.
"""

from __future__ import annotations

import os
import socket
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

from adas_runtime.errors import AdasError

CHUNK: Final = 8  # drives to a task: a task costs some milliseconds
AHEAD: Final = 4  # tasks to a processor that are handed out at once
REACH_S: Final = 5.0
LOOPBACK: Final = "127.0.0.1"


def spread_out(
    work: Callable[[Sequence[int]], list[dict[str, Any]]], numbers: Sequence[int], jobs: int
) -> Iterator[dict[str, Any]]:
    """The results of `work` on the numbers, in their order.

    Args:
        work: Drives these; what it needs travels with it.
        numbers: What is left to drive.
        jobs: Processes, where Ray starts on this machine alone.
    Raises:
        AdasError: Ray is not installed, no cluster answers, or a machine of it was lost or read something else.
    """
    try:
        import ray
    except ImportError as error:
        raise AdasError("Ray is not installed", where="--ray", mend="pip install ray, or take --jobs") from error
    _check_reach(os.environ.get("RAY_ADDRESS", ""))
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing of ours is told to anybody
    is_ours = not ray.is_initialized()
    if is_ours:
        alone = {} if os.environ.get("RAY_ADDRESS") else {"num_cpus": jobs, "_node_ip_address": LOOPBACK}
        try:
            ray.init(include_dashboard=False if alone else None, logging_level="ERROR", log_to_driver=False, **alone)
        except (ConnectionError, RuntimeError, ValueError) as error:
            first = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise AdasError(f"no Ray cluster: {first}", where="--ray", mend="correct RAY_ADDRESS") from error
    try:
        remote = ray.remote(max_retries=2)(_guarded)
        chunks = deque(numbers[index : index + CHUNK] for index in range(0, len(numbers), CHUNK))
        waiting: deque[Any] = deque()
        at_once = max(AHEAD * int(ray.cluster_resources().get("CPU", 1)), 1)
        while chunks or waiting:
            while chunks and len(waiting) < at_once:
                waiting.append(remote.remote(work, chunks.popleft()))
            found, wrong = ray.get(waiting.popleft())
            if wrong is not None:
                raise AdasError(wrong[0], where=wrong[1], mend=wrong[2])
            yield from found
    except ray.exceptions.RayError as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        mend = "run it again; with --out it goes on where it stopped"
        raise AdasError(f"the cluster failed: {first}", where="--ray", mend=mend) from error
    finally:
        if is_ours:
            ray.shutdown()


def _check_reach(address: str) -> None:
    """Refuse an address where nobody listens: Ray itself tries for minutes."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not host or not port.isdecimal():
        return  # none, or a word such as auto
    try:
        socket.create_connection((host, int(port)), REACH_S).close()
    except (OSError, OverflowError) as error:
        raise AdasError(f"nobody answers at {address}", where="RAY_ADDRESS", mend="start the cluster") from error


def _guarded(
    work: Callable[[Sequence[int]], list[dict[str, Any]]], numbers: Sequence[int]
) -> tuple[list[dict[str, Any]], tuple[str, str, str] | None]:
    """What a machine does; an error travels as its parts, for its class cannot be built of one text."""
    try:
        return work(numbers), None
    except AdasError as error:
        return [], (error.what, error.where, error.mend)
