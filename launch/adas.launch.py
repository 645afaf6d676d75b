"""The live graph: `ros2 launch adas_runtime adas.launch.py market:=de vehicle:=reference`."""

from launch import LaunchDescription
from launch.actions import OpaqueFunction

from adas_runtime.supervisor.launching import declared, graph


def generate_launch_description() -> LaunchDescription:
    return LaunchDescription([*declared(), OpaqueFunction(function=graph)])
