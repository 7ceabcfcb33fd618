"""What goes out to controllers and grippers of each kind."""

import time
from importlib.util import find_spec

import numpy as np
import pytest

pytest.importorskip("rclpy", reason="pip install vlarl-agent[ros]")

import rclpy
from geometry_msgs.msg import TwistStamped
from trajectory_msgs.msg import JointTrajectory

from agent.errors import RobotFault
from benchmarks.guard_kinematics import tool_of
from bridges.guard import outputs
from bridges.guard.grippers import Paced, grip_of, half_width_m
from bridges.pose import product, turned_by
from tests.bridges.guard.cell import HOME, PROFILE, at, last, measured

pytestmark = pytest.mark.ros


@pytest.fixture
def node():
    context = rclpy.Context()
    rclpy.init(context=context)
    node = rclpy.create_node("outputs", context=context)
    yield node
    node.destroy_node()
    rclpy.try_shutdown(context=context)


def cell(**kinds):
    return PROFILE.model_copy(update={"kinds": PROFILE.kinds.model_copy(update=kinds)})


def received(node, kind, topic, publish):
    """The first message that comes of publishing again and again."""
    heard = []
    subscription = node.create_subscription(kind, topic, heard.append, 1)
    ends_s = time.monotonic() + 5.0
    while time.monotonic() < ends_s:
        publish()
        with subscription.handle:
            taken = subscription.handle.take_message(kind, subscription.raw)
        if taken is not None:
            return taken[0]
        time.sleep(0.01)
    raise AssertionError(f"nothing came on {topic}")


def test_a_joint_trajectory_leads_the_tool_to_the_target(node):
    publish, _ = outputs.output_of(cell(controller="joint_trajectory"), node)
    aim = at(HOME, (0.002, 0.0, -0.001))
    message = received(
        node, JointTrajectory, "/target_pose", lambda: publish(last(pose=aim), measured())
    )
    assert message.joint_names == list(PROFILE.joint_names)
    (point,) = message.points
    assert tool_of(np.array(point.positions))[0] == pytest.approx(aim.position_m, abs=2e-5)
    # two periods of 20 ms
    assert (point.time_from_start.sec, point.time_from_start.nanosec) == (0, 40_000_000)


def test_a_twist_leads_to_the_target_within_a_period_and_no_faster_than_allowed(node):
    publish, _ = outputs._twists(PROFILE, node, "/delta_twist_cmds")
    turn = product(turned_by(np.array([0.0, 0.0, 0.01])), HOME.quaternion)
    near = at(HOME, (0.001, 0.0, 0.0))
    aim = last(pose=type(near)(near.position_m, turn))
    message = received(node, TwistStamped, "/delta_twist_cmds", lambda: publish(aim, measured()))
    # 1 mm and 10 mrad in 20 ms
    assert message.twist.linear.x == pytest.approx(0.05)
    assert message.twist.angular.z == pytest.approx(0.5)
    assert message.header.frame_id == "base"
    far = last(pose=at(HOME, (0.0, 0.08, 0.0)))
    message = received(node, TwistStamped, "/delta_twist_cmds", lambda: publish(far, measured()))
    assert message.twist.linear.y == pytest.approx(0.25)


@pytest.mark.skipif(find_spec("moveit_msgs") is not None, reason="moveit_msgs is here")
def test_moveit_servos_missing_messages_are_named_with_their_package(node):
    with pytest.raises(RobotFault, match=r"apt install ros-\$ROS_DISTRO-moveit-msgs"):
        outputs.output_of(cell(controller="servo"), node)


@pytest.mark.skipif(find_spec("control_msgs") is not None, reason="control_msgs is here")
@pytest.mark.skipif(find_spec("franka_msgs") is not None, reason="franka_msgs is here")
def test_grippers_missing_messages_are_named_with_their_package(node):
    for kind, package in (("gripper_command", "control-msgs"), ("grasp", "franka-msgs")):
        with pytest.raises(RobotFault, match=package):
            grip_of(cell(gripper=kind), node)


def test_a_gripper_commands_position_is_half_the_width():
    # 80 mm between the fingers when open: each has gone 40 mm
    assert half_width_m(1.0, 0.08) == pytest.approx(0.04)
    assert half_width_m(0.25, 0.08) == pytest.approx(0.01)


def test_an_opening_is_sent_on_change_and_again_every_period():
    sent: list[float] = []
    grip = Paced(sent.append, 0.05, change=0.0, again=True)
    for opening in (1.0, 1.0, 0.5, 0.5, 0.4):
        grip(opening)
    assert sent == [1.0, 0.5, 0.4]
    time.sleep(0.06)
    grip(0.4)
    assert sent == [1.0, 0.5, 0.4, 0.4]


def test_goals_are_sent_for_real_changes_no_oftener_than_their_period():
    sent: list[float] = []
    grip = Paced(sent.append, 0.05, change=0.02, again=False)
    for opening in (1.0, 0.99, 0.5, 0.4):
        grip(opening)
    assert sent == [1.0]
    time.sleep(0.06)
    grip(0.99)
    assert sent == [1.0]  # not for so little
    grip(0.4)
    assert sent == [1.0, 0.4]
