"""Starts, watches and ends real child processes (stubs); the graph's own are in test/demo."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from adas_runtime.errors import AdasError, ConfigError
from adas_runtime.function import Process
from adas_runtime.supervisor.commands import START_ORDER, UpOptions, driver_camera_commands, process_commands
from adas_runtime.supervisor.domain import DomainLock, domain_id, free_domain
from adas_runtime.supervisor.policy import RestartParams
from adas_runtime.supervisor.shared_memory import clear_leftovers
from adas_runtime.supervisor.status import Screen, status_line
from adas_runtime.supervisor.supervisor import Life, Supervisor

STUB = str(Path(__file__).with_name("stub_child.py"))
PATIENCE_S = 30.0  # generous: CI machines are busy
QUICK = RestartParams(first_s=0.01, longest_s=0.05, give_up_after=3)


def stub(*words: str) -> tuple[str, ...]:
    return (sys.executable, STUB, *words)


def until(graph: Supervisor, condition: Callable[[], bool]) -> None:
    end_s = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < end_s, "did not happen in time"
        graph.tick(0.05)


def is_gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def pids(graph: Supervisor) -> list[int]:
    return [slot.child.pid for slot in graph.slots.values() if slot.child is not None]


def ready(graph: Supervisor) -> Callable[[], bool]:
    return lambda: all(slot.child is not None and "ready" in slot.child.last_lines for slot in graph.slots.values())


def test_ends_in_order_guard_after_those_it_guards_and_recorder_last(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = {process: stub("log", str(log), process.value) for process in START_ORDER}
    with Supervisor(commands) as graph:
        until(graph, ready(graph))
        held = pids(graph)
    ends = [line.split()[1] for line in log.read_text().splitlines() if line.startswith("end")]
    assert set(ends[:2]) == {"perception", "decision"} and ends[2:] == ["guard", "recorder"]
    assert all(is_gone(pid) for pid in held)
    assert all(slot.life is Life.ENDED for slot in graph.slots.values())


def test_what_runs_beside_the_graph_is_watched_over_and_ends_with_perception(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands: dict[Process | str, tuple[str, ...]] = {
        process: stub("log", str(log), process.value) for process in START_ORDER
    }
    commands["driver_camera"] = stub("log", str(log), "driver_camera")
    said: list[str] = []
    with Supervisor(commands, say=said.append, params=QUICK) as graph:
        until(graph, ready(graph))
        assert "5/5 up" in status_line(graph, 0.0)
        camera = graph.slots["driver_camera"].child
        assert camera is not None
        camera.signal(signal.SIGKILL)
        until(graph, lambda: graph.slots["driver_camera"].restart.restarts == 1)
        until(graph, ready(graph))
    assert any(text.startswith("driver_camera: killed by SIGKILL") for text in said)
    ends = [line.split()[1] for line in log.read_text().splitlines() if line.startswith("end")]
    assert set(ends[:3]) == {"perception", "decision", "driver_camera"} and ends[3:] == ["guard", "recorder"]


def test_a_camera_that_is_refused_ends_the_start_with_its_line() -> None:
    with Supervisor({Process.GUARD: stub("live"), "driver_camera": stub("refuse")}) as graph:
        until(graph, lambda: graph.refusal is not None)
    assert graph.refusal == "adas: markets/xx.yaml:3: what is wrong; the mend"


def test_a_crashed_process_comes_back_and_is_announced(tmp_path: Path) -> None:
    said: list[str] = []
    commands = {Process.GUARD: stub("live"), Process.DECISION: stub("crash_once", str(tmp_path / "mark"))}
    with Supervisor(commands, say=said.append, params=QUICK) as graph:
        until(graph, lambda: graph.slots["decision"].restart.restarts == 1 and ready(graph)())
        until(graph, lambda: not graph.degraded)
    assert any("decision: exit code 7" in text and "started again" in text for text in said)
    assert any(text.startswith("degraded: decision restarting; the guard keeps the car safe") for text in said)
    assert said.index("all processes up again") > 0


def test_a_killed_process_is_named_with_its_signal() -> None:
    said: list[str] = []
    with Supervisor({Process.GUARD: stub("live")}, say=said.append, params=QUICK) as graph:
        until(graph, ready(graph))
        former = pids(graph)[0]
        os.kill(former, signal.SIGKILL)
        until(graph, lambda: graph.slots["guard"].restart.restarts == 1 and bool(pids(graph)))
        assert pids(graph)[0] != former
    assert any("killed by SIGKILL" in text for text in said)
    assert any("no command reaches the car" in text for text in said)


def test_a_process_that_always_crashes_is_given_up_but_the_rest_lives_on() -> None:
    said: list[str] = []
    commands = {Process.GUARD: stub("live"), Process.PERCEPTION: stub("crash", "1")}
    with Supervisor(commands, say=said.append, params=QUICK) as graph:
        until(graph, lambda: graph.slots["perception"].life is Life.GIVEN_UP)
        assert graph.slots["guard"].life is Life.RUNNING
        assert "perception DOWN" in status_line(graph, 0.0)
        assert graph.processes()["perception"]["state"] == "down"
    assert any("not started again" in text for text in said)


def test_a_refused_configuration_ends_the_start_with_the_childs_line() -> None:
    commands = {Process.GUARD: stub("live"), Process.DECISION: stub("refuse")}
    with Supervisor(commands) as graph:
        graph.run()
        assert graph.refusal == "adas: markets/xx.yaml:3: what is wrong; the mend"


def test_one_that_ignores_the_end_is_killed() -> None:
    said: list[str] = []
    with Supervisor({Process.GUARD: stub("deaf")}, say=said.append, grace_s=0.3) as graph:
        until(graph, ready(graph))
        held = pids(graph)
    assert all(is_gone(pid) for pid in held)
    assert said == ["guard: ready", "guard: killed, it did not end within 0.3 s"]


def test_the_monitor_tells_the_supervisor_and_hears_it(tmp_path: Path) -> None:
    heard = tmp_path / "heard"
    with Supervisor({Process.GUARD: stub("live")}, monitor=stub("monitor", str(heard))) as graph:
        until(graph, lambda: graph.is_active and heard.exists() and heard.read_text().count("\n") >= 1)
        assert graph.time_to_active_s is not None
        assert "1 on" in status_line(graph, 0.0)
    told = json.loads(heard.read_text().splitlines()[0])["processes"]
    assert told["guard"]["state"] == "up" and told["guard"]["restarts"] == 0


def test_a_process_that_hangs_is_killed_and_started_again() -> None:
    said: list[str] = []
    commands = {Process.GUARD: stub("live"), Process.DECISION: stub("deaf")}
    with Supervisor(commands, monitor=stub("ear"), say=said.append, params=QUICK, grace_s=1.0, frozen_s=0.5) as graph:
        until(graph, lambda: graph.slots["decision"].restart.restarts == 1)
        assert graph.slots["guard"].restart.restarts == 0
    assert any("decision: hangs" in text for text in said)


def test_a_process_that_hangs_in_its_start_is_killed_and_started_again() -> None:
    """It never gave a sign of life, as one that is frozen before its node exists."""
    said: list[str] = []
    commands = {Process.GUARD: stub("live"), Process.DECISION: stub("live"), Process.RECORDER: stub("deaf")}
    with Supervisor(commands, monitor=stub("ear"), say=said.append, params=QUICK, grace_s=1.0, starting_s=1.5) as graph:
        until(graph, lambda: graph.slots["recorder"].restart.restarts == 1)
        assert graph.slots["guard"].restart.restarts == 0
    assert "recorder: hangs, nothing heard for 1.5 s; killed" in said


def test_a_monitor_that_hangs_is_killed_and_started_again() -> None:
    """Else nothing that hangs would be noticed any more."""
    said: list[str] = []
    commands = {Process.GUARD: stub("live")}
    with Supervisor(commands, monitor=stub("deaf_ear"), say=said.append, params=QUICK, frozen_s=0.5) as graph:
        until(graph, lambda: graph.slots["monitor"].restart.restarts == 1)
        assert graph.slots["guard"].restart.restarts == 0
    assert "monitor: hangs, nothing heard for 0.5 s; killed" in said


def test_a_guard_that_never_starts_ends_the_start() -> None:
    """Before anything has driven, no endless restarts: the user sees why."""
    commands = {Process.GUARD: stub("crash", "7"), Process.DECISION: stub("live")}
    with Supervisor(commands, params=QUICK) as graph:
        graph.run()
        assert graph.refusal is not None and graph.refusal.startswith("guard: exit code 7")


def test_a_middleware_that_is_not_there_ends_the_start() -> None:
    """rcl itself ends a process with 102 when RMW_IMPLEMENTATION names what it was not built with."""
    environment = {**os.environ, "RMW_IMPLEMENTATION": "rmw_other"}
    with Supervisor({Process.GUARD: stub("crash", "102")}, environment=environment) as graph:
        graph.run()
        assert graph.refusal == "RMW_IMPLEMENTATION: 'rmw_other' is no middleware of this ROS 2; unset it"


def test_a_line_that_comes_again_and_again_is_said_once() -> None:
    said: list[str] = []
    with Supervisor({Process.PERCEPTION: stub("babble")}, say=said.append) as graph:
        until(graph, lambda: any("done" in text for text in said))
    line = "perception: Corrupt JPEG data: premature end of data segment"
    assert said[:3] == [line, f"{line} (499 times more)", "perception: done"]


class _Full(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_log_on_a_full_disk_does_not_end_the_graph() -> None:
    screen = Screen(_Full())
    screen.say("guard: killed")
    screen.close()


def test_a_reader_that_leaves_does_not_end_the_graph() -> None:
    """`adas up 2>&1 | head -1` closes the log, not the guard."""
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as stream:
        screen = Screen(stream)
        for _ in range(3):
            screen.say("guard: killed" * 1000)
        screen.close()


@pytest.mark.parametrize(("to", "code"), [("> /dev/full", 2), (">&-", 0), ("<&- >&- 2>&-", 0), ("| head -1", 0)])
def test_closed_and_full_outputs_end_in_no_traceback(to: str, code: int) -> None:
    command = f"{sys.executable} -c 'from adas_runtime.cli import run; run()' market list {to}"
    done = subprocess.run(["bash", "-c", command], stderr=subprocess.PIPE, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (code, 1 if code else 0)


def test_shared_memory_of_the_dead_is_given_back_and_no_other(tmp_path: Path) -> None:
    names = [f"fastrtps_{index:016x}" for index in range(3)]
    for name in [*names, *(f"{name}_el" for name in names), "fastrtps_port7411_el", "mine"]:
        (tmp_path / name).write_bytes(b"x")
    later_s = time.time() + 60.0
    with (tmp_path / "fastrtps_0000000000000001_el").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert clear_leftovers(tmp_path) == 0, "one that is just being made is left alone"
        assert clear_leftovers(tmp_path, later_s) == 2
    left = ["fastrtps_0000000000000001", "fastrtps_0000000000000001_el", "fastrtps_port7411_el", "mine"]
    assert sorted(item.name for item in tmp_path.iterdir()) == left
    assert clear_leftovers(tmp_path / "missing") == 0


@pytest.mark.parametrize("text", ["OFF", "banana"])
def test_a_discovery_range_in_which_nothing_is_heard_is_refused(
    text: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    from adas_runtime.cli import main

    monkeypatch.setenv("ROS_AUTOMATIC_DISCOVERY_RANGE", text)
    monkeypatch.setenv("ROS_DOMAIN_ID", str(free_domain(range(200, 230))))
    assert main(["up", "--market", "de"]) == 2
    err = capfd.readouterr().err
    assert err.startswith("adas: ROS_AUTOMATIC_DISCOVERY_RANGE") and err.count("\n") == 1


HARNESS = """
import sys, time
from adas_runtime.function import Process
from adas_runtime.supervisor.supervisor import Supervisor
STUB, first, second = sys.argv[1:]
def stub(kind): return (sys.executable, STUB, kind)
with Supervisor({Process.GUARD: stub(first), Process.DECISION: stub(second)}, grace_s=20.0) as graph:
    print(*[slot.child.pid for slot in graph.slots.values() if slot.child], flush=True)
    print("started", flush=True)
    graph.run()
