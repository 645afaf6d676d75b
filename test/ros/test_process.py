"""One process of the graph from its command line: how it starts, what it refuses, how it ends."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

pytestmark = [pytest.mark.ros, pytest.mark.slow]
pytest.importorskip("rclpy")

from live_graph import COMMAND, Child, child, until, values  # noqa: E402

from adas_runtime.function import Process  # noqa: E402
from adas_runtime.graph import STATUS_OUTPUT, default_graph, live_topic  # noqa: E402

if TYPE_CHECKING:
    from live_graph import Probe

STATUS = "/adas/lane_departure/status"


def maps_shared_memory(started: Child) -> bool:
    """Whether Fast DDS of a process uses shared memory."""
    maps = Path(f"/proc/{started.process.pid}/maps").read_text(encoding="utf-8")
    return "/dev/shm/fastrtps" in maps or "/dev/shm/fastdds" in maps  # Fast DDS 2 and 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminate"])
def test_asked_to_end_it_ends_in_order_and_says_nothing(probe: Probe, number: int) -> None:
    probe.listen(COMMAND)
    with child("guard") as guard:
        until(lambda: probe.last(COMMAND), "the guard commands")
        guard.send(number)
        code, out, err = guard.end()
    assert code == 0
    assert out == ""
    assert "Traceback" not in err
    last = probe.last(COMMAND)
    assert last.is_safe_stop and last.accel_mps2 == 0.0


def test_asked_to_end_while_it_starts_it_does(ros: int) -> None:
    with child("guard") as guard:
        time.sleep(0.3)  # somewhere among its imports; any moment must do
        guard.send(signal.SIGTERM)
        code, _, err = guard.end()
    assert code in (0, -signal.SIGTERM), err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--market", "xx"], "no market 'xx'; take one of"),
        (["--vehicle", "boat"], "no vehicle 'boat'"),
        (["--inputs", "nothing"], "nothing"),
        (["--bogus"], "unrecognized arguments: --bogus"),
        (["--ros-args", "-p", "config.envelope.jerk_max_mps3:=40.0"], "cannot be set; change the market or vehicle"),
        (["--ros-args", "-p", "jerk:=1.0"], "unknown parameter 'jerk'"),
    ],
    ids=["market", "vehicle", "inputs", "option", "value of the market", "unknown parameter"],
)
def test_what_cannot_be_is_refused_in_one_line(ros: int, options: list[str], wanted: str) -> None:
    code, out, err = Child.of("guard", *options).end()
    assert code == 2, err
    assert out == ""
    assert err.count("\n") == 1 and err.startswith("adas: ")
    assert wanted in err


def test_a_parameter_file_for_another_node_is_refused(ros: int, tmp_path: Path) -> None:
    """peers: a file keyed to the wrong node name is ignored without a word, and the defaults return."""
    path = tmp_path / "params.yaml"
    path.write_text("/guardian:\n  ros__parameters:\n    use_sim_time: true\n", encoding="utf-8")
    code, _, err = Child.of("guard", "--ros-args", "--params-file", str(path)).end()
    assert code == 2
    assert "params.yaml:1" in err and "/guardian is no node of the runtime" in err


def test_the_whole_graph_runs_and_knows_its_peers(probe: Probe) -> None:
    """Three processes on one vehicle state: nothing is silent, and each would notice the others' end."""
    probe.listen(STATUS, COMMAND)
    probe.drive()
    with child("guard") as guard, child("decision") as decision, child("perception") as perception:
        until(lambda: (c := probe.last(COMMAND)) and not c.is_safe_stop, "the guard lets requests in")
        status = until(lambda: (s := probe.last(STATUS)) and "vehicle" not in s.absent and s, "decision sees the car")
        assert "lanes" in status.absent, "no camera: what is missing is told, not invented"
        of_guard = live_topic(default_graph().in_process(Process.GUARD)[0].name, STATUS_OUTPUT)
        for reader, topic in (
            ("adas_guard", "/adas/lane_perception/status"),
            ("adas_perception", of_guard),
            ("adas_decision", of_guard),
        ):
            until(
                lambda name=f"{reader}: reads {topic}": (s := probe.told(name)) and values(s)["is_alive"] == "true",
                f"{reader} watches {topic}",
            )
        # a process frozen while it holds a lock in shared memory would block them for a second
        assert maps_shared_memory(perception)
        assert not maps_shared_memory(guard)
        assert not maps_shared_memory(decision)
        perception.kill()
        told = until(
            lambda: (s := probe.told("adas_guard: reads /adas/lane_perception/status")) and s.level == b"\x02" and s,
            "the guard tells that perception does not live",
        )
        assert "does not live" in told.message
