"""Two RealSense cameras under the names that the shipped profiles expect, and nothing else.

Wants the package realsense2_camera (apt install ros-$ROS_DISTRO-realsense2-camera).

    ros2 launch ./launch/cameras.launch.py agentview:=_146222250123 eye_in_hand:=_218622270456
"""

from launch.actions import DeclareLaunchArgument
from launch.conditions import IfCondition
from launch.substitutions import LaunchConfiguration, NotEqualsSubstitution
from launch_ros.actions import Node

from launch import LaunchDescription

CAMERAS = ("agentview", "eye_in_hand")


def generate_launch_description() -> LaunchDescription:
    """One driver a camera that a serial number is given for; topics <name>/color/image_raw."""
    serial = "serial number with an underscore before it, as realsense2_camera wants it"
    described = [
        DeclareLaunchArgument("namespace", default_value="", description="namespace of the arm"),
        DeclareLaunchArgument("color", default_value="640x480x30", description="size and rate"),
        *(DeclareLaunchArgument(name, default_value="", description=serial) for name in CAMERAS),
    ]
    return LaunchDescription([*described, *(_driver(name) for name in CAMERAS)])


def _driver(name: str) -> Node:
    return Node(
        package="realsense2_camera",
        executable="realsense2_camera_node",
        namespace=LaunchConfiguration("namespace"),
        name=name,
        parameters=[{
            "serial_no": LaunchConfiguration(name),
            "rgb_camera.color_profile": LaunchConfiguration("color"),
            "enable_depth": False,
            "enable_infra1": False,
            "enable_infra2": False,
        }],
        output="screen",
        condition=IfCondition(NotEqualsSubstitution(LaunchConfiguration(name), "")),
    )  # fmt: skip
