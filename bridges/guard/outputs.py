"""How a target reaches the controller: as a pose, a twist or a joint trajectory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bridges.guard.command import Command, Measured
from bridges.guard.reach import joints_at
from bridges.guard.senses import message_class
from bridges.pose import Pose, inverse, product, turn_of
from calibration.profile import Profile

# Publishes a target; the arm as measured goes along.
Output = Callable[[Command, Measured], None]
# MoveIt Servo's command types (moveit_msgs/srv/ServoCommandType).
_TWIST, _POSE = 1, 2
_SERVO_SERVICE = "servo_node/switch_command_type"


def output_of(profile: Profile, node: Any) -> tuple[Output, Any]:  # noqa: ANN401  a ROS node
    """The way to this cell's controller, and its publisher.

    Raises RobotFault where the controller needs messages that this ROS 2 lacks.
    """
    topic = profile.topics.full(profile.topics.target_pose)
    if profile.kinds.controller == "joint_trajectory":
        return _trajectories(profile, node, topic)
    if profile.kinds.controller == "servo":
        twists = topic.endswith("twist_cmds")
        _switch(profile, node, _TWIST if twists else _POSE)
        if twists:
            return _twists(profile, node, topic)
    return _poses(profile, node, topic)


def _poses(profile: Profile, node: Any, topic: str) -> tuple[Output, Any]:  # noqa: ANN401
    """CRISP's target_pose, and MoveIt Servo's pose commands."""
    from geometry_msgs.msg import PoseStamped

    publisher = node.create_publisher(PoseStamped, topic, 1)

    def publish(command: Command, _measured: Measured) -> None:
        message = PoseStamped()
        message.header.stamp = node.get_clock().now().to_msg()
        message.header.frame_id = profile.frames.base
        place, turn = message.pose.position, message.pose.orientation
        place.x, place.y, place.z = (float(value) for value in command.pose.position_m)
        turn.x, turn.y, turn.z, turn.w = (float(value) for value in command.pose.quaternion)
        publisher.publish(message)

    return publish, publisher


def _twists(profile: Profile, node: Any, topic: str) -> tuple[Output, Any]:  # noqa: ANN401
    """MoveIt Servo's twist commands: towards the target within one setpoint period."""
    from geometry_msgs.msg import TwistStamped

    publisher = node.create_publisher(TwistStamped, topic, 1)
    limits, period_s = profile.limits, 1.0 / profile.rates.setpoint_hz

    def publish(command: Command, measured: Measured) -> None:
        speed, spin = twist(measured.pose, command.pose, period_s)
        speed *= min(1.0, limits.speed_m_s / max(1e-12, float(np.linalg.norm(speed))))
        spin *= min(1.0, limits.rotation_rad_s / max(1e-12, float(np.linalg.norm(spin))))
        message = TwistStamped()
        message.header.stamp = node.get_clock().now().to_msg()
        message.header.frame_id = profile.frames.base
        linear, angular = message.twist.linear, message.twist.angular
        linear.x, linear.y, linear.z = (float(value) for value in speed)
        angular.x, angular.y, angular.z = (float(value) for value in spin)
        publisher.publish(message)

    return publish, publisher


def _trajectories(profile: Profile, node: Any, topic: str) -> tuple[Output, Any]:  # noqa: ANN401
    """A joint trajectory of one point, two setpoint periods ahead."""
    from rclpy.duration import Duration
    from trajectory_msgs.msg import JointTrajectory, JointTrajectoryPoint

    publisher = node.create_publisher(JointTrajectory, topic, 1)
    ahead = Duration(seconds=2.0 / profile.rates.setpoint_hz).to_msg()

    def publish(command: Command, measured: Measured) -> None:
        joints = joints_at(measured, command.pose)
        point = JointTrajectoryPoint(
            positions=[float(value) for value in joints], time_from_start=ahead
        )
        # Without a stamp it starts at once, whatever the controller's clock.
        publisher.publish(JointTrajectory(joint_names=list(profile.joint_names), points=[point]))

    return publish, publisher


def twist(here: Pose, target: Pose, period_s: float) -> tuple[Any, Any]:
    """Speed (3,) m/s and spin (3,) rad/s that lead to a target within a period."""
    turn = turn_of(product(target.quaternion, inverse(here.quaternion)))
    return (target.position_m - here.position_m) / period_s, turn / period_s


def _switch(profile: Profile, node: Any, command_type: int) -> None:  # noqa: ANN401
    """Ask MoveIt Servo for this type of command; it answers when it is up."""
    kind = message_class("moveit_msgs.srv", "ServoCommandType", "moveit-msgs")
    client = node.create_client(kind, profile.topics.full(_SERVO_SERVICE))
    client.call_async(kind.Request(command_type=command_type))