print("ended", flush=True)
"""


def harness(*kinds: str) -> tuple[subprocess.Popen[str], list[int]]:
    process = subprocess.Popen([sys.executable, "-c", HARNESS, STUB, *kinds], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, [int(text) for text in process.stdout.readline().split()]


def gone_within(held: list[int], seconds: float = PATIENCE_S) -> bool:
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s:
        if all(is_gone(pid) for pid in held):
            return True
        time.sleep(0.02)
    return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_all_at_any_moment_of_the_start(number: signal.Signals) -> None:
    process, held = harness("live", "live")
    process.send_signal(number)  # the children are just being born
    out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0 and out.endswith("ended\n")
    assert gone_within(held, 1.0)


def test_a_second_signal_forces_the_end() -> None:
    process, held = harness("deaf", "deaf")
    assert process.stdout is not None and process.stdout.readline() == "started\n"
    time.sleep(0.5)  # the stubs must have put their ears off
    process.send_signal(signal.SIGINT)
    time.sleep(0.2)  # two signals at one instant would be one
    for _ in range(4):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    process.communicate(timeout=10.0)  # far less than the grace of 20 s
    assert process.returncode == 0 and gone_within(held, 1.0)


@pytest.mark.parametrize("kind", ["live", "deaf"])
def test_no_orphan_when_the_supervisor_itself_is_killed(kind: str) -> None:
    process, held = harness(kind, kind)
    process.kill()
    process.communicate()
    assert len(held) == 2 and gone_within(held)


def test_every_process_is_started_from_one_declaration() -> None:
    commands = process_commands(
        UpOptions(market="jp", vehicle="v.yaml", inputs="m.yaml", record=Path("r"), use_sim_time=True), python="py"
    )
    assert set(commands) == set(Process) and next(iter(commands)) is Process.GUARD
    for process, command in commands.items():
        assert command[:4] == ("py", "-m", "adas_runtime.nodes", process.value)
        assert ("--record" in command) == (process is Process.RECORDER)
        assert "--use-sim-time" in command and "m.yaml" in command and "jp" in command


def test_the_driver_camera_is_started_where_it_is_asked_for() -> None:
    options = UpOptions(market="jp", vehicle="v.yaml")
    assert driver_camera_commands(options, "py") == {}
    assert driver_camera_commands(replace(options, driver_camera="/dev/video2"), "py") == {
        "driver_camera": (
            "py", "-m", "adas_runtime", "driver-camera", "/dev/video2", "--market", "jp", "--vehicle", "v.yaml",
        )
    }  # fmt: skip


def test_one_live_graph_per_domain() -> None:
    domain = free_domain(range(200, 230))
    with (
        DomainLock(domain),
        pytest.raises(AdasError, match=f"domain {domain} .*process {os.getpid()}"),
        DomainLock(domain),
    ):
        pass
    with DomainLock(domain):
        pass  # free again


@pytest.mark.parametrize("text", ["x", "-1", "233", "1.5"])
def test_a_wrong_domain_is_told(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROS_DOMAIN_ID", text)
    with pytest.raises(AdasError, match="ROS_DOMAIN_ID"):
        domain_id()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--market", "xx"], "no market 'xx'"),
        (["--market", "de", "--vehicle", "tank"], "no vehicle 'tank'"),
        (["--market", "de", "--inputs", "nowhere.yaml"], "nowhere.yaml"),
        (["--market", "de", "--record", "/proc/version/x"], "not a folder"),
        (["--market", "de", "--driver-camera", "0"], "has no driver camera"),
        ([], "market"),
    ],
)
def test_a_mistake_is_told_in_one_line_before_anything_starts(
    arguments: list[str], told: str, capfd: pytest.CaptureFixture[str]
) -> None:
    from adas_runtime.cli import main

    assert main(["up", *arguments]) == 2
    captured = capfd.readouterr()
    assert told in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_the_monitor_starts_while_the_configuration_is_read(tmp_path: Path) -> None:
    # the first word of each process is then heard, instead of the next one a second later
    heard = tmp_path / "heard"

    def commands() -> tuple[dict[Process, tuple[str, ...]], dict[str, str]]:
        assert graph.slots["monitor"].child is not None and "guard" not in graph.slots
        return {Process.GUARD: stub("live")}, {"ADAS_TEST": "1"}

    graph = Supervisor(commands, monitor=stub("monitor", str(heard)))
    with graph:
        until(graph, lambda: graph.slots["guard"].child is not None)
        assert list(graph.slots) == ["guard", "monitor"]


def test_a_refused_configuration_ends_the_monitor_too() -> None:
    def commands() -> tuple[dict[Process, tuple[str, ...]], dict[str, str]]:
        raise ConfigError("no such market", where="xx.yaml", mend="take another")

    graph = Supervisor(commands, monitor=stub("ear"), grace_s=2.0)
    with pytest.raises(ConfigError, match="no such market"), graph:
        pass
    assert graph.slots["monitor"].child is None
