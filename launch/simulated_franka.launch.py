"""A simulated Franka and its guard, and the agent where a task is given: the rehearsal.

ros2 launch ./launch/simulated_franka.launch.py task:='lift the red cube' shift:='drift=0.18'
"""

import sys

from launch.actions import DeclareLaunchArgument, Shutdown
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, NotEqualsSubstitution
from launch_ros.actions import Node

from launch import LaunchDescription

ARGUMENTS = (
    ("profile", "tabletop", "a profile of a simulated cell"),
    ("backend", "tabletop", "what moves: tabletop (physics) or kinematic"),
    ("shift", "", "tabletop only: shifts of the world, drift=0.18,light=0.5"),
    ("task", "", "what to do, in words; empty: arm and guard alone"),
    ("episodes", "48", "episodes to act, at most"),
    ("out", "runs", "folder for runs"),
    ("python", sys.executable, "the Python that vlarl-agent is installed in"),
)


def generate_launch_description() -> LaunchDescription:
    """Arm, guard, agent; the end of any ends all."""
    said = {name: LaunchConfiguration(name) for name, _, _ in ARGUMENTS}
    arm = Node(
        executable=said["python"],
        arguments=[
            "-m", "sim.franka", "--profile", said["profile"], "--backend", said["backend"],
            "--shift", said["shift"],
        ],
        output="screen",
        on_exit=Shutdown(reason="the simulated arm has ended"),
    )  # fmt: skip
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
    return LaunchDescription([*arguments, arm, guard, agent])
