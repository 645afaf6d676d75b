"""A recording through the live graph, on its own clock: `ros2 launch adas_runtime replay.launch.py bag:=DRIVE`.

`use_sim_time:=false` plays it with its stamps moved to now. (`adas replay` needs no graph, is exact, and faster.)
"""

from launch import LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction

from adas_runtime.supervisor.launching import declared, graph, player


def generate_launch_description() -> LaunchDescription:
    bag = DeclareLaunchArgument("bag", description="The recording: rosbag2 folder or file.")
    return LaunchDescription(
        [*declared(use_sim_time="true"), bag, OpaqueFunction(function=graph), OpaqueFunction(function=player)]
    )
