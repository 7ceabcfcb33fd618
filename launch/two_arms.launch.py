"""The guards of two arms, each with a profile of its own namespace.

ros2 launch ./launch/two_arms.launch.py left:=left.toml right:=right.toml
"""

import sys

from launch.actions import DeclareLaunchArgument, Shutdown
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from launch import LaunchDescription

ARMS = ("left", "right")


def generate_launch_description() -> LaunchDescription:
    """One guard an arm; where one ends, its arm is held and the other guard is ended too."""
    arguments = [
        DeclareLaunchArgument("python", default_value=sys.executable, description="Python to use"),
        *(
            DeclareLaunchArgument(
                arm, default_value="franka", description=f"profile of the {arm} arm"
            )
            for arm in ARMS
        ),
    ]
    guards = [
        Node(
            executable=LaunchConfiguration("python"),
            arguments=[
                "-m", "bridges.guard", "--profile", LaunchConfiguration(arm), "--namespace", arm,
            ],
            output="screen",
            on_exit=Shutdown(reason=f"the {arm} arm's guard has ended"),
        )
        for arm in ARMS
    ]  # fmt: skip
    return LaunchDescription([*arguments, *guards])
