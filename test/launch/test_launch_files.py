"""The launch files with the real `launch`: same processes as `adas up`, wrong arguments told, launch_testing's own way.

`launch` comes with a ROS 2 installation only; elsewhere these tests are skipped, and say so.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

launch = pytest.importorskip("launch", reason="launch is not installed: it comes with ROS 2 from apt, not as a wheel")
if not hasattr(launch, "LaunchDescription"):
    pytest.skip("launch is not installed: only this repository's folder of that name is", allow_module_level=True)

ROOT = Path(__file__).resolve().parents[2]
ADAS_LAUNCH = ROOT / "launch" / "adas.launch.py"
REPLAY_LAUNCH = ROOT / "launch" / "replay.launch.py"
GRAPH_UP = Path(__file__).with_name("graph_up.py")

RUN = """
import sys
from launch import LaunchDescription, LaunchService
from launch.actions import IncludeLaunchDescription
from launch.launch_description_sources import PythonLaunchDescriptionSource
given = [tuple(text.split(":=")) for text in sys.argv[2:]]
service = LaunchService()
source = PythonLaunchDescriptionSource(sys.argv[1])
service.include_launch_description(LaunchDescription([IncludeLaunchDescription(source, launch_arguments=given)]))
sys.exit(service.run())
"""


def described(path: Path):
    from launch.launch_description_sources import PythonLaunchDescriptionSource

    return PythonLaunchDescriptionSource(str(path)).try_get_launch_description_without_context()


def actions(path: Path, **given: str) -> list:
    """The process actions that a launch file comes to."""
    from launch import LaunchContext
    from launch.actions import DeclareLaunchArgument, ExecuteProcess, OpaqueFunction

    context = LaunchContext()
    context.launch_configurations.update(given)
    found = []
    for entity in described(path).entities:
        if isinstance(entity, DeclareLaunchArgument):
            entity.visit(context)
        elif isinstance(entity, OpaqueFunction):
            found += [item for item in entity.execute(context) if isinstance(item, ExecuteProcess)]
    return found


def words(action) -> list[str]:
    return ["".join(part.text for part in word) for word in action.cmd]


@pytest.mark.parametrize(
    ("path", "sim", "given"),
    [(ADAS_LAUNCH, False, {}), (REPLAY_LAUNCH, True, {"bag": "b"}), (ADAS_LAUNCH, True, {"use_sim_time": "true"})],
)
def test_launch_and_supervisor_start_the_same(path: Path, sim: bool, given: dict[str, str]) -> None:
    from adas_runtime.supervisor.commands import UpOptions, process_commands
    from adas_runtime.supervisor.launching import interpreter

    found = [words(action) for action in actions(path, market="jp", vehicle="reference", **given)]
    expected = process_commands(UpOptions(market="jp", use_sim_time=sim), interpreter())
    assert [item for item in found if "adas_runtime.nodes" in item] == [list(command) for command in expected.values()]


@pytest.mark.parametrize(("name", "value"), [("market", "xx"), ("vehicle", "tank"), ("use_sim_time", "perhaps")])
def test_a_wrong_argument_is_told_before_anything_starts(name: str, value: str) -> None:
    from adas_runtime.errors import AdasError

    with pytest.raises(AdasError, match=value):
        actions(ADAS_LAUNCH, **{name: value})


@pytest.mark.ros
@pytest.mark.slow
def test_a_recording_drives_the_launched_graph_on_its_own_clock(tmp_path: Path, ros: int) -> None:
    from adas_runtime.cli import main
    from adas_runtime.graph import live_topic
    from adas_runtime.replay.bag import Bag

    drive = tmp_path / "drive"
    assert main(["synth", "--market", "de", "--seconds", "20", "--no-camera", "--out", str(drive)]) == 0
    arguments = ["market:=de", f"bag:={drive}", f"record:={tmp_path / 'live'}"]
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(REPLAY_LAUNCH), *arguments],
        cwd=tmp_path,  # not the repository, whose folder launch/ would shadow the package
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "ROS_LOG_DIR": str(tmp_path / "log")},
    )
    # played to its end, and that ended everything else
    assert "[player-5]: process has finished cleanly" in done.stdout + done.stderr
    with Bag(next((tmp_path / "live").iterdir())) as bag:
        assert (bag.topics["/vehicle/state"].count or 0) > 20
        with Bag(drive) as former:
            assert abs(bag.end_s - former.end_s) < 25.0  # the recording's clock, not this machine's
        assert (bag.topics[live_topic("lane_departure", "status")].count or 0) > 0


@pytest.mark.ros
@pytest.mark.slow
def test_launch_testing_sees_the_graph_up_and_its_clean_end(tmp_path: Path, ros: int) -> None:
    pytest.importorskip("launch_testing", reason="launch_testing is not installed: it comes with ROS 2 from apt")
    xml = tmp_path / "result.xml"
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "launch_testing.launch_test",
            "--junit-xml",
            str(xml),
            str(Path(__file__).with_name("graph_up.py")),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=200,
        env={**os.environ, "ROS_LOG_DIR": str(tmp_path / "log")},
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
