"""The guard of one real Franka, and the agent where a task is given.

The controllers are your own CRISP bring-up, started before; nothing here is started again.

    ros2 launch ./launch/franka.launch.py profile:=my-cell.toml
    ros2 launch ./launch/franka.launch.py profile:=left.toml task:='pick up the red cube'
"""

import sys

from launch.actions import DeclareLaunchArgument, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, NotEqualsSubstitution
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = (
    ("profile", "franka", "a shipped profile's name, or a file; it holds namespace and topics"),
    ("task", "", "what to do, in words; empty: the guard alone"),
    ("episodes", "48", "episodes to act, at most"),
    ("out", "runs", "folder for runs"),
    ("python", sys.executable, "the Python that vlarl-agent is installed in"),
)


def generate_launch_description() -> LaunchDescription:
    """Guard first: the agent waits for it, and the end of either ends both."""
    said = {name: LaunchConfiguration(name) for name, _, _ in ARGUMENTS}
    guard = Node(
        executable=said["python"],
        arguments=["-m", "bridges.guard", "--profile", said["profile"]],
        output="screen",
        on_exit=Shutdown(reason="the guard has ended"),
    )
    agent = Node(
        executable=said["python"],
        arguments=[
            "-m", "agent.cli", "run", "--robot", "franka", "--profile", said["profile"],
            "--task", said["task"], "--episodes", said["episodes"], "--out", said["out"],
        ],
        output="screen",
        condition=IfCondition(NotEqualsSubstitution(said["task"], "")),
        on_exit=Shutdown(reason="the agent has ended"),
    )  # fmt: skip
    arguments = [
        DeclareLaunchArgument(name, default_value=value, description=text)
        for name, value, text in ARGUMENTS
    ]
    return LaunchDescription([*arguments, guard, agent])
